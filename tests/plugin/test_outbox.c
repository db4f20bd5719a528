/* Numbered reports: in order, within credit, kept until stored, sent again with the same numbers.
 */
#include "check.h"

#include "host/outbox.h"

static struct outbox *new_outbox(uint32_t credit)
{
	struct outbox *box = calloc(1, sizeof(*box));

	assert_non_null(box);
	outbox_again(box, credit);
	return box;
}

static void drop(struct outbox *box)
{
	outbox_deinit(box);
	free(box);
}

static void numbers_and_credit(void **state)
{
	struct outbox *box = new_outbox(3);

	(void)state;
	for (uint8_t i = 1; i <= 3; i++) {
		check_uint(outbox_next(box), i);
		check_ok(outbox_add(box, &i, 1));
	}
	check_uint(outbox_next(box), 0);
	check_int(outbox_add(box, "x", 1), OUTBOX_E_FULL);
	for (uint8_t i = 1; i <= 3; i++) {
		const struct outbox_item *item = outbox_peek(box);

		check_bytes(item->bytes, item->len, &i, 1);
		outbox_sent(box);
	}
	check_true(outbox_peek(box) == NULL);
	check_true(outbox_stored(box, 2, 3));
	check_uint(outbox_next(box), 4);
	check_ok(outbox_add(box, "d", 1));
	check_true(outbox_peek(box) != NULL);
	drop(box);
}

static void a_new_connection_sends_what_is_not_stored(void **state)
{
	struct outbox *box = new_outbox(10);

	(void)state;
	for (uint8_t i = 1; i <= 5; i++) {
		check_ok(outbox_add(box, &i, 1));
		outbox_sent(box);
	}
	check_true(outbox_stored(box, 2, 10));
	outbox_again(box, 2);
	check_int(outbox_peek(box)->bytes[0], 3);
	outbox_sent(box);
	check_int(outbox_peek(box)->bytes[0], 4);
	outbox_sent(box);
	/* The new core gives credit for two. */
	check_true(outbox_peek(box) == NULL);
	check_true(outbox_stored(box, 4, 2));
	check_int(outbox_peek(box)->bytes[0], 5);
	drop(box);
}

static void nonsense_of_the_core_is_refused(void **state)
{
	struct outbox *box = new_outbox(10);

	(void)state;
	check_ok(outbox_add(box, "a", 1));
	check_ok(outbox_add(box, "b", 1));
	outbox_sent(box);
	check_true(!outbox_stored(box, 2, 10)); /* not sent yet */
	check_true(outbox_stored(box, 1, 10));
	check_true(!outbox_stored(box, 0, 10)); /* back */
	check_true(!outbox_stored(box, UINT64_MAX, 10));
	drop(box);
}

static void limits(void **state)
{
	struct outbox *box = new_outbox(UINT32_MAX);
	char *big = calloc(1, OUTBOX_BYTES_MAX / 2);

	(void)state;
	for (int i = 0; i < OUTBOX_MAX; i++)
		check_ok(outbox_add(box, "x", 1));
	check_int(outbox_add(box, "x", 1), OUTBOX_E_FULL);
	check_uint(outbox_next(box), 0);
	drop(box);
	box = new_outbox(UINT32_MAX);
	check_ok(outbox_add(box, big, OUTBOX_BYTES_MAX / 2));
	check_ok(outbox_add(box, big, OUTBOX_BYTES_MAX / 2));
	check_uint(outbox_next(box), 0);
	check_int(outbox_add(box, "x", 1), OUTBOX_E_FULL);
	outbox_sent(box);
	check_true(outbox_stored(box, 1, 5));
	check_uint(outbox_next(box), 3);
	drop(box);
	free(big);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(numbers_and_credit),
		cmocka_unit_test(a_new_connection_sends_what_is_not_stored),
		cmocka_unit_test(nonsense_of_the_core_is_refused),
		cmocka_unit_test(limits),
	};

	return CHECK_RUN(rows);
}
