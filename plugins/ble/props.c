/* A bus carries what anybody sends, and types are part of a message, not of its name: so each step looks at the type of
 * what comes next and goes on only if it is the one that BlueZ's documents give (doc/adapter-api.txt, device-api.txt,
 * gatt-api.txt). What is of another type is passed over and counted.
 */
#include "ble/props.h"

#include <string.h>
#include "base/text.h"

#define ROOT "/org/bluez/hci"

/* "service0010": its four digits. */
static bool read_handle(const char **at, const char *word, uint16_t *ret)
{
	size_t len = strlen(word);
	uint8_t bytes[2];

	if (strncmp(*at, word, len) != 0 || strnlen(*at + len, 4) < 4 || hex_parse(*at + len, 4, bytes, 2))
		return false;
	*ret = (uint16_t)(bytes[0] << 8 | bytes[1]);
	*at += len + 4;
	return true;
}

static bool read_mac(const char **at, uint8_t ret[6])
{
	const char *p = *at;

	for (size_t i = 0; i < 6; i++) {
		if (strnlen(p, 2) < 2 || hex_parse(p, 2, ret + i, 1))
			return false;
		p += 2;
		if (i < 5 && *p++ != '_')
			return false;
	}
	*at = p;
	return true;
}

int props_path_read(const char *path, struct props_path *ret)
{
	struct props_path result = { 0 };
	const char *at = path + strlen(ROOT);
	unsigned number = 0;

	if (strncmp(path, ROOT, strlen(ROOT)) != 0 || *at < '0' || *at > '9')
		return PROPS_E_MALFORMED;
	for (; *at >= '0' && *at <= '9' && number < 1000; at++)
		number = number * 10 + (unsigned)(*at - '0');
	if (number > UINT8_MAX)
		return PROPS_E_MALFORMED;
	result.adapter = (uint8_t)number;
	if (strncmp(at, "/dev_", 5) == 0) {
		at += 5;
		result.has_device = read_mac(&at, result.mac);
		if (!result.has_device)
			return PROPS_E_MALFORMED;
		if (*at == '/' && !read_handle(&at, "/service", &result.service))
			return PROPS_E_MALFORMED;
		if (*at == '/' && !read_handle(&at, "/char", &result.characteristic))
			return PROPS_E_MALFORMED;
	}
	if (*at)
		return PROPS_E_MALFORMED;
	*ret = result;
	return 0;
}

bool props_path_print(const struct props_path *path, char *ret, size_t cap)
{
	const uint8_t *m = path->mac;
	bool good = text_print(ret, cap, ROOT "%u", path->adapter);

	if (good && path->has_device)
		good = text_append(ret, cap, "/dev_%02X_%02X_%02X_%02X_%02X_%02X", m[0], m[1], m[2], m[3], m[4], m[5]);
	if (good && path->service)
		good = text_append(ret, cap, "/service%04x", path->service);
	if (good && path->characteristic)
		good = text_append(ret, cap, "/char%04x", path->characteristic);
	return good;
}

enum props_interface props_interface_of(const char *name)
{
	static const char *const names[PROPS_OTHER] = {
		[PROPS_ADAPTER] = "org.bluez.Adapter1",
		[PROPS_MONITORS] = "org.bluez.AdvertisementMonitorManager1",
		[PROPS_DEVICE] = "org.bluez.Device1",
		[PROPS_SERVICE] = "org.bluez.GattService1",
		[PROPS_CHARACTERISTIC] = "org.bluez.GattCharacteristic1",
		[PROPS_AGENTS] = "org.bluez.AgentManager1",
	};
	size_t i = 0;

	while (i < PROPS_OTHER && strcmp(names[i], name) != 0)
		i++;
	return (enum props_interface)i;
}

int props_uuid(const char *text, uint16_t *ret_short, uint8_t ret_long[16])
{
	static const uint8_t base[16] = { 0, 0, 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0x80, 0x5f, 0x9b, 0x34, 0xfb };
	static const uint8_t groups[] = { 4, 2, 2, 2, 6 };
	const char *at = text;
	uint8_t all[16];
	size_t n = 0;

	if (strlen(text) != 36)
		return PROPS_E_MALFORMED;
	for (size_t g = 0; g < N_ELEMENTS(groups); g++) {
		if (hex_parse(at, 2 * (size_t)groups[g], all + n, groups[g]))
			return PROPS_E_MALFORMED;
		at += 2 * groups[g];
		n += groups[g];
		if (g + 1 < N_ELEMENTS(groups) && *at++ != '-')
			return PROPS_E_MALFORMED;
	}
	memcpy(ret_long, all, 16);
	*ret_short = 0;
	if (memcmp(all, base, 2) == 0 && memcmp(all + 4, base + 4, 12) == 0)
		*ret_short = (uint16_t)(all[2] << 8 | all[3]);
	return 0;
}

/* One value of a basic type. */
static bool take_basic(DBusMessageIter *at, int type, void *ret)
{
	if (dbus_message_iter_get_arg_type(at) != type)
		return false;
	dbus_message_iter_get_basic(at, ret);
	return true;
}

static bool take_bool(DBusMessageIter *at, bool *ret)
{
	dbus_bool_t value;

	if (!take_basic(at, DBUS_TYPE_BOOLEAN, &value))
		return false;
	*ret = value;
	return true;
}

static bool take_bytes(DBusMessageIter *at, struct view *ret)
{
	DBusMessageIter inside;
	const uint8_t *bytes = NULL;
	int n = 0;

	if (dbus_message_iter_get_arg_type(at) != DBUS_TYPE_ARRAY || dbus_message_iter_get_element_type(at) != DBUS_TYPE_BYTE)
		return false;
	dbus_message_iter_recurse(at, &inside);
	dbus_message_iter_get_fixed_array(&inside, &bytes, &n);
	*ret = (struct view){ bytes, n > 0 ? (size_t)n : 0 };
	return true;
}

static bool enter_array(DBusMessageIter *at, int element, DBusMessageIter *ret)
{
	if (dbus_message_iter_get_arg_type(at) != DBUS_TYPE_ARRAY || dbus_message_iter_get_element_type(at) != element)
		return false;
	dbus_message_iter_recurse(at, ret);
	return true;
}

/* {key: variant}; entry goes to the value inside. */
static bool enter_entry(DBusMessageIter *at, int key_type, void *ret_key, DBusMessageIter *ret_value)
{
	DBusMessageIter entry;

	if (dbus_message_iter_get_arg_type(at) != DBUS_TYPE_DICT_ENTRY)
		return false;
	dbus_message_iter_recurse(at, &entry);
	if (!take_basic(&entry, key_type, ret_key) || !dbus_message_iter_next(&entry) ||
	    dbus_message_iter_get_arg_type(&entry) != DBUS_TYPE_VARIANT)
		return false;
	dbus_message_iter_recurse(&entry, ret_value);
	return true;
}

/* Properties: one function a property, one row each */

static bool take_powered(DBusMessageIter *at, struct props *ret)
{
	return take_bool(at, &ret->powered);
}

static bool take_discovering(DBusMessageIter *at, struct props *ret)
{
	return take_bool(at, &ret->discovering);
}

static bool take_connected(DBusMessageIter *at, struct props *ret)
{
	return take_bool(at, &ret->connected);
}

static bool take_paired(DBusMessageIter *at, struct props *ret)
{
	return take_bool(at, &ret->paired);
}

static bool take_resolved(DBusMessageIter *at, struct props *ret)
{
	return take_bool(at, &ret->resolved);
}

static bool take_notifying(DBusMessageIter *at, struct props *ret)
{
	return take_bool(at, &ret->notifying);
}

static bool take_rssi(DBusMessageIter *at, struct props *ret)
{
	return take_basic(at, DBUS_TYPE_INT16, &ret->rssi);
}

static bool take_name(DBusMessageIter *at, struct props *ret)
{
	return take_basic(at, DBUS_TYPE_STRING, &ret->name);
}

static bool take_address(DBusMessageIter *at, struct props *ret)
{
	const char *text;

	if (!take_basic(at, DBUS_TYPE_STRING, &text) || strlen(text) != 17)
		return false;
	for (size_t i = 0; i < 6; i++) {
		if (hex_parse(text + 3 * i, 2, ret->address + i, 1) || (i < 5 && text[3 * i + 2] != ':'))
			return false;
	}
	return true;
}

static bool take_address_type(DBusMessageIter *at, struct props *ret)
{
	const char *text;

	if (!take_basic(at, DBUS_TYPE_STRING, &text))
		return false;
	ret->random = strcmp(text, "random") == 0;
	return true;
}

static bool take_uuid(DBusMessageIter *at, struct props *ret)
{
	uint8_t whole[16];
	const char *text;

	return take_basic(at, DBUS_TYPE_STRING, &text) && !props_uuid(text, &ret->uuid, whole);
}

static bool take_uuids(DBusMessageIter *at, struct props *ret)
{
	DBusMessageIter each;
	uint8_t whole[16];
	const char *text;
	uint16_t uuid;

	if (!enter_array(at, DBUS_TYPE_STRING, &each))
		return false;
	ret->n_uuids = 0;
	for (; take_basic(&each, DBUS_TYPE_STRING, &text); dbus_message_iter_next(&each)) {
		if (ret->n_uuids < PROPS_UUIDS_MAX && !props_uuid(text, &uuid, whole) && uuid)
			ret->uuids[ret->n_uuids++] = uuid;
	}
	return true;
}

static bool take_value(DBusMessageIter *at, struct props *ret)
{
	return take_bytes(at, &ret->value);
}

static bool take_flags(DBusMessageIter *at, struct props *ret)
{
	static const struct {
		const char *word;
		uint32_t flag;
	} rows[] = { { "read", CHAR_READ },
		     { "write", CHAR_WRITE },
		     { "write-without-response", CHAR_WRITE_QUIET },
		     { "notify", CHAR_NOTIFY },
		     { "indicate", CHAR_NOTIFY } };
	DBusMessageIter each;
	const char *word;

	if (!enter_array(at, DBUS_TYPE_STRING, &each))
		return false;
	ret->flags = 0;
	for (; take_basic(&each, DBUS_TYPE_STRING, &word); dbus_message_iter_next(&each)) {
		for (size_t i = 0; i < N_ELEMENTS(rows); i++)
			ret->flags |= strcmp(word, rows[i].word) == 0 ? rows[i].flag : 0;
	}
	return true;
}

static bool take_services(DBusMessageIter *at, struct props *ret)
{
	DBusMessageIter each, value;
	const char *key;

	if (!enter_array(at, DBUS_TYPE_DICT_ENTRY, &each))
		return false;
	ret->n_services = 0;
	for (; enter_entry(&each, DBUS_TYPE_STRING, &key, &value); dbus_message_iter_next(&each)) {
		struct props_service_data part;

		if (ret->n_services < PROPS_PARTS_MAX && take_bytes(&value, &part.data) &&
		    !props_uuid(key, &part.uuid, part.long_uuid))
			ret->services[ret->n_services++] = part;
	}
	return true;
}

static bool take_makers(DBusMessageIter *at, struct props *ret)
{
	DBusMessageIter each, value;
	uint16_t key;

	if (!enter_array(at, DBUS_TYPE_DICT_ENTRY, &each))
		return false;
	ret->n_makers = 0;
	for (; enter_entry(&each, DBUS_TYPE_UINT16, &key, &value); dbus_message_iter_next(&each)) {
		struct props_maker_data part = { .company = key };

		if (ret->n_makers < PROPS_PARTS_MAX && take_bytes(&value, &part.data))
			ret->makers[ret->n_makers++] = part;
	}
	return true;
}

static bool take_monitor_types(DBusMessageIter *at, struct props *ret)
{
	DBusMessageIter each;
	const char *word;

	if (!enter_array(at, DBUS_TYPE_STRING, &each))
		return false;
	for (; take_basic(&each, DBUS_TYPE_STRING, &word); dbus_message_iter_next(&each))
		ret->or_patterns |= strcmp(word, "or_patterns") == 0;
	return true;
}

static const struct {
	const char *name;
	uint32_t has; /* 0: the counts say it */
	bool (*take)(DBusMessageIter *at, struct props *ret);
} rows[] = {
	{ "Address", HAS_ADDRESS, take_address },
	{ "AddressType", HAS_RANDOM, take_address_type },
	{ "Connected", HAS_CONNECTED, take_connected },
	{ "Discovering", HAS_DISCOVERING, take_discovering },
	{ "Flags", HAS_FLAGS, take_flags },
	{ "ManufacturerData", 0, take_makers },
	{ "Name", HAS_NAME, take_name },
	{ "Notifying", HAS_NOTIFYING, take_notifying },
	{ "Paired", HAS_PAIRED, take_paired },
	{ "Powered", HAS_POWERED, take_powered },
	{ "RSSI", HAS_RSSI, take_rssi },
	{ "ServiceData", 0, take_services },
	{ "ServicesResolved", HAS_RESOLVED, take_resolved },
	{ "SupportedMonitorTypes", HAS_MONITOR_TYPES, take_monitor_types },
	{ "UUID", HAS_UUID, take_uuid },
	{ "UUIDs", HAS_UUIDS, take_uuids },
	{ "Value", HAS_VALUE, take_value },
};

void props_read(DBusMessageIter *dict, struct props *ret)
{
	DBusMessageIter each, value;
	const char *key;

	*ret = (struct props){ 0 };
	if (!enter_array(dict, DBUS_TYPE_DICT_ENTRY, &each)) {
		ret->odd = 1;
		return;
	}
	for (; enter_entry(&each, DBUS_TYPE_STRING, &key, &value); dbus_message_iter_next(&each)) {
		for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
			if (strcmp(rows[i].name, key) != 0)
				continue;
			if (rows[i].take(&value, ret))
				ret->has |= rows[i].has;
			else
				ret->odd++;
		}
	}
}

/* Messages */

/* a{sa{sv}}: the interfaces of one object. */
static bool each_interface(DBusMessageIter *at, const char *path, props_object_fn each, void *ctx)
{
	DBusMessageIter interfaces;
	struct props props;

	if (!enter_array(at, DBUS_TYPE_DICT_ENTRY, &interfaces))
		return false;
	for (; dbus_message_iter_get_arg_type(&interfaces) == DBUS_TYPE_DICT_ENTRY; dbus_message_iter_next(&interfaces)) {
		DBusMessageIter entry;
		const char *name;

		dbus_message_iter_recurse(&interfaces, &entry);
		if (!take_basic(&entry, DBUS_TYPE_STRING, &name) || !dbus_message_iter_next(&entry))
			return false;
		if (props_interface_of(name) == PROPS_OTHER)
			continue;
		props_read(&entry, &props);
		each(ctx, path, props_interface_of(name), &props);
	}
	return true;
}

int props_managed(DBusMessage *reply, props_object_fn each, void *ctx)
{
	DBusMessageIter at, objects;

	if (!dbus_message_has_signature(reply, "a{oa{sa{sv}}}") || !dbus_message_iter_init(reply, &at) ||
	    !enter_array(&at, DBUS_TYPE_DICT_ENTRY, &objects))
		return PROPS_E_MALFORMED;
	for (; dbus_message_iter_get_arg_type(&objects) == DBUS_TYPE_DICT_ENTRY; dbus_message_iter_next(&objects)) {
		DBusMessageIter entry;
		const char *path;

		dbus_message_iter_recurse(&objects, &entry);
		if (!take_basic(&entry, DBUS_TYPE_OBJECT_PATH, &path) || !dbus_message_iter_next(&entry) ||
		    !each_interface(&entry, path, each, ctx))
			return PROPS_E_MALFORMED;
	}
	return 0;
}

int props_added(DBusMessage *signal, props_object_fn each, void *ctx)
{
	DBusMessageIter at;
	const char *path;

	if (!dbus_message_has_signature(signal, "oa{sa{sv}}") || !dbus_message_iter_init(signal, &at) ||
	    !take_basic(&at, DBUS_TYPE_OBJECT_PATH, &path) || !dbus_message_iter_next(&at) ||
	    !each_interface(&at, path, each, ctx))
		return PROPS_E_MALFORMED;
	return 0;
}

int props_changed(DBusMessage *signal, props_object_fn each, void *ctx)
{
	const char *path = dbus_message_get_path(signal), *name;
	enum props_interface interface;
	struct props props;
	DBusMessageIter at;

	if (!path || !dbus_message_has_signature(signal, "sa{sv}as") || !dbus_message_iter_init(signal, &at) ||
	    !take_basic(&at, DBUS_TYPE_STRING, &name) || !dbus_message_iter_next(&at))
		return PROPS_E_MALFORMED;
	interface = props_interface_of(name);
	if (interface == PROPS_OTHER)
		return 0;
	props_read(&at, &props);
	each(ctx, path, interface, &props);
	return 0;
}

int props_removed(DBusMessage *signal, props_object_fn each, void *ctx)
{
	DBusMessageIter at, names;
	const char *path, *name;

	if (!dbus_message_has_signature(signal, "oas") || !dbus_message_iter_init(signal, &at) ||
	    !take_basic(&at, DBUS_TYPE_OBJECT_PATH, &path) || !dbus_message_iter_next(&at) ||
	    !enter_array(&at, DBUS_TYPE_STRING, &names))
		return PROPS_E_MALFORMED;
	for (; take_basic(&names, DBUS_TYPE_STRING, &name); dbus_message_iter_next(&names)) {
		if (props_interface_of(name) != PROPS_OTHER)
			each(ctx, path, props_interface_of(name), NULL);
	}
	return 0;
}

int props_owner(DBusMessage *signal, const char *name, const char **ret_owner)
{
	const char *who, *before, *now;

	if (!dbus_message_get_args(signal, NULL, DBUS_TYPE_STRING, &who, DBUS_TYPE_STRING, &before, DBUS_TYPE_STRING, &now,
				   DBUS_TYPE_INVALID) ||
	    strcmp(who, name) != 0)
		return PROPS_E_MALFORMED;
	*ret_owner = now;
	return 0;
}

const char *props_error(DBusMessage *reply)
{
	const char *name = reply ? dbus_message_get_error_name(reply) : NULL;
	const char *dot = name ? strrchr(name, '.') : NULL;

	if (!reply || dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_ERROR)
		return "";
	return dot ? dot + 1 : "Error";
}

int props_bytes(DBusMessage *reply, struct view *ret)
{
	DBusMessageIter at;

	if (dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_METHOD_RETURN || !dbus_message_iter_init(reply, &at) ||
	    !take_bytes(&at, ret))
		return PROPS_E_MALFORMED;
	return 0;
}
