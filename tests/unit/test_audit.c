/* The log: what goes in comes out, nothing that is in changes, repeats become counts, files follow each other. */
#include "audit_home.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "audit/inside.h"

static void raw_exec(struct audit_home *home, const char *file, const char *sql, int want)
{
	sqlite3 *db = NULL;

	check_int(sqlite3_open_v2(tmpdir_path(&home->dir, file), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	if (rc != want)
		print_error("%s: %s\n", sql, sqlite3_errmsg(db));
	check_int(rc, want);
	sqlite3_close(db);
}

static void records_come_back_in_pages_from_both_ends(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));
	char name[16];

	(void)state;
	audit_home_init(&home);
	audit_set_time_trusted(home.audit, true);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "o%d", i);
		audit_home_append(&home, name);
	}
	audit_home_settle(&home);
	check_uint(home.n_done, 300);
	check_uint(audit_head(home.audit).seq, 301);
	check_text(audit_head(home.audit).segment, "audit-202611-1.db");
	audit_home_read(&home, 0, 10, false, seen);
	check_ok(seen->r);
	check_uint(seen->n, 10);
	check_int(seen->rows[0].kind, AUDIT_SEGMENT);
	check_text(seen->rows[1].object, "o0");
	check_text(seen->rows[1].action, "set on-off=true");
	check_text(seen->rows[1].subject_name, "anna");
	check_text(seen->rows[1].source_addr, "192.0.2.7");
	check_true(seen->rows[1].time_trusted && !seen->rows[0].time_trusted && seen->rows[1].wall_us == WALL_US);
	audit_home_read(&home, 10, 1000, false, seen);
	check_uint(seen->n, AUDIT_READ_MAX);
	check_uint(seen->rows[0].seq, 11);
	audit_home_read(&home, 0, 3, true, seen);
	check_uint(seen->n, 3);
	check_text(seen->rows[0].object, "o299");
	check_uint(seen->rows[2].seq, 299);
	audit_home_read(&home, 299, 3, true, seen);
	check_uint(seen->rows[0].seq, 298);
	audit_home_read(&home, 301, 3, false, seen);
	check_ok(seen->r);
	check_uint(seen->n, 0);
	audit_home_deinit(&home);
	free(seen);
}

static void the_log_goes_on_after_a_restart(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));
	struct audit_head before, after;

	(void)state;
	audit_home_init(&home);
	audit_home_append(&home, "one");
	audit_home_settle(&home);
	before = audit_head(home.audit);
	audit_home_restart(&home);
	after = audit_head(home.audit);
	check_bytes(after.head, sizeof(after.head), before.head, sizeof(before.head));
	check_uint(after.seq, before.seq);
	check_true(audit_fault(home.audit) == NULL);
	audit_home_append(&home, "two");
	audit_home_close(&home); /* what is still on its way is written */
	audit_home_open(&home);
	check_uint(audit_head(home.audit).seq, 3);
	audit_home_read(&home, 0, 9, false, seen);
	check_text(seen->rows[2].object, "two");
	home.suite = CRYPTO_SM3; /* another hash: a new file, chained on */
	audit_home_restart(&home);
	check_text(audit_head(home.audit).segment, "audit-202611-2.db");
	check_uint(audit_head(home.audit).seq, 4);
	audit_home_deinit(&home);
	free(seen);
}

/* --- append only ----------------------------------------------------------------------------------------------------- */

static int attack_job(struct db *db, void *arg)
{
	return db_exec(db, arg);
}

static void on_attack(void *arg, int r)
{
	(void)arg;
	check_true(r < 0);
}

static void our_own_process_cannot_change_what_is_written(void **state)
{
	static const char *const attacks[] = {
		"UPDATE audit SET rec=x'00' WHERE seq=2",
		"DELETE FROM audit WHERE seq=2",
		"DELETE FROM audit",
		"INSERT OR REPLACE INTO audit(seq, rec, head) VALUES(2, x'00', zeroblob(32))",
		"REPLACE INTO audit(seq, rec, head) VALUES(2, x'00', zeroblob(32))",
		"INSERT INTO audit(seq, rec, head) VALUES(2, x'00', zeroblob(32)) ON CONFLICT(seq) DO UPDATE SET rec=x'00'",
		"INSERT INTO audit(seq, rec, head) VALUES(99, x'00', zeroblob(32))",
		"INSERT INTO audit(seq, rec, head) VALUES(-1, x'00', zeroblob(32))",
		"INSERT INTO audit(rec, head) VALUES(x'00', zeroblob(32))",
		"INSERT INTO audit(seq, rec, head) VALUES(5, x'00', x'00')",
		"DROP TABLE audit", "DROP TRIGGER audit_delete", "ALTER TABLE audit RENAME TO a",
		"CREATE TEMP TRIGGER t BEFORE INSERT ON audit BEGIN SELECT raise(IGNORE); END",
		"PRAGMA writable_schema=ON", "PRAGMA journal_mode=DELETE", "PRAGMA synchronous=OFF",
		"ATTACH DATABASE ':memory:' AS other", "VACUUM",
		"INSERT INTO checkpoint(number, body) VALUES(0, x'00')",
	};
	/* And to whoever opens the file by other means the triggers say the same. */
	static const char *const raw[] = {
		"UPDATE audit SET rec=x'00' WHERE seq=2", "DELETE FROM audit WHERE seq=2",
		"INSERT OR REPLACE INTO audit(seq, rec, head) VALUES(2, x'00', zeroblob(32))",
		"INSERT INTO audit(seq, rec, head) VALUES(2, x'00', zeroblob(32)) ON CONFLICT(seq) DO UPDATE SET rec=x'00'",
	};
	struct audit_home home;
	struct audit_head before;

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 3; i++)
		audit_home_append(&home, "x");
	audit_home_settle(&home);
	before = audit_head(home.audit);
	for (size_t i = 0; i < N_ELEMENTS(attacks); i++) {
		check_ok(store_submit(home.store, home.audit->db, 0, attack_job, on_attack, (void *)(uintptr_t)attacks[i]));
		store_drain(home.store);
	}
	audit_home_restart(&home);
	check_bytes(audit_head(home.audit).head, CRYPTO_HASH_LEN, before.head, CRYPTO_HASH_LEN);
	check_uint(audit_head(home.audit).seq, before.seq);
	audit_home_close(&home);
	for (size_t i = 0; i < N_ELEMENTS(raw); i++)
		raw_exec(&home, "audit-202611-1.db", raw[i], SQLITE_CONSTRAINT);
	audit_home_open(&home);
	audit_home_deinit(&home);
}

/* --- repeats --------------------------------------------------------------------------------------------------------- */

static uint64_t folder_bytes(const char *folder)
{
	char command[200];
	unsigned long long n = 0;
	FILE *f;

	snprintf(command, sizeof(command), "cat %s/audit-*.db* | wc -c", folder);
	f = popen(command, "r");
	assert_non_null(f);
	check_int(fscanf(f, "%llu", &n), 1);
	pclose(f);
	return n;
}

/* Everything that is in the log, added up. */
static uint64_t count_of_kind(struct audit_home *home, uint16_t kind)
{
	struct audit_seen *seen = calloc(1, sizeof(*seen));
	uint64_t total = 0, after = 0;

	do {
		audit_home_read(home, after, AUDIT_READ_MAX, false, seen);
		check_ok(seen->r);
		for (size_t i = 0; i < seen->n; i++) {
			total += seen->rows[i].kind == kind ? seen->rows[i].count : 0;
			after = seen->rows[i].seq;
		}
	} while (seen->n);
	free(seen);
	return total;
}

/* One stranger, a million denials over two hours, who asks for something else and calls himself something else each time. */
static void a_million_denials_are_less_than_a_megabyte(void **state)
{
	struct audit_home home;
	struct audit_record record = { .kind = AUDIT_DENIAL, .outcome = AUDIT_DENIED, .subject = { SUBJECT_LINK, 1 }, .subject_name = "cloud",
				       .source = SOURCE_LINK_CLOUD, .action = "set lock-state=unlocked", .detail = "no rule allows it" };
	char object[32], address[32];

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 1000000; i++) {
		snprintf(object, sizeof(object), "device-%d", i);
		snprintf(address, sizeof(address), "cloud/app-%d", i % 1000);
		record.object = object;
		record.source_addr = address;
		check_ok(audit_append(home.audit, &record, NULL, NULL));
		if (i % 1000 == 0) {
			loop_advance(home.loop, 7200);
			audit_home_settle(&home);
		}
	}
	loop_advance(home.loop, AUDIT_WINDOW_MS);
	audit_home_settle(&home);
	check_uint(count_of_kind(&home, AUDIT_DENIAL), 1000000);
	check_true(audit_head(home.audit).seq < 1000);
	audit_home_close(&home);
	uint64_t bytes = folder_bytes(home.dir.path);

	print_message("a million denials: %" PRIu64 " bytes, %s\n", bytes, home.dir.path);
	check_true(bytes < 1000000);
	audit_home_open(&home);
	audit_home_deinit(&home);
}

static void only_repeats_collapse(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));
	struct audit_record command = audit_home_record("lamp");
	struct audit_record login = { .kind = AUDIT_LOGIN, .subject = { SUBJECT_USER, 3 }, .source_addr = "192.0.2.7" };
	struct audit_record failed = login;

	(void)state;
	failed.outcome = AUDIT_FAILED;
	audit_home_init(&home);
	for (int i = 0; i < 5; i++) {
		check_ok(audit_append(home.audit, &command, audit_home_on_done, &home));
		check_ok(audit_append(home.audit, &login, NULL, NULL));
		check_ok(audit_append(home.audit, &failed, audit_home_on_done, &home));
	}
	audit_home_settle(&home);
	check_uint(home.n_done, 10); /* who waits is answered, counted or not */
	audit_home_read(&home, 0, 50, false, seen);
	check_uint(seen->n, 1 + 5 + 5 + 1);
	loop_advance(home.loop, AUDIT_WINDOW_MS);
	audit_home_settle(&home);
	audit_home_read(&home, 12, 50, false, seen);
	check_uint(seen->n, 1);
	check_uint(seen->rows[0].count, 4);
	check_int(seen->rows[0].outcome, AUDIT_FAILED);
	loop_advance(home.loop, 2 * AUDIT_WINDOW_MS); /* quiet: the next one is written in full, at once */
	check_ok(audit_append(home.audit, &failed, NULL, NULL));
	audit_home_settle(&home);
	check_uint(audit_head(home.audit).seq, 14);
	audit_home_deinit(&home);
	free(seen);
}

static void on_collapsed(void *ctx, const struct audit_record *record)
{
	uint64_t *total = ctx;

	*total += record->count;
}

static void tables_are_bounded_and_lose_no_count(void **state)
{
	struct collapse *c = NULL;
	struct audit_record record = { .kind = AUDIT_DENIAL, .outcome = AUDIT_DENIED, .subject.kind = SUBJECT_USER };
	uint64_t written = 0, counted = 0, telemetry = 0;
	char object[16];

	(void)state;
	check_ok(collapse_new(&c));
	check_true(collapse_is_empty(c));
	for (int i = 0; i < 3 * AUDIT_COLLAPSE_MAX; i++) { /* more subjects than there are entries */
		record.subject.id = (uint32_t)i;
		written += collapse_note(c, &record);
	}
	check_uint(written, AUDIT_COLLAPSE_MAX / 2); /* an entry and its group */
	collapse_flush(c, on_collapsed, &counted);
	check_uint(written + counted, 3 * AUDIT_COLLAPSE_MAX);
	collapse_flush(c, on_collapsed, &counted);
	check_true(collapse_is_empty(c));
	written = counted = 0;
	record.subject.id = 1;
	for (int i = 0; i < 1000; i++) {
		snprintf(object, sizeof(object), "o%d", i);
		record.object = object;
		written += collapse_note(c, &record);
	}
	check_uint(written, COLLAPSE_OBJECTS_MAX);
	collapse_flush(c, on_collapsed, &counted);
	for (int i = 0; i < 1000; i++) { /* the next window: he is known */
		snprintf(object, sizeof(object), "p%d", i);
		record.object = object;
		written += collapse_note(c, &record);
	}
	check_uint(written, COLLAPSE_OBJECTS_MAX + COLLAPSE_OBJECTS_NOISY);
	collapse_flush(c, on_collapsed, &counted);
	check_uint(written + counted, 2000);
	collapse_flush(c, on_collapsed, &counted);
	for (uint32_t i = 0; i < COLLAPSE_DEVICES_MAX + 10; i++)
		collapse_count(c, (struct device_id){ { 1, (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16) } }, 3);
	check_true(!collapse_is_empty(c));
	collapse_flush(c, on_collapsed, &telemetry);
	check_uint(telemetry, 3 * (COLLAPSE_DEVICES_MAX + 10));
	check_true(collapse_is_empty(c));
	check_true(collapse_free(c) == NULL && collapse_free(NULL) == NULL);
}

static void a_record_that_stands_for_many_counts_as_many(void **state)
{
	struct collapse *c = NULL;
	struct audit_record record = { .kind = AUDIT_BAD_INPUT, .outcome = AUDIT_FAILED, .subject.kind = SUBJECT_ADAPTER, .object = "x", .count = 1 };
	uint64_t counted = 0;

	(void)state;
	check_ok(collapse_new(&c));
	check_true(collapse_note(c, &record));
	record.count = 41;
	check_true(!collapse_note(c, &record));
	record.count = 0; /* one, like most */
	check_true(!collapse_note(c, &record));
	collapse_flush(c, on_collapsed, &counted);
	check_uint(counted, 42);
	record.count = UINT32_MAX;
	check_true(!collapse_note(c, &record));
	check_true(!collapse_note(c, &record));
	collapse_flush(c, on_collapsed, &counted);
	check_uint(counted, 42u + (uint64_t)UINT32_MAX);
	collapse_free(c);
}

static void allowed_telemetry_is_counted_by_the_minute(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 1000; i++)
		audit_count_telemetry(home.audit, (struct device_id){ { 1, (uint8_t)(i % 2) } }, 1);
	audit_home_settle(&home);
	check_uint(audit_head(home.audit).seq, 1);
	loop_advance(home.loop, AUDIT_WINDOW_MS);
	audit_home_settle(&home);
	audit_home_read(&home, 1, 9, false, seen);
	check_uint(seen->n, 1);
	check_int(seen->rows[0].kind, AUDIT_TELEMETRY_COUNT);
	check_uint(seen->rows[0].count, 1000);
	check_text(seen->rows[0].object, "2 devices");
	check_true(strstr(seen->rows[0].detail, "010100000000000000000000=500") != NULL);
	audit_home_deinit(&home);
	free(seen);
}

/* --- files ----------------------------------------------------------------------------------------------------------- */

static void a_new_file_begins_with_the_month_and_with_the_size(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	audit_home_init(&home);
	audit_home_append(&home, "november");
	audit_home_settle(&home);
	loop_set_wall_us(home.loop, WALL_US + INT64_C(10) * 86400 * 1000000);
	audit_home_append(&home, "is it december?"); /* the clock is not to be believed yet */
	audit_home_settle(&home);
	check_text(audit_head(home.audit).segment, "audit-202611-1.db");
	audit_set_time_trusted(home.audit, true);
	audit_home_append(&home, "december");
	audit_home_settle(&home);
	check_text(audit_head(home.audit).segment, "audit-202612-2.db");
	home.segment_bytes_max = 4096;
	audit_home_restart(&home);
	for (int i = 0; i < 200; i++) {
		audit_home_append(&home, "much");
		audit_home_settle(&home);
		loop_advance(home.loop, i % 20 == 0 ? AUDIT_WINDOW_MS : 0);
	}
	check_true(home.audit->segment.n > 5);
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	audit_home_read(&home, 0, 4, false, seen);
	check_text(seen->rows[3].object, "audit-202612-2.db");
	uint64_t n = 0, after = 0;

	do { /* across all files, none missing */
		audit_home_read(&home, after, 100, false, seen);
		check_ok(seen->r);
		for (size_t i = 0; i < seen->n; i++)
			check_uint(seen->rows[i].seq, ++after);
		n += seen->n;
	} while (seen->n);
	check_uint(n, audit_head(home.audit).seq);
	audit_home_read(&home, 0, 250, true, seen);
	check_uint(seen->n, n < 250 ? n : 250);
	audit_home_deinit(&home);
	free(seen);
}

static void names_of_files_are_ours_only(void **state)
{
	static const char *const bad[] = { "audit-202611-0.db", "audit-202611-01.db", "audit-20261-1.db", "audit-202611-1.db-wal", "audit-202611-.db",
					   "audit-202611-1", "audit-2026x1-1.db", "gateway.db", "audit-202611-99999999999.db", "" };
	struct segment_name name;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_true(!segment_name_parse(bad[i], &name));
	segment_name_make(WALL_US, 4711, &name);
	check_text(name.text, "audit-202611-4711.db");
	check_true(strlen("audit-999912-4294967295.db") < SEGMENT_NAME_MAX && (int)SEGMENT_NAME_MAX == (int)RECORD_SEGMENT_MAX);
	check_true(segment_name_parse(name.text, &name) && name.n == 4711 && segment_name_month(&name) == 202611);
	check_int(segment_month(-5), 197001);
	check_int(segment_month(0), 197001);
}

static void more_files_than_a_log_may_have_are_refused(void **state)
{
	struct tmpdir dir;
	struct segment_name *names = NULL;
	char name[64];
	size_t n = 0;

	(void)state;
	tmpdir_init(&dir);
	for (int i = 1; i <= SEGMENTS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "audit-202611-%d.db", i);
		tmpdir_write(&dir, name, "");
		if (i == SEGMENTS_MAX) {
			check_ok(segment_list(dir.path, &names, &n));
			check_uint(n, SEGMENTS_MAX);
			check_uint(names[n - 1].n, SEGMENTS_MAX);
			free(names);
		}
	}
	check_int(segment_list(dir.path, &names, &n), -E2BIG);
	tmpdir_deinit(&dir);
}

static void a_damaged_end_is_told_and_a_new_file_begins(void **state)
{
	struct audit_home home;
	struct audit_seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 5; i++)
		audit_home_append(&home, "x");
	audit_home_close(&home);
	raw_exec(&home, "audit-202611-1.db", "DROP TRIGGER audit_update; UPDATE audit SET head=zeroblob(32) WHERE seq=4", SQLITE_OK);
	audit_home_open(&home);
	check_true(audit_fault(home.audit) && strstr(audit_fault(home.audit), "audit-202611-1.db"));
	check_text(audit_head(home.audit).segment, "audit-202611-2.db");
	audit_home_read(&home, 0, 1, true, seen);
	check_int(seen->rows[0].outcome, AUDIT_FAILED);
	check_text(seen->rows[0].detail, audit_fault(home.audit));
	audit_home_append(&home, "life goes on");
	audit_home_settle(&home);
	check_uint(home.n_failed, 0);
	audit_home_restart(&home);
	check_true(audit_fault(home.audit) == NULL);
	audit_home_close(&home);
	/* Not even a database. */
	int fd = open(tmpdir_path(&home.dir, "audit-202611-2.db"), O_WRONLY | O_TRUNC);

	check_int(write(fd, "rubbish, not a database at all, none", 36), 36);
	close(fd);
	audit_home_open(&home);
	check_text(audit_head(home.audit).segment, "audit-202611-3.db");
	check_uint(audit_head(home.audit).seq, 7); /* after the last that could be read */
	audit_home_deinit(&home);
	free(seen);
}

/* --- when the writer cannot ------------------------------------------------------------------------------------------ */

static void what_could_not_be_written_is_tried_again(void **state)
{
	struct audit_home home;
	struct audit_record record = audit_home_record("kept");
	sqlite3 *db = NULL;

	(void)state;
	audit_home_init(&home);
	check_int(sqlite3_open(tmpdir_path(&home.dir, "audit-202611-1.db"), &db), SQLITE_OK);
	check_int(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK); /* a disk that will not */
	check_ok(audit_append(home.audit, &record, NULL, NULL));
	audit_home_append(&home, "its asker waits");
	audit_home_settle(&home);
	check_uint(home.n_failed, 1); /* told, so it does not happen, so it is not recorded later either */
	check_uint(audit_head(home.audit).seq, 1);
	check_int(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	loop_advance(home.loop, AUDIT_RETRY_MS);
	audit_home_settle(&home);
	check_uint(audit_head(home.audit).seq, 2);
	audit_home_deinit(&home);
}

static void a_full_queue_is_said(void **state)
{
	struct audit_home home;
	struct audit_options options;
	struct audit_record record = audit_home_record("x");
	int n = 0, r;

	(void)state;
	memset(&home, 0, sizeof(home));
	tmpdir_init(&home.dir);
	check_ok(crypto_init());
	options = (struct audit_options){ home.dir.path, CRYPTO_SHA256, home.boot_id, 1 << 24, NULL };
	check_ok(loop_new_virtual(1000, WALL_US, &home.loop));
	check_ok(store_new(home.loop, &home.store));
	check_ok(audit_new(home.loop, home.store, &options, &home.audit)); /* and a writer that does not start */
	while ((r = audit_append(home.audit, &record, n % 2 ? audit_home_on_done : NULL, &home)) == 0) {
		if (++n % AUDIT_BATCH_MAX == 0)
			check_ok(loop_turn(home.loop, 0));
		check_true(n <= AUDIT_QUEUE_MAX);
	}
	check_int(r, AUDIT_E_FULL);
	check_uint(n, AUDIT_QUEUE_MAX);
	check_ok(store_start(home.store));
	audit_home_settle(&home);
	check_uint(audit_head(home.audit).seq, AUDIT_QUEUE_MAX + 1);
	check_uint(home.n_done, AUDIT_QUEUE_MAX / 2);
	check_ok(audit_append(home.audit, &record, NULL, NULL));
	audit_home_deinit(&home);
}

/* --- kill -9 --------------------------------------------------------------------------------------------------------- */

static void tell_done(void *ctx, int r)
{
	if (r == 0 && write(*(int *)ctx, "x", 1) != 1)
		_exit(3);
}

static void what_was_called_done_survives_kill_9(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 8; round++) {
		struct audit_home home;
		char bytes[4096];
		uint64_t told = 0;
		ssize_t n;
		int fds[2];

		audit_home_make(&home);
		check_ok(pipe(fds));
		pid_t pid = fork();

		if (pid == 0) {
			struct audit_record record = audit_home_record("x");

			audit_home_open(&home);
			for (;;) {
				if (audit_append(home.audit, &record, tell_done, &fds[1]) || loop_turn(home.loop, 0))
					_exit(4);
				if (store_queued(home.store) > 100)
					store_drain(home.store);
			}
		}
		close(fds[1]);
		while ((n = read(fds[0], bytes, sizeof(bytes))) > 0) {
			told += (uint64_t)n;
			if (told > 200 + 100 * round)
				kill(pid, SIGKILL);
		}
		check_int(waitpid(pid, NULL, 0), pid);
		close(fds[0]);
		audit_home_open(&home);
		check_true(audit_fault(home.audit) == NULL);
		check_true(told > 200 && audit_head(home.audit).seq >= told + 1);
		audit_home_deinit(&home);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(records_come_back_in_pages_from_both_ends),
		cmocka_unit_test(the_log_goes_on_after_a_restart),
		cmocka_unit_test(our_own_process_cannot_change_what_is_written),
		cmocka_unit_test(a_million_denials_are_less_than_a_megabyte),
		cmocka_unit_test(only_repeats_collapse),
		cmocka_unit_test(tables_are_bounded_and_lose_no_count),
		cmocka_unit_test(a_record_that_stands_for_many_counts_as_many),
		cmocka_unit_test(allowed_telemetry_is_counted_by_the_minute),
		cmocka_unit_test(a_new_file_begins_with_the_month_and_with_the_size),
		cmocka_unit_test(names_of_files_are_ours_only),
		cmocka_unit_test(more_files_than_a_log_may_have_are_refused),
		cmocka_unit_test(a_damaged_end_is_told_and_a_new_file_begins),
		cmocka_unit_test(what_could_not_be_written_is_tried_again),
		cmocka_unit_test(a_full_queue_is_said),
		cmocka_unit_test(what_was_called_done_survives_kill_9),
	};

	return CHECK_RUN(rows);
}
