/* The loop: virtual time goes in order, real time goes at all, and everything may be closed inside
 * its callback. */
#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/base.h"
#include "sys/loop.h"

/* A timer that writes down when it ran. */
struct note {
	struct loop *loop;
	struct timer *timer;
	char name;
	char *book;
	int64_t again_ms;
	int64_t ran_ms;
	int runs;
};

static void on_note(void *ctx)
{
	struct note *note = ctx;
	size_t n = strlen(note->book);

	note->book[n] = note->name;
	note->book[n + 1] = '\0';
	note->ran_ms = loop_now_ms(note->loop);
	note->runs++;
	if (note->again_ms)
		timer_start(note->timer, note->again_ms);
}

static struct loop *new_virtual(void)
{
	struct loop *loop;

	check_ok(loop_new_virtual(5000, 1700000000000000, &loop));
	return loop;
}

static void virtual_time_goes_step_by_step(void **state)
{
	struct loop *loop = new_virtual();
	char book[16384] = "";
	struct note a = { .name = 'a', .loop = loop, .book = book }, b = a, c = a;

	(void)state;
	b.name = 'b';
	c.name = 'c';
	c.again_ms = 400;
	check_ok(timer_new(loop, on_note, &a, &a.timer));
	check_ok(timer_new(loop, on_note, &b, &b.timer));
	check_ok(timer_new(loop, on_note, &c, &c.timer));
	timer_start(b.timer, 1000);
	timer_start(a.timer, 1000); /* same time: in the order of their start */
	timer_start(c.timer, 400);
	loop_advance(loop, 399);
	check_text(book, "");
	loop_advance(loop, 1);
	check_text(book, "c");
	check_int(c.ran_ms, 5400);
	loop_advance(loop, 3600 * 1000);
	check_bytes(book, 5, "ccbac", 5);
	check_int(a.ran_ms, 6000);
	check_int(loop_now_ms(loop), 5000 + 400 + 3600 * 1000);
	check_int(loop_wall_us(loop), 1700000000000000 + 3600400000);
	check_int(c.runs, 3600400 / 400);
	loop_set_wall_us(loop, 77);
	check_int(loop_wall_us(loop), 77);
	check_ok(loop_turn(loop, 20)); /* descriptors only: virtual time stands still */
	check_int(loop_now_ms(loop), 5000 + 400 + 3600 * 1000);
	a.timer = timer_close(a.timer);
	timer_close(b.timer);
	timer_close(c.timer);
	check_true(loop_free(loop) == NULL);
}

static void a_started_timer_starts_anew(void **state)
{
	struct loop *loop = new_virtual();
	char book[8] = "";
	struct note a = { .name = 'a', .loop = loop, .book = book };

	(void)state;
	check_ok(timer_new(loop, on_note, &a, &a.timer));
	timer_start(a.timer, 100);
	loop_advance(loop, 99);
	timer_start(a.timer, 100);
	loop_advance(loop, 99);
	check_text(book, "");
	timer_stop(a.timer);
	timer_stop(a.timer);
	loop_advance(loop, 1000);
	check_text(book, "");
	timer_start(a.timer, -5);
	loop_advance(loop, 0);
	check_text(book, "a");
	timer_start(a.timer, INT64_MAX); /* for ever, and no overflow */
	loop_advance(loop, 1000000);
	check_text(book, "a");
	timer_close(a.timer);
	loop_free(loop);
}

enum { CROWD = 1000 };

static void many_timers_run_in_order(void **state)
{
	int64_t order[CROWD];
	struct loop *loop = new_virtual();
	struct note *notes = calloc(CROWD, sizeof(*notes));
	char book[CROWD + 1] = "";
	unsigned seed = 1;
	int64_t last = 0;

	(void)state;
	assert_non_null(notes);
	for (int i = 0; i < CROWD; i++) {
		seed = seed * 1103515245u + 12345u;
		order[i] = (int64_t)(seed >> 8) % 500;
		notes[i] = (struct note){ .name = 'x', .loop = loop, .book = book };
		check_ok(timer_new(loop, on_note, &notes[i], &notes[i].timer));
		timer_start(notes[i].timer, order[i]);
	}
	for (int i = 0; i < CROWD; i += 3)
		timer_stop(notes[i].timer);
	loop_advance(loop, 500);
	check_uint(strlen(book), CROWD - (CROWD + 2) / 3);
	for (int i = 0; i < CROWD; i++) {
		check_int(notes[i].runs, i % 3 ? 1 : 0);
		if (i % 3)
			check_int(notes[i].ran_ms, 5000 + order[i]);
		if (notes[i].ran_ms > last)
			last = notes[i].ran_ms;
		timer_close(notes[i].timer);
	}
	check_true(last > 5400);
	free(notes);
	loop_free(loop);
}

struct pair_of_timers {
	struct timer *self, *other;
	int runs;
};

static void on_close_both(void *ctx)
{
	struct pair_of_timers *pair = ctx;

	pair->runs++;
	pair->self = timer_close(pair->self);
	pair->other = timer_close(pair->other);
}

static void a_timer_may_close_itself_and_its_neighbour(void **state)
{
	struct loop *loop = new_virtual();
	struct pair_of_timers pair = { 0 };

	(void)state;
	check_ok(timer_new(loop, on_close_both, &pair, &pair.self));
	check_ok(timer_new(loop, on_close_both, &pair, &pair.other));
	timer_start(pair.self, 10);
	timer_start(pair.other, 10);
	loop_advance(loop, 10);
	check_int(pair.runs, 1);
	check_true(timer_close(NULL) == NULL);
	loop_free(loop);
}

static void real_timers_run(void **state)
{
	struct loop *loop;
	char book[8] = "";
	struct note a = { .name = 'a', .book = book }, b = a;
	struct timespec boot;
	int64_t start;

	(void)state;
	check_ok(loop_new(&loop));
	a.loop = b.loop = loop;
	b.name = 'b';
	check_ok(timer_new(loop, on_note, &a, &a.timer));
	check_ok(timer_new(loop, on_note, &b, &b.timer));
	start = loop_now_ms(loop);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	check_near((double)start, (double)boot.tv_sec * 1000 + (double)boot.tv_nsec / 1e6, 1000);
	timer_start(b.timer, 30);
	timer_start(a.timer, 10);
	for (int i = 0; i < 50 && !b.runs; i++)
		check_ok(loop_turn(loop, 100));
	check_text(book, "ab");
	check_true(a.ran_ms >= start + 10 && b.ran_ms >= start + 30);
	check_true(loop_turns(loop) >= 2);
	timer_close(a.timer);
	timer_close(b.timer);
	loop_free(loop);
}

struct spinner {
	struct loop *loop;
	struct timer *timer;
	struct watch *watch;
	int fd, runs, reads;
};

static void on_spin(void *ctx)
{
	struct spinner *s = ctx;

	s->runs++;
	timer_start(s->timer, 0);
}

static void on_spin_read(void *ctx, uint32_t events)
{
	struct spinner *s = ctx;

	check_uint(events, WATCH_READ);
	s->reads++;
	s->watch = watch_close(s->watch); /* inside its callback */
	loop_stop(s->loop);
}

static void a_busy_timer_does_not_starve_descriptors(void **state)
{
	struct spinner s = { 0 };
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	check_ok(loop_new(&s.loop));
	check_ok(timer_new(s.loop, on_spin, &s, &s.timer));
	check_ok(watch_new(s.loop, fds[0], on_spin_read, &s, &s.watch));
	check_ok(watch_set(s.watch, WATCH_READ));
	timer_start(s.timer, 0);
	for (int i = 0; i < 10; i++)
		check_ok(loop_turn(s.loop, 0));
	check_int(s.runs, 10);
	check_int((int)write(fds[1], "x", 1), 1);
	check_ok(loop_run(s.loop));
	check_int(s.reads, 1);
	timer_close(s.timer);
	loop_stop(s.loop); /* a stop that nobody runs into must not upset the end */
	loop_free(s.loop);
	close(fds[0]);
	close(fds[1]);
}

static void count_events(void *ctx, uint32_t events)
{
	*(uint32_t *)ctx = events;
}

static void watches_pause_and_tell_of_hangup(void **state)
{
	struct loop *loop = new_virtual();
	struct watch *watch;
	uint32_t seen = 0;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	check_ok(watch_new(loop, fds[0], count_events, &seen, &watch));
	check_ok(watch_set(watch, WATCH_READ | WATCH_WRITE));
	check_ok(loop_turn(loop, 0));
	check_uint(seen, WATCH_WRITE);
	seen = 0;
	check_ok(watch_set(watch, 0));
	check_int((int)write(fds[1], "x", 1), 1);
	check_ok(loop_turn(loop, 0));
	check_uint(seen, 0);
	check_ok(watch_set(watch, WATCH_READ | WATCH_HANGUP));
	check_ok(loop_turn(loop, 100));
	check_uint(seen, WATCH_READ);
	close(fds[1]);
	check_ok(loop_turn(loop, 100));
	check_uint(seen & WATCH_HANGUP, WATCH_HANGUP);
	watch_close(watch);
	close(fds[0]);
	loop_free(loop);
}

static void an_error_pauses_its_watch(void **state)
{
	struct loop *loop = new_virtual();
	struct watch *watch;
	uint32_t seen = 0;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	check_ok(watch_new(loop, fds[1], count_events, &seen, &watch));
	check_ok(watch_set(watch, WATCH_HANGUP));
	close(fds[0]); /* a pipe that nobody will read */
	check_ok(loop_turn(loop, 100));
	check_uint(seen, WATCH_HANGUP);
	seen = 0;
	check_ok(loop_turn(loop, 20));
	check_uint(seen, 0);
	check_ok(watch_set(watch, WATCH_HANGUP));
	check_ok(loop_turn(loop, 100));
	check_uint(seen, WATCH_HANGUP);
	watch_close(watch);
	close(fds[1]);
	loop_free(loop);
}

struct chain {
	struct loop *loop;
	struct idle_hook hook, other;
	int runs, other_runs, again;
};

static void on_chain(void *ctx)
{
	struct chain *c = ctx;

	c->runs++;
	if (c->again-- > 0)
		loop_at_turn_end(c->loop, &c->hook);
}

static void on_other(void *ctx)
{
	struct chain *c = ctx;

	c->other_runs++;
}

static void hooks_run_once_at_the_end(void **state)
{
	struct chain c = { .loop = new_virtual() };

	(void)state;
	c.hook = (struct idle_hook){ .fn = on_chain, .ctx = &c };
	c.other = (struct idle_hook){ .fn = on_other, .ctx = &c };
	loop_at_turn_end(c.loop, &c.hook);
	loop_at_turn_end(c.loop, &c.other);
	loop_at_turn_end(c.loop, &c.hook);
	check_int(c.runs, 0);
	check_ok(loop_turn(c.loop, 0));
	check_int(c.runs, 1);
	check_int(c.other_runs, 1);
	check_ok(loop_turn(c.loop, 0));
	check_int(c.runs, 1);
	loop_at_turn_end(c.loop, &c.hook);
	loop_at_turn_end(c.loop, &c.other);
	loop_forget_hook(c.loop, &c.other); /* the last of the list */
	loop_at_turn_end(c.loop, &c.other);
	loop_forget_hook(c.loop, &c.hook); /* the first */
	loop_forget_hook(c.loop, &c.hook);
	loop_advance(c.loop, 0); /* counts as the end of a turn, too */
	check_int(c.runs, 1);
	check_int(c.other_runs, 2);
	c.again = 1000; /* a hook that arms itself takes many turns, not the loop for ever */
	loop_at_turn_end(c.loop, &c.hook);
	check_ok(loop_turn(c.loop, 1000));
	check_true(c.runs > 1 && c.runs < 100);
	loop_forget_hook(c.loop, &c.hook);
	loop_free(c.loop);
}

static void on_sig(void *ctx, int signum)
{
	*(int *)ctx = signum;
}

static void signals_arrive(void **state)
{
	struct loop *loop;
	int got = 0;

	(void)state;
	check_ok(loop_new(&loop));
	check_ok(loop_on_signal(loop, SIGUSR1, on_sig, &got));
	check_int(loop_on_signal(loop, 0, on_sig, &got), -EINVAL);
	assert_int_equal(raise(SIGUSR1), 0);
	for (int i = 0; i < 10 && !got; i++)
		check_ok(loop_turn(loop, 100));
	check_int(got, SIGUSR1);
	assert_int_equal(raise(SIGUSR1), 0); /* and one that nobody will hear any more */
	loop_free(loop);
}

struct bell {
	struct wake *wake;
	pthread_t thread;
	int rings;
};

static void on_ring(void *ctx)
{
	((struct bell *)ctx)->rings++;
}

static void *ring(void *ctx)
{
	for (int i = 0; i < 100; i++)
		wake_send(((struct bell *)ctx)->wake);
	return NULL;
}

static void a_wake_comes_from_another_thread(void **state)
{
	struct loop *loop = new_virtual();
	struct bell bell = { 0 };

	(void)state;
	check_ok(wake_new(loop, on_ring, &bell, &bell.wake));
	assert_int_equal(pthread_create(&bell.thread, NULL, ring, &bell), 0);
	pthread_join(bell.thread, NULL);
	for (int i = 0; i < 10 && !bell.rings; i++)
		check_ok(loop_turn(loop, 100));
	check_int(bell.rings, 1); /* a hundred sends before the turn are one */
	bell.wake = wake_close(bell.wake);
	loop_free(loop);
}

struct job {
	pthread_t main;
	int work, done, r;
	bool elsewhere;
	int sleep_ms;
};

static void on_work(void *ctx)
{
	struct job *job = ctx;

	job->elsewhere = !pthread_equal(pthread_self(), job->main);
	if (job->sleep_ms)
		usleep((useconds_t)job->sleep_ms * 1000);
	job->work++;
}

static void on_done(void *ctx, int r)
{
	struct job *job = ctx;

	check_true(pthread_equal(pthread_self(), job->main));
	job->done++;
	job->r = r;
}

static void work_runs_elsewhere_and_ends_here(void **state)
{
	struct loop *loop = new_virtual();
	struct job job = { .main = pthread_self(), .r = 77 };

	(void)state;
	check_ok(loop_work(loop, on_work, on_done, &job));
	for (int i = 0; i < 50 && !job.done; i++)
		check_ok(loop_turn(loop, 100));
	check_int(job.work, 1);
	check_int(job.done, 1);
	check_int(job.r, 0);
	check_true(job.elsewhere);
	loop_free(loop);
}

enum { HEAP_OF_WORK = 20 };

static void the_end_waits_for_work(void **state)
{
	struct loop *loop = new_virtual();
	struct job jobs[HEAP_OF_WORK];
	int worked = 0;

	(void)state;
	for (int i = 0; i < HEAP_OF_WORK; i++) {
		jobs[i] = (struct job){ .main = pthread_self(), .sleep_ms = 20 };
		check_ok(loop_work(loop, on_work, on_done, &jobs[i]));
	}
	usleep(10000);
	loop_free(loop);
	for (int i = 0; i < HEAP_OF_WORK; i++) {
		check_int(jobs[i].done, 1);
		check_int(jobs[i].r, -ECANCELED);
		worked += jobs[i].work;
	}
	check_true(worked < HEAP_OF_WORK); /* what had not begun was not begun */
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(virtual_time_goes_step_by_step),
		cmocka_unit_test(a_started_timer_starts_anew),
		cmocka_unit_test(many_timers_run_in_order),
		cmocka_unit_test(a_timer_may_close_itself_and_its_neighbour),
		cmocka_unit_test(real_timers_run),
		cmocka_unit_test(a_busy_timer_does_not_starve_descriptors),
		cmocka_unit_test(watches_pause_and_tell_of_hangup),
		cmocka_unit_test(an_error_pauses_its_watch),
		cmocka_unit_test(hooks_run_once_at_the_end),
		cmocka_unit_test(signals_arrive),
		cmocka_unit_test(a_wake_comes_from_another_thread),
		cmocka_unit_test(work_runs_elsewhere_and_ends_here),
		cmocka_unit_test(the_end_waits_for_work),
	};

	return CHECK_RUN(rows);
}
