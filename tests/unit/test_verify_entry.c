#include "base/text.h"
#include "check.h"
#include "verify/entry.h"

/* The example of docs/spec/audit.md, section 2. */
static const char example[] = "0101200002000000000000004042" "0f00000000008813000000000000" "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"
			      "0000010101000000" "0000000001000000" "00000000" "010400616e6e61" "0705006c6f67696e";
enum { HEADER = 64 };

static size_t example_bytes(uint8_t ret[ENTRY_LEN_MAX + 1])
{
	size_t len = strlen(example) / 2;

	check_ok(hex_parse(example, 2 * len, ret, len));
	return len;
}

static void the_example(void **state)
{
	uint8_t data[ENTRY_LEN_MAX + 1];
	size_t len = example_bytes(data);
	struct entry e;

	(void)state;
	check_uint(len, 79);
	check_ok(entry_parse(data, len, &e));
	check_uint(e.seq, 2);
	check_uint(e.kind, 32);
	check_true(!e.begins && !e.object.len && !e.dropped.len);
	for (size_t n = 0; n < len; n++)
		check_int(entry_parse(data, n, &e), n == HEADER || n == HEADER + 7 ? 0 : ENTRY_E_SYNTAX);
}

static void headers_of_no_form(void **state)
{
	static const struct {
		uint8_t at, value;
	} rows[] = { { 0, 0 }, { 0, 2 }, { 1, 2 }, { 1, 0x81 }, { 44, 3 }, { 47, 6 }, { 56, 0 } };
	uint8_t data[ENTRY_LEN_MAX + 1];
	struct entry e;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t len = example_bytes(data);

		data[rows[i].at] = rows[i].value;
		check_int(entry_parse(data, len, &e), ENTRY_E_SYNTAX);
	}
}

struct field {
	uint8_t tag;
	uint16_t len;
	const char *bytes; /* NULL: that many x */
};

static size_t with_fields(uint8_t *data, uint16_t kind, const struct field *fields, size_t n)
{
	struct writer w = writer_over(data, ENTRY_LEN_MAX + 1);

	example_bytes(data);
	data[2] = (uint8_t)kind;
	w.p = data + HEADER;
	for (size_t i = 0; i < n && fields[i].tag; i++) {
		put_u8(&w, fields[i].tag);
		put_u16(&w, fields[i].len);
		for (size_t j = 0; j < fields[i].len; j++)
			put_u8(&w, fields[i].bytes ? (uint8_t)fields[i].bytes[j] : 'x');
	}
	check_true(!w.bad);
	return writer_len(&w);
}

#define ZEROS "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define SHAPE "\1\0b\0\0"

static void fields_of_one_form(void **state)
{
	static const struct {
		struct field fields[5];
		uint8_t kind, good;
	} rows[] = {
		{ { { 1, 128, NULL } }, 1, 1 },
		{ { { 1, 129, NULL } }, 1, 0 },
		{ { { 1, 0, NULL } }, 1, 0 },
		{ { { 1, 2, "\xc3\xa4" } }, 1, 1 },
		{ { { 1, 2, "\xc3x" } }, 1, 0 },
		{ { { 1, 3, "a\0b" } }, 1, 0 },
		{ { { 2, 1, "\1" } }, 1, 1 },
		{ { { 2, 1, ZEROS } }, 1, 0 },
		{ { { 2, 2, NULL } }, 1, 0 },
		{ { { 3, 8, ZEROS } }, 1, 0 },
		{ { { 5, 12, NULL } }, 1, 1 },
		{ { { 5, 11, NULL } }, 1, 0 },
		{ { { 6, 64, NULL } }, 1, 1 },
		{ { { 6, 65, NULL } }, 1, 0 },
		{ { { 7, 1, NULL }, { 6, 1, NULL } }, 1, 0 },
		{ { { 6, 1, NULL }, { 6, 1, NULL } }, 1, 0 },
		{ { { 8, 1024, NULL } }, 1, 1 },
		{ { { 8, 1025, NULL } }, 1, 0 },
		{ { { 9, 8, "\1\0\0\0\0\0\0\0" } }, 1, 1 },
		{ { { 9, 8, ZEROS } }, 1, 0 },
		/* What begins a segment comes together. */
		{ { { 10, 32, NULL }, { 12, 16, NULL }, { 13, 1, "\1" } }, 5, 1 },
		{ { { 10, 32, NULL }, { 11, 39, NULL }, { 12, 16, NULL }, { 13, 1, "\0" } }, 5, 1 },
		{ { { 10, 32, NULL }, { 11, 40, NULL }, { 12, 16, NULL }, { 13, 1, "\0" } }, 5, 0 },
		{ { { 10, 32, NULL }, { 12, 16, NULL }, { 13, 1, "\2" } }, 5, 0 },
		{ { { 10, 32, NULL }, { 12, 16, NULL } }, 5, 0 },
		{ { { 10, 32, NULL }, { 13, 1, "\1" } }, 5, 0 },
		{ { { 12, 16, NULL }, { 13, 1, "\1" } }, 5, 0 },
		{ { { 11, 5, NULL } }, 5, 0 },
		{ { { 10, 31, NULL }, { 12, 16, NULL }, { 13, 1, "\1" } }, 5, 0 },
		/* A dropped one. */
		{ { { 14, 5, SHAPE } }, 7, 1 },
		{ { { 14, 5, SHAPE } }, 6, 0 },
		{ { { 8, 1, NULL }, { 14, 5, SHAPE } }, 7, 0 },
		{ { { 14, 4, SHAPE } }, 7, 0 },
		{ { { 14, 4, "\0\0\0\0" } }, 7, 0 },
		{ { { 14, 6, "\1\0b\0\0\0" } }, 7, 0 },
		{ { { 14, 6, "\1\0b\1x\0" } }, 7, 0 },
		{ { { 15, 1, NULL } }, 1, 0 },
		{ { { 255, 1, NULL } }, 1, 0 },
	};
	uint8_t data[ENTRY_LEN_MAX + 1];
	struct entry e;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		size_t len = with_fields(data, rows[i].kind, rows[i].fields, N_ELEMENTS(rows[i].fields));
		int r = entry_parse(data, len, &e);

		if ((r == 0) != rows[i].good)
			fail_msg("row %zu: %d", i, r);
	}
}

static void not_longer_than_a_record(void **state)
{
	static const struct field longest[] = { { 1, 128, NULL }, { 4, 128, NULL }, { 6, 64, NULL }, { 7, 128, NULL }, { 14, 1400, NULL } };
	uint8_t data[ENTRY_LEN_MAX + 1];
	struct entry e;
	size_t len = with_fields(data, 7, longest, N_ELEMENTS(longest));

	(void)state;
	check_true(len <= ENTRY_LEN_MAX);
	/* Body of 1396 and two empty signatures fill field 14. */
	data[len - 1400] = (uint8_t)(1396 & 0xff);
	data[len - 1399] = 1396 >> 8;
	data[len - 2] = data[len - 1] = 0;
	check_ok(entry_parse(data, len, &e));
	check_uint(e.dropped.len, 1400);
	check_int(entry_parse(data, ENTRY_LEN_MAX + 1, &e), ENTRY_E_SYNTAX);
}

static void segments_have_names(void **state)
{
	static const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "audit-202611-1.db", 1 }, { "audit-202611-42.db", 42 }, { "audit-000000-9999999999.db", 9999999999 },
		{ "audit-202611-10000000000.db", 0 }, { "audit-202611-0.db", 0 }, { "audit-202611-01.db", 0 }, { "audit-202611-.db", 0 },
		{ "audit-20261-1.db", 0 }, { "audit-2026111-1.db", 0 }, { "Audit-202611-1.db", 0 }, { "audit-202611-1.dbx", 0 },
		{ "audit-202611-1x.db", 0 }, { "audit-20261x-1.db", 0 }, { "audit-202611_1.db", 0 }, { "", 0 }, { "audit-202611-1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		check_uint(entry_segment_number(view_text(rows[i].name)), rows[i].n);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(the_example),
		cmocka_unit_test(headers_of_no_form),
		cmocka_unit_test(fields_of_one_form),
		cmocka_unit_test(not_longer_than_a_record),
		cmocka_unit_test(segments_have_names),
	};

	return CHECK_RUN(rows);
}
