// The simulated network is accepted by Zigbee2MQTT: it knows every device, its commands arrive there,
// reports arrive here, and it sees who falls silent. The broker is a real Mosquitto.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Broker } from "./broker.js";
import { ControlClient } from "./control_client.js";
import { Home } from "./home.js";
import { DEVICES } from "./znp/devices.js";

const MODELS = { outlet: "E160x/E170x/E190x", bulb: "LED1545G12", climate: "SNZB-02D", contact: "SNZB-04_eWeLink", plug: "SP 240",
	lock: "YRD226HA2619", colour: "RB 285 C", blind: "E1757", thermostat: "Zen-01-W", remote: "E1743", motion: "SNZB-03", presence: "SNZB-03P",
	leak: "HS1WL/HS3WL", smoke: "HS3SA/HS1SA", siren: "HS2WD-E" };
const dir = mkdtempSync(join(tmpdir(), "znp-z2m-"));
let broker;
let mqtt;
let home;
let control;

async function stopHome() {
	control?.close();
	await home?.stop();
	control = home = undefined;
}

before(async () => {
	broker = await new Broker().start();
	mqtt = await broker.connect();
	await mqtt.subscribe("zigbee2mqtt/#");
	home = await new Home({ dir, mqtt: { server: broker.url }, availability: { active: 8, passive: 6 } }).start();
	control = await ControlClient.connect(home.simulator.control);
	await addInstallCodes();
	await home.pair(Object.keys(DEVICES));
});

/* As on the sticker of a device: filler, address, a maker's letters, code. */
async function addInstallCodes() {
	for (const { eui, installCode } of Object.values(DEVICES)) {
		if (installCode === undefined) continue;
		const answer = mqtt.next("zigbee2mqtt/bridge/response/install_code/add");
		const value = `${"0".repeat(40)}${eui.slice(2).toUpperCase()}DLK${installCode.toUpperCase()}`;
		await mqtt.publish("zigbee2mqtt/bridge/request/install_code/add", { value });
		assert.equal((await answer).status, "ok");
	}
}

after(async () => {
	await stopHome();
	await mqtt.close();
	await broker.stop();
	rmSync(dir, { recursive: true });
});

test("every device is supported and identified as what it is", () => {
	const devices = mqtt.latest("zigbee2mqtt/bridge/devices").filter((device) => device.type !== "Coordinator");
	assert.ok(devices.every((device) => device.supported && device.interview_state === "SUCCESSFUL"));
	assert.deepEqual(Object.fromEntries(devices.map((device) => [device.friendly_name, device.definition.model])), MODELS);
});

test("a switch command reaches the outlet and its state comes back", async () => {
	const state = mqtt.next("zigbee2mqtt/outlet", (s) => s.state === "ON");
	await mqtt.publish("zigbee2mqtt/outlet/set", { state: "ON" });
	await control.ask({ op: "wait", device: "outlet", attr: "onOff.onOff", value: true });
	await state;
});

test("the bulb takes brightness and colour temperature", async () => {
	const state = mqtt.next("zigbee2mqtt/bulb", (s) => s.brightness === 77 && s.color_temp === 300);
	await mqtt.publish("zigbee2mqtt/bulb/set", { brightness: 77, color_temp: 300 });
	await control.ask({ op: "wait", device: "bulb", attr: "level.currentLevel", value: 77 });
	await control.ask({ op: "wait", device: "bulb", attr: "color.colorTemperature", value: 300 });
	await state;
});

const REPORTS = [
	["climate", "temperature.measured", 1987, (s) => s.temperature === 19.87],
	["climate", "humidity.measured", 6120, (s) => s.humidity === 61.2],
	["climate", "power.batteryPercentage", 150, (s) => s.battery === 75],
	["contact", "iasZone.zoneStatus", 1, (s) => s.contact === false],
	["contact", "iasZone.zoneStatus", 0, (s) => s.contact === true],
	["plug", "electrical.power", 1234, (s) => s.power === 123.4],
	["plug", "metering.delivered", 200000, (s) => s.energy === 200],
	["lock", "doorLock.lockState", 2, (s) => s.state === "UNLOCK"],
	["motion", "iasZone.zoneStatus", 1, (s) => s.occupancy === true],
	["presence", "occupancy.occupancy", 1, (s) => s.occupancy === true],
	["leak", "iasZone.zoneStatus", 1, (s) => s.water_leak === true],
	["smoke", "iasZone.zoneStatus", 1, (s) => s.smoke === true],
	["thermostat", "thermostat.localTemperature", 2175, (s) => s.local_temperature === 21.75],
	["blind", "windowCovering.currentLift", 30, (s) => s.position === 70],
];
for (const [device, attr, value, arrived] of REPORTS)
	test(`the ${device} reports ${attr} ${value}`, async () => {
		const state = mqtt.next(`zigbee2mqtt/${device}`, arrived);
		await control.ask({ op: attr === "iasZone.zoneStatus" ? "set" : "report", device, attr, value });
		await state;
	});

const COMMANDS = [
	["colour", { color: { x: 0.3, y: 0.4 } }, "color.x", 19661],
	["blind", { position: 25 }, "windowCovering.currentLift", 75],
	["thermostat", { occupied_heating_setpoint: 22.5 }, "thermostat.occupiedHeating", 2250],
	["thermostat", { system_mode: "off" }, "thermostat.systemMode", 0],
];
for (const [device, payload, attr, value] of COMMANDS)
	test(`the ${device} takes ${JSON.stringify(payload)}`, async () => {
		await mqtt.publish(`zigbee2mqtt/${device}/set`, payload);
		await control.ask({ op: "wait", device, attr, value });
	});

test("the siren sounds", async () => {
	await mqtt.publish("zigbee2mqtt/siren/set", { warning: { mode: "burglar", level: "high", duration: 7, strobe: true } });
	const warned = async () => (await control.ask({ op: "state", device: "siren" })).state.endpoints[1].memory.warning;
	while ((await warned())?.duration !== 7) await sleep(20);
});

test("presses of the remote are actions", async () => {
	for (const [what, action] of [["on", "on"], ["off", "off"], ["brighter", "brightness_move_up"], ["released", "brightness_stop"]]) {
		const pressed = mqtt.next("zigbee2mqtt/remote", (s) => s.action === action);
		assert.ok((await control.ask({ op: "press", device: "remote", what })).sent > 0);
		await pressed;
	}
});

test("the lock locks", async () => {
	const state = mqtt.next("zigbee2mqtt/lock", (s) => s.state === "LOCK" && s.lock_state === "locked");
	await mqtt.publish("zigbee2mqtt/lock/set", { state: "LOCK" });
	await control.ask({ op: "wait", device: "lock", attr: "doorLock.lockState", value: 1 });
	await state;
});

test("who falls silent goes offline, who is heard again comes back", async () => {
	const becomes = (name, state) => mqtt.until(`zigbee2mqtt/${name}/availability`, (a) => a.state === state, 45000);
	await control.ask({ op: "fault", device: "climate", silent: true });
	await control.ask({ op: "fault", device: "outlet", gone: true });
	await Promise.all([becomes("outlet", "offline"), becomes("climate", "offline")]);
	await control.ask({ op: "fault", device: "climate", silent: false });
	await control.ask({ op: "fault", device: "outlet", gone: false });
	await control.ask({ op: "report", device: "climate", attr: "temperature.measured", value: 2001 });
	await control.ask({ op: "report", device: "outlet", attr: "onOff.onOff" });
	await Promise.all([becomes("outlet", "online"), becomes("climate", "online")]);
});

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

/* Gives { child, ended, ready }: ready is the line it prints. */
async function runHome() {
	const child = spawn(process.execPath, [new URL("run_home.mjs", import.meta.url).pathname, "--dir", dir, "--mqtt-server", broker.url],
		{ stdio: ["ignore", "pipe", "inherit"] });
	const ended = new Promise((resolve) => child.once("exit", resolve));
	const line = await new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
	return { child, ended, ready: JSON.parse(line) };
}

test("run_home finds the devices again after a restart, and leaves nothing behind", async () => {
	await stopHome();
	const { child, ended, ready } = await runHome();
	const client = await ControlClient.connect(ready.control);
	assert.equal((await client.ask({ op: "get", device: "outlet", attr: "onOff.onOff" })).value, true);
	await mqtt.publish("zigbee2mqtt/outlet/set", { state: "OFF" });
	await client.ask({ op: "wait", device: "outlet", attr: "onOff.onOff", value: false });
	client.close();
	child.kill("SIGTERM");
	assert.equal(await ended, 0);
	assert.equal(isAlive(ready.pid), false);
});

test("Zigbee2MQTT does not outlive a run_home that is killed", async () => {
	const { child, ended, ready } = await runHome();
	child.kill("SIGKILL");
	await ended;
	for (let tries = 0; isAlive(ready.pid) && tries < 100; tries++) await sleep(100);
	assert.equal(isAlive(ready.pid), false);
});
