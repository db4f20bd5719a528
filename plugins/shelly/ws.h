#pragma once
/* ws - WebSocket as a client speaks it (RFC 6455): the opening over HTTP/1.1, frames, messages in parts. Bytes only.
 *
 *   above   shelly/line
 *   below   base/base  base/text  shelly/sha1
 *   owns    struct ws_message's bytes
 *   limits  WS_HEAD_MAX WS_MESSAGE_MAX WS_CONTROL_MAX WS_FRAME_HEAD_MAX
 *   errors  WS_E_SHORT WS_E_PROTOCOL WS_E_SIZE WS_E_REFUSED WS_E_TEXT
 *
 * Why not libwebsockets: Debian builds it without LWS_WITH_EXTERNAL_POLL, so that its sockets cannot be watched by our host, and
 * with event libraries as run-time plugins, which the fence does not let it open; it links libssl and libcap for what is plain
 * TCP here. What is needed of the protocol is this file.
 */
#include "base/base.h"

enum {
	WS_HEAD_MAX = 4096,	 /* of the answer to our opening */
	WS_MESSAGE_MAX = 65536,	 /* of one message, all parts together */
	WS_CONTROL_MAX = 125,	 /* RFC 6455, 5.5 */
	WS_FRAME_HEAD_MAX = 14,
	WS_KEY_LEN = 16,
	WS_MASK_LEN = 4,
};
enum {
	WS_E_SHORT = 1,	   /* more bytes are needed */
	WS_E_PROTOCOL = 2, /* not as RFC 6455 wants it: close with 1002 */
	WS_E_SIZE = 3,	   /* more than we take: 1009 */
	WS_E_REFUSED = 4,  /* the opening was answered, and not with yes */
	WS_E_TEXT = 5,	   /* a text that is not UTF-8: 1007 */
};
enum ws_op { WS_MORE = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

/* The opening. host: what stands in Host:. False: no room. */
bool ws_open(const char *host, const char *path, const uint8_t key[WS_KEY_LEN], char *ret, size_t cap);
/* The answer to it. *ret_used: bytes of its head; what follows are frames already. REFUSED sets *ret_status only. */
must_check int ws_opened(const void *data, size_t len, const uint8_t key[WS_KEY_LEN], size_t *ret_used, unsigned *ret_status);

struct ws_frame {
	enum ws_op op;
	bool last;
	const uint8_t *data; /* in the caller's bytes */
	size_t len;
};
/* One whole frame of a server's. SHORT: *ret_used is how many bytes it will have, as far as is known. */
must_check int ws_read(const void *data, size_t len, size_t *ret_used, struct ws_frame *ret);
/* A frame of ours. Its length; 0: no room. mask: fresh random bytes. */
size_t ws_write(enum ws_op op, const void *data, size_t len, const uint8_t mask[WS_MASK_LEN], void *ret, size_t cap);

/* Zero-initialised is empty. */
struct ws_message {
	uint8_t *data;
	size_t len;
	enum ws_op op; /* of what is under way; MORE: nothing is */
};
/* Puts data frames (no control frames) together. 0: a message is whole, at ret (borrowed until the next call). SHORT: not yet. */
must_check int ws_message_add(struct ws_message *message, const struct ws_frame *frame, struct ws_frame *ret);
void ws_message_deinit(struct ws_message *message);
