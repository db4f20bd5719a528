/* Attributes are readings, by the table: units, non-values, bits, and what an endpoint must be like for them. */
#include "zigbee_home.h"

#include <math.h>

static void says_real(uint16_t cluster, uint16_t attribute, uint8_t type, double raw, uint16_t cap, double want)
{
	struct home home;
	const struct gwa_value *value;

	home_of(&home, cluster);
	home_hears(&home, 1, cluster, attribute, type, raw);
	check_uint(home.n, 1);
	value = home_reading(&home, cap);
	check_int(value->type, GWA_T_REAL);
	if (fabs(value->v.f - want) > 1e-9 * fmax(1, fabs(want)))
		fail_msg("%04x/%04x %g: %.12g, not %.12g", cluster, attribute, raw, value->v.f, want);
}

static void says_int(uint16_t cluster, uint16_t attribute, uint8_t type, double raw, uint16_t cap, int64_t want)
{
	struct home home;

	home_of(&home, cluster);
	home_hears(&home, 1, cluster, attribute, type, raw);
	check_int(home_reading(&home, cap)->type, GWA_T_INT);
	check_int(home_reading(&home, cap)->v.i, want);
}

static void says_nothing(uint16_t cluster, uint16_t attribute, uint8_t type, double raw)
{
	struct home home;

	home_of(&home, cluster);
	home_hears(&home, 1, cluster, attribute, type, raw);
	if (home.n)
		fail_msg("%04x/%04x %g is a reading", cluster, attribute, raw);
}

static void sensors_measure(void **state)
{
	(void)state;
	says_real(0x0402, 0, ZCL_INT16, 2345, GWA_CAP_TEMPERATURE, 23.45);
	says_real(0x0402, 0, ZCL_INT16, -1, GWA_CAP_TEMPERATURE, -0.01);
	says_real(0x0405, 0, ZCL_UINT16, 4711, GWA_CAP_HUMIDITY, 47.11);
	says_real(0x0403, 0, ZCL_INT16, 1013, GWA_CAP_PRESSURE, 1013);
	says_real(0x0404, 0, ZCL_UINT16, 6, GWA_CAP_FLOW, 10);
	says_real(0x0408, 0, ZCL_UINT16, 3300, GWA_CAP_SOIL_MOISTURE, 33);
	says_real(0x040d, 0, ZCL_SINGLE, 0.0009765625, GWA_CAP_CO2, 976.5625);
	says_real(0x042a, 0, ZCL_SINGLE, 12.5, GWA_CAP_PM25, 12.5);
	says_real(0x042d, 0, ZCL_SINGLE, 7, GWA_CAP_PM10, 7);
	says_real(0x0400, 0, ZCL_UINT16, 20001, GWA_CAP_ILLUMINANCE, 100);
	says_real(0x0400, 0, ZCL_UINT16, 0, GWA_CAP_ILLUMINANCE, 0);
	says_real(0x0001, 0x21, ZCL_UINT8, 187, GWA_CAP_BATTERY, 93.5);
	says_real(0x0002, 0, ZCL_INT16, 41, GWA_CAP_DEVICE_TEMPERATURE, 41);
	says_real(0x000c, 0x55, ZCL_SINGLE, -2.5, GWA_CAP_ANALOG_INPUT, -2.5);
	says_int(0x0012, 0x55, ZCL_UINT16, 3, GWA_CAP_STATE_INPUT, 3);
}

static void what_is_none_is_no_reading(void **state)
{
	(void)state;
	says_nothing(0x0402, 0, ZCL_INT16, -32768);
	says_nothing(0x0405, 0, ZCL_UINT16, 65535);
	says_nothing(0x0405, 0, ZCL_UINT16, 10001); /* more than all */
	says_nothing(0x0400, 0, ZCL_UINT16, 65535);
	says_nothing(0x0001, 0x21, ZCL_UINT8, 255);
	says_nothing(0x0001, 0x21, ZCL_UINT8, 201);
	says_nothing(0x0008, 0, ZCL_UINT8, 255);
	says_nothing(0x0102, 8, ZCL_UINT8, 255);
	says_nothing(0x0102, 8, ZCL_UINT8, 101);
	says_nothing(0x0101, 0, ZCL_ENUM8, 255);
	says_nothing(0x0101, 0, ZCL_ENUM8, 3);
	says_nothing(0x040d, 0, ZCL_SINGLE, (double)NAN);
	says_nothing(0x042a, 0, ZCL_SINGLE, (double)INFINITY);
	says_nothing(0x0402, 1, ZCL_INT16, 2345); /* the least it can measure */
	says_nothing(0xfc01, 0, ZCL_INT16, 2345);
}

static void only_a_standard_attribute_of_an_endpoint_with_the_cluster(void **state)
{
	struct zcl_value value = home_value(ZCL_INT16, 2345), text = { .type = zcl_type_find(ZCL_STRING) };
	struct home home;

	(void)state;
	home_of(&home, 0x0402);
	check_uint(traits_attribute(&home.node, 1, 0x0402, 0, 0, &value, home.readings), 1);
	check_uint(traits_attribute(&home.node, 1, 0x0402, 0x115f, 0, &value, home.readings), 0);
	check_uint(traits_attribute(&home.node, 2, 0x0402, 0, 0, &value, home.readings), 0);
	check_uint(traits_attribute(&home.node, 1, 0x0405, 0, 0, &value, home.readings), 0);
	check_uint(traits_attribute(&home.node, 1, 0x0402, 0, 0, &text, home.readings), 0);
}

static void lamps_tell(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0006);
	home_hears(&home, 1, 0x0006, 0, ZCL_BOOL, 1);
	check_int(home_reading(&home, GWA_CAP_ON_OFF)->v.i, 1);
	home_hears(&home, 1, 0x0006, 0, ZCL_UINT8, 0); /* wrong type, right meaning */
	check_int(home_reading(&home, GWA_CAP_ON_OFF)->v.i, 0);
	says_int(0x0008, 0, ZCL_UINT8, 254, GWA_CAP_LEVEL, 100);
	says_int(0x0008, 0, ZCL_UINT8, 127, GWA_CAP_LEVEL, 50);
	says_int(0x0008, 0, ZCL_UINT8, 1, GWA_CAP_LEVEL, 1);
	says_int(0x0008, 0, ZCL_UINT8, 0, GWA_CAP_LEVEL, 0);
	says_int(0x0300, 7, ZCL_UINT16, 370, GWA_CAP_COLOR_TEMPERATURE, 370);
	says_int(0x0300, 0x4000, ZCL_UINT16, 0x8000, GWA_CAP_COLOR_HUE, 180);
	says_int(0x0300, 1, ZCL_UINT8, 254, GWA_CAP_COLOR_SATURATION, 100);
	says_nothing(0x0300, 0, ZCL_UINT8, 127); /* the finer hue counts */
	says_nothing(0x0300, 3, ZCL_UINT16, 20000);
}

static void ranges_are_the_devices_own(void **state)
{
	struct gwa_cap cap = { 0 };
	struct home home;

	(void)state;
	home_of(&home, 0x0300);
	home_has(&home.endpoints[0], 0x0201);
	check_true(home_can(&home, 1, GWA_CAP_COLOR_TEMPERATURE, &cap));
	check_true(cap.min == 150 && cap.max == 500);
	home_fact(&home.endpoints[0], FACT_MIREDS_MIN, 250);
	home_fact(&home.endpoints[0], FACT_MIREDS_MAX, 454);
	check_true(home_can(&home, 1, GWA_CAP_COLOR_TEMPERATURE, &cap));
	check_true(cap.min == 250 && cap.max == 454);
	home_fact(&home.endpoints[0], FACT_MIREDS_MAX, 65279); /* as good as nothing said */
	check_true(home_can(&home, 1, GWA_CAP_COLOR_TEMPERATURE, &cap));
	check_true(cap.min == 150 && cap.max == 500);
	home_fact(&home.endpoints[0], FACT_SETPOINT_MIN, 3000);
	home_fact(&home.endpoints[0], FACT_SETPOINT_MAX, 500);
	check_true(home_can(&home, 1, GWA_CAP_TARGET_TEMPERATURE, &cap));
	check_true(cap.min == 7000 && cap.max == 30000);
}

static void a_lamp_of_two_coordinates(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0300);
	home_fact(&home.endpoints[0], FACT_COLOR_CAPABILITIES, 8);
	home_hears(&home, 1, 0x0300, 3, ZCL_UINT16, 0.7006 * 65535);
	check_uint(home.n, 0); /* half of it */
	home_hears(&home, 1, 0x0300, 4, ZCL_UINT16, 0.2993 * 65535);
	check_int(home_reading(&home, GWA_CAP_COLOR_HUE)->v.i, 0);
	check_int(home_reading(&home, GWA_CAP_COLOR_SATURATION)->v.i, 100);
	home_hears(&home, 1, 0x0300, 3, ZCL_UINT16, 0.3227 * 65535);
	check_uint(home.n, 2);
	home_hears(&home, 1, 0x0300, 4, ZCL_UINT16, 0.329 * 65535);
	check_true(home_reading(&home, GWA_CAP_COLOR_SATURATION)->v.i <= 1);
}

static void coverings_are_turned_round(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0102);
	home_hears(&home, 1, 0x0102, 8, ZCL_UINT8, 30);
	check_int(home_reading(&home, GWA_CAP_COVER_POSITION)->v.i, 70);
	home_is_text(home_reading(&home, GWA_CAP_COVER_MOVE), "open");
	home_hears(&home, 1, 0x0102, 8, ZCL_UINT8, 100);
	check_int(home_reading(&home, GWA_CAP_COVER_POSITION)->v.i, 0);
	home_is_text(home_reading(&home, GWA_CAP_COVER_MOVE), "close");
	home_hears(&home, 1, 0x0102, 9, ZCL_UINT8, 0);
	check_uint(home.n, 1);
	check_int(home_reading(&home, GWA_CAP_COVER_TILT)->v.i, 100);
}

static void a_tilt_blind_has_no_lift(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0102);
	home_fact(&home.endpoints[0], FACT_COVER_TYPE, 7);
	check_true(!home_can(&home, 1, GWA_CAP_COVER_POSITION, NULL));
	check_true(home_can(&home, 1, GWA_CAP_COVER_TILT, NULL));
	check_true(home_can(&home, 1, GWA_CAP_COVER_MOVE, NULL));
	home_hears(&home, 1, 0x0102, 8, ZCL_UINT8, 30);
	check_uint(home.n, 0);
	home_hears(&home, 1, 0x0102, 9, ZCL_UINT8, 100);
	home_is_text(home_reading(&home, GWA_CAP_COVER_MOVE), "close");
	home_fact(&home.endpoints[0], FACT_COVER_TYPE, 0);
	check_true(!home_can(&home, 1, GWA_CAP_COVER_TILT, NULL));
	home_fact(&home.endpoints[0], FACT_COVER_TYPE, 8);
	check_true(home_can(&home, 1, GWA_CAP_COVER_TILT, NULL) && home_can(&home, 1, GWA_CAP_COVER_POSITION, NULL));
}

static void zones_say_what_they_watch(void **state)
{
	static const struct {
		uint16_t kind, cap;
		uint16_t status;
		bool want;
	} zones[] = {
		{ 0x0015, GWA_CAP_CONTACT, 0, true },	    { 0x0015, GWA_CAP_CONTACT, 1, false },
		{ 0x0015, GWA_CAP_CONTACT, 2, true },	    { 0x000d, GWA_CAP_OCCUPANCY, 1, true },
		{ 0x000d, GWA_CAP_OCCUPANCY, 2, true },	    { 0x000d, GWA_CAP_OCCUPANCY, 0xfc, false },
		{ 0x0028, GWA_CAP_SMOKE, 1, true },	    { 0x0028, GWA_CAP_SMOKE, 2, false },
		{ 0x002a, GWA_CAP_WATER_LEAK, 1, true },    { 0x002b, GWA_CAP_CARBON_MONOXIDE, 1, true },
		{ 0x002d, GWA_CAP_VIBRATION, 2, true },	    { 0x0226, GWA_CAP_VIBRATION, 1, true },
		{ 0x010f, GWA_CAP_ZONE_ALARM, 2, true },    { 0xffff, GWA_CAP_ZONE_ALARM, 1, true },
		{ 0x8000, GWA_CAP_ZONE_ALARM, 0x30, false },
	};
	struct home home;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(zones); i++) {
		home_of(&home, 0x0500);
		home_fact(&home.endpoints[0], FACT_ZONE_TYPE, zones[i].kind);
		check_true(home_can(&home, 1, zones[i].cap, NULL));
		home_hears(&home, 1, 0x0500, 2, 0x19, zones[i].status | 8);
		check_uint(home.n, 3);
		check_int(home_reading(&home, zones[i].cap)->v.i, zones[i].want);
		check_int(home_reading(&home, GWA_CAP_BATTERY_LOW)->v.i, 1);
		check_int(home_reading(&home, GWA_CAP_TAMPER)->v.i, (zones[i].status & 4) != 0);
	}
}

/* What is known of a model comes before what its endpoints say. */
static void known_quirks(void **state)
{
	static const struct {
		uint16_t zone, cap;
	} zones[] = { { ZONE_CONTACT, GWA_CAP_CONTACT }, { ZONE_MOTION, GWA_CAP_OCCUPANCY },	       { ZONE_SMOKE, GWA_CAP_SMOKE },
		      { ZONE_WATER, GWA_CAP_WATER_LEAK }, { ZONE_CARBON_MONOXIDE, GWA_CAP_CARBON_MONOXIDE }, { ZONE_GAS, GWA_CAP_GAS },
		      { ZONE_VIBRATION, GWA_CAP_VIBRATION } };
	struct model model = { .quirks = MODEL_WHOLE_BATTERY | MODEL_TURNED_COVER };
	struct home home;

	(void)state;
	home_of(&home, 0x0001);
	home_has(&home.endpoints[0], 0x0102);
	traits_know(&home.node, &model);
	home_hears(&home, 1, 0x0001, 0x21, ZCL_UINT8, 100);
	check_true(home_reading(&home, GWA_CAP_BATTERY)->v.f == 100);
	home_hears(&home, 1, 0x0102, 8, ZCL_UINT8, 30);
	check_int(home_reading(&home, GWA_CAP_COVER_POSITION)->v.i, 30);
	for (size_t i = 0; i < N_ELEMENTS(zones); i++) {
		home_of(&home, 0x0500);
		home_fact(&home.endpoints[0], FACT_ZONE_TYPE, 0x002b);
		model.quirks = (uint16_t)(zones[i].zone << MODEL_ZONE_SHIFT);
		traits_know(&home.node, &model);
		check_true(home_can(&home, 1, zones[i].cap, NULL));
		home_hears(&home, 1, 0x0500, 2, 0x19, 1);
		check_int(home_reading(&home, zones[i].cap)->v.i, zones[i].cap != GWA_CAP_CONTACT);
	}
	model.quirks = MODEL_ZONES << MODEL_ZONE_SHIFT; /* of a newer table */
	traits_know(&home.node, &model);
	check_true(home_can(&home, 1, GWA_CAP_CARBON_MONOXIDE, NULL));
}

static size_t plug_can(const struct model *model, bool meter)
{
	static const uint16_t caps[] = { GWA_CAP_ON_OFF, GWA_CAP_POWER, GWA_CAP_ENERGY, GWA_CAP_CURRENT, GWA_CAP_VOLTAGE, GWA_CAP_FREQUENCY,
					 GWA_CAP_BATTERY, GWA_CAP_BUTTON, GWA_CAP_ZONE_ALARM };
	struct home home;
	size_t can = 0;

	home_of(&home, 0x0006);
	if (meter)
		home_has(home_has(&home.endpoints[0], 0x0702), 0x0b04);
	home_has(home_has(&home.endpoints[0], 0x0001), 0x0500);
	home_fact(&home.endpoints[0], FACT_FREQUENCY_DIVISOR, 1);
	home.endpoints[0].out[home.endpoints[0].n_out++] = 0x0006;
	if (model)
		traits_know(&home.node, model);
	for (size_t i = 0; i < N_ELEMENTS(caps); i++)
		can |= (size_t)home_can(&home, 1, caps[i], NULL) << i;
	return can;
}

/* Clusters for show: what a model is known not to have goes, if all of it is understood. What the device proved, how it is, what guards
 * the home, and presses stay. */
static void phantoms_go(void **state)
{
	static const uint8_t plug[] = { GWA_CAP_ON_OFF, 0 }, meter[] = { GWA_CAP_ON_OFF, GWA_CAP_POWER, GWA_CAP_BATTERY, 0 },
			     cover[] = { GWA_CAP_COVER_POSITION, 0 }, none[] = { 0 };
	const struct model models[] = {
		{ .exposes = plug }, { .exposes = meter }, { .exposes = cover }, { .exposes = none }, { .exposes = plug, .more = true },
		{ .exposes = plug, .varies = true }, { 0 },
	};

	(void)state;
	check_uint(plug_can(NULL, true), 0x1ff);
	check_uint(plug_can(&models[0], true), 0x1f1); /* without power, energy, current */
	check_uint(plug_can(&models[1], true), 0x1f3); /* without energy, current */
	check_uint(plug_can(&models[1], false), plug_can(NULL, false)); /* its power comes another way */
	check_uint(plug_can(&models[2], true), 0x1ff); /* it moves another way: perhaps by these */
	for (size_t i = 3; i < N_ELEMENTS(models); i++)
		check_uint(plug_can(&models[i], true), 0x1ff);
}

/* Some models tell no percentage, or a wrong one: it is read from the voltage. */
static void a_cell_by_its_curve(void **state)
{
	static const struct {
		uint8_t curve, tenths, percent;
	} cells[] = { { 1, 31, 100 }, { 1, 30, 100 }, { 1, 29, 42 }, { 1, 25, 8 },  { 1, 21, 0 },    { 1, 0, 0 },    { 2, 30, 100 },
		      { 2, 20, 50 },  { 2, 10, 0 },   { 3, 28, 60 }, { 3, 24, 0 },  { 3, 31, 100 },  { 4, 29, 33 },  { 6, 36, 50 },
		      { 7, 29, 78 },  { 10, 27, 67 }, { 11, 54, 50 }, { 15, 61, 50 } };
	struct home home;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cells); i++) {
		struct model model = { .quirks = (uint16_t)(cells[i].curve << MODEL_CURVE_SHIFT) };

		home_of(&home, 0x0001);
		traits_know(&home.node, &model);
		home_hears(&home, 1, 0x0001, 0x20, ZCL_UINT8, cells[i].tenths);
		check_uint(home.n, 2);
		check_near(home_reading(&home, GWA_CAP_BATTERY)->v.f, cells[i].percent, 0);
		check_near(home_reading(&home, GWA_CAP_VOLTAGE)->v.f, cells[i].tenths / 10.0, 1e-9);
		home_hears(&home, 1, 0x0001, 0x21, ZCL_UINT8, 200);
		check_uint(home.n, 0);
		check_true(home_can(&home, 1, GWA_CAP_BATTERY, NULL));
	}
}

static void a_battery_tells_what_it_has(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0001);
	check_true(home_can(&home, 1, GWA_CAP_BATTERY, NULL));
	check_true(!home_can(&home, 1, GWA_CAP_VOLTAGE, NULL));
	check_true(!home_can(&home, 1, GWA_CAP_BATTERY_LOW, NULL));
	home_hears(&home, 1, 0x0001, 0x20, ZCL_UINT8, 31);
	check_true(fabs(home_reading(&home, GWA_CAP_VOLTAGE)->v.f - 3.1) < 1e-9);
	home_hears(&home, 1, 0x0001, 0x3e, 0x1b, 1u << 11);
	check_int(home_reading(&home, GWA_CAP_BATTERY_LOW)->v.i, 1);
	home_hears(&home, 1, 0x0001, 0x3e, 0x1b, 1u << 30);
	check_int(home_reading(&home, GWA_CAP_BATTERY_LOW)->v.i, 0);
	check_true(home_can(&home, 1, GWA_CAP_VOLTAGE, NULL) && home_can(&home, 1, GWA_CAP_BATTERY_LOW, NULL));
	/* A plug's own voltage is not its battery's, and a zone says low itself. */
	home_has(home_has(&home.endpoints[0], 0x0b04), 0x0500);
	home_hears(&home, 1, 0x0001, 0x20, ZCL_UINT8, 31);
	check_uint(home.n, 0);
	home_hears(&home, 1, 0x0001, 0x3e, 0x1b, 1);
	check_uint(home.n, 0);
}

static void meters_count_in_their_unit(void **state)
{
	struct home home;
	struct node_endpoint *e;

	(void)state;
	home_of(&home, 0x0702);
	e = &home.endpoints[0];
	/* Without a divisor: as it stands. */
	home_hears(&home, 1, 0x0702, 0, 0x25, 12);
	check_true(home_reading(&home, GWA_CAP_ENERGY)->v.f == 12);
	home_hears(&home, 1, 0x0702, 0x400, 0x2a, 60);
	check_true(home_reading(&home, GWA_CAP_POWER)->v.f == 60);
	home_hears(&home, 1, 0x0702, 0x301, 0x22, 1);
	home_hears(&home, 1, 0x0702, 0x302, 0x22, 1000);
	home_hears(&home, 1, 0x0702, 0, 0x25, 12345);
	check_true(fabs(home_reading(&home, GWA_CAP_ENERGY)->v.f - 12.345) < 1e-9);
	home_hears(&home, 1, 0x0702, 0x400, 0x2a, -60);
	check_true(fabs(home_reading(&home, GWA_CAP_POWER)->v.f + 60) < 1e-9);
	home_hears(&home, 1, 0x0702, 0, 0x25, 281474976710655.0);
	check_uint(home.n, 0);
	home_fact(e, FACT_METER_UNIT, 0x01);
	home_fact(e, FACT_METER_DEVICE, 2);
	check_true(!home_can(&home, 1, GWA_CAP_ENERGY, NULL));
	home_hears(&home, 1, 0x0702, 0, 0x25, 1500);
	check_true(fabs(home_reading(&home, GWA_CAP_WATER)->v.f - 1500) < 1e-6);
	home_fact(e, FACT_METER_DEVICE, 1);
	home_hears(&home, 1, 0x0702, 0, 0x25, 1500);
	check_true(fabs(home_reading(&home, GWA_CAP_GAS_VOLUME)->v.f - 1.5) < 1e-6);
	home_fact(e, FACT_METER_UNIT, 0x0a); /* a temperature: no amount of anything */
	home_hears(&home, 1, 0x0702, 0, 0x25, 1500);
	check_uint(home.n, 0);
}

static void a_plug_measures(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0b04);
	home_hears(&home, 1, 0x0b04, 0x604, ZCL_UINT16, 1);
	home_hears(&home, 1, 0x0b04, 0x605, ZCL_UINT16, 10);
	home_hears(&home, 1, 0x0b04, 0x200, ZCL_UINT16, 7); /* of the other current: not believed */
	home_hears(&home, 1, 0x0b04, 0x50b, ZCL_INT16, 421);
	check_true(fabs(home_reading(&home, GWA_CAP_POWER)->v.f - 42.1) < 1e-9);
	home_hears(&home, 1, 0x0b04, 0x505, ZCL_UINT16, 231);
	check_true(home_reading(&home, GWA_CAP_VOLTAGE)->v.f == 231);
	home_hears(&home, 1, 0x0b04, 0x106, ZCL_INT16, 5);
	check_uint(home.n, 0);
	check_true(!home_can(&home, 1, GWA_CAP_FREQUENCY, NULL));
	home_hears(&home, 1, 0x0b04, 0x401, ZCL_UINT16, 100);
	home_hears(&home, 1, 0x0b04, 0x300, ZCL_UINT16, 4998);
	check_true(fabs(home_reading(&home, GWA_CAP_FREQUENCY)->v.f - 49.98) < 1e-9);
	home_hears(&home, 1, 0x0b04, 0x510, ZCL_INT8, 97);
	check_true(fabs(home_reading(&home, GWA_CAP_POWER_FACTOR)->v.f - 0.97) < 1e-9);
	home_fact(&home.endpoints[0], FACT_ELECTRICAL_TYPE, 0x40);
	home_hears(&home, 1, 0x0b04, 0x103, ZCL_INT16, 5);
	check_true(home_reading(&home, GWA_CAP_CURRENT)->v.f == 5);
	home_hears(&home, 1, 0x0b04, 0x50b, ZCL_INT16, 421);
	check_uint(home.n, 0);
}

static void thermostats_heat_or_cool(void **state)
{
	struct home home;
	struct gwa_cap cap = { 0 };

	(void)state;
	home_of(&home, 0x0201);
	home_hears(&home, 1, 0x0201, 0, ZCL_INT16, 2110);
	check_true(fabs(home_reading(&home, GWA_CAP_TEMPERATURE)->v.f - 21.1) < 1e-9);
	home_hears(&home, 1, 0x0201, 0x12, ZCL_INT16, 2050);
	check_true(fabs(home_reading(&home, GWA_CAP_TARGET_TEMPERATURE)->v.f - 20.5) < 1e-9);
	home_hears(&home, 1, 0x0201, 0x1c, ZCL_ENUM8, 4);
	home_is_text(home_reading(&home, GWA_CAP_THERMOSTAT_MODE), "heat");
	home_hears(&home, 1, 0x0201, 0x1c, ZCL_ENUM8, 2); /* no such mode */
	check_uint(home.n, 0);
	check_true(home_can(&home, 1, GWA_CAP_TARGET_TEMPERATURE, &cap));
	check_int(cap.min, 7000);
	check_int(cap.max, 30000);
	home_hears(&home, 1, 0x0201, 3, ZCL_INT16, 500);
	home_hears(&home, 1, 0x0201, 4, ZCL_INT16, 3500);
	check_true(home_can(&home, 1, GWA_CAP_TARGET_TEMPERATURE, &cap));
	check_int(cap.min, 5000);
	check_int(cap.max, 35000);
	home_fact(&home.endpoints[0], FACT_THERMOSTAT_MODES, 0);
	home_hears(&home, 1, 0x0201, 0x12, ZCL_INT16, 2050);
	check_uint(home.n, 0);
	home_hears(&home, 1, 0x0201, 0x11, ZCL_INT16, 2600);
	check_true(home_reading(&home, GWA_CAP_TARGET_TEMPERATURE)->v.f == 26);
	home_fact(&home.endpoints[0], FACT_THERMOSTAT_MODES, 5);
	home_hears(&home, 1, 0x0201, 0x11, ZCL_INT16, 2600);
	check_true(home_reading(&home, GWA_CAP_TARGET_COOLING)->v.f == 26);
	/* With a thermometer of its own that one counts. */
	home_has(&home.endpoints[0], 0x0402);
	home_hears(&home, 1, 0x0201, 0, ZCL_INT16, 2110);
	check_uint(home.n, 0);
}

static void locks_doors_fans(void **state)
{
	struct home home;

	(void)state;
	home_of(&home, 0x0101);
	home_hears(&home, 1, 0x0101, 0, ZCL_ENUM8, 1);
	home_is_text(home_reading(&home, GWA_CAP_LOCK_STATE), "locked");
	home_hears(&home, 1, 0x0101, 0, ZCL_ENUM8, 0);
	home_is_text(home_reading(&home, GWA_CAP_LOCK_STATE), "jammed");
	check_true(!home_can(&home, 1, GWA_CAP_DOOR_STATE, NULL));
	home_hears(&home, 1, 0x0101, 3, ZCL_ENUM8, 5);
	home_is_text(home_reading(&home, GWA_CAP_DOOR_STATE), "ajar");
	home_hears(&home, 1, 0x0101, 3, ZCL_ENUM8, 4);
	check_uint(home.n, 0);
	home_of(&home, 0x0202);
	home_hears(&home, 1, 0x0202, 0, ZCL_ENUM8, 6);
	home_is_text(home_reading(&home, GWA_CAP_FAN_MODE), "smart");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sensors_measure),
		cmocka_unit_test(what_is_none_is_no_reading),
		cmocka_unit_test(only_a_standard_attribute_of_an_endpoint_with_the_cluster),
		cmocka_unit_test(lamps_tell),
		cmocka_unit_test(ranges_are_the_devices_own),
		cmocka_unit_test(a_lamp_of_two_coordinates),
		cmocka_unit_test(coverings_are_turned_round),
		cmocka_unit_test(a_tilt_blind_has_no_lift),
		cmocka_unit_test(zones_say_what_they_watch),
		cmocka_unit_test(known_quirks),
		cmocka_unit_test(phantoms_go),
		cmocka_unit_test(a_cell_by_its_curve),
		cmocka_unit_test(a_battery_tells_what_it_has),
		cmocka_unit_test(meters_count_in_their_unit),
		cmocka_unit_test(a_plug_measures),
		cmocka_unit_test(thermostats_heat_or_cool),
		cmocka_unit_test(locks_doors_fans),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
