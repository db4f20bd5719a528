#pragma once
/* follow - a join window as it goes, in lines: what is said of each device once, when it changes. Pure but for the stream.
 *
 *   above   ctl/perform_join
 *   below   base/base  base/text  ctl/plain  sys/json
 *   owns    what was said last of each device
 *   limits  FOLLOW_ROWS_MAX FOLLOW_WORDS_MAX
 */
#include <stdio.h>
#include "base/base.h"
#include "sys/json.h"

enum { FOLLOW_ROWS_MAX = 32, FOLLOW_WORDS_MAX = 640 };

struct follow_row {
	char address[40];
	char said[FOLLOW_WORDS_MAX];
};
struct follow {
	struct follow_row rows[FOLLOW_ROWS_MAX];
	size_t n, n_said; /* rows; lines so far */
	bool full_said;
};
/* The adapter of this name in an answer of join.status; NULL: none. */
const struct json *follow_adapter(const struct json *status, const char *adapter);
int64_t follow_left_s(const struct json *adapter); /* 0: no window is open */
/* Of a window that has just been opened: what was over before it is not said. */
void follow_past(struct follow *follow, const struct json *adapter);
/* Says what is new; how many lines that took. */
size_t follow_say(struct follow *follow, FILE *out, const struct json *adapter);
