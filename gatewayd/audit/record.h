#pragma once
/* record - the bytes of one audit record: a fixed header and tagged fields, one form only (docs/spec/audit.md).
 *
 *   above   audit/inside  audit/outbox  audit/segment
 *   below   audit/audit  base/base  base/bytes  base/text
 *   owns    nothing
 *   limits  RECORD_TEXT_MAX RECORD_SEGMENT_MAX RECORD_DROP_MAX
 *   errors  RECORD_E_SYNTAX
 *
 * Pure. A text that is too long is cut and bytes that are not UTF-8 become '?', so that whatever a stranger sent can be
 * recorded. What is stamped when a record enters the log (seq, boot id, clock state) lies at fixed places.
 */
#include "audit/audit.h"
#include "base/base.h"
#include "base/bytes.h"

enum { RECORD_TEXT_MAX = 128, RECORD_SEGMENT_MAX = 40, RECORD_BOOT_ID_LEN = 16, RECORD_LOG_ID_LEN = 16, RECORD_HEADER_LEN = 64, RECORD_DROP_MAX = 1400 };
enum { RECORD_E_SYNTAX = 1 };

struct record_stamp {
	uint64_t seq;
	int64_t wall_us, boot_ms;
	uint8_t boot_id[RECORD_BOOT_ID_LEN];
	bool time_trusted;
};

/* What the first record of a segment carries beside. */
struct record_segment {
	bool present;
	uint8_t previous_head[CRYPTO_HASH_LEN];
	char previous_name[RECORD_SEGMENT_MAX]; /* "" for the first segment */
	uint8_t log_id[RECORD_LOG_ID_LEN];
	uint8_t suite;                          /* enum crypto_hash_kind */
};

/* Decoded; record's texts point into texts. */
struct record {
	struct record_stamp stamp;
	uint8_t severity;
	struct audit_record record;
	uint64_t outbox; /* row of the outbox that it came from; 0 none */
	struct record_segment segment;
	struct view drop; /* of a dropped segment: field 14, in the decoded bytes; empty: none */
	char texts[AUDIT_RECORD_MAX];
};

/* Never fails on what a record holds; buf has AUDIT_RECORD_MAX bytes. Returns the length. */
size_t record_encode(const struct audit_record *record, const struct record_stamp *stamp, uint64_t outbox,
		     const struct record_segment *segment, uint8_t buf[AUDIT_RECORD_MAX]);
/* RECORD_E_SYNTAX for any bytes that record_encode would not have written just so. */
must_check int record_decode(const void *data, size_t len, struct record *ret);

/* What is left of a dropped segment: its name and its last checkpoint (body and signatures; the rest of it is zero). */
struct record_drop {
	char name[RECORD_SEGMENT_MAX];
	size_t len;
	uint8_t field[RECORD_DROP_MAX];
	struct audit_checkpoint checkpoint;
};
/* A record of kind 7 whose object is the segment's name; its detail is left out. 0: the checkpoint is too long for a record. */
size_t record_encode_drop(const struct audit_record *record, const struct record_stamp *stamp, const struct audit_checkpoint *checkpoint,
			  uint8_t buf[AUDIT_RECORD_MAX]);
must_check int record_take_drop(const struct record *record, struct record_drop *ret); /* RECORD_E_SYNTAX: it has none */

/* In place, on encoded bytes. */
void record_restamp(uint8_t *data, uint64_t seq, const uint8_t boot_id[RECORD_BOOT_ID_LEN], bool time_trusted);
void record_set_seq(uint8_t *data, uint64_t seq);
uint8_t record_severity(const uint8_t *data);
/* Appends the outbox row; data has room for 11 more bytes. Returns the new length. */
size_t record_add_outbox(uint8_t *data, size_t len, uint64_t outbox);
