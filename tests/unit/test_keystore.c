/* The keystore's bytes: those of docs/spec/keystore.md, both ways, and everything that is not quite one. */
#include <stddef.h>

#include "base/bytes.h"
#include "base/text.h"
#include "check.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "vault/keystore.h"

/* Made by a program that was written from the page. */
static const char example_one[] =
	"67772d6b6579730a01000101280100000300000000000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
	"0000000000000000606162636465666768696a6b6c6d6e6f7071727374757677900d730dbdf5894a"
	"44cf35743469e7eb00000000000000000000000000000000e590f1d7190dcf1e59f55e2baf191780"
	"117d35cfde2522e65fe68701ec2517b52606c55fdbd95e1091f2897536e1df75464019a5e101b438"
	"ae19ffde5bc16f651a56b4ff5f816ee4c4a80492912c0daa06cdbdf7059811b34c2940b2e44c7889"
	"626007f3dfeddcbc0cd1df3eb16da116d83043f089a2a9353bce55d3f65cb669bf3af3768eddf3fd"
	"f680de2f3c57e6caaeaec03ea7e75c3a0dcca57ec126afc0ecf4e00d2c9c0d526806b01b62ad2966"
	"ef143deb3874633efbc87756dbaebc2aea8e4eb8a362e6f71d57c7f2f59c8ac786956c9003774be0"
	"de87b62e8f5262a7d56f5d2bd641c521089edec044309652d653549ec7d015e2753bb12456682598"
	"a09daa7c5aa6d1e4ce64b928fa4513ee836da9991127ac1f8c7a0f1bc0fe1f8ee5730230514196ac";
static const char example_two[] =
	"67772d6b6579730a01000302e50000000900000000000000a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
	"0004000001000000606162636465666768696a6b6c6d6e6f70717273747576774f1905e7fa7ccaa4"
	"dee7bf12737edc7fd4b400953817acba5711b8c43ee734f938c0f50e6f529960166aba6c4d4fa371"
	"697860697c2f048199573e4abe3c1052ee9778f9c8a954951340fc2b35bfdf6d0926f385ea4b831d"
	"b62f420d06fe70ae7a76b4b1196b35857a1973284a4d3fdfc1c1f728a07d83354198a7f686799017"
	"67ca481655c05c2d1800f80df801a5f171aa1218dfc8109cca347fc10a01b5c42a02f78568aa6b9f"
	"61742124aed41b3d145f7bfedb9a1583d416eb7d8d766477242e2295dc8ae9f4c3b2fd2ed5f741da"
	"8203789492e0d4493cdebc00ca6373e4ebb662c194309782a6b3d9fd3be0cc0af804f51c3e5fbe23"
	"263c5ce571e30a5c9934682612";
static const char kek_one[] = "2c37127249cb81f0353f9091c36d0a62fa5a99f65f1eb3f5ee979f7b1cb93b0f";
static const char kek_two[] = "3e8281bc7822b83354ac1074a075b62dc13785d086444e33b05b7d26b9f24905";

enum { AT_BODY = 104, KEY_LEN = 88 };

struct desk {
	struct keystore *store; /* guarded */
	struct seal_key *kek;
	uint8_t page[KEYSTORE_FILE_MAX];
	size_t len;
};

static void desk_init(struct desk *desk, enum seal_suite suite, const char *kek)
{
	uint8_t key[SEAL_KEY_LEN];
	void *store = NULL;

	memset(desk, 0, sizeof(*desk));
	check_ok(crypto_guarded_new(sizeof(*desk->store), &store));
	desk->store = store;
	check_ok(hex_parse(kek, strlen(kek), key, sizeof(key)));
	check_ok(seal_key_new(suite, key, &desk->kek));
}

static void desk_deinit(struct desk *desk)
{
	crypto_guarded_free(desk->store);
	seal_key_free(desk->kek);
}

static size_t load(const char *hex, uint8_t *ret)
{
	check_ok(hex_parse(hex, strlen(hex), ret, strlen(hex) / 2));
	return strlen(hex) / 2;
}

static void check_key(const struct keystore_key *key, const struct keystore_key *want)
{
	check_uint(key->id, want->id);
	check_uint(key->purpose, want->purpose);
	check_uint(key->state, want->state);
	check_uint(key->suite, want->suite);
	check_int(key->made_s, want->made_s);
	check_int(key->active_s, want->active_s);
	check_int(key->ended_s, want->ended_s);
	check_uint(key->uses, want->uses);
	check_uint(key->uses_max, want->uses_max);
	check_int(key->age_max_s, want->age_max_s);
	check_bytes(key->secret, sizeof(key->secret), want->secret, sizeof(want->secret));
}

static struct keystore_key key_of(uint32_t id, uint8_t purpose, uint8_t state, uint8_t suite, int64_t made_s, uint8_t fill)
{
	struct keystore_key key = {
		.id = id, .purpose = purpose, .state = state, .suite = suite, .made_s = made_s, .active_s = made_s,
		.uses_max = UINT64_C(1) << 32, .age_max_s = 31536000,
	};

	memset(key.secret, fill, sizeof(key.secret));
	return key;
}

static void check_header(const struct keystore *store, uint8_t source, uint8_t suite, uint64_t generation, uint32_t mem_kib)
{
	check_uint(store->source, source);
	check_uint(store->suite, suite);
	check_uint(store->generation, generation);
	check_uint(store->mem_kib, mem_kib);
	for (uint8_t i = 0; i < KEYSTORE_SALT_LEN; i++)
		check_uint(store->salt[i], 0xa0 + i);
}

static void first_example(void **state)
{
	struct keystore_key want = key_of(1, KEY_DB, KEY_DESTROYED, SEAL_XCHACHA, 1800000000, 0);
	struct desk desk;

	(void)state;
	desk_init(&desk, SEAL_XCHACHA, kek_one);
	desk.len = load(example_one, desk.page);
	check_ok(keystore_read_header(desk.page, desk.len, desk.store));
	check_header(desk.store, KEY_SOURCE_FILE, SEAL_XCHACHA, 3, 0);
	check_uint(desk.store->n_keys, 0);
	check_ok(keystore_read(desk.page, desk.len, desk.kek, desk.store));
	check_header(desk.store, KEY_SOURCE_FILE, SEAL_XCHACHA, 3, 0);
	check_uint(desk.store->starts, 2);
	check_uint(desk.store->next_id, 4);
	check_text(desk.store->spent, "");
	check_uint(desk.store->gateway_id[0], 0x10);
	check_uint(desk.store->gateway_id[15], 0x1f);
	check_uint(desk.store->n_keys, 3);
	want.ended_s = 1800086400;
	want.uses = 7;
	check_key(&desk.store->keys[0], &want);
	want = key_of(2, KEY_DB, KEY_ACTIVE, SEAL_XCHACHA, 1800086400, 0x42);
	want.uses = 1 << 20;
	check_key(&desk.store->keys[1], &want);
	want = key_of(3, KEY_SIGN, KEY_ACTIVE, 1, 1800000000, 0x53);
	check_key(&desk.store->keys[2], &want);
	desk_deinit(&desk);
}

static void second_example(void **state)
{
	struct keystore_key want = key_of(1, KEY_DB, KEY_ACTIVE, SEAL_SM4, 1800000000, 0x42);
	struct desk desk;

	(void)state;
	desk_init(&desk, SEAL_SM4, kek_two);
	desk.len = load(example_two, desk.page);
	check_ok(keystore_read(desk.page, desk.len, desk.kek, desk.store));
	check_header(desk.store, KEY_SOURCE_PASSPHRASE, SEAL_SM4, 9, 1024);
	check_uint(desk.store->passes, 1);
	check_text(desk.store->spent, "/etc/gatewayd/kek.key");
	check_uint(desk.store->n_keys, 2);
	check_key(&desk.store->keys[0], &want);
	want = key_of(2, KEY_SIGN_SM2, KEY_ACTIVE, 2, 1800000000, 0x53);
	check_key(&desk.store->keys[1], &want);
	desk_deinit(&desk);
}

static void the_page_is_right(void **state)
{
	const char *const examples[] = { example_one, example_two };
	char path[512], *page = NULL;
	size_t len = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/spec/keystore.md", getenv("GW_SOURCE_ROOT"));
	check_ok(host_read_file(path, 1 << 20, &page, &len));
	for (size_t i = 0; i < N_ELEMENTS(examples); i++) {
		for (size_t at = 0; at < strlen(examples[i]); at += 80) {
			char line[81];

			snprintf(line, sizeof(line), "%s", examples[i] + at);
			check_true(strstr(page, line));
		}
	}
	check_true(strstr(page, kek_one) && strstr(page, kek_two));
	free(page);
}

/* What is read and written again is the same, but for nonce and tag. */
static void there_is_one_form(void **state)
{
	struct desk desk;
	uint8_t again[KEYSTORE_FILE_MAX];
	size_t len = 0;

	(void)state;
	desk_init(&desk, SEAL_XCHACHA, kek_one);
	desk.len = load(example_one, desk.page);
	check_ok(keystore_read(desk.page, desk.len, desk.kek, desk.store));
	check_ok(keystore_write(desk.store, desk.kek, again, &len));
	check_uint(len, desk.len);
	check_bytes(again, 48, desk.page, 48);
	check_true(memcmp(again + 48, desk.page + 48, len - 48) != 0);
	/* and no nonce comes twice */
	uint8_t third[KEYSTORE_FILE_MAX];

	check_ok(keystore_write(desk.store, desk.kek, third, &len));
	check_true(memcmp(again + 48, third + 48, 24) != 0);
	desk_deinit(&desk);
}

/* Each bit of the file counts. */
static void a_flipped_bit(void **state)
{
	struct desk desk;

	(void)state;
	desk_init(&desk, SEAL_SM4, kek_two);
	desk.len = load(example_two, desk.page);
	for (size_t bit = 0; bit < desk.len * 8; bit++) {
		int r;

		desk.page[bit / 8] ^= (uint8_t)(1 << bit % 8);
		r = keystore_read(desk.page, desk.len, desk.kek, desk.store);
		check_true(r == KEYSTORE_E_SYNTAX || r == KEYSTORE_E_SEALED || (r == KEYSTORE_E_NEWER && bit / 64 == 1));
		check_uint(desk.store->n_keys, 0);
		desk.page[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t len = 0; len < desk.len; len++) {
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, desk.page, len);
		check_int(keystore_read(cut, len, desk.kek, desk.store), KEYSTORE_E_SYNTAX);
		free(cut);
	}
	desk.page[desk.len] = 0;
	check_int(keystore_read(desk.page, desk.len + 1, desk.kek, desk.store), KEYSTORE_E_SYNTAX);
	check_ok(keystore_read(desk.page, desk.len, desk.kek, desk.store));
	desk_deinit(&desk);
}

static void other_keys_do_not_open_it(void **state)
{
	struct desk desk, other;

	(void)state;
	desk_init(&desk, SEAL_XCHACHA, kek_one);
	desk_init(&other, SEAL_XCHACHA, kek_two);
	desk.len = load(example_one, desk.page);
	check_int(keystore_read(desk.page, desk.len, other.kek, desk.store), KEYSTORE_E_SEALED);
	desk_deinit(&other);
	desk_init(&other, SEAL_SM4, kek_one);
	check_int(keystore_read(desk.page, desk.len, other.kek, desk.store), KEYSTORE_E_SEALED);
	desk_deinit(&other);
	desk_deinit(&desk);
}

/* Fields of the header that no sound writer gives, each one step beyond what is permitted. */
static void headers_out_of_range(void **state)
{
	static const struct {
		size_t at, len;
		uint32_t value;
		int want;
	} rows[] = {
		{ 8, 2, 0, KEYSTORE_E_SYNTAX },
		{ 8, 2, 2, KEYSTORE_E_NEWER },
		{ 8, 2, 0xffff, KEYSTORE_E_NEWER },
		{ 10, 1, 0, KEYSTORE_E_SYNTAX },
		{ 10, 1, KEY_SOURCE_FILE, KEYSTORE_E_SYNTAX }, /* with the cost of a passphrase */
		{ 10, 1, KEY_SOURCES, KEYSTORE_E_SYNTAX },
		{ 11, 1, 0, KEYSTORE_E_SYNTAX },
		{ 11, 1, 3, KEYSTORE_E_SYNTAX },
		{ 12, 4, 0, KEYSTORE_E_SYNTAX },
		{ 12, 4, UINT32_MAX, KEYSTORE_E_SYNTAX },
		{ 40, 4, 0, KEYSTORE_E_SYNTAX },
		{ 40, 4, KEYSTORE_MEM_KIB_MAX + 1, KEYSTORE_E_SYNTAX },
		{ 40, 4, KEYSTORE_MEM_KIB_MAX, 0 },
		{ 44, 4, 0, KEYSTORE_E_SYNTAX },
		{ 44, 4, KEYSTORE_PASSES_MAX + 1, KEYSTORE_E_SYNTAX },
		{ 44, 4, KEYSTORE_PASSES_MAX, 0 },
		{ 0, 1, 'G', KEYSTORE_E_SYNTAX },
	};
	struct desk desk;

	(void)state;
	desk_init(&desk, SEAL_SM4, kek_two);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		desk.len = load(example_two, desk.page);
		for (size_t b = 0; b < rows[i].len; b++)
			desk.page[rows[i].at + b] = (uint8_t)(rows[i].value >> 8 * b);
		check_int(keystore_read_header(desk.page, desk.len, desk.store), rows[i].want);
	}
	desk_deinit(&desk);
}

/* The body with one field changed, sealed as it should be: still refused. */
static void reseal(struct desk *desk, size_t at, size_t len, uint64_t value)
{
	struct seal_key *kek = desk->kek;
	size_t body = desk->len - AT_BODY;

	check_ok(seal_open(kek, desk->page + 48, desk->page, 72, desk->page + AT_BODY, body, desk->page + 72, desk->page + AT_BODY));
	for (size_t b = 0; b < len; b++)
		desk->page[AT_BODY + at + b] = (uint8_t)(value >> 8 * b);
	seal_make(kek, desk->page + 48, desk->page, 72, desk->page + AT_BODY, body, desk->page + AT_BODY, desk->page + 72);
}

static void bodies_out_of_range(void **state)
{
	enum { STARTS = 16, NEXT = 24, SPENT = 28, N = 30, KEY1 = 32, KEY2 = KEY1 + KEY_LEN, KEY3 = KEY2 + KEY_LEN };
	static const struct {
		size_t at, len;
		uint64_t value;
		int want;
	} rows[] = {
		{ STARTS, 8, UINT64_MAX, 0 },
		{ NEXT, 4, 0, KEYSTORE_E_SYNTAX },
		{ NEXT, 4, 3, KEYSTORE_E_SYNTAX }, /* given already */
		{ NEXT, 4, UINT32_MAX, 0 },
		{ SPENT, 2, KEYSTORE_PATH_MAX, KEYSTORE_E_SYNTAX },
		{ SPENT, 2, 1, KEYSTORE_E_SYNTAX },
		{ N, 2, 2, KEYSTORE_E_SYNTAX }, /* bytes behind */
		{ N, 2, 4, KEYSTORE_E_SYNTAX },
		{ N, 2, KEYSTORE_KEYS_MAX + 1, KEYSTORE_E_SYNTAX },
		{ KEY1, 4, 0, KEYSTORE_E_SYNTAX },
		{ KEY2, 4, 1, KEYSTORE_E_SYNTAX },
		{ KEY2, 4, 3, KEYSTORE_E_SYNTAX },
		{ KEY2 + 4, 1, 0, KEYSTORE_E_SYNTAX },
		{ KEY2 + 4, 1, KEY_PURPOSES, KEYSTORE_E_SYNTAX },
		{ KEY2 + 4, 1, KEY_FILES, 0 },
		{ KEY2 + 5, 1, 0, KEYSTORE_E_SYNTAX },
		{ KEY2 + 5, 1, KEY_STATES, KEYSTORE_E_SYNTAX },
		{ KEY2 + 5, 1, KEY_DESTROYED, KEYSTORE_E_SYNTAX }, /* with its bytes */
		{ KEY2 + 5, 1, KEY_COMPROMISED, 0 },
		{ KEY1 + 5, 1, KEY_DEACTIVATED, KEYSTORE_E_SYNTAX }, /* without */
		{ KEY2 + 6, 1, 0, KEYSTORE_E_SYNTAX },
		{ KEY2 + 6, 1, 3, KEYSTORE_E_SYNTAX },
		{ KEY2 + 6, 1, 2, 0 }, /* each key has a suite of its own */
		{ KEY3 + 6, 1, 2, KEYSTORE_E_SYNTAX },
		{ KEY3 + 4, 1, KEY_SIGN_SM2, KEYSTORE_E_SYNTAX },
		{ KEY3 + 4, 1, KEY_DB, KEYSTORE_E_SYNTAX }, /* two that are active */
		{ KEY2 + 7, 1, 1, KEYSTORE_E_SYNTAX },
	};
	struct desk desk;

	(void)state;
	desk_init(&desk, SEAL_XCHACHA, kek_one);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		desk.len = load(example_one, desk.page);
		reseal(&desk, rows[i].at, rows[i].len, rows[i].value);
		int r = keystore_read(desk.page, desk.len, desk.kek, desk.store);

		if (r != rows[i].want)
			print_error("row %zu\n", i);
		check_int(r, rows[i].want);
		check_true(r == 0 || desk.store->n_keys == 0);
	}
	desk_deinit(&desk);
}

/* KEYSTORE_KEYS_MAX keys and the longest path fit into KEYSTORE_FILE_MAX, and come back. */
static void the_largest(void **state)
{
	static uint8_t export[KEYSTORE_FILE_MAX];
	struct desk desk;
	size_t len = 0;

	(void)state;
	desk_init(&desk, SEAL_XCHACHA, kek_one);
	desk.store->source = KEY_SOURCE_CREDENTIAL;
	desk.store->suite = SEAL_XCHACHA;
	desk.store->next_id = KEYSTORE_KEYS_MAX + 1;
	desk.store->n_keys = KEYSTORE_KEYS_MAX;
	memset(desk.store->spent, 'x', KEYSTORE_PATH_MAX - 1);
	for (uint32_t i = 0; i < KEYSTORE_KEYS_MAX; i++)
		desk.store->keys[i] = key_of(i + 1, KEY_DB, KEY_PREACTIVE, SEAL_SM4, 5, (uint8_t)(i + 1));
	check_ok(keystore_write(desk.store, desk.kek, desk.page, &desk.len));
	check_true(desk.len <= KEYSTORE_FILE_MAX);
	/* All keys fit into what a backup takes. */
	check_ok(keystore_export(desk.store, export, SECRET_LEN_MAX, &len));
	check_int(keystore_export(desk.store, export, len - 1, &len), -ENOSPC);
	memset(desk.store, 0, sizeof(*desk.store));
	check_ok(keystore_read(desk.page, desk.len, desk.kek, desk.store));
	check_uint(desk.store->keys[KEYSTORE_KEYS_MAX - 1].secret[31], KEYSTORE_KEYS_MAX);
	check_uint(strlen(desk.store->spent), KEYSTORE_PATH_MAX - 1);
	/* One path longer, one key more, a path that is no text: not written. */
	memset(desk.store->spent, 'x', KEYSTORE_PATH_MAX);
	check_int(keystore_write(desk.store, desk.kek, desk.page, &desk.len), -EINVAL);
	strcpy(desk.store->spent, "\xff");
	check_int(keystore_write(desk.store, desk.kek, desk.page, &desk.len), -EINVAL);
	desk.store->spent[0] = '\0';
	desk.store->n_keys++;
	check_int(keystore_write(desk.store, desk.kek, desk.page, &desk.len), -EINVAL);
	desk.store->n_keys--;
	desk.store->suite = SEAL_SM4; /* not what the key is of */
	check_int(keystore_write(desk.store, desk.kek, desk.page, &desk.len), -EINVAL);
	desk_deinit(&desk);
}

static void exported_keys(void **state)
{
	static uint8_t bytes[SECRET_LEN_MAX];
	struct desk desk;
	size_t len = 0;

	(void)state;
	desk_init(&desk, SEAL_XCHACHA, kek_one);
	desk.len = load(example_one, desk.page);
	check_ok(keystore_read(desk.page, desk.len, desk.kek, desk.store));
	check_ok(keystore_export(desk.store, bytes, sizeof(bytes), &len));
	check_uint(len, 8 + 2 + 8 + 8 + 16 + 4 + 2 + 2 * KEY_LEN); /* without the destroyed one */
	memset(desk.store, 0, sizeof(*desk.store));
	check_ok(keystore_import(bytes, len, desk.store));
	check_uint(desk.store->n_keys, 2);
	check_uint(desk.store->keys[0].id, 2);
	check_uint(desk.store->keys[1].secret[0], 0x53);
	check_uint(desk.store->generation, 3);
	check_uint(desk.store->starts, 2);
	check_uint(desk.store->next_id, 4);
	check_uint(desk.store->gateway_id[15], 0x1f);
	for (size_t n = 0; n < len; n++)
		check_int(keystore_import(bytes, n, desk.store), KEYSTORE_E_SYNTAX);
	check_int(keystore_import(bytes, len + 1, desk.store), KEYSTORE_E_SYNTAX);
	bytes[48 + 5] = KEY_DESTROYED;
	memset(bytes + 48 + 56, 0, KEYSTORE_SECRET_LEN);
	check_int(keystore_import(bytes, len, desk.store), KEYSTORE_E_SYNTAX);
	bytes[8] = 2;
	check_int(keystore_import(bytes, len, desk.store), KEYSTORE_E_NEWER);
	bytes[8] = 0;
	check_int(keystore_import(bytes, len, desk.store), KEYSTORE_E_SYNTAX);
	desk_deinit(&desk);
}

/* Clause 8.1.2-d: the whole table, and nothing beside it. */
static void steps(void **state)
{
	static const char *const want[KEY_STATES] = {
		/*                      -PADCX, P pre-active ... X destroyed */
		[0] = "......",		     [KEY_PREACTIVE] = "..A.CX", [KEY_ACTIVE] = "...DC.",
		[KEY_DEACTIVATED] = "....CX", [KEY_COMPROMISED] = ".....X", [KEY_DESTROYED] = "......",
	};

	(void)state;
	for (unsigned from = 0; from < KEY_STATES; from++) {
		for (unsigned to = 0; to < KEY_STATES; to++)
			check_int(key_may_become((enum key_state)from, (enum key_state)to), want[from][to] != '.');
	}
	check_true(!key_may_become(KEY_STATES, KEY_ACTIVE) && !key_may_become(KEY_ACTIVE, KEY_STATES));
}

static void names(void **state)
{
	static const char *const purposes[KEY_PURPOSES] = { NULL, "db", "audit", "files", "devices", "sign", "sign-sm2" };
	enum key_purpose purpose = 0;

	(void)state;
	for (unsigned i = 1; i < KEY_PURPOSES; i++) {
		check_text(key_purpose_name((enum key_purpose)i), purposes[i]);
		check_ok(key_purpose_parse(purposes[i], &purpose));
		check_uint(purpose, i);
	}
	check_int(key_purpose_parse("unknown", &purpose), KEYSTORE_E_SYNTAX);
	check_int(key_purpose_parse("", &purpose), KEYSTORE_E_SYNTAX);
	check_int(key_purpose_parse(NULL, &purpose), KEYSTORE_E_SYNTAX);
	check_text(key_purpose_name(KEY_PURPOSES), "unknown");
	check_text(key_purpose_name(0), "unknown");
	check_text(key_state_name(KEY_PREACTIVE), "pre-active");
	check_text(key_state_name(KEY_DESTROYED), "destroyed");
	check_text(key_state_name(KEY_STATES), "unknown");
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(first_example),
		cmocka_unit_test(second_example),
		cmocka_unit_test(the_page_is_right),
		cmocka_unit_test(there_is_one_form),
		cmocka_unit_test(a_flipped_bit),
		cmocka_unit_test(other_keys_do_not_open_it),
		cmocka_unit_test(headers_out_of_range),
		cmocka_unit_test(bodies_out_of_range),
		cmocka_unit_test(the_largest),
		cmocka_unit_test(exported_keys),
		cmocka_unit_test(steps),
		cmocka_unit_test(names),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
