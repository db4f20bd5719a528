/* The checks, in the order in which a reader would be misled without them: no file is missing or added; each is laid out as
 * ours are and is sound as a database; every row is a record in the one permitted form, bears the number of its place, and
 * its head follows from the head before it; the first row of each file continues the file before it; the end is where
 * those who know say it is.
 */
#include "audit/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct walker {
	const struct walk *walk;
	struct audit_verdict verdict;
	struct segment_tail tail; /* as computed */
	struct crypto_hash *hash;
	uint8_t log_id[RECORD_LOG_ID_LEN];
	const struct segment_name *name; /* the file we are in */
	const struct segment_name *previous;
	struct record record; /* the row we are at */
};

/* The first fault counts: what follows it may be its consequence. */
static int fault(struct walker *w, const char *what)
{
	w->verdict.first_bad = w->tail.seq + 1;
	(void)text_print(w->verdict.what, sizeof(w->verdict.what), "%s: %s", w->name ? w->name->text : "the log", what);
	return AUDIT_E_TAMPERED;
}

static int check_schema(struct walker *w, struct db *db)
{
	struct stmt *s;
	size_t i = 0;
	int r = db_prepare(db, "SELECT sql FROM sqlite_schema ORDER BY type, name", &s);

	if (r)
		return fault(w, "its schema cannot be read");
	while ((r = stmt_step(s)) > 0) {
		if (!segment_schema[i] || strcmp(stmt_text(s, 0), segment_schema[i]) != 0)
			break;
		i++;
	}
	stmt_reset(s);
	return r == 0 && !segment_schema[i] ? 0 : fault(w, "its schema is not the one it was made with");
}

static int check_pages(struct walker *w, struct db *db)
{
	struct stmt *s;
	bool is_sound = false;
	int r = db_prepare(db, "PRAGMA quick_check", &s);

	if (r == 0)
		r = stmt_step(s);
	if (r > 0)
		is_sound = strcmp(stmt_text(s, 0), "ok") == 0;
	if (r >= 0)
		stmt_reset(s);
	return is_sound ? 0 : fault(w, "the database is damaged");
}

/* Sealing has not begun: nothing may look like it. */
static int check_checkpoints(struct walker *w, struct db *db)
{
	struct stmt *s;
	int64_t n = -1;
	int r = db_prepare(db, "SELECT count(*) FROM checkpoint", &s);

	if (r == 0 && (r = stmt_step(s)) > 0) {
		n = stmt_i64(s, 0);
		stmt_reset(s);
	}
	return n == 0 ? 0 : fault(w, "there are checkpoints where none were made");
}

static int check_first_row(struct walker *w)
{
	const struct record_segment *segment = &w->record.segment;

	if (!segment->present || w->record.record.kind != AUDIT_SEGMENT)
		return fault(w, "does not begin with a segment record");
	if (memcmp(segment->previous_head, w->tail.head, CRYPTO_HASH_LEN) != 0 ||
	    !text_equal(segment->previous_name, w->previous ? w->previous->text : ""))
		return fault(w, "does not continue the segment before it");
	if (!text_equal(w->record.record.object, w->name->text))
		return fault(w, "was not written under this name");
	if (w->previous && memcmp(segment->log_id, w->log_id, sizeof(w->log_id)) != 0)
		return fault(w, "belongs to another log");
	memcpy(w->log_id, segment->log_id, sizeof(w->log_id));
	crypto_hash_free(w->hash);
	w->hash = NULL;
	return crypto_hash_new((enum crypto_hash_kind)segment->suite, &w->hash);
}

/* What is known from elsewhere about the record that tail has just reached. */
static int check_known(struct walker *w)
{
	const struct walk *walk = w->walk;

	if (walk->known && walk->known->seq == w->tail.seq &&
	    memcmp(walk->known->head, w->tail.head, CRYPTO_HASH_LEN) != 0)
		return fault(w, "is not what this gateway has written");
	for (size_t i = 0; i < walk->n_anchors; i++) {
		if (walk->anchors[i].seq != w->tail.seq)
			continue;
		if (memcmp(walk->anchors[i].head, w->tail.head, CRYPTO_HASH_LEN) != 0)
			return fault(w, "an anchor from outside says otherwise");
		w->verdict.anchors++;
		w->verdict.newest_anchor = w->tail.seq;
	}
	return 0;
}

static int check_row(struct walker *w, struct stmt *s, bool is_first)
{
	struct view rec = stmt_blob(s, 1), head = stmt_blob(s, 2);
	struct segment_tail next = { .seq = w->tail.seq + 1 };
	int r;

	if (stmt_i64(s, 0) != (int64_t)next.seq)
		return fault(w, stmt_i64(s, 0) > (int64_t)next.seq ? "a record is missing" : "a record that does not belong here");
	if (record_decode(rec.data, rec.len, &w->record))
		return fault(w, "a record is not in the form of a record");
	if (w->record.stamp.seq != next.seq)
		return fault(w, "a record bears another number than its place");
	r = is_first ? check_first_row(w) : w->record.segment.present ? fault(w, "a segment record in the middle") : 0;
	if (r)
		return r;
	segment_chain(w->hash, w->tail.head, rec.data, rec.len, next.head);
	if (head.len != CRYPTO_HASH_LEN || memcmp(head.data, next.head, CRYPTO_HASH_LEN) != 0)
		return fault(w, "the chain breaks: this record or one before it was changed");
	if (!stmt_is_null(s, 3))
		return fault(w, "a seal where none was made");
	w->tail = next;
	w->verdict.records++;
	r = check_known(w);
	if (r)
		w->verdict.first_bad = w->tail.seq;
	return r;
}

static int check_rows(struct walker *w, struct db *db, bool is_last_file)
{
	struct stmt *s;
	bool is_first = true;
	int r = db_prepare(db, "SELECT seq, rec, head, mac FROM audit ORDER BY seq", &s);

	if (r)
		return fault(w, "its rows cannot be read");
	while ((r = stmt_step(s)) > 0) {
		r = check_row(w, s, is_first);
		if (r)
			break;
		is_first = false;
	}
	stmt_reset(s);
	if (r == -ENOMEM || r == AUDIT_E_TAMPERED)
		return r;
	if (r)
		return fault(w, "its rows cannot be read");
	/* A crash between making a file and its first record leaves an empty one; the next start goes on in it. */
	return is_first && !is_last_file ? fault(w, "is empty") : 0;
}

static int check_file(struct walker *w, bool is_last_file)
{
	struct db *db = is_last_file ? w->walk->current : NULL;
	bool is_lent = db != NULL;
	int r = db ? 0 : segment_open(w->walk->folder, w->name, &db);

	if (r == -ENOMEM || r == -EMFILE)
		return r;
	if (r)
		return fault(w, "cannot be opened as a segment");
	r = check_schema(w, db);
	if (r == 0)
		r = check_pages(w, db);
	if (r == 0)
		r = check_checkpoints(w, db);
	if (r == 0)
		r = check_rows(w, db, is_last_file);
	if (!is_lent)
		db_close(db);
	return r;
}

static int check_end(struct walker *w)
{
	const struct segment_tail *known = w->walk->known;

	w->name = NULL;
	if (known && known->seq > w->tail.seq)
		return fault(w, "records are missing at the end");
	if (known && known->seq < w->tail.seq) {
		fault(w, "records at the end that this gateway did not write");
		w->verdict.first_bad = known->seq + 1;
		return AUDIT_E_TAMPERED;
	}
	for (size_t i = 0; i < w->walk->n_anchors; i++) {
		if (w->walk->anchors[i].seq > w->tail.seq)
			return fault(w, "records are missing at the end: an anchor from outside has seen them");
	}
	return 0;
}

static int walk_files(struct walker *w)
{
	const struct walk *walk = w->walk;
	int r = 0;

	for (size_t i = 0; i < walk->n_names && r == 0; i++) {
		w->name = &walk->names[i];
		if (w->name->n != i + 1)
			return fault(w, w->name->n > i + 1 ? "the segment before it is missing" : "a second segment of its number");
		r = check_file(w, i + 1 == walk->n_names);
		w->previous = w->name;
	}
	return r ? r : check_end(w);
}

int walk_log(const struct walk *walk, struct audit_verdict *ret)
{
	struct walker w = { .walk = walk };
	int r = walk_files(&w);

	crypto_hash_free(w.hash);
	if (r < 0)
		return r;
	if (w.verdict.newest_anchor)
		w.verdict.after_anchor = w.tail.seq - w.verdict.newest_anchor;
	*ret = w.verdict;
	return r == 0 && !w.verdict.anchors ? AUDIT_E_NO_ANCHOR : r;
}
