/* MiBeacon. No vectors are in the maker's documents: these are beacons of real devices, with the values that the open
 * decoder xiaomi-ble (the one in Home Assistant) is tested with. */
#include "ble_bytes.h"

#include "ble/mibeacon.h"

static int hear(const char *hex, const char *mac_hex, const char *key_hex, struct mibeacon *ret)
{
	struct ble_bytes b = ble_hex(hex), mac = ble_hex(mac_hex), key = ble_hex(key_hex ? key_hex : "");
	int err = mibeacon_read(ble_view(&b), mac.data, key_hex ? key.data : NULL, ret);

	free(b.data);
	free(mac.data);
	free(key.data);
	if (!err)
		ble_check_fit(&ret->readings);
	return err;
}

static void test_numbers(void **state)
{
	static const struct {
		const char *hex, *mac, *key;
		uint16_t cap;
		double want, slack;
	} rows[] = {
		{ "5020aa01a3bf2e3b342d580d1004b40095020a10013b", "582d343b2ebf", NULL, CAP_TEMPERATURE, 18.0, 0 },
		{ "5020aa01a3bf2e3b342d580d1004b40095020a10013b", "582d343b2ebf", NULL, CAP_HUMIDITY, 66.1, 0 },
		{ "5020aa01a3bf2e3b342d580d1004b40095020a10013b", "582d343b2ebf", NULL, CAP_BATTERY, 59, 0 },
		{ "7120980012f34f6b8d7cc40d041002c400", "c47c8d6b4ff3", NULL, CAP_TEMPERATURE, 19.6, 0 },
		{ "71209800667a3e6a8d7cc40d071003000000", "c47c8d6a3e7a", NULL, CAP_ILLUMINANCE, 0, 0 },
		{ "71209800687a3e6a8d7cc40d0910025702", "c47c8d6a3e7a", NULL, BLE_CAP_CONDUCTIVITY, 599, 0 },
		{ "71209800477a3e6a8d7cc40d08100140", "c47c8d6a3e7a", NULL, CAP_SOIL_MOISTURE, 64, 0 },
		{ "50305b05034c94b438c1a40d10041001ea01", "a4c138b4944c", NULL, CAP_TEMPERATURE, 27.2, 0 },
		{ "5040df0201df02008d7cc41010027d00", "c47c8d0002df", NULL, BLE_CAP_FORMALDEHYDE, 1250, 0 },
		{ "5040830a0183000a38c1a40f0003640000", "a4c1380a0083", NULL, CAP_ILLUMINANCE, 100, 0 },
		{ "5059db780df4f80238c1a40d1004eb00e701", "a4c13802f8f4", NULL, CAP_HUMIDITY, 48.7, 0 },
		{ "5858480b685f12342d585a0b1841e2aa000e00a4964fb5", "5a582d34125f", "814aac74c4f17b6c1581e1ab87816b99",
		  CAP_HUMIDITY, 59.6, 0 },
		{ "58586f0607892012342d585f176dd54f0200002fa453fa", "582d34122089", "a3bfe9853dd85a620debe3620caaa351",
		  CAP_TEMPERATURE, 22.6, 0 },
		{ "4858594fef546f0e7450729321010038d74333", "582d3487940c", "872ea1bb02ba9713e885cb054c537368",
		  CAP_TEMPERATURE, 23.8, 0 },
		{ "58585b0550f4830238c1a495ef58763c26000097e2abb5", "a4c1380283f4", "e9ea895fac7cca6d30532432a516f3a8",
		  CAP_HUMIDITY, 46, 0.99 }, /* the integrations cut this model's tenths off */
		{ "5858e4162c84535638c1a42b6ef2e91200006c884d9e", "a4c138565384", "a115210eed7a88e50ad52662e732a9fb",
		  CAP_HUMIDITY, 58, 0 },
		{ "4858422529202d8c7a76b756a82a0078b8224e", "a4c1380efd78", "19b1c678ab0a8bc3dc77765f059188d4",
		  CAP_TEMPERATURE, 26.1, 0.01 },
		{ "585842258878fd0e38c1a405f6538aa72a0062b1a966", "a4c1380efd78", "19b1c678ab0a8bc3dc77765f059188d4",
		  CAP_HUMIDITY, 38, 0 },
		{ "48590312a41b776e7c96add7000000f2bf545b", "2c1165257004", "b2cf9a553d53571b5657defd582d676e",
		  CAP_HUMIDITY, 45, 0 },
		{ "4859b5553a8699bda053448f1200005b046d6a", "a4c138801507", "4d8f1373fb4d3bab557d0ebd1c78f8c4",
		  CAP_TEMPERATURE, 25.2, 0.05 },
		{ "5859eb2a9ee98e0538c1a4d07ad3e338000033635d10", "a4c138058ee9", "7475a4a77584401780ffc3ee62dd353c",
		  CAP_BATTERY, 100, 0 },
		{ "4859eb2ac2fce02ca0b43af2380000a2d9f05f", "a4c138058ee9", "7475a4a77584401780ffc3ee62dd353c",
		  CAP_ILLUMINANCE, 228, 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct reading *r;
		struct mibeacon m;

		check_ok(hear(rows[i].hex, rows[i].mac, rows[i].key, &m));
		check_true(m.sealed == (rows[i].key != NULL));
		check_uint(m.unknown, 0);
		r = readings_find(&m.readings, rows[i].cap, 1);
		assert_non_null(r);
		check_near(r->value.f, rows[i].want, rows[i].slack + 1e-5);
	}
}

static void test_states(void **state)
{
	static const struct {
		const char *hex, *mac, *key;
		uint16_t cap;
		bool want;
	} rows[] = {
		{ "5859970966bc9ce344ef5401081205000000715ebe90", "54ef44e39cbc", "5b51a7c91cde6707c9ef18dfda143a58", CAP_SMOKE, true },
		{ "5040d60301d6030a38c1a419100100", "a4c1380a03d6", NULL, CAP_CONTACT, false },
		{ "5040f6070101f60738c1a40f0003640000", "a4c13807f601", NULL, CAP_OCCUPANCY, true },
		{ "5040f6070101f60738c1a40f0003640000", "a4c13807f601", NULL, BLE_CAP_LIGHT, true },
		{ "4030dd032403000101", "de70e8b2390c", NULL, CAP_OCCUPANCY, true },
		{ "5859eb2ac1e98e0538c1a40759530f8d380000b77a70f8", "a4c138058ee9", "7475a4a77584401780ffc3ee62dd353c",
		  CAP_OCCUPANCY, false },
		{ "585989189a67e56638c1a49dd97af3260000c8a60bd5", "a4c13866e567", "0fdcc30fe9289254876b5ef7c11ef1f0",
		  CAP_CONTACT, false },
		{ "585989187567e56638c1a469ddf3a1260000a24a1b45", "a4c13866e567", "0fdcc30fe9289254876b5ef7c11ef1f0",
		  CAP_CONTACT, true },
		{ "58590f3f4a674cb938c1a4d6e57b83040000d01e0b4b", "a4c138b94c67", "33ede53321bc73c790a8daae4581f3d5",
		  CAP_WATER_LEAK, false },
		{ "58598d0a8c778e203cc2185a273628ec32060000c4264015", "18c23c208e77", "4960bb9f8711b4ffd7df1756d11427ae",
		  BLE_CAP_LIGHT, true },
		{ "48598d0a927953750fed0f990600005cad2c29", "18c23c208e77", "4960bb9f8711b4ffd7df1756d11427ae",
		  CAP_OCCUPANCY, false },
		{ "585983461fbdb1c46748d49d1efd8c040000e57e873a", "d44867c4b1bd", "920ce119b34410d38251ccea54c0f915",
		  CAP_OCCUPANCY, false },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct mibeacon m;

		check_ok(hear(rows[i].hex, rows[i].mac, rows[i].key, &m));
		ble_check_bool(&m.readings, rows[i].cap, 1, rows[i].want);
	}
}

static void test_presses(void **state)
{
	static const char key[] = "59ba8eef0f5351bb09d6896762d5afa5", mac[] = "08b95f206e11";
	static const struct {
		const char *hex, *word;
	} rows[] = { { "5859685952116e205fb9083026548d020000ce31cfc3", "single" },
		     { "5859685951116e205fb908d91bd58502000007cca849", "double" },
		     { "5859685953116e205fb908f3785181020000eac183f4", "long" } };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct mibeacon m;

		check_ok(hear(rows[i].hex, mac, key, &m));
		check_uint(m.unknown, 0);
		check_text(m.readings.rows[m.readings.n - 1].value.data, rows[i].word);
	}
}

static void test_refused(void **state)
{
	static const char sealed[] = "58585b0550f4830238c1a495ef58763c26000097e2abb5", mac[] = "a4c1380283f4",
			  key[] = "e9ea895fac7cca6d30532432a516f3a8";
	struct mibeacon m;

	(void)state;
	check_ok(hear(sealed, mac, key, &m));
	check_uint(m.version, 5);
	check_uint(m.product, 0x055b);
	check_uint(m.counter, 0x2650);
	check_int(hear(sealed, mac, NULL, &m), MIBEACON_E_KEY);
	check_int(hear(sealed, "a4c1380283f5", key, &m), MIBEACON_E_MALFORMED);
	check_int(hear(sealed, mac, "e9ea895fac7cca6d30532432a516f3a9", &m), MIBEACON_E_FORGED);
	check_int(hear("50305b05034c94b438c1a40d10041001ea01", "a4c138b4944c", key, &m), MIBEACON_E_PLAIN);
	/* Without objects it says nothing, sealed or not, and needs no key. */
	check_ok(hear("30585b0502483cd438c1a408", "a4c138d43c48", NULL, &m));
	check_ok(hear("30585b0502483cd438c1a408", "a4c138d43c48", key, &m));
	check_uint(m.nobjects + m.readings.n, 0);
	/* Version 3 sealed, version 1, mesh. */
	check_int(hear("5830b603d28b98c54124f8c3491476757e00000099", "f82441c5988b", key, &m), MIBEACON_E_VERSION);
	check_int(hear("4010dd032403000101", mac, NULL, &m), MIBEACON_E_VERSION);
	check_int(hear("c030dd032403000101", mac, NULL, &m), MIBEACON_E_VERSION);
	/* An object that nobody knows, and a known one of another length. */
	check_int(hear("4030dd0324ff7f0201020410013704100200010d", mac, NULL, &m), MIBEACON_E_MALFORMED);
	check_ok(hear("4030dd0324ff7f02010204100137041002d200", mac, NULL, &m));
	check_uint(m.nobjects, 3);
	check_uint(m.unknown, 2);
	ble_check_real(&m.readings, CAP_TEMPERATURE, 1, 21);
	/* No number at all. */
	check_ok(hear("4050dd0324014c040000c07f", mac, NULL, &m));
	check_uint(m.readings.refused, 1);
}

static void test_limits(void **state)
{
	static const uint8_t mac[6] = { 0 };
	uint8_t bytes[MIBEACON_BYTES_MAX + 1] = { 0x40, 0x50, 0xdd, 0x03, 0x01, 0xff, 0x7f, MIBEACON_BYTES_MAX - 8 };
	struct mibeacon m;

	(void)state;
	check_ok(mibeacon_read((struct view){ bytes, MIBEACON_BYTES_MAX }, mac, NULL, &m));
	check_int(mibeacon_read((struct view){ bytes, sizeof(bytes) }, mac, NULL, &m), MIBEACON_E_SIZE);
	/* 40 times two readings. */
	for (size_t i = 0; i < 40; i++)
		memcpy(bytes + 5 + 5 * i, "\x05\x10\x02\x01\x14", 5);
	check_ok(mibeacon_read((struct view){ bytes, 5 + 5 * READINGS_MAX / 2 }, mac, NULL, &m));
	check_uint(m.readings.n, READINGS_MAX);
	check_int(mibeacon_read((struct view){ bytes, 5 + 5 * 40 }, mac, NULL, &m), MIBEACON_E_SIZE);
}

/* A knob that is pressed and turned, sealed by version 3; and a remote control's first and third button. */
static void test_old_seals(void **state)
{
	static const char press[] = "5830b603d28b98c54124f8c3491476757e00000099", turn[] = "5830b603368b98c54124f88bb8f2661351000000d6";
	struct ble_bytes mac = ble_hex("f82441c5988b"), key = ble_hex("b853075158487ca39a5b5ea9"), bytes = ble_hex(press);
	struct mibeacon m;

	(void)state;
	check_ok(mibeacon_read_old(ble_view(&bytes), mac.data, key.data, &m));
	ble_check_text(&m.readings, CAP_BUTTON, 1, "single");
	check_uint(m.counter, 210);
	check_true(m.sealed);
	check_int(mibeacon_read(ble_view(&bytes), mac.data, NULL, &m), MIBEACON_E_KEY);
	for (size_t i = 12; i < bytes.len - 4; i++) { /* no tag, and still not everything is taken: what makes no sense is not */
		bytes.data[i] ^= 0x80;
		check_true(mibeacon_read_old(ble_view(&bytes), mac.data, key.data, &m) == MIBEACON_E_FORGED || m.nobjects == 1);
		bytes.data[i] ^= 0x80;
	}
	key.data[3] ^= 1;
	check_int(mibeacon_read_old(ble_view(&bytes), mac.data, key.data, &m), MIBEACON_E_FORGED);
	key.data[3] ^= 1;
	for (size_t n = 0; n < bytes.len; n++) {
		struct ble_bytes cut = ble_copy(bytes.data, n);

		check_true(mibeacon_read_old(ble_view(&cut), mac.data, key.data, &m) != 0);
		free(cut.data);
	}
	free(bytes.data);
	bytes = ble_hex(turn);
	check_ok(mibeacon_read_old(ble_view(&bytes), mac.data, key.data, &m));
	ble_check_int(&m.readings, BLE_CAP_DIMMER, 1, -1);
	free(bytes.data);
	bytes = ble_hex("58585b0550f4830238c1a495ef58763c26000097e2abb5");
	check_true(mibeacon_read_old(ble_view(&bytes), mac.data, key.data, &m) != 0);
	free(bytes.data);
	free(mac.data);
	free(key.data);
	check_ok(hear("503053013f7450e94124f8011003000000", "f82441e95074", NULL, &m));
	ble_check_text(&m.readings, CAP_BUTTON, 1, "single");
	check_ok(hear("503053013f7450e94124f8011003020002", "f82441e95074", NULL, &m));
	ble_check_text(&m.readings, CAP_BUTTON, 3, "long");
	check_uint(m.unknown, 0);
	check_ok(hear("503053013f7450e94124f8011003060002", "f82441e95074", NULL, &m));
	check_uint(m.unknown, 1);
}

static bool try_plain(struct view data)
{
	struct ble_bytes mac = ble_hex("582d343b2ebf");
	struct mibeacon m;
	int err = mibeacon_read(data, mac.data, NULL, &m);

	free(mac.data);
	if (!err)
		ble_check_fit(&m.readings);
	return !err;
}

/* Only what has no objects at all passes: nothing altered is a reading. */
static bool try_sealed(struct view data)
{
	struct ble_bytes mac = ble_hex("a4c1380283f4"), key = ble_hex("e9ea895fac7cca6d30532432a516f3a8");
	struct mibeacon m;
	int err = mibeacon_read(data, mac.data, key.data, &m);

	free(mac.data);
	free(key.data);
	return !err;
}

static void test_spoiled(void **state)
{
	(void)state;
	check_uint(ble_spoil("5020aa01a3bf2e3b342d580d1004b40095020a10013b", try_plain), 2); /* head alone, one object */
	check_uint(ble_spoil("58585b0550f4830238c1a495ef58763c26000097e2abb5", try_sealed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_states), cmocka_unit_test(test_presses),
		cmocka_unit_test(test_old_seals), cmocka_unit_test(test_refused), cmocka_unit_test(test_limits), cmocka_unit_test(test_spoiled),
	};

	return CHECK_RUN(tests);
}
