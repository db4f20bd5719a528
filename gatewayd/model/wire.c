/* One packet holds one or more messages, and one table says of each message who may send it, to
 * what kind of peer, in which phase. wire_next is the only gate: what it lets through is known,
 * permitted, whole and within its limits; anything else is a broken rule, and after that nothing
 * more is taken from the packet.
 */
#include "model/wire.h"

#include <assert.h>
#include "model/wire_rows.h"

enum { WIRE_HEAD_LEN = 4 };

static void put_hello(struct writer *w, const struct wire_msg *msg)
{
	if (msg->hello.kind > WIRE_LINK)
		w->bad = true;
	put_u16(w, msg->hello.major);
	put_u16(w, msg->hello.minor);
	put_u8(w, msg->hello.kind);
	wire_put_text(w, msg->hello.name, 1, ADAPTER_NAME_MAX);
	wire_put_text(w, msg->hello.version, 0, WIRE_TEXT_MAX);
}

static void get_hello(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->hello.major = get_u16(r);
	msg->hello.minor = get_u16(r);
	msg->hello.kind = get_u8(r);
	msg->hello.name = wire_get_text(r, 1, ADAPTER_NAME_MAX);
	msg->hello.version = wire_get_text(r, 0, WIRE_TEXT_MAX);
	if (msg->hello.kind > WIRE_LINK)
		r->bad = true;
}

static void put_welcome(struct writer *w, const struct wire_msg *msg)
{
	put_u16(w, msg->welcome.major);
	put_u16(w, msg->welcome.minor);
	put_u64(w, msg->welcome.epoch);
	put_u32(w, msg->welcome.credit);
	put_u16(w, msg->welcome.beat_ms);
	put_i64(w, msg->welcome.wall_us);
	put_u8(w, msg->welcome.time_trusted);
}

static void get_welcome(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->welcome.major = get_u16(r);
	msg->welcome.minor = get_u16(r);
	msg->welcome.epoch = get_u64(r);
	msg->welcome.credit = get_u32(r);
	msg->welcome.beat_ms = get_u16(r);
	msg->welcome.wall_us = get_i64(r);
	msg->welcome.time_trusted = wire_get_bool(r);
}

static void put_option(struct writer *w, const struct wire_msg *msg)
{
	wire_put_text(w, msg->option.key, 1, WIRE_TEXT_MAX);
	wire_put_text(w, msg->option.value, 0, WIRE_OPTION_MAX);
}

static void get_option(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->option.key = wire_get_text(r, 1, WIRE_TEXT_MAX);
	msg->option.value = wire_get_text(r, 0, WIRE_OPTION_MAX);
}

static void put_start(struct writer *w, const struct wire_msg *msg)
{
	(void)w;
	(void)msg;
}

static void get_start(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)r;
	(void)scratch;
	(void)msg;
}

static void put_opened(struct writer *w, const struct wire_msg *msg)
{
	put_u8(w, msg->opened.flags);
	put_u32(w, (uint32_t)msg->opened.error);
	wire_put_text(w, msg->opened.reason, 0, WIRE_TEXT_MAX);
}

static void get_opened(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->opened.flags = get_u8(r);
	msg->opened.error = (int32_t)get_u32(r);
	msg->opened.reason = wire_get_text(r, 0, WIRE_TEXT_MAX);
}

static void put_beat(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->beat.count);
}

static void get_beat(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->beat.count = get_u64(r);
}

static void put_note(struct writer *w, const struct wire_msg *msg)
{
	if (msg->note.kind >= NOTES)
		w->bad = true;
	put_u8(w, msg->note.kind);
	put_u32(w, msg->note.count);
	wire_put_text(w, msg->note.object, 0, WIRE_TEXT_MAX);
	wire_put_text(w, msg->note.text, 0, WIRE_TEXT_MAX);
}

static void get_note(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->note.kind = get_u8(r);
	msg->note.count = get_u32(r);
	msg->note.object = wire_get_text(r, 0, WIRE_TEXT_MAX);
	msg->note.text = wire_get_text(r, 0, WIRE_TEXT_MAX);
	if (msg->note.kind >= NOTES)
		r->bad = true;
}

static const struct wire_body peer_bodies[] = {
	{ WIRE_HELLO, 5 + 2 + ADAPTER_NAME_MAX + WIRE_ROOM_TEXT, put_hello, get_hello },
	{ WIRE_WELCOME, 27, put_welcome, get_welcome },
	{ WIRE_OPTION, WIRE_ROOM_TEXT + 2 + WIRE_OPTION_MAX, put_option, get_option },
	{ WIRE_START, 0, put_start, get_start },
	{ WIRE_OPENED, 5 + WIRE_ROOM_TEXT, put_opened, get_opened },
	{ WIRE_BEAT, 8, put_beat, get_beat },
	{ WIRE_NOTE, 5 + 2 * WIRE_ROOM_TEXT, put_note, get_note },
};

const struct wire_body *wire_body_peer(uint8_t type)
{
	for (size_t i = 0; i < N_ELEMENTS(peer_bodies); i++) {
		if (peer_bodies[i].type == type)
			return &peer_bodies[i];
	}
	return NULL;
}

#define KIND(k)	  (1u << WIRE_##k)
#define IN(phase) (1u << WIRE_##phase)
#define ANY	  (KIND(ADAPTER) | KIND(LINK))
#define LIVE	  (IN(SETUP) | IN(OPENING) | IN(READY))

/* Type, name, direction, kinds of peer, phases. A row of docs/spec/wire.md each. */
static const struct wire_row rows[] = {
	{ WIRE_HELLO, "hello", WIRE_UP, ANY, IN(NEW) },
	{ WIRE_WELCOME, "welcome", WIRE_DOWN, ANY, IN(SETUP) },
	{ WIRE_OPTION, "option", WIRE_DOWN, ANY, IN(SETUP) },
	{ WIRE_STATE, "state", WIRE_DOWN, KIND(ADAPTER), IN(SETUP) },
	{ WIRE_START, "start", WIRE_DOWN, ANY, IN(SETUP) },
	{ WIRE_OPENED, "opened", WIRE_UP, ANY, IN(OPENING) },
	{ WIRE_BEAT, "beat", WIRE_BOTH, ANY, LIVE },
	{ WIRE_NOTE, "note", WIRE_UP, ANY, IN(READY) },
	{ WIRE_DEVICE, "device", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_SYNCED, "synced", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_GONE, "gone", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_REPORT, "report", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_STORED, "stored", WIRE_DOWN, KIND(ADAPTER), IN(READY) },
	{ WIRE_COMMAND, "command", WIRE_DOWN, KIND(ADAPTER), IN(READY) },
	{ WIRE_JOIN, "join", WIRE_DOWN, KIND(ADAPTER), IN(READY) },
	{ WIRE_REMOVE, "remove", WIRE_DOWN, KIND(ADAPTER), IN(READY) },
	{ WIRE_DONE, "done", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_SAVE, "save", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_CLAIM, "claim", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_JOINING, "joining", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_ASK, "ask", WIRE_DOWN, KIND(ADAPTER), IN(READY) },
	{ WIRE_TELL, "tell", WIRE_UP, KIND(ADAPTER), IN(READY) },
	{ WIRE_LINK_STATE, "link-state", WIRE_UP, KIND(LINK), IN(READY) },
	{ WIRE_LINK_DEVICE, "link-device", WIRE_DOWN, KIND(LINK), IN(READY) },
	{ WIRE_LINK_GONE, "link-gone", WIRE_DOWN, KIND(LINK), IN(READY) },
	{ WIRE_LINK_EVENT, "link-event", WIRE_DOWN, KIND(LINK), IN(READY) },
	{ WIRE_LINK_ACKED, "link-acked", WIRE_UP, KIND(LINK), IN(READY) },
	{ WIRE_LINK_COMMAND, "link-command", WIRE_UP, KIND(LINK), IN(READY) },
	{ WIRE_LINK_ANSWER, "link-answer", WIRE_DOWN, KIND(LINK), IN(READY) },
	{ WIRE_LINK_TIME, "link-time", WIRE_UP, KIND(LINK), IN(READY) },
	{ WIRE_LINK_SYNC, "link-sync", WIRE_UP, KIND(LINK), IN(READY) },
	{ WIRE_LINK_ANCHOR, "link-anchor", WIRE_UP, KIND(LINK), IN(READY) },
};

static const char *const note_kind_names[NOTES] = {
	[NOTE_MALFORMED] = "malformed",
	[NOTE_OVERSIZE] = "oversize",
	[NOTE_UNKNOWN_DEVICE] = "unknown-device",
	[NOTE_BAD_VALUE] = "bad-value",
	[NOTE_BAD_TOPIC] = "bad-topic",
	[NOTE_FLOOD] = "flood",
	[NOTE_DROPPED] = "dropped",
	[NOTE_REFUSED_COMMAND] = "refused-command",
	[NOTE_STATUS] = "status",
};

const struct wire_row *wire_row(uint8_t type)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].type == type)
			return &rows[i];
	}
	return NULL;
}

const struct wire_row *wire_row_at(size_t i)
{
	return i < N_ELEMENTS(rows) ? &rows[i] : NULL;
}

const char *note_kind_name(enum note_kind kind)
{
	assert(kind < NOTES);
	return note_kind_names[kind];
}

static const struct wire_body *find_body(uint8_t type)
{
	const struct wire_body *body = wire_body_peer(type);

	if (!body)
		body = wire_body_adapter(type);
	return body ? body : wire_body_link(type);
}

void wire_put(struct writer *w, const struct wire_msg *msg)
{
	const struct wire_body *body = find_body(msg->type);
	size_t start = writer_len(w), len;

	assert(body);
	put_u8(w, msg->type);
	put_u8(w, 0);
	put_u16(w, 0);
	body->put(w, msg);
	len = writer_len(w) - start;
	if (w->bad || len > UINT16_MAX + WIRE_HEAD_LEN) {
		w->bad = true;
		return;
	}
	put_at_u16(w, start + 2, (uint16_t)(len - WIRE_HEAD_LEN));
}

static size_t value_len(const struct value *v)
{
	return v->type == VALUE_TEXT || v->type == VALUE_BYTES ? v->len : 0;
}

size_t wire_len_max(const struct wire_msg *msg)
{
	const struct wire_body *body = find_body(msg->type);
	size_t len;

	assert(body);
	len = WIRE_HEAD_LEN + body->room;
	if (msg->type == WIRE_REPORT)
		len += value_len(&msg->report.value);
	else if (msg->type == WIRE_COMMAND)
		len += value_len(&msg->command.value);
	else if (msg->type == WIRE_LINK_COMMAND)
		len += value_len(&msg->link_command.value);
	else if (msg->type == WIRE_LINK_EVENT)
		len += value_len(&msg->link_event.event.value);
	else if (msg->type == WIRE_STATE || msg->type == WIRE_SAVE)
		len += msg->state.data.len;
	else if (msg->type == WIRE_ASK)
		len += msg->ask.data.len;
	else if (msg->type == WIRE_TELL)
		len += msg->tell.data.len;
	return len;
}

static int check_row(const struct wire_row *row, const struct wire_peer *peer)
{
	if (!row)
		return WIRE_E_UNKNOWN;
	if (row->direction == (peer->is_core ? WIRE_DOWN : WIRE_UP))
		return WIRE_E_DIRECTION;
	if (!(row->kinds & 1u << peer->kind))
		return WIRE_E_KIND;
	if (!(row->phases & 1u << peer->phase))
		return WIRE_E_PHASE;
	return 0;
}

static int take_next(struct reader *packet, const struct wire_peer *peer,
		     struct wire_scratch *scratch, struct wire_msg *ret)
{
	uint8_t type = get_u8(packet);
	uint8_t zero = get_u8(packet);
	struct view view = get_view16(packet, UINT16_MAX);
	struct reader body;
	int r;

	if (packet->bad || zero)
		return WIRE_E_MALFORMED;
	r = check_row(wire_row(type), peer);
	if (r)
		return r;
	ret->type = type;
	body = reader_over(view.data, view.len);
	find_body(type)->get(&body, scratch, ret);
	return reader_is_done(&body) ? 0 : WIRE_E_MALFORMED;
}

int wire_next(struct reader *packet, const struct wire_peer *peer, struct wire_scratch *scratch,
	      struct wire_msg *ret)
{
	int r;

	if (!packet->bad && packet->p == packet->end)
		return 0;
	r = take_next(packet, peer, scratch, ret);
	if (r) {
		packet->bad = true;
		return r;
	}
	return 1;
}

void wire_peer_step(struct wire_peer *peer, const struct wire_msg *msg)
{
	if (msg->type == WIRE_HELLO)
		peer->phase = WIRE_SETUP;
	else if (msg->type == WIRE_START)
		peer->phase = WIRE_OPENING;
	else if (msg->type == WIRE_OPENED && !msg->opened.error)
		peer->phase = WIRE_READY;
}
