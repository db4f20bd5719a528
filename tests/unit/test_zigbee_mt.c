/* MT: every row there and back, torn and too long; and a whole session of zigbee-herdsman with the simulator. */
#include "check.h"

#include "zigbee/mt.h"

enum { LINE_CAP = 2 * UNPI_FRAME_MAX + 8 };

static void check_again(const struct mt_message *m, const uint8_t *want, size_t n)
{
	uint8_t bytes[UNPI_FRAME_MAX];
	size_t len;

	check_ok(mt_encode(m, bytes, sizeof(bytes), &len));
	check_bytes(bytes, len, want, n);
}

/* One side's bytes, fed in pieces that fit nothing. */
struct side {
	struct unpi_reader reader;
	size_t sent, seen;
	bool kinds[4][32][256];
};

static void side_feed(struct side *s, const uint8_t *bytes, size_t n)
{
	struct unpi_frame f;
	struct mt_message m;

	for (size_t at = 0; at < n;) {
		size_t piece = n - at < 7 ? n - at : 7;

		at += unpi_reader_take(&s->reader, bytes + at, piece);
		while (unpi_reader_next(&s->reader, &f)) {
			check_ok(mt_decode(&f, &m));
			s->seen++;
			s->kinds[f.type][f.subsystem][f.id] = true;
			check_again(&m, s->reader.buf, f.data.len + 5);
		}
	}
	s->sent++;
}

static size_t unhex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	unsigned int byte;

	for (; n < cap && sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		out[n] = (uint8_t)byte;
	return n;
}

static void test_session(void **state)
{
	struct side *sides = test_calloc(2, sizeof(*sides));
	char path[512], line[LINE_CAP];
	FILE *file;

	(void)state;
	assert_non_null(getenv("GW_SOURCE_ROOT"));
	snprintf(path, sizeof(path), "%s/tests/unit/znp_frames.txt", getenv("GW_SOURCE_ROOT"));
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		uint8_t bytes[UNPI_FRAME_MAX];

		/* A line is one frame, and all of them are of kinds that the table has. */
		side_feed(&sides[line[0] == '<'], bytes, unhex(line + 2, bytes, sizeof(bytes)));
	}
	fclose(file);
	for (int i = 0; i < 2; i++) {
		check_true(sides[i].sent > 100);
		check_uint(sides[i].seen, sides[i].sent);
		check_uint(sides[i].reader.skipped, 0);
	}
	check_true(sides[0].kinds[UNPI_SREQ][MT_AF][0x01]);
	check_true(sides[0].kinds[UNPI_SREQ][MT_APP_CNF][0x05]);
	check_true(sides[1].kinds[UNPI_AREQ][MT_AF][0x81]);
	check_true(sides[1].kinds[UNPI_AREQ][MT_ZDO][0xb1]);
	check_true(sides[1].kinds[UNPI_AREQ][MT_ZDO][0xc9]);
	test_free(sides);
}

static void fill(struct mt_message *m)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6 };

	m->n = 0;
	for (const char *f = m->row->fields; *f && *f != '+'; f++) {
		struct mt_value v = { 0 };

		if (*f == '?')
			continue;
		if (*f >= '1' && *f <= '8')
			v.n = 0x8877665544332211u >> (64 - 8 * (*f - '0'));
		else
			v.bytes = (struct view){ bytes, sizeof(bytes) };
		if (*f == 'h')
			v.n = v.bytes.len;
		check_true(m->n < MT_FIELDS_MAX);
		m->values[m->n++] = v;
	}
}

/* Where a row allows it, fewer or more bytes are no fault; everywhere else they are. */
static void check_row(const struct mt_row *row, size_t *most)
{
	struct mt_message m = { .row = row }, got;
	uint8_t bytes[UNPI_FRAME_MAX], extra[UNPI_FRAME_MAX];
	struct unpi_frame f = { row->type, row->subsystem, row->id, { bytes + 4, 0 } };
	size_t len;
	int err;

	fill(&m);
	*most = m.n > *most ? m.n : *most;
	check_ok(mt_encode(&m, bytes, sizeof(bytes), &len));
	check_int(mt_encode(&m, extra, len - 1, &len), MT_E_SHORT);
	f.data.len = len - 5;
	check_ok(mt_decode(&f, &got));
	check_uint(got.n, m.n);
	for (size_t i = 0; i < m.n; i++) {
		check_uint(got.values[i].n, m.values[i].n);
		check_bytes(got.values[i].bytes.data, got.values[i].bytes.len, m.values[i].bytes.data,
			    m.values[i].bytes.len);
	}
	memcpy(extra, bytes, len);
	extra[len - 1] = 0;
	f.data = (struct view){ extra + 4, len - 4 };
	err = mt_decode(&f, &got);
	check_int(err, strpbrk(row->fields, "+r") ? 0 : MT_E_SPARE);
	for (size_t cut = 0; cut < len - 5; cut++) {
		f.data = (struct view){ bytes + 4, cut };
		err = mt_decode(&f, &got);
		/* What is promised and not there is kept back; half of it is not. */
		check_true(err == MT_E_SHORT || (!err && strpbrk(row->fields, "?rh")) || (err == MT_E_SPARE && strchr(row->fields, 'h')));
	}
	m.values[0].n = UINT64_MAX;
	if (m.n && row->fields[0] >= '1' && row->fields[0] <= '4')
		check_int(mt_encode(&m, extra, sizeof(extra), &len), MT_E_VALUE);
	m.n++;
	if (m.n <= MT_FIELDS_MAX)
		check_int(mt_encode(&m, extra, sizeof(extra), &len), MT_E_VALUE);
}

static void test_rows(void **state)
{
	size_t n, most = 0;
	const struct mt_row *rows = mt_rows(&n);

	(void)state;
	check_true(n > 100);
	for (size_t i = 0; i < n; i++) {
		check_true(mt_find(rows[i].type, rows[i].subsystem, rows[i].id) == &rows[i]);
		check_row(&rows[i], &most);
	}
	check_uint(most, MT_FIELDS_MAX);
}

static void test_refused(void **state)
{
	static const uint8_t big[UNPI_DATA_MAX + 1];
	struct mt_message m = { .row = mt_find(UNPI_SREQ, MT_AF, 0x02), .n = 10 };
	struct unpi_frame f = { 7, 31, 0xff, { big, 0 } };
	uint8_t bytes[UNPI_FRAME_MAX];
	size_t len;

	(void)state;
	check_int(mt_decode(&f, &m), MT_E_UNKNOWN);
	m.values[9] = (struct mt_value){ sizeof(big), { big, sizeof(big) } };
	check_int(mt_encode(&m, bytes, sizeof(bytes), &len), MT_E_SHORT);
	m.n = 9;
	check_int(mt_encode(&m, bytes, sizeof(bytes), &len), MT_E_VALUE);
	m = (struct mt_message){ .row = mt_find(UNPI_SREQ, MT_AF, 0x00), .n = 7 };
	m.values[5].bytes = (struct view){ big, 3 };
	check_int(mt_encode(&m, bytes, sizeof(bytes), &len), MT_E_VALUE);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_session),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_refused),
	};

	return CHECK_RUN(rows);
}
