/* Devices, reports and claims under addresses that are none; with values that are none. */
#define BAD_NAME	       "bad-address"
#define BAD_COMMAND(self, req) misbehave(self, req)
#include "sdk/gw_adapter.h"

static void misbehave(gwa_self *self, uint64_t req);
#include "bad.h"

static void try_device(gwa_host *host, uint8_t len, uint8_t endpoints,
		       const struct gwa_endpoint *at)
{
	struct gwa_device device = { .size = sizeof(device),
				     .addr = { .len = len },
				     .nendpoints = endpoints };

	device.endpoints = at;
	gwa(host)->device_up(host, &device);
}

static void try_value(gwa_host *host, const struct gwa_addr *addr, struct gwa_value value)
{
	if (gwa(host)->report(host, addr, 1, BAD_CAP, &value, 0))
		abort();
}

static void misbehave(gwa_self *self, uint64_t req)
{
	const struct gwa_addr none = { .len = 0 }, huge = { .len = 255 };
	const struct gwa_cap wrong[] = { { GWA_CAP_ON_OFF, GWA_T_TEXT, GWA_A_READ, 0, 0, 0, 0 } };
	const struct gwa_endpoint bad_caps = { 1, 1, 0, wrong }, no_caps = { 1, 200, 0, NULL };
	gwa_host *host = self->host;

	gwa(host)->device_up(host, NULL);
	try_device(host, 0, 0, NULL);
	try_device(host, GWA_ADDR_MAX + 1, 0, NULL);
	try_device(host, 1, 255, NULL);
	try_device(host, 1, 1, NULL);
	try_device(host, 1, 1, &bad_caps);
	try_device(host, 1, 1, &no_caps);
	gwa(host)->device_down(host, &huge, 1);
	gwa(host)->device_down(host, NULL, 0);
	try_value(host, &none, (struct gwa_value){ .type = GWA_T_INT });
	try_value(host, &huge, (struct gwa_value){ .type = GWA_T_INT });
	try_value(host, NULL, (struct gwa_value){ .type = GWA_T_INT });
	try_value(host, &bad_addr, (struct gwa_value){ .type = GWA_T_NONE });
	try_value(host, &bad_addr, (struct gwa_value){ .type = 99 });
	try_value(host, &bad_addr, (struct gwa_value){ .type = GWA_T_REAL, .v.f = 1e308 * 10 });
	try_value(host, &bad_addr,
		  (struct gwa_value){ .type = GWA_T_TEXT, .len = 1, .v.data = "\xff" });
	try_value(host, &bad_addr,
		  (struct gwa_value){ .type = GWA_T_TEXT, .len = 1, .v.data = NULL });
	try_value(
		host, &bad_addr,
		(struct gwa_value){ .type = GWA_T_BYTES, .len = GWA_VALUE_MAX + 1, .v.data = "" });
	if (gwa(host)->report(host, &bad_addr, 1, BAD_CAP, NULL, 0))
		abort();
	gwa(host)->claim(host, &bad_addr, NULL, 3);
	gwa(host)->claim(host, &none, "abc", 3);
	gwa(host)->claim(host, &bad_addr, "abc", 1000);
	gwa(host)->note(host, 99, 1, "x", "y");
	gwa(host)->note(host, GWA_NOTE_STATUS, 1, NULL, NULL);
	gwa(host)->log(host, 99, NULL);
	if (gwa(host)->save(host, "", "x", 1) == 0 ||
	    gwa(host)->save(host, "big", "x", GWA_STATE_MAX + 1) == 0 ||
	    gwa(host)->save(host, NULL, "x", 1) == 0 || gwa(host)->watch(host, -1, 1) == 0 ||
	    gwa(host)->watch(host, 0, 0xff00) == 0 || gwa(host)->port(host, NULL) != -1)
		abort();
	gwa(host)->timer(host, 4711, 5);
	gwa(host)->done(host, req, GWA_OK);
}
