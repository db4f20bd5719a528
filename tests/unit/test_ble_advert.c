/* AD structures (Core 5.4, Vol 3 Part C, 11; Supplement, Part A), and readings' own limits. */
#include "ble_bytes.h"

#include "ble/advert.h"

static int read_hex(const char *hex, struct advert *ret, struct ble_bytes *ret_bytes)
{
	*ret_bytes = ble_hex(hex);
	return advert_read(ret_bytes->data, ret_bytes->len, ret);
}

static void check_error(const char *hex, int want)
{
	struct ble_bytes b;
	struct advert a;

	check_int(read_hex(hex, &a, &b), want);
	free(b.data);
}

static void test_parts(void **state)
{
	static const uint8_t uuid[16] = { 0xcb, 0xa2, 0x0d, 0x00, 0x22, 0x4d, 0x11, 0xe6,
					  0x9f, 0xb8, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b };
	struct ble_bytes b;
	struct advert a;

	(void)state;
	check_ok(read_hex("020106"
			  "0509" "4c616d70"
			  "0c16d2fc4002c40903bf130101"
			  "0eff9904050102030405060708090a"
			  "1321" "1bc5d5a50200b89fe6114d22000da2cb" "4801",
			  &a, &b));
	check_true(a.has_flags && a.flags == 6 && a.name_is_whole);
	check_bytes(a.name.data, a.name.len, "Lamp", 4);
	check_uint(a.nservices16, 1);
	check_uint(a.services16[0].uuid, 0xfcd2);
	check_uint(a.services16[0].data.len, 9);
	check_uint(a.nmakers, 1);
	check_uint(a.makers[0].company, 0x0499);
	check_uint(a.makers[0].data.len, 11);
	check_uint(a.nservices128, 1);
	check_bytes(a.services128[0].uuid, 16, uuid, 16);
	check_uint(a.services128[0].data.len, 2);
	free(b.data);

	/* The complete name wins, wherever it stands; a type that is not ours is passed over. */
	check_ok(read_hex("0509" "4c616d70" "0308" "4c61" "020a08", &a, &b));
	check_true(a.name_is_whole && a.name.len == 4);
	free(b.data);
	check_ok(read_hex("0308" "4c61" "0509" "4c616d70" "0000", &a, &b));
	check_true(a.name_is_whole && a.name.len == 4);
	free(b.data);
	check_ok(read_hex("", &a, &b));
	check_true(!a.has_flags && !a.name.len);
	free(b.data);
}

static void test_refused(void **state)
{
	(void)state;
	check_error("02", ADVERT_E_MALFORMED);
	check_error("0301", ADVERT_E_MALFORMED);
	check_error("030106", ADVERT_E_MALFORMED);
	check_error("0101", ADVERT_E_MALFORMED);	     /* flags without any */
	check_error("020106020106", ADVERT_E_MALFORMED);     /* flags twice */
	check_error("0000000001", ADVERT_E_MALFORMED);	     /* padding that is not zero */
	check_error("0309fffe", ADVERT_E_MALFORMED);	     /* no UTF-8 */
	check_error("030961620309" "6162", ADVERT_E_MALFORMED);
	check_error("0216d2", ADVERT_E_MALFORMED);
	check_error("02ff4c", ADVERT_E_MALFORMED);
	check_error("1021000102030405060708090a0b0c0d0e", ADVERT_E_MALFORMED);
}

static void test_limits(void **state)
{
	static const struct {
		uint8_t type, len;
	} kinds[] = { { 0x16, 3 }, { 0x21, 17 }, { 0xff, 3 } };
	uint8_t bytes[ADVERT_BYTES_MAX + 1] = { 0 };
	struct advert a;

	(void)state;
	check_ok(advert_read(bytes, ADVERT_BYTES_MAX, &a));
	check_int(advert_read(bytes, ADVERT_BYTES_MAX + 1, &a), ADVERT_E_SIZE);
	for (size_t k = 0; k < N_ELEMENTS(kinds); k++) {
		size_t step = kinds[k].len + 1u;

		memset(bytes, 0, sizeof(bytes));
		for (size_t i = 0; i <= ADVERT_PARTS_MAX; i++) {
			bytes[i * step] = kinds[k].len;
			bytes[i * step + 1] = kinds[k].type;
		}
		check_ok(advert_read(bytes, ADVERT_PARTS_MAX * step, &a));
		check_uint(a.nservices16 + a.nservices128 + a.nmakers, ADVERT_PARTS_MAX);
		check_int(advert_read(bytes, (ADVERT_PARTS_MAX + 1) * step, &a), ADVERT_E_SIZE);
	}
}

static bool try_advert(struct view data)
{
	struct advert a;

	return !advert_read(data.data, data.len, &a);
}

static void test_spoiled(void **state)
{
	(void)state;
	/* Taken when cut: nothing at all, and after each whole structure. */
	check_uint(ble_spoil("02010605094c616d700c16d2fc4002c40903bf1301010eff9904050102030405060708090a", try_advert), 4);
}

static void test_readings(void **state)
{
	static const struct field heat = { 2, FIELD_SIGNED, CAP_TEMPERATURE, 100, 0 };
	static const struct field deep = { 4, FIELD_WHOLE_SIGNED, BLE_CAP_COUNT, 1, 0 };
	static const struct field wide = { 4, FIELD_WHOLE, BLE_CAP_COUNT, 1, 0 };
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };
	struct readings r = { 0 };

	(void)state;
	check_ok(readings_field(&r, &heat, ones));
	ble_check_real(&r, CAP_TEMPERATURE, 1, -0.01);
	check_ok(readings_field(&r, &deep, ones));
	ble_check_int(&r, BLE_CAP_COUNT, 1, -1);
	check_ok(readings_field(&r, &wide, ones));
	ble_check_int(&r, BLE_CAP_COUNT, 2, 4294967295);
	assert_null(readings_find(&r, BLE_CAP_COUNT, 3));

	/* What no room has is no reading. */
	check_ok(readings_add(&r, CAP_HUMIDITY, value_real(655.35)));
	check_uint(r.refused, 1);
	assert_null(readings_find(&r, CAP_HUMIDITY, 1));

	while (r.n < READINGS_MAX)
		check_ok(readings_add(&r, CAP_HUMIDITY, value_real(50)));
	check_int(readings_add(&r, CAP_HUMIDITY, value_real(50)), READING_E_FULL);
	ble_check_fit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_spoiled),
		cmocka_unit_test(test_readings),
	};

	return CHECK_RUN(tests);
}
