/* Bits that flip, files that are cut, sectors that never came: an error with a name or the state of an earlier commit,
 * never anything else; and a commit that had been acknowledged is not lost without a word.
 */
#include "sealed_home.h"

#include "sys/db_page.h"

static const enum seal_suite suites[] = { SEAL_XCHACHA, SEAL_SM4 };

enum { COMMITS = 12, FRAMES_MAX = 400 };

/* Row i carries a text and a blob that follow from i, so that a wrong one shows. */
static void put_row(struct db *db, int i)
{
	struct stmt *s;
	char name[32];
	uint8_t blob[1500];

	snprintf(name, sizeof(name), "row %d", i);
	memset(blob, i, sizeof(blob));
	check_ok(db_prepare(db, "INSERT INTO t(id, name, b) VALUES(?1, ?2, ?3)", &s));
	stmt_bind_i64(s, 1, i);
	stmt_bind_text(s, 2, name);
	stmt_bind_blob(s, 3, blob, sizeof(blob));
	check_ok(stmt_run(s));
}

/* How many rows there are, all of them right; negative errno when one cannot be read. */
static int64_t look(struct db *db)
{
	struct stmt *s;
	int64_t n = 0;
	int r = db_prepare(db, "SELECT id, name, b FROM t ORDER BY id", &s);

	while (r == 0 && (r = stmt_step(s)) == 1) {
		struct view b = stmt_blob(s, 2);
		char name[32];

		n++;
		check_int(stmt_i64(s, 0), n);
		snprintf(name, sizeof(name), "row %d", (int)n);
		check_text(stmt_text(s, 1), name);
		check_uint(b.len, 1500);
		check_true(b.data[0] == (uint8_t)n && b.data[1499] == (uint8_t)n);
		r = 0;
	}
	if (r < 0)
		return r;
	r = (int)ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'");
	return r == 1 ? n : r < 0 ? r : -EILSEQ;
}

struct outcome {
	int64_t rows; /* or a negative errno, of opening or of reading */
	uint64_t refused, lost;
};

static struct outcome open_and_look(struct tmpdir *dir, struct db_keys *keys)
{
	struct db_keys_stats before = db_keys_stats(keys), after;
	struct outcome o = { 0 };
	struct db *db;

	o.rows = sealed_try(tmpdir_path(dir, "a.db"), keys, DB_SYNC_EXTRA, &db);
	if (o.rows == 0) {
		o.rows = look(db);
		db_close(db);
	}
	after = db_keys_stats(keys);
	o.refused = after.refused - before.refused;
	o.lost = after.lost_frames - before.lost_frames;
	return o;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static bool is_file(struct tmpdir *dir, const char *name, const uint8_t *want, size_t n_want)
{
	size_t n;
	uint8_t *got = slurp(tmpdir_path(dir, name), &n);
	bool same = got && n == n_want && memcmp(got, want, n) == 0;

	free(got);
	return same;
}

/* Every part of every page. */
static void a_flipped_bit_in_the_database(void **state)
{
	static const struct {
		size_t from, len;
	} parts[] = { { 0, 100 }, { 100, 3932 }, { 4032, 4 }, { 4036, 1 }, { 4037, 3 }, { 4040, 24 }, { 4064, 16 }, { 4080, 16 } };
	enum { TIMES = 6 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		struct db_keys *keys = ring_of(1, suites[i]);
		uint32_t seed = 4711;
		struct image image;
		struct tmpdir dir;
		struct db *db;

		memory_dir_init(&dir);
		db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
		for (int n = 1; n <= 20; n++)
			put_row(db, n);
		db_close(db);
		image_take(&image, &dir);
		check_true(!image.wal && image.n_db >= 10 * PAGE_LEN);
		for (size_t flip = 0; flip < image.n_db / PAGE_LEN * N_ELEMENTS(parts) * TIMES; flip++) {
			size_t page = flip / N_ELEMENTS(parts) / TIMES, part = flip % N_ELEMENTS(parts);
			size_t at = page * PAGE_LEN + parts[part].from + next_random(&seed) % parts[part].len;
			uint8_t bit = (uint8_t)(1u << next_random(&seed) % 8);
			struct outcome o;

			image.db[at] ^= bit;
			image_lay(&image, &dir);
			o = open_and_look(&dir, keys);
			if (o.rows != -EBADMSG)
				print_error("byte %zu of page %zu\n", at % PAGE_LEN, page + 1);
			check_int(o.rows, -EBADMSG);
			check_true(o.refused > 0 && o.lost == 0);
			check_text(db_keys_stats(keys).last_file, "a.db");
			check_int(db_keys_stats(keys).last_offset, (int64_t)page * PAGE_LEN);
			check_true(is_file(&dir, "a.db", image.db, image.n_db)); /* nobody wrote to it */
			image.db[at] ^= bit;
		}
		image_free(&image);
		db_keys_free(keys);
		tmpdir_deinit(&dir);
	}
}

/* A WAL of COMMITS transactions, none carried over, and what is known of it. */
struct log {
	struct db_keys *keys;
	struct tmpdir dir;
	struct image image;
	size_t n_frames, n_commits;
	size_t commits[FRAMES_MAX]; /* the numbers of the commit frames, from 0 */
	int64_t rows[FRAMES_MAX];   /* after as many frames */
};

static void log_read_frames(struct log *log, enum seal_suite suite)
{
	uint8_t bytes[SEAL_KEY_LEN], page[PAGE_LEN], head[FRAME_HEAD];
	struct page_place place;
	struct seal_key *key;

	memset(bytes, 1, sizeof(bytes));
	check_ok(seal_key_new(suite, bytes, &key));
	check_ok(page_place_init(&place, "a.db-wal", true));
	log->n_frames = (log->image.n_wal - WAL_HEAD) / FRAME_LEN;
	check_true(log->n_frames < FRAMES_MAX);
	for (size_t i = 0; i < log->n_frames; i++) {
		size_t at = WAL_HEAD + i * FRAME_LEN;
		const uint8_t *frame = log->image.wal + at;

		memcpy(head, frame, FRAME_HEAD);
		frame_mask(key, frame + FRAME_HEAD, head);
		page_place_move(&place, at, head);
		check_ok(page_open(key, &place, frame + FRAME_HEAD, page));
		if (frame_commit(head))
			log->commits[log->n_commits++] = i;
	}
	seal_key_free(key);
}

static void log_init(struct log *log, enum seal_suite suite)
{
	struct db *db;
	size_t setup;

	memset(log, 0, sizeof(*log));
	log->keys = ring_of(1, suite);
	memory_dir_init(&log->dir);
	db = sealed_open(tmpdir_path(&log->dir, "a.db"), log->keys);
	for (int i = 1; i <= COMMITS; i++)
		put_row(db, i);
	image_take(&log->image, &log->dir);
	db_close(db);
	log_read_frames(log, suite);
	check_true(log->n_commits > COMMITS);
	setup = log->n_commits - COMMITS;
	for (size_t i = 0; i < log->n_frames; i++) {
		size_t done = 0;

		while (done < log->n_commits && log->commits[done] < i)
			done++;
		log->rows[i] = done > setup ? (int64_t)(done - setup) : 0;
	}
	log->rows[log->n_frames] = COMMITS;
}

static void log_deinit(struct log *log)
{
	image_free(&log->image);
	db_keys_free(log->keys);
	tmpdir_deinit(&log->dir);
}

/* When the frame is bad: the last commit behind it, if something stands behind one; 0 otherwise. */
static uint64_t log_lost(const struct log *log, size_t bad)
{
	bool damage = false;
	size_t done = 0;

	for (size_t i = 0; i < log->n_commits; i++) {
		damage |= log->commits[i] > bad && log->commits[i] + 1 < log->n_frames;
		if (log->commits[i] < bad)
			done = log->commits[i] + 1;
	}
	return damage ? log->commits[log->n_commits - 1] + 1 - done : 0;
}

static void check_log(struct log *log, size_t bad)
{
	uint64_t lost = log_lost(log, bad);
	struct outcome o;

	image_lay(&log->image, &log->dir);
	o = open_and_look(&log->dir, log->keys);
	if (o.rows != log->rows[bad] || o.lost != lost)
		print_error("frame %zu of %zu\n", bad, log->n_frames);
	check_int(o.rows, log->rows[bad]);
	check_uint(o.lost, lost);
	check_uint(o.refused, 0);
	if (lost)
		check_true(is_file(&log->dir, "a.db-wal.damaged", log->image.wal, log->image.n_wal));
	else
		check_int(access(tmpdir_path(&log->dir, "a.db-wal.damaged"), F_OK), -1);
}

/* Every part of every frame: the log ends before it, and where commits are gone that had been acknowledged it is told. */
static void a_flipped_bit_in_the_wal(void **state)
{
	static const struct {
		size_t from, len;
	} parts[] = { { 0, 4 }, { 4, 4 }, { 8, 4 }, { 12, 4 }, { 16, 8 }, { 24, 100 }, { 124, 3932 },
		      { 24 + 4032, 4 }, { 24 + 4036, 4 }, { 24 + 4040, 24 }, { 24 + 4064, 16 }, { 24 + 4080, 16 } };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		uint32_t seed = 815;
		struct log log;

		log_init(&log, suites[i]);
		for (size_t flip = 0; flip < log.n_frames * N_ELEMENTS(parts) * 2; flip++) {
			size_t frame = flip / N_ELEMENTS(parts) / 2, part = flip % N_ELEMENTS(parts);
			size_t at = WAL_HEAD + frame * FRAME_LEN + parts[part].from + next_random(&seed) % parts[part].len;
			uint8_t bit = (uint8_t)(1u << next_random(&seed) % 8);

			log.image.wal[at] ^= bit;
			check_log(&log, frame);
			log.image.wal[at] ^= bit;
		}
		/* And the log's own header, without which SQLite passes over all of it. */
		for (size_t bit = 0; bit < WAL_HEAD * 8; bit++) {
			log.image.wal[bit / 8] ^= (uint8_t)(1u << bit % 8);
			check_log(&log, 0);
			log.image.wal[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		check_int(db_keys_stats(log.keys).last_offset, WAL_HEAD);
		check_text(db_keys_stats(log.keys).last_file, "a.db-wal");
		check_int(stat(tmpdir_path(&log.dir, "a.db-wal.damaged"), &st), 0);
		check_uint(st.st_mode & 0777, 0600);
		log_deinit(&log);
	}
}

/* What a power cut leaves of a write that was not acknowledged is no damage: no copy, no alarm. */
static void a_torn_end_is_no_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(suites); i++) {
		uint32_t seed = 99;
		size_t n_wal, last;
		struct log log;

		log_init(&log, suites[i]);
		n_wal = log.image.n_wal;
		for (int cut = 0; cut < 300; cut++) {
			size_t at = WAL_HEAD + next_random(&seed) % (n_wal - WAL_HEAD);
			struct outcome o;

			log.image.n_wal = at;
			image_lay(&log.image, &log.dir);
			o = open_and_look(&log.dir, log.keys);
			check_int(o.rows, log.rows[(at - WAL_HEAD) / FRAME_LEN]);
			check_uint(o.lost + o.refused, 0);
		}
		log.image.n_wal = n_wal;
		/* Sectors of the last transaction that hold garbage, zeros or did not come. */
		last = log.commits[log.n_commits - 2] + 1;
		for (int tear = 0; tear < 200; tear++) {
			size_t from = (WAL_HEAD + last * FRAME_LEN + 511) / 512, to = n_wal / 512;
			size_t sector = from + next_random(&seed) % (to - from);
			uint8_t saved[512];

			memcpy(saved, log.image.wal + sector * 512, 512);
			memset(log.image.wal + sector * 512, tear % 2 ? 0 : 0xdb, 512);
			check_log(&log, (sector * 512 - WAL_HEAD) / FRAME_LEN);
			memcpy(log.image.wal + sector * 512, saved, 512);
		}
		log_deinit(&log);
	}
}

/* Nor is it told of a database whose commits are not synced one by one: there later ones may be on the disk without an
 * earlier one. */
static void where_commits_wait_nobody_looks(void **state)
{
	struct log log;
	struct db *db;

	(void)state;
	log_init(&log, SEAL_XCHACHA);
	log.image.wal[WAL_HEAD + log.commits[5] * FRAME_LEN + 99] ^= 1;
	image_lay(&log.image, &log.dir);
	check_ok(sealed_try(tmpdir_path(&log.dir, "a.db"), log.keys, DB_SYNC_NORMAL, &db));
	check_int(look(db), log.rows[log.commits[5]]);
	db_close(db);
	check_uint(db_keys_stats(log.keys).lost_frames, 0);
	check_log(&log, log.commits[5]); /* the same file with the other setting */
	log_deinit(&log);
}

/* Power goes while a WAL that was carried over gets its new header: nothing was lost. */
static void a_torn_header_of_a_new_log_is_no_damage(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image image;
	struct tmpdir dir;
	struct outcome o;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 1; i <= 7; i++)
		put_row(db, i);
	check_ok(db_checkpoint(db));
	image_take(&image, &dir);
	db_close(db);
	for (size_t byte = 0; byte < WAL_HEAD; byte += 5) {
		image.wal[byte] ^= 0x40;
		image_lay(&image, &dir);
		o = open_and_look(&dir, keys);
		check_int(o.rows, 7);
		check_uint(o.lost + o.refused, 0);
		image.wal[byte] ^= 0x40;
	}
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Frames that were rolled back, or stood there in an earlier life of the WAL, open well and mean nothing. */
static void what_lies_behind_the_end_is_no_damage(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image rolled_back, image;
	struct tmpdir dir;
	struct outcome o;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 1; i <= 10; i++)
		put_row(db, i);
	check_ok(db_begin(db)); /* more than the cache holds, so that it spills */
	check_ok(db_exec(db, "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 700)"
			     " INSERT INTO t(id, b) SELECT i, randomblob(3000) FROM n"));
	db_rollback(db);
	put_row(db, 11);
	image_take(&rolled_back, &dir);
	check_true(rolled_back.n_wal > 300 * FRAME_LEN);
	check_ok(db_checkpoint(db));
	put_row(db, 12); /* the long log is begun anew */
	image_take(&image, &dir);
	check_true(image.n_wal > 300 * FRAME_LEN);
	db_close(db);
	image_lay(&rolled_back, &dir);
	o = open_and_look(&dir, keys);
	check_int(o.rows, 11);
	check_uint(o.lost + o.refused, 0);
	for (int tear = 0; tear < 3; tear++) {
		image_lay(&image, &dir);
		o = open_and_look(&dir, keys);
		check_int(o.rows, tear ? 11 : 12);
		check_uint(o.lost + o.refused, 0);
		memset(image.wal + WAL_HEAD + FRAME_LEN / 2, tear, 512);
	}
	image_free(&rolled_back);
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* A power cut tears page 1 while the WAL is carried over: the WAL has it whole. */
static void a_torn_first_page_comes_from_the_wal(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image image;
	struct tmpdir dir;
	struct outcome o;
	struct db *db;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 1; i <= 5; i++)
		put_row(db, i);
	image_take(&image, &dir);
	db_close(db);
	for (size_t sector = 0; sector < 8; sector++) {
		for (int fill = 0; fill < 256; fill += 85) {
			memset(image.db + sector * 512, fill, 512);
			image_lay(&image, &dir);
			o = open_and_look(&dir, keys);
			check_int(o.rows, 5);
		}
	}
	/* Without it nothing is made up, whatever is left of the page. */
	free(image.wal);
	image.wal = NULL;
	image_lay(&image, &dir);
	check_true(open_and_look(&dir, keys).rows != 0);
	check_true(is_file(&dir, "a.db", image.db, image.n_db));
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

/* Cut at any byte: what is missing is noticed, also when it is less than a page. */
static void a_database_cut_short(void **state)
{
	struct db_keys *keys = ring_of(1, SEAL_XCHACHA);
	struct image image;
	struct tmpdir dir;
	uint32_t seed = 7;
	struct db *db;
	size_t n;

	(void)state;
	memory_dir_init(&dir);
	db = sealed_open(tmpdir_path(&dir, "a.db"), keys);
	for (int i = 1; i <= 9; i++)
		put_row(db, i);
	db_close(db);
	image_take(&image, &dir);
	n = image.n_db;
	for (int cut = 0; cut < 200; cut++) {
		struct outcome o;

		image.n_db = cut < 20 ? n - 1 - (size_t)cut * 300 : 1 + next_random(&seed) % (n - 1);
		image_lay(&image, &dir);
		o = open_and_look(&dir, keys);
		if (o.rows != -EBADMSG && !(image.n_db < PAGE_LEN && o.rows == DB_E_NOTADB))
			print_error("%zu of %zu bytes\n", image.n_db, n);
		check_true(o.rows == -EBADMSG || (image.n_db < PAGE_LEN && o.rows == DB_E_NOTADB));
		check_true(is_file(&dir, "a.db", image.db, image.n_db));
	}
	image.n_db = n;
	image_free(&image);
	db_keys_free(keys);
	tmpdir_deinit(&dir);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_flipped_bit_in_the_database),
		cmocka_unit_test(a_flipped_bit_in_the_wal),
		cmocka_unit_test(a_torn_end_is_no_damage),
		cmocka_unit_test(where_commits_wait_nobody_looks),
		cmocka_unit_test(a_torn_header_of_a_new_log_is_no_damage),
		cmocka_unit_test(what_lies_behind_the_end_is_no_damage),
		cmocka_unit_test(a_torn_first_page_comes_from_the_wal),
		cmocka_unit_test(a_database_cut_short),
	};

	if (crypto_init())
		return 1;
	return CHECK_RUN(rows);
}
