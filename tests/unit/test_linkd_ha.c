/* Home Assistant's payloads: which entities a device is, discovery by the letter, states, and what commands may be. */
#include "check.h"

#include "linkd/ha_codec.h"
#include "linkd/ha_entity.h"
#include "linkd/ha_sweep.h"
#include "sys/json.h"

#define ID "0123456789abcdef00000001"
static const struct device_id id = { { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0, 0, 0, 1 } };

enum { R = ACCESS_READ | ACCESS_REPORT, RW = R | ACCESS_WRITE };

static const struct capability_desc bulb[] = {
	{ .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = RW },
	{ .id = CAP_LEVEL, .type = VALUE_INT, .access = RW },
	{ .id = CAP_COLOR_TEMPERATURE, .type = VALUE_INT, .access = RW, .min = 150, .max = 500 },
	{ .id = CAP_COLOR_HUE, .type = VALUE_INT, .access = RW },
	{ .id = CAP_COLOR_SATURATION, .type = VALUE_INT, .access = RW },
	{ .id = CAP_LINK_QUALITY, .type = VALUE_INT, .access = R },
};
static const struct capability_desc blind[] = {
	{ .id = CAP_COVER_POSITION, .type = VALUE_INT, .access = RW },
	{ .id = CAP_COVER_MOVE, .type = VALUE_TEXT, .access = RW },
	{ .id = CAP_COVER_TILT, .type = VALUE_INT, .access = RW },
};
static const struct capability_desc door[] = {
	{ .id = CAP_LOCK_STATE, .type = VALUE_TEXT, .access = RW },
	{ .id = CAP_CONTACT, .type = VALUE_BOOL, .access = R },
	{ .id = CAP_DOOR_STATE, .type = VALUE_TEXT, .access = R },
	{ .id = CAP_BATTERY, .type = VALUE_REAL, .access = R },
	{ .id = CAP_SIREN, .type = VALUE_BOOL, .access = RW },
	{ .id = CAP_VALVE, .type = VALUE_BOOL, .access = RW },
};
static const struct capability_desc heating[] = {
	{ .id = CAP_TARGET_TEMPERATURE, .type = VALUE_REAL, .access = RW, .min = 5000, .max = 30000, .step = 500 },
	{ .id = CAP_THERMOSTAT_MODE, .type = VALUE_TEXT, .access = RW },
	{ .id = CAP_TEMPERATURE, .type = VALUE_REAL, .access = R },
	{ .id = CAP_FAN_MODE, .type = VALUE_TEXT, .access = RW },
	{ .id = 0x8001, .type = VALUE_REAL, .access = RW, .min = 0, .max = 10000, .step = 0 },
	{ .id = 0x8002, .type = VALUE_BYTES, .access = RW },
};
static const struct endpoint_desc endpoints[] = {
	{ .id = 1, .n_caps = 6, .caps = bulb },
	{ .id = 2, .n_caps = 3, .caps = blind },
	{ .id = 3, .n_caps = 6, .caps = door },
	{ .id = 4, .n_caps = 6, .caps = heating },
};
static const struct device_desc everything = { .vendor = "Acme", .model = "", .firmware = "2", .name = "\"All\"", .n_endpoints = 4,
					       .endpoints = endpoints };

static struct ha_topics topics(void)
{
	struct ha_topics t;

	check_int(ha_topics_init(&t, "gatewayd", "homeassistant", "gateway home"), 0);
	return t;
}

static void topics_have_only_identities(void **state)
{
	struct ha_topics t = topics();
	char topic[HA_TOPIC_LEN], longest[MQTT_TOPIC_MAX + 1];

	(void)state;
	check_text(t.gateway, "gatewayd_gateway_home");
	check_text(t.commands, "gatewayd/device/+/set/+");
	check_text(t.status, "homeassistant/status");
	ha_config_topic(&t, id, topic);
	check_text(topic, "homeassistant/device/gwd_" ID "/config");
	ha_device_topic(&t, id, "state/light", topic);
	check_text(topic, "gatewayd/device/" ID "/state/light");
	memset(longest, 'x', MQTT_TOPIC_MAX);
	longest[MQTT_TOPIC_MAX] = '\0';
	check_int(ha_topics_init(&t, longest, "h", "c"), -ENAMETOOLONG);
}

static void objects_are_stable(void **state)
{
	static const struct {
		const char *object;
		enum ha_platform platform;
		bool is_main;
	} want[] = {
		{ "light", HA_LIGHT, true },	    { "link_quality", HA_SENSOR, false }, { "cover_2", HA_COVER, false },
		{ "cover_tilt_2", HA_NUMBER, false }, { "lock_state_3", HA_LOCK, false }, { "contact_3", HA_BINARY, false },
		{ "door_state_3", HA_SENSOR, false }, { "battery_3", HA_SENSOR, false }, { "siren_3", HA_SWITCH, false },
		{ "valve_3", HA_VALVE, false },	    { "climate_4", HA_CLIMATE, false },	  { "temperature_4", HA_SENSOR, false },
		{ "fan_mode_4", HA_SELECT, false }, { "vendor_8001_4", HA_NUMBER, false },
	};
	struct ha_entity entities[HA_ENTITIES_MAX];
	size_t n = ha_entities(&everything, entities);

	(void)state;
	check_uint(n, N_ELEMENTS(want));
	for (size_t i = 0; i < n; i++) {
		check_text(entities[i].object, want[i].object);
		check_int(entities[i].platform, want[i].platform);
		check_int(entities[i].is_main, want[i].is_main);
		check_true(strlen(entities[i].object) < HA_OBJECT_MAX);
	}
}

static void a_lamp_that_is_only_read_is_no_lamp(void **state)
{
	const struct capability_desc caps[] = { { .id = CAP_ON_OFF, .type = VALUE_BOOL, .access = R },
						{ .id = CAP_LEVEL, .type = VALUE_INT, .access = RW } };
	const struct endpoint_desc endpoint = { .id = 1, .n_caps = 2, .caps = caps };
	const struct device_desc desc = { .n_endpoints = 1, .endpoints = &endpoint };
	struct ha_entity entities[HA_ENTITIES_MAX];

	(void)state;
	check_uint(ha_entities(&desc, entities), 2);
	check_int(entities[0].platform, HA_BINARY);
	check_int(entities[1].platform, HA_NUMBER);
}

static struct json *discovery(void)
{
	struct known known = { .id = id, .room = "Hall", .desc = (struct device_desc *)(uintptr_t)&everything };
	struct ha_topics t = topics();
	struct jsonw w = { 0 };
	struct json *json;

	ha_put_device(&w, &t, &known);
	check_true(!w.bad);
	check_int(json_parse(w.data, w.len, w.len, 8, NULL, 0, &json), 0);
	jsonw_deinit(&w);
	return json;
}

static void check_component(const struct json *config, const char *object, const char *want)
{
	char *text = NULL;

	check_ok(json_print(json_get(json_get(config, "cmps"), object), &text, NULL));
	check_text(text, want);
	free(text);
}

#define COMMON(p, name, object) "{\"p\":\"" p "\",\"name\":" name ",\"uniq_id\":\"gwd_" ID "_" object "\","
#define SET(object) "\"cmd_t\":\"gatewayd/device/" ID "/set/" object "\","
#define TPL(object) "\"val_tpl\":\"{{ value_json." object " }}\""

static void discovery_by_the_letter(void **state)
{
	struct json *config = discovery();
	char *text = NULL;

	(void)state;
	check_component(config, "light",
			COMMON("light", "null", "light") SET("light") "\"schema\":\"json\",\"stat_t\":\"gatewayd/device/" ID
			"/state/light\",\"brightness\":true,\"bri_scl\":100,\"sup_clrm\":[\"color_temp\",\"hs\"],\"min_mirs\":150,"
			"\"max_mirs\":500}");
	check_component(config, "link_quality",
			COMMON("sensor", "\"Link quality\"", "link_quality") "\"ent_cat\":\"diagnostic\"," TPL("link_quality")
			",\"unit_of_meas\":\"lqi\",\"stat_cla\":\"measurement\"}");
	check_component(config, "cover_2",
			COMMON("cover", "\"Cover 2\"", "cover_2") SET("cover_2") TPL("cover_2") ",\"set_pos_t\":\"gatewayd/device/" ID
			"/set/cover_2_position\",\"pos_t\":\"gatewayd/device/" ID
			"/state\",\"pos_tpl\":\"{{ value_json.cover_2_position }}\"}");
	check_component(config, "cover_tilt_2",
			COMMON("number", "\"Tilt 2\"", "cover_tilt_2") SET("cover_tilt_2") TPL("cover_tilt_2")
			",\"unit_of_meas\":\"%\",\"min\":0,\"max\":100,\"step\":1}");
	check_component(config, "lock_state_3", COMMON("lock", "\"Lock 3\"", "lock_state_3") SET("lock_state_3") TPL("lock_state_3") "}");
	check_component(config, "contact_3",
			COMMON("binary_sensor", "\"Opening 3\"", "contact_3") "\"dev_cla\":\"opening\"," TPL("contact_3")
			",\"pl_on\":\"ON\",\"pl_off\":\"OFF\"}");
	check_component(config, "door_state_3",
			COMMON("sensor", "\"Door 3\"", "door_state_3") "\"dev_cla\":\"enum\"," TPL("door_state_3")
			",\"ops\":[\"open\",\"closed\",\"opening\",\"closing\",\"ajar\",\"jammed\",\"forced-open\"]}");
	check_component(config, "battery_3",
			COMMON("sensor", "\"Battery 3\"", "battery_3") "\"dev_cla\":\"battery\",\"ent_cat\":\"diagnostic\"," TPL("battery_3")
			",\"unit_of_meas\":\"%\",\"stat_cla\":\"measurement\"}");
	check_component(config, "climate_4",
			COMMON("climate", "\"Climate 4\"", "climate_4") "\"temp_cmd_t\":\"gatewayd/device/" ID
			"/set/climate_4_temperature\",\"temp_stat_t\":\"gatewayd/device/" ID
			"/state\",\"temp_stat_tpl\":\"{{ value_json.climate_4_temperature }}\",\"curr_temp_t\":\"gatewayd/device/" ID
			"/state\",\"curr_temp_tpl\":\"{{ value_json.temperature_4 }}\",\"mode_cmd_t\":\"gatewayd/device/" ID
			"/set/climate_4_mode\",\"mode_stat_t\":\"gatewayd/device/" ID
			"/state\",\"mode_stat_tpl\":\"{{ value_json.climate_4_mode }}\",\"modes\":[\"off\",\"auto\",\"cool\",\"heat\",\"fan_only\","
			"\"dry\"],\"min_temp\":5,\"max_temp\":30,\"temp_step\":0.5,\"temp_unit\":\"C\"}");
	check_component(config, "fan_mode_4",
			COMMON("select", "\"Fan mode 4\"", "fan_mode_4") SET("fan_mode_4") TPL("fan_mode_4")
			",\"ops\":[\"off\",\"low\",\"medium\",\"high\",\"on\",\"auto\",\"smart\"]}");
	check_ok(json_print(json_get(config, "dev"), &text, NULL));
	check_text(text, "{\"ids\":[\"gwd_" ID "\"],\"name\":\"\\\"All\\\"\",\"mf\":\"Acme\",\"sw\":\"2\",\"sa\":\"Hall\","
			 "\"via_device\":\"gatewayd_gateway_home\"}");
	check_text(json_get_text(config, "avty_mode"), "all");
	check_uint(json_len(json_get(config, "avty")), 2);
	free(text);
	json_free(config);
}

static void set(struct known *known, uint8_t endpoint, uint16_t cap, struct value value)
{
	assert_non_null(known_value(known, endpoint, cap));
	check_ok(value_box_set(known_value(known, endpoint, cap), &value));
}

static void check_state(struct known *known, const char *want)
{
	struct ha_entity entities[HA_ENTITIES_MAX];
	struct jsonw w = { 0 };

	ha_put_state(&w, known, entities, ha_entities(known->desc, entities));
	check_text(w.data, want);
	jsonw_deinit(&w);
}

static void check_light(struct known *known, const char *want)
{
	struct ha_entity entities[HA_ENTITIES_MAX];
	struct jsonw w = { 0 };

	ha_entities(known->desc, entities);
	check_int(ha_put_light(&w, known, &entities[0]), want != NULL);
	if (want)
		check_text(w.data, want);
	jsonw_deinit(&w);
}

static struct devices *with_everything(struct known **ret)
{
	struct wire_msg msg = { .type = WIRE_LINK_DEVICE };
	struct devices *devices;

	msg.link_device.id = id;
	msg.link_device.desc = &everything;
	check_ok(devices_new(&devices));
	check_ok(devices_put(devices, &msg, ret));
	return devices;
}

static void states(void **state)
{
	struct known *known;
	struct devices *devices = with_everything(&known);

	(void)state;
	check_state(known, "{}");
	check_light(known, NULL);
	set(known, 1, CAP_ON_OFF, value_bool(true));
	check_light(known, "{\"state\":\"ON\",\"color_mode\":\"brightness\"}");
	set(known, 1, CAP_LEVEL, value_int(40));
	set(known, 1, CAP_COLOR_HUE, value_int(120));
	set(known, 1, CAP_COLOR_SATURATION, value_int(90));
	check_light(known, "{\"state\":\"ON\",\"brightness\":40,\"color_mode\":\"hs\",\"color\":{\"h\":120,\"s\":90}}");
	set(known, 1, CAP_COLOR_TEMPERATURE, value_int(370));
	check_light(known, "{\"state\":\"ON\",\"brightness\":40,\"color_mode\":\"color_temp\",\"color_temp\":370}");
	set(known, 2, CAP_COVER_MOVE, value_text("close"));
	check_state(known, "{\"cover_2\":\"closing\"}");
	set(known, 2, CAP_COVER_POSITION, value_int(0));
	set(known, 3, CAP_LOCK_STATE, value_text("unlocked"));
	set(known, 3, CAP_CONTACT, value_bool(true));
	set(known, 3, CAP_BATTERY, value_real(87.5));
	set(known, 3, CAP_SIREN, value_bool(false));
	set(known, 3, CAP_VALVE, value_bool(true));
	set(known, 4, CAP_TARGET_TEMPERATURE, value_real(21.5));
	set(known, 4, CAP_THERMOSTAT_MODE, value_text("emergency-heat"));
	check_state(known, "{\"cover_2\":\"closed\",\"cover_2_position\":0,\"lock_state_3\":\"UNLOCKED\",\"contact_3\":\"OFF\","
			   "\"battery_3\":87.5,\"siren_3\":\"OFF\",\"valve_3\":\"open\",\"climate_4_temperature\":21.5,"
			   "\"climate_4_mode\":\"heat\"}");
	devices_free(devices);
}

static void check_order(const struct ha_order *order, uint16_t cap, uint8_t endpoint, const char *want)
{
	char text[64];

	value_print(&order->value, text, sizeof(text));
	check_int(order->cap, cap);
	check_int(order->endpoint, endpoint);
	check_text(text, want);
}

static void commands(void **state)
{
	static const struct {
		const char *object, *payload;
		uint16_t cap;
		uint8_t endpoint;
		const char *want;
	} rows[] = {
		{ "light", "{\"state\":\"OFF\",\"brightness\":7}", CAP_ON_OFF, 1, "false" },
		{ "cover_2", "OPEN", CAP_COVER_MOVE, 2, "\"open\"" },
		{ "cover_2", "STOP", CAP_COVER_MOVE, 2, "\"stop\"" },
		{ "cover_2_position", "42", CAP_COVER_POSITION, 2, "42" },
		{ "cover_tilt_2", "10.0", CAP_COVER_TILT, 2, "10" },
		{ "lock_state_3", "UNLOCK", CAP_LOCK_STATE, 3, "\"unlocked\"" },
		{ "siren_3", "ON", CAP_SIREN, 3, "true" },
		{ "valve_3", "CLOSE", CAP_VALVE, 3, "false" },
		{ "climate_4_temperature", "21.5", CAP_TARGET_TEMPERATURE, 4, "21.5" },
		{ "climate_4_mode", "fan_only", CAP_THERMOSTAT_MODE, 4, "\"fan-only\"" },
		{ "fan_mode_4", "smart", CAP_FAN_MODE, 4, "\"smart\"" },
		{ "vendor_8001_4", "3", 0x8001, 4, "3" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct ha_orders orders;

		if (ha_read_command(&everything, rows[i].object, rows[i].payload, strlen(rows[i].payload), &orders))
			fail_msg("%s %s: %s", rows[i].object, rows[i].payload, orders.why);
		check_uint(orders.n, 1);
		check_order(&orders.all[0], rows[i].cap, rows[i].endpoint, rows[i].want);
	}
}

static void a_light_may_want_several_things(void **state)
{
	static const char payload[] =
		"{\"state\":\"ON\",\"brightness\":55,\"color_temp\":370,\"color\":{\"h\":10.4,\"s\":20.6},\"transition\":2,\"flash\":\"short\"}";
	struct ha_orders orders;

	(void)state;
	check_int(ha_read_command(&everything, "light", payload, strlen(payload), &orders), 0);
	check_uint(orders.n, HA_ORDERS_MAX);
	check_order(&orders.all[0], CAP_ON_OFF, 1, "true");
	check_order(&orders.all[1], CAP_LEVEL, 1, "55");
	check_order(&orders.all[2], CAP_COLOR_TEMPERATURE, 1, "370");
	check_order(&orders.all[3], CAP_COLOR_HUE, 1, "10");
	check_order(&orders.all[4], CAP_COLOR_SATURATION, 1, "21");
}

static void refuses_what_it_does_not_know(void **state)
{
	static const struct {
		const char *object, *payload;
		int want;
	} rows[] = {
		{ "light", "ON", HA_E_MALFORMED },
		{ "light", "{\"state\":\"on\"}", HA_E_VALUE },
		{ "light", "{\"brightness\":5}", HA_E_MALFORMED },
		{ "light", "{\"state\":\"ON\",\"brightness\":101}", HA_E_MALFORMED },
		{ "light", "{\"state\":\"ON\",\"effect\":\"x\"}", HA_E_MALFORMED },
		{ "light", "{\"state\":\"ON\",\"color\":{\"r\":1}}", HA_E_MALFORMED },
		{ "light", "{\"state\":\"ON\",\"color\":[[[[[[[[[[1]]]]]]]]]]}", HA_E_MALFORMED },
		{ "light_position", "1", HA_E_TOPIC },
		{ "cover_2", "open", HA_E_VALUE },
		{ "cover_2_position", "x", HA_E_VALUE },
		{ "cover_2_position", "1.5", HA_E_VALUE },
		{ "cover_2_mode", "auto", HA_E_TOPIC },
		{ "cover_2_positions", "1", HA_E_TOPIC },
		{ "cover", "OPEN", HA_E_TOPIC },
		{ "lock_state_3", "OPEN", HA_E_VALUE },
		{ "lock_state_3", "", HA_E_VALUE },
		{ "lock_state_3", "\xff", HA_E_VALUE },
		{ "contact_3", "ON", HA_E_TOPIC },
		{ "battery_3", "1", HA_E_TOPIC },
		{ "climate_4", "heat", HA_E_TOPIC },
		{ "climate_4_mode", "sleep", HA_E_VALUE },
		{ "fan_mode_4", "off|low", HA_E_VALUE },
		{ "on_off", "ON", HA_E_TOPIC },
		{ "", "ON", HA_E_TOPIC },
		{ "vendor_8002_4", "00", HA_E_TOPIC },
		{ "vendor_8001_4", "nan", HA_E_VALUE },
	};
	struct ha_orders orders;
	char *large = calloc(1, HA_PAYLOAD_MAX + 1);

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (ha_read_command(&everything, rows[i].object, rows[i].payload, strlen(rows[i].payload), &orders) != rows[i].want)
			fail_msg("%s %s", rows[i].object, rows[i].payload);
		check_true(orders.why[0]);
	}
	check_int(ha_read_command(&everything, "light", large, HA_PAYLOAD_MAX + 1, &orders), HA_E_MALFORMED);
	memset(large, '[', HA_DEPTH_MAX + 1);
	check_int(ha_read_command(&everything, "light", large, HA_DEPTH_MAX + 1, &orders), HA_E_MALFORMED);
	free(large);
}

static void command_topics(void **state)
{
	static const char *const bad[] = { "gatewayd/device/" ID "/set", "gatewayd/device/" ID "/set/", "gatewayd/device/" ID "/get/light",
					   "gatewayd/device/0123/set/light", "other/device/" ID "/set/light", "gatewayd/device/" ID "/set/a/b",
					   "gatewayd/device/0123456789abcdef0000000g/set/x", "gatewaydx/device/" ID "/set/x", "gatewayd", "" };
	struct ha_topics t = topics();
	struct device_id got;
	const char *object;

	(void)state;
	check_int(ha_read_topic(&t, "gatewayd/device/" ID "/set/light", &got, &object), 0);
	check_true(device_id_equal(got, id));
	check_text(object, "light");
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		if (ha_read_topic(&t, bad[i], &got, &object) != HA_E_TOPIC)
			fail_msg("taken: %s", bad[i]);
}

static void the_gateway_is_a_device(void **state)
{
	struct ha_topics t = topics();
	struct jsonw w = { 0 };
	struct json *json;

	(void)state;
	ha_put_gateway(&w, &t);
	check_int(json_parse(w.data, w.len, w.len, 8, NULL, 0, &json), 0);
	check_text(json_get_text(json_get(json_get(json, "cmps"), "connection"), "stat_t"), "gatewayd/bridge/state");
	check_text(json_get_text(json_get(json_get(json, "cmps"), "queued"), "val_tpl"), "{{ value_json.spool_queued }}");
	json_free(json);
	jsonw_deinit(&w);
}

static void only_our_own_is_swept(void **state)
{
	static const struct {
		const char *topic, *payload;
		bool heard, ours;
	} rows[] = {
		{ "homeassistant/device/gwd_" ID "/config", "{\"dev\":{\"via_device\":\"gatewayd_gateway_home\"}}", true, true },
		{ "homeassistant/device/gwd_" ID "/config", "{\"dev\":{\"via_device\":\"gatewayd_other\"}}", true, false },
		{ "homeassistant/device/gwd_" ID "/config", "{\"dev\":{}}", true, false },
		{ "homeassistant/device/gwd_" ID "/config", "[[[[[[[[[[", true, false },
		{ "homeassistant/device/gwd_" ID "/config", "", true, false },
		{ "homeassistant/device/gwd_" ID "/configs", "{\"dev\":{\"via_device\":\"gatewayd_gateway_home\"}}", true, false },
		{ "homeassistant/device/gwd_0123456789abcdef0000000g/config", "{\"dev\":{\"via_device\":\"gatewayd_gateway_home\"}}", true, false },
		{ "homeassistant/device/zigbee/config", "{\"dev\":{\"via_device\":\"gatewayd_gateway_home\"}}", true, false },
		{ "gatewayd/device/" ID "/set/light", "ON", false, false },
	};
	struct ha_topics t = topics();
	struct ha_sweep sweep = { .topics = &t, .listening = true };
	struct mqtt_message message = { .retained = true };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t before = sweep.n;

		message.topic = rows[i].topic;
		message.payload = rows[i].payload;
		message.len = strlen(rows[i].payload);
		check_int(ha_sweep_hear(&sweep, &message), rows[i].heard);
		check_uint(sweep.n - before, rows[i].ours);
	}
	message = (struct mqtt_message){ .topic = rows[0].topic, .payload = rows[0].payload, .len = strlen(rows[0].payload) };
	check_true(ha_sweep_hear(&sweep, &message));
	check_uint(sweep.n, 1);
	message.retained = true;
	for (int i = 0; i < HA_SWEEP_MAX + 5; i++)
		check_true(ha_sweep_hear(&sweep, &message));
	check_uint(sweep.n, HA_SWEEP_MAX);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(topics_have_only_identities),
		cmocka_unit_test(objects_are_stable),
		cmocka_unit_test(a_lamp_that_is_only_read_is_no_lamp),
		cmocka_unit_test(discovery_by_the_letter),
		cmocka_unit_test(states),
		cmocka_unit_test(commands),
		cmocka_unit_test(a_light_may_want_several_things),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(command_topics),
		cmocka_unit_test(the_gateway_is_a_device),
		cmocka_unit_test(only_our_own_is_swept),
	};
	return CHECK_RUN(rows);
}
