/*
 * An operation waits for its turn, is said to the stick, flies, and is answered. They stand in one list in the order
 * in which they came; the first that may go goes. What may not go yet (its device has a frame in flight, the window is
 * full) is passed by others.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/install_code.h"
#include "zigbee/znp_op.h"

enum { BDB_ADD_INSTALL_CODE = 0x04, EXT_REMOVE_GROUP = 0x47, EXT_ADD_GROUP = 0x4b, MGMT_PERMIT_JOIN = 0x36, PERMIT_JOIN_RSP = 0xb6, PERMIT_JOIN_IND = 0xcb };
enum { MGMT_NWK_UPDATE = 0x37, EXT_NWK_INFO = 0x50, CHANGE_CHANNEL = 0xfe, INFO_CHANNEL_FIELD = 6, POLL_MS = 1000 };
enum { MODE_SHORT = 2, MODE_BROADCAST = 15, EVERYWHERE = 0xfffc, ALL = 0xffff, PERMIT_MAX = 254, DUPLICATE = 0xb8 };

/* TI SWRA198, and the MAC's, network layer's and APS's own numbers (Z-Stack ZComDef.h). What is not here is RADIO_REFUSED. */
static const struct {
	uint8_t from;
	uint8_t to; /* enum radio_status */
} statuses[] = {
	{ 0x00, RADIO_OK },
	{ 0x10, RADIO_FULL }, /* no memory */
	{ 0x11, RADIO_FULL }, /* buffer full */
	{ 0x13, RADIO_FULL }, /* MAC: no memory */
	{ 0x1a, RADIO_FULL }, /* MAC: no resources */
	{ 0xb1, RADIO_NO_ACK }, /* APS: fail */
	{ 0xb2, RADIO_FULL }, /* APS: table full */
	{ 0xb7, RADIO_NO_ACK }, /* APS: no acknowledgement */
	{ 0xc7, RADIO_FULL }, /* network: table full */
	{ 0xc8, RADIO_NO_ROUTE }, /* network: unknown device */
	{ 0xcc, RADIO_NO_ACK },
	{ 0xcd, RADIO_NO_ROUTE },
	{ 0xd0, RADIO_NO_ROUTE }, /* route discovery failed */
	{ 0xe1, RADIO_NO_ACK }, /* the channel was never free */
	{ 0xe9, RADIO_NO_ACK }, /* MAC: no acknowledgement */
	{ 0xf0, RADIO_EXPIRED },
	{ 0xf1, RADIO_FULL }, /* MAC: too many frames are held for sleepers */
};

enum radio_status op_status(uint8_t status)
{
	for (size_t i = 0; i < N_ELEMENTS(statuses); i++) {
		if (statuses[i].from == status)
			return statuses[i].to;
	}
	return RADIO_REFUSED;
}

static void permit_call(struct znp *z, struct op *op)
{
	bool all = op->permit.nwk == EVERYWHERE;
	/* A unicast to the broadcast address means the coordinator alone. */
	uint16_t to = op->permit.nwk ? op->permit.nwk : EVERYWHERE;

	op_call(z, op, MT_ZDO, MGMT_PERMIT_JOIN, 4,
		(struct mt_value[]){ { .n = all ? MODE_BROADCAST : MODE_SHORT }, { .n = to }, { .n = op->permit.seconds }, { .n = 1 } });
}

static void simple_answer(struct znp *z, struct op *op, const struct mt_message *m)
{
	op_done(z, op, m ? op_status((uint8_t)m->values[0].n) : RADIO_REFUSED);
}

/* We are meant, too: the stick tells when it lets in, but not all firmware does. */
static bool permit_is_ours(const struct op *op)
{
	return op->kind == OP_PERMIT && (!op->permit.nwk || op->permit.nwk == EVERYWHERE);
}

/* A router answers for itself. */
static void permit_answer(struct znp *z, struct op *op, const struct mt_message *m)
{
	if (m && !m->values[0].n)
		op_flies(z, op, permit_is_ours(op) ? ZNP_PERMIT_MS : ZNP_ANSWER_MS);
	else
		simple_answer(z, op, m);
}

/* The stick takes the longest codes as they are, and of the others the key. */
static void install_call(struct znp *z, struct op *op)
{
	enum { WITH_CHECKSUM = 1, KEY = 2 };
	bool whole = op->install.len == INSTALL_CODE_LEN_MAX;

	op_call(z, op, MT_APP_CNF, BDB_ADD_INSTALL_CODE, 3,
		(struct mt_value[]){ { .n = whole ? WITH_CHECKSUM : KEY }, { .n = op->install.eui }, { .bytes = { op->install.bytes, op->install.len } } });
}

static void channel_call(struct znp *z, struct op *op)
{
	if (op->transaction) { /* told: is it there? */
		op_call(z, op, MT_ZDO, EXT_NWK_INFO, 0, NULL);
		return;
	}
	op_call(z, op, MT_ZDO, MGMT_NWK_UPDATE, 6,
		(struct mt_value[]){ { .n = ALL }, { .n = MODE_BROADCAST }, { .n = 1u << op->channel }, { .n = CHANGE_CHANNEL }, { .n = 0 }, { .n = 0 } });
}

static void channel_answer(struct znp *z, struct op *op, const struct mt_message *m)
{
	if (!m || (!op->transaction && m->values[0].n)) {
		simple_answer(z, op, m);
	} else if (op->transaction && m->values[INFO_CHANNEL_FIELD].n == op->channel) {
		z->mine.channel = op->channel;
		op_done(z, op, RADIO_OK);
	} else if (op->transaction > ZNP_CHANNEL_MS / POLL_MS) {
		op_done(z, op, RADIO_TIMEOUT);
	} else {
		op->transaction++;
		op_flies(z, op, POLL_MS);
	}
}

static void group_call(struct znp *z, struct op *op)
{
	struct mt_value values[] = { { .n = op->group.endpoint }, { .n = op->group.id }, { 0 } };

	op_call(z, op, MT_ZDO, op->group.member ? EXT_ADD_GROUP : EXT_REMOVE_GROUP, op->group.member ? 3 : 2, values);
}

/* In it twice, or out of what it was not in: as wanted. */
static void group_answer(struct znp *z, struct op *op, const struct mt_message *m)
{
	if (m && (m->values[0].n == DUPLICATE || !op->group.member))
		op_done(z, op, RADIO_OK);
	else
		simple_answer(z, op, m);
}

static const struct op_row rows[OP_KINDS] = {
	[OP_SEND] = { data_may, data_call, data_answer },
	[OP_ASK] = { ask_may, ask_call, ask_answer },
	[OP_PERMIT] = { NULL, permit_call, permit_answer },
	[OP_INSTALL_CODE] = { NULL, install_call, simple_answer },
	[OP_CHANNEL] = { NULL, channel_call, channel_answer },
	[OP_GROUP] = { NULL, group_call, group_answer },
	[OP_KEEP] = { keep_may, keep_call, NULL }, /* a script of its own answers it */
};

void op_call(struct znp *z, struct op *op, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values)
{
	struct mt_message m = mt_make(UNPI_SREQ, subsystem, id, n, values);

	op->state = OP_CALLING;
	z->calling = op;
	znp_send(z, LINE_OP, &m);
}

static void landed(struct znp *z, struct op *op)
{
	if (op->state == OP_FLYING && op->kind == OP_SEND)
		z->n_data--;
	if (op->state == OP_FLYING && op->kind == OP_ASK)
		z->n_asks--;
}

void op_flies(struct znp *z, struct op *op, uint64_t ms)
{
	landed(z, op);
	op->state = OP_FLYING;
	op->due_ms = znp_now(z) + ms;
	if (op->kind == OP_SEND)
		z->n_data++;
	if (op->kind == OP_ASK)
		z->n_asks++;
}

void op_free(struct znp *z, struct op *op)
{
	landed(z, op);
	if (z->calling == op)
		z->calling = NULL;
	list_remove(&op->node);
	z->n_ops--;
	if (op->kind == OP_SEND)
		free(op->send.data);
	crypto_wipe(op, sizeof(*op));
	free(op);
}

void op_done(struct znp *z, struct op *op, enum radio_status status)
{
	uint32_t cookie = op->cookie;

	if (op->kind == OP_ASK) {
		ask_failed(z, op, status);
		return;
	}
	if (op->kind == OP_KEEP) {
		if (op->state != OP_WAITING)
			keep_stop(z);
		op_free(z, op);
		z->events->on_kept(z->ctx, cookie, status, NULL, NULL, 0);
		return;
	}
	op_free(z, op);
	z->events->on_done(z->ctx, cookie, status);
}

int op_new(struct znp *z, enum op_kind kind, uint32_t cookie, struct op **ret)
{
	struct op *op;

	if (z->state != ZNP_READY)
		return RADIO_E_STATE;
	if (z->n_ops >= RADIO_WAITING_MAX)
		return RADIO_E_BUSY;
	op = calloc(1, sizeof(*op));
	if (!op)
		return -ENOMEM;
	op->kind = (uint8_t)kind;
	op->cookie = cookie;
	op->due_ms = znp_now(z) + ZNP_WAIT_MS;
	list_append(&z->ops, &op->node);
	z->n_ops++;
	*ret = op;
	return 0;
}

int ops_permit(struct radio *radio, uint32_t cookie, uint8_t seconds, uint16_t nwk)
{
	struct op *op;
	int err = op_new(znp_of(radio), OP_PERMIT, cookie, &op);

	if (err)
		return err;
	op->permit.seconds = seconds < PERMIT_MAX ? seconds : PERMIT_MAX;
	op->permit.nwk = nwk;
	znp_pump(znp_of(radio));
	return 0;
}

int ops_install_code(struct radio *radio, uint32_t cookie, uint64_t eui, struct view code)
{
	uint8_t bytes[INSTALL_CODE_LEN_MAX];
	struct op *op;
	int err = install_code_check(code) ? RADIO_E_SIZE : 0;
	bool whole = code.len == INSTALL_CODE_LEN_MAX;

	if (!err && whole)
		memcpy(bytes, code.data, code.len);
	else if (!err)
		err = install_code_key(code, bytes);
	if (!err)
		err = op_new(znp_of(radio), OP_INSTALL_CODE, cookie, &op);
	if (!err) {
		op->install.eui = eui;
		op->install.len = whole ? INSTALL_CODE_LEN_MAX : INSTALL_CODE_KEY_LEN;
		memcpy(op->install.bytes, bytes, op->install.len);
		znp_pump(znp_of(radio));
	}
	crypto_wipe(bytes, sizeof(bytes));
	return err;
}

int ops_channel(struct radio *radio, uint32_t cookie, uint8_t channel)
{
	struct op *op;
	int err = channel < 11 || channel > 26 ? RADIO_E_SIZE : op_new(znp_of(radio), OP_CHANNEL, cookie, &op);

	if (err)
		return err;
	op->channel = channel;
	znp_pump(znp_of(radio));
	return 0;
}

int ops_group(struct radio *radio, uint32_t cookie, uint16_t group, uint8_t endpoint, bool member)
{
	struct op *op;
	int err = op_new(znp_of(radio), OP_GROUP, cookie, &op);

	if (err)
		return err;
	op->group.id = group;
	op->group.endpoint = endpoint;
	op->group.member = member;
	znp_pump(znp_of(radio));
	return 0;
}

bool ops_pump(struct znp *z)
{
	struct op *op, *tmp;

	if (z->state != ZNP_READY)
		return false;
	if (z->calling) {
		rows[z->calling->kind].call(z, z->calling);
		return true;
	}
	if (fetch_pump(z))
		return true;
	list_each (op, tmp, &z->ops, node) {
		if (op->state != OP_WAITING || (rows[op->kind].may && !rows[op->kind].may(z, op)))
			continue;
		rows[op->kind].call(z, op);
		return true;
	}
	return false;
}

void ops_answer(struct znp *z, enum line_user user, const struct mt_message *m)
{
	struct op *op = z->calling;

	if (user == LINE_FETCH) {
		fetch_answer(z, m);
		return;
	}
	z->calling = NULL;
	if (op)
		rows[op->kind].answer(z, op, m);
}

/* What was asked may have been done or not: saying it twice could do it twice. */
void ops_late(struct znp *z, enum line_user user)
{
	if (user == LINE_FETCH)
		fetch_answer(z, NULL);
	else if (z->calling)
		op_done(z, z->calling, RADIO_TIMEOUT);
}

static bool permit_event(struct znp *z, const struct mt_message *m)
{
	struct zdo_answer answer = { 0 };
	struct op *op, *tmp;
	int err = 0;

	if (m->row->subsystem != MT_ZDO || (m->row->id != PERMIT_JOIN_RSP && m->row->id != PERMIT_JOIN_IND))
		return false;
	if (m->row->id == PERMIT_JOIN_RSP)
		err = zdo_status_read(m, &answer);
	list_each (op, tmp, &z->ops, node) {
		if (op->kind != OP_PERMIT || op->state != OP_FLYING || (answer.from ? op->permit.nwk != answer.from : !permit_is_ours(op)))
			continue;
		op_done(z, op, err ? RADIO_REFUSED : RADIO_OK);
		break;
	}
	return true;
}

bool ops_event(struct znp *z, const struct mt_message *m)
{
	return data_event(z, m) || permit_event(z, m) || ask_event(z, m);
}

/* Of those that are over time the first; an answer may bring anything about, so each look begins anew. */
static struct op *overdue(struct znp *z, uint64_t now_ms)
{
	struct op *op, *tmp;

	list_each (op, tmp, &z->ops, node) {
		if (op->state == OP_OVER || (op->state != OP_CALLING && now_ms >= op->due_ms))
			return op;
	}
	return NULL;
}

void ops_tick(struct znp *z, uint64_t now_ms)
{
	struct op *op;

	for (op = overdue(z, now_ms); op; op = overdue(z, now_ms)) {
		if (op->state == OP_FLYING && op->kind == OP_CHANNEL) {
			op->state = OP_WAITING;
			op->due_ms = now_ms + ZNP_WAIT_MS;
		} else if (op->state == OP_FLYING && permit_is_ours(op)) {
			op_done(z, op, RADIO_OK);
		} else {
			op_done(z, op, op->state == OP_OVER ? RADIO_FAILED : RADIO_TIMEOUT);
		}
	}
}

uint64_t ops_due_ms(const struct znp *z)
{
	const struct op *op, *tmp;
	uint64_t due = UINT64_MAX;

	list_each (op, tmp, &z->ops, node) {
		if (op->state == OP_OVER)
			return 0;
		if (op->state != OP_CALLING && op->due_ms < due)
			due = op->due_ms;
	}
	return due;
}

void ops_over(struct znp *z)
{
	struct op *op, *tmp;

	list_each (op, tmp, &z->ops, node) {
		landed(z, op);
		op->state = OP_OVER;
	}
	z->calling = NULL;
	fetch_forget(z);
	keep_stop(z);
}

void ops_end(struct znp *z, enum radio_status status)
{
	struct op *op;

	ops_over(z);
	while ((op = list_first(&z->ops, struct op, node)))
		op_done(z, op, status);
}

void ops_forget(struct znp *z)
{
	struct op *op;

	ops_over(z);
	while ((op = list_first(&z->ops, struct op, node)))
		op_free(z, op);
}
