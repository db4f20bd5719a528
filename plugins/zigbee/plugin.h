#pragma once
/* plugin - what zigbee offers to the host; the radio can be another one, for tests.
 *
 *   above   zigbee/zigbee
 *   below   sdk/gw_adapter  zigbee/radio
 *   owns    nothing
 */
#include "sdk/gw_adapter.h"
#include "zigbee/radio.h"

extern const struct gwa_ops zigbee_ops;
int zigbee_open_with(gwa_host *host, const struct gwa_opt *opts, uint32_t n,
		     struct radio *(*radio_new)(const struct radio_events *events, void *ctx), gwa_self **ret);
