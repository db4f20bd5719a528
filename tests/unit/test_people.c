/* People's pure parts and their life in memory: passwords, throttles, codes; users, logins, sessions on a real store. */
#include "check.h"

#include "people/internal.h"
#include "tmpdir.h"

static void passwords_long_mixed_and_not_the_first_to_be_tried(void **state)
{
	const struct { const char *password; int want; } rows[] = {
		{ "short1!", PEOPLE_E_WEAK },	    { "onlylower", PEOPLE_E_WEAK },	  { "Mixed7ab", 0 },
		{ "long enough words", 0 },	    { "password1234", PEOPLE_E_WEAK },	  { "xx password and much more", 0 },
		{ "aaaaaaaaaaaaaaa", PEOPLE_E_WEAK }, { "abcdefghijklmnop", PEOPLE_E_WEAK }, { "1234567890", PEOPLE_E_WEAK },
		{ "annaannaanna", PEOPLE_E_WEAK },  { "Größe Äpfel 7", 0 },		  { "\xff\xfe invalid utf-8 here", PEOPLE_E_WEAK },
	};
	char longest[PASSWORD_LEN_MAX + 2];
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (password_check("anna", rows[i].password) != rows[i].want)
			print_error("%s\n", rows[i].password);
		check_int(password_check("anna", rows[i].password), rows[i].want);
	}
	for (size_t i = 0; i <= PASSWORD_LEN_MAX; i++)
		longest[i] = "gq7 Zpx!w"[i % 9];
	longest[PASSWORD_LEN_MAX] = 0;
	check_ok(password_check("anna", longest));
	longest[PASSWORD_LEN_MAX] = 'x';
	longest[PASSWORD_LEN_MAX + 1] = 0;
	check_int(password_check("anna", longest), PEOPLE_E_WEAK);
	check_true(PASSWORD_LEN_MIN == 10);
}

static void a_throttle_locks_forgets_and_doubles(void **state)
{
	const struct throttle_options options = { 5, 900, 900 };
	struct throttle *throttle;
	struct throttle_row row;
	char key[THROTTLE_KEY_MAX + 1];
	(void)state;
	check_ok(throttle_new(&options, &throttle));
	for (int i = 0; i < 4; i++)
		check_true(!throttle_fail(throttle, "n:anna", 1, 1000 + i));
	check_true(!throttle_is_locked(throttle, "n:anna", 2000));
	check_true(throttle_fail(throttle, "n:anna", 1, 2000));
	check_true(throttle_is_locked(throttle, "n:anna", 2000 + 899999));
	check_true(!throttle_is_locked(throttle, "n:anna", 2000 + 900000));
	check_true(!throttle_is_locked(throttle, "n:ben", 2000));
	for (int i = 0; i < 5; i++)
		throttle_fail(throttle, "n:anna", 1, 1000000);
	check_true(throttle_is_locked(throttle, "n:anna", 1000000 + 1799999)); /* twice as long */
	check_true(throttle_get(throttle, "n:anna", 1000000, &row));
	check_uint(row.locks, 2);
	throttle_ok(throttle, "n:anna");
	check_true(!throttle_is_locked(throttle, "n:anna", 1000001));
	throttle_restore(throttle, &(struct throttle_row){ .key = "n:cleo", .locks = 1, .lock_left_ms = 5000 }, 0);
	check_true(throttle_is_locked(throttle, "n:cleo", 4999) && !throttle_is_locked(throttle, "n:cleo", 5000));
	for (int i = 0; i < 4; i++) /* slow ones never lock */
		check_true(!throttle_fail(throttle, "n:slow", 1, i * INT64_C(1000000)));
	/* Full of locks: a stranger is locked, too, instead of pushing a lock out. */
	for (unsigned i = 0; i < THROTTLE_MAX + 10; i++) {
		snprintf(key, sizeof(key), "s:%u", i);
		for (int k = 0; k < 5; k++)
			throttle_fail(throttle, key, 1, 9000000);
	}
	check_true(throttle_is_locked(throttle, "s:0", 9000001));
	check_true(throttle_is_locked(throttle, "somebody new", 9000001));
	throttle_free(throttle);
}

/* Strangers by the hundreds pass through the table; who is forgiven in between is forgiven wholly, every time. */
static void a_full_throttle_keeps_no_ghosts(void **state)
{
	const struct throttle_options options = { 5, 900, 900 };
	struct throttle *throttle;
	char key[THROTTLE_KEY_MAX + 1];
	int64_t now = 1000;
	(void)state;
	check_ok(throttle_new(&options, &throttle));
	for (unsigned i = 0; i < 4 * THROTTLE_MAX; i++) {
		snprintf(key, sizeof(key), "n:u%u", i);
		check_true(!throttle_fail(throttle, key, 1, now++));
		check_true(!throttle_fail(throttle, "n:anna", 1, now++));
		if (i % 4 == 3)
			throttle_ok(throttle, "n:anna");
		check_true(!throttle_is_locked(throttle, "n:anna", now));
	}
	throttle_free(throttle);
}

static void codes_read_as_crockford_meant_it(void **state)
{
	char code[CODE_TEXT_MAX], other[CODE_TEXT_MAX];
	const char *good = "0000-0000-0000";
	(void)state;
	check_ok(code_parse(good, strlen(good), code));
	check_text(code, "0000-0000-0000");
	check_ok(code_parse("OoOo 0000 0000", 14, code));
	check_text(code, "0000-0000-0000");
	check_int(code_parse("0000-0000-000", 13, code), PEOPLE_E_CODE);
	check_int(code_parse("0000-0000-00000", 15, code), PEOPLE_E_CODE);
	check_int(code_parse("0000-0000-000U", 14, code), PEOPLE_E_CODE); /* U is in no alphabet */
	check_int(code_parse("", 0, code), PEOPLE_E_CODE);
	/* Every single wrong symbol and every swap of neighbours is caught. */
	const char symbols[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char base[13] = "4X7QJ20ZK9M?", text[13];
	int n_good = 0;
	for (int c = 0; c < 32; c++) {
		base[11] = symbols[c];
		if (code_parse(base, 12, code) == 0) {
			n_good++;
			memcpy(text, base, 13);
		}
	}
	check_int(n_good, 1);
	for (int i = 0; i < 12; i++) {
		for (int c = 0; c < 32; c++) {
			char wrong[13];
			memcpy(wrong, text, 13);
			wrong[i] = symbols[c];
			check_int(code_parse(wrong, 12, other) == 0, wrong[i] == text[i]);
		}
		if (i == 11 || text[i] == text[i + 1])
			continue;
		char swapped[13];
		memcpy(swapped, text, 13);
		swapped[i] = text[i + 1];
		swapped[i + 1] = text[i];
		check_int(code_parse(swapped, 12, other), PEOPLE_E_CODE);
	}
}

/* A real store below, a virtual loop around. */
struct home {
	struct tmpdir dir;
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	struct people *people;
	unsigned db, n_ended;
	char schema[8192];
	struct db_migration migration;
};

static int put_owner(struct db *db, struct device_id id, uint32_t owner)
{
	(void)db;
	(void)id;
	(void)owner;
	return 0;
}

static void on_ended(void *ctx, const struct session *session, const char *why)
{
	struct home *home = ctx;
	check_true(session->number != 0 && why != NULL);
	home->n_ended++;
}

static void home_start(struct home *home)
{
	const struct people_options options = { .cost = { 19456, 2 }, .session_idle_s = 900, .session_absolute_s = 43200, .sessions_per_user = 3,
						.sessions_max = 5, .lock_tries = 5, .lock_window_s = 900, .lock_s = 900, .code_life_s = 600, .code_tries = 5 };
	static const uint8_t boot_id[16] = { 1 };
	struct audit_options audit = { .folder = home->dir.path, .hash = CRYPTO_SHA256, .boot_id = boot_id, .segment_bytes_max = 1 << 24 };
	const struct db_options db = { .sync = DB_SYNC_EXTRA, .migrations = &home->migration, .n_migrations = 1 };
	check_ok(store_new(home->loop, &home->store));
	check_ok(store_add(home->store, "gateway", tmpdir_path(&home->dir, "gateway.db"), &db, &home->db));
	check_ok(audit_new(home->loop, home->store, &audit, &home->audit));
	check_ok(audit_attach_outbox(home->audit, home->db));
	check_ok(people_new(home->loop, home->store, home->db, home->audit, &options, &home->people));
	check_ok(people_load(home->people));
	people_set_put_owner(home->people, put_owner);
	people_on_session_end(home->people, on_ended, home);
	check_ok(store_start(home->store));
	check_ok(people_start(home->people));
}

static void home_stop(struct home *home)
{
	store_drain(home->store);
	people_close(home->people);
	audit_close(home->audit);
	store_close(home->store);
}

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	tmpdir_init(&home->dir);
	check_ok(crypto_init());
	snprintf(home->schema, sizeof(home->schema), "%s%s", people_schema_1, audit_outbox_schema);
	home->migration = (struct db_migration){ 1, home->schema };
	check_ok(loop_new_virtual(1000000, INT64_C(1795420800) * 1000000, &home->loop));
	home_start(home);
	*state = home;
	return 0;
}

static int teardown(void **state)
{
	struct home *home = *state;
	home_stop(home);
	loop_free(home->loop);
	tmpdir_deinit(&home->dir);
	free(home);
	return 0;
}

struct answer {
	bool done;
	int r;
	uint64_t session;
	char token[TOKEN_TEXT_MAX];
};

static void on_done(void *ctx, int r)
{
	struct answer *answer = ctx;
	answer->done = true;
	answer->r = r;
}

static void on_login(void *ctx, int r, const struct session *session, const char *token)
{
	struct answer *answer = ctx;
	on_done(ctx, r);
	answer->session = session ? session->number : 0;
	snprintf(answer->token, sizeof(answer->token), "%s", token ? token : "");
}

static void wait_for(struct home *home, const struct answer *answer)
{
	for (int i = 0; i < 4000 && !answer->done; i++)
		check_ok(loop_turn(home->loop, 5));
	check_true(answer->done);
}

static int add(struct home *home, const char *name, enum role role, const char *password)
{
	struct answer answer = { 0 };
	struct audit_record record = { .kind = AUDIT_USER_ADD };
	user_add(home->people, name, role, password, &record, on_done, &answer);
	wait_for(home, &answer);
	return answer.r;
}

static struct answer login(struct home *home, const char *name, const char *password, const char *client, const char *old)
{
	struct answer answer = { 0 };
	people_login(home->people, name, password, SOURCE_DOOR, client, old, on_login, &answer);
	wait_for(home, &answer);
	return answer;
}

static const char good[] = "correct horse battery";

static void a_session_is_its_clients_and_ends_with_its_time(void **state)
{
	struct home *home = *state;
	const struct session *session;
	check_ok(add(home, "anna", ROLE_OWNER, good));
	struct answer first = login(home, "anna", good, "uid:1000", NULL);
	check_ok(first.r);
	check_ok(session_check(home->people, first.token, SOURCE_DOOR, "uid:1000", &session));
	check_int(session_check(home->people, "gws1_nonsense", SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	check_int(session_check(home->people, "", SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	/* The right token from the wrong place ends it for everybody. */
	check_int(session_check(home->people, first.token, SOURCE_DOOR, "uid:1001", &session), PEOPLE_E_SESSION);
	check_int(session_check(home->people, first.token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	check_uint(home->n_ended, 1);
	struct answer other_door = login(home, "anna", good, "uid:1000", NULL);
	check_int(session_check(home->people, other_door.token, SOURCE_API, "uid:1000", &session), PEOPLE_E_SESSION);
	/* Idle: each use puts it off; the absolute end comes all the same. */
	struct answer second = login(home, "anna", good, "uid:1000", NULL);
	for (int i = 0; i < 48; i++) {
		loop_advance(home->loop, 899000);
		check_int(session_check(home->people, second.token, SOURCE_DOOR, "uid:1000", &session), i < 48 ? 0 : PEOPLE_E_SESSION);
	}
	loop_advance(home->loop, 50000);
	check_int(session_check(home->people, second.token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	struct answer third = login(home, "anna", good, "uid:1000", NULL);
	loop_advance(home->loop, 900000);
	check_int(session_check(home->people, third.token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
}

static void login_replaces_and_rooms_are_limited(void **state)
{
	struct home *home = *state;
	const struct session *session;
	struct answer answers[4];
	check_ok(add(home, "anna", ROLE_OWNER, good));
	struct answer first = login(home, "anna", good, "uid:1000", NULL);
	struct answer next = login(home, "anna", good, "uid:1000", first.token);
	check_int(session_check(home->people, first.token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	session_end(home->people, next.session, "logout");
	check_int(session_check(home->people, next.token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	for (int i = 0; i < 4; i++) {
		answers[i] = login(home, "anna", good, "uid:1000", NULL);
		loop_advance(home->loop, 1000);
	}
	check_int(session_check(home->people, answers[0].token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	for (int i = 1; i < 4; i++)
		check_ok(session_check(home->people, answers[i].token, SOURCE_DOOR, "uid:1000", &session));
	check_true(PEOPLE_SESSIONS_MAX >= 64);
	struct answer done = { 0 };
	struct audit_record record = { .kind = AUDIT_PASSWORD };
	user_set_password(home->people, user_find_name(home->people, "anna")->id, "another good one", &record, on_done, &done);
	wait_for(home, &done);
	check_ok(done.r);
	for (int i = 1; i < 4; i++)
		check_int(session_check(home->people, answers[i].token, SOURCE_DOOR, "uid:1000", &session), PEOPLE_E_SESSION);
	check_int(login(home, "anna", good, "uid:1000", NULL).r, PEOPLE_E_CREDENTIALS);
	check_ok(login(home, "anna", "another good one", "uid:1000", NULL).r);
}

static void wrong_unknown_locked_and_disabled_look_alike_and_locks_outlive_a_restart(void **state)
{
	struct home *home = *state;
	struct answer done = { 0 };
	struct audit_record record = { .kind = AUDIT_USER_CHANGE };
	check_ok(add(home, "anna", ROLE_OWNER, good));
	check_ok(add(home, "ben", ROLE_MEMBER, good));
	check_int(login(home, "nobody", good, "uid:1", NULL).r, PEOPLE_E_CREDENTIALS);
	user_set_disabled(home->people, user_find_name(home->people, "ben")->id, true, &record, on_done, &done);
	wait_for(home, &done);
	check_int(login(home, "ben", good, "uid:2", NULL).r, PEOPLE_E_CREDENTIALS);
	for (int i = 0; i < 5; i++)
		check_int(login(home, "anna", "wrong wrong wrong", "uid:3", NULL).r, PEOPLE_E_CREDENTIALS);
	check_int(login(home, "anna", good, "uid:4", NULL).r, PEOPLE_E_CREDENTIALS);
	home_stop(home);
	home_start(home);
	check_int(login(home, "anna", good, "uid:4", NULL).r, PEOPLE_E_CREDENTIALS);
	check_true(people_unlock(home->people, "anna"));
	check_ok(login(home, "anna", good, "uid:4", NULL).r);
	/* One source that tries many names is stopped, too. */
	for (int i = 0; i < 10; i++) {
		char name[16];
		snprintf(name, sizeof(name), "u%d", i);
		check_int(login(home, name, good, "uid:9", NULL).r, PEOPLE_E_CREDENTIALS);
	}
	check_int(login(home, "anna", good, "uid:9", NULL).r, PEOPLE_E_CREDENTIALS);
	check_ok(login(home, "anna", good, "uid:4", NULL).r);
}

static void the_last_owner_stays_and_numbers_are_not_given_again(void **state)
{
	struct home *home = *state;
	struct answer done = { 0 };
	struct audit_record record = { .kind = AUDIT_USER_CHANGE };
	check_true(!people_has_owner(home->people));
	check_ok(add(home, "anna", ROLE_OWNER, good));
	check_true(people_has_owner(home->people));
	check_int(add(home, "anna", ROLE_MEMBER, good), PEOPLE_E_EXISTS);
	check_int(add(home, "weak", ROLE_MEMBER, "weak"), PEOPLE_E_WEAK);
	uint32_t anna = user_find_name(home->people, "anna")->id;
	user_set_role(home->people, anna, ROLE_GUEST, &record, on_done, &done);
	check_int(done.r, PEOPLE_E_LAST_OWNER);
	user_set_disabled(home->people, anna, true, &record, on_done, &done);
	check_int(done.r, PEOPLE_E_LAST_OWNER);
	user_remove(home->people, anna, &record, on_done, &done);
	check_int(done.r, PEOPLE_E_LAST_OWNER);
	check_ok(add(home, "ben", ROLE_MEMBER, good));
	uint32_t ben = user_find_name(home->people, "ben")->id;
	done.done = false;
	user_remove(home->people, ben, &record, on_done, &done);
	wait_for(home, &done);
	check_ok(done.r);
	home_stop(home);
	home_start(home);
	check_ok(add(home, "cleo", ROLE_MEMBER, good));
	check_true(user_find_name(home->people, "cleo")->id > ben);
}

static void a_queue_of_logins_is_short(void **state)
{
	struct home *home = *state;
	struct answer answers[HASHER_QUEUE_MAX + 4] = { 0 };
	unsigned busy = 0;
	check_ok(add(home, "anna", ROLE_OWNER, good));
	for (size_t i = 0; i < N_ELEMENTS(answers); i++)
		people_login(home->people, "anna", good, SOURCE_DOOR, "uid:1", NULL, on_login, &answers[i]);
	for (size_t i = 0; i < N_ELEMENTS(answers); i++) {
		wait_for(home, &answers[i]);
		busy += answers[i].r == PEOPLE_E_BUSY;
	}
	check_true(busy >= 3 && busy <= 5);
}

static void there_is_room_for_so_many_users(void **state)
{
	struct home *home = *state;
	/* By memory alone: a hash each would take minutes. */
	home->people->n_users = PEOPLE_USERS_MAX;
	check_int(add(home, "one more", ROLE_GUEST, good), PEOPLE_E_FULL);
	home->people->n_users = 0;
	check_true(PEOPLE_CODES_MAX > 0 && USER_NAME_MAX == 64 && CODE_TEXT_MAX == 16 && TOKEN_TEXT_MAX == 64);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(passwords_long_mixed_and_not_the_first_to_be_tried),
		cmocka_unit_test(a_throttle_locks_forgets_and_doubles), cmocka_unit_test(a_full_throttle_keeps_no_ghosts),
		cmocka_unit_test(codes_read_as_crockford_meant_it),
		ROW(a_session_is_its_clients_and_ends_with_its_time),
		ROW(login_replaces_and_rooms_are_limited),
		ROW(wrong_unknown_locked_and_disabled_look_alike_and_locks_outlive_a_restart),
		ROW(the_last_owner_stays_and_numbers_are_not_given_again),
		ROW(a_queue_of_logins_is_short),
		ROW(there_is_room_for_so_many_users),
	};
	return CHECK_RUN(rows);
}
