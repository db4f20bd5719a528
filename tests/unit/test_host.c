#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "check.h"
#include "sys/host.h"
#include "tmpdir.h"

static int manager_new(const char *name, size_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	check_true(fd >= 0);
	memcpy(address.sun_path, name, len);
	check_ok(bind(fd, (struct sockaddr *)&address,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)));
	return fd;
}

static void check_notified(int fd, const char *want)
{
	char text[256] = "";

	check_int(recv(fd, text, sizeof(text) - 1, 0), (int64_t)strlen(want));
	check_text(text, want);
}

static void notifies(void **state)
{
	struct tmpdir dir;
	const char *path;
	char name[64], big[200];
	int fd;

	(void)state;
	tmpdir_init(&dir);
	unsetenv("NOTIFY_SOCKET");
	check_ok(host_notify("READY=1"));
	setenv("NOTIFY_SOCKET", "", 1);
	check_ok(host_notify("READY=1"));

	path = tmpdir_path(&dir, "notify");
	fd = manager_new(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	check_ok(host_notify("READY=1\nSTATUS=two loops"));
	check_notified(fd, "READY=1\nSTATUS=two loops");
	close(fd);
	check_int(host_notify("WATCHDOG=1"), -ECONNREFUSED);
	unlink(path);
	check_int(host_notify("WATCHDOG=1"), -ENOENT);

	/* The abstract name space: '@' in the variable, NUL on the socket. */
	snprintf(name, sizeof(name), "@gw-test-notify-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	fd = manager_new(name, 1 + strlen(name + 1));
	check_ok(host_notify("WATCHDOG=1"));
	check_notified(fd, "WATCHDOG=1");
	close(fd);

	setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	check_int(host_notify("READY=1"), -EAFNOSUPPORT);
	setenv("NOTIFY_SOCKET", "@", 1);
	check_int(host_notify("READY=1"), -EAFNOSUPPORT);
	memset(big, '/', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	setenv("NOTIFY_SOCKET", big, 1);
	check_int(host_notify("READY=1"), -ENAMETOOLONG);
	unsetenv("NOTIFY_SOCKET");
	tmpdir_deinit(&dir);
}

static void watchdog(void **state)
{
	char pid[16];

	(void)state;
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	check_int(host_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	check_int(host_watchdog_ms(), 30000);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	check_int(host_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
	check_int(host_watchdog_ms(), 0);
	setenv("WATCHDOG_PID", pid, 1);
	for (size_t i = 0; i < 4; i++) {
		static const char *const bad[] = { "0", "-1", "30s", "99999999999999999999" };

		setenv("WATCHDOG_USEC", bad[i], 1);
		check_int(host_watchdog_ms(), 0);
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void boot_id(void **state)
{
	static const char *const bad[] = { "",
					   "-",
					   "%b",
					   "00112233445566778899aabbccddeef",
					   "00112233445566778899aabbccddeeff0",
					   "00112233-4455-6677-8899-aabbccddeefg" };
	static const uint8_t want[] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
	uint8_t a[HOST_BOOT_ID_LEN], b[HOST_BOOT_ID_LEN];

	(void)state;
	check_ok(host_boot_id("00112233445566778899aabbccddeeff", a));
	check_bytes(a, sizeof(a), want, sizeof(want));
	check_ok(host_boot_id("00112233-4455-6677-8899-aabbccddeeff", a));
	check_bytes(a, sizeof(a), want, sizeof(want));
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(host_boot_id(bad[i], a), -EINVAL);
	check_ok(host_boot_id(NULL, a));
	check_ok(host_boot_id(NULL, b));
	check_bytes(a, sizeof(a), b, sizeof(b));
	check_true(memcmp(a, want, sizeof(a)) != 0);
}

static void clock_state(void **state)
{
	struct timex tx = { .modes = 0 };
	int r = adjtimex(&tx);

	(void)state;
	check_true(r >= 0);
	check_int(host_clock_is_synced(), !(tx.status & STA_UNSYNC));
}

static void reads_files(void **state)
{
	struct tmpdir dir;
	const char *path;
	char *text = NULL;
	size_t len = 99;
	static char big[9000];

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_write(&dir, "a", "hello");
	check_ok(host_read_file(path, 5, &text, &len));
	check_text(text, "hello");
	check_uint(len, 5);
	free(text);
	text = NULL;
	check_int(host_read_file(path, 4, &text, &len), HOST_E_TOO_LARGE);
	check_ok(host_read_file(tmpdir_write(&dir, "empty", ""), 0, &text, &len));
	check_text(text, "");
	check_uint(len, 0);
	free(text);
	text = NULL;
	/* More than one step of reading, and a file without a size. */
	memset(big, 'x', sizeof(big) - 1);
	check_ok(host_read_file(tmpdir_write(&dir, "big", big), HOST_FILE_MAX, &text, &len));
	check_text(text, big);
	free(text);
	check_ok(host_read_file("/proc/self/status", HOST_FILE_MAX, &text, &len));
	check_true(len > 0 && strstr(text, "Name:"));
	free(text);
	text = NULL;

	check_int(host_read_file(tmpdir_path(&dir, "none"), 10, &text, &len), -ENOENT);
	check_int(host_read_file(dir.path, 10, &text, &len), -EISDIR);
	path = tmpdir_path(&dir, "pipe");
	check_ok(mkfifo(path, 0600));
	check_int(host_read_file(path, 10, &text, &len),
		  -EINVAL); /* and does not wait for a writer */
	check_int(host_read_file("/dev/zero", 10, &text, &len), -EINVAL);
	check_true(!text);
	tmpdir_deinit(&dir);
}

static unsigned files_in(const char *folder)
{
	unsigned n = 0;
	char command[128];
	FILE *f;

	snprintf(command, sizeof(command), "ls -A %s", folder);
	f = popen(command, "re");
	check_true(f != NULL);
	for (int c; (c = fgetc(f)) != EOF;)
		n += c == '\n';
	pclose(f);
	return n;
}

static void writes_files(void **state)
{
	struct tmpdir dir;
	const char *path;
	struct stat st;
	char *text = NULL;
	mode_t mask = umask(0077);
	struct rlimit limit, small;
	size_t len;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "key");
	check_ok(host_write_file(path, 0644, "one", 3));
	check_ok(stat(path, &st));
	check_int(st.st_mode & 07777, 0644); /* whatever the umask is */
	check_ok(host_write_file(path, 0600, "a\0b", 3));
	check_ok(host_read_file(path, 10, &text, &len));
	check_bytes(text, len, "a\0b", 3);
	free(text);
	check_ok(stat(path, &st));
	check_int(st.st_mode & 07777, 0600);
	check_int(host_write_file(tmpdir_path(&dir, "no/such"), 0600, "x", 1), -ENOENT);
	check_ok(mkdir(tmpdir_path(&dir, "folder"), 0700));
	check_int(host_write_file(tmpdir_path(&dir, "folder"), 0600, "x", 1), -EISDIR);
	check_uint(files_in(dir.path), 2); /* nothing half-written stays */
	/* No room: the old content stays and the half-written file goes. */
	signal(SIGXFSZ, SIG_IGN);
	check_ok(getrlimit(RLIMIT_FSIZE, &limit));
	small = limit;
	small.rlim_cur = 8;
	check_ok(setrlimit(RLIMIT_FSIZE, &small));
	check_int(host_write_file(path, 0600, "more than eight", 15), -EFBIG);
	check_ok(setrlimit(RLIMIT_FSIZE, &limit));
	check_ok(host_read_file(path, 10, &text, &len));
	check_bytes(text, len, "a\0b", 3);
	free(text);
	check_uint(files_in(dir.path), 2);
	umask(mask);
	tmpdir_deinit(&dir);
}

static void makes_folders(void **state)
{
	struct tmpdir dir;
	const char *path;
	struct stat st;
	mode_t mask = umask(0077);

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "run");
	check_ok(host_mkdir(path, 0755));
	check_ok(stat(path, &st));
	check_int(st.st_mode & 07777, 0755);
	check_ok(host_mkdir(path, 0700));
	check_int(host_mkdir(tmpdir_path(&dir, "no/such"), 0700), -ENOENT);
	check_int(host_mkdir(tmpdir_write(&dir, "file", ""), 0700), -ENOTDIR);
	/* A link to a folder of ours is not one. */
	check_ok(symlink(path, tmpdir_path(&dir, "link")));
	check_int(host_mkdir(tmpdir_path(&dir, "link"), 0700), -ENOTDIR);
	check_ok(chown(path, geteuid() == 0 ? 1 : geteuid(), (gid_t)-1));
	check_int(host_mkdir(path, 0700), geteuid() == 0 ? -EPERM : 0);
	umask(mask);
	tmpdir_deinit(&dir);
}

static void users(void **state)
{
	char name[64] = "";
	uid_t uid = 77;

	(void)state;
	check_ok(host_uid_of("root", &uid));
	check_uint(uid, 0);
	check_ok(host_uid_of("12345", &uid));
	check_uint(uid, 12345);
	check_int(host_uid_of("no-such-user-here", &uid), -ENOENT);
	check_int(host_uid_of("", &uid), -ENOENT);
	check_int(host_uid_of("4294967295", &uid), -ENOENT); /* (uid_t)-1 is nobody's */
	check_int(host_uid_of("-1", &uid), -ENOENT);
	check_uint(uid, 12345);
	check_ok(host_user_of(0, name, sizeof(name)));
	check_text(name, "root");
	check_int(host_user_of(0, name, 3), -ENAMETOOLONG);
	check_int(host_user_of(3999999999u, name, sizeof(name)), -ENOENT);
}

static void syslog_lines(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[2048], expected[64];
	struct tmpdir dir;
	ssize_t n;
	int fd;

	(void)state;
	tmpdir_init(&dir);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", tmpdir_path(&dir, "log"));
	check_true(host_syslog(address.sun_path, LOG_NOTICE, "gatewayd", "nobody hears") < 0);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	check_ok(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	check_ok(host_syslog(address.sun_path, LOG_NOTICE, "gatewayd", "a point"));
	n = recv(fd, text, sizeof(text) - 1, 0);
	check_true(n > 0);
	text[n] = 0;
	snprintf(expected, sizeof(expected), "<85>gatewayd[%d]: a point", (int)getpid());
	check_text(text, expected);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	check_int(host_syslog(address.sun_path, LOG_NOTICE, "gatewayd", text), -EMSGSIZE);
	close(fd);
	tmpdir_deinit(&dir);
}

static void rss(void **state)
{
	(void)state;
	check_true(host_rss_kib(0) > 100);
	check_true(host_rss_kib(getpid()) > 100);
	check_int(host_rss_kib(INT32_MAX), -1);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(notifies),	 cmocka_unit_test(watchdog),
		cmocka_unit_test(boot_id),	 cmocka_unit_test(clock_state),
		cmocka_unit_test(reads_files),	 cmocka_unit_test(writes_files),
		cmocka_unit_test(makes_folders), cmocka_unit_test(users),
		cmocka_unit_test(rss),		 cmocka_unit_test(syslog_lines),
	};

	return CHECK_RUN(rows);
}
