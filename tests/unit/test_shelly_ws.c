/* WebSocket: the opening, frames at every cut, the cases that servers get wrong, limits. */
#include "check.h"

#include <stdlib.h>
#include "base/text.h"
#include "shelly/ws.h"

/* RFC 6455, 1.3: "the sample nonce". */
static const uint8_t key[WS_KEY_LEN] = "the sample nonce";
#define HEAD "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

static void the_opening(void **state)
{
	char text[512];

	(void)state;
	check_true(ws_open("192.168.1.5", "/rpc", key, text, sizeof(text)));
	check_text(text, "GET /rpc HTTP/1.1\r\nHost: 192.168.1.5\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
	check_true(!ws_open("192.168.1.5", "/rpc", key, text, 64));
}

static void answers_to_it(void **state)
{
	static const struct {
		const char *text;
		int error;
		unsigned status;
	} rows[] = {
		{ HEAD UPGRADE ACCEPT "\r\n", 0, 101 },
		{ HEAD "upgrade: WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n" ACCEPT "Server: x\r\n\r\n", 0, 101 },
		{ HEAD UPGRADE ACCEPT, WS_E_SHORT, 0 },
		{ "", WS_E_SHORT, 0 },
		{ "HTTP/1.1 401 Unauthorized\r\n\r\n", WS_E_REFUSED, 401 },
		{ "HTTP/1.0 200\r\n\r\n", WS_E_REFUSED, 200 },
		{ "HTTP/1.1 1x1 No\r\n\r\n", WS_E_PROTOCOL, 0 },
		{ "SSH-2.0-x\r\n\r\n", WS_E_PROTOCOL, 0 },
		{ "\r\n\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD UPGRADE "\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD "Upgrade: websocket\r\n" ACCEPT "\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD "Upgrade: h2c\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD UPGRADE "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD UPGRADE ACCEPT ACCEPT "\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD UPGRADE ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", WS_E_PROTOCOL, 0 },
		{ HEAD UPGRADE ACCEPT "no colon\r\n\r\n", WS_E_PROTOCOL, 0 },
	};
	char big[WS_HEAD_MAX + 1];
	unsigned status = 0;
	size_t used = 0;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r = ws_opened(rows[i].text, strlen(rows[i].text), key, &used, &status);

		if (r != rows[i].error || (r == WS_E_REFUSED && status != rows[i].status) || (!r && used != strlen(rows[i].text)))
			fail_msg("row %zu: %d", i, r);
	}
	memset(big, 'x', sizeof(big));
	check_int(ws_opened(big, WS_HEAD_MAX - 1, key, &used, &status), WS_E_SHORT);
	check_int(ws_opened(big, WS_HEAD_MAX, key, &used, &status), WS_E_SIZE);
}

struct bad {
	const char *hex;
	int error;
};
static void frames_that_are_none(void **state)
{
	static const struct bad rows[] = {
		{ "8180aabbccdd", WS_E_PROTOCOL },	     /* masked by a server */
		{ "c100", WS_E_PROTOCOL },		     /* RSV1 */
		{ "a100", WS_E_PROTOCOL },		     /* RSV2 */
		{ "9100", WS_E_PROTOCOL },		     /* RSV3 */
		{ "8300", WS_E_PROTOCOL },		     /* op 3 */
		{ "8f00", WS_E_PROTOCOL },		     /* op 15 */
		{ "0900", WS_E_PROTOCOL },		     /* a ping in parts */
		{ "897e007e", WS_E_PROTOCOL },		     /* a ping too long */
		{ "817e007d", WS_E_PROTOCOL },		     /* 125 in 16 bits */
		{ "817f000000000000ffff", WS_E_PROTOCOL },   /* 65535 in 64 bits */
		{ "817f8000000000000000", WS_E_SIZE },	     /* the highest bit */
		{ "817f0000000000010001", WS_E_SIZE },	     /* one more than we take */
		{ "880103", WS_E_PROTOCOL },		     /* half a code */
		{ "880203ed", WS_E_PROTOCOL },		     /* 1005 is never sent */
		{ "8802ffff", WS_E_PROTOCOL },
		{ "880403e8c328", WS_E_TEXT },		     /* words that are not UTF-8 */
		{ "81", WS_E_SHORT },
		{ "8105414243", WS_E_SHORT },
		{ "817e01", WS_E_SHORT },
		{ "817f00000000000100", WS_E_SHORT },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint8_t bytes[32];
		size_t n = strlen(rows[i].hex) / 2, used = 0;
		struct ws_frame frame;

		check_ok(hex_parse(rows[i].hex, 2 * n, bytes, n));
		if (ws_read(bytes, n, &used, &frame) != rows[i].error)
			fail_msg("%s", rows[i].hex);
		if (rows[i].error == WS_E_SHORT)
			check_true(used > n);
	}
}

/* What we write, unmasked and with the mask's bit gone, is what a server would have written: lengths around each border, each cut. */
static void a_frame_at_each_length(void **state)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 65535, 65536 };
	static const uint8_t zero[WS_MASK_LEN];
	const uint8_t mask[WS_MASK_LEN] = { 1, 2, 3, 4 };
	uint8_t *data = calloc(1, WS_MESSAGE_MAX), *out = malloc(WS_MESSAGE_MAX + WS_FRAME_HEAD_MAX);

	(void)state;
	assert_non_null(data);
	assert_non_null(out);
	memset(data, 'a', WS_MESSAGE_MAX);
	for (size_t i = 0; i < N_ELEMENTS(lengths); i++) {
		size_t head = lengths[i] < 126 ? 2 : lengths[i] < 65536 ? 4 : 10;
		size_t n = ws_write(WS_TEXT, data, lengths[i], zero, out, lengths[i] + WS_FRAME_HEAD_MAX), used = 0;
		struct ws_frame frame;

		check_uint(n, head + WS_MASK_LEN + lengths[i]);
		check_true(out[1] & 0x80);
		out[1] &= 0x7f;
		memmove(out + head, out + head + WS_MASK_LEN, lengths[i]);
		n -= WS_MASK_LEN;
		for (size_t cut = 0; cut < n; cut += cut < 20 ? 1 : 9973) {
			check_int(ws_read(out, cut, &used, &frame), WS_E_SHORT);
			check_true(used > cut && used <= n);
		}
		check_ok(ws_read(out, n, &used, &frame));
		check_uint(used, n);
		check_uint(frame.len, lengths[i]);
		check_true(frame.last && frame.op == WS_TEXT);
		check_true(memcmp(frame.data, data, frame.len) == 0);
		check_uint(ws_write(WS_TEXT, data, lengths[i], zero, out, n + WS_MASK_LEN - 1), 0);
	}
	check_uint(ws_write(WS_PING, "AB", 2, mask, out, 32), 8);
	check_bytes(out, 8, "\x89\x82\x01\x02\x03\x04" "@@", 8);
	free(data);
	free(out);
}

static struct ws_frame part(enum ws_op op, bool last, const char *text)
{
	return (struct ws_frame){ .op = op, .last = last, .data = (const uint8_t *)text, .len = strlen(text) };
}

static int add(struct ws_message *message, enum ws_op op, bool last, const char *text, struct ws_frame *ret)
{
	struct ws_frame frame = part(op, last, text);

	return ws_message_add(message, &frame, ret);
}

static void messages_in_parts(void **state)
{
	struct ws_message message = { 0 };
	struct ws_frame whole = { 0 };

	(void)state;
	check_ok(add(&message, WS_TEXT, true, "whole", &whole));
	check_bytes(whole.data, whole.len, "whole", 5);
	check_int(add(&message, WS_TEXT, false, "par", &whole), WS_E_SHORT);
	check_int(add(&message, WS_MORE, false, "", &whole), WS_E_SHORT);
	check_ok(add(&message, WS_MORE, true, "ts", &whole));
	check_bytes(whole.data, whole.len, "parts", 5);
	check_true(whole.op == WS_TEXT);
	/* A character across two parts is whole in the message; one that stays half is not. */
	check_int(add(&message, WS_TEXT, false, "\xc3", &whole), WS_E_SHORT);
	check_ok(add(&message, WS_MORE, true, "\xa4", &whole));
	check_int(add(&message, WS_TEXT, true, "\xc3", &whole), WS_E_TEXT);
	check_ok(add(&message, WS_BINARY, true, "\xc3", &whole));
	/* More of nothing; a new one in the middle of another. */
	check_int(add(&message, WS_MORE, true, "x", &whole), WS_E_PROTOCOL);
	check_int(add(&message, WS_TEXT, false, "a", &whole), WS_E_SHORT);
	check_int(add(&message, WS_TEXT, true, "b", &whole), WS_E_PROTOCOL);
	ws_message_deinit(&message);
}

static void a_message_is_bounded(void **state)
{
	uint8_t *half = calloc(1, WS_MESSAGE_MAX / 2);
	struct ws_frame frame = { .op = WS_BINARY, .data = half, .len = WS_MESSAGE_MAX / 2 }, whole = { 0 };
	struct ws_message message = { 0 };

	(void)state;
	assert_non_null(half);
	check_int(ws_message_add(&message, &frame, &whole), WS_E_SHORT);
	frame.op = WS_MORE;
	check_int(ws_message_add(&message, &frame, &whole), WS_E_SHORT);
	frame.len = 1;
	frame.last = true;
	check_int(ws_message_add(&message, &frame, &whole), WS_E_SIZE);
	frame.len = 0;
	check_ok(ws_message_add(&message, &frame, &whole));
	check_uint(whole.len, WS_MESSAGE_MAX);
	ws_message_deinit(&message);
	free(half);
}

static void control_frames(void **state)
{
	uint8_t ping[2 + WS_CONTROL_MAX] = { 0x89, WS_CONTROL_MAX };
	struct ws_frame frame;
	size_t used;

	(void)state;
	check_ok(ws_read(ping, sizeof(ping), &used, &frame));
	check_true(frame.op == WS_PING);
	check_uint(frame.len, WS_CONTROL_MAX);
	check_ok(ws_read("\x88\x00", 2, &used, &frame));
	check_true(frame.op == WS_CLOSE);
	check_ok(ws_read("\x88\x05\x03\xe8" "bye", 7, &used, &frame));
	check_uint(frame.len, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_opening),
		cmocka_unit_test(answers_to_it),
		cmocka_unit_test(frames_that_are_none),
		cmocka_unit_test(a_frame_at_each_length),
		cmocka_unit_test(messages_in_parts),
		cmocka_unit_test(a_message_is_bounded),
		cmocka_unit_test(control_frames),
	};

	return CHECK_RUN(tests);
}
