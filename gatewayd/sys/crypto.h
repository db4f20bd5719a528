#pragma once
/* crypto - random, hashes, passwords, signatures, constant-time comparison, guarded memory; libsodium and OpenSSL behind it.
 *
 *   above   conf  audit  people  app  host  linkd
 *   below   base/base  base/bytes
 *   owns    struct secret's memory
 *   limits  CRYPTO_PASSWORD_HASH_LEN CRYPTO_PASSWORD_LEN_MAX SECRET_LEN_MAX
 *   errors  CRYPTO_E_MISMATCH CRYPTO_E_SYNTAX
 */
#include "base/base.h"
#include "base/bytes.h"

enum {
	CRYPTO_HASH_LEN = 32,
	CRYPTO_PASSWORD_HASH_LEN = 128,
	CRYPTO_PASSWORD_LEN_MAX = 1024, /* bytes; a longer one is refused when set and never matches */
	SECRET_LEN_MAX = 8192, /* all keys of a gateway, for a backup */
};
enum { CRYPTO_E_MISMATCH = 1, CRYPTO_E_SYNTAX = 2 };

must_check int crypto_init(void); /* once a process, before anything else here */
void crypto_random(void *buf, size_t len);
uint32_t crypto_random_below(uint32_t bound); /* uniform in [0, bound), bound > 0 */
void crypto_wipe(void *buf, size_t len);
bool crypto_equal(const void *a, const void *b, size_t len); /* constant time */

/* Incremental hash: SHA-256 or SM3 (suite of the audit log). */
enum crypto_hash_kind { CRYPTO_SHA256, CRYPTO_SM3 };
struct crypto_hash;
must_check int crypto_hash_new(enum crypto_hash_kind kind, struct crypto_hash **ret); /* -ENOTSUP: OpenSSL has it not */
void crypto_hash_reset(struct crypto_hash *hash);
void crypto_hash_add(struct crypto_hash *hash, const void *data, size_t len);
void crypto_hash_end(struct crypto_hash *hash, uint8_t ret[CRYPTO_HASH_LEN]); /* and resets */
struct crypto_hash *crypto_hash_free(struct crypto_hash *hash);
DEFINE_CLEANUP(crypto_hash_free, struct crypto_hash *)
void crypto_sha256(const void *data, size_t len, uint8_t ret[CRYPTO_HASH_LEN]);
must_check int crypto_sha256_fd(int fd, uint8_t ret[CRYPTO_HASH_LEN]); /* the whole file; its offset stays */
void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len, uint8_t ret[CRYPTO_HASH_LEN]);

/* Argon2id, PHC string. Slow on purpose: run by loop_work. Verifying wants the memory that the hash names; without it
 * -ENOMEM (which is no mismatch), -EBADMSG when hash is no Argon2id string. */
struct crypto_password_cost {
	uint32_t mem_kib, passes;
};
must_check int crypto_password_hash(const char *password, size_t len, struct crypto_password_cost cost,
				    char ret[CRYPTO_PASSWORD_HASH_LEN]);
must_check int crypto_password_verify(const char hash[CRYPTO_PASSWORD_HASH_LEN], const char *password, size_t len);
/* Argon2id as a key: version 1.3, one lane. ret: guarded memory. -ENOMEM, or -EINVAL for a cost that Argon2id has not. */
enum { CRYPTO_SALT_LEN = 16 };
must_check int crypto_password_key(const char *password, size_t len, const uint8_t salt[CRYPTO_SALT_LEN],
				   struct crypto_password_cost cost, uint8_t ret[CRYPTO_HASH_LEN]);

/* Guarded, locked, wiped memory; no formatter exists. */
struct secret;
must_check int secret_new(const void *data, size_t len, struct secret **ret); /* 1..SECRET_LEN_MAX bytes or -EINVAL */
must_check int secret_new_random(size_t len, struct secret **ret);
struct view secret_view(const struct secret *secret); /* borrowed: do not keep */
bool secret_equal(const struct secret *secret, const void *data, size_t len);
struct secret *secret_free(struct secret *secret);
DEFINE_CLEANUP(secret_free, struct secret *)

/* The same memory for what has a shape of its own: zeroed, aligned to 16, locked, in no core dump, wiped when freed. */
enum crypto_access { GUARD_HIDDEN, GUARD_READ, GUARD_WRITE }; /* write: and read */
must_check int crypto_guarded_new(size_t len, void **ret);        /* GUARD_WRITE at first; len > 0 */
void crypto_guarded_allow(void *guarded, enum crypto_access access); /* for all threads */
void crypto_guarded_free(void *guarded);

/* RFC 4648, section 5, no padding, in constant time. */
#define BASE64URL_CAP(len) (((len)*4 + 2) / 3 + 1)
void base64url_print(const void *data, size_t len, char *ret, size_t cap); /* cap >= BASE64URL_CAP(len) */
/* CRYPTO_E_SYNTAX: not base64url to the last bit, or longer than cap when decoded. */
must_check int base64url_parse(const char *text, size_t len, void *ret, size_t cap, size_t *ret_len);
