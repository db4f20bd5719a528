/* What may become of a key and what not, what is counted, what readers see meanwhile, and where key bytes are. */
#include "vault_home.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/text.h"

enum { FIRST = 1, NO_SUCH = 4711 };

static void first_opening_makes_everything(void **state)
{
	struct vault_home home;
	struct vault_key_info list[KEYSTORE_KEYS_MAX];
	uint8_t bytes[KEY_PURPOSES][KEYSTORE_SECRET_LEN], gateway[KEYSTORE_ID_LEN];

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		home_init(&home, suites[s]);
		home_open(&home);
		check_uint(vault_list(home.vault, NOW_S, list, KEYSTORE_KEYS_MAX), KEY_PURPOSES - 1);
		memcpy(gateway, vault_gateway_id(home.vault), sizeof(gateway));
		for (enum key_purpose p = KEY_DB; p < KEY_PURPOSES; p++) {
			const struct vault_key_info *info = &list[p - 1];

			check_uint(info->id, p);
			check_uint(info->purpose, p);
			check_uint(info->state, KEY_ACTIVE);
			check_uint(info->suite, p == KEY_SIGN ? SIGN_ED25519 : p == KEY_SIGN_SM2 ? SIGN_SM2 : suites[s]);
			check_int(info->made_s, NOW_S);
			check_int(info->active_s, NOW_S);
			check_uint(info->public.len, p == KEY_SIGN ? 32 : p == KEY_SIGN_SM2 ? 65 : 0);
			check_uint(vault_active(home.vault, p), p);
			memcpy(bytes[p], home_key(&home, p), KEYSTORE_SECRET_LEN);
		}
		home_reopen(&home);
		check_true(!vault_fell_back(home.vault));
		check_bytes(vault_gateway_id(home.vault), KEYSTORE_ID_LEN, gateway, sizeof(gateway));
		for (enum key_purpose p = KEY_DB; p < KEY_PURPOSES; p++)
			check_bytes(home_key(&home, p), KEYSTORE_SECRET_LEN, bytes[p], KEYSTORE_SECRET_LEN);
		home_deinit(&home);
	}
}

/* --- states --------------------------------------------------------------------------------------------------------------- */

/* A key of files in that state, beside the active one. */
static uint32_t key_in(struct vault_home *home, enum key_state state)
{
	uint32_t id = home_create(home, KEY_FILES);

	if (state == KEY_ACTIVE || state == KEY_DEACTIVATED)
		check_ok(vault_activate(home->vault, id, NOW_S + 1));
	if (state == KEY_DEACTIVATED)
		check_ok(vault_activate(home->vault, home_create(home, KEY_FILES), NOW_S + 2));
	if (state == KEY_COMPROMISED)
		check_ok(vault_compromise(home->vault, id, NOW_S + 1));
	if (state == KEY_DESTROYED)
		check_ok(vault_destroy(home->vault, id, NOW_S + 1));
	check_uint(home_info(home, id).state, state);
	return id;
}

typedef int vault_verb(struct vault *vault, uint32_t id, int64_t now_s);

static const struct {
	const char *name;
	vault_verb *verb;
	enum key_state to;
	int want[KEY_STATES]; /* by the state it is in; with no other key waiting */
} matrix[] = {
	{ "activate", vault_activate, KEY_ACTIVE,
	  { [KEY_PREACTIVE] = 0, [KEY_ACTIVE] = VAULT_E_STATE, [KEY_DEACTIVATED] = VAULT_E_STATE,
	    [KEY_COMPROMISED] = VAULT_E_STATE, [KEY_DESTROYED] = VAULT_E_STATE } },
	{ "deactivate", vault_deactivate, KEY_DEACTIVATED,
	  { [KEY_PREACTIVE] = VAULT_E_STATE, [KEY_ACTIVE] = VAULT_E_NEEDED, [KEY_DEACTIVATED] = VAULT_E_STATE,
	    [KEY_COMPROMISED] = VAULT_E_STATE, [KEY_DESTROYED] = VAULT_E_STATE } },
	{ "compromise", vault_compromise, KEY_COMPROMISED,
	  { [KEY_PREACTIVE] = 0, [KEY_ACTIVE] = 0, [KEY_DEACTIVATED] = 0, [KEY_COMPROMISED] = VAULT_E_STATE,
	    [KEY_DESTROYED] = VAULT_E_STATE } },
	{ "destroy", vault_destroy, KEY_DESTROYED,
	  { [KEY_PREACTIVE] = 0, [KEY_ACTIVE] = VAULT_E_STATE, [KEY_DEACTIVATED] = 0, [KEY_COMPROMISED] = 0,
	    [KEY_DESTROYED] = VAULT_E_STATE } },
};

static void check_one_active(struct vault_home *home)
{
	struct vault_key_info list[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(home->vault, NOW_S, list, KEYSTORE_KEYS_MAX);
	unsigned active[KEY_PURPOSES] = { 0 };

	for (size_t i = 0; i < n; i++)
		active[list[i].purpose] += list[i].state == KEY_ACTIVE;
	for (enum key_purpose p = KEY_DB; p < KEY_PURPOSES; p++)
		check_uint(active[p], 1);
}

static void one_cell(size_t verb, enum key_state from, enum seal_suite suite)
{
	struct vault_home home;
	uint64_t generation;
	const uint8_t *bytes;
	uint32_t id;
	int r;

	home_init(&home, suite);
	home_open(&home);
	id = key_in(&home, from);
	generation = vault_generation(home.vault);
	r = matrix[verb].verb(home.vault, id, NOW_S + 9);
	if (r != matrix[verb].want[from])
		print_error("%s from %s\n", matrix[verb].name, key_state_name(from));
	check_int(r, matrix[verb].want[from]);
	if (r)
		check_uint(vault_generation(home.vault), generation);
	check_uint(home_info(&home, id).state, r ? from : matrix[verb].to);
	check_one_active(&home);
	check_true(r || home_info(&home, id).ended_s > 0 || matrix[verb].to == KEY_ACTIVE);
	/* The disk says the same. */
	home_reopen(&home);
	check_uint(home_info(&home, id).state, r ? from : matrix[verb].to);
	enum key_state now = home_info(&home, id).state;

	check_int(vault_key(home.vault, id, &bytes), now == KEY_PREACTIVE || now == KEY_DESTROYED ? VAULT_E_STATE : 0);
	home_deinit(&home);
}

static void every_verb_from_every_state(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		for (size_t verb = 0; verb < N_ELEMENTS(matrix); verb++) {
			for (enum key_state from = KEY_PREACTIVE; from < KEY_STATES; from++)
				one_cell(verb, from, suites[s]);
		}
	}
}

static void unknown_keys(void **state)
{
	struct vault_home home;
	const uint8_t *bytes = NULL;
	uint32_t id = 0;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	for (size_t verb = 0; verb < N_ELEMENTS(matrix); verb++) {
		check_int(matrix[verb].verb(home.vault, NO_SUCH, NOW_S), VAULT_E_UNKNOWN);
		check_int(matrix[verb].verb(home.vault, 0, NOW_S), VAULT_E_UNKNOWN);
	}
	check_int(vault_key(home.vault, NO_SUCH, &bytes), VAULT_E_UNKNOWN);
	check_int(vault_count(home.vault, NO_SUCH, 1), VAULT_E_UNKNOWN);
	check_int(vault_count(home.vault, FIRST, UINT64_MAX), -EINVAL);
	check_int(vault_create(home.vault, (enum key_purpose)0, NOW_S, &id), -EINVAL);
	check_int(vault_create(home.vault, KEY_PURPOSES, NOW_S, &id), -EINVAL);
	check_uint(vault_active(home.vault, KEY_PURPOSES), 0);
	check_true(!bytes && !id);
	home_deinit(&home);
}

/* Who goes is replaced in the same write: by one that waits, or by a new one. */
static void successors(void **state)
{
	struct vault_home home;
	uint32_t waiting, other;
	uint64_t generation;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	waiting = home_create(&home, KEY_AUDIT);
	other = home_create(&home, KEY_AUDIT);
	generation = vault_generation(home.vault);
	check_ok(vault_deactivate(home.vault, KEY_AUDIT, NOW_S + 5));
	check_uint(vault_generation(home.vault), generation + 1);
	check_uint(vault_active(home.vault, KEY_AUDIT), waiting);
	check_int(home_info(&home, waiting).active_s, NOW_S + 5);
	check_int(home_info(&home, KEY_AUDIT).ended_s, NOW_S + 5);
	check_ok(vault_compromise(home.vault, waiting, NOW_S + 6));
	check_uint(vault_active(home.vault, KEY_AUDIT), other);
	check_ok(vault_compromise(home.vault, other, NOW_S + 7));
	check_uint(vault_active(home.vault, KEY_AUDIT), other + 1);
	check_int(home_info(&home, other).ended_s, NOW_S + 7);
	/* When it ended stays. */
	check_ok(vault_destroy(home.vault, other, NOW_S + 8));
	check_int(home_info(&home, other).ended_s, NOW_S + 7);
	home_deinit(&home);
}

/* Bytes that somebody holds stay where they are, and are gone when the key is destroyed. */
static void borrowed_bytes_stay(void **state)
{
	static const uint8_t zeros[KEYSTORE_SECRET_LEN];
	struct vault_home home;
	uint8_t bytes[KEYSTORE_SECRET_LEN];
	const uint8_t *held;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	held = home_key(&home, FIRST);
	memcpy(bytes, held, sizeof(bytes));
	for (int i = 0; i < 100; i++) { /* more than one page of them */
		uint32_t id = home_create(&home, KEY_DB);

		check_ok(vault_activate(home.vault, id, NOW_S));
		check_true(home_key(&home, id) != held);
		if (i > 0)
			check_ok(vault_destroy(home.vault, id - 1, NOW_S));
	}
	check_true(home_key(&home, FIRST) == held);
	check_bytes(held, KEYSTORE_SECRET_LEN, bytes, sizeof(bytes));
	check_ok(vault_destroy(home.vault, FIRST, NOW_S));
	check_bytes(held, KEYSTORE_SECRET_LEN, zeros, sizeof(zeros));
	home_deinit(&home);
}

/* KEYSTORE_KEYS_MAX: rows of destroyed keys make room, the oldest first; numbers are never given twice. */
static void full(void **state)
{
	struct vault_home home;
	struct vault_key_info list[KEYSTORE_KEYS_MAX];
	uint32_t id = 0, last;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	for (int i = KEY_PURPOSES - 1; i < KEYSTORE_KEYS_MAX; i++)
		last = home_create(&home, KEY_DEVICES);
	check_uint(last, KEYSTORE_KEYS_MAX);
	check_int(vault_create(home.vault, KEY_DEVICES, NOW_S, &id), -ENOSPC);
	check_uint(id, 0);
	/* Without room for another key an active one cannot be given up for a new one. */
	check_int(vault_compromise(home.vault, KEY_AUDIT, NOW_S), -ENOSPC);
	check_uint(home_info(&home, KEY_AUDIT).state, KEY_ACTIVE);
	check_ok(vault_destroy(home.vault, last, NOW_S));
	check_ok(vault_destroy(home.vault, last - 1, NOW_S));
	check_ok(vault_create(home.vault, KEY_DB, NOW_S, &id));
	check_uint(id, last + 1);
	check_uint(vault_list(home.vault, NOW_S, list, KEYSTORE_KEYS_MAX), KEYSTORE_KEYS_MAX);
	check_uint(home_info(&home, last - 1).id, 0); /* it made room */
	check_uint(home_info(&home, last).state, KEY_DESTROYED);
	check_uint(vault_list(home.vault, NOW_S, list, 3), 3);
	home_reopen(&home);
	check_uint(vault_list(home.vault, NOW_S, list, KEYSTORE_KEYS_MAX), KEYSTORE_KEYS_MAX);
	home_deinit(&home);
}

/* --- counting ------------------------------------------------------------------------------------------------------------- */

static void counting_writes_seldom(void **state)
{
	struct vault_home home;
	uint64_t generation;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	generation = vault_generation(home.vault);
	for (int i = 0; i < 1000; i++)
		check_ok(vault_count(home.vault, FIRST, 3000)); /* nearly three times 2^20 */
	check_uint(home_info(&home, FIRST).uses, 3000000);
	check_uint(vault_generation(home.vault), generation + 3);
	check_ok(vault_count(home.vault, KEY_SIGN, 0));
	check_uint(vault_generation(home.vault), generation + 3);
	/* What was really counted is written when it is closed. */
	home_reopen(&home);
	check_uint(home_info(&home, FIRST).uses, 3000000);
	check_uint(home_info(&home, KEY_SIGN).uses, 0);
	home_deinit(&home);
}

static void worn_keys(void **state)
{
	struct vault_home home;
	struct vault_key_info info;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home.options.age_max_s = 1000;
	home_open(&home);
	check_true(!home_info_at(&home, FIRST, NOW_S + 999).worn);
	check_true(home_info_at(&home, FIRST, NOW_S + 1000).worn);
	check_true(!home_info_at(&home, FIRST, NOW_S - 5000).worn); /* a clock that went back */
	check_true(!home_info_at(&home, KEY_SIGN, NOW_S + 1000).worn);
	info = home_info(&home, KEY_FILES);
	check_uint(info.uses_max, UINT64_C(1) << 32);
	while (!home_info(&home, KEY_FILES).worn)
		check_ok(vault_count(home.vault, KEY_FILES, UINT32_MAX));
	check_true(home_info(&home, KEY_FILES).uses >= info.uses_max);
	/* One that is in use no more is not worn. */
	check_ok(vault_activate(home.vault, home_create(&home, KEY_FILES), NOW_S));
	check_true(!home_info(&home, KEY_FILES).worn);
	home_deinit(&home);
}

/* Made before the clock was set: no key is fifty years old a minute later. */
static void keys_without_a_clock(void **state)
{
	struct vault_home home;
	uint64_t generation;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home.options.now_s = 100;
	home_open(&home);
	generation = vault_generation(home.vault);
	check_true(!home_info_at(&home, FIRST, NOW_S).worn);
	home_reopen(&home);
	check_uint(vault_generation(home.vault), generation);
	home.options.now_s = NOW_S;
	home_reopen(&home);
	check_uint(vault_generation(home.vault), generation + 1);
	check_int(home_info(&home, FIRST).active_s, NOW_S);
	check_int(home_info(&home, FIRST).made_s, 100);
	check_true(home_info_at(&home, FIRST, NOW_S + 365 * 24 * 3600).worn);
	home_reopen(&home);
	check_uint(vault_generation(home.vault), generation + 1);
	home_deinit(&home);
}

static void starts_and_generation(void **state)
{
	struct vault_home home;
	uint64_t generation;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	check_uint(vault_starts(home.vault), 0);
	generation = vault_generation(home.vault);
	check_ok(vault_set_starts(home.vault, 7));
	check_uint(vault_starts(home.vault), 7);
	check_uint(vault_generation(home.vault), generation + 1);
	home_reopen(&home);
	check_uint(vault_starts(home.vault), 7);
	check_uint(vault_generation(home.vault), generation + 1); /* opening a sound one writes nothing */
	home_deinit(&home);
}

/* --- several threads ------------------------------------------------------------------------------------------------------ */

struct reading {
	struct vault *vault;
	_Atomic bool stop;
	_Atomic unsigned rounds, wrong;
};

static void *read_always(void *arg)
{
	struct reading *reading = arg;
	struct vault_key_info list[KEYSTORE_KEYS_MAX];

	while (!reading->stop) {
		size_t n = vault_list(reading->vault, NOW_S, list, KEYSTORE_KEYS_MAX), active = 0;
		uint32_t id = vault_active(reading->vault, KEY_DB);
		const uint8_t *bytes;
		unsigned sum = 0;

		for (size_t i = 0; i < n; i++)
			active += list[i].purpose == KEY_DB && list[i].state == KEY_ACTIVE;
		if (vault_key(reading->vault, id, &bytes) == 0) {
			for (size_t i = 0; i < KEYSTORE_SECRET_LEN; i++)
				sum |= bytes[i];
			/* Whoever was slow finds zeros, and then finds it destroyed. */
			reading->wrong += !sum && vault_key(reading->vault, id, &bytes) == 0;
		}
		reading->wrong += active != 1 || !id;
		reading->rounds++;
	}
	return NULL;
}

static void readers_and_verbs_at_once(void **state)
{
	struct vault_home home;
	struct reading reading = { .stop = false };
	pthread_t threads[2];

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	reading.vault = home.vault;
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		check_ok(pthread_create(&threads[i], NULL, read_always, &reading));
	for (int i = 0; i < 150 || reading.rounds < 1000; i++) {
		uint32_t id = home_create(&home, KEY_DB);

		check_ok(vault_activate(home.vault, id, NOW_S));
		check_ok(vault_count(home.vault, id, 1 << 21));
		if (i > 2)
			check_ok(vault_destroy(home.vault, id - 2, NOW_S));
	}
	reading.stop = true;
	for (size_t i = 0; i < N_ELEMENTS(threads); i++)
		check_ok(pthread_join(threads[i], NULL));
	check_uint(reading.wrong, 0);
	home_deinit(&home);
}

/* --- memory --------------------------------------------------------------------------------------------------------------- */

enum { STEP = 1 << 16, PART = 16 };
static uint8_t window[PART + STEP];

/* How often a half of the key is in one mapping. The needle is only read where it lies, in guarded memory. */
static unsigned hits(int mem, uint64_t from, uint64_t to, const uint8_t *key)
{
	unsigned n = 0;

	memset(window, 0, PART);
	while (from < to) {
		size_t want = to - from < STEP ? (size_t)(to - from) : STEP;
		ssize_t got = pread(mem, window + PART, want, (off_t)from);

		if (got <= 0)
			break;
		for (size_t i = 0; i + PART <= PART + (size_t)got; i++)
			n += window[i] == key[0] && (!memcmp(window + i, key, PART) || !memcmp(window + i, key + PART, PART));
		memmove(window, window + got, PART);
		from += (size_t)got;
	}
	return n;
}

/* In mappings that a core image would show. */
static unsigned hits_in_core(const uint8_t *key)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t from = 0, to = 0;
	char line[512];
	unsigned n = 0, seen = 0;

	check_true(maps && mem >= 0);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t a, b;
		char mode[5];

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &a, &b, mode) == 3) {
			from = mode[0] == 'r' && mode[1] == 'w' ? a : 0;
			to = b;
		} else if (!strncmp(line, "VmFlags:", 8) && from && !strstr(line, " dd") && to - from <= (64u << 20) &&
			   !((uintptr_t)window >= from && (uintptr_t)window < to)) {
			n += hits(mem, from, to, key);
			seen++;
		}
	}
	check_true(seen > 3);
	close(mem);
	fclose(maps);
	return n;
}

/* The way to the key-encryption key, gone again by hand and in guarded memory: key file, hash, key. */
static void check_way_to_the_key(struct vault_home *home, enum seal_suite suite)
{
	static const char label[] = "gatewayd.kek.file.v1";
	char salted[64] = "gatewayd.kek.v1:";
	struct crypto_hash *hash = NULL;
	uint8_t header[48], *ways[3];
	int fd = open(home->key_path, O_RDONLY | O_CLOEXEC), file = open(tmpdir_path(&home->dir, "keystore.bin"), O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		void *guarded = NULL;

		check_ok(crypto_guarded_new(32, &guarded));
		ways[i] = guarded;
	}
	check_int(read(fd, ways[0], 32), 32);
	check_int(read(file, header, sizeof(header)), sizeof(header));
	check_ok(crypto_hash_new(suite == SEAL_SM4 ? CRYPTO_SM3 : CRYPTO_SHA256, &hash));
	crypto_hash_add(hash, label, sizeof(label));
	crypto_hash_add(hash, ways[0], 32);
	crypto_hash_end(hash, ways[1]);
	crypto_hash_free(hash);
	hex_print(header + 24, KEYSTORE_SALT_LEN, salted + strlen(salted));
	check_ok(seal_derive(suite, ways[1], salted, ways[2]));
	/* Read-only, so that they are passed over also where an emulator does not tell which pages a core image leaves out. */
	for (size_t i = 0; i < N_ELEMENTS(ways); i++)
		crypto_guarded_allow(ways[i], GUARD_READ);
	for (size_t i = 0; i < N_ELEMENTS(ways); i++)
		check_uint(hits_in_core(ways[i]), 0);
	for (size_t i = 0; i < N_ELEMENTS(ways); i++)
		crypto_guarded_free(ways[i]);
	close(fd);
	close(file);
}

static void no_key_is_in_a_core_image(void **state)
{
	struct vault_home home;
	uint32_t id;

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		home_init(&home, suites[s]);
		home_open(&home);
		home_reopen(&home);
		id = home_create(&home, KEY_DB);
		check_ok(vault_activate(home.vault, id, NOW_S));
		check_ok(vault_rewrap(home.vault, &home.options));
		for (enum key_purpose p = KEY_DB; p < KEY_PURPOSES; p++)
			check_uint(hits_in_core(home_key(&home, vault_active(home.vault, p))), 0);
		check_way_to_the_key(&home, suites[s]);
		/* The search does find what lies open. */
		uint8_t *open = malloc(KEYSTORE_SECRET_LEN);

		memcpy(open, home_key(&home, id), KEYSTORE_SECRET_LEN);
		check_true(hits_in_core(home_key(&home, id)) > 0);
		crypto_wipe(open, KEYSTORE_SECRET_LEN);
		free(open);
		home_deinit(&home);
	}
}

static void key_bytes_cannot_be_written(void **state)
{
	struct vault_home home;
	int status = 0;
	pid_t child;

	(void)state;
	home_init(&home, SEAL_XCHACHA);
	home_open(&home);
	child = fork();
	check_true(child >= 0);
	if (child == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);
		*(volatile uint8_t *)(uintptr_t)home_key(&home, FIRST) = 1;
		_exit(0);
	}
	check_int(waitpid(child, &status, 0), child);
	check_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(first_opening_makes_everything),
		cmocka_unit_test(every_verb_from_every_state),
		cmocka_unit_test(unknown_keys),
		cmocka_unit_test(successors),
		cmocka_unit_test(borrowed_bytes_stay),
		cmocka_unit_test(full),
		cmocka_unit_test(counting_writes_seldom),
		cmocka_unit_test(worn_keys),
		cmocka_unit_test(keys_without_a_clock),
		cmocka_unit_test(starts_and_generation),
		cmocka_unit_test(readers_and_verbs_at_once),
		cmocka_unit_test(no_key_is_in_a_core_image),
		cmocka_unit_test(key_bytes_cannot_be_written),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
