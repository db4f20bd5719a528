#pragma once
/* db_vfs_inside - what db_keys.c and the files of the VFS share; nobody else includes it, but db.c asks for the VFS's name.
 *
 *   above   sys/db_keys
 *   below   base/base  sys/db_keys  sys/db_page
 *   owns    struct db_vfs, and struct db_file in SQLite's memory
 *   limits  -
 */
#include <sqlite3.h>
#include "base/base.h"
#include "sys/db_keys.h"
#include "sys/db_page.h"

enum { DB_FILE_NONCES = 16 };
/* File control of a database: its commits are not synced one by one, so that later ones may be on the disk without earlier ones. */
enum { DB_FCNTL_COMMITS_WAIT = 0x67770001 };

struct db_vfs;
must_check int db_vfs_new(struct db_keys *keys, struct db_vfs **ret);
struct db_vfs *db_vfs_free(struct db_vfs *vfs);
const char *db_vfs_name(const struct db_vfs *vfs);
const struct db_vfs *db_keys_vfs(const struct db_keys *keys);

/* The key stays until it is given back; every borrow has its return, also one that gave NULL. */
const struct seal_key *db_keys_borrow(struct db_keys *keys, uint32_t id);
const struct seal_key *db_keys_borrow_active(struct db_keys *keys, uint32_t *ret_id);
void db_keys_return(struct db_keys *keys);
bool db_keys_know(struct db_keys *keys, uint32_t id);
void db_keys_count_sealed(struct db_keys *keys);
void db_keys_count_opened(struct db_keys *keys);
void db_keys_count_refused(struct db_keys *keys, const char *path, int64_t offset);
void db_keys_count_lost(struct db_keys *keys, uint64_t frames, const char *path, int64_t offset);

enum db_file_kind { DB_FILE_MAIN, DB_FILE_WAL, DB_FILE_JOURNAL };

/* How far the reading of a WAL from its start has come; SQLite reads so only when it recovers. */
struct db_look {
	bool on;
	bool head_sound;
	uint32_t next, committed; /* frames read; of them, up to the last commit */
	struct wal_sum sum;
	uint8_t salts[FRAME_HEAD];
};

/* In memory that SQLite gives, the file of the VFS below right behind it. One thread at a time. */
struct db_file {
	sqlite3_file file;
	sqlite3_file *below;
	sqlite3_vfs *below_vfs;
	struct db_keys *keys;
	const char *path;
	enum db_file_kind kind;
	struct db_file *main; /* of a journal, of a WAL */
	bool commits_wait;    /* of a database: DB_FCNTL_COMMITS_WAIT */
	struct page_place place;
	uint8_t nonces[DB_FILE_NONCES * SEAL_NONCE_LEN];
	unsigned n_nonces;
	/* WAL: a header that waits for its page; the frame that was read last as a whole. */
	uint8_t head[FRAME_HEAD];
	bool head_waits;
	int64_t head_offset, read_offset;
	struct db_look look;
	uint8_t scratch[FRAME_LEN]; /* sealed bytes, never a page in clear */
};

/* Seals page into ret, its place moved to offset (and head). SQLITE_IOERR_WRITE: no active key, or a page that is not ours. */
int db_file_seal(struct db_file *file, int64_t offset, const uint8_t *page, uint8_t *ret, uint8_t *frame_head);
/* Opens a page of the database. False: ret is zeros. */
bool db_file_open_page(struct db_file *file, int64_t offset, const uint8_t *sealed, uint8_t *ret);
int db_file_refuse(struct db_file *file, int64_t offset); /* counts it; SQLITE_IOERR_DATA */

int db_wal_read(struct db_file *file, void *buf, int amt, int64_t offset);
int db_wal_write(struct db_file *file, const void *buf, int amt, int64_t offset);
int db_wal_settle(struct db_file *file); /* writes a header that still waits */
/* frame: as on disk; the page in ret, the header in ret_head. False: ret and ret_head are zeros. */
bool db_wal_open_frame(struct db_file *file, int64_t offset, const uint8_t *frame, uint8_t *ret, uint8_t ret_head[FRAME_HEAD]);

/* SQLITE_IOERR_DATA: the log goes on with a key that is not in the ring. */
int db_look_start(struct db_file *file, const uint8_t head[WAL_HEAD]);
int db_look_frame(struct db_file *file, int64_t offset, bool opened, const uint8_t head[FRAME_HEAD], const uint8_t *page);
