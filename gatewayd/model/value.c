/* A value is one scalar or one short run of bytes. On the wire its type comes first and then the
 * value itself; a number that is not finite is refused at the door, so that nobody behind it has to
 * think of NaN.
 */
#include "model/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

static bool has_data(enum value_type type)
{
	return type == VALUE_TEXT || type == VALUE_BYTES;
}

struct value value_text(const char *text)
{
	return (struct value){ .type = VALUE_TEXT, .len = (uint32_t)strlen(text), .data = text };
}

struct value value_bytes(const void *data, size_t len)
{
	return (struct value){ .type = VALUE_BYTES, .len = (uint32_t)len, .data = data };
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_BOOL:
		return a->b == b->b;
	case VALUE_INT:
		return a->i == b->i;
	case VALUE_REAL:
		return a->f == b->f;
	case VALUE_TEXT:
	case VALUE_BYTES:
		return a->len == b->len && (!a->len || memcmp(a->data, b->data, a->len) == 0);
	case VALUE_NONE:
	case VALUE_TYPES:
		return true;
	}
	return false;
}

int value_box_set(struct value_box *box, const struct value *v)
{
	char *heap = NULL;

	if (has_data(v->type) && v->len > VALUE_INLINE_MAX) {
		heap = malloc(v->len);
		if (!heap)
			return -ENOMEM;
		memcpy(heap, v->data, v->len);
	} else if (has_data(v->type) && v->len) {
		memmove(box->inline_data, v->data, v->len);
	}
	box->value = *v;
	free(box->heap);
	box->heap = heap;
	if (has_data(v->type))
		box->value.data = heap ? heap : box->inline_data;
	return 0;
}

/* Boxes lie in tables that move when they grow: where the bytes are is asked anew. */
struct value value_box_get(const struct value_box *box)
{
	struct value v = box->value;

	if (has_data(v.type))
		v.data = box->heap ? box->heap : box->inline_data;
	return v;
}

void value_box_deinit(struct value_box *box)
{
	free(box->heap);
	*box = (struct value_box){ 0 };
}

void value_put(struct writer *w, const struct value *v)
{
	put_u8(w, (uint8_t)v->type);
	switch (v->type) {
	case VALUE_BOOL:
		put_u8(w, v->b);
		break;
	case VALUE_INT:
		put_i64(w, v->i);
		break;
	case VALUE_REAL:
		if (!isfinite(v->f))
			w->bad = true;
		put_f64(w, v->f);
		break;
	case VALUE_TEXT:
	case VALUE_BYTES:
		if (v->len > VALUE_LEN_MAX)
			w->bad = true;
		if (v->type == VALUE_TEXT && v->len && !text_is_utf8(v->data, v->len))
			w->bad = true;
		put_view16(w, v->data, v->len);
		break;
	case VALUE_NONE:
		break;
	case VALUE_TYPES:
		w->bad = true;
		break;
	}
}

static void get_bool(struct reader *r, struct value *v)
{
	uint8_t b = get_u8(r);

	if (b > 1)
		r->bad = true;
	v->b = b == 1;
}

static void get_data(struct reader *r, struct value *v)
{
	struct view data =
		v->type == VALUE_TEXT ? get_text16(r, VALUE_LEN_MAX) : get_view16(r, VALUE_LEN_MAX);

	v->data = (const char *)data.data;
	v->len = (uint32_t)data.len;
}

int value_get(struct reader *r, struct value *ret)
{
	uint8_t type = get_u8(r);
	struct value v = { 0 };

	if (r->bad || type >= VALUE_TYPES)
		return VALUE_E_SYNTAX;
	v.type = (enum value_type)type;
	switch (v.type) {
	case VALUE_BOOL:
		get_bool(r, &v);
		break;
	case VALUE_INT:
		v.i = get_i64(r);
		break;
	case VALUE_REAL:
		v.f = get_f64(r);
		if (!isfinite(v.f))
			r->bad = true;
		break;
	case VALUE_TEXT:
	case VALUE_BYTES:
		get_data(r, &v);
		break;
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	if (r->bad)
		return VALUE_E_SYNTAX;
	*ret = v;
	return 0;
}

/* The fewest digits that read back the same number. */
static void print_real(double f, char *ret, size_t cap)
{
	char digits[32];

	for (int n = 1; n <= DBL_DECIMAL_DIG; n++) {
		snprintf(digits, sizeof(digits), "%.*g", n, f);
		if (strtod(digits, NULL) == f)
			break;
	}
	text_copy(ret, cap, digits);
}

/* Quoted, control characters as \xNN; a character that does not fit whole is left out. */
static void print_text(const struct value *v, char *ret, size_t cap)
{
	text_copy(ret, cap, "\"");
	for (uint32_t i = 0; i < v->len;) {
		uint32_t n = 1;
		unsigned char c = (unsigned char)v->data[i];
		char piece[8] = { 0 };

		while (i + n < v->len && ((unsigned char)v->data[i + n] & 0xc0) == 0x80 && n < 4)
			n++;
		if (c < 0x20 || c == 0x7f)
			snprintf(piece, sizeof(piece), "\\x%02x", c);
		else if (c == '"' || c == '\\')
			snprintf(piece, sizeof(piece), "\\%c", c);
		else
			memcpy(piece, v->data + i, n);
		if (strlen(ret) + strlen(piece) + 1 >= cap)
			break;
		text_append(ret, cap, "%s", piece);
		i += n;
	}
	text_append(ret, cap, "\"");
}

static void print_bytes(const struct value *v, char *ret, size_t cap)
{
	text_copy(ret, cap, "0x");
	for (uint32_t i = 0; i < v->len && strlen(ret) + 2 < cap; i++)
		text_append(ret, cap, "%02x", (unsigned char)v->data[i]);
}

void value_print(const struct value *v, char *ret, size_t cap)
{
	switch (v->type) {
	case VALUE_BOOL:
		text_copy(ret, cap, v->b ? "true" : "false");
		return;
	case VALUE_INT:
		text_print(ret, cap, "%lld", (long long)v->i);
		return;
	case VALUE_REAL:
		print_real(v->f, ret, cap);
		return;
	case VALUE_TEXT:
		print_text(v, ret, cap);
		return;
	case VALUE_BYTES:
		print_bytes(v, ret, cap);
		return;
	case VALUE_NONE:
	case VALUE_TYPES:
		text_copy(ret, cap, "none");
		return;
	}
}

static int parse_bool(const char *text, struct value *ret)
{
	static const char *const words[][2] = {
		{ "false", "true" }, { "off", "on" }, { "0", "1" }, { "no", "yes" }
	};

	for (size_t i = 0; i < N_ELEMENTS(words); i++) {
		for (int b = 0; b < 2; b++) {
			if (!text_equal(text, words[i][b]))
				continue;
			*ret = value_bool(b == 1);
			return 0;
		}
	}
	return VALUE_E_SYNTAX;
}

/* 0, TEXT_E_SYNTAX, TEXT_E_RANGE in our own words. */
static int from_text_error(int r)
{
	return r == TEXT_E_RANGE ? VALUE_E_RANGE : VALUE_E_SYNTAX;
}

int value_parse(enum value_type type, const char *text, struct value *ret)
{
	struct value v = { .type = type };
	int r;

	switch (type) {
	case VALUE_BOOL:
		return parse_bool(text, ret);
	case VALUE_INT:
		r = text_to_i64(text, INT64_MIN, INT64_MAX, &v.i);
		if (r)
			return from_text_error(r);
		break;
	case VALUE_REAL:
		r = text_to_f64(text, -DBL_MAX, DBL_MAX, &v.f);
		if (r)
			return from_text_error(r);
		break;
	case VALUE_TEXT:
		if (strlen(text) > VALUE_LEN_MAX)
			return VALUE_E_RANGE;
		if (*text && !text_is_utf8(text, strlen(text)))
			return VALUE_E_SYNTAX;
		v = value_text(text);
		break;
	case VALUE_NONE:
	case VALUE_BYTES:
	case VALUE_TYPES:
		return VALUE_E_TYPE;
	}
	*ret = v;
	return 0;
}

double value_number(const struct value *v)
{
	switch (v->type) {
	case VALUE_BOOL:
		return v->b ? 1 : 0;
	case VALUE_INT:
		return (double)v->i;
	case VALUE_REAL:
		return v->f;
	case VALUE_NONE:
	case VALUE_TEXT:
	case VALUE_BYTES:
	case VALUE_TYPES:
		break;
	}
	return NAN;
}
