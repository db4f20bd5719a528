/* A house with canaries in everything it stores; its backup; another house made of it. Every byte that is written to any file
 * meanwhile goes through this test's own write and pwrite.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "custody_house.h"
#include "custody/restore.h"
#include "vault/parcel.h"

static const char canary[] = "canary-zvqx-which-nobody-may-find-on-disk";

/* --- what is written ---------------------------------------------------------------------------------------------------- */

enum { SECRETS_MAX = KEYSTORE_KEYS_MAX };
static struct {
	bool on;
	unsigned n, hits;
	uint8_t keys[SECRETS_MAX][KEYSTORE_SECRET_LEN];
	_Atomic uint64_t bytes;
} watched;

static void look(const void *data, size_t len)
{
	if (!watched.on)
		return;
	watched.bytes += len;
	watched.hits += memmem(data, len, canary, strlen(canary)) != NULL;
	for (unsigned i = 0; i < watched.n; i++)
		watched.hits += memmem(data, len, watched.keys[i], 16) != NULL;
}

/* For the libraries, too: SQLite calls these, and not libc's. */
#define SEEN __attribute__((visibility("default")))

SEEN ssize_t write(int fd, const void *data, size_t len)
{
	look(data, len);
	return syscall(SYS_write, fd, data, len);
}

/* With 64-bit offsets this is pwrite64, which is what SQLite calls. */
SEEN ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
	look(data, len);
	/* A 64-bit number among the arguments has its own rules on each machine; these are two words on all of them. */
	struct iovec iov = { (void *)(uintptr_t)data, len };

	return syscall(SYS_pwritev, fd, &iov, 1, (unsigned long)at, (unsigned long)((uint64_t)at >> 32));
}

SEEN ssize_t writev(int fd, const struct iovec *iov, int n)
{
	for (int i = 0; i < n; i++)
		look(iov[i].iov_base, iov[i].iov_len);
	return syscall(SYS_writev, fd, iov, n);
}

static void watch_keys(const struct vault *vault)
{
	struct vault_key_info infos[KEYSTORE_KEYS_MAX];
	size_t n = vault_list(vault, 0, infos, N_ELEMENTS(infos));
	const uint8_t *key;

	watched.n = watched.hits = 0;
	for (size_t i = 0; i < n; i++)
		if (vault_key(vault, infos[i].id, &key) == 0)
			memcpy(watched.keys[watched.n++], key, KEYSTORE_SECRET_LEN);
	watched.on = true;
}

/* --- the scene ---------------------------------------------------------------------------------------------------------- */

struct scene {
	struct tmpdir dir;
	struct house old, new;
	struct box_public public;
	struct secret *secret;
	enum box_kind box;
	char key_path[200], parcel[BACKUP_PATH_MAX], why[300];
	struct restore_result result;
};

static void scene_init(struct scene *s, enum seal_suite suite, enum box_kind box)
{
	char text[BOX_KEY_TEXT_MAX + 1];

	memset(s, 0, sizeof(*s));
	tmpdir_init(&s->dir);
	house_init(&s->old, &s->dir, "old", suite);
	house_init(&s->new, &s->dir, "new", suite);
	s->box = box;
	check_ok(box_pair_new(box, &s->public, &s->secret));
	box_secret_print(box, s->secret, text);
	strcat(text, "\n");
	snprintf(s->key_path, sizeof(s->key_path), "%s", tmpdir_write(&s->dir, "recovery.key", text));
	house_open(&s->old);
	watch_keys(s->old.vault);
	char sql[200];

	snprintf(sql, sizeof(sql), "INSERT INTO device (name) VALUES ('%s')", canary);
	house_sql(&s->old, s->old.gateway, sql);
	snprintf(sql, sizeof(sql), "INSERT INTO waiting (text) VALUES ('%s')", canary);
	house_sql(&s->old, s->old.spool, sql);
	for (int i = 0; i < 20; i++)
		house_say(&s->old, canary);
}

static void scene_deinit(struct scene *s)
{
	watched.on = false;
	secret_free(s->secret);
	tmpdir_deinit(&s->dir);
}

static void scene_backup(struct scene *s)
{
	check_int(house_set_key(&s->old, &s->public), 0);
	check_int(house_make_backup(&s->old, "monday"), 0);
	snprintf(s->parcel, sizeof(s->parcel), "%s", s->old.result.path);
}

static int scene_restore(struct scene *s, const char *parcel)
{
	const struct restore_options options = { .parcel = parcel, .key_file = s->key_path, .vault = house_vault_options(&s->new),
						 .gateway = &s->new.gateway_options, .spool = &s->new.spool_options };
	char path[300];
	int r = restore_run(&options, s->why, sizeof(s->why), &s->result);

	check_true((r == 0) == (s->why[0] == '\0'));
	snprintf(path, sizeof(path), "%s.restoring", s->new.folder);
	check_true(access(path, F_OK) < 0); /* nothing is left beside it */
	if (r)
		check_true(access(s->new.folder, F_OK) < 0);
	return r;
}

struct seen {
	int n_done;
	unsigned canaries, restores, backups;
};

static void on_rows(void *ctx, int r, const struct audit_row *rows, size_t n)
{
	struct seen *seen = ctx;

	check_ok(r);
	seen->n_done++;
	for (size_t i = 0; i < n; i++) {
		seen->canaries += rows[i].record.detail && strcmp(rows[i].record.detail, canary) == 0;
		seen->restores += rows[i].record.kind == AUDIT_RESTORE;
		seen->backups += rows[i].record.kind == AUDIT_BACKUP;
	}
}

static void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	if (r != AUDIT_E_NO_ANCHOR)
		print_error("verdict %d: %s at %" PRIu64 "\n", r, verdict->what, verdict->first_bad);
	*(int *)ctx = r == AUDIT_E_NO_ANCHOR ? 1 : -1; /* sound, as far as it can know by itself */
}

struct counted {
	int64_t devices, restored, outbox, waiting;
};

static int64_t value(struct db *db, const char *sql)
{
	struct stmt *s;
	int64_t v = -1;

	check_ok(db_prepare(db, sql, &s));
	if (stmt_step(s) == 1)
		v = stmt_i64(s, 0);
	stmt_reset(s);
	return v;
}

static int count_job(struct db *db, void *arg)
{
	struct counted *c = arg;

	c->devices = value(db, "SELECT count(*) FROM device WHERE name LIKE 'canary-zvqx%'");
	c->restored = value(db, "SELECT value FROM meta WHERE key = 'restored'");
	return 0;
}

static void check_restored_house(struct scene *s)
{
	struct counted c = { 0 };
	struct seen seen = { 0 };
	int verdict = 0;

	check_ok(audit_fault(s->new.audit) ? 1 : 0);
	audit_drain(s->new.audit);
	house_settle(&s->new);
	check_ok(store_submit(s->new.store, s->new.gateway, 0, count_job, NULL, &c));
	check_ok(audit_read(s->new.audit, 0, 200, false, on_rows, &seen));
	check_ok(audit_verify(s->new.audit, NULL, 0, on_verdict, &verdict));
	for (int i = 0; i < 1000 && verdict == 0; i++) {
		check_ok(loop_turn(s->new.loop, 5));
		store_drain(s->new.store);
	}
	check_int(verdict, 1);
	check_int(seen.n_done, 1);
	check_uint(seen.canaries, 20);
	check_uint(seen.restores, 1);
	check_int(c.devices, 1);
	check_int(c.restored, 1);
}

/* --- tests -------------------------------------------------------------------------------------------------------------- */

static void other_hardware(void **state)
{
	static const struct {
		enum seal_suite suite;
		enum box_kind box;
	} rows[] = { { SEAL_XCHACHA, BOX_X25519 }, { SEAL_XCHACHA, BOX_SM2 }, { SEAL_SM4, BOX_SM2 } };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct scene s;
		uint64_t before;

		scene_init(&s, rows[i].suite, rows[i].box);
		scene_backup(&s);
		check_true(s.old.result.bytes > 20000 && s.old.result.files == 3);
		uint8_t gateway_id[16];

		memcpy(gateway_id, vault_gateway_id(s.old.vault), 16);
		house_close(&s.old);
		before = watched.bytes;
		check_int(scene_restore(&s, s.parcel), 0);
		check_true(watched.bytes > before + 20000); /* the watch sees what is written */
		house_open(&s.new);
		check_bytes(vault_gateway_id(s.new.vault), 16, gateway_id, 16);
		check_restored_house(&s);
		/* Neither text nor key went to a file in the clear, in the whole story. */
		check_uint(watched.hits, 0);
		house_close(&s.new);
		scene_deinit(&s);
	}
}

/* The watch of the test above would find them. */
static void the_watch_works(void **state)
{
	struct scene s;
	int fd;

	(void)state;
	scene_init(&s, SEAL_XCHACHA, BOX_X25519);
	fd = open(tmpdir_path(&s.dir, "clear"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, canary, sizeof(canary)) > 0 && write(fd, watched.keys[0], 32) == 32);
	close(fd);
	check_uint(watched.hits, 2);
	uint64_t before = watched.bytes;

	house_sql(&s.old, s.old.gateway, "INSERT INTO device (name) VALUES ('another')");
	check_true(watched.bytes >= before + 4096); /* SQLite's pages go through it */
	house_close(&s.old);
	scene_deinit(&s);
}

static void refusals(void **state)
{
	struct scene s;
	struct tmpdir *dir;
	char *data = NULL;
	size_t len = 0;

	(void)state;
	scene_init(&s, SEAL_XCHACHA, BOX_X25519);
	dir = &s.dir;
	/* Before there is a recovery key; names; a name twice; the key survives a restart. */
	check_int(house_make_backup(&s.old, "monday"), BACKUP_E_NO_KEY);
	scene_backup(&s);
	check_int(house_make_backup(&s.old, "monday"), BACKUP_E_EXISTS);
	check_int(house_make_backup(&s.old, "../monday"), BACKUP_E_NAME);
	check_int(house_make_backup(&s.old, ""), BACKUP_E_NAME);
	char longest[BACKUP_NAME_MAX + 2];

	memset(longest, 'n', sizeof(longest));
	longest[BACKUP_NAME_MAX + 1] = '\0';
	check_int(house_make_backup(&s.old, longest), BACKUP_E_NAME);
	longest[BACKUP_NAME_MAX] = '\0';
	check_int(house_make_backup(&s.old, longest), 0);
	house_close(&s.old);
	house_open(&s.old);
	check_true(backup_key(s.old.backup) && memcmp(backup_key(s.old.backup)->data, s.public.data, 32) == 0);
	house_close(&s.old);
	/* Somebody else's key; a public one; no key; no parcel. */
	check_int(scene_restore(&s, tmpdir_path(dir, "missing")), -ENOENT);
	check_int(scene_restore(&s, s.key_path), RESTORE_E_REFUSED);
	char text[BOX_KEY_TEXT_MAX], mine[BOX_KEY_TEXT_MAX];
	struct box_public public;
	struct secret *other = NULL;

	box_secret_print(s.box, s.secret, mine);
	check_ok(box_pair_new(BOX_X25519, &public, &other));
	box_secret_print(BOX_X25519, other, text);
	tmpdir_write(dir, "recovery.key", text);
	check_int(scene_restore(&s, s.parcel), RESTORE_E_REFUSED);
	check_true(strstr(s.why, "another recovery key") != NULL);
	box_public_print(&s.public, text);
	tmpdir_write(dir, "recovery.key", text);
	check_int(scene_restore(&s, s.parcel), RESTORE_E_REFUSED);
	unlink(s.key_path);
	check_int(scene_restore(&s, s.parcel), -ENOENT);
	tmpdir_write(dir, "recovery.key", mine);
	/* A changed byte, here and there; cut here and there. */
	check_ok(host_read_file(s.parcel, 1 << 24, &data, &len));
	for (size_t at = 0; at < len; at += at < 400 ? 23 : 9973) {
		FILE *f = fopen(tmpdir_path(dir, "changed.gwb"), "we");

		data[at] ^= 0x10;
		assert_true(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
		data[at] ^= 0x10;
		check_int(scene_restore(&s, tmpdir_path(dir, "changed.gwb")), RESTORE_E_REFUSED);
		assert_true(truncate(tmpdir_path(dir, "changed.gwb"), (off_t)at) == 0);
		check_int(scene_restore(&s, tmpdir_path(dir, "changed.gwb")), RESTORE_E_REFUSED);
	}
	free(data);
	/* A state folder that is in use stays as it is. */
	check_ok(host_mkdir(s.new.folder, 0700));
	tmpdir_write(dir, "new/gateway.db", "somebody's");
	const struct restore_options options = { .parcel = s.parcel, .key_file = s.key_path, .vault = house_vault_options(&s.new),
						 .gateway = &s.new.gateway_options, .spool = &s.new.spool_options };

	check_int(restore_run(&options, s.why, sizeof(s.why), &s.result), RESTORE_E_REFUSED);
	check_true(strstr(s.why, "not empty") != NULL);
	check_ok(access(tmpdir_path(dir, "new/gateway.db"), F_OK));
	unlink(tmpdir_path(dir, "new/gateway.db"));
	/* Empty but for the receipt of an earlier erasure: that stays. */
	tmpdir_write(dir, "new/erased-20260101-000000.receipt", "receipt");
	check_ok(restore_run(&options, s.why, sizeof(s.why), &s.result));
	check_ok(access(tmpdir_path(dir, "new/erased-20260101-000000.receipt"), F_OK));
	check_ok(access(tmpdir_path(dir, "new/gateway.db"), F_OK));
	secret_free(other);
	scene_deinit(&s);
}

static void newer_schema(void **state)
{
	static const struct db_migration two[] = { { 1, "CREATE TABLE waiting (id INTEGER PRIMARY KEY, text TEXT) STRICT" },
						   { 2, "CREATE TABLE later (a INTEGER) STRICT" } };
	struct scene s;

	(void)state;
	scene_init(&s, SEAL_XCHACHA, BOX_X25519);
	house_close(&s.old);
	s.old.spool_options.migrations = two;
	s.old.spool_options.n_migrations = 2;
	house_open(&s.old);
	scene_backup(&s);
	house_close(&s.old);
	check_int(scene_restore(&s, s.parcel), RESTORE_E_REFUSED);
	check_true(strstr(s.why, "spool.db has schema 2") && strstr(s.why, "newer"));
	/* The one that knows it takes it. */
	s.new.spool_options = s.old.spool_options;
	s.new.spool_options.keys = NULL;
	check_ok(scene_restore(&s, s.parcel));
	scene_deinit(&s);
}

/* What a parcel to the right key must say of itself, when somebody else made it. */
static void foreign_contents(void **state)
{
	static const struct {
		const char *what, *names[3], *texts[3];
	} rows[] = {
		{ "nothing", { NULL }, { NULL } },
		{ "no manifest", { "keys" }, { "k" } },
		{ "manifest is no JSON", { "manifest" }, { "x" } },
		{ "newer format", { "manifest" }, { "{\"format\":2,\"gateway\":\"00\",\"made\":\"now\",\"gatewayd\":\"9\",\"suite\":1}" } },
		{ "strange part", { "manifest", "passwd" }, { "{\"format\":1,\"gateway\":\"00\",\"made\":\"now\",\"gatewayd\":\"9\",\"suite\":1}", "x" } },
		{ "no keys",
		  { "manifest", "sums" },
		  { "{\"format\":1,\"gateway\":\"00\",\"made\":\"now\",\"gatewayd\":\"9\",\"suite\":1}", "{\"parts\":[]}" } },
		{ "keys that are none",
		  { "manifest", "keys", "sums" },
		  { "{\"format\":1,\"gateway\":\"00\",\"made\":\"now\",\"gatewayd\":\"9\",\"suite\":1}", "k",
		    "{\"parts\":[{\"name\":\"keys\",\"bytes\":1,"
		    "\"digest\":\"8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a\"}]}" } },
		{ "a part twice",
		  { "manifest", "audit.key", "audit.key" },
		  { "{\"format\":1,\"gateway\":\"00\",\"made\":\"now\",\"gatewayd\":\"9\",\"suite\":1}", "a", "a" } },
	};
	struct scene s;

	(void)state;
	scene_init(&s, SEAL_XCHACHA, BOX_X25519);
	house_close(&s.old);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct parcel_writer *w = NULL;

		check_ok(parcel_create(tmpdir_path(&s.dir, "x.gwb"), PARCEL_BACKUP, SEAL_XCHACHA, &s.public, &w));
		for (size_t j = 0; j < 3 && rows[i].names[j]; j++) {
			check_ok(parcel_part(w, rows[i].names[j], strlen(rows[i].texts[j])));
			check_ok(parcel_write(w, rows[i].texts[j], strlen(rows[i].texts[j])));
		}
		check_ok(parcel_finish(w));
		parcel_writer_free(w);
		if (scene_restore(&s, tmpdir_path(&s.dir, "x.gwb")) != RESTORE_E_REFUSED)
			fail_msg("%s: %s", rows[i].what, s.why);
	}
	scene_deinit(&s);
}

/* What a power cut left of one goes with the next, whatever its name was. */
static void leftovers(void **state)
{
	struct scene s;
	char path[300];

	(void)state;
	scene_init(&s, SEAL_XCHACHA, BOX_X25519);
	check_int(house_set_key(&s.old, &s.public), 0);
	snprintf(path, sizeof(path), "%s/backups", s.old.folder);
	check_ok(host_mkdir(path, 0700));
	snprintf(path, sizeof(path), "%s/backups/staging", s.old.folder);
	check_ok(host_mkdir(path, 0700));
	tmpdir_write(&s.dir, "old/backups/sunday.gwb.part", "half of it");
	tmpdir_write(&s.dir, "old/backups/saturday.gwb", "whole");
	tmpdir_write(&s.dir, "old/backups/staging/gateway.db", "a copy");
	check_int(house_make_backup(&s.old, "monday"), 0);
	check_true(access(tmpdir_path(&s.dir, "old/backups/sunday.gwb.part"), F_OK) < 0);
	check_true(access(tmpdir_path(&s.dir, "old/backups/staging"), F_OK) < 0);
	check_ok(access(tmpdir_path(&s.dir, "old/backups/saturday.gwb"), F_OK));
	house_close(&s.old);
	scene_deinit(&s);
}

/* One is made while somebody writes, another one is refused meanwhile, and a stop does not wait for it. */
static void busy_and_given_up(void **state)
{
	struct scene s;
	struct audit_record record = house_record();
	char path[300];

	(void)state;
	scene_init(&s, SEAL_XCHACHA, BOX_X25519);
	check_int(house_set_key(&s.old, &s.public), 0);
	house_sql(&s.old, s.old.spool, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
				       " INSERT INTO waiting (text) SELECT hex(randomblob(200)) FROM n");
	int n = s.old.n_done;

	backup_make(s.old.backup, "one", &record, house_on_made, &s.old);
	backup_make(s.old.backup, "two", &record, house_on_made, &s.old);
	check_int(s.old.n_done, n + 1);
	check_int(s.old.r_done, BACKUP_E_BUSY);
	house_say(&s.old, "the writer goes on");
	house_close(&s.old);
	check_int(s.old.n_done, n + 2);
	check_int(s.old.r_done, -ECANCELED);
	snprintf(path, sizeof(path), "%s/backups/one.gwb", s.old.folder);
	check_true(access(path, F_OK) < 0);
	snprintf(path, sizeof(path), "%s/backups/one.gwb.part", s.old.folder);
	check_true(access(path, F_OK) < 0);
	snprintf(path, sizeof(path), "%s/backups/staging", s.old.folder);
	check_true(access(path, F_OK) < 0);
	scene_deinit(&s);
}

static void sm_alone(void **state)
{
	struct scene s;
	struct box_public x25519;
	struct secret *secret = NULL;

	(void)state;
	scene_init(&s, SEAL_SM4, BOX_SM2);
	check_ok(box_pair_new(BOX_X25519, &x25519, &secret));
	check_int(house_set_key(&s.old, &x25519), BACKUP_E_SUITE);
	check_true(!backup_key(s.old.backup));
	secret_free(secret);
	house_close(&s.old);
	scene_deinit(&s);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(other_hardware),
		cmocka_unit_test(the_watch_works),
		cmocka_unit_test(refusals),
		cmocka_unit_test(newer_schema),
		cmocka_unit_test(foreign_contents),
		cmocka_unit_test(leftovers),
		cmocka_unit_test(busy_and_given_up),
		cmocka_unit_test(sm_alone),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
