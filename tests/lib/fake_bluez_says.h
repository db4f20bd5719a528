#pragma once
/* fake_bluez_says - what the bluetoothd of the tests (fake_bluez.h) has, and the messages in which it says that.
 */
#include "check.h"

#include <dbus/dbus.h>

enum { FB_RULES = 600, FB_DEVICES = 400, FB_CHARS = 8, FB_LOG = 4096 };
#define FB_OWNER ":1.7"
#define FB_US ":1.42"

struct fb_char {
	uint16_t service, handle, uuid;
	const char *flags[4];
	uint8_t value[16];
	size_t len;
	bool notifying;
};
struct fb_device {
	bool present, random, connected, paired, resolved;
	bool told; /* its characteristics, as BlueZ does: once, until the device is gone */
	uint8_t mac[6];
	const char *name;
	uint16_t uuid; /* of service data; 0: none */
	uint16_t company;
	uint16_t service; /* among its UUIDs; 0: none */
	int16_t rssi;
	uint8_t data[64];
	size_t len;
	size_t n_chars;
	struct fb_char chars[FB_CHARS];
};
struct fb {
	char path[108];
	DBusServer *server;
	DBusWatch *watches[8];
	DBusConnection *connection;
	bool there, powered, discovering, present, monitors, scans;
	const char *owner;
	char *rules[FB_RULES];
	size_t n_rules;
	const char *fail, *error; /* this method fails so; error NULL: it is not answered at all */
	DBusMessage *held;	  /* a Pair that waits for the agent */
	DBusMessage *agent_reply; /* what the agent said last */
	char log[FB_LOG];	  /* all methods that were called, with a blank behind each */
	struct fb_device devices[FB_DEVICES];
	size_t n_devices;
	size_t handled; /* messages */
	size_t sent, dropped; /* signals that somebody wanted, and those that nobody did */
	const char *pairing;  /* what Pair asks the agent: a method's name; NULL: nothing */
	uint32_t passkey;
};

/* Sending */

static inline void fb_send(struct fb *fb, DBusMessage *message, const char *sender)
{
	dbus_message_set_sender(message, sender);
	dbus_message_set_destination(message, FB_US);
	if (fb->connection)
		dbus_connection_send(fb->connection, message, NULL);
	dbus_message_unref(message);
}

/* As a bus decides it, for the rules that we use. */
static inline bool fb_is_wanted(const struct fb *fb, const char *path, const char *interface, const char *arg0)
{
	for (size_t i = 0; i < fb->n_rules; i++) {
		const char *rule = fb->rules[i], *space = strstr(rule, "path_namespace='"), *arg = strstr(rule, "arg0='");
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

static inline void fb_signal(struct fb *fb, DBusMessage *signal, const char *arg0)
{
	if (fb_is_wanted(fb, dbus_message_get_path(signal), dbus_message_get_interface(signal), arg0)) {
		fb->sent++;
		fb_send(fb, signal, fb->owner);
	} else {
		fb->dropped++;
		dbus_message_unref(signal);
	}
}

static inline void fb_put(DBusMessageIter *dict, const char *key, int type, const void *value)
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
static inline void fb_put_bool(DBusMessageIter *dict, const char *key, bool value)
{
	dbus_bool_t b = value;

	fb_put(dict, key, DBUS_TYPE_BOOLEAN, &b);
}
static inline void fb_put_text(DBusMessageIter *dict, const char *key, const char *value)
{
	fb_put(dict, key, DBUS_TYPE_STRING, &value);
}
static inline void fb_put_texts(DBusMessageIter *dict, const char *key, const char *const *texts, size_t n)
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
static inline void fb_put_bytes_variant(DBusMessageIter *at, const uint8_t *bytes, size_t n)
{
	DBusMessageIter variant, array;

	dbus_message_iter_open_container(at, DBUS_TYPE_VARIANT, "ay", &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "y", &array);
	dbus_message_iter_append_fixed_array(&array, DBUS_TYPE_BYTE, &bytes, (int)n);
	dbus_message_iter_close_container(&variant, &array);
	dbus_message_iter_close_container(at, &variant);
}
static inline void fb_put_value(DBusMessageIter *dict, const uint8_t *bytes, size_t n)
{
	const char *key = "Value";
	DBusMessageIter entry;

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	fb_put_bytes_variant(&entry, bytes, n);
	dbus_message_iter_close_container(dict, &entry);
}
static inline const char *fb_uuid(uint16_t uuid, char ret[40])
{
	snprintf(ret, 40, "0000%04x-0000-1000-8000-00805f9b34fb", uuid);
	return ret;
}

/* ServiceData a{sv} or ManufacturerData a{qv}, with one part. */
static inline void fb_put_part(DBusMessageIter *dict, const struct fb_device *d)
{
	const char *key = d->uuid ? "ServiceData" : "ManufacturerData";
	const char *signature = d->uuid ? "a{sv}" : "a{qv}", *inner = d->uuid ? "{sv}" : "{qv}";
	DBusMessageIter entry, variant, parts, part;
	char uuid[40];
	const char *text = fb_uuid(d->uuid, uuid);

	dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, inner, &parts);
	dbus_message_iter_open_container(&parts, DBUS_TYPE_DICT_ENTRY, NULL, &part);
	if (d->uuid)
		dbus_message_iter_append_basic(&part, DBUS_TYPE_STRING, &text);
	else
		dbus_message_iter_append_basic(&part, DBUS_TYPE_UINT16, &d->company);
	fb_put_bytes_variant(&part, d->data, d->len);
	dbus_message_iter_close_container(&parts, &part);
	dbus_message_iter_close_container(&variant, &parts);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(dict, &entry);
}

static inline void fb_device_path(const struct fb_device *d, char ret[96])
{
	snprintf(ret, 96, "/org/bluez/hci0/dev_%02X_%02X_%02X_%02X_%02X_%02X", d->mac[0], d->mac[1], d->mac[2], d->mac[3], d->mac[4],
		 d->mac[5]);
}

static inline void fb_device_props(DBusMessageIter *dict, const struct fb_device *d, bool whole)
{
	char uuid[40];
	const char *uuids[] = { fb_uuid(d->service, uuid) };

	if (whole) {
		fb_put_text(dict, "AddressType", d->random ? "random" : "public");
		fb_put_bool(dict, "Connected", d->connected);
		fb_put_bool(dict, "Paired", d->paired);
		fb_put_bool(dict, "ServicesResolved", d->resolved);
		fb_put_texts(dict, "UUIDs", uuids, d->service ? 1 : 0);
		if (d->name)
			fb_put_text(dict, "Name", d->name);
	}
	if (d->rssi)
		fb_put(dict, "RSSI", DBUS_TYPE_INT16, &d->rssi);
	if (d->uuid || d->company)
		fb_put_part(dict, d);
}

static inline void fb_open_interface(DBusMessageIter *interfaces, const char *name, DBusMessageIter *ret_entry, DBusMessageIter *ret_dict)
{
	dbus_message_iter_open_container(interfaces, DBUS_TYPE_DICT_ENTRY, NULL, ret_entry);
	dbus_message_iter_append_basic(ret_entry, DBUS_TYPE_STRING, &name);
	dbus_message_iter_open_container(ret_entry, DBUS_TYPE_ARRAY, "{sv}", ret_dict);
}
static inline void fb_close_interface(DBusMessageIter *interfaces, DBusMessageIter *entry, DBusMessageIter *dict)
{
	dbus_message_iter_close_container(entry, dict);
	dbus_message_iter_close_container(interfaces, entry);
}

static inline void fb_put_adapter(DBusMessageIter *interfaces, const struct fb *fb)
{
	const char *const types[] = { "or_patterns" };
	DBusMessageIter entry, dict;

	fb_open_interface(interfaces, "org.bluez.Adapter1", &entry, &dict);
	fb_put_text(&dict, "Address", "00:AA:01:00:00:00");
	fb_put_bool(&dict, "Powered", fb->powered);
	fb_put_bool(&dict, "Discovering", fb->discovering);
	fb_close_interface(interfaces, &entry, &dict);
	if (!fb->monitors)
		return;
	fb_open_interface(interfaces, "org.bluez.AdvertisementMonitorManager1", &entry, &dict);
	fb_put_texts(&dict, "SupportedMonitorTypes", types, 1);
	fb_close_interface(interfaces, &entry, &dict);
}

static inline void fb_put_device(DBusMessageIter *interfaces, const struct fb_device *d)
{
	DBusMessageIter entry, dict;

	fb_open_interface(interfaces, "org.bluez.Device1", &entry, &dict);
	fb_device_props(&dict, d, true);
	fb_close_interface(interfaces, &entry, &dict);
}

static inline void fb_put_char(DBusMessageIter *interfaces, const struct fb_char *c)
{
	DBusMessageIter entry, dict;
	char uuid[40];

	fb_open_interface(interfaces, "org.bluez.GattCharacteristic1", &entry, &dict);
	fb_put_text(&dict, "UUID", fb_uuid(c->uuid, uuid));
	fb_put_texts(&dict, "Flags", c->flags, 4);
	fb_close_interface(interfaces, &entry, &dict);
}

static inline void fb_char_path(const struct fb_device *d, const struct fb_char *c, char ret[96])
{
	fb_device_path(d, ret);
	snprintf(ret + strlen(ret), 96 - strlen(ret), "/service%04x/char%04x", c->service, c->handle);
}

static inline void fb_put_object(DBusMessageIter *objects, const char *path, const struct fb *fb, const struct fb_device *d,
				   const struct fb_char *c)
{
	DBusMessageIter entry, interfaces;

	dbus_message_iter_open_container(objects, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_OBJECT_PATH, &path);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
	if (c)
		fb_put_char(&interfaces, c);
	else if (d)
		fb_put_device(&interfaces, d);
	else
		fb_put_adapter(&interfaces, fb);
	dbus_message_iter_close_container(&entry, &interfaces);
	dbus_message_iter_close_container(objects, &entry);
}

static inline void fb_put_objects(struct fb *fb, DBusMessage *reply)
{
	DBusMessageIter at, objects;
	char path[96];

	dbus_message_iter_init_append(reply, &at);
	dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects);
	if (fb->present)
		fb_put_object(&objects, "/org/bluez/hci0", fb, NULL, NULL);
	for (size_t i = 0; i < fb->n_devices; i++) {
		struct fb_device *d = &fb->devices[i];

		if (!d->present || !fb->present)
			continue;
		fb_device_path(d, path);
		fb_put_object(&objects, path, fb, d, NULL);
		for (size_t k = 0; (d->resolved || d->told) && k < d->n_chars; k++) {
			fb_char_path(d, &d->chars[k], path);
			fb_put_object(&objects, path, fb, d, &d->chars[k]);
		}
	}
	dbus_message_iter_close_container(&at, &objects);
}

static inline DBusMessage *fb_changed(const char *path, const char *interface, DBusMessageIter *ret_at, DBusMessageIter *ret_dict)
{
	DBusMessage *signal = dbus_message_new_signal(path, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged");

	dbus_message_iter_init_append(signal, ret_at);
	dbus_message_iter_append_basic(ret_at, DBUS_TYPE_STRING, &interface);
	dbus_message_iter_open_container(ret_at, DBUS_TYPE_ARRAY, "{sv}", ret_dict);
	return signal;
}
static inline void fb_changed_end(struct fb *fb, DBusMessage *signal, const char *interface, DBusMessageIter *at, DBusMessageIter *dict)
{
	DBusMessageIter gone;

	dbus_message_iter_close_container(at, dict);
	dbus_message_iter_open_container(at, DBUS_TYPE_ARRAY, "s", &gone);
	dbus_message_iter_close_container(at, &gone);
	fb_signal(fb, signal, interface);
}
static inline void fb_say_bool(struct fb *fb, const char *path, const char *interface, const char *key, bool value)
{
	DBusMessageIter at, dict;
	DBusMessage *signal = fb_changed(path, interface, &at, &dict);

	fb_put_bool(&dict, key, value);
	fb_changed_end(fb, signal, interface, &at, &dict);
}

