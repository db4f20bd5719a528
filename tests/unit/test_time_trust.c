/* When the wall clock may be believed: who vouches, the floor below which nobody can, jumps, and what is kept. */
#include "gateway_home.h"

#include "router/time_trust.h"

#define HOUR_US (INT64_C(3600) * 1000000)

struct world {
	struct gateway g;
	struct time_trust *time;
	bool synced, trusted;
	unsigned n_told;
};

static bool is_synced(void *ctx)
{
	return ((struct world *)ctx)->synced;
}

static void on_trust(void *ctx, bool trusted)
{
	struct world *w = ctx;
	w->trusted = trusted;
	w->n_told++;
}

static void world_start(struct world *w, int64_t wall_us)
{
	loop_set_wall_us(w->g.loop, wall_us);
	check_ok(time_trust_new(w->g.loop, w->g.store, w->g.db, "UTC", is_synced, on_trust, w, &w->time));
	check_ok(time_trust_load(w->time));
	gateway_start(&w->g);
	loop_advance(w->g.loop, 0);
}

static void world_open(struct world *w, bool synced)
{
	memset(w, 0, sizeof(*w));
	w->synced = synced;
	gateway_open(&w->g, "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER) STRICT;");
	world_start(w, GATEWAY_WALL_US);
}

static void world_restart(struct world *w, bool synced, int64_t wall_us)
{
	gateway_settle(&w->g);
	w->time = time_trust_close(w->time);
	gateway_stop(&w->g);
	gateway_open_again(&w->g);
	w->synced = synced;
	w->n_told = 0;
	world_start(w, wall_us);
}

static void world_close(struct world *w)
{
	gateway_settle(&w->g);
	time_trust_close(w->time);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

static void look_again(struct world *w)
{
	loop_advance(w->g.loop, 5000);
}

static void the_system_vouches(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, false);
	check_uint(w.n_told, 1);
	check_true(!w.trusted && !time_is_trusted(w.time));
	w.synced = true;
	look_again(&w);
	check_uint(w.n_told, 2);
	check_true(w.trusted && time_is_trusted(w.time));
	look_again(&w);
	check_uint(w.n_told, 2); /* told once, not each time it is looked at */
	w.synced = false;
	look_again(&w);
	check_true(!w.trusted);
	world_close(&w);
}

static void a_peer_vouches_within_its_tolerance(void **state)
{
	const struct {
		int64_t off;
		bool trusted;
	} rows[] = { { 0, true }, { TIME_PEER_TOLERANCE_US - 1, true }, { 1 - TIME_PEER_TOLERANCE_US, true },
		     { TIME_PEER_TOLERANCE_US, false }, { -TIME_PEER_TOLERANCE_US, false }, { INT64_C(1) << 60, false } };
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct world w;
		world_open(&w, false);
		time_trust_peer(w.time, loop_wall_us(w.g.loop) + rows[i].off);
		check_int(time_is_trusted(w.time), rows[i].trusted);
		world_close(&w);
	}
}

/* What was trusted once cannot be taken back by turning the clock and asking a liar. */
static void below_the_floor_a_peer_is_not_enough(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, true);
	check_true(w.trusted);
	world_restart(&w, false, GATEWAY_WALL_US - HOUR_US);
	time_trust_peer(w.time, loop_wall_us(w.g.loop));
	check_true(!time_is_trusted(w.time));
	check_text(time_trust_why(w.time), "the clock is behind a time that was trusted before");
	w.synced = true; /* the system itself may know better */
	look_again(&w);
	check_true(time_is_trusted(w.time));
	world_restart(&w, false, GATEWAY_WALL_US + HOUR_US);
	check_true(!time_is_trusted(w.time));
	time_trust_peer(w.time, loop_wall_us(w.g.loop));
	check_true(time_is_trusted(w.time));
	world_close(&w);
}

static void a_jump_ends_what_a_peer_said(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, false);
	time_trust_peer(w.time, loop_wall_us(w.g.loop));
	check_true(w.trusted);
	loop_set_wall_us(w.g.loop, loop_wall_us(w.g.loop) + TIME_PEER_TOLERANCE_US / 2);
	look_again(&w);
	check_true(w.trusted); /* a little is no jump */
	loop_set_wall_us(w.g.loop, loop_wall_us(w.g.loop) + 2 * TIME_PEER_TOLERANCE_US);
	look_again(&w);
	check_true(!w.trusted);
	time_trust_peer(w.time, loop_wall_us(w.g.loop));
	check_true(w.trusted);
	loop_set_wall_us(w.g.loop, GATEWAY_WALL_US - HOUR_US);
	look_again(&w);
	check_true(!w.trusted);
	world_close(&w);
}

static void the_floor_is_written_once_an_hour(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, true);
	gateway_settle(&w.g);
	uint64_t written = store_bytes_written(w.g.store);
	for (int i = 0; i < TIME_FLOOR_STEP_S / 5 - 2; i++)
		look_again(&w);
	gateway_settle(&w.g);
	check_uint(store_bytes_written(w.g.store), written);
	for (int i = 0; i < 4; i++)
		look_again(&w);
	gateway_settle(&w.g);
	check_true(store_bytes_written(w.g.store) > written);
	world_close(&w);
}

static void local_time_is_monday_first(void **state)
{
	struct world w;
	struct time_trust *none;
	uint8_t day;
	uint16_t minute;
	(void)state;
	world_open(&w, true);
	time_local(w.time, 0, &day, &minute); /* 1970-01-01, a Thursday */
	check_uint(day, 3);
	check_uint(minute, 0);
	time_local(w.time, -1, &day, &minute); /* the minute before */
	check_uint(day, 2);
	check_uint(minute, 1439);
	time_local(w.time, GATEWAY_WALL_US, &day, &minute); /* 2026-11-24, a Tuesday */
	check_uint(day, 1);
	check_int(time_trust_new(w.g.loop, w.g.store, w.g.db, "../../etc/shadow", is_synced, on_trust, &w, &none), -EINVAL);
	check_int(time_trust_new(w.g.loop, w.g.store, w.g.db, "/etc/shadow", is_synced, on_trust, &w, &none), -EINVAL);
	check_int(time_trust_new(w.g.loop, w.g.store, w.g.db, "Nowhere/City", is_synced, on_trust, &w, &none), -ENOENT);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_system_vouches),
		cmocka_unit_test(a_peer_vouches_within_its_tolerance),
		cmocka_unit_test(below_the_floor_a_peer_is_not_enough),
		cmocka_unit_test(a_jump_ends_what_a_peer_said),
		cmocka_unit_test(the_floor_is_written_once_an_hour),
		cmocka_unit_test(local_time_is_monday_first),
	};
	return CHECK_RUN(rows);
}
