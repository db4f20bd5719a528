/* What the gateway itself brings to a verification: where it left the end, its public keys, and what the asker kept. */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"
#include "audit/walk.h"

struct verification {
	struct audit_check check;
	struct audit_anchor *anchors;
	struct secret *seed;
	struct audit_verdict verdict;
	audit_verdict_fn fn;
	void *ctx;
};

static void verify_work(void *arg)
{
	struct inspection *inspection = arg;
	struct verification *v = inspection->user;
	const struct walk walk = {
		.names = inspection->names,
		.n_names = inspection->n_names,
		.known_checkpoints = inspection->known_checkpoints,
		.known = &inspection->known,
		.check = v->check,
		.is_sealed = inspection->is_sealed,
		.keys = inspection->publics,
		.n_keys = inspection->n_publics,
	};
	const struct walk_files files = {
		.folder = inspection->folder,
		.pages = inspection->pages,
		.current = inspection->current,
	};

	inspection->r = walk_files(&walk, &files, &v->verdict);
}

static void verify_end(struct inspection *inspection, int r)
{
	struct verification *v = inspection->user;

	v->fn(v->ctx, r, &v->verdict);
}

static void verify_clear(struct inspection *inspection)
{
	struct verification *v = inspection->user;

	secret_free(v->seed);
	free(v->anchors);
	free(v);
}

static int check_copy(struct verification *v, const struct audit_check *check)
{
	int r = 0;

	v->check = *check;
	v->anchors = calloc(check->n_anchors + 1, sizeof(*v->anchors));
	if (!v->anchors)
		return -ENOMEM;
	if (check->n_anchors)
		memcpy(v->anchors, check->anchors, check->n_anchors * sizeof(*v->anchors));
	v->check.anchors = v->anchors;
	if (check->seed_seq)
		r = secret_new(check->seed, AUDIT_SEED_LEN, &v->seed);
	if (r == 0 && check->seed_seq)
		v->check.seed = secret_view(v->seed).data;
	return r;
}

int audit_verify_with(struct audit *audit, const struct audit_check *check, audit_verdict_fn fn, void *ctx)
{
	struct inspection *inspection = audit_inspection_new(audit);
	struct verification *v = calloc(1, sizeof(*v));
	int r = inspection && v ? check_copy(v, check) : -ENOMEM;

	if (inspection && v) {
		inspection->user = v;
		inspection->clear = verify_clear;
		inspection->work = verify_work;
		inspection->end = verify_end;
		v->fn = fn;
		v->ctx = ctx;
	} else {
		free(v);
	}
	if (r == 0)
		return audit_inspection_start(inspection);
	if (inspection)
		audit_inspection_free(inspection);
	return r;
}

int audit_verify(struct audit *audit, const struct audit_anchor *anchors, size_t n_anchors, audit_verdict_fn fn, void *ctx)
{
	const struct audit_check check = { .anchors = anchors, .n_anchors = n_anchors };

	return audit_verify_with(audit, &check, fn, ctx);
}
