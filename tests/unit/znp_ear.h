#pragma once
/* A radio on a stick, and everything that it tells. */
#include "check.h"

#include "znp_stick.h"

enum { EAR_COOKIES = 512, NOT_YET = -1, EAR_WAIT_MS = 60 };

struct ear {
	struct stick stick;
	unsigned int ready, foreign, failed, resets, kept, messages, announced, joined, left;
	struct radio_network network;
	char why[80], firmware[80];
	int status[EAR_COOKIES]; /* by cookie */
	unsigned int told[EAR_COOKIES];
	struct radio_answer answer;
	struct radio_key keys[RADIO_KEYS_MAX];
	size_t n_keys;
	struct radio_message message;
	uint8_t data[RADIO_DATA_MAX];
	struct zdo_announce announce;
	bool rejoins;
	void (*on_foreign)(struct ear *e);
};

static inline uint64_t ear_now(void *ctx)
{
	return ((struct ear *)ctx)->stick.now;
}

static inline void ear_write(void *ctx, const void *data, size_t len)
{
	stick_input(&((struct ear *)ctx)->stick, data, len);
}

static inline void ear_ready(void *ctx, const struct radio_network *network, const char *firmware)
{
	struct ear *e = ctx;

	e->ready++;
	e->network = *network;
	snprintf(e->firmware, sizeof(e->firmware), "%s", firmware);
}

static inline void ear_foreign(void *ctx, const struct radio_network *network)
{
	struct ear *e = ctx;

	e->foreign++;
	e->network = *network;
	if (e->on_foreign)
		e->on_foreign(e);
}

static inline void ear_failed(void *ctx, const char *why)
{
	struct ear *e = ctx;

	e->failed++;
	snprintf(e->why, sizeof(e->why), "%s", why);
}

static inline void ear_told(struct ear *e, uint32_t cookie, enum radio_status status)
{
	check_true(cookie < EAR_COOKIES);
	e->told[cookie]++;
	check_uint(e->told[cookie], 1);
	e->status[cookie] = (int)status;
}

static inline void ear_done(void *ctx, uint32_t cookie, enum radio_status status)
{
	ear_told(ctx, cookie, status);
}

static inline void ear_answer(void *ctx, uint32_t cookie, const struct radio_answer *answer)
{
	ear_told(ctx, cookie, answer->status);
	((struct ear *)ctx)->answer = *answer;
}

static inline void ear_kept(void *ctx, uint32_t cookie, enum radio_status status, const struct radio_network *network, const struct radio_key *keys,
			    size_t n)
{
	struct ear *e = ctx;

	ear_told(e, cookie, status);
	e->kept++;
	e->n_keys = n;
	check_true(!!network == (status == RADIO_OK));
	if (network)
		e->network = *network;
	for (size_t i = 0; i < n; i++)
		e->keys[i] = keys[i];
}

static inline void ear_message(void *ctx, const struct radio_message *message)
{
	struct ear *e = ctx;

	e->messages++;
	e->message = *message;
	check_true(message->data.len <= sizeof(e->data));
	memcpy(e->data, message->data.data, message->data.len);
	e->message.data.data = e->data;
}

static inline void ear_announce(void *ctx, const struct zdo_announce *announce)
{
	((struct ear *)ctx)->announced++;
	((struct ear *)ctx)->announce = *announce;
}

static inline void ear_joined(void *ctx, uint64_t eui, uint16_t nwk, uint16_t parent)
{
	((struct ear *)ctx)->joined++;
	((struct ear *)ctx)->announce = (struct zdo_announce){ eui, nwk, (uint8_t)parent };
}

static inline void ear_left(void *ctx, uint64_t eui, uint16_t nwk, bool rejoins)
{
	((struct ear *)ctx)->left++;
	((struct ear *)ctx)->rejoins = rejoins;
	((struct ear *)ctx)->announce = (struct zdo_announce){ eui, nwk, 0 };
}

static inline void ear_reset(void *ctx, const char *why)
{
	((struct ear *)ctx)->resets++;
	snprintf(((struct ear *)ctx)->why, sizeof(((struct ear *)ctx)->why), "%s", why);
}

static const struct radio_events ear_events = {
	.now_ms = ear_now,     .write = ear_write,   .on_ready = ear_ready,	.on_foreign = ear_foreign,   .on_failed = ear_failed,
	.on_done = ear_done,   .on_answer = ear_answer, .on_kept = ear_kept,	.on_message = ear_message, .on_announce = ear_announce,
	.on_joined = ear_joined, .on_left = ear_left, .on_reset = ear_reset,
};

static const struct radio_network ear_network = {
	.pan = 0x1a62, .ext_pan = 0x0102030405060708, .channel = 15, .security_level = 5,
	.key = { 1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13 },
};

static inline struct ear *ear_new(uint8_t product)
{
	struct ear *e = test_calloc(1, sizeof(*e));

	stick_init(&e->stick, product);
	for (size_t i = 0; i < EAR_COOKIES; i++)
		e->status[i] = NOT_YET;
	e->stick.radio = znp_new(&ear_events, e);
	check_true(e->stick.radio != NULL);
	return e;
}

static inline void ear_free(struct ear *e)
{
	check_true(!e->stick.radio->ops->free(e->stick.radio));
	test_free(e);
}

static inline int ear_begin(struct ear *e, enum radio_begin how, const struct radio_network *network)
{
	return e->stick.radio->ops->begin(e->stick.radio, how, network, NULL, 0);
}

/* With a network of its own, ready. */
static inline struct ear *ear_up(uint8_t product)
{
	struct ear *e = ear_new(product);

	check_ok(ear_begin(e, RADIO_FORM, &ear_network));
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	e->ready = 0;
	return e;
}

static inline int ear_send(struct ear *e, uint32_t cookie, uint16_t nwk, size_t len)
{
	uint8_t data[RADIO_DATA_MAX + 1];
	struct radio_message m = { .nwk = nwk, .source = 1, .target = 1, .cluster = 6, .data = { data, len } };

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7);
	return e->stick.radio->ops->send(e->stick.radio, cookie, &m);
}

static inline int ear_ask(struct ear *e, uint32_t cookie, enum radio_question_kind kind, uint16_t nwk)
{
	struct radio_question q = { .kind = (uint8_t)kind, .nwk = nwk, .eui = 0x1122334455667788, .endpoint = 1, .cluster = 6, .to_eui = 0x99 };

	return e->stick.radio->ops->ask(e->stick.radio, cookie, &q);
}
