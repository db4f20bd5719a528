/* Rotation: every page sealed anew, with a key of the same or the other suite, while others read; killed anywhere it
 * leaves a database that opens, with all its rows.
 */
#include "sealed_home.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "sys/db_page.h"

enum { ROWS = 400 };

static void fill(struct db *db, int rows)
{
	check_ok(db_begin(db));
	for (int i = 0; i < rows; i++)
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('name ' || random(), randomblob(2500))"));
	check_ok(db_commit(db));
}

static void check_sound(struct db *db, int64_t rows)
{
	check_int(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	check_int(ask(db, "SELECT count(*) FROM t WHERE length(b) = 2500"), rows);
}

static uint64_t others(struct tmpdir *dir, uint32_t id)
{
	uint64_t n;

	check_ok(db_keys_scan(tmpdir_path(dir, "a.db"), id, &n));
	return n;
}

static void every_page_gets_the_new_key(void **state)
{
	static const enum seal_suite steps[] = { SEAL_XCHACHA, SEAL_XCHACHA, SEAL_SM4, SEAL_SM4, SEAL_XCHACHA };
	struct db_keys *keys = ring_of(1, steps[0]);
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	fill(db, ROWS);
	check_ok(db_exec(db, "DELETE FROM t WHERE id % 3 = 0")); /* free pages too */
	for (uint32_t id = 2; id <= N_ELEMENTS(steps); id++) {
		int64_t rows = ask(db, "SELECT count(*) FROM t"), version = ask(db, "PRAGMA user_version");
		struct stat st;

		ring_put(keys, id, steps[id - 1]);
		check_ok(db_keys_activate(keys, id));
		check_true(others(&dir, id) > 100);
		check_ok(db_rewrite(db));
		check_uint(others(&dir, id), 0);
		check_ok(db_keys_drop(keys, id - 1));
		assert_int_equal(stat(tmpdir_path(&dir, "a.db-wal"), &st), 0);
		check_int(st.st_size, 0);
		check_uint(db_wal_bytes(db), 0);
		check_sound(db, rows);
		check_int(ask(db, "PRAGMA user_version"), version);
		fill(db, 5);
		db_close(db);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_sound(db, rows + 5);
	}
	check_uint(db_keys_stats(keys).refused, 0);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void a_small_and_an_empty_one(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	const struct db_options bare = { .keys = keys };
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	check_ok(db_open(tmpdir_path(&dir, "a.db"), &bare, &db));
	ring_put(keys, 2, SEAL_SM4);
	check_ok(db_keys_activate(keys, 2));
	check_ok(db_rewrite(db));
	check_uint(others(&dir, 2), 0);
	check_ok(db_rewrite(db));
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* What holds rows only to be appended is rewritten all the same, and guarded as before. */
static void append_only_ones_too(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	const struct db_options guarded = { .sync = DB_SYNC_EXTRA, .append_only = true, .append_table = "t", .migrations = migrations,
					    .n_migrations = 1, .keys = keys };
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	check_ok(db_open(tmpdir_path(&dir, "a.db"), &guarded, &db));
	check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('x', zeroblob(2500))"));
	ring_put(keys, 2, SEAL_XCHACHA);
	check_ok(db_keys_activate(keys, 2));
	check_ok(db_rewrite(db));
	check_uint(others(&dir, 2), 0);
	check_int(db_exec(db, "DELETE FROM t"), -EPERM);
	check_int(db_exec(db, "PRAGMA synchronous=OFF"), -EPERM);
	check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('y', zeroblob(2500))"));
	check_int(ask(db, "SELECT count(*) FROM t"), 2);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* A reader keeps its snapshot; while it does, old frames stay and the caller is told to come again. */
static void readers_and_writers_beside_it(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct db *db, *reader;
	struct tmpdir dir;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	fill(db, ROWS);
	reader = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	check_ok(db_exec(reader, "BEGIN"));
	check_int(ask(reader, "SELECT count(*) FROM t"), ROWS);
	ring_put(keys, 2, SEAL_XCHACHA);
	check_ok(db_keys_activate(keys, 2));
	check_int(db_rewrite(db), -EBUSY);
	check_true(others(&dir, 2) > 0);
	check_sound(reader, ROWS);
	check_ok(db_exec(reader, "COMMIT"));
	check_sound(db, ROWS);
	/* Nor while somebody else writes. */
	check_ok(db_begin(reader));
	check_int(db_rewrite(db), -EBUSY);
	db_rollback(reader);
	check_ok(db_rewrite(db));
	check_uint(others(&dir, 2), 0);
	check_sound(reader, ROWS);
	fill(reader, 1);
	check_sound(db, ROWS + 1);
	db_close(reader);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void damage_stops_it(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct tmpdir dir;
	struct db *db;
	uint8_t byte;
	int fd;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	fill(db, ROWS);
	db_close(db);
	fd = open(tmpdir_path(&dir, "a.db"), O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, &byte, 1, 77 * PAGE_LEN + 5), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 77 * PAGE_LEN + 5), 1);
	close(fd);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	ring_put(keys, 2, SEAL_XCHACHA);
	check_ok(db_keys_activate(keys, 2));
	check_int(db_rewrite(db), -EBADMSG);
	check_true(!db_in_transaction(db));
	check_true(others(&dir, 2) > 100); /* all is as it was */
	check_ok(db_exec(db, "INSERT INTO t(name) VALUES('goes on')"));
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void a_full_disk_stops_it(void **state)
{
	struct rlimit old, low = { .rlim_cur = 900000 };
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 0; i < ROWS; i += 50) {
		fill(db, 50);
		check_ok(db_checkpoint(db));
	}
	ring_put(keys, 2, SEAL_XCHACHA);
	check_ok(db_keys_activate(keys, 2));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	check_int(db_rewrite(db), -ENOSPC);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	check_sound(db, ROWS);
	check_ok(db_rewrite(db));
	check_uint(others(&dir, 2), 0);
	check_sound(db, ROWS);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Memory is the page cache's, disk twice the database: once in the WAL, once carried over. */
static void it_costs_little_memory(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct rusage before, after;
	struct db_keys_stats a, b;
	uint64_t pages;
	struct tmpdir dir;
	struct stat st;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 0; i < 16; i++) {
		fill(db, 1000);
		check_ok(db_checkpoint(db));
	}
	assert_int_equal(stat(tmpdir_path(&dir, "a.db"), &st), 0);
	pages = (uint64_t)st.st_size / PAGE_LEN;
	check_true(st.st_size > 60 * 1000 * 1000);
	ring_put(keys, 2, SEAL_XCHACHA);
	check_ok(db_keys_activate(keys, 2));
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	a = db_keys_stats(keys);
	check_ok(db_rewrite(db));
	b = db_keys_stats(keys);
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	check_true(after.ru_maxrss - before.ru_maxrss < 16 * 1024);
	check_true(b.sealed - a.sealed < pages * 2 + 50);
	check_sound(db, 16000);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Killed at some thirty moments of it. */
static void killed_anywhere(void **state)
{
	int finished = 0;

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
		struct tmpdir dir;
		struct db *db;
		pid_t child;
		int status;

		memory_dir_init(&dir);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		fill(db, ROWS);
		db_close(db);
		ring_put(keys, 2, round % 2 ? SEAL_SM4 : SEAL_XCHACHA);
		check_ok(db_keys_activate(keys, 2));
		child = fork();
		if (child == 0) {
			alarm(20);
			_exit(sealed_try(tmpdir_path(&dir, "a.db"), keys, DB_SYNC_EXTRA, &db) || db_rewrite(db));
		}
		usleep((useconds_t)(round * 600));
		kill(child, SIGKILL);
		check_int(waitpid(child, &status, 0), child);
		finished += WIFEXITED(status);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_sound(db, ROWS);
		check_ok(db_rewrite(db));
		check_uint(others(&dir, 2), 0);
		check_ok(db_keys_drop(keys, 1));
		check_sound(db, ROWS);
		db_close(db);
		check_uint(db_keys_stats(keys).refused + db_keys_stats(keys).lost_frames, 0);
		db_keys_free(keys);
		tmpdir_deinit(&dir);
	}
	check_true(finished < 30);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(every_page_gets_the_new_key), cmocka_unit_test(a_small_and_an_empty_one),
		cmocka_unit_test(append_only_ones_too),	       cmocka_unit_test(readers_and_writers_beside_it),
		cmocka_unit_test(damage_stops_it),	       cmocka_unit_test(a_full_disk_stops_it),
		cmocka_unit_test(it_costs_little_memory),      cmocka_unit_test(killed_anywhere),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
