/* A device may be retired while no link is running; what was said of it lies at the broker for ever, and Home Assistant goes on
 * showing it. So after connecting we listen for a few seconds to what the broker has kept of our own devices. By
 * then the core has told which there are; the others are taken back.
 */
#include "linkd/ha_sweep.h"

#include <string.h>
#include "base/text.h"
#include "model/device_id.h"
#include "sys/json.h"

static void print_filter(const struct ha_sweep *sweep, char ret[HA_TOPIC_LEN])
{
	text_print(ret, HA_TOPIC_LEN, "%s/device/+/config", sweep->topics->prefix);
}

bool ha_sweep_is_ours(const struct ha_topics *topics, const struct mqtt_message *message, struct device_id *ret)
{
	size_t prefix = strlen(topics->prefix);
	const char *at = message->topic + prefix, *via;
	struct json *json = NULL;
	bool ours;

	if (strncmp(message->topic, topics->prefix, prefix) != 0 || strncmp(at, "/device/gwd_", 12) != 0 || strlen(at) != 43 ||
	    strcmp(at + 36, "/config") != 0 || device_id_parse(at + 12, 24, ret) != 0)
		return false;
	if (json_parse(message->payload, message->len, HA_PAYLOAD_MAX, HA_DEPTH_MAX, NULL, 0, &json) != 0)
		return false;
	via = json_get_text(json_get(json, "dev"), "via_device");
	ours = via && strcmp(via, topics->gateway) == 0;
	json_free(json);
	return ours;
}

bool ha_sweep_hear(struct ha_sweep *sweep, const struct mqtt_message *message)
{
	size_t prefix = strlen(sweep->topics->prefix);
	struct device_id id;

	if (strncmp(message->topic, sweep->topics->prefix, prefix) != 0 || strncmp(message->topic + prefix, "/device/", 8) != 0)
		return false;
	if (sweep->listening && message->retained && sweep->n < HA_SWEEP_MAX && ha_sweep_is_ours(sweep->topics, message, &id))
		sweep->ids[sweep->n++] = id;
	return true;
}

static bool take_back(struct ha_sweep *sweep, struct device_id id)
{
	static const char *const ends[] = { "state", "availability" };
	char topic[HA_TOPIC_LEN];
	struct parcel parcel = { .lane = LANE_STATES, .topic = topic, .retain = true };
	bool said;

	ha_config_topic(sweep->topics, id, topic);
	said = outlet_publish(sweep->outlet, &parcel);
	for (size_t i = 0; said && i < N_ELEMENTS(ends); i++) {
		ha_device_topic(sweep->topics, id, ends[i], topic);
		said = outlet_publish(sweep->outlet, &parcel);
	}
	return said;
}

static void on_timer(void *ctx)
{
	struct ha_sweep *sweep = ctx;
	char filter[HA_TOPIC_LEN];

	if (sweep->listening) {
		print_filter(sweep, filter);
		outlet_unsubscribe(sweep->outlet, filter);
		sweep->listening = false;
	}
	while (sweep->n) {
		struct device_id id = sweep->ids[sweep->n - 1];

		if (!devices_find(sweep->devices, id) && !take_back(sweep, id)) {
			timer_start(sweep->timer, HA_SWEEP_MS);
			return;
		}
		sweep->n--;
	}
}

void ha_sweep_begin(struct ha_sweep *sweep)
{
	char filter[HA_TOPIC_LEN];

	sweep->n = 0;
	sweep->listening = true;
	print_filter(sweep, filter);
	outlet_subscribe(sweep->outlet, filter);
	timer_start(sweep->timer, HA_SWEEP_MS);
}

void ha_sweep_end(struct ha_sweep *sweep)
{
	sweep->n = 0;
	sweep->listening = false;
	timer_stop(sweep->timer);
}

int ha_sweep_init(struct ha_sweep *sweep, struct loop *loop, const struct ha_topics *topics, struct outlet *outlet,
		  struct devices *devices)
{
	*sweep = (struct ha_sweep){ .topics = topics, .outlet = outlet, .devices = devices };
	return timer_new(loop, on_timer, sweep, &sweep->timer);
}

void ha_sweep_deinit(struct ha_sweep *sweep)
{
	sweep->timer = timer_close(sweep->timer);
}
