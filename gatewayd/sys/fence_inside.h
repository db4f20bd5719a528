#pragma once
/* fence_inside - the two halves of host_fence.
 *
 *   above   sys/fence
 *   below   sys/host
 *   owns    nothing
 */
#include "sys/host.h"

must_check int fence_files(const struct host_fence *fence, int *ret_abi); /* 0 when the kernel has no Landlock */
must_check int fence_calls(const struct host_fence *fence, bool *ret_done); /* false when it has no seccomp */
