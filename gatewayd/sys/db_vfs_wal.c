/* The WAL: a header of 32 bytes that tells nothing of the content and stays as it is, then frames
 * of a header (24) and a page. SQLite writes a frame as two writes, header first; here the header
 * waits for its page and both go out as one, because the page's seal covers the header and the
 * header is hidden with the page's nonce.
 *
 * Two things come in another order. When a transaction changes a page that it has written already,
 * SQLite writes the page alone, to its old place, and at the commit computes anew the checksums of
 * all frames from there on: each is read as a whole, then its header is written alone. In both
 * cases the frame is sealed again from what lies on disk, with a nonce of its own. This is rare: a
 * page must leave the cache before the transaction has ended.
 */
#include <string.h>
#include "sys/db_vfs_inside.h"

/* -1: not a place where a frame begins. */
static int64_t frame_at(int64_t offset)
{
	return offset >= WAL_HEAD && (offset - WAL_HEAD) % FRAME_LEN == 0 ? offset : -1;
}

bool db_wal_open_frame(struct db_file *file, int64_t offset, const uint8_t *frame, uint8_t *ret,
		       uint8_t ret_head[FRAME_HEAD])
{
	const uint8_t *sealed = frame + FRAME_HEAD;
	const struct seal_key *key = db_keys_borrow(file->keys, page_key_id(sealed));
	uint8_t head[FRAME_HEAD];
	bool good = false;

	memcpy(head, frame, FRAME_HEAD);
	if (key) {
		frame_mask(key, sealed, head);
		page_place_move(&file->place, (uint64_t)offset, head);
		good = page_open(key, &file->place, sealed, ret) == 0;
	} else {
		memset(ret, 0, PAGE_LEN);
	}
	db_keys_return(file->keys);
	if (good)
		memcpy(ret_head, head, FRAME_HEAD);
	else
		memset(ret_head, 0, FRAME_HEAD);
	if (good)
		db_keys_count_opened(file->keys);
	return good;
}

static int read_frame(struct db_file *file, int64_t offset)
{
	return file->below->pMethods->xRead(file->below, file->scratch, FRAME_LEN, offset);
}

static int write_frame(struct db_file *file, int64_t offset, const uint8_t *head,
		       const uint8_t *page)
{
	int rc;

	memcpy(file->scratch, head, FRAME_HEAD);
	rc = db_file_seal(file, offset, page, file->scratch + FRAME_HEAD, file->scratch);
	if (rc != SQLITE_OK)
		return rc;
	return file->below->pMethods->xWrite(file->below, file->scratch, FRAME_LEN, offset);
}

/* Seals a frame again, with another header or another page than it has on disk. */
static int change_frame(struct db_file *file, int64_t offset, const uint8_t *head,
			const uint8_t *page)
{
	uint8_t old_head[FRAME_HEAD], old[PAGE_LEN];
	int rc = read_frame(file, offset);

	if (rc == SQLITE_OK && !db_wal_open_frame(file, offset, file->scratch, old, old_head))
		rc = db_file_refuse(file, offset);
	if (rc == SQLITE_OK)
		rc = write_frame(file, offset, head ? head : old_head, page ? page : old);
	crypto_wipe(old, sizeof(old));
	return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_WRITE : rc;
}

int db_wal_settle(struct db_file *file)
{
	if (!file->head_waits)
		return SQLITE_OK;
	file->head_waits = false;
	return change_frame(file, file->head_offset, file->head, NULL);
}

/* Reading */

/* In recovery: what does not open reads as zeros, whose checksum ends the log. */
static int read_whole(struct db_file *file, uint8_t *buf, int64_t offset)
{
	int rc = read_frame(file, offset);
	bool good;

	if (rc != SQLITE_OK) {
		memset(buf, 0, FRAME_LEN);
		return rc;
	}
	good = db_wal_open_frame(file, offset, file->scratch, buf + FRAME_HEAD, buf);
	file->read_offset = good ? offset : -1;
	return db_look_frame(file, offset, good, buf, buf + FRAME_HEAD);
}

static int read_page(struct db_file *file, uint8_t *buf, int64_t offset)
{
	uint8_t head[FRAME_HEAD];
	int rc = read_frame(file, offset);

	if (rc == SQLITE_OK && !db_wal_open_frame(file, offset, file->scratch, buf, head))
		rc = db_file_refuse(file, offset);
	if (rc != SQLITE_OK)
		memset(buf, 0, PAGE_LEN);
	return rc;
}

/* The checksums of the frame before the first whose own are computed anew. */
static int read_head(struct db_file *file, uint8_t *buf, size_t from, size_t len, int64_t offset)
{
	uint8_t head[FRAME_HEAD], page[PAGE_LEN];
	int rc = read_frame(file, offset);

	if (rc == SQLITE_OK && !db_wal_open_frame(file, offset, file->scratch, page, head))
		rc = db_file_refuse(file, offset);
	crypto_wipe(page, sizeof(page));
	if (rc == SQLITE_OK)
		memcpy(buf, head + from, len);
	else
		memset(buf, 0, len);
	return rc;
}

static int read_log_head(struct db_file *file, uint8_t *buf, int amt, int64_t offset)
{
	int rc = file->below->pMethods->xRead(file->below, buf, amt, offset);

	return rc == SQLITE_OK && amt == WAL_HEAD ? db_look_start(file, buf) : rc;
}

int db_wal_read(struct db_file *file, void *buf, int amt, int64_t offset)
{
	int64_t into = (offset - WAL_HEAD) % FRAME_LEN;
	int rc = db_wal_settle(file);

	file->read_offset = -1;
	if (rc != SQLITE_OK)
		return rc;
	if (offset >= 0 && offset + amt <= WAL_HEAD)
		return read_log_head(file, buf, amt, offset);
	if (offset >= WAL_HEAD && into == 0 && amt == FRAME_LEN)
		return read_whole(file, buf, offset);
	file->look.on = false;
	if (offset >= WAL_HEAD && into == FRAME_HEAD && amt == PAGE_LEN)
		return read_page(file, buf, offset - into);
	if (offset >= WAL_HEAD && into < FRAME_HEAD && into + amt <= FRAME_HEAD)
		return read_head(file, buf, (size_t)into, (size_t)amt, offset - into);
	return SQLITE_IOERR_READ;
}

/* Writing */

static int write_head(struct db_file *file, const uint8_t *head, int64_t offset)
{
	if (file->read_offset == offset) {
		file->read_offset = -1;
		return change_frame(file, offset, head, NULL);
	}
	memcpy(file->head, head, FRAME_HEAD);
	file->head_offset = offset;
	file->head_waits = true;
	return SQLITE_OK;
}

static int write_page(struct db_file *file, const uint8_t *page, int64_t offset)
{
	if (file->head_waits && file->head_offset == offset) {
		file->head_waits = false;
		return write_frame(file, offset, file->head, page);
	}
	return change_frame(file, offset, NULL, page);
}

int db_wal_write(struct db_file *file, const void *buf, int amt, int64_t offset)
{
	int rc = SQLITE_OK;

	file->look.on = false;
	if (amt == PAGE_LEN && frame_at(offset - FRAME_HEAD) >= 0) {
		if (file->head_waits && file->head_offset != offset - FRAME_HEAD)
			rc = db_wal_settle(file);
		return rc == SQLITE_OK ? write_page(file, buf, offset - FRAME_HEAD) : rc;
	}
	rc = db_wal_settle(file);
	if (rc != SQLITE_OK)
		return rc;
	if (amt == FRAME_HEAD && frame_at(offset) >= 0)
		return write_head(file, buf, offset);
	if (amt == WAL_HEAD && offset == 0)
		return file->below->pMethods->xWrite(file->below, buf, amt, offset);
	return SQLITE_IOERR_WRITE;
}
