/* A command's day. It arrives from a door, a link or a rule, always as the same struct, and goes through the same checks in
 * the same order; the first that says no ends it with a word that its asker understands and a record that an auditor
 * can find. What passes them all waits for its adapter's one answer or for its deadline, whichever comes first.
 *
 * Whoever may not read a device is told that there is none, whatever the true reason was: a refusal must not be a map of
 * the home. The record holds the true reason. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/internal.h"

enum { FUTURE_TOLERANCE_US = 60 * 1000000, REASON_MAX = 160 };

struct pending {
	struct list node;
	struct router *router;
	struct command command;
	struct value_box value;
	struct asker asker;
	char asker_name[NAME_MAX_LEN + 1];
	router_done_fn done;
	void *ctx;
	int32_t rule;
	bool sent, cancelled;
	char reason[REASON_MAX];
};

static void pending_free(struct pending *p)
{
	list_remove(&p->node);
	p->router->stats.pending--;
	value_box_deinit(&p->value);
	free(p);
}

static uint16_t audit_kind_of(enum result result)
{
	switch (result) {
	case RESULT_DENIED:
	case RESULT_UNBOUND:
		return AUDIT_DENIAL;
	case RESULT_LATE:
	case RESULT_REPLAYED:
	case RESULT_DUPLICATE:
	case RESULT_CLOCK:
	case RESULT_RATE:
	case RESULT_MALFORMED:
	case RESULT_UNKNOWN_DEVICE:
	case RESULT_UNKNOWN_CAPABILITY:
	case RESULT_NOT_WRITABLE:
	case RESULT_BAD_VALUE:
	case RESULT_BUSY:
		return AUDIT_REFUSED;
	case RESULT_OK:
	case RESULT_UNREACHABLE:
	case RESULT_TIMEOUT:
	case RESULT_FAILED:
	case RESULT_CANCELLED:
	case RESULT_NO_SESSION:
	case RESULT_NOT_FOUND:
	case RESULT_CONFLICT:
	case RESULT_INTERNAL:
	case RESULTS:
		break;
	}
	return AUDIT_COMMAND;
}

static int pending_record(struct pending *p, enum result result, const char *detail, audit_done_fn done)
{
	char cap[CAPABILITY_NAME_MAX], value[64], action[128];
	struct audit_record record = { .kind = audit_kind_of(result), .result = (uint16_t)result, .rule = p->rule, .detail = detail };

	asker_to_record(&p->asker, &record);
	record.outcome = result == RESULT_OK ? AUDIT_OK : record.kind == AUDIT_DENIAL ? AUDIT_DENIED : AUDIT_FAILED;
	record.device = p->command.device;
	record.cap = p->command.cap;
	capability_name(p->command.cap, cap);
	struct value v = value_box_get(&p->value);
	value_print(&v, value, sizeof(value));
	text_print(action, sizeof(action), "set %s=%s", cap, value);
	record.action = action;
	return audit_append(p->router->parts.audit, &record, done, p);
}

/* Ends it: counts, records, answers. outward is what the asker is told. */
static void pending_end(struct pending *p, enum result result, enum result outward)
{
	struct router *router = p->router;
	router_done_fn done = p->done;
	void *ctx = p->ctx;
	char reason[REASON_MAX];

	if (result == RESULT_DENIED)
		router->stats.n_denied++;
	router->stats.n_refused[result]++;
	/* A full audit queue ends no command twice; the store's alarm is up by then. */
	(void)!pending_record(p, result, p->reason[0] ? p->reason : NULL, NULL);
	text_copy(reason, sizeof(reason), outward == result && p->reason[0] ? p->reason : result_text(outward));
	int32_t rule = outward == result ? p->rule : 0;
	pending_free(p);
	done(ctx, outward, rule, reason);
}

static void pending_refuse(struct pending *p, enum result result)
{
	pending_end(p, result, result);
}

/* For refusals that would tell something about a device the asker may not read. */
static void pending_hide(struct pending *p, const struct device *device, enum result result)
{
	/* Before it is anybody's, who may take it in sees it in his list. */
	bool knows = device && (router_may(p->router, &p->asker, device, 0, ACTION_READ).allowed ||
				(!device->owner && router_may(p->router, &p->asker, device, 0, ACTION_CONFIGURE).allowed));
	pending_end(p, result, knows ? result : RESULT_UNKNOWN_DEVICE);
}

static int64_t deadline_of(const struct pending *p)
{
	const struct command *c = &p->command;
	int64_t now = loop_now_ms(p->router->parts.loop), deadline = now + ROUTER_TTL_MS;

	if (c->deadline_ms && c->deadline_ms < deadline)
		deadline = c->deadline_ms;
	if (c->has_times) {
		int64_t left_ms = (c->not_after_us - loop_wall_us(p->router->parts.loop)) / 1000;
		if (now + left_ms < deadline)
			deadline = now + left_ms;
	}
	return deadline;
}

/* Shape, clock, late, duplicate: what can be judged without looking at the home. RESULT_OK: go on. */
static enum result judge_words(struct pending *p)
{
	const struct command *c = &p->command;
	struct router *router = p->router;
	int64_t wall = loop_wall_us(router->parts.loop);

	if (c->cap == 0 || c->value.type >= VALUE_TYPES || (c->has_times && c->not_after_us < c->issued_us))
		return RESULT_MALFORMED;
	if (p->asker.subject.kind == SUBJECT_LINK && freshness_why(router->freshness)) {
		text_copy(p->reason, sizeof(p->reason), "an owner has to confirm first that this gateway is as it should be");
		return RESULT_DENIED;
	}
	if (c->has_times && !time_is_trusted(router->time))
		return RESULT_CLOCK;
	if (c->has_times && c->issued_us > wall + FUTURE_TOLERANCE_US) {
		text_copy(p->reason, sizeof(p->reason), "it was issued in the future");
		return RESULT_CLOCK;
	}
	p->command.deadline_ms = deadline_of(p);
	if (p->command.deadline_ms <= loop_now_ms(router->parts.loop))
		return RESULT_LATE;
	if (c->id[0]) {
		struct { struct subject subject; char sender[SENDER_MAX + 1]; } scope;
		memset(&scope, 0, sizeof(scope));
		scope.subject = c->subject;
		memcpy(scope.sender, c->sender, strlen(c->sender));
		if (seen_before(router->seen, &scope, sizeof(scope), c->id))
			return RESULT_DUPLICATE;
	}
	return RESULT_OK;
}

/* Known, allowed, fit, bound, reachable. *ret_cap names what the adapter is to be asked. */
static bool judge_home(struct pending *p, const struct device **ret_device, uint8_t *ret_endpoint, struct value *ret_value)
{
	struct command *c = &p->command;
	const struct device *device = registry_find(p->router->parts.registry, c->device);
	if (!device || device->state == DEVICE_RETIRED) {
		pending_refuse(p, RESULT_UNKNOWN_DEVICE);
		return false;
	}
	const struct capability_desc *desc = device_capability(device, c->endpoint, c->cap, ret_endpoint);
	if (!desc) {
		pending_hide(p, device, RESULT_UNKNOWN_CAPABILITY);
		return false;
	}
	struct policy_verdict verdict = router_may(p->router, &p->asker, device, c->cap, ACTION_COMMAND);
	p->rule = verdict.rule;
	if (!verdict.allowed) {
		pending_hide(p, device, device->owner ? RESULT_DENIED : RESULT_UNBOUND);
		return false;
	}
	struct value value = value_box_get(&p->value);
	enum result result = RESULT_OK;
	if (!(desc->access & ACCESS_WRITE))
		result = RESULT_NOT_WRITABLE;
	else if (capability_value_check(desc, &value, ret_value) != 0)
		result = RESULT_BAD_VALUE;
	else if (device->state != DEVICE_OURS && device->state != DEVICE_UNREACHABLE)
		result = RESULT_UNBOUND;
	else if (!device_is_reachable(device))
		result = RESULT_UNREACHABLE;
	if (result != RESULT_OK) {
		pending_refuse(p, result);
		return false;
	}
	*ret_device = device;
	return true;
}

static void on_adapter_done(void *ctx, enum result result)
{
	struct pending *p = ctx;
	pending_refuse(p, result); /* RESULT_OK included */
}

static void pending_send(struct pending *p)
{
	struct router *router = p->router;
	const struct device *device;
	uint8_t endpoint;
	struct value value;
	int64_t left_ms = p->command.deadline_ms - loop_now_ms(router->parts.loop);

	if (left_ms <= 0) {
		pending_refuse(p, RESULT_LATE);
		return;
	}
	/* Judged at the moment it goes out: rights and device may have changed while it waited. */
	if (!judge_home(p, &device, &endpoint, &value))
		return;
	const struct way *way = device_way(device);
	registry_set_desired(router->parts.registry, device->id, endpoint, p->command.cap, &value);
	router_add_cause(router, device->id, p->command.cap, p->command.depth);
	p->sent = true;
	int r = hub_command(router->parts.hub, way->adapter, &way->addr, endpoint, p->command.cap, &value, (uint32_t)left_ms,
			    on_adapter_done, p);
	if (r != 0)
		pending_refuse(p, r == HUB_E_BUSY ? RESULT_BUSY : RESULT_UNREACHABLE);
}

static void on_intent_recorded(void *ctx, int r)
{
	struct pending *p = ctx;
	if (p->cancelled)
		pending_refuse(p, RESULT_CANCELLED);
	else if (r != 0)
		pending_refuse(p, RESULT_INTERNAL);
	else
		pending_send(p);
}

/* What is dangerous is on record, durably, before it happens. */
static void pending_intend(struct pending *p)
{
	if (capability_risk(p->command.cap) != RISK_HIGH) {
		pending_send(p);
		return;
	}
	if (pending_record(p, RESULT_OK, "taken: its outcome follows", on_intent_recorded) != 0)
		pending_refuse(p, RESULT_BUSY);
}

static void on_replay(void *ctx, int r)
{
	struct pending *p = ctx;
	if (p->cancelled)
		pending_refuse(p, RESULT_CANCELLED);
	else if (r == REPLAY_E_OLD)
		pending_refuse(p, RESULT_REPLAYED);
	else if (r != 0)
		pending_refuse(p, r == REPLAY_E_FULL ? RESULT_BUSY : RESULT_INTERNAL);
	else
		pending_intend(p);
}

void router_command(struct router *router, const struct asker *asker, const struct command *command, router_done_fn done, void *ctx)
{
	struct pending *p = router->stats.pending < ROUTER_PENDING_MAX ? calloc(1, sizeof(*p)) : NULL;
	router->stats.n_commands++;
	if (!p || value_box_set(&p->value, &command->value) != 0) {
		router->stats.n_refused[RESULT_BUSY]++;
		free(p);
		done(ctx, RESULT_BUSY, 0, result_text(RESULT_BUSY));
		return;
	}
	p->router = router;
	p->command = *command;
	p->command.value = value_box_get(&p->value);
	p->asker = *asker;
	text_copy(p->asker_name, sizeof(p->asker_name), asker->name ? asker->name : "");
	p->asker.name = p->asker_name;
	p->done = done;
	p->ctx = ctx;
	list_append(&router->pending, &p->node);
	router->stats.pending++;
	enum result result = judge_words(p);
	if (result != RESULT_OK)
		pending_refuse(p, result);
	else if (command->has_counter)
		replay_check(router->replay, p->asker_name, p->command.sender, command->counter, on_replay, p);
	else
		pending_intend(p);
}

/* With a session its queued commands end (7-i, 7-j). What was sent cannot be called back: its answer is recorded. */
void router_cancel_session(void *ctx, const struct session *session, const char *why)
{
	struct router *router = ctx;
	struct pending *p, *tmp;
	list_each(p, tmp, &router->pending, node) {
		if (p->sent || p->asker.session != session->number || session->number == 0)
			continue;
		p->cancelled = true;
		text_copy(p->reason, sizeof(p->reason), why);
	}
}

void router_pipeline_close(struct router *router)
{
	struct pending *p, *tmp;
	list_each(p, tmp, &router->pending, node) {
		p->done(p->ctx, RESULT_CANCELLED, 0, "the gateway is stopping");
		pending_free(p);
	}
}

void router_add_cause(struct router *router, struct device_id device, uint16_t cap, uint8_t depth)
{
	struct cause *cause = &router->causes[router->next_cause++ % ROUTER_CAUSES_MAX];
	*cause = (struct cause){ device, cap, depth, loop_now_ms(router->parts.loop) + ROUTER_CAUSE_MS };
}

uint8_t router_cause_depth(const struct router *router, struct device_id device, uint16_t cap)
{
	int64_t now = loop_now_ms(router->parts.loop);
	uint8_t depth = 0;
	for (size_t i = 0; i < ROUTER_CAUSES_MAX; i++) {
		const struct cause *cause = &router->causes[i];
		if (cause->until_ms > now && cause->cap == cap && device_id_equal(cause->device, device) && cause->depth > depth)
			depth = cause->depth;
	}
	return depth;
}
