#pragma once
/* talk - conversations with devices: what is sent waits in a queue, is repeated when the air loses it, and meets its answer.
 *
 *   above   zigbee/zigbee_state
 *   below   base/base  base/bytes  base/list  zigbee/radio  zigbee/zcl
 *   owns    what waits
 *   limits  TALK_QUEUE_MAX TALK_ITEMS_MAX TALK_FLIGHT_MAX TALK_PAYLOAD_MAX TALK_TRIES_MAX TALK_RECENT_MAX TALK_BURST_MAX
 *   errors  TALK_E_FULL TALK_E_SIZE
 *
 * A device that listens always has two frames under way, one that sleeps has one; what a sleeping device did not fetch is sent
 * again when it is heard. Each ask is answered exactly once by done(), with its tag, never from within talk_add().
 */
#include "base/base.h"
#include "base/bytes.h"
#include "base/list.h"
#include "zigbee/radio.h"
#include "zigbee/zcl.h"

enum {
	TALK_QUEUE_MAX = 24,  /* asks of one device */
	TALK_ITEMS_MAX = 512, /* of all */
	TALK_FLIGHT_MAX = 12, /* given to the radio and not acknowledged */
	TALK_PAYLOAD_MAX = 128,
	TALK_TRIES_MAX = 4,   /* to one who listens */
	TALK_SLEEPY_TRIES_MAX = 12,
	TALK_RECENT_MAX = 8,  /* frames remembered of a device, to know a duplicate */
	TALK_RECENT_MS = 2000,
	TALK_BURST_MAX = 60,  /* frames of a device at once; then TALK_RATE a second */
	TALK_RATE = 20,
	TALK_ANSWER_MS = 6000, /* after the acknowledgement */
	TALK_SLEEPY_ANSWER_MS = 12000,
};
enum { TALK_E_FULL = 1, TALK_E_SIZE = 2 };

enum talk_status {
	TALK_OK,
	TALK_REFUSED,     /* a default response says no: .zcl */
	TALK_UNREACHABLE, /* it did not get it */
	TALK_TIMEOUT,     /* it got it, and did not answer */
	TALK_DROPPED,     /* talk_drop */
};

struct talk_peer { /* one for each device, embedded there */
	uint16_t nwk;      /* NODES_NO_NWK: nothing is sent */
	bool sleepy;
	bool must_hear;    /* it sleeps: nothing is sent before it was heard */
	uint8_t sequence, n, flying;
	uint8_t at;        /* in recent */
	struct {
		uint32_t hash, ms;
	} recent[TALK_RECENT_MAX];
	uint64_t crowded_ms; /* the time up to which its frames have used its share */
	uint64_t pass;
};

struct talk_ask {
	uint64_t tag;
	uint8_t endpoint;
	uint16_t profile, cluster, manufacturer;
	bool own;       /* a command of the cluster; else a general one */
	bool to_client; /* as a server speaks */
	bool ack_only;  /* nobody answers that */
	uint8_t command;
	struct view payload;
	uint32_t ttl_ms; /* not sent when that is over */
};
struct talk_result {
	uint64_t tag;
	struct talk_peer *peer;
	enum talk_status status;
	uint8_t zcl;                   /* TALK_REFUSED */
	const struct zcl_frame *frame; /* TALK_OK: the answer, NULL with ack_only and default responses */
};
struct talk_calls {
	uint64_t (*now_ms)(void *ctx);
	int (*send)(void *ctx, uint32_t id, const struct radio_message *message); /* as radio_ops.send; id below 1 << 24 */
	void (*done)(void *ctx, const struct talk_result *result);
};

struct talk {
	const struct talk_calls *calls;
	void *ctx;
	struct list items;
	size_t n, flying;
	uint64_t last, pass;
	bool paused; /* the radio is not ready */
	uint64_t repeats, duplicates, floods; /* counted */
};

void talk_init(struct talk *talk, const struct talk_calls *calls, void *ctx);
void talk_deinit(struct talk *talk); /* says nothing more */
void talk_peer_init(struct talk_peer *peer, uint16_t nwk, bool sleepy);

must_check int talk_add(struct talk *talk, struct talk_peer *peer, const struct talk_ask *ask);
void talk_sent(struct talk *talk, uint32_t id, enum radio_status status);
void talk_lost(struct talk *talk); /* the radio is another one: what it had under way is sent again */
void talk_heard(struct talk *talk, struct talk_peer *peer);
/* Of each frame that came, before anything else is done with it: the same came a moment ago. */
bool talk_is_again(struct talk *talk, struct talk_peer *peer, const struct radio_message *message);
/* Of each frame that nobody expects: its device says more than a device has to say. */
bool talk_is_flood(struct talk *talk, struct talk_peer *peer);
bool talk_expects(struct talk *talk, const struct talk_peer *peer, const struct radio_message *message, const struct zcl_frame *frame);
/* True: it was an answer that somebody waited for, and who has it now. */
bool talk_answer(struct talk *talk, struct talk_peer *peer, const struct radio_message *message, const struct zcl_frame *frame);
/* NULL: of all. done() hears TALK_DROPPED. */
void talk_drop(struct talk *talk, const struct talk_peer *peer);
void talk_tick(struct talk *talk);
uint64_t talk_due_ms(struct talk *talk); /* UINT64_MAX: nothing is due */
