/* A decoder that checks every read soon stops checking one of them. Here nobody checks: a reader
 * that has gone past its end stays bad, gives zeros, and is asked once. Integers are put together
 * byte by byte, so the host's byte order and alignment do not matter.
 */
#include "base/bytes.h"

#include <string.h>
#include "base/text.h"

struct view view_text(const char *text)
{
	return (struct view){ (const uint8_t *)text, strlen(text) };
}

struct reader reader_over(const void *data, size_t len)
{
	const uint8_t *p = data ? data : (const uint8_t *)"";

	return (struct reader){ .p = p, .end = p + (data ? len : 0), .bad = !data && len > 0 };
}

/* The next len bytes, or NULL and from now on bad. */
static const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || (size_t)(r->end - p) < len) {
		r->bad = true;
		return NULL;
	}
	r->p = p + len;
	return p;
}

static uint64_t get_uint(struct reader *r, size_t len)
{
	const uint8_t *p = take(r, len);
	uint64_t v = 0;

	for (size_t i = len; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

uint8_t get_u8(struct reader *r)
{
	return (uint8_t)get_uint(r, 1);
}

uint16_t get_u16(struct reader *r)
{
	return (uint16_t)get_uint(r, 2);
}

uint32_t get_u32(struct reader *r)
{
	return (uint32_t)get_uint(r, 4);
}

uint64_t get_u64(struct reader *r)
{
	return get_uint(r, 8);
}

int64_t get_i64(struct reader *r)
{
	return (int64_t)get_uint(r, 8);
}

double get_f64(struct reader *r)
{
	uint64_t bits = get_uint(r, 8);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

struct view get_view(struct reader *r, size_t len)
{
	const uint8_t *p = take(r, len);

	return (struct view){ .data = p, .len = p ? len : 0 };
}

struct view get_view16(struct reader *r, size_t max)
{
	size_t len = get_u16(r);

	if (len > max)
		r->bad = true;
	return get_view(r, len);
}

struct view get_text16(struct reader *r, size_t max)
{
	struct view v = get_view16(r, max);

	if (v.len && !text_is_utf8(v.data, v.len)) {
		r->bad = true;
		return (struct view){ NULL, 0 };
	}
	return v;
}

bool reader_is_done(const struct reader *r)
{
	return !r->bad && r->p == r->end;
}

size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->p);
}

struct writer writer_over(void *buf, size_t cap)
{
	uint8_t *p = buf;

	return (struct writer){ .start = p, .p = p, .end = p ? p + cap : p, .bad = !p && cap > 0 };
}

static uint8_t *room(struct writer *w, size_t len)
{
	uint8_t *p = w->p;

	if (w->bad || !p || (size_t)(w->end - p) < len) {
		w->bad = w->bad || len > 0;
		return NULL;
	}
	w->p = p + len;
	return p;
}

static void put_uint(struct writer *w, uint64_t v, size_t len)
{
	uint8_t *p = room(w, len);

	for (size_t i = 0; p && i < len; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

void put_u8(struct writer *w, uint8_t v)
{
	put_uint(w, v, 1);
}

void put_u16(struct writer *w, uint16_t v)
{
	put_uint(w, v, 2);
}

void put_u32(struct writer *w, uint32_t v)
{
	put_uint(w, v, 4);
}

void put_u64(struct writer *w, uint64_t v)
{
	put_uint(w, v, 8);
}

void put_i64(struct writer *w, int64_t v)
{
	put_uint(w, (uint64_t)v, 8);
}

void put_f64(struct writer *w, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_uint(w, bits, 8);
}

void put_bytes(struct writer *w, const void *data, size_t len)
{
	uint8_t *p = room(w, len);

	if (p && len)
		memcpy(p, data, len);
}

void put_view16(struct writer *w, const void *data, size_t len)
{
	/* All or nothing: a length without its bytes would be read as somebody else's bytes. */
	if (len > UINT16_MAX || w->bad || (size_t)(w->end - w->p) < 2 + len) {
		w->bad = true;
		return;
	}
	put_u16(w, (uint16_t)len);
	put_bytes(w, data, len);
}

void put_text16(struct writer *w, const char *text)
{
	put_view16(w, text, text ? strlen(text) : 0);
}

void put_at_u16(struct writer *w, size_t offset, uint16_t v)
{
	size_t len = writer_len(w);

	if (w->bad || len < 2 || offset > len - 2) {
		w->bad = true;
		return;
	}
	w->start[offset] = (uint8_t)v;
	w->start[offset + 1] = (uint8_t)(v >> 8);
}

size_t writer_len(const struct writer *w)
{
	return (size_t)(w->p - w->start);
}
