/* The linker finds these before the C library's, also for the calls that libsqlite3.so makes. Each goes to the kernel by syscall(), so
 * nothing here depends on what it replaces. What goes past it (stdio inside of libc, mmap) is found by disk_is_as.
 */
#undef _FORTIFY_SOURCE   /* its inline open() would be in the way of ours */
#undef _FILE_OFFSET_BITS /* it would make open64 of open; on the 64-bit machines that this is for they are the same */
#include "tap_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* --- opening, closing ------------------------------------------------------------------------------------------------ */

static int tapped_open(int dirfd, const char *path, int flags, unsigned mode)
{
	char buf[JOURNAL_NAME_MAX];
	const char *name;
	struct stat st;
	bool existed = true;
	int fd;

	tap_lock();
	name = tap_name_at(dirfd, path, buf);
	if (name && (flags & O_CREAT))
		existed = syscall(SYS_newfstatat, dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (name && tap_refuse(tap_fault_due(existed ? TAP_OPEN : TAP_CREATE, name))) {
		tap_unlock();
		return -1;
	}
	fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
	if (fd >= 0 && fd < FDS_MAX)
		tap.fds[fd] = (struct tap_fd){ .inode = NO_INODE };
	if (fd >= 0 && name)
		tap_note_open(fd, name, flags, existed);
	tap_unlock();
	return fd;
}

#pragma GCC visibility push(default)

static unsigned mode_of(int flags, va_list *args)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(*args, unsigned) : 0;
}

#define TAPPED_OPEN(name)                                                \
	int name(const char *path, int flags, ...)                       \
	{                                                                \
		va_list args;                                            \
		unsigned mode;                                           \
                                                                         \
		va_start(args, flags);                                   \
		mode = mode_of(flags, &args);                            \
		va_end(args);                                            \
		return tapped_open(AT_FDCWD, path, flags, mode);         \
	}
#define TAPPED_OPENAT(name)                                              \
	int name(int dirfd, const char *path, int flags, ...)            \
	{                                                                \
		va_list args;                                            \
		unsigned mode;                                           \
                                                                         \
		va_start(args, flags);                                   \
		mode = mode_of(flags, &args);                            \
		va_end(args);                                            \
		return tapped_open(dirfd, path, flags, mode);            \
	}
TAPPED_OPEN(open)
TAPPED_OPEN(open64)
TAPPED_OPENAT(openat)
TAPPED_OPENAT(openat64)

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

/* What open() is called when it is compiled with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags)
{
	return tapped_open(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
	return tapped_open(AT_FDCWD, path, flags, 0);
}

int creat(const char *path, mode_t mode)
{
	return tapped_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int close(int fd)
{
	int r;

	tap_lock();
	if (fd >= 0 && fd < FDS_MAX)
		tap.fds[fd] = (struct tap_fd){ .inode = NO_INODE };
	r = (int)syscall(SYS_close, fd);
	tap_unlock();
	return r;
}

/* --- reading and writing --------------------------------------------------------------------------------------------- */

static bool read_fails(int fd)
{
	const struct tap_fd *file;
	bool fails;

	tap_lock();
	file = tap_file(fd);
	fails = file && tap_refuse(tap_fault_due(TAP_READ, tap_fd_name(file)));
	tap_unlock();
	return fails;
}

ssize_t read(int fd, void *buf, size_t len)
{
	return read_fails(fd) ? -1 : syscall(SYS_read, fd, buf, len);
}

ssize_t pread(int fd, void *buf, size_t len, off_t offset)
{
	return read_fails(fd) ? -1 : syscall(SYS_pread64, fd, buf, len, offset);
}

ssize_t pread64(int fd, void *buf, size_t len, off64_t offset)
{
	return read_fails(fd) ? -1 : syscall(SYS_pread64, fd, buf, len, offset);
}

/* offset below 0: where the descriptor stands, or the end for one that appends. */
static ssize_t tapped_write(int fd, const void *buf, size_t len, off64_t offset)
{
	const struct tap_fd *file;
	off64_t at = offset;
	ssize_t n;
	int fault;

	tap_lock();
	file = tap_file(fd);
	fault = file ? tap_fault_due(TAP_WRITE, tap_fd_name(file)) : 0;
	if (tap_refuse(fault)) {
		tap_unlock();
		return -1;
	}
	if (fault == TAP_SHORT && len > 1)
		len /= 2;
	if (offset >= 0) {
		n = syscall(SYS_pwrite64, fd, buf, len, offset);
	} else {
		n = syscall(SYS_write, fd, buf, len);
		if (file && n > 0)
			at = syscall(SYS_lseek, fd, 0, SEEK_CUR) - n;
	}
	if (file && n > 0)
		tap_note_data(file->inode, (uint64_t)at, buf, (size_t)n);
	tap_unlock();
	return n;
}

ssize_t write(int fd, const void *buf, size_t len)
{
	return tapped_write(fd, buf, len, -1);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	return tapped_write(fd, buf, len, offset);
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t offset)
{
	return tapped_write(fd, buf, len, offset);
}

/* One buffer after the other; where somebody must see a whole packet (sockets, eventfd) it goes to the kernel in one piece. */
static ssize_t tapped_writev(int fd, const struct iovec *iov, int n, off64_t offset)
{
	ssize_t sum = 0;

	for (int i = 0; i < n; i++) {
		ssize_t done = tapped_write(fd, iov[i].iov_base, iov[i].iov_len, offset < 0 ? -1 : offset + sum);

		if (done < 0)
			return sum ? sum : -1;
		sum += done;
		if ((size_t)done < iov[i].iov_len)
			break;
	}
	return sum;
}

static bool is_ours(int fd)
{
	bool is;

	tap_lock();
	is = tap_file(fd) != NULL;
	tap_unlock();
	return is;
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	return is_ours(fd) ? tapped_writev(fd, iov, n, -1) : syscall(SYS_writev, fd, iov, n);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
	return tapped_writev(fd, iov, n, offset);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t offset)
{
	return tapped_writev(fd, iov, n, offset);
}

/* --- length and sync ------------------------------------------------------------------------------------------------- */

int ftruncate(int fd, off_t length)
{
	const struct tap_fd *file;
	int r = -1;

	tap_lock();
	file = tap_file(fd);
	if (!file || !tap_refuse(tap_fault_due(TAP_TRUNCATE, tap_fd_name(file)))) {
		r = (int)syscall(SYS_ftruncate, fd, length);
		if (r == 0 && file)
			tap_note_length(file->inode, (uint64_t)length);
	}
	tap_unlock();
	return r;
}

int ftruncate64(int fd, off64_t length)
{
	return ftruncate(fd, length);
}

static int tapped_fallocate(int fd, int mode, off64_t offset, off64_t len)
{
	const struct tap_fd *file;
	struct stat before, after;
	int r = -1;

	tap_lock();
	file = tap_file(fd);
	if (!file || !tap_refuse(tap_fault_due(TAP_TRUNCATE, tap_fd_name(file)))) {
		syscall(SYS_newfstatat, fd, "", &before, AT_EMPTY_PATH);
		r = (int)syscall(SYS_fallocate, fd, mode, offset, len);
		if (r == 0 && file && syscall(SYS_newfstatat, fd, "", &after, AT_EMPTY_PATH) == 0 && after.st_size != before.st_size)
			tap_note_length(file->inode, (uint64_t)after.st_size);
	}
	tap_unlock();
	return r;
}

int fallocate(int fd, int mode, off_t offset, off_t len)
{
	return tapped_fallocate(fd, mode, offset, len);
}

int fallocate64(int fd, int mode, off64_t offset, off64_t len)
{
	return tapped_fallocate(fd, mode, offset, len);
}

int posix_fallocate(int fd, off_t offset, off_t len)
{
	return tapped_fallocate(fd, 0, offset, len) < 0 ? errno : 0;
}

static int tapped_sync(int fd, long call)
{
	const struct tap_fd *file;
	bool is_folder;
	int r = -1;

	tap_lock();
	file = tap_file(fd);
	is_folder = file && file->is_folder;
	if (file && tap_refuse(tap_fault_due(is_folder ? TAP_SYNC_FOLDER : TAP_SYNC, tap_fd_name(file)))) {
		tap_unlock();
		return -1;
	}
	r = (int)syscall(call, fd);
	if (r == 0 && is_folder && tap.journal && tap.deaf != TAP_NO_FOLDER_SYNC)
		journal_add(tap.journal, OP_SYNC_FOLDER)->name = file->folder;
	if (r == 0 && file && !is_folder && tap.journal && tap.deaf != TAP_NO_FILE_SYNC)
		journal_add(tap.journal, OP_SYNC)->inode = file->inode;
	tap_unlock();
	return r;
}

int fsync(int fd)
{
	return tapped_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return tapped_sync(fd, SYS_fdatasync);
}

/* --- names ----------------------------------------------------------------------------------------------------------- */

static int tapped_rename(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	char a_buf[JOURNAL_NAME_MAX], b_buf[JOURNAL_NAME_MAX];
	const char *a, *b;
	int r = -1;

	tap_lock();
	a = tap_name_at(from_fd, from, a_buf);
	b = tap_name_at(to_fd, to, b_buf);
	if (!(a || b) || !tap_refuse(tap_fault_due(TAP_RENAME, a ? a : b))) {
		r = (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
		if (r == 0 && a && b && tap.journal) {
			tap_note_names(OP_RENAME, *tap_inode(a), a, b);
			*tap_inode(b) = *tap_inode(a);
			*tap_inode(a) = NO_INODE;
		}
	}
	tap_unlock();
	return r;
}

int rename(const char *from, const char *to)
{
	return tapped_rename(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return tapped_rename(from_fd, from, to_fd, to, 0);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return tapped_rename(from_fd, from, to_fd, to, flags);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
	char a_buf[JOURNAL_NAME_MAX], b_buf[JOURNAL_NAME_MAX];
	const char *a, *b;
	int r = -1;

	tap_lock();
	a = tap_name_at(from_fd, from, a_buf);
	b = tap_name_at(to_fd, to, b_buf);
	if (!(a || b) || !tap_refuse(tap_fault_due(TAP_LINK, a ? a : b))) {
		r = (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
		if (r == 0 && a && b && tap.journal) {
			tap_note_names(OP_LINK, *tap_inode(a), b, NULL);
			*tap_inode(b) = *tap_inode(a);
		}
	}
	tap_unlock();
	return r;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlinkat(int dirfd, const char *path, int flags)
{
	char buf[JOURNAL_NAME_MAX];
	const char *name;
	int r = -1;

	tap_lock();
	name = tap_name_at(dirfd, path, buf);
	if (!name || !tap_refuse(tap_fault_due(TAP_UNLINK, name))) {
		r = (int)syscall(SYS_unlinkat, dirfd, path, flags);
		if (r == 0 && name && tap.journal && !(flags & AT_REMOVEDIR)) {
			tap_note_names(OP_UNLINK, *tap_inode(name), name, NULL);
			*tap_inode(name) = NO_INODE;
		}
	}
	tap_unlock();
	return r;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int remove(const char *path)
{
	int r = unlinkat(AT_FDCWD, path, 0);

	return r < 0 && (errno == EISDIR || errno == EPERM) ? unlinkat(AT_FDCWD, path, AT_REMOVEDIR) : r;
}

static int tapped_stat(int dirfd, const char *path, struct stat *st, int flags)
{
	const char *name;
	bool fails;

	tap_lock();
	name = path[0] ? tap_name(path) : tap_file(dirfd) ? tap_fd_name(tap_file(dirfd)) : NULL;
	fails = name && tap_refuse(tap_fault_due(TAP_STAT, name));
	tap_unlock();
	return fails ? -1 : (int)syscall(SYS_newfstatat, dirfd, path, st, flags);
}

int fstat(int fd, struct stat *st)
{
	return tapped_stat(fd, "", st, AT_EMPTY_PATH);
}

int fstat64(int fd, struct stat64 *st)
{
	return tapped_stat(fd, "", (struct stat *)st, AT_EMPTY_PATH);
}

int stat(const char *path, struct stat *st)
{
	return tapped_stat(AT_FDCWD, path, st, 0);
}

int stat64(const char *path, struct stat64 *st)
{
	return tapped_stat(AT_FDCWD, path, (struct stat *)st, 0);
}

/* --- clocks ---------------------------------------------------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	bool is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
	bool is_boot = clock == CLOCK_BOOTTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE;
	bool held;

	tap_lock();
	held = tap.clock_set && (is_wall || is_boot);
	if (held && is_wall)
		*ts = (struct timespec){ tap.wall_us / 1000000, tap.wall_us % 1000000 * 1000 };
	else if (held)
		*ts = (struct timespec){ tap.boot_ms / 1000, tap.boot_ms % 1000 * 1000000 };
	tap_unlock();
	return held ? 0 : (int)syscall(SYS_clock_gettime, clock, ts);
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;
	int r = clock_gettime(CLOCK_REALTIME, &ts);

	(void)zone;
	*tv = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
	return r;
}

time_t time(time_t *ret)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}

#pragma GCC visibility pop
