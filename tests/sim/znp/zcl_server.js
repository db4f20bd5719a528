// zcl_server - what a simulated device answers to a ZCL frame.
//
// Foundation commands are answered from the endpoint's attributes, cluster commands from the clusters
// table. The answer is a frame without addresses, or undefined: the node sends it to whoever asked.

import { CLUSTERS, attributeById, clusterNameById } from "./clusters.js";
import { decodeFields, encodeFields } from "./fields.js";
import { ZCL, ZCL_STATUS, decodeValue, decodeZcl, encodeValue, encodeZcl, isAnalog, typeId } from "./zcl.js";

function u16(value) {
	return Buffer.from([value & 0xff, value >> 8]);
}

/* The endpoint's attribute by id, or undefined when the table of the device does not list it. */
function lookUp(endpoint, cluster, id) {
	const attribute = attributeById(cluster, id);
	const path = `${cluster}.${attribute?.name}`;
	return attribute !== undefined && endpoint.values.has(path) ? { path, ...attribute } : undefined;
}

function read(endpoint, cluster, payload) {
	const records = [];
	for (let at = 0; at + 2 <= payload.length; at += 2) {
		const id = payload.readUInt16LE(at);
		const attribute = lookUp(endpoint, cluster, id);
		if (attribute === undefined) records.push(u16(id), Buffer.from([ZCL_STATUS.UNSUPPORTED_ATTRIBUTE]));
		else records.push(u16(id), Buffer.from([ZCL_STATUS.SUCCESS, typeId(attribute.type)]),
			encodeValue(attribute.type, endpoint.get(attribute.path)));
	}
	return { command: ZCL.READ_RSP, payload: Buffer.concat(records) };
}

function writeOne(endpoint, attribute, type, value) {
	if (attribute === undefined) return ZCL_STATUS.UNSUPPORTED_ATTRIBUTE;
	if (!attribute.writable) return ZCL_STATUS.READ_ONLY;
	if (typeId(attribute.type) !== type) return ZCL_STATUS.INVALID_TYPE;
	endpoint.set(attribute.path, value);
	return ZCL_STATUS.SUCCESS;
}

function write(endpoint, cluster, payload) {
	const failures = [];
	for (let at = 0; at < payload.length;) {
		const id = payload.readUInt16LE(at);
		const type = payload[at + 2];
		const [value, used] = decodeValue(type, payload, at + 3);
		at += 3 + used;
		const status = writeOne(endpoint, lookUp(endpoint, cluster, id), type, value);
		if (status !== ZCL_STATUS.SUCCESS) failures.push(Buffer.from([status]), u16(id));
	}
	const body = failures.length > 0 ? Buffer.concat(failures) : Buffer.from([ZCL_STATUS.SUCCESS]);
	return { command: ZCL.WRITE_RSP, payload: body };
}

function configureOne(endpoint, attribute, row) {
	if (attribute === undefined) return ZCL_STATUS.UNSUPPORTED_ATTRIBUTE;
	if (typeId(attribute.type) !== row.type) return ZCL_STATUS.INVALID_TYPE;
	if (row.max !== 0 && row.min > row.max) return ZCL_STATUS.INVALID_VALUE;
	endpoint.reporting.configure(attribute.path, row, endpoint.get(attribute.path));
	return ZCL_STATUS.SUCCESS;
}

function configureReporting(endpoint, cluster, payload) {
	const failures = [];
	for (let at = 0; at < payload.length;) {
		const direction = payload[at];
		const id = payload.readUInt16LE(at + 1);
		if (direction !== 0) {
			failures.push(Buffer.from([ZCL_STATUS.UNREPORTABLE, direction]), u16(id));
			at += 5;
			continue;
		}
		const attribute = lookUp(endpoint, cluster, id);
		const row = { type: payload[at + 3], min: payload.readUInt16LE(at + 4), max: payload.readUInt16LE(at + 6), change: 0 };
		at += 8;
		if (attribute !== undefined && isAnalog(attribute.type)) {
			const [change, used] = decodeValue(row.type, payload, at);
			row.change = change;
			at += used;
		}
		const status = configureOne(endpoint, attribute, row);
		if (status === ZCL_STATUS.SUCCESS) continue;
		failures.push(Buffer.from([status, direction]), u16(id));
		if (attribute === undefined) break;
	}
	const body = failures.length > 0 ? Buffer.concat(failures) : Buffer.from([ZCL_STATUS.SUCCESS]);
	return { command: ZCL.CONFIG_REPORT_RSP, payload: body };
}

function readReportConfiguration(endpoint, cluster, payload) {
	const records = [];
	for (let at = 0; at + 3 <= payload.length; at += 3) {
		const id = payload.readUInt16LE(at + 1);
		const attribute = lookUp(endpoint, cluster, id);
		const row = attribute && endpoint.reporting.configuration(attribute.path);
		if (row === undefined) {
			const status = attribute === undefined ? ZCL_STATUS.UNSUPPORTED_ATTRIBUTE : ZCL_STATUS.NOT_FOUND;
			records.push(Buffer.from([status, 0]), u16(id));
			continue;
		}
		records.push(Buffer.from([ZCL_STATUS.SUCCESS, 0]), u16(id), Buffer.from([typeId(attribute.type)]), u16(row.min), u16(row.max));
		if (isAnalog(attribute.type)) records.push(encodeValue(attribute.type, row.change));
	}
	return { command: ZCL.READ_REPORT_CONFIG_RSP, payload: Buffer.concat(records) };
}

function discover(endpoint, cluster, payload) {
	const start = payload.readUInt16LE(0);
	const known = Object.entries(CLUSTERS[cluster].attributes)
		.filter(([name, [id]]) => id >= start && endpoint.values.has(`${cluster}.${name}`))
		.map(([, [id, type]]) => Buffer.concat([u16(id), Buffer.from([typeId(type)])]));
	const listed = known.slice(0, payload[2]);
	return { command: ZCL.DISCOVER_RSP, payload: Buffer.concat([Buffer.from([listed.length === known.length ? 1 : 0]), ...listed]) };
}

const FOUNDATION = new Map([
	[ZCL.READ, read], [ZCL.WRITE, write], [ZCL.WRITE_UNDIVIDED, write],
	[ZCL.WRITE_NO_RSP, (...args) => { write(...args); }],
	[ZCL.CONFIG_REPORT, configureReporting], [ZCL.READ_REPORT_CONFIG, readReportConfiguration], [ZCL.DISCOVER, discover],
	[ZCL.REPORT, () => {}], [ZCL.DEFAULT_RSP, () => {}], [ZCL.READ_RSP, () => {}], [ZCL.WRITE_RSP, () => {}],
]);

function defaultResponse(command, status) {
	return { command: ZCL.DEFAULT_RSP, payload: Buffer.from([command, status]) };
}

function runCommand(endpoint, cluster, frame) {
	const row = CLUSTERS[cluster].commands?.find(([id]) => id === frame.command);
	if (row === undefined) return defaultResponse(frame.command, ZCL_STATUS.UNSUPPORTED_COMMAND);
	const [, fields, effect] = row;
	const result = effect(endpoint, decodeFields(fields, frame.payload));
	if (typeof result === "object")
		return { specific: true, command: result.id, payload: encodeFields(result.fields, result.payload) };
	const status = result ?? ZCL_STATUS.SUCCESS;
	if (status === ZCL_STATUS.SUCCESS && frame.noDefaultResponse) return undefined;
	return defaultResponse(frame.command, status);
}

function answerFrame(endpoint, clusterId, frame) {
	const cluster = clusterNameById.get(clusterId);
	if (cluster === undefined || !endpoint.has(cluster))
		return defaultResponse(frame.command, ZCL_STATUS.UNSUPPORTED_CLUSTER);
	if (frame.specific) return runCommand(endpoint, cluster, frame);
	const handler = FOUNDATION.get(frame.command);
	return handler ? handler(endpoint, cluster, frame.payload) : defaultResponse(frame.command, ZCL_STATUS.UNSUPPORTED_COMMAND);
}

/* Gives the bytes of the answer, or undefined when there is none. A failure is told even to one that
 * does not want default responses (2.5.12.2). */
export function answerZcl(endpoint, clusterId, data) {
	const frame = decodeZcl(data);
	if (frame === undefined || frame.fromServer) return undefined;
	let answer;
	try {
		answer = answerFrame(endpoint, clusterId, frame);
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
		answer = defaultResponse(frame.command, ZCL_STATUS.MALFORMED);
	}
	return answer && encodeZcl({ ...answer, manufacturer: frame.manufacturer, fromServer: true, noDefaultResponse: true, seq: frame.seq });
}
