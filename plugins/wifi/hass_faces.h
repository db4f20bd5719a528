#pragma once
/* hass_faces - the table: which keys of a component's configuration make which capability.
 *
 *   above   wifi/hass
 *   below   base/base  model/capability  sdk/gw_adapter  wifi/hass  wifi/trait  wifi/ways
 *   owns    the constant table
 */
#include "base/base.h"
#include "sys/json.h"
#include "wifi/trait.h"

/* Where a word is configured: key, or the one after it, or as it is when none is. */
struct face_word {
	const char *ours, *key, *otherwise, *plain;
};
struct face {
	const char *component;
	const char *class; /* device_class; NULL: not looked at */
	const char *unit;  /* unit_of_measurement; NULL: not looked at */
	const char *state, *value, *command, *order; /* keys of topics and templates; NULL: none */
	const char *value_is, *order_is; /* templates that are not configured, for forms that have them built in */
	const char *name;                /* of the value in an order's template */
	const char *needs;               /* a key that must be true, or "~mode" of supported_color_modes */
	const char *span, *low, *high, *step; /* keys: its maximum is our 100 (255 when not said); its range */
	double span_is;
	const struct face_word *heard, *said; /* end with ours NULL */
	struct trait_row row;
};

/* The i-th face of a component; NULL past the last. Form "light/json" is a component of its own. */
const struct face *hass_face(const char *component, size_t i);
/* "stat_t" is state_topic: the short form of a key that we use; NULL: it has none. */
const char *hass_short(const char *key);
