#pragma once
/* inside - what the files of struct audit share.
 *
 *   above   audit
 *   below   audit/audit  audit/checkpoint  audit/collapse  audit/record  audit/sealer  audit/segment  base/base  base/list
 *           sys/crypto  sys/loop  sys/store
 *   owns    struct audit
 *   limits  AUDIT_BATCH_MAX
 *
 * Who may touch what: `writer` belongs to the writer thread once the store runs (before that to the loop); the rest is the
 * loop's. The chain's own state is the last row of the database, so a job that is rolled back leaves nothing behind.
 */
#include "audit/audit.h"
#include "audit/checkpoint.h"
#include "audit/collapse.h"
#include "audit/record.h"
#include "audit/sealer.h"
#include "audit/segment.h"
#include "base/base.h"
#include "base/list.h"
#include "sys/crypto.h"
#include "sys/loop.h"
#include "sys/store.h"

enum { AUDIT_BATCH_MAX = 256, AUDIT_WINDOW_MS = 60 * 1000, AUDIT_RETRY_MS = 1000, AUDIT_STALE_TRIES = 3, AUDIT_NO_DB = 0xffff };

/* What a job may find at the end of the log: what the writer left there, what the loop knew to be committed when it gave the
 * job, or, when it runs again, what it found before. Anything else was put there by somebody else. */
struct audit_claim {
	struct segment_tail confirmed, found;
	bool ran;
};

struct audit_item {
	size_t len;
	uint8_t *rec;
	audit_done_fn done;
	void *ctx;
};

/* Records on their way: one job of the writer. */
struct audit_batch {
	struct list link; /* in audit.retry */
	struct audit *audit;
	struct audit_claim claim;
	struct segment_tail tail; /* after it was written */
	bool grave;               /* a checkpoint follows at once */
	size_t n, bytes;
	struct audit_item items[AUDIT_BATCH_MAX];
};

struct audit {
	struct loop *loop;
	struct store *store;
	unsigned db, gateway_db;
	char *folder;
	enum crypto_hash_kind suite, suite_found; /* what we write; what the file at hand was written with */
	uint8_t boot_id[RECORD_BOOT_ID_LEN];
	uint8_t log_id[RECORD_LOG_ID_LEN];
	uint64_t segment_bytes_max, segment_bytes;
	bool time_trusted;
	struct {
		struct crypto_hash *hash;
		uint64_t outbox; /* the newest row of the outbox that is in the log */
		struct segment_name segment;
		struct segment_tail last; /* after the last job; committed or, after a failure, not */
		struct sealer *sealer;    /* NULL: the log is not sealed */
	} writer;
	struct segment_tail tail; /* committed, as far as the loop has heard */
	struct segment_name segment;
	bool switching;
	unsigned n_stale; /* jobs in a row that found the end of the log to be another's */
	int64_t change_not_before_ms;
	char fault[128];         /* what is wrong with the log; "" nothing */
	struct audit_batch *batch; /* being filled; NULL none */
	struct list retry;       /* batches the writer could not write */
	size_t n_queued;
	struct collapse *collapse;
	struct timer *window_timer, *retry_timer;
	bool window_armed;
	struct idle_hook turn_end;
	bool draining, drain_again;
	struct {
		audit_checkpoint_fn fn;
		void *ctx;
		size_t n_given;          /* records since the last one was asked for */
		struct timer *timer;
		bool armed, due;         /* due: it could not be asked for, or not be made */
		enum checkpoint_reason reason;
		int error;               /* why the last one was not made, or audit.key not written after it; 0 all is well */
		char fault[128];         /* the same in words */
	} points;
	size_t n_jobs;
	bool is_open, closing;
};

/* A checkpoint that was made on the writer thread, on its way to the loop. */
struct audit_point {
	struct list link;
	struct audit_checkpoint checkpoint;
};

/* audit.c */
void audit_job_ended(struct audit *audit); /* frees a closed audit after its last one */
must_check int audit_submit_task(struct audit *audit, store_task_fn task, store_done_fn done, void *arg);
must_check int audit_flush_batch(struct audit *audit);
/* The end of the log, in the job's transaction; -ESTALE when it is not ours. Writer thread. */
must_check int audit_claim_tail(struct audit *audit, struct db *db, struct audit_claim *claim, struct segment_tail *ret);
void audit_on_job(struct audit *audit, int r); /* counts -ESTALE; when it stays so, a new segment begins and says it */
/* The first record of a new segment, chained onto tail; in a transaction of its own. Writer thread. */
must_check int audit_begin_segment(struct audit *audit, struct db *db, const struct segment_name *name,
				   const struct segment_name *previous, const struct record_stamp *stamp, struct segment_tail *tail);

/* A record as record.c has made it goes the way of all others. */
must_check int audit_put_encoded(struct audit *audit, const uint8_t *rec, size_t len, audit_done_fn done, void *ctx);
/* Chains rec on, sealed when the log is. In the caller's transaction. Writer thread. */
must_check int audit_put(struct audit *audit, struct db *db, struct segment_tail *tail, uint8_t *rec, size_t len);
/* What the files are sealed with; NULL: in the clear. Writer thread. */
struct db_keys *audit_pages(const struct audit *audit);
struct record_stamp audit_stamp_now(const struct audit *audit);

/* start.c, recover.c */
must_check int audit_open_log(struct audit *audit);
must_check int audit_recover(struct audit *audit, const struct segment_name *names, size_t n_names);

/* points.c */
must_check int audit_points_new(struct audit *audit);
void audit_points_close(struct audit *audit); /* the last one, and no more callbacks */
/* n records were given to the writer, or are known to be written. */
void audit_points_given(struct audit *audit, size_t n);
void audit_points_want(struct audit *audit, enum checkpoint_reason reason); /* as soon as it can be */
void audit_points_turn(struct audit *audit); /* at a turn's end: what is due */
/* Writer thread, outside a transaction: what is committed is settled; a checkpoint of it when there is something to cover (or
 * reason is asked); it is added to made. */
must_check int audit_point_make(struct audit *audit, struct db *db, enum checkpoint_reason reason, const struct record_stamp *stamp,
				struct list *made);
void audit_points_say(struct audit *audit, struct list *made); /* to the listener; frees them */

/* inspect.c: what takes as long as the log is long, on a pool thread */
struct inspection {
	struct audit *audit;
	work_fn work;                            /* on the pool thread; leaves its result in r */
	void (*end)(struct inspection *inspection, int r); /* on the loop; does not free */
	void (*clear)(struct inspection *inspection);      /* frees what is the user's; NULL nothing */
	void *user;
	int r;
	/* as it was when the writer looked: */
	char *folder;
	struct segment_name *names;
	size_t n_names;
	struct db *current;                      /* a snapshot of the last file */
	struct segment_tail known;
	uint64_t known_checkpoints;
	bool is_sealed, wants_point;             /* wants_point: a checkpoint first that covers all there is */
	struct db_keys *pages;
	struct audit_public *publics;
	size_t n_publics;
	struct record_stamp stamp;
	struct list made;
};
struct inspection *audit_inspection_new(struct audit *audit);
must_check int audit_inspection_start(struct inspection *inspection); /* frees it when it fails */
void audit_inspection_free(struct inspection *inspection);


/* drain.c */
void audit_drain_now(struct audit *audit);
