/* SwitchBot: the maker's own example of a meter, and what the open library's tests have of the others. */
#include "ble_bytes.h"

#include "ble/switchbot.h"

static int hear(const char *hex, struct switchbot *ret)
{
	struct ble_bytes b = ble_hex(hex);
	int err = switchbot_read(ble_view(&b), ret);

	free(b.data);
	if (!err)
		ble_check_fit(&ret->readings);
	return err;
}

static void test_kinds(void **state)
{
	struct switchbot s;

	(void)state;
	check_ok(hear("5400e4069835", &s));
	check_text(s.model, "Meter");
	ble_check_real(&s.readings, CAP_TEMPERATURE, 1, 24.6);
	ble_check_real(&s.readings, CAP_HUMIDITY, 1, 53);
	ble_check_real(&s.readings, CAP_BATTERY, 1, 100);
	check_ok(hear("7400e4061835", &s)); /* below zero, and its button held */
	ble_check_real(&s.readings, CAP_TEMPERATURE, 1, -24.6);
	check_true(s.pairing);
	check_ok(hear("6440640500750" "0f812", &s));
	check_text(s.model, "Contact Sensor");
	ble_check_bool(&s.readings, CAP_CONTACT, 1, false);
	ble_check_bool(&s.readings, CAP_OCCUPANCY, 1, true);
	ble_check_bool(&s.readings, BLE_CAP_LIGHT, 1, true);
	ble_check_int(&s.readings, BLE_CAP_COUNT, 1, 2);
	check_ok(hear("64006400007500f812", &s));
	ble_check_bool(&s.readings, CAP_CONTACT, 1, true);
	check_ok(hear("7340de00" "0002", &s));
	check_text(s.model, "Motion Sensor");
	ble_check_bool(&s.readings, CAP_OCCUPANCY, 1, true);
	ble_check_real(&s.readings, CAP_BATTERY, 1, 94);
	check_ok(hear("4810e1", &s));
	check_text(s.model, "Bot");
	ble_check_real(&s.readings, CAP_BATTERY, 1, 97);
	check_uint(s.readings.n, 1);
	check_ok(hear("4890e1", &s));
	ble_check_bool(&s.readings, CAP_ON_OFF, 1, true);
	check_ok(hear("63c058001104", &s));
	ble_check_int(&s.readings, CAP_COVER_POSITION, 1, 100);
	ble_check_real(&s.readings, CAP_BATTERY, 1, 88);
	check_ok(hear("63d0ce641104", &s));
	ble_check_int(&s.readings, CAP_COVER_POSITION, 1, 0);
}

static void test_refused(void **state)
{
	struct switchbot s;

	(void)state;
	check_int(hear("", &s), SWITCHBOT_E_MALFORMED);
	check_int(hear("54", &s), SWITCHBOT_E_MALFORMED);
	check_int(hear("5400e40698", &s), SWITCHBOT_E_MALFORMED);
	check_int(hear("d400e4069835", &s), SWITCHBOT_E_SEALED);
	check_int(hear("0100e4069835", &s), SWITCHBOT_E_UNKNOWN);
}

static bool try(struct view data)
{
	struct switchbot s;
	int err = switchbot_read(data, &s);

	if (!err)
		ble_check_fit(&s.readings);
	return !err;
}

static void test_spoiled(void **state)
{
	(void)state;
	check_uint(ble_spoil("5400e4069835", try), 0);
	check_uint(ble_spoil("64406405007500f812", try), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_refused), cmocka_unit_test(test_spoiled) };

	return CHECK_RUN(tests);
}
