#pragma once
/* crowd - how many rules can be candidates of one question at most, and which they are when they are too many.
 *
 *   above   policy/compile
 *   below   base/base  base/text  policy/policy  policy/snapshot
 *   owns    nothing
 *   limits  -
 */
#include "base/base.h"
#include "policy/policy.h"

enum { AXIS_WHO, AXIS_WHAT, AXES };

/* A rule on its way into the table. id is zero-padded: a number, or a device's identity. */
struct placed {
	uint8_t kind[AXES];
	uint16_t cap;
	uint8_t id[AXES][DEVICE_ID_LEN];
	uint32_t rule; /* its place in the snapshot */
};

/* Sorts placed as it likes. */
must_check int crowd_check(struct placed *placed, size_t n, const int32_t *ids, char *error, size_t error_cap);
