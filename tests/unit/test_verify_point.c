#include "check.h"
#include "export_file.h"
#include "verify/point.h"

static struct export_file file;
static struct hashes hashes;

static int setup(void **state)
{
	(void)state;
	if (crypto_init() || hashes_init(&hashes))
		return -1;
	export_load("sha256", &file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hashes_deinit(&hashes);
	return 0;
}

static void one_form(void **state)
{
	struct view item = export_checkpoint(&file, 0);
	uint8_t bad[POINT_ITEM_MAX];
	struct point p, again;
	char text[8192];

	(void)state;
	check_ok(point_parse(item, &p));
	check_uint(p.number, 1);
	check_true(p.has[0] && p.has[1] && point_root_holds(&p, &hashes));
	check_uint(p.len, POINT_HEAD_LEN + p.tree.n * 32u);
	/* The text of it is the same one. */
	export_anchor(item, text, sizeof(text));
	check_ok(point_parse_text(text, &again));
	check_true(memcmp(&p, &again, sizeof(p)) == 0);
	for (size_t n = 0; n < strlen(text); n++) {
		char cut[8192];

		check_true(text_copy_n(cut, sizeof(cut), text, n));
		check_int(point_parse_text(cut, &again), POINT_E_SYNTAX);
	}
	check_int(point_parse_text("..", &again), POINT_E_SYNTAX);
	text[0] = '=';
	check_int(point_parse_text(text, &again), POINT_E_SYNTAX);
	/* Cut and grown items. */
	for (size_t n = 0; n < item.len; n++)
		check_int(point_parse((struct view){ item.data, n }, &again), POINT_E_SYNTAX);
	memcpy(bad, item.data, item.len);
	bad[item.len] = 0;
	check_int(point_parse((struct view){ bad, item.len + 1 }, &again), POINT_E_SYNTAX);
}

static void bodies_of_no_form(void **state)
{
	/* magic, suite, reason, number, size, ids of the keys, peaks */
	static const struct {
		uint8_t at, value, len;
	} rows[] = { { 0, 'x', 1 }, { 10, 2, 1 }, { 11, 6, 1 }, { 28, 0, 8 }, { 36, 0, 8 }, { 188, 0, 4 }, { 192, 0, 4 }, { 196, 9, 1 }, { 196, 0, 1 } };
	struct view item = export_checkpoint(&file, 0);
	uint8_t bad[POINT_ITEM_MAX];
	struct point p;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		memcpy(bad, item.data, item.len);
		memset(bad + 2 + rows[i].at, rows[i].value, rows[i].len);
		check_int(point_parse((struct view){ bad, item.len }, &p), POINT_E_SYNTAX);
	}
	/* A body with the most peaks there are is as long as a body can be. */
	memcpy(bad, item.data, 2 + POINT_HEAD_LEN);
	bad[0] = (uint8_t)(POINT_BODY_MAX & 0xff);
	bad[1] = POINT_BODY_MAX >> 8;
	memset(bad + 2 + 36, 0xff, 8);
	bad[2 + 196] = TREE_PEAKS_MAX;
	memset(bad + 2 + POINT_HEAD_LEN, 7, POINT_BODY_MAX - POINT_HEAD_LEN);
	memset(bad + 2 + POINT_BODY_MAX, 64, 130);
	check_ok(point_parse((struct view){ bad, 2 + POINT_BODY_MAX + 130 }, &p));
	check_uint(p.len, POINT_BODY_MAX);
	check_true(!point_root_holds(&p, &hashes));
}

static void signatures(void **state)
{
	struct sign_public keys[4], one, other;
	struct point p, bad;
	unsigned checked = 9;

	(void)state;
	check_uint(export_keys(&file, keys), 2);
	check_ok(point_parse(export_checkpoint(&file, 0), &p));
	check_ok(point_check(&p, keys, 2, &checked));
	check_uint(checked, 2);
	check_ok(point_check(&p, keys, 1, &checked));
	check_uint(checked, 1);
	check_ok(point_check(&p, keys + 1, 1, &checked));
	check_int(point_check(&p, keys, 0, &checked), POINT_E_SIGNATURE);
	for (size_t i = 0; i < 2; i++) {
		bad = p;
		bad.signatures[i][10] ^= 1;
		check_int(point_check(&bad, keys, 2, &checked), POINT_E_SIGNATURE);
		/* Not seen by who has the other key only. */
		check_ok(point_check(&bad, keys + 1 - i, 1, &checked));
	}
	bad = p;
	bad.body[140] ^= 1;
	check_int(point_check(&bad, keys, 2, &checked), POINT_E_SIGNATURE);
	/* One of several keys of a kind is enough; a stranger's alone is not. */
	one = other = keys[0];
	other.data[3] ^= 1;
	check_int(point_check(&p, &other, 1, &checked), POINT_E_SIGNATURE);
	keys[0] = other;
	keys[2] = one;
	check_ok(point_check(&p, keys, 3, &checked));
	/* Without the SM2 signature the SM2 key says nothing. */
	bad = p;
	bad.has[1] = false;
	check_ok(point_check(&bad, keys, 3, &checked));
	check_uint(checked, 1);
	check_int(point_check(&bad, keys + 1, 1, &checked), POINT_E_SIGNATURE);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup_teardown(one_form, setup, teardown),
		cmocka_unit_test_setup_teardown(bodies_of_no_form, setup, teardown),
		cmocka_unit_test_setup_teardown(signatures, setup, teardown),
	};

	return CHECK_RUN(rows);
}
