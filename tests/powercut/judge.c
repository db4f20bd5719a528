/* Asks everything by the doors that the gateway itself uses: opens, reads, verifies, drains the spool, and then goes on working for a
 * moment, because a home that opens but does not live is lost as well.
 */
#include "judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "model/event.h"

enum { ANCHORS_ASKED = 8, TURN_MS = 20, TURNS_MAX = 500 };

struct bench {
	const struct judge_options *options;
	const struct promise *promise;
	struct home home;
	char *why;
	size_t cap;
	enum verdict verdict;
	int64_t deeds, n_deeds; /* found in gateway.db: the last, how many */
	bool deed_there[DEEDS_MAX];
	uint8_t deed_seen[DEEDS_MAX], note_seen[NOTES_MAX];
	uint64_t last_seq;
	bool called;
	unsigned n_done;
	uint8_t event_seen[HOME_LINKS][EVENTS_MAX];
};

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICTS] = { "good",  "does not open", "damaged",  "acknowledged and lost",
						     "chain", "false alarm",   "invented", "stuck" };

	return names[verdict];
}

/* The first finding counts. */
__attribute__((format(printf, 3, 4))) static void find(struct bench *bench, enum verdict verdict, const char *format, ...)
{
	va_list args;

	if (bench->verdict != VERDICT_GOOD)
		return;
	bench->verdict = verdict;
	va_start(args, format);
	vsnprintf(bench->why, bench->cap, format, args);
	va_end(args);
}

/* --- gateway.db ------------------------------------------------------------------------------------------------------ */

static int64_t ask(struct bench *bench, struct db *db, const char *sql_literal)
{
	struct stmt *s;
	int64_t value = -1;
	int r = db_prepare(db, sql_literal, &s);

	if (r == 0)
		r = stmt_step(s);
	if (r == 1) {
		value = stmt_i64(s, 0);
		stmt_reset(s);
	} else {
		find(bench, VERDICT_DAMAGED, "%s: %d %s", sql_literal, r, db_error(db));
	}
	return value;
}

static void check_whole(struct bench *bench, unsigned number, const char *name)
{
	struct db *db = store_db(bench->home.store, number);
	struct stmt *s;
	int r = db_prepare(db, "PRAGMA quick_check", &s);

	if (r == 0)
		r = stmt_step(s);
	if (r != 1 || !text_equal(stmt_text(s, 0), "ok"))
		find(bench, VERDICT_DAMAGED, "quick_check of %s: %d %s", name, r, r == 1 ? stmt_text(s, 0) : db_error(db));
	if (r == 1)
		stmt_reset(s);
}

static void check_deed_rows(struct bench *bench, struct db *db)
{
	char text[400];
	struct stmt *s;
	int r = bench->options->schema == 1 ? db_prepare(db, "SELECT n, what, n * 7 FROM deed ORDER BY n", &s) :
					      db_prepare(db, "SELECT n, what, colour FROM deed ORDER BY n", &s);

	while (r == 0 && (r = stmt_step(s)) > 0) {
		int64_t n = stmt_i64(s, 0);

		(void)home_deed_text(n, text);
		if (n <= 0 || n >= DEEDS_MAX || (n != bench->deeds + 1 && !bench->promise->gaps))
			find(bench, VERDICT_LOST, "after deed %lld comes %lld", (long long)bench->deeds, (long long)n);
		else if (!text_equal(stmt_text(s, 1), text) || stmt_i64(s, 2) != n * 7)
			find(bench, VERDICT_DAMAGED, "deed %lld is not as it was done", (long long)n);
		bench->deeds = n;
		bench->n_deeds++;
		if (n > 0 && n < DEEDS_MAX)
			bench->deed_there[n] = true;
		r = 0;
	}
	if (r < 0)
		find(bench, VERDICT_DAMAGED, "reading deeds: %d %s", r, db_error(db));
}

static void check_gateway(struct bench *bench)
{
	struct db *db = store_db(bench->home.store, bench->home.gateway);
	const struct promise *promise = bench->promise;

	check_deed_rows(bench, db);
	for (int64_t n = 1; n <= promise->deeds_asked; n++)
		if (promise->deed_done[n] && !bench->deed_there[n])
			find(bench, VERDICT_LOST, "deed %lld was acknowledged, there are %lld", (long long)n, (long long)bench->deeds);
	if (bench->deeds > promise->deeds_asked)
		find(bench, VERDICT_INVENTED, "deed %lld was never asked for", (long long)bench->deeds);
	if (ask(bench, db, "SELECT coalesce((SELECT n FROM tally), 0)") != bench->n_deeds)
		find(bench, VERDICT_DAMAGED, "the tally is not the number of deeds");
	if (ask(bench, db, "SELECT count(*) FROM outbox") != 0)
		find(bench, VERDICT_CHAIN, "the outbox was not drained");
}

/* --- the log --------------------------------------------------------------------------------------------------------- */

static bool turn_until_called(struct bench *bench)
{
	for (int i = 0; i < TURNS_MAX && !bench->called; i++) {
		home_settle(&bench->home);
		if (!bench->called && loop_turn(bench->home.loop, TURN_MS))
			break;
	}
	if (!bench->called)
		find(bench, VERDICT_STUCK, "no answer");
	return bench->called;
}

static void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	struct bench *bench = ctx;

	bench->called = true;
	if (r != 0 && !(r == AUDIT_E_NO_ANCHOR && !bench->promise->n_anchors))
		find(bench, VERDICT_CHAIN, "verify: %d at %llu of %llu: %s", r, (unsigned long long)verdict->first_bad,
		     (unsigned long long)verdict->records, verdict->what);
}

static void check_chain(struct bench *bench)
{
	struct audit_anchor anchors[ANCHORS_ASKED];
	int64_t have = bench->promise->n_anchors, from = have > ANCHORS_ASKED ? have - ANCHORS_ASKED : 0;
	const struct promise_seed *seed = bench->promise->n_seeds ? &bench->options->seeds[bench->promise->n_seeds - 1] : NULL;
	size_t n = 0;
	int r;

	while (from < have)
		anchors[n++] = bench->options->anchors[from++];
	bench->called = false;
	r = audit_verify_with(bench->home.audit,
			      &(struct audit_check){ .anchors = anchors, .n_anchors = n, .seed_seq = seed ? seed->seq : 0,
						     .seed = seed ? seed->seed : NULL },
			      on_verdict, bench);
	if (r)
		find(bench, VERDICT_STUCK, "audit_verify: %d", r);
	else
		(void)turn_until_called(bench);
}

static void on_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct bench *bench = ctx;

	bench->called = true;
	if (r)
		find(bench, VERDICT_CHAIN, "reading the log: %d", r);
	for (size_t i = 0; i < n; i++) {
		const char *object = rows[i].record.object ? rows[i].record.object : "";
		long long number = strlen(object) > 5 ? atoll(object + 5) : -1;

		if (rows[i].seq != bench->last_seq + 1)
			find(bench, VERDICT_CHAIN, "after record %llu comes %llu", (unsigned long long)bench->last_seq, (unsigned long long)rows[i].seq);
		bench->last_seq = rows[i].seq;
		if (strncmp(object, "deed-", 5) == 0 && number > 0 && number < DEEDS_MAX)
			bench->deed_seen[number]++;
		else if (strncmp(object, "note-", 5) == 0 && number > 0 && number < NOTES_MAX)
			bench->note_seen[number]++;
		if (rows[i].record.kind == AUDIT_SEGMENT && rows[i].record.outcome != AUDIT_OK)
			find(bench, VERDICT_ALARM, "%s", rows[i].record.detail ? rows[i].record.detail : "");
	}
}

static void read_log(struct bench *bench)
{
	uint64_t before;

	do {
		before = bench->last_seq;
		bench->called = false;
		if (audit_read(bench->home.audit, before, AUDIT_READ_MAX, false, on_rows, bench)) {
			find(bench, VERDICT_STUCK, "audit_read");
			return;
		}
	} while (turn_until_called(bench) && bench->last_seq != before);
}

static void check_records(struct bench *bench)
{
	const struct promise *promise = bench->promise;

	read_log(bench);
	for (int64_t n = 1; n < DEEDS_MAX; n++)
		if (bench->deed_seen[n] != bench->deed_there[n])
			find(bench, bench->deed_seen[n] ? VERDICT_INVENTED : VERDICT_LOST, "deed %lld of %lld is %d times in the log",
			     (long long)n, (long long)bench->deeds, bench->deed_seen[n]);
	for (int64_t n = 1; n < NOTES_MAX; n++) {
		bool asked = n <= promise->notes_asked;

		if (bench->note_seen[n] > asked)
			find(bench, VERDICT_INVENTED, "note %lld is %d times in the log", (long long)n, bench->note_seen[n]);
		if (asked && promise->note_done[n] && !bench->note_seen[n])
			find(bench, VERDICT_LOST, "note %lld was acknowledged and is not in the log", (long long)n);
	}
	if (audit_fault(bench->home.audit))
		find(bench, VERDICT_ALARM, "%s", audit_fault(bench->home.audit));
}

/* --- the spool ------------------------------------------------------------------------------------------------------- */

static void see_entry(struct bench *bench, unsigned link, const struct spool_entry *entry, int64_t last[EVENT_CLASSES])
{
	const struct promise *promise = bench->promise;
	struct reader r = reader_over(entry->data, entry->len);
	struct event event;
	int64_t n;

	if (event_get(&r, &event)) {
		find(bench, VERDICT_DAMAGED, "entry %llu cannot be read", (unsigned long long)entry->number);
		return;
	}
	n = event.value.i;
	if (n < 0 || n >= promise->n_events || !(promise->events[n].mask >> link & 1) || bench->event_seen[link][n]++) {
		find(bench, VERDICT_INVENTED, "event %lld for link %u was not asked for, or is there twice", (long long)n, link);
		return;
	}
	if (promise->events[n].number[link] && promise->events[n].number[link] != entry->number)
		find(bench, VERDICT_INVENTED, "event %lld had number %llu and has %llu", (long long)n,
		     (unsigned long long)promise->events[n].number[link], (unsigned long long)entry->number);
	if (n <= last[event.event_class])
		find(bench, VERDICT_INVENTED, "event %lld after %lld", (long long)n, (long long)last[event.event_class]);
	last[event.event_class] = n;
	if (promise->events[n].number[link] && !entry->duplicate)
		find(bench, VERDICT_INVENTED, "event %lld comes again and does not say so", (long long)n);
}

static void check_link(struct bench *bench, unsigned link)
{
	struct spool *spool = bench->home.spool;
	int64_t last[EVENT_CLASSES] = { -1, -1, -1 };
	struct spool_entry entry;
	struct spool_stats stats;

	for (int tries = 0; tries < 2; tries++) {
		while (spool_take(spool, bench->home.links[link], &entry)) {
			see_entry(bench, link, &entry, last);
			tries = 0;
		}
		stats = spool_stats_of(spool, bench->home.links[link]);
		home_settle(&bench->home);
	}
	for (unsigned c = 0; c < EVENT_CLASSES; c++)
		if (stats.dropped[c])
			find(bench, VERDICT_LOST, "%llu were dropped", (unsigned long long)stats.dropped[c]);
	for (int64_t n = 0; n < bench->promise->n_events; n++) {
		const struct promise_event *event = &bench->promise->events[n];
		bool must = event->on_disk && (event->mask >> link & 1) && !(event->let_go >> link & 1);

		if (must && !bench->event_seen[link][n])
			find(bench, VERDICT_LOST, "event %lld was stored for link %u and is gone", (long long)n, link);
	}
}

/* --- keys ------------------------------------------------------------------------------------------------------------ */

static void check_keys(struct bench *bench)
{
	struct vault_key_info rows[KEYSTORE_KEYS_MAX];
	uint8_t found[KEYS_MAX] = { 0 };
	unsigned active[KEY_PURPOSES] = { 0 };
	size_t n = vault_list(bench->home.vault, 0, rows, N_ELEMENTS(rows));
	const uint8_t *key;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].id < KEYS_MAX)
			found[rows[i].id] = (uint8_t)rows[i].state;
		active[rows[i].purpose] += rows[i].state == KEY_ACTIVE;
		if (rows[i].state == KEY_ACTIVE && vault_key(bench->home.vault, rows[i].id, &key))
			find(bench, VERDICT_LOST, "key %u is active and cannot be read", rows[i].id);
	}
	for (unsigned id = 0; id < KEYS_MAX; id++)
		if (found[id] < bench->promise->key_state[id])
			find(bench, VERDICT_LOST, "key %u was %s and is %s", id, key_state_name((enum key_state)bench->promise->key_state[id]),
			     found[id] ? key_state_name((enum key_state)found[id]) : "not there");
	for (unsigned i = 1; i < KEY_PURPOSES; i++)
		if (active[i] != 1 && bench->promise->opened)
			find(bench, VERDICT_LOST, "%u active keys for %s", active[i], key_purpose_name((enum key_purpose)i));
	if (vault_fell_back(bench->home.vault))
		find(bench, VERDICT_ALARM, "keystore.bin did not open");
}

/* No page was refused that a power cut alone explains. */
static void check_pages(struct bench *bench)
{
	struct db_keys_stats stats = db_keys_stats(ring_pages(bench->home.ring));

	if (stats.refused || stats.lost_frames)
		find(bench, VERDICT_ALARM, "%llu pages refused, %llu frames lost: %s at %lld", (unsigned long long)stats.refused,
		     (unsigned long long)stats.lost_frames, stats.last_file, (long long)stats.last_offset);
}

/* --- life goes on ---------------------------------------------------------------------------------------------------- */

static void on_done(void *ctx, int r)
{
	struct bench *bench = ctx;

	bench->n_done += r == 0;
}

static void on_deed(struct deed *deed, int r)
{
	on_done(deed->ctx, r);
}

static void check_number(struct bench *bench)
{
	uint64_t given = bench->promise->number_given[0];
	struct spool_entry entry;
	bool came = false;

	/* The first one asks for a range of numbers, and waits until that is on the disk. */
	for (int tries = 0; tries < 4 && !came; tries++) {
		came = spool_take(bench->home.spool, bench->home.links[0], &entry);
		home_settle(&bench->home);
	}
	if (!came)
		find(bench, VERDICT_STUCK, "the new event does not come");
	else if (entry.number <= given)
		find(bench, VERDICT_INVENTED, "number %llu is given again, %llu was", (unsigned long long)entry.number, (unsigned long long)given);
}

static void go_on(struct bench *bench)
{
	struct audit_record record = { .kind = AUDIT_COMMAND, .subject = { SUBJECT_SYSTEM, 0 }, .object = "afterwards", .rule = -1 };
	struct deed deed = { .n = bench->deeds + 1, .done = on_deed, .ctx = bench };
	struct event event = { .kind = EVENT_REPORT, .event_class = EVENT_CLASS_ALARM, .device = { { 1, 1 } }, .endpoint = 1, .cap = 1,
			       .value = value_int(1), .number = 1 };

	if (home_do(&bench->home, &deed) || audit_append(bench->home.audit, &record, on_done, bench) ||
	    spool_append(bench->home.spool, 1, &event, on_done, bench))
		find(bench, VERDICT_STUCK, "work is refused");
	home_settle(&bench->home);
	if (bench->n_done != 3)
		find(bench, VERDICT_STUCK, "%u of 3 were done; the store says %d", bench->n_done, store_error(bench->home.store));
	check_number(bench);
}

static void look(struct bench *bench)
{
	const char *where;
	const struct judge_options *o = bench->options;
	const struct home_options options = { .folder = o->folder, .schema = o->schema, .sync = DB_SYNC_EXTRA,
					      .segment_bytes_max = o->segment_bytes_max, .boot_ms = o->boot_ms, .wall_us = o->wall_us, .suite = o->suite };
	int r = home_open(&bench->home, &options, &where);

	if (r) {
		find(bench, VERDICT_SHUT, "%s: %d %s", where, r, r < 0 ? strerror(-r) : "");
		return;
	}
	if (audit_fault(bench->home.audit))
		find(bench, VERDICT_ALARM, "%s", audit_fault(bench->home.audit));
	if (o->suite)
		check_keys(bench);
	check_whole(bench, bench->home.gateway, "gateway.db");
	check_whole(bench, bench->home.spool_db, "spool.db");
	check_gateway(bench);
	r = home_start(&bench->home);
	if (r)
		find(bench, VERDICT_SHUT, "home_start: %d", r);
	if (bench->verdict == VERDICT_GOOD) {
		check_chain(bench);
		check_records(bench);
		for (unsigned i = 0; i < HOME_LINKS; i++)
			check_link(bench, i);
	}
	if (bench->verdict == VERDICT_GOOD)
		go_on(bench);
	if (o->suite)
		check_pages(bench);
	if (store_error(bench->home.store))
		find(bench, VERDICT_STUCK, "the store says %d", store_error(bench->home.store));
	home_close(&bench->home);
}

enum verdict judge(const struct judge_options *options, const struct promise *promise, char *why, size_t cap)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	enum verdict verdict;

	if (!bench)
		abort();
	bench->options = options;
	bench->promise = promise;
	bench->why = why;
	bench->cap = cap;
	look(bench);
	verdict = bench->verdict;
	free(bench);
	return verdict;
}
