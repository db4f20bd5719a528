#pragma once
/* db_page - the bytes of a sealed page, of a frame in a WAL, and of a WAL's header; pure.
 *
 *   above   sys/db_vfs_inside
 *   below   base/base  base/bytes  sys/seal
 *   owns    -
 *   limits  PAGE_NAME_MAX
 *   errors  -
 *
 * docs/spec/vfs.md has every byte. A page in memory ends in PAGE_TRAILER zeros, on disk in key id, suite, nonce and tag.
 */
#include "base/base.h"
#include "sys/seal.h"

enum {
	PAGE_LEN = 4096,
	PAGE_TRAILER = 64,
	PAGE_TEXT = PAGE_LEN - PAGE_TRAILER,
	PAGE_NAME_MAX = 200, /* bytes of a database's file name, without its folder */
	FRAME_HEAD = 24,
	FRAME_LEN = FRAME_HEAD + PAGE_LEN,
	WAL_HEAD = 32,
};

/* Associated data: which database, where in it, and (in a WAL) the frame's header. */
struct page_place {
	uint8_t bytes[1 + 8 + FRAME_HEAD + PAGE_NAME_MAX];
	size_t len, name_len;
};
/* The last component of path, for a WAL without its "-wal". -ENAMETOOLONG, or -EINVAL when nothing is left. */
must_check int page_place_init(struct page_place *place, const char *path, bool wal);
/* head: of the frame, not masked; NULL in a database. */
void page_place_move(struct page_place *place, uint64_t offset, const uint8_t head[FRAME_HEAD]);

uint32_t page_key_id(const uint8_t sealed[PAGE_LEN]);
bool page_looks_sealed(const uint8_t sealed[PAGE_LEN]); /* a suite of ours and zeros where they belong */
void page_seal(const struct seal_key *key, uint32_t key_id, const uint8_t nonce[SEAL_NONCE_LEN], const struct page_place *place,
	       const uint8_t page[PAGE_LEN], uint8_t ret[PAGE_LEN]);
/* sealed and ret may be the same. On a mismatch ret is all zeros. */
must_check int page_open(const struct seal_key *key, const struct page_place *place, const uint8_t sealed[PAGE_LEN], uint8_t ret[PAGE_LEN]);

/* Hides what a frame's header says, with the nonce of its page; once more shows it. The salts stay clear. */
void frame_mask(const struct seal_key *key, const uint8_t sealed[PAGE_LEN], uint8_t head[FRAME_HEAD]);
uint32_t frame_commit(const uint8_t head[FRAME_HEAD]); /* pages of the database after this commit, 0: no commit */
bool frame_same_salts(const uint8_t head[FRAME_HEAD], const uint8_t other[FRAME_HEAD]);

/* SQLite's running checksum (fileformat2, section 4.2), with which a WAL tells where it ends. */
struct wal_sum {
	uint32_t a, b;
	bool big_endian; /* how its words are read: the lowest bit of the magic */
};
/* False: not a header that SQLite would go by. ret_head gets the salts, where a frame's header has them. */
bool wal_head_read(const uint8_t head[WAL_HEAD], struct wal_sum *ret, uint8_t ret_head[FRAME_HEAD]);
/* Adds the frame; true when its header says the same. */
bool wal_sum_add(struct wal_sum *sum, const uint8_t head[FRAME_HEAD], const uint8_t page[PAGE_LEN]);
void wal_sum_from(struct wal_sum *sum, const uint8_t head[FRAME_HEAD]); /* as if the frame before were sound */

/* The first 100 bytes of a database of ours, for whom they must suffice until page 1 comes from the WAL. */
extern const uint8_t page_first_bytes[100];
