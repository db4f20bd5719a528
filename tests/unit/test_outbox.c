/* The outbox: a verb's record is in the log exactly once, whatever is cut off between its transaction and the log. */
#include "audit_home.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "audit/inside.h"
#include "audit/outbox.h"

struct verb {
	struct audit_home *home;
	int n;
	bool fails;
};

static int verb_job(struct db *db, void *arg)
{
	const struct verb *verb = arg;
	char object[16];
	struct audit_record record = { .kind = AUDIT_BIND, .subject = { SUBJECT_USER, 1 }, .object = object, .action = "bind" };

	snprintf(object, sizeof(object), "v%d", verb->n);
	int r = audit_outbox_put(db, &record);

	return r == 0 && verb->fails ? -EINVAL : r;
}

static void on_verb(void *arg, int r)
{
	struct verb *verb = arg;

	check_int(r, verb->fails ? -EINVAL : 0);
	audit_drain(verb->home->audit);
	free(verb);
}

static void put(struct audit_home *home, int n, bool fails)
{
	struct verb *verb = calloc(1, sizeof(*verb));

	*verb = (struct verb){ home, n, fails };
	check_ok(store_submit(home->store, home->gateway, 0, verb_job, on_verb, verb));
}

static int64_t raw_i64(struct audit_home *home, const char *file, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	int64_t v = -1;

	check_int(sqlite3_open(tmpdir_path(&home->dir, file), &db), SQLITE_OK);
	check_int(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW)
		v = sqlite3_column_int64(s, 0);
	check_int(sqlite3_finalize(s), SQLITE_OK);
	sqlite3_close(db);
	return v;
}

/* The verbs 0..n-1 are in the log, each once, in order, and the outbox is empty. */
static void check_log(struct audit_home *home, int n)
{
	struct audit_seen *seen = calloc(1, sizeof(*seen));
	uint64_t after = 0;
	int next = 0;
	char want[16];

	do {
		audit_home_read(home, after, AUDIT_READ_MAX, false, seen);
		check_ok(seen->r);
		for (size_t i = 0; i < seen->n; i++) {
			after = seen->rows[i].seq;
			if (seen->rows[i].kind != AUDIT_BIND)
				continue;
			snprintf(want, sizeof(want), "v%d", next++);
			check_text(seen->rows[i].object, want);
		}
	} while (seen->n);
	check_int(next, n);
	check_int(raw_i64(home, "gateway.db", "SELECT count(*) FROM outbox"), 0);
	free(seen);
}

static void verbs_reach_the_log_in_their_order_and_failed_ones_do_not(void **state)
{
	struct audit_home home;

	(void)state;
	audit_home_init(&home);
	audit_set_time_trusted(home.audit, true);
	for (int i = 0; i < 3 * OUTBOX_ROWS_MAX; i++) {
		put(&home, i, false);
		put(&home, i, true);
	}
	audit_home_append(&home, "between");
	audit_home_settle(&home);
	check_log(&home, 3 * OUTBOX_ROWS_MAX);
	check_uint(audit_head(home.audit).seq, 2 + 3 * OUTBOX_ROWS_MAX);
	struct audit_seen *seen = calloc(1, sizeof(*seen));

	audit_home_read(&home, 0, 1, true, seen);
	check_true(seen->rows[0].time_trusted && seen->rows[0].wall_us > INT64_C(1700000000) * 1000000);
	free(seen);
	audit_home_restart(&home);
	check_log(&home, 3 * OUTBOX_ROWS_MAX);
	audit_home_deinit(&home);
}

/* Cut off after the transaction, before the log: the next start does it, under the boot it belongs to. */
static void what_was_left_in_the_outbox_is_moved_at_the_start(void **state)
{
	struct audit_home home;
	struct db_options plain = { .sync = DB_SYNC_EXTRA };
	const struct db_migration migration = { 1, audit_outbox_schema };
	struct db *db = NULL;
	struct record record;

	(void)state;
	audit_home_init(&home);
	put(&home, 0, false);
	audit_home_settle(&home);
	audit_home_close(&home);
	plain.migrations = &migration;
	plain.n_migrations = 1;
	check_ok(db_open(tmpdir_path(&home.dir, "gateway.db"), &plain, &db));
	for (int i = 1; i < 3; i++) {
		struct verb verb = { .n = i };

		check_ok(verb_job(db, &verb));
	}
	db_close(db);
	memset(home.boot_id, 0xb1, sizeof(home.boot_id));
	audit_home_open(&home);
	check_log(&home, 3);
	audit_home_close(&home);
	/* The boot id of the rows is that of the boot before. */
	struct segment_name *names;
	size_t n;
	struct stmt *s;

	check_ok(segment_list(home.dir.path, &names, &n));
	check_ok(segment_open(home.dir.path, &names[0], NULL, &db));
	check_ok(db_prepare(db, "SELECT rec FROM audit WHERE seq=4", &s));
	check_int(stmt_step(s), 1);
	check_ok(record_decode(stmt_blob(s, 0).data, stmt_blob(s, 0).len, &record));
	check_uint(record.outbox, 3);
	check_uint(record.stamp.boot_id[0], 0xb0);
	check_true(!record.stamp.time_trusted);
	db_close(db);
	free(names);
	check_int(raw_i64(&home, "gateway.db", "SELECT hex(boot_id) = 'B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1B1' FROM outbox_boot"), 1);
	audit_home_open(&home);
	audit_home_deinit(&home);
}

/* Cut off after the log, before the outbox was emptied: the rows are in both. */
static void what_is_in_both_is_known_by_its_number(void **state)
{
	struct audit_home home;
	sqlite3 *db = NULL;

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 5; i++)
		put(&home, i, false);
	audit_home_settle(&home);
	for (int i = 0; i < 50; i++)
		audit_home_append(&home, "later");
	audit_home_close(&home);
	check_int(sqlite3_open(tmpdir_path(&home.dir, "gateway.db"), &db), SQLITE_OK);
	check_int(sqlite3_exec(db, "INSERT INTO outbox(id, rec) VALUES(4, zeroblob(80)), (5, zeroblob(80))", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	home.segment_bytes_max = 1; /* and the search goes back over files */
	audit_home_open(&home);
	check_log(&home, 5);
	put(&home, 5, false);
	audit_home_settle(&home);
	check_log(&home, 6);
	audit_home_deinit(&home);
}

/* A gateway.db that began anew gives numbers that the log knows already from its predecessor. */
static void another_database_does_not_lose_its_verbs(void **state)
{
	struct audit_home home;
	struct db_options plain = { .sync = DB_SYNC_EXTRA };
	const struct db_migration migration = { 1, audit_outbox_schema };
	struct verb verb = { .n = 3 };
	struct db *db = NULL;

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 3; i++)
		put(&home, i, false);
	audit_home_settle(&home);
	audit_home_close(&home);
	check_int(unlink(tmpdir_path(&home.dir, "gateway.db")), 0);
	plain.migrations = &migration;
	plain.n_migrations = 1;
	check_ok(db_open(tmpdir_path(&home.dir, "gateway.db"), &plain, &db));
	check_ok(verb_job(db, &verb));
	db_close(db);
	audit_home_open(&home);
	check_log(&home, 4);
	audit_home_deinit(&home);
}

static void on_told_verb(void *arg, int r)
{
	struct verb *verb = arg;

	audit_drain(verb->home->audit);
	if (r == 0 && write(verb->home->n_failed ? -1 : (int)verb->home->n_done, "x", 1) != 1)
		_exit(3);
	free(verb);
}

static void child_run(struct audit_home *home, int fd)
{
	audit_home_open(home);
	home->n_done = (unsigned)fd;
	for (int i = 0;; i++) {
		struct verb *verb = calloc(1, sizeof(*verb));

		*verb = (struct verb){ home, i, false };
		if (store_submit(home->store, home->gateway, 0, verb_job, on_told_verb, verb) || loop_turn(home->loop, 0))
			_exit(4);
		if (store_queued(home->store) > 50)
			store_drain(home->store);
	}
}

static void verbs_survive_kill_9_once(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		struct audit_home home;
		char bytes[256];
		int fds[2], told = 0, n;

		audit_home_make(&home);
		check_ok(pipe(fds));
		pid_t pid = fork();

		if (pid == 0)
			child_run(&home, fds[1]);
		close(fds[1]);
		while ((n = (int)read(fds[0], bytes, sizeof(bytes))) > 0) {
			told += n;
			if (told > 100 + 37 * round)
				kill(pid, SIGKILL);
		}
		check_int(waitpid(pid, NULL, 0), pid);
		close(fds[0]);
		audit_home_open(&home);
		check_true(audit_fault(home.audit) == NULL);
		int in_log = (int)audit_head(home.audit).seq - 1;

		check_true(told > 100 && in_log >= told);
		check_log(&home, in_log); /* numbered without gap or repeat */
		audit_home_deinit(&home);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(verbs_reach_the_log_in_their_order_and_failed_ones_do_not),
		cmocka_unit_test(what_was_left_in_the_outbox_is_moved_at_the_start),
		cmocka_unit_test(what_is_in_both_is_known_by_its_number),
		cmocka_unit_test(another_database_does_not_lose_its_verbs),
		cmocka_unit_test(verbs_survive_kill_9_once),
	};

	return CHECK_RUN(rows);
}
