#pragma once
/* ha_entity - what a device's capabilities are to Home Assistant: a lamp is one entity of three capabilities.
 *
 *   above   linkd/ha  linkd/ha_codec
 *   below   base/base  base/text  model/capability  model/device  model/value
 *   owns    the table of rows
 *   limits  HA_OBJECT_MAX HA_ENTITIES_MAX
 *
 * An entity's object id is made of its kind or capability and, past endpoint 1, the endpoint's number: it depends on
 * nothing that changes, because Home Assistant keeps what people set up by it.
 */
#include "base/base.h"
#include "model/device.h"

enum { HA_OBJECT_MAX = 48, HA_ENTITIES_MAX = DEVICE_CAPS_MAX };

enum ha_platform {
	HA_SENSOR, HA_BINARY, HA_SWITCH, HA_NUMBER, HA_SELECT, HA_LIGHT, HA_LOCK, HA_COVER, HA_CLIMATE, HA_VALVE, HA_PLATFORMS
};
const char *ha_platform_name(enum ha_platform platform);

struct ha_row {
	uint16_t cap;
	enum ha_platform platform; /* when it may be written; else a sensor, binary if it is a truth value */
	const char *name, *dev_cla, *unit, *stat_cla;
	bool diagnostic;
	bool inverted; /* ON means false: a contact that is closed is a door that is not open */
};

struct ha_entity {
	enum ha_platform platform;
	char object[HA_OBJECT_MAX];
	uint8_t endpoint;
	bool is_main;                        /* what the device is for: it takes the device's name */
	const struct ha_row *row;            /* NULL: vendor's capability, or made of several */
	const struct capability_desc *cap;   /* the one, or the first of several */
	const struct endpoint_desc *parts;   /* where the others are */
};

/* Returns how many, at most HA_ENTITIES_MAX; they borrow from desc. */
size_t ha_entities(const struct device_desc *desc, struct ha_entity ret[HA_ENTITIES_MAX]);
const struct capability_desc *ha_part(const struct ha_entity *entity, uint16_t cap); /* NULL: it has none */
bool ha_is_writable(const struct capability_desc *cap);
