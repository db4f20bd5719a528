#pragma once
/* core - the whole core, wired by app.c itself, started and stopped under the tap; the power goes, and it is started on what is left. */
#include <stdbool.h>
#include <stdint.h>

struct core_score {
	unsigned images, bad;
};
/* base: a folder in memory. Findings go to standard error. */
struct core_score core_run(const char *base, unsigned images, uint64_t seed);
