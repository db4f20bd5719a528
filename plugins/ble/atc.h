#pragma once
/* atc - thermometers with ATC1441's or pvvx's firmware: the service data of 0x181A, four forms.
 *
 *   above   -
 *   below   base/base  ble/ccm  ble/reading
 *   owns    nothing
 *   limits  -
 *   errors  ATC_E_MALFORMED ATC_E_KEY ATC_E_PLAIN ATC_E_FORGED
 */
#include "base/base.h"
#include "ble/ccm.h"
#include "ble/reading.h"

enum { ATC_UUID = 0x181a };
enum {
	ATC_E_MALFORMED = 1, /* none of the four lengths, or another's MAC */
	ATC_E_KEY = 2,	     /* sealed, and no key is known */
	ATC_E_PLAIN = 3,     /* a key is known, and it is not sealed */
	ATC_E_FORGED = 4,
};

struct atc {
	bool sealed;
	uint8_t counter; /* of eight bits: it tells a repetition, and is no protection against a replay */
	struct readings readings;
};

/* mac: highest byte first. key: NULL if none is known. ret is undefined after an error. */
must_check int atc_read(struct view data, const uint8_t mac[6], const uint8_t *key, struct atc *ret);
