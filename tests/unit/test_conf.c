#include <syslog.h>

#include "conf/load.h"
#include "conf/table.h"
#include "conf_home.h"

static void defaults(void **state)
{
	struct home home;
	const struct conf *c;

	(void)state;
	home_init(&home);
	c = home_good(&home, "");
	check_text(c->site_name, "Home");
	check_text(c->timezone, "UTC");
	check_text(c->state_dir, "/var/lib/gatewayd");
	check_text(c->door_socket, "/run/gatewayd/door.sock");
	check_text(c->wire_socket, "/run/gatewayd/wire.sock");
	check_uint(c->door_mode, 0660);
	check_uint(c->session_idle_s, 900);
	check_uint(c->session_absolute_s, 43200);
	check_uint(c->sessions_per_user, 5);
	check_uint(c->sessions_max, 64);
	check_uint(c->password_mem_kib, 19456);
	check_uint(c->lock_tries, 5);
	check_uint(c->code_life_s, 600);
	check_uint(c->spool_bytes_max, 64 << 20);
	check_true(!c->audit_sm3);
	check_int(c->log_level, LOG_INFO);
	check_uint(c->rule_depth_max, 4);
	check_text(c->broker_user, "gateway-broker-admin");
	check_true(!c->broker_socket && !c->broker_password_file);
	check_uint(c->n_adapters + c->n_links, 0);
	home_deinit(&home);
	check_true(!conf_free(NULL));
}

static const char full[] =
	"site: {name: \"Li's \\\"home\\\"\", timezone: Asia/Shanghai, maker: 0a1B2c, product: "
	"ffffff}\n"
	"state_dir: /srv/gw\n"
	"run_dir: /tmp/run\n"
	"door: {socket: d.sock, mode: 0600}\n"
	"wire: {socket: /tmp/other.sock}\n"
	"session: {idle_s: 60, absolute_s: 600, max_per_user: 2, max: 10}\n"
	"password: {mem_kib: 65536, passes: 3}\n"
	"lockout: {tries: 3, window_s: 60, lock_s: 120}\n"
	"code: {life_s: 300, tries: 3}\n"
	"spool: {bytes_max: 2 GiB, sync_ms: 500}\n"
	"audit: {hash: sm3, segment_bytes: 1048577}\n"
	"log: {level: debug}\n"
	"rules: {depth_max: 2, rate_per_minute: 10}\n"
	"broker: {socket: lan.sock, user: admin, password_file: admin.pw}\n"
	"adapters:\n"
	"  sim:\n"
	"    plugin: sim\n"
	"  z-2:\n"
	"    plugin: /opt/z.so\n"
	"    user: 1234\n"
	"    sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	"    options: {channel: 15, empty: '', panid: \"0x1a62\", password_file: z.pw}\n"
	"    ports: {radio: /dev/ttyACM0}\n"
	"links:\n"
	"  cloud:\n"
	"    profile: native\n"
	"    endpoints: [mqtts://cloud.example, 'mqtts://[::1]:1', \"unix:/tmp/b.sock\"]\n"
	"    ca: tls/ca.crt\n"
	"    cert: /etc/c.crt\n"
	"    key_file: c.key\n"
	"    pin:\n"
	"      - 66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0\n"
	"      - Zsfw9GLu7dnR8tRr3BDk4kFnxIdc8veiKX2gK49LqOA=\n"
	"    username: gw\n"
	"    password_file: cloud.pw\n"
	"    client_id: gw-1\n"
	"    base_topic: a/b\n"
	"    region: CN-SH\n"
	"    keepalive_s: 30\n"
	"    share:\n"
	"      - {device: '*', class: public}\n"
	"      - device: room:客厅\n"
	"        class: personal\n"
	"        capabilities: [on-off, temperature]\n"
	"  ha:\n"
	"    profile: homeassistant\n"
	"    home: true\n"
	"    endpoints: [\"unix:/tmp/lan.sock\"]\n";

static void check_peers(const struct conf *c, const struct home *home)
{
	char path[128];

	check_uint(c->n_adapters, 2);
	check_text(c->adapters[0].name, "sim");
	check_text(c->adapters[0].user, "gw-sim");
	check_true(!c->adapters[0].sha256);
	check_text(c->adapters[1].plugin, "/opt/z.so");
	check_text(c->adapters[1].user, "1234");
	check_text(c->adapters[1].sha256,
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	check_uint(c->adapters[1].n_options, 4);
	check_text(c->adapters[1].options[0].key, "channel");
	check_text(c->adapters[1].options[0].value, "15");
	check_text(c->adapters[1].options[1].value, "");
	check_uint(c->adapters[1].n_ports, 1);
	check_text(c->adapters[1].ports[0].value, "/dev/ttyACM0");

	check_uint(c->n_links, 2);
	check_int(c->links[0].profile, PROFILE_NATIVE);
	check_true(!c->links[0].home && c->links[1].home);
	check_uint(c->links[0].n_endpoints, 3);
	check_text(c->links[0].endpoints[0], "mqtts://cloud.example:8883");
	check_text(c->links[0].endpoints[1], "mqtts://[::1]:1");
	check_text(c->links[0].endpoints[2], "unix:/tmp/b.sock");
	snprintf(path, sizeof(path), "%s/tls/ca.crt", home->dir.path);
	check_text(c->links[0].ca, path);
	check_text(c->links[0].cert, "/etc/c.crt");
	check_uint(c->links[0].n_pins, 2);
	check_text(c->links[0].pins[0], "Zsfw9GLu7dnR8tRr3BDk4kFnxIdc8veiKX2gK49LqOA=");
	check_text(c->links[0].pins[1], c->links[0].pins[0]);
	check_text(c->links[0].discovery_prefix, "homeassistant");
	check_uint(c->links[0].keepalive_s, 30);
	check_uint(c->links[0].n_shares, 2);
	check_text(c->links[0].shares[1].device, "room:客厅");
	check_int(c->links[0].shares[1].class_max, CLASS_PERSONAL);
	check_uint(c->links[0].shares[1].n_caps, 2);
	check_uint(c->links[0].shares[1].caps[1], CAP_TEMPERATURE);
	check_int(c->links[1].profile, PROFILE_HOMEASSISTANT);
	check_uint(c->links[1].n_shares, 0); /* nothing leaves that nobody named */
	check_text(c->links[1].base_topic, "gatewayd");
	check_true(!c->links[1].ca && !c->links[1].client_id);
}

static void reads_everything(void **state)
{
	struct home home;
	const struct conf *c;

	(void)state;
	home_init(&home);
	c = home_good(&home, full);
	check_text(c->site_name, "Li's \"home\"");
	check_text(c->timezone, "Asia/Shanghai");
	check_uint(c->maker, 0x0a1b2c);
	check_uint(c->product, 0xffffff);
	check_text(c->door_socket, "/tmp/run/d.sock");
	check_text(c->wire_socket, "/tmp/other.sock");
	check_text(c->broker_socket, "/tmp/run/lan.sock");
	check_uint(c->door_mode, 0600);
	check_uint(c->spool_bytes_max, 2ull << 30);
	check_uint(c->audit_segment_bytes, 1048577);
	check_true(c->audit_sm3);
	check_int(c->log_level, LOG_DEBUG);
	check_peers(c, &home);
	home_deinit(&home);
}

#define PEER "adapters:\n  a:\n    plugin: sim\n"
#define LINK "links:\n  c:\n    profile: native\n    endpoints: [\"unix:/x\"]\n"

/* line once more behind text, with n in place of its @. */
static void add_line(char *text, size_t cap, const char *line, int n)
{
	const char *mark = strchr(line, '@');
	size_t len = strlen(text);

	snprintf(text + len, cap - len, "%.*s%d%s", (int)(mark - line), line, n, mark + 1);
}

/* max of them are fine, and of one more say is said. */
static void too_many(struct home *home, const char *head, const char *line, int first, int max,
		     const char *say)
{
	char text[16384];

	snprintf(text, sizeof(text), "%s", head);
	for (int i = 0; i < max; i++)
		add_line(text, sizeof(text), line, first + i);
	home_good(home, text);
	add_line(text, sizeof(text), line, first + max);
	home_load_text(home, text);
	check_int(home->r, CONF_E_INVALID);
	check_true(strstr(home->errors, say));
}

static void limits(void **state)
{
	struct home home;

	(void)state;
	home_init(&home);
	too_many(&home, "adapters:\n", "  a@: {plugin: sim}\n", 0, CONF_ADAPTERS_MAX,
		 "adapters.a16: at most 16 of them");
	too_many(&home, "links:\n", "  l@: {profile: native, endpoints: ['unix:/x']}\n", 0,
		 CONF_LINKS_MAX, "links.l8: at most 8 of them");
	too_many(&home, PEER "    options:\n", "      k@: 1\n", 0, CONF_OPTIONS_MAX,
		 "adapters.a.options: at most 48 of them");
	too_many(&home, PEER "    ports:\n", "      k@: /dev/x\n", 0, CONF_PORTS_MAX,
		 "adapters.a.ports: at most 8 of them");
	too_many(&home, LINK "    share:\n", "      - {device: d@, class: public}\n", 0,
		 CONF_SHARES_MAX, "links.c.share: at most 64 of them");
	too_many(&home,
		 LINK "    share:\n    - device: '*'\n      class: public\n      capabilities:\n",
		 "      - vendor-@\n", 8000, CONF_SHARE_CAPS_MAX,
		 "links.c.share[0].capabilities: at most 32 of them");
	too_many(&home, LINK "    pin:\n",
		 "    - 66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e@\n", 0,
		 CONF_PINS_MAX, "links.c.pin: at most 4 of them");
	too_many(&home, "links:\n  c:\n    profile: native\n    endpoints:\n", "    - unix:/@\n", 0,
		 CONF_ENDPOINTS_MAX, "links.c.endpoints: at most 4 of them");
	home_deinit(&home);
}

static void merges_fragments(void **state)
{
	struct home home;
	const struct conf *c;

	(void)state;
	home_init(&home);
	tmpdir_write(&home.dir, "conf.d/20-b.yaml",
		     "adapters: {a: {options: {second: 2}}, b: {plugin: wifi}}\n");
	tmpdir_write(&home.dir, "conf.d/10-a.yaml",
		     "session: {idle_s: 77}\nadapters: {a: {options: {first: 1}}}\n");
	tmpdir_write(&home.dir, "conf.d/.hidden.yaml", "nonsense: 1\n");
	tmpdir_write(&home.dir, "conf.d/30-c.yaml.bak", "nonsense: 1\n");
	tmpdir_write(&home.dir, "conf.d/empty.yaml", "");
	c = home_good(&home, PEER "session: {max: 9}\n");
	check_uint(c->session_idle_s, 77);
	check_uint(c->sessions_max, 9);
	check_uint(c->n_adapters, 2);
	check_uint(c->adapters[0].n_options, 2);
	check_text(c->adapters[0].options[0].key, "first");
	check_text(c->adapters[0].options[1].key, "second");
	check_text(c->adapters[1].plugin, "wifi");

	/* What two files set is told with both places. */
	home_load_text(&home, PEER "session: {idle_s: 66}\n");
	check_text(
		home.errors,
		"conf.d/10-a.yaml:1:11: session.idle_s: set twice, first at gatewayd.yaml:4:11\n");
	/* A fragment that is no YAML is a fault beside the others. */
	tmpdir_write(&home.dir, "conf.d/40-d.yaml", "a: [\n");
	home_load_text(&home, PEER "sesion: {}\n");
	check_true(strstr(home.errors,
			  "gatewayd.yaml:4:1: sesion: no such setting; is session meant?\n"));
	check_true(strstr(home.errors, "conf.d/40-d.yaml:2:1: "));
	check_int(home.r, CONF_E_INVALID);
	home_deinit(&home);
}

static void files_that_cannot_be_read(void **state)
{
	struct home home;

	(void)state;
	home_init(&home);
	home_load(&home);
	check_int(home.r, -ENOENT);
	check_text(home.errors, "gatewayd.yaml: No such file or directory\n");
	check_ok(mkdir(tmpdir_path(&home.dir, "gatewayd.yaml"), 0700));
	home_load(&home);
	check_int(home.r, -EISDIR);
	check_true(!home.conf);
	home_deinit(&home);

	home_init(&home);
	check_int(conf_load("no/such/folder/x.yaml", home.errors, sizeof(home.errors), &home.conf),
		  -ENOENT);
	check_text(home.errors, "no/such/folder/x.yaml: No such file or directory\n");
	home_deinit(&home);

	/* No conf.d at all is fine. */
	home_init(&home);
	check_ok(rmdir(tmpdir_path(&home.dir, "conf.d")));
	home_good(&home, "");
	home_deinit(&home);
}

/* Other processes open these files, so a relative main file makes no relative paths. */
static void relative_main_file(void **state)
{
	struct home home;
	char want[128];

	(void)state;
	home_init(&home);
	tmpdir_write(&home.dir, "gatewayd.yaml", "broker: {password_file: pw}\n");
	snprintf(want, sizeof(want), "%s/pw", home.dir.path);
	check_ok(chdir(home.dir.path));
	check_ok(conf_load("gatewayd.yaml", home.errors, sizeof(home.errors), &home.conf));
	check_text(home.conf->broker_password_file, want);
	check_ok(chdir("/"));
	home_deinit(&home);
}

static char *shown(const struct home *home)
{
	char *text = NULL;

	check_ok(conf_show(home->conf, &text));
	return text;
}

/* Drops what stands behind "  # ", which is where a setting came from. */
static void strip_places(char *text)
{
	char *to = text;

	for (const char *p = text; *p;) {
		const char *end = strchr(p, '\n'), *mark = strstr(p, "  # ");
		size_t n = mark && mark < end ? (size_t)(mark - p) : (size_t)(end - p);

		memmove(to, p, n);
		to += n;
		*to++ = '\n';
		p = end + 1;
	}
	*to = '\0';
}

static void shows_what_is_in_force(void **state)
{
	struct home home;
	char *first, *second;

	(void)state;
	home_init(&home);
	home_good(&home, "session: {idle_s: 60}\nadapters:\n  sim: {plugin: sim, options: {k: "
			 "\"a\\\"b\"}}\n");
	first = shown(&home);
	strip_folder(&home, first);
	check_true(strstr(
		first,
		"session:\n  idle_s: 60  # gatewayd.yaml:1:11\n  absolute_s: 43200  # default\n"));
	check_true(strstr(first, "adapters:\n  sim:\n    plugin: \"sim\"  # gatewayd.yaml:3:9\n"
				 "    user: \"gw-sim\"  # default\n    options:\n      k: "
				 "\"a\\\"b\"  # gatewayd.yaml:3:32\n"));
	check_true(!strstr(first, "sha256:"));
	free(first);

	/* What is shown can be loaded, and shows the same. */
	home_good(&home, full);
	first = shown(&home);
	home_good(&home, first);
	second = shown(&home);
	strip_places(first);
	strip_places(second);
	check_text(second, first);
	free(first);
	free(second);
	home_deinit(&home);
}

static void check_change(struct home *now, const char *text, const char *say)
{
	struct home next;
	char error[300] = "";

	home_init(&next);
	home_good(&next, text);
	check_int(conf_may_apply(now->conf, next.conf, error, sizeof(error)),
		  *say ? CONF_E_RESTART : 0);
	check_text(error, say);
	home_deinit(&next);
}

static void says_what_needs_a_restart(void **state)
{
	struct home now;

	(void)state;
	home_init(&now);
	home_good(&now, PEER LINK);
	check_change(&now, PEER LINK, "");
	check_change(&now, PEER LINK "site: {name: x}\nlog: {level: debug}\n", "");
	check_change(&now, PEER LINK "    share: [{device: '*', class: public}]\n", "");
	check_change(&now, PEER LINK "door: {socket: x}\n",
		     "door.socket: a change needs a restart");
	check_change(&now, PEER LINK "broker: {socket: x}\n",
		     "broker.socket: a change needs a restart");
	check_change(&now, PEER "    options: {k: 1}\n" LINK,
		     "adapters.a.options.k: a change needs a restart");
	check_change(&now, LINK, "links.c.profile: a change needs a restart");
	check_change(&now, PEER, "links.c.profile: a change needs a restart");
	check_change(&now, PEER LINK "  d: {profile: native, endpoints: [unix:/x]}\n",
		     "links.d.profile: a change needs a restart");
	home_deinit(&now);
}

static void man_page_has_every_setting(void **state)
{
	const struct conf_row *row;
	char *text = NULL;

	(void)state;
	check_ok(conf_man(&text));
	for (size_t i = 0; (row = conf_row_at(i)); i++) {
		char item[128];

		snprintf(item, sizeof(item), "\n.It Li %s\n", row->path);
		check_true(strstr(text, item));
		check_true(strstr(text, row->help));
	}
	check_true(!strncmp(text, ".Dd ", 4));
	free(text);
}

/* Each row once, complete, with a default that it accepts itself; its words for classes are the
 * model's. */
static void table_is_sound(void **state)
{
	const struct conf_row *row;

	(void)state;
	for (size_t i = 0; (row = conf_row_at(i)); i++) {
		char what[200];

		check_true(conf_row_find(row->path) == row);
		check_true(strlen(row->path) < CONF_PATH_MAX - 100 &&
			   row->help[strlen(row->help) - 1] == '.');
		check_true((row->type == TYPE_CHOICE) == (row->choices != NULL));
		check_true(row->rank != NEEDED || !row->preset);
		conf_row_expected(row, what, sizeof(what));
		check_true(strlen(what) > 8 && strlen(what) < sizeof(what) - 1);
	}
	row = conf_row_find("links.<name>.share[].class");
	for (int c = 0; c < CLASSES; c++) {
		const char *at = strstr(row->choices, data_class_name(c));

		check_true(at && at[strlen(data_class_name(c))] == (c + 1 < CLASSES ? '|' : '\0'));
		check_true(c > 0 || at == row->choices);
	}
	check_true(!conf_row_find("links.<name>") && conf_row_is_section("links.<name>"));
	check_true(!conf_row_is_section("session.idle_s") && !conf_row_is_section("sess"));
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(limits),
		cmocka_unit_test(merges_fragments),
		cmocka_unit_test(files_that_cannot_be_read),
		cmocka_unit_test(relative_main_file),
		cmocka_unit_test(shows_what_is_in_force),
		cmocka_unit_test(says_what_needs_a_restart),
		cmocka_unit_test(man_page_has_every_setting),
		cmocka_unit_test(table_is_sound),
	};

	return CHECK_RUN(rows);
}
