/* A VFS that stands on the stock one and lets through what it need not understand. It knows three
 * kinds of file: a database, whose pages it seals; its WAL (db_vfs_wal.c); and a rollback journal,
 * of which SQLite needs the bare header once, when a new database is switched to WAL. A page in a
 * journal is refused in both directions: written it would be in clear, and one that somebody laid
 * there would be sealed by us when it is played back. Temporary files are refused; SQLite keeps
 * such things in memory because of temp_store.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/db_vfs_inside.h"

enum { JOURNAL_PIECE = 512 }; /* its header is written and read in less than that, pages are more */

struct db_vfs {
	sqlite3_vfs vfs;
	sqlite3_vfs *below;
	struct db_keys *keys;
	char name[40];
};

static struct db_file *file_of(sqlite3_file *file)
{
	return (struct db_file *)file;
}

/* Pages of a database */

int db_file_refuse(struct db_file *file, int64_t offset)
{
	db_keys_count_refused(file->keys, file->path, offset);
	return SQLITE_IOERR_DATA;
}

static const uint8_t *next_nonce(struct db_file *file)
{
	if (file->n_nonces == 0) {
		crypto_random(file->nonces, sizeof(file->nonces));
		file->n_nonces = DB_FILE_NONCES;
	}
	return file->nonces + (size_t)--file->n_nonces * SEAL_NONCE_LEN;
}

static bool ends_in_zeros(const uint8_t *page)
{
	static const uint8_t zeros[PAGE_TRAILER];

	return memcmp(page + PAGE_TEXT, zeros, PAGE_TRAILER) == 0;
}

int db_file_seal(struct db_file *file, int64_t offset, const uint8_t *page, uint8_t *ret,
		 uint8_t *frame_head)
{
	const struct seal_key *key;
	uint32_t id;

	if (!ends_in_zeros(page))
		return SQLITE_IOERR_WRITE;
	key = db_keys_borrow_active(file->keys, &id);
	if (key) {
		page_place_move(&file->place, (uint64_t)offset, frame_head);
		page_seal(key, id, next_nonce(file), &file->place, page, ret);
		if (frame_head)
			frame_mask(key, ret, frame_head);
		db_keys_count_sealed(file->keys);
	}
	db_keys_return(file->keys);
	return key ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

bool db_file_open_page(struct db_file *file, int64_t offset, const uint8_t *sealed, uint8_t *ret)
{
	const struct seal_key *key = db_keys_borrow(file->keys, page_key_id(sealed));
	bool good = false;

	page_place_move(&file->place, (uint64_t)offset, NULL);
	if (key)
		good = page_open(key, &file->place, sealed, ret) == 0;
	else
		memset(ret, 0, PAGE_LEN);
	db_keys_return(file->keys);
	if (good)
		db_keys_count_opened(file->keys);
	return good;
}

/* Behind the end of the file there is nothing, but half a page is a damaged one. */
static int read_short(struct db_file *file, int64_t offset)
{
	sqlite3_int64 size = 0;
	int rc = file->below->pMethods->xFileSize(file->below, &size);

	if (rc != SQLITE_OK)
		return rc;
	return size <= offset ? SQLITE_IOERR_SHORT_READ : db_file_refuse(file, offset);
}

static int read_page(struct db_file *file, uint8_t *buf, int64_t offset)
{
	int rc = file->below->pMethods->xRead(file->below, buf, PAGE_LEN, offset);

	if (rc == SQLITE_IOERR_SHORT_READ)
		rc = read_short(file, offset);
	else if (rc == SQLITE_OK && !db_file_open_page(file, offset, buf, buf))
		rc = db_file_refuse(file, offset);
	if (rc != SQLITE_OK)
		memset(buf, 0, PAGE_LEN);
	return rc;
}

static bool lies_beside(struct db_file *file, const char *suffix)
{
	char path[4096];
	int there = 0;

	return text_print(path, sizeof(path), "%s%s", file->path, suffix) &&
	       file->below_vfs->xAccess(file->below_vfs, path, SQLITE_ACCESS_EXISTS, &there) == 0 &&
	       there;
}

/* SQLite looks at the first bytes before it has looked for a WAL. A page 1 that a power cut tore is
 * in the WAL as well, or its creation is undone by the journal, so there we say what those bytes
 * must have been. Nothing is decided by them: the page itself is read again, as a whole. */
static int read_first_bytes(struct db_file *file, uint8_t *buf, size_t len, int64_t offset)
{
	uint8_t page[PAGE_LEN];
	sqlite3_int64 size = 0;
	int rc;

	if (offset < 0 || (size_t)offset + len > sizeof(page_first_bytes))
		return SQLITE_IOERR_READ;
	rc = file->below->pMethods->xFileSize(file->below, &size);
	if (rc != SQLITE_OK || size == 0)
		return rc != SQLITE_OK ? rc : SQLITE_IOERR_SHORT_READ;
	rc = file->below->pMethods->xRead(file->below, page, PAGE_LEN, 0);
	if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
		return rc;
	bool ours = rc == SQLITE_OK && (page_looks_sealed(page) || db_keys_know(file->keys, page_key_id(page)));

	if (rc == SQLITE_OK && db_file_open_page(file, 0, page, page)) {
		memcpy(buf, page + offset, len);
	} else if (ours || lies_beside(file, "-wal") || lies_beside(file, "-journal")) {
		memcpy(buf, page_first_bytes + offset, len);
	} else {
		return SQLITE_NOTADB;
	}
	crypto_wipe(page, sizeof(page));
	return SQLITE_OK;
}

static int main_read(struct db_file *file, void *buf, int amt, int64_t offset)
{
	int rc;

	if (amt == PAGE_LEN && offset % PAGE_LEN == 0)
		return read_page(file, buf, offset);
	rc = read_first_bytes(file, buf, (size_t)amt, offset);
	if (rc != SQLITE_OK)
		memset(buf, 0, (size_t)amt);
	return rc;
}

static int main_write(struct db_file *file, const void *buf, int amt, int64_t offset)
{
	int rc;

	if (amt != PAGE_LEN || offset % PAGE_LEN != 0)
		return SQLITE_IOERR_WRITE;
	rc = db_file_seal(file, offset, buf, file->scratch, NULL);
	if (rc != SQLITE_OK)
		return rc;
	return file->below->pMethods->xWrite(file->below, file->scratch, PAGE_LEN, offset);
}

/* A journal is of use only while a database is being made: not yet more than its first page, and no
 * WAL. One that comes back later, after a power cut or by somebody's hand, would cut the database
 * off; it reads as one that has ended. */
static int journal_read(struct db_file *file, void *buf, int amt, int64_t offset)
{
	sqlite3_int64 size = 0;
	int rc = file->main->below->pMethods->xFileSize(file->main->below, &size);

	if (rc != SQLITE_OK)
		return rc;
	if (amt >= JOURNAL_PIECE)
		return SQLITE_IOERR_READ;
	if (size > PAGE_LEN || lies_beside(file->main, "-wal")) {
		memset(buf, 0, (size_t)amt);
		return SQLITE_IOERR_SHORT_READ;
	}
	return file->below->pMethods->xRead(file->below, buf, amt, offset);
}

static int journal_write(struct db_file *file, const void *buf, int amt, int64_t offset)
{
	if (amt > JOURNAL_PIECE)
		return SQLITE_IOERR_WRITE;
	return file->below->pMethods->xWrite(file->below, buf, amt, offset);
}

/* Methods of a file */

static int on_close(sqlite3_file *f)
{
	struct db_file *file = file_of(f);
	int settled = db_wal_settle(file);
	int rc = file->below->pMethods->xClose(file->below);

	return rc == SQLITE_OK ? settled : rc;
}

static int on_read(sqlite3_file *f, void *buf, int amt, sqlite3_int64 offset)
{
	struct db_file *file = file_of(f);

	switch (file->kind) {
	case DB_FILE_MAIN:
		return main_read(file, buf, amt, offset);
	case DB_FILE_WAL:
		return db_wal_read(file, buf, amt, offset);
	case DB_FILE_JOURNAL:
		return journal_read(file, buf, amt, offset);
	}
	return SQLITE_IOERR_READ;
}

static int on_write(sqlite3_file *f, const void *buf, int amt, sqlite3_int64 offset)
{
	struct db_file *file = file_of(f);

	switch (file->kind) {
	case DB_FILE_MAIN:
		return main_write(file, buf, amt, offset);
	case DB_FILE_WAL:
		return db_wal_write(file, buf, amt, offset);
	case DB_FILE_JOURNAL:
		return journal_write(file, buf, amt, offset);
	}
	return SQLITE_IOERR_WRITE;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct db_file *file = file_of(f);
	int rc = db_wal_settle(file);

	return rc == SQLITE_OK ? file->below->pMethods->xTruncate(file->below, size) : rc;
}

static int on_sync(sqlite3_file *f, int flags)
{
	struct db_file *file = file_of(f);
	int rc = db_wal_settle(file);

	return rc == SQLITE_OK ? file->below->pMethods->xSync(file->below, flags) : rc;
}

static int on_file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xFileSize(below, ret);
}

static int on_lock(sqlite3_file *f, int level)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xLock(below, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xUnlock(below, level);
}

static int on_check_lock(sqlite3_file *f, int *ret)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xCheckReservedLock(below, ret);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	sqlite3_file *below = file_of(f)->below;

	switch (op) {
	case DB_FCNTL_COMMITS_WAIT:
		file_of(f)->commits_wait = true;
		return SQLITE_OK;
	case SQLITE_FCNTL_BEGIN_ATOMIC_WRITE: /* in the place of a journal; WAL has no need of it */
	case SQLITE_FCNTL_COMMIT_ATOMIC_WRITE:
	case SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE:
	case SQLITE_FCNTL_MMAP_SIZE: /* a mapped page would be a sealed one */
		return SQLITE_NOTFOUND;
	default:
		return below->pMethods->xFileControl(below, op, arg);
	}
}

static int on_sector_size(sqlite3_file *f)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xSectorSize ? below->pMethods->xSectorSize(below) : PAGE_LEN;
}

/* Without the promise about neighbouring bytes SQLite would pad and cut its writes to the WAL. */
static int on_characteristics(sqlite3_file *f)
{
	sqlite3_file *below = file_of(f)->below;

	return (below->pMethods->xDeviceCharacteristics(below) & ~SQLITE_IOCAP_BATCH_ATOMIC) |
	       SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xShmMap(below, page, size, extend, ret);
}

static int on_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xShmLock(below, offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
	sqlite3_file *below = file_of(f)->below;

	below->pMethods->xShmBarrier(below);
}

static int on_shm_unmap(sqlite3_file *f, int delete)
{
	sqlite3_file *below = file_of(f)->below;

	return below->pMethods->xShmUnmap(below, delete);
}

#define METHODS(version)                                                                   \
	{                                                                                  \
		.iVersion = (version), .xClose = on_close, .xRead = on_read,               \
		.xWrite = on_write, .xTruncate = on_truncate, .xSync = on_sync,            \
		.xFileSize = on_file_size, .xLock = on_lock, .xUnlock = on_unlock,         \
		.xCheckReservedLock = on_check_lock, .xFileControl = on_control,           \
		.xSectorSize = on_sector_size,                                             \
		.xDeviceCharacteristics = on_characteristics, .xShmMap = on_shm_map,       \
		.xShmLock = on_shm_lock, .xShmBarrier = on_shm_barrier,                    \
		.xShmUnmap = on_shm_unmap,                                                 \
	}

/* Never version 3: no mapped pages. Version 1 where the VFS below has no shared memory. */
static const sqlite3_io_methods methods[] = { METHODS(1), METHODS(2) };

/* Methods of the VFS */

static struct db_vfs *vfs_of(sqlite3_vfs *vfs)
{
	return vfs->pAppData;
}

/* Before anything is written or locked. What is neither plain nor ours shows when it is read. */
static int refuse_plain(struct db_file *file)
{
	uint8_t first[16];
	int rc = file->below->pMethods->xRead(file->below, first, sizeof(first), 0);

	if (rc == SQLITE_IOERR_SHORT_READ)
		return SQLITE_OK;
	if (rc == SQLITE_OK && memcmp(first, page_first_bytes, sizeof(first)) == 0)
		return SQLITE_NOTADB;
	return rc;
}

static int file_init(struct db_file *file, struct db_vfs *vfs, const char *name, int flags)
{
	bool wal = flags & SQLITE_OPEN_WAL;
	size_t size = (sizeof(*file) + 7) & ~(size_t)7;

	memset(file, 0, sizeof(*file));
	if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)))
		return SQLITE_CANTOPEN;
	file->below = (sqlite3_file *)(void *)((char *)file + size);
	file->below_vfs = vfs->below;
	file->keys = vfs->keys;
	file->path = name;
	file->kind = wal			      ? DB_FILE_WAL
		     : flags & SQLITE_OPEN_MAIN_DB ? DB_FILE_MAIN
						      : DB_FILE_JOURNAL;
	file->read_offset = -1;
	if (file->kind != DB_FILE_MAIN)
		file->main = file_of(sqlite3_database_file_object(name));
	if (file->kind != DB_FILE_JOURNAL && page_place_init(&file->place, name, wal))
		return SQLITE_CANTOPEN;
	return SQLITE_OK;
}

static int on_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct db_vfs *vfs = vfs_of(v);
	struct db_file *file = file_of(f);
	int rc = file_init(file, vfs, name, flags);

	if (rc == SQLITE_OK)
		rc = vfs->below->xOpen(vfs->below, name, file->below, flags, ret_flags);
	if (rc == SQLITE_OK && file->kind == DB_FILE_MAIN)
		rc = refuse_plain(file);
	if (rc != SQLITE_OK) {
		if (file->below && file->below->pMethods)
			file->below->pMethods->xClose(file->below);
		return rc;
	}
	file->file.pMethods = &methods[file->below->pMethods->iVersion >= 2];
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *v, const char *name, int sync)
{
	return vfs_of(v)->below->xDelete(vfs_of(v)->below, name, sync);
}

static int on_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	return vfs_of(v)->below->xAccess(vfs_of(v)->below, name, flags, ret);
}

static int on_full_path(sqlite3_vfs *v, const char *name, int cap, char *ret)
{
	return vfs_of(v)->below->xFullPathname(vfs_of(v)->below, name, cap, ret);
}

static int on_random(sqlite3_vfs *v, int cap, char *ret)
{
	(void)v;
	crypto_random(ret, (size_t)cap);
	return cap;
}

static int on_sleep(sqlite3_vfs *v, int us)
{
	return vfs_of(v)->below->xSleep(vfs_of(v)->below, us);
}

static int on_time(sqlite3_vfs *v, double *ret)
{
	return vfs_of(v)->below->xCurrentTime(vfs_of(v)->below, ret);
}

static int on_time_ms(sqlite3_vfs *v, sqlite3_int64 *ret)
{
	return vfs_of(v)->below->xCurrentTimeInt64(vfs_of(v)->below, ret);
}

static int on_last_error(sqlite3_vfs *v, int cap, char *ret)
{
	return vfs_of(v)->below->xGetLastError(vfs_of(v)->below, cap, ret);
}

int db_vfs_new(struct db_keys *keys, struct db_vfs **ret)
{
	struct db_vfs *vfs = calloc(1, sizeof(*vfs));
	sqlite3_vfs *below = sqlite3_vfs_find(NULL);

	if (!vfs || !below) {
		free(vfs);
		return -ENOMEM;
	}
	vfs->below = below;
	vfs->keys = keys;
	text_print(vfs->name, sizeof(vfs->name), "sealed-%p", (void *)vfs); /* no two at a time */
	vfs->vfs = (sqlite3_vfs){
		.iVersion = below->iVersion < 2 ? 1 : 2, /* of 3 only testing makes use */
		.szOsFile = (int)((sizeof(struct db_file) + 7) & ~(size_t)7) + below->szOsFile,
		.mxPathname = below->mxPathname,
		.zName = vfs->name,
		.pAppData = vfs,
		.xOpen = on_open,
		.xDelete = on_delete,
		.xAccess = on_access,
		.xFullPathname = on_full_path,
		.xRandomness = on_random,
		.xSleep = on_sleep,
		.xCurrentTime = on_time,
		.xGetLastError = on_last_error,
		.xCurrentTimeInt64 = on_time_ms,
	};
	if (sqlite3_vfs_register(&vfs->vfs, 0) != SQLITE_OK) {
		free(vfs);
		return -ENOMEM;
	}
	*ret = vfs;
	return 0;
}

struct db_vfs *db_vfs_free(struct db_vfs *vfs)
{
	if (!vfs)
		return NULL;
	sqlite3_vfs_unregister(&vfs->vfs);
	free(vfs);
	return NULL;
}

const char *db_vfs_name(const struct db_vfs *vfs)
{
	return vfs->name;
}

/* Looking at a file that is at rest. It is opened by the VFS below, which knows that closing a
 * descriptor must not drop the locks that a connection of this process may hold. */

static int count_others(sqlite3_file *file, int64_t start, size_t step, uint32_t id, uint64_t *ret)
{
	enum { PENDING_BYTE = 0x40000000 }; /* SQLite locks there and never writes that page */
	uint8_t page[FRAME_LEN];
	sqlite3_int64 size = 0;
	int rc = file->pMethods->xFileSize(file, &size);

	for (int64_t at = start; rc == SQLITE_OK && at + (int64_t)step <= size; at += (int64_t)step) {
		rc = file->pMethods->xRead(file, page, (int)step, at);
		if (page_key_id(page + step - PAGE_LEN) != id && (start || at != PENDING_BYTE))
			++*ret;
	}
	return rc == SQLITE_OK ? 0 : -EIO;
}

static int scan_file(sqlite3_vfs *vfs, const char *name, int flags, uint32_t id, uint64_t *ret)
{
	sqlite3_file *file = sqlite3_malloc64((sqlite3_uint64)vfs->szOsFile);
	bool wal = flags & SQLITE_OPEN_WAL;
	int r = -ENOMEM;

	if (!file)
		return r;
	memset(file, 0, (size_t)vfs->szOsFile);
	r = vfs->xOpen(vfs, name, file, flags | SQLITE_OPEN_READONLY, NULL) ? -EIO : 0;
	if (r == 0)
		r = count_others(file, wal ? WAL_HEAD : 0, wal ? FRAME_LEN : PAGE_LEN, id, ret);
	if (file->pMethods)
		file->pMethods->xClose(file);
	sqlite3_free(file);
	return r;
}

int db_keys_scan(const char *path, uint32_t id, uint64_t *ret_others)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	char wal[4096];
	const char *name;
	uint64_t others = 0;
	int there = 0, r;

	if (!vfs || !text_print(wal, sizeof(wal), "%s-wal", path))
		return -ENAMETOOLONG;
	name = sqlite3_create_filename(path, "", wal, 0, NULL);
	if (!name)
		return -ENOMEM;
	if (vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &there) || !there)
		r = -ENOENT;
	else
		r = scan_file(vfs, name, SQLITE_OPEN_MAIN_DB, id, &others);
	if (r == 0 && vfs->xAccess(vfs, wal, SQLITE_ACCESS_EXISTS, &there) == SQLITE_OK && there)
		r = scan_file(vfs, sqlite3_filename_wal(name), SQLITE_OPEN_WAL, id, &others);
	sqlite3_free_filename(name);
	if (r == 0)
		*ret_others = others;
	return r;
}
