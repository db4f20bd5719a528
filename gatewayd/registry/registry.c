/* The registry is a table of devices in memory with two ways in: by identity, which never changes, and by (adapter, address),
 * which may. Everything above asks it by identity; only the adapters' reports come by address. This file is the
 * table itself; how devices are described, report, are changed by people and are kept on disk is in the files beside it. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "registry/internal.h"

static void registry_on_flush(void *ctx)
{
	struct registry *registry = ctx;
	registry_flush(registry, NULL, NULL);
	timer_start(registry->flush, REGISTRY_FLUSH_MS);
}

int registry_new(struct loop *loop, struct store *store, unsigned db, const struct registry_options *options, struct registry **ret)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	if (!registry)
		return -ENOMEM;
	registry->loop = loop;
	registry->store = store;
	registry->db = db;
	registry->options = *options;
	registry->order = calloc(REGISTRY_DEVICES_MAX, sizeof(struct entry *));
	int r = registry->order ? timer_new(loop, registry_on_flush, registry, &registry->flush) : -ENOMEM;
	if (r != 0) {
		registry_close(registry);
		return r;
	}
	timer_start(registry->flush, REGISTRY_FLUSH_MS);
	*ret = registry;
	return 0;
}

static void shadow_free(struct shadow_value *shadow, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		value_box_deinit(&shadow[i].reported);
		value_box_deinit(&shadow[i].desired);
	}
	free(shadow);
}

struct registry *registry_close(struct registry *registry)
{
	if (!registry)
		return NULL;
	timer_close(registry->flush);
	struct way_entry *way, *next_way;
	HASH_ITER(hh, registry->by_way, way, next_way) {
		HASH_DEL(registry->by_way, way);
		free(way);
	}
	HASH_CLEAR(hh, registry->by_id);
	for (size_t i = 0; i < registry->n; i++) {
		struct device *device = &registry->order[i]->device;
		for (uint8_t w = 0; w < device->n_ways; w++)
			device_desc_free(device->ways[w].desc);
		shadow_free(device->shadow, device->n_shadow);
		device_desc_free(device->desc);
		free(registry->order[i]);
	}
	free(registry->order);
	free(registry);
	return NULL;
}

void registry_listen(struct registry *registry, const struct registry_ops *ops, void *ctx)
{
	registry->ops = ops;
	registry->ctx = ctx;
}

struct entry *registry_entry(const struct registry *registry, struct device_id id)
{
	struct entry *entry;
	HASH_FIND(hh, registry->by_id, &id, sizeof(id), entry);
	return entry;
}

struct entry *registry_entry_new(struct registry *registry, struct device_id id)
{
	if (registry->n == REGISTRY_DEVICES_MAX)
		return NULL;
	struct entry *entry = calloc(1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->device.id = id;
	entry->device.event_number = (uint64_t)registry->options.epoch << 32;
	HASH_ADD(hh, registry->by_id, device.id, sizeof(id), entry);
	registry->order[registry->n++] = entry;
	return entry;
}

/* Index of an adapter's name, made when it is new; -1 when there are too many. */
static int adapter_index(const struct registry *registry, const char *adapter)
{
	for (size_t i = 0; i < registry->n_adapters; i++)
		if (strcmp(registry->adapters[i], adapter) == 0)
			return (int)i;
	return -1;
}

static struct way_key way_key(int adapter, const struct address *addr)
{
	struct way_key key;
	memset(&key, 0, sizeof(key));
	key.adapter = (uint8_t)adapter;
	key.len = addr->len;
	memcpy(key.bytes, addr->bytes, addr->len);
	return key;
}

struct entry *registry_entry_way(const struct registry *registry, const char *adapter, const struct address *addr, uint8_t *ret_way)
{
	int index = adapter_index(registry, adapter);
	if (index < 0)
		return NULL;
	struct way_key key = way_key(index, addr);
	struct way_entry *way;
	HASH_FIND(hh, registry->by_way, &key, sizeof(key), way);
	if (!way)
		return NULL;
	for (uint8_t i = 0; ret_way && i < way->entry->device.n_ways; i++) {
		const struct way *w = &way->entry->device.ways[i];
		if (strcmp(w->adapter, adapter) == 0 && address_equal(&w->addr, addr))
			*ret_way = i;
	}
	return way->entry;
}

int registry_add_way(struct registry *registry, struct entry *entry, const char *adapter, const struct address *addr)
{
	struct device *device = &entry->device;
	int index = adapter_index(registry, adapter);
	if (index < 0) {
		if (registry->n_adapters == REGISTRY_ADAPTERS_MAX)
			return REGISTRY_E_FULL;
		index = (int)registry->n_adapters++;
		text_copy(registry->adapters[index], sizeof(registry->adapters[index]), adapter);
	}
	if (device->n_ways == REGISTRY_ADDRESSES_MAX)
		return REGISTRY_E_FULL;
	struct way_entry *way = calloc(1, sizeof(*way));
	if (!way)
		return -ENOMEM;
	way->key = way_key(index, addr);
	way->entry = entry;
	HASH_ADD(hh, registry->by_way, key, sizeof(way->key), way);
	struct way *w = &device->ways[device->n_ways++];
	text_copy(w->adapter, sizeof(w->adapter), adapter);
	w->addr = *addr;
	w->up = w->left = w->welcome = false;
	w->desc = NULL;
	return 0;
}

void registry_remove_ways(struct registry *registry, struct entry *entry)
{
	for (uint8_t i = 0; i < entry->device.n_ways; i++) {
		struct way *w = &entry->device.ways[i];
		struct way_key key = way_key(adapter_index(registry, w->adapter), &w->addr);
		struct way_entry *way;
		HASH_FIND(hh, registry->by_way, &key, sizeof(key), way);
		if (way) {
			HASH_DEL(registry->by_way, way);
			free(way);
		}
		w->desc = device_desc_free(w->desc);
	}
	entry->device.n_ways = entry->device.active = 0;
}

void registry_tell(struct registry *registry, const struct entry *entry, enum registry_change change)
{
	if (registry->ops && registry->ops->on_change)
		registry->ops->on_change(registry->ctx, &entry->device, change, entry->device.state);
}

void registry_alarm(struct registry *registry, enum alarm_kind kind, const struct entry *entry, const char *object, bool raised, const char *detail)
{
	struct device_id none = { { 0 } };
	if (registry->ops && registry->ops->on_alarm)
		registry->ops->on_alarm(registry->ctx, kind, entry ? entry->device.id : none, object, raised, detail);
}

void registry_enter(struct registry *registry, struct entry *entry, enum device_state next)
{
	enum device_state before = entry->device.state;
	if (before == next || !device_state_may(before, next))
		return;
	if (next == DEVICE_UNREACHABLE || next == DEVICE_QUARANTINED)
		entry->device.state_before = before == DEVICE_UNREACHABLE ? entry->device.state_before : before;
	entry->device.state = next;
	if (registry->ops && registry->ops->on_change)
		registry->ops->on_change(registry->ctx, &entry->device, REGISTRY_STATE, before);
}

bool registry_name_is_free(const struct registry *registry, const char *name, struct device_id except)
{
	struct device_id id;
	if (device_id_parse(name, strlen(name), &id) == 0)
		return false; /* would read as an identity */
	for (size_t i = 0; i < registry->n; i++) {
		const struct device *device = &registry->order[i]->device;
		if (device->state != DEVICE_RETIRED && !device_id_equal(device->id, except) && strcmp(device->name, name) == 0)
			return false;
	}
	return true;
}

/* The name its adapter offers, made safe for topics; with a number behind it when it is taken. */
void registry_pick_name(struct registry *registry, struct entry *entry)
{
	struct device *device = &entry->device;
	const char *wish = device->desc->name[0] ? device->desc->name : device->desc->model[0] ? device->desc->model : "device";
	char safe[DEVICE_TEXT_MAX + 1];

	text_copy(safe, sizeof(safe) - 8, wish);
	for (char *c = safe; *c; c++)
		if (strchr("+#/$\"\\", *c) || (unsigned char)*c < ' ' || *c == 0x7f)
			*c = '-';
	if (!text_is_name(safe, DEVICE_TEXT_MAX))
		text_copy(safe, sizeof(safe), "device");
	text_copy(device->name, sizeof(device->name), safe);
	/* Small numbers first; where many have one name, a number that few can have: it must not cost a search of each. */
	for (size_t i = 2; !registry_name_is_free(registry, device->name, device->id); i = i < 9 ? i + 1 : registry->n + i)
		text_print(device->name, sizeof(device->name), "%s-%zu", safe, i);
}

const struct device *registry_find(const struct registry *registry, struct device_id id)
{
	struct entry *entry = registry_entry(registry, id);
	return entry ? &entry->device : NULL;
}

const struct device *registry_find_name(const struct registry *registry, const char *name)
{
	struct device_id id;
	if (device_id_parse(name, strlen(name), &id) == 0)
		return registry_find(registry, id);
	for (size_t i = 0; i < registry->n; i++) {
		const struct device *device = &registry->order[i]->device;
		if (device->state != DEVICE_RETIRED && strcmp(device->name, name) == 0)
			return device;
	}
	return NULL;
}

const struct device *registry_find_way(const struct registry *registry, const char *adapter, const struct address *addr)
{
	struct entry *entry = registry_entry_way(registry, adapter, addr, NULL);
	return entry ? &entry->device : NULL;
}

const struct device *registry_at(const struct registry *registry, size_t i)
{
	return i < registry->n ? &registry->order[i]->device : NULL;
}

size_t registry_count(const struct registry *registry)
{
	return registry->n;
}

const struct capability_desc *device_capability(const struct device *device, uint8_t endpoint, uint16_t cap, uint8_t *ret_endpoint)
{
	for (uint8_t e = 0; device->desc && e < device->desc->n_endpoints; e++) {
		const struct endpoint_desc *ep = &device->desc->endpoints[e];
		if (endpoint && ep->id != endpoint)
			continue;
		for (uint8_t c = 0; c < ep->n_caps; c++) {
			if (ep->caps[c].id != cap)
				continue;
			if (ret_endpoint)
				*ret_endpoint = ep->id;
			return &ep->caps[c];
		}
	}
	return NULL;
}

/* The shadow lies in the order of the description: endpoint by endpoint, capability by capability. */
const struct shadow_value *device_shadow(const struct device *device, uint8_t endpoint, uint16_t cap)
{
	size_t i = 0;
	for (uint8_t e = 0; device->desc && e < device->desc->n_endpoints; e++) {
		const struct endpoint_desc *ep = &device->desc->endpoints[e];
		for (uint8_t c = 0; c < ep->n_caps; c++, i++)
			if ((!endpoint || ep->id == endpoint) && ep->caps[c].id == cap)
				return &device->shadow[i];
	}
	return NULL;
}

int registry_set_desc(struct entry *entry, struct device_desc *desc, struct device_desc **ret_old)
{
	struct device old = entry->device, *device = &entry->device;
	size_t n = 0, i = 0;

	for (uint8_t e = 0; e < desc->n_endpoints; e++)
		n += desc->endpoints[e].n_caps;
	struct shadow_value *shadow = calloc(n + 1, sizeof(*shadow));
	if (!shadow)
		return -ENOMEM;
	device->desc = desc;
	device->shadow = shadow;
	device->n_shadow = n;
	for (uint8_t e = 0; e < desc->n_endpoints; e++)
		for (uint8_t c = 0; c < desc->endpoints[e].n_caps; c++, i++) {
			const struct shadow_value *kept = device_shadow(&old, desc->endpoints[e].id, desc->endpoints[e].caps[c].id);
			if (!kept)
				continue;
			struct value v = value_box_get(&kept->reported);
			shadow[i].reported_wall_us = kept->reported_wall_us;
			shadow[i].reported_ms = kept->reported_ms;
			if (value_box_set(&shadow[i].reported, &v) != 0)
				shadow[i].reported_ms = 0;
			v = value_box_get(&kept->desired);
			shadow[i].desired_wall_us = kept->desired_wall_us;
			if (value_box_set(&shadow[i].desired, &v) != 0)
				shadow[i].desired_wall_us = 0;
		}
	shadow_free(old.shadow, old.n_shadow);
	if (ret_old)
		*ret_old = old.desc;
	else
		device_desc_free(old.desc);
	return 0;
}

bool device_is_reachable(const struct device *device)
{
	return device->n_ways > 0 && device->ways[device->active].up;
}

const struct way *device_way(const struct device *device)
{
	return device->n_ways ? &device->ways[device->active] : NULL;
}

const struct room *registry_room(const struct registry *registry, uint32_t id)
{
	for (size_t i = 0; i < registry->n_rooms; i++)
		if (registry->rooms[i].id == id)
			return &registry->rooms[i];
	return NULL;
}

const struct room *registry_room_named(const struct registry *registry, const char *name)
{
	for (size_t i = 0; i < registry->n_rooms; i++)
		if (strcmp(registry->rooms[i].name, name) == 0)
			return &registry->rooms[i];
	return NULL;
}

const struct room *registry_room_at(const struct registry *registry, size_t i)
{
	return i < registry->n_rooms ? &registry->rooms[i] : NULL;
}
