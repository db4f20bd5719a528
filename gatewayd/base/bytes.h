#pragma once
/* bytes - a sticky reader and writer over a borrowed buffer, little-endian: one verdict at the end.
 *
 *   above   model/wire  audit/record  spool/spool
 *   below   base/base  base/text
 *   owns    nothing: buffers are the caller's
 *   errors  none: look at .bad once, at the end
 *
 * After the first read past the end (or write past the capacity) .bad is set, every later read returns
 * zero or an empty view and every later write does nothing. Lengths are compared by subtraction.
 */
#include "base/base.h"

struct view {
	const uint8_t *data;
	size_t len;
};
struct view view_text(const char *text); /* borrowed; without its NUL */

struct reader {
	const uint8_t *p, *end;
	bool bad;
};

struct writer {
	uint8_t *start, *p, *end;
	bool bad;
};

struct reader reader_over(const void *data, size_t len);
uint8_t get_u8(struct reader *r);
uint16_t get_u16(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
int64_t get_i64(struct reader *r);
double get_f64(struct reader *r);
struct view get_view(struct reader *r, size_t len);      /* borrowed from the buffer */
struct view get_view16(struct reader *r, size_t max);    /* u16 length first; longer than max is bad */
struct view get_text16(struct reader *r, size_t max);    /* the same, and must be UTF-8 without NUL */
bool reader_is_done(const struct reader *r);             /* not bad and nothing left */
size_t reader_left(const struct reader *r);

struct writer writer_over(void *buf, size_t cap);
void put_u8(struct writer *w, uint8_t v);
void put_u16(struct writer *w, uint16_t v);
void put_u32(struct writer *w, uint32_t v);
void put_u64(struct writer *w, uint64_t v);
void put_i64(struct writer *w, int64_t v);
void put_f64(struct writer *w, double v);
void put_bytes(struct writer *w, const void *data, size_t len);
void put_view16(struct writer *w, const void *data, size_t len); /* len > 65535 is bad */
void put_text16(struct writer *w, const char *text);             /* NULL is the empty text */
void put_at_u16(struct writer *w, size_t offset, uint16_t v);    /* patch an earlier length */
size_t writer_len(const struct writer *w);
