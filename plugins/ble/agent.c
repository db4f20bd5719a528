/* BlueZ waits a minute for an answer, which is long enough for a person to walk to the device and read six digits. */
#include "ble/agent.h"

#include <string.h>
#include "base/text.h"
#include "ble/ble_inside.h"

#define INTERFACE "org.bluez.Agent1"
enum { REGISTER_MS = 25000, PASSKEY_MOST = 999999 };

static DBusMessage *refuse(DBusMessage *call)
{
	return dbus_message_new_error(call, "org.bluez.Error.Rejected", "nobody lets it in");
}

static DBusMessage *accept(DBusMessage *call)
{
	return dbus_message_new_method_return(call);
}

static DBusMessage *passkey(DBusMessage *call, uint32_t number)
{
	DBusMessage *reply = dbus_message_new_method_return(call);

	if (reply && !dbus_message_append_args(reply, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID)) {
		dbus_message_unref(reply);
		return NULL;
	}
	return reply;
}

/* The first argument is the device's path, the second of some a number; whatever else there is does not concern us. */
static bool read_call(DBusMessage *call, bool with_number, struct props_path *ret_path, uint32_t *ret_number)
{
	DBusMessageIter at;
	const char *path;

	if (!dbus_message_iter_init(call, &at) || dbus_message_iter_get_arg_type(&at) != DBUS_TYPE_OBJECT_PATH)
		return false;
	dbus_message_iter_get_basic(&at, &path);
	if (props_path_read(path, ret_path) || !ret_path->has_device)
		return false;
	if (!with_number)
		return true;
	if (!dbus_message_iter_next(&at) || dbus_message_iter_get_arg_type(&at) != DBUS_TYPE_UINT32)
		return false;
	dbus_message_iter_get_basic(&at, ret_number);
	return *ret_number <= PASSKEY_MOST;
}

static void show(gwa_self *self, struct gatt_peer *peer, uint32_t number)
{
	char digits[8];

	text_print(digits, sizeof(digits), "%06u", number);
	sensors_joining(self, peer->mac, GWA_JOIN_PASSKEY, digits);
	explicit_bzero(digits, sizeof(digits));
}

static DBusMessage *on_display(gwa_self *self, struct gatt_peer *peer, DBusMessage *call, uint32_t number)
{
	/* BlueZ says it anew with each digit that was typed. */
	if (!peer->asked_person)
		show(self, peer, number);
	peer->asked_person = peer->authenticated = true;
	return accept(call);
}

static DBusMessage *on_confirm(gwa_self *self, struct gatt_peer *peer, DBusMessage *call, uint32_t number)
{
	show(self, peer, number);
	peer->asked_person = peer->compares = true;
	peer->digits = number;
	return accept(call);
}

static DBusMessage *on_authorize(gwa_self *self, struct gatt_peer *peer, DBusMessage *call, uint32_t number)
{
	(void)self, (void)peer, (void)number;
	return accept(call);
}

static DBusMessage *on_passkey(gwa_self *self, struct gatt_peer *peer, DBusMessage *call, uint32_t number)
{
	struct guest *guest = window_guest(&self->window, peer->mac);

	(void)number;
	peer->asked_person = peer->authenticated = true;
	if (guest && guest->has_passkey)
		return passkey(call, guest->passkey);
	if (self->agent.waiting)
		return refuse(call);
	self->agent.waiting = dbus_message_ref(call);
	memcpy(self->agent.mac, peer->mac, 6);
	sensors_joining(self, peer->mac, GWA_JOIN_CONFIGURE, "it shows six digits: give them as its code within a minute");
	return NULL;
}

static const struct {
	const char *method;
	bool has_number;
	DBusMessage *(*answer)(gwa_self *self, struct gatt_peer *peer, DBusMessage *call, uint32_t number); /* NULL: later */
} rows[] = {
	{ "DisplayPasskey", true, on_display },
	{ "RequestPasskey", false, on_passkey },
	{ "RequestConfirmation", true, on_confirm },
	{ "RequestAuthorization", false, on_authorize },
	{ "AuthorizeService", false, on_authorize },
};

static DBusMessage *answer(gwa_self *self, DBusMessage *call, bool *ret_later)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct props_path path;
		struct gatt_peer *peer;
		uint32_t number = 0;
		DBusMessage *reply;

		if (!dbus_message_is_method_call(call, INTERFACE, rows[i].method))
			continue;
		peer = read_call(call, rows[i].has_number, &path, &number) ? gatt_peer(self, path.mac) : NULL;
		if (!peer || !gatt_is_pairing(peer) || !window_is_any(&self->window))
			return refuse(call);
		reply = rows[i].answer(self, peer, call, number);
		*ret_later = !reply && self->agent.waiting;
		return reply;
	}
	return refuse(call);
}

static void drop_waiting(gwa_self *self)
{
	if (!self->agent.waiting)
		return;
	bus_answer(&self->bus, refuse(self->agent.waiting));
	dbus_message_unref(self->agent.waiting);
	self->agent.waiting = NULL;
}

bool agent_asked(gwa_self *self, DBusMessage *call)
{
	const char *path = dbus_message_get_path(call);
	bool later = false;

	if (!path || strcmp(path, AGENT_PATH) != 0)
		return false;
	if (dbus_message_is_method_call(call, INTERFACE, "Cancel") || dbus_message_is_method_call(call, INTERFACE, "Release")) {
		drop_waiting(self);
		bus_answer(&self->bus, accept(call));
	} else {
		DBusMessage *reply = answer(self, call, &later);

		if (!later)
			bus_answer(&self->bus, reply);
	}
	return true;
}

bool agent_give(gwa_self *self, const uint8_t mac[6], uint32_t number)
{
	if (!self->agent.waiting || memcmp(self->agent.mac, mac, 6) != 0)
		return gatt_compare(self, mac, number);
	bus_answer(&self->bus, passkey(self->agent.waiting, number));
	dbus_message_unref(self->agent.waiting);
	self->agent.waiting = NULL;
	return true;
}

void agent_end(gwa_self *self, const uint8_t mac[6])
{
	if (self->agent.waiting && memcmp(self->agent.mac, mac, 6) == 0)
		drop_waiting(self);
}

void agent_deinit(gwa_self *self)
{
	if (self->agent.waiting)
		dbus_message_unref(self->agent.waiting);
	self->agent.waiting = NULL;
}

void agent_register(gwa_self *self)
{
	DBusMessage *message = bluez_message(&self->bluez, "/org/bluez", "org.bluez.AgentManager1", "RegisterAgent");
	const char *path = AGENT_PATH, *capability = "KeyboardDisplay";

	if (message && dbus_message_append_args(message, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_STRING, &capability, DBUS_TYPE_INVALID))
		(void)!bus_call(&self->bus, message, REGISTER_MS, NULL, NULL);
	else if (message)
		dbus_message_unref(message);
}
