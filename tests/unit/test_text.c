/* Numbers, UTF-8, hex and bounded copies: the edges of each, and what is nearly right. */
#include "check.h"

#include "base/text.h"

static void u64_reads_whole_decimal_texts(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max, want;
		int r;
	} rows[] = {
		{ "0", 0, 10, 0, 0 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX, 0 },
		{ "007", 0, 10, 7, 0 },
		{ "18446744073709551616", 0, UINT64_MAX, 0, TEXT_E_RANGE },
		{ "99999999999999999999999999999999", 0, UINT64_MAX, 0, TEXT_E_RANGE },
		{ "99999999999999999999999999999999x", 0, UINT64_MAX, 0, TEXT_E_SYNTAX },
		{ "11", 0, 10, 0, TEXT_E_RANGE },
		{ "4", 5, 10, 0, TEXT_E_RANGE },
		{ "", 0, 10, 0, TEXT_E_SYNTAX },
		{ "-1", 0, 10, 0, TEXT_E_SYNTAX },
		{ "+1", 0, 10, 0, TEXT_E_SYNTAX },
		{ " 1", 0, 10, 0, TEXT_E_SYNTAX },
		{ "1 ", 0, 10, 0, TEXT_E_SYNTAX },
		{ "0x1", 0, 10, 0, TEXT_E_SYNTAX },
		{ "1e1", 0, 10, 0, TEXT_E_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t v = 77;

		check_int(text_to_u64(rows[i].text, rows[i].min, rows[i].max, &v), rows[i].r);
		check_uint(v, rows[i].r ? 77 : rows[i].want);
	}
}

static void u32_has_its_own_edge(void **state)
{
	uint32_t v = 77;

	(void)state;
	check_int(text_to_u32("4294967296", 0, UINT32_MAX, &v), TEXT_E_RANGE);
	check_uint(v, 77);
	check_ok(text_to_u32("4294967295", 0, UINT32_MAX, &v));
	check_uint(v, UINT32_MAX);
}

static void i64_reads_both_ends(void **state)
{
	int64_t v = 77;

	(void)state;
	check_ok(text_to_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v));
	check_int(v, INT64_MIN);
	check_ok(text_to_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v));
	check_int(v, INT64_MAX);
	check_ok(text_to_i64("-0", -1, 1, &v));
	check_int(v, 0);
	check_int(text_to_i64("9223372036854775808", INT64_MIN, INT64_MAX, &v), TEXT_E_RANGE);
	check_int(text_to_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &v), TEXT_E_RANGE);
	check_int(text_to_i64("-2", -1, 1, &v), TEXT_E_RANGE);
	check_int(text_to_i64("-", -1, 1, &v), TEXT_E_SYNTAX);
	check_int(text_to_i64("--1", -1, 1, &v), TEXT_E_SYNTAX);
	check_int(text_to_i64("+1", -1, 1, &v), TEXT_E_SYNTAX);
	check_int(v, 0);
}

static void f64_is_a_json_number(void **state)
{
	static const char *const wrong[] = { "",     "-",    ".5",   "5.",    "1e",
					     "1e+",  "inf",  "nan",  "0x1p3", "1,5",
					     "1.5 ", " 1.5", "+1.5", "1.5.1", "--1" };
	char longer[80];
	double v = 77;

	(void)state;
	check_ok(text_to_f64("-1.25e2", -1000, 1000, &v));
	check_near(v, -125, 0);
	check_ok(text_to_f64("21.5", -1000, 1000, &v));
	check_near(v, 21.5, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_int(text_to_f64(wrong[i], -1000, 1000, &v), TEXT_E_SYNTAX);
	check_int(text_to_f64("1e999", -1e308, 1e308, &v), TEXT_E_RANGE);
	check_int(text_to_f64("1001", -1000, 1000, &v), TEXT_E_RANGE);
	check_int(text_to_f64("-1001", -1000, 1000, &v), TEXT_E_RANGE);
	memset(longer, '1', sizeof(longer));
	longer[65] = '\0';
	check_int(text_to_f64(longer, -1e300, 1e300, &v), TEXT_E_SYNTAX);
	check_near(v, 21.5, 0);
	longer[64] = '\0';
	check_ok(text_to_f64(longer, -1e300, 1e300, &v));
}

static void utf8_is_strict(void **state)
{
	static const char *const right[] = { "",
					     "a",
					     "é",
					     "€",
					     "𝄞",
					     "\xed\x9f\xbf",
					     "\xee\x80\x80",
					     "\xf4\x8f\xbf\xbf",
					     "\xef\xbf\xbd" };
	static const char *const wrong[] = {
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xe0\x80\x80",
		"\xe0\x9f\xbf",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc3",
		"\xe2\x82",
		"\xf0\x9d\x84",
		"\xc3(",
		"\xe2(\xac",
		"\xe2\x82(",
		"a\xf0\x9d\x84z",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		check_true(text_is_utf8(right[i], strlen(right[i])));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_true(!text_is_utf8(wrong[i], strlen(wrong[i])));
	check_true(!text_is_utf8("a\0b", 3));
	check_true(text_is_utf8(NULL, 0));
	check_true(!text_is_utf8("€", 2)); /* the end of the text is not the end of the bytes */
}

static void names_have_no_topic_signs(void **state)
{
	(void)state;
	check_true(text_is_name("Küche links", 64));
	check_true(text_is_name("abcd", 4));
	check_true(!text_is_name("abcde", 4));
	check_true(!text_is_name("", 4));
	check_true(!text_is_name("a+b", 64));
	check_true(!text_is_name("a#", 64));
	check_true(!text_is_name("a/b", 64));
	check_true(!text_is_name("$SYS", 64));
	check_true(!text_is_name("a\nb", 64));
	check_true(!text_is_name("a\x7f", 64));
	check_true(!text_is_name("a\xc2\x85z", 64)); /* C1: next line */
	check_true(text_is_name("a\xc2\xa0z", 64));
	check_true(!text_is_name("\xc3", 64));
}

static void slugs_are_plain(void **state)
{
	(void)state;
	check_true(text_is_slug("zigbee-2_x", 32));
	check_true(text_is_slug("0", 1));
	check_true(!text_is_slug("00", 1));
	check_true(!text_is_slug("", 32));
	check_true(!text_is_slug("-a", 32));
	check_true(!text_is_slug("_a", 32));
	check_true(!text_is_slug("A", 32));
	check_true(!text_is_slug("a.b", 32));
	check_true(!text_is_slug("ä", 32));
}

static void equal_bears_null(void **state)
{
	(void)state;
	check_true(text_equal(NULL, NULL));
	check_true(!text_equal(NULL, ""));
	check_true(!text_equal("", NULL));
	check_true(text_equal("a", "a"));
	check_true(!text_equal("a", "ab"));
}

static void hex_there_and_back(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x9a, 0xff };
	uint8_t back[3] = { 7, 7, 7 };
	char text[7];

	(void)state;
	hex_print(bytes, sizeof(bytes), text);
	check_text(text, "009aff");
	check_int(hex_parse("009af", 5, back, 3), TEXT_E_SYNTAX);
	check_int(hex_parse("009af", 5, back, 2), TEXT_E_SYNTAX);
	check_int(hex_parse("009aff00", 8, back, 3), TEXT_E_SYNTAX);
	check_int(hex_parse("009afg", 6, back, 3), TEXT_E_SYNTAX);
	check_int(hex_parse("00 9af", 6, back, 3), TEXT_E_SYNTAX);
	check_bytes(back, 3, "\7\7\7", 3); /* nothing of a wrong text is written */
	check_ok(hex_parse("009AfF", 6, back, 3));
	check_bytes(back, 3, bytes, 3);
	hex_print(NULL, 0, text);
	check_text(text, "");
}

static void copies_cut_between_characters(void **state)
{
	char buf[5];

	(void)state;
	check_true(text_copy(buf, sizeof(buf), "abcd"));
	check_text(buf, "abcd");
	check_true(!text_copy(buf, sizeof(buf), "abcde"));
	check_text(buf, "abcd");
	check_true(!text_copy(buf, sizeof(buf), "abcé"));
	check_text(buf, "abc");
	check_true(!text_copy(buf, sizeof(buf), "ab€"));
	check_text(buf, "ab");
	check_true(!text_copy(buf, sizeof(buf), "a𝄞"));
	check_text(buf, "a");
	check_true(!text_copy(buf, sizeof(buf), "𝄞𝄞"));
	check_text(buf, "𝄞");
	check_true(text_copy(buf, sizeof(buf), NULL));
	check_text(buf, "");
	check_true(!text_copy(buf, 0, "a"));
	check_true(text_copy_n(buf, sizeof(buf), "abcdef", 4));
	check_text(buf, "abcd");
	check_true(
		!text_copy_n(buf, sizeof(buf), "a\0b", 3)); /* what follows a NUL would be lost */
	check_text(buf, "a");
	check_true(text_copy_n(buf, sizeof(buf), NULL, 0));
	check_text(buf, "");
}

static void print_and_append_tell_of_a_cut(void **state)
{
	char buf[8];

	(void)state;
	check_true(text_print(buf, sizeof(buf), "%s-%d", "ab", 12));
	check_text(buf, "ab-12");
	check_true(text_append(buf, sizeof(buf), "%d", 34));
	check_text(buf, "ab-1234");
	check_true(!text_append(buf, sizeof(buf), "x"));
	check_text(buf, "ab-1234");
	check_true(text_append(buf, sizeof(buf), "%s", ""));
	check_true(!text_print(buf, sizeof(buf), "abcdef€"));
	check_text(buf, "abcdef");
	check_true(!text_print(buf, 0, "a"));
	memset(buf, 'x', sizeof(buf));
	check_true(!text_append(buf, sizeof(buf), "y")); /* no end in it: nothing can be appended */
	check_uint(buf[7], 'x');
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(u64_reads_whole_decimal_texts),
		cmocka_unit_test(u32_has_its_own_edge),
		cmocka_unit_test(i64_reads_both_ends),
		cmocka_unit_test(f64_is_a_json_number),
		cmocka_unit_test(utf8_is_strict),
		cmocka_unit_test(names_have_no_topic_signs),
		cmocka_unit_test(slugs_are_plain),
		cmocka_unit_test(equal_bears_null),
		cmocka_unit_test(hex_there_and_back),
		cmocka_unit_test(copies_cut_between_characters),
		cmocka_unit_test(print_and_append_tell_of_a_cut),
	};

	return CHECK_RUN(rows);
}
