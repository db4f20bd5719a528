#pragma once
/* walk - an export from its first byte to its last, each check of section 11 of docs/spec/audit.md; constant memory.
 *
 *   above   -
 *   below   base/base  base/bytes  base/text  sys/crypto  sys/sign  verify/entry  verify/hashes  verify/point  verify/source
 *   owns    nothing: what it is given is borrowed for the call
 *   limits  -
 *   errors  WALK_E_TAMPERED
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/crypto.h"
#include "sys/sign.h"
#include "verify/point.h"
#include "verify/source.h"

enum { WALK_E_TAMPERED = 1 };
enum check {
	CHECK_NONE, CHECK_FORM, CHECK_ORDER, CHECK_CLOSE, CHECK_SEGMENT, CHECK_DROPPED, CHECK_CHAIN, CHECK_MAC, CHECK_SEED,
	CHECK_ANCHOR, CHECK_CHECKPOINT, CHECK_SIGNATURE, CHECK_END, CHECKS,
};
const char *check_name(enum check check);
const char *check_words(enum check check); /* what it means when that check fails */

/* What somebody kept outside of the gateway. */
struct anchor {
	uint64_t seq;
	uint8_t head[CRYPTO_HASH_LEN];
	struct point *whole; /* NULL: only seq and head are known */
};
struct seed {
	uint64_t seq; /* of the record of kind 6 */
	uint8_t key[CRYPTO_HASH_LEN];
};
struct walk_given {
	const struct sign_public *keys;
	size_t n_keys;
	const struct anchor *anchors;
	size_t n_anchors;
	const struct seed *seeds;
	size_t n_seeds;
};

struct walk_verdict {
	enum check failed;
	uint64_t first_bad;                    /* 0 none, or before the first record */
	uint64_t first, last;                  /* numbers of the first and the last record that held */
	uint64_t records, checkpoints;
	uint64_t signatures, signed_to;        /* that held; the last record that one covers */
	uint64_t macs;
	bool mac_to_end;                       /* every record behind signed_to has one that held */
	uint64_t anchors, newest_anchor;       /* that were compared */
	uint8_t head[CRYPTO_HASH_LEN];
};
/* WALK_E_TAMPERED: verdict says where and which check. Negative errno: no verdict. */
must_check int walk_export(struct source *source, const struct walk_given *given, struct walk_verdict *ret);
