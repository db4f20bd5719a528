/* An event becomes JSON once, on its way out, at thousands in a second: a tree for each would cost more than all the rest.
 * What is written here is always valid when bad is not set, since keys are ours and texts are escaped.
 */
#include "linkd/jsonw.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

static char *room(struct jsonw *w, size_t n)
{
	if (w->bad)
		return NULL;
	if (w->cap - w->len < n + 1) {
		size_t cap = w->cap ? w->cap : 512;
		char *data;

		while (cap - w->len < n + 1)
			cap *= 2;
		data = realloc(w->data, cap);
		if (!data) {
			w->bad = true;
			return NULL;
		}
		w->data = data;
		w->cap = cap;
	}
	return w->data + w->len;
}

static void put(struct jsonw *w, const void *bytes, size_t n)
{
	char *p = room(w, n);

	if (!p)
		return;
	memcpy(p, bytes, n);
	w->len += n;
	w->data[w->len] = '\0';
}

static void put_quoted(struct jsonw *w, const uint8_t *text, size_t len)
{
	static const char *const shorts[32] = { ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t" };
	size_t from = 0;

	put(w, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		char code[8];

		if (text[i] >= 0x20 && text[i] != '"' && text[i] != '\\' && text[i] != 0x7f)
			continue;
		put(w, text + from, i - from);
		from = i + 1;
		if (text[i] == '"' || text[i] == '\\')
			text_print(code, sizeof(code), "\\%c", text[i]);
		else if (text[i] < 0x20 && shorts[text[i]])
			text_copy(code, sizeof(code), shorts[text[i]]);
		else
			text_print(code, sizeof(code), "\\u%04x", text[i]);
		put(w, code, strlen(code));
	}
	if (len > from)
		put(w, text + from, len - from);
	put(w, "\"", 1);
}

static void lead(struct jsonw *w, const char *key)
{
	if (w->comma)
		put(w, ",", 1);
	w->comma = true;
	if (!key)
		return;
	put_quoted(w, (const uint8_t *)key, strlen(key));
	put(w, ":", 1);
}

void jsonw_clear(struct jsonw *w)
{
	w->len = 0;
	w->depth = 0;
	w->comma = w->bad = false;
}

void jsonw_deinit(struct jsonw *w)
{
	free(w->data);
	*w = (struct jsonw){ 0 };
}

void jsonw_open(struct jsonw *w, const char *key, char bracket)
{
	lead(w, key);
	put(w, &bracket, 1);
	w->comma = false;
	if (++w->depth > JSONW_DEPTH_MAX)
		w->bad = true;
}

void jsonw_shut(struct jsonw *w, char bracket)
{
	put(w, &bracket, 1);
	w->comma = true;
	if (w->depth-- == 0)
		w->bad = true;
}

void jsonw_text_n(struct jsonw *w, const char *key, const void *text, size_t len)
{
	lead(w, key);
	put_quoted(w, text, len);
}

void jsonw_text(struct jsonw *w, const char *key, const char *text)
{
	jsonw_text_n(w, key, text, strlen(text));
}

void jsonw_raw(struct jsonw *w, const char *json, size_t len)
{
	lead(w, NULL);
	put(w, json, len);
}

static void put_number(struct jsonw *w, const char *key, const char *digits)
{
	lead(w, key);
	put(w, digits, strlen(digits));
}

void jsonw_i64(struct jsonw *w, const char *key, int64_t v)
{
	char digits[24];

	text_print(digits, sizeof(digits), "%" PRId64, v);
	put_number(w, key, digits);
}

void jsonw_u64(struct jsonw *w, const char *key, uint64_t v)
{
	char digits[24];

	text_print(digits, sizeof(digits), "%" PRIu64, v);
	put_number(w, key, digits);
}

void jsonw_f64(struct jsonw *w, const char *key, double v)
{
	char digits[32] = "null";

	for (int places = 15; isfinite(v) && places <= 17; places++) {
		text_print(digits, sizeof(digits), "%.*g", places, v);
		if (strtod(digits, NULL) == v)
			break;
	}
	put_number(w, key, digits);
}

void jsonw_bool(struct jsonw *w, const char *key, bool v)
{
	put_number(w, key, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w, const char *key)
{
	put_number(w, key, "null");
}

static void put_hex(struct jsonw *w, const char *key, const struct value *v)
{
	char hex[2 * VALUE_LEN_MAX + 1] = "";

	hex_print(v->data, v->len, hex);
	jsonw_text_n(w, key, hex, 2 * (size_t)v->len);
}

void jsonw_value(struct jsonw *w, const char *key, const struct value *v)
{
	switch (v->type) {
	case VALUE_BOOL:
		jsonw_bool(w, key, v->b);
		return;
	case VALUE_INT:
		jsonw_i64(w, key, v->i);
		return;
	case VALUE_REAL:
		jsonw_f64(w, key, v->f);
		return;
	case VALUE_TEXT:
		jsonw_text_n(w, key, v->data, v->len);
		return;
	case VALUE_BYTES:
		put_hex(w, key, v);
		return;
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	jsonw_null(w, key);
}
