#pragma once
/* inside - what custody.c, steps.c, way.c and rotate.c share: a verb under way.
 *
 *   above   custody
 *   below   audit/audit  base/base  base/list  custody/custody  sys/loop
 *   owns    struct custody, struct verb
 *   limits  -
 *
 * A verb belongs to the loop; its task on the writer thread reads it and writes the fields named so, while the loop leaves it alone.
 * One verb at a time is between its intent and its answer (custody_enter, custody_leave): so no two are in the keystore, and the
 * record is given its keys by one at a time. A rotation leaves while files are being written anew.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "base/list.h"
#include "custody/custody.h"
#include "sys/loop.h"

struct rotation;
struct verb;
typedef void (*verb_fn)(struct verb *verb);

enum found { FOUND_DONE, FOUND_UNDONE, FOUND_UNKNOWN, FOUND_HALF };
struct verb_row {
	const char *name;
	uint16_t kind;
	bool changes;                           /* the keystore: the record's seal names its generation */
	int (*step)(struct verb *verb);         /* writer thread */
	enum found (*found)(struct verb *verb); /* how far it had come before the cut; on the loop */
};
const struct verb_row *verb_row(enum custody_verb verb); /* NULL: none */

struct verb {
	struct list node;
	struct custody *custody;
	const struct verb_row *row;
	struct custody_order order;  /* what it borrows is below */
	struct box_public to;
	struct secret *passphrase;
	int64_t number;              /* of its row in the table; 0 none */
	uint32_t highest;            /* the highest key's number when it began */
	struct audit_record *record, *entry; /* who asked; what the next job writes */
	custody_done_fn done;        /* NULL: nobody waits (any more) */
	void *ctx;
	bool resumed;                /* its intent is of an earlier start */
	verb_fn waiting;             /* it wants to enter, and goes on with this */
	verb_fn then;
	int64_t now_s;               /* for its task */
	int r;
	struct rotation *rotation;
	/* Written by the task. */
	uint32_t id;                 /* the key it turned out to be about */
	uint32_t before;             /* the one that was active before that */
	char detail[256];            /* of its outcome */
	char text[CUSTODY_TEXT_MAX]; /* wiped */
};

struct custody {
	struct custody_options options;
	char *folder, *key_file, *credential;
	struct list verbs;
	size_t n_verbs;
	struct verb *inside;
	int64_t last_number;
	struct timer *minute;
	struct { uint64_t pages, checkpoints; } used, counted;
	bool counting, closing;
};

/* custody.c */
void custody_step(const struct custody *custody, const char *what);
int64_t custody_now_s(const struct custody *custody);
bool custody_key(const struct custody *custody, uint32_t id, struct vault_key_info *ret);
uint32_t custody_highest(const struct custody *custody, enum key_purpose purpose); /* the newest key; purpose 0: of any */
bool custody_is_full(const struct custody *custody); /* else it is the disk */
bool custody_is_rotating(const struct custody *custody, enum key_purpose purpose);
void custody_free_when_over(struct custody *custody);

/* way.c */
void custody_enter(struct verb *verb, verb_fn fn);
void custody_leave(struct verb *verb);
void verb_begin(struct verb *verb);              /* entered: intent, and on to the end */
void verb_resume(struct verb *verb);             /* entered: its intent is in the table */
void verb_tell(struct verb *verb, verb_fn then); /* its asker hears now, on record; the verb goes on */
void verb_seal_anew(struct verb *verb, verb_fn then); /* the record gets the keys that are active now */
void verb_end(struct verb *verb, int r);         /* entered: outcome on record, its row goes, its asker hears */
void verb_drop(struct verb *verb);               /* closing: its row stays for the next start */
bool verb_is_dropped(struct verb *verb);         /* closing, and so it was dropped */
