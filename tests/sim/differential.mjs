// differential - records what Zigbee2MQTT publishes for a fixed set of frames, so that our own plugin can be held against it.
//
//   node differential.mjs [FILE]     (default: captures/values.jsonl beside this file; takes about a minute)
//
// One frame a line: what the simulated device was told to do (a request of the control channel without "id"), the properties that
// were looked at and what Zigbee2MQTT published of them within a while. A property that it did not publish is null: it took the
// frame for no reading. `order` lines are the other way: what was asked of a device, and which attribute it had afterwards.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Broker } from "./broker.js";
import { ControlClient } from "./control_client.js";
import { Home } from "./home.js";
import { DEVICES } from "./znp/devices.js";

const QUIET_MS = 250;
const out = process.argv[2] ?? new URL("captures/values.jsonl", import.meta.url).pathname;
const KINDS = Object.keys(DEVICES).filter((name) => DEVICES[name].installCode === undefined);

/* device, attribute, values, properties */
const REPORTS = [
	["climate", "temperature.measured", [2345, -1, -1210, 0, 12500, -4000, -32768], ["temperature"]],
	["climate", "humidity.measured", [4820, 0, 10000, 1, 65535], ["humidity"]],
	["climate", "power.batteryPercentage", [200, 150, 1, 0, 255], ["battery"]],
	["outlet", "onOff.onOff", [true, false], ["state"]],
	["bulb", "onOff.onOff", [true, false], ["state"]],
	["bulb", "level.currentLevel", [254, 1, 127, 128, 3], ["brightness"]],
	["bulb", "color.colorTemperature", [250, 454, 300, 370], ["color_temp"]],
	["plug", "electrical.power", [0, 418, 12345, -100, -32768], ["power"]],
	["plug", "electrical.voltage", [2301, 0, 65535], ["voltage"]],
	["plug", "electrical.current", [182, 5360, 0, 65535], ["current"]],
	["plug", "metering.delivered", [0, 123999, 4294967296, 1], ["energy"]],
	["lock", "doorLock.lockState", [1, 2, 0], ["lock_state"]],
	["thermostat", "thermostat.localTemperature", [2175, -500, 0, -32768], ["local_temperature"]],
	["thermostat", "thermostat.occupiedHeating", [2000, 2250, 500], ["occupied_heating_setpoint"]],
	["thermostat", "thermostat.occupiedCooling", [2600], ["occupied_cooling_setpoint"]],
	["thermostat", "thermostat.systemMode", [0, 3, 4], ["system_mode"]],
	["blind", "windowCovering.currentLift", [0, 30, 100, 255], ["position"]],
	["presence", "occupancy.occupancy", [1, 0], ["occupancy"]],
];
const ZONES = [["contact", "contact"], ["motion", "occupancy"], ["leak", "water_leak"]];
const PRESSES = ["on", "off", "brighter", "darker", "released"];
const ORDERS = [
	["outlet", { state: "ON" }, "onOff.onOff"], ["outlet", { state: "OFF" }, "onOff.onOff"],
	["bulb", { brightness: 127, transition: 0 }, "level.currentLevel"], ["bulb", { color_temp: 300 }, "color.colorTemperature"],
	["blind", { position: 25 }, "windowCovering.currentLift"], ["blind", { state: "OPEN" }, "windowCovering.currentLift"],
	["lock", { state: "UNLOCK" }, "doorLock.lockState"], ["lock", { state: "LOCK" }, "doorLock.lockState"],
	["thermostat", { occupied_heating_setpoint: 22.5 }, "thermostat.occupiedHeating"],
	["thermostat", { system_mode: "off" }, "thermostat.systemMode"], ["thermostat", { system_mode: "heat" }, "thermostat.systemMode"],
];

function requests() {
	const rows = REPORTS.flatMap(([device, attr, values, properties]) =>
		values.map((value) => ({ request: { op: "report", device, attr, value }, properties })));
	for (const [device, property] of ZONES)
		for (const value of [1, 0, 2, 4, 8, 9, 0x000d, 0])
			rows.push({ request: { op: "set", device, attr: "iasZone.zoneStatus", value }, properties: [property, "tamper", "battery_low"] });
	return rows.concat(PRESSES.map((what) => ({ request: { op: "press", device: "remote", what }, properties: ["action"] })));
}

const dir = mkdtempSync(join(tmpdir(), "sim-differential-"));
const broker = await new Broker().start();
const home = new Home({ dir, mqtt: { server: broker.url } });
const lines = [];
try {
	const mqtt = await broker.connect();
	await home.start();
	await home.pair(KINDS);
	const control = await ControlClient.connect(home.simulator.control);
	await sleep(500);
	await mqtt.subscribe("zigbee2mqtt/+");
	for (const { request, properties } of requests()) {
		await sleep(QUIET_MS);
		mqtt.messages.length = 0;
		await control.ask(request);
		await sleep(QUIET_MS);
		const states = mqtt.messages.filter(({ topic, retain }) => topic === `zigbee2mqtt/${request.device}` && !retain).map(({ payload }) => JSON.parse(payload));
		lines.push({ request, said: Object.fromEntries(properties.map((name) => [name, states.findLast((state) => state[name] !== undefined)?.[name] ?? null])) });
	}
	for (const [device, order, attr] of ORDERS) {
		await mqtt.publish(`zigbee2mqtt/${device}/set`, order);
		await sleep(2 * QUIET_MS);
		lines.push({ device, order, attr, became: (await control.ask({ op: "get", device, attr })).value });
	}
	control.close();
	await mqtt.close();
} finally {
	await home.stop();
	await broker.stop();
	rmSync(dir, { recursive: true });
}
writeFileSync(out, `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
console.log(`${lines.length} lines`);
process.exit(0);
