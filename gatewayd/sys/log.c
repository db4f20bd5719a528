/* A line is built in a fixed buffer and written with one write(2), so that lines of several
 * processes on one terminal do not mix. Messages and keys are ours; every value is taken for
 * foreign: what is not a plain word is quoted, and a control character or a broken byte shows as
 * \xNN, so nobody can forge a second line.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/log.h"

struct line {
	char text[LOG_LINE_MAX];
	size_t len;
	bool cut;
};

/* Room is kept for the mark of a cut line and the line feed. */
enum { LINE_TAIL = 4 };

static void line_add(struct line *line, const char *data, size_t len)
{
	if (line->cut || len > sizeof(line->text) - LINE_TAIL - line->len) {
		line->cut = true;
		return;
	}
	memcpy(line->text + line->len, data, len);
	line->len += len;
}

static void line_text(struct line *line, const char *text)
{
	line_add(line, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

/* Bytes of the printable character at p, 0 when it must be escaped. */
static size_t printable_step(const char *p, size_t left)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return c >= ' ' && c != 0x7f;
	/* U+0080..U+009F are control characters, too. */
	if (c == 0xc2 && left > 1 && (unsigned char)p[1] < 0xa0)
		return 0;
	for (size_t n = 2; n <= 4 && n <= left; n++) {
		if (text_is_utf8(p, n))
			return n;
	}
	return 0;
}

static void line_quoted(struct line *line, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = strlen(text);

	line_add(line, "\"", 1);
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		size_t step = printable_step(text + i, len - i);

		if (c == '"' || c == '\\') {
			line_add(line, (char[]){ '\\', (char)c }, 2);
		} else if (step > 0) {
			line_add(line, text + i, step);
		} else {
			line_add(line, (char[]){ '\\', 'x', digits[c >> 4], digits[c & 15] }, 4);
		}
		i += step ? step : 1;
	}
	line_add(line, "\"", 1);
}

static void line_value(struct line *line, const char *text)
{
	const char *p = text;

	if (!text) {
		line_text(line, "-");
		return;
	}
	while (is_plain((unsigned char)*p))
		p++;
	if (*text && !*p)
		line_text(line, text);
	else
		line_quoted(line, text);
}

static void line_number(struct line *line, int64_t i)
{
	char text[24];

	text_print(text, sizeof(text), "%lld", (long long)i);
	line_text(line, text);
}

/* strerrorname_np is glibc's alone. */
static const char *error_name(int64_t error)
{
#define ROW(name)           \
	{                   \
		name, #name \
	}
	static const struct {
		int error;
		const char *name;
	} rows[] = {
		ROW(E2BIG),	   ROW(EACCES),		 ROW(EADDRINUSE),   ROW(EADDRNOTAVAIL),
		ROW(EAGAIN),	   ROW(EBADF),		 ROW(EBADMSG),	    ROW(EBUSY),
		ROW(ECANCELED),	   ROW(ECONNABORTED),	 ROW(ECONNREFUSED), ROW(ECONNRESET),
		ROW(EEXIST),	   ROW(EFAULT),		 ROW(EFBIG),	    ROW(EHOSTUNREACH),
		ROW(EINTR),	   ROW(EINVAL),		 ROW(EIO),	    ROW(EISCONN),
		ROW(EISDIR),	   ROW(ELOOP),		 ROW(EMFILE),	    ROW(EMSGSIZE),
		ROW(ENAMETOOLONG), ROW(ENETUNREACH),	 ROW(ENFILE),	    ROW(ENOBUFS),
		ROW(ENODEV),	   ROW(ENOENT),		 ROW(ENOEXEC),	    ROW(ENOLCK),
		ROW(ENOMEM),	   ROW(ENOSPC),		 ROW(ENOSYS),	    ROW(ENOTCONN),
		ROW(ENOTDIR),	   ROW(ENOTEMPTY),	 ROW(ENOTSOCK),	    ROW(ENOTSUP),
		ROW(ENXIO),	   ROW(EOVERFLOW),	 ROW(EPERM),	    ROW(EPIPE),
		ROW(EPROTO),	   ROW(EPROTONOSUPPORT), ROW(ERANGE),	    ROW(EROFS),
		ROW(ESRCH),	   ROW(ESTALE),		 ROW(ETIMEDOUT),    ROW(ETXTBSY),
		ROW(EXDEV),
	};
#undef ROW

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (rows[i].error == error)
			return rows[i].name;
	}
	return NULL;
}

/* A negative error number by name; a positive one belongs to a module and stays a number. */
static void line_error(struct line *line, int64_t r)
{
	const char *name = r < 0 ? error_name(-r) : NULL;

	if (name)
		line_text(line, name);
	else
		line_number(line, r);
}

/* ".../gatewayd/adapter/hub.c" is "adapter/hub". */
static void line_module(struct line *line, const char *file)
{
	const char *start = file + strlen(file), *dot = strrchr(file, '.');
	unsigned slashes = 0;

	while (start > file && (start[-1] != '/' || ++slashes < 2))
		start--;
	line_add(line, start, dot && dot > start ? (size_t)(dot - start) : strlen(start));
}

static void line_field(struct line *line, const struct log_field *field)
{
	line_add(line, " ", 1);
	line_text(line, field->key);
	line_add(line, "=", 1);
	switch (field->kind) {
	case LOG_FIELD_TEXT:
		line_value(line, field->text);
		break;
	case LOG_FIELD_I64:
		line_number(line, field->i);
		break;
	case LOG_FIELD_ERR:
		line_error(line, field->i);
		break;
	case LOG_FIELD_END:
		break;
	}
}

bool log_level_parse(const char *text, int *ret)
{
	static const struct {
		const char *name;
		int priority;
	} rows[] = {
		{ "error", LOG_ERR }, { "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
		{ "info", LOG_INFO }, { "debug", LOG_DEBUG },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		if (text_equal(text, rows[i].name)) {
			*ret = rows[i].priority;
			return true;
		}
	}
	return false;
}

void log_open(int max_priority)
{
	const char *level = getenv("GATEWAYD_LOG_LEVEL");
	int wanted;

	if (level && log_level_parse(level, &wanted))
		max_priority = wanted;
	/* libc keeps the process's mask anyway: no state of ours. */
	setlogmask(LOG_UPTO(max_priority));
}

void log_write(int priority, const char *file, const char *message, const struct log_field *fields)
{
	struct line line = { .len = 0 };
	ssize_t n;

	if (!(setlogmask(0) & LOG_MASK(priority)))
		return;
	line_add(&line, "<", 1);
	line_number(&line, priority);
	line_add(&line, ">", 1);
	line_text(&line, message);
	line_text(&line, " mod=");
	line_module(&line, file);
	for (; fields->kind != LOG_FIELD_END; fields++)
		line_field(&line, fields);
	if (line.cut) {
		memcpy(line.text + line.len, "...", 3);
		line.len += 3;
	}
	line.text[line.len++] = '\n';
	n = write(STDERR_FILENO, line.text, line.len);
	(void)n; /* nowhere to complain to */
}
