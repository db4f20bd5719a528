/* The writer thread: order and groups, one job's failure, what reaches the disk and when, a full
 * disk. What a killed process leaves is test_store_killed.c. */
#include "check.h"

#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include "base/base.h"
#include "store_home.h"

/* SQLite's syncs end here, so that they can be counted. */
static atomic_int n_syncs;

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	atomic_fetch_add(&n_syncs, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

struct world {
	struct tmpdir dir;
	struct loop *loop;
	struct store *store;
	unsigned audit, spool;
	sem_t entered, gate;
	int n_done, last;
	bool in_order;
};

static void world_make(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->in_order = true;
	tmpdir_init(&w->dir);
	sem_init(&w->entered, 0, 0);
	sem_init(&w->gate, 0, 0);
	check_ok(loop_new_virtual(0, 0, &w->loop));
	check_ok(store_new(w->loop, &w->store));
	check_ok(store_add(w->store, "audit", tmpdir_path(&w->dir, "audit.db"), &extra, &w->audit));
	check_ok(
		store_add(w->store, "spool", tmpdir_path(&w->dir, "spool.db"), &normal, &w->spool));
}

static void world_begin(struct world *w)
{
	world_make(w);
	check_ok(store_start(w->store));
}

static void world_end(struct world *w)
{
	check_true(store_close(w->store) == NULL);
	loop_free(w->loop);
	sem_destroy(&w->gate);
	sem_destroy(&w->entered);
	tmpdir_deinit(&w->dir);
}

/* One row to be written. */
struct row {
	struct world *world;
	int64_t n;
	int runs, r, done;
	int64_t level; /* PRAGMA synchronous as the job found it */
	int64_t count; /* of rows, as a task found it */
};

static int write_row(struct db *db, void *arg)
{
	struct row *row = arg;
	struct stmt *s;
	int r;

	row->runs++;
	row->level = ask(db, "PRAGMA synchronous");
	r = db_prepare(db, "INSERT INTO t(n) VALUES(?1)", &s);
	if (r < 0)
		return r;
	stmt_bind_i64(s, 1, row->n);
	return stmt_run(s);
}

/* Leaves a statement open behind it, too. */
static int write_then_fail(struct db *db, void *arg)
{
	struct stmt *s;
	int r = write_row(db, arg);

	if (r == 0)
		r = db_prepare(db, "SELECT n FROM t", &s);
	if (r == 0)
		r = stmt_step(s);
	return r == 1 ? -EPROTO : -EDOM;
}

static int say_seven(struct db *db, void *arg)
{
	int r = write_row(db, arg);

	return r < 0 ? r : 7;
}

static int end_the_transaction(struct db *db, void *arg)
{
	(void)arg;
	db_rollback(db);
	return 0;
}

static int wait_at_gate(struct db *db, void *arg)
{
	struct world *w = arg;

	(void)db;
	sem_post(&w->entered);
	sem_wait(&w->gate);
	return 0;
}

static void on_done(void *arg, int r)
{
	struct row *row = arg;
	struct world *w = row->world;

	row->r = r;
	row->done++;
	w->n_done++;
	w->in_order = w->in_order && row->n > w->last;
	w->last = (int)row->n;
}

/* Holds the thread, so that what is submitted until the release makes one group. */
static void hold(struct world *w)
{
	check_ok(store_submit(w->store, w->spool, 0, wait_at_gate, NULL, w));
	sem_wait(&w->entered);
}

static void release(struct world *w)
{
	sem_post(&w->gate);
	store_drain(w->store);
}

static void done_comes_by_the_loop(void **state)
{
	struct world w;
	struct row row = { .world = &w, .n = 1 };

	(void)state;
	world_begin(&w);
	check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &row));
	check_uint(store_queued(w.store), 1);
	for (int i = 0; i < 50 && !row.done; i++)
		check_ok(loop_turn(w.loop, 100));
	check_int(row.done, 1);
	check_int(row.r, 0);
	check_uint(store_queued(w.store), 0);
	store_drain(w.store);
	check_uint(store_progress(w.store), 1);
	check_true(store_bytes_written(w.store) >= 4096);
	check_int(count_rows(&w.dir, "audit.db", "SELECT n FROM t"), 1);
	world_end(&w);
}

static void one_bad_job_fails_alone(void **state)
{
	struct world w;
	struct row rows[9];

	(void)state;
	world_begin(&w);
	hold(&w);
	for (int i = 0; i < 9; i++) {
		store_job_fn fn = i == 4 ? write_then_fail : i == 6 ? say_seven : write_row;

		rows[i] = (struct row){ .world = &w, .n = i == 7 ? 1 : i };
		check_ok(store_submit(w.store, w.spool, 0, fn, on_done, &rows[i]));
	}
	check_int(w.n_done, 0);
	release(&w);
	for (int i = 0; i < 9; i++) {
		check_int(rows[i].done, 1);
		check_int(rows[i].r, i == 4 ? -EPROTO : i == 6 ? 7 : i == 7 ? -EEXIST : 0);
		check_int(rows[i].runs, i < 5 ? 2 : 1);
	}
	check_int(store_error(w.store), 0); /* a job's own failure is not the disk's */
	check_int(count_rows(&w.dir, "spool.db", "SELECT count(*) FROM t"), 7);
	check_int(count_rows(&w.dir, "spool.db", "SELECT count(*) FROM t WHERE n IN (4, 7)"), 0);
	world_end(&w);
}

static void a_lonely_bad_job_runs_once(void **state)
{
	struct world w;
	struct row bad = { .world = &w, .n = 1 }, worse = { .world = &w, .n = 2 },
		   good = { .world = &w, .n = 3 };

	(void)state;
	world_begin(&w);
	check_ok(store_submit(w.store, w.spool, 0, write_then_fail, on_done, &bad));
	store_drain(w.store);
	check_ok(store_submit(w.store, w.spool, 0, end_the_transaction, on_done, &worse));
	store_drain(w.store);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &good));
	store_drain(w.store);
	check_int(bad.r, -EPROTO);
	check_int(bad.runs, 1);
	check_int(worse.r, -EIO);
	check_int(good.r, 0);
	check_int(count_rows(&w.dir, "spool.db", "SELECT sum(n) FROM t"), 3);
	world_end(&w);
}

static void a_job_that_ends_the_transaction_fails_its_group(void **state)
{
	struct world w;
	struct row a = { .world = &w, .n = 1 }, b = { .world = &w, .n = 2 };

	(void)state;
	world_begin(&w);
	hold(&w);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &a));
	check_ok(store_submit(w.store, w.spool, 0, end_the_transaction, on_done, &b));
	release(&w);
	check_int(a.r, -EIO);
	check_int(b.r, -EIO);
	check_int(store_error(w.store), -EIO);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &b));
	store_drain(w.store);
	check_int(b.r, 0);
	check_int(store_error(w.store), 0);
	world_end(&w);
}

static void one_sync_job_syncs_its_group(void **state)
{
	struct world w;
	struct row rows[4], audit = { .world = &w, .n = 1 };
	int before;

	(void)state;
	world_begin(&w);
	before = atomic_load(&n_syncs);
	for (int i = 0; i < 4; i++)
		rows[i] = (struct row){ .world = &w, .n = i };
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[0]));
	store_drain(w.store);
	check_int(rows[0].level, 1);
	check_int(atomic_load(&n_syncs),
		  before); /* with the kernel, that is enough for telemetry */
	hold(&w);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[1]));
	check_ok(store_submit(w.store, w.spool, STORE_SYNC, write_row, on_done, &rows[2]));
	release(&w);
	check_int(rows[1].level, 3);
	check_int(rows[2].level, 3);
	check_true(atomic_load(&n_syncs) > before);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[3]));
	store_drain(w.store);
	check_int(rows[3].level, 1);
	before = atomic_load(&n_syncs);
	check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &audit));
	store_drain(w.store);
	check_int(audit.level, 3);
	check_true(atomic_load(&n_syncs) > before);
	world_end(&w);
}

static void what_is_not_synced_is_flushed_in_two_seconds(void **state)
{
	struct world w;
	struct row row = { .world = &w, .n = 1 };
	struct timespec start, now;
	int before;

	(void)state;
	world_begin(&w);
	before = atomic_load(&n_syncs);
	clock_gettime(CLOCK_MONOTONIC, &start);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &row));
	store_drain(w.store);
	check_int(atomic_load(&n_syncs), before);
	do {
		usleep(10000);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (atomic_load(&n_syncs) == before && now.tv_sec - start.tv_sec < 4);
	check_int(atomic_load(&n_syncs), before + 1);
	check_true((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 <=
		   2000);
	world_end(&w);
}

static int task_note(struct store *store, struct db *const *dbs, void *arg)
{
	struct row *row = arg;

	(void)store;
	row->count = ask(dbs[row->world->spool], "SELECT count(*) FROM t");
	if (db_in_transaction(dbs[row->world->audit]) || db_in_transaction(dbs[row->world->spool]))
		return -EBUSY;
	/* A transaction left open is closed for it. */
	return db_begin(dbs[row->world->audit]) < 0 ? -EIO : 5;
}

static void a_task_stands_between_groups(void **state)
{
	struct world w;
	struct row rows[4];

	(void)state;
	world_begin(&w);
	hold(&w);
	for (int i = 0; i < 4; i++)
		rows[i] = (struct row){ .world = &w, .n = i + 1 };
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[0]));
	check_ok(store_submit_task(w.store, task_note, on_done, &rows[1]));
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[2]));
	check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &rows[3]));
	release(&w);
	check_int(rows[1].r, 5);
	check_int(rows[1].count, 1);
	check_int(rows[2].r, 0);
	check_int(rows[3].r, 0);
	check_true(w.in_order);
	world_end(&w);
}

static void a_group_has_a_limit(void **state)
{
	struct row *rows = calloc(STORE_GROUP_MAX + 1, sizeof(*rows));
	struct world w;
	uint64_t before;

	(void)state;
	assert_non_null(rows);
	world_begin(&w);
	hold(&w);
	before = store_progress(w.store);
	for (int i = 0; i <= STORE_GROUP_MAX; i++) {
		rows[i] = (struct row){ .world = &w, .n = i };
		check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[i]));
	}
	check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &rows[0]));
	release(&w);
	check_int(w.n_done, STORE_GROUP_MAX + 2);
	/* The one that held, a full group, the rest of each database, and the drain's own. */
	check_uint(store_progress(w.store) - before, 5);
	world_end(&w);
	free(rows);
}

enum { MANY = 100 * 1000 };

static void a_hundred_thousand_jobs(void **state)
{
	struct row *rows = calloc(MANY, sizeof(*rows));
	int sent = 0, r = 0;
	struct world w;

	(void)state;
	assert_non_null(rows);
	world_begin(&w);
	hold(&w);
	w.last = -1;
	for (; sent < MANY; sent++) {
		rows[sent] = (struct row){ .world = &w, .n = sent };
		r = store_submit(w.store, w.spool, 0, write_row, on_done, &rows[sent]);
		if (r)
			break;
	}
	check_int(r, STORE_E_FULL);
	check_int(sent, STORE_JOBS_MAX - 1); /* and the one that holds */
	check_uint(store_queued(w.store), STORE_JOBS_MAX);
	release(&w);
	check_int(w.n_done, sent);
	while (sent < MANY) {
		rows[sent] = (struct row){ .world = &w, .n = sent };
		r = store_submit(w.store, w.spool, 0, write_row, on_done, &rows[sent]);
		check_true(r == 0 || r == STORE_E_FULL);
		if (r == 0)
			sent++;
		if (r || sent % 1000 == 0)
			check_ok(loop_turn(w.loop, 0));
	}
	store_drain(w.store);
	check_int(w.n_done, MANY);
	check_true(w.in_order);
	for (int i = 0; i < MANY; i++)
		check_true(rows[i].done == 1 && rows[i].r == 0 && rows[i].runs == 1);
	check_int(count_rows(&w.dir, "spool.db", "SELECT count(*) FROM t"), MANY);
	/* Groups, not one commit a row; and the WAL did not grow for ever. */
	check_true(store_progress(w.store) < MANY / 4);
	check_true(store_bytes_written(w.store) < (uint64_t)MANY * 4096);
	world_end(&w);
	free(rows);
}

static void the_wal_is_kept_short(void **state)
{
	struct row *rows = calloc(4000, sizeof(*rows));
	struct world w;
	struct stat st;

	(void)state;
	assert_non_null(rows);
	world_begin(&w);
	for (int i = 0; i < 4000; i++) {
		rows[i] = (struct row){ .world = &w, .n = (int64_t)i * 7919 % 4001 };
		check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[i]));
		store_drain(w.store);
	}
	assert_int_equal(stat(tmpdir_path(&w.dir, "spool.db-wal"), &st), 0);
	check_true(st.st_size > STORE_WAL_MAX / 2 && st.st_size < STORE_WAL_MAX + 100 * 4096);
	assert_int_equal(stat(tmpdir_path(&w.dir, "spool.db"), &st), 0);
	check_true(st.st_size > 50 * 1000);
	world_end(&w);
	free(rows);
}

static void a_full_disk_fails_the_group_and_not_the_store(void **state)
{
	struct rlimit old, low = { .rlim_cur = 300000 };
	struct row rows[50], after = { .world = NULL, .n = 1000 };
	uint64_t progress;
	struct world w;
	int failed = 0;

	(void)state;
	world_begin(&w);
	after.world = &w;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	for (int i = 0; i < 50; i++) {
		rows[i] = (struct row){ .world = &w, .n = i };
		check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[i]));
		store_drain(w.store);
		failed += rows[i].r < 0;
		check_true(rows[i].r == 0 || rows[i].r == -ENOSPC);
	}
	check_true(failed > 0 && failed < 50);
	check_int(store_error(w.store), -ENOSPC);
	progress = store_progress(w.store);
	hold(&w); /* and a group of several */
	for (int i = 0; i < 10; i++) {
		rows[i] = (struct row){ .world = &w, .n = 100 + i };
		check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &rows[i]));
	}
	release(&w);
	for (int i = 0; i < 10; i++)
		check_int(rows[i].r, -ENOSPC);
	check_true(store_progress(w.store) >
		   progress); /* an error is progress: the watchdog stays calm */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &after));
	store_drain(w.store);
	check_int(after.r, 0);
	check_int(store_error(w.store), 0);
	check_int(count_rows(&w.dir, "spool.db", "SELECT count(*) FROM t"), 50 - failed + 1);
	world_end(&w);
}

/* A reserve of some steps; each gives the file system room for 100 kB more. */
struct reserve {
	int steps, asked;
	struct rlimit limit;
};

static bool give_way(void *ctx)
{
	struct reserve *reserve = ctx;

	reserve->asked++;
	if (reserve->steps == 0)
		return false;
	reserve->steps--;
	reserve->limit.rlim_cur += 100000;
	return setrlimit(RLIMIT_FSIZE, &reserve->limit) == 0;
}

static void the_reserve_is_for_some_and_ends(void **state)
{
	struct reserve reserve = { .steps = 3, .limit = { .rlim_cur = 200000 } };
	struct rlimit old;
	struct row row = { .world = NULL };
	struct world w;
	int n = 0;

	(void)state;
	world_make(&w);
	row.world = &w;
	store_set_reserve(w.store, &(struct store_reserve){ 1u << w.audit, give_way, &reserve });
	check_ok(store_start(w.store));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	reserve.limit.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &reserve.limit), 0);
	do { /* who is not meant gets nothing */
		row.n = n++;
		check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &row));
		store_drain(w.store);
	} while (row.r == 0 && n < 1000);
	check_int(row.r, -ENOSPC);
	check_int(reserve.asked, 0);
	for (n = 0; n < 1000; n++) { /* who is does not even notice, as long as there is some */
		row.n = n;
		check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &row));
		store_drain(w.store);
		check_int(row.r, 0);
	}
	check_true(reserve.asked > 0 && reserve.steps < 3);
	check_int(store_error(w.store), -ENOSPC); /* the spool's */
	/* Its log was carried into the database early: it never grew to what it may have otherwise. */
	struct stat st;
	check_int(stat(tmpdir_path(&w.dir, "audit.db-wal"), &st), 0);
	check_true(st.st_size < STORE_WAL_TIGHT_MAX + 200000);
	reserve.steps = reserve.asked = 0; /* and it ends */
	reserve.limit.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &reserve.limit), 0);
	row.n = n;
	check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &row));
	store_drain(w.store);
	check_int(row.r, -ENOSPC);
	check_int(reserve.asked, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	check_ok(store_submit(w.store, w.audit, 0, write_row, on_done, &row));
	store_drain(w.store);
	check_int(row.r, 0);
	store_set_tight(w.store, false);
	world_end(&w);
}

static void submit_again(void *arg, int r)
{
	struct row *row = arg;

	row->done++;
	row->r = r;
	if (row->done < 3) {
		row->n++;
		row->level = store_submit(row->world->store, row->world->spool, 0, write_row,
					  submit_again, row);
	}
}

static void closing_runs_what_waits(void **state)
{
	struct world w;
	struct row row = { .world = &w, .n = 1 }, again = { .world = &w, .n = 10 };

	(void)state;
	world_begin(&w);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &row));
	check_ok(store_submit(w.store, w.spool, 0, write_row, submit_again, &again));
	w.store = store_close(w.store);
	check_int(row.done, 1);
	check_int(row.r, 0);
	check_int(again.done, 1);
	check_int(again.level, -ECANCELED); /* a done callback that asks for more is told so */
	check_int(count_rows(&w.dir, "spool.db", "SELECT count(*) FROM t"), 2);
	world_end(&w);
}

static void what_never_started_is_cancelled(void **state)
{
	struct world w;
	struct row row = { .world = &w, .n = 1 };
	char too_long[STORE_NAME_MAX + 2] = "";
	unsigned db;

	(void)state;
	world_make(&w);
	memset(too_long, 'x', STORE_NAME_MAX + 1);
	check_int(store_add(w.store, "spool", tmpdir_path(&w.dir, "x.db"), &extra, &db), -EEXIST);
	check_int(store_add(w.store, too_long, tmpdir_path(&w.dir, "x.db"), &extra, &db),
		  -ENAMETOOLONG);
	check_int(store_add(w.store, "x", "/nonexistent/x.db", &extra, &db), -ENOENT);
	for (int i = 2; i < STORE_DBS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.db", i);
		check_ok(store_add(w.store, name, tmpdir_path(&w.dir, name), &extra, &db));
		check_uint(db, (unsigned)i);
	}
	check_int(store_add(w.store, "x", tmpdir_path(&w.dir, "x.db"), &extra, &db), -ENOBUFS);
	check_int(ask(store_db(w.store, w.spool), "SELECT count(*) FROM t"), 0);
	check_ok(store_submit(w.store, w.spool, 0, write_row, on_done, &row));
	w.store = store_close(w.store);
	check_int(row.r, -ECANCELED);
	check_int(row.runs, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(done_comes_by_the_loop),
		cmocka_unit_test(one_bad_job_fails_alone),
		cmocka_unit_test(a_lonely_bad_job_runs_once),
		cmocka_unit_test(a_job_that_ends_the_transaction_fails_its_group),
		cmocka_unit_test(one_sync_job_syncs_its_group),
		cmocka_unit_test(what_is_not_synced_is_flushed_in_two_seconds),
		cmocka_unit_test(a_task_stands_between_groups),
		cmocka_unit_test(a_group_has_a_limit),
		cmocka_unit_test(a_hundred_thousand_jobs),
		cmocka_unit_test(the_wal_is_kept_short),
		cmocka_unit_test(a_full_disk_fails_the_group_and_not_the_store),
		cmocka_unit_test(the_reserve_is_for_some_and_ends),
		cmocka_unit_test(closing_runs_what_waits),
		cmocka_unit_test(what_never_started_is_cancelled),
	};

	int failed = CHECK_RUN(rows);

	store_home_seal();
	failed |= CHECK_RUN(rows);
	db_keys_free(extra.keys);
	return failed;
}
