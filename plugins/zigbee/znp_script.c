/*
 * What begins a radio, and what makes its backup, are long conversations. A script is a list of steps; a step says
 * something, is called again with the answer, and says that it stays or that the next one may come. Requests of a
 * script may be said twice without harm, so silence makes it say them again.
 */
#include <assert.h>
#include <string.h>

#include "sys/crypto.h"
#include "zigbee/znp_inside.h"

static void run(struct znp *z, struct got got)
{
	struct script *s = &z->script;

	while (s->steps) {
		enum step step = s->steps[s->at](z, &got);

		if (step == STEP_STAY || step == STEP_END)
			return;
		if (step == STEP_NEXT)
			s->at++;
		s->phase = 0;
		s->row = 0;
		s->due_ms = UINT64_MAX;
		got = (struct got){ GOT_ENTERED, NULL };
	}
}

void script_stop(struct znp *z)
{
	crypto_wipe(z->script.frame, sizeof(z->script.frame));
	z->script = (struct script){ .due_ms = UINT64_MAX };
	nv_forget(&z->nv);
	if (z->line.user == LINE_SCRIPT)
		line_disown(&z->line, znp_now(z));
}

void script_begin(struct znp *z, step_fn *const *steps)
{
	script_stop(z);
	z->script.steps = steps;
	run(z, (struct got){ GOT_ENTERED, NULL });
}

void script_call(struct znp *z, uint8_t subsystem, uint8_t id, size_t n, const struct mt_value *values)
{
	struct mt_message m = mt_make(UNPI_SREQ, subsystem, id, n, values);
	struct script *s = &z->script;
	int err = mt_encode(&m, s->frame, sizeof(s->frame), &s->frame_len);

	assert(!err && s->steps && !s->wants);
	s->wants = true;
	s->tries = 0;
	s->subsystem = subsystem;
	s->id = id;
}

void script_wait(struct znp *z, uint64_t ms)
{
	z->script.due_ms = znp_now(z) + ms;
}

bool script_pump(struct znp *z)
{
	struct script *s = &z->script;

	if (!s->wants)
		return false;
	s->wants = false;
	s->tries++;
	line_asked(&z->line, LINE_SCRIPT, s->subsystem, s->id, znp_now(z));
	z->radio.stats.out++;
	z->events->write(z->ctx, s->frame, s->frame_len);
	return true;
}

/* Nobody answered, and the line has found its place again: once more. */
void script_late(struct znp *z)
{
	if (z->script.tries < SCRIPT_TRIES_MAX)
		z->script.wants = true;
	else if (z->keeping)
		keep_failed(z, RADIO_TIMEOUT);
	else
		znp_restart(z, "it does not answer a request");
}

void script_got(struct znp *z, enum got_kind kind, const struct mt_message *message)
{
	if (!z->script.steps)
		return;
	if (z->nv.verb != NV_NOTHING && (kind == GOT_ANSWER || kind == GOT_REFUSED)) {
		nv_answer(z, kind == GOT_ANSWER ? message : NULL);
		return;
	}
	/* Who waits for something to happen has set a time for it. */
	if (kind == GOT_EVENT && z->script.due_ms == UINT64_MAX)
		return;
	if (kind == GOT_TIME)
		z->script.due_ms = UINT64_MAX;
	run(z, (struct got){ kind, message });
}
