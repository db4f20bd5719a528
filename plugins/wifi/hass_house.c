/* Each configuration is a retained message of its own, in any order, and may be said again or taken back. They are kept by
 * topic; when one changes, its device is marked, and a moment later each marked device is made anew of all that names it.
 *
 * What is ours already is let go without a word: devices that the other grammars know, and what gatewayd's own link says.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/hass_device.h"
#include "wifi/wifi_inside.h"

struct hass_dirty {
	UT_hash_handle hh;
	char device[GWA_TEXT_MAX + 1];
};

static void mark(gwa_self *self, const char *device)
{
	struct hass_dirty *dirty;

	HASH_FIND_STR(self->hass.dirty, device, dirty);
	if (dirty)
		return;
	dirty = calloc(1, sizeof(*dirty));
	if (!dirty)
		abort();
	text_copy(dirty->device, sizeof(dirty->device), device);
	HASH_ADD_STR(self->hass.dirty, device, dirty);
	gwa(self->host)->timer(self->host, TIMER_HASS, HASS_GATHER_MS);
}

static void saying_empty(gwa_self *self, struct hass_saying *saying)
{
	for (size_t i = 0; i < saying->n; i++) {
		if (self)
			mark(self, saying->entities[i]->device);
		hass_entity_free(saying->entities[i]);
	}
	free(saying->entities);
	saying->entities = NULL;
	saying->n = 0;
}

void hass_house_deinit(struct hass_house *house)
{
	struct hass_saying *saying, *next;
	struct hass_dirty *dirty, *after;

	HASH_ITER(hh, house->sayings, saying, next) {
		saying_empty(NULL, saying);
		HASH_DEL(house->sayings, saying);
		free(saying);
	}
	HASH_ITER(hh, house->dirty, dirty, after) {
		HASH_DEL(house->dirty, dirty);
		free(dirty);
	}
}

static struct hass_saying *saying_of(gwa_self *self, const char *topic)
{
	struct hass_saying *saying;
	size_t len = strlen(topic);

	HASH_FIND(hh, self->hass.sayings, topic, (unsigned)len, saying);
	if (saying || HASH_COUNT(self->hass.sayings) >= HASS_SAYINGS_MAX)
		return saying;
	saying = calloc(1, sizeof(*saying) + len + 1);
	if (!saying)
		abort();
	memcpy(saying->topic, topic, len + 1);
	HASH_ADD_KEYPTR(hh, self->hass.sayings, saying->topic, (unsigned)len, saying);
	return saying;
}

static bool is_below(const char *topic, const char *base)
{
	size_t len = strlen(base);

	return strncmp(topic, base, len) == 0 && (!topic[len] || topic[len] == '/');
}

/* Topics that belong to the other grammars, to our link, or to the discovery itself: nobody is described by these. */
static bool is_known_otherwise(const gwa_self *self, const char *topic)
{
	static const char *const tasmota[] = { "tele", "stat", "cmnd", "tasmota" };

	if (!topic)
		return false;
	for (size_t i = 0; i < self->n_bases; i++) {
		if (is_below(topic, self->bases[i].name))
			return true;
	}
	for (size_t i = 0; self->settings.tasmota && i < N_ELEMENTS(tasmota); i++) {
		if (is_below(topic, tasmota[i]))
			return true;
	}
	return is_below(topic, "gatewayd") || is_below(topic, "homeassistant") || is_below(topic, self->hass.prefix);
}

static bool is_of_others(const gwa_self *self, const struct hass_entity *entity)
{
	for (size_t i = 0; i < entity->n_ways; i++) {
		if (is_known_otherwise(self, entity->ways[i].state) || is_known_otherwise(self, entity->ways[i].command))
			return true;
	}
	return false;
}

struct taking {
	gwa_self *self;
	struct hass_saying *saying;
};

static void on_entity(void *ctx, struct hass_entity *entity)
{
	struct taking *taking = ctx;
	struct hass_saying *saying = taking->saying;
	struct hass_entity **grown;

	if (is_of_others(taking->self, entity)) {
		hass_entity_free(entity);
		return;
	}
	grown = reallocarray(saying->entities, saying->n + 1, sizeof(struct hass_entity *));
	if (!grown)
		abort();
	saying->entities = grown;
	saying->entities[saying->n++] = entity;
	mark(taking->self, entity->device);
}

static void say_left_out(gwa_self *self, const char *topic, const struct hass_sink *sink, int r)
{
	if (r == HASS_E_SIZE)
		wifi_note(self, GWA_NOTE_OVERSIZE, 1, topic, "too long");
	else if (r)
		wifi_note(self, GWA_NOTE_MALFORMED, 1, topic, "no configuration");
	if (sink->bad)
		wifi_note(self, GWA_NOTE_MALFORMED, sink->bad, topic, "names no device");
	if (sink->uncovered)
		wifi_note(self, GWA_NOTE_BAD_VALUE, sink->uncovered, topic, "a template or range that is not covered");
}

/* rest: behind the prefix and its slash. */
void hass_take(gwa_self *self, const char *rest, const struct mqtt_message *message)
{
	struct taking taking = { .self = self };
	struct hass_sink sink = { .on_entity = on_entity, .ctx = &taking };
	char component[24];
	int r = 0;

	if (!hass_topic(rest, component))
		return;
	taking.saying = saying_of(self, rest);
	if (!taking.saying) {
		wifi_note(self, GWA_NOTE_FLOOD, 1, message->topic, "too many configurations");
		return;
	}
	saying_empty(self, taking.saying);
	if (message->len)
		r = hass_config(component, message->payload, message->len, &sink);
	say_left_out(self, message->topic, &sink, r);
	if (taking.saying->n)
		return;
	HASH_DEL(self->hass.sayings, taking.saying);
	free(taking.saying);
}

static int by_name(const void *a, const void *b)
{
	const struct hass_entity *const *x = a, *const *y = b;

	return strcmp((*x)->unique, (*y)->unique);
}

static size_t entities_of(const gwa_self *self, const char *device, const struct hass_entity *ret[HASS_ENTITIES_MAX])
{
	const struct hass_saying *saying;
	size_t n = 0;

	for (saying = self->hass.sayings; saying; saying = saying->hh.next) {
		for (size_t i = 0; i < saying->n && n < HASS_ENTITIES_MAX; i++) {
			if (text_equal(saying->entities[i]->device, device))
				ret[n++] = saying->entities[i];
		}
	}
	qsort(ret, n, sizeof(ret[0]), by_name);
	return n;
}

/* What it says on its topics is heard from now on; what is retained there comes at once. */
static void subscribe(gwa_self *self, const struct house_entry *entry)
{
	const struct ways *ways = entry->device->ways;
	const char *topics[16];
	size_t n = 0;

	for (size_t k = 0; k < ways->n + ways->n_presences; k++) {
		if (ways_topic(ways, k))
			topics[n++] = ways_topic(ways, k);
		if (n && (n == N_ELEMENTS(topics) || k + 1 == ways->n + ways->n_presences)) {
			if (mqtt_subscribe(&self->intake, topics, n))
				wifi_note(self, GWA_NOTE_STATUS, 1, "broker", "no subscription");
			n = 0;
		}
	}
}

static void make(gwa_self *self, const char *name)
{
	const struct hass_entity *entities[HASS_ENTITIES_MAX];
	struct gwa_addr addr = hass_address(name);
	struct house_entry *entry = house_find_addr(&self->house, &addr);
	size_t n = entities_of(self, name, entities);
	struct lan_device *device;
	bool changed;
	int r;

	if (!n) {
		if (entry)
			entry_leave(self, entry);
		return;
	}
	device = hass_device(entities, n);
	if (entry && lan_device_equal(entry->device, device)) { /* said again: what was heard of its presence stays */
		lan_device_free(device);
		return;
	}
	if (house_rival(&self->house, device)) { /* another grammar, or another name, has this very device */
		wifi_note(self, GWA_NOTE_BAD_VALUE, 1, name, "its address is another device's");
		lan_device_free(device);
		return;
	}
	if (entry)
		entry->seen = false;
	r = house_put(&self->house, HOUSE_HASS, device, &entry, &changed);
	if (r) {
		wifi_note(self, r == HOUSE_E_FULL ? GWA_NOTE_FLOOD : GWA_NOTE_BAD_TOPIC, 1, name,
			  r == HOUSE_E_FULL ? "too many devices" : "its topic is another device's");
		lan_device_free(device);
		return;
	}
	if (changed) {
		entry_tell(self, entry, true);
		if (self->intake.up)
			subscribe(self, entry);
	}
}

void hass_timer(gwa_self *self)
{
	while (self->hass.dirty) {
		struct hass_dirty *dirty = self->hass.dirty;

		HASH_DEL(self->hass.dirty, dirty);
		make(self, dirty->device);
		free(dirty);
	}
	intake_replay(self);
	intake_hold(self);
}

void hass_up(gwa_self *self)
{
	struct house_entry *entry, *next;

	HASH_ITER(hh, self->house.entries, entry, next) {
		if (entry->source == HOUSE_HASS)
			subscribe(self, entry);
	}
}
