/* How a device becomes somebody's, as the door sees it: a code for the one who asks, a window that it opens, the devices that
 * wait, and the word that makes one his. The steps themselves are router/claims'; rights on a device are the router's
 * answer, and whose code or window it is decides the rest. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "door/methods.h"
#include "door/render.h"
#include "router/claims.h"
#include "router/join_secret.h"
#include "router/joins.h"
#include "sys/crypto.h"

static void on_code(void *ctx, int r, const char *code, int64_t life_ms)
{
	struct call *call = ctx;
	if (r != 0) {
		call_people_done(call, r);
		return;
	}
	struct json *result = json_new_object();
	json_set_text(result, "code", code);
	json_set_i64(result, "life_s", life_ms / 1000);
	call_answer(call, result);
}

void method_bind_code(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_CODE_ISSUED);
	(void)params;
	code_issue(call_parts(call)->people, call_asker(call)->subject.id, &record, on_code, call);
}

/* Taking in devices is a right on the gateway itself. */
static bool may_take_in(struct call *call)
{
	struct policy_verdict verdict = router_may(call_parts(call)->router, call_asker(call), NULL, 0, ACTION_CONFIGURE);
	if (!verdict.allowed) {
		call_rule(call, verdict.rule);
		call_fail(call, RESULT_DENIED, "you may not take in devices");
	}
	return verdict.allowed;
}

/* What is printed on the device, or its address, in the words of the one who reads it there. False: failed. */
static bool take_printed(struct call *call, const struct json *params, struct claims_wish *wish, struct join_secret *secret)
{
	const char *text = json_get_text(params, "secret"), *address = json_get_text(params, "address");
	if (text && join_secret_parse(text, secret) != 0) {
		call_field(call, "secret");
		call_fail(call, RESULT_BAD_VALUE, "not an install code, a QR text or a key: hex as it is printed, or the square's text");
		return false;
	}
	wish->addr = secret->addr;
	wish->secret = secret->code;
	wish->secret_len = secret->len;
	if (address && join_address_parse(address, &wish->addr) != 0) {
		call_field(call, "address");
		call_fail(call, RESULT_BAD_VALUE, "an address is 1 to 16 bytes in hex");
		return false;
	}
	return true;
}

void method_join_open(struct call *call, const struct json *params)
{
	enum { SECONDS = 180 };
	struct audit_record record = call_record(call, AUDIT_JOIN_OPEN);
	struct claims_wish wish = { .adapter = json_get_text(params, "adapter"), .seconds = (uint16_t)param_i64(params, "seconds", SECONDS) };
	struct join_secret secret = { .len = 0 };
	if (!may_take_in(call))
		return;
	record.object = wish.adapter;
	if (take_printed(call, params, &wish, &secret))
		claims_open_window(router_claims(call_parts(call)->router), call_asker(call)->subject.id, json_get_text(params, "code"), &wish,
				   &record, call_claims_done, call);
	crypto_wipe(&secret, sizeof(secret));
}

static void on_closed(void *ctx, int r)
{
	struct call *call = ctx;
	struct audit_record record = call_record(call, AUDIT_JOIN_CLOSE);
	record.object = json_get_text(json_get(call_request(call), "params"), "adapter");
	if (r != 0)
		call_claims_done(call, r);
	else
		call_append_answer(call, &record, NULL);
}

void method_join_close(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_JOIN_CLOSE);
	struct claims *claims = router_claims(call_parts(call)->router);
	const struct claims_wish wish = { .adapter = json_get_text(params, "adapter") };
	uint32_t user = call_asker(call)->subject.id, whose = claims_window_whose(claims, wish.adapter);
	/* An owner may shut anybody's. */
	if (whose && call_asker(call)->role == ROLE_OWNER)
		user = whose;
	claims_open_window(claims, user, "", &wish, &record, on_closed, call);
}

/* How it is with a device that stood at the window and is somebody's already. */
static void set_ways(struct json *item, const struct device *device, const char *adapter)
{
	char words[400];
	const struct way *way = device_way(device);
	if (device->n_ways < 2 || !way)
		return;
	text_print(words, sizeof(words), "it is known already and keeps its name, its owner and its history; it can be reached over");
	for (uint8_t i = 0; i < device->n_ways; i++)
		text_append(words, sizeof(words), "%s %s", i == 0 ? "" : i + 1 == device->n_ways ? " and" : ",", device->ways[i].adapter);
	text_append(words, sizeof(words), ", and is over %s%s", way->adapter,
		    strcmp(way->adapter, adapter) == 0 ? "" : " until it leaves there or you move it");
	json_set_text(item, "ways", words);
}

static struct json *render_join(struct call *call, const struct join *join)
{
	const struct door_parts *parts = call_parts(call);
	const struct device *device = registry_find_way(parts->registry, join->adapter, &join->addr);
	char addr[2 * ADDRESS_MAX + 1];
	bool mine = join->user && join->user == call_asker(call)->subject.id;
	struct json *item = json_new_object();
	address_print(&join->addr, addr);
	json_set_text(item, "address", addr);
	json_set_text(item, "stage", join_stage_name(join->stage));
	if (join->text[0] && join->stage != JOIN_PASSKEY)
		json_set_text(item, "why", join->text);
	else if (join->text[0] && mine)
		json_set_text(item, "passkey", join->text);
	json_set_i64(item, "since_s", (loop_now_ms(parts->loop) - join->since_ms) / 1000);
	if (device && ((device->waiting_for && device->waiting_for == call_asker(call)->subject.id) || call_may_see(call, device))) {
		json_set_text(item, "device", device->name);
		json_set_text(item, "state", device_state_name(device->state));
		set_ways(item, device, join->adapter);
	}
	return item;
}

/* Who opened the window sees how it goes, and owners do. */
static struct json *render_joins(struct call *call, const char *adapter, size_t *used)
{
	const struct joins *joins = claims_joins(router_claims(call_parts(call)->router));
	struct json *list = json_new_array();
	const struct join *join;
	for (size_t i = 0; (join = joins_at(joins, adapter, i)); i++) {
		bool mine = join->user && join->user == call_asker(call)->subject.id;
		if ((mine || call_asker(call)->role == ROLE_OWNER) && !budget_push(used, list, render_join(call, join)))
			break;
	}
	return list;
}

void method_join_status(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	struct claims *claims = router_claims(parts->router);
	struct json *result = json_new_object(), *list = json_new_array();
	struct hub_stats stats;
	size_t used = 0;
	(void)params;
	for (size_t i = 0; hub_stats_at(parts->hub, i, &stats); i++) {
		struct json *item = json_new_object();
		uint32_t whose = claims_window_whose(claims, stats.name);
		const struct user *user = user_find(parts->people, whose);
		json_set_text(item, "adapter", stats.name);
		json_set_bool(item, "running", stats.up);
		json_set_bool(item, "can_join", hub_can_join(parts->hub, stats.name));
		json_set_i64(item, "open_s", (claims_window_left_ms(claims, stats.name) + 999) / 1000);
		json_set_text(item, "user", user ? user->name : NULL);
		if (whose) {
			json_set_i64(item, "waiting", claims_n_waiting(claims, whose));
			json_set_bool(item, "full", claims_window_is_full(claims, stats.name));
		}
		json_set(item, "joins", render_joins(call, stats.name, &used));
		json_push(list, item);
	}
	json_set(result, "adapters", list);
	call_answer(call, result);
}

/* What it measures is nobody's to read before it is somebody's. */
static bool no_capability(void *ctx, const struct device *device, uint16_t cap)
{
	(void)ctx;
	(void)device;
	(void)cap;
	return false;
}

void method_claim_list(struct call *call, const struct json *params)
{
	const struct door_parts *parts = call_parts(call);
	struct json *result = json_new_object(), *list = json_new_array();
	const struct device *device;
	size_t used = 0;
	(void)params;
	for (size_t i = 0; (device = registry_at(parts->registry, i)); i++) {
		bool mine = device->waiting_for == call_asker(call)->subject.id;
		if (device->state != DEVICE_WAITING || (!mine && call_asker(call)->role != ROLE_OWNER))
			continue;
		if (!budget_push(&used, list, render_device(parts->registry, parts->people, device, no_capability, NULL)))
			break;
	}
	json_set(result, "devices", list);
	call_answer(call, result);
}

/* A device that waits for the caller is known to him, whatever policy says of devices that nobody owns. */
static const struct device *waiting_device(struct call *call, const struct json *params)
{
	const struct device *device = registry_find_name(call_parts(call)->registry, json_get_text(params, "device"));
	if (device && device->state == DEVICE_WAITING && device->waiting_for == call_asker(call)->subject.id)
		return device;
	return call_device(call, params, "device");
}

void method_claim_confirm(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_BIND);
	const struct device *device = waiting_device(call, params);
	if (!device)
		return;
	record.detail = "claim confirmed";
	claims_confirm(router_claims(call_parts(call)->router), call_asker(call)->subject.id, device->id, &record, call_claims_done, call);
}

struct pressing {
	struct call *call;
	struct device_id device;
};

static void on_press_bound(void *ctx, int r)
{
	struct pressing *pressing = ctx;
	struct call *call = pressing->call;
	const struct device *device = registry_find(call_parts(call)->registry, pressing->device);
	if (r == 0 && device) {
		struct json *result = json_new_object();
		char id[DEVICE_ID_TEXT_MAX];
		device_id_print(device->id, id);
		json_set_text(result, "device", device->name);
		json_set_text(result, "id", id);
		call_answer(call, result);
	} else {
		call_claims_done(call, r ? r : CLAIMS_E_NOT_WAITING);
	}
	free(pressing);
}

/* Who has gone, or whose session ended while we waited, gets nothing more. */
static bool is_still_there(struct call *call)
{
	const struct session *session;
	return !call_is_gone(call) && !call_door_is_closed(call) && call_token(call) &&
	       session_check(call_parts(call)->people, call_token(call), SOURCE_DOOR, call_asker(call)->addr, &session) == 0;
}

static void on_pressed(void *ctx, int r, struct device_id id)
{
	struct call *call = ctx;
	struct audit_record record = call_record(call, AUDIT_BIND);
	const struct device *device = registry_find(call_parts(call)->registry, id);
	struct pressing *pressing = r == 0 && is_still_there(call) ? malloc(sizeof(*pressing)) : NULL;
	if (!pressing || !device) {
		free(pressing);
		call_claims_done(call, r ? r : CLAIMS_E_NOT_PRESSED);
		return;
	}
	*pressing = (struct pressing){ call, id };
	record.device = id;
	record.object = device->name;
	record.detail = "claim confirmed by pressing it";
	claims_confirm(router_claims(call_parts(call)->router), call_asker(call)->subject.id, id, &record, on_press_bound, pressing);
}

void method_claim_press(struct call *call, const struct json *params)
{
	claims_press(router_claims(call_parts(call)->router), call_asker(call)->subject.id, (unsigned)param_i64(params, "seconds", 0), on_pressed,
		     call);
}

void method_bind_transfer(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_TRANSFER);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	const struct user *to = call_user(call, params, "to");
	if (!to)
		return;
	record.object = to->name;
	claims_transfer(router_claims(call_parts(call)->router), device->id, to->id, &record, call_claims_done, call);
}

void method_bind_unbind(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_UNBIND);
	const struct device *device = call_device(call, params, "device");
	if (device && call_may_configure(call, device))
		claims_unbind(router_claims(call_parts(call)->router), device->id, &record, call_claims_done, call);
}

struct redeeming {
	struct call *call;
	struct device_id device;
};

static void on_redeemed(void *ctx, int r, uint32_t owner)
{
	struct redeeming *redeeming = ctx;
	struct call *call = redeeming->call;
	const struct user *user = user_find(call_parts(call)->people, owner);
	if (r == 0) {
		struct json *result = json_new_object();
		registry_apply_owner(call_parts(call)->registry, redeeming->device, owner);
		json_set_text(result, "owner", user ? user->name : NULL);
		call_answer(call, result);
	} else {
		call_people_done(call, r);
	}
	free(redeeming);
}

/* An installer at the device presents the code that the user gave him: the device is then that user's, not his. */
void method_code_redeem(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_BIND);
	const struct device *device = call_device(call, params, "device");
	if (!device || !call_may_configure(call, device))
		return;
	if (device->owner || (device->state != DEVICE_DESCRIBED && device->state != DEVICE_WAITING)) {
		call_claims_done(call, CLAIMS_E_NOT_WAITING);
		return;
	}
	struct redeeming *redeeming = malloc(sizeof(*redeeming));
	if (!redeeming) {
		call_people_done(call, -ENOMEM);
		return;
	}
	*redeeming = (struct redeeming){ call, device->id };
	record.device = device->id;
	record.detail = "code presented at the device";
	call_is_recorded(call); /* a wrong code is recorded and counted by people/codes */
	code_redeem(call_parts(call)->people, json_get_text(params, "code"), device->id, &record, on_redeemed, redeeming);
}
