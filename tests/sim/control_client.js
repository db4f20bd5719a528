// control_client - speaks the simulator's control channel: `await client.ask({op: "join", device: "bulb"})`.

import { createConnection } from "node:net";
import { createInterface } from "node:readline";

export class ControlClient {
	#waiting = new Map();
	#nextId = 1;

	static connect(where) {
		const socket = createConnection(typeof where === "number" ? { host: "127.0.0.1", port: where } : { path: where });
		return new Promise((resolve, reject) => {
			socket.once("error", reject);
			socket.once("connect", () => resolve(new ControlClient(socket)));
		});
	}

	constructor(socket) {
		this.socket = socket;
		createInterface({ input: socket }).on("line", (line) => {
			const { id, ok, ...rest } = JSON.parse(line);
			const waiter = this.#waiting.get(id);
			this.#waiting.delete(id);
			if (ok) waiter?.resolve(rest);
			else waiter?.reject(new Error(rest.error));
		});
	}

	ask(request) {
		const id = this.#nextId++;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			this.socket.write(`${JSON.stringify({ id, ...request })}\n`);
		});
	}

	close() {
		this.socket.destroy();
	}
}
