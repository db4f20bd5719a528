/* A monitor is an object of ours that BlueZ asks for its patterns: parts of advertisements by position, type and bytes, one of
 * which has to be there (doc/advertisement-monitor-api.txt).
 */
#include "ble/scan.h"

#include <string.h>
#include "base/text.h"
#include "ble/bluez.h"

#define MONITOR SCAN_ROOT "/beacons"
#define MONITOR_INTERFACE "org.bluez.AdvertisementMonitor1"

/* Messages are built in many small steps, each of which may find no memory. */
static DBusMessage *whole(DBusMessage *message, bool good)
{
	if (message && !good) {
		dbus_message_unref(message);
		return NULL;
	}
	return message;
}

static bool open_variant(DBusMessageIter *at, const char *type, DBusMessageIter *ret)
{
	return dbus_message_iter_open_container(at, DBUS_TYPE_VARIANT, type, ret);
}

static bool put_variant(DBusMessageIter *at, int type, const char *signature, const void *value)
{
	DBusMessageIter inside;

	return open_variant(at, signature, &inside) && dbus_message_iter_append_basic(&inside, type, value) &&
	       dbus_message_iter_close_container(at, &inside);
}

static bool put_entry(DBusMessageIter *dict, const char *key, int type, const char *signature, const void *value)
{
	DBusMessageIter entry;

	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
	       dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) && put_variant(&entry, type, signature, value) &&
	       dbus_message_iter_close_container(dict, &entry);
}

DBusMessage *scan_power_on(const struct bluez *bluez, const char *path)
{
	DBusMessage *message = bluez_message(bluez, path, DBUS_INTERFACE_PROPERTIES, "Set");
	const char *interface = "org.bluez.Adapter1", *name = "Powered";
	dbus_bool_t on = TRUE;
	DBusMessageIter at;

	if (!message)
		return NULL;
	dbus_message_iter_init_append(message, &at);
	return whole(message, dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &interface) &&
				      dbus_message_iter_append_basic(&at, DBUS_TYPE_STRING, &name) &&
				      put_variant(&at, DBUS_TYPE_BOOLEAN, "b", &on));
}

DBusMessage *scan_filter(const struct bluez *bluez, const char *path)
{
	DBusMessage *message = bluez_message(bluez, path, "org.bluez.Adapter1", "SetDiscoveryFilter");
	const char *transport = "le";
	dbus_bool_t duplicates = TRUE;
	DBusMessageIter at, dict;

	if (!message)
		return NULL;
	dbus_message_iter_init_append(message, &at);
	return whole(message, dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
				      put_entry(&dict, "Transport", DBUS_TYPE_STRING, "s", &transport) &&
				      put_entry(&dict, "DuplicateData", DBUS_TYPE_BOOLEAN, "b", &duplicates) &&
				      dbus_message_iter_close_container(&at, &dict));
}

DBusMessage *scan_register(const struct bluez *bluez, const char *path)
{
	DBusMessage *message = bluez_message(bluez, path, "org.bluez.AdvertisementMonitorManager1", "RegisterMonitor");
	const char *root = SCAN_ROOT;

	return whole(message, message && dbus_message_append_args(message, DBUS_TYPE_OBJECT_PATH, &root, DBUS_TYPE_INVALID));
}

/* Types of AD structures: 0x16 service data, 0x21 the same by a long uuid, 0xff a maker's. Numbers stand lowest byte first. */
static const struct {
	uint8_t type, len, bytes[4];
} patterns[] = {
	{ 0x16, 2, { 0xd2, 0xfc } },		 /* BTHome */
	{ 0x16, 2, { 0x95, 0xfe } },		 /* MiBeacon */
	{ 0x16, 2, { 0x1a, 0x18 } },		 /* ATC */
	{ 0x16, 2, { 0x3d, 0xfd } },		 /* SwitchBot */
	{ 0x16, 2, { 0x00, 0x0d } },
	{ 0x21, 4, { 0x1b, 0xc5, 0xd5, 0xa5 } },
	{ 0xff, 2, { 0x99, 0x04 } },		 /* Ruuvi */
	{ 0xff, 2, { 0x88, 0xec } },		 /* Govee */
	{ 0xff, 2, { 0x01, 0x88 } },
	{ 0xff, 2, { 0x01, 0x00 } },
	{ 0xff, 4, { 0x4c, 0x00, 0x02, 0x15 } }, /* iBeacon */
};

static bool put_pattern(DBusMessageIter *array, size_t i)
{
	const uint8_t *bytes = patterns[i].bytes;
	DBusMessageIter row, content;
	uint8_t start = 0;

	return dbus_message_iter_open_container(array, DBUS_TYPE_STRUCT, NULL, &row) &&
	       dbus_message_iter_append_basic(&row, DBUS_TYPE_BYTE, &start) &&
	       dbus_message_iter_append_basic(&row, DBUS_TYPE_BYTE, &patterns[i].type) &&
	       dbus_message_iter_open_container(&row, DBUS_TYPE_ARRAY, "y", &content) &&
	       dbus_message_iter_append_fixed_array(&content, DBUS_TYPE_BYTE, &bytes, patterns[i].len) &&
	       dbus_message_iter_close_container(&row, &content) && dbus_message_iter_close_container(array, &row);
}

static bool put_patterns(DBusMessageIter *dict)
{
	DBusMessageIter entry, variant, array;
	const char *key = "Patterns";
	bool good = dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
		    dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) && open_variant(&entry, "a(yyay)", &variant) &&
		    dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "(yyay)", &array);

	for (size_t i = 0; good && i < N_ELEMENTS(patterns); i++)
		good = put_pattern(&array, i);
	return good && dbus_message_iter_close_container(&variant, &array) && dbus_message_iter_close_container(&entry, &variant) &&
	       dbus_message_iter_close_container(dict, &entry);
}

/* a{oa{sa{sv}}} with the one object. */
static bool put_objects(DBusMessage *reply)
{
	DBusMessageIter at, objects, object, interfaces, interface, dict;
	const char *path = MONITOR, *name = MONITOR_INTERFACE, *type = "or_patterns";

	dbus_message_iter_init_append(reply, &at);
	return dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects) &&
	       dbus_message_iter_open_container(&objects, DBUS_TYPE_DICT_ENTRY, NULL, &object) &&
	       dbus_message_iter_append_basic(&object, DBUS_TYPE_OBJECT_PATH, &path) &&
	       dbus_message_iter_open_container(&object, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces) &&
	       dbus_message_iter_open_container(&interfaces, DBUS_TYPE_DICT_ENTRY, NULL, &interface) &&
	       dbus_message_iter_append_basic(&interface, DBUS_TYPE_STRING, &name) &&
	       dbus_message_iter_open_container(&interface, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       put_entry(&dict, "Type", DBUS_TYPE_STRING, "s", &type) && put_patterns(&dict) &&
	       dbus_message_iter_close_container(&interface, &dict) && dbus_message_iter_close_container(&interfaces, &interface) &&
	       dbus_message_iter_close_container(&object, &interfaces) && dbus_message_iter_close_container(&objects, &object) &&
	       dbus_message_iter_close_container(&at, &objects);
}

/* A found device is heard by its properties: that BlueZ says so, too, is only acknowledged. */
DBusMessage *scan_answer(DBusMessage *call)
{
	static const char *const words[] = { "Activate", "Release", "DeviceFound", "DeviceLost" };
	const char *path = dbus_message_get_path(call);
	DBusMessage *reply;

	if (!path)
		return NULL;
	if (strcmp(path, SCAN_ROOT) == 0 &&
	    dbus_message_is_method_call(call, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")) {
		reply = dbus_message_new_method_return(call);
		return whole(reply, reply && put_objects(reply));
	}
	for (size_t i = 0; strcmp(path, MONITOR) == 0 && i < N_ELEMENTS(words); i++) {
		if (dbus_message_is_method_call(call, MONITOR_INTERFACE, words[i]))
			return dbus_message_new_method_return(call);
	}
	return NULL;
}
