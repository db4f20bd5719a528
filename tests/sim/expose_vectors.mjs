// expose_vectors - writes tests/unit/expose_vectors.txt: 1,000 random lists of endpoints, and what zigbee-herdsman-converters' generator
// for unknown devices makes of each, in our words.
//
//   node expose_vectors.mjs > ../unit/expose_vectors.txt
//
// A line: the endpoints in the device's order, "|", what they are exposed as. An endpoint is e<number>,i<clusters>,o<clusters> and one
// a<cluster>.<attribute>=<value> for each attribute that can be read; an exposed thing is <endpoint>:<capability>. A property of theirs
// without an endpoint is that of the first one with the cluster. Properties for which the gateway has no capability are named in
// `nothing` below; one that is in no list ends the run. The same run writes the same file.

import { definitionOf, deviceOf, dice, hex, words } from "./unknown_device.mjs";

const LISTS = 1000;
const random = dice(0x600df00d);
const pick = (list) => list[random(list.length)];

const inputs = [0x0001, 0x0002, 0x0003, 0x0006, 0x0008, 0x000c, 0x000d, 0x000f, 0x0010, 0x0101, 0x0102, 0x0201, 0x0202, 0x0204, 0x0300, 0x0301,
	0x0400, 0x0402, 0x0403, 0x0404, 0x0405, 0x0406, 0x0408, 0x040d, 0x042a, 0x0500, 0x0502, 0x0702, 0x0b04];
const others = [0x0000, 0x0003, 0x0004, 0x0005, 0x000a, 0x0019, 0x0020, 0x0b05, 0x1000];
const outputs = [0x0005, 0x0006, 0x0008, 0x0102, 0x0300];
/* What real devices have together. */
const sets = [[0x0006, 0x0008, 0x0300], [0x0006, 0x0008], [0x0006, 0x0702, 0x0b04], [0x0001, 0x0402, 0x0405], [0x0001, 0x0500], [0x0101, 0x0001],
	[0x0102], [0x0201, 0x0202], [0x0201, 0x0204], [0x0500, 0x0502], [0x0001, 0x0400, 0x0406], [0x0702], [0x0b04]];

/* Attributes that decide: cluster, attribute, values. */
const facts = [
	[0x0300, 0x400a, [0, 1, 2, 3, 4, 8, 9, 11, 16, 24, 25, 27, 31]],
	[0x0300, 0x400b, [153, 200]],
	[0x0300, 0x400c, [454, 500]],
	[0x0201, 0x001b, [0, 1, 2, 3, 4, 5]],
	[0x0b04, 0x0000, [0x08, 0x40, 0x48]],
	[0x0500, 0x0001, [0x0000, 0x000d, 0x0015, 0x0028, 0x002a, 0x002b, 0x002d, 0x010f, 0x0225, 0x0226, 0xffff]],
	[0x0102, 0x0000, [0, 4, 6, 7, 8, 9]],
	[0x0001, 0x0020, [30]],
	[0x0001, 0x003e, [0]],
	[0x0101, 0x0003, [1]],
	[0x0702, 0x0300, [0, 1, 7]],
	[0x0702, 0x0306, [0, 1, 2]],
	[0x0b04, 0x0401, [100]],
	[0x0b04, 0x0510, [98]],
];

function randomEndpoint(id) {
	const ins = new Set(), outs = new Set(), attributes = new Map();
	if (random(2)) for (const c of pick(sets)) ins.add(c);
	for (let i = random(5); i > 0; i--) ins.add(pick(inputs));
	for (let i = random(3); i > 0; i--) ins.add(pick(others));
	if (random(3) === 0) for (let i = random(4); i > 0; i--) outs.add(pick(outputs));
	if (random(3) === 0) outs.add(pick(others));
	for (const [cluster, attribute, values] of facts) {
		if (ins.has(cluster) && random(5) < 2) attributes.set(`${hex(cluster)}.${hex(attribute)}`, pick(values));
	}
	return { id, ins: [...ins], outs: [...outs], attributes };
}

function randomList() {
	const ids = new Set([random(8) ? 1 : 2 + random(20)]);
	for (let i = random(2) ? 0 : random(4); i > 0; i--) ids.add(1 + random(12));
	const list = [...ids].map(randomEndpoint);
	if (random(6) === 0) list.push({ id: 242, ins: [], outs: [0x0021], attributes: new Map() });
	return list;
}

/* Property -> capabilities, clusters that it may come from. */
const ours = {
	brightness: [["level"], [0x0008, 0x0300]],
	color_temp: [["color-temperature"], [0x0300]],
	color_xy: [["color-hue", "color-saturation"], [0x0300]],
	color_hs: [["color-hue", "color-saturation"], [0x0300]],
	position: [["cover-position"], [0x0102]],
	tilt: [["cover-tilt"], [0x0102]],
	local_temperature: [["temperature"], [0x0201]],
	occupied_heating_setpoint: [["target-temperature"], [0x0201]],
	system_mode: [["thermostat-mode"], [0x0201]],
	fan_mode: [["fan-mode"], [0x0202]],
	mode: [["fan-mode"], [0x0202]],
	temperature: [["temperature"], [0x0402]],
	pressure: [["pressure"], [0x0403]],
	humidity: [["humidity"], [0x0405]],
	co2: [["co2"], [0x040d]],
	battery: [["battery"], [0x0001]],
	illuminance: [["illuminance"], [0x0400]],
	occupancy: [["occupancy"], [0x0406]],
	device_temperature: [["device-temperature"], [0x0002]],
	pm25: [["pm25"], [0x042a]],
	flow: [["flow"], [0x0404]],
	soil_moisture: [["soil-moisture"], [0x0408]],
	power: [["power"], [0x0702, 0x0b04]],
	voltage: [["voltage"], [0x0702, 0x0b04]],
	current: [["current"], [0x0702, 0x0b04]],
	energy: [["energy"], [0x0702, 0x0b04]],
	alarm_1: [["zone-alarm"], [0x0500]],
	alarm_2: [["zone-alarm"], [0x0500]],
	tamper: [["tamper"], [0x0500]],
	battery_low: [["battery-low"], [0x0500]],
	lock_state: [["lock-state"], [0x0101]],
	warning: [["siren"], [0x0502]],
};
const states = { light: ["on-off", [0x0006, 0x0008, 0x0300]], switch: ["on-off", [0x0006]], lock: ["lock-state", [0x0101]], cover: ["cover-move", [0x0102]],
	fan: ["fan-mode", [0x0202]] };
const ports = { binary_input: "input", binary_output: "output", analog_input: "analog-input", analog_output: "analog-output" };
const nothing = ["effect", "power_on_behavior", "color_temp_startup", "running_state", "identify", "keypad_lockout", "temperature_display_mode",
	"ballast_minimum_level", "ballast_maximum_level", "pin_code", "lock_action", "lock_action_source_name", "lock_action_user", "action_source_name",
	"action_user", "auto_relock_time", "sound_volume", "linkquality"];

/* What else is an action is a lock's. */
const pressed = /^(on|off|toggle|open|close|stop|stop_move_step|(hue|color|brightness|move_to|enhanced)_.*?)(_\d+)?$/;

function reduce(exposes, list) {
	const found = new Set();
	const ids = list.map((e) => String(e.id));
	const place = (endpoint, clusters) => endpoint ?? list.find((e) => clusters.some((c) => e.ins.includes(c)))?.id ?? list[0].id;
	const put = (endpoint, caps, clusters) => {
		for (const cap of caps) found.add(`${place(endpoint, clusters)}:${cap}`);
	};
	function leaf(e, parent, endpoint, siblings) {
		const at = e.endpoint ?? endpoint, port = /^([a-z]+_[a-z]+put)(_\d+)?$/.exec(e.name)?.[1];
		if (e.name === "state" && states[parent]) put(at, [states[parent][0]], states[parent][1]);
		else if (e.name === "action") {
			for (const value of e.values) {
				const end = /_(\d+)$/.exec(value)?.[1];
				if (pressed.test(value)) found.add(`${ids.includes(end) ? end : ids[0]}:button`);
				else put(undefined, ["button"], [0x0101]);
			}
		} else if (e.name === "occupied_cooling_setpoint") {
			put(at, [siblings.some((s) => s.name === "occupied_heating_setpoint") ? "target-cooling" : "target-temperature"], [0x0201]);
		} else if (port in ports) put(at ?? /_(\d+)$/.exec(e.name)?.[1], [ports[port]], []);
		else if (e.name in ours) put(at, ...ours[e.name]);
		else if (!nothing.includes(e.name)) throw new Error(`what is ${e.name}?`);
	}
	for (const e of exposes) {
		if (e.features && !(e.name in ours) && !nothing.includes(e.name)) {
			for (const f of e.features) leaf(f, e.type, e.endpoint, e.features);
		} else {
			leaf(e, undefined, undefined, []);
		}
	}
	return [...found].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
}

for (let i = 0; i < LISTS; i++) {
	const list = randomList(), device = deviceOf(list);
	const definition = await definitionOf(device);
	const exposes = typeof definition.exposes === "function" ? definition.exposes(device, {}) : definition.exposes;
	console.log(`${words(list)}|${reduce(exposes, list).join(" ")}`);
}
