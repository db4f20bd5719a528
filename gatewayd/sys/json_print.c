/* JSON text out of a tree. jansson's own writer knows one precision for all numbers: 17 digits
 * make 21.3 read 21.300000000000001, fewer lose values. Here each number gets the fewest digits
 * that read back the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/json.h"

struct out {
	char *buf;
	size_t len, cap;
	bool pretty, failed;
};

static void out_add(struct out *out, const char *data, size_t len)
{
	if (out->failed)
		return;
	if (out->cap - out->len <= len) {
		size_t cap = (out->cap + len) * 2 + 64;
		char *grown = malloc(cap);

		if (!grown) {
			out->failed = true;
			return;
		}
		/* Not realloc: where it was may be part of a password. */
		if (out->buf) {
			memcpy(grown, out->buf, out->len);
			explicit_bzero(out->buf, out->len);
			free(out->buf);
		}
		out->buf = grown;
		out->cap = cap;
	}
	memcpy(out->buf + out->len, data, len);
	out->len += len;
}

static void out_text(struct out *out, const char *text)
{
	out_add(out, text, strlen(text));
}

static void out_break(struct out *out, unsigned depth)
{
	if (!out->pretty)
		return;
	out_add(out, "\n", 1);
	while (depth-- > 0)
		out_add(out, "  ", 2);
}

/* RFC 8259, section 7: quotation mark, reverse solidus and U+0000..U+001F must be escaped. */
static void out_string(struct out *out, const char *text, size_t len)
{
	static const char *const names[0x20] = {
		['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"
	};
	size_t from = 0;

	out_add(out, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char escape[8];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		out_add(out, text + from, i - from);
		from = i + 1;
		if (c >= 0x20)
			snprintf(escape, sizeof(escape), "\\%c", c);
		else
			snprintf(escape, sizeof(escape), "\\u%04x", c);
		out_text(out, c < 0x20 && names[c] ? names[c] : escape);
	}
	out_add(out, text + from, len - from);
	out_add(out, "\"", 1);
}

static void out_real(struct out *out, double v)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	/* Stays a real when it is read again. */
	if (!strpbrk(text, ".e"))
		strcat(text, ".0");
	out_text(out, text);
}

static void out_value(struct out *out, const struct json *json, unsigned depth);

static void out_array(struct out *out, const struct json *json, unsigned depth)
{
	size_t n = json_len(json);

	out_add(out, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			out_add(out, ",", 1);
		out_break(out, depth + 1);
		out_value(out, json_at(json, i), depth + 1);
	}
	if (n > 0)
		out_break(out, depth);
	out_add(out, "]", 1);
}

static void out_object(struct out *out, const struct json *json, unsigned depth)
{
	struct json *value;
	void *cursor = NULL;
	const char *key;
	bool any = false;

	out_add(out, "{", 1);
	while ((key = json_next((struct json *)(uintptr_t)json, &cursor, &value))) {
		if (any)
			out_add(out, ",", 1);
		any = true;
		out_break(out, depth + 1);
		out_string(out, key, strlen(key));
		out_text(out, out->pretty ? ": " : ":");
		out_value(out, value, depth + 1);
	}
	if (any)
		out_break(out, depth);
	out_add(out, "}", 1);
}

static void out_value(struct out *out, const struct json *json, unsigned depth)
{
	const char *text;
	char number[24];
	int64_t i = 0;
	bool b = false;
	double f = 0;
	size_t len;

	switch (json_kind(json)) {
	case JSON_NULL:
		out_text(out, "null");
		break;
	case JSON_BOOL:
		json_to_bool(json, &b);
		out_text(out, b ? "true" : "false");
		break;
	case JSON_INT:
		json_to_i64(json, &i);
		snprintf(number, sizeof(number), "%lld", (long long)i);
		out_text(out, number);
		break;
	case JSON_REAL:
		json_to_f64(json, &f);
		out_real(out, f);
		break;
	case JSON_TEXT:
		text = json_text(json, &len);
		out_string(out, text, len);
		break;
	case JSON_ARRAY:
		out_array(out, json, depth);
		break;
	case JSON_OBJECT:
		out_object(out, json, depth);
		break;
	}
}

static int json_write(const struct json *json, bool pretty, char **ret, size_t *ret_len)
{
	struct out out = { .pretty = pretty };

	out_value(&out, json, 0);
	out_add(&out, "", 1);
	if (out.failed) {
		free(out.buf);
		return -ENOMEM;
	}
	*ret = out.buf;
	if (ret_len)
		*ret_len = out.len - 1;
	return 0;
}

int json_print(const struct json *json, char **ret, size_t *ret_len)
{
	return json_write(json, false, ret, ret_len);
}

int json_print_pretty(const struct json *json, char **ret, size_t *ret_len)
{
	return json_write(json, true, ret, ret_len);
}
