#pragma once
/* hass_house - what was said under the discovery prefix, topic by topic, and the devices made of it.
 *
 *   above   wifi/wifi_inside
 *   below   base/base  base/text  wifi/hass  wifi/hass_device  wifi/wifi_inside
 *   owns    struct hass_house: the entities
 *   limits  HASS_SAYINGS_MAX HASS_ENTITIES_MAX HASS_GATHER_MS
 */
#include <uthash.h>
#include "base/base.h"
#include "wifi/hass.h"

enum {
	HASS_SAYINGS_MAX = 1000,
	HASS_ENTITIES_MAX = 96, /* of one device */
	HASS_GATHER_MS = 200,   /* a device's entities come one after the other: it is described when they have come */
};

struct hass_saying { /* one retained configuration */
	UT_hash_handle hh;
	size_t n;
	struct hass_entity **entities;
	char topic[];
};
struct hass_house {
	struct hass_saying *sayings;
	struct hass_dirty *dirty; /* devices that are to be described anew */
	char prefix[64];          /* "": off */
};
void hass_house_deinit(struct hass_house *house);
