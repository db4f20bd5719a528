#include <unistd.h>

#include "check.h"
#include "sys/log.h"

/* What one call writes to stderr. */
struct capture {
	int saved, read_fd;
	char text[2 * LOG_LINE_MAX];
};

static void capture_start(struct capture *c)
{
	int fds[2];

	check_ok(pipe(fds));
	c->saved = dup(STDERR_FILENO);
	check_true(c->saved >= 0);
	check_true(dup2(fds[1], STDERR_FILENO) == STDERR_FILENO);
	close(fds[1]);
	c->read_fd = fds[0];
}

static const char *capture_end(struct capture *c)
{
	ssize_t n;

	dup2(c->saved, STDERR_FILENO); /* closes the pipe's last write end */
	close(c->saved);
	n = read(c->read_fd, c->text, sizeof(c->text) - 1);
	check_true(n >= 0);
	c->text[n] = '\0';
	close(c->read_fd);
	return c->text;
}

#define check_logged(want, call)                    \
	do {                                        \
		struct capture c_;                  \
		capture_start(&c_);                 \
		call;                               \
		check_text(capture_end(&c_), want); \
	} while (0)

static void writes_one_line(void **state)
{
	(void)state;
	check_logged("<4>adapter refused mod=unit/test_log adapter=zigbee err=EPERM n=-3\n",
		     log_warn("adapter refused", log_text("adapter", "zigbee"), log_err(-EPERM),
			      log_i64("n", -3)));
	check_logged("<6>ready mod=unit/test_log\n", log_info("ready"));
	check_logged("<3>x mod=file\n", log_write(LOG_ERR, "file.c", "x",
						  &(struct log_field){ .kind = LOG_FIELD_END }));
	check_logged("<3>x mod=adapter/hub\n",
		     log_write(LOG_ERR, "../a/gatewayd/adapter/hub.c", "x",
			       &(struct log_field){ .kind = LOG_FIELD_END }));
}

static void foreign_text_cannot_forge(void **state)
{
	(void)state;
	check_logged("<6>m mod=unit/test_log k=\"a b\"\n", log_info("m", log_text("k", "a b")));
	check_logged("<6>m mod=unit/test_log k=\"\"\n", log_info("m", log_text("k", "")));
	check_logged("<6>m mod=unit/test_log k=-\n", log_info("m", log_text("k", NULL)));
	check_logged("<6>m mod=unit/test_log k=\"a\\x0a<3>b=\\\"c\\\"\\\\\"\n",
		     log_info("m", log_text("k", "a\n<3>b=\"c\"\\")));
	check_logged("<6>m mod=unit/test_log k=\"\\x1b[2J\\x7f\"\n",
		     log_info("m", log_text("k", "\x1b[2J\x7f")));
	check_logged("<6>m mod=unit/test_log k=\"客厅\"\n", log_info("m", log_text("k", "客厅")));
	/* Bytes that are no UTF-8, a C1 control character, and a character that is cut off. */
	check_logged("<6>m mod=unit/test_log k=\"\\xff\\xc2\\x9b\\xe5\\xae\"\n",
		     log_info("m", log_text("k", "\xff\xc2\x9b\xe5\xae")));
}

static void errors_by_name(void **state)
{
	(void)state;
	check_logged("<6>m mod=unit/test_log err=ENOSPC\n", log_info("m", log_err(-ENOSPC)));
	check_logged("<6>m mod=unit/test_log err=3\n", log_info("m", log_err(3)));
	check_logged("<6>m mod=unit/test_log err=-9999\n", log_info("m", log_err(-9999)));
}

static void long_line_is_cut(void **state)
{
	static char big[2 * LOG_LINE_MAX];
	struct capture c;
	size_t len;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	capture_start(&c);
	log_info("m", log_text("k", big), log_text("after", "y"));
	capture_end(&c);
	len = strlen(c.text);
	check_true(len <= LOG_LINE_MAX);
	check_text(c.text + len - 4, "...\n");
	check_true(!strstr(c.text, "after"));

	/* Quoted text is cut between characters, never inside an escape. */
	memset(big, '\n', sizeof(big) - 1);
	capture_start(&c);
	log_info("m", log_text("k", big));
	capture_end(&c);
	len = strlen(c.text);
	check_true(len <= LOG_LINE_MAX && len > LOG_LINE_MAX - 8);
	check_text(c.text + len - 8, "\\x0a...\n");
}

static void levels(void **state)
{
	int level = -1;

	(void)state;
	unsetenv("GATEWAYD_LOG_LEVEL");
	log_open(LOG_WARNING);
	check_logged("", log_info("m"));
	check_logged("<4>m mod=unit/test_log\n", log_warn("m"));
	setenv("GATEWAYD_LOG_LEVEL", "debug", 1);
	log_open(LOG_WARNING);
	check_logged("<7>m mod=unit/test_log\n", log_debug("m"));
	setenv("GATEWAYD_LOG_LEVEL", "nonsense", 1);
	log_open(LOG_ERR);
	check_logged("", log_warn("m"));
	unsetenv("GATEWAYD_LOG_LEVEL");
	log_open(LOG_DEBUG);

	check_true(log_level_parse("notice", &level));
	check_int(level, LOG_NOTICE);
	check_true(!log_level_parse("NOTICE", &level));
	check_true(!log_level_parse("", &level));
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(writes_one_line), cmocka_unit_test(foreign_text_cannot_forge),
		cmocka_unit_test(errors_by_name),  cmocka_unit_test(long_line_is_cut),
		cmocka_unit_test(levels),
	};

	return CHECK_RUN(rows);
}
