#pragma once
/* hub - the core's end of the adapters: one slot an instance; reports in with credit, requests out with one answer each.
 *
 *   above   app  app_status  door/method  router/claims  router/router
 *   below   adapter/blobs  adapter/hub_inside  adapter/intake  adapter/peer  audit/audit  base/base  base/text  model/device
 *           model/wire
 *   owns    struct hub, its slots, pending requests
 *   limits  HUB_ADAPTERS_MAX HUB_PENDING_MAX HUB_CREDIT HUB_ASK_MS
 *   errors  HUB_E_UNKNOWN HUB_E_AWAY HUB_E_BUSY HUB_E_UNABLE
 *
 * Reports carry running numbers. A report is stored when the listener said so; "stored up to N" goes back when all
 * up to N are, and is the credit for more. What an adapter causes is charged to it (hub_stats).
 */
#include "adapter/blobs.h"
#include "adapter/intake.h"
#include "adapter/peer.h"
#include "base/base.h"
#include "audit/audit.h"
#include "model/device.h"
#include "model/wire.h"

enum { HUB_ADAPTERS_MAX = 16, HUB_PENDING_MAX = 256, HUB_CREDIT = INTAKE_MAX, HUB_ASK_MS = 60000 };
enum { HUB_E_UNKNOWN = 1, HUB_E_AWAY = 2, HUB_E_BUSY = 3, HUB_E_UNABLE = 4 };

struct hub;
typedef void (*hub_stored_fn)(void *stored_ctx, int r);
struct hub_ops { /* app wires these to registry, router and alarms */
	void (*on_up)(void *ctx, const char *adapter, uint8_t flags);
	void (*on_down)(void *ctx, const char *adapter, enum peer_end end, const char *why);
	void (*on_device)(void *ctx, const char *adapter, const struct device_desc *desc);
	void (*on_synced)(void *ctx, const char *adapter);
	void (*on_gone)(void *ctx, const char *adapter, const struct address *addr, bool left);
	/* 0: stored will be called exactly once (also before this returns); positive: refused, it counts as stored. */
	int (*on_report)(void *ctx, const char *adapter, const struct address *addr, uint8_t endpoint, uint16_t cap,
			 const struct value *value, int64_t wall_us, bool again, hub_stored_fn stored, void *stored_ctx);
	void (*on_claim)(void *ctx, const char *adapter, const struct address *addr, const char *code);
	/* text: plain words; of JOIN_PASSKEY digits, which only who opened the window may see. */
	void (*on_joining)(void *ctx, const char *adapter, const struct address *addr, enum join_stage stage, const char *text);
	void (*on_note)(void *ctx, const char *adapter, enum note_kind kind, uint32_t count, const char *object, const char *text);
};
struct hub_stats {
	const char *name;
	bool up;
	pid_t pid;
	uint32_t restarts;
	uint64_t n_reports, n_refused, n_commands, n_notes[NOTES];
	size_t pending, queued_bytes, unstored;
	char status[4][64]; /* last NOTE_STATUS texts: "object=text" */
};

/* epoch: rises at each start of the core; adapters are told it. */
must_check int hub_new(struct loop *loop, struct blobs *blobs, struct audit *audit, uint64_t epoch, const struct hub_ops *ops,
		       void *ctx, struct hub **ret);
struct hub *hub_close(struct hub *hub);
/* options are copied. */
must_check int hub_add(struct hub *hub, const char *name, const struct peer_option *options, size_t n_options);
/* A connection whose uid is that of instance name; takes conn. An older one of the same name is replaced. */
void hub_accept(struct hub *hub, const char *name, struct packet_conn *conn);

/* done exactly once, by the deadline at the latest (RESULT_TIMEOUT). 0, or HUB_E_* (done is not called). */
typedef void (*hub_done_fn)(void *ctx, enum result result);
must_check int hub_command(struct hub *hub, const char *adapter, const struct address *addr, uint8_t endpoint, uint16_t cap,
			   const struct value *value, uint32_t ttl_ms, hub_done_fn done, void *ctx);
must_check int hub_join(struct hub *hub, const char *adapter, uint16_t seconds, const struct address *addr, const void *code, size_t code_len,
			hub_done_fn done, void *ctx);
must_check int hub_remove(struct hub *hub, const char *adapter, const struct address *addr, hub_done_fn done, void *ctx);
/* What a person asks the radio (docs/spec/radio.md), one at a time for each adapter: else HUB_E_BUSY. HUB_E_UNABLE: it has
 * no radio that may be asked, or more than WIRE_ASK_MAX is asked. done exactly once, within HUB_ASK_MS; text is borrowed
 * and wiped afterwards, it may be a backup with its keys; empty unless the result is RESULT_OK. */
typedef void (*hub_told_fn)(void *ctx, enum result result, struct view text);
must_check int hub_ask(struct hub *hub, const char *adapter, const char *verb, const void *data, size_t len, hub_told_fn done, void *ctx);
bool hub_stats_at(const struct hub *hub, size_t i, struct hub_stats *ret);
void hub_set_time_trusted(struct hub *hub, bool trusted);
bool hub_is_up(const struct hub *hub, const char *adapter);
bool hub_can_join(const struct hub *hub, const char *adapter);
bool hub_can_ask(const struct hub *hub, const char *adapter);
