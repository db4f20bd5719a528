/* Who joins just now: in order, bounded, forgotten; digits only while the window is open, and only for somebody. */
#include "check.h"

#include <string.h>
#include "router/joins.h"

struct world {
	struct loop *loop;
	struct joins *joins;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	check_ok(loop_new_virtual(5000, 1700000000000000, &w->loop));
	check_ok(joins_new(w->loop, &w->joins));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	joins_close(w->joins);
	loop_free(w->loop);
	free(w);
	return 0;
}

static struct address at(uint8_t n)
{
	return (struct address){ .len = 1, .bytes = { n } };
}

static void hear(struct world *w, const char *adapter, uint8_t n, enum join_stage stage, const char *text, int64_t window_s)
{
	const struct address addr = at(n);
	joins_heard(w->joins, adapter, &addr, stage, text, window_s ? 7 : 0, window_s ? loop_now_ms(w->loop) + window_s * 1000 : 0);
}

static void one_row_a_device(void **state)
{
	struct world *w = *state;
	const struct address addr = at(1);
	hear(w, "a", 1, JOIN_SEEN, "", 60);
	hear(w, "b", 1, JOIN_SEEN, "", 60);
	hear(w, "a", 2, JOIN_SEEN, "", 60);
	loop_advance(w->loop, 1000);
	hear(w, "a", 1, JOIN_FAILED, "it went silent", 59);
	const struct join *join = joins_at(w->joins, "a", 0);
	check_true(address_equal(&join->addr, &addr));
	check_int(join->stage, JOIN_FAILED);
	check_text(join->text, "it went silent");
	check_uint(join->user, 7);
	check_int(join->changed_ms - join->since_ms, 1000);
	check_true(joins_at(w->joins, "a", 1) && !joins_at(w->joins, "a", 2));
	check_true(joins_has(w->joins, "b", &addr) && !joins_has(w->joins, "c", &addr));
	/* Once more from the beginning: so is its time. */
	hear(w, "a", 1, JOIN_SEEN, "", 59);
	check_int(joins_at(w->joins, "a", 0)->since_ms, loop_now_ms(w->loop));
}

static void so_many_an_adapter(void **state)
{
	struct world *w = *state;
	const struct address first = at(0), second = at(1);
	for (uint8_t i = 0; i < JOINS_PER_ADAPTER_MAX; i++) {
		hear(w, "a", i, JOIN_SEEN, "", 60);
		loop_advance(w->loop, 10);
	}
	hear(w, "b", 99, JOIN_SEEN, "", 60);
	hear(w, "a", 0, JOIN_INTERVIEW, "", 60); /* not silent any more */
	hear(w, "a", 99, JOIN_SEEN, "", 60);
	check_true(joins_has(w->joins, "a", &first) && !joins_has(w->joins, "a", &second));
	check_true(joins_at(w->joins, "a", JOINS_PER_ADAPTER_MAX - 1) && !joins_at(w->joins, "a", JOINS_PER_ADAPTER_MAX));
	check_true(joins_at(w->joins, "b", 0) != NULL);
	/* However many adapters there are. */
	for (uint8_t k = 0; k < JOINS_ADAPTERS + 4; k++) {
		char name[8] = { 'x', (char)('a' + k) };
		for (uint8_t i = 0; i < JOINS_PER_ADAPTER_MAX; i++)
			hear(w, name, i, JOIN_SEEN, "", 60);
	}
	check_true(joins_at(w->joins, "xz", 0) == NULL);
}

static void forgotten_when_the_window_is_long_over(void **state)
{
	struct world *w = *state;
	hear(w, "a", 1, JOIN_SEEN, "", 60);
	hear(w, "a", 2, JOIN_SEEN, "", 0);
	loop_advance(w->loop, JOINS_KEEP_MS - 1000);
	check_true(joins_at(w->joins, "a", 1) != NULL);
	loop_advance(w->loop, 10000);
	check_true(joins_at(w->joins, "a", 0) && !joins_at(w->joins, "a", 1)); /* nobody's window */
	loop_advance(w->loop, 60000);
	check_true(joins_at(w->joins, "a", 0) == NULL);
}

static void digits_end_with_the_window(void **state)
{
	struct world *w = *state;
	hear(w, "a", 1, JOIN_PASSKEY, "047293", 60);
	hear(w, "a", 2, JOIN_PASSKEY, "111111", 60);
	hear(w, "b", 3, JOIN_PASSKEY, "222222", 60);
	hear(w, "b", 4, JOIN_PASSKEY, "333333", 0);
	check_text(joins_at(w->joins, "a", 0)->text, "047293");
	check_text(joins_at(w->joins, "b", 1)->text, ""); /* nobody may see them */
	hear(w, "a", 2, JOIN_CONFIGURE, "", 60);
	check_text(joins_at(w->joins, "a", 1)->text, "");
	joins_window_closed(w->joins, "a");
	check_text(joins_at(w->joins, "a", 0)->text, "");
	check_text(joins_at(w->joins, "b", 0)->text, "222222");
	loop_advance(w->loop, 66000);
	check_text(joins_at(w->joins, "b", 0)->text, "");
	check_int(joins_at(w->joins, "b", 0)->stage, JOIN_PASSKEY);
}

/* It was heard in the window and takes its time. */
static void who_comes_late_is_still_his(void **state)
{
	struct world *w = *state;
	const struct address addr = at(1), other = at(2);
	hear(w, "a", 1, JOIN_SEEN, "", 60);
	check_uint(joins_user(w->joins, "a", &addr), 7);
	check_uint(joins_user(w->joins, "a", &other), 0);
	loop_advance(w->loop, 60000 + JOINS_LATE_MS - 1000);
	hear(w, "a", 1, JOIN_INTERVIEW, "", 0); /* the window is closed */
	check_uint(joins_user(w->joins, "a", &addr), 7);
	hear(w, "a", 1, JOIN_PASSKEY, "047293", 0);
	check_text(joins_at(w->joins, "a", 0)->text, "");
	loop_advance(w->loop, 1000);
	check_uint(joins_user(w->joins, "a", &addr), 0);
	hear(w, "a", 1, JOIN_READY, "", 0);
	check_uint(joins_at(w->joins, "a", 0)->user, 0);
}

/* Some are heard before their adapter has said that its window is open. */
static void heard_while_it_was_opened(void **state)
{
	struct world *w = *state;
	int64_t from;
	hear(w, "a", 1, JOIN_FAILED, "", 0);
	loop_advance(w->loop, 100);
	from = loop_now_ms(w->loop);
	hear(w, "a", 2, JOIN_SEEN, "", 0);
	hear(w, "b", 3, JOIN_SEEN, "", 0);
	joins_adopt(w->joins, "a", from, 7, from + 60000);
	check_uint(joins_at(w->joins, "a", 0)->user, 0);
	check_uint(joins_at(w->joins, "a", 1)->user, 7);
	check_int(joins_at(w->joins, "a", 1)->window_ms, from + 60000);
	check_uint(joins_at(w->joins, "b", 0)->user, 0);
}

static void every_stage_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < JOIN_STAGES; i++)
		check_true(join_stage_name((enum join_stage)i)[0] != '\0');
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(one_row_a_device),
		ROW(so_many_an_adapter),
		ROW(forgotten_when_the_window_is_long_over),
		ROW(digits_end_with_the_window),
		ROW(who_comes_late_is_still_his),
		ROW(heard_while_it_was_opened),
		cmocka_unit_test(every_stage_has_a_name),
	};
	return CHECK_RUN(rows);
}
