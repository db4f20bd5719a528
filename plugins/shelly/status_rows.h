#pragma once
/* status_rows - the table of a Shelly's components: where a value stands, which capability it is, how it is ordered.
 *
 *   above   shelly/status
 *   below   base/base  sdk/gw_adapter  sdk/gw_caps
 *   owns    the constant table
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"

enum status_form {
	FORM_BOOL,
	FORM_NUMBER,	 /* ours = theirs * scale */
	FORM_KELVIN,	 /* 1e6 / theirs is mired */
	FORM_HUE,	 /* of [red, green, blue] */
	FORM_SATURATION,
	FORM_MOVE,	 /* a cover's state */
	FORM_HEAT,	 /* true is "heat", false "off" */
	FORM_PUSH,	 /* an input whose state is null: said by events only */
};
enum status_way {
	WAY_NONE,
	WAY_SET,    /* method {"id": N, param: value} */
	WAY_COVER,  /* Cover.Open, Close, Stop {"id": N} */
	WAY_CONFIG, /* method {"config": {"id": N, param: value}} */
	WAY_VALVE,  /* BluTrv.Call {"id": N, "method": method, "params": {"id": 0, param: value}} */
};
struct status_component {
	const char *key, *word; /* "switch", of which "Switch" is the methods' first half */
	bool single;		/* there is one: its key has no number */
};
struct status_row {
	const char *component; /* "switch light": any of these */
	const char *key, *inner;
	uint16_t cap;
	uint8_t form, way;
	uint8_t shift; /* endpoint is N + 1 + shift */
	double scale;
	const char *method, *param;
};

extern const struct status_component status_components[];
extern const size_t status_components_n;
extern const struct status_row status_rows[];
extern const size_t status_rows_n;
