#pragma once
/* wire_rows - inside the wire: how each message's body is written and read, and the helpers its rows share.
 *
 *   above   model/wire  model/wire_adapter  model/wire_link
 *   below   base/base  base/bytes  base/text  model/device  model/device_id  model/value  model/wire
 *   owns    nothing
 *   limits  -
 *
 * A put function marks w->bad for what the other end would refuse; a get function marks r->bad. wire_next asks once.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/wire.h"

typedef void (*wire_put_fn)(struct writer *w, const struct wire_msg *msg);
typedef void (*wire_get_fn)(struct reader *r, struct wire_scratch *scratch, struct wire_msg *msg);

/* room: what a body needs at most, but for the value or blob it carries. */
struct wire_body {
	uint8_t type;
	uint16_t room;
	wire_put_fn put;
	wire_get_fn get;
};
const struct wire_body *wire_body_peer(uint8_t type);
const struct wire_body *wire_body_adapter(uint8_t type);
const struct wire_body *wire_body_link(uint8_t type);

/* Room that fields of these kinds take at most. */
enum {
	WIRE_ROOM_TEXT = 2 + WIRE_TEXT_MAX,
	WIRE_ROOM_ADDR = 1 + ADDRESS_MAX,
	WIRE_ROOM_DESC = 4800
};

bool wire_get_bool(struct reader *r);
void wire_put_text(struct writer *w, struct view text, size_t min, size_t max);
struct view wire_get_text(struct reader *r, size_t min, size_t max);
void wire_put_addr(struct writer *w, const struct address *addr, size_t min);
struct address wire_get_addr(struct reader *r, size_t min);
void wire_put_id(struct writer *w, struct device_id id);
struct device_id wire_get_id(struct reader *r);
struct value wire_get_value(struct reader *r);
/* Evidence, flags, texts and endpoints: a description without its addresses and identity. */
void wire_put_desc(struct writer *w, const struct device_desc *desc);
void wire_get_desc(struct reader *r, struct wire_scratch *scratch, struct device_desc *desc);
