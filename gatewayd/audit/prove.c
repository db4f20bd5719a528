/* A proof is made from the leaves themselves, from the first to the last that the newest checkpoint covers, so that it says what
 * the files say now: a proof out of hashes that were kept aside would still hold when the log does not.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"
#include "audit/rows.h"
#include "audit/tree.h"

struct proving {
	uint64_t seq, old; /* one of them is 0 */
	struct audit_checkpoint checkpoint;
	struct checkpoint said;
	struct record_drop gone; /* of the file before the first; len 0: none */
	uint8_t leaf[CRYPTO_HASH_LEN];
	struct tree_proof proof;
	audit_proof_fn fn;
	void *ctx;
};

static int newest_checkpoint(const struct inspection *inspection, struct proving *p)
{
	int r = SEGMENT_E_EMPTY;

	for (size_t i = inspection->n_names; i-- > 0 && r == SEGMENT_E_EMPTY;) {
		struct db *db = NULL;

		if (i + 1 == inspection->n_names && inspection->current) {
			r = segment_checkpoint_read(inspection->current, 0, &p->checkpoint);
			continue;
		}
		r = segment_open(inspection->folder, &inspection->names[i], inspection->pages, &db);
		if (r == 0)
			r = segment_checkpoint_read(db, 0, &p->checkpoint);
		db_close(db);
	}
	if (r == 0 && checkpoint_decode(p->checkpoint.body, p->checkpoint.len, &p->said))
		r = AUDIT_E_TAMPERED;
	if (r)
		return r < 0 ? r : r == SEGMENT_E_EMPTY ? -ENOENT : AUDIT_E_TAMPERED;
	p->checkpoint.size = p->said.tree.size;
	memcpy(p->checkpoint.root, p->said.root, CRYPTO_HASH_LEN);
	memcpy(p->checkpoint.head, p->said.head, CRYPTO_HASH_LEN);
	return 0;
}

/* Leaves that were dropped with their file are known by their peaks. */
static int skip_gone(struct proving *p, const struct inspection *inspection, struct crypto_hash *hash)
{
	struct checkpoint *gone;
	int r;

	if (inspection->names[0].n == 1)
		return 0;
	gone = malloc(sizeof(*gone));
	if (!gone)
		return -ENOMEM;
	r = checkpoint_decode(p->gone.checkpoint.body, p->gone.checkpoint.len, gone) ? AUDIT_E_TAMPERED : 0;
	if (r == 0 && (gone->tree.size > p->said.tree.size || (p->seq && p->seq <= gone->tree.size)))
		r = -ENOENT;
	if (r == 0)
		r = tree_proof_skip(&p->proof, hash, &gone->tree);
	free(gone);
	return r;
}

static bool is_drop_before(struct proving *p, const struct rows_row *row, uint32_t first)
{
	struct segment_name name;
	struct record record;

	return row->rec.len >= RECORD_HEADER_LEN && record_decode(row->rec.data, row->rec.len, &record) == 0 &&
	       record.record.kind == AUDIT_SEGMENT_DROP && record_take_drop(&record, &p->gone) == 0 &&
	       segment_name_parse(p->gone.name, &name) && name.n == first - 1;
}

static int find_gone(struct proving *p, const struct inspection *inspection)
{
	struct rows rows = { .folder = inspection->folder, .names = inspection->names, .n_names = inspection->n_names,
			     .keys = inspection->pages, .last = inspection->current };
	struct rows_row row;
	bool found = false;
	int r;

	if (inspection->names[0].n == 1)
		return 0;
	r = rows_open(&rows, 1);
	if (r)
		return r;
	while (!found && (r = rows_next(&rows, &row)) > 0)
		found = is_drop_before(p, &row, inspection->names[0].n);
	rows_close(&rows);
	return r < 0 ? r : found ? 0 : AUDIT_E_TAMPERED;
}

static int take_leaves(struct proving *p, struct rows *rows, struct crypto_hash *hash)
{
	uint8_t leaf[CRYPTO_HASH_LEN];
	struct rows_row row;
	int r;

	while (p->proof.next < p->said.tree.size && (r = rows_next(rows, &row)) > 0) {
		if (row.seq != p->proof.next + 1)
			return AUDIT_E_TAMPERED;
		segment_leaf(rows->hash, row.rec.data, row.rec.len, leaf);
		if (row.seq == p->seq)
			memcpy(p->leaf, leaf, sizeof(leaf));
		tree_proof_add(&p->proof, hash, leaf);
	}
	return tree_proof_is_whole(&p->proof) ? 0 : AUDIT_E_TAMPERED;
}

static int gather(struct proving *p, const struct inspection *inspection)
{
	struct rows rows = { .folder = inspection->folder, .names = inspection->names, .n_names = inspection->n_names,
			     .keys = inspection->pages, .last = inspection->current };
	struct crypto_hash *hash;
	int r = crypto_hash_new((enum crypto_hash_kind)p->said.suite, &hash);

	if (r)
		return r;
	r = skip_gone(p, inspection, hash);
	if (r == 0)
		r = rows_open(&rows, p->proof.next + 1);
	if (r == 0) {
		r = take_leaves(p, &rows, hash);
		rows_close(&rows);
	}
	crypto_hash_free(hash);
	return r;
}

static void prove_work(void *arg)
{
	struct inspection *inspection = arg;
	struct proving *p = inspection->user;
	int r = inspection->is_sealed ? newest_checkpoint(inspection, p) : -EOPNOTSUPP;

	if (r == 0 && (p->seq > p->said.tree.size || p->old > p->said.tree.size))
		r = -ENOENT;
	if (r == 0)
		r = find_gone(p, inspection);
	if (r == 0 && p->seq)
		tree_prove_leaf(&p->proof, p->seq - 1, p->said.tree.size);
	else if (r == 0)
		tree_prove_growth(&p->proof, p->old, p->said.tree.size);
	if (r == 0)
		r = gather(p, inspection);
	inspection->r = r;
}

static void prove_end(struct inspection *inspection, int r)
{
	struct proving *p = inspection->user;

	if (r)
		p->fn(p->ctx, r, NULL, NULL, NULL, 0);
	else
		p->fn(p->ctx, 0, &p->checkpoint, p->seq ? p->leaf : NULL, (const uint8_t (*)[CRYPTO_HASH_LEN])p->proof.path, p->proof.n);
}

static void prove_clear(struct inspection *inspection)
{
	free(inspection->user);
}

static int prove(struct audit *audit, uint64_t seq, uint64_t old, audit_proof_fn fn, void *ctx)
{
	struct inspection *inspection;
	struct proving *p;

	if (!seq && !old)
		return -ENOENT;
	inspection = audit_inspection_new(audit);
	p = calloc(1, sizeof(*p));
	if (!inspection || !p) {
		if (inspection)
			audit_inspection_free(inspection);
		free(p);
		return -ENOMEM;
	}
	p->seq = seq;
	p->old = old;
	p->fn = fn;
	p->ctx = ctx;
	inspection->user = p;
	inspection->clear = prove_clear;
	inspection->work = prove_work;
	inspection->end = prove_end;
	inspection->wants_point = true;
	return audit_inspection_start(inspection);
}

int audit_prove(struct audit *audit, uint64_t seq, audit_proof_fn fn, void *ctx)
{
	return prove(audit, seq, 0, fn, ctx);
}

int audit_prove_consistency(struct audit *audit, uint64_t size, audit_proof_fn fn, void *ctx)
{
	return prove(audit, 0, size, fn, ctx);
}
