/* bad.h - a plugin that behaves, with two places at which it may be made not to.
 *
 *	#define BAD_NAME "fork"
 *	#define BAD_OPEN(self) ...       while it opens: behind the fence's first stage
 *	#define BAD_COMMAND(self, req) ... answers a command: behind the second
 *	#define BAD_ASK(self, req) ... answers what its radio is asked; BAD_FLAGS GWA_F_RADIO
 *	#include "bad.h"                 last; what the macros need may be defined before
 *
 * It has one device (address 01) that can be switched, and reports numbers under the vendor's capability 0x8001.
 */
#include <stdlib.h>
#include <string.h>

#include "sdk/gw_adapter.h"
#include "sdk/gw_caps.h"

enum { BAD_CAP = 0x8001 };

struct gwa_self {
	gwa_host *host;
	int number;
};

static const struct gwa_addr bad_addr = { .len = 1, .bytes = { 1 } };

static inline void bad_report(gwa_self *self, int64_t number)
{
	struct gwa_value value = { .type = GWA_T_INT, .v.i = number };

	gwa(self->host)->report(self->host, &bad_addr, 1, BAD_CAP, &value, 0);
}

#ifndef BAD_OPEN
#define BAD_OPEN(self) (void)(self)
#endif
#ifndef BAD_COMMAND
#define BAD_COMMAND(self, req) gwa((self)->host)->done((self)->host, req, GWA_OK)
#endif
#ifndef BAD_ASK
#define BAD_ASK(self, req) gwa((self)->host)->done((self)->host, req, GWA_UNSUPPORTED)
#endif
#ifndef BAD_OPS_SIZE
#define BAD_OPS_SIZE sizeof(struct gwa_ops)
#endif
#ifndef BAD_CLOSE
#define BAD_CLOSE(self) free(self)
#endif
#ifndef BAD_MAGIC
#define BAD_MAGIC GWA_MAGIC
#endif
#ifndef BAD_SIZE
#define BAD_SIZE sizeof(struct gwa_plugin)
#endif
#ifndef BAD_FLAGS
#define BAD_FLAGS 0
#endif
#ifndef BAD_STORED
#define BAD_STORED(self) (void)(self)
#endif

static int bad_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	static const struct gwa_cap caps[] = {
		{ GWA_CAP_ON_OFF, GWA_T_BOOL, GWA_A_READ | GWA_A_WRITE | GWA_A_REPORT, 0, 0, 0, 0 },
		{ BAD_CAP, GWA_T_INT, GWA_A_READ | GWA_A_REPORT, 0, 0, 0, 0 },
	};
	static const struct gwa_endpoint endpoint = { 1, 2, 0, caps };
	struct gwa_device device = { .size = sizeof(device), .addr = bad_addr, .nendpoints = 1 };
	gwa_self *self = calloc(1, sizeof(*self));

	(void)opts;
	(void)n;
	if (!self)
		return -1;
	self->host = host;
	device.name = BAD_NAME;
	device.endpoints = &endpoint;
	gwa(host)->device_up(host, &device);
	BAD_OPEN(self);
	gwa(host)->devices_synced(host);
	*ret = self;
	return 0;
}

static void bad_close(gwa_self *self)
{
	BAD_CLOSE(self);
}

static void bad_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint,
			uint16_t cap, const struct gwa_value *value, uint32_t ttl_ms)
{
	(void)value;
	(void)ttl_ms;
	if (addr->len != bad_addr.len || addr->bytes[0] != bad_addr.bytes[0])
		gwa(self->host)->done(self->host, req, GWA_UNREACHABLE);
	else if (cap != GWA_CAP_ON_OFF || endpoint > 1)
		gwa(self->host)->done(self->host, req, GWA_UNSUPPORTED);
	else
		BAD_COMMAND(self, req);
}

static void bad_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)up_to;
	BAD_STORED(self);
}

static void bad_on_fd(gwa_self *self, int fd, uint32_t events)
{
	(void)self;
	(void)fd;
	(void)events;
}

static void bad_on_timer(gwa_self *self, uint32_t timer)
{
	(void)self;
	(void)timer;
}

static void bad_ask(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len)
{
	(void)data;
	(void)len;
	if (strcmp(verb, "info") == 0)
		BAD_ASK(self, req);
	else
		gwa(self->host)->done(self->host, req, GWA_UNSUPPORTED);
}

static const struct gwa_ops bad_ops = {
	.size = BAD_OPS_SIZE,
	.open = bad_open,
	.close = bad_close,
	.command = bad_command,
	.on_stored = bad_on_stored,
	.on_fd = bad_on_fd,
	.on_timer = bad_on_timer,
	.ask = bad_ask,
};

const struct gwa_plugin gwa_plugin_v1 = {
	.magic = BAD_MAGIC,
	.size = BAD_SIZE,
	.abi_minor = GWA_ABI_MINOR,
	.flags = BAD_FLAGS,
	.name = BAD_NAME,
	.summary = "breaks a rule on purpose",
	.ops = &bad_ops,
};
