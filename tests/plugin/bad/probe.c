/* Behaves, and shows what a plugin gets: its port, its options, its saved blob, its timers. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdk/gw_adapter.h"
#include "sdk/gw_caps.h"

enum { TEXT_CAP = 0x8002 };

struct gwa_self {
	gwa_host *host;
	int radio;
};

static const struct gwa_addr addr = { .len = 2, .bytes = { 0xab, 1 } };

static void tell(gwa_self *self, const char *text, size_t len)
{
	struct gwa_value value = { .type = GWA_T_TEXT, .len = (uint32_t)len, .v.data = text };

	gwa(self->host)->report(self->host, &addr, 1, TEXT_CAP, &value, 0);
}

static int probe_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	static const struct gwa_cap caps[] = {
		{ GWA_CAP_ON_OFF, GWA_T_BOOL, GWA_A_READ | GWA_A_WRITE, 0, 0, 0, 0 },
		{ TEXT_CAP, GWA_T_TEXT, GWA_A_READ | GWA_A_REPORT, 0, 0, 0, 0 },
	};
	static const struct gwa_endpoint endpoint = { 1, 2, 0, caps };
	struct gwa_device device = {
		.size = sizeof(device), .addr = addr, .nendpoints = 1, .endpoints = &endpoint
	};
	char boots[16] = "";
	uint32_t len = sizeof(boots) - 1;
	gwa_self *self = calloc(1, sizeof(*self));

	if (!self)
		return -1;
	self->host = host;
	/* A name that is too long for the wire is cut, not refused. */
	device.name = "probe probe probe probe probe probe probe probe probe probe probe probe";
	gwa(host)->device_up(host, &device);
	for (uint32_t i = 0; i < n; i++)
		tell(self, opts[i].key, strlen(opts[i].key));
	if (gwa(host)->load(host, "boots", boots, &len) < 0)
		len = 0;
	tell(self, boots, len);
	boots[len++] = 'x';
	gwa(host)->save(host, "boots", boots, len);
	self->radio = gwa(host)->port(host, "radio");
	if (self->radio >= 0)
		gwa(host)->watch(host, self->radio, POLLIN);
	gwa(host)->timer(host, 7, 50);
	gwa(host)->devices_synced(host);
	*ret = self;
	return 0;
}

static void probe_close(gwa_self *self)
{
	if (self->radio >= 0 && write(self->radio, "bye", 3) < 0)
		gwa(self->host)->log(self->host, 3, "the port is gone");
	free(self);
}

static void probe_command(gwa_self *self, uint64_t req, const struct gwa_addr *to, uint8_t endpoint,
			  uint16_t cap, const struct gwa_value *value, uint32_t ttl_ms)
{
	(void)to;
	(void)endpoint;
	(void)cap;
	(void)ttl_ms;
	if (!value->v.i) {
		gwa(self->host)->failed(self->host, "told to");
		return;
	}
	gwa(self->host)
		->done(self->host, req,
		       self->radio >= 0 && write(self->radio, "on", 2) == 2 ? GWA_OK : GWA_FAILED);
}

static void probe_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)self;
	(void)up_to;
}

static void probe_on_fd(gwa_self *self, int fd, uint32_t events)
{
	char text[32];
	ssize_t n;

	if (!(events & POLLIN))
		return;
	n = read(fd, text, sizeof(text));
	if (n > 0)
		tell(self, text, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		gwa(self->host)->watch(self->host, fd, 0);
}

static void probe_on_timer(gwa_self *self, uint32_t timer)
{
	if (timer == 7)
		tell(self, "tick", 4);
}

static const char *const ports[] = { "radio", NULL };
static const struct gwa_ops ops = {
	.size = sizeof(ops),
	.open = probe_open,
	.close = probe_close,
	.command = probe_command,
	.on_stored = probe_on_stored,
	.on_fd = probe_on_fd,
	.on_timer = probe_on_timer,
};
const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.name = "probe",
	.summary = "shows what a plugin gets",
	.ports = ports,
	.ops = &ops,
};
