// herdsman_backup - zigbee-herdsman's side of moving a network: makes a backup of the one on a coordinator, or restores one on it.
//
//   node herdsman_backup.mjs make PORT FILE      takes over the network that is there, as configured in it
//   node herdsman_backup.mjs restore PORT FILE   the stick is blank; prints what the controller did ("restored")
//
// PORT is the simulator's serial port on 127.0.0.1. The network's parameters come from the backup, or from the simulator's own table.

import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller, setLogger } from "zigbee-herdsman";
import { CROWD_NETWORK } from "./znp/crowd.js";

const quiet = () => {};
setLogger({ debug: quiet, info: quiet, warning: quiet, error: console.error });

function parameters(how, file) {
	if (how === "make") return { panID: CROWD_NETWORK.pan, extendedPanID: CROWD_NETWORK.epid, networkKey: [...CROWD_NETWORK.key], channelList: [CROWD_NETWORK.channel] };
	const backup = JSON.parse(readFileSync(file, "utf8"));
	return { panID: Number.parseInt(backup.pan_id, 16), extendedPanID: [...Buffer.from(backup.extended_pan_id, "hex")],
		networkKey: [...Buffer.from(backup.network_key.key, "hex")], channelList: [backup.channel] };
}

const [how, port, file] = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), "herdsman-"));
const backupPath = join(dir, "backup.json");
if (how === "restore") copyFileSync(file, backupPath);
const controller = new Controller({
	network: parameters(how, file), serialPort: { path: `tcp://127.0.0.1:${port}`, adapter: "zstack" },
	databasePath: join(dir, "database.db"), databaseBackupPath: join(dir, "database.db.backup"),
	backupPath, adapter: { disableLED: true }, acceptJoiningDeviceHandler: async () => true,
});
try {
	const started = await controller.start();
	if (how === "make") {
		await controller.backup();
		copyFileSync(backupPath, file);
	}
	console.log(started);
} finally {
	await controller.stop();
	rmSync(dir, { recursive: true });
}
process.exit(0);
