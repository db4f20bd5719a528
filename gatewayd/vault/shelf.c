/* At any moment one of the two files opens: a new one is complete and on the disk before it gets a name, and the present one
 * gets its second name before it loses its first. Between the removal of the generation before the last and the link there is
 * one file only, which is the present one and sound.
 */
#include "vault/shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/host.h"

enum { OVERWRITE_MAX = 1024 * 1024, READ_TRIES = 3 };

static const char *const names[SHELF_FILES] = {
	[SHELF_BIN] = "keystore.bin",
	[SHELF_OLD] = "keystore.old",
	[SHELF_NEW] = "keystore.new",
};

struct paths {
	char *of[SHELF_FILES];
};

static void paths_deinit(struct paths *paths)
{
	for (size_t i = 0; i < SHELF_FILES; i++)
		free(paths->of[i]);
}

must_check static int paths_init(struct paths *paths, const char *folder)
{
	*paths = (struct paths){ .of = { NULL } };
	for (size_t i = 0; i < SHELF_FILES; i++) {
		if (asprintf(&paths->of[i], "%s/%s", folder, names[i]) < 0) {
			paths->of[i] = NULL;
			paths_deinit(paths);
			return -ENOMEM;
		}
	}
	return 0;
}

int shelf_read(const char *folder, enum shelf_file file, char **ret, size_t *ret_len)
{
	struct paths paths;
	int r = paths_init(&paths, folder);

	if (r)
		return r;
	/* A medium that fails once costs no generation. */
	r = -EIO;
	for (int i = 0; i < READ_TRIES && r == -EIO; i++)
		r = host_read_file(paths.of[file], KEYSTORE_FILE_MAX, ret, ret_len);
	paths_deinit(&paths);
	switch (r) {
	case -ENOENT:
		return SHELF_E_MISSING;
	case HOST_E_TOO_LARGE:
	case -EISDIR:
	case -EINVAL:
	case -ELOOP:
	case -EIO:
		return SHELF_E_UNREADABLE;
	default:
		return r;
	}
}

must_check static int write_new(const char *path, const struct shelf_write *write)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), r;

	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0600) < 0 ? -errno : host_write_fd(fd, write->data, write->len);
	if (!r && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && !r)
		r = -errno;
	return r;
}

/* Through the file's own blocks, where the medium has such a thing. A second name of the same file would lose its content
 * as well, and is only removed. */
must_check static int destroy(const char *path)
{
	uint8_t noise[512];
	struct stat st;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	if (!r && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size <= OVERWRITE_MAX) {
		for (off_t at = 0; !r && at < st.st_size; at += (off_t)sizeof(noise)) {
			off_t left = st.st_size - at;

			crypto_random(noise, sizeof(noise));
			r = host_write_fd(fd, noise, left < (off_t)sizeof(noise) ? (size_t)left : sizeof(noise));
		}
		if (!r && fsync(fd) < 0)
			r = -errno;
	}
	close(fd);
	if (!r && unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

int shelf_destroy(const char *folder, enum shelf_file file)
{
	struct paths paths;
	int r = paths_init(&paths, folder);

	if (r)
		return r;
	r = destroy(paths.of[file]);
	paths_deinit(&paths);
	return r;
}

int shelf_sync(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

must_check static int step_back(const struct paths *paths, const struct shelf_write *write)
{
	int r = 0;

	if (write->keep_old)
		return 0;
	if (write->overwrite_old)
		r = destroy(paths->of[SHELF_OLD]);
	else if (unlink(paths->of[SHELF_OLD]) < 0 && errno != ENOENT)
		r = -errno;
	if (!r && link(paths->of[SHELF_BIN], paths->of[SHELF_OLD]) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

int shelf_write(const char *folder, const struct shelf_write *write, bool *ret_replaced)
{
	struct paths paths;
	int r = paths_init(&paths, folder);

	if (r)
		return r;
	r = write_new(paths.of[SHELF_NEW], write);
	if (!r)
		r = step_back(&paths, write);
	if (!r && rename(paths.of[SHELF_NEW], paths.of[SHELF_BIN]) < 0)
		r = -errno;
	if (r)
		unlink(paths.of[SHELF_NEW]);
	else
		*ret_replaced = true;
	paths_deinit(&paths);
	return r ? r : shelf_sync(folder);
}

int shelf_has_databases(const char *folder, bool *ret)
{
	struct dirent *entry;
	DIR *dir = opendir(folder);
	bool found = false;

	if (!dir)
		return -errno;
	while (!found && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		found = len > 3 && text_equal(entry->d_name + len - 3, ".db");
	}
	closedir(dir);
	*ret = found;
	return 0;
}
