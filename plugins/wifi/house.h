#pragma once
/* house - who lives on the LAN broker: devices by address, and what each topic means, in one look-up.
 *
 *   above   wifi/wifi_inside
 *   below   base/base  base/text  sdk/gw_adapter  wifi/lan_device
 *   owns    the devices that were put in, their topics
 *   limits  HOUSE_DEVICES_MAX HOUSE_QUIET_MAX
 *   errors  HOUSE_E_FULL HOUSE_E_TAKEN
 */
#include <uthash.h>
#include "base/base.h"
#include "wifi/lan_device.h"

enum { HOUSE_DEVICES_MAX = 1000, HOUSE_QUIET_MAX = 1000 };
enum {
	HOUSE_E_FULL = 1,
	HOUSE_E_TAKEN = 2, /* a topic or a hardware address that belongs to another device */
};

enum house_place {
	PLACE_STATE,	    /* Zigbee2MQTT: a state */
	PLACE_AVAILABILITY, /* online or offline, JSON or bare */
	PLACE_TELEMETRY,    /* Tasmota: STATE, SENSOR, RESULT */
	PLACE_POWER,	    /* Tasmota: POWERn, bare */
	PLACE_WILL,	    /* Tasmota: LWT */
	PLACE_WAYS,	    /* Home Assistant's discovery: whatever the device's ways make of it */
	PLACE_PRESENCE,	    /* the same, here or away; several devices may share it */
	PLACE_QUIET,	    /* a group: known, and says nothing of its own */
};

struct house_entry;
struct house_route {
	UT_hash_handle hh;
	struct house_route *next; /* of the same entry */
	struct house_route *also; /* PRESENCE: another entry's, on the same topic */
	struct house_entry *entry; /* NULL: QUIET */
	enum house_place place;
	int source;
	char topic[];
};
struct house_entry {
	UT_hash_handle hh;
	struct lan_device *device;
	struct house_route *routes;
	int source;	/* Zigbee2MQTT: the base's number; HOUSE_TASMOTA, HOUSE_HASS */
	bool seen;	/* in the list that is being read */
	bool offline;	/* it is said to be out of reach */
	bool described, up; /* what the core was told last */
};
enum { HOUSE_TASMOTA = 1000, HOUSE_HASS };

struct house {
	struct house_entry *entries;
	struct house_route *routes;
	size_t n_entries, n_quiet;
};

void house_deinit(struct house *house);
const struct house_route *house_find(const struct house *house, const char *topic, size_t len); /* NULL: unknown */
struct house_entry *house_find_addr(const struct house *house, const struct gwa_addr *addr);
/* The one that has this hardware address under another of our addresses. */
struct house_entry *house_rival(const struct house *house, const struct lan_device *device);

/* A source says all of its devices anew: begin, put each, then take those that were not seen. */
void house_begin(struct house *house, int source);
/* Takes device when it returns 0. ret_changed: new, or described otherwise than before. */
must_check int house_put(struct house *house, int source, struct lan_device *device, struct house_entry **ret,
			 bool *ret_changed);
struct house_entry *house_unseen(struct house *house, int source); /* NULL: none left */
void house_remove(struct house *house, struct house_entry *entry);

void house_begin_quiet(struct house *house, int source);
must_check int house_put_quiet(struct house *house, int source, const char *topic);
