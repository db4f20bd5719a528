#pragma once
/* digest - SHA-256 digest authentication as a Shelly wants it inside its JSON-RPC: a challenge in an error, an answer in "auth".
 *
 *   above   shelly/session
 *   below   base/base  base/text  sys/crypto  sys/json
 *   owns    nothing
 *   limits  DIGEST_REALM_MAX DIGEST_NONCE_MAX
 *   errors  DIGEST_E_MALFORMED DIGEST_E_UNKNOWN
 *
 * RFC 7616 with qop "auth", user "admin" and, because there is no HTTP request, "dummy_method:dummy_uri" in place of one. Over
 * a connection the same answer goes with each request, until the device challenges anew.
 */
#include "base/base.h"
#include "sys/json.h"

enum { DIGEST_REALM_MAX = 64, DIGEST_NONCE_MAX = 64, DIGEST_HEX_LEN = 64 };
enum {
	DIGEST_E_MALFORMED = 1,
	DIGEST_E_UNKNOWN = 2, /* another kind of authentication, another hash */
};

struct digest_challenge {
	char realm[DIGEST_REALM_MAX + 1];
	char nonce[DIGEST_NONCE_MAX + 1]; /* as text, whatever it was */
	bool nonce_is_text;
	uint32_t nc;
};

/* message: the text of error 401, JSON itself. */
must_check int digest_read(const char *message, struct digest_challenge *ret);
void digest_answer(const struct digest_challenge *challenge, const char *password, uint32_t cnonce, char ret[DIGEST_HEX_LEN + 1]);
/* The object for "auth", the caller's. */
struct json *digest_auth(const struct digest_challenge *challenge, const char *password, uint32_t cnonce);
