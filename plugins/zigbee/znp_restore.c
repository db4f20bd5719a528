/*
 * A network is put on a stick by forming another one first, at random: so its memory is in order for the firmware it
 * has. Then that network's records are overwritten with ours, the tables filled with the devices and their keys, and the
 * stick restarted.
 *
 * Counters only ever go up: devices throw away what is numbered lower than what they heard last. What was counted since
 * the backup was made is not known, so a step is added; and when this stick was in the same network and is further, from there.
 */
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/tclk.h"
#include "zigbee/znp_start.h"

enum { COUNTER_STEP = 2500, USER_CHILD = 1, USER_KEY = 2, KEY_RECORD_LEN = 17, NO_KEY = -2, OWN_KEY = -1, AUTHENTICATED = 1, VERIFIED = 2 };
enum { ROW_FREE = 0xfffe };

static enum step failed(struct znp *z, const char *why)
{
	znp_fail(z, why);
	return STEP_END;
}

static enum step unwritten(struct znp *z)
{
	return failed(z, "its memory cannot be written");
}

static uint32_t stepped(uint32_t counter)
{
	return counter < UINT32_MAX - COUNTER_STEP ? counter + COUNTER_STEP : UINT32_MAX;
}

/* Who is neither a child nor has a key needs no place in the tables. How each key is kept is found out once. */
static enum step plan(struct znp *z, const struct got *got)
{
	struct beginning *b = &z->begin;
	size_t n = 0;

	(void)got;
	if (b->network.frame_counter >= UINT32_MAX - COUNTER_STEP)
		return failed(z, "the network's frame counter is used up");
	for (size_t i = 0; i < b->n; i++) {
		if (b->keys[i].child || b->keys[i].has_key)
			b->keys[n++] = b->keys[i];
	}
	if (n < b->n)
		crypto_wipe(&b->keys[n], (b->n - n) * sizeof(*b->keys));
	b->n = n;
	b->has_seed = tclk_seed_find(b->keys, n, b->seed);
	for (size_t i = 0; i < n; i++) {
		b->shifts[i] = !b->keys[i].has_key ? NO_KEY : OWN_KEY;
		if (b->keys[i].has_key && b->has_seed)
			b->shifts[i] = (int8_t)tclk_shift(b->seed, b->keys[i].eui, b->keys[i].key);
	}
	start_form(z, &(struct radio_network){ .channel = b->network.channel });
	crypto_random(b->forming.key, sizeof(b->forming.key));
	return STEP_NEXT;
}

static enum step write_address(struct znp *z, const struct got *got)
{
	uint8_t bytes[8];
	struct writer w = writer_over(bytes, sizeof(bytes));

	if (got->kind == GOT_NV)
		return z->nv.outcome == NV_DONE ? STEP_NEXT : unwritten(z);
	if (!z->begin.network.eui)
		return STEP_NEXT;
	put_u64(&w, z->begin.network.eui);
	nv_write(z, (struct nv_place){ 0, NV_EXTADDR, 0 }, bytes, sizeof(bytes));
	return STEP_STAY;
}

static enum step write_nib(struct znp *z, const struct got *got)
{
	const struct radio_network *n = &z->begin.network;
	struct nv_nib nib = { n->security_level, n->channel, n->update_id, n->pan, n->channels ? n->channels : 1u << n->channel, n->ext_pan };
	struct nv_place at = { 0, NV_NIB, 0 };
	uint8_t bytes[NV_NIB_LEN_ALIGNED];

	if (got->kind == GOT_ENTERED) {
		nv_read(z, at);
		return STEP_STAY;
	}
	if (z->nv.outcome != NV_DONE)
		return unwritten(z);
	if (z->script.phase++)
		return STEP_NEXT;
	if (z->nv.len > sizeof(bytes))
		return unwritten(z);
	memcpy(bytes, z->nv.data, z->nv.len);
	if (nv_nib_patch(bytes, z->nv.len, &nib))
		return unwritten(z);
	nv_write(z, at, bytes, z->nv.len);
	return STEP_STAY;
}

/* The key in use, and the one that would come next, which is the same. */
static enum step write_keys(struct znp *z, const struct got *got)
{
	static const uint16_t items[] = { NV_ACTIVE_KEY, NV_ALTERNATE_KEY };
	uint8_t bytes[KEY_RECORD_LEN] = { z->begin.network.key_sequence };

	if (got->kind == GOT_NV && z->nv.outcome != NV_DONE)
		return unwritten(z);
	if (z->script.phase == N_ELEMENTS(items))
		return STEP_NEXT;
	memcpy(bytes + 1, z->begin.network.key, sizeof(z->begin.network.key));
	nv_write(z, (struct nv_place){ 0, items[z->script.phase++], 0 }, bytes, sizeof(bytes));
	crypto_wipe(bytes, sizeof(bytes));
	return STEP_STAY;
}

static enum step write_seed(struct znp *z, const struct got *got)
{
	if (got->kind == GOT_NV)
		return z->nv.outcome == NV_DONE ? STEP_NEXT : unwritten(z);
	if (!z->begin.has_seed)
		return STEP_NEXT;
	nv_write(z, (struct nv_place){ 0, NV_TCLK_SEED, 0 }, z->begin.seed, sizeof(z->begin.seed));
	return STEP_STAY;
}

static void write_counter(struct znp *z, unsigned int row, uint64_t ext_pan)
{
	const struct beginning *b = &z->begin;
	uint32_t counter = b->network.frame_counter > b->counter_min ? b->network.frame_counter : b->counter_min;
	uint8_t bytes[12];
	int err = nv_counter_write(&(struct nv_counter){ stepped(counter), ext_pan }, bytes, sizeof(bytes));

	(void)err;
	nv_write(z, start_counter_place(z, row), bytes, sizeof(bytes));
}

/* The first row is our network's, the last one that of any other. */
static enum step write_counters(struct znp *z, const struct got *got)
{
	enum { COUNTING, FIRST, LAST, ROWS_MAX = 64 };
	struct script *s = &z->script;

	if (got->kind == GOT_ENTERED) {
		nv_read(z, start_counter_place(z, 0));
	} else if (s->phase == COUNTING && z->nv.outcome == NV_DONE && s->row < ROWS_MAX) {
		nv_read(z, start_counter_place(z, ++s->row));
	} else if (s->phase == COUNTING) {
		if (!s->row)
			return failed(z, "it has no room for the frame counter");
		s->phase = FIRST;
		write_counter(z, 0, z->begin.network.ext_pan);
	} else if (z->nv.outcome != NV_DONE) {
		return unwritten(z);
	} else if (s->phase == FIRST && s->row > 1) {
		s->phase = LAST;
		write_counter(z, s->row - 1, UINT64_MAX);
	} else {
		return STEP_NEXT;
	}
	return STEP_STAY;
}

static struct nv_address address_of(const struct beginning *b, size_t row)
{
	const struct radio_key *k = &b->keys[row];

	if (row >= b->n)
		return (struct nv_address){ 0, 0xffff, UINT64_MAX };
	return (struct nv_address){ (uint8_t)((k->child ? USER_CHILD : 0) | (k->has_key ? USER_KEY : 0)), k->nwk, k->eui };
}

/* The device whose key is the row-th of those that are kept as seed, or of those that are kept themselves; n: none. */
static size_t device_at(const struct beginning *b, bool seeded, size_t row)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->shifts[i] != NO_KEY && (b->shifts[i] >= 0) == seeded && !row--)
			return i;
	}
	return b->n;
}

/* A row as it shall be; true when something is in it. */
typedef bool record_fn(const struct beginning *b, size_t row, uint8_t *bytes, size_t len, int *err);

static bool address_record(const struct beginning *b, size_t row, uint8_t *bytes, size_t len, int *err)
{
	struct nv_address a = address_of(b, row);

	*err = nv_address_write(&a, bytes, len);
	return row < b->n;
}

static bool tclk_record(const struct beginning *b, size_t row, uint8_t *bytes, size_t len, int *err)
{
	size_t i = device_at(b, true, row);
	struct nv_tclk t = { 0 };

	if (i < b->n)
		t = (struct nv_tclk){ stepped(b->keys[i].tx_counter), b->keys[i].rx_counter, b->keys[i].eui, VERIFIED, 0, (uint8_t)b->shifts[i] };
	*err = nv_tclk_write(&t, bytes, len);
	return i < b->n;
}

static bool link_key_record(const struct beginning *b, size_t row, uint8_t *bytes, size_t len, int *err)
{
	size_t i = device_at(b, false, row);
	struct nv_link_key k = { 0 };

	if (i < b->n) {
		k.tx = stepped(b->keys[i].tx_counter);
		k.rx = b->keys[i].rx_counter;
		memcpy(k.key, b->keys[i].key, sizeof(k.key));
	}
	*err = nv_link_key_write(&k, bytes, len);
	crypto_wipe(&k, sizeof(k));
	return i < b->n;
}

static struct nv_place row_place(const struct znp *z, uint16_t table, uint16_t old_first)
{
	if (z->product == ZNP_STACK_3_X_0)
		return (struct nv_place){ 1, table, (uint16_t)z->script.row };
	return (struct nv_place){ 0, (uint16_t)(old_first + z->script.row), 0 };
}

/* Row by row until the table ends; what is right already is left. */
static enum step write_rows(struct znp *z, const struct got *got, uint16_t table, uint16_t old_first, record_fn *record)
{
	enum { READING, WRITING };
	uint8_t bytes[NV_RECORD_MAX];
	struct script *s = &z->script;
	int err = 0;

	if (got->kind == GOT_NV && s->phase == READING) {
		if (z->nv.outcome == NV_ABSENT)
			return record(&z->begin, s->row, bytes, 0, &err) ? failed(z, "it has no room for so many devices") : STEP_NEXT;
		if (z->nv.outcome != NV_DONE || z->nv.len > sizeof(bytes))
			return unwritten(z);
		(void)record(&z->begin, s->row, bytes, z->nv.len, &err);
		if (err)
			return unwritten(z);
		if (memcmp(bytes, z->nv.data, z->nv.len)) {
			s->phase = WRITING;
			nv_write(z, row_place(z, table, old_first), bytes, z->nv.len);
			crypto_wipe(bytes, sizeof(bytes));
			return STEP_STAY;
		}
		crypto_wipe(bytes, sizeof(bytes));
		s->row++;
	} else if (got->kind == GOT_NV) {
		if (z->nv.outcome != NV_DONE)
			return unwritten(z);
		s->phase = READING;
		s->row++;
	}
	nv_read(z, row_place(z, table, old_first));
	return STEP_STAY;
}

/* A whole table in one item: head bytes, then rows; filled by fill, which says how many it would like. */
typedef size_t fill_fn(const struct znp *z, uint8_t *bytes, size_t len);

static enum step write_item(struct znp *z, const struct got *got, uint16_t id, fill_fn *fill)
{
	struct nv_place at = { 0, id, 0 };
	uint8_t *bytes;
	size_t len = z->nv.len, room;

	if (got->kind == GOT_ENTERED) {
		nv_read(z, at);
		return STEP_STAY;
	}
	if (z->nv.outcome != NV_DONE || z->script.phase++)
		return z->nv.outcome == NV_DONE ? STEP_NEXT : unwritten(z);
	bytes = malloc(len);
	if (!bytes)
		abort();
	memcpy(bytes, z->nv.data, len);
	room = fill(z, bytes, len);
	if (room)
		nv_write(z, at, bytes, len);
	free(bytes);
	return room ? STEP_STAY : failed(z, "it has no room for so many devices");
}

static size_t fill_addresses(const struct znp *z, uint8_t *bytes, size_t len)
{
	size_t row_len = z->aligned ? 12 : 11, rows = len / row_len;
	int err = 0;

	for (size_t i = 0; i < rows && !err; i++)
		(void)address_record(&z->begin, i, bytes + i * row_len, row_len, &err);
	return err || rows < z->begin.n ? 0 : rows;
}

/* Which row of the addresses has which row of the keys. Older chips name keys by their item. */
static size_t fill_security(const struct znp *z, uint8_t *bytes, size_t len)
{
	const struct beginning *b = &z->begin;
	size_t row_len = z->aligned ? 6 : 5, rows = len < 2 ? 0 : (len - 2) / row_len, n = 0;
	uint16_t first = z->product == ZNP_STACK_3_X_0 ? 0 : NV_OLD_LINK_KEYS;
	struct writer head = writer_over(bytes, 2);
	int err = 0;

	for (size_t row = 0; row < rows && !err; row++) {
		size_t i = device_at(b, false, row);
		struct nv_security s = { ROW_FREE, 0, 0 };

		if (i < b->n)
			s = (struct nv_security){ (uint16_t)i, (uint16_t)(first + row), AUTHENTICATED };
		n += i < b->n;
		err = nv_security_write(&s, bytes + 2 + row * row_len, row_len);
	}
	if (rows)
		put_u16(&head, (uint16_t)n);
	return err || device_at(b, false, rows) < b->n ? 0 : rows;
}

static enum step write_addresses(struct znp *z, const struct got *got)
{
	if (z->product == ZNP_STACK_3_X_0)
		return write_rows(z, got, NV_T_ADDRMGR, 0, address_record);
	return write_item(z, got, NV_ADDRMGR, fill_addresses);
}

static enum step write_security(struct znp *z, const struct got *got)
{
	return write_item(z, got, NV_LINK_KEY_TABLE, fill_security);
}

static enum step write_link_keys(struct znp *z, const struct got *got)
{
	return write_rows(z, got, NV_T_LINK_KEYS, NV_OLD_LINK_KEYS, link_key_record);
}

static enum step write_tclk(struct znp *z, const struct got *got)
{
	return write_rows(z, got, NV_T_TCLK, NV_OLD_TCLK, tclk_record);
}

static enum step now_ours(struct znp *z, const struct got *got)
{
	(void)got;
	start_form(z, &z->begin.network);
	return STEP_NEXT;
}

static enum step verify(struct znp *z, const struct got *got)
{
	const struct radio_network *want = &z->begin.network, *have = &z->begin.found;

	(void)got;
	if (want->pan == have->pan && want->ext_pan == have->ext_pan && crypto_equal(want->key, have->key, sizeof(want->key)))
		return STEP_NEXT;
	znp_restart(z, "it did not take the network"); /* once more, from the start */
	return STEP_END;
}

step_fn *const restore_steps[] = {
	plan,	       start_clear,   start_reset,    start_items,    start_channel,   start_commission, start_settle,
	write_address, write_nib,     write_keys,     write_seed,     write_counters,  write_addresses,	 write_security,
	write_link_keys, write_tclk,  now_ours,	      start_items,    start_reset,     start_up,	 start_address,
	start_look_nib, start_look_key, start_look_counter, verify,   start_flag,      start_endpoints,	 start_group,
	start_close,	start_ready,
};
