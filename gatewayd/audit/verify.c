/* Verifying and exporting take as long as the log is long, so they run on a pool thread with connections of their own.
 * First a task of the writer's says which files there are at this moment and opens a snapshot of the last one: everything
 * appended before is in it, nothing that comes later, and so the log must end where this process believes it does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/inside.h"
#include "audit/walk.h"
#include "base/bytes.h"
#include "base/text.h"

enum { EXPORT_BUFFER = 64 * 1024 };
static const char export_magic[8] = "GWAUDIT1";

struct inspection {
	struct audit *audit;
	work_fn work;
	char *folder;
	struct segment_name *names;
	size_t n_names;
	struct db *current;
	struct segment_tail known;
	int r;
	/* verify: */
	struct audit_anchor *anchors;
	size_t n_anchors;
	struct audit_verdict verdict;
	audit_verdict_fn verdict_fn;
	/* export: */
	char *path;
	audit_done_fn done;
	void *ctx;
};

static void inspection_free(struct inspection *inspection)
{
	db_close(inspection->current);
	free(inspection->folder);
	free(inspection->names);
	free(inspection->anchors);
	free(inspection->path);
	free(inspection);
}

static void inspection_end(struct inspection *inspection, int r)
{
	struct audit *audit = inspection->audit;

	if (inspection->verdict_fn)
		inspection->verdict_fn(inspection->ctx, r, &inspection->verdict);
	else if (inspection->done)
		inspection->done(inspection->ctx, r);
	inspection_free(inspection);
	audit_job_ended(audit);
}

static void on_worked(void *arg, int r)
{
	struct inspection *inspection = arg;

	inspection_end(inspection, r < 0 ? r : inspection->r);
}

static int snapshot_open(struct inspection *inspection, const struct segment_name *name)
{
	struct segment_tail tail;
	int r = segment_open(inspection->folder, name, &inspection->current);

	if (r)
		return 0; /* the walk tries again and says what is wrong with it */
	r = db_exec(inspection->current, "BEGIN");
	if (r == 0)
		r = segment_tail_read(inspection->current, &tail); /* from here on it is as it is now */
	return r < 0 && r != -EBADMSG ? r : 0;
}

/* Files beyond the writer's own are kept in the list: nobody of ours made them. */
static int list_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct inspection *inspection = arg;
	int r = segment_list(inspection->folder, &inspection->names, &inspection->n_names);

	(void)store;
	(void)dbs;
	if (r == 0 && inspection->n_names)
		r = snapshot_open(inspection, &inspection->names[inspection->n_names - 1]);
	return r;
}

static void on_listed(void *arg, int r)
{
	struct inspection *inspection = arg;
	struct audit *audit = inspection->audit;

	inspection->known = audit->tail;
	if (r == 0)
		r = audit->closing ? -ECANCELED : loop_work(audit->loop, inspection->work, on_worked, inspection);
	if (r)
		inspection_end(inspection, r);
}

static int inspection_start(struct audit *audit, struct inspection *inspection)
{
	int r = audit_flush_batch(audit);

	inspection->audit = audit;
	inspection->folder = strdup(audit->folder);
	if (!inspection->folder)
		r = -ENOMEM;
	if (r == 0)
		r = audit_submit_task(audit, list_task, on_listed, inspection);
	if (r)
		inspection_free(inspection);
	return r;
}

/* --- verify ---------------------------------------------------------------------------------------------------------- */

static void verify_work(void *arg)
{
	struct inspection *inspection = arg;
	const struct walk walk = {
		.folder = inspection->folder,
		.names = inspection->names,
		.n_names = inspection->n_names,
		.current = inspection->current,
		.known = &inspection->known,
		.anchors = inspection->anchors,
		.n_anchors = inspection->n_anchors,
	};

	inspection->r = walk_log(&walk, &inspection->verdict);
}

int audit_verify(struct audit *audit, const struct audit_anchor *anchors, size_t n_anchors, audit_verdict_fn fn, void *ctx)
{
	struct inspection *inspection = calloc(1, sizeof(*inspection));

	if (!inspection)
		return -ENOMEM;
	inspection->work = verify_work;
	inspection->verdict_fn = fn;
	inspection->ctx = ctx;
	inspection->n_anchors = n_anchors;
	inspection->anchors = calloc(n_anchors + 1, sizeof(*anchors));
	if (!inspection->anchors) {
		inspection_free(inspection);
		return -ENOMEM;
	}
	if (n_anchors)
		memcpy(inspection->anchors, anchors, n_anchors * sizeof(*anchors));
	return inspection_start(audit, inspection);
}

/* --- export ---------------------------------------------------------------------------------------------------------- */

struct export {
	FILE *file;
	uint64_t n;
	uint8_t head[CRYPTO_HASH_LEN];
};

static int export_write(struct export *export, const void *data, size_t len)
{
	return fwrite(data, 1, len, export->file) == len ? 0 : -(errno ? errno : EIO);
}

/* As it stands in the file, sound or not: to judge is the reader's. */
static int export_row(struct export *export, struct stmt *s)
{
	uint8_t prefix[4];
	struct view rec = stmt_blob(s, 0), head = stmt_blob(s, 1);
	struct writer w = writer_over(prefix, sizeof(prefix));
	int r;

	if (!rec.len || rec.len > AUDIT_RECORD_MAX)
		return -EBADMSG;
	put_u32(&w, (uint32_t)rec.len);
	memset(export->head, 0, sizeof(export->head));
	if (head.len == CRYPTO_HASH_LEN)
		memcpy(export->head, head.data, head.len);
	r = export_write(export, prefix, sizeof(prefix));
	if (r == 0)
		r = export_write(export, rec.data, rec.len);
	if (r == 0)
		r = export_write(export, export->head, CRYPTO_HASH_LEN);
	export->n++;
	return r;
}

static int export_rows(struct export *export, struct db *db)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT rec, head FROM audit ORDER BY seq", &s);

	while (r == 0 && (r = stmt_step(s)) > 0)
		r = export_row(export, s);
	if (r < 0)
		db_rollback(db);
	return r;
}

static int export_segment(struct export *export, const struct inspection *inspection, size_t i)
{
	struct db *db = NULL;
	int r;

	if (i + 1 == inspection->n_names && inspection->current)
		return export_rows(export, inspection->current);
	r = segment_open(inspection->folder, &inspection->names[i], &db);
	if (r == 0)
		r = export_rows(export, db);
	db_close(db);
	return r > 0 ? -EBADMSG : r;
}

static int export_end(struct export *export)
{
	uint8_t tail[4 + 8];
	struct writer w = writer_over(tail, sizeof(tail));
	int r;

	put_u32(&w, 0);
	put_u64(&w, export->n);
	r = export_write(export, tail, sizeof(tail));
	if (r == 0)
		r = export_write(export, export->head, CRYPTO_HASH_LEN);
	if (r == 0 && (fflush(export->file) || fsync(fileno(export->file))))
		r = -errno;
	return r;
}

static int export_to(struct inspection *inspection, int fd)
{
	struct export export = { .file = fdopen(fd, "w") };
	int r;

	if (!export.file) {
		r = -errno;
		close(fd);
		return r;
	}
	r = export_write(&export, export_magic, sizeof(export_magic));
	for (size_t i = 0; i < inspection->n_names && r == 0; i++)
		r = export_segment(&export, inspection, i);
	if (r == 0)
		r = export_end(&export);
	if (fclose(export.file) && r == 0)
		r = -errno;
	return r;
}

/* Under another name until it is whole. */
static void export_work(void *arg)
{
	struct inspection *inspection = arg;
	char path[4096];
	int fd;

	inspection->r = -ENAMETOOLONG;
	if (!text_print(path, sizeof(path), "%s.part", inspection->path))
		return;
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	inspection->r = fd < 0 ? -errno : export_to(inspection, fd);
	if (inspection->r == 0 && rename(path, inspection->path) < 0)
		inspection->r = -errno;
	if (inspection->r && fd >= 0)
		(void)unlink(path);
}

int audit_export(struct audit *audit, const char *path, audit_done_fn done, void *ctx)
{
	struct inspection *inspection = calloc(1, sizeof(*inspection));

	if (!inspection)
		return -ENOMEM;
	inspection->work = export_work;
	inspection->done = done;
	inspection->ctx = ctx;
	inspection->path = strdup(path);
	if (!inspection->path) {
		inspection_free(inspection);
		return -ENOMEM;
	}
	return inspection_start(audit, inspection);
}
