/* A command's day: who may, what is refused and how it looks from outside, what the record says, that a late, replayed or
 * cancelled order moves nothing. */
#include "house.h"

#include <string.h>
#include "base/text.h"
#include "router/replay.h"

struct home {
	struct house house;
	struct device_id lamp, lock, stranger;
};

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, NULL);
	house_people(&home->house);
	house_adapter_up(&home->house);
	house_link_up(&home->house);
	home->lamp = house_lamp(&home->house, 1, "lamp");
	home->lock = house_lock(&home->house, 2, "lock");
	home->stranger = house_lamp(&home->house, 3, "stranger");
	house_bind(&home->house, home->lamp, home->house.owner);
	house_bind(&home->house, home->lock, home->house.owner);
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

static void an_owner_switches_a_lamp_and_it_is_on_record(void **state)
{
	struct home *home = *state;
	struct asker anna = house_user(&home->house, home->house.owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	struct audit_row row;
	struct outcome outcome = house_command(&home->house, &anna, &on);
	check_int(outcome.result, RESULT_OK);
	check_true(outcome.rule < 0); /* a built-in right */
	const struct heard *heard = actor_last(&home->house.adapter, WIRE_COMMAND);
	assert_non_null(heard);
	check_int(heard->cap, CAP_ON_OFF);
	check_int(heard->endpoint, 1);
	check_near(heard->value, 1, 0);
	check_true(heard->ttl_ms > 0 && heard->ttl_ms <= ROUTER_TTL_MS);
	check_uint(house_audit(&home->house, AUDIT_COMMAND, &row), 1);
	check_int(row.record.outcome, AUDIT_OK);
	check_uint(row.record.subject.id, home->house.owner);
	check_true(row.time_trusted);
}

static void what_is_refused_never_reaches_the_adapter(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner), ben = house_user(house, house->other);
	struct device_id nobody = { { 1, 2, 3 } };
	const struct {
		const char *what;
		struct asker asker;
		struct command command;
		enum result want;
		uint16_t kind;
	} rows[] = {
		{ "no such device", anna, house_set(nobody, CAP_ON_OFF, value_bool(true)), RESULT_UNKNOWN_DEVICE, AUDIT_REFUSED },
		{ "no such capability", anna, house_set(home->lamp, CAP_SIREN, value_bool(true)), RESULT_UNKNOWN_CAPABILITY, AUDIT_REFUSED },
		{ "capability 0", anna, house_set(home->lamp, 0, value_bool(true)), RESULT_MALFORMED, AUDIT_REFUSED },
		{ "wrong type", anna, house_set(home->lamp, CAP_ON_OFF, value_text("yes")), RESULT_BAD_VALUE, AUDIT_REFUSED },
		{ "out of range", anna, house_set(home->lamp, CAP_LEVEL, value_int(101)), RESULT_BAD_VALUE, AUDIT_REFUSED },
		{ "no such choice", anna, house_set(home->lock, CAP_LOCK_STATE, value_text("ajar")), RESULT_BAD_VALUE, AUDIT_REFUSED },
		{ "a member and a lock", ben, house_set(home->lock, CAP_LOCK_STATE, value_text("unlocked")), RESULT_UNKNOWN_DEVICE, AUDIT_DENIAL },
		{ "a device that nobody owns", anna, house_set(home->stranger, CAP_ON_OFF, value_bool(true)), RESULT_UNBOUND, AUDIT_DENIAL },
	};
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t before = house_audit(house, rows[i].kind, NULL);
		struct outcome outcome = house_command(house, &rows[i].asker, &rows[i].command);
		if (outcome.result != rows[i].want)
			print_error("%s: %s\n", rows[i].what, outcome.reason);
		check_int(outcome.result, rows[i].want);
		/* The same refusal twice may be one row with a count; another one is another row. */
		check_true(house_audit(house, rows[i].kind, NULL) >= before);
	}
	check_uint(actor_count(&house->adapter, WIRE_COMMAND), 0);
	house_sleep(house, 61000); /* collapsed repeats are written once a minute */
	check_true(house_audit(house, AUDIT_REFUSED, NULL) >= 4);
	check_true(house_audit(house, AUDIT_DENIAL, NULL) >= 2);
}

static void on_end(void *ctx, enum result result, int32_t rule, const char *reason)
{
	struct outcome *outcome = ctx;
	outcome->done = true;
	outcome->result = result;
	outcome->rule = rule;
	text_copy(outcome->reason, sizeof(outcome->reason), reason);
}

static void a_silent_adapter_is_a_timeout_and_its_late_answer_nothing(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	struct outcome outcome = { 0 };
	house->adapter.answers = false;
	on.deadline_ms = loop_now_ms(house->loop) + 2000;
	on.subject = anna.subject;
	on.source = anna.source;
	/* by hand: time has to pass in between */
	router_command(house->app->router, &anna, &on, on_end, &outcome);
	house_settle(house);
	check_true(!outcome.done);
	const struct heard *heard = actor_last(&house->adapter, WIRE_COMMAND);
	assert_non_null(heard);
	uint64_t req = heard->number;
	house_sleep(house, 2500);
	check_true(outcome.done);
	check_int(outcome.result, RESULT_TIMEOUT);
	actor_say(&house->adapter, &(struct wire_msg){ .type = WIRE_DONE, .done = { req, RESULT_OK } });
	house_settle(house);
	check_true(!house->adapter.closed);
}

static void an_adapter_that_goes_fails_what_it_was_asked(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	struct outcome outcome = { 0 };
	house->adapter.answers = false;
	on.subject = anna.subject;
	router_command(house->app->router, &anna, &on, on_end, &outcome);
	house_settle(house);
	actor_drop(&house->adapter);
	house_settle(house);
	check_int(outcome.result, RESULT_UNREACHABLE);
	check_int(registry_find(house->app->registry, home->lamp)->state, DEVICE_UNREACHABLE);
	check_int(house_command(house, &anna, &on).result, RESULT_UNREACHABLE);
	house_adapter_up(house);
	house_lamp(house, 1, "lamp");
	check_int(registry_find(house->app->registry, home->lamp)->state, DEVICE_OURS);
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
}

static struct wire_msg order(const struct home *home, const char *id, uint64_t counter, int64_t age_ms, int64_t life_ms)
{
	struct wire_msg msg = { .type = WIRE_LINK_COMMAND };
	msg.link_command.id = (struct view){ (const uint8_t *)id, strlen(id) };
	msg.link_command.sender = (struct view){ (const uint8_t *)"app-1", 5 };
	msg.link_command.device = home->lamp;
	msg.link_command.cap = CAP_ON_OFF;
	msg.link_command.value = value_bool(true);
	msg.link_command.has_counter = msg.link_command.has_times = true;
	msg.link_command.counter = counter;
	msg.link_command.issued_us = loop_wall_us(home->house.loop) - age_ms * 1000;
	msg.link_command.not_after_us = msg.link_command.issued_us + life_ms * 1000;
	return msg;
}

static const struct heard *ordered(struct home *home, const struct wire_msg *msg)
{
	size_t before = actor_count(&home->house.link, WIRE_LINK_ANSWER);
	actor_say(&home->house.link, msg);
	house_settle(&home->house);
	check_uint(actor_count(&home->house.link, WIRE_LINK_ANSWER), before + 1);
	return actor_last(&home->house.link, WIRE_LINK_ANSWER);
}

static void allow_cloud(struct home *home)
{
	const struct policy_rule rule = { .effect = POLICY_ALLOW, .who = WHO_LINK, .who_id = conf_link_number("cloud"), .risk_max = RISK_RAISED,
					  .actions = 1u << ACTION_COMMAND, .loops = 1u << LOOP_BIG, .sources = 1u << SOURCE_LINK_CLOUD };
	house_allow(&home->house, &rule);
}

static void the_cloud_needs_a_rule_and_a_lock_needs_its_own(void **state)
{
	struct home *home = *state;
	struct wire_msg msg = order(home, "a", 1, 0, 5000);
	check_int(ordered(home, &msg)->result, RESULT_DENIED);
	allow_cloud(home);
	msg = order(home, "b", 2, 0, 5000);
	check_int(ordered(home, &msg)->result, RESULT_OK);
	msg = order(home, "c", 3, 0, 5000);
	msg.link_command.device = home->lock;
	msg.link_command.cap = CAP_LOCK_STATE;
	msg.link_command.value = value_text("unlocked");
	check_int(ordered(home, &msg)->result, RESULT_DENIED);
	check_uint(actor_count(&home->house.adapter, WIRE_COMMAND), 1);
}

static void late_duplicate_and_replayed_orders_are_refused(void **state)
{
	struct home *home = *state;
	allow_cloud(home);
	struct wire_msg msg = order(home, "first", 10, 0, 5000);
	check_int(ordered(home, &msg)->result, RESULT_OK);
	check_int(ordered(home, &msg)->result, RESULT_DUPLICATE);
	msg = order(home, "again", 10, 0, 5000);
	const struct heard *answer = ordered(home, &msg);
	check_int(answer->result, RESULT_REPLAYED);
	check_text(answer->text, "last=10"); /* so that an honest sender can go on */
	msg = order(home, "older", 9, 0, 5000);
	check_int(ordered(home, &msg)->result, RESULT_REPLAYED);
	msg = order(home, "late", 11, 6000, 5000);
	check_int(ordered(home, &msg)->result, RESULT_LATE);
	msg = order(home, "future", 12, -120000, 5000);
	check_int(ordered(home, &msg)->result, RESULT_CLOCK);
	msg = order(home, "", 13, 0, 5000);
	check_int(ordered(home, &msg)->result, RESULT_MALFORMED);
	msg = order(home, "no counter", 14, 0, 5000);
	msg.link_command.has_counter = false;
	check_int(ordered(home, &msg)->result, RESULT_MALFORMED);
	check_uint(actor_count(&home->house.adapter, WIRE_COMMAND), 1);
}

static void a_counter_stays_used_after_a_restart(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	allow_cloud(home);
	struct wire_msg msg = order(home, "first", 10, 0, 60000);
	check_int(ordered(home, &msg)->result, RESULT_OK);
	house_restart(house);
	house_adapter_up(house);
	house_link_up(house);
	house_lamp(house, 1, "lamp");
	check_int(ordered(home, &msg)->result, RESULT_REPLAYED);
	/* Everything up to the mark counts as used; beyond it goes on. */
	msg = order(home, "next", 10 + REPLAY_BLOCK, 0, 60000);
	check_int(ordered(home, &msg)->result, RESULT_REPLAYED);
	msg = order(home, "beyond", 11 + REPLAY_BLOCK, 0, 60000);
	check_int(ordered(home, &msg)->result, RESULT_OK);
}

static void without_trusted_time_the_cloud_waits_and_the_house_goes_on(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	allow_cloud(home);
	time_trust_peer(router_time(house->app->router), loop_wall_us(house->loop) + INT64_C(3600) * 1000000);
	check_true(!time_is_trusted(router_time(house->app->router)));
	check_true(house_alarm(house, ALARM_CLOCK_UNTRUSTED));
	struct wire_msg msg = order(home, "a", 1, 0, 5000);
	check_int(ordered(home, &msg)->result, RESULT_CLOCK);
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
}

static void what_is_dangerous_is_recorded_before_it_happens(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct command unlock = house_set(home->lock, CAP_LOCK_STATE, value_text("unlocked"));
	check_int(house_command(house, &anna, &unlock).result, RESULT_OK);
	check_uint(house_audit(house, AUDIT_COMMAND, NULL), 2); /* the intent, the outcome */
}

static void a_deny_beats_the_owners_right(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	const struct policy_rule rule = { .effect = POLICY_DENY, .who = WHO_ANY, .what = WHAT_DEVICE, .device = home->lamp, .risk_max = RISK_HIGH,
					  .actions = 1u << ACTION_COMMAND, .loops = 3, .sources = 31 };
	int32_t id = house_allow(house, &rule);
	struct outcome outcome = house_command(house, &anna, &on);
	check_int(outcome.result, RESULT_DENIED);
	check_int(outcome.rule, id);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(an_owner_switches_a_lamp_and_it_is_on_record),
		ROW(what_is_refused_never_reaches_the_adapter),
		ROW(a_silent_adapter_is_a_timeout_and_its_late_answer_nothing),
		ROW(an_adapter_that_goes_fails_what_it_was_asked),
		ROW(the_cloud_needs_a_rule_and_a_lock_needs_its_own),
		ROW(late_duplicate_and_replayed_orders_are_refused),
		ROW(a_counter_stays_used_after_a_restart),
		ROW(without_trusted_time_the_cloud_waits_and_the_house_goes_on),
		ROW(what_is_dangerous_is_recorded_before_it_happens),
		ROW(a_deny_beats_the_owners_right),
	};
	return CHECK_RUN(rows);
}
