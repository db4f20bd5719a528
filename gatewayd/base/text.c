/* Text comes from people, files and strangers, so every number is read by hand: no locale, no
 * leading space, no sign that was not asked for, no wrap-around. And every copy has a bound and
 * says whether it cut; what it leaves is whole characters, so that a cut name is still UTF-8 for
 * whoever gets it next.
 */
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longest number text that is looked at: a double needs at most 1074 digits, nobody writes that
 * many. */
enum { TEXT_NUMBER_MAX = 64 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits only, all of them; the largest value is asked for so that nothing wraps. */
static int digits_to_u64(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	bool over = false;

	if (!*text)
		return TEXT_E_SYNTAX;
	for (; *text; text++) {
		if (!is_digit(*text))
			return TEXT_E_SYNTAX;
		uint64_t digit = (uint64_t)(*text - '0');

		if (v > (UINT64_MAX - digit) / 10)
			over = true;
		else
			v = v * 10 + digit;
	}
	if (over || v > max)
		return TEXT_E_RANGE;
	*ret = v;
	return 0;
}

int text_to_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v;
	int r = digits_to_u64(text, max, &v);

	if (r)
		return r;
	if (v < min)
		return TEXT_E_RANGE;
	*ret = v;
	return 0;
}

int text_to_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t v;
	int r = text_to_u64(text, min, max, &v);

	if (r)
		return r;
	*ret = (uint32_t)v;
	return 0;
}

int text_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	bool minus = *text == '-';
	uint64_t magnitude;
	int64_t v;
	int r = digits_to_u64(text + minus, (uint64_t)INT64_MAX + minus, &magnitude);

	if (r)
		return r;
	v = minus ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (v < min || v > max)
		return TEXT_E_RANGE;
	*ret = v;
	return 0;
}

/* The grammar of a JSON number, which strtod is more generous than: no hex, no inf, no nan, no
 * ".5". */
static bool is_number(const char *p)
{
	p += *p == '-';
	if (!is_digit(*p))
		return false;
	while (is_digit(*p))
		p++;
	if (*p == '.') {
		p++;
		if (!is_digit(*p))
			return false;
		while (is_digit(*p))
			p++;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (!is_digit(*p))
			return false;
		while (is_digit(*p))
			p++;
	}
	return *p == '\0';
}

int text_to_f64(const char *text, double min, double max, double *ret)
{
	double v;

	if (strnlen(text, TEXT_NUMBER_MAX + 1) > TEXT_NUMBER_MAX || !is_number(text))
		return TEXT_E_SYNTAX;
	v = strtod(text, NULL);
	if (!isfinite(v) || v < min || v > max)
		return TEXT_E_RANGE;
	*ret = v;
	return 0;
}

/* Length of the character at p by its first byte; 0 when no character begins like this. */
static size_t utf8_lead(uint8_t c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	if (c >= 0xf0 && c <= 0xf4)
		return 4;
	return 0;
}

/* RFC 3629, section 4: the second byte is what tells overlong forms, surrogates and values past
 * U+10FFFF. */
static bool utf8_second(uint8_t lead, uint8_t c)
{
	if (lead == 0xe0)
		return c >= 0xa0 && c <= 0xbf;
	if (lead == 0xed)
		return c >= 0x80 && c <= 0x9f;
	if (lead == 0xf0)
		return c >= 0x90 && c <= 0xbf;
	if (lead == 0xf4)
		return c >= 0x80 && c <= 0x8f;
	return c >= 0x80 && c <= 0xbf;
}

bool text_is_utf8(const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t n = utf8_lead(*p);

		if (n == 0 || n > len || *p == 0)
			return false;
		if (n > 1 && !utf8_second(p[0], p[1]))
			return false;
		for (size_t i = 2; i < n; i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
		p += n;
		len -= n;
	}
	return true;
}

bool text_is_name(const char *text, size_t max_len)
{
	size_t len = strnlen(text, max_len + 1);

	if (len == 0 || len > max_len || !text_is_utf8(text, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];

		if (c < 0x20 || c == 0x7f || strchr("+#/$", c))
			return false;
		if (c == 0xc2 && (uint8_t)text[i + 1] < 0xa0) /* C1 controls */
			return false;
	}
	return true;
}

bool text_is_slug(const char *text, size_t max_len)
{
	size_t len = strnlen(text, max_len + 1);

	if (len == 0 || len > max_len)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (!is_digit(c) && !(c >= 'a' && c <= 'z') && (i == 0 || (c != '_' && c != '-')))
			return false;
	}
	return true;
}

bool text_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

void hex_print(const void *data, size_t len, char *ret)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		*ret++ = "0123456789abcdef"[p[i] >> 4];
		*ret++ = "0123456789abcdef"[p[i] & 15];
	}
	*ret = '\0';
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_parse(const char *text, size_t len, void *ret, size_t ret_len)
{
	uint8_t *out = ret;

	if (len % 2 || len / 2 != ret_len)
		return TEXT_E_SYNTAX;
	for (size_t i = 0; i < len; i++)
		if (hex_digit(text[i]) < 0)
			return TEXT_E_SYNTAX;
	for (size_t i = 0; i < ret_len; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}

/* How much of a cut text to keep, so that its last character is whole. */
static size_t whole_chars(const char *text, size_t len)
{
	size_t back = 0;

	while (back < 3 && back < len && ((uint8_t)text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back < len && utf8_lead((uint8_t)text[len - 1 - back]) > back + 1)
		return len - 1 - back;
	return len;
}

bool text_copy_n(char *dst, size_t cap, const void *src, size_t len)
{
	bool whole = true;
	const char *nul = len ? memchr(src, 0, len) : NULL;

	if (cap == 0)
		return false;
	if (nul) {
		len = (size_t)(nul - (const char *)src);
		whole = false;
	}
	if (len > cap - 1) {
		len = whole_chars(src, cap - 1);
		whole = false;
	}
	if (len)
		memcpy(dst, src, len);
	dst[len] = '\0';
	return whole;
}

bool text_copy(char *dst, size_t cap, const char *src)
{
	return text_copy_n(dst, cap, src ? src : "", src ? strlen(src) : 0);
}

static bool print_at(char *dst, size_t cap, const char *fmt, va_list args) printf_like(3, 0);

static bool print_at(char *dst, size_t cap, const char *fmt, va_list args)
{
	int n;

	if (cap == 0)
		return false;
	n = vsnprintf(dst, cap, fmt, args);
	if (n < 0) {
		dst[0] = '\0';
		return false;
	}
	if ((size_t)n < cap)
		return true;
	dst[whole_chars(dst, cap - 1)] = '\0';
	return false;
}

bool text_print(char *dst, size_t cap, const char *fmt, ...)
{
	va_list args;
	bool whole;

	va_start(args, fmt);
	whole = print_at(dst, cap, fmt, args);
	va_end(args);
	return whole;
}

bool text_append(char *dst, size_t cap, const char *fmt, ...)
{
	size_t used = strnlen(dst, cap);
	va_list args;
	bool whole;

	va_start(args, fmt);
	whole = print_at(dst + used, cap - used, fmt, args);
	va_end(args);
	return whole;
}
