/* null - the smallest plugin that keeps the whole contract: one switch that is nowhere. */
#include <stdlib.h>
#include "sdk/gw_adapter.h"
#include "sdk/gw_caps.h"

struct gwa_self {
	gwa_host *host;
};

static const struct gwa_addr addr = { .len = 1, .bytes = { 1 } };

static void say(gwa_self *self, int64_t on)
{
	struct gwa_value value = { .type = GWA_T_BOOL, .v.i = on };

	gwa(self->host)->report(self->host, &addr, 1, GWA_CAP_ON_OFF, &value, 0);
}

static int null_open(gwa_host *host, const struct gwa_opt *opts, uint32_t nopts, gwa_self **ret)
{
	static const struct gwa_cap cap = {
		GWA_CAP_ON_OFF, GWA_T_BOOL, GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT, 0, 0, 0, 0
	};
	static const struct gwa_endpoint endpoint = { .id = 1, .ncaps = 1, .caps = &cap };
	struct gwa_device device = {
		.size = sizeof(device), .addr = addr, .nendpoints = 1, .endpoints = &endpoint
	};
	gwa_self *self = calloc(1, sizeof(*self));

	(void)opts;
	(void)nopts;
	if (!self)
		return -1;
	self->host = host;
	device.name = "nowhere";
	gwa(host)->device_up(host, &device);
	gwa(host)->devices_synced(host);
	say(self, 0);
	*ret = self;
	return 0;
}

static void null_close(gwa_self *self)
{
	free(self);
}

static void null_command(gwa_self *self, uint64_t req, const struct gwa_addr *to, uint8_t endpoint,
			 uint16_t cap, const struct gwa_value *value, uint32_t ttl_ms)
{
	int known = to->len == addr.len && to->bytes[0] == addr.bytes[0];
	int fits = endpoint <= 1 && cap == GWA_CAP_ON_OFF;

	(void)ttl_ms;
	if (known && fits && value->type == GWA_T_BOOL)
		say(self, value->v.i);
	gwa(self->host)
		->done(self->host, req,
		       !known			   ? GWA_UNREACHABLE
		       : !fits			   ? GWA_UNSUPPORTED
		       : value->type != GWA_T_BOOL ? GWA_BAD_VALUE
						   : GWA_OK);
}

static void null_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)self;
	(void)up_to;
}

static void null_on_fd(gwa_self *self, int fd, uint32_t events)
{
	(void)self;
	(void)fd;
	(void)events;
}

static void null_on_timer(gwa_self *self, uint32_t timer)
{
	(void)self;
	(void)timer;
}

static const struct gwa_ops ops = {
	.size = sizeof(ops),
	.open = null_open,
	.close = null_close,
	.command = null_command,
	.on_stored = null_on_stored,
	.on_fd = null_on_fd,
	.on_timer = null_on_timer,
};

const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.abi_minor = GWA_ABI_MINOR,
	.version = 1,
	.name = "null",
	.summary = "a switch that is nowhere",
	.ops = &ops,
};
