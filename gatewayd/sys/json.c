/* A thin skin over jansson. What jansson does not promise is done before it sees a byte: one pass over the
 * text counts nesting (jansson recurses up to a fixed 2048), measures keys and refuses NUL. Error texts are
 * ours, because jansson's quote the input, and the input may hold a password. A struct json is a json_t
 * under our name; nobody outside this file and json_print.c knows.
 */
#include <assert.h>
#include <jansson.h>
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

/* jansson would seed its hash tables from a file when the first object is made; behind a fence it could not. */
__attribute__((constructor)) static void json_seed(void)
{
	size_t seed = 0;

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

static int scan_fail(const struct scan *scan, size_t at, int error_code, const char *what, char *error,
		     size_t error_cap)
{
	if (error)
		text_print(error, error_cap, "line %u column %zu: %s", scan->line, at - scan->line_start + 1, what);
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

must_check static int json_scan(const char *text, size_t len, unsigned depth_max, char *error, size_t error_cap)
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
				return scan_fail(&scan, i, JSON_E_DEPTH, "nested too deeply", error, error_cap);
			break;
		case ']':
		case '}':
			if (scan.depth > 0)
				scan.depth--;
			break;
		case '"': {
			size_t end = scan_string(text, len, i);

			if (end - i - 1 > JSON_KEY_MAX && scan_is_key(text, len, end + 1))
				return scan_fail(&scan, i, JSON_E_SIZE, "key too long", error, error_cap);
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

int json_parse(const void *data, size_t len, size_t len_max, unsigned depth_max, char *error, size_t error_cap,
	       struct json **ret)
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
			text_print(error, error_cap, "line %d column %d: %s", e.line, e.column, json_reason(&e));
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
	if (!json)
		return JSON_NULL;
	/* Our names and jansson's overlap in places, so jansson's are used by their functions only. */
	if (json_is_object(to_jansson(json)))
		return JSON_OBJECT;
	if (json_is_array(to_jansson(json)))
		return JSON_ARRAY;
	if (json_is_string(to_jansson(json)))
		return JSON_TEXT;
	if (json_is_integer(to_jansson(json)))
		return JSON_INT;
	if (json_is_real(to_jansson(json)))
		return JSON_REAL;
	if (json_is_boolean(to_jansson(json)))
		return JSON_BOOL;
	return JSON_NULL;
}
