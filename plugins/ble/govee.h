#pragma once
/* govee - Govee's thermometers: manufacturer data in four forms, told by company, length and name.
 *
 *   above   -
 *   below   base/base  ble/reading
 *   owns    nothing
 *   limits  -
 *   errors  GOVEE_E_UNKNOWN
 *
 * Nothing is published by the maker, and company 1 is another's: a beacon of it counts only with the name of a model.
 */
#include "base/base.h"
#include "ble/reading.h"

enum { GOVEE_E_UNKNOWN = 1 };

struct govee {
	bool fault; /* the sensor says so itself: only the battery is a reading then */
	struct readings readings;
};

/* name: what the device calls itself, or empty. ret is undefined after an error. */
must_check int govee_read(uint16_t company, struct view name, struct view data, struct govee *ret);
