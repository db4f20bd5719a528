/* At the start: which file is the newest, does its end hold, whose log is it. A log whose end does not hold is not refused
 * (the home must run), nor trusted: a new segment begins that says what was found, and verifying will say it for ever. So it
 * is looked at twice before that is said, and what fails for want of memory or descriptors is a start that fails.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/inside.h"
#include "base/text.h"

enum { TAIL_CHECKED = 64 /* rows */, LOOKS = 2 };

/* The first row of a file says whose log it is and how it is hashed. */
static int first_check(struct audit *audit, const struct record *record, struct crypto_hash **hash)
{
	if (!record->segment.present)
		return -EBADMSG;
	memcpy(audit->log_id, record->segment.log_id, RECORD_LOG_ID_LEN);
	audit->suite_found = (enum crypto_hash_kind)record->segment.suite;
	return crypto_hash_new(audit->suite_found, hash);
}

/* The last rows hang together. */
static int tail_check(struct audit *audit, struct db *db)
{
	struct crypto_hash *hash = NULL;
	uint8_t previous[CRYPTO_HASH_LEN], head[CRYPTO_HASH_LEN];
	struct record record;
	struct stmt *s;
	bool chained = false;
	uint64_t last = 0;
	int r = db_prepare(db,
			   "SELECT seq, rec, head FROM audit WHERE seq > (SELECT max(seq) FROM audit) - ?1"
			   " OR seq = (SELECT min(seq) FROM audit) ORDER BY seq",
			   &s);

	if (r)
		return r;
	stmt_bind_i64(s, 1, TAIL_CHECKED);
	while ((r = stmt_step(s)) > 0) {
		struct view rec = stmt_blob(s, 1), kept = stmt_blob(s, 2);
		uint64_t seq = (uint64_t)stmt_i64(s, 0);
		bool is_next = chained && seq == last + 1;

		if (record_decode(rec.data, rec.len, &record) || record.stamp.seq != seq || kept.len != CRYPTO_HASH_LEN)
			break;
		int first = chained ? 0 : first_check(audit, &record, &hash);

		if (first) {
			r = first < 0 ? first : r;
			break;
		}
		if (is_next) {
			segment_chain(hash, previous, rec.data, rec.len, head);
			if (memcmp(head, kept.data, CRYPTO_HASH_LEN) != 0)
				break;
		}
		memcpy(previous, kept.data, CRYPTO_HASH_LEN);
		chained = true;
		last = seq;
	}
	stmt_reset(s);
	crypto_hash_free(hash);
	return r > 0 ? -EBADMSG : r;
}

static int tail_look(struct audit *audit, const struct segment_name *name, struct segment_name *ret_previous)
{
	struct db *db = NULL;
	int r = segment_open(audit->folder, name, audit_pages(audit), &db);

	if (r == 0)
		r = segment_tail_read(db, &audit->tail);
	if (r == 0)
		*ret_previous = *name;
	if (r == 0)
		r = tail_check(audit, db);
	db_close(db);
	return r;
}

/* Where the log ended, from its newest file that has a row. What cannot be read is passed over and told. */
static int tail_find(struct audit *audit, const struct segment_name *names, size_t n, struct segment_name *ret_previous)
{
	ret_previous->n = 0;
	for (size_t i = n; i-- > 0 && !ret_previous->n;) {
		int r = tail_look(audit, &names[i], ret_previous);

		if (segment_may_open_later(r))
			return r;
		if (r && r != SEGMENT_E_EMPTY)
			(void)text_print(audit->fault, sizeof(audit->fault), "the end of %s does not hold: %s", names[i].text,
					 r < 0 ? strerror(-r) : "not ours");
	}
	return 0;
}

/* A bad moment of the medium does not come twice. */
static int look_at_end(struct audit *audit, const struct segment_name *names, size_t n, struct segment_name *ret_previous)
{
	int r = 0;

	for (int look = 0; look < LOOKS; look++) {
		audit->tail = (struct segment_tail){ .seq = 0 };
		audit->suite_found = audit->suite;
		audit->fault[0] = 0;
		r = tail_find(audit, names, n, ret_previous);
		if (r == 0 && audit->writer.sealer)
			r = audit_recover(audit, names, n);
		if (r == 0 && !audit->fault[0])
			break;
	}
	return r;
}

/* A file that is followed by another ends with a checkpoint. */
static int end_segment(struct audit *audit, const struct segment_name *name)
{
	struct record_stamp stamp = audit_stamp_now(audit);
	struct list made;
	struct db *db = NULL;
	int r = segment_open(audit->folder, name, audit_pages(audit), &db);

	list_init(&made);
	if (r == 0)
		r = audit_point_make(audit, db, CHECKPOINT_SEGMENT_END, &stamp, &made);
	db_close(db);
	audit_points_say(audit, &made);
	return r > 0 ? -EBADMSG : r;
}

/* The newest file goes on when it is whole; an empty one is what a crash left of a change. */
static int start_segment(struct audit *audit, struct db *db, const struct segment_name *name, const struct segment_name *previous)
{
	struct record_stamp stamp = audit_stamp_now(audit);
	struct segment_tail tail;
	int r = segment_tail_read(db, &tail);

	if (r == SEGMENT_E_EMPTY) {
		tail = audit->tail;
		r = audit_begin_segment(audit, db, name, previous->n ? previous : NULL, &stamp, &tail);
	}
	if (r == 0)
		audit->tail = audit->writer.last = tail;
	audit->segment = audit->writer.segment = *name;
	return r;
}

static int open_current(struct audit *audit, const struct segment_name *current, const struct segment_name *previous)
{
	const struct db_options options = segment_options(audit_pages(audit));
	char path[4096];
	struct stat st;
	int r;

	if (!text_print(path, sizeof(path), "%s/%s", audit->folder, current->text))
		return -ENAMETOOLONG;
	r = store_add(audit->store, "audit", path, &options, &audit->db);
	if (r)
		return r;
	if (stat(path, &st) == 0)
		audit->segment_bytes = (uint64_t)st.st_size;
	return start_segment(audit, store_db(audit->store, audit->db), current, previous);
}

/* Which file goes on: the newest, when nothing is wrong and it is hashed as we hash, or has no record yet. */
static int open_next(struct audit *audit, const struct segment_name *names, size_t n, const struct segment_name *previous)
{
	bool is_whole = !audit->fault[0], is_empty = n && names[n - 1].n != previous->n;
	struct segment_name current;
	int r = 0;

	if (n && is_whole && (is_empty || audit->suite_found == audit->suite))
		current = names[n - 1];
	else
		segment_name_make(loop_wall_us(audit->loop), n ? names[n - 1].n + 1 : 1, &current);
	if (audit->writer.sealer && is_whole && previous->n && previous->n != current.n)
		r = end_segment(audit, previous);
	return r ? r : open_current(audit, &current, previous);
}

int audit_open_log(struct audit *audit)
{
	struct segment_name *names = NULL, previous;
	struct sealer *sealer = audit->writer.sealer;
	size_t n = 0;
	int r = segment_list(audit->folder, &names, &n);

	if (r)
		return r;
	crypto_random(audit->log_id, sizeof(audit->log_id));
	r = look_at_end(audit, names, n, &previous);
	if (r == 0)
		r = open_next(audit, names, n, &previous);
	free(names);
	if (r || !sealer)
		return r;
	sealer_settle(sealer);
	audit_points_given(audit, (size_t)sealer_uncovered(sealer));
	return audit->fault[0] ? sealer_write_key(sealer) : 0;
}
