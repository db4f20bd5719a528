/* Each request is answered once: by the plugin or by its deadline. */
#include "check.h"

#include "host/requests.h"

static void answered_once(void **state)
{
	struct requests *t = calloc(1, sizeof(*t));
	uint64_t a, b, theirs = 0;

	(void)state;
	check_ok(requests_add(t, 100, 50, &a));
	check_ok(requests_add(t, 100, 60, &b));
	check_true(a != b);
	check_ok(requests_done(t, b, &theirs));
	check_uint(theirs, 100);
	check_int(requests_done(t, b, &theirs), REQUESTS_E_UNKNOWN);
	check_int(requests_done(t, 0, &theirs), REQUESTS_E_UNKNOWN);
	check_int(requests_done(t, 99, &theirs), REQUESTS_E_UNKNOWN);
	check_ok(requests_done(t, a, &theirs));
	free(t);
}

static void deadlines(void **state)
{
	struct requests *t = calloc(1, sizeof(*t));
	uint64_t a, b, theirs = 0;

	(void)state;
	check_int(requests_deadline(t), INT64_MAX);
	check_ok(requests_add(t, 1, 70, &a));
	check_ok(requests_add(t, 2, 50, &b));
	check_int(requests_deadline(t), 50);
	check_true(!requests_expire(t, 49, &theirs));
	check_true(requests_expire(t, 50, &theirs));
	check_uint(theirs, 2);
	check_true(!requests_expire(t, 69, &theirs));
	check_int(requests_deadline(t), 70);
	/* Too late is no breach; twice too late is. */
	check_int(requests_done(t, b, &theirs), REQUESTS_E_LATE);
	check_int(requests_done(t, b, &theirs), REQUESTS_E_UNKNOWN);
	free(t);
}

static void a_core_that_is_gone_waits_for_nothing(void **state)
{
	struct requests *t = calloc(1, sizeof(*t));
	uint64_t a, theirs = 0;

	(void)state;
	check_ok(requests_add(t, 1, 50, &a));
	requests_forget(t);
	check_int(requests_deadline(t), INT64_MAX);
	check_true(!requests_expire(t, 100, &theirs));
	check_int(requests_done(t, a, &theirs), REQUESTS_E_LATE);
	free(t);
}

static void the_limit(void **state)
{
	struct requests *t = calloc(1, sizeof(*t));
	uint64_t first = 0, mine, theirs = 0;

	(void)state;
	for (int i = 0; i < REQUESTS_MAX; i++) {
		check_ok(requests_add(t, 7, 50, &mine));
		if (i == 0)
			first = mine;
	}
	check_int(requests_add(t, 8, 50, &mine), REQUESTS_E_FULL);
	/* Those that nobody waits for give way, the oldest first. */
	check_true(requests_expire(t, 60, &theirs));
	check_ok(requests_add(t, 8, 50, &mine));
	check_int(requests_done(t, first, &theirs), REQUESTS_E_UNKNOWN);
	check_ok(requests_done(t, mine, &theirs));
	check_uint(theirs, 8);
	free(t);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(answered_once),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(a_core_that_is_gone_waits_for_nothing),
		cmocka_unit_test(the_limit),
	};

	return CHECK_RUN(rows);
}
