/* The outbox: a verb's record is written where its effect is written, in one transaction, and moved on into the log
 * afterwards. A row keeps its number in the record, and numbers are never used twice; so whichever step a crash falls
 * between, a row that the log has already is recognised, and one that it lacks is still there.
 *
 * When it happened is stamped here, by the machine's own clocks: the row may wait for the next start. The boot it
 * belongs to is in outbox_boot, written once a start after the old rows have left.
 */
#include "audit/outbox.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/record.h"

const char audit_outbox_schema[] =
	"CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, rec BLOB NOT NULL) STRICT;"
	"CREATE TABLE outbox_boot(one INTEGER PRIMARY KEY CHECK(one = 1), boot_id BLOB NOT NULL) STRICT;";

static int64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int audit_outbox_put(struct db *db, const struct audit_record *record)
{
	struct record_stamp stamp = { .wall_us = clock_us(CLOCK_REALTIME), .boot_ms = clock_us(CLOCK_BOOTTIME) / 1000 };
	uint8_t buf[AUDIT_RECORD_MAX];
	size_t len = record_encode(record, &stamp, 0, NULL, buf);
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO outbox(rec) VALUES(?1)", &s);

	if (r)
		return r;
	stmt_bind_blob(s, 1, buf, len);
	return stmt_run(s);
}

int outbox_read(struct db *db, size_t max, struct outbox_row *ret, size_t *ret_n)
{
	struct stmt *s;
	size_t n = 0;
	int r = db_prepare(db, "SELECT id, rec FROM outbox ORDER BY id LIMIT ?1", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, (int64_t)max);
	while ((r = stmt_step(s)) > 0) {
		struct view rec = stmt_blob(s, 1);

		if (rec.len < RECORD_HEADER_LEN || rec.len > AUDIT_RECORD_MAX - 11) {
			stmt_reset(s);
			return -EBADMSG;
		}
		ret[n].id = (uint64_t)stmt_i64(s, 0);
		ret[n].len = rec.len;
		memcpy(ret[n++].data, rec.data, rec.len);
	}
	*ret_n = n;
	return r;
}

int outbox_delete(struct db *db, uint64_t up_to)
{
	struct stmt *s;
	int r = db_prepare(db, "DELETE FROM outbox WHERE id <= ?1", &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, (int64_t)up_to);
	return stmt_run(s);
}

int outbox_boot_get(struct db *db, uint8_t ret[RECORD_BOOT_ID_LEN])
{
	struct stmt *s;
	int r = db_prepare(db, "SELECT boot_id FROM outbox_boot WHERE one=1", &s);

	memset(ret, 0, RECORD_BOOT_ID_LEN);
	if (r)
		return r;
	r = stmt_step(s);
	if (r > 0) {
		struct view id = stmt_blob(s, 0);

		if (id.len == RECORD_BOOT_ID_LEN)
			memcpy(ret, id.data, id.len);
		stmt_reset(s);
		r = 0;
	}
	return r;
}

int outbox_boot_set(struct db *db, const uint8_t boot_id[RECORD_BOOT_ID_LEN])
{
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO outbox_boot(one, boot_id) VALUES(1, ?1) ON CONFLICT(one) DO UPDATE SET boot_id=?1", &s);

	if (r)
		return r;
	stmt_bind_blob(s, 1, boot_id, RECORD_BOOT_ID_LEN);
	return stmt_run(s);
}
