/* The table, and nothing but the table: what an attribute is, when it counts, how often it is to be reported. Intervals and changes
 * follow what zigbee-herdsman-converters asks devices for; coarser where a log scale or a unit would make a device talk all day.
 */
#include "zigbee/clusters.h"

#include <string.h>
#include "sdk/gw_adapter.h"
#include "sdk/gw_caps.h"
#include "zigbee/zcl.h"

enum {
	R = GWA_A_READ | GWA_A_REPORT,
	RW = GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT,
	RS = GWA_A_READ | GWA_A_REPORT | GWA_A_SECURE,
	RWS = GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT | GWA_A_SECURE,
	HOUR = 3600,
	DAY = 65000, /* nearly: what devices take */
	UINT24 = 0x22,
	UINT48 = 0x25,
	INT24 = 0x2a,
	MAP16 = 0x19,
	MAP32 = 0x1b,
	GAS_ZONE = 0xfffe, /* of ours: the standard has no such type, makers take that of carbon monoxide */
	BATTERY_ALARM = 0x0f | 0x0f << 10 | 0x0f << 20, /* the lowest thresholds of three batteries */
};

#define PLAIN NODE_FACTS, NODE_FACTS
/* cluster, attribute, type, capability, access | form, argument, scale | when, its argument | least s, most s, change */
#define ROW(cl, at, ty, cap, acc, form, arg, scale, when, arg2, min, max, change)                                                      \
	{ cl, at, GWA_CAP_##cap, min, max, ty, acc, FORM_##form, WHEN_##when, PLAIN, arg2, arg, scale, change }
/* The same with what the number is multiplied and divided by. */
#define SCALED(cl, at, ty, cap, fact, scale, when, min, max, change)                                                                   \
	{ cl, at, GWA_CAP_##cap, min, max, ty, R, FORM_NUMBER, WHEN_##when, FACT_##fact##_MULTIPLIER, FACT_##fact##_DIVISOR, 0, 0,       \
	  scale, change }
#define MEASURED(cl, ty, cap, scale, change) ROW(cl, 0x0000, ty, cap, R, NUMBER, 0, scale, ALWAYS, 0, 10, HOUR, change)
#define ZONE(cap, form, mask, zone_type) ROW(CLUSTER_ZONE, 0x0002, MAP16, cap, R, form, mask, 1, ZONE, zone_type, 0, HOUR, 0)
#define PORT(cl, ty, cap, acc, form, change) ROW(cl, 0x0055, ty, cap, acc, form, 0, 1, ALWAYS, 0, 0, DAY, change)

static const struct cluster_row rows[] = {
	ROW(CLUSTER_POWER, 0x0021, ZCL_UINT8, BATTERY, R, NUMBER, 0, 0.5, NO_CURVE, 0, HOUR, DAY, 10),
	ROW(CLUSTER_POWER, 0x0020, ZCL_UINT8, BATTERY, R, CELL, 0, 0.1, CURVE, 0, HOUR, DAY, 1),
	ROW(CLUSTER_POWER, 0x0020, ZCL_UINT8, VOLTAGE, R, NUMBER, 0, 0.1, BATTERY, FACT_BATTERY_VOLTAGE, HOUR, DAY, 1),
	ROW(CLUSTER_POWER, 0x003e, MAP32, BATTERY_LOW, R, BITS, BATTERY_ALARM, 1, NO_ZONE, FACT_BATTERY_ALARM, HOUR, DAY, 0),
	ROW(CLUSTER_DEVICE_TEMPERATURE, 0x0000, ZCL_INT16, DEVICE_TEMPERATURE, R, NUMBER, 0, 1, ALWAYS, 0, 0, 0, 0),

	ROW(CLUSTER_ON_OFF, 0x0000, ZCL_BOOL, ON_OFF, RW, TRUTH, 0, 1, ALWAYS, 0, 0, DAY, 0),
	ROW(CLUSTER_LEVEL, 0x0000, ZCL_UINT8, LEVEL, RW, SHARE, 0, 1, ALWAYS, 0, 5, DAY, 1),
	ROW(CLUSTER_COLOR, 0x0007, ZCL_UINT16, COLOR_TEMPERATURE, RW, WHOLE, 0, 1, COLOR_TEMPERATURE, 0, 10, DAY, 1),
	ROW(CLUSTER_COLOR, 0x0000, ZCL_UINT8, COLOR_HUE, RW, TURN, 0, 1, HUE, 0, 10, DAY, 1),
	ROW(CLUSTER_COLOR, 0x4000, ZCL_UINT16, COLOR_HUE, RW, TURN16, 0, 1, HUE16, 0, 10, DAY, 182),
	ROW(CLUSTER_COLOR, 0x0001, ZCL_UINT8, COLOR_SATURATION, RW, SHARE, 0, 1, SATURATION, 0, 10, DAY, 1),
	ROW(CLUSTER_COLOR, 0x0003, ZCL_UINT16, COLOR_HUE, RW, COLOR, 0, 1, XY, 0, 10, DAY, 1),
	ROW(CLUSTER_COLOR, 0x0004, ZCL_UINT16, COLOR_SATURATION, RW, COLOR, 0, 1, XY, 0, 10, DAY, 1),

	ROW(CLUSTER_ANALOG_INPUT, 0x0055, ZCL_SINGLE, ANALOG_INPUT, R, NUMBER, 0, 1, ALWAYS, 0, 10, DAY, 1),
	ROW(CLUSTER_ANALOG_OUTPUT, 0x0055, ZCL_SINGLE, ANALOG_OUTPUT, RW, NUMBER, 0, 1, ALWAYS, 0, 10, DAY, 1),
	PORT(CLUSTER_BINARY_INPUT, ZCL_BOOL, INPUT, R, TRUTH, 0),
	PORT(CLUSTER_BINARY_OUTPUT, ZCL_BOOL, OUTPUT, RW, TRUTH, 0),
	PORT(CLUSTER_MULTISTATE_INPUT, ZCL_UINT16, STATE_INPUT, R, WHOLE, 1),
	PORT(CLUSTER_MULTISTATE_OUTPUT, ZCL_UINT16, STATE_OUTPUT, RW, WHOLE, 1),

	ROW(CLUSTER_LOCK, 0x0000, ZCL_ENUM8, LOCK_STATE, RWS, WORD, WORDS_LOCK, 1, ALWAYS, 0, 0, HOUR, 0),
	ROW(CLUSTER_LOCK, 0x0003, ZCL_ENUM8, DOOR_STATE, RS, WORD, WORDS_DOOR, 1, KNOWN, FACT_DOOR_STATE, 0, HOUR, 0),
	ROW(CLUSTER_COVERING, 0x0008, ZCL_UINT8, COVER_POSITION, RW, OPEN, 0, 1, LIFT, 0, 1, DAY, 1),
	ROW(CLUSTER_COVERING, 0x0009, ZCL_UINT8, COVER_TILT, RW, OPEN, 0, 1, TILT, 0, 1, DAY, 1),
	ROW(CLUSTER_COVERING, 0x0008, ZCL_UINT8, COVER_MOVE, RW, MOVE, 0, 1, LIFT, 0, 1, DAY, 1),
	ROW(CLUSTER_COVERING, 0x0009, ZCL_UINT8, COVER_MOVE, RW, MOVE, 0, 1, TILT_ONLY, 0, 1, DAY, 1),

	ROW(CLUSTER_THERMOSTAT, 0x0000, ZCL_INT16, TEMPERATURE, R, NUMBER, 0, 0.01, NO_THERMOMETER, 0, 0, HOUR, 10),
	ROW(CLUSTER_THERMOSTAT, 0x0012, ZCL_INT16, TARGET_TEMPERATURE, RW, NUMBER, 0, 0.01, HEATS, 0, 0, HOUR, 10),
	ROW(CLUSTER_THERMOSTAT, 0x0011, ZCL_INT16, TARGET_TEMPERATURE, RW, NUMBER, 0, 0.01, COOLS_ONLY, 0, 0, HOUR, 10),
	ROW(CLUSTER_THERMOSTAT, 0x0011, ZCL_INT16, TARGET_COOLING, RW, NUMBER, 0, 0.01, HEATS_AND_COOLS, 0, 0, HOUR, 10),
	ROW(CLUSTER_THERMOSTAT, 0x001c, ZCL_ENUM8, THERMOSTAT_MODE, RW, WORD, WORDS_MODE, 1, ALWAYS, 0, 0, HOUR, 0),
	ROW(CLUSTER_FAN, 0x0000, ZCL_ENUM8, FAN_MODE, RW, WORD, WORDS_FAN, 1, ALWAYS, 0, 0, HOUR, 0),

	ROW(CLUSTER_ILLUMINANCE, 0x0000, ZCL_UINT16, ILLUMINANCE, R, LUX, 0, 1, ALWAYS, 0, 10, HOUR, 500),
	MEASURED(CLUSTER_TEMPERATURE, ZCL_INT16, TEMPERATURE, 0.01, 100),
	MEASURED(CLUSTER_PRESSURE, ZCL_INT16, PRESSURE, 1, 1),
	MEASURED(CLUSTER_FLOW, ZCL_UINT16, FLOW, 100.0 / 60.0, 10),
	MEASURED(CLUSTER_HUMIDITY, ZCL_UINT16, HUMIDITY, 0.01, 100),
	MEASURED(CLUSTER_SOIL_MOISTURE, ZCL_UINT16, SOIL_MOISTURE, 0.01, 100),
	MEASURED(CLUSTER_CO2, ZCL_SINGLE, CO2, 1e6, 0.00005),
	MEASURED(CLUSTER_PM25, ZCL_SINGLE, PM25, 1, 1),
	MEASURED(CLUSTER_PM10, ZCL_SINGLE, PM10, 1, 1),
	ROW(CLUSTER_OCCUPANCY, 0x0000, ZCL_MAP8, OCCUPANCY, R, BITS, 1, 1, ALWAYS, 0, 0, HOUR, 0),

	/* ZCL 8.2.2.2.1.2: zone types; 8.2.2.2.1.3: bit 0 alarm 1, 1 alarm 2, 2 tamper, 3 battery. */
	ZONE(OCCUPANCY, BITS, 3, 0x000d),
	ZONE(CONTACT, NO_BITS, 1, 0x0015),
	ZONE(SMOKE, BITS, 1, 0x0028),
	ZONE(WATER_LEAK, BITS, 1, 0x002a),
	ZONE(CARBON_MONOXIDE, BITS, 1, 0x002b),
	ZONE(VIBRATION, BITS, 3, 0x002d),
	ZONE(VIBRATION, BITS, 1, 0x0226), /* glass */
	ZONE(GAS, BITS, 3, GAS_ZONE),
	ROW(CLUSTER_ZONE, 0x0002, MAP16, ZONE_ALARM, R, BITS, 3, 1, ZONE_OTHER, 0, 0, HOUR, 0),
	ROW(CLUSTER_ZONE, 0x0002, MAP16, TAMPER, R, BITS, 4, 1, ALWAYS, 0, 0, HOUR, 0),
	ROW(CLUSTER_ZONE, 0x0002, MAP16, BATTERY_LOW, R, BITS, 8, 1, ALWAYS, 0, 0, HOUR, 0),
	ROW(CLUSTER_WARNING, ATTRIBUTE_NONE, ZCL_NO_DATA, SIREN, RWS, ORDER, 0, 1, ALWAYS, 0, 0, 0, 0),

	SCALED(CLUSTER_METERING, 0x0000, UINT48, ENERGY, METER, 1, ENERGY, 10, DAY, 0.1),
	SCALED(CLUSTER_METERING, 0x0400, INT24, POWER, METER, 1000, DEMAND, 10, DAY, 5),
	{ CLUSTER_METERING, 0x0000, GWA_CAP_WATER, 10, DAY, UINT48, R, FORM_METER, WHEN_WATER, FACT_METER_MULTIPLIER, FACT_METER_DIVISOR,
	  0, 0, 1, 1 },
	{ CLUSTER_METERING, 0x0000, GWA_CAP_GAS_VOLUME, 10, DAY, UINT48, R, FORM_METER, WHEN_GAS, FACT_METER_MULTIPLIER,
	  FACT_METER_DIVISOR, 0, 0, 0.001, 0.01 },
	SCALED(CLUSTER_ELECTRICAL, 0x050b, ZCL_INT16, POWER, POWER, 1, AC, 10, DAY, 5),
	SCALED(CLUSTER_ELECTRICAL, 0x0505, ZCL_UINT16, VOLTAGE, VOLTAGE, 1, AC, 10, DAY, 5),
	SCALED(CLUSTER_ELECTRICAL, 0x0508, ZCL_UINT16, CURRENT, CURRENT, 1, AC, 10, DAY, 0.05),
	{ CLUSTER_ELECTRICAL, 0x0300, GWA_CAP_FREQUENCY, 10, DAY, ZCL_UINT16, R, FORM_NUMBER, WHEN_KNOWN, FACT_FREQUENCY_MULTIPLIER,
	  FACT_FREQUENCY_DIVISOR, FACT_FREQUENCY_DIVISOR, 0, 1, 1 },
	ROW(CLUSTER_ELECTRICAL, 0x0510, ZCL_INT8, POWER_FACTOR, R, NUMBER, 0, 0.01, KNOWN, FACT_POWER_FACTOR, 10, DAY, 10),
	SCALED(CLUSTER_ELECTRICAL, 0x0106, ZCL_INT16, POWER, POWER, 1, DC, 10, DAY, 5),
	SCALED(CLUSTER_ELECTRICAL, 0x0100, ZCL_INT16, VOLTAGE, VOLTAGE, 1, DC, 10, DAY, 0.1),
	SCALED(CLUSTER_ELECTRICAL, 0x0103, ZCL_INT16, CURRENT, CURRENT, 1, DC, 10, DAY, 0.05),
};

static const uint16_t pressed[] = { CLUSTER_SCENES, CLUSTER_ON_OFF, CLUSTER_LEVEL, CLUSTER_COVERING, CLUSTER_COLOR, CLUSTER_ACE };

/* By the cluster's own number; "" is a number that has no word of ours. */
static const char words[CLUSTER_WORDS][10][16] = {
	[WORDS_LOCK] = { "jammed", "locked", "unlocked" },
	[WORDS_DOOR] = { "open", "closed", "jammed", "forced-open", "", "ajar" },
	[WORDS_MODE] = { "off", "auto", "", "cool", "heat", "emergency-heat", "precooling", "fan-only", "dry", "sleep" },
	[WORDS_FAN] = { "off", "low", "medium", "high", "on", "auto", "smart" },
};

const struct cluster_row *clusters_at(size_t i)
{
	return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}

uint16_t clusters_pressed_at(size_t i)
{
	return i < N_ELEMENTS(pressed) ? pressed[i] : 0;
}

bool clusters_is_pressed(const struct node_endpoint *endpoint)
{
	for (size_t i = 0; i < N_ELEMENTS(pressed); i++) {
		if (node_has_out(endpoint, pressed[i]))
			return true;
	}
	return false;
}

const char *clusters_word(enum cluster_words list, uint64_t number)
{
	return number < N_ELEMENTS(words[list]) && words[list][number][0] ? words[list][number] : NULL;
}

int clusters_number(enum cluster_words list, const void *word, size_t len)
{
	for (size_t i = 0; len && i < N_ELEMENTS(words[list]); i++) {
		if (strlen(words[list][i]) == len && memcmp(words[list][i], word, len) == 0)
			return (int)i;
	}
	return -1;
}

/* ZCL 5.2.2.2.1.11, colour capabilities: bit 0 hue, 1 enhanced hue, 3 xy, 4 temperature. Whoever does not say may have all. */
static bool color_has(const struct node_endpoint *endpoint, unsigned mask)
{
	return (unsigned)node_fact(endpoint, FACT_COLOR_CAPABILITIES, 0x1f) & mask;
}

/* ZCL 7.4.2.1.1: 6 shutter, 7 and 8 tilt blinds; 8 lifts as well. */
static bool cover_has(const struct node_endpoint *endpoint, bool tilt)
{
	int32_t kind = node_fact(endpoint, FACT_COVER_TYPE, -1);

	return kind < 0 || kind == 6 || kind > 9 || (tilt ? kind == 7 || kind == 8 : kind != 7);
}

/* ZCL 6.3.2.2.1.21, control sequence: 0 and 1 cool, 2 and 3 heat, 4 and 5 both. */
static bool is_sequence(const struct node_endpoint *endpoint, int32_t first)
{
	int32_t sequence = node_fact(endpoint, FACT_THERMOSTAT_MODES, 2);

	if (sequence < 0 || sequence > 5)
		sequence = 2;
	return sequence == first || sequence == first + 1;
}

static bool is_direct_current(const struct node_endpoint *endpoint)
{
	return node_fact(endpoint, FACT_ELECTRICAL_TYPE, 0) & 0x40 && !node_has_in(endpoint, CLUSTER_METERING);
}

static bool zone_is_listed(uint16_t kind)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].when == WHEN_ZONE && rows[i].arg2 == kind)
			return true;
	}
	return false;
}

/* ZCL 10.4.2.2.4.1 and 10.4.2.2.4.7: unit (bit 7: as decimals) and what is metered. */
double clusters_meter_unit(const struct node_endpoint *endpoint)
{
	static const struct {
		uint8_t unit;
		double size;
	} units[] = { { 0x00, 1 }, { 0x01, 1000 }, { 0x02, 28.316847 }, { 0x03, 2831.6847 }, { 0x04, 3.785411784 },
		      { 0x05, 4.54609 }, { 0x06, 0.00029307107 }, { 0x07, 1 }, { 0x0c, 1 / 3.6 } };
	uint8_t unit = node_fact(endpoint, FACT_METER_UNIT, 0) & 0x7f;

	for (size_t i = 0; i < N_ELEMENTS(units); i++) {
		if (units[i].unit == unit)
			return units[i].size;
	}
	return 0;
}

static bool is_volume(const struct node_endpoint *endpoint)
{
	uint8_t unit = node_fact(endpoint, FACT_METER_UNIT, 0) & 0x7f;

	return (unit >= 0x01 && unit <= 0x05) || unit == 0x07;
}

static bool is_gas(const struct node_endpoint *endpoint)
{
	return node_fact(endpoint, FACT_METER_DEVICE, 2) == 1;
}

bool clusters_has_quirk(const struct node_endpoint *endpoint, enum model_flag flag)
{
	return node_fact(endpoint, FACT_QUIRKS, 0) & (int32_t)flag;
}

uint8_t clusters_curve(const struct node_endpoint *endpoint)
{
	return (uint8_t)((uint32_t)node_fact(endpoint, FACT_QUIRKS, 0) >> MODEL_CURVE_SHIFT & 15);
}

/* What the model is known to watch comes before what the device says. */
static uint16_t zone_kind(const struct node_endpoint *endpoint)
{
	static const uint16_t kinds[MODEL_ZONES] = { [ZONE_CONTACT] = 0x0015, [ZONE_MOTION] = 0x000d, [ZONE_SMOKE] = 0x0028,
						     [ZONE_WATER] = 0x002a, [ZONE_CARBON_MONOXIDE] = 0x002b, [ZONE_GAS] = GAS_ZONE,
						     [ZONE_VIBRATION] = 0x002d };
	uint32_t zone = (uint32_t)node_fact(endpoint, FACT_QUIRKS, 0) >> MODEL_ZONE_SHIFT & 15;

	return zone && zone < MODEL_ZONES ? kinds[zone] : (uint16_t)node_fact(endpoint, FACT_ZONE_TYPE, 0xffff);
}

static bool is_known(const struct node_endpoint *endpoint, uint16_t fact)
{
	return endpoint->known & 1u << fact;
}

double clusters_factor(const struct cluster_row *row, const struct node_endpoint *endpoint)
{
	double multiplier, divisor;

	if (row->multiplier == NODE_FACTS)
		return 1;
	multiplier = node_fact(endpoint, row->multiplier, 0);
	divisor = node_fact(endpoint, row->divisor, 0);
	/* A frequency's multiplier is often left out. */
	if (row->cap == GWA_CAP_FREQUENCY && !is_known(endpoint, row->multiplier))
		multiplier = 1;
	return multiplier > 0 && divisor > 0 ? multiplier / divisor : 1;
}

static bool lamp_or_cover(enum cluster_when when, const struct node_endpoint *endpoint)
{
	bool hue = color_has(endpoint, 3);

	switch ((int)when) {
	case WHEN_COLOR_TEMPERATURE:
		return color_has(endpoint, 16);
	case WHEN_HUE:
		return hue && !color_has(endpoint, 2);
	case WHEN_HUE16:
		return color_has(endpoint, 2);
	case WHEN_SATURATION:
		return hue;
	case WHEN_XY:
		return !hue && color_has(endpoint, 8);
	case WHEN_LIFT:
		return cover_has(endpoint, false);
	case WHEN_TILT:
		return cover_has(endpoint, true);
	default:
		return cover_has(endpoint, true) && !cover_has(endpoint, false);
	}
}

static bool meter_is(enum cluster_when when, const struct node_endpoint *endpoint)
{
	bool volume = is_volume(endpoint), gas = is_gas(endpoint);

	switch ((int)when) {
	case WHEN_WATER:
		return volume && !gas;
	case WHEN_GAS:
		return volume && gas;
	case WHEN_DEMAND:
		return !volume && !node_has_in(endpoint, CLUSTER_ELECTRICAL);
	default:
		return !volume && clusters_meter_unit(endpoint) > 0;
	}
}

bool clusters_apply(const struct cluster_row *row, const struct node_endpoint *endpoint)
{
	uint16_t kind = zone_kind(endpoint);

	if (!node_has_in(endpoint, row->cluster))
		return false;
	switch ((enum cluster_when)row->when) {
	case WHEN_ALWAYS:
		return true;
	case WHEN_KNOWN:
		return is_known(endpoint, row->arg2);
	case WHEN_CURVE:
		return clusters_curve(endpoint);
	case WHEN_NO_CURVE:
		return !clusters_curve(endpoint);
	case WHEN_BATTERY:
		return is_known(endpoint, row->arg2) && !node_has_in(endpoint, CLUSTER_ELECTRICAL);
	case WHEN_NO_ZONE:
		return is_known(endpoint, row->arg2) && !node_has_in(endpoint, CLUSTER_ZONE);
	case WHEN_NO_THERMOMETER:
		return !node_has_in(endpoint, CLUSTER_TEMPERATURE);
	case WHEN_HEATS:
		return !is_sequence(endpoint, 0);
	case WHEN_COOLS_ONLY:
		return is_sequence(endpoint, 0);
	case WHEN_HEATS_AND_COOLS:
		return is_sequence(endpoint, 4);
	case WHEN_ZONE:
		return kind == row->arg2;
	case WHEN_ZONE_OTHER:
		return !zone_is_listed(kind);
	case WHEN_AC:
		return !is_direct_current(endpoint);
	case WHEN_DC:
		return is_direct_current(endpoint);
	case WHEN_COLOR_TEMPERATURE:
	case WHEN_HUE:
	case WHEN_HUE16:
	case WHEN_SATURATION:
	case WHEN_XY:
	case WHEN_LIFT:
	case WHEN_TILT:
	case WHEN_TILT_ONLY:
		return lamp_or_cover(row->when, endpoint);
	case WHEN_ENERGY:
	case WHEN_DEMAND:
	case WHEN_WATER:
	case WHEN_GAS:
		break;
	}
	return meter_is(row->when, endpoint);
}

bool clusters_is_proven(const struct cluster_row *row, const struct node_endpoint *endpoint)
{
	static const uint16_t clusters[] = { CLUSTER_POWER, CLUSTER_DEVICE_TEMPERATURE, CLUSTER_LOCK, CLUSTER_ZONE, CLUSTER_WARNING };

	for (size_t i = 0; i < N_ELEMENTS(clusters); i++) {
		if (row->cluster == clusters[i])
			return true;
	}
	switch ((int)row->when) {
	case WHEN_KNOWN:
	case WHEN_WATER:
	case WHEN_GAS:
		return true;
	case WHEN_COLOR_TEMPERATURE:
	case WHEN_HUE:
	case WHEN_HUE16:
	case WHEN_SATURATION:
	case WHEN_XY:
		return is_known(endpoint, FACT_COLOR_CAPABILITIES);
	case WHEN_LIFT:
	case WHEN_TILT:
	case WHEN_TILT_ONLY:
		return is_known(endpoint, FACT_COVER_TYPE);
	case WHEN_HEATS:
	case WHEN_COOLS_ONLY:
	case WHEN_HEATS_AND_COOLS:
		return is_known(endpoint, FACT_THERMOSTAT_MODES);
	default:
		return clusters_is_health(row->cap);
	}
}

bool clusters_is_health(uint16_t cap)
{
	return cap == GWA_CAP_BATTERY || cap == GWA_CAP_BATTERY_LOW || cap == GWA_CAP_VOLTAGE || cap == GWA_CAP_LINK_QUALITY ||
	       cap == GWA_CAP_DEVICE_TEMPERATURE || cap == GWA_CAP_TAMPER;
}
