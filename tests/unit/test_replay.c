/* A counter works once, whatever happens in between: again, out of order, a restart, a death. */
#include "gateway_home.h"

#include "model/command.h"
#include "router/replay.h"

struct world {
	struct gateway g;
	struct replay *replay;
};

static void world_start(struct world *w)
{
	check_ok(replay_new(w->g.store, w->g.db, &w->replay));
	check_ok(replay_load(w->replay));
	gateway_start(&w->g);
}

static void world_open(struct world *w)
{
	gateway_open(&w->g, replay_schema_1);
	world_start(w);
}

static void world_restart(struct world *w)
{
	gateway_settle(&w->g);
	w->replay = replay_free(w->replay);
	gateway_stop(&w->g);
	gateway_open_again(&w->g);
	world_start(w);
}

static void world_close(struct world *w)
{
	gateway_settle(&w->g);
	replay_free(w->replay);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

struct answer {
	unsigned n;
	int r;
};

static void on_done(void *ctx, int r)
{
	struct answer *answer = ctx;
	answer->n++;
	answer->r = r;
}

static int check(struct world *w, const char *sender, uint64_t counter)
{
	struct answer answer = { 0 };
	replay_check(w->replay, "cloud", sender, counter, on_done, &answer);
	gateway_settle(&w->g);
	check_uint(answer.n, 1);
	return answer.r;
}

static void a_number_works_once(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	check_ok(check(&w, "app", 1));
	check_int(check(&w, "app", 1), REPLAY_E_OLD);
	check_ok(check(&w, "app", 5)); /* numbers may be left out */
	check_int(check(&w, "app", 4), REPLAY_E_OLD);
	check_int(check(&w, "app", 0), REPLAY_E_OLD);
	check_int(check(&w, "app", UINT64_MAX), REPLAY_E_OLD);
	check_ok(check(&w, "other", 1)); /* another sender's number is another number */
	check_uint(replay_last(w.replay, "cloud", "app"), 5);
	check_uint(replay_last(w.replay, "home", "app"), 0);
	world_close(&w);
}

/* On the disk is a mark a block ahead: what was used is used, what was not is skipped. */
static void nothing_used_works_after_a_restart(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	check_ok(check(&w, "app", 10));
	check_ok(check(&w, "app", 11));
	world_restart(&w);
	check_int(check(&w, "app", 10), REPLAY_E_OLD);
	check_int(check(&w, "app", 11), REPLAY_E_OLD);
	check_uint(replay_last(w.replay, "cloud", "app"), 10 + REPLAY_BLOCK);
	check_int(check(&w, "app", 10 + REPLAY_BLOCK), REPLAY_E_OLD);
	check_ok(check(&w, "app", 11 + REPLAY_BLOCK));
	world_close(&w);
}

static void within_a_block_nothing_is_written(void **state)
{
	struct world w;
	struct answer answer = { 0 };
	(void)state;
	world_open(&w);
	replay_check(w.replay, "cloud", "app", 1, on_done, &answer);
	check_uint(answer.n, 0); /* it waits for the disk */
	/* The same again while it waits: old already. */
	replay_check(w.replay, "cloud", "app", 1, on_done, &answer);
	check_int(answer.r, REPLAY_E_OLD);
	gateway_settle(&w.g);
	check_uint(answer.n, 2);
	check_int(answer.r, 0);
	uint64_t before = store_progress(w.g.store);
	for (uint64_t i = 2; i <= 1 + REPLAY_BLOCK; i++) {
		answer.n = 0;
		replay_check(w.replay, "cloud", "app", i, on_done, &answer);
		check_uint(answer.n, 1); /* at once */
		check_int(answer.r, 0);
	}
	check_uint(store_progress(w.g.store), before);
	answer.n = 0;
	replay_check(w.replay, "cloud", "app", 2 + REPLAY_BLOCK, on_done, &answer);
	check_uint(answer.n, 0);
	gateway_settle(&w.g);
	check_uint(answer.n, 1);
	world_close(&w);
}

static void the_last_number_there_is(void **state)
{
	struct world w;
	(void)state;
	world_open(&w);
	check_ok(check(&w, "app", INT64_MAX));
	check_int(check(&w, "app", INT64_MAX), REPLAY_E_OLD);
	world_restart(&w);
	check_uint(replay_last(w.replay, "cloud", "app"), INT64_MAX);
	world_close(&w);
}

static void there_are_so_many_senders(void **state)
{
	struct world w;
	char sender[SENDER_MAX + 1];
	(void)state;
	world_open(&w);
	for (int i = 0; i < REPLAY_SENDERS_MAX; i++) {
		snprintf(sender, sizeof(sender), "app-%d", i);
		check_ok(check(&w, sender, 1));
	}
	check_int(check(&w, "more", 1), REPLAY_E_FULL);
	check_ok(check(&w, "app-0", 2));
	world_restart(&w);
	check_int(check(&w, "app-0", 2), REPLAY_E_OLD);
	check_int(check(&w, "more", 1), REPLAY_E_FULL);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_number_works_once),
		cmocka_unit_test(nothing_used_works_after_a_restart),
		cmocka_unit_test(within_a_block_nothing_is_written),
		cmocka_unit_test(the_last_number_there_is),
		cmocka_unit_test(there_are_so_many_senders),
	};
	return CHECK_RUN(rows);
}
