/* Keys by the door: every verb in every state, who may and who may not, what stands on record of it, the password that is wanted
 * again, a rotation seen from outside, and what proves the record to somebody else.
 */
#include "base/text.h"
#include "knock.h"
#include "sys/box.h"
#include "sys/host.h"
#include "vault/vault.h"

#define AGAIN "'password':'a long enough one'"

struct house_of_keys {
	struct house house;
	struct knock anna;
};

static void open_keys(struct house_of_keys *k)
{
	house_open(&k->house, NULL);
	house_people(&k->house);
	knock_open(&k->anna, &k->house);
	knock_login(&k->anna, "anna");
}

static void close_keys(struct house_of_keys *k)
{
	knock_close(&k->anna);
	house_close(&k->house);
}

static const char *message(const struct knock *who)
{
	const char *text = json_get_text(json_get(who->answer, "error"), "message");
	return text ? text : "";
}

static const struct json *key_of(struct knock *who, int64_t id)
{
	knock(who, "key.list", NULL);
	check_text(knock_code(who), "ok");
	const struct json *keys = json_get(knock_result(who), "keys");
	for (size_t i = 0; i < json_len(keys); i++) {
		int64_t number = 0;
		if (json_to_i64(json_get(json_at(keys, i), "id"), &number) && number == id)
			return json_at(keys, i);
	}
	return NULL;
}

static int64_t active_of(struct knock *who, const char *purpose)
{
	knock(who, "key.list", NULL);
	const struct json *keys = json_get(knock_result(who), "keys");
	int64_t id = 0;
	for (size_t i = 0; i < json_len(keys); i++)
		if (text_equal(json_get_text(json_at(keys, i), "purpose"), purpose) && text_equal(json_get_text(json_at(keys, i), "state"), "active"))
			(void)json_to_i64(json_get(json_at(keys, i), "id"), &id);
	return id;
}

static void verb(struct knock *who, const char *method, int64_t id)
{
	char params[200];
	bool again = strcmp(method, "key.compromise") == 0 || strcmp(method, "key.destroy") == 0;
	text_print(params, sizeof(params), again ? "{'id':%lld," AGAIN "}" : "{'id':%lld}", (long long)id);
	knock(who, method, params);
}

static int64_t create(struct knock *who, const char *purpose)
{
	char params[64];
	int64_t id = 0;
	text_print(params, sizeof(params), "{'purpose':'%s'}", purpose);
	knock(who, "key.create", params);
	check_text(knock_code(who), "ok");
	check_true(json_to_i64(json_get(knock_result(who), "id"), &id));
	return id;
}

/* A key for files in that state, made by the verbs that lead there. */
static int64_t key_in(struct knock *who, const char *state)
{
	int64_t before = active_of(who, "files"), id;
	if (strcmp(state, "active") == 0)
		return before;
	id = create(who, "files");
	if (strcmp(state, "deactivated") == 0) {
		verb(who, "key.activate", id);
		id = before;
	} else if (strcmp(state, "compromised") == 0) {
		verb(who, "key.compromise", id);
	} else if (strcmp(state, "destroyed") == 0) {
		verb(who, "key.destroy", id);
	}
	check_text(knock_code(who), "ok");
	return id;
}

static void the_matrix(void **state)
{
	static const struct { const char *from, *activate, *disable, *compromise, *destroy; } rows[] = {
		/* the state after it; NULL: refused */
		{ "pre-active", "active", NULL, "compromised", "destroyed" }, { "active", NULL, NULL, "compromised", NULL },
		{ "deactivated", NULL, NULL, "compromised", "destroyed" },    { "compromised", NULL, NULL, NULL, "destroyed" },
		{ "destroyed", NULL, NULL, NULL, NULL },
	};
	static const struct { const char *method; uint16_t kind; } verbs[] = { { "key.activate", AUDIT_KEY_ACTIVATE }, { "key.disable", AUDIT_KEY_DISABLE },
									       { "key.compromise", AUDIT_KEY_COMPROMISE },
									       { "key.destroy", AUDIT_KEY_DESTROY } };
	struct house_of_keys *k = calloc(1, sizeof(*k));
	struct audit_row last;
	(void)state;
	open_keys(k);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		for (size_t v = 0; v < N_ELEMENTS(verbs); v++) {
			const char *const after[] = { rows[i].activate, rows[i].disable, rows[i].compromise, rows[i].destroy };
			int64_t id = key_in(&k->anna, rows[i].from);
			check_text(json_get_text(key_of(&k->anna, id), "state"), rows[i].from);
			size_t before = house_audit(&k->house, verbs[v].kind, NULL);
			verb(&k->anna, verbs[v].method, id);
			if (!text_equal(knock_code(&k->anna), after[v] ? "ok" : "conflict"))
				print_error("%s of a key that is %s: %s\n", verbs[v].method, rows[i].from, message(&k->anna));
			check_text(knock_code(&k->anna), after[v] ? "ok" : "conflict");
			check_true(after[v] || strlen(message(&k->anna)) > 20);
			check_text(json_get_text(key_of(&k->anna, id), "state"), after[v] ? after[v] : rows[i].from);
			/* Its intent and how it ended, whichever way. */
			check_true(house_audit(&k->house, verbs[v].kind, &last) >= before + 2);
			check_int(last.record.outcome, after[v] ? AUDIT_OK : AUDIT_FAILED);
			check_int(last.record.subject.kind, SUBJECT_USER);
			if (text_equal(json_get_text(key_of(&k->anna, id), "state"), "pre-active"))
				verb(&k->anna, "key.destroy", id); /* none waits for the next row's active one */
		}
	/* There is none of that number; there is none of that purpose. */
	verb(&k->anna, "key.activate", 60000);
	check_text(knock_code(&k->anna), "not-found");
	knock(&k->anna, "key.create", "{'purpose':'kitchen'}");
	check_text(knock_code(&k->anna), "bad-value");
	/* The active one goes when another waits. */
	int64_t first = active_of(&k->anna, "devices"), second = create(&k->anna, "devices");
	verb(&k->anna, "key.disable", first);
	check_text(knock_code(&k->anna), "ok");
	check_int(active_of(&k->anna, "devices"), second);
	close_keys(k);
	free(k);
}

static void who_may(void **state)
{
	static const char *const methods[] = { "key.create", "key.activate", "key.disable", "key.compromise", "key.rotate", "key.destroy",
					       "key.distribute", "key.source" };
	static const struct { const char *name, *role, *list, *seed; } people[] = {
		{ "mia", "member", "denied", "denied" }, { "gus", "guest", "denied", "denied" },
		{ "ines", "installer", "denied", "denied" }, { "otto", "auditor", "ok", "ok" },
	};
	struct house_of_keys *k = calloc(1, sizeof(*k));
	struct knock who;
	char params[200];
	(void)state;
	open_keys(k);
	for (size_t p = 0; p < N_ELEMENTS(people); p++) {
		text_print(params, sizeof(params), "{'name':'%s','role':'%s'," AGAIN "}", people[p].name, people[p].role);
		knock(&k->anna, "user.add", params);
		check_text(knock_code(&k->anna), "ok");
		knock_open(&who, &k->house);
		knock_login(&who, people[p].name);
		uint64_t generation = vault_generation(k->house.app->vault);
		for (size_t i = 0; i < N_ELEMENTS(methods); i++) {
			knock(&who, methods[i], "{'id':1,'purpose':'db'," AGAIN "}");
			check_text(knock_code(&who), "denied");
		}
		check_uint(vault_generation(k->house.app->vault), generation);
		knock(&who, "key.list", NULL);
		check_text(knock_code(&who), people[p].list);
		knock(&who, "audit.keys", NULL);
		check_text(knock_code(&who), people[p].list);
		knock(&who, "audit.seed", NULL);
		check_text(knock_code(&who), people[p].seed);
		knock_close(&who);
	}
	check_true(house_audit(&k->house, AUDIT_DENIAL, NULL) > 0);
	close_keys(k);
	free(k);
}

static void the_password_again(void **state)
{
	static const char *const asks[] = { "key.compromise", "key.destroy", "key.distribute", "key.source" };
	struct house_of_keys *k = calloc(1, sizeof(*k));
	char params[400];
	(void)state;
	open_keys(k);
	int64_t id = create(&k->anna, "files");
	uint64_t generation = vault_generation(k->house.app->vault);
	for (size_t i = 0; i < N_ELEMENTS(asks); i++) {
		const char *more = i == 2 ? ",'to':'gw-x25519-pub:3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08'" : "";
		if (i < 3)
			text_print(params, sizeof(params), "{'id':%lld%s}", (long long)id, more);
		else
			text_copy(params, sizeof(params), "{'source':'file'}");
		knock(&k->anna, asks[i], params);
		check_text(knock_code(&k->anna), "malformed");
		text_print(params + strlen(params) - 1, sizeof(params) - strlen(params), ",'password':'not hers'}");
		knock(&k->anna, asks[i], params);
		check_text(knock_code(&k->anna), "denied");
	}
	check_uint(vault_generation(k->house.app->vault), generation);
	check_text(json_get_text(key_of(&k->anna, id), "state"), "pre-active");
	/* A source's own parameters are looked at before a password is tried. */
	knock(&k->anna, "key.source", "{'source':'cloud'," AGAIN "}");
	check_text(knock_code(&k->anna), "bad-value");
	knock(&k->anna, "key.source", "{'source':'passphrase','passphrase':'short'," AGAIN "}");
	check_text(knock_code(&k->anna), "bad-value");
	knock(&k->anna, "key.source", "{'source':'file','passphrase':'a passphrase for a file'," AGAIN "}");
	check_text(knock_code(&k->anna), "malformed");
	knock(&k->anna, "key.source", "{'source':'credential'," AGAIN "}");
	check_text(knock_code(&k->anna), "conflict");
	knock(&k->anna, "key.source", "{'source':'file'," AGAIN "}");
	check_text(knock_code(&k->anna), "ok");
	close_keys(k);
	free(k);
}

static bool rotation_is_over(void *ctx)
{
	struct house *house = ctx;
	struct custody_progress progress;
	store_drain(house->app->store);
	return !custody_progress_at(house->app->custody, 0, &progress);
}

static void a_rotation(void **state)
{
	struct house_of_keys *k = calloc(1, sizeof(*k));
	int64_t files = 0, done = 0, before;
	(void)state;
	open_keys(k);
	house_adapter_up(&k->house);
	house_lamp(&k->house, 1, "lamp");
	before = active_of(&k->anna, "db");
	knock(&k->anna, "key.rotate", "{'purpose':'db'}");
	check_text(knock_code(&k->anna), "ok");
	knock(&k->anna, "key.list", NULL);
	const struct json *row = json_at(json_get(knock_result(&k->anna), "rotating"), 0);
	if (row) { /* unless it was quicker than the question */
		check_text(json_get_text(row, "purpose"), "db");
		check_true(json_to_i64(json_get(row, "files"), &files) && files == 3);
		check_true(json_to_i64(json_get(row, "files_done"), &done) && done <= 3);
	}
	check_true(house_until(&k->house, rotation_is_over, &k->house));
	house_settle(&k->house);
	check_text(json_get_text(key_of(&k->anna, before), "state"), "destroyed");
	check_true(active_of(&k->anna, "db") > before);
	static const char *const others[] = { "{'purpose':'audit'}", "{'purpose':'sign'}", "{'purpose':'sign-sm2'}", "{'purpose':'files'}",
					      "{'purpose':'devices'}" };
	for (size_t i = 0; i < N_ELEMENTS(others); i++) {
		knock(&k->anna, "key.rotate", others[i]);
		check_text(knock_code(&k->anna), "ok");
	}
	knock(&k->anna, "audit.verify", NULL);
	check_text(knock_text(&k->anna, "verdict"), "no-anchor");
	knock_close(&k->anna);
	house_restart(&k->house);
	knock_open(&k->anna, &k->house);
	knock_login(&k->anna, "anna");
	knock(&k->anna, "device.get", "{'device':'lamp'}");
	check_text(knock_code(&k->anna), "ok");
	knock(&k->anna, "device.list", NULL);
	check_uint(json_len(json_get(knock_result(&k->anna), "devices")), 1);
	knock(&k->anna, "audit.verify", NULL);
	check_text(knock_text(&k->anna, "verdict"), "no-anchor");
	close_keys(k);
	free(k);
}

static void a_copy_leaves(void **state)
{
	struct house_of_keys *k = calloc(1, sizeof(*k));
	struct box_public to;
	struct secret *secret;
	char text[BOX_KEY_TEXT_MAX], params[400];
	uint8_t sealed[BOX_SEALED_MAX], letter[BOX_TEXT_MAX];
	size_t len = 0, n = 0;
	(void)state;
	open_keys(k);
	check_ok(box_pair_new(BOX_SM2, &to, &secret));
	box_public_print(&to, text);
	text_print(params, sizeof(params), "{'id':%lld,'to':'%s'," AGAIN "}", (long long)active_of(&k->anna, "devices"), text);
	knock(&k->anna, "key.distribute", params);
	check_text(knock_code(&k->anna), "ok");
	const char *copy = knock_text(&k->anna, "text");
	check_int(strncmp(copy, "gw-sealed-key:", 14), 0);
	check_ok(base64url_parse(copy + 14, strlen(copy + 14), sealed, sizeof(sealed), &len));
	check_ok(box_open(BOX_SM2, secret, sealed, len, letter, &n));
	check_bytes(letter, 6, "GWKEY1", 6);
	secret_free(secret);
	static const char *const kept[] = { "db", "audit", "sign-sm2" };
	for (size_t i = 0; i < N_ELEMENTS(kept); i++) {
		text_print(params, sizeof(params), "{'id':%lld,'to':'%s'," AGAIN "}", (long long)active_of(&k->anna, kept[i]), text);
		knock(&k->anna, "key.distribute", params);
		check_text(knock_code(&k->anna), "conflict");
		check_true(strstr(message(&k->anna), "never leaves") != NULL);
	}
	knock(&k->anna, "key.distribute", "{'id':3,'to':'gw-x25519-pub:AAAA'," AGAIN "}");
	check_text(knock_code(&k->anna), "bad-value");
	close_keys(k);
	free(k);
}

static void what_proves_it(void **state)
{
	struct house_of_keys *k = calloc(1, sizeof(*k));
	struct box_public to;
	struct secret *secret;
	char text[BOX_KEY_TEXT_MAX], params[400], first[80];
	int64_t seq = 0;
	(void)state;
	open_keys(k);
	knock(&k->anna, "audit.seed", NULL);
	check_text(knock_code(&k->anna), "ok");
	check_uint(strlen(knock_text(&k->anna, "seed")), 64);
	text_copy(first, sizeof(first), knock_text(&k->anna, "seed"));
	check_true(json_to_i64(json_get(knock_result(&k->anna), "seq"), &seq) && seq > 0);
	check_uint(house_audit(&k->house, AUDIT_SEED, NULL), 1);
	knock(&k->anna, "audit.seed", NULL);
	check_true(strcmp(knock_text(&k->anna, "seed"), first) != 0);
	text_print(params, sizeof(params), "{'seq':%lld}", (long long)seq);
	knock(&k->anna, "audit.prove", params);
	check_text(knock_code(&k->anna), "ok");
	check_text(knock_text(&k->anna, "proof"), "inclusion");
	check_uint(strlen(knock_text(&k->anna, "leaf")), 64);
	check_true(strchr(knock_text(&k->anna, "checkpoint"), '.') != NULL);
	knock(&k->anna, "audit.prove", "{'seq':1000000}");
	check_text(knock_code(&k->anna), "not-found");
	text_print(params, sizeof(params), "{'size':1,'root':'%064d'}", 0);
	knock(&k->anna, "audit.consistency", params);
	check_text(knock_text(&k->anna, "proof"), "consistency");
	text_print(params, sizeof(params), "{'size':1,'root':'%064d'}", 0);
	params[20] = 'z';
	knock(&k->anna, "audit.consistency", params);
	check_text(knock_code(&k->anna), "bad-value");
	knock(&k->anna, "audit.keys", NULL);
	check_true(json_len(json_get(knock_result(&k->anna), "keys")) >= 1);
	check_ok(box_pair_new(BOX_SM2, &to, &secret));
	secret_free(secret);
	box_public_print(&to, text);
	text_print(params, sizeof(params), "{'name':'for-otto','to':'%s'}", text);
	knock(&k->anna, "audit.export", params);
	check_text(knock_code(&k->anna), "ok");
	check_true(strstr(knock_text(&k->anna, "path"), "for-otto.parcel") != NULL);
	check_ok(access(knock_text(&k->anna, "path"), R_OK));
	knock(&k->anna, "audit.export", "{'name':'x','to':'nobody'}");
	check_text(knock_code(&k->anna), "bad-value");
	close_keys(k);
	free(k);
}

static void a_worn_key_says_so(void **state)
{
	struct house_of_keys *k = calloc(1, sizeof(*k));
	static const char *const purposes[] = { "{'purpose':'db'}", "{'purpose':'audit'}", "{'purpose':'files'}", "{'purpose':'devices'}" };
	(void)state;
	open_keys(k);
	house_sleep(&k->house, 61000);
	check_true(!house_alarm(&k->house, ALARM_KEY_WORN));
	loop_set_wall_us(k->house.loop, loop_wall_us(k->house.loop) + INT64_C(366) * 86400 * 1000000);
	house_sleep(&k->house, 61000);
	check_true(house_alarm(&k->house, ALARM_KEY_WORN));
	for (size_t i = 0; i < N_ELEMENTS(purposes); i++) {
		knock(&k->anna, "key.rotate", purposes[i]);
		check_text(knock_code(&k->anna), "ok");
	}
	check_true(house_until(&k->house, rotation_is_over, &k->house));
	house_sleep(&k->house, 61000);
	check_true(!house_alarm(&k->house, ALARM_KEY_WORN));
	close_keys(k);
	free(k);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_matrix),  cmocka_unit_test(who_may),	 cmocka_unit_test(the_password_again), cmocka_unit_test(a_rotation),
		cmocka_unit_test(a_copy_leaves), cmocka_unit_test(what_proves_it), cmocka_unit_test(a_worn_key_says_so),
	};
	return CHECK_RUN(rows);
}
