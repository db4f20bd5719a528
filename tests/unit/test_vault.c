/* The vault's verbs: the first opening, what may become of a key, what is counted, and moving from source to source. */
#include "vault_home.h"

static void first_opening_makes_everything(void **state)
{
	struct vault_home home;
	struct vault_key_info list[KEYSTORE_KEYS_MAX];
	const uint8_t *before[KEY_PURPOSES];
	uint8_t bytes[KEY_PURPOSES][KEYSTORE_SECRET_LEN];

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		home_init(&home, suites[s]);
		home_open(&home);
		check_uint(vault_list(home.vault, NOW_S, list, KEYSTORE_KEYS_MAX), KEY_PURPOSES - 1);
		for (enum key_purpose p = KEY_DB; p < KEY_PURPOSES; p++) {
			uint32_t id = vault_active(home.vault, p);

			check_true(id > 0);
			check_ok(vault_key(home.vault, id, &before[p]));
			memcpy(bytes[p], before[p], KEYSTORE_SECRET_LEN);
		}
		home_reopen(&home);
		check_true(!vault_fell_back(home.vault));
		for (enum key_purpose p = KEY_DB; p < KEY_PURPOSES; p++) {
			const uint8_t *now;

			check_ok(vault_key(home.vault, vault_active(home.vault, p), &now));
			check_bytes(now, KEYSTORE_SECRET_LEN, bytes[p], KEYSTORE_SECRET_LEN);
		}
		home_deinit(&home);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(first_opening_makes_everything),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
