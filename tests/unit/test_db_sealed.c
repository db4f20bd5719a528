/* Databases with sealed pages: that they are databases, that nothing of them shows, and that a page
 * in the wrong place, damaged or somebody else's is an error with a name.
 */
#include "sealed_home.h"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

static void a_sealed_database_works(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct db_keys *keys = ring_of(1, suites[i]);
		struct tmpdir dir;
		struct db *db, *reader;
		uint64_t others;

		tmpdir_init(&dir);
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

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_sealed_database_works),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
