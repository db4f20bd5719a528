/* The door answers each packet with one packet that carries the same id; what carries "event" is not an answer. One request
 * is under way at a time, because a person asks one thing at a time. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "ctl/client.h"
#include "sys/crypto.h"
#include "sys/loop.h"
#include "sys/packet.h"

enum { TURN_MS = 200, ANSWER_DEPTH = 24, PATIENCE_MS = 600000 /* checking a large record takes long */ };

struct client {
	struct loop *loop;
	struct packet_conn *conn;
	char *token;
	int64_t id;
	struct json *answer; /* to the request under way */
	bool (*on_event)(void *ctx, const struct json *event);
	void *event_ctx;
	bool stopped;
};

static void take_packet(void *ctx, const uint8_t *data, size_t len)
{
	struct client *client = ctx;
	struct json *document = NULL;
	int64_t id = 0;
	if (json_parse(data, len, PACKET_LEN_MAX, ANSWER_DEPTH, NULL, 0, &document) != 0)
		return;
	if (json_get(document, "event")) {
		if (client->on_event && !client->stopped)
			client->stopped = !client->on_event(client->event_ctx, document);
	} else if (json_to_i64(json_get(document, "id"), &id) && id == client->id && !client->answer) {
		client->answer = STEAL(document);
	}
	json_free(document);
}

static void take_close(void *ctx, int r)
{
	struct client *client = ctx;
	(void)r;
	client->conn = NULL;
}

static const struct packet_ops ops = { .on_packet = take_packet, .on_close = take_close };

int client_new(const char *path, struct client **ret)
{
	struct client *client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	int r = loop_new(&client->loop);
	if (r == 0)
		r = packet_connect(client->loop, path, &client->conn);
	if (r == 0)
		r = packet_start(client->conn, &ops, client);
	if (r != 0) {
		client_free(client);
		return r;
	}
	*ret = client;
	return 0;
}

struct client *client_free(struct client *client)
{
	if (!client)
		return NULL;
	client_set_token(client, NULL);
	if (client->conn)
		packet_close(client->conn);
	json_free(client->answer);
	if (client->loop)
		loop_free(client->loop);
	free(client);
	return NULL;
}

void client_set_token(struct client *client, const char *token)
{
	char *copy = token ? strdup(token) : NULL;
	if (client->token)
		crypto_wipe(client->token, strlen(client->token));
	free(client->token);
	client->token = copy;
}

const char *client_token(const struct client *client)
{
	return client->token;
}

static void wipe_texts(const struct json *object)
{
	struct json *value;
	void *cursor = NULL;
	size_t len;
	while (json_next((struct json *)(uintptr_t)object, &cursor, &value)) {
		const char *text = json_text(value, &len);
		if (text)
			crypto_wipe((char *)(uintptr_t)text, len);
	}
}

static int send_request(struct client *client, const char *method, struct json *params)
{
	struct json *request = json_new_object();
	char *text = NULL;
	size_t len = 0;

	json_set_i64(request, "id", ++client->id);
	json_set_text(request, "method", method);
	if (client->token)
		json_set_text(request, "token", client->token);
	struct json *sent = params ? params : json_new_object();
	json_set(request, "params", sent);
	int r = json_print(request, &text, &len);
	if (r == 0)
		r = client->conn ? packet_send(client->conn, text, len) : -EPIPE;
	if (text)
		crypto_wipe(text, len);
	free(text);
	wipe_texts(sent);
	wipe_texts(request);
	json_free(request);
	return r;
}

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000;
}

int client_call(struct client *client, const char *method, struct json *params, struct json **ret)
{
	int64_t until = now_ms() + PATIENCE_MS;
	client->answer = json_free(client->answer);
	int r = send_request(client, method, params);
	while (r == 0 && !client->answer && client->conn && now_ms() < until)
		r = loop_turn(client->loop, TURN_MS);
	if (!client->answer)
		return r < 0 || !client->conn ? CLIENT_E_GONE : CLIENT_E_LATE;
	struct json *error = json_get(client->answer, "error");
	*ret = json_copy(error ? error : json_get(client->answer, "result"));
	client->answer = json_free(client->answer);
	return error ? CLIENT_E_REFUSED : 0;
}

void client_on_event(struct client *client, bool (*fn)(void *ctx, const struct json *event), void *ctx)
{
	client->on_event = fn;
	client->event_ctx = ctx;
	client->stopped = false;
}

int client_follow(struct client *client)
{
	int r = 0;
	while (r == 0 && !client->stopped && client->conn)
		r = loop_turn(client->loop, TURN_MS);
	return client->stopped ? 0 : CLIENT_E_GONE;
}
