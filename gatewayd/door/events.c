/* A client that asked for events gets each one its rights allow as a packet of its own, while its session lasts. One that
 * does not read loses events, is told how many when it reads again, and keeps nobody else waiting. */
#include "base/text.h"
#include "door/call.h"
#include "door/methods.h"
#include "door/render.h"

static void say_lost(struct client *client)
{
	if (client->n_lost == 0)
		return;
	struct json *document = json_new_object(), *data = json_new_object();
	uint64_t lost = client->n_lost;
	json_set_i64(data, "count", (int64_t)lost);
	json_set_text(document, "event", "lost");
	json_set(document, "data", data);
	client->n_lost = 0;
	client_send_json(client, document);
	/* Nor did this go out: what it would have told stays to be told. */
	if (client->n_lost)
		client->n_lost = lost;
}

static void on_event(void *ctx, const struct event *event, const struct device *device)
{
	struct client *client = ctx;
	const struct people *people = client->door_people;
	struct json *document = json_new_object();

	if (!session_find(people, client->listener_session)) {
		json_set_text(document, "event", "end");
		client_send_json(client, document);
		client_unlisten(client);
		return;
	}
	say_lost(client);
	json_set_text(document, "event", event_kind_name(event->kind));
	json_set(document, "data", render_event(event, device));
	client_send_json(client, document);
}

int client_listen(struct client *client, const struct call *call)
{
	client_unlisten(client);
	client->door_people = call->door->parts.people;
	client->listener_session = call->session.number;
	return router_listen(call->door->parts.router, &call->asker, on_event, client, &client->listener);
}

void client_unlisten(struct client *client)
{
	client->listener = router_unlisten(client->listener);
}

void method_events_subscribe(struct call *call, const struct json *params)
{
	(void)params;
	int r = client_listen(call->client, call);
	if (r == 0)
		call_answer(call, NULL);
	else
		call_fail(call, RESULT_BUSY, "as many listen already as there may be");
}

void method_events_unsubscribe(struct call *call, const struct json *params)
{
	(void)params;
	client_unlisten(call->client);
	call_answer(call, NULL);
}
