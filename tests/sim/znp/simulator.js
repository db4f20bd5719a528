// simulator - a whole simulated Zigbee network behind one listening socket, with its control channel.
//
// The serial line is a TCP port of 127.0.0.1 or a unix socket; one host at a time, a new one replaces
// the old one as on network coordinators. With `stateFile`, NV and nodes outlive the process.

import { mkdirSync, readFileSync, renameSync, writeFileSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { Air } from "./air.js";
import { serveControl } from "./control.js";
import { Coordinator } from "./coordinator.js";

const COORDINATOR_IEEE = "0x00124b0018ed1234";
const SAVE_DELAY_MS = 200;

/* where: { port } on 127.0.0.1 (0: any free one) or { path }. Gives the port or the path it got. */
function listen(server, where) {
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		const options = where.path === undefined ? { host: "127.0.0.1", port: where.port ?? 0 } : { path: where.path };
		server.listen(options, () => {
			const address = server.address();
			resolve(typeof address === "string" ? address : address.port);
		});
	});
}

export class Simulator {
	/* rows: how many devices the coordinator's tables hold. frozen: the state is read and never written. */
	constructor({ serial = {}, control = {}, stateFile, trace, rows, frozen = false } = {}) {
		Object.assign(this, { serialWhere: serial, controlWhere: control, stateFile });
		this.air = new Air(COORDINATOR_IEEE);
		this.coordinator = new Coordinator(this.air, COORDINATOR_IEEE, rows);
		this.controls = new Set();
		if (stateFile !== undefined && existsSync(stateFile)) this.#load();
		if (frozen) this.stateFile = undefined;
		if (trace) this.coordinator.on("frame", trace);
		this.coordinator.on("output", (bytes) => this.host?.writable && this.host.write(bytes));
		this.coordinator.on("dirty", () => this.#saveSoon());
		this.air.on("changed", () => this.#saveSoon());
	}

	async start() {
		this.serialServer = createServer({ noDelay: true }, (socket) => this.#hostConnected(socket));
		this.controlServer = createServer({ noDelay: true }, (socket) => {
			this.controls.add(socket);
			socket.on("close", () => this.controls.delete(socket));
			serveControl(this, socket);
		});
		this.serial = await listen(this.serialServer, this.serialWhere);
		this.control = await listen(this.controlServer, this.controlWhere);
		return this;
	}

	#hostConnected(socket) {
		this.host?.destroy();
		this.host = socket;
		this.coordinator.connected();
		socket.on("error", () => {});
		socket.on("data", (bytes) => this.host === socket && this.coordinator.input(bytes));
	}

	/* The host's connection breaks, as when a network coordinator loses its cable. */
	cut() {
		this.host?.destroy();
	}

	#load() {
		const { nv, air } = JSON.parse(readFileSync(this.stateFile, "utf8"));
		this.coordinator.nv.restore(nv);
		this.air.restore(air);
	}

	#saveSoon() {
		if (this.stateFile === undefined || this.saving !== undefined) return;
		this.saving = this.air.timers.after(SAVE_DELAY_MS, () => this.#save());
	}

	#save() {
		this.saving = undefined;
		mkdirSync(dirname(this.stateFile), { recursive: true });
		writeFileSync(`${this.stateFile}.new`, JSON.stringify({ nv: this.coordinator.nv, air: this.air }));
		renameSync(`${this.stateFile}.new`, this.stateFile);
	}

	async stop() {
		if (this.stateFile !== undefined) this.#save();
		this.air.close();
		this.host?.destroy();
		for (const socket of this.controls) socket.destroy();
		await Promise.all([this.serialServer, this.controlServer].map((server) => new Promise((done) => server.close(done))));
	}
}
