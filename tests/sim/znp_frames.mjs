// znp_frames - writes tests/unit/znp_frames.txt: what zigbee-herdsman and the simulated coordinator said to each
// other while a network was formed, two devices joined, one was switched and left. One line a frame: > to the coordinator,
// < from it. The frames' order and times differ from run to run, their kinds do not.
//
//   node znp_frames.mjs > ../unit/znp_frames.txt

import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Controller, setLogger } from "zigbee-herdsman";
import { ControlClient } from "./control_client.js";
import { DEVICES } from "./znp/devices.js";
import { Simulator } from "./znp/simulator.js";
import { UnpiParser, encodeFrame } from "./znp/unpi.js";

const quiet = () => {};
setLogger({ debug: quiet, info: quiet, warning: quiet, error: quiet });
const simulator = await new Simulator().start();

function tap(from, to, mark) {
	const parser = new UnpiParser();
	from.on("data", (chunk) => {
		for (const frame of parser.push(chunk)) console.log(`${mark} ${encodeFrame(frame).toString("hex")}`);
		to.write(chunk);
	});
	from.on("close", () => to.destroy());
	from.on("error", quiet);
}

const proxy = net.createServer((client) => {
	const serial = net.connect(simulator.serial, "127.0.0.1");
	tap(client, serial, ">");
	tap(serial, client, "<");
}).listen(0, "127.0.0.1");
await new Promise((resolve) => proxy.once("listening", resolve));

const dir = mkdtempSync(join(tmpdir(), "znp-frames-"));
const control = await ControlClient.connect(simulator.control);
const controller = new Controller({
	network: { panID: 0x1a62, extendedPanID: [1, 2, 3, 4, 5, 6, 7, 8], networkKey: [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13], channelList: [11] },
	serialPort: { path: `tcp://127.0.0.1:${proxy.address().port}`, adapter: "zstack" },
	databasePath: join(dir, "database.db"), databaseBackupPath: join(dir, "database.db.backup"), backupPath: join(dir, "backup.json"),
	adapter: { disableLED: false }, acceptJoiningDeviceHandler: async () => true,
});

const interviewed = (device) => new Promise((resolve) => controller.on("deviceInterview",
	(e) => e.device.ieeeAddr === DEVICES[device].eui && e.status !== "started" && resolve()));

await controller.start();
await controller.permitJoin(60);
for (const device of Object.keys(DEVICES).slice(0, 2)) {
	const done = interviewed(device);
	await control.ask({ op: "join", device });
	await done;
}
const [first] = controller.getDevices().filter((d) => d.type !== "Coordinator");
const endpoint = first.getEndpoint(1);
await endpoint.bind("genOnOff", controller.getDevices().find((d) => d.type === "Coordinator").getEndpoint(1));
await endpoint.command("genOnOff", "on", {});
await endpoint.read("genOnOff", ["onOff"]);
await first.lqi();
await first.removeFromNetwork();
await sleep(200);
await controller.stop();
await simulator.stop();
rmSync(dir, { recursive: true });
process.exit(0);
