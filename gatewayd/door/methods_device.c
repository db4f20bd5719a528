/* Devices, as far as the caller may know of them. What may be read, commanded or changed is always the router's answer; a
 * device that the caller may not know of looks like one that does not exist. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "router/claims.h"

static bool may_read_cap(void *ctx, const struct device *device, uint16_t cap)
{
	struct call *call = ctx;
	return router_may(call_parts(call)->router, call_asker(call), device, cap, ACTION_READ).allowed;
}

static struct json *render(struct call *call, const struct device *device)
{
	const struct door_parts *parts = call_parts(call);
	return render_device(parts->registry, parts->people, device, may_read_cap, call);
}

static bool is_wanted(const struct call *call, const struct json *params, const struct device *device)
{
	const char *room = json_get_text(params, "room"), *state = json_get_text(params, "state");
	const struct room *in = registry_room(call_parts(call)->registry, device->room);
	if (room && (!in || strcmp(in->name, room) != 0))
		return false;
	if (state)
		return strcmp(device_state_name(device->state), state) == 0;
	return device->state != DEVICE_RETIRED || param_bool(params, "retired", false);
}

void method_device_list(struct call *call, const struct json *params)
{
	const struct registry *registry = call_parts(call)->registry;
	struct json *result = json_new_object(), *list = json_new_array();
	const char *after = json_get_text(params, "after");
	char id[DEVICE_ID_TEXT_MAX];
	const struct device *device, *last = NULL;
	bool begun = !after, full = false;
	size_t used = 0;

	for (size_t i = 0; !full && (device = registry_at(registry, i)); i++) {
		if (!begun) {
			device_id_print(device->id, id);
			begun = strcasecmp(id, after) == 0;
			continue;
		}
		if (!is_wanted(call, params, device) || !call_may_see(call, device))
			continue;
		full = !budget_push(&used, list, render(call, device));
		last = full ? last : device;
	}
	json_set(result, "devices", list);
	if (full && last) {
		device_id_print(last->id, id);
		json_set_text(result, "next", id);
	}
	call_answer(call, result);
}

void method_device_get(struct call *call, const struct json *params)
{
	const struct device *device = call_device(call, params, "device");
	if (device)
		call_answer(call, render(call, device));
}

static void on_set(void *ctx, enum result outcome, int32_t rule, const char *reason)
{
	struct call *call = ctx;
	if (outcome != RESULT_OK) {
		call_rule(call, outcome == RESULT_DENIED || outcome == RESULT_UNBOUND ? rule : 0);
		call_fail(call, outcome, "%s", reason);
		return;
	}
	struct json *result = json_new_object();
	json_set_text(result, "result", result_name(RESULT_OK));
	call_answer(call, result);
}

/* By the capability's own type; what does not fit goes on as it is, so that the pipeline refuses and records it. */
static bool take_value(const struct json *json, const struct capability_desc *desc, struct value *ret)
{
	static const enum value_type types[] = {
		[JSON_NULL] = VALUE_NONE, [JSON_BOOL] = VALUE_BOOL,  [JSON_INT] = VALUE_INT,	 [JSON_REAL] = VALUE_REAL,
		[JSON_TEXT] = VALUE_TEXT, [JSON_ARRAY] = VALUE_NONE, [JSON_OBJECT] = VALUE_NONE,
	};
	return (desc && value_from_json(json, (enum value_type)desc->type, ret)) || value_from_json(json, types[json_kind(json)], ret);
}

void method_device_set(struct call *call, const struct json *params)
{
	const struct asker *asker = call_asker(call);
	const struct device *device = registry_find_name(call_parts(call)->registry, json_get_text(params, "device"));
	const char *id = json_get_text(params, "id");
	struct command command = { .subject = asker->subject, .source = asker->source, .loop = asker->loop, .session = asker->session };
	uint8_t endpoint;

	if (!call_capability(call, params, "capability", &command.cap))
		return;
	command.endpoint = (uint8_t)param_i64(params, "endpoint", 0);
	if (device)
		command.device = device->id;
	const struct capability_desc *desc = device ? device_capability(device, command.endpoint, command.cap, &endpoint) : NULL;
	if (!take_value(json_get(params, "value"), desc, &command.value)) {
		call_field(call, "value");
		call_fail(call, RESULT_BAD_VALUE, "a value is true, false, a number or a text");
		return;
	}
	text_copy(command.id, sizeof(command.id), id ? id : "");
	call_is_recorded(call); /* the pipeline records how every command ended */
	router_command(call_parts(call)->router, asker, &command, on_set, call);
}

void method_device_rename(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_DEVICE_NAME);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	record.object = json_get_text(params, "name");
	registry_rename(call_parts(call)->registry, device->id, record.object, &record, call_registry_done, call);
}

void method_device_room(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_DEVICE_ROOM);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	record.object = json_get_text(params, "room");
	registry_set_room(call_parts(call)->registry, device->id, record.object, &record, call_registry_done, call);
}

void method_device_move(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_DEVICE_MOVE);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	record.object = json_get_text(params, "adapter");
	registry_move(call_parts(call)->registry, device->id, record.object, &record, call_registry_done, call);
}

static void set_state(struct call *call, const struct json *params, uint16_t kind, enum device_state state)
{
	struct audit_record record = call_record(call, kind);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	if (state == DEVICE_OURS && device->state != DEVICE_QUARANTINED) {
		call_registry_done(call, REGISTRY_E_STATE);
		return;
	}
	if (state == DEVICE_OURS && !device->owner)
		state = DEVICE_DESCRIBED;
	record.object = device_state_name(state);
	registry_set_state(call_parts(call)->registry, device->id, state, &record, call_registry_done, call);
}

void method_device_quarantine(struct call *call, const struct json *params)
{
	set_state(call, params, AUDIT_DEVICE_STATE, DEVICE_QUARANTINED);
}

void method_device_release(struct call *call, const struct json *params)
{
	set_state(call, params, AUDIT_DEVICE_STATE, DEVICE_OURS);
}

/* Retiring: whose it is ends first, in a transaction of its own; then the device itself; then its network is asked to let it
 * go, which it may be too far away to hear. */
struct retiring {
	struct call *call;
	struct device_id id;
	struct way way;
	bool has_way;
};

static void on_left(void *ctx, enum result result)
{
	(void)ctx;
	(void)result; /* it is ours no more either way */
}

static void on_retired(void *ctx, int r)
{
	struct retiring *retiring = ctx;
	if (r == 0 && retiring->has_way)
		(void)!hub_remove(call_parts(retiring->call)->hub, retiring->way.adapter, &retiring->way.addr, on_left, NULL);
	call_registry_done(retiring->call, r);
	free(retiring);
}

static void on_retiring_unbound(void *ctx, int r)
{
	struct retiring *retiring = ctx;
	if (r != 0) {
		call_claims_done(retiring->call, r);
		free(retiring);
		return;
	}
	struct audit_record record = call_record(retiring->call, AUDIT_DEVICE_RETIRE);
	registry_set_state(call_parts(retiring->call)->registry, retiring->id, DEVICE_RETIRED, &record, on_retired, retiring);
}

void method_device_retire(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_UNBIND);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	struct retiring *retiring = calloc(1, sizeof(*retiring));
	if (!retiring) {
		call_registry_done(call, -ENOMEM);
		return;
	}
	*retiring = (struct retiring){ .call = call, .id = device->id, .has_way = device->n_ways > 0 };
	if (retiring->has_way)
		retiring->way = *device_way(device);
	if (device->owner)
		claims_unbind(router_claims(call_parts(call)->router), device->id, &record, on_retiring_unbound, retiring);
	else
		on_retiring_unbound(retiring, 0);
}

static unsigned n_seen_in(struct call *call, uint32_t room)
{
	const struct device *device;
	unsigned n = 0;
	for (size_t i = 0; (device = registry_at(call_parts(call)->registry, i)); i++)
		n += device->room == room && device->state != DEVICE_RETIRED && call_may_see(call, device);
	return n;
}

void method_room_list(struct call *call, const struct json *params)
{
	struct json *result = json_new_object(), *list = json_new_array();
	enum role role = call_asker(call)->role;
	const struct room *room;
	(void)params;
	for (size_t i = 0; (room = registry_room_at(call_parts(call)->registry, i)); i++) {
		unsigned n = n_seen_in(call, room->id);
		if (n == 0 && role != ROLE_OWNER && role != ROLE_MEMBER)
			continue;
		struct json *item = json_new_object();
		json_set_text(item, "name", room->name);
		json_set_i64(item, "devices", n);
		json_push(list, item);
	}
	json_set(result, "rooms", list);
	call_answer(call, result);
}
