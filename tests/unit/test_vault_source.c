/* Where the key-encryption key comes from, which key files are refused, and what an opening says about what it finds. */
#include "vault_home.h"

#include "base/text.h"
#include "sys/seal.h"
#include "vault/source.h"

enum { MEM_KIB = 8 };

/* --- source --------------------------------------------------------------------------------------------------------------- */

/* What one key has sealed, the other opens. */
static bool same_key(const struct seal_key *a, const struct seal_key *b)
{
	uint8_t nonce[SEAL_NONCE_LEN] = { 1 }, tag[SEAL_TAG_LEN], text[4] = "abc", sealed[4], again[4];

	seal_make(a, nonce, NULL, 0, text, sizeof(text), sealed, tag);
	return seal_open(b, nonce, NULL, 0, sealed, sizeof(sealed), tag, again) == 0;
}

static struct keystore *header_of(enum key_source source, enum seal_suite suite, uint32_t mem_kib, uint8_t salt)
{
	void *header = NULL;

	check_ok(crypto_guarded_new(sizeof(struct keystore), &header));
	struct keystore *store = header;

	store->source = (uint8_t)source;
	store->suite = (uint8_t)suite;
	store->mem_kib = mem_kib;
	store->passes = mem_kib > 0;
	for (uint8_t i = 0; i < KEYSTORE_SALT_LEN; i++)
		store->salt[i] = (uint8_t)(salt + i);
	return store;
}

static struct seal_key *kek_of(const struct source *source, enum seal_suite suite, uint32_t mem_kib, uint8_t salt)
{
	struct keystore *header = header_of(source->kind, suite, mem_kib, salt);
	struct seal_key *kek = NULL;
	char why[200];

	check_ok(source_kek(source, header, why, sizeof(why), &kek));
	crypto_guarded_free(header);
	return kek;
}

/* The two derivations that docs/spec/keystore.md works out. */
static void known_answers(void **state)
{
	static const char *const keks[] = { "2c37127249cb81f0353f9091c36d0a62fa5a99f65f1eb3f5ee979f7b1cb93b0f",
					    "3e8281bc7822b83354ac1074a075b62dc13785d086444e33b05b7d26b9f24905" };
	struct secret *phrase = phrase_of(PHRASE);
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	write_file(tmpdir_path(&dir, "key"), 32, 0600);
	for (size_t i = 0; i < N_ELEMENTS(keks); i++) {
		struct source source = { .kind = i ? KEY_SOURCE_PASSPHRASE : KEY_SOURCE_FILE, .path = tmpdir_path(&dir, "key"), .passphrase = phrase };
		struct seal_key *got = kek_of(&source, suites[i], i ? 1024 : 0, 0xa0), *want = NULL, *other;
		uint8_t key[SEAL_KEY_LEN];

		check_ok(hex_parse(keks[i], 64, key, sizeof(key)));
		check_ok(seal_key_new(suites[i], key, &want));
		check_true(same_key(got, want));
		/* Another salt, another key: two gateways with one file or passphrase have nothing in common. */
		other = kek_of(&source, suites[i], i ? 1024 : 0, 0xa1);
		check_true(!same_key(got, other));
		seal_key_free(other);
		seal_key_free(got);
		seal_key_free(want);
	}
	secret_free(phrase);
	tmpdir_deinit(&dir);
}

/* SOURCE_FILE_MIN to SOURCE_FILE_MAX bytes of anything; the last byte counts. */
static void files_of_any_kind(void **state)
{
	static const size_t lens[] = { SOURCE_FILE_MIN, SOURCE_FILE_MIN + 1, SOURCE_FILE_MAX };
	struct source source = { .kind = KEY_SOURCE_FILE };
	struct tmpdir dir;

	(void)state;
	tmpdir_init(&dir);
	source.path = tmpdir_path(&dir, "key");
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		for (size_t i = 0; i < N_ELEMENTS(lens); i++) {
			struct seal_key *one, *other;
			FILE *f;

			write_file(source.path, lens[i], 0600);
			one = kek_of(&source, suites[s], 0, 1);
			f = fopen(source.path, "r+e");
			check_true(f && fseek(f, -1, SEEK_END) == 0 && fputc('!', f) == '!' && fclose(f) == 0);
			other = kek_of(&source, suites[s], 0, 1);
			check_true(!same_key(one, other));
			seal_key_free(one);
			seal_key_free(other);
		}
	}
	tmpdir_deinit(&dir);
}

static void check_refused(const struct source *source, int want, const char *say)
{
	struct keystore *header = header_of(source->kind, SEAL_XCHACHA, source->kind == KEY_SOURCE_PASSPHRASE ? MEM_KIB : 0, 1);
	struct seal_key *kek = NULL;
	char why[400] = "";
	int r = source_kek(source, header, why, sizeof(why), &kek);

	if (r != want || !strstr(why, say))
		print_error("%d: %s\n", r, why);
	check_int(r, want);
	check_true(strstr(why, say) && !kek);
	crypto_guarded_free(header);
}

static void files_that_are_refused(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666 };
	struct tmpdir dir;
	struct source file = { .kind = KEY_SOURCE_FILE }, credential = { .kind = KEY_SOURCE_CREDENTIAL };

	(void)state;
	tmpdir_init(&dir);
	file.path = credential.path = tmpdir_path(&dir, "key");
	check_refused(&file, SOURCE_E_MISSING, "no such key file");
	check_refused(&credential, SOURCE_E_MISSING, "no such key file");
	for (size_t i = 0; i < N_ELEMENTS(open_modes); i++) {
		write_file(file.path, 32, open_modes[i]);
		check_refused(&file, SOURCE_E_REFUSED, "by others");
	}
	/* The group bits of a credential are the mask of an access list. */
	write_file(file.path, 32, 0604);
	check_refused(&credential, SOURCE_E_REFUSED, "by others");
	write_file(file.path, 32, 0440);
	seal_key_free(kek_of(&credential, SEAL_XCHACHA, 0, 1));
	write_file(file.path, SOURCE_FILE_MIN - 1, 0600);
	check_refused(&file, SOURCE_E_REFUSED, "32 to 4000 bytes");
	write_file(file.path, SOURCE_FILE_MAX + 1, 0600);
	check_refused(&file, SOURCE_E_REFUSED, "32 to 4000 bytes");
	write_file(file.path, 0, 0600);
	check_refused(&file, SOURCE_E_REFUSED, "32 to 4000 bytes");
	check_ok(unlink(file.path));
	check_ok(mkdir(file.path, 0700));
	check_refused(&file, SOURCE_E_REFUSED, "no regular file");
	check_ok(rmdir(file.path));
	check_ok(mkfifo(file.path, 0600)); /* and nobody waits for its other end */
	check_refused(&file, SOURCE_E_REFUSED, "no regular file");
	check_ok(unlink(file.path));
	write_file(tmpdir_path(&dir, "real"), 32, 0600);
	check_ok(symlink("real", file.path));
	check_refused(&file, SOURCE_E_REFUSED, "symbolic link");
	check_int(source_destroy_file(file.path), SOURCE_E_REFUSED);
	check_true(is_there(tmpdir_path(&dir, "real")));
	if (geteuid() == 0) { /* whoever is not root cannot make such a file, nor be fooled by one of root's */
		check_ok(unlink(file.path));
		write_file(file.path, 32, 0600);
		check_ok(chown(file.path, 12345, 12345));
		check_refused(&file, SOURCE_E_REFUSED, "another user");
	}
	file.path = NULL;
	check_refused(&file, SOURCE_E_MISSING, "no key file is named");
	tmpdir_deinit(&dir);
}

static void files_made_and_destroyed(void **state)
{
	struct tmpdir dir;
	const char *path;
	struct stat st;
	char *before, *after;
	int fd;

	(void)state;
	tmpdir_init(&dir);
	path = tmpdir_path(&dir, "key");
	umask(0);
	check_ok(source_make_file(path));
	umask(022);
	check_ok(stat(path, &st));
	check_uint(st.st_mode & 07777, 0600);
	check_uint(st.st_size, SOURCE_FILE_MIN);
	check_int(source_make_file(path), -EEXIST);
	check_true(!is_there(tmpdir_path(&dir, "key.part")));
	/* Somebody who has it open sees it overwritten. */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	before = calloc(1, SOURCE_FILE_MIN);
	after = calloc(1, SOURCE_FILE_MIN);
	check_int(pread(fd, before, SOURCE_FILE_MIN, 0), SOURCE_FILE_MIN);
	check_ok(source_destroy_file(path));
	check_true(!is_there(path));
	check_int(pread(fd, after, SOURCE_FILE_MIN, 0), SOURCE_FILE_MIN);
	check_true(memcmp(before, after, SOURCE_FILE_MIN) != 0);
	close(fd);
	free(before);
	free(after);
	check_ok(source_destroy_file(path)); /* it is not there */
	check_int(source_make_file(tmpdir_path(&dir, "no/such/key")), -ENOENT);
	tmpdir_deinit(&dir);
}

/* A new one has SOURCE_PASSPHRASE_MIN characters, not bytes. */
static void passphrases(void **state)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "a", SOURCE_E_REFUSED },
		{ "eleven char", SOURCE_E_REFUSED },
		{ "twelve chars", 0 },
		{ "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", SOURCE_E_REFUSED },
		{ "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 0 },
		{ "twelve \xff chars", SOURCE_E_REFUSED },
	};
	static char longest[CRYPTO_PASSWORD_LEN_MAX + 2];
	struct source source = { .kind = KEY_SOURCE_PASSPHRASE };
	char why[200];

	(void)state;
	check_int(source_check_new(&source, why, sizeof(why)), SOURCE_E_LOCKED);
	check_refused(&source, SOURCE_E_LOCKED, "waits for its passphrase");
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct secret *phrase = phrase_of(rows[i].text);

		source.passphrase = phrase;
		check_int(source_check_new(&source, why, sizeof(why)), rows[i].want);
		secret_free(phrase);
	}
	memset(longest, 'x', CRYPTO_PASSWORD_LEN_MAX + 1);
	for (size_t more = 0; more < 2; more++) {
		struct secret *phrase = NULL;

		check_ok(secret_new(longest, CRYPTO_PASSWORD_LEN_MAX + more, &phrase));
		source.passphrase = phrase;
		check_int(source_check_new(&source, why, sizeof(why)), more ? SOURCE_E_REFUSED : 0);
		if (more)
			check_refused(&source, SOURCE_E_REFUSED, "not possible");
		secret_free(phrase);
	}
}

/* --- what an opening says ------------------------------------------------------------------------------------------------- */

static void check_says(struct vault_home *home, int want, const char *say)
{
	int r;

	home->vault = vault_close(home->vault);
	r = home_try(home);
	if (r != want || !strstr(home->why, say))
		print_error("%d: %s\n", r, home->why);
	check_int(r, want);
	check_true(strstr(home->why, say) && !home->vault);
}

static void damage(struct vault_home *home, const char *name)
{
	FILE *f = fopen(tmpdir_path(&home->dir, name), "r+e");

	check_true(f && fseek(f, 150, SEEK_SET) == 0);
	check_true(fputc(fgetc(f) ^ 1, f) != EOF && fclose(f) == 0);
}

static void rename_in(struct vault_home *home, const char *from, const char *to)
{
	check_ok(rename(tmpdir_path(&home->dir, from), tmpdir_path(&home->dir, to)));
}

static void damaged_keystores(void **state)
{
	struct vault_home home;
	uint64_t generation;
	uint32_t id;

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		home_init(&home, suites[s]);
		home_open(&home);
		id = home_create(&home, KEY_DB);
		check_ok(vault_activate(home.vault, id, NOW_S));
		generation = vault_generation(home.vault);
		home.vault = vault_close(home.vault);
		damage(&home, "keystore.bin");
		home_open(&home);
		check_true(vault_fell_back(home.vault));
		check_uint(home_info(&home, id).state, KEY_PREACTIVE); /* the step before */
		/* Nobody takes what is written now for the generation that was lost. */
		check_true(vault_generation(home.vault) > generation);
		home_reopen(&home);
		check_true(!vault_fell_back(home.vault));
		home.vault = vault_close(home.vault);
		damage(&home, "keystore.old"); /* is found and made good */
		home_reopen(&home);
		home.vault = vault_close(home.vault);
		damage(&home, "keystore.bin");
		home_open(&home);
		check_true(vault_fell_back(home.vault));
		home.vault = vault_close(home.vault);
		damage(&home, "keystore.bin");
		damage(&home, "keystore.old");
		check_says(&home, VAULT_E_WRONG_KEY, "does not open with this key");
		check_ok(truncate(tmpdir_path(&home.dir, "keystore.bin"), 50));
		check_ok(truncate(tmpdir_path(&home.dir, "keystore.old"), 0));
		check_says(&home, VAULT_E_DAMAGED, "damaged");
		check_ok(unlink(tmpdir_path(&home.dir, "keystore.old")));
		check_says(&home, VAULT_E_DAMAGED, "damaged");
		check_ok(truncate(tmpdir_path(&home.dir, "keystore.bin"), 100000)); /* more than KEYSTORE_FILE_MAX */
		check_says(&home, VAULT_E_DAMAGED, "damaged");
		home_deinit(&home);
	}
}

static void newer_keystores(void **state)
{
	struct vault_home home;
	FILE *f;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	home.vault = vault_close(home.vault);
	f = fopen(tmpdir_path(&home.dir, "keystore.bin"), "r+e");
	check_true(f && fseek(f, 8, SEEK_SET) == 0 && fputc(2, f) == 2 && fclose(f) == 0);
	/* The older one would open, and would lose what the newer gatewayd has done. */
	check_says(&home, VAULT_E_NEWER, "newer gatewayd");
	rename_in(&home, "keystore.bin", "keystore.old");
	check_says(&home, VAULT_E_NEWER, "newer gatewayd");
	home_deinit(&home);
}

static void databases_without_a_keystore(void **state)
{
	struct vault_home home;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	tmpdir_write(&home.dir, "gateway.db", "x");
	check_says(&home, VAULT_E_DAMAGED, "databases and no keystore");
	check_true(!is_there(home.key_path) && !is_there(tmpdir_path(&home.dir, "keystore.bin")));
	rename_in(&home, "gateway.db", "gateway.dbx");
	home_open(&home);
	home_deinit(&home);
}

static void lost_and_wrong_keys(void **state)
{
	struct vault_home home;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	home.vault = vault_close(home.vault);
	rename_in(&home, "kek.key", "aside");
	check_says(&home, VAULT_E_WRONG_KEY, "no such key file");
	check_true(!is_there(home.key_path)); /* none is made for a keystore that has one */
	check_ok(source_make_file(home.key_path));
	check_says(&home, VAULT_E_WRONG_KEY, "does not open with this key");
	check_ok(unlink(home.key_path));
	rename_in(&home, "aside", "kek.key");
	check_ok(chmod(home.key_path, 0644));
	check_says(&home, VAULT_E_WRONG_KEY, "by others");
	check_ok(chmod(home.key_path, 0600));
	home.options.source = KEY_SOURCE_PASSPHRASE;
	check_says(&home, VAULT_E_WRONG_KEY, "locked with a key file, and the settings say a passphrase (vault.source)");
	home.options.source = KEY_SOURCE_CREDENTIAL;
	check_says(&home, VAULT_E_WRONG_KEY, "the settings say a credential of the service manager");
	home.options.source = KEY_SOURCE_FILE;
	home_open(&home);
	home.options.folder = "/nonexistent";
	check_says(&home, -ENOENT, "/nonexistent");
	home_deinit(&home);
}

static void locked_by_a_passphrase(void **state)
{
	struct secret *right = phrase_of(PHRASE), *wrong = phrase_of("twelve little owl"), *little = phrase_of("owls");
	enum key_source source = KEY_SOURCES;
	struct vault_home home;

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		home_init(&home, suites[s]);
		home.options.source = KEY_SOURCE_PASSPHRASE;
		home.options.path = NULL;
		home.options.mem_kib = MEM_KIB;
		home.options.passes = 1;
		check_says(&home, VAULT_E_LOCKED, "no passphrase was given");
		home.options.passphrase = little;
		check_says(&home, VAULT_E_WRONG_KEY, "at least 12 characters");
		check_true(!is_there(tmpdir_path(&home.dir, "keystore.bin")));
		check_int(vault_source_of(home.dir.path, &source), VAULT_E_UNKNOWN);
		home.options.passphrase = right;
		home_open(&home);
		check_ok(vault_source_of(home.dir.path, &source));
		check_int(source, KEY_SOURCE_PASSPHRASE);
		home.options.mem_kib = 0; /* what it costs is in the file */
		home.options.passes = 0;
		home_reopen(&home);
		home.options.passphrase = wrong;
		check_says(&home, VAULT_E_WRONG_KEY, "does not open with this key");
		home.options.passphrase = NULL;
		check_says(&home, VAULT_E_LOCKED, "waits for its passphrase");
		home_deinit(&home);
	}
	secret_free(right);
	secret_free(wrong);
	secret_free(little);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(files_of_any_kind),
		cmocka_unit_test(files_that_are_refused),
		cmocka_unit_test(files_made_and_destroyed),
		cmocka_unit_test(passphrases),
		cmocka_unit_test(damaged_keystores),
		cmocka_unit_test(newer_keystores),
		cmocka_unit_test(databases_without_a_keystore),
		cmocka_unit_test(lost_and_wrong_keys),
		cmocka_unit_test(locked_by_a_passphrase),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
