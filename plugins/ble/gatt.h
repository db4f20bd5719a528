#pragma once
/* gatt - devices that are connected to: joined, paired, read, listened to, written, and connected to again.
 *
 *   above   ble/ble_inside  ble/plugin  ble/agent
 *   below   base/base  ble/characteristic  ble/hear  ble/props  sdk/gw_adapter
 *   owns    struct gatt: its peers
 *   limits  GATT_PEERS_MAX GATT_CHARS_MAX GATT_ORDERS_MAX
 *
 * A peer goes AWAY, CONNECTING, PAIRING (while it joins only), RESOLVING, READING, READY, and back to AWAY whenever
 * BlueZ says that it is not connected. It is connected to when BlueZ has an object for it, each time later when that does
 * not work: GATT_AGAIN_MS to GATT_AGAIN_MOST_MS. Nobody is paired with but who joins.
 */
#include "base/base.h"
#include "ble/characteristic.h"
#include "ble/props.h"
#include "sdk/gw_adapter.h"

enum {
	GATT_PEERS_MAX = 16,
	GATT_CHARS_MAX = 24,
	GATT_ORDERS_MAX = 8,
	GATT_CONNECT_MS = 60000,
	GATT_PAIR_MS = 90000,
	GATT_RESOLVE_MS = 30000,
	GATT_SETTLE_MS = 300, /* BlueZ says that all is known, and then what */
	GATT_READ_MS = 30000,
	GATT_AGAIN_MS = 2000,
	GATT_AGAIN_MOST_MS = 300000,
	GATT_POLL_MS = 300000, /* what does not notify */
};

enum gatt_step { GATT_AWAY, GATT_CONNECTING, GATT_PAIRING, GATT_RESOLVING, GATT_READING, GATT_READY };

struct gatt_char {
	uint16_t service, handle;
	const struct characteristic *row;
	uint32_t flags;
	uint8_t endpoint;
	uint8_t len, bytes[8]; /* the beginning of its value, as it was read when the device became ready */
	bool read;
};
struct gatt_peer {
	bool used, present, joins, random, paired, asked_person, authenticated, resolved;
	bool asks; /* a read is on its way */
	bool settles;
	bool refuses, retried; /* it does not pair; and was connected to once more for that */
	uint8_t mac[6], adapter;
	enum gatt_step step;
	gwa_self *self;
	uint64_t due_ms; /* UINT64_MAX: nothing is due */
	uint32_t wait_ms;
	size_t n_chars, at; /* at: the one that is being read */
	struct gatt_char chars[GATT_CHARS_MAX];
	bool compares; /* the person may say which digits stood on the device */
	uint32_t digits;
	char name[33], vendor[33], model[33], firmware[33];
};
struct gatt_order {
	uint64_t req; /* 0: free */
	gwa_self *self;
	uint8_t mac[6], endpoint;
	uint16_t cap;
	bool on, says_itself;
};
struct gatt {
	struct gatt_peer peers[GATT_PEERS_MAX];
	struct gatt_order orders[GATT_ORDERS_MAX];
};

/* Of a remembered device, after load. */
void gatt_know(gwa_self *self, const uint8_t mac[6], bool random);
/* Somebody whom a person lets in. False: no room. */
bool gatt_join(gwa_self *self, const struct props_path *path, bool random, const char *name);
void gatt_forget(gwa_self *self, const uint8_t mac[6]);
/* What BlueZ says of a device, its services and characteristics. */
void gatt_said(gwa_self *self, const struct props_path *path, enum props_interface interface, const struct props *props);
void gatt_lost(gwa_self *self); /* bluetoothd is gone, and all connections with it */
void gatt_on_timer(gwa_self *self);
void gatt_command(gwa_self *self, uint64_t req, const uint8_t mac[6], uint8_t endpoint, uint16_t cap, const struct gwa_value *value);

struct gatt_peer *gatt_peer(gwa_self *self, const uint8_t mac[6]); /* NULL: none */
/* The digits that stood on the device: the same as ours prove it, others end it. False: nobody was to compare. */
bool gatt_compare(gwa_self *self, const uint8_t mac[6], uint32_t digits);
void gatt_end_window(gwa_self *self);
/* For its own parts: an empty a{sv} at the end, where options go, bytes before it if there are any; a call to a characteristic. */
bool gatt_put_options(DBusMessage *message, const uint8_t *bytes, int len);
DBusMessage *gatt_message(const struct gatt_peer *peer, const struct gatt_char *c, const char *method);
void gatt_chars_add(struct gatt_peer *peer, const struct props_path *path, const struct props *props);
bool gatt_chars_drop(struct gatt_peer *peer, const struct props_path *path); /* true: it had it */
void gatt_chars_number(struct gatt_peer *peer); /* in the order of their handles; endpoints */
bool gatt_is_pairing(const struct gatt_peer *peer);
