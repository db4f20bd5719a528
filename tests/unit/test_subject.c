/* Every word has a name of its own, and every name leads back to its word. */
#include "check.h"

#include "model/subject.h"

static void roles(void **state)
{
	(void)state;
	for (int i = 0; i < ROLES; i++) {
		enum role got;

		check_ok(role_parse(role_name((enum role)i), &got));
		check_int(got, i);
	}
	enum role role = ROLE_GUEST;
	check_int(role_parse("admin", &role), SUBJECT_E_SYNTAX);
	check_int(role_parse("", &role), SUBJECT_E_SYNTAX);
	check_int(role_parse(NULL, &role), SUBJECT_E_SYNTAX);
	check_int(role, ROLE_GUEST);
}

static void actions(void **state)
{
	(void)state;
	for (int i = 0; i < ACTIONS; i++) {
		enum action got;

		check_ok(action_parse(action_name((enum action)i), &got));
		check_int(got, i);
	}
	enum action action;
	check_int(action_parse("Read", &action), SUBJECT_E_SYNTAX);
}

static void sources(void **state)
{
	(void)state;
	for (int i = 0; i < SOURCES; i++) {
		enum source_kind got;

		check_ok(source_kind_parse(source_kind_name((enum source_kind)i), &got));
		check_int(got, i);
	}
	enum source_kind source;
	check_int(source_kind_parse("link", &source), SUBJECT_E_SYNTAX);
}

static void names_differ(void **state)
{
	(void)state;
	for (int i = 0; i < SUBJECT_KINDS; i++) {
		for (int k = 0; k < i; k++)
			check_true(strcmp(subject_kind_name((enum subject_kind)i),
					  subject_kind_name((enum subject_kind)k)));
	}
	check_text(loop_kind_name(LOOP_SMALL), "small");
	check_text(loop_kind_name(LOOP_BIG), "big");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(roles),
		cmocka_unit_test(actions),
		cmocka_unit_test(sources),
		cmocka_unit_test(names_differ),
	};

	return CHECK_RUN(rows);
}
