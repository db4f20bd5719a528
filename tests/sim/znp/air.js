// air - the radio between the coordinator and the nodes: addresses, delays, joining and leaving.
//
// The coordinator hands in a frame and learns how the MAC layer ended it (dataConfirm); a node's answer
// comes back as an incoming message. A silent router gives "no MAC acknowledgement" at once, a silent
// sleepy device "transaction expired" after the time its parent keeps a frame for it. What the parent is a router for, the
// coordinator only sees as a missing acknowledgement.

import { EventEmitter } from "node:events";
import { DEVICES } from "./devices.js";
import { Indirect } from "./indirect.js";
import { fragments } from "./large.js";
import { HOST, Mesh } from "./mesh.js";
import { NO_FAULTS, Node } from "./node.js";
import { installKey, isMember, membership, takesFrame } from "./security.js";
import { Timers } from "./timers.js";
import { answerZcl } from "./zcl_server.js";

const HOP_MS = 3;
const SWAP_MS = 25;
const FIRST_NWK = 0x1a01;

export const CONFIRM = { SUCCESS: 0x00, FAILED: 0x01, MEMORY: 0x10, BUFFER_FULL: 0x11, APS_NO_ACK: 0xb7, NWK_INVALID_REQUEST: 0xc2,
	NWK_NO_ROUTE: 0xcd, CHANNEL_ACCESS_FAILURE: 0xe1, MAC_NO_ACK: 0xe9, TRANSACTION_EXPIRED: 0xf0, TRANSACTION_OVERFLOW: 0xf1 };

/* Emits "incoming" (node, frame), "tried" (node: let in, but it could not read its key), "joined" (node, secured), "left" (node,
 * rejoin), "announced" (node), "changed" (node, path, value). */
export class Air extends EventEmitter {
	constructor(hostEui) {
		super();
		this.hostEui = hostEui;
		this.timers = new Timers();
		this.nodes = new Map();
		this.mesh = new Mesh(() => this.joined);
		this.indirect = new Indirect(this.timers);
		this.installKeys = new Map();
		this.disturbed = { duplicate: false, reorder: false };
		this.permitUntil = 0;
		this.hopMs = HOP_MS;
		this.network = undefined;
		this.nextNwk = FIRST_NWK;
		this.radio = { hostEui, send: (node, frame) => this.#fromNode(node, frame),
			changed: (node, path, value) => this.emit("changed", node, path, value) };
	}

	close() {
		this.timers.close();
	}

	get networkUp() {
		return this.network !== undefined;
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

	/* With an install code a device understands only who knows that code, and without one nobody who thinks that it has one. */
	#canReadKey(node) {
		const code = node.table.installCode;
		return this.installKeys.get(node.eui) === (code && installKey(Buffer.from(code, "hex")));
	}

	/* A new device needs the join window; one that was here before comes back with a new short address. */
	join(node) {
		if (!this.networkUp) throw new RangeError("there is no network");
		if (!node.joined && !this.permitsJoin) throw new RangeError("joining is not permitted");
		if (!node.joined && !this.#canReadKey(node)) {
			node.nwk = this.nextNwk++;
			this.emit("tried", node);
			throw new RangeError("it cannot read the network key: its install code is not the one that is known here");
		}
		this.mesh.attach(node);
		if (!node.joined) node.factoryReset();
		node.faults = { ...NO_FAULTS };
		node.nwk = this.nextNwk++;
		node.network = membership(this.network);
		node.joined = true;
		this.emit("joined", node, false);
	}

	/* It knows the network and comes back, by itself, with the same short address or a new one. */
	rejoin(node, { newAddress = true } = {}) {
		if (!node.joined || !isMember(node, this.network)) throw new RangeError(`${node.name} does not know this network`);
		this.mesh.attach(node);
		if (newAddress) node.nwk = this.nextNwk++;
		node.network.heard = this.network.counter;
		this.emit("joined", node, true);
	}

	leave(node, rejoin) {
		if (!node.joined) throw new RangeError(`${node.name} is in no network`);
		if (!node.isAway) this.emit("left", node, rejoin);
		if (!rejoin) this.reset(node);
	}

	/* Somebody pressed its reset button out of reach of the network. */
	reset(node) {
		node.joined = false;
		node.factoryReset();
	}

	/* Brings something to the node: arrived() when it is there; ended(status) as far as the sender can tell. */
	reach(node, arrived, ended, length = 0) {
		const { faults } = node;
		const direct = node.parent === HOST;
		const after = (status) => this.timers.after(this.hopMs, () => ended(status));
		this.network.counter++;
		if (this.mesh.isBroken(node)) {
			for (const orphan of this.mesh.repair(node)) if (orphan.sleepy) this.emit("announced", orphan);
			return after(CONFIRM.NWK_NO_ROUTE);
		}
		if (faults.gone) return after(CONFIRM.APS_NO_ACK);
		const { counter } = this.network;
		const taken = () => {
			if (!takesFrame(node, { ...this.network, counter })) return ended(CONFIRM.APS_NO_ACK);
			ended(CONFIRM.SUCCESS);
			arrived();
		};
		const travelMs = this.hopMs * this.mesh.hops(node) * fragments(length);
		if (!node.sleepy) return faults.silent ? after(direct ? CONFIRM.MAC_NO_ACK : CONFIRM.APS_NO_ACK) : this.timers.after(travelMs, taken);
		const expired = () => ended(direct ? CONFIRM.TRANSACTION_EXPIRED : CONFIRM.APS_NO_ACK);
		return this.timers.after(travelMs, () => this.indirect.put(node, taken, expired)
			|| ended(direct ? CONFIRM.TRANSACTION_OVERFLOW : CONFIRM.APS_NO_ACK));
	}

	/* Sends to one node; `confirm` gets the status once the MAC knows it. frame: {srcEp, dstEp, cluster, data}. */
	unicast(nwk, frame, confirm) {
		const node = this.byNwk(nwk);
		if (node === undefined) return this.timers.after(this.hopMs, () => confirm(CONFIRM.NWK_NO_ROUTE));
		const { faults } = node;
		if (faults.confirmCount > 0) {
			faults.confirmCount--;
			return this.timers.after(this.hopMs, () => confirm(faults.confirm));
		}
		return this.reach(node, () => this.#toNode(node, frame), confirm, frame.data.length);
	}

	/* To every node that listens; group 0 is a true broadcast. Nobody answers with a default response. */
	broadcast(group, frame) {
		this.network.counter++;
		this.timers.after(this.hopMs, () => {
			for (const node of this.joined)
				for (const endpoint of node.endpoints.values()) {
					const heard = group === 0 ? !node.sleepy : endpoint.memory.groups?.includes(group);
					if (heard && !node.isAway && isMember(node, this.network)) answerZcl(endpoint, frame.cluster, frame.data);
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
		if (this.mesh.isBroken(node)) return;
		this.timers.after(this.hopMs * this.mesh.hops(node) * fragments(frame.data.length), () => this.#arrive(node, frame));
	}

	#arrive(node, frame) {
		const tell = () => {
			if (node.joined && !node.isQuiet && isMember(node, this.network)) this.emit("incoming", node, frame);
		};
		if (this.disturbed.reorder && this.kept === undefined) {
			this.kept = tell;
			this.keptTimer = this.timers.after(SWAP_MS, () => this.#letGo());
			return;
		}
		tell();
		if (this.disturbed.duplicate) this.timers.after(1, tell);
		this.#letGo();
	}

	/* The frame that was overtaken. */
	#letGo() {
		const { kept } = this;
		this.timers.cancel(this.keptTimer);
		this.kept = undefined;
		kept?.();
	}

	toJSON() {
		return { nextNwk: this.nextNwk, childrenMax: this.mesh.childrenMax, installKeys: [...this.installKeys], nodes: [...this.nodes.values()] };
	}

	restore({ nextNwk, childrenMax, installKeys, nodes }) {
		this.nextNwk = nextNwk;
		this.mesh.childrenMax = childrenMax ?? Infinity;
		this.installKeys = new Map(installKeys);
		for (const saved of nodes) this.make(saved.name, saved.kind).restore(saved);
	}
}
