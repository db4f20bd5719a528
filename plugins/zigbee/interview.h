#pragma once
/* interview - who is this, and how is it to report? One step after the other, each with its answer, until all is known and set up.
 *
 *   above   zigbee/zigbee_state
 *   below   base/base  base/bytes  base/text  zigbee/node  zigbee/radio  zigbee/talk  zigbee/traits  zigbee/zcl
 *   owns    what it has found out so far
 *   limits  INTERVIEW_TRIES_MAX INTERVIEW_SLEEPY_TRIES_MAX INTERVIEW_READ_MAX INTERVIEW_REPORTS_MAX INTERVIEW_BYTES_MAX
 *
 * Pure: interview_next() says what to do, whoever does it tells the answer, and asks again. Node descriptor, endpoints, simple
 * descriptors, Basic, facts: then it is described. Bindings and reporting, enrolment of zones, first values: then it is done.
 * What a device refuses is left out; a device that cannot be reached ends it, with the reason in plain words.
 */
#include "base/base.h"
#include "base/bytes.h"
#include "zigbee/node.h"
#include "zigbee/radio.h"
#include "zigbee/talk.h"
#include "zigbee/zcl.h"

enum {
	INTERVIEW_TRIES_MAX = 4,        /* of one step */
	INTERVIEW_SLEEPY_TRIES_MAX = 8,
	INTERVIEW_READ_MAX = 4,         /* attributes in one frame */
	INTERVIEW_REPORTS_MAX = 3,
	INTERVIEW_BYTES_MAX = 64,
	INTERVIEW_PAUSE_MS = 2000,      /* times the square of the try */
	INTERVIEW_SLEEPY_PAUSE_MS = 90000, /* or until it is heard */
};
enum interview_phase {
	INTERVIEW_NODE,
	INTERVIEW_ENDPOINTS,
	INTERVIEW_SIMPLE,
	INTERVIEW_BASIC,
	INTERVIEW_FACTS,
	INTERVIEW_SET_UP, /* described: bindings and reporting */
	INTERVIEW_ZONE,
	INTERVIEW_ENROL,
	INTERVIEW_VALUES,
	INTERVIEW_DONE,
};
enum interview_want { INTERVIEW_ASK, INTERVIEW_TALK, INTERVIEW_PAUSE, INTERVIEW_READY, INTERVIEW_FAILED };

struct interview {
	struct node node;  /* so far */
	uint64_t host;     /* the coordinator's address */
	uint8_t phase;     /* enum interview_phase */
	uint8_t endpoint;  /* the place in the phase: which endpoint, which row of its plan */
	uint8_t at, n, single;
	uint8_t tries;
	bool bound;        /* the cluster of row at */
	bool waits;        /* a pause */
	uint8_t refused;   /* steps that it said no to */
	const char *why;   /* it failed */
};

struct interview_step {
	enum interview_want want;
	struct radio_question question; /* ASK */
	struct talk_ask ask;            /* TALK; tag and ttl are the caller's */
	uint8_t bytes[INTERVIEW_BYTES_MAX];
	uint32_t pause_ms;              /* PAUSE */
};

/* From a phase on; for all after INTERVIEW_NODE the node is known so far. */
must_check int interview_init(struct interview *interview, const struct node *node, uint64_t host, enum interview_phase from);
void interview_deinit(struct interview *interview);

void interview_next(struct interview *interview, struct interview_step *ret);
void interview_answered(struct interview *interview, const struct radio_answer *answer);
void interview_talked(struct interview *interview, const struct talk_result *result);
void interview_go_on(struct interview *interview); /* the pause is over, or it was heard */
bool interview_is_described(const struct interview *interview);

/* A copy that owns its endpoints; what was in ret is freed. */
must_check int interview_node(const struct node *node, struct node *ret);
