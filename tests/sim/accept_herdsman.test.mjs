// The simulated network is accepted by zigbee-herdsman, a Zigbee stack that others wrote: it forms a
// network on it, lets devices join, interviews, binds, configures, controls, backs up and restores.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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
	const interviewed = nextEvent("deviceInterview", (e) => e.device.ieeeAddr === DEVICES[device].eui && e.status !== "started");
	await control.ask({ op: "join", device });
	return await interviewed;
}

function endpointOf(device) {
	return controller.getDeviceByIeeeAddr(DEVICES[device].eui).getEndpoint(1);
}

before(async () => {
	simulator = await new Simulator().start();
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

for (const [device, table] of Object.entries(DEVICES))
	test(`the ${device} joins and is interviewed`, async () => {
		const { status, device: joined } = await joinDevice(device);
		assert.equal(status, "successful");
		assert.equal(joined.modelID, table.endpoints[1].attributes.basic.modelId);
		assert.equal(joined.manufacturerID, table.manufacturer);
		assert.equal(joined.type, table.type === "sleepy" ? "EndDevice" : "Router");
		assert.deepEqual(joined.endpoints.map((e) => e.ID), [1]);
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
	assert.deepEqual((await control.ask({ op: "list" })).devices.filter((d) => !d.joined).map((d) => d.name), ["contact", "plug"]);
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
	simulator.coordinator.nv.eraseAll();
	simulator.coordinator.watchdogReset();
	controller = makeController();
	assert.equal(await controller.start(), "restored");
	const { network } = await control.ask({ op: "network" });
	assert.equal(network.epid, "0xa1b2c3d4e5f60718");
	assert.deepEqual(await endpointOf("outlet").read("genOnOff", ["onOff"]), { onOff: 1 });
});

test("a broken line is noticed", async () => {
	const disconnected = nextEvent("adapterDisconnected");
	await control.ask({ op: "coordinator", what: "cut" });
	await disconnected;
});
