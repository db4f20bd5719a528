#pragma once
/* db - SQLite with our settings: WAL, 64 reserved bytes a page, no trust in the schema; cached statements.
 *
 *   above   sys/store, and the jobs that row 3 and 5 modules run on its thread
 *   below   base/base  base/bytes  base/text  sys/db_inside  sys/db_vfs_inside
 *   owns    struct db and its statements
 *   limits  DB_STMTS_MAX DB_ERROR_MAX
 *   errors  DB_E_NEWER DB_E_NOTADB; everything else is an errno: ENOSPC full, EIO, EBADMSG corrupt, EBUSY,
 *           EEXIST a constraint (or a trigger's RAISE), EPERM refused by the guard, EINVAL wrong SQL
 *
 * Page size 4096 and 64 reserved bytes from the first day, so that the page-AEAD VFS of the vault needs no
 * new layout. synchronous is set before journal_mode=WAL (see research on power cuts: otherwise the switch
 * to WAL itself can be undone).
 */
#include "base/base.h"
#include "base/bytes.h"

enum { DB_STMTS_MAX = 96, DB_ERROR_MAX = 200 /* with its NUL */ };
enum { DB_E_NEWER = 1, DB_E_NOTADB = 2 };
enum db_sync { DB_SYNC_NORMAL, DB_SYNC_EXTRA };

struct db;
struct db_keys;
struct stmt;

struct db_migration {
	uint32_t version; /* 1, 2, 3 ... in order */
	const char *sql;  /* run in one transaction together with the version's update */
};

struct db_options {
	enum db_sync sync;
	/* After the migrations an authorizer refuses: UPDATE and DELETE of tables whose name begins
	 * with append_table (NULL: of all), every change of the schema, ATTACH, VACUUM, and every
	 * pragma that is not a question. What INSERT can do (REPLACE, a number out of order) is for
	 * the triggers in the owner's migrations. */
	bool append_only;
	const char *append_table;
	const struct db_migration *migrations;
	size_t n_migrations;
	/* Every page of it sealed; a file that is not sealed is DB_E_NOTADB. Borrowed until db_close. NULL: a plain
	 * database, for tests and tools. */
	struct db_keys *keys;
	/* -ENOENT when there is none: for a file that somebody else makes and removes. */
	bool must_exist;
};

/* Opens or creates path (mode 0600) and migrates it. DB_E_NEWER: schema is newer than ours, not touched.
 * One thread at a time may use a db; which one may change between calls. */
must_check int db_open(const char *path, const struct db_options *options, struct db **ret);
struct db *db_close(struct db *db);
const char *db_error(const struct db *db); /* of the last failed call; for logs */
const char *db_path(const struct db *db);  /* absolute */
must_check int db_exec(struct db *db, const char *sql);
/* For the next transactions: commits reach the disk, or (of a DB_SYNC_NORMAL database only) the kernel. */
must_check int db_set_sync(struct db *db, bool full);
must_check int db_flush(struct db *db); /* what NORMAL commits left with the kernel reaches the disk now */
int64_t db_changes(const struct db *db);
/* Frames written to the WAL, each with its header, and pages that checkpoints carried from there to
 * the database; a page that is in the WAL several times is carried once but counted each time, so it
 * is an upper bound. */
uint64_t db_bytes_written(const struct db *db);
size_t db_wal_bytes(const struct db *db); /* as of the last commit */
/* PASSIVE checkpoint; never waits for readers. Nothing else checkpoints but the last close. */
must_check int db_checkpoint(struct db *db);

/* Writes every page anew, sealed with the active key, and empties the WAL; no transaction may be open. Cut anywhere, each page opens
 * with the old or the new key. Afterwards db_keys_scan finds none with the old one. */
must_check int db_rewrite(struct db *db);

/* A transaction that means to write. Ending it resets every statement; a failed commit has rolled back. */
must_check int db_begin(struct db *db);
must_check int db_commit(struct db *db);
void db_rollback(struct db *db); /* nothing to do is fine */
bool db_in_transaction(const struct db *db);
/* One mark inside of a transaction, to which it can be taken back. */
must_check int db_mark(struct db *db);
must_check int db_unmark(struct db *db);
must_check int db_back_to_mark(struct db *db);

/* Prepared once a db and SQL text (pointer identity: pass string literals), reset and cleared at each call.
 * -ENOBUFS: more than DB_STMTS_MAX different texts. */
must_check int db_prepare(struct db *db, const char *sql_literal, struct stmt **ret);
void stmt_bind_i64(struct stmt *s, int col, int64_t v); /* col from 1 */
void stmt_bind_f64(struct stmt *s, int col, double v);
/* NULL binds NULL. Text and blob are borrowed until the last step. */
void stmt_bind_text(struct stmt *s, int col, const char *text);
void stmt_bind_blob(struct stmt *s, int col, const void *data, size_t len);
void stmt_bind_null(struct stmt *s, int col);
/* 1: a row is there; 0: done and reset; negative errno, also of an earlier bind: reset. */
must_check int stmt_step(struct stmt *s);
must_check int stmt_run(struct stmt *s); /* steps to the end; rows are passed over */
int64_t stmt_i64(struct stmt *s, int col); /* col from 0 */
double stmt_f64(struct stmt *s, int col);
const char *stmt_text(struct stmt *s, int col); /* "" for NULL; valid until the next step */
struct view stmt_blob(struct stmt *s, int col);
bool stmt_is_null(struct stmt *s, int col);
void stmt_reset(struct stmt *s);
