/* The object: who has ordered what, what an earlier start left, and how much the keys are used. The way of a verb is in way.c,
 * what each does in steps.c, rotations in rotate.c.
 */
#include "custody/custody.h"
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "custody/inside.h"
#include "custody/rotate.h"

enum { MINUTE_MS = 60 * 1000 };

const char custody_schema_1[] =
	"CREATE TABLE custody (number INTEGER PRIMARY KEY, verb INTEGER NOT NULL, key INTEGER NOT NULL, purpose INTEGER NOT NULL,"
	" highest INTEGER NOT NULL) STRICT;";

void custody_step(const struct custody *custody, const char *what)
{
	if (custody->options.ops && custody->options.ops->step)
		custody->options.ops->step(custody->options.ctx, what);
}

int64_t custody_now_s(const struct custody *custody)
{
	return loop_wall_us(custody->options.loop) / 1000000;
}

bool custody_key(const struct custody *custody, uint32_t id, struct vault_key_info *ret)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(custody->options.vault, 0, infos, N_ELEMENTS(infos));
	for (size_t i = 0; i < n; i++)
		if (infos[i].id == id) {
			*ret = infos[i];
			return true;
		}
	return false;
}

/* The newest key of a purpose (0: of any). */
uint32_t custody_highest(const struct custody *custody, enum key_purpose purpose)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(custody->options.vault, 0, infos, N_ELEMENTS(infos));
	uint32_t highest = 0;
	for (size_t i = 0; i < n; i++)
		if ((!purpose || infos[i].purpose == purpose) && infos[i].id > highest)
			highest = infos[i].id;
	return highest;
}


/* A destroyed key's row makes room for another. */
bool custody_is_full(const struct custody *custody)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(custody->options.vault, 0, infos, N_ELEMENTS(infos));
	bool spare = n < KEYSTORE_KEYS_MAX;
	for (size_t i = 0; i < n; i++)
		spare |= infos[i].state == KEY_DESTROYED;
	return !spare;
}

const char *custody_word(int r)
{
	static const struct { int r; const char *text; } words[] = {
		{ VAULT_E_STATE, "the state of the key does not allow that" },
		{ VAULT_E_UNKNOWN, "there is no such key" },
		{ VAULT_E_NEEDED, "it is the only key for its purpose: rotate instead" },
		{ VAULT_E_WRONG_KEY, "the keystore does not open with this" },
		{ VAULT_E_LOCKED, "a passphrase is needed" },
		{ VAULT_E_DAMAGED, "the keystore is damaged" },
		{ CUSTODY_E_ROTATING, "its purpose is being rotated: wait until that has ended" },
		{ CUSTODY_E_BUSY, "too much is being done with keys: try again" },
		{ CUSTODY_E_KEPT, "such a key never leaves this gateway by itself" },
		{ CUSTODY_E_CARRIED, "something stored still needs it: for db and audit a rotation changes that; what a signing key has signed is checked with it" },
		{ CUSTODY_E_SUITE, "this gateway uses SM algorithms alone: the recipient's key must be an SM2 key" },
		{ CUSTODY_E_FULL, "there is no room for one more key: destroy what is not needed" },
	};
	for (size_t i = 0; i < N_ELEMENTS(words); i++)
		if (words[i].r == r)
			return words[i].text;
	return "it could not be done";
}

/* --- how much they are used --------------------------------------------------------------------------------------------- */

struct count {
	struct custody *custody;
	uint64_t pages, checkpoints;
};

static int count_one(struct vault *vault, enum key_purpose purpose, uint64_t uses)
{
	uint32_t id = vault_active(vault, purpose);
	return id && uses ? vault_count(vault, id, uses) : 0;
}

static int count_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct count *count = arg;
	struct vault *vault = count->custody->options.vault;
	(void)store;
	(void)dbs;
	int r = count_one(vault, KEY_DB, count->pages);
	if (r == 0)
		r = count_one(vault, KEY_AUDIT, 2 * count->checkpoints); /* audit.key has two slots */
	if (r == 0 && count->custody->options.suite != SEAL_SM4)
		r = count_one(vault, KEY_SIGN, count->checkpoints);
	return r == 0 ? count_one(vault, KEY_SIGN_SM2, count->checkpoints) : r;
}

static void tell_of_keys(const struct custody *custody)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	if (!custody->options.ops || !custody->options.ops->key)
		return;
	size_t n = vault_list(custody->options.vault, custody_now_s(custody), infos, N_ELEMENTS(infos));
	for (size_t i = 0; i < n; i++)
		if (infos[i].state == KEY_ACTIVE)
			custody->options.ops->key(custody->options.ctx, &infos[i]);
}

static void on_counted(void *arg, int r)
{
	struct count *count = arg;
	struct custody *custody = count->custody;
	custody->counting = false;
	if (r == 0) {
		custody->counted.pages += count->pages;
		custody->counted.checkpoints += count->checkpoints;
	}
	free(count);
	if (custody->closing)
		custody_free_when_over(custody);
	else
		tell_of_keys(custody);
}

void custody_count_now(struct custody *custody)
{
	struct count *count = custody->counting ? NULL : malloc(sizeof(*count));
	if (!count)
		return;
	custody->used.pages = db_keys_stats(ring_pages(custody->options.ring)).sealed;
	*count = (struct count){ custody, custody->used.pages - custody->counted.pages, custody->used.checkpoints - custody->counted.checkpoints };
	custody->counting = true;
	if (store_submit_task(custody->options.store, count_task, on_counted, count) != 0)
		on_counted(count, -EAGAIN);
}

void custody_count_checkpoint(struct custody *custody)
{
	custody->used.checkpoints++;
}

static void on_minute(void *ctx)
{
	struct custody *custody = ctx;
	timer_start(custody->minute, MINUTE_MS);
	custody_count_now(custody);
}

/* --- orders ------------------------------------------------------------------------------------------------------------- */

static struct verb *verb_new(struct custody *custody, const struct custody_order *order, const struct audit_record *record)
{
	struct verb *verb = calloc(1, sizeof(*verb));
	struct vault_key_info info;
	if (!verb)
		return NULL;
	verb->custody = custody;
	verb->row = verb_row(order->verb);
	verb->order = *order;
	verb->id = order->id;
	if (order->to)
		verb->to = *order->to;
	if (order->id && custody_key(custody, order->id, &info))
		verb->order.purpose = info.purpose;
	if (order->passphrase) {
		struct view bytes = secret_view(order->passphrase);
		if (secret_new(bytes.data, bytes.len, &verb->passphrase) != 0) {
			free(verb);
			return NULL;
		}
	}
	verb->order.to = NULL;
	verb->order.passphrase = NULL;
	verb->record = audit_record_copy(record);
	list_append(&custody->verbs, &verb->node);
	custody->n_verbs++;
	return verb;
}

bool custody_is_rotating(const struct custody *custody, enum key_purpose purpose)
{
	struct verb *verb, *tmp;
	list_each(verb, tmp, &custody->verbs, node)
		if (verb->rotation && verb->order.purpose == purpose)
			return true;
	return false;
}

static void refuse_rotating(struct verb *verb)
{
	verb_end(verb, CUSTODY_E_ROTATING);
}

static void begin(struct verb *verb)
{
	bool free_of_it = verb->order.verb == CUSTODY_DISTRIBUTE || verb->order.verb == CUSTODY_SOURCE;
	if (!free_of_it && custody_is_rotating(verb->custody, verb->order.purpose))
		refuse_rotating(verb);
	else
		verb_begin(verb);
}

void custody_do(struct custody *custody, const struct custody_order *order, const struct audit_record *record, custody_done_fn done, void *ctx)
{
	struct verb *verb = custody->n_verbs < CUSTODY_VERBS_MAX ? verb_new(custody, order, record) : NULL;
	if (!verb) {
		const struct custody_answer none = { order->id, "" };
		done(ctx, custody->n_verbs < CUSTODY_VERBS_MAX ? -ENOMEM : CUSTODY_E_BUSY, &none);
		return;
	}
	verb->done = done;
	verb->ctx = ctx;
	custody_enter(verb, begin);
}

bool custody_progress_at(const struct custody *custody, size_t i, struct custody_progress *ret)
{
	struct verb *verb, *tmp;
	struct custody_progress progress;
	list_each(verb, tmp, &custody->verbs, node) {
		if (!rotate_progress(verb, &progress))
			continue;
		if (i-- == 0) {
			*ret = progress;
			return true;
		}
	}
	return false;
}

/* --- birth and death ---------------------------------------------------------------------------------------------------- */

static struct custody *custody_free(struct custody *custody)
{
	timer_close(custody->minute);
	free(custody->folder);
	free(custody->key_file);
	free(custody->credential);
	free(custody);
	return NULL;
}

void custody_free_when_over(struct custody *custody)
{
	if (custody->closing && custody->n_verbs == 0 && !custody->counting)
		custody_free(custody);
}

int custody_new(const struct custody_options *options, struct custody **ret)
{
	struct custody *custody = calloc(1, sizeof(*custody));
	if (!custody)
		return -ENOMEM;
	custody->options = *options;
	list_init(&custody->verbs);
	custody->folder = strdup(options->folder);
	custody->key_file = options->key_file ? strdup(options->key_file) : NULL;
	custody->credential = options->credential ? strdup(options->credential) : NULL;
	int r = !custody->folder || (options->key_file && !custody->key_file) || (options->credential && !custody->credential) ? -ENOMEM : 0;
	if (r == 0)
		r = timer_new(options->loop, on_minute, custody, &custody->minute);
	if (r != 0) {
		custody_free(custody);
		return r;
	}
	*ret = custody;
	return 0;
}

static int load_row(struct custody *custody, struct stmt *s)
{
	struct custody_order order = { .verb = (enum custody_verb)stmt_i64(s, 1), .id = (uint32_t)stmt_i64(s, 2),
				       .purpose = (enum key_purpose)stmt_i64(s, 3) };
	struct audit_record record = { .subject = { SUBJECT_SYSTEM, 0 } };
	if (!verb_row(order.verb) || order.purpose < 0 || order.purpose >= KEY_PURPOSES)
		return -EBADMSG;
	record.action = verb_row(order.verb)->name;
	struct verb *verb = verb_new(custody, &order, &record);
	if (!verb)
		return -ENOMEM;
	verb->number = stmt_i64(s, 0);
	verb->highest = (uint32_t)stmt_i64(s, 4);
	verb->resumed = true;
	custody->last_number = verb->number;
	return 0;
}

int custody_load(struct custody *custody)
{
	struct stmt *s;
	int r = db_prepare(store_db(custody->options.store, custody->options.db), "SELECT number, verb, key, purpose, highest FROM custody ORDER BY number",
			   &s);
	while (r == 0 && (r = stmt_step(s)) == 1)
		r = load_row(custody, s);
	stmt_reset(s);
	return r;
}

void custody_start(struct custody *custody)
{
	struct verb *verb, *tmp;
	timer_start(custody->minute, MINUTE_MS);
	/* All but the first wait for it, so the list does not change under us. */
	list_each(verb, tmp, &custody->verbs, node)
		if (verb->resumed && !verb->waiting && custody->inside != verb)
			custody_enter(verb, verb_resume);
}

struct custody *custody_close(struct custody *custody)
{
	struct verb *verb, *tmp;
	if (!custody)
		return NULL;
	custody->closing = true;
	custody->minute = timer_close(custody->minute);
	custody->n_verbs++; /* it is not over before this is */
	list_each(verb, tmp, &custody->verbs, node)
		if (rotate_stop(verb) || verb->waiting || (verb->resumed && custody->inside != verb && !verb->rotation))
			verb_drop(verb);
	custody->n_verbs--;
	custody_free_when_over(custody);
	return NULL;
}
