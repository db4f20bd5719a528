/* The gateway as a whole: the key that opens its backups, a backup, its end. What they do is on record by custody. Who may say to whom
 * everything is sealed, or that everything ends, says his password once more.
 */
#include <string.h>
#include "base/text.h"
#include "custody/backup.h"
#include "custody/erase.h"
#include "door/methods.h"
#include "sys/box.h"

static const char confirm_word[] = "erase";

static const struct json *params_of(const struct call *call)
{
	return json_get(call_request(call), "params");
}

static void step_up(struct call *call, login_done_fn then)
{
	people_verify(call_parts(call)->people, call_asker(call)->name, json_get_text(params_of(call), "password"), SOURCE_DOOR,
		      call_asker(call)->addr, then, call);
}

static void fail_backup(struct call *call, int r)
{
	if (r < 0)
		call_fail_errno(call, r, "the backup");
	else
		call_fail(call, r == BACKUP_E_BUSY ? RESULT_BUSY : r == BACKUP_E_NAME ? RESULT_BAD_VALUE : RESULT_CONFLICT, "%s", backup_word(r));
}

/* --- the recovery key --------------------------------------------------------------------------------------------------- */

void method_recovery_key_show(struct call *call, const struct json *params)
{
	const struct box_public *key = backup_key(call_parts(call)->backup);
	struct json *result = json_new_object();
	char text[BOX_KEY_TEXT_MAX];
	(void)params;
	if (key)
		box_public_print(key, text);
	json_set_text(result, "key", key ? text : NULL);
	call_answer(call, result);
}

static void on_key_set(void *ctx, int r)
{
	if (r != 0)
		fail_backup(ctx, r);
	else
		call_answer(ctx, NULL);
}

static void set_key_now(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	struct box_public key;
	(void)session;
	(void)token;
	if (r != 0) {
		call_people_done(call, r);
		return;
	}
	if (box_public_parse(json_get_text(params_of(call), "key"), &key) != 0) {
		call_fail(call, RESULT_BAD_VALUE, "not a public key");
		return;
	}
	struct audit_record record = call_record(call, AUDIT_BACKUP);
	call_is_recorded(call);
	backup_set_key(call_parts(call)->backup, &key, &record, on_key_set, call);
}

void method_recovery_key_set(struct call *call, const struct json *params)
{
	struct box_public key;
	if (box_public_parse(json_get_text(params, "key"), &key) == 0) {
		step_up(call, set_key_now);
		return;
	}
	call_field(call, "key");
	call_fail(call, RESULT_BAD_VALUE, "a recovery key is gw-x25519-pub:... or gw-sm2-pub:...");
}

/* --- backup ------------------------------------------------------------------------------------------------------------- */

static void on_made(void *ctx, int r, const struct backup_result *made)
{
	struct call *call = ctx;
	if (r != 0) {
		fail_backup(call, r);
		return;
	}
	struct json *result = json_new_object();
	json_set_text(result, "path", made->path);
	json_set_i64(result, "bytes", (int64_t)made->bytes);
	json_set_i64(result, "files", made->files);
	call_answer(call, result);
}

void method_backup_make(struct call *call, const struct json *params)
{
	struct audit_record record = call_record(call, AUDIT_BACKUP);
	call_is_recorded(call);
	backup_make(call_parts(call)->backup, json_get_text(params, "name"), &record, on_made, call);
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static void on_erased(void *ctx, int r, const char *receipt)
{
	struct call *call = ctx;
	if (r != 0) {
		if (r == ERASE_E_BUSY)
			call_fail(call, RESULT_BUSY, "it is being erased");
		else
			call_fail_errno(call, r < 0 ? r : -EIO, "erasing");
		return;
	}
	struct json *result = json_new_object();
	json_set_text(result, "receipt", receipt);
	call_answer(call, result);
}

static void erase_now(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	(void)session;
	(void)token;
	if (r != 0) {
		call_people_done(call, r);
		return;
	}
	struct audit_record record = call_record(call, AUDIT_ERASE);
	call_is_recorded(call);
	erase_do(call_parts(call)->erase, &record, on_erased, call);
}

void method_gateway_erase(struct call *call, const struct json *params)
{
	if (text_equal(json_get_text(params, "confirm"), confirm_word)) {
		step_up(call, erase_now);
		return;
	}
	call_field(call, "confirm");
	call_fail(call, RESULT_BAD_VALUE, "say \"%s\" to confirm", confirm_word);
}
