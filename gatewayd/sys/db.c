/* SQLite with its defaults turned to what a gateway needs: a power cut loses nothing that was
 * acknowledged, a tampered schema runs no code, deleted rows leave no trace, and memory stays
 * small.
 *
 * The order of the first steps matters. The page size and the reserved bytes must come before the
 * first write. synchronous=EXTRA must come before journal_mode=WAL, whatever it is afterwards: else
 * the directory entry of the journal of that switch may come back after a power cut and roll the
 * new file back to nothing. And until we know that the schema is not newer than ours, closing must
 * not checkpoint, or we would have written to it.
 */
#include "sys/db.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/text.h"
#include "sys/db_inside.h"
#include "sys/db_vfs_inside.h"

enum {
	DB_PAGE = 4096,
	DB_RESERVED = 64,
	DB_FRAME = DB_PAGE + 24, /* a page in the WAL with its header */
	DB_BUSY_MS = 2000,	 /* somebody else may read: a backup, a verifier */
};

static const char first_settings[] = "PRAGMA page_size=4096;";

static const char settings[] =
	"PRAGMA temp_store=MEMORY;"
	"PRAGMA mmap_size=0;"
	"PRAGMA cache_size=-1024;"
	"PRAGMA secure_delete=ON;"
	"PRAGMA foreign_keys=ON;"
	"PRAGMA recursive_triggers=ON;" /* a REPLACE must fire delete triggers */
	"PRAGMA cell_size_check=ON;"
	"PRAGMA journal_size_limit=4194304;"
	"PRAGMA synchronous=EXTRA;";

const char *db_error(const struct db *db)
{
	return db->error;
}

/* A full disk shows as FULL, but a quota or a file size limit as an I/O error with the reason in
 * errno: SQLite's own record of that is not kept when a commit fails. errno was cleared before the
 * call. */
static int io_errno(void)
{
	int system = errno;

	if (system == ENOSPC || system == EDQUOT || system == EFBIG)
		return -ENOSPC;
	return -EIO;
}

int db_fail(struct db *db, int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	default:
		break;
	}
	text_copy(db->error, sizeof(db->error), sqlite3_errmsg(db->handle));
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		return rc == SQLITE_IOERR_DATA ? -EBADMSG : io_errno();
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
		return sqlite3_system_errno(db->handle) ? -sqlite3_system_errno(db->handle) : -EIO;
	case SQLITE_AUTH:
	case SQLITE_PERM:
		return -EPERM;
	case SQLITE_TOOBIG:
		return -E2BIG;
	default:
		return -EINVAL;
	}
}

int db_exec(struct db *db, const char *sql)
{
	errno = 0;
	return db_fail(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int db_pragma_i64(struct db *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *handle = NULL;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &handle, NULL), r;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(handle);
	r = rc == SQLITE_DONE ? -EINVAL : db_fail(db, rc);
	if (r == 0)
		*ret = sqlite3_column_int64(handle, 0);
	if ((rc & 0xff) == SQLITE_NOTADB)
		r = DB_E_NOTADB;
	sqlite3_finalize(handle);
	return r;
}

/* Opening */

/* Nobody else may read it, from its first moment. The file is not opened when it exists: closing a
 * second descriptor would drop the locks that another connection of this process holds on it. */
static int file_prepare(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EEXIST)
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
	if ((st.st_mode & 077) && chmod(path, 0600) < 0)
		return -errno;
	return 0;
}

static int on_commit(void *ctx, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = ctx;

	(void)handle;
	(void)name;
	db->wal_pages = (unsigned)pages;
	return SQLITE_OK;
}

static int db_harden(struct db *db)
{
	static const struct {
		int option, value;
	} rows[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	};
	int rc = sqlite3_extended_result_codes(db->handle, 1);

	for (size_t i = 0; rc == SQLITE_OK && i < N_ELEMENTS(rows); i++)
		rc = sqlite3_db_config(db->handle, rows[i].option, rows[i].value, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	return db_fail(db, rc);
}

/* The version is the first thing read, and nothing has been written when it is too new. */
static int db_read_version(struct db *db, const struct db_options *options, uint32_t *ret)
{
	uint32_t ours =
		options->n_migrations ? options->migrations[options->n_migrations - 1].version : 0;
	int reserved = DB_RESERVED, r;
	int64_t version;

	r = db_exec(db, first_settings);
	if (r == 0)
		r = db_fail(db, sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_RESERVE_BYTES,
						     &reserved));
	if (r == 0)
		r = db_pragma_i64(db, "PRAGMA user_version", &version);
	if (r)
		return r;
	if (version < 0 || version > ours)
		return DB_E_NEWER;
	*ret = (uint32_t)version;
	return 0;
}

static int db_switch_to_wal(struct db *db)
{
	sqlite3_stmt *handle = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &handle, NULL), r;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(handle);
	r = db_fail(db, rc);
	if (r == 0 && !text_equal((const char *)sqlite3_column_text(handle, 0), "wal"))
		r = -EOPNOTSUPP; /* a file system without shared memory */
	sqlite3_finalize(handle);
	return r;
}

static int db_migrate_one(struct db *db, const struct db_migration *migration)
{
	char version[48];
	int r = db_begin(db);

	if (r < 0)
		return r;
	text_print(version, sizeof(version), "PRAGMA user_version=%u", migration->version);
	r = db_exec(db, migration->sql);
	if (r == 0)
		r = db_exec(db, version);
	if (r == 0)
		r = db_commit(db);
	if (r < 0)
		db_rollback(db);
	return r;
}

static int db_migrate(struct db *db, const struct db_options *options, uint32_t version)
{
	for (size_t i = 0; i < options->n_migrations; i++) {
		const struct db_migration *migration = &options->migrations[i];
		int r;

		assert(migration->version == i + 1);
		if (migration->version <= version)
			continue;
		r = db_migrate_one(db, migration);
		if (r < 0)
			return r;
	}
	return 0;
}

/* When SQLite has no descriptor for a moment and cannot open the file or its WAL for writing, it takes
 * them for reading and would refuse every write until it is closed. Whoever writes there just now is no
 * matter. */
static int db_check_writable(struct db *db)
{
	int r;

	if (sqlite3_db_readonly(db->handle, "main"))
		return -EROFS;
	sqlite3_busy_timeout(db->handle, 0);
	r = db_exec(db, "BEGIN IMMEDIATE");
	if (r == 0)
		r = db_exec(db, "ROLLBACK");
	sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	return r == -EBUSY ? 0 : r;
}

static int db_set_up(struct db *db, const struct db_options *options)
{
	uint32_t version;
	int r = db_harden(db);

	if (r == 0)
		r = db_read_version(db, options, &version);
	if (r == 0)
		r = db_exec(db, settings);
	if (r == 0)
		r = db_switch_to_wal(db);
	if (r)
		return r;
	db->full = true;
	sqlite3_wal_hook(db->handle, on_commit, db); /* in the place of the automatic checkpoint */
	r = db_check_writable(db);
	if (r == 0)
		r = db_migrate(db, options, version);
	if (r == 0)
		r = db_fail(db, sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
						  NULL));
	if (r == 0)
		r = db_set_sync(db, false);
	if (r == 0 && options->append_only) {
		db->append_table = options->append_table;
		db->guarded = true;
		r = db_fail(db, sqlite3_set_authorizer(db->handle, db_guard, db));
	}
	return r;
}

int db_open(const char *path, const struct db_options *options, struct db **ret)
{
	struct db *db;
	int r = options->must_exist ? 0 : file_prepare(path);

	if (options->must_exist && access(path, F_OK) != 0)
		r = -errno;
	if (r < 0)
		return r;
	db = calloc(1, sizeof(*db));
	if (!db)
		return -ENOMEM;
	db->sync = options->sync;
	r = sqlite3_open_v2(path, &db->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    options->keys ? db_vfs_name(db_keys_vfs(options->keys)) : NULL);
	if ((r & 0xff) == SQLITE_NOTADB)
		r = DB_E_NOTADB;
	else
		r = db->handle ? db_fail(db, r) : -ENOMEM;
	if (r == 0 && options->keys && options->sync != DB_SYNC_EXTRA)
		r = db_fail(db, sqlite3_file_control(db->handle, "main", DB_FCNTL_COMMITS_WAIT, NULL));
	if (r == 0)
		r = db_set_up(db, options);
	if (r) {
		db_close(db);
		return r;
	}
	*ret = db;
	return 0;
}

struct db *db_close(struct db *db)
{
	int rc;

	if (!db)
		return NULL;
	db_finalize(db);
	rc = sqlite3_close(db->handle);
	assert(rc == SQLITE_OK); /* every statement is ours */
	(void)rc;
	free(db);
	return NULL;
}

const char *db_path(const struct db *db)
{
	return sqlite3_db_filename(db->handle, "main");
}

/* What reaches the disk */

int db_set_sync(struct db *db, bool full)
{
	bool guarded = db->guarded;
	int r;

	full = full || db->sync == DB_SYNC_EXTRA;
	if (full == db->full)
		return 0;
	db->guarded = false;
	r = db_exec(db, full ? "PRAGMA synchronous=EXTRA" : "PRAGMA synchronous=NORMAL");
	db->guarded = guarded;
	if (r == 0)
		db->full = full;
	return r;
}

int db_flush(struct db *db)
{
	sqlite3_file *wal = NULL;
	int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);

	errno = 0;
	if (rc == SQLITE_OK && wal && wal->pMethods)
		rc = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
	if ((rc & 0xff) == SQLITE_IOERR)
		return io_errno();
	return db_fail(db, rc);
}

int db_checkpoint(struct db *db)
{
	int log = 0, done = 0, r;

	errno = 0;
	r = db_fail(db, sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &log,
						  &done));
	if (r < 0 || done < 0)
		return r;
	/* done counts from the start of the WAL, which begins anew once all of it was carried over.
	 */
	if ((unsigned)done < db->checkpointed)
		db->checkpointed = 0;
	db->carried_pages += (unsigned)done - db->checkpointed;
	db->checkpointed = done == log ? 0 : (unsigned)done;
	if (done == log)
		db->wal_pages = 0;
	return 0;
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}

uint64_t db_bytes_written(const struct db *db)
{
	int frames = 0, highest = 0;

	sqlite3_db_status(db->handle, SQLITE_DBSTATUS_CACHE_WRITE, &frames, &highest, 0);
	return (uint64_t)(unsigned)frames * DB_FRAME + db->carried_pages * DB_PAGE;
}

size_t db_wal_bytes(const struct db *db)
{
	return (size_t)db->wal_pages * DB_FRAME;
}

/* Transactions */

static int db_run(struct db *db, const char *literal)
{
	struct stmt *s;
	int r = db_prepare(db, literal, &s);

	return r < 0 ? r : stmt_run(s);
}

bool db_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

int db_begin(struct db *db)
{
	return db_run(db, "BEGIN IMMEDIATE");
}

int db_commit(struct db *db)
{
	int r;

	db_reset_statements(db);
	r = db_run(db, "COMMIT");
	if (r < 0)
		db_rollback(db);
	return r;
}

void db_rollback(struct db *db)
{
	char why[DB_ERROR_MAX];

	db_reset_statements(db);
	if (!db_in_transaction(db))
		return;
	/* A rollback's own failure leaves the transaction to the next open's recovery; why it came
	 * to that is told. */
	text_copy(why, sizeof(why), db->error);
	if (db_run(db, "ROLLBACK") < 0)
		text_copy(db->error, sizeof(db->error), why);
}

int db_mark(struct db *db)
{
	return db_run(db, "SAVEPOINT mark");
}

int db_unmark(struct db *db)
{
	return db_run(db, "RELEASE mark");
}

int db_back_to_mark(struct db *db)
{
	int r;

	db_reset_statements(db);
	r = db_run(db, "ROLLBACK TO mark");
	return r < 0 ? r : db_run(db, "RELEASE mark");
}
