#pragma once
/* props - what BlueZ says of its objects: D-Bus messages read into small structs, every type looked at before it is read.
 *
 *   above   ble/bluez  ble/scan  ble/gatt  ble/agent
 *   below   base/base  base/bytes  base/text
 *   owns    nothing: texts and bytes are borrowed from the message
 *   limits  PROPS_PARTS_MAX PROPS_UUIDS_MAX PROPS_PATH_MAX
 *   errors  PROPS_E_MALFORMED
 *
 * A property of a type that BlueZ does not give it is as if it were not there, and counted in odd. Objects are known by
 * their paths: /org/bluez/hci0/dev_AA_BB_CC_DD_EE_FF/service0010/char0011.
 */
#include <dbus/dbus.h>
#include "base/base.h"
#include "base/bytes.h"

enum { PROPS_PARTS_MAX = 8, PROPS_UUIDS_MAX = 32, PROPS_PATH_MAX = 96 };
enum { PROPS_E_MALFORMED = 1 };

enum props_interface { PROPS_ADAPTER, PROPS_MONITORS, PROPS_DEVICE, PROPS_SERVICE, PROPS_CHARACTERISTIC, PROPS_AGENTS, PROPS_OTHER };

struct props_path {
	uint8_t adapter; /* the number of hciN */
	bool has_device;
	uint8_t mac[6]; /* highest byte first */
	uint16_t service, characteristic; /* 0: none; BlueZ's handles */
};

struct props_service_data {
	uint16_t uuid;	 /* 0: not one of the Bluetooth base */
	uint8_t long_uuid[16]; /* highest byte first */
	struct view data;
};
struct props_maker_data {
	uint16_t company;
	struct view data;
};

enum { /* bits of has */
	HAS_POWERED = 1u << 0,
	HAS_DISCOVERING = 1u << 1,
	HAS_NAME = 1u << 2,
	HAS_RANDOM = 1u << 3,
	HAS_RSSI = 1u << 4,
	HAS_CONNECTED = 1u << 5,
	HAS_PAIRED = 1u << 6,
	HAS_RESOLVED = 1u << 7,
	HAS_UUIDS = 1u << 8,
	HAS_VALUE = 1u << 9,
	HAS_UUID = 1u << 10,
	HAS_FLAGS = 1u << 11,
	HAS_ADDRESS = 1u << 12,
	HAS_NOTIFYING = 1u << 13,
	HAS_MONITOR_TYPES = 1u << 14,
};
enum { /* characteristic flags that concern us */
	CHAR_READ = 1u << 0,
	CHAR_WRITE = 1u << 1,
	CHAR_WRITE_QUIET = 1u << 2,
	CHAR_NOTIFY = 1u << 3,
};

/* All that is read of any of the interfaces; has says which were there. */
struct props {
	uint32_t has;
	uint32_t odd; /* of another type than BlueZ's, or malformed */
	bool powered, discovering, random, connected, paired, resolved, notifying, or_patterns;
	int16_t rssi;
	const char *name;
	uint8_t address[6];
	uint16_t uuid; /* of a service or characteristic; 0: a maker's own */
	uint32_t flags;
	struct view value;
	size_t n_uuids, n_services, n_makers;
	uint16_t uuids[PROPS_UUIDS_MAX]; /* those of the Bluetooth base */
	struct props_service_data services[PROPS_PARTS_MAX];
	struct props_maker_data makers[PROPS_PARTS_MAX];
};

must_check int props_path_read(const char *path, struct props_path *ret);
/* "/org/bluez/hci0/dev_..": false: no room. */
bool props_path_print(const struct props_path *path, char *ret, size_t cap);
enum props_interface props_interface_of(const char *name);
/* dict: an a{sv}. */
void props_read(DBusMessageIter *dict, struct props *ret);

typedef void (*props_object_fn)(void *ctx, const char *path, enum props_interface interface, const struct props *props);
/* The answer to GetManagedObjects, InterfacesAdded, PropertiesChanged: each object's interfaces, one after the other. */
must_check int props_managed(DBusMessage *reply, props_object_fn each, void *ctx);
must_check int props_added(DBusMessage *signal, props_object_fn each, void *ctx);
must_check int props_changed(DBusMessage *signal, props_object_fn each, void *ctx);
/* InterfacesRemoved: props is NULL. */
must_check int props_removed(DBusMessage *signal, props_object_fn each, void *ctx);
/* NameOwnerChanged of name; ret_owner is empty when nobody has it. PROPS_E_MALFORMED: not of this name, too. */
must_check int props_owner(DBusMessage *signal, const char *name, const char **ret_owner);
/* Of an error: its name's last word ("Failed"); of any other message or NULL: "". */
const char *props_error(DBusMessage *reply);
/* The one byte array that a ReadValue is answered with. */
must_check int props_bytes(DBusMessage *reply, struct view *ret);
/* "0000fcd2-0000-1000-8000-00805f9b34fb"; ret_short 0: not of the Bluetooth base. */
must_check int props_uuid(const char *text, uint16_t *ret_short, uint8_t ret_long[16]);
