#pragma once
/* wire - one codec for what the core says with its adapters and links, one table of who may say
 * what when.
 *
 *   above   adapter  host  linkd  model  registry  remote
 *   below   base/base  base/bytes  model/device  model/wire_msg  model/wire_rows
 *   owns    nothing: decoded messages borrow from the packet
 *   limits  those of model/wire_msg
 *   errors  WIRE_E_MALFORMED WIRE_E_UNKNOWN WIRE_E_PHASE WIRE_E_DIRECTION WIRE_E_KIND
 *
 * A packet is 1..N messages: u8 type, u8 zero, u16 length, body (docs/spec/wire.md). A peer is a
 * struct wire_peer: wire_next gives its next permitted message or says which rule was broken; the
 * caller then closes the peer.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "model/device.h"
#include "model/wire_msg.h"

enum { WIRE_MAJOR = 1, WIRE_MINOR = 1 };
enum { WIRE_BEAT_MS = 1000, WIRE_HANG_MS = 4000 };
/* From 2: wire_next says 1 for a message. */
enum { WIRE_E_MALFORMED = 2, WIRE_E_UNKNOWN, WIRE_E_PHASE, WIRE_E_DIRECTION, WIRE_E_KIND };

enum wire_kind { WIRE_ADAPTER, WIRE_LINK };
enum wire_phase { WIRE_NEW, WIRE_SETUP, WIRE_OPENING, WIRE_READY, WIRE_PHASES };
enum wire_direction { WIRE_UP, WIRE_DOWN, WIRE_BOTH }; /* up: to the core */

/* Why a link is as WIRE_LINK_STATE says. */
enum link_reason {
	LINK_CONNECTED,
	LINK_CONNECTING,
	LINK_UNREACHABLE,
	LINK_IDENTITY,
	LINK_REFUSED,
	LINK_LOST,
	LINK_SETTINGS,
	LINK_REASONS
};

struct wire_row {
	uint8_t type;
	const char *name;
	enum wire_direction direction;
	uint8_t kinds;	/* 1 << enum wire_kind */
	uint8_t phases; /* 1 << enum wire_phase in which it may come */
};
const struct wire_row *wire_row(uint8_t type); /* NULL: unknown */
const struct wire_row *wire_row_at(size_t i);

const char *note_kind_name(enum note_kind kind);

/* Decoding scratch for descriptions: one a reader of packets, reused. */
struct wire_scratch {
	struct device_desc desc; /* WIRE_LINK_DEVICE points here */
	struct endpoint_desc endpoints[DEVICE_ENDPOINTS_MAX];
	struct capability_desc caps[DEVICE_CAPS_MAX];
	char text[4][DEVICE_TEXT_MAX + 1];
	uint64_t acks[WIRE_ACKS_MAX];
};

struct wire_peer {
	enum wire_kind kind;
	enum wire_phase phase;
	bool is_core; /* which end of the socket we are: messages "up" are what the core receives */
};

/* Appends one message. w.bad when it does not fit or the other end would refuse it. */
void wire_put(struct writer *w, const struct wire_msg *msg);
size_t wire_len_max(const struct wire_msg *msg); /* room that surely suffices */

/* Iterates a packet: 1 and *ret filled; 0 at the end; WIRE_E_* for a broken rule (nothing more may
 * be taken from the packet, and what ret holds then means nothing). */
must_check int wire_next(struct reader *packet, const struct wire_peer *peer,
			 struct wire_scratch *scratch, struct wire_msg *ret);
/* The phase after this message was sent or received. */
void wire_peer_step(struct wire_peer *peer, const struct wire_msg *msg);
