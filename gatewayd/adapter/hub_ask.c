/* A person asks a radio: a text goes out in parts, an answer comes back in parts, and the request's one end says how it went.
 * One at a time for each adapter, because each may cost the core a quarter of a MiB; and what was told may be a network's
 * keys, so it is wiped as soon as whoever asked has had it. */
#include "adapter/hub_inside.h"

void hub_on_tell(struct slot *slot, const struct wire_msg *msg)
{
	struct asking *asking = &slot->asking;
	int r;

	/* Too late: nobody waits for it any more. */
	if (!asking->done || asking->req != msg->tell.req || asking->broken)
		return;
	r = parts_add(&asking->told, msg->tell.data.data, msg->tell.data.len);
	if (r == PARTS_E_FULL)
		peer_violate(slot->peer, "tells more than an answer may be");
	else
		asking->broken = r != 0;
}

static void on_asked(void *ctx, enum result result)
{
	struct slot *slot = ctx;
	struct asking asked = slot->asking;
	struct view text = { 0 };

	slot->asking = (struct asking){ 0 };
	if (asked.broken && result == RESULT_OK)
		result = RESULT_BUSY;
	if (result == RESULT_OK)
		text = (struct view){ asked.told.data, asked.told.len };
	asked.done(asked.ctx, result, text);
	parts_wipe(&asked.told);
}

/* Parts that were sent and find no last one are given up by the adapter when the next request comes. */
static int send_parts(struct request *request, const char *verb, const uint8_t *data, size_t len)
{
	struct wire_msg msg = { .type = WIRE_ASK };
	int r;

	msg.ask.req = request->req;
	msg.ask.verb = view_text(verb);
	do {
		size_t part = len < WIRE_STATE_MAX ? len : WIRE_STATE_MAX;
		msg.ask.data = (struct view){ data, part };
		msg.ask.last = part == len;
		r = hub_request_send(request, &msg);
		data = part ? data + part : data;
		len -= part;
	} while (r == 0 && len);
	return r;
}

int hub_ask(struct hub *hub, const char *adapter, const char *verb, const void *data, size_t len, hub_told_fn done, void *ctx)
{
	struct slot *slot = hub_slot(hub, adapter);
	struct request *request;

	if (slot && slot->asking.done)
		return HUB_E_BUSY;
	if (len > WIRE_ASK_MAX || (hub_is_up(hub, adapter) && !hub_can_ask(hub, adapter)))
		return HUB_E_UNABLE;
	int r = hub_request_begin(hub, adapter, HUB_ASK_MS, on_asked, slot, &request);
	if (r != 0)
		return r;
	slot->asking = (struct asking){ .req = request->req, .done = done, .ctx = ctx, .told = { .max = WIRE_ASK_MAX } };
	r = send_parts(request, verb, data, len);
	if (r != 0)
		slot->asking = (struct asking){ 0 };
	return r;
}

bool hub_can_ask(const struct hub *hub, const char *adapter)
{
	const struct slot *slot = hub_slot(hub, adapter);
	return slot && slot->peer && peer_is_ready(slot->peer) && (slot->flags & FLAG_RADIO);
}
