/* Pages of the log. The writer thread reads, because everything that was appended before must be in the page; the current
 * segment is at hand there, an older one is opened for the occasion. What is shown comes out of the hashed bytes alone.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"

struct read_blob {
	uint64_t seq;
	size_t len;
	uint8_t *rec;
};

struct reading {
	struct audit *audit;
	uint64_t after;
	size_t max, n;
	bool newest_first;
	audit_rows_fn fn;
	void *ctx;
	struct read_blob blobs[AUDIT_READ_MAX];
};

static int keep_row(struct reading *reading, uint64_t seq, struct view rec)
{
	struct read_blob *blob = &reading->blobs[reading->n];

	if (rec.len > AUDIT_RECORD_MAX)
		return AUDIT_E_TAMPERED;
	*blob = (struct read_blob){ seq, rec.len, malloc(rec.len ? rec.len : 1) };
	if (!blob->rec)
		return -ENOMEM;
	if (rec.len)
		memcpy(blob->rec, rec.data, rec.len);
	reading->after = seq;
	reading->n++;
	return 0;
}

static int keep_rows(struct reading *reading, struct stmt *s)
{
	int r = 0;

	while (r == 0 && reading->n < reading->max) {
		int step = stmt_step(s);

		if (step <= 0)
			return step;
		r = keep_row(reading, (uint64_t)stmt_i64(s, 0), stmt_blob(s, 1));
	}
	stmt_reset(s);
	return r;
}

static int read_segment(struct reading *reading, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db,
			   reading->newest_first ? "SELECT seq, rec FROM audit WHERE seq < ?1 ORDER BY seq DESC" :
						   "SELECT seq, rec FROM audit WHERE seq > ?1 ORDER BY seq",
			   &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, (int64_t)reading->after);
	return keep_rows(reading, s);
}

static int read_file(struct reading *reading, const struct segment_name *name, struct db *current)
{
	struct db *db = NULL;
	int r;

	if (name->n == reading->audit->writer.segment.n)
		return read_segment(reading, current);
	r = segment_open(reading->audit->folder, name, audit_pages(reading->audit), &db);
	if (r == 0)
		r = read_segment(reading, db);
	db_close(db);
	return r > 0 ? AUDIT_E_TAMPERED : r;
}

/* From the end or from the beginning, until the page is full. */
static int read_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct reading *reading = arg;
	struct segment_name *names = NULL;
	size_t n = 0;
	int r = segment_list(reading->audit->folder, &names, &n);

	(void)store;
	for (size_t i = 0; i < n && r == 0 && reading->n < reading->max; i++) {
		const struct segment_name *name = &names[reading->newest_first ? n - 1 - i : i];

		r = read_file(reading, name, dbs[reading->audit->db]);
	}
	free(names);
	return r;
}

/* Neighbours in a page are neighbours in the log. */
static bool is_in_place(const struct reading *reading, size_t i)
{
	uint64_t seq = reading->blobs[i].seq, before = i ? reading->blobs[i - 1].seq : 0;

	return i == 0 || seq == (reading->newest_first ? before - 1 : before + 1);
}

/* The rows up to the first that is not what it should be; AUDIT_E_TAMPERED then. */
static int rows_decode(const struct reading *reading, struct record *records, struct audit_row *rows, size_t *ret_n)
{
	for (size_t i = 0; i < reading->n; i++) {
		const struct read_blob *blob = &reading->blobs[i];

		if (!is_in_place(reading, i) || record_decode(blob->rec, blob->len, &records[i]) ||
		    records[i].stamp.seq != blob->seq) {
			*ret_n = i;
			return AUDIT_E_TAMPERED;
		}
		rows[i] = (struct audit_row){
			.seq = blob->seq,
			.wall_us = records[i].stamp.wall_us,
			.boot_ms = records[i].stamp.boot_ms,
			.time_trusted = records[i].stamp.time_trusted,
			.record = records[i].record,
		};
	}
	*ret_n = reading->n;
	return 0;
}

static void on_read(void *arg, int r)
{
	struct reading *reading = arg;
	struct audit *audit = reading->audit;
	struct record *records = calloc(reading->n + 1, sizeof(*records));
	struct audit_row *rows = calloc(reading->n + 1, sizeof(*rows));
	size_t n = 0;

	if (!records || !rows)
		r = -ENOMEM;
	if (r >= 0) {
		int bad = rows_decode(reading, records, rows, &n);

		r = bad ? bad : r;
	}
	reading->fn(reading->ctx, r, rows, n);
	for (size_t i = 0; i < reading->n; i++)
		free(reading->blobs[i].rec);
	free(records);
	free(rows);
	free(reading);
	audit_job_ended(audit);
}

int audit_read(struct audit *audit, uint64_t after_seq, size_t max, bool newest_first, audit_rows_fn fn, void *ctx)
{
	struct reading *reading;
	int r = audit_flush_batch(audit);

	if (r)
		return r;
	reading = malloc(sizeof(*reading));
	if (!reading)
		return -ENOMEM;
	reading->audit = audit;
	reading->after = newest_first && (!after_seq || after_seq > INT64_MAX) ? INT64_MAX : after_seq;
	reading->max = max < AUDIT_READ_MAX ? (max ? max : 1) : AUDIT_READ_MAX;
	reading->n = 0;
	reading->newest_first = newest_first;
	reading->fn = fn;
	reading->ctx = ctx;
	r = audit_submit_task(audit, read_task, on_read, reading);
	if (r)
		free(reading);
	return r;
}
