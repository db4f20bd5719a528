/* Orders, what cannot be ordered, and what is to be asked and reported. That frames are those that others send is
 * test_zigbee_converters' business.
 */
#include "zigbee_home.h"

#include "zigbee/clusters.h"
#include "zigbee/color.h"

static int order(struct home *home, uint8_t endpoint, uint16_t cap, struct gwa_value value, struct trait_order *ret)
{
	return traits_order(&home->node, endpoint, cap, &value, ret);
}

static void the_first_endpoint_or_the_one_meant(void **state)
{
	struct home home = { 0 };
	struct trait_order made;

	(void)state;
	home_has(home_endpoint(&home, 3), 0x0402);
	home_has(home_endpoint(&home, 2), 0x0006);
	home_has(home_endpoint(&home, 1), 0x0006);
	check_ok(order(&home, 0, GWA_CAP_ON_OFF, home_bool(true), &made));
	check_uint(made.endpoint, 1);
	check_ok(order(&home, 2, GWA_CAP_ON_OFF, home_bool(true), &made));
	check_uint(made.endpoint, 2);
	check_uint(made.n, 1);
	check_true(made.said && !made.reread && !made.frames[0].general);
	check_uint(made.cluster, 0x0006);
	check_int(order(&home, 3, GWA_CAP_ON_OFF, home_bool(true), &made), TRAITS_E_NONE);
	check_int(order(&home, 9, GWA_CAP_ON_OFF, home_bool(true), &made), TRAITS_E_NONE);
	/* What is only read. */
	check_int(order(&home, 3, GWA_CAP_TEMPERATURE, home_real(20), &made), TRAITS_E_NONE);
	check_int(order(&home, 0, GWA_CAP_LOCK_STATE, home_text("locked"), &made), TRAITS_E_NONE);
}

static void what_a_cluster_cannot_say(void **state)
{
	static const struct {
		uint16_t cluster, cap;
		struct gwa_value value;
	} bad[] = {
		{ 0x0006, GWA_CAP_ON_OFF, { .type = GWA_T_INT, .v.i = 1 } },
		{ 0x0008, GWA_CAP_LEVEL, { .type = GWA_T_INT, .v.i = 101 } },
		{ 0x0008, GWA_CAP_LEVEL, { .type = GWA_T_INT, .v.i = -1 } },
		{ 0x0008, GWA_CAP_LEVEL, { .type = GWA_T_BOOL, .v.i = 1 } },
		{ 0x0300, GWA_CAP_COLOR_TEMPERATURE, { .type = GWA_T_INT, .v.i = 501 } },
		{ 0x0300, GWA_CAP_COLOR_HUE, { .type = GWA_T_INT, .v.i = 361 } },
		{ 0x0102, GWA_CAP_COVER_POSITION, { .type = GWA_T_INT, .v.i = 101 } },
		{ 0x0102, GWA_CAP_COVER_MOVE, { .type = GWA_T_TEXT, .len = 4, .v.data = "opem" } },
		{ 0x0101, GWA_CAP_LOCK_STATE, { .type = GWA_T_TEXT, .len = 6, .v.data = "jammed" } },
		{ 0x0101, GWA_CAP_LOCK_STATE, { .type = GWA_T_TEXT, .len = 0, .v.data = "" } },
		{ 0x0101, GWA_CAP_LOCK_STATE, { .type = GWA_T_TEXT, .len = 3, .v.data = NULL } },
		{ 0x0201, GWA_CAP_TARGET_TEMPERATURE, { .type = GWA_T_REAL, .v.f = 30.5 } },
		{ 0x0201, GWA_CAP_TARGET_TEMPERATURE, { .type = GWA_T_REAL, .v.f = 6.99 } },
		{ 0x0202, GWA_CAP_FAN_MODE, { .type = GWA_T_TEXT, .len = 5, .v.data = "storm" } },
	};
	struct trait_order made = { .endpoint = 77 };
	struct home home;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		home_of(&home, bad[i].cluster);
		check_int(traits_order(&home.node, 1, bad[i].cap, &bad[i].value, &made), TRAITS_E_VALUE);
		check_uint(made.endpoint, 77);
	}
}

static void what_only_heats_does_not_cool(void **state)
{
	struct trait_order made;
	struct home home;

	(void)state;
	home_of(&home, 0x0201);
	check_ok(order(&home, 1, GWA_CAP_THERMOSTAT_MODE, home_text("cool"), &made)); /* it did not say */
	home_fact(&home.endpoints[0], FACT_THERMOSTAT_MODES, 2);
	check_int(order(&home, 1, GWA_CAP_THERMOSTAT_MODE, home_text("cool"), &made), TRAITS_E_VALUE);
	check_ok(order(&home, 1, GWA_CAP_THERMOSTAT_MODE, home_text("heat"), &made));
	check_true(made.frames[0].general && made.frames[0].command == ZCL_WRITE);
	home_fact(&home.endpoints[0], FACT_THERMOSTAT_MODES, 0);
	check_int(order(&home, 1, GWA_CAP_THERMOSTAT_MODE, home_text("heat"), &made), TRAITS_E_VALUE);
	/* Whole degrees are degrees. */
	check_ok(order(&home, 1, GWA_CAP_TARGET_TEMPERATURE, home_int(21), &made));
	check_bytes(made.frames[0].payload, made.frames[0].len, "\x11\0\x29\x34\x08", 5);
}

static void a_fan_has_the_speeds_that_it_has(void **state)
{
	struct trait_order made;
	struct home home;

	(void)state;
	home_of(&home, 0x0202);
	check_ok(order(&home, 1, GWA_CAP_FAN_MODE, home_text("medium"), &made));
	check_ok(order(&home, 1, GWA_CAP_FAN_MODE, home_text("smart"), &made));
	home_fact(&home.endpoints[0], FACT_FAN_MODES, 4); /* on, auto */
	check_int(order(&home, 1, GWA_CAP_FAN_MODE, home_text("medium"), &made), TRAITS_E_VALUE);
	check_ok(order(&home, 1, GWA_CAP_FAN_MODE, home_text("auto"), &made));
	home_fact(&home.endpoints[0], FACT_FAN_MODES, 0); /* low, medium, high */
	check_int(order(&home, 1, GWA_CAP_FAN_MODE, home_text("auto"), &made), TRAITS_E_VALUE);
	check_ok(order(&home, 1, GWA_CAP_FAN_MODE, home_text("off"), &made));
}

static void some_models_want_it_otherwise(void **state)
{
	struct model model = { .quirks = MODEL_TURNED_COVER | MODEL_NO_OPTIONS };
	struct trait_order made;
	struct home home;

	(void)state;
	home_of(&home, 0x0102);
	home_has(&home.endpoints[0], 0x0008);
	check_ok(order(&home, 0, GWA_CAP_LEVEL, home_int(50), &made));
	check_uint(made.frames[0].len, 5);
	traits_know(&home.node, &model);
	check_ok(order(&home, 0, GWA_CAP_LEVEL, home_int(50), &made));
	check_bytes(made.frames[0].payload, made.frames[0].len, "\x7f\0\0", 3);
	check_ok(order(&home, 0, GWA_CAP_COVER_POSITION, home_int(30), &made));
	check_bytes(made.frames[0].payload, made.frames[0].len, "\x1e", 1);
}

static void a_bolt_is_asked_a_covering_is_waited_for(void **state)
{
	struct trait_order made;
	struct home home;

	(void)state;
	home_of(&home, 0x0101);
	check_ok(order(&home, 0, GWA_CAP_LOCK_STATE, home_text("locked"), &made));
	check_true(!made.said && made.reread && made.cluster == 0x0101 && made.attribute == 0);
	home_of(&home, 0x0102);
	check_ok(order(&home, 0, GWA_CAP_COVER_POSITION, home_int(30), &made));
	check_true(!made.said && !made.reread);
	check_bytes(made.frames[0].payload, made.frames[0].len, "\x46", 1);
}

/* A lamp without hue keeps the half that was not ordered. */
static void two_coordinates_are_ordered_together(void **state)
{
	struct color_xy xy = color_to_xy((struct color_hs){ 200, 80 });
	struct trait_order made;
	struct home home;
	struct reader r;
	struct color_hs hs;

	(void)state;
	home_of(&home, 0x0300);
	home_fact(&home.endpoints[0], FACT_COLOR_CAPABILITIES, 8);
	home_fact(&home.endpoints[0], FACT_COLOR_X, xy.x);
	home_fact(&home.endpoints[0], FACT_COLOR_Y, xy.y);
	check_ok(order(&home, 1, GWA_CAP_COLOR_SATURATION, home_int(40), &made));
	check_uint(made.frames[0].command, 0x07);
	r = reader_over(made.frames[0].payload, made.frames[0].len);
	xy.x = get_u16(&r);
	xy.y = get_u16(&r);
	hs = color_to_hs(xy);
	check_near(hs.hue, 200, 1);
	check_near(hs.saturation, 40, 1);
	check_ok(order(&home, 1, GWA_CAP_COLOR_HUE, home_int(20), &made));
	r = reader_over(made.frames[0].payload, made.frames[0].len);
	xy.x = get_u16(&r);
	xy.y = get_u16(&r);
	hs = color_to_hs(xy);
	check_near(hs.hue, 20, 1);
	check_near(hs.saturation, 80, 1);
}

static void colors_come_back(void **state)
{
	(void)state;
	for (int hue = 0; hue < 360; hue += 7) {
		for (int saturation = 20; saturation <= 100; saturation += 16) {
			struct color_hs hs = color_to_hs(color_to_xy((struct color_hs){ hue, saturation }));

			check_near((hs.hue - hue + 540) % 360 - 180, 0, 1);
			check_near(hs.saturation, saturation, 1);
		}
	}
	check_int(color_to_hs((struct color_xy){ 0, 0 }).saturation, color_to_hs((struct color_xy){ 0, 1 }).saturation);
}

static bool has_report(const struct trait_report *reports, size_t n, uint16_t cluster, uint16_t attribute, const struct trait_report **ret)
{
	for (size_t i = 0; i < n; i++) {
		if (reports[i].cluster != cluster || reports[i].attribute != attribute)
			continue;
		*ret = &reports[i];
		return true;
	}
	return false;
}

static void what_is_reported(void **state)
{
	struct trait_report reports[TRAITS_PLAN_MAX];
	const struct trait_report *report;
	struct home home;
	size_t n;

	(void)state;
	home_of(&home, 0x0402);
	home_has(home_has(home_has(&home.endpoints[0], 0x0b04), 0x0500), 0x0002);
	home.endpoints[0].out[home.endpoints[0].n_out++] = 0x0006;
	home_fact(&home.endpoints[0], FACT_POWER_MULTIPLIER, 1);
	home_fact(&home.endpoints[0], FACT_POWER_DIVISOR, 10);
	n = traits_reports(&home.endpoints[0], reports);
	check_uint(n, 6); /* temperature, three of the plug, the zone once for its three capabilities, the button */
	check_true(has_report(reports, n, 0x0402, 0, &report));
	check_true(report->min_s == 10 && report->max_s == 3600 && report->type == ZCL_INT16);
	check_near(report->change, 100, 0);
	check_true(has_report(reports, n, 0x0b04, 0x050b, &report));
	check_near(report->change, 50, 0); /* 5 W in tenths */
	check_true(has_report(reports, n, 0x0500, 2, &report));
	check_near(report->change, 0, 0);
	check_true(has_report(reports, n, 0x0006, 0, &report));
	check_true(report->bind_only);
	check_true(!has_report(reports, n, 0x0002, 0, &report)); /* asked for, not reported */
	home_of(&home, 0x040d);
	n = traits_reports(&home.endpoints[0], reports);
	check_uint(n, 1);
	check_near(reports[0].change, 0.00005, 1e-9);
}

static void what_is_asked(void **state)
{
	struct trait_attribute asked[TRAITS_PLAN_MAX];
	struct home home;

	(void)state;
	home_of(&home, 0x0300);
	check_uint(traits_facts(&home.endpoints[0], asked), 3);
	check_uint(asked[0].fact, FACT_COLOR_CAPABILITIES);
	check_uint(traits_first(&home.endpoints[0], asked), 3); /* temperature, fine hue, saturation */
	check_uint(asked[0].fact, NODE_FACTS);
	home_fact(&home.endpoints[0], FACT_COLOR_CAPABILITIES, 8);
	check_uint(traits_first(&home.endpoints[0], asked), 2); /* x, y */
	home_of(&home, 0x0502);
	check_uint(traits_first(&home.endpoints[0], asked), 0);
	check_uint(traits_facts(&home.endpoints[0], asked), 0);
}

static void facts_are_learnt(void **state)
{
	struct zcl_value value = home_value(ZCL_ENUM16, 0x15), none = home_value(ZCL_ENUM16, 0xffff), x = home_value(ZCL_UINT16, 1);
	struct home home;

	(void)state;
	home_of(&home, 0x0500);
	check_true(!traits_learn(&home.endpoints[0], 0x0500, 0x115f, 1, &value)); /* somebody's own */
	check_true(!traits_learn(&home.endpoints[0], 0x0500, 0, 2, &value));
	check_true(!traits_learn(&home.endpoints[0], 0x0500, 0, 1, &none));
	check_true(!home_can(&home, 1, GWA_CAP_CONTACT, NULL));
	check_true(traits_learn(&home.endpoints[0], 0x0500, 0, 1, &value));
	check_true(home_can(&home, 1, GWA_CAP_CONTACT, NULL));
	check_true(!traits_learn(&home.endpoints[0], 0x0500, 0, 1, &value)); /* no news */
	check_true(!traits_learn(&home.endpoints[0], 0x0300, 0, 3, &x));     /* it has no such cluster */
	home_has(&home.endpoints[0], 0x0300);
	check_true(!traits_learn(&home.endpoints[0], 0x0300, 0, 3, &x)); /* learnt, but not to be kept */
	check_int(node_fact(&home.endpoints[0], FACT_COLOR_X, 0), 1);
}

/* An endpoint that has everything, and a device of such endpoints: nothing is written past the end, and a plan has room for one. */
static void as_much_as_there_can_be(void **state)
{
	static const uint16_t all[] = { 0x0001, 0x0002, 0x0006, 0x0008, 0x000c, 0x000d, 0x000f, 0x0010, 0x0012, 0x0013, 0x0101, 0x0102, 0x0201, 0x0202,
					0x0300, 0x0400, 0x0402, 0x0403, 0x0404, 0x0405, 0x0406, 0x0408, 0x040d, 0x042a, 0x042d, 0x0500, 0x0502,
					0x0702, 0x0b04 };
	struct trait_attribute asked[TRAITS_PLAN_MAX + 1];
	struct trait_report reports[TRAITS_PLAN_MAX + 1];
	struct trait traits[TRAITS_MAX + 1];
	struct home home = { 0 };
	const struct cluster_row *row;

	(void)state;
	for (uint8_t id = NODE_ENDPOINTS_MAX; id; id--) {
		struct node_endpoint *endpoint = home_endpoint(&home, id);

		for (size_t i = 0; i < N_ELEMENTS(all); i++)
			home_has(endpoint, all[i]);
		endpoint->known = (1u << NODE_FACTS) - 1;
	}
	traits[TRAITS_MAX].endpoint = 99;
	check_uint(traits_of(&home.node, traits), TRAITS_MAX);
	check_uint(traits[TRAITS_MAX].endpoint, 99);
	check_uint(traits[0].endpoint, 1);
	asked[TRAITS_PLAN_MAX].fact = 99;
	check_true(traits_facts(&home.endpoints[0], asked) <= TRAITS_PLAN_MAX);
	check_true(traits_first(&home.endpoints[0], asked) <= TRAITS_PLAN_MAX);
	check_uint(asked[TRAITS_PLAN_MAX].fact, 99);
	reports[TRAITS_PLAN_MAX].cluster = 99;
	check_true(traits_reports(&home.endpoints[0], reports) <= TRAITS_PLAN_MAX);
	check_uint(reports[TRAITS_PLAN_MAX].cluster, 99);
	for (size_t i = 0; (row = clusters_at(i)); i++) {
		struct trait_order made = { 0 };
		struct gwa_value value = row->form == FORM_WORD || row->form == FORM_MOVE ? home_text("open") : home_int(10);

		if (!traits_order(&home.node, 0, row->cap, &value, &made))
			check_true(made.n <= TRAITS_FRAMES_MAX && made.frames[0].len <= TRAITS_PAYLOAD_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_endpoint_or_the_one_meant),
		cmocka_unit_test(what_a_cluster_cannot_say),
		cmocka_unit_test(what_only_heats_does_not_cool),
		cmocka_unit_test(a_fan_has_the_speeds_that_it_has),
		cmocka_unit_test(some_models_want_it_otherwise),
		cmocka_unit_test(a_bolt_is_asked_a_covering_is_waited_for),
		cmocka_unit_test(two_coordinates_are_ordered_together),
		cmocka_unit_test(colors_come_back),
		cmocka_unit_test(what_is_reported),
		cmocka_unit_test(what_is_asked),
		cmocka_unit_test(facts_are_learnt),
		cmocka_unit_test(as_much_as_there_can_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
