/* The spool: what was called stored is there after kill -9; order per class; duplicates marked and nothing else new;
 * a full spool gives up the right things and counts them.
 */
#include "spool_home.h"

#include <signal.h>
#include <sys/wait.h>

enum { MANY = 100000 };

static void classes_leave_in_their_order_and_numbers_rise(void **state)
{
	struct home home;
	uint64_t a, s1, s2, t1, t2;

	(void)state;
	home_setup(&home, 1 << 20);
	append(&home, EVENT_CLASS_TELEMETRY, 1, 10);
	append(&home, EVENT_CLASS_STATE, 1, 20);
	append(&home, EVENT_CLASS_TELEMETRY, 1, 11);
	append(&home, EVENT_CLASS_ALARM, 1, 30);
	append(&home, EVENT_CLASS_STATE, 1, 21);
	check_uint(home.n_stored, 0);
	settle(&home);
	check_uint(home.n_stored, 5);
	check_true(home.ready > 0);
	expect(&home, EVENT_CLASS_ALARM, 30, false, &a);
	expect(&home, EVENT_CLASS_STATE, 20, false, &s1);
	expect(&home, EVENT_CLASS_STATE, 21, false, &s2);
	expect(&home, EVENT_CLASS_TELEMETRY, 10, false, &t1);
	append(&home, EVENT_CLASS_ALARM, 1, 31); /* overtakes what still waits */
	expect(&home, EVENT_CLASS_ALARM, 31, false, NULL);
	expect(&home, EVENT_CLASS_TELEMETRY, 11, false, &t2);
	expect_nothing(&home);
	check_true(t1 < s1 && s1 < t2 && t2 < a && a < s2);
	struct spool_stats stats = spool_stats_of(home.spool, home.link);

	check_uint(stats.queued[EVENT_CLASS_ALARM], 2);
	check_uint(stats.queued[EVENT_CLASS_TELEMETRY], 2);
	check_uint(stats.oldest_number, t1);
	check_text(spool_link_name(home.spool, home.link), "cloud");
	check_true(!spool_link_name(home.spool, SPOOL_LINKS_MAX) && !spool_link_name(home.spool, home.link + 1));
	home_teardown(&home);
}

static void what_was_taken_comes_again_marked_after_untake_and_after_restart(void **state)
{
	struct home home;
	uint64_t n1, n2, again, last;

	(void)state;
	home_setup(&home, 1 << 20);
	for (int i = 0; i < 4; i++)
		append(&home, EVENT_CLASS_STATE, 1, i);
	expect(&home, EVENT_CLASS_STATE, 0, false, &n1);
	expect(&home, EVENT_CLASS_STATE, 1, false, &n2);
	expect(&home, EVENT_CLASS_STATE, 2, false, NULL);
	spool_ack(home.spool, home.link, n2); /* out of order */
	spool_ack(home.spool, home.link, n2); /* and twice */
	spool_ack(home.spool, home.link, 999);
	unsigned ready = home.ready;

	spool_untake(home.spool, home.link);
	settle(&home);
	check_true(home.ready > ready);
	expect(&home, EVENT_CLASS_STATE, 0, true, &again);
	check_uint(again, n1);
	expect(&home, EVENT_CLASS_STATE, 2, true, NULL);
	expect(&home, EVENT_CLASS_STATE, 3, false, &last);
	spool_ack(home.spool, home.link, last);
	check_uint(spool_stats_of(home.spool, home.link).delivered, 2);
	home_restart(&home, 1 << 20);
	/* 3 was acknowledged in front of others that were not: its row was not deleted, or it was; a duplicate at most. */
	expect(&home, EVENT_CLASS_STATE, 0, true, &n1);
	expect(&home, EVENT_CLASS_STATE, 1, true, NULL);
	expect(&home, EVENT_CLASS_STATE, 2, true, NULL);
	check_uint(again, n1);
	append(&home, EVENT_CLASS_STATE, 1, 77);
	struct spool_entry entry;

	check_true(take(&home, &entry));
	if (value_of(&entry) == 3)
		check_true(entry.duplicate && take(&home, &entry));
	check_int(value_of(&entry), 77);
	check_true(!entry.duplicate && entry.number > last); /* no number is given twice */
	check_uint(spool_stats_of(home.spool, home.link).delivered, 2);
	home_teardown(&home);
}

static void numbers_are_not_reused_when_everything_was_acknowledged(void **state)
{
	struct home home;
	uint64_t before, after;

	(void)state;
	home_setup(&home, 1 << 20);
	for (int i = 0; i < 10; i++) {
		append(&home, EVENT_CLASS_TELEMETRY, 1, i);
		expect(&home, EVENT_CLASS_TELEMETRY, i, false, &before);
		spool_ack(home.spool, home.link, before);
	}
	loop_advance(home.loop, SPOOL_FLUSH_MS);
	settle(&home);
	check_uint(spool_stats_of(home.spool, home.link).bytes, 0);
	home_restart(&home, 1 << 20);
	expect_nothing(&home);
	append(&home, EVENT_CLASS_TELEMETRY, 1, 99);
	expect(&home, EVENT_CLASS_TELEMETRY, 99, false, &after);
	check_true(after > before);
	home_teardown(&home);
}

/* A hundred thousand, of which the window holds two: all come, in order, each once. */
static void the_window_is_refilled_from_disk_in_order(void **state)
{
	struct home home;
	struct spool_entry entry;

	(void)state;
	home_setup(&home, 1 << 30);
	for (int64_t i = 0; i < MANY; i++) {
		append(&home, i % 10 == 0 ? EVENT_CLASS_STATE : EVENT_CLASS_TELEMETRY, (uint8_t)(i % 50), i);
		if (i % 500 == 0)
			check_ok(loop_turn(home.loop, 0));
	}
	settle(&home);
	check_uint(home.n_stored, MANY);
	check_uint(spool_stats_of(home.spool, home.link).queued[EVENT_CLASS_TELEMETRY], MANY * 9 / 10);
	check_true(home.spool->outlets[home.link].queues[EVENT_CLASS_TELEMETRY].n_window <= SPOOL_WINDOW_MAX / 2);
	int64_t next[EVENT_CLASSES] = { 0, 0, 1 };

	for (int64_t i = 0; i < MANY; i++) {
		check_true(take(&home, &entry));
		check_true(!entry.duplicate);
		check_int(value_of(&entry), next[entry.event_class]);
		next[entry.event_class] += entry.event_class == EVENT_CLASS_STATE ? 10 : next[EVENT_CLASS_TELEMETRY] % 10 == 9 ? 2 : 1;
		if (i % 100 == 99) { /* the link's process went away for a moment */
			spool_untake(home.spool, home.link);
			check_true(take(&home, &entry) && entry.duplicate);
		}
		spool_ack(home.spool, home.link, entry.number);
	}
	expect_nothing(&home);
	loop_advance(home.loop, SPOOL_FLUSH_MS);
	struct spool_stats stats = spool_stats_of(home.spool, home.link);

	check_uint(stats.delivered, MANY);
	check_uint(stats.bytes, 0);
	check_uint(stats.oldest_number, 0);
	home_restart(&home, 1 << 30);
	check_uint(spool_stats_of(home.spool, home.link).queued[EVENT_CLASS_TELEMETRY], 0);
	home_teardown(&home);
}

/* --- kill -9 --------------------------------------------------------------------------------------------------------- */

struct told {
	struct home *home;
	int fd;
	int64_t value;
};

static void tell_stored(void *ctx, int r)
{
	struct told *told = ctx;

	if (r == 0 && write(told->fd, &told->value, sizeof(told->value)) != sizeof(told->value))
		_exit(3);
	free(told);
}

/* Appends until it is killed; tells each value once it is stored. Acknowledges a part, so that deletions are on the way too. */
static void child_run(const char *path, int fd)
{
	static const enum event_class classes[] = { EVENT_CLASS_TELEMETRY, EVENT_CLASS_STATE, EVENT_CLASS_TELEMETRY, EVENT_CLASS_ALARM };
	struct home home = { 0 };
	struct spool_entry entry;

	home_open(&home, path, 1 << 28, true);
	for (int64_t i = 0;; i++) {
		struct event e = event(classes[i % 4], 1, i);
		struct told *told = malloc(sizeof(*told));

		*told = (struct told){ &home, fd, i };
		if (spool_append(home.spool, 1, &e, tell_stored, told))
			_exit(4);
		if (i % 7 == 0 && loop_turn(home.loop, 0))
			_exit(5);
		if (store_queued(home.store) > 2000)
			store_drain(home.store);
		if (i % 3 == 0)
			(void)spool_take(home.spool, 0, &entry);
	}
}

static void what_was_called_stored_survives_kill_9(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 12; round++) {
		struct home home = { 0 };
		int64_t told[65536 / 8], max = -1, next[EVENT_CLASSES] = { -1, -1, -1 };
		struct spool_entry entry;
		char *seen = NULL;
		int fds[2];
		ssize_t n;

		tmpdir_init(&home.dir);
		const char *path = tmpdir_path(&home.dir, "spool.db");

		check_ok(pipe(fds));
		pid_t pid = fork();

		if (pid == 0) {
			close(fds[0]);
			child_run(path, fds[1]);
		}
		close(fds[1]);
		seen = calloc(1, 1 << 22);
		usleep(20000 + round * 9000);
		while ((n = read(fds[0], told, sizeof(told))) > 0) {
			for (size_t i = 0; i < (size_t)n / sizeof(told[0]); i++) {
				seen[told[i]] = 1;
				max = told[i] > max ? told[i] : max;
			}
			if (max > 2000 + (int64_t)round * 777)
				kill(pid, SIGKILL);
		}
		check_true(max > 1000);
		check_int(waitpid(pid, NULL, 0), pid);
		close(fds[0]);
		home_open(&home, path, 1 << 28, true);
		while (take(&home, &entry)) {
			int64_t v = value_of(&entry);

			check_true(v > next[entry.event_class]);
			next[entry.event_class] = v;
			seen[v] = 0;
			spool_ack(home.spool, home.link, entry.number);
		}
		for (int64_t i = 0; i <= max; i++)
			check_int(seen[i], 0);
		free(seen);
		home_teardown(&home);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(classes_leave_in_their_order_and_numbers_rise),
		cmocka_unit_test(what_was_taken_comes_again_marked_after_untake_and_after_restart),
		cmocka_unit_test(numbers_are_not_reused_when_everything_was_acknowledged),
		cmocka_unit_test(the_window_is_refilled_from_disk_in_order),
		cmocka_unit_test(what_was_called_stored_survives_kill_9),
	};

	return CHECK_RUN(rows);
}
