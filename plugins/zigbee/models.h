#pragma once
/* models - the names of 4,000 devices: what they say of themselves, and what people call them.
 *
 *   above   zigbee/traits
 *   below   base/base  zigbee/node
 *   owns    the constant table that the build makes of models.tsv
 *   limits  -
 *
 * models.tsv is generated from zigbee-herdsman-converters (MIT; models.NOTICE); tests/sim/models.mjs is the generator.
 * The table is read-only data in the plugin (half a megabyte, not relocated): a search touches about eight pages of it, and gives them back.
 * What a model exposes is what Zigbee2MQTT makes of it, as far as we have capabilities for that (tests/sim/exposed.mjs).
 */
#include "base/base.h"
#include "zigbee/node.h"

/* Of a row of the table; all but the first are quirks. */
enum model_flag {
	MODEL_STANDARD = 1,
	MODEL_WHOLE_BATTERY = 2, /* 100 is full, not 200 */
	MODEL_TURNED_COVER = 4,  /* 100 is open there, too */
	MODEL_NO_OPTIONS = 8,    /* refuses level and colour commands that end with options */
};
/* Of four more bits each: what the zone watches, whatever it says itself; by which curve (values.c) the battery's voltage is its percentage,
 * whatever it says itself. */
enum { MODEL_ZONE_SHIFT = 4, MODEL_CURVE_SHIFT = 8, MODEL_CURVES = 15 };
/* And of what it exposes. */
enum {
	MODEL_MORE = 1 << 12,   /* there is more than there are capabilities for */
	MODEL_VARIES = 1 << 13, /* it depends on the single device: the list is what is common, and may be too short */
};
enum model_zone { ZONE_OWN, ZONE_CONTACT, ZONE_MOTION, ZONE_SMOKE, ZONE_WATER, ZONE_CARBON_MONOXIDE, ZONE_GAS, ZONE_VIBRATION, MODEL_ZONES };

struct model {
	const char *vendor, *model, *description; /* as sold: "IKEA", "E160x/E170x/E190x", "TRADFRI control outlet" */
	bool standard; /* all it does is said in standard clusters; else (Tuya's own cluster and the like) part of it is not understood */
	uint16_t quirks; /* enum model_flag: for FACT_QUIRKS (traits_know) */
	bool more, varies; /* MODEL_MORE, MODEL_VARIES: exposes is not all */
	const uint8_t *exposes; /* capabilities, rising, 0 is the end; the table's */
};
/* By fingerprint first, then by model name. False: an unknown device; it works by its clusters all the same. */
must_check bool models_find(const struct node *node, struct model *ret);
size_t models_count(void);
