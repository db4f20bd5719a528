/* Numbered reports: in order, within credit, kept until stored, sent again with the same numbers and marked. */
#include "check.h"

#include "host/outbox.h"

enum { LEN = OUTBOX_AGAIN_AT + 1 };

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

/* A report of which only the first byte says which it is. */
static int add(struct outbox *box, uint8_t first)
{
	uint8_t bytes[LEN] = { first };

	return outbox_add(box, bytes, sizeof(bytes));
}

static void numbers_and_credit(void **state)
{
	struct outbox *box = new_outbox(3);

	(void)state;
	for (uint8_t i = 1; i <= 3; i++) {
		check_uint(outbox_next(box), i);
		check_ok(add(box, i));
	}
	check_uint(outbox_next(box), 0);
	check_int(add(box, 4), OUTBOX_E_FULL);
	for (uint8_t i = 1; i <= 3; i++) {
		const struct outbox_item *item = outbox_peek(box);

		check_uint(item->len, LEN);
		check_uint(item->bytes[0], i);
		outbox_sent(box);
	}
	check_true(outbox_peek(box) == NULL);
	check_true(outbox_stored(box, 2, 3));
	check_uint(outbox_next(box), 4);
	check_ok(add(box, 4));
	check_true(outbox_peek(box) != NULL);
	drop(box);
}

static void a_new_connection_sends_what_is_not_stored(void **state)
{
	struct outbox *box = new_outbox(10);

	(void)state;
	for (uint8_t i = 1; i <= 6; i++) {
		check_ok(add(box, i));
		if (i < 6)
			outbox_sent(box);
	}
	check_true(outbox_stored(box, 2, 10));
	outbox_again(box, 2);
	for (uint8_t i = 3; i <= 4; i++) {
		check_uint(outbox_peek(box)->bytes[0], i);
		check_uint(outbox_peek(box)->bytes[OUTBOX_AGAIN_AT], 1);
		outbox_sent(box);
	}
	/* The new core gives credit for two. */
	check_true(outbox_peek(box) == NULL);
	check_true(outbox_stored(box, 4, 2));
	check_uint(outbox_peek(box)->bytes[0], 5);
	check_uint(outbox_peek(box)->bytes[OUTBOX_AGAIN_AT], 1);
	outbox_sent(box);
	/* This one was never on its way. */
	check_uint(outbox_peek(box)->bytes[0], 6);
	check_uint(outbox_peek(box)->bytes[OUTBOX_AGAIN_AT], 0);
	drop(box);
}

static void nonsense_of_the_core_is_refused(void **state)
{
	struct outbox *box = new_outbox(10);

	(void)state;
	check_ok(add(box, 1));
	check_ok(add(box, 2));
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
		check_ok(add(box, 0));
	check_int(add(box, 0), OUTBOX_E_FULL);
	check_uint(outbox_next(box), 0);
	drop(box);
	box = new_outbox(UINT32_MAX);
	check_ok(outbox_add(box, big, OUTBOX_BYTES_MAX / 2));
	check_ok(outbox_add(box, big, OUTBOX_BYTES_MAX / 2));
	check_uint(outbox_next(box), 0);
	check_int(add(box, 0), OUTBOX_E_FULL);
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
