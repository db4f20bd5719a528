// reporting - when an endpoint sends an attribute of its own accord (ZCL 8: 2.5.7 and 2.5.11).
//
// The host configures least and most seconds between reports and, for analog types, the least change.
// A change goes out at once, or as soon as the least interval has passed; without change a report goes
// out each most interval. Most 0xffff ends reporting of that attribute. Reports travel along bindings:
// a device that was configured and not bound stays silent, as real ones do.

import { isAnalog } from "./zcl.js";

const INTERVAL_OFF = 0xffff;

export class Reporting {
	constructor(timers, now, send) {
		this.timers = timers;
		this.now = now;
		this.send = send;
		this.rows = new Map();
	}

	configure(path, { min, max, change }, value) {
		this.#stop(path);
		if (max === INTERVAL_OFF) {
			this.rows.delete(path);
			return;
		}
		this.rows.set(path, { min, max, change, value, sentAt: -Infinity });
		this.#keepAlive(path);
	}

	configuration(path) {
		return this.rows.get(path);
	}

	/* The attribute has a new value; `type` decides whether small changes count. */
	changed(path, type, value) {
		const row = this.rows.get(path);
		if (row === undefined || row.value === value) return;
		if (isAnalog(type) && Math.abs(value - row.value) < row.change) return;
		const wait = row.sentAt + row.min * 1000 - this.now();
		this.timers.cancel(row.soon);
		if (wait <= 0) this.#report(path);
		else row.soon = this.timers.after(wait, () => this.#report(path));
	}

	/* The value went out without our doing. */
	sent(path, value) {
		const row = this.rows.get(path);
		if (row !== undefined) Object.assign(row, { value, sentAt: this.now() });
	}

	#report(path) {
		const row = this.rows.get(path);
		row.value = this.send(path);
		row.sentAt = this.now();
		this.#keepAlive(path);
	}

	#keepAlive(path) {
		const row = this.rows.get(path);
		this.timers.cancel(row.late);
		if (row.max > 0) row.late = this.timers.after(row.max * 1000, () => this.#report(path));
	}

	#stop(path) {
		const row = this.rows.get(path);
		if (row === undefined) return;
		this.timers.cancel(row.soon);
		this.timers.cancel(row.late);
	}

	clear() {
		for (const path of this.rows.keys()) this.#stop(path);
		this.rows.clear();
	}

	toJSON() {
		return Object.fromEntries([...this.rows].map(([path, { min, max, change }]) => [path, { min, max, change }]));
	}
}
