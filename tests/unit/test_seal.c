/* Both suites against answers from elsewhere, every place a bit can be wrong in, and two threads on
 * one key. What suite 2 should give was computed with Python's hashlib and the cryptography
 * package; suite 1's mask with a ChaCha20 written down from RFC 8439.
 */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

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

/* What must not lie about: kept in guarded memory, and each byte the other way round, so that what is looked for is not there
 * because it is looked for. */
struct needles {
	struct secret *all;
	size_t n;
};

enum { NEEDLE = 16, NEEDLES = 4 };

static bool is_needle(const struct needles *needles, const uint8_t *at)
{
	const uint8_t *want = secret_view(needles->all).data;

	for (size_t n = 0; n < needles->n; n++, want += NEEDLE) {
		size_t i = 0;

		while (i < NEEDLE && (at[i] ^ want[i]) == 0xff)
			i++;
		if (i == NEEDLE)
			return true;
	}
	return false;
}

static size_t look_through(const struct needles *needles, int memory, uintptr_t from, uintptr_t to)
{
	static uint8_t part[65536 + NEEDLE];
	bool first[256] = { false }; /* bytes with which one begins: most places need no second look */
	size_t found = 0;

	for (size_t n = 0; n < needles->n; n++)
		first[secret_view(needles->all).data[n * NEEDLE] ^ 0xff] = true;

	for (uintptr_t at = from; at < to; at += sizeof(part) - NEEDLE) {
		size_t want = to - at < sizeof(part) ? to - at : sizeof(part);
		ssize_t n = pread(memory, part, want, (off_t)at);

		for (ssize_t i = 0; i + NEEDLE <= n; i++)
			found += first[part[i]] && is_needle(needles, part + i);
		crypto_wipe(part, sizeof(part));
	}
	return found;
}

/* Everything that this process can write and a core dump would hold. */
static size_t copies_in_memory(const struct needles *needles)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long from = 0, to = 0, bytes = 0;
	size_t found = 0;
	char line[600], rights[8] = "";

	assert_non_null(maps);
	check_true(memory >= 0);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long a, b;
		char r[8];

		if (sscanf(line, "%lx-%lx %7s", &a, &b, r) == 3) {
			from = a;
			to = b;
			memcpy(rights, r, sizeof(rights));
		} else if (strncmp(line, "VmFlags:", 8) == 0 && rights[0] == 'r' && rights[1] == 'w' && !strstr(line, " dd")) {
			/* Not the sanitizer's shadow, which is as wide as the address space. */
			if (to - from < (1ul << 30)) {
				found += look_through(needles, memory, from, to);
				bytes += to - from;
			}
		}
	}
	fclose(maps);
	close(memory);
	check_true(bytes > 100000);
	return found;
}

static void needles_make(struct needles *needles, enum seal_suite suite, const struct secret *key)
{
	static const char *const labels[] = { "gatewayd seal mask", "gatewayd seal encrypt", "gatewayd seal mac" };
	uint8_t all[NEEDLES * NEEDLE], cut[SEAL_KEY_LEN];
	const uint8_t *bytes = secret_view(key).data;

	for (size_t i = 0; i < NEEDLE; i++)
		all[i] = (uint8_t)~bytes[i];
	for (size_t n = 1; n < NEEDLES; n++) {
		check_ok(seal_derive(suite, bytes, labels[n - 1], cut));
		for (size_t i = 0; i < NEEDLE; i++)
			all[n * NEEDLE + i] = (uint8_t)~cut[i];
	}
	crypto_wipe(cut, sizeof(cut));
	check_ok(secret_new(all, sizeof(all), &needles->all));
	needles->n = NEEDLES;
}

/* In use and after use; and the look would find one. */
static void no_copy_of_a_key_is_left(void **state)
{
	static uint8_t text[5000], planted[NEEDLE];
	uint8_t nonce[SEAL_NONCE_LEN] = { 0 }, tag[SEAL_TAG_LEN];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct needles needles = { 0 };
		struct secret *bytes;
		struct seal_key *key;

		check_ok(secret_new_random(SEAL_KEY_LEN, &bytes));
		needles_make(&needles, suites[i], bytes);
		check_ok(seal_key_new(suites[i], secret_view(bytes).data, &key));
		check_uint(copies_in_memory(&needles), 0);
		for (int times = 0; times < 20; times++) {
			nonce[0]++;
			seal_make(key, nonce, "aad", 3, text, sizeof(text), text, tag);
			seal_mask(key, nonce, text, 64);
			seal_mask(key, nonce, text, 64);
			check_ok(seal_open(key, nonce, "aad", 3, text, sizeof(text), tag, text));
		}
		check_uint(copies_in_memory(&needles), 0);
		seal_key_free(key);
		check_uint(copies_in_memory(&needles), 0);
		memcpy(planted, secret_view(bytes).data, sizeof(planted));
		check_true(copies_in_memory(&needles) > 0);
		crypto_wipe(planted, sizeof(planted));
		secret_free(needles.all);
		secret_free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(xchacha_known_answer), cmocka_unit_test(sm4_known_answer),
		cmocka_unit_test(masks),		cmocka_unit_test(derived_keys),
		cmocka_unit_test(no_such_suite),	cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(lengths),		cmocka_unit_test(several_threads),
		cmocka_unit_test(no_copy_of_a_key_is_left),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
