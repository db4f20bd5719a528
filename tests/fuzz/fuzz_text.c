/* Whatever the bytes: what text accepts is what it says, and what it copies is bounded and still
 * UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_numbers(const char *text)
{
	char again[32];
	uint64_t u;
	int64_t i;
	double f;

	if (text_to_u64(text, 5, 1000000, &u) == 0)
		must(u >= 5 && u <= 1000000);
	if (text_to_i64(text, INT64_MIN, INT64_MAX, &i) == 0) {
		int64_t back;

		must(text_print(again, sizeof(again), "%lld", (long long)i));
		must(text_to_i64(again, INT64_MIN, INT64_MAX, &back) == 0 && back == i);
	}
	if (text_to_f64(text, -1e6, 1e6, &f) == 0)
		must(f >= -1e6 && f <= 1e6);
}

static void try_copies(const uint8_t *data, size_t len)
{
	bool clean = text_is_utf8(data, len);
	char dst[16];

	for (size_t cap = 1; cap <= sizeof(dst); cap++) {
		bool whole = text_copy_n(dst, cap, data, len);
		size_t n = strnlen(dst, cap);

		must(n < cap && n <= len && (n == 0 || memcmp(dst, data, n) == 0));
		must(!whole || n == len);
		must(!clean || text_is_utf8(dst, n));
	}
}

static void try_reader(const uint8_t *data, size_t len)
{
	struct reader r = reader_over(data, len);

	while (!r.bad && reader_left(&r)) {
		struct view v = get_u8(&r) & 1 ? get_text16(&r, 300) : get_view16(&r, 300);

		must(v.len <= 300 &&
		     (v.len == 0 || (v.data >= data && v.data + v.len <= data + len)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[257];
	uint8_t bytes[64];
	size_t n = len < 256 ? len : 256;

	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	try_numbers(text);
	try_copies(data, len);
	try_reader(data, len);
	if (text_is_name(text, 64))
		must(strlen(text) <= 64 && !strpbrk(text, "+#/$\n"));
	if (text_is_slug(text, 32))
		must(text_is_name(text, 32));
	if (hex_parse(text, strlen(text), bytes, strlen(text) / 2 <= 64 ? strlen(text) / 2 : 64) ==
	    0) {
		char again[129];

		hex_print(bytes, strlen(text) / 2, again);
		must(strcasecmp(text, again) == 0);
	}
	return 0;
}
