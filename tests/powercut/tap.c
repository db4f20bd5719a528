/* What is ours, what is journaled, what fails. A file call is journaled after the kernel did it and under one lock, so that the order of
 * the journal is an order that could have been.
 */
#include "tap_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct tap tap = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* --- what concerns us ------------------------------------------------------------------------------------------------ */

/* The path below the folder; NULL: none of ours. SQLite's wal-index is no file in this sense: it is made anew at each start. */
const char *tap_name(const char *path)
{
	size_t len;

	if (!tap.folder_len || !path || strncmp(path, tap.folder, tap.folder_len) != 0)
		return NULL;
	path += tap.folder_len;
	if (*path == 0)
		return path;
	if (*path != '/')
		return NULL;
	path++;
	len = strlen(path);
	return len > 4 && strcmp(path + len - 4, "-shm") == 0 ? NULL : path;
}

/* A name relative to an open folder of ours, or an absolute one. */
const char *tap_name_at(int dirfd, const char *path, char buf[JOURNAL_NAME_MAX])
{
	const struct tap_fd *dir;

	if (!path || path[0] == '/' || dirfd < 0 || dirfd >= FDS_MAX)
		return tap_name(path);
	dir = &tap.fds[dirfd];
	if (!dir->is_folder || !tap.journal)
		return NULL;
	if (!tap.journal->names[dir->folder][0])
		return path;
	snprintf(buf, JOURNAL_NAME_MAX, "%.40s/%.50s", tap.journal->names[dir->folder], path);
	return buf;
}

const struct tap_fd *tap_file(int fd)
{
	if (fd < 0 || fd >= FDS_MAX || !tap.folder_len || (!tap.fds[fd].is_file && !tap.fds[fd].is_folder))
		return NULL;
	return &tap.fds[fd];
}

/* Counts the call; what to do instead of it: 0 nothing, an errno, TAP_SHORT. */
const char *tap_fd_name(const struct tap_fd *file)
{
	if (!tap.journal || !file)
		return "";
	for (unsigned i = 0; file->is_file && i < tap.journal->n_names; i++)
		if (tap.inode_of[i] == file->inode)
			return tap.journal->names[i];
	return file->is_folder ? "the folder" : "a file without a name";
}

int tap_fault_due(enum tap_call call, const char *name)
{
	unsigned n = ++tap.calls[call];
	const struct tap_fault *f = &tap.fault;

	if (!f->nth || f->call != call || n < f->nth || n >= f->nth + f->times)
		return 0;
	if (!tap.n_faults++)
		snprintf(tap.fault_at, sizeof(tap.fault_at), "%s", name);
	return f->error;
}

bool tap_refuse(int fault)
{
	if (fault <= 0)
		return false;
	errno = fault;
	return true;
}

void tap_lock(void)
{
	pthread_mutex_lock(&tap.lock);
}

/* errno is the kernel's answer, which nothing here may change. */
void tap_unlock(void)
{
	int e = errno;

	pthread_mutex_unlock(&tap.lock);
	errno = e;
}

/* --- journal --------------------------------------------------------------------------------------------------------- */

void tap_note_names(enum op_kind kind, uint32_t inode, const char *name, const char *to)
{
	struct op *op;

	if (!tap.journal)
		return;
	op = journal_add(tap.journal, kind);
	op->inode = inode;
	op->name = journal_name(tap.journal, name);
	op->to = to ? journal_name(tap.journal, to) : 0;
}

void tap_note_data(uint32_t inode, uint64_t offset, const void *data, size_t len)
{
	struct op *op;

	if (!tap.journal)
		return;
	op = journal_add(tap.journal, OP_WRITE);
	op->inode = inode;
	op->offset = offset;
	journal_add_data(tap.journal, op, data, len);
}

void tap_note_length(uint32_t inode, uint64_t length)
{
	struct op *op;

	if (!tap.journal)
		return;
	op = journal_add(tap.journal, OP_TRUNCATE);
	op->inode = inode;
	op->offset = length;
}

uint32_t *tap_inode(const char *name)
{
	return &tap.inode_of[tap.journal ? journal_name(tap.journal, name) : 0];
}

void tap_note_open(int fd, const char *name, int flags, bool existed)
{
	struct stat st;
	bool is_folder = syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISDIR(st.st_mode);
	uint32_t *slot;

	if (fd >= FDS_MAX)
		return;
	tap.fds[fd] = (struct tap_fd){ .is_folder = is_folder, .is_file = !is_folder, .inode = NO_INODE };
	if (!tap.journal)
		return;
	if (is_folder) {
		tap.fds[fd].folder = journal_name(tap.journal, name);
		return;
	}
	slot = tap_inode(name);
	if (!existed || *slot == NO_INODE) {
		*slot = tap.journal->n_inodes++;
		tap_note_names(OP_CREATE, *slot, name, NULL);
	} else if (flags & O_TRUNC) {
		tap_note_length(*slot, 0);
	}
	tap.fds[fd].inode = *slot;
}

/* --- clocks -------------------------------------------------------------------------------------------------------- */

void tap_set_clock(int64_t boot_ms, int64_t wall_us)
{
	tap_lock();
	tap.clock_set = true;
	tap.boot_ms = boot_ms;
	tap.wall_us = wall_us;
	tap_unlock();
}

void tap_free_clock(void)
{
	tap_lock();
	tap.clock_set = false;
	tap_unlock();
}

/* --- on, off --------------------------------------------------------------------------------------------------------- */

static ssize_t slurp(const char *folder, const char *name, uint8_t **ret)
{
	char path[PATH_MAX + 300];
	struct stat st;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISREG(st.st_mode)) {
		*ret = malloc((size_t)st.st_size + 1);
		n = *ret ? syscall(SYS_pread64, fd, *ret, (size_t)st.st_size, 0) : -1;
	}
	syscall(SYS_close, fd);
	return n;
}

/* What is in the folder already is taken to be on the disk. */
static void note_what_is_there(void)
{
	DIR *dir = opendir(tap.folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		uint8_t *data = NULL;
		ssize_t len = slurp(tap.folder, entry->d_name, &data);
		size_t n = strlen(entry->d_name);
		uint32_t inode = tap.journal->n_inodes;

		if (len >= 0 && !(n > 4 && strcmp(entry->d_name + n - 4, "-shm") == 0)) {
			*tap_inode(entry->d_name) = tap.journal->n_inodes++;
			tap_note_names(OP_CREATE, inode, entry->d_name, NULL);
			tap_note_data(inode, 0, data, (size_t)len);
			journal_add(tap.journal, OP_SYNC)->inode = inode;
		}
		free(data);
	}
	if (dir)
		closedir(dir);
	journal_add(tap.journal, OP_SYNC_FOLDER)->name = 0;
	tap.journal->n_found = tap.journal->n_ops;
}

void tap_start(const char *folder, struct journal *journal, enum tap_deaf deaf)
{
	tap_lock();
	memset(tap.fds, 0, sizeof(tap.fds));
	for (unsigned i = 0; i < JOURNAL_NAMES_MAX; i++)
		tap.inode_of[i] = NO_INODE;
	snprintf(tap.folder, sizeof(tap.folder), "%s", folder);
	tap.journal = journal;
	tap.deaf = deaf;
	tap_unlock();
	if (journal)
		note_what_is_there();
	tap_lock();
	tap.folder_len = strlen(tap.folder);
	tap_unlock();
}

/* A file that was renamed was never synced before: known only at the end. */
static void forget_syncs_before_rename(struct journal *journal)
{
	for (size_t i = 0; i < journal->n_ops; i++) {
		if (journal->ops[i].kind != OP_RENAME)
			continue;
		for (size_t k = 0; k < i; k++)
			if (journal->ops[k].kind == OP_SYNC && journal->ops[k].inode == journal->ops[i].inode)
				journal->ops[k].kind = OP_SAY;
	}
}

void tap_stop(void)
{
	tap_lock();
	tap.folder_len = 0;
	if (tap.journal && tap.deaf == TAP_NO_SYNC_BEFORE_RENAME)
		forget_syncs_before_rename(tap.journal);
	tap.journal = NULL;
	tap.fault = (struct tap_fault){ .nth = 0 };
	tap_unlock();
}

void tap_fault(const struct tap_fault *fault)
{
	tap_lock();
	memset(tap.calls, 0, sizeof(tap.calls));
	tap.n_faults = 0;
	tap.fault_at[0] = 0;
	tap.fault = fault ? *fault : (struct tap_fault){ .nth = 0 };
	tap_unlock();
}

unsigned tap_calls(enum tap_call call)
{
	return tap.calls[call];
}

const char *tap_fault_at(void)
{
	return tap.fault_at;
}

unsigned tap_faults(void)
{
	return tap.n_faults;
}

void tap_say(unsigned what, int64_t value, int64_t more)
{
	tap_lock();
	if (tap.journal) {
		struct op *op = journal_add(tap.journal, OP_SAY);

		op->what = what;
		op->value = value;
		op->more = more;
	}
	tap_unlock();
}
