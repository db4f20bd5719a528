/* Local rules: when this happens there, do that here. A rule belongs to who made it and runs with his rights; who may not
 * know a device cannot name it in a rule. */
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "door/when.h"
#include "router/automation.h"

static const struct json_field point_fields[] = {
	{ "device", JSON_TEXT, true, 1, DEVICE_TEXT_MAX },
	{ "capability", JSON_TEXT, true, 1, CAPABILITY_NAME_MAX },
	{ "endpoint", JSON_INT, false, 0, 255 },
};

static bool bad(struct call *call, const char *field, const char *expected)
{
	call_field(call, field);
	call_fail(call, RESULT_BAD_VALUE, "expected %s", expected);
	return false;
}

struct point {
	struct device_id device;
	uint8_t endpoint;
	uint16_t cap;
	enum value_type type;
};

static bool take_point(struct call *call, const struct json *params, const char *key, struct point *ret)
{
	const struct json *json = json_get(params, key);
	char error[120];
	uint8_t endpoint;

	if (!json || json_check(json, point_fields, N_ELEMENTS(point_fields), error, sizeof(error)) != 0)
		return bad(call, key, "an object with device and capability, perhaps endpoint");
	const struct device *device = call_device(call, json, "device");
	if (!device || !call_capability(call, json, "capability", &ret->cap))
		return false;
	ret->endpoint = (uint8_t)param_i64(json, "endpoint", 0);
	const struct capability_desc *desc = device_capability(device, ret->endpoint, ret->cap, &endpoint);
	if (!desc || !router_may(call_parts(call)->router, call_asker(call), device, ret->cap, ACTION_READ).allowed) {
		call_field(call, key);
		call_fail(call, RESULT_UNKNOWN_CAPABILITY, "%s", result_text(RESULT_UNKNOWN_CAPABILITY));
		return false;
	}
	ret->device = device->id;
	ret->type = (enum value_type)desc->type;
	return true;
}

static bool take_box(struct call *call, const struct json *params, const char *key, enum value_type type, bool toggle, struct value_box *ret)
{
	const struct json *json = json_get(params, key);
	const char *word = json_text(json, NULL);
	struct value value;
	if (json_kind(json) == JSON_NULL)
		return true;
	if (toggle && type == VALUE_BOOL && word && strcmp(word, "toggle") == 0)
		value = value_text("toggle");
	else if (!value_from_json(json, type, &value))
		return bad(call, key, "a value that the capability can hold");
	if (value_box_set(ret, &value) != 0) {
		call_fail(call, RESULT_INTERNAL, "no memory");
		return false;
	}
	return true;
}

static bool take_trigger(struct call *call, const struct json *params, struct automation_rule *rule)
{
	static const char *const words[] = { [TRIGGER_CHANGE] = "change", [TRIGGER_EQUALS] = "equals", [TRIGGER_ABOVE] = "above",
					     [TRIGGER_BELOW] = "below",	  [TRIGGER_TIME] = "time" };
	const char *word = json_get_text(params, "trigger"), *at = json_get_text(params, "at"), *days = json_get_text(params, "days");
	struct point point;
	size_t i = 0;
	while (i < N_ELEMENTS(words) && strcmp(words[i], word) != 0)
		i++;
	if (i == N_ELEMENTS(words))
		return bad(call, "trigger", "change, equals, above, below or time");
	rule->trigger = (enum trigger_kind)i;
	rule->days = DAYS_ALL;
	if (days && when_parse_days(days, &rule->days) != 0)
		return bad(call, "days", "days such as \"mon-fri,sun\" or \"daily\"");
	if (rule->trigger == TRIGGER_TIME) {
		if (!at || when_parse_minute(at, &rule->minute) != 0 || rule->minute == 1440)
			return bad(call, "at", "a time of day such as \"07:30\"");
		return true;
	}
	if (!take_point(call, params, "when", &point))
		return false;
	rule->device = point.device;
	rule->endpoint = point.endpoint;
	rule->cap = point.cap;
	(void)json_to_f64(json_get(params, "hysteresis"), &rule->hysteresis);
	return take_box(call, params, "threshold", point.type, false, &rule->threshold);
}

static bool take_target(struct call *call, const struct json *params, struct automation_rule *rule)
{
	struct point point;
	if (!take_point(call, params, "then", &point))
		return false;
	rule->target = point.device;
	rule->target_endpoint = point.endpoint;
	rule->target_cap = point.cap;
	return take_box(call, params, "set", point.type, true, &rule->target_value);
}

static void on_changed(void *ctx, int r, uint32_t id, const char *error)
{
	struct call *call = ctx;
	if (r == 0) {
		struct json *result = json_new_object();
		json_set_i64(result, "id", id);
		call_answer(call, result);
	} else if (r == AUTOMATION_E_UNKNOWN) {
		call_fail(call, RESULT_NOT_FOUND, "there is no rule of this number");
	} else if (r == AUTOMATION_E_RULE) {
		call_fail(call, RESULT_BAD_VALUE, "%s", error ? error : "the rule makes no sense");
	} else {
		call_fail_errno(call, r, "changing the rules");
	}
}

void method_rule_add(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_AUTOMATION_ADD);
	struct automation_rule rule = { .owner = call_asker(call)->subject.id, .enabled = true };
	text_copy(rule.name, sizeof(rule.name), json_get_text(params, "name"));
	if (take_trigger(call, params, &rule) && take_target(call, params, &rule))
		automation_add(router_automation(call_parts(call)->router), &rule, &record, on_changed, call);
	value_box_deinit(&rule.threshold);
	value_box_deinit(&rule.target_value);
}

/* One's own; an owner's are everybody's. NULL: failed. */
static const struct automation_rule *rule_of(struct call *call, const struct json *params)
{
	const struct automation *automation = router_automation(call_parts(call)->router);
	const struct asker *asker = call_asker(call);
	const struct automation_rule *rule;
	for (size_t i = 0; (rule = automation_at(automation, i)); i++)
		if (rule->id == param_i64(params, "id", 0) && (rule->owner == asker->subject.id || asker->role == ROLE_OWNER))
			return rule;
	on_changed(call, AUTOMATION_E_UNKNOWN, 0, NULL);
	return NULL;
}

void method_rule_remove(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_AUTOMATION_REMOVE);
	const struct automation_rule *rule = rule_of(call, params);
	if (rule)
		automation_remove(router_automation(call_parts(call)->router), rule->id, &record, on_changed, call);
}

static void set_enabled(struct call *call, const struct json *params, bool enabled)
{
	struct audit_record record = call_record(call, AUDIT_METHOD);
	const struct automation_rule *rule = rule_of(call, params);
	if (rule)
		automation_enable(router_automation(call_parts(call)->router), rule->id, enabled, &record, on_changed, call);
}

void method_rule_enable(struct call *call, const struct json *params)
{
	set_enabled(call, params, true);
}

void method_rule_disable(struct call *call, const struct json *params)
{
	set_enabled(call, params, false);
}

void method_rule_list(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	const struct asker *asker = call_asker(call);
	struct json *result = json_new_object(), *list = json_new_array();
	int64_t after = param_i64(params, "after", 0), last = 0;
	const struct automation_rule *rule;
	bool full = false;
	size_t used = 0;

	for (size_t i = 0; !full && (rule = automation_at(router_automation(parts->router), i)); i++) {
		if (rule->id <= after || (rule->owner != asker->subject.id && asker->role != ROLE_OWNER))
			continue;
		full = !budget_push(&used, list, render_automation(rule, parts->registry, parts->people));
		last = full ? last : rule->id;
	}
	json_set(result, "rules", list);
	if (full)
		json_set_i64(result, "next", last);
	call_answer(call, result);
}
