/* The plugin as the host sees it: settings, what bluetoothd says handed to who it concerns, and what people ask for.
 *
 * One unix socket, opened in open() and kept: when the bus itself goes this process ends and is started again; when
 * bluetoothd goes it waits.
 */
#include "ble/plugin.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ble/ble_inside.h"
#include "ble/scan.h"

struct settings {
	char bus[BUS_PATH_MAX];
	bool passive;
	struct bluez_picks adapters;
};

uint64_t ble_now(const gwa_self *self)
{
	return gwa(self->host)->now_ms(self->host);
}

void ble_set_timer(gwa_self *self, uint32_t timer, uint64_t *at_ms, uint64_t due_ms)
{
	uint64_t now = ble_now(self);

	if (due_ms >= *at_ms)
		return;
	*at_ms = due_ms;
	gwa(self->host)->timer(self->host, timer, due_ms > now ? (uint32_t)(due_ms - now) : 1);
}

/* Settings */

static bool set_one(struct settings *settings, const char *key, const char *value)
{
	if (text_equal(key, "bus"))
		return value[0] == '/' && text_copy(settings->bus, sizeof(settings->bus), value);
	if (text_equal(key, "adapters"))
		return bluez_picks_read(value, &settings->adapters) == 0;
	if (text_equal(key, "scan")) {
		settings->passive = text_equal(value, "passive");
		return settings->passive || text_equal(value, "active");
	}
	return false;
}

static int read_settings(gwa_host *host, const struct gwa_opt *opts, uint32_t n, struct settings *ret)
{
	char text[160];

	*ret = (struct settings){ .bus = "/run/dbus/system_bus_socket" };
	for (uint32_t i = 0; i < n; i++) {
		if (set_one(ret, opts[i].key, opts[i].value))
			continue;
		text_print(text, sizeof(text), "option %.40s: unknown, or not what it should be", opts[i].key);
		gwa(host)->log(host, 3, text);
		return -EINVAL;
	}
	return 0;
}

/* What bluetoothd says */

static void on_listening(void *ctx, bool listening)
{
	sensors_listening(ctx, listening);
}

static void on_object(void *ctx, const struct props_path *path, enum props_interface interface, const struct props *props, bool whole)
{
	gwa_self *self = ctx;

	gatt_said(self, path, interface, props);
	if (interface == PROPS_DEVICE && props)
		sensors_said(self, path, props, whole);
}

static void on_odd(void *ctx, bool malformed, const char *what)
{
	gwa_self *self = ctx;

	gwa(self->host)->note(self->host, malformed ? GWA_NOTE_MALFORMED : GWA_NOTE_STATUS, 1, "bluetoothd", what);
}

static bool known(void *ctx, size_t i, uint8_t ret_mac[6])
{
	const gwa_self *self = ctx;

	if (i >= self->beacons.n)
		return false;
	memcpy(ret_mac, self->beacons.all[i]->mac, 6);
	return true;
}

static void on_there(void *ctx, bool there)
{
	gwa_self *self = ctx;

	if (there)
		agent_register(self);
	else
		gatt_lost(self);
}

static const struct bluez_calls bluez_calls = {
	.on_listening = on_listening, .on_object = on_object, .on_odd = on_odd, .known = known, .on_there = on_there,
};

/* What the bus says */

static void on_up(void *ctx)
{
	gwa_self *self = ctx;

	bluez_up(&self->bluez);
}

static void on_signal(void *ctx, DBusMessage *message)
{
	gwa_self *self = ctx;

	bluez_signal(&self->bluez, message);
}

/* Only bluetoothd has anything to ask us. */
static void on_call(void *ctx, DBusMessage *message)
{
	gwa_self *self = ctx;
	bool theirs = bluez_is_owner(&self->bluez, message);
	DBusMessage *reply;

	if (theirs && agent_asked(self, message))
		return;
	reply = theirs ? scan_answer(message) : NULL;
	if (!reply && !dbus_message_get_no_reply(message))
		reply = dbus_message_new_error(message, DBUS_ERROR_UNKNOWN_METHOD, "no such method here");
	bus_answer(&self->bus, reply);
}

static void on_lost(void *ctx, const char *why)
{
	gwa_self *self = ctx;

	gwa(self->host)->failed(self->host, why);
}

static const struct bus_calls bus_calls = {
	.on_up = on_up, .on_signal = on_signal, .on_call = on_call, .on_lost = on_lost,
};

/* What the host calls */

static void self_free(gwa_self *self)
{
	window_close(&self->window);
	beacons_deinit(&self->beacons);
	free(self->seen);
	free(self);
}

/* All that is remembered is described; that somebody is missing shows when its time is over. */
static void say_all(gwa_self *self)
{
	uint64_t now = ble_now(self);

	for (size_t i = 0; i < self->beacons.n; i++) {
		struct beacon *beacon = self->beacons.all[i];

		if (beacon->format == HEAR_GATT)
			gatt_know(self, beacon->mac, beacon->random);
		beacon->heard_ms = now ? now : 1;
		sensors_describe(self, beacon);
		ble_set_timer(self, TIMER_AWAY, &self->away_ms, beacon_away_at(beacon));
	}
	gwa(self->host)->devices_synced(self->host);
	/* Who has to be connected to is out of reach until he is. */
	for (size_t i = 0; i < self->beacons.n; i++) {
		if (self->beacons.all[i]->format == HEAR_GATT)
			sensors_go_down(self, self->beacons.all[i]);
	}
}

static int ble_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	gwa_self *self = calloc(1, sizeof(*self));
	struct settings settings;
	int r;

	if (!self)
		return -ENOMEM;
	self->host = host;
	self->away_ms = self->marks_ms = self->beacons_ms = UINT64_MAX;
	r = read_settings(host, opts, n, &settings);
	if (!r)
		r = bus_open(&self->bus, host, TIMER_BUS, settings.bus, &bus_calls, self);
	if (r) {
		if (r != -EINVAL)
			gwa(host)->log(host, 3, "the system bus cannot be reached: is dbus running, and may we use it?");
		self_free(self);
		return r;
	}
	bluez_init(&self->bluez, host, &self->bus, TIMER_BLUEZ, settings.passive, &bluez_calls, self);
	self->bluez.picks = settings.adapters;
	keep_load(self);
	say_all(self);
	gwa(host)->timer(host, TIMER_GRACE, BLE_GRACE_MS);
	*ret = self;
	return 0;
}

static void ble_close(gwa_self *self)
{
	keep_now(self);
	agent_deinit(self);
	bus_close(&self->bus);
	self_free(self);
}

static void ble_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			const struct gwa_value *value, uint32_t ttl_ms)
{
	const struct beacon *beacon = addr->len == 6 ? beacons_find(&self->beacons, addr->bytes) : NULL;

	(void)ttl_ms;
	if (beacon && beacon->format == HEAR_GATT)
		gatt_command(self, req, beacon->mac, endpoint, cap, value);
	else
		gwa(self->host)->done(self->host, req, beacon ? GWA_UNSUPPORTED : GWA_UNREACHABLE);
}

/* The window's own time runs here. */
static void turn_window(gwa_self *self)
{
	uint64_t now = ble_now(self), next = window_turn(&self->window, now);

	gwa(self->host)->timer(self->host, TIMER_WINDOW, next == UINT64_MAX ? 0 : (uint32_t)(next - now));
	sensors_window(self, window_is_any(&self->window));
	if (!window_is_any(&self->window))
		gatt_end_window(self);
}

static int open_for(gwa_self *self, const struct gwa_join *join)
{
	uint64_t until = ble_now(self) + join->seconds * UINT64_C(1000);
	struct guest guest = { .until_ms = until };
	int r = 0;

	if (!join->addr.len && !join->ncode) {
		window_open(&self->window, until);
		return GWA_OK;
	}
	if (join->addr.len != 6 || join->ncode > sizeof(join->code))
		return GWA_BAD_VALUE;
	memcpy(guest.mac, join->addr.bytes, 6);
	if (join->ncode)
		r = window_read_code(join->code, join->ncode, &guest);
	if (!r && guest.has_passkey && agent_give(self, guest.mac, guest.passkey))
		r = 0;
	else if (!r)
		r = window_invite(&self->window, &guest);
	explicit_bzero(&guest, sizeof(guest));
	return r == WINDOW_E_CODE ? GWA_BAD_VALUE : r ? GWA_BUSY : GWA_OK;
}

static void ble_permit_join(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	int status = GWA_OK;

	if (join->seconds == 0)
		window_close(&self->window);
	else if (!self->bus.up || !self->bluez.listening)
		status = GWA_UNREACHABLE;
	else
		status = open_for(self, join);
	turn_window(self);
	gwa(self->host)->done(self->host, req, status);
}

static void ble_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr)
{
	struct beacon *beacon = addr->len == 6 ? beacons_find(&self->beacons, addr->bytes) : NULL;

	if (beacon)
		sensors_remove(self, beacon);
	gwa(self->host)->done(self->host, req, beacon ? GWA_OK : GWA_UNREACHABLE);
}

static void ble_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)up_to;
	sensors_say_held(self);
}

static void ble_on_fd(gwa_self *self, int fd, uint32_t events)
{
	bus_on_fd(&self->bus, fd, events);
}

static void ble_on_timer(gwa_self *self, uint32_t timer)
{
	if (timer == TIMER_BUS)
		bus_on_timer(&self->bus);
	else if (timer == TIMER_BLUEZ)
		bluez_on_timer(&self->bluez);
	else if (timer == TIMER_AWAY)
		sensors_away(self);
	else if (timer == TIMER_BEACONS)
		keep_beacons_now(self);
	else if (timer == TIMER_MARKS)
		keep_marks_now(self);
	else if (timer == TIMER_WINDOW)
		turn_window(self);
	else if (timer == TIMER_GATT)
		gatt_on_timer(self);
	else if (timer == TIMER_GRACE)
		sensors_grace(self);
}

const struct gwa_ops ble_ops = {
	.size = sizeof(ble_ops),
	.open = ble_open,
	.close = ble_close,
	.command = ble_command,
	.permit_join = ble_permit_join,
	.remove = ble_remove,
	.on_stored = ble_on_stored,
	.on_fd = ble_on_fd,
	.on_timer = ble_on_timer,
};
