#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "sys/box.h"

static const enum box_kind kinds[] = { BOX_X25519, BOX_SM2 };

static void there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		struct box_public public;
		struct secret *secret = NULL;

		check_ok(box_pair_new(kinds[i], &public, &secret));
		for (size_t len = 1; len <= BOX_TEXT_MAX; len++) {
			uint8_t text[BOX_TEXT_MAX], got[BOX_TEXT_MAX], sealed[BOX_SEALED_MAX];
			size_t n = 0, n_got = 0;

			crypto_random(text, len);
			check_ok(box_seal(&public, text, len, sealed, &n));
			assert_in_range(n, len + 32, BOX_SEALED_MAX);
			check_true(len < 16 || !memmem(sealed, n, text, len));
			check_ok(box_open(kinds[i], secret, sealed, n, got, &n_got));
			check_bytes(got, n_got, text, len);
		}
		secret_free(secret);
	}
}

static void length_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		uint8_t text[BOX_TEXT_MAX + 1] = { 1 }, sealed[BOX_SEALED_MAX + 1] = { 0 };
		struct box_public public;
		struct secret *secret = NULL;
		size_t n = 0;

		check_ok(box_pair_new(kinds[i], &public, &secret));
		check_int(box_seal(&public, text, BOX_TEXT_MAX + 1, sealed, &n), -EINVAL);
		check_int(box_seal(&public, text, 0, sealed, &n), -EINVAL);
		check_int(box_open(kinds[i], secret, sealed, 0, text, &n), CRYPTO_E_MISMATCH);
		check_int(box_open(kinds[i], secret, sealed, BOX_SEALED_MAX + 1, text, &n), CRYPTO_E_MISMATCH);
		check_int(box_open(kinds[i], secret, sealed, BOX_SEALED_MAX, text, &n), CRYPTO_E_MISMATCH);
		secret_free(secret);
	}
	struct box_public none = { .kind = 3, .len = 32 };
	struct secret *secret = NULL;
	uint8_t sealed[BOX_SEALED_MAX];
	size_t n;

	check_int(box_pair_new((enum box_kind)3, &none, &secret), -EINVAL);
	check_int(box_seal(&none, "x", 1, sealed, &n), CRYPTO_E_SYNTAX);
}

/* Cut anywhere, and with any bit changed, it does not open; nor with another key or as the other kind. */
static void changed_does_not_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		struct box_public public, other_public;
		struct secret *secret = NULL, *other = NULL;
		uint8_t sealed[BOX_SEALED_MAX], got[BOX_TEXT_MAX];
		size_t n = 0, n_got = 0;

		check_ok(box_pair_new(kinds[i], &public, &secret));
		check_ok(box_pair_new(kinds[i], &other_public, &other));
		check_ok(box_seal(&public, "thirty-two bytes of a file's key", 32, sealed, &n));
		check_int(box_open(kinds[i], other, sealed, n, got, &n_got), CRYPTO_E_MISMATCH);
		check_int(box_open(kinds[1 - i], secret, sealed, n, got, &n_got), CRYPTO_E_MISMATCH);
		for (size_t len = 0; len < n; len++)
			check_int(box_open(kinds[i], secret, sealed, len, got, &n_got), CRYPTO_E_MISMATCH);
		for (size_t at = 0; at < n; at++) {
			uint8_t bit = (uint8_t)(1 << (at % 8));

			sealed[at] ^= bit;
			check_int(box_open(kinds[i], secret, sealed, n, got, &n_got), CRYPTO_E_MISMATCH);
			sealed[at] ^= bit;
		}
		check_ok(box_open(kinds[i], secret, sealed, n, got, &n_got));
		secret_free(secret);
		secret_free(other);
	}
}

static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		char public_text[BOX_KEY_TEXT_MAX], secret_text[BOX_KEY_TEXT_MAX];
		struct box_public public, again;
		struct secret *secret = NULL, *back = NULL;
		enum box_kind kind = 0;

		check_ok(box_pair_new(kinds[i], &public, &secret));
		box_public_print(&public, public_text);
		box_secret_print(kinds[i], secret, secret_text);
		check_true(strncmp(public_text, i ? "gw-sm2-pub:" : "gw-x25519-pub:", i ? 11 : 14) == 0);
		check_true(strncmp(secret_text, i ? "gw-sm2-key:" : "gw-x25519-key:", i ? 11 : 14) == 0);
		check_ok(box_public_parse(public_text, &again));
		check_uint(again.kind, kinds[i]);
		check_bytes(again.data, again.len, public.data, public.len);
		check_ok(box_secret_parse(secret_text, &kind, &back));
		check_int(kind, kinds[i]);
		check_true(secret_equal(back, secret_view(secret).data, BOX_SECRET_LEN));
		/* One half is never taken for the other. */
		check_int(box_public_parse(secret_text, &again), CRYPTO_E_SYNTAX);
		secret_free(STEAL(back));
		check_int(box_secret_parse(public_text, &kind, &back), CRYPTO_E_SYNTAX);
		/* Cut, or with anything behind it. */
		for (size_t len = strlen(public_text); len-- > 0;) {
			public_text[len] = '\0';
			check_int(box_public_parse(public_text, &again), CRYPTO_E_SYNTAX);
		}
		for (size_t len = strlen(secret_text); len-- > 0;) {
			secret_text[len] = '\0';
			check_int(box_secret_parse(secret_text, &kind, &back), CRYPTO_E_SYNTAX);
		}
		check_true(back == NULL);
		secret_free(secret);
	}
}

static void key_text(const char *prefix, const char *hex, char ret[BOX_KEY_TEXT_MAX])
{
	uint8_t bytes[BOX_PUBLIC_MAX];
	size_t len = strlen(hex) / 2;

	check_ok(hex_parse(hex, 2 * len, bytes, len));
	strcpy(ret, prefix);
	base64url_print(bytes, len, ret + strlen(prefix), BOX_KEY_TEXT_MAX - strlen(prefix));
}

/* RFC 7748, 6.1 (Alice); GB/T 32918.5, annex A. */
static void known_pairs(void **state)
{
	static const struct {
		const char *prefix, *secret, *public;
	} rows[] = {
		{ "gw-x25519-key:", "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a" },
		{ "gw-sm2-key:", "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8",
		  "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
		  "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char text[BOX_KEY_TEXT_MAX], hex[2 * BOX_PUBLIC_MAX + 1];
		struct box_public public;
		struct secret *secret = NULL;
		enum box_kind kind = 0;

		key_text(rows[i].prefix, rows[i].secret, text);
		check_ok(box_secret_parse(text, &kind, &secret));
		check_ok(box_public_of(kind, secret, &public));
		hex_print(public.data, public.len, hex);
		check_text(hex, rows[i].public);
		secret_free(secret);
	}
}

/* GB/T 32918.5, annex C: what another implementation sealed with a known k. */
static void known_sm2_box(void **state)
{
	static const char hex[] =
		"307c022004ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
		"022100e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
		"042059983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
		"041321886ca989ca9c7d58087307ca93092d651efa";
	uint8_t sealed[BOX_SEALED_MAX], got[BOX_TEXT_MAX];
	char text[BOX_KEY_TEXT_MAX];
	struct secret *secret = NULL;
	enum box_kind kind;
	size_t n = 0;

	(void)state;
	key_text("gw-sm2-key:", "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8", text);
	check_ok(box_secret_parse(text, &kind, &secret));
	check_ok(hex_parse(hex, strlen(hex), sealed, strlen(hex) / 2));
	check_ok(box_open(BOX_SM2, secret, sealed, strlen(hex) / 2, got, &n));
	check_bytes(got, n, "encryption standard", 19);
	secret_free(secret);
}

/* Halves that are none: zero, n - 1 and above of SM2; points off the curve; points of low order. */
static void no_keys(void **state)
{
	static const struct {
		const char *prefix, *hex;
	} rows[] = {
		{ "gw-sm2-key:", "0000000000000000000000000000000000000000000000000000000000000000" },
		{ "gw-sm2-key:", "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122" },
		{ "gw-sm2-key:", "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123" },
		{ "gw-sm2-key:", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
		{ "gw-sm2-pub:", "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
				 "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad14" },
		{ "gw-sm2-pub:", "0609f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
				 "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13" },
		{ "gw-x25519-pub:", "0000000000000000000000000000000000000000000000000000000000000000" },
		{ "gw-x25519-pub:", "0100000000000000000000000000000000000000000000000000000000000000" },
		{ "gw-x25519-pub:", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
	};
	char text[BOX_KEY_TEXT_MAX];
	struct box_public public;
	struct secret *secret = NULL;
	enum box_kind kind;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		key_text(rows[i].prefix, rows[i].hex, text);
		check_int(box_public_parse(text, &public), CRYPTO_E_SYNTAX);
		check_int(box_secret_parse(text, &kind, &secret), CRYPTO_E_SYNTAX);
	}
	/* n - 2 is the last that is one. */
	key_text("gw-sm2-key:", "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121", text);
	check_ok(box_secret_parse(text, &kind, &secret));
	secret_free(secret);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(length_is_bounded),
		cmocka_unit_test(changed_does_not_open),
		cmocka_unit_test(texts),
		cmocka_unit_test(known_pairs),
		cmocka_unit_test(known_sm2_box),
		cmocka_unit_test(no_keys),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
