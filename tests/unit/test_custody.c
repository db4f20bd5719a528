/* The verbs on keys: what each does in each state, what stands on record of it, and that a kill at any step leaves a store that
 * opens, with the verb ended or undone at the next start and that on record. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/text.h"
#include "custody_home.h"
#include "sys/host.h"

/* --- states ------------------------------------------------------------------------------------------------------------- */

/* A key of that purpose in that state; 0: the state that no verb leads to here. */
static uint32_t key_in(struct home *h, enum key_purpose purpose, enum key_state state)
{
	uint32_t id = 0;
	if (state == KEY_ACTIVE)
		return vault_active(h->vault, purpose);
	check_ok(order_purpose(h, CUSTODY_CREATE, purpose));
	id = h->answer_id;
	if (state == KEY_PREACTIVE)
		return id;
	if (state == KEY_DESTROYED) {
		check_ok(order_id(h, CUSTODY_DESTROY, id));
		return id;
	}
	if (state == KEY_COMPROMISED) {
		check_ok(order_id(h, CUSTODY_COMPROMISE, id));
		return id;
	}
	uint32_t before = vault_active(h->vault, purpose);
	check_ok(order_id(h, CUSTODY_ACTIVATE, id));
	return before; /* deactivated */
}

static void every_verb_in_every_state(void **state)
{
	static const struct { enum custody_verb verb; enum key_state from; int r; enum key_state to; } steps[] = {
		{ CUSTODY_ACTIVATE, KEY_PREACTIVE, 0, KEY_ACTIVE },
		{ CUSTODY_ACTIVATE, KEY_ACTIVE, VAULT_E_STATE, KEY_ACTIVE },
		{ CUSTODY_ACTIVATE, KEY_DEACTIVATED, VAULT_E_STATE, KEY_DEACTIVATED },
		{ CUSTODY_ACTIVATE, KEY_COMPROMISED, VAULT_E_STATE, KEY_COMPROMISED },
		{ CUSTODY_ACTIVATE, KEY_DESTROYED, VAULT_E_STATE, KEY_DESTROYED },
		{ CUSTODY_DISABLE, KEY_PREACTIVE, VAULT_E_STATE, KEY_PREACTIVE },
		{ CUSTODY_DISABLE, KEY_ACTIVE, VAULT_E_NEEDED, KEY_ACTIVE },
		{ CUSTODY_DISABLE, KEY_DEACTIVATED, VAULT_E_STATE, KEY_DEACTIVATED },
		{ CUSTODY_DISABLE, KEY_COMPROMISED, VAULT_E_STATE, KEY_COMPROMISED },
		{ CUSTODY_DISABLE, KEY_DESTROYED, VAULT_E_STATE, KEY_DESTROYED },
		{ CUSTODY_COMPROMISE, KEY_PREACTIVE, 0, KEY_COMPROMISED },
		{ CUSTODY_COMPROMISE, KEY_ACTIVE, 0, KEY_COMPROMISED },
		{ CUSTODY_COMPROMISE, KEY_DEACTIVATED, 0, KEY_COMPROMISED },
		{ CUSTODY_COMPROMISE, KEY_COMPROMISED, VAULT_E_STATE, KEY_COMPROMISED },
		{ CUSTODY_COMPROMISE, KEY_DESTROYED, VAULT_E_STATE, KEY_DESTROYED },
		{ CUSTODY_DESTROY, KEY_PREACTIVE, 0, KEY_DESTROYED },
		{ CUSTODY_DESTROY, KEY_ACTIVE, VAULT_E_STATE, KEY_ACTIVE },
		{ CUSTODY_DESTROY, KEY_DEACTIVATED, 0, KEY_DESTROYED },
		{ CUSTODY_DESTROY, KEY_COMPROMISED, 0, KEY_DESTROYED },
		{ CUSTODY_DESTROY, KEY_DESTROYED, VAULT_E_STATE, KEY_DESTROYED },
	};
	struct home h;
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
		home_init(&h);
		uint32_t id = key_in(&h, KEY_FILES, steps[i].from);
		int r = order_id(&h, steps[i].verb, id);
		if (r != steps[i].r)
			print_error("verb %d in state %s: %d\n", steps[i].verb, key_state_name(steps[i].from), r);
		check_int(r, steps[i].r);
		check_int(home_state(&h, id), steps[i].to);
		check_true(vault_active(h.vault, KEY_FILES) != 0);
		check_one_active(&h);
		home_deinit(&h);
	}
}

static void a_waiting_key_takes_over(void **state)
{
	struct home h;
	(void)state;
	home_init(&h);
	uint32_t first = vault_active(h.vault, KEY_DB), second = key_in(&h, KEY_DB, KEY_PREACTIVE);
	check_ok(order_id(&h, CUSTODY_DISABLE, first));
	check_uint(vault_active(h.vault, KEY_DB), second);
	check_uint(db_keys_active(ring_pages(h.ring)), second);
	/* Pages carry the first one still: it may not go, and a rotation takes it away. */
	home_fill(&h, 3);
	check_int(order_id(&h, CUSTODY_DESTROY, first), CUSTODY_E_CARRIED);
	check_int(home_state(&h, first), KEY_DEACTIVATED);
	check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
	home_settle_rotations(&h);
	check_int(home_state(&h, first), KEY_DESTROYED);
	check_int(home_state(&h, second), KEY_DESTROYED);
	check_one_key(&h);
	home_deinit(&h);
}

static void what_there_is_not(void **state)
{
	struct home h;
	(void)state;
	home_init(&h);
	check_int(order_id(&h, CUSTODY_ACTIVATE, 999), VAULT_E_UNKNOWN);
	check_int(order_id(&h, CUSTODY_DESTROY, 999), VAULT_E_UNKNOWN);
	check_int(order_id(&h, CUSTODY_COMPROMISE, 999), VAULT_E_UNKNOWN);
	struct audit_seen *seen = home_record(&h, AUDIT_KEY_DESTROY);
	check_uint(seen->n, 2);
	check_text(seen->rows[1].detail, "there is no such key");
	check_int(seen->rows[1].outcome, AUDIT_FAILED);
	free(seen);
	home_deinit(&h);
}

/* --- on record ---------------------------------------------------------------------------------------------------------- */

static void before_and_after(void **state)
{
	static const struct { enum custody_verb verb; uint16_t kind; } verbs[] = {
		{ CUSTODY_CREATE, AUDIT_KEY_CREATE }, { CUSTODY_ACTIVATE, AUDIT_KEY_ACTIVATE },		{ CUSTODY_DISABLE, AUDIT_KEY_DISABLE },
		{ CUSTODY_COMPROMISE, AUDIT_KEY_COMPROMISE }, { CUSTODY_DESTROY, AUDIT_KEY_DESTROY }, { CUSTODY_ROTATE, AUDIT_KEY_ROTATE },
		{ CUSTODY_DISTRIBUTE, AUDIT_KEY_DISTRIBUTE }, { CUSTODY_SOURCE, AUDIT_KEY_SOURCE },
	};
	struct home h;
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(verbs); i++) {
		home_init(&h);
		home_any(&h, verbs[i].verb);
		home_settle_rotations(&h);
		struct audit_seen *seen = home_record(&h, verbs[i].kind);
		check_true(seen->n >= 2);
		check_text(seen->rows[seen->n - 2].detail, "ordered");
		check_text(seen->rows[seen->n - 1].subject_name, "anna");
		check_text(seen->rows[seen->n - 1].action, "test");
		check_int(seen->rows[seen->n - 1].outcome, AUDIT_OK);
		check_true(seen->rows[seen->n - 1].detail[0]);
		check_uint(home_pending(&h), 0);
		free(seen);
		home_deinit(&h);
	}
}

/* The answer comes after the outcome is in gateway.db, not before. */
static void nothing_without_its_record(void **state)
{
	struct home h;
	(void)state;
	home_init(&h);
	/* The outbox refuses: no verb may be carried out. */
	home_sql(&h, "CREATE TRIGGER no_more BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'full'); END");
	uint64_t generation = vault_generation(h.vault);
	check_int(order_purpose(&h, CUSTODY_CREATE, KEY_DB), -EEXIST);
	check_int(order_purpose(&h, CUSTODY_ROTATE, KEY_DB), -EEXIST);
	check_uint(vault_generation(h.vault), generation);
	home_sql(&h, "DROP TRIGGER no_more");
	/* It refuses the outcome alone: it was done, and the asker is not told that all is well; the next start puts it on record. */
	home_sql(&h, "CREATE TRIGGER no_more BEFORE DELETE ON custody BEGIN SELECT raise(ABORT, 'full'); END");
	check_int(order_purpose(&h, CUSTODY_CREATE, KEY_DB), -EEXIST);
	check_true(vault_generation(h.vault) > generation);
	home_sql(&h, "DROP TRIGGER no_more");
	check_uint(home_pending(&h), 1);
	home_restart(&h);
	check_uint(home_pending(&h), 0);
	struct audit_seen *seen = home_record(&h, AUDIT_KEY_CREATE);
	check_text(seen->rows[seen->n - 1].detail, "was cut off when it had been carried out");
	check_int(seen->rows[seen->n - 1].outcome, AUDIT_OK);
	free(seen);
	home_deinit(&h);
}

/* --- rotation ----------------------------------------------------------------------------------------------------------- */

static void rotating_the_pages(void **state)
{
	struct home h;
	struct custody_progress progress;
	(void)state;
	home_init(&h);
	home_fill(&h, 400);
	check_true(home_files(&h) >= 4); /* gateway, spool, and more than one segment */
	uint32_t before = vault_active(h.vault, KEY_DB);
	check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
	uint32_t after = h.answer_id;
	check_uint(vault_active(h.vault, KEY_DB), after);
	check_true(custody_progress_at(h.custody, 0, &progress));
	check_int(progress.purpose, KEY_DB);
	check_uint(progress.id, after);
	check_true(progress.files >= 4 && progress.files_done < progress.files && !progress.trouble);
	/* One at a time; what is not about this purpose goes on. */
	check_int(order_purpose(&h, CUSTODY_ROTATE, KEY_DB), CUSTODY_E_ROTATING);
	check_int(order_id(&h, CUSTODY_DESTROY, before), CUSTODY_E_ROTATING);
	check_ok(order_purpose(&h, CUSTODY_CREATE, KEY_FILES));
	home_settle_rotations(&h);
	check_true(!custody_progress_at(h.custody, 0, &progress));
	check_int(home_state(&h, before), KEY_DESTROYED);
	check_one_key(&h);
	check_content(&h, 400);
	struct audit_seen *seen = home_record(&h, AUDIT_KEY_ROTATE);
	check_true(strstr(seen->rows[seen->n - 1].detail, "written anew") != NULL);
	free(seen);
	home_restart(&h);
	check_content(&h, 400);
	home_deinit(&h);
}

static void rotating_the_others(void **state)
{
	static const struct { enum key_purpose purpose; enum key_state old; } rows[] = {
		{ KEY_AUDIT, KEY_DESTROYED }, { KEY_SIGN, KEY_DEACTIVATED }, { KEY_SIGN_SM2, KEY_DEACTIVATED }, { KEY_FILES, KEY_DEACTIVATED },
		{ KEY_DEVICES, KEY_DEACTIVATED },
	};
	struct home h;
	(void)state;
	home_init(&h);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint32_t before = vault_active(h.vault, rows[i].purpose);
		home_fill(&h, 3);
		check_ok(order_purpose(&h, CUSTODY_ROTATE, rows[i].purpose));
		check_true(vault_active(h.vault, rows[i].purpose) > before);
		check_int(home_state(&h, before), rows[i].old);
	}
	check_uint(ring_seal(h.ring)->file_id, vault_active(h.vault, KEY_AUDIT));
	check_uint(ring_seal(h.ring)->sign_id, vault_active(h.vault, KEY_SIGN));
	check_uint(ring_seal(h.ring)->sign_sm2_id, vault_active(h.vault, KEY_SIGN_SM2));
	struct audit_seen *seen = home_record(&h, AUDIT_KEY_ROTATE);
	bool ed = false, sm2 = false;
	for (size_t i = 0; i < seen->n; i++) {
		ed |= strstr(seen->rows[i].detail, "gw-ed25519-pub:") != NULL;
		sm2 |= strstr(seen->rows[i].detail, "gw-sm2-sign-pub:") != NULL;
	}
	check_true(ed && sm2); /* the public halves are in the log */
	free(seen);
	home_restart(&h);
	check_verified(&h);
	home_deinit(&h);
}

/* A file that does not open keeps the old key, and says why. */
static void a_file_that_cannot_be_written_anew(void **state)
{
	struct home h;
	char junk[8192];
	(void)state;
	home_init(&h);
	memset(junk, 'x', sizeof(junk));
	int fd = open(tmpdir_path(&h.dir, "aaa.db"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, junk, sizeof(junk)) == (ssize_t)sizeof(junk));
	close(fd);
	uint32_t before = vault_active(h.vault, KEY_DB);
	check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
	home_settle_rotations(&h);
	check_int(home_state(&h, before), KEY_DEACTIVATED);
	struct audit_seen *seen = home_record(&h, AUDIT_KEY_ROTATE);
	check_int(seen->rows[seen->n - 1].outcome, AUDIT_FAILED);
	check_true(strstr(seen->rows[seen->n - 1].detail, "aaa.db") != NULL);
	free(seen);
	check_ok(unlink(tmpdir_path(&h.dir, "aaa.db")));
	check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
	home_settle_rotations(&h);
	check_int(home_state(&h, before), KEY_DESTROYED);
	home_deinit(&h);
}

/* What passes by itself is tried again; not for ever. */
static void trouble_that_passes(void **state)
{
	struct rlimit limit, none;
	struct custody_progress progress;
	struct home h;
	(void)state;
	home_init(&h);
	home_fill(&h, 400);
	check_ok(getrlimit(RLIMIT_NOFILE, &limit));
	int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(lowest);
	for (int round = 0; round < 2; round++) {
		uint32_t before = vault_active(h.vault, KEY_DB);
		check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
		none = (struct rlimit){ (rlim_t)lowest, limit.rlim_max };
		check_ok(setrlimit(RLIMIT_NOFILE, &none));
		/* Until it says what troubles it; then, the second time, until it has tried ROTATE_TRIES_MAX times. */
		bool more = true, troubled = false;
		for (int i = 0; i < 100 * ROTATE_TRIES_MAX && more && (round || !troubled); i++) {
			store_drain(h.store);
			check_ok(loop_turn(h.loop, 1));
			more = custody_progress_at(h.custody, 0, &progress);
			troubled = troubled || (more && progress.trouble);
			loop_advance(h.loop, ROTATE_RETRY_MS);
		}
		check_true(troubled);
		check_true(more == !round);
		check_ok(setrlimit(RLIMIT_NOFILE, &limit));
		home_settle_rotations(&h);
		check_int(home_state(&h, before), round ? KEY_DEACTIVATED : KEY_DESTROYED);
	}
	home_deinit(&h);
}

static void too_many_files(void **state)
{
	struct home h;
	char name[32];
	(void)state;
	home_init(&h);
	for (int i = 0; i < ROTATE_FILES_MAX + 1; i++) {
		snprintf(name, sizeof(name), "%d.db", i);
		int fd = open(tmpdir_path(&h.dir, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	check_int(order_purpose(&h, CUSTODY_ROTATE, KEY_DB), -E2BIG);
	home_deinit(&h);
}

/* --- the others --------------------------------------------------------------------------------------------------------- */

static void a_copy_for_somebody_else(void **state)
{
	static const enum box_kind kinds[] = { BOX_X25519, BOX_SM2 };
	struct home h;
	const uint8_t *key;
	(void)state;
	home_init(&h);
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		struct box_public to;
		struct secret *secret;
		uint8_t sealed[BOX_SEALED_MAX], letter[BOX_TEXT_MAX];
		size_t len, n;
		check_ok(box_pair_new(kinds[i], &to, &secret));
		uint32_t id = vault_active(h.vault, KEY_DEVICES);
		check_ok(home_do(&h, &(struct custody_order){ .verb = CUSTODY_DISTRIBUTE, .id = id, .to = &to }));
		check_true(strlen(h.answer_text) < CUSTODY_TEXT_MAX);
		check_int(strncmp(h.answer_text, "gw-sealed-key:", 14), 0);
		check_ok(base64url_parse(h.answer_text + 14, strlen(h.answer_text + 14), sealed, sizeof(sealed), &len));
		check_ok(box_open(kinds[i], secret, sealed, len, letter, &n));
		check_uint(n, 60);
		check_bytes(letter, 6, "GWKEY1", 6);
		check_int(letter[6], KEY_DEVICES);
		check_ok(vault_key(h.vault, id, &key));
		check_bytes(letter + 28, 32, key, 32);
		check_bytes(letter + 12, 16, vault_gateway_id(h.vault), 16);
		static const enum key_purpose kept[] = { KEY_DB, KEY_AUDIT, KEY_SIGN, KEY_SIGN_SM2 };
		for (size_t k = 0; k < N_ELEMENTS(kept); k++)
			check_int(home_do(&h, &(struct custody_order){ .verb = CUSTODY_DISTRIBUTE, .id = vault_active(h.vault, kept[k]), .to = &to }),
				  CUSTODY_E_KEPT);
		secret_free(secret);
	}
	home_deinit(&h);
}

static void in_sm_only_to_sm(void **state)
{
	struct home h = { .suite = SEAL_SM4 };
	struct box_public to;
	struct secret *secret;
	(void)state;
	home_init_as(&h);
	check_ok(box_pair_new(BOX_X25519, &to, &secret));
	check_int(home_do(&h, &(struct custody_order){ .verb = CUSTODY_DISTRIBUTE, .id = vault_active(h.vault, KEY_FILES), .to = &to }), CUSTODY_E_SUITE);
	secret_free(secret);
	check_true(ring_seal(h.ring)->sign == NULL && ring_seal(h.ring)->sign_sm2 != NULL);
	check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
	home_settle_rotations(&h);
	check_one_key(&h);
	home_deinit(&h);
}

static void another_source(void **state)
{
	struct home h;
	struct secret *passphrase;
	(void)state;
	home_init(&h);
	check_int(home_do(&h, &(struct custody_order){ .verb = CUSTODY_SOURCE, .source = KEY_SOURCE_CREDENTIAL }), -ENOENT);
	check_int(home_do(&h, &(struct custody_order){ .verb = CUSTODY_SOURCE, .source = KEY_SOURCE_PASSPHRASE }), VAULT_E_LOCKED);
	check_ok(secret_new("correct horse battery", 21, &passphrase));
	check_ok(home_do(&h, &(struct custody_order){ .verb = CUSTODY_SOURCE, .source = KEY_SOURCE_PASSPHRASE, .passphrase = passphrase }));
	h.passphrase = passphrase;
	h.source = KEY_SOURCE_PASSPHRASE;
	home_restart(&h);
	check_ok(home_do(&h, &(struct custody_order){ .verb = CUSTODY_SOURCE, .source = KEY_SOURCE_FILE }));
	h.source = KEY_SOURCE_FILE;
	home_restart(&h);
	home_deinit(&h);
	secret_free(passphrase);
}

static void uses_are_counted(void **state)
{
	struct home h;
	struct vault_key_info info = { 0 };
	(void)state;
	home_init(&h);
	home_fill(&h, 50);
	custody_count_checkpoint(h.custody);
	custody_count_now(h.custody);
	home_settle(&h);
	check_true(home_info(&h, vault_active(h.vault, KEY_DB), &info));
	check_true(info.uses >= 10 && info.uses <= db_keys_stats(ring_pages(h.ring)).sealed);
	check_true(home_info(&h, vault_active(h.vault, KEY_SIGN), &info) && info.uses >= 1);
	check_true(h.told > 0 && h.told_worn == 0);
	/* A key too old says so each minute, until it is rotated. */
	home_age(&h, 400 * 86400);
	custody_count_now(h.custody);
	home_settle(&h);
	check_true(h.told_worn > 0);
	home_deinit(&h);
}

static void only_so_many_at_once(void **state)
{
	struct home h;
	struct audit_record record = { .subject_name = "anna" };
	const struct custody_order order = { .verb = CUSTODY_CREATE, .purpose = KEY_FILES };
	(void)state;
	home_init(&h);
	for (int i = 0; i < CUSTODY_VERBS_MAX + 1; i++)
		custody_do(h.custody, &order, &record, home_on_done, &h);
	check_int(h.r, CUSTODY_E_BUSY);
	check_uint(h.n_done, 1);
	for (int i = 0; i < 20 && h.n_done < CUSTODY_VERBS_MAX + 1; i++)
		home_settle(&h);
	check_uint(h.n_done, CUSTODY_VERBS_MAX + 1);
	home_deinit(&h);
}

/* The ring of page keys is full before the keystore is. */
static void no_room_for_more(void **state)
{
	struct home h;
	int r = 0;
	(void)state;
	home_init(&h);
	for (int i = 0; r == 0 && i < DB_KEYS_MAX + 1; i++) {
		check_ok(order_purpose(&h, CUSTODY_CREATE, KEY_DB));
		r = order_id(&h, CUSTODY_ACTIVATE, h.answer_id);
	}
	check_int(r, CUSTODY_E_FULL);
	check_int(order_purpose(&h, CUSTODY_ROTATE, KEY_DB), CUSTODY_E_FULL);
	for (r = 0; r == 0;)
		r = order_purpose(&h, CUSTODY_CREATE, KEY_FILES);
	check_int(r, CUSTODY_E_FULL);
	check_one_active(&h);
	home_deinit(&h);
}

/* A stop in the middle, at whatever turn: what waits is told so, the row stays, the next start goes on. */
static void stopped_in_the_middle(void **state)
{
	const struct audit_record record = { .subject_name = "anna" };
	const struct custody_order order = { .verb = CUSTODY_ROTATE, .purpose = KEY_DB }, other = { .verb = CUSTODY_CREATE, .purpose = KEY_FILES };
	struct home h;
	(void)state;
	for (int turns = 0; turns < 24; turns++) {
		home_init(&h);
		home_fill(&h, 120);
		uint32_t before = vault_active(h.vault, KEY_DB);
		custody_do(h.custody, &order, &record, home_on_done, &h);
		custody_do(h.custody, &other, &record, home_on_done, &h);
		for (int i = 0; i < turns; i++) {
			if (i % 2)
				store_drain(h.store);
			check_ok(loop_turn(h.loop, i % 3));
		}
		home_close_now(&h);
		check_uint(h.n_done, 2);
		home_open(&h);
		home_settle_rotations(&h);
		check_uint(home_pending(&h), 0);
		check_one_active(&h);
		check_one_key(&h);
		check_content(&h, 120);
		check_true(home_state(&h, before) == KEY_DESTROYED || home_state(&h, before) == KEY_ACTIVE);
		home_deinit(&h);
	}
}

/* --- killed ------------------------------------------------------------------------------------------------------------- */

static void in_child(struct home *h, const struct home_case *c, int at)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		h->steps_left = at;
		home_open(h);
		home_case_run(h, c);
		home_settle_rotations(h);
		_exit(0);
	}
	int status;
	assert_true(waitpid(pid, &status, 0) == pid);
	h->was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!h->was_killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		print_error("%s at step %d: the child ended with %#x\n", c->name, at, (unsigned)status);
	check_true(h->was_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

static void killed_at_every_step(void **state)
{
	const struct home_case *c;
	unsigned kills = 0;
	(void)state;
	for (size_t i = 0; (c = home_case_at(i)); i++) {
		for (int at = 1;; at++) {
			struct home h = { 0 };
			home_init_as(&h);
			home_fill(&h, 40);
			home_case_prepare(&h, c);
			home_close(&h);
			in_child(&h, c, at);
			bool more = h.was_killed;
			kills += more;
			h.steps_left = 0;
			home_open(&h);
			home_settle_rotations(&h);
			check_uint(home_pending(&h), 0);
			check_one_active(&h);
			check_content(&h, 40);
			check_verified(&h);
			home_case_check(&h, c);
			/* And it goes on as if nothing had been. */
			check_ok(order_purpose(&h, CUSTODY_ROTATE, KEY_DB));
			home_settle_rotations(&h);
			check_one_key(&h);
			home_deinit(&h);
			secret_free((struct secret *)(uintptr_t)h.passphrase);
			if (!more)
				break;
		}
	}
	print_message("%u kills\n", kills);
	check_true(kills > 60);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(every_verb_in_every_state),
		cmocka_unit_test(a_waiting_key_takes_over),
		cmocka_unit_test(what_there_is_not),
		cmocka_unit_test(before_and_after),
		cmocka_unit_test(nothing_without_its_record),
		cmocka_unit_test(rotating_the_pages),
		cmocka_unit_test(rotating_the_others),
		cmocka_unit_test(a_file_that_cannot_be_written_anew),
		cmocka_unit_test(trouble_that_passes),
		cmocka_unit_test(too_many_files),
		cmocka_unit_test(a_copy_for_somebody_else),
		cmocka_unit_test(in_sm_only_to_sm),
		cmocka_unit_test(another_source),
		cmocka_unit_test(uses_are_counted),
		cmocka_unit_test(only_so_many_at_once),
		cmocka_unit_test(no_room_for_more),
		cmocka_unit_test(stopped_in_the_middle),
		cmocka_unit_test(killed_at_every_step),
	};
	return CHECK_RUN(rows);
}
