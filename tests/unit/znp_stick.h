#pragma once
/*
 * A Z-Stack stick as far as a radio's tests need one: it has a memory, forms and starts networks, registers endpoints and takes data.
 * It can be told to be silent, to refuse, to say anything. Time is the test's. What it stands for is the firmware that the
 * simulator in tests/sim/znp plays to zigbee-herdsman; this one is for what a real one does once in a year.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zigbee/mt.h"
#include "zigbee/nv_form.h"
#include "zigbee/znp.h"

enum { STICK_ITEMS_MAX = 320, STICK_ITEM_MAX = 512, STICK_ADDRESSES = 16, STICK_KEYS = 50, STICK_COUNTERS = 4, STICK_PIECE = 240 };

struct stick_item {
	uint8_t system;
	uint16_t item, row;
	size_t len;
	uint8_t data[STICK_ITEM_MAX];
};

struct stick {
	struct radio *radio;
	uint64_t now;
	struct unpi_reader reader;
	uint8_t out[1 << 16];
	size_t n_out;
	struct stick_item items[STICK_ITEMS_MAX];
	size_t n_items;
	uint64_t eui;
	uint8_t product, state;
	bool endpoints[256];
	uint8_t transactions[8]; /* of data that waits to be confirmed */
	size_t n_transactions;
	uint8_t stored[RADIO_DATA_MAX];
	size_t n_stored;
	uint8_t kept[RADIO_DATA_MAX]; /* what dataRetrieve gives */
	size_t n_kept, freed;
	/* what the test wants of it */
	unsigned int silent;       /* so many requests are not heard */
	unsigned int dies_after;   /* so many are, and then none; 0: it lives */
	bool deaf_for[32][256];    /* never answered */
	bool unknown[32][256];     /* no such command */
	uint8_t status[32][256];   /* instead of success */
	bool confirm_later;
	bool noisy;    /* something happens after each request */
	bool too_long; /* a read gives more than there is */
	bool never_up;
	bool no_reset;
	unsigned int nib_late; /* so often it is read as if there was no network */
	unsigned int seen[32][256];
	struct mt_message last; /* of data requests; its bytes are in last_bytes */
	uint8_t last_bytes[UNPI_FRAME_MAX];
};

static inline void stick_emit(struct stick *s, const void *bytes, size_t len)
{
	if (s->n_out + len > sizeof(s->out))
		abort();
	if (len)
		memcpy(s->out + s->n_out, bytes, len);
	s->n_out += len;
}

static inline void stick_says(struct stick *s, uint8_t type, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values)
{
	struct mt_message m = { .row = mt_find(type, subsystem, id), .n = n };
	uint8_t bytes[UNPI_FRAME_MAX];
	size_t len;

	if (n)
		memcpy(m.values, values, n * sizeof(*values));
	if (!m.row || mt_encode(&m, bytes, sizeof(bytes), &len))
		abort();
	stick_emit(s, bytes, len);
}

#define STICK_N(...) (sizeof((struct mt_value[]){ __VA_ARGS__ }) / sizeof(struct mt_value)), (struct mt_value[]){ __VA_ARGS__ }

static inline struct stick_item *stick_item(struct stick *s, uint8_t system, uint16_t item, uint16_t row)
{
	for (size_t i = 0; i < s->n_items; i++) {
		struct stick_item *it = &s->items[i];

		if (it->system == system && it->item == item && it->row == row)
			return it;
	}
	return NULL;
}

static inline struct stick_item *stick_set(struct stick *s, uint8_t system, uint16_t item, uint16_t row, const void *data, size_t len)
{
	struct stick_item *it = stick_item(s, system, item, row);

	if (!it) {
		if (s->n_items == STICK_ITEMS_MAX || len > STICK_ITEM_MAX)
			abort();
		it = &s->items[s->n_items++];
	}
	*it = (struct stick_item){ .system = system, .item = item, .row = row, .len = len };
	if (data)
		memcpy(it->data, data, len);
	return it;
}

static inline void stick_drop(struct stick *s, uint8_t system, uint16_t item)
{
	struct stick_item *it = stick_item(s, system, item, 0);

	if (it)
		*it = s->items[--s->n_items];
}

static inline bool stick_is_new(const struct stick *s)
{
	return s->product == 1;
}

static inline void stick_table(struct stick *s, uint16_t table, uint16_t old, size_t rows, size_t len)
{
	for (uint16_t i = 0; i < rows; i++) {
		if (stick_is_new(s))
			stick_set(s, 1, table, i, NULL, len);
		else
			stick_set(s, 0, (uint16_t)(old + i), 0, NULL, len);
	}
}

static inline void stick_clear(struct stick *s)
{
	bool even = stick_is_new(s);
	uint8_t addresses[STICK_ADDRESSES * 12], security[2 + STICK_KEYS * 6];
	size_t row = even ? 6 : 5;

	memset(addresses, 0xff, sizeof(addresses));
	memset(security, 0, sizeof(security));
	for (size_t i = 0; i < STICK_ADDRESSES; i++)
		addresses[i * (even ? 12 : 11)] = 0;
	for (size_t i = 0; i < STICK_KEYS; i++)
		memcpy(security + 2 + i * row, "\xfe\xff", 2);
	stick_drop(s, 0, NV_NIB);
	stick_drop(s, 0, NV_CONFIGURED);
	stick_set(s, 0, NV_ACTIVE_KEY, 0, NULL, 17);
	stick_set(s, 0, NV_ALTERNATE_KEY, 0, NULL, 17);
	stick_set(s, 0, NV_LINK_KEY_TABLE, 0, security, 2 + STICK_KEYS * row);
	if (even) {
		for (uint16_t i = 0; i < STICK_ADDRESSES; i++)
			stick_set(s, 1, NV_T_ADDRMGR, i, addresses + i * 12, 12);
	} else {
		stick_set(s, 0, NV_ADDRMGR, 0, addresses, STICK_ADDRESSES * 11);
	}
	stick_table(s, NV_T_TCLK, NV_OLD_TCLK, STICK_ADDRESSES, even ? 20 : 19);
	stick_table(s, NV_T_LINK_KEYS, NV_OLD_LINK_KEYS, STICK_KEYS, 24);
	stick_table(s, NV_T_COUNTERS, NV_OLD_COUNTERS, STICK_COUNTERS, 12);
}

static inline void stick_init(struct stick *s, uint8_t product)
{
	memset(s, 0, sizeof(*s));
	unpi_reader_init(&s->reader);
	s->product = product;
	s->now = 1000;
	s->eui = 0x00124b0011223344;
	stick_set(s, 0, NV_EXTADDR, 0, &s->eui, 8);
	stick_set(s, 0, NV_TCLK_SEED, 0, "a seed of a stick", 16);
	stick_set(s, 0, NV_STARTUP_OPTION, 0, NULL, 1);
	stick_clear(s);
}

static inline uint64_t stick_number(struct stick *s, uint16_t item, size_t len)
{
	struct stick_item *it = stick_item(s, 0, item, 0);
	uint64_t v = 0;

	for (size_t i = 0; it && i < len && i < it->len; i++)
		v |= (uint64_t)it->data[i] << 8 * i;
	return v;
}

/* The counter's row of a network, made when there is none. */
static inline struct stick_item *stick_counter(struct stick *s, uint16_t row)
{
	return stick_is_new(s) ? stick_item(s, 1, NV_T_COUNTERS, row) : stick_item(s, 0, (uint16_t)(NV_OLD_COUNTERS + row), 0);
}

static inline void stick_form(struct stick *s)
{
	uint8_t nib[NV_NIB_LEN_ALIGNED] = { 0 }, key[17] = { 0 };
	size_t len = stick_is_new(s) ? NV_NIB_LEN_ALIGNED : NV_NIB_LEN;
	uint32_t channels = (uint32_t)stick_number(s, NV_CHANLIST, 4);
	struct nv_nib n = { .security_level = 5, .pan = (uint16_t)stick_number(s, NV_PANID, 2), .channels = channels,
			    .ext_pan = stick_number(s, NV_EXTENDED_PAN_ID, 8) };
	struct stick_item *pre = stick_item(s, 0, NV_PRECFGKEY, 0);

	while (n.channel < 31 && !(channels >> n.channel & 1))
		n.channel++;
	if (nv_nib_patch(nib, len, &n) || !pre)
		abort();
	stick_set(s, 0, NV_NIB, 0, nib, len);
	memcpy(key + 1, pre->data, 16);
	stick_set(s, 0, NV_ACTIVE_KEY, 0, key, sizeof(key));
	stick_set(s, 0, NV_ALTERNATE_KEY, 0, key, sizeof(key));
	if (nv_counter_write(&(struct nv_counter){ 1250, n.ext_pan }, stick_counter(s, 0)->data, 12))
		abort();
}

static inline void stick_up(struct stick *s)
{
	if (s->never_up)
		return;
	s->state = 9;
	stick_says(s, UNPI_AREQ, MT_ZDO, 0xc0, STICK_N({ .n = 9 }));
}

static inline void stick_reset(struct stick *s)
{
	if (stick_number(s, NV_STARTUP_OPTION, 1) & 2) {
		stick_clear(s);
		stick_set(s, 0, NV_STARTUP_OPTION, 0, NULL, 1);
	}
	s->state = 0;
	s->n_transactions = 0;
	memset(s->endpoints, 0, sizeof(s->endpoints));
	s->eui = stick_number(s, NV_EXTADDR, 8);
	stick_says(s, UNPI_AREQ, MT_SYS, 0x80, STICK_N({ .n = 1 }, { .n = 2 }, { .n = s->product }, { .n = 2 }, { .n = 7 }, { .n = 1 }));
}

/* A status and nothing more, even where an answer has more: so does firmware when it fails. */
static inline void stick_status(struct stick *s, const struct mt_message *m, uint8_t status)
{
	uint8_t bytes[UNPI_FRAME_MAX];
	size_t len;

	if (unpi_encode(&(struct unpi_frame){ UNPI_SRSP, m->row->subsystem, m->row->id, { &status, 1 } }, bytes, sizeof(bytes), &len))
		abort();
	stick_emit(s, bytes, len);
}

static inline void stick_read(struct stick *s, const struct mt_message *m, struct stick_item *it, size_t at, size_t cap)
{
	if (!it || at >= it->len) {
		stick_says(s, UNPI_SRSP, MT_SYS, m->row->id, STICK_N({ .n = 1 }, { 0 }));
		return;
	}
	if (s->too_long)
		cap = STICK_PIECE;
	else if (cap > it->len - at)
		cap = it->len - at;
	stick_says(s, UNPI_SRSP, MT_SYS, m->row->id, STICK_N({ 0 }, { .bytes = { it->data + at, cap } }));
}

static inline void stick_write(struct stick *s, const struct mt_message *m, struct stick_item *it, size_t at, struct view bytes)
{
	bool good = it && at + bytes.len <= it->len;

	if (good)
		memcpy(it->data + at, bytes.data, bytes.len);
	stick_status(s, m, !good);
}

static inline void stick_sys(struct stick *s, const struct mt_message *m)
{
	static const uint8_t nothing[NV_NIB_LEN_ALIGNED];
	const struct mt_value *v = m->values;
	struct stick_item *item = m->n ? stick_item(s, 0, (uint16_t)v[0].n, 0) : NULL;
	struct stick_item *row = m->n > 2 ? stick_item(s, (uint8_t)v[0].n, (uint16_t)v[1].n, (uint16_t)v[2].n) : NULL;

	switch (m->row->id) {
	case 0x01:
		stick_says(s, UNPI_SRSP, MT_SYS, 0x01, STICK_N({ .n = 0x0659 }));
		break;
	case 0x02:
		stick_says(s, UNPI_SRSP, MT_SYS, 0x02, STICK_N({ .n = 2 }, { .n = s->product }, { .n = 2 }, { .n = 7 }, { .n = 1 }, { .n = 20240710 }));
		break;
	case 0x04:
		stick_says(s, UNPI_SRSP, MT_SYS, 0x04, STICK_N({ .n = s->eui }));
		break;
	case 0x07:
		if (!item)
			stick_set(s, 0, (uint16_t)v[0].n, 0, NULL, (size_t)v[1].n < STICK_ITEM_MAX ? (size_t)v[1].n : 1);
		stick_status(s, m, item ? 0 : 9);
		break;
	case 0x12:
		stick_drop(s, 0, (uint16_t)v[0].n);
		stick_status(s, m, item ? 0 : 9);
		break;
	case 0x13:
		stick_says(s, UNPI_SRSP, MT_SYS, 0x13, STICK_N({ .n = item ? item->len : 0 }));
		break;
	case 0x1c:
		if (v[0].n == NV_NIB && item && s->nib_late) {
			s->nib_late--;
			stick_says(s, UNPI_SRSP, MT_SYS, m->row->id, STICK_N({ 0 }, { .bytes = { nothing, item->len } }));
			break;
		}
		stick_read(s, m, item, (size_t)v[1].n, STICK_PIECE);
		break;
	case 0x1d:
		stick_write(s, m, item, (size_t)v[1].n, v[2].bytes);
		break;
	case 0x32:
		stick_says(s, UNPI_SRSP, MT_SYS, 0x32, STICK_N({ .n = row ? row->len : 0 }));
		break;
	case 0x33:
		stick_read(s, m, row, (size_t)v[3].n, (size_t)v[4].n);
		break;
	case 0x34:
		stick_write(s, m, row, (size_t)v[3].n, v[4].bytes);
		break;
	default:
		stick_status(s, m, 0);
		break;
	}
}

static inline void stick_confirm(struct stick *s, uint8_t status, uint8_t transaction)
{
	stick_says(s, UNPI_AREQ, MT_AF, 0x80, STICK_N({ .n = status }, { .n = 1 }, { .n = transaction }));
}

static inline void stick_data_went(struct stick *s, uint8_t transaction)
{
	if (s->confirm_later && s->n_transactions < N_ELEMENTS(s->transactions))
		s->transactions[s->n_transactions++] = transaction;
	else if (!s->confirm_later)
		stick_confirm(s, 0, transaction);
}

static inline void stick_af(struct stick *s, const struct mt_message *m)
{
	const struct mt_value *v = m->values;
	size_t at, n;

	if (m->row->id == 0x12) {
		at = (size_t)v[1].n;
		n = (size_t)v[2].n;
		s->freed += !n;
		if (at + n > s->n_kept)
			stick_says(s, UNPI_SRSP, MT_AF, 0x12, STICK_N({ .n = 1 }, { 0 }));
		else
			stick_says(s, UNPI_SRSP, MT_AF, 0x12, STICK_N({ 0 }, { .bytes = { s->kept + at, n } }));
		return;
	}
	stick_status(s, m, 0);
	if (m->row->id == 0x00) {
		s->endpoints[v[0].n] = true;
	} else if (m->row->id == 0x01) {
		stick_data_went(s, (uint8_t)v[4].n);
	} else if (m->row->id == 0x02) {
		s->n_stored = 0;
		if (v[9].n == v[9].bytes.len)
			stick_data_went(s, (uint8_t)v[6].n);
	} else if (m->row->id == 0x11 && v[1].bytes.len) {
		if ((size_t)v[0].n + v[1].bytes.len > sizeof(s->stored))
			abort();
		memcpy(s->stored + v[0].n, v[1].bytes.data, v[1].bytes.len);
		s->n_stored = (size_t)v[0].n + v[1].bytes.len;
	} else if (m->row->id == 0x11) {
		stick_data_went(s, (uint8_t)s->last.values[6].n);
	}
}

static inline void stick_active(struct stick *s)
{
	uint8_t ids[32];
	size_t n = 0;

	for (size_t i = 1; i < 255 && n < sizeof(ids); i++) {
		if (s->endpoints[i])
			ids[n++] = (uint8_t)i;
	}
	stick_says(s, UNPI_AREQ, MT_ZDO, 0x85, STICK_N({ 0 }, { 0 }, { 0 }, { .bytes = { ids, n } }));
}

static inline void stick_others(struct stick *s, const struct mt_message *m)
{
	uint8_t sub = m->row->subsystem, id = m->row->id;

	if (sub == MT_UTIL && id == 0x00) {
		stick_says(s, UNPI_SRSP, sub, id, STICK_N({ 0 }, { .n = s->eui }, { 0 }, { .n = 7 }, { .n = s->state }, { 0 }));
		return;
	}
	if (sub == MT_ZDO && id == 0x50) {
		struct nv_nib nib = { 0 };
		struct stick_item *it = stick_item(s, 0, NV_NIB, 0);

		if (it && nv_nib_read((struct view){ it->data, it->len }, &nib))
			abort();
		stick_says(s, UNPI_SRSP, sub, id, STICK_N({ 0 }, { .n = s->state }, { .n = nib.pan }, { 0 }, { .n = nib.ext_pan }, { 0 }, { .n = nib.channel }));
		return;
	}
	stick_status(s, m, 0);
	if (sub == MT_ZDO && id == 0x05 && !m->values[0].n)
		stick_active(s);
	if (sub == MT_APP_CNF && id == 0x05) {
		stick_form(s);
		stick_up(s);
	}
	if (sub == MT_ZDO && id == 0x40)
		stick_up(s);
}

static inline void stick_heard(struct stick *s, const struct unpi_frame *f)
{
	struct mt_message m;

	if (mt_decode(f, &m))
		abort();
	if (s->dies_after == 1)
		return;
	s->dies_after -= s->dies_after > 1;
	s->seen[f->subsystem][f->id]++;
	if (f->type == UNPI_AREQ && f->subsystem == MT_SYS && f->id == 0) {
		if (!s->no_reset)
			stick_reset(s);
		return;
	}
	if (s->silent || s->deaf_for[f->subsystem][f->id]) {
		s->silent -= s->silent > 0;
		return;
	}
	if (s->unknown[f->subsystem][f->id]) {
		stick_says(s, UNPI_SRSP, MT_RPC_ERROR, 0, STICK_N({ .n = 2 }, { .n = (uint64_t)f->type << 5 | f->subsystem }, { .n = f->id }));
		return;
	}
	if (s->status[f->subsystem][f->id]) {
		stick_status(s, &m, s->status[f->subsystem][f->id]);
		return;
	}
	if (f->subsystem == MT_AF && (f->id == 0x01 || f->id == 0x02)) {
		s->last = m;
		memcpy(s->last_bytes, f->data.data, f->data.len);
	}
	if (f->subsystem == MT_SYS)
		stick_sys(s, &m);
	else if (f->subsystem == MT_AF)
		stick_af(s, &m);
	else
		stick_others(s, &m);
	if (s->noisy)
		stick_says(s, UNPI_AREQ, MT_ZDO, 0xc1, STICK_N({ .n = 1 }, { .n = 2 }, { .n = 3 }, { .n = 0x8e }));
}

/* What the radio writes. */
static inline void stick_input(struct stick *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	struct unpi_frame f;

	while (len) {
		size_t n = unpi_reader_take(&s->reader, p, len);

		p += n;
		len -= n;
		while (unpi_reader_next(&s->reader, &f))
			stick_heard(s, &f);
	}
}

/* Bytes go over until both are quiet; then time goes on to when the radio wants it, until ms are over. */
static inline void stick_run(struct stick *s, uint64_t ms)
{
	uint64_t end = s->now + ms;

	for (;;) {
		uint64_t due;

		while (s->n_out) {
			uint8_t bytes[sizeof(s->out)];
			size_t n = s->n_out;

			memcpy(bytes, s->out, n);
			s->n_out = 0;
			s->radio->ops->input(s->radio, bytes, n);
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
