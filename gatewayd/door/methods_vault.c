/* Keys: who holds them, what state they are in, and the verbs on them. What is done, and that it was asked for, custody puts on
 * record, so the door does not. A verb that gives a key away or takes one away for good wants the owner's password again:
 * a session alone, left open somewhere, is not enough for that.
 */
#include <string.h>
#include "base/text.h"
#include "custody/custody.h"
#include "door/methods.h"
#include "door/render.h"
#include "sys/box.h"

enum { PASSPHRASE_LEN_MIN = 12 };

static const char *suite_name(const struct vault_key_info *info)
{
	if (info->purpose == KEY_SIGN || info->purpose == KEY_SIGN_SM2)
		return info->suite == SIGN_SM2 ? "sm2" : "ed25519";
	return info->suite == SEAL_SM4 ? "sm4" : "xchacha20";
}

static struct json *key_json(const struct vault_key_info *info)
{
	struct json *item = json_new_object();
	json_set_i64(item, "id", info->id);
	json_set_text(item, "purpose", key_purpose_name(info->purpose));
	json_set_text(item, "state", key_state_name(info->state));
	json_set_text(item, "suite", suite_name(info));
	render_time(item, "made", info->made_s * 1000000);
	render_time(item, "active", info->active_s * 1000000);
	render_time(item, "ended", info->ended_s * 1000000);
	json_set_i64(item, "uses", (int64_t)(info->uses > INT64_MAX ? INT64_MAX : info->uses));
	json_set_i64(item, "uses_max", (int64_t)(info->uses_max > INT64_MAX ? INT64_MAX : info->uses_max));
	json_set_bool(item, "worn", info->worn);
	return item;
}

static struct json *rotations_json(const struct custody *custody)
{
	struct json *list = json_new_array();
	struct custody_progress progress;
	for (size_t i = 0; custody_progress_at(custody, i, &progress); i++) {
		struct json *item = json_new_object();
		json_set_text(item, "purpose", key_purpose_name(progress.purpose));
		json_set_i64(item, "key", progress.id);
		json_set_i64(item, "files", progress.files);
		json_set_i64(item, "files_done", progress.files_done);
		json_set_text(item, "trouble", progress.trouble);
		json_push(list, item);
	}
	return list;
}

static size_t list_keys(const struct call *call, struct vault_key_info *ret)
{
	return vault_list(call_parts(call)->vault, loop_wall_us(call_parts(call)->loop) / 1000000, ret, KEYSTORE_KEYS_MAX);
}

void method_key_list(struct call *call, const struct json *params)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = list_keys(call, infos);
	struct json *result = json_new_object(), *keys = json_new_array();
	(void)params;
	for (size_t i = 0; i < n; i++)
		json_push(keys, key_json(&infos[i]));
	json_set(result, "keys", keys);
	json_set(result, "rotating", rotations_json(call_parts(call)->custody));
	json_set_i64(result, "generation", (int64_t)vault_generation(call_parts(call)->vault));
	json_set_i64(result, "starts", (int64_t)vault_starts(call_parts(call)->vault));
	call_answer(call, result);
}

/* What a verifier is to be given, beforehand and from here: the keys that sign the record now and those that did. */
void method_audit_keys(struct call *call, const struct json *params)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = list_keys(call, infos);
	struct json *result = json_new_object(), *keys = json_new_array();
	(void)params;
	for (size_t i = 0; i < n; i++) {
		char text[SIGN_TEXT_MAX];
		if (!infos[i].public.len)
			continue;
		struct json *item = json_new_object();
		sign_public_print(&infos[i].public, text);
		json_set_i64(item, "id", infos[i].id);
		json_set_text(item, "state", key_state_name(infos[i].state));
		json_set_text(item, "key", text);
		json_push(keys, item);
	}
	json_set(result, "keys", keys);
	call_answer(call, result);
}

/* --- verbs -------------------------------------------------------------------------------------------------------------- */

static void on_key_done(void *ctx, int r, const struct custody_answer *answer)
{
	struct call *call = ctx;
	if (r != 0) {
		if (r == -ENOENT)
			call_fail(call, RESULT_CONFLICT, "there is no such source: the service manager gave no credential, or the file is missing");
		else if (r < 0)
			call_fail_errno(call, r, "the keystore");
		else
			call_fail(call, r == VAULT_E_UNKNOWN ? RESULT_NOT_FOUND : r == CUSTODY_E_BUSY ? RESULT_BUSY : RESULT_CONFLICT, "%s",
				  custody_word(r));
		return;
	}
	struct json *result = json_new_object();
	if (answer->id)
		json_set_i64(result, "id", answer->id);
	if (answer->text[0])
		json_set_text(result, "text", answer->text);
	call_answer(call, result);
}

static void order(struct call *call, const struct custody_order *order)
{
	struct audit_record record = call_record(call, AUDIT_METHOD);
	call_is_recorded(call);
	custody_do(call_parts(call)->custody, order, &record, on_key_done, call);
}

static bool purpose_of(struct call *call, const struct json *params, enum key_purpose *ret)
{
	if (key_purpose_parse(json_get_text(params, "purpose"), ret) == 0)
		return true;
	call_field(call, "purpose");
	call_fail(call, RESULT_BAD_VALUE, "a purpose is db, audit, files, devices, sign or sign-sm2");
	return false;
}

static void order_purpose(struct call *call, const struct json *params, enum custody_verb verb)
{
	struct custody_order what = { .verb = verb };
	if (purpose_of(call, params, &what.purpose))
		order(call, &what);
}

static void order_id(struct call *call, const struct json *params, enum custody_verb verb)
{
	const struct custody_order what = { .verb = verb, .id = (uint32_t)param_i64(params, "id", 0) };
	order(call, &what);
}

void method_key_create(struct call *call, const struct json *params)
{
	order_purpose(call, params, CUSTODY_CREATE);
}

void method_key_rotate(struct call *call, const struct json *params)
{
	order_purpose(call, params, CUSTODY_ROTATE);
}

void method_key_activate(struct call *call, const struct json *params)
{
	order_id(call, params, CUSTODY_ACTIVATE);
}

void method_key_disable(struct call *call, const struct json *params)
{
	order_id(call, params, CUSTODY_DISABLE);
}

/* --- verbs that want the password again --------------------------------------------------------------------------------- */

static const struct json *params_of(const struct call *call)
{
	return json_get(call_request(call), "params");
}

/* Whether the password was right is for then; what follows is looked at before, so that a typing error costs no try. */
static void step_up(struct call *call, login_done_fn then)
{
	people_verify(call_parts(call)->people, call_asker(call)->name, json_get_text(params_of(call), "password"), SOURCE_DOOR,
		      call_asker(call)->addr, then, call);
}

static bool is_stepped_up(struct call *call, int r)
{
	if (r != 0)
		call_people_done(call, r);
	return r == 0;
}

static void compromise_now(void *ctx, int r, const struct session *session, const char *token)
{
	(void)session;
	(void)token;
	if (is_stepped_up(ctx, r))
		order_id(ctx, params_of(ctx), CUSTODY_COMPROMISE);
}

void method_key_compromise(struct call *call, const struct json *params)
{
	(void)params;
	step_up(call, compromise_now);
}

static void destroy_now(void *ctx, int r, const struct session *session, const char *token)
{
	(void)session;
	(void)token;
	if (is_stepped_up(ctx, r))
		order_id(ctx, params_of(ctx), CUSTODY_DESTROY);
}

void method_key_destroy(struct call *call, const struct json *params)
{
	(void)params;
	step_up(call, destroy_now);
}

static void distribute_now(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	struct box_public to;
	(void)session;
	(void)token;
	if (!is_stepped_up(call, r))
		return;
	if (box_public_parse(json_get_text(params_of(call), "to"), &to) != 0) {
		call_fail(call, RESULT_BAD_VALUE, "not a public key");
		return;
	}
	const struct custody_order what = { .verb = CUSTODY_DISTRIBUTE, .id = (uint32_t)param_i64(params_of(call), "id", 0), .to = &to };
	order(call, &what);
}

/* A recipient's key, as gw-x25519-pub:... or gw-sm2-pub:...; false: failed. */
static bool is_public_key(struct call *call, const struct json *params)
{
	struct box_public to;
	if (box_public_parse(json_get_text(params, "to"), &to) == 0)
		return true;
	call_field(call, "to");
	call_fail(call, RESULT_BAD_VALUE, "a public key is gw-x25519-pub:... or gw-sm2-pub:...");
	return false;
}

void method_key_distribute(struct call *call, const struct json *params)
{
	if (is_public_key(call, params))
		step_up(call, distribute_now);
}

static bool source_of(struct call *call, const struct json *params, enum key_source *ret)
{
	static const char *const words[KEY_SOURCES] = { [KEY_SOURCE_FILE] = "file", [KEY_SOURCE_CREDENTIAL] = "credential",
							[KEY_SOURCE_PASSPHRASE] = "passphrase" };
	const char *passphrase = json_get_text(params, "passphrase");
	*ret = KEY_SOURCES;
	for (int i = KEY_SOURCE_FILE; i < KEY_SOURCES; i++)
		if (text_equal(words[i], json_get_text(params, "source")))
			*ret = (enum key_source)i;
	call_field(call, *ret == KEY_SOURCES ? "source" : "passphrase");
	if (*ret == KEY_SOURCES)
		call_fail(call, RESULT_BAD_VALUE, "a source is file, credential or passphrase");
	else if ((*ret == KEY_SOURCE_PASSPHRASE) != (passphrase != NULL))
		call_fail(call, RESULT_MALFORMED, "a passphrase is given with the source passphrase, and with no other");
	else if (passphrase && strlen(passphrase) < PASSPHRASE_LEN_MIN)
		call_fail(call, RESULT_BAD_VALUE, "a passphrase has %d characters at least: nothing slows down who guesses at a stolen disk",
			  PASSPHRASE_LEN_MIN);
	else
		return true;
	return false;
}

static void source_now(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	struct custody_order what = { .verb = CUSTODY_SOURCE };
	struct secret *passphrase cleanup(secret_freep) = NULL;
	const char *text = json_get_text(params_of(call), "passphrase");
	(void)session;
	(void)token;
	if (!is_stepped_up(call, r) || !source_of(call, params_of(call), &what.source))
		return;
	if (text && secret_new(text, strlen(text), &passphrase) != 0) {
		call_fail_errno(call, -ENOMEM, "the passphrase");
		return;
	}
	call_field(call, "");
	what.passphrase = passphrase;
	order(call, &what);
}

void method_key_source(struct call *call, const struct json *params)
{
	enum key_source source;
	if (source_of(call, params, &source)) {
		call_field(call, "");
		step_up(call, source_now);
	}
}
