/* A sealed log as the gateway writes it, for verifiers that were written from the page alone (tests/system/test_audit_export.py).
 *
 *	audit_writer FOLDER SUITE RECORDS SEGMENT_BYTES AUDITOR...
 *
 * Then half a year goes by and the oldest file is dropped: FOLDER/aged.gwa, and "later" for what links get until then. "proof" is one, as
 * gatewayd-audit-verify reads it.
 *
 * SUITE 0: SHA-256, XChaCha20-Poly1305, Ed25519 and SM2. 1: SM2, SM3 and SM4 alone. AUDITOR: public keys to which copies are
 * sealed. Leaves FOLDER/log.gwa and FOLDER/log.1, log.2 ... and prints lines of a word and a value: anchor, point (as links get
 * it), seed, pub, proof, later, end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/db_keys.h"
#include "sys/loop.h"
#include "sys/seal.h"
#include "sys/sign.h"
#include "sys/store.h"

struct writer_home {
	const char *folder;
	enum crypto_hash_kind suite;
	uint64_t segment_bytes;
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	struct audit_seal seal;
	const char *word; /* under which checkpoints are printed */
	struct audit_checkpoint first;
};

static void must(int r, const char *what)
{
	if (r == 0)
		return;
	fprintf(stderr, "%s: %d\n", what, r);
	exit(3);
}

static void on_done(void *ctx, int r)
{
	must(r, "done");
	*(bool *)ctx = true;
}

/* All sorts of records: with everything, with nothing, with what a stranger sent. */
static struct audit_record record_of(int i, char text[64])
{
	struct audit_record record = { .kind = AUDIT_COMMAND, .subject.kind = SUBJECT_SYSTEM };

	snprintf(text, 64, "object-%d", i);
	if (i % 3 == 0)
		return record;
	record = (struct audit_record){
		.kind = (uint16_t)(AUDIT_ALARM_RAISED + i % 3), .outcome = (enum audit_outcome)(i % 3), .result = (uint16_t)(i % 20),
		.subject = { SUBJECT_USER, (uint32_t)i }, .subject_name = "anna", .subject_role = (uint8_t)(i % 6), .session_tag = { (uint8_t)i },
		.source = (uint8_t)(i % 5), .source_addr = "192.0.2.7", .device = { { (uint8_t)(i % 7) } }, .object = text, .cap = (uint16_t)(i % 9),
		.action = "set lock-state=\xe9\x94\x81\xff", .rule = -i, .count = (uint32_t)i, .detail = i % 2 ? NULL : "plain words",
	};
	return record;
}

static void turn(struct writer_home *home)
{
	must(loop_turn(home->loop, 1), "turn");
	store_drain(home->store);
}

/* --- keys ------------------------------------------------------------------------------------------------------------ */

static void say_public(const struct sign_key *key)
{
	struct sign_public public = sign_key_public(key);
	char text[SIGN_TEXT_MAX];

	sign_public_print(&public, text);
	printf("pub %s\n", text);
}

static const struct sign_key *signer(enum sign_kind kind)
{
	uint8_t secret[SIGN_SECRET_LEN];
	struct sign_key *key;

	must(sign_secret_new(kind, secret), "secret");
	must(sign_key_new(kind, secret, &key), "key");
	say_public(key);
	return key;
}

static void keys_make(struct writer_home *home)
{
	bool is_sm = home->suite == CRYPTO_SM3;
	enum seal_suite suite = is_sm ? SEAL_SM4 : SEAL_XCHACHA;
	uint8_t key[SEAL_KEY_LEN];
	struct seal_key *file;

	home->seal = (struct audit_seal){ .file_id = 2, .sign_id = 3, .sign_sm2_id = 4, .generation = 5, .starts = 6 };
	crypto_random(key, sizeof(key));
	must(db_keys_new(&home->seal.pages), "ring");
	must(db_keys_put(home->seal.pages, 1, suite, key), "pages");
	must(db_keys_activate(home->seal.pages, 1), "activate");
	crypto_random(key, sizeof(key));
	must(seal_key_new(suite, key, &file), "file");
	home->seal.file = file;
	home->seal.sign = is_sm ? NULL : signer(SIGN_ED25519);
	home->seal.sign_sm2 = signer(SIGN_SM2);
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static void home_open(struct writer_home *home)
{
	static const uint8_t boot_id[16] = { 0xb0, 1, 2 };
	struct audit_options options = { home->folder, home->suite, boot_id, home->segment_bytes, &home->seal };

	must(loop_new_virtual(1000, INT64_C(1795500000000000), &home->loop), "loop");
	must(store_new(home->loop, &home->store), "store");
	must(audit_new(home->loop, home->store, &options, &home->audit), "audit");
	must(audit_fault(home->audit) != NULL, "fault");
	must(store_start(home->store), "start");
}

static void home_close(struct writer_home *home)
{
	audit_close(home->audit);
	store_close(home->store);
	loop_free(home->loop);
}

static void on_seed(void *ctx, int r, uint64_t seq, const uint8_t seed[AUDIT_SEED_LEN])
{
	char hex[2 * AUDIT_SEED_LEN + 1];

	must(r, "seed");
	hex_print(seed, AUDIT_SEED_LEN, hex);
	printf("seed %llu:%s\n", (unsigned long long)seq, hex);
	*(bool *)ctx = true;
}

static void take_seed(struct writer_home *home)
{
	struct audit_record record = { .subject.kind = SUBJECT_SYSTEM };
	bool done = false;

	must(audit_seed(home->audit, &record, on_seed, &done), "seed");
	while (!done)
		turn(home);
}

static void write_records(struct writer_home *home, int from, int to)
{
	char text[64];

	for (int i = from; i < to; i++) {
		struct audit_record record = record_of(i, text);

		must(audit_append(home->audit, &record, NULL, NULL), "append");
		loop_advance(home->loop, 10000);
		turn(home);
		turn(home);
	}
}

static void print_point(const struct audit_checkpoint *checkpoint)
{
	char body[BASE64URL_CAP(AUDIT_CHECKPOINT_MAX)], a[BASE64URL_CAP(SIGN_LEN)] = "", b[BASE64URL_CAP(SIGN_LEN)] = "";

	base64url_print(checkpoint->body, checkpoint->len, body, sizeof(body));
	if (checkpoint->has_a)
		base64url_print(checkpoint->signature_a, SIGN_LEN, a, sizeof(a));
	if (checkpoint->has_b)
		base64url_print(checkpoint->signature_b, SIGN_LEN, b, sizeof(b));
	printf("%s.%s.%s", body, a, b);
}

/* As links get it: docs/spec/audit.md, "Anchor". */
static void on_point(void *ctx, const struct audit_checkpoint *checkpoint)
{
	struct writer_home *home = ctx;

	if (!home->first.number)
		home->first = *checkpoint;
	printf("%s ", home->word);
	print_point(checkpoint);
	puts("");
}

/* What a proof is asked for: of a record, or of a beginning with its root. */
struct question {
	uint64_t number;
	const uint8_t *root; /* NULL: a record */
	bool done;
};

static void print_hex(const uint8_t *hash)
{
	char hex[2 * CRYPTO_HASH_LEN + 1];

	hex_print(hash, CRYPTO_HASH_LEN, hex);
	printf("\"%s\"", hex);
}

static void on_proof(void *ctx, int r, const struct audit_checkpoint *checkpoint, const uint8_t leaf[CRYPTO_HASH_LEN],
		     const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n)
{
	struct question *question = ctx;

	must(r, "proof");
	printf("proof {\"proof\":\"%s\",\"%s\":%llu,\"%s\":", leaf ? "inclusion" : "consistency", leaf ? "seq" : "size",
	       (unsigned long long)question->number, leaf ? "leaf" : "root");
	print_hex(leaf ? leaf : question->root);
	printf(",\"path\":[");
	for (size_t i = 0; i < n; i++) {
		printf("%s", i ? "," : "");
		print_hex(path[i]);
	}
	printf("],\"checkpoint\":\"");
	print_point(checkpoint);
	puts("\"}");
	question->done = true;
}

static void ask(struct writer_home *home, struct question question)
{
	must(question.root ? audit_prove_consistency(home->audit, question.number, on_proof, &question) :
			     audit_prove(home->audit, question.number, on_proof, &question),
	     "ask");
	while (!question.done)
		turn(home);
}

static void checkpoint_now(struct writer_home *home)
{
	bool done = false;

	must(audit_checkpoint_now(home->audit, on_done, &done), "checkpoint");
	while (!done)
		turn(home);
}

static void prove_some(struct writer_home *home, int n)
{
	checkpoint_now(home);
	for (int i = n / 3; i <= n; i += 7)
		ask(home, (struct question){ .number = (uint64_t)i });
	ask(home, (struct question){ .number = home->first.size, .root = home->first.root });
}

static void export_all(struct writer_home *home, int n, char **auditors)
{
	char path[4096];
	bool done = false;

	snprintf(path, sizeof(path), "%s/log.gwa", home->folder);
	must(audit_export(home->audit, path, on_done, &done), "export");
	while (!done)
		turn(home);
	for (int i = 0; i < n; i++) {
		struct box_public to;

		must(box_public_parse(auditors[i], &to), "auditor");
		snprintf(path, sizeof(path), "%s/log.%d", home->folder, i + 1);
		done = false;
		must(audit_export_sealed(home->audit, path, &to, on_done, &done), "sealed export");
		while (!done)
			turn(home);
	}
}

static void append(struct writer_home *home, const struct audit_record *record)
{
	bool done = false;

	must(audit_append(home->audit, record, on_done, &done), "append");
	while (!done)
		turn(home);
}

static void on_dropped(void *ctx, int r, unsigned dropped)
{
	must(r, "drop");
	must(dropped == 0, "nothing was old enough");
	*(bool *)ctx = true;
}

/* Half a year in which little happens, with an export on record at its beginning; then the files that may go, go. */
static void grow_old(struct writer_home *home)
{
	enum { DAYS = 190, DAY_MS = 86400 * 1000 };
	const struct audit_record kept = { .kind = AUDIT_LOG_EXPORT, .subject.kind = SUBJECT_SYSTEM, .object = "kept" };
	const struct audit_record daily = { .kind = AUDIT_CONFIG, .subject.kind = SUBJECT_SYSTEM, .object = "daily" };
	char path[4096];
	bool done = false;

	audit_set_time_trusted(home->audit, true);
	for (int i = 0; i < DAYS; i++) {
		loop_advance(home->loop, DAY_MS);
		append(home, i == 1 ? &kept : &daily);
	}
	must(audit_drop_old(home->audit, 180, on_dropped, &done), "drop");
	while (!done)
		turn(home);
	checkpoint_now(home);
	done = false;
	snprintf(path, sizeof(path), "%s/aged.gwa", home->folder);
	must(audit_export(home->audit, path, on_done, &done), "aged export");
	while (!done)
		turn(home);
}

int main(int argc, char **argv)
{
	struct writer_home home = { .folder = argc > 4 ? argv[1] : NULL, .word = "point" };
	char hex[2 * CRYPTO_HASH_LEN + 1];

	must(crypto_init(), "crypto");
	if (!home.folder) {
		fprintf(stderr, "usage: audit_writer FOLDER SUITE RECORDS SEGMENT_BYTES AUDITOR...\n");
		return 3;
	}
	home.suite = (enum crypto_hash_kind)atoi(argv[2]);
	home.segment_bytes = strtoull(argv[4], NULL, 10);
	int n = atoi(argv[3]);

	keys_make(&home);
	home_open(&home);
	write_records(&home, 0, n / 4);
	take_seed(&home);
	write_records(&home, n / 4, n / 2);
	home_close(&home);
	home_open(&home);
	audit_on_checkpoint(home.audit, on_point, &home);
	write_records(&home, n / 2, 3 * n / 4);
	take_seed(&home);
	write_records(&home, 3 * n / 4, n);
	hex_print(audit_head(home.audit).head, CRYPTO_HASH_LEN, hex);
	printf("anchor %llu:%s\n", (unsigned long long)audit_head(home.audit).seq, hex);
	export_all(&home, argc - 5, argv + 5);
	home.word = "later";
	prove_some(&home, n);
	grow_old(&home);
	hex_print(audit_head(home.audit).head, CRYPTO_HASH_LEN, hex);
	printf("end %llu:%s\n", (unsigned long long)audit_head(home.audit).seq, hex);
	home_close(&home);
	return 0;
}
