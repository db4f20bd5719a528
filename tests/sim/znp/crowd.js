// crowd - a home of any number of devices, by a table, and how they talk.
//
// The kinds are dealt out in the order of MIX, so that a crowd of 100 is always the same one: a third lamps and plugs on the mains,
// the rest sensors, switches and what else a home has. Who is named `kind-NN` is the NNth of its kind.

const MIX = ["bulb", "climate", "contact", "plug", "motion", "outlet", "leak", "colour", "remote", "bulb", "climate", "contact", "plug", "motion",
	"thermostat", "presence", "outlet", "blind", "siren", "lock"];
const TICK_MS = 20;
export const CROWD_NETWORK = { key: Buffer.from("5b1f3c9d2e8a47604f7719c3d0a6be28", "hex"), pan: 0x3d21, channel: 20,
	epid: [0x5e, 0x1f, 0x77, 0x02, 0x93, 0xa4, 0xb5, 0xc6] };

export function crowdNames(count) {
	const seen = {};
	return Array.from({ length: count }, (_, index) => {
		const kind = MIX[index % MIX.length];
		seen[kind] = (seen[kind] ?? 0) + 1;
		return { kind, name: `${kind}-${String(seen[kind]).padStart(2, "0")}` };
	});
}

/* Makes them; none has joined yet. */
export function makeCrowd(air, count) {
	return crowdNames(count).map(({ kind, name }) => air.make(name, kind).name);
}

/* A network that has been in use: all of them are in it before any host comes. */
export function settle({ air, coordinator }, count, children) {
	if (coordinator.nv.network() !== undefined) return;
	coordinator.nv.presetNetwork(CROWD_NETWORK);
	air.mesh.childrenMax = children;
	air.network = coordinator.nv.security();
	for (const name of makeCrowd(air, count)) {
		const node = air.byName(name);
		air.mesh.attach(node);
		Object.assign(node, { joined: true, nwk: air.nextNwk++, network: { epid: air.network.epid, key: air.network.key, heard: 0 } });
		coordinator.nv.rememberDevice(node.eui, node.nwk, node.parent === "coordinator");
		node.linkKey = coordinator.nv.linkKey(node.eui);
	}
	air.network = undefined;
}

/* One device, or all that have joined in turn, say something `perSecond` times for `seconds`. Resolves when they have. */
export function talk({ air }, { device, perSecond = 10, seconds = 1 }) {
	const speakers = (device === undefined ? air.joined : [air.byName(device)]).filter((node) => node.table.speaks !== undefined);
	if (speakers.length === 0) throw new RangeError("nobody has anything to say");
	const total = Math.round(perSecond * seconds);
	const began = Date.now();
	let said = 0;
	return new Promise((resolve) => {
		const tick = () => {
			const due = Math.min(total, Math.floor((Date.now() - began) * perSecond / 1000));
			for (; said < due; said++) speak(speakers[said % speakers.length], Math.floor(said / speakers.length));
			if (said < total) air.timers.after(TICK_MS, tick);
			else resolve({ said });
		};
		air.timers.after(TICK_MS, tick);
	});
}

function speak(node, turn) {
	const [path, values] = node.table.speaks;
	const value = values[turn % values.length];
	const endpoint = node.endpointWith(path);
	if (path === "iasZone.zoneStatus") endpoint.set(path, value);
	else endpoint.forceReport(path, value);
}
