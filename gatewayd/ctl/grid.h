#pragma once
/* grid - a table for people: columns as wide as they must be, text from elsewhere made plain.
 *
 *   above   -
 *   below   base/base  base/text  ctl/plain  sys/json
 *   owns    nothing
 *   limits  GRID_COLUMNS_MAX
 */
#include <stdio.h>
#include "base/base.h"
#include "sys/json.h"

enum { GRID_COLUMNS_MAX = 16 };
struct grid_column {
	const char *title;
	const char *key;                            /* of each row; may be a path "clock.trusted" */
	char *(*cell)(const struct json *value);    /* NULL: grid_cell; malloc'ed text */
};
/* The value at path, NULL when there is none. */
const struct json *grid_at(const struct json *row, const char *path);
/* Plain words: true is yes, null "-", a list "a, b", an object "k v, k v". malloc'ed, never NULL. */
char *grid_cell(const struct json *value);
char *grid_age(const struct json *value);  /* seconds as 3m, 2h, 5d */
char *grid_time(const struct json *value); /* RFC 3339 without fraction */
void grid_print(FILE *out, const struct json *rows, const struct grid_column *columns, size_t n_columns);
/* "title: value" lines of one object. */
void grid_print_fields(FILE *out, const struct json *object, const struct grid_column *columns, size_t n_columns);
