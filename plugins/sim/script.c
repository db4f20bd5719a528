/* Five kinds of devices. A plug's power follows its switch and its energy adds up, a room's
 * temperature drifts, a battery runs down, a door opens now and then; nothing here knows of time
 * but by being told how much has passed.
 */
#include "sim/script.h"

#include <math.h>
#include <string.h>
#include "sdk/gw_caps.h"

enum { R = GWA_A_READ | GWA_A_REPORT, RW = R | GWA_A_WRITE };

static const struct script_model models[SCRIPT_KINDS] = {
	[SCRIPT_LAMP] = { "lamp",
			  "SL-1",
			  false,
			  3,
			  { { GWA_CAP_ON_OFF, GWA_T_BOOL, RW, 0, 0, 0, 0 },
			    { GWA_CAP_LEVEL, GWA_T_INT, RW, GWA_U_PERCENT, 1, 100, 1 },
			    { GWA_CAP_COLOR_TEMPERATURE, GWA_T_INT, RW, GWA_U_MIRED, 153, 500,
			      1 } } },
	[SCRIPT_PLUG] = { "plug",
			  "SP-1",
			  false,
			  5,
			  { { GWA_CAP_ON_OFF, GWA_T_BOOL, RW, 0, 0, 0, 0 },
			    { GWA_CAP_POWER, GWA_T_REAL, R, GWA_U_WATT, 0, 0, 0 },
			    { GWA_CAP_ENERGY, GWA_T_REAL, R, GWA_U_KILOWATT_HOUR, 0, 0, 0 },
			    { GWA_CAP_VOLTAGE, GWA_T_REAL, R, GWA_U_VOLT, 0, 0, 0 },
			    { GWA_CAP_CURRENT, GWA_T_REAL, R, GWA_U_AMPERE, 0, 0, 0 } } },
	[SCRIPT_CONTACT] = { "contact",
			     "SC-1",
			     false,
			     3,
			     { { GWA_CAP_CONTACT, GWA_T_BOOL, R, 0, 0, 0, 0 },
			       { GWA_CAP_BATTERY, GWA_T_REAL, R, GWA_U_PERCENT, 0, 0, 0 },
			       { GWA_CAP_TAMPER, GWA_T_BOOL, R, 0, 0, 0, 0 } } },
	[SCRIPT_CLIMATE] = { "climate",
			     "ST-1",
			     true,
			     3,
			     { { GWA_CAP_TEMPERATURE, GWA_T_REAL, R, GWA_U_CELSIUS, -20000, 60000,
				 10 },
			       { GWA_CAP_HUMIDITY, GWA_T_REAL, R, GWA_U_PERCENT, 0, 0, 0 },
			       { GWA_CAP_BATTERY, GWA_T_REAL, R, GWA_U_PERCENT, 0, 0, 0 } } },
	[SCRIPT_LOCK] = { "lock",
			  "SK-1",
			  false,
			  2,
			  { { GWA_CAP_LOCK_STATE, GWA_T_TEXT, RW | GWA_A_SECURE, 0, 0, 0, 0 },
			    { GWA_CAP_BATTERY, GWA_T_REAL, R, GWA_U_PERCENT, 0, 0, 0 } } },
};
static const char *const lock_words[] = { "locked", "unlocked" };

enum { PLUG_ON, PLUG_POWER, PLUG_ENERGY, PLUG_VOLTAGE, PLUG_CURRENT };
enum { CONTACT_CLOSED, CONTACT_BATTERY };
enum { CLIMATE_TEMPERATURE, CLIMATE_HUMIDITY, CLIMATE_BATTERY };
enum { LOCK_STATE, LOCK_BATTERY };

const struct script_model *script_model(enum script_kind kind)
{
	return &models[kind];
}

bool script_kind_parse(const char *name, size_t len, enum script_kind *ret)
{
	for (int i = 0; i < SCRIPT_KINDS; i++) {
		if (strlen(models[i].name) != len || memcmp(models[i].name, name, len) != 0)
			continue;
		*ret = (enum script_kind)i;
		return true;
	}
	return false;
}

/* xorshift64*, in [-1, 1). */
static double chance(struct script_device *device)
{
	uint64_t x = device->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	device->random = x;
	return (double)(x * 0x2545f4914f6cdd1du >> 11) / 4503599627370496.0 - 1.0;
}

static double rounded(double v, double step)
{
	return round(v / step) * step;
}

static double within(double v, double min, double max)
{
	return v < min ? min : v > max ? max : v;
}

static void mark(struct script_device *device)
{
	for (uint8_t i = 0; i < models[device->kind].n_caps; i++) {
		if (device->values[i] != device->said[i])
			device->dirty |= (uint8_t)(1u << i);
		device->said[i] = device->values[i];
	}
}

void script_init(struct script_device *device, enum script_kind kind, uint64_t seed)
{
	static const double births[SCRIPT_KINDS][SCRIPT_CAPS_MAX] = {
		[SCRIPT_LAMP] = { 0, 80, 370 },	 [SCRIPT_PLUG] = { 1, 45, 12.5, 230, 0.196 },
		[SCRIPT_CONTACT] = { 1, 95, 0 }, [SCRIPT_CLIMATE] = { 21, 45, 90 },
		[SCRIPT_LOCK] = { 0, 88 },
	};

	*device = (struct script_device){ .kind = kind,
					  .random = seed * 0x9e3779b97f4a7c15u | 1,
					  .alive = true };
	memcpy(device->values, births[kind], sizeof(device->values));
	memcpy(device->said, births[kind], sizeof(device->said));
	device->dirty = (uint8_t)((1u << models[kind].n_caps) - 1);
	for (int i = 0; i < 8; i++)
		(void)chance(device);
}

/* An empty battery is changed. */
static double drained(double battery, uint32_t ms)
{
	battery -= (double)ms / 3600000.0;
	return battery < 5 ? 100 : battery;
}

static void step_plug(struct script_device *device, uint32_t ms)
{
	double *v = device->values;

	v[PLUG_VOLTAGE] = rounded(230 + 2 * chance(device), 0.1);
	v[PLUG_POWER] = v[PLUG_ON] != 0 ? rounded(50 + 10 * chance(device), 0.1) : 0.4;
	v[PLUG_CURRENT] = rounded(v[PLUG_POWER] / v[PLUG_VOLTAGE], 0.001);
	v[PLUG_ENERGY] += v[PLUG_POWER] * (double)ms / 3.6e9;
}

static void step_climate(struct script_device *device, uint32_t ms)
{
	double *v = device->values;

	v[CLIMATE_TEMPERATURE] =
		within(v[CLIMATE_TEMPERATURE] + rounded(0.1 * chance(device), 0.01), 15, 30);
	v[CLIMATE_TEMPERATURE] = rounded(v[CLIMATE_TEMPERATURE], 0.01);
	v[CLIMATE_HUMIDITY] = rounded(within(v[CLIMATE_HUMIDITY] + chance(device), 25, 75), 0.1);
	v[CLIMATE_BATTERY] = drained(v[CLIMATE_BATTERY], ms);
}

void script_step(struct script_device *device, uint32_t ms)
{
	double *v = device->values;

	switch (device->kind) {
	case SCRIPT_PLUG:
		step_plug(device, ms);
		break;
	case SCRIPT_CLIMATE:
		step_climate(device, ms);
		break;
	case SCRIPT_CONTACT:
		if (chance(device) > 0.8)
			v[CONTACT_CLOSED] = v[CONTACT_CLOSED] == 0;
		v[CONTACT_BATTERY] = drained(v[CONTACT_BATTERY], ms);
		break;
	case SCRIPT_LOCK:
		v[LOCK_BATTERY] = drained(v[LOCK_BATTERY], ms);
		break;
	case SCRIPT_LAMP:
	case SCRIPT_KINDS:
		break;
	}
	mark(device);
}

/* The number that stands for value in values[], or false. */
static bool number_of(const struct gwa_cap *cap, const struct gwa_value *value, double *ret)
{
	if (value->type != cap->type)
		return false;
	if (cap->type == GWA_T_BOOL) {
		*ret = value->v.i != 0;
		return true;
	}
	if (cap->type == GWA_T_INT) {
		*ret = (double)value->v.i;
		return value->v.i >= cap->min && value->v.i <= cap->max;
	}
	for (size_t i = 0;
	     cap->type == GWA_T_TEXT && i < sizeof(lock_words) / sizeof(lock_words[0]); i++) {
		if (strlen(lock_words[i]) == value->len &&
		    memcmp(lock_words[i], value->v.data, value->len) == 0) {
			*ret = (double)i;
			return true;
		}
	}
	return false;
}

int script_set(struct script_device *device, uint8_t endpoint, uint16_t cap,
	       const struct gwa_value *value)
{
	const struct script_model *model = &models[device->kind];

	for (uint8_t i = 0; i < model->n_caps; i++) {
		double number;

		if (model->caps[i].id != cap)
			continue;
		if (endpoint > 1 || !(model->caps[i].access & GWA_A_WRITE))
			return GWA_UNSUPPORTED;
		if (!number_of(&model->caps[i], value, &number))
			return GWA_BAD_VALUE;
		device->values[i] = device->said[i] = number;
		device->dirty |= (uint8_t)(1u << i);
		if (device->kind == SCRIPT_PLUG)
			step_plug(device, 0);
		mark(device);
		return GWA_OK;
	}
	return GWA_UNSUPPORTED;
}

struct gwa_value script_value(const struct script_device *device, uint8_t i)
{
	const struct gwa_cap *cap = &models[device->kind].caps[i];
	struct gwa_value value = { .type = cap->type };

	if (cap->type == GWA_T_REAL) {
		value.v.f = device->values[i];
	} else if (cap->type == GWA_T_TEXT) {
		value.v.data = lock_words[device->values[i] != 0];
		value.len = (uint32_t)strlen(lock_words[device->values[i] != 0]);
	} else {
		value.v.i = (int64_t)device->values[i];
	}
	return value;
}
