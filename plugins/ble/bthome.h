#pragma once
/* bthome - BTHome v2: the service data of 0xFCD2, plain or sealed with a bind key.
 *
 *   above   -
 *   below   base/base  base/text  ble/ccm  ble/reading
 *   owns    nothing: a sealed beacon's texts are borrowed from struct bthome itself, a plain one's from the input
 *   limits  BTHOME_BYTES_MAX
 *   errors  BTHOME_E_MALFORMED BTHOME_E_SIZE BTHOME_E_VERSION BTHOME_E_KEY BTHOME_E_PLAIN BTHOME_E_FORGED
 *           BTHOME_E_REPEATED BTHOME_E_REPLAYED
 */
#include "base/base.h"
#include "ble/ccm.h"
#include "ble/reading.h"

enum { BTHOME_UUID = 0xfcd2, BTHOME_BYTES_MAX = 252 };
enum {
	BTHOME_E_MALFORMED = 1,
	BTHOME_E_SIZE = 2,     /* too long, or more than READINGS_MAX objects */
	BTHOME_E_VERSION = 3,  /* not version 2 */
	BTHOME_E_KEY = 4,      /* sealed, and no key is known */
	BTHOME_E_PLAIN = 5,    /* a key is known, and it is not sealed: somebody else's */
	BTHOME_E_FORGED = 6,   /* other key, or altered */
	BTHOME_E_REPEATED = 7, /* the same once more: beacons are sent several times */
	BTHOME_E_REPLAYED = 8, /* older than the last one */
};

/* What is kept of a device between beacons. Zero-initialised: nothing has been heard yet. */
struct bthome_memory {
	bool has_counter, has_packet_id;
	uint32_t counter; /* of the last sealed beacon that was good */
	uint8_t packet_id;
};

struct bthome {
	bool sealed, on_trigger, has_packet_id;
	bool cut; /* an object id that nobody knows: what stands behind it cannot be read */
	uint8_t packet_id;
	uint32_t counter;
	struct readings readings;
	uint8_t plain[CCM_PLAIN_MAX];
};

/* mac: highest byte first. key: NULL if none is known. memory is changed only on success. ret stays where it is as
 * long as its texts are used; it is undefined after an error. */
must_check int bthome_read(struct view data, const uint8_t mac[6], const uint8_t *key, struct bthome_memory *memory,
			   struct bthome *ret);
