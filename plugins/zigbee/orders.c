/* An order is a few frames, one after the other: each waits for the answer to the one before, and the first that fails ends it. Its
 * time to live is that of its frames: what is late is not sent. One to a group is done when the radio has sent it: nobody acknowledges it.
 */
#include <string.h>
#include "zigbee/zigbee_inside.h"

enum { TTL_MS = 10000, BEFORE_MS = 100, REREAD_TTL_MS = 10000, HA_PROFILE = 0x0104, DOOR_LOCK = 0x0101, HEADER_MAX = 5 };

static void end(gwa_self *self, struct order *order, int status)
{
	uint64_t req = order->req;

	*order = (struct order){ .req = 0 };
	gwa(self->host)->done(self->host, req, status);
}

static struct order *find_free(gwa_self *self)
{
	for (size_t i = 0; i < ORDERS_MAX; i++) {
		if (!self->orders[i].req)
			return &self->orders[i];
	}
	return NULL;
}

static uint16_t profile_of(const struct device *device, uint8_t endpoint)
{
	const struct node_endpoint *e = node_endpoint(&device->row.node, endpoint);

	return e && e->profile ? e->profile : HA_PROFILE;
}

/* The next frame; false: it has no room. */
static bool put_frame(gwa_self *self, struct device *device, struct order *order)
{
	const struct trait_frame *frame = &order->plan.frames[order->at];
	uint64_t now = zigbee_now(self);
	struct talk_ask ask = { .endpoint = order->plan.endpoint, .profile = profile_of(device, order->plan.endpoint),
				.cluster = frame->cluster, .own = !frame->general, .command = frame->command,
				.payload = { frame->payload, frame->len } };

	order->id = zigbee_id(self, OWNER_ORDER);
	ask.tag = order->id;
	ask.ttl_ms = order->deadline_ms > now ? (uint32_t)(order->deadline_ms - now) : 0;
	return talk_add(&self->talk, &device->peer, &ask) == 0;
}

/* The next frame to all of a group; false: the radio has no room. Nobody answers it, so no default response is asked for. */
static bool put_cast(gwa_self *self, struct order *order)
{
	const struct trait_frame *frame = &order->plan.frames[order->at];
	uint8_t buf[TRAITS_PAYLOAD_MAX + HEADER_MAX];
	struct writer w = writer_over(buf, sizeof(buf));
	struct zcl_header header = { .cluster = !frame->general, .quiet = true, .sequence = ++self->group_sequence,
				     .command = frame->command };
	struct radio_message message = { .mode = RADIO_GROUP, .group = order->group, .source = 1, .target = 0xff, .profile = HA_PROFILE,
					 .cluster = frame->cluster };

	if (zcl_header_write(&w, &header, true))
		return false;
	put_bytes(&w, frame->payload, frame->len);
	message.data = (struct view){ buf, writer_len(&w) };
	order->id = zigbee_id(self, OWNER_GROUP);
	return !w.bad && self->radio->ops->send(self->radio, order->id, &message) == 0;
}

/* What is said has to outlive the call. */
static void keep_value(struct order *order, const struct gwa_value *value)
{
	order->value = *value;
	if (value->type == GWA_T_TEXT) {
		order->value.len = value->len < sizeof(order->text) ? value->len : (uint32_t)sizeof(order->text);
		memcpy(order->text, value->v.data, order->value.len);
		order->value.v.data = order->text;
	} else if (value->type == GWA_T_BYTES) {
		order->value.type = GWA_T_NONE;
	}
}

static void command_group(gwa_self *self, uint64_t req, const struct group *group, uint16_t cap, const struct gwa_value *value)
{
	struct order *order = find_free(self);
	int r;

	if (!order || self->state != NET_READY) {
		gwa(self->host)->done(self->host, req, order ? GWA_UNREACHABLE : GWA_BUSY);
		return;
	}
	*order = (struct order){ .req = req, .group = group->id, .cap = cap };
	keep_value(order, value);
	r = groupings_order(self, group, cap, value, &order->plan);
	if (r || !order->plan.n)
		end(self, order, r == TRAITS_E_VALUE ? GWA_BAD_VALUE : GWA_UNSUPPORTED);
	else if (!put_cast(self, order))
		end(self, order, GWA_BUSY);
}

void orders_sent(gwa_self *self, uint32_t cookie, enum radio_status status)
{
	struct order *order = NULL;

	for (size_t i = 0; i < ORDERS_MAX; i++) {
		if (self->orders[i].req && self->orders[i].group && self->orders[i].id == cookie)
			order = &self->orders[i];
	}
	if (!order)
		return;
	if (status != RADIO_OK) {
		end(self, order, GWA_FAILED);
	} else if (++order->at < order->plan.n) {
		if (!put_cast(self, order))
			end(self, order, GWA_BUSY);
	} else {
		struct trait_reading said = { .endpoint = 1, .cap = order->cap, .value = order->value };
		struct gwa_addr addr = groupings_addr(order->group);

		device_report_of(self, &addr, &said);
		end(self, order, GWA_OK);
	}
}

void orders_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
		    const struct gwa_value *value, uint32_t ttl_ms)
{
	const struct group *group = groupings_find(self, addr);
	struct device *device = device_find(self, addr);
	struct order *order = find_free(self);
	int r;

	if (group) {
		command_group(self, req, group, cap, value);
		return;
	}
	if (!device || device->row.stage == NODES_HEARD || self->state != NET_READY || !order) {
		gwa(self->host)->done(self->host, req, order || !device ? GWA_UNREACHABLE : GWA_BUSY);
		return;
	}
	*order = (struct order){ .req = req, .eui = device->row.node.eui, .cap = cap };
	keep_value(order, value);
	/* The host answers in our place when the time is over: we are a little before it. */
	ttl_ms = ttl_ms ? ttl_ms : TTL_MS;
	order->deadline_ms = zigbee_now(self) + ttl_ms - (ttl_ms < 2 * BEFORE_MS ? ttl_ms / 2 : BEFORE_MS);
	r = traits_order(&device->row.node, endpoint, cap, value, &order->plan);
	if (r || !order->plan.n)
		end(self, order, r == TRAITS_E_VALUE ? GWA_BAD_VALUE : GWA_UNSUPPORTED);
	else if (!put_frame(self, device, order))
		end(self, order, GWA_BUSY);
}

/* Nobody waits for what it says: it is reported like anything that it says. */
static void reread(gwa_self *self, struct device *device, const struct trait_order *plan)
{
	uint8_t attribute[] = { (uint8_t)plan->attribute, (uint8_t)(plan->attribute >> 8) };
	struct talk_ask ask = { .tag = (uint64_t)OWNER_NOBODY << OWNED_BITS, .endpoint = plan->endpoint,
				.profile = profile_of(device, plan->endpoint), .cluster = plan->cluster, .command = ZCL_READ,
				.payload = { attribute, sizeof(attribute) }, .ttl_ms = REREAD_TTL_MS };

	if (talk_add(&self->talk, &device->peer, &ask))
		self->dropped++;
}

static void carried_out(gwa_self *self, struct device *device, struct order *order)
{
	struct trait_reading said = { .endpoint = order->plan.endpoint, .cap = order->cap, .value = order->value };

	if (order->plan.reread)
		reread(self, device, &order->plan);
	if (order->plan.said && order->value.type != GWA_T_NONE)
		device_report(self, device, &said);
	end(self, order, GWA_OK);
}

/* ZCL table 2-12. */
static int status_of(uint8_t zcl)
{
	static const struct {
		uint8_t zcl;
		int8_t status;
	} rows[] = {
		{ 0x00, GWA_OK }, { 0x81, GWA_UNSUPPORTED }, { 0x82, GWA_UNSUPPORTED }, { 0x86, GWA_UNSUPPORTED },
		{ 0xc3, GWA_UNSUPPORTED }, { 0x85, GWA_BAD_VALUE }, { 0x87, GWA_BAD_VALUE }, { 0x8d, GWA_BAD_VALUE },
		{ 0x94, GWA_TIMEOUT }, { 0x9c, GWA_BUSY },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].zcl == zcl)
			return rows[i].status;
	}
	return GWA_FAILED;
}

/* An answer may itself say no: to writing, attribute by attribute; of a lock, in its first byte. */
static int status_in(const struct zcl_frame *frame, uint16_t cluster)
{
	struct zcl_record record;
	struct view records;

	if (!frame)
		return GWA_OK;
	if (frame->header.cluster)
		return cluster == DOOR_LOCK && frame->payload.len && frame->payload.data[0] ? GWA_FAILED : GWA_OK;
	records = frame->payload;
	while (frame->header.command == ZCL_WRITE_RSP && zcl_record_next(&frame->header, &records, &record)) {
		if (record.status)
			return status_of(record.status);
	}
	return GWA_OK;
}

static int status_of_result(const struct talk_result *result, uint16_t cluster)
{
	switch (result->status) {
	case TALK_OK:
		return status_in(result->frame, cluster);
	case TALK_REFUSED:
		return status_of(result->zcl);
	case TALK_UNREACHABLE:
		return GWA_UNREACHABLE;
	case TALK_TIMEOUT:
		return GWA_TIMEOUT;
	case TALK_DROPPED:
	default:
		return GWA_FAILED;
	}
}

void orders_talked(gwa_self *self, const struct talk_result *result)
{
	struct device *device = CONTAINER_OF(result->peer, struct device, peer);
	struct order *order = NULL;
	int status;

	for (size_t i = 0; i < ORDERS_MAX; i++) {
		if (self->orders[i].req && self->orders[i].id == result->tag)
			order = &self->orders[i];
	}
	if (!order)
		return;
	status = status_of_result(result, order->plan.frames[order->at].cluster);
	if (status == GWA_UNREACHABLE)
		device_doubt(self, device);
	if (status != GWA_OK)
		end(self, order, status);
	else if (++order->at == order->plan.n)
		carried_out(self, device, order);
	else if (!put_frame(self, device, order))
		end(self, order, GWA_BUSY);
}

void orders_forget(gwa_self *self, uint64_t eui)
{
	for (size_t i = 0; i < ORDERS_MAX; i++) {
		if (self->orders[i].req && !self->orders[i].group && self->orders[i].eui == eui)
			end(self, &self->orders[i], GWA_UNREACHABLE);
	}
}

void orders_forget_group(gwa_self *self, uint16_t id)
{
	for (size_t i = 0; i < ORDERS_MAX; i++) {
		if (self->orders[i].req && self->orders[i].group && (!id || self->orders[i].group == id))
			end(self, &self->orders[i], GWA_UNREACHABLE);
	}
}

void orders_fail_all(gwa_self *self)
{
	for (size_t i = 0; i < ORDERS_MAX; i++) {
		if (self->orders[i].req)
			end(self, &self->orders[i], GWA_UNREACHABLE);
	}
}
