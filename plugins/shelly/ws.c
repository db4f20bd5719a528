/* Every length is compared with what is there before a byte is looked at; what does not fit the RFC ends the connection, because
 * after it nobody knows where the next frame begins. */
#include "shelly/ws.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/text.h"
#include "shelly/sha1.h"

enum { FIN = 0x80, RESERVED = 0x70, OP = 0x0f, MASKED = 0x80, LENGTH = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127 };
enum { KEY_TEXT = 24, ACCEPT_TEXT = 28 };

static void base64(const uint8_t *data, size_t len, char *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)data[i] << 16 | (i + 1 < len ? (uint32_t)data[i + 1] << 8 : 0) |
				 (i + 2 < len ? data[i + 2] : 0);

		*ret++ = digits[three >> 18];
		*ret++ = digits[three >> 12 & 63];
		*ret++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
		*ret++ = i + 2 < len ? digits[three & 63] : '=';
	}
	*ret = '\0';
}

bool ws_open(const char *host, const char *path, const uint8_t key[WS_KEY_LEN], char *ret, size_t cap)
{
	char text[KEY_TEXT + 1];

	base64(key, WS_KEY_LEN, text);
	return text_print(ret, cap,
			  "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", path, host, text);
}

/* What the far end makes of our key (RFC 6455, 4.2.2). */
static void accept_of(const uint8_t key[WS_KEY_LEN], char ret[ACCEPT_TEXT + 1])
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[KEY_TEXT + sizeof(guid)];
	uint8_t hash[SHA1_LEN];

	base64(key, WS_KEY_LEN, text);
	memcpy(text + KEY_TEXT, guid, sizeof(guid));
	sha1(text, sizeof(text) - 1, hash);
	base64(hash, sizeof(hash), ret);
}

struct field {
	const char *text;
	size_t len;
};

static struct field trimmed(const char *text, size_t len)
{
	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	return (struct field){ text, len };
}

static bool field_is(struct field field, const char *want)
{
	return field.len == strlen(want) && strncasecmp(field.text, want, field.len) == 0;
}

/* "keep-alive, Upgrade" has Upgrade. */
static bool field_has(struct field field, const char *want)
{
	while (field.len) {
		const char *comma = memchr(field.text, ',', field.len);
		size_t len = comma ? (size_t)(comma - field.text) : field.len;

		if (field_is(trimmed(field.text, len), want))
			return true;
		field.text += comma ? len + 1 : len;
		field.len -= comma ? len + 1 : len;
	}
	return false;
}

struct seen {
	bool upgrade, connection, accept;
};

/* One header line. Twice the same of those that count, or something that we did not ask for: no. */
static bool take_line(const char *line, size_t len, const char *accept, struct seen *seen)
{
	const char *colon = memchr(line, ':', len);
	struct field name, value;

	if (!colon || colon == line)
		return false;
	name = (struct field){ line, (size_t)(colon - line) };
	value = trimmed(colon + 1, len - name.len - 1);
	if (field_is(name, "upgrade")) {
		if (seen->upgrade)
			return false;
		seen->upgrade = field_is(value, "websocket");
		return seen->upgrade;
	}
	if (field_is(name, "connection")) {
		seen->connection = seen->connection || field_has(value, "upgrade");
	} else if (field_is(name, "sec-websocket-accept")) {
		if (seen->accept || value.len != ACCEPT_TEXT || memcmp(value.text, accept, ACCEPT_TEXT) != 0)
			return false;
		seen->accept = true;
	} else if (field_is(name, "sec-websocket-extensions") || field_is(name, "sec-websocket-protocol")) {
		return value.len == 0;
	}
	return true;
}

/* "HTTP/1.1 101 ..." */
static bool status_of(const char *line, size_t len, unsigned *ret)
{
	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' || (len > 12 && line[12] != ' '))
		return false;
	*ret = 0;
	for (unsigned i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		*ret = *ret * 10 + (unsigned)(line[i] - '0');
	}
	return true;
}

static int take_head(const char *head, size_t len, const char *accept, unsigned *ret_status)
{
	struct seen seen = { 0 };
	bool first = true;

	while (len) {
		const char *end = memmem(head, len, "\r\n", 2);
		size_t line = end ? (size_t)(end - head) : len;

		if (first && !status_of(head, line, ret_status))
			return WS_E_PROTOCOL;
		if (first && *ret_status != 101)
			return WS_E_REFUSED;
		if (!first && !take_line(head, line, accept, &seen))
			return WS_E_PROTOCOL;
		first = false;
		head += end ? line + 2 : line;
		len -= end ? line + 2 : line;
	}
	return seen.upgrade && seen.connection && seen.accept ? 0 : WS_E_PROTOCOL;
}

int ws_opened(const void *data, size_t len, const uint8_t key[WS_KEY_LEN], size_t *ret_used, unsigned *ret_status)
{
	size_t look = len < WS_HEAD_MAX ? len : WS_HEAD_MAX;
	const char *end = memmem(data, look, "\r\n\r\n", 4);
	char accept[ACCEPT_TEXT + 1];
	int r;

	if (!end)
		return len >= WS_HEAD_MAX ? WS_E_SIZE : WS_E_SHORT;
	accept_of(key, accept);
	r = take_head(data, (size_t)(end - (const char *)data), accept, ret_status);
	if (!r)
		*ret_used = (size_t)(end - (const char *)data) + 4;
	return r;
}

/* Frames */

static bool is_control(uint8_t op)
{
	return op & 8;
}

static bool is_op(uint8_t op)
{
	return op <= WS_BINARY || (op >= WS_CLOSE && op <= WS_PONG);
}

/* The length in as few bytes as it wants (5.2); *ret_head is where the payload begins. */
static int length_of(const uint8_t *p, size_t len, uint64_t *ret, size_t *ret_head)
{
	uint8_t small = p[1] & LENGTH;
	size_t more = small == LENGTH_16 ? 2 : small == LENGTH_64 ? 8 : 0;
	uint64_t n = 0;

	*ret_head = 2 + more;
	if (len < 2 + more)
		return WS_E_SHORT;
	for (size_t i = 0; i < more; i++)
		n = n << 8 | p[2 + i];
	if ((more == 2 && n < LENGTH_16) || (more == 8 && n <= UINT16_MAX))
		return WS_E_PROTOCOL;
	*ret = more ? n : small;
	return 0;
}

static bool is_close_code(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* Nothing, or a code and words (5.5.1). */
static int check_close(const uint8_t *data, size_t len)
{
	if (!len)
		return 0;
	if (len < 2 || !is_close_code((unsigned)data[0] << 8 | data[1]))
		return WS_E_PROTOCOL;
	return text_is_utf8(data + 2, len - 2) ? 0 : WS_E_TEXT;
}

int ws_read(const void *data, size_t len, size_t *ret_used, struct ws_frame *ret)
{
	const uint8_t *p = data;
	size_t head = 2;
	uint64_t n = 0;
	uint8_t op;
	int r;

	*ret_used = 2;
	if (len < 2)
		return WS_E_SHORT;
	op = p[0] & OP;
	/* A server never masks (5.1); no extension was agreed on. */
	if (p[0] & RESERVED || !is_op(op) || p[1] & MASKED)
		return WS_E_PROTOCOL;
	if (is_control(op) && (!(p[0] & FIN) || (p[1] & LENGTH) > WS_CONTROL_MAX))
		return WS_E_PROTOCOL;
	r = length_of(p, len, &n, &head);
	*ret_used = head;
	if (r)
		return r;
	if (n > WS_MESSAGE_MAX)
		return WS_E_SIZE;
	*ret_used = head + (size_t)n;
	if (len < *ret_used)
		return WS_E_SHORT;
	if (op == WS_CLOSE) {
		r = check_close(p + head, (size_t)n);
		if (r)
			return r;
	}
	*ret = (struct ws_frame){ .op = op, .last = p[0] & FIN, .data = p + head, .len = (size_t)n };
	return 0;
}

size_t ws_write(enum ws_op op, const void *data, size_t len, const uint8_t mask[WS_MASK_LEN], void *ret, size_t cap)
{
	size_t more = len < LENGTH_16 ? 0 : len <= UINT16_MAX ? 2 : 8, head = 2 + more + WS_MASK_LEN;
	const uint8_t *from = data;
	uint8_t *p = ret;

	if (cap < head || cap - head < len)
		return 0;
	p[0] = (uint8_t)(FIN | op);
	p[1] = (uint8_t)(MASKED | (more == 0 ? len : more == 2 ? LENGTH_16 : LENGTH_64));
	for (size_t i = 0; i < more; i++)
		p[2 + i] = (uint8_t)((uint64_t)len >> 8 * (more - 1 - i));
	memcpy(p + 2 + more, mask, WS_MASK_LEN);
	for (size_t i = 0; i < len; i++)
		p[head + i] = from[i] ^ mask[i % WS_MASK_LEN];
	return head + len;
}

/* Messages */

void ws_message_deinit(struct ws_message *message)
{
	free(message->data);
	*message = (struct ws_message){ 0 };
}

static int finish(enum ws_op op, const uint8_t *data, size_t len, struct ws_frame *ret)
{
	if (op == WS_TEXT && !text_is_utf8(data, len))
		return WS_E_TEXT;
	*ret = (struct ws_frame){ .op = op, .last = true, .data = data, .len = len };
	return 0;
}

int ws_message_add(struct ws_message *message, const struct ws_frame *frame, struct ws_frame *ret)
{
	bool begins = frame->op != WS_MORE;
	enum ws_op op;
	uint8_t *grown;

	if (begins == (message->op != WS_MORE))
		return WS_E_PROTOCOL;
	if (begins) {
		/* What was handed out last is no longer anybody's. */
		ws_message_deinit(message);
		if (frame->last)
			return finish(frame->op, frame->data, frame->len, ret);
		message->op = frame->op;
	}
	if (frame->len > WS_MESSAGE_MAX - message->len)
		return WS_E_SIZE;
	grown = realloc(message->data, message->len + frame->len + 1);
	if (!grown)
		return -ENOMEM;
	message->data = grown;
	if (frame->len)
		memcpy(grown + message->len, frame->data, frame->len);
	message->len += frame->len;
	if (!frame->last)
		return WS_E_SHORT;
	op = message->op;
	message->op = WS_MORE;
	return finish(op, message->data, message->len, ret);
}
