/* A process that writes is killed, again and again: what it was told is kept is there. */
#include "store_home.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child writes rows 1, 2, 3 ... and tells each number when it was acknowledged. */
struct telling {
	int64_t n;
	int fd;
};

static int write_said(struct db *db, void *arg)
{
	struct telling *t = arg;
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO t(n) VALUES(?1)", &s);

	if (r < 0)
		return r;
	stmt_bind_i64(s, 1, t->n);
	return stmt_run(s);
}

static void on_said(void *arg, int r)
{
	struct telling *t = arg;

	if (r == 0 && write(t->fd, &t->n, sizeof(t->n)) != sizeof(t->n))
		_exit(1);
	free(t);
}

static void child_writes(const char *path, int64_t from, int fd)
{
	struct store *store;
	struct loop *loop;
	unsigned db;

	if (loop_new(&loop) || store_new(loop, &store) || store_add(store, "s", path, &normal, &db) || store_start(store))
		_exit(1);
	for (int64_t n = from;; n++) {
		struct telling *t = calloc(1, sizeof(*t));

		*t = (struct telling){ .n = n, .fd = fd };
		if (store_submit(store, db, 0, write_said, on_said, t) || loop_turn(loop, 0))
			_exit(1);
		while (store_queued(store) > 100)
			if (loop_turn(loop, 10))
				_exit(1);
	}
}

static void killed_processes_lose_nothing_acknowledged(void **state)
{
	int64_t acked = 0, rows;
	struct tmpdir dir;
	const char *path;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "s.db");
	/* Twenty deaths, and more where the machine is slow, until enough was told to be lost. */
	for (int round = 0; round < 20 || (acked <= 1000 && round < 400); round++) {
		int64_t from = acked + 1, n;
		int fds[2];
		pid_t child;

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		child = fork();
		if (child == 0)
			child_writes(path, from, fds[1]);
		close(fds[1]);
		usleep((useconds_t)(20000 + round % 20 * 3000));
		kill(child, SIGKILL);
		check_int(waitpid(child, NULL, 0), child);
		while (read(fds[0], &n, sizeof(n)) == sizeof(n))
			acked = n;
		close(fds[0]);
		rows = count_rows(&dir, "s.db", "SELECT count(*) FROM t");
		check_true(rows >= acked);
		/* no gap either; none at all when it was killed before its first */
		check_int(count_rows(&dir, "s.db", "SELECT coalesce(max(n), 0) FROM t"), rows);
		acked = rows; /* those that were written and not told count for the next round */
	}
	check_true(acked > 1000);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(killed_processes_lose_nothing_acknowledged),
	};

	int failed = CHECK_RUN(rows);

	store_home_seal();
	failed |= CHECK_RUN(rows);
	db_keys_free(extra.keys);
	return failed;
}
