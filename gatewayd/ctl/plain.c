/* A device's name was chosen by a stranger. On a terminal it could clear the screen, write over the line before or pretend to
 * be another; so all that is not a visible character is spelled out. */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "ctl/plain.h"

/* One character of UTF-8 at *text, which moves behind it; -1: none, one byte is skipped. */
static int32_t next_char(const unsigned char **text)
{
	const unsigned char *p = *text;
	unsigned n = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
	*text = p + 1;
	if (n == 0 || !text_is_utf8(p, strnlen((const char *)p, n)) || strnlen((const char *)p, n) != n)
		return -1;
	*text = p + n;
	if (n == 1)
		return p[0];
	int32_t c = p[0] & (0xff >> (n + 1));
	for (unsigned i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

static bool is_hidden(int32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x61c || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

int plain_escape(const char *text, char **ret)
{
	size_t cap = strlen(text) * 8 + 1, len = 0;
	const unsigned char *p = (const unsigned char *)text;
	char *out = malloc(cap);
	if (!out)
		return -ENOMEM;
	while (*p) {
		const unsigned char *start = p;
		int32_t c = next_char(&p);
		if (c < 0)
			len += (size_t)snprintf(out + len, cap - len, "\\x%02x", *start);
		else if (!is_hidden(c))
			while (start < p)
				out[len++] = (char)*start++;
		else if (c < 0x80)
			len += (size_t)snprintf(out + len, cap - len, "\\x%02x", (unsigned)c);
		else
			len += (size_t)snprintf(out + len, cap - len, "\\u{%x}", (unsigned)c);
	}
	out[len] = 0;
	*ret = out;
	return 0;
}

struct range {
	int32_t from, to;
};

static bool is_in(int32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return false;
}

unsigned plain_width(const char *text)
{
	static const struct range wide[] = { { 0x1100, 0x115f }, { 0x2e80, 0xa4cf },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
					     { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1f64f },
					     { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd } };
	static const struct range none[] = { { 0x300, 0x36f }, { 0x200b, 0x200d }, { 0xfe00, 0xfe0f } };
	const unsigned char *p = (const unsigned char *)text;
	unsigned width = 0;
	while (*p) {
		int32_t c = next_char(&p);
		if (!is_in(c, none, N_ELEMENTS(none)))
			width += is_in(c, wide, N_ELEMENTS(wide)) ? 2 : 1;
	}
	return width;
}

void plain_put(FILE *out, const char *text)
{
	char *escaped;
	if (!text) {
		fputc('-', out);
	} else if (plain_escape(text, &escaped) == 0) {
		fputs(escaped, out);
		free(escaped);
	}
}
