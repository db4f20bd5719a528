/* The C side of tests/system/test_audit_verify.py: writes a log, and says what our own verifier thinks of one.
 *
 *	audit_writer write FOLDER SUITE RECORDS SEGMENT_BYTES    prints "SEQ:HEAD"; leaves FOLDER/log.gwa, an export
 *	audit_writer verify FOLDER [SEQ:HEAD]                    prints "RESULT FIRST_BAD RECORDS"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/walk.h"
#include "base/text.h"
#include "sys/crypto.h"
#include "sys/loop.h"
#include "sys/store.h"

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

static void turn(struct loop *loop, struct store *store)
{
	must(loop_turn(loop, 1), "turn");
	store_drain(store);
}

static int write_log(const char *folder, int suite, int n, uint64_t segment_bytes)
{
	static const uint8_t boot_id[16] = { 0xb0, 1, 2 };
	struct audit_options options = { folder, (enum crypto_hash_kind)suite, boot_id, segment_bytes, NULL };
	struct loop *loop;
	struct store *store;
	struct audit *audit;
	bool done = false;
	char text[4096], hex[2 * CRYPTO_HASH_LEN + 1];

	must(loop_new_virtual(1000, INT64_C(1795500000000000), &loop), "loop");
	must(store_new(loop, &store), "store");
	must(audit_new(loop, store, &options, &audit), "audit");
	must(store_start(store), "start");
	for (int i = 0; i < n; i++) {
		struct audit_record record = record_of(i, text);

		must(audit_append(audit, &record, NULL, NULL), "append");
		loop_advance(loop, 10000);
		turn(loop, store);
		turn(loop, store);
	}
	snprintf(text, sizeof(text), "%s/log.gwa", folder);
	must(audit_export(audit, text, on_done, &done), "export");
	while (!done)
		turn(loop, store);
	hex_print(audit_head(audit).head, CRYPTO_HASH_LEN, hex);
	printf("%llu:%s\n", (unsigned long long)audit_head(audit).seq, hex);
	audit_close(audit);
	store_close(store);
	loop_free(loop);
	return 0;
}

static int verify_log(const char *folder, const char *anchor)
{
	struct segment_name *names = NULL;
	struct audit_anchor known = { .seq = 0 };
	struct audit_verdict verdict = { .records = 0 };
	size_t n = 0;

	if (anchor) {
		char *colon = strchr(anchor, ':');

		known.seq = strtoull(anchor, NULL, 10);
		must(!colon || hex_parse(colon + 1, strlen(colon + 1), known.head, CRYPTO_HASH_LEN), "anchor");
	}
	must(segment_list(folder, &names, &n), "list");
	struct walk walk = { .names = names, .n_names = n, .check = { .anchors = &known, .n_anchors = anchor != NULL } };
	int r = walk_files(&walk, &(struct walk_files){ .folder = folder }, &verdict);

	printf("%d %llu %llu %s\n", r, (unsigned long long)verdict.first_bad, (unsigned long long)verdict.records, verdict.what);
	free(names);
	return 0;
}

int main(int argc, char **argv)
{
	must(crypto_init(), "crypto");
	if (argc == 6 && strcmp(argv[1], "write") == 0)
		return write_log(argv[2], atoi(argv[3]), atoi(argv[4]), strtoull(argv[5], NULL, 10));
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "verify") == 0)
		return verify_log(argv[2], argv[3]);
	fprintf(stderr, "usage: audit_writer write FOLDER SUITE RECORDS SEGMENT_BYTES | verify FOLDER [SEQ:HEAD]\n");
	return 3;
}
