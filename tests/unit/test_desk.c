/* Long texts in pieces, for whom they are, and for a minute. */
#include "check.h"

#include <string.h>
#include "base/text.h"
#include "door/desk.h"

struct world {
	struct loop *loop;
	struct desk *desk;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	check_ok(loop_new_virtual(5000, 1700000000000000, &w->loop));
	check_ok(desk_new(w->loop, &w->desk));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	desk_close(w->desk);
	loop_free(w->loop);
	free(w);
	return 0;
}

static struct view view(const char *text, size_t len)
{
	return (struct view){ (const uint8_t *)text, len };
}

static void out_in_pieces(void **state)
{
	static char text[DESK_TEXT_LEN_MAX + 1], got[DESK_TEXT_LEN_MAX + 1];
	struct world *w = *state;
	char piece[DESK_PIECE_MAX + 1];
	uint32_t number, n_pieces = 0;
	size_t len = 0;
	bool last = false;

	/* Characters of three bytes, so that pieces end within one. */
	for (size_t i = 0; i < DESK_TEXT_LEN_MAX; i++)
		text[i] = i < DESK_TEXT_LEN_MAX - 1 ? "\xe2\x82\xac"[i % 3] : 'x';
	check_true(text_is_utf8(text, DESK_TEXT_LEN_MAX));
	check_ok(desk_lay(w->desk, 7, view(text, DESK_TEXT_LEN_MAX), &number));
	check_int(desk_take(w->desk, 8, number, piece, &last), DESK_E_NONE); /* somebody else's */
	check_int(desk_take(w->desk, 7, number + 1, piece, &last), DESK_E_NONE);
	check_int(desk_take(w->desk, 7, 0, piece, &last), DESK_E_NONE);
	while (!last) {
		check_ok(desk_take(w->desk, 7, number, piece, &last));
		check_true(text_is_utf8(piece, strlen(piece)) && strlen(piece) <= DESK_PIECE_MAX);
		memcpy(got + len, piece, strlen(piece));
		len += strlen(piece);
		n_pieces++;
	}
	check_bytes(got, len, text, DESK_TEXT_LEN_MAX);
	check_uint(n_pieces, DESK_TEXT_LEN_MAX / DESK_PIECE_MAX + 1);
	check_int(desk_take(w->desk, 7, number, piece, &last), DESK_E_NONE);
	check_int(desk_lay(w->desk, 7, view(text, DESK_TEXT_LEN_MAX + 1), &number), DESK_E_FULL);
}

static void in_by_name(void **state)
{
	static char text[DESK_TEXT_LEN_MAX];
	struct world *w = *state;

	check_ok(desk_add(w->desk, 7, "a", "one ", 4));
	check_ok(desk_add(w->desk, 8, "a", "other", 5));
	check_ok(desk_add(w->desk, 7, "a", "two", 3));
	check_bytes(desk_text(w->desk, 7, "a").data, desk_text(w->desk, 7, "a").len, "one two", 7);
	check_uint(desk_text(w->desk, 7, "b").len, 0);
	check_uint(desk_text(w->desk, 0, "a").len, 0);
	desk_drop(w->desk, 7, "a");
	desk_drop(w->desk, 7, "a");
	check_uint(desk_text(w->desk, 7, "a").len, 0);
	check_uint(desk_text(w->desk, 8, "a").len, 5);
	/* Too long: nothing of it stays. */
	memset(text, 'x', sizeof(text));
	check_ok(desk_add(w->desk, 7, "a", text, sizeof(text)));
	check_int(desk_add(w->desk, 7, "a", "x", 1), DESK_E_FULL);
	check_uint(desk_text(w->desk, 7, "a").len, 0);
}

static void so_many_for_so_long(void **state)
{
	struct world *w = *state;
	char piece[DESK_PIECE_MAX + 1];
	uint32_t number;
	bool last;

	for (uint64_t i = 1; i <= DESK_TEXTS_MAX; i++)
		check_ok(desk_add(w->desk, i, "a", "x", 1));
	check_int(desk_add(w->desk, 99, "a", "x", 1), DESK_E_FULL);
	check_int(desk_lay(w->desk, 99, view("x", 1), &number), DESK_E_FULL);
	loop_advance(w->loop, DESK_MS - 1);
	check_ok(desk_add(w->desk, 1, "a", "y", 1)); /* he still comes */
	loop_advance(w->loop, 10);
	check_uint(desk_text(w->desk, 2, "a").len, 0);
	check_uint(desk_text(w->desk, 1, "a").len, 2);
	check_ok(desk_lay(w->desk, 99, view("x", 1), &number));
	loop_advance(w->loop, DESK_MS + 1);
	check_int(desk_take(w->desk, 99, number, piece, &last), DESK_E_NONE);
	check_uint(desk_text(w->desk, 1, "a").len, 0);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = { ROW(out_in_pieces), ROW(in_by_name), ROW(so_many_for_so_long) };
	return CHECK_RUN(rows);
}
