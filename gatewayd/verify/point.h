#pragma once
/* point - a checkpoint: its signed body in the form of section 7 of docs/spec/audit.md, and its signatures.
 *
 *   above   verify/walk
 *   below   base/base  base/bytes  base/text  sys/crypto  sys/sign  verify/tree
 *   owns    nothing: struct point is plain
 *   limits  POINT_BODY_MAX POINT_ITEM_MAX
 *   errors  POINT_E_SYNTAX POINT_E_SIGNATURE
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/crypto.h"
#include "sys/sign.h"
#include "verify/tree.h"

enum { POINT_HEAD_LEN = 197, POINT_BODY_MAX = POINT_HEAD_LEN + TREE_PEAKS_MAX * CRYPTO_HASH_LEN, POINT_ITEM_MAX = 4096 };
enum { POINT_E_SYNTAX = 1, POINT_E_SIGNATURE = 2 };

struct point {
	uint64_t number;
	uint8_t log_id[16], head[CRYPTO_HASH_LEN], root[CRYPTO_HASH_LEN], previous[CRYPTO_HASH_LEN];
	struct tree tree; /* suite, size, peaks */
	bool has[2];      /* Ed25519, SM2 */
	uint8_t signatures[2][SIGN_LEN];
	size_t len;
	uint8_t body[POINT_BODY_MAX];
};
/* u16 length, body, u8 length, signature_a, u8 length, signature_b. */
must_check int point_parse(struct view item, struct point *ret);
/* BODY.SIGNATURE.SIGNATURE in base64url. */
must_check int point_parse_text(const char *text, struct point *ret);
bool point_root_holds(const struct point *point, const struct hashes *hashes); /* its peaks give its root */
/* Every signature of a kind of which there are keys holds by one of them, and there is one at least; else POINT_E_SIGNATURE.
 * ret_checked: how many. */
must_check int point_check(const struct point *point, const struct sign_public *keys, size_t n, unsigned *ret_checked);
