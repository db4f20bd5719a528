/* What is understood of Home Assistant's components. A component may have several faces (a light can be switched, dimmed
 * and given a colour temperature); each becomes a trait when its topic is configured. Names of keys, their defaults and their
 * short forms are those of Home Assistant's MQTT documentation.
 *
 * Not understood: hue and saturation, RGB and XY (one order carries several values there), swing and preset modes, text, number, select,
 * scene, vacuum, camera, image, lawn mower, alarm panel, update, events with a template; sensors of other units.
 */
#include "wifi/hass_faces.h"

#include <string.h>
#include "base/text.h"
#include "model/capability.h"

static const struct trait_word lock_words[] = { { "LOCKED", "locked" }, { "UNLOCKED", "unlocked" }, { "JAMMED", "jammed" }, { NULL, NULL } };
static const struct trait_word move_words[] = { { "OPEN", "open" }, { "CLOSE", "close" }, { "STOP", "stop" }, { NULL, NULL } };
static const struct trait_word mode_words[] = {
	{ "off", "off" },   { "auto", "auto" },         { "heat_cool", "auto" }, { "cool", "cool" },
	{ "heat", "heat" }, { "fan_only", "fan-only" }, { "dry", "dry" },        { NULL, NULL },
};

static const struct face_word on_off_heard[] = { { "ON", "state_on", "payload_on", "ON" }, { "OFF", "state_off", "payload_off", "OFF" }, { 0 } };
static const struct face_word on_off[] = { { "ON", "payload_on", NULL, "ON" }, { "OFF", "payload_off", NULL, "OFF" }, { 0 } };
static const struct face_word lock_heard[] = { { "LOCKED", "state_locked", NULL, "LOCKED" }, { "UNLOCKED", "state_unlocked", NULL, "UNLOCKED" },
					       { "JAMMED", "state_jammed", NULL, "JAMMED" }, { 0 } };
static const struct face_word lock_said[] = { { "LOCKED", "payload_lock", NULL, "LOCK" }, { "UNLOCKED", "payload_unlock", NULL, "UNLOCK" }, { 0 } };
static const struct face_word move_said[] = { { "OPEN", "payload_open", NULL, "OPEN" }, { "CLOSE", "payload_close", NULL, "CLOSE" },
					      { "STOP", "payload_stop", NULL, "STOP" }, { 0 } };
static const struct face_word valve_heard[] = { { "ON", "state_open", NULL, "open" }, { "OFF", "state_closed", NULL, "closed" }, { 0 } };
static const struct face_word valve_said[] = { { "ON", "payload_open", NULL, "OPEN" }, { "OFF", "payload_close", NULL, "CLOSE" }, { 0 } };

#define BINARY(cap_, flags_) { .cap = cap_, .form = TRAIT_BINARY, .flags = flags_, .scale = 1 }
#define NUMBER(cap_, flags_, scale_) { .cap = cap_, .form = TRAIT_NUMBER, .flags = flags_, .scale = scale_ }
#define WORDS(cap_, flags_, words_) { .cap = cap_, .form = TRAIT_WORDS, .flags = flags_, .scale = 1, .words = words_ }
#define SENSOR(class_, unit_, cap_, scale_) \
	{ .component = "sensor", .class = class_, .unit = unit_, .state = "state_topic", .value = "value_template", .row = NUMBER(cap_, 0, scale_) }
#define DETECTOR(class_, cap_, flags_) \
	{ .component = "binary_sensor", .class = class_, .state = "state_topic", .value = "value_template", .heard = on_off, .row = BINARY(cap_, flags_) }

static const struct face faces[] = {
	{ .component = "switch", .state = "state_topic", .value = "value_template", .command = "command_topic", .order = "command_template",
	  .heard = on_off_heard, .said = on_off, .row = BINARY(CAP_ON_OFF, 0) },
	{ .component = "light", .state = "state_topic", .value = "state_value_template", .command = "command_topic", .heard = on_off, .said = on_off,
	  .row = BINARY(CAP_ON_OFF, 0) },
	{ .component = "light", .state = "brightness_state_topic", .value = "brightness_value_template", .command = "brightness_command_topic",
	  .order = "brightness_command_template", .span = "brightness_scale", .span_is = 255, .row = NUMBER(CAP_LEVEL, TRAIT_SPAN | TRAIT_WHOLE, 1) },
	{ .component = "light", .state = "color_temp_state_topic", .value = "color_temp_value_template", .command = "color_temp_command_topic",
	  .order = "color_temp_command_template", .low = "min_mireds", .high = "max_mireds", .row = NUMBER(CAP_COLOR_TEMPERATURE, TRAIT_WHOLE, 1) },
	{ .component = "light/json", .state = "state_topic", .value_is = "{{ value_json.state }}", .command = "command_topic",
	  .order_is = "{\"state\":\"{{ value }}\"}", .row = BINARY(CAP_ON_OFF, 0) },
	{ .component = "light/json", .needs = "brightness", .state = "state_topic", .value_is = "{{ value_json.brightness }}", .command = "command_topic",
	  .order_is = "{\"state\":\"{{ 'ON' if value > 0 else 'OFF' }}\",\"brightness\":{{ value }}}", .span = "brightness_scale", .span_is = 255,
	  .row = NUMBER(CAP_LEVEL, TRAIT_SPAN | TRAIT_WHOLE, 1) },
	{ .component = "light/json", .needs = "~color_temp", .state = "state_topic", .value_is = "{{ value_json.color_temp }}", .command = "command_topic",
	  .order_is = "{\"state\":\"ON\",\"color_temp\":{{ value }}}", .low = "min_mireds", .high = "max_mireds",
	  .row = NUMBER(CAP_COLOR_TEMPERATURE, TRAIT_WHOLE, 1) },
	{ .component = "cover", .state = "position_topic", .value = "position_template", .command = "set_position_topic", .order = "set_position_template",
	  .name = "position", .span = "position_open", .span_is = 100, .row = NUMBER(CAP_COVER_POSITION, TRAIT_SLOW | TRAIT_WHOLE | TRAIT_SPAN, 1) },
	{ .component = "cover", .command = "command_topic", .said = move_said, .row = WORDS(CAP_COVER_MOVE, TRAIT_SLOW, move_words) },
	{ .component = "cover", .state = "tilt_status_topic", .value = "tilt_status_template", .command = "tilt_command_topic",
	  .order = "tilt_command_template", .name = "tilt_position", .row = NUMBER(CAP_COVER_TILT, TRAIT_SLOW | TRAIT_WHOLE, 1) },
	{ .component = "lock", .state = "state_topic", .value = "value_template", .command = "command_topic", .order = "command_template",
	  .heard = lock_heard, .said = lock_said, .row = WORDS(CAP_LOCK_STATE, 0, lock_words) },
	{ .component = "fan", .state = "state_topic", .value = "state_value_template", .command = "command_topic", .order = "command_template",
	  .heard = on_off, .said = on_off, .row = BINARY(CAP_ON_OFF, 0) },
	{ .component = "fan", .state = "percentage_state_topic", .value = "percentage_value_template", .command = "percentage_command_topic",
	  .order = "percentage_command_template", .span = "speed_range_max", .span_is = 100,
	  .row = NUMBER(CAP_FAN_PERCENT, TRAIT_SPAN | TRAIT_WHOLE, 1) },
	{ .component = "climate", .state = "current_temperature_topic", .value = "current_temperature_template", .row = NUMBER(CAP_TEMPERATURE, 0, 1) },
	{ .component = "climate", .state = "temperature_state_topic", .value = "temperature_state_template", .command = "temperature_command_topic",
	  .order = "temperature_command_template", .low = "min_temp", .high = "max_temp", .step = "temp_step", .row = NUMBER(CAP_TARGET_TEMPERATURE, 0, 1) },
	{ .component = "climate", .state = "mode_state_topic", .value = "mode_state_template", .command = "mode_command_topic",
	  .order = "mode_command_template", .row = WORDS(CAP_THERMOSTAT_MODE, 0, mode_words) },
	{ .component = "siren", .state = "state_topic", .value = "state_value_template", .command = "command_topic", .order = "command_template",
	  .heard = on_off_heard, .said = on_off, .row = BINARY(CAP_SIREN, 0) },
	{ .component = "valve", .state = "state_topic", .value = "value_template", .command = "command_topic", .order = "command_template",
	  .heard = valve_heard, .said = valve_said, .row = BINARY(CAP_VALVE, TRAIT_SLOW) },
	{ .component = "event", .state = "state_topic", .value_is = "{{ value_json.event_type }}", .row = { .cap = CAP_BUTTON, .form = TRAIT_EVENT } },
	{ .component = "device_automation", .state = "topic", .row = { .cap = CAP_BUTTON, .form = TRAIT_EVENT } },

	DETECTOR("door", CAP_CONTACT, TRAIT_INVERT),
	DETECTOR("window", CAP_CONTACT, TRAIT_INVERT),
	DETECTOR("opening", CAP_CONTACT, TRAIT_INVERT),
	DETECTOR("garage_door", CAP_CONTACT, TRAIT_INVERT),
	DETECTOR("motion", CAP_OCCUPANCY, 0),
	DETECTOR("occupancy", CAP_OCCUPANCY, 0),
	DETECTOR("presence", CAP_OCCUPANCY, 0),
	DETECTOR("moisture", CAP_WATER_LEAK, 0),
	DETECTOR("smoke", CAP_SMOKE, 0),
	DETECTOR("carbon_monoxide", CAP_CARBON_MONOXIDE, 0),
	DETECTOR("gas", CAP_GAS, 0),
	DETECTOR("vibration", CAP_VIBRATION, 0),
	DETECTOR("tamper", CAP_TAMPER, 0),
	DETECTOR("battery", CAP_BATTERY_LOW, 0),

	SENSOR("temperature", "°C", CAP_TEMPERATURE, 1),
	SENSOR("humidity", "%", CAP_HUMIDITY, 1),
	SENSOR("pressure", "hPa", CAP_PRESSURE, 1),
	SENSOR("pressure", "mbar", CAP_PRESSURE, 1),
	SENSOR("pressure", "kPa", CAP_PRESSURE, 10),
	SENSOR("pressure", "Pa", CAP_PRESSURE, 0.01),
	SENSOR("atmospheric_pressure", "hPa", CAP_PRESSURE, 1),
	SENSOR("illuminance", "lx", CAP_ILLUMINANCE, 1),
	SENSOR("carbon_dioxide", "ppm", CAP_CO2, 1),
	SENSOR("pm25", "µg/m³", CAP_PM25, 1),
	SENSOR("volatile_organic_compounds", "µg/m³", CAP_VOC, 1),
	SENSOR("moisture", "%", CAP_SOIL_MOISTURE, 1),
	SENSOR("power", "W", CAP_POWER, 1),
	SENSOR("power", "kW", CAP_POWER, 1000),
	SENSOR("energy", "kWh", CAP_ENERGY, 1),
	SENSOR("energy", "Wh", CAP_ENERGY, 0.001),
	SENSOR("voltage", "V", CAP_VOLTAGE, 1),
	SENSOR("voltage", "mV", CAP_VOLTAGE, 0.001),
	SENSOR("current", "A", CAP_CURRENT, 1),
	SENSOR("current", "mA", CAP_CURRENT, 0.001),
	SENSOR("frequency", "Hz", CAP_FREQUENCY, 1),
	SENSOR("power_factor", "%", CAP_POWER_FACTOR, 0.01),
	SENSOR("power_factor", NULL, CAP_POWER_FACTOR, 1),
	SENSOR("battery", "%", CAP_BATTERY, 1),
	SENSOR("signal_strength", "dBm", CAP_RSSI, 1),
	SENSOR(NULL, "lqi", CAP_LINK_QUALITY, 1),
};

const struct face *hass_face(const char *component, size_t i)
{
	for (size_t k = 0; k < N_ELEMENTS(faces); k++) {
		if (text_equal(faces[k].component, component) && i-- == 0)
			return &faces[k];
	}
	return NULL;
}

static const struct {
	const char *key, *abbreviation;
} abbreviations[] = {
	{ "availability", "avty" },                       { "availability_mode", "avty_mode" },
	{ "availability_template", "avty_tpl" },          { "availability_topic", "avty_t" },
	{ "brightness_command_template", "bri_cmd_tpl" }, { "brightness_command_topic", "bri_cmd_t" },
	{ "brightness_scale", "bri_scl" },                { "brightness_state_topic", "bri_stat_t" },
	{ "brightness_value_template", "bri_val_tpl" },   { "color_temp_command_template", "clr_temp_cmd_tpl" },
	{ "color_temp_command_topic", "clr_temp_cmd_t" }, { "color_temp_state_topic", "clr_temp_stat_t" },
	{ "color_temp_value_template", "clr_temp_val_tpl" }, { "command_template", "cmd_tpl" },
	{ "command_topic", "cmd_t" },                     { "components", "cmps" },
	{ "connections", "cns" },                         { "current_temperature_template", "curr_temp_tpl" },
	{ "current_temperature_topic", "curr_temp_t" },   { "device", "dev" },
	{ "device_class", "dev_cla" },                    { "identifiers", "ids" },
	{ "manufacturer", "mf" },                         { "max_mireds", "max_mirs" },
	{ "min_mireds", "min_mirs" },                     { "mode_command_template", "mode_cmd_tpl" },
	{ "mode_command_topic", "mode_cmd_t" },           { "mode_state_template", "mode_stat_tpl" },
	{ "mode_state_topic", "mode_stat_t" },            { "model", "mdl" },
	{ "object_id", "obj_id" },                        { "origin", "o" },
	{ "payload_available", "pl_avail" },              { "payload_close", "pl_cls" },
	{ "payload_lock", "pl_lock" },                    { "payload_not_available", "pl_not_avail" },
	{ "payload_off", "pl_off" },                      { "payload_on", "pl_on" },
	{ "payload_open", "pl_open" },                    { "payload_stop", "pl_stop" },
	{ "payload_unlock", "pl_unlk" },                  { "percentage_command_template", "pct_cmd_tpl" },
	{ "percentage_command_topic", "pct_cmd_t" },      { "percentage_state_topic", "pct_stat_t" },
	{ "percentage_value_template", "pct_val_tpl" },   { "platform", "p" },
	{ "position_open", "pos_open" },                  { "position_closed", "pos_clsd" },
	{ "position_template", "pos_tpl" },               { "position_topic", "pos_t" },
	{ "set_position_template", "set_pos_tpl" },       { "set_position_topic", "set_pos_t" },
	{ "speed_range_max", "spd_rng_max" },             { "speed_range_min", "spd_rng_min" },
	{ "state_closed", "stat_clsd" },                  { "state_jammed", "stat_jam" },
	{ "state_locked", "stat_locked" },                { "state_off", "stat_off" },
	{ "state_on", "stat_on" },                        { "state_open", "stat_open" },
	{ "state_topic", "stat_t" },                      { "state_unlocked", "stat_unlocked" },
	{ "state_value_template", "stat_val_tpl" },       { "supported_color_modes", "sup_clrm" },
	{ "sw_version", "sw" },                           { "temperature_command_template", "temp_cmd_tpl" },
	{ "temperature_command_topic", "temp_cmd_t" },    { "temperature_state_template", "temp_stat_tpl" },
	{ "temperature_state_topic", "temp_stat_t" },     { "tilt_command_template", "tilt_cmd_tpl" },
	{ "tilt_command_topic", "tilt_cmd_t" },           { "tilt_status_template", "tilt_status_tpl" },
	{ "tilt_status_topic", "tilt_status_t" },         { "topic", "t" },
	{ "unique_id", "uniq_id" },                       { "unit_of_measurement", "unit_of_meas" },
	{ "value_template", "val_tpl" },
};

const char *hass_short(const char *key)
{
	for (size_t i = 0; i < N_ELEMENTS(abbreviations); i++) {
		if (text_equal(abbreviations[i].key, key))
			return abbreviations[i].abbreviation;
	}
	return NULL;
}
