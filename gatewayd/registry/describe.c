/* An adapter says "there is a device here, and this is what it can do". Is it one we know by this address, one we know by
 * its hardware address from another adapter, one that claims an identity that is already held, or a new one? That is
 * decided here, once, and it is the only place where a device comes into being. An identity proves nothing
 * (clause 6.2.3-a): a second holder of one is refused, quarantined and raised as an alarm. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "registry/internal.h"
#include "sys/crypto.h"

static struct device_id allocate_id(struct registry *registry)
{
	struct device_id_fields fields = { .version = 1, .maker = registry->options.maker, .product = registry->options.product };
	struct device_id id;
	do {
		crypto_random(&fields.random, sizeof(fields.random));
		id = device_id_join(fields);
	} while (registry_entry(registry, id));
	return id;
}

static struct entry *entry_by_hw(const struct registry *registry, const struct address *hw)
{
	for (size_t i = 0; hw->len && i < registry->n; i++) {
		struct entry *entry = registry->order[i];
		if (entry->device.state != DEVICE_RETIRED && address_equal(&entry->device.hw, hw))
			return entry;
	}
	return NULL;
}

const struct device *registry_find_hw(const struct registry *registry, const struct address *hw)
{
	const struct entry *entry = entry_by_hw(registry, hw);
	return entry ? &entry->device : NULL;
}

/* Two holders of one identity: the known one stays and is quarantined, too, since nobody can tell who is who. */
static int refuse_clone(struct registry *registry, struct entry *holder, const char *adapter, const struct device_desc *desc)
{
	char addr[2 * ADDRESS_MAX + 1], detail[160];
	address_print(&desc->addr, addr);
	text_print(detail, sizeof(detail), "a second device with this identity at %s/%s was refused", adapter, addr);
	registry_enter(registry, holder, DEVICE_QUARANTINED);
	registry_alarm(registry, ALARM_CLONE, holder, holder->device.name, true, detail);
	return REGISTRY_E_CLONE;
}

static bool same_desc(const struct device_desc *a, const struct device_desc *b)
{
	if (!a || a->n_endpoints != b->n_endpoints || a->evidence != b->evidence || a->sleepy != b->sleepy ||
	    strcmp(a->vendor, b->vendor) != 0 || strcmp(a->model, b->model) != 0 || strcmp(a->firmware, b->firmware) != 0)
		return false;
	for (uint8_t e = 0; e < a->n_endpoints; e++) {
		const struct endpoint_desc *x = &a->endpoints[e], *y = &b->endpoints[e];
		if (x->id != y->id || x->n_caps != y->n_caps)
			return false;
		for (uint8_t c = 0; c < x->n_caps; c++)
			if (x->caps[c].id != y->caps[c].id || x->caps[c].type != y->caps[c].type || x->caps[c].access != y->caps[c].access ||
			    x->caps[c].min != y->caps[c].min || x->caps[c].max != y->caps[c].max)
				return false;
	}
	return true;
}

/* The device this description is about; NULL and *ret_r = 0 when it is new. */
static struct entry *find_described(struct registry *registry, const char *adapter, const struct device_desc *desc, int *ret_r)
{
	struct entry *entry = registry_entry_way(registry, adapter, &desc->addr, NULL);
	*ret_r = 0;
	if (!entry)
		entry = entry_by_hw(registry, &desc->hw);
	if (!device_id_is_none(desc->id)) {
		struct entry *holder = registry_entry(registry, desc->id);
		if (holder && holder != entry) {
			*ret_r = refuse_clone(registry, holder, adapter, desc);
			return NULL;
		}
	}
	return entry;
}

static int entry_make(struct registry *registry, const struct device_desc *desc, uint32_t waiting_for, struct entry **ret)
{
	struct device_id id = device_id_is_none(desc->id) ? allocate_id(registry) : desc->id;
	struct entry *entry = registry_entry_new(registry, id);
	if (!entry)
		return REGISTRY_E_FULL;
	entry->device.state = waiting_for ? DEVICE_WAITING : DEVICE_DESCRIBED;
	entry->device.waiting_for = waiting_for;
	entry->device.hw = desc->hw;
	*ret = entry;
	return 0;
}

/* Another adapter says that it has a device which somebody owns, too. In a window that its owner opened that is what he wanted;
 * else it may be a stranger who shows the same address, and he is told. Either way nothing is reached over it yet. */
static void take_second_way(struct registry *registry, struct entry *entry, uint8_t way, uint32_t waiting_for)
{
	struct device *device = &entry->device;
	char detail[160];
	if (!device->owner || device->n_ways < 2)
		return;
	device->ways[way].welcome = waiting_for == device->owner;
	if (device->ways[way].welcome)
		return;
	text_print(detail, sizeof(detail), "%s says that it has this device, too; it is still reached over %s", device->ways[way].adapter,
		   device_way(device)->adapter);
	registry_alarm(registry, ALARM_SECOND_WAY, entry, device->name, true, detail);
}

/* It is there (again): an unreachable one returns to what it was. */
static void entry_is_up(struct registry *registry, struct entry *entry, uint8_t way)
{
	entry->device.ways[way].up = true;
	entry->device.ways[way].left = false;
	entry->device.seen_ms = loop_now_ms(registry->loop);
	if (way == entry->device.active && entry->device.state == DEVICE_UNREACHABLE)
		registry_enter(registry, entry, DEVICE_OURS);
}

/* The device is what the active way's adapter says; what the others say waits for a move. */
static int take_desc(struct entry *entry, uint8_t way, const struct device_desc *desc, bool *changed)
{
	struct device *device = &entry->device;
	struct device_desc *copy;
	if (same_desc(way == device->active ? device->desc : device->ways[way].desc, desc))
		return 0;
	int r = device_desc_copy(desc, &copy);
	if (r != 0)
		return r;
	if (way != device->active) {
		device_desc_free(device->ways[way].desc);
		device->ways[way].desc = copy;
		return 0;
	}
	r = registry_set_desc(entry, copy, NULL);
	if (r != 0)
		device_desc_free(copy);
	else
		*changed = true;
	return r;
}

int registry_describe(struct registry *registry, const char *adapter, const struct device_desc *desc, uint32_t waiting_for,
		      struct device_id *ret)
{
	int r = 0;
	uint8_t way = 0;
	bool is_new = false, changed = false;
	struct entry *entry = find_described(registry, adapter, desc, &r);

	if (r != 0)
		return r;
	if (!entry) {
		r = entry_make(registry, desc, waiting_for, &entry);
		if (r != 0)
			return r;
		is_new = true;
	}
	if (!registry_entry_way(registry, adapter, &desc->addr, &way)) {
		r = registry_add_way(registry, entry, adapter, &desc->addr);
		if (r != 0)
			return r;
		way = (uint8_t)(entry->device.n_ways - 1);
		take_second_way(registry, entry, way, waiting_for);
		changed = true;
	}
	if (entry->device.hw.len == 0 && desc->hw.len) {
		entry->device.hw = desc->hw;
		changed = true;
	}
	r = take_desc(entry, way, desc, &changed);
	if (r != 0)
		return r;
	if (is_new)
		registry_pick_name(registry, entry);
	/* Described earlier by nobody's wish, now within a window: it may be claimed. */
	if (!is_new && waiting_for && entry->device.state == DEVICE_DESCRIBED) {
		entry->device.waiting_for = waiting_for;
		registry_enter(registry, entry, DEVICE_WAITING);
		changed = true;
	}
	entry_is_up(registry, entry, way);
	if (is_new || changed) {
		r = registry_save(registry, entry);
		if (r != 0)
			return r;
		registry_tell(registry, entry, is_new ? REGISTRY_NEW : REGISTRY_DESCRIBED);
	}
	*ret = entry->device.id;
	return 0;
}

void registry_set_waiting(struct registry *registry, struct device_id id, uint32_t user)
{
	struct entry *entry = registry_entry(registry, id);
	if (!entry || entry->device.state != DEVICE_DESCRIBED)
		return;
	entry->device.waiting_for = user;
	registry_enter(registry, entry, DEVICE_WAITING);
	/* Not written means that it must be asked for again after a restart, no more. */
	(void)!registry_save(registry, entry);
}

void registry_welcome(struct registry *registry, const char *adapter, const struct address *addr, uint32_t user)
{
	uint8_t way = 0;
	struct entry *entry = registry_entry_way(registry, adapter, addr, &way);
	if (!entry || !user || entry->device.owner != user || entry->device.ways[way].welcome)
		return;
	entry->device.ways[way].welcome = true;
	registry_alarm(registry, ALARM_SECOND_WAY, entry, entry->device.name, false, NULL);
	/* Not written means that a person moves it by hand after a restart, no more. */
	(void)!registry_save(registry, entry);
}

void registry_adapter_up(struct registry *registry, const char *adapter)
{
	(void)registry;
	(void)adapter; /* a device is up when it has been described again */
}

void registry_adapter_synced(struct registry *registry, const char *adapter)
{
	/* What it did not describe stays unreachable: "unreachable", not "gone". */
	for (size_t i = 0; i < registry->n; i++) {
		struct entry *entry = registry->order[i];
		const struct way *way = device_way(&entry->device);
		if (way && !way->up && strcmp(way->adapter, adapter) == 0 && entry->device.state == DEVICE_OURS)
			registry_enter(registry, entry, DEVICE_UNREACHABLE);
	}
}

static void entry_is_down(struct registry *registry, struct entry *entry, uint8_t way)
{
	entry->device.ways[way].up = false;
	if (way == entry->device.active && entry->device.state == DEVICE_OURS)
		registry_enter(registry, entry, DEVICE_UNREACHABLE);
}

void registry_adapter_down(struct registry *registry, const char *adapter)
{
	for (size_t i = 0; i < registry->n; i++)
		for (uint8_t w = 0; w < registry->order[i]->device.n_ways; w++)
			if (strcmp(registry->order[i]->device.ways[w].adapter, adapter) == 0)
				entry_is_down(registry, registry->order[i], w);
}

void registry_gone(struct registry *registry, const char *adapter, const struct address *addr, bool left)
{
	uint8_t way = 0;
	struct entry *entry = registry_entry_way(registry, adapter, addr, &way);
	if (!entry)
		return;
	/* Who left for good stays ours until a person retires it: it may come back, or have come over another adapter. */
	entry->device.ways[way].left = left;
	entry_is_down(registry, entry, way);
	if (left && way != entry->device.active)
		registry_alarm(registry, ALARM_SECOND_WAY, entry, entry->device.name, false, NULL);
}
