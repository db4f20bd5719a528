#pragma once
/* conf - checked settings: one table of keys, one immutable struct, errors at file:line:column.
 *
 *   above   link/links  door/method  app  main
 *   below   base/base  model/capability  sys/yaml
 *   owns    struct conf and every text in it
 *   limits  CONF_ADAPTERS_MAX CONF_LINKS_MAX CONF_OPTIONS_MAX CONF_ENDPOINTS_MAX CONF_SHARES_MAX CONF_PINS_MAX CONF_ERRORS_MAX
 *   errors  CONF_E_INVALID
 *
 * Every .yaml file of conf.d is merged behind the main file in name order. Secrets are never settings: keys that end in _file name
 * where one lies.
 */
#include "base/base.h"
#include "model/capability.h"

enum { CONF_ADAPTERS_MAX = 16, CONF_LINKS_MAX = 8, CONF_OPTIONS_MAX = 48, CONF_ENDPOINTS_MAX = 4, CONF_SHARES_MAX = 64, CONF_PINS_MAX = 4,
       CONF_SHARE_CAPS_MAX = 32, CONF_ERRORS_MAX = 50 };
enum { CONF_E_INVALID = 1 };

struct conf_option { /* as written, and handed to the plugin: the core does not know these keys */
	char *key, *value;
};
struct conf_adapter {
	char *name, *plugin, *user, *sha256;
	struct conf_option options[CONF_OPTIONS_MAX];
	size_t n_options;
	struct conf_option ports[8]; /* name -> device path */
	size_t n_ports;
};
/* What may leave over a link: devices (an id, a name, a room's name with a leading "room:", or "*") x data class x capabilities. */
struct conf_share {
	char *device;
	enum data_class class_max;            /* this class and the less sensitive ones */
	uint16_t caps[CONF_SHARE_CAPS_MAX];   /* none: all of the class */
	size_t n_caps;
};
enum conf_profile { PROFILE_NATIVE, PROFILE_HOMEASSISTANT };
struct conf_link {
	char *name, *user;
	enum conf_profile profile;
	bool home;                            /* its broker is in the home: small loop */
	char *endpoints[CONF_ENDPOINTS_MAX];  /* mqtts://host:port or unix:/path */
	size_t n_endpoints;
	char *ca, *cert, *key_file, *password_file, *username, *client_id, *base_topic, *discovery_prefix, *region;
	char *pins[CONF_PINS_MAX];
	size_t n_pins;
	unsigned keepalive_s;
	struct conf_share shares[CONF_SHARES_MAX];
	size_t n_shares;
};

struct conf {
	char *site_name, *timezone, *state_dir, *run_dir, *door_socket, *wire_socket;
	unsigned door_mode;
	uint32_t maker, product;              /* of identities allocated here */
	unsigned session_idle_s, session_absolute_s, sessions_per_user, sessions_max;
	unsigned password_mem_kib, password_passes, lock_tries, lock_window_s, lock_s, code_life_s, code_tries;
	uint64_t spool_bytes_max;
	unsigned spool_sync_ms;
	bool audit_sm3;
	uint64_t audit_segment_bytes;
	int log_level;                        /* syslog */
	unsigned rule_depth_max, rule_rate_per_minute;
	char *broker_user, *broker_password_file, *broker_socket; /* gatewayctl broker client: the dynamic-security admin */
	struct conf_adapter adapters[CONF_ADAPTERS_MAX];
	size_t n_adapters;
	struct conf_link links[CONF_LINKS_MAX];
	size_t n_links;
	void *origins;                        /* conf/print's: where each setting came from */
};

/* errors gets one line each, "file:line:column: key: what was expected"; several of them. */
must_check int conf_load(const char *path, char *errors, size_t errors_cap, struct conf **ret);
struct conf *conf_free(struct conf *conf);
/* May a running core take next in place of now? What needs a restart (sockets, folders, users, adapters, links) is named in error. */
must_check int conf_may_apply(const struct conf *now, const struct conf *next, char *error, size_t error_cap);
/* --show-config and the man page, from the same table; *ret is malloc'ed. */
must_check int conf_show(const struct conf *conf, char **ret);
must_check int conf_man(char **ret);
