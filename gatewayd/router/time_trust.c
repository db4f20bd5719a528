/* A gateway without a battery clock wakes up in the past. Until its time is vouched for, whatever hangs on time is refused.
 * The system's own synchronisation vouches; so does a peer over an authenticated link, provided that the clock is past
 * the floor: the latest time that was ever trusted here, which is kept on disk and so cannot be turned back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/time_trust.h"
#include "router/zone.h"
#include "sys/host.h"

enum { CHECK_MS = 5000 };

struct time_trust {
	struct loop *loop;
	struct store *store;
	unsigned db;
	struct zone *zone;
	bool (*synced)(void *ctx);
	time_trust_fn fn;
	void *ctx;
	struct timer *timer;
	bool trusted, told, peer_agrees;
	int64_t floor_us;
	int64_t last_wall_us, last_ms;
	const char *why;
};

/* NULL zone (UTC) for "UTC"; -ENOENT for a name the system does not have. */
static int load_zone(const char *name, struct zone **ret)
{
	char path[256], *data = NULL;
	size_t len;
	if (strcmp(name, "UTC") == 0 || strstr(name, "..") || name[0] == '/')
		return strcmp(name, "UTC") == 0 ? 0 : -EINVAL;
	if (!text_print(path, sizeof(path), "/usr/share/zoneinfo/%s", name))
		return -ENAMETOOLONG;
	int r = host_read_file(path, ZONE_FILE_MAX, &data, &len);
	if (r == 0)
		r = zone_parse(data, len, ret);
	free(data);
	return r > 0 ? -EBADMSG : r;
}

static int floor_job(struct db *db, void *arg)
{
	const int64_t *floor_us = arg;
	struct stmt *s;
	int r = db_prepare(db,
			   "INSERT INTO meta (key, value) VALUES ('time_floor_us', ?)"
			   " ON CONFLICT (key) DO UPDATE SET value = max(value, excluded.value)",
			   &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, *floor_us);
	return stmt_run(s);
}

static void floor_done(void *arg, int r)
{
	(void)r; /* the next hour writes it again */
	free(arg);
}

/* Once an hour while time is trusted: flash is precious. */
static void raise_floor(struct time_trust *t, int64_t wall_us)
{
	if (wall_us < t->floor_us + TIME_FLOOR_STEP_S * INT64_C(1000000))
		return;
	int64_t *arg = malloc(sizeof(*arg));
	if (!arg)
		return;
	*arg = t->floor_us = wall_us;
	if (store_submit(t->store, t->db, 0, floor_job, floor_done, arg) != 0)
		free(arg);
}

static bool judge(struct time_trust *t, int64_t wall_us)
{
	int64_t now_ms = loop_now_ms(t->loop);
	int64_t moved = wall_us - t->last_wall_us - (now_ms - t->last_ms) * 1000;
	bool jumped = t->last_ms && (moved > TIME_PEER_TOLERANCE_US || moved < -TIME_PEER_TOLERANCE_US);

	t->last_wall_us = wall_us;
	t->last_ms = now_ms;
	if (jumped)
		t->peer_agrees = false; /* what a peer agreed to was another time */
	if (t->synced(t->ctx)) {
		t->why = "the system's clock is synchronised";
		return true;
	}
	if (wall_us < t->floor_us) {
		t->why = "the clock is behind a time that was trusted before";
		return false;
	}
	t->why = t->peer_agrees ? "a link's peer agrees with the clock" : "nobody vouches for the clock";
	return t->peer_agrees;
}

static void check(struct time_trust *t)
{
	int64_t wall_us = loop_wall_us(t->loop);
	bool trusted = judge(t, wall_us);
	if (trusted)
		raise_floor(t, wall_us);
	if (t->told && trusted == t->trusted)
		return;
	t->told = true;
	t->trusted = trusted;
	t->fn(t->ctx, trusted);
}

static void on_timer(void *ctx)
{
	struct time_trust *t = ctx;
	timer_start(t->timer, CHECK_MS);
	check(t);
}

int time_trust_new(struct loop *loop, struct store *store, unsigned db, const char *timezone, bool (*synced)(void *ctx), time_trust_fn fn,
		   void *ctx, struct time_trust **ret)
{
	struct time_trust *t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	*t = (struct time_trust){ .loop = loop, .store = store, .db = db, .synced = synced, .fn = fn, .ctx = ctx, .why = "not looked at yet" };
	int r = load_zone(timezone, &t->zone);
	if (r == 0)
		r = timer_new(loop, on_timer, t, &t->timer);
	if (r != 0) {
		time_trust_close(t);
		return r;
	}
	timer_start(t->timer, 0);
	*ret = t;
	return 0;
}

int time_trust_load(struct time_trust *t)
{
	struct stmt *s;
	int r = db_prepare(store_db(t->store, t->db), "SELECT value FROM meta WHERE key = 'time_floor_us'", &s);
	if (r == 0)
		r = stmt_step(s);
	if (r != 1)
		return r;
	t->floor_us = stmt_i64(s, 0);
	stmt_reset(s);
	return 0;
}

struct time_trust *time_trust_close(struct time_trust *t)
{
	if (!t)
		return NULL;
	timer_close(t->timer);
	zone_free(t->zone);
	free(t);
	return NULL;
}

void time_trust_peer(struct time_trust *t, int64_t wall_us)
{
	int64_t off = wall_us - loop_wall_us(t->loop);
	t->peer_agrees = off < TIME_PEER_TOLERANCE_US && off > -TIME_PEER_TOLERANCE_US;
	check(t);
}

bool time_is_trusted(const struct time_trust *t)
{
	return t->trusted;
}

const char *time_trust_why(const struct time_trust *t)
{
	return t->why;
}

void time_local(const struct time_trust *t, int64_t wall_us, uint8_t *ret_day, uint16_t *ret_minute)
{
	int64_t unix_s = wall_us / 1000000 - (wall_us % 1000000 < 0);
	int64_t local = unix_s + zone_offset_s(t->zone, unix_s);
	int64_t days = local / 86400 - (local % 86400 < 0);
	*ret_day = (uint8_t)(((days + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday; 0 is Monday */
	*ret_minute = (uint16_t)((local - days * 86400) / 60);
}
