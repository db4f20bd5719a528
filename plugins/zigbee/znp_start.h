#pragma once
/* znp_start - the steps by which a stick becomes the coordinator of a network: ours, a new one, a restored one.
 *
 *   above   zigbee/znp_start  zigbee/znp_restore
 *   below   base/base
 *   owns    nothing
 *   limits  START_RESETS_MAX
 */
#include "base/base.h"
#include "zigbee/znp_inside.h"

enum {
	START_RESETS_MAX = 3, /* how often it is told to restart before it is given up */
	START_RESET_MS = 10000,
	START_NETWORK_MS = 100000, /* forming, with a scan of all channels */
	START_SETTLE_MS = 500,
	START_SETTLES = 60,
};

/* Steps that forming and restoring share. */
step_fn start_clear, start_reset, start_items, start_channel, start_commission, start_settle;
step_fn start_address, start_look_nib, start_look_key, start_look_counter;
step_fn start_up, start_flag, start_endpoints, start_group, start_close, start_ready;

/* What the items of the memory are set to, before the network is formed. */
void start_form(struct znp *z, const struct radio_network *network);
struct nv_place start_counter_place(const struct znp *z, unsigned int row);

/* znp_restore.c */
extern step_fn *const restore_steps[];
