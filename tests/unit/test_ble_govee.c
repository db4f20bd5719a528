/* Govee. Nothing is published by the maker: beacons and values that the open decoder govee-ble is tested with. */
#include "ble_bytes.h"

#include "ble/govee.h"

static int hear(uint16_t company, const char *name, const char *hex, struct govee *ret)
{
	struct ble_bytes b = ble_hex(hex);
	int err = govee_read(company, (struct view){ (const uint8_t *)name, strlen(name) }, ble_view(&b), ret);

	free(b.data);
	if (!err)
		ble_check_fit(&ret->readings);
	return err;
}

static void test_vectors(void **state)
{
	static const struct {
		uint16_t company;
		const char *name, *hex;
		double heat, humidity, battery;
	} rows[] = {
		{ 0xec88, "", "00034db26400", 21.6, 49.8, 100 },
		{ 0xec88, "", "00030fc93500", 20.0, 64.9, 53 },
		{ 0xec88, "", "00e609bc126402", 25.34, 47.96, 100 },
		{ 0x8801, "", "ec0001010a0aa40664", 25.7, 17.0, 100 },
		{ 0x0001, "GVH5100_1234", "010103465464", 21.4, 61.2, 100 },
		{ 0x0001, "GVH5104_1234", "010103fc2662", 26.1, 15.8, 98 },
		{ 0x0001, "GVH5105_1234", "010103325e64", 20.9, 50.2, 100 },
		{ 0x0001, "GV5179_1234", "010103b31464", 24.2, 45.2, 100 },
		{ 0x0001, "GVH5108_1234", "010103c730640000", 24.7, 60.0, 100 },
		/* Below zero: the first with its sign set. */
		{ 0xec88, "", "00834db26400", -21.6, 49.8, 100 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct govee g;

		check_ok(hear(rows[i].company, rows[i].name, rows[i].hex, &g));
		check_true(!g.fault);
		ble_check_real(&g.readings, CAP_TEMPERATURE, 1, rows[i].heat);
		ble_check_real(&g.readings, CAP_HUMIDITY, 1, rows[i].humidity);
		ble_check_real(&g.readings, CAP_BATTERY, 1, rows[i].battery);
	}
}

static void test_faults(void **state)
{
	static const struct {
		uint16_t company;
		const char *name, *hex;
		double battery;
	} rows[] = {
		{ 0xec88, "", "00bc00043e27", 62 },
		{ 0xec88, "", "004a00283b00", 59 },
		{ 0x0001, "GVH5108_1234", "010103c730e40000", 100 },
	};
	struct govee g;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_ok(hear(rows[i].company, rows[i].name, rows[i].hex, &g));
		check_true(g.fault);
		check_uint(g.readings.n, 1);
		ble_check_real(&g.readings, CAP_BATTERY, 1, rows[i].battery);
	}
	check_int(hear(0x0001, "", "010103465464", &g), GOVEE_E_UNKNOWN);
	check_int(hear(0x0001, "GVH5106_1234", "01010ed13298", &g), GOVEE_E_UNKNOWN);
	check_int(hear(0x004c, "GVH5100_1234", "010103465464", &g), GOVEE_E_UNKNOWN);
	check_int(hear(0xec88, "", "", &g), GOVEE_E_UNKNOWN);
}

static bool try_all(struct view data)
{
	static const uint16_t companies[] = { 0xec88, 0x8801, 0x0001 };
	size_t taken = 0;
	struct govee g;

	for (size_t i = 0; i < N_ELEMENTS(companies); i++) {
		if (govee_read(companies[i], (struct view){ (const uint8_t *)"GVH5100", 7 }, data, &g))
			continue;
		ble_check_fit(&g.readings);
		taken++;
	}
	return taken != 0;
}

static void test_spoiled(void **state)
{
	(void)state;
	check_uint(ble_spoil("ec0001010a0aa40664", try_all), 2); /* 6 and 7 bytes are other models' */
	check_uint(ble_spoil("00034db26400", try_all), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_spoiled),
	};

	return CHECK_RUN(tests);
}
