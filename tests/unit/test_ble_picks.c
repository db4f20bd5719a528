/* Which adapters a setting names. */
#include "check.h"

#include "ble/bluez.h"

static void test_read(void **state)
{
	static const uint8_t dongle[] = { 0x00, 0x1a, 0x7d, 0xda, 0x71, 0x13 }, other[] = { 0x00, 0x1a, 0x7d, 0xda, 0x71, 0x14 };
	struct bluez_picks picks = { 0 };

	(void)state;
	check_true(bluez_picks_have(&picks, 3, other));
	check_ok(bluez_picks_read("hci3", &picks));
	check_true(bluez_picks_have(&picks, 3, other));
	check_true(!bluez_picks_have(&picks, 0, other));
	check_ok(bluez_picks_read("hci0,00:1A:7d:DA:71:13", &picks));
	check_uint(picks.n, 2);
	check_true(bluez_picks_have(&picks, 0, other));
	check_true(bluez_picks_have(&picks, 7, dongle));
	check_true(!bluez_picks_have(&picks, 7, other));
	check_ok(bluez_picks_read("hci1,hci2,hci3,hci255", &picks));
	check_true(bluez_picks_have(&picks, 255, other));
}

static void test_refused(void **state)
{
	static const char *const rows[] = { "",	     "hci",    "hci256", "hci-1", "hc10", "hci0,",
					    ",hci0", "hci 0",  "hci0, hci1", "00:1A:7D:DA:71:1", "00:1A:7D:DA:71:1g",
					    "00-1A-7D-DA-71-13", "hci00000000000000", "hci0,hci1,hci2,hci3,hci4" };
	struct bluez_picks picks = { .n = 1 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		check_int(bluez_picks_read(rows[i], &picks), BLUEZ_E_SYNTAX);
	check_uint(picks.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
	};

	return CHECK_RUN(tests);
}
