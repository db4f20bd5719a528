#pragma once
/* znp_nv - the memory of a network processor: a record is read, written or removed by as many requests as that takes.
 *
 *   above   zigbee/znp_inside
 *   below   base/base
 *   owns    struct znp_nv: the record; it may be a key and is wiped
 *   limits  NV_ITEM_MAX
 *
 * One record at a time, for the script that runs; it gets GOT_NV. Writing reads first, and what is there already is not
 * written again: flash wears out.
 */
#include "base/base.h"

enum { NV_ITEM_MAX = 4096 };

enum nv_verb { NV_NOTHING, NV_READ, NV_WRITE, NV_DROP };
enum nv_outcome {
	NV_DONE,
	NV_ABSENT,  /* there is no such record; dropping it is done then */
	NV_TROUBLE, /* the stick said no, or said something odd */
};

struct nv_place {
	uint8_t system; /* 0: an item; else a row of an extended table */
	uint16_t item, row;
};

struct znp_nv {
	uint8_t verb, phase, outcome;
	struct nv_place at;
	uint8_t *data;  /* what was read, or is to be written */
	size_t len, done;
};

struct znp;
struct mt_message;
void nv_read(struct znp *z, struct nv_place at);
void nv_write(struct znp *z, struct nv_place at, const void *data, size_t len); /* 1..NV_ITEM_MAX bytes */
void nv_drop(struct znp *z, struct nv_place at);
void nv_answer(struct znp *z, const struct mt_message *m); /* NULL: refused */
void nv_forget(struct znp_nv *nv); /* and wipes */
