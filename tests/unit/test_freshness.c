/* An older image is told by a later word of its own, found outside; it stays in doubt until an owner confirms it. */
#include "gateway_home.h"

#include <string.h>
#include "base/text.h"
#include "router/alarms.h"
#include "router/freshness.h"

struct world {
	struct gateway g;
	struct alarms *alarms;
	struct freshness *freshness;
	struct freshness_point here;
	unsigned said;
};

static void on_alarm(void *ctx, const struct alarm *alarm, unsigned phase)
{
	(void)ctx;
	(void)alarm;
	(void)phase;
}

/* An anchor here is a point as it lies in memory; "ours" is its signature. */
static int read_anchor(void *ctx, const void *body, size_t len, const char *signatures, struct freshness_point *ret)
{
	(void)ctx;
	if (len != sizeof(*ret) || !text_equal(signatures, "ours"))
		return 1;
	memcpy(ret, body, len);
	return 0;
}

static struct freshness_point here(void *ctx)
{
	return ((struct world *)ctx)->here;
}

/* Point 7 is another one here. */
static int knows(void *ctx, uint64_t number, const void *body, size_t len, void (*fn)(void *ctx, int r), void *fn_ctx)
{
	(void)ctx;
	(void)body;
	check_uint(len, sizeof(struct freshness_point));
	fn(fn_ctx, number == 7 ? AUDIT_E_TAMPERED : number == 2 ? -ENOENT : 0);
	return 0;
}

static void say(void *ctx)
{
	((struct world *)ctx)->said++;
}

static const struct freshness_ops ops = { read_anchor, here, knows, say };

static void world_start(struct world *w)
{
	check_ok(alarms_new(w->g.loop, w->g.store, w->g.db, w->g.audit, on_alarm, w, &w->alarms));
	check_ok(alarms_load(w->alarms));
	check_ok(freshness_new(w->g.store, w->g.db, w->g.audit, w->alarms, &ops, w, &w->freshness));
	check_ok(freshness_load(w->freshness));
	gateway_start(&w->g);
}

static void world_open(struct world *w)
{
	char *schema;

	memset(w, 0, sizeof(*w));
	w->here = (struct freshness_point){ 10, 1000, 5 };
	assert_true(asprintf(&schema, "%s%s", alarms_schema_1, freshness_schema_1) > 0);
	gateway_open(&w->g, schema);
	free(schema);
	world_start(w);
}

static void world_stop(struct world *w)
{
	gateway_settle(&w->g);
	w->freshness = freshness_free(w->freshness);
	w->alarms = alarms_close(w->alarms);
	gateway_stop(&w->g);
}

static void world_close(struct world *w)
{
	world_stop(w);
	gateway_close(&w->g);
}

static void anchor(struct world *w, uint64_t number, uint64_t size, uint64_t starts, const char *signatures)
{
	const struct freshness_point point = { number, size, starts };

	freshness_anchor(w->freshness, "cloud", &point, sizeof(point), signatures);
}

static bool has_alarm(struct world *w)
{
	const struct alarm *alarm;

	for (size_t i = 0; (alarm = alarms_at(w->alarms, i)); i++)
		if (alarm->kind == ALARM_ROLLBACK)
			return true;
	return false;
}

static void on_done(void *ctx, int r)
{
	check_ok(r);
	++*(unsigned *)ctx;
}

static void confirm(struct world *w)
{
	const struct audit_record record = { .kind = AUDIT_FRESHNESS, .subject = { SUBJECT_USER, 1 }, .subject_name = "anna", .object = "confirmed" };
	unsigned n_done = 0;

	check_ok(freshness_confirm(w->freshness, &record, on_done, &n_done));
	gateway_settle(&w->g);
	check_uint(n_done, 1);
}

static void what_we_said_before_is_no_doubt(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	anchor(&w, 10, 1000, 5, "ours");
	anchor(&w, 3, 20, 1, "ours");
	check_true(!freshness_why(w.freshness));
	check_true(!has_alarm(&w));
	world_close(&w);
}

static void a_later_word_of_ours_is(void **state)
{
	static const struct freshness_point later[] = { { 11, 1000, 5 }, { 10, 1001, 5 }, { 10, 1000, 6 } };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(later); i++) {
		struct world w;

		world_open(&w);
		anchor(&w, later[i].number, later[i].size, later[i].starts, "ours");
		check_true(freshness_why(w.freshness) && strstr(freshness_why(w.freshness), "cloud"));
		check_true(has_alarm(&w));
		world_close(&w);
	}
}

static void another_point_of_the_same_number_is(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	anchor(&w, 2, 20, 1, "ours");
	check_true(!freshness_why(w.freshness));
	anchor(&w, 7, 700, 4, "ours");
	check_true(strstr(freshness_why(w.freshness), "another one"));
	world_close(&w);
}

static void who_cannot_sign_puts_nothing_in_doubt(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	anchor(&w, 99, 9999, 99, "theirs");
	freshness_anchor(w.freshness, "cloud", "x", 1, "ours");
	check_true(!freshness_why(w.freshness));
	world_close(&w);
}

static void doubt_outlives_a_restart_until_an_owner_confirms(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	anchor(&w, 20, 2000, 5, "ours");
	freshness_doubt(w.freshness, "something else");
	check_true(strstr(freshness_why(w.freshness), "point 20"));
	world_stop(&w);
	gateway_open_again(&w.g);
	world_start(&w);
	check_true(strstr(freshness_why(w.freshness), "point 20"));
	check_true(has_alarm(&w));
	confirm(&w);
	check_true(!freshness_why(w.freshness));
	check_true(!has_alarm(&w));
	check_uint(w.said, 1);
	world_stop(&w);
	gateway_open_again(&w.g);
	world_start(&w);
	check_true(!freshness_why(w.freshness));
	world_close(&w);
}

/* The broker may give the same word again before it has the new one; a yet later one is another matter. */
static void what_was_confirmed_is_not_asked_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	anchor(&w, 20, 2000, 5, "ours");
	gateway_settle(&w.g);
	confirm(&w);
	anchor(&w, 20, 2000, 5, "ours");
	check_true(!freshness_why(w.freshness));
	anchor(&w, 21, 2100, 5, "ours");
	check_true(freshness_why(w.freshness));
	world_close(&w);
}

static void a_long_reason_is_cut(void **state)
{
	char why[FRESHNESS_WHY_MAX + 10];
	struct world w;

	(void)state;
	world_open(&w);
	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = 0;
	freshness_doubt(w.freshness, why);
	check_uint(strlen(freshness_why(w.freshness)), FRESHNESS_WHY_MAX - 1);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_said_before_is_no_doubt),
		cmocka_unit_test(a_later_word_of_ours_is),
		cmocka_unit_test(another_point_of_the_same_number_is),
		cmocka_unit_test(who_cannot_sign_puts_nothing_in_doubt),
		cmocka_unit_test(doubt_outlives_a_restart_until_an_owner_confirms),
		cmocka_unit_test(a_long_reason_is_cut),
		cmocka_unit_test(what_was_confirmed_is_not_asked_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
