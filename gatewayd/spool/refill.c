/* Reading back. A window that is half empty is filled from disk by the writer thread, since the rows it must find may
 * still be on their way through it. Whatever was dropped or erased between the reading and its arrival is left out.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "spool/inside.h"
#include "sys/db.h"

struct refill {
	struct outlet *outlet;
	enum event_class event_class;
	uint64_t from, upto;
	size_t wanted, n;
	uint32_t purges;
	bool cut; /* ended by its bytes */
	struct batch_row rows[];
};

static void refill_forget_rows(struct refill *refill)
{
	for (size_t i = 0; i < refill->n; i++)
		parcel_unref(refill->rows[i].parcel);
	refill->n = 0;
	refill->cut = false;
}

static int refill_row(struct refill *refill, struct stmt *s)
{
	struct view device = stmt_blob(s, 1), data = stmt_blob(s, 2);
	struct parcel *parcel;

	if (device.len != DEVICE_ID_LEN || data.len > EVENT_LEN_MAX)
		return -EBADMSG;
	parcel = malloc(sizeof(*parcel) + data.len);
	if (!parcel)
		return -ENOMEM;
	*parcel = (struct parcel){ .refs = 1, .len = (uint32_t)data.len };
	memcpy(parcel->device.b, device.data, DEVICE_ID_LEN);
	memcpy(parcel->data, data.data, data.len);
	refill->rows[refill->n++] = (struct batch_row){ stmt_i64(s, 0), parcel };
	return 0;
}

static int refill_job(struct db *db, void *arg)
{
	struct refill *refill = arg;
	size_t bytes = 0;
	struct stmt *s;
	int r = db_prepare(db, "SELECT key, device, data FROM entry WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3", &s);

	if (r)
		return r;
	refill_forget_rows(refill);
	stmt_bind_i64(s, 1, spool_key(refill->outlet->number, refill->event_class, refill->from));
	stmt_bind_i64(s, 2, spool_key(refill->outlet->number, refill->event_class, refill->upto));
	stmt_bind_i64(s, 3, (int64_t)refill->wanted);
	while ((r = stmt_step(s)) > 0) {
		r = refill_row(refill, s);
		if (r < 0)
			break;
		bytes += refill->rows[refill->n - 1].parcel->len;
		refill->cut = bytes >= SPOOL_REFILL_BYTES_MAX;
		if (refill->cut)
			break;
	}
	stmt_reset(s);
	return r < 0 ? r : 0;
}

static void refill_take_rows(struct refill *refill)
{
	struct outlet *outlet = refill->outlet;
	struct queue *q = &outlet->queues[refill->event_class];
	uint64_t read_to = refill->upto;

	for (size_t i = 0; i < refill->n; i++) {
		uint64_t number = key_number(refill->rows[i].key);

		if (number < q->floor) /* dropped meanwhile */
			continue;
		if (queue_push(outlet, refill->event_class, number, refill->rows[i].parcel, number < outlet->horizon_at_load)) {
			read_to = number - 1;
			outlet->refill_failed = true;
			break;
		}
		if (i + 1 == refill->n && (refill->cut || refill->n == refill->wanted))
			read_to = number;
	}
	if (q->disk_from && q->disk_from <= read_to)
		q->disk_from = read_to + 1;
	if (q->disk_from > q->disk_last)
		q->disk_from = 0;
}

static void on_refill(void *arg, int r)
{
	struct refill *refill = arg;
	struct outlet *outlet = refill->outlet;
	struct spool *spool = outlet->spool;

	outlet->refilling = false;
	if (r < 0) {
		outlet->refill_failed = true;
		if (!spool->closing)
			timer_start(spool->retry_timer, SPOOL_RETRY_MS);
	} else if (refill->purges == outlet->purges) {
		refill_take_rows(refill);
	}
	refill_forget_rows(refill);
	free(refill);
	if (!spool->closing) {
		outlet_refill(outlet);
		loop_at_turn_end(spool->loop, &spool->turn_end);
	}
	spool_job_ended(spool);
}

static int refill_submit(struct outlet *outlet, enum event_class c, size_t room)
{
	struct queue *q = &outlet->queues[c];
	struct refill *refill = malloc(sizeof(*refill) + room * sizeof(refill->rows[0]));
	int r = -ENOMEM;

	if (!refill)
		return r;
	*refill = (struct refill){
		.outlet = outlet, .event_class = c, .from = q->disk_from, .upto = q->disk_last, .wanted = room, .purges = outlet->purges,
	};
	r = batch_submit(outlet->spool); /* what is to be read must be there */
	if (!r)
		r = spool_submit(outlet->spool, 0, refill_job, on_refill, refill);
	if (r)
		free(refill);
	return r;
}

/* When a window is half empty, the next part of its queue is read; one read at a time for a link, the best class first. */
void outlet_refill(struct outlet *outlet)
{
	if (outlet->refilling || outlet->refill_failed || !outlet->ready)
		return;
	for (unsigned c = 0; c < EVENT_CLASSES; c++) {
		struct queue *q = &outlet->queues[c];
		size_t room = queue_room(q, (enum event_class)c);

		if (!q->disk_from || room < q->n_taken + q->n_window)
			continue;
		if (refill_submit(outlet, (enum event_class)c, room) == 0) {
			outlet->refilling = true;
		} else {
			outlet->refill_failed = true;
			timer_start(outlet->spool->retry_timer, SPOOL_RETRY_MS);
		}
		return;
	}
}
