/* From the outbox into the log, each row once. The two are different databases, so no one transaction spans both; the
 * order does it: first into the log, durably, then out of the outbox. A row that is in both after a crash is known by its
 * number, which stands in the record.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"
#include "audit/outbox.h"
#include "model/alarm.h"

struct drain {
	struct audit *audit;
	bool time_trusted;
	uint8_t boot_id[RECORD_BOOT_ID_LEN];
	struct audit_claim claim;
	struct segment_tail tail; /* as it will be with the commit */
	struct segment_tail committed;
	struct record_stamp stamp;      /* of checkpoints that are made on the way */
	struct list made;
	bool grave;
	size_t n, bytes, n_put;
	struct outbox_row rows[OUTBOX_ROWS_MAX];
};

static int rows_into_log(struct drain *drain, struct db *log)
{
	struct audit *audit = drain->audit;
	uint64_t last = audit->writer.outbox;
	int r = audit_claim_tail(audit, log, &drain->claim, &drain->tail);

	for (size_t i = 0; i < drain->n && r == 0; i++) {
		struct outbox_row *row = &drain->rows[i];

		if (row->id <= last)
			continue;
		record_restamp(row->data, 0, drain->boot_id, drain->time_trusted);
		row->len = record_add_outbox(row->data, row->len, row->id);
		r = audit_put(audit, log, &drain->tail, row->data, row->len);
		drain->grave = drain->grave || record_severity(row->data) >= SEVERITY_ERROR;
		drain->bytes += row->len;
		drain->n_put++;
	}
	return r;
}

static int in_transaction(struct drain *drain, struct db *db, int (*step)(struct drain *drain, struct db *db))
{
	int r = db_begin(db);

	if (r == 0)
		r = step(drain, db);
	if (r == 0)
		r = db_commit(db);
	if (r < 0)
		db_rollback(db);
	return r;
}

static int rows_out_of_outbox(struct drain *drain, struct db *gateway)
{
	return outbox_delete(gateway, drain->rows[drain->n - 1].id);
}

/* Between transactions. One that cannot be made now will be asked for by the loop. */
static void seal_some(struct drain *drain, struct db *log, enum checkpoint_reason reason)
{
	(void)!audit_point_make(drain->audit, log, reason, &drain->stamp, &drain->made);
}

/* What is committed is settled; and a checkpoint is made where many records would be without one. */
static void seal_before(struct drain *drain, struct db *log)
{
	struct sealer *sealer = drain->audit->writer.sealer;

	if (sealer && sealer_uncovered(sealer) + drain->n > AUDIT_EPOCH_RECORDS &&
	    audit_claim_tail(drain->audit, log, &drain->claim, &drain->tail) == 0)
		seal_some(drain, log, CHECKPOINT_RECORDS);
}

static void seal_after(struct drain *drain, struct db *log)
{
	struct sealer *sealer = drain->audit->writer.sealer;

	if (!sealer)
		return;
	sealer_settle(sealer);
	if (drain->grave)
		seal_some(drain, log, CHECKPOINT_GRAVE);
	drain->grave = false;
}

static int drain_all(struct drain *drain, struct db *log, struct db *gateway)
{
	int r;

	for (;;) {
		r = outbox_read(gateway, OUTBOX_ROWS_MAX, drain->rows, &drain->n);
		if (r || !drain->n)
			return r;
		seal_before(drain, log);
		r = in_transaction(drain, log, rows_into_log);
		if (r)
			return r;
		seal_after(drain, log);
		drain->committed = drain->audit->writer.last = drain->tail;
		if (drain->rows[drain->n - 1].id > drain->audit->writer.outbox)
			drain->audit->writer.outbox = drain->rows[drain->n - 1].id;
		r = in_transaction(drain, gateway, rows_out_of_outbox);
		if (r)
			return r;
	}
}

static int drain_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct drain *drain = arg;

	(void)store;
	return drain_all(drain, dbs[drain->audit->db], dbs[drain->audit->gateway_db]);
}

static void on_drained(void *arg, int r)
{
	struct drain *drain = arg;
	struct audit *audit = drain->audit;

	audit->draining = false;
	if (drain->committed.seq > audit->tail.seq)
		audit->tail = drain->committed;
	audit->segment_bytes += drain->bytes;
	audit_points_given(audit, drain->n_put);
	audit_points_say(audit, &drain->made);
	audit_on_job(audit, r);
	free(drain);
	if (r < 0)
		audit->drain_again = true;
	if (!audit->closing && audit->drain_again) {
		if (r < 0)
			timer_start(audit->retry_timer, AUDIT_RETRY_MS);
		else
			loop_at_turn_end(audit->loop, &audit->turn_end);
	}
	audit_job_ended(audit);
}

static struct drain *drain_new(struct audit *audit)
{
	struct drain *drain = malloc(sizeof(*drain));

	if (!drain)
		return NULL;
	drain->audit = audit;
	drain->time_trusted = audit->time_trusted;
	memcpy(drain->boot_id, audit->boot_id, sizeof(drain->boot_id));
	drain->claim = (struct audit_claim){ .confirmed = audit->tail };
	drain->tail.seq = drain->committed.seq = 0;
	drain->n = drain->bytes = drain->n_put = 0;
	drain->stamp = audit_stamp_now(audit);
	drain->grave = false;
	list_init(&drain->made);
	return drain;
}

void audit_drain_now(struct audit *audit)
{
	struct drain *drain;

	if (!audit->drain_again || audit->draining || audit->gateway_db == AUDIT_NO_DB)
		return;
	drain = drain_new(audit);
	if (drain && audit_submit_task(audit, drain_task, on_drained, drain) == 0) {
		audit->draining = true;
		audit->drain_again = false;
		return;
	}
	free(drain);
	if (audit->retry_timer)
		timer_start(audit->retry_timer, AUDIT_RETRY_MS);
}

void audit_drain(struct audit *audit)
{
	if (audit->gateway_db == AUDIT_NO_DB)
		return;
	audit->drain_again = true;
	loop_at_turn_end(audit->loop, &audit->turn_end);
}

/* --- at the start ---------------------------------------------------------------------------------------------------- */

/* The newest outbox row that the log speaks of, from its end backwards. */
static int find_in_log(struct audit *audit, struct db *log, uint64_t *ret)
{
	struct segment_name *names = NULL;
	size_t n = 0;
	int r = segment_outbox_read(log, ret);

	if (r || *ret)
		return r;
	r = segment_list(audit->folder, &names, &n);
	for (size_t i = n; r == 0 && !*ret && i-- > 0;) {
		struct db *db = NULL;

		if (names[i].n >= audit->segment.n)
			continue;
		if (segment_open(audit->folder, &names[i], audit_pages(audit), &db) == 0)
			r = segment_outbox_read(db, ret);
		db_close(db);
	}
	free(names);
	return r;
}

static int highest_given(struct db *gateway, uint64_t *ret)
{
	struct stmt *s;
	int r = db_prepare(gateway, "SELECT seq FROM sqlite_sequence WHERE name='outbox'", &s);

	*ret = 0;
	if (r)
		return r;
	r = stmt_step(s);
	if (r > 0) {
		*ret = (uint64_t)stmt_i64(s, 0);
		stmt_reset(s);
	}
	return r < 0 ? r : 0;
}

/* An empty outbox: all that was ever in it is in the log. Else it must be looked up. A log that speaks of rows that this
 * database has not given yet speaks of another one (a gateway.db that was lost, or came from a backup). */
static int outbox_recover(struct drain *drain, struct db *log, struct db *gateway)
{
	struct audit *audit = drain->audit;
	uint64_t given, found;
	int r = highest_given(gateway, &given);

	if (r == 0)
		r = outbox_read(gateway, 1, drain->rows, &drain->n);
	if (r)
		return r;
	if (!drain->n) {
		audit->writer.outbox = given;
		return 0;
	}
	r = find_in_log(audit, log, &found);
	if (r == 0)
		audit->writer.outbox = found <= given ? found : 0;
	return r;
}

int audit_attach_outbox(struct audit *audit, unsigned gateway_db)
{
	struct db *log = store_db(audit->store, audit->db), *gateway = store_db(audit->store, gateway_db);
	struct drain *drain = drain_new(audit);
	int r;

	if (!drain)
		return -ENOMEM;
	audit->gateway_db = gateway_db;
	drain->time_trusted = false; /* nobody can say now */
	r = outbox_boot_get(gateway, drain->boot_id);
	if (r == 0)
		r = outbox_recover(drain, log, gateway);
	if (r == 0)
		r = drain_all(drain, log, gateway);
	if (r == 0)
		r = outbox_boot_set(gateway, audit->boot_id);
	if (drain->committed.seq > audit->tail.seq)
		audit->tail = drain->committed;
	audit_points_given(audit, drain->n_put);
	audit_points_say(audit, &drain->made);
	free(drain);
	return r;
}
