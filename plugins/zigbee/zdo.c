/*
 * The network processor passes on what a device answered, mostly unread. What comes from the air is a stranger's:
 * lengths are held against the bytes that are there, and lists against what we keep.
 */
#include "zigbee/zdo.h"

#include "base/bytes.h"

enum {
	NODE_DESC = 0x82,
	SIMPLE_DESC = 0x84,
	ACTIVE_EP = 0x85,
	BIND = 0xa1,
	UNBIND = 0xa2,
	MGMT_LQI = 0xb1,
	MGMT_LEAVE = 0xb4,
	PERMIT_JOIN = 0xb6,
	ANNOUNCE = 0xc1,
	LEAVE = 0xc9,
};

static bool is(const struct mt_message *m, uint8_t id)
{
	return m->row->type == UNPI_AREQ && m->row->subsystem == MT_ZDO && m->row->id == id;
}

/* src status [nwk ...]; enough: how many fields an answer has when all is well. */
static int answer_read(const struct mt_message *m, uint8_t id, size_t enough, struct zdo_answer *ret)
{
	if (!is(m, id))
		return ZDO_E_OTHER;
	*ret = (struct zdo_answer){
		.from = (uint16_t)m->values[0].n,
		.of = (uint16_t)(m->n > 2 && enough > 2 && id != MGMT_LQI ? m->values[2].n : m->values[0].n),
		.status = (uint8_t)m->values[1].n,
	};
	if (ret->status)
		return ZDO_E_STATUS;
	return m->n < enough ? ZDO_E_SHORT : 0;
}

static int done(const struct reader *r)
{
	return r->bad ? ZDO_E_SHORT : reader_left(r) ? ZDO_E_SPARE : 0;
}

/* Zigbee 2.3.2.3: logical type in three bits, descriptor availability, frequency; then the rest in this order. */
int zdo_node_read(const struct mt_message *m, struct zdo_node *ret)
{
	struct zdo_node node = { 0 };
	struct reader r;
	int err = answer_read(m, NODE_DESC, 4, &node.answer);

	if (!err) {
		r = reader_over(m->values[3].bytes.data, m->values[3].bytes.len);
		node.kind = get_u8(&r) & 7;
		get_u8(&r);
		node.capabilities = get_u8(&r);
		node.manufacturer = get_u16(&r);
		node.buffer = get_u8(&r);
		node.max_in = get_u16(&r);
		node.server_mask = get_u16(&r);
		node.max_out = get_u16(&r);
		get_u8(&r);
		err = done(&r);
		if (!err && node.kind > ZDO_END_DEVICE)
			err = ZDO_E_VALUE;
	}
	if (!err)
		*ret = node;
	else if (err == ZDO_E_STATUS)
		ret->answer = node.answer;
	return err;
}

int zdo_endpoints_read(const struct mt_message *m, struct zdo_endpoints *ret)
{
	struct zdo_endpoints e = { 0 };
	int err = answer_read(m, ACTIVE_EP, 4, &e.answer);

	if (!err && m->values[3].bytes.len > ZDO_ENDPOINTS_MAX)
		err = ZDO_E_MANY;
	for (size_t i = 0; !err && i < m->values[3].bytes.len; i++) {
		uint8_t id = m->values[3].bytes.data[i];

		/* 0 is the device object itself, 255 everybody. */
		if (id == 0 || id == 0xff)
			err = ZDO_E_VALUE;
		e.ids[e.n++] = id;
	}
	if (!err)
		*ret = e;
	else if (err == ZDO_E_STATUS)
		ret->answer = e.answer;
	return err;
}

static int clusters_read(struct reader *r, size_t *n, uint16_t *ids)
{
	*n = get_u8(r);
	if (*n > ZDO_CLUSTERS_MAX)
		return ZDO_E_MANY;
	for (size_t i = 0; i < *n; i++)
		ids[i] = get_u16(r);
	return r->bad ? ZDO_E_SHORT : 0;
}

int zdo_simple_read(const struct mt_message *m, struct zdo_simple *ret)
{
	struct zdo_simple s = { 0 };
	struct reader r;
	int err = answer_read(m, SIMPLE_DESC, 4, &s.answer);

	if (!err) {
		r = reader_over(m->values[3].bytes.data, m->values[3].bytes.len);
		s.endpoint = get_u8(&r);
		s.profile = get_u16(&r);
		s.device = get_u16(&r);
		s.version = get_u8(&r) & 0x0f;
		err = clusters_read(&r, &s.n_in, s.in);
		if (!err)
			err = clusters_read(&r, &s.n_out, s.out);
		if (!err)
			err = done(&r);
	}
	if (!err)
		*ret = s;
	else if (err == ZDO_E_STATUS)
		ret->answer = s.answer;
	return err;
}

/* Zigbee table 2-126: two bits of kind, two of listening, three of relation; then permit, depth, quality. */
static struct zdo_neighbour neighbour_read(struct reader *r)
{
	struct zdo_neighbour n = { .pan = get_u64(r) };
	uint8_t bits;

	n.eui = get_u64(r);
	n.nwk = get_u16(r);
	bits = get_u8(r);
	n.kind = bits & 3;
	n.awake = bits >> 2 & 3;
	n.relation = bits >> 4 & 7;
	n.permit = get_u8(r) & 3;
	n.depth = get_u8(r);
	n.lqi = get_u8(r);
	return n;
}

int zdo_lqi_read(const struct mt_message *m, struct zdo_lqi *ret)
{
	struct zdo_lqi q = { 0 };
	struct reader r;
	int err = answer_read(m, MGMT_LQI, 6, &q.answer);

	if (!err) {
		q.total = (uint8_t)m->values[2].n;
		q.start = (uint8_t)m->values[3].n;
		q.n = (size_t)m->values[4].n;
		err = q.n > ZDO_NEIGHBOURS_MAX ? ZDO_E_MANY : q.start + q.n > q.total ? ZDO_E_VALUE : 0;
	}
	if (!err) {
		r = reader_over(m->values[5].bytes.data, m->values[5].bytes.len);
		for (size_t i = 0; i < q.n; i++)
			q.rows[i] = neighbour_read(&r);
		err = done(&r);
	}
	if (!err)
		*ret = q;
	else if (err == ZDO_E_STATUS)
		ret->answer = q.answer;
	return err;
}

int zdo_status_read(const struct mt_message *m, struct zdo_answer *ret)
{
	static const uint8_t ids[] = { BIND, UNBIND, MGMT_LEAVE, PERMIT_JOIN };

	for (size_t i = 0; i < N_ELEMENTS(ids); i++) {
		if (is(m, ids[i]))
			return answer_read(m, ids[i], 2, ret);
	}
	return ZDO_E_OTHER;
}

int zdo_announce_read(const struct mt_message *m, struct zdo_announce *ret)
{
	if (!is(m, ANNOUNCE))
		return ZDO_E_OTHER;
	*ret = (struct zdo_announce){ m->values[2].n, (uint16_t)m->values[1].n, (uint8_t)m->values[3].n };
	return 0;
}

int zdo_leave_read(const struct mt_message *m, struct zdo_leave *ret)
{
	if (!is(m, LEAVE))
		return ZDO_E_OTHER;
	*ret = (struct zdo_leave){ m->values[1].n, (uint16_t)m->values[0].n, m->values[4].n != 0 };
	return 0;
}
