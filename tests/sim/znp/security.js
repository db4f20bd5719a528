// security - who can understand whom: the network's name, key and frame counter, and install codes.
//
// A device keeps the name and key of the network it joined and the highest frame counter it has heard from the
// coordinator; a coordinator that comes back with another name or key, or with a counter that it used before, is a
// stranger to it. Nothing is encrypted: what could not be decrypted is not delivered.

import { createCipheriv } from "node:crypto";

/* What a device is told when it joins. */
export function membership(network) {
	return { epid: network.epid, key: network.key, heard: network.counter };
}

export function isMember(node, network) {
	return network !== undefined && node.network?.epid === network.epid && node.network.key === network.key;
}

/* Does the device take the coordinator's next frame? If so, it remembers its counter. */
export function takesFrame(node, network) {
	if (!isMember(node, network) || network.counter <= node.network.heard) return false;
	node.network.heard = network.counter;
	return true;
}

/* CRC-16/X-25 of an install code (base device behaviour 10.1). */
function crc(bytes) {
	let value = 0xffff;
	for (const byte of bytes) {
		value ^= byte;
		for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >> 1) ^ 0x8408 : value >> 1;
	}
	return value ^ 0xffff;
}

export function isInstallCode(code) {
	return [8, 10, 14, 18].includes(code.length) && crc(code.subarray(0, -2)) === code.readUInt16LE(code.length - 2);
}

/* The link key that an install code stands for: its AES-MMO hash (Zigbee specification B.6). */
export function installKey(code) {
	const bits = code.length * 8;
	const end = code.length + 3;
	const padded = Buffer.alloc(Math.ceil(end / 16) * 16);
	code.copy(padded);
	padded[code.length] = 0x80;
	padded.writeUInt16BE(bits, padded.length - 2);
	let hash = Buffer.alloc(16);
	for (let at = 0; at < padded.length; at += 16) {
		const block = padded.subarray(at, at + 16);
		const cipher = createCipheriv("aes-128-ecb", hash, null).setAutoPadding(false);
		const sealed = Buffer.concat([cipher.update(block), cipher.final()]);
		hash = Buffer.from(sealed.map((byte, index) => byte ^ block[index]));
	}
	return hash.toString("hex");
}
