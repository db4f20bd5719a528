#pragma once
/* settings - the link's own section of the settings as the core sends it, checked again before it is believed.
 *
 *   above   linkd/linkd  linkd/profile
 *   below   base/base  base/bytes  base/text  sys/crypto  sys/host  sys/tls
 *   owns    copies of the texts
 *   limits  SETTINGS_ENDPOINTS_MAX SETTINGS_PATH_MAX SETTINGS_TOPIC_MAX SETTINGS_CLIENT_ID_MAX SETTINGS_USERNAME_MAX
 *   errors  SETTINGS_E_BAD
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/tls.h"

enum {
	SETTINGS_ENDPOINTS_MAX = 8,
	SETTINGS_PATH_MAX = 255,
	SETTINGS_TOPIC_MAX = 128,
	SETTINGS_CLIENT_ID_MAX = 64,
	SETTINGS_USERNAME_MAX = 64,
};
enum { SETTINGS_E_BAD = 1 };

enum settings_profile { SETTINGS_NATIVE, SETTINGS_HOMEASSISTANT };

struct endpoint {
	bool local; /* unix socket: no TLS */
	char host[SETTINGS_PATH_MAX + 1]; /* name, address without brackets, or path */
	uint16_t port;
	char text[SETTINGS_PATH_MAX + 1]; /* as it was written */
};

/* Zero-initialised, then settings_init. Equal settings are equal byte for byte. */
struct settings {
	enum settings_profile profile;
	bool has_profile;
	struct endpoint endpoints[SETTINGS_ENDPOINTS_MAX];
	size_t n_endpoints;
	uint8_t pins[TLS_PINS_MAX][TLS_PIN_LEN];
	size_t n_pins;
	char ca[SETTINGS_PATH_MAX + 1], cert[SETTINGS_PATH_MAX + 1], key_file[SETTINGS_PATH_MAX + 1];
	char password_file[SETTINGS_PATH_MAX + 1], username[SETTINGS_USERNAME_MAX + 1];
	char client_id[SETTINGS_CLIENT_ID_MAX + 1];
	bool made_client_id; /* the settings have none */
	char base_topic[SETTINGS_TOPIC_MAX + 1], discovery_prefix[SETTINGS_TOPIC_MAX + 1];
	uint32_t keepalive_s;
};

void settings_init(struct settings *settings);
/* SETTINGS_E_BAD: the value is not one; the caller names the key. A key that is not known is passed over. */
must_check int settings_add(struct settings *settings, struct view key, struct view value);
/* When all are there: is it enough? Fills in a client identifier made from the machine's. NULL: yes, else what is missing. */
const char *settings_complete(struct settings *settings, const char *name);
/* One that was made before stays: behind the fence the machine's id cannot be read again. */
void settings_keep_client_id(struct settings *settings, const struct settings *before);
