#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "sys/crypto.h"
#include "sys/db.h"
#include "sys/db_copy.h"
#include "sys/host.h"
#include "tmpdir.h"

static const struct db_migration migrations[] = { { 1, "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b TEXT) STRICT" },
						  { 2, "CREATE INDEX t_b ON t (b)" } };
static const uint8_t key[SEAL_KEY_LEN] = { 9 };
static const char canary[] = "canary-that-nobody-may-find-on-disk";

struct home {
	struct tmpdir dir;
	struct db_keys *keys;
	struct db_options options;
	char from[128], to[128];
};

static void home_init(struct home *h, enum seal_suite suite)
{
	tmpdir_init(&h->dir);
	check_ok(db_keys_new(&h->keys));
	check_ok(db_keys_put(h->keys, 1, suite, key));
	check_ok(db_keys_activate(h->keys, 1));
	h->options = (struct db_options){ .sync = DB_SYNC_NORMAL, .migrations = migrations, .n_migrations = 2, .keys = h->keys };
	check_ok(host_mkdir(tmpdir_path(&h->dir, "staging"), 0700));
	strcpy(h->from, tmpdir_path(&h->dir, "gateway.db"));
	strcpy(h->to, tmpdir_path(&h->dir, "staging/gateway.db"));
}

static void home_deinit(struct home *h)
{
	db_keys_free(h->keys);
	tmpdir_deinit(&h->dir);
}

/* Two rows that must always say the same number. */
static void put_pair(struct db *db, int64_t n)
{
	struct stmt *s;

	check_ok(db_begin(db));
	check_ok(db_prepare(db, "INSERT INTO t (id, a, b) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET a = excluded.a", &s));
	for (int64_t id = 1; id <= 2; id++) {
		stmt_bind_i64(s, 1, id);
		stmt_bind_i64(s, 2, n);
		stmt_bind_text(s, 3, canary);
		check_ok(stmt_run(s));
	}
	check_ok(db_commit(db));
}

static void fill(struct db *db, int rows)
{
	struct stmt *s;

	check_ok(db_begin(db));
	check_ok(db_prepare(db, "INSERT INTO t (a, b) VALUES (0, ?)", &s));
	for (int i = 0; i < rows; i++) {
		stmt_bind_text(s, 1, canary);
		check_ok(stmt_run(s));
	}
	check_ok(db_commit(db));
}

static int64_t value(struct db *db, const char *sql)
{
	struct stmt *s;
	int64_t v;

	check_ok(db_prepare(db, sql, &s));
	check_int(stmt_step(s), 1);
	v = stmt_i64(s, 0);
	stmt_reset(s);
	return v;
}

static void same_rows_and_nothing_in_the_clear(void **state)
{
	(void)state;
	for (int suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
		struct home h;
		struct db *db = NULL, *copy = NULL;
		uint32_t version = 0;
		struct stat st;
		char *data = NULL;
		size_t len = 0;

		home_init(&h, (enum seal_suite)suite);
		check_ok(db_open(h.from, &h.options, &db));
		fill(db, 500);
		check_ok(db_checkpoint(db));
		put_pair(db, 7); /* is in the WAL only */
		check_ok(db_copy(h.from, h.to, h.keys, NULL, &version));
		check_uint(version, 2);
		check_int(db_copy(h.from, h.to, h.keys, NULL, &version), -EEXIST);
		assert_true(stat(h.to, &st) == 0);
		check_uint(st.st_mode & 0777, 0600);
		check_uint((uint64_t)st.st_size % 4096, 0);
		check_true(access(tmpdir_path(&h.dir, "staging/gateway.db-wal"), F_OK) < 0);
		check_true(access(tmpdir_path(&h.dir, "staging/gateway.db-journal"), F_OK) < 0);
		check_ok(host_read_file(h.to, 1 << 24, &data, &len));
		check_true(!memmem(data, len, canary, 16) && !memmem(data, len, "CREATE TABLE", 12));
		free(data);
		check_ok(db_check_whole(h.to, h.keys));
		check_ok(db_schema_version(h.to, h.keys, &version));
		check_uint(version, 2);
		put_pair(db, 8); /* the writer still can, the copy has it not */
		check_ok(db_open(h.to, &h.options, &copy));
		check_int(value(copy, "SELECT count(*) FROM t"), 500);
		check_int(value(copy, "SELECT sum(a) FROM t"), 14);
		db_close(copy);
		db_close(db);
		home_deinit(&h);
	}
}

struct writing {
	struct db *db;
	atomic_bool end;
	int64_t n;
};

static void *write_on(void *arg)
{
	struct writing *w = arg;

	while (!atomic_load(&w->end)) {
		put_pair(w->db, ++w->n);
		if (w->n % 50 == 0)
			check_ok(db_checkpoint(w->db));
	}
	return NULL;
}

/* Both rows of a pair are of one moment, and the writer got on during the copy. */
static void one_moment_while_somebody_writes(void **state)
{
	struct writing w = { 0 };
	struct home h;
	pthread_t thread;

	(void)state;
	home_init(&h, SEAL_XCHACHA);
	check_ok(db_open(h.from, &h.options, &w.db));
	fill(w.db, 20000);
	assert_true(pthread_create(&thread, NULL, write_on, &w) == 0);
	for (int i = 0; i < 5; i++) {
		struct db *copy = NULL;
		uint32_t version;

		check_ok(db_copy(h.from, h.to, h.keys, NULL, &version));
		check_ok(db_check_whole(h.to, h.keys));
		check_ok(db_open(h.to, &h.options, &copy));
		check_int(value(copy, "SELECT count(DISTINCT a) FROM t WHERE id <= 2"), 1);
		check_int(value(copy, "SELECT count(*) FROM t"), 20000);
		db_close(copy);
		unlink(h.to);
	}
	atomic_store(&w.end, true);
	pthread_join(thread, NULL);
	check_true(w.n > 5);
	db_close(w.db);
	home_deinit(&h);
}

static void failures(void **state)
{
	struct home h;
	struct db *db = NULL;
	atomic_bool cancel = true;
	uint32_t version;

	(void)state;
	home_init(&h, SEAL_XCHACHA);
	check_int(db_copy(h.from, h.to, h.keys, NULL, &version), -ENOENT);
	check_ok(db_open(h.from, &h.options, &db));
	fill(db, 5000);
	check_ok(db_checkpoint(db));
	check_int(db_copy(h.from, h.to, h.keys, &cancel, &version), -ECANCELED);
	check_true(access(h.to, F_OK) < 0);
	/* A full disk. */
	struct rlimit old, limit = { 100000, RLIM_INFINITY };

	assert_true(getrlimit(RLIMIT_FSIZE, &old) == 0 && signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_true(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	check_int(db_copy(h.from, h.to, h.keys, NULL, &version), -ENOSPC);
	assert_true(setrlimit(RLIMIT_FSIZE, &old) == 0);
	check_true(access(h.to, F_OK) < 0);
	db = db_close(db);
	/* A page that somebody changed: no copy of it is made. */
	int fd = open(h.from, O_RDWR | O_CLOEXEC);
	uint8_t byte = 0;

	assert_true(fd >= 0 && pread(fd, &byte, 1, 4096 * 20 + 77) == 1);
	byte ^= 1;
	assert_true(pwrite(fd, &byte, 1, 4096 * 20 + 77) == 1);
	check_int(db_copy(h.from, h.to, h.keys, NULL, &version), -EBADMSG);
	check_int(db_check_whole(h.from, h.keys), -EBADMSG);
	check_true(access(h.to, F_OK) < 0);
	byte ^= 1;
	assert_true(pwrite(fd, &byte, 1, 4096 * 20 + 77) == 1);
	close(fd);
	check_ok(db_copy(h.from, h.to, h.keys, NULL, &version));
	/* Another gateway's keys; a name that is not its own. */
	struct db_keys *other = NULL;

	check_ok(db_keys_new(&other));
	check_ok(db_keys_put(other, 1, SEAL_XCHACHA, (const uint8_t[SEAL_KEY_LEN]){ 1 }));
	check_ok(db_keys_activate(other, 1));
	check_int(db_check_whole(h.to, other), -EBADMSG);
	assert_true(rename(h.to, tmpdir_path(&h.dir, "staging/spool.db")) == 0);
	check_int(db_check_whole(tmpdir_path(&h.dir, "staging/spool.db"), h.keys), -EBADMSG);
	db_keys_free(other);
	home_deinit(&h);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(same_rows_and_nothing_in_the_clear),
		cmocka_unit_test(one_moment_while_somebody_writes),
		cmocka_unit_test(failures),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
