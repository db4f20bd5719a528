/* The calls' half of the fence: a list of what our programs and their libraries use; everything
 * else fails with EPERM. It denies and does not kill, because a libc of tomorrow calls what today's
 * does not. Names that this architecture or this libseccomp does not know are left out, so one list
 * serves 32 and 64 bit, glibc and musl.
 */
#include <fcntl.h>
#include <seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/serial.h>

#include "sys/fence_inside.h"

/* Always. */
static const char *const calls_always[] = {
	/* descriptors */
	"read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
	"pwritev2", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "fstat",
	"fstat64", "newfstatat", "fstatat64", "statx", "fstatfs", "fstatfs64", "lseek", "_llseek",
	"fsync", "fdatasync", "sync_file_range", "sync_file_range2", "arm_sync_file_range",
	"ftruncate", "ftruncate64", "fallocate", "fadvise64", "fadvise64_64", "arm_fadvise64_64",
	"readahead", "flock", "getdents", "getdents64", "pipe", "pipe2", "eventfd", "eventfd2",
	"poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
	"timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime",
	"timerfd_gettime64", "signalfd4",
	/* sockets; which families is said below */
	"connect", "accept", "accept4", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom",
	"recvmsg", "recvmmsg", "recvmmsg_time64", "shutdown", "getsockopt", "setsockopt",
	"getsockname", "getpeername",
	/* memory */
	"munmap", "mremap", "madvise", "brk", "msync", "mlock", "mlock2", "munlock", "membarrier",
	/* threads */
	"futex", "futex_time64", "futex_waitv", "set_robust_list", "get_robust_list", "rseq",
	"set_tid_address", "set_thread_area", "arch_prctl", "set_tls", "cacheflush", "exit",
	"exit_group", "gettid", "sched_yield", "sched_getaffinity", "sched_getparam",
	"sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "getcpu",
	/* signals to oneself */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending",
	"rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sigaltstack",
	"restart_syscall", "pause",
	/* who and when; setting the clock needs a capability, asking does not */
	"getpid", "getppid", "getpgrp", "getuid", "getuid32", "geteuid", "geteuid32", "getgid",
	"getgid32", "getegid", "getegid32", "getresuid", "getresuid32", "getresgid", "getresgid32",
	"getgroups", "getgroups32", "clock_gettime", "clock_gettime64", "clock_getres",
	"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep",
	"gettimeofday", "time", "times", "adjtimex", "clock_adjtime", "clock_adjtime64",
	"getrusage", "getrlimit", "ugetrlimit", "sysinfo", "uname", "getrandom", "umask",
	"getpriority"
};

/* In stage two only for who has files: Landlock says which. */
static const char *const calls_files[] = {
	/* look */
	"open", "openat", "openat2", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
	"stat", "stat64", "lstat", "lstat64", "statfs", "statfs64", "getcwd",
	/* change */
	"creat", "link", "linkat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "mkdir",
	"mkdirat", "rmdir", "fchmod", "fchown", "fchown32"
};

/* Stage one: opening sockets and stage two itself are still to come. */
static const char *const calls_early[] = {
	/* sockets and their files */
	"bind", "listen", "chmod", "fchmodat", "fchmodat2", "chown", "chown32", "lchown",
	"lchown32", "fchownat", "memfd_create", "setrlimit",
	/* libraries */
	"mmap", "mmap2", "mprotect",
	/* the next fence */
	"seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"
};

/* Libraries try these first and fall back when there is no such call; EPERM they would take for
 * final. */
static const char *const calls_absent[] = { "clone3", "io_uring_setup", "io_uring_enter",
					    "io_uring_register" };

must_check static int add(scmp_filter_ctx ctx, uint32_t action, const char *name,
			  const struct scmp_arg_cmp *arg)
{
	int call = seccomp_syscall_resolve_name(name);
	int r;

	if (call == __NR_SCMP_ERROR)
		return 0;
	r = seccomp_rule_add_array(ctx, action, call, arg ? 1 : 0, arg);
	/* -EDOM: not on this architecture. */
	return r == -EDOM ? 0 : r;
}

must_check static int add_all(scmp_filter_ctx ctx, uint32_t action, const char *const *names,
			      size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = add(ctx, action, names[i], NULL);

		if (r)
			return r;
	}
	return 0;
}

/* A row allows a call when one of its arguments, masked, equals value. */
struct narrow {
	const char *name;
	unsigned arg;
	uint64_t mask, value;
};

must_check static int add_narrow(scmp_filter_ctx ctx, const struct narrow *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct scmp_arg_cmp cmp =
			SCMP_CMP(rows[i].arg, SCMP_CMP_MASKED_EQ, rows[i].mask, rows[i].value);
		int r = add(ctx, SCMP_ACT_ALLOW, rows[i].name, &cmp);

		if (r)
			return r;
	}
	return 0;
}

#define WHOLE UINT64_MAX
#define LOW32 UINT32_MAX

/* A new thread is no new process; a request of no new limit only asks. */
must_check static int add_threads_and_limits(scmp_filter_ctx ctx)
{
	const uint64_t self = (uint32_t)getpid();
	const struct narrow rows[] = {
		{ "clone", 0, CLONE_THREAD, CLONE_THREAD },
		{ "prlimit64", 2, WHOLE, 0 },
		{ "tgkill", 0, LOW32, self },
	};

	return add_narrow(ctx, rows, N_ELEMENTS(rows));
}

must_check static int add_sockets(scmp_filter_ctx ctx, bool net)
{
	static const struct narrow rows[] = {
		{ "socket", 0, LOW32, AF_UNIX },
		{ "socketpair", 0, LOW32, AF_UNIX },
		{ "socket", 0, LOW32, AF_INET },
		{ "socket", 0, LOW32, AF_INET6 },
	};

	return add_narrow(ctx, rows, net ? 4 : 2);
}

/* Descriptors, and serial lines without TIOCSTI, which types into somebody's terminal. */
must_check static int add_ioctls(scmp_filter_ctx ctx)
{
	static const unsigned long
		requests[] = {
			FIONREAD,   FIONBIO,	FIOCLEX,     FIONCLEX,	  TCGETS,     TCSETS,
			TCSETSW,    TCSETSF,	TCFLSH,	     TCSBRK,	  TCSBRKP,    TCXONC,
			TIOCMGET,   TIOCMSET,	TIOCMBIS,    TIOCMBIC,	  TIOCEXCL,   TIOCNXCL,
			TIOCOUTQ,   TIOCGWINSZ, TIOCGSERIAL, TIOCSSERIAL, 0x802c542a, 0x402c542b,
			0x402c542c, 0x402c542d /* TCGETS2, TCSETS2, TCSETSW2, TCSETSF2 */
		};

	for (size_t i = 0; i < N_ELEMENTS(requests); i++) {
		struct narrow row = { "ioctl", 1, LOW32, (uint32_t)requests[i] };
		int r = add_narrow(ctx, &row, 1);

		if (r)
			return r;
	}
	return 0;
}

must_check static int add_prctls(scmp_filter_ctx ctx, bool stage_two)
{
	static const struct narrow rows[] = {
		{ "prctl", 0, LOW32, PR_SET_NAME },	{ "prctl", 0, LOW32, PR_GET_NAME },
		{ "prctl", 0, LOW32, PR_GET_DUMPABLE }, { "prctl", 0, LOW32, PR_GET_NO_NEW_PRIVS },
		{ "prctl", 0, LOW32, PR_GET_SECCOMP },	{ "prctl", 0, LOW32, PR_SET_NO_NEW_PRIVS },
		{ "prctl", 0, LOW32, PR_SET_DUMPABLE }, { "prctl", 0, LOW32, PR_SET_SECCOMP },
	};

	return add_narrow(ctx, rows, stage_two ? 5 : N_ELEMENTS(rows));
}

/* After stage two no page becomes executable any more. */
must_check static int add_stage_two(scmp_filter_ctx ctx, bool has_paths)
{
	static const struct narrow rows[] = {
		{ "mmap", 2, PROT_EXEC, 0 },
		{ "mmap2", 2, PROT_EXEC, 0 },
		{ "mprotect", 2, PROT_EXEC, 0 },
	};
	int r = add_narrow(ctx, rows, N_ELEMENTS(rows));

	if (!r && has_paths)
		r = add_all(ctx, SCMP_ACT_ALLOW, calls_files, N_ELEMENTS(calls_files));
	return r;
}

must_check static int add_stage_one(scmp_filter_ctx ctx)
{
	int r = add_all(ctx, SCMP_ACT_ALLOW, calls_files, N_ELEMENTS(calls_files));

	return r ? r : add_all(ctx, SCMP_ACT_ALLOW, calls_early, N_ELEMENTS(calls_early));
}

must_check static int fill(scmp_filter_ctx ctx, const struct host_fence *fence)
{
	bool has_paths = fence->read_paths || fence->write_paths || fence->exec_paths;
	int r = add_all(ctx, SCMP_ACT_ALLOW, calls_always, N_ELEMENTS(calls_always));

	if (!r)
		r = add_all(ctx, SCMP_ACT_ERRNO(ENOSYS), calls_absent, N_ELEMENTS(calls_absent));
	if (!r)
		r = add_threads_and_limits(ctx);
	if (!r)
		r = add_sockets(ctx, fence->net);
	if (!r)
		r = add_ioctls(ctx);
	if (!r)
		r = add_prctls(ctx, fence->stage_two);
	if (!r)
		r = fence->stage_two ? add_stage_two(ctx, has_paths) : add_stage_one(ctx);
	return r;
}

/* Loaded into all threads at once. Another architecture's calls are an attack, not a libc: those
 * kill. */
must_check static int load(scmp_filter_ctx ctx)
{
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return r ? r : seccomp_load(ctx);
}

int fence_calls(const struct host_fence *fence, bool *ret_done)
{
	scmp_filter_ctx ctx;
	int r;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0 && errno == EINVAL) {
		*ret_done = false;
		return 0;
	}
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!ctx)
		return -ENOMEM;
	r = fill(ctx, fence);
	if (!r)
		r = load(ctx);
	seccomp_release(ctx);
	if (!r)
		*ret_done = true;
	return r;
}
