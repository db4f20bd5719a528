/* Each probe runs in a child of its own: once without a fence, where it must succeed (so that a
 * denial means something), and once behind each kind of fence. Leak checking uses ptrace, so the
 * children leave by _exit.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "check.h"
#include "sys/host.h"
#include "tmpdir.h"

struct place {
	struct tmpdir dir;
	char readable[80], writable[80], elsewhere[80];
};

/* A probe returns 0 or the errno that it met. */
typedef int (*probe_fn)(const struct place *place);

static int said(long r)
{
	return r < 0 ? errno : 0;
}

static int can_open(const char *folder, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int probe_exec(const struct place *place)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	(void)place;
	execve("/bin/true", argv, argv + 1);
	return errno; /* in the child without a fence /bin/true ends with 0 instead */
}

static int probe_fork(const struct place *place)
{
	pid_t pid = fork();

	(void)place;
	if (pid == 0)
		_exit(0);
	return said(pid);
}

static int probe_clone3(const struct place *place)
{
	/* Bad arguments: the kernel says EINVAL when the call is let through. */
	(void)place;
	return syscall(435, NULL, 0) < 0 && errno == EINVAL ? 0 : errno;
}

static void *probe_thread_main(void *unused)
{
	return unused;
}

static int probe_thread(const struct place *place)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, probe_thread_main, NULL);

	(void)place;
	return r ? r : pthread_join(thread, NULL);
}

static int probe_ptrace(const struct place *place)
{
	(void)place;
	return said(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int probe_kill(const struct place *place)
{
	(void)place;
	return said(kill(getppid(), 0));
}

static int probe_family(int family, int type)
{
	return said(socket(family, type | SOCK_CLOEXEC, 0));
}

static int probe_inet(const struct place *place)
{
	(void)place;
	return probe_family(AF_INET, SOCK_STREAM);
}

static int probe_inet6_udp(const struct place *place)
{
	(void)place;
	return probe_family(AF_INET6, SOCK_DGRAM);
}

static int probe_netlink(const struct place *place)
{
	(void)place;
	return probe_family(AF_NETLINK, SOCK_RAW);
}

static int probe_unix(const struct place *place)
{
	int fds[2];

	(void)place;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return errno;
	return probe_family(AF_UNIX, SOCK_DGRAM);
}

static int probe_bind(const struct place *place)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s%d", place->writable,
		 (int)getpid());
	return fd < 0 ? errno : said(bind(fd, (struct sockaddr *)&address, sizeof(address)));
}

static int probe_shadow(const struct place *place)
{
	(void)place;
	/* What the test itself may read: the point is that the fence takes it away. */
	return can_open("/etc", geteuid() == 0 ? "shadow" : "passwd", O_RDONLY);
}

static int probe_read(const struct place *place)
{
	return can_open(place->readable, "file", O_RDONLY);
}

static int probe_read_elsewhere(const struct place *place)
{
	return can_open(place->elsewhere, "file", O_RDONLY);
}

static int probe_write(const struct place *place)
{
	char path[256];
	int r;

	snprintf(path, sizeof(path), "%s/new", place->writable);
	r = host_write_file(path, 0600, "x", 1);
	return r < 0 ? -r : r;
}

static int probe_write_readable(const struct place *place)
{
	return can_open(place->readable, "file", O_WRONLY);
}

static int probe_create_elsewhere(const struct place *place)
{
	return can_open(place->elsewhere, "new", O_WRONLY | O_CREAT);
}

static int probe_chmod(const struct place *place)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/file", place->writable);
	return said(chmod(path, 0600));
}

static int probe_setuid(const struct place *place)
{
	(void)place;
	return said(setuid(getuid()));
}

static int probe_dlopen(const struct place *place)
{
	(void)place;
	return dlopen("libutil.so.1", RTLD_NOW | RTLD_LOCAL) ? 0 : EPERM;
}

static int probe_exec_memory(const struct place *place)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)place;
	if (page == MAP_FAILED)
		return ENOMEM;
	return said(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int probe_dumpable(const struct place *place)
{
	(void)place;
	return said(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int probe_clock(const struct place *place)
{
	struct timex tx = { .modes = 0 };
	char *page = malloc(100000);
	int r = said(adjtimex(&tx));

	(void)place;
	free(page);
	return r;
}

enum fence_kind { FREE, STAGE_ONE, STAGE_TWO, STAGE_BOTH, STAGE_BARE, STAGE_NET, FENCE_KINDS };

static const struct {
	const char *name;
	probe_fn fn;
	int want[FENCE_KINDS];
} probes[] = {
	/*			      free  one     two     one+two two without paths   two with net
	 */
	{ "exec", probe_exec, { 0, EPERM, EPERM, EPERM, EPERM, EPERM } },
	{ "fork", probe_fork, { 0, EPERM, EPERM, EPERM, EPERM, EPERM } },
	{ "clone3", probe_clone3, { 0, ENOSYS, ENOSYS, ENOSYS, ENOSYS, ENOSYS } },
	{ "thread", probe_thread, { 0, 0, 0, 0, 0, 0 } },
	{ "ptrace", probe_ptrace, { 0, EPERM, EPERM, EPERM, EPERM, EPERM } },
	{ "kill", probe_kill, { 0, EPERM, EPERM, EPERM, EPERM, EPERM } },
	{ "inet", probe_inet, { 0, EPERM, EPERM, EPERM, EPERM, 0 } },
	{ "inet6", probe_inet6_udp, { 0, EPERM, EPERM, EPERM, EPERM, 0 } },
	{ "netlink", probe_netlink, { 0, EPERM, EPERM, EPERM, EPERM, EPERM } },
	{ "unix", probe_unix, { 0, 0, 0, 0, 0, 0 } },
	{ "bind", probe_bind, { 0, 0, EPERM, EPERM, EPERM, EPERM } },
	{ "shadow", probe_shadow, { 0, EACCES, EACCES, EACCES, EPERM, EACCES } },
	{ "read", probe_read, { 0, 0, 0, 0, EPERM, 0 } },
	{ "read else", probe_read_elsewhere, { 0, EACCES, EACCES, EACCES, EPERM, EACCES } },
	{ "write", probe_write, { 0, 0, 0, 0, EPERM, 0 } },
	{ "write read", probe_write_readable, { 0, EACCES, EACCES, EACCES, EPERM, EACCES } },
	{ "create else", probe_create_elsewhere, { 0, EACCES, EACCES, EACCES, EPERM, EACCES } },
	{ "chmod", probe_chmod, { 0, 0, EPERM, EPERM, EPERM, EPERM } },
	{ "setuid", probe_setuid, { 0, EPERM, EPERM, EPERM, EPERM, EPERM } },
	{ "dlopen", probe_dlopen, { 0, 0, EPERM, EPERM, EPERM, EPERM } },
	{ "exec memory", probe_exec_memory, { 0, 0, EPERM, EPERM, EPERM, EPERM } },
	{ "dumpable", probe_dumpable, { 0, 0, EPERM, EPERM, EPERM, EPERM } },
	{ "clock", probe_clock, { 0, 0, 0, 0, 0, 0 } },
};

/* In the child. Any state but the full one is a failure. */
static int fence(enum fence_kind kind, const struct place *place)
{
	const char *const read_paths[] = { place->readable, "/no/such/path", NULL };
	const char *const write_paths[] = { place->writable, NULL };
	const char *const exec_paths[] = { "/lib", "/usr/lib", "/lib64", NULL };
	struct host_fence fence = { .read_paths = read_paths,
				    .write_paths = write_paths,
				    .exec_paths = exec_paths };
	struct host_fence_state state = { .landlock_abi = 0 };
	int r = 0;

	if (kind == FREE)
		return 0;
	if (kind == STAGE_BARE)
		fence = (struct host_fence){ .net = false };
	fence.net = kind == STAGE_NET;
	if (kind == STAGE_BOTH)
		r = host_fence(&fence, &state);
	fence.stage_two = kind != STAGE_ONE;
	if (!r)
		r = host_fence(&fence, &state);
	if (r || state.landlock_abi < 1 || !state.seccomp || !state.no_new_privs)
		return 200;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 201;
	return 0;
}

static int run_child(enum fence_kind kind, probe_fn fn, const struct place *place)
{
	int status = 0;
	pid_t pid = fork();

	check_true(pid >= 0);
	if (pid == 0) {
		int r = fence(kind, place);

		_exit(r ? r : fn(place));
	}
	check_int(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void place_init(struct place *place)
{
	char *const folders[] = { place->readable, place->writable, place->elsewhere };
	static const char *const names[] = { "readable", "writable", "elsewhere" };

	tmpdir_init(&place->dir);
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		char file[64];

		snprintf(folders[i], sizeof(place->readable), "%s",
			 tmpdir_path(&place->dir, names[i]));
		check_ok(mkdir(folders[i], 0700));
		snprintf(file, sizeof(file), "%s/file", names[i]);
		tmpdir_write(&place->dir, file, "x");
	}
}

static void denies_and_allows(void **state)
{
	struct place place;
	unsigned wrong = 0;

	(void)state;
	place_init(&place);
	for (size_t i = 0; i < N_ELEMENTS(probes); i++) {
		for (int kind = FREE; kind < FENCE_KINDS; kind++) {
			int got = run_child(kind, probes[i].fn, &place);

			if (got == probes[i].want[kind])
				continue;
			print_error("%s, fence %d: got %d, want %d\n", probes[i].name, kind, got,
				    probes[i].want[kind]);
			wrong++;
		}
	}
	check_uint(wrong, 0);
	tmpdir_deinit(&place.dir);
}

static int probe_abort(const struct place *place)
{
	(void)place;
	signal(SIGABRT, SIG_DFL);
	abort();
}

/* A failed assertion behind the fence still ends the process as one expects. */
static void can_abort(void **state)
{
	struct place place;

	(void)state;
	place_init(&place);
	check_int(run_child(STAGE_BARE, probe_abort, &place), -SIGABRT);
	tmpdir_deinit(&place.dir);
}

static int probe_missing_folder(const struct place *place)
{
	const char *const paths[] = { "/no/such/folder", NULL };
	struct host_fence fence = { .write_paths = paths };
	struct host_fence_state state;

	(void)place;
	return -host_fence(&fence, &state);
}

static int probe_one_file(const struct place *place)
{
	char path[256];
	const char *const paths[] = { path, NULL };
	struct host_fence fence = { .read_paths = paths, .stage_two = true };
	struct host_fence_state state;

	snprintf(path, sizeof(path), "%s/file", place->elsewhere);
	if (host_fence(&fence, &state))
		return 200;
	return probe_read_elsewhere(place) == 0 && probe_read(place) == EACCES ? 0 : 201;
}

static void paths(void **state)
{
	struct place place;

	(void)state;
	place_init(&place);
	check_int(run_child(FREE, probe_missing_folder, &place), ENOENT);
	check_int(run_child(FREE, probe_one_file, &place), 0);
	tmpdir_deinit(&place.dir);
}

static void *wait_then_open(void *arg)
{
	int *fds = arg;
	char go;

	if (read(fds[0], &go, 1) != 1)
		return (void *)(intptr_t)200;
	return (void *)(intptr_t)probe_inet(NULL);
}

/* The calls' half reaches threads that were there before. */
static int probe_older_thread(const struct place *place)
{
	struct host_fence fence = { .stage_two = true };
	struct host_fence_state state;
	pthread_t thread;
	void *result;
	int fds[2];

	(void)place;
	if (pipe(fds) < 0 || pthread_create(&thread, NULL, wait_then_open, fds) ||
	    host_fence(&fence, &state))
		return 202;
	if (write(fds[1], "x", 1) != 1 || pthread_join(thread, &result))
		return 203;
	return (int)(intptr_t)result;
}

static void reaches_older_threads(void **state)
{
	struct place place;

	(void)state;
	place_init(&place);
	check_int(run_child(FREE, probe_older_thread, &place), EPERM);
	tmpdir_deinit(&place.dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(denies_and_allows),
		cmocka_unit_test(can_abort),
		cmocka_unit_test(paths),
		cmocka_unit_test(reaches_older_threads),
	};

	return CHECK_RUN(rows);
}
