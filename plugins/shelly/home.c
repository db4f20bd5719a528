/* Who lives here. A neighbour's device, or one that nobody has asked for, is not even spoken to: what is announced is noted down in
 * a small table, and only while a window is open do we call and ask. Who was let in then is remembered, by its MAC; where it
 * is, is a thing that changes.
 *
 * That a device is where an announcement says is believed when it says the same MAC itself, and, if it had a password when we met,
 * wants that password again. While it is connected, an announcement from elsewhere only makes us ask whether it is still there.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "shelly/shelly_inside.h"
#include "sys/crypto.h"

struct gwa_addr home_addr(const struct unit *unit)
{
	struct gwa_addr addr = { .len = 6 };

	memcpy(addr.bytes, unit->kept.info.mac, 6);
	return addr;
}

struct unit *home_find(const gwa_self *self, const uint8_t mac[6])
{
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		if (self->units[i] && self->units[i]->has_mac && memcmp(self->units[i]->kept.info.mac, mac, 6) == 0)
			return self->units[i];
	}
	return NULL;
}

static void say_joining(gwa_self *self, const struct unit *unit, int stage, const char *why)
{
	const struct gwa_host_ops *ops = gwa(self->host);
	struct gwa_addr addr = home_addr(unit);

	if (unit->has_mac && !unit->ours && ops->size >= offsetof(struct gwa_host_ops, joining) + sizeof(ops->joining))
		ops->joining(self->host, &addr, stage, why);
}

/* Units */

struct unit *home_new(gwa_self *self, const uint8_t *mac, const struct place *place)
{
	struct unit *unit;
	unsigned slot = 0;

	while (slot < SHELLY_UNITS_MAX && self->units[slot])
		slot++;
	if (slot == SHELLY_UNITS_MAX)
		return NULL;
	unit = calloc(1, sizeof(*unit));
	if (!unit)
		abort();
	unit->slot = slot;
	unit->line.fd = -1;
	unit->kept.place = unit->place = *place;
	unit->dial_at = unit->open_by = unit->ping_at = UINT64_MAX;
	unit->heard_at = shelly_now(self);
	if (mac) {
		memcpy(unit->kept.info.mac, mac, 6);
		unit->has_mac = true;
	}
	self->units[slot] = unit;
	return unit;
}

void home_free(gwa_self *self, struct unit *unit)
{
	unit_hang_up(self, unit);
	self->units[unit->slot] = NULL;
	status_map_deinit(&unit->kept.map);
	crypto_wipe(&unit->kept, sizeof(unit->kept));
	free(unit);
}

void home_remove(gwa_self *self, struct unit *unit)
{
	struct gwa_addr addr = home_addr(unit);

	unit->ours = false;
	home_save(self, unit);
	gwa(self->host)->device_down(self->host, &addr, 1);
	home_free(self, unit);
}

void home_tell(gwa_self *self, struct unit *unit)
{
	const struct rpc_info *info = &unit->kept.info;
	struct status_description d;
	char name[GWA_TEXT_MAX + 1];
	struct gwa_device device = { .size = sizeof(device), .addr = home_addr(unit), .hw = home_addr(unit),
				     .evidence = unit->evidence, .sleepy = unit->kept.map.sleep_s != 0, .vendor = "Shelly",
				     .model = info->model, .firmware = info->firmware, .name = name };

	text_print(name, sizeof(name), "Shelly %.40s %02x%02x", info->model, info->mac[4], info->mac[5]);
	if (info->name[0])
		text_copy(name, sizeof(name), info->name);
	status_describe(&unit->kept.map, &d);
	device.endpoints = d.endpoints;
	device.nendpoints = d.n_endpoints;
	unit->up = true;
	gwa(self->host)->device_up(self->host, &device);
}

/* The window */

static bool is_open(const gwa_self *self)
{
	return self->window.until != 0;
}

static bool is_wanted(const gwa_self *self, const uint8_t mac[6])
{
	return is_open(self) && self->window.left && (!self->window.only_one || memcmp(mac, self->window.mac, 6) == 0);
}

static struct seen *seen_find(gwa_self *self, const uint8_t mac[6])
{
	for (size_t i = 0; i < SHELLY_SEEN_MAX; i++) {
		if (self->seen[i].at && memcmp(self->seen[i].mac, mac, 6) == 0)
			return &self->seen[i];
	}
	return NULL;
}

static struct seen *seen_put(gwa_self *self, const uint8_t mac[6], const struct place *place)
{
	struct seen *seen = seen_find(self, mac), *oldest = &self->seen[0];

	for (size_t i = 0; !seen && i < SHELLY_SEEN_MAX; i++) {
		if (self->seen[i].at < oldest->at)
			oldest = &self->seen[i];
	}
	if (!seen) {
		seen = oldest;
		*seen = (struct seen){ .at = 0 };
		memcpy(seen->mac, mac, 6);
	}
	seen->at = shelly_now(self) + 1;
	seen->place = *place;
	return seen;
}

static void call(gwa_self *self, const uint8_t *mac, const struct place *place)
{
	struct unit *unit = home_new(self, mac, place);

	if (!unit) {
		shelly_note(self, GWA_NOTE_DROPPED, 1, NULL, "no room for more devices");
		return;
	}
	text_copy(unit->kept.password, sizeof(unit->kept.password), self->window.password);
	say_joining(self, unit, GWA_JOIN_SEEN, NULL);
	unit_dial(self, unit);
}

static unsigned count_strangers(const gwa_self *self)
{
	unsigned n = 0;

	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++)
		n += self->units[i] && !self->units[i]->ours;
	return n;
}

static void call_seen(gwa_self *self, struct seen *seen)
{
	uint64_t now = shelly_now(self);

	if (!seen->at || seen->tried || !is_wanted(self, seen->mac) || home_find(self, seen->mac) ||
	    count_strangers(self) >= self->window.left || (seen->called_at && seen->called_at + SHELLY_GAP_MS > now))
		return;
	seen->called_at = now;
	call(self, seen->mac, &seen->place);
}

/* A host of the settings: somebody's place already, or of one who was refused in this window. */
static bool is_taken(const gwa_self *self, const struct place *place)
{
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		if (self->units[i] && place_equal(&self->units[i]->place, place))
			return true;
	}
	for (size_t i = 0; i < SHELLY_SEEN_MAX; i++) {
		if (self->seen[i].at && self->seen[i].tried && place_equal(&self->seen[i].place, place))
			return true;
	}
	return false;
}

static void call_all(gwa_self *self)
{
	for (size_t i = 0; i < SHELLY_SEEN_MAX; i++)
		call_seen(self, &self->seen[i]);
	for (size_t i = 0; i < self->settings.n_hosts; i++) {
		if (count_strangers(self) < self->window.left && !is_taken(self, &self->settings.hosts[i]))
			call(self, NULL, &self->settings.hosts[i]);
	}
}

/* Hosts of the settings wait for the next round: nobody may be there. */
void home_call_more(gwa_self *self)
{
	bool more = self->call_more && is_open(self);

	self->call_more = false;
	for (size_t i = 0; more && i < SHELLY_SEEN_MAX; i++)
		call_seen(self, &self->seen[i]);
}

/* Who was refused gets another chance, with the password that was given now. */
static void call_ours(gwa_self *self)
{
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		struct unit *unit = self->units[i];

		if (!unit || !unit->ours || !unit->refused || (self->window.only_one && memcmp(unit->kept.info.mac, self->window.mac, 6) != 0))
			continue;
		unit->refused = false;
		/* That it may be without its password now is said of one device, by its address. */
		if (self->window.only_one)
			unit->kept.must_prove = false;
		if (self->window.password[0])
			text_copy(unit->kept.password, sizeof(unit->kept.password), self->window.password);
		unit_hang_up(self, unit);
		unit->dial_at = shelly_now(self);
	}
}

static void close_window(gwa_self *self)
{
	crypto_wipe(&self->window, sizeof(self->window));
	for (size_t i = 0; i < SHELLY_SEEN_MAX; i++)
		self->seen[i].tried = false;
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		if (self->units[i] && !self->units[i]->ours) {
			say_joining(self, self->units[i], GWA_JOIN_FAILED, "the window was closed");
			home_free(self, self->units[i]);
		}
	}
}

/* A password of digits only comes as bytes, because most codes are hex: what cannot be typed is turned back. */
static bool take_password(struct window *window, const uint8_t *code, size_t len)
{
	bool typed = text_is_utf8(code, len);

	for (size_t i = 0; i < len && typed; i++)
		typed = code[i] >= 0x20 && code[i] != 0x7f;
	if (typed)
		return text_copy_n(window->password, sizeof(window->password), code, len);
	if (2 * len > SESSION_PASSWORD_MAX)
		return false;
	hex_print(code, len, window->password);
	return true;
}

static bool take_code(struct window *window, const struct gwa_join *join)
{
	if (join->ncode > sizeof(join->code) || (join->ncode && !take_password(window, join->code, join->ncode)))
		return false;
	window->only_one = join->addr.len != 0;
	if (window->only_one)
		memcpy(window->mac, join->addr.bytes, 6);
	return true;
}

int home_open_window(gwa_self *self, const struct gwa_join *join)
{
	struct window window = { .left = SHELLY_WINDOW_MAX };

	if (join->addr.len && join->addr.len != 6)
		return GWA_BAD_VALUE;
	if (!take_code(&window, join))
		return GWA_BAD_VALUE;
	close_window(self);
	if (!join->seconds) {
		crypto_wipe(&window, sizeof(window));
		return GWA_OK;
	}
	window.until = shelly_now(self) + (uint64_t)join->seconds * 1000;
	self->window = window;
	crypto_wipe(&window, sizeof(window));
	self->asked = 0;
	self->ask_at = shelly_now(self);
	call_ours(self);
	call_all(self);
	return GWA_OK;
}

/* Finding */

/* Now, but not more often than once in a while, whatever is announced. */
static void look_at(gwa_self *self, struct unit *unit, const struct place *place)
{
	uint64_t gap = unit->tries > SHELLY_TRIES_FEW ? SHELLY_GAP_LONG_MS : SHELLY_GAP_MS;
	uint64_t now = shelly_now(self), soonest = unit->dialled_at ? unit->dialled_at + gap : now;

	unit->place = *place;
	unit->dial_at = soonest > now ? soonest : now;
}

/* Said to be elsewhere while we speak with it: is it still there? One that has not said its name yet has little time left for it. */
static void hear_rumour(gwa_self *self, struct unit *unit, const struct place *place)
{
	uint64_t now = shelly_now(self);

	if (place_equal(place, &unit->place) || unit->pinged)
		return;
	unit->rumour = *place;
	unit->has_rumour = true;
	if (unit->session.stage == SESSION_LIVE)
		unit->ping_at = now;
	else if (unit->open_by > now + SHELLY_GREET_MS)
		unit->open_by = now + SHELLY_GREET_MS;
}

void home_found(gwa_self *self, const struct mdns_found *found)
{
	struct place place = { .port = found->port };
	struct unit *unit;
	uint8_t mac[6];

	memcpy(place.address, found->address, 4);
	if (!rpc_mac_of(found->name, strlen(found->name), mac))
		return;
	unit = home_find(self, mac);
	if (!unit) {
		call_seen(self, seen_put(self, mac, &place));
		return;
	}
	if (unit->line.state != LINE_OFF) {
		hear_rumour(self, unit, &place);
		return;
	}
	if (unit->refused && place_equal(&place, &unit->place))
		return;
	look_at(self, unit, &place);
}

static bool somebody_is_missing(const gwa_self *self)
{
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		const struct unit *unit = self->units[i];

		if (unit && unit->ours && unit->line.state == LINE_OFF && !unit->kept.map.sleep_s)
			return true;
	}
	return false;
}

/* At 0, 1, 3, 7 s, then seldom; never when everybody is there and no window is open. Without a network: again later. */
static void ask(gwa_self *self)
{
	uint64_t wait = self->asked < 6 ? 1000u << self->asked : SHELLY_ASK_MS;
	bool deaf = self->finder.fd >= 0 && finder_ask(&self->finder);

	if (deaf && !self->asked)
		gwa(self->host)->log(self->host, 5, "there is no network to look for devices in");
	self->asked++;
	self->ask_at = deaf || is_open(self) || somebody_is_missing(self) ? shelly_now(self) + wait : UINT64_MAX;
	if (is_open(self))
		call_all(self);
}

void home_tick(gwa_self *self)
{
	uint64_t now = shelly_now(self);

	if (is_open(self) && self->window.until <= now)
		close_window(self);
	if (self->ask_at <= now)
		ask(self);
}

/* Talks */

bool home_who(gwa_self *self, struct unit *unit)
{
	const struct rpc_info *info = &unit->session.info;
	struct unit *other = unit->has_mac ? NULL : home_find(self, info->mac);

	if (other) {
		/* A host of the settings that is here already, or was elsewhere before. */
		if (other->line.state == LINE_OFF && other->ours && !other->refused) {
			other->place = unit->place;
			other->dial_at = shelly_now(self);
		}
		home_free(self, unit);
		return false;
	}
	if (!unit->has_mac && !is_wanted(self, info->mac)) {
		home_free(self, unit);
		return false;
	}
	if (!unit->has_mac) {
		memcpy(unit->kept.info.mac, info->mac, 6);
		unit->has_mac = true;
		say_joining(self, unit, GWA_JOIN_SEEN, NULL);
	}
	say_joining(self, unit, GWA_JOIN_INTERVIEW, NULL);
	return true;
}

static bool let_in(gwa_self *self, struct unit *unit)
{
	if (!is_wanted(self, unit->kept.info.mac)) {
		say_joining(self, unit, GWA_JOIN_FAILED, self->window.left ? "the window was closed" : "eight came in by this window: open another");
		home_free(self, unit);
		return false;
	}
	self->window.left--;
	say_joining(self, unit, GWA_JOIN_READY, NULL);
	unit->ours = true;
	return true;
}

static bool info_equal(const struct rpc_info *a, const struct rpc_info *b)
{
	return text_equal(a->id, b->id) && text_equal(a->name, b->name) && text_equal(a->model, b->model) &&
	       text_equal(a->firmware, b->firmware) && a->generation == b->generation && a->wants_password == b->wants_password;
}

/* What it is now, against what was known. True: something is other. */
static bool learn(struct unit *unit, const struct json *status, bool *ret_known)
{
	const struct rpc_info *info = &unit->session.info;
	struct status_map map;
	bool changed = !info_equal(&unit->kept.info, info) || unit->evidence != unit->session.proven ||
		       unit->kept.must_prove != unit->session.proven;

	*ret_known = status_map(status, &map) == 0;
	if (!*ret_known)
		return false;
	if (status_map_equal(&map, &unit->kept.map)) {
		status_map_deinit(&map);
	} else {
		status_map_deinit(&unit->kept.map);
		unit->kept.map = map;
		changed = true;
	}
	unit->kept.info = *info;
	unit->evidence = unit->session.proven;
	unit->kept.must_prove = unit->session.proven;
	return changed;
}

bool home_whole(gwa_self *self, struct unit *unit, const struct json *status)
{
	struct status_reading readings[STATUS_TRAITS_MAX];
	bool known = false, changed = learn(unit, status, &known), is_new = !unit->ours;
	uint64_t period = self->settings.ping_ms;
	uint32_t bad = 0;

	changed = changed || !place_equal(&unit->place, &unit->kept.place);
	unit->kept.place = unit->place;
	if (!known) {
		home_lost(self, unit, SESSION_E_NONSENSE, "it has nothing that is known here");
		return false;
	}
	if (is_new && !let_in(self, unit))
		return false;
	if (changed || is_new)
		home_save(self, unit);
	unit->refused = unit->suspected = unit->has_rumour = false;
	unit->open_by = UINT64_MAX;
	if (!unit->live_at)
		unit->live_at = shelly_now(self);
	if (changed || is_new || !unit->up)
		home_tell(self, unit);
	if (unit->ping_at == UINT64_MAX)
		unit->ping_at = ((shelly_now(self) + period / 2) / period + 1) * period;
	home_report(self, unit, readings, status_read(&unit->kept.map, status, readings, &bad));
	if (bad)
		shelly_note(self, GWA_NOTE_BAD_VALUE, bad, unit, "values that cannot be");
	return true;
}

static uint64_t patience(const struct unit *unit, bool refused)
{
	static const uint32_t waits[] = { 1000, 2000, 5000, 10000, 30000, 60000 };
	size_t i = unit->tries < N_ELEMENTS(waits) ? unit->tries : N_ELEMENTS(waits) - 1;
	uint32_t wait = refused ? SHELLY_REFUSED_MS : waits[i];

	return wait + crypto_random_below(wait / 4);
}

static void lost_stranger(gwa_self *self, struct unit *unit, int fault, const char *why)
{
	say_joining(self, unit, GWA_JOIN_FAILED, why);
	if (fault)
		shelly_log(self, 5, unit, why);
	if (unit->has_mac && fault)
		seen_put(self, unit->kept.info.mac, &unit->place)->tried = true;
	self->call_more = true;
	home_free(self, unit);
}

/* Somebody else's answer does not shut the device out: back to where it was. */
static void back_home(gwa_self *self, struct unit *unit, int fault, const char *why)
{
	if (fault && !unit->suspected)
		shelly_note(self, GWA_NOTE_STATUS, 1, unit, why);
	unit->suspected = unit->suspected || fault;
	unit->place = unit->kept.place;
}

static void say_lost(gwa_self *self, struct unit *unit, int fault, const char *why)
{
	if (fault && !unit->refused)
		shelly_note(self, GWA_NOTE_STATUS, 1, unit, why);
	else if (unit->up)
		shelly_log(self, 5, unit, why);
	unit->refused = fault != 0;
}

/* When it is called again. Who was there for long is called soon; who comes and goes, less and less often. */
static void plan(gwa_self *self, struct unit *unit)
{
	uint64_t now = shelly_now(self);

	if (unit->live_at && unit->live_at + SHELLY_STEADY_MS <= now)
		unit->tries = 0;
	unit->live_at = 0;
	unit->dial_at = unit->kept.map.sleep_s && !unit->refused ? UINT64_MAX : now + patience(unit, unit->refused);
	unit->tries += unit->tries < UINT32_MAX;
	if (unit->has_rumour) {
		unit->place = unit->rumour;
		unit->has_rumour = false;
		unit->dial_at = now;
	}
	if (!unit->kept.map.sleep_s && self->ask_at == UINT64_MAX) {
		self->asked = 0;
		self->ask_at = now + 500;
	}
}

void home_lost(gwa_self *self, struct unit *unit, int fault, const char *why)
{
	struct gwa_addr addr = home_addr(unit);
	bool tell = unit->up && (!unit->kept.map.sleep_s || fault);

	if (!unit->ours) {
		lost_stranger(self, unit, fault, why);
		return;
	}
	unit_hang_up(self, unit);
	if (place_equal(&unit->place, &unit->kept.place))
		say_lost(self, unit, fault, why);
	else
		back_home(self, unit, fault, why);
	plan(self, unit);
	if (tell) {
		unit->up = false;
		gwa(self->host)->device_down(self->host, &addr, 0);
	}
}
