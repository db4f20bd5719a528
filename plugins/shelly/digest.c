/* response = H(H(admin:realm:password):nonce:nc:cnonce:auth:H(dummy_method:dummy_uri)), each H in hex. What goes into a hash goes
 * through one buffer, which is wiped: the password is in it. */
#include "shelly/digest.h"

#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"

enum { MESSAGE_MAX = 1024, MESSAGE_DEPTH = 2, HASHED_MAX = 512 };

static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if (*text < 0x21 || *text > 0x7e || *text == ':')
			return false;
	}
	return true;
}

static bool take_word(const char *text, char *ret, size_t cap)
{
	return text && text[0] && is_plain(text) && text_copy(ret, cap, text);
}

static bool take_nonce(const struct json *nonce, struct digest_challenge *ret)
{
	int64_t number;

	ret->nonce_is_text = json_kind(nonce) == JSON_TEXT;
	if (ret->nonce_is_text)
		return take_word(json_text(nonce, NULL), ret->nonce, sizeof(ret->nonce));
	return json_to_i64(nonce, &number) && text_print(ret->nonce, sizeof(ret->nonce), "%lld", (long long)number);
}

static int read_tree(const struct json *json, struct digest_challenge *ret)
{
	const struct json *nc = json_get(json, "nc");
	int64_t count = 1;

	if (!text_equal(json_get_text(json, "auth_type"), "digest") || !text_equal(json_get_text(json, "algorithm"), "SHA-256"))
		return DIGEST_E_UNKNOWN;
	if (!take_word(json_get_text(json, "realm"), ret->realm, sizeof(ret->realm)) ||
	    !take_nonce(json_get(json, "nonce"), ret))
		return DIGEST_E_MALFORMED;
	if (nc && (!json_to_i64(nc, &count) || count < 0 || count > UINT32_MAX))
		return DIGEST_E_MALFORMED;
	ret->nc = count ? (uint32_t)count : 1;
	return 0;
}

int digest_read(const char *message, struct digest_challenge *ret)
{
	struct digest_challenge challenge = { 0 };
	struct json *json = NULL;
	int r;

	if (json_parse(message, strlen(message), MESSAGE_MAX, MESSAGE_DEPTH, NULL, 0, &json))
		return DIGEST_E_MALFORMED;
	r = json_kind(json) == JSON_OBJECT ? read_tree(json, &challenge) : DIGEST_E_MALFORMED;
	json_free(json);
	if (!r)
		*ret = challenge;
	return r;
}

static void hash_hex(const char *text, char ret[DIGEST_HEX_LEN + 1])
{
	uint8_t hash[CRYPTO_HASH_LEN];

	crypto_sha256(text, strlen(text), hash);
	hex_print(hash, sizeof(hash), ret);
	crypto_wipe(hash, sizeof(hash));
}

void digest_answer(const struct digest_challenge *challenge, const char *password, uint32_t cnonce, char ret[DIGEST_HEX_LEN + 1])
{
	char text[HASHED_MAX], ha1[DIGEST_HEX_LEN + 1], ha2[DIGEST_HEX_LEN + 1];

	hash_hex("dummy_method:dummy_uri", ha2);
	text_print(text, sizeof(text), "admin:%s:%s", challenge->realm, password);
	hash_hex(text, ha1);
	text_print(text, sizeof(text), "%s:%s:%u:%u:auth:%s", ha1, challenge->nonce, challenge->nc, cnonce, ha2);
	hash_hex(text, ret);
	crypto_wipe(text, sizeof(text));
	crypto_wipe(ha1, sizeof(ha1));
}

struct json *digest_auth(const struct digest_challenge *challenge, const char *password, uint32_t cnonce)
{
	struct json *auth = json_new_object();
	char answer[DIGEST_HEX_LEN + 1];
	int64_t number = 0;

	digest_answer(challenge, password, cnonce, answer);
	json_set_text(auth, "realm", challenge->realm);
	json_set_text(auth, "username", "admin");
	if (!challenge->nonce_is_text && !text_to_i64(challenge->nonce, INT64_MIN, INT64_MAX, &number))
		json_set_i64(auth, "nonce", number);
	else
		json_set_text(auth, "nonce", challenge->nonce);
	json_set_i64(auth, "cnonce", cnonce);
	json_set_text(auth, "response", answer);
	json_set_text(auth, "algorithm", "SHA-256");
	return auth;
}
