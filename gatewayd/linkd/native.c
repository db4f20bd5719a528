/* The platform's own protocol. Events are gathered for a turn of the loop and go out as one message, because what a message
 * costs both ends hardly depends on its size; one PUBACK then stands for all of them. Descriptions go before events,
 * so that a platform hears of a device before it hears from it.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "linkd/devices.h"
#include "linkd/jsonw.h"
#include "linkd/native_codec.h"
#include "linkd/profile.h"
#include "sys/log.h"

enum {
	BATCH_EVENTS_MAX = 64,
	BATCH_BYTES_MAX = 32768,
	SESSION_EXPIRY_S = 3600,
	TIME_MS = 1000, /* the platform's time is passed on so often at most */
	TOPIC_LEN = MQTT_TOPIC_MAX,
};

struct batch { /* events of one message, waiting or being filled */
	struct list node;
	struct jsonw json;
	uint64_t numbers[BATCH_EVENTS_MAX];
	size_t n_numbers, n_events;
};

struct native {
	struct profile profile;
	struct loop *loop;
	struct outlet *outlet;
	struct devices *devices;
	struct list batches; /* the last is being filled */
	struct jsonw scratch;
	int64_t time_told_ms;
	bool online; /* said since we are connected */
	struct jsonw anchor; /* as the broker is to keep it; empty: nothing to say */
	char anchors[TOPIC_LEN];
	char base[TOPIC_LEN], state[TOPIC_LEN], events[TOPIC_LEN], commands[TOPIC_LEN], answers[TOPIC_LEN], time[TOPIC_LEN];
};

static struct native *native_of(struct profile *profile)
{
	return CONTAINER_OF(profile, struct native, profile);
}

/* Out: events. */

static void drop_batch(struct batch *batch)
{
	list_remove(&batch->node);
	jsonw_deinit(&batch->json);
	free(batch);
}

static void drop_batches(struct native *native)
{
	struct batch *batch;

	while ((batch = list_first(&native->batches, struct batch, node)))
		drop_batch(batch);
}

static bool is_full(const struct batch *batch)
{
	return batch->n_events == BATCH_EVENTS_MAX || batch->json.len >= BATCH_BYTES_MAX;
}

static struct batch *batch_to_fill(struct native *native)
{
	struct list *last = native->batches.prev;
	struct batch *batch;

	if (last != &native->batches) {
		batch = CONTAINER_OF(last, struct batch, node);
		if (!is_full(batch))
			return batch;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return NULL;
	jsonw_open(&batch->json, NULL, '[');
	list_append(&native->batches, &batch->node);
	return batch;
}

/* One that does not fit into memory stays unacknowledged, and comes again with the next connection. */
static void take_event(struct native *native, const struct wire_msg *msg)
{
	struct batch *batch;

	/* Nobody there: the core has taken it back, or will. */
	if (!outlet_is_up(native->outlet) || !(batch = batch_to_fill(native)))
		return;
	native_put_event(&batch->json, &msg->link_event.event, msg->link_event.number, msg->link_event.duplicate);
	if (msg->link_event.event.kind == EVENT_ANCHOR) {
		jsonw_clear(&native->anchor);
		native_put_anchor(&native->anchor, &msg->link_event.event);
		if (native->anchor.bad)
			jsonw_clear(&native->anchor);
	}
	batch->n_events++;
	if (msg->link_event.number)
		batch->numbers[batch->n_numbers++] = msg->link_event.number;
}

static bool send_batch(struct native *native, struct batch *batch)
{
	struct parcel parcel = { .lane = LANE_EVENTS, .topic = native->events, .numbers = batch->numbers,
				 .n_numbers = batch->n_numbers };

	if (!outlet_has_room(native->outlet, LANE_EVENTS))
		return false;
	jsonw_shut(&batch->json, ']');
	parcel.payload = batch->json.data;
	parcel.len = batch->json.len;
	if (!batch->json.bad && !outlet_publish(native->outlet, &parcel))
		return false;
	drop_batch(batch);
	return true;
}

/* Out: who we are, which devices there are. */

static void say_online(struct native *native)
{
	static const char online[] = "{\"state\":\"online\"}";
	struct parcel parcel = { .lane = LANE_STATES, .topic = native->state, .payload = online, .len = sizeof(online) - 1,
				 .retain = true };

	if (!native->online)
		native->online = outlet_publish(native->outlet, &parcel);
}

static void say_anchor(struct native *native)
{
	struct parcel parcel = { .lane = LANE_STATES, .topic = native->anchors, .payload = native->anchor.data, .len = native->anchor.len,
				 .retain = true };

	if (native->anchor.len && outlet_has_room(native->outlet, LANE_STATES) && outlet_publish(native->outlet, &parcel))
		jsonw_clear(&native->anchor);
}

static bool say_device(struct native *native, struct known *known)
{
	char topic[TOPIC_LEN], id[DEVICE_ID_TEXT_MAX];
	struct parcel parcel = { .lane = LANE_STATES, .topic = topic, .retain = true };

	if (!outlet_has_room(native->outlet, LANE_STATES))
		return false;
	device_id_print(known->id, id);
	text_print(topic, sizeof(topic), "%s/devices/%s", native->base, id);
	if (!known->gone) {
		jsonw_clear(&native->scratch);
		native_put_device(&native->scratch, known);
		if (native->scratch.bad)
			return false;
		parcel.payload = native->scratch.data;
		parcel.len = native->scratch.len;
	}
	if (!outlet_publish(native->outlet, &parcel))
		return false;
	if (known->gone)
		devices_remove(native->devices, known);
	else
		devices_unset_due(known, known->due);
	return true;
}

static void native_flush(struct profile *profile)
{
	struct native *native = native_of(profile);
	struct known *known;
	struct batch *batch;

	if (!outlet_is_up(native->outlet))
		return;
	say_online(native);
	say_anchor(native);
	while ((known = devices_due(native->devices)) && say_device(native, known))
		;
	while ((batch = list_first(&native->batches, struct batch, node)) && send_batch(native, batch))
		;
}

/* From the core. */

static void take_device(struct native *native, const struct wire_msg *msg)
{
	struct known *known;
	int r = devices_put(native->devices, msg, &known);

	if (r)
		log_warn("a device is not told to the platform", log_text("why", r == DEVICES_E_FULL ? "too many" : "no memory"));
}

static void take_gone(struct native *native, const struct wire_msg *msg)
{
	struct known *known = devices_find(native->devices, msg->link_gone.id);

	if (!known)
		return; /* never told: the platform does not learn that it exists */
	known->gone = true;
	devices_set_due(native->devices, known, DUE_DESCRIPTION);
}

static void take_answer(struct native *native, const struct wire_msg *msg)
{
	struct parcel parcel = { .lane = LANE_ANSWERS, .topic = native->answers };

	jsonw_clear(&native->scratch);
	native_put_answer(&native->scratch, msg);
	parcel.payload = native->scratch.data;
	parcel.len = native->scratch.len;
	if (native->scratch.bad || !outlet_publish(native->outlet, &parcel))
		outlet_note(native->outlet, NOTE_DROPPED, native->answers, "an answer could not go");
}

static void native_core(struct profile *profile, const struct wire_msg *msg)
{
	struct native *native = native_of(profile);

	if (msg->type == WIRE_LINK_EVENT)
		take_event(native, msg);
	else if (msg->type == WIRE_LINK_DEVICE)
		take_device(native, msg);
	else if (msg->type == WIRE_LINK_GONE)
		take_gone(native, msg);
	else if (msg->type == WIRE_LINK_ANSWER)
		take_answer(native, msg);
}

/* From the platform. */

static void refuse_command(struct native *native, const struct native_command *command)
{
	struct parcel parcel = { .lane = LANE_ANSWERS, .topic = native->answers };

	outlet_note(native->outlet, command->fault, native->commands, command->why);
	if (!command->id[0])
		return;
	jsonw_clear(&native->scratch);
	native_put_refusal(&native->scratch, command);
	parcel.payload = native->scratch.data;
	parcel.len = native->scratch.len;
	if (!native->scratch.bad && !outlet_publish(native->outlet, &parcel))
		outlet_note(native->outlet, NOTE_DROPPED, native->answers, "an answer could not go");
}

static void take_command(struct native *native, const struct mqtt_message *message)
{
	struct native_command command;

	if (native_read_command(message->payload, message->len, &command))
		refuse_command(native, &command);
	else
		outlet_say(native->outlet, &command.msg);
	native_command_deinit(&command);
}

static void take_time(struct native *native, const struct mqtt_message *message)
{
	struct wire_msg msg = { .type = WIRE_LINK_TIME };
	int64_t now = loop_now_ms(native->loop);

	/* What was kept by the broker is from another time. */
	if (message->retained)
		return;
	if (native_read_time(message->payload, message->len, &msg.link_time.wall_us)) {
		outlet_note(native->outlet, NOTE_MALFORMED, native->time, "expected {\"now\": milliseconds}");
		return;
	}
	if (now - native->time_told_ms < TIME_MS)
		return;
	native->time_told_ms = now;
	outlet_say(native->outlet, &msg);
}

/* Only what the broker kept: our own, coming back while we are connected, is no news. */
static void take_anchor(struct native *native, const struct mqtt_message *message)
{
	struct wire_msg msg = { .type = WIRE_LINK_ANCHOR };
	struct native_anchor anchor;

	if (!message->retained)
		return;
	if (native_read_anchor(message->payload, message->len, &anchor)) {
		outlet_note(native->outlet, NOTE_MALFORMED, native->anchors, "expected {\"anchor\", \"detail\"}");
		return;
	}
	msg.link_anchor.body = (struct view){ anchor.body, anchor.len };
	msg.link_anchor.signatures = view_text(anchor.signatures);
	outlet_say(native->outlet, &msg);
}

static void native_message(struct profile *profile, const struct mqtt_message *message)
{
	struct native *native = native_of(profile);

	if (message->len > NATIVE_PAYLOAD_MAX)
		outlet_note(native->outlet, NOTE_OVERSIZE, "", "a payload of more than 64 KiB");
	else if (strcmp(message->topic, native->time) == 0)
		take_time(native, message);
	else if (strcmp(message->topic, native->anchors) == 0)
		take_anchor(native, message);
	else if (strcmp(message->topic, native->commands) != 0)
		outlet_note(native->outlet, NOTE_BAD_TOPIC, message->topic, "not a topic of ours");
	else if (message->retained)
		outlet_note(native->outlet, NOTE_REFUSED_COMMAND, native->commands, "a retained command");
	else
		take_command(native, message);
}

/* Beginning and end. */

static void native_up(struct profile *profile)
{
	struct native *native = native_of(profile);

	native->online = false;
	/* First: what it says may decide about the orders. */
	outlet_subscribe(native->outlet, native->anchors);
	outlet_subscribe(native->outlet, native->commands);
	outlet_subscribe(native->outlet, native->time);
	for (struct known *known = devices_next(native->devices, NULL); known; known = devices_next(native->devices, known))
		devices_set_due(native->devices, known, DUE_DESCRIPTION);
	native_flush(profile);
}

static void native_down(struct profile *profile)
{
	drop_batches(native_of(profile));
}

static void native_forget(struct profile *profile)
{
	drop_batches(native_of(profile));
	devices_clear(native_of(profile)->devices);
}

static const char *native_will_topic(const struct profile *profile)
{
	return CONTAINER_OF((struct profile *)(uintptr_t)profile, struct native, profile)->state;
}

static struct profile *native_free(struct profile *profile)
{
	struct native *native = native_of(profile);

	drop_batches(native);
	devices_free(native->devices);
	jsonw_deinit(&native->scratch);
	jsonw_deinit(&native->anchor);
	free(native);
	return NULL;
}

static const struct profile_ops native_ops = {
	.name = "native",
	.clean_start = false,
	.session_expiry_s = SESSION_EXPIRY_S,
	.will_topic = native_will_topic,
	.will_payload = "{\"state\":\"offline\"}",
	.up = native_up,
	.down = native_down,
	.forget = native_forget,
	.core = native_core,
	.message = native_message,
	.flush = native_flush,
	.free = native_free,
};

static bool set_topics(struct native *native, const struct settings *settings)
{
	const struct {
		char *topic;
		const char *end;
	} rows[] = {
		{ native->base, "" },		      { native->state, "/state" },     { native->events, "/events" },
		{ native->commands, "/commands" }, { native->answers, "/answers" }, { native->time, "/time" },
		{ native->anchors, "/anchor" },
	};
	bool ok = true;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		ok &= text_print(rows[i].topic, TOPIC_LEN, "%s/%s%s", settings->base_topic, settings->client_id, rows[i].end);
	return ok;
}

int native_new(struct loop *loop, const struct settings *settings, struct outlet *outlet, struct profile **ret)
{
	struct native *native = calloc(1, sizeof(*native));
	int r;

	if (!native)
		return -ENOMEM;
	native->profile.ops = &native_ops;
	native->loop = loop;
	native->outlet = outlet;
	list_init(&native->batches);
	r = set_topics(native, settings) ? devices_new(&native->devices) : -ENAMETOOLONG;
	if (r) {
		native_free(&native->profile);
		return r;
	}
	*ret = &native->profile;
	return 0;
}
