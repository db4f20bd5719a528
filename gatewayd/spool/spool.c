/* The spool's face. An event is encoded once; each of its links gets a number for it and a place in the queue of its
 * class; its row goes into the batch that the writer gets at the end of the turn. It may be given to the link before it is
 * on disk (whoever reported it learns "stored" only afterwards), so numbers that were given out must never be given out for
 * something else, crash or not: only numbers below a horizon that is on disk are given out, and after a restart
 * numbering goes on above it. For the same reason what lies below the horizon at a start comes marked as a duplicate.
 */
#include "spool/spool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "spool/inside.h"

/* Takes its share of the loop's turn end: the batch goes out, those who wait are told. */
static void on_turn_end(void *ctx)
{
	struct spool *spool = ctx;

	if (batch_submit(spool))
		timer_start(spool->retry_timer, SPOOL_RETRY_MS);
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		struct outlet *outlet = &spool->outlets[i];

		if (!outlet->ready || !outlet->hungry)
			continue;
		for (unsigned c = 0; c < EVENT_CLASSES; c++) {
			if (!outlet->queues[c].n_window)
				continue;
			outlet->hungry = false;
			outlet->ready(outlet->ctx, i);
			break;
		}
	}
}

static void on_flush(void *ctx)
{
	struct spool *spool = ctx;

	spool->flush_armed = false;
	spool_flush(spool);
}

static void on_retry(void *ctx)
{
	struct spool *spool = ctx;

	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		spool->outlets[i].refill_failed = false;
		outlet_refill(&spool->outlets[i]);
	}
	loop_at_turn_end(spool->loop, &spool->turn_end);
}

int spool_new(struct loop *loop, struct store *store, unsigned db, const struct spool_options *options, struct spool **ret)
{
	struct spool *spool = calloc(1, sizeof(*spool));
	int r;

	if (!spool)
		return -ENOMEM;
	spool->loop = loop;
	spool->store = store;
	spool->db = db;
	spool->bytes_max = options->bytes_max;
	spool->chunk_bytes_max = options->bytes_max / SPOOL_CHUNKS_BY_BYTES;
	spool->turn_end = (struct idle_hook){ .fn = on_turn_end, .ctx = spool };
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		spool->outlets[i].spool = spool;
		spool->outlets[i].number = i;
		spool->outlets[i].next = 1;
		for (unsigned c = 0; c < EVENT_CLASSES; c++)
			queue_init(&spool->outlets[i].queues[c]);
	}
	r = timer_new(loop, on_flush, spool, &spool->flush_timer);
	if (!r)
		r = timer_new(loop, on_retry, spool, &spool->retry_timer);
	if (r) {
		spool_close(spool);
		return r;
	}
	*ret = spool;
	return 0;
}

int spool_load(struct spool *spool)
{
	return spool_read_all(spool);
}

static void spool_free(struct spool *spool)
{
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		for (unsigned c = 0; c < EVENT_CLASSES; c++)
			queue_deinit(&spool->outlets[i].queues[c]);
		free(spool->outlets[i].name);
	}
	free(spool);
}

void spool_job_ended(struct spool *spool)
{
	assert(spool->n_jobs > 0);
	if (--spool->n_jobs > 0 || !spool->closing)
		return;
	if (spool->batch)
		batch_end(STEAL(spool->batch), -ECANCELED);
	spool_free(spool);
}

struct spool *spool_close(struct spool *spool)
{
	if (!spool)
		return NULL;
	assert(!spool->closing);
	if (batch_submit(spool) == 0) /* whoever waits for a batch that is not taken is told so by spool_job_ended */
		spool_flush(spool);
	loop_forget_hook(spool->loop, &spool->turn_end);
	spool->flush_timer = timer_close(spool->flush_timer);
	spool->retry_timer = timer_close(spool->retry_timer);
	spool->closing = true;
	spool->n_jobs++;
	spool_job_ended(spool);
	return NULL;
}

static struct outlet *outlet_named(struct spool *spool, const char *name)
{
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		if (spool->outlets[i].name && strcmp(spool->outlets[i].name, name) == 0)
			return &spool->outlets[i];
	}
	return NULL;
}

static int outlet_make(struct spool *spool, const char *name, struct outlet **ret)
{
	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		struct outlet *outlet = &spool->outlets[i];
		int r;

		if (outlet->name)
			continue;
		outlet->name = strdup(name);
		if (!outlet->name)
			return -ENOMEM;
		r = outlet_write_name(outlet);
		if (r) {
			free(outlet->name);
			outlet->name = NULL;
			return r;
		}
		*ret = outlet;
		return 0;
	}
	return -ENOSPC;
}

int spool_open_link(struct spool *spool, const char *name, spool_ready_fn ready, void *ctx, unsigned *ret_link)
{
	struct outlet *outlet = outlet_named(spool, name);
	int r = outlet ? 0 : outlet_make(spool, name, &outlet);

	if (r)
		return r;
	outlet->ready = ready;
	outlet->ctx = ctx;
	outlet->hungry = true;
	outlet_refill(outlet);
	*ret_link = outlet->number;
	return 0;
}

/* --- in -------------------------------------------------------------------------------------------------------------- */

static int parcel_make(const struct event *event, struct parcel **ret)
{
	uint8_t buf[EVENT_LEN_MAX];
	struct writer w = writer_over(buf, sizeof(buf));
	struct parcel *parcel;

	event_put(&w, event);
	if (w.bad)
		return -EINVAL;
	parcel = malloc(sizeof(*parcel) + writer_len(&w));
	if (!parcel)
		return -ENOMEM;
	parcel->refs = 1;
	parcel->len = (uint32_t)writer_len(&w);
	parcel->must_sync = event->risky || event->event_class == EVENT_CLASS_ALARM;
	parcel->device = event->device;
	memcpy(parcel->data, buf, parcel->len);
	*ret = parcel;
	return 0;
}

static int outlet_append(struct outlet *outlet, enum event_class c, struct parcel *parcel)
{
	struct queue *q = &outlet->queues[c];
	uint64_t number = outlet->next;
	int r = 0;

	if ((outlet->spool->tight && c != EVENT_CLASS_ALARM) || !spool_make_room(outlet->spool, c, parcel->len + SPOOL_ENTRY_BYTES)) {
		q->dropped++;
		outlet->spool->counters_changed = true;
		return 0;
	}
	r = queue_count_in(outlet, c, number, parcel->len);
	if (r)
		return r;
	outlet->next++;
	batch_put(outlet->spool, spool_key(outlet->number, c, number), parcel);
	if (!q->disk_from && queue_room(q, c) && queue_push(outlet, c, number, parcel, false) == 0)
		return 0;
	if (!q->disk_from)
		q->disk_from = number;
	q->disk_last = number;
	return 0;
}

static unsigned links_in(const struct spool *spool, uint32_t mask)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++)
		n += (mask >> i & 1) && spool->outlets[i].name;
	return n;
}

int spool_append(struct spool *spool, uint32_t link_mask, const struct event *event, spool_stored_fn stored, void *ctx)
{
	struct parcel *parcel = NULL;
	unsigned n = links_in(spool, link_mask);
	int r = parcel_make(event, &parcel);

	if (r)
		return r;
	r = batch_room(spool, n, parcel->len);
	for (unsigned i = 0; !r && i < SPOOL_LINKS_MAX; i++) {
		if ((link_mask >> i & 1) && spool->outlets[i].name)
			r = outlet_append(&spool->outlets[i], event->event_class, parcel);
	}
	if (!r)
		batch_put_stored(spool, stored, ctx);
	parcel_unref(parcel);
	loop_at_turn_end(spool->loop, &spool->turn_end);
	return r;
}

/* --- out ------------------------------------------------------------------------------------------------------------- */

/* The best class that holds anything: while its next entry is not at hand the classes below wait. */
static int class_to_serve(const struct outlet *outlet)
{
	for (int c = 0; c < EVENT_CLASSES; c++) {
		if (outlet->queues[c].n_window || outlet->queues[c].disk_from)
			return c;
	}
	return -1;
}

static bool is_within_horizon(struct outlet *outlet, enum event_class c)
{
	const struct entry *first = list_first(&outlet->queues[c].window, struct entry, link);

	if (first->number + SPOOL_HORIZON_BLOCK / 2 >= outlet->horizon_asked)
		outlet_ask_horizon(outlet, first->number + SPOOL_HORIZON_BLOCK);
	return first->number < outlet->horizon;
}

bool spool_take(struct spool *spool, unsigned link, struct spool_entry *ret)
{
	struct outlet *outlet = &spool->outlets[link];
	struct entry *entry = NULL;

	assert(link < SPOOL_LINKS_MAX && outlet->name);
	int c = class_to_serve(outlet);

	if (c >= 0 && outlet->queues[c].n_window && is_within_horizon(outlet, (enum event_class)c))
		entry = queue_take(outlet, (enum event_class)c);
	outlet_refill(outlet);
	outlet->hungry = !entry;
	if (!entry)
		return false;
	*ret = (struct spool_entry){
		.number = entry->number,
		.duplicate = entry->duplicate,
		.event_class = (enum event_class)c,
		.data = entry->parcel->data,
		.len = entry->parcel->len,
	};
	return true;
}

static void flush_later(struct spool *spool)
{
	if (++spool->n_acked >= SPOOL_ACKS_A_FLUSH) {
		spool_flush(spool);
	} else if (!spool->flush_armed) {
		spool->flush_armed = true;
		timer_start(spool->flush_timer, SPOOL_FLUSH_MS);
	}
}

void spool_ack(struct spool *spool, unsigned link, uint64_t number)
{
	struct outlet *outlet = &spool->outlets[link];

	assert(link < SPOOL_LINKS_MAX);
	for (unsigned c = 0; c < EVENT_CLASSES; c++) {
		struct queue *q = &outlet->queues[c];
		struct entry *entry = queue_find_taken(q, number);

		if (!entry)
			continue;
		queue_count_out(outlet, (enum event_class)c, number, entry->parcel->len, false);
		queue_free_taken(q, entry);
		outlet->delivered++;
		flush_later(spool);
		outlet_refill(outlet);
		return;
	}
}

void spool_untake(struct spool *spool, unsigned link)
{
	struct outlet *outlet = &spool->outlets[link];

	assert(link < SPOOL_LINKS_MAX);
	for (unsigned c = 0; c < EVENT_CLASSES; c++)
		queue_untake(outlet, (enum event_class)c);
	outlet->hungry = true;
	loop_at_turn_end(spool->loop, &spool->turn_end);
}

void spool_purge(struct spool *spool, unsigned link, struct device_id device, spool_stored_fn done, void *ctx)
{
	struct outlet *outlet = &spool->outlets[link];
	int r;

	assert(link < SPOOL_LINKS_MAX);
	r = outlet_purge_rows(outlet, device, done, ctx);
	if (r) {
		if (done)
			done(ctx, r);
		return;
	}
	outlet->purges++;
	for (unsigned c = 0; c < EVENT_CLASSES; c++)
		queue_mark_purged(&outlet->queues[c], device, true);
}

void spool_set_tight(struct spool *spool, bool tight)
{
	spool->tight = tight;
	if (!tight)
		spool_flush(spool);
}

/* --- looking --------------------------------------------------------------------------------------------------------- */

struct spool_stats spool_stats_of(const struct spool *spool, unsigned link)
{
	const struct outlet *outlet = &spool->outlets[link];
	struct spool_stats stats = { .bytes = outlet->bytes, .delivered = outlet->delivered };

	assert(link < SPOOL_LINKS_MAX);
	for (unsigned c = 0; c < EVENT_CLASSES; c++) {
		const struct queue *q = &outlet->queues[c];
		uint64_t low = queue_low(outlet, (enum event_class)c);

		stats.queued[c] = q->n;
		stats.dropped[c] = q->dropped;
		if (q->n && (!stats.oldest_number || low < stats.oldest_number))
			stats.oldest_number = low;
	}
	return stats;
}

const char *spool_link_name(const struct spool *spool, unsigned link)
{
	return link < SPOOL_LINKS_MAX ? spool->outlets[link].name : NULL;
}
