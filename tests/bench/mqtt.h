#pragma once
/* mqtt - the few MQTT 3.1.1 packets a load needs; a pure codec, for the bench only.
 *
 *   above   bench/crowd  bench/watcher
 *   owns    nothing: bytes in, struct out
 *   limits  MQTT_TOPIC_MAX
 *   errors  MQTT_E_SHORT MQTT_E_BAD
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	MQTT_TOPIC_MAX = 128, /* the longest topic or client id we write */
	MQTT_HEAD_MAX = 16,   /* room for everything of a packet that is not topic or payload */
};

enum {
	MQTT_E_SHORT = 1, /* the packet is not complete yet */
	MQTT_E_BAD,       /* no broker of ours sends this */
};

enum mqtt_type {
	MQTT_CONNACK = 2,
	MQTT_PUBLISH = 3,
	MQTT_PUBACK = 4,
	MQTT_SUBACK = 9,
	MQTT_PINGRESP = 13,
};

struct mqtt_packet {
	uint8_t type;
	uint8_t flags;
	const uint8_t *body; /* borrowed from the input */
	size_t body_len;
};

struct mqtt_publish {
	uint8_t qos;
	bool dup;
	bool retain;
	uint16_t id; /* 0 with QoS 0 */
	const uint8_t *topic;
	size_t topic_len;
	const uint8_t *payload;
	size_t payload_len;
};

/* The writers return how many bytes they wrote; out has room for MQTT_HEAD_MAX, topic and payload. */
size_t mqtt_put_connect(uint8_t *out, const char *client_id);
size_t mqtt_put_subscribe(uint8_t *out, uint16_t id, const char *filter, uint8_t qos);
size_t mqtt_put_publish(uint8_t *out, const char *topic, uint8_t qos, uint16_t id,
			const void *payload, size_t payload_len);
size_t mqtt_put_puback(uint8_t *out, uint16_t id);

/* Takes one packet off the front of in; 0, MQTT_E_SHORT or MQTT_E_BAD. */
__attribute__((warn_unused_result)) int mqtt_take(const uint8_t *in, size_t in_len,
					  struct mqtt_packet *ret, size_t *ret_used);
__attribute__((warn_unused_result)) int mqtt_read_publish(const struct mqtt_packet *packet,
						  struct mqtt_publish *ret);
