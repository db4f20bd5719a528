// indirect - what a parent keeps for a child that sleeps, until the child asks or the parent gives up.
//
// A sleepy node asks its parent each `pollMs`; 0 is a node that does not wake by itself. Each time that it asks it gets all
// that waits, one frame after the other. A frame that was not fetched in `holdMs` is given up, one too many refused at once.

const WAITING_MAX = 8;
const GAP_MS = 3;

export class Indirect {
	constructor(timers) {
		this.timers = timers;
		this.holdMs = 1500;
		this.waiting = new Map();
		this.polls = new Map();
	}

	/* delivered() once the node has it, expired() if not; false: no room. */
	put(node, delivered, expired) {
		const queue = this.waiting.get(node) ?? [];
		if (queue.length >= WAITING_MAX) return false;
		const entry = { delivered };
		entry.timer = this.timers.after(this.holdMs, () => {
			queue.splice(queue.indexOf(entry), 1);
			expired();
		});
		queue.push(entry);
		this.waiting.set(node, queue);
		this.#planPoll(node);
		return true;
	}

	#planPoll(node) {
		if (node.pollMs === 0 || this.polls.has(node)) return;
		this.polls.set(node, this.timers.after(node.pollMs, () => {
			this.polls.delete(node);
			this.poll(node);
			if (this.count(node) > 0) this.#planPoll(node);
		}));
	}

	/* The node asks, unless it is off the air. */
	poll(node) {
		if (node.isAway) return;
		const queue = this.waiting.get(node) ?? [];
		for (const [index, { timer, delivered }] of queue.splice(0).entries()) {
			this.timers.cancel(timer);
			this.timers.after(index * GAP_MS, delivered);
		}
	}

	/* The node sleeps from now on for so long. */
	setPoll(node, ms) {
		node.pollMs = ms;
		this.timers.cancel(this.polls.get(node));
		this.polls.delete(node);
		if (this.count(node) > 0) this.#planPoll(node);
	}

	count(node) {
		return this.waiting.get(node)?.length ?? 0;
	}
}
