/* Secrets from standard input: one line each, to the last byte that may be. */
#include "check.h"

#include <unistd.h>
#include "ctl/ask.h"

static void feed(const char *text, size_t len)
{
	int fds[2];
	check_ok(pipe(fds));
	assert_true(write(fds[1], text, len) == (ssize_t)len);
	close(fds[1]);
	assert_true(dup2(fds[0], STDIN_FILENO) == STDIN_FILENO);
	close(fds[0]);
}

static void lines(void **state)
{
	char secret[ASK_LEN_MAX];
	(void)state;
	feed("old one\nnew one\r\n\nlast", 22);
	check_ok(ask_secret("x", true, false, secret));
	check_text(secret, "old one");
	check_ok(ask_secret("x", true, true, secret)); /* who pipes it in does not mistype */
	check_text(secret, "new one");
	check_ok(ask_secret("x", true, false, secret));
	check_text(secret, "");
	check_ok(ask_secret("x", true, false, secret));
	check_text(secret, "last");
	check_int(ask_secret("x", true, false, secret), ASK_E_CANCELLED);
}

static void bounds(void **state)
{
	char secret[ASK_LEN_MAX], text[ASK_LEN_MAX + 1];
	(void)state;
	memset(text, 'a', sizeof(text));
	text[ASK_LEN_MAX - 1] = '\n';
	feed(text, ASK_LEN_MAX);
	check_ok(ask_secret("x", true, false, secret));
	check_uint(strlen(secret), ASK_LEN_MAX - 1);
	memset(text, 'a', sizeof(text));
	text[ASK_LEN_MAX] = '\n';
	feed(text, sizeof(text));
	check_int(ask_secret("x", true, false, secret), ASK_E_LONG);
}

int main(void)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(lines), cmocka_unit_test(bounds) };
	return CHECK_RUN(rows);
}
