/* The first minute of every adapter and link is the same: it says who it is, hears what it is to be, says that it is
 * open, and from then on both sides beat once a second. This file is that minute and the beating; what is said afterwards
 * goes to the owner, one checked message at a time. A peer may be closed from inside any of its own callbacks, so
 * the struct lives until the packet in hand has been left alone. */
#include <stdlib.h>
#include <string.h>
#include "adapter/peer.h"
#include "base/bytes.h"
#include "base/text.h"

struct peer {
	struct loop *loop;
	struct packet_conn *conn;
	struct timer *beat;
	struct wire_peer wire;
	struct wire_scratch scratch;
	struct peer_options options;
	const struct peer_ops *ops;
	void *ctx;
	char name[ADAPTER_NAME_MAX + 1];
	struct packet_peer who;
	int64_t heard_ms;
	uint64_t n_beats;
	bool busy; /* inside a callback: memory stays */
	bool dead;
};

/* Not inlined: at -O3 gcc loses sight of busy, which keeps the memory for whoever is still in a callback, and warns. */
__attribute__((noinline)) static void peer_release(struct peer *peer)
{
	peer->beat = timer_close(peer->beat);
	if (peer->conn)
		peer->conn = packet_close(peer->conn);
	peer->dead = true;
	if (!peer->busy)
		free(peer);
}

static void peer_end(struct peer *peer, enum peer_end end, const char *why)
{
	if (peer->dead)
		return;
	bool was_busy = peer->busy;
	peer->busy = true;
	peer->dead = true;
	peer->ops->on_gone(peer->ctx, peer, end, why);
	peer->busy = was_busy;
	peer_release(peer);
}

void peer_violate(struct peer *peer, const char *why)
{
	peer_end(peer, PEER_VIOLATION, why);
}

struct peer *peer_close(struct peer *peer)
{
	if (peer && !peer->dead)
		peer_release(peer);
	return NULL;
}

int peer_send(struct peer *peer, const struct wire_msg *msg)
{
	if (peer->dead)
		return -EPIPE;
	size_t cap = wire_len_max(msg);
	uint8_t *room = packet_room(peer->conn, cap);
	if (!room)
		return PACKET_E_FULL;
	struct writer w = writer_over(room, cap);
	wire_put(&w, msg);
	if (w.bad)
		return -EMSGSIZE;
	packet_commit(peer->conn, writer_len(&w));
	wire_peer_step(&peer->wire, msg);
	return 0;
}

static void peer_greet(struct peer *peer)
{
	struct wire_msg welcome = { .type = WIRE_WELCOME };
	welcome.welcome.major = WIRE_MAJOR;
	welcome.welcome.minor = WIRE_MINOR;
	welcome.welcome.epoch = peer->options.epoch;
	welcome.welcome.credit = peer->options.credit;
	welcome.welcome.beat_ms = WIRE_BEAT_MS;
	welcome.welcome.wall_us = loop_wall_us(peer->loop);
	welcome.welcome.time_trusted = peer->options.time_trusted;
	int r = peer_send(peer, &welcome);
	for (size_t i = 0; r == 0 && i < peer->options.n_options; i++) {
		struct wire_msg option = { .type = WIRE_OPTION };
		option.option.key = view_text(peer->options.options[i].key);
		option.option.value = view_text(peer->options.options[i].value);
		r = peer_send(peer, &option);
	}
	if (r == 0)
		peer->ops->on_hello(peer->ctx, peer);
	if (r == 0 && !peer->dead)
		r = peer_send(peer, &(struct wire_msg){ .type = WIRE_START });
	if (r != 0 && !peer->dead)
		peer_end(peer, PEER_CLOSED, "its first messages could not be sent");
}

static bool name_is(const struct peer *peer, struct view name)
{
	return name.len == strlen(peer->name) && memcmp(name.data, peer->name, name.len) == 0;
}

static void peer_on_hello(struct peer *peer, const struct wire_msg *msg)
{
	if (msg->hello.major != WIRE_MAJOR)
		peer_end(peer, PEER_REFUSED, "speaks another version of the wire");
	else if (msg->hello.kind != peer->options.kind)
		peer_violate(peer, "claims to be of another kind than its user id says");
	else if (!name_is(peer, msg->hello.name))
		peer_violate(peer, "claims another name than its user id says");
	else
		peer_greet(peer);
}

static void peer_on_opened(struct peer *peer, const struct wire_msg *msg)
{
	char reason[WIRE_TEXT_MAX + 1];
	if (msg->opened.error) {
		text_copy_n(reason, sizeof(reason), msg->opened.reason.data, msg->opened.reason.len);
		peer_end(peer, PEER_REFUSED, reason);
		return;
	}
	peer->ops->on_opened(peer->ctx, peer, msg->opened.flags);
}

static void peer_take(struct peer *peer, const struct wire_msg *msg)
{
	wire_peer_step(&peer->wire, msg);
	if (msg->type == WIRE_HELLO)
		peer_on_hello(peer, msg);
	else if (msg->type == WIRE_OPENED)
		peer_on_opened(peer, msg);
	else if (msg->type != WIRE_BEAT)
		peer->ops->on_message(peer->ctx, peer, msg);
}

static const char *wire_fault(int r)
{
	switch (r) {
	case WIRE_E_MALFORMED:
		return "sent a malformed message";
	case WIRE_E_UNKNOWN:
		return "sent a message of unknown type";
	case WIRE_E_PHASE:
		return "sent a message out of its phase";
	case WIRE_E_DIRECTION:
		return "sent a message that only the core may send";
	default:
		return "broke the rules of the wire";
	}
}

static void peer_on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct peer *peer = ctx;
	struct reader packet = reader_over(data, len);
	struct wire_msg msg;
	int r = 1;

	peer->heard_ms = loop_now_ms(peer->loop);
	peer->busy = true;
	while (!peer->dead && (r = wire_next(&packet, &peer->wire, &peer->scratch, &msg)) == 1 && !packet.bad)
		peer_take(peer, &msg);
	if (!peer->dead && r != 0)
		peer_end(peer, PEER_VIOLATION, wire_fault(r));
	if (!peer->dead && peer->ops->on_turn)
		peer->ops->on_turn(peer->ctx, peer);
	peer->busy = false;
	if (peer->dead)
		free(peer);
}

static void peer_on_close(void *ctx, int r)
{
	struct peer *peer = ctx;
	peer->conn = NULL; /* already closed by packet */
	peer_end(peer, PEER_CLOSED, r == 0 ? "closed its socket" : "its socket failed");
}

static void peer_on_beat(void *ctx)
{
	struct peer *peer = ctx;
	if (loop_now_ms(peer->loop) - peer->heard_ms >= WIRE_HANG_MS) {
		peer_end(peer, PEER_HANGING, "was silent for too long");
		return;
	}
	timer_start(peer->beat, WIRE_BEAT_MS);
	if (peer->wire.phase == WIRE_NEW)
		return;
	struct wire_msg beat = { .type = WIRE_BEAT, .beat.count = ++peer->n_beats };
	/* A full queue is no reason to end it: its own silence decides. */
	if (peer_send(peer, &beat) < 0)
		peer_end(peer, PEER_CLOSED, "its socket failed");
}

static const struct packet_ops peer_packet_ops = {
	.on_packet = peer_on_packet,
	.on_close = peer_on_close,
};

int peer_new(struct loop *loop, struct packet_conn *conn, const struct peer_options *options, const struct peer_ops *ops,
	     void *ctx, struct peer **ret)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	if (!peer) {
		packet_close(conn);
		return -ENOMEM;
	}
	peer->loop = loop;
	peer->conn = conn;
	peer->options = *options;
	peer->ops = ops;
	peer->ctx = ctx;
	peer->who = packet_peer_of(conn);
	peer->heard_ms = loop_now_ms(loop);
	peer->wire = (struct wire_peer){ .kind = options->kind, .phase = WIRE_NEW, .is_core = true };
	text_copy(peer->name, sizeof(peer->name), options->name);
	int r = timer_new(loop, peer_on_beat, peer, &peer->beat);
	if (r == 0)
		r = packet_start(conn, &peer_packet_ops, peer);
	if (r != 0) {
		peer_release(peer);
		return r;
	}
	timer_start(peer->beat, WIRE_BEAT_MS);
	*ret = peer;
	return 0;
}

bool peer_is_ready(const struct peer *peer)
{
	return !peer->dead && peer->wire.phase == WIRE_READY;
}

const char *peer_name(const struct peer *peer)
{
	return peer->name;
}

struct packet_peer peer_who(const struct peer *peer)
{
	return peer->who;
}

size_t peer_queued_bytes(const struct peer *peer)
{
	return peer->conn ? packet_queued_bytes(peer->conn) : 0;
}
