// zdo - the device objects: what the coordinator and the nodes answer to descriptor, binding and
// management requests (Zigbee specification 2.4), in the coordinator's MT dress.
//
// A handler gets (coordinator, request) and gives [indication name, fields] for the answer that comes
// over the air, or undefined for none; the coordinator has already said that the request went out.

import { encodeFields } from "./fields.js";
import { HOST } from "./mesh.js";

const ZDP = { SUCCESS: 0x00, INVALID_REQUEST: 0x80, DEVICE_NOT_FOUND: 0x81, INVALID_ENDPOINT: 0x82, NOT_SUPPORTED: 0x84, TABLE_FULL: 0x87,
	NO_ENTRY: 0x88 };
const COORDINATOR_NWK = 0x0000;
const BROADCAST_MIN = 0xfff8;
const DURATION_SET_CHANNEL = 0xfe;
const BIND_UNICAST = 3;
const BINDINGS_MAX = 16;
const LQI_PAGE = 3;
const RTG_PAGE = 10;
const BIND_PAGE = 3;

/* The coordinator's own node descriptor: full function, trust centre and network manager. */
function coordinatorDescriptor() {
	return Buffer.from([0x00, 0x40, 0x8f, 0x00, 0x00, 0x50, 0xa0, 0x00, 0x01, 0x2c, 0xa0, 0x00, 0x00]);
}

/* An asked node that answers, or undefined. That the question has reached it is the coordinator's business (Air.reach). */
function listener(coordinator, nwk) {
	const node = coordinator.air.byNwk(nwk);
	return node === undefined || node.isQuiet ? undefined : node;
}

/* Everybody hears these, and whom they are about answers. */
const BROADCAST = new Set(["nwkAddrReq", "mgmtNwkUpdateReq", "mgmtPermitJoinReq"]);

/* The node that a request has to travel to, or undefined when it stays here or goes to all. */
export function travelsTo(coordinator, name, fields) {
	if (BROADCAST.has(name)) return name === "nwkAddrReq" ? coordinator.air.byEui(fields.eui) : undefined;
	return coordinator.air.byNwk(name === "ieeeAddrReq" ? fields.nwk : fields.dst);
}

function nodeDescriptor(coordinator, { dst, nwk }) {
	if (dst === COORDINATOR_NWK)
		return ["nodeDescRsp", { src: dst, status: ZDP.SUCCESS, nwk, descriptor: coordinatorDescriptor() }];
	const node = listener(coordinator, dst);
	return node && ["nodeDescRsp", { src: dst, status: ZDP.SUCCESS, nwk, descriptor: node.nodeDescriptor() }];
}

function powerDescriptor(coordinator, { dst, nwk }) {
	const node = listener(coordinator, dst);
	return node && ["powerDescRsp", { src: dst, status: ZDP.SUCCESS, nwk, power: node.sleepy ? 0xc440 : 0xc110 }];
}

function activeEndpoints(coordinator, { dst, nwk }) {
	const source = dst === COORDINATOR_NWK ? coordinator : listener(coordinator, dst);
	return source && ["activeEpRsp", { src: dst, status: ZDP.SUCCESS, nwk, endpoints: [...source.endpoints.keys()] }];
}

function simpleDescriptor(coordinator, { dst, nwk, endpoint }) {
	const source = dst === COORDINATOR_NWK ? coordinator : listener(coordinator, dst);
	if (source === undefined) return undefined;
	const descriptor = source.simpleDescriptor(endpoint);
	return ["simpleDescRsp", { src: dst, nwk, status: descriptor ? ZDP.SUCCESS : ZDP.INVALID_ENDPOINT,
		descriptor: descriptor ?? Buffer.alloc(0) }];
}

function networkAddress(coordinator, { eui }) {
	const node = coordinator.air.byEui(eui);
	return node && listener(coordinator, node.nwk)
		&& ["nwkAddrRsp", { status: ZDP.SUCCESS, eui, nwk: node.nwk, start: 0, children: [] }];
}

function ieeeAddress(coordinator, { nwk }) {
	const node = listener(coordinator, nwk);
	return node && ["ieeeAddrRsp", { status: ZDP.SUCCESS, eui: node.eui, nwk, start: 0, children: [] }];
}

function sameBinding(a, b) {
	return a.srcEp === b.srcEp && a.cluster === b.cluster && a.mode === b.mode && a.dstEui === b.dstEui && a.dstEp === b.dstEp;
}

function bind(coordinator, request) {
	const node = listener(coordinator, request.dst);
	if (node === undefined) return undefined;
	const { srcEp, cluster, mode, dstEui, dstEp } = request;
	const binding = { srcEp, cluster, mode, dstEui, dstEp };
	if (!node.endpoints.has(srcEp)) return ["bindRsp", { src: request.dst, status: ZDP.INVALID_ENDPOINT }];
	if (!node.bindings.some((b) => sameBinding(b, binding))) {
		if (node.bindings.length >= BINDINGS_MAX) return ["bindRsp", { src: request.dst, status: ZDP.TABLE_FULL }];
		node.bindings.push(binding);
	}
	return ["bindRsp", { src: request.dst, status: ZDP.SUCCESS }];
}

function unbind(coordinator, request) {
	const node = listener(coordinator, request.dst);
	if (node === undefined) return undefined;
	const kept = node.bindings.filter((b) => !sameBinding(b, request));
	const status = kept.length < node.bindings.length ? ZDP.SUCCESS : ZDP.NO_ENTRY;
	node.bindings = kept;
	return ["unbindRsp", { src: request.dst, status }];
}

/* One answer carries a few rows of a table; the asker comes again with a higher start. */
function page(name, src, rows, start, size) {
	const shown = rows.slice(start, start + size);
	return [name, { src, status: ZDP.SUCCESS, total: rows.length, start, count: shown.length, entries: Buffer.concat(shown) }];
}

const KIND = { COORDINATOR: 0, ROUTER: 1, END_DEVICE: 2 };
const LISTENS = 1 << 2;

function neighbourRow(coordinator, epid, { node, relation, lqi, depth }) {
	const [eui, nwk, kind] = node === HOST ? [coordinator.nv.ieee, COORDINATOR_NWK, KIND.COORDINATOR | LISTENS]
		: [node.eui, node.nwk, node.sleepy ? KIND.END_DEVICE : KIND.ROUTER | LISTENS];
	return encodeFields("epid:eui eui:eui nwk:u16 kind:u8 permit:u8 depth:u8 lqi:u8",
		{ epid, eui, nwk, kind: kind | (relation << 4), permit: 2, depth, lqi });
}

function neighbours(coordinator, { dst, start }) {
	const who = dst === COORDINATOR_NWK ? HOST : listener(coordinator, dst);
	if (who === undefined) return undefined;
	if (who !== HOST && who.sleepy) return ["mgmtLqiRsp", { src: dst, status: ZDP.NOT_SUPPORTED, total: 0, start, count: 0, entries: Buffer.alloc(0) }];
	const { epid } = coordinator.nv.network();
	const rows = coordinator.air.mesh.neighbours(who, coordinator.nv.ieee).map((row) => neighbourRow(coordinator, epid, row));
	return page("mgmtLqiRsp", dst, rows, start, LQI_PAGE);
}

/* A router knows the way to the coordinator, the coordinator the way to each router: over which neighbour. */
function routes(coordinator, { dst, start }) {
	const { mesh, joined } = coordinator.air;
	const row = (nwk, next) => encodeFields("nwk:u16 status:u8 next:u16", { nwk, status: 0, next });
	if (dst === COORDINATOR_NWK)
		return page("mgmtRtgRsp", dst, joined.filter((node) => !node.sleepy)
			.map((node) => row(node.nwk, (mesh.route(node).at(-1) ?? node).nwk)), start, RTG_PAGE);
	const node = listener(coordinator, dst);
	return node && page("mgmtRtgRsp", dst, [row(COORDINATOR_NWK, mesh.route(node)[0]?.nwk ?? COORDINATOR_NWK)], start, RTG_PAGE);
}

function bindings(coordinator, { dst, start }) {
	const node = dst === COORDINATOR_NWK ? { bindings: [] } : listener(coordinator, dst);
	if (node === undefined) return undefined;
	const rows = node.bindings.filter((b) => b.mode === BIND_UNICAST).map((b) => encodeFields(
		"srcEui:eui srcEp:u8 cluster:u16 mode:u8 dstEui:eui dstEp:u8", { srcEui: node.eui, ...b }));
	return page("mgmtBindRsp", dst, rows, start, BIND_PAGE);
}

const LEAVE_REJOIN = 0x80;

function leave(coordinator, { dst, eui, flags }) {
	const node = listener(coordinator, dst) ?? coordinator.air.byEui(eui);
	if (node === undefined || node.isAway || !node.joined) return undefined;
	coordinator.air.timers.after(5, () => {
		coordinator.air.leave(node, (flags & LEAVE_REJOIN) !== 0);
		if (flags & LEAVE_REJOIN) coordinator.air.rejoin(node);
	});
	return ["mgmtLeaveRsp", { src: dst, status: ZDP.SUCCESS }];
}

function permitJoin(coordinator, { dst, duration }) {
	const reachesUs = dst === COORDINATOR_NWK || dst >= BROADCAST_MIN;
	if (reachesUs) coordinator.permitJoin(duration);
	else if (listener(coordinator, dst) === undefined) return undefined;
	else coordinator.air.permit(duration);
	return ["mgmtPermitJoinRsp", { src: reachesUs ? COORDINATOR_NWK : dst, status: ZDP.SUCCESS }];
}

function updateNetwork(coordinator, { dst, channels, duration }) {
	if (duration === DURATION_SET_CHANNEL) {
		coordinator.nv.setChannel(31 - Math.clz32(channels));
		return undefined;
	}
	const energy = [];
	for (let channel = 11; channel <= 26; channel++) if (channels & (1 << channel)) energy.push(100 + channel);
	return ["mgmtNwkUpdateNotify", { src: dst, status: ZDP.SUCCESS, channels, transmissions: 10, failures: 0, energy }];
}

export const ZDO_HANDLERS = {
	nwkAddrReq: networkAddress, ieeeAddrReq: ieeeAddress, nodeDescReq: nodeDescriptor, powerDescReq: powerDescriptor,
	simpleDescReq: simpleDescriptor, activeEpReq: activeEndpoints, bindReq: bind, unbindReq: unbind, mgmtLqiReq: neighbours,
	mgmtRtgReq: routes, mgmtBindReq: bindings, mgmtLeaveReq: leave, mgmtPermitJoinReq: permitJoin,
	mgmtNwkUpdateReq: updateNetwork,
};
