/* The gateway itself: what it is, how it is, what is wrong. Numbers of its parts come from their owners; nothing here keeps
 * any of its own. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "router/alarms.h"
#include "router/freshness.h"
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

/* A guest learns that it runs, and no more. */
static void add_inside(struct call *call, const struct json *map, struct json *result)
{
	static const char *const adapter_keys[] = { "name", "running", "restarts", "status" };
	static const char *const link_keys[] = { "name", "profile", "running", "connected", "detail", "queued", "dropped" };
	const struct door_parts *parts = call_parts(call);
	json_set(result, "adapters", copy_rows(json_get(map, "adapters"), adapter_keys, N_ELEMENTS(adapter_keys)));
	json_set(result, "links", copy_rows(json_get(map, "links"), link_keys, N_ELEMENTS(link_keys)));
	json_set(result, "devices", count_devices(parts->registry));
	json_set(result, "alarms", count_alarms(router_alarms(parts->router)));
	json_set(result, "audit", audit_json(call));
}

void method_status(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	struct json *result = json_new_object(), *map = parts->map(parts->ctx);
	(void)params;
	json_set_text(result, "version", GW_VERSION);
	json_set_text(result, "site", (*parts->conf)->site_name);
	json_set_i64(result, "uptime_s", param_i64(json_get(map, "core"), "uptime_s", 0));
	json_set(result, "clock", clock_json(call));
	if (freshness_why(router_freshness(parts->router)))
		json_set_text(result, "doubt", freshness_why(router_freshness(parts->router)));
	if (call_asker(call)->role != ROLE_GUEST)
		add_inside(call, map, result);
	json_free(map);
	call_answer(call, result);
}

void method_map(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	(void)params;
	call_answer(call, parts->map(parts->ctx));
}

void method_link_list(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	struct json *result = json_new_object();
	(void)params;
	json_set(result, "links", parts->links_status(parts->ctx));
	call_answer(call, result);
}

void method_spool_list(struct call *call, const struct json *params)
{
	const struct spool *spool = call_parts(call)->spool;
	struct json *result = json_new_object(), *list = json_new_array();
	const char *name;
	(void)params;
	for (unsigned i = 0; (name = spool_link_name(spool, i)); i++) {
		struct spool_stats stats = spool_stats_of(spool, i);
		struct json *item = json_new_object(), *queued = json_new_object(), *dropped = json_new_object();
		for (int c = 0; c < EVENT_CLASSES; c++) {
			json_set_i64(queued, event_class_name((enum event_class)c), (int64_t)stats.queued[c]);
			json_set_i64(dropped, event_class_name((enum event_class)c), (int64_t)stats.dropped[c]);
		}
		json_set_text(item, "link", name);
		json_set(item, "queued", queued);
		json_set(item, "dropped", dropped);
		json_set_i64(item, "delivered", (int64_t)stats.delivered);
		json_set_i64(item, "bytes", (int64_t)stats.bytes);
		json_set_i64(item, "oldest", (int64_t)stats.oldest_number);
		json_push(list, item);
	}
	json_set(result, "links", list);
	json_set_i64(result, "bytes_max", (int64_t)(*call_parts(call)->conf)->spool_bytes_max);
	call_answer(call, result);
}

/* An alarm about a device is for those who may know of the device. */
static bool may_know(struct call *call, const struct alarm *alarm)
{
	const struct device *device = registry_find(call_parts(call)->registry, alarm->device);
	enum role role = call_asker(call)->role;
	return !device || role == ROLE_OWNER || role == ROLE_AUDITOR || call_may_see(call, device);
}

void method_alarm_list(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	struct json *result = json_new_object(), *list = json_new_array();
	const struct alarm *alarm;
	size_t used = 0;
	bool full = false;
	(void)params;
	for (size_t i = 0; !full && (alarm = alarms_at(router_alarms(parts->router), i)); i++)
		if (may_know(call, alarm))
			full = !budget_push(&used, list, render_alarm(alarm, parts->registry));
	json_set(result, "alarms", list);
	json_set_bool(result, "cut", full);
	call_answer(call, result);
}

static void on_acknowledged(void *ctx, int r)
{
	if (r == 0)
		call_answer(ctx, NULL);
	else
		call_fail_errno(ctx, r, "acknowledging");
}

void method_alarm_ack(struct call *call, const struct json *params)
{
	struct alarms *alarms = router_alarms(call_parts(call)->router);
	struct audit_record record = call_record(call, AUDIT_ALARM_ACKED);
	const struct alarm *alarm = NULL;
	for (size_t i = 0; (alarm = alarms_at(alarms, i)); i++)
		if (alarm->id == param_i64(params, "id", 0) && may_know(call, alarm))
			break;
	if (!alarm || alarms_acknowledge(alarms, alarm->id, &record, on_acknowledged, call) != 0)
		call_fail(call, RESULT_NOT_FOUND, "there is no alarm of this number");
}

static void on_confirmed(void *ctx, int r)
{
	if (r == 0)
		call_answer(ctx, NULL);
	else
		call_fail_errno(ctx, r, "confirming");
}

/* An older state than was told outside is meant: a backup was restored. */
void method_freshness_confirm(struct call *call, const struct json *params)
{
	struct freshness *freshness = router_freshness(call_parts(call)->router);
	struct audit_record record = call_record(call, AUDIT_FRESHNESS);
	(void)params;
	if (!freshness_why(freshness)) {
		call_fail(call, RESULT_CONFLICT, "nothing is in doubt");
		return;
	}
	record.object = "confirmed";
	record.detail = freshness_why(freshness);
	int r = freshness_confirm(freshness, &record, on_confirmed, call);
	if (r != 0)
		call_fail_errno(call, r, "confirming");
}

void method_conf_show(struct call *call, const struct json *params)
{
	char *text = NULL;
	(void)params;
	int r = conf_show(*call_parts(call)->conf, &text);
	if (r != 0) {
		call_fail_errno(call, r, "printing the configuration");
		return;
	}
	struct json *result = json_new_object();
	json_set_text(result, "text", text);
	free(text);
	call_answer(call, result);
}

void method_conf_reload(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	char error[1024] = "";
	(void)params;
	int r = parts->reload(parts->ctx, error, sizeof(error));
	if (r != 0) {
		call_fail(call, r == CONF_E_RESTART || r == CONF_E_INVALID ? RESULT_CONFLICT : RESULT_INTERNAL, "%s", error);
		return;
	}
	struct audit_record record = call_record(call, AUDIT_CONFIG);
	call_append_answer(call, &record, NULL);
}

/* gatewayctl carries it out at the broker, where the core has no connection; but not before this answer. The accounts of the
 * broker's own configuration are not clients that come and go. */
void method_broker_client(struct call *call, const struct json *params)
{
	static const char *const fixed[] = { "homeassistant", "zigbee2mqtt", "gateway" };
	const struct conf *conf = *call_parts(call)->conf;
	const char *verb = json_get_text(params, "verb"), *name = json_get_text(params, "name");
	bool ours = false;
	for (size_t i = 0; i < N_ELEMENTS(fixed); i++)
		ours |= strncmp(name, fixed[i], strlen(fixed[i])) == 0;
	if ((strcmp(verb, "add") != 0 && strcmp(verb, "remove") != 0) || ours || !text_is_slug(name, 48)) {
		call_fail(call, RESULT_BAD_VALUE, "add or remove, and a name of small letters, digits, - and _ that is not one of the gateway's own");
		return;
	}
	if (!conf->broker_socket || !conf->broker_user || !conf->broker_password_file) {
		call_fail(call, RESULT_CONFLICT, "the configuration names no broker (broker.socket, broker.user, broker.password_file)");
		return;
	}
	struct audit_record record = call_record(call, AUDIT_BROKER_CLIENT);
	struct json *result = json_new_object();
	record.object = name;
	record.detail = verb;
	json_set_text(result, "socket", conf->broker_socket);
	json_set_text(result, "user", conf->broker_user);
	json_set_text(result, "password_file", conf->broker_password_file);
	call_append_answer(call, &record, result);
}
