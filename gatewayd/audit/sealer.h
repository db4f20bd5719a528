#pragma once
/* sealer - what makes yesterday unchangeable: a MAC for each record with a key that is then gone, a tree over all, signed points.
 *
 *   above   -
 *   below   audit/audit  audit/checkpoint  audit/evolve  audit/keyfile  audit/record  audit/segment  audit/tree  base/base
 *           base/text  sys/crypto  sys/db
 *   owns    struct sealer, its copy of struct audit_seal
 *   limits  -
 *
 * The writer thread's. Records are put inside a job's transaction, which may be taken back and run again: so it remembers every
 * link since the last settled point, and sealer_back takes it to where the log stands. What is settled is committed.
 */
#include "audit/audit.h"
#include "audit/checkpoint.h"
#include "audit/record.h"
#include "audit/segment.h"
#include "audit/tree.h"
#include "base/base.h"
#include "sys/crypto.h"
#include "sys/db.h"

/* Where it goes on: all of the log that is committed. */
struct sealer_point {
	uint8_t log_id[RECORD_LOG_ID_LEN];
	uint8_t suite;                  /* of the tree: of the log's first record */
	struct segment_tail tail;
	struct tree tree;               /* of tail.seq leaves */
	uint64_t checkpoints, covered;  /* number of the newest checkpoint, and its size */
	uint8_t last[CRYPTO_HASH_LEN];  /* its hash; zeros: none */
};

struct keyfile_slot;
struct sealer;
must_check int sealer_new(const char *folder, const struct audit_seal *seal, struct sealer **ret);
struct sealer *sealer_free(struct sealer *sealer);
const struct audit_seal *sealer_seal(const struct sealer *sealer);
must_check int sealer_start(struct sealer *sealer, const struct sealer_point *point);

/* --- its key --------------------------------------------------------------------------------------------------------- */

/* What audit.key said, for as long as nothing was put: borrowed, in guarded memory. */
must_check int sealer_read_key(struct sealer *sealer, const struct keyfile_slot **ret); /* as keyfile_read */
void sealer_use_key(struct sealer *sealer, uint64_t next, const uint8_t *key); /* key NULL: a random one */
must_check int sealer_write_key(struct sealer *sealer);
/* Checks the mac of record evolve's next and steps on; announced: the seed that audit.key names is the next key. */
must_check bool sealer_follow(struct sealer *sealer, struct crypto_hash *hash, const uint8_t head[CRYPTO_HASH_LEN], struct view mac,
			      bool announced);
/* 0, or why audit.key could not be written after the last checkpoint. */
int sealer_key_error(const struct sealer *sealer);

/* --- records --------------------------------------------------------------------------------------------------------- */

/* -ESTALE: it never was there. */
must_check int sealer_back(struct sealer *sealer, struct crypto_hash *hash, const struct segment_tail *tail);
must_check int sealer_put(struct sealer *sealer, struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec,
			  size_t len);
void sealer_settle(struct sealer *sealer);
uint64_t sealer_checkpoints(const struct sealer *sealer); /* number of the newest, 0 none */
uint64_t sealer_uncovered(const struct sealer *sealer); /* records that no checkpoint covers */

/* The next three want everything settled; each with transactions of its own. */
must_check int sealer_checkpoint(struct sealer *sealer, struct db *db, enum checkpoint_reason reason, const struct record_stamp *stamp,
				 struct audit_checkpoint *ret);
/* rec: of kind 6, as sealer_announce wants it named. */
must_check int sealer_announce(struct sealer *sealer, struct crypto_hash *hash, char ret_object[2 * CRYPTO_HASH_LEN + 1]);
must_check int sealer_put_seed(struct sealer *sealer, struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec,
			       size_t len, struct secret **ret_seed);
must_check int sealer_swap(struct sealer *sealer, const struct audit_seal *seal);
