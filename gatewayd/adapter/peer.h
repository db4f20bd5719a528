#pragma once
/* peer - the core's end of one wire connection: phases, beats, the first words; adapters and links alike.
 *
 *   above   adapter/hub  link/links
 *   below   base/base  base/bytes  base/text  model/wire  sys/loop  sys/packet
 *   owns    struct peer: its connection, beat timer, phase
 *   limits  -
 *
 * The peer's uid was checked before (app.c looks it up); HELLO's name and kind are only compared. A broken rule ends
 * the peer: on_gone says which. Silence for WIRE_HANG_MS ends it too.
 */
#include "base/base.h"
#include "model/wire.h"
#include "sys/loop.h"
#include "sys/packet.h"

struct peer;
struct peer_option {
	const char *key, *value;
};
enum peer_end { PEER_CLOSED, PEER_HANGING, PEER_VIOLATION, PEER_REFUSED, PEER_REPLACED };

struct peer_ops {
	void (*on_hello)(void *ctx, struct peer *peer);   /* send state blobs here; then peer sends START */
	void (*on_opened)(void *ctx, struct peer *peer, uint8_t flags);
	void (*on_message)(void *ctx, struct peer *peer, const struct wire_msg *msg); /* READY only; borrowed */
	void (*on_turn)(void *ctx, struct peer *peer);    /* after each packet: acknowledge in one go */
	void (*on_gone)(void *ctx, struct peer *peer, enum peer_end end, const char *why); /* peer is freed after this */
};
struct peer_options {
	enum wire_kind kind;
	const char *name;                    /* the instance its uid belongs to; borrowed for the call */
	const struct peer_option *options;   /* borrowed for the peer's life */
	size_t n_options;
	uint64_t epoch;
	uint32_t credit;
	bool time_trusted;
};
must_check int peer_new(struct loop *loop, struct packet_conn *conn, const struct peer_options *options, const struct peer_ops *ops,
			void *ctx, struct peer **ret); /* takes conn also on error */
struct peer *peer_close(struct peer *peer); /* on_gone is not called */
void peer_violate(struct peer *peer, const char *why); /* ends it as PEER_VIOLATION, from within a callback or not */
/* 0, PACKET_E_FULL, or negative. */
must_check int peer_send(struct peer *peer, const struct wire_msg *msg);
bool peer_is_ready(const struct peer *peer);
const char *peer_name(const struct peer *peer);
struct packet_peer peer_who(const struct peer *peer);
size_t peer_queued_bytes(const struct peer *peer);
