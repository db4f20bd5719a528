// capture - records what Zigbee2MQTT really says, as seeds for whoever has to parse it.
//
//   node capture.mjs [DIRECTORY]     (default: captures beside this file)
//
// Writes pairing.jsonl (an empty network, devices join), life.jsonl (reports, commands, availability,
// requests to the bridge, a device leaves), retained.jsonl (what a client gets that subscribes late) and
// homeassistant.jsonl (the same home with Home Assistant discovery). One message a line: ms since the
// recording began, topic, payload as the text it was, retain, qos, by ("client" for what we sent).

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Broker } from "./broker.js";
import { ControlClient } from "./control_client.js";
import { Home } from "./home.js";
import { HOME } from "./znp/devices.js";

const out = process.argv[2] ?? new URL("captures", import.meta.url).pathname;
const LEFT_OUT = /^zigbee2mqtt\/bridge\/(logging|definitions)$/;
const OURS = /^zigbee2mqtt\/(.*\/(set|get)(\/[^/]+)?|bridge\/request\/.*)$/;

/* The two big topics are repeated at every change: the first ones and the last tell enough. */
const REPEATED = { "zigbee2mqtt/bridge/info": 2, "zigbee2mqtt/bridge/devices": 4 };

function thin(messages) {
	return messages.filter((message, index) => {
		const rank = messages.slice(0, index).filter(({ topic }) => topic === message.topic).length;
		const last = !messages.slice(index + 1).some(({ topic }) => topic === message.topic);
		return rank < (REPEATED[message.topic] ?? Infinity) || last;
	});
}

/* Of the machine that recorded, nothing is kept. */
function anonymous(payload) {
	return payload.replaceAll(/\/[\w/.-]*sim-(capture|broker)-\w+/g, "/run/home").replace(/"os":\{[^}]*\}/, '"os":{"version":"Linux"}');
}

function save(name, messages) {
	const lines = thin(messages.filter(({ topic }) => !LEFT_OUT.test(topic)))
		.map((message) => ({ ...message, payload: anonymous(message.payload) }))
		.map((message) => JSON.stringify({ ...message, by: OURS.test(message.topic) ? "client" : "zigbee2mqtt" }));
	writeFileSync(join(out, `${name}.jsonl`), `${lines.join("\n")}\n`);
	console.log(`${name}: ${lines.length} messages`);
}

async function record(broker, ...topics) {
	const recorder = await broker.connect();
	await recorder.subscribe(...topics);
	return recorder;
}

/* Each row is [topic below zigbee2mqtt, payload], sent by us, or a request to the simulated devices. */
const LIFE = [
	["outlet/set", { state: "ON" }], ["outlet/set/state", "OFF"], ["outlet/set", "TOGGLE"], ["outlet/get", { state: "" }],
	["bulb/get", { state: "", brightness: "", color_temp: "" }], ["bulb/set", { state: "ON", brightness: 254 }],
	["bulb/set", { brightness: 77, transition: 0.5 }], ["bulb/set", { color_temp: 300 }], ["bulb/set", { color_temp: "warm" }],
	["bulb/set", { effect: "blink" }], ["bulb/set", { power_on_behavior: "on" }], ["bulb/set", { brightness_step: 20 }],
	{ op: "report", device: "climate", attr: "temperature.measured", value: 2345 },
	{ op: "report", device: "climate", attr: "temperature.measured", value: -1210 },
	{ op: "report", device: "climate", attr: "humidity.measured", value: 6120 },
	{ op: "report", device: "climate", attr: "power.batteryPercentage", value: 21 },
	{ op: "set", device: "contact", attr: "iasZone.zoneStatus", value: 1 },
	{ op: "set", device: "contact", attr: "iasZone.zoneStatus", value: 0 },
	{ op: "set", device: "contact", attr: "iasZone.zoneStatus", value: 9 },
	{ op: "report", device: "plug", attr: "electrical.power", value: 12345 },
	{ op: "report", device: "plug", attr: "electrical.current", value: 5360 },
	{ op: "report", device: "plug", attr: "electrical.voltage", value: 2287 },
	{ op: "report", device: "plug", attr: "metering.delivered", value: 123999 },
	["plug/set", { state: "OFF" }],
	["lock/set", { state: "UNLOCK" }], ["lock/set", { state: "LOCK" }], ["lock/get", { state: "" }],
	["lock/set", { pin_code: { user: 1, user_type: "unrestricted", user_enabled: true, pin_code: "1234" } }],
	{ op: "report", device: "lock", attr: "doorLock.lockState", value: 0 },
	["outlet/set", { state: "MAYBE" }], ["outlet/set", { nonsense: 1 }], ["outlet/set", "{not json"], ["nobody/set", { state: "ON" }],
	["bridge/request/health_check", ""], ["bridge/request/permit_join", { time: 60, transaction: "p-1" }],
	["bridge/request/permit_join", { time: 0 }],
	["bridge/request/device/rename", { from: "plug", to: "kitchen/kettle plug äöü", transaction: "r-1" }],
	["bridge/request/device/rename", { from: "nobody", to: "x" }],
	["bridge/request/group/add", { friendly_name: "lights", id: 5 }],
	["bridge/request/group/members/add", { group: "lights", device: "bulb", endpoint: 1 }],
	["lights/set", { state: "OFF" }],
	["bridge/request/device/options", { id: "climate", options: { temperature_calibration: 1 } }],
	["bridge/request/device/configure", { id: "outlet" }],
];

async function live(recorder, control) {
	for (const step of LIFE) {
		if (Array.isArray(step)) await recorder.publish(`zigbee2mqtt/${step[0]}`, step[1]);
		else await control.ask(step);
		await sleep(400);
	}
	await fallSilentAndComeBack(recorder, control);
	await control.ask({ op: "leave", device: "contact" });
	await recorder.publish("zigbee2mqtt/bridge/request/device/remove", { id: "lock" });
	await recorder.next("zigbee2mqtt/bridge/response/device/remove");
	await sleep(500);
}

async function fallSilentAndComeBack(recorder, control) {
	const becomes = (name, state) => recorder.until(`zigbee2mqtt/${name}/availability`, (a) => a.state === state, 60000);
	await control.ask({ op: "fault", device: "climate", silent: true });
	await control.ask({ op: "fault", device: "bulb", gone: true });
	await Promise.all([becomes("bulb", "offline"), becomes("climate", "offline")]);
	await recorder.publish("zigbee2mqtt/bulb/set", { state: "ON" });
	await control.ask({ op: "fault", device: "climate", silent: false });
	await control.ask({ op: "fault", device: "bulb", gone: false });
	await control.ask({ op: "report", device: "climate", attr: "temperature.measured", value: 2001 });
	await control.ask({ op: "report", device: "bulb", attr: "onOff.onOff" });
	await Promise.all([becomes("bulb", "online"), becomes("climate", "online")]);
}

async function withHome(options, action) {
	const dir = mkdtempSync(join(tmpdir(), "sim-capture-"));
	const broker = await new Broker().start();
	const home = new Home({ dir, mqtt: { server: broker.url }, ...options });
	try {
		await action(broker, home);
	} finally {
		await home.stop();
		await broker.stop();
		rmSync(dir, { recursive: true });
	}
}

mkdirSync(out, { recursive: true });

await withHome({ availability: { active: 8, passive: 15 } }, async (broker, home) => {
	const pairing = await record(broker, "zigbee2mqtt/#");
	await home.start();
	await home.pair(HOME);
	await sleep(1000);
	await pairing.close();
	const retained = await record(broker, "#");
	await sleep(500);
	await retained.close();
	const life = await record(broker, "zigbee2mqtt/#");
	await sleep(500);
	life.messages.length = 0;
	const control = await ControlClient.connect(home.simulator.control);
	await live(life, control);
	control.close();
	await home.stop();
	await sleep(200);
	await life.close();
	save("pairing", pairing.messages);
	save("retained", retained.messages);
	save("life", life.messages);
});

await withHome({ homeassistant: true }, async (broker, home) => {
	const recorder = await record(broker, "homeassistant/#");
	await home.start();
	await home.pair(HOME);
	await sleep(2000);
	save("homeassistant", recorder.messages);
	await recorder.close();
});
process.exit(0);
