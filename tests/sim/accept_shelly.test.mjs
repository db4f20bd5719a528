// The simulated Shellys are accepted by shellies-ng, an independent client: it reads their announcements by its own mDNS library, knows their
// models, proves a password, orders, and hears what changes. HTTP and MQTT are looked at by hand beside it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import packet from "dns-packet";
import { MdnsDeviceDiscoverer, Shellies } from "shellies-ng";
import { Broker } from "./broker.js";
import { Device } from "./shelly/device.js";
import { Lan } from "./shelly/lan.js";
import { announcement } from "./shelly/mdns.js";
import { Mqtt } from "./shelly/mqtt.js";

const PASSWORD = "correct horse";
const homes = { plus1pm: "a8032abe54d1", plus2pm: "a8032abe54d2", pro4pm: "a8032abe54d4", plusht: "a8032abe54d5", plusi4: "a8032abe54d6" };
const devices = {};
const lans = {};
let shellies;

before(async () => {
	for (const [kind, mac] of Object.entries(homes)) {
		devices[kind] = new Device({ kind, mac, password: kind === "pro4pm" ? PASSWORD : null });
		lans[kind] = await new Lan(devices[kind], { host: "127.0.0.1", port: 0 }).start();
	}
	shellies = new Shellies({ websocket: { requestTimeout: 3 }, autoLoadStatus: true, autoLoadConfig: true, deviceOptions: () => ({ password: PASSWORD }) });
	shellies.on("error", (id, error) => assert.fail(`${id}: ${error}`));
	for (const [kind, lan] of Object.entries(lans)) {
		const added = once(shellies, "add");
		await shellies.handleDiscoveredDevice({ deviceId: devices[kind].id, hostname: `127.0.0.1:${lan.port}` });
		await added;
	}
});

after(async () => {
	for (const device of shellies) await device.rpcHandler.destroy();
	for (const lan of Object.values(lans)) await lan.stop();
});

const of = (kind) => shellies.get(devices[kind].id);
const change = async (emitter, name) => (await once(emitter, `change:${name}`))[0];

test("each model is known and its status read", () => {
	assert.equal(shellies.size, Object.keys(homes).length);
	assert.equal(of("plus1pm").modelName, "Shelly Plus 1 PM");
	assert.equal(of("plus1pm").switch0.voltage, 230.5);
	assert.equal(of("plus2pm").profile, "cover");
	assert.equal(of("plus2pm").cover0.current_pos, 50);
	assert.equal(of("plusht").temperature0.tC, 21.5);
	assert.equal(of("plusht").devicePower0.battery.percent, 87);
	assert.equal(of("plusi4").input3.state, null);
});

test("it orders, with a password too, and hears what changes", async () => {
	for (const kind of ["plus1pm", "pro4pm"]) {
		const heard = change(of(kind).switch0, "output");
		assert.equal((await of(kind).switch0.set(true)).was_on, false);
		assert.equal(await heard, true);
		assert.equal(devices[kind].status["switch:0"].output, true);
	}
	const moved = change(of("plus2pm").cover0, "current_pos");
	await of("plus2pm").cover0.goToPosition(30);
	assert.equal(await moved, 30);
	await assert.rejects(of("plus2pm").cover0.goToPosition(300), /Invalid argument/);
});

test("events and changes by hand", async () => {
	const pushed = once(of("plusi4").input1, "doublePush");
	devices.plusi4.push("input:1", "double_push");
	await pushed;
	const warmer = change(of("plusht").temperature0, "tC");
	devices.plusht.set("temperature:0", { tC: 23, tF: 73.4 });
	assert.equal(await warmer, 23);
});

test("a wrong password is refused", async () => {
	const stranger = new Shellies({ websocket: { requestTimeout: 3 }, autoLoadStatus: true, deviceOptions: () => ({ password: "wrong" }) });
	const failed = once(stranger, "error");
	await stranger.handleDiscoveredDevice({ deviceId: devices.pro4pm.id, hostname: `127.0.0.1:${lans.pro4pm.port}` });
	assert.match(String((await failed)[1]), /Invalid password/);
});

// Multicast itself wants a network of its own: tests/system/test_shelly.py.
test("another's library reads what is announced, and finds the device", async () => {
	const discoverer = new MdnsDeviceDiscoverer();
	const found = once(discoverer, "discover");
	const bytes = announcement(devices.plus1pm, { ip: "10.0.0.1", port: 80 });
	discoverer.handleResponse(packet.decode(bytes));
	assert.deepEqual({ ...(await found)[0] }, { deviceId: devices.plus1pm.id, hostname: "10.0.0.1" });
	const srv = packet.decode(bytes).answers.find((one) => one.type === "SRV");
	assert.deepEqual([srv.data.port, srv.data.target], [80, `${devices.plus1pm.id}.local`]);
	assert.ok(bytes.length < 512);
});

test("HTTP, open and with digest", async () => {
	const get = async (kind, path, headers = {}) => fetch(`http://127.0.0.1:${lans[kind].port}${path}`, { headers });
	assert.equal((await (await get("plus1pm", "/shelly")).json()).app, "Plus1PM");
	assert.equal((await (await get("plus1pm", "/rpc/Switch.GetStatus?id=0")).json()).id, 0);
	const refused = await get("pro4pm", "/rpc/Switch.GetStatus?id=0");
	assert.equal(refused.status, 401);
	const [, realm, nonce] = /realm="([^"]+)", nonce="([^"]+)"/.exec(refused.headers.get("www-authenticate"));
	const hash = (...parts) => createHash("sha256").update(parts.join(":")).digest("hex");
	const uri = "/rpc/Switch.GetStatus?id=0";
	const response = hash(hash("admin", realm, PASSWORD), nonce, "00000001", "abc", "auth", hash("GET", uri));
	const good = await get("pro4pm", uri, { authorization: `Digest username="admin", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=SHA-256, ` +
		`qop=auth, nc=00000001, cnonce="abc", response="${response}"` });
	assert.equal(good.status, 200);
});

test("MQTT: rpc, events, status, online", async (t) => {
	const broker = await new Broker().start();
	t.after(() => broker.stop());
	const watcher = await broker.connect();
	await watcher.client.subscribeAsync(["#"]);
	const device = new Device({ kind: "plus1pm", mac: "a8032abe54dd" });
	const seen = [];
	watcher.client.on("message", (topic, bytes) => seen.push([topic, bytes.toString()]));
	const mqtt = await new Mqtt(device, { url: broker.url }).start();
	await watcher.client.publishAsync(`${device.id}/rpc`, JSON.stringify({ id: 5, src: "tester", method: "Switch.Set", params: { id: 0, on: true } }));
	const until = async (topic, match) => {
		for (let i = 0; i < 100; i++) {
			const found = seen.find(([name, text]) => name === topic && match(text));
			if (found) return found[1];
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		return assert.fail(`${topic} did not come: ${seen.map(([name]) => name)}`);
	};
	assert.equal(JSON.parse(await until("tester/rpc", () => true)).result.was_on, false);
	assert.equal(await until(`${device.id}/online`, () => true), "true");
	await until(`${device.id}/events/rpc`, (text) => JSON.parse(text).method === "NotifyFullStatus");
	await until(`${device.id}/status/switch:0`, (text) => JSON.parse(text).output === true);
	await mqtt.stop(false);
	await until(`${device.id}/online`, (text) => text === "false");
	await watcher.client.endAsync();
});
