/* One device as the core sees it: described, up or away, and what it reports. Reports that find no credit wait in order; whoever
 * has been silent for too long is asked, and what does not answer twice is away.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "zigbee/zigbee_inside.h"

enum { BASIC = 0x0000, HA_PROFILE = 0x0104, PING_TTL_MS = 12000, AWAY_PING_MS = 60000 };

/* The table */

struct gwa_addr device_addr(uint64_t eui)
{
	struct gwa_addr addr = { .len = 8 };

	for (unsigned i = 0; i < 8; i++)
		addr.bytes[i] = (uint8_t)(eui >> (56 - 8 * i));
	return addr;
}

struct device *device_find(gwa_self *self, const struct gwa_addr *addr)
{
	struct nodes_row *row;
	uint64_t eui = 0;

	if (addr->len != 8)
		return NULL;
	for (unsigned i = 0; i < 8; i++)
		eui = eui << 8 | addr->bytes[i];
	row = nodes_by_eui(&self->nodes, eui);
	return row ? device_of(row) : NULL;
}

static void ping_at(gwa_self *self, struct device *device, uint64_t at_ms)
{
	device->ping_due_ms = at_ms;
	if (at_ms < self->alive_due_ms)
		self->alive_due_ms = at_ms;
}

int device_add(gwa_self *self, uint64_t eui, uint16_t nwk, uint8_t capabilities, struct device **ret)
{
	struct device *device = calloc(1, sizeof(*device));
	int r;

	if (!device)
		return -ENOMEM;
	device->row.node = (struct node){ .eui = eui, .nwk = nwk, .kind = ZDO_KIND_UNKNOWN, .capabilities = capabilities,
					  .evidence = 1 };
	device->inquiry_due_ms = device->ping_due_ms = UINT64_MAX;
	device->heard_ms = zigbee_now(self);
	talk_peer_init(&device->peer, nwk, node_is_sleepy(&device->row.node));
	r = nodes_add(&self->nodes, &device->row);
	if (r) {
		free(device);
		return r;
	}
	kept_changed(self);
	*ret = device;
	return 0;
}

void device_forget(gwa_self *self, struct device *device, bool left)
{
	struct gwa_addr addr = device_addr(device->row.node.eui);

	inquiry_stop(device);
	talk_drop(&self->talk, &device->peer);
	orders_forget(self, device->row.node.eui);
	groupings_member_gone(self, device->row.node.eui);
	if (device->row.stage != NODES_HEARD)
		gwa(self->host)->device_down(self->host, &addr, left);
	nodes_remove(&self->nodes, &device->row);
	nodes_row_deinit(&device->row);
	free(device);
	kept_changed(self);
}

void device_moved(gwa_self *self, struct device *device, uint16_t nwk)
{
	if (device->row.node.nwk == nwk)
		return;
	nodes_move(&self->nodes, &device->row, nwk);
	for (size_t i = 0; i < self->nodes.n; i++) {
		struct device *each = device_of(self->nodes.rows[i]);

		each->peer.nwk = each->row.node.nwk;
		if (each->interview)
			each->interview->node.nwk = each->row.node.nwk;
	}
	kept_changed(self);
}

/* What the core is told */

void device_joining(gwa_self *self, struct device *device, int stage, const char *why)
{
	struct gwa_addr addr = device_addr(device->row.node.eui);

	if (device->joining && gwa(self->host)->size >= offsetof(struct gwa_host_ops, tell))
		gwa(self->host)->joining(self->host, &addr, stage, why);
}

static size_t endpoints_of(const struct trait *traits, size_t n, const struct node *node, struct gwa_cap *caps,
			   struct gwa_endpoint *ret)
{
	size_t endpoints = 0;

	for (size_t i = 0; i < n; i++) {
		const struct node_endpoint *e = node_endpoint(node, traits[i].endpoint);

		caps[i] = traits[i].cap;
		if (!endpoints || ret[endpoints - 1].id != traits[i].endpoint)
			ret[endpoints++] = (struct gwa_endpoint){ .id = traits[i].endpoint, .profile = e ? e->device : 0, .caps = &caps[i] };
		ret[endpoints - 1].ncaps++;
	}
	return endpoints;
}

void device_tell(gwa_self *self, struct device *device)
{
	const struct node *node = &device->row.node;
	struct gwa_endpoint endpoints[NODE_ENDPOINTS_MAX];
	struct gwa_cap caps[TRAITS_MAX];
	struct trait traits[TRAITS_MAX];
	struct gwa_device told = { .size = sizeof(told), .addr = device_addr(node->eui), .hw = device_addr(node->eui),
				   .evidence = node->evidence, .sleepy = node_is_sleepy(node), .vendor = node->vendor,
				   .model = node->model, .firmware = node->firmware, .endpoints = endpoints };
	struct model model = { 0 };
	size_t n;

	if (models_find(node, &model)) {
		told.vendor = model.vendor;
		told.model = model.model;
	}
	traits_know(&device->row.node, &model);
	n = traits_of(node, traits);
	told.nendpoints = (uint8_t)endpoints_of(traits, n, node, caps, endpoints);
	device->n_caps = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		device->caps[i].cap = traits[i].cap.id;
		device->caps[i].endpoint = traits[i].endpoint;
	}
	device->up = true;
	gwa(self->host)->device_up(self->host, &told);
	groupings_member_told(self, node->eui);
	ping_at(self, device, zigbee_now(self) + (node_is_sleepy(node) ? BATTERY_SILENT_MS : PING_AGAIN_MS));
}

void device_away(gwa_self *self, struct device *device)
{
	struct gwa_addr addr = device_addr(device->row.node.eui);

	if (!device->up)
		return;
	device->up = false;
	gwa(self->host)->device_down(self->host, &addr, 0);
}

void device_heard(gwa_self *self, struct device *device)
{
	bool back = !device->up && device->row.stage != NODES_HEARD && self->state == NET_READY;

	device->heard_ms = zigbee_now(self);
	device->pings_failed = 0;
	if (back) {
		device_tell(self, device);
		if (!device->interview && device->row.stage == NODES_READY && !device->peer.sleepy)
			inquiry_start(self, device, INTERVIEW_VALUES);
	}
	inquiry_heard(self, device);
	talk_heard(&self->talk, &device->peer);
}

/* Reports */

static bool is_described(const struct device *device, uint8_t endpoint, uint16_t cap)
{
	for (size_t i = 0; i < device->n_caps; i++) {
		if (device->caps[i].cap == cap && device->caps[i].endpoint == endpoint)
			return true;
	}
	return false;
}

static void wait_for_credit(gwa_self *self, const struct gwa_addr *addr, const struct trait_reading *reading)
{
	struct waiting_report *row;
	struct timespec now;

	if (self->n_waiting == REPORTS_WAITING_MAX) {
		/* The oldest goes: what is newer is truer. */
		if (self->dropped++ % REPORTS_WAITING_MAX == 0)
			gwa(self->host)->note(self->host, GWA_NOTE_DROPPED, 1, "reports", "the gateway does not take what devices say");
		self->first_waiting = (self->first_waiting + 1) % REPORTS_WAITING_MAX;
		self->n_waiting--;
	}
	row = &self->waiting[(self->first_waiting + self->n_waiting++) % REPORTS_WAITING_MAX];
	clock_gettime(CLOCK_REALTIME, &now);
	*row = (struct waiting_report){ .addr = *addr, .endpoint = reading->endpoint, .cap = reading->cap, .value = reading->value,
					.wall_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 };
	if (reading->value.type == GWA_T_TEXT) {
		row->value.len = reading->value.len < sizeof(row->text) ? reading->value.len : (uint32_t)sizeof(row->text);
		memcpy(row->text, reading->value.v.data, row->value.len);
	}
}

void device_drain(gwa_self *self)
{
	while (self->n_waiting) {
		struct waiting_report *row = &self->waiting[self->first_waiting];

		if (row->value.type == GWA_T_TEXT)
			row->value.v.data = row->text;
		if (!gwa(self->host)->report(self->host, &row->addr, row->endpoint, row->cap, &row->value, row->wall_us))
			return;
		self->first_waiting = (self->first_waiting + 1) % REPORTS_WAITING_MAX;
		self->n_waiting--;
	}
}

void device_report_of(gwa_self *self, const struct gwa_addr *addr, const struct trait_reading *reading)
{
	if (self->n_waiting || !gwa(self->host)->report(self->host, addr, reading->endpoint, reading->cap, &reading->value, 0))
		wait_for_credit(self, addr, reading);
}

void device_report(gwa_self *self, struct device *device, const struct trait_reading *reading)
{
	struct gwa_addr addr = device_addr(device->row.node.eui);

	if (is_described(device, reading->endpoint, reading->cap))
		device_report_of(self, &addr, reading);
}

static void take_attribute(gwa_self *self, struct device *device, uint8_t endpoint, uint16_t cluster, uint16_t manufacturer,
			   const struct zcl_record *record)
{
	struct node_endpoint *e = (struct node_endpoint *)node_endpoint(&device->row.node, endpoint);
	struct trait_reading readings[TRAITS_READINGS_MAX];
	size_t n;

	if (!e)
		return;
	if (traits_learn(e, cluster, manufacturer, record->attribute, &record->value)) {
		kept_changed(self);
		if (device->up)
			device_tell(self, device);
	}
	n = traits_attribute(&device->row.node, endpoint, cluster, manufacturer, record->attribute, &record->value, readings);
	for (size_t i = 0; i < n; i++)
		device_report(self, device, &readings[i]);
}

void device_take(gwa_self *self, struct device *device, const struct radio_message *message, const struct zcl_frame *frame)
{
	struct trait_reading readings[TRAITS_READINGS_MAX];
	const struct zcl_header *h = &frame->header;
	struct view records = frame->payload;
	struct zcl_record record;
	size_t n;

	if (device->row.stage == NODES_HEARD)
		return;
	if (h->cluster) {
		n = traits_command(&device->row.node, message->source, message->cluster, frame, readings);
		for (size_t i = 0; i < n; i++)
			device_report(self, device, &readings[i]);
		return;
	}
	if (h->command != ZCL_REPORT && h->command != ZCL_READ_RSP)
		return;
	while (zcl_record_next(h, &records, &record)) {
		if (!record.status)
			take_attribute(self, device, message->source, message->cluster, h->manufacturer, &record);
	}
}

/* Is it there? */

static bool is_mains(const struct device *device)
{
	return !node_is_sleepy(&device->row.node) && device->row.node.n_endpoints;
}

static const struct node_endpoint *ping_endpoint(const struct device *device)
{
	const struct node *node = &device->row.node;

	for (size_t i = 0; i < node->n_endpoints; i++) {
		if (node_has_in(&node->endpoints[i], BASIC))
			return &node->endpoints[i];
	}
	return &node->endpoints[0];
}

static bool ping(gwa_self *self, struct device *device)
{
	static const uint8_t zcl_version[] = { 0x00, 0x00 };
	const struct node_endpoint *e = ping_endpoint(device);
	struct talk_ask ask = { .tag = (uint64_t)OWNER_PING << OWNED_BITS, .endpoint = e->id, .profile = e->profile ? e->profile : HA_PROFILE,
				.cluster = BASIC, .command = ZCL_READ, .payload = { zcl_version, sizeof(zcl_version) },
				.ttl_ms = PING_TTL_MS };

	return talk_add(&self->talk, &device->peer, &ask) == 0;
}

/* After a storm it is back soon; one that was unplugged is not asked for ever. */
static uint64_t away_ms(const struct device *device)
{
	uint64_t ms = (uint64_t)AWAY_PING_MS << (device->pings_failed > 10 ? 8 : device->pings_failed - 2);

	return ms < MAINS_SILENT_MS ? ms : MAINS_SILENT_MS;
}

void device_pinged(gwa_self *self, struct device *device, const struct talk_result *result)
{
	/* Even one that says nothing sensible has acknowledged. */
	if (result->status == TALK_DROPPED)
		return;
	if (result->status != TALK_UNREACHABLE) {
		device_heard(self, device);
		return;
	}
	if (device->pings_failed < UINT8_MAX)
		device->pings_failed++;
	if (device->pings_failed >= 2)
		device_away(self, device);
	ping_at(self, device, zigbee_now(self) + (device->up ? PING_APART_MS : away_ms(device)));
}

void device_doubt(gwa_self *self, struct device *device)
{
	if (!is_mains(device) || !device->up || device->row.stage == NODES_HEARD)
		return;
	device->doubted = true;
	ping_at(self, device, zigbee_now(self));
}

/* When is this one to be looked at again? Now: it is asked, or found to be away. */
static uint64_t look(gwa_self *self, struct device *device, uint64_t now, bool *asked)
{
	uint64_t silent = is_mains(device) ? MAINS_SILENT_MS : BATTERY_SILENT_MS;

	if (device->row.stage == NODES_HEARD || device->interview)
		return now + MAINS_SILENT_MS;
	if (!is_mains(device)) {
		if (device->heard_ms + silent <= now)
			device_away(self, device);
		return (device->up ? device->heard_ms : now) + silent;
	}
	if (device->proven && device->heard_ms + silent > now && !device->pings_failed && !device->doubted)
		return device->heard_ms + silent;
	if (*asked || self->state != NET_READY)
		return now + PING_APART_MS;
	device->proven = true;
	device->doubted = false;
	*asked = ping(self, device);
	return now + MAINS_SILENT_MS;
}

void device_alive_tick(gwa_self *self)
{
	uint64_t now = zigbee_now(self), due = UINT64_MAX;
	bool asked = false;

	if (self->alive_due_ms > now)
		return;
	for (size_t i = 0; i < self->nodes.n; i++) {
		struct device *device = device_of(self->nodes.rows[i]);

		if (device->ping_due_ms <= now)
			device->ping_due_ms = look(self, device, now, &asked);
		if (device->ping_due_ms < due)
			due = device->ping_due_ms;
	}
	self->alive_due_ms = due;
}
