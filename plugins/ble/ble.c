/* ble: Bluetooth Low Energy through BlueZ. The one symbol of the plugin. */
#include "ble/plugin.h"

static const char *const ports[] = { 0 };

const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.abi_minor = GWA_ABI_MINOR,
	.version = 1,
	.flags = GWA_F_JOIN | GWA_F_REMOVE,
	.name = "ble",
	.summary = "Bluetooth Low Energy beacons and sensors, through BlueZ",
	.ports = ports,
	.ops = &ble_ops,
};
