// fields - little-endian records described by a line of text, such as "status:u8 nwk:u16 eps:list8".
//
// The MT commands, the ZDO messages and the payloads of ZCL commands are all records of this kind, so
// each of their tables is a column of such lines and nobody reads bytes by hand.
//
//   u8 u16 u24 u32 i8 i16   numbers            eui     0x and 16 digits, most significant first
//   bytes8 bytes16          counted bytes      list8 list16  counted (one byte) numbers
//   ostr                    counted text       rest    what is left
//   name?                   may be missing at the end of what is read

const NUMBERS = { u8: 1, u16: 2, u24: 3, u32: 4, i8: 1, i16: 2 };

export function euiToBytes(eui) {
	return Buffer.from(eui.slice(2).padStart(16, "0"), "hex").reverse();
}

export function euiFromBytes(bytes) {
	return `0x${Buffer.from(bytes).reverse().toString("hex")}`;
}

const parsed = new Map();

function parse(line) {
	if (!parsed.has(line))
		parsed.set(line, line.split(" ").filter(Boolean).map((field) => {
			const [name, type] = field.split(":");
			return { name: name.replace("?", ""), type, optional: name.endsWith("?") };
		}));
	return parsed.get(line);
}

function readNumber(data, at, type) {
	const size = NUMBERS[type];
	if (at + size > data.length) throw new RangeError(`${type} beyond the end`);
	return type[0] === "i" ? data.readIntLE(at, size) : data.readUIntLE(at, size);
}

function readBytes(data, at, length) {
	if (at + length > data.length) throw new RangeError(`${length} bytes beyond the end`);
	return Buffer.from(data.subarray(at, at + length));
}

function readList(data, at, itemType) {
	const count = readNumber(data, at, "u8");
	const size = NUMBERS[itemType];
	const items = [];
	for (let i = 0; i < count; i++) items.push(readNumber(data, at + 1 + i * size, itemType));
	return [items, 1 + count * size];
}

/* Gives [value, bytes used]. */
function readField(data, at, type) {
	if (type in NUMBERS) return [readNumber(data, at, type), NUMBERS[type]];
	switch (type) {
	case "eui":
		return [euiFromBytes(readBytes(data, at, 8)), 8];
	case "bytes8":
	case "bytes16": {
		const head = type === "bytes8" ? "u8" : "u16";
		const length = readNumber(data, at, head);
		return [readBytes(data, at + NUMBERS[head], length), NUMBERS[head] + length];
	}
	case "ostr": {
		const length = readNumber(data, at, "u8");
		if (length === 0xff) return ["", 1];
		return [readBytes(data, at + 1, length).toString("latin1"), 1 + length];
	}
	case "list8":
		return readList(data, at, "u8");
	case "list16":
		return readList(data, at, "u16");
	case "rest":
		return [Buffer.from(data.subarray(at)), data.length - at];
	}
	throw new TypeError(`no such field type: ${type}`);
}

export function decodeFields(line, data) {
	const record = {};
	let at = 0;
	for (const { name, type, optional } of parse(line)) {
		if (optional && at >= data.length) break;
		const [value, used] = readField(data, at, type);
		record[name] = value;
		at += used;
	}
	return record;
}

function numberToBytes(type, value) {
	const bytes = Buffer.alloc(NUMBERS[type]);
	if (type[0] === "i") bytes.writeIntLE(value, 0, bytes.length);
	else bytes.writeUIntLE(value, 0, bytes.length);
	return bytes;
}

function fieldToBytes(type, value) {
	if (type in NUMBERS) return numberToBytes(type, value);
	switch (type) {
	case "eui":
		return euiToBytes(value);
	case "bytes8":
		return Buffer.concat([numberToBytes("u8", value.length), value]);
	case "bytes16":
		return Buffer.concat([numberToBytes("u16", value.length), value]);
	case "ostr":
		return Buffer.concat([numberToBytes("u8", value.length), Buffer.from(value, "latin1")]);
	case "list8":
		return Buffer.from([value.length, ...value]);
	case "list16":
		return Buffer.concat([numberToBytes("u8", value.length), ...value.map((v) => numberToBytes("u16", v))]);
	case "rest":
		return value;
	}
	throw new TypeError(`no such field type: ${type}`);
}

export function encodeFields(line, record) {
	const parts = [];
	for (const { name, type, optional } of parse(line)) {
		if (record[name] === undefined) {
			if (optional) break;
			throw new TypeError(`field "${name}" of "${line}" is missing`);
		}
		parts.push(fieldToBytes(type, record[name]));
	}
	return Buffer.concat(parts);
}
