#pragma once
/* internal - what the router's own files share.
 *
 *   above   router
 *   below   base/base  base/list  router/alarms  router/automation  router/claims  router/freshness  router/replay
 *           router/router  router/seen  router/time_trust
 *   owns    struct router
 *   limits  ROUTER_CAUSES_MAX ROUTER_CAUSE_MS ROUTER_HELD_RETRY_MS
 */
#include "base/base.h"
#include "base/list.h"
#include "router/alarms.h"
#include "router/automation.h"
#include "router/claims.h"
#include "router/freshness.h"
#include "router/replay.h"
#include "router/router.h"
#include "router/seen.h"
#include "router/time_trust.h"

enum { ROUTER_CAUSES_MAX = 64, ROUTER_CAUSE_MS = 3000, ROUTER_HELD_RETRY_MS = 20 };

struct link_entry {
	bool used;
	char name[ADAPTER_NAME_MAX + 1];
	enum source_kind source;
	unsigned spool_link, link_index;
	const struct router_link_ops *ops;
	void *ctx;
};
/* Which command a report may be the echo of: so that a chain of rules is as deep as it is. */
struct cause {
	struct device_id device;
	uint16_t cap;
	uint8_t depth;
	int64_t until_ms;
};

struct router {
	struct router_parts parts;
	struct router_options options;
	struct alarms *alarms;
	struct automation *automation;
	struct claims *claims;
	struct replay *replay;
	struct time_trust *time;
	struct freshness *freshness;
	struct seen *seen;
	struct list pending;
	struct list listeners;
	struct list held; /* events the spool had no room for */
	struct timer *held_timer, *minute_timer;
	struct link_entry links[SPOOL_LINKS_MAX];
	struct cause causes[ROUTER_CAUSES_MAX];
	size_t next_cause;
	int64_t local_at_minute; /* wall minute for which day and minute below were computed */
	uint8_t local_day;
	uint16_t local_minute;
	struct router_stats stats;
};

struct router_listener {
	struct list node;
	struct router *router;
	struct asker asker;
	char name[NAME_MAX_LEN + 1];
	router_event_fn fn;
	void *ctx;
};

/* events.c */
void router_say(struct router *router, const struct event *event, const struct device *device, void (*stored)(void *ctx, int r), void *ctx);
void router_events_close(struct router *router);
void router_on_held(void *ctx);
uint8_t router_cause_depth(const struct router *router, struct device_id device, uint16_t cap);
/* pipeline.c */
void router_cancel_session(void *ctx, const struct session *session, const char *why);
void router_pipeline_close(struct router *router);
void router_add_cause(struct router *router, struct device_id device, uint16_t cap, uint8_t depth);
void router_local_time(struct router *router, uint8_t *ret_day, uint16_t *ret_minute);
struct asker router_link_asker(const struct link_entry *link);
