/* One hash from a whole topic to what it means, so that a message costs one look-up however many devices there are. */
#include "wifi/house.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"

enum { TOPIC_MAX = LAN_TOPIC_MAX + 32 };

/* The first on its topic is in the hash; those that share it hang on it. */
static void free_route(struct house *house, struct house_route *route)
{
	struct house_route *first, **at;
	unsigned len = (unsigned)strlen(route->topic);

	HASH_FIND(hh, house->routes, route->topic, len, first);
	if (first == route) {
		HASH_DEL(house->routes, route);
		if (route->also)
			HASH_ADD_KEYPTR(hh, house->routes, route->also->topic, len, route->also);
	} else {
		for (at = &first->also; *at != route;)
			at = &(*at)->also;
		*at = route->also;
	}
	free(route);
}

static void drop_routes(struct house *house, struct house_entry *entry)
{
	while (entry->routes) {
		struct house_route *route = entry->routes;

		entry->routes = route->next;
		free_route(house, route);
	}
}

void house_remove(struct house *house, struct house_entry *entry)
{
	drop_routes(house, entry);
	HASH_DEL(house->entries, entry);
	house->n_entries--;
	lan_device_free(entry->device);
	free(entry);
}

void house_deinit(struct house *house)
{
	struct house_route *route, *next_route;

	while (house->entries)
		house_remove(house, house->entries);
	HASH_ITER(hh, house->routes, route, next_route)
		free_route(house, route);
	house->n_quiet = 0;
}

const struct house_route *house_find(const struct house *house, const char *topic, size_t len)
{
	struct house_route *route;

	HASH_FIND(hh, house->routes, topic, (unsigned)len, route);
	return route;
}

struct house_entry *house_find_addr(const struct house *house, const struct gwa_addr *addr)
{
	struct house_entry *entry = NULL;

	if (addr->len <= GWA_ADDR_MAX)
		HASH_FIND(hh, house->entries, addr->bytes, addr->len, entry);
	return entry;
}

struct house_entry *house_rival(const struct house *house, const struct lan_device *device)
{
	struct house_entry *entry, *next;

	HASH_ITER(hh, house->entries, entry, next) {
		const struct gwa_addr *hw = &entry->device->hw, *addr = &entry->device->addr;

		if (!hw->len || hw->len != device->hw.len || memcmp(hw->bytes, device->hw.bytes, hw->len) != 0)
			continue;
		if (addr->len != device->addr.len || memcmp(addr->bytes, device->addr.bytes, addr->len) != 0)
			return entry;
	}
	return NULL;
}

void house_begin(struct house *house, int source)
{
	struct house_entry *entry, *next;

	HASH_ITER(hh, house->entries, entry, next) {
		if (entry->source != source)
			continue;
		entry->seen = false;
		drop_routes(house, entry);
	}
}

struct house_entry *house_unseen(struct house *house, int source)
{
	struct house_entry *entry, *next;

	HASH_ITER(hh, house->entries, entry, next) {
		if (entry->source == source && !entry->seen)
			return entry;
	}
	return NULL;
}

/* The topic is free, or shared by presences. */
static void add_route(struct house *house, int source, struct house_entry *entry, enum house_place place,
		      const char *topic)
{
	size_t len = strlen(topic);
	struct house_route *route = calloc(1, sizeof(*route) + len + 1), *first;

	if (!route)
		abort();
	memcpy(route->topic, topic, len + 1);
	route->source = source;
	route->place = place;
	route->entry = entry;
	if (entry) {
		route->next = entry->routes;
		entry->routes = route;
	}
	HASH_FIND(hh, house->routes, topic, (unsigned)len, first);
	if (first) {
		route->also = first->also;
		first->also = route;
	} else {
		HASH_ADD_KEYPTR(hh, house->routes, route->topic, (unsigned)len, route);
	}
}

struct pattern {
	const char *before, *after;
	enum house_place place;
};
static const struct pattern z2m_patterns[] = {
	{ "", "", PLACE_STATE },
	{ "", "/availability", PLACE_AVAILABILITY },
};
static const struct pattern tasmota_patterns[] = {
	{ "tele/", "/STATE", PLACE_TELEMETRY }, { "tele/", "/SENSOR", PLACE_TELEMETRY },
	{ "stat/", "/RESULT", PLACE_TELEMETRY }, { "tele/", "/LWT", PLACE_WILL },
	{ "stat/", "/POWER", PLACE_POWER },	{ "stat/", "/POWER1", PLACE_POWER },
	{ "stat/", "/POWER2", PLACE_POWER },	{ "stat/", "/POWER3", PLACE_POWER },
	{ "stat/", "/POWER4", PLACE_POWER },	{ "stat/", "/POWER5", PLACE_POWER },
	{ "stat/", "/POWER6", PLACE_POWER },	{ "stat/", "/POWER7", PLACE_POWER },
	{ "stat/", "/POWER8", PLACE_POWER },
};

/* Each topic of its ways once, then those of its presence that are none of these. */
static bool way_topic_at(const struct ways *ways, size_t i, char ret[TOPIC_MAX], enum house_place *ret_place)
{
	for (size_t k = 0; k < ways->n + ways->n_presences; k++) {
		const char *topic = ways_topic(ways, k);

		if (!topic || i-- != 0)
			continue;
		text_copy(ret, TOPIC_MAX, topic);
		if (ret_place)
			*ret_place = k < ways->n ? PLACE_WAYS : PLACE_PRESENCE;
		return true;
	}
	return false;
}

/* The i-th topic that a device speaks on; false past the last. ret_place may be NULL. */
static bool topic_at(const struct lan_device *device, size_t i, char ret[TOPIC_MAX], enum house_place *ret_place)
{
	bool tasmota = device->grammar == LAN_TASMOTA;
	const struct pattern *patterns = tasmota ? tasmota_patterns : z2m_patterns;

	if (device->grammar == LAN_HASS)
		return way_topic_at(device->ways, i, ret, ret_place);
	if (i >= (tasmota ? N_ELEMENTS(tasmota_patterns) : N_ELEMENTS(z2m_patterns)))
		return false;
	text_print(ret, TOPIC_MAX, "%s%s%s", patterns[i].before, device->topic, patterns[i].after);
	if (ret_place)
		*ret_place = patterns[i].place;
	return true;
}

static void add_routes(struct house *house, struct house_entry *entry)
{
	enum house_place place;
	char topic[TOPIC_MAX];

	for (size_t i = 0; topic_at(entry->device, i, topic, &place); i++)
		add_route(house, entry->source, entry, place, topic);
}

static struct house_entry *new_entry(struct house *house, int source, struct lan_device *device)
{
	struct house_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		abort();
	entry->source = source;
	entry->device = device;
	HASH_ADD_KEYPTR(hh, house->entries, device->addr.bytes, device->addr.len, entry);
	house->n_entries++;
	return entry;
}

/* The hash keeps a pointer to the address inside the device, so the two change together. */
static void replace_device(struct house *house, struct house_entry *entry, struct lan_device *device)
{
	HASH_DEL(house->entries, entry);
	lan_device_free(entry->device);
	entry->device = device;
	HASH_ADD_KEYPTR(hh, house->entries, device->addr.bytes, device->addr.len, entry);
}

/* Topics that another one has: it keeps them, and this device stays as it was. */
static bool are_topics_free(const struct house *house, const struct lan_device *device)
{
	enum house_place place;
	char topic[TOPIC_MAX];

	for (size_t i = 0; topic_at(device, i, topic, &place); i++) {
		const struct house_route *route = house_find(house, topic, strlen(topic));

		if (route && (place != PLACE_PRESENCE || route->place != PLACE_PRESENCE))
			return false;
	}
	return true;
}

int house_put(struct house *house, int source, struct lan_device *device, struct house_entry **ret, bool *ret_changed)
{
	struct house_entry *entry = house_find_addr(house, &device->addr);
	bool changed = !entry || !lan_device_equal(entry->device, device);

	if (!entry && house->n_entries == HOUSE_DEVICES_MAX)
		return HOUSE_E_FULL;
	if (entry && (entry->source != source || entry->seen))
		return HOUSE_E_TAKEN;
	if (entry)
		drop_routes(house, entry);
	if (!are_topics_free(house, device)) {
		if (entry && are_topics_free(house, entry->device))
			add_routes(house, entry);
		return HOUSE_E_TAKEN;
	}
	if (!entry)
		entry = new_entry(house, source, device);
	else
		replace_device(house, entry, device);
	add_routes(house, entry);
	entry->seen = true;
	*ret = entry;
	*ret_changed = changed;
	return 0;
}

void house_begin_quiet(struct house *house, int source)
{
	struct house_route *route, *next;

	HASH_ITER(hh, house->routes, route, next) {
		if (route->entry || route->source != source)
			continue;
		free_route(house, route);
		house->n_quiet--;
	}
}

int house_put_quiet(struct house *house, int source, const char *topic)
{
	if (house->n_quiet == HOUSE_QUIET_MAX)
		return HOUSE_E_FULL;
	if (house_find(house, topic, strlen(topic)))
		return HOUSE_E_TAKEN;
	add_route(house, source, NULL, PLACE_QUIET, topic);
	house->n_quiet++;
	return 0;
}
