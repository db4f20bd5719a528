/* The log as it lies in its folder: each file is laid out as ours are and sound as a database, before a row of it is read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/walk.h"
#include "sys/db.h"

struct source {
	const struct walk *walk;
	const struct walk_files *files;
	struct db *db;
	bool is_lent;
	struct stmt *rows, *checkpoints;
};

static bool has_our_schema(struct db *db)
{
	struct stmt *s;
	size_t i = 0;
	int r = db_prepare(db, "SELECT sql FROM sqlite_schema ORDER BY type, name", &s);

	if (r)
		return false;
	while ((r = stmt_step(s)) > 0) {
		if (!segment_schema[i] || strcmp(stmt_text(s, 0), segment_schema[i]) != 0)
			break;
		i++;
	}
	stmt_reset(s);
	return r == 0 && !segment_schema[i];
}

static bool is_sound(struct db *db)
{
	struct stmt *s;
	bool sound = false;
	int r = db_prepare(db, "PRAGMA quick_check", &s);

	if (r == 0)
		r = stmt_step(s);
	if (r > 0)
		sound = strcmp(stmt_text(s, 0), "ok") == 0;
	if (r >= 0)
		stmt_reset(s);
	return sound;
}

static int file_open(void *ctx, size_t file, const char **ret_what)
{
	struct source *source = ctx;
	const struct walk_files *files = source->files;
	int r;

	*ret_what = NULL;
	source->db = file + 1 == source->walk->n_names ? files->current : NULL;
	source->is_lent = source->db != NULL;
	r = source->db ? 0 : segment_open(files->folder, &source->walk->names[file], files->pages, &source->db);
	if (r == -ENOMEM || r == -EMFILE)
		return r;
	if (r)
		*ret_what = "cannot be opened as a segment";
	else if (!has_our_schema(source->db))
		*ret_what = "its schema is not the one it was made with";
	else if (!is_sound(source->db))
		*ret_what = "the database is damaged";
	else if (db_prepare(source->db, "SELECT seq, rec, head, mac FROM audit ORDER BY seq", &source->rows) ||
		 db_prepare(source->db, "SELECT number, body, signature_a, signature_b FROM checkpoint ORDER BY number",
			    &source->checkpoints))
		*ret_what = "its rows cannot be read";
	return *ret_what ? AUDIT_E_TAMPERED : 0;
}

static int file_row(void *ctx, struct walk_row *ret)
{
	struct source *source = ctx;
	struct stmt *s = source->rows;
	int r = stmt_step(s);

	if (r > 0)
		*ret = (struct walk_row){ stmt_i64(s, 0), stmt_blob(s, 1), stmt_blob(s, 2), stmt_blob(s, 3), !stmt_is_null(s, 3) };
	else
		source->rows = NULL;
	return r;
}

static bool is_signature(struct stmt *s, int col)
{
	return stmt_is_null(s, col) || stmt_blob(s, col).len == SIGN_LEN;
}

static int file_checkpoint(void *ctx, struct walk_checkpoint *ret)
{
	struct source *source = ctx;
	struct stmt *s = source->checkpoints;
	int r = stmt_step(s);

	if (r > 0)
		*ret = (struct walk_checkpoint){ stmt_i64(s, 0), stmt_blob(s, 1), { stmt_blob(s, 2), stmt_blob(s, 3) },
						 is_signature(s, 2) && is_signature(s, 3) };
	else
		source->checkpoints = NULL;
	return r;
}

static void file_close(void *ctx)
{
	struct source *source = ctx;

	if (source->rows)
		stmt_reset(source->rows);
	if (source->checkpoints)
		stmt_reset(source->checkpoints);
	source->rows = source->checkpoints = NULL;
	if (!source->is_lent)
		db_close(source->db);
	source->db = NULL;
}

static const struct walk_source from_files = { file_open, file_row, file_checkpoint, file_close };

/* --- what was dropped ------------------------------------------------------------------------------------------------ */

/* The record that names the file before the first; 0 when the row is it. */
static int drop_read(struct view rec, uint32_t n, struct record_drop *ret)
{
	struct segment_name name;
	struct record record;

	if (rec.len < RECORD_HEADER_LEN || record_decode(rec.data, rec.len, &record) || record.record.kind != AUDIT_SEGMENT_DROP ||
	    record_take_drop(&record, ret) || !segment_name_parse(ret->name, &name) || name.n != n)
		return RECORD_E_SYNTAX;
	return 0;
}

/* Found anywhere in the log; that it stands in the chain is seen on the walk. */
static int drop_find(const struct walk *walk, const struct walk_files *files, struct record_drop *ret, bool *ret_found)
{
	struct source source = { .walk = walk, .files = files };
	const char *what;
	struct walk_row row;
	int r = 0;

	*ret_found = false;
	for (size_t i = walk->n_names; i-- > 0 && r >= 0 && !*ret_found;) {
		r = file_open(&source, i, &what);
		while (r == 0 && !*ret_found && file_row(&source, &row) > 0)
			*ret_found = drop_read(row.rec, walk->names[0].n - 1, ret) == 0;
		file_close(&source);
	}
	return r < 0 ? r : 0;
}

int walk_files(const struct walk *walk, const struct walk_files *files, struct audit_verdict *ret)
{
	struct source source = { .walk = walk, .files = files };
	struct walk behind = *walk;
	struct record_drop *gone = NULL;
	bool found = false;
	int r = 0;

	if (walk->n_names && walk->names[0].n > 1 && walk->is_sealed) {
		gone = malloc(sizeof(*gone));
		r = gone ? drop_find(walk, files, gone, &found) : -ENOMEM;
		behind.gone = found ? gone : NULL;
	}
	source.walk = &behind;
	if (r == 0)
		r = walk_log(&behind, &from_files, &source, ret);
	free(gone);
	return r;
}
