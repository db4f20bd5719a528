/* Home Assistant over its own broker. What it shows is always the newest: a device's state is one retained message that holds
 * all that is known, made at the end of a turn from what that turn brought; the spool's numbers of all those reports ride
 * on it and are acknowledged with it. When Home Assistant has started anew everything is said again, after a moment
 * of chance so that not every gateway speaks in the same second.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "linkd/devices.h"
#include "linkd/ha_codec.h"
#include "linkd/ha_entity.h"
#include "linkd/ha_sweep.h"
#include "linkd/jsonw.h"
#include "linkd/profile.h"
#include "model/alarm.h"
#include "sys/crypto.h"
#include "sys/log.h"

enum {
	BIRTH_MS_MIN = 1000,
	BIRTH_MS_MAX = 10000,
	HEALTH_ROWS = 16,
	ALARMS_WAITING = 512, /* as many events as the core sends ahead */
};

struct health {
	char name[48];
	int64_t value;
};

struct alarm_said { /* waiting for room: each is said, in its order */
	struct list node;
	struct jsonw json;
	uint64_t number;
};

struct ha {
	struct profile profile;
	struct loop *loop;
	struct outlet *outlet;
	struct devices *devices;
	struct timer *birth;
	struct list alarms;
	size_t n_alarms;
	struct ha_topics topics;
	struct ha_sweep sweep;
	struct jsonw scratch;
	struct ha_entity entities[HA_ENTITIES_MAX]; /* of the device being said */
	struct health health[HEALTH_ROWS];
	size_t n_health;
	uint64_t health_numbers[HEALTH_ROWS]; /* the last spool numbers of a turn */
	size_t n_health_numbers;
	bool health_due, online_due, config_due, was_up;
};

static struct ha *ha_of(struct profile *profile)
{
	return CONTAINER_OF(profile, struct ha, profile);
}

static bool publish(struct ha *ha, enum lane lane, const char *topic, const uint64_t *numbers, size_t n)
{
	struct parcel parcel = { .lane = lane, .topic = topic, .payload = ha->scratch.data, .len = ha->scratch.len, .retain = true,
				 .numbers = numbers, .n_numbers = n };

	return !ha->scratch.bad && outlet_publish(ha->outlet, &parcel);
}

/* Out: the gateway itself. */

static bool say_online(struct ha *ha)
{
	jsonw_clear(&ha->scratch);
	jsonw_open(&ha->scratch, NULL, '{');
	jsonw_text(&ha->scratch, "state", "online");
	jsonw_shut(&ha->scratch, '}');
	return publish(ha, LANE_STATES, ha->topics.bridge_state, NULL, 0);
}

static bool say_config(struct ha *ha)
{
	char topic[HA_TOPIC_LEN];

	jsonw_clear(&ha->scratch);
	ha_put_gateway(&ha->scratch, &ha->topics);
	text_print(topic, sizeof(topic), "%s/device/%s/config", ha->topics.prefix, ha->topics.gateway);
	return publish(ha, LANE_STATES, topic, NULL, 0);
}

static bool say_health(struct ha *ha)
{
	jsonw_clear(&ha->scratch);
	jsonw_open(&ha->scratch, NULL, '{');
	for (size_t i = 0; i < ha->n_health; i++)
		jsonw_i64(&ha->scratch, ha->health[i].name, ha->health[i].value);
	jsonw_shut(&ha->scratch, '}');
	if (!publish(ha, LANE_EVENTS, ha->topics.bridge_health, ha->health_numbers, ha->n_health_numbers))
		return false;
	ha->n_health_numbers = 0;
	return true;
}

static void drop_alarm(struct ha *ha, struct alarm_said *alarm)
{
	list_remove(&alarm->node);
	ha->n_alarms--;
	jsonw_deinit(&alarm->json);
	free(alarm);
}

static void drop_alarms(struct ha *ha)
{
	struct alarm_said *alarm;

	while ((alarm = list_first(&ha->alarms, struct alarm_said, node)))
		drop_alarm(ha, alarm);
}

static void say_alarms(struct ha *ha)
{
	struct alarm_said *alarm;

	while ((alarm = list_first(&ha->alarms, struct alarm_said, node))) {
		struct parcel parcel = { .lane = LANE_EVENTS, .topic = ha->topics.bridge_alarm, .payload = alarm->json.data,
					 .len = alarm->json.len, .retain = true, .numbers = &alarm->number,
					 .n_numbers = alarm->number ? 1 : 0 };

		if (!alarm->json.bad && !outlet_publish(ha->outlet, &parcel))
			return;
		drop_alarm(ha, alarm);
	}
}

static void say_gateway(struct ha *ha)
{
	say_alarms(ha);
	if (ha->online_due)
		ha->online_due = !say_online(ha);
	if (ha->config_due)
		ha->config_due = !say_config(ha);
	if (ha->health_due)
		ha->health_due = !say_health(ha);
}

/* Out: devices. */

static bool say_description(struct ha *ha, struct known *known)
{
	char topic[HA_TOPIC_LEN];

	jsonw_clear(&ha->scratch);
	if (!known->gone)
		ha_put_device(&ha->scratch, &ha->topics, known);
	ha_config_topic(&ha->topics, known->id, topic);
	return publish(ha, LANE_STATES, topic, NULL, 0);
}

static bool say_availability(struct ha *ha, struct known *known)
{
	char topic[HA_TOPIC_LEN];

	jsonw_clear(&ha->scratch);
	if (!known->gone) {
		jsonw_open(&ha->scratch, NULL, '{');
		jsonw_text(&ha->scratch, "state", known->reachable ? "online" : "offline");
		jsonw_shut(&ha->scratch, '}');
	}
	ha_device_topic(&ha->topics, known->id, "availability", topic);
	return publish(ha, LANE_STATES, topic, NULL, 0);
}

static bool say_lights(struct ha *ha, const struct known *known, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char topic[HA_TOPIC_LEN], end[HA_OBJECT_MAX + 8];

		if (ha->entities[i].platform != HA_LIGHT)
			continue;
		jsonw_clear(&ha->scratch);
		if (!known->gone && !ha_put_light(&ha->scratch, known, &ha->entities[i]))
			continue;
		text_print(end, sizeof(end), "state/%s", ha->entities[i].object);
		ha_device_topic(&ha->topics, known->id, end, topic);
		if (!publish(ha, LANE_EVENTS, topic, NULL, 0))
			return false;
	}
	return true;
}

/* The whole state last: the numbers ride on it. */
static bool say_state(struct ha *ha, struct known *known)
{
	char topic[HA_TOPIC_LEN];
	size_t n = ha_entities(known->desc, ha->entities);

	if (!say_lights(ha, known, n))
		return false;
	jsonw_clear(&ha->scratch);
	if (!known->gone)
		ha_put_state(&ha->scratch, known, ha->entities, n);
	ha_device_topic(&ha->topics, known->id, "state", topic);
	if (!publish(ha, LANE_EVENTS, topic, known->numbers, known->n_numbers))
		return false;
	known->n_numbers = 0;
	return true;
}

static bool say_device(struct ha *ha, struct known *known)
{
	static const struct {
		unsigned flag;
		bool (*say)(struct ha *ha, struct known *known);
	} steps[] = { { DUE_DESCRIPTION, say_description }, { DUE_AVAILABILITY, say_availability }, { DUE_STATE, say_state } };

	for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
		if (!(known->due & steps[i].flag))
			continue;
		if (!steps[i].say(ha, known))
			return false;
		devices_unset_due(known, steps[i].flag);
	}
	if (known->gone)
		devices_remove(ha->devices, known);
	return true;
}

static void ha_flush(struct profile *profile)
{
	struct ha *ha = ha_of(profile);
	struct known *known;

	if (!outlet_is_up(ha->outlet))
		return;
	say_gateway(ha);
	while ((known = devices_due(ha->devices)) && say_device(ha, known))
		;
}

static void all_due(struct ha *ha)
{
	ha->online_due = ha->config_due = true;
	ha->health_due = ha->n_health > 0;
	for (struct known *known = devices_next(ha->devices, NULL); known; known = devices_next(ha->devices, known))
		devices_set_due(ha->devices, known, DUE_DESCRIPTION | DUE_AVAILABILITY | DUE_STATE);
}

/* From the core: devices. */

static void take_device(struct ha *ha, const struct wire_msg *msg)
{
	struct known *known;
	int r = devices_put(ha->devices, msg, &known);

	if (r)
		log_warn("a device is not told to Home Assistant", log_text("why", r == DEVICES_E_FULL ? "too many" : "no memory"));
	else
		devices_set_due(ha->devices, known, DUE_DESCRIPTION | DUE_AVAILABILITY | DUE_STATE);
}

static void take_gone(struct ha *ha, const struct wire_msg *msg)
{
	struct known *known = devices_find(ha->devices, msg->link_gone.id);

	if (!known)
		return; /* never told: nobody learns that it exists */
	known->gone = true;
	devices_set_due(ha->devices, known, DUE_DESCRIPTION | DUE_AVAILABILITY | DUE_STATE);
}

/* From the core: events. */

/* It is due, and its number with it; without memory for the number the event stays unacknowledged and comes again. */
static void carry(struct ha *ha, struct known *known, uint64_t number, unsigned due)
{
	devices_set_due(ha->devices, known, due);
	if (number && outlet_is_up(ha->outlet) && known_add_number(known, number) != 0)
		log_warn("no memory for an acknowledgement");
}

static void take_report(struct ha *ha, const struct wire_msg *msg)
{
	const struct event *event = &msg->link_event.event;
	struct known *known = devices_find(ha->devices, event->device);
	struct value_box *box = known ? known_value(known, event->endpoint, event->cap) : NULL;

	/* Of a device or capability that Home Assistant has not been told of. */
	if (!box || known->gone) {
		outlet_ack(ha->outlet, msg->link_event.number);
		return;
	}
	if (value_box_set(box, &event->value) == 0)
		carry(ha, known, msg->link_event.number, DUE_STATE);
}

static void take_availability(struct ha *ha, const struct wire_msg *msg)
{
	struct known *known = devices_find(ha->devices, msg->link_event.event.device);

	if (!known || known->gone) {
		outlet_ack(ha->outlet, msg->link_event.number);
		return;
	}
	known->reachable = msg->link_event.event.value.b;
	carry(ha, known, msg->link_event.number, DUE_AVAILABILITY | DUE_STATE);
}

static void take_alarm(struct ha *ha, const struct wire_msg *msg)
{
	static const char *const phases[] = { "raised", "acknowledged", "cleared" };
	const struct event *event = &msg->link_event.event;
	struct alarm_said *alarm = ha->n_alarms < ALARMS_WAITING ? calloc(1, sizeof(*alarm)) : NULL;
	char id[DEVICE_ID_TEXT_MAX];
	struct jsonw *w;

	/* Unacknowledged, it comes again with the next connection. */
	if (!alarm) {
		outlet_note(ha->outlet, NOTE_DROPPED, ha->topics.bridge_alarm, "an alarm waits for the next connection");
		return;
	}
	alarm->number = msg->link_event.number;
	list_append(&ha->alarms, &alarm->node);
	ha->n_alarms++;
	w = &alarm->json;
	jsonw_open(w, NULL, '{');
	jsonw_text_n(w, "alarm", event->text.data, event->text.len);
	jsonw_text(w, "phase", phases[event->phase < N_ELEMENTS(phases) ? event->phase : 0]);
	jsonw_text(w, "severity", severity_name((enum severity)event->severity));
	jsonw_text_n(w, "detail", event->detail.data, event->detail.len);
	if (!device_id_is_none(event->device)) {
		device_id_print(event->device, id);
		jsonw_text(w, "device", id);
	}
	jsonw_shut(w, '}');
}

static void take_health(struct ha *ha, const struct wire_msg *msg)
{
	const struct event *event = &msg->link_event.event;
	struct health *row = NULL;
	char name[sizeof(row->name)];

	text_copy_n(name, sizeof(name), event->text.data, event->text.len);
	for (size_t i = 0; i < ha->n_health && !row; i++)
		if (strcmp(ha->health[i].name, name) == 0)
			row = &ha->health[i];
	if (!row && ha->n_health < HEALTH_ROWS) {
		row = &ha->health[ha->n_health++];
		text_copy(row->name, sizeof(row->name), name);
	}
	if (row && event->value.type == VALUE_INT) {
		row->value = event->value.i;
		ha->health_due = true;
	}
	/* What has been overtaken by so many newer ones is not waited for. */
	if (!row || ha->n_health_numbers == HEALTH_ROWS)
		outlet_ack(ha->outlet, msg->link_event.number);
	else if (msg->link_event.number)
		ha->health_numbers[ha->n_health_numbers++] = msg->link_event.number;
}

static void take_event(struct ha *ha, const struct wire_msg *msg)
{
	/* What has a number was meant for a connection that is gone. States that were asked for are always welcome. */
	if (msg->link_event.number && !outlet_is_up(ha->outlet))
		return;
	switch (msg->link_event.event.kind) {
	case EVENT_REPORT:
		take_report(ha, msg);
		return;
	case EVENT_AVAILABILITY:
		take_availability(ha, msg);
		return;
	case EVENT_ALARM:
		take_alarm(ha, msg);
		return;
	case EVENT_HEALTH:
		take_health(ha, msg);
		return;
	case EVENT_DEVICE: /* its description says it */
	case EVENT_ANCHOR:
	case EVENT_KINDS:
		outlet_ack(ha->outlet, msg->link_event.number);
	}
}

/* Home Assistant believes what it asked for; when that was refused it is shown what is. */
static void take_answer(struct ha *ha, const struct wire_msg *msg)
{
	struct known *known = devices_find(ha->devices, msg->link_answer.device);

	if (known && msg->link_answer.result != RESULT_OK)
		devices_set_due(ha->devices, known, DUE_STATE);
}

static void ha_core(struct profile *profile, const struct wire_msg *msg)
{
	struct ha *ha = ha_of(profile);

	if (msg->type == WIRE_LINK_EVENT)
		take_event(ha, msg);
	else if (msg->type == WIRE_LINK_DEVICE)
		take_device(ha, msg);
	else if (msg->type == WIRE_LINK_GONE)
		take_gone(ha, msg);
	else if (msg->type == WIRE_LINK_ANSWER)
		take_answer(ha, msg);
}

/* From Home Assistant. */

static void sync_with_core(struct ha *ha)
{
	outlet_say(ha->outlet, &(struct wire_msg){ .type = WIRE_LINK_SYNC });
}

static void on_birth(void *ctx)
{
	struct ha *ha = ctx;

	if (!outlet_is_up(ha->outlet))
		return;
	all_due(ha);
	sync_with_core(ha);
	ha_flush(&ha->profile);
}

static void take_status(struct ha *ha, const struct mqtt_message *message)
{
	static const char online[] = "online";
	uint32_t wait = BIRTH_MS_MIN + crypto_random_below(BIRTH_MS_MAX - BIRTH_MS_MIN + 1);

	/* A kept one says nothing about now, and all is said on connecting anyway. */
	if (!message->retained && message->len == sizeof(online) - 1 && memcmp(message->payload, online, message->len) == 0)
		timer_start(ha->birth, wait);
}

static enum note_kind note_of(int r)
{
	return r == HA_E_TOPIC ? NOTE_BAD_TOPIC : r == HA_E_VALUE ? NOTE_BAD_VALUE : NOTE_MALFORMED;
}

static void take_orders(struct ha *ha, const struct ha_orders *orders, struct device_id id)
{
	for (size_t i = 0; i < orders->n; i++) {
		struct wire_msg msg = { .type = WIRE_LINK_COMMAND };

		msg.link_command.device = id;
		msg.link_command.endpoint = orders->all[i].endpoint;
		msg.link_command.cap = orders->all[i].cap;
		msg.link_command.value = orders->all[i].value;
		outlet_say(ha->outlet, &msg);
	}
}

static void take_command(struct ha *ha, const struct mqtt_message *message)
{
	struct ha_orders orders;
	struct device_id id;
	struct known *known;
	const char *object;
	int r;

	if (ha_read_topic(&ha->topics, message->topic, &id, &object)) {
		outlet_note(ha->outlet, NOTE_BAD_TOPIC, message->topic, "not a topic of ours");
		return;
	}
	if (message->retained) {
		outlet_note(ha->outlet, NOTE_REFUSED_COMMAND, message->topic, "a retained command");
		return;
	}
	known = devices_find(ha->devices, id);
	if (!known || known->gone) {
		outlet_note(ha->outlet, NOTE_UNKNOWN_DEVICE, message->topic, "no such device");
		return;
	}
	r = ha_read_command(known->desc, object, message->payload, message->len, &orders);
	if (r)
		outlet_note(ha->outlet, note_of(r), message->topic, orders.why);
	else
		take_orders(ha, &orders, id);
}

static void ha_message(struct profile *profile, const struct mqtt_message *message)
{
	struct ha *ha = ha_of(profile);

	if (message->len > HA_PAYLOAD_MAX)
		outlet_note(ha->outlet, NOTE_OVERSIZE, "", "a payload of more than 64 KiB");
	else if (strcmp(message->topic, ha->topics.status) == 0)
		take_status(ha, message);
	else if (!ha_sweep_hear(&ha->sweep, message))
		take_command(ha, message);
}

/* Beginning and end. */

/* Before the first connection the core is asked for all states, so that no half of one is ever shown. */
static void ha_ready(struct profile *profile)
{
	sync_with_core(ha_of(profile));
}

static void ha_up(struct profile *profile)
{
	struct ha *ha = ha_of(profile);

	outlet_subscribe(ha->outlet, ha->topics.commands);
	outlet_subscribe(ha->outlet, ha->topics.status);
	if (ha->was_up)
		sync_with_core(ha);
	ha->was_up = true;
	ha_sweep_begin(&ha->sweep);
	all_due(ha);
	ha_flush(profile);
}

static void ha_down(struct profile *profile)
{
	struct ha *ha = ha_of(profile);

	timer_stop(ha->birth);
	ha_sweep_end(&ha->sweep);
	drop_alarms(ha);
	ha->n_health_numbers = 0;
	for (struct known *known = devices_next(ha->devices, NULL); known; known = devices_next(ha->devices, known))
		known->n_numbers = 0;
}

static void ha_forget(struct profile *profile)
{
	struct ha *ha = ha_of(profile);

	ha_down(profile);
	devices_clear(ha->devices);
	ha->n_health = 0;
	ha->was_up = false;
}

static const char *ha_will_topic(const struct profile *profile)
{
	return CONTAINER_OF((struct profile *)(uintptr_t)profile, struct ha, profile)->topics.bridge_state;
}

static struct profile *ha_free(struct profile *profile)
{
	struct ha *ha = ha_of(profile);

	drop_alarms(ha);
	ha_sweep_deinit(&ha->sweep);
	ha->birth = timer_close(ha->birth);
	devices_free(ha->devices);
	jsonw_deinit(&ha->scratch);
	free(ha);
	return NULL;
}

/* No session is kept: a command that waited at the broker while nobody was there is not carried out afterwards. */
static const struct profile_ops ha_ops = {
	.name = "homeassistant",
	.clean_start = true,
	.session_expiry_s = 0,
	.will_topic = ha_will_topic,
	.will_payload = "{\"state\":\"offline\"}",
	.ready = ha_ready,
	.up = ha_up,
	.down = ha_down,
	.forget = ha_forget,
	.core = ha_core,
	.message = ha_message,
	.flush = ha_flush,
	.free = ha_free,
};

int ha_new(struct loop *loop, const struct settings *settings, struct outlet *outlet, struct profile **ret)
{
	struct ha *ha = calloc(1, sizeof(*ha));
	int r;

	if (!ha)
		return -ENOMEM;
	ha->profile.ops = &ha_ops;
	ha->loop = loop;
	ha->outlet = outlet;
	list_init(&ha->alarms);
	r = ha_topics_init(&ha->topics, settings->base_topic, settings->discovery_prefix, settings->client_id);
	if (!r)
		r = timer_new(loop, on_birth, ha, &ha->birth);
	if (!r)
		r = devices_new(&ha->devices);
	if (!r)
		r = ha_sweep_init(&ha->sweep, loop, &ha->topics, outlet, ha->devices);
	if (r) {
		ha_free(&ha->profile);
		return r;
	}
	*ret = &ha->profile;
	return 0;
}
