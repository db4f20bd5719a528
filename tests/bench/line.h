#pragma once
/* line - a byte stream to a broker: unix socket, TCP or TLS, which never blocks once it is open.
 *
 *   above   bench/crowd  bench/watcher  bench/load
 *   owns    the socket, the TLS session, what is written but not sent, what is read but not used
 *   limits  LINE_OUT_MAX
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_OUT_MAX = 256 * 1024 }; /* bytes that wait to be sent; line_put refuses more */

struct ssl_st;
struct ssl_ctx_st;

struct line {
	int fd; /* -1: not open */
	struct ssl_st *ssl;
	uint8_t *out;
	size_t out_len;
	uint8_t *in;
	size_t in_len, in_max;
};

struct line_tls {
	const char *ca, *cert, *key;
};

/* TLS 1.3 with a client certificate; NULL when a file cannot be used (the reason is on stderr). */
struct ssl_ctx_st *line_tls_new(const struct line_tls *tls);
void line_tls_free(struct ssl_ctx_st *ctx);

/* Opens "unix:PATH" or "HOST:PORT"; blocks until the handshake is through, then no more.
 * tls may be NULL. 0 or negative errno; a failed line needs no line_close. */
__attribute__((warn_unused_result)) int line_open(struct line *line, const char *address,
						  struct ssl_ctx_st *tls, size_t in_max);
void line_close(struct line *line);

/* Room for another n bytes in the out buffer? */
static inline bool line_has_room(const struct line *line, size_t n)
{
	return LINE_OUT_MAX - line->out_len >= n;
}
/* Where the next n bytes may be written; line_added says how many were. */
static inline uint8_t *line_room(struct line *line)
{
	return line->out + line->out_len;
}
static inline void line_added(struct line *line, size_t n)
{
	line->out_len += n;
}

/* Sends what it can; 0 (out_len says what is left) or negative errno. */
__attribute__((warn_unused_result)) int line_flush(struct line *line);
/* Reads what is there into in; the number of new bytes (0: nothing), or negative errno. */
__attribute__((warn_unused_result)) int line_fill(struct line *line);
/* Drops n used bytes from the front of in. */
void line_used(struct line *line, size_t n);
