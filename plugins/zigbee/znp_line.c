/*
 * The stick answers requests in the order in which they came and says in an answer only of what kind the request was.
 * One request is out at a time. Its answer is a frame of the same subsystem and id, or the one frame that says "I have
 * no such command" and names it.
 */
#include "zigbee/znp_line.h"

#include <assert.h>

enum { SYS_PING = 0x01, APP_COMMISSION = 0x05, ZDO_STARTUP = 0x40 };

void line_init(struct znp_line *l)
{
	*l = (struct znp_line){ .due_ms = UINT64_MAX };
	unpi_reader_init(&l->reader);
}

static uint64_t patience_ms(const struct znp_line *l)
{
	uint64_t ms = LINE_ANSWER_MS;

	if ((l->subsystem == MT_APP_CNF && l->id == APP_COMMISSION) || (l->subsystem == MT_ZDO && l->id == ZDO_STARTUP))
		return LINE_SLOW_MS;
	for (unsigned int i = 0; i < l->silent && ms < LINE_ANSWER_MS_MAX; i++)
		ms *= 2;
	return ms < LINE_ANSWER_MS_MAX ? ms : LINE_ANSWER_MS_MAX;
}

void line_asked(struct znp_line *l, enum line_user user, uint8_t subsystem, uint8_t id, uint64_t now_ms)
{
	assert(l->user == LINE_FREE && user != LINE_FREE);
	l->user = (uint8_t)user;
	l->subsystem = subsystem;
	l->id = id;
	l->due_ms = now_ms + patience_ms(l);
}

static enum line_user freed(struct znp_line *l)
{
	enum line_user user = l->user;

	l->user = LINE_FREE;
	l->due_ms = UINT64_MAX;
	return user;
}

enum line_match line_answered(struct znp_line *l, const struct unpi_frame *f, enum line_user *ret_user)
{
	bool refused = f->subsystem == MT_RPC_ERROR && f->id == 0 && f->data.len >= 3;

	if (l->user == LINE_FREE)
		return LINE_STRAY;
	if (refused && ((f->data.data[1] & 0x1f) != l->subsystem || f->data.data[2] != l->id))
		return LINE_STRAY;
	if (!refused && (f->subsystem != l->subsystem || f->id != l->id))
		return LINE_STRAY;
	l->silent = 0;
	*ret_user = freed(l);
	return refused ? LINE_REFUSED : LINE_ANSWER;
}

bool line_is_late(struct znp_line *l, uint64_t now_ms, enum line_user *ret_user)
{
	if (l->user == LINE_FREE || now_ms < l->due_ms)
		return false;
	l->silent++;
	*ret_user = freed(l);
	return true;
}

void line_disown(struct znp_line *l, uint64_t now_ms)
{
	l->user = LINE_NOBODY;
	if (l->due_ms > now_ms + LINE_ANSWER_MS_MAX)
		l->due_ms = now_ms + LINE_ANSWER_MS_MAX;
}

bool line_is_dead(const struct znp_line *l)
{
	return l->silent >= LINE_SILENT_MAX;
}

uint64_t line_due_ms(const struct znp_line *l)
{
	uint64_t quiet_ms = l->reader.len ? l->heard_ms + LINE_QUIET_MS : UINT64_MAX;

	return l->due_ms < quiet_ms ? l->due_ms : quiet_ms;
}
