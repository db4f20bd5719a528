// unknown_device - a device as zigbee-herdsman-converters' generator for unknown devices wants to see it, and what it makes of it.
//
// A list of endpoints is [{ id, ins, outs, attributes }]: clusters by number, attributes a Map of "cluster.attribute" in hexadecimal.

import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const root = path.dirname(require.resolve("zigbee-herdsman-converters/package.json"));
export const zhc = require("zigbee-herdsman-converters");
export const modernExtend = require(path.join(root, "dist/lib/modernExtend.js"));
export const Zcl = require("zigbee-herdsman/dist/zspec/zcl/index.js");
const { generateDefinition } = require(path.join(root, "dist/lib/generateDefinition.js"));
const { Clusters } = Zcl;
zhc.setLogger({ debug() {}, info() {}, warning() {}, error() {} });

export const hex = (n, digits = 4) => n.toString(16).padStart(digits, "0");
const nameOf = new Map(Object.entries(Clusters).filter(([, c]) => c.manufacturerCode === undefined).map(([name, c]) => [c.ID, name]));
export const clusterName = (id) => nameOf.get(id);

/* The same numbers each time. */
export function dice(seed) {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

export const words = (list) => list.map((e) => `e${e.id},i${e.ins.map((c) => hex(c)).join(".")},o${e.outs.map((c) => hex(c)).join(".")}` +
	[...e.attributes].map(([k, v]) => `,a${k}=${v}`).join("")).join(" ");

/* Converters tell an endpoint by the name of its class. */
class Endpoint {
	constructor(device, e) {
		Object.assign(this, { device, e, ID: e.id, meta: {}, deviceIeeeAddress: device.ieeeAddr });
	}
	named(ids) {
		return ids.filter((id) => nameOf.has(id)).map((id) => ({ ID: id, name: nameOf.get(id) }));
	}
	getDevice() {
		return this.device;
	}
	getInputClusters() {
		return this.named(this.e.ins);
	}
	getOutputClusters() {
		return this.named(this.e.outs);
	}
	supportsInputCluster(name) {
		return this.getInputClusters().some((c) => c.name === name);
	}
	supportsOutputCluster(name) {
		return this.getOutputClusters().some((c) => c.name === name);
	}
	getClusterAttributeValue(cluster, attribute) {
		const c = Clusters[cluster];
		return this.e.attributes.get(`${hex(c.ID)}.${hex(c.attributes[attribute].ID)}`);
	}
	read() {
		throw new Error("UNSUPPORTED_ATTRIBUTE");
	}
}

export function deviceOf(list) {
	const device = { modelID: "unknown", manufacturerName: "unknown", manufacturerID: 0x1234, type: "Router", ieeeAddr: "0x00124b0012345678",
		meta: {} };
	device.endpoints = list.map((e) => new Endpoint(device, e));
	device.getEndpoint = (id) => device.endpoints.find((e) => e.ID === id);
	return device;
}

export const definitionOf = async (device) => zhc.prepareDefinition((await generateDefinition(device)).definition);
