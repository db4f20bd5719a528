#pragma once
/* evolve - the MAC keys of the log: one a record, each made from the one before, which is then gone.
 *
 *   above   -
 *   below   base/base  sys/crypto
 *   owns    struct evolve, in guarded memory
 *   limits  -
 *
 * k(i+1) = H(0x03 || k(i) || "evolve"), mac(i) = HMAC(k(i), 0x04 || head(i)). Beside the current key it holds the one at the
 * last point that is committed, because a transaction may be taken back; that one moves on with evolve_settle.
 */
#include "base/base.h"
#include "sys/crypto.h"

struct evolve;
must_check int evolve_new(struct evolve **ret);
struct evolve *evolve_free(struct evolve *evolve); /* wipes */
DEFINE_CLEANUP(evolve_free, struct evolve *)

/* key belongs to record next; all before is forgotten. */
void evolve_begin(struct evolve *evolve, uint64_t next, const uint8_t key[CRYPTO_HASH_LEN]);
uint64_t evolve_next(const struct evolve *evolve);
const uint8_t *evolve_key(const struct evolve *evolve); /* of record next; borrowed */
void evolve_mac(struct evolve *evolve, struct crypto_hash *hash, const uint8_t head[CRYPTO_HASH_LEN], uint8_t ret[CRYPTO_HASH_LEN]);
void evolve_step(struct evolve *evolve, struct crypto_hash *hash);
void evolve_seed(struct evolve *evolve, const uint8_t seed[CRYPTO_HASH_LEN]); /* a step onto a new chain of keys */
void evolve_settle(struct evolve *evolve);
/* Back to what was settled, and from there to the key of record next, which is not before it. */
void evolve_back(struct evolve *evolve, struct crypto_hash *hash, uint64_t next);
