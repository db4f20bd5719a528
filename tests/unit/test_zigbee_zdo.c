/* ZDO: descriptors, neighbours, coming and going; refusals, torn lists and lists that are longer than we keep. */
#include "check.h"

#include "zigbee/zdo.h"

static struct mt_message message(uint8_t id, const uint8_t *data, size_t len)
{
	struct mt_message m;

	check_ok(mt_decode(&(struct unpi_frame){ UNPI_AREQ, MT_ZDO, id, { data, len } }, &m));
	return m;
}

static void test_node(void **state)
{
	uint8_t data[] = { 0x34, 0x12, 0, 0x34, 0x12, 0x01, 0x40, 0x8e, 0x7c, 0x11, 0x52, 0x52, 0, 0, 0x2c, 0x52, 0, 0 };
	struct mt_message m = message(0x82, data, sizeof(data));
	struct zdo_node node;

	(void)state;
	check_ok(zdo_node_read(&m, &node));
	check_uint(node.answer.of, 0x1234);
	check_uint(node.kind, ZDO_ROUTER);
	check_uint(node.capabilities, 0x8e);
	check_uint(node.manufacturer, 0x117c);
	check_uint(node.server_mask, 0x2c00);
	m = message(0x82, data, sizeof(data) - 1);
	check_int(zdo_node_read(&m, &node), ZDO_E_SHORT);
	data[5] = 5;
	m = message(0x82, data, sizeof(data));
	check_int(zdo_node_read(&m, &node), ZDO_E_VALUE);
	data[2] = 0x80;
	m = message(0x82, data, 5);
	check_int(zdo_node_read(&m, &node), ZDO_E_STATUS);
	check_uint(node.answer.status, 0x80);
	m = message(0xc0, data, 1);
	check_int(zdo_node_read(&m, &node), ZDO_E_OTHER);
}

static void test_endpoints(void **state)
{
	uint8_t data[6 + ZDO_ENDPOINTS_MAX + 1] = { 0x34, 0x12, 0, 0x35, 0x12, 2, 1, 242 };
	struct mt_message m = message(0x85, data, 8);
	struct zdo_endpoints e;

	(void)state;
	check_ok(zdo_endpoints_read(&m, &e));
	check_uint(e.answer.from, 0x1234);
	check_uint(e.answer.of, 0x1235);
	check_bytes(e.ids, e.n, data + 6, 2);
	data[7] = 0;
	m = message(0x85, data, 8);
	check_int(zdo_endpoints_read(&m, &e), ZDO_E_VALUE);
	m = message(0x85, data, 5);
	check_int(zdo_endpoints_read(&m, &e), ZDO_E_SHORT);
	memset(data + 6, 9, sizeof(data) - 6);
	data[5] = ZDO_ENDPOINTS_MAX;
	m = message(0x85, data, sizeof(data) - 1);
	check_ok(zdo_endpoints_read(&m, &e));
	check_uint(e.n, ZDO_ENDPOINTS_MAX);
	data[5]++;
	m = message(0x85, data, sizeof(data));
	check_int(zdo_endpoints_read(&m, &e), ZDO_E_MANY);
}

/* A simple descriptor with n clusters in and one out. */
static size_t simple(uint8_t *data, size_t cap, size_t n)
{
	struct writer w = writer_over(data, cap);

	put_u16(&w, 0x1234);
	put_u8(&w, 0);
	put_u16(&w, 0x1234);
	put_u8(&w, (uint8_t)(8 + 2 * n + 2));
	put_u8(&w, 3);
	put_u16(&w, 0x0104);
	put_u16(&w, 0x0100);
	put_u8(&w, 0xf1);
	put_u8(&w, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		put_u16(&w, (uint16_t)(0x0300 + i));
	put_u8(&w, 1);
	put_u16(&w, 0x0019);
	check_true(!w.bad);
	return writer_len(&w);
}

static void test_simple(void **state)
{
	uint8_t data[UNPI_DATA_MAX];
	struct mt_message m = message(0x84, data, simple(data, sizeof(data), ZDO_CLUSTERS_MAX));
	struct zdo_simple s;
	size_t len;

	(void)state;
	check_ok(zdo_simple_read(&m, &s));
	check_uint(s.endpoint, 3);
	check_uint(s.profile, 0x104);
	check_uint(s.device, 0x100);
	check_uint(s.version, 1);
	check_uint(s.n_in, ZDO_CLUSTERS_MAX);
	check_uint(s.in[ZDO_CLUSTERS_MAX - 1], 0x0300 + ZDO_CLUSTERS_MAX - 1);
	check_uint(s.n_out, 1);
	check_uint(s.out[0], 0x19);
	m = message(0x84, data, simple(data, sizeof(data), ZDO_CLUSTERS_MAX + 1));
	check_int(zdo_simple_read(&m, &s), ZDO_E_MANY);
	len = simple(data, sizeof(data), 2);
	data[12] = 4; /* more clusters than there are bytes for */
	m = message(0x84, data, len);
	check_int(zdo_simple_read(&m, &s), ZDO_E_SHORT);
	data[12] = 1;
	data[15] = 1; /* what was a cluster is now a count, and bytes are left */
	m = message(0x84, data, len);
	check_int(zdo_simple_read(&m, &s), ZDO_E_SPARE);
}

static void test_lqi(void **state)
{
	uint8_t data[6 + 22 * (ZDO_NEIGHBOURS_MAX + 1)] = { 0, 0, 0, 9, 7, 2 }, *row = data + 6 + 22;
	struct mt_message m;
	struct zdo_lqi q;

	(void)state;
	row[0] = 0xdd;
	row[8] = 0x01;
	row[15] = 0x0b;
	row[16] = 0x78;
	row[17] = 0x56;
	row[18] = 0x16; /* end device, listens when idle, child */
	row[19] = 2;
	row[20] = 15;
	row[21] = 200;
	m = message(0xb1, data, 6 + 44);
	check_ok(zdo_lqi_read(&m, &q));
	check_uint(q.n, 2);
	check_uint(q.rows[1].pan, 0xdd);
	check_uint(q.rows[1].eui, 0x0b00000000000001);
	check_uint(q.rows[1].nwk, 0x5678);
	check_uint(q.rows[1].kind, ZDO_END_DEVICE);
	check_uint(q.rows[1].awake, 1);
	check_uint(q.rows[1].relation, 1);
	check_uint(q.rows[1].permit, 2);
	check_uint(q.rows[1].lqi, 200);
	m = message(0xb1, data, 6 + 43);
	check_int(zdo_lqi_read(&m, &q), ZDO_E_SHORT);
	m = message(0xb1, data, 6 + 45);
	check_int(zdo_lqi_read(&m, &q), ZDO_E_SPARE);
	data[5] = 3; /* the 8th to 10th of 9 */
	m = message(0xb1, data, 6 + 66);
	check_int(zdo_lqi_read(&m, &q), ZDO_E_VALUE);
	data[4] = 0;
	data[5] = ZDO_NEIGHBOURS_MAX;
	m = message(0xb1, data, sizeof(data) - 22);
	check_ok(zdo_lqi_read(&m, &q));
	data[5]++;
	m = message(0xb1, data, sizeof(data));
	check_int(zdo_lqi_read(&m, &q), ZDO_E_MANY);
	data[2] = 0x84;
	m = message(0xb1, data, 3);
	check_int(zdo_lqi_read(&m, &q), ZDO_E_STATUS);
}

static void test_coming_and_going(void **state)
{
	static const uint8_t announce[] = { 0x34, 0x12, 0x35, 0x12, 1, 2, 3, 4, 5, 6, 7, 8, 0x8e };
	static const uint8_t leave[] = { 0x35, 0x12, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 1 };
	static const uint8_t bind[] = { 0x35, 0x12, 0x8c };
	struct mt_message m = message(0xc1, announce, sizeof(announce));
	struct zdo_announce a;
	struct zdo_answer answer;
	struct zdo_leave l;

	(void)state;
	check_ok(zdo_announce_read(&m, &a));
	check_uint(a.eui, 0x0807060504030201);
	check_uint(a.nwk, 0x1235);
	check_uint(a.capabilities, 0x8e);
	check_int(zdo_leave_read(&m, &l), ZDO_E_OTHER);
	check_int(zdo_status_read(&m, &answer), ZDO_E_OTHER);
	m = message(0xc9, leave, sizeof(leave));
	check_ok(zdo_leave_read(&m, &l));
	check_uint(l.eui, 0x0807060504030201);
	check_uint(l.nwk, 0x1235);
	check_true(l.rejoins);
	m = message(0xa1, bind, sizeof(bind));
	check_int(zdo_status_read(&m, &answer), ZDO_E_STATUS);
	check_uint(answer.status, 0x8c);
	m = message(0xb4, (const uint8_t[]){ 0x35, 0x12, 0 }, 3);
	check_ok(zdo_status_read(&m, &answer));
	check_uint(answer.from, 0x1235);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_node), cmocka_unit_test(test_endpoints),	      cmocka_unit_test(test_simple),
		cmocka_unit_test(test_lqi),  cmocka_unit_test(test_coming_and_going),
	};

	return CHECK_RUN(rows);
}
