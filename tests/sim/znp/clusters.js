// clusters - the ZCL clusters that simulated devices can have: attributes, and what commands do.
//
// An attribute is [id, type, "w" if the host may write it]. A command is [id, payload fields, effect];
// an effect gets (endpoint, payload) and changes attributes through endpoint.set(); what it returns is
// { id, fields, payload } for a cluster response, a status number for a default response, or nothing
// for success.

import { ZCL_STATUS } from "./zcl.js";

const LEVEL_MAX = 254;

function switchTo(on) {
	return (endpoint) => endpoint.set("onOff.onOff", typeof on === "function" ? on(endpoint) : on);
}

/* A level is reached after its transition time; 0xffff is "as fast as you can". */
function moveToLevel(withOnOff) {
	return (endpoint, { level, transition }) => {
		const target = Math.min(level, LEVEL_MAX);
		if (withOnOff && target > 0) endpoint.set("onOff.onOff", true);
		endpoint.later(transition === 0xffff ? 0 : transition * 100, () => {
			if (target > 0 || !withOnOff) endpoint.set("level.currentLevel", Math.max(target, 1));
			if (withOnOff && target === 0) endpoint.set("onOff.onOff", false);
		});
	};
}

function stepLevel(withOnOff) {
	return (endpoint, { mode, step, transition }) => {
		const now = endpoint.get("level.currentLevel");
		const level = Math.max(1, Math.min(LEVEL_MAX, mode === 0 ? now + step : now - step));
		return moveToLevel(withOnOff)(endpoint, { level, transition });
	};
}

function moveToColorTemp(endpoint, { mireds, transition }) {
	const least = endpoint.get("color.colorTempPhysicalMin");
	const most = endpoint.get("color.colorTempPhysicalMax");
	endpoint.later(transition === 0xffff ? 0 : transition * 100, () => {
		endpoint.set("color.colorMode", 2);
		endpoint.set("color.colorTemperature", Math.max(least, Math.min(most, mireds)));
	});
}

/* Colour by hue and saturation, or by a point of the chromaticity diagram. */
function moveToColor(mode, ...names) {
	return (endpoint, payload) => endpoint.later(payload.transition === 0xffff ? 0 : payload.transition * 100, () => {
		endpoint.set("color.colorMode", mode);
		for (const name of names) endpoint.set(`color.${name}`, payload[name]);
	});
}

const TRAVEL_MS = 120;

/* A blind reports where it is once it has arrived; what stops it on the way stops it half way. */
function moveLift(target) {
	return (endpoint, { lift }) => {
		const from = endpoint.get("windowCovering.currentLift");
		const to = target ?? lift;
		endpoint.memory.travel = { from, to };
		endpoint.later(TRAVEL_MS, () => {
			if (endpoint.memory.travel?.to === to) endpoint.set("windowCovering.currentLift", to);
			endpoint.memory.travel = undefined;
		});
	};
}

function stopLift(endpoint) {
	const { travel } = endpoint.memory;
	endpoint.memory.travel = undefined;
	if (travel !== undefined) endpoint.set("windowCovering.currentLift", (travel.from + travel.to) >> 1);
}

/* mode 0 heating, 1 cooling, 2 both; the amount is in tenths of a degree */
function changeSetpoint(endpoint, { mode, amount }) {
	const change = (name) => endpoint.set(`thermostat.${name}`, endpoint.get(`thermostat.${name}`) + amount * 10);
	if (mode !== 1) change("occupiedHeating");
	if (mode !== 0) change("occupiedCooling");
}

const LOCKED = 1;
const UNLOCKED = 2;

/* A lock answers with a status, moves its bolt, then tells who moved it (operation event 0x20). */
function moveBolt(target) {
	return (endpoint, { pin }) => {
		const wanted = typeof target === "function" ? target(endpoint) : target;
		const responseId = { [LOCKED]: 0x00, [UNLOCKED]: 0x01 }[wanted];
		if (endpoint.node.faults.jammed)
			return { id: responseId, fields: "status:u8", payload: { status: ZCL_STATUS.FAILURE } };
		endpoint.later(60, () => {
			endpoint.set("doorLock.lockState", wanted);
			endpoint.notify("doorLock", 0x20, "source:u8 code:u8 user:u16 pin:ostr time:u32 data:ostr",
				{ source: 0x01, code: wanted === LOCKED ? 0x01 : 0x02, user: 0, pin: pin ?? "", time: 0, data: "" });
		});
		return { id: responseId, fields: "status:u8", payload: { status: ZCL_STATUS.SUCCESS } };
	};
}

function setPin(endpoint, { user, status, type, pin }) {
	endpoint.memory.pins ??= {};
	endpoint.memory.pins[user] = { status, type, pin };
	return { id: 0x05, fields: "status:u8", payload: { status: 0 } };
}

function getPin(endpoint, { user }) {
	const known = endpoint.memory.pins?.[user] ?? { status: 0, type: 0xff, pin: "" };
	return { id: 0x06, fields: "user:u16 status:u8 type:u8 pin:ostr", payload: { user, ...known } };
}

function clearPin(endpoint, { user }) {
	delete endpoint.memory.pins?.[user];
	return { id: 0x07, fields: "status:u8", payload: { status: 0 } };
}

const GROUPS_MAX = 16;

function addGroup(endpoint, { group }) {
	const groups = endpoint.memory.groups ??= [];
	let status = ZCL_STATUS.SUCCESS;
	if (groups.includes(group)) status = ZCL_STATUS.DUPLICATE;
	else if (groups.length >= GROUPS_MAX) status = ZCL_STATUS.INSUFFICIENT_SPACE;
	else groups.push(group);
	return { id: 0x00, fields: "status:u8 group:u16", payload: { status, group } };
}

function removeGroup(endpoint, { group }) {
	const groups = endpoint.memory.groups ?? [];
	const known = groups.includes(group);
	endpoint.memory.groups = groups.filter((g) => g !== group);
	return { id: 0x03, fields: "status:u8 group:u16",
		payload: { status: known ? ZCL_STATUS.SUCCESS : ZCL_STATUS.NOT_FOUND, group } };
}

function groupMembership(endpoint) {
	const groups = endpoint.memory.groups ?? [];
	return { id: 0x02, fields: "capacity:u8 groups:list16", payload: { capacity: GROUPS_MAX - groups.length, groups } };
}

function enrolled(endpoint, { status, zone }) {
	if (status !== 0) return;
	endpoint.set("iasZone.zoneState", 1);
	endpoint.set("iasZone.zoneId", zone);
}

export const CLUSTERS = {
	basic: { id: 0x0000, attributes: {
		zclVersion: [0x0000, "u8"], applicationVersion: [0x0001, "u8"], stackVersion: [0x0002, "u8"], hwVersion: [0x0003, "u8"],
		manufacturerName: [0x0004, "str"], modelId: [0x0005, "str"], dateCode: [0x0006, "str"], powerSource: [0x0007, "enum8"],
		swBuildId: [0x4000, "str"],
	}, commands: [[0x00, "", () => {}]] },
	power: { id: 0x0001, attributes: {
		mainsVoltage: [0x0000, "u16"], batteryVoltage: [0x0020, "u8"], batteryPercentage: [0x0021, "u8"], batteryAlarmState: [0x003e, "map32"],
	} },
	identify: { id: 0x0003, attributes: { identifyTime: [0x0000, "u16", "w"] }, commands: [
		[0x00, "seconds:u16", (endpoint, { seconds }) => endpoint.set("identify.identifyTime", seconds)],
		[0x40, "effect:u8 variant:u8", (endpoint, { effect }) => { endpoint.memory.effect = effect; }],
	] },
	groups: { id: 0x0004, attributes: { nameSupport: [0x0000, "map8"] }, commands: [
		[0x00, "group:u16 name:ostr", addGroup],
		[0x02, "groups:list16", groupMembership],
		[0x03, "group:u16", removeGroup],
		[0x04, "", (endpoint) => { endpoint.memory.groups = []; }],
	] },
	scenes: { id: 0x0005, attributes: { sceneCount: [0x0000, "u8"] } },
	onOff: { id: 0x0006, attributes: { onOff: [0x0000, "bool"], startUpOnOff: [0x4003, "enum8", "w"] }, commands: [
		[0x00, "", switchTo(false)],
		[0x01, "", switchTo(true)],
		[0x02, "", switchTo((endpoint) => !endpoint.get("onOff.onOff"))],
		[0x40, "effect:u8 variant:u8", switchTo(false)],
		[0x42, "control:u8 onTime:u16 offWait:u16", (endpoint, { onTime }) => {
			endpoint.set("onOff.onOff", true);
			endpoint.later(onTime * 100, () => endpoint.set("onOff.onOff", false));
		}],
	] },
	level: { id: 0x0008, attributes: {
		currentLevel: [0x0000, "u8"], options: [0x000f, "map8", "w"], startUpCurrentLevel: [0x4000, "u8", "w"],
	}, commands: [
		[0x00, "level:u8 transition:u16 rest?:rest", moveToLevel(false)],
		[0x02, "mode:u8 step:u8 transition:u16 rest?:rest", stepLevel(false)],
		[0x03, "rest?:rest", () => {}],
		[0x04, "level:u8 transition:u16 rest?:rest", moveToLevel(true)],
		[0x06, "mode:u8 step:u8 transition:u16 rest?:rest", stepLevel(true)],
		[0x07, "rest?:rest", () => {}],
	] },
	pollControl: { id: 0x0020, attributes: {
		checkinInterval: [0x0000, "u32", "w"], longPollInterval: [0x0001, "u32"], shortPollInterval: [0x0002, "u16"],
		fastPollTimeout: [0x0003, "u16", "w"],
	}, commands: [[0x00, "start:u8 timeout:u16", () => {}], [0x01, "", () => {}]] },
	doorLock: { id: 0x0101, attributes: {
		lockState: [0x0000, "enum8"], lockType: [0x0001, "enum8"], actuatorEnabled: [0x0002, "bool"], pinUsers: [0x0012, "u16"],
		autoRelockTime: [0x0023, "u32", "w"], soundVolume: [0x0024, "u8", "w"],
	}, commands: [
		[0x00, "pin?:ostr", moveBolt(LOCKED)],
		[0x01, "pin?:ostr", moveBolt(UNLOCKED)],
		[0x02, "pin?:ostr", moveBolt((endpoint) => endpoint.get("doorLock.lockState") === LOCKED ? UNLOCKED : LOCKED)],
		[0x05, "user:u16 status:u8 type:u8 pin:ostr", setPin],
		[0x06, "user:u16", getPin],
		[0x07, "user:u16", clearPin],
	] },
	color: { id: 0x0300, attributes: {
		hue: [0x0000, "u8"], saturation: [0x0001, "u8"], remainingTime: [0x0002, "u16"], x: [0x0003, "u16"], y: [0x0004, "u16"],
		colorTemperature: [0x0007, "u16"], colorMode: [0x0008, "enum8"], options: [0x000f, "map8", "w"],
		enhancedHue: [0x4000, "u16"], enhancedColorMode: [0x4001, "enum8"], capabilities: [0x400a, "map16"], colorTempPhysicalMin: [0x400b, "u16"],
		colorTempPhysicalMax: [0x400c, "u16"], startUpColorTemperature: [0x4010, "u16", "w"],
	}, commands: [
		[0x00, "hue:u8 direction:u8 transition:u16 rest?:rest", moveToColor(0, "hue")],
		[0x03, "saturation:u8 transition:u16 rest?:rest", moveToColor(0, "saturation")],
		[0x06, "hue:u8 saturation:u8 transition:u16 rest?:rest", moveToColor(0, "hue", "saturation")],
		[0x07, "x:u16 y:u16 transition:u16 rest?:rest", moveToColor(1, "x", "y")],
		[0x0a, "mireds:u16 transition:u16 rest?:rest", moveToColorTemp],
		[0x40, "enhancedHue:u16 direction:u8 transition:u16 rest?:rest", moveToColor(0, "enhancedHue")],
		[0x43, "enhancedHue:u16 saturation:u8 transition:u16 rest?:rest", moveToColor(0, "enhancedHue", "saturation")],
		[0x47, "rest?:rest", () => {}],
	] },
	windowCovering: { id: 0x0102, attributes: {
		coveringType: [0x0000, "enum8"], configStatus: [0x0007, "map8"], currentLift: [0x0008, "u8"], mode: [0x0017, "map8", "w"],
	}, commands: [
		[0x00, "", moveLift(0)], [0x01, "", moveLift(100)], [0x02, "", stopLift], [0x05, "lift:u8", moveLift()],
	] },
	thermostat: { id: 0x0201, attributes: {
		localTemperature: [0x0000, "i16"], absLeastHeating: [0x0003, "i16"], absMostHeating: [0x0004, "i16"], occupiedCooling: [0x0011, "i16", "w"], occupiedHeating: [0x0012, "i16", "w"],
		leastHeating: [0x0015, "i16", "w"], mostHeating: [0x0016, "i16", "w"], controlSequence: [0x001b, "enum8", "w"],
		systemMode: [0x001c, "enum8", "w"], runningState: [0x0029, "map16"],
	}, commands: [[0x00, "mode:u8 amount:i8", changeSetpoint]] },
	fan: { id: 0x0202, attributes: { mode: [0x0000, "enum8", "w"], sequence: [0x0001, "enum8", "w"] } },
	thermostatUi: { id: 0x0204, attributes: { temperatureUnit: [0x0000, "enum8", "w"], keypadLockout: [0x0001, "enum8", "w"] } },
	illuminance: { id: 0x0400, attributes: { measured: [0x0000, "u16"] } },
	occupancy: { id: 0x0406, attributes: {
		occupancy: [0x0000, "map8"], sensorType: [0x0001, "enum8"], sensorTypes: [0x0002, "map8"], delay: [0x0010, "u16", "w"],
	} },
	temperature: { id: 0x0402, attributes: {
		measured: [0x0000, "i16"], least: [0x0001, "i16"], most: [0x0002, "i16"],
	} },
	humidity: { id: 0x0405, attributes: { measured: [0x0000, "u16"], least: [0x0001, "u16"], most: [0x0002, "u16"] } },
	iasZone: { id: 0x0500, attributes: {
		zoneState: [0x0000, "enum8"], zoneType: [0x0001, "enum16"], zoneStatus: [0x0002, "map16"],
		cieAddress: [0x0010, "eui", "w"], zoneId: [0x0011, "u8"],
	}, commands: [[0x00, "status:u8 zone:u8", enrolled]] },
	iasWd: { id: 0x0502, attributes: { maxDuration: [0x0000, "u16", "w"] }, commands: [
		[0x00, "info:u8 duration:u16 duty?:u8 level?:u8", (endpoint, warning) => { endpoint.memory.warning = warning; }],
		[0x01, "info:u8", (endpoint, { info }) => { endpoint.memory.squawk = info; }],
	] },
	metering: { id: 0x0702, attributes: {
		delivered: [0x0000, "u48"], unit: [0x0300, "enum8"], multiplier: [0x0301, "u24"], divisor: [0x0302, "u24"],
		demand: [0x0400, "i24"],
	} },
	electrical: { id: 0x0b04, attributes: {
		frequency: [0x0300, "u16"], frequencyMultiplier: [0x0400, "u16"], frequencyDivisor: [0x0401, "u16"],
		voltage: [0x0505, "u16"], current: [0x0508, "u16"], power: [0x050b, "i16"],
		voltageMultiplier: [0x0600, "u16"], voltageDivisor: [0x0601, "u16"], currentMultiplier: [0x0602, "u16"],
		currentDivisor: [0x0603, "u16"], powerMultiplier: [0x0604, "u16"], powerDivisor: [0x0605, "u16"],
	} },
	touchlink: { id: 0x1000, attributes: {} },
	ota: { id: 0x0019, attributes: {} },
	sonoff: { id: 0xfc11, attributes: {
		comfortTemperatureMax: [0x0003, "i16", "w"], comfortTemperatureMin: [0x0004, "i16", "w"],
		comfortHumidityMin: [0x0005, "u16", "w"], comfortHumidityMax: [0x0006, "u16", "w"],
		temperatureUnits: [0x0007, "u16", "w"], temperatureCalibration: [0x2003, "i16", "w"],
		humidityCalibration: [0x2004, "i16", "w"], illumination: [0x2001, "u8"],
	} },
};

/* What a switch sends when it is pressed: cluster, command, payload. */
export const PRESSES = {
	on: ["onOff", 0x01, ""], off: ["onOff", 0x00, ""], toggle: ["onOff", 0x02, ""],
	brighter: ["level", 0x05, "0053"], darker: ["level", 0x01, "0153"], released: ["level", 0x07, ""], stepUp: ["level", 0x06, "002b0500"],
	open: ["windowCovering", 0x00, ""], close: ["windowCovering", 0x01, ""], stop: ["windowCovering", 0x02, ""],
};

export const clusterNameById = new Map(Object.entries(CLUSTERS).map(([name, { id }]) => [id, name]));

/* Gives { name, type, writable } of an attribute id, or undefined. */
export function attributeById(cluster, id) {
	for (const [name, [attributeId, type, access]] of Object.entries(CLUSTERS[cluster].attributes))
		if (attributeId === id) return { name, type, writable: access === "w" };
	return undefined;
}
