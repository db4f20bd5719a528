#pragma once
/* proof - that one record is under a checkpoint, or that one checkpoint continues another, without the whole export.
 *
 *   above   verify/report
 *   below   base/base  base/text  sys/json  verify/entry  verify/walk
 *   owns    nothing
 *   limits  PROOF_FILE_MAX PROOF_PATH_MAX
 *   errors  PROOF_E_SYNTAX
 */
#include "base/base.h"
#include "verify/walk.h"

enum { PROOF_FILE_MAX = 64 * 1024, PROOF_PATH_MAX = 128 };
enum { PROOF_E_SYNTAX = 1 };

struct proof_verdict {
	bool inclusion;      /* else consistency */
	bool holds;          /* the path leads where it should */
	bool vouched;        /* what it leads to, and from, is known from outside */
	uint64_t seq, size;  /* of the record or the earlier checkpoint; of the later one */
	const char *what;    /* plain words */
};
/* why: plain words with PROOF_E_SYNTAX. Negative errno: it could not be done. */
must_check int proof_check(const char *text, size_t len, const struct walk_given *given, char *why, size_t why_cap,
			   struct proof_verdict *ret);
