/* The reader and the writer: every width there and back, and what happens one byte past either end.
 */
#include "check.h"

#include <math.h>
#include "base/bytes.h"

static void there_and_back(void **state)
{
	uint8_t buf[128];
	struct writer w = writer_over(buf, sizeof(buf));
	struct reader r;
	struct view v;

	(void)state;
	put_u8(&w, 0xab);
	put_u16(&w, 0x1234);
	put_u32(&w, 0xdeadbeef);
	put_u64(&w, UINT64_MAX - 1);
	put_i64(&w, INT64_MIN);
	put_f64(&w, -2.5);
	put_view16(&w, "xyz", 3);
	put_text16(&w, "grün");
	put_text16(&w, NULL);
	put_bytes(&w, "!", 1);
	check_true(!w.bad);
	r = reader_over(buf, writer_len(&w));
	check_uint(get_u8(&r), 0xab);
	check_uint(get_u16(&r), 0x1234);
	check_uint(get_u32(&r), 0xdeadbeef);
	check_uint(get_u64(&r), UINT64_MAX - 1);
	check_int(get_i64(&r), INT64_MIN);
	check_near(get_f64(&r), -2.5, 0);
	v = get_view16(&r, 3);
	check_bytes(v.data, v.len, "xyz", 3);
	v = get_text16(&r, 16);
	check_bytes(v.data, v.len, "grün", 5);
	v = get_text16(&r, 16);
	check_uint(v.len, 0);
	check_uint(reader_left(&r), 1);
	check_true(!reader_is_done(&r));
	check_uint(get_u8(&r), '!');
	check_true(reader_is_done(&r));
}

static void bytes_are_little_endian(void **state)
{
	static const uint8_t want[] = {
		0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 1, 2, 3, 4, 5, 6, 7, 8
	};
	uint8_t buf[sizeof(want)];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	put_u16(&w, 0x1234);
	put_u32(&w, 0x12345678);
	put_u64(&w, 0x0807060504030201);
	check_true(!w.bad);
	check_bytes(buf, writer_len(&w), want, sizeof(want));
}

static void reading_past_the_end_sticks(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct reader r = reader_over(bytes, sizeof(bytes));

	(void)state;
	check_uint(get_u32(&r), 0);
	check_true(r.bad);
	/* The three bytes are there, but the message is already known to be broken. */
	check_uint(get_u8(&r), 0);
	check_uint(get_view(&r, 1).len, 0);
	check_true(get_view(&r, 0).data == NULL);
	check_uint(reader_left(&r), 0);
	check_true(!reader_is_done(&r));
}

static void huge_lengths_do_not_wrap(void **state)
{
	static const uint8_t bytes[] = { 0xff, 0xff, 'a' };
	struct reader r = reader_over(bytes, sizeof(bytes));

	(void)state;
	check_true(get_view(&r, SIZE_MAX).data == NULL);
	check_true(r.bad);
	r = reader_over(bytes, sizeof(bytes));
	check_uint(get_view16(&r, 65535).len, 0);
	check_true(r.bad);
	r = reader_over(bytes, sizeof(bytes));
	check_uint(get_view16(&r, 100).len, 0);
	check_true(r.bad);
}

static void view16_may_be_as_long_as_its_limit(void **state)
{
	static const uint8_t bytes[] = { 4, 0, 'a', 'b', 'c', 'd' };
	struct reader r = reader_over(bytes, sizeof(bytes));

	(void)state;
	check_uint(get_view16(&r, 4).len, 4);
	check_true(reader_is_done(&r));
	r = reader_over(bytes, sizeof(bytes));
	(void)get_view16(&r, 3);
	check_true(r.bad);
}

static void text_must_be_utf8_without_nul(void **state)
{
	static const uint8_t nul[] = { 2, 0, 'a', 0 };
	static const uint8_t overlong[] = { 2, 0, 0xc0, 0xaf };
	struct reader r = reader_over(nul, sizeof(nul));

	(void)state;
	check_true(get_text16(&r, 10).data == NULL);
	check_true(r.bad);
	r = reader_over(overlong, sizeof(overlong));
	check_true(get_text16(&r, 10).data == NULL);
	check_true(r.bad);
}

static void nothing_is_a_message_too(void **state)
{
	struct reader r = reader_over(NULL, 0);
	struct writer w = writer_over(NULL, 0);

	(void)state;
	check_true(reader_is_done(&r));
	check_uint(get_u8(&r), 0);
	check_true(r.bad);
	put_bytes(&w, NULL, 0);
	check_true(!w.bad);
	check_uint(writer_len(&w), 0);
	put_u8(&w, 1);
	check_true(w.bad);
}

static void writing_past_the_end_sticks(void **state)
{
	uint8_t buf[4] = { 9, 9, 9, 9 };
	struct writer w = writer_over(buf, 3);

	(void)state;
	put_u16(&w, 0);
	check_true(!w.bad);
	put_u16(&w, 0x1111);
	check_true(w.bad);
	put_u8(&w, 1); /* would fit, but is not written: the message is broken */
	check_uint(writer_len(&w), 2);
	check_uint(buf[2], 9);
	check_uint(buf[3], 9);
}

static void a_long_view_is_refused_whole(void **state)
{
	uint8_t *big = calloc(1, 70000);
	uint8_t *buf = malloc(80000);
	struct writer w = writer_over(buf, 80000);

	(void)state;
	assert_non_null(big);
	assert_non_null(buf);
	put_view16(&w, big, 65535);
	check_true(!w.bad);
	check_uint(writer_len(&w), 65537);
	put_view16(&w, big, 65536);
	check_true(w.bad);
	w = writer_over(buf, 4);
	put_view16(&w, big, 3); /* the length would fit, its bytes would not */
	check_true(w.bad);
	check_uint(writer_len(&w), 0);
	free(buf);
	free(big);
}

static void a_length_can_be_patched(void **state)
{
	uint8_t buf[8];
	struct writer w = writer_over(buf, sizeof(buf));

	(void)state;
	put_u16(&w, 0);
	put_bytes(&w, "abc", 3);
	put_at_u16(&w, 0, 3);
	check_true(!w.bad);
	check_bytes(buf, writer_len(&w), "\3\0abc", 5);
	put_at_u16(&w, 4, 3); /* half behind the end */
	check_true(w.bad);
	check_uint(buf[4], 'c');
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(bytes_are_little_endian),
		cmocka_unit_test(reading_past_the_end_sticks),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(view16_may_be_as_long_as_its_limit),
		cmocka_unit_test(text_must_be_utf8_without_nul),
		cmocka_unit_test(nothing_is_a_message_too),
		cmocka_unit_test(writing_past_the_end_sticks),
		cmocka_unit_test(a_long_view_is_refused_whole),
		cmocka_unit_test(a_length_can_be_patched),
	};

	return CHECK_RUN(rows);
}
