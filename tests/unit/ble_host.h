#pragma once
/* ble_host - a host of the test's making for the ble plugin, with a clock that is moved by hand, and a bus with a
 * bluetoothd on it (fake_bluez.h).
 */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include "base/text.h"
#include "ble/ble_inside.h"
#include "ble/plugin.h"
#include "fake_bluez.h"
#include "model/capability.h"
#include "tmpdir.h"

enum { SAID_MAX = 4096, BLOBS = 8 };

struct said {
	char kind; /* u up, d down, l left, r report, n note, s synced, f done, j joining, x failed */
	uint8_t mac[6], endpoint, evidence;
	uint16_t cap;
	int number; /* done: its status; joining: its stage; up: how many capabilities */
	double value;
	uint32_t req;
	char text[GWA_TEXT_MAX + 1];
};
struct blob {
	char key[32];
	uint32_t len, writes;
	uint8_t data[GWA_STATE_MAX];
};
struct fake_host {
	const struct gwa_host_ops *ops; /* first: gwa() reads it */
	gwa_self *self;
	struct fb *fb;
	struct tmpdir dir;
	char path[108], option[128];
	struct said log[SAID_MAX];
	size_t n;
	uint64_t reports, credit, now, due[32];
	uint32_t req;
	int fds[8];
	uint32_t events[8];
	struct blob blobs[BLOBS];
	unsigned wakes;
};

static inline struct fake_host *fake(gwa_host *host)
{
	return (struct fake_host *)(void *)host;
}
static inline struct said *add(gwa_host *host, char kind, const struct gwa_addr *addr)
{
	struct said *s = &fake(host)->log[fake(host)->n];

	assert_true(fake(host)->n < SAID_MAX - 1);
	fake(host)->n++;
	*s = (struct said){ .kind = kind };
	if (addr)
		memcpy(s->mac, addr->bytes, 6);
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
	int spare = -1;

	for (int i = 0; i < 8; i++) {
		if (fake(host)->events[i] && fake(host)->fds[i] == fd)
			spare = i;
		else if (!fake(host)->events[i] && spare < 0)
			spare = i;
	}
	assert_true(spare >= 0);
	fake(host)->fds[spare] = fd;
	fake(host)->events[spare] = events;
	return 0;
}
static inline void op_timer(gwa_host *host, uint32_t timer, uint32_t ms)
{
	assert_true(timer < 32);
	fake(host)->due[timer] = ms ? fake(host)->now + ms : 0;
}
static inline uint64_t op_now(gwa_host *host)
{
	return fake(host)->now;
}
static inline void op_up(gwa_host *host, const struct gwa_device *device)
{
	struct said *s = add(host, 'u', &device->addr);

	for (uint8_t i = 0; i < device->nendpoints; i++)
		s->number += device->endpoints[i].ncaps;
	s->evidence = device->evidence;
	text_copy(s->text, sizeof(s->text), device->name);
}
static inline void op_synced(gwa_host *host)
{
	add(host, 's', NULL);
}
static inline void op_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	add(host, left ? 'l' : 'd', addr);
}
static inline uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
				 const struct gwa_value *value, int64_t wall_us)
{
	struct said *s;

	(void)wall_us;
	if (fake(host)->reports == fake(host)->credit)
		return 0;
	s = add(host, 'r', addr);
	s->cap = cap;
	s->endpoint = endpoint;
	s->value = value->type == GWA_T_REAL ? value->v.f : value->type < GWA_T_REAL ? (double)value->v.i : 0;
	if (value->type == GWA_T_TEXT)
		text_copy_n(s->text, sizeof(s->text), value->v.data, value->len);
	return ++fake(host)->reports;
}
static inline void op_done(gwa_host *host, uint64_t req, int status)
{
	struct said *s = add(host, 'f', NULL);

	s->req = (uint32_t)req;
	s->number = status;
}
static inline void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	struct said *s = add(host, 'n', NULL);

	(void)count, (void)object;
	s->number = kind;
	text_copy(s->text, sizeof(s->text), text);
}
static inline struct blob *blob_of(gwa_host *host, const char *key)
{
	for (size_t i = 0; i < BLOBS; i++) {
		struct blob *blob = &fake(host)->blobs[i];

		if (!blob->key[0])
			text_copy(blob->key, sizeof(blob->key), key);
		if (text_equal(blob->key, key))
			return blob;
	}
	return NULL;
}
static inline int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	struct blob *blob = blob_of(host, key);

	if (!blob->writes || blob->len > *len)
		return -1;
	memcpy(buf, blob->data, blob->len);
	*len = blob->len;
	return 0;
}
static inline int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	struct blob *blob = blob_of(host, key);

	assert_true(len <= GWA_STATE_MAX);
	blob->len = len;
	blob->writes++;
	memcpy(blob->data, buf, len);
	return 0;
}
static inline void op_failed(gwa_host *host, const char *why)
{
	text_copy(add(host, 'x', NULL)->text, GWA_TEXT_MAX, why);
}
static inline void op_joining(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why)
{
	struct said *s = add(host, 'j', addr);

	s->number = stage;
	text_copy(s->text, sizeof(s->text), why ? why : "");
}

static const struct gwa_host_ops fake_ops = {
	.size = sizeof(fake_ops), .log = op_log, .port = op_port, .watch = op_watch, .timer = op_timer, .now_ms = op_now,
	.device_up = op_up, .devices_synced = op_synced, .device_down = op_down, .report = op_report, .done = op_done,
	.note = op_note, .load = op_load, .save = op_save, .failed = op_failed, .joining = op_joining,
};

/* Both sides until nobody has anything to say; time stands still, but for what is due. */
static inline void settle(struct fake_host *host)
{
	for (int quiet = 0, turns = 0; quiet < 3; turns++) {
		struct pollfd pfds[8];
		nfds_t n = 0;

		assert_true(turns < 20000);
		fb_turn(host->fb);
		for (int i = 0; i < 8; i++) {
			if (host->events[i])
				pfds[n++] = (struct pollfd){ host->fds[i], (short)host->events[i], 0 };
		}
		quiet++;
		if (n && poll(pfds, n, 0) > 0) {
			for (nfds_t i = 0; i < n; i++) {
				if (!pfds[i].revents)
					continue;
				host->wakes++;
				quiet = 0;
				ble_ops.on_fd(host->self, pfds[i].fd, (uint32_t)pfds[i].revents | (pfds[i].revents & POLLHUP ? POLLIN : 0));
			}
		}
		for (uint32_t t = 0; t < 32; t++) {
			if (!host->due[t] || host->due[t] > host->now + (t == TIMER_BUS ? 2 : 0))
				continue;
			host->due[t] = 0;
			host->wakes++;
			quiet = 0;
			ble_ops.on_timer(host->self, t);
		}
	}
}

/* Time goes by, from one thing that is due to the next. */
static inline void pass(struct fake_host *host, uint64_t ms)
{
	uint64_t end = host->now + ms;

	settle(host);
	while (host->now < end) {
		uint64_t next = end;

		for (uint32_t t = 0; t < 32; t++) {
			if (host->due[t] && host->due[t] < next)
				next = host->due[t];
		}
		host->now = next > host->now ? next : host->now + 1;
		settle(host);
	}
}

static inline int start_plugin(struct fake_host *host, const char *scan)
{
	const struct gwa_opt options[] = { { "bus", host->path }, { "scan", scan } };

	memset(host->due, 0, sizeof(host->due));
	return ble_ops.open((gwa_host *)(void *)host, options, scan ? 2 : 1, &host->self);
}

static inline struct fake_host *open_world(void)
{
	struct fake_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->ops = &fake_ops;
	host->credit = 1000000;
	host->now = 1000;
	tmpdir_init(&host->dir);
	snprintf(host->path, sizeof(host->path), "%s/bus", host->dir.path);
	host->fb = fb_new(host->path);
	return host;
}
static inline struct fake_host *open_plugin(void)
{
	struct fake_host *host = open_world();

	check_ok(start_plugin(host, NULL));
	settle(host);
	return host;
}
static inline void close_plugin(struct fake_host *host)
{
	ble_ops.close(host->self);
	fb_free(host->fb);
	tmpdir_deinit(&host->dir);
	free(host);
}
static inline void restart_plugin(struct fake_host *host)
{
	ble_ops.close(host->self);
	settle(&(struct fake_host){ .fb = host->fb });
	host->n = 0;
	check_ok(start_plugin(host, NULL));
	settle(host);
}

static inline size_t count(const struct fake_host *host, char kind)
{
	size_t n = 0;

	for (size_t i = 0; i < host->n; i++)
		n += host->log[i].kind == kind;
	return n;
}
static inline const struct said *last(const struct fake_host *host, char kind)
{
	for (size_t i = host->n; i-- > 0;) {
		if (host->log[i].kind == kind)
			return &host->log[i];
	}
	return NULL;
}
static inline const struct said *joined_to(const struct fake_host *host, int stage)
{
	for (size_t i = host->n; i-- > 0;) {
		if (host->log[i].kind == 'j' && host->log[i].number == stage)
			return &host->log[i];
	}
	return NULL;
}
static inline const struct said *report_of(const struct fake_host *host, uint16_t cap)
{
	for (size_t i = host->n; i-- > 0;) {
		if (host->log[i].kind == 'r' && host->log[i].cap == cap)
			return &host->log[i];
	}
	return NULL;
}

/* The status of a window for mac (NULL: everybody) with this code. */
static inline int permit(struct fake_host *host, uint32_t seconds, const uint8_t *mac, const void *code, size_t len)
{
	struct gwa_join join = { .size = sizeof(join), .seconds = seconds, .ncode = (uint8_t)len };
	uint32_t req = ++host->req;

	if (mac) {
		join.addr.len = 6;
		memcpy(join.addr.bytes, mac, 6);
	}
	if (len)
		memcpy(join.code, code, len);
	ble_ops.permit_join(host->self, req, &join);
	pass(host, GATT_SETTLE_MS + 1);
	for (size_t i = host->n; i-- > 0;) {
		if (host->log[i].kind == 'f' && host->log[i].req == req)
			return host->log[i].number;
	}
	return 99;
}

static inline struct gwa_addr addr_of(const uint8_t *mac)
{
	struct gwa_addr addr = { .len = 6 };

	memcpy(addr.bytes, mac, 6);
	return addr;
}
