/* Grows without limit and dies when memory ends: a test may. */
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

static void *grow(void *old, size_t *cap, size_t needed, size_t each)
{
	size_t to = *cap ? *cap : 1024;

	while (to < needed)
		to *= 2;
	if (to == *cap)
		return old;
	*cap = to;
	old = alloc_always(old, to * each);
	if (!old)
		abort();
	return old;
}

void journal_init(struct journal *journal)
{
	memset(journal, 0, sizeof(*journal));
	(void)journal_name(journal, ""); /* number 0: the folder */
}

void journal_deinit(struct journal *journal)
{
	free(journal->ops);
	free(journal->data);
	memset(journal, 0, sizeof(*journal));
}

uint16_t journal_name(struct journal *journal, const char *name)
{
	for (unsigned i = 0; i < journal->n_names; i++)
		if (strcmp(journal->names[i], name) == 0)
			return (uint16_t)i;
	if (journal->n_names == JOURNAL_NAMES_MAX || strlen(name) >= JOURNAL_NAME_MAX) {
		fprintf(stderr, "powercut: one name too many: %s\n", name);
		abort();
	}
	memcpy(journal->names[journal->n_names], name, strlen(name) + 1);
	return (uint16_t)journal->n_names++;
}

bool journal_is_in(const struct journal *journal, uint16_t name, uint16_t folder)
{
	const char *text = journal->names[name], *slash = strrchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : 0;

	return strlen(journal->names[folder]) == len && memcmp(journal->names[folder], text, len) == 0;
}

struct op *journal_add(struct journal *journal, enum op_kind kind)
{
	struct op *op;

	journal->ops = grow(journal->ops, &journal->ops_cap, journal->n_ops + 1, sizeof(*journal->ops));
	op = &journal->ops[journal->n_ops++];
	*op = (struct op){ .kind = kind, .inode = NO_INODE };
	return op;
}

void journal_add_data(struct journal *journal, struct op *op, const void *data, size_t len)
{
	journal->data = grow(journal->data, &journal->data_cap, journal->n_data + len, 1);
	op->data = journal->n_data;
	op->len = (uint32_t)len;
	memcpy(journal->data + journal->n_data, data, len);
	journal->n_data += len;
}

static void names_of(const struct journal *journal, size_t to, const char **names)
{
	for (size_t i = 0; i < to; i++) {
		const struct op *op = &journal->ops[i];

		if (op->kind == OP_CREATE)
			names[op->inode] = journal->names[op->name];
		else if (op->kind == OP_RENAME)
			names[op->inode] = journal->names[op->to];
	}
}

void journal_tell(const struct journal *journal, size_t from, size_t to)
{
	static const char *const kinds[] = { "create", "write", "truncate", "sync", "link", "rename", "unlink", "sync folder", "SAY" };
	const char **names = alloc_always(NULL, (journal->n_inodes + 1) * sizeof(*names));

	for (uint32_t i = 0; i < journal->n_inodes; i++)
		names[i] = "";
	names_of(journal, to, names);
	for (size_t i = from; i < to; i++) {
		const struct op *op = &journal->ops[i];

		if (op->kind == OP_SAY)
			fprintf(stderr, "%6zu SAY %u %lld %lld\n", i, op->what, (long long)op->value, (long long)op->more);
		else
			fprintf(stderr, "%6zu %-11s %s (%u) %s %s at %llu +%u\n", i, kinds[op->kind], op->inode == NO_INODE ? "" : names[op->inode],
				op->inode, journal->names[op->name], journal->names[op->to], (unsigned long long)op->offset, op->len);
	}
	free(names);
}
