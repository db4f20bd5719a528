/* The radio at work: data and what becomes of it, questions, order, limits. What goes wrong is in test_zigbee_znp_faults. */
#include "znp_ear.h"

#include "sys/crypto.h"
#include "zigbee/install_code.h"
#include "zigbee/znp_inside.h"

static void says(struct ear *e, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values)
{
	stick_says(&e->stick, UNPI_AREQ, subsystem, id, n, values);
	stick_run(&e->stick, 1);
}

static void test_send(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	e->stick.confirm_later = true;
	check_ok(ear_send(e, 7, 0x1a01, 5));
	stick_run(&e->stick, 10);
	check_uint(e->stick.seen[MT_AF][0x01], 1);
	check_uint(e->stick.last.values[0].n, 0x1a01);
	check_uint(e->stick.last.values[5].n, 0x10); /* wants an acknowledgement */
	check_int(e->status[7], NOT_YET);
	/* Not ours: of another number, of another endpoint. */
	stick_confirm(&e->stick, 0, (uint8_t)(e->stick.transactions[0] + 1));
	stick_run(&e->stick, 10);
	says(e, MT_AF, 0x80, STICK_N({ 0 }, { .n = 2 }, { .n = e->stick.transactions[0] }));
	check_int(e->status[7], NOT_YET);
	check_uint(e->stick.radio->stats.unexpected, 2);
	stick_confirm(&e->stick, 0, e->stick.transactions[0]);
	stick_confirm(&e->stick, 0xe9, e->stick.transactions[0]); /* twice: told once */
	stick_run(&e->stick, 10);
	check_int(e->status[7], RADIO_OK);
	check_uint(e->stick.radio->stats.unexpected, 3);
	/* One waits so long that the numbers come round: its own is not given again. */
	e->stick.n_transactions = 0;
	check_ok(ear_send(e, 8, 0x1a02, 5));
	stick_run(&e->stick, 10);
	e->stick.confirm_later = false;
	for (uint32_t i = 0; i < 300; i++) {
		check_ok(ear_send(e, 100 + i, 0x1a03, 5));
		stick_run(&e->stick, 1);
		check_int(e->status[100 + i], RADIO_OK);
		check_true(e->stick.last.values[4].n != e->stick.transactions[0]);
	}
	check_int(e->status[8], NOT_YET);
	ear_free(e);
}

static void test_statuses(void **state)
{
	static const struct {
		uint8_t from;
		enum radio_status to;
	} rows[] = {
		{ 0x00, RADIO_OK },	  { 0xb7, RADIO_NO_ACK },  { 0xe9, RADIO_NO_ACK }, { 0xe1, RADIO_NO_ACK },  { 0xcd, RADIO_NO_ROUTE },
		{ 0xf0, RADIO_EXPIRED },  { 0x10, RADIO_FULL },	   { 0x11, RADIO_FULL },   { 0xf1, RADIO_FULL },    { 0x02, RADIO_REFUSED },
		{ 0xff, RADIO_REFUSED },
	};
	struct ear *e = ear_up(1);
	uint32_t cookie = 1;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		e->stick.confirm_later = true;
		check_ok(ear_send(e, cookie, 0x1a01, 5));
		stick_run(&e->stick, 10);
		stick_confirm(&e->stick, rows[i].from, e->stick.transactions[--e->stick.n_transactions]);
		stick_run(&e->stick, 10);
		check_int(e->status[cookie++], rows[i].to);
		if (!rows[i].from)
			continue;
		/* The same as the request's own answer. */
		e->stick.status[MT_AF][0x01] = rows[i].from;
		check_ok(ear_send(e, cookie, 0x1a01, 5));
		stick_run(&e->stick, 10);
		check_int(e->status[cookie++], rows[i].to);
		e->stick.status[MT_AF][0x01] = 0;
	}
	/* Where the way was lost it is looked for, but not where it only slept. */
	check_uint(e->stick.seen[MT_ZDO][0x45], 2);
	ear_free(e);
}

/* A device has one frame in flight, in order; the window holds so many devices; what is late is given up. */
static void test_order(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	e->stick.confirm_later = true;
	for (uint32_t i = 0; i < 3; i++)
		check_ok(ear_send(e, i, 0x1a01, 5 + i));
	for (uint32_t i = 3; i < 3 + ZNP_WINDOW; i++)
		check_ok(ear_send(e, i, (uint16_t)(0x1a00 + i), 5));
	stick_run(&e->stick, 10);
	check_uint(e->stick.n_transactions, ZNP_WINDOW);
	stick_confirm(&e->stick, 0, e->stick.transactions[0]);
	stick_run(&e->stick, 10);
	check_int(e->status[0], RADIO_OK);
	check_int(e->status[1], NOT_YET);
	check_uint(e->stick.last.values[7].bytes.len, 6);
	check_uint(e->stick.last.values[0].n, 0x1a01);
	stick_run(&e->stick, ZNP_CONFIRM_MS + 100);
	check_int(e->status[1], RADIO_TIMEOUT);
	check_int(e->status[3], RADIO_TIMEOUT);
	e->stick.n_transactions = 0;
	stick_run(&e->stick, ZNP_WAIT_MS);
	for (uint32_t i = 1; i < 3 + ZNP_WINDOW; i++)
		check_int(e->status[i], RADIO_TIMEOUT);
	check_true(e->stick.radio->ops->due_ms(e->stick.radio) == UINT64_MAX);
	ear_free(e);
	/* A small chip gets fewer. */
	e = ear_up(2);
	e->stick.confirm_later = true;
	for (uint32_t i = 0; i < ZNP_WINDOW; i++)
		check_ok(ear_send(e, i, (uint16_t)(0x1a00 + i), 5));
	stick_run(&e->stick, 10);
	check_uint(e->stick.n_transactions, ZNP_WINDOW_OLD);
	ear_free(e);
}

static void test_waiting_max(void **state)
{
	struct ear *e = ear_up(1);
	struct radio *r = e->stick.radio;

	(void)state;
	e->stick.confirm_later = true;
	for (uint32_t i = 0; i < RADIO_WAITING_MAX; i++)
		check_ok(ear_send(e, i, 0x1a01, 5));
	check_int(ear_send(e, 100, 0x1a01, 5), RADIO_E_BUSY);
	check_int(ear_ask(e, 100, RADIO_Q_NODE, 1), RADIO_E_BUSY);
	check_int(r->ops->permit(r, 100, 60, 0), RADIO_E_BUSY);
	check_int(r->ops->keep(r, 100), RADIO_E_BUSY);
	stick_run(&e->stick, 10);
	stick_confirm(&e->stick, 0, e->stick.transactions[0]);
	stick_run(&e->stick, 10);
	check_ok(ear_send(e, 100, 0x1a01, 5));
	/* Begun anew: all of them have failed, told outside of the call. */
	check_ok(ear_begin(e, RADIO_ADOPT, NULL));
	check_int(e->status[5], NOT_YET);
	stick_run(&e->stick, 1000);
	check_uint(e->ready, 1);
	check_int(e->status[0], RADIO_OK);
	for (uint32_t i = 1; i < RADIO_WAITING_MAX; i++)
		check_int(e->status[i], RADIO_FAILED);
	check_int(e->status[100], RADIO_FAILED);
	ear_free(e);
	/* Freed with work to do: nothing is told, nothing leaks. */
	e = ear_up(1);
	e->stick.confirm_later = true;
	check_ok(ear_send(e, 1, 0x1a01, RADIO_DATA_MAX));
	check_ok(e->stick.radio->ops->keep(e->stick.radio, 2));
	check_ok(ear_ask(e, 3, RADIO_Q_NODE, 0x1a01));
	ear_free(e);
}

static void test_sizes(void **state)
{
	static const size_t sizes[] = { 1, ZNP_DATA_PLAIN_MAX, ZNP_DATA_PLAIN_MAX + 1, ZNP_DATA_INLINE_MAX, ZNP_DATA_INLINE_MAX + 1, 2 * ZNP_DATA_STORE_MAX,
					RADIO_DATA_MAX };
	struct radio_message m = { .mode = RADIO_BROADCAST, .nwk = 0xfffd, .source = 1, .target = 255 };
	uint8_t data[ZNP_DATA_PLAIN_MAX + 1] = { 0 };
	struct ear *e = ear_up(1);

	(void)state;
	for (uint32_t i = 0; i < N_ELEMENTS(sizes); i++) {
		bool plain = sizes[i] <= ZNP_DATA_PLAIN_MAX, stored = sizes[i] > ZNP_DATA_INLINE_MAX;

		e->stick.n_stored = 0;
		check_ok(ear_send(e, i, 0x1a01, sizes[i]));
		stick_run(&e->stick, 10);
		check_int(e->status[i], RADIO_OK);
		check_uint(e->stick.last.row->id, plain ? 0x01 : 0x02);
		check_uint(e->stick.n_stored, stored ? sizes[i] : 0);
		for (size_t k = 0; k < e->stick.n_stored; k++)
			check_uint(e->stick.stored[k], (uint8_t)(k * 7));
	}
	check_int(ear_send(e, 100, 0x1a01, 0), RADIO_E_SIZE);
	check_int(ear_send(e, 100, 0x1a01, RADIO_DATA_MAX + 1), RADIO_E_SIZE);
	m.data = (struct view){ data, ZNP_DATA_PLAIN_MAX + 1 };
	check_int(e->stick.radio->ops->send(e->stick.radio, 100, &m), RADIO_E_SIZE);
	m.data.len--;
	check_ok(e->stick.radio->ops->send(e->stick.radio, 100, &m));
	stick_run(&e->stick, 10);
	check_int(e->status[100], RADIO_OK);
	check_uint(e->stick.last.values[0].n, 15);
	check_uint(e->stick.last.values[1].n, 0xfffd);
	check_uint(e->stick.last.values[7].n, 0);
	m.mode = RADIO_GROUP;
	m.group = 0x0b84;
	check_ok(e->stick.radio->ops->send(e->stick.radio, 101, &m));
	stick_run(&e->stick, 10);
	check_uint(e->stick.last.values[0].n, 1);
	check_uint(e->stick.last.values[1].n, 0x0b84);
	/* No room for the pieces. */
	e->stick.status[MT_AF][0x11] = 0x10;
	check_ok(ear_send(e, 102, 0x1a01, RADIO_DATA_MAX));
	stick_run(&e->stick, 10);
	check_int(e->status[102], RADIO_FULL);
	check_ok(ear_send(e, 103, 0x1a01, 10));
	stick_run(&e->stick, 10);
	check_int(e->status[103], RADIO_OK);
	ear_free(e);
}

static void test_incoming(void **state)
{
	static const uint8_t bytes[] = { 0x18, 0x01, 0x0a };
	struct ear *e = ear_up(1);

	(void)state;
	says(e, MT_AF, 0x81, STICK_N({ 0 }, { .n = 6 }, { .n = 0x1a01 }, { .n = 2 }, { .n = 1 }, { 0 }, { .n = 200 }, { .n = 1 }, { .n = 99 }, { 0 },
				     { .bytes = { bytes, 3 } }));
	check_uint(e->messages, 1);
	check_uint(e->message.mode, RADIO_UNICAST);
	check_uint(e->message.nwk, 0x1a01);
	check_uint(e->message.source, 2);
	check_uint(e->message.target, 1);
	check_uint(e->message.cluster, 6);
	check_uint(e->message.profile, 0x0104);
	check_uint(e->message.lqi, 200);
	check_true(e->message.secured);
	check_bytes(e->data, e->message.data.len, bytes, 3);
	says(e, MT_AF, 0x81, STICK_N({ .n = 0x0b84 }, { .n = 0x21 }, { .n = 0x1a01 }, { .n = 242 }, { .n = 242 }, { 0 }, { 0 }, { 0 }, { 0 }, { 0 },
				     { .bytes = { bytes, 3 } }));
	check_uint(e->message.mode, RADIO_GROUP);
	check_uint(e->message.profile, 0xa1e0);
	says(e, MT_AF, 0x81, STICK_N({ 0 }, { .n = 6 }, { .n = 0x1a01 }, { .n = 2 }, { .n = 1 }, { .n = 1 }, { 0 }, { 0 }, { 0 }, { 0 }, { .bytes = { bytes, 3 } }));
	check_uint(e->message.mode, RADIO_BROADCAST);
	says(e, MT_ZDO, 0xc1, STICK_N({ .n = 0x1a01 }, { .n = 0x1a02 }, { .n = 0x5566 }, { .n = 0x8e }));
	check_uint(e->announced, 1);
	check_uint(e->announce.nwk, 0x1a02);
	says(e, MT_ZDO, 0xca, STICK_N({ .n = 0x1a03 }, { .n = 0x7788 }, { .n = 0x11 }));
	check_uint(e->joined, 1);
	check_uint(e->announce.eui, 0x7788);
	check_uint(e->announce.capabilities, 0x11);
	says(e, MT_ZDO, 0xc9, STICK_N({ .n = 0x1a03 }, { .n = 0x7788 }, { 0 }, { 0 }, { .n = 1 }));
	check_uint(e->left, 1);
	check_true(e->rejoins);
	ear_free(e);
}

static void long_one(struct ear *e, uint64_t mode, size_t len, struct view bytes)
{
	says(e, MT_AF, 0x82, STICK_N({ 0 }, { .n = 0x19 }, { .n = mode }, { .n = 0x1a01 }, { .n = 2 }, { .n = 0x1a62 }, { .n = 1 }, { 0 }, { .n = 77 }, { 0 },
				     { .n = 4711 }, { .n = 1 }, { .n = len, .bytes = bytes }));
}

static void test_fetch(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	for (size_t i = 0; i < sizeof(e->stick.kept); i++)
		e->stick.kept[i] = (uint8_t)(i * 3);
	e->stick.n_kept = RADIO_DATA_MAX;
	long_one(e, 2, RADIO_DATA_MAX, (struct view){ 0 });
	check_uint(e->messages, 1);
	check_bytes(e->data, e->message.data.len, e->stick.kept, RADIO_DATA_MAX);
	check_uint(e->message.nwk, 0x1a01);
	check_uint(e->message.lqi, 77);
	check_uint(e->message.source, 2);
	check_uint(e->message.target, 1);
	check_uint(e->stick.freed, 1);
	/* It is all there. */
	long_one(e, 2, 5, (struct view){ e->stick.kept, 5 });
	check_uint(e->messages, 2);
	check_uint(e->stick.freed, 1);
	/* Longer than anybody wants: freed only. Fewer than promised: given up and freed. */
	long_one(e, 2, RADIO_DATA_MAX + 1, (struct view){ 0 });
	check_uint(e->stick.freed, 2);
	e->stick.n_kept = 300;
	long_one(e, 2, 500, (struct view){ 0 });
	check_uint(e->stick.freed, 3);
	check_uint(e->messages, 2);
	/* From outside of the network. */
	long_one(e, 3, 5, (struct view){ e->stick.kept, 5 });
	check_uint(e->messages, 2);
	/* So many at once, and no more; the line is silent for one. */
	e->stick.n_kept = 300;
	e->stick.silent = 1;
	for (size_t i = 0; i <= ZNP_FETCHES_MAX; i++)
		stick_says(&e->stick, UNPI_AREQ, MT_AF, 0x82,
			   STICK_N({ 0 }, { .n = 0x19 }, { .n = 2 }, { .n = 0x1a01 }, { .n = 0 }, { .n = 2 }, { .n = 1 }, { 0 }, { .n = 77 }, { 0 },
				   { .n = i }, { .n = 1 }, { .n = 300 }));
	stick_run(&e->stick, 5000);
	check_uint(e->messages, 2 + ZNP_FETCHES_MAX - 1);
	check_uint(e->stick.freed, 3 + ZNP_FETCHES_MAX);
	check_uint(e->resets, 0);
	ear_free(e);
}

static void test_ask(void **state)
{
	static const uint8_t node[] = { 2, 0x40, 0x80, 0x7c, 0x11, 0x52, 0x52, 0, 0, 0, 0x52, 0, 0 };
	struct ear *e = ear_up(1);

	(void)state;
	check_ok(ear_ask(e, 1, RADIO_Q_NODE, 0x1a01));
	check_ok(ear_ask(e, 2, RADIO_Q_NODE, 0x1a01)); /* the same: after the first */
	check_ok(ear_ask(e, 3, RADIO_Q_NODE, 0x1a02));
	check_ok(ear_ask(e, 4, RADIO_Q_BIND, 0x1a01));
	stick_run(&e->stick, 10);
	check_uint(e->stick.seen[MT_ZDO][0x02], 2);
	check_uint(e->stick.seen[MT_ZDO][0x21], 1);
	says(e, MT_ZDO, 0x82, STICK_N({ .n = 0x1a02 }, { 0 }, { .n = 0x1a02 }, { .bytes = { node, sizeof(node) } }));
	check_int(e->status[3], RADIO_OK);
	check_uint(e->answer.node.kind, ZDO_END_DEVICE);
	check_uint(e->answer.node.manufacturer, 0x117c);
	says(e, MT_ZDO, 0x82, STICK_N({ .n = 0x1a01 }, { .n = 0x81 }, { .n = 0x1a01 }, { 0 }));
	check_int(e->status[1], RADIO_REFUSED);
	check_uint(e->answer.zdo, 0x81);
	check_uint(e->stick.seen[MT_ZDO][0x02], 3);
	says(e, MT_ZDO, 0x82, STICK_N({ .n = 0x1a01 }, { 0 }, { .n = 0x1a01 }, { .bytes = { node, 5 } })); /* half of one */
	check_int(e->status[2], RADIO_REFUSED);
	check_uint(e->answer.zdo, 0xff);
	says(e, MT_ZDO, 0xa1, STICK_N({ .n = 0x1a01 }, { 0 }));
	check_int(e->status[4], RADIO_OK);
	/* Nobody asked. */
	says(e, MT_ZDO, 0xa1, STICK_N({ .n = 0x1a01 }, { 0 }));
	check_uint(e->stick.radio->stats.unexpected, 1);
	/* By address: whoever answers is not the one who is asked for. */
	check_ok(ear_ask(e, 5, RADIO_Q_ADDRESS, 0));
	stick_run(&e->stick, 10);
	says(e, MT_ZDO, 0x80, STICK_N({ 0 }, { .n = 0x42 }, { .n = 0x1a05 }, { 0 }, { 0 }));
	check_int(e->status[5], NOT_YET);
	says(e, MT_ZDO, 0x80, STICK_N({ 0 }, { .n = 0x1122334455667788 }, { .n = 0x1a05 }, { 0 }, { 0 }));
	check_int(e->status[5], RADIO_OK);
	check_uint(e->answer.nwk, 0x1a05);
	/* Refused by the stick, and never answered. */
	e->stick.status[MT_ZDO][0x34] = 0xcd;
	check_ok(ear_ask(e, 6, RADIO_Q_LEAVE, 0x1a01));
	check_ok(ear_ask(e, 7, RADIO_Q_NEIGHBOURS, 0x1a01));
	check_int(ear_ask(e, 8, RADIO_QUESTIONS, 0x1a01), RADIO_E_SIZE);
	stick_run(&e->stick, ZNP_ANSWER_MS + 10);
	check_int(e->status[6], RADIO_NO_ROUTE);
	check_int(e->status[7], RADIO_TIMEOUT);
	ear_free(e);
}

static void test_asks_max(void **state)
{
	struct ear *e = ear_up(1);

	(void)state;
	for (uint32_t i = 0; i < ZNP_ASKS_MAX + 3; i++)
		check_ok(ear_ask(e, i, RADIO_Q_SIMPLE, (uint16_t)(1 + i)));
	stick_run(&e->stick, 10);
	check_uint(e->stick.seen[MT_ZDO][0x04], ZNP_ASKS_MAX);
	stick_run(&e->stick, ZNP_ANSWER_MS);
	check_uint(e->stick.seen[MT_ZDO][0x04], ZNP_ASKS_MAX + 3);
	ear_free(e);
}

static void test_verbs(void **state)
{
	static const uint8_t code[18] = { 0x83, 0xFE, 0xD3, 0x40, 0x7A, 0x93, 0x97, 0x23, 0xA5, 0xC6, 0x39, 0xB2, 0x69, 0x16, 0xD5, 0x05, 0xC3, 0xB5 };
	struct ear *e = ear_up(1);
	struct radio *r = e->stick.radio;

	(void)state;
	check_ok(r->ops->permit(r, 1, 60, 0xfffc));
	check_ok(r->ops->permit(r, 2, 60, 0));
	check_ok(r->ops->permit(r, 3, 60, 0x1a01));
	check_ok(r->ops->permit(r, 4, 60, 0x1a02));
	check_ok(r->ops->install_code(r, 5, 0x99, (struct view){ code, 18 }));
	check_int(r->ops->install_code(r, 6, 0x99, (struct view){ code, 17 }), RADIO_E_SIZE);
	check_ok(r->ops->group(r, 7, 0x0005, 1, true));
	check_ok(r->ops->group(r, 8, 0x0005, 1, false));
	stick_run(&e->stick, 100);
	check_int(e->status[1], NOT_YET);
	says(e, MT_ZDO, 0xcb, STICK_N({ .n = 60 }));
	check_int(e->status[1], RADIO_OK);
	check_int(e->status[2], NOT_YET);
	stick_run(&e->stick, ZNP_PERMIT_MS); /* it says nothing, but it had said yes */
	check_int(e->status[2], RADIO_OK);
	check_int(e->status[3], NOT_YET);
	says(e, MT_ZDO, 0xb6, STICK_N({ .n = 0x1a02 }, { .n = 0x84 }));
	says(e, MT_ZDO, 0xb6, STICK_N({ .n = 0x1a01 }, { 0 }));
	check_int(e->status[3], RADIO_OK);
	check_int(e->status[4], RADIO_REFUSED);
	check_int(e->status[5], RADIO_OK);
	check_int(e->status[7], RADIO_OK);
	check_int(e->status[8], RADIO_OK);
	/* A full table, and a firmware that has not the command. */
	e->stick.status[MT_ZDO][0x4b] = 0xb2;
	e->stick.unknown[MT_APP_CNF][0x04] = true;
	check_ok(r->ops->group(r, 9, 0x0005, 1, true));
	check_ok(r->ops->install_code(r, 10, 0x99, (struct view){ code, 18 }));
	stick_run(&e->stick, 100);
	check_int(e->status[9], RADIO_FULL);
	check_int(e->status[10], RADIO_REFUSED);
	/* In it already: good. */
	e->stick.status[MT_ZDO][0x4b] = 0xb8;
	check_ok(r->ops->group(r, 11, 0x0005, 1, true));
	stick_run(&e->stick, 100);
	check_int(e->status[11], RADIO_OK);
	ear_free(e);
}

static void test_channel(void **state)
{
	struct ear *e = ear_up(1);
	struct radio *r = e->stick.radio;
	struct nv_nib nib;
	struct stick_item *it = stick_item(&e->stick, 0, NV_NIB, 0);

	(void)state;
	check_int(r->ops->channel(r, 1, 10), RADIO_E_SIZE);
	check_int(r->ops->channel(r, 1, 27), RADIO_E_SIZE);
	check_ok(r->ops->channel(r, 1, 20));
	stick_run(&e->stick, 3500);
	check_int(e->status[1], NOT_YET);
	check_ok(nv_nib_read((struct view){ it->data, it->len }, &nib));
	nib.channel = 20;
	check_ok(nv_nib_patch(it->data, it->len, &nib));
	stick_run(&e->stick, 1500);
	check_int(e->status[1], RADIO_OK);
	check_ok(r->ops->channel(r, 2, 21));
	stick_run(&e->stick, ZNP_CHANNEL_MS + 3000);
	check_int(e->status[2], RADIO_TIMEOUT);
	ear_free(e);
}

/* Memory that says odd things of itself. */
static void test_nv_odd(void **state)
{
	uint8_t big[STICK_ITEM_MAX] = { 0 };
	struct ear *e = ear_up(1);
	struct radio *r = e->stick.radio;

	(void)state;
	check_true(sizeof(big) <= NV_ITEM_MAX);
	stick_set(&e->stick, 0, NV_LINK_KEY_TABLE, 0, big, sizeof(big));
	stick_set(&e->stick, 1, NV_T_ADDRMGR, 0, big, NV_RECORD_MAX);
	stick_set(&e->stick, 1, NV_T_ADDRMGR, 1, "\x03\xff\x01\x1a\x88\x77\x66\x55\x44\x33\x22\x11", 12);
	stick_set(&e->stick, 0, NV_TCLK_SEED, 0, big, 3);
	check_ok(r->ops->keep(r, 1));
	stick_run(&e->stick, 1000);
	check_int(e->status[1], RADIO_OK);
	check_uint(e->n_keys, 1);
	check_uint(e->keys[0].eui, 0x1122334455667788);
	check_true(!e->keys[0].has_key);
	ear_free(e);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_waiting_max),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_incoming),
		cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_asks_max),
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_nv_odd),
	};

	return crypto_init() || CHECK_RUN(rows);
}
