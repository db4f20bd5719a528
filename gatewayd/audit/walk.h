#pragma once
/* walk - goes through a whole log, file by file and row by row, and says where it first does not hold.
 *
 *   above   audit/verify
 *   below   audit/audit  audit/checkpoint  audit/evolve  audit/segment  audit/tree  base/base  base/bytes  base/text
 *           sys/crypto
 *   owns    nothing
 *   limits  -
 *
 * For a pool thread. Where the rows come from is the source's: the files themselves (walk_files), or anything that has
 * rows. What a log says of its own end proves nothing, so the caller brings what he knows: the tail that this process has
 * written, anchors and a seed from outside.
 */
#include "audit/audit.h"
#include "audit/checkpoint.h"
#include "audit/segment.h"
#include "base/base.h"
#include "base/bytes.h"

struct walk_row {
	int64_t seq;
	struct view rec, head, mac;
	bool has_mac;
};
struct walk_checkpoint {
	int64_t number;
	struct view body;
	struct checkpoint_signatures signatures;
	bool in_form; /* each signature is SIGN_LEN bytes or NULL */
};
/* What is handed out is borrowed until the next call of the same kind. */
struct walk_source {
	int (*open)(void *ctx, size_t file, const char **ret_what); /* AUDIT_E_TAMPERED: ret_what says why */
	int (*row)(void *ctx, struct walk_row *ret);                /* by seq. 1: there is one; 0: the end of the file */
	int (*checkpoint)(void *ctx, struct walk_checkpoint *ret);  /* by number; the same */
	void (*close)(void *ctx);
};
struct walk {
	const struct segment_name *names; /* by n */
	size_t n_names;
	const struct segment_tail *known; /* NULL: nothing is known; else the log ends exactly here */
	uint64_t known_checkpoints;       /* 0: not known; else number of the last */
	struct audit_check check;
	bool is_sealed;                   /* it must be; else it must not */
	const struct audit_public *keys;  /* none: signatures are not checked */
	size_t n_keys;
	const struct record_drop *gone;   /* of the file before the first, when that is not number 1; NULL: it must be */
};
/* 0, AUDIT_E_TAMPERED (verdict tells), AUDIT_E_NO_ANCHOR (all holds, but nobody outside says so), negative errno. */
must_check int walk_log(const struct walk *walk, const struct walk_source *source, void *ctx, struct audit_verdict *ret);

struct walk_files {
	const char *folder;
	struct db_keys *pages;            /* NULL: in the clear */
	struct db *current;               /* a snapshot of the last file, taken when `known` was true; NULL: open it */
};
must_check int walk_files(const struct walk *walk, const struct walk_files *files, struct audit_verdict *ret);
