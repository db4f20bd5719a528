/* An event's day. Something happened to a device or to the gateway; who may hear of it? Every link whose share list names it
 * gets it through the spool, every listener of the door whose rights allow it hears it now, the household's rules look
 * at it last. Nobody else learns of it. What the spool has no room for at this moment is held here and offered again, so
 * that a report which an adapter was promised is never lost between two queues. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "router/internal.h"
#include "sys/log.h"

struct held_event {
	struct list node;
	uint32_t mask;
	struct event event;
	struct value_box value;
	char text[EVENT_TEXT_MAX], detail[EVENT_TEXT_MAX];
	spool_stored_fn stored;
	void *ctx;
};

struct asker router_link_asker(const struct link_entry *link)
{
	struct asker asker = {
		.subject = { SUBJECT_LINK, link->link_index },
		.name = link->name,
		.source = link->source,
		.loop = link->source == SOURCE_LINK_CLOUD ? LOOP_BIG : LOOP_SMALL,
	};
	return asker;
}

bool router_link_sees(struct router *router, unsigned link_index, const struct device *device, uint16_t cap)
{
	for (size_t i = 0; i < SPOOL_LINKS_MAX; i++) {
		const struct link_entry *link = &router->links[i];
		if (!link->used || link->link_index != link_index)
			continue;
		struct asker asker = router_link_asker(link);
		return router_may(router, &asker, device, cap, ACTION_OBSERVE).allowed;
	}
	return false;
}

/* Gateway's own events go to every link; a device's to those that may hear of this capability (0: of any). */
static uint32_t links_hearing(struct router *router, const struct event *event, const struct device *device)
{
	uint32_t mask = 0;
	for (size_t i = 0; i < SPOOL_LINKS_MAX; i++) {
		const struct link_entry *link = &router->links[i];
		if (!link->used)
			continue;
		struct asker asker = router_link_asker(link);
		if (device_id_is_none(event->device) || (device && router_may(router, &asker, device, event->cap, ACTION_OBSERVE).allowed))
			mask |= 1u << link->spool_link;
	}
	return mask;
}

static void tell_listeners(struct router *router, const struct event *event, const struct device *device)
{
	struct router_listener *listener, *tmp;
	list_each(listener, tmp, &router->listeners, node)
		if (!device || router_may(router, &listener->asker, device, event->cap, ACTION_OBSERVE).allowed)
			listener->fn(listener->ctx, event, device);
}

static void copy_view(char *to, struct view *view)
{
	if (view->len > EVENT_TEXT_MAX)
		view->len = EVENT_TEXT_MAX;
	if (view->len)
		memcpy(to, view->data, view->len);
	view->data = (const uint8_t *)to;
}

static int hold(struct router *router, uint32_t mask, const struct event *event, spool_stored_fn stored, void *ctx)
{
	struct held_event *held = calloc(1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	*held = (struct held_event){ .mask = mask, .event = *event, .stored = stored, .ctx = ctx };
	int r = value_box_set(&held->value, &event->value);
	if (r != 0) {
		free(held);
		return r;
	}
	held->event.value = value_box_get(&held->value);
	copy_view(held->text, &held->event.text);
	copy_view(held->detail, &held->event.detail);
	list_append(&router->held, &held->node);
	timer_start(router->held_timer, ROUTER_HELD_RETRY_MS);
	return 0;
}

void router_on_held(void *ctx)
{
	struct router *router = ctx;
	struct held_event *held, *tmp;
	list_each(held, tmp, &router->held, node) {
		int r = spool_append(router->parts.spool, held->mask, &held->event, held->stored, held->ctx);
		if (r == SPOOL_E_FULL) {
			timer_start(router->held_timer, ROUTER_HELD_RETRY_MS);
			return;
		}
		list_remove(&held->node);
		if (r != 0 && held->stored)
			held->stored(held->ctx, r);
		value_box_deinit(&held->value);
		free(held);
	}
}

void router_say(struct router *router, const struct event *event, const struct device *device, void (*stored)(void *ctx, int r), void *ctx)
{
	uint32_t mask = links_hearing(router, event, device);
	int r = 0;

	router->stats.n_events++;
	if (mask) {
		r = list_is_empty(&router->held) ? spool_append(router->parts.spool, mask, event, stored, ctx) : SPOOL_E_FULL;
		if (r == SPOOL_E_FULL)
			r = hold(router, mask, event, stored, ctx);
	}
	tell_listeners(router, event, device);
	if ((!mask || r != 0) && stored)
		stored(ctx, r);
}

void router_events_close(struct router *router)
{
	struct held_event *held, *tmp;
	list_each(held, tmp, &router->held, node) {
		list_remove(&held->node);
		if (held->stored)
			held->stored(held->ctx, -ECANCELED);
		value_box_deinit(&held->value);
		free(held);
	}
	struct router_listener *listener, *next;
	list_each(listener, next, &router->listeners, node)
		router_unlisten(listener);
}

int router_listen(struct router *router, const struct asker *asker, router_event_fn fn, void *ctx, struct router_listener **ret)
{
	if (router->stats.listeners == ROUTER_LISTENERS_MAX)
		return -ENOSPC;
	struct router_listener *listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->router = router;
	listener->asker = *asker;
	text_copy(listener->name, sizeof(listener->name), asker->name ? asker->name : "");
	listener->asker.name = listener->name;
	listener->fn = fn;
	listener->ctx = ctx;
	list_append(&router->listeners, &listener->node);
	router->stats.listeners++;
	*ret = listener;
	return 0;
}

struct router_listener *router_unlisten(struct router_listener *listener)
{
	if (!listener)
		return NULL;
	listener->router->stats.listeners--;
	list_remove(&listener->node);
	free(listener);
	return NULL;
}

int router_add_link(struct router *router, unsigned link_index, const char *name, enum source_kind source, unsigned spool_link,
		    const struct router_link_ops *ops, void *ctx)
{
	for (size_t i = 0; i < SPOOL_LINKS_MAX; i++) {
		struct link_entry *link = &router->links[i];
		if (link->used)
			continue;
		*link = (struct link_entry){ .used = true, .source = source, .spool_link = spool_link, .link_index = link_index, .ops = ops, .ctx = ctx };
		text_copy(link->name, sizeof(link->name), name);
		return 0;
	}
	return -ENOSPC;
}

static int64_t trusted_wall(const struct router *router)
{
	return time_is_trusted(router->time) ? loop_wall_us(router->parts.loop) : 0;
}

void router_health(struct router *router, const char *name, int64_t value)
{
	struct event event = {
		.kind = EVENT_HEALTH,
		.event_class = EVENT_CLASS_TELEMETRY,
		.value = value_int(value),
		.wall_us = trusted_wall(router),
		.text = { (const uint8_t *)name, strlen(name) },
	};
	router_say(router, &event, NULL, NULL, NULL);
}

void router_anchor(struct router *router, const void *body, size_t len, const char *signatures)
{
	struct event event = {
		.kind = EVENT_ANCHOR,
		.event_class = EVENT_CLASS_ALARM,
		.value = value_bytes(body, len),
		.wall_us = trusted_wall(router),
		.detail = view_text(signatures),
	};
	router_say(router, &event, NULL, NULL, NULL);
}

/* From the registry. */

static void on_report(void *ctx, const struct device *device, const struct event *event, const struct value *before, void (*stored)(void *ctx, int r),
		      void *stored_ctx)
{
	struct router *router = ctx;
	struct event timed = *event;
	if (timed.wall_us == 0)
		timed.wall_us = trusted_wall(router);
	router->stats.n_reports++;
	audit_count_telemetry(router->parts.audit, device->id, 1);
	router_say(router, &timed, device, stored, stored_ctx);
	claims_reported(router->claims, device, event, before);
	if (device->owner)
		automation_on_report(router->automation, &timed, before, router_cause_depth(router, device->id, event->cap));
}

static void say_availability(struct router *router, const struct device *device)
{
	struct event event = {
		.kind = EVENT_AVAILABILITY,
		.event_class = EVENT_CLASS_STATE,
		.device = device->id,
		.value = value_bool(device->state == DEVICE_OURS),
		.wall_us = trusted_wall(router),
		.number = device->event_number,
	};
	router_say(router, &event, device, NULL, NULL);
}

static void audit_change(struct router *router, const struct device *device, enum registry_change change)
{
	const struct way *way = device_way(device);
	struct audit_record record = {
		.kind = change == REGISTRY_NEW ? AUDIT_DEVICE_SEEN : AUDIT_DEVICE_STATE,
		.subject = { SUBJECT_ADAPTER, 0 },
		.subject_name = way ? way->adapter : NULL,
		.device = device->id,
		.object = device->name,
		.action = device_state_name(device->state),
	};
	(void)!audit_append(router->parts.audit, &record, NULL, NULL);
}

static void on_change(void *ctx, const struct device *device, enum registry_change change, enum device_state before)
{
	struct router *router = ctx;
	const char *name = device_state_name(device->state);
	bool reach = change == REGISTRY_STATE && ((before == DEVICE_OURS && device->state == DEVICE_UNREACHABLE) ||
						  (before == DEVICE_UNREACHABLE && device->state == DEVICE_OURS));
	struct event event = {
		.kind = EVENT_DEVICE,
		.event_class = EVENT_CLASS_STATE,
		.device = device->id,
		.wall_us = trusted_wall(router),
		.number = device->event_number,
		.text = { (const uint8_t *)name, strlen(name) },
	};
	for (size_t i = 0; i < SPOOL_LINKS_MAX; i++)
		if (router->links[i].used && !reach)
			router->links[i].ops->on_change(router->links[i].ctx, device);
	if (reach)
		say_availability(router, device);
	tell_listeners(router, &event, device);
	/* Names, rooms and a person's changes of state have been recorded with their verb; coming and going is counted. */
	if (change == REGISTRY_NEW || reach)
		audit_change(router, device, change);
}

static void on_registry_alarm(void *ctx, enum alarm_kind kind, struct device_id device, const char *object, bool raised, const char *detail)
{
	struct router *router = ctx;
	if (raised)
		alarms_raise(router->alarms, kind, device, object, detail);
	else
		alarms_clear(router->alarms, kind, device, object);
	if (kind == ALARM_CLONE && raised) {
		struct audit_record record = { .kind = AUDIT_CLONE, .outcome = AUDIT_DENIED, .subject = { SUBJECT_ADAPTER, 0 },
					       .device = device, .object = object, .detail = detail };
		(void)!audit_append(router->parts.audit, &record, NULL, NULL);
	}
}

const struct registry_ops router_registry_ops = {
	.on_change = on_change,
	.on_report = on_report,
	.on_alarm = on_registry_alarm,
};

/* From the hub. */

static void hub_up(void *ctx, const char *adapter, uint8_t flags)
{
	struct router *router = ctx;
	struct device_id none = { { 0 } };
	(void)flags;
	registry_adapter_up(router->parts.registry, adapter);
	alarms_clear(router->alarms, ALARM_ADAPTER_GONE, none, adapter);
}

static void hub_down(void *ctx, const char *adapter, enum peer_end end, const char *why)
{
	struct router *router = ctx;
	struct device_id none = { { 0 } };
	registry_adapter_down(router->parts.registry, adapter);
	if (end == PEER_REPLACED)
		return;
	alarms_raise(router->alarms, end == PEER_VIOLATION ? ALARM_ADAPTER_VIOLATION : ALARM_ADAPTER_GONE, none, adapter, why);
}

static void on_followed(void *ctx, int r)
{
	struct router *router = ctx;
	if (r != 0)
		log_warn("a device that moved to another adapter is not followed", log_err(r));
	else
		audit_drain(router->parts.audit);
}

/* It has left the adapter by which it was reached, and its owner let it join at another: that is where it is now. */
static void follow_device(struct router *router, const struct device *device)
{
	const struct way *way = device ? device_way(device) : NULL;
	char detail[160];
	if (!way || !registry_next_way(device))
		return;
	text_print(detail, sizeof(detail), "it left %s; its owner had let it join over %s", way->adapter, registry_next_way(device));
	struct audit_record record = { .kind = AUDIT_DEVICE_MOVE, .subject = { SUBJECT_SYSTEM, 0 }, .object = device->name,
				       .action = "device.move", .detail = detail };
	(void)registry_follow(router->parts.registry, device->id, &record, on_followed, router);
}

static void hub_device(void *ctx, const char *adapter, const struct device_desc *desc)
{
	struct router *router = ctx;
	struct device_id id;
	bool known = registry_find_way(router->parts.registry, adapter, &desc->addr) != NULL;
	/* Whose window it is, counts for a device that is his already; whether there is room in it, for one that is not. */
	const struct device *same = known ? NULL : registry_find_hw(router->parts.registry, &desc->hw);
	uint32_t user = claims_taker(router->claims, adapter, &desc->addr, same && same->owner);
	int r = registry_describe(router->parts.registry, adapter, desc, user, &id);
	if (r == 0) {
		const struct device *device = registry_find(router->parts.registry, id);
		if (device->state == DEVICE_DESCRIBED && (!known || joins_has(claims_joins(router->claims), adapter, &desc->addr)))
			claims_not_taken(router->claims, adapter, &desc->addr);
		follow_device(router, device);
		return;
	}
	if (r == REGISTRY_E_CLONE)
		return;
	char addr[2 * ADDRESS_MAX + 1];
	address_print(&desc->addr, addr);
	struct audit_record record = { .kind = AUDIT_BAD_INPUT, .outcome = AUDIT_FAILED, .subject = { SUBJECT_ADAPTER, 0 },
				       .subject_name = adapter, .object = addr,
				       .detail = r == REGISTRY_E_FULL ? "there is no room for another device" : "its description could not be taken" };
	(void)!audit_append(router->parts.audit, &record, NULL, NULL);
}

static void hub_synced(void *ctx, const char *adapter)
{
	struct router *router = ctx;
	registry_adapter_synced(router->parts.registry, adapter);
}

static void hub_gone(void *ctx, const char *adapter, const struct address *addr, bool left)
{
	struct router *router = ctx;
	registry_gone(router->parts.registry, adapter, addr, left);
	follow_device(router, registry_find_way(router->parts.registry, adapter, addr));
}

static void hub_joining(void *ctx, const char *adapter, const struct address *addr, enum join_stage stage, const char *text)
{
	struct router *router = ctx;
	claims_joining(router->claims, adapter, addr, stage, text);
	follow_device(router, registry_find_way(router->parts.registry, adapter, addr));
}

static int hub_report(void *ctx, const char *adapter, const struct address *addr, uint8_t endpoint, uint16_t cap, const struct value *value,
		      int64_t wall_us, bool again, hub_stored_fn stored, void *stored_ctx)
{
	struct router *router = ctx;
	return registry_report(router->parts.registry, adapter, addr, endpoint, cap, value, wall_us, again, stored, stored_ctx);
}

static void hub_claim(void *ctx, const char *adapter, const struct address *addr, const char *code)
{
	struct router *router = ctx;
	const struct device *device = registry_find_way(router->parts.registry, adapter, addr);
	if (device)
		claims_presented(router->claims, device->id, code, adapter);
}

static void hub_note(void *ctx, const char *adapter, enum note_kind kind, uint32_t count, const char *object, const char *text)
{
	struct router *router = ctx;
	struct device_id none = { { 0 } };
	if (kind == NOTE_STATUS) {
		/* The wifi adapter tells whether its broker keeps strangers from publishing commands. */
		if (strcmp(object, "broker") != 0)
			return;
		if (strcmp(text, "unenforced") == 0)
			alarms_raise(router->alarms, ALARM_BROKER_UNENFORCED, none, adapter, "others may publish commands on its broker");
		else
			alarms_clear(router->alarms, ALARM_BROKER_UNENFORCED, none, adapter);
		return;
	}
	struct audit_record record = { .kind = AUDIT_BAD_INPUT, .outcome = AUDIT_FAILED, .subject = { SUBJECT_ADAPTER, 0 },
				       .subject_name = adapter, .object = object, .action = note_kind_name(kind), .count = count,
				       .detail = text };
	(void)!audit_append(router->parts.audit, &record, NULL, NULL);
}

const struct hub_ops router_hub_ops = {
	.on_up = hub_up,
	.on_down = hub_down,
	.on_device = hub_device,
	.on_synced = hub_synced,
	.on_gone = hub_gone,
	.on_report = hub_report,
	.on_claim = hub_claim,
	.on_joining = hub_joining,
	.on_note = hub_note,
};
