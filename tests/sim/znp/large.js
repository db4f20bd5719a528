// large - frames that do not fit into one serial frame, in both directions (Z-Stack's AF interface).
//
// Out: dataRequestExt says how long the data is and brings none; dataStore brings them piece by piece, and an
// empty piece sends what was stored. In: incomingMsgExt says how long; dataRetrieve fetches pieces by the frame's
// time stamp, and one of length 0 lets it go. On the air such a frame goes in fragments, which cost a hop's time each.

export const OUT_MAX = 230;
export const IN_MAX = 223;
const PIECE_MAX = 240;
const FRAME_MAX = 1600;
const KEPT_MAX = 4;
const FRAGMENT = 64;

export const AF_STATUS = { SUCCESS: 0x00, FAILED: 0x01, INVALID_PARAMETER: 0x02, MEMORY: 0x10, BUFFER_FULL: 0x11 };

export function fragments(length) {
	return Math.max(1, Math.ceil(length / FRAGMENT));
}

export class LargeFrames {
	constructor() {
		this.outgoing = undefined;
		this.kept = new Map();
	}

	/* A frame of that length is to follow in pieces; `send` gets it whole and gives the status. */
	expect(length, send) {
		if (length > FRAME_MAX) return AF_STATUS.INVALID_PARAMETER;
		this.outgoing = { data: Buffer.alloc(length), stored: 0, send };
		return AF_STATUS.SUCCESS;
	}

	store(index, piece) {
		const { outgoing } = this;
		if (outgoing === undefined) return AF_STATUS.FAILED;
		if (piece.length > 0) {
			if (index + piece.length > outgoing.data.length) return AF_STATUS.INVALID_PARAMETER;
			piece.copy(outgoing.data, index);
			outgoing.stored += piece.length;
			return AF_STATUS.SUCCESS;
		}
		this.outgoing = undefined;
		return outgoing.stored < outgoing.data.length ? AF_STATUS.INVALID_PARAMETER : outgoing.send(outgoing.data);
	}

	/* Keeps a frame until it is fetched; false when there is no room, and the frame is lost. */
	keep(timestamp, data) {
		if (this.kept.size >= KEPT_MAX) return false;
		this.kept.set(timestamp, data);
		return true;
	}

	retrieve(timestamp, index, length) {
		const data = this.kept.get(timestamp);
		const nothing = Buffer.alloc(0);
		if (data === undefined || length > PIECE_MAX || index + length > data.length) return { status: AF_STATUS.INVALID_PARAMETER, data: nothing };
		if (length === 0) this.kept.delete(timestamp);
		return { status: AF_STATUS.SUCCESS, data: data.subarray(index, index + length) };
	}
}
