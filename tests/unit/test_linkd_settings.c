/* The settings that the core sends: each row, what is refused whoever sent it, the limits, and what is missing. */
#include "check.h"

#include "linkd/settings.h"

static int add(struct settings *settings, const char *key, const char *value)
{
	return settings_add(settings, view_text(key), view_text(value));
}

static void takes_every_row(void **state)
{
	static const char *const rows[][2] = {
		{ "profile", "homeassistant" },
		{ "endpoint", "mqtts://cloud.test:8883" },
		{ "endpoint", "mqtts://[2001:db8::1]:443" },
		{ "endpoint", "unix:/run/lan.sock" },
		{ "pin", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
		{ "ca", "/ca.crt" },
		{ "cert", "/a.crt" },
		{ "key-file", "/a.key" },
		{ "username", "me" },
		{ "password-file", "/p" },
		{ "client-id", "gw-1" },
		{ "base-topic", "a/b" },
		{ "discovery-prefix", "ha" },
		{ "keepalive-s", "30" },
		{ "something-of-tomorrow", "x" },
	};
	struct settings s;

	(void)state;
	settings_init(&s);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		check_int(add(&s, rows[i][0], rows[i][1]), 0);
	assert_null(settings_complete(&s, "cloud"));
	check_int(s.profile, SETTINGS_HOMEASSISTANT);
	check_uint(s.n_endpoints, 3);
	check_text(s.endpoints[0].host, "cloud.test");
	check_uint(s.endpoints[0].port, 8883);
	check_text(s.endpoints[1].host, "2001:db8::1");
	check_text(s.endpoints[2].host, "/run/lan.sock");
	check_true(s.endpoints[2].local && !s.endpoints[0].local && s.endpoints[2].port == 0);
	check_uint(s.n_pins, 1);
	check_uint(s.keepalive_s, 30);
	check_text(s.base_topic, "a/b");
	check_text(s.client_id, "gw-1");
}

static void refuses_what_cannot_be(void **state)
{
	static const char *const rows[][2] = {
		{ "profile", "sparkplug" }, { "profile", "" },
		{ "endpoint", "mqtt://cloud.test:1883" }, { "endpoint", "mqtts://cloud.test" }, { "endpoint", "mqtts://:8883" },
		{ "endpoint", "mqtts://a:0" }, { "endpoint", "mqtts://a:65536" }, { "endpoint", "mqtts://2001:db8::1:443" },
		{ "endpoint", "unix:lan.sock" }, { "endpoint", "mqtts://[]:1" }, { "endpoint", "tcp://a:1" },
		{ "pin", "AAAA" }, { "pin", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		{ "pin", "!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
		{ "ca", "ca.crt" }, { "client-id", "a/b" }, { "client-id", "a+b" }, { "base-topic", "a/#" }, { "base-topic", "/a" },
		{ "base-topic", "a/" }, { "base-topic", "a//b" }, { "base-topic", "$SYS" }, { "discovery-prefix", "x\ny" },
		{ "keepalive-s", "4" }, { "keepalive-s", "3601" }, { "keepalive-s", "x" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct settings s;

		settings_init(&s);
		if (add(&s, rows[i][0], rows[i][1]) != SETTINGS_E_BAD)
			fail_msg("%s=%s was taken", rows[i][0], rows[i][1]);
	}
}

static void text_of(char *ret, size_t n, char c)
{
	memset(ret, c, n);
	ret[n] = '\0';
}

static void keeps_to_its_limits(void **state)
{
	static const struct {
		const char *key, *lead;
		size_t max;
	} rows[] = {
		{ "base-topic", "", SETTINGS_TOPIC_MAX },
		{ "client-id", "", SETTINGS_CLIENT_ID_MAX },
		{ "username", "", SETTINGS_USERNAME_MAX },
		{ "ca", "/", SETTINGS_PATH_MAX },
	};
	struct settings s;
	char value[600];

	(void)state;
	settings_init(&s);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		text_of(value, rows[i].max, rows[i].lead[0] ? '/' : 'x');
		check_int(add(&s, rows[i].key, value), 0);
		text_of(value, rows[i].max + 1, rows[i].lead[0] ? '/' : 'x');
		check_int(add(&s, rows[i].key, value), SETTINGS_E_BAD);
	}
	for (int i = 0; i < SETTINGS_ENDPOINTS_MAX; i++)
		check_int(add(&s, "endpoint", "unix:/x"), 0);
	check_int(add(&s, "endpoint", "unix:/x"), SETTINGS_E_BAD);
	for (int i = 0; i < TLS_PINS_MAX; i++)
		check_int(add(&s, "pin", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 0);
	check_int(add(&s, "pin", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), SETTINGS_E_BAD);
}

static void says_what_is_missing(void **state)
{
	struct settings s;

	(void)state;
	settings_init(&s);
	check_text(settings_complete(&s, "x"), "no profile");
	check_int(add(&s, "profile", "native"), 0);
	check_text(settings_complete(&s, "x"), "no endpoint");
	check_int(add(&s, "endpoint", "mqtts://a:1"), 0);
	check_int(add(&s, "cert", "/c"), 0);
	check_text(settings_complete(&s, "x"), "a certificate needs its key, and a key its certificate");
	check_int(add(&s, "key-file", "/k"), 0);
	check_int(add(&s, "password-file", "/p"), 0);
	check_text(settings_complete(&s, "x"), "a password needs a username");
	check_int(add(&s, "username", "u"), 0);
	assert_null(settings_complete(&s, "x"));
	check_true(strncmp(s.client_id, "gatewayd-x-", 11) == 0 && strlen(s.client_id) == 19);
}

/* A core that was restarted says the settings again; the machine's id cannot be read any more. */
static void a_made_client_id_stays(void **state)
{
	struct settings s, later;

	(void)state;
	settings_init(&s);
	check_int(add(&s, "profile", "native"), 0);
	check_int(add(&s, "endpoint", "mqtts://a:1"), 0);
	later = s;
	assert_null(settings_complete(&s, "x"));
	s.client_id[11]++;
	settings_keep_client_id(&later, &s);
	assert_null(settings_complete(&later, "x"));
	check_int(memcmp(&later, &s, sizeof(s)), 0);

	settings_init(&later);
	check_int(add(&later, "client-id", "mine"), 0);
	settings_keep_client_id(&later, &s);
	check_text(later.client_id, "mine");
	s = later;
	settings_init(&later);
	settings_keep_client_id(&later, &s);
	check_text(later.client_id, "");
}

static void the_same_settings_are_the_same_bytes(void **state)
{
	struct settings a, b;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	memset(&b, 0, sizeof(b));
	settings_init(&a);
	settings_init(&b);
	check_int(add(&a, "base-topic", "something-longer"), 0);
	check_int(add(&a, "base-topic", "short"), 0);
	check_int(add(&b, "base-topic", "short"), 0);
	check_text(a.base_topic, b.base_topic);
	settings_init(&a);
	check_int(add(&a, "base-topic", "short"), 0);
	check_bytes(&a, sizeof(a), &b, sizeof(b));
}

static void a_client_id_that_was_made_stays(void **state)
{
	struct settings before, after;

	(void)state;
	settings_init(&before);
	check_int(add(&before, "profile", "native"), 0);
	check_int(add(&before, "endpoint", "mqtts://a:1"), 0);
	after = before;
	assert_null(settings_complete(&before, "x"));
	/* As behind the fence, where another name stands for a machine's id that cannot be read. */
	settings_keep_client_id(&after, &before);
	assert_null(settings_complete(&after, "y"));
	check_bytes(&after, sizeof(after), &before, sizeof(before));
	settings_init(&after);
	check_int(add(&after, "client-id", "own"), 0);
	settings_keep_client_id(&after, &before);
	check_text(after.client_id, "own");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(takes_every_row),	cmocka_unit_test(refuses_what_cannot_be),
		cmocka_unit_test(keeps_to_its_limits),	cmocka_unit_test(says_what_is_missing),
		cmocka_unit_test(a_made_client_id_stays),
		cmocka_unit_test(the_same_settings_are_the_same_bytes),
		cmocka_unit_test(a_client_id_that_was_made_stays),
	};
	return CHECK_RUN(rows);
}
