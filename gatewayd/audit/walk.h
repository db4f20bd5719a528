#pragma once
/* walk - goes through a whole log, file by file and row by row, and says where it first does not hold.
 *
 *   above   audit/verify
 *   below   audit/audit  audit/segment  base/base  base/text
 *   owns    nothing
 *   limits  -
 *
 * For a pool thread: it opens the files itself. What a log says of its own end proves nothing, so the caller brings what he
 * knows: the tail that this process has written, and anchors from outside.
 */
#include "audit/audit.h"
#include "audit/segment.h"
#include "base/base.h"

struct walk {
	const char *folder;
	const struct segment_name *names; /* by n */
	size_t n_names;
	struct db *current;               /* a snapshot of the last file, taken when `known` was true; NULL: open it */
	const struct segment_tail *known; /* NULL: nothing is known; else the log ends exactly here */
	const struct audit_anchor *anchors;
	size_t n_anchors;
};

/* 0, AUDIT_E_TAMPERED (verdict tells), AUDIT_E_NO_ANCHOR (all holds, but nobody outside says so), negative errno. */
must_check int walk_log(const struct walk *walk, struct audit_verdict *ret);
