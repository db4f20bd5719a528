// The simulator by itself: what it does with bytes and requests that no good host would send, and that
// what it must remember outlives it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ControlClient } from "./control_client.js";
import { decodeFields, encodeFields } from "./znp/fields.js";
import { NV, Nv } from "./znp/nv.js";
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
	[{ op: "coordinator", what: "explode" }, /no such coordinator fault/],
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
