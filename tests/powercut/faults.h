#pragma once
/* faults - the same home when calls fail: files, memory, the disk full, clocks that jump; then when they do no more. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault_options {
	const char *base;   /* a folder in memory */
	const char *family; /* NULL all */
	long only;          /* one row of it by number; -1 all */
	unsigned stride;    /* of the nth calls: 1 each */
	bool sealed;
};
struct fault_score {
	unsigned lives, failed; /* that were lived, that went wrong */
	unsigned faults;        /* that were made */
	unsigned ended;         /* lives in which the program ended itself because memory did */
};
size_t fault_families(void);
const char *fault_family(size_t i);
struct fault_score faults_run(const struct fault_options *options, size_t family);
