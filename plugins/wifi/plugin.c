/* The plugin as the host sees it: settings, the two connections, and who is called for what.
 *
 * Two accounts of the broker, two connections. "intake" hears everything and says nothing; it holds its acknowledgements
 * back. "command" says orders and hears nothing, so that an order never waits behind what is being stored.
 */
#include "wifi/plugin.h"

#include <fcntl.h>
#include <mosquitto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "wifi/wifi_inside.h"

enum { INTAKE_KEEPALIVE_S = 1800, COMMAND_KEEPALIVE_S = 20 };

/* Settings */

static bool set_broker(gwa_self *self, const char *value)
{
	struct settings *s = &self->settings;
	char *colon;
	uint32_t port;

	if (strncmp(value, "unix:", 5) == 0)
		value += 5;
	if (!text_copy(s->broker, sizeof(s->broker), value))
		return false;
	if (value[0] == '/')
		return true;
	colon = strrchr(s->broker, ':');
	if (!colon || colon == s->broker || text_to_u32(colon + 1, 1, 65535, &port))
		return false;
	*colon = '\0';
	s->port = (int)port;
	return true;
}

static bool set_user(struct account *account, const char *value)
{
	account->named = true;
	return value[0] && text_copy(account->user, sizeof(account->user), value);
}

/* Exactly the password, a line end at most. Read now: later no file can be opened. */
static bool set_password(struct account *account, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, account->password, sizeof(account->password));

	if (fd >= 0)
		close(fd);
	if (n <= 0 || n == sizeof(account->password))
		return false;
	account->password[n] = '\0';
	account->password[strcspn(account->password, "\r\n")] = '\0';
	return account->password[0];
}

static bool is_base_fit(const char *name)
{
	static const char *const never[] = { "gatewayd", "homeassistant", "tele", "stat", "cmnd", "tasmota" };

	for (size_t i = 0; i < N_ELEMENTS(never); i++) {
		if (text_equal(name, never[i]))
			return false;
	}
	return lan_topic_is_fit(name) && !strstr(name, "//") && name[0] != '/' && name[strlen(name) - 1] != '/' &&
	       strncmp(name, "gatewayd/", 9) != 0 && strncmp(name, "homeassistant/", 14) != 0;
}

/* Names by commas. Ours, of the home link and of Home Assistant, are no devices' and are refused. */
static bool set_bases(gwa_self *self, const char *value)
{
	self->n_bases = 0;
	while (*value) {
		struct base *base = &self->bases[self->n_bases];
		size_t len = strcspn(value, ", ");

		if (len && (self->n_bases == WIFI_BASES_MAX || !text_copy_n(base->name, sizeof(base->name), value, len) ||
			    !is_base_fit(base->name)))
			return false;
		if (len) {
			base->len = len;
			self->n_bases++;
		}
		value += len;
		value += strspn(value, ", ");
	}
	return true;
}

static bool set_flag(bool *flag, const char *value)
{
	*flag = text_equal(value, "on") || text_equal(value, "true") || text_equal(value, "yes");
	return *flag || text_equal(value, "off") || text_equal(value, "false") || text_equal(value, "no");
}

/* Under which prefix devices describe themselves as to Home Assistant; "" is nowhere. */
static bool set_discovery(gwa_self *self, const char *value)
{
	if (!value[0] || text_equal(value, "off"))
		return true;
	return text_is_name(value, sizeof(self->hass.prefix) - 1) && !text_equal(value, "gatewayd") &&
	       text_copy(self->hass.prefix, sizeof(self->hass.prefix), value);
}

static bool set_one(gwa_self *self, const char *key, const char *value)
{
	struct settings *s = &self->settings;

	if (text_equal(key, "broker"))
		return set_broker(self, value);
	if (text_equal(key, "intake_user"))
		return set_user(&s->intake, value);
	if (text_equal(key, "command_user"))
		return set_user(&s->command, value);
	if (text_equal(key, "intake_password_file"))
		return set_password(&s->intake, value);
	if (text_equal(key, "command_password_file"))
		return set_password(&s->command, value);
	if (text_equal(key, "base"))
		return set_bases(self, value);
	if (text_equal(key, "tasmota"))
		return set_flag(&s->tasmota, value);
	if (text_equal(key, "shelly"))
		return set_flag(&s->shelly, value);
	if (text_equal(key, "discovery"))
		return set_discovery(self, value);
	return false;
}

/* intake-user is intake_user. */
static void plain_key(const char *key, char ret[64])
{
	text_copy(ret, 64, key);
	for (char *p = ret; *p; p++) {
		if (*p == '-')
			*p = '_';
	}
}

static int read_settings(gwa_self *self, const struct gwa_opt *opts, uint32_t n)
{
	char key[64], text[192];

	self->settings.tasmota = self->settings.shelly = true;
	self->bases[0] = (struct base){ .name = "zigbee2mqtt", .len = strlen("zigbee2mqtt") };
	self->n_bases = 1;
	for (uint32_t i = 0; i < n; i++) {
		plain_key(opts[i].key, key);
		errno = 0;
		if (set_one(self, key, opts[i].value))
			continue;
		text_print(text, sizeof(text), "option %s: unknown, or not what it should be (%s)", opts[i].key,
			   strerror(errno));
		gwa(self->host)->log(self->host, 3, text);
		return -EINVAL;
	}
	if (!self->settings.broker[0]) {
		gwa(self->host)->log(self->host, 3, "option broker: a socket's path or host:port is needed");
		return -EINVAL;
	}
	return 0;
}

/* Is the broker ours? Only one that would refuse the intake's order, from an account of its own, protects devices. */
static void say_enforced(gwa_self *self, bool refused)
{
	bool enforced = refused && self->settings.intake.named && self->settings.command.named &&
			!text_equal(self->settings.intake.user, self->settings.command.user);

	if (self->enforced_known && self->enforced == enforced)
		return;
	self->enforced_known = true;
	self->enforced = enforced;
	gwa(self->host)->note(self->host, GWA_NOTE_STATUS, 1, "broker", enforced ? "enforced" : "unenforced");
}

/* Intake */

static void intake_up(void *ctx)
{
	const char *topics[WIFI_BASES_MAX + 9];
	char entity[96], node[96];
	char below[WIFI_BASES_MAX][WIFI_BASE_MAX + 2];
	gwa_self *self = ctx;
	size_t n = 0;

	topics[n++] = "$SYS/gatewayd/denied";
	if (self->settings.tasmota) {
		topics[n++] = "tasmota/discovery/+/+";
		topics[n++] = "tele/+/+";
		topics[n++] = "stat/+/+";
	}
	for (size_t i = 0; i < self->n_bases; i++) {
		self->bases[i].listed = false;
		text_print(below[i], sizeof(below[i]), "%s/#", self->bases[i].name);
		topics[n++] = below[i];
	}
	if (self->settings.shelly) {
		topics[n++] = "+/online";
		topics[n++] = "+/events/rpc";
		topics[n++] = "gateway-rpc/+/rpc";
	}
	if (self->hass.prefix[0]) {
		text_print(entity, sizeof(entity), "%s/+/+/config", self->hass.prefix);
		text_print(node, sizeof(node), "%s/+/+/+/config", self->hass.prefix);
		topics[n++] = entity;
		topics[n++] = node;
	}
	if (mqtt_subscribe(&self->intake, topics, n))
		gwa(self->host)->log(self->host, 3, "cannot subscribe");
	if (mqtt_publish(&self->intake, self->probe, "", 1, &self->probe_mid))
		self->probe_mid = 0;
	self->settling = true;
	self->settle_turns = 0;
	gwa(self->host)->timer(self->host, TIMER_SETTLE, WIFI_SETTLE_MS);
	gwa(self->host)->timer(self->host, TIMER_GRACE, 0);
	gwa(self->host)->log(self->host, 6, "connected to the LAN broker");
	self->lan_lost = false;
	hass_up(self);
	entries_tell(self);
	/* Orders go another way, which is open again, too: it need not wait for its turn. */
	if (!self->command.mosq)
		gwa(self->host)->timer(self->host, TIMER_COMMAND, 1);
}

/* What was not acknowledged comes again. */
static void intake_down(void *ctx, const char *why)
{
	struct waiting_message **at;
	gwa_self *self = ctx;
	char text[160];

	for (at = &self->waiting.first; *at;) {
		if ((*at)->acked)
			waiting_remove(&self->waiting, at);
		else
			at = &(*at)->next;
	}
	self->hold_until = 0;
	text_print(text, sizeof(text), "no connection to the LAN broker: %s", why);
	gwa(self->host)->log(self->host, 4, text);
	gwa(self->host)->timer(self->host, TIMER_GRACE, WIFI_GRACE_MS);
}

static void intake_arrived(void *ctx, const struct mqtt_message *message)
{
	intake_message(ctx, message);
}

static void intake_published(void *ctx, int mid, int reason)
{
	gwa_self *self = ctx;

	if (mid == self->probe_mid)
		say_enforced(self, reason >= 0x80);
}

static void intake_subscribed(void *ctx, bool good)
{
	gwa_self *self = ctx;

	if (!good)
		wifi_note(self, GWA_NOTE_STATUS, 1, "broker", "refuses our subscriptions");
}

static void intake_batch(void *ctx)
{
	intake_hold(ctx);
}

static const struct mqtt_calls intake_calls = {
	.on_up = intake_up,		.on_down = intake_down,
	.on_message = intake_arrived,	.on_published = intake_published,
	.on_subscribed = intake_subscribed, .on_batch = intake_batch,
};

/* Command */

static void command_up(void *ctx)
{
	(void)ctx;
}

static void command_down(void *ctx, const char *why)
{
	(void)why;
	commands_fail_all(ctx, GWA_UNREACHABLE);
}

static void command_arrived(void *ctx, const struct mqtt_message *message)
{
	(void)ctx, (void)message;
}

static void command_published(void *ctx, int mid, int reason)
{
	commands_published(ctx, mid, reason);
}

static void command_subscribed(void *ctx, bool good)
{
	(void)ctx, (void)good;
}

static void command_batch(void *ctx)
{
	(void)ctx;
}

static const struct mqtt_calls command_calls = {
	.on_up = command_up,		.on_down = command_down,
	.on_message = command_arrived,	.on_published = command_published,
	.on_subscribed = command_subscribed, .on_batch = command_batch,
};

/* What the host calls */

static void start(gwa_self *self)
{
	const struct settings *s = &self->settings;
	struct mqtt_place intake = { .host = s->broker, .port = s->port, .keeps = true, .keepalive_s = INTAKE_KEEPALIVE_S,
				     .user = s->intake.named ? s->intake.user : NULL, .password = s->intake.password,
				     .id = s->intake.named ? s->intake.user : "gatewayd-intake" };
	struct mqtt_place command = { .host = s->broker, .port = s->port, .keepalive_s = COMMAND_KEEPALIVE_S,
				      .user = s->command.named ? s->command.user : NULL,
				      .password = s->command.password,
				      .id = s->command.named ? s->command.user : "gatewayd-command" };

	text_print(self->probe, sizeof(self->probe), "%s/gatewayd-probe/set",
		   self->n_bases ? self->bases[0].name : "gatewayd-wifi");
	mqtt_init(&self->intake, self->host, TIMER_INTAKE, &intake, &intake_calls, self);
	mqtt_init(&self->command, self->host, TIMER_COMMAND, &command, &command_calls, self);
	self->settling = true;
	bridge_load(self);
	gwa(self->host)->timer(self->host, TIMER_SETTLE, WIFI_SETTLE_MS);
	mqtt_start(&self->command);
	mqtt_start(&self->intake);
}

static void self_free(gwa_self *self)
{
	discovery_forget(self);
	house_deinit(&self->house);
	hass_house_deinit(&self->hass);
	shellies_deinit(&self->shellies);
	waiting_deinit(&self->waiting);
	explicit_bzero(&self->settings, sizeof(self->settings));
	free(self);
}

static int wifi_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	gwa_self *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return -ENOMEM;
	self->host = host;
	r = read_settings(self, opts, n);
	if (r) {
		self_free(self);
		return r;
	}
	mosquitto_lib_init();
	start(self);
	*ret = self;
	return 0;
}

static void wifi_close(gwa_self *self)
{
	commands_fail_all(self, GWA_FAILED);
	mqtt_stop(&self->command);
	mqtt_stop(&self->intake);
	mosquitto_lib_cleanup();
	self_free(self);
}

static void wifi_on_stored(gwa_self *self, uint64_t up_to)
{
	self->stored = up_to;
	self->blocked = false;
	intake_replay(self);
	intake_hold(self);
}

static void wifi_on_fd(gwa_self *self, int fd, uint32_t events)
{
	if (mqtt_owns(&self->intake, fd))
		mqtt_on_fd(&self->intake, events);
	else if (mqtt_owns(&self->command, fd))
		mqtt_on_fd(&self->command, events);
}

static void say_notes(gwa_self *self)
{
	struct lan_note note;

	while (notes_take(&self->notes, &note))
		gwa(self->host)->note(self->host, note.kind, note.count, note.object, note.text);
}

static void wifi_on_timer(gwa_self *self, uint32_t timer)
{
	if (timer == TIMER_INTAKE) {
		mqtt_on_timer(&self->intake);
	} else if (timer == TIMER_COMMAND) {
		mqtt_on_timer(&self->command);
	} else if (timer == TIMER_SETTLE) {
		intake_settle(self);
	} else if (timer == TIMER_ORDERS) {
		commands_timer(self);
	} else if (timer == TIMER_NOTES) {
		say_notes(self);
	} else if (timer == TIMER_HASS) {
		hass_timer(self);
	} else if (timer == TIMER_SHELLIES) {
		shellies_timer(self);
	} else if (timer == TIMER_GRACE) {
		self->lan_lost = true;
		entries_tell(self);
	}
}

const struct gwa_ops wifi_ops = {
	.size = sizeof(wifi_ops),
	.open = wifi_open,
	.close = wifi_close,
	.command = commands_command,
	.permit_join = commands_permit_join,
	.remove = commands_remove,
	.on_stored = wifi_on_stored,
	.on_fd = wifi_on_fd,
	.on_timer = wifi_on_timer,
};
