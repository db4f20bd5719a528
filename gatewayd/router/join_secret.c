/* People type what is printed: in groups of four, with dashes, or let a phone read the square. Whether a code's checksum holds is for
 * the adapter to say, since only it knows which kinds there are. */
#include "router/join_secret.h"

#include <ctype.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"

enum { EUI_DIGITS = 16 };

static bool is_gap(char c)
{
	return c == ' ' || c == '-' || c == ':';
}

/* All of text is hex in groups, an even number of digits, at most cap bytes. */
static bool take_hex(const char *text, size_t len, uint8_t *ret, size_t cap, size_t *ret_len)
{
	char digits[2 * WIRE_CODE_MAX + 1];
	size_t n = 0;
	bool good = true;

	for (size_t i = 0; i < len && good; i++) {
		if (is_gap(text[i]) && i > 0 && i + 1 < len && !is_gap(text[i - 1]))
			continue;
		good = isxdigit((unsigned char)text[i]) && n < 2 * cap && n < sizeof(digits) - 1;
		if (good)
			digits[n++] = text[i];
	}
	good = good && n > 0 && n % 2 == 0 && hex_parse(digits, n, ret, n / 2) == 0;
	if (good)
		*ret_len = n / 2;
	crypto_wipe(digits, sizeof(digits));
	return good;
}

/* Behind the mark, which is at the start or behind a sign that parts fields; NULL: none. */
static const char *field(const char *text, const char *mark)
{
	size_t len = strlen(mark);
	for (const char *p = text; (p = strstr(p, mark)); p++)
		if (p == text || !isalnum((unsigned char)p[-1]))
			return p + len;
	return NULL;
}

static size_t n_digits(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF");
}

/* Where code and address stand in a square's text; NULL: there is none. Makers have a few ways. */
static void find_fields(const char *text, const char **ret_code, const char **ret_addr)
{
	*ret_code = field(text, "I:");
	*ret_addr = NULL;
	if (strncmp(text, "HUE:", 4) == 0) {
		*ret_code = field(text, "Z:");
		*ret_addr = field(text, "M:");
	} else if (*ret_code) {
		*ret_addr = field(text, "A:") && n_digits(field(text, "A:")) == EUI_DIGITS ? field(text, "A:") : field(text, "Z:");
	} else {
		text += *text == '|';
		if (n_digits(text) == EUI_DIGITS && text[EUI_DIGITS] == '|') {
			*ret_addr = text;
			*ret_code = text + EUI_DIGITS + 1;
		}
	}
}

static bool take_qr(const char *text, struct join_secret *secret)
{
	const char *code, *addr;
	size_t n = 0;

	find_fields(text, &code, &addr);
	if (!code || !take_hex(code, n_digits(code), secret->code, sizeof(secret->code), &secret->len))
		return false;
	if (addr && n_digits(addr) == EUI_DIGITS && take_hex(addr, EUI_DIGITS, secret->addr.bytes, sizeof(secret->addr.bytes), &n))
		secret->addr.len = (uint8_t)n;
	return true;
}

/* Shorter hex is a PIN or a passkey, which is its digits. */
static bool take_code(const char *text, size_t len, struct join_secret *secret)
{
	if (take_hex(text, len, secret->code, sizeof(secret->code), &secret->len) && secret->len >= JOIN_SECRET_HEX_MIN)
		return true;
	crypto_wipe(secret, sizeof(*secret));
	return take_qr(text, secret);
}

int join_secret_parse(const char *text, struct join_secret *ret)
{
	struct join_secret secret = { .len = 0 };
	size_t len = strlen(text);
	bool good = len > 0 && len <= JOIN_SECRET_TEXT_MAX && text_is_utf8(text, len);

	if (good && !take_code(text, len, &secret)) {
		good = len <= sizeof(secret.code);
		if (good)
			memcpy(secret.code, text, len);
		secret.len = len;
	}
	if (good)
		*ret = secret;
	crypto_wipe(&secret, sizeof(secret));
	return good ? 0 : JOIN_SECRET_E_SYNTAX;
}

int join_address_parse(const char *text, struct address *ret)
{
	struct address addr = { 0 };
	size_t n = 0;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	if (!take_hex(text, strlen(text), addr.bytes, sizeof(addr.bytes), &n))
		return JOIN_SECRET_E_SYNTAX;
	addr.len = (uint8_t)n;
	*ret = addr;
	return 0;
}
