// mdns - announces a device as _shelly._tcp and _http._tcp, and answers who asks. Written by hand: who accepts it is another's library.

import { createSocket } from "node:dgram";

const GROUP = "224.0.0.251";
const PORT = 5353;
const [A, PTR, TXT, SRV] = [1, 12, 16, 33];
const SERVICES = ["_shelly._tcp.local", "_http._tcp.local"];

const u16 = (...numbers) => Buffer.from(numbers.flatMap((n) => [n >> 8 & 255, n & 255]));
const text = (word) => Buffer.concat([Buffer.from([Buffer.byteLength(word)]), Buffer.from(word)]);
const name = (words) => Buffer.concat([...words.split(".").map(text), Buffer.from([0])]);

// Names that were written before are pointed at, as devices do.
class Packet {
	constructor() {
		this.bytes = u16(0, 0x8400, 0, 0, 0, 0);
		this.places = new Map();
		this.n = 0;
	}

	name(words, at) {
		const parts = words.split(".");
		const out = [];
		for (let i = 0; i < parts.length; i++) {
			const rest = parts.slice(i).join(".");
			if (this.places.has(rest)) return Buffer.concat([...out, u16(0xc000 | this.places.get(rest))]);
			const here = at + out.reduce((sum, part) => sum + part.length, 0);
			this.places.set(rest, here);
			out.push(text(parts[i]));
		}
		return Buffer.concat([...out, Buffer.from([0])]);
	}

	add(owner, type, ttl, data) {
		const named = this.name(owner, this.bytes.length);
		const head = Buffer.concat([named, u16(type, type === PTR ? 1 : 0x8001, ttl >> 16, ttl & 0xffff)]);
		const body = data(this.bytes.length + head.length + 2);
		this.bytes = Buffer.concat([this.bytes, head, u16(body.length), body]);
		this.bytes.writeUInt16BE(++this.n, 6);
	}
}

export function announcement(device, { ip, port, ttl = 120 }) {
	const packet = new Packet();
	const host = `${device.id}.local`;
	for (const service of SERVICES) {
		const instance = `${device.id}.${service}`;
		packet.add(service, PTR, ttl, (at) => packet.name(instance, at));
		packet.add(instance, SRV, ttl, (at) => Buffer.concat([u16(0, 0, port), packet.name(host, at + 6)]));
		packet.add(instance, TXT, ttl, () => Buffer.concat([`gen=${device.model.gen}`, `app=${device.model.app}`, "ver=1.4.4"].map(text)));
	}
	packet.add(host, A, ttl, () => Buffer.from(ip.split(".").map(Number)));
	return packet.bytes;
}

// The names that a question asks for, uncompressed as questions come.
function questions(bytes) {
	const found = [];
	let at = 12;
	if (bytes.length < 12 || bytes.readUInt16BE(2) & 0x8000) return found;
	for (let n = bytes.readUInt16BE(4); n; n--) {
		const words = [];
		for (; bytes[at]; at += bytes[at] + 1) {
			if (bytes[at] >= 0xc0 || at + bytes[at] >= bytes.length) return found;
			words.push(bytes.toString("latin1", at + 1, at + 1 + bytes[at]));
		}
		at += 5;
		found.push(words.join(".").toLowerCase());
	}
	return found;
}

export class Mdns {
	constructor(device, { ip, port }) {
		Object.assign(this, { device, ip, port });
	}

	async start() {
		this.socket = createSocket({ type: "udp4", reuseAddr: true });
		await new Promise((resolve, reject) => this.socket.once("error", reject).bind(PORT, resolve));
		this.socket.addMembership(GROUP, this.ip);
		this.socket.setMulticastInterface(this.ip);
		this.socket.setMulticastTTL(255);
		this.socket.on("message", (bytes) => {
			if (!this.quiet && questions(bytes).some((asked) => SERVICES.includes(asked))) this.announce();
		});
		return this;
	}

	announce(more = {}) {
		return new Promise((resolve) => this.socket.send(announcement(this.device, { ip: this.ip, port: this.port, ...more }), PORT, GROUP, resolve));
	}

	async stop() {
		await new Promise((resolve) => this.socket.close(resolve));
	}
}
