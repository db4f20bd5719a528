/* Which endpoint when: order, doubling, jitter, a good connection forgives, and the way back to the first. */
#include "check.h"

#include "linkd/dialer.h"

enum { MIDDLE = DIALER_WAIT_MS / 5 }; /* random % (2 * part + 1) == part: no jitter, for the first wait */

static void one_endpoint_waits_longer_and_longer(void **state)
{
	struct dialer dialer;
	uint32_t want = DIALER_WAIT_MS;

	(void)state;
	dialer_init(&dialer, 1);
	for (int i = 0; i < 12; i++) {
		uint32_t part = want * DIALER_JITTER_PERCENT / 100;

		check_uint(dialer_down(&dialer, 0, part), want);
		check_uint(dialer.at, 0);
		want = want < DIALER_WAIT_MS_MAX / 2 ? 2 * want : DIALER_WAIT_MS_MAX;
	}
	check_uint(want, DIALER_WAIT_MS_MAX);
}

static void jitter_stays_within_its_share(void **state)
{
	uint32_t low = UINT32_MAX, high = 0;

	(void)state;
	for (uint32_t random = 0; random < 1000; random++) {
		struct dialer dialer;
		uint32_t wait;

		dialer_init(&dialer, 1);
		wait = dialer_down(&dialer, 0, random);
		low = wait < low ? wait : low;
		high = wait > high ? wait : high;
	}
	check_uint(low, DIALER_WAIT_MS * 8 / 10);
	check_uint(high, DIALER_WAIT_MS * 12 / 10);
}

static void all_are_tried_in_a_round(void **state)
{
	struct dialer dialer;

	(void)state;
	dialer_init(&dialer, 3);
	check_uint(dialer_down(&dialer, 0, 0), DIALER_NEXT_MS);
	check_uint(dialer.at, 1);
	check_uint(dialer_down(&dialer, 0, 0), DIALER_NEXT_MS);
	check_uint(dialer.at, 2);
	check_uint(dialer_down(&dialer, 0, MIDDLE), DIALER_WAIT_MS);
	check_uint(dialer.at, 0);
}

static void after_a_loss_the_first_comes_first(void **state)
{
	struct dialer dialer;

	(void)state;
	dialer_init(&dialer, 2);
	check_uint(dialer_down(&dialer, 0, 0), DIALER_NEXT_MS);
	dialer_up(&dialer, 1000);
	check_uint(dialer_down(&dialer, 1000 + DIALER_STABLE_MS, MIDDLE), DIALER_WAIT_MS);
	check_uint(dialer.at, 0);
}

/* A broker that takes us and throws us out at once is not besieged. */
static void a_short_connection_forgives_nothing(void **state)
{
	struct dialer dialer;

	(void)state;
	dialer_init(&dialer, 1);
	for (int i = 0; i < 8; i++) {
		dialer_up(&dialer, 0);
		(void)dialer_down(&dialer, DIALER_STABLE_MS - 1, 0);
	}
	check_uint(dialer.wait_ms, DIALER_WAIT_MS_MAX);
	dialer_up(&dialer, 0);
	check_uint(dialer_down(&dialer, DIALER_STABLE_MS, MIDDLE), DIALER_WAIT_MS);
}

static void it_goes_back_to_the_first(void **state)
{
	struct dialer dialer;

	(void)state;
	dialer_init(&dialer, 2);
	check_int(dialer_failback_ms(&dialer, 0), -1);
	dialer_up(&dialer, 0);
	check_int(dialer_failback_ms(&dialer, 0), -1);
	(void)dialer_down(&dialer, 5, 0);
	(void)dialer_down(&dialer, 5, 0);
	check_uint(dialer.at, 1);
	dialer_up(&dialer, 100);
	check_int(dialer_failback_ms(&dialer, 100), DIALER_FAILBACK_MS);
	check_int(dialer_failback_ms(&dialer, 100 + DIALER_FAILBACK_MS), 0);
	check_int(dialer_failback_ms(&dialer, 101 + DIALER_FAILBACK_MS), 0);
	(void)dialer_down(&dialer, 100 + DIALER_FAILBACK_MS, 0);
	check_uint(dialer.at, 0);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(one_endpoint_waits_longer_and_longer),
		cmocka_unit_test(jitter_stays_within_its_share),
		cmocka_unit_test(all_are_tried_in_a_round),
		cmocka_unit_test(after_a_loss_the_first_comes_first),
		cmocka_unit_test(a_short_connection_forgives_nothing),
		cmocka_unit_test(it_goes_back_to_the_first),
	};
	return CHECK_RUN(rows);
}
