#pragma once
/* box - something small sealed to a public key, whose private half is offline: a recovery key, an auditor's.
 *
 *   above   audit/audit  custody/custody  vault/parcel  verify/source
 *   below   base/base  base/bytes  base/text  sys/crypto
 *   owns    nothing
 *   limits  BOX_TEXT_MAX BOX_SEALED_MAX BOX_PUBLIC_MAX BOX_KEY_TEXT_MAX
 *   errors  -
 *
 * X25519 is libsodium's sealed box; SM2 is GB/T 32918.4 encryption (C1 C3 C2, DER) as OpenSSL writes it. As text a key is
 * "gw-x25519-pub:", "gw-x25519-key:", "gw-sm2-pub:" or "gw-sm2-key:" and base64url.
 */
#include "base/base.h"
#include "sys/crypto.h"

enum box_kind { BOX_X25519 = 1, BOX_SM2 = 2 };
enum { BOX_TEXT_MAX = 64, BOX_SEALED_MAX = 256, BOX_PUBLIC_MAX = 65, BOX_SECRET_LEN = 32, BOX_KEY_TEXT_MAX = 128 };

struct box_public {
	uint8_t kind, len; /* 32 or 65 */
	uint8_t data[BOX_PUBLIC_MAX];
};
must_check int box_pair_new(enum box_kind kind, struct box_public *ret, struct secret **ret_secret);
must_check int box_public_of(enum box_kind kind, const struct secret *secret, struct box_public *ret);
must_check int box_seal(const struct box_public *to, const void *text, size_t len, uint8_t ret[BOX_SEALED_MAX], size_t *ret_len);
must_check int box_open(enum box_kind kind, const struct secret *secret, const void *sealed, size_t len, uint8_t ret[BOX_TEXT_MAX],
			size_t *ret_len);
must_check int box_public_parse(const char *text, struct box_public *ret);
void box_public_print(const struct box_public *key, char ret[BOX_KEY_TEXT_MAX]);
must_check int box_secret_parse(const char *text, enum box_kind *ret_kind, struct secret **ret);
void box_secret_print(enum box_kind kind, const struct secret *secret, char ret[BOX_KEY_TEXT_MAX]); /* the caller wipes ret */
