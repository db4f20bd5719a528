#pragma once
/* value - what a capability holds: nothing, bool, int, real, text or bytes; and its wire, text
 * forms.
 *
 *   above   everything that carries a reading or an order
 *   below   base/base  base/bytes  base/text
 *   owns    struct value borrows its text; struct value_box owns a copy
 *   limits  VALUE_LEN_MAX VALUE_INLINE_MAX
 *   errors  VALUE_E_TYPE VALUE_E_RANGE VALUE_E_SYNTAX
 */
#include "base/base.h"
#include "base/bytes.h"

enum { VALUE_LEN_MAX = 4096, VALUE_INLINE_MAX = 24 };
enum { VALUE_E_TYPE = 1, VALUE_E_RANGE = 2, VALUE_E_SYNTAX = 3 };
enum value_type {
	VALUE_NONE,
	VALUE_BOOL,
	VALUE_INT,
	VALUE_REAL,
	VALUE_TEXT,
	VALUE_BYTES,
	VALUE_TYPES
};

struct value {
	enum value_type type;
	uint32_t len; /* of data, TEXT and BYTES */
	union {
		bool b;
		int64_t i;
		double f;
		const char *data; /* borrowed; TEXT is UTF-8, not NUL-terminated */
	};
};

/* A value that owns its bytes: short ones inline. Zero-initialised is VALUE_NONE. */
struct value_box {
	struct value value; /* data points into inline_data or heap */
	char *heap;
	char inline_data[VALUE_INLINE_MAX];
};

static inline struct value value_bool(bool b)
{
	return (struct value){ .type = VALUE_BOOL, .b = b };
}
static inline struct value value_int(int64_t i)
{
	return (struct value){ .type = VALUE_INT, .i = i };
}
static inline struct value value_real(double f)
{
	return (struct value){ .type = VALUE_REAL, .f = f };
}
struct value value_text(const char *text);
struct value value_bytes(const void *data, size_t len);

bool value_equal(const struct value *a, const struct value *b);
must_check int value_box_set(struct value_box *box, const struct value *v); /* -ENOMEM */
struct value value_box_get(const struct value_box *box);		    /* borrowed */
void value_box_deinit(struct value_box *box);

void value_put(struct writer *w, const struct value *v);
/* Borrowed from the buffer; unknown type or not finite: VALUE_E_SYNTAX. */
must_check int value_get(struct reader *r, struct value *ret);
/* For people and logs: true, 21.5, "text", 0x.. ; always NUL-terminated, may be cut. */
void value_print(const struct value *v, char *ret, size_t cap);
/* From a person's word, led by the wanted type; TEXT borrows text. */
must_check int value_parse(enum value_type type, const char *text, struct value *ret);
double value_number(const struct value *v); /* bool 0/1, int, real; NAN else */
