/* How much room the log takes, what is left out of it while there is little, and which of its files may go.
 *
 * Old is what the law and the owner say: so many days. But days by whose clock? Whoever can set the clock, or answers as a
 * time server, could make half a year pass in a minute and have the traces of this morning dropped. So a file is old only
 * when the gateway itself was awake for that many days since its last record: the rows that follow bear CLOCK_BOOTTIME
 * with the boot they belong to, and what went by between two rows of one boot did go by. Days without power do not count, nor what a
 * log has lived on another machine before its boot there, so what goes is always older than it must be. The clock on the
 * wall has to agree, too.
 *
 * What goes must exist elsewhere: a record of an export must stand in the log, made at least an hour after the next file had
 * been begun, so that the export held all of this one. First the record of the drop is on disk, then the file goes; a
 * cut in between leaves a file whose drop is recorded already, and the next look records it once more.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/inside.h"
#include "audit/rows.h"
#include "base/text.h"

enum { DAY_MS = 86400 * 1000, EXPORT_MS = 3600 * 1000 };

void audit_set_tight(struct audit *audit, bool tight)
{
	collapse_set_strict(audit->collapse, tight);
}

/* The file and its log. */
static uint64_t bytes_of(const char *folder, const struct segment_name *name)
{
	static const char *const endings[] = { "", "-wal" };
	uint64_t bytes = 0;
	char path[4096];
	struct stat st;

	for (size_t i = 0; i < N_ELEMENTS(endings); i++) {
		if (text_print(path, sizeof(path), "%s/%s%s", folder, name->text, endings[i]) && stat(path, &st) == 0)
			bytes += (uint64_t)st.st_size;
	}
	return bytes;
}

uint64_t audit_bytes(const struct audit *audit)
{
	struct segment_name *names = NULL;
	uint64_t bytes = 0;
	size_t n = 0;

	if (segment_list(audit->folder, &names, &n))
		return audit->segment_bytes;
	for (size_t i = 0; i < n; i++)
		bytes += bytes_of(audit->folder, &names[i]);
	free(names);
	return bytes;
}

/* --- which ----------------------------------------------------------------------------------------------------------- */

struct retain {
	struct audit *audit;
	unsigned keep_days, dropped;
	audit_dropped_fn fn;
	void *ctx;
	bool found;
	struct segment_name name;           /* the file that may go */
	struct audit_checkpoint checkpoint; /* its last */
	int r;
};

/* Time that went by, as the rows tell it. */
struct awake {
	struct record_stamp last;
	int64_t ms;
};

static void awake_step(struct awake *awake, const struct record_stamp *stamp)
{
	bool same_boot = memcmp(awake->last.boot_id, stamp->boot_id, RECORD_BOOT_ID_LEN) == 0;
	int64_t more = same_boot ? stamp->boot_ms - awake->last.boot_ms : 0;

	if (more < 0)
		return; /* rows of one boot may stand a little out of order */
	awake->ms += more;
	awake->last = *stamp;
}

/* The last row of the oldest file: its stamp and number. And the checkpoint that the file must end with. */
static int oldest_read(struct inspection *inspection, struct retain *retain, struct record_stamp *ret)
{
	struct checkpoint said;
	struct record record;
	struct db *db = NULL;
	struct stmt *s;
	int r = segment_open(inspection->folder, &inspection->names[0], inspection->pages, &db);

	if (r == 0)
		r = segment_checkpoint_read(db, 0, &retain->checkpoint);
	if (r == 0)
		r = checkpoint_decode(retain->checkpoint.body, retain->checkpoint.len, &said);
	if (r == 0)
		r = db_prepare(db, "SELECT seq, rec FROM audit ORDER BY seq DESC LIMIT 1", &s);
	if (r == 0) {
		r = stmt_step(s) == 1 ? 0 : -EBADMSG;
		struct view rec = r == 0 ? stmt_blob(s, 1) : (struct view){ NULL, 0 };

		if (r == 0 && (record_decode(rec.data, rec.len, &record) || record.stamp.seq != said.tree.size))
			r = -EBADMSG;
		if (r == 0)
			*ret = record.stamp;
		stmt_reset(s);
	}
	db_close(db);
	return r;
}

static bool is_export(const struct record *record)
{
	return record->record.kind == AUDIT_LOG_EXPORT && record->record.outcome == AUDIT_OK;
}

/* Reads on behind the oldest file until it is clear that it may go, or that it may not. */
static int rows_read(struct inspection *inspection, const struct record_stamp *oldest, int64_t keep_ms, bool *ret)
{
	struct rows rows = { .folder = inspection->folder, .names = inspection->names, .n_names = inspection->n_names, .keys = inspection->pages,
			     .last = inspection->current };
	struct awake awake = { .last = *oldest };
	struct record *record = malloc(sizeof(*record));
	int64_t begun_ms = -1;
	bool exported = false;
	struct rows_row row;
	int r = record ? rows_open(&rows, oldest->seq + 1) : -ENOMEM;

	if (r) {
		free(record);
		return r;
	}
	while (!(exported && awake.ms >= keep_ms) && (r = rows_next(&rows, &row)) > 0) {
		r = record_decode(row.rec.data, row.rec.len, record) ? -EBADMSG : 0;
		if (r)
			break;
		awake_step(&awake, &record->stamp);
		if (begun_ms < 0)
			begun_ms = awake.ms;
		exported = exported || (is_export(record) && awake.ms - begun_ms >= EXPORT_MS);
	}
	rows_close(&rows);
	free(record);
	awake_step(&awake, &inspection->stamp);
	*ret = r >= 0 && exported && awake.ms >= keep_ms;
	return r < 0 ? r : 0;
}

static void look_work(void *arg)
{
	struct inspection *inspection = arg;
	struct retain *retain = inspection->user;
	int64_t keep_ms = (int64_t)retain->keep_days * DAY_MS;
	struct record_stamp oldest;

	retain->found = false;
	inspection->r = 0;
	/* The file that is written to stays whatever it holds. */
	if (!inspection->is_sealed || inspection->n_names < 2)
		return;
	inspection->r = oldest_read(inspection, retain, &oldest);
	if (inspection->r || (inspection->stamp.wall_us - oldest.wall_us) / 1000 < keep_ms)
		return;
	inspection->r = rows_read(inspection, &oldest, keep_ms, &retain->found);
	retain->name = inspection->names[0];
}

/* --- how ------------------------------------------------------------------------------------------------------------- */

static void retain_end(struct retain *retain, int r)
{
	struct audit *audit = retain->audit;

	retain->fn(retain->ctx, r, retain->dropped);
	free(retain);
	audit_job_ended(audit);
}

static void look(struct retain *retain);

/* What SQLite keeps beside a file goes after it: without the file it means nothing. */
static void remove_work(void *arg)
{
	static const char *const endings[] = { "", "-wal", "-shm" };
	struct retain *retain = arg;
	char path[4096];
	int fd;

	retain->r = 0;
	for (size_t i = 0; i < N_ELEMENTS(endings) && retain->r == 0; i++) {
		if (!text_print(path, sizeof(path), "%s/%s%s", retain->audit->folder, retain->name.text, endings[i]))
			retain->r = -ENAMETOOLONG;
		else if (unlink(path) < 0 && errno != ENOENT)
			retain->r = -errno;
	}
	fd = open(retain->audit->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		retain->r = -errno;
	if (fd >= 0)
		close(fd);
}

static void on_removed(void *arg, int r)
{
	struct retain *retain = arg;

	if (r == 0)
		r = retain->r;
	if (r) {
		retain_end(retain, r);
		return;
	}
	retain->dropped++;
	look(retain);
}

static void on_recorded(void *arg, int r)
{
	struct retain *retain = arg;

	if (r == 0)
		r = loop_work(retain->audit->loop, remove_work, on_removed, retain);
	if (r)
		retain_end(retain, r);
}

static void record_drop(struct retain *retain)
{
	struct audit *audit = retain->audit;
	const struct audit_record record = { .kind = AUDIT_SEGMENT_DROP, .subject.kind = SUBJECT_SYSTEM, .object = retain->name.text };
	const struct record_stamp stamp = audit_stamp_now(audit);
	uint8_t rec[AUDIT_RECORD_MAX];
	size_t len = record_encode_drop(&record, &stamp, &retain->checkpoint, rec);
	int r = len ? audit_put_encoded(audit, rec, len, on_recorded, retain) : -EMSGSIZE;

	if (r)
		retain_end(retain, r < 0 ? r : -EAGAIN);
}

static void on_looked(struct inspection *inspection, int r)
{
	struct retain *retain = inspection->user;

	if (r || !retain->found || retain->audit->closing)
		retain_end(retain, r);
	else
		record_drop(retain);
}

static void look(struct retain *retain)
{
	struct inspection *inspection = audit_inspection_new(retain->audit);
	int r = inspection ? 0 : -ENOMEM;

	if (r == 0) {
		inspection->work = look_work;
		inspection->end = on_looked;
		inspection->user = retain;
		r = audit_inspection_start(inspection);
	}
	if (r)
		retain_end(retain, r < 0 ? r : -EAGAIN);
}

int audit_drop_old(struct audit *audit, unsigned keep_days, audit_dropped_fn fn, void *ctx)
{
	struct retain *retain;

	if (keep_days < AUDIT_KEEP_DAYS_MIN)
		return -EINVAL;
	if (!audit->time_trusted)
		return -EAGAIN;
	retain = calloc(1, sizeof(*retain));
	if (!retain)
		return -ENOMEM;
	*retain = (struct retain){ .audit = audit, .keep_days = keep_days, .fn = fn, .ctx = ctx };
	audit->n_jobs++; /* the log stays until it is done */
	look(retain);
	return 0;
}
