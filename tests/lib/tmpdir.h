#pragma once
/* tmpdir - a folder of one's own that is gone afterwards.
 *
 *	struct tmpdir dir;
 *	tmpdir_init(&dir);
 *	tmpdir_path(&dir, "gateway.db")	    a name inside it, valid until the next call but seven
 *	tmpdir_deinit(&dir);
 */
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define TMPDIR_NAMES 8

struct tmpdir {
	char path[64];
	char names[TMPDIR_NAMES][320];
	unsigned next;
};

static inline void tmpdir_init(struct tmpdir *dir)
{
	memset(dir, 0, sizeof(*dir));
	snprintf(dir->path, sizeof(dir->path), "/tmp/gw-test-XXXXXX");
	assert_non_null(mkdtemp(dir->path));
}

static inline const char *tmpdir_path(struct tmpdir *dir, const char *name)
{
	char *slot = dir->names[dir->next++ % TMPDIR_NAMES];
	size_t n_path = strlen(dir->path), n_name = strlen(name);

	/* Not snprintf: gcc takes slot and path, members of one struct, for overlapping. */
	assert_true(n_path + 1 + n_name < sizeof(dir->names[0]));
	memcpy(slot, dir->path, n_path);
	slot[n_path] = '/';
	memcpy(slot + n_path + 1, name, n_name + 1);
	return slot;
}

static inline const char *tmpdir_write(struct tmpdir *dir, const char *name, const char *text)
{
	const char *path = tmpdir_path(dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fwrite(text, 1, strlen(text), f) == strlen(text));
	assert_int_equal(fclose(f), 0);
	return path;
}

static inline int tmpdir_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline void tmpdir_deinit(struct tmpdir *dir)
{
	if (dir->path[0])
		nftw(dir->path, tmpdir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	dir->path[0] = '\0';
}
