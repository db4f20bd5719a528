#pragma once
/* beacons - all remembered devices, by address; and the two blobs that they are kept in.
 *
 *   above   ble/sensors  ble/ble_inside
 *   below   base/base  base/bytes  ble/beacon
 *   owns    the beacons that were put in; their keys are wiped when they go
 *   limits  BEACONS_MAX
 *   errors  BEACONS_E_FULL BEACONS_E_MALFORMED
 *
 * "beacons" is who they are and changes when somebody joins, learns something new or leaves; "marks" is the counters and
 * changes all the time, so it is small. The core seals both.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "ble/beacon.h"

enum { BEACONS_MAX = 128 };
enum { BEACONS_E_FULL = 1, BEACONS_E_MALFORMED = 2 };
/* The longest beacon and the longest mark; a blob is 32 KiB at most. */
enum { BEACONS_ROW_BYTES = 6 + 6 + 1 + 16 + 4 * (2 + BEACON_TEXT_MAX) + 1 + 5 * BEACON_CAPS_MAX, BEACONS_MARK_BYTES = 6 + 1 + 4 + 4 };
_Static_assert(3 + BEACONS_MAX * BEACONS_ROW_BYTES <= 2 * GWA_STATE_MAX, "two blobs take them all");

struct beacons {
	size_t n;
	struct beacon *all[BEACONS_MAX];
};

void beacons_deinit(struct beacons *beacons);
struct beacon *beacons_find(const struct beacons *beacons, const uint8_t mac[6]); /* NULL: not remembered */
must_check int beacons_add(struct beacons *beacons, const struct beacon *like, struct beacon **ret);
void beacons_remove(struct beacons *beacons, struct beacon *beacon);

/* Those from *at on, as many as fit; *at is the first that did not. */
void beacons_put(const struct beacons *beacons, size_t *at, struct writer *w);
/* Adds to what is there already. Nothing of a malformed blob is taken. */
must_check int beacons_get(struct beacons *beacons, struct reader *r);
void beacons_put_marks(const struct beacons *beacons, struct writer *w);
must_check int beacons_get_marks(struct beacons *beacons, struct reader *r);
