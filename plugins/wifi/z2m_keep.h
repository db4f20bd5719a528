#pragma once
/* z2m_keep - a list of devices cut down to what we read of it, in parts that fit a shelf.
 *
 *   above   wifi/bridge
 *   below   base/base  base/text  sys/json  wifi/z2m
 *   owns    nothing
 *   errors  Z2M_E_MALFORMED (from wifi/z2m)
 *
 * Each part is a list that z2m_devices reads and makes the same devices of.
 */
#include "base/base.h"
#include "wifi/z2m.h"

/* Each part has at most max bytes; an entry that is longer alone is left out. */
must_check int z2m_keep(const void *data, size_t len, size_t max,
			void (*on_part)(void *ctx, const char *text, size_t len), void *ctx);
