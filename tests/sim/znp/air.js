// air - the radio between the coordinator and the nodes: addresses, delays, joining and leaving.
//
// The coordinator hands in a frame and learns how the MAC layer ended it (dataConfirm); a node's answer
// comes back as an incoming message. A silent router gives "no MAC acknowledgement" at once, a silent
// sleepy device "transaction expired" after the time its parent keeps a frame for it.

import { EventEmitter } from "node:events";
import { DEVICES } from "./devices.js";
import { NO_FAULTS, Node } from "./node.js";
import { Timers } from "./timers.js";
import { answerZcl } from "./zcl_server.js";

const HOP_MS = 3;
const INDIRECT_MS = 1500;
const FIRST_NWK = 0x1a01;

export const CONFIRM = { SUCCESS: 0x00, APS_NO_ACK: 0xb7, NWK_NO_ROUTE: 0xcd, CHANNEL_ACCESS_FAILURE: 0xe1, MAC_NO_ACK: 0xe9,
	TRANSACTION_EXPIRED: 0xf0 };

/* Emits "incoming" (node, frame), "joined" (node), "left" (node, rejoin), "changed" (node, path, value). */
export class Air extends EventEmitter {
	constructor(hostEui) {
		super();
		this.hostEui = hostEui;
		this.timers = new Timers();
		this.nodes = new Map();
		this.permitUntil = 0;
		this.networkUp = false;
		this.nextNwk = FIRST_NWK;
		this.radio = { hostEui, send: (node, frame) => this.#fromNode(node, frame),
			changed: (node, path, value) => this.emit("changed", node, path, value) };
	}

	close() {
		this.timers.close();
	}

	get joined() {
		return [...this.nodes.values()].filter((node) => node.joined);
	}

	get permitsJoin() {
		return this.networkUp && Date.now() < this.permitUntil;
	}

	permit(seconds) {
		this.permitUntil = seconds === 0xff ? Infinity : Date.now() + seconds * 1000;
	}

	/* The node of that name; made from its kind's table on first use. */
	make(name, kind = name) {
		if (this.nodes.has(name)) return this.nodes.get(name);
		const table = DEVICES[kind];
		if (table === undefined) throw new RangeError(`no such device: ${kind}`);
		const serial = [...this.nodes.values()].filter((node) => node.kind === kind).length;
		const eui = `0x${(BigInt(table.eui) + (BigInt(serial) << 16n)).toString(16).padStart(16, "0")}`;
		const node = new Node(name, table, eui, this.timers, this.radio);
		node.kind = kind;
		this.nodes.set(name, node);
		return node;
	}

	byName(name) {
		const node = this.nodes.get(name);
		if (node === undefined) throw new RangeError(`no such device: ${name}`);
		return node;
	}

	byNwk(nwk) {
		return this.joined.find((node) => node.nwk === nwk);
	}

	byEui(eui) {
		return this.joined.find((node) => node.eui === eui);
	}

	/* A new device needs the join window; one that was here before comes back with a new short address. */
	join(node) {
		if (!this.networkUp) throw new RangeError("there is no network");
		if (!node.joined && !this.permitsJoin) throw new RangeError("joining is not permitted");
		if (!node.joined) node.factoryReset();
		node.faults = { ...NO_FAULTS };
		node.nwk = this.nextNwk++;
		node.joined = true;
		this.emit("joined", node);
	}

	leave(node, rejoin) {
		if (!node.joined) throw new RangeError(`${node.name} is in no network`);
		if (!node.isAway) this.emit("left", node, rejoin);
		if (rejoin) return;
		node.joined = false;
		node.factoryReset();
	}

	/* Sends to one node; `confirm` gets the status once the MAC knows it. frame: {srcEp, dstEp, cluster, data}. */
	unicast(nwk, frame, confirm) {
		const node = this.byNwk(nwk);
		if (node === undefined) return this.timers.after(HOP_MS, () => confirm(CONFIRM.NWK_NO_ROUTE));
		const { faults } = node;
		if (faults.confirmCount > 0) {
			faults.confirmCount--;
			return this.timers.after(HOP_MS, () => confirm(faults.confirm));
		}
		if (faults.gone) return this.timers.after(HOP_MS, () => confirm(CONFIRM.APS_NO_ACK));
		if (faults.silent && node.sleepy) return this.timers.after(INDIRECT_MS, () => confirm(CONFIRM.TRANSACTION_EXPIRED));
		if (faults.silent) return this.timers.after(HOP_MS, () => confirm(CONFIRM.MAC_NO_ACK));
		return this.timers.after(HOP_MS + (node.table.pollMs ?? 0), () => {
			confirm(CONFIRM.SUCCESS);
			this.#toNode(node, frame);
		});
	}

	/* To every node that listens; group 0 is a true broadcast. Nobody answers with a default response. */
	broadcast(group, frame) {
		this.timers.after(HOP_MS, () => {
			for (const node of this.joined)
				for (const endpoint of node.endpoints.values()) {
					const heard = group === 0 ? !node.sleepy : endpoint.memory.groups?.includes(group);
					if (heard && !node.isAway) answerZcl(endpoint, frame.cluster, frame.data);
				}
		});
	}

	#toNode(node, { srcEp, dstEp, cluster, data }) {
		const endpoint = node.endpoints.get(dstEp);
		if (endpoint === undefined || node.faults.mute) return;
		const answer = answerZcl(endpoint, cluster, data);
		if (answer !== undefined) this.#fromNode(node, { srcEp: dstEp, dstEp: srcEp, cluster, data: answer });
	}

	#fromNode(node, frame) {
		this.timers.after(HOP_MS, () => {
			if (node.joined && !node.isQuiet) this.emit("incoming", node, frame);
		});
	}

	toJSON() {
		return { nextNwk: this.nextNwk, nodes: [...this.nodes.values()] };
	}

	restore({ nextNwk, nodes }) {
		this.nextNwk = nextNwk;
		for (const saved of nodes) this.make(saved.name, saved.kind).restore(saved);
	}
}
