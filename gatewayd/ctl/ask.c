/* The terminal gives a secret without showing it. Signals of the keyboard are off meanwhile and Ctrl-C is read as a character,
 * so that the echo always comes back. */
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "ctl/ask.h"
#include "sys/crypto.h"

static int read_line(int fd, bool is_terminal, char ret[ASK_LEN_MAX])
{
	size_t len = 0;
	for (;;) {
		char c = 0;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0 && len == 0)
			return ASK_E_CANCELLED;
		if (n == 0 || c == '\n')
			break;
		if (is_terminal && (c == 3 || c == 28))
			return ASK_E_CANCELLED;
		if (len == ASK_LEN_MAX - 1)
			return ASK_E_LONG;
		ret[len++] = c;
	}
	if (len > 0 && ret[len - 1] == '\r')
		len--;
	ret[len] = 0;
	return 0;
}

static void say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static int ask_terminal(int fd, const char *prompt, bool shown, char ret[ASK_LEN_MAX])
{
	struct termios before, quiet;
	if (tcgetattr(fd, &before) != 0)
		return -errno;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(shown ? ISIG : ECHO | ISIG);
	quiet.c_lflag |= ICANON;
	quiet.c_cc[VEOL] = 3; /* Ctrl-C ends the line at once */
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return -errno;
	say(fd, prompt);
	say(fd, ": ");
	int r = read_line(fd, true, ret);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	if (!shown)
		say(fd, "\n");
	return r;
}

int ask_secret(const char *prompt, bool from_stdin, bool twice, char ret[ASK_LEN_MAX])
{
	char again[ASK_LEN_MAX];
	if (from_stdin)
		return read_line(STDIN_FILENO, false, ret);
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -ENXIO;
	int r = ask_terminal(fd, prompt, false, ret);
	if (r == 0 && twice) {
		r = ask_terminal(fd, "The same again", false, again);
		if (r == 0 && strcmp(again, ret) != 0)
			r = ASK_E_DIFFERENT;
		crypto_wipe(again, sizeof(again));
	}
	close(fd);
	if (r != 0)
		crypto_wipe(ret, ASK_LEN_MAX);
	return r;
}

int ask_word(const char *prompt, bool from_stdin, char ret[ASK_LEN_MAX])
{
	if (from_stdin)
		return read_line(STDIN_FILENO, false, ret);
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -ENXIO;
	int r = ask_terminal(fd, prompt, true, ret);
	close(fd);
	return r;
}
