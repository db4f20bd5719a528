/* The fence that a process puts around itself, so that it stands on machines without systemd, too:
 * procd, a container, a developer's shell. This file is the order of things and the files' half
 * (Landlock); the calls' half is in fence_calls.c. The kernel's header may be older than the
 * kernel, so Landlock's numbers stand here.
 */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/fence_inside.h"

/* landlock(7). The three calls have the same numbers on every architecture. */
enum { CALL_CREATE_RULESET = 444, CALL_ADD_RULE = 445, CALL_RESTRICT_SELF = 446 };
enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

#define FS_EXECUTE	(1ull << 0)
#define FS_WRITE_FILE	(1ull << 1)
#define FS_READ_FILE	(1ull << 2)
#define FS_READ_DIR	(1ull << 3)
#define FS_MAKE_CHAR	(1ull << 6)
#define FS_MAKE_BLOCK	(1ull << 11)
#define FS_TRUNCATE	(1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV	(1ull << 15) /* ABI 5 */
#define NET_BIND_TCP	(1ull << 0)  /* ABI 4 */
#define NET_CONNECT_TCP (1ull << 1)
#define SCOPE_SIGNAL	(1ull << 1) /* ABI 6 */

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
/* What a rule on a file that is no folder may name. */
#define FS_OF_FILE (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_attr {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/* Every right that this kernel's Landlock knows is denied unless a rule gives it back. */
static uint64_t handled_fs(long abi)
{
	static const unsigned bits[] = { 0, 13, 14, 15, 15, 16 };

	return (1ull << bits[abi < 5 ? abi : 5]) - 1;
}

static size_t ruleset_size(long abi)
{
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

must_check static int allow_path(int ruleset, const char *path, uint64_t rights, bool needed)
{
	struct path_attr attr = { .allowed = rights };
	struct stat st;
	int r = 0;

	attr.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (attr.parent_fd < 0)
		return errno == ENOENT && !needed ? 0 : -errno;
	if (fstat(attr.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed &= FS_OF_FILE;
	if (syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &attr, 0) < 0)
		r = -errno;
	close(attr.parent_fd);
	return r;
}

must_check static int allow_paths(int ruleset, const char *const *paths, uint64_t rights,
				  bool needed)
{
	for (; paths && *paths; paths++) {
		int r = allow_path(ruleset, *paths, rights, needed);

		if (r)
			return r;
	}
	return 0;
}

/* No path may be executed: mapping a library needs no more than reading it. */
must_check static int allow_all(int ruleset, const struct host_fence *fence, uint64_t handled)
{
	uint64_t write = handled & ~(FS_EXECUTE | FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_IOCTL_DEV);
	int r = allow_paths(ruleset, fence->read_paths, FS_READ, false);

	if (!r)
		r = allow_paths(ruleset, fence->exec_paths, FS_READ, false);
	if (!r)
		r = allow_paths(ruleset, fence->write_paths, write, true);
	return r;
}

int fence_files(const struct host_fence *fence, int *ret_abi)
{
	long abi = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_VERSION);
	struct ruleset_attr attr;
	int ruleset, r;

	if (abi < 1) {
		*ret_abi = 0;
		return 0;
	}
	attr = (struct ruleset_attr){
		.fs = handled_fs(abi),
		.net = fence->net ? 0 : NET_BIND_TCP | NET_CONNECT_TCP,
		.scoped = SCOPE_SIGNAL,
	};
	ruleset = (int)syscall(CALL_CREATE_RULESET, &attr, ruleset_size(abi), 0);
	if (ruleset < 0)
		return -errno;
	r = allow_all(ruleset, fence, attr.fs);
	if (!r && syscall(CALL_RESTRICT_SELF, ruleset, 0) < 0)
		r = -errno;
	close(ruleset);
	if (!r)
		*ret_abi = (int)abi;
	return r;
}

int host_fence(const struct host_fence *fence, struct host_fence_state *ret)
{
	struct host_fence_state state = { .landlock_abi = 0 };
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	state.no_new_privs = true;
	r = fence_files(fence, &state.landlock_abi);
	if (!r)
		r = fence_calls(fence, &state.seccomp);
	if (!r)
		*ret = state;
	return r;
}
