/* Values: their wire form there and back, what is refused, what a person sees and may type. */
#include "check.h"

#include <float.h>
#include <math.h>
#include "model/value.h"

static struct value bytes_value(const void *data, uint32_t len)
{
	return (struct value){ .type = VALUE_BYTES, .len = len, .data = data };
}

static void there_and_back(void **state)
{
	const struct value values[] = {
		{ .type = VALUE_NONE },	    value_bool(true),	  value_bool(false),
		value_int(INT64_MIN),	    value_int(INT64_MAX), value_real(-0.1),
		value_real(DBL_MAX),	    value_text(""),	  value_text("grün"),
		bytes_value("\0\xff\1", 3), bytes_value(NULL, 0),
	};
	uint8_t buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct writer w = writer_over(buf, sizeof(buf));
		struct value got;
		struct reader r;

		value_put(&w, &values[i]);
		check_true(!w.bad);
		r = reader_over(buf, writer_len(&w));
		check_ok(value_get(&r, &got));
		check_true(reader_is_done(&r));
		check_true(value_equal(&got, &values[i]));
		for (size_t cut = 0; cut < writer_len(&w); cut++) {
			r = reader_over(buf, cut);
			check_int(value_get(&r, &got), VALUE_E_SYNTAX);
		}
	}
}

static void wire_bytes(void **state)
{
	static const uint8_t want[] = { 0,    1,    1, 2, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 3, 0, 0,	0,    0,    0,	  0,	0xf8,
					0x3f, 4,    2, 0, 'h',	'i',  5,    1,	  0,	0x80 };
	const struct value values[] = { { .type = VALUE_NONE }, value_bool(true),
					value_int(-2),		value_real(1.5),
					value_text("hi"),	bytes_value("\x80", 1) };
	uint8_t buf[64];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		value_put(&w, &values[i]);
	check_bytes(buf, writer_len(&w), want, sizeof(want));
}

static void bad_bytes_are_refused(void **state)
{
	static const struct {
		uint8_t bytes[9];
		size_t len;
	} bad[] = {
		{ { VALUE_TYPES }, 9 },
		{ { 0xff }, 9 },
		{ { VALUE_BOOL, 2 }, 2 },
		{ { VALUE_REAL, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f }, 9 }, /* infinity */
		{ { VALUE_REAL, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f }, 9 }, /* not a number */
		{ { VALUE_TEXT, 1, 0, 0xff }, 4 },
		{ { VALUE_TEXT, 1, 0, 0 }, 4 },
		{ { VALUE_TEXT, 2, 0, 'a' }, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reader r = reader_over(bad[i].bytes, bad[i].len);
		struct value got;

		check_int(value_get(&r, &got), VALUE_E_SYNTAX);
	}
}

static void the_length_limit_is_reached(void **state)
{
	char *text = malloc(VALUE_LEN_MAX + 1);
	uint8_t *buf = malloc(VALUE_LEN_MAX + 16);
	struct value got, v = { .type = VALUE_TEXT, .len = VALUE_LEN_MAX, .data = text };
	struct writer w = writer_over(buf, VALUE_LEN_MAX + 16);
	struct reader r;

	(void)state;
	memset(text, 'a', VALUE_LEN_MAX + 1);
	value_put(&w, &v);
	check_true(!w.bad);
	r = reader_over(buf, writer_len(&w));
	check_ok(value_get(&r, &got));
	check_uint(got.len, VALUE_LEN_MAX);
	v.len = VALUE_LEN_MAX + 1;
	w = writer_over(buf, VALUE_LEN_MAX + 16);
	value_put(&w, &v);
	check_true(w.bad);
	w = writer_over(buf, VALUE_LEN_MAX + 16);
	put_u8(&w, VALUE_BYTES);
	put_view16(&w, text, VALUE_LEN_MAX + 1);
	r = reader_over(buf, writer_len(&w));
	check_int(value_get(&r, &got), VALUE_E_SYNTAX);
	free(text);
	free(buf);
}

static void writing_what_nobody_would_read_is_bad(void **state)
{
	const struct value bad[] = {
		value_real(NAN), value_real(INFINITY), value_text("\xff"), { .type = VALUE_TYPES }
	};
	uint8_t buf[32];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct writer w = writer_over(buf, sizeof(buf));

		value_put(&w, &bad[i]);
		check_true(w.bad);
	}
}

static void equality(void **state)
{
	const struct value a = value_text("ab"), b = value_text("abc"), c = bytes_value("ab", 2),
			   one = value_int(1), real = value_real(1), yes = value_bool(true),
			   none = { 0 };

	(void)state;
	check_true(value_equal(&a, &a));
	check_true(!value_equal(&a, &b));
	check_true(!value_equal(&a, &c));
	check_true(!value_equal(&one, &real));
	check_true(!value_equal(&one, &yes));
	check_true(value_equal(&none, &none));
}

static void a_box_owns_its_bytes(void **state)
{
	struct value_box box = { 0 }, moved;
	char text[VALUE_INLINE_MAX + 8];
	struct value v = { .type = VALUE_TEXT, .len = VALUE_INLINE_MAX, .data = text }, got;

	(void)state;
	memset(text, 'x', sizeof(text));
	check_ok(value_box_set(&box, &v));
	check_true(box.heap == NULL);
	memset(text, 'y', sizeof(text));
	moved = box;
	memset(&box, 0, sizeof(box));
	got = value_box_get(&moved);
	check_uint(got.len, VALUE_INLINE_MAX);
	check_true(got.data[0] == 'x' && got.data[VALUE_INLINE_MAX - 1] == 'x');

	v.len = VALUE_INLINE_MAX + 1;
	check_ok(value_box_set(&moved, &v));
	check_true(moved.heap != NULL);
	memset(text, 'z', sizeof(text));
	got = value_box_get(&moved);
	check_true(got.data[VALUE_INLINE_MAX] == 'y');
	/* From itself: long to long, and cut to short. */
	check_ok(value_box_set(&moved, &got));
	got = value_box_get(&moved);
	got.len = 3;
	got.data += 1;
	check_ok(value_box_set(&moved, &got));
	got = value_box_get(&moved);
	check_uint(got.len, 3);
	check_true(got.data[0] == 'y' && moved.heap == NULL);
	v = value_int(5);
	check_ok(value_box_set(&moved, &v));
	got = value_box_get(&moved);
	check_true(value_equal(&got, &v));
	value_box_deinit(&moved);
	check_int(value_box_get(&moved).type, VALUE_NONE);
}

static void people_see(void **state)
{
	const struct {
		struct value v;
		const char *want;
	} rows[] = {
		{ { 0 }, "none" },
		{ value_bool(true), "true" },
		{ value_int(-7), "-7" },
		{ value_real(21.5), "21.5" },
		{ value_real(0.1), "0.1" },
		{ value_real(1.0 / 3), "0.3333333333333333" },
		{ value_text("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\x0a\\x7f\"" },
		{ value_text("grün"), "\"grün\"" },
		{ bytes_value("\1\xab", 2), "0x01ab" },
	};
	char text[64], small[8];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		value_print(&rows[i].v, text, sizeof(text));
		check_text(text, rows[i].want);
	}
	/* Cut at a whole character. */
	value_print(&(struct value){ .type = VALUE_TEXT, .len = 8, .data = "abcdüüx" }, small,
		    sizeof(small));
	check_text(small, "\"abcd\"");
	value_print(&(struct value){ .type = VALUE_BYTES, .len = 8, .data = "abcdefgh" }, small,
		    sizeof(small));
	check_text(small, "0x6162");
}

static void people_type(void **state)
{
	static const struct {
		enum value_type type;
		const char *text;
		int want;
		double number;
	} rows[] = {
		{ VALUE_BOOL, "on", 0, 1 },
		{ VALUE_BOOL, "off", 0, 0 },
		{ VALUE_BOOL, "true", 0, 1 },
		{ VALUE_BOOL, "no", 0, 0 },
		{ VALUE_BOOL, "1", 0, 1 },
		{ VALUE_BOOL, "ON ", VALUE_E_SYNTAX, 0 },
		{ VALUE_BOOL, "", VALUE_E_SYNTAX, 0 },
		{ VALUE_INT, "-12", 0, -12 },
		{ VALUE_INT, "1.5", VALUE_E_SYNTAX, 0 },
		{ VALUE_INT, "9223372036854775808", VALUE_E_RANGE, 0 },
		{ VALUE_REAL, "21.5", 0, 21.5 },
		{ VALUE_REAL, "21", 0, 21 },
		{ VALUE_REAL, "nan", VALUE_E_SYNTAX, 0 },
		{ VALUE_BYTES, "00", VALUE_E_TYPE, 0 },
		{ VALUE_NONE, "x", VALUE_E_TYPE, 0 },
		{ VALUE_TEXT, "\xff", VALUE_E_SYNTAX, 0 },
	};
	char *text = calloc(1, VALUE_LEN_MAX + 2);
	struct value v;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_int(value_parse(rows[i].type, rows[i].text, &v), rows[i].want);
		if (!rows[i].want)
			check_near(value_number(&v), rows[i].number, 0);
	}
	check_ok(value_parse(VALUE_TEXT, "locked", &v));
	check_bytes(v.data, v.len, "locked", 6);
	check_true(isnan(value_number(&v)));
	memset(text, 'a', VALUE_LEN_MAX + 1);
	check_int(value_parse(VALUE_TEXT, text, &v), VALUE_E_RANGE);
	free(text);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(wire_bytes),
		cmocka_unit_test(bad_bytes_are_refused),
		cmocka_unit_test(the_length_limit_is_reached),
		cmocka_unit_test(writing_what_nobody_would_read_is_bad),
		cmocka_unit_test(equality),
		cmocka_unit_test(a_box_owns_its_bytes),
		cmocka_unit_test(people_see),
		cmocka_unit_test(people_type),
	};

	return CHECK_RUN(rows);
}
