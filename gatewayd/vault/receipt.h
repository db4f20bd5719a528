#pragma once
/* receipt - what a gateway leaves of itself when it is erased: a text that says which keys were destroyed, signed with keys that are gone.
 *
 *   above   -
 *   below   base/base  base/bytes  base/text  sys/crypto  sys/sign  vault/keystore
 *   owns    nothing
 *   limits  RECEIPT_MAX RECEIPT_ANCHOR_MAX
 *   errors  RECEIPT_E_SYNTAX RECEIPT_E_SIGNATURE
 *
 * Pure. docs/spec/keystore.md "Erasure" has the lines.
 */
#include "base/base.h"
#include "sys/sign.h"
#include "vault/keystore.h"

enum { RECEIPT_MAX = 16 * 1024, RECEIPT_ANCHOR_MAX = 4096 };
enum { RECEIPT_E_SYNTAX = 1, RECEIPT_E_SIGNATURE = 2 };

struct receipt_key {
	uint32_t id;
	uint8_t purpose, state; /* state: before the erasure */
};
struct receipt {
	uint8_t gateway_id[16];
	int64_t erased_s;
	uint64_t records;          /* in the audit record */
	uint8_t head[32];
	const char *anchor;        /* its last checkpoint, as docs/spec/audit.md writes a whole anchor; NULL none */
	size_t n_keys;
	struct receipt_key keys[KEYSTORE_KEYS_MAX];
};
/* One of the two keys at least. ret_len is without the NUL. */
must_check int receipt_print(const struct receipt *receipt, const struct sign_key *ed25519, const struct sign_key *sm2, char ret[RECEIPT_MAX],
			     size_t *ret_len);
/* Every signature holds, by a key that the text itself names: whose keys they are, somebody must know from elsewhere. */
struct receipt_signers {
	unsigned n;
	struct sign_public keys[2];
};
must_check int receipt_check(const char *text, size_t len, struct receipt_signers *ret);
