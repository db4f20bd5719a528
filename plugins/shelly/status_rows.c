/* From the Gen2+ documentation's pages of components (shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices); the wall display's
 * thermostat is as its firmware answers. Energies are counted in Wh there, in kWh here. A relay's own temperature is not a
 * room's: it has no row. What is known and says nothing is in docs/shelly.md. */
#include "shelly/status_rows.h"

#include "sdk/gw_caps.h"

const struct status_component status_components[] = {
	{ "switch", "Switch", false },	     { "light", "Light", false },
	{ "cct", "CCT", false },	     { "rgb", "RGB", false },
	{ "rgbw", "RGBW", false },	     { "rgbcct", "RGBCCT", false },
	{ "cover", "Cover", false },	     { "thermostat", "Thermostat", false },
	{ "blutrv", "BluTrv", false },	     { "input", "Input", false },
	{ "temperature", "Temperature", false }, { "humidity", "Humidity", false },
	{ "illuminance", "Illuminance", false }, { "smoke", "Smoke", false },
	{ "flood", "Flood", false },	     { "devicepower", "DevicePower", false },
	{ "voltmeter", "Voltmeter", false }, { "pm1", "PM1", false },
	{ "em1", "EM1", false },	     { "em1data", "EM1Data", false },
	{ "em", "EM", false },		     { "emdata", "EMData", false },
	{ "wifi", "Wifi", true },
};
const size_t status_components_n = N_ELEMENTS(status_components);

#define METERED "switch light cct rgb rgbw rgbcct cover pm1"
#define COLOURED "rgb rgbw rgbcct"
#define LIT "light cct rgb rgbw rgbcct"

#define R(component, key, cap, form) { component, key, NULL, cap, form, WAY_NONE, 0, 1, NULL, NULL }
#define R_IN(component, key, inner, cap, scale) { component, key, inner, cap, FORM_NUMBER, WAY_NONE, 0, scale, NULL, NULL }
#define R_AT(component, key, cap, shift, scale) { component, key, NULL, cap, FORM_NUMBER, WAY_NONE, shift, scale, NULL, NULL }
#define W(component, key, cap, form, param) { component, key, NULL, cap, form, WAY_SET, 0, 1, "Set", param }
#define PHASE(letter, shift)                                        \
	R_AT("em", letter "_act_power", GWA_CAP_POWER, shift, 1),         \
	R_AT("em", letter "_voltage", GWA_CAP_VOLTAGE, shift, 1),         \
	R_AT("em", letter "_current", GWA_CAP_CURRENT, shift, 1),         \
	R_AT("em", letter "_pf", GWA_CAP_POWER_FACTOR, shift, 1),         \
	R_AT("em", letter "_freq", GWA_CAP_FREQUENCY, shift, 1),          \
	R_AT("emdata", letter "_total_act_energy", GWA_CAP_ENERGY, shift, 0.001)

const struct status_row status_rows[] = {
	W("switch", "output", GWA_CAP_ON_OFF, FORM_BOOL, "on"),
	W(LIT, "output", GWA_CAP_ON_OFF, FORM_BOOL, "on"),
	W(LIT, "brightness", GWA_CAP_LEVEL, FORM_NUMBER, "brightness"),
	W("cct rgbcct", "ct", GWA_CAP_COLOR_TEMPERATURE, FORM_KELVIN, "ct"),
	W(COLOURED, "rgb", GWA_CAP_COLOR_HUE, FORM_HUE, "rgb"),
	W(COLOURED, "rgb", GWA_CAP_COLOR_SATURATION, FORM_SATURATION, "rgb"),
	{ "cover", "current_pos", NULL, GWA_CAP_COVER_POSITION, FORM_NUMBER, WAY_SET, 0, 1, "GoToPosition", "pos" },
	{ "cover", "slat_pos", NULL, GWA_CAP_COVER_TILT, FORM_NUMBER, WAY_SET, 0, 1, "GoToPosition", "slat_pos" },
	{ "cover", "state", NULL, GWA_CAP_COVER_MOVE, FORM_MOVE, WAY_COVER, 0, 1, NULL, NULL },
	{ "thermostat", "target_C", NULL, GWA_CAP_TARGET_TEMPERATURE, FORM_NUMBER, WAY_CONFIG, 0, 1, "SetConfig", "target_C" },
	{ "thermostat", "enable", NULL, GWA_CAP_THERMOSTAT_MODE, FORM_HEAT, WAY_CONFIG, 0, 1, "SetConfig", "enable" },
	R("thermostat", "current_C", GWA_CAP_TEMPERATURE, FORM_NUMBER),
	{ "blutrv", "target_C", NULL, GWA_CAP_TARGET_TEMPERATURE, FORM_NUMBER, WAY_VALVE, 0, 1, "TRV.SetTarget", "target_C" },
	R("blutrv", "current_C", GWA_CAP_TEMPERATURE, FORM_NUMBER),
	R("blutrv", "battery", GWA_CAP_BATTERY, FORM_NUMBER),
	R("blutrv", "rssi", GWA_CAP_RSSI, FORM_NUMBER),
	R("input", "state", GWA_CAP_CONTACT, FORM_BOOL),
	R("input", "state", GWA_CAP_BUTTON, FORM_PUSH),
	R("temperature", "tC", GWA_CAP_TEMPERATURE, FORM_NUMBER),
	R("humidity", "rh", GWA_CAP_HUMIDITY, FORM_NUMBER),
	R("illuminance", "lux", GWA_CAP_ILLUMINANCE, FORM_NUMBER),
	R("smoke", "alarm", GWA_CAP_SMOKE, FORM_BOOL),
	R("flood", "alarm", GWA_CAP_WATER_LEAK, FORM_BOOL),
	R_IN("devicepower", "battery", "percent", GWA_CAP_BATTERY, 1),
	R("voltmeter", "voltage", GWA_CAP_VOLTAGE, FORM_NUMBER),
	R(METERED, "apower", GWA_CAP_POWER, FORM_NUMBER),
	R(METERED, "voltage", GWA_CAP_VOLTAGE, FORM_NUMBER),
	R(METERED, "current", GWA_CAP_CURRENT, FORM_NUMBER),
	R(METERED, "pf", GWA_CAP_POWER_FACTOR, FORM_NUMBER),
	R(METERED, "freq", GWA_CAP_FREQUENCY, FORM_NUMBER),
	R_IN(METERED, "aenergy", "total", GWA_CAP_ENERGY, 0.001),
	R("em1", "act_power", GWA_CAP_POWER, FORM_NUMBER),
	R("em1", "voltage", GWA_CAP_VOLTAGE, FORM_NUMBER),
	R("em1", "current", GWA_CAP_CURRENT, FORM_NUMBER),
	R("em1", "pf", GWA_CAP_POWER_FACTOR, FORM_NUMBER),
	R("em1", "freq", GWA_CAP_FREQUENCY, FORM_NUMBER),
	R_AT("em1data", "total_act_energy", GWA_CAP_ENERGY, 0, 0.001),
	R("em", "total_act_power", GWA_CAP_POWER, FORM_NUMBER),
	R("em", "total_current", GWA_CAP_CURRENT, FORM_NUMBER),
	R_AT("emdata", "total_act", GWA_CAP_ENERGY, 0, 0.001),
	PHASE("a", 10),
	PHASE("b", 20),
	PHASE("c", 30),
	R("wifi", "rssi", GWA_CAP_RSSI, FORM_NUMBER),
};
const size_t status_rows_n = N_ELEMENTS(status_rows);
