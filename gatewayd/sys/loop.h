#pragma once
/* loop - the one event loop: time, timers, watched descriptors, signals, work off the loop.
 *
 *   above   everything that waits
 *   below   base/base  base/list  sys/loop_inside
 *   owns    struct loop (one a process), and every timer, watch and wake made on it
 *   limits  -
 *
 * Time is the loop's: CLOCK_BOOTTIME in milliseconds, read once a turn. A virtual loop (tests) has timers
 * that run only when loop_advance moves its time, so an hour's time-out takes no time at all.
 */
#include "base/base.h"

struct loop;
struct timer;
struct watch;
struct wake;
struct work;

typedef void (*timer_fn)(void *ctx);
typedef void (*watch_fn)(void *ctx, uint32_t events);
typedef void (*signal_fn)(void *ctx, int signum);
typedef void (*work_fn)(void *ctx);             /* runs on a pool thread */
typedef void (*work_done_fn)(void *ctx, int r); /* runs on the loop; -ECANCELED when the loop is closing */

/* An error condition gives every event that was asked for and WATCH_HANGUP, and pauses the watch. */
enum { WATCH_READ = 1u, WATCH_WRITE = 2u, WATCH_HANGUP = 4u };

must_check int loop_new(struct loop **ret);
/* Timers by loop_advance only; descriptors and work are real. */
must_check int loop_new_virtual(int64_t boot_ms, int64_t wall_us, struct loop **ret);
/* Runs the pending close callbacks. Timers, watches and wakes must be closed before; work is waited for. */
struct loop *loop_free(struct loop *loop);
must_check int loop_run(struct loop *loop); /* until loop_stop */
void loop_stop(struct loop *loop);
/* One turn, waiting at most timeout_ms for I/O (0 polls). Tests and clients. */
must_check int loop_turn(struct loop *loop, int timeout_ms);
void loop_advance(struct loop *loop, int64_t ms); /* virtual: time moves, due timers run in order */
void loop_set_wall_us(struct loop *loop, int64_t wall_us); /* virtual only */

int64_t loop_now_ms(const struct loop *loop);  /* CLOCK_BOOTTIME */
int64_t loop_wall_us(const struct loop *loop); /* CLOCK_REALTIME, microseconds since 1970 */
uint64_t loop_turns(const struct loop *loop);  /* for the watchdog */

must_check int timer_new(struct loop *loop, timer_fn fn, void *ctx, struct timer **ret);
void timer_start(struct timer *timer, int64_t delay_ms); /* once; restarts a running one */
void timer_stop(struct timer *timer);
struct timer *timer_close(struct timer *timer); /* NULL is fine; fn never runs again; returns NULL */

must_check int watch_new(struct loop *loop, int fd, watch_fn fn, void *ctx, struct watch **ret);
must_check int watch_set(struct watch *watch, uint32_t events); /* 0 pauses */
struct watch *watch_close(struct watch *watch); /* does not close fd, which must stay open until this call */

must_check int loop_on_signal(struct loop *loop, int signum, signal_fn fn, void *ctx);

/* wake_send may be called from any thread; fn runs once on the loop for one or more sends. */
must_check int wake_new(struct loop *loop, timer_fn fn, void *ctx, struct wake **ret);
void wake_send(struct wake *wake);
struct wake *wake_close(struct wake *wake);

/* Runs fn once at the end of the current turn (before the loop sleeps); asking twice before that is once. */
struct idle_hook {
	struct idle_hook *next;
	timer_fn fn;
	void *ctx;
	bool armed;
};
void loop_at_turn_end(struct loop *loop, struct idle_hook *hook);
void loop_forget_hook(struct loop *loop, struct idle_hook *hook);

/* Long computations (password hash, compiling policy). done runs on the loop exactly once. */
must_check int loop_work(struct loop *loop, work_fn fn, work_done_fn done, void *ctx);
/* Cancels what waits (its done gets -ECANCELED), waits for what runs and calls its done: before what it reads is freed. */
void loop_end_work(struct loop *loop);
