// exposed - what a definition of zigbee-herdsman-converters exposes, in the words of the gateway's capabilities.
//
// A leaf is looked up by what it stands in (light, climate, ...), its name and its unit: a unit that is not listed is another quantity.
// What is in neither list is more than the gateway understands. Settings (how bright the status lamp is, what happens after
// a power cut) and what only says the same again (what a thermostat is doing for it) are no capabilities on purpose, and are not more.

import fs from "node:fs";
import path from "node:path";

const header = fs.readFileSync(path.join(import.meta.dirname, "../../plugins/sdk/gw_caps.h"), "utf8");
const numbers = new Map([...header.matchAll(/GWA_CAP_(\w+) = (\d+),/g)].map(([, name, n]) => [name.toLowerCase().replaceAll("_", "-"), Number(n)]));

const leaves = {
	"switch/state": "on-off", "light/state": "on-off", "light/brightness": "level", "light/color_temp mired": "color-temperature",
	"color_xy/x": "color-hue color-saturation", "color_xy/y": "color-hue color-saturation", "color_hs/hue": "color-hue",
	"color_hs/saturation": "color-saturation", "cover/state": "cover-move", "cover/position %": "cover-position", "cover/tilt %": "cover-tilt",
	"lock/state": "lock-state", "lock/lock_state": "lock-state", "fan/state": "on-off fan-mode", "fan/mode": "fan-mode", "fan/speed": "fan-percent",
	"climate/local_temperature °C": "temperature", "climate/occupied_heating_setpoint °C": "target-temperature",
	"climate/current_heating_setpoint °C": "target-temperature", "climate/occupied_cooling_setpoint °C": "target-temperature target-cooling",
	"climate/system_mode": "thermostat-mode", "climate/fan_mode": "fan-mode", fan_mode: "fan-mode",
	"warning/mode": "siren",
	"temperature °C": "temperature", "local_temperature °C": "temperature", "device_temperature °C": "device-temperature", "humidity %": "humidity",
	"pressure hPa": "pressure", "pressure kPa": "pressure", "illuminance lx": "illuminance", "co2 ppm": "co2", "pm25 µg/m³": "pm25", "pm10 µg/m³": "pm10",
	"voc µg/m³": "voc", "formaldehyd µg/m³": "formaldehyde", "formaldehyd mg/m³": "formaldehyde", "hcho µg/m³": "formaldehyde",
	"hcho mg/m³": "formaldehyde", "flow m³/h": "flow", "soil_moisture %": "soil-moisture", uv_index: "uv-index",
	occupancy: "occupancy", presence: "occupancy", contact: "contact", water_leak: "water-leak", smoke: "smoke", carbon_monoxide: "carbon-monoxide",
	gas: "gas", vibration: "vibration", tamper: "tamper", alarm_1: "zone-alarm", alarm_2: "zone-alarm", action: "button",
	"power W": "power", "power kW": "power", "energy kWh": "energy", "energy Wh": "energy", "voltage V": "voltage", "voltage mV": "voltage",
	"current A": "current", "current mA": "current", "ac_frequency Hz": "frequency", power_factor: "power-factor", "power_factor %": "power-factor",
	"battery %": "battery", battery_low: "battery-low", linkquality: "link-quality",
};

const settings = new Set(["power_on_behavior", "power_on_behaviour", "effect", "effect_speed", "effect_color", "identify", "light/color_temp_startup mired",
	"light/min_brightness", "light/max_brightness", "light/level_config", "light/color_options", "climate/running_state", "climate/running_mode",
	"climate/local_temperature_calibration °C", "keypad_lockout", "temperature_display_mode",
	"ballast_minimum_level", "ballast_maximum_level", "pin_code", "auto_relock_time s", "sound_volume", "action_source_name", "action_user",
	"action_group", "action_duration s", "lock_action", "lock_action_source_name", "lock_action_user", "child_lock", "switch_type", "countdown s",
	"operation_mode", "switch_actions", "power_outage_count", "indicator_mode", "backlight_mode", "power_outage_memory", "group_id", "scene_id",
	"scene_name", "switch_mode", "do_not_disturb", "flip_indicator_light", "temperature_calibration °C", "humidity_calibration %",
	"min_heat_setpoint_limit °C", "max_heat_setpoint_limit °C", "gradient", "gradient_scene", "gradient_style", "gradient_scale", "gradient_offset",
	"led_disabled_night", "tx_radio_power", "fading_time s", "comparison_previous_data", "network_indicator", "click_mode", "multi_click",
	"color_power_on_behavior", "color_options", "level_config", "external_switch_type", "minimum_pwm %", "mode_switch",
	"temperature_unit", "motor_direction", "motor_steering", "dimmer_mode", "min_level", "max_level", "wireless_led_status", "led_feedback_mode",
	"indicator_luminance_level", "indicator_color", "led_indicator", "led_in_dark", "led_if_on", "led_enable", "indicate_light", "light_type",
	"measurement_interval s", "illuminance_calibration", "inching_control_set", "overload_protection"]);

/* A composite is one thing; the features of a light, a climate and their like are beside it. */
const wholes = ["color_xy", "color_hs", "warning"];

export function exposed(exposes) {
	const varies = typeof exposes === "function", caps = new Set(), beyond = new Set();
	function leaf(e, parent) {
		const name = (parent ? `${parent}/` : "") + e.name, key = e.unit ? `${name} ${e.unit}` : name;
		if (key in leaves) for (const cap of leaves[key].split(" ")) caps.add(cap);
		else if (!settings.has(key)) beyond.add(key);
	}
	function walk(e, parent) {
		if (wholes.includes(e.name)) {
			for (const f of e.features) {
				if (e.name !== "warning" || f.name === "mode") leaf(f, e.name);
			}
		} else if (e.features && !["composite", "list"].includes(e.type)) for (const f of e.features) walk(f, e.type);
		else leaf(e, parent);
	}
	for (const e of varies ? exposes({ isDummyDevice: true }, {}) : exposes) walk(e);
	return { caps: [...caps].sort((a, b) => numbers.get(a) - numbers.get(b)), more: beyond.size > 0, varies, beyond };
}
for (const cap of Object.values(leaves).flatMap((l) => l.split(" "))) {
	if (!numbers.has(cap)) throw new Error(`what is ${cap}?`);
}
