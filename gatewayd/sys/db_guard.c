/* The authorizer of an append-only database: SQLite asks it, while it compiles a statement, about
 * everything that the statement would touch. It knows nothing of what a row will hold; so a
 * REPLACE, which deletes without asking, is stopped by the triggers of the table, and this guard
 * sees to it that the triggers stay.
 */
#include "sys/db.h"

#include <string.h>
#include <strings.h>
#include "base/text.h"
#include "sys/db_inside.h"

static bool begins_with(const char *text, const char *prefix)
{
	return text && strncasecmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_guarded_table(const struct db *db, const char *table)
{
	return !db->append_table || begins_with(table, db->append_table) ||
	       begins_with(table, "sqlite_");
}

/* Pragmas that only answer. With a value they would set something, and are refused. */
static bool is_question(const char *pragma, const char *value)
{
	static const char *const questions[] = { "user_version",   "page_count",
						 "freelist_count", "page_size",
						 "application_id", "quick_check",
						 "integrity_check" };

	for (size_t i = 0; i < N_ELEMENTS(questions); i++)
		if (!value && strcasecmp(pragma, questions[i]) == 0)
			return true;
	return false;
}

int db_guard(void *ctx, int action, const char *a, const char *b, const char *database,
	     const char *trigger)
{
	struct db *db = ctx;

	(void)database;
	(void)trigger;
	if (!db->guarded)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_READ:
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	case SQLITE_INSERT:
		return begins_with(a, "sqlite_") ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_UPDATE:
	case SQLITE_DELETE:
		return is_guarded_table(db, a) ? SQLITE_DENY : SQLITE_OK;
	case SQLITE_PRAGMA:
		return is_question(a, b) ? SQLITE_OK : SQLITE_DENY;
	case SQLITE_FUNCTION:
		return text_equal(b, "load_extension") ? SQLITE_DENY : SQLITE_OK;
	default: /* CREATE, DROP, ALTER, ATTACH, REINDEX, and what later versions may bring */
		return SQLITE_DENY;
	}
}
