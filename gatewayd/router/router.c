/* The router knows everybody below it and is the only one who does. Adapters and registry tell it what happened; doors and
 * links ask it to make something happen; it asks policy about each of them. This file puts its parts together
 * and answers the questions about rights; commands take the way of pipeline.c, events that of events.c. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/internal.h"
#include "sys/host.h"
#include "sys/log.h"

enum { MINUTE_MS = 1000 };

static bool clock_synced(void *ctx)
{
	const struct router *router = ctx;
	return !router->options.no_system_clock && host_clock_is_synced();
}

static void on_time_trust(void *ctx, bool trusted)
{
	struct router *router = ctx;
	struct device_id none = { { 0 } };
	audit_set_time_trusted(router->parts.audit, trusted);
	if (router->parts.hub)
		hub_set_time_trusted(router->parts.hub, trusted);
	struct audit_record record = { .kind = AUDIT_CLOCK,
				       .subject = { SUBJECT_SYSTEM, 0 },
				       .object = trusted ? "trusted" : "untrusted",
				       .detail = time_trust_why(router->time) };
	(void)!audit_append(router->parts.audit, &record, NULL, NULL);
	if (trusted)
		alarms_clear(router->alarms, ALARM_CLOCK_UNTRUSTED, none, "clock");
	else
		alarms_raise(router->alarms, ALARM_CLOCK_UNTRUSTED, none, "clock", time_trust_why(router->time));
}

static void on_alarm_event(void *ctx, const struct alarm *alarm, unsigned phase)
{
	struct router *router = ctx;
	const struct alarm_row *row = alarm_row(alarm->kind);
	struct event event = {
		.kind = EVENT_ALARM,
		.event_class = EVENT_CLASS_ALARM,
		.device = alarm->device,
		.wall_us = time_is_trusted(router->time) ? loop_wall_us(router->parts.loop) : 0,
		.number = alarm->id,
		.text = { (const uint8_t *)row->name, strlen(row->name) },
		.detail = { (const uint8_t *)alarm->detail, strlen(alarm->detail) },
		.severity = (uint8_t)row->severity,
		.phase = (uint8_t)phase,
	};
	router_say(router, &event, registry_find(router->parts.registry, alarm->device), NULL, NULL);
}

static void on_rule_done(void *ctx, enum result result, int32_t rule, const char *reason)
{
	(void)ctx;
	(void)result;
	(void)rule;
	(void)reason; /* the pipeline has audited it */
}

/* "toggle" is what the value is not. */
static struct value rule_value(const struct router *router, const struct automation_rule *rule, const struct value *value)
{
	const struct device *device = registry_find(router->parts.registry, rule->target);
	const struct shadow_value *shadow = device ? device_shadow(device, rule->target_endpoint, rule->target_cap) : NULL;
	if (value->type == VALUE_TEXT && value->len == 6 && memcmp(value->data, "toggle", 6) == 0 && shadow &&
	    shadow->reported.value.type == VALUE_BOOL)
		return value_bool(!shadow->reported.value.b);
	return *value;
}

static void on_rule_fire(void *ctx, const struct automation_rule *rule, const struct value *value, uint8_t depth)
{
	struct router *router = ctx;
	const struct user *owner = user_find(router->parts.people, rule->owner);
	struct asker asker = {
		.subject = { SUBJECT_RULE, rule->id },
		.role = owner && !owner->disabled ? owner->role : ROLE_NONE,
		.behalf_user = owner && !owner->disabled ? owner->id : 0,
		.name = rule->name,
		.source = SOURCE_RULE,
		.loop = LOOP_SMALL,
	};
	struct command command = {
		.subject = asker.subject,
		.source = SOURCE_RULE,
		.loop = LOOP_SMALL,
		.device = rule->target,
		.endpoint = rule->target_endpoint,
		.cap = rule->target_cap,
		.value = rule_value(router, rule, value),
		.depth = (uint8_t)(depth + 1),
	};
	router_command(router, &asker, &command, on_rule_done, NULL);
}

static void on_rule_stopped(void *ctx, const struct automation_rule *rule, const char *why)
{
	struct router *router = ctx;
	struct device_id none = { { 0 } };
	struct audit_record record = { .kind = AUDIT_AUTOMATION_STOPPED,
				       .outcome = AUDIT_FAILED,
				       .subject = { SUBJECT_RULE, rule->id },
				       .subject_name = rule->name,
				       .object = rule->name,
				       .detail = why };
	(void)!audit_append(router->parts.audit, &record, NULL, NULL);
	alarms_raise(router->alarms, ALARM_RULE_LOOP, none, rule->name, why);
}

/* Looks at the clock each second, so that a rule's minute is not missed when time jumps. */
static void on_minute(void *ctx)
{
	struct router *router = ctx;
	uint8_t day;
	uint16_t minute;
	timer_start(router->minute_timer, MINUTE_MS);
	if (!time_is_trusted(router->time))
		return;
	router_local_time(router, &day, &minute);
	automation_on_minute(router->automation, day, minute);
}

static int router_make(struct router *router)
{
	struct router_parts *p = &router->parts;
	int r = alarms_new(p->loop, p->store, p->db, p->audit, on_alarm_event, router, &router->alarms);
	if (r == 0)
		r = automation_new(p->loop, p->store, p->db, router->options.rule_depth_max, router->options.rule_rate_per_minute,
				   on_rule_fire, on_rule_stopped, router, &router->automation);
	if (r == 0)
		r = claims_new(p->loop, p->people, p->registry, p->audit, &router->claims);
	if (r == 0)
		r = replay_new(p->store, p->db, &router->replay);
	if (r == 0)
		r = time_trust_new(p->loop, p->store, p->db, router->options.timezone, clock_synced, on_time_trust, router, &router->time);
	if (r == 0)
		r = freshness_new(p->store, p->db, p->audit, router->alarms, p->freshness_ops, p->freshness_ctx, &router->freshness);
	if (r == 0)
		r = seen_new(&router->seen);
	if (r == 0)
		r = timer_new(p->loop, router_on_held, router, &router->held_timer);
	if (r == 0)
		r = timer_new(p->loop, on_minute, router, &router->minute_timer);
	return r;
}

int router_new(const struct router_parts *parts, const struct router_options *options, struct router **ret)
{
	struct router *router = calloc(1, sizeof(*router));
	if (!router)
		return -ENOMEM;
	router->parts = *parts;
	router->options = *options;
	router->local_at_minute = -1;
	list_init(&router->pending);
	list_init(&router->listeners);
	list_init(&router->held);
	int r = router_make(router);
	if (r != 0) {
		router_close(router);
		return r;
	}
	people_on_session_end(parts->people, router_cancel_session, router);
	timer_start(router->minute_timer, MINUTE_MS);
	*ret = router;
	return 0;
}

void router_set_hub(struct router *router, struct hub *hub)
{
	router->parts.hub = hub;
	claims_set_hub(router->claims, hub);
}

int router_load(struct router *router)
{
	int r = alarms_load(router->alarms);
	if (r == 0)
		r = automation_load(router->automation);
	if (r == 0)
		r = replay_load(router->replay);
	if (r == 0)
		r = time_trust_load(router->time);
	if (r == 0)
		r = freshness_load(router->freshness);
	return r;
}

struct router *router_close(struct router *router)
{
	if (!router)
		return NULL;
	router_pipeline_close(router);
	router_events_close(router);
	timer_close(router->held_timer);
	timer_close(router->minute_timer);
	automation_close(router->automation);
	claims_close(router->claims);
	time_trust_close(router->time);
	freshness_free(router->freshness);
	replay_free(router->replay);
	alarms_close(router->alarms);
	seen_free(router->seen);
	free(router);
	return NULL;
}

void router_local_time(struct router *router, uint8_t *ret_day, uint16_t *ret_minute)
{
	int64_t wall = loop_wall_us(router->parts.loop), minute = wall / 60000000;
	if (minute != router->local_at_minute) {
		time_local(router->time, wall, &router->local_day, &router->local_minute);
		router->local_at_minute = minute;
	}
	*ret_day = router->local_day;
	*ret_minute = router->local_minute;
}

void router_question(struct router *router, const struct asker *asker, const struct device *device, uint16_t cap, enum action action,
		     struct policy_question *ret)
{
	struct policy_question q = {
		.subject = asker->subject,
		.role = asker->role,
		.behalf_user = asker->behalf_user,
		.action = action,
		.cap = cap,
		.data_class = cap ? capability_class(cap) : CLASS_PUBLIC,
		.risk = cap ? capability_risk(cap) : RISK_LOW,
		.loop = asker->loop,
		.source = asker->source,
		.time_trusted = time_is_trusted(router->time),
	};
	if (device) {
		q.device = device->id;
		q.bound = device->owner != 0 && (device->state == DEVICE_OURS || device->state == DEVICE_UNREACHABLE);
		q.owner_user = device->owner;
		q.room = device->room;
	}
	router_local_time(router, &q.day, &q.minute);
	*ret = q;
}

static const struct link_entry *asker_link(const struct router *router, const struct asker *asker)
{
	for (size_t i = 0; asker->subject.kind == SUBJECT_LINK && i < SPOOL_LINKS_MAX; i++)
		if (router->links[i].used && router->links[i].link_index == asker->subject.id)
			return &router->links[i];
	return NULL;
}

bool router_link_shares(struct router *router, unsigned link_index, const struct device *device, uint16_t cap)
{
	const struct asker asker = { .subject = { SUBJECT_LINK, link_index } };
	const struct link_entry *link = asker_link(router, &asker);
	return link && link->ops->shares(link->ctx, device, cap, capability_class(cap));
}

/* A device as a whole may be read by whom at least one of its capabilities is open to. */
static struct policy_verdict may_read_any(struct router *router, const struct asker *asker, const struct device *device, enum action action)
{
	struct policy_verdict verdict = { 0 };
	for (uint8_t e = 0; device->desc && e < device->desc->n_endpoints; e++)
		for (uint8_t c = 0; c < device->desc->endpoints[e].n_caps; c++) {
			struct policy_verdict v = router_may(router, asker, device, device->desc->endpoints[e].caps[c].id, action);
			if (v.allowed)
				return v;
			if (v.rule)
				verdict = v;
		}
	return verdict;
}

struct policy_verdict router_may(struct router *router, const struct asker *asker, const struct device *device, uint16_t cap, enum action action)
{
	const struct link_entry *link = asker_link(router, asker);
	struct policy_question question;

	if (device && cap == 0 && (action == ACTION_READ || action == ACTION_OBSERVE))
		return may_read_any(router, asker, device, action);
	/* What a link may know of at all is its share list; policy can only narrow it. */
	if (device && asker->subject.kind == SUBJECT_LINK && (!link || !link->ops->shares(link->ctx, device, cap, capability_class(cap))))
		return (struct policy_verdict){ 0 };
	router_question(router, asker, device, cap, action, &question);
	return policy_check(rulebook_snapshot(router->parts.rulebook), &question);
}

void asker_to_record(const struct asker *asker, struct audit_record *ret)
{
	ret->subject = asker->subject;
	ret->subject_name = asker->name;
	ret->subject_role = (uint8_t)asker->role;
	memcpy(ret->session_tag, asker->session_tag, sizeof(ret->session_tag));
	ret->source = (uint8_t)asker->source;
	ret->source_addr = asker->addr[0] ? asker->addr : NULL;
}

struct alarms *router_alarms(struct router *router)
{
	return router->alarms;
}

struct automation *router_automation(struct router *router)
{
	return router->automation;
}

struct claims *router_claims(struct router *router)
{
	return router->claims;
}

struct freshness *router_freshness(struct router *router)
{
	return router->freshness;
}

struct time_trust *router_time(struct router *router)
{
	return router->time;
}

uint64_t router_replay_last(const struct router *router, const char *link, const char *sender)
{
	return replay_last(router->replay, link, sender);
}

struct router_stats router_stats_of(const struct router *router)
{
	return router->stats;
}
