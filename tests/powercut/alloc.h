#pragma once
/* alloc - this program's malloc and calloc (and what sys/heap makes of them, realloc), of which the nth can be made to fail. Not
 * under sanitizers, which bring their own.
 */
#include <stdbool.h>
#include <stddef.h>

/* From the nth call on (1 is the first), that often; nth 0: none fails, and calls are counted anew. */
void alloc_fault(unsigned nth, unsigned times);
bool alloc_can_fail(void);   /* false under a sanitizer */
unsigned alloc_faults(void); /* that failed since then */
bool alloc_leaks(void);      /* told by a sanitizer alone */
/* As realloc, and never made to fail: for what keeps the books of a test. */
void *alloc_always(void *old, size_t size);
