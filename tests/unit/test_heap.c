/* What was freed, or moved by realloc, is zero where it was; and no core file is written. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "check.h"
#include "sys/heap.h"

enum { LEN = 3000 };

/* Looked at by address: the compiler knows that a freed pointer is no place to read from. */
static bool holds(uintptr_t at, size_t len, uint8_t byte)
{
	const volatile uint8_t *p = (const volatile uint8_t *)at;
	size_t n = 0;

	for (size_t i = 2 * sizeof(void *); i < len; i++) /* the allocator keeps its own list in the first two words */
		n += p[i] == byte;
	return n > len / 2;
}

static void what_is_freed_is_wiped(void **state)
{
	uint8_t *p = malloc(LEN);
	volatile uintptr_t at = (uintptr_t)p;

	(void)state;
	check_true(p != NULL);
	memset(p, 0xa5, LEN);
	check_true(holds(at, LEN, 0xa5));
	free(p);
	if (heap_wipes())
		check_true(!holds(at, LEN, 0xa5));
}

static void what_moves_leaves_nothing_behind(void **state)
{
	uint8_t *p = malloc(LEN), *between = malloc(LEN);
	volatile uintptr_t at = (uintptr_t)p;

	(void)state;
	check_true(p && between);
	memset(p, 0xa5, LEN);
	p = realloc(p, 64 * LEN);
	check_true(p && holds((uintptr_t)p, LEN, 0xa5));
	if (heap_wipes() && (uintptr_t)p != at)
		check_true(!holds(at, LEN, 0xa5));
	p = realloc(p, LEN); /* and small again */
	check_true(p && holds((uintptr_t)p, LEN, 0xa5));
	free(between);
	free(p);
}

static void no_core_file_is_written(void **state)
{
	struct rlimit limit = { 1, 1 };

	(void)state;
	heap_init();
	check_int(getrlimit(RLIMIT_CORE, &limit), 0);
	check_uint(limit.rlim_cur, 0);
	check_uint(limit.rlim_max, 0);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(what_is_freed_is_wiped),
		cmocka_unit_test(what_moves_leaves_nothing_behind),
		cmocka_unit_test(no_core_file_is_written),
	};

	return CHECK_RUN(rows);
}
