/* How a device becomes somebody's, and ceases to be: by code, by claim, handed on, let go. Never by itself. */
#include "house.h"

#include <string.h>
#include "base/text.h"

struct home {
	struct house house;
	struct device_id lamp;
};

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, NULL);
	house_people(&home->house);
	house_adapter_up(&home->house);
	home->lamp = house_lamp(&home->house, 1, "lamp");
	*state = home;
	return 0;
}

static int teardown(void **state)
{
	struct home *home = *state;
	house_close(&home->house);
	free(home);
	return 0;
}

struct answer {
	unsigned n_done, n_good;
	int r;
	uint32_t user;
	char code[CODE_TEXT_MAX];
};

static void on_code(void *ctx, int r, const char *code, int64_t life_ms)
{
	struct answer *answer = ctx;
	answer->n_done++;
	answer->r = r;
	text_copy(answer->code, sizeof(answer->code), code ? code : "");
	check_true(r != 0 || life_ms == 600000);
}

static void on_end(void *ctx, int r)
{
	struct answer *answer = ctx;
	answer->n_done++;
	answer->n_good += r == 0;
	answer->r = r;
}

static void on_redeemed(void *ctx, int r, uint32_t user)
{
	struct answer *answer = ctx;
	answer->user = user;
	on_end(ctx, r);
}

static void on_stored(void *ctx, int r)
{
	(void)ctx;
	check_ok(r);
}

static struct answer issue(struct house *house, uint32_t user)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_CODE_ISSUED, .subject = { SUBJECT_USER, user } };
	code_issue(house->app->people, user, &record, on_code, &answer);
	house_settle(house);
	check_uint(answer.n_done, 1);
	return answer;
}

static struct answer redeem(struct house *house, const char *code, struct device_id id)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_BIND };
	code_redeem(house->app->people, code, id, &record, on_redeemed, &answer);
	house_settle(house);
	check_uint(answer.n_done, 1);
	return answer;
}

static void a_code_binds_once(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer code = issue(house, house->owner), again;
	check_ok(code.r);
	check_uint(strlen(code.code), 14);
	struct answer first = redeem(house, code.code, home->lamp);
	check_ok(first.r);
	check_uint(first.user, house->owner);
	again = redeem(house, code.code, home->lamp);
	check_int(again.r, PEOPLE_E_CODE);
	check_uint(house_audit(house, AUDIT_CODE_ISSUED, NULL), 1);
	check_uint(house_audit(house, AUDIT_BIND, NULL), 1);
	check_uint(house_audit(house, AUDIT_CODE_FAILED, NULL), 1);
}

static void a_device_presents_its_code_over_the_wire(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer code = issue(house, house->other);
	struct wire_msg claim = { .type = WIRE_CLAIM };
	claim.claim.addr = (struct address){ .len = 2, .bytes = { 0xad, 1 } };
	claim.claim.code = (struct view){ (const uint8_t *)"0000-0000-0000", 14 };
	actor_say(&house->adapter, &claim);
	house_settle(house);
	check_uint(registry_find(house->app->registry, home->lamp)->owner, 0);
	claim.claim.code = (struct view){ (const uint8_t *)code.code, strlen(code.code) };
	actor_say(&house->adapter, &claim);
	house_settle(house);
	const struct device *device = registry_find(house->app->registry, home->lamp);
	check_uint(device->owner, house->other);
	check_int(device->state, DEVICE_OURS);
	house_restart(house);
	check_uint(registry_find(house->app->registry, home->lamp)->owner, house->other);
}

static void of_a_hundred_one_wins(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer code = issue(house, house->owner);
	struct answer race = { 0 };
	struct device_id devices[100];
	for (uint8_t i = 0; i < 100; i++) {
		char name[16];
		text_print(name, sizeof(name), "d%u", i);
		devices[i] = house_lamp(house, (uint8_t)(10 + i), name);
	}
	for (int i = 0; i < 100; i++) {
		struct audit_record record = { .kind = AUDIT_BIND };
		code_redeem(house->app->people, code.code, devices[i], &record, on_redeemed, &race);
	}
	house_settle(house);
	check_uint(race.n_done, 100);
	check_uint(race.n_good, 1);
	check_uint(house_audit(house, AUDIT_BIND, NULL), 1);
}

static void a_code_ends_with_its_time_its_tries_and_the_next_code(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer old = issue(house, house->owner), code = issue(house, house->owner);
	check_int(redeem(house, old.code, home->lamp).r, PEOPLE_E_CODE); /* a user has one at a time */
	house_sleep(house, 601000);
	check_int(redeem(house, code.code, home->lamp).r, PEOPLE_E_CODE);
	code = issue(house, house->owner);
	struct answer guess = issue(house, house->other);
	/* Well-formed guesses cost every code a try. */
	house_sleep(house, 601000);
	struct answer fresh = issue(house, house->owner);
	for (int i = 0; i < 5; i++)
		check_int(redeem(house, guess.code, home->lamp).r, PEOPLE_E_CODE);
	check_int(redeem(house, fresh.code, home->lamp).r, PEOPLE_E_CODE);
	(void)code;
}

static void a_slip_of_the_finger_costs_no_try(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer code = issue(house, house->owner);
	char slip[CODE_TEXT_MAX], parsed[CODE_TEXT_MAX];
	for (int i = 0; i < 20; i++) {
		text_copy(slip, sizeof(slip), code.code);
		size_t at = (size_t)i % 14;
		at = slip[at] == '-' ? at + 1 : at;
		slip[at] = slip[at] == 'A' ? 'B' : 'A';
		check_int(code_parse(slip, strlen(slip), parsed), PEOPLE_E_CODE);
		check_int(redeem(house, slip, home->lamp).r, PEOPLE_E_CODE);
	}
	check_ok(redeem(house, code.code, home->lamp).r);
}

static struct answer open_window(struct house *house, uint32_t user, const char *code, uint16_t seconds)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_JOIN_OPEN, .subject = { SUBJECT_USER, user } };
	const struct claims_wish wish = { .adapter = "sim", .seconds = seconds };
	claims_open_window(router_claims(house->app->router), user, code, &wish, &record, on_end, &answer);
	house_settle(house);
	check_uint(answer.n_done, 1);
	return answer;
}

static struct answer confirm(struct house *house, uint32_t user, struct device_id id)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_BIND, .subject = { SUBJECT_USER, user } };
	claims_confirm(router_claims(house->app->router), user, id, &record, on_end, &answer);
	house_settle(house);
	check_uint(answer.n_done, 1);
	return answer;
}

static void a_window_wants_the_users_own_code_and_a_claim_that_user(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer code = issue(house, house->owner);
	check_int(open_window(house, house->other, code.code, 60).r, PEOPLE_E_CODE);
	code = issue(house, house->owner);
	check_ok(open_window(house, house->owner, code.code, 60).r);
	const struct heard *heard = actor_last(&house->adapter, WIRE_JOIN);
	assert_non_null(heard);
	check_near(heard->value, 60, 0);
	struct device_id guest = house_sensor(house, 5, "newcomer");
	check_int(registry_find(house->app->registry, guest)->state, DEVICE_WAITING);
	check_uint(registry_find(house->app->registry, guest)->owner, 0); /* never automatically */
	check_int(registry_find(house->app->registry, home->lamp)->state, DEVICE_WAITING); /* was there before: can be claimed, too */
	check_int(confirm(house, house->other, guest).r, CLAIMS_E_OTHER_USER);
	check_ok(confirm(house, house->owner, guest).r);
	check_int(confirm(house, house->owner, guest).r, CLAIMS_E_NOT_WAITING);
	check_uint(registry_find(house->app->registry, guest)->owner, house->owner);
	house_sleep(house, 61000);
	struct device_id late = house_sensor(house, 6, "latecomer");
	check_int(registry_find(house->app->registry, late)->state, DEVICE_DESCRIBED);
	check_int(confirm(house, house->owner, late).r, CLAIMS_E_NOT_WAITING);
}

static void a_window_takes_eight_and_no_more(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer code = issue(house, house->owner);
	unsigned n = 0;
	check_ok(open_window(house, house->owner, code.code, 600).r);
	for (uint8_t i = 0; i < CLAIMS_PER_WINDOW_MAX + 3; i++) {
		char name[16];
		text_print(name, sizeof(name), "s%u", i);
		struct device_id id = house_sensor(house, (uint8_t)(50 + i), name);
		n += registry_find(house->app->registry, id)->state == DEVICE_WAITING;
	}
	check_uint(n + 1, CLAIMS_PER_WINDOW_MAX); /* the lamp was the first */
	code = issue(house, house->owner);
	check_int(open_window(house, house->owner, code.code, CLAIMS_WINDOW_S_MAX + 1).r, CLAIMS_E_WINDOW);
}

struct pressed {
	unsigned n;
	int r;
	struct device_id device;
};

static void on_pressed(void *ctx, int r, struct device_id device)
{
	struct pressed *pressed = ctx;
	pressed->n++;
	pressed->r = r;
	pressed->device = device;
}

/* So many people at so many adapters at once; one more waits until somebody is done. */
static void so_many_may_press_at_once(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct claims *claims = router_claims(house->app->router);
	struct pressed all[CLAIMS_PRESSES_MAX + 1] = { 0 };
	const struct capability_desc cap = { .id = CAP_CONTACT, .type = VALUE_BOOL, .access = ACCESS_READ | ACCESS_REPORT };
	const struct endpoint_desc endpoint = { .id = 1, .n_caps = 1, .caps = &cap };
	const struct value closed = value_bool(true), opened = value_bool(false);
	struct device_id id;
	for (uint8_t i = 0; i <= CLAIMS_PRESSES_MAX; i++) {
		char adapter[8] = { 'x', (char)('a' + i) };
		const struct device_desc desc = { .addr = { .len = 1, .bytes = { i } }, .vendor = "", .model = "", .firmware = "", .name = "c",
						  .n_endpoints = 1, .endpoints = &endpoint };
		check_ok(registry_describe(house->app->registry, adapter, &desc, 100u + i, &id));
		claims_press(claims, 100u + i, 60, on_pressed, &all[i]);
		check_uint(all[i].n, i == CLAIMS_PRESSES_MAX);
	}
	check_int(all[CLAIMS_PRESSES_MAX].r, CLAIMS_E_PRESSING);
	const struct address first = { .len = 1 };
	check_ok(registry_report(house->app->registry, "xa", &first, 1, CAP_CONTACT, &closed, 0, false, on_stored, NULL));
	check_ok(registry_report(house->app->registry, "xa", &first, 1, CAP_CONTACT, &opened, 0, false, on_stored, NULL));
	check_uint(all[0].n, 1);
	check_ok(all[0].r);
	check_true(device_id_equal(all[0].device, registry_find_way(house->app->registry, "xa", &first)->id));
	claims_press(claims, 100u + CLAIMS_PRESSES_MAX, 60, on_pressed, &all[CLAIMS_PRESSES_MAX]);
	check_uint(all[CLAIMS_PRESSES_MAX].n, 1);
	house_sleep(house, 61000);
	for (uint8_t i = 1; i < CLAIMS_PRESSES_MAX; i++)
		check_true(all[i].n == 1 && all[i].r == CLAIMS_E_NOT_PRESSED);
	check_uint(all[CLAIMS_PRESSES_MAX].n, 2);
	claims_press(claims, 999, 60, on_pressed, &all[0]);
	check_int(all[0].r, CLAIMS_E_NOTHING_WAITS);
}

static void handing_on_and_letting_go(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_TRANSFER, .subject = { SUBJECT_USER, house->owner } };
	struct asker anna = house_user(house, house->owner);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	house_bind(house, home->lamp, house->owner);
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
	claims_transfer(router_claims(house->app->router), home->lamp, house->other, &record, on_end, &answer);
	house_settle(house);
	check_ok(answer.r);
	check_uint(registry_find(house->app->registry, home->lamp)->owner, house->other);
	record.kind = AUDIT_UNBIND;
	claims_unbind(router_claims(house->app->router), home->lamp, &record, on_end, &answer);
	house_settle(house);
	check_ok(answer.r);
	check_int(registry_find(house->app->registry, home->lamp)->state, DEVICE_DESCRIBED);
	check_int(house_command(house, &anna, &on).result, RESULT_UNBOUND);
	claims_unbind(router_claims(house->app->router), home->lamp, &record, on_end, &answer);
	house_settle(house);
	check_int(answer.r, CLAIMS_E_NOT_WAITING);
	check_uint(house_audit(house, AUDIT_TRANSFER, NULL), 1);
	check_uint(house_audit(house, AUDIT_UNBIND, NULL), 1);
}

static void a_retired_identity_is_not_given_again(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_DEVICE_RETIRE };
	house_bind(house, home->lamp, house->owner);
	registry_set_state(house->app->registry, home->lamp, DEVICE_RETIRED, &record, on_end, &answer);
	house_settle(house);
	check_ok(answer.r);
	struct device_id again = house_lamp(house, 1, "lamp");
	check_true(!device_id_equal(again, home->lamp));
	check_uint(registry_find(house->app->registry, again)->owner, 0);
	house_restart(house);
	check_int(registry_find(house->app->registry, home->lamp)->state, DEVICE_RETIRED);
}

static void names_rooms_and_their_limits(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_DEVICE_NAME };
	struct device_id second = house_lamp(house, 2, "lamp"); /* same wish: another name */
	check_text(registry_find(house->app->registry, second)->name, "lamp-2");
	/* What a stranger calls it never is a topic, a wildcard or the broker's own tree. */
	check_text(registry_find(house->app->registry, house_lamp(house, 3, "$SYS/broker/+/#"))->name, "-SYS-broker----");
	check_text(registry_find(house->app->registry, house_lamp(house, 4, "a\tb"))->name, "a-b");
	const char *const bad[] = { "lamp", "a/b", "a+b", "#", "$SYS", "", "01a1b2c3d4e5f60718293a4b" };
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		registry_rename(house->app->registry, second, bad[i], &record, on_end, &answer);
		house_settle(house);
		check_int(answer.r, REGISTRY_E_NAME);
	}
	registry_rename(house->app->registry, second, "Küche", &record, on_end, &answer);
	house_settle(house);
	check_ok(answer.r);
	record.kind = AUDIT_DEVICE_ROOM;
	registry_set_room(house->app->registry, second, "Kitchen", &record, on_end, &answer);
	house_settle(house);
	check_ok(answer.r);
	house_restart(house);
	const struct device *device = registry_find(house->app->registry, second);
	check_text(device->name, "Küche");
	check_text(registry_room(house->app->registry, device->room)->name, "Kitchen");
	check_uint(house_audit(house, AUDIT_DEVICE_NAME, NULL), 1);
	check_uint(house_audit(house, AUDIT_DEVICE_ROOM, NULL), 1);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(a_code_binds_once),
		ROW(a_device_presents_its_code_over_the_wire),
		ROW(of_a_hundred_one_wins),
		ROW(a_code_ends_with_its_time_its_tries_and_the_next_code),
		ROW(a_slip_of_the_finger_costs_no_try),
		ROW(a_window_wants_the_users_own_code_and_a_claim_that_user),
		ROW(a_window_takes_eight_and_no_more),
		ROW(so_many_may_press_at_once),
		ROW(handing_on_and_letting_go),
		ROW(a_retired_identity_is_not_given_again),
		ROW(names_rooms_and_their_limits),
	};
	return CHECK_RUN(rows);
}
