#pragma once
/* stopwatch - times many short things and says their percentiles; for the small benchmarks.
 *
 *   above   bench/bench_policy  bench/bench_wire  bench/bench_store  bench/bench_vault
 *   owns    struct stopwatch: the samples of one run
 */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct stopwatch {
	uint64_t *samples_ns;
	size_t n, max;
};

static inline uint64_t stopwatch_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static inline int stopwatch_by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Samples past max are not kept. */
static inline void stopwatch_add(struct stopwatch *watch, uint64_t ns)
{
	if (watch->n < watch->max)
		watch->samples_ns[watch->n++] = ns;
}

/* The q-th part (0..1) of the samples, which it sorts. */
static inline uint64_t stopwatch_percentile(struct stopwatch *watch, double q)
{
	qsort(watch->samples_ns, watch->n, sizeof(uint64_t), stopwatch_by_size);
	return watch->n ? watch->samples_ns[(size_t)(q * (double)(watch->n - 1))] : 0;
}
