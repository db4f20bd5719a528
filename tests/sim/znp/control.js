// control - the other side's door: what a test may do to the simulated home, one JSON object a line.
//
// A line is {"id": 1, "op": "join", "device": "bulb", ...}; the answer has the same id and "ok": true
// with the result, or "ok": false with "error". After {"op": "events"} the connection also gets a line
// {"event": "changed", ...} for each change, with the monotonic clock's seconds. The operations are the table OPERATIONS.

import { createInterface } from "node:readline";
import { CONFIRM } from "./air.js";
import { CLUSTERS, PRESSES } from "./clusters.js";
import { makeCrowd, talk } from "./crowd.js";

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
		if (rejoin) air.rejoin(air.byName(device));
		return {};
	},
	/* it comes back by itself, as after a power cut; newAddress: with another short address */
	rejoin({ air }, { device, newAddress = true }) {
		const node = air.byName(device);
		air.rejoin(node, { newAddress });
		return { nwk: node.nwk };
	},
	/* somebody pressed its reset button; nobody in the network hears of that */
	reset({ air }, { device }) {
		air.reset(air.byName(device));
		return {};
	},
	list({ air }) {
		return { devices: [...air.nodes.values()].map((node) => ({ name: node.name, eui: node.eui, nwk: node.nwk, joined: node.joined,
			model: node.model, parent: node.parent })), permitJoin: air.permitsJoin };
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
	/* the device's own change, reported now whatever was configured; times: so often in one frame, which makes it a large one */
	report(simulator, request) {
		const endpoint = endpointOf(simulator, request);
		endpoint.forceReport(request.attr, request.value, request.times);
		return {};
	},
	/* what is printed on the device: its address, its install code if it has one */
	sticker({ air }, { device, kind }) {
		const { eui, table } = air.make(device, kind);
		return { eui, code: table.installCode ?? null };
	},
	/* what: one of PRESSES, or {cluster, command, payload} in hex */
	press({ air }, { device, what, cluster, command, payload = "" }) {
		const [name, id, bytes] = PRESSES[what] ?? [cluster, command, payload];
		if (!Object.hasOwn(CLUSTERS, name ?? "")) throw new RangeError(`no such press: ${what ?? cluster}`);
		return { sent: air.byName(device).endpointWithClient(name).press(name, id, Buffer.from(bytes, "hex")) };
	},
	/* a sleepy device looks for what waits each so many milliseconds; 0: not before "wake" */
	sleep({ air }, { device, pollMs = 0 }) {
		air.indirect.setPoll(air.byName(device), pollMs);
		return {};
	},
	wake({ air }, { device }) {
		const node = air.byName(device);
		const waiting = air.indirect.count(node);
		air.indirect.poll(node);
		return { waiting };
	},
	/* children: how many a parent has at most; holdMs: how long it keeps frames; hopMs: a hop's time; duplicate, reorder: what comes in */
	air({ air }, { children, holdMs, hopMs, duplicate, reorder }) {
		if (children !== undefined) air.mesh.spread(children === null ? Infinity : children);
		if (holdMs !== undefined) air.indirect.holdMs = holdMs;
		if (hopMs !== undefined) air.hopMs = hopMs;
		Object.assign(air.disturbed, { ...(duplicate !== undefined && { duplicate }), ...(reorder !== undefined && { reorder }) });
		return {};
	},
	/* a home of so many devices; with `join` they do so now (the window must be open, or known: they were here before) */
	crowd({ air }, { devices, join = true }) {
		const names = makeCrowd(air, devices);
		if (join) for (const name of names) if (!air.byName(name).joined) air.join(air.byName(name));
		return { names };
	},
	/* one device, or all in turn, say something so often a second for so long; gives how many were said */
	talk: talk,
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
	/* what: reset (watchdog), cut (drop the host's connection), mute / unmute, drop (the next `count` requests), full (those find no
	 * memory), lose (the next `count` indications named `frames`, or all), wornOut / writable (its flash), replace (by a new stick) */
	coordinator(simulator, { what, count = 1, frames = "all", ieee = "0x00124b0018ed5678" }) {
		const { coordinator } = simulator;
		const actions = {
			reset: () => coordinator.watchdogReset(),
			cut: () => simulator.cut(),
			mute: () => { coordinator.faults.mute = true; },
			unmute: () => { coordinator.faults.mute = false; },
			drop: () => { coordinator.faults.dropRequests = count; },
			full: () => { coordinator.faults.fullRequests = count; },
			lose: () => { coordinator.faults.lose[frames] = count; },
			wornOut: () => { coordinator.nv.full = true; },
			writable: () => { coordinator.nv.full = false; },
			replace: () => {
				coordinator.nv.replace(ieee);
				coordinator.watchdogReset();
			},
		};
		if (!Object.hasOwn(actions, what ?? "")) throw new RangeError(`no such coordinator fault: ${what}`);
		actions[what]();
		return {};
	},
	events(simulator, request, listen) {
		listen();
		return {};
	},
	/* whose link key the coordinator has, and for whom it has none or another one than the device */
	keys({ air, coordinator }) {
		const right = ({ eui, linkKey }) => linkKey !== undefined && coordinator.nv.linkKey(eui) === linkKey;
		return { right: air.joined.filter(right).map(({ name }) => name), wrong: air.joined.filter((node) => !right(node)).map(({ name }) => name) };
	},
	network({ coordinator }) {
		return { network: coordinator.nv.network() ?? null, ieee: coordinator.nv.ieee, state: coordinator.state,
			faults: coordinator.faults };
	},
};

function now() {
	return Number(process.hrtime.bigint()) / 1e9;
}

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
	const changed = (node, attr, value) => tell({ event: "changed", device: node.name, attr, value, at: now() });
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
