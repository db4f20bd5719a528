#pragma once
/* parts - a text that comes in pieces, put together again, and wiped when it is let go: it may hold keys.
 *
 *   above   adapter/hub_inside  host/host_inside
 *   below   base/base
 *   owns    the text
 *   limits  the caller's, in max
 *   errors  PARTS_E_FULL
 */
#include "base/base.h"

enum { PARTS_E_FULL = 1 };

/* Zero-initialised but for max is empty. */
struct parts {
	uint8_t *data;
	size_t len, cap, max;
};

/* FULL: it would be longer than max; nothing was taken. Or -ENOMEM. */
must_check int parts_add(struct parts *parts, const void *data, size_t len);
void parts_wipe(struct parts *parts); /* empty again; max stays */
