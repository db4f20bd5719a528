/* Zigbee2MQTT describes each device by what it exposes: leaves of type binary, numeric, enum or text, alone or as
 * features of a light, switch, lock, cover, climate or fan. The table below is all that we know of their names; a leaf
 * with no row, or with a unit that no row has, is left out and counted. Names, types, access bits and units are those of
 * Zigbee2MQTT 2.x ("exposes" in bridge/devices); tests/sim/captures holds what a real one said.
 */
#include "wifi/z2m.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"

enum { PUBLISHED = 1, SETTABLE = 2 }; /* bits of "access" */
enum { LIST_DEPTH_MAX = 64, ENDPOINT_MAIN = 1, ENDPOINT_WORDS_FIRST = 241 };

static const struct trait_word lock_words[] = { { "LOCK", "locked" }, { "UNLOCK", "unlocked" }, { NULL, NULL } };
static const struct trait_word move_words[] = {
	{ "OPEN", "open" }, { "CLOSE", "close" }, { "STOP", "stop" }, { NULL, NULL },
};
static const struct trait_word mode_words[] = {
	{ "off", "off" },	  { "auto", "auto" },	  { "cool", "cool" },
	{ "heat", "heat" },	  { "emergency_heating", "emergency-heat" },
	{ "precooling", "precooling" }, { "fan_only", "fan-only" }, { "dry", "dry" },
	{ "sleep", "sleep" },	  { NULL, NULL },
};
static const struct trait_word fan_words[] = {
	{ "off", "off" }, { "low", "low" },   { "medium", "medium" }, { "high", "high" },
	{ "on", "on" },	  { "auto", "auto" }, { "smart", "smart" },   { NULL, NULL },
};

#define BOTH_WAYS(parent, name, cap, flags) { parent, name, NULL, cap, TRAIT_BINARY, flags, 1, NULL }
#define BINARY(name, cap, flags) { NULL, name, NULL, cap, TRAIT_BINARY, flags, 1, NULL }
#define NUMBER(name, unit, cap, scale) { NULL, name, unit, cap, TRAIT_NUMBER, 0, scale, NULL }
#define FEATURE(parent, name, cap, flags) { parent, name, NULL, cap, TRAIT_NUMBER, flags, 1, NULL }
#define CHOICE(parent, name, cap, flags, words) { parent, name, NULL, cap, TRAIT_WORDS, flags, 1, words }

static const struct trait_row rows[] = {
	BOTH_WAYS("switch", "state", CAP_ON_OFF, 0),
	BOTH_WAYS("light", "state", CAP_ON_OFF, 0),
	FEATURE("light", "brightness", CAP_LEVEL, TRAIT_SPAN | TRAIT_WHOLE),
	FEATURE("light", "color_temp", CAP_COLOR_TEMPERATURE, TRAIT_WHOLE),
	FEATURE("color_hs", "hue", CAP_COLOR_HUE, TRAIT_WHOLE),
	FEATURE("color_hs", "saturation", CAP_COLOR_SATURATION, TRAIT_WHOLE),
	CHOICE("lock", "state", CAP_LOCK_STATE, 0, lock_words),
	CHOICE("cover", "state", CAP_COVER_MOVE, TRAIT_SLOW, move_words),
	FEATURE("cover", "position", CAP_COVER_POSITION, TRAIT_SLOW | TRAIT_WHOLE),
	FEATURE("cover", "tilt", CAP_COVER_TILT, TRAIT_SLOW | TRAIT_WHOLE),
	BOTH_WAYS("fan", "state", CAP_ON_OFF, 0),
	CHOICE("fan", "mode", CAP_FAN_MODE, 0, fan_words),
	FEATURE("fan", "speed", CAP_FAN_PERCENT, TRAIT_SPAN | TRAIT_WHOLE),
	FEATURE("climate", "occupied_heating_setpoint", CAP_TARGET_TEMPERATURE, 0),
	FEATURE("climate", "current_heating_setpoint", CAP_TARGET_TEMPERATURE, 0),
	FEATURE("climate", "local_temperature", CAP_TEMPERATURE, 0),
	CHOICE("climate", "system_mode", CAP_THERMOSTAT_MODE, 0, mode_words),
	CHOICE("climate", "fan_mode", CAP_FAN_MODE, 0, fan_words),

	NUMBER("temperature", "°C", CAP_TEMPERATURE, 1),
	NUMBER("humidity", "%", CAP_HUMIDITY, 1),
	NUMBER("pressure", "hPa", CAP_PRESSURE, 1),
	NUMBER("pressure", "kPa", CAP_PRESSURE, 10),
	NUMBER("illuminance", "lx", CAP_ILLUMINANCE, 1),
	NUMBER("co2", "ppm", CAP_CO2, 1),
	NUMBER("pm25", "µg/m³", CAP_PM25, 1),
	NUMBER("voc", "µg/m³", CAP_VOC, 1),
	NUMBER("flow", "m³/h", CAP_FLOW, 1000.0 / 60.0),
	NUMBER("soil_moisture", "%", CAP_SOIL_MOISTURE, 1),
	BINARY("occupancy", CAP_OCCUPANCY, 0),
	BINARY("presence", CAP_OCCUPANCY, 0),
	/* "on" is an open door there; with us true is contact made, as in Matter's BooleanState. */
	BINARY("contact", CAP_CONTACT, TRAIT_INVERT),
	BINARY("water_leak", CAP_WATER_LEAK, 0),
	BINARY("smoke", CAP_SMOKE, 0),
	BINARY("carbon_monoxide", CAP_CARBON_MONOXIDE, 0),
	BINARY("gas", CAP_GAS, 0),
	BINARY("vibration", CAP_VIBRATION, 0),
	BINARY("tamper", CAP_TAMPER, 0),
	{ NULL, "action", NULL, CAP_BUTTON, TRAIT_EVENT, 0, 1, NULL },

	NUMBER("power", "W", CAP_POWER, 1),
	NUMBER("power", "kW", CAP_POWER, 1000),
	NUMBER("energy", "kWh", CAP_ENERGY, 1),
	NUMBER("energy", "Wh", CAP_ENERGY, 0.001),
	NUMBER("voltage", "V", CAP_VOLTAGE, 1),
	NUMBER("voltage", "mV", CAP_VOLTAGE, 0.001),
	NUMBER("current", "A", CAP_CURRENT, 1),
	NUMBER("current", "mA", CAP_CURRENT, 0.001),
	NUMBER("ac_frequency", "Hz", CAP_FREQUENCY, 1),
	NUMBER("power_factor", NULL, CAP_POWER_FACTOR, 1),
	NUMBER("battery", "%", CAP_BATTERY, 1),
	BINARY("battery_low", CAP_BATTERY_LOW, 0),
	NUMBER("linkquality", "lqi", CAP_LINK_QUALITY, 1),
};

/* Endpoints that are named by where they are; a name not here is left out. Never reordered: the ids are kept. */
static const char *const endpoint_words[] = {
	"left", "right", "center", "top", "bottom", "top_left", "top_right", "bottom_left", "bottom_right",
	"center_left", "center_right", "main", "white", "rgb",
};

static const struct trait_row *find_row(const char *parent, const char *name, const char *unit)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (text_equal(rows[i].parent, parent) && text_equal(rows[i].name, name) &&
		    (!rows[i].unit || text_equal(rows[i].unit, unit)))
			return &rows[i];
	}
	return NULL;
}

bool z2m_knows(const char *name)
{
	for (size_t i = 0; name && i < N_ELEMENTS(rows); i++) {
		if (text_equal(rows[i].name, name))
			return true;
	}
	return false;
}

/* "l2" and "2" are endpoint 2; none is the first. 0: a name that we do not know. */
static uint8_t endpoint_of(const char *name)
{
	uint32_t number;

	if (!name)
		return ENDPOINT_MAIN;
	for (size_t i = 0; i < N_ELEMENTS(endpoint_words); i++) {
		if (text_equal(endpoint_words[i], name))
			return (uint8_t)(ENDPOINT_WORDS_FIRST + i);
	}
	if (text_to_u32(name + (name[0] == 'l'), 1, ENDPOINT_WORDS_FIRST - 1, &number))
		return 0;
	return (uint8_t)number;
}

static unsigned access_of(const struct json *expose)
{
	int64_t bits = 0;
	unsigned access = 0;

	if (!json_to_i64(json_get(expose, "access"), &bits))
		return 0;
	if (bits & PUBLISHED)
		access |= GWA_A_READ | GWA_A_REPORT;
	if (bits & SETTABLE)
		access |= GWA_A_WRITE;
	return access;
}

static bool literal_from(const struct json *json, struct trait_literal *ret)
{
	struct trait_literal literal = { .kind = json_kind(json) };
	bool flag = false;

	if (json_to_bool(json, &flag))
		literal.number = flag;
	else if (literal.kind == JSON_INT && json_to_i64(json, &literal.number))
		;
	else if (literal.kind != JSON_TEXT || !text_copy(literal.text, sizeof(literal.text), json_text(json, NULL)))
		return false;
	*ret = literal;
	return true;
}

static uint16_t words_from(const struct trait_word *words, const struct json *values)
{
	uint16_t mask = 0;

	for (size_t i = 0; i < json_len(values); i++) {
		for (size_t k = 0; words[k].theirs; k++) {
			if (text_equal(words[k].theirs, json_text(json_at(values, i), NULL)))
				mask |= (uint16_t)(1u << k);
		}
	}
	return mask;
}

static void number_from(const struct json *expose, struct trait *trait)
{
	double min = 0, max = 0, step = 0;
	bool bounded = json_to_f64(json_get(expose, "value_max"), &max);

	if (trait->row->flags & TRAIT_SPAN) {
		trait->scale = 100.0 / (bounded && max >= 1 && max <= 65535 ? max : 254.0);
		return;
	}
	if (!bounded || !json_to_f64(json_get(expose, "value_min"), &min) || !(trait->access & GWA_A_WRITE))
		return;
	if (!json_to_f64(json_get(expose, "value_step"), &step))
		step = 0;
	trait_narrow(trait, min, max, step);
}

/* What only this device says of the property. False: it contradicts the row. */
static bool trait_details(const struct json *expose, struct trait *trait)
{
	const struct json *values = json_get(expose, "values");

	if (trait->row->form == TRAIT_BINARY)
		return text_equal(json_get_text(expose, "type"), "binary") &&
		       literal_from(json_get(expose, "value_on"), &trait->on) &&
		       literal_from(json_get(expose, "value_off"), &trait->off);
	if (trait->row->form == TRAIT_NUMBER) {
		number_from(expose, trait);
		return text_equal(json_get_text(expose, "type"), "numeric");
	}
	if (trait->row->form == TRAIT_WORDS && values)
		trait->words = words_from(trait->row->words, values);
	return true;
}

static void add_leaf(struct lan_device *device, const struct json *expose, const char *parent, const char *property)
{
	const char *name = json_get_text(expose, "name"), *own = json_get_text(expose, "property");
	const struct trait_row *row = name ? find_row(parent, name, json_get_text(expose, "unit")) : NULL;
	uint8_t endpoint = endpoint_of(json_get_text(expose, "endpoint"));
	struct trait trait;

	if (row && endpoint && own &&
	    trait_make(row, property ? property : own, property ? own : "", endpoint, access_of(expose), &trait) == 0 &&
	    trait_details(expose, &trait) && lan_device_add(device, &trait) == 0)
		return;
	device->left_out++;
}

/* A composite's features stand inside its property; those of a light, a switch and their like stand beside it. */
static void add_exposes(struct lan_device *device, const struct json *exposes, const char *parent,
			const char *property, unsigned nesting)
{
	for (size_t i = 0; i < json_len(exposes); i++) {
		const struct json *expose = json_at(exposes, i), *features = json_get(expose, "features");
		const char *type = json_get_text(expose, "type");

		if (!type)
			continue;
		if (!features)
			add_leaf(device, expose, parent, property);
		else if (nesting == Z2M_NESTING_MAX)
			device->left_out++;
		else if (text_equal(type, "composite"))
			add_exposes(device, features, json_get_text(expose, "name"), json_get_text(expose, "property"),
				    nesting + 1);
		else
			add_exposes(device, features, type, NULL, nesting + 1);
	}
}

int z2m_ieee(const char *text, uint8_t ret[8])
{
	if (!text || strlen(text) != 18 || strncmp(text, "0x", 2) || hex_parse(text + 2, 16, ret, 8))
		return Z2M_E_TYPE;
	return 0;
}

struct gwa_addr z2m_address(const char *base, const uint8_t ieee[8])
{
	struct gwa_addr addr = { .len = 12 };
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *p = base; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619u;
	memcpy(addr.bytes, ieee, 8);
	for (size_t i = 0; i < 4; i++)
		addr.bytes[8 + i] = (uint8_t)(hash >> 8 * i);
	return addr;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

/* A name that would make one of the device's topics a topic of the bridge, an order, or of another device's. */
static bool is_name_fit(const char *name)
{
	static const char *const ends[] = { "/set", "/get", "/availability" };

	if (strncmp(name, "bridge/", 7) == 0 || text_equal(name, "bridge") || name[0] == '/' || ends_with(name, "/"))
		return false;
	for (size_t i = 0; i < N_ELEMENTS(ends); i++) {
		if (ends_with(name, ends[i]))
			return false;
	}
	return !strstr(name, "/set/") && !strstr(name, "/get/");
}

static bool topic_of(const char *base, const char *name, char ret[LAN_TOPIC_MAX])
{
	/* An empty name: a device with a base of its own, which is its topic. */
	if (!name[0])
		return text_copy(ret, LAN_TOPIC_MAX, base);
	/* Room for the longest that is added: "/availability". */
	return is_name_fit(name) && strlen(base) + strlen(name) + 16 < LAN_TOPIC_MAX &&
	       text_print(ret, LAN_TOPIC_MAX, "%s/%s", base, name) && lan_topic_is_fit(ret);
}

static void copy_name(char ret[GWA_TEXT_MAX + 1], const char *text)
{
	if (text)
		lan_name(text, ret);
}

static bool is_true(const struct json *object, const char *key)
{
	bool flag = false;

	return json_to_bool(json_get(object, key), &flag) && flag;
}

/* NULL: an entry that cannot be a device of ours. */
static struct lan_device *device_from(const char *base, const struct json *entry)
{
	cleanup(lan_device_freep) struct lan_device *device = lan_device_new(LAN_Z2M);
	const struct json *definition = json_get(entry, "definition");
	const char *name = json_get_text(entry, "friendly_name");
	uint8_t ieee[8];

	if (!name || z2m_ieee(json_get_text(entry, "ieee_address"), ieee) || !topic_of(base, name, device->topic))
		return NULL;
	device->addr = z2m_address(base, ieee);
	device->hw = (struct gwa_addr){ .len = 8 };
	memcpy(device->hw.bytes, ieee, 8);
	lan_name(name[0] ? name : base, device->name);
	copy_name(device->vendor, json_get_text(definition, "vendor"));
	copy_name(device->model, json_get_text(definition, "model"));
	copy_name(device->firmware, json_get_text(entry, "software_build_id"));
	device->sleepy = text_equal(json_get_text(entry, "power_source"), "Battery");
	device->ready = is_true(entry, "interview_completed") && !is_true(entry, "disabled") && definition;
	add_exposes(device, json_get(definition, "exposes"), NULL, NULL, 0);
	return STEAL(device);
}

static int parse(const void *data, size_t len, size_t max, unsigned depth, enum json_kind kind, struct json **ret)
{
	struct json *json = NULL;
	int r;

	if (len > max)
		return Z2M_E_SIZE;
	r = json_parse(data, len, max, depth, NULL, 0, &json);
	if (r)
		return r < 0 ? r : Z2M_E_MALFORMED;
	if (json_kind(json) != kind) {
		json_free(json);
		return Z2M_E_TYPE;
	}
	*ret = json;
	return 0;
}

int z2m_devices(const char *base, const void *data, size_t len, struct z2m_devices *ret)
{
	cleanup(json_freep) struct json *list = NULL;
	int r = parse(data, len, Z2M_LIST_BYTES_MAX, LIST_DEPTH_MAX, JSON_ARRAY, &list);

	if (r)
		return r;
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *entry = json_at(list, i);
		struct lan_device *device;

		if (text_equal(json_get_text(entry, "type"), "Coordinator"))
			continue;
		device = ret->n < Z2M_DEVICES_MAX ? device_from(base, entry) : NULL;
		if (device)
			ret->devices[ret->n++] = device;
		else
			ret->refused++;
	}
	return 0;
}

void z2m_devices_deinit(struct z2m_devices *list)
{
	for (size_t i = 0; i < list->n; i++)
		lan_device_free(list->devices[i]);
	list->n = 0;
}

int z2m_groups(const void *data, size_t len, void (*on_name)(void *ctx, const char *name), void *ctx)
{
	cleanup(json_freep) struct json *list = NULL;
	int r = parse(data, len, Z2M_LIST_BYTES_MAX, LIST_DEPTH_MAX, JSON_ARRAY, &list);

	if (r)
		return r;
	for (size_t i = 0; i < json_len(list) && i < Z2M_DEVICES_MAX; i++) {
		const char *name = json_get_text(json_at(list, i), "friendly_name");

		if (name && is_name_fit(name))
			on_name(ctx, name);
	}
	return 0;
}

int z2m_state(const void *data, size_t len, struct json **ret)
{
	return parse(data, len, Z2M_BYTES_MAX, JSON_DEPTH_MAX, JSON_OBJECT, ret);
}

static bool word_is(const void *data, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(data, word, len) == 0;
}

int z2m_online(const void *data, size_t len, bool *ret)
{
	cleanup(json_freep) struct json *json = NULL;
	const char *state;
	bool online = word_is(data, len, "online");
	int r = 0;

	if (!online && !word_is(data, len, "offline")) {
		r = parse(data, len, Z2M_BYTES_MAX, JSON_DEPTH_MAX, JSON_OBJECT, &json);
		if (r)
			return r;
		state = json_get_text(json, "state");
		online = text_equal(state, "online");
		if (!online && !text_equal(state, "offline"))
			return Z2M_E_TYPE;
	}
	*ret = online;
	return 0;
}

static char *printed(struct json *json)
{
	char *text = NULL;

	if (json_print(json, &text, NULL))
		abort();
	json_free(json);
	return text;
}

int z2m_set(const struct trait *trait, const struct gwa_value *value, char **ret)
{
	struct json *body = json_new_object(), *at = body, *json = NULL;
	int r = trait_write(trait, value, &json);

	if (r) {
		json_free(body);
		return r;
	}
	if (trait->inner[0]) {
		at = json_new_object();
		json_set(at, trait->inner, json);
		json_set(body, trait->key, at);
	} else {
		json_set(body, trait->key, json);
	}
	*ret = printed(body);
	return 0;
}

char *z2m_permit_join(uint32_t seconds, const char *transaction)
{
	struct json *body = json_new_object();

	/* Zigbee knows no longer window; 255 would be for ever. */
	json_set_i64(body, "time", seconds < 254 ? seconds : 254);
	json_set_text(body, "transaction", transaction);
	return printed(body);
}

char *z2m_remove(const char *ieee, const char *transaction)
{
	struct json *body = json_new_object();

	json_set_text(body, "id", ieee);
	json_set_text(body, "transaction", transaction);
	return printed(body);
}

int z2m_response(const void *data, size_t len, char *ret_transaction, size_t cap, bool *ret_ok)
{
	cleanup(json_freep) struct json *json = NULL;
	const char *transaction;
	int r = parse(data, len, Z2M_BYTES_MAX, JSON_DEPTH_MAX, JSON_OBJECT, &json);

	if (r)
		return r;
	transaction = json_get_text(json, "transaction");
	if (!text_copy(ret_transaction, cap, transaction ? transaction : ""))
		return Z2M_E_TYPE;
	*ret_ok = text_equal(json_get_text(json, "status"), "ok");
	return 0;
}

int z2m_leave(const void *data, size_t len, uint8_t ret_ieee[8])
{
	cleanup(json_freep) struct json *json = NULL;
	int r = parse(data, len, Z2M_BYTES_MAX, JSON_DEPTH_MAX, JSON_OBJECT, &json);

	if (r)
		return r;
	if (!text_equal(json_get_text(json, "type"), "device_leave"))
		return Z2M_E_TYPE;
	return z2m_ieee(json_get_text(json_get(json, "data"), "ieee_address"), ret_ieee);
}
