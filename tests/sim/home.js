// home - a simulated Zigbee network with a real Zigbee2MQTT on it, publishing to somebody's broker.
//
// Zigbee2MQTT runs as a child process with all its state under `dir`. Devices that are asked for join
// once; with the same `dir` they are still there after a restart.

import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { makeCrowd } from "./znp/crowd.js";
import { DEVICES } from "./znp/devices.js";
import { Simulator } from "./znp/simulator.js";

const START_MS = 60000;
const PAIR_MS = 60000;
const STOP_MS = 10000;
const ROWS = 200;
const NETWORK = { key: [7, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13], pan: 6754, channel: 11,
	epid: [221, 1, 2, 3, 4, 5, 6, 7] };
const require = createRequire(import.meta.url);

/* Zigbee2MQTT pings silent mains devices and only waits for sleepy ones, hence two times (seconds). */
function deviceOptions(name, { type }, { active, passive } = {}) {
	const seconds = type === "sleepy" ? passive : active;
	return { friendly_name: name, ...(seconds && { availability: { timeout: seconds / 60, max_jitter: 1, backoff: false } }) };
}

/* JSON is YAML, so the configuration file needs no YAML writer. */
function configuration({ mqtt, baseTopic, availability, homeassistant }, simulator) {
	const devices = Object.fromEntries([...simulator.air.nodes.values()].map(({ name, eui, table }) =>
		[eui, deviceOptions(name, table, availability)]));
	return {
		version: 5,
		mqtt: { base_topic: baseTopic, server: mqtt.server, version: 5, ...mqtt.login },
		serial: { port: `tcp://127.0.0.1:${simulator.serial}`, adapter: "zstack" },
		advanced: { network_key: NETWORK.key, pan_id: NETWORK.pan, channel: NETWORK.channel, ext_pan_id: NETWORK.epid,
			log_output: ["console"], log_level: "info", last_seen: "ISO_8601" },
		availability: { enabled: true },
		homeassistant: { enabled: homeassistant === true },
		frontend: { enabled: false }, ota: { disable_automatic_update_check: true }, devices,
	};
}

/* Emits "line" for what Zigbee2MQTT logs, and "exit" (code) when it ends without being asked to. */
export class Home extends EventEmitter {
	/* crowd: a home of so many devices, named by crowd.js */
	constructor({ dir, mqtt, baseTopic = "zigbee2mqtt", availability, homeassistant, serial, control, crowd = 0 }) {
		super();
		this.setMaxListeners(0);
		this.options = { mqtt, baseTopic, availability, homeassistant };
		this.dir = dir;
		this.data = join(dir, "zigbee2mqtt");
		mkdirSync(this.data, { recursive: true });
		this.simulator = new Simulator({ serial, control, stateFile: join(dir, "network.json"), rows: ROWS });
		if (crowd > 0) makeCrowd(this.simulator.air, crowd);
		else for (const name of Object.keys(DEVICES)) this.simulator.air.make(name);
		// Forming a network costs a host some five seconds of waiting; zigbee-herdsman's test has shown that it works.
		if (this.simulator.coordinator.nv.network() === undefined) this.simulator.coordinator.nv.presetNetwork(NETWORK);
	}

	async start() {
		await this.simulator.start();
		const file = join(this.data, "configuration.yaml");
		writeFileSync(file, JSON.stringify(configuration(this.options, this.simulator), null, 1), { mode: 0o600 });
		const started = this.#line(/Zigbee2MQTT started!/, START_MS);
		this.#spawn();
		await started;
		return this;
	}

	#spawn() {
		const cli = join(dirname(require.resolve("zigbee2mqtt/package.json")), "cli.js");
		// Zigbee2MQTT asks git for its own version where it stands; it must not find this repository.
		const env = { PATH: process.env.PATH, HOME: this.dir, ZIGBEE2MQTT_DATA: this.data, Z2M_ONBOARD_NO_SERVER: "1",
			GIT_DIR: join(this.dir, "no-repository") };
		this.child = spawn(process.execPath, [cli], { cwd: this.dir, env, stdio: ["ignore", "pipe", "pipe"] });
		const log = createWriteStream(join(this.dir, "zigbee2mqtt.log"), { flags: "a" });
		for (const stream of [this.child.stdout, this.child.stderr]) {
			stream.pipe(log, { end: false });
			createInterface({ input: stream }).on("line", (line) => this.emit("line", line));
		}
		this.child.once("exit", (code, signal) => {
			log.end();
			this.child = undefined;
			if (!this.stopping) this.emit("exit", code ?? signal);
		});
	}

	/* Resolves when Zigbee2MQTT has logged a matching line. */
	#line(pattern, timeout) {
		return new Promise((resolve, reject) => {
			const end = (action, value) => {
				clearTimeout(timer);
				this.off("line", onLine);
				this.off("exit", onExit);
				action(value);
			};
			const onLine = (line) => pattern.test(line) && end(resolve, line);
			const onExit = (code) => end(reject, new Error(`Zigbee2MQTT ended (${code}) before it said ${pattern}`));
			const timer = setTimeout(() => end(reject, new Error(`Zigbee2MQTT did not say ${pattern} in ${timeout} ms`)), timeout);
			this.on("line", onLine);
			this.on("exit", onExit);
		});
	}

	/* Lets the devices join that have not, and waits until Zigbee2MQTT has configured each of them. */
	async pair(names) {
		const { air, coordinator } = this.simulator;
		const fresh = names.map((name) => air.make(name)).filter((node) => !node.joined);
		if (fresh.length === 0) return;
		coordinator.permitJoin(254);
		const configured = fresh.map((node) => this.#line(new RegExp(`(Successfully|Failed to) configured? '${node.name}'`), PAIR_MS));
		for (const node of fresh) air.join(node);
		const failed = (await Promise.all(configured)).filter((line) => line.includes("Failed"));
		coordinator.permitJoin(0);
		if (failed.length > 0) throw new Error(failed.join("; "));
	}

	/* Ends Zigbee2MQTT, by force if it will not, then the network. */
	async stop() {
		this.stopping = true;
		if (this.child !== undefined) {
			const { child } = this;
			const ended = new Promise((resolve) => child.once("exit", resolve));
			child.kill("SIGTERM");
			const force = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
			await ended;
			clearTimeout(force);
		}
		await this.simulator.stop();
	}
}
