/* What devices can do, in one table. Names, types and ids follow Matter's clusters and attributes
 * where they exist; units and ranges are those people read (percent, degrees Celsius), so a bridge
 * to Matter converts and nobody else has to. Cover and valve positions count what is open: 100 is
 * fully open.
 *
 * Risk follows what happens when a stranger sets it or hides it: a lamp is low, whatever runs or
 * heats unattended is raised, whatever lets in people, water or silence is high. Data class follows
 * what a reading tells about people.
 */
#include "model/capability.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"

enum {
	R = ACCESS_READ | ACCESS_REPORT,
	RW = ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT,
	RWS = ACCESS_READ | ACCESS_WRITE | ACCESS_REPORT | ACCESS_SECURE,
};

#define NO_CLUSTER "", 0, "", 0
#define NO_RANGE   0, 0, 0

#define BOOLEAN(id, name, matter, access, cls, risk)                                       \
	{                                                                                  \
		id, name, matter, VALUE_BOOL, UNIT_NONE, access, NO_RANGE, NULL, cls, risk \
	}
#define WORD(id, name, matter, access, choices, cls, risk)                                    \
	{                                                                                     \
		id, name, matter, VALUE_TEXT, UNIT_NONE, access, NO_RANGE, choices, cls, risk \
	}
#define INTEGER(id, name, matter, unit, access, min, max, cls, risk)                    \
	{                                                                               \
		id, name, matter, VALUE_INT, unit, access, min, max, 1, NULL, cls, risk \
	}
#define REALS(id, name, matter, unit, access, min, max, cls, risk)                       \
	{                                                                                \
		id, name, matter, VALUE_REAL, unit, access, min, max, 0, NULL, cls, risk \
	}
#define OCTETS(id, name, access, cls, risk)                                                          \
	{                                                                                            \
		id, name, NO_CLUSTER, VALUE_BYTES, UNIT_NONE, access, NO_RANGE, NULL, cls, risk \
	}
#define MATTER(cluster, cluster_id, attribute, attribute_id) \
	cluster, cluster_id, attribute, attribute_id

static const struct capability rows[] = {
	BOOLEAN(CAP_ON_OFF, "on-off", MATTER("OnOff", 0x0006, "OnOff", 0x0000), RW, CLASS_ORDINARY,
		RISK_LOW),
	INTEGER(CAP_LEVEL, "level", MATTER("LevelControl", 0x0008, "CurrentLevel", 0x0000),
		UNIT_PERCENT, RW, 0, 100, CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_COLOR_TEMPERATURE, "color-temperature",
		MATTER("ColorControl", 0x0300, "ColorTemperatureMireds", 0x0007), UNIT_MIRED, RW, 1,
		1000, CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_COLOR_HUE, "color-hue", MATTER("ColorControl", 0x0300, "CurrentHue", 0x0000),
		UNIT_DEGREE, RW, 0, 360, CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_COLOR_SATURATION, "color-saturation",
		MATTER("ColorControl", 0x0300, "CurrentSaturation", 0x0001), UNIT_PERCENT, RW, 0,
		100, CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_COVER_POSITION, "cover-position",
		MATTER("WindowCovering", 0x0102, "CurrentPositionLiftPercentage", 0x0008),
		UNIT_PERCENT, RW, 0, 100, CLASS_PERSONAL, RISK_RAISED),
	INTEGER(CAP_COVER_TILT, "cover-tilt",
		MATTER("WindowCovering", 0x0102, "CurrentPositionTiltPercentage", 0x0009),
		UNIT_PERCENT, RW, 0, 100, CLASS_ORDINARY, RISK_LOW),
	WORD(CAP_COVER_MOVE, "cover-move",
	     MATTER("WindowCovering", 0x0102, "OperationalStatus", 0x000A), RW, "open|close|stop",
	     CLASS_PERSONAL, RISK_RAISED),
	WORD(CAP_LOCK_STATE, "lock-state", MATTER("DoorLock", 0x0101, "LockState", 0x0000), RWS,
	     "locked|unlocked|jammed", CLASS_SENSITIVE, RISK_HIGH),
	WORD(CAP_DOOR_STATE, "door-state", MATTER("DoorLock", 0x0101, "DoorState", 0x0003), RWS,
	     "open|closed|opening|closing|ajar|jammed|forced-open", CLASS_SENSITIVE, RISK_HIGH),
	REALS(CAP_TARGET_TEMPERATURE, "target-temperature",
	      MATTER("Thermostat", 0x0201, "OccupiedHeatingSetpoint", 0x0012), UNIT_CELSIUS, RW, 0,
	      50, CLASS_ORDINARY, RISK_RAISED),
	WORD(CAP_THERMOSTAT_MODE, "thermostat-mode",
	     MATTER("Thermostat", 0x0201, "SystemMode", 0x001C), RW,
	     "off|auto|cool|heat|emergency-heat|precooling|fan-only|dry|sleep", CLASS_ORDINARY,
	     RISK_RAISED),
	WORD(CAP_FAN_MODE, "fan-mode", MATTER("FanControl", 0x0202, "FanMode", 0x0000), RW,
	     "off|low|medium|high|on|auto|smart", CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_FAN_PERCENT, "fan-percent",
		MATTER("FanControl", 0x0202, "PercentSetting", 0x0002), UNIT_PERCENT, RW, 0, 100,
		CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_VALVE, "valve",
		MATTER("ValveConfigurationAndControl", 0x0081, "CurrentState", 0x0004), RWS,
		CLASS_ORDINARY, RISK_HIGH),
	BOOLEAN(CAP_SIREN, "siren", NO_CLUSTER, RWS, CLASS_PERSONAL, RISK_HIGH),
	WORD(CAP_ALARM_MODE, "alarm-mode", NO_CLUSTER, RWS,
	     "disarmed|armed-home|armed-away|armed-night|triggered", CLASS_SENSITIVE, RISK_HIGH),
	REALS(CAP_TARGET_COOLING, "target-cooling",
	      MATTER("Thermostat", 0x0201, "OccupiedCoolingSetpoint", 0x0011), UNIT_CELSIUS, RW, 0,
	      50, CLASS_ORDINARY, RISK_RAISED),
	BOOLEAN(CAP_OUTPUT, "output", NO_CLUSTER, RW, CLASS_ORDINARY, RISK_RAISED),
	REALS(CAP_ANALOG_OUTPUT, "analog-output", NO_CLUSTER, UNIT_NONE, RW, -1e9, 1e9,
	      CLASS_ORDINARY, RISK_RAISED),
	INTEGER(CAP_STATE_OUTPUT, "state-output", NO_CLUSTER, UNIT_NONE, RW, 0, 65535,
		CLASS_ORDINARY, RISK_RAISED),

	REALS(CAP_TEMPERATURE, "temperature",
	      MATTER("TemperatureMeasurement", 0x0402, "MeasuredValue", 0x0000), UNIT_CELSIUS, R,
	      -273.15, 327.67, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_HUMIDITY, "humidity",
	      MATTER("RelativeHumidityMeasurement", 0x0405, "MeasuredValue", 0x0000), UNIT_PERCENT,
	      R, 0, 100, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_PRESSURE, "pressure",
	      MATTER("PressureMeasurement", 0x0403, "MeasuredValue", 0x0000), UNIT_HECTOPASCAL, R,
	      0, 32767, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_ILLUMINANCE, "illuminance",
	      MATTER("IlluminanceMeasurement", 0x0400, "MeasuredValue", 0x0000), UNIT_LUX, R, 0,
	      3576000, CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_OCCUPANCY, "occupancy", MATTER("OccupancySensing", 0x0406, "Occupancy", 0x0000),
		R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_CONTACT, "contact", MATTER("BooleanState", 0x0045, "StateValue", 0x0000), R,
		CLASS_PERSONAL, RISK_RAISED),
	BOOLEAN(CAP_WATER_LEAK, "water-leak", MATTER("BooleanState", 0x0045, "StateValue", 0x0000),
		R, CLASS_ORDINARY, RISK_HIGH),
	BOOLEAN(CAP_SMOKE, "smoke", MATTER("SmokeCOAlarm", 0x005C, "SmokeState", 0x0001), R,
		CLASS_ORDINARY, RISK_HIGH),
	BOOLEAN(CAP_CARBON_MONOXIDE, "carbon-monoxide",
		MATTER("SmokeCOAlarm", 0x005C, "COState", 0x0002), R, CLASS_ORDINARY, RISK_HIGH),
	BOOLEAN(CAP_GAS, "gas", NO_CLUSTER, R, CLASS_ORDINARY, RISK_HIGH),
	BOOLEAN(CAP_VIBRATION, "vibration", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_TAMPER, "tamper", NO_CLUSTER, R, CLASS_SENSITIVE, RISK_HIGH),
	REALS(CAP_CO2, "co2",
	      MATTER("CarbonDioxideConcentrationMeasurement", 0x040D, "MeasuredValue", 0x0000),
	      UNIT_PPM, R, 0, 1000000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_PM25, "pm25",
	      MATTER("PM2.5ConcentrationMeasurement", 0x042A, "MeasuredValue", 0x0000),
	      UNIT_MICROGRAM_M3, R, 0, 1000000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_VOC, "voc",
	      MATTER("TotalVolatileOrganicCompoundsConcentrationMeasurement", 0x042E,
		     "MeasuredValue", 0x0000),
	      UNIT_MICROGRAM_M3, R, 0, 1000000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_FLOW, "flow", MATTER("FlowMeasurement", 0x0404, "MeasuredValue", 0x0000),
	      UNIT_LITRE_MINUTE, R, 0, 110000, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_SOIL_MOISTURE, "soil-moisture", NO_CLUSTER, UNIT_PERCENT, R, 0, 100,
	      CLASS_ORDINARY, RISK_LOW),
	WORD(CAP_BUTTON, "button", MATTER("Switch", 0x003B, "CurrentPosition", 0x0001), R, NULL,
	     CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_ZONE_ALARM, "zone-alarm", NO_CLUSTER, R, CLASS_PERSONAL, RISK_HIGH),
	BOOLEAN(CAP_INPUT, "input", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_ANALOG_INPUT, "analog-input", NO_CLUSTER, UNIT_NONE, R, -1e9, 1e9, CLASS_PERSONAL,
	      RISK_LOW),
	INTEGER(CAP_STATE_INPUT, "state-input", NO_CLUSTER, UNIT_NONE, R, 0, 65535, CLASS_PERSONAL,
		RISK_LOW),
	REALS(CAP_PM10, "pm10",
	      MATTER("PM10ConcentrationMeasurement", 0x042D, "MeasuredValue", 0x0000),
	      UNIT_MICROGRAM_M3, R, 0, 1000000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_FORMALDEHYDE, "formaldehyde",
	      MATTER("FormaldehydeConcentrationMeasurement", 0x042B, "MeasuredValue", 0x0000),
	      UNIT_MICROGRAM_M3, R, 0, 1000000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_UV_INDEX, "uv-index", NO_CLUSTER, UNIT_NONE, R, 0, 100, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_WATER, "water", NO_CLUSTER, UNIT_LITRE, R, 0, 1e12, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_GAS_VOLUME, "gas-volume", NO_CLUSTER, UNIT_CUBIC_METRE, R, 0, 1e9, CLASS_PERSONAL,
	      RISK_LOW),

	REALS(CAP_POWER, "power",
	      MATTER("ElectricalPowerMeasurement", 0x0090, "ActivePower", 0x0008), UNIT_WATT, R,
	      -1000000, 1000000, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_ENERGY, "energy",
	      MATTER("ElectricalEnergyMeasurement", 0x0091, "CumulativeEnergyImported", 0x0001),
	      UNIT_KILOWATT_HOUR, R, 0, 1000000000, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_VOLTAGE, "voltage",
	      MATTER("ElectricalPowerMeasurement", 0x0090, "RMSVoltage", 0x000B), UNIT_VOLT, R, 0,
	      100000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_CURRENT, "current",
	      MATTER("ElectricalPowerMeasurement", 0x0090, "RMSCurrent", 0x000C), UNIT_AMPERE, R,
	      -10000, 10000, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_FREQUENCY, "frequency",
	      MATTER("ElectricalPowerMeasurement", 0x0090, "Frequency", 0x000E), UNIT_HERTZ, R, 0,
	      1000, CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_POWER_FACTOR, "power-factor",
	      MATTER("ElectricalPowerMeasurement", 0x0090, "PowerFactor", 0x0011), UNIT_NONE, R, -1,
	      1, CLASS_ORDINARY, RISK_LOW),

	REALS(CAP_BATTERY, "battery", MATTER("PowerSource", 0x002F, "BatPercentRemaining", 0x000C),
	      UNIT_PERCENT, R, 0, 100, CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_BATTERY_LOW, "battery-low",
		MATTER("PowerSource", 0x002F, "BatChargeLevel", 0x000E), R, CLASS_ORDINARY,
		RISK_LOW),
	INTEGER(CAP_LINK_QUALITY, "link-quality", NO_CLUSTER, UNIT_LQI, R, 0, 255, CLASS_PUBLIC,
		RISK_LOW),
	INTEGER(CAP_RSSI, "rssi", MATTER("WiFiNetworkDiagnostics", 0x0036, "RSSI", 0x0004),
		UNIT_DBM, R, -150, 30, CLASS_PUBLIC, RISK_LOW),
	INTEGER(CAP_UPTIME, "uptime", MATTER("GeneralDiagnostics", 0x0033, "UpTime", 0x0002),
		UNIT_SECOND, R, 0, 4294967295.0, CLASS_PUBLIC, RISK_LOW),
	REALS(CAP_DEVICE_TEMPERATURE, "device-temperature", NO_CLUSTER, UNIT_CELSIUS, R, -273.15,
	      327.67, CLASS_PUBLIC, RISK_LOW),

	/* What sensors of every kind say, most of them over Bluetooth. */
	REALS(CAP_MASS, "mass", NO_CLUSTER, UNIT_KILOGRAM, R, 0, 1e+06, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_DEW_POINT, "dew-point", NO_CLUSTER, UNIT_CELSIUS, R, -273.15, 1000,
	      CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_COUNT, "count", NO_CLUSTER, UNIT_NONE, R, -9e+15, 9e+15, CLASS_PERSONAL,
		RISK_LOW),
	BOOLEAN(CAP_GENERIC_STATE, "generic-state", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_CHARGING, "charging", NO_CLUSTER, R, CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_COLD, "cold", NO_CLUSTER, R, CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_CONNECTED, "connected", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_HOT, "hot", NO_CLUSTER, R, CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_LIGHT, "light", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_MOVING, "moving", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_PLUGGED, "plugged", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_PROBLEM, "problem", NO_CLUSTER, R, CLASS_ORDINARY, RISK_LOW),
	BOOLEAN(CAP_RUNNING, "running", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_SAFE, "safe", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	BOOLEAN(CAP_SOUND, "sound", NO_CLUSTER, R, CLASS_PERSONAL, RISK_LOW),
	INTEGER(CAP_DIMMER, "dimmer", NO_CLUSTER, UNIT_NONE, R, -65536, 65536, CLASS_PERSONAL,
		RISK_LOW),
	REALS(CAP_ROTATION, "rotation", NO_CLUSTER, UNIT_DEGREE, R, -1e+06, 1e+06,
	      CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_DISTANCE, "distance", NO_CLUSTER, UNIT_METRE, R, 0, 1e+09, CLASS_PERSONAL,
	      RISK_LOW),
	REALS(CAP_DURATION, "duration", NO_CLUSTER, UNIT_SECOND, R, 0, 1e+12, CLASS_PERSONAL,
	      RISK_LOW),
	REALS(CAP_SPEED, "speed", NO_CLUSTER, UNIT_METRE_SECOND, R, -1e+06, 1e+06, CLASS_ORDINARY,
	      RISK_LOW),
	REALS(CAP_VOLUME, "volume", NO_CLUSTER, UNIT_LITRE, R, 0, 1e+12, CLASS_PERSONAL,
	      RISK_LOW),
	INTEGER(CAP_TIMESTAMP, "timestamp", NO_CLUSTER, UNIT_NONE, R, 0, 4294967295.0,
		CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_ACCELERATION, "acceleration", NO_CLUSTER, UNIT_METRE_SECOND2, R, -1e+06, 1e+06,
	      CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_GYROSCOPE, "gyroscope", NO_CLUSTER, UNIT_DEGREE_SECOND, R, -1e+06, 1e+06,
	      CLASS_PERSONAL, RISK_LOW),
	WORD(CAP_TEXT, "text", NO_CLUSTER, R, NULL, CLASS_PERSONAL, RISK_LOW),
	OCTETS(CAP_RAW, "raw", R, CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_VOLUME_STORED, "volume-stored", NO_CLUSTER, UNIT_LITRE, R, 0, 1e+12,
	      CLASS_PERSONAL, RISK_LOW),
	REALS(CAP_CONDUCTIVITY, "conductivity", NO_CLUSTER, UNIT_MICROSIEMENS_CM, R, 0, 1e+06,
	      CLASS_ORDINARY, RISK_LOW),
	REALS(CAP_DIRECTION, "direction", NO_CLUSTER, UNIT_DEGREE, R, 0, 1000, CLASS_ORDINARY,
	      RISK_LOW),
	REALS(CAP_PRECIPITATION, "precipitation", NO_CLUSTER, UNIT_MILLIMETRE, R, 0, 1e+06,
	      CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_CHANNEL, "channel", NO_CLUSTER, UNIT_NONE, R, 0, 65535, CLASS_PERSONAL,
		RISK_LOW),
	REALS(CAP_REVOLUTIONS, "revolutions", NO_CLUSTER, UNIT_PER_MINUTE, R, 0, 1e+09,
	      CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_LIGHT_LEVEL, "light-level", NO_CLUSTER, UNIT_NONE, R, 0, 65535,
		CLASS_ORDINARY, RISK_LOW),
	INTEGER(CAP_TX_POWER, "tx-power", NO_CLUSTER, UNIT_DBM, R, -150, 150, CLASS_PUBLIC,
		RISK_LOW),
	INTEGER(CAP_MOVEMENTS, "movements", NO_CLUSTER, UNIT_NONE, R, 0, 4294967295.0,
		CLASS_PERSONAL, RISK_LOW),
	INTEGER(CAP_SEQUENCE, "sequence", NO_CLUSTER, UNIT_NONE, R, 0, 4294967295.0,
		CLASS_PUBLIC, RISK_LOW),
	REALS(CAP_CONSUMABLE, "consumable", NO_CLUSTER, UNIT_PERCENT, R, 0, 1000, CLASS_ORDINARY,
	      RISK_LOW),
	INTEGER(CAP_IDLE_SECONDS, "idle-seconds", NO_CLUSTER, UNIT_SECOND, R, 0, 4294967295.0,
		CLASS_PERSONAL, RISK_LOW),
};

static const char *const unit_names[UNITS] = {
	[UNIT_NONE] = "",
	[UNIT_PERCENT] = "%",
	[UNIT_CELSIUS] = "°C",
	[UNIT_HECTOPASCAL] = "hPa",
	[UNIT_LUX] = "lx",
	[UNIT_WATT] = "W",
	[UNIT_KILOWATT_HOUR] = "kWh",
	[UNIT_VOLT] = "V",
	[UNIT_AMPERE] = "A",
	[UNIT_HERTZ] = "Hz",
	[UNIT_MIRED] = "mired",
	[UNIT_DEGREE] = "°",
	[UNIT_PPM] = "ppm",
	[UNIT_MICROGRAM_M3] = "µg/m³",
	[UNIT_SECOND] = "s",
	[UNIT_DBM] = "dBm",
	[UNIT_LQI] = "lqi",
	[UNIT_LITRE_MINUTE] = "l/min",
	[UNIT_LITRE] = "l",
	[UNIT_CUBIC_METRE] = "m³",
	[UNIT_KILOGRAM] = "kg",
	[UNIT_METRE] = "m",
	[UNIT_METRE_SECOND] = "m/s",
	[UNIT_METRE_SECOND2] = "m/s²",
	[UNIT_DEGREE_SECOND] = "°/s",
	[UNIT_MICROSIEMENS_CM] = "µS/cm",
	[UNIT_MILLIMETRE] = "mm",
	[UNIT_PER_MINUTE] = "1/min",
};
static const char *const data_class_names[CLASSES] = { "public", "ordinary", "personal",
						       "sensitive" };
static const char *const risk_names[] = { "low", "raised", "high" };

/* Ids rise with the table, so that a look-up is a search by halves. */
const struct capability *capability_find(uint16_t id)
{
	size_t low = 0, high = N_ELEMENTS(rows);

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (rows[mid].id == id)
			return &rows[mid];
		if (rows[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct capability *capability_find_name(const char *name)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (text_equal(rows[i].name, name))
			return &rows[i];
	}
	return NULL;
}

const struct capability *capability_at(size_t i)
{
	return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}

const char *unit_name(enum unit unit)
{
	assert(unit < UNITS);
	return unit_names[unit];
}

const char *data_class_name(enum data_class c)
{
	assert(c < CLASSES);
	return data_class_names[c];
}

int data_class_parse(const char *text, enum data_class *ret)
{
	for (size_t i = 0; i < N_ELEMENTS(data_class_names); i++) {
		if (!text_equal(data_class_names[i], text))
			continue;
		*ret = (enum data_class)i;
		return 0;
	}
	return VALUE_E_SYNTAX;
}

const char *risk_name(enum risk risk)
{
	assert(risk <= RISK_HIGH);
	return risk_names[risk];
}

static bool has_range(const struct capability_desc *desc)
{
	return desc->min || desc->max || desc->step;
}

/* A descriptor's number in the capability's unit: REAL ranges travel in thousandths. */
static double in_unit(const struct capability_desc *desc, int64_t v)
{
	return desc->type == VALUE_REAL ? (double)v / 1000.0 : (double)v;
}

static int check_range(const struct capability_desc *desc, const struct capability *row)
{
	if (!has_range(desc))
		return 0;
	if (desc->type != VALUE_INT && desc->type != VALUE_REAL)
		return VALUE_E_RANGE;
	if (desc->min >= desc->max || desc->step < 0)
		return VALUE_E_RANGE;
	if (row && (in_unit(desc, desc->min) < row->min || in_unit(desc, desc->max) > row->max))
		return VALUE_E_RANGE;
	return 0;
}

int capability_desc_check(const struct capability_desc *desc)
{
	const struct capability *row = capability_find(desc->id);

	if (!row && desc->id < CAPABILITY_VENDOR_FIRST)
		return VALUE_E_TYPE;
	if (desc->type == VALUE_NONE || desc->type >= VALUE_TYPES || desc->unit >= UNITS)
		return VALUE_E_TYPE;
	if (row && (desc->type != row->type || (desc->unit && desc->unit != row->unit)))
		return VALUE_E_TYPE;
	if (!desc->access || desc->access > (RWS))
		return VALUE_E_RANGE;
	/* Asking for more care than the row does is no contradiction. */
	if (row && (desc->access & ~(row->access | ACCESS_SECURE)))
		return VALUE_E_RANGE;
	return check_range(desc, row);
}

static bool is_choice(const char *choices, const struct value *value)
{
	for (const char *p = choices; p; p = strchr(p, '|'), p = p ? p + 1 : NULL) {
		size_t len = strcspn(p, "|");

		if (len == value->len && memcmp(p, value->data, len) == 0)
			return true;
	}
	return false;
}

static bool is_in_range(const struct capability_desc *desc, const struct capability *row,
			double number)
{
	if (has_range(desc))
		return number >= in_unit(desc, desc->min) && number <= in_unit(desc, desc->max);
	if (row && (row->min != 0 || row->max != 0))
		return number >= row->min && number <= row->max;
	return true;
}

int capability_value_check(const struct capability_desc *desc, const struct value *value,
			   struct value *ret_value)
{
	const struct capability *row = capability_find(desc->id);
	struct value v = *value;

	if (desc->type == VALUE_REAL && v.type == VALUE_INT)
		v = value_real((double)value->i);
	if (v.type != desc->type)
		return VALUE_E_TYPE;
	if ((v.type == VALUE_INT || v.type == VALUE_REAL) &&
	    !is_in_range(desc, row, value_number(&v)))
		return VALUE_E_RANGE;
	if ((v.type == VALUE_TEXT || v.type == VALUE_BYTES) && v.len > VALUE_LEN_MAX)
		return VALUE_E_RANGE;
	if (v.type == VALUE_TEXT && row && row->choices && !is_choice(row->choices, &v))
		return VALUE_E_RANGE;
	*ret_value = v;
	return 0;
}

enum data_class capability_class(uint16_t id)
{
	const struct capability *row = capability_find(id);

	return row ? row->data_class : CLASS_PERSONAL;
}

enum risk capability_risk(uint16_t id)
{
	const struct capability *row = capability_find(id);

	return row ? row->risk : RISK_HIGH;
}

void capability_name(uint16_t id, char ret[CAPABILITY_NAME_MAX])
{
	const struct capability *row = capability_find(id);

	if (row)
		text_copy(ret, CAPABILITY_NAME_MAX, row->name);
	else
		text_print(ret, CAPABILITY_NAME_MAX,
			   id < CAPABILITY_VENDOR_FIRST ? "unknown-%04x" : "vendor-%04x", id);
}

int capability_id_of(const char *name, uint16_t *ret)
{
	const struct capability *row = capability_find_name(name);
	uint8_t id[2];

	if (row) {
		*ret = row->id;
		return 0;
	}
	if (!name || strncmp(name, "vendor-", 7) ||
	    hex_parse(name + 7, strlen(name + 7), id, sizeof(id)))
		return VALUE_E_SYNTAX;
	if (id[0] < CAPABILITY_VENDOR_FIRST >> 8)
		return VALUE_E_SYNTAX;
	*ret = (uint16_t)(id[0] << 8 | id[1]);
	return 0;
}
