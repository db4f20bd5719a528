/* The household's rules: they fire on the edge, with their owner's rights, at most so often and so deep; one that triggers
 * itself is stopped and named. */
#include "house.h"

#include <string.h>
#include "base/text.h"

struct home {
	struct house house;
	struct device_id lamp, sensor;
};

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, "rules:\n  rate_per_minute: 5\n");
	house_people(&home->house);
	house_adapter_up(&home->house);
	home->lamp = house_lamp(&home->house, 1, "lamp");
	home->sensor = house_sensor(&home->house, 2, "sensor");
	house_bind(&home->house, home->lamp, home->house.owner);
	house_bind(&home->house, home->sensor, home->house.owner);
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

struct answer {
	bool done;
	int r;
	uint32_t id;
	char error[160];
};

static void on_done(void *ctx, int r, uint32_t id, const char *error)
{
	struct answer *answer = ctx;
	answer->done = true;
	answer->r = r;
	answer->id = id;
	text_copy(answer->error, sizeof(answer->error), error ? error : "");
}

static struct answer add(struct home *home, struct automation_rule *rule)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_AUTOMATION_ADD, .subject = { SUBJECT_USER, rule->owner } };
	rule->enabled = true;
	automation_add(router_automation(home->house.app->router), rule, &record, on_done, &answer);
	house_settle(&home->house);
	check_true(answer.done);
	value_box_deinit(&rule->threshold);
	value_box_deinit(&rule->target_value);
	return answer;
}

static void set_box(struct value_box *box, struct value value)
{
	check_ok(value_box_set(box, &value));
}

static struct automation_rule above(const struct home *home, double limit, double hysteresis)
{
	struct automation_rule rule = { .owner = home->house.owner, .name = "cool", .trigger = TRIGGER_ABOVE, .device = home->sensor, .cap = CAP_TEMPERATURE,
					.hysteresis = hysteresis, .target = home->lamp, .target_cap = CAP_ON_OFF };
	set_box(&rule.threshold, value_real(limit));
	set_box(&rule.target_value, value_bool(true));
	return rule;
}

static size_t commands(struct home *home)
{
	return actor_count(&home->house.adapter, WIRE_COMMAND);
}

static void a_threshold_fires_on_its_edge_and_again_after_the_hysteresis(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct automation_rule rule = above(home, 25, 2);
	check_ok(add(home, &rule).r);
	const struct { double value; size_t want; } steps[] = { { 30, 0 }, { 20, 0 }, { 25, 0 }, { 26, 1 }, { 27, 1 }, { 24, 1 }, { 26, 1 }, { 23, 1 }, { 25.5, 2 } };
	for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
		house_report(house, 2, CAP_TEMPERATURE, value_real(steps[i].value));
		check_uint(commands(home), steps[i].want);
	}
	check_uint(house_audit(house, AUDIT_COMMAND, NULL), 2);
}

static void a_rule_has_its_owners_rights_and_no_more(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct device_id lock = house_lock(house, 3, "lock");
	house_bind(house, lock, house->owner);
	struct automation_rule rule = above(home, 25, 0);
	rule.owner = house->other; /* a member: no lock of his own */
	rule.target = lock;
	rule.target_cap = CAP_LOCK_STATE;
	value_box_deinit(&rule.target_value);
	set_box(&rule.target_value, value_text("unlocked"));
	check_ok(add(home, &rule).r);
	house_report(house, 2, CAP_TEMPERATURE, value_real(20));
	house_report(house, 2, CAP_TEMPERATURE, value_real(30));
	check_uint(commands(home), 0);
	house_sleep(house, 61000);
	check_true(house_audit(house, AUDIT_DENIAL, NULL) >= 1);
}

static void a_rule_that_triggers_itself_is_stopped_and_named(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct automation_rule rule = { .owner = house->owner, .name = "blinker", .trigger = TRIGGER_CHANGE, .device = home->lamp, .cap = CAP_ON_OFF,
					.target = home->lamp, .target_cap = CAP_ON_OFF };
	set_box(&rule.target_value, value_text("toggle"));
	check_ok(add(home, &rule).r);
	house_report(house, 1, CAP_ON_OFF, value_bool(false));
	/* The lamp reports what it was told, each time. */
	for (int i = 0; i < 12; i++) {
		house_report(house, 1, CAP_ON_OFF, value_bool(i % 2 == 0));
		house_sleep(house, 100);
	}
	check_true(commands(home) <= AUTOMATION_DEPTH_MAX);
	check_true(automation_at(router_automation(house->app->router), 0)->stopped);
	check_true(house_alarm(house, ALARM_RULE_LOOP));
	check_uint(house_audit(house, AUDIT_AUTOMATION_STOPPED, NULL), 1);
	house_restart(house);
	check_true(automation_at(router_automation(house->app->router), 0)->stopped);
}

static void a_rule_fires_at_most_so_often(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct automation_rule rule = { .owner = house->owner, .name = "follow", .trigger = TRIGGER_CHANGE, .device = home->sensor, .cap = CAP_CONTACT,
					.target = home->lamp, .target_cap = CAP_ON_OFF };
	check_ok(add(home, &rule).r); /* no value: the triggering one */
	for (int i = 0; i < 12; i++)
		house_report(house, 2, CAP_CONTACT, value_bool(i % 2 == 0));
	check_uint(commands(home), 5);
	house_sleep(house, 61000);
	house_report(house, 2, CAP_CONTACT, value_bool(true));
	check_uint(commands(home), 6);
}

static void a_time_of_day_fires_once(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct automation_rule rule = { .owner = house->owner, .name = "evening", .trigger = TRIGGER_TIME, .days = 1u, .minute = 8 * 60 + 2, .target = home->lamp,
					.target_cap = CAP_ON_OFF };
	set_box(&rule.target_value, value_bool(true));
	check_ok(add(home, &rule).r);
	loop_set_wall_us(house->loop, HOUSE_WALL_US + 119 * INT64_C(1000000));
	house_sleep(house, 500);
	check_uint(commands(home), 0);
	loop_set_wall_us(house->loop, HOUSE_WALL_US + 121 * INT64_C(1000000));
	house_sleep(house, 5000);
	check_uint(commands(home), 1);
	house_sleep(house, 20000);
	check_uint(commands(home), 1);
}

static void what_makes_no_sense_is_refused_by_name(void **state)
{
	struct home *home = *state;
	struct automation_rule rule = above(home, 25, -1);
	struct answer answer = add(home, &rule);
	check_int(answer.r, AUTOMATION_E_RULE);
	check_true(strstr(answer.error, "hysteresis") != NULL);
	rule = above(home, 25, 0);
	text_copy(rule.name, sizeof(rule.name), "a/b");
	answer = add(home, &rule);
	check_true(strstr(answer.error, "name") != NULL);
	rule = above(home, 25, 0);
	rule.target_cap = 0;
	check_int(add(home, &rule).r, AUTOMATION_E_RULE);
	rule = above(home, 25, 0);
	check_ok(add(home, &rule).r);
	rule = above(home, 25, 0);
	check_int(add(home, &rule).r, AUTOMATION_E_RULE); /* the name is taken */
}

static void there_is_room_for_so_many(void **state)
{
	struct home *home = *state;
	for (int i = 0; i <= AUTOMATION_MAX; i++) {
		struct automation_rule rule = above(home, 25, 0);
		text_print(rule.name, sizeof(rule.name), "r%d", i);
		check_int(add(home, &rule).r, i < AUTOMATION_MAX ? 0 : AUTOMATION_E_RULE);
	}
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(a_threshold_fires_on_its_edge_and_again_after_the_hysteresis),
		ROW(a_rule_has_its_owners_rights_and_no_more),
		ROW(a_rule_that_triggers_itself_is_stopped_and_named),
		ROW(a_rule_fires_at_most_so_often),
		ROW(a_time_of_day_fires_once),
		ROW(what_makes_no_sense_is_refused_by_name),
		ROW(there_is_room_for_so_many),
	};
	return CHECK_RUN(rows);
}
