/* Tables for people: as wide as they must be, and nothing in a cell that is more than a cell. */
#include "check.h"

#include "ctl/grid.h"

static struct json *parse(const char *text)
{
	struct json *json = NULL;
	check_ok(json_parse(text, strlen(text), 100000, 10, NULL, 0, &json));
	return json;
}

static void check_grid(const char *rows_text, const struct grid_column *columns, size_t n, const char *want)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct json *rows = parse(rows_text);
	grid_print(out, rows, columns, n);
	fclose(out);
	check_text(text, want);
	free(text);
	json_free(rows);
}

static void table(void **state)
{
	static const struct grid_column columns[] = { { "NAME", "name", NULL }, { "ON", "a.on", NULL }, { "AGE", "s", grid_age } };
	(void)state;
	check_grid("[{\"name\":\"lamp\",\"a\":{\"on\":true},\"s\":30},{\"name\":\"灯\\u001b\",\"a\":null,\"s\":7300}]", columns, 3,
		   "NAME    ON   AGE\n"
		   "lamp    yes  30s\n"
		   "灯\\x1b  -    2h\n");
	check_grid("[]", columns, 3, "NAME  ON  AGE\n");
}

static void cells(void **state)
{
	static const struct { const char *json, *want; } rows[] = {
		{ "[null]", "-" }, { "[\"\"]", "-" }, { "[false]", "no" }, { "[41.300000000000004]", "41.3" }, { "[1.0]", "1" }, { "[7]", "7" },
		{ "[[]]", "-" }, { "[[\"a\",1]]", "a, 1" }, { "[{\"alarm\":0,\"state\":2,\"x\":\"y\"}]", "state 2, x y" }, { "[{}]", "-" },
	};
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct json *json = parse(rows[i].json);
		char *cell = grid_cell(json_at(json, 0));
		check_text(cell, rows[i].want);
		free(cell);
		json_free(json);
	}
}

static void times(void **state)
{
	struct json *json = parse("[\"2026-11-23T07:11:00.123Z\",null,\"x\",119,7199,172799,172800]");
	static const char *const want[] = { "2026-11-23 07:11:00", "-", "-", "119s", "119m", "47h", "2d" };
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(want); i++) {
		char *cell = i < 3 ? grid_time(json_at(json, i)) : grid_age(json_at(json, i));
		check_text(cell, want[i]);
		free(cell);
	}
	json_free(json);
}

static void as_many_columns_as_there_may_be(void **state)
{
	struct grid_column columns[GRID_COLUMNS_MAX];
	char want[GRID_COLUMNS_MAX * 3 + 1] = "";
	(void)state;
	for (size_t i = 0; i < GRID_COLUMNS_MAX; i++) {
		columns[i] = (struct grid_column){ "C", "c", NULL };
		strcat(want, i + 1 < GRID_COLUMNS_MAX ? "C  " : "C\n");
	}
	check_grid("[]", columns, GRID_COLUMNS_MAX, want);
}

static void fields(void **state)
{
	static const struct grid_column columns[] = { { "Name", "name", NULL }, { "Of", "of.what", NULL }, { "Missing", "missing", NULL } };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct json *object = parse("{\"name\":\"a\",\"of\":{\"what\":1}}");
	(void)state;
	grid_print_fields(out, object, columns, 3);
	fclose(out);
	check_text(text, "Name     a\nOf       1\n");
	check_true(!grid_at(object, "of.none") && !grid_at(object, "name.x"));
	free(text);
	json_free(object);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(table), cmocka_unit_test(cells), cmocka_unit_test(times),
					   cmocka_unit_test(as_many_columns_as_there_may_be), cmocka_unit_test(fields) };
	return CHECK_RUN(rows);
}
