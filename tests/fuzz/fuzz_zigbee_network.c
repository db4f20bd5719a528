/*
 * Strangers' messages into the network: frames, announcements, joins, answers and kept blobs as the bytes say, over a radio that accepts
 * everything. A device is known from the start; whatever is asked is answered by the bytes that follow.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "zigbee/plugin.h"
#include "zigbee/zigbee_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COOKIES = 64, STEPS = 200, BLOBS = 16 };
struct blob {
	char key[16];
	uint8_t *data;
	uint32_t len;
};
struct world {
	const struct gwa_host_ops *ops; /* first */
	gwa_self *self;
	struct radio radio;
	const struct radio_events *events;
	uint64_t now;
	int line[2];
	uint32_t cookies[COOKIES];
	uint8_t kinds[COOKIES]; /* of what was asked: 'd' done, 'k' kept, else a question's kind */
	size_t n_cookies;
	uint64_t reports;
	struct blob blobs[BLOBS];
	size_t n_blobs;
	const uint8_t *bytes;
	size_t n_bytes;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static struct world *world_of(gwa_host *host)
{
	return (struct world *)(void *)host;
}

/* The host: holds what is said against the contract */

static void op_log(gwa_host *host, int level, const char *text)
{
	(void)host, (void)level;
	must(strlen(text) < 512);
}
static int op_port(gwa_host *host, const char *name)
{
	(void)name;
	return world_of(host)->line[0];
}
static int op_watch(gwa_host *host, int fd, uint32_t events)
{
	(void)host, (void)fd, (void)events;
	return 0;
}
static void op_timer(gwa_host *host, uint32_t timer, uint32_t ms)
{
	(void)host, (void)ms;
	must(timer < 32);
}
static uint64_t op_now(gwa_host *host)
{
	return world_of(host)->now;
}
static void op_up(gwa_host *host, const struct gwa_device *device)
{
	(void)host;
	must(device->nendpoints <= 32 && strlen(device->vendor) < 256 && device->evidence <= 2);
	for (unsigned i = 0; i < device->nendpoints; i++)
		must(device->endpoints[i].id && device->endpoints[i].ncaps <= TRAITS_MAX);
}
static void op_synced(gwa_host *host)
{
	(void)host;
}
static void op_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	(void)host, (void)left;
	must(addr->len == 8 || addr->len == 3);
}
static uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap, const struct gwa_value *value,
			  int64_t wall_us)
{
	(void)wall_us;
	must((addr->len == 8 || addr->len == 3) && endpoint && cap && value->type && value->type <= GWA_T_BYTES);
	must(value->type != GWA_T_REAL || value->v.f - value->v.f == 0);
	/* Every eighth finds no credit. */
	return ++world_of(host)->reports % 8 ? world_of(host)->reports : 0;
}
static void op_done(gwa_host *host, uint64_t req, int status)
{
	(void)host;
	must(req && status <= 0 && status >= GWA_BUSY);
}
static void op_claim(gwa_host *host, const struct gwa_addr *addr, const char *code, uint32_t len)
{
	(void)host, (void)addr, (void)code, (void)len;
}
static void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	(void)host, (void)kind, (void)count;
	must(strlen(object) + strlen(text) < 256);
}
static int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	struct world *w = world_of(host);

	for (size_t i = 0; i < w->n_blobs; i++) {
		if (strcmp(w->blobs[i].key, key) || w->blobs[i].len > *len)
			continue;
		memcpy(buf, w->blobs[i].data, w->blobs[i].len);
		*len = w->blobs[i].len;
		return 0;
	}
	return -1;
}
static int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	(void)host, (void)buf;
	must(len <= GWA_STATE_MAX && strlen(key) < 16);
	return 0;
}
static void op_failed(gwa_host *host, const char *why)
{
	(void)host, (void)why;
}
static void op_repeats(gwa_host *host, int on)
{
	(void)host, (void)on;
}
static void op_joining(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why)
{
	(void)host;
	must(addr->len == 8 && stage >= 0 && stage <= GWA_JOIN_PASSKEY && (!why || strlen(why) < 256));
}
static void op_tell(gwa_host *host, uint64_t req, const void *text, uint32_t len)
{
	(void)host, (void)text;
	must(req && len <= 32768);
}

static const struct gwa_host_ops host_ops = {
	sizeof(host_ops), op_log,  op_port, op_watch, op_timer, op_now,	   op_up,      op_synced,  op_down, op_report,
	op_done,	  op_claim, op_note, op_load,  op_save,	 op_failed, op_repeats, op_joining, op_tell,
};

/* The radio */

static struct world *world_of_radio(struct radio *radio)
{
	return CONTAINER_OF(radio, struct world, radio);
}
static int keep_cookie(struct radio *radio, uint32_t cookie, uint8_t kind)
{
	struct world *w = world_of_radio(radio);

	if (w->n_cookies == COOKIES)
		return RADIO_E_BUSY;
	w->kinds[w->n_cookies] = kind;
	w->cookies[w->n_cookies++] = cookie;
	return 0;
}
static int fr_begin(struct radio *radio, enum radio_begin how, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	(void)radio, (void)how, (void)network, (void)keys, (void)n;
	return 0;
}
static void fr_input(struct radio *radio, const void *bytes, size_t len)
{
	(void)radio, (void)bytes, (void)len;
}
static void fr_tick(struct radio *radio)
{
	(void)radio;
}
static uint64_t fr_due(const struct radio *radio)
{
	(void)radio;
	return UINT64_MAX;
}
static int fr_send(struct radio *radio, uint32_t cookie, const struct radio_message *message)
{
	must(message->data.len > 0 && message->data.len <= RADIO_DATA_MAX);
	return keep_cookie(radio, cookie, 'd');
}
static int fr_ask(struct radio *radio, uint32_t cookie, const struct radio_question *question)
{
	must(question->kind < RADIO_QUESTIONS);
	return keep_cookie(radio, cookie, question->kind);
}
static int fr_permit(struct radio *radio, uint32_t cookie, uint8_t seconds, uint16_t nwk)
{
	(void)seconds, (void)nwk;
	return keep_cookie(radio, cookie, 'd');
}
static int fr_code(struct radio *radio, uint32_t cookie, uint64_t eui, struct view code)
{
	(void)eui, (void)code;
	return keep_cookie(radio, cookie, 'd');
}
static int fr_channel(struct radio *radio, uint32_t cookie, uint8_t channel)
{
	(void)channel;
	return keep_cookie(radio, cookie, 'd');
}
static int fr_group(struct radio *radio, uint32_t cookie, uint16_t group, uint8_t endpoint, bool member)
{
	(void)group, (void)endpoint, (void)member;
	return keep_cookie(radio, cookie, 'd');
}
static int fr_keep(struct radio *radio, uint32_t cookie)
{
	return keep_cookie(radio, cookie, 'k');
}
static struct radio *fr_free(struct radio *radio)
{
	world_of_radio(radio)->n_cookies = 0;
	return NULL;
}
static const struct radio_ops radio_ops = { "fuzz",  fr_begin, fr_input,   fr_tick,  fr_due,  fr_send, fr_ask,
					    fr_permit, fr_code, fr_channel, fr_group, fr_keep, fr_free };

static struct radio *radio_new(const struct radio_events *events, void *ctx)
{
	gwa_self *self = ctx;
	struct world *w = world_of(self->host);

	w->radio = (struct radio){ .ops = &radio_ops };
	w->events = events;
	return &w->radio;
}

/* Bytes */

static uint64_t take(struct world *w, unsigned n)
{
	uint64_t v = 0;

	while (n-- && w->n_bytes) {
		v = v << 8 | *w->bytes++;
		w->n_bytes--;
	}
	return v;
}

static struct view take_view(struct world *w, size_t max)
{
	size_t len = (size_t)take(w, 1) % (max + 1);
	struct view v = { w->bytes, len < w->n_bytes ? len : w->n_bytes };

	w->bytes += v.len;
	w->n_bytes -= v.len;
	return v;
}

static void fill(struct world *w, void *ret, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)ret)[i] = (uint8_t)take(w, 1);
}

static struct radio_answer make_answer(struct world *w, uint8_t kind)
{
	struct radio_answer a = { .kind = kind, .status = (uint8_t)(take(w, 1) % 12 < 9 ? RADIO_OK : take(w, 1) % RADIO_STATUSES) };

	if (kind == RADIO_Q_NODE) {
		a.node.kind = (uint8_t)(take(w, 1) % 3);
		a.node.capabilities = (uint8_t)take(w, 1);
	} else if (kind == RADIO_Q_ENDPOINTS) {
		a.endpoints.n = take(w, 1) % (ZDO_ENDPOINTS_MAX + 1);
		for (size_t i = 0; i < a.endpoints.n; i++)
			a.endpoints.ids[i] = (uint8_t)(take(w, 1) % 254 + 1);
	} else if (kind == RADIO_Q_SIMPLE) {
		a.simple.n_in = take(w, 1) % (ZDO_CLUSTERS_MAX + 1);
		a.simple.n_out = take(w, 1) % (ZDO_CLUSTERS_MAX + 1);
		fill(w, a.simple.in, a.simple.n_in * 2);
		fill(w, a.simple.out, a.simple.n_out * 2);
	} else if (kind == RADIO_Q_NEIGHBOURS) {
		a.neighbours.n = take(w, 1) % (ZDO_NEIGHBOURS_MAX + 1);
		a.neighbours.start = (uint8_t)take(w, 1);
		a.neighbours.total = (uint8_t)take(w, 1);
		fill(w, a.neighbours.rows, a.neighbours.n * sizeof(a.neighbours.rows[0]));
		for (size_t i = 0; i < a.neighbours.n; i++)
			a.neighbours.rows[i].kind &= 3;
	}
	return a;
}

/* The radio answers the oldest question. */
static void answer(struct world *w)
{
	struct radio_network network = { .eui = 9, .ext_pan = 8, .pan = 7, .channel = 11 };
	struct radio_key keys[2] = { { .eui = take(w, 1) }, { .eui = 77, .nwk = 0x77 } };
	struct radio_answer a;
	uint32_t cookie;
	uint8_t kind;

	if (!w->n_cookies)
		return;
	cookie = w->cookies[0];
	kind = w->kinds[0];
	w->n_cookies--;
	memmove(w->cookies, w->cookies + 1, w->n_cookies * sizeof(w->cookies[0]));
	memmove(w->kinds, w->kinds + 1, w->n_cookies);
	if (kind == 'd') {
		w->events->on_done(w->self, cookie, take(w, 1) % 4 ? RADIO_OK : (enum radio_status)(take(w, 1) % RADIO_STATUSES));
	} else if (kind == 'k') {
		w->events->on_kept(w->self, cookie, RADIO_OK, &network, keys, 2);
	} else {
		a = make_answer(w, kind);
		w->events->on_answer(w->self, cookie, &a);
	}
}

static void hear(struct world *w)
{
	static const uint16_t clusters[] = { 0x0000, 0x0006, 0x0008, 0x0300, 0x0500, 0x0402, 0x0b04, 0x0702, 0x0101, 0x0020, 0x0019, 0x000a };
	uint64_t pick = take(w, 1);
	struct radio_message m = { .mode = (uint8_t)(pick >> 6 & 1), .nwk = pick & 1 ? 0x1111 : (uint16_t)take(w, 2), .source = 1, .target = 1,
				   .profile = 0x0104, .cluster = clusters[(pick >> 1) % N_ELEMENTS(clusters)], .lqi = 1 };

	m.data = take_view(w, 200);
	w->events->on_message(w->self, &m);
}

static void command(struct world *w)
{
	struct gwa_addr addr = device_addr(0x11);
	struct gwa_value value = { .type = (uint32_t)(take(w, 1) % 6) };
	struct gwa_join join = { .size = sizeof(join), .seconds = (uint32_t)take(w, 1), .addr = addr, .ncode = (uint8_t)(take(w, 1) % 37) };
	struct view text;
	static const char *const verbs[] = { "info", "map", "backup", "restore", "channel", "form", "group" };

	switch (take(w, 1) % 4) {
	case 0:
		text = take_view(w, 40);
		if (value.type == GWA_T_REAL)
			value.v.f = (double)take(w, 2) / 7;
		else if (value.type >= GWA_T_TEXT)
			value.len = (uint32_t)text.len, value.v.data = text.data;
		else
			value.v.i = (int64_t)take(w, 2);
		zigbee_ops.command(w->self, 1, &addr, (uint8_t)take(w, 1), (uint16_t)take(w, 1), &value, 5000);
		return;
	case 1:
		fill(w, join.code, join.ncode);
		zigbee_ops.permit_join(w->self, 2, &join);
		return;
	case 2:
		zigbee_ops.remove(w->self, 3, &addr);
		return;
	default:
		text = take_view(w, 250);
		zigbee_ops.ask(w->self, 4, verbs[take(w, 1) % N_ELEMENTS(verbs)], text.data, (uint32_t)text.len);
	}
}

static void step(struct world *w)
{
	struct zdo_announce announce;
	struct radio_network network = { .eui = 9, .ext_pan = 8, .pan = 7, .channel = 11, .key = { 1, 2, 3 } };

	switch (take(w, 1) % 10) {
	case 0:
		announce = (struct zdo_announce){ .eui = take(w, 1), .nwk = (uint16_t)take(w, 1), .capabilities = (uint8_t)take(w, 1) };
		w->events->on_announce(w->self, &announce);
		return;
	case 1:
		w->events->on_joined(w->self, take(w, 1), (uint16_t)take(w, 1), 0);
		return;
	case 2:
		w->events->on_left(w->self, take(w, 1), 0, take(w, 1) & 1);
		return;
	case 3:
		w->now += take(w, 1) << (take(w, 1) % 20);
		zigbee_ops.on_timer(w->self, 0);
		return;
	case 4:
		command(w);
		return;
	case 5:
		if (take(w, 1) % 4 == 0)
			w->events->on_reset(w->self, "why");
		if (w->self->radio)
			w->events->on_ready(w->self, &network, "fuzz");
		return;
	case 6:
	case 7:
		hear(w);
		return;
	default:
		answer(w);
	}
}

static void keep_blob(struct world *w, const char *key)
{
	struct view v = take_view(w, 255);
	struct blob *blob = &w->blobs[w->n_blobs++];

	strcpy(blob->key, key);
	blob->data = malloc(v.len + 1);
	memcpy(blob->data, v.data, v.len);
	blob->len = (uint32_t)v.len;
}

static void open_world(struct world *w)
{
	struct radio_network network = { .eui = 9, .ext_pan = 8, .pan = 7, .channel = 11, .key = { 1, 2, 3 } };
	struct device *device;

	must(zigbee_open_with((gwa_host *)(void *)w, NULL, 0, radio_new, &w->self) == 0);
	w->events->on_ready(w->self, &network, "fuzz");
	if (device_add(w->self, 0x11, 0x1111, 0x8e, &device) == 0)
		inquiry_start(w->self, device, INTERVIEW_NODE);
	zigbee_ops.on_timer(w->self, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = calloc(1, sizeof(*w));

	w->ops = &host_ops;
	w->now = 100000;
	w->bytes = data;
	w->n_bytes = size;
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, w->line) == 0);
	if (take(w, 1) & 1) {
		keep_blob(w, "nodes.0");
		keep_blob(w, "network");
		keep_blob(w, "backup");
	}
	open_world(w);
	for (unsigned i = 0; i < STEPS && w->n_bytes && w->self->radio; i++) {
		step(w);
		zigbee_ops.on_stored(w->self, w->reports);
		zigbee_ops.on_timer(w->self, 0);
	}
	zigbee_ops.close(w->self);
	for (size_t i = 0; i < w->n_blobs; i++)
		free(w->blobs[i].data);
	close(w->line[0]);
	close(w->line[1]);
	free(w);
	return 0;
}
