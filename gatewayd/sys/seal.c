/* Suite 1 is libsodium's, but where OpenSSL has ChaCha20-Poly1305, whose code is three times as fast
 * on a page, that does the work with the key that XChaCha20 makes of key and nonce. Suite 2 is put
 * together here, because OpenSSL 3.0 has SM4 and SM3 but no authenticated mode of them.
 *
 * A key's bytes, and everything cut from them, stand in one guarded block. OpenSSL keeps its own
 * copies in ordinary memory as long as a context is in use, so an engine (two contexts) is lent for
 * one call and then given a key of zeros. Engines are made with the key: sealing allocates nothing
 * and cannot fail half way. Two of them serve the writer and a reader at once; who comes third waits,
 * or in suite 1 does without.
 */
#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "sys/seal.h"

enum { SM4_LEN = 16, SM3_BLOCK = 64, ENGINES = 2 };

static const uint8_t zeros[SEAL_KEY_LEN]; /* a key, or a nonce, that tells nothing */

struct engine {
	pthread_mutex_t lock;
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *md;
};

/* Guarded, read-only once filled. */
struct cut {
	uint8_t key[SEAL_KEY_LEN];  /* suite 1: encrypts as it is; suite 2: SM4's in its first 16 bytes */
	uint8_t mask[SEAL_KEY_LEN]; /* suite 2: first 16 bytes */
	uint8_t inner[SM3_BLOCK], outer[SM3_BLOCK]; /* suite 2: the MAC's key, padded as HMAC wants it */
};

struct seal_key {
	enum seal_suite suite;
	struct cut *cut;
	EVP_CIPHER *cipher; /* SM4-CTR; ChaCha20-Poly1305, or NULL where OpenSSL has it not */
	EVP_MD *sm3;
	struct engine engines[ENGINES];
	unsigned n_engines;
};

/* With fetched algorithms and used contexts these cannot fail; nothing must be written if they do. */
static void must(int good)
{
	if (good != 1)
		abort();
}

/* HMAC-SM3, with the two pads of its key at hand */

static void hmac_pads(const uint8_t key[SEAL_KEY_LEN], uint8_t inner[SM3_BLOCK],
		      uint8_t outer[SM3_BLOCK])
{
	for (size_t i = 0; i < SM3_BLOCK; i++) {
		inner[i] = (i < SEAL_KEY_LEN ? key[i] : 0) ^ 0x36;
		outer[i] = (i < SEAL_KEY_LEN ? key[i] : 0) ^ 0x5c;
	}
}

static void hmac_end(EVP_MD_CTX *md, const EVP_MD *sm3, const uint8_t outer[SM3_BLOCK],
		     uint8_t ret[SEAL_TAG_LEN])
{
	must(EVP_DigestFinal_ex(md, ret, NULL));
	must(EVP_DigestInit_ex2(md, sm3, NULL));
	must(EVP_DigestUpdate(md, outer, SM3_BLOCK));
	must(EVP_DigestUpdate(md, ret, SEAL_TAG_LEN));
	must(EVP_DigestFinal_ex(md, ret, NULL));
	must(EVP_DigestInit_ex2(md, sm3, NULL)); /* what the pads left in it is overwritten */
}

static int derive_sm3(const uint8_t key[SEAL_KEY_LEN], const char *label, uint8_t ret[SEAL_KEY_LEN])
{
	uint8_t inner[SM3_BLOCK], outer[SM3_BLOCK];
	EVP_MD *sm3 = EVP_MD_fetch(NULL, "SM3", NULL);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int r = !sm3 ? -ENOTSUP : !md ? -ENOMEM : 0;

	if (r == 0 && EVP_DigestInit_ex2(md, sm3, NULL) != 1)
		r = -ENOMEM;
	if (r == 0) {
		hmac_pads(key, inner, outer);
		must(EVP_DigestUpdate(md, inner, sizeof(inner)));
		must(EVP_DigestUpdate(md, label, strlen(label)));
		hmac_end(md, sm3, outer, ret);
		sodium_memzero(inner, sizeof(inner));
		sodium_memzero(outer, sizeof(outer));
	}
	EVP_MD_CTX_free(md);
	EVP_MD_free(sm3);
	return r;
}

int seal_derive(enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], const char *label,
		uint8_t ret[SEAL_KEY_LEN])
{
	switch (suite) {
	case SEAL_XCHACHA:
		crypto_hmac_sha256(key, SEAL_KEY_LEN, label, strlen(label), ret);
		return 0;
	case SEAL_SM4:
		return derive_sm3(key, label, ret);
	default:
		return -EINVAL;
	}
}

/* Keys */

static int cut_fill(struct cut *cut, enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN])
{
	uint8_t mac[SEAL_KEY_LEN];
	int r = seal_derive(suite, key, "gatewayd seal mask", cut->mask);

	if (r == 0 && suite == SEAL_XCHACHA)
		memcpy(cut->key, key, SEAL_KEY_LEN);
	if (r || suite == SEAL_XCHACHA)
		return r;
	r = seal_derive(suite, key, "gatewayd seal encrypt", cut->key);
	if (r == 0)
		r = seal_derive(suite, key, "gatewayd seal mac", mac);
	if (r == 0) {
		hmac_pads(mac, cut->inner, cut->outer);
		sodium_memzero(mac, sizeof(mac));
	}
	return r;
}

static int engine_init(struct engine *engine, const struct seal_key *key)
{
	engine->cipher = EVP_CIPHER_CTX_new();
	engine->md = EVP_MD_CTX_new();
	if (!engine->cipher || !engine->md || pthread_mutex_init(&engine->lock, NULL) ||
	    EVP_EncryptInit_ex2(engine->cipher, key->cipher, zeros, zeros, NULL) != 1 ||
	    (key->sm3 && EVP_DigestInit_ex2(engine->md, key->sm3, NULL) != 1)) {
		EVP_CIPHER_CTX_free(engine->cipher);
		EVP_MD_CTX_free(engine->md);
		return -ENOMEM;
	}
	return 0;
}

static int engines_init(struct seal_key *key)
{
	bool sm = key->suite == SEAL_SM4;
	int r = 0;

	key->cipher = EVP_CIPHER_fetch(NULL, sm ? "SM4-CTR" : "ChaCha20-Poly1305", NULL);
	key->sm3 = sm ? EVP_MD_fetch(NULL, "SM3", NULL) : NULL;
	if (!key->cipher || (sm && !key->sm3))
		return sm ? -ENOTSUP : 0;
	for (; r == 0 && key->n_engines < ENGINES; key->n_engines += r == 0)
		r = engine_init(&key->engines[key->n_engines], key);
	return r;
}

int seal_key_new(enum seal_suite suite, const uint8_t key[SEAL_KEY_LEN], struct seal_key **ret)
{
	struct seal_key *made;
	int r;

	if (suite != SEAL_XCHACHA && suite != SEAL_SM4)
		return -EINVAL;
	made = calloc(1, sizeof(*made));
	if (!made)
		return -ENOMEM;
	made->suite = suite;
	made->cut = sodium_malloc(sizeof(*made->cut));
	r = made->cut ? cut_fill(made->cut, suite, key) : -ENOMEM;
	if (r == 0)
		r = engines_init(made);
	if (r) {
		seal_key_free(made);
		return r;
	}
	sodium_mprotect_readonly(made->cut);
	*ret = made;
	return 0;
}

struct seal_key *seal_key_free(struct seal_key *key)
{
	if (!key)
		return NULL;
	for (unsigned i = 0; i < key->n_engines; i++) {
		EVP_CIPHER_CTX_free(key->engines[i].cipher);
		EVP_MD_CTX_free(key->engines[i].md);
		pthread_mutex_destroy(&key->engines[i].lock);
	}
	EVP_CIPHER_free(key->cipher);
	EVP_MD_free(key->sm3);
	sodium_free(key->cut); /* wipes */
	free(key);
	return NULL;
}

enum seal_suite seal_key_suite(const struct seal_key *key)
{
	return key->suite;
}

/* Engines */

/* NULL: none is free. */
static struct engine *engine_try(const struct seal_key *key)
{
	struct engine *engines = (struct engine *)key->engines;

	for (unsigned i = 0; i < key->n_engines; i++) {
		if (pthread_mutex_trylock(&engines[i].lock) == 0)
			return &engines[i];
	}
	return NULL;
}

static struct engine *engine_wait(const struct seal_key *key)
{
	struct engine *engine = engine_try(key);

	if (!engine) {
		engine = (struct engine *)&key->engines[ENGINES - 1];
		pthread_mutex_lock(&engine->lock);
	}
	return engine;
}

static void engine_return(struct engine *engine)
{
	pthread_mutex_unlock(&engine->lock);
}

/* Suite 1 */

_Static_assert(SEAL_KEY_LEN == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
		       SEAL_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	       "suite 1 is libsodium's");
enum {
	POLY_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	INNER_LEN = crypto_core_hchacha20_INPUTBYTES, /* of the nonce; the other eight go on */
	CHACHA_NONCE_LEN = crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
};

/* draft-irtf-cfrg-xchacha-03, section 2: one key for this nonce, by which ChaCha20-Poly1305 goes on. */
static void chacha_start(struct engine *engine, const struct seal_key *key,
			 const uint8_t nonce[SEAL_NONCE_LEN], struct view aad, bool encrypt)
{
	uint8_t inner_key[crypto_core_hchacha20_OUTPUTBYTES], inner_nonce[CHACHA_NONCE_LEN] = { 0 };
	int n;

	assert(aad.len <= INT32_MAX);
	crypto_core_hchacha20(inner_key, nonce, key->cut->key, NULL);
	memcpy(inner_nonce + 4, nonce + INNER_LEN, SEAL_NONCE_LEN - INNER_LEN);
	must(EVP_CipherInit_ex2(engine->cipher, NULL, inner_key, inner_nonce, encrypt, NULL));
	sodium_memzero(inner_key, sizeof(inner_key));
	if (aad.len)
		must(EVP_CipherUpdate(engine->cipher, NULL, &n, aad.data, (int)aad.len));
}

/* Returns what the tag says; of no meaning when sealing. */
static bool chacha_end(struct engine *engine, const void *data, size_t len, void *ret)
{
	uint8_t none[16];
	int n = 0, good;

	assert(len <= INT32_MAX);
	if (len)
		must(EVP_CipherUpdate(engine->cipher, ret, &n, data, (int)len));
	good = EVP_CipherFinal_ex(engine->cipher, none, &n);
	return good == 1;
}

static void chacha_return(struct engine *engine)
{
	must(EVP_EncryptInit_ex2(engine->cipher, NULL, zeros, zeros, NULL));
	engine_return(engine);
}

static void chacha_make(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN],
			struct view aad, const void *text, size_t len, void *ret,
			uint8_t ret_tag[SEAL_TAG_LEN])
{
	struct engine *engine = engine_try(key);

	memset(ret_tag + POLY_LEN, 0, SEAL_TAG_LEN - POLY_LEN);
	if (!engine) {
		crypto_aead_xchacha20poly1305_ietf_encrypt_detached(ret, ret_tag, NULL, text, len,
								    aad.data, aad.len, NULL, nonce,
								    key->cut->key);
		return;
	}
	chacha_start(engine, key, nonce, aad, true);
	must(chacha_end(engine, text, len, ret));
	must(EVP_CIPHER_CTX_ctrl(engine->cipher, EVP_CTRL_AEAD_GET_TAG, POLY_LEN, ret_tag));
	chacha_return(engine);
}

static bool chacha_open(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN],
			struct view aad, struct view sealed, const uint8_t tag[SEAL_TAG_LEN],
			void *ret)
{
	struct engine *engine;
	uint8_t want[POLY_LEN];
	bool good;

	if (!sodium_is_zero(tag + POLY_LEN, SEAL_TAG_LEN - POLY_LEN))
		return false;
	engine = engine_try(key);
	if (!engine)
		return crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
			       ret, NULL, sealed.data, sealed.len, tag, aad.data, aad.len, nonce,
			       key->cut->key) == 0;
	memcpy(want, tag, POLY_LEN);
	chacha_start(engine, key, nonce, aad, false);
	must(EVP_CIPHER_CTX_ctrl(engine->cipher, EVP_CTRL_AEAD_SET_TAG, POLY_LEN, want));
	good = chacha_end(engine, sealed.data, sealed.len, ret);
	chacha_return(engine);
	return good;
}

/* Suite 2 */

static void sm4_ctr(struct engine *engine, const uint8_t key[SM4_LEN],
		    const uint8_t nonce[SEAL_NONCE_LEN], const void *data, size_t len, void *ret)
{
	int n = 0;

	assert(len <= INT32_MAX);
	must(EVP_EncryptInit_ex2(engine->cipher, NULL, key, nonce, NULL));
	must(EVP_EncryptUpdate(engine->cipher, ret, &n, data, (int)len));
	assert((size_t)n == len);
	must(EVP_EncryptInit_ex2(engine->cipher, NULL, zeros, zeros, NULL));
}

static void sm3_tag(struct engine *engine, const struct seal_key *key,
		    const uint8_t nonce[SEAL_NONCE_LEN], struct view aad, struct view sealed,
		    uint8_t ret[SEAL_TAG_LEN])
{
	uint8_t head[9] = { SEAL_SM4 };

	for (size_t i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)((uint64_t)aad.len >> (8 * i));
	must(EVP_DigestUpdate(engine->md, key->cut->inner, SM3_BLOCK));
	must(EVP_DigestUpdate(engine->md, head, sizeof(head)));
	must(EVP_DigestUpdate(engine->md, aad.data, aad.len));
	must(EVP_DigestUpdate(engine->md, nonce, SEAL_NONCE_LEN));
	must(EVP_DigestUpdate(engine->md, sealed.data, sealed.len));
	hmac_end(engine->md, key->sm3, key->cut->outer, ret);
}

static void sm4_make(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN],
		     struct view aad, const void *text, size_t len, void *ret,
		     uint8_t ret_tag[SEAL_TAG_LEN])
{
	struct engine *engine = engine_wait(key);

	sm4_ctr(engine, key->cut->key, nonce, text, len, ret);
	sm3_tag(engine, key, nonce, aad, (struct view){ .data = ret, .len = len }, ret_tag);
	engine_return(engine);
}

static bool sm4_open(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN],
		     struct view aad, struct view sealed, const uint8_t tag[SEAL_TAG_LEN], void *ret)
{
	struct engine *engine = engine_wait(key);
	uint8_t want[SEAL_TAG_LEN];
	bool good;

	sm3_tag(engine, key, nonce, aad, sealed, want);
	good = sodium_memcmp(want, tag, SEAL_TAG_LEN) == 0;
	if (good)
		sm4_ctr(engine, key->cut->key, nonce, sealed.data, sealed.len, ret);
	engine_return(engine);
	return good;
}

/* Both */

void seal_make(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN], const void *aad,
	       size_t aad_len, const void *text, size_t len, void *ret,
	       uint8_t ret_tag[SEAL_TAG_LEN])
{
	const struct view place = { .data = aad, .len = aad_len };

	if (key->suite == SEAL_SM4)
		sm4_make(key, nonce, place, text, len, ret, ret_tag);
	else
		chacha_make(key, nonce, place, text, len, ret, ret_tag);
}

int seal_open(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN], const void *aad,
	      size_t aad_len, const void *sealed, size_t len, const uint8_t tag[SEAL_TAG_LEN],
	      void *ret)
{
	const struct view place = { .data = aad, .len = aad_len };
	const struct view bytes = { .data = sealed, .len = len };
	bool good = key->suite == SEAL_SM4 ? sm4_open(key, nonce, place, bytes, tag, ret)
					   : chacha_open(key, nonce, place, bytes, tag, ret);

	if (good)
		return 0;
	if (len)
		memset(ret, 0, len);
	return CRYPTO_E_MISMATCH;
}

void seal_mask(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_LEN], void *data,
	       size_t len)
{
	struct engine *engine;

	assert(len <= 64);
	if (key->suite == SEAL_XCHACHA) {
		crypto_stream_xchacha20_xor(data, data, len, nonce, key->cut->mask);
		return;
	}
	engine = engine_wait(key);
	sm4_ctr(engine, key->cut->mask, nonce, data, len, data);
	engine_return(engine);
}
