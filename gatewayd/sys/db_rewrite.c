/* Every page written anew, without a second copy of the database and without SQL: SQLite's backup,
 * from the database to itself. One connection reads a snapshot, the other one, ours, takes each
 * page into one transaction. So the new pages go through the WAL like any others, are sealed with
 * the active key on the way, and a cut at any moment leaves the transaction whole or not at all; it
 * needs no more memory than the page cache has, and moves no row. (VACUUM would do too, but builds
 * the whole database in memory; VACUUM INTO and a rename would leave the old file's WAL beside the
 * new file when the power goes.)
 *
 * The WAL grows to the size of the database for that time. Then it is carried over and cut, which
 * takes the last pages with an older key out of the state folder.
 */
#include <assert.h>
#include "sys/db_inside.h"
#include "sys/db_vfs_inside.h"

enum { STEP_PAGES = 64 };

/* Nobody may commit between the snapshot and our taking the write lock: their pages would be undone
 * by older ones. version changes when somebody did. */
static int data_version(struct db *db, unsigned *ret)
{
	int64_t ignored;
	int r = db_pragma_i64(db, "PRAGMA user_version", &ignored); /* looks at the file */

	if (r)
		return r < 0 ? r : -EBADMSG;
	return db_fail(db, sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_DATA_VERSION, ret));
}

static int copy_pages(struct db *db, sqlite3_backup *backup, unsigned version)
{
	int rc = sqlite3_backup_step(backup, 1);
	unsigned now = version;

	if (rc == SQLITE_OK || rc == SQLITE_DONE) {
		sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_DATA_VERSION, &now);
		if (rc == SQLITE_OK && now != version)
			rc = SQLITE_BUSY;
	}
	while (rc == SQLITE_OK)
		rc = sqlite3_backup_step(backup, STEP_PAGES);
	return rc;
}

static int copy_onto_itself(struct db *db, sqlite3 *source)
{
	sqlite3_backup *backup;
	unsigned version;
	int r = data_version(db, &version), rc;

	if (r == 0 && sqlite3_exec(source, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL,
				   NULL) != SQLITE_OK)
		r = -EIO;
	if (r)
		return r;
	errno = 0;
	backup = sqlite3_backup_init(db->handle, "main", source, "main");
	if (!backup)
		return db_fail(db, sqlite3_extended_errcode(db->handle));
	rc = copy_pages(db, backup, version);
	r = rc == SQLITE_DONE ? 0 : db_fail(db, rc);
	rc = sqlite3_backup_finish(backup); /* rolls back what is not done */
	return r ? r : db_fail(db, rc);
}

/* Carries all of it over and leaves no frame; waits for readers as long as a writer would. */
static int empty_wal(struct db *db)
{
	int left = 0, done = 0, r;

	errno = 0;
	r = db_fail(db, sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE,
						  &left, &done));
	if (r == 0)
		r = db_flush(db); /* the cut reaches the disk */
	if (r == 0)
		db->wal_pages = db->checkpointed = 0;
	return r;
}

int db_rewrite(struct db *db)
{
	sqlite3_vfs *vfs = NULL;
	sqlite3 *source = NULL;
	bool full = db->full;
	int r;

	assert(!db_in_transaction(db));
	db_reset_statements(db);
	r = db_fail(db, sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_VFS_POINTER, &vfs));
	if (r)
		return r;
	if (sqlite3_open_v2(sqlite3_db_filename(db->handle, "main"), &source,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			    vfs->zName) != SQLITE_OK)
		r = -EIO;
	if (r == 0)
		r = db_set_sync(db, true);
	if (r == 0)
		r = copy_onto_itself(db, source);
	sqlite3_close(source);
	if (r == 0)
		r = empty_wal(db);
	if (r == 0)
		r = db_set_sync(db, full);
	return r;
}
