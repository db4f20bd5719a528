#pragma once
/* sign - signatures that others check: Ed25519 (RFC 8032) and SM2 with SM3 (GB/T 32918), 32-byte private keys, 64-byte signatures.
 *
 *   above   audit  vault  verify
 *   below   base/base  sys/crypto
 *   owns    struct sign_key, in guarded memory
 *   limits  SIGN_PUBLIC_MAX SIGN_TEXT_MAX
 *   errors  -
 *
 * SM2: the signer's id is "1234567812345678", the signature is r || s, big-endian, 32 bytes each; the public key is
 * 04 || x || y. The OpenSSL key is made for one signature and freed again, so that no copy stays in ordinary memory.
 */
#include "base/base.h"
#include "sys/crypto.h"

enum sign_kind { SIGN_ED25519 = 1, SIGN_SM2 = 2 };
enum { SIGN_SECRET_LEN = 32, SIGN_PUBLIC_MAX = 65, SIGN_LEN = 64, SIGN_TEXT_MAX = 128 };

struct sign_key;
struct sign_public {
	uint8_t kind; /* enum sign_kind */
	uint8_t len;  /* 32 or 65 */
	uint8_t data[SIGN_PUBLIC_MAX];
};
must_check int sign_secret_new(enum sign_kind kind, uint8_t ret[SIGN_SECRET_LEN]); /* random, valid for the kind; the caller wipes */
must_check int sign_key_new(enum sign_kind kind, const uint8_t secret[SIGN_SECRET_LEN], struct sign_key **ret);
struct sign_key *sign_key_free(struct sign_key *key);
DEFINE_CLEANUP(sign_key_free, struct sign_key *)
struct sign_public sign_key_public(const struct sign_key *key);
must_check int sign_make(const struct sign_key *key, const void *data, size_t len, uint8_t ret[SIGN_LEN]);
/* CRYPTO_E_MISMATCH: not this key's signature of this, or no key at all; -EINVAL: no such kind, or a length that is not its. */
must_check int sign_check(const struct sign_public *key, const void *data, size_t len, const uint8_t signature[SIGN_LEN]);
/* As text: "gw-ed25519-pub:" or "gw-sm2-sign-pub:" and base64url. CRYPTO_E_SYNTAX: neither. */
void sign_public_print(const struct sign_public *key, char ret[SIGN_TEXT_MAX]);
must_check int sign_public_parse(const char *text, struct sign_public *ret);
