/* BTHome v2: the vectors are those of bthome.io, "BTHome v2 format" and "Encryption", unless a line says otherwise. */
#include "ble_bytes.h"

#include "ble/bthome.h"

static const uint8_t mac[6] = { 0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5 };
static const char key_hex[] = "231d39c1d7cc1ab1aee224cd096db932";
static const char sealed_hex[] = "41a47266c95f730011223378237214"; /* temperature 25.06, humidity 50.55 */

struct heard {
	struct ble_bytes bytes;
	struct bthome b;
};

static int hear(struct heard *h, const char *hex, const char *key, struct bthome_memory *memory)
{
	struct bthome_memory none = { 0 };
	struct ble_bytes key_bytes = ble_hex(key ? key : "");
	int err;

	h->bytes = ble_hex(hex);
	err = bthome_read(ble_view(&h->bytes), mac, key ? key_bytes.data : NULL, memory ? memory : &none, &h->b);
	free(key_bytes.data);
	if (!err)
		ble_check_fit(&h->b.readings);
	else
		free(h->bytes.data);
	return err;
}

/* One object, one number. The examples of the format page, one a line. */
static void test_numbers(void **state)
{
	static const struct {
		const char *hex;
		uint16_t cap;
		double want;
	} rows[] = {
		{ "0161", CAP_BATTERY, 97 },
		{ "02ca09", CAP_TEMPERATURE, 25.06 },
		{ "03bf13", CAP_HUMIDITY, 50.55 },
		{ "04138a01", CAP_PRESSURE, 1008.83 },
		{ "05138a14", CAP_ILLUMINANCE, 13460.67 },
		{ "065e1f", BLE_CAP_MASS, 80.3 },
		{ "073e1d", BLE_CAP_MASS, 74.86 * 0.45359237 },
		{ "08ca06", BLE_CAP_DEW_POINT, 17.38 },
		{ "0a138a14", CAP_ENERGY, 1346.067 },
		{ "0b021b00", CAP_POWER, 69.14 },
		{ "0c020c", CAP_VOLTAGE, 3.074 },
		{ "0d120c", CAP_PM25, 3090 },
		{ "0e021c", BLE_CAP_PM10, 7170 },
		{ "12e204", CAP_CO2, 1250 },
		{ "133301", CAP_VOC, 307 },
		{ "14020c", CAP_SOIL_MOISTURE, 30.74 },
		{ "2e23", CAP_HUMIDITY, 35 },
		{ "2f23", CAP_SOIL_MOISTURE, 35 },
		{ "3f020c", BLE_CAP_ROTATION, 307.4 },
		{ "400c00", BLE_CAP_DISTANCE, 0.012 },
		{ "414e00", BLE_CAP_DISTANCE, 7.8 },
		{ "424e3400", BLE_CAP_DURATION, 13.390 },
		{ "434e34", CAP_CURRENT, 13.39 },
		{ "444e34", BLE_CAP_SPEED, 133.90 },
		{ "451101", CAP_TEMPERATURE, 27.3 },
		{ "4632", BLE_CAP_UV_INDEX, 5.0 },
		{ "478756", BLE_CAP_VOLUME, 2215.1 },
		{ "48dc87", BLE_CAP_VOLUME, 34.780 },
		{ "49dc87", CAP_FLOW, 34780 / 60.0 },
		{ "4a020c", CAP_VOLTAGE, 307.4 },
		{ "4b138a14", BLE_CAP_GAS_VOLUME, 1346.067 },
		{ "4c41018a01", BLE_CAP_GAS_VOLUME, 25821.505 },
		{ "4d12138a14", CAP_ENERGY, 344593.170 },
		{ "4e87562a01", BLE_CAP_VOLUME, 19551.879 },
		{ "4f87562a01", BLE_CAP_WATER, 19551.879 },
		{ "518756", BLE_CAP_ACCELERATION, 22.151 },
		{ "528756", BLE_CAP_GYROSCOPE, 22.151 },
		{ "5587562a01", BLE_CAP_VOLUME_STORAGE, 19551.879 },
		{ "56e803", BLE_CAP_CONDUCTIVITY, 1000 },
		{ "57ea", CAP_TEMPERATURE, -22 },
		{ "58ea", CAP_TEMPERATURE, -7.7 },
		{ "5c02fbffff", CAP_POWER, -12.78 },
		{ "5d02ea", CAP_CURRENT, -5.63 },
		{ "5e9f8c", BLE_CAP_DIRECTION, 359.99 },
		{ "5f0204", BLE_CAP_PRECIPITATION, 102.6 },
		{ "61ac0d", BLE_CAP_REVOLUTIONS, 3500 },
		{ "62c0bdf0ff", BLE_CAP_SPEED, -1.0 },
		{ "63c0bdf0ff", BLE_CAP_ACCELERATION, -1.0 },
	};
	char hex[32];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct heard h;

		(void)snprintf(hex, sizeof(hex), "40%s", rows[i].hex);
		check_ok(hear(&h, hex, NULL, NULL));
		check_uint(h.b.readings.n, 1);
		ble_check_real(&h.b.readings, rows[i].cap, 1, rows[i].want);
		free(h.bytes.data);
	}
}

static void test_whole(void **state)
{
	static const struct {
		const char *hex;
		uint16_t cap;
		int64_t want;
	} rows[] = {
		{ "0960", BLE_CAP_COUNT, 96 },
		{ "3d0960", BLE_CAP_COUNT, 24585 },
		{ "3e2a2c0960", BLE_CAP_COUNT, 1611213866 },
		{ "59ea", BLE_CAP_COUNT, -22 },
		{ "5aeaea", BLE_CAP_COUNT, -5398 },
		{ "5beaeaeaea", BLE_CAP_COUNT, -353703190 },
		{ "505d396164", BLE_CAP_TIMESTAMP, 1684093277 },
		{ "6001", BLE_CAP_CHANNEL, 1 },
		{ "6402", BLE_CAP_LIGHT_LEVEL, 2 },
		{ "f00100", BLE_CAP_DEVICE_TYPE, 1 },
		{ "f100010204", BLE_CAP_FIRMWARE, 0x04020100 },
		{ "f2000106", BLE_CAP_FIRMWARE, 0x060100 },
		{ "3c0103", BLE_CAP_DIMMER, -3 },
		{ "3c020a", BLE_CAP_DIMMER, 10 },
	};
	char hex[32];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct heard h;

		(void)snprintf(hex, sizeof(hex), "40%s", rows[i].hex);
		check_ok(hear(&h, hex, NULL, NULL));
		ble_check_int(&h.b.readings, rows[i].cap, 1, rows[i].want);
		free(h.bytes.data);
	}
}

/* Every binary object, both ways. ON is what 01 means in our words. */
static void test_binary(void **state)
{
	static const struct {
		uint8_t id;
		uint16_t cap;
		bool on;
	} rows[] = {
		{ 0x0f, BLE_CAP_GENERIC, true },   { 0x10, CAP_ON_OFF, true },	      { 0x11, CAP_CONTACT, false },
		{ 0x15, CAP_BATTERY_LOW, true },   { 0x16, BLE_CAP_CHARGING, true },  { 0x17, CAP_CARBON_MONOXIDE, true },
		{ 0x18, BLE_CAP_COLD, true },	   { 0x19, BLE_CAP_CONNECTED, true }, { 0x1a, CAP_CONTACT, false },
		{ 0x1b, CAP_CONTACT, false },	   { 0x1c, CAP_GAS, true },	      { 0x1d, BLE_CAP_HOT, true },
		{ 0x1e, BLE_CAP_LIGHT, true },	   { 0x20, CAP_WATER_LEAK, true },    { 0x21, CAP_OCCUPANCY, true },
		{ 0x22, BLE_CAP_MOVING, true },	   { 0x23, CAP_OCCUPANCY, true },     { 0x24, BLE_CAP_PLUGGED, true },
		{ 0x25, CAP_OCCUPANCY, true },	   { 0x26, BLE_CAP_PROBLEM, true },   { 0x27, BLE_CAP_RUNNING, true },
		{ 0x28, BLE_CAP_SAFE, true },	   { 0x29, CAP_SMOKE, true },	      { 0x2a, BLE_CAP_SOUND, true },
		{ 0x2b, CAP_TAMPER, true },	   { 0x2c, CAP_VIBRATION, true },     { 0x2d, CAP_CONTACT, false },
	};
	char hex[16];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct heard h;

		for (int v = 0; v < 2; v++) {
			(void)snprintf(hex, sizeof(hex), "40%02x%02x", rows[i].id, v);
			check_ok(hear(&h, hex, NULL, NULL));
			ble_check_bool(&h.b.readings, rows[i].cap, 1, v ? rows[i].on : !rows[i].on);
			free(h.bytes.data);
		}
	}
}

static void test_words(void **state)
{
	static const struct {
		const char *hex, *word;
	} rows[] = { { "403a01", "single" }, { "403a02", "double" },	  { "403a03", "triple" },    { "403a04", "long" },
		     { "403a05", "long-double" }, { "403a06", "long-triple" }, { "403a80", "hold" } };
	struct heard h;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_ok(hear(&h, rows[i].hex, NULL, NULL));
		ble_check_text(&h.b.readings, CAP_BUTTON, 1, rows[i].word);
		free(h.bytes.data);
	}
	/* The first button at rest, the second pressed. */
	check_ok(hear(&h, "443a003a01", NULL, NULL));
	check_true(h.b.on_trigger);
	check_int(readings_find(&h.b.readings, CAP_BUTTON, 1)->value.type, VALUE_NONE);
	ble_check_text(&h.b.readings, CAP_BUTTON, 2, "single");
	free(h.bytes.data);

	check_ok(hear(&h, "401f00", NULL, NULL));
	ble_check_text(&h.b.readings, CAP_LOCK_STATE, 1, "locked");
	free(h.bytes.data);
	check_ok(hear(&h, "401f01", NULL, NULL));
	ble_check_text(&h.b.readings, CAP_LOCK_STATE, 1, "unlocked");
	free(h.bytes.data);
	check_ok(hear(&h, "40530c48656c6c6f20576f726c6421", NULL, NULL));
	ble_check_text(&h.b.readings, BLE_CAP_TEXT, 1, "Hello World!");
	free(h.bytes.data);
	check_ok(hear(&h, "40540348656c", NULL, NULL));
	check_int(readings_find(&h.b.readings, BLE_CAP_RAW, 1)->value.type, VALUE_BYTES);
	check_uint(readings_find(&h.b.readings, BLE_CAP_RAW, 1)->value.len, 3);
	free(h.bytes.data);
	check_ok(hear(&h, "405300", NULL, NULL));
	ble_check_text(&h.b.readings, BLE_CAP_TEXT, 1, "");
	free(h.bytes.data);
	check_int(hear(&h, "405302ffff", NULL, NULL), BTHOME_E_MALFORMED);
}

static void test_several(void **state)
{
	struct heard h;

	(void)state;
	check_ok(hear(&h, "4002ca0902cf0903bf13", NULL, NULL)); /* "Multiple devices of the same type" */
	ble_check_real(&h.b.readings, CAP_TEMPERATURE, 1, 25.06);
	ble_check_real(&h.b.readings, CAP_TEMPERATURE, 2, 25.11);
	ble_check_real(&h.b.readings, CAP_HUMIDITY, 1, 50.55);
	free(h.bytes.data);
	/* An id that nobody knows: what came before it holds. */
	check_ok(hear(&h, "4002ca09e0010203bf13", NULL, NULL));
	check_true(h.b.cut);
	check_uint(h.b.readings.n, 1);
	free(h.bytes.data);
	/* With its own MAC, lowest byte first, and with another's. */
	check_ok(hear(&h, "42a5808fe6485402ca09", NULL, NULL));
	ble_check_real(&h.b.readings, CAP_TEMPERATURE, 1, 25.06);
	free(h.bytes.data);
	check_int(hear(&h, "42a6808fe6485402ca09", NULL, NULL), BTHOME_E_MALFORMED);
	check_int(hear(&h, "42a580", NULL, NULL), BTHOME_E_MALFORMED);
}

static void test_packet_id(void **state)
{
	struct bthome_memory memory = { 0 };
	struct heard h;

	(void)state;
	check_ok(hear(&h, "40000902ca09", NULL, &memory));
	check_true(h.b.has_packet_id && h.b.packet_id == 9);
	free(h.bytes.data);
	check_int(hear(&h, "40000902ca09", NULL, &memory), BTHOME_E_REPEATED);
	check_ok(hear(&h, "40000a02ca09", NULL, &memory));
	free(h.bytes.data);
	/* A bad beacon leaves no trace. */
	check_int(hear(&h, "40000b02ca", NULL, &memory), BTHOME_E_MALFORMED);
	check_uint(memory.packet_id, 10);
}

static void test_sealed(void **state)
{
	struct bthome_memory memory = { 0 };
	struct heard h;

	(void)state;
	check_ok(hear(&h, sealed_hex, key_hex, &memory));
	check_true(h.b.sealed);
	check_uint(h.b.counter, 0x33221100);
	ble_check_real(&h.b.readings, CAP_TEMPERATURE, 1, 25.06);
	ble_check_real(&h.b.readings, CAP_HUMIDITY, 1, 50.55);
	free(h.bytes.data);
	check_uint(memory.counter, 0x33221100);

	check_int(hear(&h, sealed_hex, key_hex, &memory), BTHOME_E_REPEATED);
	memory.counter++;
	check_int(hear(&h, sealed_hex, key_hex, &memory), BTHOME_E_REPLAYED);
	check_int(hear(&h, sealed_hex, NULL, NULL), BTHOME_E_KEY);
	check_int(hear(&h, "4002ca09", key_hex, NULL), BTHOME_E_PLAIN);
	check_int(hear(&h, sealed_hex, "231d39c1d7cc1ab1aee224cd096db933", NULL), BTHOME_E_FORGED);
	check_int(hear(&h, "410011223378237214", key_hex, NULL), BTHOME_E_MALFORMED);
	check_int(hear(&h, "4101", key_hex, NULL), BTHOME_E_MALFORMED);

	/* Counters as other implementations count them (0x00112233 and the next), and the MAC inside. */
	memory = (struct bthome_memory){ 0 };
	check_ok(hear(&h, "41e445f3c9962b332211006c7c4519", key_hex, &memory));
	ble_check_real(&h.b.readings, CAP_TEMPERATURE, 1, 25.06);
	free(h.bytes.data);
	check_ok(hear(&h, "413e932cc7175f34221100553876af", key_hex, &memory));
	free(h.bytes.data);
	check_uint(memory.counter, 0x00112234);
	check_int(hear(&h, "41723d3035fb88322211009e7414c0", key_hex, &memory), BTHOME_E_REPLAYED);
	check_ok(hear(&h, "43a5808fe64854f196c06ffb4900112233f08ecbde", key_hex, NULL));
	ble_check_real(&h.b.readings, CAP_TEMPERATURE, 1, 25.06);
	free(h.bytes.data);
}

/* No bit of a sealed beacon can be another. */
static void test_forged(void **state)
{
	struct ble_bytes b = ble_hex(sealed_hex), key = ble_hex(key_hex);
	struct bthome_memory memory = { 0 };
	struct bthome ret;

	(void)state;
	for (size_t i = 0; i < b.len * 8; i++) {
		b.data[i / 8] ^= (uint8_t)(1u << i % 8);
		check_true(bthome_read(ble_view(&b), mac, key.data, &memory, &ret) > 0);
		check_true(!memory.has_counter);
		b.data[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	check_ok(bthome_read(ble_view(&b), mac, key.data, &memory, &ret));
	free(b.data);
	free(key.data);
}

static void test_limits(void **state)
{
	uint8_t bytes[BTHOME_BYTES_MAX + 1] = { 0x40, 0x54, BTHOME_BYTES_MAX - 3 };
	struct bthome_memory memory = { 0 };
	struct bthome ret;

	(void)state;
	check_ok(bthome_read((struct view){ bytes, BTHOME_BYTES_MAX }, mac, NULL, &memory, &ret));
	check_int(bthome_read((struct view){ bytes, sizeof(bytes) }, mac, NULL, &memory, &ret), BTHOME_E_SIZE);
	for (size_t i = 0; i <= READINGS_MAX; i++) {
		bytes[1 + 2 * i] = 0x09;
		bytes[2 + 2 * i] = 1;
	}
	check_ok(bthome_read((struct view){ bytes, 1 + 2 * READINGS_MAX }, mac, NULL, &memory, &ret));
	check_uint(ret.readings.n, READINGS_MAX);
	check_int(bthome_read((struct view){ bytes, 3 + 2 * READINGS_MAX }, mac, NULL, &memory, &ret), BTHOME_E_SIZE);
	check_int(bthome_read((struct view){ bytes, 0 }, mac, NULL, &memory, &ret), BTHOME_E_MALFORMED);
	bytes[0] = 0x20;
	check_int(bthome_read((struct view){ bytes, 3 }, mac, NULL, &memory, &ret), BTHOME_E_VERSION);
	check_true((int)CCM_PLAIN_MAX >= (int)BTHOME_BYTES_MAX);
}

static bool try_plain(struct view data)
{
	struct bthome_memory memory = { 0 };
	struct bthome ret;

	if (bthome_read(data, mac, NULL, &memory, &ret))
		return false;
	ble_check_fit(&ret.readings);
	return true;
}

static bool try_sealed(struct view data)
{
	struct ble_bytes key = ble_hex(key_hex);
	struct bthome_memory memory = { 0 };
	struct bthome ret;
	int err = bthome_read(data, mac, key.data, &memory, &ret);

	free(key.data);
	return !err;
}

static void test_spoiled(void **state)
{
	(void)state;
	/* Whole after the information, and after each of six objects but the last. */
	check_uint(ble_spoil("40000702ca0904138a013a01530548656c6c6f5c02fbffff", try_plain), 6);
	check_uint(ble_spoil(sealed_hex, try_sealed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	  cmocka_unit_test(test_whole),	 cmocka_unit_test(test_binary),
		cmocka_unit_test(test_words),	  cmocka_unit_test(test_several), cmocka_unit_test(test_packet_id),
		cmocka_unit_test(test_sealed),	  cmocka_unit_test(test_forged), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_spoiled),
	};

	return CHECK_RUN(tests);
}
