/* The rulebook: a change is all or nothing, is recorded with what it changed, survives a restart; numbers are not reused. */
#include "audit_home.h"

#include "policy/rulebook.h"

struct book_home {
	struct tmpdir dir;
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	struct rulebook *book;
	unsigned db;
	uint8_t boot_id[16];
	/* of the last answer: */
	unsigned n_answers;
	int r;
	int32_t id;
	char error[256];
};

static void on_answer(void *ctx, int r, int32_t id, const char *error)
{
	struct book_home *home = ctx;

	home->n_answers++;
	home->r = r;
	home->id = id;
	snprintf(home->error, sizeof(home->error), "%s", error ? error : "");
}

static void home_open(struct book_home *home, int want_load)
{
	char *sql = NULL;
	struct db_migration migration = { 1, NULL };
	struct db_options options = { .sync = DB_SYNC_EXTRA, .migrations = &migration, .n_migrations = 1 };
	struct audit_options audit = { home->dir.path, CRYPTO_SHA256, home->boot_id, 1 << 24, NULL };

	check_true(asprintf(&sql, "%s%s", audit_outbox_schema, rulebook_schema_1) > 0);
	migration.sql = sql;
	check_ok(loop_new_virtual(1000, WALL_US, &home->loop));
	check_ok(store_new(home->loop, &home->store));
	check_ok(store_add(home->store, "gateway", tmpdir_path(&home->dir, "gateway.db"), &options, &home->db));
	free(sql);
	check_ok(audit_new(home->loop, home->store, &audit, &home->audit));
	check_ok(audit_attach_outbox(home->audit, home->db));
	check_ok(rulebook_new(home->loop, home->store, home->db, home->audit, &home->book));
	check_int(rulebook_load(home->book), want_load);
	check_ok(store_start(home->store));
}

static void home_init(struct book_home *home)
{
	memset(home, 0, sizeof(*home));
	tmpdir_init(&home->dir);
	check_ok(crypto_init());
	home_open(home, 0);
}

static void home_close(struct book_home *home)
{
	home->book = rulebook_close(home->book);
	home->audit = audit_close(home->audit);
	home->store = store_close(home->store);
	for (int i = 0; i < 3; i++)
		check_ok(loop_turn(home->loop, 0));
	home->loop = loop_free(home->loop);
}

static void home_deinit(struct book_home *home)
{
	home_close(home);
	tmpdir_deinit(&home->dir);
}

/* Compiling is on a pool thread: turn until the answer is there. */
static void wait_for(struct book_home *home, unsigned n_answers)
{
	for (int i = 0; i < 2000 && home->n_answers < n_answers; i++)
		check_ok(loop_turn(home->loop, 5));
	check_uint(home->n_answers, n_answers);
}

static struct policy_rule rule_for(uint32_t user)
{
	return (struct policy_rule){ .effect = POLICY_ALLOW, .who = WHO_USER, .who_id = user, .what = WHAT_DEVICE, .device = { { 1, 2, 3 } },
				     .risk_max = RISK_HIGH, .actions = 1 << ACTION_READ, .loops = 1 << LOOP_BIG, .sources = 1 << SOURCE_API,
				     .n_windows = 2, .windows = { { 0x7f, 0, 1440 }, { 1, 1320, 360 } }, .note = "für Anna" };
}

static struct policy_question question_for(uint32_t user)
{
	return (struct policy_question){ .subject = { SUBJECT_USER, user }, .role = ROLE_GUEST, .action = ACTION_READ, .device = { { 1, 2, 3 } },
					 .bound = true, .owner_user = 99, .data_class = CLASS_PERSONAL, .loop = LOOP_BIG, .source = SOURCE_API,
					 .time_trusted = true };
}

static void add(struct book_home *home, const struct policy_rule *rule)
{
	struct audit_record record = { .kind = AUDIT_RULE_ADD, .subject = { SUBJECT_USER, 1 }, .subject_name = "anna", .action = "rule.add" };
	unsigned n = home->n_answers;

	rulebook_add(home->book, rule, &record, on_answer, home);
	wait_for(home, n + 1);
}

static void take_away(struct book_home *home, int32_t id)
{
	struct audit_record record = { .kind = AUDIT_RULE_REMOVE, .subject = { SUBJECT_USER, 1 }, .action = "rule.remove" };
	unsigned n = home->n_answers;

	rulebook_remove(home->book, id, &record, on_answer, home);
	wait_for(home, n + 1);
}

static bool is_allowed(const struct book_home *home, uint32_t user)
{
	struct policy_question q = question_for(user);

	return policy_check(rulebook_snapshot(home->book), &q).allowed;
}

static void a_rule_is_asked_recorded_and_kept(void **state)
{
	struct audit_seen *seen = calloc(1, sizeof(*seen));
	struct book_home home;
	struct policy_rule rule = rule_for(7);

	(void)state;
	home_init(&home);
	check_true(!is_allowed(&home, 7));
	add(&home, &rule);
	check_int(home.r, 0);
	check_int(home.id, 1);
	check_true(is_allowed(&home, 7) && !is_allowed(&home, 8));
	check_uint(rulebook_count(home.book), 1);
	home_close(&home);
	home_open(&home, 0);
	check_true(is_allowed(&home, 7));
	const struct policy_rule *kept = rulebook_at(home.book, 0);

	rule.id = 1;
	check_bytes(kept->windows, sizeof(kept->windows), rule.windows, sizeof(rule.windows));
	check_text(kept->note, "für Anna");
	check_true(kept->who_id == 7 && kept->actions == rule.actions && kept->n_windows == 2 && !rulebook_at(home.book, 1));
	check_ok(audit_read(home.audit, 0, 10, false, audit_home_on_rows, seen));
	for (int i = 0; i < 4; i++) {
		store_drain(home.store);
		check_ok(loop_turn(home.loop, 0));
	}
	check_ok(seen->r);
	check_uint(seen->n, 2);
	check_int(seen->rows[1].kind, AUDIT_RULE_ADD);
	check_text(seen->rows[1].object, "policy rule 1");
	check_true(strstr(seen->rows[1].detail, "allow user 7 on device 010203") != NULL);
	home_deinit(&home);
	free(seen);
}

static void a_set_that_does_not_compile_changes_nothing(void **state)
{
	struct book_home home;
	struct policy_rule rule = rule_for(7);

	(void)state;
	home_init(&home);
	for (int i = 0; i < POLICY_CANDIDATES_MAX - 1; i++)
		add(&home, &rule);
	uint64_t before = audit_head(home.audit).seq;
	struct policy_snapshot *snapshot = policy_ref(rulebook_snapshot(home.book));
	size_t n = rulebook_count(home.book);

	for (int i = 0; home.r == 0 && i < 10; i++) {
		add(&home, &rule);
		n += home.r == 0;
	}
	check_int(home.r, POLICY_E_CROWDED);
	check_true(strstr(home.error, "one question could meet") != NULL);
	check_uint(rulebook_count(home.book), n);
	rule.sources = 0;
	add(&home, &rule);
	check_int(home.r, POLICY_E_RULE);
	check_true(strncmp(home.error, "sources:", 8) == 0);
	take_away(&home, 4711);
	check_int(home.r, RULEBOOK_E_UNKNOWN);
	take_away(&home, -1); /* a built-in one is nobody's to remove */
	check_int(home.r, RULEBOOK_E_UNKNOWN);
	check_uint(rulebook_count(home.book), n);
	check_true(audit_head(home.audit).seq >= before);
	policy_unref(snapshot);
	home_close(&home);
	home_open(&home, 0);
	check_uint(rulebook_count(home.book), n);
	home_deinit(&home);
}

static void a_number_is_given_once(void **state)
{
	struct book_home home;
	struct policy_rule rule = rule_for(7);

	(void)state;
	home_init(&home);
	add(&home, &rule);
	add(&home, &rule);
	take_away(&home, 2);
	check_int(home.r, 0);
	check_uint(rulebook_count(home.book), 1);
	home_close(&home);
	home_open(&home, 0);
	add(&home, &rule);
	check_int(home.id, 3);
	take_away(&home, 1);
	take_away(&home, 3);
	check_true(!is_allowed(&home, 7));
	home_deinit(&home);
}

/* Asked for at once, done one after the other; one too many is refused at once. */
static void changes_queue_up_to_their_limit(void **state)
{
	struct book_home home;

	(void)state;
	home_init(&home);
	for (uint32_t i = 0; i < RULEBOOK_CHANGES_MAX; i++) {
		struct policy_rule rule = rule_for(10 + i);

		rulebook_add(home.book, &rule, NULL, on_answer, &home);
	}
	check_uint(home.n_answers, 0);
	struct policy_rule rule = rule_for(9);

	rulebook_add(home.book, &rule, NULL, on_answer, &home);
	check_uint(home.n_answers, 1);
	check_int(home.r, -ENOBUFS);
	wait_for(&home, RULEBOOK_CHANGES_MAX + 1);
	check_uint(rulebook_count(home.book), RULEBOOK_CHANGES_MAX);
	for (uint32_t i = 0; i < RULEBOOK_CHANGES_MAX; i++)
		check_true(is_allowed(&home, 10 + i));
	rulebook_add(home.book, &rule, NULL, on_answer, &home); /* and one is under way when we close */
	home_deinit(&home);
	check_uint(home.n_answers, RULEBOOK_CHANGES_MAX + 2);
}

/* Rows that nobody could have added: the gateway does not start on them, rather than guess. */
static void a_spoilt_table_is_refused(void **state)
{
	struct book_home home;
	struct db *db;
	struct db_options options = { .sync = DB_SYNC_EXTRA };
	struct policy_rule rule = rule_for(7);

	(void)state;
	home_init(&home);
	add(&home, &rule);
	home_close(&home);
	struct db_migration none = { 1, "" };

	options.migrations = &none;
	options.n_migrations = 1;
	check_ok(db_open(tmpdir_path(&home.dir, "gateway.db"), &options, &db));
	check_ok(db_exec(db, "UPDATE policy_rule SET body=zeroblob(40)"));
	db_close(db);
	home_open(&home, -EBADMSG);
	check_true(rulebook_snapshot(home.book) == NULL);
	home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_rule_is_asked_recorded_and_kept),
		cmocka_unit_test(a_set_that_does_not_compile_changes_nothing),
		cmocka_unit_test(a_number_is_given_once),
		cmocka_unit_test(changes_queue_up_to_their_limit),
		cmocka_unit_test(a_spoilt_table_is_refused),
	};

	return CHECK_RUN(rows);
}
