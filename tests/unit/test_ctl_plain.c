/* Text from strangers on a terminal: what is shown as it is, what is spelled out, how wide it stands. */
#include "check.h"

#include "ctl/plain.h"

static void escapes(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "lamp", "lamp" },
		{ "Küche 灯 💡", "Küche 灯 💡" },
		{ "a\x1b[2Jb", "a\\x1b[2Jb" },
		{ "a\nb\r\tc\x7f", "a\\x0ab\\x0d\\x09c\\x7f" },
		{ "a\xc2\x9b" "b", "a\\u{9b}b" },             /* C1: a control sequence in one character */
		{ "a\xe2\x80\xae" "b", "a\\u{202e}b" },       /* turns the line round */
		{ "\xe2\x81\xa6x\xef\xbb\xbf", "\\u{2066}x\\u{feff}" },
		{ "\xff\xc3", "\\xff\\xc3" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },         /* a surrogate is no character */
		{ "", "" },
	};
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char *got;
		check_ok(plain_escape(rows[i].text, &got));
		check_text(got, rows[i].want);
		free(got);
	}
}

static void widths(void **state)
{
	(void)state;
	check_uint(plain_width(""), 0);
	check_uint(plain_width("lamp"), 4);
	check_uint(plain_width("Küche"), 5);
	check_uint(plain_width("灯"), 2);
	check_uint(plain_width("e\xcc\x81"), 1); /* e with an accent of its own */
}

static void puts_them(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	(void)state;
	plain_put(out, NULL);
	plain_put(out, "\x1b");
	fclose(out);
	check_text(text, "-\\x1b");
	free(text);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(escapes), cmocka_unit_test(widths), cmocka_unit_test(puts_them) };
	return CHECK_RUN(rows);
}
