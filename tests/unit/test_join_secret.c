/* What people type in is what the adapter gets: hex in groups, QR texts, other texts. */
#include "check.h"

#include <string.h>
#include "base/text.h"
#include "router/join_secret.h"

static struct join_secret secret;

static const char *code_of(const char *text)
{
	static char hex[2 * WIRE_CODE_MAX + 1];
	check_ok(join_secret_parse(text, &secret));
	hex_print(secret.code, secret.len, hex);
	return hex;
}

static void hex_becomes_bytes(void **state)
{
	(void)state;
	check_text(code_of("83FED3407A939723A5C639B26916D505C3B5"), "83fed3407a939723a5c639b26916d505c3b5");
	check_text(code_of("83FE-D340-7A93-9723-A5C6-39B2-6916-D505-C3B5"), "83fed3407a939723a5c639b26916d505c3b5");
	check_text(code_of("83fe d340 0011 2233"), "83fed34000112233");
	check_text(code_of("00:11:22:33:44:55:66:77"), "0011223344556677");
	check_uint(secret.addr.len, 0);
}

static void other_text_goes_as_it_is(void **state)
{
	char longest[WIRE_CODE_MAX + 2];
	(void)state;
	check_text(code_of("123"), "313233"); /* no whole bytes */
	check_text(code_of("047293"), "303437323933"); /* a passkey */
	check_text(code_of("83fed34000112"), "38336665643334303030313132");
	check_text(code_of("hello"), "68656c6c6f");
	check_text(code_of("83fe--d340"), "383366652d2d64333430");
	check_text(code_of("83fed3400011"), "383366656433343030303131");
	memset(longest, 'x', sizeof(longest));
	longest[WIRE_CODE_MAX + 1] = '\0';
	check_int(join_secret_parse(longest, &secret), JOIN_SECRET_E_SYNTAX);
	longest[WIRE_CODE_MAX] = '\0';
	check_ok(join_secret_parse(longest, &secret));
	check_uint(secret.len, WIRE_CODE_MAX);
}

static void a_square_has_fields(void **state)
{
	char hex[2 * ADDRESS_MAX + 1];
	(void)state;
	check_text(code_of("Z:000D6FFFFED66CE4$I:83FED3407A939723A5C639B26916D505C3B5"), "83fed3407a939723a5c639b26916d505c3b5");
	address_print(&secret.addr, hex);
	check_text(hex, "000d6ffffed66ce4");
	check_text(code_of("G$M:69775$S:680$D:00A000%Z:000D6FFFFED66CE4$I:83FED3407A939723A5C639B26916D505C3B5$Z:00"),
		   "83fed3407a939723a5c639b26916d505c3b5");
	check_uint(secret.addr.len, 8);
	check_text(code_of("G$M:1$S:2$D:3$A:000D6FFFFED66CE4$I:83FED3407A939723A5C639B26916D505C3B5"), "83fed3407a939723a5c639b26916d505c3b5");
	check_uint(secret.addr.len, 8);
	check_text(code_of("HUE:Z:83FED3407A939723A5C639B26916D505C3B5 M:001788010BCCB13D D:L3B A:1184"), "83fed3407a939723a5c639b26916d505c3b5");
	address_print(&secret.addr, hex);
	check_text(hex, "001788010bccb13d");
	check_text(code_of("|000D6FFFFED66CE4|83FED3407A939723A5C639B26916D505C3B5|"), "83fed3407a939723a5c639b26916d505c3b5");
	address_print(&secret.addr, hex);
	check_text(hex, "000d6ffffed66ce4");
	check_text(code_of("000D6FFFFED66CE4|83FED3407A939723A5C639B26916D505C3B5"), "83fed3407a939723a5c639b26916d505c3b5");
	check_uint(secret.addr.len, 8);
	check_text(code_of("I:83FE"), "83fe");
	check_uint(secret.addr.len, 0);
	check_text(code_of("Z:000D$I:83FE"), "83fe"); /* no whole address */
	check_uint(secret.addr.len, 0);
}

static void what_is_none(void **state)
{
	char text[JOIN_SECRET_TEXT_MAX + 2], hex[2 * WIRE_CODE_MAX + 3];
	(void)state;
	check_int(join_secret_parse("", &secret), JOIN_SECRET_E_SYNTAX);
	check_int(join_secret_parse("\xff", &secret), JOIN_SECRET_E_SYNTAX);
	memset(text, ' ', sizeof(text));
	memcpy(text, "I:83FE", 6);
	text[JOIN_SECRET_TEXT_MAX + 1] = '\0';
	check_int(join_secret_parse(text, &secret), JOIN_SECRET_E_SYNTAX);
	text[JOIN_SECRET_TEXT_MAX] = '\0';
	check_ok(join_secret_parse(text, &secret));
	memset(hex, 'a', sizeof(hex));
	hex[2 * WIRE_CODE_MAX + 2] = '\0';
	check_int(join_secret_parse(hex, &secret), JOIN_SECRET_E_SYNTAX);
	hex[2 * WIRE_CODE_MAX] = '\0';
	check_ok(join_secret_parse(hex, &secret));
	check_uint(secret.len, WIRE_CODE_MAX);
	check_int(join_secret_parse("Z:000D6FFFFED66CE4$I:xyz$and so on, longer", &secret), JOIN_SECRET_E_SYNTAX);
}

static void addresses(void **state)
{
	struct address addr;
	char hex[2 * ADDRESS_MAX + 1];
	(void)state;
	check_ok(join_address_parse("0x00124b0001020304", &addr));
	address_print(&addr, hex);
	check_text(hex, "00124b0001020304");
	check_ok(join_address_parse("AA:BB:CC:DD:EE:FF", &addr));
	check_uint(addr.len, 6);
	check_int(join_address_parse("", &addr), JOIN_SECRET_E_SYNTAX);
	check_int(join_address_parse("abc", &addr), JOIN_SECRET_E_SYNTAX);
	check_int(join_address_parse("lamp", &addr), JOIN_SECRET_E_SYNTAX);
	check_int(join_address_parse("000102030405060708090a0b0c0d0e0f10", &addr), JOIN_SECRET_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(hex_becomes_bytes), cmocka_unit_test(other_text_goes_as_it_is), cmocka_unit_test(a_square_has_fields),
		cmocka_unit_test(what_is_none),      cmocka_unit_test(addresses),
	};
	return CHECK_RUN(rows);
}
