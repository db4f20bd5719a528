// nv - the non-volatile memory of the network processor, as its host sees it.
//
// Z-Stack keeps plain items (16-bit id) and extended tables (system, item, sub id). A host commissions
// by writing items (channel list, PAN id, key), reads the network that came of it from the NIB item, and
// backs up or restores by copying items and tables. So what the coordinator knows is in here, in
// Z-Stack's own layouts for a 32-bit processor ("aligned": 16 and 32-bit members on even offsets).

import { euiFromBytes, euiToBytes } from "./fields.js";

export const NV = {
	EXTADDR: 0x01, STARTUP_OPTION: 0x03, NIB: 0x21, EXTENDED_PAN_ID: 0x2d, ACTIVE_KEY: 0x3a, ALTERNATE_KEY: 0x3b,
	APS_LINK_KEY_TABLE: 0x4c, CONFIGURED: 0x60, PRECFGKEY: 0x62, PRECFGKEYS_ENABLE: 0x63, NWKKEY: 0x82, PANID: 0x83,
	CHANLIST: 0x84, TCLK_SEED: 0x101,
};
export const TABLE = { ADDRMGR: 0x0001, TCLK: 0x0004, APS_KEYS: 0x0006, NWK_SEC_MATERIAL: 0x0007 };
const SYS_ZSTACK = 1;
const TABLE_ROWS = 32;
const ROW_BYTES = { [TABLE.ADDRMGR]: 12, [TABLE.TCLK]: 20, [TABLE.APS_KEYS]: 24, [TABLE.NWK_SEC_MATERIAL]: 12 };

export const NV_STATUS = { SUCCESS: 0x00, FAILED: 0x01, CREATED: 0x09, OPERATION_FAILED: 0x0a, BAD_LENGTH: 0x0c };

/* The stack writes its frame counter down only now and then, and goes on that much higher after a start. */
const COUNTER_STEP = 1000;

const ADDRMGR_ASSOC = 1;
const ADDRMGR_SECURITY = 2;

function emptyRow(table) {
	const row = Buffer.alloc(ROW_BYTES[table]);
	if (table === TABLE.ADDRMGR) row.fill(0xff).writeUInt8(0, 0);
	return row;
}

export class Nv {
	/* rows: how many devices its tables hold. full: nothing more can be written, as when the flash has worn out. */
	constructor(ieee, rows = TABLE_ROWS) {
		this.factoryIeee = ieee;
		this.rows = rows;
		this.full = false;
		this.items = new Map();
		this.tables = new Map();
		this.eraseAll();
	}

	eraseAll() {
		this.items.clear();
		this.items.set(NV.EXTADDR, euiToBytes(this.factoryIeee));
		this.items.set(NV.STARTUP_OPTION, Buffer.from([0]));
		this.items.set(NV.TCLK_SEED, Buffer.from("5a69676265652d73696d2d736565642e", "hex"));
		this.eraseNetwork();
	}

	/* Another stick of the same make is in its place: nothing of the old one is on it. */
	replace(ieee) {
		this.factoryIeee = ieee;
		this.eraseAll();
	}

	/* STARTUP_OPTION 3: network and configuration go, the address and the seed stay. */
	eraseNetwork() {
		for (const id of [NV.NIB, NV.EXTENDED_PAN_ID, NV.CONFIGURED, NV.PRECFGKEYS_ENABLE, NV.PANID, NV.CHANLIST])
			this.items.delete(id);
		this.items.set(NV.NWKKEY, Buffer.alloc(24));
		this.items.set(NV.PRECFGKEY, Buffer.alloc(16));
		this.items.set(NV.ACTIVE_KEY, Buffer.alloc(17));
		this.items.set(NV.ALTERNATE_KEY, Buffer.alloc(17));
		const linkKeys = Buffer.alloc(2 + this.rows * 6);
		for (let row = 0; row < this.rows; row++) linkKeys.writeUInt16LE(0xfffe, 2 + row * 6);
		this.items.set(NV.APS_LINK_KEY_TABLE, linkKeys);
		this.tables.clear();
		for (const table of Object.values(TABLE))
			for (let row = 0; row < this.rows; row++) this.tables.set(this.#key(SYS_ZSTACK, table, row), emptyRow(table));
	}

	#key(sys, item, sub) {
		return `${sys}/${item}/${sub}`;
	}

	get ieee() {
		return euiFromBytes(this.items.get(NV.EXTADDR));
	}

	get(id) {
		return this.items.get(id);
	}

	set(id, value) {
		this.items.set(id, Buffer.from(value));
	}

	length(id) {
		return this.items.get(id)?.length ?? 0;
	}

	create(id, length, value) {
		if (this.items.has(id)) return NV_STATUS.SUCCESS;
		if (this.full) return NV_STATUS.OPERATION_FAILED;
		const item = Buffer.alloc(length, 0xff);
		value.copy(item, 0, 0, Math.min(value.length, length));
		this.items.set(id, item);
		return NV_STATUS.CREATED;
	}

	read(id, offset) {
		const item = this.items.get(id);
		if (item === undefined || offset > item.length) return { status: NV_STATUS.FAILED, value: Buffer.alloc(0) };
		return { status: NV_STATUS.SUCCESS, value: item.subarray(offset, offset + 240) };
	}

	write(id, offset, value) {
		const item = this.items.get(id);
		if (item === undefined || offset + value.length > item.length) return NV_STATUS.FAILED;
		if (this.full) return NV_STATUS.OPERATION_FAILED;
		value.copy(item, offset);
		return NV_STATUS.SUCCESS;
	}

	remove(id, length) {
		if (!this.items.has(id)) return NV_STATUS.CREATED;
		if (this.items.get(id).length !== length) return NV_STATUS.BAD_LENGTH;
		this.items.delete(id);
		return NV_STATUS.SUCCESS;
	}

	rowLength(sys, item, sub) {
		return this.tables.get(this.#key(sys, item, sub))?.length ?? 0;
	}

	rowCreate(sys, item, sub, length) {
		this.tables.set(this.#key(sys, item, sub), Buffer.alloc(length));
		return NV_STATUS.SUCCESS;
	}

	rowRead(sys, item, sub, offset, length) {
		const row = this.tables.get(this.#key(sys, item, sub));
		if (row === undefined || offset + length > row.length) return { status: NV_STATUS.FAILED, value: Buffer.alloc(0) };
		return { status: NV_STATUS.SUCCESS, value: row.subarray(offset, offset + length) };
	}

	rowWrite(sys, item, sub, offset, value) {
		const row = this.tables.get(this.#key(sys, item, sub));
		if (row === undefined || offset + value.length > row.length) return NV_STATUS.FAILED;
		if (this.full) return NV_STATUS.OPERATION_FAILED;
		value.copy(row, offset);
		return NV_STATUS.SUCCESS;
	}

	/* The trust centre remembers a device: its address, and which rotation of the seed is its link key. */
	rememberDevice(eui, nwk, isChild = true) {
		const address = euiToBytes(eui);
		let index = this.#findRow(TABLE.ADDRMGR, (row) => row.subarray(4).equals(address));
		if (index < 0) index = this.#findRow(TABLE.ADDRMGR, (row) => row[0] === 0);
		if (index < 0) return false;
		const entry = emptyRow(TABLE.ADDRMGR);
		entry[0] = (isChild ? ADDRMGR_ASSOC : 0) | ADDRMGR_SECURITY;
		entry.writeUInt16LE(nwk, 2);
		address.copy(entry, 4);
		this.tables.set(this.#key(SYS_ZSTACK, TABLE.ADDRMGR, index), entry);
		const key = emptyRow(TABLE.TCLK);
		address.copy(key, 8);
		key[16] = 2;
		key[18] = index % 16;
		this.tables.set(this.#key(SYS_ZSTACK, TABLE.TCLK, index), key);
		return true;
	}

	forgetDevice(eui) {
		const address = euiToBytes(eui);
		const index = this.#findRow(TABLE.ADDRMGR, (row) => row.subarray(4).equals(address));
		if (index >= 0) this.tables.set(this.#key(SYS_ZSTACK, TABLE.ADDRMGR, index), emptyRow(TABLE.ADDRMGR));
		const key = this.#findRow(TABLE.TCLK, (row) => row.subarray(8, 16).equals(address));
		if (key >= 0) this.tables.set(this.#key(SYS_ZSTACK, TABLE.TCLK, key), emptyRow(TABLE.TCLK));
	}

	/* The link key that trust centre and device share: the seed rotated and mixed with the address, or one of its own. */
	linkKey(eui) {
		const address = euiToBytes(eui);
		const entry = this.#findRow(TABLE.TCLK, (row) => row[16] !== 0 && row.subarray(8, 16).equals(address));
		if (entry >= 0) {
			const shift = this.tables.get(this.#key(SYS_ZSTACK, TABLE.TCLK, entry))[18];
			const seed = this.items.get(NV.TCLK_SEED);
			return Buffer.from(Array.from({ length: 16 }, (_, at) => seed[(at + shift) % 16] ^ address[at % 8])).toString("hex");
		}
		const manager = this.#findRow(TABLE.ADDRMGR, (row) => row[0] !== 0 && row.subarray(4).equals(address));
		const keys = this.items.get(NV.APS_LINK_KEY_TABLE);
		for (let at = 2; manager >= 0 && at + 4 <= keys.length; at += 6)
			if (keys.readUInt16LE(at) === manager)
				return this.tables.get(this.#key(SYS_ZSTACK, TABLE.APS_KEYS, keys.readUInt16LE(at + 2)))?.toString("hex", 0, 16);
		return undefined;
	}

	remembersDevice(eui) {
		const address = euiToBytes(eui);
		return this.#findRow(TABLE.ADDRMGR, (row) => row[0] !== 0 && row.subarray(4).equals(address)) >= 0;
	}

	#findRow(table, matches) {
		for (let row = 0; row < this.rows; row++)
			if (matches(this.tables.get(this.#key(SYS_ZSTACK, table, row)))) return row;
		return -1;
	}

	/* Makes a network of what the host has written: the NIB, the key in use and its frame counter. */
	formNetwork() {
		const channels = this.get(NV.CHANLIST)?.readUInt32LE(0) ?? 0x00000800;
		const channel = 31 - Math.clz32(channels & -channels);
		const pan = this.get(NV.PANID)?.readUInt16LE(0) ?? 0xffff;
		const epid = this.get(NV.EXTENDED_PAN_ID) ?? euiToBytes(this.ieee);
		const key = Buffer.concat([Buffer.from([0]), this.get(NV.PRECFGKEY)]);
		this.set(NV.NIB, encodeNib({ pan: pan === 0xffff ? 0x1a62 : pan, channel, channels, epid }));
		this.set(NV.ACTIVE_KEY, key);
		this.set(NV.ALTERNATE_KEY, key);
		const counter = Buffer.alloc(12);
		counter.writeUInt32LE(1250, 0);
		epid.copy(counter, 4);
		this.tables.set(this.#key(SYS_ZSTACK, TABLE.NWK_SEC_MATERIAL, 0), counter);
	}

	/* A coordinator that has been in use already: as if a host had commissioned this network on it before. */
	presetNetwork({ pan, epid, channel, key }) {
		const number = (value, size) => {
			const bytes = Buffer.alloc(size);
			bytes.writeUIntLE(value, 0, size);
			return bytes;
		};
		this.set(NV.CHANLIST, number((1 << channel) >>> 0, 4));
		this.set(NV.PANID, number(pan, 2));
		this.set(NV.EXTENDED_PAN_ID, Buffer.from(epid).reverse());
		this.set(NV.PRECFGKEY, key);
		this.set(NV.PRECFGKEYS_ENABLE, [0]);
		this.formNetwork();
		this.set(NV.CONFIGURED, [0x55]);
	}

	/* The network in force, or undefined when there is none. */
	network() {
		const nib = this.items.get(NV.NIB);
		return nib === undefined || nib.length !== NIB_BYTES ? undefined : decodeNib(nib);
	}

	/* What its devices must agree with: the network's name and key, and a frame counter that no frame has had. Undefined: no network. */
	security() {
		const network = this.network();
		if (network === undefined) return undefined;
		const epid = this.items.get(NV.NIB).subarray(NIB_AT.epid, NIB_AT.epid + 8);
		let row = this.#findRow(TABLE.NWK_SEC_MATERIAL, (entry) => entry.subarray(4, 12).equals(epid));
		if (row < 0) row = this.#findRow(TABLE.NWK_SEC_MATERIAL, (entry) => entry.subarray(4, 12).every((byte) => byte === 0xff));
		const counter = row < 0 ? 0 : this.tables.get(this.#key(SYS_ZSTACK, TABLE.NWK_SEC_MATERIAL, row)).readUInt32LE(0);
		return { ...network, key: this.items.get(NV.ACTIVE_KEY).toString("hex", 1, 17), counter: counter + COUNTER_STEP };
	}

	keepCounter(counter) {
		const epid = this.items.get(NV.NIB).subarray(NIB_AT.epid, NIB_AT.epid + 8);
		const row = Math.max(0, this.#findRow(TABLE.NWK_SEC_MATERIAL, (entry) => entry.subarray(4, 12).equals(epid)));
		const entry = this.tables.get(this.#key(SYS_ZSTACK, TABLE.NWK_SEC_MATERIAL, row));
		entry.writeUInt32LE(counter >>> 0, 0);
		epid.copy(entry, 4);
	}

	setChannel(channel) {
		const nib = this.items.get(NV.NIB);
		nib[NIB_AT.channel] = channel;
		nib.writeUInt32LE((1 << channel) >>> 0, NIB_AT.channels);
		nib[NIB_AT.updateId]++;
	}

	toJSON() {
		const hex = (map) => Object.fromEntries([...map].map(([key, value]) => [key, value.toString("hex")]));
		return { rows: this.rows, items: hex(this.items), tables: hex(this.tables) };
	}

	restore({ rows = TABLE_ROWS, items, tables }) {
		this.rows = rows;
		this.items = new Map(Object.entries(items).map(([id, hex]) => [Number(id), Buffer.from(hex, "hex")]));
		this.tables = new Map(Object.entries(tables).map(([key, hex]) => [key, Buffer.from(hex, "hex")]));
	}
}

const NIB_BYTES = 116;
const NIB_AT = { securityLevel: 12, capabilities: 14, channel: 24, pan: 36, state: 38, channels: 40, epid: 57, keyLoaded: 65,
	updateId: 114 };
const NIB_STATE_ROUTER = 8;

function encodeNib({ pan, channel, channels, epid }) {
	const nib = Buffer.alloc(NIB_BYTES);
	nib[NIB_AT.securityLevel] = 5;
	nib[NIB_AT.capabilities] = 0x8f;
	nib[NIB_AT.channel] = channel;
	nib.writeUInt16LE(pan, NIB_AT.pan);
	nib[NIB_AT.state] = NIB_STATE_ROUTER;
	nib.writeUInt32LE(channels, NIB_AT.channels);
	epid.copy(nib, NIB_AT.epid);
	nib[NIB_AT.keyLoaded] = 1;
	return nib;
}

function decodeNib(nib) {
	return { pan: nib.readUInt16LE(NIB_AT.pan), channel: nib[NIB_AT.channel],
		epid: euiFromBytes(nib.subarray(NIB_AT.epid, NIB_AT.epid + 8)) };
}
