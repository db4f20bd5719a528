#pragma once
/* host - what a process asks of its machine: service manager, boot id, clock state, files, its own fence.
 *
 *   above   app  host  linkd  ctl  router
 *   below   base/base  base/text
 *   owns    nothing
 *   limits  HOST_FILE_MAX (what callers pass as max for a file of ours)
 *   errors  HOST_E_TOO_LARGE
 */
#include <sys/types.h>
#include "base/base.h"

enum { HOST_FILE_MAX = 1024 * 1024, HOST_BOOT_ID_LEN = 16 };
enum { HOST_E_TOO_LARGE = 1 };

/* One datagram to $NOTIFY_SOCKET ("READY=1\nSTATUS=..."); 0 when there is no service manager. */
must_check int host_notify(const char *state);
/* One line to the system's log at path (/dev/log), facility authpriv, level as in syslog.h. -EAGAIN: it does not listen now. */
must_check int host_syslog(const char *path, int level, const char *tag, const char *text);
int64_t host_watchdog_ms(void); /* WATCHDOG_USEC for this pid in ms, 0 when none */

/* --boot-id option text (systemd's %b) or, when NULL, /proc/sys/kernel/random/boot_id. -EINVAL: neither form. */
must_check int host_boot_id(const char *option, uint8_t ret[HOST_BOOT_ID_LEN]);
/* The kernel's word (adjtimex: no STA_UNSYNC); where asking is forbidden, gatewayd-clock's: is its file there? */
#define HOST_CLOCK_FILE "/run/gatewayd-clock/synchronized"
bool host_clock_is_synced(void);

/* Regular files only (-EISDIR, -EINVAL). *ret is malloc'ed, NUL added; wipe it when it held a secret. */
must_check int host_read_file(const char *path, size_t max, char **ret, size_t *ret_len);
/* All of it, from where fd stands; as much as there is up to len. Blocking; interrupted calls go on. */
must_check int host_write_fd(int fd, const void *data, size_t len);
must_check int host_read_fd(int fd, void *ret, size_t len, size_t *ret_len);
/* Whole or not at all, also over a power cut: new file, fsync, rename, fsync of the folder. mode is exact. */
must_check int host_write_file(const char *path, mode_t mode, const void *data, size_t len);
must_check int host_mkdir(const char *path, mode_t mode); /* 0 also when it is there and ours; else -ENOTDIR, -EPERM */

/* These read the user database: at start only, before the fence. -ENOENT: no such user. */
must_check int host_uid_of(const char *user, uid_t *ret); /* name or number */
must_check int host_user_of(uid_t uid, char *ret, size_t cap);
int64_t host_rss_kib(pid_t pid); /* 0: this process. -1 when not readable */

/* The in-process fence (THREATS.md): no_new_privs, not dumpable, Landlock, seccomp. What is not allowed fails with EPERM
 * or EACCES (clone3 and io_uring with ENOSYS, so that libraries fall back) and kills nobody. Always denied: execve,
 * fork, ptrace, signals to others, sockets other than AF_UNIX (and AF_INET, AF_INET6 with net).
 *
 * Stage one leaves what loading a library needs; stage two may follow once and denies executable mappings, bind,
 * listen, changes of mode, any further fence and, when it names no path at all, every open. A path that is missing is
 * left out, except under write_paths (-ENOENT). Landlock binds the calling thread and those that it starts: call before
 * any thread is there. What the kernel lacks is no error: look at the state.
 */
struct host_fence {
	const char *const *read_paths;  /* NULL-terminated, may be NULL; files or folders that may be read */
	const char *const *write_paths; /* folders that may be read and written */
	const char *const *exec_paths;  /* folders from which libraries may be mapped */
	bool net;                       /* AF_INET/AF_INET6 sockets allowed */
	bool stage_two;                 /* final: no new files at all beyond Landlock, tight syscall list */
};
struct host_fence_state {
	int landlock_abi; /* 0: kernel has none */
	bool seccomp, no_new_privs;
};
must_check int host_fence(const struct host_fence *fence, struct host_fence_state *ret);
