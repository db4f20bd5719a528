#pragma once
/* requests - what the core asked and the plugin has not answered yet: each is answered once, by it or by its deadline.
 *
 *   above   host/host
 *   below   base/base
 *   owns    nothing: a plain table
 *   limits  REQUESTS_MAX
 *   errors  REQUESTS_E_FULL REQUESTS_E_UNKNOWN REQUESTS_E_LATE
 *
 * The plugin sees our own running numbers: those of two cores, one after the other, may be the same.
 */
#include "base/base.h"

enum { REQUESTS_MAX = 256 };
enum { REQUESTS_E_FULL = 1, REQUESTS_E_UNKNOWN = 2, REQUESTS_E_LATE = 3 };

struct request {
	uint64_t mine, theirs; /* mine 0: free */
	int64_t deadline_ms;
	bool answered; /* by us, for the plugin, or its core is gone: what the plugin says later is
			  only late */
};
struct requests {
	struct request rows[REQUESTS_MAX];
	uint64_t last;
};

/* When all rows wait: FULL. Rows that only wait for a late answer give way. */
must_check int requests_add(struct requests *table, uint64_t theirs, int64_t deadline_ms,
			    uint64_t *ret_mine);
/* The plugin answers: ret_theirs on 0. LATE: too late, nobody waits. UNKNOWN: never asked, or
 * answered before. */
must_check int requests_done(struct requests *table, uint64_t mine, uint64_t *ret_theirs);
bool requests_is_late(const struct requests *table, uint64_t mine); /* asked, and nobody waits any more */
/* One that is over its deadline, marked as answered; false: none. */
bool requests_expire(struct requests *table, int64_t now_ms, uint64_t *ret_theirs);
int64_t requests_deadline(const struct requests *table); /* the earliest, INT64_MAX: none */
void requests_forget(struct requests *table); /* the core is gone: nobody waits any more */
