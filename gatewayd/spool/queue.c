/* The memory side of a queue. Its one invariant: taken, then window, then what is on disk, by rising number. Chunks
 * count the same entries once more by stretches of numbers, so that a whole stretch can be dropped, or its rows deleted,
 * without anybody looking at them.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "spool/inside.h"

/* Each class has its own part of the window, so that no flood of telemetry keeps an alarm out of it. */
static const size_t window_max[EVENT_CLASSES] = {
	[EVENT_CLASS_ALARM] = SPOOL_WINDOW_MAX / 4,
	[EVENT_CLASS_STATE] = SPOOL_WINDOW_MAX / 4,
	[EVENT_CLASS_TELEMETRY] = SPOOL_WINDOW_MAX / 2,
};

struct parcel *parcel_unref(struct parcel *parcel)
{
	assert(parcel->refs > 0);
	if (--parcel->refs == 0)
		free(parcel);
	return NULL;
}

static void entry_free(struct entry *entry)
{
	list_remove(&entry->link);
	parcel_unref(entry->parcel);
	free(entry);
}

void queue_init(struct queue *q)
{
	list_init(&q->taken);
	list_init(&q->window);
}

void queue_deinit(struct queue *q)
{
	struct entry *entry, *tmp;

	list_each(entry, tmp, &q->taken, link)
		entry_free(entry);
	list_each(entry, tmp, &q->window, link)
		entry_free(entry);
	free(q->chunks);
}

size_t queue_room(const struct queue *q, enum event_class c)
{
	size_t used = q->n_taken + q->n_window;

	return used < window_max[c] ? window_max[c] - used : 0;
}

uint64_t queue_low(const struct outlet *outlet, enum event_class c)
{
	const struct queue *q = &outlet->queues[c];
	const struct entry *first = list_first(&q->taken, struct entry, link);

	if (!first)
		first = list_first(&q->window, struct entry, link);
	if (first)
		return first->number;
	return q->disk_from ? q->disk_from : outlet->next;
}

/* --- chunks ---------------------------------------------------------------------------------------------------------- */

/* The chunk that holds number, or NULL. */
static struct chunk *chunk_find(struct queue *q, uint64_t number)
{
	size_t low = 0, high = q->n_chunks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (q->chunks[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < q->n_chunks && q->chunks[low].first <= number ? &q->chunks[low] : NULL;
}

static int chunk_new(struct queue *q, uint64_t first)
{
	if (q->n_chunks == q->chunks_cap) {
		size_t cap = q->chunks_cap ? q->chunks_cap * 2 : 8;
		struct chunk *more = realloc(q->chunks, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		q->chunks = more;
		q->chunks_cap = cap;
	}
	q->chunks[q->n_chunks++] = (struct chunk){ .first = first, .last = first };
	return 0;
}

static void chunk_remove(struct queue *q, struct chunk *chunk)
{
	size_t i = (size_t)(chunk - q->chunks);

	memmove(chunk, chunk + 1, (q->n_chunks - i - 1) * sizeof(*chunk));
	q->n_chunks--;
}

/* An empty chunk goes. In front of it something is still owed, so the rows are deleted by themselves. */
static void chunk_settle(struct outlet *outlet, enum event_class c, struct chunk *chunk)
{
	struct queue *q = &outlet->queues[c];

	if (chunk->n)
		return;
	if (chunk != q->chunks)
		spool_delete_range(outlet->spool, outlet->number, c, chunk->first, chunk->last);
	chunk_remove(q, chunk);
}

int queue_count_in(struct outlet *outlet, enum event_class c, uint64_t number, size_t len)
{
	struct queue *q = &outlet->queues[c];
	struct chunk *chunk = q->n_chunks ? &q->chunks[q->n_chunks - 1] : NULL;
	size_t bytes = len + SPOOL_ENTRY_BYTES;

	if (!chunk || chunk->n >= SPOOL_CHUNK_MAX || chunk->waiting_bytes + bytes > outlet->spool->chunk_bytes_max) {
		if (chunk_new(q, number))
			return -ENOMEM;
		chunk = &q->chunks[q->n_chunks - 1];
	}
	chunk->last = number;
	chunk->n++;
	chunk->waiting++;
	chunk->waiting_bytes += bytes;
	q->n++;
	q->waiting_bytes += bytes;
	outlet->bytes += bytes;
	outlet->spool->bytes += bytes;
	return 0;
}

/* waiting: it had not been taken. */
void queue_count_out(struct outlet *outlet, enum event_class c, uint64_t number, size_t len, bool waiting)
{
	struct queue *q = &outlet->queues[c];
	struct chunk *chunk = chunk_find(q, number);
	size_t bytes = len + SPOOL_ENTRY_BYTES;

	assert(chunk && chunk->n && q->n && outlet->bytes >= bytes && outlet->spool->bytes >= bytes);
	if (waiting) {
		assert(chunk->waiting && chunk->waiting_bytes >= bytes);
		chunk->waiting--;
		chunk->waiting_bytes -= bytes;
		q->waiting_bytes -= bytes;
	}
	chunk->n--;
	q->n--;
	outlet->bytes -= bytes;
	outlet->spool->bytes -= bytes;
	chunk_settle(outlet, c, chunk);
}

static void count_waiting(struct queue *q, const struct entry *entry, bool waiting)
{
	struct chunk *chunk = chunk_find(q, entry->number);
	size_t bytes = entry->parcel->len + SPOOL_ENTRY_BYTES;

	assert(chunk && chunk->n);
	if (waiting) {
		chunk->waiting++;
		chunk->waiting_bytes += bytes;
		q->waiting_bytes += bytes;
	} else {
		assert(chunk->waiting && chunk->waiting_bytes >= bytes);
		chunk->waiting--;
		chunk->waiting_bytes -= bytes;
		q->waiting_bytes -= bytes;
	}
}

/* --- the window ------------------------------------------------------------------------------------------------------ */

int queue_push(struct outlet *outlet, enum event_class c, uint64_t number, struct parcel *parcel, bool duplicate)
{
	struct queue *q = &outlet->queues[c];
	struct entry *entry = malloc(sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	*entry = (struct entry){ .number = number, .duplicate = duplicate, .parcel = parcel };
	parcel->refs++;
	list_append(&q->window, &entry->link);
	q->n_window++;
	return 0;
}

struct entry *queue_take(struct outlet *outlet, enum event_class c)
{
	struct queue *q = &outlet->queues[c];
	struct entry *entry, *tmp;

	list_each(entry, tmp, &q->window, link) {
		if (entry->purged)
			continue;
		list_remove(&entry->link);
		list_append(&q->taken, &entry->link);
		q->n_window--;
		q->n_taken++;
		count_waiting(q, entry, false);
		return entry;
	}
	return NULL;
}

struct entry *queue_find_taken(struct queue *q, uint64_t number)
{
	struct entry *entry, *tmp;

	list_each(entry, tmp, &q->taken, link) {
		if (entry->number == number)
			return entry;
	}
	return NULL;
}

void queue_free_taken(struct queue *q, struct entry *entry)
{
	assert(q->n_taken);
	q->n_taken--;
	entry_free(entry);
}

static void window_remove(struct outlet *outlet, enum event_class c, struct entry *entry)
{
	struct queue *q = &outlet->queues[c];

	assert(q->n_window);
	q->n_window--;
	queue_count_out(outlet, c, entry->number, entry->parcel->len, true);
	entry_free(entry);
}

/* All of taken goes in front of the window again. */
void queue_untake(struct outlet *outlet, enum event_class c)
{
	struct queue *q = &outlet->queues[c];

	while (!list_is_empty(&q->taken)) {
		struct entry *last = CONTAINER_OF(q->taken.prev, struct entry, link);

		list_remove(&last->link);
		list_append(q->window.next, &last->link); /* before the first */
		last->duplicate = true;
		q->n_taken--;
		q->n_window++;
		count_waiting(q, last, true);
		if (last->purged)
			window_remove(outlet, c, last);
	}
}

/* --- erasing and dropping -------------------------------------------------------------------------------------------- */

void queue_mark_purged(struct queue *q, struct device_id device, bool purged)
{
	struct entry *entry, *tmp;

	list_each(entry, tmp, &q->window, link) {
		if (device_id_equal(entry->parcel->device, device))
			entry->purged = purged;
	}
	list_each(entry, tmp, &q->taken, link) { /* on their way: but they do not come again */
		if (device_id_equal(entry->parcel->device, device))
			entry->purged = purged;
	}
}

void queue_drop_purged(struct outlet *outlet, enum event_class c)
{
	struct entry *entry, *tmp;

	list_each(entry, tmp, &outlet->queues[c].window, link) {
		if (entry->purged)
			window_remove(outlet, c, entry);
	}
}

void queue_forget(struct outlet *outlet, enum event_class c, uint64_t number, size_t len)
{
	struct queue *q = &outlet->queues[c];
	struct entry *entry, *tmp;

	list_each(entry, tmp, &q->window, link) {
		if (entry->number != number)
			continue;
		window_remove(outlet, c, entry);
		return;
	}
	/* Given out meanwhile: it counts until it is acknowledged. Dropped meanwhile: nothing is left of it. */
	if (q->disk_from && number >= q->disk_from && number <= q->disk_last)
		queue_count_out(outlet, c, number, len, true);
}

static void chunk_drop(struct outlet *outlet, enum event_class c, struct chunk *chunk)
{
	struct queue *q = &outlet->queues[c];
	struct entry *entry, *tmp;
	uint64_t first = chunk->first, last = chunk->last;

	list_each(entry, tmp, &q->window, link) {
		if (entry->number > last)
			break;
		q->n_window--;
		entry_free(entry);
	}
	if (q->n_taken) {
		const struct entry *taken = CONTAINER_OF(q->taken.prev, struct entry, link);

		if (taken->number >= first)
			first = taken->number + 1;
	}
	if (q->disk_from && q->disk_from <= last)
		q->disk_from = last < q->disk_last ? last + 1 : 0;
	q->floor = last + 1;
	q->n -= chunk->waiting;
	q->dropped += chunk->waiting;
	q->waiting_bytes -= chunk->waiting_bytes;
	outlet->bytes -= chunk->waiting_bytes;
	outlet->spool->bytes -= chunk->waiting_bytes;
	outlet->spool->counters_changed = true;
	chunk->n -= chunk->waiting;
	chunk->waiting = 0;
	chunk->waiting_bytes = 0;
	spool_delete_range(outlet->spool, outlet->number, c, first, last);
	if (!chunk->n)
		chunk_remove(q, chunk);
}

/* Who has most of the least class gives it: a link that is away for long does not cost the others their entries. */
static struct outlet *victim_find(struct spool *spool, enum event_class c)
{
	struct outlet *victim = NULL;
	uint64_t most = 0;

	for (unsigned i = 0; i < SPOOL_LINKS_MAX; i++) {
		struct outlet *outlet = &spool->outlets[i];

		if (!outlet->name || outlet->queues[c].waiting_bytes <= most)
			continue;
		most = outlet->queues[c].waiting_bytes;
		victim = outlet;
	}
	return victim;
}

bool spool_make_room(struct spool *spool, enum event_class c, size_t bytes)
{
	enum event_class least = EVENT_CLASS_TELEMETRY;

	while (spool->bytes + bytes > spool->bytes_max) {
		struct outlet *victim = victim_find(spool, least);

		if (!victim && least == c)
			return false;
		if (!victim) {
			least--;
			continue;
		}
		struct chunk *chunk = victim->queues[least].chunks;

		while (!chunk->waiting)
			chunk++;
		chunk_drop(victim, least, chunk);
	}
	return true;
}
