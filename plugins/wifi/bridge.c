/* What Zigbee2MQTT says of itself and of all its devices at once, and what is made of it for the core: who is there, who
 * is out of reach, who has left.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "wifi/wifi_inside.h"
#include "wifi/z2m.h"
#include "wifi/z2m_keep.h"

static bool is_reachable(const gwa_self *self, const struct house_entry *entry)
{
	if (entry->offline || self->lan_lost)
		return false;
	return entry->source >= HOUSE_TASMOTA || self->bases[entry->source].state != BRIDGE_OFFLINE;
}

void entry_tell(gwa_self *self, struct house_entry *entry, bool described_anew)
{
	struct lan_description description;
	bool reachable = is_reachable(self, entry);

	if (!entry->device->ready)
		return;
	if (described_anew || !entry->described || (reachable && !entry->up)) {
		lan_device_describe(entry->device, &description);
		gwa(self->host)->device_up(self->host, &description.device);
		entry->described = entry->up = true;
	}
	if (!reachable && entry->up) {
		gwa(self->host)->device_down(self->host, &entry->device->addr, 0);
		entry->up = false;
	}
}

void entries_tell(gwa_self *self)
{
	struct house_entry *entry, *next;

	HASH_ITER(hh, self->house.entries, entry, next)
		entry_tell(self, entry, false);
	shellies_tell(self);
}

void entry_leave(gwa_self *self, struct house_entry *entry)
{
	if (entry->described)
		gwa(self->host)->device_down(self->host, &entry->device->addr, 1);
	house_remove(&self->house, entry);
}

/* A radio address that two sources claim belongs to the one that the settings name first. */
static bool put_device(gwa_self *self, int source, struct lan_device **device, uint32_t *left_out)
{
	struct house_entry *entry, *rival = house_rival(&self->house, *device);
	bool changed;
	int r;

	if (rival && rival->source < source) {
		wifi_note(self, GWA_NOTE_BAD_VALUE, 1, (*device)->topic, "its address is another base's device");
		return false;
	}
	if (rival) {
		wifi_note(self, GWA_NOTE_BAD_VALUE, 1, rival->device->topic, "its address is another base's device");
		entry_leave(self, rival);
	}
	r = house_put(&self->house, source, *device, &entry, &changed);
	if (r) {
		wifi_note(self, r == HOUSE_E_FULL ? GWA_NOTE_FLOOD : GWA_NOTE_BAD_TOPIC, 1, (*device)->topic,
			  r == HOUSE_E_FULL ? "too many devices" : "its topic is another device's");
		return false;
	}
	*device = NULL;
	if (changed)
		*left_out += entry->device->left_out;
	if (self->intake.up)
		entry_tell(self, entry, changed);
	return changed;
}

/* True: something in it is new. list is emptied. */
static bool put_list(gwa_self *self, int number, uint32_t *left_out)
{
	struct z2m_devices *list = &self->list;
	struct house_entry *gone;
	bool changed = false;

	house_begin(&self->house, number);
	for (size_t i = 0; i < list->n; i++)
		changed |= put_device(self, number, &list->devices[i], left_out);
	z2m_devices_deinit(list);
	while ((gone = house_unseen(&self->house, number))) {
		entry_leave(self, gone);
		changed = true;
	}
	return changed;
}

/* Kept descriptions: a blob is the base's name, a line end, and a list. */

struct keeping {
	gwa_self *self;
	int number;
	unsigned n;
};

static unsigned parts_of(int number)
{
	if (number == 0)
		return WIFI_PARTS_MAX;
	return number <= WIFI_PARTS_MAX ? 1 : 0; /* the shelf has no more places */
}

static void part_key(int number, unsigned part, char ret[32])
{
	text_print(ret, 32, "devices.%d.%u", number, part);
}

static void on_part(void *ctx, const char *text, size_t len)
{
	struct keeping *keeping = ctx;
	gwa_self *self = keeping->self;
	const struct base *base = &self->bases[keeping->number];
	char key[32], *blob;

	if (keeping->n == parts_of(keeping->number))
		return;
	blob = malloc(base->len + 1 + len);
	if (!blob)
		return;
	memcpy(blob, base->name, base->len);
	blob[base->len] = '\n';
	memcpy(blob + base->len + 1, text, len);
	part_key(keeping->number, keeping->n++, key);
	(void)gwa(self->host)->save(self->host, key, blob, (uint32_t)(base->len + 1 + len));
	free(blob);
}

static void keep(gwa_self *self, int number, const struct mqtt_message *message)
{
	struct keeping keeping = { .self = self, .number = number };
	struct base *base = &self->bases[number];
	char key[32];

	if (!parts_of(number) ||
	    z2m_keep(message->payload, message->len, GWA_STATE_MAX - WIFI_BASE_MAX - 1, on_part, &keeping))
		return;
	/* Parts that are needed no more are emptied. */
	for (unsigned i = keeping.n; i < base->n_parts; i++) {
		part_key(number, i, key);
		(void)gwa(self->host)->save(self->host, key, "", 0);
	}
	base->n_parts = keeping.n;
}

static void load_part(gwa_self *self, int number, unsigned part, char *blob)
{
	struct base *base = &self->bases[number];
	uint32_t len = GWA_STATE_MAX;
	char key[32];

	part_key(number, part, key);
	if (gwa(self->host)->load(self->host, key, blob, &len) || len <= base->len + 1)
		return;
	base->n_parts = part + 1;
	if (memcmp(blob, base->name, base->len) != 0 || blob[base->len] != '\n')
		return;
	/* Parts add up in the list. */
	if (z2m_devices(base->name, blob + base->len + 1, len - base->len - 1, &self->list))
		gwa(self->host)->log(self->host, 4, "a kept description cannot be read");
}

void bridge_load(gwa_self *self)
{
	char *blob = malloc(GWA_STATE_MAX);
	uint32_t left_out = 0;

	for (int number = 0; blob && number < (int)self->n_bases; number++) {
		self->list = (struct z2m_devices){ 0 };
		for (unsigned part = 0; part < parts_of(number); part++)
			load_part(self, number, part, blob);
		put_list(self, number, &left_out);
	}
	free(blob);
}

static void take_devices(gwa_self *self, int number, const struct mqtt_message *message)
{
	struct z2m_devices *list = &self->list;
	uint32_t left_out = 0;
	int r;

	*list = (struct z2m_devices){ 0 };
	r = z2m_devices(self->bases[number].name, message->payload, message->len, list);
	if (r) {
		intake_refuse(self, r, message->topic);
		return;
	}
	if (list->refused)
		wifi_note(self, GWA_NOTE_BAD_TOPIC, list->refused, message->topic, "entries that cannot be devices");
	if (put_list(self, number, &left_out))
		keep(self, number, message);
	if (left_out)
		wifi_note(self, GWA_NOTE_STATUS, left_out, message->topic, "properties without a capability");
	self->bases[number].listed = true;
	intake_replay(self);
}

static void ignore(int r)
{
	(void)r;
}

struct group_names {
	gwa_self *self;
	int number;
};

static void on_group(void *ctx, const char *name)
{
	struct group_names *names = ctx;
	const char *base = names->self->bases[names->number].name;
	char topic[LAN_TOPIC_MAX];

	/* A group that has a device's name is that device. */
	if (text_print(topic, sizeof(topic), "%s/%s", base, name))
		ignore(house_put_quiet(&names->self->house, names->number, topic));
	if (text_print(topic, sizeof(topic), "%s/%s/availability", base, name))
		ignore(house_put_quiet(&names->self->house, names->number, topic));
}

static void take_groups(gwa_self *self, int number, const struct mqtt_message *message)
{
	struct group_names names = { self, number };
	int r;

	house_begin_quiet(&self->house, number);
	r = z2m_groups(message->payload, message->len, on_group, &names);
	if (r)
		intake_refuse(self, r, message->topic);
	else
		intake_replay(self);
}

static void take_state(gwa_self *self, int number, const struct mqtt_message *message)
{
	bool online;
	int r = z2m_online(message->payload, message->len, &online);

	if (r) {
		intake_refuse(self, r, message->topic);
		return;
	}
	self->bases[number].state = online ? BRIDGE_ONLINE : BRIDGE_OFFLINE;
	entries_tell(self);
}

static void take_event(gwa_self *self, int number, const struct mqtt_message *message)
{
	struct house_entry *entry;
	struct gwa_addr addr;
	uint8_t ieee[8];
	int r = z2m_leave(message->payload, message->len, ieee);

	if (r == Z2M_E_TYPE)
		return;
	if (r) {
		intake_refuse(self, r, message->topic);
		return;
	}
	addr = z2m_address(self->bases[number].name, ieee);
	entry = house_find_addr(&self->house, &addr);
	if (entry)
		entry_leave(self, entry);
}

static void take_response(gwa_self *self, int number, const struct mqtt_message *message)
{
	char transaction[48];
	uint64_t req;
	bool ok;
	int r = z2m_response(message->payload, message->len, transaction, sizeof(transaction), &ok);

	(void)number;
	if (r)
		intake_refuse(self, r, message->topic);
	else if (strncmp(transaction, "gw-", 3) == 0 && !text_to_u64(transaction + 3, 1, UINT64_MAX, &req))
		commands_answer(self, req, ok);
}

struct bridge_row {
	const char *rest;
	void (*take)(gwa_self *self, int number, const struct mqtt_message *message);
};
/* What is not here is of no interest: info, logging, definitions, health, extensions, requests. */
static const struct bridge_row bridge_rows[] = {
	{ "devices", take_devices },
	{ "groups", take_groups },
	{ "state", take_state },
	{ "event", take_event },
	{ "response/permit_join", take_response },
	{ "response/device/remove", take_response },
};

void bridge_take(gwa_self *self, int number, const char *rest, const struct mqtt_message *message)
{
	for (size_t i = 0; i < N_ELEMENTS(bridge_rows) && message->len; i++) {
		if (text_equal(bridge_rows[i].rest, rest))
			bridge_rows[i].take(self, number, message);
	}
}
