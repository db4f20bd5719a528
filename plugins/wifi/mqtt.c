/* libmosquitto with our loop around it. Three of its habits shape this file:
 *
 * It puts the acknowledgement of a QoS 1 message into its queue before it hands us the message. mosquitto_threaded_set
 * keeps it from writing by itself, so acknowledgements go out when we call mosquitto_loop_write, and not before what was
 * made of the messages is stored. A hold stops everything that is written, so a client that holds publishes nothing else
 * that is urgent: orders have a client of their own.
 *
 * It closes its socket inside a call, and the number may be another file's by the time we look: we watch a second
 * descriptor of the same socket.
 *
 * It would send unacknowledged orders again after a reconnect, whenever that is. An order that comes late is worse than
 * none, so each connection has a new client object.
 */
#include "wifi/mqtt.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/text.h"

enum { SESSION_KEPT_S = 7 * 24 * 3600, REFUSED = 0x80 };
/* A list of devices of 4 MiB, and its topic. More is not sent to us. */
enum { PACKET_BYTES_MAX = 4 * 1024 * 1024 + 65536 };

void mqtt_init(struct mqtt *mqtt, gwa_host *host, uint32_t timer, const struct mqtt_place *place,
	       const struct mqtt_calls *calls, void *ctx)
{
	*mqtt = (struct mqtt){ .host = host, .timer = timer, .calls = calls, .ctx = ctx, .place = *place, .fd = -1 };
}

bool mqtt_owns(const struct mqtt *mqtt, int fd)
{
	return mqtt->fd >= 0 && mqtt->fd == fd;
}

static void watch(struct mqtt *mqtt)
{
	uint32_t want = 0;

	if (mqtt->fd < 0)
		return;
	if (!mqtt->paused)
		want |= POLLIN;
	if (!mqtt->held && mosquitto_want_write(mqtt->mosq))
		want |= POLLOUT;
	if (want == mqtt->watched)
		return;
	mqtt->watched = want;
	(void)gwa(mqtt->host)->watch(mqtt->host, mqtt->fd, want);
}

static void drop(struct mqtt *mqtt)
{
	if (mqtt->fd >= 0) {
		if (mqtt->watched)
			(void)gwa(mqtt->host)->watch(mqtt->host, mqtt->fd, 0);
		close(mqtt->fd);
	}
	mqtt->fd = -1;
	mqtt->watched = 0;
	mqtt->up = false;
	if (mqtt->mosq)
		mosquitto_destroy(mqtt->mosq);
	mqtt->mosq = NULL;
}

/* Doubles, up to a bound, and differs from one gateway to the next: a broker that comes back is not met by all at once. */
static uint32_t retry_ms(struct mqtt *mqtt)
{
	uint32_t ms = MQTT_RETRY_MS, noise = 0;

	for (uint32_t i = 0; i < mqtt->failures && ms < MQTT_RETRY_MS_MAX; i++)
		ms *= 2;
	if (ms > MQTT_RETRY_MS_MAX)
		ms = MQTT_RETRY_MS_MAX;
	if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) < 0)
		noise = (uint32_t)gwa(mqtt->host)->now_ms(mqtt->host) * 2654435761u;
	return ms / 2 + noise % (ms / 2 + 1);
}

static void lost(struct mqtt *mqtt, const char *why)
{
	bool was_up = mqtt->up;

	drop(mqtt);
	mqtt->held = mqtt->paused = false;
	gwa(mqtt->host)->timer(mqtt->host, mqtt->timer, retry_ms(mqtt));
	mqtt->failures++;
	if (was_up || mqtt->failures == 1)
		mqtt->calls->on_down(mqtt->ctx, why);
}

/* What the library calls */

static void on_connect(struct mosquitto *mosq, void *ctx, int reason, int flags, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq, (void)properties;
	mqtt->n_events++;
	if (reason != 0)
		return;
	/* A session that goes on begins with what was not acknowledged in it, before our subscriptions are answered;
	 * the library does not tell DUP. */
	mqtt->n_again = flags & 1 ? MQTT_INFLIGHT_MAX : 0;
	mqtt->up = true;
	mqtt->failures = 0;
	mqtt->calls->on_up(mqtt->ctx);
}

static void on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *message,
		       const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;
	struct mqtt_message m = { .topic = message->topic, .payload = message->payload,
				  .len = (size_t)message->payloadlen, .acked = message->qos > 0,
				  .retained = message->retain, .again = message->qos > 0 && mqtt->n_again > 0 };

	(void)mosq, (void)properties;
	mqtt->n_events++;
	if (m.again)
		mqtt->n_again--;
	mqtt->calls->on_message(mqtt->ctx, &m);
}

static void on_publish(struct mosquitto *mosq, void *ctx, int mid, int reason, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq, (void)properties;
	mqtt->n_events++;
	mqtt->calls->on_published(mqtt->ctx, mid, reason);
}

static void on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int n, const int *granted,
			 const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;
	bool good = true;

	(void)mosq, (void)mid, (void)properties;
	mqtt->n_events++;
	mqtt->n_again = 0;
	for (int i = 0; i < n; i++)
		good &= granted[i] < REFUSED;
	mqtt->calls->on_subscribed(mqtt->ctx, good);
}

/* Connecting */

static int set_up(struct mqtt *mqtt)
{
	struct mosquitto *mosq = mqtt->mosq;
	int r = mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);

	if (!r)
		r = mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, MQTT_INFLIGHT_MAX);
	if (!r)
		r = mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, MQTT_INFLIGHT_MAX);
	if (!r)
		r = mosquitto_threaded_set(mosq, true);
	if (!r && mqtt->place.user)
		r = mosquitto_username_pw_set(mosq, mqtt->place.user, mqtt->place.password);
	mosquitto_connect_v5_callback_set(mosq, on_connect);
	mosquitto_message_v5_callback_set(mosq, on_message);
	mosquitto_publish_v5_callback_set(mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(mosq, on_subscribe);
	return r;
}

/* Only the blocking call takes CONNECT properties, and keeps them. A unix socket is connected at once. For a broker far
 * away it is first given a socket that cannot be there; then the other call, which does not wait for the network, goes on
 * with what it kept.
 */
static int connect_now(struct mqtt *mqtt)
{
	const struct mqtt_place *place = &mqtt->place;
	mosquitto_property *properties = NULL;
	int r;

	r = mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, place->keeps ? SESSION_KEPT_S : 0);
	if (!r)
		r = mosquitto_property_add_int32(&properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_BYTES_MAX);
	if (!r)
		r = mosquitto_connect_bind_v5(mqtt->mosq, place->port ? "/" : place->host, 0, place->keepalive_s, NULL,
					      properties);
	if (place->port)
		r = mosquitto_connect_async(mqtt->mosq, place->host, place->port, place->keepalive_s);
	mosquitto_property_free_all(&properties);
	return r;
}

static void begin(struct mqtt *mqtt)
{
	int r;

	mqtt->mosq = mosquitto_new(mqtt->place.id, !mqtt->place.keeps, mqtt);
	if (!mqtt->mosq) {
		lost(mqtt, "out of memory");
		return;
	}
	r = set_up(mqtt);
	if (!r)
		r = connect_now(mqtt);
	if (!r) {
		mqtt->fd = fcntl(mosquitto_socket(mqtt->mosq), F_DUPFD_CLOEXEC, 3);
		r = mqtt->fd < 0 ? MOSQ_ERR_ERRNO : mosquitto_loop_write(mqtt->mosq, 1);
	}
	if (r) {
		lost(mqtt, mosquitto_strerror(r));
		return;
	}
	mqtt->since_ms = gwa(mqtt->host)->now_ms(mqtt->host);
	gwa(mqtt->host)->timer(mqtt->host, mqtt->timer, MQTT_TICK_MS);
	watch(mqtt);
}

void mqtt_start(struct mqtt *mqtt)
{
	begin(mqtt);
}

void mqtt_stop(struct mqtt *mqtt)
{
	gwa(mqtt->host)->timer(mqtt->host, mqtt->timer, 0);
	if (mqtt->mosq && mqtt->up && !mqtt->held) {
		(void)mosquitto_disconnect_v5(mqtt->mosq, 0, NULL);
		(void)mosquitto_loop_write(mqtt->mosq, 1);
	}
	drop(mqtt);
}

/* Turning */

/* All that is in the queue, or as much as the socket takes. */
static int flush(struct mqtt *mqtt)
{
	return mosquitto_want_write(mqtt->mosq) ? mosquitto_loop_write(mqtt->mosq, 1) : MOSQ_ERR_SUCCESS;
}

/* Until there is no more, or enough for one turn. A packet without a callback ends the turn: poll comes again. */
static int read_some(struct mqtt *mqtt)
{
	int r = MOSQ_ERR_SUCCESS;

	for (unsigned n = 0; n < MQTT_BATCH_MAX && !mqtt->paused && !r; n++) {
		uint64_t before = mqtt->n_events;
		bool was_up = mqtt->up;

		r = mosquitto_loop_read(mqtt->mosq, 1);
		/* What was asked for at the start is asked before anything can hold it back. */
		if (!r && !was_up && mqtt->up)
			r = flush(mqtt);
		if (mqtt->n_events == before)
			break;
	}
	return r;
}

void mqtt_on_fd(struct mqtt *mqtt, uint32_t events)
{
	int r = MOSQ_ERR_SUCCESS;

	if (!mqtt->mosq)
		return;
	if (events & POLLIN)
		r = read_some(mqtt);
	if (!r)
		mqtt->calls->on_batch(mqtt->ctx);
	if (!r && !mqtt->held)
		r = flush(mqtt);
	if (r)
		lost(mqtt, mosquitto_strerror(r));
	else
		watch(mqtt);
}

void mqtt_on_timer(struct mqtt *mqtt)
{
	int r;

	if (!mqtt->mosq) {
		begin(mqtt);
		return;
	}
	if (!mqtt->up && gwa(mqtt->host)->now_ms(mqtt->host) - mqtt->since_ms > MQTT_CONNECT_MS) {
		lost(mqtt, "the broker does not answer");
		return;
	}
	/* Keep-alive cannot be sent while held, nor be missed by anybody: the broker is waiting for us. */
	r = mqtt->held ? MOSQ_ERR_SUCCESS : mosquitto_loop_misc(mqtt->mosq);
	if (!r && !mqtt->held)
		r = flush(mqtt);
	if (r) {
		lost(mqtt, mosquitto_strerror(r));
		return;
	}
	gwa(mqtt->host)->timer(mqtt->host, mqtt->timer, MQTT_TICK_MS);
	watch(mqtt);
}

void mqtt_hold(struct mqtt *mqtt, bool held, bool paused)
{
	bool freed = mqtt->held && !held;

	mqtt->held = held;
	mqtt->paused = paused;
	if (!mqtt->mosq)
		return;
	if (freed && flush(mqtt)) {
		/* Not from inside the library, where lost() may not be called: the socket is dead and poll says so. */
		mqtt->paused = false;
	}
	watch(mqtt);
}

int mqtt_subscribe(struct mqtt *mqtt, const char *const *topics, size_t n)
{
	char *list[64];

	if (!mqtt->up || n > N_ELEMENTS(list))
		return -ENOTCONN;
	for (size_t i = 0; i < n; i++)
		list[i] = (char *)(uintptr_t)topics[i];
	return mosquitto_subscribe_multiple(mqtt->mosq, NULL, (int)n, list, 1, 0, NULL) ? -EIO : 0;
}

int mqtt_publish(struct mqtt *mqtt, const char *topic, const char *payload, uint32_t expiry_s, int *ret_mid)
{
	mosquitto_property *properties = NULL;
	int r = 0;

	if (!mqtt->up)
		return -ENOTCONN;
	if (expiry_s)
		r = mosquitto_property_add_int32(&properties, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, expiry_s);
	if (!r)
		r = mosquitto_publish_v5(mqtt->mosq, ret_mid, topic, (int)strlen(payload), payload, 1, false,
					 properties);
	mosquitto_property_free_all(&properties);
	if (r)
		return r == MOSQ_ERR_NO_CONN || r == MOSQ_ERR_CONN_LOST ? -ENOTCONN : -EIO;
	watch(mqtt);
	return 0;
}
