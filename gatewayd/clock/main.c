/* gatewayd-clock: looks at the kernel's word whether the clock is synchronised and says it by a file that is there or not.
 * The core cannot look itself where systemd's ProtectClock keeps it from every call by which one could also try to set the
 * clock. The service manager removes the file's folder when this ends, however it ends: then nobody vouches for the clock.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include "sys/host.h"
#include "sys/log.h"

/* And more often when the service manager wants to hear of us sooner. */
enum { LOOK_EVERY_S = 5 };

static int say(const char *path, bool synced)
{
	int fd;

	if (!synced)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0444);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int shut_in(const char *path)
{
	char folder[256];
	const char *write[] = { folder, NULL };
	const struct host_fence fence = { .write_paths = write, .stage_two = true };
	struct host_fence_state state;
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	int r;

	if (!len || len >= sizeof(folder))
		return -EINVAL;
	memcpy(folder, path, len);
	folder[len] = '\0';
	r = host_fence(&fence, &state);
	if (r == 0)
		log_info("fenced", log_i64("landlock", state.landlock_abi), log_i64("seccomp", state.seccomp));
	return r;
}

static unsigned pause_s(void)
{
	int64_t third = host_watchdog_ms() / 3000;

	return third > 0 && third < LOOK_EVERY_S ? (unsigned)third : LOOK_EVERY_S;
}

static int watch(const char *path)
{
	bool told = false, was = false;
	int r = 0;

	while (r == 0) {
		bool synced = host_clock_is_synced();

		r = say(path, synced);
		if (r == 0 && (!told || synced != was))
			log_notice(synced ? "the clock is synchronised" : "the clock is not synchronised");
		if (r == 0)
			r = host_notify(told ? "WATCHDOG=1" : "READY=1\nWATCHDOG=1");
		told = true;
		was = synced;
		if (r == 0)
			sleep(pause_s());
	}
	return r;
}

int main(int argc, char **argv)
{
	int r;

	if (argc > 2 || (argc == 2 && argv[1][0] != '/')) {
		fputs("usage: gatewayd-clock [FILE]\n", stderr);
		return 2;
	}
	log_open(LOG_INFO);
	/* Anybody may read whether the clock is right. */
	umask(0);
	r = shut_in(argc == 2 ? argv[1] : HOST_CLOCK_FILE);
	if (r == 0)
		r = watch(argc == 2 ? argv[1] : HOST_CLOCK_FILE);
	log_error("cannot go on", log_err(r));
	return EXIT_FAILURE;
}
