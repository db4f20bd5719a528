#include <dirent.h>

#include "custody_house.h"
#include "vault/receipt.h"

/* How many files there are in a folder and below, but for receipts. */
static int files_in(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && !strstr(entry->d_name, ".receipt");
	closedir(dir);
	return n;
}

static bool has_kept_receipt(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	bool has = false;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		has = has || strncmp(entry->d_name, "erased-", 7) == 0;
	closedir(dir);
	return has;
}

static int order(struct house *house)
{
	struct audit_record record = house_record();
	int n = house->n_done;

	erase_do(house->erase, &record, house_on_erased, house);
	if (house->n_done == n)
		house_wait(house, n + 1);
	return house->r_done;
}

static char *whole(const char *path, size_t *ret_len)
{
	char *data = NULL;

	check_ok(host_read_file(path, 1 << 24, &data, ret_len));
	return data;
}

static void everything_is_gone_but_a_receipt(void **state)
{
	(void)state;
	for (int suite = SEAL_XCHACHA; suite <= SEAL_SM4; suite++) {
		struct house house;
		struct tmpdir dir;
		struct receipt_signers signers;
		struct vault_key_info infos[KEYSTORE_KEYS_MAX];
		struct sign_public ours = { 0 };
		char path[300], *old_keystore, *old_key;
		size_t n_keystore = 0, n_key = 0;

		tmpdir_init(&dir);
		house_init(&house, &dir, "state", (enum seal_suite)suite);
		house_open(&house);
		house_say(&house, "something");
		snprintf(path, sizeof(path), "%s/backups", house.folder);
		check_ok(host_mkdir(path, 0700));
		tmpdir_write(&dir, "state/backups/old.gwb", "a backup");
		snprintf(path, sizeof(path), "%s/keystore.bin", house.folder);
		old_keystore = whole(path, &n_keystore);
		old_key = whole(house.key_file, &n_key);
		size_t n = vault_list(house.vault, 0, infos, N_ELEMENTS(infos));

		for (size_t i = 0; i < n; i++)
			if (infos[i].purpose == KEY_SIGN_SM2 && infos[i].state == KEY_ACTIVE)
				ours = infos[i].public;
		check_int(order(&house), 0);
		check_true(erase_is_over(house.erase) && erase_is_pending(house.folder));
		check_int(order(&house), ERASE_E_BUSY);
		check_uint(vault_active(house.vault, KEY_DB), 0);
		/* The receipt holds, names the keys, and is signed by ours. */
		check_int(order(&house), ERASE_E_BUSY);
		erase_close(STEAL(house.erase));
		const struct erase_options again = { house.loop, house.store, house.gateway, house.audit, house.vault, house.folder, house.suite,
						     house_on_over, &house };

		check_ok(erase_new(&again, &house.erase));
		snprintf(path, sizeof(path), "%s/erase.receipt", house.folder);
		size_t n_receipt = 0;
		char *receipt = whole(path, &n_receipt);

		check_ok(receipt_check(receipt, n_receipt, &signers));
		check_uint(signers.n, suite == SEAL_SM4 ? 1 : 2);
		check_bytes(signers.keys[signers.n - 1].data, 65, ours.data, 65);
		check_true(strstr(receipt, "\nkey: 1 ") && strstr(receipt, "\ncheckpoint: R1dBVURJVENQ"));
		free(receipt);
		house_close(&house);
		/* Even before the files are gone nothing opens: not with the old key file either, for there is no keystore. */
		check_true(access(house.key_file, F_OK) < 0);
		snprintf(path, sizeof(path), "%s/keystore.bin", house.folder);
		check_true(access(path, F_OK) < 0);
		snprintf(path, sizeof(path), "%s/keystore.old", house.folder);
		check_true(access(path, F_OK) < 0);
		check_ok(erase_files(house.folder, house.key_file));
		check_int(files_in(house.folder), 0);
		check_true(!erase_is_pending(house.folder) && has_kept_receipt(house.folder));
		/* A new gateway can begin there. */
		house_init(&house, &dir, "state", (enum seal_suite)suite);
		house_open(&house);
		house_close(&house);
		snprintf(path, sizeof(path), "%s/keystore.bin", house.folder);
		size_t n_new = 0;
		char *new_keystore = whole(path, &n_new);

		check_true(n_new != n_keystore || memcmp(new_keystore, old_keystore, n_new) != 0);
		free(new_keystore);
		free(old_keystore);
		free(old_key);
		tmpdir_deinit(&dir);
	}
}

static void the_answer_is_the_receipt(void **state)
{
	struct house house;
	struct tmpdir dir;
	struct receipt_signers signers;

	(void)state;
	tmpdir_init(&dir);
	house_init(&house, &dir, "state", SEAL_XCHACHA);
	house_open(&house);
	check_int(order(&house), 0);
	check_ok(receipt_check(house.receipt, strlen(house.receipt), &signers));
	/* The app is told a moment later, when the answer is on its way. */
	check_true(!house.over);
	loop_advance(house.loop, 1000);
	check_true(house.over);
	house_close(&house);
	tmpdir_deinit(&dir);
}

/* Cut off behind the receipt: the next start ends it. Cut off before: nothing was destroyed. */
static void cut_off(void **state)
{
	struct house house;
	struct tmpdir dir;
	char path[300];

	(void)state;
	tmpdir_init(&dir);
	house_init(&house, &dir, "state", SEAL_XCHACHA);
	house_open(&house);
	house_say(&house, "something");
	house_close(&house);
	check_true(!erase_is_pending(house.folder));
	tmpdir_write(&dir, "state/erase.receipt", "a receipt");
	check_true(erase_is_pending(house.folder));
	/* A file that cannot go keeps the order standing. */
	snprintf(path, sizeof(path), "%s/a", house.folder);
	for (int i = 0; i < 10; i++) {
		check_ok(host_mkdir(path, 0700));
		strcat(path, "/a");
	}
	check_true(erase_files(house.folder, house.key_file) < 0);
	check_true(erase_is_pending(house.folder));
	assert_true(snprintf(path, sizeof(path), "rm -rf %s/a", house.folder) > 0 && system(path) == 0);
	check_ok(erase_files(house.folder, house.key_file));
	check_int(files_in(house.folder), 0);
	check_true(access(house.key_file, F_OK) < 0);
	check_true(!erase_is_pending(house.folder) && has_kept_receipt(house.folder));
	check_ok(erase_files(house.folder, NULL)); /* once more is nothing */
	check_int(erase_files(tmpdir_path(&dir, "missing"), NULL), -ENOENT);
	tmpdir_deinit(&dir);
}

/* What a symbolic link points to is not ours. */
static void links_are_not_followed(void **state)
{
	struct tmpdir dir;
	size_t len = 0;

	(void)state;
	tmpdir_init(&dir);
	check_ok(host_mkdir(tmpdir_path(&dir, "state"), 0700));
	tmpdir_write(&dir, "elsewhere", "precious");
	assert_true(symlink("../elsewhere", tmpdir_path(&dir, "state/link")) == 0);
	assert_true(symlink("..", tmpdir_path(&dir, "state/folder")) == 0);
	check_ok(erase_files(tmpdir_path(&dir, "state"), NULL));
	check_int(files_in(tmpdir_path(&dir, "state")), 0);
	char *data = whole(tmpdir_path(&dir, "elsewhere"), &len);

	check_text(data, "precious");
	free(data);
	tmpdir_deinit(&dir);
}

/* The state folder has no room for a receipt: nothing is destroyed, and the gateway goes on. */
static void no_receipt_no_erasure(void **state)
{
	struct house house;
	struct tmpdir dir;
	char path[300];

	(void)state;
	tmpdir_init(&dir);
	house_init(&house, &dir, "state", SEAL_XCHACHA);
	house_open(&house);
	snprintf(path, sizeof(path), "%s/erase.receipt", house.folder);
	check_ok(host_mkdir(path, 0700)); /* a folder in its place */
	tmpdir_write(&dir, "state/erase.receipt/x", "x");
	check_true(order(&house) < 0);
	check_true(!erase_is_over(house.erase));
	check_true(vault_active(house.vault, KEY_DB) != 0);
	house_say(&house, "still there");
	house_close(&house);
	house_open(&house);
	house_close(&house);
	tmpdir_deinit(&dir);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(everything_is_gone_but_a_receipt),
		cmocka_unit_test(the_answer_is_the_receipt),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(links_are_not_followed),
		cmocka_unit_test(no_receipt_no_erasure),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
