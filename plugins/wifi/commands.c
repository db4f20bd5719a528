/* The way out. An order is published at QoS 1 with an expiry of its time to live, so that the broker never hands it on
 * late, and is done when the broker has acknowledged it and the device has said a state that agrees with it:
 *
 *   acknowledged and echoed          OK
 *   no echo in time                  TIMEOUT
 *   nobody listens, device offline   UNREACHABLE, at once
 *   refused by the broker            FAILED
 *
 * A property that the device never says (write only) is done with the acknowledgement; a slow one (a cover that moves)
 * with the next word of the device on that property. An order that was on its way when the connection broke is lost with
 * it: nobody knows whether it arrived.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/tasmota.h"
#include "wifi/wifi_inside.h"
#include "wifi/z2m.h"

enum { REASON_NOBODY_LISTENS = 0x10, REASON_REFUSED = 0x80 };

static void arm(gwa_self *self)
{
	uint64_t now = gwa(self->host)->now_ms(self->host), deadline = orders_deadline(&self->orders);
	uint64_t wait = deadline > now ? deadline - now : 1;

	gwa(self->host)->timer(self->host, TIMER_ORDERS, deadline == UINT64_MAX ? 0 : wait < 60000 ? (uint32_t)wait : 60000);
}

void commands_done(gwa_self *self, struct order *order, int status)
{
	uint64_t req = order->req;

	orders_remove(&self->orders, order);
	gwa(self->host)->done(self->host, req, status);
}

void commands_fail_all(gwa_self *self, int status)
{
	struct order *order;

	while ((order = orders_any(&self->orders)))
		commands_done(self, order, status);
}

void commands_timer(gwa_self *self)
{
	uint64_t now = gwa(self->host)->now_ms(self->host);
	struct order *order;

	while ((order = orders_late(&self->orders, now)))
		commands_done(self, order, GWA_TIMEOUT);
	arm(self);
}

static void finish(gwa_self *self, struct order *order)
{
	if (order->acked && order->echoed)
		commands_done(self, order, GWA_OK);
}

void commands_published(gwa_self *self, int mid, int reason)
{
	struct order *order = orders_by_mid(&self->orders, mid);

	if (!order)
		return;
	if (reason >= REASON_REFUSED) {
		wifi_note(self, GWA_NOTE_STATUS, 1, "broker", "refuses our orders");
		commands_done(self, order, GWA_FAILED);
	} else if (reason == REASON_NOBODY_LISTENS) {
		commands_done(self, order, GWA_UNREACHABLE);
	} else {
		order->acked = true;
		finish(self, order);
	}
}

void commands_echo(gwa_self *self, const struct house_entry *entry, const struct trait *trait,
		   const struct gwa_value *said)
{
	struct order *order;
	size_t at = 0;

	while ((order = orders_echo(&self->orders, &at, &entry->device->addr, trait, said)))
		finish(self, order);
}

void commands_answer(gwa_self *self, uint64_t req, bool good)
{
	struct order *order = orders_by_req(&self->orders, req);

	if (order && order->to_bridge)
		commands_done(self, order, good ? GWA_OK : GWA_FAILED);
}

static bool is_out_of_reach(const gwa_self *self, const struct house_entry *entry)
{
	return entry->offline || self->lan_lost || !self->command.up ||
	       (entry->source < HOUSE_TASMOTA && self->bases[entry->source].state == BRIDGE_OFFLINE);
}

static int hass_order(const struct lan_device *device, const struct trait *trait, const struct gwa_value *value,
		      char topic[LAN_TOPIC_MAX], char **ret_payload)
{
	const char *where;
	int r = ways_order(device->ways, trait, value, &where, ret_payload);

	if (!r)
		text_copy(topic, LAN_TOPIC_MAX, where);
	return r;
}

static int write_order(const struct lan_device *device, const struct trait *trait, const struct gwa_value *value,
		       char topic[LAN_TOPIC_MAX], char **ret_payload)
{
	if (device->grammar == LAN_HASS)
		return hass_order(device, trait, value, topic, ret_payload);
	if (device->grammar == LAN_TASMOTA)
		return tasmota_order(device, trait, value, topic, ret_payload);
	text_print(topic, LAN_TOPIC_MAX, "%s/set", device->topic);
	return z2m_set(trait, value, ret_payload);
}

/* A little less than the host gives us, so that it hears our answer and not its own. */
static uint32_t time_to_live(uint32_t ttl_ms)
{
	uint32_t ttl = ttl_ms ? ttl_ms : WIFI_TTL_MS;

	return ttl > 1000 ? ttl - 100 : ttl - ttl / 10;
}

/* The order's row comes first: what is published is always waited for. */
static int send(gwa_self *self, const struct order *order, const char *topic, const char *payload, uint32_t ttl_ms)
{
	struct order *row;
	int r;

	if (orders_add(&self->orders, order, &row))
		return GWA_BUSY;
	r = mqtt_publish(&self->command, topic, payload, (ttl_ms + 999) / 1000, &row->mid);
	if (r) {
		orders_remove(&self->orders, row);
		return r == -ENOTCONN ? GWA_UNREACHABLE : GWA_FAILED;
	}
	arm(self);
	return GWA_OK;
}

void commands_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
		      const struct gwa_value *value, uint32_t ttl_ms)
{
	const struct house_entry *entry = house_find_addr(&self->house, addr);
	const struct trait *trait = entry ? lan_device_trait(entry->device, endpoint, cap) : NULL;
	uint32_t ttl = time_to_live(ttl_ms);
	struct order order = { .req = req, .addr = *addr, .endpoint = endpoint, .cap = cap, .value = *value,
			       .deadline_ms = gwa(self->host)->now_ms(self->host) + ttl };
	char topic[LAN_TOPIC_MAX], *payload = NULL;
	int status = GWA_OK;

	if (!entry && shellies_command(self, &order, ttl)) {
		arm(self);
		return;
	}
	if (!entry || is_out_of_reach(self, entry))
		status = GWA_UNREACHABLE;
	else if (!trait || !(trait->access & GWA_A_WRITE))
		status = GWA_UNSUPPORTED;
	else if (write_order(entry->device, trait, value, topic, &payload))
		status = GWA_BAD_VALUE;
	if (status == GWA_OK) {
		order.echoed = !(trait->access & GWA_A_READ);
		status = send(self, &order, topic, payload, ttl);
	}
	free(payload);
	if (status != GWA_OK)
		gwa(self->host)->done(self->host, req, status);
}

static void ask_bridge(gwa_self *self, uint64_t req, const struct base *base, const char *what, char *payload)
{
	struct order order = { .req = req, .to_bridge = true,
			       .deadline_ms = gwa(self->host)->now_ms(self->host) + time_to_live(0) };
	int status = GWA_UNREACHABLE;
	char topic[LAN_TOPIC_MAX];

	text_print(topic, sizeof(topic), "%s/bridge/request/%s", base->name, what);
	if (self->command.up && !self->lan_lost && base->state != BRIDGE_OFFLINE)
		status = send(self, &order, topic, payload, WIFI_TTL_MS);
	free(payload);
	if (status != GWA_OK)
		gwa(self->host)->done(self->host, req, status);
}

static const struct base *first_online(const gwa_self *self)
{
	for (size_t i = 0; i < self->n_bases; i++) {
		if (self->bases[i].state == BRIDGE_ONLINE)
			return &self->bases[i];
	}
	return NULL;
}

/* Is there a Zigbee2MQTT that was heard of and is away now? */
static bool some_offline(const gwa_self *self)
{
	for (size_t i = 0; i < self->n_bases; i++) {
		if (self->bases[i].state == BRIDGE_OFFLINE)
			return true;
	}
	return false;
}

/* A window is opened at the first Zigbee2MQTT that is there. Tasmota devices join by themselves: where there are only they, the
 * window is the core's alone. */
void commands_permit_join(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	const struct base *base = first_online(self);
	char transaction[32];

	if (join->ncode || !base) {
		int alone = self->settings.tasmota && !some_offline(self) ? GWA_OK : GWA_UNREACHABLE;

		gwa(self->host)->done(self->host, req, join->ncode ? GWA_UNSUPPORTED : alone);
		return;
	}
	text_print(transaction, sizeof(transaction), "gw-%llu", (unsigned long long)req);
	ask_bridge(self, req, base, "permit_join", z2m_permit_join(join->seconds, transaction));
}

void commands_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr)
{
	const struct house_entry *entry = house_find_addr(&self->house, addr);
	char transaction[32], ieee[2 + 16 + 1] = "0x";

	if (!entry || entry->device->grammar != LAN_Z2M) {
		gwa(self->host)->done(self->host, req, entry ? GWA_UNSUPPORTED : GWA_UNREACHABLE);
		return;
	}
	text_print(transaction, sizeof(transaction), "gw-%llu", (unsigned long long)req);
	hex_print(entry->device->hw.bytes, 8, ieee + 2);
	ask_bridge(self, req, &self->bases[entry->source], "device/remove", z2m_remove(ieee, transaction));
}
