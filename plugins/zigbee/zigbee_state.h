#pragma once
/* zigbee_state - what the plugin knows and waits for: the radio, its devices, windows, orders and questions that are open.
 *
 *   above   zigbee/zigbee_inside
 *   below   base/base  sdk/gw_adapter  zigbee/groups  zigbee/interview  zigbee/map  zigbee/nodes  zigbee/port  zigbee/radio  zigbee/talk
 *           zigbee/traits
 *   owns    struct gwa_self, struct device
 *   limits  REPORTS_WAITING_MAX ORDERS_MAX JOINS_A_WINDOW_MAX JOINS_PENDING_MAX INQUIRIES_MAX
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "zigbee/groups.h"
#include "zigbee/interview.h"
#include "zigbee/map.h"
#include "zigbee/nodes.h"
#include "zigbee/port.h"
#include "zigbee/radio.h"
#include "zigbee/talk.h"
#include "zigbee/traits.h"

enum {
	REPORTS_WAITING_MAX = 128, /* while there is no credit */
	ORDERS_MAX = 64,
	JOINS_A_WINDOW_MAX = 8,
	JOINS_PENDING_MAX = 16,    /* requests about windows and leaving that the radio has not answered */
	INQUIRIES_MAX = 16,        /* interviews at once */
	FIRMWARE_CAP = 48,
};
enum {
	MAINS_SILENT_MS = 10 * 60 * 1000, /* then it is asked */
	BATTERY_SILENT_MS = 25 * 60 * 60 * 1000,
	PING_AGAIN_MS = 15000, /* a second one, then it counts as away */
	FLOOD_OVER_MS = 5000,  /* of quiet */
	PING_APART_MS = 500,   /* one after the other, not all at once */
	PERMIT_PART_S = 240,   /* a longer window is opened again in between */
	SAVE_AFTER_MS = 3000,  /* changes are written together */
	BACKUP_AFTER_MS = 60000,
	BACKUP_EACH_MS = 24 * 60 * 60 * 1000,
	RADIO_AGAIN_MS = 5000, /* times the number of failures, RADIO_AGAIN_LONGEST_MS at most */
	RADIO_AGAIN_LONGEST_MS = 60000,
};
/* The high byte of a radio's cookie, and of a talk's tag: who waits for the answer. */
enum owner { OWNER_TALK = 1, OWNER_INQUIRY, OWNER_PENDING, OWNER_MAP, OWNER_KEEP, OWNER_CHANNEL, OWNER_NOBODY, OWNER_ORDER, OWNER_PING,
	     OWNER_GROUP, OWNER_GROUPING };
enum { OWNED_BITS = 24, OWNED_MASK = 0xffffff };

enum ask { ASK_NONE, ASK_MAP, ASK_BACKUP, ASK_CHANNEL, ASK_BEGIN, ASK_GROUP };
enum net_state { NET_STARTING, NET_READY, NET_FOREIGN, NET_FAILED };
enum errand { ERRAND_NOTHING, ERRAND_FORM, ERRAND_RESTORE, ERRAND_LEAVE_ALONE }; /* with the radio, once it has said its word */

struct device {
	struct nodes_row row; /* first: nodes.h knows it by that */
	struct talk_peer peer;
	struct interview *interview; /* NULL: none under way */
	uint32_t step;               /* the one that waits for its answer */
	bool asking;                 /* of the radio; else of the device itself */
	uint64_t inquiry_due_ms;     /* UINT64_MAX: nothing is */
	uint64_t reread_due_ms;      /* what it said was dropped, so its values are asked for; 0: nothing was */
	uint8_t inquiry_fails;
	bool retold;                 /* what this interview found has been told */
	bool resumes;                /* inquiry_due_ms is a pause of the interview */
	bool joining;                /* how it goes is told */
	bool up;                     /* as the core was told last */
	bool proven, doubted;        /* it was asked whether it is there since we began; it is to be asked now */
	bool anew;                   /* let in (again): it has forgotten what it was told */
	uint8_t lqi, pings_failed;
	uint64_t heard_ms, ping_due_ms, flood_said_ms, malformed_said_ms;
	uint32_t malformed;
	uint8_t n_caps;
	struct {
		uint16_t cap;
		uint8_t endpoint;
	} caps[TRAITS_MAX]; /* described */
};
static inline struct device *device_of(struct nodes_row *row)
{
	return (struct device *)(void *)row;
}

struct waiting_report {
	struct gwa_addr addr;
	int64_t wall_us;
	struct gwa_value value;
	uint16_t cap;
	uint8_t endpoint;
	char text[TRAITS_WORD_MAX];
};
struct order {
	uint64_t req; /* 0: a free row */
	uint64_t eui, deadline_ms;
	uint32_t id;
	uint16_t group; /* 0: it is for a device */
	uint16_t cap;
	struct gwa_value value;
	char text[NODE_TEXT_MAX];
	struct trait_order plan;
	size_t at;
};
struct pending { /* the radio was asked for somebody outside */
	uint32_t id; /* 0: a free row */
	uint64_t req, eui;
	uint32_t seconds;
	enum { PENDING_CODE, PENDING_PERMIT, PENDING_LEAVE } what;
};
struct joins {
	uint64_t until_ms, renew_ms;
	unsigned n;
	uint64_t coded[JOINS_A_WINDOW_MAX]; /* whose install codes were given in this window */
	unsigned n_coded;
	bool close;                           /* it is full */
	uint64_t refused[JOINS_A_WINDOW_MAX]; /* who was told to leave last */
	unsigned n_refused;
	uint64_t said_ms;
};
struct asked { /* the question that is open; req 0: none */
	uint64_t req, since_ms, due_ms;
	int what; /* enum ask */
	enum radio_begin how;
	uint8_t channel;
	uint32_t cookie;
	struct radio_key *keys; /* secret: what is being restored */
	size_t n_keys;
};
struct settings {
	char tcp[64];
	uint8_t channel; /* 0: any of channels */
	uint32_t channels;
};

struct gwa_self {
	gwa_host *host;
	struct settings settings;
	struct port port;
	struct radio *(*radio_new)(const struct radio_events *, void *);
	struct radio *radio;
	enum net_state state;
	enum errand errand;
	enum radio_begin began;
	const char *why; /* it is not ready */
	unsigned radio_fails;
	uint64_t radio_again_ms, armed_ms;
	struct radio_network network; /* secret */
	bool has_network, adopted;
	bool elsewhere, take_keys; /* the network of before was another one; whoever has a key in the next backup lives in this one */
	char firmware[FIRMWARE_CAP];
	struct nodes nodes;
	struct talk talk;
	uint32_t last_id;
	uint64_t alive_due_ms, save_due_ms, backup_due_ms, unknown, unknown_said_ms;
	uint64_t blob_sums[NODES_BLOBS_MAX];
	struct joins joins;
	struct pending pending[JOINS_PENDING_MAX];
	struct order orders[ORDERS_MAX];
	struct asked asked;
	struct map *map;
	struct groups groups;
	struct grouping *grouping; /* NULL: none is being made or changed */
	uint8_t group_sequence;
	struct waiting_report waiting[REPORTS_WAITING_MAX];
	size_t n_waiting, first_waiting;
	uint64_t dropped;
};
