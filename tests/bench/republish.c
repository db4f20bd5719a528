/* Peer (b) of the bench: the forwarder that anybody writes in an afternoon. It subscribes to everything on the LAN
 * broker and publishes it to the cloud broker over TLS, with libmosquitto's own threads and queues and its limits
 * lifted. No policy, no record, nothing kept: whatever it costs is what MQTT by this library costs.
 *
 *   republish LAN-SOCKET CLOUD-HOST CLOUD-PORT CA CERT KEY QOS
 */
#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct republish {
	struct mosquitto *lan, *cloud;
	int qos;
};

enum { ARG_LAN = 1, ARG_HOST, ARG_PORT, ARG_CA, ARG_CERT, ARG_KEY, ARG_QOS, ARGS };

static void on_lan_connect(struct mosquitto *lan, void *ctx, int code)
{
	struct republish *self = ctx;

	if (!code)
		mosquitto_subscribe(lan, NULL, "#", self->qos);
}

static void on_lan_message(struct mosquitto *lan, void *ctx, const struct mosquitto_message *message)
{
	struct republish *self = ctx;

	(void)lan;
	mosquitto_publish(self->cloud, NULL, message->topic, message->payloadlen, message->payload,
			  message->qos, false);
}

static struct mosquitto *client_new(const char *id, struct republish *self)
{
	struct mosquitto *client = mosquitto_new(id, true, self);

	if (!client)
		return NULL;
	mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 0);
	mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_reconnect_delay_set(client, 1, 1, false);
	return client;
}

static int start(struct republish *self, char **argv)
{
	int r;

	r = mosquitto_tls_set(self->cloud, argv[ARG_CA], NULL, argv[ARG_CERT], argv[ARG_KEY], NULL);
	if (!r)
		r = mosquitto_tls_opts_set(self->cloud, 1, "tlsv1.3", NULL);
	if (!r)
		r = mosquitto_connect(self->cloud, argv[ARG_HOST], atoi(argv[ARG_PORT]), 60);
	if (!r)
		r = mosquitto_loop_start(self->cloud);
	if (r)
		return r;
	mosquitto_connect_callback_set(self->lan, on_lan_connect);
	mosquitto_message_callback_set(self->lan, on_lan_message);
	return mosquitto_connect(self->lan, argv[ARG_LAN], 0 /* a unix socket */, 60);
}

int main(int argc, char **argv)
{
	struct republish self = { 0 };
	int r;

	if (argc != ARGS) {
		fputs("republish LAN-SOCKET CLOUD-HOST CLOUD-PORT CA CERT KEY QOS\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	mosquitto_lib_init();
	self.qos = atoi(argv[ARG_QOS]);
	self.lan = client_new("bench-republish-lan", &self);
	self.cloud = client_new("bench-republish", &self);
	r = self.lan && self.cloud ? start(&self, argv) : MOSQ_ERR_NOMEM;
	if (!r)
		r = mosquitto_loop_forever(self.lan, -1, 1);
	fprintf(stderr, "republish: %s\n", mosquitto_strerror(r));
	return 1;
}
