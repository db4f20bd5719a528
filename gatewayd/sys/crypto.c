/* Wrappers, each with a known answer in its test. libsodium serves what cannot fail and what guards
 * memory; OpenSSL serves the incremental hashes, because it has SM3 and uses the processor's SHA
 * instructions. A digest is fetched once an object: a fetch takes a lock and costs more than
 * hashing a short record.
 */
#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/crypto.h"

struct crypto_hash {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

struct secret {
	void *data; /* guarded pages of libsodium's, read-only once filled */
	size_t len;
};

int crypto_init(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

void crypto_random(void *buf, size_t len)
{
	randombytes_buf(buf, len);
}

uint32_t crypto_random_below(uint32_t bound)
{
	assert(bound > 0);
	return randombytes_uniform(bound);
}

void crypto_wipe(void *buf, size_t len)
{
	sodium_memzero(buf, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

/* With a fetched digest and memory at hand these cannot fail; a wrong chain must not be written if
 * they do. */
static void hash_must(int good)
{
	if (good != 1)
		abort();
}

int crypto_hash_new(enum crypto_hash_kind kind, struct crypto_hash **ret)
{
	static const char *const names[] = { [CRYPTO_SHA256] = "SHA256", [CRYPTO_SM3] = "SM3" };
	struct crypto_hash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return -ENOMEM;
	hash->md = EVP_MD_fetch(NULL, names[kind], NULL);
	if (!hash->md) {
		crypto_hash_free(hash);
		return -ENOTSUP;
	}
	hash->ctx = EVP_MD_CTX_new();
	if (!hash->ctx) {
		crypto_hash_free(hash);
		return -ENOMEM;
	}
	assert(EVP_MD_get_size(hash->md) == CRYPTO_HASH_LEN);
	crypto_hash_reset(hash);
	*ret = hash;
	return 0;
}

void crypto_hash_reset(struct crypto_hash *hash)
{
	hash_must(EVP_DigestInit_ex2(hash->ctx, hash->md, NULL));
}

void crypto_hash_add(struct crypto_hash *hash, const void *data, size_t len)
{
	hash_must(EVP_DigestUpdate(hash->ctx, data, len));
}

void crypto_hash_end(struct crypto_hash *hash, uint8_t ret[CRYPTO_HASH_LEN])
{
	hash_must(EVP_DigestFinal_ex(hash->ctx, ret, NULL));
	crypto_hash_reset(hash);
}

struct crypto_hash *crypto_hash_free(struct crypto_hash *hash)
{
	if (!hash)
		return NULL;
	EVP_MD_CTX_free(hash->ctx);
	EVP_MD_free(hash->md);
	free(hash);
	return NULL;
}

void crypto_sha256(const void *data, size_t len, uint8_t ret[CRYPTO_HASH_LEN])
{
	crypto_hash_sha256(ret, data, len);
}

int crypto_sha256_fd(int fd, uint8_t ret[CRYPTO_HASH_LEN])
{
	crypto_hash_sha256_state state;
	uint8_t buf[16384];
	off_t at = 0;

	crypto_hash_sha256_init(&state);
	for (;;) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		crypto_hash_sha256_update(&state, buf, (size_t)n);
		at += n;
	}
	crypto_hash_sha256_final(&state, ret);
	return 0;
}

void crypto_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
			uint8_t ret[CRYPTO_HASH_LEN])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, key, key_len);
	crypto_auth_hmacsha256_update(&state, data, len);
	crypto_auth_hmacsha256_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

int crypto_password_hash(const char *password, size_t len, struct crypto_password_cost cost,
			 char ret[CRYPTO_PASSWORD_HASH_LEN])
{
	_Static_assert(CRYPTO_PASSWORD_HASH_LEN == crypto_pwhash_STRBYTES,
		       "libsodium's PHC string fits");
	size_t mem = (size_t)cost.mem_kib * 1024;
	char hash[CRYPTO_PASSWORD_HASH_LEN];

	if (len > CRYPTO_PASSWORD_LEN_MAX || mem < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
	    cost.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN)
		return -EINVAL;
	errno = 0;
	if (crypto_pwhash_str_alg(hash, password, len, cost.passes, mem,
				  crypto_pwhash_ALG_ARGON2ID13) < 0)
		return errno ? -errno : -ENOMEM;
	memcpy(ret, hash, sizeof(hash));
	return 0;
}

/* What libsodium writes: $argon2id$v=19$m=65536,t=2,p=1$<salt>$<result>, both in base64 without
 * padding. */
struct phc {
	uint32_t mem_kib, passes;
	uint8_t salt[crypto_pwhash_argon2id_SALTBYTES];
	uint8_t result[32];
};

static bool phc_parse_base64(const char **text, void *ret, size_t len)
{
	size_t n = 0;

	return sodium_base642bin(ret, len, *text, strlen(*text), NULL, &n, text,
				 sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
	       n == len;
}

static bool phc_parse(const char *text, struct phc *ret)
{
	int at = 0;

	if (sscanf(text, "$argon2id$v=19$m=%" SCNu32 ",t=%" SCNu32 ",p=1$%n", &ret->mem_kib,
		   &ret->passes, &at) != 2 ||
	    at == 0)
		return false;
	text += at;
	if (!phc_parse_base64(&text, ret->salt, sizeof(ret->salt)) || *text++ != '$')
		return false;
	return phc_parse_base64(&text, ret->result, sizeof(ret->result)) && !*text;
}

/* libsodium's own verify calls a lack of memory a wrong password, which would count towards a
 * lock-out. */
int crypto_password_verify(const char hash[CRYPTO_PASSWORD_HASH_LEN], const char *password,
			   size_t len)
{
	uint8_t result[sizeof(((struct phc *)0)->result)];
	struct phc phc;
	size_t mem;
	bool equal;

	if (!memchr(hash, '\0', CRYPTO_PASSWORD_HASH_LEN) || !phc_parse(hash, &phc))
		return -EBADMSG;
	mem = (size_t)phc.mem_kib * 1024;
	if (mem / 1024 != phc.mem_kib || mem < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
	    phc.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN)
		return -EBADMSG;
	if (len > CRYPTO_PASSWORD_LEN_MAX)
		return CRYPTO_E_MISMATCH;
	if (crypto_pwhash_argon2id(result, sizeof(result), password, len, phc.salt, phc.passes, mem,
				   crypto_pwhash_argon2id_ALG_ARGON2ID13) < 0)
		return -ENOMEM;
	equal = sodium_memcmp(result, phc.result, sizeof(result)) == 0;
	sodium_memzero(result, sizeof(result));
	return equal ? 0 : CRYPTO_E_MISMATCH;
}

int crypto_password_key(const char *password, size_t len, const uint8_t salt[CRYPTO_SALT_LEN],
			struct crypto_password_cost cost, uint8_t ret[CRYPTO_HASH_LEN])
{
	_Static_assert(CRYPTO_SALT_LEN == crypto_pwhash_argon2id_SALTBYTES, "libsodium's salt fits");
	size_t mem = (size_t)cost.mem_kib * 1024;

	if (len > CRYPTO_PASSWORD_LEN_MAX || mem / 1024 != cost.mem_kib ||
	    mem < crypto_pwhash_argon2id_MEMLIMIT_MIN ||
	    cost.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN)
		return -EINVAL;
	return crypto_pwhash_argon2id(ret, CRYPTO_HASH_LEN, password, len, salt, cost.passes, mem,
				      crypto_pwhash_argon2id_ALG_ARGON2ID13) < 0 ?
		       -ENOMEM :
		       0;
}

/* libsodium puts the end of what it gives at the end of a page, so a length that is a multiple of 16
 * makes its start aligned. */
int crypto_guarded_new(size_t len, void **ret)
{
	size_t room = (len + 15) / 16 * 16;
	void *guarded;

	assert(len > 0 && room >= len);
	guarded = sodium_malloc(room);
	if (!guarded)
		return -ENOMEM;
	sodium_memzero(guarded, room);
	*ret = guarded;
	return 0;
}

void crypto_guarded_allow(void *guarded, enum crypto_access access)
{
	static int (*const calls[])(void *) = {
		[GUARD_HIDDEN] = sodium_mprotect_noaccess,
		[GUARD_READ] = sodium_mprotect_readonly,
		[GUARD_WRITE] = sodium_mprotect_readwrite,
	};

	hash_must(calls[access](guarded) + 1);
}

void crypto_guarded_free(void *guarded)
{
	sodium_free(guarded); /* wipes */
}

must_check static int secret_alloc(size_t len, struct secret **ret)
{
	struct secret *secret;

	if (len == 0 || len > SECRET_LEN_MAX)
		return -EINVAL;
	secret = calloc(1, sizeof(*secret));
	if (!secret)
		return -ENOMEM;
	secret->len = len;
	secret->data = sodium_malloc(len);
	if (!secret->data) {
		free(secret);
		return -ENOMEM;
	}
	*ret = secret;
	return 0;
}

int secret_new(const void *data, size_t len, struct secret **ret)
{
	struct secret *secret = NULL;
	int r = secret_alloc(len, &secret);

	if (r)
		return r;
	memcpy(secret->data, data, len);
	sodium_mprotect_readonly(secret->data);
	*ret = secret;
	return 0;
}

int secret_new_random(size_t len, struct secret **ret)
{
	struct secret *secret = NULL;
	int r = secret_alloc(len, &secret);

	if (r)
		return r;
	randombytes_buf(secret->data, len);
	sodium_mprotect_readonly(secret->data);
	*ret = secret;
	return 0;
}

struct view secret_view(const struct secret *secret)
{
	return (struct view){ .data = secret->data, .len = secret->len };
}

bool secret_equal(const struct secret *secret, const void *data, size_t len)
{
	return len == secret->len && sodium_memcmp(secret->data, data, len) == 0;
}

struct secret *secret_free(struct secret *secret)
{
	if (!secret)
		return NULL;
	sodium_free(secret->data); /* wipes */
	free(secret);
	return NULL;
}

void base64url_print(const void *data, size_t len, char *ret, size_t cap)
{
	assert(cap >= BASE64URL_CAP(len));
	sodium_bin2base64(ret, cap, data, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int base64url_parse(const char *text, size_t len, void *ret, size_t cap, size_t *ret_len)
{
	size_t n = 0;

	if (sodium_base642bin(ret, cap, text, len, NULL, &n, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) < 0)
		return CRYPTO_E_SYNTAX;
	*ret_len = n;
	return 0;
}
