/* A segment is an SQLite file with one table that matters. seq is the key, rec the bytes that are hashed, head the chain
 * up to here; mac and the table checkpoint seal it. There is no other
 * column: what a reader is shown comes out of rec, so there is nothing beside it that could be changed unnoticed.
 *
 * Three fences keep our own process from changing what is written: triggers (a BEFORE INSERT guard too, for REPLACE
 * deletes without firing a delete trigger), the authorizer, and DEFENSIVE. They are no protection from somebody who
 * opens the file by other means: from him nothing is hidden that verify would not find.
 */
#include "audit/segment.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static const char sql_audit[] =
	"CREATE TABLE audit(seq INTEGER PRIMARY KEY, rec BLOB NOT NULL, head BLOB NOT NULL, mac BLOB) STRICT";
static const char sql_checkpoint[] =
	"CREATE TABLE checkpoint(number INTEGER PRIMARY KEY, body BLOB NOT NULL, signature_a BLOB, signature_b BLOB) STRICT";
static const char sql_no_delete[] =
	"CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'append only'); END";
static const char sql_no_update[] =
	"CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'append only'); END";
static const char sql_guard[] =
	"CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN new.seq < 1 OR length(new.head) IS NOT 32"
	" OR new.seq IS NOT (SELECT coalesce(max(seq), new.seq - 1) + 1 FROM audit)"
	" BEGIN SELECT raise(ABORT, 'append only'); END";
static const char sql_checkpoint_no_delete[] =
	"CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT raise(ABORT, 'append only'); END";
static const char sql_checkpoint_no_update[] =
	"CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT raise(ABORT, 'append only'); END";
static const char sql_checkpoint_guard[] =
	"CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint WHEN new.number < 1"
	" OR new.number IS NOT (SELECT coalesce(max(number), new.number - 1) + 1 FROM checkpoint)"
	" BEGIN SELECT raise(ABORT, 'append only'); END";

/* By type and name, as sqlite_schema is asked. */
const char *const segment_schema[] = {
	sql_audit,	 sql_checkpoint, sql_no_delete, sql_guard, sql_no_update, sql_checkpoint_no_delete,
	sql_checkpoint_guard, sql_checkpoint_no_update, NULL,
};

static const char schema_1[] =
	"CREATE TABLE audit(seq INTEGER PRIMARY KEY, rec BLOB NOT NULL, head BLOB NOT NULL, mac BLOB) STRICT;"
	"CREATE TABLE checkpoint(number INTEGER PRIMARY KEY, body BLOB NOT NULL, signature_a BLOB, signature_b BLOB) STRICT;"
	"CREATE TRIGGER audit_delete BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'append only'); END;"
	"CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'append only'); END;"
	"CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN new.seq < 1 OR length(new.head) IS NOT 32"
	" OR new.seq IS NOT (SELECT coalesce(max(seq), new.seq - 1) + 1 FROM audit)"
	" BEGIN SELECT raise(ABORT, 'append only'); END;"
	"CREATE TRIGGER checkpoint_delete BEFORE DELETE ON checkpoint BEGIN SELECT raise(ABORT, 'append only'); END;"
	"CREATE TRIGGER checkpoint_update BEFORE UPDATE ON checkpoint BEGIN SELECT raise(ABORT, 'append only'); END;"
	"CREATE TRIGGER checkpoint_insert BEFORE INSERT ON checkpoint WHEN new.number < 1"
	" OR new.number IS NOT (SELECT coalesce(max(number), new.number - 1) + 1 FROM checkpoint)"
	" BEGIN SELECT raise(ABORT, 'append only'); END;";

static const struct db_migration migrations[] = { { 1, schema_1 } };

struct db_options segment_options(struct db_keys *keys)
{
	return (struct db_options){
		.sync = DB_SYNC_EXTRA,
		.append_only = true,
		.append_table = NULL,
		.migrations = migrations,
		.n_migrations = N_ELEMENTS(migrations),
		.keys = keys,
	};
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

int segment_month(int64_t wall_us)
{
	time_t t = (time_t)(wall_us / 1000000);
	struct tm tm;

	if (wall_us < 0 || !gmtime_r(&t, &tm) || tm.tm_year > 9999 - 1900)
		return 197001;
	return (tm.tm_year + 1900) * 100 + tm.tm_mon + 1;
}

void segment_name_make(int64_t wall_us, uint32_t n, struct segment_name *ret)
{
	ret->n = n;
	(void)text_print(ret->text, sizeof(ret->text), "audit-%06d-%u.db", segment_month(wall_us), n);
}

int segment_name_month(const struct segment_name *name)
{
	return (int)strtol(name->text + strlen("audit-"), NULL, 10);
}

bool segment_name_parse(const char *text, struct segment_name *ret)
{
	char number[SEGMENT_NAME_MAX], month[8];
	size_t len = strlen(text);
	uint32_t n, m;

	/* audit-YYYYMM-n.db, and n as we write it */
	if (len < 17 || len >= SEGMENT_NAME_MAX || strncmp(text, "audit-", 6) != 0 || text[12] != '-' ||
	    strcmp(text + len - 3, ".db") != 0 || text[13] == '0')
		return false;
	(void)text_copy_n(month, sizeof(month), text + 6, 6);
	(void)text_copy_n(number, sizeof(number), text + 13, len - 16);
	if (text_to_u32(month, 0, 999912, &m) || text_to_u32(number, 1, UINT32_MAX, &n))
		return false;
	ret->n = n;
	(void)text_copy(ret->text, sizeof(ret->text), text);
	return true;
}

static int name_compare(const void *a, const void *b)
{
	const struct segment_name *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

static int list_fill(DIR *dir, struct segment_name **names, size_t *n)
{
	struct dirent *entry;
	size_t cap = 0;

	while ((entry = readdir(dir))) {
		struct segment_name name;

		if (!segment_name_parse(entry->d_name, &name))
			continue;
		if (*n == SEGMENTS_MAX)
			return -E2BIG;
		if (*n == cap) {
			cap = cap ? 2 * cap : 16;
			struct segment_name *more = realloc(*names, cap * sizeof(*more));

			if (!more)
				return -ENOMEM;
			*names = more;
		}
		(*names)[(*n)++] = name;
	}
	return 0;
}

int segment_list(const char *folder, struct segment_name **ret, size_t *ret_n)
{
	struct segment_name *names = NULL;
	size_t n = 0;
	DIR *dir = opendir(folder);
	int r;

	if (!dir)
		return -errno;
	r = list_fill(dir, &names, &n);
	closedir(dir);
	if (r) {
		free(names);
		return r;
	}
	if (n)
		qsort(names, n, sizeof(*names), name_compare);
	*ret = names;
	*ret_n = n;
	return 0;
}

int segment_open(const char *folder, const struct segment_name *name, struct db_keys *keys, struct db **ret)
{
	const struct db_options options = segment_options(keys);
	char path[4096];

	if (!text_print(path, sizeof(path), "%s/%s", folder, name->text))
		return -ENAMETOOLONG;
	return db_open(path, &options, ret);
}

bool segment_may_open_later(int r)
{
	static const int errors[] = { ENOMEM, EMFILE, ENFILE, EINTR, EAGAIN, EBUSY, ENOSPC, EROFS, EACCES };

	for (size_t i = 0; i < N_ELEMENTS(errors); i++)
		if (r == -errors[i])
			return true;
	return false;
}

static int path_sync(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags), r = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

int segment_sync(const char *folder, const struct segment_name *name)
{
	static const char *const endings[] = { "", "-wal" };
	char path[4096];
	int r = 0;

	for (size_t i = 0; i < N_ELEMENTS(endings) && r == 0; i++)
		r = text_print(path, sizeof(path), "%s/%s%s", folder, name->text, endings[i]) ? path_sync(path, 0) : -ENAMETOOLONG;
	return r ? r : path_sync(folder, O_DIRECTORY);
}

/* --- the chain ------------------------------------------------------------------------------------------------------- */

void segment_leaf(struct crypto_hash *hash, const void *rec, size_t len, uint8_t ret[CRYPTO_HASH_LEN])
{
	static const uint8_t prefix = 0x00;

	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, rec, len);
	crypto_hash_end(hash, ret);
}

void segment_head(struct crypto_hash *hash, const uint8_t previous[CRYPTO_HASH_LEN], const uint8_t leaf[CRYPTO_HASH_LEN],
		  uint8_t ret[CRYPTO_HASH_LEN])
{
	static const uint8_t prefix = 0x02;

	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, previous, CRYPTO_HASH_LEN);
	crypto_hash_add(hash, leaf, CRYPTO_HASH_LEN);
	crypto_hash_end(hash, ret);
}

void segment_chain(struct crypto_hash *hash, const uint8_t previous[CRYPTO_HASH_LEN], const void *rec, size_t len,
		   uint8_t ret[CRYPTO_HASH_LEN])
{
	uint8_t leaf[CRYPTO_HASH_LEN];

	segment_leaf(hash, rec, len, leaf);
	segment_head(hash, previous, leaf, ret);
}

int segment_tail_read(struct db *db, struct segment_tail *ret)
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT seq, head FROM audit ORDER BY seq DESC LIMIT 1", &s);

	if (r)
		return r;
	r = stmt_step(s);
	if (r <= 0)
		return r ? r : SEGMENT_E_EMPTY;
	struct view head = stmt_blob(s, 1);

	if (head.len != CRYPTO_HASH_LEN || stmt_i64(s, 0) < 1) {
		stmt_reset(s);
		return -EBADMSG;
	}
	ret->seq = (uint64_t)stmt_i64(s, 0);
	memcpy(ret->head, head.data, CRYPTO_HASH_LEN);
	stmt_reset(s);
	return 0;
}

int segment_insert(struct db *db, const struct segment_tail *row, const void *rec, size_t len, const uint8_t *mac)
{
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO audit(seq, rec, head, mac) VALUES(?1, ?2, ?3, ?4)", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, (int64_t)row->seq);
	stmt_bind_blob(s, 2, rec, len);
	stmt_bind_blob(s, 3, row->head, CRYPTO_HASH_LEN);
	stmt_bind_blob(s, 4, mac, CRYPTO_HASH_LEN);
	return stmt_run(s);
}

int segment_put(struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec, size_t len)
{
	struct segment_tail next = { .seq = tail->seq + 1 };
	int r;

	record_set_seq(rec, next.seq);
	segment_chain(hash, tail->head, rec, len, next.head);
	r = segment_insert(db, &next, rec, len, NULL);
	if (r == 0)
		*tail = next;
	return r;
}

int segment_outbox_read(struct db *db, uint64_t *ret)
{
	struct record record;
	struct stmt *s;
	int r = db_prepare(db, "SELECT rec FROM audit ORDER BY seq DESC", &s);

	*ret = 0;
	if (r)
		return r;
	while ((r = stmt_step(s)) > 0) {
		struct view rec = stmt_blob(s, 0);

		if (record_decode(rec.data, rec.len, &record) || !record.outbox)
			continue;
		*ret = record.outbox;
		break;
	}
	stmt_reset(s);
	return r < 0 ? r : 0;
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

int segment_checkpoint_put(struct db *db, const struct audit_checkpoint *checkpoint)
{
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO checkpoint(number, body, signature_a, signature_b) VALUES(?1, ?2, ?3, ?4)", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, (int64_t)checkpoint->number);
	stmt_bind_blob(s, 2, checkpoint->body, checkpoint->len);
	stmt_bind_blob(s, 3, checkpoint->has_a ? checkpoint->signature_a : NULL, SIGN_LEN);
	stmt_bind_blob(s, 4, checkpoint->has_b ? checkpoint->signature_b : NULL, SIGN_LEN);
	return stmt_run(s);
}

static bool signature_read(struct stmt *s, int col, bool *ret_has, uint8_t ret[SIGN_LEN])
{
	struct view v = stmt_blob(s, col);

	*ret_has = v.len == SIGN_LEN;
	if (*ret_has)
		memcpy(ret, v.data, SIGN_LEN);
	return *ret_has || stmt_is_null(s, col);
}

int segment_checkpoint_read(struct db *db, uint64_t number, struct audit_checkpoint *ret)
{
	struct stmt *s;
	bool is_good;
	int r = db_prepare(db,
			   "SELECT number, body, signature_a, signature_b FROM checkpoint WHERE ?1 IN (0, number)"
			   " ORDER BY number DESC LIMIT 1",
			   &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, (int64_t)number);
	r = stmt_step(s);
	if (r <= 0)
		return r ? r : SEGMENT_E_EMPTY;
	struct view body = stmt_blob(s, 1);

	memset(ret, 0, sizeof(*ret));
	ret->number = (uint64_t)stmt_i64(s, 0);
	ret->len = body.len;
	is_good = body.len && body.len <= sizeof(ret->body) && signature_read(s, 2, &ret->has_a, ret->signature_a) &&
		  signature_read(s, 3, &ret->has_b, ret->signature_b);
	if (is_good)
		memcpy(ret->body, body.data, body.len);
	stmt_reset(s);
	return is_good ? 0 : -EBADMSG;
}
