/* What links and the core say to each other: which devices a platform may know, what happened, what
 * it asks for. A device's addresses are the home's business and are not in these messages.
 */
#include "model/wire_rows.h"

#include "model/command.h"
#include "model/event.h"
#include "model/subject.h"
#include "model/value.h"

enum { COMMAND_HAS_COUNTER = 1u, COMMAND_HAS_TIMES = 2u };

static void put_link_state(struct writer *w, const struct wire_msg *msg)
{
	if (msg->link_state.reason >= LINK_REASONS)
		w->bad = true;
	put_u8(w, msg->link_state.connected);
	put_u8(w, msg->link_state.reason);
	wire_put_text(w, msg->link_state.endpoint, 0, WIRE_TEXT_MAX);
	wire_put_text(w, msg->link_state.detail, 0, WIRE_TEXT_MAX);
}

static void get_link_state(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->link_state.connected = wire_get_bool(r);
	msg->link_state.reason = get_u8(r);
	msg->link_state.endpoint = wire_get_text(r, 0, WIRE_TEXT_MAX);
	msg->link_state.detail = wire_get_text(r, 0, WIRE_TEXT_MAX);
	if (msg->link_state.reason >= LINK_REASONS)
		r->bad = true;
}

/* A description is checked as one that has an address, which it has, at home. */
static bool desc_is_sound(const struct device_desc *desc)
{
	struct device_desc at_home = *desc;

	at_home.addr = (struct address){ .len = 1 };
	at_home.hw = (struct address){ .len = 0 };
	return device_desc_check(&at_home) == 0;
}

static void put_link_device(struct writer *w, const struct wire_msg *msg)
{
	if (!msg->link_device.desc || !desc_is_sound(msg->link_device.desc) ||
	    msg->link_device.state >= DEVICE_STATES) {
		w->bad = true;
		return;
	}
	wire_put_id(w, msg->link_device.id);
	put_u8(w, msg->link_device.state);
	put_u8(w, msg->link_device.reachable);
	wire_put_text(w, msg->link_device.room, 0, NAME_MAX_LEN);
	wire_put_desc(w, msg->link_device.desc);
}

static void get_link_device(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	msg->link_device.id = wire_get_id(r);
	msg->link_device.state = get_u8(r);
	msg->link_device.reachable = wire_get_bool(r);
	msg->link_device.room = wire_get_text(r, 0, NAME_MAX_LEN);
	scratch->desc = (struct device_desc){ .id = msg->link_device.id };
	wire_get_desc(r, scratch, &scratch->desc);
	msg->link_device.desc = &scratch->desc;
	if (msg->link_device.state >= DEVICE_STATES || (!r->bad && !desc_is_sound(&scratch->desc)))
		r->bad = true;
}

static void put_link_gone(struct writer *w, const struct wire_msg *msg)
{
	wire_put_id(w, msg->link_gone.id);
}

static void get_link_gone(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->link_gone.id = wire_get_id(r);
}

static void put_link_event(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->link_event.number);
	put_u8(w, msg->link_event.duplicate);
	event_put(w, &msg->link_event.event);
}

static void get_link_event(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->link_event.number = get_u64(r);
	msg->link_event.duplicate = wire_get_bool(r);
	if (event_get(r, &msg->link_event.event))
		r->bad = true;
}

static void put_link_acked(struct writer *w, const struct wire_msg *msg)
{
	if (msg->link_acked.n == 0 || msg->link_acked.n > WIRE_ACKS_MAX) {
		w->bad = true;
		return;
	}
	put_u16(w, msg->link_acked.n);
	for (uint16_t i = 0; i < msg->link_acked.n; i++)
		put_u64(w, msg->link_acked.numbers[i]);
}

static void get_link_acked(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	uint16_t n = get_u16(r);

	if (n == 0 || n > WIRE_ACKS_MAX) {
		r->bad = true;
		return;
	}
	msg->link_acked.n = n;
	msg->link_acked.numbers = scratch->acks;
	for (uint16_t i = 0; i < n; i++)
		scratch->acks[i] = get_u64(r);
}

static void put_link_command(struct writer *w, const struct wire_msg *msg)
{
	wire_put_text(w, msg->link_command.id, 0, COMMAND_ID_MAX);
	wire_put_text(w, msg->link_command.sender, 0, SENDER_MAX);
	wire_put_id(w, msg->link_command.device);
	put_u8(w, msg->link_command.endpoint);
	put_u16(w, msg->link_command.cap);
	value_put(w, &msg->link_command.value);
	put_u8(w, (uint8_t)((msg->link_command.has_counter ? COMMAND_HAS_COUNTER : 0) |
			    (msg->link_command.has_times ? COMMAND_HAS_TIMES : 0)));
	put_u64(w, msg->link_command.counter);
	put_i64(w, msg->link_command.issued_us);
	put_i64(w, msg->link_command.not_after_us);
}

static void get_link_command(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	uint8_t flags;

	(void)scratch;
	msg->link_command.id = wire_get_text(r, 0, COMMAND_ID_MAX);
	msg->link_command.sender = wire_get_text(r, 0, SENDER_MAX);
	msg->link_command.device = wire_get_id(r);
	msg->link_command.endpoint = get_u8(r);
	msg->link_command.cap = get_u16(r);
	msg->link_command.value = wire_get_value(r);
	flags = get_u8(r);
	if (flags > (COMMAND_HAS_COUNTER | COMMAND_HAS_TIMES))
		r->bad = true;
	msg->link_command.has_counter = flags & COMMAND_HAS_COUNTER;
	msg->link_command.has_times = flags & COMMAND_HAS_TIMES;
	msg->link_command.counter = get_u64(r);
	msg->link_command.issued_us = get_i64(r);
	msg->link_command.not_after_us = get_i64(r);
}

static void put_link_answer(struct writer *w, const struct wire_msg *msg)
{
	if (msg->link_answer.result >= RESULTS)
		w->bad = true;
	wire_put_text(w, msg->link_answer.id, 0, COMMAND_ID_MAX);
	wire_put_text(w, msg->link_answer.sender, 0, SENDER_MAX);
	wire_put_id(w, msg->link_answer.device);
	put_u8(w, msg->link_answer.endpoint);
	put_u16(w, msg->link_answer.cap);
	put_u16(w, msg->link_answer.result);
	wire_put_text(w, msg->link_answer.reason, 0, WIRE_TEXT_MAX);
}

static void get_link_answer(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->link_answer.id = wire_get_text(r, 0, COMMAND_ID_MAX);
	msg->link_answer.sender = wire_get_text(r, 0, SENDER_MAX);
	msg->link_answer.device = wire_get_id(r);
	msg->link_answer.endpoint = get_u8(r);
	msg->link_answer.cap = get_u16(r);
	msg->link_answer.result = get_u16(r);
	msg->link_answer.reason = wire_get_text(r, 0, WIRE_TEXT_MAX);
	if (msg->link_answer.result >= RESULTS)
		r->bad = true;
}

static void put_link_time(struct writer *w, const struct wire_msg *msg)
{
	put_i64(w, msg->link_time.wall_us);
}

static void get_link_time(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->link_time.wall_us = get_i64(r);
}

static void put_link_sync(struct writer *w, const struct wire_msg *msg)
{
	(void)w;
	(void)msg;
}

static void get_link_sync(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)r;
	(void)scratch;
	(void)msg;
}

static void put_link_anchor(struct writer *w, const struct wire_msg *msg)
{
	put_view16(w, msg->link_anchor.body.data, msg->link_anchor.body.len);
	wire_put_text(w, msg->link_anchor.signatures, 0, WIRE_TEXT_MAX);
}

static void get_link_anchor(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->link_anchor.body = get_view16(r, WIRE_ANCHOR_MAX);
	msg->link_anchor.signatures = wire_get_text(r, 0, WIRE_TEXT_MAX);
}

static const struct wire_body bodies[] = {
	{ WIRE_LINK_STATE, 2 + 2 * WIRE_ROOM_TEXT, put_link_state, get_link_state },
	{ WIRE_LINK_DEVICE, DEVICE_ID_LEN + 2 + 2 + NAME_MAX_LEN + WIRE_ROOM_DESC, put_link_device,
	  get_link_device },
	{ WIRE_LINK_GONE, DEVICE_ID_LEN, put_link_gone, get_link_gone },
	{ WIRE_LINK_EVENT, 8 + 1 + 5 + DEVICE_ID_LEN + 3 + 16 + 9 + 2 * (2 + EVENT_TEXT_MAX),
	  put_link_event, get_link_event },
	{ WIRE_LINK_ACKED, 2 + 8 * WIRE_ACKS_MAX, put_link_acked, get_link_acked },
	{ WIRE_LINK_COMMAND, 2 + COMMAND_ID_MAX + 2 + SENDER_MAX + DEVICE_ID_LEN + 3 + 9 + 1 + 24,
	  put_link_command, get_link_command },
	{ WIRE_LINK_ANSWER,
	  2 + COMMAND_ID_MAX + 2 + SENDER_MAX + DEVICE_ID_LEN + 5 + WIRE_ROOM_TEXT, put_link_answer,
	  get_link_answer },
	{ WIRE_LINK_TIME, 8, put_link_time, get_link_time },
	{ WIRE_LINK_SYNC, 0, put_link_sync, get_link_sync },
	{ WIRE_LINK_ANCHOR, 2 + WIRE_ANCHOR_MAX + WIRE_ROOM_TEXT, put_link_anchor, get_link_anchor },
};

const struct wire_body *wire_body_link(uint8_t type)
{
	for (size_t i = 0; i < N_ELEMENTS(bodies); i++) {
		if (bodies[i].type == type)
			return &bodies[i];
	}
	return NULL;
}
