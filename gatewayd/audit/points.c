/* When the log is signed: after so many records, after so much time, at once after something grave, and when somebody asks. The
 * loop decides and the writer does it, in a task between the jobs, so that all it signs is committed. What cannot be done
 * now is due, and tried again.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"
#include "base/text.h"

struct point_job {
	struct audit *audit;
	enum checkpoint_reason reason;
	struct record_stamp stamp;
	struct audit_claim claim;
	struct list made;
	int key_error;
	audit_done_fn done; /* NULL: nobody waits */
	void *ctx;
	/* audit_set_seal: */
	struct audit_seal seal;
	struct audit_public *publics;
	/* audit_seed: */
	struct audit_record *record;
	struct segment_tail tail;
	struct secret *seed;
	audit_seed_fn seed_fn;
};

static struct point_job *job_new(struct audit *audit)
{
	struct point_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->audit = audit;
	job->stamp = audit_stamp_now(audit);
	job->claim.confirmed = audit->tail;
	list_init(&job->made);
	return job;
}

static void job_free(struct point_job *job)
{
	free(job->publics);
	audit_record_free(job->record);
	secret_free(job->seed);
	free(job);
}

/* --- writer thread --------------------------------------------------------------------------------------------------- */

int audit_point_make(struct audit *audit, struct db *db, enum checkpoint_reason reason, const struct record_stamp *stamp, struct list *made)
{
	struct sealer *sealer = audit->writer.sealer;
	struct audit_point *point;
	int r;

	sealer_settle(sealer);
	if (!sealer_uncovered(sealer) && reason != CHECKPOINT_ASKED)
		return 0;
	point = malloc(sizeof(*point));
	if (!point)
		return -ENOMEM;
	r = sealer_checkpoint(sealer, db, reason, stamp, &point->checkpoint);
	if (r)
		free(point);
	else
		list_append(made, &point->link);
	return r;
}

static int settle(struct point_job *job, struct db *db)
{
	struct audit *audit = job->audit;
	int r = audit_claim_tail(audit, db, &job->claim, &job->tail);

	if (r == 0)
		sealer_settle(audit->writer.sealer);
	return r;
}

static int point_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct point_job *job = arg;
	struct audit *audit = job->audit;
	struct db *db = dbs[audit->db];
	int r = settle(job, db);

	(void)store;
	if (r == 0)
		r = audit_point_make(audit, db, job->reason, &job->stamp, &job->made);
	job->key_error = sealer_key_error(audit->writer.sealer);
	return r;
}

static int swap_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct point_job *job = arg;
	struct sealer *sealer = job->audit->writer.sealer;
	int r = settle(job, dbs[job->audit->db]);

	(void)store;
	if (r == 0)
		r = sealer_swap(sealer, &job->seal);
	job->key_error = sealer_key_error(sealer);
	return r;
}

static int seed_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct point_job *job = arg;
	struct audit *audit = job->audit;
	struct sealer *sealer = audit->writer.sealer;
	struct db *db = dbs[audit->db];
	char object[2 * CRYPTO_HASH_LEN + 1];
	uint8_t rec[AUDIT_RECORD_MAX];
	int r = settle(job, db);

	(void)store;
	if (r == 0)
		r = sealer_announce(sealer, audit->writer.hash, object);
	if (r)
		return r;
	job->record->kind = AUDIT_SEED;
	job->record->outcome = AUDIT_OK;
	job->record->object = object;
	r = sealer_put_seed(sealer, db, audit->writer.hash, &job->tail, rec, record_encode(job->record, &job->stamp, 0, NULL, rec), &job->seed);
	job->record->object = NULL;
	if (r == 0)
		audit->writer.last = job->tail;
	job->key_error = sealer_key_error(sealer);
	return r;
}

/* --- the loop's side ------------------------------------------------------------------------------------------------- */

void audit_points_say(struct audit *audit, struct list *made)
{
	struct audit_point *point, *tmp;

	list_each(point, tmp, made, link) {
		list_remove(&point->link);
		if (audit->points.fn)
			audit->points.fn(audit->points.ctx, &point->checkpoint);
		free(point);
	}
}

/* A log that another wrote into has a fault of its own, which audit_on_job tells. */
static void error_note(struct audit *audit, int r, int key_error)
{
	int error = r < 0 && r != -ESTALE ? r : key_error;

	audit->points.error = error;
	if (error)
		(void)text_print(audit->points.fault, sizeof(audit->points.fault), "%s: %s",
				 error == key_error ? "audit.key cannot be written" : "no checkpoint can be made", strerror(-error));
}

static void on_job(struct point_job *job, int r)
{
	struct audit *audit = job->audit;

	audit_on_job(audit, r);
	audit_points_say(audit, &job->made);
	if (job->done)
		job->done(job->ctx, r);
	job_free(job);
	audit_job_ended(audit);
}

static void on_point(void *arg, int r)
{
	struct point_job *job = arg;
	struct audit *audit = job->audit;

	error_note(audit, r, job->key_error);
	if (r < 0 && !job->done && !audit->closing) {
		audit->points.due = true;
		audit->points.reason = job->reason;
		timer_start(audit->retry_timer, AUDIT_RETRY_MS);
	}
	on_job(job, r);
}

static void on_swap(void *arg, int r)
{
	struct point_job *job = arg;

	if (r == 0) /* else its asker is told */
		error_note(job->audit, 0, job->key_error);
	on_job(job, r);
}

static void on_seed(void *arg, int r)
{
	struct point_job *job = arg;
	struct audit *audit = job->audit;

	if (r == 0) {
		if (job->tail.seq > audit->tail.seq)
			audit->tail = job->tail;
		audit_points_given(audit, 1);
		error_note(audit, 0, job->key_error);
	}
	job->seed_fn(job->ctx, r, r == 0 ? job->tail.seq : 0, r == 0 ? secret_view(job->seed).data : NULL);
	on_job(job, r);
}

static int point_submit(struct audit *audit, enum checkpoint_reason reason, audit_done_fn done, void *ctx)
{
	struct point_job *job = job_new(audit);
	int r;

	if (!job)
		return -ENOMEM;
	job->reason = reason;
	job->done = done;
	job->ctx = ctx;
	r = audit_submit_task(audit, point_task, on_point, job);
	if (r) {
		job_free(job);
		return r;
	}
	audit->points.n_given = 0;
	audit->points.armed = audit->points.due = false;
	timer_stop(audit->points.timer);
	return 0;
}

void audit_points_turn(struct audit *audit)
{
	if (audit->points.due && audit->is_open && point_submit(audit, audit->points.reason, NULL, NULL))
		timer_start(audit->retry_timer, AUDIT_RETRY_MS);
}

void audit_points_want(struct audit *audit, enum checkpoint_reason reason)
{
	if (!audit->writer.sealer)
		return;
	audit->points.due = true;
	audit->points.reason = reason;
	loop_at_turn_end(audit->loop, &audit->turn_end);
}

void audit_points_given(struct audit *audit, size_t n)
{
	/* Rows of the outbox may still come when the last checkpoint was made: their MACs vouch for them. */
	if (!audit->writer.sealer || !audit->points.timer || !n)
		return;
	audit->points.n_given += n;
	if (!audit->points.armed) {
		audit->points.armed = true;
		timer_start(audit->points.timer, AUDIT_EPOCH_MS);
	}
	if (audit->points.n_given < AUDIT_EPOCH_RECORDS)
		return;
	audit_points_want(audit, CHECKPOINT_RECORDS);
	audit_points_turn(audit);
}

static void on_epoch(void *ctx)
{
	struct audit *audit = ctx;

	audit->points.armed = false;
	audit_points_want(audit, CHECKPOINT_TIME);
}

void audit_newest_checkpoint(const struct audit *audit, uint64_t *ret_number, uint64_t *ret_size)
{
	const struct sealer *sealer = audit->writer.sealer;

	*ret_number = sealer ? sealer_checkpoints(sealer) : 0;
	*ret_size = sealer ? audit->tail.seq - sealer_uncovered(sealer) : 0;
}

int audit_points_new(struct audit *audit)
{
	return audit->writer.sealer ? timer_new(audit->loop, on_epoch, audit, &audit->points.timer) : 0;
}

void audit_points_close(struct audit *audit)
{
	if (!audit->writer.sealer)
		return;
	audit->points.fn = NULL;
	if (audit->is_open)
		(void)!point_submit(audit, CHECKPOINT_STOP, NULL, NULL);
	if (audit->points.timer)
		audit->points.timer = timer_close(audit->points.timer);
}

void audit_on_checkpoint(struct audit *audit, audit_checkpoint_fn fn, void *ctx)
{
	audit->points.fn = fn;
	audit->points.ctx = ctx;
}

/* --- on demand ------------------------------------------------------------------------------------------------------- */

static int ready(struct audit *audit)
{
	return audit->writer.sealer ? audit_flush_batch(audit) : -EOPNOTSUPP;
}

static void on_nothing(void *ctx, int r)
{
	(void)ctx;
	(void)r;
}

int audit_checkpoint_now(struct audit *audit, audit_done_fn done, void *ctx)
{
	int r = ready(audit);

	return r ? r : point_submit(audit, CHECKPOINT_ASKED, done ? done : on_nothing, ctx);
}

int audit_set_seal(struct audit *audit, const struct audit_seal *seal, audit_done_fn done, void *ctx)
{
	struct point_job *job;
	int r = ready(audit);

	if (r)
		return r;
	job = job_new(audit);
	if (!job)
		return -ENOMEM;
	job->seal = *seal;
	job->done = done;
	job->ctx = ctx;
	job->publics = calloc(seal->n_publics + 1, sizeof(*job->publics));
	if (job->publics && seal->n_publics)
		memcpy(job->publics, seal->publics, seal->n_publics * sizeof(*job->publics));
	job->seal.publics = job->publics;
	r = job->publics ? audit_submit_task(audit, swap_task, on_swap, job) : -ENOMEM;
	if (r)
		job_free(job);
	return r;
}

int audit_seed(struct audit *audit, const struct audit_record *record, audit_seed_fn fn, void *ctx)
{
	struct point_job *job;
	int r = ready(audit);

	if (r)
		return r;
	job = job_new(audit);
	if (!job)
		return -ENOMEM;
	job->record = audit_record_copy(record);
	job->seed_fn = fn;
	job->ctx = ctx;
	r = audit_submit_task(audit, seed_task, on_seed, job);
	if (r)
		job_free(job);
	return r;
}
