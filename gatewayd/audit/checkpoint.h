#pragma once
/* checkpoint - a signed point of the log: its bytes, one form only (docs/spec/audit.md section 7), and its signatures.
 *
 *   above   -
 *   below   audit/audit  audit/record  audit/tree  base/base  base/bytes  sys/crypto  sys/sign
 *   owns    nothing
 *   limits  AUDIT_CHECKPOINT_MAX of audit/audit
 *   errors  CHECKPOINT_E_SYNTAX
 *
 * Pure.
 */
#include "audit/audit.h"
#include "audit/record.h"
#include "audit/tree.h"
#include "base/base.h"
#include "base/bytes.h"
#include "sys/crypto.h"
#include "sys/sign.h"

enum { CHECKPOINT_E_SYNTAX = 1 };
enum checkpoint_reason {
	CHECKPOINT_RECORDS,
	CHECKPOINT_TIME,
	CHECKPOINT_GRAVE,
	CHECKPOINT_STOP,
	CHECKPOINT_SEGMENT_END,
	CHECKPOINT_ASKED,
	CHECKPOINT_REASONS
};

struct checkpoint {
	uint8_t suite, reason;
	uint8_t log_id[RECORD_LOG_ID_LEN];
	uint64_t number;
	struct tree tree; /* its size is the checkpoint's */
	uint8_t root[CRYPTO_HASH_LEN], head[CRYPTO_HASH_LEN], previous[CRYPTO_HASH_LEN];
	int64_t wall_us, boot_ms;
	uint8_t boot_id[RECORD_BOOT_ID_LEN];
	uint64_t generation, starts;
	uint32_t sign_id, sign_sm2_id; /* 0: not signed so */
};
size_t checkpoint_encode(const struct checkpoint *checkpoint, uint8_t buf[AUDIT_CHECKPOINT_MAX]);
/* CHECKPOINT_E_SYNTAX for any bytes that checkpoint_encode would not have written just so. */
must_check int checkpoint_decode(const void *data, size_t len, struct checkpoint *ret);
/* What the next one carries as `previous`. */
void checkpoint_hash(struct crypto_hash *hash, const void *body, size_t len, uint8_t ret[CRYPTO_HASH_LEN]);

/* As they stand in the file: a signature that is not there is empty. */
struct checkpoint_signatures {
	struct view a, b;
};
/* NULL when every key that the body names has signed it, and nobody else; else what is wrong, in plain words. Without keys only
 * the places of the signatures are looked at. */
const char *checkpoint_check_signatures(const struct checkpoint *checkpoint, const void *body, size_t len,
					const struct checkpoint_signatures *signatures, const struct audit_public *keys,
					size_t n_keys);
