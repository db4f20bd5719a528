/* A status by the table: what a device is, what it says, what it is told; skeletons; limits. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include "base/text.h"
#include "model/capability.h"
#include "shelly/status.h"

#define PLUS_1PM                                                                                                       \
	"{\"ble\":{},\"cloud\":{\"connected\":false},\"input:0\":{\"id\":0,\"state\":false},\"mqtt\":{\"connected\":false},"     \
	"\"switch:0\":{\"id\":0,\"source\":\"init\",\"output\":true,\"apower\":8.9,\"voltage\":237.5,\"current\":0.067,"          \
	"\"pf\":0.56,\"freq\":50.0,\"aenergy\":{\"total\":6532,\"by_minute\":[45.1,47.1,88.3],\"minute_ts\":1626935779},"          \
	"\"temperature\":{\"tC\":41.5,\"tF\":106.7}},\"sys\":{\"mac\":\"A8032ABE54DC\",\"uptime\":33},"                            \
	"\"wifi\":{\"sta_ip\":\"192.168.1.5\",\"status\":\"got ip\",\"rssi\":-52},\"ws\":{\"connected\":false}}"
#define PLUS_HT                                                                                                          \
	"{\"devicepower:0\":{\"id\":0,\"battery\":{\"V\":5.1,\"percent\":87},\"external\":{\"present\":false}},"                  \
	"\"humidity:0\":{\"id\":0,\"rh\":48.5},\"temperature:0\":{\"id\":0,\"tC\":21.3,\"tF\":70.3},\"ht_ui\":{},"                 \
	"\"sys\":{\"wakeup_reason\":{\"boot\":\"deepsleep_wake\",\"cause\":\"status_update\"},\"wakeup_period\":7200}}"
#define COVER                                                                                                            \
	"{\"cover:0\":{\"id\":0,\"state\":\"open\",\"apower\":0,\"voltage\":230,\"current\":0,\"pf\":0,\"freq\":50,"              \
	"\"aenergy\":{\"total\":1},\"current_pos\":100,\"target_pos\":null,\"slat_pos\":20,\"pos_control\":true}}"
#define BULB "{\"rgbw:0\":{\"id\":0,\"output\":true,\"rgb\":[255,0,0],\"brightness\":40,\"white\":0},\"cct:1\":{\"id\":1,\"output\":false,\"brightness\":5,\"ct\":4000}}"

static struct json *parsed(const char *text)
{
	struct json *json = NULL;

	check_ok(json_parse(text, strlen(text), 65536, 16, NULL, 0, &json));
	return json;
}

static struct status_map mapped(const char *text)
{
	struct json *json = parsed(text);
	struct status_map map = { 0 };

	check_ok(status_map(json, &map));
	json_free(json);
	return map;
}

struct want {
	uint8_t endpoint;
	uint16_t cap;
	double number;
	const char *word;
};

static void check_readings(struct status_map *map, const char *text, const struct want *want, size_t n_want)
{
	struct status_reading readings[STATUS_TRAITS_MAX];
	struct json *json = parsed(text);
	uint32_t bad = 9;
	size_t n = status_read(map, json, readings, &bad);

	check_uint(n, n_want);
	check_uint(bad, 0);
	for (size_t i = 0; i < n && i < n_want; i++) {
		check_uint(readings[i].endpoint, want[i].endpoint);
		check_uint(readings[i].cap, want[i].cap);
		if (want[i].word)
			check_bytes(readings[i].value.v.data, readings[i].value.len, want[i].word, strlen(want[i].word));
		else
			check_near(readings[i].value.type == GWA_T_REAL ? readings[i].value.v.f : (double)readings[i].value.v.i, want[i].number, 1e-9);
	}
	json_free(json);
}

static void a_plug(void **state)
{
	static const struct want whole[] = {
		{ 1, CAP_ON_OFF, 1, NULL },	{ 1, CAP_CONTACT, 0, NULL },   { 1, CAP_POWER, 8.9, NULL },
		{ 1, CAP_VOLTAGE, 237.5, NULL }, { 1, CAP_CURRENT, 0.067, NULL }, { 1, CAP_POWER_FACTOR, 0.56, NULL },
		{ 1, CAP_FREQUENCY, 50, NULL },	{ 1, CAP_ENERGY, 6.532, NULL }, { 1, CAP_RSSI, -52, NULL },
	};
	static const struct want part[] = { { 1, CAP_ON_OFF, 0, NULL }, { 1, CAP_POWER, 0, NULL } };
	struct status_map map = mapped(PLUS_1PM);

	(void)state;
	check_uint(map.left_out, 0);
	check_uint(map.sleep_s, 0);
	check_readings(&map, PLUS_1PM, whole, N_ELEMENTS(whole));
	check_readings(&map, "{\"ts\":1631186545.04,\"switch:0\":{\"id\":0,\"output\":false,\"apower\":0,\"source\":\"button\"}}", part, 2);
	check_readings(&map, "{\"ts\":1,\"switch:1\":{\"id\":1,\"output\":false},\"sys\":{}}", NULL, 0);
	status_map_deinit(&map);
}

static void a_sleeper(void **state)
{
	static const struct want whole[] = { { 1, CAP_TEMPERATURE, 21.3, NULL }, { 1, CAP_HUMIDITY, 48.5, NULL }, { 1, CAP_BATTERY, 87, NULL } };
	struct status_map map = mapped(PLUS_HT);

	(void)state;
	check_uint(map.sleep_s, 7200);
	check_readings(&map, PLUS_HT, whole, N_ELEMENTS(whole));
	/* A sensor that cannot say is silent, not wrong. */
	check_readings(&map, "{\"temperature:0\":{\"id\":0,\"tC\":null,\"tF\":null,\"errors\":[\"read\"]}}", NULL, 0);
	status_map_deinit(&map);
}

static void a_cover_moves(void **state)
{
	static const struct want whole[] = { { 1, CAP_COVER_POSITION, 100, NULL }, { 1, CAP_COVER_TILT, 20, NULL }, { 1, CAP_COVER_MOVE, 0, "stop" } };
	static const struct want down[] = { { 1, CAP_COVER_POSITION, 90, NULL }, { 1, CAP_COVER_MOVE, 0, "close" } };
	struct status_map map = mapped(COVER), blind;

	(void)state;
	check_readings(&map, "{\"cover:0\":{\"state\":\"stopped\",\"current_pos\":100,\"slat_pos\":20}}", whole, 3);
	check_readings(&map, "{\"cover:0\":{\"state\":\"closing\",\"current_pos\":90,\"target_pos\":0}}", down, 2);
	blind = mapped("{\"cover:0\":{\"id\":0,\"state\":\"stopped\",\"current_pos\":null,\"pos_control\":false}}");
	assert_null(status_find(&blind, 1, CAP_COVER_POSITION));
	assert_non_null(status_find(&blind, 1, CAP_COVER_MOVE));
	status_map_deinit(&blind);
	status_map_deinit(&map);
}

static void meters(void **state)
{
	struct status_map map = mapped("{\"em:0\":{\"id\":0,\"a_current\":4,\"a_voltage\":236,\"a_act_power\":951.2,\"a_pf\":0.97,\"a_freq\":50,"
				       "\"b_act_power\":-5.5,\"c_act_power\":1,\"n_current\":11,\"total_current\":12.3,\"total_act_power\":2413.8},"
				       "\"emdata:0\":{\"id\":0,\"a_total_act_energy\":1500,\"total_act\":4000},\"em1:3\":{\"act_power\":7},"
				       "\"em1data:3\":{\"total_act_energy\":2000},\"temperature:100\":{\"id\":100,\"tC\":5}}");

	(void)state;
	assert_non_null(status_find(&map, 1, CAP_POWER));
	assert_non_null(status_find(&map, 1, CAP_ENERGY));
	assert_non_null(status_find(&map, 11, CAP_VOLTAGE));
	assert_non_null(status_find(&map, 11, CAP_ENERGY));
	assert_non_null(status_find(&map, 21, CAP_POWER));
	assert_non_null(status_find(&map, 31, CAP_POWER));
	assert_non_null(status_find(&map, 4, CAP_POWER));
	assert_non_null(status_find(&map, 4, CAP_ENERGY));
	assert_non_null(status_find(&map, 101, CAP_TEMPERATURE));
	status_map_deinit(&map);
}

static void pushes(void **state)
{
	static const char text[] =
		"{\"ts\":1,\"events\":[{\"component\":\"input:0\",\"id\":0,\"event\":\"single_push\",\"ts\":1},"
		"{\"component\":\"input:1\",\"id\":1,\"event\":\"long_push\",\"ts\":1},{\"component\":\"input:0\",\"event\":\"btn_down\"},"
		"{\"component\":\"input:2\",\"event\":\"double_push\"},{\"component\":\"sys\",\"event\":\"config_changed\"},7,{}]}";
	struct status_map map = mapped("{\"input:0\":{\"id\":0,\"state\":null},\"input:1\":{\"id\":1,\"state\":null},\"input:2\":{\"id\":2,\"state\":true}}");
	struct status_reading readings[STATUS_TRAITS_MAX];
	struct json *json = parsed(text);

	(void)state;
	check_uint(status_events(&map, json, readings), 2);
	check_uint(readings[0].endpoint, 1);
	check_bytes(readings[0].value.v.data, readings[0].value.len, "single", 6);
	check_uint(readings[1].endpoint, 2);
	check_bytes(readings[1].value.v.data, readings[1].value.len, "hold", 4);
	json_free(json);
	/* One that has a state is a contact. */
	assert_non_null(status_find(&map, 3, CAP_CONTACT));
	assert_null(status_find(&map, 3, CAP_BUTTON));
	status_map_deinit(&map);
}

static void check_order(const char *status, uint8_t endpoint, uint16_t cap, struct gwa_value value, const char *method, const char *params)
{
	struct status_order order = { .params = NULL };
	struct status_map map = mapped(status);
	int r = status_order(&map, endpoint, cap, &value, &order);
	char *text = NULL;

	if (!method) {
		check_int(r, params ? STATUS_E_UNKNOWN : STATUS_E_VALUE);
	} else {
		check_ok(r);
		check_text(order.method, method);
		check_ok(json_print(order.params, &text, NULL));
		check_text(text, params);
		json_free(order.params);
		free(text);
	}
	status_map_deinit(&map);
}

#define BOOLEAN(x) (struct gwa_value){ .type = GWA_T_BOOL, .v.i = (x) }
#define WHOLE(x) (struct gwa_value){ .type = GWA_T_INT, .v.i = (x) }
#define REAL(x) (struct gwa_value){ .type = GWA_T_REAL, .v.f = (x) }
#define WORD(x) (struct gwa_value){ .type = GWA_T_TEXT, .len = sizeof(x) - 1, .v.data = (x) }
#define HEATING "{\"thermostat:0\":{\"id\":0,\"enable\":true,\"target_C\":21,\"current_C\":20},\"blutrv:200\":{\"id\":200,\"target_C\":19,\"current_C\":18.5,\"battery\":90,\"rssi\":-60}}"

static void orders(void **state)
{
	(void)state;
	check_order(PLUS_1PM, 1, CAP_ON_OFF, BOOLEAN(1), "Switch.Set", "{\"id\":0,\"on\":true}");
	check_order("{\"light:1\":{\"output\":false,\"brightness\":5}}", 2, CAP_LEVEL, WHOLE(40), "Light.Set", "{\"id\":1,\"brightness\":40}");
	check_order(COVER, 1, CAP_COVER_POSITION, WHOLE(30), "Cover.GoToPosition", "{\"id\":0,\"pos\":30}");
	check_order(COVER, 1, CAP_COVER_TILT, WHOLE(30), "Cover.GoToPosition", "{\"id\":0,\"slat_pos\":30}");
	check_order(COVER, 1, CAP_COVER_MOVE, WORD("stop"), "Cover.Stop", "{\"id\":0}");
	check_order(BULB, 2, CAP_COLOR_TEMPERATURE, WHOLE(250), "CCT.Set", "{\"id\":1,\"ct\":4000}");
	check_order(BULB, 1, CAP_COLOR_HUE, WHOLE(120), "RGBW.Set", "{\"id\":0,\"rgb\":[0,255,0]}");
	check_order(HEATING, 1, CAP_TARGET_TEMPERATURE, REAL(22.5), "Thermostat.SetConfig", "{\"config\":{\"id\":0,\"target_C\":22.5}}");
	check_order(HEATING, 1, CAP_THERMOSTAT_MODE, WORD("off"), "Thermostat.SetConfig", "{\"config\":{\"id\":0,\"enable\":false}}");
	check_order(HEATING, 201, CAP_TARGET_TEMPERATURE, REAL(20), "BluTrv.Call",
		    "{\"id\":200,\"method\":\"TRV.SetTarget\",\"params\":{\"id\":0,\"target_C\":20.0}}");
	check_order(PLUS_1PM, 1, CAP_ON_OFF, WHOLE(1), NULL, NULL);
	check_order(COVER, 1, CAP_COVER_POSITION, WHOLE(101), NULL, NULL);
	check_order(COVER, 1, CAP_COVER_POSITION, REAL(NAN), NULL, NULL);
	check_order(COVER, 1, CAP_COVER_MOVE, WORD("fly"), NULL, NULL);
	check_order(HEATING, 1, CAP_THERMOSTAT_MODE, WORD("cool"), NULL, NULL);
	check_order(PLUS_1PM, 1, CAP_POWER, REAL(1), NULL, "unknown");
	check_order(PLUS_1PM, 2, CAP_ON_OFF, BOOLEAN(1), NULL, "unknown");
}

/* Hue and saturation go together: what was read last of the other stays. */
static void colours(void **state)
{
	static const struct want want[] = {
		{ 1, CAP_ON_OFF, 1, NULL }, { 1, CAP_LEVEL, 40, NULL }, { 1, CAP_COLOR_HUE, 240, NULL }, { 1, CAP_COLOR_SATURATION, 50, NULL }
	};
	struct status_map map = mapped(BULB);
	struct gwa_value value = WHOLE(0);
	struct status_order order;
	char *text = NULL;

	(void)state;
	check_readings(&map, "{\"rgbw:0\":{\"output\":true,\"rgb\":[64,64,128],\"brightness\":40}}", want, 4);
	check_ok(status_order(&map, 1, CAP_COLOR_HUE, &value, &order));
	check_ok(json_print(order.params, &text, NULL));
	check_text(text, "{\"id\":0,\"rgb\":[255,128,128]}");
	json_free(order.params);
	free(text);
	status_map_deinit(&map);
}

static void skeletons(void **state)
{
	static const char *const all[] = { PLUS_1PM, PLUS_HT, COVER, BULB, HEATING, "{\"input:0\":{\"state\":null},\"smoke:0\":{\"alarm\":false}}" };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(all); i++) {
		struct status_map map = mapped(all[i]), again;
		struct json *kept = status_skeleton(&map);

		check_ok(status_map(kept, &again));
		check_true(status_map_equal(&map, &again));
		json_free(kept);
		status_map_deinit(&again);
		status_map_deinit(&map);
	}
}

static void bad_values_are_counted(void **state)
{
	struct status_map map = mapped(PLUS_1PM);
	struct status_reading readings[STATUS_TRAITS_MAX];
	struct json *json = parsed("{\"switch:0\":{\"output\":\"on\",\"apower\":true,\"pf\":7,\"voltage\":230},\"wifi\":[]}");
	uint32_t bad = 0;

	(void)state;
	check_uint(status_read(&map, json, readings, &bad), 1);
	check_uint(bad, 3);
	json_free(json);
	status_map_deinit(&map);
}

static void what_is_unknown_is_left_out(void **state)
{
	struct json *json = parsed("{\"hovercraft:0\":{\"eels\":true},\"switch:x\":{\"output\":true},\"switch:999\":{\"output\":true},\"script:1\":{}}");
	struct status_map map;

	(void)state;
	check_int(status_map(json, &map), STATUS_E_NOTHING);
	json_free(json);
	json = parsed("[]");
	check_int(status_map(json, &map), STATUS_E_NOTHING);
	json_free(json);
	map = mapped("{\"hovercraft:0\":{\"eels\":true},\"switch:x\":{\"output\":true},\"switch:0\":{\"output\":true}}");
	check_uint(map.n, 1);
	check_uint(map.left_out, 2);
	status_map_deinit(&map);
}

/* As many endpoints and traits as there is room for, each of them as the gateway's table wants it. */
static void a_description_is_bounded(void **state)
{
	struct status_description d;
	struct status_map map;
	struct json *json;
	char text[8192] = "{\"ts\":1";
	size_t caps = 0;

	(void)state;
	for (unsigned i = 0; i < 50; i++)
		text_append(text, sizeof(text), ",\"switch:%u\":{\"output\":true,\"apower\":1,\"voltage\":1,\"current\":1,\"freq\":50}", i);
	text_append(text, sizeof(text), "}");
	json = parsed(text);
	check_ok(status_map(json, &map));
	json_free(json);
	check_uint(map.n, STATUS_TRAITS_MAX);
	status_map_deinit(&map);

	text_copy(text, sizeof(text), "{\"ts\":1");
	for (unsigned i = 0; i <= STATUS_ENDPOINTS_MAX; i++)
		text_append(text, sizeof(text), ",\"switch:%u\":{\"output\":true}", i);
	text_append(text, sizeof(text), ",\"switch:%u\":{\"output\":true}}", STATUS_ID_MAX + 1);
	map = mapped(text);
	check_uint(map.n, STATUS_ENDPOINTS_MAX);
	check_uint(map.left_out, 1);
	status_describe(&map, &d);
	check_uint(d.n_endpoints, STATUS_ENDPOINTS_MAX);
	for (size_t i = 0; i < d.n_endpoints; i++) {
		for (size_t k = 0; k < d.endpoints[i].ncaps; k++, caps++) {
			const struct gwa_cap *c = &d.endpoints[i].caps[k];
			struct capability_desc desc = { c->id, c->type, c->access, c->unit, c->min, c->max, c->step };

			check_ok(capability_desc_check(&desc));
		}
	}
	check_uint(caps, map.n);
	status_map_deinit(&map);
}

/* Every row's capability is one of the gateway's, and every component is named. */
static void the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < status_rows_n; i++) {
		const struct status_row *row = &status_rows[i];
		const struct capability *cap = capability_find(row->cap);

		assert_non_null(cap);
		check_true(!row->way || cap->access & ACCESS_WRITE);
		check_true(row->way == WAY_NONE || row->way == WAY_COVER || (row->method && row->param));
		check_true(row->form != FORM_BOOL || cap->type == VALUE_BOOL);
	}
	for (size_t i = 0; i < status_components_n; i++) {
		struct status_trait trait = { .component = &status_components[i], .id = STATUS_ID_MAX };
		char key[STATUS_KEY_MAX];

		status_key(&trait, key);
		check_true(strlen(key) < STATUS_KEY_MAX - 1 && strlen(status_components[i].word) + 20 < STATUS_METHOD_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plug),
		cmocka_unit_test(a_sleeper),
		cmocka_unit_test(a_cover_moves),
		cmocka_unit_test(meters),
		cmocka_unit_test(pushes),
		cmocka_unit_test(orders),
		cmocka_unit_test(colours),
		cmocka_unit_test(skeletons),
		cmocka_unit_test(bad_values_are_counted),
		cmocka_unit_test(what_is_unknown_is_left_out),
		cmocka_unit_test(a_description_is_bounded),
		cmocka_unit_test(the_table),
	};

	return CHECK_RUN(tests);
}
