#pragma once
/* sha1 - the hash of RFC 3174, for the one thing that wants it: the echo in a WebSocket's opening.
 *
 *   above   shelly/ws
 *   below   base/base
 *   owns    nothing
 *
 * It proves nothing to anybody: it only shows that the far end read our key (RFC 6455, section 1.3). Nothing that is to be
 * kept from somebody, or to be believed, goes through it.
 */
#include "base/base.h"

enum { SHA1_LEN = 20 };

void sha1(const void *data, size_t len, uint8_t ret[SHA1_LEN]);
