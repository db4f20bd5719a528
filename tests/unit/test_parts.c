/* A text in pieces: whole again, bounded, gone when it is let go. */
#include "check.h"

#include <string.h>
#include "base/parts.h"

static void pieces_become_one(void **state)
{
	struct parts p = { .max = 1000 };
	char want[1000], piece[7] = "abcdefg";

	(void)state;
	for (size_t i = 0; i < sizeof(want); i++)
		want[i] = piece[i % 7];
	for (size_t i = 0; i + 7 <= sizeof(want); i += 7)
		check_ok(parts_add(&p, piece, 7));
	check_ok(parts_add(&p, want + p.len, sizeof(want) - p.len));
	check_bytes(p.data, p.len, want, sizeof(want));
	parts_wipe(&p);
	check_true(!p.data && p.len == 0 && p.cap == 0);
}

static void it_has_an_end(void **state)
{
	struct parts p = { .max = 300 };
	char text[301];

	(void)state;
	memset(text, 'x', sizeof(text));
	check_ok(parts_add(&p, text, 0));
	check_true(!p.data);
	check_ok(parts_add(&p, text, 299));
	check_int(parts_add(&p, text, 2), PARTS_E_FULL);
	check_uint(p.len, 299);
	check_ok(parts_add(&p, text, 1));
	check_int(parts_add(&p, text, 1), PARTS_E_FULL);
	check_ok(parts_add(&p, text, 0));
	parts_wipe(&p);
	check_int(parts_add(&p, text, 301), PARTS_E_FULL);
	check_ok(parts_add(&p, text, 300));
	parts_wipe(&p);
}

static void letting_go_twice_is_nothing(void **state)
{
	struct parts p = { .max = 4 };

	(void)state;
	parts_wipe(&p);
	check_ok(parts_add(&p, "abcd", 4));
	parts_wipe(&p);
	parts_wipe(&p);
	check_ok(parts_add(&p, "ab", 2));
	check_bytes(p.data, p.len, "ab", 2);
	parts_wipe(&p);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(pieces_become_one),
		cmocka_unit_test(it_has_an_end),
		cmocka_unit_test(letting_go_twice_is_nothing),
	};

	return CHECK_RUN(rows);
}
