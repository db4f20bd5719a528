/* Simulated devices: plausible, repeatable, obedient within their ranges. */
#include "check.h"

#include "model/capability.h"
#include "sdk/gw_caps.h"
#include "sim/script.h"

static double value_of(const struct script_device *d, uint16_t cap)
{
	const struct script_model *model = script_model(d->kind);

	for (uint8_t i = 0; i < model->n_caps; i++) {
		if (model->caps[i].id == cap)
			return d->values[i];
	}
	fail_msg("no capability %u", cap);
	return 0;
}

static void models_agree_with_the_table(void **state)
{
	(void)state;
	for (int kind = 0; kind < SCRIPT_KINDS; kind++) {
		const struct script_model *model = script_model((enum script_kind)kind);
		enum script_kind got;

		check_true(model->n_caps > 0 && model->n_caps <= SCRIPT_CAPS_MAX);
		for (uint8_t i = 0; i < model->n_caps; i++) {
			const struct gwa_cap *c = &model->caps[i];
			struct capability_desc desc = { c->id,	c->type, c->access, c->unit,
							c->min, c->max,	 c->step };

			check_ok(capability_desc_check(&desc));
		}
		check_true(script_kind_parse(model->name, strlen(model->name), &got));
		check_int(got, kind);
	}
	enum script_kind kind;
	check_true(!script_kind_parse("lam", 3, &kind));
	check_true(!script_kind_parse("lamps", 5, &kind));
}

/* A year in steps of an hour: every reading stays within its capability's range. */
static void readings_stay_in_range(void **state)
{
	(void)state;
	for (int kind = 0; kind < SCRIPT_KINDS; kind++) {
		const struct script_model *model = script_model((enum script_kind)kind);
		struct script_device d;

		script_init(&d, (enum script_kind)kind, 42);
		for (int step = 0; step < 24 * 365; step++) {
			script_step(&d, 3600000);
			for (uint8_t i = 0; i < model->n_caps; i++) {
				const struct capability *row = capability_find(model->caps[i].id);

				if (row->type == VALUE_REAL)
					check_true(d.values[i] >= row->min &&
						   d.values[i] <= row->max);
			}
		}
	}
}

static void same_seed_same_readings(void **state)
{
	struct script_device a, b, other;
	int differ = 0;

	(void)state;
	script_init(&a, SCRIPT_CLIMATE, 5);
	script_init(&b, SCRIPT_CLIMATE, 5);
	script_init(&other, SCRIPT_CLIMATE, 6);
	for (int i = 0; i < 100; i++) {
		script_step(&a, 1000);
		script_step(&b, 1000);
		script_step(&other, 1000);
		check_bytes(a.values, sizeof(a.values), b.values, sizeof(b.values));
		differ += a.values[0] != other.values[0];
	}
	check_true(differ > 50);
}

static void power_and_energy(void **state)
{
	struct script_device d;
	double before;

	(void)state;
	script_init(&d, SCRIPT_PLUG, 1);
	before = value_of(&d, GWA_CAP_ENERGY);
	for (int i = 0; i < 3600; i++)
		script_step(&d, 1000);
	/* About 50 W for an hour. */
	check_near(value_of(&d, GWA_CAP_ENERGY) - before, 0.05, 0.005);
	check_near(value_of(&d, GWA_CAP_POWER),
		   value_of(&d, GWA_CAP_VOLTAGE) * value_of(&d, GWA_CAP_CURRENT), 1);
	check_int(script_set(&d, 1, GWA_CAP_ON_OFF,
			     &(struct gwa_value){ .type = GWA_T_BOOL, .v.i = 0 }),
		  GWA_OK);
	check_true(value_of(&d, GWA_CAP_POWER) < 1);
}

static void only_changes_are_marked(void **state)
{
	struct script_device d;

	(void)state;
	script_init(&d, SCRIPT_LAMP, 1);
	check_uint(d.dirty, 7);
	d.dirty = 0;
	script_step(&d, 1000);
	check_uint(d.dirty, 0);
	check_int(script_set(&d, 0, GWA_CAP_LEVEL,
			     &(struct gwa_value){ .type = GWA_T_INT, .v.i = 5 }),
		  GWA_OK);
	check_uint(d.dirty, 2);
	check_int((int)script_value(&d, 1).v.i, 5);
}

static void orders_are_checked(void **state)
{
	const struct gwa_value on = { .type = GWA_T_BOOL, .v.i = 1 },
			       low = { .type = GWA_T_INT, .v.i = 0 },
			       open = { .type = GWA_T_TEXT, .len = 8, .v.data = "unlocked" },
			       part = { .type = GWA_T_TEXT, .len = 4, .v.data = "unlocked" };
	struct script_device lamp, lock;

	(void)state;
	script_init(&lamp, SCRIPT_LAMP, 1);
	script_init(&lock, SCRIPT_LOCK, 1);
	check_int(script_set(&lamp, 2, GWA_CAP_ON_OFF, &on), GWA_UNSUPPORTED);
	check_int(script_set(&lamp, 1, GWA_CAP_LEVEL, &low), GWA_BAD_VALUE);
	check_int(script_set(&lamp, 1, GWA_CAP_LEVEL, &on), GWA_BAD_VALUE);
	check_int(script_set(&lamp, 1, GWA_CAP_LOCK_STATE, &open), GWA_UNSUPPORTED);
	check_int(script_set(&lock, 1, GWA_CAP_LOCK_STATE, &open), GWA_OK);
	check_bytes(script_value(&lock, 0).v.data, script_value(&lock, 0).len, "unlocked", 8);
	check_int(script_set(&lock, 1, GWA_CAP_LOCK_STATE, &part), GWA_BAD_VALUE);
	check_int(script_set(&lock, 1, GWA_CAP_BATTERY, &on), GWA_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(models_agree_with_the_table),
		cmocka_unit_test(readings_stay_in_range),
		cmocka_unit_test(same_seed_same_readings),
		cmocka_unit_test(power_and_energy),
		cmocka_unit_test(only_changes_are_marked),
		cmocka_unit_test(orders_are_checked),
	};

	return CHECK_RUN(rows);
}
