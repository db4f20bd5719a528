#pragma once
/* inside - what the files of spool/ share.
 *
 *   above   spool/spool  spool/queue  spool/disk  spool/refill  spool/links
 *   below   base/base  base/list  model/event  spool/spool  sys/loop  sys/store
 *   owns    struct spool and everything in it
 *   limits  SPOOL_CHUNK_MAX SPOOL_BATCH_MAX SPOOL_BATCH_BYTES_MAX SPOOL_REFILL_BYTES_MAX SPOOL_RANGES_MAX
 *
 * An entry's row has the key link | class | number, so every queue (one link's one class) is a range of keys in the order in
 * which it must leave. In memory a queue is the entries that were taken, then a window of the next ones; what
 * follows is on disk only. Chunks count what lies in a stretch of numbers, so that dropping needs no reading.
 */
#include "base/base.h"
#include "base/list.h"
#include "model/event.h"
#include "spool/spool.h"
#include "sys/loop.h"
#include "sys/store.h"

enum {
	SPOOL_CHUNK_MAX = 256,               /* entries */
	SPOOL_BATCH_MAX = 1024,              /* rows in one job of the writer */
	SPOOL_BATCH_BYTES_MAX = 256 * 1024,
	SPOOL_REFILL_BYTES_MAX = 512 * 1024, /* read back at once */
	SPOOL_RANGES_MAX = 64,
};
enum {
	SPOOL_ENTRY_BYTES = 64,      /* what an entry costs beside its data */
	SPOOL_HORIZON_BLOCK = 8192,
	SPOOL_ACKS_A_FLUSH = 1024,
	SPOOL_FLUSH_MS = 2000,       /* acknowledged rows are deleted as rarely as a sync comes: flash is precious */
	SPOOL_RETRY_MS = 20,
	SPOOL_CHUNKS_BY_BYTES = 64,  /* a chunk holds at most this part of bytes_max */
};

/* An encoded event; entries of several links and the batch on its way to disk share it. */
struct parcel {
	unsigned refs;
	uint32_t len;
	bool must_sync;
	struct device_id device;
	uint8_t data[];
};

struct entry {
	struct list link;
	uint64_t number;
	bool duplicate;
	bool purged; /* its row is being erased: it is not given out any more */
	struct parcel *parcel;
};

struct chunk {
	uint64_t first, last;
	uint32_t n;       /* not acknowledged */
	uint32_t waiting; /* of these: not taken */
	uint64_t waiting_bytes;
};

struct queue {
	struct list taken, window; /* of struct entry; every number in taken is below every one in window */
	size_t n_taken, n_window;
	struct chunk *chunks;      /* oldest first; the last one still grows */
	size_t n_chunks, chunks_cap;
	uint64_t n, waiting_bytes;
	uint64_t dropped;
	uint64_t disk_from, disk_last; /* rows that are not in the window: 0 none */
	uint64_t floor;            /* what is below was dropped, whatever is still read of it */
	uint64_t low_deleted;      /* rows below were given to the writer for deletion */
};

struct outlet { /* one link */
	struct spool *spool;
	char *name; /* NULL: no such link */
	unsigned number;
	spool_ready_fn ready;
	void *ctx;
	bool hungry;     /* take found nothing: tell when there is something */
	struct queue queues[EVENT_CLASSES];
	uint64_t next;   /* number of the next entry */
	uint64_t horizon, horizon_asked; /* on disk: numbers below may have been given out */
	uint64_t horizon_at_load;
	uint64_t bytes, delivered;
	bool refilling;
	bool refill_failed;
	uint32_t purges; /* counts them: what was read before is stale */
};

struct batch;

/* A row on its way to disk or back. */
struct batch_row {
	int64_t key;
	struct parcel *parcel;
};
struct key_range {
	int64_t first, last;
};

struct spool {
	struct loop *loop;
	struct store *store;
	unsigned db;
	uint64_t bytes_max, chunk_bytes_max, bytes;
	struct outlet outlets[SPOOL_LINKS_MAX];
	struct batch *batch;           /* being filled; NULL none */
	struct idle_hook turn_end;
	struct timer *flush_timer, *retry_timer;
	bool flush_armed, tight;
	bool counters_changed;
	unsigned n_acked;              /* since the last flush */
	struct key_range ranges[SPOOL_RANGES_MAX]; /* to be deleted with the next flush */
	unsigned n_ranges;
	size_t n_jobs;                 /* with the writer */
	bool closing;
};

/* Keys: link | class | number, never negative. */
enum { KEY_LINK_SHIFT = 59, KEY_CLASS_SHIFT = 56, KEY_CLASS_MASK = 7 };
#define KEY_NUMBER_LAST (((uint64_t)1 << KEY_CLASS_SHIFT) - 1)
_Static_assert(SPOOL_LINKS_MAX <= 1 << (63 - KEY_LINK_SHIFT) && EVENT_CLASSES <= KEY_CLASS_MASK + 1, "a key has room for each");

static inline int64_t spool_key(unsigned link, enum event_class c, uint64_t number)
{
	return (int64_t)((uint64_t)link << KEY_LINK_SHIFT | (uint64_t)c << KEY_CLASS_SHIFT | number);
}
static inline uint64_t key_number(int64_t key)
{
	return (uint64_t)key & KEY_NUMBER_LAST;
}
static inline enum event_class key_class(int64_t key)
{
	return (enum event_class)((uint64_t)key >> KEY_CLASS_SHIFT & KEY_CLASS_MASK);
}
static inline unsigned key_link(int64_t key)
{
	return (unsigned)((uint64_t)key >> KEY_LINK_SHIFT);
}

/* spool.c */
void spool_job_ended(struct spool *spool); /* frees a closed spool after its last one */

/* disk.c */
must_check int spool_submit(struct spool *spool, uint32_t flags, store_job_fn job, store_done_fn done, void *arg);
/* Room for n more rows in the batch; SPOOL_E_FULL. */
must_check int batch_room(struct spool *spool, unsigned n, size_t bytes);
void batch_put(struct spool *spool, int64_t key, struct parcel *parcel);
void batch_put_stored(struct spool *spool, spool_stored_fn stored, void *ctx);
must_check int batch_submit(struct spool *spool); /* nothing to do is fine; SPOOL_E_FULL */
void batch_end(struct batch *batch, int r);
void spool_flush(struct spool *spool); /* delete what is done with, write the counters */
void spool_delete_range(struct spool *spool, unsigned link, enum event_class c, uint64_t first, uint64_t last);

/* refill.c */
void outlet_refill(struct outlet *outlet);

/* links.c */
must_check int spool_read_all(struct spool *spool);
void outlet_ask_horizon(struct outlet *outlet, uint64_t horizon);
must_check int outlet_write_name(struct outlet *outlet);
must_check int outlet_purge_rows(struct outlet *outlet, struct device_id device, spool_stored_fn done, void *ctx);

/* queue.c: what is where, and how much of it */
struct parcel *parcel_unref(struct parcel *parcel);
void queue_init(struct queue *q);
void queue_deinit(struct queue *q);
size_t queue_room(const struct queue *q, enum event_class c); /* in the window */
uint64_t queue_low(const struct outlet *outlet, enum event_class c); /* the oldest number that is still owed */
must_check int queue_count_in(struct outlet *outlet, enum event_class c, uint64_t number, size_t len); /* -ENOMEM */
void queue_count_out(struct outlet *outlet, enum event_class c, uint64_t number, size_t len, bool waiting);
must_check int queue_push(struct outlet *outlet, enum event_class c, uint64_t number, struct parcel *parcel, bool duplicate);
struct entry *queue_take(struct outlet *outlet, enum event_class c);
void queue_untake(struct outlet *outlet, enum event_class c);
struct entry *queue_find_taken(struct queue *q, uint64_t number);
void queue_free_taken(struct queue *q, struct entry *entry);
void queue_mark_purged(struct queue *q, struct device_id device, bool purged); /* those being erased are not given out */
void queue_drop_purged(struct outlet *outlet, enum event_class c);
void queue_forget(struct outlet *outlet, enum event_class c, uint64_t number, size_t len); /* its row could not be written */
/* Drops the oldest waiting entries of the least class until bytes fit; false: only classes above c are left. */
must_check bool spool_make_room(struct spool *spool, enum event_class c, size_t bytes);
