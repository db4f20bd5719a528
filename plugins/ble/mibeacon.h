#pragma once
/* mibeacon - Xiaomi's MiBeacon: the service data of 0xFE95, plain or sealed, versions 2 to 5.
 *
 *   above   -
 *   below   base/base  ble/ccm  ble/reading
 *   owns    nothing
 *   limits  MIBEACON_BYTES_MAX
 *   errors  MIBEACON_E_MALFORMED MIBEACON_E_SIZE MIBEACON_E_VERSION MIBEACON_E_KEY MIBEACON_E_PLAIN MIBEACON_E_FORGED
 *
 * Which counters survive a change of battery is published nowhere: the decoder says the counter, and the caller
 * decides what is too old. Versions 2 and 3 are sealed without a tag: who has no key cannot read them, and anybody can
 * replay them. Locks, scales, toothbrushes, cubes and switches of several buttons at once are not read.
 */
#include "base/base.h"
#include "ble/ccm.h"
#include "ble/reading.h"

enum { MIBEACON_UUID = 0xfe95, MIBEACON_BYTES_MAX = 252 };
enum {
	MIBEACON_E_MALFORMED = 1, /* or another's MAC */
	MIBEACON_E_SIZE = 2,	  /* too long, or more than READINGS_MAX readings */
	MIBEACON_E_VERSION = 3,	  /* 0, 1, a mesh device, or sealed by version 2 or 3 and read with a key of 4 or 5 */
	MIBEACON_E_KEY = 4,	  /* sealed, and no key is known */
	MIBEACON_E_PLAIN = 5,	  /* a key is known, and there are objects that are not sealed */
	MIBEACON_E_FORGED = 6,
};

struct mibeacon {
	uint8_t version;
	uint16_t product;
	bool sealed;
	uint32_t counter; /* sealed with a tag: of 32 bits; else the frame counter, of 8 */
	size_t nobjects, unknown; /* of the objects, those that are no reading here */
	struct readings readings;
};

/* mac: highest byte first. key: NULL if none is known. A beacon without objects is good, and has no readings. ret is
 * undefined after an error. */
must_check int mibeacon_read(struct view data, const uint8_t mac[6], const uint8_t *key, struct mibeacon *ret);
enum { MIBEACON_OLD_KEY_LEN = 12 };
/* The same for what versions 2 and 3 sealed. MIBEACON_E_FORGED: what comes out is no row of objects that are known. */
must_check int mibeacon_read_old(struct view data, const uint8_t mac[6], const uint8_t key[MIBEACON_OLD_KEY_LEN],
				 struct mibeacon *ret);
