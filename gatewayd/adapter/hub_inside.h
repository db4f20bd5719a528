#pragma once
/* hub_inside - what the two halves of the hub share: hub.c has the slots and their requests, hub_ask.c what a radio is asked.
 *
 *   above   adapter/hub  adapter/hub_ask
 *   below   adapter/hub  base/base  base/parts
 *   owns    struct hub, its slots, pending requests
 *   limits  -
 */
#include "adapter/hub.h"
#include "base/base.h"
#include "base/parts.h"

enum { HUB_STATUS_WORDS = 4 };
enum { FLAG_JOIN = 1u, FLAG_RADIO = 8u }; /* as in the ABI, GWA_F_* */

/* What is being asked of a slot's radio; done NULL: nothing. */
struct asking {
	uint64_t req;
	hub_told_fn done;
	void *ctx;
	struct parts told;
	bool broken; /* no memory for a part */
};

struct slot {
	struct hub *hub;
	char name[ADAPTER_NAME_MAX + 1];
	struct peer_option *options;
	size_t n_options;
	struct peer *peer;
	struct intake *intake;
	struct idle_hook stored_hook;
	uint8_t flags;
	struct asking asking;
	uint32_t n_connections;
	uint64_t n_reports, n_refused, n_commands, n_notes[NOTES];
	char status[HUB_STATUS_WORDS][64];
};

struct request {
	struct hub *hub;
	struct slot *slot; /* NULL: free */
	uint64_t req;
	struct timer *deadline;
	hub_done_fn done;
	void *ctx;
};

struct hub {
	struct loop *loop;
	struct blobs *blobs;
	struct audit *audit;
	const struct hub_ops *ops;
	void *ctx;
	uint64_t epoch;
	bool time_trusted;
	struct slot *slots[HUB_ADAPTERS_MAX];
	size_t n_slots;
	struct request requests[HUB_PENDING_MAX];
	uint64_t generation; /* of requests: a late answer finds nothing */
};

struct slot *hub_slot(const struct hub *hub, const char *name);
/* A request of its own number; done when it is answered, or ttl_ms are over. */
must_check int hub_request_begin(struct hub *hub, const char *adapter, uint32_t ttl_ms, hub_done_fn done, void *ctx, struct request **ret);
must_check int hub_request_send(struct request *request, const struct wire_msg *msg); /* HUB_E_*: it is no request any more */
void hub_on_tell(struct slot *slot, const struct wire_msg *msg);
