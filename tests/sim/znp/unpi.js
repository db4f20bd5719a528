// unpi - the serial framing of a Z-Stack network processor.
//
// A frame is FE, length of data, two command bytes, data, and the XOR of everything between FE and
// itself. The first command byte holds the frame's type (3 bits) and its subsystem (5 bits). There is
// no acknowledgement and no escaping, so a receiver that loses its place looks for the next FE and
// lets the checksum decide.

export const SOF = 0xfe;
export const DATA_MAX = 250;

export const TYPE = { POLL: 0, SREQ: 1, AREQ: 2, SRSP: 3 };
export const SUBSYSTEM = { RPC_ERROR: 0, SYS: 1, AF: 4, ZDO: 5, SAPI: 6, UTIL: 7, APP_CNF: 15 };

function checksum(bytes) {
	let fcs = 0;
	for (const byte of bytes) fcs ^= byte;
	return fcs;
}

export function encodeFrame({ type, subsystem, id, data }) {
	if (data.length > DATA_MAX) throw new RangeError(`frame data of ${data.length} bytes`);
	const frame = Buffer.alloc(data.length + 5);
	frame[0] = SOF;
	frame[1] = data.length;
	frame[2] = (type << 5) | subsystem;
	frame[3] = id;
	data.copy(frame, 4);
	frame[frame.length - 1] = checksum(frame.subarray(1, frame.length - 1));
	return frame;
}

/* Takes a stream's chunks, gives whole frames; counts what it had to throw away. */
export class UnpiParser {
	constructor() {
		this.pending = Buffer.alloc(0);
		this.badChecksums = 0;
		this.skippedBytes = 0;
	}

	push(chunk) {
		this.pending = Buffer.concat([this.pending, chunk]);
		const frames = [];
		for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
		return frames;
	}

	#next() {
		for (;;) {
			this.#skipToStart();
			if (this.pending.length < 5) return undefined;
			const length = this.pending[1];
			if (length > DATA_MAX) {
				this.#skip(1);
				continue;
			}
			if (this.pending.length < length + 5) return undefined;
			const end = length + 4;
			if (checksum(this.pending.subarray(1, end)) !== this.pending[end]) {
				this.badChecksums++;
				this.#skip(1);
				continue;
			}
			const frame = {
				type: this.pending[2] >> 5,
				subsystem: this.pending[2] & 0x1f,
				id: this.pending[3],
				data: Buffer.from(this.pending.subarray(4, end)),
			};
			this.pending = this.pending.subarray(end + 1);
			return frame;
		}
	}

	#skipToStart() {
		const start = this.pending.indexOf(SOF);
		this.#skip(start === -1 ? this.pending.length : start);
	}

	#skip(count) {
		this.skippedBytes += count;
		this.pending = this.pending.subarray(count);
	}
}
