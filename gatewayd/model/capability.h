#pragma once
/* capability - the one table of what devices can do: Matter's names, types, units, ranges, data
 * class, risk.
 *
 *   above   everything that names a capability
 *   below   base/base  base/text  model/value
 *   owns    the constant table
 *   limits  CAPABILITY_NAME_MAX
 *   errors  those of model/value
 *
 * A new capability is a new row. Ids are the project's own u16 and never change meaning; 0x8000 up
 * is vendor space (typed by the adapter's descriptor; class personal, risk high until known,
 * because unknown).
 */
#include "base/base.h"
#include "model/value.h"

enum { CAPABILITY_NAME_MAX = 32, CAPABILITY_VENDOR_FIRST = 0x8000 };

enum data_class { CLASS_PUBLIC, CLASS_ORDINARY, CLASS_PERSONAL, CLASS_SENSITIVE, CLASSES };
enum risk { RISK_LOW, RISK_RAISED, RISK_HIGH }; /* lamp, plug/thermostat, lock/alarm/valve/garage */
enum capability_access {
	ACCESS_READ = 1u,
	ACCESS_WRITE = 2u,
	ACCESS_REPORT = 4u,
	ACCESS_SECURE = 8u
};
enum unit {
	UNIT_NONE,
	UNIT_PERCENT,
	UNIT_CELSIUS,
	UNIT_HECTOPASCAL,
	UNIT_LUX,
	UNIT_WATT,
	UNIT_KILOWATT_HOUR,
	UNIT_VOLT,
	UNIT_AMPERE,
	UNIT_HERTZ,
	UNIT_MIRED,
	UNIT_DEGREE,
	UNIT_PPM,
	UNIT_MICROGRAM_M3,
	UNIT_SECOND,
	UNIT_DBM,
	UNIT_LQI,
	UNIT_LITRE_MINUTE,
	UNIT_LITRE,
	UNIT_CUBIC_METRE,
	UNIT_KILOGRAM,
	UNIT_METRE,
	UNIT_METRE_SECOND,
	UNIT_METRE_SECOND2,
	UNIT_DEGREE_SECOND,
	UNIT_MICROSIEMENS_CM,
	UNIT_MILLIMETRE,
	UNIT_PER_MINUTE,
	UNITS
};

struct capability {
	uint16_t id;
	const char *name; /* kebab-case, what people and the cloud see: "on-off", "temperature" */
	const char *cluster;   /* Matter cluster name, "" when Matter has none */
	uint32_t cluster_id;   /* 0 none */
	const char *attribute; /* Matter attribute name */
	uint32_t attribute_id;
	enum value_type type;
	enum unit unit;
	uint8_t access;	       /* enum capability_access, the widest possible */
	double min, max, step; /* INT and REAL, in unit; step 0: any */
	const char *choices;   /* TEXT that is an enumeration: "locked|unlocked|jammed"; NULL: free
				  text */
	enum data_class data_class;
	enum risk risk;
};

/* The rows' ids, in table order. */
enum {
	CAP_ON_OFF = 1,
	CAP_LEVEL,
	CAP_COLOR_TEMPERATURE,
	CAP_COLOR_HUE,
	CAP_COLOR_SATURATION,
	CAP_COVER_POSITION,
	CAP_COVER_TILT,
	CAP_COVER_MOVE,
	CAP_LOCK_STATE,
	CAP_DOOR_STATE,
	CAP_TARGET_TEMPERATURE,
	CAP_THERMOSTAT_MODE,
	CAP_FAN_MODE,
	CAP_FAN_PERCENT,
	CAP_VALVE,
	CAP_SIREN,
	CAP_ALARM_MODE,
	CAP_TARGET_COOLING,
	CAP_OUTPUT,
	CAP_ANALOG_OUTPUT,
	CAP_STATE_OUTPUT,
	CAP_TEMPERATURE = 64,
	CAP_HUMIDITY,
	CAP_PRESSURE,
	CAP_ILLUMINANCE,
	CAP_OCCUPANCY,
	CAP_CONTACT,
	CAP_WATER_LEAK,
	CAP_SMOKE,
	CAP_CARBON_MONOXIDE,
	CAP_GAS,
	CAP_VIBRATION,
	CAP_TAMPER,
	CAP_CO2,
	CAP_PM25,
	CAP_VOC,
	CAP_FLOW,
	CAP_SOIL_MOISTURE,
	CAP_BUTTON,
	CAP_ZONE_ALARM,
	CAP_INPUT,
	CAP_ANALOG_INPUT,
	CAP_STATE_INPUT,
	CAP_PM10,
	CAP_FORMALDEHYDE,
	CAP_UV_INDEX,
	CAP_WATER,
	CAP_GAS_VOLUME,
	CAP_POWER = 128,
	CAP_ENERGY,
	CAP_VOLTAGE,
	CAP_CURRENT,
	CAP_FREQUENCY,
	CAP_POWER_FACTOR,
	CAP_BATTERY = 160,
	CAP_BATTERY_LOW,
	CAP_LINK_QUALITY,
	CAP_RSSI,
	CAP_UPTIME,
	CAP_DEVICE_TEMPERATURE,
	CAP_MASS = 192,
	CAP_DEW_POINT,
	CAP_COUNT,
	CAP_GENERIC_STATE,
	CAP_CHARGING,
	CAP_COLD,
	CAP_CONNECTED,
	CAP_HOT,
	CAP_LIGHT,
	CAP_MOVING,
	CAP_PLUGGED,
	CAP_PROBLEM,
	CAP_RUNNING,
	CAP_SAFE,
	CAP_SOUND,
	CAP_DIMMER,
	CAP_ROTATION,
	CAP_DISTANCE,
	CAP_DURATION,
	CAP_SPEED,
	CAP_VOLUME,
	CAP_TIMESTAMP,
	CAP_ACCELERATION,
	CAP_GYROSCOPE,
	CAP_TEXT,
	CAP_RAW,
	CAP_VOLUME_STORED,
	CAP_CONDUCTIVITY,
	CAP_DIRECTION,
	CAP_PRECIPITATION,
	CAP_CHANNEL,
	CAP_REVOLUTIONS,
	CAP_LIGHT_LEVEL,
	CAP_TX_POWER,
	CAP_MOVEMENTS,
	CAP_SEQUENCE,
	CAP_CONSUMABLE,
	CAP_IDLE_SECONDS,
};

const struct capability *capability_find(uint16_t id); /* NULL: unknown or vendor */
const struct capability *capability_find_name(const char *name);
const struct capability *capability_at(size_t i); /* NULL past the end: for listing and tests */
const char *unit_name(enum unit unit);		  /* "°C", "" for none */
const char *data_class_name(enum data_class c);
must_check int data_class_parse(const char *text, enum data_class *ret); /* VALUE_E_SYNTAX */
const char *risk_name(enum risk risk);

/* What an adapter announced for one device: the narrowed range; the row says the rest. */
struct capability_desc {
	uint16_t id;
	uint8_t type;	/* enum value_type */
	uint8_t access; /* enum capability_access */
	uint32_t unit;
	int64_t min, max, step; /* INT as is; REAL in thousandths; all 0: the row's own */
};
/* A descriptor that contradicts its row (type, wider access, wider range) is VALUE_E_TYPE /
 * VALUE_E_RANGE. */
must_check int capability_desc_check(const struct capability_desc *desc);
/* Is value fit for desc (type, range, choices)? INT is taken where REAL is wanted (ret_value holds
 * the converted). */
must_check int capability_value_check(const struct capability_desc *desc, const struct value *value,
				      struct value *ret_value);
enum data_class capability_class(uint16_t id);
enum risk capability_risk(uint16_t id);
/* "vendor-8001" for vendor space. */
void capability_name(uint16_t id, char ret[CAPABILITY_NAME_MAX]);
must_check int capability_id_of(const char *name, uint16_t *ret);
