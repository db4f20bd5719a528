#pragma once
/* spool - what a link has not acknowledged yet: numbered, on disk, bounded in bytes, drained in order.
 *
 *   above   app  door/method  router/router  spool/inside
 *   below   base/base  base/bytes  model/event  spool/inside  sys/loop  sys/store
 *   owns    spool.db's rows and a bounded window of them in memory
 *   limits  SPOOL_LINKS_MAX SPOOL_WINDOW_MAX
 *   errors  SPOOL_E_FULL
 *
 * Order holds per (link, class): alarms before state before telemetry between classes, numbers rise within one. An
 * entry counts as stored when its group is committed: written to the kernel (kill -9 loses none) and fsync'ed 2 s
 * later at most (sys/store); entries of the alarm class or marked risky are fsync'ed before they count. It may be
 * taken before it is stored.
 * When bytes_max is reached the oldest of the least class goes first (some hundreds at a time), counted per class; among
 * links, of the one that has most of it. What is itself the least and finds no room is counted and not kept.
 * After a restart every entry that was taken but not acknowledged comes again, marked duplicate. So may some that were
 * never taken: the mark means "perhaps".
 */
#include "base/base.h"
#include "model/event.h"
#include "sys/loop.h"
#include "sys/store.h"

enum { SPOOL_LINKS_MAX = 8, SPOOL_WINDOW_MAX = 2048 };
enum { SPOOL_E_FULL = 1 };

struct spool;
struct spool_options {
	uint64_t bytes_max;
};
struct spool_entry {
	uint64_t number;      /* rising per link over all classes, never reused */
	bool duplicate;       /* may have been delivered before */
	enum event_class event_class;
	const uint8_t *data;  /* an encoded event; borrowed until the callback returns */
	size_t len;
};
struct spool_stats {
	uint64_t queued[EVENT_CLASSES]; /* not acknowledged, taken or not */
	uint64_t dropped[EVENT_CLASSES], delivered; /* kept over restarts */
	uint64_t bytes, oldest_number; /* 0 none */
};
typedef void (*spool_stored_fn)(void *ctx, int r);
/* Something can be taken for link: call spool_take. */
typedef void (*spool_ready_fn)(void *ctx, unsigned link);

extern const struct db_migration spool_migrations[];
extern const size_t spool_n_migrations;
must_check int spool_new(struct loop *loop, struct store *store, unsigned db, const struct spool_options *options,
			 struct spool **ret);
must_check int spool_load(struct spool *spool); /* before the store starts */
struct spool *spool_close(struct spool *spool);

/* link: a stable number 0..SPOOL_LINKS_MAX-1 for name; rows of names no longer configured are kept and shown. -ENOSPC: no number left. */
must_check int spool_open_link(struct spool *spool, const char *name, spool_ready_fn ready, void *ctx, unsigned *ret_link);
/* One event for the links in mask; stored (may be NULL) is called once, when it is in for all or r < 0. SPOOL_E_FULL: the
 * writer's queue is full, nothing was taken. -EINVAL: event_put refuses it. */
must_check int spool_append(struct spool *spool, uint32_t link_mask, const struct event *event, spool_stored_fn stored,
			    void *ctx);
/* The next entry of link, best class first, and marks it taken. false: none ready now (ready will be called). */
bool spool_take(struct spool *spool, unsigned link, struct spool_entry *ret);
void spool_ack(struct spool *spool, unsigned link, uint64_t number); /* a number that is not taken is ignored */
void spool_untake(struct spool *spool, unsigned link); /* the link process went away: all taken ones come again, marked */
struct spool_stats spool_stats_of(const struct spool *spool, unsigned link);
const char *spool_link_name(const struct spool *spool, unsigned link); /* NULL past the end */
/* The disk is full but for a reserve, which is not the spool's: what is no alarm is counted as dropped and not kept. */
void spool_set_tight(struct spool *spool, bool tight);
void spool_purge(struct spool *spool, unsigned link, struct device_id device, spool_stored_fn done, void *ctx); /* unshared or erased device */
