/* What somebody can do who writes to the state folder but has no key: pages and frames in other places, from other
 * databases or other times; plain files in the place of sealed ones. All of it is an error, or is passed over; none of it
 * becomes content. (A whole older image of the folder is not noticed here: docs/spec/vfs.md says who does.)
 */
#include "sealed_home.h"

#include <sqlite3.h>
#include "sys/db_page.h"

static struct db *filled(struct tmpdir *dir, const char *name, struct db_keys *keys, int rows)
{
	struct db *db = sealed_open(tmpdir_path(dir, name), keys);

	for (int i = 0; i < rows; i++)
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('row', randomblob(1500))"));
	return db;
}

/* Rows, or the error of opening or of the whole look. */
static int64_t rows_in(struct tmpdir *dir, struct db_keys *keys)
{
	struct db *db;
	int64_t n = sealed_try(tmpdir_path(dir, "a.db"), keys, DB_SYNC_EXTRA, &db);

	if (n)
		return n;
	n = ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'");
	if (n == 1)
		n = ask(db, "SELECT count(b) FROM t");
	db_close(db);
	return n;
}

static void swap(uint8_t *a, uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t c = a[i];

		a[i] = b[i];
		b[i] = c;
	}
}

static void pages_that_change_places(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image image;
	struct tmpdir dir;
	size_t pages;

	(void)state;
	memory_dir_init(&dir);
	db_close(filled(&dir, "a.db", keys, 12));
	image_take(&image, &dir);
	pages = image.n_db / PAGE_LEN;
	check_true(pages >= 8);
	for (size_t i = 0; i < pages; i++) {
		size_t j = (i + 1 + i % 3) % pages;

		swap(image.db + i * PAGE_LEN, image.db + j * PAGE_LEN, PAGE_LEN);
		image_lay(&image, &dir);
		check_int(rows_in(&dir, keys), -EBADMSG);
		swap(image.db + i * PAGE_LEN, image.db + j * PAGE_LEN, PAGE_LEN);
	}
	image_lay(&image, &dir);
	check_int(rows_in(&dir, keys), 12);
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Two databases with one ring: neither a page nor the whole file is of use under another name. */
static void pages_of_another_database(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_SM4);
	struct image a;
	struct tmpdir dir;
	uint8_t *b;
	size_t n_b;

	(void)state;
	memory_dir_init(&dir);
	db_close(filled(&dir, "a.db", keys, 12));
	db_close(filled(&dir, "b.db", keys, 12));
	image_take(&a, &dir);
	b = slurp(tmpdir_path(&dir, "b.db"), &n_b);
	for (size_t at = 0; at < a.n_db && at < n_b; at += PAGE_LEN) {
		swap(a.db + at, b + at, PAGE_LEN);
		image_lay(&a, &dir);
		check_int(rows_in(&dir, keys), -EBADMSG);
		swap(a.db + at, b + at, PAGE_LEN);
	}
	spill(tmpdir_path(&dir, "a.db"), b, n_b);
	check_int(rows_in(&dir, keys), -EBADMSG);
	image_lay(&a, &dir);
	check_int(rows_in(&dir, keys), 12);
	free(b);
	image_free(&a);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void frames_that_change_places(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image image;
	struct tmpdir dir;
	struct db *db;
	size_t frames;

	(void)state;
	memory_dir_init(&dir);
	db = filled(&dir, "a.db", keys, 8);
	image_take(&image, &dir);
	db_close(db);
	frames = (image.n_wal - WAL_HEAD) / FRAME_LEN;
	for (size_t i = 0; i + 9 < frames; i++) {
		uint64_t lost = db_keys_stats(keys).lost_frames;
		uint8_t *a = image.wal + WAL_HEAD + i * FRAME_LEN, *b = a + FRAME_LEN * (1 + i % 2);
		int64_t n;

		for (int part = 0; part < 3; part++) { /* whole, header alone, page alone */
			uint8_t *from = a + (part == 2 ? FRAME_HEAD : 0), *to = b + (part == 2 ? FRAME_HEAD : 0);
			size_t len = part == 0 ? FRAME_LEN : part == 1 ? FRAME_HEAD : PAGE_LEN;

			swap(from, to, len);
			image_lay(&image, &dir);
			n = rows_in(&dir, keys);
			check_true(n >= 0 && n < 8);
			check_true(db_keys_stats(keys).lost_frames > lost);
			lost = db_keys_stats(keys).lost_frames;
			swap(from, to, len);
		}
	}
	image_lay(&image, &dir);
	check_int(rows_in(&dir, keys), 8);
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Frames of an earlier life of the WAL, at the same place, with and without the salts of the present one. */
static void frames_of_another_time(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image old, now;
	struct tmpdir dir;
	struct db *db;
	size_t frames;

	(void)state;
	memory_dir_init(&dir);
	db = filled(&dir, "a.db", keys, 8);
	check_ok(db_checkpoint(db));
	for (int i = 0; i < 6; i++)
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('old', randomblob(1500))"));
	image_take(&old, &dir);
	check_ok(db_checkpoint(db));
	for (int i = 0; i < 6; i++)
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('now', randomblob(1500))"));
	image_take(&now, &dir);
	db_close(db);
	check_uint(old.n_wal, now.n_wal);
	for (frames = 0; memcmp(now.wal + WAL_HEAD + frames * FRAME_LEN + 8, now.wal + 16, 8) == 0;)
		frames++;
	check_true(frames >= 6);
	for (size_t i = 0; i < frames; i++) {
		for (int salts = 0; salts < 2; salts++) {
			uint8_t *frame = now.wal + WAL_HEAD + i * FRAME_LEN, saved[FRAME_LEN];
			int64_t n;

			memcpy(saved, frame, FRAME_LEN);
			memcpy(frame, old.wal + WAL_HEAD + i * FRAME_LEN, FRAME_LEN);
			if (salts)
				memcpy(frame + 8, saved + 8, 8);
			image_lay(&now, &dir);
			n = rows_in(&dir, keys);
			check_true(n >= 14 && n < 20);
			memcpy(frame, saved, FRAME_LEN);
		}
	}
	image_lay(&now, &dir);
	check_int(rows_in(&dir, keys), 20);
	image_free(&old);
	image_free(&now);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void a_wal_of_another_database(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct tmpdir dir;
	struct db *a, *b;
	struct image image;
	uint8_t *wal;
	size_t n_wal;

	(void)state;
	memory_dir_init(&dir);
	db_close(filled(&dir, "a.db", keys, 3));
	a = filled(&dir, "a.db", keys, 3);
	b = filled(&dir, "b.db", keys, 5);
	wal = slurp(tmpdir_path(&dir, "b.db-wal"), &n_wal);
	db_close(a);
	db_close(b);
	image_take(&image, &dir);
	check_true(!image.wal);
	image.wal = wal;
	image.n_wal = n_wal;
	image_lay(&image, &dir);
	check_int(rows_in(&dir, keys), 6);
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* A plain database of SQLite's own making, in WAL mode and not carried over. */
static void make_plain(const char *path, const char *sql)
{
	sqlite3 *plain;

	check_int(sqlite3_open(path, &plain), SQLITE_OK);
	check_int(sqlite3_db_config(plain, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
	check_int(sqlite3_exec(plain, sql, NULL, NULL, NULL), SQLITE_OK);
	check_int(sqlite3_close(plain), SQLITE_OK);
}

static void check_untouched(struct tmpdir *dir, const struct image *image)
{
	struct image now;

	image_take(&now, dir);
	check_bytes(now.db, now.n_db, image->db, image->n_db);
	check_uint(now.n_wal, image->n_wal);
	if (image->wal)
		check_bytes(now.wal, now.n_wal, image->wal, image->n_wal);
	image_free(&now);
}

static void plain_and_foreign_files_are_refused(void **state)
{
	static const char *const makings[] = {
		"CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, b BLOB)",
		("PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, b BLOB);"
		"INSERT INTO t(name) VALUES('plain')"),
		"PRAGMA page_size=1024; CREATE TABLE x(y)",
	};
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	const struct db_options plainly = { .migrations = migrations, .n_migrations = 1 };
	struct image image;
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	for (size_t i = 0; i < N_ELEMENTS(makings); i++) {
		make_plain(tmpdir_path(&dir, "a.db"), makings[i]);
		image_take(&image, &dir);
		check_int(rows_in(&dir, keys), DB_E_NOTADB);
		check_untouched(&dir, &image);
		image_free(&image);
		unlink(tmpdir_path(&dir, "a.db"));
		unlink(tmpdir_path(&dir, "a.db-wal"));
		unlink(tmpdir_path(&dir, "a.db-shm"));
	}
	/* Ours, but plain. */
	check_ok(db_open(tmpdir_path(&dir, "a.db"), &plainly, &db));
	db_close(db);
	image_take(&image, &dir);
	check_int(rows_in(&dir, keys), DB_E_NOTADB);
	check_untouched(&dir, &image);
	/* Bytes of any kind. */
	crypto_random(image.db, image.n_db);
	memset(image.db + PAGE_TEXT, 0xff, 8);
	image_lay(&image, &dir);
	check_int(rows_in(&dir, keys), DB_E_NOTADB);
	check_untouched(&dir, &image);
	image_free(&image);
	/* And the other way round: a sealed one is no plain one. */
	unlink(tmpdir_path(&dir, "a.db"));
	db_close(filled(&dir, "a.db", keys, 2));
	image_take(&image, &dir);
	check_int(db_open(tmpdir_path(&dir, "a.db"), &plainly, &db), DB_E_NOTADB);
	check_untouched(&dir, &image);
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void wrong_and_missing_keys(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA), *other = ring_of(2, SEAL_XCHACHA), *empty, *impostor;
	const uint8_t wrong[SEAL_KEY_LEN] = { 0xee };
	struct image image;
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = filled(&dir, "a.db", keys, 5);
	image_take(&image, &dir); /* page 1 in the file, the rest in the WAL */
	db_close(db);
	for (int carried = 0; carried < 2; carried++) {
		image_lay(&image, &dir);
		check_int(rows_in(&dir, other), -EBADMSG); /* knows another id */
		check_untouched(&dir, &image);
		check_ok(db_keys_new(&empty));
		check_int(rows_in(&dir, empty), -EBADMSG);
		check_untouched(&dir, &image);
		db_keys_free(empty);
		check_ok(db_keys_new(&impostor)); /* the same id, another key; another suite */
		check_ok(db_keys_put(impostor, 1, carried ? SEAL_SM4 : SEAL_XCHACHA, wrong));
		check_ok(db_keys_activate(impostor, 1));
		check_int(rows_in(&dir, impostor), -EBADMSG);
		check_untouched(&dir, &image);
		db_keys_free(impostor);
		check_int(rows_in(&dir, keys), 5);
		image_free(&image);
		image_take(&image, &dir);
	}
	image_free(&image);
	/* A ring without an active key writes nothing. */
	unlink(tmpdir_path(&dir, "a.db"));
	check_ok(db_keys_new(&empty));
	check_int(rows_in(&dir, empty), -EIO);
	db_keys_free(empty);
	db_keys_free(keys);
	db_keys_free(other);
	tmpdir_deinit(&dir);
}

/* The database opens with the key at hand, its WAL goes on with another: nothing of it may be passed over, and lost by the
 * next commit. */
static void a_key_missing_for_the_wal(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA), *without = ring_of(1, SEAL_XCHACHA);
	struct image image;
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db_close(filled(&dir, "a.db", keys, 5));
	for (int first = 0; first < 2; first++) {
		db = filled(&dir, "a.db", keys, first ? 3 : 0);
		ring_put(keys, 2, SEAL_SM4);
		check_ok(db_keys_activate(keys, 2));
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('with the new key', randomblob(1500))"));
		check_ok(db_exec(db, "INSERT INTO t(name, b) VALUES('with the new key', randomblob(1500))"));
		image_take(&image, &dir);
		check_ok(db_keys_activate(keys, 1));
		check_ok(db_rewrite(db));
		db_close(db);
		check_ok(db_keys_drop(keys, 2));
		image_lay(&image, &dir);
		check_int(rows_in(&dir, without), -EBADMSG);
		check_untouched(&dir, &image);
		ring_put(keys, 2, SEAL_SM4);
		check_int(rows_in(&dir, keys), first ? 12 : 7);
		check_ok(db_keys_drop(keys, 2));
		check_uint(db_keys_stats(without).lost_frames, 0);
		image_free(&image);
	}
	db_keys_free(keys);
	db_keys_free(without);
	tmpdir_deinit(&dir);
}

/* A rollback journal whose pages SQLite would play back, and we would seal. */
static void a_planted_journal_is_not_played_back(void **state)
{
	static const uint8_t magic[] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	uint8_t journal[512 + 4 + PAGE_LEN + 4] = { 0 };
	struct image image;
	struct tmpdir dir;
	uint32_t sum = 0;

	(void)state;
	memory_dir_init(&dir);
	db_close(filled(&dir, "a.db", keys, 5));
	image_take(&image, &dir);
	memcpy(journal, magic, 8);
	journal[11] = 1;				     /* one page */
	journal[19] = (uint8_t)(image.n_db / PAGE_LEN);      /* pages before */
	journal[22] = 2;				     /* sector size 512 */
	journal[26] = 0x10;				     /* page size 4096 */
	journal[512 + 3] = 2;				     /* page 2 */
	memset(journal + 516, 'P', PAGE_TEXT);
	for (int i = PAGE_LEN - 200; i > 0; i -= 200)
		sum += journal[516 + i];
	journal[516 + PAGE_LEN + 2] = (uint8_t)(sum >> 8);
	journal[516 + PAGE_LEN + 3] = (uint8_t)sum;
	journal[516 + PAGE_LEN + 1] = (uint8_t)(sum >> 16);
	image_lay(&image, &dir);
	spill(tmpdir_path(&dir, "a.db-journal"), journal, sizeof(journal));
	check_int(rows_in(&dir, keys), 5);
	/* Of a database that is one page long it may say that there was nothing before, and no more. */
	image.n_db = PAGE_LEN;
	image_lay(&image, &dir);
	journal[19] = 1;
	journal[512 + 3] = 1;
	spill(tmpdir_path(&dir, "a.db-journal"), journal, sizeof(journal));
	check_int(rows_in(&dir, keys), -EIO);
	check_untouched(&dir, &image);
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Whatever SQLite is told, no page leaves it in clear. */
static void pages_go_nowhere_else(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct tmpdir dir;
	struct db *db;
	size_t n;

	(void)state;
	memory_dir_init(&dir);
	db = filled(&dir, "a.db", keys, 30);
	check_ok(db_checkpoint(db));
	check_int(db_exec(db, "PRAGMA journal_mode=DELETE"), -EIO); /* page 1 would be the first in it */
	free(slurp(tmpdir_path(&dir, "a.db-journal"), &n));
	check_true(n < 600); /* its header, and a page's number */
	check_ok(db_exec(db, "PRAGMA journal_mode=WAL"));
	check_ok(db_exec(db, "UPDATE t SET name = 'into the WAL'"));
	check_ok(db_exec(db, "PRAGMA temp_store=FILE"));
	check_int(db_exec(db, "CREATE TEMP TABLE x AS SELECT * FROM t, t AS u"), -EIO);
	check_ok(db_exec(db, "PRAGMA temp_store=MEMORY"));
	check_ok(db_exec(db, "VACUUM"));
	check_int(ask(db, "SELECT count(*) FROM t WHERE name = 'into the WAL'"), 30);
	db_close(db);
	check_int(rows_in(&dir, keys), 30);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

static void a_name_has_a_limit(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	char name[PAGE_NAME_MAX + 2];
	struct tmpdir dir;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	memset(name, 'n', sizeof(name));
	name[PAGE_NAME_MAX] = '\0';
	db_close(sealed_open(tmpdir_path(&dir, name), keys));
	name[PAGE_NAME_MAX] = 'n';
	name[PAGE_NAME_MAX + 1] = '\0';
	check_true(sealed_try(tmpdir_path(&dir, name), keys, DB_SYNC_EXTRA, &db) < 0);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(pages_that_change_places),
		cmocka_unit_test(pages_of_another_database),
		cmocka_unit_test(frames_that_change_places),
		cmocka_unit_test(frames_of_another_time),
		cmocka_unit_test(a_wal_of_another_database),
		cmocka_unit_test(plain_and_foreign_files_are_refused),
		cmocka_unit_test(wrong_and_missing_keys),
		cmocka_unit_test(a_key_missing_for_the_wal),
		cmocka_unit_test(a_planted_journal_is_not_played_back),
		cmocka_unit_test(pages_go_nowhere_else),
		cmocka_unit_test(a_name_has_a_limit),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
