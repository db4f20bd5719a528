/* Appendix A's identity: its fields where the standard puts them, one text for one identity,
 * nothing else read. */
#include "check.h"

#include "model/device_id.h"

static const char vector[] = "0100a1b2c0ffee89abcdef42";

static void fields_stand_where_appendix_a_puts_them(void **state)
{
	struct device_id id;
	struct device_id_fields f;
	char text[DEVICE_ID_TEXT_MAX];

	(void)state;
	check_ok(device_id_parse(vector, strlen(vector), &id));
	f = device_id_split(id);
	check_uint(f.version, 1);
	check_uint(f.maker, 0x00a1b2);
	check_uint(f.product, 0xc0ffee);
	check_uint(f.random, 0x89abcdef);
	check_uint(f.extension, 0x42);
	check_true(device_id_equal(device_id_join(f), id));
	device_id_print(id, text);
	check_text(text, vector);
}

static void upper_case_is_read_and_lower_case_written(void **state)
{
	static const char upper[] = "0100A1B2C0FFEE89ABCDEF42";
	struct device_id id;
	char text[DEVICE_ID_TEXT_MAX];

	(void)state;
	check_ok(device_id_parse(upper, strlen(upper), &id));
	device_id_print(id, text);
	check_text(text, vector);
}

static void anything_else_is_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
	} bad[] = {
		{ "", DEVICE_ID_E_SYNTAX },
		{ "0100a1b2c0ffee89abcdef4", DEVICE_ID_E_SYNTAX },
		{ "0100a1b2c0ffee89abcdef421", DEVICE_ID_E_SYNTAX },
		{ "0100a1b2c0ffee89abcdefg2", DEVICE_ID_E_SYNTAX },
		{ "0x00a1b2c0ffee89abcdef42", DEVICE_ID_E_SYNTAX },
		{ " 100a1b2c0ffee89abcdef42", DEVICE_ID_E_SYNTAX },
		{ "0200a1b2c0ffee89abcdef42", DEVICE_ID_E_VERSION },
		{ "000000000000000000000000", DEVICE_ID_E_VERSION },
		{ "ff00a1b2c0ffee89abcdef42", DEVICE_ID_E_VERSION },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct device_id id = { { 9 } };

		check_int(device_id_parse(bad[i].text, strlen(bad[i].text), &id), bad[i].want);
		check_uint(id.b[0], 9);
	}
}

static void none_is_all_zeros(void **state)
{
	struct device_id id = { { 0 } };

	(void)state;
	check_true(device_id_is_none(id));
	for (size_t i = 0; i < DEVICE_ID_LEN; i++) {
		id = (struct device_id){ { 0 } };
		id.b[i] = 1;
		check_true(!device_id_is_none(id));
	}
}

static void fields_are_cut_to_their_width(void **state)
{
	struct device_id_fields f = { 1, 0xff123456, 0xffabcdef, 0xffffffff, 0xff };
	struct device_id_fields got = device_id_split(device_id_join(f));

	(void)state;
	check_uint(got.version, 1);
	check_uint(got.maker, 0x123456);
	check_uint(got.product, 0xabcdef);
	check_uint(got.random, 0xffffffff);
}

static void the_hash_takes_every_byte_and_the_seed(void **state)
{
	struct device_id id = { { 1, 2, 3 } };
	uint64_t h = device_id_hash(id, 7);

	(void)state;
	check_true(device_id_hash(id, 7) == h);
	check_true(device_id_hash(id, 8) != h);
	for (size_t i = 0; i < DEVICE_ID_LEN; i++) {
		struct device_id other = id;

		other.b[i] ^= 0x80;
		check_true(device_id_hash(other, 7) != h);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(fields_stand_where_appendix_a_puts_them),
		cmocka_unit_test(upper_case_is_read_and_lower_case_written),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(none_is_all_zeros),
		cmocka_unit_test(fields_are_cut_to_their_width),
		cmocka_unit_test(the_hash_takes_every_byte_and_the_seed),
	};

	return CHECK_RUN(rows);
}
