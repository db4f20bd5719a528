#pragma once
/* db_inside - what db.c, db_guard.c and db_stmt.c share; nobody else includes it.
 *
 *   above   sys/db  sys/db_guard  sys/db_stmt
 *   below   base/base  sys/db
 *   owns    -
 *   limits  -
 */
#include <sqlite3.h>
#include "base/base.h"
#include "sys/db.h"

enum { DB_INDEX_SLOTS = 256 };

struct stmt {
	struct db *db;
	sqlite3_stmt *handle;
	const char *literal;
	int bind_rc;
};

struct db {
	sqlite3 *handle;
	enum db_sync sync;
	bool full; /* what synchronous is at present */
	bool guarded;
	const char *append_table;
	unsigned wal_pages, checkpointed;
	uint64_t carried_pages;
	struct stmt stmts[DB_STMTS_MAX];
	unsigned n_stmts;
	uint8_t index[DB_INDEX_SLOTS]; /* literal's hash to statement's number + 1; 0 is free */
	char error[DB_ERROR_MAX];
};

/* The one translation of SQLite's results; keeps the text for db_error. 0 for OK, ROW and DONE. */
must_check int db_fail(struct db *db, int rc);
void db_finalize(struct db *db);
void db_reset_statements(struct db *db);
must_check int db_pragma_i64(struct db *db, const char *sql, int64_t *ret);

int db_guard(void *ctx, int action, const char *a, const char *b, const char *database, const char *trigger);
