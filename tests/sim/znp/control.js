// control - the other side's door: what a test may do to the simulated home, one JSON object a line.
//
// A line is {"id": 1, "op": "join", "device": "bulb", ...}; the answer has the same id and "ok": true
// with the result, or "ok": false with "error". After {"op": "events"} the connection also gets a line
// {"event": "changed", ...} for each change. The operations are the table OPERATIONS.

import { createInterface } from "node:readline";
import { CONFIRM } from "./air.js";

const LINE_MAX = 65536;
const WAIT_MS = 10000;

function endpointOf(simulator, { device, attr }) {
	return simulator.air.byName(device).endpointWith(attr);
}

/* Resolves once the attribute has the value (at once if it has), rejects after timeout milliseconds. */
function waitForValue(simulator, { device, attr, value, timeout = WAIT_MS }) {
	const node = simulator.air.byName(device);
	const present = () => node.endpointWith(attr).get(attr);
	if (present() === value) return { value };
	return new Promise((resolve, reject) => {
		const onChanged = (changed, path) => {
			if (changed !== node || path !== attr || present() !== value) return;
			stop();
			resolve({ value });
		};
		const timer = simulator.air.timers.after(timeout, () => {
			stop();
			reject(new RangeError(`${device} ${attr} is ${JSON.stringify(present())} after ${timeout} ms`));
		});
		const stop = () => {
			simulator.air.timers.cancel(timer);
			simulator.air.off("changed", onChanged);
		};
		simulator.air.on("changed", onChanged);
	});
}

const OPERATIONS = {
	/* device: a kind of devices.js, or any name with "kind" */
	join({ air }, { device, kind }) {
		const node = air.make(device, kind);
		air.join(node);
		return { eui: node.eui, nwk: node.nwk };
	},
	/* as if somebody pressed the coordinator's button; a host's own permit works too */
	permit({ coordinator }, { seconds = 254 }) {
		coordinator.permitJoin(seconds);
		return {};
	},
	leave({ air }, { device, rejoin = false }) {
		air.leave(air.byName(device), rejoin);
		if (rejoin) air.join(air.byName(device));
		return {};
	},
	list({ air }) {
		return { devices: [...air.nodes.values()].map((node) => ({ name: node.name, eui: node.eui, nwk: node.nwk, joined: node.joined,
			model: node.model })), permitJoin: air.permitsJoin };
	},
	state({ air }, { device }) {
		return { state: air.byName(device).describe() };
	},
	get(simulator, request) {
		return { value: endpointOf(simulator, request).get(request.attr) };
	},
	wait: waitForValue,
	/* the device's own change: reports as it was configured to */
	set(simulator, request) {
		endpointOf(simulator, request).set(request.attr, request.value);
		return {};
	},
	/* the device's own change, reported now whatever was configured */
	report(simulator, request) {
		const endpoint = endpointOf(simulator, request);
		endpoint.forceReport(request.attr, request.value);
		return {};
	},
	/* silent, gone, mute, jammed: true or false; confirm: a status or its name, for the next `count` sends */
	fault({ air }, { device, confirm, count = 1, ...switches }) {
		const { faults } = air.byName(device);
		for (const name of ["silent", "gone", "mute", "jammed"]) faults[name] = switches[name] ?? faults[name];
		if (confirm !== undefined) {
			const status = typeof confirm === "number" ? confirm : CONFIRM[confirm];
			if (status === undefined) throw new RangeError(`no such confirm status: ${confirm}`);
			Object.assign(faults, { confirm: status, confirmCount: count });
		}
		return { faults };
	},
	/* what: reset (watchdog), cut (drop the host's connection), mute / unmute, drop (the next `count` requests) */
	coordinator(simulator, { what, count = 1 }) {
		const { coordinator } = simulator;
		const actions = {
			reset: () => coordinator.watchdogReset(),
			cut: () => simulator.cut(),
			mute: () => { coordinator.faults.mute = true; },
			unmute: () => { coordinator.faults.mute = false; },
			drop: () => { coordinator.faults.dropRequests = count; },
		};
		if (!Object.hasOwn(actions, what ?? "")) throw new RangeError(`no such coordinator fault: ${what}`);
		actions[what]();
		return {};
	},
	events(simulator, request, listen) {
		listen();
		return {};
	},
	network({ coordinator }) {
		return { network: coordinator.nv.network() ?? null, ieee: coordinator.nv.ieee, state: coordinator.state };
	},
};

async function run(simulator, line, listen) {
	let request;
	try {
		request = JSON.parse(line);
	} catch {
		return { ok: false, error: "not JSON" };
	}
	const id = request?.id;
	try {
		if (!Object.hasOwn(OPERATIONS, request?.op ?? "")) throw new RangeError(`no such operation: ${request?.op}`);
		return { id, ok: true, ...await OPERATIONS[request.op](simulator, request, listen) };
	} catch (error) {
		if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
		return { id, ok: false, error: error.message };
	}
}

export function serveControl(simulator, socket) {
	const tell = (message) => socket.writable && socket.write(`${JSON.stringify(message)}\n`);
	const changed = (node, attr, value) => tell({ event: "changed", device: node.name, attr, value });
	const listen = () => {
		simulator.air.off("changed", changed);
		simulator.air.on("changed", changed);
	};
	socket.on("error", () => {});
	socket.on("close", () => simulator.air.off("changed", changed));
	createInterface({ input: socket }).on("error", () => {}).on("line", async (line) => {
		if (line.length > LINE_MAX) return tell({ ok: false, error: "line too long" });
		tell(await run(simulator, line, listen));
	});
}
