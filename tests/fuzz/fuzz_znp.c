/*
 * The radio on a stick that obeys as long as the input lets it. A byte says what comes next: time goes by, the network above
 * wants something, the stick is silent or refuses, restarts, says something true at the wrong time, or any bytes at all.
 * However it goes: each operation is answered once, nothing is answered that was not asked, and there is an end.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/znp_stick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COOKIES_MAX = 256, ROUNDS_MAX = 20000 };

struct house {
	struct stick stick;
	bool open[COOKIES_MAX];
	uint32_t cookie;
};

static void must(bool good)
{
	if (!good)
		abort();
}

static uint64_t now_ms(void *ctx)
{
	return ((struct house *)ctx)->stick.now;
}

static void to_stick(void *ctx, const void *data, size_t len)
{
	struct house *h = ctx;

	if (h->stick.n_out < sizeof(h->stick.out) / 2)
		stick_input(&h->stick, data, len);
}

static void closed(struct house *h, uint32_t cookie)
{
	must(cookie < COOKIES_MAX && h->open[cookie]);
	h->open[cookie] = false;
}

static void on_network(void *ctx, const struct radio_network *network)
{
	(void)ctx;
	must(network != NULL);
}

static void on_ready(void *ctx, const struct radio_network *network, const char *firmware)
{
	(void)ctx;
	must(network->pan < 0xfffe && strlen(firmware) > 0);
}

static void on_text(void *ctx, const char *why)
{
	(void)ctx;
	must(strlen(why) > 0);
}

static void on_done(void *ctx, uint32_t cookie, enum radio_status status)
{
	must(status < RADIO_STATUSES);
	closed(ctx, cookie);
}

static void on_answer(void *ctx, uint32_t cookie, const struct radio_answer *answer)
{
	must(answer->status < RADIO_STATUSES);
	closed(ctx, cookie);
}

static void on_kept(void *ctx, uint32_t cookie, enum radio_status status, const struct radio_network *network, const struct radio_key *keys, size_t n)
{
	must((status == RADIO_OK) == (network != NULL) && n <= RADIO_KEYS_MAX && (!n || keys));
	closed(ctx, cookie);
}

static void on_message(void *ctx, const struct radio_message *message)
{
	(void)ctx;
	must(message->data.len <= RADIO_DATA_MAX && message->mode <= RADIO_BROADCAST);
}

static void on_announce(void *ctx, const struct zdo_announce *announce)
{
	(void)ctx;
	must(announce != NULL);
}

static void on_joined(void *ctx, uint64_t eui, uint16_t nwk, uint16_t parent)
{
	(void)ctx;
	(void)eui;
	(void)nwk;
	(void)parent;
}

static void on_left(void *ctx, uint64_t eui, uint16_t nwk, bool rejoins)
{
	on_joined(ctx, eui, nwk, rejoins);
}

static const struct radio_events events = {
	.now_ms = now_ms,	.write = to_stick,     .on_ready = on_ready,	   .on_foreign = on_network,	.on_failed = on_text,
	.on_done = on_done,	.on_answer = on_answer, .on_kept = on_kept,	   .on_message = on_message,	.on_announce = on_announce,
	.on_joined = on_joined, .on_left = on_left,    .on_reset = on_text,
};

/* As stick_run, but what is said may go on for ever only so long. */
static void run(struct house *h, uint64_t ms)
{
	struct stick *s = &h->stick;
	uint64_t end = s->now + ms;
	int rounds = 0;

	for (;; rounds++) {
		uint64_t due;

		must(rounds < ROUNDS_MAX);
		if (s->n_out) {
			uint8_t bytes[512];
			size_t n = s->n_out < sizeof(bytes) ? s->n_out : sizeof(bytes);

			memcpy(bytes, s->out, n);
			memmove(s->out, s->out + n, s->n_out - n);
			s->n_out -= n;
			s->radio->ops->input(s->radio, bytes, n);
			continue;
		}
		due = s->radio->ops->due_ms(s->radio);
		if (due > end)
			break;
		if (due > s->now)
			s->now = due;
		s->radio->ops->tick(s->radio);
	}
	s->now = end;
}

static void note(struct house *h, int err)
{
	must(err >= 0);
	if (!err)
		h->open[h->cookie] = true;
	h->cookie = err ? h->cookie : h->cookie + 1;
}

static void ask_for(struct house *h, uint8_t what, uint8_t more)
{
	static const uint8_t bytes[RADIO_DATA_MAX];
	struct radio *r = h->stick.radio;
	struct radio_message m = { .mode = more % 3, .nwk = more, .source = 1, .data = { bytes, what & 1 ? 1u + more * 4u : 20 } };
	struct radio_question q = { .kind = more % RADIO_QUESTIONS, .nwk = more / 8, .eui = more };

	if (h->cookie == COOKIES_MAX)
		return;
	switch (what % 7) {
	case 0:
	case 1:
		note(h, r->ops->send(r, h->cookie, &m));
		break;
	case 2:
		note(h, r->ops->ask(r, h->cookie, &q));
		break;
	case 3:
		note(h, r->ops->permit(r, h->cookie, more, more % 2 ? 0xfffc : more));
		break;
	case 4:
		note(h, r->ops->channel(r, h->cookie, more % 32));
		break;
	case 5:
		note(h, r->ops->group(r, h->cookie, more, 1, more & 1));
		break;
	default:
		note(h, r->ops->keep(r, h->cookie));
		break;
	}
}

static void begin(struct house *h, uint8_t how)
{
	static const struct radio_network network = { .pan = 0x1a62, .ext_pan = 0x11, .channel = 15, .security_level = 5, .key = { 1, 2, 3 } };
	struct radio_key keys[3] = { { .eui = 1, .child = true }, { .eui = 2, .has_key = true, .key = { 9 } }, { .eui = 3, .has_key = true } };
	size_t n = how % 4 == RADIO_RESTORE ? N_ELEMENTS(keys) : 0;

	must(!h->stick.radio->ops->begin(h->stick.radio, how % 4, how & 4 && how % 4 == RADIO_RESUME ? NULL : &network, n ? keys : NULL, n));
}

/* Something true, at any time: an indication whose fields are the input's. */
static void say(struct house *h, struct reader *r)
{
	static const struct {
		uint8_t type, subsystem, id;
	} rows[] = {
		{ UNPI_AREQ, MT_AF, 0x80 },  { UNPI_AREQ, MT_AF, 0x81 },  { UNPI_AREQ, MT_AF, 0x82 },  { UNPI_AREQ, MT_ZDO, 0x80 }, { UNPI_AREQ, MT_ZDO, 0x82 },
		{ UNPI_AREQ, MT_ZDO, 0x84 }, { UNPI_AREQ, MT_ZDO, 0x85 }, { UNPI_AREQ, MT_ZDO, 0xa1 }, { UNPI_AREQ, MT_ZDO, 0xb1 }, { UNPI_AREQ, MT_ZDO, 0xb4 },
		{ UNPI_AREQ, MT_ZDO, 0xb6 }, { UNPI_AREQ, MT_ZDO, 0xc0 }, { UNPI_AREQ, MT_ZDO, 0xc1 }, { UNPI_AREQ, MT_ZDO, 0xc9 }, { UNPI_AREQ, MT_ZDO, 0xca },
		{ UNPI_SRSP, MT_SYS, 0x33 }, { UNPI_SRSP, MT_SYS, 0x13 }, { UNPI_SRSP, MT_AF, 0x01 },  { UNPI_SRSP, MT_AF, 0x12 },  { UNPI_SRSP, MT_RPC_ERROR, 0 },
	};
	size_t row = get_u8(r) % N_ELEMENTS(rows), len = get_u8(r) % 64;
	uint8_t bytes[UNPI_FRAME_MAX];
	struct view fields = get_view(r, len < reader_left(r) ? len : reader_left(r));

	must(!unpi_encode(&(struct unpi_frame){ rows[row].type, rows[row].subsystem, rows[row].id, fields }, bytes, sizeof(bytes), &len));
	stick_emit(&h->stick, bytes, len);
}

static void turn(struct house *h, struct reader *r)
{
	static const uint16_t waits[] = { 0, 1, 100, 500, 2000, 10000, 40000, 65000 };
	struct stick *s = &h->stick;
	uint8_t what = get_u8(r), more = get_u8(r);
	struct view raw;

	switch (what % 8) {
	case 0:
		run(h, waits[more % N_ELEMENTS(waits)]);
		break;
	case 1:
	case 2:
		ask_for(h, what / 8, more);
		break;
	case 3:
		s->silent = more % 8;
		s->confirm_later = more & 8;
		s->never_up = more & 16;
		s->no_reset = more & 32;
		break;
	case 4:
		s->status[what / 8 % 16][more] ^= 0x11;
		break;
	case 5:
		if (more % 8 == 0)
			stick_reset(s);
		else
			begin(h, more);
		break;
	case 6:
		say(h, r);
		break;
	default:
		raw = get_view(r, more % 32 < reader_left(r) ? more % 32 : reader_left(r));
		stick_emit(s, raw.data, raw.len);
		break;
	}
	run(h, what & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct house *h = calloc(1, sizeof(*h));
	struct reader r = reader_over(data, size);

	must(h != NULL);
	stick_init(&h->stick, size & 1 ? 1 : 2);
	h->stick.radio = znp_new(&events, h);
	begin(h, RADIO_FORM);
	run(h, 1000);
	for (int i = 0; i < 64 && reader_left(&r); i++)
		turn(h, &r);
	/* In the end everybody has an answer, however sick it is. */
	run(h, 1000000);
	for (size_t i = 0; i < COOKIES_MAX; i++)
		must(!h->open[i]);
	must(!h->stick.radio->ops->free(h->stick.radio));
	free(h);
	return 0;
}
