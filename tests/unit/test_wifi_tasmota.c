/* Tasmota's grammar: discovery in both halves, telemetry, last will, orders. */
#include "check.h"

#include "base/text.h"
#include "model/capability.h"
#include "wifi/tasmota.h"

static const uint8_t mac[6] = { 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };

#define CONFIG(more)                                                                                        \
	"{\"ip\":\"192.168.1.9\",\"dn\":\"Kettle\",\"fn\":[\"Kettle\",null],\"hn\":\"kettle\",\"mac\":\"AABBCCDDEEFF\"," \
	"\"md\":\"Sonoff S31\",\"ty\":0,\"if\":0,\"ofln\":\"Offline\",\"onln\":\"Online\","                     \
	"\"state\":[\"OFF\",\"ON\",\"TOGGLE\",\"HOLD\"],\"sw\":\"13.4.0\",\"t\":\"kettle\",\"ft\":\"%prefix%/%topic%/\"," \
	"\"tp\":[\"cmnd\",\"stat\",\"tele\"]" more ",\"ver\":1}"
#define ONE_RELAY ",\"rl\":[1,0,0,0,0,0,0,0],\"lt_st\":0"
#define TWO_RELAYS ",\"rl\":[1,1,0,0,0,0,0,0],\"lt_st\":0"
#define WHITE_LIGHT ",\"rl\":[2,0,0,0,0,0,0,0],\"lt_st\":2"
#define COLOR_LIGHT ",\"rl\":[1,2,0,0,0,0,0,0],\"lt_st\":5"
#define SHUTTER ",\"rl\":[3,3,0,0,0,0,0,0],\"lt_st\":0"

static const char sensors[] =
	"{\"sn\":{\"Time\":\"2026-11-23T07:00:00\",\"ENERGY\":{\"TotalStartTime\":\"2026-01-01T00:00:00\",\"Total\":3.185,"
	"\"Yesterday\":0.1,\"Today\":0.2,\"Power\":12,\"ApparentPower\":13,\"ReactivePower\":1,\"Factor\":0.9,\"Voltage\":230,"
	"\"Current\":0.05},\"AM2301\":{\"Temperature\":21.5,\"Humidity\":48.1,\"DewPoint\":10.1},\"TempUnit\":\"C\"},\"ver\":1}";

static struct lan_device *made(const char *config)
{
	struct lan_device *device = NULL;

	check_ok(tasmota_config(mac, config, strlen(config), &device));
	return device;
}

static void test_config(void **state)
{
	struct lan_device *d = made(CONFIG(ONE_RELAY));
	const struct trait *relay = lan_device_trait(d, 1, CAP_ON_OFF);

	(void)state;
	check_text(d->name, "Kettle");
	check_text(d->topic, "kettle");
	check_text(d->model, "Sonoff S31");
	check_text(d->firmware, "13.4.0");
	check_bytes(d->hw.bytes, d->hw.len, mac, 6);
	check_true(d->ready);
	assert_non_null(relay);
	check_text(relay->key, "POWER");
	assert_null(lan_device_trait(d, 2, CAP_ON_OFF));
	assert_non_null(lan_device_trait(d, 1, CAP_RSSI));
	lan_device_free(d);

	d = made(CONFIG(TWO_RELAYS));
	check_text(lan_device_trait(d, 1, CAP_ON_OFF)->key, "POWER1");
	check_text(lan_device_trait(d, 2, CAP_ON_OFF)->key, "POWER2");
	lan_device_free(d);

	d = made(CONFIG(WHITE_LIGHT));
	assert_non_null(lan_device_trait(d, 1, CAP_LEVEL));
	assert_non_null(lan_device_trait(d, 1, CAP_COLOR_TEMPERATURE));
	lan_device_free(d);

	d = made(CONFIG(COLOR_LIGHT));
	assert_null(lan_device_trait(d, 1, CAP_LEVEL));
	assert_non_null(lan_device_trait(d, 2, CAP_LEVEL));
	check_uint(d->left_out, 1);
	lan_device_free(d);

	d = made(CONFIG(SHUTTER));
	assert_null(lan_device_trait(d, 1, CAP_ON_OFF));
	check_uint(d->left_out, 2);
	lan_device_free(d);
}

struct bad_row {
	const char *from, *to;
	int error;
};
/* One change each to a good announcement. */
static const struct bad_row bad_rows[] = {
	{ "\"mac\":\"AABBCCDDEEFF\"", "\"mac\":\"AABBCCDDEEFE\"", TASMOTA_E_TOPIC }, /* another one's */
	{ "\"mac\":\"AABBCCDDEEFF\"", "\"mac\":7", TASMOTA_E_TOPIC },
	{ "\"t\":\"kettle\"", "\"t\":\"a/b\"", TASMOTA_E_TOPIC },
	{ "\"t\":\"kettle\"", "\"t\":\"+\"", TASMOTA_E_TOPIC },
	{ "\"t\":\"kettle\"", "\"t\":\"\"", TASMOTA_E_TOPIC },
	{ "\"t\":\"kettle\"", "\"t\":[]", TASMOTA_E_TOPIC },
	{ "%prefix%/%topic%/", "%topic%/%prefix%/", TASMOTA_E_TOPIC },
	{ "\"tp\":[\"cmnd\"", "\"tp\":[\"zigbee2mqtt\"", TASMOTA_E_TOPIC },
	{ "\"onln\":\"Online\"", "\"onln\":1", TASMOTA_E_TYPE },
	{ "\"ofln\":\"Offline\"", "\"ofln\":\"a word that is longer than any\"", TASMOTA_E_TYPE },
	{ "{\"ip\"", "[{\"ip\"", TASMOTA_E_MALFORMED },
};

static void test_config_refused(void **state)
{
	static const char good[] = CONFIG(ONE_RELAY);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad_rows); i++) {
		const struct bad_row *row = &bad_rows[i];
		const char *at = strstr(good, row->from);
		struct lan_device *d = NULL;
		char text[2048];

		print_message("%s\n", row->to);
		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, row->to, at + strlen(row->from));
		check_int(tasmota_config(mac, text, strlen(text), &d), row->error);
		assert_null(d);
	}
}

static void test_sizes(void **state)
{
	char *big = calloc(1, TASMOTA_BYTES_MAX + 1);
	struct lan_device *d = NULL;
	struct json *json = NULL;

	(void)state;
	assert_non_null(big);
	check_int(tasmota_config(mac, big, TASMOTA_BYTES_MAX + 1, &d), TASMOTA_E_SIZE);
	check_int(tasmota_state(big, TASMOTA_BYTES_MAX + 1, &json), TASMOTA_E_SIZE);
	check_int(tasmota_state(big, TASMOTA_BYTES_MAX, &json), TASMOTA_E_MALFORMED);
	check_int(tasmota_state("[]", 2, &json), TASMOTA_E_TYPE);
	free(big);
}

/* More relays than Tasmota has are not looked at. */
static void test_relays_max(void **state)
{
	struct lan_device *d = made(CONFIG(",\"rl\":[1,1,1,1,1,1,1,1,1,1],\"lt_st\":0"));

	(void)state;
	assert_non_null(lan_device_trait(d, TASMOTA_RELAYS_MAX, CAP_ON_OFF));
	assert_null(lan_device_trait(d, TASMOTA_RELAYS_MAX + 1, CAP_ON_OFF));
	lan_device_free(d);
}

static double reading(const struct lan_device *d, const char *text, uint16_t cap)
{
	struct lan_reading readings[LAN_TRAITS_MAX];
	struct json *json = NULL;
	double number = -1000;
	uint32_t bad = 0;
	size_t n;

	check_ok(tasmota_state(text, strlen(text), &json));
	n = lan_device_read(d, json, readings, &bad);
	for (size_t i = 0; i < n; i++) {
		const struct gwa_value *v = &readings[i].value;

		if (readings[i].trait->row->cap == cap)
			number = v->type == GWA_T_REAL ? v->v.f : (double)v->v.i;
	}
	json_free(json);
	return bad ? -2000 : number;
}

static void test_sensors(void **state)
{
	struct lan_device *d = made(CONFIG(ONE_RELAY));
	static const char said[] = "{\"Time\":\"x\",\"ENERGY\":{\"Total\":4.5,\"Power\":40,\"Voltage\":231,\"Current\":0.2,"
				   "\"Factor\":1},\"AM2301\":{\"Temperature\":22.5,\"Humidity\":50},\"TempUnit\":\"C\"}";

	(void)state;
	check_ok(tasmota_sensors(d, sensors, strlen(sensors)));
	check_uint(d->left_out, 6);
	check_near(reading(d, said, CAP_POWER), 40, 1e-9);
	check_near(reading(d, said, CAP_ENERGY), 4.5, 1e-9);
	check_near(reading(d, said, CAP_TEMPERATURE), 22.5, 1e-9);
	check_near(reading(d, said, CAP_HUMIDITY), 50, 1e-9);
	check_near(reading(d, "{\"ENERGY\":{\"Power\":[1,2]}}", CAP_POWER), -2000, 1e-9);
	check_near(reading(d, "{\"ENERGY\":3}", CAP_POWER), -1000, 1e-9);
	check_int(tasmota_sensors(d, "{}", 2), TASMOTA_E_TYPE);
	check_int(tasmota_sensors(d, "{\"sn\":[]}", 9), TASMOTA_E_TYPE);
	lan_device_free(d);
}

/* Fahrenheit is not Celsius: left out. */
static void test_units(void **state)
{
	static const char hot[] = "{\"sn\":{\"BME280\":{\"Temperature\":70,\"Pressure\":29.9},\"TempUnit\":\"F\","
				  "\"PressureUnit\":\"inHg\"}}";
	struct lan_device *d = made(CONFIG(ONE_RELAY));

	(void)state;
	check_ok(tasmota_sensors(d, hot, strlen(hot)));
	assert_null(lan_device_trait(d, 1, CAP_TEMPERATURE));
	assert_null(lan_device_trait(d, 1, CAP_PRESSURE));
	check_uint(d->left_out, 2);
	lan_device_free(d);
}

static void test_state(void **state)
{
	struct lan_device *d = made(CONFIG(WHITE_LIGHT));
	static const char said[] = "{\"Time\":\"x\",\"Uptime\":\"0T01\",\"UptimeSec\":3600,\"POWER\":\"ON\",\"Dimmer\":40,\"CT\":300,"
				   "\"Wifi\":{\"AP\":1,\"RSSI\":90,\"Signal\":-55}}";
	struct json *json = NULL;
	struct gwa_value value;

	(void)state;
	check_near(reading(d, said, CAP_ON_OFF), 1, 0);
	check_near(reading(d, said, CAP_LEVEL), 40, 0);
	check_near(reading(d, said, CAP_COLOR_TEMPERATURE), 300, 0);
	check_near(reading(d, said, CAP_RSSI), -55, 0);
	check_near(reading(d, said, CAP_UPTIME), 3600, 0);
	check_ok(tasmota_power("POWER", "OFF", 3, &json));
	check_ok(trait_read(lan_device_trait(d, 1, CAP_ON_OFF), json, &value));
	check_int(value.v.i, 0);
	json_free(json);
	check_int(tasmota_power("POWER", "\xff", 1, &json), TASMOTA_E_TYPE);
	check_int(tasmota_power("POWER", "a word that is longer than any", 30, &json), TASMOTA_E_TYPE);
	lan_device_free(d);
}

static void test_will(void **state)
{
	struct lan_device *d = made(CONFIG(ONE_RELAY));
	bool online = false;

	(void)state;
	check_ok(tasmota_online(d, "Online", 6, &online));
	check_true(online);
	check_ok(tasmota_online(d, "Offline", 7, &online));
	check_true(!online);
	check_int(tasmota_online(d, "online", 6, &online), TASMOTA_E_TYPE);
	check_int(tasmota_online(d, "", 0, &online), TASMOTA_E_TYPE);
	lan_device_free(d);
}

static void test_orders(void **state)
{
	struct lan_device *d = made(CONFIG(COLOR_LIGHT));
	struct gwa_value on = { .type = GWA_T_BOOL, .v.i = 1 }, level = { .type = GWA_T_INT, .v.i = 30 };
	char topic[LAN_TOPIC_MAX], *payload = NULL;

	(void)state;
	check_ok(tasmota_order(d, lan_device_trait(d, 2, CAP_ON_OFF), &on, topic, &payload));
	check_text(topic, "cmnd/kettle/POWER2");
	check_text(payload, "ON");
	free(payload);
	check_ok(tasmota_order(d, lan_device_trait(d, 2, CAP_LEVEL), &level, topic, &payload));
	check_text(topic, "cmnd/kettle/Dimmer");
	check_text(payload, "30");
	free(payload);
	level.v.i = 400;
	check_int(tasmota_order(d, lan_device_trait(d, 2, CAP_LEVEL), &level, topic, &payload), TRAIT_E_VALUE);
	lan_device_free(d);
}

static void test_mac(void **state)
{
	uint8_t got[6];

	(void)state;
	check_ok(tasmota_mac("AABBCCDDEEFF", 12, got));
	check_bytes(got, 6, mac, 6);
	check_int(tasmota_mac("aabbccddeeff", 12, got), TASMOTA_E_TYPE);
	check_int(tasmota_mac("AABBCCDDEEF", 11, got), TASMOTA_E_TYPE);
	check_int(tasmota_mac("AABBCCDDEEFG", 12, got), TASMOTA_E_TYPE);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_config),	  cmocka_unit_test(test_config_refused),
		cmocka_unit_test(test_sizes),	  cmocka_unit_test(test_relays_max),
		cmocka_unit_test(test_sensors),	  cmocka_unit_test(test_units),
		cmocka_unit_test(test_state),	  cmocka_unit_test(test_will),
		cmocka_unit_test(test_orders),	  cmocka_unit_test(test_mac),
	};

	return CHECK_RUN(rows);
}
