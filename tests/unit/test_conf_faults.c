/* What people read when a setting is wrong: each kind of fault, with its whole line. */
#include "conf_home.h"

#define PEER	"adapters:\n  a:\n    plugin: sim\n"
#define LINK	"links:\n  c:\n    profile: native\n    endpoints: [\"unix:/x\"]\n"
#define NAME32	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME64	NAME32 NAME32
#define NAME128 NAME64 NAME64

/* One fault a row, and the whole line that tells it. */
static const struct {
	const char *text, *say;
} faults[] = {
	/* unknown keys, with what was probably meant */
	{ "sites: {}\n", "gatewayd.yaml:1:1: sites: no such setting; is site meant?\n" },
	{ "session:\n  idle: 5\n",
	  "gatewayd.yaml:2:3: session.idle: no such setting; is idle_s meant?\n" },
	{ "zzzzzz: 1\n", "gatewayd.yaml:1:1: zzzzzz: no such setting\n" },
	{ "session.idle_s: 60\n", "gatewayd.yaml:1:1: session.idle_s: no such setting\n" },
	{ PEER "    plug: x\n",
	  "gatewayd.yaml:4:5: adapters.a.plug: no such setting; is plugin meant?\n" },
	{ LINK "    share: [{device: '*', class: public, caps: [x]}]\n",
	  "gatewayd.yaml:5:42: links.c.share[0].caps: no such setting; is class meant?\n" },
	{ "\"a\\nb\": 1\n", "gatewayd.yaml:1:1: a?b: no such setting\n" },
	/* wrong type */
	{ "site: home\n", "gatewayd.yaml:1:7: site: expected map of settings\n" },
	{ "site: []\n", "gatewayd.yaml:1:7: site: expected map of settings\n" },
	{ "- a\n", "gatewayd.yaml:1:1: expected map of settings\n" },
	{ "session: {idle_s: soon}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session: {idle_s: '60'}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session: {idle_s: 60.5}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session: {idle_s: [60]}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session:\n  idle_s:\n",
	  "gatewayd.yaml:2:10: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "site: {name: {a: b}}\n",
	  "gatewayd.yaml:1:14: site.name: expected text of 1..64 bytes\n" },
	{ "site: {name: ~}\n", "gatewayd.yaml:1:14: site.name: expected text of 1..64 bytes\n" },
	{ LINK "    home: yes\n", "gatewayd.yaml:5:11: links.c.home: expected true or false\n" },
	{ LINK "    pin: abc\n", "gatewayd.yaml:5:10: links.c.pin: expected list\n" },
	{ LINK "    share: {}\n",
	  "gatewayd.yaml:5:12: links.c.share: expected list of {device, class, capabilities}\n" },
	{ LINK "    share: [x]\n",
	  "gatewayd.yaml:5:13: links.c.share: expected list of {device, class, capabilities}\n" },
	{ PEER "    options: [1]\n", "gatewayd.yaml:4:14: adapters.a.options: expected map of keys "
				     "to texts of at most 1024 bytes\n" },
	{ PEER "    options: {k: [1]}\n", "gatewayd.yaml:4:18: adapters.a.options.k: expected map "
					  "of keys to texts of at most 1024 bytes\n" },
	/* out of range */
	{ "session: {idle_s: 29}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session: {idle_s: 86401}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session: {max: 65}\n",
	  "gatewayd.yaml:1:16: session.max: expected whole number of 1..64\n" },
	{ "session: {idle_s: -1}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "session: {idle_s: 99999999999999999999}\n",
	  "gatewayd.yaml:1:19: session.idle_s: expected whole number of 30..86400 s\n" },
	{ "site: {name: " NAME64 "a}\n",
	  "gatewayd.yaml:1:14: site.name: expected text of 1..64 bytes\n" },
	{ "site: {name: \"a\\tb\"}\n",
	  "gatewayd.yaml:1:14: site.name: expected text of 1..64 bytes\n" },
	{ "spool: {bytes_max: 1 KiB}\n", "gatewayd.yaml:1:20: spool.bytes_max: expected size of 1 "
					 "MiB..1048576 MiB, such as 64 MiB\n" },
	{ "spool: {bytes_max: 64 MB}\n", "gatewayd.yaml:1:20: spool.bytes_max: expected size of 1 "
					 "MiB..1048576 MiB, such as 64 MiB\n" },
	{ "spool: {bytes_max: 18446744073709551615 GiB}\n",
	  "gatewayd.yaml:1:20: spool.bytes_max: expected size of 1 MiB..1048576 MiB, such as 64 "
	  "MiB\n" },
	{ "audit: {hash: md5}\n", "gatewayd.yaml:1:15: audit.hash: expected one of sha256, sm3\n" },
	{ "audit: {hash: sha}\n", "gatewayd.yaml:1:15: audit.hash: expected one of sha256, sm3\n" },
	{ "log: {level: loud}\n",
	  "gatewayd.yaml:1:14: log.level: expected one of error, warning, notice, info, debug\n" },
	{ "door: {mode: 0888}\n",
	  "gatewayd.yaml:1:14: door.mode: expected access mode in octal, such as 0660\n" },
	{ "door: {mode: 7777}\n",
	  "gatewayd.yaml:1:14: door.mode: expected access mode in octal, such as 0660\n" },
	{ "site: {maker: 12345}\n", "gatewayd.yaml:1:15: site.maker: expected six hex digits\n" },
	{ "site: {timezone: Mars/Base}\n",
	  "gatewayd.yaml:1:18: site.timezone: expected time zone of /usr/share/zoneinfo, such as "
	  "Asia/Shanghai, or UTC\n" },
	{ "site: {timezone: ../../../etc/passwd}\n",
	  "gatewayd.yaml:1:18: site.timezone: expected time zone of /usr/share/zoneinfo, such as "
	  "Asia/Shanghai, or UTC\n" },
	{ "site: {timezone: Asia}\n", "gatewayd.yaml:1:18: site.timezone: expected time zone of "
				      "/usr/share/zoneinfo, such as Asia/Shanghai, or UTC\n" },
	{ "state_dir: gw\n",
	  "gatewayd.yaml:1:12: state_dir: expected absolute path of a folder\n" },
	{ "door: {socket: /" NAME128 "}\n",
	  "gatewayd.yaml:1:16: door.socket: expected path of a socket, at most 107 bytes\n" },
	{ "run_dir: /" NAME64 NAME32 "\ndoor:\n  socket: 0123456789abc\n",
	  "gatewayd.yaml:3:3: door.socket: longer than 107 bytes below run_dir\n" },
	/* twice */
	{ "session:\n  idle_s: 60\n  idle_s: 70\n",
	  "gatewayd.yaml:3:3: session.idle_s: set twice, first at gatewayd.yaml:2:3\n" },
	{ "site: {}\ndoor: {}\nsite: {}\n", "gatewayd.yaml:3:1: site: stands twice\n" },
	{ PEER "  a:\n    user: x\n", "gatewayd.yaml:4:3: a: stands twice\n" },
	{ PEER "    options: {k: 1, k: 2}\n",
	  "gatewayd.yaml:4:21: adapters.a.options.k: set twice, first at gatewayd.yaml:4:15\n" },
	/* names of adapters and links, and what they need */
	{ "adapters:\n  A: {plugin: sim}\n", "gatewayd.yaml:2:3: adapters.A: expected a name of "
					     "1..32 lower-case letters, digits, _ and -\n" },
	{ "adapters:\n  " NAME32 "a: {plugin: sim}\n",
	  "gatewayd.yaml:2:3: adapters." NAME32
	  "a: expected a name of 1..32 lower-case letters, digits, _ and -\n" },
	{ "adapters:\n  a:\n", "gatewayd.yaml:2:3: adapters.a.plugin: is needed: name of a plugin, "
			       "or absolute path of one\n" },
	{ "adapters:\n  a: sim\n", "gatewayd.yaml:2:6: adapters.a: expected map of settings\n"
				   "gatewayd.yaml:2:3: adapters.a.plugin: is needed: name of a "
				   "plugin, or absolute path of one\n" },
	{ "adapters: {a: {plugin: ./sim}}\n", "gatewayd.yaml:1:24: adapters.a.plugin: expected "
					      "name of a plugin, or absolute path of one\n" },
	{ "adapters:\n  a: {plugin: /x.so}\n",
	  "gatewayd.yaml:2:3: adapters.a: a foreign plugin needs its sha256\n" },
	{ PEER "    sha256: abc\n",
	  "gatewayd.yaml:4:13: adapters.a.sha256: expected 64 hex digits\n" },
	{ PEER "    user: Root\n",
	  "gatewayd.yaml:4:11: adapters.a.user: expected name of a system user, or its number\n" },
	{ PEER "  b: {plugin: sim, user: gw-a}\n",
	  "gatewayd.yaml:4:3: adapters.b: has the same user as adapters.a: the core knows a "
	  "process by its user\n" },
	{ PEER "    options: {password: x}\n",
	  "gatewayd.yaml:4:15: adapters.a.options.password: expected a key of 1..32 lower-case "
	  "letters, digits, _ and -; "
	  "secrets only as a ..._file\n" },
	{ PEER "    options: {Key: x}\n", "gatewayd.yaml:4:15: adapters.a.options.Key: expected a "
					  "key of 1..32 lower-case letters, digits, _ and -; "
					  "secrets only as a ..._file\n" },
	{ PEER "    ports: {radio: ttyACM0}\n",
	  "gatewayd.yaml:4:20: adapters.a.ports.radio: expected map of names to absolute paths of "
	  "devices\n" },
	/* links */
	{ "links:\n  c: {profile: native}\n",
	  "gatewayd.yaml:2:3: links.c.endpoints: is needed: mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: []}\n",
	  "gatewayd.yaml:2:35: links.c.endpoints: expected at least 1\n" },
	{ "links:\n  c: {profile: native, endpoints: [mqtt://h]}\n",
	  "gatewayd.yaml:2:36: links.c.endpoints: expected mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: ['mqtts://h:0']}\n",
	  "gatewayd.yaml:2:36: links.c.endpoints: expected mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: ['mqtts://u@h:1']}\n",
	  "gatewayd.yaml:2:36: links.c.endpoints: expected mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: ['mqtts://[::1']}\n",
	  "gatewayd.yaml:2:36: links.c.endpoints: expected mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: ['mqtts://h:1/x']}\n",
	  "gatewayd.yaml:2:36: links.c.endpoints: expected mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: [unix:x]}\n",
	  "gatewayd.yaml:2:36: links.c.endpoints: expected mqtts://host:port or unix:/path\n" },
	{ "links:\n  c: {profile: native, endpoints: [unix:/1, unix:/2, unix:/3, unix:/4, "
	  "unix:/5]}\n",
	  "gatewayd.yaml:2:72: links.c.endpoints: at most 4 of them\n" },
	{ LINK "    cert: c.crt\n", "gatewayd.yaml:2:3: links.c: cert and key_file go together\n" },
	{ LINK "    password_file: pw\n",
	  "gatewayd.yaml:2:3: links.c: password_file needs username\n" },
	{ LINK "    pin: [Zsfw9GLu7dnR8tRr3BDk4kFnxIdc8veiKX2gK49LqO]\n",
	  "gatewayd.yaml:5:11: links.c.pin: expected SHA-256 of a public key, as 64 hex digits or "
	  "as base64\n" },
	{ LINK "    base_topic: a/#\n", "gatewayd.yaml:5:17: links.c.base_topic: expected MQTT "
					"topic of letters, digits and _ - . with / between, at "
					"most 64 bytes\n" },
	{ LINK "    base_topic: /a\n", "gatewayd.yaml:5:17: links.c.base_topic: expected MQTT "
				       "topic of letters, digits and _ - . with / between, at "
				       "most 64 bytes\n" },
	{ LINK "    client_id: a b\n",
	  "gatewayd.yaml:5:16: links.c.client_id: expected 1..64 letters, digits and _ - .\n" },
	{ LINK "    share: [{device: '*'}]\n",
	  "gatewayd.yaml:5:13: links.c.share[0].class: is needed: one of public, ordinary, "
	  "personal, sensitive\n" },
	{ LINK "    share: [{class: public}]\n",
	  "gatewayd.yaml:5:13: links.c.share[0].device: is needed: *, a device's identity (24 hex "
	  "digits) or name, or "
	  "room:NAME\n" },
	{ LINK "    share: [{device: a/b, class: public}]\n",
	  "gatewayd.yaml:5:22: links.c.share[0].device: expected *, a device's identity (24 hex "
	  "digits) or name, or "
	  "room:NAME\n" },
	{ LINK "    share: [{device: a, class: public, capabilities: [warp-drive]}]\n",
	  "gatewayd.yaml:5:55: links.c.share[0].capabilities: expected name of a capability, such "
	  "as on-off\n" },
	/* what no row can say alone */
	{ "session: {idle_s: 600, absolute_s: 300}\n",
	  "gatewayd.yaml:1:11: session.idle_s: expected no more than session.absolute_s\n" },
	{ "session: {max: 2}\n",
	  "gatewayd.yaml:1:11: session.max_per_user: expected no more than session.max\n" },
	/* syntax */
	{ "site: &a {}\n", "gatewayd.yaml:1:7: anchors are not used here\n" },
};

static void tells_each_fault(void **state)
{
	struct home home;

	(void)state;
	home_init(&home);
	for (size_t i = 0; i < N_ELEMENTS(faults); i++) {
		home_load_text(&home, faults[i].text);
		if (home.r != CONF_E_INVALID || strcmp(home.errors, faults[i].say))
			print_error("row %zu:\n%s", i, faults[i].text);
		check_text(home.errors, faults[i].say);
		check_int(home.r, CONF_E_INVALID);
		check_true(!home.conf);
	}
	home_deinit(&home);
}

static void tells_all_faults(void **state)
{
	struct home home;
	char text[4096] = "";
	size_t lines = 0;

	(void)state;
	home_init(&home);
	home_load_text(&home, "site: {nam: x}\nsession: {idle_s: 1}\nlog: {level: x}\n");
	check_text(home.errors,
		   "gatewayd.yaml:1:8: site.nam: no such setting; is name meant?\n"
		   "gatewayd.yaml:2:19: session.idle_s: expected whole number of 30..86400 s\n"
		   "gatewayd.yaml:3:14: log.level: expected one of error, warning, notice, info, "
		   "debug\n");
	for (int i = 0; i < CONF_ERRORS_MAX + 10; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "unknown%d: 1\n", i);
	home_load_text(&home, text);
	check_int(home.r, CONF_E_INVALID);
	for (const char *p = home.errors; (p = strchr(p, '\n')); p++)
		lines++;
	check_uint(lines, CONF_ERRORS_MAX + 1);
	check_text(home.errors + strlen(home.errors) - 9, "and more\n");
	home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(tells_each_fault),
		cmocka_unit_test(tells_all_faults),
	};

	return CHECK_RUN(rows);
}
