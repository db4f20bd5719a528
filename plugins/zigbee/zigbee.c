/* zigbee: a coordinator of our own. The one symbol of the plugin. */
#include "zigbee/plugin.h"

static const char *const ports[] = { "radio", 0 };

const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.abi_minor = GWA_ABI_MINOR,
	.version = 1,
	.flags = GWA_F_JOIN | GWA_F_REMOVE | GWA_F_NET | GWA_F_RADIO,
	.name = "zigbee",
	.summary = "Zigbee devices over a coordinator stick",
	.ports = ports,
	.ops = &zigbee_ops,
};
