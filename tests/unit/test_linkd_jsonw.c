/* JSON written front to back: every kind of value, escapes, numbers that read back the same, the depth limit. */
#include "check.h"

#include <math.h>

#include "linkd/jsonw.h"

static void check_json(struct jsonw *w, const char *want)
{
	check_true(!w->bad);
	check_text(w->data, want);
	jsonw_deinit(w);
}

static void writes_every_kind(void **state)
{
	struct jsonw w = { 0 };
	static const uint8_t bytes[] = { 0x00, 0xff };
	struct value hex = { .type = VALUE_BYTES, .len = 2, .data = (const char *)bytes };
	struct value text = value_text("ü"), none = { .type = VALUE_NONE }, yes = value_bool(true), real = value_real(0.1);

	(void)state;
	jsonw_open(&w, NULL, '{');
	jsonw_text(&w, "t", "x");
	jsonw_i64(&w, "i", INT64_MIN);
	jsonw_u64(&w, "u", UINT64_MAX);
	jsonw_null(&w, "n");
	jsonw_open(&w, "a", '[');
	jsonw_bool(&w, NULL, false);
	jsonw_raw(&w, "{}", 2);
	jsonw_value(&w, NULL, &hex);
	jsonw_value(&w, NULL, &text);
	jsonw_value(&w, NULL, &none);
	jsonw_value(&w, NULL, &yes);
	jsonw_value(&w, NULL, &real);
	jsonw_shut(&w, ']');
	jsonw_open(&w, "e", '{');
	jsonw_shut(&w, '}');
	jsonw_shut(&w, '}');
	check_json(&w, "{\"t\":\"x\",\"i\":-9223372036854775808,\"u\":18446744073709551615,\"n\":null,"
		       "\"a\":[false,{},\"00ff\",\"ü\",null,true,0.1],\"e\":{}}");
}

static void escapes_what_must_be(void **state)
{
	struct jsonw w = { 0 };

	(void)state;
	jsonw_text_n(&w, NULL, "a\"b\\c\n\t\r\b\f\x01\x1f\x7f/ü\0z", 18);
	check_json(&w, "\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u001f\\u007f/ü\\u0000z\"");
}

static void numbers_read_back_the_same(void **state)
{
	static const struct {
		double v;
		const char *text;
	} rows[] = {
		{ 21.5, "21.5" }, { 0.1, "0.1" }, { 1e300, "1e+300" }, { -0.3, "-0.3" }, { 1.0 / 3, "0.3333333333333333" },
		{ 100, "100" }, { 5e-324, "4.94065645841247e-324" }, { NAN, "null" }, { INFINITY, "null" },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct jsonw w = { 0 };

		jsonw_f64(&w, NULL, rows[i].v);
		if (isfinite(rows[i].v))
			check_true(strtod(w.data, NULL) == rows[i].v);
		check_json(&w, rows[i].text);
	}
}

static void deeper_than_the_limit_is_bad(void **state)
{
	struct jsonw w = { 0 };

	(void)state;
	for (int i = 0; i < JSONW_DEPTH_MAX; i++)
		jsonw_open(&w, NULL, '[');
	check_true(!w.bad);
	jsonw_open(&w, NULL, '[');
	check_true(w.bad);
	jsonw_clear(&w);
	jsonw_shut(&w, ']');
	check_true(w.bad);
	jsonw_deinit(&w);
}

static void grows_and_is_used_again(void **state)
{
	struct jsonw w = { 0 };
	char text[301];

	(void)state;
	memset(text, 'x', 300);
	text[300] = '\0';
	for (int round = 0; round < 2; round++) {
		jsonw_clear(&w);
		jsonw_open(&w, NULL, '[');
		for (int i = 0; i < 100; i++)
			jsonw_text(&w, NULL, text);
		jsonw_shut(&w, ']');
		check_uint(w.len, 2 + 100 * 302 + 99);
	}
	jsonw_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(writes_every_kind),
		cmocka_unit_test(escapes_what_must_be),
		cmocka_unit_test(numbers_read_back_the_same),
		cmocka_unit_test(deeper_than_the_limit_is_bad),
		cmocka_unit_test(grows_and_is_used_again),
	};
	return CHECK_RUN(rows);
}
