#pragma once
/* ha_codec - Home Assistant's payloads: discovery, states and availability out, commands in.
 *
 *   above   linkd/ha
 *   below   base/base  base/text  linkd/devices  linkd/ha_entity  linkd/jsonw  linkd/mqtt  model/capability  model/device_id
 *           model/value
 *   owns    nothing: pure
 *   limits  HA_PAYLOAD_MAX HA_DEPTH_MAX HA_ORDERS_MAX
 *   errors  HA_E_TOPIC HA_E_VALUE HA_E_MALFORMED
 */
#include "base/base.h"
#include "linkd/devices.h"
#include "linkd/ha_entity.h"
#include "linkd/jsonw.h"
#include "linkd/mqtt.h"
#include "model/value.h"

enum { HA_PAYLOAD_MAX = 65536, HA_DEPTH_MAX = 8, HA_ORDERS_MAX = 5, HA_WHY_LEN = 160 };
enum { HA_E_TOPIC = 1, HA_E_VALUE, HA_E_MALFORMED };

/* Where everything is. Made once. */
struct ha_topics {
	char base[MQTT_TOPIC_MAX], prefix[MQTT_TOPIC_MAX];
	char gateway[80]; /* identifier of the gateway's own device: [a-zA-Z0-9_-] */
	char bridge_state[MQTT_TOPIC_MAX + 32], bridge_health[MQTT_TOPIC_MAX + 32], bridge_alarm[MQTT_TOPIC_MAX + 32];
	char status[MQTT_TOPIC_MAX + 32]; /* Home Assistant's birth and death */
	char commands[MQTT_TOPIC_MAX + 32]; /* filter */
};
must_check int ha_topics_init(struct ha_topics *topics, const char *base, const char *prefix, const char *client_id);
/* Each fits MQTT_TOPIC_MAX + 96 bytes. end: "state", "availability", "state/light". */
enum { HA_TOPIC_LEN = MQTT_TOPIC_MAX + 96 };
void ha_config_topic(const struct ha_topics *topics, struct device_id id, char ret[HA_TOPIC_LEN]);
void ha_device_topic(const struct ha_topics *topics, struct device_id id, const char *end, char ret[HA_TOPIC_LEN]);

void ha_put_gateway(struct jsonw *w, const struct ha_topics *topics);
void ha_put_device(struct jsonw *w, const struct ha_topics *topics, const struct known *known);
void ha_put_state(struct jsonw *w, const struct known *known, const struct ha_entity *entities, size_t n);
/* Lights have a payload of their own. False: nothing is known of it. */
bool ha_put_light(struct jsonw *w, const struct known *known, const struct ha_entity *entity);

/* One message may want several things: on, and so bright. Texts borrow from payload or from text. */
struct ha_order {
	uint8_t endpoint;
	uint16_t cap;
	struct value value;
};
struct ha_orders {
	struct device_id device;
	struct ha_order all[HA_ORDERS_MAX];
	size_t n;
	char text[64];
	char why[HA_WHY_LEN];
};
/* Whose command topic is it? HA_E_TOPIC: nobody's. object is borrowed from topic. */
must_check int ha_read_topic(const struct ha_topics *topics, const char *topic, struct device_id *ret_id, const char **ret_object);
/* HA_E_TOPIC: no such entity; HA_E_VALUE; HA_E_MALFORMED. ret->why says it. */
must_check int ha_read_command(const struct device_desc *desc, const char *object, const void *payload, size_t len,
			       struct ha_orders *ret);
