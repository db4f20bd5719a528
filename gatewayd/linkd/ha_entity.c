/* First the things that are made of several capabilities of one endpoint, which use those up; then a row for each that is
 * left. Rows say what Home Assistant's own lists of device classes call it.
 */
#include "linkd/ha_entity.h"

#include <string.h>
#include "base/text.h"
#include "model/capability.h"
#include "model/value.h"

static const struct ha_row rows[] = {
	{ CAP_ON_OFF, HA_SWITCH, "Switch", NULL, NULL, NULL, false, false },
	{ CAP_LEVEL, HA_NUMBER, "Level", NULL, "%", NULL, false, false },
	{ CAP_COLOR_TEMPERATURE, HA_NUMBER, "Color temperature", NULL, "mired", NULL, false, false },
	{ CAP_COLOR_HUE, HA_NUMBER, "Hue", NULL, "°", NULL, false, false },
	{ CAP_COLOR_SATURATION, HA_NUMBER, "Saturation", NULL, "%", NULL, false, false },
	{ CAP_COVER_TILT, HA_NUMBER, "Tilt", NULL, "%", NULL, false, false },
	{ CAP_LOCK_STATE, HA_LOCK, "Lock", NULL, NULL, NULL, false, false },
	{ CAP_DOOR_STATE, HA_SENSOR, "Door", "enum", NULL, NULL, false, false },
	{ CAP_TARGET_TEMPERATURE, HA_NUMBER, "Target temperature", "temperature", "°C", NULL, false, false },
	{ CAP_THERMOSTAT_MODE, HA_SELECT, "Mode", NULL, NULL, NULL, false, false },
	{ CAP_FAN_MODE, HA_SELECT, "Fan mode", NULL, NULL, NULL, false, false },
	{ CAP_FAN_PERCENT, HA_NUMBER, "Fan speed", NULL, "%", NULL, false, false },
	{ CAP_VALVE, HA_VALVE, "Valve", "water", NULL, NULL, false, false },
	{ CAP_SIREN, HA_SWITCH, "Siren", NULL, NULL, NULL, false, false },
	{ CAP_ALARM_MODE, HA_SELECT, "Alarm mode", NULL, NULL, NULL, false, false },
	{ CAP_TARGET_COOLING, HA_NUMBER, "Target temperature, cooling", "temperature", "°C", NULL, false, false },
	{ CAP_OUTPUT, HA_SWITCH, "Output", NULL, NULL, NULL, false, false },
	{ CAP_ANALOG_OUTPUT, HA_NUMBER, "Analog output", NULL, NULL, NULL, false, false },
	{ CAP_STATE_OUTPUT, HA_NUMBER, "State output", NULL, NULL, NULL, false, false },
	{ CAP_TEMPERATURE, HA_SENSOR, "Temperature", "temperature", "°C", "measurement", false, false },
	{ CAP_HUMIDITY, HA_SENSOR, "Humidity", "humidity", "%", "measurement", false, false },
	{ CAP_PRESSURE, HA_SENSOR, "Pressure", "atmospheric_pressure", "hPa", "measurement", false, false },
	{ CAP_ILLUMINANCE, HA_SENSOR, "Illuminance", "illuminance", "lx", "measurement", false, false },
	{ CAP_OCCUPANCY, HA_BINARY, "Occupancy", "occupancy", NULL, NULL, false, false },
	{ CAP_CONTACT, HA_BINARY, "Opening", "opening", NULL, NULL, false, true },
	{ CAP_WATER_LEAK, HA_BINARY, "Water leak", "moisture", NULL, NULL, false, false },
	{ CAP_SMOKE, HA_BINARY, "Smoke", "smoke", NULL, NULL, false, false },
	{ CAP_CARBON_MONOXIDE, HA_BINARY, "Carbon monoxide", "carbon_monoxide", NULL, NULL, false, false },
	{ CAP_GAS, HA_BINARY, "Gas", "gas", NULL, NULL, false, false },
	{ CAP_VIBRATION, HA_BINARY, "Vibration", "vibration", NULL, NULL, false, false },
	{ CAP_TAMPER, HA_BINARY, "Tamper", "tamper", NULL, NULL, false, false },
	{ CAP_CO2, HA_SENSOR, "CO2", "carbon_dioxide", "ppm", "measurement", false, false },
	{ CAP_PM25, HA_SENSOR, "PM2.5", "pm25", "µg/m³", "measurement", false, false },
	{ CAP_VOC, HA_SENSOR, "VOC", "volatile_organic_compounds", "µg/m³", "measurement", false, false },
	{ CAP_FLOW, HA_SENSOR, "Flow", "volume_flow_rate", "L/min", "measurement", false, false },
	{ CAP_SOIL_MOISTURE, HA_SENSOR, "Soil moisture", "moisture", "%", "measurement", false, false },
	{ CAP_BUTTON, HA_SENSOR, "Action", NULL, NULL, NULL, false, false },
	{ CAP_ZONE_ALARM, HA_BINARY, "Alarm", "problem", NULL, NULL, false, false },
	{ CAP_INPUT, HA_BINARY, "Input", NULL, NULL, NULL, false, false },
	{ CAP_ANALOG_INPUT, HA_SENSOR, "Analog input", NULL, NULL, "measurement", false, false },
	{ CAP_STATE_INPUT, HA_SENSOR, "State input", NULL, NULL, NULL, false, false },
	{ CAP_PM10, HA_SENSOR, "PM10", "pm10", "µg/m³", "measurement", false, false },
	{ CAP_FORMALDEHYDE, HA_SENSOR, "Formaldehyde", NULL, "µg/m³", "measurement", false, false },
	{ CAP_UV_INDEX, HA_SENSOR, "UV index", NULL, NULL, "measurement", false, false },
	{ CAP_WATER, HA_SENSOR, "Water", "water", "L", "total_increasing", false, false },
	{ CAP_GAS_VOLUME, HA_SENSOR, "Gas", "gas", "m³", "total_increasing", false, false },
	{ CAP_POWER, HA_SENSOR, "Power", "power", "W", "measurement", false, false },
	{ CAP_ENERGY, HA_SENSOR, "Energy", "energy", "kWh", "total_increasing", false, false },
	{ CAP_VOLTAGE, HA_SENSOR, "Voltage", "voltage", "V", "measurement", false, false },
	{ CAP_CURRENT, HA_SENSOR, "Current", "current", "A", "measurement", false, false },
	{ CAP_FREQUENCY, HA_SENSOR, "Frequency", "frequency", "Hz", "measurement", false, false },
	{ CAP_POWER_FACTOR, HA_SENSOR, "Power factor", "power_factor", NULL, "measurement", false, false },
	{ CAP_BATTERY, HA_SENSOR, "Battery", "battery", "%", "measurement", true, false },
	{ CAP_BATTERY_LOW, HA_BINARY, "Battery low", "battery", NULL, NULL, true, false },
	{ CAP_LINK_QUALITY, HA_SENSOR, "Link quality", NULL, "lqi", "measurement", true, false },
	{ CAP_RSSI, HA_SENSOR, "Signal strength", "signal_strength", "dBm", "measurement", true, false },
	{ CAP_UPTIME, HA_SENSOR, "Uptime", "duration", "s", "total_increasing", true, false },
	{ CAP_DEVICE_TEMPERATURE, HA_SENSOR, "Device temperature", "temperature", "°C", "measurement", true, false },
	{ CAP_MASS, HA_SENSOR, "Mass", "weight", "kg", "measurement", false, false },
	{ CAP_DEW_POINT, HA_SENSOR, "Dew point", "temperature", "°C", "measurement", false, false },
	{ CAP_COUNT, HA_SENSOR, "Count", NULL, NULL, "measurement", false, false },
	{ CAP_GENERIC_STATE, HA_BINARY, "State", NULL, NULL, NULL, false, false },
	{ CAP_CHARGING, HA_BINARY, "Charging", "battery_charging", NULL, NULL, false, false },
	{ CAP_COLD, HA_BINARY, "Cold", "cold", NULL, NULL, false, false },
	{ CAP_CONNECTED, HA_BINARY, "Connected", "connectivity", NULL, NULL, false, false },
	{ CAP_HOT, HA_BINARY, "Heat", "heat", NULL, NULL, false, false },
	{ CAP_LIGHT, HA_BINARY, "Light", "light", NULL, NULL, false, false },
	{ CAP_MOVING, HA_BINARY, "Moving", "moving", NULL, NULL, false, false },
	{ CAP_PLUGGED, HA_BINARY, "Plug", "plug", NULL, NULL, false, false },
	{ CAP_PROBLEM, HA_BINARY, "Problem", "problem", NULL, NULL, false, false },
	{ CAP_RUNNING, HA_BINARY, "Running", "running", NULL, NULL, false, false },
	{ CAP_SAFE, HA_BINARY, "Safety", "safety", NULL, NULL, false, true },
	{ CAP_SOUND, HA_BINARY, "Sound", "sound", NULL, NULL, false, false },
	{ CAP_DIMMER, HA_SENSOR, "Dimmer", NULL, NULL, NULL, false, false },
	{ CAP_ROTATION, HA_SENSOR, "Rotation", NULL, "°", "measurement", false, false },
	{ CAP_DISTANCE, HA_SENSOR, "Distance", "distance", "m", "measurement", false, false },
	{ CAP_DURATION, HA_SENSOR, "Duration", "duration", "s", "measurement", false, false },
	{ CAP_SPEED, HA_SENSOR, "Speed", "speed", "m/s", "measurement", false, false },
	{ CAP_VOLUME, HA_SENSOR, "Volume", "volume", "L", NULL, false, false },
	{ CAP_TIMESTAMP, HA_SENSOR, "Timestamp", NULL, NULL, NULL, false, false },
	{ CAP_ACCELERATION, HA_SENSOR, "Acceleration", NULL, "m/s²", "measurement", false, false },
	{ CAP_GYROSCOPE, HA_SENSOR, "Gyroscope", NULL, "°/s", "measurement", false, false },
	{ CAP_TEXT, HA_SENSOR, "Text", NULL, NULL, NULL, false, false },
	{ CAP_VOLUME_STORED, HA_SENSOR, "Stored volume", "volume_storage", "L", "measurement", false, false },
	{ CAP_CONDUCTIVITY, HA_SENSOR, "Conductivity", "conductivity", "µS/cm", "measurement", false, false },
	{ CAP_DIRECTION, HA_SENSOR, "Direction", NULL, "°", "measurement", false, false },
	{ CAP_PRECIPITATION, HA_SENSOR, "Precipitation", "precipitation", "mm", NULL, false, false },
	{ CAP_CHANNEL, HA_SENSOR, "Channel", NULL, NULL, NULL, true, false },
	{ CAP_REVOLUTIONS, HA_SENSOR, "Revolutions", NULL, "rpm", "measurement", false, false },
	{ CAP_LIGHT_LEVEL, HA_SENSOR, "Light level", NULL, NULL, "measurement", false, false },
	{ CAP_TX_POWER, HA_SENSOR, "Transmission power", "signal_strength", "dBm", NULL, true, false },
	{ CAP_MOVEMENTS, HA_SENSOR, "Movements", NULL, NULL, NULL, false, false },
	{ CAP_SEQUENCE, HA_SENSOR, "Sequence", NULL, NULL, NULL, true, false },
	{ CAP_CONSUMABLE, HA_SENSOR, "Consumable", NULL, "%", "measurement", false, false },
	{ CAP_IDLE_SECONDS, HA_SENSOR, "Idle", "duration", "s", NULL, false, false },
};

/* Made of several: the first capability that is there leads, the others are taken along. */
static const struct {
	enum ha_platform platform;
	const char *object;
	uint16_t needs[2]; /* all of these, writable; 0: nothing */
	uint16_t takes[5];
} composites[] = {
	{ HA_LIGHT, "light", { CAP_ON_OFF, CAP_LEVEL },
	  { CAP_ON_OFF, CAP_LEVEL, CAP_COLOR_TEMPERATURE, CAP_COLOR_HUE, CAP_COLOR_SATURATION } },
	{ HA_LIGHT, "light", { CAP_ON_OFF, CAP_COLOR_TEMPERATURE }, { CAP_ON_OFF, CAP_COLOR_TEMPERATURE } },
	{ HA_COVER, "cover", { CAP_COVER_POSITION, 0 }, { CAP_COVER_POSITION, CAP_COVER_MOVE } },
	{ HA_COVER, "cover", { CAP_COVER_MOVE, 0 }, { CAP_COVER_MOVE } },
	{ HA_CLIMATE, "climate", { CAP_TARGET_TEMPERATURE, 0 }, { CAP_TARGET_TEMPERATURE, CAP_THERMOSTAT_MODE } },
};

const char *ha_platform_name(enum ha_platform platform)
{
	static const char *const names[HA_PLATFORMS] = {
		[HA_SENSOR] = "sensor", [HA_BINARY] = "binary_sensor", [HA_SWITCH] = "switch",	 [HA_NUMBER] = "number",
		[HA_SELECT] = "select", [HA_LIGHT] = "light",	       [HA_LOCK] = "lock",	 [HA_COVER] = "cover",
		[HA_CLIMATE] = "climate", [HA_VALVE] = "valve",
	};
	return names[platform];
}

bool ha_is_writable(const struct capability_desc *cap)
{
	return cap->access & ACCESS_WRITE;
}

static const struct capability_desc *find(const struct endpoint_desc *endpoint, uint16_t cap)
{
	for (uint8_t c = 0; c < endpoint->n_caps; c++)
		if (endpoint->caps[c].id == cap)
			return &endpoint->caps[c];
	return NULL;
}

const struct capability_desc *ha_part(const struct ha_entity *entity, uint16_t cap)
{
	return find(entity->parts, cap);
}

static void set_object(struct ha_entity *entity, const char *name, uint8_t endpoint)
{
	entity->endpoint = endpoint;
	if (endpoint == 1)
		text_copy(entity->object, sizeof(entity->object), name);
	else
		text_print(entity->object, sizeof(entity->object), "%s_%u", name, endpoint);
	for (char *p = entity->object; *p; p++)
		if (*p == '-')
			*p = '_';
}

static bool is_composite(const struct endpoint_desc *endpoint, size_t which)
{
	for (size_t i = 0; i < N_ELEMENTS(composites[which].needs); i++) {
		uint16_t id = composites[which].needs[i];
		const struct capability_desc *cap = id ? find(endpoint, id) : NULL;

		if (id && (!cap || !ha_is_writable(cap)))
			return false;
	}
	return true;
}

static bool is_taken(const uint16_t *taken, size_t n, uint16_t cap)
{
	for (size_t i = 0; i < n; i++)
		if (taken[i] == cap)
			return true;
	return false;
}

/* Bytes and texts that may be written but are no choice have no counterpart. */
static bool choose_platform(struct ha_entity *entity)
{
	const struct capability *row = capability_find(entity->cap->id);
	bool writable = ha_is_writable(entity->cap);

	switch ((enum value_type)entity->cap->type) {
	case VALUE_BOOL:
		entity->platform = !writable ? HA_BINARY : entity->row ? entity->row->platform : HA_SWITCH;
		return true;
	case VALUE_INT:
	case VALUE_REAL:
		entity->platform = !writable ? HA_SENSOR : entity->row ? entity->row->platform : HA_NUMBER;
		return true;
	case VALUE_TEXT:
		entity->platform = writable && row && row->choices && entity->row ? entity->row->platform : HA_SENSOR;
		return true;
	case VALUE_NONE:
	case VALUE_BYTES:
	case VALUE_TYPES:
		break;
	}
	return false;
}

static const struct ha_row *row_of(uint16_t cap)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (rows[i].cap == cap)
			return &rows[i];
	return NULL;
}

static bool is_main(enum ha_platform platform)
{
	return platform >= HA_LIGHT || platform == HA_SWITCH;
}

static size_t add_endpoint(const struct endpoint_desc *endpoint, struct ha_entity *ret, size_t n, size_t max)
{
	uint16_t taken[16] = { 0 };
	size_t n_taken = 0;

	for (size_t i = 0; i < N_ELEMENTS(composites) && n < max; i++) {
		if (!is_composite(endpoint, i) || is_taken(taken, n_taken, composites[i].needs[0]))
			continue;
		ret[n] = (struct ha_entity){ .platform = composites[i].platform, .is_main = true, .parts = endpoint,
					     .cap = find(endpoint, composites[i].needs[0]) };
		set_object(&ret[n++], composites[i].object, endpoint->id);
		for (size_t t = 0; t < N_ELEMENTS(composites[i].takes) && n_taken < N_ELEMENTS(taken); t++)
			taken[n_taken++] = composites[i].takes[t];
	}
	for (uint8_t c = 0; c < endpoint->n_caps && n < max; c++) {
		const struct capability_desc *cap = &endpoint->caps[c];
		struct ha_entity entity = { .parts = endpoint, .cap = cap, .row = row_of(cap->id) };
		char name[CAPABILITY_NAME_MAX];

		if (is_taken(taken, n_taken, cap->id) || !choose_platform(&entity))
			continue;
		capability_name(cap->id, name);
		set_object(&entity, name, endpoint->id);
		entity.is_main = is_main(entity.platform) && cap->id != CAP_SIREN;
		ret[n++] = entity;
	}
	return n;
}

size_t ha_entities(const struct device_desc *desc, struct ha_entity ret[HA_ENTITIES_MAX])
{
	size_t n = 0;
	bool has_main = false;

	for (uint8_t e = 0; e < desc->n_endpoints; e++)
		n = add_endpoint(&desc->endpoints[e], ret, n, HA_ENTITIES_MAX);
	/* One takes the device's name: the first. */
	for (size_t i = 0; i < n; i++) {
		ret[i].is_main = ret[i].is_main && !has_main;
		has_main |= ret[i].is_main;
	}
	return n;
}
