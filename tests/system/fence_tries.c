/* Tries what no process of gatewayd may do, and says "tried WHAT ERRNO" of each, 0 for what was granted.
 *
 * A program, which a unit's drop-in starts in place of the daemon: what it meets is systemd's part of the fence. With
 * -DFENCE_PLUGIN a plugin, which the real host loads: it tries while it opens and again when it is open, and what it meets
 * first is the part that the host put up itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void (*say_fn)(void *ctx, const char *what, int error);

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Returns only when it is refused. */
static int try_exec(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return errno;
}

static void try_plain(say_fn say, void *ctx)
{
	say(ctx, "shadow", try_open("/etc/shadow", O_RDONLY));
	say(ctx, "write", try_open("/tmp/../etc/fence-was-here", O_WRONLY | O_CREAT));
	say(ctx, "inet", try_socket(AF_INET));
	say(ctx, "inet6", try_socket(AF_INET6));
}

#ifdef FENCE_PLUGIN

#include "sdk/gw_adapter.h"

struct gwa_self {
	gwa_host *host;
};

static void say_log(void *ctx, const char *what, int error)
{
	gwa_self *self = ctx;
	char text[64];

	snprintf(text, sizeof(text), "tried %s %d", what, error);
	gwa(self->host)->log(self->host, 5, text);
}

static void try_all(gwa_self *self, const char *when)
{
	pid_t pid;

	gwa(self->host)->log(self->host, 5, when);
	try_plain(say_log, self);
	say_log(self, "execve", try_exec());
	say_log(self, "ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? errno : 0);
	pid = fork();
	if (pid == 0)
		_exit(0);
	say_log(self, "fork", pid < 0 ? errno : 0);
	gwa(self->host)->log(self->host, 5, "tried all");
}

static int tries_open(gwa_host *host, const struct gwa_opt *opts, uint32_t n, gwa_self **ret)
{
	gwa_self *self = calloc(1, sizeof(*self));

	(void)opts;
	(void)n;
	if (!self)
		return -1;
	self->host = host;
	try_all(self, "while it opens");
	gwa(host)->devices_synced(host);
	/* Its messages are limited to so many a second. */
	gwa(host)->timer(host, 1, 2500);
	*ret = self;
	return 0;
}

static void tries_close(gwa_self *self)
{
	free(self);
}

static void tries_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			  const struct gwa_value *value, uint32_t ttl_ms)
{
	(void)addr;
	(void)endpoint;
	(void)cap;
	(void)value;
	(void)ttl_ms;
	gwa(self->host)->done(self->host, req, GWA_FAILED);
}

static void tries_on_stored(gwa_self *self, uint64_t up_to)
{
	(void)self;
	(void)up_to;
}

static void tries_on_fd(gwa_self *self, int fd, uint32_t events)
{
	(void)self;
	(void)fd;
	(void)events;
}

static void tries_on_timer(gwa_self *self, uint32_t timer)
{
	if (timer == 1)
		try_all(self, "when it is open");
}

static const struct gwa_ops ops = {
	.size = sizeof(ops),
	.open = tries_open,
	.close = tries_close,
	.command = tries_command,
	.on_stored = tries_on_stored,
	.on_fd = tries_on_fd,
	.on_timer = tries_on_timer,
};
const struct gwa_plugin gwa_plugin_v1 = {
	.magic = GWA_MAGIC,
	.size = sizeof(gwa_plugin_v1),
	.abi_minor = GWA_ABI_MINOR,
	.name = "tries",
	.summary = "tries what it may not",
	.ops = &ops,
};

#else

static void say_out(void *ctx, const char *what, int error)
{
	(void)ctx;
	printf("tried %s %d\n", what, error);
	fflush(stdout);
}

static int status_of(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int exec_in_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(try_exec());
	return status_of(pid);
}

static int trace_a_child(void)
{
	pid_t pid = fork();
	int error;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	error = ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0 ? errno : 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return error;
}

int main(void)
{
	try_plain(say_out, NULL);
	say_out(NULL, "execve", exec_in_child());
	say_out(NULL, "ptrace", trace_a_child());
	say_out(NULL, "all", 0);
	return 0;
}

#endif
