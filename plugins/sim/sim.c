/* The simulated home: what a plugin looks like that has no radio. It says its devices, reports what
 * moves, does what it is told, and can be told to misbehave, so that everything above it can be
 * tried without a device in the house.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "sdk/gw_adapter.h"
#include "sim/radio.h"
#include "sim/script.h"
#include "sim/settings.h"

enum { TIMER_PERIOD, TIMER_ANSWER, TIMER_SPARE };
enum { ANSWERS_MAX = 64, JOIN_STEPS = 3, FLOOD_REPORTS = 5000 };

struct answer {
	uint64_t req; /* 0: free */
	uint64_t due_ms;
	int status;
};

struct gwa_self {
	gwa_host *host;
	struct settings settings;
	struct script_device *devices;
	uint32_t n, all; /* without and with the spares, which are behind the others */
	struct radio radio;
	struct answer answers[ANSWERS_MAX];
	uint64_t join_until_ms;
	bool joining;
	int join_step;
};

static struct gwa_addr addr_of(const gwa_self *self, uint32_t i)
{
	struct gwa_addr addr = { .len = 8, .bytes = { 's', 'i', 'm', 0, 0, 0, 0, 0 } };

	addr.bytes[4] = (uint8_t)(self->devices[i].kind + 1);
	addr.bytes[5] = i >= self->n; /* a spare */
	addr.bytes[6] = (uint8_t)(i >> 8);
	addr.bytes[7] = (uint8_t)i;
	return addr;
}

static struct script_device *find(gwa_self *self, const struct gwa_addr *addr)
{
	for (uint32_t i = 0; i < self->all; i++) {
		struct gwa_addr mine = addr_of(self, i);

		if (self->devices[i].alive && mine.len == addr->len &&
		    memcmp(mine.bytes, addr->bytes, mine.len) == 0)
			return &self->devices[i];
	}
	return NULL;
}

static void announce(gwa_self *self, uint32_t i)
{
	const struct script_model *model = script_model(self->devices[i].kind);
	struct gwa_endpoint endpoint = { .id = 1, .ncaps = model->n_caps, .caps = model->caps };
	struct gwa_device device = { .size = sizeof(device),
				     .sleepy = model->sleepy,
				     .nendpoints = 1 };
	char name[GWA_TEXT_MAX];

	snprintf(name, sizeof(name), "%s %s", i >= self->n ? "new" : "simulated", model->name);
	device.addr = addr_of(self, i);
	if (i == self->n)
		device.hw = self->settings.spare_hw;
	device.vendor = "gatewayd";
	device.model = model->model;
	device.firmware = "1";
	device.name = name;
	device.endpoints = &endpoint;
	gwa(self->host)->device_up(self->host, &device);
}

/* Everything that has changed; what finds no credit stays marked until there is some. */
static void push(gwa_self *self)
{
	for (uint32_t i = 0; i < self->all; i++) {
		struct script_device *device = &self->devices[i];
		struct gwa_addr addr = addr_of(self, i);

		for (uint8_t k = 0; device->alive && device->dirty >> k; k++) {
			struct gwa_value value = script_value(device, k);

			if (!(device->dirty & 1u << k))
				continue;
			if (!gwa(self->host)
				     ->report(self->host, &addr, 1,
					      script_model(device->kind)->caps[k].id, &value, 0))
				return;
			device->dirty &= (uint8_t) ~(1u << k);
		}
	}
}

static void flood(gwa_self *self)
{
	struct gwa_addr addr = addr_of(self, 0);
	struct gwa_value value = script_value(&self->devices[0], 0);

	for (int i = 0; i < FLOOD_REPORTS; i++)
		gwa(self->host)
			->report(self->host, &addr, 1,
				 script_model(self->devices[0].kind)->caps[0].id, &value, 0);
}

static void make_devices(gwa_self *self)
{
	uint32_t n = 0;

	for (int kind = 0; kind < SCRIPT_KINDS; kind++) {
		for (uint32_t i = 0; i < self->settings.counts[kind]; i++, n++)
			script_init(&self->devices[n], (enum script_kind)kind,
				    self->settings.seed + n);
	}
	for (; n < self->all; n++) {
		script_init(&self->devices[n], self->settings.spare, self->settings.seed + n);
		self->devices[n].alive = false;
	}
}

static int sim_open(gwa_host *host, const struct gwa_opt *opts, uint32_t nopts, gwa_self **ret)
{
	gwa_self *self = calloc(1, sizeof(*self));
	uint32_t wrong;

	if (!self)
		return -1;
	self->host = host;
	wrong = settings_read(&self->settings, opts, nopts);
	if (wrong) {
		char text[160];

		snprintf(text, sizeof(text), "option %.40s: %.80s is not understood",
			 opts[wrong - 1].key, opts[wrong - 1].value);
		gwa(host)->log(host, LOG_ERR, text);
		free(self);
		return -1;
	}
	for (int kind = 0; kind < SCRIPT_KINDS; kind++)
		self->n += self->settings.counts[kind];
	self->all = self->n + self->settings.n_spares;
	self->radio = (struct radio){ .channel = 15, .network = 0x62, .backup_bytes = self->settings.backup_bytes };
	self->devices = calloc(self->all, sizeof(*self->devices));
	if (!self->devices) {
		free(self);
		return -1;
	}
	make_devices(self);
	for (uint32_t i = 0; i < self->n; i++)
		announce(self, i);
	gwa(host)->devices_synced(host);
	gwa(host)->timer(host, TIMER_PERIOD, self->settings.period_ms);
	push(self);
	*ret = self;
	return 0;
}

static void sim_close(gwa_self *self)
{
	free(self->devices);
	free(self);
}

static void start_answers(gwa_self *self)
{
	uint64_t now = gwa(self->host)->now_ms(self->host), first = UINT64_MAX;

	for (size_t i = 0; i < ANSWERS_MAX; i++) {
		if (self->answers[i].req && self->answers[i].due_ms < first)
			first = self->answers[i].due_ms;
	}
	if (first != UINT64_MAX)
		gwa(self->host)
			->timer(self->host, TIMER_ANSWER,
				first > now ? (uint32_t)(first - now) : 1);
}

/* At once, later, or never, as the settings want it. */
static void answer(gwa_self *self, uint64_t req, int status)
{
	if (self->settings.fault == FAULT_SILENT)
		return;
	for (size_t i = 0; self->settings.slow_ms && i < ANSWERS_MAX; i++) {
		if (self->answers[i].req)
			continue;
		self->answers[i].req = req;
		self->answers[i].due_ms =
			gwa(self->host)->now_ms(self->host) + self->settings.slow_ms;
		self->answers[i].status = status;
		start_answers(self);
		return;
	}
	gwa(self->host)->done(self->host, req, self->settings.slow_ms ? GWA_BUSY : status);
}

static void sim_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint,
			uint16_t cap, const struct gwa_value *value, uint32_t ttl_ms)
{
	struct script_device *device = find(self, addr);
	int status = GWA_UNREACHABLE;

	(void)ttl_ms;
	if (self->settings.fault == FAULT_FAIL)
		status = GWA_FAILED;
	else if (device && self->settings.fault != FAULT_SILENT)
		status = script_set(device, endpoint, cap, value);
	answer(self, req, status);
	push(self);
}

static void tell_join(gwa_self *self, int stage, const char *why)
{
	for (uint32_t i = self->n; i < self->all; i++) {
		struct gwa_addr addr = addr_of(self, i);

		if (!self->devices[i].alive)
			gwa(self->host)->joining(self->host, &addr, stage, why);
	}
}

static bool code_is_good(const gwa_self *self, const struct gwa_join *join)
{
	const struct settings *s = &self->settings;

	return !s->n_join_code || (join->ncode == s->n_join_code && memcmp(join->code, s->join_code, join->ncode) == 0);
}

static void sim_permit_join(gwa_self *self, uint64_t req, const struct gwa_join *join)
{
	self->join_until_ms = gwa(self->host)->now_ms(self->host) + 1000ull * join->seconds;
	if (self->settings.has_spare && join->seconds && !self->joining && !self->devices[self->all - 1].alive) {
		tell_join(self, GWA_JOIN_SEEN, NULL);
		if (code_is_good(self, join)) {
			self->joining = true;
			self->join_step = 0;
			gwa(self->host)->timer(self->host, TIMER_SPARE, self->settings.join_ms / JOIN_STEPS);
		} else {
			tell_join(self, GWA_JOIN_FAILED, "it wants its install code");
		}
	}
	answer(self, req, GWA_OK);
}

static void sim_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr)
{
	struct script_device *device = find(self, addr);

	if (device) {
		device->alive = false;
		gwa(self->host)->device_down(self->host, addr, 1);
	}
	answer(self, req, device ? GWA_OK : GWA_UNREACHABLE);
}

static void sim_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)up_to;
	push(self);
}

static void sim_on_fd(gwa_self *self, int fd, uint32_t events)
{
	(void)self;
	(void)fd;
	(void)events;
}

static void move(gwa_self *self)
{
	for (uint32_t i = 0; i < self->all; i++) {
		if (self->devices[i].alive)
			script_step(&self->devices[i], self->settings.period_ms);
	}
	gwa(self->host)->timer(self->host, TIMER_PERIOD, self->settings.period_ms);
	push(self);
	if (self->settings.fault == FAULT_FLOOD)
		flood(self);
}

static void answer_due(gwa_self *self)
{
	uint64_t now = gwa(self->host)->now_ms(self->host);

	for (size_t i = 0; i < ANSWERS_MAX; i++) {
		struct answer *a = &self->answers[i];

		if (!a->req || a->due_ms > now)
			continue;
		gwa(self->host)->done(self->host, a->req, a->status);
		a->req = 0;
	}
	start_answers(self);
}

static void join_spares(gwa_self *self)
{
	self->joining = false;
	if (self->settings.join_fails[0]) {
		tell_join(self, GWA_JOIN_FAILED, self->settings.join_fails);
		return;
	}
	tell_join(self, GWA_JOIN_READY, NULL);
	for (uint32_t i = self->n; i < self->all; i++) {
		struct gwa_addr addr = addr_of(self, i);

		if (self->devices[i].alive)
			continue;
		self->devices[i].alive = true;
		announce(self, i);
		if (self->settings.claim_code[0])
			gwa(self->host)
				->claim(self->host, &addr, self->settings.claim_code,
					(uint32_t)strlen(self->settings.claim_code));
	}
	push(self);
}

static void join_step(gwa_self *self)
{
	if (gwa(self->host)->now_ms(self->host) >= self->join_until_ms) {
		self->joining = false;
		tell_join(self, GWA_JOIN_FAILED, "the window was closed before it was done");
		return;
	}
	if (++self->join_step == JOIN_STEPS) {
		join_spares(self);
		return;
	}
	if (self->join_step == 1)
		tell_join(self, GWA_JOIN_INTERVIEW, NULL);
	else if (self->settings.passkey[0])
		tell_join(self, GWA_JOIN_PASSKEY, self->settings.passkey);
	else
		tell_join(self, GWA_JOIN_CONFIGURE, NULL);
	gwa(self->host)->timer(self->host, TIMER_SPARE, self->settings.join_ms / JOIN_STEPS);
}

struct question {
	gwa_self *self;
	uint64_t req;
};

static void tell_piece(void *ctx, const void *data, size_t len)
{
	struct question *question = ctx;

	gwa(question->self->host)->tell(question->self->host, question->req, data, (uint32_t)len);
}

static void sim_ask(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len)
{
	struct question question = { self, req };
	struct radio_ear ear = { .say = tell_piece, .ctx = &question };

	answer(self, req, self->settings.fault == FAULT_FAIL ? GWA_FAILED : radio_ask(&self->radio, verb, data, len, self->n, &ear));
}

static void sim_on_timer(gwa_self *self, uint32_t timer)
{
	if (timer == TIMER_PERIOD)
		move(self);
	else if (timer == TIMER_ANSWER)
		answer_due(self);
	else if (timer == TIMER_SPARE)
		join_step(self);
}

static const struct gwa_ops ops = {
	.size = sizeof(ops),
	.open = sim_open,
	.close = sim_close,
	.command = sim_command,
	.permit_join = sim_permit_join,
	.remove = sim_remove,
	.on_stored = sim_on_stored,
	.on_fd = sim_on_fd,
	.on_timer = sim_on_timer,
	.ask = sim_ask,
};

const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.abi_minor = GWA_ABI_MINOR,
	.version = 1,
	.flags = GWA_F_JOIN | GWA_F_REMOVE | GWA_F_RADIO,
	.name = "sim",
	.summary = "simulated devices",
	.ops = &ops,
};
