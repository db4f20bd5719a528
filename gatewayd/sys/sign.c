/* Two kinds of signature behind one shape. Ed25519 is libsodium's. SM2 is OpenSSL's, whose keys live in ordinary memory; so
 * the scalar stays in a guarded page of ours, an EVP_PKEY is made of it for one signature, and OpenSSL wipes its copies when
 * that is freed (private numbers are freed with BN_clear_free). SM2 signs e = SM3(Z || message), where Z binds the signer's
 * id and public key: without the id set, OpenSSL takes an empty one and nobody else's signature would hold.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <sodium.h>
#include <string.h>

#include "sys/sign.h"

/* GM/T 0009: the id of a signer who has agreed on no other. */
static const char sm2_id[] = "1234567812345678";
/* GB/T 32918.5: n - 1; a private key is in 1 .. n - 2. */
static const uint8_t sm2_order_less_one[SIGN_SECRET_LEN] = {
	0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x22,
};

enum { SM2_PUBLIC_LEN = 65, SM2_DER_MAX = 72 };

struct sign_key { /* in guarded memory, read-only once filled */
	struct sign_public public;
	uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* Ed25519: seed and public key; SM2: the scalar, little-endian */
};

static void turn_around(const uint8_t from[SIGN_SECRET_LEN], uint8_t ret[SIGN_SECRET_LEN])
{
	for (size_t i = 0; i < SIGN_SECRET_LEN; i++)
		ret[i] = from[SIGN_SECRET_LEN - 1 - i];
}

/* On 0 < scalar < n - 1, both big-endian, in constant time. */
static bool sm2_is_scalar(const uint8_t scalar[SIGN_SECRET_LEN])
{
	uint8_t a[SIGN_SECRET_LEN], b[SIGN_SECRET_LEN];
	bool good;

	turn_around(scalar, a);
	turn_around(sm2_order_less_one, b);
	good = !sodium_is_zero(a, sizeof(a)) && sodium_compare(a, b, sizeof(a)) < 0;
	sodium_memzero(a, sizeof(a));
	return good;
}

int sign_secret_new(enum sign_kind kind, uint8_t ret[SIGN_SECRET_LEN])
{
	if (kind != SIGN_ED25519 && kind != SIGN_SM2)
		return -EINVAL;
	do {
		randombytes_buf(ret, SIGN_SECRET_LEN);
	} while (kind == SIGN_SM2 && !sm2_is_scalar(ret));
	return 0;
}

/* EC_POINT_mul takes care of constant time by itself for a secret factor of the generator. */
must_check static int sm2_public_of(const uint8_t scalar[SIGN_SECRET_LEN], uint8_t ret[SM2_PUBLIC_LEN])
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_sm2);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	BIGNUM *factor = BN_new();
	int r = -ENOMEM;

	if (!group)
		r = -ENOTSUP;
	else if (point && factor && BN_lebin2bn(scalar, SIGN_SECRET_LEN, factor) &&
		 EC_POINT_mul(group, point, factor, NULL, NULL, NULL) == 1 &&
		 EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret, SM2_PUBLIC_LEN, NULL) ==
			 SM2_PUBLIC_LEN)
		r = 0;
	BN_clear_free(factor);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	ERR_clear_error();
	return r;
}

/* scalar: little-endian (OpenSSL's parameters are in the machine's order), or NULL for a public key alone. */
must_check static int sm2_pkey_new(const uint8_t public[SM2_PUBLIC_LEN], uint8_t *scalar, EVP_PKEY **ret)
{
	char group[] = "SM2";
	uint8_t point[SM2_PUBLIC_LEN], order[SIGN_SECRET_LEN];
	OSSL_PARAM params[4], *p = params;
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	int good;

	if (!ctx) {
		ERR_clear_error();
		return -ENOTSUP;
	}
	memcpy(point, public, sizeof(point));
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	if (scalar) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		turn_around(scalar, order);
#else
		memcpy(order, scalar, sizeof(order));
#endif
		*p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, order, sizeof(order));
	}
	*p = OSSL_PARAM_construct_end();
	good = EVP_PKEY_fromdata_init(ctx) == 1 &&
	       EVP_PKEY_fromdata(ctx, &pkey, scalar ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) == 1;
	EVP_PKEY_CTX_free(ctx);
	sodium_memzero(order, sizeof(order));
	ERR_clear_error();
	if (!good)
		return CRYPTO_E_MISMATCH; /* for example no point of the curve */
	*ret = pkey;
	return 0;
}

static void sm2_params(OSSL_PARAM params[2])
{
	params[0] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, (void *)(uintptr_t)sm2_id,
						      sizeof(sm2_id) - 1);
	params[1] = OSSL_PARAM_construct_end();
}

must_check static int sm2_make(const struct sign_key *key, const void *data, size_t len, uint8_t ret[SIGN_LEN])
{
	uint8_t der[SM2_DER_MAX], scalar[SIGN_SECRET_LEN];
	const uint8_t *at = der;
	size_t der_len = sizeof(der);
	OSSL_PARAM params[2];
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx;
	ECDSA_SIG *sig = NULL;
	int r;

	memcpy(scalar, key->secret, sizeof(scalar));
	r = sm2_pkey_new(key->public.data, scalar, &pkey);
	sodium_memzero(scalar, sizeof(scalar));
	if (r)
		return r < 0 ? r : -EIO;
	r = -EIO;
	sm2_params(params);
	ctx = EVP_MD_CTX_new();
	if (!ctx)
		r = -ENOMEM;
	else if (EVP_DigestSignInit_ex(ctx, NULL, "SM3", NULL, NULL, pkey, params) == 1 &&
		 EVP_DigestSign(ctx, der, &der_len, data, len) == 1)
		sig = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
	if (sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, SIGN_LEN / 2) == SIGN_LEN / 2 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + SIGN_LEN / 2, SIGN_LEN / 2) == SIGN_LEN / 2)
		r = 0;
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return r;
}

/* r || s as the DER that OpenSSL wants; 0 when there is no memory for it. */
static size_t sm2_der(const uint8_t signature[SIGN_LEN], uint8_t ret[SM2_DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *first = BN_bin2bn(signature, SIGN_LEN / 2, NULL);
	BIGNUM *second = BN_bin2bn(signature + SIGN_LEN / 2, SIGN_LEN / 2, NULL);
	int n = 0;

	if (sig && first && second && ECDSA_SIG_set0(sig, first, second) == 1) {
		n = i2d_ECDSA_SIG(sig, &ret);
	} else {
		BN_free(first);
		BN_free(second);
	}
	ECDSA_SIG_free(sig);
	return n > 0 ? (size_t)n : 0;
}

must_check static int sm2_check(const struct sign_public *key, const void *data, size_t len,
				const uint8_t signature[SIGN_LEN])
{
	uint8_t der[SM2_DER_MAX];
	size_t der_len = sm2_der(signature, der);
	OSSL_PARAM params[2];
	EVP_PKEY *pkey = NULL;
	EVP_MD_CTX *ctx;
	int r = sm2_pkey_new(key->data, NULL, &pkey);

	if (r)
		return r;
	sm2_params(params);
	ctx = EVP_MD_CTX_new();
	if (!ctx || der_len == 0)
		r = -ENOMEM;
	else if (EVP_DigestVerifyInit_ex(ctx, NULL, "SM3", NULL, NULL, pkey, params) != 1)
		r = -ENOTSUP;
	else if (EVP_DigestVerify(ctx, der, der_len, data, len) != 1)
		r = CRYPTO_E_MISMATCH;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return r;
}

must_check static int key_fill(struct sign_key *key, enum sign_kind kind, const uint8_t secret[SIGN_SECRET_LEN])
{
	key->public.kind = (uint8_t)kind;
	if (kind == SIGN_ED25519) {
		key->public.len = crypto_sign_PUBLICKEYBYTES;
		return crypto_sign_seed_keypair(key->public.data, key->secret, secret) == 0 ? 0 : -EIO;
	}
	if (kind != SIGN_SM2 || !sm2_is_scalar(secret))
		return -EINVAL;
	key->public.len = SM2_PUBLIC_LEN;
	turn_around(secret, key->secret);
	return sm2_public_of(key->secret, key->public.data);
}

int sign_key_new(enum sign_kind kind, const uint8_t secret[SIGN_SECRET_LEN], struct sign_key **ret)
{
	struct sign_key *key = sodium_malloc(sizeof(*key));
	int r;

	if (!key)
		return -ENOMEM;
	memset(key, 0, sizeof(*key));
	r = key_fill(key, kind, secret);
	if (r) {
		sodium_free(key);
		return r;
	}
	sodium_mprotect_readonly(key);
	*ret = key;
	return 0;
}

struct sign_key *sign_key_free(struct sign_key *key)
{
	sodium_free(key); /* wipes */
	return NULL;
}

struct sign_public sign_key_public(const struct sign_key *key)
{
	return key->public;
}

int sign_make(const struct sign_key *key, const void *data, size_t len, uint8_t ret[SIGN_LEN])
{
	uint8_t made[SIGN_LEN];
	int r;

	if (key->public.kind == SIGN_SM2)
		r = sm2_make(key, data, len, made);
	else
		r = crypto_sign_detached(made, NULL, data, len, key->secret) == 0 ? 0 : -EIO;
	if (r == 0)
		memcpy(ret, made, sizeof(made));
	return r;
}

int sign_check(const struct sign_public *key, const void *data, size_t len, const uint8_t signature[SIGN_LEN])
{
	if (key->kind == SIGN_ED25519 && key->len == crypto_sign_PUBLICKEYBYTES)
		return crypto_sign_verify_detached(signature, data, len, key->data) == 0 ? 0 : CRYPTO_E_MISMATCH;
	if (key->kind == SIGN_SM2 && key->len == SM2_PUBLIC_LEN)
		return sm2_check(key, data, len, signature);
	return -EINVAL;
}

static const struct {
	enum sign_kind kind;
	uint8_t len;
	const char *prefix;
} forms[] = {
	{ SIGN_ED25519, 32, "gw-ed25519-pub:" },
	{ SIGN_SM2, SM2_PUBLIC_LEN, "gw-sm2-sign-pub:" },
};

void sign_public_print(const struct sign_public *key, char ret[SIGN_TEXT_MAX])
{
	ret[0] = 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t skip = strlen(forms[i].prefix);

		if (forms[i].kind != key->kind)
			continue;
		memcpy(ret, forms[i].prefix, skip);
		base64url_print(key->data, forms[i].len, ret + skip, SIGN_TEXT_MAX - skip);
	}
}

int sign_public_parse(const char *text, struct sign_public *ret)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct sign_public key = { .kind = (uint8_t)forms[i].kind, .len = forms[i].len };
		size_t skip = strlen(forms[i].prefix), len = 0;

		if (strncmp(text, forms[i].prefix, skip) != 0)
			continue;
		if (base64url_parse(text + skip, strlen(text + skip), key.data, sizeof(key.data), &len) != 0 || len != key.len)
			return CRYPTO_E_SYNTAX;
		*ret = key;
		return 0;
	}
	return CRYPTO_E_SYNTAX;
}
