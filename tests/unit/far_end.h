#pragma once
/* far_end - the other end of a wire connection, for the tests of the core's end: says what it is told to, counts what it hears. */
#include "check.h"

#include <string.h>
#include "base/bytes.h"
#include "model/wire.h"
#include "sys/packet.h"

enum { FAR_TYPES = 256 };

struct far_end {
	struct packet_conn *conn;
	struct wire_peer wire;
	struct wire_scratch scratch;
	size_t heard[FAR_TYPES]; /* by type */
	uint64_t req;            /* of the last request */
	uint64_t up_to;
	bool closed;
};

static inline void far_on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct far_end *far = ctx;
	struct reader packet = reader_over(data, len);
	struct wire_msg msg;
	int r;

	while ((r = wire_next(&packet, &far->wire, &far->scratch, &msg)) == 1) {
		wire_peer_step(&far->wire, &msg);
		far->heard[msg.type]++;
		if (msg.type == WIRE_COMMAND)
			far->req = msg.command.req;
		else if (msg.type == WIRE_JOIN)
			far->req = msg.join.req;
		else if (msg.type == WIRE_ASK)
			far->req = msg.ask.req;
		else if (msg.type == WIRE_STORED)
			far->up_to = msg.stored.up_to;
	}
	check_int(r, 0);
}

static inline void far_on_close(void *ctx, int r)
{
	struct far_end *far = ctx;

	(void)r;
	far->conn = NULL;
	far->closed = true;
}

/* ret_core: the core's end, for peer_new or hub_accept. */
static inline void far_open(struct far_end *far, struct loop *loop, enum wire_kind kind, struct packet_conn **ret_core)
{
	static const struct packet_ops ops = { .on_packet = far_on_packet, .on_close = far_on_close };

	memset(far, 0, sizeof(*far));
	far->wire = (struct wire_peer){ .kind = kind, .phase = WIRE_NEW };
	check_ok(packet_pair(loop, ret_core, &far->conn));
	check_ok(packet_start(far->conn, &ops, far));
}

static inline void far_close(struct far_end *far)
{
	if (far->conn)
		far->conn = packet_close(far->conn);
}

static inline void far_say(struct far_end *far, const struct wire_msg *msg)
{
	size_t cap = wire_len_max(msg);
	uint8_t *room = packet_room(far->conn, cap);

	assert_non_null(room);
	struct writer w = writer_over(room, cap);
	wire_put(&w, msg);
	check_true(!w.bad);
	packet_commit(far->conn, writer_len(&w));
	wire_peer_step(&far->wire, msg);
}

static inline void far_hello(struct far_end *far, const char *name, uint16_t major)
{
	struct wire_msg hello = { .type = WIRE_HELLO };

	hello.hello.major = major;
	hello.hello.kind = (uint8_t)far->wire.kind;
	hello.hello.name = (struct view){ (const uint8_t *)name, strlen(name) };
	hello.hello.version = (struct view){ (const uint8_t *)"1", 1 };
	far_say(far, &hello);
}

static inline void far_opened(struct far_end *far, uint8_t flags)
{
	far_say(far, &(struct wire_msg){ .type = WIRE_OPENED, .opened.flags = flags });
}

static inline void far_turns(struct loop *loop)
{
	for (int i = 0; i < 8; i++)
		check_ok(loop_turn(loop, 0));
}
