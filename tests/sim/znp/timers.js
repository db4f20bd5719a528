// timers - set-outs and what is still pending, so that closing the simulator leaves nothing behind.

const DELAY_MAX = 0x7fffffff;

export class Timers {
	#pending = new Set();

	/* 0: in the next turn, not a whole millisecond later */
	after(ms, action) {
		const run = () => {
			this.#pending.delete(timer);
			action();
		};
		const timer = ms > 0 ? setTimeout(run, Math.min(ms, DELAY_MAX)) : setImmediate(run);
		this.#pending.add(timer);
		return timer;
	}

	cancel(timer) {
		clearTimeout(timer);
		clearImmediate(timer);
		this.#pending.delete(timer);
	}

	close() {
		for (const timer of this.#pending) this.cancel(timer);
	}
}
