// node - one simulated device on the air: its endpoints, attributes, bindings and faults.
//
// A node knows nothing of the serial protocol. It is given ZCL frames (zcl_server answers them) and
// sends its own through the `radio` it is built with: radio.send(node, {srcEp, dstEp, cluster, data}),
// radio.changed(node, path, value). What it must remember over a restart is in toJSON().

import { encodeFields } from "./fields.js";
import { Reporting } from "./reporting.js";
import { CLUSTERS } from "./clusters.js";
import { ZCL, encodeValue, encodeZcl, typeId } from "./zcl.js";

const HOST_ENDPOINT = 1;
const ENROLL_DELAY_MS = 30;

/* silent: off the air. gone: the same, and the network knows at once. mute: hears, never answers. confirm: status
 * that the next confirmCount sends end with. */
export const NO_FAULTS = { silent: false, gone: false, mute: false, jammed: false, confirm: 0, confirmCount: 0 };

class Endpoint {
	constructor(node, id, table) {
		this.node = node;
		this.id = id;
		this.table = table;
		this.memory = {};
		this.values = new Map();
		for (const [cluster, attributes] of Object.entries(table.attributes))
			for (const [name, value] of Object.entries(attributes)) this.values.set(`${cluster}.${name}`, value);
		this.reporting = new Reporting(node.timers, Date.now, (path) => this.sendReport(path, false));
	}

	has(cluster) {
		return cluster in this.table.attributes;
	}

	get(path) {
		return this.values.get(path);
	}

	type(path) {
		const [cluster, name] = path.split(".");
		return CLUSTERS[cluster].attributes[name][1];
	}

	/* Changes an attribute as the device itself would, with all that follows from it. */
	set(path, value) {
		if (!this.values.has(path)) throw new RangeError(`${this.node.name} has no attribute ${path}`);
		if (this.values.get(path) === value) return;
		encodeValue(this.type(path), value);
		this.values.set(path, value);
		this.node.radio.changed(this.node, path, value);
		if (path === "iasZone.zoneStatus") this.#tellZoneStatus();
		if (path === "iasZone.cieAddress") this.later(ENROLL_DELAY_MS, () => this.#askToEnroll());
		this.reporting.changed(path, this.type(path), value);
	}

	later(ms, action) {
		if (ms === 0) action();
		else this.node.timers.after(ms, action);
	}

	/* Sends the attribute's present value and gives it back; bound targets only, unless forced. */
	sendReport(path, forced, times = 1) {
		const [cluster, name] = path.split(".");
		const { id, attributes } = CLUSTERS[cluster];
		const [attribute, type] = attributes[name];
		const head = Buffer.from([attribute & 0xff, attribute >> 8, typeId(type)]);
		const record = Buffer.concat([head, encodeValue(type, this.get(path))]);
		const payload = Buffer.concat(Array.from({ length: times }, () => record));
		const targets = this.node.hostTargets(this.id, id);
		if (targets.length === 0 && forced) targets.push(HOST_ENDPOINT);
		for (const dstEp of targets) this.send(id, dstEp, { command: ZCL.REPORT, payload });
		return this.get(path);
	}

	/* Reports now, whatever was configured; with a value, that becomes the attribute's. times: so often in one frame. */
	forceReport(path, value = this.get(path), times = 1) {
		encodeValue(this.type(path), value);
		this.values.set(path, value);
		this.reporting.sent(path, value);
		this.sendReport(path, true, times);
		this.node.radio.changed(this.node, path, value);
	}

	/* A cluster command from server to client, such as a zone's status change. */
	notify(cluster, command, fields, payload) {
		const { id } = CLUSTERS[cluster];
		const [dstEp = HOST_ENDPOINT] = this.node.hostTargets(this.id, id);
		this.send(id, dstEp, { specific: true, command, payload: encodeFields(fields, payload) });
	}

	/* A command of one of its client clusters, to whom it is bound; to nobody if it is not. How many it was sent to. */
	press(cluster, command, payload) {
		const { id } = CLUSTERS[cluster];
		const targets = this.node.hostTargets(this.id, id);
		for (const dstEp of targets)
			this.send(id, dstEp, { specific: true, fromServer: false, noDefaultResponse: false, command, payload });
		return targets.length;
	}

	send(cluster, dstEp, frame) {
		const data = encodeZcl({ fromServer: true, noDefaultResponse: true, seq: this.node.nextSeq(), ...frame });
		this.node.radio.send(this.node, { srcEp: this.id, dstEp, cluster, data });
	}

	#tellZoneStatus() {
		if (this.get("iasZone.zoneState") !== 1) return;
		this.notify("iasZone", 0x00, "status:u16 extended:u8 zone:u8 delay:u16",
			{ status: this.get("iasZone.zoneStatus"), extended: 0, zone: this.get("iasZone.zoneId"), delay: 0 });
	}

	#askToEnroll() {
		this.notify("iasZone", 0x01, "type:u16 manufacturer:u16",
			{ type: this.get("iasZone.zoneType"), manufacturer: this.node.table.manufacturer });
	}
}

export class Node {
	constructor(name, table, eui, timers, radio) {
		Object.assign(this, { name, table, eui, timers, radio });
		this.seq = 0;
		this.nwk = 0xfffe;
		this.joined = false;
		this.pollMs = table.pollMs ?? 0;
		this.factoryReset();
		this.faults = { ...NO_FAULTS };
	}

	/* Forgets the network and goes back to the table's values, as pressing the reset button does. */
	factoryReset() {
		for (const endpoint of this.endpoints?.values() ?? []) endpoint.reporting.clear();
		this.bindings = [];
		this.network = undefined;
		this.linkKey = undefined;
		this.endpoints = new Map(Object.entries(this.table.endpoints).map(([id, table]) =>
			[Number(id), new Endpoint(this, Number(id), table)]));
	}

	get sleepy() {
		return this.table.type === "sleepy";
	}

	/* Frames do not reach it. */
	get isAway() {
		return this.faults.silent || this.faults.gone;
	}

	/* Nothing is heard of it. */
	get isQuiet() {
		return this.isAway || this.faults.mute;
	}

	/* MAC capabilities (Zigbee 2.3.2.3.6): full function, mains and always listening; or none of these. */
	get capabilities() {
		return this.sleepy ? 0x80 : 0x8e;
	}

	nextSeq() {
		this.seq = (this.seq + 1) & 0xff;
		return this.seq;
	}

	/* The endpoint that has the attribute; throws RangeError if none does. */
	endpointWith(path) {
		for (const endpoint of this.endpoints.values()) if (endpoint.values.has(path)) return endpoint;
		throw new RangeError(`${this.name} has no attribute ${path}`);
	}

	endpointWithClient(cluster) {
		for (const endpoint of this.endpoints.values()) if (endpoint.table.clients.includes(cluster)) return endpoint;
		throw new RangeError(`${this.name} sends no commands of ${cluster}`);
	}

	hostTargets(srcEp, cluster) {
		return this.bindings.filter((b) => b.srcEp === srcEp && b.cluster === cluster && b.dstEui === this.radio.hostEui)
			.map((b) => b.dstEp);
	}

	/* Table 2-29 of the Zigbee specification: who the node is, as 13 bytes. */
	nodeDescriptor() {
		const bytes = Buffer.alloc(13);
		bytes[0] = this.sleepy ? 2 : 1;
		bytes[1] = 0x40;
		bytes[2] = this.capabilities;
		bytes.writeUInt16LE(this.table.manufacturer, 3);
		bytes[5] = 82;
		bytes.writeUInt16LE(82, 6);
		bytes.writeUInt16LE(82, 10);
		return bytes;
	}

	simpleDescriptor(id) {
		const table = this.endpoints.get(id)?.table;
		if (table === undefined) return undefined;
		const inputs = Object.keys(table.attributes).map((name) => CLUSTERS[name].id);
		const outputs = table.clients.map((name) => CLUSTERS[name].id);
		return encodeFields("endpoint:u8 profile:u16 device:u16 version:u8 inputs:list16 outputs:list16",
			{ endpoint: id, profile: table.profile, device: table.device, version: 1, inputs, outputs });
	}

	describe() {
		return { name: this.name, eui: this.eui, nwk: this.nwk, joined: this.joined, parent: this.parent, network: this.network,
			linkKey: this.linkKey, pollMs: this.pollMs, model: this.model, faults: this.faults,
			bindings: this.bindings, endpoints: Object.fromEntries([...this.endpoints].map(([id, endpoint]) => [id, {
				attributes: Object.fromEntries(endpoint.values), reporting: endpoint.reporting, memory: endpoint.memory }])) };
	}

	get model() {
		return this.endpoints.get(1).get("basic.modelId");
	}

	toJSON() {
		return { kind: this.kind, ...this.describe() };
	}

	restore(saved) {
		this.nwk = saved.nwk;
		this.joined = saved.joined;
		this.parent = saved.parent;
		this.network = saved.network;
		this.linkKey = saved.linkKey;
		this.pollMs = saved.pollMs ?? this.pollMs;
		this.bindings = saved.bindings;
		for (const [id, { attributes, reporting, memory }] of Object.entries(saved.endpoints)) {
			const endpoint = this.endpoints.get(Number(id));
			for (const [path, value] of Object.entries(attributes)) endpoint.values.set(path, value);
			for (const [path, row] of Object.entries(reporting)) endpoint.reporting.configure(path, row, endpoint.get(path));
			endpoint.memory = memory;
		}
	}
}
