#pragma once
/* entry - a record as a verifier needs it: the one form of section 2 of docs/spec/audit.md, and the few fields that verifying reads.
 *
 *   above   verify/walk
 *   below   base/base  base/bytes  base/text
 *   owns    nothing: views borrow from the record's bytes
 *   limits  ENTRY_LEN_MAX
 *   errors  ENTRY_E_SYNTAX
 *
 * Pure. Written from the specification; audit/record is the gateway's own.
 */
#include "base/base.h"
#include "base/bytes.h"

enum { ENTRY_LEN_MAX = 2048 };
enum { ENTRY_E_SYNTAX = 1 };
enum { ENTRY_KIND_SEGMENT = 5, ENTRY_KIND_SEED = 6, ENTRY_KIND_DROP = 7 };

struct entry {
	uint64_t seq;
	uint16_t kind;
	struct view object; /* len 0: not there */
	bool begins;        /* a segment; then the next four, of which previous_name may be empty */
	struct view previous_head, previous_name, log_id;
	uint8_t suite;
	struct view dropped;
};
must_check int entry_parse(const void *data, size_t len, struct entry *ret);
/* The n of audit-YYYYMM-n.db; 0: no such name. */
uint64_t entry_segment_number(struct view name);
