/* Both suites against answers from elsewhere, every place a bit can be wrong in, and two threads on
 * one key. What suite 2 should give was computed with Python's hashlib and the cryptography
 * package; suite 1's mask with a ChaCha20 written down from RFC 8439.
 */
#include "check.h"

#include <pthread.h>

#include "base/text.h"
#include "sys/seal.h"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

static void count_up(uint8_t *bytes, size_t len, unsigned from)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(from + i);
}

static void check_hex(const uint8_t *got, size_t len, const char *want)
{
	char hex[2 * 128 + 1];

	hex_print(got, len, hex);
	check_text(hex, want);
}

static struct seal_key *key_of(enum seal_suite suite, unsigned from)
{
	uint8_t bytes[SEAL_KEY_LEN];
	struct seal_key *key;

	count_up(bytes, sizeof(bytes), from);
	check_ok(seal_key_new(suite, bytes, &key));
	check_int(seal_key_suite(key), suite);
	return key;
}

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1 */
static void xchacha_known_answer(void **state)
{
	static const char text[] = "Ladies and Gentlemen of the class of '99: If I could offer you "
				   "only one tip for the future, sunscreen would be it.";
	static const uint8_t aad[] = { 0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1,
				       0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7 };
	struct seal_key *key = key_of(SEAL_XCHACHA, 0x80);
	uint8_t nonce[SEAL_NONCE_LEN], sealed[sizeof(text) - 1], tag[SEAL_TAG_LEN];

	(void)state;
	count_up(nonce, sizeof(nonce), 0x40);
	seal_make(key, nonce, aad, sizeof(aad), text, sizeof(sealed), sealed, tag);
	check_hex(sealed, sizeof(sealed),
		  "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa644"
		  "0bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e"
		  "3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e");
	check_hex(tag, sizeof(tag),
		  "c0875924c1c7987947deafd8780acf49"
		  "00000000000000000000000000000000");
	seal_key_free(key);
}

static void sm4_known_answer(void **state)
{
	struct seal_key *key = key_of(SEAL_SM4, 0);
	uint8_t nonce[SEAL_NONCE_LEN], text[100], tag[SEAL_TAG_LEN];

	(void)state;
	count_up(nonce, sizeof(nonce), 64);
	count_up(text, sizeof(text), 0);
	seal_make(key, nonce, "where", 5, text, sizeof(text), text, tag);
	check_hex(text, sizeof(text),
		  "4a14d3d83a89c6ec191acb96cf469babb44ce653bbfc2a36b87857aaf2f2ccf592156b7de52f78d1"
		  "36dd94466f8f131abb561c840f3f483fb7c508f91b8fc8226ff6b0cb4fe07a613bddfc40c4436e46"
		  "afaa683779562eb075a01b2d7b7444c2ef106f08");
	check_hex(tag, sizeof(tag),
		  "fb4cc0f3bc01d5ab03aa70fedb6bb7653b0de01acb6ce8e6f6d98338015f03df");
	seal_key_free(key);
}

static void masks(void **state)
{
	static const char *const want[] = { "d3850716f3af16fef94a4b85c5e72473", "6031ccd97978b5cfa64223f147057ac3" };
	uint8_t nonce[SEAL_NONCE_LEN], data[64] = { 0 }, zeros[64] = { 0 };

	(void)state;
	count_up(nonce, sizeof(nonce), 64);
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct seal_key *key = key_of(suites[i], 0);

		memset(data, 0, sizeof(data));
		seal_mask(key, nonce, data, 16);
		check_hex(data, 16, want[i]);
		check_bytes(data + 16, 48, zeros, 48);
		seal_mask(key, nonce, data, 16);
		check_bytes(data, 64, zeros, 64);
		seal_mask(key, nonce, data, 64);
		check_true(memcmp(data + 48, zeros, 16) != 0);
		seal_key_free(key);
	}
}

static void derived_keys(void **state)
{
	uint8_t key[SEAL_KEY_LEN], got[SEAL_KEY_LEN];

	(void)state;
	count_up(key, sizeof(key), 0);
	check_ok(seal_derive(SEAL_XCHACHA, key, "label", got));
	check_hex(got, sizeof(got),
		  "163f81d115e39b6a9db6dd218bc05d177e58072ba01fb918d19e2b8968bef55d");
	check_ok(seal_derive(SEAL_SM4, key, "label", got));
	check_hex(got, sizeof(got),
		  "03ab3ffcf23d950164f0e0e063488f00bec81b60aed8e52ef7f690f9ce267b3c");
	check_int(seal_derive((enum seal_suite)3, key, "label", got), -EINVAL);
}

static void no_such_suite(void **state)
{
	const uint8_t bytes[SEAL_KEY_LEN] = { 0 };
	struct seal_key *key;

	(void)state;
	check_int(seal_key_new((enum seal_suite)0, bytes, &key), -EINVAL);
	check_int(seal_key_new((enum seal_suite)3, bytes, &key), -EINVAL);
	check_true(!seal_key_free(NULL));
}

struct message {
	uint8_t nonce[SEAL_NONCE_LEN], aad[40], sealed[333], tag[SEAL_TAG_LEN];
};

static int message_open(const struct seal_key *key, const struct message *m, uint8_t ret[333])
{
	return seal_open(key, m->nonce, m->aad, sizeof(m->aad), m->sealed, sizeof(m->sealed),
			 m->tag, ret);
}

/* Each bit of what is sealed, of its nonce, its place and its tag; and another key. */
static void every_bit_counts(void **state)
{
	uint8_t text[333], got[333], zeros[333] = { 0 };

	(void)state;
	count_up(text, sizeof(text), 9);
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct seal_key *key = key_of(suites[i], 0), *other = key_of(suites[i], 1);
		struct message m;

		crypto_random(&m, sizeof(m));
		seal_make(key, m.nonce, m.aad, sizeof(m.aad), text, sizeof(text), m.sealed, m.tag);
		check_ok(message_open(key, &m, got));
		check_bytes(got, sizeof(got), text, sizeof(text));
		for (size_t bit = 0; bit < sizeof(m) * 8; bit++) {
			((uint8_t *)&m)[bit / 8] ^= (uint8_t)(1 << bit % 8);
			memset(got, 0xee, sizeof(got));
			check_int(message_open(key, &m, got), CRYPTO_E_MISMATCH);
			check_bytes(got, sizeof(got), zeros, sizeof(zeros));
			((uint8_t *)&m)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		check_int(message_open(other, &m, got), CRYPTO_E_MISMATCH);
		check_ok(message_open(key, &m, m.sealed)); /* in its own place */
		check_bytes(m.sealed, sizeof(m.sealed), text, sizeof(text));
		seal_key_free(key);
		seal_key_free(other);
	}
}

static void lengths(void **state)
{
	static uint8_t text[5000], sealed[5000], got[5000];
	uint8_t nonce[SEAL_NONCE_LEN] = { 1 }, tag[SEAL_TAG_LEN];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct seal_key *key = key_of(suites[i], 7);

		for (size_t len = 0; len <= sizeof(text); len += len < 70 ? 1 : 493) {
			seal_make(key, nonce, NULL, 0, text, len, sealed, tag);
			check_ok(seal_open(key, nonce, NULL, 0, sealed, len, tag, got));
			check_bytes(got, len, text, len);
			if (len)
				check_int(seal_open(key, nonce, NULL, 0, sealed, len - 1, tag, got),
					  CRYPTO_E_MISMATCH);
			check_int(seal_open(key, nonce, "", 1, sealed, len, tag, got),
				  CRYPTO_E_MISMATCH);
		}
		seal_key_free(key);
	}
}

static void *many_times(void *ctx)
{
	const struct seal_key *key = ctx;
	uint8_t nonce[SEAL_NONCE_LEN], text[600], sealed[600], tag[SEAL_TAG_LEN];
	intptr_t wrong = 0;

	for (unsigned i = 0; i < 2000; i++) {
		crypto_random(nonce, sizeof(nonce));
		count_up(text, sizeof(text), i);
		seal_make(key, nonce, nonce, 8, text, sizeof(text), sealed, tag);
		wrong += seal_open(key, nonce, nonce, 8, sealed, sizeof(sealed), tag, sealed) ||
			 memcmp(sealed, text, sizeof(text)) != 0;
	}
	return (void *)wrong;
}

static void several_threads(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct seal_key *key = key_of(suites[i], 3);
		pthread_t threads[4];

		for (size_t t = 0; t < 4; t++)
			check_ok(pthread_create(&threads[t], NULL, many_times, key));
		for (size_t t = 0; t < 4; t++) {
			void *wrong;

			check_ok(pthread_join(threads[t], &wrong));
			check_int((intptr_t)wrong, 0);
		}
		seal_key_free(key);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(xchacha_known_answer), cmocka_unit_test(sm4_known_answer),
		cmocka_unit_test(masks),		cmocka_unit_test(derived_keys),
		cmocka_unit_test(no_such_suite),	cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(lengths),		cmocka_unit_test(several_threads),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
