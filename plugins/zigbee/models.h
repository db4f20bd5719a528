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
 */
#include "base/base.h"
#include "zigbee/node.h"

struct model {
	const char *vendor, *model, *description; /* as sold: "IKEA", "E160x/E170x/E190x", "TRADFRI control outlet" */
	bool standard; /* all it does is said in standard clusters; else (Tuya's own cluster and the like) part of it is not understood */
};
/* By fingerprint first, then by model name. False: an unknown device; it works by its clusters all the same. */
must_check bool models_find(const struct node *node, struct model *ret);
size_t models_count(void);
