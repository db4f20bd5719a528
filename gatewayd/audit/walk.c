/* The checks, in the order in which a reader would be misled without them: no file is missing or added; every row is a record in
 * the one permitted form, bears the number of its place, its head follows from the head before it, and its MAC from the seed; the
 * first row of each file continues the file before it; each checkpoint fits what was read; the end is where those who know
 * say it is.
 */
#include "audit/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "audit/evolve.h"
#include "audit/tree.h"
#include "base/text.h"
#include "sys/crypto.h"

struct walker {
	const struct walk *walk;
	const struct walk_source *source;
	void *ctx;
	struct audit_verdict verdict;
	struct segment_tail tail; /* as computed */
	struct crypto_hash *hash;
	uint8_t log_id[RECORD_LOG_ID_LEN];
	const struct segment_name *name; /* the file we are in */
	char previous[SEGMENT_NAME_MAX]; /* "" none */
	struct record record; /* the row we are at */
	/* The seal: */
	struct evolve *evolve; /* NULL: no seed */
	bool is_seeded;        /* the next row's MAC can be computed */
	bool seed_seen, gone_seen;
	uint8_t tree_suite;
	struct crypto_hash *tree_hash;
	struct tree tree;
	struct walk_checkpoint next; /* the checkpoint that comes */
	struct checkpoint said;
	bool has_next, file_has_more;
	uint64_t checkpoints, covered;
	uint8_t last[CRYPTO_HASH_LEN];
};

/* The first fault counts: what follows it may be its consequence. */
static int fault_at(struct walker *w, uint64_t seq, const char *what)
{
	w->verdict.first_bad = seq ? seq : 1;
	(void)text_print(w->verdict.what, sizeof(w->verdict.what), "%s: %s", w->name ? w->name->text : "the log", what);
	return AUDIT_E_TAMPERED;
}

static int fault(struct walker *w, const char *what)
{
	return fault_at(w, w->tail.seq + 1, what);
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

static int fetch_checkpoint(struct walker *w)
{
	int r;

	if (w->has_next || !w->file_has_more)
		return 0;
	r = w->source->checkpoint(w->ctx, &w->next);
	if (r < 0)
		return r == -ENOMEM ? r : fault_at(w, w->tail.seq, "its checkpoints cannot be read");
	w->file_has_more = r > 0;
	if (r == 0)
		return 0;
	if (!w->walk->is_sealed)
		return fault_at(w, w->tail.seq, "there are checkpoints where none were made");
	if (!w->next.in_form || checkpoint_decode(w->next.body.data, w->next.body.len, &w->said))
		return fault_at(w, w->tail.seq, "a checkpoint is not in the form of one");
	if (w->said.tree.size < w->tail.seq)
		return fault_at(w, w->tail.seq, "a checkpoint that does not belong here");
	w->has_next = true;
	return 0;
}

static const char *compare_checkpoint(struct walker *w)
{
	const struct checkpoint *c = &w->said;
	uint8_t root[CRYPTO_HASH_LEN];

	if (c->number != w->checkpoints + 1 || w->next.number != (int64_t)c->number)
		return "a checkpoint is missing, or one too many";
	if (memcmp(c->previous, w->last, sizeof(w->last)) != 0)
		return "a checkpoint does not follow the one before it";
	if (memcmp(c->log_id, w->log_id, sizeof(w->log_id)) != 0 || c->suite != w->tree_suite)
		return "a checkpoint of another log";
	tree_root(&w->tree, w->tree_hash, root);
	if (memcmp(c->head, w->tail.head, CRYPTO_HASH_LEN) != 0 || memcmp(c->root, root, sizeof(root)) != 0)
		return "a checkpoint says otherwise: this record or one before it was changed";
	if (memcmp(c->tree.peaks, w->tree.peaks, tree_n_peaks(c->tree.size) * CRYPTO_HASH_LEN) != 0)
		return "a checkpoint whose peaks are wrong";
	return checkpoint_check_signatures(c, w->next.body.data, w->next.body.len, &w->next.signatures, w->walk->keys, w->walk->n_keys);
}

static int check_checkpoint(struct walker *w)
{
	const struct audit_check *check = &w->walk->check;
	const char *what = compare_checkpoint(w);

	if (what)
		return fault_at(w, w->tail.seq, what);
	for (size_t i = 0; i < check->n_anchors; i++) {
		if (check->anchors[i].checkpoint == w->said.number && check->anchors[i].seq != w->said.tree.size)
			return fault_at(w, w->tail.seq, "a checkpoint that an anchor from outside knows otherwise");
	}
	w->checkpoints = w->said.number;
	w->covered = w->said.tree.size;
	checkpoint_hash(w->tree_hash, w->next.body.data, w->next.body.len, w->last);
	w->has_next = false;
	return 0;
}

/* Those that stand at the row that was just read. */
static int check_checkpoints(struct walker *w)
{
	int r;

	for (;;) {
		r = fetch_checkpoint(w);
		if (r || !w->has_next || w->said.tree.size != w->tail.seq)
			return r;
		r = check_checkpoint(w);
		if (r)
			return r;
	}
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */

static int first_hashes(struct walker *w, uint8_t suite)
{
	int r = 0;

	w->hash = crypto_hash_free(w->hash);
	r = crypto_hash_new((enum crypto_hash_kind)suite, &w->hash);
	if (r || w->tree_hash)
		return r;
	w->tree_suite = suite;
	return crypto_hash_new((enum crypto_hash_kind)suite, &w->tree_hash);
}

static int check_first_row(struct walker *w)
{
	const struct record_segment *segment = &w->record.segment;

	if (!segment->present || w->record.record.kind != AUDIT_SEGMENT)
		return fault(w, "does not begin with a segment record");
	if (memcmp(segment->previous_head, w->tail.head, CRYPTO_HASH_LEN) != 0 || !text_equal(segment->previous_name, w->previous))
		return fault(w, "does not continue the segment before it");
	if (!text_equal(w->record.record.object, w->name->text))
		return fault(w, "was not written under this name");
	if (w->previous[0] && memcmp(segment->log_id, w->log_id, sizeof(w->log_id)) != 0)
		return fault(w, "belongs to another log");
	memcpy(w->log_id, segment->log_id, sizeof(w->log_id));
	return first_hashes(w, segment->suite);
}

/* The record that announces the seed at hand: from the next one on it vouches. */
static int begin_seed(struct walker *w)
{
	static const uint8_t prefix = 0x05;
	const uint8_t *seed = w->walk->check.seed;
	uint8_t name[CRYPTO_HASH_LEN];
	char hex[2 * CRYPTO_HASH_LEN + 1];

	crypto_hash_reset(w->hash);
	crypto_hash_add(w->hash, &prefix, 1);
	crypto_hash_add(w->hash, seed, AUDIT_SEED_LEN);
	crypto_hash_end(w->hash, name);
	hex_print(name, sizeof(name), hex);
	if (w->record.record.kind != AUDIT_SEED || !text_equal(w->record.record.object, hex))
		return fault(w, "is not the record of this seed");
	evolve_begin(w->evolve, w->tail.seq + 2, seed);
	w->is_seeded = w->seed_seen = true;
	return 0;
}

static int check_mac(struct walker *w, const struct walk_row *row, const uint8_t head[CRYPTO_HASH_LEN])
{
	uint8_t want[CRYPTO_HASH_LEN];

	if (row->has_mac != w->walk->is_sealed)
		return fault(w, row->has_mac ? "a seal where none was made" : "a record without a seal");
	if (row->has_mac && row->mac.len != CRYPTO_HASH_LEN)
		return fault(w, "a seal that is none");
	if (w->is_seeded) {
		evolve_mac(w->evolve, w->hash, head, want);
		if (!crypto_equal(want, row->mac.data, sizeof(want)))
			return fault(w, "its seal does not hold: the seed says otherwise");
		w->is_seeded = w->record.record.kind != AUDIT_SEED;
		evolve_step(w->evolve, w->hash);
	}
	return w->evolve && w->tail.seq + 1 == w->walk->check.seed_seq ? begin_seed(w) : 0;
}

/* What is known from elsewhere about the record that tail has just reached. */
static int check_known(struct walker *w)
{
	const struct walk *walk = w->walk;
	const struct audit_check *check = &walk->check;

	if (walk->known && walk->known->seq == w->tail.seq &&
	    memcmp(walk->known->head, w->tail.head, CRYPTO_HASH_LEN) != 0)
		return fault_at(w, w->tail.seq, "is not what this gateway has written");
	for (size_t i = 0; i < check->n_anchors; i++) {
		if (check->anchors[i].seq != w->tail.seq)
			continue;
		if (memcmp(check->anchors[i].head, w->tail.head, CRYPTO_HASH_LEN) != 0)
			return fault_at(w, w->tail.seq, "an anchor from outside says otherwise");
		w->verdict.anchors++;
		w->verdict.newest_anchor = w->tail.seq;
	}
	return 0;
}

/* The record that says what was before the first file is in the log like any other. */
static void note_drop(struct walker *w)
{
	const struct record_drop *gone = w->walk->gone;

	if (gone && w->record.record.kind == AUDIT_SEGMENT_DROP && text_equal(w->record.record.object, gone->name) &&
	    w->record.drop.len == gone->len && memcmp(w->record.drop.data, gone->field, gone->len) == 0)
		w->gone_seen = true;
}

static int check_row(struct walker *w, const struct walk_row *row, bool is_first)
{
	struct segment_tail next = { .seq = w->tail.seq + 1 };
	uint8_t leaf[CRYPTO_HASH_LEN];
	int r;

	if (row->seq != (int64_t)next.seq)
		return fault(w, row->seq > (int64_t)next.seq ? "a record is missing" : "a record that does not belong here");
	if (record_decode(row->rec.data, row->rec.len, &w->record))
		return fault(w, "a record is not in the form of a record");
	if (w->record.stamp.seq != next.seq)
		return fault(w, "a record bears another number than its place");
	r = is_first ? check_first_row(w) : w->record.segment.present ? fault(w, "a segment record in the middle") : 0;
	if (r)
		return r;
	segment_leaf(w->hash, row->rec.data, row->rec.len, leaf);
	segment_head(w->hash, w->tail.head, leaf, next.head);
	if (row->head.len != CRYPTO_HASH_LEN || memcmp(row->head.data, next.head, CRYPTO_HASH_LEN) != 0)
		return fault(w, "the chain breaks: this record or one before it was changed");
	r = check_mac(w, row, next.head);
	if (r)
		return r;
	if (w->walk->is_sealed)
		tree_add(&w->tree, w->tree_hash, leaf);
	note_drop(w);
	w->tail = next;
	w->verdict.records++;
	r = check_known(w);
	return r ? r : check_checkpoints(w);
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

static int check_file_end(struct walker *w, bool is_first, bool is_last_file)
{
	/* A crash between making a file and its first record leaves an empty one; the next start goes on in it. */
	if (is_first)
		return is_last_file ? 0 : fault(w, "is empty");
	if (w->has_next)
		return fault(w, "records are missing at its end: a checkpoint covers them");
	if (w->walk->is_sealed && !is_last_file && w->covered != w->tail.seq)
		return fault_at(w, w->tail.seq, "does not end with a checkpoint");
	return 0;
}

static int check_rows(struct walker *w, bool is_last_file)
{
	struct walk_row row;
	bool is_first = true;
	int r;

	w->has_next = false;
	w->file_has_more = true;
	while ((r = w->source->row(w->ctx, &row)) > 0) {
		r = check_row(w, &row, is_first);
		if (r)
			return r;
		is_first = false;
	}
	if (r == -ENOMEM)
		return r;
	return r ? fault(w, "its rows cannot be read") : check_file_end(w, is_first, is_last_file);
}

static int check_file(struct walker *w, size_t file)
{
	const char *what = "";
	int r = w->source->open(w->ctx, file, &what);

	if (r == 0)
		r = check_rows(w, file + 1 == w->walk->n_names);
	else if (r > 0)
		r = fault(w, what);
	w->source->close(w->ctx);
	return r;
}

static int check_end(struct walker *w)
{
	const struct walk *walk = w->walk;
	const struct segment_tail *known = walk->known;

	w->name = NULL;
	if (known && known->seq > w->tail.seq)
		return fault(w, "records are missing at the end");
	if (known && known->seq < w->tail.seq)
		return fault_at(w, known->seq + 1, "records at the end that this gateway did not write");
	for (size_t i = 0; i < walk->check.n_anchors; i++) {
		if (walk->check.anchors[i].seq > w->tail.seq)
			return fault(w, "records are missing at the end: an anchor from outside has seen them");
		if (walk->check.anchors[i].checkpoint > w->checkpoints)
			return fault_at(w, w->tail.seq, "checkpoints are missing at the end: an anchor from outside has seen them");
	}
	if (walk->known_checkpoints && walk->known_checkpoints != w->checkpoints)
		return fault_at(w, w->tail.seq, "checkpoints are missing at the end, or are not ours");
	if (w->evolve && !w->seed_seen)
		return fault(w, "the record of the seed is not there");
	if (walk->gone && !w->gone_seen)
		return fault(w, "the record of the dropped segment is not there");
	return 0;
}

/* The files before the first were dropped: what a record says of the last of them is where everything goes on. */
static int begin_behind(struct walker *w)
{
	const struct record_drop *gone = w->walk->gone;
	const struct audit_checkpoint *last = &gone->checkpoint;
	const struct checkpoint_signatures signatures = {
		.a = { last->signature_a, last->has_a ? SIGN_LEN : 0 },
		.b = { last->signature_b, last->has_b ? SIGN_LEN : 0 },
	};
	const char *what;
	int r;

	if (checkpoint_decode(last->body, last->len, &w->said))
		return fault(w, "what is said of the segment before it is no checkpoint");
	what = checkpoint_check_signatures(&w->said, last->body, last->len, &signatures, w->walk->keys, w->walk->n_keys);
	if (what)
		return fault(w, what);
	w->tree_suite = w->said.suite;
	r = crypto_hash_new((enum crypto_hash_kind)w->tree_suite, &w->tree_hash);
	if (r)
		return r;
	w->tree = w->said.tree;
	w->tail.seq = w->covered = w->said.tree.size;
	w->seed_seen = w->walk->check.seed_seq <= w->tail.seq; /* a seed that went with its record vouches for nothing */
	memcpy(w->tail.head, w->said.head, CRYPTO_HASH_LEN);
	memcpy(w->log_id, w->said.log_id, sizeof(w->log_id));
	(void)text_copy(w->previous, sizeof(w->previous), gone->name);
	w->checkpoints = w->said.number;
	checkpoint_hash(w->tree_hash, last->body, last->len, w->last);
	return 0;
}

static int check_files(struct walker *w)
{
	const struct walk *walk = w->walk;
	uint32_t first = walk->gone && walk->n_names ? walk->names[0].n : 1;
	int r = 0;

	for (size_t i = 0; i < walk->n_names && r == 0; i++) {
		w->name = &walk->names[i];
		if (w->name->n != first + i)
			return fault(w, w->name->n > first + i ? "the segment before it is missing" : "a second segment of its number");
		if (i == 0 && walk->gone)
			r = begin_behind(w);
		if (r == 0)
			r = check_file(w, i);
		(void)text_copy(w->previous, sizeof(w->previous), w->name->text);
	}
	return r ? r : check_end(w);
}

int walk_log(const struct walk *walk, const struct walk_source *source, void *ctx, struct audit_verdict *ret)
{
	struct walker *w = calloc(1, sizeof(*w));
	int r = w ? 0 : -ENOMEM;

	if (r)
		return r;
	*w = (struct walker){ .walk = walk, .source = source, .ctx = ctx };
	if (walk->check.seed_seq)
		r = evolve_new(&w->evolve);
	if (r == 0)
		r = check_files(w);
	crypto_hash_free(w->hash);
	crypto_hash_free(w->tree_hash);
	evolve_free(w->evolve);
	if (r >= 0) {
		if (w->verdict.newest_anchor)
			w->verdict.after_anchor = w->tail.seq - w->verdict.newest_anchor;
		*ret = w->verdict;
		r = r == 0 && !w->verdict.anchors ? AUDIT_E_NO_ANCHOR : r;
	}
	free(w);
	return r;
}
