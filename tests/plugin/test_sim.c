/* The simulated home through the real host: its devices, what orders do to them, joining, claims,
 * faults. */
#include "child.h"

#include <signal.h>
#include <sys/wait.h>

enum { WAIT_MS = 10000 };

static int setup(void **state)
{
	struct child *c = calloc(1, sizeof(*c));

	child_init(c);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct child *c = *state;

	check_uint(c->core->n_broken, 0);
	child_deinit(c);
	free(c);
	return 0;
}

static void start(struct child *c)
{
	child_start(c, "sim");
	if (!fake_core_until(c->core, fake_core_is_synced, WAIT_MS))
		fail_msg("sim did not open: %s", c->core->opened_reason);
	fake_core_run(c->core, 50);
}

static const struct fake_report *last_report(struct child *c, const struct address *addr,
					     uint16_t cap)
{
	for (size_t i = c->core->n_reports; i > 0; i--) {
		const struct fake_report *r = &c->core->reports[i - 1];

		if (address_equal(&r->addr, addr) && r->cap == cap)
			return r;
	}
	fail_msg("no report of capability %u", cap);
	return NULL;
}

static int ask(struct child *c, const struct address *addr, uint16_t cap, struct value value)
{
	uint64_t req = fake_core_command(c->core, addr, cap, value, 2000);

	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	fake_core_run(c->core, 20);
	return fake_core_result(c->core, req);
}

static const struct device_desc *device(struct child *c, const char *name)
{
	const struct device_desc *desc = fake_core_device(c->core, name);

	if (!desc)
		fail_msg("no device %s", name);
	return desc;
}

static void five_devices_say_what_they_are(void **state)
{
	struct child *c = *state;

	start(c);
	check_uint(c->core->n_devices, 5);
	check_uint(c->core->opened_flags, 3 | 8);
	check_true(device_desc_find(device(c, "simulated lamp"), 0, CAP_COLOR_TEMPERATURE) != NULL);
	check_true(device_desc_find(device(c, "simulated plug"), 0, CAP_ENERGY) != NULL);
	check_true(device_desc_find(device(c, "simulated contact"), 0, CAP_TAMPER) != NULL);
	check_true(device(c, "simulated climate")->sleepy);
	check_true(device_desc_find(device(c, "simulated lock"), 0, CAP_LOCK_STATE)->access &
		   ACCESS_SECURE);
	/* Every reading of every capability, once. */
	check_uint(c->core->n_reports, 3 + 5 + 3 + 3 + 2);
}

static void orders(void **state)
{
	struct child *c = *state;
	const struct address *lamp, *lock;

	start(c);
	lamp = &device(c, "simulated lamp")->addr;
	lock = &device(c, "simulated lock")->addr;
	check_int(ask(c, lamp, CAP_ON_OFF, value_bool(true)), RESULT_OK);
	check_near(last_report(c, lamp, CAP_ON_OFF)->number, 1, 0);
	check_int(ask(c, lamp, CAP_LEVEL, value_int(30)), RESULT_OK);
	check_near(last_report(c, lamp, CAP_LEVEL)->number, 30, 0);
	check_int(ask(c, lamp, CAP_LEVEL, value_int(0)), RESULT_BAD_VALUE);
	check_int(ask(c, lamp, CAP_LEVEL, value_text("30")), RESULT_BAD_VALUE);
	check_int(ask(c, lamp, CAP_LOCK_STATE, value_text("locked")), RESULT_UNKNOWN_CAPABILITY);
	check_int(ask(c, lock, CAP_LOCK_STATE, value_text("unlocked")), RESULT_OK);
	check_text(last_report(c, lock, CAP_LOCK_STATE)->text, "unlocked");
	check_int(ask(c, lock, CAP_LOCK_STATE, value_text("jammed")), RESULT_BAD_VALUE);
	check_int(ask(c, lock, CAP_BATTERY, value_real(100)), RESULT_UNKNOWN_CAPABILITY);
	check_int(ask(c, &(struct address){ .len = 1 }, CAP_ON_OFF, value_bool(true)),
		  RESULT_UNREACHABLE);
}

static void a_plug_that_is_off_takes_nothing(void **state)
{
	struct child *c = *state;
	const struct address *plug;

	fake_core_option(c->core, "period_ms", "50");
	start(c);
	plug = &device(c, "simulated plug")->addr;
	check_true(last_report(c, plug, CAP_POWER)->number > 30);
	check_int(ask(c, plug, CAP_ON_OFF, value_bool(false)), RESULT_OK);
	check_true(last_report(c, plug, CAP_POWER)->number < 1);
	fake_core_run(c->core, 200);
	check_true(last_report(c, plug, CAP_POWER)->number < 1);
	check_true(last_report(c, plug, CAP_ENERGY)->number > 12.5);
}

static bool has_claim(struct fake_core *core)
{
	return core->n_claims > 0;
}

static void join_and_claim(void **state)
{
	struct child *c = *state;
	uint64_t req;

	fake_core_option(c->core, "devices", "lamp=1");
	fake_core_option(c->core, "spare", "lamp");
	fake_core_option(c->core, "claim_code", "7KQ2-M9XW-4HTZ");
	start(c);
	fake_core_run(c->core, 500);
	check_uint(c->core->n_devices, 1);
	req = fake_core_join(c->core, 60);
	check_true(fake_core_until(c->core, has_claim, WAIT_MS));
	check_int(fake_core_result(c->core, req), RESULT_OK);
	check_uint(c->core->n_devices, 2);
	check_uint(c->core->n_claims, 1);
	check_text(c->core->claim, "7KQ2-M9XW-4HTZ");
	check_true(address_equal(&device(c, "new lamp")->addr, &c->core->claim_addr));
	/* And away again. */
	req = fake_core_remove(c->core, &c->core->claim_addr);
	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	check_int(fake_core_result(c->core, req), RESULT_OK);
	check_uint(c->core->n_left, 1);
	check_int(ask(c, &c->core->claim_addr, CAP_ON_OFF, value_bool(true)), RESULT_UNREACHABLE);
}

static void a_closed_window_lets_nobody_in(void **state)
{
	struct child *c = *state;

	fake_core_option(c->core, "devices", "lamp=1");
	fake_core_option(c->core, "spare", "lock");
	start(c);
	fake_core_join(c->core, 60);
	fake_core_join(c->core, 0);
	fake_core_run(c->core, 600);
	check_uint(c->core->n_devices, 1);
}

static void same_seed_same_life(void **state)
{
	struct child *c = *state;
	double first[200];

	fake_core_option(c->core, "period_ms", "20");
	fake_core_option(c->core, "devices", "climate=2");
	fake_core_option(c->core, "seed", "7");
	for (int run = 0; run < 2; run++) {
		start(c);
		while (c->core->n_reports < 200)
			fake_core_run(c->core, 20);
		for (size_t i = 0; i < 200; i++) {
			if (run == 0)
				first[i] = c->core->reports[i].number;
			else
				check_near(c->core->reports[i].number, first[i], 0);
		}
		child_signal(c, SIGTERM);
		check_int(child_wait(c, WAIT_MS), 0);
		fake_core_forget(c->core);
	}
}

static void faults(void **state)
{
	static const struct {
		const char *key, *value;
		int want;
	} rows[] = { { "fault", "fail", RESULT_FAILED },
		     { "fault", "silent", RESULT_TIMEOUT },
		     { "slow_ms", "200", RESULT_OK } };
	struct child *c = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		c->core->n_options = 0;
		fake_core_option(c->core, rows[i].key, rows[i].value);
		start(c);
		check_int(ask(c, &device(c, "simulated lamp")->addr, CAP_ON_OFF, value_bool(true)),
			  rows[i].want);
		child_signal(c, SIGTERM);
		check_int(child_wait(c, WAIT_MS), 0);
		fake_core_forget(c->core);
	}
}

static void a_flood_is_held_back(void **state)
{
	struct child *c = *state;

	c->core->credit = 100;
	c->core->stores = false;
	fake_core_option(c->core, "fault", "flood");
	fake_core_option(c->core, "period_ms", "50");
	start(c);
	fake_core_run(c->core, 300);
	check_uint(c->core->n_reports, 100);
	check_true(c->core->notes[NOTE_FLOOD] >= 1);
}

static void misspelt_options_are_refused(void **state)
{
	struct child *c = *state;
	int status;

	fake_core_option(c->core, "perod_ms", "50");
	child_start(c, "sim");
	status = child_wait(c, WAIT_MS);
	check_true(WIFEXITED(status));
	check_int(WEXITSTATUS(status), 75);
	check_true(child_said(c, "perod_ms"));
	check_true(c->core->opened_error < 0);
}

static bool has_failed(struct fake_core *core)
{
	return core->n_joinings[JOIN_FAILED] > 0;
}

static bool has_three(struct fake_core *core)
{
	return core->n_devices == 3;
}

static void a_join_goes_by_stages(void **state)
{
	struct child *c = *state;

	fake_core_option(c->core, "devices", "lamp=1");
	fake_core_option(c->core, "spare", "lamp");
	fake_core_option(c->core, "spares", "2");
	fake_core_option(c->core, "spare_hw", "00124b0001020304");
	fake_core_option(c->core, "passkey", "047293");
	fake_core_option(c->core, "join_code", "83fe");
	fake_core_option(c->core, "join_ms", "60");
	start(c);
	fake_core_join(c->core, 60);
	check_true(fake_core_until(c->core, has_failed, WAIT_MS));
	check_text(c->core->join_text[JOIN_FAILED], "it wants its install code");
	fake_core_join_code(c->core, 60, "\x83\xfe", 2);
	check_true(fake_core_until(c->core, has_three, WAIT_MS));
	check_uint(c->core->n_joinings[JOIN_SEEN], 4);
	check_uint(c->core->n_joinings[JOIN_INTERVIEW], 2);
	check_uint(c->core->n_joinings[JOIN_PASSKEY], 2);
	check_uint(c->core->n_joinings[JOIN_READY], 2);
	check_text(c->core->join_text[JOIN_PASSKEY], "047293");
	check_true(!child_said(c, "047293"));
	check_uint(device(c, "new lamp")->endpoints[0].n_caps, 3);
}

static void a_join_may_come_to_nothing(void **state)
{
	struct child *c = *state;

	fake_core_option(c->core, "devices", "lamp=1");
	fake_core_option(c->core, "spare", "lamp");
	fake_core_option(c->core, "join_fails", "it went silent");
	fake_core_option(c->core, "join_ms", "30");
	start(c);
	fake_core_join(c->core, 60);
	check_true(fake_core_until(c->core, has_failed, WAIT_MS));
	check_text(c->core->join_text[JOIN_FAILED], "it went silent");
	check_uint(c->core->n_devices, 1);
}

static int ask_radio(struct child *c, const char *verb, const char *text, size_t len)
{
	uint64_t req = fake_core_ask(c->core, verb, text, len);

	check_true(fake_core_until(c->core, fake_core_is_answered, WAIT_MS));
	return fake_core_result(c->core, req);
}

static void its_radio_answers(void **state)
{
	struct child *c = *state;
	static char backup[WIRE_ASK_MAX];

	fake_core_option(c->core, "backup_bytes", "200000");
	start(c);
	check_int(ask_radio(c, "info", NULL, 0), RESULT_OK);
	c->core->told[c->core->n_told] = 0;
	check_true(strstr((char *)c->core->told, "\"channel\": 15") != NULL);
	check_int(ask_radio(c, "channel", "27", 2), RESULT_BAD_VALUE);
	check_int(ask_radio(c, "channel", "20", 2), RESULT_OK);
	check_int(ask_radio(c, "backup", NULL, 0), RESULT_OK);
	check_uint(c->core->n_told, 200000);
	memcpy(backup, c->core->told, 200000);
	check_int(ask_radio(c, "form", "{\"channel\": 11}", 15), RESULT_OK);
	check_int(ask_radio(c, "restore", backup, 200000), RESULT_OK);
	check_int(ask_radio(c, "restore", "{}", 2), RESULT_BAD_VALUE);
	check_int(ask_radio(c, "info", NULL, 0), RESULT_OK);
	c->core->told[c->core->n_told] = 0;
	check_true(strstr((char *)c->core->told, "\"channel\": 20") != NULL);
	check_int(ask_radio(c, "map", NULL, 0), RESULT_OK);
	check_int(ask_radio(c, "adopt", NULL, 0), RESULT_OK);
	check_int(ask_radio(c, "dance", NULL, 0), RESULT_UNKNOWN_CAPABILITY);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		CASE(five_devices_say_what_they_are),
		CASE(orders),
		CASE(a_plug_that_is_off_takes_nothing),
		CASE(join_and_claim),
		CASE(a_closed_window_lets_nobody_in),
		CASE(same_seed_same_life),
		CASE(faults),
		CASE(a_flood_is_held_back),
		CASE(a_join_goes_by_stages),
		CASE(a_join_may_come_to_nothing),
		CASE(its_radio_answers),
		CASE(misspelt_options_are_refused),
	};

	return CHECK_RUN(rows);
}
