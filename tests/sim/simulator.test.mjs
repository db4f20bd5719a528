// The simulator by itself: what it does with bytes and requests that no good host would send, and that
// what it must remember outlives it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlClient } from "./control_client.js";
import { decodeFields, encodeFields } from "./znp/fields.js";
import { NV, Nv } from "./znp/nv.js";
import { settle } from "./znp/crowd.js";
import { Indirect } from "./znp/indirect.js";
import { LargeFrames } from "./znp/large.js";
import { installKey, isInstallCode, isMember, membership, takesFrame } from "./znp/security.js";
import { Timers } from "./znp/timers.js";
import { Simulator } from "./znp/simulator.js";
import { DATA_MAX, TYPE, UnpiParser, encodeFrame } from "./znp/unpi.js";
import { answerZcl } from "./znp/zcl_server.js";

const PING = Buffer.from("fe00210120", "hex");
const PONG = "fe02610159063d";

test("a frame is found in every cut of it and among noise", () => {
	for (let cut = 0; cut <= PING.length; cut++) {
		const parser = new UnpiParser();
		const frames = [...parser.push(PING.subarray(0, cut)), ...parser.push(PING.subarray(cut))];
		assert.deepEqual(frames.map(({ type, subsystem, id }) => [type, subsystem, id]), [[TYPE.SREQ, 1, 1]]);
	}
	const parser = new UnpiParser();
	const noisy = Buffer.concat([Buffer.from("00fefffe00210199", "hex"), PING, Buffer.from([0xef]), PING]);
	assert.equal(parser.push(noisy).length, 2);
	assert.ok(parser.badChecksums > 0 && parser.skippedBytes > 0);
});

test("each flipped bit of a frame is noticed", () => {
	for (let bit = 8; bit < PING.length * 8; bit++) {
		const broken = Buffer.from(PING);
		broken[bit >> 3] ^= 1 << (bit & 7);
		assert.equal(new UnpiParser().push(broken).length, 0, `bit ${bit}`);
	}
});

test("a frame holds 250 bytes and not one more", () => {
	const frame = { type: TYPE.AREQ, subsystem: 4, id: 0x81 };
	assert.equal(new UnpiParser().push(encodeFrame({ ...frame, data: Buffer.alloc(DATA_MAX) }))[0].data.length, DATA_MAX);
	assert.throws(() => encodeFrame({ ...frame, data: Buffer.alloc(DATA_MAX + 1) }), RangeError);
});

test("a record decodes to what was encoded, and every truncation is refused", () => {
	const line = "a:u8 b:u16 c:u32 d:i8 eui:eui bytes:bytes8 list:list16 text:ostr";
	const record = { a: 255, b: 0x1234, c: 0xdeadbeef, d: -7, eui: "0x0102030405060708", bytes: Buffer.from([1, 2]), list: [3, 4], text: "hi" };
	const bytes = encodeFields(line, record);
	assert.deepEqual(decodeFields(line, bytes), record);
	for (let length = 0; length < bytes.length; length++)
		assert.throws(() => decodeFields(line, bytes.subarray(0, length)), RangeError, `${length} bytes`);
});

test("NV keeps what is written, refuses what does not fit, forgets what it is told to", () => {
	const nv = new Nv("0x00124b0000000001");
	assert.equal(nv.create(0x500, 4, Buffer.from([1, 2])), 9);
	assert.equal(nv.create(0x500, 4, Buffer.alloc(0)), 0);
	assert.deepEqual([...nv.read(0x500, 0).value], [1, 2, 255, 255]);
	assert.equal(nv.write(0x500, 3, Buffer.from([1, 2])), 1);
	assert.equal(nv.remove(0x500, 3), 0x0c);
	assert.equal(nv.remove(0x500, 4), 0);
	nv.formNetwork();
	assert.equal(nv.get(NV.NIB).length, 116);
	nv.eraseNetwork();
	assert.equal(nv.network(), undefined);
});

test("NV remembers as many devices as its table has rows", () => {
	const nv = new Nv("0x00124b0000000001");
	const eui = (n) => `0x00124b00000001${n.toString(16).padStart(2, "0")}`;
	for (let n = 0; n < 32; n++) assert.equal(nv.rememberDevice(eui(n), n), true);
	assert.equal(nv.rememberDevice(eui(32), 32), false);
	nv.forgetDevice(eui(7));
	assert.equal(nv.remembersDevice(eui(7)), false);
	assert.equal(nv.rememberDevice(eui(32), 32), true);
});

test("an install code's key is the specification's, and its CRC is looked at", () => {
	const code = Buffer.from("83fed3407a939723a5c639b26916d505c3b5", "hex");
	assert.equal(installKey(code), "66b6900981e1ee3ca4206b6b861c02bb");
	assert.equal(isInstallCode(code), true);
	for (let bit = 0; bit < 144; bit++) {
		const broken = Buffer.from(code);
		broken[bit >> 3] ^= 1 << (bit & 7);
		assert.equal(isInstallCode(broken), false);
	}
	assert.equal(isInstallCode(code.subarray(1)), false);
});

test("a large frame goes in pieces, out and in, and what does not fit together is refused", () => {
	const large = new LargeFrames();
	const data = Buffer.from(Array.from({ length: 500 }, (_, index) => index & 0xff));
	const sent = [];
	const send = (whole) => sent.push(whole) && 0;
	assert.equal(large.store(0, data), 1, "nothing is expected");
	assert.equal(large.expect(1601, send), 2);
	assert.equal(large.expect(500, send), 0);
	assert.equal(large.store(400, data.subarray(0, 101)), 2, "beyond its end");
	for (const at of [0, 200, 400]) assert.equal(large.store(at, data.subarray(at, at + 200)), 0);
	assert.equal(large.store(0, Buffer.alloc(0)), 0);
	assert.deepEqual(sent, [data]);
	large.expect(500, send);
	large.store(0, data.subarray(0, 200));
	assert.equal(large.store(0, Buffer.alloc(0)), 2, "a piece is missing");
	for (let stamp = 0; stamp < 4; stamp++) assert.equal(large.keep(stamp, data), true);
	assert.equal(large.keep(4, data), false, "no room");
	assert.deepEqual(large.retrieve(2, 240, 240).data, data.subarray(240, 480));
	assert.equal(large.retrieve(2, 480, 21).status, 2);
	assert.equal(large.retrieve(2, 0, 0).status, 0);
	assert.equal(large.retrieve(2, 0, 1).status, 2, "it was let go");
});

test("a sleeper's parent keeps eight frames, and gives them up in the end", async () => {
	const timers = new Timers();
	const indirect = new Indirect(timers);
	const node = { pollMs: 0, isAway: false };
	const ended = [];
	indirect.holdMs = 30;
	for (let n = 0; n < 8; n++) assert.equal(indirect.put(node, () => ended.push(`got ${n}`), () => ended.push(`expired ${n}`)), true);
	assert.equal(indirect.put(node, assert.fail, assert.fail), false);
	await sleep(60);
	assert.deepEqual(ended, Array.from({ length: 8 }, (_, n) => `expired ${n}`));
	indirect.put(node, () => ended.push("got"), assert.fail);
	indirect.poll(node);
	await sleep(10);
	assert.equal(ended.at(-1), "got");
	timers.close();
});

test("a home of a hundred is the same each time, and so is its mesh", () => {
	const made = () => {
		const one = new Simulator({ rows: 200 });
		settle(one, 100, 12);
		return one;
	};
	const [one, other] = [made(), made()];
	const tree = ({ air }) => air.joined.map(({ name, eui, nwk, parent }) => [name, eui, nwk, parent]);
	assert.deepEqual(tree(one), tree(other));
	const { air } = one;
	assert.equal(new Set(air.joined.map(({ eui }) => eui)).size, 100);
	for (const parent of new Set(air.joined.map((node) => node.parent))) assert.ok(air.mesh.childrenOf(parent).length <= 12);
	assert.ok(air.joined.every((node) => air.mesh.route(node).every((router) => !router.sleepy)));
	assert.ok(air.joined.some((node) => air.mesh.hops(node) === 2));
	const row = ({ node, relation, lqi, depth }) => [node.name, relation, lqi, depth];
	assert.deepEqual(air.mesh.neighbours("coordinator", air.hostEui).map(row), other.air.mesh.neighbours("coordinator", air.hostEui).map(row));
});

test("who takes a frame: a member, and each counter once", () => {
	const network = { epid: "0x1", key: "aa", counter: 7 };
	const node = { network: membership(network) };
	assert.equal(takesFrame(node, network), false);
	assert.equal(takesFrame(node, { ...network, counter: 8 }), true);
	assert.equal(takesFrame(node, { ...network, counter: 8 }), false);
	assert.equal(takesFrame(node, { ...network, counter: 9, key: "ab" }), false);
	assert.equal(takesFrame({ network: undefined }, { ...network, counter: 9 }), false);
	assert.equal(isMember(node, undefined), false);
});

const dir = mkdtempSync(join(tmpdir(), "znp-self-"));
const stateFile = join(dir, "network.json");
let simulator;
let control;
let line;

async function open() {
	simulator = await new Simulator({ stateFile }).start();
	control = await ControlClient.connect(simulator.control);
	line = createConnection({ host: "127.0.0.1", port: simulator.serial });
	line.on("error", () => {});
}

async function close() {
	control.close();
	line.destroy();
	await simulator.stop();
}

function heard() {
	return new Promise((resolve) => line.once("data", (bytes) => resolve(bytes.toString("hex"))));
}

/* All that came until a frame with these two command bytes did. */
function heardUntil(command) {
	return new Promise((resolve) => {
		let all = "";
		const listen = (bytes) => {
			all += bytes.toString("hex");
			if (!all.includes(command)) return;
			line.off("data", listen);
			resolve(all);
		};
		line.on("data", listen);
	});
}

before(open);
after(async () => {
	await close();
	rmSync(dir, { recursive: true });
});

test("ping is answered, an unknown or cut request gets an RPC error and breaks nothing", async () => {
	line.write(PING);
	assert.equal(await heard(), PONG);
	line.write(encodeFrame({ type: TYPE.SREQ, subsystem: 1, id: 0x7f, data: Buffer.alloc(0) }));
	assert.equal(await heard(), encodeFrame({ type: TYPE.SRSP, subsystem: 0, id: 0, data: Buffer.from([2, 0x21, 0x7f]) }).toString("hex"));
	line.write(encodeFrame({ type: TYPE.SREQ, subsystem: 1, id: 0x1c, data: Buffer.from([1]) }));
	assert.match(await heard(), /^fe036000/);
	line.write(PING);
	assert.equal(await heard(), PONG);
});

test("a coordinator that is mute, or drops requests, says nothing; after that it does", async () => {
	await control.ask({ op: "coordinator", what: "drop", count: 1 });
	line.write(PING);
	line.write(PING);
	assert.equal(await heard(), PONG);
	await control.ask({ op: "coordinator", what: "mute" });
	line.write(PING);
	await control.ask({ op: "network" });
	await control.ask({ op: "coordinator", what: "unmute" });
	line.write(PING);
	assert.equal(await heard(), PONG);
});

const REFUSED = [
	[{ op: "fly" }, /no such operation/], [{ op: "constructor" }, /no such operation/], [{}, /no such operation/],
	[{ op: "join", device: "toaster" }, /no such device/], [{ op: "join", device: "bulb" }, /no network/],
	[{ op: "set", device: "toaster", attr: "onOff.onOff", value: true }, /no such device/],
	[{ op: "coordinator", what: "explode" }, /no such coordinator fault/], [{ op: "talk" }, /nobody has anything to say/],
	[{ op: "rejoin", device: "toaster" }, /no such device/],
];
for (const [request, reason] of REFUSED)
	test(`control refuses ${JSON.stringify(request)}`, () => assert.rejects(control.ask(request), reason));

/* Starts the network as a host would that has written its parameters. */
async function formNetwork() {
	const started = new Promise((resolve) => line.on("data", (bytes) => bytes.includes(Buffer.from("45c009", "hex")) && resolve()));
	line.write(encodeFrame({ type: TYPE.SREQ, subsystem: 15, id: 0x05, data: Buffer.from([0x04]) }));
	await started;
}

test("the network and what its devices were told outlive the process", async () => {
	await formNetwork();
	await assert.rejects(control.ask({ op: "join", device: "bulb" }), /not permitted/);
	await control.ask({ op: "permit" });
	const { eui, nwk } = await control.ask({ op: "join", device: "bulb" });
	await control.ask({ op: "join", device: "bulb2", kind: "bulb" });
	await control.ask({ op: "set", device: "bulb", attr: "level.currentLevel", value: 42 });
	await assert.rejects(control.ask({ op: "set", device: "bulb", attr: "level.currentLevel", value: 256 }), /range/);
	await assert.rejects(control.ask({ op: "set", device: "bulb", attr: "doorLock.lockState", value: 1 }), /no attribute/);
	const { network } = await control.ask({ op: "network" });
	await close();
	await open();
	assert.deepEqual((await control.ask({ op: "network" })).network, network);
	assert.equal((await control.ask({ op: "get", device: "bulb", attr: "level.currentLevel" })).value, 42);
	const { devices } = await control.ask({ op: "list" });
	assert.deepEqual([devices[0].eui, devices[0].nwk, devices[0].joined], [eui, nwk, true]);
	assert.notEqual(devices[1].eui, eui);
});

/* Asks the coordinator for something, gives what it said next. */
async function asked(subsystem, id, hex) {
	line.write(encodeFrame({ type: TYPE.SREQ, subsystem, id, data: Buffer.from(hex, "hex") }));
	return await heard();
}

test("after a start the frame counter goes on above what was used, and worn-out flash refuses", async () => {
	const before = simulator.coordinator.nv.security().counter;
	const started = heardUntil("45c009");
	line.write(encodeFrame({ type: TYPE.SREQ, subsystem: 5, id: 0x40, data: Buffer.from([0, 0]) }));
	await started;
	assert.ok(simulator.air.network.counter >= before);
	assert.ok(simulator.coordinator.nv.security().counter > simulator.air.network.counter);
	await control.ask({ op: "coordinator", what: "wornOut" });
	assert.equal(await asked(1, 0x1d, "03000000010001"), "fe01611d0a77");
	await control.ask({ op: "coordinator", what: "writable" });
	assert.equal(await asked(1, 0x1d, "03000000010000"), "fe01611d007d");
});

test("a press of nothing and a leave of somebody who is gone are refused", async () => {
	await assert.rejects(control.ask({ op: "press", device: "bulb", what: "on" }), /sends no commands/);
	await assert.rejects(control.ask({ op: "press", device: "bulb", what: "hard" }), /no such press/);
	await control.ask({ op: "leave", device: "bulb2" });
	await assert.rejects(control.ask({ op: "leave", device: "bulb2" }), /in no network/);
	await assert.rejects(control.ask({ op: "rejoin", device: "bulb2" }), /does not know this network/);
});

test("a lost indication is lost, the next one is not", async () => {
	await control.ask({ op: "coordinator", what: "lose", frames: "tcDeviceInd" });
	await control.ask({ op: "permit" });
	const announced = heardUntil("45c1");
	await control.ask({ op: "join", device: "bulb2" });
	assert.equal((await announced).includes("45ca"), false);
	const told = heardUntil("45ca");
	await control.ask({ op: "join", device: "bulb2" });
	await told;
});

test("a device answers whatever bytes it gets, or keeps silent, and stays as it was", () => {
	const endpoint = simulator.air.byName("bulb").endpoints.get(1);
	const before = JSON.stringify([...endpoint.values]);
	for (const cluster of [0, 3, 4, 6, 8, 0x300, 0x500, 0xfc11])
		for (let command = 0; command < 256; command++)
			for (const payload of ["", "00", "0000", "ffffffffff"]) {
				const data = Buffer.from(`00aa${command.toString(16).padStart(2, "0")}${payload}`, "hex");
				const answer = answerZcl(endpoint, cluster, data);
				assert.ok(answer === undefined || answer[1] === 0xaa);
			}
	for (const short of ["", "00", "0001", "040102", "04010203"]) assert.equal(answerZcl(endpoint, 6, Buffer.from(short, "hex")), undefined);
	assert.equal(JSON.stringify([...endpoint.values]), before);
});

test("a new host takes the line from the old one", async () => {
	const gone = new Promise((resolve) => line.once("close", resolve));
	const second = createConnection({ host: "127.0.0.1", port: simulator.serial });
	await gone;
	second.write(PING);
	assert.equal((await new Promise((resolve) => second.once("data", resolve))).toString("hex"), PONG);
	second.destroy();
});
