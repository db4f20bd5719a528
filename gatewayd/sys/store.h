#pragma once
/* store - the one writer thread: jobs of many modules, committed in groups, answered on the loop.
 *
 *   above   audit  spool  registry  people  policy  router  app
 *   below   base/base  base/list  base/text  sys/db  sys/loop  sys/store_inside
 *   owns    the thread and the databases while it runs
 *   limits  STORE_DBS_MAX STORE_JOBS_MAX STORE_GROUP_MAX STORE_NAME_MAX STORE_WAL_MAX STORE_WAL_TIGHT_MAX STORE_FLUSH_MS
 *           STORE_STACK_BYTES
 *   errors  STORE_E_FULL
 *
 * Jobs of one database run in the order they were submitted, and their done callbacks come in that
 * order. All that wait (STORE_GROUP_MAX at most) share a transaction; done runs on the loop after its
 * commit. A job that fails (r < 0) is rolled back alone, and the group is run again without it. So a
 * job must have no effect but on its database and on what its arg points to, and must bear being run
 * twice. When the commit fails (a full disk), every done of the group gets that error.
 *
 * Everything here is called on the loop's thread, and no done callback may call drain or close.
 */
#include "base/base.h"
#include "sys/db.h"
#include "sys/loop.h"

enum { STORE_DBS_MAX = 8, STORE_JOBS_MAX = 65536, STORE_GROUP_MAX = 4096, STORE_NAME_MAX = 31 };
enum { STORE_WAL_TIGHT_MAX = 256 * 1024, STORE_WAL_MAX = 4 * 1024 * 1024 }; /* a longer one is carried into its database */
enum { STORE_FLUSH_MS = 1500 }; /* DB_SYNC_NORMAL commits are on the disk in 2 s, slow groups included */
enum { STORE_STACK_BYTES = 256 * 1024 }; /* of the thread: what a job may use */
enum { STORE_E_FULL = 1 };
enum { STORE_SYNC = 1u }; /* the group's commit is fsync'ed before done */

struct store;
/* On the writer thread, inside a transaction. */
typedef int (*store_job_fn)(struct db *db, void *arg);
/* On the loop. -ECANCELED: the store was closed before it was started. */
typedef void (*store_done_fn)(void *arg, int r);

must_check int store_new(struct loop *loop, struct store **ret);
/* Before start: opens a database under a name ("gateway", "audit", "spool"); returns its number in ret. */
must_check int store_add(struct store *store, const char *name, const char *path,
			 const struct db_options *options, unsigned *ret_db);
/* Before start only (loading at start-up happens on the caller's thread). */
struct db *store_db(struct store *store, unsigned db);
must_check int store_start(struct store *store);
/* done may be NULL. STORE_E_FULL: not taken. -ECANCELED: closing. */
must_check int store_submit(struct store *store, unsigned db, uint32_t flags, store_job_fn job,
			    store_done_fn done, void *arg);
/* Runs on the writer thread after what was submitted before it and before what comes after, outside a
 * transaction, with every database at hand (drain, checkpoint, segment change). */
typedef int (*store_task_fn)(struct store *store, struct db *const *dbs, void *arg);
must_check int store_submit_task(struct store *store, store_task_fn task, store_done_fn done, void *arg);
/* In a task only: from now on jobs for db run on next (taken), and the old one is closed. For logs in several files. */
void store_replace_db(struct store *store, unsigned db, struct db *next);
unsigned store_dbs(const struct store *store); /* how many databases there are: the numbers below */
/* For a full disk. When a group of one of bases (bit n: database n) finds no room, release is called on the writer
 * thread; true: it has made some, and the group is run again. From then on, until store_set_tight(false), logs of
 * bases are carried into their databases early, so that they need little room, and those of all others wait. */
struct store_reserve {
	uint32_t bases;
	bool (*release)(void *ctx);
	void *ctx;
};
void store_set_reserve(struct store *store, const struct store_reserve *reserve); /* before start */
void store_set_tight(struct store *store, bool tight);
size_t store_queued(const struct store *store); /* jobs whose done has not been called yet */
uint64_t store_progress(const struct store *store); /* counts groups finished, errors too: for the watchdog */
uint64_t store_bytes_written(const struct store *store); /* see db_bytes_written */
/* Why some database's last commit, flush or checkpoint failed; 0 when all is well again. For the alarm. */
int store_error(const struct store *store);
/* Waits until everything submitted so far has run and its done callbacks were called. Shutdown and
 * tests only. */
void store_drain(struct store *store);
struct store *store_close(struct store *store); /* drains, ends the thread, closes the databases */
