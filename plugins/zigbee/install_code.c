/*
 * A label has the code in digits, its QR code has the device's address, too, in one of a few makers' ways. The checksum
 * finds every wrong digit, so that a typing error is told at once and not as a device that does not join. The key is a
 * hash over code and checksum; the hash is made of AES, as everything in Zigbee is.
 */
#include "zigbee/install_code.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"
#include "sys/crypto.h"

enum { EUI_DIGITS = 16, BLOCK = 16, MMO_MAX = 4095 };

static const uint8_t lengths[] = { 8, 10, 14, 18 };

/* CRC-16/X-25, the low byte first. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint16_t crc = 0xffff;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1);
	}
	return (uint16_t)~crc;
}

int install_code_check(struct view code)
{
	size_t i = 0;

	while (i < N_ELEMENTS(lengths) && lengths[i] != code.len)
		i++;
	if (i == N_ELEMENTS(lengths))
		return INSTALL_CODE_E_LENGTH;
	return checksum(code.data, code.len - 2) == (code.data[code.len - 2] | code.data[code.len - 1] << 8) ? 0 : INSTALL_CODE_E_CHECKSUM;
}

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && is_digit(p[n]))
		n++;
	return n;
}

static const char *after(const char *p, const char *end, const char *mark)
{
	const char *found = p && p < end ? memmem(p, (size_t)(end - p), mark, strlen(mark)) : NULL;

	return found ? found + strlen(mark) : NULL;
}

static int eui_read(const char *p, const char *end, uint64_t *ret)
{
	uint8_t bytes[8];
	uint64_t eui = 0;

	if (digits(p, end) != EUI_DIGITS || hex_parse(p, EUI_DIGITS, bytes, sizeof(bytes)))
		return INSTALL_CODE_E_SYNTAX;
	for (size_t i = 0; i < sizeof(bytes); i++)
		eui = eui << 8 | bytes[i];
	*ret = eui;
	return 0;
}

static int code_read(const char *p, size_t n, struct install_code *ret)
{
	if (n % 2 || n / 2 > INSTALL_CODE_LEN_MAX || hex_parse(p, n, ret->bytes, n / 2))
		return INSTALL_CODE_E_LENGTH;
	ret->len = (uint8_t)(n / 2);
	return install_code_check((struct view){ ret->bytes, ret->len });
}

/* Digits alone, as people type them. */
static int plain_read(const char *p, const char *end, struct install_code *ret)
{
	char bare[2 * INSTALL_CODE_LEN_MAX];
	size_t n = 0;
	int err = 0;

	for (; p < end && !err; p++) {
		if (*p == ' ' || *p == '-' || *p == ':')
			continue;
		if (!is_digit(*p))
			err = INSTALL_CODE_E_SYNTAX;
		else if (n == sizeof(bare))
			err = INSTALL_CODE_E_LENGTH;
		else
			bare[n++] = *p;
	}
	if (!err)
		err = code_read(bare, n, ret);
	crypto_wipe(bare, sizeof(bare));
	return err;
}

/* Where address and code stand; NULL where there is none. */
struct found {
	const char *eui, *code;
};

static struct found forms(const char *p, const char *end)
{
	const char *hue = end - p > 6 && !memcmp(p, "HUE:Z:", 6) ? p + 6 : NULL, *code = after(p, end, "$I:"), *bar;

	if (hue)
		return (struct found){ after(hue, end, "M:"), hue };
	if (code && after(p, code, "$A:"))
		return (struct found){ after(p, code, "$A:"), code };
	if (code)
		return (struct found){ after(p, code, "Z:"), code };
	bar = after(*p == '|' ? p + 1 : p, end, "|");
	return (struct found){ bar ? (*p == '|' ? p + 1 : p) : NULL, bar };
}

int install_code_read(const char *text, size_t len, struct install_code *ret)
{
	const char *end = text + len;
	struct install_code code = { 0 };
	struct found found;
	int err;

	if (!len || len > INSTALL_CODE_TEXT_MAX)
		return len ? INSTALL_CODE_E_LENGTH : INSTALL_CODE_E_SYNTAX;
	found = forms(text, end);
	if (!found.code)
		err = plain_read(text, end, &code);
	else if (!found.eui)
		err = INSTALL_CODE_E_SYNTAX;
	else
		err = eui_read(found.eui, end, &code.eui);
	if (!err && found.code)
		err = code_read(found.code, digits(found.code, end), &code);
	if (!err)
		*ret = code;
	crypto_wipe(&code, sizeof(code));
	return err;
}

static void context_free(EVP_CIPHER_CTX *context)
{
	EVP_CIPHER_CTX_free(context);
}
DEFINE_CLEANUP(context_free, EVP_CIPHER_CTX *)

/* One step: what was hashed so far is the key for the next block, and the block is added to what comes out. */
static int mmo_step(EVP_CIPHER_CTX *context, uint8_t hash[BLOCK], const uint8_t block[BLOCK])
{
	uint8_t out[BLOCK];
	int n;

	if (EVP_EncryptInit_ex(context, EVP_aes_128_ecb(), NULL, hash, NULL) != 1 || EVP_CIPHER_CTX_set_padding(context, 0) != 1 ||
	    EVP_EncryptUpdate(context, out, &n, block, BLOCK) != 1 || n != BLOCK)
		return -ENOMEM;
	for (size_t i = 0; i < BLOCK; i++)
		hash[i] = out[i] ^ block[i];
	crypto_wipe(out, sizeof(out));
	return 0;
}

int aes_mmo(const void *data, size_t len, uint8_t ret[16])
{
	cleanup(context_freep) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t hash[BLOCK] = { 0 }, last[2 * BLOCK] = { 0 };
	const uint8_t *p = data;
	size_t whole = len / BLOCK, rest = len % BLOCK, tail = rest + 3 <= BLOCK ? BLOCK : 2 * BLOCK;
	int err = !context ? -ENOMEM : len > MMO_MAX ? -EINVAL : 0;

	for (size_t i = 0; i < whole && !err; i++)
		err = mmo_step(context, hash, p + i * BLOCK);
	/* A bit, nothing, and how many bits it was. */
	if (rest)
		memcpy(last, p + whole * BLOCK, rest);
	last[rest] = 0x80;
	last[tail - 2] = (uint8_t)(len * 8 >> 8);
	last[tail - 1] = (uint8_t)(len * 8);
	for (size_t i = 0; i < tail && !err; i += BLOCK)
		err = mmo_step(context, hash, last + i);
	if (!err)
		memcpy(ret, hash, BLOCK);
	crypto_wipe(hash, sizeof(hash));
	crypto_wipe(last, sizeof(last));
	return err;
}

int install_code_key(struct view code, uint8_t ret[INSTALL_CODE_KEY_LEN])
{
	return aes_mmo(code.data, code.len, ret);
}
