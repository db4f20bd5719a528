#pragma once
/* ble_inside - what the parts of the plugin share: the bus, bluetoothd, who is remembered, who may join.
 *
 *   above   ble/plugin  ble/sensors  ble/keep  ble/gatt  ble/agent
 *   below   base/base  ble/agent  ble/beacons  ble/bluez  ble/bus  ble/gatt  ble/window  sdk/gw_adapter
 *   owns    struct gwa_self
 *   limits  BLE_SEEN_MAX BLE_HELD_MAX
 */
#include "base/base.h"
#include "ble/agent.h"
#include "ble/beacons.h"
#include "ble/bluez.h"
#include "ble/bus.h"
#include "ble/gatt.h"
#include "ble/window.h"
#include "sdk/gw_adapter.h"

enum {
	BLE_SEEN_MAX = 128,	  /* devices in the air, while a window is open */
	BLE_HELD_MAX = 16,	  /* events that found no credit; the oldest goes */
	BLE_GRACE_MS = 2000,	  /* without an ear for that long all devices are out of reach */
	BLE_MARKS_MS = 300000,	  /* counters of measurements are kept in such steps */
	BLE_BEACONS_MS = 1000,	  /* news about devices are kept together */
};
enum { TIMER_BUS, TIMER_BLUEZ, TIMER_AWAY, TIMER_BEACONS, TIMER_MARKS, TIMER_WINDOW, TIMER_GRACE, TIMER_GATT };

/* Of a device that is not remembered, while a window is open: what BlueZ says once and not again with each signal. */
struct seen {
	uint8_t mac[6];
	bool random;
	char name[BEACON_TEXT_MAX + 1];
};

/* A press that could not be said yet. A measurement comes again by itself, a press does not. */
struct held {
	uint8_t mac[6], endpoint;
	uint16_t cap;
	bool is_text;
	int64_t number;
	char text[16];
};

struct gwa_self {
	gwa_host *host;
	struct bus bus;
	struct bluez bluez;
	struct beacons beacons;
	struct window window;
	struct gatt gatt;
	struct agent agent;
	struct seen *seen; /* BLE_SEEN_MAX; NULL while no window is open */
	size_t n_seen, next_seen;
	size_t n_held;
	struct held held[BLE_HELD_MAX];
	bool deaf; /* no adapter has listened for BLE_GRACE_MS */
	uint64_t away_ms, marks_ms, beacons_ms; /* when their timers are due; UINT64_MAX: not set */
};

/* sensors: adverts become devices and reports */
void sensors_said(gwa_self *self, const struct props_path *path, const struct props *props, bool whole);
void sensors_listening(gwa_self *self, bool listening);
void sensors_say_held(gwa_self *self); /* there is credit again */
void sensors_grace(gwa_self *self);
void sensors_away(gwa_self *self);
void sensors_describe(gwa_self *self, struct beacon *beacon);
void sensors_go_down(gwa_self *self, struct beacon *beacon); /* it cannot be reached */
void sensors_remove(gwa_self *self, struct beacon *beacon);
uint64_t sensors_report(gwa_self *self, const struct beacon *beacon, uint8_t endpoint, uint16_t cap, const struct value *value);
void sensors_joining(gwa_self *self, const uint8_t mac[6], int stage, const char *why);
void sensors_window(gwa_self *self, bool open); /* whether anybody may join has changed */

/* keep: the blobs */
void keep_load(gwa_self *self);
void keep_beacons(gwa_self *self); /* soon */
void keep_marks(gwa_self *self);   /* in the next step */
void keep_now(gwa_self *self);	   /* what is due or not, at once */
void keep_marks_now(gwa_self *self);
void keep_beacons_now(gwa_self *self);

uint64_t ble_now(const gwa_self *self);
/* A timer that is set to the earlier of what it is and due_ms. */
void ble_set_timer(gwa_self *self, uint32_t timer, uint64_t *at_ms, uint64_t due_ms);
