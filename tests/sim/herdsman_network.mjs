// herdsman_network - zigbee-herdsman takes over the network of `main.mjs --devices`, and writes its backup.
//
//   node herdsman_network.mjs SERIAL_PORT FILE

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Controller, setLogger } from "zigbee-herdsman";
import { CROWD_NETWORK } from "./znp/crowd.js";

const quiet = () => {};
setLogger({ debug: quiet, info: quiet, warning: quiet, error: console.error });

const [port, file] = process.argv.slice(2);
const { pan, epid, key, channel } = CROWD_NETWORK;
const dir = mkdtempSync(join(tmpdir(), "herdsman-"));
const backupPath = join(dir, "backup.json");
const controller = new Controller({
	network: { panID: pan, extendedPanID: epid, networkKey: [...key], channelList: [channel] },
	serialPort: { path: `tcp://127.0.0.1:${port}`, adapter: "zstack" },
	databasePath: join(dir, "database.db"), databaseBackupPath: join(dir, "database.db.backup"),
	backupPath, adapter: { disableLED: true }, acceptJoiningDeviceHandler: async () => true,
});
try {
	if (await controller.start() !== "resumed") throw new Error("it did not take over the network");
	await controller.backup();
	copyFileSync(backupPath, file);
} finally {
	await controller.stop();
	rmSync(dir, { recursive: true });
}
process.exit(0);
