// herdsman_backup - zigbee-herdsman takes a network from a backup that somebody else wrote, and writes one of its own.
//
//     node herdsman_backup.mjs SERIAL_PORT BACKUP     a blank coordinator; BACKUP is overwritten
//
// Prints a line of JSON: how it started, and the network it is in then.

import { readFileSync, rmSync } from "node:fs";
import { Controller, setLogger } from "zigbee-herdsman";

const [port, backupPath] = process.argv.slice(2);
const quiet = () => {};
setLogger({ debug: quiet, info: quiet, warning: quiet, error: quiet });

const backup = JSON.parse(readFileSync(backupPath, "utf8"));
const bytes = (hex) => [...Buffer.from(hex, "hex")];
const controller = new Controller({
	network: { panID: Number.parseInt(backup.pan_id, 16), extendedPanID: bytes(backup.extended_pan_id), networkKey: bytes(backup.network_key.key),
		channelList: backup.channel_mask },
	serialPort: { path: `tcp://127.0.0.1:${port}`, adapter: "zstack" }, databasePath: `${backupPath}.db`, databaseBackupPath: `${backupPath}.db.backup`,
	backupPath, adapter: { disableLED: false }, acceptJoiningDeviceHandler: async () => true,
});

const started = await controller.start();
const network = await controller.getNetworkParameters();
rmSync(backupPath);
await controller.backup();
await controller.stop();
console.log(JSON.stringify({ started, network, backup: JSON.parse(readFileSync(backupPath, "utf8")) }));
process.exit(0);
