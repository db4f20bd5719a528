// coordinator - the network processor itself: what its host asks on the serial line, and what it tells.
//
// It is either idle (no network: after power-up or a reset) or a coordinator (device state 9: formed by
// bdbStartCommissioning, or resumed from NV by startupFromApp). Everything that outlives a reset is in
// NV. Each request is answered by an SRSP before anything else happens; what follows (confirms, answers
// from the air, state changes) is an AREQ some milliseconds later, as on the wire.

import { EventEmitter } from "node:events";
import { encodeFields } from "./fields.js";
import { decodeRequest, encodeIndication, encodeResponse, encodeRpcError, isReset } from "./mt.js";
import { HOST } from "./mesh.js";
import { NV, Nv, NV_STATUS } from "./nv.js";
import { AF_STATUS, IN_MAX, LargeFrames, OUT_MAX } from "./large.js";
import { installKey, isInstallCode } from "./security.js";
import { TYPE, UnpiParser } from "./unpi.js";
import { ZDO_HANDLERS, travelsTo } from "./zdo.js";

const OK = { status: 0 };
const FAILED = { status: 1 };
const STATE = { HOLD: 0, COORDINATOR: 9 };
const FORM_NETWORK = 0x04;
const ANSWER_MS = 4;
const FORM_MS = 60;
const RESET_MS = 40;
const RESET = { POWER_UP: 0, EXTERNAL: 1, WATCHDOG: 2 };
const STARTUP_CLEAR_NETWORK = 0x02;
const ADDRESS_MODE = { GROUP: 1, SHORT: 2, BROADCAST: 15 };
const BROADCAST_MIN = 0xfff8;
const ADDRESS_PAN_DEFAULT = 0;
const COUNTER_KEPT_EACH = 1000;
const VERSION = { transport: 2, product: 1, major: 2, minor: 7, maint: 1, revision: 20240710 };
const CAPABILITIES = 0x0659;

/* Emits "output" (bytes for the host), "frame" (direction, name, fields) and "dirty" when NV or nodes changed. */
export class Coordinator extends EventEmitter {
	/* rows: how many devices its tables hold */
	constructor(air, ieee, rows) {
		super();
		this.air = air;
		this.nv = new Nv(ieee, rows);
		this.parser = new UnpiParser();
		/* mute: deaf and dumb. dropRequests, fullRequests: so many are not answered; are refused for want of memory. lose: how many
		 * indications of a name ("all": any) never reach the host. */
		this.faults = { mute: false, dropRequests: 0, fullRequests: 0, lose: {} };
		this.#powerUp();
		air.on("incoming", (node, frame) => this.#incoming(node, frame));
		air.on("tried", (node) => this.#indicate("tcDeviceInd", { nwk: node.nwk, eui: node.eui, parent: 0 }));
		air.on("joined", (node, secured) => this.#joined(node, secured));
		air.on("announced", (node) => this.#announced(node));
		air.on("left", (node, rejoin) => this.#left(node, rejoin));
	}

	#powerUp() {
		this.life = (this.life ?? 0) + 1;
		this.state = STATE.HOLD;
		this.endpoints = new Map();
		this.groups = new Set();
		this.air.network = undefined;
		this.air.permitUntil = 0;
		this.large = new LargeFrames();
	}

	/* A new host on the line: half a frame of the last one is not its business. */
	connected() {
		this.parser = new UnpiParser();
	}

	input(bytes) {
		for (const frame of this.parser.push(bytes)) this.#frame(frame);
	}

	#frame(frame) {
		if (this.faults.mute || this.booting) return;
		if (isReset(frame)) {
			this.emit("frame", "in", "resetReq", {});
			this.reset(RESET.EXTERNAL);
			return;
		}
		if (frame.type !== TYPE.SREQ) return;
		if (this.faults.dropRequests > 0) {
			this.faults.dropRequests--;
			return;
		}
		this.#request(frame);
	}

	#request(frame) {
		let request;
		try {
			request = decodeRequest(frame);
		} catch (error) {
			if (!(error instanceof RangeError)) throw error;
		}
		if (request === undefined) {
			this.emit("frame", "in", `unknown ${frame.subsystem}/0x${frame.id.toString(16)}`, {});
			this.emit("output", encodeRpcError(frame));
			return;
		}
		const { command, fields } = request;
		this.emit("frame", "in", command.name, fields);
		const answer = command.name in ZDO_HANDLERS ? this.#zdo(command.name, fields) : this[`on_${command.name}`](fields);
		this.emit("frame", "out", command.name, answer);
		this.emit("output", encodeResponse(command, answer));
		this.emit("dirty");
	}

	#zdo(name, fields) {
		if (this.state !== STATE.COORDINATOR) return FAILED;
		const act = () => {
			const answer = this.state === STATE.COORDINATOR && ZDO_HANDLERS[name](this, fields);
			if (answer) this.#indicate(...answer);
			this.emit("dirty");
		};
		const node = travelsTo(this, name, fields);
		if (node === undefined) this.air.timers.after(ANSWER_MS, act);
		else this.air.reach(node, act, () => {});
		return OK;
	}

	#indicate(name, fields) {
		if (this.faults.mute || this.#isLost(name)) return;
		this.emit("frame", "out", name, fields);
		this.emit("output", encodeIndication(name, fields));
	}

	#isLost(name) {
		const { lose } = this.faults;
		const which = lose[name] > 0 ? name : lose.all > 0 ? "all" : undefined;
		if (which !== undefined) lose[which]--;
		return which !== undefined;
	}

	/* Writes the frame counter down when it has grown by that much. */
	#keepCounter(step) {
		const { network } = this.air;
		if (network === undefined || network.counter - this.keptCounter < step || this.nv.network()?.epid !== network.epid) return;
		this.keptCounter = network.counter;
		this.nv.keepCounter(network.counter);
	}

	reset(reason) {
		this.#keepCounter(1);
		const option = this.nv.get(NV.STARTUP_OPTION)?.[0] ?? 0;
		if (option & STARTUP_CLEAR_NETWORK) {
			this.nv.eraseNetwork();
			this.nv.set(NV.STARTUP_OPTION, [0]);
		}
		this.#powerUp();
		const { transport, product, major, minor } = VERSION;
		/* While it starts it hears nothing. */
		const { life } = this;
		this.booting = true;
		this.air.timers.after(RESET_MS, () => {
			if (life !== this.life) return;
			this.booting = false;
			this.#indicate("resetInd", { reason, transport, product, major, minor, hardware: 1 });
		});
		this.emit("dirty");
	}

	watchdogReset() {
		this.reset(RESET.WATCHDOG);
	}

	/* What it began before a reset is forgotten. */
	#start(form) {
		const { life } = this;
		this.air.timers.after(FORM_MS, () => {
			if (life !== this.life) return;
			if (form) this.nv.formNetwork();
			this.state = STATE.COORDINATOR;
			this.air.network = this.nv.security();
			this.keptCounter = 0;
			this.#keepCounter(1);
			this.#setHostEui();
			this.#indicate("stateChangeInd", { state: STATE.COORDINATOR });
			this.emit("dirty");
		});
	}

	/* A restored backup may have brought the address of another coordinator. */
	#setHostEui() {
		this.air.hostEui = this.nv.ieee;
		this.air.radio.hostEui = this.nv.ieee;
	}

	permitJoin(duration) {
		this.air.permit(duration);
		this.#indicate("permitJoinInd", { duration });
	}

	#incoming(node, { srcEp, dstEp, cluster, data }) {
		if (this.state !== STATE.COORDINATOR) return;
		const lqi = this.air.mesh.lqi(node, this.nv.ieee);
		const message = { group: 0, cluster, nwk: node.nwk, srcEp, dstEp, broadcast: 0, lqi, secure: 0, timestamp: this.#timestamp(), trans: 0 };
		if (data.length <= IN_MAX) this.#indicate("incomingMsg", { ...message, data });
		else if (this.large.keep(message.timestamp, data)) this.#indicateLarge(node, message, data.length);
	}

	/* Of a large frame only its length is told; real firmware adds three bytes that mean nothing to the host. */
	#indicateLarge(node, message, length) {
		const short = Buffer.from([node.nwk & 0xff, node.nwk >> 8, 0]);
		this.#indicate("incomingMsgExt", { ...message, mode: ADDRESS_MODE.SHORT, src: `0x${node.nwk.toString(16)}`, pan: ADDRESS_PAN_DEFAULT,
			length, rest: short });
	}

	/* In units of 320 us, and no two frames have the same. */
	#timestamp() {
		this.stamp = Math.max((Date.now() / 0.32) % 0x100000000 >>> 0, (this.stamp ?? 0) + 1) >>> 0;
		return this.stamp;
	}

	#announced(node) {
		this.air.timers.after(ANSWER_MS, () =>
			this.#indicate("endDeviceAnnceInd", { src: node.nwk, nwk: node.nwk, eui: node.eui, capabilities: node.capabilities }));
	}

	/* Who comes back with the network's key is only announced; the trust centre has let nobody in. */
	#joined(node, secured) {
		if (!this.nv.rememberDevice(node.eui, node.nwk, node.parent === HOST)) {
			this.air.reset(node);
			throw new RangeError("the coordinator's tables are full");
		}
		if (!secured) node.linkKey = this.nv.linkKey(node.eui);
		const parent = this.air.mesh.route(node)[0]?.nwk ?? 0;
		if (!secured) this.air.timers.after(ANSWER_MS, () => this.#indicate("tcDeviceInd", { nwk: node.nwk, eui: node.eui, parent }));
		this.#announced(node);
		this.emit("dirty");
	}

	#left(node, rejoin) {
		if (!rejoin) this.nv.forgetDevice(node.eui);
		this.#indicate("leaveInd", { nwk: node.nwk, eui: node.eui, request: 0, removeChildren: 0, rejoin: rejoin ? 1 : 0 });
		this.emit("dirty");
	}

	simpleDescriptor(id) {
		const endpoint = this.endpoints.get(id);
		return endpoint && encodeFields("endpoint:u8 profile:u16 device:u16 version:u8 inputs:list16 outputs:list16", endpoint);
	}

	/* ---- SYS ---- */

	on_ping() {
		return { capabilities: CAPABILITIES };
	}

	on_version() {
		return VERSION;
	}

	on_getExtAddr() {
		return { eui: this.nv.ieee };
	}

	on_stackTune({ value }) {
		return { value: value & 0xff };
	}

	on_setTxPower({ level }) {
		return { level };
	}

	on_osalNvItemInit({ id, length, value }) {
		return { status: this.nv.create(id, length, value) };
	}

	on_osalNvRead({ id, offset }) {
		return this.nv.read(id, offset);
	}

	on_osalNvReadExt({ id, offset }) {
		return this.nv.read(id, offset);
	}

	on_osalNvWrite({ id, offset, value }) {
		return { status: this.nv.write(id, offset, value) };
	}

	on_osalNvWriteExt({ id, offset, value }) {
		return { status: this.nv.write(id, offset, value) };
	}

	on_osalNvDelete({ id, length }) {
		return { status: this.nv.remove(id, length) };
	}

	on_osalNvLength({ id }) {
		return { length: this.nv.length(id) };
	}

	on_nvCreate({ sys, item, sub, length }) {
		return { status: this.nv.rowCreate(sys, item, sub, length) };
	}

	on_nvDelete() {
		return { status: NV_STATUS.FAILED };
	}

	on_nvLength({ sys, item, sub }) {
		return { length: this.nv.rowLength(sys, item, sub) };
	}

	on_nvRead({ sys, item, sub, offset, length }) {
		return this.nv.rowRead(sys, item, sub, offset, length);
	}

	on_nvWrite({ sys, item, sub, offset, value }) {
		return { status: this.nv.rowWrite(sys, item, sub, offset, value) };
	}

	/* ---- commissioning and start ---- */

	on_bdbSetChannel() {
		return OK;
	}

	on_bdbStartCommissioning({ mode }) {
		if (mode !== FORM_NETWORK || this.state !== STATE.HOLD) return FAILED;
		this.#start(true);
		return OK;
	}

	on_startupFromApp() {
		if (this.nv.network() === undefined) return FAILED;
		this.#start(false);
		return OK;
	}

	/* Format 1 is the code with its CRC, 2 the hashed key; the device joins with that key only. */
	on_bdbAddInstallCode({ format, eui, code }) {
		if (format === 1 && isInstallCode(code)) this.air.installKeys.set(eui, installKey(code));
		else if (format === 2 && code.length === 16) this.air.installKeys.set(eui, code.toString("hex"));
		else return FAILED;
		return OK;
	}

	/* ---- ZDO of the coordinator itself ---- */

	on_extNwkInfo() {
		const { pan, epid, channel } = this.nv.network() ?? { pan: 0xffff, epid: "0x0", channel: 0 };
		return { nwk: 0, state: this.state, pan, parent: 0, epid, parentEui: "0x0", channel };
	}

	on_extRouteDisc() {
		return OK;
	}

	on_extFindGroup({ endpoint, group }) {
		const status = this.groups.has(`${endpoint}/${group}`) ? 0 : 1;
		return { status, group, name: Buffer.alloc(0) };
	}

	on_extRemoveGroup({ endpoint, group }) {
		return this.groups.delete(`${endpoint}/${group}`) ? OK : FAILED;
	}

	on_extAddGroup({ endpoint, group }) {
		this.groups.add(`${endpoint}/${group}`);
		return OK;
	}

	/* ---- UTIL ---- */

	on_getDeviceInfo() {
		return { ...OK, eui: this.nv.ieee, nwk: 0, types: 7, state: this.state, children: this.air.joined.map((node) => node.nwk) };
	}

	on_ledControl() {
		return OK;
	}

	on_assocGetWithAddress({ eui, nwk }) {
		const node = this.air.byEui(eui) ?? this.air.byNwk(nwk);
		return node ? { nwk: node.nwk, index: 0, relation: node.sleepy ? 1 : 2 } : { nwk: 0xfffe, index: 0xffff, relation: 0xff };
	}

	on_assocRemove() {
		return OK;
	}

	on_assocAdd() {
		return OK;
	}

	/* ---- AF ---- */

	on_register(endpoint) {
		if (this.endpoints.has(endpoint.endpoint)) return { status: 0xb8 };
		this.endpoints.set(endpoint.endpoint, endpoint);
		return OK;
	}

	on_dataRequest({ nwk, dstEp, srcEp, cluster, trans, data }) {
		if (this.state !== STATE.COORDINATOR) return FAILED;
		if (this.faults.fullRequests > 0) {
			this.faults.fullRequests--;
			return { status: AF_STATUS.BUFFER_FULL };
		}
		this.#keepCounter(COUNTER_KEPT_EACH);
		this.air.unicast(nwk, { srcEp, dstEp, cluster, data },
			(status) => this.#indicate("dataConfirm", { status, endpoint: srcEp, trans }));
		return OK;
	}

	on_dataRequestExt({ length, data, ...request }) {
		if (length > OUT_MAX) return { status: this.large.expect(length, (whole) => this.#sendExt({ ...request, data: whole }).status) };
		return data.length === length ? this.#sendExt({ ...request, data }) : { status: AF_STATUS.INVALID_PARAMETER };
	}

	on_dataStore({ index, data }) {
		return { status: this.large.store(index, data) };
	}

	on_dataRetrieve({ timestamp, index, length }) {
		return this.large.retrieve(timestamp, index, length);
	}

	#sendExt({ mode, address, dstEp, srcEp, cluster, trans, data }) {
		if (this.state !== STATE.COORDINATOR) return FAILED;
		const short = Number.parseInt(address.slice(-4), 16);
		if (mode === ADDRESS_MODE.SHORT && short < BROADCAST_MIN) return this.on_dataRequest({ nwk: short, dstEp, srcEp, cluster, trans, data });
		this.air.broadcast(mode === ADDRESS_MODE.GROUP ? short : 0, { srcEp, dstEp, cluster, data });
		this.air.timers.after(ANSWER_MS, () => this.#indicate("dataConfirm", { status: 0, endpoint: srcEp, trans }));
		return OK;
	}
}
