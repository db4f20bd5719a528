#pragma once
/* mqtt - one MQTT 5 connection to the LAN broker by libmosquitto's external-loop calls, with acknowledgements that can wait.
 *
 *   above   wifi/wifi_inside
 *   below   base/base  base/text  sdk/gw_adapter
 *   owns    struct mqtt: the library's client, a second descriptor of its socket
 *   limits  MQTT_BATCH_MAX MQTT_INFLIGHT_MAX MQTT_RETRY_MS_MAX
 *
 * Calls out of here are made while the library works: they may publish, subscribe, hold and pause, never close.
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"

struct mosquitto;

enum {
	MQTT_BATCH_MAX = 256,	   /* packets read in one turn */
	MQTT_INFLIGHT_MAX = 1000,  /* messages the broker may send before the first is acknowledged */
	MQTT_RETRY_MS = 250,
	MQTT_RETRY_MS_MAX = 30000,
	MQTT_CONNECT_MS = 10000,
	MQTT_TICK_MS = 5000,
};

struct mqtt_message {
	const char *topic;
	const void *payload;
	size_t len;
	bool acked; /* QoS above 0 */
	bool retained;
	bool again; /* perhaps delivered before: it was on its way when the session broke off */
};
struct mqtt_calls {
	void (*on_up)(void *ctx);
	void (*on_down)(void *ctx, const char *why);
	void (*on_message)(void *ctx, const struct mqtt_message *message);
	void (*on_published)(void *ctx, int mid, int reason); /* the broker's reason code; 0x80 and above: refused */
	void (*on_subscribed)(void *ctx, bool good);
	void (*on_batch)(void *ctx); /* after what was there has been read */
};
struct mqtt_place {
	const char *host; /* of a unix socket: its path */
	int port;	  /* 0: a unix socket */
	const char *user, *password; /* NULL: anonymous */
	const char *id;
	bool keeps;	/* the broker keeps our session and what comes for it while we are away */
	int keepalive_s;
};
struct mqtt {
	gwa_host *host;
	uint32_t timer;
	const struct mqtt_calls *calls;
	void *ctx;
	struct mqtt_place place;
	struct mosquitto *mosq;
	int fd;		    /* of our own: the library closes its own inside a call */
	uint32_t watched;
	bool up, held, paused;
	uint64_t n_events;  /* callbacks so far: whether a read brought anything */
	uint32_t failures;  /* in a row */
	uint32_t n_again;   /* so many messages more may be the broker's repetitions */
	uint64_t since_ms;
};

void mqtt_init(struct mqtt *mqtt, gwa_host *host, uint32_t timer, const struct mqtt_place *place,
	       const struct mqtt_calls *calls, void *ctx);
void mqtt_start(struct mqtt *mqtt); /* connects, and again for ever; place's texts must stay */
void mqtt_stop(struct mqtt *mqtt);  /* what is held is not acknowledged */
void mqtt_on_fd(struct mqtt *mqtt, uint32_t events);
void mqtt_on_timer(struct mqtt *mqtt);
bool mqtt_owns(const struct mqtt *mqtt, int fd);

/* Held: nothing is written. Paused: nothing is read. Both take effect at once. */
void mqtt_hold(struct mqtt *mqtt, bool held, bool paused);
must_check int mqtt_subscribe(struct mqtt *mqtt, const char *const *topics, size_t n);
/* QoS 1, not retained; expiry_s 0: none. -ENOTCONN. */
must_check int mqtt_publish(struct mqtt *mqtt, const char *topic, const char *payload, uint32_t expiry_s, int *ret_mid);
