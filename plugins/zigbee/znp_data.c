/*
 * Data frames. What goes out carries a number of ours; the stick says with it how the frame ended. A device gets one at a
 * time. A frame that fits into no request is announced with its length and handed over in pieces, and one that came in
 * and fits into no indication is fetched in pieces, then freed.
 */
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/znp_op.h"

enum { DATA_REQUEST = 0x01, DATA_REQUEST_EXT = 0x02, DATA_STORE = 0x11, DATA_RETRIEVE = 0x12 };
enum { DATA_CONFIRM = 0x80, INCOMING = 0x81, INCOMING_EXT = 0x82 };
enum { MODE_GROUP = 1, MODE_SHORT = 2, MODE_BROADCAST = 15, WITH_ACK = 0x10, RADIUS = 30, TO_ALL_ENDPOINTS = 0xff };
enum { PROFILE_HOME = 0x0104, PROFILE_GREEN = 0xa1e0, ENDPOINT_GREEN = 242 };

struct fetch {
	struct list node;
	struct radio_message message;
	uint32_t timestamp;
	size_t len, done;
	bool whole; /* or given up: it is to be freed */
	bool good;
	uint8_t data[];
};

static bool same_target(const struct radio_message *a, const struct radio_message *b)
{
	return a->mode == b->mode && a->nwk == b->nwk && (a->mode != RADIO_GROUP || a->group == b->group);
}

bool data_may(const struct znp *z, const struct op *op)
{
	const struct op *other, *tmp;

	if (z->n_data >= (z->product == ZNP_STACK_3_X_0 ? ZNP_WINDOW : ZNP_WINDOW_OLD))
		return false;
	list_each (other, tmp, &z->ops, node) {
		if (other->kind == OP_SEND && other->state == OP_FLYING && same_target(&other->send.message, &op->send.message))
			return false;
	}
	return true;
}

static bool number_is_taken(const struct znp *z, uint8_t number)
{
	const struct op *op, *tmp;

	list_each (op, tmp, &z->ops, node) {
		if (op->kind == OP_SEND && op->state != OP_WAITING && op->transaction == number)
			return true;
	}
	return false;
}

static uint8_t number_next(struct znp *z)
{
	do
		z->transaction = (uint8_t)(z->transaction == 255 ? 1 : z->transaction + 1);
	while (number_is_taken(z, z->transaction));
	return z->transaction;
}

static void call_plain(struct znp *z, struct op *op)
{
	const struct radio_message *m = &op->send.message;

	op_call(z, op, MT_AF, DATA_REQUEST, 8,
		(struct mt_value[]){ { .n = m->nwk }, { .n = m->target }, { .n = m->source }, { .n = m->cluster }, { .n = op->transaction },
				     { .n = WITH_ACK }, { .n = RADIUS }, { .bytes = m->data } });
}

static void call_ext(struct znp *z, struct op *op)
{
	const struct radio_message *m = &op->send.message;
	static const uint8_t modes[] = { [RADIO_UNICAST] = MODE_SHORT, [RADIO_GROUP] = MODE_GROUP, [RADIO_BROADCAST] = MODE_BROADCAST };
	bool group = m->mode == RADIO_GROUP;
	struct mt_value data = { .n = m->data.len };

	if (m->data.len <= ZNP_DATA_INLINE_MAX)
		data.bytes = m->data;
	op_call(z, op, MT_AF, DATA_REQUEST_EXT, 10,
		(struct mt_value[]){ { .n = modes[m->mode] }, { .n = group ? m->group : m->nwk }, { .n = group ? TO_ALL_ENDPOINTS : m->target },
				     { .n = 0 }, { .n = m->source }, { .n = m->cluster }, { .n = op->transaction },
				     { .n = m->mode == RADIO_UNICAST ? WITH_ACK : 0 }, { .n = RADIUS }, data });
}

/* The pieces; one of no length says that they were all. */
static void call_piece(struct znp *z, struct op *op)
{
	struct view rest = { op->send.message.data.data + op->send.stored, op->send.message.data.len - op->send.stored };

	if (rest.len > ZNP_DATA_STORE_MAX)
		rest.len = ZNP_DATA_STORE_MAX;
	op_call(z, op, MT_AF, DATA_STORE, 2, (struct mt_value[]){ { .n = op->send.stored }, { .bytes = rest } });
}

void data_call(struct znp *z, struct op *op)
{
	if (op->send.storing) {
		call_piece(z, op);
		return;
	}
	op->transaction = number_next(z);
	if (op->send.message.mode == RADIO_UNICAST && op->send.message.data.len <= ZNP_DATA_PLAIN_MAX)
		call_plain(z, op);
	else
		call_ext(z, op);
}

/* A stick that restarted takes no frame, and its word of that may have been lost on the line. */
static void not_taken(struct znp *z, struct op *op, enum radio_status status)
{
	op_done(z, op, status);
	if (status != RADIO_REFUSED || ++z->refusals < ZNP_REFUSALS_MAX)
		return;
	z->refusals = 0;
	znp_restart(z, "it takes no frames any more");
}

void data_answer(struct znp *z, struct op *op, const struct mt_message *m)
{
	size_t len = op->send.message.data.len, left = len - op->send.stored;

	if (!m || m->values[0].n) {
		not_taken(z, op, m ? op_status((uint8_t)m->values[0].n) : RADIO_REFUSED);
		return;
	}
	z->refusals = 0;
	if (!op->send.storing && len > ZNP_DATA_INLINE_MAX) {
		op->send.storing = true;
		z->calling = op;
		return;
	}
	if (op->send.storing && left) {
		op->send.stored += left < ZNP_DATA_STORE_MAX ? left : ZNP_DATA_STORE_MAX;
		z->calling = op;
		return;
	}
	op->send.storing = false;
	op_flies(z, op, ZNP_CONFIRM_MS);
}

int ops_send(struct radio *radio, uint32_t cookie, const struct radio_message *message)
{
	struct znp *z = znp_of(radio);
	uint8_t *copy;
	struct op *op;
	int err;

	if (!message->data.len || message->data.len > (message->mode == RADIO_UNICAST ? RADIO_DATA_MAX : ZNP_DATA_PLAIN_MAX))
		return RADIO_E_SIZE;
	copy = malloc(message->data.len);
	if (!copy)
		return -ENOMEM;
	err = op_new(z, OP_SEND, cookie, &op);
	if (err) {
		free(copy);
		return err;
	}
	memcpy(copy, message->data.data, message->data.len);
	op->send.message = *message;
	op->send.message.data.data = op->send.data = copy;
	znp_pump(z);
	return 0;
}

/* The stick finds a way when it has none; after these it believes in one that is not there any more. */
static void look_for_way(struct znp *z, const struct op *op, uint8_t status)
{
	enum { NO_ROUTE = 0xcd, MAC_NO_ACK = 0xe9 };
	uint16_t nwk = op->send.message.nwk;

	if (op->send.message.mode != RADIO_UNICAST || (status != NO_ROUTE && status != MAC_NO_ACK) || z->n_routes == ZNP_ROUTES_MAX)
		return;
	for (unsigned int i = 0; i < z->n_routes; i++) {
		if (z->routes[i] == nwk)
			return;
	}
	z->routes[z->n_routes++] = nwk;
}

static void confirmed(struct znp *z, const struct mt_message *m)
{
	uint8_t status = (uint8_t)m->values[0].n, endpoint = (uint8_t)m->values[1].n, number = (uint8_t)m->values[2].n;
	struct op *op, *tmp;

	list_each (op, tmp, &z->ops, node) {
		if (op->kind != OP_SEND || op->state != OP_FLYING || op->transaction != number || op->send.message.source != endpoint)
			continue;
		look_for_way(z, op, status);
		op_done(z, op, op_status(status));
		return;
	}
	z->radio.stats.unexpected++;
}

static struct radio_message message_of(uint64_t group, uint64_t cluster, uint64_t nwk, const struct mt_value *rest)
{
	/* source, target, broadcast, lqi, secured, timestamp, transaction, data */
	struct radio_message m = { .group = (uint16_t)group, .cluster = (uint16_t)cluster, .nwk = (uint16_t)nwk };

	m.source = (uint8_t)rest[0].n;
	m.target = (uint8_t)rest[1].n;
	m.mode = group ? RADIO_GROUP : rest[2].n ? RADIO_BROADCAST : RADIO_UNICAST;
	m.lqi = (uint8_t)rest[3].n;
	m.secured = rest[4].n != 0;
	m.profile = m.target == ENDPOINT_GREEN ? PROFILE_GREEN : PROFILE_HOME;
	return m;
}

/* Longer than we take: it is only freed. When too many are under way already it stays in the stick until that gives up. */
static void fetch_begin(struct znp *z, const struct radio_message *m, uint32_t timestamp, size_t len)
{
	bool keep = len <= RADIO_DATA_MAX;
	struct fetch *f = z->n_fetches < ZNP_FETCHES_MAX ? calloc(1, sizeof(*f) + (keep ? len : 0)) : NULL;

	if (!f) {
		z->radio.stats.unexpected++;
		return;
	}
	f->message = *m;
	f->timestamp = timestamp;
	f->len = len;
	f->whole = !keep;
	list_append(&z->fetches, &f->node);
	z->n_fetches++;
}

static void came(struct znp *z, const struct mt_message *m)
{
	const struct mt_value *v = m->values;
	struct radio_message got = message_of(v[0].n, v[1].n, v[2].n, &v[3]);

	got.data = v[10].bytes;
	z->events->on_message(z->ctx, &got);
}

static void came_long(struct znp *z, const struct mt_message *m)
{
	enum { BY_EUI = 3 };
	const struct mt_value *v = m->values;
	struct radio_message got = message_of(v[0].n, v[1].n, v[3].n, &v[5]);

	/* Between its endpoint and ours is the network that it comes from. */
	got.source = (uint8_t)v[4].n;
	/* 64 bit addresses are of frames from outside of the network. */
	if (v[2].n == BY_EUI) {
		z->radio.stats.unexpected++;
		return;
	}
	got.data = v[12].bytes;
	if (v[12].n > got.data.len)
		fetch_begin(z, &got, (uint32_t)v[10].n, (size_t)v[12].n);
	else
		z->events->on_message(z->ctx, &got);
}

bool data_event(struct znp *z, const struct mt_message *m)
{
	if (m->row->subsystem != MT_AF)
		return false;
	if (m->row->id == DATA_CONFIRM)
		confirmed(z, m);
	else if (m->row->id == INCOMING)
		came(z, m);
	else if (m->row->id == INCOMING_EXT)
		came_long(z, m);
	return true;
}

bool fetch_pump(struct znp *z)
{
	struct fetch *f = list_first(&z->fetches, struct fetch, node);
	struct mt_message m;
	size_t n;

	if (!f)
		return false;
	n = f->whole ? 0 : f->len - f->done < ZNP_DATA_STORE_MAX ? f->len - f->done : ZNP_DATA_STORE_MAX;
	m = mt_make(UNPI_SREQ, MT_AF, DATA_RETRIEVE, 3,
		    (struct mt_value[]){ { .n = f->timestamp }, { .n = f->whole ? 0 : f->done }, { .n = n } });
	znp_send(z, LINE_FETCH, &m);
	return true;
}

static void fetch_free(struct znp *z, struct fetch *f)
{
	list_remove(&f->node);
	z->n_fetches--;
	free(f);
}

void fetch_answer(struct znp *z, const struct mt_message *m)
{
	struct fetch *f = list_first(&z->fetches, struct fetch, node);
	struct view got = m ? m->values[1].bytes : (struct view){ 0 };

	if (!f)
		return;
	if (f->whole) { /* and now freed in the stick */
		if (f->good) {
			f->message.data = (struct view){ f->data, f->len };
			list_remove(&f->node);
			z->n_fetches--;
			z->events->on_message(z->ctx, &f->message);
			free(f);
		} else {
			fetch_free(z, f);
		}
		return;
	}
	if (!m || m->values[0].n || !got.len || got.len > f->len - f->done) {
		z->radio.stats.unexpected++;
		f->whole = true;
		return;
	}
	memcpy(f->data + f->done, got.data, got.len);
	f->done += got.len;
	f->whole = f->good = f->done == f->len;
}

void fetch_forget(struct znp *z)
{
	struct fetch *f;

	while ((f = list_first(&z->fetches, struct fetch, node)))
		fetch_free(z, f);
}
