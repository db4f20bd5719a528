/* Numbered reports that finish out of order: "up to" never passes one that is not stored, and nothing is freed too early. */
#include "check.h"

#include "adapter/intake.h"

static void on_moved(void *ctx)
{
	++*(unsigned *)ctx;
}

static void up_to_waits_for_the_slowest(void **state)
{
	struct intake *intake;
	struct intake_cell *cells[4];
	unsigned n = 0;
	(void)state;
	check_ok(intake_new(on_moved, &n, &intake));
	for (int i = 0; i < 4; i++)
		check_ok(intake_take(intake, (uint64_t)(100 + i), &cells[i]));
	check_uint(intake_up_to(intake), 99);
	intake_stored(cells[2]);
	intake_stored(cells[1]);
	check_uint(intake_up_to(intake), 99);
	check_uint(n, 0);
	intake_stored(cells[0]);
	check_uint(intake_up_to(intake), 102);
	check_uint(n, 1);
	intake_stored(cells[3]);
	check_uint(intake_up_to(intake), 103);
	check_uint(intake_outstanding(intake), 0);
	check_true(intake_leave(intake) == NULL);
}

static void order_and_credit_are_kept(void **state)
{
	struct intake *intake;
	static struct intake_cell *cells[INTAKE_MAX + 1];
	struct intake_cell *cell;
	unsigned n = 0;
	(void)state;
	check_ok(intake_new(on_moved, &n, &intake));
	check_int(intake_take(intake, 0, &cell), INTAKE_E_ORDER);
	check_ok(intake_take(intake, 1, &cells[1]));
	check_int(intake_take(intake, 3, &cell), INTAKE_E_ORDER);
	check_int(intake_take(intake, 1, &cell), INTAKE_E_ORDER);
	for (uint64_t i = 2; i <= INTAKE_MAX; i++)
		check_ok(intake_take(intake, i, &cells[i]));
	check_int(intake_take(intake, INTAKE_MAX + 1, &cell), INTAKE_E_FLOOD);
	check_true(intake_leave(intake) == NULL);
	for (uint64_t i = 1; i <= INTAKE_MAX; i++)
		intake_stored(cells[i]); /* the last one out frees it: LeakSanitizer would tell */
}

static void what_is_stored_after_the_connection_went_is_let_go(void **state)
{
	struct intake *intake;
	struct intake_cell *a, *b;
	unsigned n = 0;
	(void)state;
	check_ok(intake_new(on_moved, &n, &intake));
	check_ok(intake_take(intake, 1, &a));
	check_ok(intake_take(intake, 2, &b));
	check_true(intake_leave(intake) == NULL);
	intake_stored(b);
	intake_stored(a); /* frees it; nothing was told to the owner that has gone */
	check_uint(n, 0);
	check_true(intake_leave(NULL) == NULL);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(up_to_waits_for_the_slowest),
		cmocka_unit_test(order_and_credit_are_kept),
		cmocka_unit_test(what_is_stored_after_the_connection_went_is_let_go),
	};
	return CHECK_RUN(rows);
}
