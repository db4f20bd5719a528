/* The alarm table: every kind has its row, a name of its own and a sentence. */
#include "check.h"

#include "model/alarm.h"

static void every_kind_has_its_row(void **state)
{
	(void)state;
	for (int i = 0; i < ALARMS; i++) {
		const struct alarm_row *row = alarm_row((enum alarm_kind)i);
		enum alarm_kind got;

		check_int(row->kind, i);
		check_true(row->severity < SEVERITIES);
		check_true(row->text[0] != '\0' && row->text[strlen(row->text) - 1] == '.');
		check_ok(alarm_kind_parse(row->name, &got));
		check_int(got, i);
	}
}

static void other_names_are_refused(void **state)
{
	enum alarm_kind got;

	(void)state;
	check_int(alarm_kind_parse("no-such-alarm", &got), ALARM_E_SYNTAX);
	check_int(alarm_kind_parse(NULL, &got), ALARM_E_SYNTAX);
}

static void severities_rise(void **state)
{
	(void)state;
	check_text(severity_name(SEVERITY_INFO), "info");
	check_text(severity_name(SEVERITY_CRITICAL), "critical");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(every_kind_has_its_row),
		cmocka_unit_test(other_names_are_refused),
		cmocka_unit_test(severities_rise),
	};

	return CHECK_RUN(rows);
}
