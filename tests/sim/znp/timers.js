// timers - set-outs and what is still pending, so that closing the simulator leaves nothing behind.

const DELAY_MAX = 0x7fffffff;

export class Timers {
	#pending = new Set();

	after(ms, action) {
		const timer = setTimeout(() => {
			this.#pending.delete(timer);
			action();
		}, Math.min(ms, DELAY_MAX));
		this.#pending.add(timer);
		return timer;
	}

	cancel(timer) {
		clearTimeout(timer);
		this.#pending.delete(timer);
	}

	close() {
		for (const timer of this.#pending) clearTimeout(timer);
		this.#pending.clear();
	}
}
