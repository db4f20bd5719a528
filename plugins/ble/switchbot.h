#pragma once
/* switchbot - SwitchBot's meters, contact and motion sensors, bots and curtains: the service data of 0xFD3D, or of 0x0D00.
 *
 *   above   ble/hear
 *   below   base/base  ble/reading
 *   owns    nothing
 *   limits  -
 *   errors  SWITCHBOT_E_MALFORMED SWITCHBOT_E_UNKNOWN SWITCHBOT_E_SEALED
 *
 * Only what they broadcast is read. How a bot is moved is a maker's protocol over GATT and is not here.
 */
#include "base/base.h"
#include "ble/reading.h"

enum { SWITCHBOT_UUID = 0xfd3d, SWITCHBOT_UUID_OLD = 0x0d00 };
enum {
	SWITCHBOT_E_MALFORMED = 1, /* shorter than its kind is */
	SWITCHBOT_E_UNKNOWN = 2,   /* another kind of device */
	SWITCHBOT_E_SEALED = 3,	   /* it says that it is encrypted */
};

struct switchbot {
	const char *model; /* "Meter" */
	bool pairing;	   /* its button is being held, so to say */
	struct readings readings;
};

/* ret is undefined after an error. */
must_check int switchbot_read(struct view data, struct switchbot *ret);
