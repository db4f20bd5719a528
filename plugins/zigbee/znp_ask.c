/*
 * Questions to the device objects. The stick sends them off at once and the answer comes as an indication that says who
 * answers and sometimes what was asked; of a kind one question to a device is out at a time, so who and what it was is
 * never in doubt.
 */
#include "zigbee/znp_op.h"

enum { ANNOUNCE = 0xc1, CONCENTRATOR = 0xc8, LEAVE = 0xc9, TC_DEVICE = 0xca, STATE_CHANGE = 0xc0 };
enum { NWK_ADDR_RSP = 0x80, UNREADABLE = 0xff, BIND_GROUP = 1, BIND_DEVICE = 3 };

static const uint8_t requests[RADIO_QUESTIONS] = {
	[RADIO_Q_NODE] = 0x02,   [RADIO_Q_ENDPOINTS] = 0x05,  [RADIO_Q_SIMPLE] = 0x04,  [RADIO_Q_BIND] = 0x21,
	[RADIO_Q_UNBIND] = 0x22, [RADIO_Q_NEIGHBOURS] = 0x31, [RADIO_Q_ADDRESS] = 0x00, [RADIO_Q_LEAVE] = 0x34,
};

static bool same_question(const struct radio_question *a, const struct radio_question *b)
{
	return a->kind == b->kind && (a->kind == RADIO_Q_ADDRESS ? a->eui == b->eui : a->nwk == b->nwk);
}

bool ask_may(const struct znp *z, const struct op *op)
{
	const struct op *other, *tmp;

	if (z->n_asks >= ZNP_ASKS_MAX)
		return false;
	list_each (other, tmp, &z->ops, node) {
		if (other->kind == OP_ASK && other->state == OP_FLYING && same_question(&other->ask, &op->ask))
			return false;
	}
	return true;
}

static void call_bind(struct znp *z, struct op *op)
{
	const struct radio_question *q = &op->ask;
	bool device = q->to_eui != 0;

	op_call(z, op, MT_ZDO, requests[q->kind], 7,
		(struct mt_value[]){ { .n = q->nwk }, { .n = q->eui }, { .n = q->endpoint }, { .n = q->cluster },
				     { .n = device ? BIND_DEVICE : BIND_GROUP }, { .n = device ? q->to_eui : q->group },
				     { .n = device ? q->to_endpoint : 0 } });
}

void ask_call(struct znp *z, struct op *op)
{
	const struct radio_question *q = &op->ask;
	struct mt_value two[] = { { .n = q->nwk }, { .n = q->kind == RADIO_Q_NEIGHBOURS ? q->start : q->nwk }, { .n = q->endpoint } };

	switch ((enum radio_question_kind)q->kind) {
	case RADIO_Q_NODE:
	case RADIO_Q_ENDPOINTS:
	case RADIO_Q_NEIGHBOURS:
		op_call(z, op, MT_ZDO, requests[q->kind], 2, two);
		break;
	case RADIO_Q_SIMPLE:
		op_call(z, op, MT_ZDO, requests[q->kind], 3, two);
		break;
	case RADIO_Q_BIND:
	case RADIO_Q_UNBIND:
		call_bind(z, op);
		break;
	case RADIO_Q_ADDRESS:
		op_call(z, op, MT_ZDO, requests[q->kind], 3, (struct mt_value[]){ { .n = q->eui }, { .n = 0 }, { .n = 0 } });
		break;
	case RADIO_Q_LEAVE:
		op_call(z, op, MT_ZDO, requests[q->kind], 3, (struct mt_value[]){ { .n = q->nwk }, { .n = q->eui }, { .n = 0 } });
		break;
	case RADIO_QUESTIONS:
		break;
	}
}

void ask_failed(struct znp *z, struct op *op, enum radio_status status)
{
	struct radio_answer answer = { .kind = op->ask.kind, .status = (uint8_t)status };
	uint32_t cookie = op->cookie;

	op_free(z, op);
	z->events->on_answer(z->ctx, cookie, &answer);
}

void ask_answer(struct znp *z, struct op *op, const struct mt_message *m)
{
	if (m && !m->values[0].n)
		op_flies(z, op, ZNP_ANSWER_MS);
	else
		ask_failed(z, op, m ? op_status((uint8_t)m->values[0].n) : RADIO_REFUSED);
}

int ops_ask(struct radio *radio, uint32_t cookie, const struct radio_question *question)
{
	struct op *op;
	int err = question->kind >= RADIO_QUESTIONS ? RADIO_E_SIZE : op_new(znp_of(radio), OP_ASK, cookie, &op);

	if (err)
		return err;
	op->ask = *question;
	znp_pump(znp_of(radio));
	return 0;
}

static int address_read(const struct mt_message *m, struct radio_answer *ret)
{
	ret->zdo = (uint8_t)m->values[0].n;
	if (ret->zdo)
		return ZDO_E_STATUS;
	ret->nwk = (uint16_t)m->values[2].n;
	return 0;
}

static int answer_read(const struct mt_message *m, struct radio_answer *ret)
{
	struct zdo_answer plain = { 0 };
	int err = ZDO_E_OTHER;

	switch ((enum radio_question_kind)ret->kind) {
	case RADIO_Q_NODE:
		err = zdo_node_read(m, &ret->node);
		plain = ret->node.answer;
		break;
	case RADIO_Q_ENDPOINTS:
		err = zdo_endpoints_read(m, &ret->endpoints);
		plain = ret->endpoints.answer;
		break;
	case RADIO_Q_SIMPLE:
		err = zdo_simple_read(m, &ret->simple);
		plain = ret->simple.answer;
		break;
	case RADIO_Q_NEIGHBOURS:
		err = zdo_lqi_read(m, &ret->neighbours);
		plain = ret->neighbours.answer;
		break;
	case RADIO_Q_BIND:
	case RADIO_Q_UNBIND:
	case RADIO_Q_LEAVE:
		err = zdo_status_read(m, &plain);
		break;
	case RADIO_Q_ADDRESS:
		return address_read(m, ret);
	case RADIO_QUESTIONS:
		break;
	}
	ret->zdo = plain.status;
	return err;
}

/* The question that an indication answers, if one is out. */
static struct op *asked(struct znp *z, const struct mt_message *m)
{
	struct op *op, *tmp;

	list_each (op, tmp, &z->ops, node) {
		if (op->kind != OP_ASK || op->state != OP_FLYING || (requests[op->ask.kind] | 0x80) != m->row->id)
			continue;
		if (m->row->id == NWK_ADDR_RSP ? m->n > 2 && m->values[1].n == op->ask.eui : m->values[0].n == op->ask.nwk)
			return op;
	}
	return NULL;
}

static bool answered(struct znp *z, const struct mt_message *m)
{
	struct op *op = asked(z, m);
	struct radio_answer answer = { 0 };
	uint32_t cookie;
	int err;

	if (!op)
		return false;
	answer.kind = op->ask.kind;
	err = answer_read(m, &answer);
	if (err)
		answer.status = RADIO_REFUSED;
	if (err && err != ZDO_E_STATUS)
		answer.zdo = UNREADABLE;
	cookie = op->cookie;
	op_free(z, op);
	z->events->on_answer(z->ctx, cookie, &answer);
	return true;
}

bool ask_event(struct znp *z, const struct mt_message *m)
{
	struct zdo_announce announce;
	struct zdo_leave leave;

	if (m->row->subsystem != MT_ZDO)
		return false;
	switch (m->row->id) {
	case ANNOUNCE:
		if (!zdo_announce_read(m, &announce))
			z->events->on_announce(z->ctx, &announce);
		return true;
	case LEAVE:
		if (!zdo_leave_read(m, &leave))
			z->events->on_left(z->ctx, leave.eui, leave.nwk, leave.rejoins);
		return true;
	case TC_DEVICE:
		z->events->on_joined(z->ctx, m->values[1].n, (uint16_t)m->values[0].n, (uint16_t)m->values[2].n);
		return true;
	case CONCENTRATOR:
	case STATE_CHANGE:
		return true;
	default:
		return answered(z, m);
	}
}
