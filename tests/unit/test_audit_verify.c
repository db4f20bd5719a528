/* What a verification says, with and without help from outside; what the gateway itself knows of its end; the export. */
#include "audit_home.h"

#include <sqlite3.h>

#include "audit/inside.h"
#include "audit/walk.h"
#include "base/bytes.h"
#include "vault/parcel.h"

struct heard {
	bool called;
	int r;
	struct audit_verdict verdict;
};

static void on_verdict(void *ctx, int r, const struct audit_verdict *verdict)
{
	struct heard *heard = ctx;

	*heard = (struct heard){ true, r, *verdict };
}

static struct heard verify(struct audit_home *home, const struct audit_anchor *anchors, size_t n)
{
	struct heard heard = { .called = false };

	check_ok(audit_verify(home->audit, anchors, n, on_verdict, &heard));
	for (int i = 0; i < 2000 && !heard.called; i++) {
		store_drain(home->store);
		check_ok(loop_turn(home->loop, 5));
	}
	check_true(heard.called);
	return heard;
}

static void a_log_without_an_anchor_proves_less_and_says_so(void **state)
{
	struct audit_home home;
	struct audit_anchor anchors[2] = { { .seq = 0 } };
	struct heard heard;

	(void)state;
	audit_home_init(&home);
	audit_home_append(&home, "one");
	audit_home_settle(&home);
	anchors[0].seq = 2;
	memcpy(anchors[0].head, audit_head(home.audit).head, CRYPTO_HASH_LEN);
	audit_home_append(&home, "two"); /* not written yet when verify is asked: it is in */
	heard = verify(&home, NULL, 0);
	check_int(heard.r, AUDIT_E_NO_ANCHOR);
	check_uint(heard.verdict.records, 3);
	check_uint(heard.verdict.first_bad, 0);
	heard = verify(&home, anchors, 1);
	check_int(heard.r, 0);
	check_uint(heard.verdict.anchors, 1);
	anchors[1] = anchors[0];
	anchors[1].head[5] ^= 1;
	heard = verify(&home, anchors, 2);
	check_int(heard.r, AUDIT_E_TAMPERED);
	check_uint(heard.verdict.first_bad, 2);
	check_true(strstr(heard.verdict.what, "anchor") != NULL);
	anchors[1] = anchors[0];
	anchors[1].seq = 50; /* it has seen more than there is */
	heard = verify(&home, anchors, 2);
	check_int(heard.r, AUDIT_E_TAMPERED);
	check_uint(heard.verdict.first_bad, 4);
	audit_home_deinit(&home);
}

/* The end of the log can be cut without a trace in it; the process that wrote it knows better even without an anchor. */
static void the_writer_itself_misses_its_last_records(void **state)
{
	struct audit_home home;
	sqlite3 *db = NULL;
	struct heard heard;

	(void)state;
	audit_home_init(&home);
	for (int i = 0; i < 5; i++)
		audit_home_append(&home, "x");
	audit_home_settle(&home);
	check_int(sqlite3_open(tmpdir_path(&home.dir, "audit-202611-1.db"), &db), SQLITE_OK);
	check_int(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL), SQLITE_OK);
	check_int(sqlite3_exec(db, "DELETE FROM audit WHERE seq > 4", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	heard = verify(&home, NULL, 0);
	check_int(heard.r, AUDIT_E_TAMPERED);
	check_uint(heard.verdict.first_bad, 5);
	audit_home_deinit(&home);
}

/* One more record at the end, by somebody else, well chained, with a seal of his own invention. */
static void append_forged(struct audit_home *home, const char *file)
{
	struct audit_record record = audit_home_record("forged");
	struct record_stamp stamp = { .wall_us = WALL_US };
	struct segment_name name;
	struct segment_tail tail;
	struct crypto_hash *hash;
	uint8_t rec[AUDIT_RECORD_MAX];
	struct db *db;

	check_true(segment_name_parse(file, &name));
	check_ok(segment_open(home->dir.path, &name, NULL, &db));
	check_ok(crypto_hash_new(CRYPTO_SHA256, &hash));
	check_ok(db_begin(db));
	check_ok(segment_tail_read(db, &tail));
	size_t len = record_encode(&record, &stamp, 0, NULL, rec);

	record_set_seq(rec, ++tail.seq);
	segment_chain(hash, tail.head, rec, len, tail.head);
	check_ok(segment_insert(db, &tail, rec, len, tail.head));
	check_ok(db_commit(db));
	db_close(db);
	crypto_hash_free(hash);
}

/* Without the gateway's own knowledge, or a seed, it would pass, and stand behind the newest anchor. */
static void the_writer_itself_knows_what_it_did_not_write(void **state)
{
	struct audit_home home;
	struct audit_anchor anchor = { .seq = 2 };
	struct segment_name *names;
	struct audit_verdict verdict;
	struct heard heard;
	size_t n;

	(void)state;
	audit_home_init(&home);
	audit_home_append(&home, "x");
	audit_home_settle(&home);
	memcpy(anchor.head, audit_head(home.audit).head, CRYPTO_HASH_LEN);
	append_forged(&home, "audit-202611-1.db");
	heard = verify(&home, &anchor, 1);
	check_int(heard.r, AUDIT_E_TAMPERED);
	check_uint(heard.verdict.first_bad, 3);
	check_ok(segment_list(home.dir.path, &names, &n));
	struct walk alone = { .names = names, .n_names = n, .check = { .anchors = &anchor, .n_anchors = 1 }, .is_sealed = true };

	check_int(walk_files(&alone, &(struct walk_files){ .folder = home.dir.path }, &verdict), 0);
	check_uint(verdict.newest_anchor, 2);
	check_uint(verdict.after_anchor, 1);
	free(names);
	audit_home_deinit(&home);
}

/* Nor is it built upon: the log goes on from what the gateway wrote, in a new file that says why, and loses nothing. */
static void the_writer_does_not_build_upon_what_another_wrote(void **state)
{
	struct audit_home home;
	struct audit_record record = audit_home_record("mine");
	struct audit_seen *seen = calloc(1, sizeof(*seen));

	(void)state;
	audit_home_init(&home);
	audit_home_append(&home, "x");
	audit_home_settle(&home);
	append_forged(&home, "audit-202611-1.db");
	check_ok(audit_append(home.audit, &record, NULL, NULL));
	audit_home_settle(&home);
	check_uint(audit_head(home.audit).seq, 2);
	for (int i = 0; i < AUDIT_STALE_TRIES; i++) {
		loop_advance(home.loop, AUDIT_RETRY_MS);
		audit_home_settle(&home);
	}
	check_true(audit_fault(home.audit) && strstr(audit_fault(home.audit), "somebody else"));
	check_text(audit_head(home.audit).segment, "audit-202611-2.db");
	loop_advance(home.loop, AUDIT_RETRY_MS);
	audit_home_settle(&home);
	audit_home_read(&home, 0, 2, true, seen);
	check_text(seen->rows[0].object, "mine");
	check_int(seen->rows[1].kind, AUDIT_SEGMENT);
	check_int(seen->rows[1].outcome, AUDIT_FAILED);
	check_uint(seen->rows[0].seq, 4);
	audit_home_append(&home, "and on");
	audit_home_settle(&home);
	check_uint(home.n_failed, 0);
	struct heard heard = verify(&home, NULL, 0);

	check_int(heard.r, AUDIT_E_TAMPERED);
	audit_home_deinit(&home);
	free(seen);
}

/* --- export ---------------------------------------------------------------------------------------------------------- */

static void export_holds_every_row(void **state)
{
	struct audit_home home;
	struct stat st;
	char path[200];
	uint8_t *bytes = malloc(1 << 20);

	(void)state;
	audit_home_init(&home);
	home.segment_bytes_max = 2000;
	audit_home_restart(&home);
	for (int i = 0; i < 30; i++) {
		audit_home_append(&home, "x");
		audit_home_settle(&home);
		loop_advance(home.loop, AUDIT_WINDOW_MS);
	}
	snprintf(path, sizeof(path), "%s/log.gwa", home.dir.path);
	home.n_done = 0;
	check_ok(audit_export(home.audit, path, audit_home_on_done, &home));
	for (int i = 0; i < 2000 && !home.n_done; i++) {
		store_drain(home.store);
		check_ok(loop_turn(home.loop, 5));
	}
	check_ok(stat(path, &st));
	check_uint(st.st_mode & 0777, 0600);
	FILE *f = fopen(path, "re");
	struct reader r = reader_over(bytes, fread(bytes, 1, 1 << 20, f));
	uint64_t counts[4] = { 0 };
	uint8_t type;

	fclose(f);
	check_bytes(get_view(&r, 8).data, 8, "GWAUDIT2", 8);
	while ((type = get_u8(&r)) && !r.bad) {
		struct view item = get_view(&r, get_u32(&r));
		struct record record;

		counts[type < 4 ? type : 0]++;
		if (type == 3) {
			check_uint(item.data[0], item.data[4] == SIGN_ED25519 ? home.seal.sign_id : home.seal.sign_sm2_id);
		} else if (type == 2) {
			struct checkpoint c;
			struct reader body = reader_over(item.data, item.len);
			struct view v = get_view16(&body, AUDIT_CHECKPOINT_MAX);

			check_ok(checkpoint_decode(v.data, v.len, &c));
			check_uint(c.tree.size, counts[1]); /* after the record that it covers */
			check_uint(c.number, counts[2]);
			check_uint(reader_left(&body), 2 * (1 + SIGN_LEN));
		} else {
			check_ok(record_decode(item.data, item.len - 2 * CRYPTO_HASH_LEN, &record));
			check_uint(record.stamp.seq, counts[1]);
		}
	}
	check_uint(get_u32(&r), 8 + 8 + 32);
	check_uint(get_u64(&r), counts[1]);
	check_uint(get_u64(&r), counts[2]);
	check_uint(counts[1], audit_head(home.audit).seq);
	check_true(counts[0] == 0 && counts[2] >= home.audit->segment.n - 1 && counts[3] == 2);
	check_bytes(get_view(&r, 32).data, 32, audit_head(home.audit).head, 32);
	check_true(reader_is_done(&r));
	check_ok(audit_export(home.audit, "/nowhere/at/all", audit_home_on_done, &home));
	for (int i = 0; i < 2000 && !home.n_failed; i++) {
		store_drain(home.store);
		check_ok(loop_turn(home.loop, 5));
	}
	check_uint(home.n_failed, 1);
	free(bytes);
	audit_home_deinit(&home);
}

static uint8_t *slurp(const char *path, size_t *ret_len)
{
	uint8_t *bytes = malloc(1 << 20);
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	*ret_len = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

static void wait_done(struct audit_home *home, unsigned n)
{
	for (int i = 0; i < 2000 && home->n_done < n && !home->n_failed; i++) {
		store_drain(home->store);
		check_ok(loop_turn(home->loop, 5));
	}
	check_uint(home->n_done, n);
}

/* What the auditor takes out of the parcel is the export, and no word of it is in the file. */
static void a_sealed_export_is_the_plain_one_for_its_auditor(void **state)
{
	struct audit_home home;
	struct box_public to;
	struct secret *secret;
	struct parcel_reader *reader;
	enum parcel_kind kind;
	char plain[200], sealed[200], name[PARCEL_NAME_MAX];
	size_t len, sealed_len;
	uint64_t part;

	(void)state;
	for (int box = BOX_X25519; box <= BOX_SM2; box++) {
		audit_home_init(&home);
		for (int i = 0; i < 300; i++)
			audit_home_append(&home, "x");
		check_ok(audit_checkpoint_now(home.audit, NULL, NULL));
		audit_home_settle(&home);
		home.n_done = 0;
		snprintf(plain, sizeof(plain), "%s/plain", home.dir.path);
		snprintf(sealed, sizeof(sealed), "%s/sealed", home.dir.path);
		check_ok(box_pair_new((enum box_kind)box, &to, &secret));
		check_ok(audit_export(home.audit, plain, audit_home_on_done, &home));
		wait_done(&home, 1);
		check_ok(audit_export_sealed(home.audit, sealed, &to, audit_home_on_done, &home));
		wait_done(&home, 2);
		uint8_t *want = slurp(plain, &len), *raw = slurp(sealed, &sealed_len), *got = malloc(len);

		check_true(memmem(want, len, "anna", 4) && !memmem(raw, sealed_len, "anna", 4));
		check_ok(parcel_open(sealed, (enum box_kind)box, secret, &kind, &reader));
		check_int(kind, PARCEL_AUDIT);
		check_ok(parcel_next(reader, name, &part));
		check_text(name, "audit");
		check_uint(part, len);
		check_ok(parcel_read(reader, got, len));
		check_bytes(got, len, want, len);
		check_int(parcel_next(reader, name, &part), PARCEL_E_END);
		parcel_reader_free(reader);
		secret_free(secret);
		free(want);
		free(raw);
		free(got);
		home.n_done = home.n_failed = 0;
		check_ok(audit_export_sealed(home.audit, "/nowhere/at/all", &to, audit_home_on_done, &home));
		for (int i = 0; i < 2000 && !home.n_failed; i++) {
			store_drain(home.store);
			check_ok(loop_turn(home.loop, 5));
		}
		check_uint(home.n_failed, 1);
		audit_home_deinit(&home);
	}
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(a_log_without_an_anchor_proves_less_and_says_so),
		cmocka_unit_test(the_writer_itself_misses_its_last_records),
		cmocka_unit_test(the_writer_itself_knows_what_it_did_not_write),
		cmocka_unit_test(the_writer_does_not_build_upon_what_another_wrote),
		cmocka_unit_test(export_holds_every_row),
		cmocka_unit_test(a_sealed_export_is_the_plain_one_for_its_auditor),
	};

	return CHECK_RUN(rows);
}
