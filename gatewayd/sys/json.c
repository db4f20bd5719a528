/* A thin skin over jansson. What jansson does not promise is done before it sees a byte: one pass
 * over the text counts nesting (jansson recurses up to a fixed 2048), measures keys and refuses
 * NUL. Error texts are ours, because jansson's quote the input, and the input may hold a password.
 * A struct json is a json_t under our name; nobody outside this file and json_print.c knows.
 */
/* Four of jansson's enumerators and one function have names of ours. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_REAL   JANSSON_REAL
#define JSON_NULL   JANSSON_NULL
#define json_copy   jansson_copy
#include <jansson.h>
#include <malloc.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_REAL
#undef JSON_NULL
#undef json_copy

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "sys/json.h"

static json_t *to_jansson(const struct json *json)
{
	return (json_t *)(uintptr_t)json;
}

static struct json *from_jansson(json_t *json)
{
	return (struct json *)json;
}

/* Passwords and tokens come and go as JSON: whatever a tree or the parser gives back is wiped, in every
 * program, whatever its C library (sys/heap). */
static void json_wipe_and_free(void *p)
{
	/* All of it, also what lies behind the bytes that were asked for: fortified code that saw the malloc would call
	 * that an overflow. */
	__asm__("" : "+r"(p));
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

/* jansson would seed its hash tables from a file when the first object is made; behind a fence it
 * could not. */
__attribute__((constructor)) static void json_set_up(void)
{
	size_t seed = 0;

	json_set_alloc_funcs(malloc, json_wipe_and_free);

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = 0;
	json_object_seed(seed);
}

/* What the pass before the parser knows. */
struct scan {
	unsigned line;
	size_t line_start;
	unsigned depth;
};

static int scan_fail(const struct scan *scan, size_t at, int error_code, const char *what,
		     char *error, size_t error_cap)
{
	if (error)
		text_print(error, error_cap, "line %u column %zu: %s", scan->line,
			   at - scan->line_start + 1, what);
	return error_code;
}

/* Returns the offset of the closing quote, or len when there is none (the parser will say so). */
static size_t scan_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++) {
		if (text[at] == '\\')
			at++;
	}
	return at < len ? at : len;
}

static bool scan_is_key(const char *text, size_t len, size_t after_quote)
{
	while (after_quote < len && strchr(" \t\r\n", text[after_quote]) && text[after_quote])
		after_quote++;
	return after_quote < len && text[after_quote] == ':';
}

must_check static int json_scan(const char *text, size_t len, unsigned depth_max, char *error,
				size_t error_cap)
{
	struct scan scan = { .line = 1 };

	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '\n':
			scan.line++;
			scan.line_start = i + 1;
			break;
		case '[':
		case '{':
			if (++scan.depth > depth_max)
				return scan_fail(&scan, i, JSON_E_DEPTH, "nested too deeply", error,
						 error_cap);
			break;
		case ']':
		case '}':
			if (scan.depth > 0)
				scan.depth--;
			break;
		case '"': {
			size_t end = scan_string(text, len, i);

			if (end - i - 1 > JSON_KEY_MAX && scan_is_key(text, len, end + 1))
				return scan_fail(&scan, i, JSON_E_SIZE, "key too long", error,
						 error_cap);
			i = end;
			break;
		}
		default:
			break;
		}
	}
	return 0;
}

static const char *json_reason(const json_error_t *e)
{
	switch (json_error_code(e)) {
	case json_error_premature_end_of_input:
		return "ends too early";
	case json_error_end_of_input_expected:
		return "something follows the value";
	case json_error_invalid_utf8:
		return "not UTF-8";
	case json_error_duplicate_key:
		return "a key stands twice";
	case json_error_numeric_overflow:
		return "number out of range";
	case json_error_null_character:
	case json_error_null_byte_in_key:
		return "NUL character";
	case json_error_out_of_memory:
	case json_error_stack_overflow:
	case json_error_unknown:
	case json_error_cannot_open_file:
	case json_error_invalid_argument:
	case json_error_invalid_syntax:
	case json_error_invalid_format:
	case json_error_wrong_type:
	case json_error_null_value:
	case json_error_item_not_found:
	case json_error_index_out_of_range:
	default:
		return "not JSON";
	}
}

int json_parse(const void *data, size_t len, size_t len_max, unsigned depth_max, char *error,
	       size_t error_cap, struct json **ret)
{
	json_error_t e;
	json_t *json;
	int r;

	assert(depth_max <= JSON_DEPTH_CEILING);
	if (len > len_max) {
		if (error)
			text_print(error, error_cap, "longer than %zu bytes", len_max);
		return JSON_E_SIZE;
	}
	if (len > 0 && memchr(data, '\0', len)) {
		if (error)
			text_print(error, error_cap, "NUL byte");
		return JSON_E_SYNTAX;
	}
	r = json_scan(data, len, depth_max, error, error_cap);
	if (r)
		return r;

	json = json_loadb(len > 0 ? data : "", len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!json) {
		if (json_error_code(&e) == json_error_out_of_memory)
			return -ENOMEM;
		if (error)
			text_print(error, error_cap, "line %d column %d: %s", e.line, e.column,
				   json_reason(&e));
		return JSON_E_SYNTAX;
	}
	*ret = from_jansson(json);
	return 0;
}

struct json *json_free(struct json *json)
{
	json_decref(to_jansson(json));
	return NULL;
}

enum json_kind json_kind(const struct json *json)
{
	static const enum json_kind kinds[] = {
		[JANSSON_OBJECT] = JSON_OBJECT, [JANSSON_ARRAY] = JSON_ARRAY,
		[JSON_STRING] = JSON_TEXT,	[JSON_INTEGER] = JSON_INT,
		[JANSSON_REAL] = JSON_REAL,	[JSON_TRUE] = JSON_BOOL,
		[JSON_FALSE] = JSON_BOOL,	[JANSSON_NULL] = JSON_NULL,
	};

	return json ? kinds[json_typeof(to_jansson(json))] : JSON_NULL;
}

struct json *json_get(const struct json *object, const char *key)
{
	return from_jansson(json_object_get(to_jansson(object), key));
}

const char *json_get_text(const struct json *object, const char *key)
{
	return json_text(json_get(object, key), NULL);
}

const char *json_text(const struct json *json, size_t *ret_len)
{
	if (json_kind(json) != JSON_TEXT)
		return NULL;
	if (ret_len)
		*ret_len = json_string_length(to_jansson(json));
	return json_string_value(to_jansson(json));
}

bool json_to_i64(const struct json *json, int64_t *ret)
{
	if (json_kind(json) == JSON_REAL) {
		double v = json_real_value(to_jansson(json));

		/* 2^63 itself does not fit; both bounds are exact as doubles. */
		if (!(v >= -0x1p63 && v < 0x1p63) || v != trunc(v))
			return false;
		*ret = (int64_t)v;
		return true;
	}
	if (json_kind(json) != JSON_INT)
		return false;
	*ret = json_integer_value(to_jansson(json));
	return true;
}

bool json_to_f64(const struct json *json, double *ret)
{
	enum json_kind kind = json_kind(json);

	if (kind != JSON_INT && kind != JSON_REAL)
		return false;
	*ret = json_number_value(to_jansson(json));
	return true;
}

bool json_to_bool(const struct json *json, bool *ret)
{
	if (json_kind(json) != JSON_BOOL)
		return false;
	*ret = json_typeof(to_jansson(json)) == JSON_TRUE;
	return true;
}

size_t json_len(const struct json *json)
{
	if (json_kind(json) == JSON_ARRAY)
		return json_array_size(to_jansson(json));
	return json_object_size(to_jansson(json)); /* 0 for everything else */
}

struct json *json_at(const struct json *array, size_t i)
{
	return from_jansson(json_array_get(to_jansson(array), i));
}

const char *json_next(struct json *object, void **cursor, struct json **ret_value)
{
	json_t *json = to_jansson(object);
	void *next = *cursor ? json_object_iter_next(json, *cursor) : json_object_iter(json);

	if (!next)
		return NULL;
	*cursor = next;
	*ret_value = from_jansson(json_object_iter_value(next));
	return json_object_iter_key(next);
}

/* Building: only lack of memory can fail once the text is UTF-8 and the containers are containers.
 */
static json_t *json_need(json_t *json)
{
	if (!json)
		abort();
	return json;
}

struct json *json_new_object(void)
{
	return from_jansson(json_need(json_object()));
}

struct json *json_new_array(void)
{
	return from_jansson(json_need(json_array()));
}

/* Length of the character at p as text_is_utf8 sees it, 0 when none begins there. */
static size_t utf8_step(const char *p, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		if (text_is_utf8(p, n))
			return n;
	}
	return 0;
}

/* Every byte that is part of no character becomes U+FFFD. */
static json_t *json_text_repaired(const char *text, size_t len)
{
	char *out = malloc(len * 3 + 1);
	size_t n = 0;
	json_t *json;

	if (!out)
		abort();
	for (size_t i = 0; i < len;) {
		size_t step = utf8_step(text + i, len - i);

		memcpy(out + n, step ? text + i : "\xef\xbf\xbd", step ? step : 3);
		n += step ? step : 3;
		i += step ? step : 1;
	}
	json = json_stringn(out, n);
	json_wipe_and_free(out);
	return json;
}

static json_t *json_from_text(const char *text)
{
	size_t len;

	if (!text)
		return json_null();
	len = strlen(text);
	return json_need(text_is_utf8(text, len) ? json_stringn(text, len)
						 : json_text_repaired(text, len));
}

void json_set(struct json *object, const char *key, struct json *value)
{
	assert(json_kind(object) == JSON_OBJECT && text_is_utf8(key, strlen(key)));
	if (json_object_set_new(to_jansson(object), key, to_jansson(value)) < 0)
		abort();
}

void json_set_text(struct json *object, const char *key, const char *text)
{
	json_set(object, key, from_jansson(json_from_text(text)));
}

void json_set_i64(struct json *object, const char *key, int64_t v)
{
	json_set(object, key, from_jansson(json_need(json_integer(v))));
}

void json_set_f64(struct json *object, const char *key, double v)
{
	json_set(object, key, from_jansson(isfinite(v) ? json_need(json_real(v)) : json_null()));
}

void json_set_bool(struct json *object, const char *key, bool v)
{
	json_set(object, key, from_jansson(json_boolean(v)));
}

void json_set_null(struct json *object, const char *key)
{
	json_set(object, key, from_jansson(json_null()));
}

void json_push(struct json *array, struct json *value)
{
	assert(json_kind(array) == JSON_ARRAY);
	if (json_array_append_new(to_jansson(array), to_jansson(value)) < 0)
		abort();
}

void json_push_text(struct json *array, const char *text)
{
	json_push(array, from_jansson(json_from_text(text)));
}

struct json *json_copy(const struct json *json)
{
	return json ? from_jansson(json_need(json_deep_copy(to_jansson(json)))) : NULL;
}
