/* The door listens on a unix socket; each packet is one JSON document. What comes in is looked at in this order: is it a
 * request (request.c), is the client within its rate, does the method exist, may this caller call it, do the parameters
 * fit. Only then does a handler see it. Every refusal names what was wrong; those that are about rights are on record. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "door/call.h"
#include "door/desk.h"
#include "door/request.h"
#include "sys/host.h"

void client_send_json(struct client *client, struct json *document)
{
	char *text = NULL;
	size_t len = 0;
	if (json_print(document, &text, &len) == 0) {
		/* One that does not read what it asked for is not waited for. */
		if (len > PACKET_LEN_MAX || packet_send(client->conn, text, len) != 0)
			client->n_lost++;
		crypto_wipe(text, len); /* a token, a code, a radio's keys */
	}
	free(text);
	request_free(document); /* wipes */
}

void call_free(struct call *call)
{
	list_remove(&call->node);
	if (call->client)
		call->client->n_calls--;
	request_free(call->request);
	struct door *door = call->door;
	free(call);
	if (--door->n_calls == 0 && door->closed)
		free(door);
}

static void call_send(struct call *call, const char *key, struct json *body)
{
	struct json *document = json_new_object();
	const struct json *id = json_get(call->request, "id");
	if (json_kind(id) == JSON_INT || json_kind(id) == JSON_TEXT)
		json_set(document, "id", json_copy(id));
	else
		json_set_null(document, "id");
	json_set(document, key, body);
	if (call->client)
		client_send_json(call->client, document);
	else
		request_free(document);
	call_free(call);
}

/* A verb that was tried and failed is on record like one that succeeded. */
static void record_failure(const struct call *call, enum result result, const char *message)
{
	if (!call->handled || call->recorded || !call->method->audit_kind || call->door->closed)
		return;
	struct audit_record record = call_record(call, call->method->audit_kind);
	record.outcome = AUDIT_FAILED;
	record.result = (uint16_t)result;
	record.detail = message;
	(void)!audit_append(call->door->parts.audit, &record, NULL, NULL);
}

static bool too_large(const struct json *result)
{
	char *text = NULL;
	size_t len = 0;
	int r = json_print(result, &text, &len);
	if (r == 0)
		crypto_wipe(text, len);
	free(text);
	return r != 0 || len > PACKET_LEN_MAX - 512;
}

void call_answer(struct call *call, struct json *result)
{
	if (result && too_large(result)) {
		json_free(result);
		call_fail(call, RESULT_BUSY, "the answer is too large: ask for a part of it");
		return;
	}
	if (call->method->audit_kind && !call->door->closed)
		audit_drain(call->door->parts.audit); /* the verb left its row with its change */
	call_send(call, "result", result ? result : json_new_object());
}

void call_field(struct call *call, const char *field)
{
	text_copy(call->field, sizeof(call->field), field);
}

void call_fail(struct call *call, enum result result, const char *fmt, ...)
{
	char message[256];
	va_list args;
	struct json *error = json_new_object();
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	record_failure(call, result, message);
	json_set_text(error, "code", result_name(result));
	json_set_text(error, "message", message);
	if (call->field[0])
		json_set_text(error, "field", call->field);
	if (call->rule && (call->asker.role == ROLE_OWNER || call->asker.role == ROLE_AUDITOR))
		json_set_i64(error, "rule", call->rule);
	call_send(call, "error", error);
}

void call_fail_errno(struct call *call, int r, const char *what)
{
	if (r == -EAGAIN)
		call_fail(call, RESULT_BUSY, "%s: the gateway is busy, try again", what);
	else if (r < 0)
		call_fail(call, RESULT_INTERNAL, "%s: %s", what, strerror(-r));
	else
		call_fail(call, RESULT_CONFLICT, "%s: refused (%d)", what, r);
}

const struct door_parts *call_parts(const struct call *call)
{
	return &call->door->parts;
}

const struct asker *call_asker(const struct call *call)
{
	return &call->asker;
}

const struct session *call_session(const struct call *call)
{
	return call->session.number ? &call->session : NULL;
}

const struct json *call_request(const struct call *call)
{
	return call->request;
}

const char *call_token(const struct call *call)
{
	return json_get_text(call->request, "token");
}

bool call_is_gone(const struct call *call)
{
	return !call->client;
}

bool call_has_audit(const struct call *call)
{
	return call->method->audit_kind != 0;
}

struct desk *call_desk(const struct call *call)
{
	return call->door->desk;
}

bool call_door_is_closed(const struct call *call)
{
	return call->door->closed;
}

void call_is_recorded(struct call *call)
{
	call->recorded = true;
}

void call_rule(struct call *call, int32_t rule)
{
	call->rule = rule;
}

struct audit_record call_record(const struct call *call, uint16_t kind)
{
	struct audit_record record = { .kind = kind, .action = call->method->name };
	asker_to_record(&call->asker, &record);
	return record;
}

static void audit_refusal(const struct call *call, const char *method, enum result result, const char *detail)
{
	struct audit_record record = { .kind = AUDIT_DENIAL, .outcome = AUDIT_DENIED, .result = (uint16_t)result, .object = method, .detail = detail };
	asker_to_record(&call->asker, &record);
	(void)!audit_append(call->door->parts.audit, &record, NULL, NULL);
}

static void audit_bad_input(struct client *client, const char *detail)
{
	struct audit_record record = { .kind = AUDIT_BAD_INPUT, .outcome = AUDIT_FAILED, .source = SOURCE_DOOR, .source_addr = client->name,
				       .object = "request", .detail = detail };
	(void)!audit_append(client->door->parts.audit, &record, NULL, NULL);
}

static unsigned role_bit(enum role role)
{
	switch (role) {
	case ROLE_OWNER:
		return METHOD_OWNERS;
	case ROLE_MEMBER:
		return METHOD_MEMBERS;
	case ROLE_GUEST:
		return METHOD_GUESTS;
	case ROLE_INSTALLER:
		return METHOD_INSTALLERS;
	case ROLE_AUDITOR:
		return METHOD_AUDITORS;
	case ROLE_NONE:
	case ROLES:
		break;
	}
	return 0;
}

/* Fills in who asks. RESULT_OK, or RESULT_NO_SESSION when a token was presented that is none. */
static enum result call_identify(struct call *call)
{
	const char *token = call_token(call);
	struct people *people = call->door->parts.people;
	const struct session *session;

	call->asker.source = SOURCE_DOOR;
	call->asker.loop = LOOP_SMALL;
	text_copy(call->asker.addr, sizeof(call->asker.addr), call->client->name);
	if (!token)
		return RESULT_OK;
	if (session_check(people, token, SOURCE_DOOR, call->client->name, &session) != 0)
		return RESULT_NO_SESSION;
	const struct user *user = user_find(people, session->user);
	call->session = *session;
	call->asker.subject = (struct subject){ SUBJECT_USER, user->id };
	call->asker.role = user->role;
	call->asker.session = session->number;
	memcpy(call->asker.session_tag, session->tag, sizeof(call->asker.session_tag));
	text_copy(call->asker_name, sizeof(call->asker_name), user->name);
	call->asker.name = call->asker_name;
	return RESULT_OK;
}

static bool call_is_permitted(const struct call *call)
{
	unsigned who = call->method->who;
	bool root = call->client->uid == 0;
	if (who & METHOD_ANYBODY)
		return true;
	if (call->session.number && (who & role_bit(call->asker.role)))
		return true;
	/* uid 0 is administrator only for the first set-up and for recovery. */
	return root && ((who & METHOD_RECOVERY) || ((who & METHOD_SETUP) && !people_has_owner(call->door->parts.people)));
}

static void refuse(struct call *call, enum result result, const char *why)
{
	audit_refusal(call, call->method->name, result, why);
	call_fail(call, result, "%s", result == RESULT_DENIED ? "your role may not do this" : why ? result_text(result) : "log in first: gatewayctl login");
}

static void call_dispatch(struct call *call)
{
	char error[REQUEST_ERROR_MAX];
	enum result result = call_identify(call);
	int r = request_match(call->request, error, &call->method);

	if (r == REQUEST_E_METHOD) {
		call_field(call, "method");
		call_fail(call, RESULT_NOT_FOUND, "%s", error);
	} else if (!call_is_permitted(call)) {
		/* A token that has ended stops nobody from what needs none: logging in again, recovery. */
		if (result != RESULT_OK)
			refuse(call, result, "its token is of no session here");
		else
			refuse(call, call->session.number ? RESULT_DENIED : RESULT_NO_SESSION, NULL);
	} else if (r != 0) {
		audit_bad_input(call->client, error);
		call_fail(call, RESULT_MALFORMED, "%s", error);
	} else {
		call->handled = true;
		call->method->handle(call, call->params);
	}
}

static bool client_may_ask(struct client *client)
{
	int64_t now = loop_now_ms(client->door->parts.loop);
	if (now - client->rate_ms >= 1000) {
		client->rate_ms = now;
		client->rate_left = DOOR_RATE_PER_S;
	}
	if (client->rate_left == 0)
		return false;
	client->rate_left--;
	return true;
}

/* Takes request. NULL: no memory, request is gone. */
static struct call *call_new(struct client *client, struct json *request)
{
	struct call *call = calloc(1, sizeof(*call));
	if (!call) {
		request_free(request);
		return NULL;
	}
	call->client = client;
	call->door = client->door;
	call->door->n_calls++;
	call->request = request;
	call->params = json_get(request, "params");
	list_append(&client->calls, &call->node);
	client->n_calls++;
	return call;
}

static void client_on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct client *client = ctx;
	struct json *request;
	char error[REQUEST_ERROR_MAX];
	int r = request_parse(data, len, error, &request);
	struct call *call = call_new(client, request);
	if (!call)
		return;
	if (!client_may_ask(client)) {
		call_fail(call, RESULT_RATE, "more than %d requests a second", DOOR_RATE_PER_S);
	} else if (r != 0) {
		audit_bad_input(client, error);
		call_fail(call, RESULT_MALFORMED, "%s", error);
	} else if (client->n_calls > DOOR_PENDING_MAX) {
		call_fail(call, RESULT_BUSY, "%d requests are waiting already", DOOR_PENDING_MAX);
	} else {
		call_dispatch(call);
	}
}

static void client_gone(struct client *client)
{
	struct call *call, *tmp;
	client_unlisten(client);
	list_each(call, tmp, &client->calls, node) {
		list_remove(&call->node);
		call->client = NULL;
	}
	client->door->n_clients--;
	list_remove(&client->node);
	free(client);
}

static void client_on_close(void *ctx, int r)
{
	(void)r;
	client_gone(ctx);
}

static const struct packet_ops client_ops = {
	.on_packet = client_on_packet,
	.on_close = client_on_close,
};

static void on_accept(void *ctx, struct packet_conn *conn, struct packet_peer peer)
{
	struct door *door = ctx;
	struct client *client = door->n_clients < DOOR_CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		packet_close(conn);
		return;
	}
	client->door = door;
	client->conn = conn;
	client->uid = peer.uid;
	text_print(client->name, sizeof(client->name), "uid:%u", (unsigned)peer.uid);
	list_init(&client->calls);
	list_append(&door->clients, &client->node);
	door->n_clients++;
	if (packet_start(conn, &client_ops, client) != 0) {
		packet_close(conn);
		client_gone(client);
	}
}

int door_new(const struct door_parts *parts, const char *path, unsigned mode, struct door **ret)
{
	struct door *door = calloc(1, sizeof(*door));
	if (!door)
		return -ENOMEM;
	door->parts = *parts;
	list_init(&door->clients);
	/* Where audit.export writes: made now, because later nobody here changes modes any more. */
	char folder[512];
	int r = text_print(folder, sizeof(folder), "%s/exports", (*parts->conf)->state_dir) ? host_mkdir(folder, 0700) : -ENAMETOOLONG;
	if (r == 0)
		r = desk_new(parts->loop, &door->desk);
	if (r == 0)
		r = packet_listen(parts->loop, path, mode, on_accept, door, &door->server);
	if (r != 0) {
		desk_close(door->desk);
		free(door);
		return r;
	}
	*ret = door;
	return 0;
}

struct door *door_close(struct door *door)
{
	struct client *client, *tmp;
	if (!door)
		return NULL;
	packet_server_close(door->server);
	list_each(client, tmp, &door->clients, node) {
		packet_close(client->conn);
		client_gone(client);
	}
	door->closed = true;
	door->desk = desk_close(door->desk);
	if (door->n_calls == 0)
		free(door); /* else the last call does */
	return NULL;
}

size_t door_clients(const struct door *door)
{
	return door->n_clients;
}
