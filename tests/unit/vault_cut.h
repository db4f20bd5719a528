#pragma once
/* Calls of the system that the vault makes, counted; before the one that is named the process dies, or the call fails.
 *
 * The definitions here take the place of libc's for all that is linked into the test; libc, sodium and the sanitizers keep
 * their own. fsync does nothing: dying is not a power cut.
 */
#undef _FORTIFY_SOURCE /* under which libc's headers define some of these themselves */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CUT_DIES = -1 }; /* in the place of an errno */

static struct {
	bool on;
	int n, at, error;
} cut;

static void cut_before(int at, int error)
{
	cut.n = 0;
	cut.at = at;
	cut.error = error;
	cut.on = true;
}

/* How many calls were made. */
static int cut_end(void)
{
	cut.on = false;
	return cut.n;
}

static bool cut_now(void)
{
	if (!cut.on || ++cut.n != cut.at)
		return false;
	if (cut.error == CUT_DIES) {
		kill(getpid(), SIGKILL);
		for (;;)
			pause();
	}
	errno = cut.error;
	return true;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	return cut_now() ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

/* One that dies leaves half behind. */
ssize_t write(int fd, const void *data, size_t len)
{
	if (cut.on && cut.n + 1 == cut.at && (cut.error == CUT_DIES || cut.error == ENOSPC) && len > 1)
		(void)!syscall(SYS_write, fd, data, len / 2);
	return cut_now() ? -1 : (ssize_t)syscall(SYS_write, fd, data, len);
}

int fsync(int fd)
{
	(void)fd;
	return cut_now() ? -1 : 0;
}

int rename(const char *from, const char *to)
{
	return cut_now() ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to)
{
	return cut_now() ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
	return cut_now() ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

ssize_t read(int fd, void *ret, size_t len)
{
	return cut_now() ? -1 : (ssize_t)syscall(SYS_read, fd, ret, len);
}

int fchmod(int fd, mode_t mode)
{
	return cut_now() ? -1 : (int)syscall(SYS_fchmod, fd, mode);
}
