/* What a process asks of its machine. sd_notify is one datagram, so it is written here and no
 * libsystemd is needed; everything else is a file of /proc or one call of libc.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/host.h"

/* sd_notify(3): a path, or '@' for the abstract name space. */
must_check static int notify_address(const char *name, struct sockaddr_un *ret, socklen_t *ret_len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, name, len);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	/* An abstract name has no closing NUL: every byte counts. */
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	*ret = address;
	return 0;
}

int host_notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t address_len;
	int fd, r;

	if (!name || !*name)
		return 0;
	r = notify_address(name, &address, &address_len);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   address_len) < 0)
		r = -errno;
	close(fd);
	return r;
}

int host_syslog(const char *path, int level, const char *tag, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char line[1024];
	int fd, r = 0;

	if (!text_copy(address.sun_path, sizeof(address.sun_path), path))
		return -ENAMETOOLONG;
	/* RFC 3164 as /dev/log takes it; authpriv, for it is about who did what. */
	if (!text_print(line, sizeof(line), "<%d>%s[%d]: %s", LOG_AUTHPRIV | level, tag, (int)getpid(), text))
		return -EMSGSIZE;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, line, strlen(line), MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	close(fd);
	return r;
}

int64_t host_watchdog_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t v;

	if (!usec || text_to_u64(usec, 1, INT64_MAX, &v))
		return 0;
	if (pid) {
		uint64_t mine;

		if (text_to_u64(pid, 1, INT32_MAX, &mine) || (pid_t)mine != getpid())
			return 0;
	}
	return (int64_t)(v / 1000);
}

int host_boot_id(const char *option, uint8_t ret[HOST_BOOT_ID_LEN])
{
	char text[64], digits[2 * HOST_BOOT_ID_LEN + 1];
	size_t n = 0;

	if (!option) {
		FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
		bool got;

		if (!f)
			return -errno;
		got = fgets(text, sizeof(text), f);
		fclose(f);
		if (!got)
			return -EIO;
		text[strcspn(text, "\n")] = '\0';
		option = text;
	}
	/* systemd writes 32 digits, the kernel groups them with dashes. */
	for (; *option && n < sizeof(digits) - 1; option++) {
		if (*option != '-')
			digits[n++] = *option;
	}
	if (*option || hex_parse(digits, n, ret, HOST_BOOT_ID_LEN))
		return -EINVAL;
	return 0;
}

bool host_clock_is_synced(void)
{
	struct timex tx = { .modes = 0 };

	if (adjtimex(&tx) >= 0)
		return !(tx.status & STA_UNSYNC);
	return errno == EPERM && access(HOST_CLOCK_FILE, F_OK) == 0;
}

enum { PASSWD_BUF = 16384 };

int host_uid_of(const char *user, uid_t *ret)
{
	struct passwd entry, *found = NULL;
	uint32_t number;
	char *buf;
	int r;

	if (text_to_u32(user, 0, UINT32_MAX - 1, &number) == 0) {
		*ret = number;
		return 0;
	}
	buf = malloc(PASSWD_BUF);
	if (!buf)
		return -ENOMEM;
	r = getpwnam_r(user, &entry, buf, PASSWD_BUF, &found);
	if (found)
		*ret = entry.pw_uid;
	free(buf);
	return found ? 0 : r ? -r : -ENOENT;
}

int host_user_of(uid_t uid, char *ret, size_t cap)
{
	struct passwd entry, *found = NULL;
	char *buf = malloc(PASSWD_BUF);
	bool fits = true;
	int r;

	if (!buf)
		return -ENOMEM;
	r = getpwuid_r(uid, &entry, buf, PASSWD_BUF, &found);
	if (found)
		fits = text_copy(ret, cap, entry.pw_name);
	free(buf);
	if (!fits)
		return -ENAMETOOLONG;
	return found ? 0 : r ? -r : -ENOENT;
}

int64_t host_rss_kib(pid_t pid)
{
	char path[64] = "/proc/self/statm";
	long long pages = -1;
	FILE *f;

	if (pid > 0)
		text_print(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%*s %lld", &pages) != 1)
		pages = -1;
	fclose(f);
	return pages < 0 ? -1 : pages * (sysconf(_SC_PAGESIZE) / 1024);
}
