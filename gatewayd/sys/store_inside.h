#pragma once
/* store_inside - what store.c and store_group.c share; nobody else includes it.
 *
 *   above   sys/store  sys/store_group
 *   below   base/base  base/list  sys/db  sys/store
 *   owns    struct store_job
 */
#include "base/base.h"
#include "base/list.h"
#include "sys/db.h"
#include "sys/store.h"

struct store_job {
	struct list link;
	unsigned db;
	uint32_t flags;
	store_job_fn fn;
	store_task_fn task; /* instead of fn */
	store_done_fn done;
	void *arg;
	int r;
};


/* The group's result; each job's own is in r. The transaction is open when it is 0 and nobody has ended it. */
must_check int store_group_run(struct db *db, struct list *jobs);
