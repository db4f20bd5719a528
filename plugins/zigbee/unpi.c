/*
 * A frame is FE, the number of data bytes, two command bytes, the data, and the XOR of all that stands between FE
 * and itself. Nothing is escaped and nothing acknowledged, so FE inside of data looks like a start. A reader that
 * lost its place tries each FE in turn and lets length and check byte decide. When a candidate fails only its FE
 * is thrown away: the true start may be among the bytes that were taken for its data.
 *
 * The buffer holds exactly the largest frame. A candidate in front of a full buffer is therefore always whole, so
 * that the reader never waits for a byte for which it has no room.
 */
#include "zigbee/unpi.h"

#include <assert.h>
#include <string.h>

enum { SOF = 0xfe, HEAD = 4, AROUND = 5 };

static uint8_t check_byte(const uint8_t *data, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum ^= data[i];
	return sum;
}

static void drop(struct unpi_reader *r, size_t n)
{
	assert(n <= r->len);
	memmove(r->buf, r->buf + n, r->len - n);
	r->len -= n;
}

static void skip(struct unpi_reader *r, size_t n)
{
	r->skipped += n;
	drop(r, n);
}

static void drop_given(struct unpi_reader *r)
{
	drop(r, r->given);
	r->given = 0;
}

static void skip_to_start(struct unpi_reader *r)
{
	const uint8_t *start = r->len ? memchr(r->buf, SOF, r->len) : NULL;

	skip(r, start ? (size_t)(start - r->buf) : r->len);
}

void unpi_reader_init(struct unpi_reader *r)
{
	memset(r, 0, sizeof(*r));
}

size_t unpi_reader_take(struct unpi_reader *r, const void *data, size_t len)
{
	size_t room;

	drop_given(r);
	room = sizeof(r->buf) - r->len;
	if (len > room)
		len = room;
	if (len)
		memcpy(r->buf + r->len, data, len);
	r->len += len;
	return len;
}

bool unpi_reader_next(struct unpi_reader *r, struct unpi_frame *ret)
{
	drop_given(r);
	for (skip_to_start(r); r->len >= 2; skip_to_start(r)) {
		size_t n = r->buf[1];

		if (n > UNPI_DATA_MAX) {
			r->bad_lengths++;
			skip(r, 1);
			continue;
		}
		if (r->len < n + AROUND)
			break;
		if (check_byte(r->buf + 1, n + 3) != r->buf[HEAD + n]) {
			r->bad_checks++;
			skip(r, 1);
			continue;
		}
		r->frames++;
		r->given = n + AROUND;
		*ret = (struct unpi_frame){ r->buf[2] >> 5, r->buf[2] & 0x1f, r->buf[3], { r->buf + HEAD, n } };
		return true;
	}
	return false;
}

void unpi_reader_silence(struct unpi_reader *r)
{
	drop_given(r);
	if (r->len)
		skip(r, 1);
}

int unpi_encode(const struct unpi_frame *frame, void *buf, size_t cap, size_t *ret_len)
{
	struct writer w = writer_over(buf, cap);
	size_t n = frame->data.len;

	assert(frame->type <= UNPI_SRSP && frame->subsystem < 32);
	if (n > UNPI_DATA_MAX || cap < n + AROUND)
		return UNPI_E_SIZE;
	put_u8(&w, SOF);
	put_u8(&w, (uint8_t)n);
	put_u8(&w, (uint8_t)(frame->type << 5 | frame->subsystem));
	put_u8(&w, frame->id);
	put_bytes(&w, frame->data.data, n);
	put_u8(&w, check_byte((uint8_t *)buf + 1, n + 3));
	*ret_len = writer_len(&w);
	return 0;
}
