/* The gate is a task that the writer always has next: before it is let go it gets another one to end at. What callbacks
 * submit lies behind that one, so each round's groups are the same whatever the scheduler does.
 */
#include "home.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tap.h"

static const char deed_schema_1[] = "CREATE TABLE deed(n INTEGER PRIMARY KEY, what TEXT NOT NULL) STRICT;"
				    "CREATE TABLE tally(one INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;";
/* Touches every row and makes new tables: a migration that takes many pages. */
static const char deed_schema_2[] = "ALTER TABLE deed ADD COLUMN colour INTEGER NOT NULL DEFAULT 0;"
				    "UPDATE deed SET colour = n * 7;"
				    "CREATE INDEX deed_colour ON deed(colour);"
				    "CREATE TABLE paint(colour INTEGER PRIMARY KEY, name TEXT) STRICT;"
				    "INSERT INTO paint(colour, name) SELECT colour, what FROM deed;";

/* --- the gate -------------------------------------------------------------------------------------------------------- */

static int gate_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct home *home = arg;

	(void)store;
	(void)dbs;
	sem_post(&home->parked);
	while (sem_wait(&home->go) < 0)
		;
	return 0;
}

static void gate_put(struct home *home)
{
	while (store_submit_task(home->store, gate_task, NULL, home)) {
		/* Memory was made to fail: it comes back. */
	}
}

static void gate_wait(struct home *home)
{
	while (sem_wait(&home->parked) < 0)
		;
}

/* A rotation goes on, perhaps on a thread of its own: it is given a moment. One that waits for something does not count. */
static bool pool_works(struct home *home)
{
	struct custody_progress progress;
	bool works = false;

	for (size_t i = 0; home->custody && custody_progress_at(home->custody, i, &progress); i++)
		works = works || !progress.trouble;
	return works && loop_turn(home->loop, 1) == 0;
}

/* Without the gate. */
static void let_run(struct home *home)
{
	for (int i = 0; i < HOME_TURNS_MAX; i++) {
		int r = loop_turn(home->loop, 0);

		assert(r == 0);
		(void)r;
		if (store_queued(home->store) == 0 && !pool_works(home))
			return;
		store_drain(home->store);
	}
}

void home_settle(struct home *home)
{
	if (!home->options.single_step) {
		let_run(home);
		return;
	}
	for (int i = 0; i < HOME_TURNS_MAX; i++) {
		int r = loop_turn(home->loop, 0);

		assert(r == 0);
		gate_put(home);
		sem_post(&home->go);
		gate_wait(home);
		r = loop_turn(home->loop, 0);
		assert(r == 0);
		(void)r;
		if (store_queued(home->store) <= 1 && !pool_works(home))
			return;
	}
}

static void clocks_follow(struct home *home)
{
	tap_set_clock(loop_now_ms(home->loop), loop_wall_us(home->loop));
}

void home_pass(struct home *home, int64_t ms)
{
	loop_advance(home->loop, ms);
	clocks_follow(home);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static void on_ready(void *ctx, unsigned link)
{
	(void)ctx;
	(void)link;
}

static int open_vault(struct home *home, const char **where)
{
	const struct vault_options vault = { .folder = home->folder, .suite = home->options.suite, .source = KEY_SOURCE_FILE,
					     .path = home->key_file, .now_s = home->options.wall_us / 1000000 };
	struct ring_options ring = { .folder = home->folder, .suite = home->options.suite };
	char why[200];
	int r;

	if (!home->options.suite)
		return 0;
	(void)text_print(home->key_file, sizeof(home->key_file), "%s/kek.key", home->folder);
	*where = "vault_open";
	r = vault_open(&vault, why, sizeof(why), &home->vault);
	if (r)
		return r;
	*where = "ring_new";
	ring.vault = home->vault;
	return ring_new(&ring, &home->ring);
}

static const struct custody_ops no_ops;

static int open_custody(struct home *home, const char **where)
{
	const struct custody_options options = { .loop = home->loop, .store = home->store, .db = home->gateway, .audit = home->audit,
						 .vault = home->vault, .ring = home->ring, .folder = home->folder, .suite = home->options.suite,
						 .key_file = home->key_file, .mem_kib = 8, .passes = 1, .ops = &no_ops };
	int r;

	if (!home->options.suite)
		return 0;
	*where = "custody_new";
	r = custody_new(&options, &home->custody);
	if (r)
		return r;
	*where = "custody_load";
	return custody_load(home->custody);
}

static int open_databases(struct home *home, const char **where)
{
	struct db_keys *keys = home->ring ? ring_pages(home->ring) : NULL;
	char schema_1[4096];
	const struct db_migration steps[] = { { 1, schema_1 }, { 2, deed_schema_2 } };
	const struct db_options gateway = { .sync = home->options.sync, .migrations = steps, .n_migrations = home->options.schema,
					   .keys = keys };
	const struct db_options spool = { .sync = DB_SYNC_NORMAL, .migrations = spool_migrations, .n_migrations = spool_n_migrations,
					 .keys = keys };
	char path[200];
	int r;

	if (!text_print(schema_1, sizeof(schema_1), "%s%s%s", deed_schema_1, audit_outbox_schema, custody_schema_1))
		return -ENOBUFS;
	*where = "store_new";
	r = store_new(home->loop, &home->store);
	if (r)
		return r;
	*where = "gateway.db";
	(void)text_print(path, sizeof(path), "%s/gateway.db", home->folder);
	r = store_add(home->store, "gateway", path, &gateway, &home->gateway);
	if (r)
		return r;
	*where = "spool.db";
	(void)text_print(path, sizeof(path), "%s/spool.db", home->folder);
	return store_add(home->store, "spool", path, &spool, &home->spool_db);
}

static int open_parts(struct home *home, const char **where)
{
	static const uint8_t boot_id[16] = { 0xb0, 1 };
	const struct audit_options audit = { .folder = home->folder, .hash = CRYPTO_SHA256, .boot_id = boot_id,
					     .segment_bytes_max = home->options.segment_bytes_max,
					     .seal = home->ring ? ring_seal(home->ring) : NULL };
	const struct spool_options spool = { .bytes_max = 1 << 26 };
	int r;

	*where = "audit_new";
	r = audit_new(home->loop, home->store, &audit, &home->audit);
	if (r)
		return r;
	audit_set_time_trusted(home->audit, true);
	*where = "audit_attach_outbox";
	r = audit_attach_outbox(home->audit, home->gateway);
	if (r)
		return r;
	*where = "spool_new";
	r = spool_new(home->loop, home->store, home->spool_db, &spool, &home->spool);
	if (r)
		return r;
	*where = "spool_load";
	r = spool_load(home->spool);
	return r ? r : open_custody(home, where);
}

int home_open(struct home *home, const struct home_options *options, const char **where)
{
	int r;

	memset(home, 0, sizeof(*home));
	home->options = *options;
	(void)text_copy(home->folder, sizeof(home->folder), options->folder);
	sem_init(&home->parked, 0, 0);
	sem_init(&home->go, 0, 0);
	*where = "loop_new";
	r = loop_new_virtual(options->boot_ms, options->wall_us, &home->loop);
	if (r == 0) {
		clocks_follow(home);
		r = open_vault(home, where);
	}
	if (r == 0)
		r = open_databases(home, where);
	if (r == 0)
		r = open_parts(home, where);
	if (r)
		home_close(home);
	return r;
}

int home_start(struct home *home)
{
	static const char *const names[HOME_LINKS] = { "cloud", "house" };
	int r = 0;

	for (unsigned i = 0; i < HOME_LINKS && r == 0; i++)
		r = spool_open_link(home->spool, names[i], on_ready, NULL, &home->links[i]);
	if (home->options.single_step)
		gate_put(home);
	if (r == 0)
		r = store_start(home->store);
	if (r)
		return r;
	home->started = true;
	if (home->options.single_step)
		gate_wait(home);
	if (home->custody)
		custody_start(home->custody);
	home_settle(home);
	return 0;
}

void home_close(struct home *home)
{
	if (home->started)
		home_settle(home);
	home->options.boot_ms = home->loop ? loop_now_ms(home->loop) : 0;
	home->options.wall_us = home->loop ? loop_wall_us(home->loop) : 0;
	home->custody = custody_close(home->custody);
	home->spool = spool_close(home->spool);
	home->audit = audit_close(home->audit);
	if (home->started && home->options.single_step)
		sem_post(&home->go);
	home->store = store_close(home->store);
	home->ring = ring_free(home->ring);
	home->vault = vault_close(home->vault);
	if (home->loop)
		home->loop = loop_free(home->loop);
	home->started = false;
	sem_destroy(&home->parked);
	sem_destroy(&home->go);
}

/* --- deeds ----------------------------------------------------------------------------------------------------------- */

size_t home_deed_text(int64_t n, char ret[400])
{
	size_t len = 10 + (size_t)(n * 37 % 300);

	for (size_t i = 0; i < len; i++)
		ret[i] = (char)('a' + (n * 31 + (int64_t)i * 7) % 26);
	ret[len] = 0;
	return len;
}

static int deed_job(struct db *db, void *arg)
{
	const struct deed *deed = arg;
	struct audit_record record = { .kind = AUDIT_RULE_ADD, .subject = { SUBJECT_USER, 3 }, .subject_name = "anna", .rule = -1 };
	char object[32], text[400];
	struct stmt *s;
	int r = deed->home->options.schema == 1 ? db_prepare(db, "INSERT INTO deed(n, what) VALUES(?1, ?2)", &s) :
						  db_prepare(db, "INSERT INTO deed(n, what, colour) VALUES(?1, ?2, ?3)", &s);

	if (r)
		return r;
	(void)home_deed_text(deed->n, text);
	stmt_bind_i64(s, 1, deed->n);
	stmt_bind_text(s, 2, text);
	if (deed->home->options.schema > 1)
		stmt_bind_i64(s, 3, deed->n * 7);
	r = stmt_run(s);
	if (r == 0)
		r = db_prepare(db, "INSERT INTO tally(one, n) VALUES(1, 1) ON CONFLICT(one) DO UPDATE SET n = n + 1", &s);
	if (r == 0)
		r = stmt_run(s);
	(void)text_print(object, sizeof(object), "deed-%lld", (long long)deed->n);
	record.object = object;
	return r ? r : audit_outbox_put(db, &record);
}

static void on_deed(void *arg, int r)
{
	struct deed *deed = arg;

	if (r == 0 && deed->home->audit) /* it may be on its way out: the outbox keeps it */
		audit_drain(deed->home->audit);
	deed->done(deed, r);
	free(deed);
}

int home_do(struct home *home, const struct deed *deed)
{
	struct deed *copy = malloc(sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	*copy = *deed;
	copy->home = home;
	r = store_submit(home->store, home->gateway, 0, deed_job, on_deed, copy);
	if (r)
		free(copy);
	return r;
}
