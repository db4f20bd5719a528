#pragma once
/* rows - the log's rows from some number on, file after file, as they stand there.
 *
 *   above   audit/recover
 *   below   audit/record  audit/segment  base/base  base/bytes  sys/crypto  sys/db
 *   owns    the databases it opens
 *   limits  -
 *
 * Nothing is checked but that a file says how it is hashed: what is wrong with a log is for walk to say.
 */
#include "audit/segment.h"
#include "base/base.h"
#include "base/bytes.h"
#include "sys/crypto.h"
#include "sys/db.h"

struct rows {
	const char *folder;
	const struct segment_name *names;
	size_t n_names;
	struct db_keys *keys;
	struct db *last;          /* of the last file: lent; NULL: open it */
	size_t at;                /* file at hand; n_names: none */
	struct db *db;
	struct stmt *stmt;
	uint64_t next;
	uint8_t suite;            /* of the file at hand */
	struct crypto_hash *hash; /* its */
};
struct rows_row {
	uint64_t seq;
	struct view rec, head, mac; /* until the next call */
};
/* From record seq on; what folder and the rest point to is borrowed. */
must_check int rows_open(struct rows *rows, uint64_t seq);
must_check int rows_next(struct rows *rows, struct rows_row *ret); /* 1: a row; 0: the end */
void rows_close(struct rows *rows);
