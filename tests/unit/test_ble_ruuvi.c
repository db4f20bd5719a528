/* RuuviTag: the test vectors of docs.ruuvi.com, "Data format 3 (RAWv1)" and "Data format 5 (RAWv2)"; and iBeacon. */
#include "ble_bytes.h"

#include "ble/ibeacon.h"
#include "ble/ruuvi.h"

#define G 9.80665

static int hear(const char *hex, struct ruuvi *ret)
{
	struct ble_bytes b = ble_hex(hex);
	int err = ruuvi_read(ble_view(&b), ret);

	free(b.data);
	if (!err)
		ble_check_fit(&ret->readings);
	return err;
}

static void check_air(const struct ruuvi *r, double temperature, double pressure, double voltage)
{
	ble_check_real(&r->readings, CAP_TEMPERATURE, 1, temperature);
	ble_check_real(&r->readings, CAP_PRESSURE, 1, pressure);
	ble_check_real(&r->readings, CAP_VOLTAGE, 1, voltage);
}

static void check_g(const struct ruuvi *r, double x, double y, double z)
{
	ble_check_real(&r->readings, BLE_CAP_ACCELERATION, 1, x * G);
	ble_check_real(&r->readings, BLE_CAP_ACCELERATION, 2, y * G);
	ble_check_real(&r->readings, BLE_CAP_ACCELERATION, 3, z * G);
}

static void test_format_3(void **state)
{
	struct ruuvi r;

	(void)state;
	check_ok(hear("03291a1ece1efc18f94202ca0b53", &r));
	check_air(&r, 26.3, 1027.66, 2.899);
	check_g(&r, -1.0, -1.726, 0.714);
	ble_check_real(&r.readings, CAP_HUMIDITY, 1, 20.5);

	/* 127.5 % is a fault of the sensor. */
	check_ok(hear("03ff7f63ffff7fff7fff7fffffff", &r));
	check_air(&r, 127.99, 1155.35, 65.535);
	check_g(&r, 32.767, 32.767, 32.767);
	assert_null(readings_find(&r.readings, CAP_HUMIDITY, 1));
	check_uint(r.readings.refused, 1);

	check_ok(hear("0300ff6300008001800180010000", &r));
	check_air(&r, -127.99, 500, 0);
	check_g(&r, -32.767, -32.767, -32.767);
	ble_check_real(&r.readings, CAP_HUMIDITY, 1, 0);
	check_int(hear("0329016400008001800180010000", &r), RUUVI_E_MALFORMED);
}

static void test_format_5(void **state)
{
	static const uint8_t mac[6] = { 0xcb, 0xb8, 0x33, 0x4c, 0x88, 0x4f };
	struct ruuvi r;

	(void)state;
	check_ok(hear("0512fc5394c37c0004fffc040cac364200cdcbb8334c884f", &r));
	check_air(&r, 24.3, 1000.44, 2.977);
	check_g(&r, 0.004, -0.004, 1.036);
	ble_check_real(&r.readings, CAP_HUMIDITY, 1, 53.49);
	ble_check_int(&r.readings, BLE_CAP_TX_POWER, 1, 4);
	ble_check_int(&r.readings, BLE_CAP_MOVEMENTS, 1, 66);
	ble_check_int(&r.readings, BLE_CAP_SEQUENCE, 1, 205);
	check_true(r.has_mac);
	check_bytes(r.mac, 6, mac, 6);

	check_ok(hear("057ffffffefffe7fff7fff7fffffdefefffecbb8334c884f", &r));
	check_air(&r, 163.835, 1155.34, 3.646);
	check_g(&r, 32.767, 32.767, 32.767);
	check_uint(r.readings.refused, 1); /* 163.835 % */
	ble_check_int(&r.readings, BLE_CAP_TX_POWER, 1, 20);
	ble_check_int(&r.readings, BLE_CAP_MOVEMENTS, 1, 254);
	ble_check_int(&r.readings, BLE_CAP_SEQUENCE, 1, 65534);

	check_ok(hear("058001000000008001800180010000000000cbb8334c884f", &r));
	check_air(&r, -163.835, 500, 1.6);
	check_g(&r, -32.767, -32.767, -32.767);
	ble_check_int(&r.readings, BLE_CAP_TX_POWER, 1, -40);

	check_ok(hear("058000ffffffff800080008000ffffffffffffffffffffff", &r));
	check_uint(r.readings.n, 3); /* three accelerations that are not there */
	check_int(readings_find(&r.readings, BLE_CAP_ACCELERATION, 3)->value.type, VALUE_NONE);
	check_true(!r.has_mac);
}

static bool try_ruuvi(struct view data)
{
	struct ruuvi r;

	if (ruuvi_read(data, &r))
		return false;
	ble_check_fit(&r.readings);
	return true;
}

static bool try_ibeacon(struct view data)
{
	struct ibeacon b;

	return !ibeacon_read(data, &b);
}

static void test_spoiled(void **state)
{
	struct ruuvi r;

	(void)state;
	check_uint(ble_spoil("03291a1ece1efc18f94202ca0b53", try_ruuvi), 0);
	check_uint(ble_spoil("0512fc5394c37c0004fffc040cac364200cdcbb8334c884f", try_ruuvi), 0);
	check_uint(ble_spoil("0215cba20d00224d11e69fb80002a5d5c51b00010203c5", try_ibeacon), 0);
	check_int(hear("", &r), RUUVI_E_MALFORMED);
	check_int(hear("04616263", &r), RUUVI_E_FORMAT);
	check_int(hear("03291a1ece1efc18f94202ca0b5300", &r), RUUVI_E_MALFORMED);
}

/* Proximity Beacon Specification R1, 2.2: prefix 02 15, UUID, major, minor, measured power. */
static void test_ibeacon(void **state)
{
	static const uint8_t uuid[16] = { 0xcb, 0xa2, 0x0d, 0x00, 0x22, 0x4d, 0x11, 0xe6,
					  0x9f, 0xb8, 0x00, 0x02, 0xa5, 0xd5, 0xc5, 0x1b };
	struct ble_bytes b = ble_hex("0215cba20d00224d11e69fb80002a5d5c51b00010203c5");
	struct ibeacon i;

	(void)state;
	check_ok(ibeacon_read(ble_view(&b), &i));
	check_bytes(i.uuid, 16, uuid, 16);
	check_uint(i.major, 1);
	check_uint(i.minor, 0x0203);
	check_int(i.power, -59);
	b.data[0] = 0x10;
	check_int(ibeacon_read(ble_view(&b), &i), IBEACON_E_MALFORMED);
	b.data[0] = 0x02;
	b.data[1] = 0x16;
	check_int(ibeacon_read(ble_view(&b), &i), IBEACON_E_MALFORMED);
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format_3),
		cmocka_unit_test(test_format_5),
		cmocka_unit_test(test_ibeacon),
		cmocka_unit_test(test_spoiled),
	};

	return CHECK_RUN(tests);
}
