/* The bytes of a sealed page and of a frame: the worked example of docs/spec/vfs.md, which was computed from that page
 * alone with Python; and SQLite's own checksums, taken from a WAL that SQLite wrote.
 */
#include "sealed_home.h"

#include <sqlite3.h>
#include "base/text.h"
#include "sys/db_page.h"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

static void check_hex(const void *got, size_t len, const char *want)
{
	char hex[2 * PAGE_TRAILER + 1];

	hex_print(got, len, hex);
	check_text(hex, want);
}

static void check_sha256(const void *data, size_t len, const char *want)
{
	uint8_t hash[CRYPTO_HASH_LEN];

	crypto_sha256(data, len, hash);
	check_hex(hash, sizeof(hash), want);
}

static struct seal_key *example_key(enum seal_suite suite)
{
	uint8_t bytes[SEAL_KEY_LEN];
	struct seal_key *key;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	check_ok(seal_key_new(suite, bytes, &key));
	return key;
}

static void example_page(uint8_t page[PAGE_LEN], uint8_t nonce[SEAL_NONCE_LEN])
{
	for (size_t i = 0; i < PAGE_TEXT; i++)
		page[i] = (uint8_t)(i * 7 + i / 256);
	memset(page + PAGE_TEXT, 0, PAGE_TRAILER);
	for (size_t i = 0; i < SEAL_NONCE_LEN; i++)
		nonce[i] = (uint8_t)(0x40 + i);
}

static void the_example_of_a_page(void **state)
{
	static const struct {
		const char *first, *trailer, *sha256;
	} want[] = {
		{ "d43e0b65ccc35327b7cbc1f3fbc707fb",
		  "0403020101000000404142434445464748494a4b4c4d4e4f5051525354555657"
		  "2764ff7a21713cec1eb665d69ad7fcdf00000000000000000000000000000000",
		  "283e19257c5ad4cfae8bc14c7db8e0c4a8ac38c9356e14d468e86d4763200fac" },
		{ "4a12dfce22afeada292c87d09710f7cd",
		  "0403020102000000404142434445464748494a4b4c4d4e4f5051525354555657"
		  "dad8476b9ac863450023e8cf5d0c9b8f7c22b0bf9a07cc82473a85a22a7c83ad",
		  "91227eeb8ceb1ed4cf0ab864c8e02b93b4c41e08a5e0d34938fc98ef26421b9e" },
	};
	uint8_t page[PAGE_LEN], sealed[PAGE_LEN], got[PAGE_LEN], nonce[SEAL_NONCE_LEN];
	struct page_place place;

	(void)state;
	example_page(page, nonce);
	check_ok(page_place_init(&place, "/var/lib/gatewayd/gateway.db", false));
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct seal_key *key = example_key(suites[i]);

		page_place_move(&place, 8192, NULL);
		page_seal(key, 0x01020304, nonce, &place, page, sealed);
		check_hex(sealed, 16, want[i].first);
		check_hex(sealed + PAGE_TEXT, PAGE_TRAILER, want[i].trailer);
		check_sha256(sealed, sizeof(sealed), want[i].sha256);
		check_uint(page_key_id(sealed), 0x01020304);
		check_true(page_looks_sealed(sealed));
		check_ok(page_open(key, &place, sealed, got));
		check_bytes(got, sizeof(got), page, sizeof(page));
		page_place_move(&place, 4096, NULL);
		check_int(page_open(key, &place, sealed, got), CRYPTO_E_MISMATCH);
		check_true(got[0] == 0 && memcmp(got, got + 1, PAGE_LEN - 1) == 0);
		seal_key_free(key);
	}
}

static void the_example_of_a_frame(void **state)
{
	static const uint8_t head[FRAME_HEAD] = {
		0, 0, 0, 3, 0, 0, 0, 5, 0xa1, 0xa2, 0xa3, 0xa4, 0xb1, 0xb2, 0xb3, 0xb4, 0xc1, 0xc2, 0xc3, 0xc4, 0xd1, 0xd2, 0xd3, 0xd4,
	};
	static const struct {
		const char *head, *tag, *sha256;
	} want[] = {
		{ "d3850715f3af16fba1a2a3a4b1b2b3b4388888411435f7a7", "63a0dd95cc2821915ce4ebf8ed286a1c00000000000000000000000000000000",
		  "ba3c9e7bb349b905972f9184e616a6703d3d64849878456c7925561a0b5f833b" },
		{ "6031ccda7978b5caa1a2a3a4b1b2b3b46780e03596d7a917", "ed164c10ed59b3babb8c28192210a081a21ff2014cf99ba67d8fe5ab209f82ef",
		  "b5ca8173f250ce036a789f55005347fb8b5ebc25ec90bce65f703ef28fec7247" },
	};
	uint8_t page[PAGE_LEN], frame[FRAME_LEN], got[PAGE_LEN], nonce[SEAL_NONCE_LEN];
	struct page_place place;

	(void)state;
	example_page(page, nonce);
	check_ok(page_place_init(&place, "/var/lib/gatewayd/gateway.db-wal", true));
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct seal_key *key = example_key(suites[i]);

		page_place_move(&place, WAL_HEAD + FRAME_LEN, head);
		memcpy(frame, head, FRAME_HEAD);
		page_seal(key, 0x01020304, nonce, &place, page, frame + FRAME_HEAD);
		frame_mask(key, frame + FRAME_HEAD, frame);
		check_hex(frame, FRAME_HEAD, want[i].head);
		check_hex(frame + FRAME_LEN - SEAL_TAG_LEN, SEAL_TAG_LEN, want[i].tag);
		check_sha256(frame, sizeof(frame), want[i].sha256);
		check_ok(page_open(key, &place, frame + FRAME_HEAD, got));
		check_bytes(got, sizeof(got), page, sizeof(page));
		frame_mask(key, frame + FRAME_HEAD, frame);
		check_bytes(frame, FRAME_HEAD, head, FRAME_HEAD);
		check_uint(frame_commit(frame), 5);
		/* The header is bound to the page. */
		for (size_t byte = 0; byte < FRAME_HEAD; byte++) {
			frame[byte] ^= 4;
			page_place_move(&place, WAL_HEAD + FRAME_LEN, frame);
			check_int(page_open(key, &place, frame + FRAME_HEAD, got), CRYPTO_E_MISMATCH);
			frame[byte] ^= 4;
		}
		seal_key_free(key);
	}
}

static void names_and_their_limit(void **state)
{
	char name[PAGE_NAME_MAX + 6];
	struct page_place place;

	(void)state;
	check_int(page_place_init(&place, "", false), -EINVAL);
	check_int(page_place_init(&place, "/a/b/", false), -EINVAL);
	check_int(page_place_init(&place, "-wal", true), -EINVAL);
	check_int(page_place_init(&place, "/a/x.db", true), -EINVAL);
	check_ok(page_place_init(&place, "x", false));
	check_uint(place.len, 1 + 8 + 1);
	check_ok(page_place_init(&place, "/a/x.db-wal", true));
	check_uint(place.len, 1 + 8 + FRAME_HEAD + 4);
	memset(name, 'n', sizeof(name));
	memcpy(name + PAGE_NAME_MAX, "-wal", 5);
	check_ok(page_place_init(&place, name, true));
	check_uint(place.len, sizeof(place.bytes));
	name[PAGE_NAME_MAX] = '\0';
	check_ok(page_place_init(&place, name, false));
	name[PAGE_NAME_MAX] = 'n';
	memcpy(name + PAGE_NAME_MAX + 1, "-wal", 5);
	check_int(page_place_init(&place, name, true), -ENAMETOOLONG);
}

/* A WAL as SQLite wrote it, not sealed. */
static uint8_t *plain_wal(struct tmpdir *dir, size_t *ret_len)
{
	sqlite3 *db;

	check_int(sqlite3_open(tmpdir_path(dir, "p.db"), &db), SQLITE_OK);
	check_int(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
	check_int(sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(randomblob(9000));"
				   "INSERT INTO t VALUES(randomblob(20000))", NULL, NULL, NULL), SQLITE_OK);
	check_int(sqlite3_close(db), SQLITE_OK);
	return slurp(tmpdir_path(dir, "p.db-wal"), ret_len);
}

static void checksums_are_those_of_sqlite(void **state)
{
	uint8_t head[FRAME_HEAD];
	struct wal_sum sum, from;
	struct tmpdir dir;
	uint8_t *wal;
	size_t n, commits = 0;

	(void)state;
	tmpdir_init(&dir);
	wal = plain_wal(&dir, &n);
	check_true(wal_head_read(wal, &sum, head));
	check_bytes(head + 8, 8, wal + 16, 8);
	for (size_t at = WAL_HEAD; at < n; at += FRAME_LEN) {
		check_true(frame_same_salts(wal + at, head));
		check_true(wal_sum_add(&sum, wal + at, wal + at + FRAME_HEAD));
		from.big_endian = sum.big_endian;
		wal_sum_from(&from, wal + at);
		check_uint(from.a, sum.a);
		check_uint(from.b, sum.b);
		commits += frame_commit(wal + at) != 0;
	}
	check_uint(commits, 3);
	wal[WAL_HEAD + 100] ^= 1;
	check_true(wal_head_read(wal, &sum, head));
	check_true(!wal_sum_add(&sum, wal + WAL_HEAD, wal + WAL_HEAD + FRAME_HEAD));
	wal[WAL_HEAD + 8] ^= 1;
	check_true(!frame_same_salts(wal + WAL_HEAD, head));
	for (size_t bit = 0; bit < WAL_HEAD * 8; bit++) {
		wal[bit / 8] ^= (uint8_t)(1u << bit % 8);
		check_true(!wal_head_read(wal, &sum, head));
		wal[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(wal);
	tmpdir_deinit(&dir);
}

/* What stands in for a torn page 1 is a header that SQLite takes. */
static void the_first_bytes_are_a_header(void **state)
{
	static uint8_t page[PAGE_LEN];
	struct tmpdir dir;
	sqlite3 *db;

	(void)state;
	tmpdir_init(&dir);
	memcpy(page, page_first_bytes, sizeof(page_first_bytes));
	page[31] = 1; /* one page long, and empty */
	page[100] = 13;
	page[105] = (PAGE_LEN - PAGE_TRAILER) >> 8;
	page[106] = (uint8_t)(PAGE_LEN - PAGE_TRAILER);
	spill(tmpdir_path(&dir, "p.db"), page, sizeof(page));
	check_int(sqlite3_open(tmpdir_path(&dir, "p.db"), &db), SQLITE_OK);
	check_int(sqlite3_exec(db, "CREATE TABLE t(x); INSERT INTO t VALUES(1)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_example_of_a_page),
		cmocka_unit_test(the_example_of_a_frame),
		cmocka_unit_test(names_and_their_limit),
		cmocka_unit_test(checksums_are_those_of_sqlite),
		cmocka_unit_test(the_first_bytes_are_a_header),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
