/* What the broker has not acknowledged is neither delivered nor lost: the spool has it too, but asking for all of it again
 * because of one refusal would say everything else twice. So a refused message is kept here, and goes again after a while.
 */
#include "linkd/flight.h"

#include <stdlib.h>
#include <string.h>

void flight_init(struct flight *flight)
{
	*flight = (struct flight){ 0 };
	list_init(&flight->under_way);
	list_init(&flight->held);
}

void flight_deinit(struct flight *flight)
{
	struct flight_entry *entry;

	while ((entry = list_first(&flight->under_way, struct flight_entry, node)))
		flight_drop(flight, entry);
	while ((entry = list_first(&flight->held, struct flight_entry, node)))
		flight_drop(flight, entry);
}

bool flight_has_room(const struct flight *flight, enum lane lane)
{
	return flight->n[lane] < FLIGHT_MAX && flight->n_held[lane] == 0;
}

static void entry_free(struct flight_entry *entry)
{
	free(entry->topic);
	free(entry->payload);
	free(entry->numbers);
	free(entry);
}

int flight_add(struct flight *flight, const struct parcel *parcel, struct flight_entry **ret)
{
	struct flight_entry *entry;

	if (flight->n[parcel->lane] >= FLIGHT_MAX)
		return FLIGHT_E_FULL;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->lane = parcel->lane;
	entry->retain = parcel->retain;
	entry->len = parcel->len;
	entry->n_numbers = parcel->n_numbers;
	entry->topic = strdup(parcel->topic);
	entry->payload = malloc(parcel->len + 1);
	entry->numbers = malloc((parcel->n_numbers + 1) * sizeof(*entry->numbers));
	if (!entry->topic || !entry->payload || !entry->numbers) {
		entry_free(entry);
		return -ENOMEM;
	}
	if (parcel->len)
		memcpy(entry->payload, parcel->payload, parcel->len);
	if (parcel->n_numbers)
		memcpy(entry->numbers, parcel->numbers, parcel->n_numbers * sizeof(*entry->numbers));
	list_append(&flight->under_way, &entry->node);
	flight->n[entry->lane]++;
	*ret = entry;
	return 0;
}

struct flight_entry *flight_find(struct flight *flight, int mid)
{
	struct flight_entry *entry, *tmp;

	list_each(entry, tmp, &flight->under_way, node)
		if (entry->mid == mid)
			return entry;
	return NULL;
}

/* Held entries stay in the order in which they were first sent. */
void flight_hold(struct flight *flight, struct flight_entry *entry, int64_t due_ms)
{
	list_remove(&entry->node);
	if (entry->due_ms == 0)
		flight->n_held[entry->lane]++;
	entry->due_ms = due_ms > 0 ? due_ms : 1;
	list_append(&flight->held, &entry->node);
}

struct flight_entry *flight_due(struct flight *flight, int64_t now_ms)
{
	struct flight_entry *entry, *tmp;

	list_each(entry, tmp, &flight->held, node) {
		if (entry->due_ms > now_ms)
			continue;
		list_remove(&entry->node);
		list_append(&flight->under_way, &entry->node);
		return entry;
	}
	return NULL;
}

int64_t flight_next_due_ms(const struct flight *flight)
{
	int64_t next = -1;

	for (const struct list *at = flight->held.next; at != &flight->held; at = at->next) {
		const struct flight_entry *entry = CONTAINER_OF((struct list *)(uintptr_t)at, struct flight_entry, node);

		if (next < 0 || entry->due_ms < next)
			next = entry->due_ms;
	}
	return next;
}

void flight_drop(struct flight *flight, struct flight_entry *entry)
{
	list_remove(&entry->node);
	flight->n[entry->lane]--;
	if (entry->due_ms)
		flight->n_held[entry->lane]--;
	entry_free(entry);
}
