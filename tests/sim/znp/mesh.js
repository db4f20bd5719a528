// mesh - who is whose parent, who hears whom how well, and which way a frame goes.
//
// A node attaches to the coordinator while that has room for children, then to the router with the fewest. By default the
// coordinator has room for all, which is a star. Link qualities are made of the two addresses, so they are the same each time.
// A route leads from parent to parent. When a router on it is off the air, the first frame that needs it is lost; then the
// node below it has found another parent, as after a route repair or an orphan's rejoin.

export const HOST = "coordinator";
export const RELATION = { PARENT: 0, CHILD: 1, SIBLING: 2, NONE: 3 };
const LQI_LEAST = 60;
const LQI_RANGE = 190;

function quality(a, b) {
	let hash = 0x811c9dc5;
	for (const char of a < b ? a + b : b + a) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0;
	return LQI_LEAST + ((hash >>> 8) % LQI_RANGE);
}

export class Mesh {
	/* joined: gives the nodes that are in the network */
	constructor(joined) {
		this.joined = joined;
		this.childrenMax = Infinity;
	}

	childrenOf(parent) {
		return this.joined().filter((node) => node.parent === parent);
	}

	#byName(name) {
		return this.joined().find((node) => node.name === name);
	}

	/* Is `node` below `router` on its way to the coordinator? */
	#isBelow(node, router) {
		for (let at = node; at !== undefined; at = this.#byName(at.parent)) if (at === router) return true;
		return false;
	}

	/* Finds a parent for it; throws RangeError when none has room. */
	attach(node) {
		const isAmong = (child) => child !== node;
		if (this.childrenOf(HOST).filter(isAmong).length < this.childrenMax) {
			node.parent = HOST;
			return;
		}
		const routers = this.joined().filter((other) => other !== node && !other.sleepy && !other.isAway && !this.#isBelow(other, node))
			.map((router) => ({ router, children: this.childrenOf(router.name).filter(isAmong).length }))
			.filter(({ children }) => children < this.childrenMax).sort((a, b) => a.children - b.children);
		if (routers.length === 0) throw new RangeError("no router has room for another child");
		node.parent = routers[0].router.name;
	}

	/* Everybody looks for a parent anew, routers first. */
	spread(childrenMax) {
		this.childrenMax = childrenMax;
		const nodes = this.joined();
		for (const node of nodes) node.parent = undefined;
		for (const node of [...nodes.filter((n) => !n.sleepy), ...nodes.filter((n) => n.sleepy)]) this.attach(node);
	}

	/* The routers between the coordinator and the node, nearest the node first. */
	route(node) {
		const routers = [];
		for (let at = this.#byName(node.parent); at !== undefined; at = this.#byName(at.parent)) routers.push(at);
		return routers;
	}

	hops(node) {
		return 1 + this.route(node).length;
	}

	isBroken(node) {
		return this.route(node).some((router) => router.isAway);
	}

	/* Whoever lost its parent on the way to that node looks for another one; gives those. */
	repair(node) {
		const orphans = [node, ...this.route(node)].filter((at) => this.#byName(at.parent)?.isAway);
		for (const orphan of orphans) this.attach(orphan);
		return orphans;
	}

	/* What one of them says of whom it hears: {node, relation, lqi, depth}; `who` is HOST or a node. */
	neighbours(who, hostEui) {
		const name = who === HOST ? HOST : who.name;
		const eui = who === HOST ? hostEui : who.eui;
		const rows = [];
		if (who !== HOST) {
			const parent = who.parent === HOST ? HOST : this.#byName(who.parent);
			if (parent !== undefined) rows.push({ node: parent, relation: RELATION.PARENT });
		}
		for (const node of this.childrenOf(name)) rows.push({ node, relation: RELATION.CHILD });
		if (this.childrenMax !== Infinity)
			for (const node of this.joined()) {
				if (node === who || node.sleepy || rows.some((row) => row.node === node) || quality(eui, node.eui) % 3 !== 0) continue;
				rows.push({ node, relation: node.parent === who.parent ? RELATION.SIBLING : RELATION.NONE });
			}
		return rows.map((row) => ({ ...row, lqi: quality(eui, row.node === HOST ? hostEui : row.node.eui),
			depth: row.node === HOST ? 0 : this.hops(row.node) }));
	}

	/* The quality of the last hop to the coordinator. */
	lqi(node, hostEui) {
		return quality(hostEui, (this.route(node).at(-1) ?? node).eui);
	}
}
