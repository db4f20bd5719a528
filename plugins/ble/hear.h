#pragma once
/* hear - one advertisement, whichever format: who made it, what it says, and whether that is news.
 *
 *   above   ble/house
 *   below   base/base  base/bytes  ble/atc  ble/bthome  ble/govee  ble/ibeacon  ble/mibeacon  ble/props  ble/reading
 *           ble/ruuvi  ble/switchbot
 *   owns    nothing
 *   limits  -
 *   errors  HEAR_E_NOTHING HEAR_E_KEY HEAR_E_PLAIN HEAR_E_FORGED HEAR_E_MALFORMED HEAR_E_REPEATED HEAR_E_REPLAYED
 *
 * A sealed beacon's counter has to rise, for ever: equal is a repetition, lower is a replay. What a plain one says again
 * within HEAR_SAME_MS is a repetition; a packet with a number, or an event, within that time after its last repetition.
 */
#include "base/base.h"
#include "ble/atc.h"
#include "ble/bthome.h"
#include "ble/govee.h"
#include "ble/ibeacon.h"
#include "ble/mibeacon.h"
#include "ble/props.h"
#include "ble/ruuvi.h"
#include "ble/switchbot.h"

enum { HEAR_SAME_MS = 4000 };
enum {
	HEAR_E_NOTHING = 1, /* none of the formats, or not the one that was asked for */
	HEAR_E_KEY = 2,	    /* sealed, and no key is known */
	HEAR_E_PLAIN = 3,   /* a key is known, and it is not sealed */
	HEAR_E_FORGED = 4,  /* other key, or altered */
	HEAR_E_MALFORMED = 5,
	HEAR_E_REPEATED = 6,
	HEAR_E_REPLAYED = 7,
};

/* Kept in blobs: a number never changes its meaning. */
enum hear_format {
	HEAR_NONE,
	HEAR_BTHOME,
	HEAR_MIBEACON,
	HEAR_ATC,
	HEAR_RUUVI,
	HEAR_GOVEE,
	HEAR_SWITCHBOT,
	HEAR_IBEACON,
	HEAR_GATT, /* no beacon: a device that is connected to */
	HEAR_FORMATS
};

struct hear_key {
	uint8_t len; /* 0: none; 16, or 12 of MiBeacon 2 and 3 */
	uint8_t bytes[16];
};

/* Zero-initialised: nothing has been heard yet. */
struct hear_memory {
	bool has_counter;
	uint32_t counter; /* of the last sealed one that was good */
	uint32_t mark;	  /* of the last plain one: its packet id, or a hash */
	uint64_t mark_ms; /* when it was heard; 0: never */
};

struct hearing {
	enum hear_format format;
	bool sealed;
	bool bound;	/* sealed in a way that cannot be forged or replayed */
	bool irregular; /* it speaks when something happens only */
	uint16_t product;
	const char *model; /* static, may be NULL */
	const struct readings *readings;
	union {
		struct bthome bthome;
		struct mibeacon mibeacon;
		struct atc atc;
		struct ruuvi ruuvi;
		struct govee govee;
		struct switchbot switchbot;
		struct {
			struct ibeacon ibeacon;
			struct readings none;
		};
	};
};

struct hear_source {
	const uint8_t *mac; /* highest byte first */
	const char *name;   /* what it calls itself; may be NULL */
	const struct props *props;
};

/* only: the format that this device is known for, HEAR_NONE: any. memory is changed only on success, and when a plain one
 * is repeated. ret stays where it is as long as its texts are used. */
must_check int hear(const struct hear_source *source, enum hear_format only, const struct hear_key *key, uint64_t now_ms,
		    struct hear_memory *memory, struct hearing *ret);
