#pragma once
/* reading - what a beacon said: capability, which of its kind, value; and fields that are a table row.
 *
 *   above   every decoder of this folder
 *   below   base/base  base/bytes  model/capability  model/value
 *   owns    nothing: TEXT and BYTES are borrowed from the decoder's input or from static tables
 *   limits  READINGS_MAX
 *   errors  READING_E_FULL
 *
 * A value that is outside of its capability's range is not a reading: it is counted in refused.
 * What the gateway's table has no row for has an id of vendor space, below.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/capability.h"
#include "model/value.h"

enum { READINGS_MAX = 64 };
enum { READING_E_FULL = 1 };

/* Rows of the gateway's table, by the names that the decoders use; only the last are not in it. */
enum {
	BLE_CAP_MASS = CAP_MASS,
	BLE_CAP_DEW_POINT = CAP_DEW_POINT,
	BLE_CAP_COUNT = CAP_COUNT,
	BLE_CAP_PM10 = CAP_PM10,
	BLE_CAP_GENERIC = CAP_GENERIC_STATE,
	BLE_CAP_CHARGING = CAP_CHARGING,
	BLE_CAP_COLD = CAP_COLD,
	BLE_CAP_CONNECTED = CAP_CONNECTED,
	BLE_CAP_HOT = CAP_HOT,
	BLE_CAP_LIGHT = CAP_LIGHT,
	BLE_CAP_MOVING = CAP_MOVING,
	BLE_CAP_PLUGGED = CAP_PLUGGED,
	BLE_CAP_PROBLEM = CAP_PROBLEM,
	BLE_CAP_RUNNING = CAP_RUNNING,
	BLE_CAP_SAFE = CAP_SAFE,
	BLE_CAP_SOUND = CAP_SOUND,
	BLE_CAP_DIMMER = CAP_DIMMER,
	BLE_CAP_ROTATION = CAP_ROTATION,
	BLE_CAP_DISTANCE = CAP_DISTANCE,
	BLE_CAP_DURATION = CAP_DURATION,
	BLE_CAP_SPEED = CAP_SPEED,
	BLE_CAP_UV_INDEX = CAP_UV_INDEX,
	BLE_CAP_VOLUME = CAP_VOLUME,
	BLE_CAP_GAS_VOLUME = CAP_GAS_VOLUME,
	BLE_CAP_WATER = CAP_WATER,
	BLE_CAP_TIMESTAMP = CAP_TIMESTAMP,
	BLE_CAP_ACCELERATION = CAP_ACCELERATION,
	BLE_CAP_GYROSCOPE = CAP_GYROSCOPE,
	BLE_CAP_TEXT = CAP_TEXT,
	BLE_CAP_RAW = CAP_RAW,
	BLE_CAP_VOLUME_STORAGE = CAP_VOLUME_STORED,
	BLE_CAP_CONDUCTIVITY = CAP_CONDUCTIVITY,
	BLE_CAP_DIRECTION = CAP_DIRECTION,
	BLE_CAP_PRECIPITATION = CAP_PRECIPITATION,
	BLE_CAP_CHANNEL = CAP_CHANNEL,
	BLE_CAP_REVOLUTIONS = CAP_REVOLUTIONS,
	BLE_CAP_LIGHT_LEVEL = CAP_LIGHT_LEVEL,
	BLE_CAP_TX_POWER = CAP_TX_POWER,
	BLE_CAP_MOVEMENTS = CAP_MOVEMENTS,
	BLE_CAP_SEQUENCE = CAP_SEQUENCE,
	BLE_CAP_FORMALDEHYDE = CAP_FORMALDEHYDE,
	BLE_CAP_CONSUMABLE = CAP_CONSUMABLE,
	BLE_CAP_IDLE_SECONDS = CAP_IDLE_SECONDS,
	BLE_CAP_DEVICE_TYPE = CAPABILITY_VENDOR_FIRST + 0x100, /* INT */
	BLE_CAP_FIRMWARE, /* INT, the bytes of the version, highest first */
	BLE_CAP_LAST,
};

struct reading {
	uint16_t cap;
	uint8_t index; /* 1 is the first of its kind */
	struct value value; /* VALUE_NONE: it is there, and nothing happened (a button at rest) */
};

struct readings {
	size_t n;
	size_t refused;
	struct reading rows[READINGS_MAX];
};

enum field_form {
	FIELD_UNSIGNED,
	FIELD_SIGNED,
	FIELD_WHOLE, /* unsigned, INT */
	FIELD_WHOLE_SIGNED,
	FIELD_BOOL, /* any bit of it */
	FIELD_BOOL_NOT,
	FIELD_FLOAT, /* four bytes, IEEE 754 */
};

/* value = number / per + add. */
struct field {
	uint8_t width; /* bytes, 1..4 */
	uint8_t form;  /* enum field_form */
	uint16_t cap;
	double per, add;
};

must_check int readings_add(struct readings *readings, uint16_t cap, struct value value);
/* bytes holds field->width of them, little-endian. */
must_check int readings_field(struct readings *readings, const struct field *field, const uint8_t *bytes);
const struct reading *readings_find(const struct readings *readings, uint16_t cap, uint8_t index);

uint16_t big_u16(const uint8_t *bytes);
int16_t big_i16(const uint8_t *bytes);
