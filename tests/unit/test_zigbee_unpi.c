/* UNPI: frames out and in, cut anywhere, with noise between them, at both ends of every length. */
#include "check.h"

#include "zigbee/unpi.h"

/* SYS_PING and its answer, SYS_RESET_IND, an AF_DATA_CONFIRM. */
static const uint8_t stream[] = {
	0xfe, 0x00, 0x21, 0x01, 0x20, 0xfe, 0x02, 0x61, 0x01, 0x79, 0x07, 0x1c, 0xfe, 0x06, 0x41, 0x80,
	0x00, 0x02, 0x01, 0x02, 0x07, 0x01, 0xc0, 0xfe, 0x03, 0x44, 0x80, 0x00, 0x01, 0x05, 0xc3,
};

struct seen {
	size_t n;
	uint8_t ids[16], types[16], lens[16];
};

static void pump(struct unpi_reader *r, const uint8_t *data, size_t len, size_t piece, struct seen *seen)
{
	struct unpi_frame f;

	while (len) {
		size_t n = unpi_reader_take(r, data, len < piece ? len : piece);

		check_true(n > 0);
		data += n;
		len -= n;
		while (unpi_reader_next(r, &f)) {
			check_true(seen->n < 16);
			seen->ids[seen->n] = f.id;
			seen->types[seen->n] = f.type;
			seen->lens[seen->n++] = (uint8_t)f.data.len;
		}
	}
}

static void check_stream(const struct unpi_reader *r, const struct seen *seen)
{
	static const uint8_t ids[] = { 1, 1, 0x80, 0x80 }, lens[] = { 0, 2, 6, 3 };
	static const uint8_t types[] = { UNPI_SREQ, UNPI_SRSP, UNPI_AREQ, UNPI_AREQ };

	check_bytes(seen->ids, seen->n, ids, sizeof(ids));
	check_bytes(seen->lens, seen->n, lens, sizeof(lens));
	check_bytes(seen->types, seen->n, types, sizeof(types));
	check_uint(r->frames, 4);
}

static void test_pieces(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= sizeof(stream); piece++) {
		struct unpi_reader r;
		struct seen seen = { 0 };

		unpi_reader_init(&r);
		pump(&r, stream, sizeof(stream), piece, &seen);
		check_stream(&r, &seen);
		check_uint(r.skipped + r.bad_checks + r.bad_lengths, 0);
	}
}

static void test_noise(void **state)
{
	/* Noise without a start, a start with an impossible length, a frame whose check byte is wrong. */
	static const uint8_t noise[] = { 0x00, 0x55, 0xfe, 0xff, 0xfe, 0x00, 0x21, 0x01, 0x21 };
	struct unpi_reader r;
	struct seen seen = { 0 };

	(void)state;
	unpi_reader_init(&r);
	pump(&r, noise, sizeof(noise), 3, &seen);
	check_uint(seen.n, 0);
	pump(&r, stream, sizeof(stream), 5, &seen);
	check_stream(&r, &seen);
	check_uint(r.bad_checks, 1);
	check_uint(r.bad_lengths, 1);
	check_uint(r.skipped, sizeof(noise));
}

/* A start that was none takes true frames for its data; they are found again inside of it. */
static void test_frame_inside(void **state)
{
	struct unpi_reader r;
	struct seen seen = { 0 };
	uint8_t bytes[2 + sizeof(stream)] = { 0xfe, 26 };

	(void)state;
	memcpy(bytes + 2, stream, sizeof(stream));
	unpi_reader_init(&r);
	pump(&r, bytes, sizeof(bytes), 7, &seen);
	check_stream(&r, &seen);
	check_uint(r.bad_checks, 1);
	check_uint(r.skipped, 2);
}

static void test_silence(void **state)
{
	static const uint8_t torn[] = { 0xfe, 0x80, 0x41 };
	struct unpi_reader r;
	struct unpi_frame f;
	struct seen seen = { 0 };

	(void)state;
	unpi_reader_init(&r);
	pump(&r, torn, sizeof(torn), 3, &seen);
	pump(&r, stream, sizeof(stream), sizeof(stream), &seen);
	check_uint(seen.n, 0);
	unpi_reader_silence(&r);
	while (unpi_reader_next(&r, &f)) {
		seen.ids[seen.n] = f.id;
		seen.types[seen.n] = f.type;
		seen.lens[seen.n++] = (uint8_t)f.data.len;
	}
	check_stream(&r, &seen);
	check_uint(r.skipped, sizeof(torn));
	unpi_reader_silence(&r);
	check_uint(r.skipped, sizeof(torn));
}

static void test_lengths(void **state)
{
	uint8_t data[UNPI_DATA_MAX + 1], bytes[UNPI_FRAME_MAX];

	(void)state;
	memset(data, 0xfe, sizeof(data));
	for (size_t n = 0; n <= UNPI_DATA_MAX; n++) {
		struct unpi_frame in = { UNPI_AREQ, 4, 0x81, { data, n } }, out;
		struct unpi_reader r;
		size_t len, took = 0;
		bool got = false;

		check_ok(unpi_encode(&in, bytes, sizeof(bytes), &len));
		check_uint(len, n + 5);
		check_int(unpi_encode(&in, bytes, len - 1, &len), UNPI_E_SIZE);
		unpi_reader_init(&r);
		while (took < n + 5) {
			check_true(!got);
			took += unpi_reader_take(&r, bytes + took, 1);
			got = unpi_reader_next(&r, &out);
		}
		check_true(got);
		check_uint(out.type << 5 | out.subsystem, 0x44);
		check_bytes(out.data.data, out.data.len, data, n);
	}
	check_int(unpi_encode(&(struct unpi_frame){ UNPI_AREQ, 4, 1, { data, sizeof(data) } }, bytes, sizeof(bytes),
			      &(size_t){ 0 }),
		  UNPI_E_SIZE);
}

static void test_full(void **state)
{
	uint8_t bytes[2 * UNPI_FRAME_MAX] = { 0xfe, UNPI_DATA_MAX };
	struct unpi_reader r;
	struct unpi_frame f;

	(void)state;
	bytes[UNPI_FRAME_MAX - 1] = UNPI_DATA_MAX;
	unpi_reader_init(&r);
	check_uint(unpi_reader_take(&r, bytes, sizeof(bytes)), UNPI_FRAME_MAX);
	check_uint(unpi_reader_take(&r, bytes, 1), 0);
	check_true(unpi_reader_next(&r, &f));
	check_uint(f.data.len, UNPI_DATA_MAX);
	check_uint(unpi_reader_take(&r, bytes, 1), 1);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_pieces),	cmocka_unit_test(test_noise),	cmocka_unit_test(test_frame_inside),
		cmocka_unit_test(test_silence), cmocka_unit_test(test_lengths), cmocka_unit_test(test_full),
	};

	return CHECK_RUN(rows);
}
