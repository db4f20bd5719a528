/* The linker finds these before the C library's, whose own go on by their inner names. realloc and free are sys/heap's, which
 * wipe, and ask malloc. */
#include "alloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#if defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

bool alloc_can_fail(void)
{
	return !HAS_SANITIZER;
}

#if HAS_SANITIZER
int __lsan_do_recoverable_leak_check(void);

bool alloc_leaks(void)
{
	return __lsan_do_recoverable_leak_check() != 0;
}

void alloc_fault(unsigned from, unsigned often)
{
	(void)from;
	(void)often;
}

unsigned alloc_faults(void)
{
	return 0;
}

void *alloc_always(void *old, size_t size)
{
	return realloc(old, size);
}
#else
bool alloc_leaks(void)
{
	return false;
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_uint nth, times, calls, faults;

void alloc_fault(unsigned from, unsigned often)
{
	atomic_store(&nth, 0);
	atomic_store(&calls, 0);
	atomic_store(&faults, 0);
	atomic_store(&times, often);
	atomic_store(&nth, from);
}

unsigned alloc_faults(void)
{
	return atomic_load(&faults);
}

static bool is_due(void)
{
	unsigned from = atomic_load_explicit(&nth, memory_order_relaxed), n;

	n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
	if (!from || n < from || n - from >= atomic_load(&times))
		return false;
	atomic_fetch_add(&faults, 1);
	errno = ENOMEM;
	return true;
}

void *alloc_always(void *old, size_t size)
{
	return __libc_realloc(old, size);
}

#pragma GCC visibility push(default)

void *malloc(size_t size)
{
	return is_due() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return is_due() ? NULL : __libc_calloc(n, size);
}

#pragma GCC visibility pop
#endif
