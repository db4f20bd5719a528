#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "sys/crypto.h"
#include "sys/host.h"
#include "sys/stream.h"
#include "traces.h"

enum { CHUNK = STREAM_CHUNK_MAX, HEADER = 24 };

static const struct suite {
	enum seal_suite suite;
	size_t more;
} suites[] = { { SEAL_XCHACHA, 17 }, { SEAL_SM4, 56 } };

static const uint8_t key[SEAL_KEY_LEN] = "thirty-two bytes that are a key";
static const char head[] = "the file's head";

/* Bytes that say where they are. */
static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
}

static void fill(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = byte_at(i);
}

static bool is_as_filled(const uint8_t *data, size_t from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != byte_at(from + i))
			return false;
	return true;
}

struct bytes {
	uint8_t *data;
	size_t len;
};

static int file_of(struct bytes b)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(write(fd, b.data, b.len) == (ssize_t)b.len && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* len bytes in writes of `step`; the whole file in memory. */
static struct bytes sealed(const struct suite *suite, size_t len, size_t step)
{
	int fd = memfd_create("stream", MFD_CLOEXEC);
	struct bytes ret = { .len = 0 };
	struct stream_writer *w = NULL;
	uint8_t *text = malloc(len + 1);

	assert_true(fd >= 0 && text);
	fill(text, len);
	check_ok(stream_writer_new(fd, suite->suite, key, head, sizeof(head), &w));
	for (size_t at = 0; at < len; at += step)
		check_ok(stream_write(w, text + at, step < len - at ? step : len - at));
	check_ok(stream_finish(w));
	check_true(!stream_writer_free(w));
	ret.len = (size_t)lseek(fd, 0, SEEK_CUR);
	ret.data = malloc(ret.len + 1);
	assert_true(ret.data && pread(fd, ret.data, ret.len, 0) == (ssize_t)ret.len);
	close(fd);
	free(text);
	return ret;
}

/* Reads all of it: STREAM_E_END at the sound end, with *ret_len bytes that were as they should be. */
static int opened(const struct suite *suite, struct bytes b, const uint8_t *with_key, const char *aad, size_t step,
		  size_t *ret_len)
{
	uint8_t *got = malloc(step + 1);
	struct stream_reader *r = NULL;
	int fd = file_of(b), e;
	size_t len = 0;

	assert_non_null(got);
	check_ok(stream_reader_new(fd, suite->suite, with_key, aad, strlen(aad) + 1, &r));
	while ((e = stream_read(r, got, step)) == 0) {
		check_true(is_as_filled(got, len, step));
		len += step;
	}
	/* What failed once goes on failing. */
	if (e == STREAM_E_END)
		e = stream_read_end(r) ? STREAM_E_DAMAGED : STREAM_E_END;
	else
		check_int(stream_read_end(r), e);
	stream_reader_free(r);
	close(fd);
	free(got);
	if (ret_len)
		*ret_len = len;
	return e;
}

static int fate(const struct suite *suite, struct bytes b)
{
	return opened(suite, b, key, head, 1, NULL);
}

static void there_and_back(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 50 * CHUNK + 7 };

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++)
		for (size_t i = 0; i < N_ELEMENTS(lengths); i++) {
			size_t len = lengths[i], chunks = len ? (len + CHUNK - 1) / CHUNK : 1, got = 0;
			struct bytes b = sealed(&suites[s], len, i % 2 ? len : 1000);

			check_uint(b.len, HEADER + len + chunks * suites[s].more);
			check_int(opened(&suites[s], b, key, head, 1, &got), STREAM_E_END);
			check_uint(got, len);
			if (len)
				check_int(opened(&suites[s], b, key, head, len, NULL), STREAM_E_END);
			free(b.data);
		}
}

/* Two streams of the same bytes with the same key share nothing. */
static void never_the_same_twice(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct bytes a = sealed(&suites[s], 1000, 1000), b = sealed(&suites[s], 1000, 1000);

		for (size_t at = 0; at + 8 < a.len; at++)
			check_true(!memmem(b.data, b.len, a.data + at, 8));
		free(a.data);
		free(b.data);
	}
}

static void wrong_key_head_or_suite(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct bytes b = sealed(&suites[s], 100, 100);
		uint8_t other[SEAL_KEY_LEN];

		memcpy(other, key, sizeof(other));
		other[31] ^= 1;
		check_int(opened(&suites[s], b, key, head, 1, NULL), STREAM_E_END);
		check_int(opened(&suites[s], b, other, head, 1, NULL), STREAM_E_DAMAGED);
		check_int(opened(&suites[s], b, key, "another's head", 1, NULL), STREAM_E_DAMAGED);
		check_int(opened(&suites[1 - s], b, key, head, 1, NULL), STREAM_E_DAMAGED);
		free(b.data);
	}
	struct stream_writer *w = NULL;
	uint8_t aad[1025] = { 0 };

	check_int(stream_writer_new(1, (enum seal_suite)3, key, NULL, 0, &w), -EINVAL);
	check_int(stream_writer_new(1, SEAL_XCHACHA, key, aad, sizeof(aad), &w), -EINVAL);
}

/* A small one at every byte; a large one around every boundary and here and there. */
static void cut(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct bytes b = sealed(&suites[s], 300, 300);

		for (size_t len = 0; len < b.len; len++)
			check_int(fate(&suites[s], (struct bytes){ b.data, len }), STREAM_E_DAMAGED);
		free(b.data);
		b = sealed(&suites[s], 4 * CHUNK, CHUNK);
		for (size_t chunk = 0; chunk <= 4; chunk++)
			for (int off = -20; off <= 60; off += off > -3 && off < 3 ? 1 : 19) {
				size_t len = HEADER + chunk * (CHUNK + suites[s].more) + (size_t)off;

				if ((chunk > 0 || off >= 0) && len < b.len)
					check_int(fate(&suites[s], (struct bytes){ b.data, len }), STREAM_E_DAMAGED);
			}
		check_int(fate(&suites[s], b), STREAM_E_END);
		free(b.data);
	}
}

static void any_bit_changed(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct bytes b = sealed(&suites[s], 200, 200);

		for (size_t at = 0; at < b.len; at++) {
			b.data[at] ^= (uint8_t)(1 << (at % 8));
			check_int(fate(&suites[s], b), STREAM_E_DAMAGED);
			b.data[at] ^= (uint8_t)(1 << (at % 8));
		}
		check_int(fate(&suites[s], b), STREAM_E_END);
		free(b.data);
		b = sealed(&suites[s], 3 * CHUNK + 9, CHUNK);
		for (size_t at = 5; at < b.len; at += 9973) {
			b.data[at] ^= 0x80;
			check_int(opened(&suites[s], b, key, head, 4096, NULL), STREAM_E_DAMAGED);
			b.data[at] ^= 0x80;
		}
		free(b.data);
	}
}

/* The chunks in the order of `order` (from 'a'), of the stream of five (the last one short, or full when full_last). */
static struct bytes arranged(const struct suite *suite, struct bytes b, const char *order)
{
	struct bytes ret = { .data = malloc(b.len * 3) };
	size_t size = CHUNK + suite->more;

	assert_non_null(ret.data);
	memcpy(ret.data, b.data, HEADER);
	ret.len = HEADER;
	for (; *order; order++) {
		size_t from = HEADER + (size_t)(*order - 'a') * size, n = b.len - from < size ? b.len - from : size;

		memcpy(ret.data + ret.len, b.data + from, n);
		ret.len += n;
	}
	return ret;
}

static void reordered_repeated_dropped(void **state)
{
	static const char *const orders[] = { "bacde", "acbde", "abdce", "aabcde", "abbcde", "abcdde", "abcdee", "bcde", "acde",
					      "abce",  "abcd",  "abe",   "e",      "ae",     "a",      "edcba",  "abcdea" };

	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++)
		for (size_t full = 0; full < 2; full++) {
			struct bytes b = sealed(&suites[s], full ? 5 * CHUNK : 4 * CHUNK + 100, CHUNK), as_it_was;

			for (size_t i = 0; i < N_ELEMENTS(orders); i++) {
				struct bytes c = arranged(&suites[s], b, orders[i]);
				struct stream_reader *r = NULL;
				int fd = file_of(c), e;
				uint8_t got[4096];

				check_ok(stream_reader_new(fd, suites[s].suite, key, head, sizeof(head), &r));
				while ((e = stream_read(r, got, 100)) == 0) { }
				if (e == STREAM_E_END)
					e = stream_read_end(r);
				check_int(e, STREAM_E_DAMAGED);
				stream_reader_free(r);
				close(fd);
				free(c.data);
			}
			as_it_was = arranged(&suites[s], b, "abcde");
			check_int(fate(&suites[s], as_it_was), STREAM_E_END);
			free(as_it_was.data);
			free(b.data);
		}
}

/* One behind the other; the second's chunks behind the first's header; one byte more. */
static void joined(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct bytes a = sealed(&suites[s], CHUNK, CHUNK), b = sealed(&suites[s], CHUNK, CHUNK);
		struct bytes both = { malloc(a.len + b.len), a.len + b.len };

		assert_non_null(both.data);
		memcpy(both.data, a.data, a.len);
		memcpy(both.data + a.len, b.data, b.len);
		check_int(fate(&suites[s], both), STREAM_E_DAMAGED);
		both.len = a.len + 1;
		check_int(fate(&suites[s], both), STREAM_E_DAMAGED);
		memcpy(both.data + HEADER, b.data + HEADER, b.len - HEADER);
		both.len = a.len;
		check_int(fate(&suites[s], both), STREAM_E_DAMAGED);
		free(both.data);
		free(a.data);
		free(b.data);
	}
}

/* What is asked for as one piece and ends in its middle; what is left over when the end is asked for. */
static void the_end_is_where_it_should_be(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct bytes b = sealed(&suites[s], 100, 100);
		struct stream_reader *r = NULL;
		uint8_t got[200];
		int fd = file_of(b);

		check_ok(stream_reader_new(fd, suites[s].suite, key, head, sizeof(head), &r));
		check_ok(stream_read(r, got, 0));
		check_int(stream_read(r, got, 101), STREAM_E_DAMAGED);
		check_int(stream_read(r, got, 1), STREAM_E_DAMAGED);
		stream_reader_free(r);
		assert_true(lseek(fd, 0, SEEK_SET) == 0);
		check_ok(stream_reader_new(fd, suites[s].suite, key, head, sizeof(head), &r));
		check_ok(stream_read(r, got, 99));
		check_int(stream_read_end(r), STREAM_E_DAMAGED);
		check_int(stream_read(r, got, 1), STREAM_E_DAMAGED);
		stream_reader_free(r);
		assert_true(lseek(fd, 0, SEEK_SET) == 0);
		check_ok(stream_reader_new(fd, suites[s].suite, key, head, sizeof(head), &r));
		check_ok(stream_read(r, got, 100));
		check_int(stream_read(r, got, 1), STREAM_E_END);
		check_ok(stream_read_end(r));
		stream_reader_free(r);
		close(fd);
		free(b.data);
	}
}

static void the_disk_says_no(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct stream_writer *w = NULL;
		struct stream_reader *r = NULL;
		uint8_t *data = calloc(1, 2 * CHUNK);
		int fd = open("/dev/full", O_RDWR | O_CLOEXEC), pipes[2], folder = open("/", O_RDONLY | O_CLOEXEC);

		assert_true(data && fd >= 0 && folder >= 0 && pipe2(pipes, O_CLOEXEC | O_NONBLOCK) == 0);
		check_int(stream_writer_new(fd, suites[s].suite, key, NULL, 0, &w), -ENOSPC);
		check_ok(stream_writer_new(pipes[1], suites[s].suite, key, NULL, 0, &w));
		check_ok(stream_write(w, data, CHUNK)); /* waits for what follows */
		check_int(stream_write(w, data, 2 * CHUNK), -EAGAIN);
		check_int(stream_write(w, data, 1), -EAGAIN);
		check_int(stream_finish(w), -EAGAIN);
		stream_writer_free(w);
		check_int(stream_reader_new(folder, suites[s].suite, key, NULL, 0, &r), -EISDIR);
		close(fd);
		close(folder);
		close(pipes[0]);
		close(pipes[1]);
		free(data);
	}
}

/* 64 MiB take no more memory than 64 KiB. */
static void memory_is_bounded(void **state)
{
	uint8_t *data = calloc(1, 1024 * 1024);
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct stream_writer *w = NULL;
	int64_t before;

	(void)state;
	assert_true(data && fd >= 0);
	check_ok(stream_writer_new(fd, SEAL_XCHACHA, key, NULL, 0, &w));
	check_ok(stream_write(w, data, 1024 * 1024));
	before = host_rss_kib(0);
	for (int i = 0; i < 64; i++)
		check_ok(stream_write(w, data, 1024 * 1024));
	check_ok(stream_finish(w));
	assert_in_range(host_rss_kib(0), 1, before + 512);
	stream_writer_free(w);
	close(fd);
	free(data);
}

/* Neither the text nor the key is anywhere in memory once the writer and the reader are freed, nor on the heap before. */
static void leaves_no_traces(void **state)
{
	(void)state;
	for (size_t s = 0; s < N_ELEMENTS(suites); s++) {
		struct secret *text = NULL, *file_key = NULL;
		struct stream_writer *w = NULL;
		struct stream_reader *r = NULL;
		int fd = memfd_create("stream", MFD_CLOEXEC);
		struct traces text_traces, key_traces;

		assert_true(fd >= 0);
		check_ok(secret_new_random(64, &text));
		check_ok(secret_new_random(SEAL_KEY_LEN, &file_key));
		text_traces = traces_of(secret_view(text).data, 64);
		key_traces = traces_of(secret_view(file_key).data, SEAL_KEY_LEN);
		check_uint(traces_count(&text_traces), 1);
		check_uint(traces_count(&key_traces), 1);
		check_ok(stream_writer_new(fd, suites[s].suite, secret_view(file_key).data, NULL, 0, &w));
		check_ok(stream_write(w, secret_view(text).data, 64));
		check_uint(traces_count(&text_traces), 2); /* the caller's and the guarded chunk */
		check_ok(stream_finish(w));
		stream_writer_free(w);
		check_uint(traces_count(&text_traces), 1);
		check_uint(traces_count(&key_traces), 1);
		assert_true(lseek(fd, 0, SEEK_SET) == 0);
		check_ok(stream_reader_new(fd, suites[s].suite, secret_view(file_key).data, NULL, 0, &r));
		text = secret_free(text);
		uint8_t byte;

		check_ok(stream_read(r, &byte, 1));
		check_uint(traces_count(&text_traces), 1);
		stream_reader_free(r);
		file_key = secret_free(file_key);
		check_uint(traces_count(&text_traces), 0);
		check_uint(traces_count(&key_traces), 0);
		close(fd);
	}
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(never_the_same_twice),
		cmocka_unit_test(wrong_key_head_or_suite),
		cmocka_unit_test(cut),
		cmocka_unit_test(any_bit_changed),
		cmocka_unit_test(reordered_repeated_dropped),
		cmocka_unit_test(joined),
		cmocka_unit_test(the_end_is_where_it_should_be),
		cmocka_unit_test(the_disk_says_no),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(leaves_no_traces),
	};

	check_ok(crypto_init());
	return CHECK_RUN(rows);
}
