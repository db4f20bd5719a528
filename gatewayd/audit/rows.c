/* The file to begin with is looked for from the newest backwards, because most who ask want the last few records. */
#include "audit/rows.h"

#include <string.h>

#include "audit/record.h"

static bool is_lent(const struct rows *rows)
{
	return rows->last && rows->at + 1 == rows->n_names;
}

static void file_close(struct rows *rows)
{
	if (rows->stmt)
		stmt_reset(rows->stmt);
	rows->stmt = NULL;
	if (rows->db && !is_lent(rows))
		db_close(rows->db);
	rows->db = NULL;
}

/* Its first record: what number, and how the file is hashed. SEGMENT_E_EMPTY. */
static int file_head(struct rows *rows, uint64_t *ret_first)
{
	struct record record;
	struct stmt *s;
	int r = db_prepare(rows->db, "SELECT seq, rec FROM audit ORDER BY seq LIMIT 1", &s);

	if (r == 0)
		r = stmt_step(s);
	if (r <= 0)
		return r ? r : SEGMENT_E_EMPTY;
	struct view rec = stmt_blob(s, 1);

	r = record_decode(rec.data, rec.len, &record) || !record.segment.present ? -EBADMSG : 0;
	*ret_first = (uint64_t)stmt_i64(s, 0);
	stmt_reset(s);
	if (r || (rows->hash && record.segment.suite == rows->suite))
		return r;
	rows->suite = record.segment.suite;
	rows->hash = crypto_hash_free(rows->hash);
	return crypto_hash_new((enum crypto_hash_kind)rows->suite, &rows->hash);
}

static int file_open(struct rows *rows, size_t at, uint64_t *ret_first)
{
	int r = 0;

	file_close(rows);
	rows->at = at;
	rows->db = is_lent(rows) ? rows->last : NULL;
	if (!rows->db)
		r = segment_open(rows->folder, &rows->names[at], rows->keys, &rows->db);
	if (r)
		return r < 0 ? r : -EBADMSG;
	return file_head(rows, ret_first);
}

static int file_select(struct rows *rows)
{
	int r = db_prepare(rows->db, "SELECT seq, rec, head, mac FROM audit WHERE seq >= ?1 ORDER BY seq", &rows->stmt);

	if (r == 0)
		stmt_bind_i64(rows->stmt, 1, (int64_t)rows->next);
	return r;
}

int rows_open(struct rows *rows, uint64_t seq)
{
	uint64_t first = 0;
	int r = 0;

	rows->db = NULL;
	rows->stmt = NULL;
	rows->hash = NULL;
	rows->next = seq;
	rows->at = rows->n_names;
	for (size_t i = rows->n_names; i-- > 0;) {
		r = file_open(rows, i, &first);
		if (r < 0)
			break;
		if (r == 0 && first <= seq)
			return file_select(rows);
	}
	if (r == 0 && rows->db)
		return file_select(rows);
	if (r == SEGMENT_E_EMPTY)
		r = 0;
	file_close(rows);
	rows->at = rows->n_names;
	if (r < 0)
		rows_close(rows);
	return r;
}

int rows_next(struct rows *rows, struct rows_row *ret)
{
	uint64_t first;
	int r;

	while (rows->stmt) {
		r = stmt_step(rows->stmt);
		if (r < 0) {
			rows->stmt = NULL;
			return r;
		}
		if (r > 0) {
			*ret = (struct rows_row){ (uint64_t)stmt_i64(rows->stmt, 0), stmt_blob(rows->stmt, 1), stmt_blob(rows->stmt, 2),
						  stmt_blob(rows->stmt, 3) };
			rows->next = ret->seq + 1;
			return 1;
		}
		rows->stmt = NULL;
		if (rows->at + 1 == rows->n_names)
			break;
		r = file_open(rows, rows->at + 1, &first);
		if (r == SEGMENT_E_EMPTY)
			break; /* the newest may be */
		if (r == 0)
			r = file_select(rows);
		if (r)
			return r;
	}
	return 0;
}

void rows_close(struct rows *rows)
{
	file_close(rows);
	rows->at = rows->n_names;
	rows->hash = crypto_hash_free(rows->hash);
}
