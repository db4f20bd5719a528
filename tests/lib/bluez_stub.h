#pragma once
/* bluez_stub - a bus with a bluetoothd on it, both of the test's making, in the test's own process and on its own time.
 *
 *	struct stub *stub = stub_new("/tmp/x/bus");     it listens there
 *	stub_turn(stub);                                 whenever the other side may have said something
 *	stub_beacon(stub, mac, 0xfcd2, bytes, n);        an advertisement
 *	stub->fail = "Connect", stub->error = "org.bluez.Error.Failed";
 *
 * Who speaks to it gets the signals that it has subscribed to, as from a real bus. It knows no air and no time; what it
 * is for is faults. What real software does is asked of real software (tests/radio).
 */
#include "check.h"

#include <dbus/dbus.h>

enum { STUB_RULES = 600, STUB_DEVICES = 400, STUB_CHARS = 8, STUB_LOG = 4096 };
#define STUB_OWNER ":1.7"
#define STUB_US ":1.42"

struct stub_char {
	uint16_t service, handle, uuid;
	const char *flags[4];
	uint8_t value[16];
	size_t len;
	bool notifying;
};
struct stub_device {
	bool present, random, connected, paired, resolved;
	uint8_t mac[6];
	const char *name;
	uint16_t uuid; /* of service data; 0: none */
	uint16_t company;
	uint16_t service; /* among its UUIDs; 0: none */
	int16_t rssi;
	uint8_t data[64];
	size_t len;
	size_t n_chars;
	struct stub_char chars[STUB_CHARS];
};
struct stub {
	char path[108];
	DBusServer *server;
	DBusWatch *watches[8];
	DBusConnection *connection;
	bool there, powered, discovering, present, monitors, scans;
	const char *owner;
	char *rules[STUB_RULES];
	size_t n_rules;
	const char *fail, *error; /* this method fails so; error NULL: it is not answered at all */
	DBusMessage *held;	  /* a Pair that waits for the agent */
	DBusMessage *agent_reply; /* what the agent said last */
	char log[STUB_LOG];	  /* all methods that were called, with a blank behind each */
	struct stub_device devices[STUB_DEVICES];
	size_t n_devices;
	size_t sent, dropped; /* signals that somebody wanted, and those that nobody did */
	const char *pairing;  /* what Pair asks the agent: a method's name; NULL: nothing */
	uint32_t passkey;
};

static inline DBusHandlerResult stub_on_message(DBusConnection *connection, DBusMessage *message, void *data);

static inline dbus_bool_t stub_watch_add(DBusWatch *watch, void *data)
{
	struct stub *stub = data;

	for (size_t i = 0; i < 8; i++) {
		if (stub->watches[i])
			continue;
		stub->watches[i] = watch;
		return TRUE;
	}
	return FALSE;
}
static inline void stub_watch_remove(DBusWatch *watch, void *data)
{
	struct stub *stub = data;

	for (size_t i = 0; i < 8; i++) {
		if (stub->watches[i] == watch)
			stub->watches[i] = NULL;
	}
}
static inline void stub_watch_toggle(DBusWatch *watch, void *data)
{
	(void)watch, (void)data;
}

static inline void stub_on_connection(DBusServer *server, DBusConnection *connection, void *data)
{
	struct stub *stub = data;

	(void)server;
	if (stub->connection) {
		dbus_connection_close(stub->connection);
		dbus_connection_unref(stub->connection);
	}
	for (size_t i = 0; i < stub->n_rules; i++)
		free(stub->rules[i]);
	stub->n_rules = 0;
	stub->connection = dbus_connection_ref(connection);
	dbus_connection_add_filter(connection, stub_on_message, stub, NULL);
}

static inline struct stub *stub_new(const char *path)
{
	struct stub *stub = calloc(1, sizeof(*stub));
	DBusError error = DBUS_ERROR_INIT;
	char address[160];

	snprintf(stub->path, sizeof(stub->path), "%s", path);
	snprintf(address, sizeof(address), "unix:path=%s", path);
	unlink(path);
	stub->owner = STUB_OWNER;
	stub->there = stub->present = true;
	stub->server = dbus_server_listen(address, &error);
	assert_non_null(stub->server);
	dbus_server_set_watch_functions(stub->server, stub_watch_add, stub_watch_remove, stub_watch_toggle, stub, NULL);
	dbus_server_set_new_connection_function(stub->server, stub_on_connection, stub, NULL);
	return stub;
}

/* The bus itself goes. */
static inline void stub_hang_up(struct stub *stub)
{
	if (!stub->connection)
		return;
	dbus_connection_close(stub->connection);
	dbus_connection_unref(stub->connection);
	stub->connection = NULL;
}

static inline void stub_free(struct stub *stub)
{
	stub_hang_up(stub);
	dbus_server_disconnect(stub->server);
	dbus_server_set_watch_functions(stub->server, NULL, NULL, NULL, NULL, NULL);
	dbus_server_unref(stub->server);
	if (stub->held)
		dbus_message_unref(stub->held);
	if (stub->agent_reply)
		dbus_message_unref(stub->agent_reply);
	for (size_t i = 0; i < stub->n_rules; i++)
		free(stub->rules[i]);
	unlink(stub->path);
	free(stub);
}

static inline void stub_turn(struct stub *stub)
{
	for (size_t i = 0; i < 8; i++) {
		if (stub->watches[i] && dbus_watch_get_enabled(stub->watches[i]))
			dbus_watch_handle(stub->watches[i], DBUS_WATCH_READABLE);
	}
	if (!stub->connection)
		return;
	dbus_connection_read_write(stub->connection, 0);
	while (stub->connection && dbus_connection_dispatch(stub->connection) == DBUS_DISPATCH_DATA_REMAINS)
		;
}

static inline bool stub_was_called(const struct stub *stub, const char *method)
{
	char word[64];

	snprintf(word, sizeof(word), "%s ", method);
	return strstr(stub->log, word) != NULL;
}
static inline void stub_forget_calls(struct stub *stub)
{
	stub->log[0] = '\0';
}

/* Sending */

static inline void stub_send(struct stub *stub, DBusMessage *message, const char *sender)
{
	dbus_message_set_sender(message, sender);
	dbus_message_set_destination(message, STUB_US);
	if (stub->connection)
		dbus_connection_send(stub->connection, message, NULL);
	dbus_message_unref(message);
}

/* As a bus decides it, for the rules that we use. */
static inline bool stub_is_wanted(const struct stub *stub, const char *path, const char *interface, const char *arg0)
{
	for (size_t i = 0; i < stub->n_rules; i++) {
		const char *rule = stub->rules[i], *space = strstr(rule, "path_namespace='"), *arg = strstr(rule, "arg0='");
		size_t len;

		if (!strstr(rule, interface))
			continue;
		if (arg && (!arg0 || strncmp(arg + 6, arg0, strlen(arg0)) != 0))
			continue;
		if (!space)
			return true;
		space += 16;
		len = strcspn(space, "'");
		if (strncmp(path, space, len) == 0 && (path[len] == '\0' || path[len] == '/'))
			return true;
	}
	return false;
}

static inline void stub_signal(struct stub *stub, DBusMessage *signal, const char *arg0)
{
	if (stub_is_wanted(stub, dbus_message_get_path(signal), dbus_message_get_interface(signal), arg0)) {
		stub->sent++;
		stub_send(stub, signal, stub->owner);
	} else {
		stub->dropped++;
		dbus_message_unref(signal);
	}
}

static inline void stub_put(DBusMessageIter *dict, const char *key, int type, const void *value)
{
	char signature[2] = { (char)type, 0 };
	DBusMessageIter entry, variant;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant);
	dbus_message_iter_append_basic(&variant, type, value);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(dict, &entry);
}
static inline void stub_put_bool(DBusMessageIter *dict, const char *key, bool value)
{
	dbus_bool_t b = value;

	stub_put(dict, key, DBUS_TYPE_BOOLEAN, &b);
}
static inline void stub_put_text(DBusMessageIter *dict, const char *key, const char *value)
{
	stub_put(dict, key, DBUS_TYPE_STRING, &value);
}
static inline void stub_put_texts(DBusMessageIter *dict, const char *key, const char *const *texts, size_t n)
{
	DBusMessageIter entry, variant, array;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "as", &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "s", &array);
	for (size_t i = 0; i < n && texts[i]; i++)
		dbus_message_iter_append_basic(&array, DBUS_TYPE_STRING, &texts[i]);
	dbus_message_iter_close_container(&variant, &array);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(dict, &entry);
}
static inline void stub_put_bytes_variant(DBusMessageIter *at, const uint8_t *bytes, size_t n)
{
	DBusMessageIter variant, array;

	dbus_message_iter_open_container(at, DBUS_TYPE_VARIANT, "ay", &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "y", &array);
	dbus_message_iter_append_fixed_array(&array, DBUS_TYPE_BYTE, &bytes, (int)n);
	dbus_message_iter_close_container(&variant, &array);
	dbus_message_iter_close_container(at, &variant);
}
static inline void stub_put_value(DBusMessageIter *dict, const uint8_t *bytes, size_t n)
{
	const char *key = "Value";
	DBusMessageIter entry;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	stub_put_bytes_variant(&entry, bytes, n);
	dbus_message_iter_close_container(dict, &entry);
}
static inline const char *stub_uuid(uint16_t uuid, char ret[40])
{
	snprintf(ret, 40, "0000%04x-0000-1000-8000-00805f9b34fb", uuid);
	return ret;
}

/* ServiceData a{sv} or ManufacturerData a{qv}, with one part. */
static inline void stub_put_part(DBusMessageIter *dict, const struct stub_device *d)
{
	const char *key = d->uuid ? "ServiceData" : "ManufacturerData";
	const char *signature = d->uuid ? "a{sv}" : "a{qv}", *inner = d->uuid ? "{sv}" : "{qv}";
	DBusMessageIter entry, variant, parts, part;
	char uuid[40];
	const char *text = stub_uuid(d->uuid, uuid);

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, inner, &parts);
	dbus_message_iter_open_container(&parts, DBUS_TYPE_DICT_ENTRY, NULL, &part);
	if (d->uuid)
		dbus_message_iter_append_basic(&part, DBUS_TYPE_STRING, &text);
	else
		dbus_message_iter_append_basic(&part, DBUS_TYPE_UINT16, &d->company);
	stub_put_bytes_variant(&part, d->data, d->len);
	dbus_message_iter_close_container(&parts, &part);
	dbus_message_iter_close_container(&variant, &parts);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(dict, &entry);
}

static inline void stub_device_path(const struct stub_device *d, char ret[96])
{
	snprintf(ret, 96, "/org/bluez/hci0/dev_%02X_%02X_%02X_%02X_%02X_%02X", d->mac[0], d->mac[1], d->mac[2], d->mac[3], d->mac[4],
		 d->mac[5]);
}

static inline void stub_device_props(DBusMessageIter *dict, const struct stub_device *d, bool whole)
{
	char uuid[40];
	const char *uuids[] = { stub_uuid(d->service, uuid) };

	if (whole) {
		stub_put_text(dict, "AddressType", d->random ? "random" : "public");
		stub_put_bool(dict, "Connected", d->connected);
		stub_put_bool(dict, "Paired", d->paired);
		stub_put_bool(dict, "ServicesResolved", d->resolved);
		stub_put_texts(dict, "UUIDs", uuids, d->service ? 1 : 0);
		if (d->name)
			stub_put_text(dict, "Name", d->name);
	}
	if (d->rssi)
		stub_put(dict, "RSSI", DBUS_TYPE_INT16, &d->rssi);
	if (d->uuid || d->company)
		stub_put_part(dict, d);
}

static inline void stub_open_interface(DBusMessageIter *interfaces, const char *name, DBusMessageIter *ret_entry, DBusMessageIter *ret_dict)
{
	dbus_message_iter_open_container(interfaces, DBUS_TYPE_DICT_ENTRY, NULL, ret_entry);
	dbus_message_iter_append_basic(ret_entry, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(ret_entry, DBUS_TYPE_ARRAY, "{sv}", ret_dict);
}
static inline void stub_close_interface(DBusMessageIter *interfaces, DBusMessageIter *entry, DBusMessageIter *dict)
{
	dbus_message_iter_close_container(entry, dict);
	dbus_message_iter_close_container(interfaces, entry);
}

static inline void stub_put_adapter(DBusMessageIter *interfaces, const struct stub *stub)
{
	const char *const types[] = { "or_patterns" };
	DBusMessageIter entry, dict;

	stub_open_interface(interfaces, "org.bluez.Adapter1", &entry, &dict);
	stub_put_text(&dict, "Address", "00:AA:01:00:00:00");
	stub_put_bool(&dict, "Powered", stub->powered);
	stub_put_bool(&dict, "Discovering", stub->discovering);
	stub_close_interface(interfaces, &entry, &dict);
	if (!stub->monitors)
		return;
	stub_open_interface(interfaces, "org.bluez.AdvertisementMonitorManager1", &entry, &dict);
	stub_put_texts(&dict, "SupportedMonitorTypes", types, 1);
	stub_close_interface(interfaces, &entry, &dict);
}

static inline void stub_put_device(DBusMessageIter *interfaces, const struct stub_device *d)
{
	DBusMessageIter entry, dict;

	stub_open_interface(interfaces, "org.bluez.Device1", &entry, &dict);
	stub_device_props(&dict, d, true);
	stub_close_interface(interfaces, &entry, &dict);
}

static inline void stub_put_char(DBusMessageIter *interfaces, const struct stub_char *c)
{
	DBusMessageIter entry, dict;
	char uuid[40];

	stub_open_interface(interfaces, "org.bluez.GattCharacteristic1", &entry, &dict);
	stub_put_text(&dict, "UUID", stub_uuid(c->uuid, uuid));
	stub_put_texts(&dict, "Flags", c->flags, 4);
	stub_close_interface(interfaces, &entry, &dict);
}

static inline void stub_char_path(const struct stub_device *d, const struct stub_char *c, char ret[96])
{
	stub_device_path(d, ret);
	snprintf(ret + strlen(ret), 96 - strlen(ret), "/service%04x/char%04x", c->service, c->handle);
}

static inline void stub_put_object(DBusMessageIter *objects, const char *path, const struct stub *stub, const struct stub_device *d,
				   const struct stub_char *c)
{
	DBusMessageIter entry, interfaces;

	dbus_message_iter_open_container(objects, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_OBJECT_PATH, &path);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
	if (c)
		stub_put_char(&interfaces, c);
	else if (d)
		stub_put_device(&interfaces, d);
	else
		stub_put_adapter(&interfaces, stub);
	dbus_message_iter_close_container(&entry, &interfaces);
	dbus_message_iter_close_container(objects, &entry);
}

static inline void stub_put_objects(struct stub *stub, DBusMessage *reply)
{
	DBusMessageIter at, objects;
	char path[96];

	dbus_message_iter_init_append(reply, &at);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects);
	if (stub->present)
		stub_put_object(&objects, "/org/bluez/hci0", stub, NULL, NULL);
	for (size_t i = 0; i < stub->n_devices; i++) {
		struct stub_device *d = &stub->devices[i];

		if (!d->present || !stub->present)
			continue;
		stub_device_path(d, path);
		stub_put_object(&objects, path, stub, d, NULL);
		for (size_t k = 0; d->resolved && k < d->n_chars; k++) {
			stub_char_path(d, &d->chars[k], path);
			stub_put_object(&objects, path, stub, d, &d->chars[k]);
		}
	}
	dbus_message_iter_close_container(&at, &objects);
}

static inline DBusMessage *stub_changed(const char *path, const char *interface, DBusMessageIter *ret_at, DBusMessageIter *ret_dict)
{
	DBusMessage *signal = dbus_message_new_signal(path, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged");

	dbus_message_iter_init_append(signal, ret_at);
	dbus_message_iter_append_basic(ret_at, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(ret_at, DBUS_TYPE_ARRAY, "{sv}", ret_dict);
	return signal;
}
static inline void stub_changed_end(struct stub *stub, DBusMessage *signal, const char *interface, DBusMessageIter *at, DBusMessageIter *dict)
{
	DBusMessageIter gone;

	dbus_message_iter_close_container(at, dict);
	dbus_message_iter_open_container(at, DBUS_TYPE_ARRAY, "s", &gone);
	dbus_message_iter_close_container(at, &gone);
	stub_signal(stub, signal, interface);
}
static inline void stub_say_bool(struct stub *stub, const char *path, const char *interface, const char *key, bool value)
{
	DBusMessageIter at, dict;
	DBusMessage *signal = stub_changed(path, interface, &at, &dict);

	stub_put_bool(&dict, key, value);
	stub_changed_end(stub, signal, interface, &at, &dict);
}

/* The world */

static inline struct stub_device *stub_device(struct stub *stub, const uint8_t mac[6])
{
	for (size_t i = 0; i < stub->n_devices; i++) {
		if (memcmp(stub->devices[i].mac, mac, 6) == 0)
			return &stub->devices[i];
	}
	assert_true(stub->n_devices < STUB_DEVICES);
	stub->devices[stub->n_devices] = (struct stub_device){ .rssi = -60 };
	memcpy(stub->devices[stub->n_devices].mac, mac, 6);
	return &stub->devices[stub->n_devices++];
}

/* Heard for the first time: the whole object; else what changed. */
static inline void stub_heard(struct stub *stub, struct stub_device *d)
{
	DBusMessageIter at, dict, interfaces;
	DBusMessage *signal;
	char path[96];
	const char *text = path;

	stub_device_path(d, path);
	if (!stub->there || !stub->present)
		return;
	if (d->present) {
		signal = stub_changed(path, "org.bluez.Device1", &at, &dict);
		stub_device_props(&dict, d, false);
		stub_changed_end(stub, signal, "org.bluez.Device1", &at, &dict);
		return;
	}
	d->present = true;
	signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
	dbus_message_iter_init_append(signal, &at);
	dbus_message_iter_append_basic(&at, DBUS_TYPE_OBJECT_PATH, &text);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
	stub_put_device(&interfaces, d);
	dbus_message_iter_close_container(&at, &interfaces);
	stub_signal(stub, signal, NULL);
}

static inline struct stub_device *stub_beacon(struct stub *stub, const uint8_t mac[6], uint16_t uuid, const void *data, size_t len)
{
	struct stub_device *d = stub_device(stub, mac);

	d->uuid = uuid;
	d->len = len;
	memcpy(d->data, data, len);
	stub_heard(stub, d);
	return d;
}

static inline void stub_gone(struct stub *stub, struct stub_device *d)
{
	DBusMessage *signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved");
	const char *name = "org.bluez.Device1";
	const char **names = &name;
	char path[96];
	const char *text = path;

	stub_device_path(d, path);
	dbus_message_append_args(signal, DBUS_TYPE_OBJECT_PATH, &text, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &names, 1, DBUS_TYPE_INVALID);
	d->present = d->connected = d->resolved = false;
	stub_signal(stub, signal, NULL);
}

/* bluetoothd ends, or begins. */
static inline void stub_daemon(struct stub *stub, bool there)
{
	DBusMessage *signal = dbus_message_new_signal(DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged");
	const char *name = "org.bluez", *before = there ? "" : stub->owner, *now;

	if (there)
		stub->owner = strcmp(stub->owner, ":1.7") == 0 ? ":1.8" : ":1.7";
	now = there ? stub->owner : "";
	stub->there = there;
	stub->powered = stub->discovering = false;
	for (size_t i = 0; i < stub->n_devices; i++)
		stub->devices[i].present = stub->devices[i].connected = stub->devices[i].resolved = false;
	dbus_message_append_args(signal, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &before, DBUS_TYPE_STRING, &now, DBUS_TYPE_INVALID);
	stub_send(stub, signal, DBUS_SERVICE_DBUS);
}

static inline void stub_power(struct stub *stub, bool on)
{
	stub->powered = on;
	if (!on)
		stub->discovering = false;
	stub_say_bool(stub, "/org/bluez/hci0", "org.bluez.Adapter1", "Powered", on);
}

static inline void stub_notify(struct stub *stub, struct stub_device *d, struct stub_char *c)
{
	DBusMessageIter at, dict;
	DBusMessage *signal;
	char path[96];

	stub_char_path(d, c, path);
	signal = stub_changed(path, "org.bluez.GattCharacteristic1", &at, &dict);
	stub_put_value(&dict, c->value, c->len);
	stub_changed_end(stub, signal, "org.bluez.GattCharacteristic1", &at, &dict);
}

static inline void stub_say_char(struct stub *stub, struct stub_device *d, struct stub_char *c)
{
	DBusMessage *signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
	DBusMessageIter at, interfaces;
	char path[96];
	const char *text = path;

	stub_char_path(d, c, path);
	dbus_message_iter_init_append(signal, &at);
	dbus_message_iter_append_basic(&at, DBUS_TYPE_OBJECT_PATH, &text);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
	stub_put_char(&interfaces, c);
	dbus_message_iter_close_container(&at, &interfaces);
	stub_signal(stub, signal, NULL);
}

static inline void stub_disconnect(struct stub *stub, struct stub_device *d)
{
	char path[96];

	stub_device_path(d, path);
	d->connected = d->resolved = false;
	stub_say_bool(stub, path, "org.bluez.Device1", "Connected", false);
}

/* Calls */

static inline struct stub_device *stub_of_path(struct stub *stub, const char *path, struct stub_char **ret_char)
{
	char own[96];

	*ret_char = NULL;
	for (size_t i = 0; i < stub->n_devices; i++) {
		struct stub_device *d = &stub->devices[i];

		stub_device_path(d, own);
		if (strcmp(own, path) == 0)
			return d;
		for (size_t k = 0; k < d->n_chars; k++) {
			stub_char_path(d, &d->chars[k], own);
			if (strcmp(own, path) == 0) {
				*ret_char = &d->chars[k];
				return d;
			}
		}
	}
	return NULL;
}

static inline void stub_on_agent(DBusPendingCall *pending, void *data)
{
	struct stub *stub = data;
	DBusMessage *reply = dbus_pending_call_steal_reply(pending), *end;
	bool good = dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN;
	struct stub_char *none;

	if (stub->agent_reply)
		dbus_message_unref(stub->agent_reply);
	stub->agent_reply = reply;
	if (stub->held) {
		end = good ? dbus_message_new_method_return(stub->held) :
			     dbus_message_new_error(stub->held, "org.bluez.Error.AuthenticationFailed", "no");
		if (good)
			stub_of_path(stub, dbus_message_get_path(stub->held), &none)->paired = true;
		stub_send(stub, end, stub->owner);
		dbus_message_unref(stub->held);
		stub->held = NULL;
	}
	dbus_pending_call_unref(pending);
}

/* The agent is asked; Pair is answered by what it says. */
static inline void stub_ask_agent(struct stub *stub, const char *device, const char *method)
{
	DBusMessage *call = dbus_message_new_method_call(STUB_US, "/gatewayd/agent", "org.bluez.Agent1", method);
	DBusPendingCall *pending;
	uint16_t entered = 0;

	dbus_message_append_args(call, DBUS_TYPE_OBJECT_PATH, &device, DBUS_TYPE_INVALID);
	if (strcmp(method, "DisplayPasskey") == 0)
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &stub->passkey, DBUS_TYPE_UINT16, &entered, DBUS_TYPE_INVALID);
	if (strcmp(method, "RequestConfirmation") == 0)
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &stub->passkey, DBUS_TYPE_INVALID);
	dbus_message_set_sender(call, stub->owner);
	dbus_connection_send_with_reply(stub->connection, call, &pending, 60000);
	dbus_pending_call_set_notify(pending, stub_on_agent, stub, NULL);
	dbus_message_unref(call);
}

static inline void stub_connect(struct stub *stub, struct stub_device *d)
{
	char path[96];

	stub_device_path(d, path);
	d->connected = d->resolved = true;
	stub_say_bool(stub, path, "org.bluez.Device1", "Connected", true);
	for (size_t i = 0; i < d->n_chars; i++)
		stub_say_char(stub, d, &d->chars[i]);
	stub_say_bool(stub, path, "org.bluez.Device1", "ServicesResolved", true);
}

static inline DBusMessage *stub_bluez(struct stub *stub, DBusMessage *call, const char *member)
{
	struct stub_char *c;
	struct stub_device *d = stub_of_path(stub, dbus_message_get_path(call), &c);
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter at, array;
	const uint8_t *bytes;
	int n;

	if (strcmp(member, "GetManagedObjects") == 0) {
		stub_put_objects(stub, reply);
	} else if (strcmp(member, "Set") == 0) {
		stub_power(stub, true);
	} else if (strcmp(member, "StartDiscovery") == 0) {
		stub->discovering = true;
		stub_say_bool(stub, "/org/bluez/hci0", "org.bluez.Adapter1", "Discovering", true);
	} else if (strcmp(member, "Connect") == 0 && d) {
		stub_connect(stub, d);
	} else if (strcmp(member, "Pair") == 0 && d && stub->pairing) {
		stub->held = dbus_message_ref(call);
		dbus_message_unref(reply);
		stub_ask_agent(stub, dbus_message_get_path(call), stub->pairing);
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

static inline DBusMessage *stub_driver(struct stub *stub, DBusMessage *call, const char *member)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	const char *us = STUB_US, *text = "";

	if (strcmp(member, "Hello") == 0)
		dbus_message_append_args(reply, DBUS_TYPE_STRING, &us, DBUS_TYPE_INVALID);
	if (strcmp(member, "AddMatch") == 0 || strcmp(member, "RemoveMatch") == 0)
		dbus_message_get_args(call, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
	if (strcmp(member, "AddMatch") == 0) {
		assert_true(stub->n_rules < STUB_RULES);
		stub->rules[stub->n_rules++] = strdup(text);
	}
	for (size_t i = 0; strcmp(member, "RemoveMatch") == 0 && i < stub->n_rules; i++) {
		if (strcmp(stub->rules[i], text) != 0)
			continue;
		free(stub->rules[i]);
		stub->rules[i] = stub->rules[--stub->n_rules];
		break;
	}
	if (strcmp(member, "GetNameOwner") == 0) {
		if (stub->there) {
			dbus_message_append_args(reply, DBUS_TYPE_STRING, &stub->owner, DBUS_TYPE_INVALID);
		} else {
			dbus_message_unref(reply);
			reply = dbus_message_new_error(call, DBUS_ERROR_NAME_HAS_NO_OWNER, "none");
		}
	}
	return reply;
}

static inline DBusHandlerResult stub_on_message(DBusConnection *connection, DBusMessage *message, void *data)
{
	const char *member = dbus_message_get_member(message), *to = dbus_message_get_destination(message);
	bool driver = to && strcmp(to, DBUS_SERVICE_DBUS) == 0;
	struct stub *stub = data;
	DBusMessage *reply;

	(void)connection;
	if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	if (!driver && strlen(stub->log) + strlen(member) + 2 < STUB_LOG) {
		strcat(stub->log, member);
		strcat(stub->log, " ");
	}
	if (stub->fail && strcmp(stub->fail, member) == 0)
		reply = stub->error ? dbus_message_new_error(message, stub->error, "by the test") : NULL;
	else if (!driver && !stub->there)
		reply = dbus_message_new_error(message, DBUS_ERROR_SERVICE_UNKNOWN, "nobody");
	else
		reply = driver ? stub_driver(stub, message, member) : stub_bluez(stub, message, member);
	if (reply && dbus_message_get_no_reply(message)) {
		dbus_message_unref(reply);
		reply = NULL;
	}
	if (reply)
		stub_send(stub, reply, driver ? DBUS_SERVICE_DBUS : stub->owner);
	return DBUS_HANDLER_RESULT_HANDLED;
}
