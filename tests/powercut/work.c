/* Each step is asked for, then the home settles; sometimes several are asked for before it does, so that they share a
 * group or a batch. Whatever is said is said at the moment it is known: asked before the call, done in the callback.
 */
#include "work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "model/capability.h"
#include "model/event.h"

enum { MS_OLD = 2000, TOGETHER_MAX = 4 };

#define PLAIN 0
#define XCHACHA SEAL_XCHACHA
#define SM4 SEAL_SM4
/*              share steps segment  suite schemas   deed note risk plain take letgo untake pass check month restart verb      rotate lives */
const struct day days[] = {
	{ "birth", 5, 3, 1 << 24, PLAIN, 1, 1, { 30, 30, 20, 20, 0, 0, 0, 0, 0, 0, 0, 0 }, 0, 0 },
	{ "day", 6, 60, 1 << 24, PLAIN, 1, 1, { 20, 20, 12, 20, 12, 10, 2, 14, 3, 0, 0, 0 }, 0, 0 },
	{ "restarts", 4, 40, 1 << 24, PLAIN, 1, 1, { 20, 20, 10, 15, 10, 8, 1, 8, 3, 0, 8, 0 }, 0, 0 },
	{ "segments", 1, 50, 6000, PLAIN, 1, 1, { 25, 35, 4, 6, 4, 3, 0, 12, 2, 3, 3, 0 }, 0, 0 },
	{ "migration", 4, 24, 1 << 24, PLAIN, 1, 2, { 50, 20, 6, 8, 4, 3, 0, 5, 5, 0, 3, 0 }, 0, 0 },
	{ "afterlife", 4, 20, 1 << 14, PLAIN, 1, 1, { 20, 20, 10, 15, 10, 8, 1, 8, 3, 0, 4, 0 }, 0, 4 },
	{ "sealed-birth", 1, 3, 1 << 24, XCHACHA, 1, 1, { 30, 30, 20, 20, 0, 0, 0, 0, 0, 0, 0, 0 }, 0, 0 },
	{ "sealed-day", 1, 30, 1 << 24, XCHACHA, 1, 1, { 20, 20, 12, 20, 12, 10, 2, 14, 3, 0, 3, 0 }, 0, 0 },
	{ "sealed-sm", 1, 12, 16000, SM4, 1, 1, { 25, 35, 4, 6, 4, 3, 0, 12, 2, 3, 3, 0 }, 0, 0 },
	{ "sealed-migration", 1, 24, 1 << 24, XCHACHA, 1, 2, { 50, 20, 6, 8, 4, 3, 0, 5, 5, 0, 3, 0 }, 0, 0 },
	{ "sealed-afterlife", 1, 16, 1 << 14, XCHACHA, 1, 1, { 20, 20, 10, 15, 10, 8, 1, 8, 3, 0, 4, 0 }, 0, 4 },
	{ "faults", 1, 14, 9000, PLAIN, 1, 1, { 25, 25, 12, 12, 8, 6, 1, 8, 2, 1, 0, 0 }, 0, 0 },
	{ "sealed-faults", 1, 14, 9000, XCHACHA, 1, 1, { 25, 25, 12, 12, 8, 6, 1, 8, 2, 1, 0, 6 }, 0, 0 },
	{ "rotation", 1, 14, 9000, XCHACHA, 1, 1, { 14, 24, 5, 5, 2, 2, 0, 8, 2, 1, 4, 24 }, 60, 0 },
	{ "keys", 1, 20, 1 << 24, XCHACHA, 1, 1, { 10, 10, 5, 5, 2, 2, 0, 6, 2, 0, 3, 40 }, 0, 0 },
};
const size_t n_days = N_ELEMENTS(days);

const struct day *day_named(const char *name)
{
	for (size_t i = 0; i < n_days; i++)
		if (text_equal(days[i].name, name))
			return &days[i];
	return NULL;
}

/* --- asking and being told ------------------------------------------------------------------------------------------- */

static void see_anchor(struct work *work)
{
	struct audit_head head = { .seq = 0 };
	struct audit_anchor *anchor = &work->anchors[work->n_anchors];

	if (work->home.audit) /* it may be on its way out */
		head = audit_head(work->home.audit);
	if (work->n_anchors == ANCHORS_MAX || !head.seq || (work->n_anchors && anchor[-1].seq == head.seq))
		return;
	anchor->seq = head.seq;
	memcpy(anchor->head, head.head, sizeof(anchor->head));
	tap_say(SAY_ANCHOR, (int64_t)head.seq, work->n_anchors++);
}

static void on_deed_done(struct deed *deed, int r)
{
	struct work *work = deed->ctx;

	work->n_failed += r < 0;
	if (r == 0)
		tap_say(SAY_DEED_DONE, deed->n, 0);
}

static void act_deed(struct work *work)
{
	struct deed deed = { .n = work->deeds + 1, .done = on_deed_done, .ctx = work };

	if (work->deeds + 1 >= DEEDS_MAX)
		return;
	tap_say(SAY_DEED_ASKED, deed.n, 0);
	work->deeds++;
	if (home_do(&work->home, &deed))
		work->n_failed++;
}

/* Whom a callback concerns, and which of his. */
struct note {
	struct work *work;
	int64_t n;
};

static void on_note_done(void *ctx, int r)
{
	struct note *note = ctx;

	note->work->n_failed += r < 0;
	if (r == 0)
		tap_say(SAY_NOTE_DONE, note->n, 0);
	see_anchor(note->work);
	free(note);
}

static void act_note(struct work *work)
{
	struct audit_record record = { .kind = AUDIT_COMMAND, .subject = { SUBJECT_USER, 3 }, .subject_name = "anna", .source_addr = "192.0.2.7",
				       .action = "set on-off=true", .rule = -1 };
	struct note *note = malloc(sizeof(*note));
	char object[32];

	if (!note || work->notes + 1 >= NOTES_MAX) {
		free(note);
		return;
	}
	*note = (struct note){ work, ++work->notes };
	(void)text_print(object, sizeof(object), "note-%lld", (long long)note->n);
	record.object = object;
	tap_say(SAY_NOTE_ASKED, note->n, 0);
	if (audit_append(work->home.audit, &record, on_note_done, note)) {
		work->n_failed++;
		free(note);
	}
}

static void on_event_stored(void *ctx, int r)
{
	struct note *note = ctx;

	note->work->n_failed += r < 0;
	if (r == 0) {
		tap_say(SAY_EVENT_STORED, note->n, 0);
		note->work->stored_at_ms[note->n] = loop_now_ms(note->work->home.loop);
	}
	free(note);
}

static void act_event(struct work *work, bool risky)
{
	static const enum event_class classes[] = { EVENT_CLASS_ALARM, EVENT_CLASS_STATE, EVENT_CLASS_TELEMETRY };
	enum event_class class = classes[risky ? dice_below(&work->dice, 2) : 1 + dice_below(&work->dice, 2)];
	uint32_t mask = 1 + (uint32_t)dice_below(&work->dice, 3);
	int64_t n = work->events;
	struct event event = { .kind = EVENT_REPORT, .event_class = class, .device = { { 1, (uint8_t)(n % 7 + 1) } }, .endpoint = 1,
			       .cap = CAP_TEMPERATURE, .value = value_int(n), .number = (uint64_t)n + 1, .risky = risky };
	struct note *note = malloc(sizeof(*note));

	if (!note || n >= EVENTS_MAX) {
		free(note);
		return;
	}
	*note = (struct note){ work, n };
	work->stored_at_ms[n] = INT64_MAX;
	work->events++;
	tap_say(SAY_EVENT_ASKED, n, (int64_t)class | (int64_t)risky << 8 | (int64_t)mask << 16);
	if (spool_append(work->home.spool, mask, &event, on_event_stored, note)) {
		work->n_failed++;
		free(note);
	}
}

static void act_take(struct work *work)
{
	unsigned link = (unsigned)dice_below(&work->dice, HOME_LINKS), n = 1 + (unsigned)dice_below(&work->dice, 8);
	struct spool_entry entry;
	struct event event;

	while (n-- && work->n_taken[link] < N_ELEMENTS(work->taken[link]) &&
	       spool_take(work->home.spool, work->home.links[link], &entry)) {
		struct reader r = reader_over(entry.data, entry.len);
		unsigned i = work->n_taken[link]++;

		if (event_get(&r, &event))
			abort();
		work->taken[link][i].n = event.value.i;
		work->taken[link][i].number = entry.number;
		tap_say(SAY_TAKEN, event.value.i, (int64_t)(entry.number << 8 | link));
	}
}

static void act_let_go(struct work *work)
{
	unsigned link = (unsigned)dice_below(&work->dice, HOME_LINKS), n = 1 + (unsigned)dice_below(&work->dice, 8), i = 0;

	for (; i < n && i < work->n_taken[link]; i++) {
		tap_say(SAY_LET_GO, work->taken[link][i].n, (int64_t)(work->taken[link][i].number << 8 | link));
		spool_ack(work->home.spool, work->home.links[link], work->taken[link][i].number);
	}
	memmove(work->taken[link], work->taken[link] + i, (work->n_taken[link] - i) * sizeof(work->taken[link][0]));
	work->n_taken[link] -= i;
}

static void act_untake(struct work *work)
{
	unsigned link = (unsigned)dice_below(&work->dice, HOME_LINKS);

	spool_untake(work->home.spool, work->home.links[link]);
	work->n_taken[link] = 0;
}

/* The writer flushes at the end of its round, when it is due; what was stored 2 s before that is on the disk. */
static void act_pass(struct work *work)
{
	static const int64_t spans[] = { 30, 700, 1600, 2500, 61000 };

	home_pass(&work->home, work->frozen ? 0 : spans[dice_below(&work->dice, N_ELEMENTS(spans))]);
	home_settle(&work->home);
	home_settle(&work->home);
	while (work->n_old < work->events &&
	       work->stored_at_ms[work->n_old] <= loop_now_ms(work->home.loop) - MS_OLD)
		work->n_old++;
	tap_say(SAY_EVENTS_OLD, work->n_old, 0);
}

static int checkpoint_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct work *work = arg;
	int r = 0;

	(void)store;
	for (unsigned i = 0; i < 3; i++)
		if (dice_percent(&work->dice, 50))
			r = db_checkpoint(dbs[i]);
	return r;
}

static void act_checkpoint(struct work *work)
{
	if (store_submit_task(work->home.store, checkpoint_task, NULL, work))
		work->n_failed++;
}

static void act_month(struct work *work)
{
	loop_set_wall_us(work->home.loop, loop_wall_us(work->home.loop) + INT64_C(31) * 86400 * 1000000);
	home_pass(&work->home, 61000);
}

/* --- keys ------------------------------------------------------------------------------------------------------------ */

/* What a verb did is durable when it is seen. */
static void see_keys(struct work *work)
{
	struct vault_key_info rows[KEYSTORE_KEYS_MAX];
	size_t n = work->home.vault ? vault_list(work->home.vault, 0, rows, N_ELEMENTS(rows)) : 0;

	for (size_t i = 0; i < n; i++) {
		if (rows[i].id >= KEYS_MAX || work->key_state[rows[i].id] == rows[i].state)
			continue;
		work->key_state[rows[i].id] = (uint8_t)rows[i].state;
		work->key_highest = rows[i].id > work->key_highest ? rows[i].id : work->key_highest;
		tap_say(SAY_KEY, rows[i].id, rows[i].state);
	}
}

static void on_verb(void *ctx, int r, const struct custody_answer *answer)
{
	struct work *work = ctx;

	(void)answer;
	work->n_failed += r < 0; /* refused is fine */
	see_keys(work);
}

static void on_seed(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN])
{
	struct work *work = ctx;

	work->n_failed += r < 0;
	if (r || work->n_seeds == SEEDS_MAX)
		return;
	work->seeds[work->n_seeds].seq = seq;
	memcpy(work->seeds[work->n_seeds].seed, seed, AUDIT_SEED_LEN);
	tap_say(SAY_SEED, (int64_t)seq, work->n_seeds++);
}

static void act_seed(struct work *work)
{
	struct audit_record record = { .kind = AUDIT_SEED, .subject = { SUBJECT_USER, 3 }, .subject_name = "anna", .rule = -1 };

	if (audit_seed(work->home.audit, &record, on_seed, work))
		work->n_failed++;
}

static void act_verb(struct work *work)
{
	static const enum custody_verb verbs[] = { CUSTODY_CREATE, CUSTODY_CREATE, CUSTODY_ACTIVATE, CUSTODY_ACTIVATE, CUSTODY_DISABLE,
						   CUSTODY_COMPROMISE, CUSTODY_DESTROY, CUSTODY_ROTATE, CUSTODY_ROTATE, CUSTODY_ROTATE,
						   CUSTODY_SOURCE };
	struct audit_record record = { .subject = { SUBJECT_USER, 3 }, .subject_name = "anna", .rule = -1 };
	struct custody_order order = { .verb = verbs[dice_below(&work->dice, N_ELEMENTS(verbs))],
				       .purpose = (enum key_purpose)(1 + dice_below(&work->dice, KEY_PURPOSES - 1)),
				       .id = 1 + (uint32_t)dice_below(&work->dice, work->key_highest + 1),
				       .source = KEY_SOURCE_FILE /* another key in it */ };

	if (dice_percent(&work->dice, work->options.day->rotate_percent))
		order = (struct custody_order){ .verb = CUSTODY_ROTATE, .purpose = KEY_DB };
	if (dice_percent(&work->dice, 15))
		act_seed(work);
	else if (work->home.custody)
		custody_do(work->home.custody, &order, &record, on_verb, work);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

void work_init(struct work *work, const struct work_options *options)
{
	memset(work, 0, sizeof(*work));
	work->options = *options;
	work->dice = dice_of(options->seed, 1);
	work->boot_ms = HOME_BOOT_MS;
	work->wall_us = HOME_WALL_US;
	work->schema = options->day->schema_first;
	if (options->before) {
		work->notes = options->before->promise.notes_asked;
		work->events = work->n_old = options->before->promise.n_events;
		work->n_anchors = options->before->promise.n_anchors;
		memcpy(work->anchors, options->before->anchors, sizeof(work->anchors));
		work->n_seeds = options->before->promise.n_seeds;
		memcpy(work->seeds, options->before->seeds, sizeof(work->seeds));
		work->boot_ms = options->before->boot_ms + 1000;
		work->wall_us = options->before->wall_us + 1000000;
	}
	journal_init(&work->journal);
}

/* A deed that was asked for and not done leaves no gap: the next one takes its number. */
static void count_deeds(struct work *work)
{
	struct stmt *s;
	int r = db_prepare(store_db(work->home.store, work->home.gateway), "SELECT coalesce(max(n), 0) FROM deed", &s);

	if (r == 0 && stmt_step(s) == 1) {
		work->deeds = stmt_i64(s, 0);
		stmt_reset(s);
	}
}

int work_open(struct work *work, const char **where)
{
	const struct home_options options = { .folder = work->options.folder, .schema = work->schema, .sync = work->options.sync,
					      .segment_bytes_max = work->options.day->segment_bytes_max, .boot_ms = work->boot_ms,
					      .wall_us = work->wall_us, .suite = work->options.day->suite, .single_step = true };
	int r = home_open(&work->home, &options, where);

	if (r)
		return r;
	tap_say(SAY_SCHEMA, work->schema, 0);
	count_deeds(work);
	r = home_start(&work->home);
	*where = "home_start";
	if (r) {
		home_close(&work->home);
		return r;
	}
	tap_say(SAY_OPENED, 0, 0);
	memset(work->n_taken, 0, sizeof(work->n_taken));
	work->lives = true;
	see_anchor(work);
	see_keys(work);
	return 0;
}

void work_close(struct work *work)
{
	if (!work->lives)
		return;
	home_close(&work->home);
	work->lives = false;
	work->boot_ms = work->home.options.boot_ms + 100;
	work->wall_us = work->home.options.wall_us + 100000;
}

static void restart(struct work *work)
{
	const char *where;

	work_close(work);
	if (work_open(work, &where))
		work->n_failed++;
}

static void act(struct work *work, enum act act)
{
	switch (act) {
	case ACT_DEED:
		act_deed(work);
		break;
	case ACT_NOTE:
		act_note(work);
		break;
	case ACT_RISKY:
	case ACT_PLAIN:
		act_event(work, act == ACT_RISKY);
		break;
	case ACT_TAKE:
		act_take(work);
		break;
	case ACT_LET_GO:
		act_let_go(work);
		break;
	case ACT_UNTAKE:
		act_untake(work);
		break;
	case ACT_PASS:
		act_pass(work);
		break;
	case ACT_CHECKPOINT:
		act_checkpoint(work);
		break;
	case ACT_MONTH:
		act_month(work);
		break;
	case ACT_RESTART:
		restart(work);
		break;
	case ACT_VERB:
		act_verb(work);
		break;
	case ACTS:
		break;
	}
}

static enum act choose_act(struct work *work)
{
	const uint8_t *weight = work->options.day->weight;
	unsigned sum = 0, at;

	for (unsigned i = 0; i < ACTS; i++)
		sum += weight[i];
	at = (unsigned)dice_below(&work->dice, sum);
	for (unsigned i = 0; i < ACTS; i++) {
		if (at < weight[i])
			return (enum act)i;
		at -= weight[i];
	}
	return ACT_NOTE;
}

void work_step(struct work *work)
{
	unsigned n = dice_percent(&work->dice, 70) ? 1 : 1 + (unsigned)dice_below(&work->dice, TOGETHER_MAX);

	while (n-- && work->lives)
		act(work, choose_act(work));
	if (!work->lives)
		return;
	home_settle(&work->home);
	see_anchor(work);
	see_keys(work);
}

void work_touch(struct work *work)
{
	if (!work->lives)
		return;
	act_deed(work);
	act_note(work);
	act_event(work, true);
	home_settle(&work->home);
}

bool work_live(struct work *work, const struct work_options *options, char *why, size_t cap)
{
	const char *where = "";
	int r;

	work_init(work, options);
	tap_start(options->folder, &work->journal, options->deaf);
	r = work_open(work, &where);
	for (unsigned i = 0; r == 0 && i < options->day->steps; i++) {
		if (work->schema != options->day->schema_last && i == options->day->steps * 2 / 3) {
			work->schema = options->day->schema_last;
			restart(work);
		}
		work_step(work);
	}
	work_close(work);
	tap_stop();
	if (r)
		(void)text_print(why, cap, "the workload did not start: %s: %d", where, r);
	else if (work->n_failed)
		(void)text_print(why, cap, "the workload met %u errors", work->n_failed);
	return r == 0 && !work->n_failed;
}

void work_deinit(struct work *work)
{
	journal_deinit(&work->journal);
}
