/* For each configured link there is a slot here and a process elsewhere that holds its TLS key. Down goes what the share
 * list and policy let out: descriptions as they are, events from the spool, at most a window of them unacknowledged. Up
 * come acknowledgements and orders; an order becomes a command like any other and takes the router's one pipeline. When the
 * connection breaks, all that was not acknowledged is taken back and comes again, marked as a possible duplicate. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "link/links.h"
#include "link/shares.h"
#include "link/options.h"
#include "router/alarms.h"
#include "router/freshness.h"
#include "router/time_trust.h"

enum { LINK_QUEUE_BYTES = 256 * 1024, BARE_COMMAND_TTL_MS = 10000 };

struct slot {
	struct links *links;
	unsigned index;
	const struct conf_link *conf;
	struct link_options options;
	struct peer *peer;
	unsigned spool;
	bool connected;
	size_t in_flight;
	uint64_t n_sent, n_acked, n_commands, n_refused, n_notes[NOTES];
	char endpoint[128], detail[160];
	uint32_t generation; /* of the connection: an answer for an earlier one finds nobody */
};

_Static_assert((int)CONF_LINKS_MAX <= (int)SPOOL_LINKS_MAX, "each link has a place in the spool");

struct links {
	struct loop *loop;
	struct router *router;
	struct registry *registry;
	struct spool *spool;
	struct audit *audit;
	uint64_t epoch;
	struct slot slots[CONF_LINKS_MAX];
	size_t n;
};

static struct asker slot_asker(const struct slot *slot, const char *sender)
{
	struct asker asker = {
		.subject = { SUBJECT_LINK, slot->index },
		.name = slot->conf->name,
		.source = slot->conf->home ? SOURCE_LINK_HOME : SOURCE_LINK_CLOUD,
		.loop = slot->conf->home ? LOOP_SMALL : LOOP_BIG,
	};
	text_print(asker.addr, sizeof(asker.addr), "%s/%s", slot->conf->name, sender);
	return asker;
}

/* Down: devices. */

/* Only what this link may hear of: capabilities it may not are not even named. */
static bool narrow(const struct slot *slot, const struct device *device, struct device_desc *desc, struct endpoint_desc *endpoints,
		   struct capability_desc *caps)
{
	size_t n_caps = 0;
	*desc = *device->desc;
	desc->name = device->name;
	desc->endpoints = endpoints;
	desc->n_endpoints = 0;
	for (uint8_t e = 0; e < device->desc->n_endpoints; e++) {
		const struct endpoint_desc *from = &device->desc->endpoints[e];
		struct endpoint_desc to = *from;
		to.caps = &caps[n_caps];
		to.n_caps = 0;
		for (uint8_t c = 0; c < from->n_caps; c++)
			if (router_link_sees(slot->links->router, slot->index, device, from->caps[c].id)) {
				caps[n_caps++] = from->caps[c];
				to.n_caps++;
			}
		if (to.n_caps)
			endpoints[desc->n_endpoints++] = to;
	}
	return desc->n_endpoints > 0;
}

static void slot_say_device(struct slot *slot, const struct device *device)
{
	struct device_desc desc;
	struct endpoint_desc endpoints[DEVICE_ENDPOINTS_MAX];
	struct capability_desc caps[DEVICE_CAPS_MAX];
	struct wire_msg msg = { 0 };

	if (!slot->peer || !peer_is_ready(slot->peer) || !device->desc)
		return;
	if (device->state == DEVICE_RETIRED || !narrow(slot, device, &desc, endpoints, caps)) {
		msg.type = WIRE_LINK_GONE;
		msg.link_gone.id = device->id;
	} else {
		const struct room *room = registry_room(slot->links->registry, device->room);
		msg.type = WIRE_LINK_DEVICE;
		msg.link_device.id = device->id;
		msg.link_device.state = (uint8_t)device->state;
		msg.link_device.reachable = device->state == DEVICE_OURS;
		msg.link_device.room = view_text(room ? room->name : "");
		msg.link_device.desc = &desc;
	}
	if (peer_send(slot->peer, &msg) == PACKET_E_FULL)
		peer_violate(slot->peer, "does not read what it is sent");
}

static void slot_say_state(struct slot *slot, const struct device *device)
{
	size_t i = 0;
	for (uint8_t e = 0; device->desc && e < device->desc->n_endpoints; e++)
		for (uint8_t c = 0; c < device->desc->endpoints[e].n_caps; c++, i++) {
			const struct endpoint_desc *ep = &device->desc->endpoints[e];
			struct wire_msg msg = { .type = WIRE_LINK_EVENT };
			if (device->shadow[i].reported.value.type == VALUE_NONE ||
			    !router_link_sees(slot->links->router, slot->index, device, ep->caps[c].id))
				continue;
			msg.link_event.event = (struct event){
				.kind = EVENT_REPORT, .event_class = EVENT_CLASS_STATE, .device = device->id, .endpoint = ep->id,
				.cap = ep->caps[c].id, .value = value_box_get(&device->shadow[i].reported),
				.wall_us = device->shadow[i].reported_wall_us, .number = device->event_number,
			};
			if (!slot->peer || peer_send(slot->peer, &msg) != 0)
				return;
		}
}

static void slot_sync(struct slot *slot, bool states)
{
	const struct device *device;
	for (size_t i = 0; (device = registry_at(slot->links->registry, i)); i++) {
		slot_say_device(slot, device);
		if (states)
			slot_say_state(slot, device);
	}
}

/* Down: events. */

static void slot_drain(struct slot *slot)
{
	struct spool_entry entry;
	while (slot->peer && slot->connected && slot->in_flight < LINK_INFLIGHT_MAX && peer_queued_bytes(slot->peer) < LINK_QUEUE_BYTES &&
	       spool_take(slot->links->spool, slot->spool, &entry)) {
		struct reader r = reader_over(entry.data, entry.len);
		struct wire_msg msg = { .type = WIRE_LINK_EVENT };
		msg.link_event.number = entry.number;
		msg.link_event.duplicate = entry.duplicate;
		if (event_get(&r, &msg.link_event.event) != 0) {
			spool_ack(slot->links->spool, slot->spool, entry.number); /* cannot be: it was encoded by us */
			continue;
		}
		msg.link_event.duplicate |= msg.link_event.event.duplicate;
		if (peer_send(slot->peer, &msg) != 0)
			return; /* the connection ends: untake brings it back */
		slot->in_flight++;
		slot->n_sent++;
	}
}

static void slot_on_ready(void *ctx, unsigned link)
{
	struct slot *slot = ctx;
	(void)link;
	slot_drain(slot);
}

static void slot_take_back(struct slot *slot)
{
	slot->connected = false;
	slot->in_flight = 0;
	spool_untake(slot->links->spool, slot->spool);
}

/* Up. */

static void slot_audit(struct slot *slot, uint16_t kind, enum audit_outcome outcome, const char *object, const char *action, uint32_t count,
		       const char *detail)
{
	struct asker asker = slot_asker(slot, "");
	struct audit_record record = { .kind = kind, .outcome = outcome, .object = object, .action = action, .count = count, .detail = detail };
	asker_to_record(&asker, &record);
	record.source_addr = slot->endpoint[0] ? slot->endpoint : NULL;
	(void)!audit_append(slot->links->audit, &record, NULL, NULL);
}

static void slot_on_state(struct slot *slot, const struct wire_msg *msg)
{
	struct device_id none = { { 0 } };
	struct alarms *alarms = router_alarms(slot->links->router);
	bool was = slot->connected;

	text_copy_n(slot->endpoint, sizeof(slot->endpoint), msg->link_state.endpoint.data, msg->link_state.endpoint.len);
	text_copy_n(slot->detail, sizeof(slot->detail), msg->link_state.detail.data, msg->link_state.detail.len);
	if (msg->link_state.connected) {
		slot->connected = true;
		/* Connected, and something of ours is refused there: it waits in the spool, and somebody must know. */
		if (msg->link_state.reason == LINK_REFUSED)
			alarms_raise(alarms, ALARM_LINK_DOWN, none, slot->conf->name, slot->detail);
		else
			alarms_clear(alarms, ALARM_LINK_DOWN, none, slot->conf->name);
		alarms_clear(alarms, ALARM_LINK_IDENTITY, none, slot->conf->name);
		if (!was)
			slot_audit(slot, AUDIT_LINK_UP, AUDIT_OK, slot->conf->name, NULL, 0, slot->detail);
		slot_drain(slot);
		return;
	}
	slot_take_back(slot);
	if (msg->link_state.reason == LINK_CONNECTING)
		return;
	alarms_raise(alarms, msg->link_state.reason == LINK_IDENTITY ? ALARM_LINK_IDENTITY : ALARM_LINK_DOWN, none, slot->conf->name, slot->detail);
	slot_audit(slot, msg->link_state.reason == LINK_IDENTITY ? AUDIT_LINK_REFUSED : AUDIT_LINK_DOWN, AUDIT_FAILED, slot->conf->name, NULL, 0,
		   slot->detail);
}

static void slot_on_acked(struct slot *slot, const struct wire_msg *msg)
{
	for (uint16_t i = 0; i < msg->link_acked.n; i++) {
		spool_ack(slot->links->spool, slot->spool, msg->link_acked.numbers[i]);
		slot->n_acked++;
		if (slot->in_flight > 0)
			slot->in_flight--;
	}
	slot_drain(slot);
}

struct order { /* a command of the link, waiting for its end */
	struct slot *slot;
	uint32_t generation;
	char id[COMMAND_ID_MAX + 1], sender[SENDER_MAX + 1];
	struct device_id device;
	uint8_t endpoint;
	uint16_t cap;
};

static void on_order_done(void *ctx, enum result result, int32_t rule, const char *reason)
{
	struct order *order = ctx;
	struct slot *slot = order->slot;
	char words[WIRE_TEXT_MAX];
	(void)rule; /* never told outside */

	if (result != RESULT_OK)
		slot->n_refused++;
	text_copy(words, sizeof(words), reason);
	if (result == RESULT_REPLAYED)
		text_print(words, sizeof(words), "last=%llu", (unsigned long long)router_replay_last(slot->links->router, slot->conf->name, order->sender));
	struct wire_msg msg = { .type = WIRE_LINK_ANSWER };
	msg.link_answer.id = view_text(order->id);
	msg.link_answer.sender = view_text(order->sender);
	msg.link_answer.device = order->device;
	msg.link_answer.endpoint = order->endpoint;
	msg.link_answer.cap = order->cap;
	msg.link_answer.result = (uint16_t)result;
	msg.link_answer.reason = view_text(words);
	/* An answer that cannot go now is not kept: the sender asks again and hears "duplicate". */
	if (slot->peer && slot->generation == order->generation)
		(void)!peer_send(slot->peer, &msg);
	free(order);
}

static void slot_on_command(struct slot *slot, const struct wire_msg *msg)
{
	struct order *order = calloc(1, sizeof(*order));
	struct command command = { 0 };
	if (!order)
		return;
	slot->n_commands++;
	*order = (struct order){ .slot = slot, .generation = slot->generation, .device = msg->link_command.device,
				 .endpoint = msg->link_command.endpoint, .cap = msg->link_command.cap };
	text_copy_n(order->id, sizeof(order->id), msg->link_command.id.data, msg->link_command.id.len);
	text_copy_n(order->sender, sizeof(order->sender), msg->link_command.sender.data, msg->link_command.sender.len);
	struct asker asker = slot_asker(slot, order->sender);
	command.subject = asker.subject;
	command.source = asker.source;
	command.loop = asker.loop;
	text_copy(command.id, sizeof(command.id), order->id);
	text_copy(command.sender, sizeof(command.sender), order->sender);
	command.device = msg->link_command.device;
	command.endpoint = msg->link_command.endpoint;
	command.cap = msg->link_command.cap;
	command.value = msg->link_command.value;
	command.has_counter = msg->link_command.has_counter;
	command.counter = msg->link_command.counter;
	command.has_times = msg->link_command.has_times;
	command.issued_us = msg->link_command.issued_us;
	command.not_after_us = msg->link_command.not_after_us;
	command.deadline_ms = loop_now_ms(slot->links->loop) + BARE_COMMAND_TTL_MS;
	/* The native profile's promise: who leaves out what guards against replay has not said a command. */
	if (slot->conf->profile == PROFILE_NATIVE && (!command.has_counter || !command.has_times || !command.id[0]))
		command.cap = 0;
	router_command(slot->links->router, &asker, &command, on_order_done, order);
}

static void slot_on_note(struct slot *slot, const struct wire_msg *msg)
{
	char object[WIRE_TEXT_MAX + 1], text[WIRE_TEXT_MAX + 1];
	if (msg->note.kind >= NOTES || msg->note.kind == NOTE_STATUS)
		return;
	text_copy_n(object, sizeof(object), msg->note.object.data, msg->note.object.len);
	text_copy_n(text, sizeof(text), msg->note.text.data, msg->note.text.len);
	slot->n_notes[msg->note.kind] += msg->note.count;
	slot_audit(slot, AUDIT_BAD_INPUT, AUDIT_FAILED, object, note_kind_name((enum note_kind)msg->note.kind), msg->note.count, text);
}

static void slot_on_anchor(struct slot *slot, const struct wire_msg *msg)
{
	char signatures[WIRE_TEXT_MAX + 1];
	text_copy_n(signatures, sizeof(signatures), msg->link_anchor.signatures.data, msg->link_anchor.signatures.len);
	freshness_anchor(router_freshness(slot->links->router), slot->conf->name, msg->link_anchor.body.data, msg->link_anchor.body.len, signatures);
}

static void on_opened(void *ctx, struct peer *peer, uint8_t flags)
{
	struct slot *slot = ctx;
	(void)peer;
	(void)flags;
	slot_sync(slot, false);
}

static void on_message(void *ctx, struct peer *peer, const struct wire_msg *msg)
{
	struct slot *slot = ctx;
	(void)peer;
	if (msg->type == WIRE_LINK_ACKED)
		slot_on_acked(slot, msg);
	else if (msg->type == WIRE_LINK_COMMAND)
		slot_on_command(slot, msg);
	else if (msg->type == WIRE_LINK_STATE)
		slot_on_state(slot, msg);
	else if (msg->type == WIRE_LINK_TIME)
		time_trust_peer(router_time(slot->links->router), msg->link_time.wall_us);
	else if (msg->type == WIRE_LINK_ANCHOR)
		slot_on_anchor(slot, msg);
	else if (msg->type == WIRE_LINK_SYNC)
		slot_sync(slot, true);
	else if (msg->type == WIRE_NOTE)
		slot_on_note(slot, msg);
}

static void on_hello(void *ctx, struct peer *peer)
{
	(void)ctx;
	(void)peer; /* its options say it all */
}

static void on_gone(void *ctx, struct peer *peer, enum peer_end end, const char *why)
{
	struct slot *slot = ctx;
	struct device_id none = { { 0 } };
	(void)peer;
	slot->peer = NULL;
	slot->generation++;
	slot_take_back(slot);
	text_copy(slot->detail, sizeof(slot->detail), why);
	if (end == PEER_REPLACED)
		return;
	slot_audit(slot, end == PEER_VIOLATION ? AUDIT_LINK_REFUSED : AUDIT_LINK_DOWN, AUDIT_FAILED, slot->conf->name, NULL, 0, why);
	alarms_raise(router_alarms(slot->links->router), ALARM_LINK_DOWN, none, slot->conf->name, why);
}

static const struct peer_ops slot_peer_ops = {
	.on_hello = on_hello,
	.on_opened = on_opened,
	.on_message = on_message,
	.on_gone = on_gone,
};

static bool slot_shares(void *ctx, const struct device *device, uint16_t cap, enum data_class data_class)
{
	const struct slot *slot = ctx;
	return shares_allow(slot->conf, slot->links->registry, device, cap, data_class);
}

static void slot_on_change(void *ctx, const struct device *device)
{
	slot_say_device(ctx, device);
}

static const struct router_link_ops slot_router_ops = {
	.shares = slot_shares,
	.on_change = slot_on_change,
};

static int slot_init(struct links *links, struct slot *slot, const struct conf_link *conf)
{
	slot->links = links;
	slot->index = conf_link_number(conf->name);
	slot->conf = conf;
	int r = link_options_init(&slot->options, conf);
	if (r == 0)
		r = spool_open_link(links->spool, conf->name, slot_on_ready, slot, &slot->spool);
	if (r == 0)
		r = router_add_link(links->router, slot->index, conf->name, conf->home ? SOURCE_LINK_HOME : SOURCE_LINK_CLOUD, slot->spool,
				    &slot_router_ops, slot);
	return r;
}

int links_new(struct loop *loop, struct router *router, struct registry *registry, struct spool *spool, struct audit *audit, uint64_t epoch,
	      const struct conf *conf, struct links **ret)
{
	struct links *links = calloc(1, sizeof(*links));
	int r = links ? 0 : -ENOMEM;
	if (r != 0)
		return r;
	*links = (struct links){ .loop = loop, .router = router, .registry = registry, .spool = spool, .audit = audit, .epoch = epoch };
	for (size_t i = 0; r == 0 && i < conf->n_links; i++) {
		links->n++;
		r = slot_init(links, &links->slots[i], &conf->links[i]);
	}
	if (r != 0) {
		links_close(links);
		return r;
	}
	*ret = links;
	return 0;
}

struct links *links_close(struct links *links)
{
	for (size_t i = 0; links && i < links->n; i++) {
		links->slots[i].peer = peer_close(links->slots[i].peer);
		link_options_deinit(&links->slots[i].options);
	}
	free(links);
	return NULL;
}

void links_set_conf(struct links *links, const struct conf *conf)
{
	for (size_t i = 0; i < links->n && i < conf->n_links; i++) {
		links->slots[i].conf = &conf->links[i];
		slot_sync(&links->slots[i], false); /* the share list may have changed */
	}
}

void links_accept(struct links *links, const char *name, struct packet_conn *conn)
{
	struct slot *slot = NULL;
	for (size_t i = 0; i < links->n; i++)
		if (strcmp(links->slots[i].conf->name, name) == 0)
			slot = &links->slots[i];
	if (!slot) {
		packet_close(conn);
		return;
	}
	if (slot->peer) {
		struct peer *old = slot->peer;
		on_gone(slot, old, PEER_REPLACED, "its successor has connected");
		peer_close(old);
	}
	struct peer_options options = {
		.kind = WIRE_LINK,
		.name = slot->conf->name,
		.options = slot->options.rows,
		.n_options = slot->options.n,
		.epoch = links->epoch,
		.credit = LINK_INFLIGHT_MAX,
		.time_trusted = time_is_trusted(router_time(links->router)),
	};
	if (peer_new(links->loop, conn, &options, &slot_peer_ops, slot, &slot->peer) != 0)
		slot->peer = NULL;
}

bool links_stats_at(const struct links *links, size_t i, struct links_stats *ret)
{
	if (i >= links->n)
		return false;
	const struct slot *slot = &links->slots[i];
	struct links_stats stats = {
		.name = slot->conf->name,
		.profile = slot->conf->profile == PROFILE_NATIVE ? "native" : "homeassistant",
		.up = slot->peer && peer_is_ready(slot->peer),
		.connected = slot->connected,
		.pid = slot->peer ? peer_who(slot->peer).pid : 0,
		.n_sent = slot->n_sent,
		.n_acked = slot->n_acked,
		.n_commands = slot->n_commands,
		.n_refused = slot->n_refused,
		.in_flight = slot->in_flight,
		.spool = spool_stats_of(links->spool, slot->spool),
	};
	memcpy(stats.endpoint, slot->endpoint, sizeof(stats.endpoint));
	memcpy(stats.detail, slot->detail, sizeof(stats.detail));
	memcpy(stats.n_notes, slot->n_notes, sizeof(stats.n_notes));
	*ret = stats;
	return true;
}
