/* Twenty strings, planted in every kind of place that a database has, are looked for in the raw bytes of all it leaves in
 * its folder, at every stage of its life. And what is left looks like noise.
 */
#include "sealed_home.h"

#include <dirent.h>
#include <math.h>
#include "sys/db_page.h"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

static const char *const canaries[] = {
	"CANARY-device-name", "CANARY-room-name", "CANARY-user-name", "CANARY-one-time-code", "CANARY-password-hash", "CANARY-topic/a/b",
	"CANARY-blob-value", "CANARY-in-an-index", "CANARY-overflow-page", "CANARY-deleted-row", "CANARY-updated-away", "CANARY-rolled-back",
	"CANARY-trigger-text", "CANARY-table-name", "CANARY-column-name", "CANARY-view-text", "CANARY-dropped-table", "CANARY-default-value",
	"CANARY-without-rowid", "CANARY-audit-detail",
};
_Static_assert(N_ELEMENTS(canaries) == 20, "as many as are promised");

static const char *const steps[] = {
	"CREATE TABLE \"CANARY-table-name\"(\"CANARY-column-name\" TEXT DEFAULT 'CANARY-default-value', x TEXT)",
	"CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 'CANARY-trigger-text'; END",
	"CREATE VIEW v AS SELECT 'CANARY-view-text'",
	"CREATE TABLE w(k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID, STRICT",
	"INSERT INTO \"CANARY-table-name\"(x) VALUES('CANARY-device-name')",
	"INSERT INTO \"CANARY-table-name\" VALUES('CANARY-room-name', 'CANARY-user-name')",
	"INSERT INTO t(name) VALUES('CANARY-in-an-index'), ('CANARY-one-time-code'), ('CANARY-password-hash'), ('CANARY-topic/a/b')",
	"INSERT INTO t(b) VALUES(CAST('CANARY-blob-value' AS BLOB))",
	"INSERT INTO t(b) VALUES(CAST(hex(zeroblob(4500)) || 'CANARY-overflow-page' || hex(zeroblob(4500)) AS BLOB))",
	"INSERT INTO t(id, name) VALUES(900, 'CANARY-deleted-row'), (901, 'CANARY-updated-away')",
	"DELETE FROM t WHERE id = 900",
	"UPDATE t SET name = 'gone' WHERE id = 901",
	"BEGIN; INSERT INTO t(name) VALUES('CANARY-rolled-back'); ROLLBACK",
	"CREATE TABLE d(x TEXT); INSERT INTO d VALUES('CANARY-dropped-table'); DROP TABLE d",
	"INSERT INTO w VALUES('CANARY-without-rowid', 'CANARY-audit-detail')",
	/* Spills from the cache, sorts, and a transaction that is undone after it has spilled. */
	("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO t(name, b)"
	 " SELECT 'CANARY-in-an-index' || i, CAST('CANARY-blob-value' || hex(zeroblob(750)) AS BLOB) FROM n"),
	"CREATE INDEX late ON t(b, name)",
	"DELETE FROM t WHERE id > 950 AND id % 2",
	"CREATE TEMP TABLE tt AS SELECT * FROM t",
	"SELECT count(*) FROM (SELECT DISTINCT name || b FROM t ORDER BY b, name)",
	"BEGIN; UPDATE t SET name = 'CANARY-rolled-back' || id; ROLLBACK",
};

/* All files of the folder, and how many there were. */
static size_t look_in_files(struct tmpdir *dir)
{
	DIR *d = opendir(dir->path);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		uint8_t *data;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		data = slurp(tmpdir_path(dir, entry->d_name), &len);
		assert_non_null(data);
		for (size_t i = 0; i < N_ELEMENTS(canaries); i++) {
			if (memmem(data, len, canaries[i], strlen(canaries[i])))
				print_error("%s is in %s\n", canaries[i], entry->d_name);
			check_true(!memmem(data, len, canaries[i], strlen(canaries[i])));
		}
		check_true(!memmem(data, len, "CANARY", 6) && !memmem(data, len, "CREATE", 6) && !memmem(data, len, "SQLite", 6));
		free(data);
		n++;
	}
	closedir(d);
	return n;
}

/* The test can fail: a plain database shows all that a reader of the disk would find. */
static void a_plain_one_shows_them(void **state)
{
	const struct db_options plainly = { .migrations = migrations, .n_migrations = 1 };
	struct tmpdir dir;
	size_t n, found = 0;
	uint8_t *wal;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	check_ok(db_open(tmpdir_path(&dir, "a.db"), &plainly, &db));
	for (size_t i = 0; i < N_ELEMENTS(steps); i++)
		check_ok(db_exec(db, steps[i]));
	wal = slurp(tmpdir_path(&dir, "a.db-wal"), &n);
	for (size_t i = 0; i < N_ELEMENTS(canaries); i++) {
		if (memmem(wal, n, canaries[i], strlen(canaries[i])))
			found++;
		else
			print_error("%s is nowhere\n", canaries[i]);
	}
	check_uint(found, N_ELEMENTS(canaries));
	free(wal);
	db_close(db);
	tmpdir_deinit(&dir);
}

static void a_sealed_one_shows_none(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct db_keys *keys = ring_of(1, suites[s]);
		struct image image;
		struct tmpdir dir;
		struct db *db;

		memory_dir_init(&dir);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		for (size_t i = 0; i < N_ELEMENTS(steps); i++) {
			check_ok(db_exec(db, steps[i]));
			check_uint(look_in_files(&dir), 3); /* the database, its WAL and its index */
		}
		check_ok(db_checkpoint(db));
		look_in_files(&dir);
		/* A bit flips, so that a WAL is kept aside. */
		for (int i = 0; i < 3; i++)
			check_ok(db_exec(db, "INSERT INTO t(name) VALUES('CANARY-device-name')"));
		image_take(&image, &dir);
		db_close(db);
		check_uint(look_in_files(&dir), 1);
		image.wal[WAL_HEAD + 40] ^= 1;
		image_lay(&image, &dir);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		check_true(db_keys_stats(keys).lost_frames > 0);
		check_uint(look_in_files(&dir), 4);
		ring_put(keys, 2, suites[1 - s]);
		check_ok(db_keys_activate(keys, 2));
		check_ok(db_rewrite(db));
		look_in_files(&dir);
		db_close(db);
		image_free(&image);
		check_uint(look_in_files(&dir), 2);
		db_keys_free(keys);
		tmpdir_deinit(&dir);
	}
}

static double bits_a_byte(const uint8_t *data, size_t len)
{
	size_t counts[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < len; i++)
		counts[data[i]]++;
	for (size_t i = 0; i < 256; i++)
		if (counts[i])
			bits -= (double)counts[i] / (double)len * log2((double)counts[i] / (double)len);
	return bits;
}

static double chi_square(const uint8_t *data, size_t len, size_t step)
{
	double counts[256] = { 0 }, want = (double)(len / step) / 256, sum = 0;

	for (size_t i = 0; i < len / step; i++)
		counts[data[i * step]]++;
	for (size_t i = 0; i < 256; i++)
		sum += (counts[i] - want) * (counts[i] - want) / want;
	return sum;
}

/* Pages of zeros, each the same: the bytes they become are spread evenly, no two pages share a block of 16, nor do two
 * writings of one page. */
static void what_is_left_is_noise(void **state)
{
	enum { PAGES = 500 };
	static uint8_t sealed[PAGES * PAGE_LEN], text[PAGES * PAGE_TEXT];
	static uint64_t blocks[PAGES * PAGE_TEXT / 16];

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct db_keys *keys = ring_of(1, suites[s]);
		size_t n, n_blocks = 0;
		struct tmpdir dir;
		uint8_t *wal;
		struct db *db;

		memory_dir_init(&dir);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		for (int i = 0; i < 2; i++) {
			check_ok(db_exec(db, "INSERT INTO t(id, b) VALUES(1, zeroblob(2000000))"));
			check_ok(db_exec(db, "DELETE FROM t"));
		}
		wal = slurp(tmpdir_path(&dir, "a.db-wal"), &n);
		check_true(n > WAL_HEAD + 900 * FRAME_LEN);
		for (size_t i = 0; i < PAGES; i++) {
			const uint8_t *page = wal + WAL_HEAD + (i * 2 + 20) * FRAME_LEN % ((n - WAL_HEAD) / FRAME_LEN * FRAME_LEN) + FRAME_HEAD;

			memcpy(sealed + i * PAGE_LEN, page, PAGE_LEN);
			memcpy(text + i * PAGE_TEXT, page, PAGE_TEXT);
			check_true(bits_a_byte(page, PAGE_TEXT) > 7.9);
			for (size_t at = 0; at < PAGE_TEXT; at += 16)
				memcpy(&blocks[n_blocks++], page + at, 8);
		}
		check_true(bits_a_byte(text, sizeof(text)) > 7.9998);
		check_true(chi_square(text, sizeof(text), 1) < 400);	 /* 255 degrees of freedom: one in 10^8 */
		check_true(chi_square(text, sizeof(text), 16) < 400);
		/* Half of a block is 64 bits: among 126,000 none comes twice. */
		for (size_t i = 1; i < n_blocks; i++)
			check_true(blocks[i] != blocks[i - 1] && blocks[i] != blocks[(i + 252) % n_blocks]);
		free(wal);
		db_close(db);
		db_keys_free(keys);
		tmpdir_deinit(&dir);
	}
}

/* Neither page numbers nor checksums of the content show in a frame's header. */
static void headers_of_frames_tell_nothing(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	size_t n, numbers = 0, same = 0;
	struct tmpdir dir;
	uint8_t *wal;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 0; i < 300; i++)
		check_ok(db_exec(db, "UPDATE t SET name = 'x'; INSERT OR REPLACE INTO t(id) VALUES(1)"));
	wal = slurp(tmpdir_path(&dir, "a.db-wal"), &n);
	for (size_t at = WAL_HEAD; at + FRAME_LEN < n; at += FRAME_LEN) {
		numbers += wal[at] == 0 && wal[at + 1] == 0; /* all page numbers here are small */
		same += memcmp(wal + at, wal + at + FRAME_LEN, 4) == 0;
		check_bytes(wal + at + 8, 8, wal + 16, 8); /* the salts are clear */
	}
	check_true(n > 300 * FRAME_LEN && numbers < 4 && same < 2);
	free(wal);
	db_close(db);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_plain_one_shows_them),
		cmocka_unit_test(a_sealed_one_shows_none),
		cmocka_unit_test(what_is_left_is_noise),
		cmocka_unit_test(headers_of_frames_tell_nothing),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
