#pragma once
/* radio - the simulated radio's answers to what a person may ask it (docs/spec/radio.md): a channel, a name for its network, a key.
 *
 *   above   sim/sim
 *   below   base/text  sdk/gw_adapter
 *   owns    nothing
 *   limits  -
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sdk/gw_adapter.h"

enum { RADIO_PIECE = 512 }; /* the longest piece that it says at once */

struct radio {
	uint32_t channel, network; /* network: another one after each form */
	uint32_t backup_bytes;	   /* a backup is filled up to so many */
};
struct radio_ear { /* where it says its answer, piece by piece */
	void (*say)(void *ctx, const void *data, size_t len);
	void *ctx;
};
/* GWA_OK, GWA_UNSUPPORTED, GWA_BAD_VALUE. devices: how many it has. */
int radio_ask(struct radio *radio, const char *verb, const void *data, size_t len, uint32_t devices, const struct radio_ear *ear);
