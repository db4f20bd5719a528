/* A report's day: into the shadow, to whom it may concern, stored before its adapter is told so, again after an outage. */
#include "house.h"

#include <string.h>

struct home {
	struct house house;
	struct device_id sensor;
};

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, NULL);
	house_people(&home->house);
	house_adapter_up(&home->house);
	house_link_up(&home->house);
	home->sensor = house_sensor(&home->house, 1, "sensor");
	*state = home;
	return 0;
}

static int teardown(void **state)
{
	struct home *home = *state;
	house_close(&home->house);
	free(home);
	return 0;
}

static size_t events_of(const struct house *house, uint16_t cap)
{
	size_t n = 0;
	for (size_t i = 0; i < house->link.n; i++)
		n += house->link.heard[i].type == WIRE_LINK_EVENT && house->link.heard[i].cap == cap && house->link.heard[i].event_kind == EVENT_REPORT;
	return n;
}

static void ack_all(struct house *house)
{
	struct wire_msg acked = { .type = WIRE_LINK_ACKED };
	uint64_t numbers[WIRE_ACKS_MAX];
	acked.link_acked.numbers = numbers;
	for (size_t i = 0; i < house->link.n; i++)
		if (house->link.heard[i].type == WIRE_LINK_EVENT && acked.link_acked.n < WIRE_ACKS_MAX)
			numbers[acked.link_acked.n++] = house->link.heard[i].number;
	if (acked.link_acked.n)
		actor_say(&house->link, &acked);
	house_settle(house);
}

static void an_unbound_device_reaches_nobody(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	check_uint(actor_count(&house->link, WIRE_LINK_DEVICE), 0);
	house_report(house, 1, CAP_TEMPERATURE, value_real(21.5));
	check_uint(events_of(house, CAP_TEMPERATURE), 0);
	check_uint(actor_last(&house->adapter, WIRE_STORED)->number, 1); /* taken all the same: nothing is lost by asking again */
	house_bind(house, home->sensor, house->owner);
	check_true(actor_count(&house->link, WIRE_LINK_DEVICE) >= 1);
	check_int(actor_last(&house->link, WIRE_LINK_DEVICE)->n_caps, 2);
	house_report(house, 1, CAP_TEMPERATURE, value_real(22));
	check_uint(events_of(house, CAP_TEMPERATURE), 1);
}

static void the_shadow_follows_and_is_stale_after_a_restart(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_bind(house, home->sensor, house->owner);
	house_report(house, 1, CAP_TEMPERATURE, value_real(21.5));
	const struct shadow_value *shadow = device_shadow(registry_find(house->app->registry, home->sensor), 0, CAP_TEMPERATURE);
	check_near(shadow->reported.value.f, 21.5, 0);
	check_true(shadow->reported_ms != 0);
	house_restart(house);
	const struct device *device = registry_find(house->app->registry, home->sensor);
	assert_non_null(device);
	check_int(device->state, DEVICE_UNREACHABLE);
	check_uint(device->owner, house->owner);
	check_text(device->name, "sensor");
	shadow = device_shadow(device, 0, CAP_TEMPERATURE);
	check_near(shadow->reported.value.f, 21.5, 0);
	check_int(shadow->reported_ms, 0); /* known, and old */
}

static void bad_reports_are_counted_and_stop_nothing(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct hub_stats stats;
	house_bind(house, home->sensor, house->owner);
	house_report(house, 1, CAP_TEMPERATURE, value_real(99999));
	house_report(house, 1, CAP_TEMPERATURE, value_bool(true));
	house_report(house, 1, CAP_SIREN, value_bool(true));
	house_report(house, 77, CAP_TEMPERATURE, value_real(1));
	house_report(house, 1, CAP_TEMPERATURE, value_real(20));
	check_uint(events_of(house, CAP_TEMPERATURE), 1);
	check_true(hub_stats_at(house->app->hub, 0, &stats));
	check_uint(stats.n_refused, 4);
	check_uint(registry_find(house->app->registry, home->sensor)->n_refused, 3);
	check_uint(actor_last(&house->adapter, WIRE_STORED)->number, 5);
}

static void a_number_that_is_skipped_ends_the_adapter(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_report(house, 1, CAP_TEMPERATURE, value_real(20));
	house->adapter.seq += 5;
	house_report(house, 1, CAP_TEMPERATURE, value_real(21));
	check_true(house->adapter.closed);
	check_true(house_alarm(house, ALARM_ADAPTER_VIOLATION));
	check_uint(house_audit(house, AUDIT_ADAPTER_VIOLATION, NULL), 1);
	house_adapter_up(house);
	check_true(!house_alarm(house, ALARM_ADAPTER_GONE));
}

static void what_the_link_did_not_acknowledge_comes_again_marked_and_in_order(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_bind(house, home->sensor, house->owner);
	ack_all(house);
	for (int i = 0; i < 5; i++)
		house_report(house, 1, CAP_TEMPERATURE, value_real(i));
	check_uint(events_of(house, CAP_TEMPERATURE), 5);
	actor_drop(&house->link);
	house_settle(house);
	house_report(house, 1, CAP_TEMPERATURE, value_real(5)); /* while it is away */
	house_link_up(house);
	double want = 0;
	for (size_t i = 0; i < house->link.n; i++) {
		const struct heard *heard = &house->link.heard[i];
		if (heard->type != WIRE_LINK_EVENT || heard->cap != CAP_TEMPERATURE)
			continue;
		check_near(heard->value, want, 0);
		check_true(heard->duplicate == (want < 5));
		want += 1;
	}
	check_near(want, 6, 0);
	ack_all(house);
	house_restart(house);
	house_link_up(house);
	check_uint(events_of(house, CAP_TEMPERATURE), 0); /* acknowledged is done with */
}

static void what_was_stored_outlives_the_core(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_bind(house, home->sensor, house->owner);
	ack_all(house);
	actor_drop(&house->link);
	house_settle(house);
	for (int i = 0; i < 20; i++)
		house_report(house, 1, CAP_TEMPERATURE, value_real(i));
	check_uint(actor_last(&house->adapter, WIRE_STORED)->number, 20);
	house_restart(house);
	house_link_up(house);
	check_uint(events_of(house, CAP_TEMPERATURE), 20);
}

static void events_are_numbered_rising_over_restarts(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_bind(house, home->sensor, house->owner);
	house_report(house, 1, CAP_TEMPERATURE, value_real(1));
	uint64_t first = actor_last(&house->link, WIRE_LINK_EVENT)->event_number;
	house_report(house, 1, CAP_TEMPERATURE, value_real(2));
	check_uint(actor_last(&house->link, WIRE_LINK_EVENT)->event_number, first + 1);
	house_restart(house);
	house_adapter_up(house);
	house_link_up(house);
	house_sensor(house, 1, "sensor");
	house_report(house, 1, CAP_TEMPERATURE, value_real(3));
	check_true(actor_last(&house->link, WIRE_LINK_EVENT)->event_number > first + 1);
}

static void a_second_holder_of_an_identity_is_refused(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct capability_desc cap = { .id = CAP_TEMPERATURE, .type = VALUE_REAL, .access = ACCESS_READ | ACCESS_REPORT };
	struct endpoint_desc endpoint = { .id = 1, .n_caps = 1, .caps = &cap };
	struct wire_msg msg = { .type = WIRE_DEVICE };
	house_bind(house, home->sensor, house->owner);
	msg.device = (struct device_desc){ .addr = { .len = 2, .bytes = { 9, 9 } }, .hw = { .len = 8, .bytes = { 8 } }, .id = home->sensor, .vendor = "V",
					   .model = "M", .firmware = "", .name = "imposter", .n_endpoints = 1, .endpoints = &endpoint };
	actor_say(&house->adapter, &msg);
	house_settle(house);
	check_int(registry_find(house->app->registry, home->sensor)->state, DEVICE_QUARANTINED);
	check_true(house_alarm(house, ALARM_CLONE));
	check_uint(house_audit(house, AUDIT_CLONE, NULL), 1);
	check_true(registry_find_name(house->app->registry, "imposter") == NULL);
	size_t before = events_of(house, CAP_TEMPERATURE);
	house_report(house, 1, CAP_TEMPERATURE, value_real(1)); /* quarantined: reaches nobody */
	check_uint(events_of(house, CAP_TEMPERATURE), before);
}

static void bad_notes_are_on_record_and_unenforced_brokers_an_alarm(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct wire_msg note = { .type = WIRE_NOTE };
	note.note.kind = NOTE_MALFORMED;
	note.note.count = 3;
	note.note.object = (struct view){ (const uint8_t *)"zigbee2mqtt/x", 13 };
	actor_say(&house->adapter, &note);
	note.note.kind = NOTE_STATUS;
	note.note.object = (struct view){ (const uint8_t *)"broker", 6 };
	note.note.text = (struct view){ (const uint8_t *)"unenforced", 10 };
	actor_say(&house->adapter, &note);
	house_settle(house);
	check_true(house_alarm(house, ALARM_BROKER_UNENFORCED));
	house_sleep(house, 61000);
	check_true(house_audit(house, AUDIT_BAD_INPUT, NULL) >= 1);
	note.note.text = (struct view){ (const uint8_t *)"enforced", 8 };
	actor_say(&house->adapter, &note);
	house_settle(house);
	check_true(!house_alarm(house, ALARM_BROKER_UNENFORCED));
}

static void a_hanging_adapter_is_noticed_within_its_time(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	house_bind(house, home->sensor, house->owner);
	/* It holds its socket open and says nothing. */
	for (int i = 0; i < 6; i++) {
		loop_advance(house->loop, 1000);
		house_settle(house);
	}
	check_true(house->adapter.closed);
	check_int(registry_find(house->app->registry, home->sensor)->state, DEVICE_UNREACHABLE);
	check_true(house_alarm(house, ALARM_ADAPTER_GONE));
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(an_unbound_device_reaches_nobody),
		ROW(the_shadow_follows_and_is_stale_after_a_restart),
		ROW(bad_reports_are_counted_and_stop_nothing),
		ROW(a_number_that_is_skipped_ends_the_adapter),
		ROW(what_the_link_did_not_acknowledge_comes_again_marked_and_in_order),
		ROW(what_was_stored_outlives_the_core),
		ROW(events_are_numbered_rising_over_restarts),
		ROW(a_second_holder_of_an_identity_is_refused),
		ROW(bad_notes_are_on_record_and_unenforced_brokers_an_alarm),
		ROW(a_hanging_adapter_is_noticed_within_its_time),
	};
	return CHECK_RUN(rows);
}
