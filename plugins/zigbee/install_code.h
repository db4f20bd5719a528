#pragma once
/* install_code - the code on a device's label, as text or from its QR code, and the link key that it makes.
 *
 *   above   zigbee/znp_ops
 *   below   base/base  base/bytes  base/text  sys/crypto
 *   owns    struct install_code: a secret, whoever holds it wipes it
 *   limits  INSTALL_CODE_LEN_MAX INSTALL_CODE_TEXT_MAX
 *   errors  INSTALL_CODE_E_SYNTAX INSTALL_CODE_E_LENGTH INSTALL_CODE_E_CHECKSUM
 *
 * Base Device Behavior 10.1. A code is 6, 8, 12 or 16 bytes and their checksum. Read are: hex digits, with blanks,
 * dashes or colons between them; "...Z:<eui>$I:<code>"; "G$M:...$A:<eui>$I:<code>"; "HUE:Z:<code> M:<eui> ...";
 * "<eui>|<code>", also between bars.
 */
#include "base/base.h"
#include "base/bytes.h"

enum { INSTALL_CODE_LEN_MAX = 18, INSTALL_CODE_TEXT_MAX = 256, INSTALL_CODE_KEY_LEN = 16 };
enum {
	INSTALL_CODE_E_SYNTAX = 1,   /* none of these forms */
	INSTALL_CODE_E_LENGTH = 2,   /* digits are missing, or too many; the checksum counts */
	INSTALL_CODE_E_CHECKSUM = 3, /* a digit is wrong */
};

struct install_code {
	uint64_t eui; /* 0: the text does not say */
	uint8_t len;  /* with the checksum */
	uint8_t bytes[INSTALL_CODE_LEN_MAX];
};

must_check int install_code_read(const char *text, size_t len, struct install_code *ret);
must_check int install_code_check(struct view code); /* with its checksum */
must_check int install_code_key(struct view code, uint8_t ret[INSTALL_CODE_KEY_LEN]); /* -ENOMEM; code: with its checksum */

/* Zigbee B.6: AES in Matyas-Meyer-Oseas mode. At most 4095 bytes. */
must_check int aes_mmo(const void *data, size_t len, uint8_t ret[16]);
