/* A table by identity, in the order in which devices were told, with a line of those that are due.
 */
#include "linkd/devices.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { BUCKETS = 1024 };

struct devices {
	struct known *buckets[BUCKETS];
	struct list all, due;
	size_t n;
};

static struct known **bucket(const struct devices *devices, struct device_id id)
{
	return (struct known **)(uintptr_t)&devices->buckets[device_id_hash(id, 0) % BUCKETS];
}

int devices_new(struct devices **ret)
{
	struct devices *devices = calloc(1, sizeof(*devices));

	if (!devices)
		return -ENOMEM;
	list_init(&devices->all);
	list_init(&devices->due);
	*ret = devices;
	return 0;
}

struct devices *devices_free(struct devices *devices)
{
	if (!devices)
		return NULL;
	devices_clear(devices);
	free(devices);
	return NULL;
}

void devices_clear(struct devices *devices)
{
	struct known *known;

	while ((known = list_first(&devices->all, struct known, all_node)))
		devices_remove(devices, known);
}

struct known *devices_find(const struct devices *devices, struct device_id id)
{
	struct known *known = *bucket(devices, id);

	while (known && !device_id_equal(known->id, id))
		known = known->next;
	return known;
}

size_t devices_count(const struct devices *devices)
{
	return devices->n;
}

struct known *devices_next(const struct devices *devices, const struct known *after)
{
	struct list *next = after ? after->all_node.next : devices->all.next;

	return next == &devices->all ? NULL : CONTAINER_OF(next, struct known, all_node);
}

static void free_values(struct value_box *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		value_box_deinit(&values[i]);
	free(values);
}

void devices_remove(struct devices *devices, struct known *known)
{
	struct known **at = bucket(devices, known->id);

	while (*at != known)
		at = &(*at)->next;
	*at = known->next;
	list_remove(&known->all_node);
	list_remove(&known->due_node);
	devices->n--;
	free_values(known->values, known->n_values);
	free(known->numbers);
	device_desc_free(known->desc);
	free(known);
}

must_check static int find_or_add(struct devices *devices, struct device_id id, struct known **ret)
{
	struct known *known = devices_find(devices, id), **at;

	if (known) {
		*ret = known;
		return 0;
	}
	if (devices->n == DEVICES_MAX)
		return DEVICES_E_FULL;
	known = calloc(1, sizeof(*known));
	if (!known)
		return -ENOMEM;
	known->id = id;
	list_init(&known->due_node);
	list_append(&devices->all, &known->all_node);
	at = bucket(devices, id);
	known->next = *at;
	*at = known;
	devices->n++;
	*ret = known;
	return 0;
}

static size_t count_caps(const struct device_desc *desc)
{
	size_t n = 0;

	for (uint8_t e = 0; e < desc->n_endpoints; e++)
		n += desc->endpoints[e].n_caps;
	return n;
}

static size_t index_of(const struct device_desc *desc, uint8_t endpoint, uint16_t cap)
{
	size_t at = 0;

	for (uint8_t e = 0; e < desc->n_endpoints; e++)
		for (uint8_t c = 0; c < desc->endpoints[e].n_caps; c++, at++)
			if (desc->endpoints[e].id == endpoint && desc->endpoints[e].caps[c].id == cap)
				return at;
	return SIZE_MAX;
}

/* Values move from where the old description had them to where the new one has them. */
must_check static int move_values(struct known *known, const struct device_desc *desc)
{
	size_t n = count_caps(desc), at = 0;
	struct value_box *values = calloc(n + 1, sizeof(*values));

	if (!values)
		return -ENOMEM;
	for (uint8_t e = 0; known->desc && e < known->desc->n_endpoints; e++)
		for (uint8_t c = 0; c < known->desc->endpoints[e].n_caps; c++, at++) {
			size_t to = index_of(desc, known->desc->endpoints[e].id, known->desc->endpoints[e].caps[c].id);
			struct value value = value_box_get(&known->values[at]);

			if (to != SIZE_MAX && value_box_set(&values[to], &value) != 0) {
				free_values(values, n);
				return -ENOMEM;
			}
		}
	free_values(known->values, known->n_values);
	known->values = values;
	known->n_values = n;
	return 0;
}

int devices_put(struct devices *devices, const struct wire_msg *msg, struct known **ret)
{
	struct device_desc *copy = NULL;
	struct known *known;
	int r = find_or_add(devices, msg->link_device.id, &known);

	if (r)
		return r;
	r = device_desc_copy(msg->link_device.desc, &copy);
	if (!r)
		r = move_values(known, copy);
	if (r) {
		device_desc_free(copy);
		if (!known->desc)
			devices_remove(devices, known);
		return r;
	}
	device_desc_free(known->desc);
	known->desc = copy;
	known->state = msg->link_device.state;
	known->reachable = msg->link_device.reachable;
	known->gone = false;
	text_copy_n(known->room, sizeof(known->room), msg->link_device.room.data, msg->link_device.room.len);
	devices_set_due(devices, known, DUE_DESCRIPTION);
	*ret = known;
	return 0;
}

void devices_set_due(struct devices *devices, struct known *known, unsigned flags)
{
	if (!known->due && flags)
		list_append(&devices->due, &known->due_node);
	known->due |= flags;
}

void devices_unset_due(struct known *known, unsigned flags)
{
	known->due &= ~flags;
	if (!known->due)
		list_remove(&known->due_node);
}

struct known *devices_due(const struct devices *devices)
{
	return list_first(&devices->due, struct known, due_node);
}

struct value_box *known_value(const struct known *known, uint8_t endpoint, uint16_t cap)
{
	size_t at = known->desc ? index_of(known->desc, endpoint, cap) : SIZE_MAX;

	return at == SIZE_MAX ? NULL : &known->values[at];
}

int known_add_number(struct known *known, uint64_t number)
{
	if (known->n_numbers == known->cap_numbers) {
		size_t cap = known->cap_numbers ? 2 * known->cap_numbers : 8;
		uint64_t *numbers = realloc(known->numbers, cap * sizeof(*numbers));

		if (!numbers)
			return -ENOMEM;
		known->numbers = numbers;
		known->cap_numbers = cap;
	}
	known->numbers[known->n_numbers++] = number;
	return 0;
}
