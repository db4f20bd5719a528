#include "audit_home.h"
static void appended_records_are_read_back(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	audit_home_init(&home);
	audit_home_append(&home, "one");
	audit_home_append(&home, "two");
	audit_home_settle(&home);
	check_uint(home.n_done, 2);
	check_uint(audit_head(home.audit).seq, 3);
	audit_home_read(&home, 0, 10, false, seen);
	check_ok(seen->r);
	check_uint(seen->n, 3);
	free(seen);
	audit_home_deinit(&home);
}
int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(appended_records_are_read_back) };

	return CHECK_RUN(rows);
}
