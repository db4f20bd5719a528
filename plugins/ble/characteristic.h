#pragma once
/* characteristic - the standard GATT characteristics that we read and write: a table, and values out of bytes.
 *
 *   above   ble/gatt
 *   below   base/base  base/bytes  ble/reading
 *   owns    nothing
 *   limits  CHARACTERISTIC_WRITE_MAX
 *   errors  CHARACTERISTIC_E_VALUE
 *
 * Battery, Environmental Sensing, Device Information, Automation IO. A maker's own characteristics are not here.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "ble/reading.h"

enum { CHARACTERISTIC_WRITE_MAX = 8 };
enum { CHARACTERISTIC_E_VALUE = 1 }; /* of another length, unknown, or outside of what it can be */

/* Services whose devices we connect to when they join in a window without being named. */
enum { SERVICE_ENVIRONMENT = 0x181a, SERVICE_AUTOMATION = 0x1815 };

enum characteristic_kind { KIND_VALUE, KIND_SWITCH, KIND_VENDOR, KIND_MODEL, KIND_FIRMWARE };
struct characteristic {
	uint16_t uuid;
	uint8_t kind; /* enum characteristic_kind; the last three are texts about the device */
	struct field field; /* KIND_VALUE */
};

const struct characteristic *characteristic_find(uint16_t uuid); /* NULL: not ours */
uint16_t characteristic_cap(const struct characteristic *row);	 /* 0: a text */
must_check int characteristic_read(const struct characteristic *row, struct view bytes, struct value *ret);
/* ret: CHARACTERISTIC_WRITE_MAX bytes. */
must_check int characteristic_write(const struct characteristic *row, const struct value *value, uint8_t *ret, size_t *ret_len);
bool characteristic_is_service(uint16_t uuid);
