#pragma once
/* jsonw - writes JSON text from front to back into a buffer that grows: what goes out by the thousand builds no tree.
 *
 *   above   linkd/native  linkd/native_codec
 *   below   base/base  base/text  model/value
 *   owns    the buffer
 *   limits  JSONW_DEPTH_MAX
 *
 * In an object each call takes the member's key, in an array and at the top key is NULL. Out of memory and too deep are
 * sticky: look at .bad once, at the end.
 */
#include "base/base.h"
#include "model/value.h"

enum { JSONW_DEPTH_MAX = 16 };

struct jsonw {
	char *data;
	size_t len, cap;
	unsigned depth;
	bool comma, bad;
};

void jsonw_clear(struct jsonw *w); /* keeps the memory */
void jsonw_deinit(struct jsonw *w);
void jsonw_open(struct jsonw *w, const char *key, char bracket); /* { or [ */
void jsonw_shut(struct jsonw *w, char bracket);                  /* } or ] */
void jsonw_text(struct jsonw *w, const char *key, const char *text);
void jsonw_text_n(struct jsonw *w, const char *key, const void *text, size_t len); /* UTF-8 */
void jsonw_i64(struct jsonw *w, const char *key, int64_t v);
void jsonw_u64(struct jsonw *w, const char *key, uint64_t v);
void jsonw_f64(struct jsonw *w, const char *key, double v); /* fewest digits that read back the same; not finite: null */
void jsonw_bool(struct jsonw *w, const char *key, bool v);
void jsonw_null(struct jsonw *w, const char *key);
void jsonw_value(struct jsonw *w, const char *key, const struct value *v); /* bytes: hex text */
void jsonw_raw(struct jsonw *w, const char *json, size_t len);             /* a whole value, in an array */
