/* SOCK_SEQPACKET keeps message borders, delivers in order and tells who the peer is, so there is no
 * framing to get wrong. What it lacks is patience: a send that finds no room is an error. Hence a
 * queue for each connection, charged for what it holds, and a batch: messages put in one turn
 * travel in one packet.
 *
 * An owner may close its connection, or the server, inside any callback. So everything that calls
 * back holds the object by its depth, and whoever leaves last frees it. Nothing is called back from
 * inside a call of the owner's: a send that finds the peer gone says so by its result, and on_close
 * comes from the loop.
 *
 * A peer that dies may leave packets behind that we have not read. They are read first; only then
 * is it closed.
 */
#include "sys/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/list.h"
#include "sys/packet_inside.h"

enum {
	BATCH_CAP_MIN = 4096,
	SEND_BUFFER = 512 * 1024, /* the kernel cuts it to its own limit */
};

struct packet_out {
	struct list link;
	size_t len, cap;
	uint8_t data[];
};

struct packet_conn {
	struct loop *loop;
	int fd;
	struct watch *watch;
	struct packet_rx *rx;
	const struct packet_ops *ops;
	void *ctx;
	struct packet_peer peer;
	struct idle_hook turn_end;
	struct packet_out *batch;
	struct list queue;
	size_t queued_bytes; /* of the queue, not of the batch; with what a packet costs us */
	int broken;	     /* why sending is over */
	unsigned depth;
	bool paused, full, peer_gone, closed;
};

struct packet_rx *packet_rx_new(void)
{
	struct packet_rx *rx = malloc(sizeof(*rx));

	if (rx)
		rx->refs = 1;
	return rx;
}

struct packet_rx *packet_rx_ref(struct packet_rx *rx)
{
	rx->refs++;
	return rx;
}

struct packet_rx *packet_rx_unref(struct packet_rx *rx)
{
	if (rx && --rx->refs == 0)
		free(rx);
	return NULL;
}

/* Closing */

static size_t out_cost(size_t len)
{
	return sizeof(struct packet_out) + len;
}

/* What waited may have been a password or a token. */
static struct packet_out *out_free(struct packet_out *out)
{
	if (out)
		explicit_bzero(out->data, out->len);
	free(out);
	return NULL;
}

static void conn_drop_queue(struct packet_conn *conn)
{
	struct packet_out *out, *next;

	list_each(out, next, &conn->queue, link)
	{
		list_remove(&out->link);
		out_free(out);
	}
	conn->queued_bytes = 0;
	conn->batch = out_free(conn->batch);
}

static void conn_free(struct packet_conn *conn)
{
	packet_rx_unref(conn->rx);
	free(conn);
}

/* The descriptor goes at once, the memory when nobody stands in it any more. */
static void conn_shut(struct packet_conn *conn)
{
	conn->closed = true;
	loop_forget_hook(conn->loop, &conn->turn_end);
	conn->watch = watch_close(conn->watch);
	close(conn->fd);
	conn->fd = -1;
	conn_drop_queue(conn);
}

static void conn_enter(struct packet_conn *conn)
{
	conn->depth++;
}

static void conn_leave(struct packet_conn *conn)
{
	if (--conn->depth == 0 && conn->closed)
		conn_free(conn);
}

static void conn_fail(struct packet_conn *conn, int r)
{
	assert(conn->depth > 0 && conn->ops && !conn->closed);
	conn_shut(conn);
	conn->ops->on_close(conn->ctx, r);
}

/* Sending is over. When only the peer is gone, reading goes on to its end; else the turn's end
 * closes us. */
static void conn_break(struct packet_conn *conn, int r)
{
	conn->peer_gone = r == -EPIPE || r == -ECONNRESET;
	conn->broken = conn->peer_gone ? -EPIPE : r;
	conn_drop_queue(conn);
	if (!conn->peer_gone)
		loop_at_turn_end(conn->loop, &conn->turn_end);
}

static void conn_watch(struct packet_conn *conn)
{
	uint32_t events = 0;
	int r;

	if (conn->ops && !conn->paused)
		events |= WATCH_READ;
	if (!list_is_empty(&conn->queue))
		events |= WATCH_WRITE;
	r = watch_set(conn->watch, events);
	if (r < 0)
		conn_break(conn, r);
}

/* Sending */

static int conn_write(struct packet_conn *conn, const void *data, size_t len)
{
	ssize_t n;

	do
		n = send(conn->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static void conn_enqueue(struct packet_conn *conn, struct packet_out *out)
{
	list_append(&conn->queue, &out->link);
	conn->queued_bytes += out_cost(out->len);
	conn_watch(conn);
}

static struct packet_out *out_new(size_t cap)
{
	struct packet_out *out = malloc(sizeof(*out) + cap);

	if (out) {
		out->len = 0;
		out->cap = cap;
	}
	return out;
}

/* The batch goes out or into the queue. A small buffer is kept for the next turn. */
static void conn_push_batch(struct packet_conn *conn)
{
	struct packet_out *batch = conn->batch;
	int r = -EAGAIN;

	if (!batch || batch->len == 0)
		return;
	if (list_is_empty(&conn->queue))
		r = conn_write(conn, batch->data, batch->len);
	if (r == -EAGAIN) {
		struct packet_out *fit = realloc(batch, sizeof(*batch) + batch->len);

		conn->batch = NULL;
		conn_enqueue(conn, fit ? fit : batch);
		return;
	}
	if (r < 0) {
		conn_break(conn, r);
		return;
	}
	explicit_bzero(batch->data, batch->len);
	batch->len = 0;
	if (batch->cap > BATCH_CAP_MIN) {
		free(batch);
		conn->batch = NULL;
	}
}

static void conn_drain(struct packet_conn *conn)
{
	struct packet_out *out;

	while ((out = list_first(&conn->queue, struct packet_out, link))) {
		int r = conn_write(conn, out->data, out->len);

		if (r == -EAGAIN)
			return;
		if (r < 0) {
			conn_break(conn, r);
			return;
		}
		list_remove(&out->link);
		conn->queued_bytes -= out_cost(out->len);
		out_free(out);
	}
}

static void on_turn_end(void *ctx)
{
	struct packet_conn *conn = ctx;

	conn_enter(conn);
	if (!conn->broken)
		conn_push_batch(conn);
	else if (!conn->peer_gone && conn->ops)
		conn_fail(conn, conn->broken);
	conn_leave(conn);
}

size_t packet_queued_bytes(const struct packet_conn *conn)
{
	return conn->queued_bytes +
	       (conn->batch && conn->batch->len ? out_cost(conn->batch->len) : 0);
}

static bool conn_has_room(struct packet_conn *conn, size_t len)
{
	if (packet_queued_bytes(conn) + out_cost(len) <= PACKET_QUEUE_MAX)
		return true;
	conn->full = true;
	return false;
}

int packet_send(struct packet_conn *conn, const void *data, size_t len)
{
	struct packet_out *out;
	int r = -EAGAIN;

	if (len == 0 || len > PACKET_LEN_MAX)
		return -EMSGSIZE;
	if (!conn->broken)
		conn_push_batch(conn); /* what was put before goes before */
	if (conn->broken)
		return conn->broken;
	if (list_is_empty(&conn->queue))
		r = conn_write(conn, data, len);
	if (r == 0)
		return 0;
	if (r != -EAGAIN) {
		conn_break(conn, r);
		return conn->broken;
	}
	if (!conn_has_room(conn, len))
		return PACKET_E_FULL;
	out = out_new(len);
	if (!out)
		return -ENOMEM;
	memcpy(out->data, data, len);
	out->len = len;
	conn_enqueue(conn, out);
	return 0;
}

/* Makes the batch so long that len bytes can follow. */
static int conn_make_room(struct packet_conn *conn, size_t len)
{
	size_t used = conn->batch ? conn->batch->len : 0, cap = BATCH_CAP_MIN;
	struct packet_out *batch;

	if (used > PACKET_LEN_MAX - len) {
		conn_push_batch(conn);
		if (conn->broken)
			return conn->broken;
		used = 0;
	}
	if (conn->batch && conn->batch->cap - used >= len)
		return 0;
	while (cap < used + len)
		cap *= 2;
	batch = realloc(conn->batch, sizeof(*batch) + cap);
	if (!batch)
		return -ENOMEM;
	batch->len = used;
	batch->cap = cap;
	conn->batch = batch;
	return 0;
}

static int conn_room(struct packet_conn *conn, size_t len, uint8_t **ret)
{
	int r;

	if (len == 0 || len > PACKET_LEN_MAX)
		return -EMSGSIZE;
	if (conn->broken)
		return conn->broken;
	if (!conn_has_room(conn, len))
		return PACKET_E_FULL;
	r = conn_make_room(conn, len);
	if (r)
		return r;
	*ret = conn->batch->data + conn->batch->len;
	return 0;
}

uint8_t *packet_room(struct packet_conn *conn, size_t len)
{
	uint8_t *room;

	return conn_room(conn, len, &room) ? NULL : room;
}

void packet_commit(struct packet_conn *conn, size_t len)
{
	assert(conn->batch && len <= conn->batch->cap - conn->batch->len);
	conn->batch->len += len;
	if (conn->batch->len)
		loop_at_turn_end(conn->loop, &conn->turn_end);
}

int packet_put(struct packet_conn *conn, const void *message, size_t len)
{
	uint8_t *room;
	int r = conn_room(conn, len, &room);

	if (r)
		return r;
	memcpy(room, message, len);
	packet_commit(conn, len);
	return 0;
}

void packet_flush(struct packet_conn *conn)
{
	if (!conn->broken)
		conn_push_batch(conn);
}

/* Receiving */

/* One packet. 1: handed over; 0: nothing there now. Anything else ends the connection. */
static int conn_read_one(struct packet_conn *conn)
{
	ssize_t n =
		recv(conn->fd, conn->rx->data, sizeof(conn->rx->data), MSG_TRUNC | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno == ECONNRESET) {
		/* It died with unread packets of ours. Its own last ones come behind this error,
		 * which comes once. */
		conn_break(conn, -ECONNRESET);
		return 1;
	}
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOTCONN;
	if (n > PACKET_LEN_MAX)
		return -EMSGSIZE;
	conn->ops->on_packet(conn->ctx, conn->rx->data, (size_t)n);
	explicit_bzero(conn->rx->data, (size_t)n); /* the next packet may come next week */
	return 1;
}

static void conn_read(struct packet_conn *conn)
{
	for (int i = 0; i < PACKET_READS_MAX && !conn->closed && !conn->paused; i++) {
		int r = conn_read_one(conn);

		if (r == 0)
			return;
		if (r < 0) {
			conn_fail(conn, r == -ENOTCONN ? 0 : r);
			return;
		}
	}
}

static void on_ready(void *ctx, uint32_t events)
{
	struct packet_conn *conn = ctx;

	conn_enter(conn);
	if (events & WATCH_WRITE)
		conn_drain(conn);
	if (conn->full && !conn->broken && list_is_empty(&conn->queue)) {
		conn->full = false;
		if (conn->ops && conn->ops->on_drain)
			conn->ops->on_drain(conn->ctx);
	}
	if (!conn->closed && conn->ops && (events & (WATCH_READ | WATCH_HANGUP)))
		conn_read(conn);
	if (!conn->closed)
		conn_watch(conn);
	conn_leave(conn);
}

/* Birth */

static int conn_set_up(struct packet_conn *conn)
{
	int size = SEND_BUFFER;
	struct ucred cred;
	socklen_t len = sizeof(cred);

	/* A smaller buffer than asked for is still one that works. */
	(void)setsockopt(conn->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (getsockopt(conn->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	conn->peer = (struct packet_peer){ .uid = cred.uid, .gid = cred.gid, .pid = cred.pid };
	return watch_new(conn->loop, conn->fd, on_ready, conn, &conn->watch);
}

int packet_conn_new(struct loop *loop, int fd, struct packet_rx *rx, struct packet_conn **ret)
{
	struct packet_conn *conn = calloc(1, sizeof(*conn));
	int r = -ENOMEM;

	if (conn) {
		list_init(&conn->queue);
		conn->loop = loop;
		conn->fd = fd;
		conn->turn_end = (struct idle_hook){ .fn = on_turn_end, .ctx = conn };
		conn->rx = rx ? packet_rx_ref(rx) : packet_rx_new();
		r = conn->rx ? conn_set_up(conn) : -ENOMEM;
	}
	if (r < 0) {
		if (conn)
			conn_free(conn);
		close(fd);
		return r;
	}
	*ret = conn;
	return 0;
}

int packet_start(struct packet_conn *conn, const struct packet_ops *ops, void *ctx)
{
	assert(ops->on_packet && ops->on_close);
	if (conn->broken)
		return conn->broken;
	conn->ops = ops;
	conn->ctx = ctx;
	conn_watch(conn);
	return conn->broken;
}

void packet_pause(struct packet_conn *conn, bool paused)
{
	conn->paused = paused;
	conn_watch(conn);
}

struct packet_peer packet_peer_of(const struct packet_conn *conn)
{
	return conn->peer;
}

struct packet_conn *packet_close(struct packet_conn *conn)
{
	if (!conn || conn->closed)
		return NULL;
	conn_enter(conn);
	if (!conn->broken)
		conn_push_batch(conn);
	if (!conn->broken)
		conn_drain(conn);
	conn_shut(conn);
	conn_leave(conn);
	return NULL;
}
