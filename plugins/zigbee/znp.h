#pragma once
/* znp - a radio that is a Z-Stack network processor (CC2652 and its kin) behind a serial line or a socket.
 *
 *   above   -
 *   below   base/base  base/bytes  base/list  sys/crypto  zigbee/mt  zigbee/radio  zigbee/unpi  zigbee/znp_inside
 *           zigbee/znp_line  zigbee/zdo
 *   owns    struct radio: what waits, what is being fetched, the network's key; wiped by free
 *   limits  ZNP_WINDOW ZNP_ASKS_MAX ZNP_FETCHES_MAX ZNP_RESETS_MAX ZNP_DATA_INLINE_MAX ZNP_DATA_STORE_MAX
 *   errors  those of zigbee/radio
 *
 * One frame to a device is in flight at a time, so that they keep their order; frames to different devices overtake
 * each other. What came back as an error is not sent again: who asked knows whether it is still wanted.
 */
#include "base/base.h"
#include "zigbee/radio.h"

enum {
	ZNP_WINDOW = 8,             /* data frames that the stick has not confirmed */
	ZNP_WINDOW_OLD = 2,         /* of a chip with little memory */
	ZNP_ASKS_MAX = 8,           /* questions that no device has answered yet */
	ZNP_FETCHES_MAX = 4,        /* long messages that are being fetched from the stick */
	ZNP_RESETS_MAX = 4,         /* restarts within ZNP_RESETS_MS: one more, and it is broken */
	ZNP_REFUSALS_MAX = 8,       /* frames in a row that it does not take: then it is begun again */
	ZNP_DATA_PLAIN_MAX = 80,    /* bytes of a frame on the air; more is several, and nobody takes several from a broadcast */
	ZNP_DATA_INLINE_MAX = 230,  /* bytes that a request itself carries; more follow in pieces */
	ZNP_DATA_STORE_MAX = 240,   /* bytes of a piece, there and back */
};
enum {
	ZNP_RESETS_MS = 60000,
	ZNP_WAIT_MS = 30000,    /* an operation that had no turn by then is RADIO_TIMEOUT */
	ZNP_CONFIRM_MS = 15000, /* a sleepy parent holds a frame for 7.7 s, and the stack sends three times */
	ZNP_ANSWER_MS = 10000,  /* what devices take for a question */
	ZNP_PERMIT_MS = 1000,   /* then it was meant by its yes */
	ZNP_KEEP_MS = 50000,
	ZNP_CHANNEL_MS = 20000, /* the order travels for nine seconds before anybody changes */
};

struct radio *znp_new(const struct radio_events *events, void *ctx); /* events: borrowed as long as it lives */
