#pragma once
/* sealed_home - a ring of keys, a database sealed with it, and a look at raw files, for the tests of sealed pages. */
#include "check.h"

#include <fcntl.h>
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/db.h"
#include "sys/db_keys.h"
#include "tmpdir.h"

static const struct db_migration migrations[] = {
	{ 1, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, b BLOB) STRICT;"
	     "CREATE INDEX t_name ON t(name);" },
};

/* Where a sync costs nothing: these tests open a database some thousand times. */
static inline void memory_dir_init(struct tmpdir *dir)
{
	memset(dir, 0, sizeof(*dir));
	snprintf(dir->path, sizeof(dir->path), "/dev/shm/gw-test-XXXXXX");
	if (!mkdtemp(dir->path))
		tmpdir_init(dir);
}

static inline void ring_put(struct db_keys *keys, uint32_t id, enum seal_suite suite)
{
	uint8_t key[SEAL_KEY_LEN];

	memset(key, (int)id, sizeof(key));
	check_ok(db_keys_put(keys, id, suite, key));
}

static inline struct db_keys *ring_of(uint32_t id, enum seal_suite suite)
{
	struct db_keys *keys;

	check_ok(db_keys_new(&keys));
	ring_put(keys, id, suite);
	check_ok(db_keys_activate(keys, id));
	return keys;
}

static inline int sealed_try(const char *path, struct db_keys *keys, enum db_sync sync, struct db **ret)
{
	const struct db_options options = { .sync = sync, .migrations = migrations, .n_migrations = 1, .keys = keys };

	return db_open(path, &options, ret);
}

static inline struct db *sealed_open(const char *path, struct db_keys *keys)
{
	struct db *db;

	check_ok(sealed_try(path, keys, DB_SYNC_EXTRA, &db));
	return db;
}

static inline int64_t ask(struct db *db, const char *sql_literal)
{
	struct stmt *s;
	int64_t v;
	int r = db_prepare(db, sql_literal, &s);

	if (r == 0)
		r = stmt_step(s);
	if (r < 0)
		return r;
	check_int(r, 1);
	v = stmt_i64(s, 0);
	stmt_reset(s);
	return v;
}

/* The whole file in memory of the heap; NULL when there is none. */
static inline uint8_t *slurp(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	*ret_len = 0;
	if (fd < 0)
		return NULL;
	assert_int_equal(fstat(fd, &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	assert_int_equal(pread(fd, data, (size_t)st.st_size, 0), st.st_size);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return data;
}

static inline void spill(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(pwrite(fd, data, len, 0), len);
	close(fd);
}

/* A database and its WAL as they lie on the disk at one moment; the file's name is a.db always. */
struct image {
	uint8_t *db, *wal;
	size_t n_db, n_wal;
};

static inline void image_take(struct image *image, struct tmpdir *dir)
{
	image->db = slurp(tmpdir_path(dir, "a.db"), &image->n_db);
	image->wal = slurp(tmpdir_path(dir, "a.db-wal"), &image->n_wal);
}

static inline void image_lay(const struct image *image, struct tmpdir *dir)
{
	unlink(tmpdir_path(dir, "a.db-shm"));
	unlink(tmpdir_path(dir, "a.db-wal"));
	unlink(tmpdir_path(dir, "a.db-wal.damaged"));
	unlink(tmpdir_path(dir, "a.db-journal"));
	spill(tmpdir_path(dir, "a.db"), image->db, image->n_db);
	if (image->wal)
		spill(tmpdir_path(dir, "a.db-wal"), image->wal, image->n_wal);
}

static inline void image_free(struct image *image)
{
	free(image->db);
	free(image->wal);
}
