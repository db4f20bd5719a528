#pragma once
/* mqtt - one connection to one broker, from the first look-up to the end; a new one is a new struct.
 *
 *   above   linkd/linkd
 *   below   base/base  base/text  model/wire  sys/crypto  sys/loop  sys/tls
 *   owns    struct mqtt: libmosquitto's client, its descriptor's copy, timers
 *   limits  MQTT_TOPIC_MAX MQTT_PACKET_MAX MQTT_RECEIVE_MAX
 *
 * Everything is MQTT 5. Looking up a name may take long and is done by a pool thread; all else is on the loop.
 */
#include "base/base.h"
#include "model/wire.h"
#include "sys/crypto.h"
#include "sys/loop.h"
#include "sys/tls.h"

enum {
	MQTT_TOPIC_MAX = 256,
	MQTT_PACKET_MAX = 262144,  /* told to the broker: it sends nothing larger */
	MQTT_RECEIVE_MAX = 32,     /* unacknowledged messages towards us */
	MQTT_SEND = 256,           /* and from us: more than an outlet has; the broker may want fewer */
	MQTT_CONNECT_MS = 15000,   /* from the first look-up to CONNACK */
};

struct mqtt;
struct mqtt_options {
	const char *host; /* or the path of a unix socket */
	uint16_t port;    /* 0: unix socket */
	struct tls_client *tls; /* NULL only for a unix socket; outlives the connection */
	const char *client_id, *username;
	const struct secret *password; /* NULL: none */
	uint32_t keepalive_s, session_expiry_s;
	bool clean_start;
	const char *will_topic, *will_payload; /* retained, QoS 1 */
};

struct mqtt_message {
	const char *topic; /* UTF-8, from the broker */
	const void *payload;
	size_t len;
	bool retained;
};

/* Any of them may close the connection. */
struct mqtt_ops {
	void (*on_up)(void *ctx);
	/* The end, also of one that never came up. Called once, not after mqtt_close; the struct is freed after it. */
	void (*on_down)(void *ctx, enum link_reason reason, const char *detail);
	/* PUBACK of a publish with QoS 1; code 0x80 and above: not delivered. */
	void (*on_published)(void *ctx, int mid, uint8_t code);
	void (*on_refused_subscription)(void *ctx, uint8_t code);
	void (*on_message)(void *ctx, const struct mqtt_message *message);
};

/* What is in options is copied or not needed afterwards, but for tls. */
must_check int mqtt_new(struct loop *loop, const struct mqtt_options *options, const struct mqtt_ops *ops, void *ctx,
			struct mqtt **ret);
/* -EMSGSIZE: more than this broker takes. -ENOTCONN: it is gone, on_down follows. */
must_check int mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t len, bool retain, int *ret_mid);
must_check int mqtt_subscribe(struct mqtt *mqtt, const char *filter);
must_check int mqtt_unsubscribe(struct mqtt *mqtt, const char *filter);
/* With its last will: the broker says of us what we asked it to say. */
struct mqtt *mqtt_close(struct mqtt *mqtt);
const char *mqtt_code_words(uint8_t code);
