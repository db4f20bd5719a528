/* One group of jobs of one database, in one transaction that its caller commits. The first pass is without ceremony. Only when a
 * job fails is the group run again with a mark before each job, so that the one can be taken back and the others kept.
 */
#include "sys/store_inside.h"

/* Without marks. False: a job failed, or ended the transaction, which is not a job's to end. */
static bool group_run_plain(struct db *db, struct list *jobs)
{
	struct store_job *job, *next;

	list_each(job, next, jobs, link)
	{
		job->r = job->fn(db, job->arg);
		if (job->r < 0 || !db_in_transaction(db))
			return false;
	}
	return true;
}

static int group_run_marked(struct db *db, struct list *jobs)
{
	struct store_job *job, *next;

	list_each(job, next, jobs, link)
	{
		int r = db_mark(db);

		if (r < 0)
			return r;
		job->r = job->fn(db, job->arg);
		/* Some errors, a full disk among them, make SQLite roll back everything at once. */
		if (!db_in_transaction(db))
			return job->r < 0 ? job->r : -EIO;
		r = job->r < 0 ? db_back_to_mark(db) : db_unmark(db);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool group_is_one(const struct list *jobs)
{
	return jobs->next->next == jobs;
}

int store_group_run(struct db *db, struct list *jobs)
{
	int r = db_begin(db);

	if (r < 0)
		return r;
	if (group_run_plain(db, jobs))
		return 0;
	db_rollback(db);
	if (group_is_one(jobs)) {
		struct store_job *job = list_first(jobs, struct store_job, link);

		job->r = job->r < 0 ? job->r : -EIO;
		return 0;
	}
	r = db_begin(db);
	if (r == 0)
		r = group_run_marked(db, jobs);
	if (r < 0)
		db_rollback(db);
	return r;
}
