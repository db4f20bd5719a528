/* What a start finds out when the log is not the one that was left: changed, cut, forged, put back, robbed of its key; and when
 * the power went in the middle of something.
 */
#include "audit_sealed.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/inside.h"
#include "audit/keyfile.h"

static void raw(struct audit_home *home, const char *file, const char *sql)
{
	sqlite3 *db = NULL;

	check_int(sqlite3_open_v2(tmpdir_path(&home->dir, file), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	check_int(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL), SQLITE_OK);
	check_int(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* It says what is wrong, goes on in a new file, and is content with itself at the next start; the log never verifies again,
 * unless only the key is gone: then whoever kept a seed sees it.
 */
static void check_fault(struct audit_home *home, const char *want)
{
	bool is_key = strstr(want, "audit.key is") || strstr(want, "does not open");
	struct audit_check none = { .n_anchors = 0 };

	audit_home_open(home);
	const char *fault = audit_fault(home->audit);

	if (!fault || !strstr(fault, want))
		print_error("fault: %s\nwant: %s\n", fault ? fault : "none", want);
	check_true(fault && strstr(fault, want));
	check_text(audit_head(home->audit).segment, "audit-202611-2.db");
	append_many(home, 3);
	check_uint(home->n_failed, 0);
	check_int(verify(home, &none).r, is_key ? AUDIT_E_NO_ANCHOR : AUDIT_E_TAMPERED);
	audit_home_restart(home);
	check_true(audit_fault(home->audit) == NULL);
	append_many(home, 300);
	check_uint(home->n_failed, 0);
	audit_home_close(home);
}

static void a_log_that_was_changed_while_we_were_away_is_told(void **state)
{
	static const struct {
		const char *sql, *want;
	} rows[] = {
		{ "DELETE FROM audit WHERE seq > 290", "the log has 290 records, audit.key knows of 301" },
		{ "DELETE FROM checkpoint WHERE number = 2", "checkpoint 2 is missing" },
		{ "DELETE FROM checkpoint", "checkpoint 2 is missing" },
		{ "UPDATE checkpoint SET body=(SELECT body FROM checkpoint WHERE number=1) WHERE number=2", "checkpoint 2 is missing" },
	};
	struct audit_home home;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		audit_home_init(&home);
		append_many(&home, 300);
		audit_home_close(&home);
		raw(&home, "audit-202611-1.db", rows[i].sql);
		check_fault(&home, rows[i].want);
		audit_home_keys_free(&home);
		tmpdir_deinit(&home.dir);
	}
}

static void what_bears_no_seal_of_ours_is_told(void **state)
{
	static const char *const ways[] = {
		/* a record that no key of ours has sealed, well chained or not; and one taken away behind the last checkpoint */
		"INSERT INTO audit SELECT 302, rec, head, mac FROM audit WHERE seq=301",
		"INSERT INTO audit SELECT 302, rec, head, NULL FROM audit WHERE seq=301",
	};
	struct audit_home home;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(ways); i++) {
		audit_home_init(&home);
		append_many(&home, 300);
		audit_home_close(&home);
		raw(&home, "audit-202611-1.db", ways[i]);
		check_fault(&home, "audit-202611-1.db"); /* the end does not hang together */
		audit_home_keys_free(&home);
		tmpdir_deinit(&home.dir);
	}
	/* Well chained by who has everything but the key. */
	audit_home_init(&home);
	append_many(&home, 300);
	struct segment_tail tail = home.audit->tail;

	audit_home_close(&home);
	struct audit_record record = audit_home_record("forged");
	struct record_stamp stamp = { .seq = ++tail.seq };
	struct segment_name name;
	struct crypto_hash *hash;
	uint8_t rec[AUDIT_RECORD_MAX];
	size_t len = record_encode(&record, &stamp, 0, NULL, rec);
	struct db *db;

	check_true(segment_name_parse("audit-202611-1.db", &name));
	check_ok(crypto_hash_new(CRYPTO_SHA256, &hash));
	check_ok(segment_open(home.dir.path, &name, NULL, &db));
	segment_chain(hash, tail.head, rec, len, tail.head);
	check_ok(db_begin(db));
	check_ok(segment_insert(db, &tail, rec, len, tail.head));
	check_ok(db_commit(db));
	db_close(db);
	crypto_hash_free(hash);
	check_fault(&home, "record 302 does not bear this gateway's seal");
	audit_home_keys_free(&home);
	tmpdir_deinit(&home.dir);
}

static void a_log_without_its_key_is_told(void **state)
{
	struct audit_home home;

	(void)state;
	audit_home_init(&home);
	struct seeding seeding = take_seed(&home);

	append_many(&home, 9);
	audit_home_close(&home);
	check_int(unlink(tmpdir_path(&home.dir, "audit.key")), 0);
	check_fault(&home, "audit.key is missing: the log has 11 records");
	audit_home_open(&home);
	struct heard heard = verify(&home, &(struct audit_check){ .seed_seq = seeding.seq, .seed = seeding.seed });

	check_int(heard.r, AUDIT_E_TAMPERED);
	check_uint(heard.verdict.first_bad, 12);
	audit_home_close(&home);
	audit_home_keys_free(&home);
	tmpdir_deinit(&home.dir);

	audit_home_init(&home);
	append_many(&home, 10);
	audit_home_close(&home);
	home.seal.file_id++; /* a key that the file does not name */
	check_fault(&home, "audit.key does not open");
	audit_home_keys_free(&home);
	tmpdir_deinit(&home.dir);
}

/* The whole folder but audit.key from an image that is older. */
static void an_older_image_is_told_with_both_sizes(void **state)
{
	struct audit_home home;

	(void)state;
	audit_home_init(&home);
	append_many(&home, 10);
	audit_home_close(&home);
	copy(&home, "audit-202611-1.db", "old");
	audit_home_open(&home);
	append_many(&home, 10);
	audit_home_close(&home);
	copy(&home, "old", "audit-202611-1.db");
	check_fault(&home, "the log has 11 records, audit.key knows of 21");
	audit_home_keys_free(&home);
	tmpdir_deinit(&home.dir);
}

/* And of the key alone: the log is longer, and all of it is ours. */
static void an_older_key_still_finds_its_way(void **state)
{
	struct audit_home home;
	struct seeding seeding;

	(void)state;
	audit_home_init(&home);
	append_many(&home, 10);
	audit_home_close(&home);
	audit_home_open(&home);
	copy(&home, "audit.key", "old");
	append_many(&home, 600); /* checkpoints that it does not know */
	audit_home_close(&home);
	copy(&home, "old", "audit.key");
	audit_home_open(&home);
	check_true(audit_fault(home.audit) == NULL);
	check_sound(&home, 0, NULL);
	/* One slot torn, the other holds. */
	for (int slot = 0; slot < 2; slot++) {
		audit_home_close(&home);
		FILE *f = fopen(tmpdir_path(&home.dir, "audit.key"), "r+e");

		check_int(fseek(f, slot * KEYFILE_SLOT + 1000, SEEK_SET), 0);
		check_uint(fwrite("torn", 1, 4, f), 4);
		fclose(f);
		audit_home_open(&home);
		check_true(audit_fault(home.audit) == NULL);
		append_many(&home, 3);
	}
	seeding = take_seed(&home);
	append_many(&home, 3);
	check_sound(&home, seeding.seq, seeding.seed);
	audit_home_deinit(&home);
}

/* The power goes between the announcement of a seed, its record, and the key file after it. */
static void a_seed_that_was_cut_off_is_found_again(void **state)
{
	struct audit_home home;
	struct sealer *sealer;
	char object[2 * CRYPTO_HASH_LEN + 1];

	(void)state;
	for (int written = 0; written < 2; written++) {
		audit_home_init(&home);
		append_many(&home, 5);
		sealer = home.audit->writer.sealer;
		store_drain(home.store);
		sealer_settle(sealer);
		check_ok(sealer_announce(sealer, home.audit->writer.hash, object));
		copy(&home, "audit.key", "announced");
		if (written) {
			struct audit_record record = { .kind = AUDIT_SEED, .object = object };
			struct record_stamp stamp = audit_stamp_now(home.audit);
			struct segment_tail tail = home.audit->tail;
			struct segment_name name = home.audit->segment;
			struct secret *seed;
			uint8_t rec[AUDIT_RECORD_MAX];
			struct db *db;

			check_ok(segment_open(home.dir.path, &name, NULL, &db));
			check_ok(sealer_put_seed(sealer, db, home.audit->writer.hash, &tail, rec, record_encode(&record, &stamp, 0, NULL, rec), &seed));
			db_close(db);
			secret_free(seed);
		}
		home.audit->is_open = false; /* it dies here: no last checkpoint */
		audit_home_close(&home);
		copy(&home, "announced", "audit.key");
		audit_home_open(&home);
		check_true(audit_fault(home.audit) == NULL);
		check_uint(audit_head(home.audit).seq, 6 + (unsigned)written);
		append_many(&home, 5);
		check_sound(&home, 0, NULL);
		audit_home_restart(&home);
		check_true(audit_fault(home.audit) == NULL);
		audit_home_deinit(&home);
	}
}

static void a_key_file_that_cannot_be_written_is_told_until_it_can(void **state)
{
	struct audit_home home;
	bool done = false;

	(void)state;
	audit_home_init(&home);
	append_many(&home, 5);
	check_int(unlink(tmpdir_path(&home.dir, "audit.key")), 0);
	check_int(mkdir(tmpdir_path(&home.dir, "audit.key"), 0700), 0);
	check_ok(audit_checkpoint_now(home.audit, on_flag, &done)); /* it is made all the same */
	audit_home_settle(&home);
	check_true(done && audit_fault(home.audit) && strstr(audit_fault(home.audit), "audit.key cannot be written"));
	check_int(rmdir(tmpdir_path(&home.dir, "audit.key")), 0);
	append_many(&home, 1);
	loop_advance(home.loop, AUDIT_EPOCH_MS);
	audit_home_settle(&home);
	check_true(audit_fault(home.audit) == NULL);
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	audit_home_deinit(&home);
}

static void a_checkpoint_that_cannot_be_made_is_told_until_it_can(void **state)
{
	struct audit_home home;
	sqlite3 *db = NULL;

	(void)state;
	audit_home_init(&home);
	append_many(&home, 5);
	check_int(sqlite3_open(tmpdir_path(&home.dir, "audit-202611-1.db"), &db), SQLITE_OK);
	check_int(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK); /* a disk that will not */
	loop_advance(home.loop, AUDIT_EPOCH_MS);
	audit_home_settle(&home);
	check_true(audit_fault(home.audit) && strstr(audit_fault(home.audit), "no checkpoint can be made"));
	check_int(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	loop_advance(home.loop, AUDIT_RETRY_MS);
	audit_home_settle(&home);
	check_true(audit_fault(home.audit) == NULL);
	check_uint(sealer_uncovered(home.audit->writer.sealer), 0);
	check_sound(&home, 0, NULL);
	audit_home_deinit(&home);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_log_that_was_changed_while_we_were_away_is_told),
		cmocka_unit_test(what_bears_no_seal_of_ours_is_told),
		cmocka_unit_test(a_log_without_its_key_is_told),
		cmocka_unit_test(an_older_image_is_told_with_both_sizes),
		cmocka_unit_test(an_older_key_still_finds_its_way),
		cmocka_unit_test(a_seed_that_was_cut_off_is_found_again),
		cmocka_unit_test(a_checkpoint_that_cannot_be_made_is_told_until_it_can),
		cmocka_unit_test(a_key_file_that_cannot_be_written_is_told_until_it_can),
	};

	return CHECK_RUN(rows);
}
