/* The plugin among strangers: bad input, floods, refused orders, settings that cannot be; and Tasmota. */
#include <unistd.h>

#include "wifi_host.h"

struct bad_row {
	const char *topic, *payload;
	int kind;
};
static const struct bad_row bad_rows[] = {
	{ "zigbee2mqtt/plug", "{", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug", "\xff\xfe", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug", "[1]", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug", "{\"power\":\"much\"}", GWA_NOTE_BAD_VALUE },
	{ "zigbee2mqtt/plug", "{\"power\":1e99}", GWA_NOTE_BAD_VALUE },
	{ "zigbee2mqtt/plug", "{\"power\":1,\"power\":2}", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug/availability", "perhaps", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/bridge/devices", "{}", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/bridge/devices", "[{}]", GWA_NOTE_BAD_TOPIC },
	{ "zigbee2mqtt/bridge/devices", "[" DEVICE("a+b", "7") "]", GWA_NOTE_BAD_TOPIC },
	{ "zigbee2mqtt/nobody", "{}", GWA_NOTE_UNKNOWN_DEVICE },
	{ "zigbee2mqtt", "{}", GWA_NOTE_UNKNOWN_DEVICE },
	{ "tele/nobody/STATE", "{}", GWA_NOTE_UNKNOWN_DEVICE },
	{ "tasmota/discovery/AABBCCDDEEFF/config", "{}", GWA_NOTE_BAD_TOPIC },
	{ "tasmota/discovery/AABBCCDDEEFF/config", "{", GWA_NOTE_MALFORMED },
	{ "tasmota/discovery/aabb/config", "{}", GWA_NOTE_BAD_TOPIC },
	{ "tasmota/discovery/AABBCCDDEEFF/other", "{}", GWA_NOTE_BAD_TOPIC },
	{ "$SYS/gatewayd/denied", "no", GWA_NOTE_MALFORMED },
	{ "homeassistant/x/config", "{}", GWA_NOTE_UNKNOWN_DEVICE },
};

static void test_bad_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad_rows); i++) {
		struct fake_host *host = open_plugin();

		print_message("%s\n", bad_rows[i].topic);
		say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
		settle(host);
		say(host, bad_rows[i].topic, bad_rows[i].payload, true);
		check_uint(count(host, 'n'), 1);
		assert_non_null(note_of(host, bad_rows[i].kind));
		check_uint(count(host, 'r'), 0);
		check_true(!host->self->intake.held);
		/* And it still works. */
		say(host, "zigbee2mqtt/plug", "{\"power\":1}", true);
		check_uint(count(host, 'r'), i == 8 || i == 9 ? 0 : 1);
		close_plugin(host);
	}
}

static void test_of_no_interest(void **state)
{
	static const char *const topics[] = {
		"zigbee2mqtt/plug/set", "zigbee2mqtt/plug/set/state", "zigbee2mqtt/plug/get", "zigbee2mqtt/bridge/logging",
		"zigbee2mqtt/bridge/request/permit_join", "zigbee2mqtt/lights", "zigbee2mqtt/lights/availability",
	};
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	say(host, "zigbee2mqtt/bridge/groups", "[{\"friendly_name\":\"lights\"}]", false);
	for (size_t i = 0; i < N_ELEMENTS(topics); i++)
		say(host, topics[i], "{\"state\":\"ON\"}", true);
	say(host, "zigbee2mqtt/nobody", "", true); /* a retained message that is taken back */
	check_uint(count(host, 'n') + count(host, 'r'), 0);
	close_plugin(host);
}

static void test_oversize(void **state)
{
	struct fake_host *host = open_plugin();
	char *big = malloc(Z2M_LIST_BYTES_MAX + 2);

	(void)state;
	assert_non_null(big);
	memset(big, ' ', Z2M_LIST_BYTES_MAX + 1);
	big[Z2M_LIST_BYTES_MAX + 1] = '\0';
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	say(host, DEVICES, big, false);
	check_int(note_of(host, GWA_NOTE_OVERSIZE)->number, GWA_NOTE_OVERSIZE);
	big[Z2M_BYTES_MAX + 1] = '\0';
	say(host, "zigbee2mqtt/plug", big, true);
	check_uint(count(host, 'n'), 2);
	free(big);
	close_plugin(host);
}

static void test_notes_are_few(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	for (unsigned i = 0; i < 1000; i++)
		say(host, "zigbee2mqtt/nobody", "{}", true);
	check_uint(count(host, 'n'), 1);
	wifi_ops.on_timer(host->self, TIMER_NOTES);
	check_uint(count(host, 'n'), 2);
	check_uint(host->log[host->n - 1].count, 999);
	close_plugin(host);
}

static void test_too_many_wait(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	for (unsigned i = 0; i <= WAITING_MAX; i++)
		say(host, "zigbee2mqtt/nobody", "{}", true);
	assert_non_null(note_of(host, GWA_NOTE_DROPPED));
	close_plugin(host);
}

static void test_denied(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, "$SYS/gatewayd/denied",
	    "{\"user\":\"porch\",\"client\":\"porch\",\"address\":\"192.168.1.20\",\"action\":\"publish\",\"topic\":\"zigbee2mqtt/plug/set\"}",
	    true);
	check_text(note_of(host, GWA_NOTE_REFUSED_COMMAND)->object, "zigbee2mqtt/plug/set");
	check_true(strstr(note_of(host, GWA_NOTE_REFUSED_COMMAND)->text, "porch") != NULL);
	say(host, "$SYS/gatewayd/denied", "{\"user\":\"porch\",\"more\":17}", true);
	check_uint(note_of(host, GWA_NOTE_REFUSED_COMMAND)->count, 17);
	/* Our own question is no attack. */
	say(host, "$SYS/gatewayd/denied",
	    "{\"user\":\"gateway-intake\",\"action\":\"publish\",\"topic\":\"zigbee2mqtt/gatewayd-probe/set\"}", true);
	check_uint(count(host, 'n'), 2);
	close_plugin(host);
}

#define TASMOTA                                                                                                       \
	"{\"dn\":\"Kettle\",\"mac\":\"AABBCCDDEEFF\",\"md\":\"x\",\"ofln\":\"Offline\",\"onln\":\"Online\","              \
	"\"state\":[\"OFF\",\"ON\"],\"sw\":\"1\",\"t\":\"kettle\",\"ft\":\"%prefix%/%topic%/\","                          \
	"\"tp\":[\"cmnd\",\"stat\",\"tele\"],\"rl\":[1]}"

static void test_tasmota(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	/* The halves in the wrong order. */
	say(host, "tasmota/discovery/AABBCCDDEEFF/sensors", "{\"sn\":{\"ENERGY\":{\"Power\":1}}}", true);
	check_uint(count(host, 'u'), 0);
	say(host, "tele/kettle/LWT", "Online", true);
	say(host, "tasmota/discovery/AABBCCDDEEFF/config", TASMOTA, true);
	check_uint(count(host, 'u'), 1);
	check_text(host->log[host->n - 1].text, "Kettle");
	say(host, "tele/kettle/SENSOR", "{\"ENERGY\":{\"Power\":40}}", true);
	say(host, "stat/kettle/RESULT", "{\"POWER\":\"ON\"}", true);
	say(host, "stat/kettle/POWER", "OFF", true);
	check_uint(count(host, 'r'), 3);
	check_int(host->log[host->n - 1].number, 0);
	say(host, "tele/kettle/LWT", "Offline", true);
	check_uint(count(host, 'd'), 1);
	say(host, "tele/kettle/INFO1", "{}", true);
	/* Another one says that it has this one's topic. */
	settle(host);
	say(host, "tasmota/discovery/112233445566/config", TASMOTA, true);
	check_uint(count(host, 'n'), 1);
	say(host, "tasmota/discovery/AABBCCDDEEFF/config", "", true);
	check_uint(count(host, 'l'), 1);
	close_plugin(host);
}

static void test_tasmota_full(void **state)
{
	struct fake_host *host = open_plugin();
	char topic[64];

	(void)state;
	for (unsigned i = 0; i <= WIFI_ANNOUNCED_MAX; i++) {
		snprintf(topic, sizeof(topic), "tasmota/discovery/0000000%05X/sensors", i);
		say(host, topic, "{\"sn\":{}}", true);
	}
	check_uint(count(host, 'n'), 1);
	assert_non_null(note_of(host, GWA_NOTE_FLOOD));
	close_plugin(host);
}

struct option_row {
	const char *key, *value;
	bool good;
};
static const struct option_row option_rows[] = {
	{ "broker", "/run/lan.sock", true },	{ "broker", "unix:/run/lan.sock", true },
	{ "broker", "lan.sock", false },	{ "broker", ":1883", false },
	{ "broker", "127.0.0.1:0", false },	{ "base", "", true },
	{ "base", "a/b,c", true },		{ "base", "gatewayd", false },
	{ "base", "homeassistant", false },	{ "base", "gatewayd/x", false },
	{ "base", "a+b", false },		{ "base", "#", false },
	{ "base", "/a", false },		{ "tasmota", "perhaps", false },
	{ "tasmota", "off", true },		{ "intake-user", "", false },
	{ "intake_password_file", "/nonexistent", false }, { "colour", "blue", false },
	{ "base", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", false }, /* WIFI_BASES_MAX */
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(option_rows); i++) {
		struct gwa_opt opts[] = { { "broker", "/nonexistent" }, { option_rows[i].key, option_rows[i].value } };
		struct fake_host *host = calloc(1, sizeof(*host));

		print_message("%s %s\n", opts[1].key, opts[1].value);
		assert_non_null(host);
		host->ops = &fake_ops;
		check_int(wifi_ops.open((gwa_host *)(void *)host, opts, 2, &host->self), option_rows[i].good ? 0 : -EINVAL);
		if (option_rows[i].good)
			wifi_ops.close(host->self);
		free(host);
	}
}

/* Texts at their longest: one byte less is taken. */
static void test_long_options(void **state)
{
	static const struct {
		const char *key;
		size_t max;
	} rows[] = { { "intake_user", WIFI_TEXT_MAX }, { "broker", WIFI_TEXT_MAX }, { "base", WIFI_BASE_MAX } };
	char text[WIFI_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		for (size_t len = rows[i].max - 1; len <= rows[i].max; len++) {
			struct gwa_opt opts[] = { { "broker", "/nonexistent" }, { rows[i].key, text } };
			struct fake_host *host = calloc(1, sizeof(*host));

			assert_non_null(host);
			memset(text, 'x', len);
			text[len] = '\0';
			if (i == 1)
				text[0] = '/';
			host->ops = &fake_ops;
			check_int(wifi_ops.open((gwa_host *)(void *)host, opts, 2, &host->self), len < rows[i].max ? 0 : -EINVAL);
			if (len < rows[i].max)
				wifi_ops.close(host->self);
			free(host);
		}
	}
}

/* A password's file: a line end is none of it, one that is too long or empty is refused. */
static void test_passwords(void **state)
{
	static const struct {
		size_t len;
		const char *end;
		bool good;
	} rows[] = { { WIFI_SECRET_MAX - 1, "", true }, { WIFI_SECRET_MAX, "", false }, { 5, "\n", true }, { 0, "\n", false } };
	char path[] = "/tmp/wifi-password-XXXXXX", text[WIFI_SECRET_MAX + 2];
	struct gwa_opt opts[] = { { "broker", "/nonexistent" }, { "intake_password_file", path } };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	memset(text, 's', sizeof(text));
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct fake_host *host = calloc(1, sizeof(*host));

		assert_non_null(host);
		host->ops = &fake_ops;
		check_int(ftruncate(fd, 0), 0);
		check_int(pwrite(fd, text, rows[i].len, 0), (int64_t)rows[i].len);
		check_int(pwrite(fd, rows[i].end, strlen(rows[i].end), (off_t)rows[i].len), (int64_t)strlen(rows[i].end));
		check_int(wifi_ops.open((gwa_host *)(void *)host, opts, 2, &host->self), rows[i].good ? 0 : -EINVAL);
		if (rows[i].good) {
			check_uint(strlen(host->self->settings.intake.password), rows[i].len);
			wifi_ops.close(host->self);
		}
		free(host);
	}
	close(fd);
	unlink(path);
}

/* A broker that is not there is asked again, ever later, up to a bound; what an order waits for is not sent by then. */
static void test_retry(void **state)
{
	struct fake_host *host = open_plugin();
	uint32_t longest = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		check_true(host->timers[TIMER_COMMAND] > 0 && host->timers[TIMER_COMMAND] <= MQTT_RETRY_MS_MAX);
		if (host->timers[TIMER_COMMAND] > longest)
			longest = host->timers[TIMER_COMMAND];
		wifi_ops.on_timer(host->self, TIMER_COMMAND);
	}
	check_true(longest >= MQTT_RETRY_MS_MAX / 2);
	/* A turn ends before the broker must wait for its first acknowledgement. */
	check_true(MQTT_BATCH_MAX < MQTT_INFLIGHT_MAX);
	close_plugin(host);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_of_no_interest),
		cmocka_unit_test(test_oversize),
		cmocka_unit_test(test_notes_are_few),
		cmocka_unit_test(test_too_many_wait),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_tasmota),
		cmocka_unit_test(test_tasmota_full),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_long_options),
		cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_retry),
	};

	return CHECK_RUN(rows);
}
