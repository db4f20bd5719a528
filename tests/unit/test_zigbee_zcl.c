/* ZCL against frames that zigbee-herdsman wrote: each is read, said in words, compared, and written again. */
#include "check.h"

#include <math.h>

#include "base/text.h"
#include "zigbee/zcl.h"

enum { SAID_MAX = 4096, FIELDS_MAX = 32 };

struct said {
	char text[SAID_MAX];
	size_t len;
};

static void printf_like(2, 3) say(struct said *s, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, args);
	va_end(args);
	check_true(n >= 0 && (size_t)n < sizeof(s->text) - s->len);
	s->len += (size_t)n;
}

static void say_bytes(struct said *s, struct view bytes)
{
	say(s, "\"");
	for (size_t i = 0; i < bytes.len; i++)
		say(s, "%02x", bytes.data[i]);
	say(s, "\"");
}

static void say_float(struct said *s, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	if (isnan(v))
		say(s, "nan");
	else
		say(s, "f%016" PRIx64, bits);
}

static void say_value(struct said *s, const struct zcl_value *v)
{
	struct zcl_list list = v->list;
	struct zcl_value item;
	const char *close = "";

	switch ((enum zcl_form)v->type->form) {
	case ZCL_F_NONE:
		say(s, "nothing");
		break;
	case ZCL_F_BOOL:
	case ZCL_F_UINT:
		say(s, "%" PRIu64, v->u);
		break;
	case ZCL_F_INT:
		say(s, "%" PRId64, v->i);
		break;
	case ZCL_F_FLOAT:
		say_float(s, v->f);
		break;
	case ZCL_F_BYTES:
	case ZCL_F_STRING:
	case ZCL_F_LONG:
		say_bytes(s, v->bytes);
		break;
	case ZCL_F_LIST:
		say(s, "[%02x", list.type);
		close = "]";
		break;
	case ZCL_F_STRUCT:
		say(s, "{");
		close = " }";
		break;
	}
	while (*close && zcl_list_next(&list, &item)) {
		say(s, " ");
		if (list.mixed)
			say(s, "%02x=", item.type->id);
		say_value(s, &item);
	}
	say(s, "%s%s", close, v->none ? "!" : "");
}

/* Which members a command's records have, in the order of the vectors' words. */
static const char *const members[] = {
	[ZCL_READ] = "a", [ZCL_READ_RSP] = "as?tv", [ZCL_WRITE] = "atv", [ZCL_WRITE_UNDIVIDED] = "atv",
	[ZCL_WRITE_RSP] = "sa", [ZCL_WRITE_NO_RSP] = "atv", [ZCL_CONFIGURE_REPORT] = "dac",
	[ZCL_CONFIGURE_REPORT_RSP] = "sda", [ZCL_READ_REPORT_CONFIG] = "da",
	[ZCL_READ_REPORT_CONFIG_RSP] = "sda?c", [ZCL_REPORT] = "atv", [ZCL_DEFAULT_RSP] = "ks",
	[ZCL_DISCOVER] = "an", [ZCL_DISCOVER_RSP] = "at", [ZCL_DISCOVER_RECEIVED] = "kn",
	[ZCL_DISCOVER_RECEIVED_RSP] = "k", [ZCL_DISCOVER_GENERATED] = "kn", [ZCL_DISCOVER_GENERATED_RSP] = "k",
	[ZCL_DISCOVER_EXTENDED] = "an", [ZCL_DISCOVER_EXTENDED_RSP] = "atx",
};

static void say_typed(struct said *s, const struct zcl_value *v)
{
	say(s, " v=");
	say_value(s, v);
}

static void say_reporting(struct said *s, const struct zcl_record *rec)
{
	if (rec->direction) {
		say(s, " timeout=%u", rec->timeout_s);
		return;
	}
	say(s, " t=%02x min=%u max=%u", rec->type->id, rec->min_s, rec->max_s);
	if (rec->type->analog)
		say_typed(s, &rec->value);
}

static void say_record(struct said *s, uint8_t command, const struct zcl_record *rec)
{
	say(s, rec->all ? " ; all" : " ;");
	for (const char *m = members[command]; *m && !rec->all; m++) {
		if (*m == '?' && rec->status)
			break;
		if (*m == 'a')
			say(s, " a=%04x", rec->attribute);
		else if (*m == 's')
			say(s, " s=%02x", rec->status);
		else if (*m == 'd')
			say(s, " d=%u", rec->direction);
		else if (*m == 'k')
			say(s, " k=%02x", rec->command);
		else if (*m == 'n')
			say(s, " n=%u", rec->count);
		else if (*m == 'x')
			say(s, " x=%02x", rec->access);
		else if (*m == 't')
			say(s, " t=%02x", rec->type->id);
		else if (*m == 'v')
			say_typed(s, &rec->value);
		else if (*m == 'c')
			say_reporting(s, rec);
	}
}

static size_t unhex(const char *text, size_t len, uint8_t *out, size_t cap)
{
	check_true(len % 2 == 0 && len / 2 <= cap);
	for (size_t i = 0; i < len / 2; i++) {
		unsigned int byte;

		check_int(sscanf(text + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return len / 2;
}

static void say_header(struct said *s, const struct zcl_header *h)
{
	say(s, "%s %s %s %04x %02x %02x", h->cluster ? "cluster" : "general", h->to_client ? "to-client" : "to-server",
	    h->quiet ? "quiet" : "-", h->manufacturer, h->sequence, h->command);
}

static void replay_general(struct said *s, const struct zcl_frame *f, struct writer *w)
{
	struct view left = f->payload;
	struct zcl_record rec;

	if (f->header.command >= ZCL_DISCOVER_RSP && (members[f->header.command][1] != 'n'))
		say(s, " complete=%d", f->complete);
	while (zcl_record_next(&f->header, &left, &rec)) {
		say_record(s, f->header.command, &rec);
		check_ok(zcl_record_write(w, f->header.command, &rec));
	}
}

static void replay_cluster(struct said *s, const struct zcl_frame *f, const char *types, size_t len, struct writer *w)
{
	struct zcl_value values[FIELDS_MAX];
	uint8_t ids[FIELDS_MAX];
	size_t n = types[0] == '=' ? 0 : unhex(types, len, ids, sizeof(ids));

	check_ok(zcl_fields_read(f->payload, ids, n, values));
	for (size_t i = 0; i < n; i++) {
		say(s, " ");
		say_value(s, &values[i]);
		check_ok(zcl_value_write(w, &values[i]));
	}
}

static void replay(const char *line)
{
	const char *types = strchr(line, '|') + 1, *words = strchr(types, '|') + 1;
	uint8_t bytes[ZCL_FRAME_MAX], again[ZCL_FRAME_MAX];
	size_t n = unhex(line, (size_t)(types - line - 1), bytes, sizeof(bytes));
	struct writer w = writer_over(again, sizeof(again));
	struct said said = { .len = 0 };
	struct zcl_frame f;

	check_ok(zcl_frame_read((struct view){ bytes, n }, &f));
	say_header(&said, &f.header);
	check_ok(zcl_header_write(&w, &f.header, f.complete));
	if (f.header.cluster)
		replay_cluster(&said, &f, types, (size_t)(words - types - 1), &w);
	else
		replay_general(&said, &f, &w);
	check_text(said.text, words);
	check_bytes(again, writer_len(&w), bytes, n);
	/* Torn anywhere it is refused, or at a record's end a shorter frame; the reader never goes past the end. */
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *torn = memcpy(test_malloc(cut ? cut : 1), bytes, cut);

		(void)(zcl_frame_read((struct view){ torn, cut }, &f) == 0);
		test_free(torn);
	}
}

static void test_vectors(void **state)
{
	char path[512], line[SAID_MAX];
	size_t n = 0;
	FILE *file;

	(void)state;
	assert_non_null(getenv("GW_SOURCE_ROOT"));
	snprintf(path, sizeof(path), "%s/tests/unit/zcl_vectors.txt", getenv("GW_SOURCE_ROOT"));
	file = fopen(path, "r");
	assert_non_null(file);
	for (; fgets(line, sizeof(line), file); n++) {
		line[strcspn(line, "\n")] = '\0';
		replay(line);
	}
	fclose(file);
	check_true(n > 2000);
}

static int frame_error(const char *hex)
{
	uint8_t bytes[64];
	struct zcl_frame f;

	return zcl_frame_read((struct view){ bytes, unhex(hex, strlen(hex), bytes, sizeof(bytes)) }, &f);
}

static void test_refused(void **state)
{
	static const struct {
		const char *hex;
		int err;
	} rows[] = {
		{ "", ZCL_E_SHORT },
		{ "1801", ZCL_E_SHORT },
		{ "1c5f1101", ZCL_E_SHORT },
		{ "1c0000010a00002001", ZCL_E_VALUE },	 /* a manufacturer's, of none */
		{ "1a010a00002001", ZCL_E_COMMAND },	 /* reserved frame type */
		{ "1801f0", ZCL_E_COMMAND },
		{ "18010e", ZCL_E_COMMAND },		 /* a hole in the table */
		{ "18010a", ZCL_E_SHORT },		 /* a report of nothing */
		{ "18010a000020", ZCL_E_SHORT },
		{ "18010a00007701", ZCL_E_TYPE },
		{ "18010a0000420541", ZCL_E_SHORT },	 /* longer text than frame */
		{ "18010a000043ffff", 0 },		 /* the text that is none */
		{ "00010600000027010002000800000000000000", 0 }, /* a change of 64 bits, as of fewer */
		{ "000106000000270100020008000000000000", ZCL_E_SHORT },
		{ "18010a00002001ff", ZCL_E_SHORT },	 /* half a record behind a good one */
		{ "18010401", ZCL_E_VALUE },		 /* one status for all that is no success */
		{ "18010b0600ff", ZCL_E_SPARE },
		{ "18010d02", ZCL_E_VALUE },		 /* neither complete nor not */
		{ "18010d01", 0 },
		{ "00010602000020", ZCL_E_VALUE },	 /* no such direction */
		{ "18010a00004820ffff", 0 },		 /* the list that is none */
		{ "18010a000048770000", ZCL_E_TYPE },
		{ "18010a000048000101", ZCL_E_ITEMS },	 /* ZCL_ITEMS_MAX + 1 items of no length */
		{ "18010a0000480000010a", ZCL_E_SHORT },
		{ "18010a000048000001", 0 },		 /* ZCL_ITEMS_MAX */
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		check_int(frame_error(rows[i].hex), rows[i].err);
	}
	check_uint(ZCL_ITEMS_MAX, 256);
}

static void test_limits(void **state)
{
	uint8_t bytes[ZCL_FRAME_MAX + 1] = { 0x01, 0, 0 };
	struct zcl_frame f;

	(void)state;
	check_ok(zcl_frame_read((struct view){ bytes, ZCL_FRAME_MAX }, &f));
	check_int(zcl_frame_read((struct view){ bytes, sizeof(bytes) }, &f), ZCL_E_SPARE);
	for (int depth = 1; depth <= ZCL_DEPTH_MAX + 1; depth++) {
		struct writer w = writer_over(bytes, sizeof(bytes));
		struct reader r;
		struct zcl_value v;

		for (int i = 0; i < depth; i++) {
			put_u16(&w, 1);
			put_u8(&w, i + 1 < depth ? ZCL_STRUCT : ZCL_UINT8);
		}
		put_u8(&w, 7);
		r = reader_over(bytes, writer_len(&w));
		check_int(zcl_value_read(&r, ZCL_STRUCT, &v), depth <= ZCL_DEPTH_MAX ? 0 : ZCL_E_DEPTH);
	}
}

/* Half floats, which zigbee-herdsman does not read: values of IEEE 754 and each of the 65,536 there and back. */
static void test_semi(void **state)
{
	static const struct {
		uint16_t bits;
		double v;
	} rows[] = { { 0x3c00, 1 }, { 0xc000, -2 }, { 0x7bff, 65504 }, { 0x0400, 0x1p-14 }, { 0x0001, 0x1p-24 },
		     { 0x3555, 0.333251953125 }, { 0x7c00, (double)INFINITY }, { 0xfc00, -(double)INFINITY } };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint8_t bytes[2] = { (uint8_t)rows[i].bits, (uint8_t)(rows[i].bits >> 8) };
		struct reader r = reader_over(bytes, 2);
		struct zcl_value v;

		check_ok(zcl_value_read(&r, ZCL_SEMI, &v));
		check_true(v.f == rows[i].v && !v.none);
	}
	for (uint32_t bits = 0; bits < 0x10000; bits++) {
		uint8_t bytes[2] = { (uint8_t)bits, (uint8_t)(bits >> 8) }, again[2];
		struct reader r = reader_over(bytes, 2);
		struct writer w = writer_over(again, 2);
		struct zcl_value v;

		check_ok(zcl_value_read(&r, ZCL_SEMI, &v));
		check_ok(zcl_value_write(&w, &v));
		if (v.none)
			check_true((again[1] & 0x7c) == 0x7c && (again[1] & 3));
		else
			check_bytes(again, 2, bytes, 2);
	}
}

static int written(const struct zcl_value *v, size_t cap)
{
	uint8_t bytes[512];
	struct writer w = writer_over(bytes, cap);

	return zcl_value_write(&w, v);
}

static void test_write_refused(void **state)
{
	static const uint8_t text[256];
	struct zcl_value v = { .type = zcl_type_find(ZCL_UINT8), .u = 256 };

	(void)state;
	check_int(written(&v, 9), ZCL_E_VALUE);
	v.u = 255;
	check_ok(written(&v, 1));
	check_int(written(&v, 0), ZCL_E_SHORT);
	v = (struct zcl_value){ .type = zcl_type_find(ZCL_INT8), .i = -129 };
	check_int(written(&v, 9), ZCL_E_VALUE);
	v.i = 128;
	check_int(written(&v, 9), ZCL_E_VALUE);
	v = (struct zcl_value){ .type = zcl_type_find(ZCL_INT64), .i = INT64_MIN };
	check_ok(written(&v, 8));
	v = (struct zcl_value){ .type = zcl_type_find(ZCL_STRING), .bytes = { text, 254 } };
	check_ok(written(&v, 255));
	v.bytes.len = 255;
	check_int(written(&v, 512), ZCL_E_VALUE);
	v = (struct zcl_value){ .type = zcl_type_find(ZCL_KEY128), .bytes = { text, 15 } };
	check_int(written(&v, 512), ZCL_E_VALUE);
	v = (struct zcl_value){ .type = zcl_type_find(ZCL_ARRAY), .list = { .count = ZCL_ITEMS_MAX + 1 } };
	check_int(written(&v, 512), ZCL_E_ITEMS);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_vectors), cmocka_unit_test(test_refused),	      cmocka_unit_test(test_limits),
		cmocka_unit_test(test_semi),	cmocka_unit_test(test_write_refused),
	};

	return CHECK_RUN(rows);
}
