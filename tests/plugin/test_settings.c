/* The simulated home's options: each understood, each misspelling refused. */
#include "check.h"

#include "sim/settings.h"

static uint32_t read_one(const char *key, const char *value, struct settings *ret)
{
	return settings_read(ret, &(struct gwa_opt){ key, value }, 1);
}

static void understood(void **state)
{
	const struct gwa_opt all[] = {
		{ "devices", "lamp=2,plug,lock=0" },
		{ "period_ms", "20" },
		{ "seed", "18446744073709551615" },
		{ "spare", "lock" },
		{ "claim_code", "7KQ2" },
		{ "slow_ms", "5" },
		{ "fault", "flood" },
	};
	struct settings s;

	(void)state;
	check_ok((int)settings_read(&s, NULL, 0));
	check_uint(s.counts[SCRIPT_LOCK], 1);
	check_true(!s.has_spare && s.fault == FAULT_NONE && s.period_ms == 5000);
	check_ok((int)settings_read(&s, all, 7));
	check_uint(s.counts[SCRIPT_LAMP], 2);
	check_uint(s.counts[SCRIPT_PLUG], 1);
	check_uint(s.counts[SCRIPT_LOCK], 0);
	check_uint(s.counts[SCRIPT_CLIMATE], 0);
	check_true(s.seed == UINT64_MAX);
	check_int(s.spare, SCRIPT_LOCK);
	check_text(s.claim_code, "7KQ2");
	check_int(s.fault, FAULT_FLOOD);
}

static void refused(void **state)
{
	static const struct gwa_opt bad[] = {
		{ "device", "lamp" },
		{ "devices", "lamps=1" },
		{ "devices", "lamp=" },
		{ "devices", "lamp=-1" },
		{ "devices", "lamp=x" },
		{ "period_ms", "0" },
		{ "period_ms", "1.5" },
		{ "seed", "-1" },
		{ "spare", "car" },
		{ "slow_ms", "1000000" },
		{ "fault", "sometimes" },
		{ "", "" },
		{ "spares", "0" },
		{ "spares", "17" },
		{ "spare_hw", "0" },
		{ "spare_hw", "zz" },
		{ "spare_hw", "000102030405060708090a0b0c0d0e0f10" },
		{ "join_ms", "3" },
		{ "passkey", "12a" },
		{ "passkey", "12345678901234567" },
		{ "join_code", "abc" },
		{ "backup_bytes", "-1" },
		{ "devices", "lamp=99999999999999999" },
	};
	struct settings s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check_uint(settings_read(&s, &bad[i], 1), 1);
	check_uint(settings_read(&s, (const struct gwa_opt[]){ { "seed", "1" }, { "x", "y" } }, 2),
		   2);
}

static void limits(void **state)
{
	char text[SETTINGS_WORDS_MAX + 2];
	struct settings s;

	(void)state;
	snprintf(text, sizeof(text), "lamp=%d", SETTINGS_DEVICES_MAX);
	check_ok((int)read_one("devices", text, &s));
	snprintf(text, sizeof(text), "lamp=%d,plug=1", SETTINGS_DEVICES_MAX);
	check_uint(read_one("devices", text, &s), 1);
	snprintf(text, sizeof(text), "%d", SETTINGS_SPARES_MAX);
	check_ok((int)read_one("spares", text, &s));
	check_ok((int)read_one("spare_hw", "00124b0001020304", &s));
	check_uint(s.spare_hw.len, 8);
	check_uint(s.spare_hw.bytes[7], 4);
	memset(text, 'x', sizeof(text));
	text[SETTINGS_WORDS_MAX + 1] = '\0';
	check_uint(read_one("join_fails", text, &s), 1);
	text[SETTINGS_WORDS_MAX] = '\0';
	check_ok((int)read_one("join_fails", text, &s));
	memset(text, 'x', SETTINGS_CODE_MAX);
	text[SETTINGS_CODE_MAX] = '\0';
	check_ok((int)read_one("claim_code", text, &s));
	text[SETTINGS_CODE_MAX] = 'x';
	text[SETTINGS_CODE_MAX + 1] = '\0';
	check_uint(read_one("claim_code", text, &s), 1);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(understood),
		cmocka_unit_test(refused),
		cmocka_unit_test(limits),
	};

	return CHECK_RUN(rows);
}
