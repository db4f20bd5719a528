/* Databases with sealed pages: that they are databases, also where SQLite leaves its usual path:
 * transactions that outgrow the cache, marks, many connections, a file that was being made when the
 * power went. (What is damaged or forged is in test_db_damage.c and test_db_forged.c.)
 */
#include "sealed_home.h"

#include <pthread.h>
#include "sys/db_page.h"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

static void a_sealed_database_works(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct db_keys *keys = ring_of(1, suites[i]);
		struct tmpdir dir;
		struct db *db, *reader;
		uint64_t others;

		memory_dir_init(&dir);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		for (int n = 0; n < 300; n++)
			check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('x' || random(), "
					     "randomblob(2000))"));
		reader = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_int(ask(reader, "SELECT count(*) FROM t"), 300);
		check_ok(db_checkpoint(db));
		check_ok(db_exec(db, "INSERT INTO t(name) VALUES('last')"));
		check_int(ask(reader, "SELECT count(*) FROM t WHERE name = 'last'"), 1);
		db_close(reader);
		/* More than the cache holds, in one transaction, twice over the same pages. */
		check_ok(db_begin(db));
		check_ok(db_exec(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
				     "i < 1500) INSERT INTO t(name, b) SELECT i, randomblob(1500) FROM n"));
		check_ok(db_exec(db, "UPDATE t SET b = randomblob(1400)"));
		check_ok(db_exec(db, "UPDATE t SET name = 'n' || id"));
		check_ok(db_commit(db));
		check_int(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
		db_close(db);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_int(ask(db, "SELECT count(*) FROM t WHERE length(b) = 1400"), 1801 );
		check_int(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
		check_ok(db_keys_scan(tmpdir_path(&dir, "a.db"), 1, &others));
		check_uint(others, 0);
		check_uint(db_keys_stats(keys).refused, 0);
		check_uint(db_keys_stats(keys).lost_frames, 0);
		db_close(db);
		db_keys_free(keys);
		tmpdir_deinit(&dir);
	}
}

/* The state as a kill leaves it, opened elsewhere: recovery goes by the frames alone. */
static void check_after_kill(struct tmpdir *from, struct db_keys *keys, const char *sql, int64_t want)
{
	struct image image;
	struct tmpdir to;
	struct db *db;

	memory_dir_init(&to);
	image_take(&image, from);
	image_lay(&image, &to);
	db = sealed_open(tmpdir_path(&to, "a.db"), keys);
	check_int(ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
	check_int(ask(db, sql), want);
	db_close(db);
	image_free(&image);
	tmpdir_deinit(&to);
	check_uint(db_keys_stats(keys).refused, 0);
	check_uint(db_keys_stats(keys).lost_frames, 0);
}

static const char many_rows[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
				" INSERT INTO t(name, b) SELECT i, randomblob(1500) FROM n";

/* Pages go to the WAL before the transaction ends, are changed again there, and then all checksums from the first of them on
 * are written anew. With and without a sync at the commit. */
static void transactions_that_outgrow_the_cache(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct db_keys *keys = ring_of(1, suites[i / 2]);
		uint64_t sealed, frames;
		struct tmpdir dir;
		struct stat st;
		struct db *db;

		memory_dir_init(&dir);
		check_ok(sealed_try(tmpdir_path(&dir, "a.db"), keys, i % 2 ? DB_SYNC_EXTRA : DB_SYNC_NORMAL, &db));
		check_ok(db_exec(db, "INSERT INTO t(name) VALUES('before')"));
		sealed = db_keys_stats(keys).sealed;
		check_ok(db_begin(db));
		check_ok(db_exec(db, many_rows));
		check_ok(db_exec(db, "UPDATE t SET name = 'changed ' || id"));
		check_ok(db_exec(db, "UPDATE t SET b = zeroblob(1500) WHERE id % 7 = 3"));
		check_ok(db_mark(db));
		check_ok(db_exec(db, "DELETE FROM t WHERE id > 100"));
		check_ok(db_exec(db, many_rows));
		check_ok(db_back_to_mark(db));
		check_ok(db_exec(db, "UPDATE t SET name = 'changed again ' || id WHERE id % 2"));
		check_after_kill(&dir, keys, "SELECT count(*) FROM t", 1);
		check_ok(db_commit(db));
		assert_int_equal(stat(tmpdir_path(&dir, "a.db-wal"), &st), 0);
		frames = (uint64_t)(st.st_size - WAL_HEAD) / FRAME_LEN;
		check_true(db_keys_stats(keys).sealed - sealed > frames + 300); /* some were sealed again */
		check_after_kill(&dir, keys, "SELECT count(*) FROM t WHERE name LIKE 'changed%'", 1201);
		check_ok(db_exec(db, "INSERT INTO t(name) VALUES('changed: no')"));
		check_after_kill(&dir, keys, "SELECT count(*) FROM t WHERE name LIKE 'changed%'", 1202);
		check_ok(db_begin(db));
		check_ok(db_exec(db, many_rows));
		db_rollback(db);
		check_ok(db_exec(db, "DELETE FROM t WHERE id < 10"));
		check_after_kill(&dir, keys, "SELECT count(*) FROM t WHERE name LIKE 'changed%'", 1193);
		db_close(db);
		db_keys_free(keys);
		tmpdir_deinit(&dir);
	}
}

/* The journal of its making is there, with page 1 torn or whole: made anew. */
static void a_database_half_made(void **state)
{
	static const uint8_t magic[] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	uint8_t journal[512] = { 0 }, page[PAGE_LEN];
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	memcpy(journal, magic, 8);
	journal[22] = 2;    /* sectors of 512 */
	journal[26] = 0x10; /* pages of 4096; none of them in here, and none in the database before */
	for (size_t n = 0; n <= PAGE_LEN; n += 256) {
		crypto_random(page, sizeof(page));
		spill(tmpdir_path(&dir, "a.db"), page, n);
		spill(tmpdir_path(&dir, "a.db-journal"), journal, sizeof(journal));
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_int(ask(db, "SELECT count(*) FROM t"), 0);
		check_int(access(tmpdir_path(&dir, "a.db-journal"), F_OK), -1);
		db_close(db);
		unlink(tmpdir_path(&dir, "a.db"));
	}
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

struct looker {
	struct db *db;
	int64_t last;
	int r;
};

static void *look_on(void *ctx)
{
	struct looker *looker = ctx;

	for (int i = 0; i < 60; i++) {
		int64_t n = ask(looker->db, "SELECT count(*) + 0 * sum(length(b)) FROM t");

		if (n < looker->last)
			looker->r = n < 0 ? (int)n : -EILSEQ;
		looker->last = n;
	}
	return NULL;
}

/* Each on a thread of its own: one writes and carries over, three read. */
static void many_connections(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct looker lookers[3] = { { .db = NULL } };
	pthread_t threads[3];
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	check_ok(sealed_try(tmpdir_path(&dir, "a.db"), keys, DB_SYNC_NORMAL, &db));
	check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(10))"));
	for (size_t i = 0; i < N_ELEMENTS(threads); i++) {
		lookers[i].db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_ok(pthread_create(&threads[i], NULL, look_on, &lookers[i]));
	}
	for (int i = 0; i < 300; i++) {
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES(random(), randomblob(3000))"));
		if (i % 20 == 0)
			check_ok(db_checkpoint(db));
	}
	for (size_t i = 0; i < N_ELEMENTS(threads); i++) {
		check_ok(pthread_join(threads[i], NULL));
		check_int(lookers[i].r, 0);
		db_close(lookers[i].db);
	}
	check_int(ask(db, "SELECT count(*) FROM t"), 301);
	check_uint(db_keys_stats(keys).refused, 0);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_sealed_database_works),
		cmocka_unit_test(transactions_that_outgrow_the_cache),
		cmocka_unit_test(a_database_half_made),
		cmocka_unit_test(many_connections),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
