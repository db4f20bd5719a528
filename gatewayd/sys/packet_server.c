/* How a connection comes to be: accepted on a path, connected to one, made as a pair, or handed
 * over.
 *
 * The path is bound, given its mode and only then listened on, so nobody gets in by a mode that was
 * not meant. When descriptors run out, accept would fail again at once and the loop would spin; so
 * it rests for a while.
 */
#include "sys/packet.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/text.h"
#include "sys/packet_inside.h"

enum {
	ACCEPTS_MAX = 32, /* a turn */
	LISTEN_BACKLOG = 128,
	ACCEPT_REST_MS = 200,
};

struct packet_server {
	struct loop *loop;
	int fd;
	struct watch *watch;
	struct timer *rest;
	struct packet_rx *rx;
	packet_accept_fn fn;
	void *ctx;
	struct sockaddr_un addr;
	struct stat bound; /* which file we made at the path */
	unsigned depth;
	bool is_bound, closed;
};

static int socket_new(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int addr_of(const char *path, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (!*path)
		return -EINVAL;
	return text_copy(ret->sun_path, sizeof(ret->sun_path), path) ? 0 : -ENAMETOOLONG;
}

static int connect_to(int fd, const struct sockaddr_un *addr)
{
	return connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
}

/* A socket that nobody listens on any more is removed; whatever else is at the path is not ours to
 * touch. */
static int remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, r;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EADDRINUSE;
	fd = socket_new();
	if (fd < 0)
		return fd;
	r = connect_to(fd, addr);
	close(fd);
	if (r != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static void server_free(struct packet_server *server)
{
	packet_rx_unref(server->rx);
	free(server);
}

/* 1: one was taken; 0: nobody waits; negative: out of something. */
static int server_accept_one(struct packet_server *server)
{
	struct packet_conn *conn;
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), r;

	if (fd < 0 && errno == EAGAIN)
		return 0;
	if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
		return 1;
	if (fd < 0)
		return -errno;
	r = packet_conn_new(server->loop, fd, server->rx, &conn);
	if (r < 0)
		return r;
	server->fn(server->ctx, conn, packet_peer_of(conn));
	return 1;
}

static void server_rest(struct packet_server *server)
{
	int r = watch_set(server->watch, 0);

	assert(r == 0); /* pausing asks the kernel for nothing */
	(void)r;
	timer_start(server->rest, ACCEPT_REST_MS);
}

static void on_acceptable(void *ctx, uint32_t events)
{
	struct packet_server *server = ctx;

	(void)events;
	server->depth++;
	for (int i = 0; i < ACCEPTS_MAX && !server->closed; i++) {
		int r = server_accept_one(server);

		if (r == 0)
			break;
		if (r < 0) {
			server_rest(server);
			break;
		}
	}
	if (--server->depth == 0 && server->closed)
		server_free(server);
}

static void on_rested(void *ctx)
{
	struct packet_server *server = ctx;

	if (watch_set(server->watch, WATCH_READ) < 0)
		timer_start(server->rest, ACCEPT_REST_MS);
}

static int server_bind(struct packet_server *server, mode_t mode)
{
	int r = remove_stale(&server->addr);

	if (r < 0)
		return r;
	if (bind(server->fd, (struct sockaddr *)&server->addr, sizeof(server->addr)) < 0)
		return -errno;
	if (lstat(server->addr.sun_path, &server->bound) < 0)
		return -errno;
	server->is_bound = true;
	if (chmod(server->addr.sun_path, mode) < 0 || listen(server->fd, LISTEN_BACKLOG) < 0)
		return -errno;
	return 0;
}

static int server_open(struct packet_server *server, const char *path, mode_t mode)
{
	int r = addr_of(path, &server->addr);

	if (r < 0)
		return r;
	server->rx = packet_rx_new();
	if (!server->rx)
		return -ENOMEM;
	server->fd = socket_new();
	if (server->fd < 0)
		return server->fd;
	r = server_bind(server, mode);
	if (r < 0)
		return r;
	r = timer_new(server->loop, on_rested, server, &server->rest);
	if (r < 0)
		return r;
	r = watch_new(server->loop, server->fd, on_acceptable, server, &server->watch);
	if (r < 0)
		return r;
	return watch_set(server->watch, WATCH_READ);
}

int packet_listen(struct loop *loop, const char *path, mode_t mode, packet_accept_fn fn, void *ctx,
		  struct packet_server **ret)
{
	struct packet_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->loop = loop;
	server->fd = -1;
	server->fn = fn;
	server->ctx = ctx;
	r = server_open(server, path, mode);
	if (r < 0) {
		packet_server_close(server);
		return r;
	}
	*ret = server;
	return 0;
}

struct packet_server *packet_server_close(struct packet_server *server)
{
	struct stat st;

	if (!server || server->closed)
		return NULL;
	server->closed = true;
	server->watch = watch_close(server->watch);
	server->rest = timer_close(server->rest);
	/* Somebody may have put another socket there since; that one stays. */
	if (server->is_bound && lstat(server->addr.sun_path, &st) == 0 &&
	    st.st_dev == server->bound.st_dev && st.st_ino == server->bound.st_ino)
		unlink(server->addr.sun_path);
	if (server->fd >= 0)
		close(server->fd);
	if (server->depth == 0)
		server_free(server);
	return NULL;
}

int packet_connect(struct loop *loop, const char *path, struct packet_conn **ret)
{
	struct sockaddr_un addr;
	int fd, r = addr_of(path, &addr);

	if (r < 0)
		return r;
	fd = socket_new();
	if (fd < 0)
		return fd;
	r = connect_to(fd, &addr);
	if (r < 0) {
		close(fd);
		return r;
	}
	return packet_conn_new(loop, fd, NULL, ret);
}

int packet_pair(struct loop *loop, struct packet_conn **ret_a, struct packet_conn **ret_b)
{
	struct packet_conn *a, *b;
	int fds[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	r = packet_conn_new(loop, fds[0], NULL, &a);
	if (r < 0) {
		close(fds[1]);
		return r;
	}
	r = packet_conn_new(loop, fds[1], NULL, &b);
	if (r < 0) {
		packet_close(a);
		return r;
	}
	*ret_a = a;
	*ret_b = b;
	return 0;
}

int packet_adopt(struct loop *loop, int fd, struct packet_conn **ret)
{
	socklen_t len = sizeof(int);
	int type = 0, r = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		r = -errno;
	else if (type != SOCK_SEQPACKET)
		r = -EPROTOTYPE;
	else if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return packet_conn_new(loop, fd, NULL, ret);
}
