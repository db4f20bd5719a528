/* shelly: Gen2+ Shellys by WebSocket. The one symbol of the plugin. */
#include "shelly/plugin.h"

static const char *const ports[] = { 0 };

const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.abi_minor = GWA_ABI_MINOR,
	.version = 1,
	.flags = GWA_F_JOIN | GWA_F_REMOVE | GWA_F_NET,
	.name = "shelly",
	.summary = "Shelly devices of the second generation and later, on the LAN",
	.ports = ports,
	.ops = &shelly_ops,
};
