/* Digest: the answer that an independent client computes for the same challenge, and challenges that are none. */
#include "check.h"

#include "base/text.h"
#include "shelly/digest.h"
#include "shelly/sha1.h"
#include "sys/crypto.h"

#define CHALLENGE(more)                                                                                      \
	"{\"auth_type\":\"digest\",\"nonce\":1625038762,\"nc\":1,\"realm\":\"shellypro4pm-f008d1d8b8b8\","       \
	"\"algorithm\":\"SHA-256\"" more "}"

struct vector {
	const char *realm, *nonce, *password, *answer;
	uint32_t nc, cnonce;
};
/* Made with openssl dgst -sha256 of the texts that the documentation names. */
static const struct vector vectors[] = {
	{ "shellypro4pm-f008d1d8b8b8", "1625038762", "mysecretpassword", "e80ca757a7752d0b71bcc050a2a8a8a22c05a79e444890b9b1eef24389ae24c2", 1, 313273957 },
	{ "shellyplus1pm-a8032abe54dc", "abc123", "p\xc3\xa4ss", "7f89d57f48866b620e78db190d6467337dd0d03c6a52d65ad26a290c7ee7f99a", 7, 0 },
};

static void answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(vectors); i++) {
		struct digest_challenge challenge = { .nc = vectors[i].nc };
		char answer[DIGEST_HEX_LEN + 1];

		text_copy(challenge.realm, sizeof(challenge.realm), vectors[i].realm);
		text_copy(challenge.nonce, sizeof(challenge.nonce), vectors[i].nonce);
		digest_answer(&challenge, vectors[i].password, vectors[i].cnonce, answer);
		check_text(answer, vectors[i].answer);
	}
}

static void a_challenge_is_read_and_answered(void **state)
{
	struct digest_challenge challenge;
	struct json *auth;
	int64_t number = 0;

	(void)state;
	check_ok(digest_read(CHALLENGE(""), &challenge));
	check_text(challenge.realm, "shellypro4pm-f008d1d8b8b8");
	check_text(challenge.nonce, "1625038762");
	check_uint(challenge.nc, 1);
	check_true(!challenge.nonce_is_text);
	auth = digest_auth(&challenge, "mysecretpassword", 313273957);
	check_text(json_get_text(auth, "response"), vectors[0].answer);
	check_text(json_get_text(auth, "username"), "admin");
	check_text(json_get_text(auth, "algorithm"), "SHA-256");
	check_true(json_to_i64(json_get(auth, "nonce"), &number));
	check_int(number, 1625038762);
	json_free(auth);

	/* A nonce that is a text stays one; without nc it is 1. */
	check_ok(digest_read("{\"auth_type\":\"digest\",\"nonce\":\"60dc\",\"realm\":\"r\",\"algorithm\":\"SHA-256\"}", &challenge));
	check_uint(challenge.nc, 1);
	auth = digest_auth(&challenge, "x", 1);
	check_text(json_get_text(auth, "nonce"), "60dc");
	json_free(auth);
}

static void what_is_no_challenge_is_refused(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "", DIGEST_E_MALFORMED },
		{ "Unauthorized", DIGEST_E_MALFORMED },
		{ "[1]", DIGEST_E_MALFORMED },
		{ "{}", DIGEST_E_UNKNOWN },
		{ "{\"auth_type\":\"basic\",\"nonce\":1,\"realm\":\"r\",\"algorithm\":\"SHA-256\"}", DIGEST_E_UNKNOWN },
		{ "{\"auth_type\":\"digest\",\"nonce\":1,\"realm\":\"r\",\"algorithm\":\"MD5\"}", DIGEST_E_UNKNOWN },
		{ "{\"auth_type\":\"digest\",\"nonce\":1,\"algorithm\":\"SHA-256\"}", DIGEST_E_MALFORMED },
		{ "{\"auth_type\":\"digest\",\"nonce\":1,\"realm\":\"\",\"algorithm\":\"SHA-256\"}", DIGEST_E_MALFORMED },
		/* a colon in a realm would move the borders of what is hashed */
		{ "{\"auth_type\":\"digest\",\"nonce\":1,\"realm\":\"a:b\",\"algorithm\":\"SHA-256\"}", DIGEST_E_MALFORMED },
		{ "{\"auth_type\":\"digest\",\"nonce\":\"a b\",\"realm\":\"r\",\"algorithm\":\"SHA-256\"}", DIGEST_E_MALFORMED },
		{ "{\"auth_type\":\"digest\",\"nonce\":null,\"realm\":\"r\",\"algorithm\":\"SHA-256\"}", DIGEST_E_MALFORMED },
		{ "{\"auth_type\":\"digest\",\"nonce\":1,\"nc\":-1,\"realm\":\"r\",\"algorithm\":\"SHA-256\"}", DIGEST_E_MALFORMED },
	};
	struct digest_challenge challenge;
	char text[256], realm[DIGEST_REALM_MAX + 2];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (digest_read(rows[i].text, &challenge) != rows[i].error)
			fail_msg("%s", rows[i].text);
	}
	/* The longest realm and nonce, and one byte more. */
	memset(realm, 'r', sizeof(realm));
	for (size_t more = 0; more < 2; more++) {
		realm[DIGEST_REALM_MAX + more] = '\0';
		text_print(text, sizeof(text), "{\"auth_type\":\"digest\",\"nonce\":1,\"realm\":\"%s\",\"algorithm\":\"SHA-256\"}", realm);
		check_int(digest_read(text, &challenge), more ? DIGEST_E_MALFORMED : 0);
		realm[DIGEST_NONCE_MAX + more] = '\0';
		text_print(text, sizeof(text), "{\"auth_type\":\"digest\",\"nonce\":\"%s\",\"realm\":\"r\",\"algorithm\":\"SHA-256\"}", realm);
		check_int(digest_read(text, &challenge), more ? DIGEST_E_MALFORMED : 0);
		memset(realm, 'r', sizeof(realm));
	}
}

/* RFC 3174, 7.3, and lengths around the padding's edge. */
static void sha1_is_sha1(void **state)
{
	static const struct {
		const char *text;
		const char *hex;
	} rows[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
		{ "0123456701234567012345670123456701234567012345670123456", "adfc128b4a89c560e754c1659a6a90968b55490e" },
		{ "0123456701234567012345670123456701234567012345670123456701234567", "e0c094e867ef46c350ef54a7f59dd60bed92ae83" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint8_t hash[SHA1_LEN];
		char hex[2 * SHA1_LEN + 1];

		sha1(rows[i].text, strlen(rows[i].text), hash);
		hex_print(hash, sizeof(hash), hex);
		check_text(hex, rows[i].hex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(a_challenge_is_read_and_answered),
		cmocka_unit_test(what_is_no_challenge_is_refused),
		cmocka_unit_test(sha1_is_sha1),
	};

	return crypto_init() || CHECK_RUN(tests);
}
