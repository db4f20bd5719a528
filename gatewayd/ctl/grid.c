/* Tables and lists of fields out of JSON, by columns that name where in a row a value lies and how it is said. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/grid.h"
#include "ctl/plain.h"

enum { CELL_MAX = 1024, PATH_PART_MAX = 64 };

const struct json *grid_at(const struct json *row, const char *path)
{
	char part[PATH_PART_MAX];
	for (;;) {
		const char *dot = strchr(path, '.');
		text_copy_n(part, sizeof(part), path, dot ? (size_t)(dot - path) : strlen(path));
		row = json_kind(row) == JSON_OBJECT ? json_get(row, part) : NULL;
		if (!row || !dot)
			return row;
		path = dot + 1;
	}
}

static char *cell_of(const char *text)
{
	char *cell = strdup(text);
	if (!cell)
		abort();
	return cell;
}

static char *cell_list(const struct json *value)
{
	char text[CELL_MAX] = "";
	struct json *item;
	void *cursor = NULL;
	const char *key;
	for (size_t i = 0; json_kind(value) == JSON_ARRAY && i < json_len(value); i++) {
		char *cell = grid_cell(json_at(value, i));
		text_append(text, sizeof(text), "%s%s", i ? ", " : "", cell);
		free(cell);
	}
	while (json_kind(value) == JSON_OBJECT && (key = json_next((struct json *)(uintptr_t)value, &cursor, &item))) {
		int64_t number = 1;
		if (json_to_i64(item, &number) && number == 0)
			continue; /* counts of nothing are noise */
		char *cell = grid_cell(item);
		text_append(text, sizeof(text), "%s%s %s", text[0] ? ", " : "", key, cell);
		free(cell);
	}
	return cell_of(text[0] ? text : "-");
}

char *grid_cell(const struct json *value)
{
	char *text = NULL, number[32];
	double real;
	bool b;
	switch (json_kind(value)) {
	case JSON_BOOL:
		return cell_of(json_to_bool(value, &b) && b ? "yes" : "no");
	case JSON_TEXT:
		return cell_of(json_text(value, NULL)[0] ? json_text(value, NULL) : "-");
	case JSON_REAL:
		/* A person needs no more digits than a sensor has. */
		text_print(number, sizeof(number), "%.6g", json_to_f64(value, &real) ? real : 0);
		return cell_of(number);
	case JSON_INT:
		if (json_print(value, &text, NULL) == 0)
			return text;
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return cell_list(value);
	case JSON_NULL:
		break;
	}
	return cell_of("-");
}

char *grid_age(const struct json *value)
{
	char text[32];
	int64_t s;
	if (!json_to_i64(value, &s))
		return cell_of("-");
	if (s < 120)
		text_print(text, sizeof(text), "%llds", (long long)s);
	else if (s < 7200)
		text_print(text, sizeof(text), "%lldm", (long long)(s / 60));
	else if (s < 172800)
		text_print(text, sizeof(text), "%lldh", (long long)(s / 3600));
	else
		text_print(text, sizeof(text), "%lldd", (long long)(s / 86400));
	return cell_of(text);
}

/* 2026-11-23T07:11:00.123Z -> 2026-11-23 07:11:00 */
char *grid_time(const struct json *value)
{
	const char *text = json_text(value, NULL);
	if (!text || strlen(text) < 20)
		return cell_of("-");
	char *cell = cell_of(text);
	cell[10] = ' ';
	cell[19] = 0;
	return cell;
}

static char *cell_at(const struct json *row, const struct grid_column *column)
{
	const struct json *value = grid_at(row, column->key);
	char *raw = column->cell ? column->cell(value) : grid_cell(value), *escaped;
	if (plain_escape(raw, &escaped) != 0)
		abort();
	free(raw);
	return escaped;
}

static void put_padded(FILE *out, const char *text, unsigned width, bool last)
{
	fputs(text, out);
	for (unsigned w = plain_width(text); !last && w < width + 2; w++)
		fputc(' ', out);
}

void grid_print(FILE *out, const struct json *rows, const struct grid_column *columns, size_t n_columns)
{
	unsigned width[GRID_COLUMNS_MAX];
	for (size_t c = 0; c < n_columns; c++) {
		width[c] = plain_width(columns[c].title);
		for (size_t i = 0; i < json_len(rows); i++) {
			char *cell = cell_at(json_at(rows, i), &columns[c]);
			if (plain_width(cell) > width[c])
				width[c] = plain_width(cell);
			free(cell);
		}
	}
	for (size_t c = 0; c < n_columns; c++)
		put_padded(out, columns[c].title, width[c], c + 1 == n_columns);
	fputc('\n', out);
	for (size_t i = 0; i < json_len(rows); i++) {
		for (size_t c = 0; c < n_columns; c++) {
			char *cell = cell_at(json_at(rows, i), &columns[c]);
			put_padded(out, cell, width[c], c + 1 == n_columns);
			free(cell);
		}
		fputc('\n', out);
	}
}

void grid_print_fields(FILE *out, const struct json *object, const struct grid_column *columns, size_t n_columns)
{
	unsigned width = 0;
	for (size_t c = 0; c < n_columns; c++)
		width = plain_width(columns[c].title) > width ? plain_width(columns[c].title) : width;
	for (size_t c = 0; c < n_columns; c++) {
		if (!grid_at(object, columns[c].key))
			continue;
		char *cell = cell_at(object, &columns[c]);
		put_padded(out, columns[c].title, width, false);
		fprintf(out, "%s\n", cell);
		free(cell);
	}
}
