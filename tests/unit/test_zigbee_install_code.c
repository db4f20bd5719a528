/* Install codes: the standard's examples, what labels and QR codes look like, every wrong digit. */
#include "check.h"

#include "base/text.h"
#include "zigbee/install_code.h"

/* Base Device Behavior 10.1.1: a code of each length, with its checksum; of the longest the key, too. */
#define LONG_CODE "83FED3407A939723A5C639B26916D505C3B5"

static int read_code(const char *text, struct install_code *ret)
{
	return install_code_read(text, strlen(text), ret);
}

static void test_key(void **state)
{
	static const uint8_t want[] = { 0x66, 0xB6, 0x90, 0x09, 0x81, 0xE1, 0xEE, 0x3C, 0xA4, 0x20, 0x6B, 0x6B, 0x86, 0x1C, 0x02, 0xBB };
	struct install_code c;
	uint8_t key[INSTALL_CODE_KEY_LEN];

	(void)state;
	check_ok(read_code(LONG_CODE, &c));
	check_uint(c.len, INSTALL_CODE_LEN_MAX);
	check_uint(c.eui, 0);
	check_ok(install_code_key((struct view){ c.bytes, c.len }, key));
	check_bytes(key, sizeof(key), want, sizeof(want));
}

/* Zigbee C.6, vectors 1 and 2; and, as zigbee-herdsman computes them, around the places where one more block begins: c0 c1 c2 ... */
static void test_mmo(void **state)
{
	static const struct {
		size_t n;
		const char *hash;
	} rows[] = {
		{ 1, "ae3a102a28d43ee0d4a09e22788b206c" },  { 16, "a7977e88bc0b61e8210827109a228f2d" }, { 13, "c739f7adf9a38702bf7fb93a941bc003" },
		{ 14, "e1a60c630b87492e437de49a5c8aa6fd" }, { 15, "0ed9e35668fe9e546f25271e36c6a5bc" }, { 29, "8ae925701e18ae2c639e44e17988bab6" },
		{ 30, "64765e0bcd3f6af4e3f893e7a532bae1" }, { 32, "b9b3d77630241317b81c0d82707cc307" }, { 33, "9074f7de554253237aba8e2604045e12" },
	};
	static const uint8_t huge[4096];
	uint8_t data[33], want[16], got[16];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(0xc0 + i);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_ok(hex_parse(rows[i].hash, 32, want, 16));
		check_ok(aes_mmo(data, rows[i].n, got));
		check_bytes(got, 16, want, 16);
	}
	check_int(aes_mmo(huge, sizeof(huge), got), -EINVAL);
}

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		uint64_t eui;
	} rows[] = {
		{ LONG_CODE, 0 },
		{ "83fe d340 7a93 9723 a5c6 39b2 6916 d505 c3b5", 0 },
		{ "83FE-D340-7A93-9723-A5C6-39B2-6916-D505-C3B5", 0 },
		{ "83:FE:D3:40:7A:93:97:23:A5:C6:39:B2:69:16:D5:05:C3:B5", 0 },
		{ "Z:000D6F0000A1B2C3$I:" LONG_CODE, 0x000d6f0000a1b2c3 },
		{ "V01Z:000d6f0000a1b2c3$I:" LONG_CODE "%G$M:9", 0x000d6f0000a1b2c3 },
		{ "G$M:69775$S:680S00003915$D:0000000017B2335C%Z$A:54EF44100006E7DF$I:" LONG_CODE, 0x54ef44100006e7df },
		{ "HUE:Z:" LONG_CODE " M:001788010BCCB13D D:L3B A:1184", 0x001788010bccb13d },
		{ "000D6F0000A1B2C3|" LONG_CODE, 0x000d6f0000a1b2c3 },
		{ "|000D6F0000A1B2C3|" LONG_CODE "|", 0x000d6f0000a1b2c3 },
	};
	struct install_code want, got;

	(void)state;
	check_ok(read_code(LONG_CODE, &want));
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_ok(read_code(rows[i].text, &got));
		check_uint(got.eui, rows[i].eui);
		check_bytes(got.bytes, got.len, want.bytes, want.len);
	}
}

static void test_lengths(void **state)
{
	/* Of 6, 8, 12 and 16 bytes, with CRC-16/X-25. */
	static const char *const good[] = { "83FED3407A932B70", "83FED3407A939738C552", "83FED3407A939723A5C639B2AD8B", LONG_CODE };
	static const size_t lens[] = { 8, 10, 14, 18 };
	struct install_code c;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		size_t n = strlen(good[i]);

		check_ok(read_code(good[i], &c));
		check_uint(c.len, lens[i]);
		check_ok(install_code_check((struct view){ c.bytes, c.len }));
		check_int(install_code_read(good[i], n - 1, &c), INSTALL_CODE_E_LENGTH);
		check_int(install_code_read(good[i], n - 2, &c), INSTALL_CODE_E_LENGTH);
	}
	check_int(read_code("", &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code(LONG_CODE "0", &c), INSTALL_CODE_E_LENGTH);
	check_int(install_code_check((struct view){ c.bytes, 16 }), INSTALL_CODE_E_LENGTH);
}

static void test_wrong(void **state)
{
	char text[] = LONG_CODE, many[INSTALL_CODE_TEXT_MAX + 2];
	struct install_code c = { .eui = 7 };

	(void)state;
	/* Each digit, each other digit. */
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char was = text[i];

		for (const char *d = "0123456789ABCDEF"; *d; d++) {
			text[i] = *d;
			check_int(read_code(text, &c), *d == was ? 0 : INSTALL_CODE_E_CHECKSUM);
		}
		text[i] = was;
	}
	check_int(read_code("83FED3407A93972-A5C639B26916D505C3Bx", &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code("Z:000D6F0000A1B2$I:" LONG_CODE, &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code("Z:000D6F0000A1B2C3$I:", &c), INSTALL_CODE_E_LENGTH);
	check_int(read_code("$I:" LONG_CODE, &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code("HUE:Z:" LONG_CODE, &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code("|" LONG_CODE, &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code("|", &c), INSTALL_CODE_E_SYNTAX);
	check_int(read_code("Z:000D6F0000A1B2C3$I:" LONG_CODE "00", &c), INSTALL_CODE_E_LENGTH);
	check_uint(c.eui, 0);
	memset(many, ' ', sizeof(many));
	memcpy(many, LONG_CODE, sizeof(text) - 1);
	check_ok(install_code_read(many, INSTALL_CODE_TEXT_MAX, &c));
	check_int(install_code_read(many, INSTALL_CODE_TEXT_MAX + 1, &c), INSTALL_CODE_E_LENGTH);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_key),	cmocka_unit_test(test_mmo),   cmocka_unit_test(test_forms),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_wrong),
	};

	return CHECK_RUN(rows);
}
