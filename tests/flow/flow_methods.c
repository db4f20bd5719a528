/* The table of methods against the record: each method once, in the life of a house; whoever changes something leaves a record
 * of the kind that its row names, who only looks leaves none, and who may not is on record as that. */
#include <sched.h>
#include <fcntl.h>
#include <string.h>
#include "base/text.h"
#include "door/method.h"
#include "knock.h"
#include "router/freshness.h"

struct life {
	struct house house;
	struct knock root, anna, ben;
	char code[CODE_TEXT_MAX];
	size_t called[128];
};

static void get_code(struct life *life)
{
	knock(&life->anna, "bind.code", NULL);
	check_text(knock_code(&life->anna), "ok");
	text_copy(life->code, sizeof(life->code), knock_text(&life->anna, "code"));
}

static void login_anna(struct life *life)
{
	knock_login(&life->anna, "anna");
}

static void adapter_comes(struct life *life)
{
	house_adapter_up(&life->house);
	get_code(life);
}

static void lamp_joins(struct life *life)
{
	house_lamp(&life->house, 1, "lamp");
}

static void contact_joins(struct life *life)
{
	house_sensor(&life->house, 3, "window");
	house_report(&life->house, 3, CAP_CONTACT, value_bool(true));
}

static char story[20000];

static void long_story(struct life *life)
{
	memset(story, 'x', sizeof(story));
	life->house.adapter.tells = (struct view){ (const uint8_t *)story, sizeof(story) };
}

static void short_story(struct life *life)
{
	life->house.adapter.tells = (struct view){ NULL, 0 };
}

static void spare_comes(struct life *life)
{
	house_lamp(&life->house, 2, "spare");
	get_code(life);
}

/* As when its own last word, found outside, is newer than what it has. */
static void doubt(struct life *life)
{
	freshness_doubt(router_freshness(life->house.app->router), "the cloud keeps a later point");
}

static void trouble(struct life *life)
{
	alarms_raise(router_alarms(life->house.app->router), ALARM_SPOOL_DROPS, (struct device_id){ { 0 } }, "cloud", "for the test");
}

enum who { ROOT, ANNA };
struct step {
	const char *method, *params;
	enum who who;
	void (*before)(struct life *life);
};

#define PASSWORD "'a long enough one'"
#define LAMP "{'device':'lamp'}"
#define SIM "{'adapter':'sim'}"
#define TREE_ROOT "00000000000000000000000000000000ffffffffffffffffffffffffffffffff"
/* The public key of GB/T 32918.5, A.2: good in either suite. */
#define RECIPIENT "gw-sm2-pub:BAn53zEeVCGhUN19Fh5LxcZyF5-tGDP8B2uwj_NW81AgzOpJDOJndaUtxupxjMGqYArtBfvzXghKZjL2By2prRM"

static const struct step steps[] = {
	{ "hello", NULL, ROOT, NULL },
	{ "setup", "{'name':'anna','password':" PASSWORD "}", ROOT, NULL },
	{ "login", "{'user':'anna','password':" PASSWORD "}", ROOT, NULL },
	{ "status", NULL, ANNA, login_anna },
	{ "map", NULL, ANNA, NULL },
	{ "diagnose", NULL, ANNA, NULL },
	{ "link.list", NULL, ANNA, NULL },
	{ "spool.list", NULL, ANNA, NULL },
	{ "conf.show", NULL, ANNA, NULL },
	{ "conf.reload", NULL, ANNA, NULL },
	{ "broker.client", "{'verb':'add','name':'shed'}", ANNA, NULL },
	{ "user.add", "{'name':'ben','role':'guest','password':" PASSWORD "}", ANNA, NULL },
	{ "user.list", NULL, ANNA, NULL },
	{ "user.set-role", "{'user':'ben','role':'member'}", ANNA, NULL },
	{ "user.set-password", "{'user':'ben','password':'another long one'}", ANNA, NULL },
	{ "user.disable", "{'user':'ben'}", ANNA, NULL },
	{ "user.enable", "{'user':'ben'}", ANNA, NULL },
	{ "user.unlock", "{'user':'ben'}", ANNA, NULL },
	{ "join.open", "{'adapter':'sim','code':'%CODE%','seconds':60}", ANNA, adapter_comes },
	{ "join.status", NULL, ANNA, NULL },
	{ "claim.list", NULL, ANNA, lamp_joins },
	{ "claim.confirm", LAMP, ANNA, NULL },
	{ "claim.press", "{'seconds':5}", ANNA, contact_joins },
	{ "join.close", "{'adapter':'sim'}", ANNA, NULL },
	{ "radio.info", SIM, ANNA, NULL },
	{ "radio.map", SIM, ANNA, NULL },
	{ "radio.backup", "{'adapter':'sim','password':" PASSWORD "}", ANNA, long_story },
	{ "radio.more", "{'more':1}", ANNA, NULL },
	{ "radio.restore", "{'adapter':'sim','data':'{}','password':" PASSWORD "}", ANNA, short_story },
	{ "radio.channel", "{'adapter':'sim','channel':20}", ANNA, NULL },
	{ "radio.form", "{'adapter':'sim','channel':11,'password':" PASSWORD "}", ANNA, NULL },
	{ "radio.adopt", SIM, ANNA, NULL },
	{ "radio.group", "{'adapter':'sim','data':'{}'}", ANNA, NULL },
	{ "bind.code", NULL, ANNA, NULL },
	{ "code.redeem", "{'device':'spare','code':'%CODE%'}", ANNA, spare_comes },
	{ "device.list", NULL, ANNA, NULL },
	{ "device.get", LAMP, ANNA, NULL },
	{ "device.set", "{'device':'lamp','capability':'on-off','value':true}", ANNA, NULL },
	{ "device.rename", "{'device':'lamp','name':'light'}", ANNA, NULL },
	{ "device.rename", "{'device':'light','name':'lamp'}", ANNA, NULL },
	{ "device.room", "{'device':'lamp','room':'Hall'}", ANNA, NULL },
	{ "device.move", "{'device':'lamp','adapter':'sim'}", ANNA, NULL },
	{ "room.list", NULL, ANNA, NULL },
	{ "diagnose", LAMP, ANNA, NULL },
	{ "device.quarantine", LAMP, ANNA, NULL },
	{ "device.release", LAMP, ANNA, NULL },
	{ "policy.add", "{'effect':'deny','who':'user:ben','what':'room:Hall','windows':['mon-fri 08:00-18:00']}", ANNA, NULL },
	{ "policy.list", NULL, ANNA, NULL },
	{ "policy.explain", "{'who':'user:ben','device':'lamp','capability':'on-off','at':'tue 12:00'}", ANNA, NULL },
	{ "policy.remove", "{'id':1}", ANNA, NULL },
	{ "rule.add", "{'name':'r','trigger':'change','when':{'device':'lamp','capability':'on-off'},'then':{'device':'spare','capability':'on-off'},'set':'toggle'}",
	  ANNA, NULL },
	{ "rule.list", NULL, ANNA, NULL },
	{ "rule.disable", "{'id':1}", ANNA, NULL },
	{ "rule.enable", "{'id':1}", ANNA, NULL },
	{ "rule.remove", "{'id':1}", ANNA, NULL },
	{ "alarm.list", NULL, ANNA, trouble },
	{ "alarm.ack", "{'id':%ALARM%}", ANNA, NULL },
	{ "freshness.confirm", NULL, ANNA, doubt },
	{ "audit.tail", "{'n':5}", ANNA, NULL },
	{ "audit.head", NULL, ANNA, NULL },
	{ "audit.verify", NULL, ANNA, NULL },
	{ "audit.export", "{'name':'copy'}", ANNA, NULL },
	{ "audit.seed", NULL, ANNA, NULL },
	{ "audit.prove", "{'seq':1}", ANNA, NULL },
	{ "audit.consistency", "{'size':1,'root':'" TREE_ROOT "'}", ANNA, NULL },
	{ "audit.keys", NULL, ANNA, NULL },
	/* A new gateway's keys have the numbers 1 to 6, for db, audit, files, devices, sign and sign-sm2. */
	{ "key.create", "{'purpose':'files'}", ANNA, NULL },
	{ "key.activate", "{'id':7}", ANNA, NULL },
	{ "key.destroy", "{'id':3,'password':" PASSWORD "}", ANNA, NULL },
	{ "key.create", "{'purpose':'files'}", ANNA, NULL },
	{ "key.disable", "{'id':7}", ANNA, NULL },
	{ "key.compromise", "{'id':8,'password':" PASSWORD "}", ANNA, NULL },
	{ "key.distribute", "{'id':9,'to':'" RECIPIENT "','password':" PASSWORD "}", ANNA, NULL },
	{ "key.rotate", "{'purpose':'db'}", ANNA, NULL },
	{ "key.source", "{'source':'file','password':" PASSWORD "}", ANNA, NULL },
	{ "key.list", NULL, ANNA, NULL },
	{ "recovery-key.set", "{'key':'" RECIPIENT "','password':" PASSWORD "}", ANNA, NULL },
	{ "recovery-key.show", NULL, ANNA, NULL },
	{ "backup.make", "{'name':'all'}", ANNA, NULL },
	{ "events.subscribe", NULL, ANNA, NULL },
	{ "events.unsubscribe", NULL, ANNA, NULL },
	{ "session.list", NULL, ANNA, NULL },
	{ "session.end", "{'number':1}", ANNA, NULL },
	{ "bind.transfer", "{'device':'spare','to':'ben'}", ANNA, NULL },
	{ "bind.unbind", LAMP, ANNA, NULL },
	{ "device.retire", LAMP, ANNA, NULL },
	{ "logout", NULL, ANNA, NULL },
	{ "recovery", "{'user':'anna','password':" PASSWORD "}", ROOT, NULL },
	{ "user.add", "{'name':'eve','role':'guest','password':" PASSWORD "}", ANNA, login_anna },
	{ "user.remove", "{'user':'eve'}", ANNA, NULL },
	{ "gateway.erase", "{'confirm':'erase','password':" PASSWORD "}", ANNA, NULL },
};

static size_t index_of(const char *method)
{
	size_t i = 0;
	while (method_at(i) && strcmp(method_at(i)->name, method) != 0)
		i++;
	return i;
}

static void fill(const struct life *life, const char *params, char *ret, size_t cap)
{
	const struct alarm *alarm = alarms_at(router_alarms(life->house.app->router), 0);
	for (size_t i = 0; alarm && alarm->kind != ALARM_SPOOL_DROPS; i++)
		alarm = alarms_at(router_alarms(life->house.app->router), i);
	const char *at = params ? strstr(params, "%") : NULL;
	if (!at)
		text_copy(ret, cap, params ? params : "{}");
	else if (at[1] == 'C')
		text_print(ret, cap, "%.*s%s%s", (int)(at - params), params, life->code, at + 6);
	else
		text_print(ret, cap, "%.*s%u%s", (int)(at - params), params, alarm ? alarm->id : 0, at + 7);
}

static void run_step(struct life *life, const struct step *step)
{
	const struct method *method = method_find(step->method);
	struct knock *who = step->who == ROOT ? &life->root : &life->anna;
	char params[512];
	assert_non_null(method);
	if (step->before)
		step->before(life);
	house_settle(&life->house);
	size_t before = method->audit_kind ? house_audit(&life->house, method->audit_kind, NULL) : 0;
	uint64_t seq = audit_head(life->house.app->audit).seq;
	fill(life, step->params, params, sizeof(params));
	if (strcmp(step->method, "claim.press") == 0) {
		/* While it is being asked, somebody opens the window. */
		size_t n = who->n_answers;
		knock_send(who, step->method, params);
		house_settle(&life->house);
		check_uint(who->n_answers, n);
		house_report(&life->house, 3, CAP_CONTACT, value_bool(false));
		house_settle(&life->house);
		check_uint(who->n_answers, n + 1);
	} else {
		knock(who, step->method, params);
	}
	if (strcmp(knock_code(who), "ok") != 0)
		print_error("%s %s: %s\n", step->method, params, json_get_text(json_get(who->answer, "error"), "message"));
	check_text(knock_code(who), "ok");
	house_settle(&life->house);
	life->called[index_of(step->method)]++;
	if (method->audit_kind) {
		if (house_audit(&life->house, method->audit_kind, NULL) <= before)
			print_error("%s left no record of kind %s\n", step->method, audit_kind_row(method->audit_kind)->name);
		check_true(house_audit(&life->house, method->audit_kind, NULL) > before);
	} else {
		if (audit_head(life->house.app->audit).seq != seq)
			print_error("%s, which only looks, left a record\n", step->method);
		check_uint(audit_head(life->house.app->audit).seq, seq);
	}
}

/* The first set-up is root's. Whoever runs this without being root is root in a user namespace of his own. */
static void become_root(void)
{
	char map[64];
	uid_t uid = geteuid();
	if (uid == 0)
		return;
	check_ok(unshare(CLONE_NEWUSER));
	int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	int len = snprintf(map, sizeof(map), "0 %u 1", (unsigned)uid);
	assert_true(write(fd, map, (size_t)len) == len);
	close(fd);
}

static const char extra[] = "broker:\n  socket: /nowhere/lan.sock\n  password_file: /nowhere/admin.password\n";

static void every_method_once(void **state)
{
	struct life *life = calloc(1, sizeof(*life));
	const struct method *method;
	(void)state;
	house_open(&life->house, extra);
	knock_open(&life->root, &life->house);
	knock_open(&life->anna, &life->house);
	for (size_t i = 0; i < N_ELEMENTS(steps); i++)
		run_step(life, &steps[i]);
	for (size_t i = 0; (method = method_at(i)); i++) {
		if (!life->called[i])
			print_error("%s was never called: give it a step\n", method->name);
		check_true(life->called[i] > 0);
	}
	knock_close(&life->root);
	knock_close(&life->anna);
	house_close(&life->house);
	free(life);
}

struct sum {
	uint64_t last, n;
	bool done;
};

static void add_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct sum *sum = ctx;
	check_ok(r);
	for (size_t i = 0; i < n; i++) {
		sum->last = rows[i].seq;
		if (rows[i].record.kind == AUDIT_DENIAL && rows[i].record.result == RESULT_NO_SESSION)
			sum->n += rows[i].record.count ? rows[i].record.count : 1;
	}
	sum->done = n == 0;
}

/* Nobody without a session gets anything but hello and login; every refusal is on record, be it as a count. */
static void nobody_without_a_session(void **state)
{
	struct life *life = calloc(1, sizeof(*life));
	const struct method *method;
	struct sum sum = { 0 };
	uint64_t n = 0;
	(void)state;
	house_open(&life->house, extra);
	house_people(&life->house);
	knock_open(&life->root, &life->house);
	for (size_t i = 0; (method = method_at(i)); i++) {
		if (method->who & (METHOD_ANYBODY | METHOD_RECOVERY))
			continue;
		knock(&life->root, method->name, NULL);
		check_text(knock_code(&life->root), "no-session");
		n++;
	}
	house_sleep(&life->house, 61000);
	while (!sum.done) {
		check_ok(audit_read(life->house.app->audit, sum.last, 64, false, add_rows, &sum));
		house_settle(&life->house);
	}
	check_uint(sum.n, n);
	knock_close(&life->root);
	house_close(&life->house);
	free(life);
}

/* Whom the table does not name is refused, whatever the parameters; whom it names gets past that. */
static void roles_by_the_table(void **state)
{
	static const struct { enum role role; unsigned bit; } roles[] = {
		{ ROLE_MEMBER, METHOD_MEMBERS }, { ROLE_GUEST, METHOD_GUESTS }, { ROLE_INSTALLER, METHOD_INSTALLERS }, { ROLE_AUDITOR, METHOD_AUDITORS },
	};
	struct life *life = calloc(1, sizeof(*life));
	const struct method *method;
	char params[200];
	(void)state;
	house_open(&life->house, extra);
	house_people(&life->house);
	knock_open(&life->anna, &life->house);
	knock_login(&life->anna, "anna");
	for (size_t r = 0; r < N_ELEMENTS(roles); r++) {
		text_print(params, sizeof(params), "{'name':'u%zu','role':'%s','password':" PASSWORD "}", r, role_name(roles[r].role));
		knock(&life->anna, "user.add", params);
		check_text(knock_code(&life->anna), "ok");
		knock_open(&life->ben, &life->house);
		text_print(params, sizeof(params), "u%zu", r);
		knock_login(&life->ben, params);
		for (size_t i = 0; (method = method_at(i)); i++) {
			if (strcmp(method->name, "logout") == 0 || (method->who & METHOD_ANYBODY) || (method->who & METHOD_RECOVERY))
				continue;
			/* A parameter that no table has: who gets past the rights hears of it. */
			knock(&life->ben, method->name, "{'no-such-parameter':1}");
			const char *want = method->who & roles[r].bit ? "malformed" : "denied";
			if (strcmp(knock_code(&life->ben), want) != 0)
				print_error("%s as %s\n", method->name, role_name(roles[r].role));
			check_text(knock_code(&life->ben), want);
			if (i % 40 == 39)
				loop_advance(life->house.loop, 1000); /* its rate */
		}
		knock_close(&life->ben);
	}
	knock_close(&life->anna);
	house_close(&life->house);
	free(life);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(every_method_once), cmocka_unit_test(nobody_without_a_session),
					   cmocka_unit_test(roles_by_the_table) };
	become_root();
	return CHECK_RUN(rows);
}
