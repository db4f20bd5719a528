#pragma once
/* znp_inside - what the parts of the Z-Stack radio share: the line, the script that starts or keeps, what waits.
 *
 *   above   zigbee/znp  zigbee/znp_start
 *   below   base/base
 *   owns    struct znp
 *   limits  SCRIPT_TRIES_MAX
 */
#include "base/base.h"
#include "base/bytes.h"
#include "base/list.h"
#include "zigbee/mt.h"
#include "zigbee/nv_form.h"
#include "zigbee/radio.h"
#include "zigbee/znp.h"
#include "zigbee/znp_line.h"
#include "zigbee/znp_nv.h"

enum {
	SCRIPT_TRIES_MAX = 3, /* of a request that may be said twice */
	ZNP_ROUTES_MAX = 4,   /* ways that are to be looked for */
	ZNP_FIRMWARE_CAP = 48,
};

enum znp_state { ZNP_IDLE, ZNP_STARTING, ZNP_READY };
enum znp_product { ZNP_STACK_1_2 = 0, ZNP_STACK_3_X_0 = 1, ZNP_STACK_3_0_X = 2 };

/* What a script waited for. */
enum got_kind {
	GOT_ENTERED, /* nothing: the step begins */
	GOT_ANSWER,  /* to its request: message */
	GOT_REFUSED, /* the stick has no such command */
	GOT_NV,      /* what it wanted of the memory: znp_nv */
	GOT_EVENT,   /* something happened: message */
	GOT_TIME,    /* its time is over */
};
struct got {
	enum got_kind kind;
	const struct mt_message *message;
};
enum step { STEP_STAY, STEP_NEXT, STEP_AGAIN, STEP_END }; /* again: enter it once more; end: it has told the outcome */
struct znp;
typedef enum step step_fn(struct znp *z, const struct got *got);

/* A list of steps that are done one after another; each is called with what it waited for. */
struct script {
	step_fn *const *steps; /* NULL: none runs */
	size_t at;
	unsigned int phase, row; /* of the step; 0 when it begins */
	bool wants;              /* frame is to be sent when the line is free */
	uint8_t tries;
	uint8_t subsystem, id;
	uint8_t frame[UNPI_FRAME_MAX];
	size_t frame_len;
	uint64_t due_ms; /* GOT_TIME */
};

/* What begin() was given, and what was found. Secrets: wiped when it is ready or has failed. */
struct beginning {
	enum radio_begin how;
	bool given;
	struct radio_network network;
	struct radio_key *keys;
	size_t n;
	uint32_t counter_min;   /* of the same network on this stick */
	bool reset_tried, expects_reset;
	uint32_t registered;           /* bits of the table of endpoints */
	struct radio_network found;    /* on the stick */
	struct radio_network forming;  /* what it is told to form */
	bool has_seed;
	uint8_t seed[16];               /* secret: of which the keys are made */
	int8_t shifts[RADIO_KEYS_MAX]; /* how each key is: none, its own, or a turn of the seed */
};

struct op;      /* znp_keep.c */
void keep_failed(struct znp *z, enum radio_status status); /* told, and no backup is made any more */

/* znp_ops.c */
struct keeping; /* znp_keep.c: while a backup is made */

struct znp {
	struct radio radio;
	const struct radio_events *events;
	void *ctx;
	enum znp_state state;
	struct znp_line line;
	struct script script;
	struct znp_nv nv;
	struct beginning begin;
	struct keeping *keeping;
	struct list ops, fetches;
	unsigned int n_ops, n_data, n_asks, n_fetches;
	struct op *calling; /* whose request is on the line, or who has more of it to say */
	uint8_t transaction;
	uint16_t routes[ZNP_ROUTES_MAX];
	unsigned int n_routes;
	uint64_t resets[ZNP_RESETS_MAX]; /* when */
	unsigned int refusals;           /* in a row */
	uint8_t product;
	bool aligned;
	char firmware[ZNP_FIRMWARE_CAP];
	struct radio_network mine;
};

static inline struct znp *znp_of(const struct radio *radio)
{
	return CONTAINER_OF(radio, struct znp, radio);
}

static inline uint64_t znp_now(const struct znp *z)
{
	return z->events->now_ms(z->ctx);
}

/* znp.c */
struct mt_message mt_make(uint8_t type, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values);
void znp_send(struct znp *z, enum line_user user, const struct mt_message *m); /* the line is free */
void znp_pump(struct znp *z);
void znp_restart(struct znp *z, const char *why); /* the stick is not what it was: begin again, or fail */
void znp_fail(struct znp *z, const char *why);

/* znp_script.c */
void script_begin(struct znp *z, step_fn *const *steps);
void script_stop(struct znp *z);
void script_call(struct znp *z, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values);
void script_got(struct znp *z, enum got_kind kind, const struct mt_message *message);
void script_wait(struct znp *z, uint64_t ms);
bool script_pump(struct znp *z); /* it had something to send */
void script_late(struct znp *z);

/* znp_start.c */
void start_begin(struct znp *z);
void start_end(struct znp *z); /* what begin() was given is forgotten */

/* znp_keep.c */
void keep_failed(struct znp *z, enum radio_status status); /* told, and no backup is made any more */

/* znp_ops.c */
bool ops_pump(struct znp *z);
void ops_answer(struct znp *z, enum line_user user, const struct mt_message *m); /* NULL: refused */
void ops_late(struct znp *z, enum line_user user);
bool ops_event(struct znp *z, const struct mt_message *m);
void ops_tick(struct znp *z, uint64_t now_ms);
uint64_t ops_due_ms(const struct znp *z);
void ops_over(struct znp *z);                          /* all of them have failed, and are told at the next turn */
void ops_end(struct znp *z, enum radio_status status); /* all of them */
void ops_forget(struct znp *z);                        /* and tell nobody */
must_check int ops_send(struct radio *radio, uint32_t cookie, const struct radio_message *message);
must_check int ops_ask(struct radio *radio, uint32_t cookie, const struct radio_question *question);
must_check int ops_permit(struct radio *radio, uint32_t cookie, uint8_t seconds, uint16_t nwk);
must_check int ops_install_code(struct radio *radio, uint32_t cookie, uint64_t eui, struct view code);
must_check int ops_channel(struct radio *radio, uint32_t cookie, uint8_t channel);
must_check int ops_group(struct radio *radio, uint32_t cookie, uint16_t group, uint8_t endpoint, bool member);
must_check int ops_keep(struct radio *radio, uint32_t cookie);
