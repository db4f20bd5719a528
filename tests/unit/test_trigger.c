/* Deciding when a rule fires, walked at random: never twice without having been away, never at the first value. */
#include "check.h"

#include "base/base.h"
#include "router/trigger.h"

static void a_random_walk_fires_only_on_edges(void **state)
{
	struct automation_rule rule = { .trigger = TRIGGER_ABOVE, .hysteresis = 3 };
	struct trigger_state at = { 0 };
	double value = 20, lowest = 1000;
	bool fired_before = false;
	unsigned n = 0, seed = 7;
	(void)state;
	check_ok(value_box_set(&rule.threshold, &(struct value){ .type = VALUE_REAL, .f = 25 }));
	for (int i = 0; i < 1000000; i++) {
		seed = seed * 1103515245u + 12345u;
		value += ((double)(seed >> 16 & 1023) - 511.5) / 512;
		value = value < 15 ? 15 : value > 35 ? 35 : value;
		struct value v = value_real(value);
		lowest = value < lowest ? value : lowest;
		if (!trigger_fires(&rule, &at, &v, NULL))
			continue;
		n++;
		check_true(i > 0 && value > 25);
		check_true(!fired_before || lowest <= 22);
		fired_before = true;
		lowest = value;
	}
	check_true(n > 100);
	value_box_deinit(&rule.threshold);
}

static void equals_and_below_and_change(void **state)
{
	struct automation_rule rule = { .trigger = TRIGGER_EQUALS };
	struct trigger_state at = { 0 };
	struct value no = value_bool(false), yes = value_bool(true), low = value_int(3), high = value_int(9), word = value_text("x");
	(void)state;
	check_ok(value_box_set(&rule.threshold, &no));
	check_true(!trigger_fires(&rule, &at, &no, NULL)); /* the first value arms, no more */
	check_true(!trigger_fires(&rule, &at, &yes, NULL));
	check_true(trigger_fires(&rule, &at, &no, NULL));
	check_true(!trigger_fires(&rule, &at, &no, NULL));
	rule.trigger = TRIGGER_BELOW;
	at = (struct trigger_state){ 0 };
	check_ok(value_box_set(&rule.threshold, &(struct value){ .type = VALUE_INT, .i = 5 }));
	check_true(!trigger_fires(&rule, &at, &low, NULL));
	check_true(!trigger_fires(&rule, &at, &high, NULL));
	check_true(!trigger_fires(&rule, &at, &word, NULL)); /* no number: nothing happens */
	check_true(trigger_fires(&rule, &at, &low, NULL));
	rule.trigger = TRIGGER_CHANGE;
	at = (struct trigger_state){ 0 };
	check_true(!trigger_fires(&rule, &at, &low, NULL));
	check_true(!trigger_fires(&rule, &at, &low, &low));
	check_true(trigger_fires(&rule, &at, &high, &low));
	/* A rule that is new starts from what was before. */
	rule.trigger = TRIGGER_BELOW;
	at = (struct trigger_state){ 0 };
	check_true(trigger_fires(&rule, &at, &low, &high));
	at = (struct trigger_state){ 0 };
	check_true(!trigger_fires(&rule, &at, &low, &low));
	rule.trigger = TRIGGER_TIME;
	check_true(!trigger_fires(&rule, &at, &high, &low));
	rule.minute = 600;
	rule.days = 0x1f;
	check_true(trigger_at(&rule, 0, 600) && !trigger_at(&rule, 5, 600) && !trigger_at(&rule, 0, 601));
	value_box_deinit(&rule.threshold);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_random_walk_fires_only_on_edges),
		cmocka_unit_test(equals_and_below_and_change),
	};
	return CHECK_RUN(rows);
}
