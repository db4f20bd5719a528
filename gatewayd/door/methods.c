/* Steps that many handlers share: finding what a parameter names without telling of what the caller may not know, asking the
 * router for the right, and saying in a module's own words how its verb ended. */
#include <stdlib.h>
#include "base/text.h"
#include "door/methods.h"
#include "model/capability.h"
#include "router/claims.h"

bool call_may_read(struct call *call, const struct device *device)
{
	return router_may(call_parts(call)->router, call_asker(call), device, 0, ACTION_READ).allowed;
}

bool call_may_see(struct call *call, const struct device *device)
{
	return call_may_read(call, device) ||
	       router_may(call_parts(call)->router, call_asker(call), device, 0, ACTION_CONFIGURE).allowed;
}

const struct device *call_device(struct call *call, const struct json *params, const char *key)
{
	const struct device *device = registry_find_name(call_parts(call)->registry, json_get_text(params, key));
	if (device && call_may_see(call, device))
		return device;
	call_field(call, key);
	call_fail(call, RESULT_UNKNOWN_DEVICE, "%s", result_text(RESULT_UNKNOWN_DEVICE));
	return NULL;
}

bool call_may_configure(struct call *call, const struct device *device)
{
	struct policy_verdict verdict = router_may(call_parts(call)->router, call_asker(call), device, 0, ACTION_CONFIGURE);
	if (verdict.allowed)
		return true;
	struct audit_record record = call_record(call, AUDIT_DENIAL);
	record.outcome = AUDIT_DENIED;
	record.result = RESULT_DENIED;
	record.device = device->id;
	record.rule = verdict.rule;
	(void)!audit_append(call_parts(call)->audit, &record, NULL, NULL);
	call_is_recorded(call);
	call_rule(call, verdict.rule);
	call_fail(call, RESULT_DENIED, "you may not change this device");
	return false;
}

bool call_capability(struct call *call, const struct json *params, const char *key, uint16_t *ret)
{
	const char *name = json_get_text(params, key);
	if (name && capability_id_of(name, ret) == 0)
		return true;
	call_field(call, key);
	call_fail(call, RESULT_UNKNOWN_CAPABILITY, "there is no capability of this name");
	return false;
}

const struct user *call_user(struct call *call, const struct json *params, const char *key)
{
	const struct user *user = user_find_name(call_parts(call)->people, json_get_text(params, key));
	if (user)
		return user;
	call_field(call, key);
	call_fail(call, RESULT_NOT_FOUND, "there is no user of this name");
	return NULL;
}

int64_t param_i64(const struct json *params, const char *key, int64_t preset)
{
	int64_t value = preset;
	return json_to_i64(json_get(params, key), &value) ? value : preset;
}

bool param_bool(const struct json *params, const char *key, bool preset)
{
	bool value = preset;
	return json_to_bool(json_get(params, key), &value) ? value : preset;
}

bool budget_push(size_t *used, struct json *list, struct json *item)
{
	char *text = NULL;
	size_t len = 0;
	int r = json_print(item, &text, &len);
	free(text);
	/* The first one always fits: a list that never gets on would never end. */
	if (r != 0 || (*used && *used + len + 1 > METHODS_BUDGET_MAX)) {
		json_free(item);
		return false;
	}
	*used += len + 1;
	json_push(list, item);
	return true;
}

/* A module's positive error: what the door answers. */
struct word {
	int r;
	enum result result;
	const char *text;
};

static void end_in_words(struct call *call, int r, const struct word *words, size_t n)
{
	if (r == 0) {
		call_answer(call, NULL);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (words[i].r == r) {
			call_fail(call, words[i].result, "%s", words[i].text);
			return;
		}
	call_fail_errno(call, r, "writing the change");
}

void call_registry_done(void *ctx, int r)
{
	static const struct word words[] = {
		{ REGISTRY_E_UNKNOWN, RESULT_NOT_FOUND, "there is no such device, or it has no such way" },
		{ REGISTRY_E_FULL, RESULT_CONFLICT, "there is no room for one more" },
		{ REGISTRY_E_CLONE, RESULT_CONFLICT, "two devices claim this identity" },
		{ REGISTRY_E_STATE, RESULT_CONFLICT, "its state does not allow that" },
		{ REGISTRY_E_NAME, RESULT_CONFLICT, "the name is taken, or is none: 1 to 64 bytes without + # / $ and control characters" },
		{ REGISTRY_E_RANGE, RESULT_BAD_VALUE, "the value is out of range" },
	};
	end_in_words(ctx, r, words, N_ELEMENTS(words));
}

static const struct word people_words[] = {
	{ PEOPLE_E_UNKNOWN, RESULT_NOT_FOUND, "there is no such user or role, or the name cannot be used" },
	{ PEOPLE_E_CREDENTIALS, RESULT_DENIED, "name or password is wrong, or the user is locked out for now" },
	{ PEOPLE_E_LOCKED, RESULT_RATE, "too much was tried in vain: wait" },
	{ PEOPLE_E_BUSY, RESULT_BUSY, "too many passwords are being checked: try again" },
	{ PEOPLE_E_FULL, RESULT_CONFLICT, "there is no room for one more" },
	{ PEOPLE_E_EXISTS, RESULT_CONFLICT, "there is one of this name" },
	{ PEOPLE_E_WEAK, RESULT_BAD_VALUE, "the password is too easy to guess: 10 characters, or 8 of three kinds, and no common one" },
	{ PEOPLE_E_CODE, RESULT_DENIED, "the code is wrong, used or too old" },
	{ PEOPLE_E_LAST_OWNER, RESULT_CONFLICT, "this is the last owner" },
	{ PEOPLE_E_SESSION, RESULT_NO_SESSION, "there is no such session" },
	{ PEOPLE_E_BOUND, RESULT_CONFLICT, "somebody owns it, or this user still owns devices" },
};

void call_people_done(void *ctx, int r)
{
	end_in_words(ctx, r, people_words, N_ELEMENTS(people_words));
}

void call_claims_done(void *ctx, int r)
{
	static const struct word words[] = {
		{ CLAIMS_E_WINDOW, RESULT_CONFLICT, "the adapter is away, cannot take in devices, or somebody else's window is open" },
		{ CLAIMS_E_NOT_WAITING, RESULT_CONFLICT, "the device is not in the state for that" },
		{ CLAIMS_E_OTHER_USER, RESULT_DENIED, "the device waits for somebody else" },
		{ CLAIMS_E_SECRET, RESULT_BAD_VALUE, "the adapter has no use for this address or code: is it typed right?" },
		{ CLAIMS_E_PRESSING, RESULT_BUSY, "somebody else is about to press a device there: wait until he is done" },
		{ CLAIMS_E_NOT_PRESSED, RESULT_TIMEOUT, "no device that waits for you was pressed" },
		{ CLAIMS_E_NOTHING_WAITS, RESULT_CONFLICT, "no device waits for you: open a window first" },
	};
	if (r >= CLAIMS_E_WINDOW)
		end_in_words(ctx, r, words, N_ELEMENTS(words));
	else
		call_people_done(ctx, r);
}

struct append {
	struct call *call;
	struct json *result;
};

static void on_appended(void *ctx, int r)
{
	struct append *append = ctx;
	if (r == 0) {
		call_answer(append->call, append->result);
	} else {
		json_free(append->result);
		call_fail_errno(append->call, r, "recording it");
	}
	free(append);
}

void call_append_answer(struct call *call, const struct audit_record *record, struct json *result)
{
	struct append *append = call_door_is_closed(call) ? NULL : malloc(sizeof(*append));
	if (!append) {
		json_free(result);
		call_fail_errno(call, -ENOMEM, "recording it");
		return;
	}
	*append = (struct append){ call, result };
	int r = audit_append(call_parts(call)->audit, record, on_appended, append);
	if (r != 0)
		on_appended(append, r < 0 ? r : -EAGAIN);
}
