/* The bytes of a checkpoint: one form, those of the specification; its signatures; and the MAC keys, by the specification too. */
#include "check.h"

#include "audit/checkpoint.h"
#include "audit/evolve.h"
#include "base/text.h"

/* docs/spec/audit.md, section 3: the example as a first record. */
static const char head_hex[] = "a0a8996258770e7c0c62669daaa276cb3cb1a693734d8d698ed3660134d889aa";
static const char leaf_hex[] = "2a2a3c041611686aafa12decdc17fa43e6daa79d82663390fe2f4560dac7f9cc";

static void unhex(const char *hex, uint8_t ret[CRYPTO_HASH_LEN])
{
	check_ok(hex_parse(hex, strlen(hex), ret, CRYPTO_HASH_LEN));
}

static void check_hex(const void *got, size_t len, const char *want)
{
	char hex[2 * AUDIT_CHECKPOINT_MAX + 1];

	hex_print(got, len, hex);
	check_text(hex, want);
}

static struct checkpoint example(void)
{
	struct checkpoint c = { .suite = CRYPTO_SHA256, .reason = CHECKPOINT_ASKED, .number = 1, .wall_us = 1000000, .boot_ms = 5000,
				.generation = 3, .starts = 4, .sign_id = 8, .sign_sm2_id = 9, .tree.size = 1 };

	memset(c.log_id, 0x10, sizeof(c.log_id));
	memset(c.boot_id, 0xb0, sizeof(c.boot_id));
	unhex(leaf_hex, c.tree.peaks[0]);
	unhex(leaf_hex, c.root);
	unhex(head_hex, c.head);
	return c;
}

static struct sign_key *signer(enum sign_kind kind)
{
	uint8_t secret[SIGN_SECRET_LEN];
	struct sign_key *key;

	memset(secret, 0x22, sizeof(secret));
	check_ok(sign_key_new(kind, secret, &key));
	return key;
}

/* docs/spec/audit.md shows these very bytes. */
static void the_bytes_are_those_of_the_specification(void **state)
{
	struct checkpoint c = example();
	struct sign_key *key = signer(SIGN_ED25519);
	struct sign_public public = sign_key_public(key);
	struct crypto_hash *hash;
	uint8_t body[AUDIT_CHECKPOINT_MAX], signature[SIGN_LEN], next[CRYPTO_HASH_LEN];
	size_t len = checkpoint_encode(&c, body);

	(void)state;
	check_hex(body, len,
		  "47574155444954435031" "00" "05" "10101010101010101010101010101010" "0100000000000000" "0100000000000000"
		  "2a2a3c041611686aafa12decdc17fa43e6daa79d82663390fe2f4560dac7f9cc"
		  "a0a8996258770e7c0c62669daaa276cb3cb1a693734d8d698ed3660134d889aa"
		  "0000000000000000000000000000000000000000000000000000000000000000"
		  "40420f0000000000" "8813000000000000" "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0" "0300000000000000" "0400000000000000"
		  "08000000" "09000000" "01"
		  "2a2a3c041611686aafa12decdc17fa43e6daa79d82663390fe2f4560dac7f9cc");
	check_ok(sign_make(key, body, len, signature));
	check_hex(public.data, public.len, "a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0");
	check_hex(signature, sizeof(signature), "93ceeb61ef6e4ce98591553ecc06080d0f75b8f5297f22ce2e72e86e28382547630e3366bf82e6ba57bd21bd86972e3479883bcd79c7b0b36ee388a0dfcb2a03");
	check_ok(crypto_hash_new(CRYPTO_SHA256, &hash));
	checkpoint_hash(hash, body, len, next);
	check_hex(next, sizeof(next), "acdbbc86ac3fc9ef4959020cf60a2ef8bec00dbcf0227b853970ca39237a2524");
	crypto_hash_free(hash);
	sign_key_free(key);
}

static void macs_are_those_of_the_specification(void **state)
{
	static const char *const macs[] = { "bcdc5a33983bce552964153df92e0fa1612e8a91aa15308be4da019f4b39c0a9", "1403e98a469a0e9c9b366e5b58f05e8769205f2313a25a3917b02f0b77791e0c" }, *const keys[] = { "9c8cd1df053c7951ba5f41adc3ec93374e9d6e84e057849062eecaf7624814ff", "c26014fc1c838bfca88eb9e8a4cf5616ea763eba1e8c549bab1f4de6e9078495" };
	uint8_t key[CRYPTO_HASH_LEN], head[CRYPTO_HASH_LEN], mac[CRYPTO_HASH_LEN];

	(void)state;
	unhex(head_hex, head);
	for (int suite = CRYPTO_SHA256; suite <= CRYPTO_SM3; suite++) {
		struct evolve *evolve;
		struct crypto_hash *hash;

		check_ok(crypto_hash_new((enum crypto_hash_kind)suite, &hash));
		check_ok(evolve_new(&evolve));
		memset(key, 0x4b, sizeof(key));
		evolve_begin(evolve, 1, key);
		evolve_mac(evolve, hash, head, mac);
		check_hex(mac, sizeof(mac), macs[suite]);
		evolve_step(evolve, hash);
		check_uint(evolve_next(evolve), 2);
		check_hex(evolve_key(evolve), CRYPTO_HASH_LEN, keys[suite]);
		evolve_step(evolve, hash);
		memcpy(key, evolve_key(evolve), sizeof(key));
		evolve_back(evolve, hash, 3); /* what was not settled is found again */
		check_bytes(evolve_key(evolve), CRYPTO_HASH_LEN, key, sizeof(key));
		evolve_settle(evolve);
		evolve_seed(evolve, mac);
		check_bytes(evolve_key(evolve), CRYPTO_HASH_LEN, mac, sizeof(mac));
		evolve_back(evolve, hash, 3);
		check_bytes(evolve_key(evolve), CRYPTO_HASH_LEN, key, sizeof(key));
		evolve_free(evolve);
		crypto_hash_free(hash);
	}
}

static void only_one_form_is_accepted(void **state)
{
	struct checkpoint c = example(), out;
	uint8_t body[AUDIT_CHECKPOINT_MAX], bad[AUDIT_CHECKPOINT_MAX];
	size_t len;
	static const struct {
		size_t at;
		uint8_t byte;
	} rows[] = { { 0, 'g' }, { 10, 2 }, { 11, CHECKPOINT_REASONS }, { 28, 0 }, { 36, 0 }, { 36, 2 }, { 36, 3 }, { 108, 1 }, { 188, 9 },
		     { 196, 0 }, { 196, 2 }, { 196, 255 } };

	(void)state;
	c.tree.size = 7;
	len = checkpoint_encode(&c, body);
	check_ok(checkpoint_decode(body, len, &out));
	check_bytes(bad, checkpoint_encode(&out, bad), body, len);
	c = example();
	len = checkpoint_encode(&c, body);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		memcpy(bad, body, len);
		bad[rows[i].at] = rows[i].byte;
		/* a size with as many ones is another checkpoint, and so is another key's */
		int want = (rows[i].at == 36 && rows[i].byte == 2) || rows[i].at == 188 ? 0 : CHECKPOINT_E_SYNTAX;

		check_int(checkpoint_decode(bad, len, &out), want);
	}
	for (size_t n = 0; n < len; n++)
		check_int(checkpoint_decode(body, n, &out), CHECKPOINT_E_SYNTAX);
	check_int(checkpoint_decode(body, len + 1, &out), CHECKPOINT_E_SYNTAX);
	memset(&body[189], 0, 7); /* signed by nobody: both ids */
	body[188] = body[192] = 0;
	c.sign_id = c.sign_sm2_id = 0;
	check_int(checkpoint_decode(body, checkpoint_encode(&c, body), &out), CHECKPOINT_E_SYNTAX);
	c = example();
	c.tree.size = (UINT64_C(1) << 57) - 1; /* the most peaks that there is room for */
	len = checkpoint_encode(&c, body);
	check_true(len <= AUDIT_CHECKPOINT_MAX);
	check_ok(checkpoint_decode(body, len, &out));
}

static void signatures_must_be_there_and_hold(void **state)
{
	struct checkpoint c = example();
	struct sign_key *a = signer(SIGN_ED25519), *b = signer(SIGN_SM2);
	struct audit_public keys[] = { { 8, sign_key_public(a) }, { 9, sign_key_public(b) } };
	uint8_t body[AUDIT_CHECKPOINT_MAX], sa[SIGN_LEN], sb[SIGN_LEN];
	size_t len = checkpoint_encode(&c, body);
	struct checkpoint_signatures both = { { sa, SIGN_LEN }, { sb, SIGN_LEN } }, one = { { sa, SIGN_LEN }, { NULL, 0 } };

	(void)state;
	check_ok(sign_make(a, body, len, sa));
	check_ok(sign_make(b, body, len, sb));
	check_true(checkpoint_check_signatures(&c, body, len, &both, keys, 2) == NULL);
	check_true(checkpoint_check_signatures(&c, body, len, &both, NULL, 0) == NULL);
	check_true(checkpoint_check_signatures(&c, body, len, &one, keys, 2) != NULL);
	check_true(checkpoint_check_signatures(&c, body, len, &one, NULL, 0) != NULL);
	check_true(checkpoint_check_signatures(&c, body, len, &both, keys, 1) != NULL); /* a key that is not known */
	sb[5] ^= 1;
	check_true(checkpoint_check_signatures(&c, body, len, &both, keys, 2) != NULL);
	sb[5] ^= 1;
	keys[0].id = 9; /* of the wrong kind */
	keys[1].id = 8;
	check_true(checkpoint_check_signatures(&c, body, len, &both, keys, 2) != NULL);
	c.sign_sm2_id = 0; /* a signature of nobody */
	check_true(checkpoint_check_signatures(&c, body, len, &both, NULL, 0) != NULL);
	sign_key_free(a);
	sign_key_free(b);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_bytes_are_those_of_the_specification),
		cmocka_unit_test(macs_are_those_of_the_specification),
		cmocka_unit_test(only_one_form_is_accepted),
		cmocka_unit_test(signatures_must_be_there_and_hold),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
