#pragma once
/* heap - memory that was given back holds nothing any more, and no file is made of what a process holds.
 *
 *   above   main  ctl  linkd  host
 *   below   base/base
 *   owns    malloc's family, where it can
 */
#include "base/base.h"

/* First thing a program does: no core file, no tracer of the same user. A program that calls this gets free and realloc that
 * wipe, with every library it is linked to. */
void heap_init(void);
bool heap_wipes(void); /* false: this C library, or a sanitizer, keeps its own free; what wipes by itself still does */
