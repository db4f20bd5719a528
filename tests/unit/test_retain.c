/* Half a year of a log in a second: what may go and what may not, whoever sets the clock, and that a log without its beginning holds,
 * when it says so itself. */
#include "audit_home.h"

#include <dirent.h>

#include "audit/inside.h"

#define DAY_MS (INT64_C(86400) * 1000)

struct heard {
	bool called;
	int r;
	unsigned dropped;
	struct audit_verdict verdict;
};

static void on_dropped(void *ctx, int r, unsigned dropped)
{
	*(struct heard *)ctx = (struct heard){ .called = true, .r = r, .dropped = dropped };
}

static void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	*(struct heard *)ctx = (struct heard){ .called = true, .r = r, .verdict = *verdict };
}

static void wait_for(struct audit_home *home, const struct heard *heard)
{
	for (int i = 0; i < 4000 && !heard->called; i++) {
		store_drain(home->store);
		check_ok(loop_turn(home->loop, 5));
	}
	check_true(heard->called);
}

static unsigned drop(struct audit_home *home)
{
	struct heard heard = { .called = false };

	check_ok(audit_drop_old(home->audit, AUDIT_KEEP_DAYS_MIN, on_dropped, &heard));
	wait_for(home, &heard);
	check_int(heard.r, 0);
	return heard.dropped;
}

static int verify(struct audit_home *home)
{
	struct heard heard = { .called = false };

	check_ok(audit_verify(home->audit, NULL, 0, on_verdict, &heard));
	wait_for(home, &heard);
	if (heard.r == AUDIT_E_TAMPERED)
		print_message("%s at %llu\n", heard.verdict.what, (unsigned long long)heard.verdict.first_bad);
	return heard.r;
}

static void live(struct audit_home *home, int days)
{
	while (days-- > 0) {
		loop_advance(home->loop, DAY_MS);
		audit_home_append(home, "a day");
		audit_home_settle(home);
	}
}

static void export(struct audit_home *home, enum audit_outcome outcome)
{
	struct audit_record record = audit_home_record("copy");

	record.kind = AUDIT_LOG_EXPORT;
	record.outcome = outcome;
	check_ok(audit_append(home->audit, &record, audit_home_on_done, home));
	audit_home_settle(home);
}

static void begin(struct audit_home *home)
{
	audit_home_init(home);
	audit_set_time_trusted(home->audit, true);
	audit_home_append(home, "first");
	audit_home_settle(home);
}

static void again(struct audit_home *home)
{
	audit_home_restart(home);
	audit_set_time_trusted(home->audit, true);
	check_true(audit_fault(home->audit) == NULL);
}

static bool is_there(struct audit_home *home, const char *name)
{
	return access(tmpdir_path(&home->dir, name), F_OK) == 0;
}

static void half_a_year_later_the_exported_goes_with_a_word(void **state)
{
	struct audit_home home;
	struct audit_seen seen;

	(void)state;
	begin(&home); /* 2026-11-24 */
	live(&home, 100);
	check_uint(drop(&home), 0);
	live(&home, 100);
	check_uint(drop(&home), 0); /* nobody has a copy */
	export(&home, AUDIT_FAILED);
	check_uint(drop(&home), 0);
	again(&home);
	live(&home, 5);
	uint64_t before = audit_bytes(home.audit);
	export(&home, AUDIT_OK);
	check_true(is_there(&home, "audit-202611-1.db"));
	check_uint(drop(&home), 1); /* December ended 168 days ago */
	check_true(!is_there(&home, "audit-202611-1.db") && !is_there(&home, "audit-202611-1.db-wal"));
	check_true(audit_bytes(home.audit) < before);
	check_int(verify(&home), AUDIT_E_NO_ANCHOR);
	audit_home_read(&home, 0, 2, true, &seen);
	check_uint(seen.rows[0].kind, AUDIT_SEGMENT_DROP);
	check_text(seen.rows[0].object, "audit-202611-1.db");
	again(&home);
	check_int(verify(&home), AUDIT_E_NO_ANCHOR);
	live(&home, 45);
	again(&home);
	check_uint(drop(&home), 2); /* December and January; the copy of day 205 has both */
	check_uint(drop(&home), 0);
	check_true(is_there(&home, "audit-202702-4.db"));
	check_int(verify(&home), AUDIT_E_NO_ANCHOR);
	check_uint(home.n_failed, 0);
	/* The next one goes without a word. */
	check_int(unlink(tmpdir_path(&home.dir, "audit-202702-4.db")), 0);
	check_int(verify(&home), AUDIT_E_TAMPERED);
	audit_home_deinit(&home);
}

/* As a power cut leaves it: the drop is on record, the file is there. */
static void a_drop_that_was_cut_off_is_done_again(void **state)
{
	struct audit_home home;
	char from[128], to[128];

	(void)state;
	begin(&home);
	live(&home, 205);
	export(&home, AUDIT_OK);
	snprintf(from, sizeof(from), "%s", tmpdir_path(&home.dir, "audit-202611-1.db"));
	snprintf(to, sizeof(to), "%s", tmpdir_path(&home.dir, "kept"));
	check_int(link(from, to), 0);
	check_uint(drop(&home), 1);
	check_int(rename(to, from), 0);
	again(&home);
	check_int(verify(&home), AUDIT_E_NO_ANCHOR);
	check_uint(drop(&home), 1);
	check_true(!is_there(&home, "audit-202611-1.db"));
	again(&home);
	check_int(verify(&home), AUDIT_E_NO_ANCHOR);
	audit_home_deinit(&home);
}

static void a_clock_that_is_set_drops_nothing(void **state)
{
	struct audit_home home;

	(void)state;
	begin(&home);
	live(&home, 40);
	loop_set_wall_us(home.loop, loop_wall_us(home.loop) + 10 * 365 * DAY_MS * 1000);
	live(&home, 3);
	export(&home, AUDIT_OK);
	check_uint(drop(&home), 0);
	live(&home, 130); /* still not so many days */
	export(&home, AUDIT_OK);
	check_uint(drop(&home), 0);
	loop_set_wall_us(home.loop, WALL_US); /* and back: what is from the future is not old */
	live(&home, 100);
	check_uint(drop(&home), 0);
	audit_home_deinit(&home);
}

static void days_without_power_and_of_another_boot_do_not_count(void **state)
{
	struct audit_home home;

	(void)state;
	begin(&home);
	live(&home, 40);
	for (uint8_t boot = 1; boot < 10; boot++) {
		memset(home.boot_id, boot, sizeof(home.boot_id));
		audit_home_close(&home);
		home.boot_ms = 300 * DAY_MS; /* a machine that has been up for long takes it over */
		home.wall_us += 100 * DAY_MS * 1000;
		audit_home_open(&home);
		audit_set_time_trusted(home.audit, true);
		live(&home, 2);
		export(&home, AUDIT_OK);
		check_uint(drop(&home), 0);
	}
	audit_home_deinit(&home);
}

static void less_than_half_a_year_is_refused(void **state)
{
	struct audit_home home;
	struct heard heard = { .called = false };

	(void)state;
	begin(&home);
	check_int(audit_drop_old(home.audit, AUDIT_KEEP_DAYS_MIN - 1, on_dropped, &heard), -EINVAL);
	check_int(audit_drop_old(home.audit, 0, on_dropped, &heard), -EINVAL);
	audit_set_time_trusted(home.audit, false);
	check_int(audit_drop_old(home.audit, 4000, on_dropped, &heard), -EAGAIN);
	check_true(!heard.called);
	audit_home_deinit(&home);
}

static void a_drop_that_is_cut_off_by_the_end_is_answered(void **state)
{
	struct audit_home home;
	struct heard heard = { .called = false };

	(void)state;
	begin(&home);
	live(&home, 205);
	export(&home, AUDIT_OK);
	check_ok(audit_drop_old(home.audit, AUDIT_KEEP_DAYS_MIN, on_dropped, &heard));
	audit_home_restart(&home);
	check_true(heard.called);
	check_true(audit_fault(home.audit) == NULL);
	check_int(verify(&home), AUDIT_E_NO_ANCHOR);
	audit_home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(half_a_year_later_the_exported_goes_with_a_word),
		cmocka_unit_test(a_drop_that_was_cut_off_is_done_again),
		cmocka_unit_test(a_clock_that_is_set_drops_nothing),
		cmocka_unit_test(days_without_power_and_of_another_boot_do_not_count),
		cmocka_unit_test(less_than_half_a_year_is_refused),
		cmocka_unit_test(a_drop_that_is_cut_off_by_the_end_is_answered),
	};

	return CHECK_RUN(rows);
}
