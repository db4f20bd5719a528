// zdo - the device objects: what the coordinator and the nodes answer to descriptor, binding and
// management requests (Zigbee specification 2.4), in the coordinator's MT dress.
//
// A handler gets (coordinator, request) and gives [indication name, fields] for the answer that comes
// over the air, or undefined for none; the coordinator has already said that the request went out.

import { encodeFields } from "./fields.js";

const ZDP = { SUCCESS: 0x00, INVALID_REQUEST: 0x80, DEVICE_NOT_FOUND: 0x81, INVALID_ENDPOINT: 0x82, NO_ENTRY: 0x88 };
const COORDINATOR_NWK = 0x0000;
const BROADCAST_MIN = 0xfff8;
const LQI = 180;
const DURATION_SET_CHANNEL = 0xfe;
const BIND_UNICAST = 3;
const LQI_PAGE = 3;
const RTG_PAGE = 10;
const BIND_PAGE = 3;

/* The coordinator's own node descriptor: full function, trust centre and network manager. */
function coordinatorDescriptor() {
	return Buffer.from([0x00, 0x40, 0x8f, 0x00, 0x00, 0x50, 0xa0, 0x00, 0x01, 0x2c, 0xa0, 0x00, 0x00]);
}

/* An asked node that hears and answers, or undefined. */
function listener(coordinator, nwk) {
	const node = coordinator.air.byNwk(nwk);
	return node === undefined || node.isQuiet ? undefined : node;
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
	if (!node.bindings.some((b) => sameBinding(b, binding))) node.bindings.push(binding);
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

const RELATION_CHILD = 1;

function neighbours(coordinator, { dst, start }) {
	if (dst !== COORDINATOR_NWK) return listener(coordinator, dst) && page("mgmtLqiRsp", dst, [], start, LQI_PAGE);
	const { epid } = coordinator.nv.network();
	const rows = coordinator.air.joined.map((node) => encodeFields("epid:eui eui:eui nwk:u16 kind:u8 permit:u8 depth:u8 lqi:u8",
		{ epid, eui: node.eui, nwk: node.nwk, kind: (node.sleepy ? 2 : 1 | (1 << 2)) | (RELATION_CHILD << 4),
			permit: 2, depth: 1, lqi: LQI }));
	return page("mgmtLqiRsp", dst, rows, start, LQI_PAGE);
}

function routes(coordinator, { dst, start }) {
	if (dst !== COORDINATOR_NWK) return listener(coordinator, dst) && page("mgmtRtgRsp", dst, [], start, RTG_PAGE);
	const rows = coordinator.air.joined.filter((node) => !node.sleepy)
		.map((node) => encodeFields("nwk:u16 status:u8 next:u16", { nwk: node.nwk, status: 0, next: node.nwk }));
	return page("mgmtRtgRsp", dst, rows, start, RTG_PAGE);
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
	if (node === undefined || node.isAway) return undefined;
	coordinator.air.timers.after(5, () => coordinator.air.leave(node, (flags & LEAVE_REJOIN) !== 0));
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
