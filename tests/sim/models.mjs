// models - writes plugins/zigbee/models.tsv and tests/unit/model_vectors.tsv: what zigbee-herdsman-converters knows of 4,000 devices.
//
//   node models.mjs ../../plugins/zigbee/models.tsv ../unit/model_vectors.tsv
//
// A line of models.tsv: model id, manufacturer's name, further conditions, vendor, model, description, flags: 1 if all that it does is
// said in standard clusters, and how it departs from them, as in models.h; what it exposes, by the names of our capabilities in the order of
// their numbers (exposed.mjs), "-" for nothing. Lines of one model id are in the order in which they are to be tried. Conditions are joined by
// "|": m<manufacturer code>, t<R outer or E nd device>, p<power source>, f<firmware>, and one e<endpoint>[,p<profile>][,d<device>]
// [,i<clusters>][,o<clusters>] for each endpoint of a device that has exactly these. Conditions on what a node does not
// know of a device (dates, hardware) drop the line. model_vectors.tsv: devices, and what findByDevice says of them. The same
// run writes the same files.

import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { exposed } from "./exposed.mjs";

const require = createRequire(import.meta.url);
const root = path.dirname(require.resolve("zigbee-herdsman-converters/package.json"));
const zhc = require("zigbee-herdsman-converters");
const index = JSON.parse(fs.readFileSync(path.join(root, "dist/models-index.json"), "utf8"));
zhc.setLogger({ debug() {}, info() {}, warning() {}, error() {} });

const TEXT_MAX = 64, ID_MAX = 32;
const POWER = { "Mains (single phase)": 1, "Mains (3 phase)": 2, Battery: 3, "DC Source": 4, "Emergency mains constantly powered": 5,
	"Emergency mains and transfer switch": 6 };
const KNOWN = ["modelID", "manufacturerName", "manufacturerID", "type", "powerSource", "softwareBuildID", "endpoints", "priority"];
const { Clusters } = require("zigbee-herdsman/dist/zspec/zcl/index.js");
const standardClusters = new Set(Object.entries(Clusters).filter(([, c]) => c.manufacturerCode === undefined && c.ID < 0xe000)
	.map(([name]) => name));
const hex = (n) => n.toString(16).padStart(4, "0");

/* Cut to the bytes that a name may have, at a blank if there is one near. */
function cut(text) {
	let words = text.replace(/\s+/g, " ").trim();
	if (Buffer.byteLength(words) <= TEXT_MAX) return words;
	while (Buffer.byteLength(words) > TEXT_MAX) words = [...words].slice(0, -1).join("");
	const blank = words.lastIndexOf(" ");
	return (blank > TEXT_MAX / 2 ? words.slice(0, blank) : words).replace(/[\s,;(\-]+$/, "");
}

/* Ids are padded by some makers; nobody looks at that. */
const plain = (id) => id.replace(/\0.*$/s, "").trim();

const files = new Map();
function definitionAt([file, at]) {
	if (!files.has(file)) files.set(file, require(path.join(root, "dist/devices", file)).definitions);
	return files.get(file)[at];
}

/* What it says beyond standard clusters: another cluster, or values inside of Basic, where no standard attribute reports. */
const standardOf = new Map();
function isStandard(definition) {
	if (!standardOf.has(definition)) {
		const clusters = zhc.prepareDefinition(definition).fromZigbee.map((c) => c.cluster);
		standardOf.set(definition, clusters.every((c) => c !== "genBasic" && standardClusters.has(c)));
	}
	return standardOf.get(definition);
}

/* What its zone watches, when it watches one thing. */
const ZONES = ["contact", "occupancy", "smoke", "water_leak", "carbon_monoxide", "gas", "vibration"];

/* How its cell's voltage is to be taken for a percentage, which it does not tell or tells wrong: values.c's curves, in their order. */
const CURVES = ["3V_2100", "3V_1500_2800", [2500, 3000], [2850, 3000], [2500, 3200], [3000, 4200], [2200, 3100], [2200, 3000], [2100, 3000],
	[2500, 2800], [4400, 6400], [2800, 3000], [3450, 4100], [2500, 3300], [5400, 6800]].map((c) => JSON.stringify(c));
const curveOf = (v) => v?.vOffset ? 0 : CURVES.indexOf(JSON.stringify(v?.min === undefined ? v : [v.min, v.max])) + 1;

const exposedOf = new Map();
function exposedBy(definition) {
	if (!exposedOf.has(definition)) exposedOf.set(definition, exposed(zhc.prepareDefinition(definition).exposes));
	return exposedOf.get(definition);
}

/* enum model_flag */
function flagsOf(definition) {
	const prepared = zhc.prepareDefinition(definition), meta = prepared.meta ?? {};
	const exposes = typeof prepared.exposes === "function" ? [] : prepared.exposes;
	const zones = prepared.fromZigbee.some((c) => c.cluster === "ssIasZone") ? ZONES.filter((z) => exposes.some((e) => e.name === z)) : [];
	return (isStandard(definition) ? 1 : 0) | (meta.battery?.dontDividePercentage ? 2 : 0) | (meta.coverInverted ? 4 : 0) |
		(meta.omitOptionalLevelAndColorParams ? 8 : 0) | (zones.length === 1 ? (ZONES.indexOf(zones[0]) + 1) << 4 : 0) | curveOf(meta.battery?.voltageToPercentage) << 8 |
		(exposedBy(definition).more ? 4096 : 0) | (exposedBy(definition).varies ? 8192 : 0);
}

function endpointText(e) {
	const list = (letter, clusters) => clusters ? `,${letter}${clusters.map(hex).join(".")}` : "";
	return `e${e.ID}${e.profileID === undefined ? "" : `,p${hex(e.profileID)}`}${e.deviceID === undefined ? "" : `,d${hex(e.deviceID)}`}` +
		list("i", e.inputClusters) + list("o", e.outputClusters);
}

/* Undefined: it asks for more than a node knows. */
function conditions(f) {
	if (Object.keys(f).some((k) => f[k] !== undefined && !KNOWN.includes(k))) return undefined;
	const more = [];
	if (f.manufacturerID !== undefined) more.push(`m${f.manufacturerID}`);
	if (f.type) more.push(`t${f.type[0]}`);
	if (f.powerSource) more.push(`p${POWER[f.powerSource] ?? 0}`);
	if (f.softwareBuildID) more.push(`f${f.softwareBuildID}`);
	for (const e of f.endpoints ?? []) more.push(endpointText(e));
	return more.join("|");
}

/* Both at once; undefined: never. */
function both(a, b) {
	const merged = { ...a };
	for (const [k, v] of Object.entries(b)) {
		if (v === undefined) continue;
		if (merged[k] !== undefined && JSON.stringify(merged[k]) !== JSON.stringify(v)) return undefined;
		merged[k] = v;
	}
	return merged;
}

const lines = [], seen = new Set(), raw = new Map();
let dropped = 0;
function add(f, names, flags, caps) {
	const more = conditions(f);
	const line = [plain(f.modelID ?? ""), f.manufacturerName ?? "", more];
	if (more === undefined || line.some((text) => /[\x00-\x1f\x7f]/.test(text)) || line.slice(0, 2).some((t) => Buffer.byteLength(t) > ID_MAX)) {
		dropped++;
		return;
	}
	const key = line.join("\t");
	/* What says nothing of itself may be anything. */
	if (seen.has(key) || key === "\t\t") return;
	seen.add(key);
	raw.set(key, f.modelID);
	lines.push([...line, cut(names.vendor), cut(names.model), cut(names.description), flags, caps].join("\t"));
}

/* A definition, under a condition: first the names that it is sold by elsewhere. */
function addDefinition(f, definition) {
	const flags = flagsOf(definition), caps = exposedBy(definition).caps.join(" ") || "-";
	for (const label of definition.whiteLabel ?? []) {
		for (const w of label.fingerprint ?? []) {
			const merged = both(f, w);
			if (merged) add(merged, { vendor: label.vendor ?? definition.vendor, model: label.model,
				description: label.description ?? definition.description }, flags, caps);
		}
	}
	add(f, definition, flags, caps);
}

for (const key of Object.keys(index).sort()) {
	const candidates = index[key].map(definitionAt);
	const prints = candidates.flatMap((d) => (d.fingerprint ?? []).map((f) => ({ f, d })))
		.filter(({ f }) => (f.modelID ? f.modelID.toLowerCase() : "null") === key);
	prints.sort((a, b) => (b.f.priority ?? 0) - (a.f.priority ?? 0));
	for (const { f, d } of prints) addDefinition(f, d);
	for (const d of candidates) {
		for (const modelID of d.zigbeeModel ?? []) {
			if (modelID.toLowerCase() === key) addDefinition({ modelID }, d);
		}
	}
}
fs.writeFileSync(process.argv[2], `${lines.join("\n")}\n`);
console.error(`${lines.length} lines of ${standardOf.size} definitions, ${[...standardOf.values()].filter(Boolean).length} in standard ` +
	`clusters only; ${dropped} lines dropped`);

/* Devices that answer to a line, and some that only nearly do. */
let seed = 0x1badcafe;
function random(below) {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
}

function deviceOf(line) {
	const [, manufacturerName, more] = line.split("\t");
	const device = { modelID: raw.get(line.split("\t").slice(0, 3).join("\t")), manufacturerName: manufacturerName || undefined, manufacturerID: 0x1234, type: "Router",
		powerSource: "Mains (single phase)", ieeeAddr: "0x00124b0012345678", softwareBuildID: "1.0", endpoints: [], meta: {} };
	for (const c of more.split("|").filter(Boolean)) {
		const rest = c.slice(1);
		if (c[0] === "m") device.manufacturerID = Number(rest);
		if (c[0] === "t") device.type = rest === "E" ? "EndDevice" : "Router";
		if (c[0] === "p") device.powerSource = Object.keys(POWER).find((k) => POWER[k] === Number(rest));
		if (c[0] === "f") device.softwareBuildID = rest;
		if (c[0] !== "e") continue;
		const [id, ...parts] = rest.split(",");
		const part = (letter) => parts.find((p) => p[0] === letter)?.slice(1);
		const list = (letter) => (part(letter) ?? "").split(".").filter(Boolean).map((h) => Number.parseInt(h, 16));
		device.endpoints.push({ ID: Number(id), profileID: Number.parseInt(part("p") ?? "0104", 16),
			deviceID: Number.parseInt(part("d") ?? "0000", 16), inputClusters: list("i"), outputClusters: list("o") });
	}
	if (!device.endpoints.length) device.endpoints.push({ ID: 1, profileID: 0x0104, deviceID: 0, inputClusters: [0], outputClusters: [] });
	device.getEndpoint = (id) => device.endpoints.find((e) => e.ID === id);
	return device;
}

const vectors = [];
for (let i = 0; i < 600; i++) {
	const line = lines[random(lines.length)];
	const device = deviceOf(line);
	if (i % 4 === 1) device.manufacturerName = lines[random(lines.length)].split("\t")[1] || undefined;
	if (i % 16 === 2) device.modelID += "x";
	if (i % 8 === 3) device.type = "EndDevice";
	if (/[\x00-\x1f]/.test(device.modelID ?? "")) continue;
	const found = await zhc.findByDevice(device, false);
	vectors.push([device.modelID ?? "", device.manufacturerName ?? "", device.manufacturerID, device.type[0], POWER[device.powerSource],
		device.softwareBuildID, device.endpoints.map(endpointText).join("|"),
		...(found ? [cut(found.vendor), cut(found.model), cut(found.description)] : ["-", "-", "-"])].join("\t"));
}
fs.writeFileSync(process.argv[3], `${vectors.join("\n")}\n`);
