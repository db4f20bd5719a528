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

/* A field of a QR text: behind its letter and a colon, at the start or behind a sign that parts fields. NULL: none. */
static const char *qr_field(const char *text, char letter, size_t *ret_len)
{
	for (const char *p = text; *p; p++) {
		if (*p != letter || p[1] != ':' || (p > text && isalnum((unsigned char)p[-1])))
			continue;
		*ret_len = strspn(p + 2, "0123456789abcdefABCDEF");
		return p + 2;
	}
	return NULL;
}

static bool take_qr(const char *text, struct join_secret *secret)
{
	size_t len = 0, n = 0;
	const char *code = qr_field(text, 'I', &len);

	if (!code || !take_hex(code, len, secret->code, sizeof(secret->code), &secret->len))
		return false;
	code = qr_field(text, 'Z', &len);
	if (code && len == EUI_DIGITS && take_hex(code, len, secret->addr.bytes, sizeof(secret->addr.bytes), &n))
		secret->addr.len = (uint8_t)n;
	return true;
}

int join_secret_parse(const char *text, struct join_secret *ret)
{
	struct join_secret secret = { .len = 0 };
	size_t len = strlen(text);
	bool good = len > 0 && len <= JOIN_SECRET_TEXT_MAX && text_is_utf8(text, len);

	if (good && !take_hex(text, len, secret.code, sizeof(secret.code), &secret.len) && !take_qr(text, &secret)) {
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
