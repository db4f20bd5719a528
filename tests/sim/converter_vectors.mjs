// converter_vectors - writes tests/unit/converter_vectors.txt: what zigbee-herdsman-converters reads out of attributes and commands of
// standard clusters, and what it sends for orders, in our words.
//
//   node converter_vectors.mjs > ../unit/converter_vectors.txt
//
// Lines are of three kinds; each begins with a list of endpoints as in expose_vectors.txt, of which the first is meant:
//   read|LIST|CLUSTER ATTRIBUTE TYPE BYTES|CAPABILITY=VALUE ...
//   heard|LIST|CLUSTER COMMAND s or c, who it is sent to, BYTES|CAPABILITY=VALUE ...
//   order|LIST|CAPABILITY=VALUE|CLUSTER w (write) or c (command) COMMAND BYTES; ...
// Values are as converters give them, before they are rounded for people; a lamp's 0..254 is said in percent, kPa in hPa, m3/h in l/min, for
// these are the gateway's units. The same run writes the same file.

import { clusterName, definitionOf, deviceOf, dice, hex, modernExtend, words, Zcl, zhc } from "./unknown_device.mjs";

const { Clusters, DataType, Frame, FrameType } = Zcl;
const random = dice(0x0dd5eed5);
const fz = zhc.fromZigbee, tz = zhc.toZigbee;
const list = (ins, attributes = {}, outs = []) => [{ id: 1, ins, outs, attributes: new Map(Object.entries(attributes)) }];
const capital = (name) => name[0].toUpperCase() + name.slice(1);
const bool = (v) => (v === true || v === "ON" || v === 1 ? 1 : 0);
const percent = (v) => Math.round((v * 100) / 254);

/* Property -> what it is with us; undefined: nothing. */
const lower = (v) => String(v).toLowerCase();
const modes = { emergency_heating: "emergency-heat", fan_only: "fan-only" };
const ours = {
	brightness: (v) => ({ level: percent(v) }),
	color_temp: (v) => ({ "color-temperature": v }),
	color: (v) => ({ ...(v.hue === undefined ? {} : { "color-hue": Math.round(v.hue) }),
		...(v.saturation === undefined ? {} : { "color-saturation": v.saturation }) }),
	position: (v) => ({ "cover-position": v }),
	tilt: (v) => ({ "cover-tilt": v }),
	lock_state: () => ({}),
	local_temperature: (v) => ({ temperature: v }),
	occupied_heating_setpoint: (v) => ({ "target-temperature": v }),
	occupied_cooling_setpoint: (v, e) => ({ [e.attributes.get("0201.001b") >= 4 ? "target-cooling" : "target-temperature"]: v }),
	system_mode: (v) => ({ "thermostat-mode": modes[v] ?? v }),
	fan_mode: (v) => ({ "fan-mode": v }),
	temperature: (v) => ({ temperature: v }),
	pressure: (v) => ({ pressure: v * 10 }),
	humidity: (v) => ({ humidity: v }),
	co2: (v) => ({ co2: v }),
	battery: (v) => ({ battery: v }),
	illuminance: (v) => ({ illuminance: v }),
	device_temperature: (v) => ({ "device-temperature": v }),
	pm25: (v) => ({ pm25: v }),
	flow: (v) => ({ flow: (v * 1000) / 60 }),
	soil_moisture: (v) => ({ "soil-moisture": v }),
	power: (v) => ({ power: v }),
	voltage: (v) => ({ voltage: v }),
	current: (v) => ({ current: v }),
	energy: (v) => ({ energy: v }),
	ac_frequency: (v) => ({ frequency: v }),
	power_factor: (v) => ({ "power-factor": v }),
	alarm_1: (v) => ({ "zone-alarm": bool(v) }),
	contact: (v) => ({ contact: bool(v) }),
	occupancy: (v) => ({ occupancy: bool(v) }),
	smoke: (v) => ({ smoke: bool(v) }),
	water_leak: (v) => ({ "water-leak": bool(v) }),
	carbon_monoxide: (v) => ({ "carbon-monoxide": bool(v) }),
	vibration: (v) => ({ vibration: bool(v) }),
	tamper: (v) => ({ tamper: bool(v) }),
	battery_low: (v) => ({ "battery-low": bool(v) }),
	action: (v) => ({ button: v }),
};
const ports = { binary_input: (v) => ({ input: bool(v) }), binary_output: (v) => ({ output: bool(v) }), analog_input: (v) => ({ "analog-input": v }),
	analog_output: (v) => ({ "analog-output": v }) };
const states = { genOnOff: (v) => ({ "on-off": bool(v) }), closuresWindowCovering: (v) => ({ "cover-move": lower(v) }),
	closuresDoorLock: (v) => ({ "lock-state": v === "LOCK" ? "locked" : "unlocked" }), hvacFanCtrl: () => ({}) };
const ignored = /^(action_|color_mode|running_|lock_|fan_state|door_state)/;

function reduce(payload, cluster, e) {
	let found = {};
	for (const [key, value] of Object.entries(payload)) {
		const port = /^([a-z]+_[a-z]+put)(_\d+)?$/.exec(key)?.[1];
		const make = key === "state" ? states[cluster] : ports[port] ?? ours[key];
		if (!make && !ignored.test(key)) throw new Error(`what is ${key}?`);
		if (make && value !== null && value !== undefined && !Number.isNaN(value)) found = { ...found, ...make(value, e) };
	}
	if (payload.alarm_2 && "zone-alarm" in found) found["zone-alarm"] = 1;
	return Object.entries(found).filter(([, v]) => v !== undefined && !Number.isNaN(v)).map(([k, v]) => `${k}=${v}`).sort().join(" ");
}
ours.alarm_2 = () => ({});

let sequence = 0;
function convert(converters, definition, device, cluster, type, data) {
	const msg = { data, cluster, type, endpoint: device.endpoints[0], device, groupID: 0, linkquality: 255,
		meta: { zclTransactionSequenceNumber: ++sequence, frameControl: {}, rawData: Buffer.alloc(0) } };
	let payload = {};
	for (const c of converters.filter((c) => c.cluster === cluster && [c.type].flat().includes(type))) {
		try {
			payload = { ...payload, ...c.convert(definition, msg, () => {}, { color_sync: false }, { state: {}, device, deviceExposesChanged() {} }) };
		} catch (error) {
			/* A number that it has no word for. */
			if (!/not found in/.test(error.message)) throw error;
		}
	}
	return payload;
}

const WIDTH = { [DataType.BOOLEAN]: 1, [DataType.ENUM8]: 1, [DataType.BITMAP8]: 1, [DataType.UINT8]: 1, [DataType.INT8]: 1, [DataType.BITMAP16]: 2, [DataType.UINT16]: 2,
	[DataType.INT16]: 2, [DataType.UINT24]: 3, [DataType.INT24]: 3, [DataType.UINT48]: 6, [DataType.SINGLE_PREC]: 4, [DataType.BITMAP32]: 4, [DataType.ENUM16]: 2 };

/* Little-endian; floats as they are. */
function bytesOf(type, v) {
	const b = Buffer.alloc(WIDTH[type]);
	if (type === DataType.SINGLE_PREC) b.writeFloatLE(v);
	else for (let i = 0, rest = BigInt.asUintN(8 * b.length, BigInt(v)); i < b.length; i++, rest >>= 8n) b[i] = Number(rest & 0xffn);
	return b;
}

function valuesOf(type, n) {
	if (type === DataType.SINGLE_PREC) return [...Array(n)].map(() => (random(2000) - 200) / 8);
	const bits = 8 * WIDTH[type], span = Math.min(2 ** bits, 65536);
	if (type === DataType.BOOLEAN) return [0, 1];
	const edges = [0, 1, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2 ** bits - 2, 2 ** bits - 1];
	return [...edges, ...[...Array(n)].map(() => random(span))];
}

/* An attribute's report, from its bytes on: what herdsman reads, and what the converters make of it. */
async function read(e, cluster, attribute, values, converters) {
	const name = clusterName(cluster), a = Object.values(Clusters[name].attributes).find((x) => x.ID === attribute && x.manufacturerCode === undefined);
	const device = deviceOf(e), definition = await definitionOf(device);
	for (const v of values ?? valuesOf(a.type, 10)) {
		const bytes = bytesOf(a.type, v);
		const frame = Buffer.concat([Buffer.from([0x18, 1, 0x0a, attribute & 0xff, attribute >> 8, a.type]), bytes]);
		const parsed = Frame.fromBuffer(cluster, Zcl.Header.fromBuffer(frame), frame, {}).payload[0].attrData;
		const payload = convert(converters ?? definition.fromZigbee, definition, device, name, "attributeReport", { [a.name]: parsed });
		console.log(`read|${words(e)}|${hex(cluster)} ${hex(attribute)} ${hex(a.type, 2)} ${bytes.toString("hex")}|${reduce(payload, name, e[0])}`);
	}
}

async function readAll() {
	for (const [cluster, attribute] of [[0x0001, 0x0021], [0x0002, 0], [0x0006, 0], [0x0008, 0], [0x0101, 0], [0x0102, 8], [0x0102, 9], [0x0201, 0],
		[0x0201, 0x12], [0x0400, 0], [0x0402, 0], [0x0403, 0], [0x0404, 0], [0x0405, 0], [0x0406, 0], [0x0408, 0], [0x042a, 0], [0x000c, 0x55],
		[0x000d, 0x55], [0x000f, 0x55], [0x0010, 0x55]]) await read(list([cluster]), cluster, attribute);
	await read(list([0x040d]), 0x040d, 0, [0, 0.0004, 0.000415, 0.001, 0.01, 1]);
	await read(list([0x0201]), 0x0201, 0x1c, [0, 1, 3, 4, 5, 6, 7, 8, 9, 2, 255]);
	await read(list([0x0202]), 0x0202, 0, [0, 1, 2, 3, 4, 5, 6, 7, 255]);
	for (const sequence of [0, 4]) await read(list([0x0201], { "0201.001b": sequence }), 0x0201, 0x11);
	await read(list([0x0006, 0x0008, 0x0300], { "0300.400a": 16, "0300.400b": 153, "0300.400c": 500 }), 0x0300, 7, [1, 153, 154, 250, 370, 454, 499, 500, 1000]);
	for (const [bits, attribute] of [[9, 0], [9, 1], [11, 0x4000]]) await read(list([0x0006, 0x0008, 0x0300], { "0300.400a": bits }), 0x0300, attribute);
	for (const scale of [{}, { "0702.0301": 1, "0702.0302": 1000 }, { "0702.0301": 3, "0702.0302": 3600000 }, { "0702.0301": 1, "0702.0302": 0 }])
		for (const attribute of [0, 0x400]) await read(list([0x0702], scale), 0x0702, attribute);
	for (const [attribute, m] of [[0x0505, "0600"], [0x0508, "0602"], [0x050b, "0604"]]) {
		await read(list([0x0b04]), 0x0b04, attribute);
		await read(list([0x0b04], { [`0b04.${m}`]: 1, [`0b04.${hex(Number.parseInt(m, 16) + 1)}`]: 100 }), 0x0b04, attribute);
		await read(list([0x0b04], { [`0b04.${m}`]: 7, [`0b04.${hex(Number.parseInt(m, 16) + 1)}`]: 13 }), 0x0b04, attribute);
	}
	await read(list([0x0b04], { "0b04.0400": 1, "0b04.0401": 100 }), 0x0b04, 0x300);
	await read(list([0x0b04], { "0b04.0510": 50 }), 0x0b04, 0x510);
	for (const [attribute, m] of [[0x0100, "0200"], [0x0103, "0202"], [0x0106, "0204"]])
		await read(list([0x0b04], { "0b04.0000": 0x40, [`0b04.${m}`]: 1, [`0b04.${hex(Number.parseInt(m, 16) + 1)}`]: 10 }), 0x0b04, attribute);
}

/* By the zone's type; undefined: it does not say. */
const zones = [[undefined, "generic", ["alarm_1", "alarm_2"]], [0x0015, "contact", ["alarm_1"]], [0x000d, "occupancy", ["alarm_1"]], [0x0028, "smoke", ["alarm_1"]],
	[0x002a, "water_leak", ["alarm_1"]], [0x002b, "carbon_monoxide", ["alarm_1"]], [0x002d, "vibration", ["alarm_1"]]];
const zoneOf = ([, zoneType, alarms]) => modernExtend.iasZoneAlarm({ zoneType, zoneAttributes: [...alarms, "tamper", "battery_low"] }).fromZigbee;
const zoneList = ([type]) => list([0x0500], type === undefined ? {} : { "0500.0001": type });

async function readZones() {
	for (const zone of zones) await read(zoneList(zone), 0x0500, 2, [...Array(16).keys(), 0x30, 0xffff], zoneOf(zone));
}

/* A command, from its fields on: bytes by herdsman, read back by herdsman. */
async function heard(e, cluster, name, payload, converters, toClient = 0) {
	const clusterKey = clusterName(cluster), device = deviceOf(e), definition = await definitionOf(device);
	const buffer = Frame.create(FrameType.SPECIFIC, toClient, false, undefined, 1, name, clusterKey, payload, {}).toBuffer();
	const frame = Frame.fromBuffer(cluster, Zcl.Header.fromBuffer(buffer), buffer, {});
	const result = convert(converters ?? definition.fromZigbee, definition, device, clusterKey, `command${capital(name)}`, frame.payload);
	console.log(`heard|${words(e)}|${hex(cluster)} ${hex(buffer[2], 2)} ${toClient ? "c" : "s"} ${buffer.subarray(3).toString("hex")}|` +
		reduce(result, clusterKey, e[0]));
}

async function heardAll() {
	const on = list([], {}, [0x0006]), level = list([], {}, [0x0008]), color = list([], {}, [0x0300]), cover = list([], {}, [0x0102]);
	const n = () => random(254);
	for (const name of ["on", "off", "toggle"]) await heard(on, 0x0006, name, {});
	await heard(on, 0x0006, "offWithEffect", { effectid: 0, effectvariant: 1 });
	await heard(on, 0x0006, "onWithRecallGlobalScene", {});
	await heard(on, 0x0006, "onWithTimedOff", { ctrlbits: 0, ontime: 10, offwaittime: 0 });
	for (let i = 0; i < 4; i++) {
		const options = { optionsMask: 0, optionsOverride: 0 };
		for (const end of ["", "WithOnOff"]) {
			await heard(level, 0x0008, `moveToLevel${end}`, { level: n(), transtime: n(), ...options });
			await heard(level, 0x0008, `move${end}`, { movemode: i % 2, rate: n(), ...options });
			await heard(level, 0x0008, `step${end}`, { stepmode: i % 2, stepsize: n(), transtime: n(), ...options });
			await heard(level, 0x0008, `stop${end}`, options);
		}
		await heard(color, 0x0300, "moveToHue", { hue: n(), direction: 0, transtime: n(), ...options });
		await heard(color, 0x0300, "moveHue", { movemode: i, rate: n(), ...options });
		await heard(color, 0x0300, "stepHue", { stepmode: 1 + (i & 2), stepsize: n(), transtime: n(), ...options });
		await heard(color, 0x0300, "moveToSaturation", { saturation: n(), transtime: n(), ...options });
		await heard(color, 0x0300, "stepSaturation", { stepmode: 1 + (i & 2), stepsize: n(), transtime: n(), ...options });
		await heard(color, 0x0300, "moveToHueAndSaturation", { hue: n(), saturation: n(), transtime: n(), ...options });
		await heard(color, 0x0300, "moveToColor", { colorx: n(), colory: n(), transtime: n(), ...options });
		await heard(color, 0x0300, "moveToColorTemp", { colortemp: 150 + n(), transtime: n(), ...options });
		await heard(color, 0x0300, "enhancedMoveToHueAndSaturation", { enhancehue: n(), saturation: n(), transtime: n(), ...options });
		await heard(color, 0x0300, "colorLoopSet", { updateflags: 15, action: i, direction: 0, time: n(), starthue: n(), ...options });
		await heard(color, 0x0300, "stopMoveStep", options);
		for (const movemode of [0, 1, 3])
			await heard(color, 0x0300, "moveColorTemp", { movemode, rate: n(), minimum: 0, maximum: 500, ...options });
		await heard(color, 0x0300, "stepColorTemp", { stepmode: 1 + (i & 2), stepsize: n(), transtime: n(), minimum: 0, maximum: 500, ...options });
	}
	for (const name of ["upOpen", "downClose", "stop"]) await heard(cover, 0x0102, name, {});
	const scenes = list([], {}, [0x0005]), keypad = list([], {}, [0x0501]);
	for (const sceneid of [0, 1, 2, 7, 15, 16]) await heard(scenes, 0x0005, "recall", { groupid: 3, sceneid }, [fz.command_recall]);
	for (const armmode of [0, 1, 2, 3]) await heard(keypad, 0x0501, "arm", { armmode, code: "1234", zoneid: 0 }, [fz.command_arm]);
	await heard(keypad, 0x0501, "emergency", {}, [fz.command_emergency]);
	await heard(keypad, 0x0501, "panic", {}, [fz.command_panic]);
	for (const zone of zones) {
		for (const zonestatus of [...Array(16).keys(), 0x30])
			await heard(zoneList(zone), 0x0500, "statusChangeNotification", { zonestatus, extendedstatus: 0, zoneID: 0, delay: 0 }, zoneOf(zone), 1);
	}
}

/* What an entity is asked to send, as bytes. */
async function order(e, cap, value, key, theirs, converter, state = {}) {
	const device = deviceOf(e), definition = await definitionOf(device), entity = device.endpoints[0], sent = [];
	const toServer = 0;
	entity.command = async (cluster, name, payload) => {
		const buffer = Frame.create(FrameType.SPECIFIC, toServer, true, undefined, 1, name, cluster, payload, {}).toBuffer();
		sent.push(`${hex(Clusters[cluster].ID)} c ${hex(buffer[2], 2)} ${buffer.subarray(3).toString("hex")}`);
	};
	entity.write = async (cluster, attributes) => {
		const rows = Object.entries(attributes).map(([name, v]) => {
			const a = Clusters[cluster].attributes[name];
			return { attrId: a.ID, dataType: a.type, attrData: v };
		});
		const buffer = Frame.create(FrameType.GLOBAL, toServer, true, undefined, 1, "write", cluster, rows, {}).toBuffer();
		sent.push(`${hex(Clusters[cluster].ID)} w ${hex(buffer[2], 2)} ${buffer.subarray(3).toString("hex")}`);
	};
	const found = converter ?? definition.toZigbee.find((c) => c.key?.includes(key) && c.convertSet &&
		!["scene_store", "read", "write", "command"].includes(c.key[0]));
	const meta = { state, message: { [key]: theirs }, mapped: definition, options: {}, device, endpoint_name: undefined, publish() {} };
	await found.convertSet(entity, key, theirs, meta);
	console.log(`order|${words(e)}|${cap}=${value}|${sent.join(";")}`);
}

async function orderAll() {
	const lamp = (bits) => list([0x0006, 0x0008, 0x0300], { "0300.400a": bits, "0300.400b": 153, "0300.400c": 500 });
	const color = [tz.light_color], cover = list([0x0102]);
	for (const on of [0, 1]) await order(list([0x0006]), "on-off", on, "state", on ? "ON" : "OFF");
	for (const on of [0, 1]) await order(list([0x0006, 0x0008]), "on-off", on, "state", on ? "ON" : "OFF");
	for (const p of [0, 1, 2, 33, 50, 66, 99, 100]) await order(list([0x0006, 0x0008]), "level", p, "brightness", Math.round((p * 254) / 100));
	for (const m of [153, 200, 370, 499, 500]) await order(lamp(16), "color-temperature", m, "color_temp", m);
	for (const hue of [0, 1, 60, 120, 179, 240, 300, 359]) {
		await order(lamp(9), "color-hue", hue, "color", { hue }, color[0]);
		await order(lamp(11), "color-hue", hue, "color", { hue }, color[0]);
	}
	for (const saturation of [0, 1, 33, 50, 77, 100]) await order(lamp(9), "color-saturation", saturation, "color", { saturation }, color[0]);
	for (const hue of [0, 60, 120, 180, 240, 300]) await order(lamp(8), "color-hue", hue, "color", { hue, saturation: 100 }, color[0]);
	for (const p of [0, 1, 30, 50, 99, 100]) {
		await order(cover, "cover-position", p, "position", p);
		await order(cover, "cover-tilt", p, "tilt", p);
	}
	for (const move of ["open", "close", "stop"]) await order(cover, "cover-move", move, "state", move.toUpperCase());
	for (const [ourWord, word] of [["locked", "LOCK"], ["unlocked", "UNLOCK"]]) await order(list([0x0101]), "lock-state", ourWord, "state", word);
	for (const t of [7, 18.5, 20, 21.5, 30]) {
		await order(list([0x0201]), "target-temperature", t, "occupied_heating_setpoint", t);
		await order(list([0x0201], { "0201.001b": 0 }), "target-temperature", t, "occupied_cooling_setpoint", t);
		await order(list([0x0201], { "0201.001b": 4 }), "target-cooling", t, "occupied_cooling_setpoint", t);
	}
	for (const mode of ["off", "auto", "cool", "heat", "emergency_heating", "precooling", "fan_only", "dry", "sleep"])
		await order(list([0x0201], { "0201.001b": 4 }), "thermostat-mode", modes[mode] ?? mode, "system_mode", mode);
	for (const mode of ["off", "low", "medium", "high", "on", "auto", "smart"]) await order(list([0x0202]), "fan-mode", mode, "fan_mode", mode);
	const on = { mode: "burglar", level: "high", strobe: true, strobe_duty_cycle: 5, duration: 240 };
	await order(list([0x0502]), "siren", 1, "warning", on);
	await order(list([0x0502]), "siren", 0, "warning", { mode: "stop", level: "low", strobe: false, strobe_duty_cycle: 0, duration: 0 });
	for (const v of [0, 1]) await order(list([0x0010]), "output", v, "binary_output_1", v ? "ON" : "OFF");
	for (const v of [-2.5, 0, 17]) await order(list([0x000d]), "analog-output", v, "analog_output_1", v);
}

await readAll();
await readZones();
await heardAll();
await orderAll();
