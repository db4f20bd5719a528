// zcl - frames and attribute values of the Zigbee Cluster Library (ZCL 8: 2.4 frames, 2.6.2 types).

export const ZCL = {
	READ: 0x00, READ_RSP: 0x01, WRITE: 0x02, WRITE_UNDIVIDED: 0x03, WRITE_RSP: 0x04, WRITE_NO_RSP: 0x05,
	CONFIG_REPORT: 0x06, CONFIG_REPORT_RSP: 0x07, READ_REPORT_CONFIG: 0x08, READ_REPORT_CONFIG_RSP: 0x09,
	REPORT: 0x0a, DEFAULT_RSP: 0x0b, DISCOVER: 0x0c, DISCOVER_RSP: 0x0d,
};

export const ZCL_STATUS = {
	SUCCESS: 0x00, FAILURE: 0x01, MALFORMED: 0x80, UNSUPPORTED_COMMAND: 0x81, UNSUPPORTED_ATTRIBUTE: 0x86,
	INVALID_VALUE: 0x87, READ_ONLY: 0x88, INSUFFICIENT_SPACE: 0x89, DUPLICATE: 0x8a, NOT_FOUND: 0x8b,
	UNREPORTABLE: 0x8c, INVALID_TYPE: 0x8d, UNSUPPORTED_CLUSTER: 0xc3,
};

/* name: [id, bytes (0: counted text or bytes), signed, analog: a report may ask for a least change] */
const TYPES = {
	bool: [0x10, 1, false, false], map8: [0x18, 1, false, false], map16: [0x19, 2, false, false],
	map32: [0x1b, 4, false, false], u8: [0x20, 1, false, true], u16: [0x21, 2, false, true],
	u24: [0x22, 3, false, true], u32: [0x23, 4, false, true], u48: [0x25, 6, false, true],
	i8: [0x28, 1, true, true], i16: [0x29, 2, true, true], i24: [0x2a, 3, true, true], i32: [0x2b, 4, true, true],
	enum8: [0x30, 1, false, false], enum16: [0x31, 2, false, false], octstr: [0x41, 0, false, false],
	str: [0x42, 0, false, false], utc: [0xe2, 4, false, true], eui: [0xf0, 8, false, false],
};
const typeNameById = new Map(Object.entries(TYPES).map(([name, [id]]) => [id, name]));

export function typeId(name) {
	return TYPES[name][0];
}

export function isAnalog(name) {
	return TYPES[name][3];
}

export function encodeValue(name, value) {
	const [, size, signed] = TYPES[name];
	if (size === 0) {
		const bytes = Buffer.from(value, "latin1");
		return Buffer.concat([Buffer.from([bytes.length]), bytes]);
	}
	if (name === "eui") return Buffer.from(value.slice(2), "hex").reverse();
	const bytes = Buffer.alloc(size);
	if (signed) bytes.writeIntLE(value, 0, size);
	else bytes.writeUIntLE(Number(value), 0, size);
	return bytes;
}

/* Gives [value, bytes used]; throws RangeError when the type is unknown or the bytes end early. */
export function decodeValue(id, data, at) {
	const name = typeNameById.get(id);
	if (name === undefined) throw new RangeError(`no such type: ${id}`);
	const [, size, signed] = TYPES[name];
	const used = size || 1 + (data[at] ?? 0);
	if (at + used > data.length) throw new RangeError("value beyond the end");
	if (size === 0) return [data.toString("latin1", at + 1, at + used), used];
	if (name === "eui") return [`0x${Buffer.from(data.subarray(at, at + 8)).reverse().toString("hex")}`, 8];
	const value = signed ? data.readIntLE(at, size) : data.readUIntLE(at, size);
	return [name === "bool" ? value !== 0 : value, used];
}

/* Gives { specific, manufacturer, fromServer, noDefaultResponse, seq, command, payload }, or undefined. */
export function decodeZcl(data) {
	if (data.length < 3 || (data[0] & 0x04 && data.length < 5)) return undefined;
	const control = data[0];
	const manufacturer = control & 0x04 ? data.readUInt16LE(1) : undefined;
	const at = manufacturer === undefined ? 1 : 3;
	return { specific: (control & 0x03) === 1, manufacturer, fromServer: (control & 0x08) !== 0,
		noDefaultResponse: (control & 0x10) !== 0, seq: data[at], command: data[at + 1],
		payload: data.subarray(at + 2) };
}

export function encodeZcl({ specific, manufacturer, fromServer, noDefaultResponse, seq, command, payload }) {
	const control = (specific ? 0x01 : 0) | (manufacturer === undefined ? 0 : 0x04) | (fromServer ? 0x08 : 0)
		| (noDefaultResponse ? 0x10 : 0);
	const head = manufacturer === undefined ? [control, seq, command]
		: [control, manufacturer & 0xff, manufacturer >> 8, seq, command];
	return Buffer.concat([Buffer.from(head), payload]);
}
