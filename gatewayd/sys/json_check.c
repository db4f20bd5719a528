/* An object against its table of fields. The sentence names the field and what it should have been,
 * never the value that came: that may be a password.
 */
#include <string.h>

#include "base/text.h"
#include "sys/json.h"

enum { NAME_SHOWN_MAX = 64 };

/* A name that came from outside, fit for a line of text. */
static void show_name(const char *name, char ret[NAME_SHOWN_MAX])
{
	text_copy(ret, NAME_SHOWN_MAX, name);
	for (char *p = ret; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
}

static void say_expected(const struct json_field *field, char *error, size_t cap)
{
	static const char *const kinds[] = {
		[JSON_NULL] = "anything",    [JSON_BOOL] = "true or false",
		[JSON_INT] = "whole number", [JSON_REAL] = "number",
		[JSON_TEXT] = "text",	     [JSON_ARRAY] = "list",
		[JSON_OBJECT] = "object",
	};
	static const char *const units[] = {
		[JSON_TEXT] = " bytes",
		[JSON_ARRAY] = " members",
		[JSON_OBJECT] = " members",
	};

	if (!error)
		return;
	text_print(error, cap, "%s: expected %s", field->name, kinds[field->kind]);
	if (field->kind == JSON_NULL || field->kind == JSON_BOOL ||
	    (field->min == 0 && field->max == 0))
		return;
	text_append(error, cap, " of %lld..%lld%s", (long long)field->min, (long long)field->max,
		    field->kind >= JSON_TEXT ? units[field->kind] : "");
}

static bool kind_fits(const struct json_field *field, const struct json *value)
{
	enum json_kind kind = json_kind(value);
	int64_t whole;

	if (field->kind == JSON_NULL)
		return true;
	if (field->kind == JSON_INT)
		return json_to_i64(value, &whole);
	if (field->kind == JSON_REAL)
		return kind == JSON_REAL || kind == JSON_INT;
	return kind == field->kind;
}

static bool range_fits(const struct json_field *field, const struct json *value)
{
	int64_t whole = 0;
	double real = 0;
	size_t len;

	if (field->min == 0 && field->max == 0)
		return true;
	switch (field->kind) {
	case JSON_INT:
		return json_to_i64(value, &whole) && whole >= field->min && whole <= field->max;
	case JSON_REAL:
		return json_to_f64(value, &real) && real >= (double)field->min &&
		       real <= (double)field->max;
	case JSON_TEXT:
		return json_text(value, &len) && (int64_t)len >= field->min &&
		       (int64_t)len <= field->max;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return (int64_t)json_len(value) >= field->min &&
		       (int64_t)json_len(value) <= field->max;
	case JSON_NULL:
	case JSON_BOOL:
		break;
	}
	return true;
}

static bool has_row(const struct json_field *fields, size_t n_fields, const char *key)
{
	for (size_t i = 0; i < n_fields; i++) {
		if (!strcmp(fields[i].name, key))
			return true;
	}
	return false;
}

int json_check(const struct json *object, const struct json_field *fields, size_t n_fields,
	       char *error, size_t error_cap)
{
	struct json *value;
	void *cursor = NULL;
	const char *key;

	if (json_kind(object) != JSON_OBJECT) {
		if (error)
			text_print(error, error_cap, "expected object");
		return JSON_E_TYPE;
	}
	while ((key = json_next((struct json *)(uintptr_t)object, &cursor, &value))) {
		char shown[NAME_SHOWN_MAX];

		if (has_row(fields, n_fields, key))
			continue;
		show_name(key, shown);
		if (error)
			text_print(error, error_cap, "%s: no such field", shown);
		return JSON_E_UNKNOWN;
	}
	for (size_t i = 0; i < n_fields; i++) {
		value = json_get(object, fields[i].name);
		if (!value && !fields[i].required)
			continue;
		if (value && kind_fits(&fields[i], value) && range_fits(&fields[i], value))
			continue;
		say_expected(&fields[i], error, error_cap);
		if (!value)
			return JSON_E_MISSING;
		return kind_fits(&fields[i], value) ? JSON_E_RANGE : JSON_E_TYPE;
	}
	return 0;
}
