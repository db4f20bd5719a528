/* Records come in on the loop, are encoded at once (what they point to is gone a moment later), gathered over the turn and
 * given to the writer as one job: it reads where the chain ends, chains them on, and its commit is on disk before anybody is
 * told. A batch that cannot be written is kept and tried again each second, up to AUDIT_QUEUE_MAX records; those whose
 * asker waits are answered with the error and not kept, because he will not do what could not be recorded.
 */
#include "audit/audit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"
#include "base/text.h"
#include "model/alarm.h"

enum { ROW_BYTES = 64 }; /* what a row costs beside rec */

int audit_submit_task(struct audit *audit, store_task_fn task, store_done_fn done, void *arg)
{
	int r = store_submit_task(audit->store, task, done, arg);

	if (!r)
		audit->n_jobs++;
	return r == STORE_E_FULL ? AUDIT_E_FULL : r;
}

static bool is_same_tail(const struct segment_tail *a, const struct segment_tail *b)
{
	return a->seq == b->seq && memcmp(a->head, b->head, CRYPTO_HASH_LEN) == 0;
}

int audit_claim_tail(struct audit *audit, struct db *db, struct audit_claim *claim, struct segment_tail *ret)
{
	struct segment_tail tail;
	int r = segment_tail_read(db, &tail);

	if (r)
		return r < 0 ? r : -EBADMSG;
	if (!is_same_tail(&tail, &audit->writer.last) && !is_same_tail(&tail, &claim->confirmed) &&
	    !(claim->ran && is_same_tail(&tail, &claim->found)))
		return -ESTALE;
	claim->found = *ret = tail;
	claim->ran = true;
	return audit->writer.sealer ? sealer_back(audit->writer.sealer, audit->writer.hash, &tail) : 0;
}

int audit_put(struct audit *audit, struct db *db, struct segment_tail *tail, uint8_t *rec, size_t len)
{
	if (!audit->writer.sealer)
		return segment_put(db, audit->writer.hash, tail, rec, len);
	return sealer_put(audit->writer.sealer, db, audit->writer.hash, tail, rec, len);
}

struct db_keys *audit_pages(const struct audit *audit)
{
	return audit->writer.sealer ? sealer_seal(audit->writer.sealer)->pages : NULL;
}

void audit_on_job(struct audit *audit, int r)
{
	if (r != -ESTALE) {
		audit->n_stale = 0;
		return;
	}
	if (++audit->n_stale < AUDIT_STALE_TRIES || audit->closing)
		return;
	(void)text_print(audit->fault, sizeof(audit->fault), "somebody else wrote into %s after record %llu", audit->segment.text,
			 (unsigned long long)audit->tail.seq);
	loop_at_turn_end(audit->loop, &audit->turn_end);
}

/* --- batches --------------------------------------------------------------------------------------------------------- */

static void batch_free(struct audit_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		free(batch->items[i].rec);
	free(batch);
}

/* Calls everybody who waits; those items leave the batch. */
static void batch_answer(struct audit_batch *batch, int r)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->n; i++) {
		struct audit_item *item = &batch->items[i];

		if (!item->done) {
			batch->items[kept++] = *item;
			continue;
		}
		item->done(item->ctx, r);
		if (item->rec)
			batch->audit->n_queued--;
		free(item->rec);
	}
	batch->n = kept;
}

static int batch_job(struct db *db, void *arg)
{
	struct audit_batch *batch = arg;
	struct audit *audit = batch->audit;
	int r = audit_claim_tail(audit, db, &batch->claim, &batch->tail);

	for (size_t i = 0; i < batch->n && r == 0; i++) {
		if (batch->items[i].len)
			r = audit_put(audit, db, &batch->tail, batch->items[i].rec, batch->items[i].len);
	}
	if (r == 0)
		audit->writer.last = batch->tail;
	return r;
}

static void on_batch(void *arg, int r)
{
	struct audit_batch *batch = arg;
	struct audit *audit = batch->audit;

	if (r == 0) {
		if (batch->tail.seq > audit->tail.seq)
			audit->tail = batch->tail;
		audit->segment_bytes += batch->bytes;
	}
	audit_on_job(audit, r);
	batch_answer(batch, r);
	if (r < 0 && batch->n && !audit->closing) {
		list_append(&audit->retry, &batch->link);
		timer_start(audit->retry_timer, AUDIT_RETRY_MS);
	} else {
		audit->n_queued -= batch->n;
		batch_free(batch);
	}
	audit_job_ended(audit);
}

static int batch_submit(struct audit *audit, struct audit_batch *batch)
{
	int r;

	batch->claim.confirmed = audit->tail;
	r = store_submit(audit->store, audit->db, STORE_SYNC, batch_job, on_batch, batch);

	if (r)
		return r == STORE_E_FULL ? AUDIT_E_FULL : r;
	audit->n_jobs++;
	if (batch->grave)
		audit_points_want(audit, CHECKPOINT_GRAVE);
	audit_points_given(audit, batch->n);
	return 0;
}

int audit_flush_batch(struct audit *audit)
{
	int r;

	if (!audit->batch)
		return 0;
	r = batch_submit(audit, audit->batch);
	if (r == 0)
		audit->batch = NULL;
	return r;
}

static int batch_put(struct audit *audit, const uint8_t *rec, size_t len, audit_done_fn done, void *ctx)
{
	struct audit_batch *batch;
	uint8_t *copy = NULL;

	if (audit->batch && (audit->batch->n == AUDIT_BATCH_MAX || audit->points.n_given + audit->batch->n == AUDIT_EPOCH_RECORDS)) {
		int r = audit_flush_batch(audit);

		if (r)
			return r;
	}
	if (len) {
		copy = malloc(len);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, rec, len);
		audit->n_queued++;
	}
	if (!audit->batch) {
		audit->batch = malloc(sizeof(*batch));
		if (!audit->batch) {
			free(copy);
			return -ENOMEM;
		}
		audit->batch->audit = audit;
		audit->batch->claim = (struct audit_claim){ .ran = false };
		audit->batch->n = audit->batch->bytes = 0;
		audit->batch->grave = false;
		list_init(&audit->batch->link);
	}
	batch = audit->batch;
	batch->items[batch->n++] = (struct audit_item){ len, copy, done, ctx };
	batch->bytes += len ? len + ROW_BYTES : 0;
	loop_at_turn_end(audit->loop, &audit->turn_end);
	return 0;
}

int audit_put_encoded(struct audit *audit, const uint8_t *rec, size_t len, audit_done_fn done, void *ctx)
{
	return batch_put(audit, rec, len, done, ctx);
}

/* --- segments -------------------------------------------------------------------------------------------------------- */

struct record_stamp audit_stamp_now(const struct audit *audit)
{
	struct record_stamp stamp = {
		.wall_us = loop_wall_us(audit->loop),
		.boot_ms = loop_now_ms(audit->loop),
		.time_trusted = audit->time_trusted,
	};

	memcpy(stamp.boot_id, audit->boot_id, sizeof(stamp.boot_id));
	return stamp;
}

int audit_begin_segment(struct audit *audit, struct db *db, const struct segment_name *name,
			const struct segment_name *previous, const struct record_stamp *stamp, struct segment_tail *tail)
{
	struct audit_record record = { .kind = AUDIT_SEGMENT, .subject.kind = SUBJECT_SYSTEM, .object = name->text };
	struct record_segment segment = { .present = true, .suite = (uint8_t)audit->suite };
	struct segment_tail next = *tail;
	uint8_t buf[AUDIT_RECORD_MAX];
	size_t len;
	int r;

	if (audit->fault[0]) {
		record.outcome = AUDIT_FAILED;
		record.detail = audit->fault;
	}
	memcpy(segment.previous_head, tail->head, CRYPTO_HASH_LEN);
	memcpy(segment.log_id, audit->log_id, RECORD_LOG_ID_LEN);
	if (previous)
		memcpy(segment.previous_name, previous->text, sizeof(segment.previous_name));
	len = record_encode(&record, stamp, audit->writer.outbox, &segment, buf);
	r = db_begin(db);
	if (r == 0)
		r = audit_put(audit, db, &next, buf, len);
	if (r == 0)
		r = db_commit(db);
	if (r < 0)
		db_rollback(db);
	else
		*tail = next;
	return r;
}

struct segment_change {
	struct audit *audit;
	bool is_foreign; /* the old file's end is not ours: go on from what we know */
	struct audit_claim claim;
	struct segment_name name;
	struct record_stamp stamp;
	struct segment_tail tail;
	struct list made; /* the old file's last checkpoint */
};

/* Where the old file ends; sealed, unless that end is another's. */
static int change_end(struct segment_change *change, struct db *old)
{
	struct audit *audit = change->audit;
	struct sealer *sealer = audit->writer.sealer;
	int r;

	if (!change->is_foreign) {
		r = audit_claim_tail(audit, old, &change->claim, &change->tail);
		return r || !sealer ? r : audit_point_make(audit, old, CHECKPOINT_SEGMENT_END, &change->stamp, &change->made);
	}
	change->tail = change->claim.confirmed;
	r = sealer ? sealer_back(sealer, audit->writer.hash, &change->tail) : 0;
	if (r == 0 && sealer)
		sealer_settle(sealer);
	return r;
}

static int change_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct segment_change *change = arg;
	struct audit *audit = change->audit;
	struct db *db = NULL;
	int r = change_end(change, dbs[audit->db]);

	if (r == 0)
		r = segment_open(audit->folder, &change->name, audit_pages(audit), &db);
	if (r == 0)
		r = audit_begin_segment(audit, db, &change->name, &audit->writer.segment, &change->stamp, &change->tail);
	if (r) {
		db_close(db);
		return r < 0 ? r : -EBADMSG;
	}
	store_replace_db(store, audit->db, db);
	audit->writer.segment = change->name;
	audit->writer.last = change->tail;
	return 0;
}

static void on_change(void *arg, int r)
{
	struct segment_change *change = arg;
	struct audit *audit = change->audit;

	audit->switching = false;
	if (!change->is_foreign || r == 0)
		audit_on_job(audit, r);
	audit->change_not_before_ms = loop_now_ms(audit->loop) + AUDIT_WINDOW_MS;
	if (r == 0) {
		audit->segment = change->name;
		audit->segment_bytes = 0;
		audit->tail = change->tail;
		audit_points_given(audit, 1);
	}
	audit_points_say(audit, &change->made);
	free(change);
	audit_job_ended(audit);
}

/* A new file with the month (when the clock can be believed), or when the old one is large. */
static void change_when_due(struct audit *audit)
{
	bool is_new_month = audit->time_trusted &&
			    segment_month(loop_wall_us(audit->loop)) != segment_name_month(&audit->segment);
	bool is_foreign = audit->n_stale >= AUDIT_STALE_TRIES;
	struct segment_change *change;

	if (audit->switching || (!is_foreign && !is_new_month && audit->segment_bytes < audit->segment_bytes_max))
		return;
	if (!is_foreign && loop_now_ms(audit->loop) < audit->change_not_before_ms)
		return;
	change = calloc(1, sizeof(*change));
	if (!change)
		return;
	change->audit = audit;
	list_init(&change->made);
	change->is_foreign = is_foreign;
	change->claim.confirmed = audit->tail;
	change->stamp = audit_stamp_now(audit);
	segment_name_make(change->stamp.wall_us, audit->segment.n + 1, &change->name);
	if (audit_submit_task(audit, change_task, on_change, change))
		free(change);
	else
		audit->switching = true;
}

/* --- the loop's side ------------------------------------------------------------------------------------------------- */

static void on_turn_end(void *ctx)
{
	struct audit *audit = ctx;

	change_when_due(audit);
	if (audit_flush_batch(audit))
		timer_start(audit->retry_timer, AUDIT_RETRY_MS);
	audit_points_turn(audit);
	audit_drain_now(audit);
}

static void on_retry(void *ctx)
{
	struct audit *audit = ctx;

	while (!list_is_empty(&audit->retry)) {
		struct audit_batch *batch = list_first(&audit->retry, struct audit_batch, link);

		if (batch_submit(audit, batch))
			break;
		list_remove(&batch->link);
	}
	loop_at_turn_end(audit->loop, &audit->turn_end);
	if (!list_is_empty(&audit->retry))
		timer_start(audit->retry_timer, AUDIT_RETRY_MS);
}

static int put_record(struct audit *audit, const struct audit_record *record, audit_done_fn done, void *ctx)
{
	const struct audit_kind_row *row = audit_kind_row(record->kind);
	struct record_stamp stamp = audit_stamp_now(audit);
	uint8_t buf[AUDIT_RECORD_MAX];
	int r;

	if (audit->n_queued >= AUDIT_QUEUE_MAX)
		return AUDIT_E_FULL;
	r = batch_put(audit, buf, record_encode(record, &stamp, 0, NULL, buf), done, ctx);
	if (r == 0 && row && row->severity >= SEVERITY_ERROR)
		audit->batch->grave = true;
	return r;
}

/* A count that finds the queue full is lost with it; what caused the fullness is recorded by then. */
static void on_count(void *ctx, const struct audit_record *record)
{
	(void)!put_record(ctx, record, NULL, NULL);
}

static void on_window(void *ctx)
{
	struct audit *audit = ctx;

	collapse_flush(audit->collapse, on_count, audit);
	audit->window_armed = !collapse_is_empty(audit->collapse);
	if (audit->window_armed)
		timer_start(audit->window_timer, AUDIT_WINDOW_MS);
}

static void arm_window(struct audit *audit)
{
	if (audit->window_armed)
		return;
	audit->window_armed = true;
	timer_start(audit->window_timer, AUDIT_WINDOW_MS);
}

int audit_append(struct audit *audit, const struct audit_record *record, audit_done_fn done, void *ctx)
{
	assert(!audit->closing);
	if (audit->n_queued >= AUDIT_QUEUE_MAX)
		return AUDIT_E_FULL;
	if (collapse_note(audit->collapse, record)) {
		if (!collapse_is_empty(audit->collapse))
			arm_window(audit);
		return put_record(audit, record, done, ctx);
	}
	arm_window(audit);
	return done ? batch_put(audit, NULL, 0, done, ctx) : 0;
}

void audit_count_telemetry(struct audit *audit, struct device_id device, uint32_t n)
{
	collapse_count(audit->collapse, device, n);
	arm_window(audit);
}

void audit_set_time_trusted(struct audit *audit, bool trusted)
{
	audit->time_trusted = trusted;
}

struct audit_head audit_head(const struct audit *audit)
{
	struct audit_head head = { .seq = audit->tail.seq };

	memcpy(head.head, audit->tail.head, CRYPTO_HASH_LEN);
	(void)text_copy(head.segment, sizeof(head.segment), audit->segment.text);
	return head;
}

const char *audit_fault(const struct audit *audit)
{
	return audit->fault[0] ? audit->fault : audit->points.error ? audit->points.fault : NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static int audit_make(struct loop *loop, struct store *store, const struct audit_options *options, struct audit *audit)
{
	int r;

	audit->loop = loop;
	audit->store = store;
	audit->gateway_db = AUDIT_NO_DB;
	audit->suite = options->hash;
	audit->segment_bytes_max = options->segment_bytes_max;
	audit->turn_end = (struct idle_hook){ .fn = on_turn_end, .ctx = audit };
	memcpy(audit->boot_id, options->boot_id, sizeof(audit->boot_id));
	list_init(&audit->retry);
	audit->folder = strdup(options->folder);
	r = audit->folder ? collapse_new(&audit->collapse) : -ENOMEM;
	if (!r)
		r = crypto_hash_new(options->hash, &audit->writer.hash);
	if (!r && options->seal)
		r = sealer_new(options->folder, options->seal, &audit->writer.sealer);
	if (!r)
		r = audit_points_new(audit);
	if (!r)
		r = timer_new(loop, on_window, audit, &audit->window_timer);
	if (!r)
		r = timer_new(loop, on_retry, audit, &audit->retry_timer);
	if (!r)
		r = audit_open_log(audit);
	audit->is_open = r == 0;
	return r;
}

int audit_new(struct loop *loop, struct store *store, const struct audit_options *options, struct audit **ret)
{
	struct audit *audit = calloc(1, sizeof(*audit));
	int r;

	if (!audit)
		return -ENOMEM;
	r = audit_make(loop, store, options, audit);
	if (r) {
		audit_close(audit);
		return r;
	}
	*ret = audit;
	return 0;
}

static void audit_free(struct audit *audit)
{
	struct audit_batch *batch, *tmp;

	list_each(batch, tmp, &audit->retry, link)
		batch_free(batch);
	if (audit->batch) {
		batch_answer(audit->batch, -ECANCELED);
		batch_free(audit->batch);
	}
	crypto_hash_free(audit->writer.hash);
	sealer_free(audit->writer.sealer);
	collapse_free(audit->collapse);
	free(audit->folder);
	free(audit);
}

void audit_job_ended(struct audit *audit)
{
	assert(audit->n_jobs > 0);
	if (--audit->n_jobs == 0 && audit->closing)
		audit_free(audit);
}

struct audit *audit_close(struct audit *audit)
{
	if (!audit)
		return NULL;
	assert(!audit->closing);
	if (audit->retry_timer) { /* it was made whole */
		on_retry(audit);
		collapse_flush(audit->collapse, on_count, audit);
		(void)!audit_flush_batch(audit);
		audit_drain_now(audit);
	}
	audit_points_close(audit);
	loop_forget_hook(audit->loop, &audit->turn_end);
	audit->window_timer = timer_close(audit->window_timer);
	audit->retry_timer = timer_close(audit->retry_timer);
	audit->closing = true;
	audit->n_jobs++;
	audit_job_ended(audit);
	return NULL;
}
