/* gatewayd_denied - a Mosquitto plugin that says what the broker refused.
 *
 * Mosquitto tells a refused publisher (PUBACK reason 135) and writes a line only at the debug level, together with a line for every message of the
 * house. This plugin stands behind dynamic-security in the configuration. A question that comes as far as here is one to which no rule
 * said yes, and the broker will refuse it; so the plugin answers nothing, writes one warning, and publishes what happened on
 * $SYS/gatewayd/denied for the gateway's audit, where no client of the broker can write.
 *
 * What a rule refuses by name (dynamic-security "allow": false) does not come this far. Each account has a bounded number of reports a second;
 * what goes beyond is counted and the count is told, so that one account's flood neither fills the log nor hides what another does.
 */

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The three functions by which Mosquitto finds a plugin; all else is hidden. */
#define PLUGIN_EXPORT __attribute__((visibility("default")))

#define DENIED_TOPIC "$SYS/gatewayd/denied"
#define DENIED_PER_SECOND_MAX 10u  /* reports for an account; more are counted */
#define DENIED_ACCOUNTS_MAX 32u	   /* accounts told apart in a second; further ones share the last place */
#define DENIED_TEXT_MAX 256u	   /* bytes of a foreign text that are shown */
#define DENIED_JSON_MAX 8192u	   /* four such texts, each byte escaped to six, and the frame */

/* What one account has been refused in this second. */
struct tally {
	char user[DENIED_TEXT_MAX + 1];
	unsigned int n_reports;
	uint64_t n_unreported;
};

struct denied {
	mosquitto_plugin_id_t *id;
	time_t second;
	struct tally tallies[DENIED_ACCOUNTS_MAX];
	size_t n_tallies;
};

struct text {
	char bytes[DENIED_JSON_MAX];
	size_t len;
};

static void text_add(struct text *self, const char *bytes)
{
	size_t n = strlen(bytes);

	if (n >= sizeof(self->bytes) - self->len)
		return;
	memcpy(self->bytes + self->len, bytes, n + 1);
	self->len += n;
}

/* Length of at most DENIED_TEXT_MAX bytes that does not end inside a UTF-8 sequence. */
static size_t shown_len(const char *foreign)
{
	size_t n = strnlen(foreign, DENIED_TEXT_MAX + 1);

	if (n <= DENIED_TEXT_MAX)
		return n;
	n = DENIED_TEXT_MAX;
	while (n > 0 && ((unsigned char)foreign[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static void text_add_member(struct text *self, const char *name, const char *foreign)
{
	size_t n = foreign ? shown_len(foreign) : 0;

	text_add(self, self->len == 1 ? "\"" : ",\"");
	text_add(self, name);
	text_add(self, "\":\"");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)foreign[i];
		char escaped[8];

		if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			snprintf(escaped, sizeof(escaped), "\\u%04x", c);
		else
			snprintf(escaped, sizeof(escaped), "%c", c);
		text_add(self, escaped);
	}
	text_add(self, "\"");
}

static void publish(const struct text *json)
{
	/* Nothing to do about a failure here: the broker is out of memory, and the line is in its log. */
	(void)mosquitto_broker_publish_copy(NULL, DENIED_TOPIC, (int)json->len, json->bytes, 1,
					    false, NULL);
}

static void report(const struct mosquitto *client, const char *action, const char *topic)
{
	struct text json = { .len = 0 };

	text_add(&json, "{");
	text_add_member(&json, "user", mosquitto_client_username(client));
	text_add_member(&json, "client", mosquitto_client_id(client));
	text_add_member(&json, "address", mosquitto_client_address(client));
	text_add_member(&json, "action", action);
	text_add_member(&json, "topic", topic);
	text_add(&json, "}");
	mosquitto_log_printf(MOSQ_LOG_WARNING, "denied %s", json.bytes);
	publish(&json);
}

static void report_more(const struct tally *tally)
{
	struct text json = { .len = 0 };
	char number[32];

	snprintf(number, sizeof(number), ",\"more\":%" PRIu64 "}", tally->n_unreported);
	text_add(&json, "{");
	text_add_member(&json, "user", tally->user);
	text_add(&json, number);
	mosquitto_log_printf(MOSQ_LOG_WARNING, "denied %s", json.bytes);
	publish(&json);
}

/* A new second: tells what the last one had too much of. */
static void turn_second(struct denied *self, time_t now)
{
	if (self->second == now)
		return;
	self->second = now;
	for (size_t i = 0; i < self->n_tallies; i++) {
		if (self->tallies[i].n_unreported > 0)
			report_more(&self->tallies[i]);
	}
	self->n_tallies = 0;
}

/* The account's place. When all are taken, newcomers share the last one, which then has no name. */
static struct tally *tally_of(struct denied *self, const char *user)
{
	size_t len = user ? shown_len(user) : 0;
	struct tally *tally;

	for (size_t i = 0; i < self->n_tallies; i++) {
		tally = &self->tallies[i];
		if (strlen(tally->user) == len && (len == 0 || memcmp(tally->user, user, len) == 0))
			return tally;
	}
	if (self->n_tallies == DENIED_ACCOUNTS_MAX) {
		tally = &self->tallies[DENIED_ACCOUNTS_MAX - 1];
		tally->user[0] = '\0';
		return tally;
	}
	tally = &self->tallies[self->n_tallies++];
	*tally = (struct tally){ 0 };
	if (len > 0)
		memcpy(tally->user, user, len);
	return tally;
}

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static const char *action_name(int access)
{
	if (access == MOSQ_ACL_WRITE)
		return "publish";
	if (access == MOSQ_ACL_SUBSCRIBE)
		return "subscribe";
	return NULL;
}

static int on_acl_check(int event, void *event_data, void *ctx)
{
	struct mosquitto_evt_acl_check *question = event_data;
	struct denied *self = ctx;
	/* A message that is not delivered to somebody is not that somebody's deed. */
	const char *action = action_name(question->access);
	struct tally *tally;

	(void)event;
	if (!action)
		return MOSQ_ERR_PLUGIN_DEFER;
	turn_second(self, now_s());
	tally = tally_of(self, mosquitto_client_username(question->client));
	if (tally->n_reports < DENIED_PER_SECOND_MAX) {
		tally->n_reports++;
		report(question->client, action, question->topic);
	} else {
		tally->n_unreported++;
	}
	return MOSQ_ERR_PLUGIN_DEFER;
}

static int on_tick(int event, void *event_data, void *ctx)
{
	(void)event;
	(void)event_data;
	turn_second(ctx, now_s());
	return MOSQ_ERR_SUCCESS;
}

PLUGIN_EXPORT int mosquitto_plugin_version(int n_versions, const int *versions)
{
	for (int i = 0; i < n_versions; i++) {
		if (versions[i] == MOSQ_PLUGIN_VERSION)
			return MOSQ_PLUGIN_VERSION;
	}
	return -1;
}

PLUGIN_EXPORT int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **ret_userdata,
					struct mosquitto_opt *options, int n_options)
{
	struct denied *self = calloc(1, sizeof(*self));
	int r;

	(void)options;
	(void)n_options;
	if (!self)
		return MOSQ_ERR_NOMEM;
	self->id = id;
	r = mosquitto_callback_register(id, MOSQ_EVT_ACL_CHECK, on_acl_check, NULL, self);
	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_callback_register(id, MOSQ_EVT_TICK, on_tick, NULL, self);
	if (r != MOSQ_ERR_SUCCESS) {
		free(self);
		return r;
	}
	*ret_userdata = self;
	return MOSQ_ERR_SUCCESS;
}

PLUGIN_EXPORT int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options,
					   int n_options)
{
	struct denied *self = userdata;

	(void)options;
	(void)n_options;
	if (self) {
		mosquitto_callback_unregister(self->id, MOSQ_EVT_ACL_CHECK, on_acl_check, NULL);
		mosquitto_callback_unregister(self->id, MOSQ_EVT_TICK, on_tick, NULL);
	}
	free(self);
	return MOSQ_ERR_SUCCESS;
}
