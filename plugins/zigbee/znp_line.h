#pragma once
/* znp_line - the serial line of a network processor: one request at a time, and which answer is whose.
 *
 *   above   zigbee/znp_inside
 *   below   base/base  zigbee/mt  zigbee/unpi
 *   owns    struct znp_line
 *   limits  LINE_SILENT_MAX LINE_ANSWER_MS_MAX
 *
 * Answers carry no number. When one is late its place could be taken for that of the next request of the same kind; so
 * after silence the line sends pings until one is answered: what was asked before it is then answered or lost. Each
 * silence in a row doubles the patience; after LINE_SILENT_MAX of them nobody is there.
 */
#include "base/base.h"
#include "zigbee/mt.h"
#include "zigbee/unpi.h"

enum {
	LINE_SILENT_MAX = 4,
	LINE_ANSWER_MS = 2500, /* tidying up its flash takes a second or two */
	LINE_ANSWER_MS_MAX = 6000,
	LINE_SLOW_MS = 40000, /* commissioning answers when it is done */
	LINE_QUIET_MS = 250,  /* no frame takes that long to arrive */
};

enum line_user { LINE_FREE, LINE_PING, LINE_SCRIPT, LINE_OP, LINE_FETCH, LINE_NOBODY };
enum line_match {
	LINE_ANSWER,  /* to what waits; the line is free again */
	LINE_REFUSED, /* the stick does not know what it was asked; the line is free again */
	LINE_STRAY,   /* nobody waits for it */
};

struct znp_line {
	struct unpi_reader reader;
	uint8_t user; /* enum line_user */
	uint8_t subsystem, id;
	unsigned int silent; /* time-outs in a row */
	uint64_t due_ms, heard_ms;
};

void line_init(struct znp_line *l);

/* A request went out. The line was free. */
void line_asked(struct znp_line *l, enum line_user user, uint8_t subsystem, uint8_t id, uint64_t now_ms);
must_check enum line_match line_answered(struct znp_line *l, const struct unpi_frame *f, enum line_user *ret_user);

/* Nobody answered in time: who had asked. The line is free, and a ping has to go out. */
must_check bool line_is_late(struct znp_line *l, uint64_t now_ms, enum line_user *ret_user);

/* Nobody wants the answer any more: it is waited for, but not for as long as a slow one takes. */
void line_disown(struct znp_line *l, uint64_t now_ms);
bool line_is_dead(const struct znp_line *l);
uint64_t line_due_ms(const struct znp_line *l);
