/* The far end of the door, in the test's own loop. */
#include "knock.h"

#include "base/text.h"

static void on_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct knock *knock = ctx;
	struct json *document = NULL;
	check_ok(json_parse(data, len, PACKET_LEN_MAX, JSON_DEPTH_MAX, NULL, 0, &document));
	const char *event = json_get_text(document, "event");
	if (event) {
		assert_true(knock->n_events < KNOCK_EVENTS_MAX);
		text_copy(knock->events[knock->n_events++], sizeof(knock->events[0]), event);
		json_free(document);
		return;
	}
	json_free(knock->answer);
	knock->answer = document;
	knock->n_answers++;
}

static void on_close(void *ctx, int r)
{
	struct knock *knock = ctx;
	(void)r;
	knock->conn = NULL;
	knock->closed = true;
}

static const struct packet_ops ops = { .on_packet = on_packet, .on_close = on_close };

void knock_open(struct knock *knock, struct house *house)
{
	memset(knock, 0, sizeof(*knock));
	knock->house = house;
	check_ok(packet_connect(house->loop, house->app->conf->door_socket, &knock->conn));
	check_ok(packet_start(knock->conn, &ops, knock));
	house_settle(house);
}

void knock_close(struct knock *knock)
{
	if (knock->conn)
		knock->conn = packet_close(knock->conn);
	knock->answer = json_free(knock->answer);
}

void knock_send(struct knock *knock, const char *method, const char *params)
{
	char *text, token[TOKEN_TEXT_MAX + 16] = "";
	if (knock->token[0])
		text_print(token, sizeof(token), ",\"token\":\"%s\"", knock->token);
	int len = asprintf(&text, "{\"id\":%lld,\"method\":\"%s\",\"params\":%s%s}", (long long)++knock->id, method, params ? params : "{}", token);
	assert_true(len > 0);
	for (char *c = text; *c; c++)
		if (*c == '\'')
			*c = '"';
	check_ok(packet_send(knock->conn, text, (size_t)len));
	free(text);
}

struct more {
	struct knock *knock;
	size_t n;
};

static bool has_more(void *ctx)
{
	const struct more *more = ctx;
	return more->knock->n_answers >= more->n || more->knock->closed;
}

static void wait_answer(struct knock *knock, size_t n)
{
	struct more more = { knock, n };
	check_true(house_until(knock->house, has_more, &more));
	check_true(!knock->closed);
}

void knock(struct knock *knock, const char *method, const char *params)
{
	size_t n = knock->n_answers + 1;
	knock_send(knock, method, params);
	wait_answer(knock, n);
	int64_t id = 0;
	check_true(json_to_i64(json_get(knock->answer, "id"), &id));
	check_int(id, knock->id);
}

void knock_raw(struct knock *knock, const void *data, size_t len)
{
	size_t n = knock->n_answers + 1;
	check_ok(packet_send(knock->conn, data, len));
	wait_answer(knock, n);
}

void knock_login(struct knock *knock_at, const char *user)
{
	char params[200];
	text_print(params, sizeof(params), "{'user':'%s','password':'%s'}", user, knock_at->house->password);
	knock(knock_at, "login", params);
	check_text(knock_code(knock_at), "ok");
	text_copy(knock_at->token, sizeof(knock_at->token), knock_text(knock_at, "token"));
}

const char *knock_window(struct knock *who, const char *adapter, const char *more)
{
	char params[400];
	knock(who, "bind.code", NULL);
	check_text(knock_code(who), "ok");
	text_print(params, sizeof(params), "{'adapter':'%s','code':'%s','seconds':120%s}", adapter, knock_text(who, "code"), more);
	knock(who, "join.open", params);
	return knock_code(who);
}

const struct json *knock_status(struct knock *who, size_t adapter)
{
	knock(who, "join.status", NULL);
	check_text(knock_code(who), "ok");
	return json_at(json_get(knock_result(who), "adapters"), adapter);
}

const char *knock_code(const struct knock *knock)
{
	const struct json *error = json_get(knock->answer, "error");
	return error ? json_get_text(error, "code") : "ok";
}

const struct json *knock_result(const struct knock *knock)
{
	return json_get(knock->answer, "result");
}

const char *knock_text(const struct knock *knock, const char *key)
{
	return json_get_text(knock_result(knock), key);
}

size_t knock_heard(const struct knock *knock, const char *event)
{
	size_t n = 0;
	for (size_t i = 0; i < knock->n_events; i++)
		n += strcmp(knock->events[i], event) == 0;
	return n;
}

int couple_setup(void **state)
{
	struct couple *couple = calloc(1, sizeof(*couple));
	house_open(&couple->house, NULL);
	house_people(&couple->house);
	house_adapter_up(&couple->house);
	knock_open(&couple->anna, &couple->house);
	knock_open(&couple->ben, &couple->house);
	knock_login(&couple->anna, "anna");
	knock_login(&couple->ben, "ben");
	*state = couple;
	return 0;
}

int couple_teardown(void **state)
{
	struct couple *couple = *state;
	knock_close(&couple->anna);
	knock_close(&couple->ben);
	house_close(&couple->house);
	free(couple);
	return 0;
}

void couple_of_owners(struct couple *couple)
{
	knock(&couple->anna, "user.set-role", "{'user':'ben','role':'owner'}");
	check_text(knock_code(&couple->anna), "ok");
	couple->ben.token[0] = '\0';
	knock_login(&couple->ben, "ben");
}
