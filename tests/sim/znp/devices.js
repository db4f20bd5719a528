// devices - the tables of the simulated devices: who they say they are and what they have.
//
// `attributes` gives each endpoint's server clusters with the values they start with; `clients` are its
// output clusters. `sleepy` devices keep their radio off and fetch what waits for them every so many
// milliseconds. powerSource: 1 mains, 3 battery (ZCL 8: 3.2.2.2.8). Zone type 0x0015 is a contact switch.

const MAINS = 0x01;
const BATTERY = 0x03;

function basic(manufacturerName, modelId, powerSource, swBuildId) {
	return { zclVersion: 3, applicationVersion: 1, stackVersion: 2, hwVersion: 1, manufacturerName, modelId,
		dateCode: "20240101", powerSource, swBuildId };
}

const SMALL = { identify: { identifyTime: 0 }, groups: { nameSupport: 0 }, scenes: { sceneCount: 0 } };

export const DEVICES = {
	outlet: {
		eui: "0x000b57fffe00a101", manufacturer: 0x117c, type: "router",
		endpoints: { 1: { profile: 0x0104, device: 0x010a, clients: ["ota"], attributes: {
			basic: basic("IKEA of Sweden", "TRADFRI control outlet", MAINS, "2.3.089"), ...SMALL,
			onOff: { onOff: false, startUpOnOff: 0xff }, level: { currentLevel: 254, options: 0, startUpCurrentLevel: 255 },
			touchlink: {},
		} } },
	},
	bulb: {
		eui: "0x000b57fffe00b202", manufacturer: 0x117c, type: "router",
		endpoints: { 1: { profile: 0x0104, device: 0x010c, clients: ["ota"], attributes: {
			basic: basic("IKEA of Sweden", "TRADFRI bulb E27 WS opal 980lm", MAINS, "2.3.093"), ...SMALL,
			onOff: { onOff: false, startUpOnOff: 0xff }, level: { currentLevel: 128, options: 0, startUpCurrentLevel: 255 },
			color: { remainingTime: 0, colorTemperature: 370, colorMode: 2, options: 0, capabilities: 0x10,
				colorTempPhysicalMin: 250, colorTempPhysicalMax: 454, startUpColorTemperature: 0xffff },
			touchlink: {},
		} } },
	},
	climate: {
		eui: "0x00124b00300ac303", manufacturer: 0x1286, type: "sleepy", pollMs: 60,
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
		eui: "0x00124b0023f4d404", manufacturer: 0x1286, type: "sleepy", pollMs: 60,
		endpoints: { 1: { profile: 0x0104, device: 0x0402, clients: [], attributes: {
			basic: basic("eWeLink", "SNZB-04", BATTERY, "1.0.0"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 30, batteryPercentage: 196 },
			iasZone: { zoneState: 0, zoneType: 0x0015, zoneStatus: 0, cieAddress: "0x0000000000000000", zoneId: 0xff },
		} } },
	},
	plug: {
		eui: "0x00158d0005e5e505", manufacturer: 0x1166, type: "router",
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
		eui: "0x000d6f00116f6f06", manufacturer: 0x101d, type: "sleepy", pollMs: 60,
		endpoints: { 1: { profile: 0x0104, device: 0x000a, clients: ["ota"], attributes: {
			basic: basic("Yale", "YRD226 TSDB", BATTERY, "1.0.0"), identify: { identifyTime: 0 },
			power: { batteryVoltage: 60, batteryPercentage: 180, batteryAlarmState: 0 },
			doorLock: { lockState: 1, lockType: 0, actuatorEnabled: true, pinUsers: 250, autoRelockTime: 0, soundVolume: 1 },
		} } },
	},
};
