/* A link's own row (its name, how far its numbers were given out), erasing what it holds of one device, and what is read
 * when the daemon starts: the links, and of the entries their numbers and lengths; their bytes come when they are wanted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "spool/inside.h"
#include "sys/db.h"

struct outlet_job {
	struct outlet *outlet;
	uint64_t horizon;
	char *name;
	/* purge: */
	struct device_id device;
	uint64_t next;
	spool_stored_fn done;
	void *ctx;
	size_t n, cap;
	struct { int64_t key; size_t len; } *rows;
};

static void outlet_job_free(struct outlet_job *job)
{
	struct spool *spool = job->outlet->spool;

	free(job->name);
	free(job->rows);
	free(job);
	spool_job_ended(spool);
}

static int horizon_job(struct db *db, void *arg)
{
	const struct outlet_job *job = arg;
	struct stmt *s;
	int r = db_prepare(db, "UPDATE link SET horizon=?2 WHERE id=?1 AND horizon<?2", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, job->outlet->number);
	stmt_bind_i64(s, 2, (int64_t)job->horizon);
	return stmt_run(s);
}

static void on_horizon(void *arg, int r)
{
	struct outlet_job *job = arg;
	struct outlet *outlet = job->outlet;

	if (r == 0 && job->horizon > outlet->horizon)
		outlet->horizon = job->horizon;
	if (r < 0)
		outlet->horizon_asked = outlet->horizon; /* the next take asks again */
	if (!outlet->spool->closing) {
		if (r == 0)
			loop_at_turn_end(outlet->spool->loop, &outlet->spool->turn_end);
		else
			timer_start(outlet->spool->retry_timer, SPOOL_RETRY_MS);
	}
	outlet_job_free(job);
}

void outlet_ask_horizon(struct outlet *outlet, uint64_t horizon)
{
	struct outlet_job *job;

	if (horizon <= outlet->horizon_asked)
		return;
	job = calloc(1, sizeof(*job));
	if (job) {
		job->outlet = outlet;
		job->horizon = horizon;
		if (spool_submit(outlet->spool, STORE_SYNC, horizon_job, on_horizon, job) == 0) {
			outlet->horizon_asked = horizon;
			return;
		}
		free(job);
	}
	timer_start(outlet->spool->retry_timer, SPOOL_RETRY_MS);
}

static int name_job(struct db *db, void *arg)
{
	const struct outlet_job *job = arg;
	struct stmt *s;
	int r = db_prepare(db, "INSERT OR IGNORE INTO link(id, name) VALUES(?1, ?2)", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, job->outlet->number);
	stmt_bind_text(s, 2, job->name);
	return stmt_run(s);
}

static void on_name(void *arg, int r)
{
	(void)r; /* without the row nothing is given out, because the horizon does not rise; the store says why */
	outlet_job_free(arg);
}

int outlet_write_name(struct outlet *outlet)
{
	struct outlet_job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->outlet = outlet;
	job->name = strdup(outlet->name);
	r = job->name ? spool_submit(outlet->spool, 0, name_job, on_name, job) : -ENOMEM;
	if (r) {
		free(job->name);
		free(job);
	}
	return r;
}

static int purge_keep(struct outlet_job *job, struct stmt *s)
{
	if (job->n == job->cap) {
		size_t cap = job->cap ? job->cap * 2 : 64;
		void *more = realloc(job->rows, cap * sizeof(job->rows[0]));

		if (!more)
			return -ENOMEM;
		job->rows = more;
		job->cap = cap;
	}
	job->rows[job->n].key = stmt_i64(s, 0);
	job->rows[job->n++].len = (size_t)stmt_i64(s, 1);
	return 0;
}

static int purge_job(struct db *db, void *arg)
{
	struct outlet_job *job = arg;
	unsigned link = job->outlet->number;
	struct stmt *s;
	int r = db_prepare(db, "DELETE FROM entry WHERE key BETWEEN ?1 AND ?2 AND device=?3 RETURNING key, length(data)", &s);

	job->n = 0;
	if (r)
		return r;
	stmt_bind_i64(s, 1, spool_key(link, 0, 0));
	stmt_bind_i64(s, 2, spool_key(link, EVENT_CLASSES - 1, KEY_NUMBER_LAST));
	stmt_bind_blob(s, 3, job->device.b, DEVICE_ID_LEN);
	while ((r = stmt_step(s)) > 0) {
		r = purge_keep(job, s);
		if (r < 0)
			break;
	}
	stmt_reset(s);
	return r;
}

static void on_purge(void *arg, int r)
{
	struct outlet_job *job = arg;
	struct outlet *outlet = job->outlet;

	for (unsigned c = 0; c < EVENT_CLASSES; c++) {
		if (r < 0)
			queue_mark_purged(&outlet->queues[c], job->device, false);
		else
			queue_drop_purged(outlet, (enum event_class)c);
	}
	for (size_t i = 0; r == 0 && i < job->n; i++) {
		enum event_class c = key_class(job->rows[i].key);
		uint64_t number = key_number(job->rows[i].key);
		const struct queue *q = &outlet->queues[c];

		if (q->disk_from && number >= q->disk_from && number <= q->disk_last)
			queue_count_out(outlet, c, number, job->rows[i].len, true);
	}
	if (job->done)
		job->done(job->ctx, r);
	outlet_job_free(job);
}

int outlet_purge_rows(struct outlet *outlet, struct device_id device, spool_stored_fn done, void *ctx)
{
	struct outlet_job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->outlet = outlet;
	job->device = device;
	job->done = done;
	job->ctx = ctx;
	r = batch_submit(outlet->spool);
	if (!r)
		r = spool_submit(outlet->spool, 0, purge_job, on_purge, job);
	if (r)
		free(job);
	return r;
}

/* --- at start -------------------------------------------------------------------------------------------------------- */

static int read_links(struct spool *spool, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT id, name, horizon, delivered, dropped_alarm, dropped_state, dropped_telemetry FROM link", &s);

	if (r)
		return r;
	while ((r = stmt_step(s)) > 0) {
		int64_t id = stmt_i64(s, 0), horizon = stmt_i64(s, 2);

		if (id < 0 || id >= SPOOL_LINKS_MAX || horizon < 0 || (uint64_t)horizon > KEY_NUMBER_LAST)
			return -EBADMSG;
		struct outlet *outlet = &spool->outlets[id];

		outlet->name = strdup(stmt_text(s, 1));
		if (!outlet->name)
			return -ENOMEM;
		outlet->horizon = outlet->horizon_asked = outlet->horizon_at_load = (uint64_t)horizon;
		outlet->next = horizon ? (uint64_t)horizon : 1;
		outlet->delivered = (uint64_t)stmt_i64(s, 3);
		for (int c = 0; c < EVENT_CLASSES; c++)
			outlet->queues[c].dropped = (uint64_t)stmt_i64(s, 4 + c);
	}
	return r;
}

static int read_entries(struct spool *spool, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT key, length(data) FROM entry ORDER BY key", &s);

	if (r)
		return r;
	while ((r = stmt_step(s)) > 0) {
		int64_t key = stmt_i64(s, 0), len = stmt_i64(s, 1);
		uint64_t number = key_number(key);

		if (key < 0 || key_link(key) >= SPOOL_LINKS_MAX || key_class(key) >= EVENT_CLASSES || !number ||
		    number == KEY_NUMBER_LAST || !spool->outlets[key_link(key)].name || len > EVENT_LEN_MAX)
			return -EBADMSG;
		struct outlet *outlet = &spool->outlets[key_link(key)];
		struct queue *q = &outlet->queues[key_class(key)];

		r = queue_count_in(outlet, key_class(key), number, (size_t)len);
		if (r)
			return r;
		if (!q->disk_from)
			q->disk_from = q->low_deleted = number;
		q->disk_last = number;
		if (number >= outlet->next)
			outlet->next = number + 1;
	}
	return r;
}

int spool_read_all(struct spool *spool)
{
	struct db *db = store_db(spool->store, spool->db);
	int r = read_links(spool, db);

	return r ? r : read_entries(spool, db);
}
