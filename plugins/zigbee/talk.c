/* One list of all that waits, in the order in which it was asked. A pass goes through it and sends what may be sent: a device's
 * later ask never overtakes an earlier one that still waits for its turn. done() may ask anew, so whoever calls it has taken
 * its item out of the list first and does not trust a pointer into the list afterwards.
 */
#include "zigbee/talk.h"

#include <stdlib.h>
#include <string.h>

enum { ROUTER_FLYING = 2, BACKOFF_MS = 400, FULL_MS = 250, FULL_TRIES = 8, ID_MASK = 0xfffffe, NOWHERE = 0xfffe };
enum item_state { WAITS, FLIES, AWAITS };

struct talk_item {
	struct list link;
	struct talk_peer *peer;
	struct talk_ask ask; /* its payload lies behind */
	uint64_t born;
	uint32_t id;
	uint8_t state, sequence, tries, full;
	bool got_it;         /* acknowledged once */
	uint64_t deadline_ms;
	uint64_t due_ms;     /* WAITS: not before; AWAITS: not after */
	uint8_t payload[];
};

void talk_init(struct talk *talk, const struct talk_calls *calls, void *ctx)
{
	*talk = (struct talk){ .calls = calls, .ctx = ctx };
	list_init(&talk->items);
}

static uint64_t now_of(const struct talk *talk)
{
	return talk->calls->now_ms(talk->ctx);
}

static void ground(struct talk *talk, struct talk_item *item)
{
	if (item->state == FLIES)
		talk->flying--;
	if (item->state != WAITS)
		item->peer->flying--;
	item->state = WAITS;
}

static void take_out(struct talk *talk, struct talk_item *item)
{
	ground(talk, item);
	list_remove(&item->link);
	item->peer->n--;
	talk->n--;
}

void talk_deinit(struct talk *talk)
{
	struct talk_item *item, *next;

	list_each (item, next, &talk->items, link) {
		take_out(talk, item);
		free(item);
	}
}

void talk_peer_init(struct talk_peer *peer, uint16_t nwk, bool sleepy)
{
	*peer = (struct talk_peer){ .nwk = nwk, .sleepy = sleepy };
}

static void finish(struct talk *talk, struct talk_item *item, enum talk_status status, uint8_t zcl,
		   const struct zcl_frame *frame)
{
	struct talk_result result = { .tag = item->ask.tag, .peer = item->peer, .status = status, .zcl = zcl, .frame = frame };

	take_out(talk, item);
	free(item);
	talk->calls->done(talk->ctx, &result);
}

int talk_add(struct talk *talk, struct talk_peer *peer, const struct talk_ask *ask)
{
	struct talk_item *item;

	if (ask->payload.len > TALK_PAYLOAD_MAX)
		return TALK_E_SIZE;
	if (peer->n >= TALK_QUEUE_MAX || talk->n >= TALK_ITEMS_MAX)
		return TALK_E_FULL;
	item = malloc(sizeof(*item) + ask->payload.len);
	if (!item)
		return -ENOMEM;
	*item = (struct talk_item){ .peer = peer, .ask = *ask, .deadline_ms = now_of(talk) + ask->ttl_ms };
	if (ask->payload.len)
		memcpy(item->payload, ask->payload.data, ask->payload.len);
	item->born = ++talk->last;
	item->id = (uint32_t)(item->born % ID_MASK) + 1;
	list_append(&talk->items, &item->link);
	peer->n++;
	talk->n++;
	return 0;
}

/* Sending */

static size_t frame_of(const struct talk_item *item, uint8_t *buf, size_t cap)
{
	struct writer w = writer_over(buf, cap);
	struct zcl_header header = { .cluster = item->ask.own, .to_client = item->ask.to_client, .quiet = item->ask.ack_only,
				     .manufacturer = item->ask.manufacturer, .sequence = item->sequence,
				     .command = item->ask.command };

	if (zcl_header_write(&w, &header, true))
		return 0;
	put_bytes(&w, item->payload, item->ask.payload.len);
	return w.bad ? 0 : writer_len(&w);
}

/* False: not now. */
static bool send_item(struct talk *talk, struct talk_item *item)
{
	uint8_t buf[TALK_PAYLOAD_MAX + 8];
	struct radio_message message = { .mode = RADIO_UNICAST, .nwk = item->peer->nwk, .source = 1, .target = item->ask.endpoint,
					 .profile = item->ask.profile, .cluster = item->ask.cluster };

	/* An ask that is repeated keeps its number, so that a device may know it again. */
	if (!item->tries)
		item->sequence = ++item->peer->sequence;
	message.data = (struct view){ buf, frame_of(item, buf, sizeof(buf)) };
	if (talk->calls->send(talk->ctx, item->id, &message)) {
		item->due_ms = now_of(talk) + FULL_MS;
		return false;
	}
	talk->repeats += item->tries > 0;
	item->tries++;
	item->state = FLIES;
	item->peer->flying++;
	talk->flying++;
	return true;
}

static bool may_go(const struct talk *talk, const struct talk_item *item, uint64_t now)
{
	const struct talk_peer *peer = item->peer;

	return item->state == WAITS && item->due_ms <= now && !peer->must_hear && peer->nwk != NOWHERE &&
	       peer->flying < (peer->sleepy ? 1 : ROUTER_FLYING) && peer->pass != talk->pass;
}

static void pump(struct talk *talk)
{
	uint64_t now = now_of(talk);
	struct talk_item *item, *next;

	talk->pass++;
	list_each (item, next, &talk->items, link) {
		if (talk->paused || talk->flying >= TALK_FLIGHT_MAX)
			return;
		if (item->state == WAITS && (!may_go(talk, item, now) || !send_item(talk, item)))
			item->peer->pass = talk->pass;
	}
}

static struct talk_item *find(struct talk *talk, uint32_t id)
{
	struct talk_item *item, *next;

	list_each (item, next, &talk->items, link) {
		if (item->id == id)
			return item;
	}
	return NULL;
}

/* It did not get through: later again, or never. */
static void try_again(struct talk *talk, struct talk_item *item, enum radio_status status)
{
	uint64_t now = now_of(talk);
	bool ours = status == RADIO_FULL || status == RADIO_FAILED; /* not the device's fault */

	ground(talk, item);
	if (ours && item->full < FULL_TRIES) {
		item->full++;
		item->tries--;
		item->due_ms = now + (uint64_t)FULL_MS * item->full;
	} else if (item->peer->sleepy && item->tries < TALK_SLEEPY_TRIES_MAX) {
		item->peer->must_hear = true;
	} else if (!item->peer->sleepy && item->tries < TALK_TRIES_MAX) {
		item->due_ms = now + (uint64_t)BACKOFF_MS * item->tries * item->tries;
	} else {
		finish(talk, item, item->got_it ? TALK_TIMEOUT : TALK_UNREACHABLE, 0, NULL);
	}
}

void talk_sent(struct talk *talk, uint32_t id, enum radio_status status)
{
	struct talk_item *item = find(talk, id);

	if (!item || item->state != FLIES)
		return;
	if (status != RADIO_OK) {
		try_again(talk, item, status);
	} else if (item->ask.ack_only) {
		finish(talk, item, TALK_OK, 0, NULL);
	} else {
		talk->flying--;
		item->got_it = true;
		item->state = AWAITS;
		item->due_ms = now_of(talk) + (item->peer->sleepy ? TALK_SLEEPY_ANSWER_MS : TALK_ANSWER_MS);
	}
	pump(talk);
}

void talk_lost(struct talk *talk)
{
	struct talk_item *item, *next;

	list_each (item, next, &talk->items, link) {
		if (item->state != FLIES)
			continue;
		ground(talk, item);
		item->tries--;
		item->due_ms = now_of(talk) + FULL_MS;
	}
}

void talk_heard(struct talk *talk, struct talk_peer *peer)
{
	peer->must_hear = false;
	if (peer->n)
		pump(talk);
}

/* What comes in */

static uint32_t hash_of(const struct radio_message *m)
{
	uint32_t hash = 2166136261u ^ m->cluster ^ (uint32_t)m->source << 16 ^ (uint32_t)m->target << 24;

	for (size_t i = 0; i < m->data.len; i++)
		hash = (hash ^ m->data.data[i]) * 16777619u;
	return hash ? hash : 1;
}

static bool is_again(struct talk_peer *peer, const struct radio_message *message, uint64_t now)
{
	uint32_t hash = hash_of(message), ms = (uint32_t)now;

	for (size_t i = 0; i < TALK_RECENT_MAX; i++) {
		if (peer->recent[i].hash == hash && ms - peer->recent[i].ms < TALK_RECENT_MS)
			return true;
	}
	peer->recent[peer->at].hash = hash;
	peer->recent[peer->at].ms = ms;
	peer->at = (uint8_t)((peer->at + 1) % TALK_RECENT_MAX);
	return false;
}

bool talk_is_again(struct talk *talk, struct talk_peer *peer, const struct radio_message *message)
{
	bool again = is_again(peer, message, now_of(talk));

	talk->duplicates += again;
	return again;
}

bool talk_is_flood(struct talk *talk, struct talk_peer *peer)
{
	enum { EACH_MS = 1000 / TALK_RATE };
	uint64_t now = now_of(talk);

	if (peer->crowded_ms < now)
		peer->crowded_ms = now;
	if (peer->crowded_ms - now >= (uint64_t)EACH_MS * TALK_BURST_MAX) {
		talk->floods++;
		return true;
	}
	peer->crowded_ms += EACH_MS;
	return false;
}

static uint8_t answer_of(uint8_t command)
{
	return command == ZCL_WRITE ? ZCL_WRITE_RSP : (uint8_t)(command + 1);
}

/* 0: an answer; 1: none; 2: a default response, whose status is in ret. */
static int is_answer(const struct talk_item *item, const struct radio_message *m, const struct zcl_frame *f, uint8_t *ret)
{
	struct view records = f->payload;
	struct zcl_record record;

	if (item->state == WAITS || f->header.sequence != item->sequence || m->cluster != item->ask.cluster ||
	    m->source != item->ask.endpoint || f->header.to_client == item->ask.to_client)
		return 1;
	if (!f->header.cluster && f->header.command == ZCL_DEFAULT_RSP && zcl_record_next(&f->header, &records, &record) &&
	    record.command == item->ask.command) {
		*ret = record.status;
		return 2;
	}
	if (f->header.cluster != item->ask.own || f->header.manufacturer != item->ask.manufacturer)
		return 1;
	return item->ask.own || f->header.command == answer_of(item->ask.command) ? 0 : 1;
}

static struct talk_item *asked(struct talk *talk, const struct talk_peer *peer, const struct radio_message *message,
			       const struct zcl_frame *frame, int *ret_kind, uint8_t *ret_status)
{
	struct talk_item *item, *next;

	list_each (item, next, &talk->items, link) {
		*ret_kind = item->peer == peer ? is_answer(item, message, frame, ret_status) : 1;
		if (*ret_kind != 1)
			return item;
	}
	return NULL;
}

bool talk_expects(struct talk *talk, const struct talk_peer *peer, const struct radio_message *message, const struct zcl_frame *frame)
{
	uint8_t status;
	int kind;

	return asked(talk, peer, message, frame, &kind, &status) != NULL;
}

bool talk_answer(struct talk *talk, struct talk_peer *peer, const struct radio_message *message, const struct zcl_frame *frame)
{
	uint8_t status = 0;
	int kind;
	struct talk_item *item = asked(talk, peer, message, frame, &kind, &status);

	if (!item)
		return false;
	finish(talk, item, kind == 2 && status ? TALK_REFUSED : TALK_OK, status, kind == 0 ? frame : NULL);
	pump(talk);
	return true;
}

/* Time */

static struct talk_item *late(struct talk *talk, uint64_t now)
{
	struct talk_item *item, *next;

	list_each (item, next, &talk->items, link) {
		if (item->deadline_ms <= now || (item->state == AWAITS && item->due_ms <= now))
			return item;
	}
	return NULL;
}

void talk_tick(struct talk *talk)
{
	uint64_t now = now_of(talk);
	struct talk_item *item;

	while ((item = late(talk, now))) {
		/* A cluster's command that was acknowledged may have been carried out: twice is not the same as once. */
		if (item->deadline_ms <= now || item->ask.own)
			finish(talk, item, item->got_it ? TALK_TIMEOUT : TALK_UNREACHABLE, 0, NULL);
		else
			try_again(talk, item, RADIO_TIMEOUT);
	}
	pump(talk);
}

static uint64_t item_due_ms(const struct talk *talk, const struct talk_item *item)
{
	const struct talk_peer *peer = item->peer;
	bool can = !talk->paused && talk->flying < TALK_FLIGHT_MAX && !peer->must_hear && peer->nwk != NOWHERE &&
		   peer->flying < (peer->sleepy ? 1 : ROUTER_FLYING) && peer->pass != talk->pass;
	bool timed = item->state == AWAITS || (item->state == WAITS && can);

	return timed && item->due_ms < item->deadline_ms ? item->due_ms : item->deadline_ms;
}

uint64_t talk_due_ms(struct talk *talk)
{
	uint64_t due = UINT64_MAX;
	struct talk_item *item, *next;

	talk->pass++;
	list_each (item, next, &talk->items, link) {
		uint64_t one = item_due_ms(talk, item);

		if (one < due)
			due = one;
		if (item->state == WAITS)
			item->peer->pass = talk->pass;
	}
	return due;
}

static struct talk_item *first_of(struct talk *talk, const struct talk_peer *peer, uint64_t upto)
{
	struct talk_item *item, *next;

	list_each (item, next, &talk->items, link) {
		if ((!peer || item->peer == peer) && item->born <= upto)
			return item;
	}
	return NULL;
}

void talk_drop(struct talk *talk, const struct talk_peer *peer)
{
	uint64_t upto = talk->last; /* what done() asks anew stays */
	struct talk_item *item;

	while ((item = first_of(talk, peer, upto)))
		finish(talk, item, TALK_DROPPED, 0, NULL);
}
