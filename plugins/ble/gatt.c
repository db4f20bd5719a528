/* BlueZ does the protocol; what is left is the order of things. Each step is a call that is answered later, and a device may
 * vanish at any of them: then all falls back to AWAY and begins anew when BlueZ sees it again.
 *
 * While it joins, pairing comes before reading, so that what is read is read from who was paired with. A device that cannot
 * pair is taken as it is, with the evidence that it has: none. One that asked for a person and then failed is not taken.
 */
#include "ble/gatt.h"

#include <string.h>
#include "base/text.h"
#include "ble/ble_inside.h"

#define DEVICE "org.bluez.Device1"
#define CHARACTERISTIC "org.bluez.GattCharacteristic1"

static void go_on(struct gatt_peer *peer);

static void arm(gwa_self *self)
{
	uint64_t now = ble_now(self), first = UINT64_MAX;

	for (size_t i = 0; i < GATT_PEERS_MAX; i++) {
		if (self->gatt.peers[i].used && self->gatt.peers[i].due_ms < first)
			first = self->gatt.peers[i].due_ms;
	}
	gwa(self->host)->timer(self->host, TIMER_GATT, first == UINT64_MAX ? 0 : first > now ? (uint32_t)(first - now) : 1);
}

static void due_in(struct gatt_peer *peer, uint32_t ms)
{
	peer->due_ms = ms ? ble_now(peer->self) + ms : UINT64_MAX;
	arm(peer->self);
}

struct gatt_peer *gatt_peer(gwa_self *self, const uint8_t mac[6])
{
	for (size_t i = 0; i < GATT_PEERS_MAX; i++) {
		if (self->gatt.peers[i].used && memcmp(self->gatt.peers[i].mac, mac, 6) == 0)
			return &self->gatt.peers[i];
	}
	return NULL;
}

bool gatt_is_pairing(const struct gatt_peer *peer)
{
	return peer->joins && peer->step == GATT_PAIRING;
}

static struct gatt_peer *add_peer(gwa_self *self, const uint8_t mac[6], bool random)
{
	for (size_t i = 0; i < GATT_PEERS_MAX; i++) {
		struct gatt_peer *peer = &self->gatt.peers[i];

		if (peer->used)
			continue;
		*peer = (struct gatt_peer){ .used = true, .self = self, .random = random, .due_ms = UINT64_MAX };
		memcpy(peer->mac, mac, 6);
		return peer;
	}
	return NULL;
}

/* Calls */

static bool path_of(const struct gatt_peer *peer, const struct gatt_char *c, char ret[PROPS_PATH_MAX])
{
	struct props_path path = { .adapter = peer->adapter, .has_device = true };

	memcpy(path.mac, peer->mac, 6);
	if (c) {
		path.service = c->service;
		path.characteristic = c->handle;
	}
	return props_path_print(&path, ret, PROPS_PATH_MAX);
}

/* With an empty a{sv} at the end, where options go. */
bool gatt_put_options(DBusMessage *message, const uint8_t *bytes, int len)
{
	DBusMessageIter at, array, dict;

	dbus_message_iter_init_append(message, &at);
	if (bytes && (!dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "y", &array) ||
		      !dbus_message_iter_append_fixed_array(&array, DBUS_TYPE_BYTE, &bytes, len) ||
		      !dbus_message_iter_close_container(&at, &array)))
		return false;
	return dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sv}", &dict) && dbus_message_iter_close_container(&at, &dict);
}

static int call_device(struct gatt_peer *peer, const char *method, int timeout_ms, bus_reply_fn on_reply)
{
	struct bluez *bluez = &peer->self->bluez;
	char path[PROPS_PATH_MAX];

	if (!bluez_is_there(bluez) || !path_of(peer, NULL, path))
		return -ENOTCONN;
	return bus_call(&peer->self->bus, bluez_message(bluez, path, DEVICE, method), timeout_ms, on_reply, peer);
}

DBusMessage *gatt_message(const struct gatt_peer *peer, const struct gatt_char *c, const char *method)
{
	char path[PROPS_PATH_MAX];

	return path_of(peer, c, path) ? bluez_message(&peer->self->bluez, path, CHARACTERISTIC, method) : NULL;
}

/* Falling back */

static void fall_back(struct gatt_peer *peer)
{
	struct beacon *beacon = beacons_find(&peer->self->beacons, peer->mac);

	bus_forget(&peer->self->bus, peer);
	peer->step = GATT_AWAY;
	peer->at = 0;
	for (size_t i = 0; i < peer->n_chars; i++)
		peer->chars[i].read = false;
	peer->resolved = peer->asks = peer->settles = false;
	if (beacon)
		sensors_go_down(peer->self, beacon);
}

static void again(struct gatt_peer *peer)
{
	fall_back(peer);
	peer->wait_ms = peer->wait_ms ? peer->wait_ms * 2 : GATT_AGAIN_MS;
	if (peer->wait_ms > GATT_AGAIN_MOST_MS)
		peer->wait_ms = GATT_AGAIN_MOST_MS;
	due_in(peer, peer->present ? peer->wait_ms : 0);
}

/* A join that came to nothing leaves nothing behind, neither here nor in BlueZ. */
static void give_up(struct gatt_peer *peer, const char *why)
{
	gwa_self *self = peer->self;

	sensors_joining(self, peer->mac, GWA_JOIN_FAILED, why);
	bus_forget(&self->bus, peer);
	bluez_watch(&self->bluez, peer->mac, false);
	bluez_forget(&self->bluez, peer->mac);
	explicit_bzero(peer, sizeof(*peer));
	arm(self);
}

static void fail(struct gatt_peer *peer, const char *why)
{
	if (peer->joins)
		give_up(peer, why);
	else
		again(peer);
}

/* Values */

static void say_value(struct gatt_peer *peer, struct gatt_char *c, struct view bytes)
{
	struct beacon *beacon = beacons_find(&peer->self->beacons, peer->mac);
	uint16_t cap = characteristic_cap(c->row);
	struct beacon_cap *row = beacon ? beacon_cap(beacon, cap, c->endpoint) : NULL;
	uint64_t now = ble_now(peer->self);
	struct value value;

	if (!row || characteristic_read(c->row, bytes, &value) || !beacon_is_due(row, &value, now))
		return;
	if (sensors_report(peer->self, beacon, c->endpoint, cap, &value))
		beacon_said(row, &value, now);
}

static void take_text(char ret[33], struct view bytes)
{
	size_t len = strnlen((const char *)bytes.data, bytes.len);

	if (len && text_is_utf8(bytes.data, len))
		text_copy_n(ret, 33, bytes.data, len);
}

static void take_value(struct gatt_peer *peer, struct gatt_char *c, struct view bytes)
{
	struct value value;

	if (c->row->kind == KIND_VENDOR)
		take_text(peer->vendor, bytes);
	else if (c->row->kind == KIND_MODEL)
		take_text(peer->model, bytes);
	else if (c->row->kind == KIND_FIRMWARE)
		take_text(peer->firmware, bytes);
	else if (peer->step == GATT_READY)
		say_value(peer, c, bytes);
	else if (!characteristic_read(c->row, bytes, &value)) {
		c->len = bytes.len < sizeof(c->bytes) ? (uint8_t)bytes.len : (uint8_t)sizeof(c->bytes);
		memcpy(c->bytes, bytes.data, c->len);
		c->read = true;
	}
}

/* Becoming ready */

static void name_it(struct gatt_peer *peer, struct beacon *beacon)
{
	if (peer->name[0])
		text_copy(beacon->name, sizeof(beacon->name), peer->name);
	if (!beacon->name[0])
		text_print(beacon->name, sizeof(beacon->name), "Bluetooth %02X%02X", peer->mac[4], peer->mac[5]);
	if (peer->vendor[0])
		text_copy(beacon->vendor, sizeof(beacon->vendor), peer->vendor);
	if (peer->model[0])
		text_copy(beacon->model, sizeof(beacon->model), peer->model);
	if (peer->firmware[0])
		text_copy(beacon->firmware, sizeof(beacon->firmware), peer->firmware);
}

static struct beacon *remember(struct gatt_peer *peer)
{
	struct beacon *beacon = beacons_find(&peer->self->beacons, peer->mac), fresh;

	if (beacon)
		return beacon;
	beacon_init(&fresh, peer->mac, peer->random, peer->name);
	fresh.format = HEAR_GATT;
	return beacons_add(&peer->self->beacons, &fresh, &beacon) ? NULL : beacon;
}

/* Caps of what could be read; a switch that can only be written is one all the same. */
static bool learn(struct gatt_peer *peer, struct beacon *beacon)
{
	for (size_t i = 0; i < peer->n_chars; i++) {
		const struct gatt_char *c = &peer->chars[i];
		uint16_t cap = characteristic_cap(c->row);
		bool writes = c->row->kind == KIND_SWITCH && c->flags & (CHAR_WRITE | CHAR_WRITE_QUIET);
		uint8_t access = (uint8_t)(GWA_A_READ | GWA_A_REPORT | (writes ? GWA_A_WRITE : 0));
		const struct capability *row = capability_find(cap);

		if (!cap || (!c->read && !writes) || beacon_cap(beacon, cap, c->endpoint))
			continue;
		beacon_cap_add(beacon, cap, c->endpoint, row ? (uint8_t)row->type : GWA_T_REAL, access);
	}
	return beacon->n_caps != 0;
}

static void start_notifying(struct gatt_peer *peer)
{
	bool polls = false;

	for (size_t i = 0; i < peer->n_chars; i++) {
		const struct gatt_char *c = &peer->chars[i];

		if (!characteristic_cap(c->row))
			continue;
		if (!(c->flags & CHAR_NOTIFY))
			polls |= c->flags & CHAR_READ;
		else if (bus_call(&peer->self->bus, gatt_message(peer, c, "StartNotify"), GATT_READ_MS, NULL, NULL))
			polls = true;
	}
	due_in(peer, polls ? GATT_POLL_MS : 0);
}

static void be_ready(struct gatt_peer *peer)
{
	struct guest *guest = window_guest(&peer->self->window, peer->mac);
	struct beacon *beacon = remember(peer);
	gwa_self *self = peer->self;

	if (!beacon) {
		give_up(peer, "there is no room for another device");
		return;
	}
	name_it(peer, beacon);
	if (peer->joins)
		beacon->evidence = peer->authenticated ? 2 : peer->paired ? 1 : 0;
	if (!learn(peer, beacon)) {
		if (peer->joins)
			beacons_remove(&self->beacons, beacon);
		fail(peer, "it has nothing that we can read");
		return;
	}
	peer->step = GATT_READY;
	peer->wait_ms = 0;
	sensors_describe(self, beacon);
	if (peer->joins) {
		keep_beacons_now(self);
		if (guest)
			window_dismiss(guest);
		sensors_joining(self, peer->mac, GWA_JOIN_READY, NULL);
	}
	peer->joins = false;
	for (size_t i = 0; i < peer->n_chars; i++) {
		if (peer->chars[i].read)
			say_value(peer, &peer->chars[i], (struct view){ peer->chars[i].bytes, peer->chars[i].len });
	}
	start_notifying(peer);
}

/* Reading, one after the other: a device answers one question at a time. */

static void on_read(void *ctx, DBusMessage *reply)
{
	struct gatt_peer *peer = ctx;
	struct view bytes;

	peer->asks = false;
	if (!reply)
		return;
	if (!props_bytes(reply, &bytes))
		take_value(peer, &peer->chars[peer->at], bytes);
	peer->at++;
	go_on(peer);
}

/* False: nothing is left to read. */
static bool read_next(struct gatt_peer *peer)
{
	for (; peer->at < peer->n_chars; peer->at++) {
		const struct gatt_char *c = &peer->chars[peer->at];
		DBusMessage *message;

		/* Once it is ready only what does not notify is asked for. */
		if (!(c->flags & CHAR_READ) || (peer->step == GATT_READY && (c->flags & CHAR_NOTIFY || !characteristic_cap(c->row))))
			continue;
		message = gatt_message(peer, c, "ReadValue");
		if (message && !gatt_put_options(message, NULL, 0)) {
			dbus_message_unref(message);
			message = NULL;
		}
		peer->asks = !bus_call(&peer->self->bus, message, GATT_READ_MS, on_read, peer);
		if (peer->asks)
			return true;
	}
	return false;
}

/* Steps */

static void on_paired(void *ctx, DBusMessage *reply)
{
	struct gatt_peer *peer = ctx;
	const char *error = props_error(reply);
	char text[96];

	if (!reply)
		return;
	agent_end(peer->self, peer->mac);
	if (!error[0] || strcmp(error, "AlreadyExists") == 0) {
		peer->paired = true;
	} else if (peer->asked_person) {
		text_print(text, sizeof(text), "pairing failed: %s", error);
		give_up(peer, text);
		return;
	} else {
		peer->refuses = true;
	}
	peer->step = GATT_RESOLVING;
	due_in(peer, GATT_RESOLVE_MS);
	go_on(peer);
}

static void on_connected(void *ctx, DBusMessage *reply)
{
	struct gatt_peer *peer = ctx;
	const char *error = props_error(reply);

	if (!reply || peer->step != GATT_CONNECTING)
		return;
	if (error[0] && strcmp(error, "AlreadyConnected") != 0) {
		if (peer->joins && peer->wait_ms < 4 * GATT_AGAIN_MS && window_is_any(&peer->self->window))
			again(peer);
		else
			fail(peer, "it cannot be connected to");
		return;
	}
	if (peer->joins)
		sensors_joining(peer->self, peer->mac, GWA_JOIN_INTERVIEW, NULL);
	peer->step = peer->joins && !peer->paired && !peer->refuses ? GATT_PAIRING : GATT_RESOLVING;
	due_in(peer, peer->step == GATT_RESOLVING ? GATT_RESOLVE_MS : 0);
	if (peer->step == GATT_PAIRING && call_device(peer, "Pair", GATT_PAIR_MS, on_paired))
		fail(peer, "it cannot be paired with");
	else
		go_on(peer);
}

static void connect_to(struct gatt_peer *peer)
{
	peer->step = GATT_CONNECTING;
	peer->due_ms = UINT64_MAX;
	if (call_device(peer, "Connect", GATT_CONNECT_MS, on_connected))
		again(peer);
}

static void go_on(struct gatt_peer *peer)
{
	if (peer->step == GATT_AWAY) {
		if (peer->present && peer->due_ms == UINT64_MAX)
			connect_to(peer);
		return;
	}
	if (peer->step == GATT_RESOLVING && peer->resolved && !peer->settles) {
		peer->settles = true;
		due_in(peer, GATT_SETTLE_MS);
	}
	if (peer->asks)
		return;
	if (peer->step == GATT_READING && !read_next(peer))
		be_ready(peer);
	else if (peer->step == GATT_READY && !read_next(peer))
		peer->at = peer->n_chars;
}

/* What BlueZ says */

/* BlueZ says what a device has once, and keeps it between connections to a device that it is paired with. */
static void on_char(struct gatt_peer *peer, const struct props_path *path, const struct props *props)
{
	if (!props) {
		if (gatt_chars_drop(peer, path) && peer->step >= GATT_READING)
			fail(peer, "it has other services now");
		return;
	}
	if (props->has & HAS_UUID && props->has & HAS_FLAGS && peer->step < GATT_READING)
		gatt_chars_add(peer, path, props);
	if (!(props->has & HAS_VALUE) || peer->step != GATT_READY)
		return;
	for (size_t i = 0; i < peer->n_chars; i++) {
		if (peer->chars[i].handle == path->characteristic && peer->chars[i].service == path->service)
			say_value(peer, &peer->chars[i], props->value);
	}
}

/* It was heard just now: there is no better moment, however often it failed before. */
static void hurry(struct gatt_peer *peer, const struct props *props)
{
	uint64_t soon = ble_now(peer->self) + GATT_AGAIN_MS;
	bool heard = props->has & HAS_RSSI || props->n_services || props->n_makers;

	if (peer->step != GATT_AWAY || peer->due_ms == UINT64_MAX || peer->due_ms <= soon || !heard || peer->self->bluez.kept)
		return;
	due_in(peer, GATT_AGAIN_MS);
}

/* Who does not pair hangs up, or BlueZ does, before or after it says so: once more, and without pairing. */
static void break_off(struct gatt_peer *peer)
{
	peer->refuses |= peer->step == GATT_PAIRING && !peer->asked_person;
	if (!peer->joins || !peer->refuses || peer->retried) {
		fail(peer, "the connection broke");
		return;
	}
	peer->retried = true;
	again(peer);
}

static void on_device(struct gatt_peer *peer, const struct props_path *path, const struct props *props)
{
	if (!props) {
		if (path->adapter == peer->adapter) {
			peer->present = false;
			peer->n_chars = 0;
			fail(peer, "it is gone");
		}
		return;
	}
	if (peer->step == GATT_AWAY && peer->adapter != path->adapter) {
		peer->adapter = path->adapter;
		peer->n_chars = 0;
	}
	if (path->adapter != peer->adapter)
		return;
	peer->present = true;
	if (props->has & HAS_NAME)
		text_copy(peer->name, sizeof(peer->name), props->name);
	if (props->has & HAS_PAIRED)
		peer->paired = props->paired;
	if (props->has & HAS_RESOLVED)
		peer->resolved = props->resolved;
	hurry(peer, props);
	if (props->has & HAS_CONNECTED && !props->connected && peer->step > GATT_CONNECTING)
		break_off(peer);
	else
		go_on(peer);
}

void gatt_said(gwa_self *self, const struct props_path *path, enum props_interface interface, const struct props *props)
{
	struct gatt_peer *peer = gatt_peer(self, path->mac);

	if (!peer)
		return;
	if (interface == PROPS_DEVICE)
		on_device(peer, path, props);
	else if (interface == PROPS_CHARACTERISTIC && path->adapter == peer->adapter)
		on_char(peer, path, props);
}

/* From above */

void gatt_know(gwa_self *self, const uint8_t mac[6], bool random)
{
	(void)!add_peer(self, mac, random);
}

bool gatt_join(gwa_self *self, const struct props_path *path, bool random, const char *name)
{
	struct gatt_peer *peer = gatt_peer(self, path->mac);

	if (peer)
		return true;
	peer = add_peer(self, path->mac, random);
	if (!peer)
		return false;
	peer->joins = peer->present = true;
	peer->adapter = path->adapter;
	text_copy(peer->name, sizeof(peer->name), name);
	bluez_watch(&self->bluez, peer->mac, true);
	sensors_joining(self, peer->mac, GWA_JOIN_SEEN, NULL);
	connect_to(peer);
	return true;
}

void gatt_forget(gwa_self *self, const uint8_t mac[6])
{
	struct gatt_peer *peer = gatt_peer(self, mac);

	if (!peer)
		return;
	bus_forget(&self->bus, peer);
	explicit_bzero(peer, sizeof(*peer));
	arm(self);
}

void gatt_lost(gwa_self *self)
{
	for (size_t i = 0; i < GATT_PEERS_MAX; i++) {
		struct gatt_peer *peer = &self->gatt.peers[i];

		if (!peer->used)
			continue;
		peer->present = false;
		peer->wait_ms = 0;
		peer->n_chars = 0;
		fail(peer, "Bluetooth went away");
	}
}

void gatt_on_timer(gwa_self *self)
{
	uint64_t now = ble_now(self);

	for (size_t i = 0; i < GATT_PEERS_MAX; i++) {
		struct gatt_peer *peer = &self->gatt.peers[i];

		if (!peer->used || peer->due_ms > now)
			continue;
		peer->due_ms = UINT64_MAX;
		if (peer->step == GATT_RESOLVING && !peer->resolved) {
			fail(peer, "it does not say what it has");
			continue;
		}
		if (peer->step == GATT_RESOLVING) {
			peer->step = GATT_READING;
			peer->at = 0;
			gatt_chars_number(peer);
		}
		if (peer->step == GATT_READY) {
			peer->at = peer->asks ? peer->at : 0;
			peer->due_ms = now + GATT_POLL_MS;
		}
		go_on(peer);
	}
	arm(self);
}

bool gatt_compare(gwa_self *self, const uint8_t mac[6], uint32_t digits)
{
	struct gatt_peer *peer = gatt_peer(self, mac);
	struct beacon *beacon = beacons_find(&self->beacons, mac);

	if (!peer || !peer->compares)
		return false;
	peer->compares = false;
	if (peer->digits != digits) {
		if (beacon)
			sensors_remove(self, beacon);
		else
			give_up(peer, "these are not our digits: somebody stands between");
		return true;
	}
	peer->authenticated = true;
	if (beacon) {
		beacon->evidence = 2;
		sensors_describe(self, beacon);
		keep_beacons_now(self);
	}
	return true;
}

void gatt_end_window(gwa_self *self)
{
	for (size_t i = 0; i < GATT_PEERS_MAX; i++) {
		self->gatt.peers[i].compares = false;
		self->gatt.peers[i].digits = 0;
	}
}
