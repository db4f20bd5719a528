/* How much the one writer thread can make last: rows of 200 bytes, each a job of its own as the spool's are, with as
 * many waiting as a busy home would have; then one at a time, which shows what a single event waits for its commit.
 *
 *   bench-store FOLDER
 */
#include "stopwatch.h"
#include "sys/loop.h"
#include "sys/store.h"

#include <stdio.h>
#include <string.h>

enum { ROW_LEN = 200, WAITING = 4096, SPAN_MS = 1000, SINGLES = 500 };

static const struct db_migration migrations[] = {
	{ 1, "CREATE TABLE row (number INTEGER PRIMARY KEY, data BLOB NOT NULL)" },
};

struct store_bench {
	struct loop *loop;
	struct store *store;
	unsigned db;
	uint32_t flags;
	uint64_t until_ns;   /* submit again before that */
	uint64_t n_done, n_waiting, n_failed;
	struct stopwatch watch;
	uint64_t submitted_ns;
	uint64_t singles_left;
	uint8_t row[ROW_LEN];
};

static int insert(struct db *db, void *arg)
{
	struct store_bench *bench = arg;
	struct stmt *stmt;
	int r = db_prepare(db, "INSERT INTO row (data) VALUES (?1)", &stmt);

	if (r)
		return r;
	stmt_bind_blob(stmt, 1, bench->row, sizeof(bench->row));
	return stmt_run(stmt);
}

static void submit(struct store_bench *bench, store_done_fn done)
{
	bench->submitted_ns = stopwatch_now_ns();
	if (store_submit(bench->store, bench->db, bench->flags, insert, done, bench))
		bench->n_failed++;
	else
		bench->n_waiting++;
}

static void on_done(void *arg, int r)
{
	struct store_bench *bench = arg;

	bench->n_waiting--;
	if (r)
		bench->n_failed++;
	else
		bench->n_done++;
	if (!bench->n_failed && stopwatch_now_ns() < bench->until_ns)
		submit(bench, on_done);
}

static void on_single(void *arg, int r)
{
	struct store_bench *bench = arg;

	bench->n_waiting--;
	bench->n_failed += r != 0;
	stopwatch_add(&bench->watch, stopwatch_now_ns() - bench->submitted_ns);
	if (!bench->n_failed && --bench->singles_left)
		submit(bench, on_single);
}

static int wait_all(struct store_bench *bench)
{
	int r = 0;

	while (bench->n_waiting && !r)
		r = loop_turn(bench->loop, 100);
	return r < 0 ? r : bench->n_failed ? -EIO : 0;
}

/* Rows a second with WAITING of them on the way. */
static int span(struct store_bench *bench, uint32_t flags, double *ret_rows_s)
{
	uint64_t began_ns = stopwatch_now_ns();
	int r;

	bench->flags = flags;
	bench->n_done = 0;
	bench->until_ns = began_ns + SPAN_MS * UINT64_C(1000000);
	for (unsigned i = 0; i < WAITING; i++)
		submit(bench, on_done);
	r = wait_all(bench);
	*ret_rows_s = (double)bench->n_done * 1e9 / (double)(stopwatch_now_ns() - began_ns);
	return r;
}

static int singles(struct store_bench *bench)
{
	bench->flags = 0;
	bench->singles_left = SINGLES;
	submit(bench, on_single);
	return wait_all(bench);
}

static int store_bench_init(struct store_bench *bench, const char *folder)
{
	const struct db_options options = {
		.sync = DB_SYNC_NORMAL, .migrations = migrations, .n_migrations = N_ELEMENTS(migrations),
	};
	char path[512];
	int r = loop_new(&bench->loop);

	snprintf(path, sizeof(path), "%s/bench-store.db", folder);
	if (!r)
		r = store_new(bench->loop, &bench->store);
	if (!r)
		r = store_add(bench->store, "bench", path, &options, &bench->db);
	if (!r)
		r = store_start(bench->store);
	return r;
}

static int run(struct store_bench *bench, const char *folder)
{
	double rows_s = 0;
	double rows_sync_s = 0;
	int r = store_bench_init(bench, folder);

	if (!r)
		r = span(bench, 0, &rows_s);
	if (!r)
		r = span(bench, STORE_SYNC, &rows_sync_s);
	if (!r)
		r = singles(bench);
	if (!r)
		printf("{\"store_rows_s\":%.0f,\"store_rows_sync_s\":%.0f,\"store_done_p50_us\":%.1f"
		       ",\"store_done_p99_us\":%.1f}\n",
		       rows_s, rows_sync_s, (double)stopwatch_percentile(&bench->watch, 0.50) / 1e3,
		       (double)stopwatch_percentile(&bench->watch, 0.99) / 1e3);
	if (bench->store)
		store_close(bench->store);
	if (bench->loop)
		loop_free(bench->loop);
	return r;
}

int main(int argc, char **argv)
{
	uint64_t samples[SINGLES];
	struct store_bench bench = { .watch = { samples, 0, SINGLES } };
	int r;

	if (argc != 2) {
		fputs("bench-store FOLDER\n", stderr);
		return 2;
	}
	memset(bench.row, 0xa5, sizeof(bench.row));
	r = run(&bench, argv[1]);
	if (r)
		fprintf(stderr, "bench-store: %s\n", strerror(r < 0 ? -r : EIO));
	return r ? 1 : 0;
}
