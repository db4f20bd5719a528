/* Whether a signed point that somebody shows is one of this log's: it is signed by us, so it is a point of ours; if this log has another
 * one in its place, there were two logs, and this one goes on from an older image.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"

struct asked {
	uint64_t number;
	size_t len;
	uint8_t body[AUDIT_CHECKPOINT_MAX];
	audit_done_fn fn;
	void *ctx;
};

static int read_one(const struct inspection *inspection, size_t i, uint64_t number, struct audit_checkpoint *ret)
{
	struct db *db = NULL;
	int r;

	if (i + 1 == inspection->n_names && inspection->current)
		return segment_checkpoint_read(inspection->current, number, ret);
	r = segment_open(inspection->folder, &inspection->names[i], inspection->pages, &db);
	if (r == 0)
		r = segment_checkpoint_read(db, number, ret);
	db_close(db);
	return r;
}

static void compare(void *arg)
{
	struct inspection *inspection = arg;
	struct asked *asked = inspection->user;
	struct audit_checkpoint *checkpoint = malloc(sizeof(*checkpoint));
	int r = checkpoint ? SEGMENT_E_EMPTY : -ENOMEM;

	for (size_t i = inspection->n_names; i-- > 0 && r == SEGMENT_E_EMPTY;)
		r = read_one(inspection, i, asked->number, checkpoint);
	if (r == 0 && (checkpoint->len != asked->len || memcmp(checkpoint->body, asked->body, asked->len) != 0))
		r = AUDIT_E_TAMPERED;
	inspection->r = r == SEGMENT_E_EMPTY ? -ENOENT : r;
	free(checkpoint);
}

static void on_compared(struct inspection *inspection, int r)
{
	struct asked *asked = inspection->user;

	asked->fn(asked->ctx, r);
}

static void forget(struct inspection *inspection)
{
	free(inspection->user);
}

int audit_knows(struct audit *audit, uint64_t number, const void *body, size_t len, audit_done_fn fn, void *ctx)
{
	struct inspection *inspection;
	struct asked *asked;

	if (!number || !len || len > AUDIT_CHECKPOINT_MAX)
		return -EINVAL;
	asked = malloc(sizeof(*asked));
	inspection = audit_inspection_new(audit);
	if (!asked || !inspection) {
		if (inspection)
			audit_inspection_free(inspection);
		free(asked);
		return -ENOMEM;
	}
	asked->number = number;
	asked->len = len;
	memcpy(asked->body, body, len);
	asked->fn = fn;
	asked->ctx = ctx;
	inspection->work = compare;
	inspection->end = on_compared;
	inspection->clear = forget;
	inspection->user = asked;
	return audit_inspection_start(inspection);
}
