/* Calls are few: a table, searched from end to end. A call keeps its method and params until it is answered, because a challenge
 * means that it is said again. */
#include "shelly/session.h"

#include <string.h>
#include "base/text.h"

#define OUR_NAME "gatewayd"

static const char *const reasons[] = {
	[SESSION_E_OTHER] = "another device answers at its address",
	[SESSION_E_PASSWORD] = "the password is wrong",
	[SESSION_E_NO_PASSWORD] = "it wants a password",
	[SESSION_E_OPEN] = "it had a password and asks for none now",
	[SESSION_E_OLD] = "it is of the first generation",
	[SESSION_E_NONSENSE] = "it does not answer as a Shelly does",
	[SESSION_E_BUSY] = "it has too much to do",
	[SESSION_E_NOTHING] = "nothing",
	[SESSION_E_SILENT] = "it does not answer",
};

const char *session_reason(int error)
{
	return error > 0 && (size_t)error < N_ELEMENTS(reasons) ? reasons[error] : "it cannot be reached";
}

static struct session_call *call_by_id(struct session *session, int64_t id)
{
	for (size_t i = 0; i < SESSION_CALLS_MAX; i++) {
		if (session->calls[i].id == id)
			return &session->calls[i];
	}
	return NULL;
}

static void forget(struct session_call *call)
{
	json_free(call->params);
	*call = (struct session_call){ 0 };
}

void session_stop(struct session *session)
{
	for (size_t i = 0; i < SESSION_CALLS_MAX; i++)
		forget(&session->calls[i]);
	session->stage = SESSION_OFF;
	session->challenged = false;
	session->proven = false;
	memset(&session->challenge, 0, sizeof(session->challenge));
}

/* Says it, or says it again: each time under a number of its own. */
static int say(struct session *session, struct session_call *call, struct session_says *ret)
{
	struct json *auth = session->challenged && session->password ?
				    digest_auth(&session->challenge, session->password, session->cnonce) : NULL;

	call->id = ++session->last_id;
	call->tries++;
	return rpc_write(call->id, OUR_NAME, call->method, json_copy(call->params), auth, &ret->send, &ret->send_len);
}

static int begin(struct session *session, uint64_t req, const char *method, struct json *params, uint64_t deadline_ms,
		 struct session_says *ret)
{
	struct session_call *call = call_by_id(session, 0);

	if (!call) {
		json_free(params);
		return SESSION_E_BUSY;
	}
	*call = (struct session_call){ .req = req, .deadline_ms = deadline_ms, .params = params };
	text_copy(call->method, sizeof(call->method), method);
	return say(session, call, ret);
}

int session_start(struct session *session, uint64_t now_ms, struct session_says *ret)
{
	session_stop(session);
	session->stage = SESSION_INFO;
	*ret = (struct session_says){ 0 };
	return begin(session, 0, "Shelly.GetDeviceInfo", NULL, now_ms + SESSION_GREET_MS, ret);
}

int session_order(struct session *session, uint64_t req, const char *method, struct json *params, uint64_t deadline_ms,
		  struct session_says *ret)
{
	*ret = (struct session_says){ 0 };
	return begin(session, req, method, params, deadline_ms, ret);
}

static int take_info(struct session *session, const struct json *body, uint64_t now_ms, struct session_says *ret)
{
	int r = rpc_info_read(body, &session->info);

	if (r)
		return r == RPC_E_GENERATION ? SESSION_E_OLD : SESSION_E_NONSENSE;
	if (session->mac && memcmp(session->mac, session->info.mac, 6) != 0)
		return SESSION_E_OTHER;
	if (session->must_prove && !session->info.wants_password)
		return SESSION_E_OPEN;
	session->stage = SESSION_STATUS;
	ret->word = SAYS_WHO;
	return begin(session, 0, "Shelly.GetStatus", NULL, now_ms + SESSION_GREET_MS, ret);
}

static int take_status(struct session *session, const struct json *body, struct session_says *ret)
{
	if (json_kind(body) != JSON_OBJECT)
		return SESSION_E_NONSENSE;
	if (session->must_prove && !session->proven)
		return SESSION_E_OPEN;
	session->stage = SESSION_LIVE;
	ret->word = SAYS_WHOLE;
	ret->body = body;
	return 0;
}

static int take_result(struct session *session, const struct rpc_message *message, uint64_t now_ms, struct session_says *ret)
{
	struct session_call *call = message->id > 0 ? call_by_id(session, message->id) : NULL;
	uint64_t req;

	if (!call) {
		session->unknown++;
		return 0;
	}
	req = call->req;
	session->proven = session->proven || (session->challenged && call->tries == SESSION_TRIES_MAX);
	forget(call);
	if (req) {
		ret->word = SAYS_DONE;
		ret->req = req;
		ret->status = GWA_OK;
		return 0;
	}
	return session->stage == SESSION_INFO ? take_info(session, message->body, now_ms, ret) : take_status(session, message->body, ret);
}

/* It wants a proof, or another one: its number for the last was used up. */
static int take_challenge(struct session *session, struct session_call *call, const struct rpc_message *message, struct session_says *ret)
{
	struct digest_challenge challenge;

	if (!session->password)
		return SESSION_E_NO_PASSWORD;
	if (call->tries >= SESSION_TRIES_MAX)
		return SESSION_E_PASSWORD;
	if (digest_read(message->text, &challenge))
		return SESSION_E_NONSENSE;
	session->challenge = challenge;
	session->challenged = true;
	return say(session, call, ret);
}

static int take_error(struct session *session, const struct rpc_message *message, struct session_says *ret)
{
	struct session_call *call = message->id > 0 ? call_by_id(session, message->id) : NULL;

	if (!call) {
		session->unknown++;
		return 0;
	}
	if (message->code == RPC_UNAUTHORISED)
		return take_challenge(session, call, message, ret);
	if (!call->req)
		return SESSION_E_NONSENSE;
	ret->word = SAYS_DONE;
	ret->req = call->req;
	ret->status = rpc_outcome(message->code);
	forget(call);
	return 0;
}

int session_take(struct session *session, const struct rpc_message *message, uint64_t now_ms, struct session_says *ret)
{
	*ret = (struct session_says){ 0 };
	if (message->kind == RPC_RESULT)
		return take_result(session, message, now_ms, ret);
	if (message->kind == RPC_ERROR)
		return take_error(session, message, ret);
	/* Before it has said who it is, and proven it where that is wanted, nothing of it counts. */
	if (message->kind == RPC_OTHER || session->stage != SESSION_LIVE) {
		session->unknown++;
		return 0;
	}
	ret->word = message->kind == RPC_FULL_STATUS ? SAYS_WHOLE : message->kind == RPC_STATUS ? SAYS_PART : SAYS_EVENT;
	ret->body = message->body;
	return 0;
}

int session_late(struct session *session, uint64_t now_ms, uint64_t *ret_req)
{
	for (size_t i = 0; i < SESSION_CALLS_MAX; i++) {
		struct session_call *call = &session->calls[i];

		if (!call->id || call->deadline_ms > now_ms)
			continue;
		if (!call->req)
			return SESSION_E_SILENT;
		*ret_req = call->req;
		forget(call);
		return 0;
	}
	return SESSION_E_NOTHING;
}

uint64_t session_any(struct session *session)
{
	for (size_t i = 0; i < SESSION_CALLS_MAX; i++) {
		uint64_t req = session->calls[i].req;

		if (!req)
			continue;
		forget(&session->calls[i]);
		return req;
	}
	return 0;
}

uint64_t session_deadline(const struct session *session)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < SESSION_CALLS_MAX; i++) {
		if (session->calls[i].id && session->calls[i].deadline_ms < first)
			first = session->calls[i].deadline_ms;
	}
	return first;
}
