/* The ring of page keys: its limits, what each call refuses, what is counted, and the scan of a file for pages with an
 * older key. And the key's use by several threads while others change the ring.
 */
#include "sealed_home.h"

#include <pthread.h>
#include "sys/db_vfs_inside.h"

static void keys_come_and_go(void **state)
{
	const uint8_t key[SEAL_KEY_LEN] = { 7 };
	struct db_keys *keys;

	(void)state;
	check_ok(db_keys_new(&keys));
	check_uint(db_keys_active(keys), 0);
	check_int(db_keys_activate(keys, 1), DB_KEYS_E_UNKNOWN);
	check_int(db_keys_drop(keys, 1), DB_KEYS_E_UNKNOWN);
	check_int(db_keys_put(keys, 0, SEAL_XCHACHA, key), -EINVAL);
	check_int(db_keys_put(keys, 1, (enum seal_suite)9, key), -EINVAL);
	check_ok(db_keys_put(keys, 1, SEAL_XCHACHA, key));
	check_int(db_keys_put(keys, 1, SEAL_SM4, key), -EEXIST);
	check_uint(db_keys_active(keys), 0);
	check_ok(db_keys_activate(keys, 1));
	check_int(db_keys_drop(keys, 1), -EBUSY);
	for (uint32_t id = 2; id <= DB_KEYS_MAX; id++)
		check_ok(db_keys_put(keys, id * 1000, id % 2 ? SEAL_XCHACHA : SEAL_SM4, key));
	check_int(db_keys_put(keys, 99, SEAL_XCHACHA, key), -ENOSPC);
	check_int(db_keys_put(keys, 2000, SEAL_XCHACHA, key), -EEXIST);
	check_ok(db_keys_activate(keys, 16000));
	check_ok(db_keys_drop(keys, 1));
	check_ok(db_keys_drop(keys, 3000));
	check_uint(db_keys_active(keys), 16000);
	check_int(db_keys_activate(keys, 3000), DB_KEYS_E_UNKNOWN);
	check_ok(db_keys_put(keys, 1, SEAL_XCHACHA, key));
	for (uint32_t id = 4; id <= DB_KEYS_MAX; id++)
		check_ok(db_keys_activate(keys, id * 1000));
	check_true(!db_keys_free(keys));
	check_true(!db_keys_free(NULL));
}

static void two_rings_live_side_by_side(void **state)
{
	struct db_keys *a = ring_of(1, SEAL_XCHACHA), *b = ring_of(2, SEAL_SM4);
	struct tmpdir dir;
	struct db *db_a, *db_b;

	(void)state;
	tmpdir_init(&dir);
	check_true(strcmp(db_vfs_name(db_keys_vfs(a)), db_vfs_name(db_keys_vfs(b))) != 0);
	db_a = sealed_open(tmpdir_path(&dir, "a.db"), a);
	db_b = sealed_open(tmpdir_path(&dir, "b.db"), b);
	check_ok(db_exec(db_a, "INSERT INTO t(name) VALUES('a')"));
	check_ok(db_exec(db_b, "INSERT INTO t(name) VALUES('b')"));
	db_close(db_a);
	db_close(db_b);
	check_int(sealed_try(tmpdir_path(&dir, "a.db"), b, DB_SYNC_EXTRA, &db_b), -EBADMSG);
	check_uint(db_keys_stats(a).refused, 0);
	check_true(db_keys_stats(b).refused > 0);
	db_keys_free(a);
	db_keys_free(b);
	tmpdir_deinit(&dir);
}

static void figures_tell_what_happened(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct db_keys_stats before, after;
	struct tmpdir dir;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	before = db_keys_stats(keys);
	check_true(before.sealed > 0 && before.refused == 0 && before.lost_frames == 0);
	check_text(before.last_file, "");
	check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(20000))"));
	after = db_keys_stats(keys);
	check_true(after.sealed >= before.sealed + 5);
	check_ok(db_checkpoint(db));
	check_true(db_keys_stats(keys).opened >= after.opened + 5);
	db_close(db);
	db_keys_count_refused(keys, "/a/b/gateway.db", 8192);
	db_keys_count_lost(keys, 3, "plain-wal", 32);
	db_keys_count_refused(keys, "/x/0123456789012345678901234567890123456789012345678901234567890123456789", 5);
	after = db_keys_stats(keys);
	check_uint(after.refused, 2);
	check_uint(after.lost_frames, 3);
	check_uint(strlen(after.last_file), sizeof(after.last_file) - 1);
	check_int(after.last_offset, 5);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void the_scan_counts_pages_of_other_keys(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	uint64_t others = 77, frames;
	struct tmpdir dir;
	struct stat st;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	check_int(db_keys_scan(tmpdir_path(&dir, "none.db"), 1, &others), -ENOENT);
	check_uint(others, 77);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	check_ok(db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(50000))"));
	/* Beside an open connection, whose locks it must not drop. */
	check_ok(db_begin(db));
	check_ok(db_keys_scan(tmpdir_path(&dir, "a.db"), 1, &others));
	check_uint(others, 0);
	check_ok(db_keys_scan(tmpdir_path(&dir, "a.db"), 2, &others));
	assert_int_equal(stat(tmpdir_path(&dir, "a.db-wal"), &st), 0);
	frames = (uint64_t)(st.st_size - WAL_HEAD) / FRAME_LEN;
	check_uint(others, frames + 1); /* and page 1, which was written before it was a WAL database */
	db_rollback(db);
	ring_put(keys, 2, SEAL_SM4);
	check_ok(db_keys_activate(keys, 2));
	check_ok(db_exec(db, "INSERT INTO t(name) VALUES('with the new key')"));
	check_ok(db_keys_scan(tmpdir_path(&dir, "a.db"), 2, &others));
	check_uint(others, frames + 1);
	db_close(db); /* carries the pages over, and seals them with the active key on the way */
	check_ok(db_keys_scan(tmpdir_path(&dir, "a.db"), 2, &others));
	check_ok(db_keys_scan(tmpdir_path(&dir, "a.db"), 1, &frames));
	check_true(frames > 1);
	assert_int_equal(stat(tmpdir_path(&dir, "a.db"), &st), 0);
	check_uint(frames + others, (uint64_t)st.st_size / PAGE_LEN);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* A lock of another process shows whether ours is still held: POSIX drops a process's locks on a file when it closes
 * any descriptor of it. */
static void the_scan_leaves_locks_alone(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	char path[320], command[400];
	struct tmpdir dir;
	uint64_t others;
	struct db *db;

	(void)state;
	tmpdir_init(&dir);
	snprintf(path, sizeof(path), "%s", tmpdir_path(&dir, "a.db"));
	db = sealed_open(path, keys);
	check_int(ask(db, "SELECT count(*) FROM t"), 0);
	snprintf(command, sizeof(command), "grep -q \":$(stat -c %%i %s) \" /proc/locks", path);
	check_int(system(command), 0);
	check_ok(db_keys_scan(path, 1, &others));
	check_int(system(command), 0);
	db_close(db);
	check_true(system(command) != 0);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void *write_rows(void *ctx)
{
	intptr_t r = 0;

	for (int i = 0; r == 0 && i < 200; i++)
		r = db_exec(ctx, "INSERT INTO t(name, b) VALUES('n', randomblob(3000))");
	return (void *)r;
}

static void *read_rows(void *ctx)
{
	intptr_t r = 0;

	for (int i = 0; r == 0 && i < 100; i++)
		r = db_exec(ctx, "SELECT sum(length(b)), max(name) FROM t");
	return (void *)r;
}

static void threads_use_the_ring_while_it_changes(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	pthread_t writer, reader;
	struct tmpdir dir;
	void *r_write, *r_read;
	struct db *db, *other;

	(void)state;
	tmpdir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	other = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	check_ok(pthread_create(&writer, NULL, write_rows, db));
	check_ok(pthread_create(&reader, NULL, read_rows, other));
	for (uint32_t id = 2; id <= DB_KEYS_MAX; id++) {
		ring_put(keys, id, id % 2 ? SEAL_XCHACHA : SEAL_SM4);
		check_ok(db_keys_activate(keys, id));
		check_uint(db_keys_stats(keys).refused, 0);
		usleep(3000);
	}
	check_ok(pthread_join(writer, &r_write));
	check_ok(pthread_join(reader, &r_read));
	check_int((intptr_t)r_write, 0);
	check_int((intptr_t)r_read, 0);
	check_int(ask(other, "SELECT count(*) FROM t"), 200);
	db_close(other);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(keys_come_and_go),
		cmocka_unit_test(two_rings_live_side_by_side),
		cmocka_unit_test(figures_tell_what_happened),
		cmocka_unit_test(the_scan_counts_pages_of_other_keys),
		cmocka_unit_test(the_scan_leaves_locks_alone),
		cmocka_unit_test(threads_use_the_ring_while_it_changes),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
