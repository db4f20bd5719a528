/* Two boxes behind one shape. X25519 is libsodium's: an ephemeral pair, whose private half nobody keeps, and XSalsa20-Poly1305.
 * SM2 encryption is OpenSSL's: it wants an EVP_PKEY, which is made for the one call and freed again, because it lives in
 * ordinary memory. Private halves are otherwise in struct secret only; a private half is known by its 32 big-endian
 * bytes (of X25519: by its 32 bytes), the public one is always computed from it and never stored beside it.
 */
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/box.h"

enum { X25519_LEN = crypto_box_PUBLICKEYBYTES, SM2_PUBLIC_LEN = 65 };

_Static_assert(X25519_LEN == 32 && crypto_box_SECRETKEYBYTES == BOX_SECRET_LEN, "32 bytes each");
_Static_assert(BOX_TEXT_MAX + crypto_box_SEALBYTES <= BOX_SEALED_MAX, "a sealed box fits");
_Static_assert(sizeof("gw-x25519-pub:") + BASE64URL_CAP(BOX_PUBLIC_MAX) <= BOX_KEY_TEXT_MAX, "text fits");

DEFINE_CLEANUP(EC_GROUP_free, EC_GROUP *)
DEFINE_CLEANUP(EC_POINT_free, EC_POINT *)
DEFINE_CLEANUP(BN_clear_free, BIGNUM *)
DEFINE_CLEANUP(BN_CTX_free, BN_CTX *)
DEFINE_CLEANUP(EVP_PKEY_free, EVP_PKEY *)
DEFINE_CLEANUP(EVP_PKEY_CTX_free, EVP_PKEY_CTX *)

/* GB/T 32918.5: the order n of the recommended curve. A private half is in 1..n-2. */
static const uint8_t sm2_order[BOX_SECRET_LEN] = {
	0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x72, 0x03, 0xdf, 0x6b, 0x21, 0xc6, 0x05, 0x2b, 0x53, 0xbb, 0xf4, 0x09, 0x39, 0xd5, 0x41, 0x23,
};

static bool sm2_secret_is_valid(const uint8_t secret[BOX_SECRET_LEN])
{
	uint8_t max[BOX_SECRET_LEN];

	memcpy(max, sm2_order, sizeof(max));
	max[BOX_SECRET_LEN - 1] -= 2; /* no borrow: it ends in 0x23 */
	return !sodium_is_zero(secret, BOX_SECRET_LEN) && memcmp(secret, max, sizeof(max)) <= 0;
}

must_check static int sm2_public_of(const uint8_t secret[BOX_SECRET_LEN], struct box_public *ret)
{
	EC_GROUP *group cleanup(EC_GROUP_freep) = EC_GROUP_new_by_curve_name(NID_sm2);
	EC_POINT *point cleanup(EC_POINT_freep) = group ? EC_POINT_new(group) : NULL;
	BIGNUM *d cleanup(BN_clear_freep) = BN_secure_new();
	BN_CTX *ctx cleanup(BN_CTX_freep) = BN_CTX_secure_new();

	if (!group)
		return -ENOTSUP;
	if (!sm2_secret_is_valid(secret))
		return CRYPTO_E_SYNTAX;
	if (!point || !d || !ctx || !BN_bin2bn(secret, BOX_SECRET_LEN, d))
		return -ENOMEM;
	BN_set_flags(d, BN_FLG_CONSTTIME);
	ret->kind = BOX_SM2;
	ret->len = SM2_PUBLIC_LEN;
	if (!EC_POINT_mul(group, point, d, NULL, NULL, ctx) ||
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, ret->data, SM2_PUBLIC_LEN,
			       ctx) != SM2_PUBLIC_LEN)
		return -EIO;
	return 0;
}

/* secret may be NULL. The key is for one call. CRYPTO_E_SYNTAX: the public half is no point of the curve. */
must_check static int sm2_key_new(const struct box_public *public, const uint8_t *secret, EVP_PKEY **ret)
{
	EVP_PKEY_CTX *ctx cleanup(EVP_PKEY_CTX_freep) = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	uint8_t native[BOX_SECRET_LEN] = { 0 };
	char group[] = "SM2";
	OSSL_PARAM params[4], *p = params;
	EVP_PKEY *key = NULL;
	int good;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1)
		return -ENOTSUP;
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)public->data,
						 public->len);
	if (secret) {
		/* An OSSL_PARAM's number is in the machine's order. */
		for (size_t i = 0; i < sizeof(native); i++)
			native[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? sizeof(native) - 1 - i : i] = secret[i];
		*p++ = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof(native));
	}
	*p = OSSL_PARAM_construct_end();
	good = EVP_PKEY_fromdata(ctx, &key, secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
	sodium_memzero(native, sizeof(native));
	if (good != 1)
		return CRYPTO_E_SYNTAX;
	*ret = key;
	return 0;
}

must_check static int sm2_seal(const struct box_public *to, const void *text, size_t len,
			       uint8_t ret[BOX_SEALED_MAX], size_t *ret_len)
{
	EVP_PKEY *key cleanup(EVP_PKEY_freep) = NULL;
	EVP_PKEY_CTX *ctx cleanup(EVP_PKEY_CTX_freep) = NULL;
	size_t n = BOX_SEALED_MAX;
	int r = sm2_key_new(to, NULL, &key);

	if (r)
		return r;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1)
		return -ENOMEM;
	if (EVP_PKEY_encrypt(ctx, ret, &n, text, len) != 1)
		return -EIO;
	*ret_len = n;
	return 0;
}

/* The bytes of the next item if it has this tag and its length is written in the fewest bytes. */
static struct view der_take(struct reader *r, uint8_t tag)
{
	bool good = get_u8(r) == tag;
	size_t len = get_u8(r);

	if (len == 0x81) {
		len = get_u8(r);
		good = good && len >= 0x80;
	} else {
		good = good && len < 0x80;
	}
	r->bad = r->bad || !good;
	return get_view(r, len);
}

static bool der_take_number(struct reader *r)
{
	struct view v = der_take(r, 0x02);

	return v.len > 0 && !(v.data[0] & 0x80) && (v.len == 1 || v.data[0] || v.data[1] & 0x80);
}

/* OpenSSL takes more than the one form, and what follows it: then what was sealed once could be had in many ways. */
static bool sm2_has_one_form(const void *sealed, size_t len)
{
	struct reader whole = reader_over(sealed, len), r;
	struct view parts = der_take(&whole, 0x30);
	bool good;

	if (!reader_is_done(&whole))
		return false;
	r = reader_over(parts.data, parts.len);
	good = der_take_number(&r);
	good = der_take_number(&r) && good;
	der_take(&r, 0x04);
	der_take(&r, 0x04);
	return good && reader_is_done(&r);
}

must_check static int sm2_open(const struct secret *secret, const void *sealed, size_t len,
			       uint8_t ret[BOX_TEXT_MAX], size_t *ret_len)
{
	EVP_PKEY *key cleanup(EVP_PKEY_freep) = NULL;
	EVP_PKEY_CTX *ctx cleanup(EVP_PKEY_CTX_freep) = NULL;
	uint8_t text[BOX_SEALED_MAX]; /* OpenSSL asks for as much as the sealed bytes might hold */
	struct box_public public;
	size_t n = sizeof(text);
	int r = sm2_has_one_form(sealed, len) ? sm2_public_of(secret_view(secret).data, &public) : CRYPTO_E_MISMATCH;

	if (r)
		return r;
	r = sm2_key_new(&public, secret_view(secret).data, &key);
	if (r)
		return r;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!ctx || EVP_PKEY_decrypt_init(ctx) != 1)
		return -ENOMEM;
	r = EVP_PKEY_decrypt(ctx, text, &n, sealed, len) == 1 && n <= BOX_TEXT_MAX ? 0 : CRYPTO_E_MISMATCH;
	if (r == 0) {
		memcpy(ret, text, n);
		*ret_len = n;
	}
	sodium_memzero(text, sizeof(text));
	return r;
}

int box_public_of(enum box_kind kind, const struct secret *secret, struct box_public *ret)
{
	struct view bytes = secret_view(secret);
	struct box_public public = { 0 };
	int r = CRYPTO_E_SYNTAX;

	if (bytes.len != BOX_SECRET_LEN)
		return CRYPTO_E_SYNTAX;
	if (kind == BOX_SM2) {
		r = sm2_public_of(bytes.data, &public);
	} else if (kind == BOX_X25519) {
		public.kind = BOX_X25519;
		public.len = X25519_LEN;
		r = crypto_scalarmult_base(public.data, bytes.data) == 0 ? 0 : CRYPTO_E_SYNTAX;
	}
	if (r == 0)
		*ret = public;
	return r;
}

int box_pair_new(enum box_kind kind, struct box_public *ret, struct secret **ret_secret)
{
	struct secret *secret cleanup(secret_freep) = NULL;
	int r;

	if (kind != BOX_X25519 && kind != BOX_SM2)
		return -EINVAL;
	/* One in 2^32 is no private half of SM2. */
	do {
		secret = secret_free(secret);
		r = secret_new_random(BOX_SECRET_LEN, &secret);
		if (r)
			return r;
		r = box_public_of(kind, secret, ret);
	} while (r == CRYPTO_E_SYNTAX);
	if (r)
		return r;
	*ret_secret = STEAL(secret);
	return 0;
}

/* A point of low order would make a box that anybody opens; libsodium's product is then refused. */
must_check static int public_check(const struct box_public *key)
{
	uint8_t scalar[X25519_LEN], product[X25519_LEN];
	EVP_PKEY *pkey cleanup(EVP_PKEY_freep) = NULL;
	int r = CRYPTO_E_SYNTAX;

	if (key->kind == BOX_X25519 && key->len == X25519_LEN) {
		randombytes_buf(scalar, sizeof(scalar));
		r = crypto_scalarmult(product, scalar, key->data) == 0 ? 0 : CRYPTO_E_SYNTAX;
		sodium_memzero(product, sizeof(product));
	} else if (key->kind == BOX_SM2 && key->len == SM2_PUBLIC_LEN && key->data[0] == 4) {
		r = sm2_key_new(key, NULL, &pkey);
	}
	return r;
}

int box_seal(const struct box_public *to, const void *text, size_t len, uint8_t ret[BOX_SEALED_MAX],
	     size_t *ret_len)
{
	int r = public_check(to);

	if (len == 0 || len > BOX_TEXT_MAX)
		return -EINVAL;
	if (r)
		return r;
	if (to->kind == BOX_SM2)
		return sm2_seal(to, text, len, ret, ret_len);
	if (crypto_box_seal(ret, text, len, to->data))
		return CRYPTO_E_SYNTAX;
	*ret_len = len + crypto_box_SEALBYTES;
	return 0;
}

int box_open(enum box_kind kind, const struct secret *secret, const void *sealed, size_t len,
	     uint8_t ret[BOX_TEXT_MAX], size_t *ret_len)
{
	struct box_public public;
	uint8_t text[BOX_TEXT_MAX];
	int r;

	if (len == 0 || len > BOX_SEALED_MAX || secret_view(secret).len != BOX_SECRET_LEN)
		return CRYPTO_E_MISMATCH;
	if (kind == BOX_SM2)
		return sm2_open(secret, sealed, len, ret, ret_len);
	if (kind != BOX_X25519 || len <= crypto_box_SEALBYTES || len - crypto_box_SEALBYTES > sizeof(text))
		return CRYPTO_E_MISMATCH;
	r = box_public_of(kind, secret, &public);
	if (r)
		return r;
	if (crypto_box_seal_open(text, sealed, len, public.data, secret_view(secret).data))
		return CRYPTO_E_MISMATCH;
	*ret_len = len - crypto_box_SEALBYTES;
	memcpy(ret, text, *ret_len);
	sodium_memzero(text, sizeof(text));
	return 0;
}

static const struct box_form {
	const char *prefix;
	enum box_kind kind;
	bool secret;
	size_t len;
} forms[] = {
	{ "gw-x25519-pub:", BOX_X25519, false, X25519_LEN },
	{ "gw-x25519-key:", BOX_X25519, true, BOX_SECRET_LEN },
	{ "gw-sm2-pub:", BOX_SM2, false, SM2_PUBLIC_LEN },
	{ "gw-sm2-key:", BOX_SM2, true, BOX_SECRET_LEN },
};

static const struct box_form *form_of(enum box_kind kind, bool secret)
{
	for (size_t i = 0; i < N_ELEMENTS(forms); i++)
		if (forms[i].kind == kind && forms[i].secret == secret)
			return &forms[i];
	assert(false); /* one of the kinds */
	return NULL;
}

/* The bytes behind the prefix, and which prefix it was; only forms of the half that is wanted. */
must_check static int form_parse(const char *text, bool secret, uint8_t ret[BOX_PUBLIC_MAX],
				 const struct box_form **ret_form)
{
	for (size_t i = 0; i < N_ELEMENTS(forms); i++) {
		size_t skip = strlen(forms[i].prefix), len = 0;

		if (forms[i].secret != secret || strncmp(text, forms[i].prefix, skip) != 0)
			continue;
		if (base64url_parse(text + skip, strlen(text + skip), ret, BOX_PUBLIC_MAX, &len) ||
		    len != forms[i].len)
			return CRYPTO_E_SYNTAX;
		*ret_form = &forms[i];
		return 0;
	}
	return CRYPTO_E_SYNTAX;
}

int box_public_parse(const char *text, struct box_public *ret)
{
	const struct box_form *form = NULL;
	struct box_public key = { 0 };
	int r = form_parse(text, false, key.data, &form);

	if (r)
		return r;
	key.kind = (uint8_t)form->kind;
	key.len = (uint8_t)form->len;
	r = public_check(&key);
	if (r == 0)
		*ret = key;
	return r;
}

static void form_print(const struct box_form *form, const void *data, char ret[BOX_KEY_TEXT_MAX])
{
	size_t skip = strlen(form->prefix);

	memcpy(ret, form->prefix, skip);
	base64url_print(data, form->len, ret + skip, BOX_KEY_TEXT_MAX - skip);
}

void box_public_print(const struct box_public *key, char ret[BOX_KEY_TEXT_MAX])
{
	form_print(form_of((enum box_kind)key->kind, false), key->data, ret);
}

int box_secret_parse(const char *text, enum box_kind *ret_kind, struct secret **ret)
{
	struct secret *secret cleanup(secret_freep) = NULL;
	const struct box_form *form = NULL;
	struct box_public public;
	uint8_t bytes[BOX_PUBLIC_MAX];
	int r = form_parse(text, true, bytes, &form);

	if (r == 0)
		r = secret_new(bytes, BOX_SECRET_LEN, &secret);
	sodium_memzero(bytes, sizeof(bytes));
	if (r)
		return r;
	r = box_public_of(form->kind, secret, &public);
	if (r)
		return r;
	*ret_kind = form->kind;
	*ret = STEAL(secret);
	return 0;
}

void box_secret_print(enum box_kind kind, const struct secret *secret, char ret[BOX_KEY_TEXT_MAX])
{
	form_print(form_of(kind, true), secret_view(secret).data, ret);
}
