#pragma once
/* hass - Home Assistant's MQTT discovery as a device speaks it: one configuration in, what it says of capabilities and topics out.
 *
 *   above   wifi/hass_device  wifi/hass_house
 *   below   base/base  base/text  model/capability  sdk/gw_adapter  sys/json  wifi/hass_faces  wifi/lan_device  wifi/template
 *           wifi/trait  wifi/ways
 *   owns    struct hass_entity: its texts
 *   limits  HASS_BYTES_MAX HASS_NESTING_MAX HASS_PARTS_MAX HASS_WAYS_MAX HASS_AVAILABILITY_MAX
 *   errors  HASS_E_MALFORMED HASS_E_SIZE HASS_E_TYPE HASS_E_UNCOVERED HASS_E_NOTHING
 *
 * Both forms are read: one entity a topic (PREFIX/COMPONENT[/NODE]/OBJECT/config) and a whole device with its components
 * (PREFIX/device/OBJECT/config), with full or abbreviated keys and "~". What of it is understood is the table in hass_faces.c.
 */
#include "base/base.h"
#include "sys/json.h"
#include "wifi/ways.h"

enum { HASS_BYTES_MAX = 65536, HASS_NESTING_MAX = 8, HASS_PARTS_MAX = 64, HASS_WAYS_MAX = 6, HASS_AVAILABILITY_MAX = 4 };
enum {
	HASS_E_MALFORMED = 1,
	HASS_E_SIZE = 2,
	HASS_E_TYPE = 3,
	HASS_E_UNCOVERED = 5, /* a template that we do not cover */
	HASS_E_NOTHING = 6,   /* fit, and nothing that we have a capability for */
};

struct hass_entity {
	char device[GWA_TEXT_MAX + 1]; /* the first identifier of its device, or its connection */
	struct gwa_addr hw;            /* a MAC or IEEE address, when one is named */
	char vendor[GWA_TEXT_MAX + 1], model[GWA_TEXT_MAX + 1], firmware[GWA_TEXT_MAX + 1], name[GWA_TEXT_MAX + 1];
	char unique[GWA_TEXT_MAX + 1];
	size_t n_ways;
	struct way *ways; /* at most HASS_WAYS_MAX */
	size_t n_presences;
	struct presence presences[HASS_AVAILABILITY_MAX];
	bool any_presence; /* one of them is enough; else all are needed */
};

/* The part of a discovery topic behind its prefix: "sensor/node/object/config". False: no configuration's. */
must_check bool hass_topic(const char *rest, char ret_component[24]);

/* Calls on_entity for each entity that is understood (it takes what it is given) and counts those that are not. A whole device's
 * components that were taken back ({"platform":"sensor"} alone) are not called. */
struct hass_sink {
	void (*on_entity)(void *ctx, struct hass_entity *entity);
	void *ctx;
	uint32_t uncovered, nothing, bad; /* entities left out, and why */
};
must_check int hass_config(const char *component, const void *data, size_t len, struct hass_sink *sink);
struct hass_entity *hass_entity_free(struct hass_entity *entity);
