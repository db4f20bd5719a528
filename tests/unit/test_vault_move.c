/* The keystore as a whole: another lock, another machine, no machine. */
#include "vault_home.h"

#include "base/text.h"

enum { MEM_KIB = 8 };

struct ways {
	struct vault_home home;
	char credential[320];
	struct secret *phrase[2];
	unsigned turn;
};

static void choose(struct ways *ways, enum key_source source)
{
	struct vault_options *options = &ways->home.options;

	options->source = source;
	options->path = source == KEY_SOURCE_FILE ? ways->home.key_path : source == KEY_SOURCE_CREDENTIAL ? ways->credential : NULL;
	options->passphrase = source == KEY_SOURCE_PASSPHRASE ? ways->phrase[ways->turn++ % 2] : NULL;
	options->mem_kib = MEM_KIB;
	options->passes = 1;
}

/* Every way to every way, itself too, and every suite to every suite. */
static void from_every_lock_to_every_lock(void **state)
{
	struct ways ways = { .turn = 0 };
	uint8_t bytes[KEYSTORE_SECRET_LEN];
	uint64_t generation;

	(void)state;
	ways.phrase[0] = phrase_of(PHRASE);
	ways.phrase[1] = phrase_of("a dozen of tame owls");
	for (unsigned i = 0; i < 36; i++) {
		enum key_source from = KEY_SOURCE_FILE + i % 3, to = KEY_SOURCE_FILE + i / 3 % 3;
		struct vault_options before;

		home_init(&ways.home, suites[i / 9 % 2]);
		strcpy(ways.credential, tmpdir_path(&ways.home.dir, "gatewayd.kek"));
		write_file(ways.credential, 40, 0400);
		choose(&ways, from);
		home_open(&ways.home);
		memcpy(bytes, home_key(&ways.home, 1), sizeof(bytes));
		generation = vault_generation(ways.home.vault);
		before = ways.home.options;
		choose(&ways, to);
		ways.home.options.suite = suites[i / 18];
		check_ok(vault_rewrap(ways.home.vault, &ways.home.options));
		check_true(vault_generation(ways.home.vault) >= generation + 2);
		/* It lives on, with the old keys; new ones are of the new suite. */
		check_uint(home_info(&ways.home, home_create(&ways.home, KEY_DB)).suite, suites[i / 18]);
		home_reopen(&ways.home);
		check_bytes(home_key(&ways.home, 1), KEYSTORE_SECRET_LEN, bytes, sizeof(bytes));
		check_true(!vault_fell_back(ways.home.vault));
		check_uint(is_there(ways.home.key_path), to == KEY_SOURCE_FILE);
		check_true(!is_there(tmpdir_path(&ways.home.dir, "kek.key.new")) && is_there(ways.credential));
		if (from != to || from == KEY_SOURCE_PASSPHRASE) {
			ways.home.vault = vault_close(ways.home.vault);
			ways.home.options = before;
			check_int(home_try(&ways.home), VAULT_E_WRONG_KEY);
		}
		home_deinit(&ways.home);
	}
	secret_free(ways.phrase[0]);
	secret_free(ways.phrase[1]);
}

static void rewraps_that_are_refused(void **state)
{
	struct secret *little = phrase_of("owls");
	struct vault_home home;
	struct vault_options options;
	char path[KEYSTORE_PATH_MAX + 100];

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	uint64_t generation = vault_generation(home.vault);

	options = home.options;
	options.source = KEY_SOURCES;
	check_int(vault_rewrap(home.vault, &options), -EINVAL);
	options.source = KEY_SOURCE_PASSPHRASE;
	options.path = NULL;
	check_int(vault_rewrap(home.vault, &options), VAULT_E_LOCKED);
	options.passphrase = little;
	check_int(vault_rewrap(home.vault, &options), VAULT_E_WRONG_KEY);
	options.source = KEY_SOURCE_CREDENTIAL;
	options.path = tmpdir_path(&home.dir, "nothing");
	check_int(vault_rewrap(home.vault, &options), VAULT_E_WRONG_KEY);
	options.source = KEY_SOURCE_FILE;
	options.path = tmpdir_path(&home.dir, "known");
	write_file(options.path, 32, 0644);
	check_int(vault_rewrap(home.vault, &options), VAULT_E_WRONG_KEY);
	check_true(is_there(options.path)); /* not ours to remove */
	options.path = "/nonexistent/key";
	check_int(vault_rewrap(home.vault, &options), -ENOENT);
	check_uint(vault_generation(home.vault), generation);
	check_true(is_there(home.key_path));
	home_reopen(&home);
	home.vault = vault_close(home.vault);
	/* A key file whose path the keystore could not keep to its end. */
	memset(path, '/', sizeof(path));
	text_copy(path + sizeof(path) - 1 - strlen(home.key_path), strlen(home.key_path) + 1, home.key_path);
	home.options.path = path;
	home_open(&home);
	options.source = KEY_SOURCE_CREDENTIAL;
	options.path = tmpdir_path(&home.dir, "gatewayd.kek");
	write_file(options.path, 32, 0400);
	check_int(vault_rewrap(home.vault, &options), -ENAMETOOLONG);
	check_true(is_there(home.key_path));
	home_deinit(&home);
	secret_free(little);
}

/* A file that only another name leads to is not destroyed when it is the new source too. */
static void one_file_by_two_names(void **state)
{
	struct vault_home home;
	struct vault_options options;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	options = home.options;
	options.source = KEY_SOURCE_CREDENTIAL;
	options.path = tmpdir_path(&home.dir, "gatewayd.kek");
	check_ok(link(home.key_path, options.path));
	check_ok(vault_rewrap(home.vault, &options));
	home.options = options;
	home_reopen(&home);
	home_deinit(&home);
}

static void to_other_hardware(void **state)
{
	struct vault_home home, other;
	struct secret *exported = NULL, *bad = NULL;
	uint8_t bytes[KEYSTORE_SECRET_LEN];
	uint32_t id, gone;

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		home_init(&home, suites[s]);
		home_init(&other, suites[s]);
		home_open(&home);
		gone = home_create(&home, KEY_FILES);
		id = home_create(&home, KEY_FILES);
		check_ok(vault_destroy(home.vault, gone, NOW_S));
		check_ok(vault_activate(home.vault, id, NOW_S));
		check_ok(vault_set_starts(home.vault, 12));
		memcpy(bytes, home_key(&home, id), sizeof(bytes));
		check_ok(vault_export(home.vault, &exported));
		tmpdir_write(&other.dir, "gateway.db", "x"); /* which was restored first */
		check_ok(vault_import(&other.options, exported, other.why, sizeof(other.why)));
		home_open(&other);
		check_bytes(home_key(&other, id), KEYSTORE_SECRET_LEN, bytes, sizeof(bytes));
		check_uint(vault_active(other.vault, KEY_FILES), id);
		check_uint(home_info(&other, gone).id, 0);
		check_uint(home_create(&other, KEY_FILES), id + 1);
		check_uint(vault_starts(other.vault), 12);
		check_true(vault_generation(other.vault) > vault_generation(home.vault));
		check_bytes(vault_gateway_id(other.vault), KEYSTORE_ID_LEN, vault_gateway_id(home.vault), KEYSTORE_ID_LEN);
		/* Over a keystore that is there: never. */
		check_int(vault_import(&other.options, exported, other.why, sizeof(other.why)), -EEXIST);
		check_true(strstr(other.why, "there is a keystore already"));
		home_deinit(&other);
		home_init(&other, suites[s]);
		check_ok(secret_new("gw-keyx\n\x01\x00 and what not", 20, &bad));
		check_int(vault_import(&other.options, bad, other.why, sizeof(other.why)), VAULT_E_DAMAGED);
		bad = secret_free(bad);
		check_ok(secret_new("gw-keyx\n\x02\x00 and what not", 20, &bad));
		check_int(vault_import(&other.options, bad, other.why, sizeof(other.why)), VAULT_E_NEWER);
		bad = secret_free(bad);
		check_true(!is_there(tmpdir_path(&other.dir, "keystore.bin")));
		exported = secret_free(exported);
		home_deinit(&other);
		home_deinit(&home);
	}
}

static void erased(void **state)
{
	static const uint8_t zeros[KEYSTORE_SECRET_LEN];
	struct vault_home home;
	struct vault_key_info list[KEYSTORE_KEYS_MAX];
	struct secret *exported = NULL;
	const uint8_t *held, *bytes;
	uint32_t id = 0;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	held = home_key(&home, 1);
	tmpdir_write(&home.dir, "keystore.new", "left over");
	check_ok(vault_erase(home.vault));
	check_bytes(held, KEYSTORE_SECRET_LEN, zeros, sizeof(zeros));
	check_true(!is_there(home.key_path) && !is_there(tmpdir_path(&home.dir, "keystore.bin")) &&
		   !is_there(tmpdir_path(&home.dir, "keystore.old")) && !is_there(tmpdir_path(&home.dir, "keystore.new")));
	/* Only good for closing, and that writes nothing. */
	check_int(vault_key(home.vault, 1, &bytes), VAULT_E_UNKNOWN);
	check_uint(vault_active(home.vault, KEY_DB), 0);
	check_uint(vault_list(home.vault, NOW_S, list, KEYSTORE_KEYS_MAX), 0);
	check_int(vault_create(home.vault, KEY_DB, NOW_S, &id), -ESHUTDOWN);
	check_int(vault_set_starts(home.vault, 3), -ESHUTDOWN);
	check_int(vault_rewrap(home.vault, &home.options), -ESHUTDOWN);
	check_int(vault_export(home.vault, &exported), -ESHUTDOWN);
	check_int(vault_count(home.vault, 1, 1), VAULT_E_UNKNOWN);
	check_ok(vault_erase(home.vault));
	home.vault = vault_close(home.vault);
	check_true(!is_there(tmpdir_path(&home.dir, "keystore.bin")));
	home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(from_every_lock_to_every_lock),
		cmocka_unit_test(rewraps_that_are_refused),
		cmocka_unit_test(one_file_by_two_names),
		cmocka_unit_test(to_other_hardware),
		cmocka_unit_test(erased),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
