#pragma once
/* db - SQLite with our settings: WAL, 64 reserved bytes a page, no trust in the schema; cached statements.
 *
 *   above   sys/store, and the jobs that row 3 and 5 modules run on its thread
 *   below   base/base  base/bytes
 *   owns    struct db and its statements
 *   limits  DB_STMTS_MAX
 *   errors  DB_E_CONSTRAINT DB_E_NEWER DB_E_NOTADB
 *
 * Page size 4096 and 64 reserved bytes from the first day, so that the page-AEAD VFS of the vault needs no
 * new layout. synchronous is set before journal_mode=WAL (see research on power cuts: otherwise the switch
 * to WAL itself can be undone).
 */
#include "base/base.h"
#include "base/bytes.h"

enum { DB_STMTS_MAX = 96 };
enum { DB_E_CONSTRAINT = 1, DB_E_NEWER = 2, DB_E_NOTADB = 3 };
enum db_sync { DB_SYNC_NORMAL, DB_SYNC_EXTRA };

struct db;
struct stmt;

struct db_migration {
	uint32_t version; /* 1, 2, 3 ... in order */
	const char *sql;  /* run in one transaction together with the version's update */
};

struct db_options {
	enum db_sync sync;
	bool append_only; /* authorizer refuses UPDATE, DELETE, DROP, ALTER, ATTACH and trigger tricks; DEFENSIVE */
	const char *append_table; /* table (prefix) that append_only guards */
	const struct db_migration *migrations;
	size_t n_migrations;
};

/* Opens or creates path (mode 0600) and migrates it. DB_E_NEWER: schema is newer than ours, not touched. */
must_check int db_open(const char *path, const struct db_options *options, struct db **ret);
struct db *db_close(struct db *db);
const char *db_error(const struct db *db); /* of the last failed call; for logs */
must_check int db_exec(struct db *db, const char *sql);
must_check int db_set_sync(struct db *db, bool full); /* for the next transactions: FULL or NORMAL */
int64_t db_changes(const struct db *db);
uint64_t db_bytes_written(const struct db *db); /* pages written to database and WAL, in bytes */
/* PASSIVE checkpoint; never waits for readers. */
must_check int db_checkpoint(struct db *db);

/* Prepared once a db and SQL text (pointer identity: pass string literals), reset and cleared at each call. */
must_check int db_prepare(struct db *db, const char *sql_literal, struct stmt **ret);
void stmt_bind_i64(struct stmt *s, int col, int64_t v); /* col from 1 */
void stmt_bind_f64(struct stmt *s, int col, double v);
void stmt_bind_text(struct stmt *s, int col, const char *text); /* NULL binds NULL; borrowed until the step ends */
void stmt_bind_blob(struct stmt *s, int col, const void *data, size_t len);
void stmt_bind_null(struct stmt *s, int col);
/* 1: a row is there; 0: done (statement is reset); DB_E_CONSTRAINT+100 never: constraint comes as -EEXIST; else negative. */
must_check int stmt_step(struct stmt *s);
must_check int stmt_run(struct stmt *s); /* step to the end; 0, -EEXIST for a constraint, or negative errno */
int64_t stmt_i64(struct stmt *s, int col); /* col from 0 */
double stmt_f64(struct stmt *s, int col);
const char *stmt_text(struct stmt *s, int col); /* "" for NULL; valid until the next step */
struct view stmt_blob(struct stmt *s, int col);
bool stmt_is_null(struct stmt *s, int col);
void stmt_reset(struct stmt *s);
