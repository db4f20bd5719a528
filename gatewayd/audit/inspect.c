/* Verifying, exporting and proving take as long as the log is long, so they run on a pool thread with connections of their own.
 * First a task of the writer's says which files there are at this moment and opens a snapshot of the last one: everything
 * appended before is in it, nothing that comes later, and so the log must end where this process believes it does.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/inside.h"

void audit_inspection_free(struct inspection *inspection)
{
	if (inspection->clear)
		inspection->clear(inspection);
	db_close(inspection->current);
	free(inspection->folder);
	free(inspection->names);
	free(inspection->publics);
	free(inspection);
}

static void inspection_end(struct inspection *inspection, int r)
{
	struct audit *audit = inspection->audit;

	audit_points_say(audit, &inspection->made);
	inspection->end(inspection, r);
	audit_inspection_free(inspection);
	audit_job_ended(audit);
}

static void on_worked(void *arg, int r)
{
	struct inspection *inspection = arg;

	inspection_end(inspection, r < 0 ? r : inspection->r);
}

/* --- writer thread --------------------------------------------------------------------------------------------------- */

static int snapshot_open(struct inspection *inspection, const struct segment_name *name)
{
	struct segment_tail tail;
	int r = segment_open(inspection->folder, name, inspection->pages, &inspection->current);

	if (r)
		return 0; /* the walk tries again and says what is wrong with it */
	r = db_exec(inspection->current, "BEGIN");
	if (r == 0)
		r = segment_tail_read(inspection->current, &tail); /* from here on it is as it is now */
	return r < 0 && r != -EBADMSG ? r : 0;
}

static int seal_look(struct inspection *inspection, struct db *db)
{
	struct sealer *sealer = inspection->audit->writer.sealer;
	const struct audit_seal *seal = sealer_seal(sealer);
	struct audit_claim claim = { .confirmed = inspection->known };
	struct segment_tail tail;
	int r = 0;

	inspection->is_sealed = true;
	inspection->pages = seal->pages;
	inspection->publics = calloc(seal->n_publics + 1, sizeof(*inspection->publics));
	if (!inspection->publics)
		return -ENOMEM;
	memcpy(inspection->publics, seal->publics, seal->n_publics * sizeof(*inspection->publics));
	inspection->n_publics = seal->n_publics;
	/* Of a log whose end is another's, what is there already must do. */
	if (inspection->wants_point && audit_claim_tail(inspection->audit, db, &claim, &tail) == 0)
		r = audit_point_make(inspection->audit, db, CHECKPOINT_RECORDS, &inspection->stamp, &inspection->made);
	inspection->known_checkpoints = sealer_checkpoints(sealer);
	return r;
}

/* Files beyond the writer's own are kept in the list: nobody of ours made them. */
static int list_task(struct store *store, struct db *const *dbs, void *arg)
{
	struct inspection *inspection = arg;
	struct audit *audit = inspection->audit;
	int r = segment_list(inspection->folder, &inspection->names, &inspection->n_names);

	(void)store;
	if (r == 0 && audit->writer.sealer)
		r = seal_look(inspection, dbs[audit->db]);
	if (r == 0 && inspection->n_names)
		r = snapshot_open(inspection, &inspection->names[inspection->n_names - 1]);
	return r;
}

/* --- the loop's side ------------------------------------------------------------------------------------------------- */

static void on_listed(void *arg, int r)
{
	struct inspection *inspection = arg;
	struct audit *audit = inspection->audit;

	inspection->known = audit->tail;
	if (r == 0)
		r = audit->closing ? -ECANCELED : loop_work(audit->loop, inspection->work, on_worked, inspection);
	if (r)
		inspection_end(inspection, r);
}

struct inspection *audit_inspection_new(struct audit *audit)
{
	struct inspection *inspection = calloc(1, sizeof(*inspection));

	if (!inspection)
		return NULL;
	inspection->audit = audit;
	list_init(&inspection->made);
	inspection->folder = strdup(audit->folder);
	if (inspection->folder)
		return inspection;
	audit_inspection_free(inspection);
	return NULL;
}

int audit_inspection_start(struct inspection *inspection)
{
	struct audit *audit = inspection->audit;
	int r = audit_flush_batch(audit);

	inspection->known = audit->tail;
	inspection->stamp = audit_stamp_now(audit);
	if (r == 0)
		r = audit_submit_task(audit, list_task, on_listed, inspection);
	if (r)
		audit_inspection_free(inspection);
	return r;
}
