/* The log as it lies there, in one stream: every record, after it the checkpoints that it ends, and the keys to check them
 * with. As it stands in the files, sound or not: to judge is the reader's. A parcel wants to know how long its part is before
 * it begins, so the stream is run once only to be measured; the snapshot makes the second run the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/inside.h"
#include "base/bytes.h"
#include "base/text.h"
#include "vault/parcel.h"

static const char export_magic[8] = "GWAUDIT2";
enum item { ITEM_END, ITEM_RECORD, ITEM_CHECKPOINT, ITEM_PUBLIC_KEY };
enum { AT_CHECKPOINT_SIZE = 36 };

struct order {
	char *path;
	bool is_sealed;
	struct box_public to;
	audit_done_fn done;
	void *ctx;
};

/* Where the bytes go: a file, a parcel, or nowhere, to be counted. */
struct stream {
	FILE *file;
	struct parcel_writer *parcel;
	uint64_t bytes;
	uint64_t records, checkpoints;
	uint8_t head[CRYPTO_HASH_LEN];
	int r; /* the first error: all after it does nothing */
};

static void out(struct stream *out_to, const void *data, size_t len)
{
	if (out_to->r || !len)
		return;
	out_to->bytes += len;
	if (out_to->file && fwrite(data, 1, len, out_to->file) != len)
		out_to->r = -(errno ? errno : EIO);
	if (out_to->parcel) {
		int r = parcel_write(out_to->parcel, data, len);

		out_to->r = r > 0 ? -EIO : r;
	}
}

static void out_item(struct stream *s, enum item type, size_t len)
{
	uint8_t prefix[5];
	struct writer w = writer_over(prefix, sizeof(prefix));

	put_u8(&w, (uint8_t)type);
	put_u32(&w, (uint32_t)len);
	out(s, prefix, sizeof(prefix));
}

static void out_hash(struct stream *s, struct view v)
{
	static const uint8_t zeros[CRYPTO_HASH_LEN];

	out(s, v.len == CRYPTO_HASH_LEN ? v.data : zeros, CRYPTO_HASH_LEN);
}

static void out_record(struct stream *s, struct view rec, struct view head, struct view mac)
{
	if (!s->r && (!rec.len || rec.len > AUDIT_RECORD_MAX))
		s->r = -EBADMSG;
	out_item(s, ITEM_RECORD, rec.len + 2 * CRYPTO_HASH_LEN);
	out(s, rec.data, rec.len);
	out_hash(s, head);
	out_hash(s, mac);
	memset(s->head, 0, sizeof(s->head));
	if (head.len == sizeof(s->head))
		memcpy(s->head, head.data, sizeof(s->head));
	s->records++;
}

static void out_short(struct stream *s, struct view v)
{
	uint8_t len = (uint8_t)v.len;

	if (!s->r && v.len > UINT8_MAX)
		s->r = -EBADMSG;
	out(s, &len, 1);
	out(s, v.data, v.len);
}

static void out_checkpoint(struct stream *s, struct view body, struct view a, struct view b)
{
	uint8_t len[2] = { (uint8_t)body.len, (uint8_t)(body.len >> 8) };

	if (!s->r && body.len > AUDIT_CHECKPOINT_MAX)
		s->r = -EBADMSG;
	out_item(s, ITEM_CHECKPOINT, 2 + body.len + 1 + a.len + 1 + b.len);
	out(s, len, sizeof(len));
	out(s, body.data, body.len);
	out_short(s, a);
	out_short(s, b);
	s->checkpoints++;
}

static void out_public(struct stream *s, const struct audit_public *public)
{
	uint8_t head[5];
	struct writer w = writer_over(head, sizeof(head));

	put_u32(&w, public->id);
	put_u8(&w, public->key.kind);
	out_item(s, ITEM_PUBLIC_KEY, sizeof(head) + public->key.len);
	out(s, head, sizeof(head));
	out(s, public->key.data, public->key.len);
}

static void out_end(struct stream *s)
{
	uint8_t counts[16];
	struct writer w = writer_over(counts, sizeof(counts));

	put_u64(&w, s->records);
	put_u64(&w, s->checkpoints);
	out_item(s, ITEM_END, sizeof(counts) + CRYPTO_HASH_LEN);
	out(s, counts, sizeof(counts));
	out(s, s->head, sizeof(s->head));
}

/* --- a file of the log ----------------------------------------------------------------------------------------------- */

static uint64_t size_of(struct view body)
{
	struct reader r = reader_over(body.data, body.len);

	(void)get_view(&r, AT_CHECKPOINT_SIZE);
	return get_u64(&r);
}

/* Checkpoints that end at seq or before; ret_waits: one is at hand that does not. */
static int out_checkpoints(struct stream *s, struct stmt *checkpoints, uint64_t seq, bool *waits, bool *more)
{
	while (*more) {
		if (!*waits) {
			int r = stmt_step(checkpoints);

			*more = r > 0;
			if (r <= 0)
				return r;
		}
		*waits = size_of(stmt_blob(checkpoints, 1)) > seq;
		if (*waits)
			return 0;
		out_checkpoint(s, stmt_blob(checkpoints, 1), stmt_blob(checkpoints, 2), stmt_blob(checkpoints, 3));
	}
	return 0;
}

static int out_rows(struct stream *s, struct db *db)
{
	struct stmt *rows, *checkpoints = NULL;
	bool waits = false, more = true;
	int r = db_prepare(db, "SELECT seq, rec, head, mac FROM audit ORDER BY seq", &rows);

	if (r == 0)
		r = db_prepare(db, "SELECT number, body, signature_a, signature_b FROM checkpoint ORDER BY number", &checkpoints);
	if (r)
		return r;
	while (s->r == 0 && (r = stmt_step(rows)) > 0) {
		out_record(s, stmt_blob(rows, 1), stmt_blob(rows, 2), stmt_blob(rows, 3));
		r = out_checkpoints(s, checkpoints, (uint64_t)stmt_i64(rows, 0), &waits, &more);
		if (r < 0)
			break;
	}
	if (r > 0 || s->r)
		stmt_reset(rows);
	if (r == 0 && s->r == 0)
		r = out_checkpoints(s, checkpoints, UINT64_MAX, &waits, &more);
	if (more)
		stmt_reset(checkpoints);
	return r < 0 ? r : s->r;
}

static int out_segment(struct stream *s, const struct inspection *inspection, size_t i)
{
	struct db *db = NULL;
	int r;

	if (i + 1 == inspection->n_names && inspection->current)
		return out_rows(s, inspection->current);
	r = segment_open(inspection->folder, &inspection->names[i], inspection->pages, &db);
	if (r == 0)
		r = out_rows(s, db);
	db_close(db);
	return r > 0 ? -EBADMSG : r;
}

static int out_log(struct stream *s, const struct inspection *inspection)
{
	int r = 0;

	out(s, export_magic, sizeof(export_magic));
	for (size_t i = 0; i < inspection->n_publics; i++)
		out_public(s, &inspection->publics[i]);
	for (size_t i = 0; i < inspection->n_names && r == 0; i++)
		r = out_segment(s, inspection, i);
	out_end(s);
	return r ? r : s->r;
}

/* --- to a file ------------------------------------------------------------------------------------------------------- */

static int export_to(const struct inspection *inspection, int fd)
{
	struct stream s = { .file = fdopen(fd, "w") };
	int r;

	if (!s.file) {
		r = -errno;
		close(fd);
		return r;
	}
	r = out_log(&s, inspection);
	if (r == 0 && (fflush(s.file) || fsync(fileno(s.file))))
		r = -errno;
	if (fclose(s.file) && r == 0)
		r = -errno;
	return r;
}

/* Under another name until it is whole. */
static int export_plain(const struct inspection *inspection, const char *to)
{
	char path[4096];
	int fd, r;

	if (!text_print(path, sizeof(path), "%s.part", to))
		return -ENAMETOOLONG;
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : export_to(inspection, fd);
	if (r == 0 && rename(path, to) < 0)
		r = -errno;
	if (r && fd >= 0)
		(void)unlink(path);
	return r;
}

static int export_sealed(const struct inspection *inspection, const struct order *order)
{
	enum seal_suite suite = order->to.kind == BOX_SM2 ? SEAL_SM4 : SEAL_XCHACHA;
	struct stream measured = { .file = NULL }, s = { .file = NULL };
	int r = out_log(&measured, inspection);

	if (r == 0)
		r = parcel_create(order->path, PARCEL_AUDIT, suite, &order->to, &s.parcel);
	if (r == 0)
		r = parcel_part(s.parcel, "audit", measured.bytes);
	if (r == 0)
		r = out_log(&s, inspection);
	if (r == 0)
		r = parcel_finish(s.parcel);
	parcel_writer_free(s.parcel);
	return r > 0 ? -EIO : r;
}

static void export_work(void *arg)
{
	struct inspection *inspection = arg;
	const struct order *order = inspection->user;

	inspection->r = order->is_sealed ? export_sealed(inspection, order) : export_plain(inspection, order->path);
}

static void export_end(struct inspection *inspection, int r)
{
	struct order *order = inspection->user;

	if (order->done)
		order->done(order->ctx, r);
}

static void export_clear(struct inspection *inspection)
{
	struct order *order = inspection->user;

	free(order->path);
	free(order);
}

static int export_start(struct audit *audit, const char *path, const struct box_public *to, audit_done_fn done, void *ctx)
{
	struct inspection *inspection = audit_inspection_new(audit);
	struct order *order = calloc(1, sizeof(*order));
	char *copy = strdup(path);

	if (!inspection || !order || !copy) {
		if (inspection)
			audit_inspection_free(inspection);
		free(order);
		free(copy);
		return -ENOMEM;
	}
	*order = (struct order){ .path = copy, .is_sealed = to != NULL, .done = done, .ctx = ctx };
	if (to)
		order->to = *to;
	inspection->user = order;
	inspection->clear = export_clear;
	inspection->work = export_work;
	inspection->end = export_end;
	return audit_inspection_start(inspection);
}

int audit_export(struct audit *audit, const char *path, audit_done_fn done, void *ctx)
{
	return export_start(audit, path, NULL, done, ctx);
}

int audit_export_sealed(struct audit *audit, const char *path, const struct box_public *to, audit_done_fn done, void *ctx)
{
	return export_start(audit, path, to, done, ctx);
}
