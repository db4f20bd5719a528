/* The core checked all of this when it read its files. It is checked here once more, cheaply, because this process speaks
 * with the world: an endpoint without TLS, or a topic with a wildcard in it, is refused whoever sent it.
 */
#include "linkd/settings.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/host.h"

void settings_init(struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->keepalive_s = 60;
	text_copy(settings->base_topic, sizeof(settings->base_topic), "gatewayd");
	text_copy(settings->discovery_prefix, sizeof(settings->discovery_prefix), "homeassistant");
}

static bool read_profile(struct settings *settings, const char *text)
{
	settings->has_profile = true;
	settings->profile = text_equal(text, "native") ? SETTINGS_NATIVE : SETTINGS_HOMEASSISTANT;
	return text_equal(text, "native") || text_equal(text, "homeassistant");
}

/* host:port or [address]:port */
static bool split_host(struct endpoint *endpoint, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	uint32_t port;

	if (!len || text_to_u32(colon + 1, 1, 65535, &port))
		return false;
	endpoint->port = (uint16_t)port;
	if (text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return false;
	}
	return len && text_copy_n(endpoint->host, sizeof(endpoint->host), text, len);
}

static bool read_endpoint(struct settings *settings, const char *text)
{
	struct endpoint *endpoint = &settings->endpoints[settings->n_endpoints];

	if (settings->n_endpoints == SETTINGS_ENDPOINTS_MAX || !text_copy(endpoint->text, sizeof(endpoint->text), text))
		return false;
	if (strncmp(text, "unix:/", 6) == 0) {
		endpoint->local = true;
		if (!text_copy(endpoint->host, sizeof(endpoint->host), text + 5))
			return false;
	} else if (strncmp(text, "mqtts://", 8) != 0 || !split_host(endpoint, text + 8)) {
		return false;
	}
	settings->n_endpoints++;
	return true;
}

/* base64 with padding, of 32 bytes */
static bool read_pin(struct settings *settings, const char *text)
{
	char url[44];
	size_t n = 0;

	if (settings->n_pins == TLS_PINS_MAX || strlen(text) != 44 || text[43] != '=')
		return false;
	for (size_t i = 0; i < 43; i++)
		url[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
	if (base64url_parse(url, 43, settings->pins[settings->n_pins], TLS_PIN_LEN, &n) || n != TLS_PIN_LEN)
		return false;
	settings->n_pins++;
	return true;
}

/* Levels that are not empty, no wildcard, not the broker's own tree. */
static bool is_topic(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f || strchr("+#$", text[i]))
			return false;
	return len && text[0] != '/' && text[len - 1] != '/' && !strstr(text, "//");
}

static bool read_base_topic(struct settings *settings, const char *text)
{
	return is_topic(text) && text_copy(settings->base_topic, sizeof(settings->base_topic), text);
}

static bool read_discovery_prefix(struct settings *settings, const char *text)
{
	return is_topic(text) && text_copy(settings->discovery_prefix, sizeof(settings->discovery_prefix), text);
}

static bool read_client_id(struct settings *settings, const char *text)
{
	return is_topic(text) && !strchr(text, '/') && text_copy(settings->client_id, sizeof(settings->client_id), text);
}

static bool read_username(struct settings *settings, const char *text)
{
	return text_copy(settings->username, sizeof(settings->username), text);
}

static bool read_keepalive(struct settings *settings, const char *text)
{
	return text_to_u32(text, 5, 3600, &settings->keepalive_s) == 0;
}

#define PATH_ROW(name)                                                                     \
	static bool read_##name(struct settings *settings, const char *text)              \
	{                                                                                  \
		return text[0] == '/' && text_copy(settings->name, sizeof(settings->name), text); \
	}
PATH_ROW(ca)
PATH_ROW(cert)
PATH_ROW(key_file)
PATH_ROW(password_file)

static const struct {
	const char *key;
	bool (*read)(struct settings *settings, const char *text);
} rows[] = {
	{ "profile", read_profile },
	{ "endpoint", read_endpoint },
	{ "pin", read_pin },
	{ "ca", read_ca },
	{ "cert", read_cert },
	{ "key-file", read_key_file },
	{ "username", read_username },
	{ "password-file", read_password_file },
	{ "client-id", read_client_id },
	{ "base-topic", read_base_topic },
	{ "discovery-prefix", read_discovery_prefix },
	{ "keepalive-s", read_keepalive },
};

int settings_add(struct settings *settings, struct view key, struct view value)
{
	char name[32], text[SETTINGS_PATH_MAX + 1];

	if (!text_copy_n(name, sizeof(name), key.data, key.len))
		return 0;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (!text_equal(name, rows[i].key))
			continue;
		if (value.len == 0 || !text_copy_n(text, sizeof(text), value.data, value.len) || !rows[i].read(settings, text))
			return SETTINGS_E_BAD;
	}
	return 0;
}

/* The same on each start, another one on each machine, and not the machine's id itself (machine-id(5)). */
static void make_client_id(struct settings *settings, const char *name)
{
	uint8_t sha[CRYPTO_HASH_LEN];
	char hex[9], *id = NULL;
	size_t len = 0;

	if (host_read_file("/etc/machine-id", 64, &id, &len) == 0)
		crypto_hmac_sha256(id, len, "gatewayd-link", 13, sha);
	else
		crypto_sha256(name, strlen(name), sha);
	free(id);
	hex_print(sha, 4, hex);
	text_print(settings->client_id, sizeof(settings->client_id), "gatewayd-%.32s-%s", name, hex);
	settings->made_client_id = true;
}

const char *settings_complete(struct settings *settings, const char *name)
{
	if (!settings->has_profile)
		return "no profile";
	if (!settings->n_endpoints)
		return "no endpoint";
	if (!settings->cert[0] != !settings->key_file[0])
		return "a certificate needs its key, and a key its certificate";
	if (settings->password_file[0] && !settings->username[0])
		return "a password needs a username";
	if (!settings->client_id[0])
		make_client_id(settings, name);
	return NULL;
}

void settings_keep_client_id(struct settings *settings, const struct settings *before)
{
	if (settings->client_id[0] || !before->made_client_id)
		return;
	text_copy(settings->client_id, sizeof(settings->client_id), before->client_id);
	settings->made_client_id = true;
}
