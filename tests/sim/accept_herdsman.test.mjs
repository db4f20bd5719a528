// The simulated network is accepted by zigbee-herdsman, a Zigbee stack that others wrote: it forms a
// network on it, lets devices join, interviews, binds, configures, controls, backs up and restores.

import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Controller, setLogger } from "zigbee-herdsman";
import { ControlClient } from "./control_client.js";
import { DEVICES } from "./znp/devices.js";
import { Simulator } from "./znp/simulator.js";

const quiet = () => {};
setLogger({ debug: quiet, info: quiet, warning: quiet, error: quiet });

const NETWORK_KEY = [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13];
const dir = mkdtempSync(join(tmpdir(), "znp-herdsman-"));
let simulator;
let control;
let controller;

function makeController() {
	return new Controller({
		network: { panID: 0x1a62, extendedPanID: [0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18], networkKey: NETWORK_KEY, channelList: [11] },
		serialPort: { path: `tcp://127.0.0.1:${simulator.serial}`, adapter: "zstack" },
		databasePath: join(dir, "database.db"), databaseBackupPath: join(dir, "database.db.backup"),
		backupPath: join(dir, "backup.json"), adapter: { disableLED: false }, acceptJoiningDeviceHandler: async () => true,
	});
}

/* The next event of that name for which `wanted` holds. */
function nextEvent(name, wanted = () => true, timeout = 15000) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => stop(reject, new Error(`no ${name} within ${timeout} ms`)), timeout);
		const onEvent = (event) => wanted(event) && stop(resolve, event);
		const stop = (end, value) => {
			clearTimeout(timer);
			controller.off(name, onEvent);
			end(value);
		};
		controller.on(name, onEvent);
	});
}

async function joinDevice(device) {
	const interviewed = nextEvent("deviceInterview", (e) => e.device.ieeeAddr === DEVICES[device].eui && e.status === "successful");
	await control.ask({ op: "join", device });
	return await interviewed;
}

function endpointOf(device) {
	return controller.getDeviceByIeeeAddr(DEVICES[device].eui).getEndpoint(1);
}

before(async () => {
	simulator = await new Simulator({ trace: process.env.SIM_TRACE && ((...row) => appendFileSync(process.env.SIM_TRACE, `${Date.now() % 1e6} ${JSON.stringify(row)}\n`)) }).start();
	control = await ControlClient.connect(simulator.control);
	controller = makeController();
});

after(async () => {
	control.close();
	await controller.stop().catch(() => {});
	await simulator.stop();
	rmSync(dir, { recursive: true });
});

test("forms a network as configured", async () => {
	assert.equal(await controller.start(), "reset");
	const { panID, channel } = await controller.getNetworkParameters();
	assert.deepEqual({ panID, channel }, { panID: 0x1a62, channel: 11 });
	const { network } = await control.ask({ op: "network" });
	assert.deepEqual(network, { pan: 0x1a62, channel: 11, epid: "0xa1b2c3d4e5f60718" });
});

test("nobody joins while joining is not permitted", async () => {
	await assert.rejects(control.ask({ op: "join", device: "outlet" }), /not permitted/);
	await controller.permitJoin(254);
	assert.equal((await control.ask({ op: "list" })).permitJoin, true);
});

const CODED = Object.entries(DEVICES).find(([, { installCode }]) => installCode !== undefined);

test("an install code is taken", async () => {
	const [, { eui, installCode }] = CODED;
	await controller.addInstallCode(`${"0".repeat(40)}${eui.slice(2).toUpperCase()}DLK${installCode.toUpperCase()}`);
});

const interviews = {};

test("all of them join at once", async () => {
	for (const device of Object.keys(DEVICES)) interviews[device] = joinDevice(device);
	await Promise.all(Object.values(interviews));
});

for (const [device, table] of Object.entries(DEVICES))
	test(`the ${device} has joined and was interviewed`, async () => {
		const { device: joined } = await interviews[device];
		assert.equal(joined.modelID, table.endpoints[1].attributes.basic.modelId);
		assert.equal(joined.manufacturerID, table.manufacturer);
		assert.equal(joined.type, table.type === "sleepy" ? "EndDevice" : "Router");
		assert.deepEqual(joined.endpoints.map((e) => e.ID), [1]);
	});

test("a device whose install code is not known stays out, and so does one for which somebody gave a wrong one", async () => {
	await assert.rejects(control.ask({ op: "join", device: "stranger", kind: CODED[0] }), /install code/);
	await controller.adapter.addInstallCode("0x000b57fffe01b202", Buffer.alloc(16), true);
	await assert.rejects(control.ask({ op: "join", device: "bulb-2", kind: "bulb" }), /install code/);
	await assert.rejects(controller.adapter.addInstallCode("0x000b57fffe01b202", Buffer.alloc(18), false), /bdbAddInstallCode/);
	const { devices } = await control.ask({ op: "list" });
	assert.deepEqual(devices.filter((d) => !d.joined).map((d) => d.name), ["stranger", "bulb-2"]);
});

test("the contact sensor was enrolled by the interview", async () => {
	assert.equal((await control.ask({ op: "get", device: "contact", attr: "iasZone.zoneState" })).value, 1);
});

test("a bound and configured attribute is reported with its value, an unbound one is not", async () => {
	const endpoint = endpointOf("climate");
	const reporting = [{ attribute: "measuredValue", minimumReportInterval: 0, maximumReportInterval: 3600, reportableChange: 10 }];
	await endpoint.configureReporting("msTemperatureMeasurement", reporting);
	await control.ask({ op: "set", device: "climate", attr: "temperature.measured", value: 2200 });
	await assert.rejects(nextEvent("message", (m) => m.type === "attributeReport", 300));
	await endpoint.bind("msTemperatureMeasurement", controller.getDevicesByType("Coordinator")[0].getEndpoint(1));
	const report = nextEvent("message", (m) => m.type === "attributeReport");
	await control.ask({ op: "set", device: "climate", attr: "temperature.measured", value: 2345 });
	const { data, cluster, device } = await report;
	assert.deepEqual([device.modelID, cluster, data.measuredValue], ["SNZB-02D", "msTemperatureMeasurement", 2345]);
	await control.ask({ op: "set", device: "climate", attr: "temperature.measured", value: 2349 });
	await assert.rejects(nextEvent("message", (m) => m.type === "attributeReport", 300), /no message/, "change below the threshold");
});

test("On reaches the outlet and reads back", async () => {
	await endpointOf("outlet").command("genOnOff", "on", {});
	assert.equal((await control.ask({ op: "get", device: "outlet", attr: "onOff.onOff" })).value, true);
	assert.deepEqual(await endpointOf("outlet").read("genOnOff", ["onOff"]), { onOff: 1 });
});

test("what a device does not have or let be written is refused by name", async () => {
	await assert.rejects(endpointOf("outlet").read("genOnOff", ["onTime"]), /UNSUPPORTED_ATTRIBUTE/);
	await assert.rejects(endpointOf("outlet").write("genBasic", { 5: { value: "x", type: 0x42 } }), /READ_ONLY/);
	await assert.rejects(endpointOf("outlet").write("genOnOff", { 0x4003: { value: 1, type: 0x21 } }), /INVALID_DATA_TYPE/);
});

test("a group command reaches the members only", async () => {
	const group = controller.createGroup(7);
	await endpointOf("bulb").addToGroup(group);
	await control.ask({ op: "set", device: "plug", attr: "onOff.onOff", value: false });
	await group.command("genOnOff", "on", {});
	await control.ask({ op: "wait", device: "bulb", attr: "onOff.onOff", value: true });
	assert.equal((await control.ask({ op: "get", device: "plug", attr: "onOff.onOff" })).value, false);
});

test("the neighbour table lists every device over several pages", async () => {
	const { neighbors } = await controller.getDevicesByType("Coordinator")[0].lqi()
		.then((table) => Array.isArray(table) ? { neighbors: table } : table);
	assert.equal(neighbors.length, Object.keys(DEVICES).length);
});

test("a mesh: each router tells its neighbours, and together they make a tree of all", async () => {
	await control.ask({ op: "air", children: 4 });
	const { devices } = await control.ask({ op: "list" });
	const parents = Object.fromEntries(devices.filter((d) => d.joined).map((d) => [d.eui, d.parent]));
	const found = {};
	const ask = async (device, name) => {
		const table = await device.lqi();
		for (const row of Array.isArray(table) ? table : table.neighbors)
			if (row.relationship === 1) found[row.eui64 ?? row.ieeeAddr] = name;
	};
	await ask(controller.getDevicesByType("Coordinator")[0], "coordinator");
	for (const router of devices.filter((d) => d.joined && DEVICES[d.name].type === "router"))
		await ask(controller.getDeviceByIeeeAddr(router.eui), router.name);
	assert.deepEqual(found, parents);
	assert.ok(Object.values(parents).filter((parent) => parent === "coordinator").length === 4);
});

test("a router goes: who is below it finds another way", async () => {
	const { devices } = await control.ask({ op: "list" });
	const child = devices.find((d) => d.joined && d.parent !== "coordinator");
	await control.ask({ op: "fault", device: child.parent, gone: true });
	const endpoint = controller.getDeviceByIeeeAddr(child.eui).getEndpoint(1);
	await endpoint.read("genBasic", ["modelId"]);
	assert.notEqual((await control.ask({ op: "state", device: child.name })).state.parent, child.parent);
	await control.ask({ op: "fault", device: child.parent, gone: false });
	await control.ask({ op: "air", children: null });
});

test("an answer of several fragments is fetched piece by piece", async () => {
	const values = await endpointOf("bulb").read("genBasic", Array.from({ length: 12 }, () => ["manufacturerName", "modelId"]).flat());
	assert.equal(values.modelId, "TRADFRI bulb E27 WS opal 980lm");
});

test("a report of several fragments, too", async () => {
	const reported = nextEvent("message", (m) => m.type === "attributeReport" && m.data.measuredValue === 1717);
	await control.ask({ op: "report", device: "climate", attr: "temperature.measured", value: 1717, times: 90 });
	await reported;
});

test("a sleeper gets what waited once it wakes; its parent gives up after a while", async () => {
	await control.ask({ op: "sleep", device: "contact", pollMs: 0 });
	const read = endpointOf("contact").read("genPowerCfg", ["batteryVoltage"]);
	while ((await control.ask({ op: "wake", device: "contact" })).waiting === 0) await sleep(20);
	assert.deepEqual(await read, { batteryVoltage: 30 });
	await control.ask({ op: "air", holdMs: 50 });
	await assert.rejects(endpointOf("contact").read("genPowerCfg", ["batteryVoltage"], { disableRecovery: true }), /0xf0/);
	await control.ask({ op: "air", holdMs: 1500 });
	await control.ask({ op: "sleep", device: "contact", pollMs: 60 });
});

test("a remote's press arrives once it is bound", async () => {
	assert.equal((await control.ask({ op: "press", device: "remote", what: "on" })).sent, 0);
	await endpointOf("remote").bind("genOnOff", controller.getDevicesByType("Coordinator")[0].getEndpoint(1));
	const pressed = nextEvent("message", (m) => m.type === "commandOn");
	assert.equal((await control.ask({ op: "press", device: "remote", what: "on" })).sent, 1);
	assert.equal((await pressed).device.modelID, "TRADFRI on/off switch");
});

test("the blind moves, the thermostat takes a setpoint, the siren a warning, the lamp a colour", async () => {
	await endpointOf("blind").command("closuresWindowCovering", "goToLiftPercentage", { percentageliftvalue: 40 });
	await control.ask({ op: "wait", device: "blind", attr: "windowCovering.currentLift", value: 40 });
	await endpointOf("thermostat").write("hvacThermostat", { occupiedHeatingSetpoint: 2150 });
	assert.equal((await control.ask({ op: "get", device: "thermostat", attr: "thermostat.occupiedHeating" })).value, 2150);
	await endpointOf("siren").command("ssIasWd", "startWarning", { startwarninginfo: 0x14, warningduration: 5, strobedutycycle: 0, strobelevel: 0 });
	assert.equal((await control.ask({ op: "state", device: "siren" })).state.endpoints[1].memory.warning.duration, 5);
	await endpointOf("colour").command("lightingColorCtrl", "moveToColor", { colorx: 20000, colory: 30000, transtime: 0 });
	assert.deepEqual(await endpointOf("colour").read("lightingColorCtrl", ["currentX", "currentY"]), { currentX: 20000, currentY: 30000 });
});

test("duplicates and frames out of order are all heard", async () => {
	await control.ask({ op: "air", duplicate: true, reorder: true });
	const heard = [];
	const listen = (message) => message.type === "attributeReport" && heard.push(message.data.measuredValue);
	controller.on("message", listen);
	for (const value of [1000, 1001, 1002, 1003]) await control.ask({ op: "report", device: "climate", attr: "temperature.measured", value });
	await sleep(100);
	controller.off("message", listen);
	await control.ask({ op: "air", duplicate: false, reorder: false });
	assert.deepEqual(new Set(heard), new Set([1000, 1001, 1002, 1003]));
	assert.notDeepEqual(heard, [1000, 1001, 1002, 1003]);
});

test("a flood arrives whole", async () => {
	let heard = 0;
	const listen = (message) => { heard += message.type === "attributeReport" ? 1 : 0; };
	controller.on("message", listen);
	assert.equal((await control.ask({ op: "talk", device: "climate", perSecond: 1000, seconds: 0.3 })).said, 300);
	await sleep(100);
	controller.off("message", listen);
	assert.equal(heard, 300);
});

test("a device that comes back with another short address is followed", async () => {
	const { nwk } = await control.ask({ op: "rejoin", device: "outlet" });
	while (controller.getDeviceByIeeeAddr(DEVICES.outlet.eui).networkAddress !== nwk) await sleep(10);
	assert.deepEqual(await endpointOf("outlet").read("genOnOff", ["onOff"]), { onOff: 1 });
});

test("a full buffer is got over", async () => {
	await control.ask({ op: "fault", device: "plug", confirm: "BUFFER_FULL" });
	await endpointOf("plug").command("genOnOff", "on", {});
	await control.ask({ op: "coordinator", what: "full" });
	await assert.rejects(endpointOf("plug").command("genOnOff", "on", {}), /BUFFER_FULL/);
});

test("a frame that the radio could not deliver is an error, and a passing one is got over", async () => {
	await control.ask({ op: "fault", device: "plug", confirm: "APS_NO_ACK" });
	await assert.rejects(endpointOf("plug").command("genOnOff", "toggle", {}), /0xb7/);
	await control.ask({ op: "fault", device: "plug", confirm: "CHANNEL_ACCESS_FAILURE" });
	await endpointOf("plug").command("genOnOff", "on", {});
	assert.equal((await control.ask({ op: "get", device: "plug", attr: "onOff.onOff" })).value, true);
});

test("the lock answers, moves and tells; a jammed one fails", async () => {
	const moved = nextEvent("message", (m) => m.type === "commandOperationEventNotification");
	await endpointOf("lock").command("closuresDoorLock", "unlockDoor", { pincodevalue: Buffer.alloc(0) });
	assert.equal((await moved).data.opereventcode, 2);
	assert.deepEqual(await endpointOf("lock").read("closuresDoorLock", ["lockState"]), { lockState: 2 });
	await control.ask({ op: "fault", device: "lock", jammed: true });
	await endpointOf("lock").command("closuresDoorLock", "lockDoor", { pincodevalue: Buffer.alloc(0) });
	assert.deepEqual(await endpointOf("lock").read("closuresDoorLock", ["lockState"]), { lockState: 2 });
});

test("the backup holds the network and every device", async () => {
	await controller.backup();
	const backup = JSON.parse(readFileSync(join(dir, "backup.json"), "utf8"));
	assert.equal(backup.network_key.key, Buffer.from(NETWORK_KEY).toString("hex"));
	assert.equal(backup.devices.length, Object.keys(DEVICES).length);
	assert.ok(backup.devices.every((device) => device.link_key.key.length === 32));
});

test("a device that is told to leave does, one that leaves by itself is noticed", async () => {
	const left = nextEvent("deviceLeave", (e) => e.ieeeAddr === DEVICES.plug.eui);
	await control.ask({ op: "leave", device: "plug" });
	await left;
	await controller.getDeviceByIeeeAddr(DEVICES.contact.eui).removeFromNetwork();
	while ((await control.ask({ op: "state", device: "contact" })).state.joined) await sleep(20);
	const gone = (await control.ask({ op: "list" })).devices.filter((d) => !d.joined).map((d) => d.name);
	assert.deepEqual(gone.sort(), ["bulb-2", "contact", "plug", "stranger"]);
});

test("after a stop the network is resumed", async () => {
	await controller.stop();
	controller = makeController();
	assert.equal(await controller.start(), "resumed");
	assert.deepEqual(await endpointOf("outlet").read("genOnOff", ["onOff"]), { onOff: 1 });
});

test("a wiped coordinator gets the network back from the backup", async () => {
	await controller.stop();
	assert.ok(existsSync(join(dir, "backup.json")));
	await control.ask({ op: "coordinator", what: "replace" });
	controller = makeController();
	assert.equal(await controller.start(), "restored");
	const { network } = await control.ask({ op: "network" });
	assert.equal(network.epid, "0xa1b2c3d4e5f60718");
	assert.deepEqual((await control.ask({ op: "keys" })).wrong, []);
	assert.deepEqual(await endpointOf("outlet").read("genOnOff", ["onOff"]), { onOff: 1 });
});

test("a broken line is noticed", async () => {
	const disconnected = nextEvent("adapterDisconnected");
	await control.ask({ op: "coordinator", what: "cut" });
	await disconnected;
});
