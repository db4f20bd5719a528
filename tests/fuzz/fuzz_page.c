/* The first byte chooses. As a page or a frame: whatever the bytes, with a key that made none of them nothing opens, and
 * the result is zeros; what was sealed here opens again in its place and nowhere else. As a database, a WAL or a journal
 * of a folder, the rest of it as it was left by a process that was killed: SQLite opens it, or says why not, and what it
 * reads is what was written, up to some commit.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/crypto.h"
#include "sys/db.h"
#include "sys/db_keys.h"
#include "sys/db_page.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { AS_PAGE, AS_FRAME, AS_DB, AS_WAL, AS_JOURNAL, KINDS };

static const struct db_migration migrations[] = { { 1, "CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB) STRICT;" } };

/* What a fuzzed file is laid beside, made once. */
struct stage {
	struct db_keys *keys;
	struct seal_key *key;
	char folder[64];
	uint8_t *db, *wal;
	size_t n_db, n_wal;
};

static void path_of(const struct stage *on, const char *name, char ret[128])
{
	must(text_print(ret, 128, "%s/%s", on->folder, name));
}

static void spill(const struct stage *on, const char *name, const uint8_t *data, size_t len)
{
	char path[128];
	int fd;

	path_of(on, name, path);
	unlink(path);
	if (!data)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && write(fd, data, len) == (ssize_t)len);
	close(fd);
}

static uint8_t *slurp(const struct stage *on, const char *name, size_t *ret_len)
{
	uint8_t *data = malloc(1 << 20);
	char path[128];
	ssize_t n;
	int fd;

	path_of(on, name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(data && fd >= 0);
	n = read(fd, data, 1 << 20);
	must(n >= 0 && n < 1 << 20);
	close(fd);
	*ret_len = (size_t)n;
	return data;
}

static int open_db(const struct stage *on, struct db **ret)
{
	const struct db_options options = { .sync = DB_SYNC_EXTRA, .migrations = migrations, .n_migrations = 1, .keys = on->keys };
	char path[128];

	path_of(on, "a.db", path);
	return db_open(path, &options, ret);
}

static void put_row(struct db *db, int i)
{
	char sql[100];

	text_print(sql, sizeof(sql), "INSERT INTO t VALUES(%d, zeroblob(%d))", i, 1000 + i);
	must(db_exec(db, sql) == 0);
}

static struct stage *stage_new(void)
{
	uint8_t key[SEAL_KEY_LEN];
	struct stage *made = calloc(1, sizeof(*made));
	struct db *db;

	must(made && crypto_init() == 0);
	strcpy(made->folder, "/dev/shm/fuzz-page-XXXXXX");
	if (!mkdtemp(made->folder)) {
		strcpy(made->folder, "/tmp/fuzz-page-XXXXXX");
		must(mkdtemp(made->folder));
	}
	memset(key, 1, sizeof(key));
	must(seal_key_new(SEAL_XCHACHA, key, &made->key) == 0);
	must(db_keys_new(&made->keys) == 0 && db_keys_put(made->keys, 1, SEAL_XCHACHA, key) == 0 && db_keys_activate(made->keys, 1) == 0);
	must(open_db(made, &db) == 0);
	for (int i = 1; i <= 6; i++)
		put_row(db, i);
	must(db_checkpoint(db) == 0);
	for (int i = 7; i <= 9; i++)
		put_row(db, i);
	made->db = slurp(made, "a.db", &made->n_db);
	made->wal = slurp(made, "a.db-wal", &made->n_wal);
	db_close(db);
	return made;
}

static void must_be_zeros(const uint8_t *page)
{
	for (size_t i = 0; i < PAGE_LEN; i++)
		must(page[i] == 0);
}

static void as_page(const struct stage *on, const uint8_t *data, size_t len, bool wal)
{
	uint8_t page[PAGE_LEN] = { 0 }, sealed[PAGE_LEN], opened[PAGE_LEN], head[FRAME_HEAD] = { 0 };
	struct page_place place;
	struct wal_sum sum;
	uint8_t wal_head[WAL_HEAD] = { 0 };

	memcpy(wal_head, data, len < WAL_HEAD ? len : WAL_HEAD);
	(void)wal_head_read(wal_head, &sum, head);
	(void)wal_sum_add(&sum, head, page);
	if (len >= FRAME_HEAD)
		memcpy(head, data, FRAME_HEAD);
	memcpy(page, data, len < PAGE_LEN ? len : PAGE_LEN);
	must(page_place_init(&place, wal ? "a.db-wal" : "a.db", wal) == 0);
	page_place_move(&place, len, wal ? head : NULL);
	(void)page_key_id(page);
	must(page_open(on->key, &place, page, opened) == CRYPTO_E_MISMATCH);
	must_be_zeros(opened);
	memset(page + PAGE_TEXT, 0, PAGE_TRAILER);
	page_seal(on->key, (uint32_t)len, wal_head, &place, page, sealed);
	must(page_looks_sealed(sealed) && page_key_id(sealed) == len);
	must(page_open(on->key, &place, sealed, opened) == 0 && memcmp(opened, page, PAGE_LEN) == 0);
	if (wal) {
		uint8_t twice[FRAME_HEAD];

		memcpy(twice, head, FRAME_HEAD);
		frame_mask(on->key, sealed, twice);
		frame_mask(on->key, sealed, twice);
		must(memcmp(twice, head, FRAME_HEAD) == 0);
		must(frame_same_salts(head, twice));
	}
	page_place_move(&place, len + PAGE_LEN, wal ? head : NULL);
	must(page_open(on->key, &place, sealed, sealed) == CRYPTO_E_MISMATCH);
	must_be_zeros(sealed);
}

/* Rows 1 to n, each as it was written. */
static void look(struct db *db)
{
	struct stmt *s;
	int64_t n = 0;
	int r = db_prepare(db, "SELECT id, length(b) FROM t ORDER BY id", &s);

	while (r == 0 && (r = stmt_step(s)) == 1) {
		n++;
		must(stmt_i64(s, 0) == n && stmt_i64(s, 1) == 1000 + n);
		r = 0;
	}
	must(r < 0 || n >= 6);
	if (r == 0)
		(void)!db_exec(db, "INSERT INTO t(b) VALUES(zeroblob(500))");
}

/* The bytes replace those of a file from a place on; the last two of them say where. */
static void as_file(const struct stage *on, int kind, const uint8_t *data, size_t len)
{
	const uint8_t *whole = kind == AS_DB ? on->db : on->wal;
	size_t n = kind == AS_DB ? on->n_db : on->n_wal, at;
	uint8_t *changed;
	struct db *db;

	if (len < 2)
		return;
	len -= 2;
	at = (size_t)(data[len] << 8 | data[len + 1]) % n;
	changed = malloc(n);
	must(changed);
	memcpy(changed, whole, n);
	memcpy(changed + at, data, len < n - at ? len : n - at);
	spill(on, "a.db", kind == AS_DB ? changed : on->db, on->n_db);
	spill(on, "a.db-wal", kind == AS_WAL ? changed : on->wal, on->n_wal);
	spill(on, "a.db-journal", kind == AS_JOURNAL ? data : NULL, len);
	spill(on, "a.db-shm", NULL, 0);
	spill(on, "a.db-wal.damaged", NULL, 0);
	if (open_db(on, &db) == 0) {
		look(db);
		db_close(db);
	}
	free(changed);
}

static struct stage *stage;

static void stage_drop(void)
{
	static const char *const names[] = { "a.db", "a.db-wal", "a.db-shm", "a.db-journal", "a.db-wal.damaged" };

	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		spill(stage, names[i], NULL, 0);
	rmdir(stage->folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!stage) {
		stage = stage_new();
		must(atexit(stage_drop) == 0);
	}
	if (len < 1)
		return 0;
	switch (data[0] % KINDS) {
	case AS_PAGE:
	case AS_FRAME:
		as_page(stage, data + 1, len - 1, data[0] % KINDS == AS_FRAME);
		break;
	default:
		as_file(stage, data[0] % KINDS, data + 1, len - 1);
		break;
	}
	return 0;
}
