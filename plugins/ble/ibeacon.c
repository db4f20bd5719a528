/* Proximity Beacon Specification R1: type 0x02, length 0x15, UUID, major, minor, power, highest byte first. */
#include "ble/ibeacon.h"

#include <string.h>
#include "ble/reading.h"

enum { IBEACON_LEN = 23 };

int ibeacon_read(struct view data, struct ibeacon *ret)
{
	const uint8_t *d = data.data;

	if (data.len != IBEACON_LEN || d[0] != 0x02 || d[1] != 0x15)
		return IBEACON_E_MALFORMED;
	memcpy(ret->uuid, d + 2, sizeof(ret->uuid));
	ret->major = big_u16(d + 18);
	ret->minor = big_u16(d + 20);
	ret->power = (int8_t)d[22];
	return 0;
}
