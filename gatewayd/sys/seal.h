#pragma once
/* seal - authenticated encryption in two suites, international and SM, behind one shape: key, nonce, associated data, tag.
 *
 *   above   audit  sys  vault
 *   below   base/base  base/bytes  sys/crypto
 *   owns    struct seal_key, in guarded memory
 *   limits  -
 *   errors  -
 *
 * Suite 1 is XChaCha20-Poly1305 (IETF draft, libsodium): its tag takes 16 bytes, the other 16 are zero and checked. Suite 2
 * is SM4-CTR (GB/T 32907) then HMAC-SM3 (GB/T 32905), encrypt-then-MAC; both keys are cut from the 32 bytes with HMAC-SM3.
 * Exact bytes: docs/spec/vfs.md. Safe from several threads at once on one key.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/crypto.h"

enum seal_suite { SEAL_XCHACHA = 1, SEAL_SM4 = 2 };
enum { SEAL_KEY_LEN = 32, SEAL_NONCE_LEN = 24, SEAL_TAG_LEN = 32 };

struct seal_key;
/* -EINVAL: no such suite; -ENOTSUP: OpenSSL lacks SM4 or SM3. key is copied into guarded memory. */
must_check int seal_key_new(enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], struct seal_key **ret);
struct seal_key *seal_key_free(struct seal_key *key); /* wipes */
DEFINE_CLEANUP(seal_key_free, struct seal_key *)
enum seal_suite seal_key_suite(const struct seal_key *key);

/* text and ret may be the same place. nonce must never come twice with a key: take it from crypto_random. */
void seal_make(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN], const void *aad, size_t aad_len, const void *text,
	       size_t len, void *ret, uint8_t ret_tag[SEAL_TAG_LEN]);
/* CRYPTO_E_MISMATCH: not what was sealed; ret then holds zeros. */
must_check int seal_open(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN], const void *aad, size_t aad_len,
			 const void *sealed, size_t len, const uint8_t tag[SEAL_TAG_LEN], void *ret);
/* XORs len bytes (at most 64) with a keystream that no other use of the key shares; twice gives the text back. */
void seal_mask(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN], void *data, size_t len);
/* 32 bytes that follow from key and label alone: HMAC of the suite's hash (SHA-256, SM3). */
must_check int seal_derive(enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], const char *label, uint8_t ret[SEAL_KEY_LEN]);
