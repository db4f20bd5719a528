#pragma once
/* loop_inside - what loop.c and loop_io.c share; nobody else includes it.
 *
 *   above   sys/loop  sys/loop_io
 *   below   base/base  base/list  sys/loop
 *   owns    -
 */
#include <uv.h>
#include "base/base.h"
#include "base/list.h"
#include "sys/loop.h"

struct loop {
	uv_loop_t uv;
	uv_timer_t alarm;
	uv_prepare_t prepare;
	uv_check_t check;
	bool is_virtual, closing, fresh;
	int turn_ms; /* what loop_turn allows; -1 outside of it */
	int64_t now_ms, wall_us;
	uint64_t turns, starts;
	struct timer **heap;
	size_t n_heap, n_timers, heap_cap;
	struct idle_hook *hooks, **hooks_end;
	size_t n_hooks;
	struct list works, signals;
};

/* Every callback from the poll phase comes through here: the first one after a sleep reads the clock. */
void loop_woke(struct loop *loop);
void loop_end_signals(struct loop *loop);
