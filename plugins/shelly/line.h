#pragma once
/* line - one TCP connection with a WebSocket on it: dialled, opened, read and written without waiting.
 *
 *   above   shelly/unit
 *   below   base/base  base/text  shelly/ws  sys/crypto
 *   owns    the socket, bytes that came and that are to go
 *   limits  LINE_OUT_MAX
 *   errors  LINE_E_NOTHING LINE_E_CLOSED LINE_E_REFUSED LINE_E_PROTOCOL LINE_E_FULL
 *
 * Addresses are numbers, and only those of a home: private, link-local, or the machine itself.
 */
#include "base/base.h"
#include "shelly/ws.h"

enum { LINE_OUT_MAX = 32768 };
enum {
	LINE_E_NOTHING = 1, /* no whole message is there */
	LINE_E_CLOSED = 2,
	LINE_E_REFUSED = 3,  /* nobody takes a WebSocket there */
	LINE_E_PROTOCOL = 4, /* not as the RFC wants it, or too much */
	LINE_E_FULL = 5,     /* it does not take what we say */
};

struct place {
	uint8_t address[4];
	uint16_t port;
};
bool place_is_home(const struct place *place);
bool place_equal(const struct place *a, const struct place *b);
void place_print(const struct place *place, char ret[24]);
must_check int place_parse(const char *text, struct place *ret); /* 192.168.1.5 or 192.168.1.5:8080; -EINVAL */

enum line_state { LINE_OFF, LINE_DIALLING, LINE_OPENING, LINE_OPEN };
/* Zero-initialised and LINE_OFF is closed. */
struct line {
	enum line_state state;
	int fd;
	bool ponged;
	uint8_t key[WS_KEY_LEN];
	uint8_t *in, *out;
	size_t n_in, cap_in, n_out;
	size_t n_done; /* of in: frames that were handed out */
	struct ws_message message;
};

must_check int line_dial(struct line *line, const struct place *place); /* negative: could not even begin */
void line_close(struct line *line);
bool line_wants_out(const struct line *line); /* be told when it can be written */
/* It can be written: goes on with what there is to do. */
must_check int line_write(struct line *line, const struct place *place);
/* It can be read: takes what is there. */
must_check int line_read(struct line *line);
/* The next whole message (borrowed until the next call), after line_read. *ret_opened: the WebSocket stands since this call. */
must_check int line_next(struct line *line, bool *ret_opened, const char **ret, size_t *ret_len);
must_check int line_say(struct line *line, const char *text, size_t len);
must_check int line_ping(struct line *line);
