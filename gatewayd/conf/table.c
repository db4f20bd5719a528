/* The settings. Help is one or two sentences for a person who installs a gateway, not for its
 * authors. */
#include <string.h>
#include <syslog.h>

#include "base/text.h"
#include "conf/table.h"

#define TOP(field)	    .group = IN_CONF, .at = offsetof(struct conf, field)
#define OF_ADAPTER(field)   .group = IN_ADAPTER, .at = offsetof(struct conf_adapter, field)
#define OF_LINK(field)	    .group = IN_LINK, .at = offsetof(struct conf_link, field)
#define OF_SHARE(field)	    .group = IN_SHARE, .at = offsetof(struct conf_share, field)
#define ADAPTER_LIST(field) OF_ADAPTER(field), .count_at = offsetof(struct conf_adapter, n_##field)
#define LINK_LIST(field)    OF_LINK(field), .count_at = offsetof(struct conf_link, n_##field)
#define SHARE_LIST(field)   OF_SHARE(field), .count_at = offsetof(struct conf_share, n_##field)

#define REST(rank_, change_, help_) .rank = rank_, .change = change_, .help = help_
#define TEXT(path_, place, min_, max_, preset_, rank_, change_, help_)             \
	{                                                                          \
		.path = path_, place, .type = TYPE_TEXT, .min = min_, .max = max_, \
		.preset = preset_, REST(rank_, change_, help_)                     \
	}
#define NUMBER(path_, place, min_, max_, unit_, preset_, change_, help_)                         \
	{                                                                                        \
		.path = path_, place, .type = TYPE_INT, .min = min_, .max = max_, .unit = unit_, \
		.preset = preset_, REST(OPTIONAL, change_, help_)                                \
	}
#define BYTES(path_, place, min_, max_, preset_, change_, help_)                   \
	{                                                                          \
		.path = path_, place, .type = TYPE_SIZE, .min = min_, .max = max_, \
		.preset = preset_, REST(OPTIONAL, change_, help_)                  \
	}
#define CHOICE(path_, place, first, choices_, preset_, rank_, change_, help_)                 \
	{                                                                                     \
		.path = path_, place, .type = TYPE_CHOICE, .min = first, .choices = choices_, \
		.preset = preset_, REST(rank_, change_, help_)                                \
	}
#define PLAIN(path_, place, type_, preset_, rank_, change_, help_)      \
	{                                                               \
		.path = path_, place, .type = type_, .preset = preset_, \
		REST(rank_, change_, help_)                             \
	}
#define LIST(path_, place, type_, min_, max_, rank_, change_, help_)           \
	{                                                                      \
		.path = path_, place, .type = type_, .min = min_, .max = max_, \
		REST(rank_, change_, help_)                                    \
	}

#define KIB   1024ll
#define MIB   (1024 * KIB)
#define GIB   (1024 * MIB)
#define DAY_S 86400

static const struct conf_row rows[] = {
	TEXT("site.name", TOP(site_name), 1, 64, "Home", OPTIONAL, LIVE,
	     "What people call this home."),
	PLAIN("site.timezone", TOP(timezone), TYPE_TIMEZONE, "UTC", OPTIONAL, RESTART,
	      "Time zone for rules that name a time of day, as in /usr/share/zoneinfo: "
	      "Asia/Shanghai."),
	PLAIN("site.maker", TOP(maker), TYPE_CODE, "000000", OPTIONAL, RESTART,
	      "Maker code in the identities that this gateway gives to devices which bring none."),
	PLAIN("site.product", TOP(product), TYPE_CODE, "000000", OPTIONAL, RESTART,
	      "Product code in the same identities."),

	PLAIN("state_dir", TOP(state_dir), TYPE_FOLDER, "/var/lib/gatewayd", OPTIONAL, RESTART,
	      "Folder of the databases and keys. On OpenWrt, where /var is memory, a folder on "
	      "flash."),
	PLAIN("run_dir", TOP(run_dir), TYPE_FOLDER, "/run/gatewayd", OPTIONAL, RESTART,
	      "Folder of the sockets."),
	PLAIN("door.socket", TOP(door_socket), TYPE_SOCKET, "door.sock", OPTIONAL, RESTART,
	      "Where gatewayctl and other programs of people knock."),
	PLAIN("door.mode", TOP(door_mode), TYPE_MODE, "0660", OPTIONAL, RESTART,
	      "Access mode of the door's socket: who may knock at all. Who may do what is asked "
	      "behind it."),
	PLAIN("wire.socket", TOP(wire_socket), TYPE_SOCKET, "wire.sock", OPTIONAL, RESTART,
	      "Where adapters and links connect to the core."),

	NUMBER("session.idle_s", TOP(session_idle_s), 30, DAY_S, "s", "900", RESTART,
	       "A session ends after this time without a request."),
	NUMBER("session.absolute_s", TOP(session_absolute_s), 300, 30 * DAY_S, "s", "43200",
	       RESTART, "A session ends after this time in any case."),
	NUMBER("session.max_per_user", TOP(sessions_per_user), 1, 64, NULL, "5", RESTART,
	       "Sessions of one user at a time; the oldest one ends when there is one more."),
	NUMBER("session.max", TOP(sessions_max), 1, 64, NULL, "64", RESTART,
	       "Sessions of all users at a time."),
	NUMBER("password.mem_kib", TOP(password_mem_kib), 19456, 1048576, "KiB", "19456", RESTART,
	       "Memory that checking one password takes (Argon2id). More makes guessing from a "
	       "stolen database dearer."),
	NUMBER("password.passes", TOP(password_passes), 2, 64, NULL, "2", RESTART,
	       "Passes over that memory."),
	NUMBER("lockout.tries", TOP(lock_tries), 3, 20, NULL, "5", RESTART,
	       "Wrong passwords for one user, or from one place, that lock it."),
	NUMBER("lockout.window_s", TOP(lock_window_s), 60, DAY_S, "s", "900", RESTART,
	       "Time in which they are counted."),
	NUMBER("lockout.lock_s", TOP(lock_s), 60, DAY_S, "s", "900", RESTART,
	       "How long the lock stays."),
	NUMBER("code.life_s", TOP(code_life_s), 60, 3600, "s", "600", RESTART,
	       "Life of a one-time code for binding a device."),
	NUMBER("code.tries", TOP(code_tries), 1, 10, NULL, "5", RESTART,
	       "Wrong tries after which all open codes are void."),

	BYTES("spool.bytes_max", TOP(spool_bytes_max), 1 * MIB, 1024 * GIB, "64 MiB", RESTART,
	      "What may wait for the links while they are down. Beyond it the oldest telemetry "
	      "goes first."),
	NUMBER("spool.sync_ms", TOP(spool_sync_ms), 100, 10000, "ms", "2000", RESTART,
	       "How long telemetry may lie in the kernel before it is forced to flash. Alarms "
	       "never wait."),
	CHOICE("audit.hash", TOP(audit_sm3), 0, "sha256|sm3", "sha256", OPTIONAL, RESTART,
	       "Hash of the audit record's chain. It is fixed when a record begins."),
	BYTES("audit.segment_bytes", TOP(audit_segment_bytes), 1 * MIB, 1 * GIB, "16 MiB", RESTART,
	      "Size at which the audit record begins a new file."),
	BYTES("audit.bytes_max", TOP(audit_bytes_max), 4 * MIB, 64 * GIB, "256 MiB", RESTART,
	      "Room that the audit record is meant to take. At 80 and 95 % of it, or of the disk, an alarm is "
	      "raised; nothing younger than audit.keep_days is ever dropped."),
	NUMBER("audit.keep_days", TOP(audit_keep_days), 180, 3650, "d", "180", RESTART,
	       "How long records are kept at least, in days that the gateway was running. Files that are older go once "
	       "they were exported."),
	PLAIN("audit.syslog", TOP(audit_syslog), TYPE_FILE, "/dev/log", OPTIONAL, RESTART,
	      "Socket of the system's log, which hears each sealed point of the audit record."),

	CHOICE("vault.suite", TOP(vault_suite), 0, "standard|sm", "standard", OPTIONAL, RESTART,
	       "Algorithms of what the gateway stores and signs: XChaCha20-Poly1305, SHA-256, Ed25519 and SM2; "
	       "or SM4, SM3 and SM2 alone. New data is written so; what is there stays readable."),
	CHOICE("vault.source", TOP(vault_source), 0, "auto|file|credential|passphrase", "auto", OPTIONAL, RESTART,
	       "Where the key that opens the keystore comes from: a file, a credential of the service manager "
	       "(gatewayd.kek), or a passphrase that a person gives after each start. auto: what the keystore is locked "
	       "with; at the first start the credential when there is one, else the file."),
	PLAIN("vault.key_file", TOP(vault_key_file), TYPE_FILE, NULL, OPTIONAL, RESTART,
	      "That file; made at the first start. Without it: kek.key in state_dir, which protects nothing from "
	      "somebody who takes the whole disk."),
	NUMBER("vault.rotate_days", TOP(vault_rotate_days), 1, 3650, "d", "365", RESTART,
	       "Age at which a data key is worn: an alarm asks for its rotation."),
	CHOICE("log.level", TOP(log_level), LOG_ERR, "error|warning|notice|info|debug", "info",
	       OPTIONAL, LIVE,
	       "What the log shows, and everything graver. GATEWAYD_LOG_LEVEL in the environment "
	       "wins over it."),
	NUMBER("rules.depth_max", TOP(rule_depth_max), 1, 16, NULL, "4", RESTART,
	       "How many rules may set off each other in a chain before it is stopped."),
	NUMBER("rules.rate_per_minute", TOP(rule_rate_per_minute), 1, 6000, NULL, "60", RESTART,
	       "Commands that one rule may give in a minute."),

	PLAIN("broker.socket", TOP(broker_socket), TYPE_SOCKET, NULL, OPTIONAL, RESTART,
	      "Socket of the home's own MQTT broker, for \"gatewayctl broker client\"."),
	TEXT("broker.user", TOP(broker_user), 1, 64, "gateway-broker-admin", OPTIONAL, RESTART,
	     "Its account that may add and remove clients."),
	PLAIN("broker.password_file", TOP(broker_password_file), TYPE_FILE, NULL, OPTIONAL, RESTART,
	      "File with that account's password."),

	PLAIN("adapters.<name>.plugin", OF_ADAPTER(plugin), TYPE_PLUGIN, NULL, NEEDED, RESTART,
	      "What speaks to the devices: a plugin that came with gatewayd (sim, wifi), or the "
	      "path of a foreign one."),
	PLAIN("adapters.<name>.user", OF_ADAPTER(user), TYPE_USER, "gw-<name>", OPTIONAL, RESTART,
	      "System user as which its process runs. The core knows it by this user, so no two "
	      "share one."),
	PLAIN("adapters.<name>.sha256", OF_ADAPTER(sha256), TYPE_HASH, NULL, OPTIONAL, RESTART,
	      "SHA-256 of the plugin's file. Needed for a foreign one: another file is not "
	      "loaded."),
	LIST("adapters.<name>.options", ADAPTER_LIST(options), TYPE_OPTIONS, 0, CONF_OPTIONS_MAX,
	     OPTIONAL, RESTART,
	     "Settings of the plugin's own, key and text. Its manual names them."),
	LIST("adapters.<name>.ports", ADAPTER_LIST(ports), TYPE_PORTS, 0, CONF_PORTS_MAX, OPTIONAL,
	     RESTART,
	     "Devices of this machine that the plugin may use, by the plugin's name for them: "
	     "radio: /dev/ttyACM0."),

	CHOICE("links.<name>.profile", OF_LINK(profile), PROFILE_NATIVE, "native|homeassistant",
	       NULL, NEEDED, RESTART,
	       "How the other side speaks: gatewayd's own protocol, or Home Assistant's MQTT "
	       "discovery."),
	PLAIN("links.<name>.user", OF_LINK(user), TYPE_USER, "gw-<name>", OPTIONAL, RESTART,
	      "System user as which its process runs. The core knows it by this user, so no two "
	      "share one."),
	PLAIN("links.<name>.home", OF_LINK(home), TYPE_BOOL, "false", OPTIONAL, RESTART,
	      "Whether its broker stands in this home. Commands from elsewhere belong to the big "
	      "loop and need more."),
	LIST("links.<name>.endpoints", LINK_LIST(endpoints), TYPE_ENDPOINTS, 1, CONF_ENDPOINTS_MAX,
	     NEEDED, RESTART,
	     "Where the broker is, in the order of trying: mqtts://host:port or unix:/path."),
	PLAIN("links.<name>.ca", OF_LINK(ca), TYPE_FILE, NULL, OPTIONAL, RESTART,
	      "Certificate authority that the broker's certificate must come from. Without it, "
	      "those of the system."),
	PLAIN("links.<name>.cert", OF_LINK(cert), TYPE_FILE, NULL, OPTIONAL, RESTART,
	      "This gateway's own certificate."),
	PLAIN("links.<name>.key_file", OF_LINK(key_file), TYPE_FILE, NULL, OPTIONAL, RESTART,
	      "File with the key to that certificate. Only the link's user may read it."),
	LIST("links.<name>.pin", LINK_LIST(pins), TYPE_PINS, 0, CONF_PINS_MAX, OPTIONAL, RESTART,
	     "Accept only these broker keys: SHA-256 of the public key, as 64 hex digits or as "
	     "base64."),
	TEXT("links.<name>.username", OF_LINK(username), 1, 64, NULL, OPTIONAL, RESTART,
	     "User name for the broker."),
	PLAIN("links.<name>.password_file", OF_LINK(password_file), TYPE_FILE, NULL, OPTIONAL,
	      RESTART, "File with the password for the broker."),
	PLAIN("links.<name>.client_id", OF_LINK(client_id), TYPE_CLIENT_ID, NULL, OPTIONAL, RESTART,
	      "MQTT client identifier. Without it, one made from this gateway's identity."),
	PLAIN("links.<name>.base_topic", OF_LINK(base_topic), TYPE_TOPIC, "gatewayd", OPTIONAL,
	      RESTART, "Topic below which this gateway speaks and listens."),
	PLAIN("links.<name>.discovery_prefix", OF_LINK(discovery_prefix), TYPE_TOPIC,
	      "homeassistant", OPTIONAL, RESTART, "Home Assistant's discovery prefix."),
	TEXT("links.<name>.region", OF_LINK(region), 1, 64, NULL, OPTIONAL, RESTART,
	     "Where the other side keeps what it gets, for the people whose data it is."),
	NUMBER("links.<name>.keepalive_s", OF_LINK(keepalive_s), 5, 3600, "s", "60", RESTART,
	       "MQTT keep-alive."),
	LIST("links.<name>.share", LINK_LIST(shares), TYPE_SHARES, 0, CONF_SHARES_MAX, OPTIONAL,
	     LIVE,
	     "What may leave by this link. Without it nothing does but the gateway's own health."),
	PLAIN("links.<name>.share[].device", OF_SHARE(device), TYPE_DEVICES, NULL, NEEDED, LIVE,
	      "Of which device: its identity, its name, room:NAME for all in a room, or * for "
	      "all."),
	CHOICE("links.<name>.share[].class", OF_SHARE(class_max), CLASS_PUBLIC,
	       "public|ordinary|personal|sensitive", NULL, NEEDED, LIVE,
	       "The most sensitive class of data that may leave; the less sensitive ones may, "
	       "too."),
	LIST("links.<name>.share[].capabilities", SHARE_LIST(caps), TYPE_CAPS, 0,
	     CONF_SHARE_CAPS_MAX, OPTIONAL, LIVE,
	     "Only these capabilities: [on-off, temperature]. Without it, all of the class."),
};

const struct conf_row *conf_row_at(size_t i)
{
	return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}

const struct conf_row *conf_row_find(const char *path)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (text_equal(rows[i].path, path))
			return &rows[i];
	}
	return NULL;
}

/* What follows section and its dot in path, or NULL. The whole table is the section "". */
static const char *below(const char *path, const char *section)
{
	size_t len = strlen(section);

	if (len == 0)
		return path;
	return !strncmp(path, section, len) && path[len] == '.' ? path + len + 1 : NULL;
}

bool conf_row_is_section(const char *path)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (below(rows[i].path, path))
			return true;
	}
	return false;
}

enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance; both at most WORD_MAX bytes. */
static size_t distance(const char *a, const char *b, size_t b_len)
{
	size_t line[WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		line[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = line[0];

		line[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = line[j];

			line[j] =
				least(above + 1, line[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return line[b_len];
}

const char *conf_row_near(const char *section, const char *word)
{
	size_t best = strlen(word) / 3 + 2;
	const char *found = NULL;

	if (strlen(word) > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const char *key = below(rows[i].path, section);
		size_t len = key ? strcspn(key, ".") : 0, d;

		if (len == 0 || len > WORD_MAX || key[0] == '<')
			continue;
		d = distance(word, key, len);
		if (d < best) {
			best = d;
			found = key;
		}
	}
	return found;
}

static void expected_range(const struct conf_row *row, const char *what, const char *unit,
			   char *ret, size_t cap)
{
	text_print(ret, cap, "%s of %lld..%lld%s%s", what, (long long)row->min, (long long)row->max,
		   unit ? " " : "", unit ? unit : "");
}

static void expected_size(const struct conf_row *row, char *ret, size_t cap)
{
	text_print(ret, cap, "size of %lld MiB..%lld MiB, such as 64 MiB",
		   (long long)(row->min / MIB), (long long)(row->max / MIB));
}

static void expected_choice(const struct conf_row *row, char *ret, size_t cap)
{
	text_print(ret, cap, "one of ");
	for (const char *p = row->choices; *p; p++) {
		if (*p == '|')
			text_append(ret, cap, ", ");
		else
			text_append(ret, cap, "%c", *p);
	}
}

static const char *const expectations[TYPES] = {
	[TYPE_BOOL] = "true or false",
	[TYPE_MODE] = "access mode in octal, such as 0660",
	[TYPE_CODE] = "six hex digits",
	[TYPE_TIMEZONE] = "time zone of /usr/share/zoneinfo, such as Asia/Shanghai, or UTC",
	[TYPE_FOLDER] = "absolute path of a folder",
	[TYPE_SOCKET] = "path of a socket, at most 107 bytes",
	[TYPE_FILE] = "path of a file",
	[TYPE_USER] = "name of a system user, or its number",
	[TYPE_PLUGIN] = "name of a plugin, or absolute path of one",
	[TYPE_HASH] = "64 hex digits",
	[TYPE_TOPIC] = "MQTT topic of letters, digits and _ - . with / between, at most 64 bytes",
	[TYPE_CLIENT_ID] = "1..64 letters, digits and _ - .",
	[TYPE_DEVICES] = "*, a device's identity (24 hex digits) or name, or room:NAME",
	[TYPE_ENDPOINTS] = "mqtts://host:port or unix:/path",
	[TYPE_PINS] = "SHA-256 of a public key, as 64 hex digits or as base64",
	[TYPE_CAPS] = "name of a capability, such as on-off",
	[TYPE_SHARES] = "list of {device, class, capabilities}",
	[TYPE_OPTIONS] = "map of keys to texts of at most 1024 bytes",
	[TYPE_PORTS] = "map of names to absolute paths of devices",
};

void conf_row_expected(const struct conf_row *row, char *ret, size_t cap)
{
	if (row->type == TYPE_INT)
		expected_range(row, "whole number", row->unit, ret, cap);
	else if (row->type == TYPE_TEXT)
		expected_range(row, "text", "bytes", ret, cap);
	else if (row->type == TYPE_SIZE)
		expected_size(row, ret, cap);
	else if (row->type == TYPE_CHOICE)
		expected_choice(row, ret, cap);
	else
		text_print(ret, cap, "%s", expectations[row->type]);
}
