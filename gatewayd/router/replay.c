/* A recorded order must never work twice, not even across a power cut. Every sender counts; what was accepted is remembered
 * in memory, and on disk as a mark that lies a block ahead. Only when a counter passes the mark is there a write,
 * and the order waits for it. After a crash everything up to the mark counts as used. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "model/command.h"
#include "model/device.h"
#include "router/replay.h"

const char replay_schema_1[] = "CREATE TABLE replay ("
			       " link TEXT NOT NULL, sender TEXT NOT NULL, mark INTEGER NOT NULL,"
			       " PRIMARY KEY (link, sender)) WITHOUT ROWID, STRICT;";

struct counter {
	char link[ADAPTER_NAME_MAX + 1], sender[SENDER_MAX + 1];
	uint64_t last, mark;
};

struct replay {
	struct store *store;
	unsigned db;
	struct counter counters[REPLAY_SENDERS_MAX];
	size_t n;
};

int replay_new(struct store *store, unsigned db, struct replay **ret)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	if (!replay)
		return -ENOMEM;
	replay->store = store;
	replay->db = db;
	*ret = replay;
	return 0;
}

struct replay *replay_free(struct replay *replay)
{
	free(replay);
	return NULL;
}

static struct counter *counter_find(const struct replay *replay, const char *link, const char *sender)
{
	for (size_t i = 0; i < replay->n; i++) {
		const struct counter *c = &replay->counters[i];
		if (strcmp(c->link, link) == 0 && strcmp(c->sender, sender) == 0)
			return (struct counter *)c;
	}
	return NULL;
}

static struct counter *counter_make(struct replay *replay, const char *link, const char *sender)
{
	if (replay->n == REPLAY_SENDERS_MAX)
		return NULL;
	struct counter *c = &replay->counters[replay->n++];
	text_copy(c->link, sizeof(c->link), link);
	text_copy(c->sender, sizeof(c->sender), sender);
	return c;
}

int replay_load(struct replay *replay)
{
	struct stmt *s;
	int r = db_prepare(store_db(replay->store, replay->db), "SELECT link, sender, mark FROM replay", &s);
	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct counter *c = counter_make(replay, stmt_text(s, 0), stmt_text(s, 1));
		if (!c)
			return -E2BIG;
		c->last = c->mark = (uint64_t)stmt_i64(s, 2);
		r = 0;
	}
	return r;
}

struct raise {
	struct replay *replay;
	struct counter counter; /* a copy: link, sender and the new mark */
	void (*done)(void *ctx, int r);
	void *ctx;
};

static int raise_job(struct db *db, void *arg)
{
	const struct raise *raise = arg;
	struct stmt *s;
	int r = db_prepare(db,
			   "INSERT INTO replay (link, sender, mark) VALUES (?, ?, ?)"
			   " ON CONFLICT (link, sender) DO UPDATE SET mark = max(mark, excluded.mark)",
			   &s);
	if (r != 0)
		return r;
	stmt_bind_text(s, 1, raise->counter.link);
	stmt_bind_text(s, 2, raise->counter.sender);
	stmt_bind_i64(s, 3, (int64_t)raise->counter.mark);
	return stmt_run(s);
}

static void raise_done(void *arg, int r)
{
	struct raise *raise = arg;
	struct counter *c = counter_find(raise->replay, raise->counter.link, raise->counter.sender);
	if (r == 0 && c && c->mark < raise->counter.mark)
		c->mark = raise->counter.mark;
	raise->done(raise->ctx, r);
	free(raise);
}

/* The mark moves in memory only when it is on disk; until then each order that passes it waits for its own write. */
static void raise_mark(struct replay *replay, struct counter *c, void (*done)(void *ctx, int r), void *ctx)
{
	struct raise *raise = malloc(sizeof(*raise));
	if (!raise) {
		done(ctx, -ENOMEM);
		return;
	}
	*raise = (struct raise){ .replay = replay, .counter = *c, .done = done, .ctx = ctx };
	raise->counter.mark = c->last > (uint64_t)INT64_MAX - REPLAY_BLOCK ? (uint64_t)INT64_MAX : c->last + REPLAY_BLOCK;
	int r = store_submit(replay->store, replay->db, STORE_SYNC, raise_job, raise_done, raise);
	if (r != 0) {
		free(raise);
		done(ctx, r == STORE_E_FULL ? REPLAY_E_FULL : r);
	}
}

void replay_check(struct replay *replay, const char *link, const char *sender, uint64_t counter, void (*done)(void *ctx, int r), void *ctx)
{
	struct counter *c = counter_find(replay, link, sender);
	if (!c)
		c = counter_make(replay, link, sender);
	if (!c) {
		done(ctx, REPLAY_E_FULL);
	} else if (counter <= c->last || counter > (uint64_t)INT64_MAX) {
		done(ctx, REPLAY_E_OLD);
	} else {
		c->last = counter; /* at once: the same number again is old, whatever becomes of this one */
		if (counter <= c->mark)
			done(ctx, 0);
		else
			raise_mark(replay, c, done, ctx);
	}
}

uint64_t replay_last(const struct replay *replay, const char *link, const char *sender)
{
	const struct counter *c = counter_find(replay, link, sender);
	return c ? c->last : 0;
}
