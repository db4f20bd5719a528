/* At the start: does the log that is there end as audit.key says that we left it? Its newest checkpoint must be in the log, and
 * from there each row must hang together; from the size that audit.key knows, each must bear the MAC of its key, which
 * is found by evolving. A crash leaves a log that is longer than audit.key knows, and never one that is shorter.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"
#include "audit/keyfile.h"
#include "audit/rows.h"
#include "base/text.h"

struct recovery {
	struct audit *audit;
	const struct segment_name *names;
	size_t n_names;
	const struct keyfile_slot *slot; /* NULL: nothing that could be believed */
	struct audit_checkpoint newest, known; /* in the log; the one that slot names. number 0: none */
	struct checkpoint newest_said, known_said;
	struct sealer_point point;
};

/* The first fault is the one that is told. */
static printf_like(2, 3) void fault(struct recovery *rec, const char *fmt, ...)
{
	va_list args;

	if (rec->audit->fault[0])
		return;
	va_start(args, fmt);
	(void)vsnprintf(rec->audit->fault, sizeof(rec->audit->fault), fmt, args);
	va_end(args);
}

/* From the newest file backwards; a file that does not open has none. */
static int checkpoint_find(struct recovery *rec, uint64_t number, struct audit_checkpoint *ret, struct checkpoint *said)
{
	for (size_t i = rec->n_names; i-- > 0 && !ret->number;) {
		struct db *db = NULL;
		int r = segment_open(rec->audit->folder, &rec->names[i], audit_pages(rec->audit), &db);

		if (r == 0)
			r = segment_checkpoint_read(db, number, ret);
		db_close(db);
		if (r == 0 && (checkpoint_decode(ret->body, ret->len, said) || said->number != ret->number))
			r = -EBADMSG;
		if (r)
			ret->number = 0;
		if (segment_may_open_later(r))
			return r;
	}
	return 0;
}

static void hash_of(const struct audit_checkpoint *checkpoint, const struct checkpoint *said, uint8_t ret[CRYPTO_HASH_LEN])
{
	struct crypto_hash *hash;

	memset(ret, 0, CRYPTO_HASH_LEN);
	if (!checkpoint->number || crypto_hash_new((enum crypto_hash_kind)said->suite, &hash))
		return;
	checkpoint_hash(hash, checkpoint->body, checkpoint->len, ret);
	crypto_hash_free(hash);
}

/* --- audit.key ------------------------------------------------------------------------------------------------------- */

static int key_read(struct recovery *rec)
{
	uint64_t seq = rec->audit->tail.seq;
	int r = sealer_read_key(rec->audit->writer.sealer, &rec->slot);

	if (r < 0)
		return r;
	if (r == 0)
		return 0;
	rec->slot = NULL;
	if (r == KEYFILE_E_SEALED)
		fault(rec, "audit.key does not open: the log has %" PRIu64 " records", seq);
	else if (seq)
		fault(rec, "audit.key is missing: the log has %" PRIu64 " records", seq);
	return 0;
}

static int key_compare(struct recovery *rec)
{
	const struct keyfile_slot *slot = rec->slot;
	uint8_t hash[CRYPTO_HASH_LEN];
	int r = 0;

	if (!slot)
		return 0;
	if (slot->size > rec->audit->tail.seq)
		fault(rec, "the log has %" PRIu64 " records, audit.key knows of %" PRIu64, rec->audit->tail.seq, slot->size);
	if (rec->newest.number && rec->newest_said.tree.size > rec->audit->tail.seq)
		fault(rec, "the log has %" PRIu64 " records, its checkpoint covers %" PRIu64, rec->audit->tail.seq, rec->newest_said.tree.size);
	if (slot->checkpoints)
		r = checkpoint_find(rec, slot->checkpoints, &rec->known, &rec->known_said);
	if (r)
		return r;
	hash_of(&rec->known, &rec->known_said, hash);
	if (memcmp(hash, slot->last, sizeof(hash)) != 0)
		fault(rec, rec->known.number ? "checkpoint %" PRIu64 " is not the one that was made" : "checkpoint %" PRIu64 " is missing", slot->checkpoints);
	return 0;
}

/* --- rows ------------------------------------------------------------------------------------------------------------ */

/* Where to count the tree on from: what audit.key vouches for, and that may be the very beginning, although a checkpoint that it has not
 * heard of is in the log; or else the newest there is. */
static void point_begin(struct recovery *rec)
{
	struct audit *audit = rec->audit;
	bool is_known = rec->slot && !audit->fault[0];
	const struct checkpoint *from = is_known ? &rec->known_said : &rec->newest_said;
	bool is_there = is_known ? rec->known.number : rec->newest.number;
	struct sealer_point *point = &rec->point;

	point->suite = (uint8_t)audit->suite;
	if (is_there && from->tree.size <= audit->tail.seq) {
		point->suite = from->suite;
		point->tree = from->tree;
		point->tail.seq = from->tree.size;
		memcpy(point->tail.head, from->head, CRYPTO_HASH_LEN);
	}
	point->checkpoints = rec->newest.number;
	point->covered = rec->newest.number ? rec->newest_said.tree.size : 0;
	hash_of(&rec->newest, &rec->newest_said, point->last);
	if (rec->slot && rec->slot->checkpoints > point->checkpoints) { /* it was taken away; its number is not given again */
		point->checkpoints = rec->slot->checkpoints;
		memcpy(point->last, rec->slot->last, CRYPTO_HASH_LEN);
	}
	if (point->covered > audit->tail.seq)
		point->covered = 0;
}

/* A record of kind 6 at the announced place with the announced seed. */
static bool is_announced(const struct recovery *rec, const struct rows *rows, const struct rows_row *row)
{
	static const uint8_t prefix = 0x05;
	uint8_t name[CRYPTO_HASH_LEN];
	char hex[2 * CRYPTO_HASH_LEN + 1];
	struct record record;

	if (row->seq != rec->slot->seed_seq || record_decode(row->rec.data, row->rec.len, &record) || record.record.kind != AUDIT_SEED)
		return false;
	crypto_hash_reset(rows->hash);
	crypto_hash_add(rows->hash, &prefix, 1);
	crypto_hash_add(rows->hash, rec->slot->seed, sizeof(rec->slot->seed));
	crypto_hash_end(rows->hash, name);
	hex_print(name, sizeof(name), hex);
	return text_equal(record.record.object, hex);
}

static void row_check(struct recovery *rec, struct rows *rows, const struct rows_row *row, const uint8_t leaf[CRYPTO_HASH_LEN])
{
	uint8_t head[CRYPTO_HASH_LEN];

	segment_head(rows->hash, rec->point.tail.head, leaf, head);
	if (row->head.len != sizeof(head) || memcmp(row->head.data, head, sizeof(head)) != 0)
		fault(rec, "record %" PRIu64 " was changed, or one before it: the log has %" PRIu64, row->seq, rec->audit->tail.seq);
	if (rec->audit->fault[0] || !rec->slot || row->seq <= rec->slot->size)
		return;
	if (!sealer_follow(rec->audit->writer.sealer, rows->hash, head, row->mac, is_announced(rec, rows, row)))
		fault(rec, "record %" PRIu64 " does not bear this gateway's seal: the log has %" PRIu64, row->seq, rec->audit->tail.seq);
}

/* A checkpoint that audit.key does not know yet. */
static void newest_check(struct recovery *rec, struct crypto_hash *tree_hash)
{
	const struct checkpoint *said = &rec->newest_said;
	uint8_t root[CRYPTO_HASH_LEN];

	if (!rec->newest.number || said->tree.size != rec->point.tree.size)
		return;
	tree_root(&rec->point.tree, tree_hash, root);
	if (memcmp(root, said->root, sizeof(root)) != 0 || memcmp(rec->point.tail.head, said->head, CRYPTO_HASH_LEN) != 0)
		fault(rec, "checkpoint %" PRIu64 " does not fit the records", said->number);
}

static int row_take(struct recovery *rec, struct rows *rows, const struct rows_row *row, struct crypto_hash **tree_hash)
{
	struct sealer_point *point = &rec->point;
	uint8_t leaf[CRYPTO_HASH_LEN];
	int r = 0;

	if (!*tree_hash) {
		point->suite = point->tree.size ? point->suite : rows->suite;
		r = crypto_hash_new((enum crypto_hash_kind)point->suite, tree_hash);
	}
	if (r)
		return r;
	segment_leaf(rows->hash, row->rec.data, row->rec.len, leaf);
	row_check(rec, rows, row, leaf);
	tree_add(&point->tree, *tree_hash, leaf);
	point->tail.seq = row->seq;
	if (row->head.len == CRYPTO_HASH_LEN)
		memcpy(point->tail.head, row->head.data, CRYPTO_HASH_LEN);
	newest_check(rec, *tree_hash);
	return 0;
}

static int rows_follow(struct recovery *rec)
{
	struct audit *audit = rec->audit;
	struct rows rows = { .folder = audit->folder, .names = rec->names, .n_names = rec->n_names, .keys = audit_pages(audit) };
	struct crypto_hash *tree_hash = NULL;
	struct rows_row row;
	int r = rows_open(&rows, rec->point.tail.seq + 1);

	if (r)
		return segment_may_open_later(r) ? r : 0;
	while (rec->point.tail.seq < audit->tail.seq && (r = rows_next(&rows, &row)) > 0) {
		if (row.seq != rec->point.tail.seq + 1)
			break; /* where the end of the log is known to be broken; it is told below */
		r = row_take(rec, &rows, &row, &tree_hash);
		if (r)
			break;
	}
	crypto_hash_free(tree_hash);
	rows_close(&rows);
	return segment_may_open_later(r) ? r : 0;
}

/* A log that is broken is gone on from all the same; the tree then counts what is missing as nothing. */
static int point_fill(struct recovery *rec)
{
	static const uint8_t nothing[CRYPTO_HASH_LEN];
	struct sealer_point *point = &rec->point;
	struct crypto_hash *hash;
	int r;

	if (point->tree.size == rec->audit->tail.seq)
		return 0;
	fault(rec, "record %" PRIu64 " cannot be read: the log has %" PRIu64, point->tree.size + 1, rec->audit->tail.seq);
	r = crypto_hash_new((enum crypto_hash_kind)point->suite, &hash);
	if (r)
		return r;
	while (point->tree.size < rec->audit->tail.seq)
		tree_add(&point->tree, hash, nothing);
	crypto_hash_free(hash);
	return 0;
}

static int recover(struct recovery *rec)
{
	struct audit *audit = rec->audit;
	struct sealer *sealer = audit->writer.sealer;
	int r = key_read(rec);

	if (r)
		return r;
	r = checkpoint_find(rec, 0, &rec->newest, &rec->newest_said);
	if (r == 0)
		r = key_compare(rec);
	if (r)
		return r;
	point_begin(rec);
	if (rec->slot)
		sealer_use_key(sealer, rec->slot->size + 1, rec->slot->key);
	r = rows_follow(rec);
	if (r == 0)
		r = point_fill(rec);
	if (r)
		return r;
	rec->point.tail = audit->tail;
	memcpy(rec->point.log_id, audit->log_id, sizeof(rec->point.log_id));
	if (!rec->slot || audit->fault[0])
		sealer_use_key(sealer, audit->tail.seq + 1, NULL);
	return sealer_start(sealer, &rec->point);
}

/* Records of a process that was killed may be with the kernel only. audit.key must not know of them before the disk does, or a
 * power cut now would make it look as if somebody had cut the log.
 */
static int records_sync(const struct recovery *rec)
{
	uint64_t known = rec->slot ? rec->slot->size : 0;
	int r = 0;

	if (rec->audit->tail.seq <= known)
		return 0;
	for (size_t i = rec->n_names > 2 ? rec->n_names - 2 : 0; i < rec->n_names && r == 0; i++)
		r = segment_sync(rec->audit->folder, &rec->names[i]);
	return r;
}

int audit_recover(struct audit *audit, const struct segment_name *names, size_t n_names)
{
	struct recovery *rec = calloc(1, sizeof(*rec));
	int r;

	if (!rec)
		return -ENOMEM;
	*rec = (struct recovery){ .audit = audit, .names = names, .n_names = n_names };
	r = recover(rec);
	if (r == 0)
		r = records_sync(rec);
	free(rec);
	/* A new log's key is on the disk before its first record; a broken one's after the record that says so. */
	return r == 0 && !audit->fault[0] ? sealer_write_key(audit->writer.sealer) : r;
}
