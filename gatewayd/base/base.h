#pragma once
/* base - the few words every file uses: attributes, cleanup, sizes, the two kinds of error.
 *
 *   above   everything
 *   below   -
 *   owns    nothing
 *   errors  0 is success; negative errno is fatal to the operation and forwarded; positive NOUN_E_X
 *           is named in a header and handled by the caller
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define cleanup(fn) __attribute__((cleanup(fn)))
#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Hand over what a cleanup variable holds. */
#define STEAL(ptr)                          \
	({                                  \
		__typeof__(ptr) _taken = (ptr); \
		(ptr) = NULL;               \
		_taken;                     \
	})

/* One step of a pointer's cleanup attribute: DEFINE_CLEANUP(foo_free, struct foo *) gives foo_freep. */
#define DEFINE_CLEANUP(fn, type)             \
	static inline void fn##p(type *ptr)  \
	{                                    \
		if (*ptr)                    \
			fn(*ptr);            \
	}
