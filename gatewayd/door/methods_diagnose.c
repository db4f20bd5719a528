/* Why does something not work? Each check that finds something says it in words that need no manual, the likeliest cause
 * first. A person who asks about one device hears of that device and of what stands between him and it. */
#include <stdarg.h>
#include <stdio.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "router/alarms.h"
#include "router/time_trust.h"

enum { FINDING_MAX = 400, FINDINGS_MAX = 40 };

static void say(struct json *findings, const char *fmt, ...) printf_like(2, 3);
static void say(struct json *findings, const char *fmt, ...)
{
	char text[FINDING_MAX];
	va_list args;
	if (json_len(findings) >= FINDINGS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	json_push_text(findings, text);
}

static void since(const struct call *call, int64_t ms, char ret[48])
{
	int64_t s = (loop_now_ms(call_parts(call)->loop) - ms) / 1000;
	if (ms == 0)
		text_copy(ret, 48, "since before the last start");
	else if (s < 120)
		text_print(ret, 48, "for %lld seconds", (long long)s);
	else if (s < 7200)
		text_print(ret, 48, "for %lld minutes", (long long)(s / 60));
	else
		text_print(ret, 48, "for %lld hours", (long long)(s / 3600));
}

static void look_at_clock(struct call *call, struct json *findings)
{
	const struct time_trust *time = router_time(call_parts(call)->router);
	if (!time_is_trusted(time))
		say(findings, "The time is not certain (%s): commands from links that carry times are refused, and rules with times of day wait.",
		    time_trust_why(time));
}

static void look_at_adapters(struct call *call, struct json *findings)
{
	struct hub_stats stats;
	for (size_t i = 0; hub_stats_at(call_parts(call)->hub, i, &stats); i++) {
		if (!stats.up)
			say(findings, "Adapter %s is not there: its devices cannot be reached. Its own log says why it ended or does not start.", stats.name);
		for (size_t k = 0; k < N_ELEMENTS(stats.status); k++)
			if (stats.status[k][0])
				say(findings, "Adapter %s says: %s", stats.name, stats.status[k]);
	}
}

static void look_at_links(struct call *call, struct json *findings)
{
	const struct door_parts *parts = call_parts(call);
	struct json *links = parts->links_status(parts->ctx);
	for (size_t i = 0; i < json_len(links); i++) {
		const struct json *link = json_at(links, i);
		const char *name = json_get_text(link, "name"), *detail = json_get_text(link, "detail");
		bool running = param_bool(link, "running", false), connected = param_bool(link, "connected", false);
		int64_t dropped = 0;
		for (int c = 0; c < EVENT_CLASSES; c++)
			dropped += param_i64(json_get(link, "dropped"), event_class_name((enum event_class)c), 0);
		if (!running)
			say(findings, "Link %s has no process: what is meant for it waits here. Its own log says why.", name);
		else if (!connected)
			say(findings, "Link %s is not connected: %s. What is meant for it waits here.", name, detail && detail[0] ? detail : "it is trying");
		if (dropped)
			say(findings, "Link %s lost %lld messages because the spool was full.", name, (long long)dropped);
	}
	json_free(links);
}

static void look_at_alarms(struct call *call, const struct device *only, struct json *findings)
{
	const struct door_parts *parts = call_parts(call);
	const struct alarm *alarm;
	for (size_t i = 0; (alarm = alarms_at(router_alarms(parts->router), i)); i++) {
		const struct device *device = registry_find(parts->registry, alarm->device);
		if (only ? device != only : (device && !call_may_see(call, device)))
			continue;
		say(findings, "Alarm %u, %s%s%s: %s%s%s", alarm->id, alarm_row(alarm->kind)->name, alarm->object[0] || device ? " of " : "",
		    device ? device->name : alarm->object, alarm_row(alarm->kind)->text, alarm->detail[0] ? " " : "", alarm->detail);
	}
}

static void look_at_owner(struct call *call, const struct device *device, struct json *findings)
{
	const struct user *waits_for = user_find(call_parts(call)->people, device->waiting_for);
	switch (device->state) {
	case DEVICE_SEEN:
		say(findings, "It was heard, but its adapter has not said yet what it is.");
		break;
	case DEVICE_DESCRIBED:
		say(findings, "Nobody owns it, so it reaches nobody: open a window with a one-time code (bind code, join open) and let it join again.");
		break;
	case DEVICE_WAITING:
		say(findings, "It waits for %s to confirm the claim (claim confirm).", waits_for ? waits_for->name : "its claimer");
		break;
	case DEVICE_QUARANTINED:
		say(findings, "It is in quarantine and reaches nobody until it is released (device release).");
		break;
	case DEVICE_RETIRED:
		say(findings, "It is retired.");
		break;
	case DEVICE_OURS:
	case DEVICE_UNREACHABLE:
	case DEVICE_STATES:
		break;
	}
}

static void look_at_way(struct call *call, const struct device *device, struct json *findings)
{
	const struct way *way = device->n_ways ? device_way(device) : NULL;
	struct hub_stats stats;
	char text[48];
	bool there = false;

	if (device->state == DEVICE_RETIRED || device_is_reachable(device))
		return;
	if (!way) {
		say(findings, "No adapter knows a way to it.");
		return;
	}
	for (size_t i = 0; hub_stats_at(call_parts(call)->hub, i, &stats); i++)
		there |= stats.up && text_equal(stats.name, way->adapter);
	since(call, device->seen_ms, text);
	if (!there)
		say(findings, "It cannot be reached because its adapter %s is away; it has been silent %s.", way->adapter, text);
	else
		say(findings, "Its adapter %s is there but does not reach it; it has been silent %s: is it powered, in range, its battery full?",
		    way->adapter, text);
	for (uint8_t i = 0; i < device->n_ways; i++)
		if (device->ways[i].up && i != device->active)
			say(findings, "Adapter %s reaches it, too: device move.", device->ways[i].adapter);
}

static void look_at_values(struct call *call, const struct device *device, struct json *findings)
{
	size_t stale = 0;
	for (size_t i = 0; i < device->n_shadow; i++)
		stale += device->shadow[i].reported_ms == 0 && device->shadow[i].reported.value.type != VALUE_NONE;
	if (stale && call_may_read(call, device))
		say(findings, "%zu of its values are from before the last start and have not been reported since.", stale);
	if (device->n_refused)
		say(findings, "%llu of its reports were refused: of an unknown kind or out of range.", (unsigned long long)device->n_refused);
}

static void look_at_rights(struct call *call, const struct device *device, struct json *findings)
{
	const struct asker *asker = call_asker(call);
	char name[CAPABILITY_NAME_MAX];
	for (uint8_t e = 0; device->owner && device->desc && e < device->desc->n_endpoints; e++)
		for (uint8_t c = 0; c < device->desc->endpoints[e].n_caps; c++) {
			const struct capability_desc *desc = &device->desc->endpoints[e].caps[c];
			struct policy_verdict verdict = router_may(call_parts(call)->router, asker, device, desc->id, ACTION_COMMAND);
			if (!(desc->access & ACCESS_WRITE) || verdict.allowed)
				continue;
			capability_name(desc->id, name);
			if (verdict.rule && (asker->role == ROLE_OWNER || asker->role == ROLE_AUDITOR))
				say(findings, "You may not set its %s: rule %d denies it.", name, (int)verdict.rule);
			else
				say(findings, verdict.rule ? "You may not set its %s: a rule denies it." : "You may not set its %s: no rule allows it.", name);
		}
}

void method_diagnose(struct call *call, const struct json *params)
{
	const struct device *device = NULL;
	if (json_get(params, "device")) {
		device = call_device(call, params, "device");
		if (!device)
			return;
	}
	struct json *result = json_new_object(), *findings = json_new_array();
	if (device) {
		json_set_text(result, "device", device->name);
		look_at_owner(call, device, findings);
		look_at_way(call, device, findings);
		look_at_alarms(call, device, findings);
		look_at_rights(call, device, findings);
		look_at_values(call, device, findings);
	} else {
		look_at_clock(call, findings);
		look_at_adapters(call, findings);
		look_at_links(call, findings);
		look_at_alarms(call, NULL, findings);
	}
	json_set_bool(result, "well", json_len(findings) == 0);
	json_set(result, "findings", findings);
	call_answer(call, result);
}
