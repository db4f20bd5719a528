/* How commands end: a code and a sentence each, and back from the code. */
#include "check.h"

#include "model/command.h"

static void results(void **state)
{
	(void)state;
	for (int i = 0; i < RESULTS; i++) {
		enum result got;
		const char *text = result_text((enum result)i);

		check_ok(result_parse(result_name((enum result)i), &got));
		check_int(got, i);
		check_true(text[0] >= 'A' && text[0] <= 'Z' && text[strlen(text) - 1] == '.');
	}
}

static void other_words_are_refused(void **state)
{
	enum result got = RESULT_OK;

	(void)state;
	check_int(result_parse("unknown_device", &got), COMMAND_E_SYNTAX);
	check_int(result_parse("", &got), COMMAND_E_SYNTAX);
	check_int(result_parse(NULL, &got), COMMAND_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(other_words_are_refused),
	};

	return CHECK_RUN(rows);
}
