/* Joining as people live it: who sees how it goes, what is printed on a device, the ninth, the one that is pressed, and what a
 * person may ask a radio. */
#include <string.h>
#include "base/text.h"
#include "knock.h"
#include "router/joins.h"

static const struct json *join_of(struct knock *who, size_t i)
{
	return json_at(json_get(knock_status(who, 0), "joins"), i);
}

/* How often these words stand in the newest of the record, as an owner reads it. */
static size_t recorded(struct couple *home, const char *words)
{
	size_t n = 0;
	knock(&home->anna, "audit.tail", "{'n':200}");
	check_text(knock_code(&home->anna), "ok");
	char *text = NULL;
	check_ok(json_print(knock_result(&home->anna), &text, NULL));
	for (const char *p = text; (p = strstr(p, words)); p++)
		n++;
	free(text);
	return n;
}

static void who_opened_sees_how_it_goes(void **state)
{
	struct couple *home = *state;
	struct actor *sim = &home->house.adapter;
	couple_of_owners(home);
	check_text(knock_window(&home->ben, "sim", ""), "ok");
	actor_joining(sim, 1, JOIN_SEEN, "");
	check_text(json_get_text(join_of(&home->ben, 0), "stage"), "seen");
	check_text(json_get_text(join_of(&home->ben, 0), "address"), "ad01");
	actor_joining(sim, 1, JOIN_PASSKEY, "047293");
	check_text(json_get_text(join_of(&home->ben, 0), "passkey"), "047293");
	/* An owner sees the join, and no digits that are not his. */
	check_text(json_get_text(join_of(&home->anna, 0), "stage"), "passkey");
	check_true(!json_get(join_of(&home->anna, 0), "passkey"));
	check_uint(knock_heard(&home->anna, "join"), 0);
	actor_joining(sim, 1, JOIN_FAILED, "it went silent while it was asked what it is");
	check_true(!json_get(join_of(&home->ben, 0), "passkey"));
	check_text(json_get_text(join_of(&home->ben, 0), "why"), "it went silent while it was asked what it is");
	actor_joining(sim, 1, JOIN_READY, "");
	struct device_id lamp = house_lamp(&home->house, 1, "lamp");
	check_text(json_get_text(join_of(&home->ben, 0), "device"), "lamp");
	check_text(json_get_text(join_of(&home->ben, 0), "state"), "waiting");
	check_uint(registry_find(home->house.app->registry, lamp)->waiting_for, home->house.other);
	check_uint(recorded(home, "047293"), 0);
}

static void nobody_else_sees_it(void **state)
{
	struct couple *home = *state;
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	actor_joining(&home->house.adapter, 1, JOIN_PASSKEY, "047293");
	check_uint(json_len(json_get(knock_status(&home->ben, 0), "joins")), 0);
	check_text(json_get_text(join_of(&home->anna, 0), "passkey"), "047293");
	/* Closed: the digits are over at once, the row stays a while. */
	knock(&home->anna, "join.close", "{'adapter':'sim'}");
	check_text(knock_code(&home->anna), "ok");
	check_true(!json_get(join_of(&home->anna, 0), "passkey"));
	house_sleep(&home->house, JOINS_KEEP_MS + 6000);
	check_uint(json_len(json_get(knock_status(&home->anna, 0), "joins")), 0);
	/* Without a window the digits are nobody's. */
	actor_joining(&home->house.adapter, 2, JOIN_PASSKEY, "111111");
	check_true(!json_get(join_of(&home->anna, 0), "passkey"));
}

static void what_is_printed_goes_to_the_adapter_only(void **state)
{
	static const uint8_t code[] = { 0x83, 0xfe, 0xd3, 0x40, 0x7a, 0x93, 0x97, 0x23, 0xa5, 0xc6, 0x39, 0xb2, 0x69, 0x16, 0xd5, 0x05, 0xc3, 0xb5 };
	struct couple *home = *state;
	struct actor *sim = &home->house.adapter;
	check_text(knock_window(&home->anna, "sim", ",'address':'00124b0001020304','secret':'83FE-D340-7A93-9723-A5C6-39B2-6916-D505-C3B5'"), "ok");
	check_bytes(sim->code, sim->code_len, code, sizeof(code));
	check_uint(sim->join_addr.len, 8);
	check_uint(sim->join_addr.bytes[7], 4);
	check_text(knock_window(&home->anna, "sim", ",'secret':'Z:000D6FFFFED66CE4$I:83FED3407A939723A5C639B26916D505C3B5'"), "ok");
	check_bytes(sim->code, sim->code_len, code, sizeof(code));
	check_uint(sim->join_addr.bytes[1], 0x0d);
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	check_uint(sim->code_len + sim->join_addr.len, 0);
	check_text(knock_window(&home->anna, "sim", ",'address':'lamp'"), "bad-value");
	/* One that does not hold, says the adapter. */
	sim->answer = RESULT_BAD_VALUE;
	check_text(knock_window(&home->anna, "sim", ",'secret':'83FED340'"), "bad-value");
	check_uint(recorded(home, "83FE") + recorded(home, "83fe") + recorded(home, "C3B5") + recorded(home, "000D6F"), 0);
	check_true(recorded(home, "join.open") > 0);
}

static void the_ninth_is_told(void **state)
{
	struct couple *home = *state;
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	for (uint8_t i = 1; i <= CLAIMS_PER_WINDOW_MAX + 1; i++) {
		char name[16];
		text_print(name, sizeof(name), "s%u", i);
		actor_joining(&home->house.adapter, i, JOIN_SEEN, "");
		house_sensor(&home->house, i, name);
		actor_joining(&home->house.adapter, i, JOIN_READY, "");
	}
	const struct json *status = knock_status(&home->anna, 0);
	bool full = false;
	int64_t n = 0;
	check_true(json_to_bool(json_get(status, "full"), &full) && full);
	check_true(json_to_i64(json_get(status, "waiting"), &n));
	check_int(n, CLAIMS_PER_WINDOW_MAX);
	check_text(json_get_text(status, "user"), "anna");
	const struct json *last = json_at(json_get(status, "joins"), CLAIMS_PER_WINDOW_MAX);
	check_text(json_get_text(last, "state"), "described");
	/* Told before its adapter's last word, and after it. */
	house_sensor(&home->house, CLAIMS_PER_WINDOW_MAX + 1, "s9");
	last = join_of(&home->anna, CLAIMS_PER_WINDOW_MAX);
	check_text(json_get_text(last, "stage"), "failed");
	check_true(strstr(json_get_text(last, "why"), "wait already") != NULL);
	knock(&home->anna, "claim.confirm", "{'device':'s9'}");
	check_text(knock_code(&home->anna), "conflict");
	/* When one of them is his there is room for it, in the next window. */
	knock(&home->anna, "claim.confirm", "{'device':'s1'}");
	check_text(knock_code(&home->anna), "ok");
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	knock(&home->anna, "claim.confirm", "{'device':'s9'}");
	check_text(knock_code(&home->anna), "ok");
}

/* Sleepy ones answer slowly: heard in the window, described when it is over. */
static void who_takes_his_time_still_waits(void **state)
{
	struct couple *home = *state;
	struct device_id id;
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	actor_joining(&home->house.adapter, 1, JOIN_SEEN, "");
	knock(&home->anna, "join.close", "{'adapter':'sim'}");
	house_sleep(&home->house, 20000);
	actor_joining(&home->house.adapter, 1, JOIN_INTERVIEW, "");
	id = house_sensor(&home->house, 1, "slow");
	check_uint(registry_find(home->house.app->registry, id)->waiting_for, home->house.owner);
	id = house_sensor(&home->house, 2, "stranger");
	check_uint(registry_find(home->house.app->registry, id)->waiting_for, 0);
	house_sleep(&home->house, JOINS_LATE_MS);
	actor_joining(&home->house.adapter, 3, JOIN_SEEN, "");
	id = house_sensor(&home->house, 3, "later");
	check_uint(registry_find(home->house.app->registry, id)->waiting_for, 0);
}

/* --- by pressing it ------------------------------------------------------------------------------------------------------ */

static void press(struct knock *who)
{
	knock_send(who, "claim.press", "{'seconds':30}");
	house_settle(who->house);
}

static void two_sensors(struct couple *home)
{
	house_sensor(&home->house, 1, "one");
	house_sensor(&home->house, 2, "two");
}

static void the_one_that_is_pressed(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	struct audit_row row;
	knock(&home->anna, "claim.press", "{'seconds':30}");
	check_text(knock_code(&home->anna), "conflict"); /* nothing waits */
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	two_sensors(home);
	size_t n = home->anna.n_answers;
	press(&home->anna);
	house_report(house, 1, CAP_TEMPERATURE, value_real(20));
	house_report(house, 1, CAP_TEMPERATURE, value_real(21)); /* comes by itself */
	house_report(house, 2, CAP_CONTACT, value_bool(true));	 /* how it is, not what was done */
	house_report(house, 2, CAP_CONTACT, value_bool(true));	 /* the same again */
	struct wire_msg again = { .type = WIRE_REPORT };
	again.report.seq = ++house->adapter.seq;
	again.report.again = true;
	again.report.addr = (struct address){ .len = 2, .bytes = { 0xad, 2 } };
	again.report.endpoint = 1;
	again.report.cap = CAP_CONTACT;
	again.report.value = value_bool(false);
	actor_say(&house->adapter, &again);
	house_settle(house);
	check_uint(home->anna.n_answers, n);
	house_report(house, 2, CAP_CONTACT, value_bool(true));
	house_settle(house);
	check_uint(home->anna.n_answers, n + 1);
	check_text(knock_code(&home->anna), "ok");
	check_text(knock_text(&home->anna, "device"), "two");
	check_uint(registry_find_name(house->app->registry, "two")->owner, house->owner);
	check_uint(registry_find_name(house->app->registry, "one")->owner, 0);
	check_uint(house_audit(house, AUDIT_BIND, &row), 2); /* and the one that came too early */
	check_true(recorded(home, "by pressing it") > 0);
	/* Nobody waits any more: a press is only a press. */
	house_report(house, 1, CAP_CONTACT, value_bool(true));
	house_report(house, 1, CAP_CONTACT, value_bool(false));
	house_settle(house);
	check_uint(registry_find_name(house->app->registry, "one")->owner, 0);
}

static void nobody_presses(void **state)
{
	struct couple *home = *state;
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	two_sensors(home);
	size_t n = home->anna.n_answers;
	press(&home->anna);
	press(&home->anna); /* anew: the first ends */
	check_uint(home->anna.n_answers, n + 1);
	check_text(knock_code(&home->anna), "timeout");
	house_sleep(&home->house, 30500);
	check_uint(home->anna.n_answers, n + 2);
	check_text(knock_code(&home->anna), "timeout");
}

static void two_at_one_adapter(void **state)
{
	struct couple *home = *state;
	struct house *house = &home->house;
	couple_of_owners(home);
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	house_sensor(house, 1, "hers");
	knock(&home->anna, "join.close", "{'adapter':'sim'}");
	check_text(knock_window(&home->ben, "sim", ""), "ok");
	house_sensor(house, 2, "his");
	house_second_up(house);
	size_t n = home->anna.n_answers;
	press(&home->anna);
	knock(&home->ben, "claim.press", "{'seconds':30}");
	check_text(knock_code(&home->ben), "busy");
	/* His presses do not make it hers, nor the other way round. */
	house_report(house, 2, CAP_CONTACT, value_bool(true));
	house_report(house, 2, CAP_CONTACT, value_bool(false));
	house_settle(house);
	check_uint(home->anna.n_answers, n);
	check_uint(registry_find_name(house->app->registry, "his")->owner, 0);
	/* Logged out meanwhile: nothing is bound any more. */
	struct knock other;
	knock_open(&other, house);
	text_copy(other.token, sizeof(other.token), home->anna.token);
	knock(&other, "logout", NULL);
	knock_close(&other);
	house_report(house, 1, CAP_CONTACT, value_bool(true));
	house_report(house, 1, CAP_CONTACT, value_bool(false));
	house_settle(house);
	check_uint(home->anna.n_answers, n + 1);
	check_text(knock_code(&home->anna), "timeout");
	check_uint(registry_find_name(house->app->registry, "hers")->owner, 0);
	knock_send(&home->ben, "claim.press", "{'seconds':30}");
	house_settle(house);
	knock_close(&home->ben); /* and one who went away */
	house_report(house, 2, CAP_CONTACT, value_bool(true));
	house_settle(house);
	check_uint(registry_find_name(house->app->registry, "his")->owner, 0);
	knock_open(&home->ben, house);
}

static void a_window_of_buttons(void **state)
{
	const struct house_cap caps[] = { { CAP_BUTTON, VALUE_TEXT, ACCESS_READ | ACCESS_REPORT } };
	struct couple *home = *state;
	struct house *house = &home->house;
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	house_describe(house, 1, "button", caps, 1);
	press(&home->anna);
	size_t n = home->anna.n_answers;
	house_report(house, 1, CAP_BUTTON, value_text("single"));
	house_settle(house);
	check_uint(home->anna.n_answers, n); /* the first after it was described */
	house_report(house, 1, CAP_BUTTON, value_text("single"));
	house_settle(house);
	check_uint(home->anna.n_answers, n + 1);
	check_text(knock_text(&home->anna, "device"), "button");
}

/* --- radios ---------------------------------------------------------------------------------------------------------------- */

static char *long_text(size_t len)
{
	char *text = malloc(len + 1);
	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = "{\"key\": \"5ec2e7\"}\n"[i % 18];
	text[len] = '\0';
	return text;
}

static void a_backup_and_back(void **state)
{
	enum { LEN = 200000, PART = 4096 };
	struct couple *home = *state;
	struct actor *sim = &home->house.adapter;
	char *backup = long_text(LEN), *got = calloc(1, LEN + 1), params[300];
	size_t len = 0, n_pieces = 0;
	int64_t more = 0;
	sim->tells = (struct view){ (const uint8_t *)backup, LEN };
	knock(&home->anna, "radio.backup", "{'adapter':'sim','password':'wrong'}");
	check_text(knock_code(&home->anna), "denied");
	check_uint(actor_count(sim, WIRE_ASK), 0);
	text_print(params, sizeof(params), "{'adapter':'sim','password':'%s'}", home->house.password);
	knock(&home->anna, "radio.backup", params);
	for (;;) {
		check_text(knock_code(&home->anna), "ok");
		const char *piece = knock_text(&home->anna, "text");
		memcpy(got + len, piece, strlen(piece));
		len += strlen(piece);
		n_pieces++;
		if (!json_to_i64(json_get(knock_result(&home->anna), "more"), &more))
			break;
		text_print(params, sizeof(params), "{'more':%lld}", (long long)more);
		if (n_pieces == 2) { /* somebody else's session gets none of it */
			knock(&home->ben, "radio.more", params);
			check_text(knock_code(&home->ben), "denied");
		}
		knock(&home->anna, "radio.more", params);
	}
	check_bytes(got, len, backup, LEN);
	check_text(sim->verb, "backup");
	knock(&home->anna, "radio.more", params);
	check_text(knock_code(&home->anna), "not-found");
	/* And back, in parts. */
	sim->tells = (struct view){ NULL, 0 };
	for (size_t at = 0; at < LEN; at += PART) {
		struct json *request = json_new_object(), *p = json_new_object();
		char part[PART + 1], *text = NULL;
		size_t n = 0;
		text_copy_n(part, sizeof(part), backup + at, LEN - at < PART ? LEN - at : PART);
		json_set_text(p, "adapter", "sim");
		json_set_text(p, "data", part);
		if (at + PART < LEN)
			json_set_bool(p, "more", true);
		else
			json_set_text(p, "password", home->house.password);
		json_set_i64(request, "id", 1);
		json_set_text(request, "method", "radio.restore");
		json_set_text(request, "token", home->anna.token);
		json_set(request, "params", p);
		check_ok(json_print(request, &text, &n));
		knock_raw(&home->anna, text, n);
		check_text(knock_code(&home->anna), "ok");
		free(text);
		json_free(request);
		if (at % (100 * PART) == 0)
			house_sleep(&home->house, 1000); /* no more than so many a second */
	}
	check_text(sim->verb, "restore");
	check_bytes(sim->asked.data, sim->asked.len, backup, LEN);
	/* On record: that it was asked and done, both; nothing of what it was. */
	check_uint(house_audit(&home->house, AUDIT_RADIO, NULL), 5);
	check_uint(recorded(home, "5ec2e7"), 0);
	check_true(recorded(home, "radio.backup") >= 2);
	free(backup);
	free(got);
}

static void who_may_ask_and_what_comes_of_it(void **state)
{
	struct couple *home = *state;
	struct actor *sim = &home->house.adapter;
	char params[200];
	sim->tells = view_text("{\"radio\": \"test\"}");
	knock(&home->ben, "radio.info", "{'adapter':'sim'}");
	check_text(knock_code(&home->ben), "denied");
	knock(&home->anna, "radio.info", "{'adapter':'sim'}");
	check_text(knock_text(&home->anna, "text"), "{\"radio\": \"test\"}");
	check_uint(house_audit(&home->house, AUDIT_RADIO, NULL), 0);
	knock(&home->anna, "radio.channel", "{'adapter':'sim','channel':27}");
	check_text(knock_code(&home->anna), "malformed");
	knock(&home->anna, "radio.channel", "{'adapter':'sim','channel':20}");
	check_text(knock_code(&home->anna), "ok");
	check_bytes(sim->asked.data, sim->asked.len, "20", 2);
	check_uint(house_audit(&home->house, AUDIT_RADIO, NULL), 2);
	text_print(params, sizeof(params), "{'adapter':'sim','channel':15,'password':'%s'}", home->house.password);
	knock(&home->anna, "radio.form", params);
	check_bytes(sim->asked.data, sim->asked.len, "{\"channel\": 15}", 15);
	knock(&home->anna, "radio.adopt", "{'adapter':'sim'}");
	check_text(sim->verb, "adopt");
	check_uint(sim->asked.len, 0);
	knock(&home->ben, "radio.group", "{'adapter':'sim','data':'{}'}");
	check_text(knock_code(&home->ben), "denied");
	check_text(sim->verb, "adopt");
	knock(&home->anna, "radio.group", "{'adapter':'sim','data':'[7]'}");
	check_text(sim->verb, "group");
	check_bytes(sim->asked.data, sim->asked.len, "[7]", 3);
	/* Refused, silent, away, unknown: each in words, and on record. */
	sim->answer = RESULT_BAD_VALUE;
	knock(&home->anna, "radio.channel", "{'adapter':'sim','channel':26}");
	check_text(knock_code(&home->anna), "bad-value");
	size_t before = house_audit(&home->house, AUDIT_RADIO, NULL);
	sim->answers = false;
	knock_send(&home->anna, "radio.map", "{'adapter':'sim'}");
	house_settle(&home->house);
	knock(&home->anna, "radio.map", "{'adapter':'sim'}");
	check_text(knock_code(&home->anna), "busy");
	size_t n = home->anna.n_answers;
	house_sleep(&home->house, HUB_ASK_MS + 1000);
	check_uint(home->anna.n_answers, n + 1);
	check_text(knock_code(&home->anna), "timeout");
	knock(&home->anna, "radio.adopt", "{'adapter':'bridge'}");
	check_text(knock_code(&home->anna), "unreachable");
	knock(&home->anna, "radio.adopt", "{'adapter':'nobody'}");
	check_text(knock_code(&home->anna), "not-found");
	check_uint(house_audit(&home->house, AUDIT_RADIO, NULL), before + 2);
}

static void the_core_stops_while_it_is_asked(void **state)
{
	struct couple *home = *state;
	check_text(knock_window(&home->anna, "sim", ""), "ok");
	two_sensors(home);
	home->house.adapter.answers = false;
	press(&home->anna);
	knock_send(&home->anna, "radio.info", "{'adapter':'sim'}");
	knock_send(&home->anna, "radio.adopt", "{'adapter':'sim'}");
	house_settle(&home->house);
	/* teardown: nothing may leak, nothing be used after it is gone */
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, couple_setup, couple_teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(who_opened_sees_how_it_goes),
		ROW(nobody_else_sees_it),
		ROW(what_is_printed_goes_to_the_adapter_only),
		ROW(the_ninth_is_told),
		ROW(who_takes_his_time_still_waits),
		ROW(the_one_that_is_pressed),
		ROW(nobody_presses),
		ROW(two_at_one_adapter),
		ROW(a_window_of_buttons),
		ROW(a_backup_and_back),
		ROW(who_may_ask_and_what_comes_of_it),
		ROW(the_core_stops_while_it_is_asked),
	};
	return CHECK_RUN(rows);
}
