#pragma once
/* text - numbers, hex and UTF-8 from outside, checked; text with a bound to the outside.
 *
 *   above   everything
 *   below   base/base
 *   owns    nothing
 *   errors  TEXT_E_SYNTAX TEXT_E_RANGE
 */
#include <stdarg.h>
#include "base/base.h"

enum { TEXT_E_SYNTAX = 1, TEXT_E_RANGE = 2 };

/* Whole text must be the number, decimal, no sign for u32/u64, no spaces; result within [min, max]. */
must_check int text_to_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret);
must_check int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
must_check int text_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret);
must_check int text_to_f64(const char *text, double min, double max, double *ret); /* finite only */

bool text_is_utf8(const void *data, size_t len);      /* no overlong forms, surrogates or NUL */
/* 1..max bytes of UTF-8, no control characters, no + # / $ at all */
bool text_is_name(const char *text, size_t max_len);
bool text_is_slug(const char *text, size_t max_len);  /* [a-z0-9][a-z0-9_-]{0,max-1} */
bool text_equal(const char *a, const char *b);        /* NULL-safe */

void hex_print(const void *data, size_t len, char *ret); /* lower case, 2*len+1 bytes */
/* Exactly 2*ret_len digits, of either case. */
must_check int hex_parse(const char *text, size_t len, void *ret, size_t ret_len);

/* Copies at most cap-1 bytes and ends with NUL. Returns false when it was cut (at a UTF-8 boundary). */
bool text_copy(char *dst, size_t cap, const char *src);
bool text_copy_n(char *dst, size_t cap, const void *src, size_t len);
/* snprintf with the same verdict. */
bool text_print(char *dst, size_t cap, const char *fmt, ...) printf_like(3, 4);
/* Appends to what dst already holds. */
bool text_append(char *dst, size_t cap, const char *fmt, ...) printf_like(3, 4);
