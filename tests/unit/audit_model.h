#pragma once
/* audit_model - a log's rows and checkpoints in memory: read from its files, changed at will, handed to the same walk as files are. */
#include "audit_home.h"

#include "audit/walk.h"

enum { ROWS_MAX = 64, POINTS_MAX = 16, FILES_MAX = 4 };

struct row {
	int64_t seq;
	size_t len;
	uint8_t rec[400];
	uint8_t head[CRYPTO_HASH_LEN], mac[CRYPTO_HASH_LEN];
	bool has_mac;
};
struct point {
	int64_t number;
	size_t len;
	uint8_t body[500], a[SIGN_LEN], b[SIGN_LEN];
	bool has_a, has_b;
};
struct file {
	struct segment_name name;
	size_t n_rows, n_points;
	struct row rows[ROWS_MAX];
	struct point points[POINTS_MAX];
};
struct model {
	size_t n_files;
	struct file files[FILES_MAX];
	struct segment_name names[FILES_MAX];
};

/* --- rows out of memory ---------------------------------------------------------------------------------------------- */

struct source {
	const struct model *model;
	const struct file *file;
	size_t row, point;
};

static inline int source_open(void *ctx, size_t file, const char **ret_what)
{
	struct source *s = ctx;

	*ret_what = NULL;
	s->file = &s->model->files[file];
	s->row = s->point = 0;
	return 0;
}

static inline int source_row(void *ctx, struct walk_row *ret)
{
	struct source *s = ctx;

	if (s->row == s->file->n_rows)
		return 0;
	const struct row *row = &s->file->rows[s->row++];

	*ret = (struct walk_row){ row->seq, { row->rec, row->len }, { row->head, CRYPTO_HASH_LEN },
				  { row->has_mac ? row->mac : NULL, row->has_mac ? CRYPTO_HASH_LEN : 0 }, row->has_mac };
	return 1;
}

static inline int source_point(void *ctx, struct walk_checkpoint *ret)
{
	struct source *s = ctx;

	if (s->point == s->file->n_points)
		return 0;
	const struct point *p = &s->file->points[s->point++];

	*ret = (struct walk_checkpoint){ p->number, { p->body, p->len },
					 { { p->has_a ? p->a : NULL, p->has_a ? SIGN_LEN : 0 }, { p->has_b ? p->b : NULL, p->has_b ? SIGN_LEN : 0 } },
					 true };
	return 1;
}

static inline void source_close(void *ctx)
{
	(void)ctx;
}

static const struct walk_source from_memory = { source_open, source_row, source_point, source_close };

static inline void model_read_points(struct db *db, struct file *file)
{
	struct stmt *s;
	int r;

	check_ok(db_prepare(db, "SELECT number, body, signature_a, signature_b FROM checkpoint ORDER BY number", &s));
	while ((r = stmt_step(s)) > 0) {
		struct point *p = &file->points[file->n_points++];
		struct view body = stmt_blob(s, 1), a = stmt_blob(s, 2), b = stmt_blob(s, 3);

		check_true(file->n_points < POINTS_MAX && body.len <= sizeof(p->body));
		p->number = stmt_i64(s, 0);
		p->len = body.len;
		memcpy(p->body, body.data, body.len);
		p->has_a = a.len == SIGN_LEN;
		p->has_b = b.len == SIGN_LEN;
		if (p->has_a)
			memcpy(p->a, a.data, SIGN_LEN);
		if (p->has_b)
			memcpy(p->b, b.data, SIGN_LEN);
	}
	check_int(r, 0);
}

static inline void model_read(const char *folder, struct model *model)
{
	struct segment_name *names = NULL;

	memset(model, 0, sizeof(*model));
	check_ok(segment_list(folder, &names, &model->n_files));
	check_true(model->n_files < FILES_MAX);
	for (size_t i = 0; i < model->n_files; i++) {
		struct file *file = &model->files[i];
		struct stmt *s;
		struct db *db;

		file->name = names[i];
		check_ok(segment_open(folder, &names[i], NULL, &db));
		check_ok(db_prepare(db, "SELECT seq, rec, head, mac FROM audit ORDER BY seq", &s));
		while (stmt_step(s) > 0) {
			struct row *row = &file->rows[file->n_rows++];
			struct view rec = stmt_blob(s, 1);

			check_true(file->n_rows < ROWS_MAX && rec.len <= sizeof(row->rec));
			row->seq = stmt_i64(s, 0);
			row->len = rec.len;
			memcpy(row->rec, rec.data, rec.len);
			memcpy(row->head, stmt_blob(s, 2).data, CRYPTO_HASH_LEN);
			memcpy(row->mac, stmt_blob(s, 3).data, CRYPTO_HASH_LEN);
			row->has_mac = true;
		}
		model_read_points(db, file);
		db_close(db);
	}
	free(names);
}
