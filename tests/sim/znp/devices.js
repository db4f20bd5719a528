// devices - the tables of the simulated devices: who they say they are and what they have.
//
// `attributes` gives each endpoint's server clusters with the values they start with; `clients` are its
// output clusters. `sleepy` devices keep their radio off and fetch what waits for them every so many
// milliseconds. powerSource: 1 mains, 3 battery (ZCL 8: 3.2.2.2.8). zoneType: table 8-5. `installCode`: with CRC; the device joins
// only who knows it. `speaks` is the attribute that changes when the device has something to say, and what it says in turn.

/* HEIMAN's own code makes zigbee-herdsman wait ten seconds before it asks them anything. */
const NOT_HEIMAN = 0x1234;
const MAINS = 0x01;
const BATTERY = 0x03;

function basic(manufacturerName, modelId, powerSource, swBuildId) {
	return { zclVersion: 3, applicationVersion: 1, stackVersion: 2, hwVersion: 1, manufacturerName, modelId,
		dateCode: "20240101", powerSource, swBuildId };
}

const SMALL = { identify: { identifyTime: 0 }, groups: { nameSupport: 0 }, scenes: { sceneCount: 0 } };

export const DEVICES = {
	outlet: {
		eui: "0x000b57fffe00a101", manufacturer: 0x117c, type: "router", speaks: ["onOff.onOff", [true, false]],
		endpoints: { 1: { profile: 0x0104, device: 0x010a, clients: ["ota"], attributes: {
			basic: basic("IKEA of Sweden", "TRADFRI control outlet", MAINS, "2.3.089"), ...SMALL,
			onOff: { onOff: false, startUpOnOff: 0xff }, level: { currentLevel: 254, options: 0, startUpCurrentLevel: 255 },
			touchlink: {},
		} } },
	},
	bulb: {
		eui: "0x000b57fffe00b202", manufacturer: 0x117c, type: "router", speaks: ["level.currentLevel", [100, 200]],
		endpoints: { 1: { profile: 0x0104, device: 0x010c, clients: ["ota"], attributes: {
			basic: basic("IKEA of Sweden", "TRADFRI bulb E27 WS opal 980lm", MAINS, "2.3.093"), ...SMALL,
			onOff: { onOff: false, startUpOnOff: 0xff }, level: { currentLevel: 128, options: 0, startUpCurrentLevel: 255 },
			color: { remainingTime: 0, colorTemperature: 370, colorMode: 2, options: 0, capabilities: 0x10,
				colorTempPhysicalMin: 250, colorTempPhysicalMax: 454, startUpColorTemperature: 0xffff },
			touchlink: {},
		} } },
	},
	climate: {
		eui: "0x00124b00300ac303", manufacturer: 0x1286, type: "sleepy", pollMs: 60, speaks: ["temperature.measured", [2150, 2250]],
		endpoints: { 1: { profile: 0x0104, device: 0x0302, clients: ["ota"], attributes: {
			basic: basic("SONOFF", "SNZB-02D", BATTERY, "2.1.0"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 200 },
			pollControl: { checkinInterval: 14400, longPollInterval: 24, shortPollInterval: 2, fastPollTimeout: 40 },
			temperature: { measured: 2150, least: -4000, most: 12500 }, humidity: { measured: 4820, least: 0, most: 10000 },
			sonoff: { comfortTemperatureMax: 2700, comfortTemperatureMin: 1900, comfortHumidityMin: 4000,
				comfortHumidityMax: 6000, temperatureUnits: 0, temperatureCalibration: 0, humidityCalibration: 0 },
		} } },
	},
	contact: {
		eui: "0x00124b0023f4d404", manufacturer: 0x1286, type: "sleepy", pollMs: 60, speaks: ["iasZone.zoneStatus", [1, 0]],
		endpoints: { 1: { profile: 0x0104, device: 0x0402, clients: [], attributes: {
			basic: basic("eWeLink", "SNZB-04", BATTERY, "1.0.0"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 196 },
			iasZone: { zoneState: 0, zoneType: 0x0015, zoneStatus: 0, cieAddress: "0x0000000000000000", zoneId: 0xff },
		} } },
	},
	plug: {
		eui: "0x00158d0005e5e505", manufacturer: 0x1166, type: "router", speaks: ["electrical.power", [418, 1234]],
		endpoints: { 1: { profile: 0x0104, device: 0x0051, clients: ["ota"], attributes: {
			basic: basic("innr", "SP 240", MAINS, "1.9.28"), ...SMALL,
			onOff: { onOff: true, startUpOnOff: 0xff },
			metering: { delivered: 123456, unit: 0, multiplier: 1, divisor: 1000, demand: 0 },
			electrical: { frequency: 50, frequencyMultiplier: 1, frequencyDivisor: 1, voltage: 2301, current: 182, power: 418,
				voltageMultiplier: 1, voltageDivisor: 10, currentMultiplier: 1, currentDivisor: 1000,
				powerMultiplier: 1, powerDivisor: 10 },
		} } },
	},
	lock: {
		eui: "0x000d6f00116f6f06", manufacturer: 0x101d, type: "sleepy", pollMs: 60, speaks: ["power.batteryPercentage", [180, 178]],
		endpoints: { 1: { profile: 0x0104, device: 0x000a, clients: ["ota"], attributes: {
			basic: basic("Yale", "YRD226 TSDB", BATTERY, "1.0.0"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 60, batteryPercentage: 180, batteryAlarmState: 0 },
			doorLock: { lockState: 1, lockType: 0, actuatorEnabled: true, pinUsers: 250, autoRelockTime: 0, soundVolume: 1 },
		} } },
	},
	colour: {
		eui: "0x00158d0005c0c107", manufacturer: 0x1166, type: "router", speaks: ["level.currentLevel", [100, 200]],
		endpoints: { 1: { profile: 0x0104, device: 0x010d, clients: ["ota"], attributes: {
			basic: basic("innr", "RB 285 C", MAINS, "2.0"), ...SMALL,
			onOff: { onOff: false, startUpOnOff: 0xff }, level: { currentLevel: 200, options: 0, startUpCurrentLevel: 255 },
			color: { hue: 0, saturation: 0, remainingTime: 0, x: 24939, y: 24701, colorTemperature: 370, colorMode: 2, options: 0,
				enhancedHue: 0, enhancedColorMode: 2, capabilities: 0x1f, colorTempPhysicalMin: 153, colorTempPhysicalMax: 555,
				startUpColorTemperature: 0xffff },
		} } },
	},
	blind: {
		eui: "0x000b57fffe0d0808", manufacturer: 0x117c, type: "sleepy", pollMs: 60, speaks: ["windowCovering.currentLift", [20, 80]],
		endpoints: { 1: { profile: 0x0104, device: 0x0202, clients: ["ota"], attributes: {
			basic: basic("IKEA of Sweden", "FYRTUR block-out roller blind", BATTERY, "2.2.009"), ...SMALL,
			power: { batteryVoltage: 72, batteryPercentage: 88 },
			windowCovering: { coveringType: 0, configStatus: 0x0b, currentLift: 0, mode: 0 },
		} } },
	},
	thermostat: {
		eui: "0x002446fffe0e0909", manufacturer: 0x1071, type: "router", speaks: ["thermostat.localTemperature", [2010, 2060]],
		endpoints: { 1: { profile: 0x0104, device: 0x0301, clients: [], attributes: {
			basic: basic("Zen Within", "Zen-01", MAINS, "1.0.5"), identify: { identifyTime: 0 },
			power: { mainsVoltage: 240, batteryVoltage: 58, batteryPercentage: 190 },
			thermostat: { localTemperature: 2030, occupiedCooling: 2600, occupiedHeating: 2000, absLeastHeating: 500, absMostHeating: 3000,
				leastHeating: 500, mostHeating: 3000,
				controlSequence: 4, systemMode: 4, runningState: 0 },
			fan: { mode: 5, sequence: 2 },
			thermostatUi: { temperatureUnit: 0, keypadLockout: 0 },
		} } },
	},
	remote: {
		eui: "0x000b57fffe0f0a0a", manufacturer: 0x117c, type: "sleepy", pollMs: 60,
		endpoints: { 1: { profile: 0x0104, device: 0x0820, clients: ["identify", "groups", "onOff", "level", "ota", "windowCovering"], attributes: {
			basic: basic("IKEA of Sweden", "TRADFRI on/off switch", BATTERY, "24.4.6"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 29, batteryPercentage: 148 },
		} } },
	},
	motion: {
		eui: "0x00124b0025100b0b", manufacturer: 0x1286, type: "sleepy", pollMs: 60, speaks: ["iasZone.zoneStatus", [1, 0]],
		endpoints: { 1: { profile: 0x0104, device: 0x0402, clients: ["ota"], attributes: {
			basic: basic("eWeLink", "MS01", BATTERY, "1.0.0"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 200 },
			iasZone: { zoneState: 0, zoneType: 0x000d, zoneStatus: 0, cieAddress: "0x0000000000000000", zoneId: 0xff },
		} } },
	},
	presence: {
		eui: "0x00124b0030110c0c", manufacturer: 0x1286, type: "sleepy", pollMs: 60, speaks: ["occupancy.occupancy", [1, 0]],
		endpoints: { 1: { profile: 0x0104, device: 0x0107, clients: ["ota"], attributes: {
			basic: basic("SONOFF", "SNZB-03P", BATTERY, "2.2.1"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 200 },
			occupancy: { occupancy: 0, sensorType: 0, sensorTypes: 1, delay: 60 }, illuminance: { measured: 10000 },
			sonoff: { illumination: 0 },
		} } },
	},
	leak: {
		eui: "0x00158d0006120d0d", manufacturer: NOT_HEIMAN, type: "sleepy", pollMs: 60, speaks: ["iasZone.zoneStatus", [1, 0]],
		endpoints: { 1: { profile: 0x0104, device: 0x0402, clients: ["ota"], attributes: {
			basic: basic("HEIMAN", "WaterSensor-N", BATTERY, "2.0.1"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 178 },
			iasZone: { zoneState: 0, zoneType: 0x002a, zoneStatus: 0, cieAddress: "0x0000000000000000", zoneId: 0xff },
		} } },
	},
	smoke: {
		eui: "0x00158d0006130e0e", manufacturer: NOT_HEIMAN, type: "sleepy", pollMs: 60, speaks: ["iasZone.zoneStatus", [1, 0]],
		installCode: "83fed3407a939723a5c639b26916d505c3b5",
		endpoints: { 1: { profile: 0x0104, device: 0x0402, clients: ["ota"], attributes: {
			basic: basic("HEIMAN", "SmokeSensor-N", BATTERY, "2.0.1"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 160 },
			iasZone: { zoneState: 0, zoneType: 0x0028, zoneStatus: 0, cieAddress: "0x0000000000000000", zoneId: 0xff },
		} } },
	},
	siren: {
		eui: "0x00158d0006140f0f", manufacturer: NOT_HEIMAN, type: "router",
		endpoints: { 1: { profile: 0x0104, device: 0x0403, clients: ["ota"], attributes: {
			basic: basic("HEIMAN", "WarningDevice-EF-3.0", MAINS, "2.0.1"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 41, batteryPercentage: 200 },
			iasZone: { zoneState: 0, zoneType: 0x0225, zoneStatus: 0, cieAddress: "0x0000000000000000", zoneId: 0xff },
			iasWd: { maxDuration: 1800 },
		} } },
	},
};

/* The home that these ones were first: small enough to be there in five seconds. */
export const HOME = ["outlet", "bulb", "climate", "contact", "plug", "lock"];
