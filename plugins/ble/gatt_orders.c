/* Orders to devices that are connected: written with a response, so that what is done was done. A device that does not say
 * itself how it stands afterwards stands as it was told.
 */
#include <string.h>
#include "ble/ble_inside.h"

enum { WRITE_MS = 8000 }; /* less than the host waits */

static void on_written(void *ctx, DBusMessage *reply)
{
	struct gatt_order *order = ctx;
	gwa_self *self = order->self;
	struct beacon *beacon = beacons_find(&self->beacons, order->mac);
	const char *error = props_error(reply);
	struct value value = value_bool(order->on);
	uint64_t req = order->req;

	order->req = 0;
	if (!error[0] && reply && beacon && !order->says_itself)
		(void)sensors_report(self, beacon, order->endpoint, order->cap, &value);
	gwa(self->host)->done(self->host, req,
			      !reply || strcmp(error, "NotConnected") == 0 ? GWA_UNREACHABLE :
			      strcmp(error, "NoReply") == 0		   ? GWA_TIMEOUT :
			      error[0]					   ? GWA_FAILED :
									     GWA_OK);
}

static int write_char(gwa_self *self, struct gatt_peer *peer, const struct gatt_char *c, struct gatt_order *order)
{
	struct value value = value_bool(order->on);
	uint8_t bytes[CHARACTERISTIC_WRITE_MAX];
	DBusMessage *message;
	size_t len;

	if (characteristic_write(c->row, &value, bytes, &len))
		return GWA_BAD_VALUE;
	message = gatt_message(peer, c, "WriteValue");
	if (message && !gatt_put_options(message, bytes, (int)len)) {
		dbus_message_unref(message);
		message = NULL;
	}
	return bus_call(&self->bus, message, WRITE_MS, on_written, order) ? GWA_BUSY : GWA_OK;
}

static const struct gatt_char *find_char(const struct gatt_peer *peer, uint8_t endpoint, uint16_t cap)
{
	for (size_t i = 0; i < peer->n_chars; i++) {
		if (peer->chars[i].endpoint == endpoint && characteristic_cap(peer->chars[i].row) == cap)
			return &peer->chars[i];
	}
	return NULL;
}

void gatt_command(gwa_self *self, uint64_t req, const uint8_t mac[6], uint8_t endpoint, uint16_t cap, const struct gwa_value *value)
{
	struct gatt_peer *peer = gatt_peer(self, mac);
	const struct gatt_char *c = peer && peer->step == GATT_READY ? find_char(peer, endpoint, cap) : NULL;
	int status = GWA_BUSY;

	if (!peer || peer->step != GATT_READY)
		status = GWA_UNREACHABLE;
	else if (!c || c->row->kind != KIND_SWITCH || !(c->flags & (CHAR_WRITE | CHAR_WRITE_QUIET)))
		status = GWA_UNSUPPORTED;
	else if (value->type != GWA_T_BOOL)
		status = GWA_BAD_VALUE;
	for (size_t i = 0; status == GWA_BUSY && i < GATT_ORDERS_MAX; i++) {
		struct gatt_order *order = &self->gatt.orders[i];

		if (order->req)
			continue;
		*order = (struct gatt_order){ .req = req, .self = self, .endpoint = endpoint, .cap = cap, .on = value->v.i != 0,
					      .says_itself = c->flags & CHAR_NOTIFY };
		memcpy(order->mac, mac, 6);
		status = write_char(self, peer, c, order);
		if (status == GWA_OK)
			return;
		order->req = 0;
		break;
	}
	gwa(self->host)->done(self->host, req, status);
}
