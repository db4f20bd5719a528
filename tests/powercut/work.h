#pragma once
/* work - a day in the home's life, from a seed: deeds, notes, events, time, files full, restarts; one row a kind of day. */
#include "dice.h"
#include "home.h"
#include "journal.h"
#include "promise.h"
#include "tap.h"

enum act {
	ACT_DEED, ACT_NOTE, ACT_RISKY, ACT_PLAIN, ACT_TAKE, ACT_LET_GO, ACT_UNTAKE, ACT_PASS, ACT_CHECKPOINT, ACT_MONTH, ACT_RESTART,
	ACT_VERB, ACTS
};

struct day {
	const char *name;
	unsigned share; /* of the images */
	unsigned steps;
	uint64_t segment_bytes_max;
	enum seal_suite suite; /* 0: in the clear */
	unsigned schema_first, schema_last; /* the last restart brings schema_last */
	uint8_t weight[ACTS];
	unsigned rotate_percent; /* of the verbs: a rotation of the page keys */
	unsigned lives_max; /* not 0: so many at most, each but the first from an image of the one before */
};
extern const struct day days[];
extern const size_t n_days;
const struct day *day_named(const char *name); /* NULL: none */

/* A life before this one, which ended when the power went: the folder holds an image of it. */
struct work_before {
	struct promise promise; /* after promise_crash */
	struct audit_anchor anchors[ANCHORS_MAX];
	struct promise_seed seeds[SEEDS_MAX];
	int64_t boot_ms, wall_us;
};
struct work_options {
	const struct day *day;
	const struct work_before *before; /* NULL: the first */
	const char *folder;
	uint64_t seed;
	enum tap_deaf deaf;
	enum db_sync sync; /* DB_SYNC_EXTRA but where it is to be found out */
};
struct work {
	struct work_options options;
	struct home home;
	struct dice dice;
	struct journal journal;
	int64_t deeds, notes, events;
	int64_t boot_ms, wall_us;
	unsigned schema;
	bool lives, frozen; /* frozen: no time passes */
	unsigned n_failed; /* done with an error: none may, but when calls are made to fail */
	struct audit_anchor anchors[ANCHORS_MAX];
	int64_t n_anchors;
	struct promise_seed seeds[SEEDS_MAX];
	int64_t n_seeds;
	struct {
		int64_t n;
		uint64_t number;
	} taken[HOME_LINKS][64];
	unsigned n_taken[HOME_LINKS];
	uint8_t key_state[KEYS_MAX]; /* as said */
	uint32_t key_highest;
	int64_t stored_at_ms[EVENTS_MAX];
	int64_t n_old;
};
/* Lives it, and leaves the journal. false: something failed that must not; why says what. */
must_check bool work_live(struct work *work, const struct work_options *options, char *why, size_t cap);
void work_deinit(struct work *work);

/* For those who live step by step (faults.c). */
void work_init(struct work *work, const struct work_options *options);
must_check int work_open(struct work *work, const char **where);
void work_step(struct work *work);
void work_touch(struct work *work); /* something into each database, so that each says how it is */
void work_close(struct work *work);
