/* From the air to the core. A remembered device is read with its own format and key and nothing else; of strangers nothing is
 * kept and nothing is said, but while a person has opened a window: then who can be read joins, at most
 * WINDOW_JOINED_MAX of them, and who cannot is told once what is missing.
 *
 * A neighbour's thermometer is nobody's business.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ble/ble_inside.h"

static struct gwa_value value_out(const struct value *value)
{
	struct gwa_value out = { .type = (uint32_t)value->type, .len = value->len };

	switch (value->type) {
	case VALUE_BOOL:
		out.v.i = value->b;
		break;
	case VALUE_INT:
		out.v.i = value->i;
		break;
	case VALUE_REAL:
		out.v.f = value->f;
		break;
	case VALUE_TEXT:
	case VALUE_BYTES:
		out.v.data = value->data;
		break;
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	return out;
}

uint64_t sensors_report(gwa_self *self, const struct beacon *beacon, uint8_t endpoint, uint16_t cap, const struct value *value)
{
	struct gwa_addr addr = beacon_addr(beacon);
	struct gwa_value out = value_out(value);

	return gwa(self->host)->report(self->host, &addr, endpoint, cap, &out, 0);
}

void sensors_joining(gwa_self *self, const uint8_t mac[6], int stage, const char *why)
{
	struct gwa_addr addr = { .len = 6 };

	memcpy(addr.bytes, mac, 6);
	if (gwa(self->host)->size > offsetof(struct gwa_host_ops, joining))
		gwa(self->host)->joining(self->host, &addr, stage, why);
}

void sensors_describe(gwa_self *self, struct beacon *beacon)
{
	struct beacon_description said;

	beacon_describe(beacon, &said);
	gwa(self->host)->device_up(self->host, &said.device);
	beacon->up = true;
}

void sensors_go_down(gwa_self *self, struct beacon *beacon)
{
	struct gwa_addr addr = beacon_addr(beacon);

	if (!beacon->up)
		return;
	beacon->up = false;
	gwa(self->host)->device_down(self->host, &addr, 0);
}

void sensors_remove(gwa_self *self, struct beacon *beacon)
{
	struct gwa_addr addr = beacon_addr(beacon);

	bluez_forget(&self->bluez, beacon->mac);
	bluez_watch(&self->bluez, beacon->mac, false);
	gatt_forget(self, beacon->mac);
	beacons_remove(&self->beacons, beacon);
	keep_beacons_now(self);
	keep_marks_now(self);
	gwa(self->host)->device_down(self->host, &addr, 1);
}

/* What was heard of a device that is ours. */

/* What acts is kept before it is said: it must not come a second time out of a recorder. */
static bool acts(const struct readings *readings)
{
	for (size_t i = 0; i < readings->n; i++) {
		uint16_t cap = readings->rows[i].cap;

		if (beacon_is_event(cap) || cap == CAP_LOCK_STATE || cap == CAP_CONTACT)
			return true;
	}
	return false;
}

static void hold(gwa_self *self, const struct beacon *beacon, const struct reading *r)
{
	struct held *held;

	if (self->n_held == BLE_HELD_MAX) {
		memmove(self->held, self->held + 1, --self->n_held * sizeof(self->held[0]));
		gwa(self->host)->note(self->host, GWA_NOTE_DROPPED, 1, beacon->name, "an event that found no credit");
	}
	held = &self->held[self->n_held++];
	*held = (struct held){ .endpoint = r->index, .cap = r->cap, .is_text = r->value.type == VALUE_TEXT };
	memcpy(held->mac, beacon->mac, 6);
	if (held->is_text)
		text_copy_n(held->text, sizeof(held->text), r->value.data, r->value.len);
	else
		held->number = r->value.i;
}

void sensors_say_held(gwa_self *self)
{
	size_t n = 0;

	for (; n < self->n_held; n++) {
		const struct held *held = &self->held[n];
		const struct beacon *beacon = beacons_find(&self->beacons, held->mac);
		struct value value = held->is_text ? value_text(held->text) : value_int(held->number);

		if (beacon && !sensors_report(self, beacon, held->endpoint, held->cap, &value))
			break;
	}
	self->n_held -= n;
	memmove(self->held, self->held + n, self->n_held * sizeof(self->held[0]));
}

static void report_all(gwa_self *self, struct beacon *beacon, const struct readings *readings, uint64_t now)
{
	for (size_t i = 0; i < readings->n; i++) {
		const struct reading *r = &readings->rows[i];
		struct beacon_cap *cap = beacon_cap(beacon, r->cap, r->index);

		if (!cap || r->value.type == VALUE_NONE || !beacon_is_due(cap, &r->value, now))
			continue;
		if (sensors_report(self, beacon, r->index, r->cap, &r->value))
			beacon_said(cap, &r->value, now);
		else if (beacon_is_event(r->cap))
			hold(self, beacon, r);
	}
}

static void take_in(gwa_self *self, struct beacon *beacon, const struct hearing *hearing)
{
	uint64_t now = ble_now(self);
	bool news = beacon_learn(beacon, hearing->readings);

	beacon->irregular |= hearing->irregular;
	beacon_heard(beacon, now);
	if (news || !beacon->up)
		sensors_describe(self, beacon);
	if (news)
		keep_beacons(self);
	if (hearing->bound && acts(hearing->readings))
		keep_marks_now(self);
	else if (hearing->bound)
		keep_marks(self);
	report_all(self, beacon, hearing->readings, now);
	ble_set_timer(self, TIMER_AWAY, &self->away_ms, beacon_away_at(beacon));
}

static void still_there(gwa_self *self, struct beacon *beacon)
{
	beacon_heard(beacon, ble_now(self));
	if (beacon->up)
		return;
	sensors_describe(self, beacon);
	ble_set_timer(self, TIMER_AWAY, &self->away_ms, beacon_away_at(beacon));
}

/* A measurement of our own device that came a second time says at least that it is there. A sealed one may come from a
 * recorder. */
static void on_known(gwa_self *self, struct beacon *beacon, const struct hear_source *source, struct guest *guest)
{
	struct hearing hearing;
	int err = HEAR_E_NOTHING;

	if (beacon->format != HEAR_GATT)
		err = hear(source, beacon->format, &beacon->key, ble_now(self), &beacon->memory, &hearing);
	if (!err)
		take_in(self, beacon, &hearing);
	/* It is ours already: who let it in again hears so. */
	if (!err && guest) {
		window_dismiss(guest);
		sensors_joining(self, beacon->mac, GWA_JOIN_READY, NULL);
	}
	if (err == HEAR_E_REPEATED && !beacon->key.len)
		still_there(self, beacon);
}

/* Strangers */

static uint8_t evidence_of(const struct hearing *hearing)
{
	return hearing->bound ? 2 : hearing->sealed ? 1 : 0;
}

/* A device that was ours already has a new key: what else is known of it stays. */
static struct beacon *remember(gwa_self *self, const struct hear_source *source, const struct hearing *hearing, bool random)
{
	struct beacon *beacon = beacons_find(&self->beacons, source->mac), fresh;

	if (!beacon) {
		beacon_init(&fresh, source->mac, random, source->name);
		beacon_identify(&fresh, hearing);
		if (beacons_add(&self->beacons, &fresh, &beacon)) {
			sensors_joining(self, source->mac, GWA_JOIN_FAILED, "there is no room for another device");
			return NULL;
		}
		bluez_watch(&self->bluez, beacon->mac, true);
	}
	beacon->evidence = evidence_of(hearing);
	return beacon;
}

static void join(gwa_self *self, const struct hear_source *source, struct hearing *hearing, const struct hear_memory *memory,
		 struct guest *guest, bool random)
{
	struct beacon *beacon = remember(self, source, hearing, random);

	if (!beacon)
		return;
	gatt_forget(self, source->mac);
	beacon->memory = *memory;
	beacon->up = false;
	if (guest && hearing->sealed)
		beacon->key = guest->key;
	if (guest)
		window_dismiss(guest);
	else
		self->window.n_joined++;
	sensors_joining(self, source->mac, GWA_JOIN_SEEN, NULL);
	take_in(self, beacon, hearing);
	keep_beacons_now(self);
	if (hearing->bound)
		keep_marks_now(self);
	sensors_joining(self, source->mac, GWA_JOIN_READY, NULL);
}

static void tell_why(gwa_self *self, const uint8_t mac[6], int err, bool has_key)
{
	static const char *const words[] = {
		[HEAR_E_KEY] = "it is encrypted: give its bind key",
		[HEAR_E_PLAIN] = "it is not encrypted: let it join without a key",
		[HEAR_E_FORGED] = "the bind key does not fit",
	};

	if (err < HEAR_E_KEY || err > HEAR_E_FORGED || (err == HEAR_E_KEY && has_key))
		return;
	if (window_tell(&self->window, mac))
		sensors_joining(self, mac, GWA_JOIN_FAILED, words[err]);
}

/* Connected to is who was named, or who offers what we read. Of one that was named all has to be known first: it might be a
 * beacon. */
static bool is_peripheral(const struct props *props, const struct guest *guest, bool whole)
{
	for (size_t i = 0; i < props->n_uuids; i++) {
		if (characteristic_is_service(props->uuids[i]))
			return true;
	}
	return guest && whole && !guest->key.len;
}

static void join_peripheral(gwa_self *self, const struct props_path *path, const struct seen *seen, const struct guest *guest)
{
	if (gatt_peer(self, path->mac))
		return;
	if (!gatt_join(self, path, seen->random, seen->name))
		sensors_joining(self, path->mac, GWA_JOIN_FAILED, "there is no room for another device that is connected to");
	else if (!guest)
		self->window.n_joined++;
}

/* iBeacons are everywhere and say nothing but who they are: only one that a person named joins. */
static void on_stranger(gwa_self *self, const struct props_path *path, const struct props *props, const struct seen *seen,
			struct guest *guest, bool whole)
{
	struct hear_source source = { .mac = path->mac, .name = seen->name, .props = props };
	struct hear_key key = guest ? guest->key : (struct hear_key){ 0 };
	struct hear_memory memory = { 0 };
	struct hearing hearing;
	int err;

	if (!guest && !beacon_address_stays(path->mac, seen->random))
		return;
	err = hear(&source, HEAR_NONE, &key, ble_now(self), &memory, &hearing);
	if (!err && (guest || hearing.format != HEAR_IBEACON))
		join(self, &source, &hearing, &memory, guest, seen->random);
	else if (err == HEAR_E_NOTHING && is_peripheral(props, guest, whole))
		join_peripheral(self, path, seen, guest);
	else if (err)
		tell_why(self, path->mac, err, key.len != 0);
	explicit_bzero(&key, sizeof(key));
}

/* Names and kinds of address are said once, values each time. */
static struct seen *seen_of(gwa_self *self, const uint8_t mac[6])
{
	struct seen *seen;

	for (size_t i = 0; i < self->n_seen; i++) {
		if (memcmp(self->seen[i].mac, mac, 6) == 0)
			return &self->seen[i];
	}
	if (!self->seen)
		self->seen = calloc(BLE_SEEN_MAX, sizeof(*self->seen));
	if (!self->seen)
		return NULL;
	/* The oldest makes room. */
	seen = &self->seen[self->n_seen < BLE_SEEN_MAX ? self->n_seen : self->next_seen++ % BLE_SEEN_MAX];
	if (self->n_seen < BLE_SEEN_MAX)
		self->n_seen++;
	*seen = (struct seen){ 0 };
	memcpy(seen->mac, mac, 6);
	return seen;
}

static void look(gwa_self *self, const struct props_path *path, const struct props *props, struct guest *guest, bool whole)
{
	struct seen *seen = seen_of(self, path->mac);

	if (!seen)
		return;
	if (props->has & HAS_RANDOM)
		seen->random = props->random;
	if (props->has & HAS_NAME)
		text_copy(seen->name, sizeof(seen->name), props->name);
	on_stranger(self, path, props, seen, guest, whole);
}

/* A name often comes after the first values. While a window is open it is taken; later nobody renames what is ours. */
static void rename_it(gwa_self *self, struct beacon *beacon, const char *name)
{
	char fresh[BEACON_TEXT_MAX + 1];

	text_copy(fresh, sizeof(fresh), name);
	if (!fresh[0] || text_equal(fresh, beacon->name))
		return;
	text_copy(beacon->name, sizeof(beacon->name), fresh);
	if (beacon->up)
		sensors_describe(self, beacon);
	keep_beacons(self);
}

void sensors_said(gwa_self *self, const struct props_path *path, const struct props *props, bool whole)
{
	struct beacon *beacon = beacons_find(&self->beacons, path->mac);
	struct guest *guest = window_guest(&self->window, path->mac);
	struct hear_source source = { .mac = path->mac, .props = props };

	/* What bluetoothd kept from before is no news: only what has a strength was heard by it just now. (A controller need not
	 * tell the strength, so of a device that is found now none is asked for.) */
	if (self->bluez.kept && !(props->has & HAS_RSSI) && !(guest && !guest->key.len))
		return;
	if (gatt_peer(self, path->mac) && !(props->n_services || props->n_makers))
		return;
	if (beacon && props->has & HAS_NAME && window_is_any(&self->window) && !text_equal(beacon->name, props->name))
		rename_it(self, beacon, props->name);
	if (beacon && !(guest && guest->key.len)) {
		source.name = beacon->name;
		on_known(self, beacon, &source, guest);
	} else if (guest || window_is_open(&self->window, ble_now(self))) {
		look(self, path, props, guest, whole);
	}
}

void sensors_window(gwa_self *self, bool open)
{
	bluez_open_ears(&self->bluez, open);
	if (open)
		return;
	free(self->seen);
	self->seen = NULL;
	self->n_seen = self->next_seen = 0;
}

/* Presence */

void sensors_listening(gwa_self *self, bool listening)
{
	if (listening) {
		self->deaf = false;
		gwa(self->host)->timer(self->host, TIMER_GRACE, 0);
	} else if (!self->deaf) {
		gwa(self->host)->timer(self->host, TIMER_GRACE, BLE_GRACE_MS);
	}
}

void sensors_grace(gwa_self *self)
{
	self->deaf = true;
	gwa(self->host)->log(self->host, 4, "no Bluetooth adapter listens");
	for (size_t i = 0; i < self->beacons.n; i++)
		sensors_go_down(self, self->beacons.all[i]);
}

/* While nobody listens nobody can be missed. */
void sensors_away(gwa_self *self)
{
	uint64_t now = ble_now(self), next = UINT64_MAX;

	for (size_t i = 0; i < self->beacons.n; i++) {
		struct beacon *beacon = self->beacons.all[i];
		uint64_t at = beacon_away_at(beacon);

		if (!beacon->up)
			continue;
		if (at <= now)
			sensors_go_down(self, beacon);
		else if (at < next)
			next = at;
	}
	self->away_ms = UINT64_MAX;
	if (next != UINT64_MAX)
		ble_set_timer(self, TIMER_AWAY, &self->away_ms, next);
}
