#pragma once
/* zigbee_house - the zigbee plugin between a host and a radio of the test's making, with a few devices that answer by a table.
 *
 * What the plugin asks of the radio waits in a list; run() lets the radio and the devices answer it, one by one, until nothing is
 * asked any more. Time stands still but for later().
 */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/text.h"
#include "zigbee/plugin.h"
#include "zigbee/zigbee_inside.h"

enum { LOG_MAX = 4096, WORK_MAX = 512, LAMP_NWK = 0x1111, SENSOR_NWK = 0x2222 };
static const uint64_t LAMP = 0x000b57fffe00a101, SENSOR = 0x00124b00300ac303, HOST_EUI = 0x00124b0018ed1234;

struct said {
	char kind; /* u device up, d down, l left, r report, n note, s synced, f done, j joining, t tell, x failed, g log */
	uint64_t eui, req;
	uint16_t cap;
	int number;
	uint8_t evidence, n_caps;
	char text[256];
};
struct shelf_blob {
	char key[32];
	uint32_t len;
	unsigned writes;
	uint8_t data[GWA_STATE_MAX];
};
struct work { /* what the radio was asked */
	char kind; /* m message, q question, p permit, c code, h channel, k keep, b begin */
	uint32_t cookie;
	struct radio_message message;
	uint8_t bytes[256];
	struct radio_question question;
	uint8_t seconds;
};
struct house;
struct fake_radio {
	struct radio radio;
	struct house *house;
	const struct radio_events *events;
	void *ctx;
	uint64_t due_ms;
};
struct house {
	const struct gwa_host_ops *ops; /* first: gwa() reads it */
	gwa_self *self;
	struct fake_radio *radio;
	uint64_t now, timer_ms, credit, reports;
	int line[2];
	struct said log[LOG_MAX];
	size_t n;
	struct work work[WORK_MAX];
	size_t n_work, at_work;
	struct shelf_blob shelf[16];
	size_t n_shelf;
	/* how things go */
	bool blank, foreign, silent, mute, busy; /* stick without a network, with another's; devices away, dumb; radio without room */
	struct radio_network stick;
	struct radio_key keys[4];
	size_t n_keys;
	unsigned begins[4], permits, leaves, sent, commands; /* commands: those of clusters */
	uint8_t permit_s, channel;
	uint64_t coded;
	bool grouped;                  /* lamps can be in groups */
	uint16_t away, full;           /* one that is away; one whose table of groups is full */
	struct work cast;              /* the last to a group */
	unsigned casts;
	struct radio_network begun;
	size_t begun_keys;
};

static inline struct house *house_of(gwa_host *host)
{
	return (struct house *)(void *)host;
}

static inline struct said *say(gwa_host *host, char kind)
{
	struct house *h = house_of(host);
	struct said *s = &h->log[h->n];

	check_true(h->n < LOG_MAX - 1);
	h->n++;
	*s = (struct said){ .kind = kind };
	return s;
}

static inline uint64_t eui_of(const struct gwa_addr *addr)
{
	uint64_t eui = 0;

	check_true(addr->len == 8 || (addr->len == 3 && addr->bytes[0] == 'G'));
	for (unsigned i = 0; i < addr->len; i++)
		eui = eui << 8 | addr->bytes[i];
	return eui;
}

/* The host */

static inline void op_log(gwa_host *host, int level, const char *text)
{
	struct said *s = say(host, 'g');

	s->number = level;
	text_copy(s->text, sizeof(s->text), text);
}
static inline int op_port(gwa_host *host, const char *name)
{
	return strcmp(name, "radio") == 0 ? house_of(host)->line[0] : -1;
}
static inline int op_watch(gwa_host *host, int fd, uint32_t events)
{
	(void)host, (void)fd, (void)events;
	return 0;
}
static inline void op_timer(gwa_host *host, uint32_t timer, uint32_t ms)
{
	check_uint(timer, 0);
	house_of(host)->timer_ms = ms ? house_of(host)->now + ms : UINT64_MAX;
}
static inline uint64_t op_now(gwa_host *host)
{
	return house_of(host)->now;
}
static inline void op_up(gwa_host *host, const struct gwa_device *device)
{
	struct said *s = say(host, 'u');

	s->eui = eui_of(&device->addr);
	check_true(device->addr.len == 8 ? eui_of(&device->hw) == s->eui : device->hw.len == 0);
	s->evidence = device->evidence;
	for (unsigned i = 0; i < device->nendpoints; i++)
		s->n_caps = (uint8_t)(s->n_caps + device->endpoints[i].ncaps);
	text_copy(s->text, sizeof(s->text), device->model);
}
static inline void op_synced(gwa_host *host)
{
	say(host, 's');
}
static inline void op_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	say(host, left ? 'l' : 'd')->eui = eui_of(addr);
}
static inline uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
				 const struct gwa_value *value, int64_t wall_us)
{
	struct house *h = house_of(host);
	struct said *s;

	(void)wall_us, (void)endpoint;
	if (h->reports >= h->credit)
		return 0;
	s = say(host, 'r');
	s->eui = eui_of(addr);
	s->cap = cap;
	s->number = value->type == GWA_T_REAL ? (int)(value->v.f * 100) : value->type == GWA_T_TEXT ? 0 : (int)value->v.i;
	if (value->type == GWA_T_TEXT)
		text_copy_n(s->text, sizeof(s->text), value->v.data, value->len);
	return ++h->reports;
}
static inline void op_done(gwa_host *host, uint64_t req, int status)
{
	struct said *s = say(host, 'f');

	s->req = req;
	s->number = status;
}
static inline void op_claim(gwa_host *host, const struct gwa_addr *addr, const char *code, uint32_t len)
{
	(void)host, (void)addr, (void)code, (void)len;
}
static inline void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	struct said *s = say(host, 'n');

	(void)count;
	s->number = kind;
	text_print(s->text, sizeof(s->text), "%s: %s", object, text);
}
static inline struct shelf_blob *blob_of(struct house *h, const char *key)
{
	for (size_t i = 0; i < h->n_shelf; i++) {
		if (strcmp(h->shelf[i].key, key) == 0)
			return &h->shelf[i];
	}
	return NULL;
}
static inline int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	struct shelf_blob *blob = blob_of(house_of(host), key);

	if (!blob || blob->len > *len)
		return -1;
	memcpy(buf, blob->data, blob->len);
	*len = blob->len;
	return 0;
}
static inline int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	struct house *h = house_of(host);
	struct shelf_blob *blob = blob_of(h, key);

	if (!blob) {
		check_true(h->n_shelf < N_ELEMENTS(h->shelf));
		blob = &h->shelf[h->n_shelf++];
		text_copy(blob->key, sizeof(blob->key), key);
	}
	check_true(len <= GWA_STATE_MAX);
	if (len)
		memcpy(blob->data, buf, len);
	blob->len = len;
	blob->writes++;
	return 0;
}
static inline void op_failed(gwa_host *host, const char *why)
{
	text_copy(say(host, 'x')->text, 256, why);
}
static inline void op_repeats(gwa_host *host, int on)
{
	(void)host, (void)on;
}
static inline void op_joining(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why)
{
	struct said *s = say(host, 'j');

	s->eui = eui_of(addr);
	s->number = stage;
	text_copy(s->text, sizeof(s->text), why ? why : "");
}
static inline void op_tell(gwa_host *host, uint64_t req, const void *data, uint32_t len)
{
	struct said *s = say(host, 't');

	s->req = req;
	s->number = (int)len;
	text_copy_n(s->text, sizeof(s->text), data, len < 255 ? len : 255);
}

static const struct gwa_host_ops host_ops = {
	sizeof(host_ops), op_log,  op_port,  op_watch, op_timer, op_now,  op_up,     op_synced,  op_down,    op_report,
	op_done,	  op_claim, op_note, op_load,  op_save,	 op_failed, op_repeats, op_joining, op_tell,
};

/* The radio */

static inline struct fake_radio *fake_of(struct radio *radio)
{
	return (struct fake_radio *)(void *)radio;
}
static inline struct work *put_work(struct radio *radio, char kind, uint32_t cookie)
{
	struct house *h = fake_of(radio)->house;
	struct work *w = &h->work[h->n_work];

	check_true(h->n_work < WORK_MAX);
	h->n_work++;
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->cookie = cookie;
	return w;
}
static inline int fr_begin(struct radio *radio, enum radio_begin how, const struct radio_network *network,
			   const struct radio_key *keys, size_t n)
{
	struct house *h = fake_of(radio)->house;

	(void)keys;
	h->begins[how]++;
	h->begun = network ? *network : (struct radio_network){ 0 };
	h->begun_keys = n;
	put_work(radio, 'b', (uint32_t)how);
	return 0;
}
static inline void fr_input(struct radio *radio, const void *data, size_t len)
{
	(void)radio, (void)data, (void)len;
}
static inline void fr_tick(struct radio *radio)
{
	(void)radio;
}
static inline uint64_t fr_due(const struct radio *radio)
{
	return ((const struct fake_radio *)(const void *)radio)->due_ms;
}
static inline int fr_send(struct radio *radio, uint32_t cookie, const struct radio_message *message)
{
	struct work *w;

	if (fake_of(radio)->house->busy)
		return RADIO_E_BUSY;
	w = put_work(radio, 'm', cookie);
	check_true(message->data.len <= sizeof(w->bytes));
	w->message = *message;
	memcpy(w->bytes, message->data.data, message->data.len);
	w->message.data.data = w->bytes;
	fake_of(radio)->house->sent++;
	if (message->mode == RADIO_GROUP) {
		fake_of(radio)->house->casts++;
		fake_of(radio)->house->cast = *w;
	}
	fake_of(radio)->house->commands += message->data.data[0] & 1;
	return 0;
}
static inline int fr_ask(struct radio *radio, uint32_t cookie, const struct radio_question *question)
{
	if (fake_of(radio)->house->busy)
		return RADIO_E_BUSY;
	put_work(radio, 'q', cookie)->question = *question;
	return 0;
}
static inline int fr_permit(struct radio *radio, uint32_t cookie, uint8_t seconds, uint16_t nwk)
{
	check_uint(nwk, 0xfffc);
	fake_of(radio)->house->permit_s = seconds;
	fake_of(radio)->house->permits++;
	put_work(radio, 'p', cookie);
	return 0;
}
static inline int fr_code(struct radio *radio, uint32_t cookie, uint64_t eui, struct view code)
{
	check_true(code.len >= 8 && code.len <= 18);
	fake_of(radio)->house->coded = eui;
	put_work(radio, 'c', cookie);
	return 0;
}
static inline int fr_channel(struct radio *radio, uint32_t cookie, uint8_t channel)
{
	fake_of(radio)->house->channel = channel;
	put_work(radio, 'h', cookie);
	return 0;
}
static inline int fr_group(struct radio *radio, uint32_t cookie, uint16_t group, uint8_t endpoint, bool member)
{
	(void)radio, (void)cookie, (void)group, (void)endpoint, (void)member;
	return 0;
}
static inline int fr_keep(struct radio *radio, uint32_t cookie)
{
	put_work(radio, 'k', cookie);
	return 0;
}
static inline struct radio *fr_free(struct radio *radio)
{
	struct house *h = fake_of(radio)->house;

	h->radio = NULL;
	h->n_work = h->at_work = 0;
	free(radio);
	return NULL;
}
static const struct radio_ops fake_ops = { "fake",	fr_begin,  fr_input,   fr_tick,	 fr_due,  fr_send, fr_ask,
					   fr_permit,	fr_code,   fr_channel, fr_group, fr_keep, fr_free };

/* radio_new has no room for our own pointer: the plugin's host is ours. */
static inline struct radio *fake_new(const struct radio_events *events, void *ctx)
{
	struct fake_radio *fr = calloc(1, sizeof(*fr));
	gwa_self *self = ctx;

	fr->radio.ops = &fake_ops;
	fr->house = house_of(self->host);
	fr->events = events;
	fr->ctx = ctx;
	fr->due_ms = UINT64_MAX;
	fr->house->radio = fr;
	return &fr->radio;
}

/* The devices */

static inline void settle_house(struct house *h)
{
	zigbee_ops.on_timer(h->self, 0);
}

static inline void message_from(struct house *h, uint16_t nwk, uint16_t cluster, const void *bytes, size_t len)
{
	struct radio_message m = { .nwk = nwk, .source = 1, .target = 1, .profile = 0x0104, .cluster = cluster, .lqi = 100,
				   .data = { bytes, len } };

	h->radio->events->on_message(h->radio->ctx, &m);
	settle_house(h);
}

static inline void put_attribute(struct writer *w, uint16_t cluster, uint16_t attribute)
{
	static const struct {
		uint16_t cluster, attribute;
		uint8_t type;
		const char *text;
		uint32_t number, size;
	} rows[] = {
		{ 0x0000, 0x0000, 0x20, NULL, 3, 1 },	   { 0x0000, 0x0004, 0x42, "IKEA of Sweden", 0, 0 },
		{ 0x0000, 0x0005, 0x42, "TRADFRI control outlet", 0, 0 }, { 0x0000, 0x0007, 0x30, NULL, 1, 1 },
		{ 0x0006, 0x0000, 0x10, NULL, 0, 1 },	   { 0x0402, 0x0000, 0x29, NULL, 2150, 2 },
	};

	put_u16(w, attribute);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].cluster != cluster || rows[i].attribute != attribute)
			continue;
		put_u8(w, 0);
		put_u8(w, rows[i].type);
		if (rows[i].text)
			put_u8(w, (uint8_t)strlen(rows[i].text));
		if (rows[i].text)
			put_bytes(w, rows[i].text, strlen(rows[i].text));
		else if (rows[i].size == 1)
			put_u8(w, (uint8_t)rows[i].number);
		else
			put_u16(w, (uint16_t)rows[i].number);
		return;
	}
	put_u8(w, 0x86);
}

static inline void answer_zcl(struct house *h, const struct radio_message *m)
{
	uint8_t out[256];
	struct writer w = writer_over(out, sizeof(out));
	struct zcl_frame f;
	struct zcl_record record;
	struct view records;

	check_ok(zcl_frame_read(m->data, &f));
	if (f.header.to_client || f.header.quiet)
		return;
	put_u8(&w, 0x18);
	put_u8(&w, f.header.sequence);
	if (f.header.cluster && m->cluster == 0x0004) {
		out[0] = 0x19;
		put_u8(&w, f.header.command);
		put_u8(&w, m->nwk == h->full ? 0x89 : 0);
		put_bytes(&w, f.payload.data, 2);
	} else if (!f.header.cluster && f.header.command == ZCL_READ) {
		put_u8(&w, ZCL_READ_RSP);
		for (records = f.payload; zcl_record_next(&f.header, &records, &record);)
			put_attribute(&w, m->cluster, record.attribute);
	} else if (!f.header.cluster && (f.header.command == ZCL_WRITE || f.header.command == ZCL_CONFIGURE_REPORT)) {
		put_u8(&w, f.header.command == ZCL_WRITE ? ZCL_WRITE_RSP : ZCL_CONFIGURE_REPORT_RSP);
		put_u8(&w, 0);
	} else {
		put_u8(&w, ZCL_DEFAULT_RSP);
		put_u8(&w, f.header.command);
		put_u8(&w, 0);
	}
	message_from(h, m->nwk, m->cluster, out, writer_len(&w));
}

static inline void answer_question(struct house *h, const struct radio_question *q, uint32_t cookie)
{
	struct radio_answer a = { .kind = q->kind, .status = h->silent ? RADIO_NO_ACK : RADIO_OK };
	bool sensor = q->nwk == SENSOR_NWK;

	if (q->kind == RADIO_Q_LEAVE)
		h->leaves++;
	if (q->kind == RADIO_Q_NODE) {
		a.node = (struct zdo_node){ .kind = sensor ? ZDO_END_DEVICE : ZDO_ROUTER, .capabilities = sensor ? 0x80 : 0x8e,
					    .manufacturer = 0x117c };
	} else if (q->kind == RADIO_Q_ENDPOINTS) {
		a.endpoints = (struct zdo_endpoints){ .n = 2, .ids = { 1, 242 } };
	} else if (q->kind == RADIO_Q_SIMPLE) {
		a.simple = (struct zdo_simple){ .endpoint = 1, .profile = 0x0104, .device = 0x010a, .n_in = h->grouped ? 3 : 2,
						.in = { 0x0000, sensor ? 0x0402 : 0x0006, 0x0004 } };
	} else if (q->kind == RADIO_Q_NEIGHBOURS) {
		a.neighbours = (struct zdo_lqi){ .total = q->nwk ? 0 : 1, .n = q->nwk ? 0 : 1 };
		a.neighbours.rows[0] = (struct zdo_neighbour){ .eui = LAMP, .nwk = LAMP_NWK, .kind = ZDO_ROUTER, .lqi = 77 };
	}
	h->radio->events->on_answer(h->radio->ctx, cookie, &a);
}

static inline void begun(struct house *h, enum radio_begin how)
{
	if (how == RADIO_RESUME && (h->blank || h->foreign || !h->begun.pan)) {
		struct radio_network other = { .eui = HOST_EUI, .pan = h->blank ? 0xffff : 0x5555, .channel = 11 };

		h->radio->events->on_foreign(h->radio->ctx, &other);
		return;
	}
	if (how == RADIO_ADOPT) {
		h->radio->events->on_ready(h->radio->ctx, &h->stick, "fake 1");
		return;
	}
	h->blank = false;
	h->stick = h->begun;
	h->stick.eui = h->stick.eui ? h->stick.eui : HOST_EUI;
	h->stick.pan = h->stick.pan ? h->stick.pan : 0x1a62;
	h->stick.ext_pan = h->stick.ext_pan ? h->stick.ext_pan : 0x1122334455667788;
	h->radio->events->on_ready(h->radio->ctx, &h->stick, "fake 1");
}

static inline void answer_work(struct house *h, const struct work *w)
{
	bool away = h->silent || (w->kind == 'm' && h->away && w->message.mode == RADIO_UNICAST && w->message.nwk == h->away);
	enum radio_status status = away ? RADIO_NO_ACK : RADIO_OK;

	if (w->kind == 'b') {
		begun(h, (enum radio_begin)w->cookie);
	} else if (w->kind == 'q') {
		answer_question(h, &w->question, w->cookie);
	} else if (w->kind == 'k') {
		h->radio->events->on_kept(h->radio->ctx, w->cookie, RADIO_OK, &h->stick, h->keys, h->n_keys);
	} else {
		h->radio->events->on_done(h->radio->ctx, w->cookie, w->kind == 'm' ? status : RADIO_OK);
		if (w->kind == 'm' && !away && !h->mute)
			answer_zcl(h, &w->message);
	}
}

/* Everything that is asked is answered, until nothing is. */
static inline void run(struct house *h)
{
	for (unsigned i = 0; i < 5000; i++) {
		struct work w;

		settle_house(h);
		if (h->at_work == h->n_work) {
			h->at_work = h->n_work = 0;
			return;
		}
		w = h->work[h->at_work++];
		w.message.data.data = w.bytes;
		if (h->at_work == h->n_work)
			h->at_work = h->n_work = 0;
		answer_work(h, &w);
	}
	fail_msg("this never ends");
}

/* In steps of what is due, so that nothing is due twice at once. */
static inline void later(struct house *h, uint64_t ms)
{
	uint64_t end = h->now + ms;

	while (h->timer_ms <= end) {
		check_true(h->timer_ms > h->now);
		h->now = h->timer_ms;
		h->timer_ms = UINT64_MAX;
		run(h);
	}
	h->now = end;
	run(h);
}

/* The house */

static inline struct house *house_new(void)
{
	struct house *h = calloc(1, sizeof(*h));

	h->ops = &host_ops;
	h->now = 1000000;
	h->credit = UINT64_MAX;
	h->blank = true;
	h->timer_ms = UINT64_MAX;
	check_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, h->line));
	return h;
}

static inline void house_open(struct house *h)
{
	static const struct gwa_opt opts[] = { { "channel", "15" } };

	check_ok(zigbee_open_with((gwa_host *)(void *)h, opts, 1, fake_new, &h->self));
	run(h);
}

static inline void house_close(struct house *h)
{
	zigbee_ops.close(h->self);
	h->self = NULL;
}

static inline void house_free(struct house *h)
{
	if (h->self)
		house_close(h);
	close(h->line[0]);
	if (h->line[1] >= 0)
		close(h->line[1]);
	free(h);
}

static inline size_t count(const struct house *h, char kind)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n; i++)
		n += h->log[i].kind == kind;
	return n;
}

static inline const struct said *last(const struct house *h, char kind)
{
	for (size_t i = h->n; i-- > 0;) {
		if (h->log[i].kind == kind)
			return &h->log[i];
	}
	fail_msg("nothing of the kind %c was said", kind);
	return NULL;
}

static inline void permit(struct house *h, uint32_t seconds)
{
	struct gwa_join join = { .size = sizeof(join), .seconds = seconds };

	zigbee_ops.permit_join(h->self, 900, &join);
	run(h);
}

static inline void join(struct house *h, uint64_t eui, uint16_t nwk, uint8_t capabilities)
{
	struct zdo_announce announce = { .eui = eui, .nwk = nwk, .capabilities = capabilities };

	h->radio->events->on_joined(h->radio->ctx, eui, nwk, 0);
	settle_house(h);
	h->radio->events->on_announce(h->radio->ctx, &announce);
	run(h);
}

static inline void order(struct house *h, uint64_t req, uint64_t eui, uint16_t cap, bool on, uint32_t ttl_ms)
{
	struct gwa_addr addr = device_addr(eui);
	struct gwa_value value = { .type = GWA_T_BOOL, .v.i = on };

	zigbee_ops.command(h->self, req, &addr, 1, cap, &value, ttl_ms);
}

/* A home with a lamp and a sensor that are known and set up. */
static inline struct house *home(void)
{
	struct house *h = house_new();

	house_open(h);
	permit(h, 60);
	join(h, LAMP, LAMP_NWK, 0x8e);
	join(h, SENSOR, SENSOR_NWK, 0x80);
	later(h, SAVE_AFTER_MS);
	return h;
}
