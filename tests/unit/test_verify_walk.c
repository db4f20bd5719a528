#include "check.h"
#include "export_file.h"
#include "verify/walk.h"

static const char *const names[] = { "sha256", "sm3", "both", "dropped", "ed25519" };

static int setup(void **state)
{
	(void)state;
	return crypto_init();
}

static int walk(const void *data, size_t len, const struct walk_given *given, struct walk_verdict *ret)
{
	struct source *source = NULL;
	int r;

	check_ok(source_over(data, len, &source));
	r = walk_export(source, given, ret);
	source_free(source);
	return r;
}

static void sound_ones(void **state)
{
	static struct export_file file;
	struct walk_verdict v;
	struct sign_public keys[4];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		struct walk_given given = { .keys = keys };
		struct anchor anchor = { 0 };

		export_load(names[i], &file);
		check_ok(walk(file.data, file.len, &given, &v));
		check_uint(v.signatures, 0);
		check_uint(v.anchors, 0);
		given.n_keys = export_keys(&file, keys);
		check_ok(walk(file.data, file.len, &given, &v));
		check_uint(v.signatures, v.checkpoints * given.n_keys);
		check_uint(v.signed_to, v.last);
		check_uint(v.records, v.last - v.first + 1);
		/* What it says of its end, held against it. */
		anchor.seq = v.last;
		memcpy(anchor.head, v.head, sizeof(anchor.head));
		given.anchors = &anchor;
		given.n_anchors = 1;
		check_ok(walk(file.data, file.len, &given, &v));
		check_uint(v.anchors, 1);
		anchor.head[31] ^= 1;
		check_int(walk(file.data, file.len, &given, &v), WALK_E_TAMPERED);
		check_text(check_name(v.failed), "anchor");
		check_uint(v.first_bad, anchor.seq);
		anchor.seq++;
		check_int(walk(file.data, file.len, &given, &v), WALK_E_TAMPERED);
		check_uint(v.first_bad, anchor.seq);
	}
}

static void cut_anywhere(void **state)
{
	static struct export_file file;
	const struct walk_given given = { 0 };
	struct walk_verdict v;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		export_load(names[i], &file);
		for (size_t n = i; n < file.len; n += 7) {
			check_int(walk(file.data, n, &given, &v), WALK_E_TAMPERED);
			check_true(v.failed == CHECK_END || v.failed == CHECK_DROPPED);
		}
		file.data[file.len] = 0;
		check_int(walk(file.data, file.len + 1, &given, &v), WALK_E_TAMPERED);
		check_true(v.failed == CHECK_END);
	}
}

/* The item in which a byte lies, and whether anybody who has the keys but no seed can vouch for it. */
static bool is_vouched_for(const struct export_file *file, size_t at, struct view *ret)
{
	size_t behind = 8, type_at = 8;
	struct view item;

	if (at < 8)
		return true;
	for (;;) {
		type_at = behind;
		behind += 5 + (file->data[type_at + 1] | file->data[type_at + 2] << 8);
		if (at < behind)
			break;
	}
	item = (struct view){ file->data + type_at + 5, behind - type_at - 5 };
	*ret = item;
	if (at < type_at + 5)
		return true;
	return file->data[type_at] == 1 ? at < behind - 32 : file->data[type_at] == 3 ? at == type_at + 5 + 4 : true;
}

static void a_bit_anywhere(void **state)
{
	static struct export_file file, bad;
	struct walk_given given = { 0 };
	struct sign_public keys[4];
	struct walk_verdict v;
	struct view item = { 0 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		export_load(names[i], &file);
		given.keys = keys;
		given.n_keys = export_keys(&file, keys);
		for (size_t at = i; at < file.len; at += 17) {
			bool vouched = is_vouched_for(&file, at, &item);
			int r;

			memcpy(&bad, &file, sizeof(bad));
			bad.data[at] ^= (uint8_t)(1 << at % 8);
			if (at >= 8 && !vouched) {
				check_ok(walk(bad.data, bad.len, &given, &v));
				continue;
			}
			r = walk(bad.data, bad.len, &given, &v);
			if (r != WALK_E_TAMPERED)
				fail_msg("%s: bit %zu of byte %zu: %d", names[i], at % 8, at, r);
		}
	}
}

/* Items of no kind or of a length that is none: at their place, with their check. */
static void strange_items(void **state)
{
	static const struct {
		uint8_t type;
		uint32_t len;
		enum check check;
	} rows[] = {
		{ 4, 1, CHECK_END },    { 255, 0, CHECK_END },    { 0, 49, CHECK_END },       { 0, 47, CHECK_END },
		{ 1, 2048 + 65, CHECK_FORM }, { 1, 63, CHECK_FORM }, { 1, UINT32_MAX, CHECK_FORM }, { 2, POINT_ITEM_MAX + 1, CHECK_CHECKPOINT },
		{ 2, 0, CHECK_CHECKPOINT }, { 3, 36, CHECK_END }, { 3, 4, CHECK_END }, { 3, 71, CHECK_END },
	};
	uint8_t data[8 + 5 + POINT_ITEM_MAX] = "GWAUDIT2";
	const struct walk_given given = { 0 };
	struct walk_verdict v;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		data[8] = rows[i].type;
		for (size_t j = 0; j < 4; j++)
			data[9 + j] = (uint8_t)(rows[i].len >> 8 * j);
		check_int(walk(data, sizeof(data), &given, &v), WALK_E_TAMPERED);
		check_text(check_name(v.failed), check_name(rows[i].check));
		check_uint(v.first_bad, rows[i].check == CHECK_CHECKPOINT ? 0 : 1);
		check_true(strlen(check_words(v.failed)) > 10);
	}
}

static void nothing_in_it(void **state)
{
	uint8_t data[8 + 5 + 48 + 1] = "GWAUDIT2\0\x30";
	const struct walk_given given = { 0 };
	struct walk_verdict v;

	(void)state;
	check_ok(walk(data, sizeof(data) - 1, &given, &v));
	check_uint(v.records, 0);
	check_int(walk(data, sizeof(data), &given, &v), WALK_E_TAMPERED);
	data[13] = 1;
	check_int(walk(data, sizeof(data) - 1, &given, &v), WALK_E_TAMPERED);
	check_int(walk("GWAUDIT1", 8, &given, &v), WALK_E_TAMPERED);
	check_uint(v.first_bad, 0);
	check_int(walk("", 0, &given, &v), WALK_E_TAMPERED);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup(sound_ones, setup),     cmocka_unit_test_setup(cut_anywhere, setup),
		cmocka_unit_test_setup(a_bit_anywhere, setup), cmocka_unit_test_setup(strange_items, setup),
		cmocka_unit_test_setup(nothing_in_it, setup),
	};

	return CHECK_RUN(rows);
}
