/* What a person may ask a radio (docs/spec/radio.md). The core hands texts through and does not read them: it sees to who asks, that what
 * changes the radio or shows its keys is on record before it goes out and after it is answered, and that a long text finds its
 * way through a door of short packets. Who takes the keys out or puts others in says his password once more. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "door/desk.h"
#include "door/methods.h"
#include "sys/crypto.h"

enum { ANSWER_MAX = DESK_PIECE_MAX };

struct question {
	struct call *call;
	char verb[WIRE_VERB_MAX + 1];
	char adapter[ADAPTER_NAME_MAX + 1];
	uint8_t *data; /* what is asked; wiped */
	size_t len;
};

static void question_free(struct question *question)
{
	if (question->data)
		crypto_wipe(question->data, question->len);
	free(question->data);
	free(question);
}

static struct audit_record record_of(const struct question *question, const char *detail)
{
	struct audit_record record = call_record(question->call, AUDIT_RADIO);
	record.object = question->adapter;
	record.detail = detail;
	return record;
}

static void fail_ask(struct call *call, int r)
{
	switch (r) {
	case HUB_E_UNKNOWN:
		call_field(call, "adapter");
		call_fail(call, RESULT_NOT_FOUND, "there is no adapter of this name");
		return;
	case HUB_E_AWAY:
		call_fail(call, RESULT_UNREACHABLE, "the adapter is not running");
		return;
	case HUB_E_BUSY:
		call_fail(call, RESULT_BUSY, "its radio is busy with another question: try again");
		return;
	case HUB_E_UNABLE:
		call_fail(call, RESULT_UNKNOWN_CAPABILITY, "this adapter has no radio that can be asked, or that is too long");
		return;
	default:
		call_fail_errno(call, r, "asking the radio");
	}
}

static struct json *answer_of(const char *text)
{
	struct json *result = json_new_object();
	json_set_text(result, "text", text);
	return result;
}

/* The first piece of the text, and the number under which the rest lies. NULL: failed. */
static struct json *first_piece(struct call *call, struct view text)
{
	const struct session *session = call_session(call);
	char piece[ANSWER_MAX + 1];
	bool last = true;
	uint32_t number;
	struct json *result = NULL;
	int r = DESK_E_FULL;

	if (text.len && !text_is_utf8(text.data, text.len)) {
		call_fail(call, RESULT_MALFORMED, "the radio's answer is no text");
		return NULL;
	}
	if (text.len <= ANSWER_MAX) {
		text_copy_n(piece, sizeof(piece), text.data, text.len);
		r = 0;
	} else if (session && call_desk(call)) {
		r = desk_lay(call_desk(call), session->number, text, &number);
		if (r == 0)
			r = desk_take(call_desk(call), session->number, number, piece, &last);
	}
	if (r != 0) {
		call_fail(call, RESULT_BUSY, "too many long answers wait: try again");
		return NULL;
	}
	result = answer_of(piece);
	if (!last) {
		json_set_i64(result, "bytes", (int64_t)text.len);
		json_set_i64(result, "more", number);
	}
	crypto_wipe(piece, sizeof(piece));
	return result;
}

static void on_told(void *ctx, enum result result, struct view text)
{
	struct question *question = ctx;
	struct call *call = question->call;
	if (result != RESULT_OK) {
		call_fail(call, result, "%s", result == RESULT_BAD_VALUE ? "the radio does not take that" : result_text(result));
		question_free(question);
		return;
	}
	struct json *answer = first_piece(call, text);
	struct audit_record record = record_of(question, "done");
	if (answer && call_has_audit(call))
		call_append_answer(call, &record, answer);
	else if (answer)
		call_answer(call, answer);
	question_free(question);
}

static void ask_now(struct question *question)
{
	struct call *call = question->call;
	int r = hub_ask(call_parts(call)->hub, question->adapter, question->verb, question->data, question->len, on_told, question);
	if (r == 0)
		return;
	fail_ask(call, r);
	question_free(question);
}

static void on_recorded(void *ctx, int r)
{
	struct question *question = ctx;
	if (r == 0) {
		ask_now(question);
		return;
	}
	call_fail_errno(question->call, r, "recording it");
	question_free(question);
}

/* What nobody can carry out is not put on record as if it were about to be. */
static void ask(struct call *call, const char *verb, struct view data)
{
	const char *adapter = json_get_text(json_get(call_request(call), "params"), "adapter");
	struct question *question = call_door_is_closed(call) ? NULL : calloc(1, sizeof(*question));
	if (question && data.len)
		question->data = malloc(data.len);
	if (!question || (data.len && !question->data)) {
		free(question);
		call_fail_errno(call, -ENOMEM, "asking the radio");
		return;
	}
	question->call = call;
	text_copy(question->verb, sizeof(question->verb), verb);
	text_copy(question->adapter, sizeof(question->adapter), adapter);
	if (data.len)
		memcpy(question->data, data.data, data.len);
	question->len = data.len;
	if (!call_has_audit(call) || !hub_can_ask(call_parts(call)->hub, adapter)) {
		ask_now(question);
		return;
	}
	struct audit_record record = record_of(question, "asked");
	int r = audit_append(call_parts(call)->audit, &record, on_recorded, question);
	if (r != 0)
		on_recorded(question, r < 0 ? r : -EAGAIN);
}

static bool may_set_up(struct call *call)
{
	struct policy_verdict verdict = router_may(call_parts(call)->router, call_asker(call), NULL, 0, ACTION_CONFIGURE);
	if (!verdict.allowed) {
		call_rule(call, verdict.rule);
		call_fail(call, RESULT_DENIED, "you may not set up radios");
	}
	return verdict.allowed;
}

static const struct view nothing = { NULL, 0 };

void method_radio_info(struct call *call, const struct json *params)
{
	(void)params;
	if (may_set_up(call))
		ask(call, "info", nothing);
}

void method_radio_map(struct call *call, const struct json *params)
{
	(void)params;
	if (may_set_up(call))
		ask(call, "map", nothing);
}

void method_radio_adopt(struct call *call, const struct json *params)
{
	(void)params;
	if (may_set_up(call))
		ask(call, "adopt", nothing);
}

void method_radio_channel(struct call *call, const struct json *params)
{
	char channel[8];
	text_print(channel, sizeof(channel), "%lld", (long long)param_i64(params, "channel", 0));
	if (may_set_up(call))
		ask(call, "channel", view_text(channel));
}

/* What is in the text is the plugin's: docs/spec/radio.md. */
void method_radio_group(struct call *call, const struct json *params)
{
	if (may_set_up(call))
		ask(call, "group", view_text(json_get_text(params, "data")));
}

/* --- once more, with the password ---------------------------------------------------------------------------------------- */

static const struct json *params_of(const struct call *call)
{
	return json_get(call_request(call), "params");
}

static void step_up(struct call *call, login_done_fn then)
{
	if (may_set_up(call))
		people_verify(call_parts(call)->people, call_asker(call)->name, json_get_text(params_of(call), "password"), SOURCE_DOOR,
			      call_asker(call)->addr, then, call);
}

static void backup_now(void *ctx, int r, const struct session *session, const char *token)
{
	(void)session;
	(void)token;
	if (r != 0)
		call_people_done(ctx, r);
	else
		ask(ctx, "backup", nothing);
}

void method_radio_backup(struct call *call, const struct json *params)
{
	(void)params;
	step_up(call, backup_now);
}

static void form_now(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	char wish[32] = "";
	int64_t channel = param_i64(params_of(call), "channel", 0);
	(void)session;
	(void)token;
	if (channel)
		text_print(wish, sizeof(wish), "{\"channel\": %lld}", (long long)channel);
	if (r != 0)
		call_people_done(call, r);
	else
		ask(call, "form", view_text(wish));
}

void method_radio_form(struct call *call, const struct json *params)
{
	(void)params;
	step_up(call, form_now);
}

static void desk_name(const struct call *call, char ret[64])
{
	text_print(ret, 64, "restore/%s", json_get_text(params_of(call), "adapter"));
}

static void restore_now(void *ctx, int r, const struct session *session, const char *token)
{
	struct call *call = ctx;
	const struct session *mine = call_session(call);
	char name[64];
	(void)session;
	(void)token;
	desk_name(call, name);
	struct desk *desk = call_desk(call);
	if (!desk) {
		call_fail(call, RESULT_CANCELLED, "%s", result_text(RESULT_CANCELLED));
		return;
	}
	uint64_t number = mine->number; /* the call may be over when it has been asked */
	if (r != 0)
		call_people_done(call, r);
	else
		ask(call, "restore", desk_text(desk, number, name));
	desk_drop(desk, number, name);
}

/* Its parts come one after the other, those before the last with `more`; the last carries the password, and then it begins. */
void method_radio_restore(struct call *call, const struct json *params)
{
	const char *data = json_get_text(params, "data");
	bool more = param_bool(params, "more", false);
	char name[64];
	if (!may_set_up(call))
		return;
	if (!more && !json_get_text(params, "password")) {
		call_field(call, "password");
		call_fail(call, RESULT_BAD_VALUE, "the last part comes with your password");
		return;
	}
	desk_name(call, name);
	int r = desk_add(call_desk(call), call_session(call)->number, name, data, strlen(data));
	if (r != 0) {
		call_fail(call, RESULT_BUSY, "that is longer than a backup may be, or too many texts wait");
		return;
	}
	if (more) {
		call_is_recorded(call); /* nothing was done yet */
		call_answer(call, NULL);
		return;
	}
	step_up(call, restore_now);
}

void method_radio_more(struct call *call, const struct json *params)
{
	char piece[ANSWER_MAX + 1];
	bool last = true;
	uint32_t number = (uint32_t)param_i64(params, "more", 0);
	if (desk_take(call_desk(call), call_session(call)->number, number, piece, &last) != 0) {
		call_field(call, "more");
		call_fail(call, RESULT_NOT_FOUND, "there is no more of it: it was taken, or a minute has passed");
		return;
	}
	struct json *result = answer_of(piece);
	if (!last)
		json_set_i64(result, "more", number);
	crypto_wipe(piece, sizeof(piece));
	call_answer(call, result);
}
