/* Opening blocks, because nothing is measured before the line stands; afterwards every call returns at
 * once and the caller's epoll says when to come again. Writes gather in one buffer, so that a burst of
 * messages costs the load one system call, and what is measured is the system behind the broker.
 */
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct ssl_ctx_st *line_tls_new(const struct line_tls *tls)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		return NULL;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, tls->ca, NULL) != 1 ||
	    SSL_CTX_use_certificate_chain_file(ctx, tls->cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, tls->key, SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	/* the broker writes a record a message: take many at a time */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_read_buffer_len(ctx, 64 * 1024);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

void line_tls_free(struct ssl_ctx_st *ctx)
{
	SSL_CTX_free(ctx);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int connect_tcp(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int one = 1;
	int fd;
	int r = 0;

	if (getaddrinfo(host, port, &hints, &found))
		return -EHOSTUNREACH;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
		r = -errno;
	freeaddrinfo(found);
	if (r && fd >= 0)
		close(fd);
	return r ? r : fd;
}

static int handshake(struct line *line, struct ssl_ctx_st *tls, const char *host)
{
	line->ssl = SSL_new(tls);
	if (!line->ssl)
		return -ENOMEM;
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(line->ssl), host) != 1 &&
	    SSL_set1_host(line->ssl, host) != 1)
		return -EINVAL;
	if (SSL_set_fd(line->ssl, line->fd) != 1)
		return -ENOMEM;
	ERR_clear_error();
	if (SSL_connect(line->ssl) != 1) {
		ERR_print_errors_fp(stderr);
		return -EPROTO;
	}
	return 0;
}

static int connect_to(struct line *line, const char *address, struct ssl_ctx_st *tls)
{
	char host[128];
	const char *colon;

	if (!strncmp(address, "unix:", 5)) {
		line->fd = connect_unix(address + 5);
		return line->fd < 0 ? line->fd : 0;
	}
	colon = strrchr(address, ':');
	if (!colon || (size_t)(colon - address) >= sizeof(host))
		return -EINVAL;
	memcpy(host, address, (size_t)(colon - address));
	host[colon - address] = '\0';
	line->fd = connect_tcp(host, colon + 1);
	if (line->fd < 0)
		return line->fd;
	return tls ? handshake(line, tls, host) : 0;
}

int line_open(struct line *line, const char *address, struct ssl_ctx_st *tls, size_t in_max)
{
	int r;

	*line = (struct line){ .fd = -1, .in_max = in_max };
	line->out = malloc(LINE_OUT_MAX);
	line->in = malloc(in_max);
	if (!line->out || !line->in)
		r = -ENOMEM;
	else
		r = connect_to(line, address, tls);
	if (!r && fcntl(line->fd, F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r)
		line_close(line);
	return r;
}

void line_close(struct line *line)
{
	SSL_free(line->ssl);
	if (line->fd >= 0)
		close(line->fd);
	free(line->out);
	free(line->in);
	*line = (struct line){ .fd = -1 };
}

/* What an SSL call that moved nothing means: 0 come again, or negative errno. */
static int tls_verdict(struct line *line, int result)
{
	switch (SSL_get_error(line->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	default:
		return -ECONNRESET;
	}
}

static int write_some(struct line *line, size_t from)
{
	size_t left = line->out_len - from;
	ssize_t n;

	if (line->ssl) {
		int wrote;

		ERR_clear_error();
		wrote = SSL_write(line->ssl, line->out + from, (int)left);
		return wrote > 0 ? wrote : tls_verdict(line, wrote);
	}
	n = send(line->fd, line->out + from, left, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return (int)n;
}

int line_flush(struct line *line)
{
	size_t sent = 0;
	int r = 0;

	while (sent < line->out_len) {
		r = write_some(line, sent);
		if (r <= 0)
			break;
		sent += (size_t)r;
	}
	line->out_len -= sent;
	memmove(line->out, line->out + sent, line->out_len);
	return r < 0 ? r : 0;
}

static int read_some(struct line *line)
{
	size_t room = line->in_max - line->in_len;
	ssize_t n;

	if (!room)
		return 0;
	if (line->ssl) {
		int got;

		ERR_clear_error();
		got = SSL_read(line->ssl, line->in + line->in_len, (int)room);
		return got > 0 ? got : tls_verdict(line, got);
	}
	n = recv(line->fd, line->in + line->in_len, room, 0);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n ? (int)n : -ECONNRESET;
}

int line_fill(struct line *line)
{
	int total = 0;
	int r;

	/* A TLS record comes whole and stays inside OpenSSL where epoll does not see it: read to the end. */
	do {
		r = read_some(line);
		if (r > 0) {
			line->in_len += (size_t)r;
			total += r;
		}
	} while (r > 0 && line->ssl);

	return total ? total : r;
}

void line_used(struct line *line, size_t n)
{
	line->in_len -= n;
	memmove(line->in, line->in + n, line->in_len);
}
