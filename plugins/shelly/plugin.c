/* The plugin as the host sees it: settings, one watch over all sockets, one timer over all that is due. */
#include "shelly/plugin.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/text.h"
#include "shelly/shelly_inside.h"
#include "sys/crypto.h"

enum { EVENTS = 64, PINGS_FEW = 4, WAIT_MAX_MS = 3600000, PING_S_MAX = 300, HEARD_MAX = 32 };
static const uint64_t finder_word = UINT64_MAX;

uint64_t shelly_now(const gwa_self *self)
{
	return gwa(self->host)->now_ms(self->host);
}

static void name_unit(const struct unit *unit, char ret[RPC_NAME_MAX + 1])
{
	if (!unit)
		text_copy(ret, RPC_NAME_MAX + 1, "shelly");
	else if (unit->has_mac)
		hex_print(unit->kept.info.mac, 6, ret);
	else
		place_print(&unit->place, ret);
}

void shelly_note(gwa_self *self, int kind, uint32_t count, const struct unit *unit, const char *text)
{
	char name[RPC_NAME_MAX + 1];

	name_unit(unit, name);
	gwa(self->host)->note(self->host, kind, count, name, text);
}

void shelly_log(gwa_self *self, int level, const struct unit *unit, const char *text)
{
	char name[RPC_NAME_MAX + 1], line[160];

	name_unit(unit, name);
	text_print(line, sizeof(line), "%s: %s", name, text);
	gwa(self->host)->log(self->host, level, line);
}

/* Settings */

static bool set_hosts(struct settings *s, const char *value)
{
	char text[32];

	while (*value) {
		size_t len = strcspn(value, ", ");

		if (len && (s->n_hosts == SHELLY_HOSTS_MAX || !text_copy_n(text, sizeof(text), value, len) ||
			    place_parse(text, &s->hosts[s->n_hosts]) || !place_is_home(&s->hosts[s->n_hosts])))
			return false;
		s->n_hosts += len != 0;
		value += len;
		value += strspn(value, ", ");
	}
	return true;
}

/* Exactly the password, a line end at most. Read now: later no file can be opened. */
static bool set_password(struct settings *s, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, s->password, sizeof(s->password));

	if (fd >= 0)
		close(fd);
	if (n <= 0 || n == sizeof(s->password))
		return false;
	s->password[n] = '\0';
	s->password[strcspn(s->password, "\r\n")] = '\0';
	return s->password[0] && text_is_utf8(s->password, strlen(s->password));
}

static bool set_one(struct settings *s, const char *key, const char *value)
{
	uint32_t seconds;

	if (text_equal(key, "hosts"))
		return set_hosts(s, value);
	if (text_equal(key, "password_file"))
		return set_password(s, value);
	if (text_equal(key, "interface"))
		return value[0] && text_copy(s->interface, sizeof(s->interface), value);
	if (text_equal(key, "discovery")) {
		s->discovery = text_equal(value, "on");
		return s->discovery || text_equal(value, "off");
	}
	if (!text_equal(key, "ping") || text_to_u32(value, 1, PING_S_MAX, &seconds))
		return false;
	s->ping_ms = seconds * 1000;
	return true;
}

static int read_settings(gwa_self *self, const struct gwa_opt *opts, uint32_t n)
{
	char text[192];

	self->settings.discovery = true;
	self->settings.ping_ms = SHELLY_PING_S * 1000;
	for (uint32_t i = 0; i < n; i++) {
		errno = 0;
		if (set_one(&self->settings, opts[i].key, opts[i].value))
			continue;
		text_print(text, sizeof(text), "option %s: unknown, or not what it should be (%s)", opts[i].key, strerror(errno));
		gwa(self->host)->log(self->host, 3, text);
		return -EINVAL;
	}
	return 0;
}

/* Time */

void shelly_arm(gwa_self *self)
{
	uint64_t now = shelly_now(self), due = self->ask_at, wait;

	if (self->window.until && self->window.until < due)
		due = self->window.until;
	if (self->rest_until < due)
		due = self->rest_until;
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		uint64_t unit = self->units[i] ? unit_due(self, self->units[i]) : UINT64_MAX;

		due = unit < due ? unit : due;
	}
	wait = due <= now ? 1 : due - now;
	gwa(self->host)->timer(self->host, TIMER_DUE, due == UINT64_MAX ? 0 : wait < WAIT_MAX_MS ? (uint32_t)wait : WAIT_MAX_MS);
}

/* Sockets are looked at, unless nothing more may be read or we rest. */
static void watch(gwa_self *self)
{
	bool on = !self->n_pending && self->rest_until == UINT64_MAX;

	(void)gwa(self->host)->watch(self->host, self->poll, on ? POLLIN : 0);
}

static void rest(gwa_self *self, uint64_t now)
{
	if (self->rest_until <= now)
		self->rest_until = UINT64_MAX;
	else if (self->n_pings > PINGS_FEW)
		self->rest_until = now + SHELLY_REST_MS;
	else
		return;
	watch(self);
}

static void shelly_on_timer(gwa_self *self, uint32_t timer)
{
	uint64_t now = shelly_now(self);

	(void)timer;
	self->n_pings = 0;
	home_tick(self);
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		if (self->units[i] && unit_due(self, self->units[i]) <= now)
			unit_tick(self, self->units[i]);
	}
	rest(self, now);
	home_call_more(self);
	shelly_arm(self);
}

/* Sockets */

static void hear(gwa_self *self)
{
	struct mdns_found found[MDNS_FOUND_MAX];
	bool bad = false;
	size_t n = 0;

	for (unsigned i = 0; i < HEARD_MAX && finder_hear(&self->finder, found, &n, &bad); i++) {
		if (bad)
			shelly_note(self, GWA_NOTE_MALFORMED, 1, NULL, "a multicast DNS packet that is none");
		for (size_t k = 0; k < n; k++)
			home_found(self, &found[k]);
	}
}

static void shelly_on_fd(gwa_self *self, int fd, uint32_t events)
{
	struct epoll_event found[EVENTS];
	int n = epoll_wait(self->poll, found, EVENTS, 0);

	(void)fd, (void)events;
	for (int i = 0; i < n && !self->n_pending; i++) {
		uint64_t word = found[i].data.u64;
		struct unit *unit = word == finder_word ? NULL : self->units[(uint32_t)word % SHELLY_UNITS_MAX];

		if (word == finder_word)
			hear(self);
		else if (unit && unit->serial == word >> 32 && unit->line.state != LINE_OFF)
			unit_events(self, unit, found[i].events);
	}
	/* Without credit nothing more is read: the devices wait in their sockets. */
	if (self->n_pending)
		watch(self);
	home_call_more(self);
	shelly_arm(self);
}

static void shelly_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)up_to;
	if (!self->n_pending)
		return;
	home_flush(self);
	for (size_t i = 0; i < SHELLY_UNITS_MAX && !self->n_pending; i++) {
		if (self->units[i] && self->units[i]->line.state != LINE_OFF)
			unit_pump(self, self->units[i]);
	}
	watch(self);
	shelly_arm(self);
}

/* What the host calls */

static int open_sockets(gwa_self *self)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = finder_word };
	const char *interface = self->settings.interface;
	int r;

	self->poll = epoll_create1(EPOLL_CLOEXEC);
	if (self->poll < 0)
		return -errno;
	if (self->settings.discovery) {
		r = finder_open(&self->finder, interface[0] ? interface : NULL);
		if (r || epoll_ctl(self->poll, EPOLL_CTL_ADD, self->finder.fd, &event) < 0)
			return r ? r : -errno;
	}
	return gwa(self->host)->watch(self->host, self->poll, POLLIN) ? -EIO : 0;
}

static void self_free(gwa_self *self)
{
	finder_close(&self->finder);
	if (self->poll >= 0)
		close(self->poll);
	free(self->pending);
	crypto_wipe(self, sizeof(*self));
	free(self);
}

static int shelly_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	gwa_self *self = calloc(1, sizeof(*self));
	char text[128];
	int r;

	if (!self)
		return -ENOMEM;
	self->host = host;
	self->poll = self->finder.fd = -1;
	self->ask_at = shelly_now(self);
	self->rest_until = UINT64_MAX;
	r = read_settings(self, opts, n);
	if (!r) {
		r = open_sockets(self);
		text_print(text, sizeof(text), "cannot listen for announcements: %s", strerror(-r));
		if (r)
			gwa(host)->log(host, 3, text);
	}
	if (r) {
		self_free(self);
		return r;
	}
	home_load(self);
	gwa(host)->devices_synced(host);
	shelly_arm(self);
	*ret = self;
	return 0;
}

static void shelly_close(gwa_self *self)
{
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++) {
		if (self->units[i])
			home_free(self, self->units[i]);
	}
	self_free(self);
}

static struct unit *find(const gwa_self *self, const struct gwa_addr *addr)
{
	struct unit *unit = addr->len == 6 ? home_find(self, addr->bytes) : NULL;

	return unit && unit->ours ? unit : NULL;
}

static void shelly_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			   const struct gwa_value *value, uint32_t ttl_ms)
{
	struct unit *unit = find(self, addr);

	if (unit)
		unit_order(self, unit, req, endpoint, cap, value, ttl_ms);
	else
		gwa(self->host)->done(self->host, req, GWA_UNREACHABLE);
	shelly_arm(self);
}

static void shelly_permit_join(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	gwa(self->host)->done(self->host, req, home_open_window(self, join));
	shelly_arm(self);
}

static void shelly_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr)
{
	struct unit *unit = find(self, addr);

	if (unit)
		home_remove(self, unit);
	gwa(self->host)->done(self->host, req, unit ? GWA_OK : GWA_UNREACHABLE);
	shelly_arm(self);
}

const struct gwa_ops shelly_ops = {
	.size = sizeof(shelly_ops),
	.open = shelly_open,
	.close = shelly_close,
	.command = shelly_command,
	.permit_join = shelly_permit_join,
	.remove = shelly_remove,
	.on_stored = shelly_on_stored,
	.on_fd = shelly_on_fd,
	.on_timer = shelly_on_timer,
};
