/* A password passes through many hands: a packet's buffer, a parser's, a tree, a statement that is bound. Most belong to
 * libraries that do not know that it is one, and each that forgets to wipe leaves it in the heap for whoever reads a core
 * image later. So nobody is trusted to remember: the last hand every one of these pieces goes through is free, and here
 * it wipes. It costs one pass over what was used, which is in the cache then.
 *
 * glibc gives the names for it: who defines free and realloc himself is used by all libraries of the process (glibc manual,
 * "Replacing malloc"), and its own stand ready under other names. A sanitizer's do not, nor do other C libraries';
 * there the places that know that they hold a secret wipe it, as they do here, too.
 */
#include "sys/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#if defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#else
#define HAS_SANITIZER 0
#endif

#if defined(__GLIBC__) && !HAS_SANITIZER
#include <malloc.h>

extern void __libc_free(void *p);

__attribute__((visibility("default"))) void free(void *p)
{
	if (!p)
		return;
	/* Fortified code that saw the malloc would call the bytes behind those asked for an overflow. */
	__asm__("" : "+r"(p));
	explicit_bzero(p, malloc_usable_size(p));
	__libc_free(p);
}

/* What moves must not leave its old place behind, so it is not left to the library. */
__attribute__((visibility("default"))) void *realloc(void *p, size_t size)
{
	if (!p)
		return malloc(size);
	if (size == 0) {
		free(p);
		return NULL;
	}
	size_t len = malloc_usable_size(p);
	if (size <= len && size > len / 2)
		return p;
	void *moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, p, size < len ? size : len);
	free(p);
	return moved;
}

bool heap_wipes(void)
{
	return true;
}
#else
bool heap_wipes(void)
{
	return false;
}
#endif

void heap_init(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none); /* lowering one's own limit is always allowed */
	/* A sanitizer's leak check reads the process as a tracer does. */
	if (!HAS_SANITIZER)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
