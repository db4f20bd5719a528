#pragma once
/* hashes - the hashes of docs/spec/audit.md over a few pieces: H of suite 0 and 1, and HMAC with it.
 *
 *   above   verify/tree  verify/walk
 *   below   base/base  base/bytes  sys/crypto
 *   owns    struct hashes
 *   limits  -
 *   errors  -
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/crypto.h"

enum { HASHES_SUITES = 2 };

struct hashes {
	struct crypto_hash *of[HASHES_SUITES];
};
must_check int hashes_init(struct hashes *hashes); /* -ENOTSUP: OpenSSL has no SM3 */
void hashes_deinit(struct hashes *hashes);
/* H(tag || first || second). */
void hashes_of(const struct hashes *hashes, uint8_t suite, uint8_t tag, struct view first, struct view second,
	       uint8_t ret[CRYPTO_HASH_LEN]);
/* HMAC(key, tag || data), RFC 2104. */
void hashes_mac(const struct hashes *hashes, uint8_t suite, const uint8_t key[CRYPTO_HASH_LEN], uint8_t tag, struct view data,
		uint8_t ret[CRYPTO_HASH_LEN]);
