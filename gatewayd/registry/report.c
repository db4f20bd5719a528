/* A reading comes in by address. Is there such a device, has it that capability, is the value one that it can have? Then the
 * shadow takes it, and the listener (the router) hears of it and says when it is stored. Readings of quarantined and
 * retired devices go nowhere; readings over a way that is not the active one are acknowledged and left. */
#include <string.h>
#include "registry/internal.h"

/* Who must hear first, and what may be dropped first (spool's classes). */
static enum event_class report_class(uint16_t cap, const struct capability_desc *desc, const struct value *value)
{
	switch (cap) {
	case CAP_SMOKE:
	case CAP_CARBON_MONOXIDE:
	case CAP_GAS:
	case CAP_WATER_LEAK:
	case CAP_TAMPER:
		return value->type == VALUE_BOOL && value->b ? EVENT_CLASS_ALARM : EVENT_CLASS_STATE;
	default:
		break;
	}
	if ((desc->access & ACCESS_WRITE) || desc->type == VALUE_BOOL || desc->type == VALUE_TEXT)
		return EVENT_CLASS_STATE;
	return EVENT_CLASS_TELEMETRY;
}

static void raise_condition(struct registry *registry, const struct entry *entry, uint16_t cap, const struct value *value)
{
	if (value->type != VALUE_BOOL)
		return;
	if (cap == CAP_BATTERY_LOW)
		registry_alarm(registry, ALARM_BATTERY_LOW, entry, entry->device.name, value->b, "its battery is low");
	else if (cap == CAP_TAMPER)
		registry_alarm(registry, ALARM_DEVICE_TAMPER, entry, entry->device.name, value->b, "it reports that it was tampered with");
}

int registry_report(struct registry *registry, const char *adapter, const struct address *addr, uint8_t endpoint, uint16_t cap,
		    const struct value *value, int64_t wall_us, bool again, void (*stored)(void *ctx, int r), void *ctx)
{
	uint8_t way = 0, at = 0;
	struct value fit;
	struct entry *entry = registry_entry_way(registry, adapter, addr, &way);
	if (!entry)
		return REGISTRY_E_UNKNOWN;
	struct device *device = &entry->device;
	const struct capability_desc *desc = device_capability(device, endpoint, cap, &at);
	if (!desc) {
		device->n_refused++;
		return REGISTRY_E_UNKNOWN;
	}
	if (capability_value_check(desc, value, &fit) != 0) {
		device->n_refused++;
		return REGISTRY_E_RANGE;
	}
	device->n_reports++;
	device->seen_ms = loop_now_ms(registry->loop);
	if (way != device->active || device->state == DEVICE_QUARANTINED || device->state == DEVICE_RETIRED) {
		stored(ctx, 0);
		return 0;
	}
	struct shadow_value *shadow = (struct shadow_value *)device_shadow(device, at, cap);
	struct value_box old = shadow->reported; /* its bytes are handed over: the new ones get a box of their own */
	struct value before = value_box_get(&old);
	bool known = shadow->reported_ms != 0, changed = !known || !value_equal(&before, &fit);
	shadow->reported = (struct value_box){ 0 };
	int r = value_box_set(&shadow->reported, &fit);
	if (r != 0) {
		shadow->reported = old;
		return r;
	}
	shadow->reported_ms = device->seen_ms;
	shadow->reported_wall_us = wall_us;
	entry->shadow_dirty |= changed;
	if (changed)
		raise_condition(registry, entry, cap, &fit);
	struct event event = {
		.kind = EVENT_REPORT,
		.event_class = report_class(cap, desc, &fit),
		.device = device->id,
		.endpoint = at,
		.cap = cap,
		.value = value_box_get(&shadow->reported),
		.wall_us = wall_us,
		.number = ++device->event_number,
		.risky = capability_risk(cap) != RISK_LOW,
		.duplicate = again,
	};
	registry->ops->on_report(registry->ctx, device, &event, known ? &before : NULL, stored, ctx);
	value_box_deinit(&old);
	return 0;
}

void registry_set_desired(struct registry *registry, struct device_id id, uint8_t endpoint, uint16_t cap, const struct value *value)
{
	struct entry *entry = registry_entry(registry, id);
	struct shadow_value *shadow = entry ? (struct shadow_value *)device_shadow(&entry->device, endpoint, cap) : NULL;
	if (!shadow || value_box_set(&shadow->desired, value) != 0)
		return;
	shadow->desired_wall_us = loop_wall_us(registry->loop);
	entry->shadow_dirty = true;
}
