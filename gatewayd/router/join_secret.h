#pragma once
/* join_secret - what is printed on a device or its box, as the bytes that its adapter wants: hex, a QR text, or the text itself. Pure.
 *
 *   above   -
 *   below   base/base  base/text  model/device  model/wire  sys/crypto
 *   owns    nothing: the caller wipes
 *   limits  JOIN_SECRET_TEXT_MAX
 *   errors  JOIN_SECRET_E_SYNTAX
 *
 * Hex of 8 bytes and more, in groups or not, is turned into bytes: an install code with its CRC, a bind key. A square's text gives the
 * code and perhaps the address: "...Z:EUI$I:CODE", "...$A:EUI$I:CODE", "HUE:Z:CODE M:EUI ...", "EUI|CODE", also between bars. Any other
 * text of at most WIRE_CODE_MAX bytes goes as it is: a PIN, a passkey.
 */
#include "base/base.h"
#include "model/device.h"
#include "model/wire.h"

enum { JOIN_SECRET_TEXT_MAX = 128, JOIN_SECRET_HEX_MIN = 8 };
enum { JOIN_SECRET_E_SYNTAX = 1 };

struct join_secret {
	uint8_t code[WIRE_CODE_MAX];
	size_t len;
	struct address addr; /* of a QR text that names one; len 0 */
};
must_check int join_secret_parse(const char *text, struct join_secret *ret);
must_check int join_address_parse(const char *text, struct address *ret); /* 1 to 16 bytes in hex, in groups or not */
