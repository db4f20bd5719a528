#pragma once
/* ibeacon - Apple's proximity beacon: the manufacturer data of company 0x004C, type 2.
 *
 *   above   -
 *   below   base/base  base/bytes  ble/reading
 *   owns    nothing
 *   limits  -
 *   errors  IBEACON_E_MALFORMED
 */
#include "base/base.h"
#include "base/bytes.h"

enum { IBEACON_COMPANY = 0x004c };
enum { IBEACON_E_MALFORMED = 1 };

struct ibeacon {
	uint8_t uuid[16]; /* as written */
	uint16_t major, minor;
	int8_t power; /* dBm at one metre */
};

must_check int ibeacon_read(struct view data, struct ibeacon *ret);
