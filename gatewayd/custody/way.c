/* The way of a verb: intent, step, the record's new seal, outcome, answer. Intent and outcome are rows of gateway.db written
 * together with their audit rows, so the record cannot lack what the keystore shows: a keystore that has changed without an
 * outcome on record has an intent there, and the next start finds it.
 *
 * Whoever waits for something (a job, a task, the record) looks first whether custody is closing when it comes back: then the
 * parts around it may be gone, and its row is for the next start.
 */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "custody/inside.h"
#include "custody/rotate.h"
#include "sys/crypto.h"

/* --- one at a time ------------------------------------------------------------------------------------------------------ */

void custody_enter(struct verb *verb, verb_fn fn)
{
	struct custody *custody = verb->custody;
	if (custody->inside) {
		verb->waiting = fn;
		return;
	}
	custody->inside = verb;
	fn(verb);
}

void custody_leave(struct verb *verb)
{
	struct custody *custody = verb->custody;
	struct verb *next, *tmp;
	if (custody->inside != verb)
		return;
	custody->inside = NULL;
	if (custody->closing)
		return;
	list_each(next, tmp, &custody->verbs, node) {
		verb_fn fn = next->waiting;
		if (!fn)
			continue;
		next->waiting = NULL;
		custody->inside = next;
		fn(next);
		return;
	}
}

static void verb_answer(struct verb *verb, int r)
{
	const struct custody_answer answer = { verb->id, verb->text };
	custody_done_fn done = verb->done;
	verb->done = NULL;
	if (done)
		done(verb->ctx, r, &answer);
	crypto_wipe(verb->text, sizeof(verb->text));
}

static void verb_free(struct verb *verb)
{
	struct custody *custody = verb->custody;
	list_remove(&verb->node);
	custody->n_verbs--;
	custody_leave(verb);
	rotate_free(verb);
	secret_free(verb->passphrase);
	audit_record_free(verb->record);
	audit_record_free(verb->entry);
	free(verb);
	custody_free_when_over(custody);
}

void verb_drop(struct verb *verb)
{
	verb_answer(verb, -ECANCELED);
	verb_free(verb);
}

bool verb_is_dropped(struct verb *verb)
{
	if (!verb->custody->closing)
		return false;
	verb_drop(verb);
	return true;
}

/* --- on record ---------------------------------------------------------------------------------------------------------- */

static void write_entry(struct verb *verb, uint16_t kind, enum audit_outcome outcome, const char *detail)
{
	struct audit_record entry = *verb->record;
	const char *purpose = verb->order.purpose ? key_purpose_name(verb->order.purpose) : NULL;
	char object[AUDIT_OBJECT_MAX];
	if (verb->id)
		text_print(object, sizeof(object), "key %u%s%s", verb->id, purpose ? " for " : "", purpose ? purpose : "");
	else
		text_copy(object, sizeof(object), purpose ? purpose : "keystore");
	entry.kind = kind;
	entry.outcome = outcome;
	entry.object = object;
	entry.detail = detail;
	audit_record_free(verb->entry);
	verb->entry = audit_record_copy(&entry);
}

static int entry_job(struct db *db, void *arg)
{
	const struct verb *verb = arg;
	return audit_outbox_put(db, verb->entry);
}

static int intent_job(struct db *db, void *arg)
{
	const struct verb *verb = arg;
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO custody (number, verb, key, purpose, highest) VALUES (?, ?, ?, ?, ?)", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, verb->number);
	stmt_bind_i64(s, 2, verb->order.verb);
	stmt_bind_i64(s, 3, verb->order.id);
	stmt_bind_i64(s, 4, verb->order.purpose);
	stmt_bind_i64(s, 5, verb->highest);
	r = stmt_run(s);
	return r == 0 ? entry_job(db, arg) : r;
}

static int outcome_job(struct db *db, void *arg)
{
	const struct verb *verb = arg;
	struct stmt *s;
	int r = db_prepare(db, "DELETE FROM custody WHERE number = ?", &s);
	if (r != 0)
		return r;
	stmt_bind_i64(s, 1, verb->number);
	r = stmt_run(s);
	return r == 0 ? entry_job(db, arg) : r;
}

static void on_outcome(void *arg, int r)
{
	struct verb *verb = arg;
	struct custody *custody = verb->custody;
	if (r == 0 && !custody->closing) {
		custody_step(custody, "outcome on record");
		audit_drain(custody->options.audit);
	}
	/* Done, and not on record: the row stays, the next start looks at it, and who asked is not told that all is well. */
	verb_answer(verb, r < 0 ? r : verb->r);
	verb_free(verb);
}

void verb_end(struct verb *verb, int r)
{
	struct custody *custody = verb->custody;
	const char *why = r > 0 ? custody_word(r) : strerror(-r);
	verb->r = r;
	if (r != 0 && verb->detail[0])
		text_append(verb->detail, sizeof(verb->detail), ": %s", why);
	write_entry(verb, verb->row->kind, r == 0 ? AUDIT_OK : AUDIT_FAILED, r == 0 || verb->detail[0] ? verb->detail : why);
	custody_step(custody, "outcome");
	int put = store_submit(custody->options.store, custody->options.db, STORE_SYNC, outcome_job, on_outcome, verb);
	if (put != 0)
		on_outcome(verb, put < 0 ? put : -EAGAIN);
}

static void on_told(void *arg, int r)
{
	struct verb *verb = arg;
	if (verb_is_dropped(verb))
		return;
	if (r == 0)
		audit_drain(verb->custody->options.audit);
	verb_answer(verb, r);
	verb_fn then = verb->then;
	custody_leave(verb);
	then(verb);
}

void verb_tell(struct verb *verb, verb_fn then)
{
	struct custody *custody = verb->custody;
	verb->then = then;
	write_entry(verb, AUDIT_KEY_ACTIVATE, AUDIT_OK, verb->detail);
	int r = store_submit(custody->options.store, custody->options.db, STORE_SYNC, entry_job, on_told, verb);
	if (r != 0)
		on_told(verb, r < 0 ? r : -EAGAIN);
}

/* --- the record's keys -------------------------------------------------------------------------------------------------- */

static bool is_of_the_record(enum key_purpose purpose)
{
	return purpose == KEY_AUDIT || purpose == KEY_SIGN || purpose == KEY_SIGN_SM2;
}

static void on_sealed(void *ctx, int r)
{
	struct verb *verb = ctx;
	if (verb->custody->closing) {
		verb_drop(verb);
		return;
	}
	/* What was given is in use, however its first checkpoint ended; what goes wrong with the record, the record says itself. */
	ring_settle(verb->custody->options.ring, true);
	custody_step(verb->custody, "record sealed anew");
	verb->r = r;
	verb->then(verb);
}

static void on_seal_set(void *ctx, int r)
{
	struct verb *verb = ctx;
	struct custody *custody = verb->custody;
	if (!custody->closing && r != 0) {
		ring_settle(custody->options.ring, false);
		verb->r = r;
		verb->then(verb);
		return;
	}
	if (!custody->closing && is_of_the_record(verb->order.purpose)) {
		custody_step(custody, "seal set");
		r = audit_checkpoint_now(custody->options.audit, on_sealed, verb);
		if (r == 0)
			return;
	}
	on_sealed(verb, r);
}

/* Checkpoints name the keystore's generation and are signed by its keys. verb->r tells whether the record has them. */
void verb_seal_anew(struct verb *verb, verb_fn then)
{
	struct custody *custody = verb->custody;
	const struct audit_seal *seal;
	verb->then = then;
	int r = ring_prepare(custody->options.ring, &seal);
	if (r == 0) {
		r = audit_set_seal(custody->options.audit, seal, on_seal_set, verb);
		if (r == 0)
			return;
		ring_settle(custody->options.ring, false);
	}
	verb->r = r;
	then(verb);
}

/* --- from intent to end ------------------------------------------------------------------------------------------------- */

static void verb_finish(struct verb *verb)
{
	verb_end(verb, 0);
}

static void on_step(void *arg, int r)
{
	struct verb *verb = arg;
	if (verb_is_dropped(verb))
		return;
	custody_step(verb->custody, "step done");
	if (r != 0)
		verb_end(verb, r);
	else if (verb->rotation)
		rotate_go_on(verb);
	else if (verb->row->changes)
		verb_seal_anew(verb, verb_finish);
	else
		verb_end(verb, 0);
}

static int step_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct verb *verb = arg;
	(void)store;
	(void)dbs;
	verb->before = verb->order.purpose ? vault_active(verb->custody->options.vault, verb->order.purpose) : 0;
	custody_step(verb->custody, "step");
	return verb->row->step(verb);
}

static void verb_take_step(struct verb *verb)
{
	verb->now_s = custody_now_s(verb->custody);
	int r = store_submit_task(verb->custody->options.store, step_task, on_step, verb);
	if (r != 0)
		verb_end(verb, r < 0 ? r : -EAGAIN);
}

static void on_checkpoint(void *ctx, int r)
{
	struct verb *verb = ctx;
	(void)r; /* the record says itself what is wrong with it */
	if (!verb_is_dropped(verb))
		verb_take_step(verb);
}

static void on_intent(void *arg, int r)
{
	struct verb *verb = arg;
	struct custody *custody = verb->custody;
	if (verb_is_dropped(verb))
		return;
	if (r != 0) {
		verb_answer(verb, r); /* not on record, so not done */
		verb_free(verb);
		return;
	}
	audit_drain(custody->options.audit);
	custody_step(custody, "intent on record");
	/* What the old key has signed or guarded so far is closed with it. */
	if (verb->order.verb == CUSTODY_ROTATE && is_of_the_record(verb->order.purpose) &&
	    audit_checkpoint_now(custody->options.audit, on_checkpoint, verb) == 0)
		return;
	verb_take_step(verb);
}

void verb_begin(struct verb *verb)
{
	struct custody *custody = verb->custody;
	verb->highest = custody_highest(custody, 0);
	verb->number = ++custody->last_number;
	write_entry(verb, verb->row->kind, AUDIT_OK, "ordered");
	custody_step(custody, "intent");
	int r = store_submit(custody->options.store, custody->options.db, STORE_SYNC, intent_job, on_intent, verb);
	if (r != 0)
		on_intent(verb, r < 0 ? r : -EAGAIN);
}

void verb_resume(struct verb *verb)
{
	switch (verb->row->found(verb)) {
	case FOUND_DONE:
		text_copy(verb->detail, sizeof(verb->detail), "was cut off when it had been carried out");
		verb_end(verb, 0);
		return;
	case FOUND_HALF:
		verb_take_step(verb);
		return;
	case FOUND_UNDONE:
		text_copy(verb->detail, sizeof(verb->detail), "was cut off before anything was changed");
		break;
	case FOUND_UNKNOWN:
		text_copy(verb->detail, sizeof(verb->detail), "was cut off: whether it was carried out is not known");
		break;
	}
	verb_end(verb, -ECANCELED);
}
