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

/* In the order of their ids; a row never moves. BOOL unless it says so. */
enum {
	BLE_CAP_MASS = CAPABILITY_VENDOR_FIRST + 0x100, /* REAL kg */
	BLE_CAP_DEW_POINT,				/* REAL degrees Celsius */
	BLE_CAP_COUNT,					/* INT */
	BLE_CAP_PM10,					/* REAL ug/m3 */
	BLE_CAP_GENERIC,
	BLE_CAP_CHARGING,
	BLE_CAP_COLD,
	BLE_CAP_CONNECTED,
	BLE_CAP_HOT,
	BLE_CAP_LIGHT,
	BLE_CAP_MOVING,
	BLE_CAP_PLUGGED,
	BLE_CAP_PROBLEM,
	BLE_CAP_RUNNING,
	BLE_CAP_SAFE,
	BLE_CAP_SOUND,
	BLE_CAP_DIMMER,		/* INT steps, left is negative */
	BLE_CAP_ROTATION,	/* REAL degrees */
	BLE_CAP_DISTANCE,	/* REAL m */
	BLE_CAP_DURATION,	/* REAL s */
	BLE_CAP_SPEED,		/* REAL m/s */
	BLE_CAP_UV_INDEX,	/* REAL */
	BLE_CAP_VOLUME,		/* REAL l */
	BLE_CAP_GAS_VOLUME,	/* REAL m3 */
	BLE_CAP_WATER,		/* REAL l */
	BLE_CAP_TIMESTAMP,	/* INT s since 1970 */
	BLE_CAP_ACCELERATION,	/* REAL m/s2 */
	BLE_CAP_GYROSCOPE,	/* REAL degrees/s */
	BLE_CAP_TEXT,		/* TEXT */
	BLE_CAP_RAW,		/* BYTES */
	BLE_CAP_VOLUME_STORAGE, /* REAL l */
	BLE_CAP_CONDUCTIVITY,	/* REAL uS/cm */
	BLE_CAP_DIRECTION,	/* REAL degrees */
	BLE_CAP_PRECIPITATION,	/* REAL mm */
	BLE_CAP_CHANNEL,	/* INT */
	BLE_CAP_REVOLUTIONS,	/* REAL 1/min */
	BLE_CAP_LIGHT_LEVEL,	/* INT */
	BLE_CAP_DEVICE_TYPE,	/* INT */
	BLE_CAP_FIRMWARE,	/* INT, the bytes of the version, highest first */
	BLE_CAP_TX_POWER,	/* INT dBm */
	BLE_CAP_MOVEMENTS,	/* INT */
	BLE_CAP_SEQUENCE,	/* INT */
	BLE_CAP_FORMALDEHYDE,	/* REAL mg/m3 */
	BLE_CAP_CONSUMABLE,	/* REAL % */
	BLE_CAP_IDLE_SECONDS,	/* INT s without motion */
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
