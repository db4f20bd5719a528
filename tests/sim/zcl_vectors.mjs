// zcl_vectors - writes tests/unit/zcl_vectors.txt: ZCL frames that zigbee-herdsman wrote, and what they mean.
//
//   node zcl_vectors.mjs > ../unit/zcl_vectors.txt
//
// One line a frame: the bytes, the types of its fields if it is a cluster's command (else "-"), and its meaning in
// the words of tests/unit/test_zigbee_zcl.c. Numbers are decimal, bytes and the bits of floats hexadecimal, "!"
// follows what the standard calls the type's non-value. The same run writes the same file.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { ZclFrame, ZclHeader, Clusters, FrameType, Direction, DataType } = (() => {
	const zcl = require("zigbee-herdsman").Zspec?.Zcl ?? require("./node_modules/zigbee-herdsman/dist/zspec/zcl/index.js");
	return { ...zcl, ZclFrame: zcl.Frame, ZclHeader: zcl.Header, Clusters: zcl.Clusters };
})();

const hex = (n, digits) => n.toString(16).padStart(digits, "0");
const WIDTH = {};
for (let i = 0; i < 8; i++) {
	for (const base of [0x08, 0x18, 0x20, 0x28]) WIDTH[base + i] = i + 1;
}
Object.assign(WIDTH, { 0x30: 1, 0x31: 2, 0xe2: 4, 0xe8: 2, 0xe9: 2, 0xea: 4 });
const isSigned = (type) => type >= 0x28 && type <= 0x2f;
const isBits = (type) => type < 0x20;
const ANALOG = (type) => (type >= 0x20 && type <= 0x2f) || (type >= 0x38 && type <= 0x3a) || (type >= 0xe0 && type <= 0xe2);
const wants = (type) => WIDTH[type] > 6 ? (v) => v : (v) => Number(v);

let seed = 0x2545f491;
function random(below) {
	seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
	return Math.floor((seed / 2 ** 32) * below);
}

/* What is given to herdsman, and what we say it means. */
function number(type, v) {
	const bits = BigInt(8 * WIDTH[type]);
	const none = isSigned(type) ? v === -(1n << (bits - 1n)) : !isBits(type) && v === (1n << bits) - 1n;
	return { type, value: wants(type)(v), text: `${v}${none ? "!" : ""}` };
}

function float(type, v) {
	const bits = new DataView(new ArrayBuffer(8));
	const wide = type === DataType.SINGLE_PREC ? Math.fround(v) : v;
	bits.setFloat64(0, wide);
	return { type, value: v, text: Number.isNaN(v) ? "nan!" : `f${hex(bits.getBigUint64(0), 16)}` };
}

function bytes(type, v) {
	const buffer = v === null ? null : Buffer.from(v, "utf8");
	const isText = type === DataType.CHAR_STR || type === DataType.LONG_CHAR_STR;
	return { type, value: isText ? v : buffer, text: buffer ? `"${buffer.toString("hex")}"` : '""!' };
}

const tod = (h, m, s, c) => ({ type: DataType.TOD, value: { hours: h, minutes: m, seconds: s, hundredths: c },
	text: `"${[h, m, s, c].map((n) => hex(n, 2)).join("")}"${h & m & s & c & 0x80 ? "!" : ""}` });
const date = (y, m, d, w) => ({ type: DataType.DATE, value: { year: y + 1900, month: m, dayOfMonth: d, dayOfWeek: w },
	text: `"${[y, m, d, w].map((n) => hex(n, 2)).join("")}"${y & m & d & w & 0x80 ? "!" : ""}` });
const eui = (v) => ({ type: DataType.IEEE_ADDR, value: `0x${hex(v, 16)}`, text: `${v}${v === (1n << 64n) - 1n ? "!" : ""}` });
const key = (fill) => {
	const k = Buffer.alloc(16).map((_, i) => (i * fill) & 0xff);
	return { type: DataType.SEC_KEY, value: k, text: `"${k.toString("hex")}"` };
};
const bool = (v) => ({ type: DataType.BOOLEAN, value: v, text: v === 0xff ? "0!" : `${v}` });

function list(type, elementType, items) {
	return { type, value: { elementType, elements: items.map((i) => i.value) },
		text: `[${hex(elementType, 2)}${items.map((i) => ` ${i.text}`).join("")}]` };
}

function struct(items) {
	return { type: DataType.STRUCT, value: items.map((i) => ({ elmType: i.type, elmVal: i.value })),
		text: `{${items.map((i) => ` ${hex(i.type, 2)}=${i.text}`).join("")} }` };
}

function edges(type) {
	const bits = BigInt(8 * WIDTH[type]);
	if (isSigned(type)) return [-(1n << (bits - 1n)), -(1n << (bits - 1n)) + 1n, -1n, 0n, 1n, (1n << (bits - 1n)) - 1n];
	return [0n, 1n, (1n << (bits - 1n)) - 1n, 1n << (bits - 1n), (1n << bits) - 2n, (1n << bits) - 1n];
}

function allValues() {
	const values = [];
	for (const type of Object.keys(WIDTH).map(Number)) values.push(...edges(type).map((v) => number(type, v)));
	for (const v of [0, -0, 1, -1.5, 21.37, 3.4028234663852886e38, 1e-45, Infinity, -Infinity, NaN])
		values.push(float(DataType.SINGLE_PREC, v), float(DataType.DOUBLE_PREC, v));
	values.push(float(DataType.DOUBLE_PREC, 5e-324), float(DataType.DOUBLE_PREC, Number.MAX_VALUE));
	for (const type of [DataType.OCTET_STR, DataType.CHAR_STR, DataType.LONG_OCTET_STR, DataType.LONG_CHAR_STR])
		values.push(...["", "a", "TS0601", "Wärme °C", "x".repeat(120), null].map((v) => bytes(type, v)));
	values.push(bool(0), bool(1), bool(0xff), tod(23, 59, 59, 99), tod(0, 0, 0, 0), tod(255, 255, 255, 255));
	values.push(date(126, 11, 23, 1), date(255, 255, 255, 255), eui(0x00124b0012345678n), eui((1n << 64n) - 1n), key(1), key(17));
	const u16 = [1n, 65535n, 513n].map((v) => number(DataType.UINT16, v));
	for (const type of [DataType.ARRAY, DataType.SET, DataType.BAG])
		values.push(list(type, DataType.UINT16, u16), list(type, DataType.UINT8, []),
			list(type, DataType.CHAR_STR, [bytes(DataType.CHAR_STR, "on"), bytes(DataType.CHAR_STR, "")]));
	const inner = struct([bool(1), number(DataType.INT8, -5n)]);
	values.push(inner, struct([]), struct([bytes(DataType.CHAR_STR, "deep"), inner, list(DataType.ARRAY, DataType.UINT16, u16)]));
	values.push(list(DataType.ARRAY, DataType.STRUCT, [inner, inner]));
	return values;
}

function someValue(type) {
	if (WIDTH[type]) {
		const [low, , , , , high] = edges(type);
		return number(type, low + (BigInt(random(0x7fffffff)) << 32n | BigInt(random(0x7fffffff))) % (high - low));
	}
	switch (type) {
	case DataType.BOOLEAN: return bool(random(2));
	case DataType.SINGLE_PREC: case DataType.DOUBLE_PREC: return float(type, (random(200000) - 100000) / 64);
	case DataType.OCTET_STR: case DataType.CHAR_STR: case DataType.LONG_OCTET_STR: case DataType.LONG_CHAR_STR:
		return bytes(type, "gateway".slice(0, random(8)));
	case DataType.ARRAY: return list(type, DataType.UINT16, [number(DataType.UINT16, BigInt(random(65536)))]);
	case DataType.STRUCT: return struct([number(DataType.UINT8, BigInt(random(255)))]);
	case DataType.TOD: return tod(random(24), random(60), random(60), random(100));
	case DataType.DATE: return date(random(200), 1 + random(12), 1 + random(28), 1 + random(7));
	case DataType.IEEE_ADDR: return eui(BigInt(random(0x7fffffff)) << 20n);
	case DataType.SEC_KEY: return key(random(256));
	}
	return undefined;
}

/* A command's field may be bounded; then its lower bound will do. */
function fieldValue(p) {
	return WIDTH[p.type] && (p.min !== undefined || p.max !== undefined) ? number(p.type, BigInt(p.min ?? 0)) : someValue(p.type);
}

let sequence = 0;
function line(kind, toClient, quiet, manufacturer, command, cluster, payload, types, text) {
	sequence = (sequence + 1) & 0xff;
	const buffer = ZclFrame.create(kind, toClient, quiet, manufacturer, sequence, command, cluster, payload, {}).toBuffer();
	const header = ZclHeader.fromBuffer(buffer);
	const words = `${kind === FrameType.GLOBAL ? "general" : "cluster"} ${toClient ? "to-client" : "to-server"} ${quiet ? "quiet" : "-"} ` +
		`${hex(manufacturer ?? 0, 4)} ${hex(sequence, 2)} ${hex(header.commandIdentifier, 2)}`;
	console.log(`${buffer.toString("hex")}|${types}|${words}${text}`);
}

const general = (command, payload, text, { toClient = 0, manufacturer, cluster = 0 } = {}) =>
	line(FrameType.GLOBAL, toClient, Boolean(toClient), manufacturer, command, cluster, payload, "-", text);
const attr = (id) => ` a=${hex(id, 4)}`;
const typed = (v) => ` t=${hex(v.type, 2)} v=${v.text}`;
const data = (id, v) => ({ attrId: id, dataType: v.type, attrData: v.value });

const values = allValues();
values.forEach((v, i) => {
	general("report", [data(i, v)], ` ;${attr(i)}${typed(v)}`, { toClient: 1 });
	if (i % 4 === 3) general("readRsp", [{ ...data(i, v), status: 0 }], ` ;${attr(i)} s=00${typed(v)}`, { toClient: 1 });
	else general(["write", "writeUndiv", "writeNoRsp"][i % 4], [data(i, v)], ` ;${attr(i)}${typed(v)}`, { manufacturer: 0x115f });
	const next = values[(i + 1) % values.length];
	general("report", [data(i, v), data(0xfffe, next)], ` ;${attr(i)}${typed(v)} ;${attr(0xfffe)}${typed(next)}`, { toClient: 1 });
	/* The standard calls the 64 bit integers analog like the shorter ones, zigbee-herdsman does not: tested by hand. */
	if (v.type === DataType.UINT64 || v.type === DataType.INT64) return;
	const change = ANALOG(v.type) ? { repChange: v.value } : {};
	const words = ` t=${hex(v.type, 2)} min=${i} max=3600${ANALOG(v.type) ? ` v=${v.text}` : ""}`;
	const rec = { direction: 0, attrId: i, dataType: v.type, minRepIntval: i, maxRepIntval: 3600, ...change };
	if (i % 3) general("configReport", [rec], ` ; d=0${attr(i)}${words}`);
	else general("readReportConfigRsp", [{ status: 0, ...rec }], ` ; s=00 d=0${attr(i)}${words}`, { toClient: 1 });
});
general("read", [{ attrId: 4 }, { attrId: 5 }, { attrId: 0xffff }], ` ;${attr(4)} ;${attr(5)} ;${attr(0xffff)}`);
general("readRsp", [{ attrId: 4, status: 0x86 }, { ...data(5, values[0]), status: 0 }], ` ;${attr(4)} s=86 ;${attr(5)} s=00${typed(values[0])}`, { toClient: 1 });
general("writeRsp", [{ status: 0 }], " ; all", { toClient: 1 });
general("writeRsp", [{ status: 0x88, attrId: 1 }, { status: 0x8d, attrId: 2 }], ` ; s=88${attr(1)} ; s=8d${attr(2)}`, { toClient: 1 });
general("configReport", [{ direction: 1, attrId: 3, timeout: 900 }], ` ; d=1${attr(3)} timeout=900`);
general("configReportRsp", [{ status: 0 }], " ; all", { toClient: 1 });
general("configReportRsp", [{ status: 0x8c, direction: 0, attrId: 9 }], ` ; s=8c d=0${attr(9)}`, { toClient: 1 });
general("readReportConfig", [{ direction: 0, attrId: 1 }, { direction: 1, attrId: 2 }], ` ; d=0${attr(1)} ; d=1${attr(2)}`);
general("readReportConfigRsp", [{ status: 0x8b, direction: 0, attrId: 1 }], ` ; s=8b d=0${attr(1)}`, { toClient: 1 });
for (const status of [0, 1, 0x80, 0x81, 0x86, 0xc3]) general("defaultRsp", { cmdId: status ^ 6, statusCode: status }, ` ; k=${hex(status ^ 6, 2)} s=${hex(status, 2)}`, { toClient: 1 });
general("discover", { startAttrId: 0x100, maxAttrIds: 20 }, ` ;${attr(0x100)} n=20`);
for (const complete of [0, 1]) {
	general("discoverRsp", { discComplete: complete, attrInfos: [{ attrId: 0, dataType: 0x20 }, { attrId: 1, dataType: 0x42 }] },
		` complete=${complete} ;${attr(0)} t=20 ;${attr(1)} t=42`, { toClient: 1 });
	general("discoverExtRsp", { discComplete: complete, attrInfos: [{ attrId: 7, dataType: 0x39, access: 5 }] },
		` complete=${complete} ;${attr(7)} t=39 x=05`, { toClient: 1 });
	for (const name of ["discoverCommandsRsp", "discoverCommandsGenRsp"])
		general(name, { discComplete: complete, commandIds: [0, 0x40] }, ` complete=${complete} ; k=00 ; k=40`, { toClient: 1 });
}
general("discoverCommands", { startCmdId: 0, maxCmdIds: 255 }, " ; k=00 n=255");
general("discoverCommandsGen", { startCmdId: 4, maxCmdIds: 16 }, " ; k=04 n=16");
general("discoverExt", { startAttrId: 0x4000, maxAttrIds: 1 }, ` ;${attr(0x4000)} n=1`);

/* Every attribute of every cluster, and every cluster command whose fields are of the standard's own types. */
for (const cluster of Object.values(Clusters)) {
	for (const a of Object.values(cluster.attributes)) {
		const v = someValue(a.type);
		if (v) general("report", [data(a.ID, v)], ` ;${attr(a.ID)}${typed(v)}`, { toClient: 1, manufacturer: a.manufacturerCode, cluster: cluster.ID });
	}
	for (const [toClient, commands] of [[0, cluster.commands], [1, cluster.commandsResponse]]) {
		for (const command of Object.values(commands)) {
			const fields = command.parameters.map((p) => p.conditions ? undefined : { name: p.name, v: fieldValue(p) });
			if (fields.some((f) => !f?.v)) continue;
			const payload = Object.fromEntries(fields.map((f) => [f.name, f.v.value]));
			line(FrameType.SPECIFIC, toClient, false, cluster.manufacturerCode, command, cluster, payload,
				fields.map((f) => hex(f.v.type, 2)).join("") || "=", fields.map((f) => ` ${f.v.text}`).join(""));
		}
	}
}
