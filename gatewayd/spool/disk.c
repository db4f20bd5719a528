/* The disk side: the schema, new rows, deletions. Every job of the writer thread carries what it needs in its own
 * argument and touches the spool only in its done, on the loop. A job bears being run twice, as the store asks. The
 * way back from disk is refill.c, a link's own row and what is read at the start is links.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "spool/inside.h"
#include "sys/db.h"

static const char schema_1[] =
	"CREATE TABLE link(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, horizon INTEGER NOT NULL DEFAULT 0,"
	" delivered INTEGER NOT NULL DEFAULT 0, dropped_alarm INTEGER NOT NULL DEFAULT 0,"
	" dropped_state INTEGER NOT NULL DEFAULT 0, dropped_telemetry INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE entry(key INTEGER PRIMARY KEY, device BLOB NOT NULL, data BLOB NOT NULL) STRICT;";

const struct db_migration spool_migrations[] = { { 1, schema_1 } };
const size_t spool_n_migrations = N_ELEMENTS(spool_migrations);

/* STORE_E_FULL is part of life for whoever waits with his batch, and an error for the rest. */
int spool_submit(struct spool *spool, uint32_t flags, store_job_fn job, store_done_fn done, void *arg)
{
	int r = store_submit(spool->store, spool->db, flags, job, done, arg);

	if (!r)
		spool->n_jobs++;
	return r == STORE_E_FULL ? SPOOL_E_FULL : r;
}

/* --- the batch of rows ----------------------------------------------------------------------------------------------- */

struct batch_stored {
	spool_stored_fn fn;
	void *ctx;
};
struct batch {
	struct spool *spool;
	size_t n_rows, n_stored, bytes;
	bool must_sync;
	struct batch_row rows[SPOOL_BATCH_MAX];
	struct batch_stored stored[SPOOL_BATCH_MAX];
};

static int batch_job(struct db *db, void *arg)
{
	const struct batch *batch = arg;
	struct stmt *s;
	int r = 0;

	for (size_t i = 0; i < batch->n_rows && r == 0; i++) {
		const struct parcel *parcel = batch->rows[i].parcel;

		r = db_prepare(db, "INSERT INTO entry(key, device, data) VALUES(?1, ?2, ?3)", &s);
		if (r)
			break;
		stmt_bind_i64(s, 1, batch->rows[i].key);
		stmt_bind_blob(s, 2, parcel->device.b, DEVICE_ID_LEN);
		stmt_bind_blob(s, 3, parcel->data, parcel->len);
		r = stmt_run(s);
	}
	return r;
}

void batch_end(struct batch *batch, int r)
{
	struct spool *spool = batch->spool;

	for (size_t i = 0; i < batch->n_rows; i++) {
		struct batch_row *row = &batch->rows[i];

		if (r < 0)
			queue_forget(&spool->outlets[key_link(row->key)], key_class(row->key), key_number(row->key),
				     row->parcel->len);
		parcel_unref(row->parcel);
	}
	for (size_t i = 0; i < batch->n_stored; i++)
		batch->stored[i].fn(batch->stored[i].ctx, r);
	free(batch);
}

static void on_batch(void *arg, int r)
{
	struct batch *batch = arg;
	struct spool *spool = batch->spool;

	batch_end(batch, r);
	spool_job_ended(spool);
}

int batch_submit(struct spool *spool)
{
	struct batch *batch = spool->batch;
	int r;

	if (!batch)
		return 0;
	r = spool_submit(spool, batch->must_sync ? STORE_SYNC : 0, batch_job, on_batch, batch);
	if (r == 0)
		spool->batch = NULL;
	return r;
}

static bool batch_takes(const struct batch *batch, unsigned n, size_t bytes)
{
	return batch->n_rows + n <= SPOOL_BATCH_MAX && batch->n_stored < SPOOL_BATCH_MAX &&
	       batch->bytes + n * bytes <= SPOOL_BATCH_BYTES_MAX;
}
_Static_assert(SPOOL_LINKS_MAX * EVENT_LEN_MAX <= SPOOL_BATCH_BYTES_MAX, "an empty batch takes any event");

int batch_room(struct spool *spool, unsigned n, size_t bytes)
{
	struct batch *batch = spool->batch;
	int r = batch && !batch_takes(batch, n, bytes) ? batch_submit(spool) : 0;

	if (r)
		return r;
	if (spool->batch)
		return 0;
	batch = malloc(sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	batch->spool = spool;
	batch->n_rows = batch->n_stored = batch->bytes = 0;
	batch->must_sync = false;
	spool->batch = batch;
	return 0;
}

void batch_put(struct spool *spool, int64_t key, struct parcel *parcel)
{
	struct batch *batch = spool->batch;

	assert(batch && batch->n_rows < SPOOL_BATCH_MAX);
	batch->rows[batch->n_rows++] = (struct batch_row){ key, parcel };
	batch->bytes += parcel->len;
	batch->must_sync |= parcel->must_sync;
	parcel->refs++;
}

void batch_put_stored(struct spool *spool, spool_stored_fn stored, void *ctx)
{
	struct batch *batch = spool->batch;

	assert(batch && batch->n_stored < SPOOL_BATCH_MAX);
	if (stored)
		batch->stored[batch->n_stored++] = (struct batch_stored){ stored, ctx };
}

/* --- deleting, counters ---------------------------------------------------------------------------------------------- */

struct flush {
	struct spool *spool;
	unsigned n_ranges;
	struct key_range ranges[SPOOL_RANGES_MAX + SPOOL_LINKS_MAX * EVENT_CLASSES];
	struct {
		bool is_link;
		uint64_t delivered, dropped[EVENT_CLASSES];
	} links[SPOOL_LINKS_MAX];
};

static int flush_counters(struct db *db, const struct flush *flush, unsigned link)
{
	struct stmt *s;
	int r = db_prepare(db, "UPDATE link SET delivered=?2, dropped_alarm=?3, dropped_state=?4, dropped_telemetry=?5 WHERE id=?1", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, link);
	stmt_bind_i64(s, 2, (int64_t)flush->links[link].delivered);
	for (int c = 0; c < EVENT_CLASSES; c++)
		stmt_bind_i64(s, 3 + c, (int64_t)flush->links[link].dropped[c]);
	return stmt_run(s);
}

static int flush_job(struct db *db, void *arg)
{
	const struct flush *flush = arg;
	struct stmt *s;
	int r = 0;

	for (unsigned i = 0; i < flush->n_ranges && r == 0; i++) {
		r = db_prepare(db, "DELETE FROM entry WHERE key BETWEEN ?1 AND ?2", &s);
		if (r)
			break;
		stmt_bind_i64(s, 1, flush->ranges[i].first);
		stmt_bind_i64(s, 2, flush->ranges[i].last);
		r = stmt_run(s);
	}
	for (unsigned i = 0; i < SPOOL_LINKS_MAX && r == 0; i++) {
		if (flush->links[i].is_link)
			r = flush_counters(db, flush, i);
	}
	return r;
}

/* A deletion that failed (a full disk) is not lost: the rows come back as duplicates after a restart, and the next
 * flush begins where this one did. */
static void on_flush_done(void *arg, int r)
{
	struct flush *flush = arg;
	struct spool *spool = flush->spool;

	if (r < 0) {
		spool->counters_changed = true;
		for (unsigned i = 0; i < flush->n_ranges; i++) {
			const struct key_range *range = &flush->ranges[i];
			struct queue *q = &spool->outlets[key_link(range->first)].queues[key_class(range->first)];

			if (key_number(range->first) < q->low_deleted)
				q->low_deleted = key_number(range->first);
		}
	}
	free(flush);
	spool_job_ended(spool);
}

static void flush_fill(struct spool *spool, struct flush *flush)
{
	flush->spool = spool;
	flush->n_ranges = spool->n_ranges;
	memcpy(flush->ranges, spool->ranges, spool->n_ranges * sizeof(spool->ranges[0]));
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		struct outlet *outlet = &spool->outlets[i];

		flush->links[i].is_link = outlet->name != NULL;
		if (!outlet->name)
			continue;
		flush->links[i].delivered = outlet->delivered;
		for (unsigned c = 0; c < EVENT_CLASSES; c++) {
			uint64_t low = queue_low(outlet, (enum event_class)c);

			flush->links[i].dropped[c] = outlet->queues[c].dropped;
			if (low <= outlet->queues[c].low_deleted)
				continue;
			flush->ranges[flush->n_ranges++] = (struct key_range){
				spool_key(i, (enum event_class)c, outlet->queues[c].low_deleted),
				spool_key(i, (enum event_class)c, low - 1),
			};
		}
	}
}

static void flush_taken(struct spool *spool)
{
	spool->n_acked = spool->n_ranges = 0;
	spool->counters_changed = false;
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		for (unsigned c = 0; c < EVENT_CLASSES; c++) {
			uint64_t low = queue_low(&spool->outlets[i], (enum event_class)c);

			if (low > spool->outlets[i].queues[c].low_deleted)
				spool->outlets[i].queues[c].low_deleted = low;
		}
	}
}

void spool_flush(struct spool *spool)
{
	struct flush *flush;

	/* Even to delete takes room. What is done with comes again after a restart, as a duplicate. */
	if (spool->tight || (!spool->n_acked && !spool->n_ranges && !spool->counters_changed))
		return;
	flush = calloc(1, sizeof(*flush));
	if (!flush)
		return;
	flush_fill(spool, flush);
	/* The rows to delete must be there first. When the writer's queue is full, a later flush does it. */
	if (batch_submit(spool) == 0 && spool_submit(spool, 0, flush_job, on_flush_done, flush) == 0)
		flush_taken(spool);
	else
		free(flush);
}

void spool_delete_range(struct spool *spool, unsigned link, enum event_class c, uint64_t first, uint64_t last)
{
	struct key_range *before = spool->n_ranges ? &spool->ranges[spool->n_ranges - 1] : NULL;
	int64_t from = spool_key(link, c, first), to = spool_key(link, c, last);

	if (spool->closing)
		return;
	if (before && before->last + 1 == from) {
		before->last = to;
		return;
	}
	if (spool->n_ranges == SPOOL_RANGES_MAX)
		spool_flush(spool);
	if (spool->n_ranges == SPOOL_RANGES_MAX)
		return; /* the writer is stuck: they go when everything before them has gone */
	spool->ranges[spool->n_ranges++] = (struct key_range){ from, to };
	if (!spool->flush_armed) {
		spool->flush_armed = true;
		timer_start(spool->flush_timer, SPOOL_FLUSH_MS);
	}
}
