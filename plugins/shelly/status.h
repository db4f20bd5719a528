#pragma once
/* status - what a Gen2+ Shelly's status means: components by a table to endpoints, capabilities and readings; orders to methods.
 *
 *   above   shelly/unit
 *   below   base/base  base/text  model/capability  sdk/gw_adapter  shelly/status_rows  sys/json
 *   owns    struct status_map's traits
 *   limits  STATUS_TRAITS_MAX STATUS_ENDPOINTS_MAX STATUS_ID_MAX STATUS_KEY_MAX STATUS_METHOD_MAX
 *   errors  STATUS_E_NOTHING STATUS_E_VALUE STATUS_E_UNKNOWN
 *
 * Component NAME:N is endpoint N + 1. Of two that would give one endpoint the same capability the first in the table has it. What has
 * no capability here is left out and counted, never guessed. The same words go over WebSocket and MQTT.
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "shelly/status_rows.h"
#include "sys/json.h"

enum { STATUS_TRAITS_MAX = 96, STATUS_ENDPOINTS_MAX = 32, STATUS_ID_MAX = 223, STATUS_KEY_MAX = 40, STATUS_METHOD_MAX = 40 };
enum {
	STATUS_E_NOTHING = 1, /* no component of it is known to us */
	STATUS_E_VALUE = 2,   /* not of the capability's type or range */
	STATUS_E_UNKNOWN = 3, /* there is no such capability, or it cannot be written */
};

struct status_trait {
	const struct status_row *row;
	const struct status_component *component;
	double last; /* what was read last: hue and saturation are set together */
	uint8_t id, endpoint, access;
};
struct status_map {
	struct status_trait *traits;
	size_t n;
	uint32_t left_out; /* components without a row */
	uint32_t sleep_s;  /* 0: it is always awake; else it wakes up that often */
};
struct status_reading {
	uint8_t endpoint;
	uint16_t cap;
	struct gwa_value value; /* texts are constant */
};

/* status: the result of Shelly.GetStatus, params of NotifyFullStatus, or a skeleton. */
must_check int status_map(const struct json *status, struct status_map *ret);
void status_map_deinit(struct status_map *map);
bool status_map_equal(const struct status_map *a, const struct status_map *b);
void status_key(const struct status_trait *trait, char ret[STATUS_KEY_MAX]); /* "switch:0" */
struct status_trait *status_find(const struct status_map *map, uint8_t endpoint, uint16_t cap); /* NULL: none */
/* The smallest status that gives the same map: to be kept. The caller's. */
struct json *status_skeleton(const struct status_map *map);

/* A whole status or a part of one (params of NotifyStatus; over MQTT {"switch:0": payload}). Traits' order. ret: STATUS_TRAITS_MAX. */
size_t status_read(struct status_map *map, const struct json *status, struct status_reading *ret, uint32_t *ret_bad);
/* Params of NotifyEvent: pushes. */
size_t status_events(const struct status_map *map, const struct json *params, struct status_reading *ret);

struct status_order {
	char method[STATUS_METHOD_MAX];
	struct json *params; /* the caller's */
};
must_check int status_order(const struct status_map *map, uint8_t endpoint, uint16_t cap, const struct gwa_value *value,
			    struct status_order *ret);

struct status_description {
	struct gwa_endpoint endpoints[STATUS_ENDPOINTS_MAX];
	struct gwa_cap caps[STATUS_TRAITS_MAX];
	uint8_t n_endpoints;
};
void status_describe(const struct status_map *map, struct status_description *ret);
