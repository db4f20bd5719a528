#pragma once
/* packet - SOCK_SEQPACKET on a unix path: peers known by their kernel uid, batches out, packets in.
 *
 *   above   adapter  app  ctl  door  remote  sys
 *   below   base/base  base/list  sys/loop  sys/packet_inside
 *   owns    listening sockets (their path is unlinked at close), connections and their send queue
 *   limits  PACKET_LEN_MAX PACKET_QUEUE_MAX PACKET_READS_MAX
 *   errors  PACKET_E_FULL
 *
 * packet_put appends a message to the batch that goes out at the end of the turn (or when the packet is
 * full); packet_send sends one packet by itself. Neither blocks. A slow reader fills its queue up to
 * PACKET_QUEUE_MAX bytes (a packet is charged with what it costs us); then both say PACKET_E_FULL and
 * nothing was taken. A negative result means that sending is over (-EPIPE: the peer is gone); on_close
 * follows when what the peer left behind is read. A paused connection hears nothing, not even that its
 * peer is gone. An empty packet is the end of the peer.
 */
#include <sys/types.h>
#include "base/base.h"
#include "sys/loop.h"

enum { PACKET_LEN_MAX = 65536, PACKET_QUEUE_MAX = 4 * 1024 * 1024 };
enum { PACKET_READS_MAX = 32 }; /* of one connection in a turn */
enum { PACKET_E_FULL = 1 };

struct packet_server;
struct packet_conn;

struct packet_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

/* data is borrowed. on_close: r is 0 (peer closed) or negative errno; the connection is already closed
 * and is freed after the callback; called exactly once unless the owner called packet_close first.
 * on_drain (may be NULL): the queue went empty after a PACKET_E_FULL. A packet longer than PACKET_LEN_MAX
 * ends the connection with -EMSGSIZE. Any callback may close the connection. */
struct packet_ops {
	void (*on_packet)(void *ctx, const uint8_t *data, size_t len);
	void (*on_drain)(void *ctx);
	void (*on_close)(void *ctx, int r);
};

typedef void (*packet_accept_fn)(void *ctx, struct packet_conn *conn, struct packet_peer peer);

/* Binds path with mode, e.g. 0660. An old socket there is replaced when nobody answers on it;
 * -EADDRINUSE otherwise. */
must_check int packet_listen(struct loop *loop, const char *path, mode_t mode, packet_accept_fn fn, void *ctx,
			     struct packet_server **ret);
struct packet_server *packet_server_close(struct packet_server *server);

must_check int packet_connect(struct loop *loop, const char *path, struct packet_conn **ret);
must_check int packet_pair(struct loop *loop, struct packet_conn **ret_a, struct packet_conn **ret_b);
must_check int packet_adopt(struct loop *loop, int fd, struct packet_conn **ret); /* takes fd, always */

/* Nothing is read before this. ops is borrowed for the connection's life; starting again replaces it. */
must_check int packet_start(struct packet_conn *conn, const struct packet_ops *ops, void *ctx);
void packet_pause(struct packet_conn *conn, bool paused); /* stop reading: back-pressure */
must_check int packet_send(struct packet_conn *conn, const void *data, size_t len);
must_check int packet_put(struct packet_conn *conn, const void *message, size_t len);
/* Room to encode straight into the batch: at least len bytes, or NULL (queue full). Then packet_commit. */
uint8_t *packet_room(struct packet_conn *conn, size_t len);
void packet_commit(struct packet_conn *conn, size_t len);
void packet_flush(struct packet_conn *conn);
size_t packet_queued_bytes(const struct packet_conn *conn);
struct packet_peer packet_peer_of(const struct packet_conn *conn);
struct packet_conn *packet_close(struct packet_conn *conn); /* tries to flush once; on_close is not called */
