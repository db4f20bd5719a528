/* The hub has one slot for each configured adapter. An adapter comes and goes as it likes; its slot stays, with its
 * counters, its saved blobs and what is still asked of it. What comes in is a report (numbered, acknowledged when
 * stored), a description or the answer to a request; what goes out is a request with a number and a deadline. Nothing here
 * knows what a device may do: that is asked above. */
#include <stdlib.h>
#include <string.h>
#include "adapter/hub_inside.h"
#include "base/text.h"

int hub_new(struct loop *loop, struct blobs *blobs, struct audit *audit, uint64_t epoch, const struct hub_ops *ops, void *ctx,
	    struct hub **ret)
{
	struct hub *hub = calloc(1, sizeof(*hub));
	if (!hub)
		return -ENOMEM;
	hub->loop = loop;
	hub->blobs = blobs;
	hub->audit = audit;
	hub->epoch = epoch;
	hub->ops = ops;
	hub->ctx = ctx;
	for (size_t i = 0; i < HUB_PENDING_MAX; i++)
		hub->requests[i].hub = hub;
	*ret = hub;
	return 0;
}

static void slot_free(struct slot *slot)
{
	for (size_t i = 0; i < slot->n_options; i++) {
		free((char *)(uintptr_t)slot->options[i].key);
		free((char *)(uintptr_t)slot->options[i].value);
	}
	free(slot->options);
	free(slot);
}

static void request_end(struct request *request, enum result result)
{
	hub_done_fn done = request->done;
	void *ctx = request->ctx;

	request->slot = NULL;
	timer_stop(request->deadline);
	done(ctx, result);
}

static void slot_fail_requests(struct slot *slot, enum result result)
{
	for (size_t i = 0; i < HUB_PENDING_MAX; i++)
		if (slot->hub->requests[i].slot == slot)
			request_end(&slot->hub->requests[i], result);
}

struct hub *hub_close(struct hub *hub)
{
	if (!hub)
		return NULL;
	for (size_t i = 0; i < hub->n_slots; i++) {
		struct slot *slot = hub->slots[i];
		slot->peer = peer_close(slot->peer);
		loop_forget_hook(hub->loop, &slot->stored_hook);
		slot->intake = intake_leave(slot->intake);
		slot_fail_requests(slot, RESULT_CANCELLED);
		slot_free(slot);
	}
	for (size_t i = 0; i < HUB_PENDING_MAX; i++)
		hub->requests[i].deadline = timer_close(hub->requests[i].deadline);
	free(hub);
	return NULL;
}

struct slot *hub_slot(const struct hub *hub, const char *name)
{
	for (size_t i = 0; i < hub->n_slots; i++)
		if (strcmp(hub->slots[i]->name, name) == 0)
			return hub->slots[i];
	return NULL;
}

/* Several reports are stored in one turn: one message says so at its end. */
static void slot_say_stored(void *ctx)
{
	struct slot *slot = ctx;
	if (!slot->peer || !slot->intake)
		return;
	struct wire_msg msg = { .type = WIRE_STORED };
	msg.stored.up_to = intake_up_to(slot->intake);
	msg.stored.credit = HUB_CREDIT;
	if (peer_send(slot->peer, &msg) == PACKET_E_FULL)
		loop_at_turn_end(slot->hub->loop, &slot->stored_hook);
}

static void slot_on_moved(void *ctx)
{
	struct slot *slot = ctx;
	loop_at_turn_end(slot->hub->loop, &slot->stored_hook);
}

int hub_add(struct hub *hub, const char *name, const struct peer_option *options, size_t n_options)
{
	if (hub->n_slots == HUB_ADAPTERS_MAX || n_options > WIRE_OPTIONS_MAX || hub_slot(hub, name))
		return HUB_E_BUSY;
	struct slot *slot = calloc(1, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	slot->hub = hub;
	slot->stored_hook = (struct idle_hook){ .fn = slot_say_stored, .ctx = slot };
	text_copy(slot->name, sizeof(slot->name), name);
	slot->options = calloc(n_options + 1, sizeof(*slot->options));
	if (!slot->options) {
		free(slot);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_options; i++) {
		slot->options[i].key = strdup(options[i].key);
		slot->options[i].value = strdup(options[i].value);
		slot->n_options = i + 1;
		if (!slot->options[i].key || !slot->options[i].value) {
			slot_free(slot);
			return -ENOMEM;
		}
	}
	hub->slots[hub->n_slots++] = slot;
	return 0;
}

static void slot_audit(struct slot *slot, uint16_t kind, const char *detail)
{
	struct audit_record record = {
		.kind = kind,
		.outcome = kind == AUDIT_ADAPTER_UP ? AUDIT_OK : AUDIT_FAILED,
		.subject = { SUBJECT_ADAPTER, 0 },
		.subject_name = slot->name,
		.object = slot->name,
		.detail = detail,
	};
	(void)!audit_append(slot->hub->audit, &record, NULL, NULL);
}

static void slot_on_hello(void *ctx, struct peer *peer)
{
	struct slot *slot = ctx;
	struct blob blob;
	size_t cursor = 0;

	while (blobs_next(slot->hub->blobs, slot->name, &cursor, &blob)) {
		struct wire_msg msg = { .type = WIRE_STATE };
		msg.state.key = view_text(blob.key);
		msg.state.data = blob.data;
		if (peer_send(peer, &msg) != 0)
			return; /* the socket failed: on_gone follows */
	}
}

static void slot_on_opened(void *ctx, struct peer *peer, uint8_t flags)
{
	struct slot *slot = ctx;
	(void)peer;
	slot->flags = flags;
	slot_audit(slot, AUDIT_ADAPTER_UP, NULL);
	slot->hub->ops->on_up(slot->hub->ctx, slot->name, flags);
}

static void slot_on_gone(void *ctx, struct peer *peer, enum peer_end end, const char *why)
{
	struct slot *slot = ctx;
	(void)peer;
	slot->peer = NULL;
	slot->flags = 0;
	loop_forget_hook(slot->hub->loop, &slot->stored_hook);
	slot->intake = intake_leave(slot->intake);
	slot_audit(slot, end == PEER_VIOLATION ? AUDIT_ADAPTER_VIOLATION : AUDIT_ADAPTER_DOWN, why);
	slot_fail_requests(slot, RESULT_UNREACHABLE);
	slot->hub->ops->on_down(slot->hub->ctx, slot->name, end, why);
}

static void slot_on_report_stored(void *ctx, int r)
{
	(void)r; /* an error is the store's alarm; not to answer would only make the adapter stop */
	intake_stored(ctx);
}

static void slot_on_report(struct slot *slot, const struct wire_msg *msg)
{
	struct hub *hub = slot->hub;
	struct intake_cell *cell;
	int r = intake_take(slot->intake, msg->report.seq, &cell);

	if (r != 0) {
		peer_violate(slot->peer, r == INTAKE_E_FLOOD ? "sent reports beyond its credit" : "skipped or repeated a report number");
		return;
	}
	slot->n_reports++;
	r = hub->ops->on_report(hub->ctx, slot->name, &msg->report.addr, msg->report.endpoint, msg->report.cap, &msg->report.value,
				msg->report.wall_us, msg->report.again, slot_on_report_stored, cell);
	if (r != 0) {
		slot->n_refused++;
		intake_stored(cell);
	}
}

static void slot_on_done(struct slot *slot, uint64_t req, int32_t status)
{
	struct request *request = &slot->hub->requests[req % HUB_PENDING_MAX];
	/* A late or second answer finds nothing; the host polices "exactly once". */
	if (request->slot != slot || request->req != req)
		return;
	request_end(request, status >= 0 && status < RESULTS ? (enum result)status : RESULT_FAILED);
}

static void slot_on_joining(struct slot *slot, const struct wire_msg *msg)
{
	char text[WIRE_TEXT_MAX + 1];
	text_copy_n(text, sizeof(text), msg->joining.text.data, msg->joining.text.len);
	slot->hub->ops->on_joining(slot->hub->ctx, slot->name, &msg->joining.addr, (enum join_stage)msg->joining.stage, text);
	explicit_bzero(text, sizeof(text));
}

static void slot_on_note(struct slot *slot, const struct wire_msg *msg)
{
	char object[WIRE_TEXT_MAX + 1], text[WIRE_TEXT_MAX + 1];
	if (msg->note.kind >= NOTES)
		return;
	text_copy_n(object, sizeof(object), msg->note.object.data, msg->note.object.len);
	text_copy_n(text, sizeof(text), msg->note.text.data, msg->note.text.len);
	slot->n_notes[msg->note.kind] += msg->note.count;
	if (msg->note.kind == NOTE_STATUS) {
		size_t len = strlen(object), i = 0;
		while (i < HUB_STATUS_WORDS - 1 && slot->status[i][0] &&
		       !(strncmp(slot->status[i], object, len) == 0 && slot->status[i][len] == '='))
			i++;
		text_print(slot->status[i], sizeof(slot->status[i]), "%s=%s", object, text);
	}
	slot->hub->ops->on_note(slot->hub->ctx, slot->name, (enum note_kind)msg->note.kind, msg->note.count, object, text);
}

static void slot_on_claim(struct slot *slot, const struct wire_msg *msg)
{
	char code[WIRE_TEXT_MAX + 1];
	text_copy_n(code, sizeof(code), msg->claim.code.data, msg->claim.code.len);
	slot->hub->ops->on_claim(slot->hub->ctx, slot->name, &msg->claim.addr, code);
}

static void slot_on_message(void *ctx, struct peer *peer, const struct wire_msg *msg)
{
	struct slot *slot = ctx;
	struct hub *hub = slot->hub;

	switch ((enum wire_type)msg->type) {
	case WIRE_REPORT:
		slot_on_report(slot, msg);
		break;
	case WIRE_DEVICE:
		if (device_desc_check(&msg->device) != 0)
			peer_violate(peer, "described a device that cannot be");
		else
			hub->ops->on_device(hub->ctx, slot->name, &msg->device);
		break;
	case WIRE_SYNCED:
		hub->ops->on_synced(hub->ctx, slot->name);
		break;
	case WIRE_GONE:
		hub->ops->on_gone(hub->ctx, slot->name, &msg->gone.addr, msg->gone.left);
		break;
	case WIRE_DONE:
		slot_on_done(slot, msg->done.req, msg->done.status);
		break;
	case WIRE_SAVE:
		if (blobs_save(hub->blobs, slot->name, msg->state.key, msg->state.data) > 0)
			peer_violate(peer, "saved more state than it may");
		break;
	case WIRE_CLAIM:
		slot_on_claim(slot, msg);
		break;
	case WIRE_JOINING:
		slot_on_joining(slot, msg);
		break;
	case WIRE_TELL:
		hub_on_tell(slot, msg);
		break;
	case WIRE_NOTE:
		slot_on_note(slot, msg);
		break;
	case WIRE_HELLO:
	case WIRE_WELCOME:
	case WIRE_OPTION:
	case WIRE_STATE:
	case WIRE_START:
	case WIRE_OPENED:
	case WIRE_BEAT:
	case WIRE_STORED:
	case WIRE_COMMAND:
	case WIRE_JOIN:
	case WIRE_REMOVE:
	case WIRE_ASK:
	case WIRE_LINK_STATE:
	case WIRE_LINK_DEVICE:
	case WIRE_LINK_GONE:
	case WIRE_LINK_EVENT:
	case WIRE_LINK_ACKED:
	case WIRE_LINK_COMMAND:
	case WIRE_LINK_ANSWER:
	case WIRE_LINK_TIME:
	case WIRE_LINK_ANCHOR:
	case WIRE_LINK_SYNC:
		break; /* the wire's table lets none of these through */
	}
}

static const struct peer_ops slot_ops = {
	.on_hello = slot_on_hello,
	.on_opened = slot_on_opened,
	.on_message = slot_on_message,
	.on_gone = slot_on_gone,
};

void hub_accept(struct hub *hub, const char *name, struct packet_conn *conn)
{
	struct slot *slot = hub_slot(hub, name);
	if (!slot) {
		packet_close(conn);
		return;
	}
	if (slot->peer) {
		struct peer *old = slot->peer;
		slot_on_gone(slot, old, PEER_REPLACED, "its successor has connected");
		peer_close(old);
	}
	struct peer_options options = {
		.kind = WIRE_ADAPTER,
		.name = slot->name,
		.options = slot->options,
		.n_options = slot->n_options,
		.epoch = hub->epoch,
		.credit = HUB_CREDIT,
		.time_trusted = hub->time_trusted,
	};
	if (intake_new(slot_on_moved, slot, &slot->intake) != 0) {
		packet_close(conn);
		return;
	}
	if (peer_new(hub->loop, conn, &options, &slot_ops, slot, &slot->peer) != 0) {
		slot->intake = intake_leave(slot->intake);
		return;
	}
	slot->n_connections++;
}

static void request_on_deadline(void *ctx)
{
	request_end(ctx, RESULT_TIMEOUT);
}

int hub_request_begin(struct hub *hub, const char *adapter, uint32_t ttl_ms, hub_done_fn done, void *ctx, struct request **ret)
{
	struct slot *slot = hub_slot(hub, adapter);
	if (!slot)
		return HUB_E_UNKNOWN;
	if (!slot->peer || !peer_is_ready(slot->peer))
		return HUB_E_AWAY;
	for (size_t i = 0; i < HUB_PENDING_MAX; i++) {
		struct request *request = &hub->requests[i];
		if (request->slot)
			continue;
		if (!request->deadline) {
			int r = timer_new(hub->loop, request_on_deadline, request, &request->deadline);
			if (r != 0)
				return r;
		}
		request->slot = slot;
		request->req = ++hub->generation * HUB_PENDING_MAX + i;
		request->done = done;
		request->ctx = ctx;
		timer_start(request->deadline, ttl_ms);
		*ret = request;
		return 0;
	}
	return HUB_E_BUSY;
}

int hub_request_send(struct request *request, const struct wire_msg *msg)
{
	int r = peer_send(request->slot->peer, msg);
	if (r == 0)
		return 0;
	request->slot = NULL;
	timer_stop(request->deadline);
	return r == PACKET_E_FULL ? HUB_E_BUSY : HUB_E_AWAY;
}

int hub_command(struct hub *hub, const char *adapter, const struct address *addr, uint8_t endpoint, uint16_t cap,
		const struct value *value, uint32_t ttl_ms, hub_done_fn done, void *ctx)
{
	struct request *request;
	int r = hub_request_begin(hub, adapter, ttl_ms, done, ctx, &request);
	if (r != 0)
		return r;
	struct wire_msg msg = { .type = WIRE_COMMAND };
	msg.command.req = request->req;
	msg.command.addr = *addr;
	msg.command.endpoint = endpoint;
	msg.command.cap = cap;
	msg.command.ttl_ms = ttl_ms;
	msg.command.value = *value;
	request->slot->n_commands++;
	return hub_request_send(request, &msg);
}

enum { HUB_VERB_TTL_MS = 15000 };

int hub_join(struct hub *hub, const char *adapter, uint16_t seconds, const struct address *addr, const void *code, size_t code_len,
	     hub_done_fn done, void *ctx)
{
	struct request *request;
	int r = hub_request_begin(hub, adapter, HUB_VERB_TTL_MS, done, ctx, &request);
	if (r != 0)
		return r;
	struct wire_msg msg = { .type = WIRE_JOIN };
	msg.join.req = request->req;
	msg.join.seconds = seconds;
	if (addr)
		msg.join.addr = *addr;
	msg.join.code = (struct view){ code, code_len };
	return hub_request_send(request, &msg);
}

int hub_remove(struct hub *hub, const char *adapter, const struct address *addr, hub_done_fn done, void *ctx)
{
	struct request *request;
	int r = hub_request_begin(hub, adapter, HUB_VERB_TTL_MS, done, ctx, &request);
	if (r != 0)
		return r;
	struct wire_msg msg = { .type = WIRE_REMOVE };
	msg.remove.req = request->req;
	msg.remove.addr = *addr;
	return hub_request_send(request, &msg);
}

void hub_set_time_trusted(struct hub *hub, bool trusted)
{
	hub->time_trusted = trusted;
}

bool hub_is_up(const struct hub *hub, const char *adapter)
{
	const struct slot *slot = hub_slot(hub, adapter);
	return slot && slot->peer && peer_is_ready(slot->peer);
}

bool hub_can_join(const struct hub *hub, const char *adapter)
{
	const struct slot *slot = hub_slot(hub, adapter);
	return slot && slot->peer && peer_is_ready(slot->peer) && (slot->flags & FLAG_JOIN);
}

bool hub_stats_at(const struct hub *hub, size_t i, struct hub_stats *ret)
{
	if (i >= hub->n_slots)
		return false;
	const struct slot *slot = hub->slots[i];
	struct hub_stats stats = {
		.name = slot->name,
		.up = slot->peer && peer_is_ready(slot->peer),
		.pid = slot->peer ? peer_who(slot->peer).pid : 0,
		.restarts = slot->n_connections > 1 ? slot->n_connections - 1 : 0,
		.n_reports = slot->n_reports,
		.n_refused = slot->n_refused,
		.n_commands = slot->n_commands,
		.queued_bytes = slot->peer ? peer_queued_bytes(slot->peer) : 0,
		.unstored = slot->intake ? intake_outstanding(slot->intake) : 0,
	};
	memcpy(stats.n_notes, slot->n_notes, sizeof(stats.n_notes));
	memcpy(stats.status, slot->status, sizeof(stats.status));
	for (size_t k = 0; k < HUB_PENDING_MAX; k++)
		stats.pending += hub->requests[k].slot == slot;
	*ret = stats;
	return true;
}
