#pragma once
/* radio - what the network above asks of a Zigbee coordinator and hears from it, whichever chip and protocol it is.
 *
 *   above   -
 *   below   base/base  base/bytes  zigbee/zdo
 *   owns    nothing: what crosses is borrowed for the call
 *   limits  RADIO_DATA_MAX RADIO_KEYS_MAX RADIO_WAITING_MAX
 *   errors  RADIO_E_BUSY RADIO_E_STATE RADIO_E_SIZE
 *
 * A radio is a state machine without socket, clock or log: bytes and time come in, bytes and events go out. Each send, ask,
 * permit, ... that returned 0 is answered by exactly one event with its cookie, also when the radio fails in
 * between, or is begun anew. No event comes from within a call of an operation except from input() and tick(). ZNP is one (znp.h); EZSP over ASH has
 * its place beside it: nothing above may know which of them it talks to.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/zdo.h"

enum {
	RADIO_DATA_MAX = 1024,  /* one ZCL frame; whether it needs fragments is the radio's business */
	RADIO_KEYS_MAX = 256,   /* devices in a backup */
	RADIO_WAITING_MAX = 64, /* operations accepted and not answered; more are refused */
};
enum {
	RADIO_E_BUSY = 1,  /* RADIO_WAITING_MAX: ask again after an answer */
	RADIO_E_STATE = 2, /* not ready, or not while it is starting */
	RADIO_E_SIZE = 3,  /* a frame that no such network carries */
};

enum radio_status {
	RADIO_OK,
	RADIO_NO_ACK,   /* it did not acknowledge: asleep, away, or the air is bad */
	RADIO_NO_ROUTE, /* nobody knows the way */
	RADIO_EXPIRED,  /* its parent held the frame until it gave up */
	RADIO_FULL,     /* the coordinator has no room now */
	RADIO_TIMEOUT,  /* no answer came at all */
	RADIO_REFUSED,  /* the other side said no: see the answer's own status */
	RADIO_FAILED,   /* the radio failed or was stopped meanwhile */
	RADIO_STATUSES
};

/* How it begins. RESUME: the network given must be the one on the stick, else on_foreign(); none given: none is ours. FORM: a
 * new one with the channel (or one of channels) and key given; pan and ext_pan, too, unless they are 0. RESTORE: the network given and its devices' keys are written to this stick. ADOPT: take whatever
 * network is on the stick, and say which. */
enum radio_begin { RADIO_RESUME, RADIO_FORM, RADIO_RESTORE, RADIO_ADOPT };

struct radio_network {
	uint64_t eui, ext_pan; /* eui: the coordinator's */
	uint16_t pan;
	uint8_t channel; /* 11..26 */
	uint8_t update_id, key_sequence, security_level;
	uint32_t channels; /* bit 11..26: where it may be */
	uint32_t frame_counter;
	uint8_t key[16]; /* secret: whoever holds the struct wipes it */
};

/* What a backup keeps of a device. */
struct radio_key {
	uint64_t eui;
	uint16_t nwk;
	bool child, has_key;
	uint8_t key[16]; /* secret; has_key */
	uint32_t rx_counter, tx_counter;
};

enum radio_mode { RADIO_UNICAST, RADIO_GROUP, RADIO_BROADCAST };
struct radio_message {
	uint8_t mode;   /* enum radio_mode */
	uint16_t nwk;   /* the device that it comes from or goes to; of a broadcast: 0xfffc routers, 0xfffd awake, 0xffff all */
	uint16_t group; /* of a group message */
	uint8_t source, target; /* endpoints */
	uint16_t profile, cluster;
	uint8_t lqi;       /* of what came in */
	bool secured;      /* of what came in: with the link key, too */
	struct view data;  /* the ZCL frame */
};

enum radio_question_kind {
	RADIO_Q_NODE,       /* nwk: node descriptor */
	RADIO_Q_ENDPOINTS,  /* nwk */
	RADIO_Q_SIMPLE,     /* nwk, endpoint */
	RADIO_Q_BIND,       /* nwk, eui, endpoint, cluster -> to_eui, to_endpoint, or group when to_eui is 0 */
	RADIO_Q_UNBIND,
	RADIO_Q_NEIGHBOURS, /* nwk, start */
	RADIO_Q_ADDRESS,    /* eui: which short address it has now (broadcast) */
	RADIO_Q_LEAVE,      /* nwk, eui */
	RADIO_QUESTIONS
};
struct radio_question {
	uint8_t kind;
	uint16_t nwk;
	uint64_t eui;
	uint8_t endpoint;
	uint16_t cluster;
	uint64_t to_eui;
	uint8_t to_endpoint;
	uint16_t group;
	uint8_t start;
};
struct radio_answer {
	uint8_t kind;   /* of the question */
	uint8_t status; /* enum radio_status; RADIO_REFUSED: zdo says why */
	uint8_t zdo;    /* status of the ZDO answer */
	union { /* by kind, with RADIO_OK only */
		struct zdo_node node;
		struct zdo_endpoints endpoints;
		struct zdo_simple simple;
		struct zdo_lqi neighbours;
		uint16_t nwk;
	};
};

struct radio_events {
	uint64_t (*now_ms)(void *ctx);
	void (*write)(void *ctx, const void *data, size_t len); /* to the stick */
	void (*on_ready)(void *ctx, const struct radio_network *network, const char *firmware);
	void (*on_foreign)(void *ctx, const struct radio_network *network); /* RESUME: not ours; key left out; pan 0xffff: there is none; it does nothing more */
	void (*on_failed)(void *ctx, const char *why); /* it cannot go on; whatever waits was answered before */
	void (*on_done)(void *ctx, uint32_t cookie, enum radio_status status); /* send, permit, install_code, channel, group */
	void (*on_answer)(void *ctx, uint32_t cookie, const struct radio_answer *answer);
	void (*on_kept)(void *ctx, uint32_t cookie, enum radio_status status, const struct radio_network *network,
			const struct radio_key *keys, size_t n);
	void (*on_message)(void *ctx, const struct radio_message *message);
	void (*on_announce)(void *ctx, const struct zdo_announce *announce);
	void (*on_joined)(void *ctx, uint64_t eui, uint16_t nwk, uint16_t parent); /* let in by the trust centre */
	void (*on_left)(void *ctx, uint64_t eui, uint16_t nwk, bool rejoins);
	void (*on_reset)(void *ctx, const char *why); /* the stick restarted by itself; on_ready or on_failed follows */
};

/* Counted since it began; for the log and for diagnose. */
struct radio_stats {
	uint64_t in, out, bad_frames, timeouts, unexpected, resets;
};

struct radio;
struct radio_ops {
	const char *name; /* "znp" */
	int (*begin)(struct radio *radio, enum radio_begin how, const struct radio_network *network, const struct radio_key *keys, size_t n);
	void (*input)(struct radio *radio, const void *data, size_t len);
	void (*tick)(struct radio *radio);
	uint64_t (*due_ms)(const struct radio *radio); /* when tick() is wanted; UINT64_MAX: not */
	int (*send)(struct radio *radio, uint32_t cookie, const struct radio_message *message);
	int (*ask)(struct radio *radio, uint32_t cookie, const struct radio_question *question);
	int (*permit)(struct radio *radio, uint32_t cookie, uint8_t seconds, uint16_t nwk); /* nwk 0xfffc: everywhere; 0: here only */
	int (*install_code)(struct radio *radio, uint32_t cookie, uint64_t eui, struct view code); /* with its checksum, see install_code.h */
	int (*channel)(struct radio *radio, uint32_t cookie, uint8_t channel); /* told to all devices */
	int (*group)(struct radio *radio, uint32_t cookie, uint16_t group, uint8_t endpoint, bool member);
	int (*keep)(struct radio *radio, uint32_t cookie); /* a backup: on_kept */
	struct radio *(*free)(struct radio *radio); /* says nothing more; NULL. Not from within an event */
};
struct radio { /* the first member of every radio */
	const struct radio_ops *ops;
	struct radio_stats stats;
};
