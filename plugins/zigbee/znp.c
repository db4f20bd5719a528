/*
 * Bytes come in and are frames; a frame is the answer to the one request that is out, or something that happened. Both
 * go to whoever waits: the script that begins the radio or makes its backup (znp_script, znp_start, znp_keep), or the
 * operations of the network above (znp_ops). When the line is free it is given to the next of them.
 *
 * A stick that restarts by itself, or goes silent, is begun again with the network that it had; what waited for it has
 * failed. It may do so a few times a minute; then it is broken.
 */
#include "zigbee/znp.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/znp_inside.h"

enum { SYS_PING = 0x01, SYS_RESET_IND = 0x80, SYS_RESET_REQ = 0x00, RESET_SOFT = 1, SKIP_BOOTLOADER = 0xef };

struct mt_message mt_make(uint8_t type, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values)
{
	struct mt_message m = { .row = mt_find(type, subsystem, id), .n = n };

	assert(m.row && n <= MT_FIELDS_MAX);
	if (n)
		memcpy(m.values, values, n * sizeof(*values));
	return m;
}

void znp_send(struct znp *z, enum line_user user, const struct mt_message *m)
{
	uint8_t bytes[UNPI_FRAME_MAX];
	size_t len;
	int err = mt_encode(m, bytes, sizeof(bytes), &len);

	assert(!err);
	if (m->row->type == UNPI_SREQ)
		line_asked(&z->line, user, m->row->subsystem, m->row->id, znp_now(z));
	z->radio.stats.out++;
	z->events->write(z->ctx, bytes, len);
	crypto_wipe(bytes, len);
}

static void ping(struct znp *z)
{
	struct mt_message m = mt_make(UNPI_SREQ, MT_SYS, SYS_PING, 0, NULL);

	znp_send(z, LINE_PING, &m);
}

static bool routes_pump(struct znp *z)
{
	enum { EXT_ROUTE_DISC = 0x45, RADIUS = 30 };
	struct mt_message m;

	if (!z->n_routes)
		return false;
	m = mt_make(UNPI_SREQ, MT_ZDO, EXT_ROUTE_DISC, 3, (struct mt_value[]){ { .n = z->routes[--z->n_routes] }, { .n = 0 }, { .n = RADIUS } });
	znp_send(z, LINE_NOBODY, &m);
	return true;
}

void znp_pump(struct znp *z)
{
	while (z->line.user == LINE_FREE) {
		if (z->state == ZNP_IDLE)
			return;
		if (!ops_pump(z) && !script_pump(z) && !routes_pump(z))
			return;
	}
}

void znp_fail(struct znp *z, const char *why)
{
	script_stop(z);
	start_end(z);
	z->state = ZNP_IDLE;
	z->line.user = LINE_FREE;
	z->line.due_ms = UINT64_MAX;
	ops_end(z, RADIO_FAILED);
	z->events->on_failed(z->ctx, why);
}

/* True when there were too many lately; a slot that is free or old is taken. */
static bool resets_too_often(struct znp *z)
{
	uint64_t now = znp_now(z);

	for (size_t i = 0; i < ZNP_RESETS_MAX; i++) {
		if (!z->resets[i] || now - z->resets[i] > ZNP_RESETS_MS) {
			z->resets[i] = now ? now : 1;
			return false;
		}
	}
	return true;
}

void znp_restart(struct znp *z, const char *why)
{
	bool was_ready = z->state == ZNP_READY, tried = z->begin.reset_tried;

	z->radio.stats.resets++;
	if (resets_too_often(z)) {
		znp_fail(z, why);
		return;
	}
	script_stop(z);
	z->state = ZNP_STARTING;
	if (was_ready) {
		ops_end(z, RADIO_FAILED);
		z->events->on_reset(z->ctx, why);
		z->begin = (struct beginning){ .how = RADIO_RESUME, .given = true, .reset_tried = tried, .network = z->mine };
	}
	z->line.user = LINE_FREE;
	z->line.due_ms = UINT64_MAX;
	z->line.silent = 0;
	z->n_routes = 0;
	start_begin(z);
}

/* Nobody is there. A reset is tried once; the byte is for a boot loader that waits to be told to go on. */
static void dead(struct znp *z)
{
	struct mt_message m = mt_make(UNPI_AREQ, MT_SYS, SYS_RESET_REQ, 1, (struct mt_value[]){ { .n = RESET_SOFT } });

	if (z->begin.reset_tried) {
		znp_fail(z, "it does not answer");
		return;
	}
	z->begin.reset_tried = true;
	znp_send(z, LINE_NOBODY, &m);
	znp_restart(z, "it does not answer");
}

static void late(struct znp *z, enum line_user user)
{
	uint8_t skip = SKIP_BOOTLOADER;

	z->radio.stats.timeouts++;
	if (line_is_dead(&z->line)) {
		dead(z);
		return;
	}
	if (z->state == ZNP_STARTING)
		z->events->write(z->ctx, &skip, 1);
	ping(z);
	if (user == LINE_SCRIPT)
		script_late(z);
	else if (user == LINE_OP || user == LINE_FETCH)
		ops_late(z, user);
}

static void answered(struct znp *z, const struct unpi_frame *f)
{
	struct mt_message m;
	enum line_user user;
	enum line_match match = line_answered(&z->line, f, &user);
	bool good = match == LINE_ANSWER && !mt_decode(f, &m);

	if (match == LINE_STRAY) {
		z->radio.stats.unexpected++;
		return;
	}
	if (match == LINE_ANSWER && !good)
		z->radio.stats.bad_frames++;
	if (user == LINE_SCRIPT)
		script_got(z, good ? GOT_ANSWER : GOT_REFUSED, good ? &m : NULL);
	else if (user == LINE_OP || user == LINE_FETCH)
		ops_answer(z, user, good ? &m : NULL);
}

static void happened(struct znp *z, const struct unpi_frame *f)
{
	struct mt_message m;

	int err = mt_decode(f, &m);

	if (err) {
		z->radio.stats.bad_frames += err != MT_E_UNKNOWN;
		z->radio.stats.unexpected += err == MT_E_UNKNOWN;
		return;
	}
	if (m.row->subsystem == MT_SYS && m.row->id == SYS_RESET_IND && !z->begin.expects_reset) {
		znp_restart(z, "it restarted by itself");
		return;
	}
	if (z->state == ZNP_STARTING)
		script_got(z, GOT_EVENT, &m);
	else if (!ops_event(z, &m))
		z->radio.stats.unexpected++;
}

static void frames(struct znp *z)
{
	struct unpi_frame f;

	while (unpi_reader_next(&z->line.reader, &f)) {
		z->radio.stats.in++;
		if (z->state == ZNP_IDLE)
			continue;
		if (f.type == UNPI_SRSP)
			answered(z, &f);
		else if (f.type == UNPI_AREQ)
			happened(z, &f);
		else
			z->radio.stats.unexpected++;
		znp_pump(z);
	}
}

static void znp_input(struct radio *radio, const void *data, size_t len)
{
	struct znp *z = znp_of(radio);
	const uint8_t *p = data;
	uint64_t bad = z->line.reader.bad_checks + z->line.reader.bad_lengths;

	z->line.heard_ms = znp_now(z);
	while (len) {
		size_t n = unpi_reader_take(&z->line.reader, p, len);

		p += n;
		len -= n;
		frames(z);
	}
	z->radio.stats.bad_frames += z->line.reader.bad_checks + z->line.reader.bad_lengths - bad;
}

static void znp_tick(struct radio *radio)
{
	struct znp *z = znp_of(radio);
	uint64_t now = znp_now(z);
	enum line_user user;

	if (z->line.reader.len && now >= z->line.heard_ms + LINE_QUIET_MS) {
		unpi_reader_silence(&z->line.reader);
		frames(z);
	}
	ops_tick(z, now);
	if (z->state == ZNP_IDLE)
		return;
	if (line_is_late(&z->line, now, &user))
		late(z, user);
	if (z->script.steps && now >= z->script.due_ms)
		script_got(z, GOT_TIME, NULL);
	znp_pump(z);
}

static uint64_t znp_due_ms(const struct radio *radio)
{
	const struct znp *z = znp_of(radio);
	uint64_t due = line_due_ms(&z->line), other = ops_due_ms(z);

	if (z->script.steps && z->script.due_ms < due)
		due = z->script.due_ms;
	return other < due ? other : due;
}

static int znp_begin(struct radio *radio, enum radio_begin how, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	struct znp *z = znp_of(radio);
	struct radio_key *copy = NULL;

	if (n > RADIO_KEYS_MAX || ((how == RADIO_FORM || how == RADIO_RESTORE) && !network))
		return RADIO_E_SIZE;
	if (n) {
		copy = malloc(n * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, keys, n * sizeof(*copy));
	}
	script_stop(z);
	start_end(z);
	ops_over(z);
	z->begin = (struct beginning){ .how = how, .given = network != NULL, .keys = copy, .n = n };
	if (network)
		z->begin.network = *network;
	memset(z->resets, 0, sizeof(z->resets));
	z->line.silent = 0;
	z->state = ZNP_STARTING;
	start_begin(z);
	znp_pump(z);
	return 0;
}

static struct radio *znp_free(struct radio *radio)
{
	struct znp *z;

	if (!radio)
		return NULL;
	z = znp_of(radio);
	script_stop(z);
	start_end(z);
	ops_forget(z);
	crypto_wipe(z, sizeof(*z));
	free(z);
	return NULL;
}

static const struct radio_ops ops = {
	.name = "znp",
	.begin = znp_begin,
	.input = znp_input,
	.tick = znp_tick,
	.due_ms = znp_due_ms,
	.send = ops_send,
	.ask = ops_ask,
	.permit = ops_permit,
	.install_code = ops_install_code,
	.channel = ops_channel,
	.group = ops_group,
	.keep = ops_keep,
	.free = znp_free,
};

struct radio *znp_new(const struct radio_events *events, void *ctx)
{
	struct znp *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->radio.ops = &ops;
	z->events = events;
	z->ctx = ctx;
	line_init(&z->line);
	list_init(&z->ops);
	list_init(&z->fetches);
	z->script.due_ms = UINT64_MAX;
	return &z->radio;
}
