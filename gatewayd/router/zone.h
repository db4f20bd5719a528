#pragma once
/* zone - local time by a zone file's own bytes (TZif, RFC 8536): wall clock in, offset out; no process-wide TZ.
 *
 *   above   router/time_trust
 *   below   base/base
 *   owns    a copy of the zone's transitions
 *   limits  ZONE_FILE_MAX ZONE_TIMES_MAX
 *   errors  ZONE_E_SYNTAX
 */
#include "base/base.h"

enum { ZONE_FILE_MAX = 65536, ZONE_TIMES_MAX = 2000 };
enum { ZONE_E_SYNTAX = 1 };
struct zone;
must_check int zone_parse(const void *data, size_t len, struct zone **ret);
struct zone *zone_free(struct zone *zone);
int32_t zone_offset_s(const struct zone *zone, int64_t unix_s); /* seconds east of UTC; NULL zone is UTC */
