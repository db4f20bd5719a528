// device - one simulated Shelly without its transports: state, methods, authentication, notices.
//
// What it answers follows the Gen2+ documentation: RPC protocol, authentication, the components' pages. A transport calls
// handle(frame, channel) and listens to "notice".

import { createHash, randomInt } from "node:crypto";
import { EventEmitter } from "node:events";
import { MODELS, common } from "./models.js";

const hash = (...parts) => createHash("sha256").update(parts.join(":")).digest("hex");
const HA2 = hash("dummy_method", "dummy_uri");
const NAMES = { switch: "Switch", light: "Light", cover: "Cover", input: "Input", temperature: "Temperature", humidity: "Humidity", devicepower: "DevicePower" };
const OPEN = new Set(["Shelly.GetDeviceInfo"]);

class Refusal extends Error {
	constructor(code, message) {
		super(message);
		this.code = code;
	}
}

export class Device extends EventEmitter {
	constructor({ kind, mac, ip = "127.0.0.1", name = null, password = null }) {
		super();
		Object.assign(this, { kind, mac: mac.toUpperCase(), ip, name, password, model: MODELS[kind] });
		this.id = `${this.model.id}-${mac.toLowerCase()}`;
		this.nonces = new Set();
		this.orders = [];
		this.boot();
	}

	boot() {
		this.status = { ...common(this), ...this.model.status() };
	}

	info() {
		return { name: this.name, id: this.id, mac: this.mac, slot: 0, model: this.model.model, gen: this.model.gen, fw_id: "20241011-114449/1.4.4-g6d2a586",
			ver: "1.4.4", app: this.model.app, auth_en: this.password !== null, auth_domain: this.password === null ? null : this.id,
			...(this.model.profile ? { profile: this.model.profile } : {}) };
	}

	// Something changed by itself: tell, as the device does, only what changed.
	set(component, values) {
		const target = this.status[component];
		for (const [key, value] of Object.entries(values))
			target[key] = value && typeof value === "object" && !Array.isArray(value) && target[key] ? { ...target[key], ...value } : value;
		const part = { ...(target.id === undefined ? {} : { id: target.id }), ...values };
		this.notify("NotifyStatus", { [component]: part }, component);
	}

	push(component, event) {
		this.notify("NotifyEvent", { events: [{ component, id: Number(component.split(":")[1]), event, ts: Date.now() / 1000 }] });
	}

	tellAll() {
		this.notify("NotifyFullStatus", this.status);
	}

	notify(method, params, component = null) {
		this.emit("notice", { src: this.id, method, params: { ts: Date.now() / 1000, ...params } }, component);
	}

	// A request frame of a channel to an answer frame. MQTT and UART are never asked for a password.
	handle(frame, { trusted = false } = {}) {
		const answer = { id: frame.id, src: this.id, ...(frame.src ? { dst: frame.src } : {}) };
		try {
			if (typeof frame.method !== "string") throw new Refusal(-102, "Invalid request");
			if (this.password !== null && !trusted && !OPEN.has(frame.method)) this.authorise(frame.auth);
			return { ...answer, result: this.call(frame.method, frame.params ?? {}) };
		} catch (error) {
			if (!(error instanceof Refusal)) throw error;
			return { ...answer, error: { code: error.code, message: error.message } };
		}
	}

	challenge() {
		const nonce = randomInt(1 << 30);
		this.nonces.add(nonce);
		return JSON.stringify({ auth_type: "digest", nonce, nc: 1, realm: this.id, algorithm: "SHA-256" });
	}

	authorise(auth) {
		const good = auth && auth.realm === this.id && auth.username === "admin" && auth.algorithm === "SHA-256" && this.nonces.has(auth.nonce) &&
			auth.response === hash(hash("admin", this.id, this.password), auth.nonce, 1, auth.cnonce, "auth", HA2);
		if (!good) throw new Refusal(401, this.challenge());
	}

	// Time passes: proofs that were good are no longer.
	forgetNonces() {
		this.nonces.clear();
	}

	call(method, params) {
		const [name, verb] = method.split(".");
		if (name === "Shelly") return this.shelly(verb);
		const kind = Object.keys(NAMES).find((key) => NAMES[key] === name);
		if (!kind) throw new Refusal(404, `No handler for ${method}`);
		const component = `${kind}:${params.id}`;
		if (!Number.isInteger(params.id)) throw new Refusal(-103, "Missing required argument 'id'!");
		if (!this.status[component]) throw new Refusal(-105, `Argument 'id', value ${params.id} not found!`);
		if (verb === "GetStatus") return this.status[component];
		if (verb === "GetConfig") return { id: params.id, name: null };
		const order = { switch: setOutput, light: setLight, cover: moveCover }[kind];
		if (!order || verb.startsWith("Get")) throw new Refusal(404, `No handler for ${method}`);
		this.orders.push({ method, params });
		return order(this, component, verb, params);
	}

	shelly(verb) {
		if (verb === "GetDeviceInfo") return this.info();
		if (verb === "GetStatus") return this.status;
		if (verb === "GetConfig") return Object.fromEntries(Object.entries(this.status).map(([key, part]) => [key, part.id === undefined ? {} : { id: part.id, name: null }]));
		if (verb === "ListMethods") return { methods: ["Shelly.GetDeviceInfo", "Shelly.GetStatus", "Shelly.GetConfig", "Shelly.ListMethods"] };
		throw new Refusal(404, `No handler for Shelly.${verb}`);
	}
}

const wrong = (name) => new Refusal(-103, `Invalid argument '${name}'!`);

function setOutput(device, component, verb, { on }) {
	const was_on = device.status[component].output;
	if (verb === "Toggle") on = !was_on;
	else if (verb !== "Set") throw new Refusal(404, "No handler");
	if (typeof on !== "boolean") throw wrong("on");
	if (on !== was_on) device.set(component, { output: on, source: "WS_in", apower: on ? 40 : 0 });
	return { was_on };
}

function setLight(device, component, verb, { on, brightness }) {
	if (verb !== "Set") throw new Refusal(404, "No handler");
	if (on === undefined && brightness === undefined) throw wrong("on");
	if (brightness !== undefined && !(Number.isInteger(brightness) && brightness >= 0 && brightness <= 100)) throw wrong("brightness");
	device.set(component, { source: "WS_in", ...(on === undefined ? {} : { output: on }), ...(brightness === undefined ? {} : { brightness }) });
	return null;
}

// It needs a moment to get anywhere.
function moveCover(device, component, verb, { pos }) {
	const now = device.status[component].current_pos;
	const target = { Open: 100, Close: 0, GoToPosition: pos, Stop: now }[verb];
	if (verb === "GoToPosition" && !(Number.isInteger(pos) && pos >= 0 && pos <= 100)) throw wrong("pos");
	if (target === undefined) throw new Refusal(404, "No handler");
	clearTimeout(device.moving);
	if (verb === "Stop") {
		device.set(component, { state: "stopped", target_pos: null });
	} else {
		device.set(component, { state: target >= now ? "opening" : "closing", target_pos: target });
		device.moving = setTimeout(() => device.set(component,
			{ state: target === 100 ? "open" : target === 0 ? "closed" : "stopped", current_pos: target, target_pos: null }), 200);
	}
	return null;
}
