/* The loop's side: who may have one made, its thread, its place in the record, and the recovery key. */
#include "custody/backup.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "custody/backup_inside.h"

enum { THREAD_STACK = 1024 * 1024 };

const char backup_schema_1[] =
	"CREATE TABLE recovery (id INTEGER PRIMARY KEY CHECK (id = 1), public TEXT NOT NULL, set_s INTEGER NOT NULL) STRICT;";

struct setting {
	struct backup *backup;
	struct box_public key;
	struct audit_record *record;
	backup_done_fn done;
	void *ctx;
};

const char *backup_word(int r)
{
	static const char *const words[] = {
		[BACKUP_E_NO_KEY] = "there is no recovery key yet: gatewayctl recovery-key new makes one",
		[BACKUP_E_BUSY] = "a backup is being made",
		[BACKUP_E_NAME] = "a name has small letters, digits, - and _ only",
		[BACKUP_E_EXISTS] = "there is a backup of that name",
		[BACKUP_E_SUITE] = "this gateway uses SM algorithms alone: the recovery key must be an SM2 key",
		[BACKUP_E_CHANGING] = "keys were being changed all the while: try again later",
	};
	return r > 0 && r < (int)N_ELEMENTS(words) ? words[r] : "it could not be done";
}

/* --- on the loop -------------------------------------------------------------------------------------------------------- */

static void run_free(struct run *run)
{
	audit_record_free(run->record);
	free(run);
}

static void run_answer(struct run *run, int r)
{
	struct backup *backup = run->backup;

	run->done(run->ctx, r, r == 0 ? &run->result : NULL);
	run_free(run);
	if (backup->closing && backup->n_jobs == 0)
		free(backup);
}

static int record_job(struct db *db, void *arg)
{
	const struct run *run = arg;

	return audit_outbox_put(db, run->record);
}

static void on_recorded(void *arg, int r)
{
	struct run *run = arg;
	struct backup *backup = run->backup;

	backup->n_jobs--;
	if (r == 0 && !backup->closing)
		audit_drain(backup->options.audit);
	run_answer(run, run->r ? run->r : r);
}

/* A backup that is not on record is not given: it is removed again. */
static void run_end(struct run *run)
{
	struct backup *backup = run->backup;
	const char *slash = strrchr(run->result.path, '/');
	struct audit_record record = *run->record;
	char detail[256], to[BOX_KEY_TEXT_MAX];
	int r;

	box_public_print(&run->to, to);
	text_print(detail, sizeof(detail), "%u files for %s", run->result.files, to);
	record.kind = AUDIT_BACKUP;
	record.outcome = run->r == 0 ? AUDIT_OK : AUDIT_FAILED;
	record.object = slash + 1;
	record.detail = run->r == 0 ? detail : run->r > 0 ? backup_word(run->r) : strerror(-run->r);
	struct audit_record *entry = audit_record_copy(&record);

	audit_record_free(run->record);
	run->record = entry;
	backup->n_jobs++;
	r = store_submit(backup->options.store, backup->options.db, STORE_SYNC, record_job, on_recorded, run);
	if (r) {
		if (run->r == 0)
			(void)!unlink(run->result.path);
		on_recorded(run, r < 0 ? r : -EAGAIN);
	}
}

static void on_wake(void *ctx)
{
	struct backup *backup = ctx;
	struct run *run = backup->run;

	if (!run || !atomic_load(&run->ended))
		return;
	pthread_join(run->thread, NULL);
	backup->run = NULL;
	run_end(run);
}

must_check static int run_start(struct run *run)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attr, THREAD_STACK);
	if (r == 0)
		r = pthread_create(&run->thread, &attr, backup_thread, run);
	pthread_attr_destroy(&attr);
	return -r;
}

must_check static int may_make(const struct backup *backup, const char *name)
{
	if (!text_is_slug(name, BACKUP_NAME_MAX))
		return BACKUP_E_NAME;
	if (!backup->has_key)
		return BACKUP_E_NO_KEY;
	if (backup->options.suite == SEAL_SM4 && backup->key.kind != BOX_SM2)
		return BACKUP_E_SUITE;
	if (backup->run)
		return BACKUP_E_BUSY;
	return backup->closing ? -ECANCELED : 0;
}

void backup_make(struct backup *backup, const char *name, const struct audit_record *record, backup_made_fn done, void *ctx)
{
	struct run *run = NULL;
	int r = may_make(backup, name);

	if (r == 0) {
		run = calloc(1, sizeof(*run));
		r = run ? 0 : -ENOMEM;
	}
	if (r) {
		done(ctx, r, NULL);
		return;
	}
	run->options = backup->options;
	run->to = backup->key;
	run->cancel = &backup->cancel;
	run->backup = backup;
	run->done = done;
	run->ctx = ctx;
	run->now_s = loop_wall_us(backup->options.loop) / 1000000;
	run->record = audit_record_copy(record);
	if (!text_copy(run->folder, sizeof(run->folder), backup->folder) ||
	    !text_print(run->staging, sizeof(run->staging), "%s/backups/staging", backup->folder) ||
	    !text_print(run->result.path, sizeof(run->result.path), "%s/backups/%s.gwb", backup->folder, name))
		r = -ENAMETOOLONG;
	if (r == 0)
		r = run_start(run);
	if (r) {
		done(ctx, r, NULL);
		run_free(run);
		return;
	}
	backup->run = run;
}

/* --- the recovery key --------------------------------------------------------------------------------------------------- */

const struct box_public *backup_key(const struct backup *backup)
{
	return backup->has_key ? &backup->key : NULL;
}

static int key_job(struct db *db, void *arg)
{
	const struct setting *setting = arg;
	char text[BOX_KEY_TEXT_MAX];
	struct stmt *s;
	int r = db_prepare(db,
			   "INSERT INTO recovery (id, public, set_s) VALUES (1, ?, ?)"
			   " ON CONFLICT (id) DO UPDATE SET public = excluded.public, set_s = excluded.set_s",
			   &s);

	if (r)
		return r;
	box_public_print(&setting->key, text);
	stmt_bind_text(s, 1, text);
	stmt_bind_i64(s, 2, loop_wall_us(setting->backup->options.loop) / 1000000);
	r = stmt_run(s);
	return r ? r : audit_outbox_put(db, setting->record);
}

static void on_key_set(void *arg, int r)
{
	struct setting *setting = arg;
	struct backup *backup = setting->backup;

	backup->n_jobs--;
	if (r == 0) {
		backup->key = setting->key;
		backup->has_key = true;
		if (!backup->closing)
			audit_drain(backup->options.audit);
	}
	setting->done(setting->ctx, r);
	audit_record_free(setting->record);
	free(setting);
	if (backup->closing && backup->n_jobs == 0)
		free(backup);
}

void backup_set_key(struct backup *backup, const struct box_public *key, const struct audit_record *record, backup_done_fn done, void *ctx)
{
	struct audit_record entry = *record;
	char text[BOX_KEY_TEXT_MAX];
	struct setting *setting;
	int r;

	if (backup->options.suite == SEAL_SM4 && key->kind != BOX_SM2) {
		done(ctx, BACKUP_E_SUITE);
		return;
	}
	setting = calloc(1, sizeof(*setting));
	if (!setting) {
		done(ctx, -ENOMEM);
		return;
	}
	box_public_print(key, text);
	entry.object = "recovery key";
	entry.detail = text;
	*setting = (struct setting){ .backup = backup, .key = *key, .record = audit_record_copy(&entry), .done = done, .ctx = ctx };
	backup->n_jobs++;
	r = store_submit(backup->options.store, backup->options.db, STORE_SYNC, key_job, on_key_set, setting);
	if (r)
		on_key_set(setting, r < 0 ? r : -EAGAIN);
}

/* --- its life ----------------------------------------------------------------------------------------------------------- */

int backup_new(const struct backup_options *options, struct backup **ret)
{
	struct backup *backup = calloc(1, sizeof(*backup));
	int r = 0;

	if (!backup)
		return -ENOMEM;
	backup->options = *options;
	backup->folder = strdup(options->folder);
	if (!backup->folder)
		r = -ENOMEM;
	if (r == 0)
		r = wake_new(options->loop, on_wake, backup, &backup->wake);
	if (r) {
		free(backup->folder);
		free(backup);
		return r;
	}
	*ret = backup;
	return 0;
}

int backup_load(struct backup *backup)
{
	struct stmt *s;
	int r = db_prepare(store_db(backup->options.store, backup->options.db), "SELECT public FROM recovery WHERE id = 1", &s);

	if (r)
		return r;
	r = stmt_step(s);
	if (r == 1) {
		backup->has_key = box_public_parse(stmt_text(s, 0), &backup->key) == 0;
		stmt_reset(s);
	}
	return r < 0 ? r : 0;
}

struct backup *backup_close(struct backup *backup)
{
	struct run *run;

	if (!backup)
		return NULL;
	run = backup->run;
	backup->closing = true;
	atomic_store(&backup->cancel, true);
	if (run) {
		pthread_join(run->thread, NULL);
		if (run->r == 0)
			(void)!unlink(run->result.path); /* nobody was told, nothing is on record */
		run->done(run->ctx, -ECANCELED, NULL);
		run_free(run);
	}
	wake_close(backup->wake);
	free(backup->folder);
	if (backup->n_jobs == 0)
		free(backup);
	return NULL;
}
