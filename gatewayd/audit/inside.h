#pragma once
/* inside - what audit.c, start.c, drain.c, read.c and verify.c share.
 *
 *   above   audit/audit  audit/drain  audit/read  audit/start  audit/verify
 *   below   audit/audit  audit/collapse  audit/record  audit/segment  base/base  base/list  sys/crypto  sys/loop  sys/store
 *   owns    struct audit
 *   limits  AUDIT_BATCH_MAX
 *
 * Who may touch what: `writer` belongs to the writer thread once the store runs (before that to the loop); the rest is the
 * loop's. The chain's own state is the last row of the database, so a job that is rolled back leaves nothing behind.
 */
#include "audit/audit.h"
#include "audit/collapse.h"
#include "audit/record.h"
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
	size_t n_jobs;
	bool closing;
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

struct record_stamp audit_stamp_now(const struct audit *audit);

/* start.c */
must_check int audit_open_log(struct audit *audit);

/* drain.c */
void audit_drain_now(struct audit *audit);
