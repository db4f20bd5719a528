#pragma once
/* ruuvi - RuuviTag: the manufacturer data of company 0x0499, formats 3 and 5.
 *
 *   above   -
 *   below   base/base  ble/reading
 *   owns    nothing
 *   limits  -
 *   errors  RUUVI_E_MALFORMED RUUVI_E_FORMAT
 */
#include "base/base.h"
#include "ble/reading.h"

enum { RUUVI_COMPANY = 0x0499 };
enum { RUUVI_E_MALFORMED = 1, RUUVI_E_FORMAT = 2 };

struct ruuvi {
	uint8_t format;
	bool has_mac; /* format 5 may name its own */
	uint8_t mac[6];
	struct readings readings; /* acceleration three times: x, y, z */
};

/* A format from another year: RUUVI_E_FORMAT. ret is undefined after an error. */
must_check int ruuvi_read(struct view data, struct ruuvi *ret);
