/* The database: what its file looks like from outside, what an append-only one refuses, how errors
 * are called. */
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/db.h"
#include "sys/db_keys.h"
#include "tmpdir.h"

static const struct db_migration migrations[] = {
	{ 1, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE, v REAL, b BLOB) STRICT;"
	     "INSERT INTO t(name) VALUES('from the first');" },
	{ 2, "CREATE TABLE child(id INTEGER PRIMARY KEY, t INTEGER NOT NULL REFERENCES t(id));" },
};

/* Their keys: none, then a ring of each suite; main runs all of it three times. */
static struct db_options plain = { .sync = DB_SYNC_EXTRA,
					 .migrations = migrations,
					 .n_migrations = 2 };
static struct db_options fast = { .sync = DB_SYNC_NORMAL,
					.migrations = migrations,
					.n_migrations = 2 };

static struct db *open_ok(const char *path, const struct db_options *options)
{
	struct db *db;

	check_ok(db_open(path, options, &db));
	return db;
}

static int64_t ask(struct db *db, const char *sql_literal)
{
	struct stmt *s;
	int64_t v;

	check_ok(db_prepare(db, sql_literal, &s));
	check_int(stmt_step(s), 1);
	v = stmt_i64(s, 0);
	stmt_reset(s);
	return v;
}

static size_t slurp(const char *path, uint8_t *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, cap);

	check_true(fd >= 0 && n >= 0);
	close(fd);
	return (size_t)n;
}

static void a_new_file_has_our_layout(void **state)
{
	uint8_t head[100];
	struct tmpdir dir;
	const char *path;
	struct stat st;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "a.db");
	umask(0);
	db = open_ok(path, &plain);
	assert_int_equal(stat(path, &st), 0);
	check_uint(st.st_mode & 0777, 0600);
	assert_int_equal(stat(tmpdir_path(&dir, "a.db-wal"), &st), 0);
	check_uint(st.st_mode & 0777, 0600);
	check_int(ask(db, "PRAGMA synchronous"), 3);
	check_int(ask(db, "PRAGMA foreign_keys"), 1);
	check_int(ask(db, "PRAGMA secure_delete"), 1);
	check_int(ask(db, "PRAGMA temp_store"), 2);
	check_int(ask(db, "PRAGMA trusted_schema"), 0);
	check_int(ask(db, "PRAGMA recursive_triggers"), 1);
	check_int(ask(db, "PRAGMA cache_size"), -1024);
	check_int(ask(db, "PRAGMA user_version"), 2);
	check_true(db_close(db) == NULL);
	check_uint(slurp(path, head, sizeof(head)), 100);
	if (!plain.keys) {
		check_uint((unsigned)head[16] << 8 | head[17], 4096);
		check_uint(head[18], 2); /* WAL */
		check_uint(head[20], 64);
	}
	check_int(stat(tmpdir_path(&dir, "a.db-wal"), &st),
		  -1); /* the last close carried everything over */
	tmpdir_deinit(&dir);
}

static void rows_come_back_as_they_went(void **state)
{
	struct tmpdir dir;
	struct stmt *in, *out;
	struct view blob;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	check_ok(db_prepare(db, "INSERT INTO t(id, name, v, b) VALUES(?1, ?2, ?3, ?4)", &in));
	stmt_bind_i64(in, 1, INT64_MAX);
	stmt_bind_text(in, 2, "grün");
	stmt_bind_f64(in, 3, 0.1);
	stmt_bind_blob(in, 4, "a\0b", 3);
	check_ok(stmt_run(in));
	check_int(db_changes(db), 1);
	check_ok(db_prepare(db, "SELECT id, name, v, b FROM t WHERE id = ?1", &out));
	stmt_bind_i64(out, 1, INT64_MAX);
	check_int(stmt_step(out), 1);
	check_int(stmt_i64(out, 0), INT64_MAX);
	check_text(stmt_text(out, 1), "grün");
	check_near(stmt_f64(out, 2), 0.1, 0);
	blob = stmt_blob(out, 3);
	check_bytes(blob.data, blob.len, "a\0b", 3);
	check_true(!stmt_is_null(out, 1));
	check_int(stmt_step(out), 0);
	/* The same text gives the same statement, without what was bound before: name and v. */
	check_ok(db_prepare(db, "INSERT INTO t(id, name, v, b) VALUES(?1, ?2, ?3, ?4)", &in));
	stmt_bind_i64(in, 1, 7);
	stmt_bind_blob(in, 4, NULL, 0);
	check_ok(stmt_run(in));
	check_ok(db_prepare(db, "SELECT id, name, v, b FROM t WHERE id = ?1", &out));
	stmt_bind_i64(out, 1, 7);
	check_int(stmt_step(out), 1);
	check_true(stmt_is_null(out, 1) && stmt_is_null(out, 2));
	check_text(stmt_text(out, 1), "");
	check_true(!stmt_is_null(out, 3)); /* an empty blob is not NULL */
	check_uint(stmt_blob(out, 3).len, 0);
	check_ok(db_prepare(db, "INSERT INTO t(id, name, v, b) VALUES(?1, ?2, ?3, ?4)", &in));
	stmt_bind_i64(in, 1, 8);
	stmt_bind_text(in, 2, NULL);
	stmt_bind_null(in, 3);
	stmt_bind_null(in, 4);
	check_ok(stmt_run(in));
	check_int(ask(db, "SELECT count(*) FROM t WHERE id = 8 AND coalesce(name, v, b) IS NULL"), 1);
	check_ok(db_prepare(db, "SELECT id FROM t", &out));
	check_int(stmt_step(out), 1);
	db_close(db); /* in the middle of a statement */
	tmpdir_deinit(&dir);
}

static void errors_have_names(void **state)
{
	char long_sql[7 + 2 * DB_ERROR_MAX] = "SELECT ";
	struct tmpdir dir;
	struct stmt *s;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	check_int(db_exec(db, "INSERT INTO t(name) VALUES('from the first')"), -EEXIST);
	check_true(strstr(db_error(db), "UNIQUE") != NULL);
	check_int(db_exec(db, "INSERT INTO child(t) VALUES(99)"),
		  -EEXIST); /* foreign keys are on */
	check_int(db_exec(db, "INSERT INTO t(v) VALUES('no number')"), -EEXIST); /* STRICT */
	check_int(db_exec(db, "SELEC"), -EINVAL);
	memset(long_sql + 7, 'x', sizeof(long_sql) - 8);
	check_int(db_exec(db, long_sql), -EINVAL);
	check_uint(strlen(db_error(db)), DB_ERROR_MAX - 1);
	check_int(db_prepare(db, "SELECT nothing FROM nowhere", &s), -EINVAL);
	check_int(db_prepare(db, "SELECT \"no string\"", &s), -EINVAL);
	check_ok(db_prepare(db, "SELECT ?1", &s));
	stmt_bind_i64(s, 2, 1); /* there is no second: the step tells */
	check_true(stmt_step(s) < 0);
	check_int(db_exec(db, "SELECT load_extension('x')"), -EINVAL);
	db_close(db);
	check_int(db_open("/nonexistent/a.db", &plain, &db), -ENOENT);
	check_int(db_open(dir.path, &plain, &db), -EINVAL);
	assert_int_equal(symlink("a.db", tmpdir_path(&dir, "link")), 0);
	check_int(db_open(tmpdir_path(&dir, "link"), &plain, &db), -ELOOP);
	tmpdir_deinit(&dir);
}

static void an_open_file_is_tightened(void **state)
{
	struct tmpdir dir;
	const char *path;
	struct stat st;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "a.db");
	db_close(open_ok(path, &plain));
	assert_int_equal(chmod(path, 0644), 0);
	db_close(open_ok(path, &plain));
	assert_int_equal(stat(path, &st), 0);
	check_uint(st.st_mode & 0777, 0600);
	tmpdir_deinit(&dir);
}

static void migrations_run_once_and_whole(void **state)
{
	const struct db_migration broken[] = {
		{ 1, migrations[0].sql },
		{ 2, "CREATE TABLE half(x); INSERT INTO t(name) VALUES('from the first');" },
	};
	struct db_options options = plain;
	struct tmpdir dir;
	const char *path;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "a.db");
	options.n_migrations = 1;
	db_close(open_ok(path, &options));
	options.migrations = broken;
	options.n_migrations = 2;
	check_int(db_open(path, &options, &db), -EEXIST);
	db = open_ok(path, &plain); /* nothing of the broken one is left */
	check_int(ask(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
	check_int(ask(db, "SELECT count(*) FROM t"), 1);
	db_close(db);
	db = open_ok(path, &plain);
	check_int(ask(db, "SELECT count(*) FROM t"), 1);
	db_close(db);
	tmpdir_deinit(&dir);
}

static void a_newer_schema_is_not_touched(void **state)
{
	static const struct db_migration more[] = { { 1, "" }, { 2, "" }, { 3, "" } };
	static uint8_t before[65536], after[65536], wal[65536];
	struct db_options old = plain, newer = { .migrations = more, .n_migrations = 3, .keys = plain.keys };
	struct tmpdir dir;
	const char *path;
	size_t n, n_wal;
	struct db *db;
	pid_t child;
	int status;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "a.db");
	db_close(open_ok(path, &plain));
	n = slurp(path, before, sizeof(before));
	old.n_migrations = 1;
	check_int(db_open(path, &old, &db), DB_E_NEWER);
	check_bytes(after, slurp(path, after, sizeof(after)), before, n);
	db = open_ok(path, &plain);
	check_ok(db_exec(db, "PRAGMA user_version=3"));
	db_close(db);
	check_int(db_open(path, &plain, &db), DB_E_NEWER);
	old.n_migrations = 0;
	check_int(db_open(path, &old, &db), DB_E_NEWER);
	/* Nor is what a killed newer one left in its WAL carried over. */
	child = fork();
	if (child == 0)
		_exit(db_open(path, &newer, &db) || db_exec(db, "CREATE TABLE left_behind(x)"));
	check_int(waitpid(child, &status, 0), child);
	check_int(status, 0);
	n = slurp(path, before, sizeof(before));
	n_wal = slurp(tmpdir_path(&dir, "a.db-wal"), wal, sizeof(wal));
	check_true(n_wal > 4096);
	check_int(db_open(path, &plain, &db), DB_E_NEWER);
	check_bytes(after, slurp(path, after, sizeof(after)), before, n);
	check_bytes(after, slurp(tmpdir_path(&dir, "a.db-wal"), after, sizeof(after)), wal, n_wal);
	tmpdir_deinit(&dir);
}

static void garbage_is_not_a_database(void **state)
{
	struct tmpdir dir;
	const char *path;
	char text[5001];
	struct db *db;
	int fd;

	(void)state;
	tmpdir_init(&dir);
	memset(text, 'x', 5000);
	text[5000] = '\0';
	check_int(db_open(tmpdir_write(&dir, "text", text), &plain, &db), DB_E_NOTADB);
	path = tmpdir_path(&dir, "a.db");
	db_close(open_ok(path, &plain));
	fd = open(path, O_RDWR | O_CLOEXEC);
	check_int((int)pwrite(fd, text, 4000, 4096 + 50), 4000); /* page 2: the table t */
	check_int((int)pwrite(fd, text, 1, 4096), 1);
	close(fd);
	db = open_ok(path, &plain);
	check_int(db_exec(db, "INSERT INTO t(name) VALUES('x')"), -EBADMSG);
	db_close(db);
	tmpdir_deinit(&dir);
}

static const struct db_migration append_migrations[] = {
	{ 1, "CREATE TABLE audit(seq INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT;"
	     "CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB) STRICT;"
	     "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, "
	     "'append only'); END;"
	     "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, "
	     "'append only'); END;"
	     "CREATE TRIGGER audit_in_order BEFORE INSERT ON audit"
	     " WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit)"
	     " BEGIN SELECT RAISE(ABORT, 'out of order'); END;"
	     "INSERT INTO audit VALUES(1, x'61'); INSERT INTO audit VALUES(2, x'62');" },
};

static const char *const attacks[] = {
	"DELETE FROM audit",
	"DELETE FROM audit WHERE seq = 2",
	"UPDATE audit SET record = x'00'",
	"UPDATE OR REPLACE audit SET seq = 1 WHERE seq = 2",
	"INSERT OR REPLACE INTO audit VALUES(1, x'00')",
	"REPLACE INTO audit VALUES(2, x'00')",
	"INSERT INTO audit VALUES(1, x'00') ON CONFLICT(seq) DO UPDATE SET record = x'00'",
	"INSERT INTO audit VALUES(9, x'00')",
	"INSERT INTO audit VALUES(-1, x'00')",
	"WITH x AS (SELECT 1) DELETE FROM audit WHERE seq IN x",
	"DROP TABLE audit",
	"DROP TRIGGER audit_no_delete",
	"ALTER TABLE audit RENAME TO gone",
	"ALTER TABLE audit ADD COLUMN more",
	"ALTER TABLE audit DROP COLUMN record",
	"ATTACH ':memory:' AS other",
	"DETACH main",
	"VACUUM",
	"VACUUM INTO '/tmp/never'",
	"REINDEX",
	"CREATE TABLE more(x)",
	"CREATE INDEX more ON audit(record)",
	"CREATE VIEW more AS SELECT * FROM audit",
	"CREATE TEMP TABLE audit(seq, record)",
	"CREATE TRIGGER t AFTER INSERT ON state BEGIN DELETE FROM audit; END",
	"CREATE TEMP TRIGGER t AFTER INSERT ON state BEGIN DELETE FROM audit; END",
	"CREATE VIRTUAL TABLE f USING fts5(x)",
	"DELETE FROM sqlite_schema",
	"UPDATE sqlite_schema SET sql = '' WHERE name = 'audit_no_delete'",
	"INSERT INTO sqlite_schema VALUES('table', 'x', 'x', 0, '')",
	"PRAGMA writable_schema = ON",
	"PRAGMA recursive_triggers = OFF",
	"PRAGMA journal_mode = DELETE",
	"PRAGMA synchronous = OFF",
	"PRAGMA trusted_schema = ON",
	"PRAGMA user_version = 9",
	"PRAGMA wal_checkpoint(TRUNCATE)",
	"SELECT * FROM pragma_journal_mode('delete')",
};

static void append_only_means_it(void **state)
{
	const struct db_options options = { .sync = DB_SYNC_EXTRA,
						   .append_only = true,
						   .append_table = "audit",
						   .migrations = append_migrations,
						   .n_migrations = 1,
						   .keys = plain.keys };
	struct tmpdir dir;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "audit.db"), &options);
	for (size_t i = 0; i < N_ELEMENTS(attacks); i++) {
		int r = db_exec(db, attacks[i]);

		if (r >= 0)
			print_error("not refused: %s\n", attacks[i]);
		check_true(r < 0);
		if (db_in_transaction(db))
			db_rollback(db);
		check_int(ask(db, "SELECT count(*) FROM audit WHERE record = CAST(char(96 + seq) "
				  "AS BLOB)"),
			  2);
		check_int(ask(db, "SELECT count(*) FROM audit"), 2);
		check_int(ask(db, "SELECT count(*) FROM sqlite_schema"), 6);
	}
	/* What is right goes on working: the next row, the mutable state beside it, a transaction,
	 * a checkpoint. */
	check_ok(db_begin(db));
	check_ok(db_exec(db, "INSERT INTO audit VALUES(3, x'63')"));
	check_ok(db_exec(db, "INSERT INTO state VALUES('k', x'01')"));
	check_ok(db_exec(db, "UPDATE state SET value = x'02'"));
	check_ok(db_exec(db, "DELETE FROM state"));
	check_ok(db_commit(db));
	check_ok(db_set_sync(db, true));
	check_ok(db_checkpoint(db));
	check_int(ask(db, "PRAGMA user_version"), 1);
	check_int(ask(db, "SELECT count(*) FROM audit"), 3);
	db_close(db);
	tmpdir_deinit(&dir);
}

static void append_only_without_a_name_guards_all(void **state)
{
	const struct db_options options = { .append_only = true,
						   .migrations = append_migrations,
						   .n_migrations = 1,
						   .keys = plain.keys };
	struct tmpdir dir;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &options);
	check_int(db_exec(db, "DELETE FROM state"), -EPERM);
	check_ok(db_set_sync(db, true)); /* our own pragma passes */
	check_ok(db_set_sync(db, false));
	db_close(db);
	tmpdir_deinit(&dir);
}

static void transactions_and_marks(void **state)
{
	struct tmpdir dir;
	struct stmt *s;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	check_true(!db_in_transaction(db));
	db_rollback(db);
	check_ok(db_begin(db));
	check_true(db_in_transaction(db));
	check_ok(db_exec(db, "INSERT INTO t(name) VALUES('one')"));
	check_ok(db_mark(db));
	check_ok(db_exec(db, "INSERT INTO t(name) VALUES('two')"));
	check_ok(db_prepare(db, "SELECT name FROM t", &s));
	check_int(stmt_step(s), 1); /* left open: ending resets it */
	check_ok(db_back_to_mark(db));
	check_ok(db_mark(db));
	check_ok(db_exec(db, "INSERT INTO t(name) VALUES('three')"));
	check_ok(db_unmark(db));
	check_ok(db_prepare(db, "SELECT name FROM t", &s));
	check_int(stmt_step(s), 1);
	check_ok(db_commit(db));
	check_int(ask(db, "SELECT count(*) FROM t WHERE name IN ('one', 'three')"), 2);
	check_int(ask(db, "SELECT count(*) FROM t"), 3);
	check_ok(db_begin(db));
	check_ok(db_exec(db, "DELETE FROM t"));
	db_rollback(db);
	check_int(ask(db, "SELECT count(*) FROM t"), 3);
	db_close(db);
	tmpdir_deinit(&dir);
}

static void the_wal_grows_until_a_checkpoint(void **state)
{
	struct tmpdir dir;
	uint64_t bytes;
	struct stat st;
	size_t wal;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &fast);
	check_int(ask(db, "PRAGMA synchronous"), 1);
	for (int i = 0; i < 1200; i++) /* SQLite's own checkpoint would come at 1000 pages */
		check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(3000))"));
	wal = db_wal_bytes(db);
	check_true(wal > 1200 * 4096);
	assert_int_equal(stat(tmpdir_path(&dir, "a.db-wal"), &st), 0);
	check_near((double)st.st_size, (double)wal, 4096 * 8);
	bytes = db_bytes_written(db);
	check_near((double)bytes, (double)wal, 4096 * 8);
	check_ok(db_flush(db));
	check_ok(db_checkpoint(db));
	check_uint(db_wal_bytes(db), 0);
	check_true(db_bytes_written(db) >= bytes + 1200 * 3000);
	bytes = db_bytes_written(db);
	check_ok(db_checkpoint(db)); /* nothing new to carry */
	check_true(db_bytes_written(db) <= bytes + wal);
	check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(10))"));
	check_true(db_wal_bytes(db) < 10 * 4200); /* begun anew */
	check_ok(db_set_sync(db, true));
	check_int(ask(db, "PRAGMA synchronous "), 3);
	check_ok(db_set_sync(db, false));
	check_int(ask(db, "PRAGMA  synchronous"), 1);
	db_close(db);
	tmpdir_deinit(&dir);
}

static void a_full_disk_is_enospc(void **state)
{
	struct rlimit old, low = { .rlim_cur = 200000 };
	struct tmpdir dir;
	struct db *db;
	int r = 0, rows = 0;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	for (; r == 0 && rows < 1000; rows++) {
		check_ok(db_begin(db));
		check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(3000))"));
		r = db_commit(db);
	}
	check_int(r, -ENOSPC);
	check_true(!db_in_transaction(db));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	check_int(ask(db, "SELECT count(*) FROM t"),
		  rows); /* the first row, and all but the last */
	check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(3000))"));
	check_int(
		ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
		1);
	db_close(db);
	tmpdir_deinit(&dir);
}

static void somebody_elses_lock_is_busy(void **state)
{
	struct tmpdir dir;
	struct db *a, *b;

	(void)state;
	tmpdir_init(&dir);
	a = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	b = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	check_ok(db_begin(a));
	check_ok(db_exec(a, "INSERT INTO t(name) VALUES('a')"));
	check_int(ask(b, "SELECT count(*) FROM t"), 1); /* readers do not wait */
	check_int(db_begin(b), -EBUSY);
	check_ok(db_commit(a));
	check_ok(db_begin(b));
	check_ok(db_commit(b));
	db_close(b);
	db_close(a);
	tmpdir_deinit(&dir);
}

static void statements_have_a_limit(void **state)
{
	static char texts[DB_STMTS_MAX + 1][32]; /* as literals would: they stay where they are */
	struct tmpdir dir;
	struct stmt *s;
	struct db *db;
	int r = 0, n = 0;

	(void)state;
	tmpdir_init(&dir);
	db = open_ok(tmpdir_path(&dir, "a.db"), &plain);
	for (; n <= DB_STMTS_MAX && r == 0; n++) {
		snprintf(texts[n], sizeof(texts[n]), "SELECT %d", n);
		r = db_prepare(db, texts[n], &s);
	}
	check_int(r, -ENOBUFS);
	check_true(n > DB_STMTS_MAX - 8); /* transactions have some of their own */
	for (int i = 0; i < n - 1; i++)
		check_int(ask(db, texts[i]), i);
	db_close(db);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_new_file_has_our_layout),
		cmocka_unit_test(rows_come_back_as_they_went),
		cmocka_unit_test(errors_have_names),
		cmocka_unit_test(an_open_file_is_tightened),
		cmocka_unit_test(migrations_run_once_and_whole),
		cmocka_unit_test(a_newer_schema_is_not_touched),
		cmocka_unit_test(garbage_is_not_a_database),
		cmocka_unit_test(append_only_means_it),
		cmocka_unit_test(append_only_without_a_name_guards_all),
		cmocka_unit_test(transactions_and_marks),
		cmocka_unit_test(the_wal_grows_until_a_checkpoint),
		cmocka_unit_test(a_full_disk_is_enospc),
		cmocka_unit_test(somebody_elses_lock_is_busy),
		cmocka_unit_test(statements_have_a_limit),
	};

	int failed = crypto_init() || CHECK_RUN(rows);

	for (enum seal_suite suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
		const uint8_t key[SEAL_KEY_LEN] = { (uint8_t)suite };

		if (db_keys_new(&plain.keys) || db_keys_put(plain.keys, 1, suite, key) ||
		    db_keys_activate(plain.keys, 1))
			return 1;
		fast.keys = plain.keys;
		failed |= CHECK_RUN(rows);
		db_keys_free(plain.keys);
	}
	return failed;
}
