#pragma once
/* store_home - a table of numbers in a store's database, and a look at it from outside, for the store's tests. */
#include "check.h"

#include "sys/crypto.h"
#include "sys/db_keys.h"
#include "sys/store.h"
#include "tmpdir.h"

static const struct db_migration migrations[] = {
	{ 1, "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER UNIQUE) STRICT;" },
};
static struct db_options extra = { .sync = DB_SYNC_EXTRA,
					 .migrations = migrations,
					 .n_migrations = 1 };
static struct db_options normal = { .sync = DB_SYNC_NORMAL,
					  .migrations = migrations,
					  .n_migrations = 1 };

/* From here on the databases are sealed. The ring lives as long as the process. */
static inline void store_home_seal(void)
{
	const uint8_t key[SEAL_KEY_LEN] = { 1 };

	assert_int_equal(crypto_init(), 0);
	check_ok(db_keys_new(&extra.keys));
	check_ok(db_keys_put(extra.keys, 1, SEAL_XCHACHA, key));
	check_ok(db_keys_activate(extra.keys, 1));
	normal.keys = extra.keys;
}

static inline int64_t ask(struct db *db, const char *sql_literal)
{
	struct stmt *s;
	int64_t v;

	if (db_prepare(db, sql_literal, &s) < 0 || stmt_step(s) != 1)
		return -1;
	v = stmt_i64(s, 0);
	stmt_reset(s);
	return v;
}

static inline int64_t count_rows(struct tmpdir *dir, const char *name, const char *sql_literal)
{
	struct db *db;
	int64_t n;

	check_ok(db_open(tmpdir_path(dir, name), &extra, &db));
	n = ask(db, sql_literal);
	db_close(db);
	return n;
}
