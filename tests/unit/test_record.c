/* The bytes of a record: one form, nothing lost that fits, nothing accepted that would not be written so. */
#include "check.h"

#include "audit/record.h"
#include "base/text.h"

static const struct record_stamp stamp = {
	.seq = 0x0102030405060708, .wall_us = 1795500000123456, .boot_ms = 987654321, .boot_id = { 0xb0, 1, 2, 3 }, .time_trusted = true,
};

static struct audit_record full(void)
{
	return (struct audit_record){
		.kind = AUDIT_DENIAL, .outcome = AUDIT_DENIED, .result = 1, .subject = { SUBJECT_LINK, 2 }, .subject_name = "cloud",
		.subject_role = ROLE_GUEST, .session_tag = { 1, 2, 3, 4, 5, 6, 7, 8 }, .source = SOURCE_LINK_CLOUD, .source_addr = "cloud/app-7",
		.device = { { 9, 8, 7 } }, .object = "Türschloss", .cap = 9, .action = "set lock-state=unlocked", .rule = -3, .count = 5,
		.detail = "no rule allows it",
	};
}

/* docs/spec/audit.md shows these very bytes. */
static void the_bytes_are_those_of_the_specification(void **state)
{
	struct audit_record record = { .kind = AUDIT_LOGIN, .outcome = AUDIT_OK, .subject = { SUBJECT_USER, 1 }, .subject_name = "anna",
				       .source = SOURCE_API, .action = "login" };
	struct record_stamp s = { .seq = 2, .wall_us = 1000000, .boot_ms = 5000, .time_trusted = true };
	uint8_t buf[AUDIT_RECORD_MAX];
	char hex[2 * AUDIT_RECORD_MAX + 1];

	(void)state;
	memset(s.boot_id, 0xb0, sizeof(s.boot_id));
	hex_print(buf, record_encode(&record, &s, 0, NULL, buf), hex);
	check_text(hex, "01012000" "0200000000000000" "40420f0000000000" "8813000000000000" "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
			"00000101" "01000000" "00000000" "01000000" "0000" "0000" "010400616e6e61" "0705006c6f67696e");
}

static void everything_comes_back(void **state)
{
	struct audit_record in = full();
	struct record_segment segment = { .present = true, .previous_head = { 0xaa }, .previous_name = "audit-202611-1.db", .log_id = { 7 }, .suite = CRYPTO_SM3 };
	uint8_t buf[AUDIT_RECORD_MAX], again[AUDIT_RECORD_MAX];
	struct record out;
	size_t len = record_encode(&in, &stamp, 77, &segment, buf);

	(void)state;
	check_ok(record_decode(buf, len, &out));
	check_uint(out.stamp.seq, stamp.seq);
	check_int(out.stamp.wall_us, stamp.wall_us);
	check_int(out.stamp.boot_ms, stamp.boot_ms);
	check_bytes(out.stamp.boot_id, 16, stamp.boot_id, 16);
	check_true(out.stamp.time_trusted && out.outbox == 77 && out.segment.present);
	check_text(out.segment.previous_name, segment.previous_name);
	check_uint(out.segment.suite, CRYPTO_SM3);
	check_uint(out.severity, audit_kind_row(AUDIT_DENIAL)->severity);
	check_text(out.record.subject_name, "cloud");
	check_text(out.record.source_addr, "cloud/app-7");
	check_text(out.record.object, "Türschloss");
	check_text(out.record.action, in.action);
	check_text(out.record.detail, in.detail);
	check_int(out.record.rule, -3);
	check_uint(out.record.count, 5);
	check_bytes(again, record_encode(&out.record, &out.stamp, out.outbox, &out.segment, again), buf, len);
}

static void strangers_texts_are_cut_and_cleaned(void **state)
{
	struct audit_record in = { .kind = AUDIT_BAD_INPUT };
	uint8_t buf[AUDIT_RECORD_MAX];
	static char text[5000];
	struct record out;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	in.detail = in.object = in.action = in.subject_name = in.source_addr = text;
	check_ok(record_decode(buf, record_encode(&in, &stamp, UINT64_MAX, NULL, buf), &out));
	check_uint(strlen(out.record.detail), AUDIT_DETAIL_MAX);
	check_uint(strlen(out.record.object), AUDIT_OBJECT_MAX);
	check_uint(strlen(out.record.action), RECORD_TEXT_MAX);
	in = (struct audit_record){ .kind = AUDIT_BAD_INPUT, .object = "a\xff\xc3(\xe2\x82\xac\x80", .detail = "" };
	check_ok(record_decode(buf, record_encode(&in, &stamp, 0, NULL, buf), &out));
	check_text(out.record.object, "a?\?(\xe2\x82\xac?");
	check_true(out.record.detail == NULL);
	for (size_t i = 0; i < 63; i++)
		text[i] = 'b';
	memcpy(text + 63, "\xc3\xa9\0", 3); /* a character that does not fit whole is not cut in two */
	in.object = text;
	check_ok(record_decode(buf, record_encode(&in, &stamp, 0, NULL, buf), &out));
	check_uint(strlen(out.record.object), 63);
}

/* Each byte of a record matters: whatever is changed in it either is not a record, or another one. */
static void no_two_byte_strings_mean_the_same(void **state)
{
	struct audit_record in = full();
	uint8_t buf[AUDIT_RECORD_MAX], bad[AUDIT_RECORD_MAX], again[AUDIT_RECORD_MAX];
	struct record out;
	size_t len = record_encode(&in, &stamp, 3, NULL, buf);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(bad, buf, len);
			bad[i] ^= (uint8_t)(1 << bit);
			if (record_decode(bad, len, &out))
				continue;
			size_t n = record_encode(&out.record, &out.stamp, out.outbox, &out.segment, again);

			again[45] = bad[45]; /* the severity is the table's when written, and kept when read */
			check_bytes(again, n, bad, len);
		}
	}
	for (size_t cut = 0; cut < len; cut++) {
		if (record_decode(buf, cut, &out) == 0)
			check_bytes(again, record_encode(&out.record, &out.stamp, out.outbox, &out.segment, again), buf, cut);
	}
	memcpy(bad, buf, len);
	memcpy(bad + len, "\x09\x08\x00\x01\0\0\0\0\0\0\0", 11); /* the last field twice */
	check_int(record_decode(bad, len + 11, &out), RECORD_E_SYNTAX);
	check_int(record_decode(bad, AUDIT_RECORD_MAX + 1, &out), RECORD_E_SYNTAX);
}

static void a_record_is_stamped_in_place(void **state)
{
	struct audit_record in = full();
	uint8_t buf[AUDIT_RECORD_MAX], want[AUDIT_RECORD_MAX], boot[16] = { 5, 6 };
	struct record_stamp s = stamp;
	size_t len = record_encode(&in, &stamp, 0, NULL, buf);

	(void)state;
	record_restamp(buf, 42, boot, false);
	len = record_add_outbox(buf, len, 1234567);
	s.seq = 42;
	s.time_trusted = false;
	memcpy(s.boot_id, boot, sizeof(boot));
	check_bytes(buf, len, want, record_encode(&in, &s, 1234567, NULL, want));
	record_set_seq(buf, 43);
	s.seq = 43;
	check_bytes(buf, len, want, record_encode(&in, &s, 1234567, NULL, want));
}

static void what_a_dropped_segment_leaves_fits_and_comes_back(void **state)
{
	static char text[2000];
	struct audit_record in = { .kind = AUDIT_SEGMENT_DROP, .object = "audit-202611-1.db" };
	struct audit_checkpoint checkpoint = { .len = RECORD_DROP_MAX - 2 - 2 * (1 + SIGN_LEN), .has_a = true, .has_b = true };
	struct record_drop drop;
	struct record out;
	uint8_t buf[AUDIT_RECORD_MAX];
	size_t len;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memset(checkpoint.body, 0x77, checkpoint.len);
	memset(checkpoint.signature_a, 0xaa, SIGN_LEN);
	memset(checkpoint.signature_b, 0xbb, SIGN_LEN);
	in.action = in.subject_name = in.source_addr = in.detail = text; /* the detail is left out for it */
	len = record_encode_drop(&in, &stamp, &checkpoint, buf);
	check_true(len > RECORD_DROP_MAX);
	check_ok(record_decode(buf, len, &out));
	check_true(!out.record.detail && out.drop.len == RECORD_DROP_MAX);
	check_ok(record_take_drop(&out, &drop));
	check_text(drop.name, in.object);
	check_bytes(drop.checkpoint.body, drop.checkpoint.len, checkpoint.body, checkpoint.len);
	check_bytes(drop.checkpoint.signature_a, SIGN_LEN, checkpoint.signature_a, SIGN_LEN);
	check_bytes(drop.checkpoint.signature_b, SIGN_LEN, checkpoint.signature_b, SIGN_LEN);
	buf[2] = AUDIT_STOP; /* of no other kind */
	check_int(record_decode(buf, len, &out), RECORD_E_SYNTAX);
	checkpoint.len++;
	check_uint(record_encode_drop(&in, &stamp, &checkpoint, buf), 0);
	checkpoint.len = 200;
	checkpoint.has_a = checkpoint.has_b = false;
	len = record_encode_drop(&in, &stamp, &checkpoint, buf);
	check_ok(record_decode(buf, len, &out));
	check_true(record_take_drop(&out, &drop) == 0 && !drop.checkpoint.has_a && !drop.checkpoint.has_b);
	buf[len - 1] = 1; /* a signature is 64 bytes or none */
	check_int(record_decode(buf, len, &out), RECORD_E_SYNTAX);
}

static void every_kind_has_its_row(void **state)
{
	const struct audit_kind_row *row;
	uint16_t last = 0;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; (row = audit_kind_at(i)); i++, n++) {
		check_true(row->kind > last);
		check_true(audit_kind_row(row->kind) == row && row->name[0] && row->clause[0]);
		for (size_t k = 0; k < i; k++)
			check_true(strcmp(audit_kind_at(k)->name, row->name) != 0);
		last = row->kind;
	}
	check_uint(n, 71);
	check_uint(last, AUDIT_RADIO);
	check_true(!audit_kind_row(0) && !audit_kind_row(AUDIT_RADIO + 1) && !audit_kind_row(8));
}

static void a_copy_owns_its_texts(void **state)
{
	char name[] = "anna";
	struct audit_record in = full();

	(void)state;
	in.subject_name = name;
	in.detail = NULL;
	struct audit_record *copy = audit_record_copy(&in);

	name[0] = 'X';
	check_text(copy->subject_name, "anna");
	check_text(copy->object, "Türschloss");
	check_true(copy->detail == NULL && copy->rule == -3);
	check_true(audit_record_free(copy) == NULL && audit_record_free(NULL) == NULL);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_bytes_are_those_of_the_specification),
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(strangers_texts_are_cut_and_cleaned),
		cmocka_unit_test(no_two_byte_strings_mean_the_same),
		cmocka_unit_test(a_record_is_stamped_in_place),
		cmocka_unit_test(every_kind_has_its_row),
		cmocka_unit_test(what_a_dropped_segment_leaves_fits_and_comes_back),
		cmocka_unit_test(a_copy_owns_its_texts),
	};

	return CHECK_RUN(rows);
}
