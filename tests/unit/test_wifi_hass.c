/* Home Assistant's discovery, consumed: what a real Zigbee2MQTT publishes there gives the same values as its own grammar does;
 * an ESPHome node with its short keys; devices that change, leave, share a bridge; what is refused. */
#include "wifi_host.h"

#include "wifi/hass.h"
#include "wifi/hass_device.h"
#include "wifi/z2m.h"

enum { ENTITIES_MAX = 128 };

struct gathered {
	struct hass_entity *all[ENTITIES_MAX];
	size_t n;
};

static void gather(void *ctx, struct hass_entity *entity)
{
	struct gathered *g = ctx;

	assert_true(g->n < ENTITIES_MAX);
	g->all[g->n++] = entity;
}

static void let_go(struct gathered *g)
{
	for (size_t i = 0; i < g->n; i++)
		hass_entity_free(g->all[i]);
	g->n = 0;
}

static struct lan_device *device_of(const struct gathered *g, const uint8_t hw[8])
{
	const struct hass_entity *entities[ENTITIES_MAX];
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		if (g->all[i]->hw.len == 8 && memcmp(g->all[i]->hw.bytes, hw, 8) == 0)
			entities[n++] = g->all[i];
	}
	return hass_device(entities, n);
}

static FILE *capture(const char *file)
{
	char path[512];
	FILE *in;

	text_print(path, sizeof(path), "%s/tests/sim/captures/%s", getenv("GW_SOURCE_ROOT"), file);
	in = fopen(path, "r");
	assert_non_null(in);
	return in;
}

static void each_message(const char *file, void (*on)(void *ctx, const char *topic, const char *payload), void *ctx)
{
	FILE *in = capture(file);
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, in)) > 0) {
		struct json *json = NULL;

		check_ok(json_parse(line, (size_t)n, 1 << 22, 64, NULL, 0, &json));
		on(ctx, json_get_text(json, "topic"), json_get_text(json, "payload"));
		json_free(json);
	}
	free(line);
	fclose(in);
}

struct both {
	struct gathered gathered;
	struct hass_sink sink;
	struct z2m_devices *list;
	struct lan_device *discovered[16];
	size_t compared, alone;
};

static void on_discovery(void *ctx, const char *topic, const char *payload)
{
	struct both *both = ctx;
	char component[24];

	if (strncmp(topic, "homeassistant/", 14) == 0 && hass_topic(topic + 14, component) && payload[0])
		check_ok(hass_config(component, payload, strlen(payload), &both->sink));
}

static void on_list(void *ctx, const char *topic, const char *payload)
{
	struct both *both = ctx;

	if (!text_equal(topic, DEVICES))
		return;
	z2m_devices_deinit(both->list);
	check_ok(z2m_devices("zigbee2mqtt", payload, strlen(payload), both->list));
}

static void compare(struct both *both, const struct lan_device *own, const struct lan_device *discovered, const char *payload)
{
	struct lan_reading readings[LAN_TRAITS_MAX];
	struct json *json = NULL, *state;
	uint32_t bad;
	size_t n;

	check_ok(z2m_state(payload, strlen(payload), &json));
	n = lan_device_read(own, json, readings, &bad);
	state = ways_read(discovered->ways, own->topic, payload, strlen(payload), &bad);
	check_uint(bad, 0);
	for (size_t i = 0; i < n; i++) {
		const struct trait *trait = lan_device_trait(discovered, 1, readings[i].trait->row->cap);
		const struct gwa_value *a = &readings[i].value;
		struct gwa_value b;

		if (!trait) {
			both->alone++;
			continue;
		}
		if (trait_read(trait, state, &b))
			fail_msg("%s: %s of %s is not in the discovered device's state", own->topic, readings[i].trait->key, payload);
		check_uint(a->type, b.type);
		if (a->type == GWA_T_TEXT)
			check_bytes(a->v.data, a->len, b.v.data, b.len);
		else if (a->type == GWA_T_REAL)
			check_true(a->v.f - b.v.f < 1e-9 && b.v.f - a->v.f < 1e-9);
		else
			check_int(a->v.i, b.v.i);
		both->compared++;
	}
	json_free(state);
	json_free(json);
}

static void on_state(void *ctx, const char *topic, const char *payload)
{
	struct both *both = ctx;

	for (size_t i = 0; i < both->list->n && payload[0]; i++) {
		if (text_equal(both->list->devices[i]->topic, topic))
			compare(both, both->list->devices[i], both->discovered[i], payload);
	}
}

static void test_zigbee2mqtt_says_the_same_both_ways(void **state)
{
	struct both *both = calloc(1, sizeof(*both));

	(void)state;
	assert_non_null(both);
	both->list = calloc(1, sizeof(*both->list));
	assert_non_null(both->list);
	both->sink = (struct hass_sink){ .on_entity = gather, .ctx = &both->gathered };
	each_message("homeassistant.jsonl", on_discovery, both);
	each_message("pairing.jsonl", on_list, both);
	check_uint(both->list->n, 6);
	check_uint(both->sink.bad + both->sink.uncovered, 0);
	for (size_t i = 0; i < both->list->n; i++)
		both->discovered[i] = device_of(&both->gathered, both->list->devices[i]->hw.bytes);
	each_message("pairing.jsonl", on_state, both);
	each_message("life.jsonl", on_state, both);
	check_true(both->compared > 300);
	/* Only what its discovery has in another form: events, of which Zigbee2MQTT makes entities with a loop in the template. */
	check_true(both->alone < both->compared / 10);
	for (size_t i = 0; i < both->list->n; i++)
		lan_device_free(both->discovered[i]);
	let_go(&both->gathered);
	z2m_devices_deinit(both->list);
	free(both->list);
	free(both);
}

/* An ESPHome node: topics of its own, short keys, a light in JSON, a cover, a fan. */
#define NODE "\"dev\":{\"ids\":\"a4cf12f03d10\",\"name\":\"porch\",\"sw\":\"2024.6.1\",\"mdl\":\"esp01_1m\",\"mf\":\"espressif\",\"cns\":[[\"mac\",\"a4cf12f03d10\"]]}"
#define ALIVE "\"avty_t\":\"porch/status\""
static const struct {
	const char *topic, *payload;
} esphome[] = {
	{ "own/sensor/porch/warmth/config", "{\"dev_cla\":\"temperature\",\"unit_of_meas\":\"°C\",\"stat_cla\":\"measurement\",\"name\":\"Warmth\","
	  "\"stat_t\":\"porch/sensor/warmth/state\"," ALIVE ",\"uniq_id\":\"warmth\"," NODE "}" },
	{ "own/light/porch/lamp/config", "{\"schema\":\"json\",\"supported_color_modes\":[\"color_temp\"],\"brightness\":true,\"min_mireds\":153,\"max_mireds\":500,"
	  "\"name\":\"Lamp\",\"stat_t\":\"porch/light/lamp/state\",\"cmd_t\":\"porch/light/lamp/command\"," ALIVE ",\"uniq_id\":\"lamp\"," NODE "}" },
	{ "own/cover/porch/blind/config", "{\"~\":\"porch/cover/blind\",\"name\":\"Blind\",\"stat_t\":\"~/state\",\"cmd_t\":\"~/command\",\"pos_t\":\"~/position/state\","
	  "\"set_pos_t\":\"~/position/command\",\"set_pos_tpl\":\"{{ position | int }}\",\"pl_stop\":\"HALT\"," ALIVE ",\"uniq_id\":\"blind\"," NODE "}" },
	{ "own/binary_sensor/porch/door/config", "{\"dev_cla\":\"door\",\"name\":\"Door\",\"stat_t\":\"porch/binary_sensor/door/state\"," ALIVE
	  ",\"uniq_id\":\"door\"," NODE "}" },
	{ "own/switch/porch/a/config", "{\"name\":\"A\",\"stat_t\":\"porch/switch/a/state\",\"cmd_t\":\"porch/switch/a/command\"," ALIVE ",\"uniq_id\":\"sw-a\"," NODE "}" },
	{ "own/switch/porch/b/config", "{\"name\":\"B\",\"stat_t\":\"porch/switch/b/state\",\"cmd_t\":\"porch/switch/b/command\",\"pl_on\":\"1\",\"pl_off\":\"0\"," ALIVE
	  ",\"uniq_id\":\"sw-b\"," NODE "}" },
	{ "own/climate/porch/heat/config", "{\"name\":\"Heat\",\"mode_cmd_t\":\"porch/climate/heat/mode/command\",\"mode_stat_t\":\"porch/climate/heat/mode/state\","
	  "\"modes\":[\"off\",\"heat\"],\"temp_cmd_t\":\"porch/climate/heat/target/command\",\"temp_stat_t\":\"porch/climate/heat/target/state\",\"min_temp\":5,"
	  "\"max_temp\":30,\"temp_step\":0.5,\"curr_temp_t\":\"porch/climate/heat/current/state\"," ALIVE ",\"uniq_id\":\"heat\"," NODE "}" },
	{ "own/text_sensor/porch/ip/config", "{\"stat_t\":\"porch/text_sensor/ip/state\",\"uniq_id\":\"ip\"," NODE "}" },
};

static const struct gwa_opt own_options[] = {
	{ "broker", "/nonexistent/lan.sock" }, { "base", "" }, { "tasmota", "off" }, { "discovery", "own" },
};

static struct fake_host *open_own(void)
{
	struct fake_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->ops = &fake_ops;
	host->credit = 1000000;
	check_ok(wifi_ops.open((gwa_host *)(void *)host, own_options, N_ELEMENTS(own_options), &host->self));
	host->self->intake.up = true;
	settle(host);
	return host;
}

static void gathered(struct fake_host *host)
{
	check_uint(host->timers[TIMER_HASS], HASS_GATHER_MS);
	wifi_ops.on_timer(host->self, TIMER_HASS);
}

static struct house_entry *only_entry(struct fake_host *host)
{
	check_uint(host->self->house.n_entries, 1);
	return host->self->house.entries;
}

static void say_node(struct fake_host *host)
{
	for (size_t i = 0; i < N_ELEMENTS(esphome); i++)
		say(host, esphome[i].topic, esphome[i].payload, false);
	gathered(host);
}

static int said_last(const struct fake_host *host, uint16_t cap)
{
	check_int(host->log[host->n - 1].kind, 'r');
	check_uint(host->log[host->n - 1].cap, cap);
	return host->log[host->n - 1].number;
}

static void test_an_esphome_node(void **state)
{
	struct fake_host *host = open_own();
	const struct lan_device *device;

	(void)state;
	say_node(host);
	check_uint(count(host, 'u'), 1);
	device = only_entry(host)->device;
	check_text(device->name, "porch");
	check_text(device->vendor, "espressif");
	check_text(device->firmware, "2024.6.1");
	check_bytes(device->hw.bytes, device->hw.len, "\xa4\xcf\x12\xf0\x3d\x10", 6);
	say(host, "porch/sensor/warmth/state", "21.7", true);
	check_int(said_last(host, CAP_TEMPERATURE), 21);
	say(host, "porch/light/lamp/state", "{\"state\":\"ON\",\"brightness\":128,\"color_temp\":300,\"color_mode\":\"color_temp\"}", true);
	check_uint(count(host, 'r'), 4);
	check_int(said_last(host, CAP_COLOR_TEMPERATURE), 300);
	say(host, "porch/cover/blind/position/state", "40", true);
	check_int(said_last(host, CAP_COVER_POSITION), 40);
	say(host, "porch/binary_sensor/door/state", "ON", true);
	check_int(said_last(host, CAP_CONTACT), 0); /* an open door */
	say(host, "porch/switch/b/state", "1", true);
	check_int(said_last(host, CAP_ON_OFF), 1);
	say(host, "porch/climate/heat/mode/state", "heat", true);
	said_last(host, CAP_THERMOSTAT_MODE);
	say(host, "porch/climate/heat/current/state", "nan", true);
	check_int(note_of(host, GWA_NOTE_BAD_VALUE)->count, 1);
	say(host, "porch/sensor/warmth/state", "unavailable", true); /* says nothing */
	check_uint(count(host, 'r'), 8);
	close_plugin(host);
}

static void order(const struct lan_device *device, uint8_t endpoint, uint16_t cap, struct gwa_value value, const char *topic, const char *payload)
{
	const struct trait *trait = lan_device_trait(device, endpoint, cap);
	const char *where;
	char *what = NULL;

	assert_non_null(trait);
	check_ok(ways_order(device->ways, trait, &value, &where, &what));
	check_text(where, topic);
	check_text(what, payload);
	free(what);
}

#define BOOL(b) ((struct gwa_value){ .type = GWA_T_BOOL, .v.i = b })
#define INT(n) ((struct gwa_value){ .type = GWA_T_INT, .v.i = n })
#define REAL(x) ((struct gwa_value){ .type = GWA_T_REAL, .v.f = x })
#define WORD(t) ((struct gwa_value){ .type = GWA_T_TEXT, .len = (uint32_t)strlen(t), .v.data = t })

static void test_orders_in_its_own_words(void **state)
{
	struct fake_host *host = open_own();
	const struct lan_device *device;
	const struct trait *mode;
	const char *topic;
	char *payload;

	(void)state;
	say_node(host);
	device = only_entry(host)->device;
	/* Three have on/off: the light, then the switches, in the order of their names: an endpoint each. */
	order(device, 1, CAP_ON_OFF, BOOL(1), "porch/light/lamp/command", "{\"state\":\"ON\"}");
	order(device, 2, CAP_ON_OFF, BOOL(0), "porch/switch/a/command", "OFF");
	order(device, 3, CAP_ON_OFF, BOOL(1), "porch/switch/b/command", "1");
	order(device, 1, CAP_LEVEL, INT(50), "porch/light/lamp/command", "{\"state\":\"ON\",\"brightness\":128}");
	order(device, 1, CAP_LEVEL, INT(0), "porch/light/lamp/command", "{\"state\":\"OFF\",\"brightness\":0}");
	order(device, 1, CAP_COLOR_TEMPERATURE, INT(250), "porch/light/lamp/command", "{\"state\":\"ON\",\"color_temp\":250}");
	order(device, 1, CAP_COVER_POSITION, INT(30), "porch/cover/blind/position/command", "30");
	order(device, 1, CAP_COVER_MOVE, WORD("stop"), "porch/cover/blind/command", "HALT");
	order(device, 1, CAP_TARGET_TEMPERATURE, REAL(21.5), "porch/climate/heat/target/command", "21.5");
	order(device, 1, CAP_THERMOSTAT_MODE, WORD("heat"), "porch/climate/heat/mode/command", "heat");
	mode = lan_device_trait(device, 1, CAP_THERMOSTAT_MODE);
	check_int(ways_order(device->ways, mode, &WORD("cool"), &topic, &payload), TRAIT_E_VALUE); /* it has no such mode */
	check_int(ways_order(device->ways, lan_device_trait(device, 1, CAP_TEMPERATURE), &REAL(1), &topic, &payload), TRAIT_E_VALUE);
	check_int(ways_order(device->ways, lan_device_trait(device, 1, CAP_COLOR_TEMPERATURE), &INT(100), &topic, &payload), TRAIT_E_VALUE);
	close_plugin(host);
}

static void test_come_change_and_go(void **state)
{
	struct fake_host *host = open_own();

	(void)state;
	say_node(host);
	say(host, "porch/status", "offline", true);
	check_uint(count(host, 'd'), 1);
	/* Said again, as after the broker's restart: nothing is new, and it stays away. */
	say_node(host);
	check_uint(count(host, 'u'), 1);
	say(host, "porch/status", "online", true);
	check_uint(count(host, 'u'), 2);
	/* An entity is taken back: described anew. All are: it has left. */
	say(host, esphome[0].topic, "", true);
	gathered(host);
	check_uint(count(host, 'u'), 3);
	for (size_t i = 1; i < N_ELEMENTS(esphome); i++)
		say(host, esphome[i].topic, "", true);
	gathered(host);
	check_uint(count(host, 'l'), 1);
	check_uint(host->self->house.n_entries, 0);
	check_uint(host->self->house.n_entries + HASH_COUNT(host->self->house.routes), 0);
	close_plugin(host);
}

#define GROUPED(id, name)                                                                                                             \
	"{\"device\":{\"identifiers\":[\"" id "\"],\"name\":\"" name "\"},\"origin\":{\"name\":\"x\"},\"components\":{"                    \
	"\"t\":{\"platform\":\"sensor\",\"device_class\":\"temperature\",\"unit_of_measurement\":\"°C\",\"value_template\":\"{{ value_json.t }}\"," \
	"\"state_topic\":\"bridge/" name "\",\"unique_id\":\"" id "-t\"},"                                                                    \
	"\"h\":{\"platform\":\"sensor\",\"device_class\":\"humidity\",\"unit_of_measurement\":\"%\",\"value_template\":\"{{ value_json.h }}\","     \
	"\"state_topic\":\"bridge/" name "\",\"unique_id\":\"" id "-h\"},\"gone\":{\"platform\":\"switch\"}},"                              \
	"\"availability\":[{\"topic\":\"bridge/state\",\"value_template\":\"{{ value_json.s }}\"},{\"topic\":\"bridge/" name "/here\"}],"     \
	"\"availability_mode\":\"all\"}"

/* Whole devices, as newer publishers describe them, behind one bridge. */
static void test_two_behind_one_bridge(void **state)
{
	struct fake_host *host = open_own();

	(void)state;
	say(host, "own/device/one/config", GROUPED("id-1", "one"), false);
	say(host, "own/device/two/config", GROUPED("id-2", "two"), false);
	gathered(host);
	check_uint(count(host, 'u'), 2);
	say(host, "bridge/one", "{\"t\":20,\"h\":50}", true);
	check_uint(count(host, 'r'), 2);
	say(host, "bridge/one", "{\"t\":20}", true); /* no humidity this time */
	check_uint(count(host, 'r'), 3);
	say(host, "bridge/state", "{\"s\":\"offline\"}", true);
	check_uint(count(host, 'd'), 2);
	say(host, "bridge/state", "{\"s\":\"online\"}", true);
	check_uint(count(host, 'u'), 4);
	say(host, "bridge/two/here", "offline", true);
	check_uint(count(host, 'd'), 3);
	/* The first on the shared topic leaves, the second still hears it. */
	say(host, "own/device/one/config", "", true);
	gathered(host);
	say(host, "bridge/two/here", "online", true);
	check_uint(count(host, 'u'), 5);
	say(host, "bridge/state", "{\"s\":\"offline\"}", true);
	check_uint(count(host, 'd'), 4);
	for (size_t i = 0; i < host->n; i++)
		if (host->log[i].kind == 'n' && host->log[i].number != GWA_NOTE_STATUS) /* there is no broker */
			fail_msg("%s: %s", host->log[i].object, host->log[i].text);
	close_plugin(host);
}

#define LONE(id, topic) "{\"name\":\"x\",\"state_topic\":\"" topic "\",\"command_topic\":\"" topic "/command\",\"device\":{\"identifiers\":\"" id "\"}}"

static void test_what_is_refused(void **state)
{
	struct fake_host *host = open_own();
	static char large[HASS_BYTES_MAX + 64];

	(void)state;
	say(host, "own/switch/a/config", "{", false);
	check_uint(note_of(host, GWA_NOTE_MALFORMED)->count, 1);
	say(host, "own/switch/b/config", "[]", false);
	say(host, "own/switch/c/config", "{\"state_topic\":\"x\"}", false); /* of no device */
	say(host, "own/device/d/config", "{\"components\":[]}", false);
	memset(large, ' ', sizeof(large) - 1);
	say(host, "own/switch/e/config", large, false);
	check_text(note_of(host, GWA_NOTE_OVERSIZE)->object, "own/switch/e/config");
	say(host, "own/sensor/f/config", "{\"device_class\":\"power\",\"unit_of_measurement\":\"W\",\"state_topic\":\"f\",\"value_template\":\"{{ now() }}\",\"device\":{\"ids\":\"f\"}}", false);
	check_text(note_of(host, GWA_NOTE_BAD_VALUE)->text, "a template or range that is not covered");
	/* A blind that counts backwards is not guessed at. */
	say(host, "own/cover/g/config", "{\"position_topic\":\"g\",\"position_open\":0,\"position_closed\":100,\"device\":{\"ids\":\"g\"}}", false);
	/* Ours, another grammar's, no topic at all: nobody's device. */
	say(host, "own/switch/h/config", LONE("h", "gatewayd/lamp"), false);
	say(host, "own/switch/i/config", LONE("i", "homeassistant/status"), false);
	say(host, "own/switch/j/config", LONE("j", "#"), false);
	say(host, "own/switch/k/config", LONE("k", "$SYS/x"), false);
	say(host, "own/switch/l/other", LONE("l", "l"), false);
	say(host, "own/switch/m/n/o/config", LONE("m", "m"), false);
	wifi_ops.on_timer(host->self, TIMER_HASS);
	check_uint(count(host, 'u'), 0);
	check_uint(host->self->house.n_entries, 0);
	/* A topic has one owner. */
	say(host, "own/switch/p/config", LONE("p", "p"), false);
	gathered(host);
	say(host, "own/switch/q/config", LONE("q", "p"), false);
	gathered(host);
	check_uint(host->self->house.n_entries, 1);
	check_text(note_of(host, GWA_NOTE_BAD_TOPIC)->text, "its topic is another device's");
	close_plugin(host);
}

static void test_limits(void **state)
{
	struct fake_host *host = open_own();
	char topic[64], payload[512];

	(void)state;
	/* One device of many entities: what has no room is left out. */
	for (unsigned i = 0; i < HASS_ENTITIES_MAX + 4; i++) {
		text_print(topic, sizeof(topic), "own/switch/s%u/config", i);
		text_print(payload, sizeof(payload), "{\"state_topic\":\"s/%u\",\"uniq_id\":\"s%03u\",\"device\":{\"ids\":\"many\"}}", i, i);
		say(host, topic, payload, false);
	}
	gathered(host);
	check_uint(only_entry(host)->device->n_traits, LAN_ENDPOINTS_MAX);
	for (unsigned i = HASS_ENTITIES_MAX + 4; i < HASS_SAYINGS_MAX; i++) {
		text_print(topic, sizeof(topic), "own/switch/s%u/config", i);
		text_print(payload, sizeof(payload), "{\"state_topic\":\"s/%u\",\"device\":{\"ids\":\"d%u\"}}", i, i);
		say(host, topic, payload, false);
	}
	check_true(!note_of(host, GWA_NOTE_FLOOD));
	say(host, "own/switch/more/config", "{\"state_topic\":\"more\",\"device\":{\"ids\":\"more\"}}", false);
	check_text(note_of(host, GWA_NOTE_FLOOD)->text, "too many configurations");
	close_plugin(host);
	/* Parts of one device, ways of one entity, topics of presence. */
	{
		struct gathered g = { .n = 0 };
		struct hass_sink sink = { .on_entity = gather, .ctx = &g };
		static char text[HASS_BYTES_MAX];

		text_copy(text, sizeof(text), "{\"device\":{\"ids\":\"x\"},\"availability\":[");
		for (unsigned i = 0; i < HASS_AVAILABILITY_MAX + 2; i++)
			text_append(text, sizeof(text), "%s{\"topic\":\"a/%u\"}", i ? "," : "", i);
		text_append(text, sizeof(text), "],\"components\":{");
		for (unsigned i = 0; i < HASS_PARTS_MAX + 1; i++)
			text_append(text, sizeof(text), "%s\"c%u\":{\"platform\":\"switch\",\"state_topic\":\"t/%u\"}", i ? "," : "", i, i);
		text_append(text, sizeof(text), "}}");
		check_ok(hass_config("device", text, strlen(text), &sink));
		check_uint(g.n, HASS_PARTS_MAX);
		check_uint(sink.bad, 1);
		check_uint(g.all[0]->n_presences, HASS_AVAILABILITY_MAX);
		check_true(g.all[0]->n_ways <= HASS_WAYS_MAX && g.all[0]->ways[0].n_heard <= WAYS_WORDS_MAX);
		let_go(&g);
		text_copy(text, sizeof(text), "{\"a\":");
		for (unsigned i = 0; i < HASS_NESTING_MAX; i++)
			text_append(text, sizeof(text), "[");
		check_int(hass_config("switch", text, strlen(text), &sink), HASS_E_MALFORMED);
	}
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_zigbee2mqtt_says_the_same_both_ways),
		cmocka_unit_test(test_an_esphome_node),
		cmocka_unit_test(test_orders_in_its_own_words),
		cmocka_unit_test(test_come_change_and_go),
		cmocka_unit_test(test_two_behind_one_bridge),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_limits),
	};

	return CHECK_RUN(rows);
}
