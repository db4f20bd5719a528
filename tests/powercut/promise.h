#pragma once
/* promise - what a workload was told is kept, as far as the journal has come: what the judge holds an image against.
 *
 * The workload says what it asks for before it asks, and what it was told when it is told; both are in the journal between the file
 * operations, so at each cut it is known which of it had to be on the disk and which might.
 */
#include "audit/audit.h"
#include "home.h"
#include "journal.h"

enum say {
	SAY_NOTHING,
	SAY_DEED_ASKED, SAY_DEED_DONE,   /* n */
	SAY_NOTE_ASKED, SAY_NOTE_DONE,   /* n */
	SAY_ANCHOR,                      /* the log's size; more: its number in anchors */
	SAY_EVENT_ASKED,                 /* n; more: enum event_class, risky << 8, link mask << 16 */
	SAY_EVENT_STORED,                /* n */
	SAY_EVENTS_OLD,                  /* all stored before n: two seconds ago */
	SAY_TAKEN, SAY_LET_GO,           /* n of the event; more: its number << 8 | link */
	SAY_SCHEMA,                      /* gateway.db opened with that version */
	SAY_KEY,                         /* the key's id; more: its state, enum key_state */
	SAY_SEED,                        /* a new chain of MAC keys from this record on; more: the seed's number in seeds */
	SAY_OPENED,                      /* the home is there: from now on its files are */
};
enum { DEEDS_MAX = 4096, NOTES_MAX = 4096, EVENTS_MAX = 4096, ANCHORS_MAX = 4096, KEYS_MAX = 1024, SEEDS_MAX = 64 };

/* What an owner keeps offline. */
struct promise_seed {
	uint64_t seq;
	uint8_t seed[AUDIT_SEED_LEN];
};
struct promise_event {
	bool asked, stored, sync, on_disk;
	uint8_t event_class, mask, let_go; /* links */
	uint64_t number[HOME_LINKS];       /* 0: not taken yet */
};
struct promise {
	int64_t deeds_asked, notes_asked;
	bool deed_done[DEEDS_MAX], note_done[NOTES_MAX];
	struct promise_event events[EVENTS_MAX];
	int64_t n_events;
	uint64_t number_given[HOME_LINKS];
	int64_t n_anchors; /* of the workload's, as many as had been seen */
	int64_t n_seeds;   /* likewise */
	int64_t schema;
	uint8_t key_state[KEYS_MAX]; /* by id; 0 not promised */
	bool opened;
	bool gaps; /* deeds may be missing that were answered with an error */
	size_t at;
};
/* The power went: what was not on the disk is owed no more. For a second life that goes on from an image. */
void promise_crash(struct promise *promise);
/* Follows the journal up to at. */
void promise_advance(struct promise *promise, const struct journal *journal, size_t at);
