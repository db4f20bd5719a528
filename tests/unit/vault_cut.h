#pragma once
/* Calls of the system that the vault makes, counted; before the one that is named the process dies, or the call fails.
 *
 * The definitions here take the place of libc's for all that is linked into the test; libc, sodium and the sanitizers keep
 * their own. fsync does nothing: dying is not a power cut.
 */
#undef _FORTIFY_SOURCE /* under which libc's headers define some of these themselves */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CUT_DIES = -1 }; /* in the place of an errno */

/* What a call has done to the files, for somebody who keeps a log. */
enum cut_call { CUT_OPEN, CUT_WRITE, CUT_FSYNC, CUT_RENAME, CUT_LINK, CUT_UNLINK };

static struct {
	bool on;
	int n, at, error;
	void (*watch)(enum cut_call call, const char *path, const char *to, int fd, const void *data, size_t len);
	bool was_there; /* of CUT_OPEN: before it */
} cut;

static inline void cut_tell(enum cut_call call, const char *path, const char *to, int fd, const void *data, size_t len)
{
	if (cut.watch)
		cut.watch(call, path, to, fd, data, len);
}

static inline void cut_before(int at, int error)
{
	cut.n = 0;
	cut.at = at;
	cut.error = error;
	cut.on = true;
}

/* How many calls were made. */
static inline int cut_end(void)
{
	cut.on = false;
	return cut.n;
}

/* With ENOMEM only those that ask for memory are counted, else only the others. */
static bool cut_at(bool asks_for_memory)
{
	if (!cut.on || (cut.error == ENOMEM) != asks_for_memory || ++cut.n != cut.at)
		return false;
	if (cut.error == CUT_DIES) {
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
	errno = cut.error;
	return true;
}

static bool cut_now(void)
{
	return cut_at(false);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	if (cut_now())
		return -1;
	cut.was_there = cut.watch && access(path, F_OK) == 0;
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);

	if (fd >= 0)
		cut_tell(CUT_OPEN, path, NULL, fd, NULL, flags & O_TRUNC);
	return fd;
}

/* One that dies leaves half behind. */
ssize_t write(int fd, const void *data, size_t len)
{
	if (cut.on && cut.n + 1 == cut.at && (cut.error == CUT_DIES || cut.error == ENOSPC) && len > 1)
		(void)!syscall(SYS_write, fd, data, len / 2);
	if (cut_now())
		return -1;
	ssize_t n = (ssize_t)syscall(SYS_write, fd, data, len);

	if (n > 0)
		cut_tell(CUT_WRITE, NULL, NULL, fd, data, (size_t)n);
	return n;
}

int fsync(int fd)
{
	if (cut_now())
		return -1;
	cut_tell(CUT_FSYNC, NULL, NULL, fd, NULL, 0);
	return 0;
}

int rename(const char *from, const char *to)
{
	if (cut_now())
		return -1;
	int r = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (r == 0)
		cut_tell(CUT_RENAME, from, to, -1, NULL, 0);
	return r;
}

int link(const char *from, const char *to)
{
	if (cut_now())
		return -1;
	int r = (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (r == 0)
		cut_tell(CUT_LINK, from, to, -1, NULL, 0);
	return r;
}

int unlink(const char *path)
{
	if (cut_now())
		return -1;
	int r = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);

	if (r == 0)
		cut_tell(CUT_UNLINK, path, NULL, -1, NULL, 0);
	return r;
}

ssize_t read(int fd, void *ret, size_t len)
{
	return cut_now() ? -1 : (ssize_t)syscall(SYS_read, fd, ret, len);
}

int fchmod(int fd, mode_t mode)
{
	return cut_now() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}

void *calloc(size_t n, size_t len)
{
	void *(*real)(size_t, size_t) = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");

	return cut_at(true) ? NULL : real(n, len);
}

char *strdup(const char *text)
{
	char *copy = cut_at(true) ? NULL : malloc(strlen(text) + 1);

	return copy ? strcpy(copy, text) : NULL;
}

int asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	if (cut_at(true))
		return -1;
	va_start(args, format);
	n = vasprintf(ret, format, args);
	va_end(args);
	return n;
}
