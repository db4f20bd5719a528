/* What adapters and the core say to each other about devices, readings and orders, one pair of
 * functions a message: the order of the lines in each pair is the order of the bytes.
 */
#include "model/wire_rows.h"

#include "model/command.h"
#include "model/value.h"

static void put_device(struct writer *w, const struct wire_msg *msg)
{
	if (device_desc_check(&msg->device)) {
		w->bad = true;
		return;
	}
	wire_put_addr(w, &msg->device.addr, 1);
	wire_put_addr(w, &msg->device.hw, 0);
	wire_put_id(w, msg->device.id);
	wire_put_desc(w, &msg->device);
}

static void get_device(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	msg->device.addr = wire_get_addr(r, 1);
	msg->device.hw = wire_get_addr(r, 0);
	msg->device.id = wire_get_id(r);
	wire_get_desc(r, scratch, &msg->device);
	if (!r->bad && device_desc_check(&msg->device))
		r->bad = true;
}

static void put_nothing(struct writer *w, const struct wire_msg *msg)
{
	(void)w;
	(void)msg;
}

static void get_nothing(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)r;
	(void)scratch;
	(void)msg;
}

static void put_gone(struct writer *w, const struct wire_msg *msg)
{
	wire_put_addr(w, &msg->gone.addr, 1);
	put_u8(w, msg->gone.left);
}

static void get_gone(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->gone.addr = wire_get_addr(r, 1);
	msg->gone.left = wire_get_bool(r);
}

static void put_report(struct writer *w, const struct wire_msg *msg)
{
	if (msg->report.seq == 0 || msg->report.wall_us < 0 || msg->report.value.type == VALUE_NONE)
		w->bad = true;
	put_u64(w, msg->report.seq);
	put_u8(w, msg->report.again);
	wire_put_addr(w, &msg->report.addr, 1);
	put_u8(w, msg->report.endpoint);
	put_u16(w, msg->report.cap);
	put_i64(w, msg->report.wall_us);
	value_put(w, &msg->report.value);
}

static void get_report(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->report.seq = get_u64(r);
	msg->report.again = wire_get_bool(r);
	msg->report.addr = wire_get_addr(r, 1);
	msg->report.endpoint = get_u8(r);
	msg->report.cap = get_u16(r);
	msg->report.wall_us = get_i64(r);
	msg->report.value = wire_get_value(r);
	if (msg->report.seq == 0 || msg->report.wall_us < 0 || msg->report.value.type == VALUE_NONE)
		r->bad = true;
}

static void put_stored(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->stored.up_to);
	put_u32(w, msg->stored.credit);
}

static void get_stored(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->stored.up_to = get_u64(r);
	msg->stored.credit = get_u32(r);
}

static void put_command(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->command.req);
	wire_put_addr(w, &msg->command.addr, 1);
	put_u8(w, msg->command.endpoint);
	put_u16(w, msg->command.cap);
	put_u32(w, msg->command.ttl_ms);
	value_put(w, &msg->command.value);
}

static void get_command(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->command.req = get_u64(r);
	msg->command.addr = wire_get_addr(r, 1);
	msg->command.endpoint = get_u8(r);
	msg->command.cap = get_u16(r);
	msg->command.ttl_ms = get_u32(r);
	msg->command.value = wire_get_value(r);
}

static void put_join(struct writer *w, const struct wire_msg *msg)
{
	if (msg->join.code.len > WIRE_CODE_MAX)
		w->bad = true;
	put_u64(w, msg->join.req);
	put_u16(w, msg->join.seconds);
	wire_put_addr(w, &msg->join.addr, 0);
	put_view16(w, msg->join.code.data, msg->join.code.len);
}

static void get_join(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->join.req = get_u64(r);
	msg->join.seconds = get_u16(r);
	msg->join.addr = wire_get_addr(r, 0);
	msg->join.code = get_view16(r, WIRE_CODE_MAX);
}

static void put_remove(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->remove.req);
	wire_put_addr(w, &msg->remove.addr, 1);
}

static void get_remove(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->remove.req = get_u64(r);
	msg->remove.addr = wire_get_addr(r, 1);
}

static void put_done(struct writer *w, const struct wire_msg *msg)
{
	if (msg->done.status < 0 || msg->done.status >= RESULTS)
		w->bad = true;
	put_u64(w, msg->done.req);
	put_u32(w, (uint32_t)msg->done.status);
}

static void get_done(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	uint32_t status;

	(void)scratch;
	msg->done.req = get_u64(r);
	status = get_u32(r);
	if (status >= RESULTS)
		r->bad = true;
	msg->done.status = (int32_t)status;
}

static void put_claim(struct writer *w, const struct wire_msg *msg)
{
	wire_put_addr(w, &msg->claim.addr, 1);
	wire_put_text(w, msg->claim.code, 1, WIRE_CODE_MAX);
}

static void get_claim(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->claim.addr = wire_get_addr(r, 1);
	msg->claim.code = wire_get_text(r, 1, WIRE_CODE_MAX);
}

/* What a person is shown of a passkey is digits and nothing else. */
static bool joining_is_sound(const struct wire_msg *msg)
{
	if (msg->joining.stage >= JOIN_STAGES)
		return false;
	if (msg->joining.stage != JOIN_PASSKEY)
		return true;
	for (size_t i = 0; i < msg->joining.text.len; i++) {
		if (msg->joining.text.data[i] < '0' || msg->joining.text.data[i] > '9')
			return false;
	}
	return msg->joining.text.len > 0 && msg->joining.text.len <= WIRE_PASSKEY_MAX;
}

static void put_joining(struct writer *w, const struct wire_msg *msg)
{
	if (!joining_is_sound(msg))
		w->bad = true;
	wire_put_addr(w, &msg->joining.addr, 1);
	put_u8(w, msg->joining.stage);
	wire_put_text(w, msg->joining.text, 0, WIRE_TEXT_MAX);
}

static void get_joining(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->joining.addr = wire_get_addr(r, 1);
	msg->joining.stage = get_u8(r);
	msg->joining.text = wire_get_text(r, 0, WIRE_TEXT_MAX);
	if (r->bad || !joining_is_sound(msg))
		r->bad = true;
}

static void put_part(struct writer *w, struct view data)
{
	if (data.len > WIRE_STATE_MAX)
		w->bad = true;
	put_view16(w, data.data, data.len);
}

static void put_ask(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->ask.req);
	wire_put_text(w, msg->ask.verb, 1, WIRE_VERB_MAX);
	put_u8(w, msg->ask.last);
	put_part(w, msg->ask.data);
}

static void get_ask(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->ask.req = get_u64(r);
	msg->ask.verb = wire_get_text(r, 1, WIRE_VERB_MAX);
	msg->ask.last = wire_get_bool(r);
	msg->ask.data = get_view16(r, WIRE_STATE_MAX);
}

static void put_tell(struct writer *w, const struct wire_msg *msg)
{
	put_u64(w, msg->tell.req);
	put_part(w, msg->tell.data);
}

static void get_tell(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->tell.req = get_u64(r);
	msg->tell.data = get_view16(r, WIRE_STATE_MAX);
}

/* WIRE_STATE and WIRE_SAVE: the same body, in the two directions. */
static void put_state(struct writer *w, const struct wire_msg *msg)
{
	if (msg->state.data.len > WIRE_STATE_MAX)
		w->bad = true;
	wire_put_text(w, msg->state.key, 1, WIRE_TEXT_MAX);
	put_view16(w, msg->state.data.data, msg->state.data.len);
}

static void get_state(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg)
{
	(void)scratch;
	msg->state.key = wire_get_text(r, 1, WIRE_TEXT_MAX);
	msg->state.data = get_view16(r, WIRE_STATE_MAX);
}

static const struct wire_body bodies[] = {
	{ WIRE_STATE, WIRE_ROOM_TEXT + 2, put_state, get_state },
	{ WIRE_DEVICE, 2 * WIRE_ROOM_ADDR + DEVICE_ID_LEN + WIRE_ROOM_DESC, put_device,
	  get_device },
	{ WIRE_SYNCED, 0, put_nothing, get_nothing },
	{ WIRE_GONE, WIRE_ROOM_ADDR + 1, put_gone, get_gone },
	{ WIRE_REPORT, 8 + WIRE_ROOM_ADDR + 1 + 2 + 8 + 9, put_report, get_report },
	{ WIRE_STORED, 8 + 4, put_stored, get_stored },
	{ WIRE_COMMAND, 8 + WIRE_ROOM_ADDR + 1 + 2 + 4 + 9, put_command, get_command },
	{ WIRE_JOIN, 8 + 2 + WIRE_ROOM_ADDR + 2 + WIRE_CODE_MAX, put_join, get_join },
	{ WIRE_REMOVE, 8 + WIRE_ROOM_ADDR, put_remove, get_remove },
	{ WIRE_DONE, 8 + 4, put_done, get_done },
	{ WIRE_SAVE, WIRE_ROOM_TEXT + 2, put_state, get_state },
	{ WIRE_CLAIM, WIRE_ROOM_ADDR + 2 + WIRE_CODE_MAX, put_claim, get_claim },
	{ WIRE_JOINING, WIRE_ROOM_ADDR + 1 + WIRE_ROOM_TEXT, put_joining, get_joining },
	{ WIRE_ASK, 8 + 2 + WIRE_VERB_MAX + 1 + 2, put_ask, get_ask },
	{ WIRE_TELL, 8 + 2, put_tell, get_tell },
};

const struct wire_body *wire_body_adapter(uint8_t type)
{
	for (size_t i = 0; i < N_ELEMENTS(bodies); i++) {
		if (bodies[i].type == type)
			return &bodies[i];
	}
	return NULL;
}
