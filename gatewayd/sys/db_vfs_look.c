/* Where a WAL ends is told by the first frame that does not fit. After a power cut that is a torn
 * one, and rightly nothing behind it counts: it was not acknowledged. But a bit that flips in a
 * frame of old ends the log just so, and commits that had been acknowledged would be gone without a
 * word. The difference: SQLite begins a transaction only when the one before it is committed. So
 * where behind the bad frame there stands a commit and right behind that a frame that carries its
 * checksum on, the commit was acknowledged. Then the file is kept aside as it is, and what is lost
 * is counted. Of a database whose commits are synced only now and then this cannot be told: there
 * whole commits may reach the disk behind one that did not, and nobody looks.
 *
 * A header that does not hold loses the whole log. But SQLite writes and syncs a new one only when all
 * that the WAL held lies in the database; a power cut in that moment loses nothing. So there the
 * database is asked.
 *
 * A key that is missing would end the log as well, and the next commit would be written over what it
 * sealed. So where several frames name one that is not in the ring the database does not open.
 *
 * Frames of a transaction that was rolled back may lie behind the end and open well, but have no
 * commit; those of an earlier life of the file have other salts.
 */
#include <string.h>
#include <sys/stat.h>
#include "base/text.h"
#include "sys/db_vfs_inside.h"

struct behind {
	uint8_t page[PAGE_LEN], head[FRAME_HEAD];
	struct wal_sum sum; /* up to the frame before, when that was a commit */
	uint8_t commit_head[FRAME_HEAD];
	bool after_commit, damage;
	uint32_t last_commit; /* its number, from 1 */
	uint32_t n_unknown;   /* frames that name a key that is not in the ring */
};

static void copy_aside(struct db_file *file, sqlite3_file *copy)
{
	const sqlite3_io_methods *from = file->below->pMethods, *to = copy->pMethods;
	sqlite3_int64 size = 0;
	int rc = to->xTruncate(copy, 0);

	if (rc == SQLITE_OK)
		rc = from->xFileSize(file->below, &size);
	for (int64_t at = 0; rc == SQLITE_OK && at < size; at += FRAME_LEN) {
		int amt = size - at < FRAME_LEN ? (int)(size - at) : FRAME_LEN;

		rc = from->xRead(file->below, file->scratch, amt, at);
		if (rc == SQLITE_OK)
			rc = to->xWrite(copy, file->scratch, amt, at);
	}
	if (rc == SQLITE_OK)
		to->xSync(copy, SQLITE_SYNC_NORMAL);
}

/* As good as it goes: a full disk must not keep the database from opening. Sealed bytes only. */
static void keep_aside(struct db_file *file)
{
	sqlite3_file *copy = sqlite3_malloc64((sqlite3_uint64)file->below_vfs->szOsFile);
	const char *name = NULL;
	char path[4096];

	if (copy && text_print(path, sizeof(path), "%s.damaged", file->path))
		name = sqlite3_create_filename(path, "", "", 0, NULL);
	if (name) {
		memset(copy, 0, (size_t)file->below_vfs->szOsFile);
		if (file->below_vfs->xOpen(file->below_vfs, name, copy,
					   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
						   SQLITE_OPEN_MAIN_JOURNAL,
					   NULL) == SQLITE_OK) {
			chmod(path, 0600);
			copy_aside(file, copy);
		}
		if (copy->pMethods)
			copy->pMethods->xClose(copy);
		sqlite3_free_filename(name);
	}
	sqlite3_free(copy);
}

static void look_at(struct db_file *file, struct behind *behind, uint32_t number)
{
	int64_t offset = WAL_HEAD + (int64_t)(number - 1) * FRAME_LEN;
	bool follows = behind->after_commit;

	behind->after_commit = false;
	if (file->below->pMethods->xRead(file->below, file->scratch, FRAME_LEN, offset))
		return;
	/* The salts are clear, so a WAL that was begun anew over an older one costs little. */
	if (file->look.head_sound && !frame_same_salts(file->scratch, file->look.salts))
		return;
	if (page_looks_sealed(file->scratch + FRAME_HEAD) &&
	    !db_keys_know(file->keys, page_key_id(file->scratch + FRAME_HEAD)))
		behind->n_unknown++;
	if (!db_wal_open_frame(file, offset, file->scratch, behind->page, behind->head))
		return;
	if (follows && frame_same_salts(behind->head, behind->commit_head) &&
	    wal_sum_add(&behind->sum, behind->head, behind->page))
		behind->damage = true;
	if (frame_commit(behind->head)) {
		behind->after_commit = true;
		behind->sum.big_endian = file->look.sum.big_endian;
		wal_sum_from(&behind->sum, behind->head);
		memcpy(behind->commit_head, behind->head, FRAME_HEAD);
		behind->last_commit = number;
	}
}

/* A life of the WAL, from its first frame to its last commit. */
struct life {
	uint8_t page[PAGE_LEN], stored[PAGE_LEN], head[FRAME_HEAD], first_head[FRAME_HEAD];
	uint32_t *pages; /* which page each frame holds */
	uint32_t n, size; /* frames; pages of the database at the end */
};

static bool life_open_frame(struct db_file *file, struct life *life, uint32_t number)
{
	int64_t offset = WAL_HEAD + (int64_t)(number - 1) * FRAME_LEN;

	return file->below->pMethods->xRead(file->below, file->scratch, FRAME_LEN, offset) == SQLITE_OK &&
	       db_wal_open_frame(file, offset, file->scratch, life->page, life->head);
}

static uint32_t frame_page(const uint8_t head[FRAME_HEAD])
{
	return (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
}

/* False: nothing can be said of it. */
static bool life_read(struct db_file *file, struct life *life, uint32_t frames)
{
	for (uint32_t i = 1; i <= frames && life_open_frame(file, life, i); i++) {
		if (i == 1)
			memcpy(life->first_head, life->head, FRAME_HEAD);
		if (!frame_same_salts(life->head, life->first_head))
			return true;
		life->pages[i - 1] = frame_page(life->head);
		if (!frame_commit(life->head))
			continue;
		life->n = i;
		life->size = frame_commit(life->head);
	}
	return life->n > 0;
}

static bool life_is_stored(struct db_file *file, struct life *life, uint32_t number)
{
	struct db_file *main = file->main;
	int64_t offset = ((int64_t)life->pages[number - 1] - 1) * PAGE_LEN;

	for (uint32_t later = number + 1; later <= life->n; later++)
		if (life->pages[later - 1] == life->pages[number - 1])
			return true;
	if (offset < 0 || life->pages[number - 1] > life->size)
		return true;
	return life_open_frame(file, life, number) &&
	       main->below->pMethods->xRead(main->below, main->scratch, PAGE_LEN, offset) == SQLITE_OK &&
	       db_file_open_page(main, offset, main->scratch, life->stored) &&
	       memcmp(life->page, life->stored, PAGE_LEN) == 0;
}

/* All that was committed in the last life of this WAL lies in the database. */
static bool is_carried_over(struct db_file *file, uint32_t frames)
{
	struct life life = { .pages = sqlite3_malloc64((sqlite3_uint64)frames * sizeof(uint32_t)) };
	bool carried = life.pages && life_read(file, &life, frames);

	for (uint32_t i = life.n; carried && i > 0; i--)
		carried = life_is_stored(file, &life, i);
	crypto_wipe(life.page, sizeof(life.page));
	crypto_wipe(life.stored, sizeof(life.stored));
	sqlite3_free(life.pages);
	return carried;
}

/* From the frame with this number on, which ended the log. */
static int look_behind(struct db_file *file, uint32_t number)
{
	int64_t offset = WAL_HEAD + (int64_t)(number - 1) * FRAME_LEN;
	struct behind behind = { 0 };
	sqlite3_int64 size = 0;
	uint32_t frames;

	if (file->below->pMethods->xFileSize(file->below, &size) || size <= WAL_HEAD)
		return SQLITE_OK;
	frames = (uint32_t)((size - WAL_HEAD) / FRAME_LEN);
	if (!file->look.head_sound && is_carried_over(file, frames))
		return SQLITE_OK;
	for (uint32_t i = number; i <= frames; i++)
		look_at(file, &behind, i);
	crypto_wipe(behind.page, sizeof(behind.page));
	if (behind.n_unknown > 1)
		return db_file_refuse(file, offset);
	if (!behind.damage || file->main->commits_wait)
		return SQLITE_OK;
	keep_aside(file);
	db_keys_count_lost(file->keys, behind.last_commit - file->look.committed, file->path, offset);
	return SQLITE_OK;
}

int db_look_frame(struct db_file *file, int64_t offset, bool opened,
		   const uint8_t head[FRAME_HEAD], const uint8_t *page)
{
	struct db_look *look = &file->look;

	if (!look->on)
		return SQLITE_OK;
	if (offset != WAL_HEAD + (int64_t)look->next * FRAME_LEN) {
		look->on = false;
		return SQLITE_OK;
	}
	if (opened && look->head_sound && frame_same_salts(head, look->salts) &&
	    wal_sum_add(&look->sum, head, page)) {
		look->next++;
		if (frame_commit(head))
			look->committed = look->next;
		return SQLITE_OK;
	}
	look->on = false;
	return look_behind(file, look->next + 1);
}

/* A header that does not hold makes SQLite pass over the whole WAL. */
int db_look_start(struct db_file *file, const uint8_t head[WAL_HEAD])
{
	struct db_look *look = &file->look;

	*look = (struct db_look){ .on = true };
	look->head_sound = wal_head_read(head, &look->sum, look->salts);
	if (look->head_sound)
		return SQLITE_OK;
	look->on = false;
	look->sum.big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__; /* as SQLite writes it */
	return look_behind(file, 1);
}
