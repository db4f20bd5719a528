#pragma once
/* segment - one file of the log: its name, its schema, how a record is chained onto it.
 *
 *   above   audit/inside  audit/sealer  audit/walk
 *   below   audit/audit  audit/record  base/base  base/text  sys/crypto  sys/db
 *   owns    the tables of a segment's database
 *   limits  SEGMENT_NAME_MAX SEGMENTS_MAX
 *   errors  SEGMENT_E_EMPTY
 */
#include "audit/audit.h"
#include "audit/record.h"
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/db.h"

enum { SEGMENT_NAME_MAX = RECORD_SEGMENT_MAX, SEGMENTS_MAX = 4096 };
enum { SEGMENT_E_EMPTY = 1 };

/* n numbers the files of a log without gap; the month only tells people where to look. */
struct segment_name {
	uint32_t n;
	char text[SEGMENT_NAME_MAX];
};
void segment_name_make(int64_t wall_us, uint32_t n, struct segment_name *ret);
must_check bool segment_name_parse(const char *text, struct segment_name *ret);
int segment_month(int64_t wall_us); /* 202611 */
int segment_name_month(const struct segment_name *name);
/* Sorted by n; free it. -E2BIG beyond SEGMENTS_MAX. */
must_check int segment_list(const char *folder, struct segment_name **ret, size_t *ret_n);

extern const char *const segment_schema[]; /* each statement as SQLite keeps it; NULL at the end */
struct db_options segment_options(struct db_keys *keys); /* NULL: in the clear */
must_check int segment_open(const char *folder, const struct segment_name *name, struct db_keys *keys, struct db **ret);

/* Whether r, from a segment, says something of this moment (memory, descriptors, room) and nothing of the file: no reason to call a
 * log broken. */
bool segment_may_open_later(int r);
/* What a process that died had written is on the disk, its name too, when this returns 0. */
must_check int segment_sync(const char *folder, const struct segment_name *name);

/* Where the log ends. */
struct segment_tail {
	uint64_t seq;
	uint8_t head[CRYPTO_HASH_LEN];
};
void segment_leaf(struct crypto_hash *hash, const void *rec, size_t len, uint8_t ret[CRYPTO_HASH_LEN]);
void segment_head(struct crypto_hash *hash, const uint8_t previous[CRYPTO_HASH_LEN], const uint8_t leaf[CRYPTO_HASH_LEN],
		  uint8_t ret[CRYPTO_HASH_LEN]);
void segment_chain(struct crypto_hash *hash, const uint8_t previous[CRYPTO_HASH_LEN], const void *rec, size_t len,
		   uint8_t ret[CRYPTO_HASH_LEN]); /* both */
must_check int segment_tail_read(struct db *db, struct segment_tail *ret); /* SEGMENT_E_EMPTY */
/* As it is given; mac NULL: not sealed. */
must_check int segment_insert(struct db *db, const struct segment_tail *row, const void *rec, size_t len, const uint8_t *mac);
/* Gives rec its seq and chains it on, without a seal; tail moves on. In the caller's transaction. */
must_check int segment_put(struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec, size_t len);
/* The newest outbox row that this segment speaks of; 0 none. */
must_check int segment_outbox_read(struct db *db, uint64_t *ret);

must_check int segment_checkpoint_put(struct db *db, const struct audit_checkpoint *checkpoint);
/* Of a number, 0: the newest. Number, body and signatures as they stand there; the rest is zero. SEGMENT_E_EMPTY, -EBADMSG. */
must_check int segment_checkpoint_read(struct db *db, uint64_t number, struct audit_checkpoint *ret);
