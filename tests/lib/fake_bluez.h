#pragma once
/* fake_bluez - a bus with a bluetoothd on it, both of the test's making, in the test's own process and on its own time.
 *
 *	struct fb *fb = fb_new("/tmp/x/bus");     it listens there
 *	fb_turn(fb);                                 whenever the other side may have said something
 *	fb_beacon(fb, mac, 0xfcd2, bytes, n);        an advertisement
 *	fb->fail = "Connect", fb->error = "org.bluez.Error.Failed";
 *
 * Who speaks to it gets the signals that it has subscribed to, as from a real bus. It knows no air and no time; what it
 * is for is faults. What real software does is asked of real software (tests/radio).
 */
#include "fake_bluez_says.h"

static inline DBusHandlerResult fb_on_message(DBusConnection *connection, DBusMessage *message, void *data);

static inline dbus_bool_t fb_watch_add(DBusWatch *watch, void *data)
{
	struct fb *fb = data;

	for (size_t i = 0; i < 8; i++) {
		if (fb->watches[i])
			continue;
		fb->watches[i] = watch;
		return TRUE;
	}
	return FALSE;
}
static inline void fb_watch_remove(DBusWatch *watch, void *data)
{
	struct fb *fb = data;

	for (size_t i = 0; i < 8; i++) {
		if (fb->watches[i] == watch)
			fb->watches[i] = NULL;
	}
}
static inline void fb_watch_toggle(DBusWatch *watch, void *data)
{
	(void)watch, (void)data;
}

static inline void fb_on_connection(DBusServer *server, DBusConnection *connection, void *data)
{
	struct fb *fb = data;

	(void)server;
	if (fb->connection) {
		dbus_connection_close(fb->connection);
		dbus_connection_unref(fb->connection);
	}
	for (size_t i = 0; i < fb->n_rules; i++)
		free(fb->rules[i]);
	fb->n_rules = 0;
	fb->connection = dbus_connection_ref(connection);
	dbus_connection_add_filter(connection, fb_on_message, fb, NULL);
}

static inline struct fb *fb_new(const char *path)
{
	struct fb *fb = calloc(1, sizeof(*fb));
	DBusError error = DBUS_ERROR_INIT;
	char address[160];

	snprintf(fb->path, sizeof(fb->path), "%s", path);
	snprintf(address, sizeof(address), "unix:path=%s", path);
	unlink(path);
	fb->owner = FB_OWNER;
	fb->there = fb->present = true;
	fb->server = dbus_server_listen(address, &error);
	assert_non_null(fb->server);
	dbus_server_set_watch_functions(fb->server, fb_watch_add, fb_watch_remove, fb_watch_toggle, fb, NULL);
	dbus_server_set_new_connection_function(fb->server, fb_on_connection, fb, NULL);
	return fb;
}

/* The bus itself goes. */
static inline void fb_hang_up(struct fb *fb)
{
	if (!fb->connection)
		return;
	dbus_connection_close(fb->connection);
	dbus_connection_unref(fb->connection);
	fb->connection = NULL;
}

static inline void fb_free(struct fb *fb)
{
	fb_hang_up(fb);
	dbus_server_disconnect(fb->server);
	dbus_server_set_watch_functions(fb->server, NULL, NULL, NULL, NULL, NULL);
	dbus_server_unref(fb->server);
	if (fb->held)
		dbus_message_unref(fb->held);
	if (fb->agent_reply)
		dbus_message_unref(fb->agent_reply);
	for (size_t i = 0; i < fb->n_rules; i++)
		free(fb->rules[i]);
	unlink(fb->path);
	free(fb);
}

static inline void fb_turn(struct fb *fb)
{
	for (size_t i = 0; i < 8; i++) {
		if (fb->watches[i] && dbus_watch_get_enabled(fb->watches[i]))
			dbus_watch_handle(fb->watches[i], DBUS_WATCH_READABLE);
	}
	if (!fb->connection)
		return;
	for (int idle = 0; idle < 3 && fb->connection; idle++) {
		size_t before = fb->handled;

		dbus_connection_read_write(fb->connection, 0);
		while (fb->connection && dbus_connection_dispatch(fb->connection) == DBUS_DISPATCH_DATA_REMAINS)
			;
		idle = fb->handled == before ? idle : 0;
	}
}

static inline bool fb_was_called(const struct fb *fb, const char *method)
{
	char word[64];

	snprintf(word, sizeof(word), "%s ", method);
	return strstr(fb->log, word) != NULL;
}
static inline void fb_forget_calls(struct fb *fb)
{
	fb->log[0] = '\0';
}

/* The world */

static inline struct fb_device *fb_device(struct fb *fb, const uint8_t mac[6])
{
	for (size_t i = 0; i < fb->n_devices; i++) {
		if (memcmp(fb->devices[i].mac, mac, 6) == 0)
			return &fb->devices[i];
	}
	assert_true(fb->n_devices < FB_DEVICES);
	fb->devices[fb->n_devices] = (struct fb_device){ .rssi = -60 };
	memcpy(fb->devices[fb->n_devices].mac, mac, 6);
	return &fb->devices[fb->n_devices++];
}

/* Heard for the first time: the whole object; else what changed. */
static inline void fb_heard(struct fb *fb, struct fb_device *d)
{
	DBusMessageIter at, dict, interfaces;
	DBusMessage *signal;
	char path[96];
	const char *text = path;

	fb_device_path(d, path);
	if (!fb->there || !fb->present)
		return;
	if (d->present) {
		signal = fb_changed(path, "org.bluez.Device1", &at, &dict);
		fb_device_props(&dict, d, false);
		fb_changed_end(fb, signal, "org.bluez.Device1", &at, &dict);
		return;
	}
	d->present = true;
	signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
	dbus_message_iter_init_append(signal, &at);
	dbus_message_iter_append_basic(&at, DBUS_TYPE_OBJECT_PATH, &text);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
	fb_put_device(&interfaces, d);
	dbus_message_iter_close_container(&at, &interfaces);
	fb_signal(fb, signal, NULL);
}

static inline struct fb_device *fb_beacon(struct fb *fb, const uint8_t mac[6], uint16_t uuid, const void *data, size_t len)
{
	struct fb_device *d = fb_device(fb, mac);

	d->uuid = uuid;
	d->len = len;
	memcpy(d->data, data, len);
	fb_heard(fb, d);
	return d;
}

static inline void fb_gone(struct fb *fb, struct fb_device *d)
{
	DBusMessage *signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
	const char *name = "org.bluez.Device1";
	const char **names = &name;
	char path[96];
	const char *text = path;

	fb_device_path(d, path);
	dbus_message_append_args(signal, DBUS_TYPE_OBJECT_PATH, &text, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &names, 1, DBUS_TYPE_INVALID);
	d->present = d->connected = d->resolved = d->told = false;
	fb_signal(fb, signal, NULL);
}

/* bluetoothd ends, or begins. */
static inline void fb_daemon(struct fb *fb, bool there)
{
	DBusMessage *signal = dbus_message_new_signal(DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged");
	const char *name = "org.bluez", *before = there ? "" : fb->owner, *now;

	if (there)
		fb->owner = strcmp(fb->owner, ":1.7") == 0 ? ":1.8" : ":1.7";
	now = there ? fb->owner : "";
	fb->there = there;
	fb->powered = fb->discovering = false;
	for (size_t i = 0; i < fb->n_devices; i++)
		fb->devices[i].present = fb->devices[i].connected = fb->devices[i].resolved = fb->devices[i].told = false;
	dbus_message_append_args(signal, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before, DBUS_TYPE_STRING, &now, DBUS_TYPE_INVALID);
	fb_send(fb, signal, DBUS_SERVICE_DBUS);
}

static inline void fb_power(struct fb *fb, bool on)
{
	fb->powered = on;
	if (!on)
		fb->discovering = false;
	fb_say_bool(fb, "/org/bluez/hci0", "org.bluez.Adapter1", "Powered", on);
}

static inline void fb_notify(struct fb *fb, struct fb_device *d, struct fb_char *c)
{
	DBusMessageIter at, dict;
	DBusMessage *signal;
	char path[96];

	fb_char_path(d, c, path);
	signal = fb_changed(path, "org.bluez.GattCharacteristic1", &at, &dict);
	fb_put_value(&dict, c->value, c->len);
	fb_changed_end(fb, signal, "org.bluez.GattCharacteristic1", &at, &dict);
}

static inline void fb_say_char(struct fb *fb, struct fb_device *d, struct fb_char *c)
{
	DBusMessage *signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
	DBusMessageIter at, interfaces;
	char path[96];
	const char *text = path;

	fb_char_path(d, c, path);
	dbus_message_iter_init_append(signal, &at);
	dbus_message_iter_append_basic(&at, DBUS_TYPE_OBJECT_PATH, &text);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
	fb_put_char(&interfaces, c);
	dbus_message_iter_close_container(&at, &interfaces);
	fb_signal(fb, signal, NULL);
}

static inline void fb_disconnect(struct fb *fb, struct fb_device *d)
{
	char path[96];

	fb_device_path(d, path);
	d->connected = d->resolved = false;
	fb_say_bool(fb, path, "org.bluez.Device1", "Connected", false);
}

/* Calls */

static inline struct fb_device *fb_of_path(struct fb *fb, const char *path, struct fb_char **ret_char)
{
	char own[96];

	*ret_char = NULL;
	for (size_t i = 0; i < fb->n_devices; i++) {
		struct fb_device *d = &fb->devices[i];

		fb_device_path(d, own);
		if (strcmp(own, path) == 0)
			return d;
		for (size_t k = 0; k < d->n_chars; k++) {
			fb_char_path(d, &d->chars[k], own);
			if (strcmp(own, path) == 0) {
				*ret_char = &d->chars[k];
				return d;
			}
		}
	}
	return NULL;
}

static inline void fb_on_agent(DBusPendingCall *pending, void *data)
{
	struct fb *fb = data;
	DBusMessage *reply = dbus_pending_call_steal_reply(pending), *end;
	bool good = dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN;
	struct fb_char *none;

	if (fb->agent_reply)
		dbus_message_unref(fb->agent_reply);
	fb->agent_reply = reply;
	if (fb->held) {
		end = good ? dbus_message_new_method_return(fb->held) :
			     dbus_message_new_error(fb->held, "org.bluez.Error.AuthenticationFailed", "no");
		if (good)
			fb_of_path(fb, dbus_message_get_path(fb->held), &none)->paired = true;
		fb_send(fb, end, fb->owner);
		dbus_message_unref(fb->held);
		fb->held = NULL;
	}
	dbus_pending_call_unref(pending);
}

/* The agent is asked; Pair is answered by what it says. */
static inline void fb_ask_agent(struct fb *fb, const char *device, const char *method)
{
	DBusMessage *call = dbus_message_new_method_call(FB_US, "/gatewayd/agent", "org.bluez.Agent1", method);
	DBusPendingCall *pending;
	uint16_t entered = 0;

	dbus_message_append_args(call, DBUS_TYPE_OBJECT_PATH, &device, DBUS_TYPE_INVALID);
	if (strcmp(method, "DisplayPasskey") == 0)
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &fb->passkey, DBUS_TYPE_UINT16, &entered, DBUS_TYPE_INVALID);
	if (strcmp(method, "RequestConfirmation") == 0)
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &fb->passkey, DBUS_TYPE_INVALID);
	dbus_message_set_sender(call, fb->owner);
	dbus_connection_send_with_reply(fb->connection, call, &pending, 60000);
	dbus_pending_call_set_notify(pending, fb_on_agent, fb, NULL);
	dbus_message_unref(call);
}

static inline void fb_connect(struct fb *fb, struct fb_device *d)
{
	char path[96];

	fb_device_path(d, path);
	d->connected = d->resolved = true;
	fb_say_bool(fb, path, "org.bluez.Device1", "Connected", true);
	fb_say_bool(fb, path, "org.bluez.Device1", "ServicesResolved", true);
	for (size_t i = 0; i < d->n_chars && !d->told; i++)
		fb_say_char(fb, d, &d->chars[i]);
	d->told = true;
}

static inline DBusMessage *fb_bluez(struct fb *fb, DBusMessage *call, const char *member)
{
	struct fb_char *c;
	struct fb_device *d = fb_of_path(fb, dbus_message_get_path(call), &c);
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter at, array;
	const uint8_t *bytes;
	int n;

	if (strcmp(member, "GetManagedObjects") == 0) {
		fb_put_objects(fb, reply);
	} else if (strcmp(member, "Set") == 0) {
		fb_power(fb, true);
	} else if (strcmp(member, "StartDiscovery") == 0) {
		fb->discovering = true;
		fb_say_bool(fb, "/org/bluez/hci0", "org.bluez.Adapter1", "Discovering", true);
	} else if (strcmp(member, "Connect") == 0 && d) {
		fb_connect(fb, d);
	} else if (strcmp(member, "Pair") == 0 && d && fb->pairing) {
		fb->held = dbus_message_ref(call);
		dbus_message_unref(reply);
		fb_ask_agent(fb, dbus_message_get_path(call), fb->pairing);
		return NULL;
	} else if (strcmp(member, "ReadValue") == 0 && c) {
		bytes = c->value;
		dbus_message_iter_init_append(reply, &at);
		dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "y", &array);
		dbus_message_iter_append_fixed_array(&array, DBUS_TYPE_BYTE, &bytes, (int)c->len);
		dbus_message_iter_close_container(&at, &array);
	} else if (strcmp(member, "WriteValue") == 0 && c) {
		check_true(dbus_message_has_signature(call, "aya{sv}"));
		dbus_message_iter_init(call, &at);
		dbus_message_iter_recurse(&at, &array);
		dbus_message_iter_get_fixed_array(&array, &bytes, &n);
		c->len = (size_t)n;
		memcpy(c->value, bytes, c->len);
	} else if (strcmp(member, "StartNotify") == 0 && c) {
		c->notifying = true;
	}
	return reply;
}

static inline DBusMessage *fb_driver(struct fb *fb, DBusMessage *call, const char *member)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	const char *us = FB_US, *text = "";

	if (strcmp(member, "Hello") == 0)
		dbus_message_append_args(reply, DBUS_TYPE_STRING, &us, DBUS_TYPE_INVALID);
	if (strcmp(member, "AddMatch") == 0 || strcmp(member, "RemoveMatch") == 0)
		dbus_message_get_args(call, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
	if (strcmp(member, "AddMatch") == 0) {
		assert_true(fb->n_rules < FB_RULES);
		fb->rules[fb->n_rules++] = strdup(text);
	}
	for (size_t i = 0; strcmp(member, "RemoveMatch") == 0 && i < fb->n_rules; i++) {
		if (strcmp(fb->rules[i], text) != 0)
			continue;
		free(fb->rules[i]);
		fb->rules[i] = fb->rules[--fb->n_rules];
		break;
	}
	if (strcmp(member, "GetNameOwner") == 0) {
		if (fb->there) {
			dbus_message_append_args(reply, DBUS_TYPE_STRING, &fb->owner, DBUS_TYPE_INVALID);
		} else {
			dbus_message_unref(reply);
			reply = dbus_message_new_error(call, DBUS_ERROR_NAME_HAS_NO_OWNER, "none");
		}
	}
	return reply;
}

static inline DBusHandlerResult fb_on_message(DBusConnection *connection, DBusMessage *message, void *data)
{
	const char *member = dbus_message_get_member(message), *to = dbus_message_get_destination(message);
	bool driver = to && strcmp(to, DBUS_SERVICE_DBUS) == 0;
	struct fb *fb = data;
	DBusMessage *reply;

	(void)connection;
	fb->handled++;
	if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	if (!driver && strlen(fb->log) + strlen(member) + 2 < FB_LOG) {
		strcat(fb->log, member);
		strcat(fb->log, " ");
	}
	if (fb->fail && strcmp(fb->fail, member) == 0)
		reply = fb->error ? dbus_message_new_error(message, fb->error, "by the test") : NULL;
	else if (!driver && !fb->there)
		reply = dbus_message_new_error(message, DBUS_ERROR_SERVICE_UNKNOWN, "nobody");
	else
		reply = driver ? fb_driver(fb, message, member) : fb_bluez(fb, message, member);
	if (reply && dbus_message_get_no_reply(message)) {
		dbus_message_unref(reply);
		reply = NULL;
	}
	if (reply)
		fb_send(fb, reply, driver ? DBUS_SERVICE_DBUS : fb->owner);
	return DBUS_HANDLER_RESULT_HANDLED;
}
