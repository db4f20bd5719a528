#pragma once
/* znp_op - one operation of the network above: accepted, said to the stick, under way, answered.
 *
 *   above   zigbee/znp_ops  zigbee/znp_data  zigbee/znp_ask
 *   below   base/base
 *   owns    struct op; of a send its data, of an install code the code (wiped)
 */
#include "base/base.h"
#include "base/list.h"
#include "zigbee/radio.h"
#include "zigbee/znp_inside.h"

enum op_kind { OP_SEND, OP_ASK, OP_PERMIT, OP_INSTALL_CODE, OP_CHANNEL, OP_GROUP, OP_KEEP, OP_KINDS };
enum op_state {
	OP_WAITING,
	OP_CALLING, /* its request is on the line, or the next piece of it is due */
	OP_FLYING,  /* the stick has it; what comes of it will be told */
	OP_OVER,    /* begun anew meanwhile: answered at the next turn */
};

struct op {
	struct list node;
	uint32_t cookie;
	uint8_t kind, state, transaction;
	uint64_t due_ms;
	union {
		struct {
			struct radio_message message;
			uint8_t *data;
			size_t stored;
			bool storing;
		} send;
		struct radio_question ask;
		struct {
			uint8_t seconds;
			uint16_t nwk;
		} permit;
		struct {
			uint64_t eui;
			uint8_t bytes[18]; /* the code, or the key that it makes */
			uint8_t len;
		} install;
		uint8_t channel;
		struct {
			uint16_t id;
			uint8_t endpoint;
			bool member;
		} group;
	};
};

/* A kind: may it go now; its request; what comes of the answer to that (NULL: the stick refused). */
struct op_row {
	bool (*may)(const struct znp *z, const struct op *op);
	void (*call)(struct znp *z, struct op *op);
	void (*answer)(struct znp *z, struct op *op, const struct mt_message *m);
};

/* znp_ops.c */
void op_call(struct znp *z, struct op *op, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values);
void op_flies(struct znp *z, struct op *op, uint64_t ms);
void op_done(struct znp *z, struct op *op, enum radio_status status); /* told and freed */
void op_free(struct znp *z, struct op *op);
must_check int op_new(struct znp *z, enum op_kind kind, uint32_t cookie, struct op **ret);
enum radio_status op_status(uint8_t status); /* of the stick's */

/* znp_data.c */
bool data_may(const struct znp *z, const struct op *op);
void data_call(struct znp *z, struct op *op);
void data_answer(struct znp *z, struct op *op, const struct mt_message *m);
bool data_event(struct znp *z, const struct mt_message *m);
bool fetch_pump(struct znp *z);
void fetch_answer(struct znp *z, const struct mt_message *m); /* NULL: refused, or late */
void fetch_forget(struct znp *z);

/* znp_keep.c */
bool keep_may(const struct znp *z, const struct op *op);
void keep_call(struct znp *z, struct op *op);
void keep_stop(struct znp *z);

/* znp_ask.c */
bool ask_may(const struct znp *z, const struct op *op);
void ask_call(struct znp *z, struct op *op);
void ask_answer(struct znp *z, struct op *op, const struct mt_message *m);
bool ask_event(struct znp *z, const struct mt_message *m);
void ask_failed(struct znp *z, struct op *op, enum radio_status status); /* told and freed */
