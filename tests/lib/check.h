#pragma once
/* check - cmocka with both sides printed.
 *
 * Include this instead of cmocka.h. cmocka's own assert_* stay usable; these say more when they fail: numbers in
 * decimal, error numbers by name, bytes as hex with the place where they part.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define check_true(cond) check_true_at((cond), #cond, __FILE__, __LINE__)
#define check_int(got, want) check_int_at((got), (want), #got, __FILE__, __LINE__)
#define check_uint(got, want) check_uint_at((got), (want), #got, __FILE__, __LINE__)
#define check_text(got, want) check_text_at((got), (want), #got, __FILE__, __LINE__)
#define check_bytes(got, n_got, want, n_want) \
	check_bytes_at((got), (n_got), (want), (n_want), #got, __FILE__, __LINE__)
#define check_near(got, want, slack) check_near_at((got), (want), (slack), #got, __FILE__, __LINE__)

/* The call returned 0. */
#define check_ok(call) check_ok_at((call), #call, __FILE__, __LINE__)

/* The end of a main(): return CHECK_RUN(rows), where rows is an array of struct CMUnitTest. */
#define CHECK_RUN(rows) (cmocka_run_group_tests(rows, NULL, NULL) != 0)

static inline void check_true_at(bool good, const char *what, const char *file, int line)
{
	if (good)
		return;
	print_error("%s:%d: not true: %s\n", file, line, what);
	_fail(file, line);
}

static inline void check_int_at(int64_t got, int64_t want, const char *what, const char *file, int line)
{
	if (got == want)
		return;
	print_error("%s:%d: %s\n\tgot  %" PRId64 "\n\twant %" PRId64 "\n", file, line, what, got, want);
	_fail(file, line);
}

static inline void check_uint_at(uint64_t got, uint64_t want, const char *what, const char *file,
				 int line)
{
	if (got == want)
		return;
	print_error("%s:%d: %s\n\tgot  %" PRIu64 " (0x%" PRIx64 ")\n\twant %" PRIu64 " (0x%" PRIx64 ")\n",
		    file, line, what, got, got, want, want);
	_fail(file, line);
}

/* Not inlined: the compiler would otherwise follow a test's own text into strcmp and warn of what it cannot know. */
__attribute__((noinline, unused)) static void check_text_at(const char *got, const char *want, const char *what, const char *file,
				 int line)
{
	if (got == want || (got && want && strcmp(got, want) == 0))
		return;
	print_error("%s:%d: %s\n\tgot  %s%s%s\n\twant %s%s%s\n", file, line, what, got ? "\"" : "",
		    got ? got : "NULL", got ? "\"" : "", want ? "\"" : "", want ? want : "NULL",
		    want ? "\"" : "");
	_fail(file, line);
}

static inline void check_print_bytes(const char *side, const uint8_t *bytes, size_t n, size_t from)
{
	size_t start = from > 8 ? from - 8 : 0;

	print_error("\t%s %zu bytes, from %zu:", side, n, start);
	for (size_t i = start; i < n && i < start + 32; i++)
		print_error(" %02x", bytes[i]);
	print_error("\n");
}

static inline void check_bytes_at(const void *got, size_t n_got, const void *want, size_t n_want,
				  const char *what, const char *file, int line)
{
	const uint8_t *g = got, *w = want;
	size_t i = 0;

	while (i < n_got && i < n_want && g[i] == w[i])
		i++;
	if (i == n_got && i == n_want)
		return;
	print_error("%s:%d: %s differs at byte %zu\n", file, line, what, i);
	check_print_bytes("got ", g, n_got, i);
	check_print_bytes("want", w, n_want, i);
	_fail(file, line);
}

static inline void check_near_at(double got, double want, double slack, const char *what,
				 const char *file, int line)
{
	double off = got - want;

	if (off <= slack && off >= -slack)
		return;
	print_error("%s:%d: %s\n\tgot  %.17g\n\twant %.17g +- %g\n", file, line, what, got, want, slack);
	_fail(file, line);
}

static inline void check_ok_at(int r, const char *what, const char *file, int line)
{
	if (r == 0)
		return;
	print_error("%s:%d: %s\n\tgot  %d%s%s\n\twant 0\n", file, line, what, r, r < 0 ? " " : "",
		    r < 0 ? strerror(-r) : "");
	_fail(file, line);
}
