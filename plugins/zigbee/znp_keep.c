/*
 * A backup reads what restoring would write: the counter, the table of addresses, and for each device its link key, which
 * is in a table of keys or made of the seed. It runs beside everything else and takes the line when nobody else wants it.
 */
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/tclk.h"
#include "zigbee/znp_op.h"
#include "zigbee/znp_start.h"

enum { USER_CHILD = 1, USER_KEY = 2, ROWS_MAX = 1024, NO_ROW = 0xffff };

struct keeping {
	struct op *op;
	size_t n, at;
	uint8_t seed[TCLK_LEN];
	bool has_seed, too_many;
	struct radio_key keys[RADIO_KEYS_MAX];
	uint16_t rows[RADIO_KEYS_MAX];     /* of the table of addresses */
	uint16_t key_rows[RADIO_KEYS_MAX]; /* of the table of keys */
};

static struct view nv_bytes(const struct znp *z)
{
	return (struct view){ z->nv.data, z->nv.len };
}

static struct nv_place row_place(const struct znp *z, uint16_t table, uint16_t old_first, unsigned int row)
{
	if (z->product == ZNP_STACK_3_X_0)
		return (struct nv_place){ 1, table, (uint16_t)row };
	return (struct nv_place){ 0, (uint16_t)(old_first + row), 0 };
}

static void note_address(struct keeping *k, struct view bytes, unsigned int row)
{
	struct nv_address a;

	if (nv_address_read(bytes, &a) || !nv_address_is_set(&a) || !(a.user & (USER_CHILD | USER_KEY)))
		return;
	if (k->n == RADIO_KEYS_MAX) {
		k->too_many = true;
		return;
	}
	k->rows[k->n] = (uint16_t)row;
	k->key_rows[k->n] = NO_ROW;
	k->keys[k->n++] = (struct radio_key){ .eui = a.eui, .nwk = a.nwk, .child = (a.user & USER_CHILD) != 0 };
}

static enum step look_addresses(struct znp *z, const struct got *got)
{
	struct keeping *k = z->keeping;
	struct script *s = &z->script;
	bool whole = z->product != ZNP_STACK_3_X_0;
	size_t len = z->aligned ? 12 : 11;

	if (got->kind == GOT_NV && (z->nv.outcome != NV_DONE || s->row == ROWS_MAX))
		return STEP_NEXT;
	if (got->kind == GOT_NV && whole) {
		for (size_t i = 0; i < z->nv.len / len; i++)
			note_address(k, (struct view){ z->nv.data + i * len, len }, (unsigned int)i);
		return STEP_NEXT;
	}
	if (got->kind == GOT_NV)
		note_address(k, nv_bytes(z), s->row++);
	nv_read(z, whole ? (struct nv_place){ 0, NV_ADDRMGR, 0 } : row_place(z, NV_T_ADDRMGR, 0, s->row));
	return STEP_STAY;
}

static void note_security(struct znp *z, const struct nv_security *s)
{
	struct keeping *k = z->keeping;
	uint16_t first = z->product == ZNP_STACK_3_X_0 ? 0 : NV_OLD_LINK_KEYS;

	for (size_t i = 0; i < k->n; i++) {
		if (k->rows[i] == s->address && s->key >= first)
			k->key_rows[i] = (uint16_t)(s->key - first);
	}
}

static enum step look_security(struct znp *z, const struct got *got)
{
	size_t len = z->aligned ? 6 : 5;
	struct nv_security s;

	if (got->kind != GOT_NV) {
		nv_read(z, (struct nv_place){ 0, NV_LINK_KEY_TABLE, 0 });
		return STEP_STAY;
	}
	for (size_t at = 2; z->nv.outcome == NV_DONE && at + len <= z->nv.len; at += len) {
		if (!nv_security_read((struct view){ z->nv.data + at, len }, &s) && nv_security_is_set(&s))
			note_security(z, &s);
	}
	return STEP_NEXT;
}

static enum step look_link_keys(struct znp *z, const struct got *got)
{
	struct keeping *k = z->keeping;
	struct nv_link_key key;

	if (got->kind == GOT_NV) {
		struct radio_key *to = &k->keys[k->at++];

		if (z->nv.outcome == NV_DONE && !nv_link_key_read(nv_bytes(z), &key)) {
			to->has_key = true;
			to->rx_counter = key.rx;
			to->tx_counter = key.tx;
			memcpy(to->key, key.key, sizeof(to->key));
			crypto_wipe(&key, sizeof(key));
		}
	} else {
		k->at = 0;
	}
	while (k->at < k->n && k->key_rows[k->at] == NO_ROW)
		k->at++;
	if (k->at == k->n)
		return STEP_NEXT;
	nv_read(z, row_place(z, NV_T_LINK_KEYS, NV_OLD_LINK_KEYS, k->key_rows[k->at]));
	return STEP_STAY;
}

static enum step look_seed(struct znp *z, const struct got *got)
{
	struct keeping *k = z->keeping;

	if (got->kind != GOT_NV) {
		nv_read(z, (struct nv_place){ 0, NV_TCLK_SEED, 0 });
		return STEP_STAY;
	}
	k->has_seed = z->nv.outcome == NV_DONE && z->nv.len >= TCLK_LEN;
	if (k->has_seed)
		memcpy(k->seed, z->nv.data, TCLK_LEN);
	return STEP_NEXT;
}

static void note_tclk(struct keeping *k, struct view bytes)
{
	struct nv_tclk t;

	if (nv_tclk_read(bytes, &t) || !t.eui || t.eui == UINT64_MAX || t.shift >= TCLK_LEN)
		return;
	for (size_t i = 0; i < k->n; i++) {
		if (k->keys[i].eui != t.eui || k->keys[i].has_key)
			continue;
		k->keys[i].has_key = true;
		k->keys[i].rx_counter = t.rx;
		k->keys[i].tx_counter = t.tx;
		tclk_key(k->seed, t.eui, t.shift, k->keys[i].key);
	}
}

static enum step look_tclk(struct znp *z, const struct got *got)
{
	struct script *s = &z->script;

	if (!z->keeping->has_seed || (got->kind == GOT_NV && (z->nv.outcome != NV_DONE || s->row == ROWS_MAX)))
		return STEP_NEXT;
	if (got->kind == GOT_NV) {
		note_tclk(z->keeping, nv_bytes(z));
		s->row++;
	}
	nv_read(z, row_place(z, NV_T_TCLK, NV_OLD_TCLK, s->row));
	return STEP_STAY;
}

static enum step told(struct znp *z, const struct got *got)
{
	struct keeping *k = STEAL(z->keeping);
	struct radio_network network = z->begin.found;
	enum radio_status status = k->too_many ? RADIO_FULL : RADIO_OK;
	uint32_t cookie = k->op->cookie;

	(void)got;
	script_stop(z);
	start_end(z);
	op_free(z, k->op);
	z->mine.frame_counter = network.frame_counter;
	z->mine.update_id = network.update_id;
	z->events->on_kept(z->ctx, cookie, status, status ? NULL : &network, status ? NULL : k->keys, status ? 0 : k->n);
	crypto_wipe(&network, sizeof(network));
	crypto_wipe(k, sizeof(*k));
	free(k);
	return STEP_END;
}

static step_fn *const keep_steps[] = {
	start_look_nib, start_look_key, start_look_counter, look_addresses, look_security, look_link_keys, look_seed, look_tclk, told, NULL,
};

bool keep_may(const struct znp *z, const struct op *op)
{
	(void)op;
	return !z->script.steps;
}

void keep_call(struct znp *z, struct op *op)
{
	z->keeping = calloc(1, sizeof(*z->keeping));
	if (!z->keeping)
		abort();
	z->keeping->op = op;
	op_flies(z, op, ZNP_KEEP_MS);
	z->begin.found.eui = z->mine.eui;
	script_begin(z, keep_steps);
}

void keep_stop(struct znp *z)
{
	if (!z->keeping)
		return;
	script_stop(z);
	start_end(z);
	crypto_wipe(z->keeping, sizeof(*z->keeping));
	free(z->keeping);
	z->keeping = NULL;
}

void keep_failed(struct znp *z, enum radio_status status)
{
	op_done(z, z->keeping->op, status);
}

int ops_keep(struct radio *radio, uint32_t cookie)
{
	struct op *op;
	int err = op_new(znp_of(radio), OP_KEEP, cookie, &op);

	if (!err)
		znp_pump(znp_of(radio));
	return err;
}
