/* Small whole files. Reading never blocks on a pipe that somebody put in a file's place; writing
 * leaves either the old content or the new one, whatever happens in between.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/host.h"

enum { READ_STEP = 4096 };

must_check static int open_regular(const char *path, int *ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st = { .st_mode = 0 };
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno; /* that says nothing of the file */
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (r) {
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

/* Not by st_size: files of /proc have none. Reads one byte more than max to know that there is one.
 */
must_check static int read_all(int fd, size_t max, char **ret, size_t *ret_len)
{
	size_t len = 0, cap = 0;
	char *buf = NULL;

	for (;;) {
		ssize_t n;

		if (cap - len < 2) {
			char *grown = realloc(buf, cap ? cap * 2 : READ_STEP);

			if (!grown) {
				free(buf);
				return -ENOMEM;
			}
			buf = grown;
			cap = cap ? cap * 2 : READ_STEP;
		}
		n = read(fd, buf + len, cap - len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n > max) {
			int r = n < 0 ? -errno : HOST_E_TOO_LARGE;

			free(buf);
			return r;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	return 0;
}

int host_read_file(const char *path, size_t max, char **ret, size_t *ret_len)
{
	int fd, r;

	r = open_regular(path, &fd);
	if (r)
		return r;
	r = read_all(fd, max, ret, ret_len);
	close(fd);
	return r;
}

int host_write_fd(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int host_read_fd(int fd, void *ret, size_t len, size_t *ret_len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, (char *)ret + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_len = got;
	return 0;
}

must_check static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	int fd, r = 0;

	if (!folder)
		return -ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r;
}

must_check static int fill_and_rename(int fd, const char *tmp, const char *path, mode_t mode,
				      const void *data, size_t len)
{
	int r = host_write_fd(fd, data, len);

	if (r)
		return r;
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0)
		return -errno;
	return 0;
}

int host_write_file(const char *path, mode_t mode, const void *data, size_t len)
{
	char *tmp = NULL;
	int fd, r;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		free(tmp);
		return r;
	}
	r = fill_and_rename(fd, tmp, path, mode, data, len);
	close(fd);
	if (r)
		unlink(tmp);
	free(tmp);
	return r ? r : sync_folder_of(path);
}

int host_mkdir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return chmod(path, mode) < 0 ? -errno : 0; /* whatever the umask took */
	if (errno != EEXIST)
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return st.st_uid == geteuid() ? 0 : -EPERM;
}
