/* One way to say each noun in JSON, so that the CLI, the app and the console hear the same words. Numbers are numbers, times are
 * RFC 3339 in UTC or null, identities are 24 digits, and nothing here can print a secret: none of the structs has one. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "door/render.h"
#include "door/when.h"

static void set_view(struct json *object, const char *key, struct view view)
{
	char text[EVENT_TEXT_MAX + 1];
	text_copy_n(text, sizeof(text), view.data, view.len);
	json_set_text(object, key, text);
}

void render_value(struct json *object, const char *key, const struct value *value)
{
	char text[2 * VALUE_LEN_MAX + 1];
	switch (value->type) {
	case VALUE_BOOL:
		json_set_bool(object, key, value->b);
		return;
	case VALUE_INT:
		json_set_i64(object, key, value->i);
		return;
	case VALUE_REAL:
		json_set_f64(object, key, value->f);
		return;
	case VALUE_TEXT:
		text_copy_n(text, sizeof(text), value->data, value->len);
		json_set_text(object, key, text);
		return;
	case VALUE_BYTES:
		hex_print(value->data, value->len, text);
		json_set_text(object, key, text);
		return;
	case VALUE_NONE:
	case VALUE_TYPES:
		break;
	}
	json_set_null(object, key);
}

bool value_from_json(const struct json *json, enum value_type type, struct value *ret)
{
	size_t len;
	const char *text = json_text(json, &len);
	bool b;
	int64_t i;
	double f;

	if (type == VALUE_BOOL && json_to_bool(json, &b))
		*ret = value_bool(b);
	else if (type == VALUE_INT && json_to_i64(json, &i))
		*ret = value_int(i);
	else if (type == VALUE_REAL && json_to_f64(json, &f))
		*ret = value_real(f);
	else if (type == VALUE_TEXT && text && len <= VALUE_LEN_MAX)
		*ret = (struct value){ .type = VALUE_TEXT, .len = (uint32_t)len, .data = text };
	else
		return false;
	return true;
}

/* The calendar by hand: time_t ends in 2038 where it has 32 bits. Years begin with March, so that the leap day is the last. */
static void civil_date(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t since = days + 719468; /* 0000-03-01 */
	int64_t era = since / 146097, of_era = since % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	*ret_day = (int)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year + era * 400 + (month >= 10));
}

void render_time(struct json *object, const char *key, int64_t wall_us)
{
	char text[40];
	int year, month, day;
	if (wall_us <= 0) {
		json_set_null(object, key);
		return;
	}
	int64_t ms = wall_us / 1000, of_day = ms % 86400000;
	civil_date(ms / 86400000, &year, &month, &day);
	text_print(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, day, (int)(of_day / 3600000), (int)(of_day / 60000 % 60),
		   (int)(of_day / 1000 % 60), (int)(of_day % 1000));
	json_set_text(object, key, text);
}

static void set_id(struct json *object, const char *key, struct device_id id)
{
	char text[DEVICE_ID_TEXT_MAX];
	if (device_id_is_none(id)) {
		json_set_null(object, key);
		return;
	}
	device_id_print(id, text);
	json_set_text(object, key, text);
}

static const char *user_name(const struct people *people, uint32_t id)
{
	const struct user *user = id ? user_find(people, id) : NULL;
	return user ? user->name : NULL;
}

static const char *type_word(enum value_type type)
{
	static const char *const words[VALUE_TYPES] = { [VALUE_NONE] = "none", [VALUE_BOOL] = "bool", [VALUE_INT] = "int",
							[VALUE_REAL] = "real", [VALUE_TEXT] = "text", [VALUE_BYTES] = "bytes" };
	return type < VALUE_TYPES ? words[type] : "none";
}

/* What the device narrowed, else what the table says. */
static void set_range(struct json *cap, const struct capability *row, const struct capability_desc *desc)
{
	double unit = desc->type == VALUE_REAL ? 1000 : 1;
	double min = (double)desc->min / unit, max = (double)desc->max / unit;
	if (desc->type != VALUE_INT && desc->type != VALUE_REAL)
		return;
	if (desc->min == 0 && desc->max == 0 && row) {
		min = row->min;
		max = row->max;
	}
	if (min < max) {
		json_set_f64(cap, "min", min);
		json_set_f64(cap, "max", max);
	}
}

static struct json *render_capability(const struct endpoint_desc *ep, const struct capability_desc *desc, const struct shadow_value *shadow)
{
	struct json *cap = json_new_object();
	const struct capability *row = capability_find(desc->id);
	char name[CAPABILITY_NAME_MAX];
	struct value value = value_box_get(&shadow->reported);

	capability_name(desc->id, name);
	json_set_text(cap, "name", name);
	json_set_i64(cap, "endpoint", ep->id);
	render_value(cap, "value", &value);
	if (row && row->unit != UNIT_NONE)
		json_set_text(cap, "unit", unit_name(row->unit));
	render_time(cap, "since", shadow->reported_wall_us);
	json_set_bool(cap, "stale", shadow->reported_ms == 0);
	json_set_text(cap, "type", type_word((enum value_type)desc->type));
	json_set_bool(cap, "writable", (desc->access & ACCESS_WRITE) != 0);
	json_set_text(cap, "class", data_class_name(capability_class(desc->id)));
	json_set_text(cap, "risk", risk_name(capability_risk(desc->id)));
	set_range(cap, row, desc);
	if (row && row->choices)
		json_set_text(cap, "choices", row->choices);
	if (shadow->desired_wall_us) {
		value = value_box_get(&shadow->desired);
		render_value(cap, "desired", &value);
	}
	return cap;
}

static struct json *render_ways(const struct device *device)
{
	struct json *ways = json_new_array();
	for (uint8_t i = 0; i < device->n_ways; i++) {
		struct json *way = json_new_object();
		char addr[2 * ADDRESS_MAX + 1];
		address_print(&device->ways[i].addr, addr);
		json_set_text(way, "adapter", device->ways[i].adapter);
		json_set_text(way, "address", addr);
		json_set_bool(way, "up", device->ways[i].up);
		json_set_bool(way, "active", i == device->active);
		json_push(ways, way);
	}
	return ways;
}

struct json *render_device(const struct registry *registry, const struct people *people, const struct device *device,
			   bool (*may)(void *ctx, const struct device *device, uint16_t cap), void *ctx)
{
	struct json *object = json_new_object(), *caps = json_new_array();
	const struct room *room = registry_room(registry, device->room);
	size_t i = 0;

	set_id(object, "id", device->id);
	json_set_text(object, "name", device->name);
	json_set_text(object, "room", room ? room->name : NULL);
	json_set_text(object, "state", device_state_name(device->state));
	json_set_text(object, "owner", user_name(people, device->owner));
	if (device->state == DEVICE_WAITING)
		json_set_text(object, "waiting_for", user_name(people, device->waiting_for));
	if (device->desc) {
		json_set_text(object, "vendor", device->desc->vendor);
		json_set_text(object, "model", device->desc->model);
		json_set_text(object, "firmware", device->desc->firmware);
		json_set_i64(object, "evidence", device->desc->evidence);
	}
	json_set(object, "ways", render_ways(device));
	json_set_i64(object, "reports", (int64_t)device->n_reports);
	json_set_i64(object, "refused", (int64_t)device->n_refused);
	for (uint8_t e = 0; device->desc && e < device->desc->n_endpoints; e++)
		for (uint8_t c = 0; c < device->desc->endpoints[e].n_caps; c++, i++) {
			const struct endpoint_desc *ep = &device->desc->endpoints[e];
			if (!may || may(ctx, device, ep->caps[c].id))
				json_push(caps, render_capability(ep, &ep->caps[c], &device->shadow[i]));
		}
	json_set(object, "capabilities", caps);
	return object;
}

struct json *render_event(const struct event *event, const struct device *device)
{
	struct json *object = json_new_object();
	char cap[CAPABILITY_NAME_MAX];

	render_time(object, "at", event->wall_us);
	if (!device_id_is_none(event->device)) {
		set_id(object, "device", event->device);
		json_set_text(object, "name", device ? device->name : NULL);
	}
	switch (event->kind) {
	case EVENT_REPORT:
		capability_name(event->cap, cap);
		json_set_i64(object, "endpoint", event->endpoint);
		json_set_text(object, "capability", cap);
		render_value(object, "value", &event->value);
		break;
	case EVENT_AVAILABILITY:
		json_set_bool(object, "reachable", event->value.b);
		break;
	case EVENT_DEVICE:
		set_view(object, "state", event->text);
		break;
	case EVENT_ALARM:
		set_view(object, "alarm", event->text);
		set_view(object, "detail", event->detail);
		json_set_text(object, "severity", severity_name((enum severity)event->severity));
		json_set_text(object, "phase", event->phase == 0 ? "raised" : event->phase == 1 ? "acknowledged" : "cleared");
		break;
	case EVENT_HEALTH:
		set_view(object, "what", event->text);
		render_value(object, "value", &event->value);
		break;
	case EVENT_ANCHOR:
		render_value(object, "anchor", &event->value);
		set_view(object, "detail", event->detail);
		break;
	case EVENT_KINDS:
		break;
	}
	json_set_i64(object, "number", (int64_t)event->number);
	return object;
}

struct json *render_user(const struct user *user)
{
	struct json *object = json_new_object();
	json_set_i64(object, "id", user->id);
	json_set_text(object, "name", user->name);
	json_set_text(object, "role", role_name(user->role));
	json_set_bool(object, "disabled", user->disabled);
	return object;
}

struct json *render_session(const struct session *session, const struct people *people, int64_t now_ms)
{
	struct json *object = json_new_object();
	char tag[2 * sizeof(session->tag) + 1];
	hex_print(session->tag, sizeof(session->tag), tag);
	json_set_i64(object, "number", (int64_t)session->number);
	json_set_text(object, "tag", tag);
	json_set_text(object, "user", user_name(people, session->user));
	json_set_text(object, "door", source_kind_name(session->door));
	json_set_text(object, "client", session->client);
	json_set_i64(object, "idle_s", (now_ms - session->used_ms) / 1000);
	json_set_i64(object, "ends_in_s", ((session->idle_ms < session->absolute_ms ? session->idle_ms : session->absolute_ms) - now_ms) / 1000);
	return object;
}

struct json *render_alarm(const struct alarm *alarm, const struct registry *registry)
{
	struct json *object = json_new_object();
	const struct alarm_row *row = alarm_row(alarm->kind);
	const struct device *device = registry_find(registry, alarm->device);
	json_set_i64(object, "id", alarm->id);
	json_set_text(object, "alarm", row->name);
	json_set_text(object, "severity", severity_name(row->severity));
	json_set_text(object, "object", device ? device->name : alarm->object);
	set_id(object, "device", alarm->device);
	json_set_text(object, "detail", alarm->detail);
	json_set_text(object, "meaning", row->text);
	render_time(object, "raised", alarm->raised_us);
	json_set_i64(object, "count", alarm->count);
	json_set_text(object, "acknowledged_by", alarm->acknowledged ? alarm->by : NULL);
	return object;
}

static void set_who(struct json *object, const struct policy_rule *rule, const struct conf *conf, const struct people *people)
{
	char text[NAME_MAX_LEN + 16];
	switch (rule->who) {
	case WHO_ANY:
		json_set_text(object, "who", "anybody");
		return;
	case WHO_OWNER:
		json_set_text(object, "who", "owner-of-device");
		return;
	case WHO_USER:
		text_print(text, sizeof(text), "user:%s", user_name(people, rule->who_id) ? user_name(people, rule->who_id) : "?");
		break;
	case WHO_ROLE:
		text_print(text, sizeof(text), "role:%s", role_name((enum role)rule->who_id));
		break;
	case WHO_LINK:
		text_print(text, sizeof(text), "link:%s", conf_link(conf, rule->who_id) ? conf_link(conf, rule->who_id)->name : "?");
		break;
	case WHO_RULE:
		text_print(text, sizeof(text), "rule:%u", rule->who_id);
		break;
	}
	json_set_text(object, "who", text);
}

static void set_what(struct json *object, const struct policy_rule *rule, const struct registry *registry)
{
	char text[DEVICE_TEXT_MAX + 16];
	const struct device *device;
	const struct room *room;
	switch (rule->what) {
	case WHAT_ANY:
		json_set_text(object, "what", "*");
		return;
	case WHAT_DEVICE:
		device = registry_find(registry, rule->device);
		text_print(text, sizeof(text), "device:%s", device ? device->name : "?");
		break;
	case WHAT_ROOM:
		room = registry_room(registry, rule->room);
		text_print(text, sizeof(text), "room:%s", room ? room->name : "?");
		break;
	case WHAT_CLASS:
		text_print(text, sizeof(text), "class:%s", data_class_name(rule->data_class));
		break;
	}
	json_set_text(object, "what", text);
}

static struct json *words(unsigned bits, unsigned n, const char *(*name)(unsigned i))
{
	struct json *list = json_new_array();
	for (unsigned i = 0; i < n; i++)
		if (bits & (1u << i))
			json_push_text(list, name(i));
	return list;
}

static const char *action_word(unsigned i)
{
	return action_name((enum action)i);
}

static const char *loop_word(unsigned i)
{
	return loop_kind_name((enum loop_kind)i);
}

static const char *source_word(unsigned i)
{
	return source_kind_name((enum source_kind)i);
}

static struct json *render_windows(const struct policy_rule *rule)
{
	struct json *list = json_new_array();
	for (uint8_t i = 0; i < rule->n_windows; i++) {
		char text[WHEN_TEXT_MAX];
		when_print_window(&rule->windows[i], text);
		json_push_text(list, text);
	}
	return list;
}

struct json *render_policy_rule(const struct policy_rule *rule, const struct conf *conf, const struct registry *registry,
				const struct people *people)
{
	struct json *object = json_new_object();
	char cap[CAPABILITY_NAME_MAX];
	json_set_i64(object, "id", rule->id);
	json_set_text(object, "effect", rule->effect == POLICY_ALLOW ? "allow" : "deny");
	set_who(object, rule, conf, people);
	set_what(object, rule, registry);
	if (rule->cap) {
		capability_name(rule->cap, cap);
		json_set_text(object, "capability", cap);
	}
	json_set_text(object, "risk_max", risk_name(rule->risk_max));
	json_set(object, "actions", words(rule->actions, ACTIONS, action_word));
	json_set(object, "loops", words(rule->loops, LOOPS, loop_word));
	json_set(object, "sources", words(rule->sources, SOURCES, source_word));
	if (rule->n_windows)
		json_set(object, "windows", render_windows(rule));
	json_set_text(object, "note", rule->note);
	json_set_bool(object, "built_in", rule->id < 0);
	return object;
}

static const char *trigger_word(enum trigger_kind kind)
{
	switch (kind) {
	case TRIGGER_CHANGE:
		return "change";
	case TRIGGER_EQUALS:
		return "equals";
	case TRIGGER_ABOVE:
		return "above";
	case TRIGGER_BELOW:
		return "below";
	case TRIGGER_TIME:
		break;
	}
	return "time";
}

static void set_point(struct json *object, const char *key, const struct registry *registry, struct device_id id, uint16_t cap)
{
	struct json *point = json_new_object();
	const struct device *device = registry_find(registry, id);
	char name[CAPABILITY_NAME_MAX];
	capability_name(cap, name);
	set_id(point, "device", id);
	json_set_text(point, "name", device ? device->name : NULL);
	json_set_text(point, "capability", name);
	json_set(object, key, point);
}

struct json *render_automation(const struct automation_rule *rule, const struct registry *registry, const struct people *people)
{
	struct json *object = json_new_object();
	char at[8], days[WHEN_TEXT_MAX];
	struct value value = value_box_get(&rule->threshold);
	json_set_i64(object, "id", rule->id);
	json_set_text(object, "name", rule->name);
	json_set_text(object, "owner", user_name(people, rule->owner));
	json_set_bool(object, "enabled", rule->enabled);
	json_set_bool(object, "stopped", rule->stopped);
	json_set_text(object, "trigger", trigger_word(rule->trigger));
	if (rule->trigger == TRIGGER_TIME) {
		text_print(at, sizeof(at), "%02u:%02u", rule->minute / 60 % 24, rule->minute % 60);
		json_set_text(object, "at", at);
		when_print_days(rule->days, days);
		json_set_text(object, "days", days);
	} else {
		set_point(object, "when", registry, rule->device, rule->cap);
		render_value(object, "threshold", &value);
		json_set_f64(object, "hysteresis", rule->hysteresis);
	}
	set_point(object, "then", registry, rule->target, rule->target_cap);
	value = value_box_get(&rule->target_value);
	render_value(object, "set", &value);
	json_set_i64(object, "fired", rule->n_fired);
	render_time(object, "last_fired", rule->fired_us);
	return object;
}

struct json *render_audit(const struct audit_row *row, const struct registry *registry)
{
	const struct device *device = registry ? registry_find(registry, row->record.device) : NULL;
	struct json *object = json_new_object();
	const struct audit_record *record = &row->record;
	const struct audit_kind_row *kind = audit_kind_row(record->kind);
	char text[CAPABILITY_NAME_MAX];
	json_set_i64(object, "seq", (int64_t)row->seq);
	render_time(object, "at", row->wall_us);
	json_set_bool(object, "time_trusted", row->time_trusted);
	json_set_text(object, "kind", kind ? kind->name : "?");
	json_set_text(object, "outcome", record->outcome == AUDIT_OK ? "ok" : record->outcome == AUDIT_FAILED ? "failed" : "denied");
	if (record->result)
		json_set_text(object, "result", record->result < RESULTS ? result_name((enum result)record->result) : "?");
	json_set_text(object, "subject", subject_kind_name(record->subject.kind));
	json_set_text(object, "name", record->subject_name);
	json_set_text(object, "role", record->subject_role < ROLES ? role_name((enum role)record->subject_role) : NULL);
	json_set_text(object, "source", record->source_addr);
	set_id(object, "device", record->device);
	json_set_text(object, "device_name", device ? device->name : NULL); /* as it is called now */
	json_set_text(object, "object", record->object);
	if (record->cap) {
		capability_name(record->cap, text);
		json_set_text(object, "capability", text);
	}
	json_set_text(object, "action", record->action);
	if (record->rule)
		json_set_i64(object, "rule", record->rule);
	if (record->count > 1)
		json_set_i64(object, "count", record->count);
	json_set_text(object, "detail", record->detail);
	return object;
}
