/* Days and times as people write them: what is taken, what is refused, and that what is printed can be read again. */
#include "check.h"

#include "door/when.h"

static void days(void **state)
{
	static const struct { const char *text; int r; uint8_t days; } rows[] = {
		{ "mon", 0, 1 }, { "sun", 0, 64 }, { "mon-fri", 0, 31 }, { "sat-mon", 0, 32 | 64 | 1 }, { "Mon,WED", 0, 5 }, { "daily", 0, 127 },
		{ "mon-mon", 0, 1 }, { "", WHEN_E_SYNTAX, 0 }, { "mo", WHEN_E_SYNTAX, 0 }, { "mon,", WHEN_E_SYNTAX, 0 }, { "mon fri", WHEN_E_SYNTAX, 0 },
		{ "mon-", WHEN_E_SYNTAX, 0 }, { "monday", WHEN_E_SYNTAX, 0 }, { ",mon", WHEN_E_SYNTAX, 0 }, { "mon-fr", WHEN_E_SYNTAX, 0 },
	};
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint8_t got = 0;
		int r = when_parse_days(rows[i].text, &got);
		if (r != rows[i].r || got != rows[i].days)
			print_error("row %zu, %s\n", i, rows[i].text);
		check_int(r, rows[i].r);
		check_uint(got, rows[i].days);
	}
}

static void minutes(void **state)
{
	static const char *const bad[] = { "", "7:30", "07:60", "25:00", "24:01", "07-30", "07:3", "07:300", "ab:cd", " 7:30", "-1:00" };
	uint16_t minute = 7;
	(void)state;
	check_ok(when_parse_minute("00:00", &minute));
	check_uint(minute, 0);
	check_ok(when_parse_minute("23:59", &minute));
	check_uint(minute, 1439);
	check_ok(when_parse_minute("24:00", &minute));
	check_uint(minute, 1440);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(when_parse_minute(bad[i], &minute), WHEN_E_SYNTAX);
	check_uint(minute, 1440); /* a refusal leaves it alone */
}

static void moments(void **state)
{
	uint8_t day = 9;
	uint16_t minute = 9;
	(void)state;
	check_ok(when_parse_moment("tue 07:30", &day, &minute));
	check_uint(day, 1);
	check_uint(minute, 450);
	check_ok(when_parse_moment("sun 00:00", &day, &minute));
	check_uint(day, 6);
	check_int(when_parse_moment("mon-fri 07:30", &day, &minute), WHEN_E_SYNTAX);
	check_int(when_parse_moment("07:30", &day, &minute), WHEN_E_SYNTAX);
	check_int(when_parse_moment("mon 24:00", &day, &minute), WHEN_E_SYNTAX);
	check_int(when_parse_moment("mon", &day, &minute), WHEN_E_SYNTAX);
}

static void windows_there_and_back(void **state)
{
	static const char *const texts[] = { "07:00-22:30", "mon,tue,wed,thu,fri 22:00-06:00", "sun 00:00-24:00", "mon,sun 09:00-09:01" };
	static const char *const bad[] = { "", "07:00", "07:00-", "mon", "mon 07:00", "mon  07:00-08:00", "xyz 07:00-08:00", "07:00-08:00 mon",
					   "mon,tue,wed,thu,fri,sat,sun,mon,tue,wed,thu,fri,sat,sun 07:00-08:00" };
	struct policy_window window;
	char text[WHEN_TEXT_MAX];
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		check_ok(when_parse_window(texts[i], &window));
		when_print_window(&window, text);
		check_text(text, texts[i]);
	}
	check_ok(when_parse_window("mon-fri 07:00-08:00", &window));
	check_uint(window.days, 31);
	check_uint(window.from, 420);
	check_uint(window.to, 480);
	check_ok(when_parse_window("daily 07:00-08:00", &window));
	check_uint(window.days, DAYS_ALL);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(when_parse_window(bad[i], &window), WHEN_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(days), cmocka_unit_test(minutes), cmocka_unit_test(moments),
					   cmocka_unit_test(windows_there_and_back) };
	return CHECK_RUN(rows);
}
