/* Messages on their way: taken, refused, sent again in their order, and how many there may be. */
#include "check.h"

#include "linkd/flight.h"

static struct flight_entry *add(struct flight *flight, enum lane lane, const char *payload, int mid)
{
	const uint64_t numbers[] = { 1, 2, 3 };
	const struct parcel parcel = { .lane = lane, .topic = "t", .payload = payload, .len = strlen(payload), .retain = true,
				       .numbers = numbers, .n_numbers = 3 };
	struct flight_entry *entry = NULL;

	check_int(flight_add(flight, &parcel, &entry), 0);
	entry->mid = mid;
	return entry;
}

static void keeps_a_copy(void **state)
{
	struct flight flight;
	struct flight_entry *entry;

	(void)state;
	flight_init(&flight);
	entry = add(&flight, LANE_EVENTS, "hello", 7);
	check_bytes(entry->payload, entry->len, "hello", 5);
	check_text(entry->topic, "t");
	check_true(entry->retain && entry->n_numbers == 3 && entry->numbers[2] == 3);
	check_true(flight_find(&flight, 7) == entry && !flight_find(&flight, 8));
	flight_drop(&flight, entry);
	assert_null(flight_find(&flight, 7));
	flight_deinit(&flight);
}

static void a_lane_is_full_at_its_limit(void **state)
{
	const struct parcel parcel = { .lane = LANE_EVENTS, .topic = "t" };
	struct flight_entry *entry = NULL;
	struct flight flight;

	(void)state;
	flight_init(&flight);
	for (int i = 0; i < FLIGHT_MAX; i++) {
		check_true(flight_has_room(&flight, LANE_EVENTS));
		add(&flight, LANE_EVENTS, "", i);
	}
	check_true(!flight_has_room(&flight, LANE_EVENTS) && flight_has_room(&flight, LANE_STATES));
	check_int(flight_add(&flight, &parcel, &entry), FLIGHT_E_FULL);
	flight_drop(&flight, flight_find(&flight, 5));
	check_true(flight_has_room(&flight, LANE_EVENTS));
	flight_deinit(&flight);
}

static void what_was_refused_holds_back_its_lane(void **state)
{
	struct flight flight;
	struct flight_entry *a, *b;

	(void)state;
	flight_init(&flight);
	a = add(&flight, LANE_EVENTS, "a", 1);
	b = add(&flight, LANE_EVENTS, "b", 2);
	check_int(flight_next_due_ms(&flight), -1);
	flight_hold(&flight, a, 5000);
	flight_hold(&flight, b, 5000);
	check_true(!flight_has_room(&flight, LANE_EVENTS) && flight_has_room(&flight, LANE_STATES));
	check_int(flight_next_due_ms(&flight), 5000);
	assert_null(flight_due(&flight, 4999));
	check_true(flight_due(&flight, 5000) == a);
	check_true(flight_due(&flight, 5000) == b);
	assert_null(flight_due(&flight, 5000));
	/* Under way again, and not taken yet: nothing new may pass it. */
	check_true(!flight_has_room(&flight, LANE_EVENTS));
	flight_hold(&flight, a, 9000);
	flight_drop(&flight, b);
	check_true(!flight_has_room(&flight, LANE_EVENTS));
	check_true(flight_due(&flight, 9000) == a);
	flight_drop(&flight, a);
	check_true(flight_has_room(&flight, LANE_EVENTS));
	flight_deinit(&flight);
}

static void everything_is_forgotten_at_once(void **state)
{
	struct flight flight;

	(void)state;
	flight_init(&flight);
	flight_hold(&flight, add(&flight, LANE_EVENTS, "a", 1), 10);
	add(&flight, LANE_ANSWERS, "b", 2);
	flight_deinit(&flight);
	for (int lane = 0; lane < LANES; lane++)
		check_uint(flight.n[lane] + flight.n_held[lane], 0);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(keeps_a_copy),
		cmocka_unit_test(a_lane_is_full_at_its_limit),
		cmocka_unit_test(what_was_refused_holds_back_its_lane),
		cmocka_unit_test(everything_is_forgotten_at_once),
	};
	return CHECK_RUN(rows);
}
