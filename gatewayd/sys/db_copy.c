/* SQLite's online backup, page by page, from a connection that holds one read transaction from the first page to the last: so
 * nothing that a writer does in between makes it begin again. The copy is made without a journal, for who finds half a
 * copy throws it away; a journal would hold pages in the clear.
 */
#include "sys/db_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include "base/text.h"
#include "sys/db_vfs_inside.h"

enum { STEP_PAGES = 256, BUSY_MS = 2000, RESERVED = 64 };

DEFINE_CLEANUP(sqlite3_close, sqlite3 *)

must_check static int to_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_CORRUPTFS)
			return -EBADMSG;
		return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -ENOSPC : -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CANTOPEN:
		return -ENOENT;
	default:
		return -EINVAL;
	}
}

must_check static int open_with(const char *path, struct db_keys *keys, sqlite3 **ret)
{
	sqlite3 *handle = NULL;
	int rc;

	if (access(path, F_OK) < 0)
		return -errno;
	errno = 0;
	rc = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
			     keys ? db_vfs_name(db_keys_vfs(keys)) : NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_extended_result_codes(handle, 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (rc == SQLITE_OK) /* a reader leaves the WAL to its writer */
		rc = sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_busy_timeout(handle, BUSY_MS);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(handle, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA cache_size=-512; PRAGMA cell_size_check=ON;", NULL,
				  NULL, NULL);
	if (rc != SQLITE_OK) {
		sqlite3_close(handle);
		return to_errno(rc);
	}
	*ret = handle;
	return 0;
}

/* The first column of the first row; text is NULL-safe. */
must_check static int ask(sqlite3 *handle, const char *sql, int64_t *ret, char *ret_text, size_t cap)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);

	errno = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW && ret)
		*ret = sqlite3_column_int64(stmt, 0);
	if (rc == SQLITE_ROW && ret_text)
		text_copy(ret_text, cap, (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return to_errno(rc);
}

must_check static int version_of(sqlite3 *handle, uint32_t *ret)
{
	int64_t version = 0;
	int r = ask(handle, "PRAGMA user_version", &version, NULL, 0);

	if (r == 0)
		*ret = (uint32_t)version;
	return r;
}

int db_schema_version(const char *path, struct db_keys *keys, uint32_t *ret)
{
	sqlite3 *handle cleanup(sqlite3_closep) = NULL;
	int r = open_with(path, keys, &handle);

	return r ? r : version_of(handle, ret);
}

must_check static int carry(sqlite3 *from, sqlite3 *to, const atomic_bool *cancel)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int rc = SQLITE_OK, end;

	if (!backup)
		return to_errno(sqlite3_errcode(to));
	errno = 0;
	while (rc == SQLITE_OK && !(cancel && atomic_load(cancel)))
		rc = sqlite3_backup_step(backup, STEP_PAGES);
	end = sqlite3_backup_finish(backup);
	if (rc == SQLITE_OK)
		return -ECANCELED;
	return to_errno(rc == SQLITE_DONE ? end : rc);
}

must_check static int copy_into(sqlite3 *from, const char *to, struct db_keys *keys, const atomic_bool *cancel)
{
	sqlite3 *copy cleanup(sqlite3_closep) = NULL;
	int reserved = RESERVED, rc;
	int r = open_with(to, keys, &copy);

	if (r)
		return r;
	rc = sqlite3_exec(copy, "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_file_control(copy, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
	return rc == SQLITE_OK ? carry(from, copy, cancel) : to_errno(rc);
}

int db_copy(const char *from, const char *to, struct db_keys *keys, const atomic_bool *cancel, uint32_t *ret_version)
{
	sqlite3 *source cleanup(sqlite3_closep) = NULL;
	uint32_t version = 0;
	int fd, r = open_with(from, keys, &source);

	/* From here to the close it sees one moment. */
	if (r == 0)
		r = to_errno(sqlite3_exec(source, "BEGIN", NULL, NULL, NULL));
	if (r == 0)
		r = version_of(source, &version);
	if (r)
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	r = copy_into(source, to, keys, cancel);
	if (r) {
		unlink(to);
		return r;
	}
	*ret_version = version;
	return 0;
}

int db_check_whole(const char *path, struct db_keys *keys)
{
	sqlite3 *handle cleanup(sqlite3_closep) = NULL;
	char word[16] = "";
	int r = open_with(path, keys, &handle);

	if (r == 0)
		r = ask(handle, "PRAGMA integrity_check(1)", NULL, word, sizeof(word));
	return r == 0 && !text_equal(word, "ok") ? -EBADMSG : r;
}
