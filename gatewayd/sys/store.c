/* SQLite may take 20 ms for a checkpoint and an SD card a second for a sync; the loop may not. So
 * one thread writes.
 *
 * The loop puts jobs into a queue. The thread takes what has gathered there, makes of each
 * database's jobs one transaction, and hands the jobs back with their results; the slower the disk,
 * the larger the groups. The first pass through a group is without ceremony. Only when a job of it
 * fails is the group run again with a mark before each job, so that the one can be taken back and
 * the others kept.
 *
 * A database of DB_SYNC_NORMAL is durable against the death of the process at each commit, and
 * against a power cut once it was flushed: by a job with STORE_SYNC in its group, or by the clock.
 */
#include "sys/store.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "base/list.h"
#include "base/text.h"
#include "sys/store_inside.h"

struct store_base {
	char name[STORE_NAME_MAX + 1];
	struct db *db;
	enum db_sync sync;
	bool dirty;
	int64_t flush_at_ms;
	atomic_int error;
};

struct store {
	struct loop *loop;
	struct wake *wake;
	struct store_base bases[STORE_DBS_MAX];
	struct db *dbs[STORE_DBS_MAX];
	unsigned n_bases;
	pthread_t thread;
	bool started, closing, delivering; /* the loop's */
	size_t queued;
	struct store_job barrier;
	pthread_mutex_t lock; /* of these: */
	pthread_cond_t work, finished;
	struct list queue, completed;
	bool end;
	struct store_reserve reserve;
	atomic_bool tight;
	uint64_t replaced_bytes; /* the thread's: written by databases that were replaced */
	atomic_uint_fast64_t progress, bytes_written;
};

static int64_t monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void list_take_all(struct list *from, struct list *ret)
{
	list_init(ret);
	if (list_is_empty(from))
		return;
	*ret = *from;
	ret->next->prev = ret;
	ret->prev->next = ret;
	list_init(from);
}

/* The thread: one group of one database */

/* Whether the disk or the file is to blame, and not what the job wanted. */
static bool is_disk_error(int r)
{
	return r == -ENOSPC || r == -EIO || r == -EBADMSG || r == -EROFS;
}

static void base_note_group(struct store_base *base, const struct list *jobs, int r)
{
	struct store_job *job, *next;

	list_each(job, next, jobs, link) if (r == 0 && is_disk_error(job->r)) r = job->r;
	atomic_store(&base->error, r);
}

static int base_try_group(struct store_base *base, struct list *jobs, bool full)
{
	struct store_job *job, *next;
	int r;

	list_each(job, next, jobs, link) job->r = 0;
	r = db_set_sync(base->db, full);
	if (r == 0)
		r = store_group_run(base->db, jobs);
	if (r == 0 && db_in_transaction(base->db))
		r = db_commit(base->db);
	base_note_group(base, jobs, r);
	return r;
}

static bool store_is_kept(const struct store *store, unsigned db)
{
	return store->reserve.bases >> db & 1;
}

/* True: there is more room than there was. */
static bool store_release(struct store *store, unsigned db)
{
	if (!store_is_kept(store, db) || !store->reserve.release(store->reserve.ctx))
		return false;
	atomic_store(&store->tight, true);
	return true;
}

static void base_run_group(struct store *store, unsigned db, struct list *jobs)
{
	struct store_base *base = &store->bases[db];
	struct store_job *job, *next;
	bool full = base->sync == DB_SYNC_EXTRA;
	int r;

	list_each(job, next, jobs, link) full = full || (job->flags & STORE_SYNC);
	r = base_try_group(base, jobs, full);
	while (atomic_load(&base->error) == -ENOSPC && store_release(store, db))
		r = base_try_group(base, jobs, full);
	if (r < 0) {
		list_each(job, next, jobs, link) if (job->r >= 0) job->r = r;
		return;
	}
	if (full) {
		base->dirty = false;
	} else if (!base->dirty) {
		base->dirty = true;
		base->flush_at_ms = monotonic_ms() + STORE_FLUSH_MS;
	}
}

static void base_flush_when_due(struct store_base *base, int64_t now_ms)
{
	int r;

	if (!base->dirty || now_ms < base->flush_at_ms)
		return;
	r = db_flush(base->db);
	base->dirty = r < 0;
	base->flush_at_ms = now_ms + STORE_FLUSH_MS;
	if (r < 0)
		atomic_store(&base->error, r);
}

static void base_checkpoint_when_long(struct store *store, unsigned db)
{
	struct store_base *base = &store->bases[db];
	bool tight = atomic_load(&store->tight);
	int r;

	if (db_wal_bytes(base->db) <= (tight ? STORE_WAL_TIGHT_MAX : STORE_WAL_MAX) || (tight && !store_is_kept(store, db)))
		return;
	r = db_checkpoint(base->db);
	if (r < 0)
		atomic_store(&base->error, r);
}

/* The thread: groups */

static void store_count_bytes(struct store *store)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < store->n_bases; i++)
		bytes += db_bytes_written(store->dbs[i]);
	atomic_store(&store->bytes_written, bytes);
}

/* Counted first, so that whoever hears of a job finds it counted. */
static void store_hand_back(struct store *store, struct list *jobs)
{
	struct store_job *job, *next;

	store_count_bytes(store);
	atomic_fetch_add(&store->progress, 1);
	pthread_mutex_lock(&store->lock);
	list_each(job, next, jobs, link)
	{
		list_remove(&job->link);
		list_append(&store->completed, &job->link);
	}
	pthread_cond_signal(&store->finished);
	pthread_mutex_unlock(&store->lock);
	wake_send(store->wake);
}

/* The jobs of the first one's database, in their order; the others stay in group. */
static unsigned group_split(struct list *group, struct list *ret)
{
	unsigned db = list_first(group, struct store_job, link)->db;
	struct store_job *job, *next;

	list_init(ret);
	list_each(job, next, group, link)
	{
		if (job->db != db)
			continue;
		list_remove(&job->link);
		list_append(ret, &job->link);
	}
	return db;
}

static void store_run_task(struct store *store, struct list *group)
{
	struct store_job *job = list_first(group, struct store_job, link);

	job->r = job->task(store, store->dbs, job->arg);
	for (unsigned i = 0; i < store->n_bases; i++)
		db_rollback(store->dbs[i]); /* a task leaves nothing open */
	/* Whoever gave it tries again, and then there is room. */
	if (job->r == -ENOSPC && store->reserve.release && store->reserve.release(store->reserve.ctx))
		atomic_store(&store->tight, true);
	store_hand_back(store, group);
}

static void store_run_group(struct store *store, struct list *group)
{
	if (list_first(group, struct store_job, link)->task) {
		store_run_task(store, group);
		return;
	}
	while (!list_is_empty(group)) {
		struct list jobs;
		unsigned db = group_split(group, &jobs);

		base_run_group(store, db, &jobs);
		store_hand_back(store, &jobs);
	}
}

static void store_keep_house(struct store *store)
{
	int64_t now_ms = monotonic_ms();

	for (unsigned i = 0; i < store->n_bases; i++) {
		base_flush_when_due(&store->bases[i], now_ms);
		base_checkpoint_when_long(store, i);
	}
	store_count_bytes(store);
}

/* Under the lock: sleeps until there is work, the end, or a flush is due. */
static void store_sleep(struct store *store)
{
	int64_t flush_at_ms = INT64_MAX;
	struct timespec until;

	for (unsigned i = 0; i < store->n_bases; i++)
		if (store->bases[i].dirty && store->bases[i].flush_at_ms < flush_at_ms)
			flush_at_ms = store->bases[i].flush_at_ms;
	if (flush_at_ms == INT64_MAX) {
		pthread_cond_wait(&store->work, &store->lock);
		return;
	}
	until.tv_sec = (time_t)(flush_at_ms / 1000);
	until.tv_nsec = (long)(flush_at_ms % 1000) * 1000000;
	pthread_cond_timedwait(&store->work, &store->lock, &until);
}

/* Under the lock: a task alone, or the jobs up to the next task. */
static void store_take_group(struct store *store, struct list *ret)
{
	struct store_job *job, *next;
	int n = 0;

	list_init(ret);
	list_each(job, next, &store->queue, link)
	{
		if (n == STORE_GROUP_MAX || (job->task && n > 0))
			return;
		list_remove(&job->link);
		list_append(ret, &job->link);
		n++;
		if (job->task)
			return;
	}
}

static void *store_thread(void *ctx)
{
	struct store *store = ctx;
	bool end = false;

	while (!end) {
		struct list group;

		pthread_mutex_lock(&store->lock);
		if (list_is_empty(&store->queue) && !store->end)
			store_sleep(store);
		store_take_group(store, &group);
		end = store->end && list_is_empty(&group);
		pthread_mutex_unlock(&store->lock);
		if (!list_is_empty(&group))
			store_run_group(store, &group);
		store_keep_house(store);
	}
	return NULL;
}

/* The loop */

static void store_deliver(struct store *store, struct list *jobs)
{
	struct store_job *job;

	assert(!store->delivering);
	store->delivering = true;
	while ((job = list_first(jobs, struct store_job, link))) {
		list_remove(&job->link);
		store->queued--;
		if (job->done)
			job->done(job->arg, job->r);
		if (job != &store->barrier)
			free(job);
	}
	store->delivering = false;
}

static void on_completed(void *ctx)
{
	struct store *store = ctx;
	struct list jobs;

	pthread_mutex_lock(&store->lock);
	list_take_all(&store->completed, &jobs);
	pthread_mutex_unlock(&store->lock);
	store_deliver(store, &jobs);
}

static void store_enqueue(struct store *store, struct store_job *job)
{
	store->queued++;
	pthread_mutex_lock(&store->lock);
	list_append(&store->queue, &job->link);
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
}

static int store_put(struct store *store, const struct store_job *like)
{
	struct store_job *job;

	if (store->closing)
		return -ECANCELED;
	if (store->queued >= STORE_JOBS_MAX)
		return STORE_E_FULL;
	job = malloc(sizeof(*job));
	if (!job)
		return -ENOMEM;
	*job = *like;
	store_enqueue(store, job);
	return 0;
}

int store_submit(struct store *store, unsigned db, uint32_t flags, store_job_fn job,
		 store_done_fn done, void *arg)
{
	assert(db < store->n_bases && job);
	return store_put(store,
			 &(struct store_job){
				 .db = db, .flags = flags, .fn = job, .done = done, .arg = arg });
}

int store_submit_task(struct store *store, store_task_fn task, store_done_fn done, void *arg)
{
	assert(task);
	return store_put(store, &(struct store_job){ .task = task, .done = done, .arg = arg });
}

unsigned store_dbs(const struct store *store)
{
	return store->n_bases;
}

void store_set_reserve(struct store *store, const struct store_reserve *reserve)
{
	assert(!store->started);
	store->reserve = *reserve;
}

void store_set_tight(struct store *store, bool tight)
{
	atomic_store(&store->tight, tight);
}

size_t store_queued(const struct store *store)
{
	return store->queued;
}

uint64_t store_progress(const struct store *store)
{
	return atomic_load(&store->progress);
}

uint64_t store_bytes_written(const struct store *store)
{
	return atomic_load(&store->bytes_written);
}

int store_error(const struct store *store)
{
	for (unsigned i = 0; i < store->n_bases; i++) {
		int r = atomic_load(&store->bases[i].error);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A task that does nothing comes back after all that was before it. */
static int barrier_task(struct store *store, struct db *const *dbs, void *arg)
{
	(void)store;
	(void)dbs;
	(void)arg;
	return 0;
}

static void on_barrier(void *arg, int r)
{
	(void)r;
	*(bool *)arg = true;
}

void store_drain(struct store *store)
{
	bool reached = false;

	if (!store->started || store->queued == 0)
		return;
	store->barrier =
		(struct store_job){ .task = barrier_task, .done = on_barrier, .arg = &reached };
	store_enqueue(store, &store->barrier);
	while (!reached) {
		pthread_mutex_lock(&store->lock);
		while (list_is_empty(&store->completed))
			pthread_cond_wait(&store->finished, &store->lock);
		pthread_mutex_unlock(&store->lock);
		on_completed(store);
	}
}

/* Birth and death */

int store_new(struct loop *loop, struct store **ret)
{
	struct store *store = calloc(1, sizeof(*store));
	pthread_condattr_t attr;
	int r;

	if (!store)
		return -ENOMEM;
	store->loop = loop;
	list_init(&store->queue);
	list_init(&store->completed);
	r = wake_new(loop, on_completed, store, &store->wake);
	if (r < 0) {
		free(store);
		return r;
	}
	/* On Linux these take no memory and cannot fail. */
	pthread_mutex_init(&store->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&store->work, &attr);
	pthread_cond_init(&store->finished, &attr);
	pthread_condattr_destroy(&attr);
	*ret = store;
	return 0;
}

int store_add(struct store *store, const char *name, const char *path,
	      const struct db_options *options, unsigned *ret_db)
{
	struct store_base *base = &store->bases[store->n_bases];
	int r;

	assert(!store->started);
	if (store->n_bases == STORE_DBS_MAX)
		return -ENOBUFS;
	for (unsigned i = 0; i < store->n_bases; i++)
		if (text_equal(store->bases[i].name, name))
			return -EEXIST;
	if (!text_copy(base->name, sizeof(base->name), name))
		return -ENAMETOOLONG;
	r = db_open(path, options, &base->db);
	if (r)
		return r;
	base->sync = options->sync;
	store->dbs[store->n_bases] = base->db;
	*ret_db = store->n_bases++;
	return 0;
}

struct db *store_db(struct store *store, unsigned db)
{
	assert(!store->started && db < store->n_bases);
	return store->dbs[db];
}

void store_replace_db(struct store *store, unsigned db, struct db *next)
{
	struct store_base *base = &store->bases[db];

	assert(db < store->n_bases && next && !db_in_transaction(base->db));
	store->replaced_bytes += db_bytes_written(base->db);
	db_close(base->db);
	base->db = store->dbs[db] = next;
	base->dirty = false;
}

int store_start(struct store *store)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int r;

	assert(!store->started);
	r = pthread_attr_init(&attr);
	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attr, STORE_STACK_BYTES);
	if (r == 0) {
		/* Signals are the loop's. */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		r = pthread_create(&store->thread, &attr, store_thread, store);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	}
	pthread_attr_destroy(&attr);
	if (r)
		return -r;
	store->started = true;
	return 0;
}

static void store_end_thread(struct store *store)
{
	store_drain(store);
	pthread_mutex_lock(&store->lock);
	store->end = true;
	pthread_cond_signal(&store->work);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->thread, NULL);
}

static void store_cancel(struct store *store)
{
	struct store_job *job, *next;
	struct list jobs;

	list_take_all(&store->queue, &jobs);
	list_each(job, next, &jobs, link) job->r = -ECANCELED;
	store_deliver(store, &jobs);
}

struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	assert(!store->delivering);
	store->closing = true;
	if (store->started)
		store_end_thread(store);
	else
		store_cancel(store);
	for (unsigned i = 0; i < store->n_bases; i++)
		db_close(store->bases[i].db);
	wake_close(store->wake);
	pthread_cond_destroy(&store->work);
	pthread_cond_destroy(&store->finished);
	pthread_mutex_destroy(&store->lock);
	free(store);
	return NULL;
}
