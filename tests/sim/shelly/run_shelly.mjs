// run_shelly - one or more simulated Shellys in this process, on this namespace's addresses.
//
//     node run_shelly.mjs '[{"kind":"plus1pm","mac":"a8032abe54dc","ip":"10.92.0.11","password":"x","mqtt":"mqtt://..."}]'
//
// Prints {"ready":[ids]} and then answers one JSON line for each JSON line: {"id":1,"device":0,"op":"set","component":"switch:0",
// "values":{}}. Operations: set, push, full, get, orders, off, on, ip, mute, raw, forget, announce, password. Ends when its input does.

import { createInterface } from "node:readline";
import { Device } from "./device.js";
import { Lan } from "./lan.js";
import { Mdns } from "./mdns.js";
import { Mqtt } from "./mqtt.js";

class Unit {
	constructor(options) {
		this.options = options;
		this.device = new Device(options);
	}

	async on() {
		const { ip, port = 80, mqtt, lan = true, mdns = true } = this.options;
		this.lan = lan ? await new Lan(this.device, { host: ip, port }).start() : null;
		this.mdns = mdns ? await new Mdns(this.device, { ip, port: this.lan?.port ?? port }).start() : null;
		if (this.mdns) await this.mdns.announce();
		this.mqtt = mqtt ? await new Mqtt(this.device, typeof mqtt === "string" ? { url: mqtt } : mqtt).start() : null;
	}

	// The power goes: nothing is said.
	async off() {
		this.device.removeAllListeners("notice");
		await this.mdns?.stop();
		await this.lan?.stop();
		await this.mqtt?.stop(false);
		this.lan = this.mdns = this.mqtt = null;
	}
}

const operations = {
	set: ({ device }, { component, values }) => device.set(component, values),
	push: ({ device }, { component, event }) => device.push(component, event),
	full: ({ device }) => device.tellAll(),
	get: ({ device, lan }) => ({ status: device.status, clients: lan?.sockets.size ?? 0, connections: lan?.connections ?? 0 }),
	orders: ({ device }) => device.orders.splice(0),
	off: (unit) => unit.off(),
	on: async (unit) => {
		unit.device.boot();
		await unit.on();
	},
	ip: (unit, { ip }) => {
		unit.options.ip = unit.device.ip = ip;
	},
	mute: ({ lan }, { on }) => lan.mute(on),
	raw: ({ lan }, { text, times }) => lan.raw(text, times),
	forget: ({ device }) => device.forgetNonces(),
	announce: ({ mdns }, { more }) => mdns.announce(more),
	password: ({ device }, { password }) => {
		device.password = password;
	},
};

const units = JSON.parse(process.argv[2]).map((options) => new Unit(options));
for (const unit of units) await unit.on();
console.log(JSON.stringify({ ready: units.map((unit) => unit.device.id), ports: units.map((unit) => unit.lan?.port) }));
for await (const line of createInterface({ input: process.stdin })) {
	const { id, device = 0, op, ...what } = JSON.parse(line);
	try {
		console.log(JSON.stringify({ id, result: await operations[op](units[device], what) ?? null }));
	} catch (error) {
		console.log(JSON.stringify({ id, error: String(error.stack) }));
	}
}
process.exit(0);
