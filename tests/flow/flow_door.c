/* The door against those who knock badly: too much, too often, out of turn, with another's token, and those who would like to
 * know what they may not. */
#include "base/text.h"
#include "door/door.h"
#include "door/methods.h"
#include "door/request.h"
#include "knock.h"

struct home {
	struct house house;
	struct device_id lamp, lock;
	struct knock anna, ben;
};

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, NULL);
	house_people(&home->house);
	house_adapter_up(&home->house);
	home->lamp = house_lamp(&home->house, 1, "lamp");
	home->lock = house_lock(&home->house, 2, "lock");
	house_bind(&home->house, home->lamp, home->house.owner);
	house_bind(&home->house, home->lock, home->house.owner);
	knock_open(&home->anna, &home->house);
	knock_open(&home->ben, &home->house);
	knock_login(&home->anna, "anna");
	knock_login(&home->ben, "ben");
	*state = home;
	return 0;
}

static int teardown(void **state)
{
	struct home *home = *state;
	knock_close(&home->anna);
	knock_close(&home->ben);
	house_close(&home->house);
	free(home);
	return 0;
}

static void bad_input_is_refused_and_nothing_breaks(void **state)
{
	static const char *const texts[] = {
		"x", "{}", "[]", "null", "{\"method\":\"hello\",\"method\":\"hello\"}", "{\"id\":1,\"method\":\"hello\",\"params\":7}",
		"{\"method\":\"\xc3\x28\"}", "{\"id\":1,\"method\":\"login\",\"params\":{\"user\":\"anna\"}}",
		"{\"id\":1,\"method\":\"login\",\"params\":{\"user\":\"anna\",\"password\":7}}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
	};
	struct home *home = *state;
	static char large[REQUEST_LEN_MAX + 1];
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		knock_raw(&home->ben, texts[i], strlen(texts[i]));
		check_text(knock_code(&home->ben), "malformed");
	}
	memset(large, ' ', sizeof(large));
	memcpy(large, "{\"method\":\"hello\"}", 18);
	knock_raw(&home->ben, large, REQUEST_LEN_MAX);
	check_text(knock_code(&home->ben), "ok");
	memcpy(large, "{\"method\":\"hello\"}", 18);
	knock_raw(&home->ben, large, REQUEST_LEN_MAX + 1);
	check_text(knock_code(&home->ben), "malformed");
	knock(&home->ben, "no.such", NULL);
	check_text(knock_code(&home->ben), "not-found");
	knock(&home->ben, "hello", NULL);
	check_text(knock_code(&home->ben), "ok");
	check_true(house_audit(&home->house, AUDIT_BAD_INPUT, NULL) > 0);
}

static void the_answer_says_which_field(void **state)
{
	struct home *home = *state;
	knock(&home->anna, "device.set", "{'device':'lamp','capability':'on-off','value':[]}");
	check_text(knock_code(&home->anna), "bad-value");
	check_text(json_get_text(json_get(home->anna.answer, "error"), "field"), "value");
	knock(&home->anna, "device.set", "{'device':'lamp','capability':'flying','value':true}");
	check_text(knock_code(&home->anna), "unknown-capability");
	knock(&home->anna, "device.set", "{'device':'lamp','capability':'level','value':4000}");
	check_text(knock_code(&home->anna), "bad-value");
	knock(&home->anna, "policy.add", "{'effect':'allow','who':'nobody','what':'*'}");
	check_text(json_get_text(json_get(home->anna.answer, "error"), "field"), "who");
	knock(&home->anna, "policy.add", "{'effect':'allow','who':'role:guest','what':'*','windows':['noon']}");
	check_text(json_get_text(json_get(home->anna.answer, "error"), "field"), "windows");
	knock(&home->anna, "rule.add", "{'name':'r','trigger':'time','at':'24:00','then':{'device':'lamp','capability':'on-off'},'set':true}");
	check_text(json_get_text(json_get(home->anna.answer, "error"), "field"), "at");
}

static void only_so_much_at_once(void **state)
{
	struct home *home = *state;
	home->house.adapter.answers = false;
	size_t n = home->anna.n_answers;
	for (int i = 0; i < DOOR_PENDING_MAX; i++)
		knock_send(&home->anna, "device.set", "{'device':'lamp','capability':'on-off','value':true}");
	house_settle(&home->house);
	check_uint(home->anna.n_answers, n);
	knock(&home->anna, "hello", NULL);
	check_text(knock_code(&home->anna), "busy");
	knock(&home->ben, "hello", NULL); /* somebody else's patience is not used up */
	check_text(knock_code(&home->ben), "ok");
	house_sleep(&home->house, 11000);
	check_uint(home->anna.n_answers, n + 1 + DOOR_PENDING_MAX);
	knock(&home->anna, "hello", NULL);
	check_text(knock_code(&home->anna), "ok");
}

static void only_so_often(void **state)
{
	struct home *home = *state;
	loop_advance(home->house.loop, 1000);
	for (int i = 0; i < DOOR_RATE_PER_S; i++) {
		knock(&home->ben, "hello", NULL);
		check_text(knock_code(&home->ben), "ok");
	}
	knock(&home->ben, "hello", NULL);
	check_text(knock_code(&home->ben), "rate");
	knock_raw(&home->ben, "x", 1); /* nonsense is no way round it */
	check_text(knock_code(&home->ben), "rate");
	knock(&home->anna, "hello", NULL);
	check_text(knock_code(&home->anna), "ok");
	loop_advance(home->house.loop, 1000);
	knock(&home->ben, "hello", NULL);
	check_text(knock_code(&home->ben), "ok");
}

static void only_so_many(void **state)
{
	struct home *home = *state;
	struct knock *more = calloc(DOOR_CLIENTS_MAX, sizeof(*more));
	for (size_t i = 0; i < DOOR_CLIENTS_MAX - 1; i++)
		knock_open(&more[i], &home->house);
	check_uint(door_clients(home->house.app->door), DOOR_CLIENTS_MAX);
	check_true(more[DOOR_CLIENTS_MAX - 2].closed && !more[DOOR_CLIENTS_MAX - 3].closed);
	for (size_t i = 0; i < DOOR_CLIENTS_MAX - 1; i++)
		knock_close(&more[i]);
	house_settle(&home->house);
	check_uint(door_clients(home->house.app->door), 2);
	knock(&home->anna, "hello", NULL);
	check_text(knock_code(&home->anna), "ok");
	free(more);
}

/* A member may not touch a lock; what it is told of one it may not read is what it is told of none. */
static void what_one_may_not_know_does_not_exist(void **state)
{
	struct home *home = *state;
	char *hidden = NULL, *none = NULL;
	knock(&home->anna, "user.add", "{'name':'gus','role':'guest','password':'a long enough one'}");
	struct knock gus;
	knock_open(&gus, &home->house);
	knock_login(&gus, "gus");
	static const char *const methods[] = { "device.get", "device.rename" };
	static const char *const tails[] = { "}", ",'name':'x'}" };
	for (size_t i = 0; i < N_ELEMENTS(methods); i++) {
		char params[100];
		struct knock *who = i == 0 ? &gus : &home->ben;
		text_print(params, sizeof(params), "{'device':'%s'%s", i == 0 ? "lock" : "nothing", tails[i]);
		knock(who, methods[i], params);
		check_ok(json_print(json_get(who->answer, "error"), &hidden, NULL));
		text_print(params, sizeof(params), "{'device':'nothing'%s", tails[i]);
		knock(who, methods[i], params);
		check_ok(json_print(json_get(who->answer, "error"), &none, NULL));
		check_text(hidden, none);
		check_text(knock_code(who), "unknown-device");
		free(hidden);
		free(none);
	}
	knock(&gus, "device.list", NULL);
	const struct json *list = json_get(knock_result(&gus), "devices");
	for (size_t i = 0; i < json_len(list); i++)
		check_true(strcmp(json_get_text(json_at(list, i), "name"), "lock") != 0);
	/* A command, too: denied is for those who may read it, and the rule's number for those who may know rules. */
	knock(&gus, "device.set", "{'device':'lock','capability':'lock-state','value':'unlocked'}");
	check_text(knock_code(&gus), "unknown-device");
	check_true(json_get(json_get(gus.answer, "error"), "rule") == NULL);
	knock_close(&gus);
}

static void the_rule_is_named_to_owners(void **state)
{
	struct home *home = *state;
	knock(&home->anna, "policy.add", "{'effect':'deny','who':'anybody','what':'device:lamp','actions':['command']}");
	check_text(knock_code(&home->anna), "ok");
	knock(&home->anna, "device.set", "{'device':'lamp','capability':'on-off','value':true}");
	check_text(knock_code(&home->anna), "denied");
	int64_t rule = 0;
	check_true(json_to_i64(json_get(json_get(home->anna.answer, "error"), "rule"), &rule));
	check_int(rule, 1);
	knock(&home->ben, "device.set", "{'device':'lamp','capability':'on-off','value':true}");
	check_text(knock_code(&home->ben), "denied");
	check_true(json_get(json_get(home->ben.answer, "error"), "rule") == NULL);
	knock(&home->anna, "policy.explain", "{'who':'user:ben','device':'lamp','capability':'on-off'}");
	check_true(json_to_i64(json_get(knock_result(&home->anna), "rule"), &rule));
	check_int(rule, 1);
}

static void sessions_end(void **state)
{
	struct home *home = *state;
	knock(&home->ben, "session.list", NULL);
	check_uint(json_len(json_get(knock_result(&home->ben), "sessions")), 1); /* his own */
	knock(&home->anna, "session.list", NULL);
	check_uint(json_len(json_get(knock_result(&home->anna), "sessions")), 2);
	knock(&home->ben, "session.end", "{'number':1}");
	check_text(knock_code(&home->ben), "not-found"); /* hers, which is no business of his */
	house_sleep(&home->house, (home->house.app->conf->session_idle_s + 6) * INT64_C(1000));
	knock(&home->ben, "device.list", NULL);
	check_text(knock_code(&home->ben), "no-session");
	/* With the dead token in hand one can still log in. */
	knock_login(&home->ben, "ben");
	knock(&home->ben, "device.list", NULL);
	check_text(knock_code(&home->ben), "ok");
	knock(&home->ben, "logout", NULL);
	knock(&home->ben, "device.list", NULL);
	check_text(knock_code(&home->ben), "no-session");
}

static void login_replaces_the_token(void **state)
{
	struct home *home = *state;
	struct knock old = home->ben;
	char first[TOKEN_TEXT_MAX];
	(void)old;
	text_copy(first, sizeof(first), home->ben.token);
	knock_login(&home->ben, "ben");
	check_true(strcmp(first, home->ben.token) != 0);
	text_copy(home->ben.token, sizeof(home->ben.token), first);
	knock(&home->ben, "device.list", NULL);
	check_text(knock_code(&home->ben), "no-session");
}

static void own_password_needs_the_old_one(void **state)
{
	struct home *home = *state;
	knock(&home->ben, "user.set-password", "{'user':'ben','password':'quite another one'}");
	check_text(knock_code(&home->ben), "malformed");
	knock(&home->ben, "user.set-password", "{'user':'ben','password':'quite another one','old':'not the one'}");
	check_text(knock_code(&home->ben), "denied");
	knock(&home->ben, "user.set-password", "{'user':'anna','password':'quite another one','old':'a long enough one'}");
	check_text(knock_code(&home->ben), "denied");
	knock(&home->ben, "user.set-password", "{'user':'ben','password':'12345678','old':'a long enough one'}");
	check_text(knock_code(&home->ben), "bad-value");
	knock(&home->ben, "user.set-password", "{'user':'ben','password':'quite another one','old':'a long enough one'}");
	check_text(knock_code(&home->ben), "ok");
	knock(&home->ben, "session.list", NULL);
	check_text(knock_code(&home->ben), "no-session");
}

static void events_by_rights_and_only_while_the_session_lasts(void **state)
{
	struct home *home = *state;
	knock(&home->anna, "events.subscribe", NULL);
	knock(&home->ben, "events.subscribe", NULL);
	house_report(&home->house, 1, CAP_ON_OFF, value_bool(true));
	check_uint(knock_heard(&home->anna, "report"), 1);
	check_uint(knock_heard(&home->ben, "report"), 1);
	house_report(&home->house, 2, CAP_LOCK_STATE, value_text("locked")); /* a member does not hear of a lock */
	check_uint(knock_heard(&home->anna, "report"), 2);
	check_uint(knock_heard(&home->ben, "report"), 1);
	knock(&home->ben, "logout", NULL);
	house_report(&home->house, 1, CAP_ON_OFF, value_bool(false));
	check_uint(knock_heard(&home->ben, "report"), 1);
	check_uint(knock_heard(&home->ben, "end"), 1);
	check_uint(knock_heard(&home->anna, "report"), 3);
	knock(&home->anna, "events.unsubscribe", NULL);
	house_report(&home->house, 1, CAP_ON_OFF, value_bool(true));
	check_uint(knock_heard(&home->anna, "report"), 3);
}

static void a_client_that_goes_costs_nothing(void **state)
{
	struct home *home = *state;
	home->house.adapter.answers = false;
	knock(&home->anna, "events.subscribe", NULL);
	knock_send(&home->anna, "device.set", "{'device':'lamp','capability':'on-off','value':true}");
	knock_send(&home->anna, "device.rename", "{'device':'lamp','name':'light'}");
	knock_send(&home->anna, "login", "{'user':'anna','password':'a long enough one'}");
	house_settle(&home->house);
	home->anna.conn = packet_close(home->anna.conn);
	house_report(&home->house, 1, CAP_ON_OFF, value_bool(true));
	house_sleep(&home->house, 11000);
	knock(&home->ben, "device.get", "{'device':'light'}"); /* what was asked for was done */
	check_text(knock_code(&home->ben), "ok");
	check_uint(door_clients(home->house.app->door), 1);
}

/* The core stops while somebody waits: nothing is called back into a door that is gone (the sanitizers watch). */
static void stopping_with_calls_under_way(void **state)
{
	struct home *home = *state;
	home->house.adapter.answers = false;
	knock_send(&home->anna, "device.set", "{'device':'lamp','capability':'on-off','value':true}");
	knock_send(&home->anna, "device.rename", "{'device':'lamp','name':'light'}");
	knock_send(&home->anna, "audit.verify", NULL);
	knock_send(&home->ben, "login", "{'user':'ben','password':'a long enough one'}");
	check_ok(loop_turn(home->house.loop, 0));
	check_ok(loop_turn(home->house.loop, 0));
	house_restart(&home->house);
	knock_close(&home->anna);
	knock_open(&home->anna, &home->house);
	knock(&home->anna, "hello", NULL);
	check_text(knock_code(&home->anna), "ok");
}

/* More devices than fit into an answer: every one comes once, page by page. */
static void lists_go_on(void **state)
{
	enum { MORE = 200 };
	struct home *home = *state;
	size_t n = 0, pages = 0;
	char params[80] = "{}", name[16];
	for (uint8_t i = 3; i < 3 + MORE; i++) {
		text_print(name, sizeof(name), "lamp %u", i);
		house_lamp(&home->house, i, name);
	}
	for (;;) {
		char *text = NULL;
		size_t len = 0;
		knock(&home->anna, "device.list", params);
		check_text(knock_code(&home->anna), "ok");
		check_ok(json_print(json_get(knock_result(&home->anna), "devices"), &text, &len));
		check_true(len <= METHODS_BUDGET_MAX + 2);
		free(text);
		n += json_len(json_get(knock_result(&home->anna), "devices"));
		pages++;
		if (!knock_text(&home->anna, "next"))
			break;
		text_print(params, sizeof(params), "{'after':'%s'}", knock_text(&home->anna, "next"));
	}
	check_uint(n, MORE + 2);
	check_true(pages > 1);
}

#define ROW(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(bad_input_is_refused_and_nothing_breaks),
		ROW(the_answer_says_which_field),
		ROW(only_so_much_at_once),
		ROW(only_so_often),
		ROW(only_so_many),
		ROW(what_one_may_not_know_does_not_exist),
		ROW(the_rule_is_named_to_owners),
		ROW(sessions_end),
		ROW(login_replaces_the_token),
		ROW(own_password_needs_the_old_one),
		ROW(events_by_rights_and_only_while_the_session_lasts),
		ROW(a_client_that_goes_costs_nothing),
		ROW(stopping_with_calls_under_way),
		ROW(lists_go_on),
	};
	return CHECK_RUN(rows);
}
