#pragma once
/* journal - everything a program did to the files of one folder, in order, with the bytes, and what it promised meanwhile.
 *
 * Written by tap.c while a workload runs, read by disk.c as often as there are images to make of it. A file is a number
 * (inode); names come and go. Names are relative to the folder.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op_kind {
	OP_CREATE,      /* inode gets name */
	OP_WRITE,       /* data at offset */
	OP_TRUNCATE,    /* to offset, longer or shorter */
	OP_SYNC,        /* all of inode's data and its length */
	OP_LINK,        /* inode gets name as well */
	OP_RENAME,      /* name becomes to, over whatever was there */
	OP_UNLINK,
	OP_SYNC_FOLDER, /* all names in the folder name ("" the folder itself) */
	OP_SAY,         /* nothing on the disk: what the workload has asked for or was told */
};
enum { JOURNAL_NAMES_MAX = 256, JOURNAL_NAME_MAX = 96, NO_INODE = 0xffffffff };

struct op {
	enum op_kind kind;
	uint32_t inode;
	uint16_t name, to;
	uint64_t offset;
	uint32_t len;
	size_t data; /* offset in the journal's bytes */
	unsigned what; /* of OP_SAY */
	int64_t value, more;
};

struct journal {
	struct op *ops;
	size_t n_ops, ops_cap;
	size_t n_found; /* the first of them put there what was in the folder before */
	uint8_t *data;
	size_t n_data, data_cap;
	char names[JOURNAL_NAMES_MAX][JOURNAL_NAME_MAX];
	unsigned n_names;
	uint32_t n_inodes;
};

void journal_init(struct journal *journal);
void journal_deinit(struct journal *journal);
uint16_t journal_name(struct journal *journal, const char *name);
/* The name's folder: "" when it lies in the folder itself. */
bool journal_is_in(const struct journal *journal, uint16_t name, uint16_t folder);
struct op *journal_add(struct journal *journal, enum op_kind kind);
void journal_add_data(struct journal *journal, struct op *op, const void *data, size_t len);
/* For people, on standard error. */
void journal_tell(const struct journal *journal, size_t from, size_t to);
