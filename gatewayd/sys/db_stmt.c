/* Statements, prepared once and kept. A statement is found by the address of its text, which is a
 * literal; so a look-up costs no string comparison. A bind cannot fail visibly: what goes wrong
 * there is told by the step.
 */
#include "sys/db.h"

#include <assert.h>
#include <string.h>
#include "sys/db_inside.h"

static size_t literal_hash(const char *literal)
{
	return (size_t)((uintptr_t)literal * UINT64_C(0x9e3779b97f4a7c15) >> 32) % DB_INDEX_SLOTS;
}

/* The slot that holds the literal, or the free one where it belongs. There are more slots than
 * statements. */
static size_t index_slot(const struct db *db, const char *literal)
{
	size_t slot = literal_hash(literal);

	while (db->index[slot] && db->stmts[db->index[slot] - 1].literal != literal)
		slot = (slot + 1) % DB_INDEX_SLOTS;
	return slot;
}

static int stmt_make(struct db *db, const char *literal, size_t slot, struct stmt **ret)
{
	struct stmt *s;
	const char *rest = NULL;
	int r;

	if (db->n_stmts == DB_STMTS_MAX)
		return -ENOBUFS;
	s = &db->stmts[db->n_stmts];
	r = db_fail(db, sqlite3_prepare_v3(db->handle, literal, -1, SQLITE_PREPARE_PERSISTENT,
					   &s->handle, &rest));
	if (r < 0)
		return r;
	assert(s->handle && !*rest); /* one statement, no more */
	s->db = db;
	s->literal = literal;
	s->bind_rc = SQLITE_OK;
	db->n_stmts++;
	db->index[slot] = (uint8_t)db->n_stmts;
	*ret = s;
	return 0;
}

int db_prepare(struct db *db, const char *sql_literal, struct stmt **ret)
{
	size_t slot = index_slot(db, sql_literal);
	struct stmt *s;

	if (!db->index[slot])
		return stmt_make(db, sql_literal, slot, ret);
	s = &db->stmts[db->index[slot] - 1];
	assert(strcmp(sqlite3_sql(s->handle), sql_literal) == 0); /* not a literal, then */
	sqlite3_reset(s->handle);
	sqlite3_clear_bindings(s->handle);
	s->bind_rc = SQLITE_OK;
	*ret = s;
	return 0;
}

void db_reset_statements(struct db *db)
{
	for (unsigned i = 0; i < db->n_stmts; i++)
		if (sqlite3_stmt_busy(db->stmts[i].handle))
			sqlite3_reset(db->stmts[i].handle);
}

void db_finalize(struct db *db)
{
	for (unsigned i = 0; i < db->n_stmts; i++)
		sqlite3_finalize(db->stmts[i].handle);
	db->n_stmts = 0;
}

static void bound(struct stmt *s, int rc)
{
	if (rc != SQLITE_OK && s->bind_rc == SQLITE_OK)
		s->bind_rc = rc;
}

void stmt_bind_i64(struct stmt *s, int col, int64_t v)
{
	bound(s, sqlite3_bind_int64(s->handle, col, v));
}

void stmt_bind_f64(struct stmt *s, int col, double v)
{
	bound(s, sqlite3_bind_double(s->handle, col, v));
}

void stmt_bind_text(struct stmt *s, int col, const char *text)
{
	bound(s, sqlite3_bind_text(s->handle, col, text, -1, SQLITE_STATIC));
}

void stmt_bind_blob(struct stmt *s, int col, const void *data, size_t len)
{
	/* An empty blob is not NULL. */
	bound(s, sqlite3_bind_blob64(s->handle, col, len ? data : "", len, SQLITE_STATIC));
}

void stmt_bind_null(struct stmt *s, int col)
{
	bound(s, sqlite3_bind_null(s->handle, col));
}

int stmt_step(struct stmt *s)
{
	int rc = s->bind_rc, r;

	errno = 0; /* so that db_fail finds the reason of an I/O error there */
	if (rc == SQLITE_OK)
		rc = sqlite3_step(s->handle);
	if (rc == SQLITE_ROW)
		return 1;
	r = db_fail(s->db, rc);
	sqlite3_reset(s->handle);
	return r;
}

int stmt_run(struct stmt *s)
{
	int r;

	do
		r = stmt_step(s);
	while (r > 0);
	return r;
}

int64_t stmt_i64(struct stmt *s, int col)
{
	return sqlite3_column_int64(s->handle, col);
}

double stmt_f64(struct stmt *s, int col)
{
	return sqlite3_column_double(s->handle, col);
}

const char *stmt_text(struct stmt *s, int col)
{
	const char *text = (const char *)sqlite3_column_text(s->handle, col);

	return text ? text : "";
}

struct view stmt_blob(struct stmt *s, int col)
{
	const uint8_t *data = sqlite3_column_blob(s->handle, col);
	int len = sqlite3_column_bytes(s->handle, col);

	return (struct view){ .data = data, .len = data && len > 0 ? (size_t)len : 0 };
}

bool stmt_is_null(struct stmt *s, int col)
{
	return sqlite3_column_type(s->handle, col) == SQLITE_NULL;
}

void stmt_reset(struct stmt *s)
{
	sqlite3_reset(s->handle);
}
