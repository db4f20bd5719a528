/* Zigbee2MQTT's grammar: what a real one described (tests/sim/captures), and vectors for all else. */
#include "check.h"

#include <math.h>

#include "base/text.h"
#include "model/capability.h"
#include "wifi/z2m.h"

static struct json *line_of(const char *file, const char *topic)
{
	char path[512], *line = NULL;
	struct json *found = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *in;

	text_print(path, sizeof(path), "%s/tests/sim/captures/%s", getenv("GW_SOURCE_ROOT"), file);
	in = fopen(path, "r");
	assert_non_null(in);
	while (!found && (n = getline(&line, &cap, in)) > 0) {
		check_ok(json_parse(line, (size_t)n, 1 << 22, 64, NULL, 0, &found));
		if (!text_equal(json_get_text(found, "topic"), topic))
			found = json_free(found);
	}
	fclose(in);
	free(line);
	assert_non_null(found);
	return found;
}

static const struct lan_device *named(const struct z2m_devices *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++) {
		if (text_equal(list->devices[i]->name, name))
			return list->devices[i];
	}
	fail_msg("no device %s", name);
	return NULL;
}

static int read_devices(const char *text, struct z2m_devices *ret)
{
	*ret = (struct z2m_devices){ 0 };
	return z2m_devices("zigbee2mqtt", text, strlen(text), ret);
}

static void check_cap(const struct lan_device *device, uint8_t endpoint, uint16_t cap, unsigned access)
{
	const struct trait *trait = lan_device_trait(device, endpoint, cap);

	assert_non_null(trait);
	check_uint(trait->access, access);
}

/* Every description we make is one that the host and the core take. */
static void check_description(const struct lan_device *device)
{
	struct lan_description d;

	lan_device_describe(device, &d);
	for (size_t i = 0; i < d.device.nendpoints; i++) {
		for (size_t k = 0; k < d.endpoints[i].ncaps; k++) {
			const struct gwa_cap *c = &d.endpoints[i].caps[k];
			struct capability_desc desc = { c->id, c->type, c->access, c->unit, c->min, c->max, c->step };

			check_ok(capability_desc_check(&desc));
		}
	}
}

static void test_captured_devices(void **state)
{
	struct json *line = line_of("retained.jsonl", "zigbee2mqtt/bridge/devices");
	const char *payload = json_get_text(line, "payload");
	struct z2m_devices list;
	const struct lan_device *d;

	(void)state;
	check_ok(read_devices(payload, &list));
	check_uint(list.n, 6); /* not the coordinator */
	check_uint(list.refused, 0);
	for (size_t i = 0; i < list.n; i++)
		check_description(list.devices[i]);

	d = named(&list, "bulb");
	check_text(d->topic, "zigbee2mqtt/bulb");
	check_text(d->vendor, "IKEA");
	check_text(d->firmware, "2.3.093");
	check_true(d->ready && !d->sleepy);
	check_cap(d, 1, CAP_ON_OFF, GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT);
	check_cap(d, 1, CAP_LEVEL, GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT);
	check_int(lan_device_trait(d, 1, CAP_COLOR_TEMPERATURE)->min, 250);
	check_int(lan_device_trait(d, 1, CAP_COLOR_TEMPERATURE)->max, 454);
	check_true(d->left_out > 5);
	check_bytes(d->hw.bytes, d->hw.len, "\x00\x0b\x57\xff\xfe\x00\xb2\x02", 8);

	d = named(&list, "contact");
	check_true(d->sleepy);
	check_cap(d, 1, CAP_CONTACT, GWA_A_READ | GWA_A_REPORT);
	check_near(lan_device_trait(d, 1, CAP_VOLTAGE)->scale, 0.001, 1e-12);
	d = named(&list, "plug");
	check_near(lan_device_trait(d, 1, CAP_VOLTAGE)->scale, 1, 1e-12);
	d = named(&list, "lock");
	check_cap(d, 1, CAP_LOCK_STATE, GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT);
	check_cap(d, 1, CAP_BUTTON, GWA_A_READ | GWA_A_REPORT);
	assert_null(lan_device_trait(d, 1, CAP_DOOR_STATE));
	z2m_devices_deinit(&list);
	json_free(line);
}

static const char described[] =
	"[{\"type\":\"Router\",\"ieee_address\":\"0x0011223344556677\",\"friendly_name\":\"d\",\"interview_completed\":true,"
	"\"power_source\":\"Battery\",\"definition\":{\"vendor\":\"V\",\"model\":\"M\",\"exposes\":[%s]}}]";

static struct lan_device *one(const char *exposes)
{
	static const size_t size = 8192;
	struct lan_device *device;
	struct z2m_devices list;
	char *text = malloc(size);

	assert_non_null(text);
	/* The one %s above. */
	snprintf(text, size, "%.*s%s%s", (int)(strstr(described, "%s") - described), described, exposes,
		 strstr(described, "%s") + 2);
	check_ok(read_devices(text, &list));
	check_uint(list.n, 1);
	device = list.devices[0];
	free(text);
	check_description(device);
	return device;
}

struct reading_row {
	const char *exposes, *state;
	uint8_t endpoint;
	uint16_t cap;
	int type; /* GWA_T_*; 0: no reading, -1: refused */
	double number;
	const char *text;
};
#define LEAF(type, name, more) \
	"{\"type\":\"" type "\",\"name\":\"" name "\",\"property\":\"" name "\",\"access\":7" more "}"
#define ONOFF "{\"type\":\"switch\",\"features\":[" LEAF("binary", "state", ",\"value_on\":\"ON\",\"value_off\":\"OFF\"") "]}"
#define LIGHT "{\"type\":\"light\",\"features\":[" LEAF("numeric", "brightness", ",\"value_min\":0,\"value_max\":254") "]}"
#define COVER "{\"type\":\"cover\",\"features\":[" LEAF("enum", "state", ",\"values\":[\"OPEN\",\"CLOSE\"]") "," \
	      LEAF("numeric", "position", ",\"value_min\":0,\"value_max\":100") "]}"
#define CLIMATE "{\"type\":\"climate\",\"features\":[" LEAF("enum", "system_mode", ",\"values\":[\"off\",\"heat\"]") "," \
		LEAF("numeric", "occupied_heating_setpoint", ",\"unit\":\"°C\",\"value_min\":5,\"value_max\":30,\"value_step\":0.5") "]}"
#define COLOR "{\"type\":\"light\",\"features\":[{\"type\":\"composite\",\"name\":\"color_hs\",\"property\":\"color\",\"features\":[" \
	      LEAF("numeric", "hue", "") "," LEAF("numeric", "saturation", "") "]}]}"
#define LOCK "{\"type\":\"lock\",\"features\":[" LEAF("binary", "state", ",\"value_on\":\"LOCK\",\"value_off\":\"UNLOCK\"") "]}"
#define TWO "{\"type\":\"switch\",\"endpoint\":\"l2\",\"features\":[{\"type\":\"binary\",\"name\":\"state\",\"endpoint\":\"l2\"," \
	    "\"property\":\"state_l2\",\"access\":7,\"value_on\":\"ON\",\"value_off\":\"OFF\"}]}"
#define CONTACT LEAF("binary", "contact", ",\"value_on\":false,\"value_off\":true")

static const struct reading_row reading_rows[] = {
	{ ONOFF, "{\"state\":\"ON\"}", 1, CAP_ON_OFF, GWA_T_BOOL, 1, NULL },
	{ ONOFF, "{\"state\":\"OFF\"}", 1, CAP_ON_OFF, GWA_T_BOOL, 0, NULL },
	{ ONOFF, "{\"state\":null}", 1, CAP_ON_OFF, 0, 0, NULL },
	{ ONOFF, "{}", 1, CAP_ON_OFF, 0, 0, NULL },
	{ ONOFF, "{\"state\":\"on\"}", 1, CAP_ON_OFF, -1, 0, NULL },
	{ ONOFF, "{\"state\":true}", 1, CAP_ON_OFF, -1, 0, NULL },
	{ ONOFF, "{\"state\":{}}", 1, CAP_ON_OFF, -1, 0, NULL },
	{ TWO, "{\"state_l2\":\"ON\"}", 2, CAP_ON_OFF, GWA_T_BOOL, 1, NULL },
	{ LIGHT, "{\"brightness\":254}", 1, CAP_LEVEL, GWA_T_INT, 100, NULL },
	{ LIGHT, "{\"brightness\":127}", 1, CAP_LEVEL, GWA_T_INT, 50, NULL },
	{ LIGHT, "{\"brightness\":0}", 1, CAP_LEVEL, GWA_T_INT, 0, NULL },
	{ LIGHT, "{\"brightness\":999}", 1, CAP_LEVEL, -1, 0, NULL },
	{ LIGHT, "{\"brightness\":1e300}", 1, CAP_LEVEL, -1, 0, NULL },
	{ LIGHT, "{\"brightness\":\"9\"}", 1, CAP_LEVEL, -1, 0, NULL },
	{ COLOR, "{\"color\":{\"hue\":120,\"saturation\":55}}", 1, CAP_COLOR_HUE, GWA_T_INT, 120, NULL },
	{ COLOR, "{\"color\":{\"hue\":120,\"saturation\":55}}", 1, CAP_COLOR_SATURATION, GWA_T_INT, 55, NULL },
	{ COLOR, "{\"color\":7}", 1, CAP_COLOR_HUE, 0, 0, NULL },
	{ LOCK, "{\"state\":\"LOCK\"}", 1, CAP_LOCK_STATE, GWA_T_TEXT, 0, "locked" },
	{ LOCK, "{\"state\":\"AJAR\"}", 1, CAP_LOCK_STATE, -1, 0, NULL },
	{ COVER, "{\"state\":\"STOP\"}", 1, CAP_COVER_MOVE, GWA_T_TEXT, 0, "stop" },
	{ COVER, "{\"position\":40}", 1, CAP_COVER_POSITION, GWA_T_INT, 40, NULL },
	{ CLIMATE, "{\"system_mode\":\"heat\"}", 1, CAP_THERMOSTAT_MODE, GWA_T_TEXT, 0, "heat" },
	{ CLIMATE, "{\"occupied_heating_setpoint\":21}", 1, CAP_TARGET_TEMPERATURE, GWA_T_REAL, 21, NULL },
	/* Closed is contact, whichever of the two is "on" there. */
	{ CONTACT, "{\"contact\":true}", 1, CAP_CONTACT, GWA_T_BOOL, 1, NULL },
	{ CONTACT, "{\"contact\":false}", 1, CAP_CONTACT, GWA_T_BOOL, 0, NULL },
	{ LEAF("numeric", "voltage", ",\"unit\":\"mV\""), "{\"voltage\":3000}", 1, CAP_VOLTAGE, GWA_T_REAL, 3, NULL },
	{ LEAF("numeric", "voltage", ",\"unit\":\"V\""), "{\"voltage\":230}", 1, CAP_VOLTAGE, GWA_T_REAL, 230, NULL },
	{ LEAF("numeric", "pressure", ",\"unit\":\"kPa\""), "{\"pressure\":101.3}", 1, CAP_PRESSURE, GWA_T_REAL, 1013, NULL },
	{ LEAF("numeric", "humidity", ",\"unit\":\"%\""), "{\"humidity\":101}", 1, CAP_HUMIDITY, -1, 0, NULL },
	{ LEAF("enum", "action", ""), "{\"action\":\"single\"}", 1, CAP_BUTTON, GWA_T_TEXT, 0, "single" },
	{ LEAF("enum", "action", ""), "{\"action\":\"\"}", 1, CAP_BUTTON, 0, 0, NULL },
	{ LEAF("enum", "action", ""), "{\"action\":3}", 1, CAP_BUTTON, -1, 0, NULL },
};

static void test_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(reading_rows); i++) {
		const struct reading_row *row = &reading_rows[i];
		struct lan_device *device = one(row->exposes);
		struct lan_reading readings[LAN_TRAITS_MAX];
		const struct gwa_value *value = NULL;
		struct json *json = NULL;
		uint32_t bad = 0;
		size_t n;

		print_message("%s\n", row->state);
		assert_non_null(lan_device_trait(device, row->endpoint, row->cap));
		check_ok(z2m_state(row->state, strlen(row->state), &json));
		n = lan_device_read(device, json, readings, &bad);
		for (size_t k = 0; k < n; k++) {
			if (readings[k].trait->row->cap == row->cap && readings[k].trait->endpoint == row->endpoint)
				value = &readings[k].value;
		}
		check_uint(bad, row->type < 0);
		check_true((value != NULL) == (row->type > 0));
		if (value) {
			check_uint(value->type, (uint32_t)row->type);
			if (row->type == GWA_T_TEXT)
				check_bytes(value->v.data, value->len, row->text, strlen(row->text));
			else
				check_near(row->type == GWA_T_REAL ? value->v.f : (double)value->v.i, row->number, 1e-9);
		}
		json_free(json);
		lan_device_free(device);
	}
}

struct order_row {
	const char *exposes;
	uint8_t endpoint;
	uint16_t cap;
	struct gwa_value value;
	const char *body; /* NULL: refused */
};
#define BOOL(b) { .type = GWA_T_BOOL, .v.i = b }
#define INT(n) { .type = GWA_T_INT, .v.i = n }
#define REAL(n) { .type = GWA_T_REAL, .v.f = n }
#define TEXT(t) { .type = GWA_T_TEXT, .len = sizeof(t) - 1, .v.data = t }

static const struct order_row order_rows[] = {
	{ ONOFF, 1, CAP_ON_OFF, BOOL(1), "{\"state\":\"ON\"}" },
	{ ONOFF, 1, CAP_ON_OFF, BOOL(0), "{\"state\":\"OFF\"}" },
	{ ONOFF, 1, CAP_ON_OFF, INT(1), NULL },
	{ TWO, 2, CAP_ON_OFF, BOOL(1), "{\"state_l2\":\"ON\"}" },
	{ LIGHT, 1, CAP_LEVEL, INT(100), "{\"brightness\":254}" },
	{ LIGHT, 1, CAP_LEVEL, INT(50), "{\"brightness\":127}" },
	{ LIGHT, 1, CAP_LEVEL, INT(101), NULL },
	{ LIGHT, 1, CAP_LEVEL, INT(-1), NULL },
	{ COLOR, 1, CAP_COLOR_HUE, INT(90), "{\"color\":{\"hue\":90}}" },
	{ LOCK, 1, CAP_LOCK_STATE, TEXT("locked"), "{\"state\":\"LOCK\"}" },
	{ LOCK, 1, CAP_LOCK_STATE, TEXT("jammed"), NULL },
	{ LOCK, 1, CAP_LOCK_STATE, TEXT("lock"), NULL },
	{ COVER, 1, CAP_COVER_MOVE, TEXT("close"), "{\"state\":\"CLOSE\"}" },
	{ COVER, 1, CAP_COVER_MOVE, TEXT("stop"), NULL }, /* this one has no STOP */
	{ COVER, 1, CAP_COVER_POSITION, INT(30), "{\"position\":30}" },
	{ CLIMATE, 1, CAP_TARGET_TEMPERATURE, REAL(21.5), "{\"occupied_heating_setpoint\":21.5}" },
	{ CLIMATE, 1, CAP_TARGET_TEMPERATURE, REAL(31), NULL },
	{ CLIMATE, 1, CAP_TARGET_TEMPERATURE, REAL(NAN), NULL },
	{ CLIMATE, 1, CAP_THERMOSTAT_MODE, TEXT("heat"), "{\"system_mode\":\"heat\"}" },
	{ CLIMATE, 1, CAP_THERMOSTAT_MODE, TEXT("cool"), NULL },
};

static void test_orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(order_rows); i++) {
		const struct order_row *row = &order_rows[i];
		struct lan_device *device = one(row->exposes);
		const struct trait *trait = lan_device_trait(device, row->endpoint, row->cap);
		char *body = NULL;

		assert_non_null(trait);
		check_int(z2m_set(trait, &row->value, &body), row->body ? 0 : TRAIT_E_VALUE);
		check_text(body, row->body);
		free(body);
		lan_device_free(device);
	}
}

/* What the device says after an order, rounded as it rounds. */
static void test_echo(void **state)
{
	struct lan_device *light = one(LIGHT), *cover = one(COVER), *lock = one(LOCK);
	const struct trait *level = lan_device_trait(light, 1, CAP_LEVEL);
	const struct trait *position = lan_device_trait(cover, 1, CAP_COVER_POSITION);
	const struct trait *locked = lan_device_trait(lock, 1, CAP_LOCK_STATE);
	struct gwa_value fifty = INT(50), sixty = INT(60), yes = TEXT("locked"), no = TEXT("unlocked");

	(void)state;
	check_true(trait_is_echo(level, &fifty, &fifty));
	check_true(!trait_is_echo(level, &fifty, &sixty));
	check_true(trait_is_echo(position, &fifty, &sixty)); /* on its way */
	check_true(trait_is_echo(locked, &yes, &yes));
	check_true(!trait_is_echo(locked, &yes, &no));
	lan_device_free(light);
	lan_device_free(cover);
	lan_device_free(lock);
}

static const char *const left_out[] = {
	LEAF("numeric", "temperature", ",\"unit\":\"°F\""),	  /* a unit that no row has */
	LEAF("numeric", "linkquality", ""),			  /* no unit where one belongs */
	LEAF("numeric", "comfort", ",\"unit\":\"%\""),
	LEAF("numeric", "contact", ",\"value_on\":1"),		  /* another type */
	LEAF("binary", "smoke", ""),				  /* no values */
	"{\"type\":\"numeric\",\"name\":\"power\",\"unit\":\"W\",\"property\":\"power\"}",		    /* no access */
	"{\"type\":\"numeric\",\"name\":\"power\",\"unit\":\"W\",\"property\":\"power\",\"access\":2}", /* only settable */
	"{\"type\":\"numeric\",\"name\":\"power\",\"unit\":\"W\",\"property\":\"power\",\"access\":1,\"endpoint\":\"attic\"}",
	"{\"type\":\"numeric\",\"name\":\"power\",\"unit\":\"W\",\"property\":\"\",\"access\":1}",
	"{\"type\":\"numeric\",\"name\":\"power\",\"unit\":\"W\",\"access\":1}",
	"{\"type\":\"numeric\",\"name\":\"power\",\"unit\":\"W\",\"access\":1,\"property\":"
	"\"a-property-longer-than-any-that-there-is-in-the-world\"}",
	"{\"type\":\"light\",\"features\":[{\"type\":\"a\",\"features\":[{\"type\":\"b\",\"features\":[{\"type\":\"c\","
	"\"features\":[{\"type\":\"d\",\"features\":[" LEAF("numeric", "power", ",\"unit\":\"W\"") "]}]}]}]}]}",
};

static void test_left_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(left_out); i++) {
		struct lan_device *device = one(left_out[i]);

		print_message("%s\n", left_out[i]);
		check_uint(device->n_traits, 0);
		check_uint(device->left_out, 1);
		lan_device_free(device);
	}
}

/* A key, a word and a table of words at their longest. */
static void test_trait_limits(void **state)
{
	static const struct trait_row on_off = { .cap = CAP_ON_OFF, .form = TRAIT_BINARY };
	struct trait_word words[TRAIT_WORDS_MAX + 2] = { 0 };
	struct trait_row row = { .cap = CAP_FAN_MODE, .form = TRAIT_WORDS, .words = words };
	char key[TRAIT_KEY_MAX + 1] = "", exposes[256], word[TRAIT_WORD_MAX + 1];
	struct lan_device *device;
	struct trait trait;

	(void)state;
	memset(key, 'k', TRAIT_KEY_MAX);
	check_int(trait_make(&on_off, key, "", 1, GWA_A_READ, &trait), TRAIT_E_UNKNOWN);
	check_int(trait_make(&on_off, "k", key, 1, GWA_A_READ, &trait), TRAIT_E_UNKNOWN);
	key[TRAIT_KEY_MAX - 1] = '\0';
	check_ok(trait_make(&on_off, key, key, 1, GWA_A_READ, &trait));

	memset(word, 'w', TRAIT_WORD_MAX);
	word[TRAIT_WORD_MAX] = '\0';
	snprintf(exposes, sizeof(exposes), LEAF("binary", "smoke", ",\"value_on\":\"%s\",\"value_off\":false"), word);
	device = one(exposes);
	check_uint(device->n_traits, 0);
	lan_device_free(device);

	/* More words than a mask has bits for: those beyond are not the device's. */
	for (size_t i = 0; i <= TRAIT_WORDS_MAX; i++)
		words[i] = (struct trait_word){ "x", "y" };
	check_ok(trait_make(&row, "k", "", 1, GWA_A_READ, &trait));
	check_uint(trait.words, (1u << TRAIT_WORDS_MAX) - 1);
}

/* Features in features: as deep as we follow, and one deeper. */
static void test_nesting(void **state)
{
	(void)state;
	for (unsigned depth = Z2M_NESTING_MAX; depth <= Z2M_NESTING_MAX + 1; depth++) {
		struct lan_device *device;
		char exposes[512] = "";

		for (unsigned i = 0; i < depth; i++)
			text_append(exposes, sizeof(exposes), "{\"type\":\"switch\",\"features\":[");
		text_append(exposes, sizeof(exposes), "%s",
			    LEAF("binary", "state", ",\"value_on\":\"ON\",\"value_off\":\"OFF\""));
		for (unsigned i = 0; i < depth; i++)
			text_append(exposes, sizeof(exposes), "]}");
		device = one(exposes);
		check_uint(device->n_traits, depth <= Z2M_NESTING_MAX);
		lan_device_free(device);
	}
}

static void test_twice(void **state)
{
	struct lan_device *device = one(ONOFF "," ONOFF);

	(void)state;
	check_uint(device->n_traits, 1);
	check_uint(device->left_out, 1);
	lan_device_free(device);
}

/* More properties than we keep, more endpoints than the core takes. */
static void test_limits(void **state)
{
	struct lan_device *device = lan_device_new(LAN_Z2M);
	struct trait trait;
	char *many;
	size_t len = 0, size = 200 * (Z2M_DEVICES_MAX + 2);
	struct z2m_devices *list = calloc(1, sizeof(*list));

	(void)state;
	check_ok(trait_make(&(struct trait_row){ .cap = CAP_ON_OFF }, "state", "", 1, GWA_A_READ, &trait));
	for (uint8_t i = 1; i <= LAN_ENDPOINTS_MAX; i++) {
		trait.endpoint = i;
		check_ok(lan_device_add(device, &trait));
	}
	trait.endpoint = LAN_ENDPOINTS_MAX + 1;
	check_int(lan_device_add(device, &trait), LAN_E_FULL);
	lan_device_free(device);

	many = malloc(size);
	assert_true(many && list);
	len += (size_t)snprintf(many, size, "[");
	for (unsigned i = 0; i <= Z2M_DEVICES_MAX; i++)
		len += (size_t)snprintf(many + len, size - len,
					"%s{\"ieee_address\":\"0x%016x\",\"friendly_name\":\"d%u\"}", i ? "," : "", i, i);
	snprintf(many + len, size - len, "]");
	check_ok(read_devices(many, list));
	check_uint(list->n, Z2M_DEVICES_MAX);
	check_uint(list->refused, 1);
	z2m_devices_deinit(list);
	free(list);
	free(many);
}

static void test_sizes(void **state)
{
	struct z2m_devices list = { 0 };
	struct json *json;
	char *big = malloc(Z2M_LIST_BYTES_MAX + 1);

	(void)state;
	assert_non_null(big);
	memset(big, ' ', Z2M_LIST_BYTES_MAX + 1);
	check_int(z2m_state(big, Z2M_BYTES_MAX + 1, &json), Z2M_E_SIZE);
	check_int(z2m_state(big, Z2M_BYTES_MAX, &json), Z2M_E_MALFORMED);
	check_int(z2m_devices("b", big, Z2M_LIST_BYTES_MAX + 1, &list), Z2M_E_SIZE);
	memcpy(big, "[]", 2);
	check_ok(z2m_devices("b", big, Z2M_LIST_BYTES_MAX, &list));
	memset(big, '[', 100);
	check_int(z2m_state(big, 100, &json), Z2M_E_MALFORMED);
	free(big);
}

struct name_row {
	const char *name, *topic, *shown;
};
/* topic NULL: the entry is refused. */
static const struct name_row name_rows[] = {
	{ "plug", "zigbee2mqtt/plug", "plug" },
	{ "kitchen/kettle plug äöü", "zigbee2mqtt/kitchen/kettle plug äöü", "kitchen kettle plug äöü" },
	{ "", "zigbee2mqtt", "zigbee2mqtt" },
	{ "a$b", "zigbee2mqtt/a$b", "a b" },
	{ "a+b", NULL, NULL },
	{ "#", NULL, NULL },
	{ "bridge/request/restart", NULL, NULL },
	{ "bridge", NULL, NULL },
	{ "lamp/set", NULL, NULL },
	{ "lamp/set/state", NULL, NULL },
	{ "lamp/availability", NULL, NULL },
	{ "/lamp", NULL, NULL },
	{ "lamp/", NULL, NULL },
	{ "line\\nbreak", NULL, NULL },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(name_rows); i++) {
		const struct name_row *row = &name_rows[i];
		struct z2m_devices list;
		char text[512];

		print_message("%s\n", row->name);
		snprintf(text, sizeof(text), "[{\"ieee_address\":\"0x00000000000000aa\",\"friendly_name\":\"%s\"}]", row->name);
		check_ok(read_devices(text, &list));
		check_uint(list.n, row->topic != NULL);
		check_uint(list.refused, row->topic == NULL);
		if (row->topic) {
			check_text(list.devices[0]->topic, row->topic);
			check_text(list.devices[0]->name, row->shown);
			check_true(!list.devices[0]->ready);
		}
		z2m_devices_deinit(&list);
	}
}

static void test_a_long_name_is_refused(void **state)
{
	char name[LAN_TOPIC_MAX + 1], text[1024];
	struct z2m_devices list;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[LAN_TOPIC_MAX] = '\0';
	snprintf(text, sizeof(text), "[{\"ieee_address\":\"0x00000000000000aa\",\"friendly_name\":\"%s\"}]", name);
	check_ok(read_devices(text, &list));
	check_uint(list.refused, 1);
	name[GWA_TEXT_MAX + 20] = '\0';
	snprintf(text, sizeof(text), "[{\"ieee_address\":\"0x00000000000000aa\",\"friendly_name\":\"%s\"}]", name);
	check_ok(read_devices(text, &list));
	check_uint(list.n, 1);
	check_uint(strlen(list.devices[0]->name), GWA_TEXT_MAX - 1);
	z2m_devices_deinit(&list);
}

static void test_not_devices(void **state)
{
	static const char *const bad[] = { "", "{}", "7", "[", "[{]", "\xff", "null" };
	struct z2m_devices list;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		check_true(read_devices(bad[i], &list) > 0);
		check_uint(list.n, 0);
	}
	check_ok(read_devices("[1,null,{},{\"ieee_address\":\"0x1\",\"friendly_name\":\"x\"},[]]", &list));
	check_uint(list.n, 0);
	check_uint(list.refused, 5);
}

static void test_same_address_elsewhere(void **state)
{
	static const uint8_t ieee[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct gwa_addr a = z2m_address("zigbee2mqtt", ieee), b = z2m_address("attic", ieee);

	(void)state;
	check_uint(a.len, 12);
	check_true(memcmp(a.bytes, b.bytes, 12) != 0);
	check_bytes(a.bytes, 8, ieee, 8);
}

static void test_availability(void **state)
{
	bool online = false;

	(void)state;
	check_ok(z2m_online("{\"state\":\"online\"}", 18, &online));
	check_true(online);
	check_ok(z2m_online("offline", 7, &online));
	check_true(!online);
	check_ok(z2m_online("online", 6, &online));
	check_true(online);
	check_int(z2m_online("onlin", 5, &online), Z2M_E_MALFORMED);
	check_int(z2m_online("{\"state\":1}", 11, &online), Z2M_E_TYPE);
	check_int(z2m_online("{}", 2, &online), Z2M_E_TYPE);
	check_int(z2m_online("[]", 2, &online), Z2M_E_TYPE);
}

static void test_bridge(void **state)
{
	struct json *line = line_of("life.jsonl", "zigbee2mqtt/bridge/response/permit_join");
	const char *payload = json_get_text(line, "payload");
	char transaction[16], *text;
	uint8_t ieee[8];
	bool ok = false;

	(void)state;
	check_ok(z2m_response(payload, strlen(payload), transaction, sizeof(transaction), &ok));
	check_text(transaction, "p-1");
	check_true(ok);
	json_free(line);
	payload = "{\"status\":\"error\",\"transaction\":\"much longer than it was\"}";
	check_int(z2m_response(payload, strlen(payload), transaction, sizeof(transaction), &ok), Z2M_E_TYPE);
	check_ok(z2m_response("{}", 2, transaction, sizeof(transaction), &ok));
	check_true(!ok && !transaction[0]);

	line = line_of("life.jsonl", "zigbee2mqtt/bridge/event");
	payload = json_get_text(line, "payload");
	check_ok(z2m_leave(payload, strlen(payload), ieee));
	check_bytes(ieee, 8, "\x00\x12\x4b\x00\x23\xf4\xd4\x04", 8);
	json_free(line);
	check_int(z2m_leave("{\"type\":\"device_joined\"}", 24, ieee), Z2M_E_TYPE);

	text = z2m_permit_join(3600, "gw-7");
	check_text(text, "{\"time\":254,\"transaction\":\"gw-7\"}");
	free(text);
	text = z2m_remove("0x0102030405060708", "gw-8");
	check_text(text, "{\"id\":\"0x0102030405060708\",\"transaction\":\"gw-8\"}");
	free(text);
}

static void count_name(void *ctx, const char *name)
{
	check_text(name, "lights");
	++*(unsigned *)ctx;
}

static void test_groups(void **state)
{
	static const char text[] = "[{\"friendly_name\":\"lights\",\"id\":5},{\"friendly_name\":\"bridge/x\"},{},3]";
	unsigned n = 0;

	(void)state;
	check_ok(z2m_groups(text, strlen(text), count_name, &n));
	check_uint(n, 1);
	check_int(z2m_groups("{}", 2, count_name, &n), Z2M_E_TYPE);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_captured_devices),
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_trait_limits),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_a_long_name_is_refused),
		cmocka_unit_test(test_not_devices),
		cmocka_unit_test(test_same_address_elsewhere),
		cmocka_unit_test(test_availability),
		cmocka_unit_test(test_bridge),
		cmocka_unit_test(test_groups),
	};

	return CHECK_RUN(rows);
}
