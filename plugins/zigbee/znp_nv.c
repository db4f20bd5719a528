/*
 * The memory has two faces: items by a number of 16 bit, and tables whose rows are named by three numbers. Both are asked
 * for a length, read in pieces, written in pieces. A table's row that is not there is beyond the table's end; an item
 * that is not there is made.
 */
#include "zigbee/znp_nv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/znp_inside.h"

enum { PIECE_MAX = 240, CREATED = 0x09 };
enum phase { P_LENGTH, P_READ, P_COMPARE, P_DELETE, P_CREATE, P_WRITE };
enum { ITEM_INIT = 0x07, ITEM_DELETE = 0x12, ITEM_LENGTH = 0x13, ITEM_READ = 0x1c, ITEM_WRITE = 0x1d };
enum { ROW_LENGTH = 0x32, ROW_READ = 0x33, ROW_WRITE = 0x34 };

void nv_forget(struct znp_nv *nv)
{
	if (nv->data)
		crypto_wipe(nv->data, nv->len);
	free(nv->data);
	*nv = (struct znp_nv){ 0 };
}

static size_t piece(const struct znp_nv *nv)
{
	return nv->len - nv->done < PIECE_MAX ? nv->len - nv->done : PIECE_MAX;
}

static void ask_length(struct znp *z)
{
	const struct nv_place *at = &z->nv.at;

	z->nv.phase = P_LENGTH;
	if (at->system)
		script_call(z, MT_SYS, ROW_LENGTH, 3, (struct mt_value[]){ { .n = at->system }, { .n = at->item }, { .n = at->row } });
	else
		script_call(z, MT_SYS, ITEM_LENGTH, 1, (struct mt_value[]){ { .n = at->item } });
}

static void ask_piece(struct znp *z, enum phase phase)
{
	const struct nv_place *at = &z->nv.at;

	z->nv.phase = (uint8_t)phase;
	if (at->system)
		script_call(z, MT_SYS, ROW_READ, 5,
			    (struct mt_value[]){ { .n = at->system }, { .n = at->item }, { .n = at->row }, { .n = z->nv.done },
						 { .n = piece(&z->nv) } });
	else
		script_call(z, MT_SYS, ITEM_READ, 2, (struct mt_value[]){ { .n = at->item }, { .n = z->nv.done } });
}

static void say_piece(struct znp *z)
{
	const struct nv_place *at = &z->nv.at;
	struct mt_value bytes = { .bytes = { z->nv.data + z->nv.done, piece(&z->nv) } };

	z->nv.phase = P_WRITE;
	if (at->system)
		script_call(z, MT_SYS, ROW_WRITE, 5,
			    (struct mt_value[]){ { .n = at->system }, { .n = at->item }, { .n = at->row }, { .n = z->nv.done }, bytes });
	else
		script_call(z, MT_SYS, ITEM_WRITE, 3, (struct mt_value[]){ { .n = at->item }, { .n = z->nv.done }, bytes });
}

static void say_create(struct znp *z)
{
	struct mt_value bytes = { .bytes = { z->nv.data, piece(&z->nv) } };

	z->nv.phase = P_CREATE;
	script_call(z, MT_SYS, ITEM_INIT, 3, (struct mt_value[]){ { .n = z->nv.at.item }, { .n = z->nv.len }, bytes });
}

static void say_delete(struct znp *z, size_t len)
{
	z->nv.phase = P_DELETE;
	script_call(z, MT_SYS, ITEM_DELETE, 2, (struct mt_value[]){ { .n = z->nv.at.item }, { .n = len } });
}

static void begin(struct znp *z, enum nv_verb verb, struct nv_place at)
{
	nv_forget(&z->nv);
	z->nv.verb = (uint8_t)verb;
	z->nv.at = at;
	ask_length(z);
}

void nv_read(struct znp *z, struct nv_place at)
{
	begin(z, NV_READ, at);
}

void nv_write(struct znp *z, struct nv_place at, const void *data, size_t len)
{
	uint8_t *copy = malloc(len);

	assert(len && len <= NV_ITEM_MAX);
	if (!copy)
		abort();
	memcpy(copy, data, len);
	begin(z, NV_WRITE, at);
	z->nv.data = copy;
	z->nv.len = len;
}

void nv_drop(struct znp *z, struct nv_place at)
{
	begin(z, NV_DROP, at);
}

static void end(struct znp *z, enum nv_outcome outcome)
{
	z->nv.verb = NV_NOTHING;
	z->nv.outcome = (uint8_t)outcome;
	script_got(z, GOT_NV, NULL);
}

static void length_known(struct znp *z, size_t len)
{
	struct znp_nv *nv = &z->nv;

	if (nv->verb == NV_READ && len && len <= NV_ITEM_MAX) {
		nv->data = calloc(1, len);
		if (!nv->data)
			abort();
		nv->len = len;
		ask_piece(z, P_READ);
	} else if (nv->verb == NV_WRITE && len == nv->len) {
		ask_piece(z, P_COMPARE);
	} else if (nv->verb == NV_WRITE && !len && !nv->at.system) {
		say_create(z);
	} else if (nv->verb != NV_READ && len && !nv->at.system) {
		say_delete(z, len);
	} else {
		end(z, len ? NV_TROUBLE : NV_ABSENT);
	}
}

static void piece_known(struct znp *z, const struct mt_message *m)
{
	struct znp_nv *nv = &z->nv;
	struct view got = m->n > 1 ? m->values[1].bytes : (struct view){ 0 };
	bool good = !m->values[0].n && got.len && got.len <= nv->len - nv->done;

	/* What may not be read may still be written: some keys are so. */
	if (nv->phase == P_COMPARE && (!good || memcmp(nv->data + nv->done, got.data, got.len))) {
		nv->done = 0;
		say_piece(z);
		return;
	}
	if (!good) {
		end(z, NV_TROUBLE);
		return;
	}
	if (nv->phase == P_READ)
		memcpy(nv->data + nv->done, got.data, got.len);
	nv->done += got.len;
	if (nv->done == nv->len)
		end(z, NV_DONE);
	else
		ask_piece(z, nv->phase);
}

void nv_answer(struct znp *z, const struct mt_message *m)
{
	struct znp_nv *nv = &z->nv;
	uint8_t status;

	if (!m || !m->n) {
		end(z, NV_TROUBLE);
		return;
	}
	status = (uint8_t)m->values[0].n;
	switch ((enum phase)nv->phase) {
	case P_LENGTH:
		length_known(z, (size_t)m->values[0].n);
		break;
	case P_READ:
	case P_COMPARE:
		piece_known(z, m);
		break;
	case P_DELETE:
		if (status && status != CREATED)
			end(z, NV_TROUBLE);
		else if (nv->verb == NV_DROP)
			end(z, NV_DONE);
		else
			say_create(z);
		break;
	case P_CREATE:
		if (status && status != CREATED)
			end(z, NV_TROUBLE);
		else
			say_piece(z);
		break;
	case P_WRITE:
		nv->done += piece(nv);
		if (status)
			end(z, NV_TROUBLE);
		else if (nv->done == nv->len)
			end(z, NV_DONE);
		else
			say_piece(z);
		break;
	}
}
