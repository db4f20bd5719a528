#pragma once
/* spool_home - a spool with its store on a virtual loop, for the spool's tests. */
#include "tmpdir.h"

#include "base/bytes.h"
#include "model/capability.h"
#include "spool/inside.h"
#include "spool/spool.h"
#include "sys/store.h"

struct home {
	struct tmpdir dir;
	struct loop *loop;
	struct store *store;
	struct spool *spool;
	unsigned db, link, ready;
	uint64_t n_stored, n_failed;
};

static inline void on_ready(void *ctx, unsigned link)
{
	(void)link;
	((struct home *)ctx)->ready++;
}

static inline void on_stored(void *ctx, int r)
{
	struct home *home = ctx;

	if (r)
		home->n_failed++;
	else
		home->n_stored++;
}

static inline void home_open(struct home *home, const char *path, uint64_t bytes_max, bool start)
{
	struct db_options db = { .sync = DB_SYNC_NORMAL, .migrations = spool_migrations, .n_migrations = spool_n_migrations };
	struct spool_options options = { .bytes_max = bytes_max };

	check_ok(loop_new_virtual(1000, 0, &home->loop));
	check_ok(store_new(home->loop, &home->store));
	check_ok(store_add(home->store, "spool", path, &db, &home->db));
	check_ok(spool_new(home->loop, home->store, home->db, &options, &home->spool));
	check_ok(spool_load(home->spool));
	check_ok(spool_open_link(home->spool, "cloud", on_ready, home, &home->link));
	if (start)
		check_ok(store_start(home->store));
}

static inline void home_close(struct home *home)
{
	home->spool = spool_close(home->spool);
	home->store = store_close(home->store);
	home->loop = loop_free(home->loop);
}

static inline void home_setup(struct home *home, uint64_t bytes_max)
{
	memset(home, 0, sizeof(*home));
	tmpdir_init(&home->dir);
	home_open(home, tmpdir_path(&home->dir, "spool.db"), bytes_max, true);
}

static inline void home_restart(struct home *home, uint64_t bytes_max)
{
	home_close(home);
	home_open(home, tmpdir_path(&home->dir, "spool.db"), bytes_max, true);
}

static inline void home_teardown(struct home *home)
{
	home_close(home);
	tmpdir_deinit(&home->dir);
}

/* The writer has done what it was given, and the loop has heard of it. */
static inline void settle(struct home *home)
{
	for (int i = 0; i < 4; i++) {
		check_ok(loop_turn(home->loop, 0));
		store_drain(home->store);
	}
	check_ok(loop_turn(home->loop, 0));
}

static inline struct device_id device(uint8_t n)
{
	return (struct device_id){ { 1, n } };
}

static inline struct event event(enum event_class c, uint8_t dev, int64_t value)
{
	return (struct event){ .kind = EVENT_REPORT, .event_class = c, .device = device(dev), .endpoint = 1, .cap = CAP_TEMPERATURE,
			       .value = value_int(value), .number = (uint64_t)value };
}

static inline void append(struct home *home, enum event_class c, uint8_t dev, int64_t value)
{
	struct event e = event(c, dev, value);

	check_ok(spool_append(home->spool, 1u << home->link, &e, on_stored, home));
}

static inline int64_t value_of(const struct spool_entry *entry)
{
	struct reader r = reader_over(entry->data, entry->len);
	struct event e;

	check_ok(event_get(&r, &e));
	check_int(e.event_class, entry->event_class);
	return e.value.i;
}

/* Takes the next one, waiting for the writer when it is on disk. */
static inline bool take(struct home *home, struct spool_entry *ret)
{
	for (int i = 0; i < 5; i++) {
		if (spool_take(home->spool, home->link, ret))
			return true;
		settle(home);
	}
	return false;
}

static inline void expect(struct home *home, enum event_class c, int64_t value, bool duplicate, uint64_t *ret_number)
{
	struct spool_entry entry;

	check_true(take(home, &entry));
	check_int(entry.event_class, c);
	check_int(value_of(&entry), value);
	check_int(entry.duplicate, duplicate);
	if (ret_number)
		*ret_number = entry.number;
}

static inline void expect_nothing(struct home *home)
{
	struct spool_entry entry;

	check_true(!take(home, &entry));
}
