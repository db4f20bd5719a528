#pragma once
/* router - the one pipeline: commands from any door through policy to an adapter; events to whoever may hear them.
 *
 *   above   door  link  app
 *   below   adapter/hub  audit/audit  base/base  base/text  model/command  model/event  people/people  policy/policy
 *           policy/rulebook  registry/registry  router/internal  spool/spool  sys/host  sys/log  sys/loop  sys/store
 *   owns    pending commands, listeners, duplicate window
 *   limits  ROUTER_PENDING_MAX ROUTER_LISTENERS_MAX ROUTER_TTL_MS
 *   errors  enum result says how a command ended
 *
 * The pipeline of a command, in this order, each refusal audited with its reason: shape -> clock -> late -> duplicate -> replay ->
 * known device -> known capability -> policy -> value in range -> bound, reachable -> adapter -> done -> audit, answer.
 * What the policy denies looks to the asker exactly like what does not exist, when the asker may not read the device.
 */
#include "adapter/hub.h"
#include "audit/audit.h"
#include "base/base.h"
#include "model/command.h"
#include "model/event.h"
#include "people/people.h"
#include "policy/policy.h"
#include "policy/rulebook.h"
#include "registry/registry.h"
#include "spool/spool.h"
#include "sys/loop.h"
#include "sys/store.h"

enum { ROUTER_PENDING_MAX = 512, ROUTER_LISTENERS_MAX = 64, ROUTER_TTL_MS = 10000 };

/* Who is asking, as its door knows it. */
struct asker {
	struct subject subject;
	enum role role;
	uint32_t behalf_user;
	uint64_t session;
	uint8_t session_tag[8];
	const char *name;        /* borrowed: "anna", "cloud" */
	enum source_kind source;
	enum loop_kind loop;
	char addr[64];           /* "uid:1000", "cloud/app-7" */
};

struct router;
struct alarms;
struct automation;
struct claims;
struct freshness;
struct freshness_ops;
struct time_trust;

struct router_parts { /* borrowed for the router's life */
	struct loop *loop;
	struct store *store;
	unsigned db;
	struct audit *audit;
	struct spool *spool;
	struct registry *registry;
	struct people *people;
	struct rulebook *rulebook;
	const struct freshness_ops *freshness_ops; /* NULL: nothing outside is compared (tests) */
	void *freshness_ctx;
	struct hub *hub; /* may be set later by router_set_hub: hub and router know each other through app */
};
struct router_options {
	const char *timezone;
	uint32_t rule_depth_max, rule_rate_per_minute;
	bool no_system_clock; /* the machine's word that its clock is synchronised does not count: tests */
};

must_check int router_new(const struct router_parts *parts, const struct router_options *options, struct router **ret);
void router_set_hub(struct router *router, struct hub *hub);
must_check int router_load(struct router *router); /* before the store starts */
struct router *router_close(struct router *router);

/* Commands. done exactly once. reason: plain words, borrowed; rule: who decided (0 none), told only to those who may know. */
typedef void (*router_done_fn)(void *ctx, enum result result, int32_t rule, const char *reason);
void router_command(struct router *router, const struct asker *asker, const struct command *command, router_done_fn done, void *ctx);

/* The one question, with the facts of a device filled in. device NULL: the gateway itself. */
struct policy_verdict router_may(struct router *router, const struct asker *asker, const struct device *device, uint16_t cap,
				 enum action action);
void router_question(struct router *router, const struct asker *asker, const struct device *device, uint16_t cap, enum action action,
		     struct policy_question *ret); /* for policy explain */

/* Events to doors: filtered by policy (observe) for the asker at each event. */
typedef void (*router_event_fn)(void *ctx, const struct event *event, const struct device *device);
struct router_listener;
must_check int router_listen(struct router *router, const struct asker *asker, router_event_fn fn, void *ctx, struct router_listener **ret);
struct router_listener *router_unlisten(struct router_listener *listener);

/* Links: what may leave is their share list (conf) and policy; events go through the spool. */
struct router_link_ops {
	bool (*shares)(void *ctx, const struct device *device, uint16_t cap, enum data_class data_class); /* the allow-list */
	void (*on_change)(void *ctx, const struct device *device); /* described, renamed, state changed, retired: say it again */
};
must_check int router_add_link(struct router *router, unsigned link_index, const char *name, enum source_kind source, unsigned spool_link,
			       const struct router_link_ops *ops, void *ctx);
bool router_link_sees(struct router *router, unsigned link_index, const struct device *device, uint16_t cap);
bool router_link_shares(struct router *router, unsigned link_index, const struct device *device, uint16_t cap); /* its allow-list alone */
/* The gateway's own health: goes to every link and listener, always shared. */
void router_health(struct router *router, const char *name, int64_t value);
/* A point of the audit record, to every link: body of a checkpoint, its signatures as text. */
void router_anchor(struct router *router, const void *body, size_t len, const char *signatures);

/* From hub and registry, wired by app. */
extern const struct hub_ops router_hub_ops;          /* ctx: the router */
extern const struct registry_ops router_registry_ops;/* ctx: the router */

uint64_t router_replay_last(const struct router *router, const char *link, const char *sender); /* told in the answer to a replay */
struct alarms *router_alarms(struct router *router);
struct automation *router_automation(struct router *router);
struct claims *router_claims(struct router *router);
struct time_trust *router_time(struct router *router);
struct freshness *router_freshness(struct router *router);
struct router_stats {
	uint64_t n_commands, n_denied, n_refused[RESULTS], n_events, n_reports;
	size_t pending, listeners;
};
struct router_stats router_stats_of(const struct router *router);
/* Fills the audit fields that an asker determines. */
void asker_to_record(const struct asker *asker, struct audit_record *ret);
