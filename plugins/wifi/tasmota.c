/* A Tasmota device announces itself in two retained messages: "config" has its names, topic, relays and light, "sensors"
 * an example of what it will send on tele/SENSOR. The MAC stands in the topic, which the broker's rules tie to the
 * account; what the payload says of itself must agree with it. Only the default form of topics is taken, for which the
 * broker's rules are written.
 */
#include "wifi/tasmota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/capability.h"

enum { RELAY = 1, RELAY_LIGHT = 2 };	  /* in "rl" */
enum { LIGHT_CT = 2, LIGHT_RGBCCT = 5 }; /* in "lt_st" */
enum { READS = GWA_A_READ | GWA_A_REPORT, READS_WRITES = READS | GWA_A_WRITE };

static const struct trait_row relay_row = { NULL, "POWER", NULL, CAP_ON_OFF, TRAIT_BINARY, 0, 1, NULL };
static const struct trait_row dimmer_row = { NULL, "Dimmer", NULL, CAP_LEVEL, TRAIT_NUMBER, TRAIT_WHOLE, 1, NULL };
static const struct trait_row ct_row = { NULL, "CT", NULL, CAP_COLOR_TEMPERATURE, TRAIT_NUMBER, TRAIT_WHOLE, 1, NULL };
static const struct trait_row uptime_row = { NULL, "UptimeSec", NULL, CAP_UPTIME, TRAIT_NUMBER, 0, 1, NULL };
static const struct trait_row signal_row = { "Wifi", "Signal", NULL, CAP_RSSI, TRAIT_NUMBER, 0, 1, NULL };

/* unit: the key at the top of the announcement that must say so. */
struct sensor_row {
	const char *unit_key;
	struct trait_row row;
};
#define SENSOR(parent, name, cap) { NULL, { parent, name, NULL, cap, TRAIT_NUMBER, 0, 1, NULL } }
#define SENSOR_IN(key, unit, name, cap) { key, { NULL, name, unit, cap, TRAIT_NUMBER, 0, 1, NULL } }

static const struct sensor_row sensor_rows[] = {
	SENSOR("ENERGY", "Power", CAP_POWER),
	SENSOR("ENERGY", "Total", CAP_ENERGY),
	SENSOR("ENERGY", "Voltage", CAP_VOLTAGE),
	SENSOR("ENERGY", "Current", CAP_CURRENT),
	SENSOR("ENERGY", "Factor", CAP_POWER_FACTOR),
	SENSOR("ENERGY", "Frequency", CAP_FREQUENCY),
	SENSOR_IN("TempUnit", "C", "Temperature", CAP_TEMPERATURE),
	SENSOR_IN("PressureUnit", "hPa", "Pressure", CAP_PRESSURE),
	SENSOR(NULL, "Humidity", CAP_HUMIDITY),
	SENSOR(NULL, "Illuminance", CAP_ILLUMINANCE),
	SENSOR(NULL, "CarbonDioxide", CAP_CO2),
	SENSOR(NULL, "PM2.5", CAP_PM25),
};

int tasmota_mac(const char *digits, size_t len, uint8_t ret[6])
{
	for (size_t i = 0; i < len; i++) {
		if (digits[i] >= 'a' && digits[i] <= 'f')
			return TASMOTA_E_TYPE;
	}
	return len != 12 || hex_parse(digits, len, ret, 6) ? TASMOTA_E_TYPE : 0;
}

static int parse(const void *data, size_t len, struct json **ret)
{
	struct json *json = NULL;
	int r;

	if (len > TASMOTA_BYTES_MAX)
		return TASMOTA_E_SIZE;
	r = json_parse(data, len, TASMOTA_BYTES_MAX, JSON_DEPTH_MAX, NULL, 0, &json);
	if (r)
		return r < 0 ? r : TASMOTA_E_MALFORMED;
	if (json_kind(json) != JSON_OBJECT) {
		json_free(json);
		return TASMOTA_E_TYPE;
	}
	*ret = json;
	return 0;
}

static bool text_at(const struct json *array, size_t i, const char *want)
{
	return text_equal(json_text(json_at(array, i), NULL), want);
}

/* One level that no other topic is hidden in. */
static bool is_topic_fit(const char *topic)
{
	return topic && lan_topic_is_fit(topic) && !strchr(topic, '/') && strlen(topic) < LAN_TOPIC_MAX / 2;
}

static int check_topics(const uint8_t mac[6], const struct json *config)
{
	const struct json *prefixes = json_get(config, "tp");
	const char *own = json_get_text(config, "mac");
	uint8_t said[6];

	if (!own || tasmota_mac(own, strlen(own), said) || memcmp(said, mac, 6) != 0)
		return TASMOTA_E_TOPIC;
	if (!is_topic_fit(json_get_text(config, "t")) || !text_equal(json_get_text(config, "ft"), "%prefix%/%topic%/"))
		return TASMOTA_E_TOPIC;
	if (!text_at(prefixes, 0, "cmnd") || !text_at(prefixes, 1, "stat") || !text_at(prefixes, 2, "tele"))
		return TASMOTA_E_TOPIC;
	return 0;
}

static int64_t number_at(const struct json *json)
{
	int64_t number = 0;

	return json_to_i64(json, &number) ? number : 0;
}

static void add(struct lan_device *device, const struct trait_row *row, const char *key, const char *inner,
		uint8_t endpoint, unsigned access)
{
	struct trait trait;

	if (trait_make(row, key, inner, endpoint, access, &trait) || lan_device_add(device, &trait))
		device->left_out++;
}

static bool literal_at(const struct json *words, size_t i, struct trait_literal *ret)
{
	const char *word = json_text(json_at(words, i), NULL);

	*ret = (struct trait_literal){ .kind = JSON_TEXT };
	return word && word[0] && text_copy(ret->text, sizeof(ret->text), word);
}

static void add_relay(struct lan_device *device, const struct json *config, uint8_t endpoint, bool only)
{
	const struct json *words = json_get(config, "state");
	struct trait trait;
	char key[16];

	text_print(key, sizeof(key), only ? "POWER" : "POWER%u", endpoint);
	if (trait_make(&relay_row, key, "", endpoint, READS_WRITES, &trait) || !literal_at(words, 0, &trait.off) ||
	    !literal_at(words, 1, &trait.on) || lan_device_add(device, &trait))
		device->left_out++;
}

static void add_light(struct lan_device *device, const struct json *config, uint8_t endpoint)
{
	int64_t kind = number_at(json_get(config, "lt_st"));

	add(device, &dimmer_row, "Dimmer", "", endpoint, READS_WRITES);
	if (kind == LIGHT_CT || kind == LIGHT_RGBCCT)
		add(device, &ct_row, "CT", "", endpoint, READS_WRITES);
	if (kind > LIGHT_CT)
		device->left_out++; /* colour */
}

static void add_relays(struct lan_device *device, const struct json *config)
{
	const struct json *relays = json_get(config, "rl");
	uint8_t light = 0, n = 0;

	for (size_t i = 0; i < json_len(relays) && i < TASMOTA_RELAYS_MAX; i++)
		n = (uint8_t)(n + (number_at(json_at(relays, i)) != 0));
	for (uint8_t i = 0; i < json_len(relays) && i < TASMOTA_RELAYS_MAX; i++) {
		int64_t kind = number_at(json_at(relays, i));

		if (kind == RELAY || kind == RELAY_LIGHT)
			add_relay(device, config, (uint8_t)(i + 1), n == 1);
		else if (kind)
			device->left_out++;
		if (kind == RELAY_LIGHT)
			light = (uint8_t)(i + 1);
	}
	if (light)
		add_light(device, config, light);
	add(device, &uptime_row, "UptimeSec", "", 1, READS);
	add(device, &signal_row, "Wifi", "Signal", 1, READS);
}

static void copy_name(char ret[GWA_TEXT_MAX + 1], const char *text)
{
	if (text && text[0])
		lan_name(text, ret);
}

static bool copy_word(char ret[TRAIT_WORD_MAX], const char *text)
{
	return text && text[0] && text_copy(ret, TRAIT_WORD_MAX, text);
}

int tasmota_config(const uint8_t mac[6], const void *data, size_t len, struct lan_device **ret)
{
	cleanup(lan_device_freep) struct lan_device *device = NULL;
	cleanup(json_freep) struct json *config = NULL;
	const char *topic;
	int r = parse(data, len, &config);

	if (r)
		return r;
	r = check_topics(mac, config);
	if (r)
		return r;
	topic = json_get_text(config, "t");
	device = lan_device_new(LAN_TASMOTA);
	device->addr.len = device->hw.len = 6;
	memcpy(device->addr.bytes, mac, 6);
	memcpy(device->hw.bytes, mac, 6);
	text_copy(device->topic, sizeof(device->topic), topic);
	copy_name(device->name, topic);
	copy_name(device->name, json_get_text(config, "dn"));
	copy_name(device->vendor, "Tasmota");
	copy_name(device->model, json_get_text(config, "md"));
	copy_name(device->firmware, json_get_text(config, "sw"));
	if (!copy_word(device->online, json_get_text(config, "onln")) ||
	    !copy_word(device->offline, json_get_text(config, "ofln")))
		return TASMOTA_E_TYPE;
	device->ready = true;
	add_relays(device, config);
	*ret = STEAL(device);
	return 0;
}

static const struct sensor_row *find_sensor(const char *parent, const char *name, const struct json *announced)
{
	bool energy = text_equal(parent, "ENERGY");

	for (size_t i = 0; i < N_ELEMENTS(sensor_rows); i++) {
		const struct sensor_row *row = &sensor_rows[i];

		if (energy == !row->row.parent || !text_equal(row->row.name, name))
			continue;
		if (!row->unit_key || text_equal(json_get_text(announced, row->unit_key), row->row.unit))
			return row;
	}
	return NULL;
}

static void add_sensor(struct lan_device *device, const struct json *announced, const char *key, struct json *sensor)
{
	struct json *value;
	void *cursor = NULL;
	const char *name;

	while ((name = json_next(sensor, &cursor, &value))) {
		const struct sensor_row *row = find_sensor(key, name, announced);

		if (row && (json_kind(value) == JSON_INT || json_kind(value) == JSON_REAL))
			add(device, &row->row, key, name, 1, READS);
		else
			device->left_out++;
	}
}

int tasmota_sensors(struct lan_device *device, const void *data, size_t len)
{
	cleanup(json_freep) struct json *json = NULL;
	struct json *announced, *sensor;
	void *cursor = NULL;
	const char *key;
	int r = parse(data, len, &json);

	if (r)
		return r;
	announced = json_get(json, "sn");
	if (json_kind(announced) != JSON_OBJECT)
		return TASMOTA_E_TYPE;
	while ((key = json_next(announced, &cursor, &sensor))) {
		if (json_kind(sensor) == JSON_OBJECT)
			add_sensor(device, announced, key, sensor);
	}
	return 0;
}

int tasmota_state(const void *data, size_t len, struct json **ret)
{
	return parse(data, len, ret);
}

int tasmota_power(const char *key, const void *data, size_t len, struct json **ret)
{
	struct json *state;
	char word[TRAIT_WORD_MAX];

	if (len >= sizeof(word) || !text_is_utf8(data, len))
		return TASMOTA_E_TYPE;
	text_copy_n(word, sizeof(word), data, len);
	state = json_new_object();
	json_set_text(state, key, word);
	*ret = state;
	return 0;
}

int tasmota_online(const struct lan_device *device, const void *data, size_t len, bool *ret)
{
	bool online = len == strlen(device->online) && memcmp(data, device->online, len) == 0;

	if (!online && (len != strlen(device->offline) || memcmp(data, device->offline, len) != 0))
		return TASMOTA_E_TYPE;
	*ret = online;
	return 0;
}

int tasmota_order(const struct lan_device *device, const struct trait *trait, const struct gwa_value *value,
		  char ret_topic[LAN_TOPIC_MAX], char **ret_payload)
{
	struct json *json = NULL;
	char *text = NULL;
	int r = trait_write(trait, value, &json);

	if (r)
		return r;
	if (json_kind(json) == JSON_TEXT)
		text = strdup(json_text(json, NULL));
	else if (json_print(json, &text, NULL))
		text = NULL;
	json_free(json);
	if (!text)
		return -ENOMEM;
	text_print(ret_topic, LAN_TOPIC_MAX, "cmnd/%s/%s", device->topic, trait->key);
	*ret_payload = text;
	return 0;
}
