#pragma once
/* json - strict JSON: size and nesting checked before parsing, duplicate keys refused, UTF-8 only; trees are wiped when freed.
 *
 *   above   door  linkd  ctl  wifi
 *   below   base/base  base/text
 *   owns    struct json trees (reference counted inside; one _free an owned reference)
 *   limits  JSON_DEPTH_MAX JSON_KEY_MAX
 *   errors  JSON_E_SYNTAX JSON_E_DEPTH JSON_E_SIZE JSON_E_TYPE JSON_E_MISSING JSON_E_RANGE JSON_E_UNKNOWN
 */
#include "base/base.h"

enum {
	JSON_DEPTH_MAX = 32,
	JSON_DEPTH_CEILING = 256, /* for trusted big producers */
	JSON_KEY_MAX = 128,       /* bytes of a key as it is written, escapes counted */
};
enum {
	JSON_E_SYNTAX = 1,
	JSON_E_DEPTH,
	JSON_E_SIZE,
	JSON_E_TYPE,
	JSON_E_MISSING,
	JSON_E_RANGE,
	JSON_E_UNKNOWN, /* a key that the table does not have */
};

struct json;

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_TEXT, JSON_ARRAY, JSON_OBJECT };

/* Any JSON value may stand at the top (RFC 8259). Numbers that do not fit int64 or double are refused.
 * error (may be NULL, cap bytes) gets a sentence with line/column and none of the input's bytes.
 * depth_max <= JSON_DEPTH_CEILING. */
must_check int json_parse(const void *data, size_t len, size_t len_max, unsigned depth_max, char *error,
			  size_t error_cap, struct json **ret);
struct json *json_free(struct json *json);
DEFINE_CLEANUP(json_free, struct json *)
enum json_kind json_kind(const struct json *json); /* NULL pointer counts as JSON_NULL */

/* Borrowed; NULL when absent or of another kind. */
struct json *json_get(const struct json *object, const char *key);
const char *json_get_text(const struct json *object, const char *key);
const char *json_text(const struct json *json, size_t *ret_len); /* NULL when not a text; ret_len may be NULL */
bool json_to_i64(const struct json *json, int64_t *ret);         /* INT, or REAL without fraction */
bool json_to_f64(const struct json *json, double *ret);
bool json_to_bool(const struct json *json, bool *ret);
size_t json_len(const struct json *json); /* of array or object */
struct json *json_at(const struct json *array, size_t i);
/* Iterates an object: start with *cursor NULL; returns the key or NULL at the end. */
const char *json_next(struct json *object, void **cursor, struct json **ret_value);

struct json *json_new_object(void); /* never NULL: out of memory aborts, here and in everything that builds */
struct json *json_new_array(void);
void json_set_text(struct json *object, const char *key, const char *text); /* invalid UTF-8 is replaced; NULL is JSON null */
void json_set_i64(struct json *object, const char *key, int64_t v);
void json_set_f64(struct json *object, const char *key, double v); /* not finite: null */
void json_set_bool(struct json *object, const char *key, bool v);
void json_set_null(struct json *object, const char *key);
void json_set(struct json *object, const char *key, struct json *value); /* takes value */
void json_push(struct json *array, struct json *value);                  /* takes value */
void json_push_text(struct json *array, const char *text);
struct json *json_copy(const struct json *json); /* deep */

/* Compact, keys in insertion order, numbers in the fewest digits that read back the same.
 * *ret is malloc'ed, NUL-terminated; ret_len may be NULL. Wipe it when it may have held a secret. */
must_check int json_print(const struct json *json, char **ret, size_t *ret_len);
must_check int json_print_pretty(const struct json *json, char **ret, size_t *ret_len);

/* A request's parameters by table: every key of object must have a row, required rows must be there. */
struct json_field {
	const char *name;
	enum json_kind kind; /* JSON_INT, JSON_BOOL, JSON_TEXT, JSON_REAL, JSON_OBJECT, JSON_ARRAY; JSON_NULL: any */
	bool required;
	int64_t min, max; /* value of INT/REAL, bytes of TEXT, members of ARRAY/OBJECT; both 0: no bound */
};
/* On error (may be NULL) stands the field and what was expected: "room: expected text of 1..64 bytes". */
must_check int json_check(const struct json *object, const struct json_field *fields, size_t n_fields,
			  char *error, size_t error_cap);
