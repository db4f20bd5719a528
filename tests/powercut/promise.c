#include "promise.h"

static void hear_event(struct promise *promise, const struct op *op)
{
	struct promise_event *event = &promise->events[op->value];
	unsigned link = (unsigned)op->more & 0xff;

	switch (op->what) {
	case SAY_EVENT_ASKED:
		event->asked = true;
		event->event_class = (uint8_t)op->more;
		event->sync = op->more >> 8 & 1 || event->event_class == EVENT_CLASS_ALARM;
		event->mask = (uint8_t)(op->more >> 16);
		promise->n_events = op->value + 1;
		break;
	case SAY_EVENT_STORED:
		event->stored = true;
		event->on_disk = event->sync;
		break;
	case SAY_EVENTS_OLD:
		for (int64_t i = 0; i < op->value; i++)
			promise->events[i].on_disk |= promise->events[i].stored;
		break;
	case SAY_TAKEN:
		event->number[link] = (uint64_t)op->more >> 8;
		if (event->number[link] > promise->number_given[link])
			promise->number_given[link] = event->number[link];
		break;
	case SAY_LET_GO:
		event->let_go |= (uint8_t)(1u << link);
		break;
	default:
		break;
	}
}

static void hear(struct promise *promise, const struct op *op)
{
	switch ((enum say)op->what) {
	case SAY_NOTHING:
		break;
	case SAY_DEED_ASKED:
		promise->deeds_asked = op->value;
		break;
	case SAY_DEED_DONE:
		promise->deed_done[op->value] = true;
		break;
	case SAY_NOTE_ASKED:
		promise->notes_asked = op->value;
		break;
	case SAY_NOTE_DONE:
		promise->note_done[op->value] = true;
		break;
	case SAY_ANCHOR:
		promise->n_anchors = op->more + 1;
		break;
	case SAY_SEED:
		promise->n_seeds = op->more + 1;
		break;
	case SAY_SCHEMA:
		promise->schema = op->value;
		break;
	case SAY_KEY:
		promise->key_state[op->value] = (uint8_t)op->more;
		break;
	case SAY_OPENED:
		promise->opened = true;
		break;
	case SAY_EVENT_ASKED:
	case SAY_EVENT_STORED:
	case SAY_EVENTS_OLD:
	case SAY_TAKEN:
	case SAY_LET_GO:
		hear_event(promise, op);
		break;
	}
}

void promise_advance(struct promise *promise, const struct journal *journal, size_t at)
{
	while (promise->at < at) {
		const struct op *op = &journal->ops[promise->at++];

		if (op->kind == OP_SAY)
			hear(promise, op);
	}
}

void promise_crash(struct promise *promise)
{
	for (int64_t i = 0; i < promise->n_events; i++)
		promise->events[i].stored = promise->events[i].on_disk;
	promise->opened = false;
	promise->at = 0;
}
