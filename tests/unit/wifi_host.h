#pragma once
/* wifi_host - a host of the test's making for the wifi plugin, without a broker: messages go in by hand, and what the host
 * is told is kept in a log.
 */
#include "check.h"

#include "base/text.h"
#include "model/capability.h"
#include "wifi/plugin.h"
#include "wifi/wifi_inside.h"

enum { LOG_MAX = 4096 };

struct said {
	char kind; /* u device up, d down, l left, r report, n note, s synced, f done */
	uint16_t cap;
	bool again;
	int number; /* report: the value; note: its kind; done: its status */
	uint32_t count;
	char text[GWA_TEXT_MAX + 1], object[160];
};
struct shelf_blob {
	char key[32];
	uint32_t len;
	char data[GWA_STATE_MAX];
};
struct fake_host {
	const struct gwa_host_ops *ops; /* first: gwa() reads it */
	gwa_self *self;
	struct said log[LOG_MAX];
	size_t n;
	uint64_t reports, credit; /* credit: the last report that is taken */
	uint64_t now;
	uint32_t timers[32];
	bool repeats;
	struct shelf_blob shelf[16];
	size_t n_shelf;
};

static inline struct fake_host *fake(gwa_host *host)
{
	return (struct fake_host *)(void *)host;
}

static inline struct said *add(gwa_host *host, char kind)
{
	struct said *s = &fake(host)->log[fake(host)->n];

	assert_true(fake(host)->n < LOG_MAX - 1);
	fake(host)->n++;
	*s = (struct said){ .kind = kind };
	return s;
}

static inline void op_log(gwa_host *host, int level, const char *text)
{
	(void)host, (void)level, (void)text;
}
static inline int op_port(gwa_host *host, const char *name)
{
	(void)host, (void)name;
	return -1;
}
static inline int op_watch(gwa_host *host, int fd, uint32_t events)
{
	(void)host, (void)fd, (void)events;
	return 0;
}
static inline void op_timer(gwa_host *host, uint32_t timer, uint32_t ms)
{
	assert_true(timer < N_ELEMENTS(fake(host)->timers));
	fake(host)->timers[timer] = ms;
}
static inline uint64_t op_now(gwa_host *host)
{
	return fake(host)->now;
}
static inline void op_up(gwa_host *host, const struct gwa_device *device)
{
	struct said *s = add(host, 'u');

	s->count = device->nendpoints;
	text_copy(s->text, sizeof(s->text), device->name);
}
static inline void op_synced(gwa_host *host)
{
	add(host, 's');
}
static inline void op_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	struct said *s = add(host, left ? 'l' : 'd');

	s->number = addr->bytes[7];
}
static inline uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			  const struct gwa_value *value, int64_t wall_us)
{
	struct said *s;

	(void)addr, (void)endpoint, (void)wall_us;
	if (fake(host)->reports == fake(host)->credit)
		return 0;
	s = add(host, 'r');
	s->cap = cap;
	s->again = fake(host)->repeats;
	s->number = value->type == GWA_T_REAL ? (int)value->v.f : value->type == GWA_T_TEXT ? 0 : (int)value->v.i;
	return ++fake(host)->reports;
}
static inline void op_done(gwa_host *host, uint64_t req, int status)
{
	struct said *s = add(host, 'f');

	s->count = (uint32_t)req;
	s->number = status;
}
static inline void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	struct said *s = add(host, 'n');

	s->number = kind;
	s->count = count;
	text_copy(s->object, sizeof(s->object), object);
	text_copy(s->text, sizeof(s->text), text);
}

static inline struct shelf_blob *shelf_of(gwa_host *host, const char *key)
{
	for (size_t i = 0; i < fake(host)->n_shelf; i++) {
		if (text_equal(fake(host)->shelf[i].key, key))
			return &fake(host)->shelf[i];
	}
	return NULL;
}
static inline int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	struct shelf_blob *blob = shelf_of(host, key);

	if (!blob || blob->len > *len)
		return -1;
	memcpy(buf, blob->data, blob->len);
	*len = blob->len;
	return 0;
}
static inline int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	struct shelf_blob *blob = shelf_of(host, key);

	if (!blob)
		blob = &fake(host)->shelf[fake(host)->n_shelf++];
	assert_true(fake(host)->n_shelf <= N_ELEMENTS(fake(host)->shelf) && len <= GWA_STATE_MAX);
	text_copy(blob->key, sizeof(blob->key), key);
	blob->len = len;
	if (len)
		memcpy(blob->data, buf, len);
	return 0;
}

static inline void op_repeats(gwa_host *host, int on)
{
	fake(host)->repeats = on != 0;
}

static const struct gwa_host_ops fake_ops = {
	.size = sizeof(fake_ops), .log = op_log, .port = op_port, .watch = op_watch, .timer = op_timer, .now_ms = op_now,
	.device_up = op_up, .devices_synced = op_synced, .device_down = op_down, .report = op_report, .done = op_done,
	.note = op_note, .load = op_load, .save = op_save, .repeats = op_repeats,
};

static const struct gwa_opt options[] = {
	{ "broker", "/nonexistent/lan.sock" }, { "base", "zigbee2mqtt, attic" }, { "tasmota", "on" },
	{ "intake-user", "gateway-intake" },   { "command_user", "gateway-command" },
};

static inline void open_again(struct fake_host *host)
{
	check_ok(wifi_ops.open((gwa_host *)(void *)host, options, N_ELEMENTS(options), &host->self));
	/* As after a connection. */
	host->self->intake.up = true;
	entries_tell(host->self);
}

static inline struct fake_host *open_plugin(void)
{
	struct fake_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->ops = &fake_ops;
	host->credit = 1000000;
	host->now = 1000;
	open_again(host);
	return host;
}

static inline void close_plugin(struct fake_host *host)
{
	wifi_ops.close(host->self);
	free(host);
}

static inline void say(struct fake_host *host, const char *topic, const char *payload, bool acked)
{
	intake_message(host->self, &(struct mqtt_message){ .topic = topic, .payload = payload, .len = strlen(payload), .acked = acked });
	intake_hold(host->self);
}

static inline size_t count(const struct fake_host *host, char kind)
{
	size_t n = 0;

	for (size_t i = 0; i < host->n; i++)
		n += host->log[i].kind == kind;
	return n;
}

static inline const struct said *note_of(const struct fake_host *host, int kind)
{
	const struct said *found = NULL;

	for (size_t i = 0; i < host->n; i++) {
		if (host->log[i].kind == 'n' && host->log[i].number == kind)
			found = &host->log[i];
	}
	return found;
}

static inline void settle(struct fake_host *host)
{
	for (unsigned i = 0; i < WIFI_SETTLE_TURNS; i++)
		wifi_ops.on_timer(host->self, TIMER_SETTLE);
}

#define SWITCH                                                                                                       \
	"\"definition\":{\"exposes\":[{\"type\":\"switch\",\"features\":[{\"type\":\"binary\",\"name\":\"state\","       \
	"\"property\":\"state\",\"access\":7,\"value_on\":\"ON\",\"value_off\":\"OFF\"}]},{\"type\":\"numeric\","        \
	"\"name\":\"power\",\"property\":\"power\",\"unit\":\"W\",\"access\":1}]}"
#define DEVICE(name, digit)                                                                             \
	"{\"ieee_address\":\"0x000000000000000" digit "\",\"friendly_name\":\"" name "\"," \
	"\"interview_completed\":true," SWITCH "}"
#define DEVICES "zigbee2mqtt/bridge/devices"
