/* One uv_loop_t, and round it what libuv does otherwise than we want.
 *
 * Timers: libuv counts CLOCK_MONOTONIC, which stands still while the machine sleeps, and a test
 * cannot turn it. So timers are ours, in a heap by (deadline, order of start), and one uv_timer_t,
 * the alarm, wakes the loop for the first of them. A turn is: prepare (hooks, set the alarm) - poll
 * (descriptors, wakes, finished work) - check (due timers, hooks). A virtual loop differs in one
 * thing only: due timers run in loop_advance and not in check, because its time does not move by
 * itself.
 *
 * A timer started with no delay inside a timer callback is due in the next turn, not in this one,
 * so a timer that restarts itself cannot keep descriptors waiting.
 */
#include "sys/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include "base/list.h"
#include "sys/loop_inside.h"

enum {
	/* The alarm never sleeps longer, so that after a suspend timers are at most this late. */
	ALARM_MS_MAX = 10 * 1000,
	/* A hook may arm hooks; more rounds than this go to the next turn. */
	HOOK_ROUNDS_MAX = 8,
	/* Zero-delay timers that start each other in a test would never let time pass. */
	ADVANCE_ROUNDS_MAX = 100 * 1000,
	CLOSE_TURNS_MAX = 100,
};

#define IDLE_SLOT SIZE_MAX

struct timer {
	struct loop *loop;
	timer_fn fn;
	void *ctx;
	int64_t deadline_ms;
	uint64_t start;
	size_t slot;
};

/* Time */

static int64_t boot_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void loop_read_clock(struct loop *loop)
{
	if (!loop->is_virtual)
		loop->now_ms = boot_now_ms();
}

void loop_woke(struct loop *loop)
{
	if (loop->fresh)
		return;
	loop->fresh = true;
	loop_read_clock(loop);
}

int64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

int64_t loop_wall_us(const struct loop *loop)
{
	struct timespec ts;

	if (loop->is_virtual)
		return loop->wall_us;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

uint64_t loop_turns(const struct loop *loop)
{
	return loop->turns;
}

/* Timers */

static bool timer_is_before(const struct timer *a, const struct timer *b)
{
	if (a->deadline_ms != b->deadline_ms)
		return a->deadline_ms < b->deadline_ms;
	return a->start < b->start;
}

static void heap_place(struct loop *loop, size_t slot, struct timer *timer)
{
	loop->heap[slot] = timer;
	timer->slot = slot;
}

static void heap_rise(struct loop *loop, size_t slot, struct timer *timer)
{
	while (slot > 0 && timer_is_before(timer, loop->heap[(slot - 1) / 2])) {
		heap_place(loop, slot, loop->heap[(slot - 1) / 2]);
		slot = (slot - 1) / 2;
	}
	heap_place(loop, slot, timer);
}

static void heap_sink(struct loop *loop, size_t slot, struct timer *timer)
{
	for (;;) {
		size_t child = 2 * slot + 1;

		if (child + 1 < loop->n_heap &&
		    timer_is_before(loop->heap[child + 1], loop->heap[child]))
			child++;
		if (child >= loop->n_heap || !timer_is_before(loop->heap[child], timer))
			break;
		heap_place(loop, slot, loop->heap[child]);
		slot = child;
	}
	heap_place(loop, slot, timer);
}

static void heap_remove(struct loop *loop, struct timer *timer)
{
	size_t slot = timer->slot;
	struct timer *last;

	if (slot == IDLE_SLOT)
		return;
	assert(slot < loop->n_heap && loop->heap[slot] == timer);
	timer->slot = IDLE_SLOT;
	last = loop->heap[--loop->n_heap];
	if (last == timer)
		return;
	if (slot > 0 && timer_is_before(last, loop->heap[(slot - 1) / 2]))
		heap_rise(loop, slot, last);
	else
		heap_sink(loop, slot, last);
}

int timer_new(struct loop *loop, timer_fn fn, void *ctx, struct timer **ret)
{
	struct timer *timer;

	/* Room in the heap is made here, so that starting a timer cannot fail. */
	if (loop->n_timers == loop->heap_cap) {
		size_t cap = loop->heap_cap ? 2 * loop->heap_cap : 16;
		struct timer **heap = reallocarray(loop->heap, cap, sizeof(struct timer *));

		if (!heap)
			return -ENOMEM;
		loop->heap = heap;
		loop->heap_cap = cap;
	}
	timer = calloc(1, sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	timer->loop = loop;
	timer->fn = fn;
	timer->ctx = ctx;
	timer->slot = IDLE_SLOT;
	loop->n_timers++;
	*ret = timer;
	return 0;
}

void timer_start(struct timer *timer, int64_t delay_ms)
{
	struct loop *loop = timer->loop;

	heap_remove(loop, timer);
	if (delay_ms < 0)
		delay_ms = 0;
	if (__builtin_add_overflow(loop->now_ms, delay_ms, &timer->deadline_ms))
		timer->deadline_ms = INT64_MAX;
	timer->start = loop->starts++;
	heap_rise(loop, loop->n_heap++, timer);
}

void timer_stop(struct timer *timer)
{
	heap_remove(timer->loop, timer);
}

struct timer *timer_close(struct timer *timer)
{
	if (timer) {
		heap_remove(timer->loop, timer);
		timer->loop->n_timers--;
		free(timer);
	}
	return NULL;
}

/* What is due now and was started before now. A callback may close any timer, its own included. */
static void loop_run_due(struct loop *loop)
{
	uint64_t starts = loop->starts;

	while (loop->n_heap > 0) {
		struct timer *timer = loop->heap[0];

		if (timer->deadline_ms > loop->now_ms || timer->start >= starts)
			return;
		heap_remove(loop, timer);
		timer->fn(timer->ctx);
	}
}

/* Hooks at the end of a turn */

void loop_at_turn_end(struct loop *loop, struct idle_hook *hook)
{
	if (hook->armed)
		return;
	hook->armed = true;
	hook->next = NULL;
	*loop->hooks_end = hook;
	loop->hooks_end = &hook->next;
	loop->n_hooks++;
}

void loop_forget_hook(struct loop *loop, struct idle_hook *hook)
{
	struct idle_hook **at = &loop->hooks;

	if (!hook->armed)
		return;
	while (*at != hook)
		at = &(*at)->next;
	*at = hook->next;
	if (loop->hooks_end == &hook->next)
		loop->hooks_end = at;
	hook->armed = false;
	loop->n_hooks--;
}

static void loop_run_hooks(struct loop *loop)
{
	for (int round = 0; round < HOOK_ROUNDS_MAX && loop->hooks; round++) {
		for (size_t n = loop->n_hooks; n > 0 && loop->hooks; n--) {
			struct idle_hook *hook = loop->hooks;

			loop_forget_hook(loop, hook);
			hook->fn(hook->ctx);
		}
	}
}

/* Turns */

static void on_alarm(uv_timer_t *alarm)
{
	(void)alarm; /* it only ends the poll; check does the rest */
}

/* How long the poll may sleep. */
static int64_t loop_sleep_ms(const struct loop *loop)
{
	int64_t sleep_ms = ALARM_MS_MAX;

	if (loop->hooks)
		return 0;
	if (loop->turn_ms >= 0 && loop->turn_ms < sleep_ms)
		sleep_ms = loop->turn_ms;
	if (!loop->is_virtual && loop->n_heap > 0) {
		int64_t due_ms = loop->heap[0]->deadline_ms - loop->now_ms;

		if (due_ms < sleep_ms)
			sleep_ms = due_ms;
	}
	return sleep_ms > 0 ? sleep_ms : 0;
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct loop *loop = CONTAINER_OF(prepare, struct loop, prepare);

	loop_read_clock(loop);
	loop_run_hooks(loop);
	loop_read_clock(loop);
	loop->fresh = false;
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->alarm, on_alarm, (uint64_t)loop_sleep_ms(loop), 0);
}

static void on_check(uv_check_t *check)
{
	struct loop *loop = CONTAINER_OF(check, struct loop, check);

	loop->turns++;
	loop_woke(loop);
	if (!loop->is_virtual)
		loop_run_due(loop);
	loop_run_hooks(loop);
}

int loop_run(struct loop *loop)
{
	assert(!loop->closing);
	loop_read_clock(loop);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return 0;
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

int loop_turn(struct loop *loop, int timeout_ms)
{
	assert(!loop->closing);
	loop->turn_ms = timeout_ms;
	uv_run(&loop->uv, timeout_ms ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	loop->turn_ms = -1;
	return 0;
}

void loop_advance(struct loop *loop, int64_t ms)
{
	int64_t target_ms = loop->now_ms + ms;
	int rounds = 0;

	assert(loop->is_virtual && ms >= 0);
	loop_run_hooks(loop);
	while (loop->n_heap > 0 && loop->heap[0]->deadline_ms <= target_ms) {
		int64_t step_ms = loop->heap[0]->deadline_ms - loop->now_ms;

		rounds = step_ms > 0 ? 0 : rounds + 1;
		assert(rounds < ADVANCE_ROUNDS_MAX);
		if (step_ms > 0) {
			loop->now_ms += step_ms;
			loop->wall_us += step_ms * 1000;
		}
		loop_run_due(loop);
		loop_run_hooks(loop);
	}
	loop->wall_us += (target_ms - loop->now_ms) * 1000;
	loop->now_ms = target_ms;
}

void loop_set_wall_us(struct loop *loop, int64_t wall_us)
{
	assert(loop->is_virtual);
	loop->wall_us = wall_us;
}

/* Birth and death */

static int loop_make(struct loop *loop)
{
	int r = uv_loop_init(&loop->uv);

	if (r < 0)
		return r;
	/* None of these can fail on Linux; they only link a handle into the loop. */
	uv_timer_init(&loop->uv, &loop->alarm);
	uv_prepare_init(&loop->uv, &loop->prepare);
	uv_check_init(&loop->uv, &loop->check);
	uv_prepare_start(&loop->prepare, on_prepare);
	uv_check_start(&loop->check, on_check);
	list_init(&loop->works);
	list_init(&loop->signals);
	loop->hooks_end = &loop->hooks;
	loop->turn_ms = -1;
	loop_read_clock(loop);
	return 0;
}

static int loop_create(bool is_virtual, int64_t boot_ms, int64_t wall_us, struct loop **ret)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->is_virtual = is_virtual;
	loop->now_ms = boot_ms;
	loop->wall_us = wall_us;
	r = loop_make(loop);
	if (r < 0) {
		free(loop);
		return r;
	}
	*ret = loop;
	return 0;
}

int loop_new(struct loop **ret)
{
	return loop_create(false, 0, 0, ret);
}

int loop_new_virtual(int64_t boot_ms, int64_t wall_us, struct loop **ret)
{
	return loop_create(true, boot_ms, wall_us, ret);
}

struct loop *loop_free(struct loop *loop)
{
	int r;

	if (!loop)
		return NULL;
	loop->closing = true;
	loop_end_work(loop);
	loop_end_signals(loop);
	uv_close((uv_handle_t *)&loop->alarm, NULL);
	uv_close((uv_handle_t *)&loop->prepare, NULL);
	uv_close((uv_handle_t *)&loop->check, NULL);
	/* The close callbacks. More than one turn when loop_stop or a signal came after the last
	 * one. */
	for (int i = 0; (r = uv_loop_close(&loop->uv)) == UV_EBUSY && i < CLOSE_TURNS_MAX; i++)
		uv_run(&loop->uv, UV_RUN_NOWAIT);
	assert(r == 0 &&
	       loop->n_timers == 0); /* else somebody left a watch, a wake or a timer on it */
	(void)r;
	free(loop->heap);
	free(loop);
	return NULL;
}
