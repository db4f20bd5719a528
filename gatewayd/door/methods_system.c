/* The gateway itself: what it is, how it is, what is wrong. Numbers of its parts come from their owners; nothing here keeps
 * any of its own. */
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "router/alarms.h"
#include "router/time_trust.h"

enum { DOOR_VERSION = 1 };

void method_hello(struct call *call, const struct json *params)
{
	struct json *result = json_new_object();
	(void)params;
	json_set_text(result, "gateway", "gatewayd");
	json_set_text(result, "version", GW_VERSION);
	json_set_i64(result, "door", DOOR_VERSION);
	json_set_text(result, "site", (*call_parts(call)->conf)->site_name);
	json_set_bool(result, "has_owner", people_has_owner(call_parts(call)->people));
	call_answer(call, result);
}

static struct json *count_devices(const struct registry *registry)
{
	uint64_t n[DEVICE_STATES] = { 0 };
	struct json *object = json_new_object();
	const struct device *device;
	for (size_t i = 0; (device = registry_at(registry, i)); i++)
		n[device->state]++;
	for (int i = 0; i < DEVICE_STATES; i++)
		json_set_i64(object, device_state_name((enum device_state)i), (int64_t)n[i]);
	return object;
}

static struct json *count_alarms(const struct alarms *alarms)
{
	uint64_t n[SEVERITIES] = { 0 };
	struct json *object = json_new_object();
	const struct alarm *alarm;
	for (size_t i = 0; (alarm = alarms_at(alarms, i)); i++)
		n[alarm_row(alarm->kind)->severity]++;
	for (int i = 0; i < SEVERITIES; i++)
		json_set_i64(object, severity_name((enum severity)i), (int64_t)n[i]);
	return object;
}

static struct json *clock_json(const struct call *call)
{
	const struct time_trust *time = router_time(call_parts(call)->router);
	struct json *object = json_new_object();
	json_set_bool(object, "trusted", time_is_trusted(time));
	json_set_text(object, "why", time_trust_why(time));
	render_time(object, "now", loop_wall_us(call_parts(call)->loop));
	json_set_text(object, "timezone", (*call_parts(call)->conf)->timezone);
	return object;
}

static struct json *audit_json(const struct call *call)
{
	struct audit_head head = audit_head(call_parts(call)->audit);
	struct json *object = json_new_object();
	char hex[2 * CRYPTO_HASH_LEN + 1];
	hex_print(head.head, sizeof(head.head), hex);
	json_set_i64(object, "seq", (int64_t)head.seq);
	json_set_text(object, "head", hex);
	json_set_text(object, "segment", head.segment);
	return object;
}

static struct json *copy_rows(const struct json *rows, const char *const *keys, size_t n_keys)
{
	struct json *list = json_new_array();
	for (size_t i = 0; i < json_len(rows); i++) {
		struct json *row = json_new_object();
		for (size_t k = 0; k < n_keys; k++)
			if (json_get(json_at(rows, i), keys[k]))
				json_set(row, keys[k], json_copy(json_get(json_at(rows, i), keys[k])));
		json_push(list, row);
	}
	return list;
}

void method_status(struct call *call, const struct json *params)
{
	static const char *const adapter_keys[] = { "name", "running", "restarts", "status" };
	static const char *const link_keys[] = { "name", "profile", "running", "connected", "detail", "queued", "dropped" };
	const struct door_parts *parts = call_parts(call);
	struct json *result = json_new_object(), *map = parts->map(parts->ctx);
	int64_t uptime = 0;
	(void)params;
	(void)json_to_i64(json_get(json_get(map, "core"), "uptime_s"), &uptime);
	json_set_text(result, "version", GW_VERSION);
	json_set_text(result, "site", (*parts->conf)->site_name);
	json_set_i64(result, "uptime_s", uptime);
	json_set(result, "clock", clock_json(call));
	json_set(result, "adapters", copy_rows(json_get(map, "adapters"), adapter_keys, N_ELEMENTS(adapter_keys)));
	json_set(result, "links", copy_rows(json_get(map, "links"), link_keys, N_ELEMENTS(link_keys)));
	json_set(result, "devices", count_devices(parts->registry));
	json_set(result, "alarms", count_alarms(router_alarms(parts->router)));
	json_set(result, "audit", audit_json(call));
	json_free(map);
	call_answer(call, result);
}
