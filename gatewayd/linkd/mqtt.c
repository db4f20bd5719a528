/* libmosquitto is used through its external loop: we watch its descriptor and call it when there is something to do. It
 * closes that descriptor inside its own calls, and a descriptor that is watched must not vanish, so we watch a copy,
 * and give the copy up as soon as the library has let go.
 *
 * The one call that may block, connect with its name look-up, runs on a pool thread; until it is back nobody else
 * touches the struct. When that takes too long the owner is told that the attempt failed, and the struct waits
 * alone for the thread to come back.
 */
#include "linkd/mqtt.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/text.h"

enum { MISC_MS = 1000, DETAIL_LEN = 200 };

struct mqtt {
	struct loop *loop;
	const struct mqtt_ops *ops;
	void *ctx;
	struct mosquitto *mosq;
	struct tls_client *tls;
	mosquitto_property *properties;
	char *host;
	uint16_t port;
	uint32_t keepalive_s;
	int fd; /* copy of the library's descriptor, -1 none */
	struct watch *watch;
	struct timer *misc, *deadline;
	struct idle_hook hook;
	int connect_rc, connect_errno; /* from the thread */
	bool working; /* the thread has it */
	bool closed;  /* the owner has let go */
	bool busy;    /* inside a call of the library or of the owner */
	bool came_up; /* CONNACK was read, the owner is not told yet */
	bool up, ended;
	enum link_reason reason;
	char detail[DETAIL_LEN];
	char tls_line[DETAIL_LEN]; /* the library's last line about TLS */
};

/* The end of it. */

static void let_go(struct mqtt *mqtt)
{
	mqtt->watch = watch_close(mqtt->watch);
	if (mqtt->fd >= 0)
		close(mqtt->fd);
	mqtt->fd = -1;
	if (mqtt->misc)
		timer_stop(mqtt->misc);
	if (mqtt->deadline)
		timer_stop(mqtt->deadline);
	loop_forget_hook(mqtt->loop, &mqtt->hook);
}

static void release(struct mqtt *mqtt)
{
	if (mqtt->working || mqtt->busy)
		return;
	let_go(mqtt);
	mqtt->misc = timer_close(mqtt->misc);
	mqtt->deadline = timer_close(mqtt->deadline);
	if (mqtt->mosq)
		mosquitto_destroy(mqtt->mosq);
	mosquitto_property_free_all(&mqtt->properties);
	free(mqtt->host);
	free(mqtt);
}

static void set_end(struct mqtt *mqtt, enum link_reason reason, const char *detail)
{
	if (mqtt->ended)
		return;
	mqtt->ended = true;
	mqtt->reason = reason;
	text_copy(mqtt->detail, sizeof(mqtt->detail), detail);
}

/* A certificate that was refused says more than any code. */
static bool set_end_tls(struct mqtt *mqtt)
{
	bool identity = true;
	const char *words;

	if (!mqtt->tls || mqtt->ended)
		return mqtt->ended;
	words = tls_client_refusal(mqtt->tls);
	if (words[0]) {
		set_end(mqtt, LINK_IDENTITY, words);
		return true;
	}
	if (!mqtt->tls_line[0])
		return false;
	words = tls_words(mqtt->tls_line, &identity);
	if (words)
		set_end(mqtt, identity ? LINK_IDENTITY : LINK_REFUSED, words);
	return mqtt->ended;
}

static void set_end_rc(struct mqtt *mqtt, int rc, int error)
{
	const char *words = mosquitto_strerror(rc);

	if (set_end_tls(mqtt))
		return;
	if (rc == MOSQ_ERR_EAI)
		words = error ? gai_strerror(error) : "its name cannot be looked up";
	else if (rc == MOSQ_ERR_ERRNO)
		words = error ? strerror(error) : "no connection";
	else if (rc == MOSQ_ERR_TLS)
		words = mqtt->tls_line[0] ? mqtt->tls_line : "the TLS handshake failed";
	else if (rc == MOSQ_ERR_KEEPALIVE)
		words = "it is silent";
	else if (rc == MOSQ_ERR_CONN_LOST)
		words = mqtt->up ? "the connection was lost" : "it closed the connection";
	set_end(mqtt, mqtt->up ? LINK_LOST : LINK_UNREACHABLE, words);
}

/* After each call into the library: is it over? Tells the owner, once. */
static void settle(struct mqtt *mqtt)
{
	if (mqtt->came_up && !mqtt->up && !mqtt->ended && !mqtt->closed) {
		mqtt->up = true;
		timer_stop(mqtt->deadline);
		mqtt->ops->on_up(mqtt->ctx);
	}
	mqtt->busy = false;
	if (mqtt->ended && !mqtt->closed) {
		let_go(mqtt);
		mqtt->closed = true;
		mqtt->busy = true;
		mqtt->ops->on_down(mqtt->ctx, mqtt->reason, mqtt->detail);
		mqtt->busy = false;
	}
	if (mqtt->closed)
		release(mqtt);
	else if (mqtt->watch && watch_set(mqtt->watch, WATCH_READ | (mosquitto_want_write(mqtt->mosq) ? WATCH_WRITE : 0)) != 0)
		set_end(mqtt, LINK_LOST, "the descriptor cannot be watched");
}

/* Called by the library. */

static void on_connect(struct mosquitto *mosq, void *ctx, int code, int flags, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;
	char words[DETAIL_LEN];

	(void)mosq;
	(void)flags;
	(void)properties;
	if (code) {
		text_print(words, sizeof(words), "it refused the connection: %s", mqtt_code_words((uint8_t)code));
		set_end(mqtt, LINK_REFUSED, words);
		return;
	}
	mqtt->came_up = true;
}

/* rc is a reason code when the broker sent DISCONNECT, and an error of the library otherwise; codes begin at 0x80. */
static void on_disconnect(struct mosquitto *mosq, void *ctx, int rc, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;
	char words[DETAIL_LEN];

	(void)mosq;
	(void)properties;
	if (rc < 0x80)
		return;
	text_print(words, sizeof(words), "it ended the connection: %s", mqtt_code_words((uint8_t)rc));
	set_end(mqtt, LINK_LOST, words);
}

static void on_publish(struct mosquitto *mosq, void *ctx, int mid, int code, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	(void)properties;
	if (!mqtt->closed && !mqtt->ended)
		mqtt->ops->on_published(mqtt->ctx, mid, (uint8_t)code);
}

static void on_subscribe(struct mosquitto *mosq, void *ctx, int mid, int n, const int *codes, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	(void)mid;
	(void)properties;
	for (int i = 0; i < n; i++)
		if (codes[i] >= 0x80 && !mqtt->closed && !mqtt->ended)
			mqtt->ops->on_refused_subscription(mqtt->ctx, (uint8_t)codes[i]);
}

static void on_message(struct mosquitto *mosq, void *ctx, const struct mosquitto_message *m, const mosquitto_property *properties)
{
	struct mqtt *mqtt = ctx;
	struct mqtt_message message = {
		.topic = m->topic,
		.payload = m->payload,
		.len = m->payloadlen > 0 ? (size_t)m->payloadlen : 0,
		.retained = m->retain,
	};

	(void)mosq;
	(void)properties;
	if (!mqtt->closed && !mqtt->ended)
		mqtt->ops->on_message(mqtt->ctx, &message);
}

static void on_log(struct mosquitto *mosq, void *ctx, int level, const char *line)
{
	struct mqtt *mqtt = ctx;

	(void)mosq;
	(void)level;
	if (strstr(line, "OpenSSL Error"))
		text_copy(mqtt->tls_line, sizeof(mqtt->tls_line), line);
}

/* On the loop. */

/* In the handshake the library takes a connection that was reset for one that is not ready, for ever. */
static bool is_gone(const struct mqtt *mqtt)
{
	char byte;
	ssize_t n = recv(mqtt->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void check(struct mqtt *mqtt, int rc)
{
	if (rc != MOSQ_ERR_SUCCESS)
		set_end_rc(mqtt, rc, errno);
	else if (mosquitto_socket(mqtt->mosq) < 0)
		set_end_rc(mqtt, MOSQ_ERR_CONN_LOST, 0);
}

static void on_watch(void *ctx, uint32_t events)
{
	struct mqtt *mqtt = ctx;
	int rc = MOSQ_ERR_SUCCESS;

	mqtt->busy = true;
	if (events & (WATCH_READ | WATCH_HANGUP)) {
		do {
			errno = 0;
			rc = mosquitto_loop_read(mqtt->mosq, 1);
			check(mqtt, rc);
		} while (!mqtt->ended && tls_pending(mosquitto_ssl_get(mqtt->mosq)));
	}
	if (!mqtt->ended && mosquitto_want_write(mqtt->mosq)) {
		errno = 0;
		check(mqtt, mosquitto_loop_write(mqtt->mosq, 1));
	}
	if (!mqtt->ended && ((events & WATCH_HANGUP) || (!mqtt->up && is_gone(mqtt))))
		set_end_rc(mqtt, MOSQ_ERR_CONN_LOST, 0);
	settle(mqtt);
}

/* What the turn has queued goes out at its end. */
static void on_turn_end(void *ctx)
{
	struct mqtt *mqtt = ctx;

	mqtt->busy = true;
	if (mosquitto_want_write(mqtt->mosq)) {
		errno = 0;
		check(mqtt, mosquitto_loop_write(mqtt->mosq, 1));
	}
	settle(mqtt);
}

static void on_misc(void *ctx)
{
	struct mqtt *mqtt = ctx;

	mqtt->busy = true;
	timer_start(mqtt->misc, MISC_MS);
	errno = 0;
	check(mqtt, mosquitto_loop_misc(mqtt->mosq));
	settle(mqtt);
}

static void on_deadline(void *ctx)
{
	struct mqtt *mqtt = ctx;

	mqtt->busy = true;
	set_end(mqtt, LINK_UNREACHABLE, mqtt->working ? "no connection in time" : "it does not answer");
	settle(mqtt);
}

/* Connecting. */

static void connect_work(void *ctx)
{
	struct mqtt *mqtt = ctx;

	errno = 0;
	mqtt->connect_rc = mosquitto_connect_bind_v5(mqtt->mosq, mqtt->host, mqtt->port, (int)mqtt->keepalive_s, NULL,
						     mqtt->properties);
	mqtt->connect_errno = errno;
}

static void on_connect_done(void *ctx, int r)
{
	struct mqtt *mqtt = ctx;

	mqtt->working = false;
	mqtt->busy = true;
	if (r != 0)
		set_end(mqtt, LINK_UNREACHABLE, "cancelled");
	else if (mqtt->connect_rc != MOSQ_ERR_SUCCESS)
		set_end_rc(mqtt, mqtt->connect_rc, mqtt->connect_errno);
	if (!mqtt->ended && !mqtt->closed) {
		mqtt->fd = fcntl(mosquitto_socket(mqtt->mosq), F_DUPFD_CLOEXEC, 3);
		if (mqtt->fd < 0 || watch_new(mqtt->loop, mqtt->fd, on_watch, mqtt, &mqtt->watch) != 0)
			set_end(mqtt, LINK_UNREACHABLE, "no descriptor");
		else
			timer_start(mqtt->misc, MISC_MS);
	}
	settle(mqtt);
}

must_check static int set_properties(struct mqtt *mqtt, const struct mqtt_options *options)
{
	int rc = mosquitto_property_add_int32(&mqtt->properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, options->session_expiry_s);

	if (!rc)
		rc = mosquitto_property_add_int16(&mqtt->properties, MQTT_PROP_RECEIVE_MAXIMUM, MQTT_RECEIVE_MAX);
	if (!rc)
		rc = mosquitto_property_add_int32(&mqtt->properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, MQTT_PACKET_MAX);
	return rc;
}

must_check static int set_options(struct mqtt *mqtt, const struct mqtt_options *options)
{
	struct mosquitto *mosq = mqtt->mosq;
	int rc = mosquitto_int_option(mosq, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);

	if (!rc)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_SEND_MAXIMUM, MQTT_SEND);
	if (!rc)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_RECEIVE_MAXIMUM, MQTT_RECEIVE_MAX);
	if (!rc)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_TCP_NODELAY, 1);
	/* Our packets leave by mosquitto_loop_write, not in the middle of somebody else's call. */
	if (!rc)
		rc = mosquitto_threaded_set(mosq, true);
	if (!rc && options->tls)
		rc = mosquitto_int_option(mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
	if (!rc && options->tls)
		rc = mosquitto_void_option(mosq, MOSQ_OPT_SSL_CTX, tls_client_context(options->tls));
	if (!rc && options->username && options->username[0]) {
		struct view password = options->password ? secret_view(options->password) : (struct view){ NULL, 0 };

		rc = mosquitto_username_pw_set(mosq, options->username, (const char *)password.data);
	}
	if (!rc && options->will_topic)
		rc = mosquitto_will_set_v5(mosq, options->will_topic, (int)strlen(options->will_payload), options->will_payload, 1,
					   true, NULL);
	return rc;
}

static void set_callbacks(struct mosquitto *mosq)
{
	mosquitto_connect_v5_callback_set(mosq, on_connect);
	mosquitto_disconnect_v5_callback_set(mosq, on_disconnect);
	mosquitto_publish_v5_callback_set(mosq, on_publish);
	mosquitto_subscribe_v5_callback_set(mosq, on_subscribe);
	mosquitto_message_v5_callback_set(mosq, on_message);
	mosquitto_log_callback_set(mosq, on_log);
}

static int errno_of(int rc)
{
	return rc == MOSQ_ERR_SUCCESS ? 0 : rc == MOSQ_ERR_NOMEM ? -ENOMEM : -EINVAL;
}

int mqtt_new(struct loop *loop, const struct mqtt_options *options, const struct mqtt_ops *ops, void *ctx, struct mqtt **ret)
{
	struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
	int r;

	if (!mqtt)
		return -ENOMEM;
	*mqtt = (struct mqtt){ .loop = loop, .ops = ops, .ctx = ctx, .tls = options->tls, .port = options->port, .fd = -1,
			       .keepalive_s = options->keepalive_s, .hook = { .fn = on_turn_end, .ctx = mqtt } };
	mqtt->host = strdup(options->host);
	mqtt->mosq = mosquitto_new(options->client_id, options->clean_start, mqtt);
	r = mqtt->host && mqtt->mosq ? 0 : -ENOMEM;
	if (!r && !options->tls && options->port)
		r = -EPROTO; /* never in the clear over a network */
	if (!r)
		r = errno_of(set_options(mqtt, options));
	if (!r)
		r = errno_of(set_properties(mqtt, options));
	if (!r)
		r = timer_new(loop, on_misc, mqtt, &mqtt->misc);
	if (!r)
		r = timer_new(loop, on_deadline, mqtt, &mqtt->deadline);
	if (!r) {
		set_callbacks(mqtt->mosq);
		if (mqtt->tls)
			tls_client_begin(mqtt->tls);
		r = loop_work(loop, connect_work, on_connect_done, mqtt);
	}
	if (r) {
		release(mqtt);
		return r;
	}
	mqtt->working = true;
	timer_start(mqtt->deadline, MQTT_CONNECT_MS);
	*ret = mqtt;
	return 0;
}

struct mqtt *mqtt_close(struct mqtt *mqtt)
{
	if (!mqtt || mqtt->closed)
		return NULL;
	mqtt->closed = true;
	timer_stop(mqtt->deadline);
	if (mqtt->up && !mqtt->ended) {
		mosquitto_disconnect_v5(mqtt->mosq, MQTT_RC_DISCONNECT_WITH_WILL_MSG, NULL);
		if (!mqtt->busy)
			mosquitto_loop_write(mqtt->mosq, 1);
	}
	release(mqtt);
	return NULL;
}

/* Saying things. */

must_check static int said(struct mqtt *mqtt, int rc)
{
	if (rc == MOSQ_ERR_SUCCESS) {
		loop_at_turn_end(mqtt->loop, &mqtt->hook);
		return 0;
	}
	if (rc == MOSQ_ERR_OVERSIZE_PACKET || rc == MOSQ_ERR_PAYLOAD_SIZE)
		return -EMSGSIZE;
	return rc == MOSQ_ERR_NOMEM ? -ENOMEM : -ENOTCONN;
}

int mqtt_publish(struct mqtt *mqtt, const char *topic, const void *payload, size_t len, bool retain, int *ret_mid)
{
	if (mqtt->ended || mqtt->closed)
		return -ENOTCONN;
	return said(mqtt, mosquitto_publish_v5(mqtt->mosq, ret_mid, topic, (int)len, payload, 1, retain, NULL));
}

int mqtt_subscribe(struct mqtt *mqtt, const char *filter)
{
	return said(mqtt, mosquitto_subscribe_v5(mqtt->mosq, NULL, filter, 1, 0, NULL));
}

int mqtt_unsubscribe(struct mqtt *mqtt, const char *filter)
{
	return said(mqtt, mosquitto_unsubscribe_v5(mqtt->mosq, NULL, filter, NULL));
}

const char *mqtt_code_words(uint8_t code)
{
	static const struct {
		uint8_t code;
		const char *words;
	} rows[] = {
		{ MQTT_RC_UNSPECIFIED, "no reason given" },
		{ MQTT_RC_IMPLEMENTATION_SPECIFIC, "a reason of its own" },
		{ MQTT_RC_BAD_USERNAME_OR_PASSWORD, "bad username or password" },
		{ MQTT_RC_NOT_AUTHORIZED, "not authorised" },
		{ MQTT_RC_CLIENTID_NOT_VALID, "client identifier not valid" },
		{ MQTT_RC_SERVER_UNAVAILABLE, "server unavailable" },
		{ MQTT_RC_SERVER_BUSY, "server busy" },
		{ MQTT_RC_BANNED, "banned" },
		{ MQTT_RC_SERVER_SHUTTING_DOWN, "server shutting down" },
		{ MQTT_RC_KEEP_ALIVE_TIMEOUT, "keep-alive timeout" },
		{ MQTT_RC_SESSION_TAKEN_OVER, "another client has our identifier" },
		{ MQTT_RC_TOPIC_NAME_INVALID, "topic name not accepted" },
		{ MQTT_RC_TOPIC_FILTER_INVALID, "topic filter not accepted" },
		{ MQTT_RC_PACKET_TOO_LARGE, "packet too large" },
		{ MQTT_RC_MESSAGE_RATE_TOO_HIGH, "message rate too high" },
		{ MQTT_RC_QUOTA_EXCEEDED, "quota exceeded" },
		{ MQTT_RC_ADMINISTRATIVE_ACTION, "administrative action" },
		{ MQTT_RC_PAYLOAD_FORMAT_INVALID, "payload not accepted" },
		{ MQTT_RC_RETAIN_NOT_SUPPORTED, "it keeps no retained messages" },
		{ MQTT_RC_QOS_NOT_SUPPORTED, "quality of service not supported" },
		{ MQTT_RC_USE_ANOTHER_SERVER, "use another server" },
		{ MQTT_RC_SERVER_MOVED, "server moved" },
		{ MQTT_RC_CONNECTION_RATE_EXCEEDED, "connection rate exceeded" },
	};
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (rows[i].code == code)
			return rows[i].words;
	return "an error it did not name";
}
