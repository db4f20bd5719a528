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
	lock: "YRD226HA2619" };
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
	await home.pair(Object.keys(DEVICES));
});

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
];
for (const [device, attr, value, arrived] of REPORTS)
	test(`the ${device} reports ${attr} ${value}`, async () => {
		const state = mqtt.next(`zigbee2mqtt/${device}`, arrived);
		await control.ask({ op: attr === "iasZone.zoneStatus" ? "set" : "report", device, attr, value });
		await state;
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
