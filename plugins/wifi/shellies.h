#pragma once
/* shellies - Gen2+ Shellys on the LAN broker: JSON-RPC over MQTT, with the codecs of plugins/shelly.
 *
 *   above   wifi/wifi_inside
 *   below   base/base  base/text  sdk/gw_adapter  shelly/rpc  shelly/status  wifi/wifi_inside
 *   owns    struct shellies: the devices
 *   limits  SHELLIES_MAX SHELLIES_ASK_MS SHELLIES_ASKS_MAX
 *
 * A device speaks below its own id: ID/online, ID/events/rpc. It is asked on ID/rpc and answers on the topic that the
 * question names: gateway-rpc/ID/rpc, so that on the shipped broker no device can answer for another.
 */
#include <uthash.h>
#include "base/base.h"
#include "shelly/rpc.h"
#include "shelly/status.h"

enum {
	SHELLIES_MAX = 64,
	SHELLIES_ASK_MS = 3000, /* who has not answered by then is asked again */
	SHELLIES_ASKS_MAX = 5,  /* in a row; then at its next word */
};

struct shelly {
	UT_hash_handle hh; /* by id */
	char id[RPC_NAME_MAX + 1];
	struct rpc_info info;
	struct status_map map;
	bool online, known, described, up; /* known: info and map are there */
	bool has_info;
	unsigned asks;
	uint64_t ask_at; /* UINT64_MAX: nothing is asked */
};
struct shellies {
	struct shelly *all;
	uint64_t n_refused;
};
void shellies_deinit(struct shellies *shellies);
