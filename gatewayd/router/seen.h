#pragma once
/* seen - which command ids were taken lately: the same id again is a duplicate, not a second order.
 *
 *   above   router/internal
 *   below   base/base  sys/crypto
 *   owns    a ring of keyed hashes
 *   limits  SEEN_MAX
 */
#include "base/base.h"

enum { SEEN_MAX = 4096 };
struct seen;
must_check int seen_new(struct seen **ret);
struct seen *seen_free(struct seen *seen);
/* true: it was there; false: it is now. scope keeps askers apart. */
bool seen_before(struct seen *seen, const void *scope, size_t scope_len, const char *id);
