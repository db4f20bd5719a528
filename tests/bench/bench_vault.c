/* What sealing costs: the same work on a plain database, one sealed with XChaCha20-Poly1305 and one sealed with SM4 and
 * SM3, in turns on fresh files. Three kinds of work: the registry's shadow (rows changed here and there, every group
 * synced), the spool (rows come in groups and go again, the kernel has them), the audit log (rows appended, every group
 * synced, then all read in order). Each ends with a close and a look at every row by a new connection, as a start does.
 *
 *   bench-vault FOLDER [TURNS]
 */
#include "stopwatch.h"
#include "sys/crypto.h"
#include "sys/db.h"
#include "sys/db_keys.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TURNS_MAX = 64, KINDS = 3, WAL_FULL = 4 * 1024 * 1024 };
enum { SHADOWS = 3000, SHADOW_GROUPS = 120, SHADOW_GROUP = 20 };
enum { SPOOL_GROUPS = 300, SPOOL_GROUP = 64, AUDIT_GROUPS = 150, AUDIT_GROUP = 16 };

static const struct db_migration migrations[] = {
	{ 1, "CREATE TABLE shadow(device BLOB NOT NULL, cap INTEGER NOT NULL, reported BLOB NOT NULL, reported_us INTEGER NOT NULL,"
	     " PRIMARY KEY(device, cap)) WITHOUT ROWID, STRICT;"
	     "CREATE TABLE entry(key INTEGER PRIMARY KEY, device BLOB NOT NULL, data BLOB NOT NULL) STRICT;"
	     "CREATE TABLE audit(seq INTEGER PRIMARY KEY, rec BLOB NOT NULL, head BLOB NOT NULL) STRICT;" },
};

static const uint8_t filler[400];

static int shadow_put(struct db *db, uint32_t number, int64_t now)
{
	const uint32_t device[3] = { number / 10 * 2654435761u, number / 10, 7 };
	struct stmt *s;
	int r = db_prepare(db, "INSERT INTO shadow VALUES(?1, ?2, ?3, ?4) ON CONFLICT(device, cap) DO UPDATE SET"
			       " reported = excluded.reported, reported_us = excluded.reported_us", &s);

	if (r < 0)
		return r;
	stmt_bind_blob(s, 1, device, sizeof(device));
	stmt_bind_i64(s, 2, number % 10);
	stmt_bind_blob(s, 3, filler, 24);
	stmt_bind_i64(s, 4, now);
	return stmt_run(s);
}

static int append(struct db *db, const char *literal, int64_t key, size_t a, size_t b)
{
	struct stmt *s;
	int r = db_prepare(db, literal, &s);

	if (r < 0)
		return r;
	stmt_bind_i64(s, 1, key);
	stmt_bind_blob(s, 2, filler, a);
	stmt_bind_blob(s, 3, filler, b);
	return stmt_run(s);
}

static int spool_drop(struct db *db, int64_t to)
{
	struct stmt *s;
	int r = db_prepare(db, "DELETE FROM entry WHERE key < ?1", &s);

	if (r < 0)
		return r;
	stmt_bind_i64(s, 1, to);
	return stmt_run(s);
}

static int commit(struct db *db, int r)
{
	if (r == 0)
		r = db_commit(db);
	if (r == 0 && db_wal_bytes(db) > WAL_FULL)
		r = db_checkpoint(db);
	return r;
}

static int registry(struct db *db)
{
	int r = db_begin(db);

	for (uint32_t i = 0; r == 0 && i < SHADOWS; i++)
		r = shadow_put(db, i, 0);
	r = commit(db, r);
	for (uint32_t group = 0; r == 0 && group < SHADOW_GROUPS; group++) {
		r = db_begin(db);
		for (uint32_t i = 0; r == 0 && i < SHADOW_GROUP; i++)
			r = shadow_put(db, (group * 31 + i * 977) % SHADOWS, group);
		r = commit(db, r);
	}
	return r;
}

static int spool(struct db *db)
{
	int64_t key = 0;
	int r = 0;

	for (int group = 0; r == 0 && group < SPOOL_GROUPS; group++) {
		r = db_begin(db);
		for (int i = 0; r == 0 && i < SPOOL_GROUP; i++)
			r = append(db, "INSERT INTO entry VALUES(?1, ?2, ?3)", ++key, 12, 180);
		r = commit(db, r);
		if (r == 0 && group % 4 == 3) { /* what a link has acknowledged, some groups later */
			r = db_begin(db);
			if (r == 0)
				r = spool_drop(db, key - 40 * SPOOL_GROUP);
			r = commit(db, r);
		}
	}
	return r;
}

static int audit(struct db *db)
{
	int64_t seq = 0;
	int r = 0;

	for (int group = 0; r == 0 && group < AUDIT_GROUPS; group++) {
		r = db_begin(db);
		for (int i = 0; r == 0 && i < AUDIT_GROUP; i++)
			r = append(db, "INSERT INTO audit VALUES(?1, ?2, ?3)", ++seq, 250, 32);
		r = commit(db, r);
	}
	return r;
}

static const struct {
	const char *name;
	enum db_sync sync;
	int (*run)(struct db *db);
	const char *look;
} works[] = {
	{ "registry", DB_SYNC_EXTRA, registry, "SELECT sum(length(reported) + reported_us) FROM shadow" },
	{ "spool", DB_SYNC_NORMAL, spool, "SELECT sum(length(data)) FROM entry" },
	{ "audit", DB_SYNC_EXTRA, audit, "SELECT sum(length(rec) + length(head)) FROM audit" },
};
static const char *const kind_names[KINDS] = { "plain", "xchacha", "sm4" };

struct turns {
	uint64_t wall[TURNS_MAX], cpu[TURNS_MAX];
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int work(const char *path, const struct db_options *options, size_t which)
{
	struct stmt *s;
	struct db *db;
	int r = db_open(path, options, &db);

	if (r)
		return r;
	r = works[which].run(db);
	db_close(db);
	if (r == 0)
		r = db_open(path, options, &db);
	if (r)
		return r;
	r = db_prepare(db, works[which].look, &s);
	if (r == 0)
		r = stmt_step(s) == 1 ? 0 : -EIO;
	db_close(db);
	return r;
}

static int turn(const char *folder, struct db_keys *keys, size_t which, uint64_t *ret_wall, uint64_t *ret_cpu)
{
	const struct db_options options = { .sync = works[which].sync, .migrations = migrations, .n_migrations = 1, .keys = keys };
	uint64_t wall, cpu;
	char path[512];
	int r;

	snprintf(path, sizeof(path), "%s/bench-vault.db", folder);
	unlink(path);
	wall = stopwatch_now_ns();
	cpu = cpu_ns();
	r = work(path, &options, which);
	*ret_wall = stopwatch_now_ns() - wall;
	*ret_cpu = cpu_ns() - cpu;
	unlink(path);
	return r;
}

static double median(uint64_t *values, size_t n)
{
	qsort(values, n, sizeof(*values), stopwatch_by_size);
	return n % 2 ? (double)values[n / 2] : (double)(values[n / 2] + values[n / 2 - 1]) / 2;
}

static void print_work(struct turns kinds[KINDS], size_t which, size_t n)
{
	double wall[KINDS], cpu[KINDS];

	for (size_t k = 0; k < KINDS; k++) {
		wall[k] = median(kinds[k].wall, n);
		cpu[k] = median(kinds[k].cpu, n);
	}
	printf("%s\"vault_%s_ms\":%.1f", which ? "," : "{", works[which].name, wall[0] / 1e6);
	for (size_t k = 1; k < KINDS; k++)
		printf(",\"vault_%s_%s\":%.3f,\"vault_%s_%s_cpu\":%.3f", works[which].name, kind_names[k], wall[k] / wall[0],
		       works[which].name, kind_names[k], cpu[k] / cpu[0]);
}

static int run(const char *folder, struct db_keys *rings[KINDS], size_t n)
{
	struct turns kinds[KINDS];
	int r = 0;

	for (size_t which = 0; r == 0 && which < N_ELEMENTS(works); which++) {
		for (size_t i = 0; r == 0 && i < n; i++)
			for (size_t k = 0; r == 0 && k < KINDS; k++)
				r = turn(folder, rings[k], which, &kinds[k].wall[i], &kinds[k].cpu[i]);
		if (r == 0)
			print_work(kinds, which, n);
	}
	if (r == 0)
		puts("}");
	return r;
}

int main(int argc, char **argv)
{
	static const enum seal_suite suites[KINDS] = { [1] = SEAL_XCHACHA, [2] = SEAL_SM4 };
	struct db_keys *rings[KINDS] = { NULL };
	uint8_t key[SEAL_KEY_LEN];
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
	int r = crypto_init();

	if (argc < 2 || n < 1 || n > TURNS_MAX) {
		fputs("bench-vault FOLDER [TURNS]\n", stderr);
		return 2;
	}
	crypto_random(key, sizeof(key));
	for (size_t k = 1; r == 0 && k < KINDS; k++) {
		r = db_keys_new(&rings[k]);
		if (r == 0)
			r = db_keys_put(rings[k], 1, suites[k], key);
		if (r == 0)
			r = db_keys_activate(rings[k], 1);
	}
	if (r == 0)
		r = run(argv[1], rings, n);
	if (r)
		fprintf(stderr, "bench-vault: %s\n", strerror(r < 0 ? -r : EIO));
	for (size_t k = 1; k < KINDS; k++)
		db_keys_free(rings[k]);
	return r ? 1 : 0;
}
