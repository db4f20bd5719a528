#pragma once
/* conf - checked settings: one table of keys, one immutable struct, errors at file:line:column.
 *
 *   above   link/links  door/method  app  main
 *   below   base/base  base/text  conf/load  model/capability
 *   owns    struct conf and every text in it
 *   limits  CONF_ADAPTERS_MAX CONF_LINKS_MAX CONF_OPTIONS_MAX CONF_PORTS_MAX CONF_ENDPOINTS_MAX CONF_SHARES_MAX CONF_SHARE_CAPS_MAX
 *           CONF_PINS_MAX CONF_ERRORS_MAX
 *   errors  CONF_E_INVALID CONF_E_RESTART
 *
 * What lies in conf.d is merged behind the main file in name order. Secrets are never settings: keys that end in _file name
 * where one lies.
 *
 * A text that is not set and has no default is NULL. Paths are absolute: sockets written without a leading slash lie in
 * run_dir, other files in the folder of the main file.
 */
#include "base/base.h"
#include "model/capability.h"

enum { CONF_ADAPTERS_MAX = 16, CONF_LINKS_MAX = 8, CONF_OPTIONS_MAX = 48, CONF_PORTS_MAX = 8, CONF_ENDPOINTS_MAX = 4, CONF_SHARES_MAX = 64,
       CONF_PINS_MAX = 4, CONF_SHARE_CAPS_MAX = 32, CONF_ERRORS_MAX = 50 };
enum { CONF_E_INVALID = 1, CONF_E_RESTART = 2 };

struct conf_option { /* as written, and handed to the plugin: the core does not know these keys */
	char *key, *value;
};
struct conf_adapter {
	char *name, *plugin, *user, *sha256; /* sha256: lower case */
	struct conf_option options[CONF_OPTIONS_MAX];
	size_t n_options;
	struct conf_option ports[CONF_PORTS_MAX]; /* name -> device path */
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
	char *endpoints[CONF_ENDPOINTS_MAX];  /* mqtts://host:port (port always there) or unix:/path */
	size_t n_endpoints;
	char *ca, *cert, *key_file, *password_file, *username, *client_id, *base_topic, *discovery_prefix, *region;
	char *pins[CONF_PINS_MAX];            /* base64 of the SHA-256 of a certificate's SubjectPublicKeyInfo, 44 characters */
	size_t n_pins;
	unsigned keepalive_s;
	struct conf_share shares[CONF_SHARES_MAX];
	size_t n_shares;
};

struct conf;
/* A link's number in rules and records: from its name, so that it keeps it wherever it stands in the file. */
uint32_t conf_link_number(const char *name);
const struct conf_link *conf_link(const struct conf *conf, uint32_t number); /* NULL: none has it */

/* SM: what the gateway keeps and signs itself uses SM2, SM3 and SM4 only (docs/spec/vfs.md, keystore.md, audit.md). */
enum conf_suite { SUITE_STANDARD, SUITE_SM };
enum conf_source { SOURCE_AUTO, SOURCE_FILE, SOURCE_CREDENTIAL, SOURCE_PASSPHRASE };

struct conf {
	char *site_name, *timezone, *state_dir, *run_dir, *door_socket, *wire_socket;
	unsigned door_mode;
	uint32_t maker, product;              /* of identities allocated here */
	unsigned session_idle_s, session_absolute_s, sessions_per_user, sessions_max;
	unsigned password_mem_kib, password_passes, lock_tries, lock_window_s, lock_s, code_life_s, code_tries;
	uint64_t spool_bytes_max;
	unsigned spool_sync_ms;
	bool audit_sm3;
	uint64_t audit_segment_bytes, audit_bytes_max;
	unsigned audit_keep_days;
	char *audit_syslog;
	int vault_suite, vault_source;        /* enum conf_suite, enum conf_source */
	char *vault_key_file;
	unsigned vault_rotate_days;
	int log_level;                        /* syslog */
	unsigned rule_depth_max, rule_rate_per_minute;
	char *broker_user, *broker_password_file, *broker_socket; /* gatewayctl broker client: the dynamic-security admin */
	struct conf_adapter adapters[CONF_ADAPTERS_MAX]; /* in the order of the files, as links */
	size_t n_adapters;
	struct conf_link links[CONF_LINKS_MAX];
	size_t n_links;
	struct conf_origins *origins;         /* where each setting came from */
};

/* errors gets one line each, "file:line:column: key: what was expected"; CONF_ERRORS_MAX at most, then how many more.
 * CONF_E_INVALID, or negative when the main file cannot be read (errors says so, too). */
must_check int conf_load(const char *path, char *errors, size_t errors_cap, struct conf **ret);
struct conf *conf_free(struct conf *conf);
DEFINE_CLEANUP(conf_free, struct conf *)
/* May a running core take next in place of now? CONF_E_RESTART: error names the first setting that needs a restart. */
must_check int conf_may_apply(const struct conf *now, const struct conf *next, char *error, size_t error_cap);
/* --show-config and the man page, from the same table; *ret is malloc'ed. What conf_show writes can be loaded again. */
must_check int conf_show(const struct conf *conf, char **ret);
must_check int conf_man(char **ret);
