/* The plugin as the host sees it: settings, bytes that come and go, and one timer for all that is due.
 *
 * Whatever happens (bytes, a request, the timer) ends in settle(): it does what is due now and arms the timer for the next. So an
 * idle home wakes up for its devices only.
 */
#include "zigbee/plugin.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "sys/crypto.h"
#include "zigbee/zigbee_inside.h"
#include "zigbee/znp.h"

enum { TIMER_DUE, LOG_TEXT_CAP = 256, READ_CAP = 1024, READS_A_TURN = 8, CHANNELS_ZLL = 1u << 11 | 1u << 15 | 1u << 20 | 1u << 25 };

uint64_t zigbee_now(const gwa_self *self)
{
	return gwa(self->host)->now_ms(self->host);
}

uint32_t zigbee_id(gwa_self *self, enum owner owner)
{
	self->last_id = self->last_id % OWNED_MASK + 1;
	return (uint32_t)owner << OWNED_BITS | self->last_id;
}

void zigbee_log(gwa_self *self, int level, const char *fmt, ...)
{
	char text[LOG_TEXT_CAP];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	gwa(self->host)->log(self->host, level, text);
}

/* Settings */

static bool set_channels(uint32_t *ret, const char *value)
{
	char word[8];
	uint32_t channel;

	*ret = 0;
	while (*value) {
		size_t len = strcspn(value, ", ");

		if (len && (!text_copy_n(word, sizeof(word), value, len) || text_to_u32(word, 11, 26, &channel)))
			return false;
		if (len)
			*ret |= 1u << channel;
		value += len;
		value += strspn(value, ", ");
	}
	return *ret != 0;
}

static bool set_one(struct settings *s, const char *key, const char *value)
{
	uint32_t number;

	if (text_equal(key, "tcp"))
		return value[0] && text_copy(s->tcp, sizeof(s->tcp), value);
	if (text_equal(key, "channels"))
		return set_channels(&s->channels, value);
	if (text_equal(key, "channel") && text_to_u32(value, 11, 26, &number) == 0) {
		s->channel = (uint8_t)number;
		return true;
	}
	return false;
}

static int read_settings(gwa_self *self, const struct gwa_opt *opts, uint32_t n)
{
	self->settings.channels = CHANNELS_ZLL;
	for (uint32_t i = 0; i < n; i++) {
		if (set_one(&self->settings, opts[i].key, opts[i].value))
			continue;
		zigbee_log(self, 3, "option %s: unknown, or not what it should be", opts[i].key);
		return -EINVAL;
	}
	return 0;
}

/* Time */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t due_ms(gwa_self *self)
{
	uint64_t due = least(network_due_ms(self), talk_due_ms(&self->talk));

	due = least(due, least(inquiry_due_ms(self), joins_due_ms(self)));
	due = least(due, least(self->alive_due_ms, asks_due_ms(self)));
	due = least(due, least(self->save_due_ms, self->port.due_ms));
	return due;
}

static void settle(gwa_self *self)
{
	uint64_t now = zigbee_now(self), due;

	port_tick(&self->port, now);
	network_tick(self);
	talk_tick(&self->talk);
	inquiry_tick(self);
	device_alive_tick(self);
	joins_tick(self);
	asks_tick(self);
	kept_tick(self, false);
	talk_tick(&self->talk); /* what they had to say */
	due = due_ms(self);
	if (due == self->armed_ms)
		return;
	self->armed_ms = due;
	if (due == UINT64_MAX)
		gwa(self->host)->timer(self->host, TIMER_DUE, 0);
	else
		gwa(self->host)->timer(self->host, TIMER_DUE, due <= now ? 1 : due - now < 86400000 ? (uint32_t)(due - now) : 86400000);
}

/* The line */

static void line_lost(gwa_self *self)
{
	if (!self->port.tcp) {
		network_stop(self, NET_FAILED, "the stick was pulled");
		gwa(self->host)->failed(self->host, "the stick is gone: its port was closed");
		return;
	}
	if (self->port.fails < 2) /* not each of its tries */
		zigbee_log(self, 4, "no connection to the coordinator at %s", self->port.addr);
	network_stop(self, NET_STARTING, "there is no connection to the coordinator");
	port_lost(&self->port, zigbee_now(self));
}

static void line_read(gwa_self *self)
{
	uint8_t buf[READ_CAP];
	size_t len = 1;

	for (unsigned i = 0; i < READS_A_TURN && len; i++) {
		if (port_read(&self->port, buf, sizeof(buf), &len)) {
			line_lost(self);
			return;
		}
		if (len && self->radio)
			self->radio->ops->input(self->radio, buf, len);
	}
}

/* What the host calls */

static void self_free(gwa_self *self)
{
	if (self->radio)
		self->radio = self->radio->ops->free(self->radio);
	port_close(&self->port);
	while (self->nodes.n) {
		struct device *device = device_of(self->nodes.rows[self->nodes.n - 1]);

		nodes_remove(&self->nodes, &device->row);
		inquiry_stop(device);
		nodes_row_deinit(&device->row);
		free(device);
	}
	talk_deinit(&self->talk);
	free(self->map);
	crypto_wipe(&self->network, sizeof(self->network));
	free(self);
}

static void say_known(gwa_self *self)
{
	for (size_t i = 0; i < self->nodes.n; i++) {
		struct device *device = device_of(self->nodes.rows[i]);

		if (device->row.stage != NODES_HEARD)
			device_tell(self, device);
	}
	groupings_say(self);
	gwa(self->host)->devices_synced(self->host);
}

int zigbee_open_with(gwa_host *host, const struct gwa_opt *opts, uint32_t n,
		     struct radio *(*radio_new)(const struct radio_events *, void *), gwa_self **ret)
{
	gwa_self *self = calloc(1, sizeof(*self));
	int r;

	if (!self)
		return -ENOMEM;
	*self = (gwa_self){ .host = host, .radio_new = radio_new, .alive_due_ms = UINT64_MAX, .save_due_ms = UINT64_MAX,
			    .backup_due_ms = UINT64_MAX, .radio_again_ms = UINT64_MAX, .port.fd = -1, .state = NET_STARTING };
	talk_init(&self->talk, &network_talk_calls, self);
	self->talk.paused = true;
	tzset(); /* later no file can be read */
	r = crypto_init();
	if (!r)
		r = read_settings(self, opts, n);
	if (!r)
		r = kept_load(self);
	if (!r)
		r = port_open(&self->port, host, self->settings.tcp, zigbee_now(self));
	if (r) {
		if (r == -ENODEV || r == -EINVAL)
			zigbee_log(self, 3, "the port \"radio\" or the option tcp (a.b.c.d:port) is needed");
		self_free(self);
		return r;
	}
	say_known(self);
	if (port_is_up(&self->port))
		network_begin(self);
	settle(self);
	*ret = self;
	return 0;
}

static int zigbee_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	return zigbee_open_with(host, opts, n, znp_new, ret);
}

static void zigbee_close(gwa_self *self)
{
	kept_tick(self, true);
	network_stop(self, NET_FAILED, "the adapter is closed");
	self_free(self);
}

static void zigbee_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			   const struct gwa_value *value, uint32_t ttl_ms)
{
	orders_command(self, req, addr, endpoint, cap, value, ttl_ms);
	settle(self);
}

static void zigbee_permit_join(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	joins_permit(self, req, join);
	settle(self);
}

static void zigbee_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr)
{
	joins_remove(self, req, addr);
	settle(self);
}

static void zigbee_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)up_to;
	device_drain(self);
}

static void zigbee_on_fd(gwa_self *self, int fd, uint32_t events)
{
	if (fd != self->port.fd)
		return;
	if ((events & POLLOUT || self->port.connecting) && port_on_writable(&self->port)) {
		network_begin(self);
	}
	if (self->port.lost)
		line_lost(self);
	else if (events & (POLLIN | POLLHUP))
		line_read(self);
	settle(self);
}

static void zigbee_on_timer(gwa_self *self, uint32_t timer)
{
	(void)timer;
	self->armed_ms = 0;
	if (self->port.lost)
		line_lost(self);
	settle(self);
}

static void zigbee_ask(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len)
{
	asks_ask(self, req, verb, data, len);
	settle(self);
}

const struct gwa_ops zigbee_ops = {
	.size = sizeof(zigbee_ops),
	.open = zigbee_open,
	.close = zigbee_close,
	.command = zigbee_command,
	.permit_join = zigbee_permit_join,
	.remove = zigbee_remove,
	.on_stored = zigbee_on_stored,
	.on_fd = zigbee_on_fd,
	.on_timer = zigbee_on_timer,
	.ask = zigbee_ask,
};
