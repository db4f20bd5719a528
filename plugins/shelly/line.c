/* Bytes that came are kept until they make a frame; room for them is made when it is needed and given back when nothing is left,
 * for a hundred devices are quiet most of the time. */
#include "shelly/line.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/text.h"
#include "sys/crypto.h"

enum { ROOM_MIN = 2048, IN_MAX = WS_MESSAGE_MAX + WS_FRAME_HEAD_MAX + ROOM_MIN, HTTP_PORT = 80 };

/* Places */

struct range {
	uint8_t address[4];
	unsigned bits;
};
/* RFC 1918, RFC 3927, and the machine itself. */
static const struct range homes[] = {
	{ { 10, 0, 0, 0 }, 8 }, { { 172, 16, 0, 0 }, 12 }, { { 192, 168, 0, 0 }, 16 }, { { 169, 254, 0, 0 }, 16 }, { { 127, 0, 0, 0 }, 8 },
};

static uint32_t number_of(const uint8_t address[4])
{
	return (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 | (uint32_t)address[2] << 8 | address[3];
}

bool place_is_home(const struct place *place)
{
	uint32_t number = number_of(place->address);

	for (size_t i = 0; i < N_ELEMENTS(homes); i++) {
		uint32_t mask = UINT32_MAX << (32 - homes[i].bits);

		if ((number & mask) == number_of(homes[i].address))
			return place->port != 0;
	}
	return false;
}

bool place_equal(const struct place *a, const struct place *b)
{
	return memcmp(a->address, b->address, 4) == 0 && a->port == b->port;
}

void place_print(const struct place *place, char ret[24])
{
	const uint8_t *a = place->address;

	text_print(ret, 24, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
	if (place->port != HTTP_PORT)
		text_append(ret, 24, ":%u", place->port);
}

int place_parse(const char *text, struct place *ret)
{
	struct place place = { .port = HTTP_PORT };
	uint32_t number, port = HTTP_PORT;
	char part[8];

	for (unsigned i = 0; i < 4; i++) {
		size_t len = strspn(text, "0123456789");

		if (!text_copy_n(part, sizeof(part), text, len) || text_to_u32(part, 0, 255, &number))
			return -EINVAL;
		place.address[i] = (uint8_t)number;
		text += len;
		if (i < 3 && *text++ != '.')
			return -EINVAL;
	}
	if (*text && (*text != ':' || text_to_u32(text + 1, 1, 65535, &port)))
		return -EINVAL;
	place.port = (uint16_t)port;
	*ret = place;
	return 0;
}

/* Dialling */

void line_close(struct line *line)
{
	if (line->state != LINE_OFF)
		close(line->fd);
	free(line->in);
	free(line->out);
	ws_message_deinit(&line->message);
	*line = (struct line){ .state = LINE_OFF, .fd = -1 };
}

int line_dial(struct line *line, const struct place *place)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(place->port) };
	int fd, on = 1;

	line_close(line);
	if (!place_is_home(place))
		return -EACCES;
	memcpy(&to.sin_addr, place->address, 4);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS) {
		int r = -errno;

		close(fd);
		return r;
	}
	line->fd = fd;
	line->state = LINE_DIALLING;
	crypto_random(line->key, sizeof(line->key));
	return 0;
}

bool line_wants_out(const struct line *line)
{
	return line->state == LINE_DIALLING || line->n_out;
}

/* Writing */

static int flush_out(struct line *line)
{
	while (line->n_out) {
		ssize_t n = send(line->fd, line->out, line->n_out, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : LINE_E_CLOSED;
		line->n_out -= (size_t)n;
		memmove(line->out, line->out + n, line->n_out);
	}
	free(line->out);
	line->out = NULL;
	return 0;
}

/* Room for more bytes to go. */
static uint8_t *out_room(struct line *line, size_t len)
{
	uint8_t *grown;

	if (len > LINE_OUT_MAX || line->n_out > LINE_OUT_MAX - len)
		return NULL;
	grown = realloc(line->out, line->n_out + len);
	if (!grown)
		return NULL;
	line->out = grown;
	return grown + line->n_out;
}

static int put_frame(struct line *line, enum ws_op op, const void *data, size_t len)
{
	uint8_t mask[WS_MASK_LEN], *room = out_room(line, len + WS_FRAME_HEAD_MAX);

	if (!room)
		return LINE_E_FULL;
	crypto_random(mask, sizeof(mask));
	line->n_out += ws_write(op, data, len, mask, room, len + WS_FRAME_HEAD_MAX);
	return flush_out(line);
}

static int put_opening(struct line *line, const struct place *place)
{
	char host[24], text[512];
	uint8_t *room;

	place_print(place, host);
	if (!ws_open(host, "/rpc", line->key, text, sizeof(text)))
		return LINE_E_FULL;
	room = out_room(line, strlen(text));
	if (!room)
		return LINE_E_FULL;
	memcpy(room, text, strlen(text));
	line->n_out += strlen(text);
	return 0;
}

int line_write(struct line *line, const struct place *place)
{
	int error = 0, r;
	socklen_t len = sizeof(error);

	if (line->state == LINE_DIALLING) {
		if (getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error)
			return LINE_E_CLOSED;
		r = put_opening(line, place);
		if (r)
			return r;
		line->state = LINE_OPENING;
	}
	return flush_out(line);
}

int line_say(struct line *line, const char *text, size_t len)
{
	return line->state == LINE_OPEN ? put_frame(line, WS_TEXT, text, len) : LINE_E_CLOSED;
}

int line_ping(struct line *line)
{
	line->ponged = false;
	return line->state == LINE_OPEN ? put_frame(line, WS_PING, "gw", 2) : LINE_E_CLOSED;
}

/* Reading */

static void drop_done(struct line *line)
{
	line->n_in -= line->n_done;
	if (line->n_in)
		memmove(line->in, line->in + line->n_done, line->n_in);
	line->n_done = 0;
	if (!line->n_in) {
		free(line->in);
		line->in = NULL;
		line->cap_in = 0;
	}
}

int line_read(struct line *line)
{
	size_t want;
	ssize_t n;

	drop_done(line);
	want = line->n_in + ROOM_MIN;
	/* A frame that is not whole yet is never that long: what is there is to be taken first. */
	if (want > IN_MAX)
		return 0;
	if (line->cap_in < want) {
		size_t cap = 2 * line->cap_in > want ? 2 * line->cap_in : want;
		uint8_t *grown = realloc(line->in, cap < IN_MAX ? cap : IN_MAX);

		if (!grown)
			return LINE_E_FULL;
		line->in = grown;
		line->cap_in = cap < IN_MAX ? cap : IN_MAX;
	}
	n = recv(line->fd, line->in + line->n_in, line->cap_in - line->n_in, 0);
	if (n > 0)
		line->n_in += (size_t)n;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return 0;
	return LINE_E_CLOSED;
}

static int take_opening(struct line *line, bool *ret_opened)
{
	unsigned status = 0;
	size_t used = 0;
	int r = ws_opened(line->in, line->n_in, line->key, &used, &status);

	if (r == WS_E_SHORT)
		return LINE_E_NOTHING;
	if (r)
		return r == WS_E_REFUSED ? LINE_E_REFUSED : LINE_E_PROTOCOL;
	line->n_done = used;
	line->state = LINE_OPEN;
	*ret_opened = true;
	return 0;
}

static int take_control(struct line *line, const struct ws_frame *frame)
{
	if (frame->op == WS_PING)
		return put_frame(line, WS_PONG, frame->data, frame->len);
	if (frame->op == WS_PONG) {
		line->ponged = true;
		return 0;
	}
	return LINE_E_CLOSED;
}

int line_next(struct line *line, bool *ret_opened, const char **ret, size_t *ret_len)
{
	struct ws_frame frame, whole;
	size_t used;
	int r;

	*ret_opened = false;
	if (line->n_in && line->state == LINE_OPENING) {
		r = take_opening(line, ret_opened);
		if (r)
			return r;
	}
	while (line->state == LINE_OPEN && line->n_in > line->n_done) {
		r = ws_read(line->in + line->n_done, line->n_in - line->n_done, &used, &frame);
		if (r == WS_E_SHORT)
			break;
		if (r)
			return LINE_E_PROTOCOL;
		line->n_done += used;
		if (frame.op >= WS_CLOSE) {
			r = take_control(line, &frame);
			if (r)
				return r;
			continue;
		}
		r = ws_message_add(&line->message, &frame, &whole);
		if (r == WS_E_SHORT)
			continue;
		if (r)
			return LINE_E_PROTOCOL;
		*ret = (const char *)whole.data;
		*ret_len = whole.len;
		return 0;
	}
	drop_done(line);
	return LINE_E_NOTHING;
}
