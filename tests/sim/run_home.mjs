// run_home - starts a simulated Zigbee home with a real Zigbee2MQTT against a broker that is already
// there, prints one JSON line when it is ready, runs until SIGTERM or SIGINT, leaves no process behind.
//
//   node run_home.mjs --dir STATE --mqtt-server mqtt://127.0.0.1:1883 [--user NAME --password-file FILE]
//       [--ca FILE] [--base-topic zigbee2mqtt] [--devices all|none|bulb,contact|100] [--availability SECONDS]
//       [--availability-sleepy SECONDS] [--homeassistant] [--control PORT|PATH] [--serial PORT]
//
// A broker on a unix socket is mqtt+unix:///path/to/socket. The ready line has the control channel's port
// (or path), the serial port, Zigbee2MQTT's pid and each device's address.

import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Home } from "./home.js";
import { crowdNames } from "./znp/crowd.js";
import { HOME } from "./znp/devices.js";

const { values: args } = parseArgs({ options: {
	dir: { type: "string" }, "mqtt-server": { type: "string" }, user: { type: "string" }, "password-file": { type: "string" },
	ca: { type: "string" }, "base-topic": { type: "string", default: "zigbee2mqtt" }, devices: { type: "string", default: "all" },
	availability: { type: "string" }, "availability-sleepy": { type: "string" }, homeassistant: { type: "boolean" }, control: { type: "string", default: "0" },
	serial: { type: "string", default: "0" },
} });

if (args.dir === undefined || args["mqtt-server"] === undefined) {
	console.error("run_home: --dir and --mqtt-server are needed");
	process.exit(2);
}

function where(text) {
	return /^\d+$/.test(text) ? { port: Number(text) } : { path: text };
}

function login() {
	const password = args["password-file"] && readFileSync(args["password-file"], "utf8").trimEnd();
	return { ...(args.user && { user: args.user }), ...(password && { password }), ...(args.ca && { ca: resolve(args.ca) }) };
}

const crowd = /^\d+$/.test(args.devices) ? Number(args.devices) : 0;

function deviceNames() {
	if (args.devices === "all") return HOME;
	if (crowd > 0) return crowdNames(crowd).map(({ name }) => name);
	return args.devices === "none" ? [] : args.devices.split(",");
}

mkdirSync(args.dir, { recursive: true, mode: 0o700 });
const home = new Home({ dir: resolve(args.dir), mqtt: { server: args["mqtt-server"], login: login() }, baseTopic: args["base-topic"],
	availability: { active: Number(args.availability ?? 0), passive: Number(args["availability-sleepy"] ?? 0) },
	homeassistant: args.homeassistant, crowd,
	serial: where(args.serial), control: where(args.control) });

let ending;
function end(code) {
	ending ??= home.stop().then(() => process.exit(code), () => process.exit(1));
	return ending;
}

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.once(signal, () => end(0));
home.on("exit", (code) => {
	console.error(`run_home: Zigbee2MQTT ended (${code}), see ${resolve(args.dir, "zigbee2mqtt.log")}`);
	void end(1);
});

try {
	await home.start();
	await home.pair(deviceNames());
	const { serial, control, air } = home.simulator;
	const devices = Object.fromEntries(air.joined.map((node) => [node.name, node.eui]));
	console.log(JSON.stringify({ ready: true, control, serial, pid: home.child.pid, devices }));
} catch (error) {
	if (ending === undefined) console.error(`run_home: ${error.message}`);
	await end(1);
}
