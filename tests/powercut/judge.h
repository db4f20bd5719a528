#pragma once
/* judge - opens an image with the real code and holds it against what was promised. */
#include "promise.h"

struct judge_options {
	const char *folder;
	enum seal_suite suite;
	unsigned schema;
	uint64_t segment_bytes_max;
	int64_t boot_ms, wall_us;
	const struct audit_anchor *anchors; /* the workload's */
	const struct promise_seed *seeds;
};
enum verdict { VERDICT_GOOD, VERDICT_SHUT, VERDICT_DAMAGED, VERDICT_LOST, VERDICT_CHAIN, VERDICT_ALARM, VERDICT_INVENTED, VERDICT_STUCK, VERDICTS };
const char *verdict_name(enum verdict verdict);
/* why: what exactly. The image is used up. */
enum verdict judge(const struct judge_options *options, const struct promise *promise, char *why, size_t cap);
