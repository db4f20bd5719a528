#pragma once
/* export_file - the small exports of tests/fuzz/corpus/export, which tests/lib/audit_make.py has written, and a checkpoint out of one. */
#include "base/bytes.h"
#include "base/text.h"
#include "check.h"
#include "verify/point.h"

enum { EXPORT_MAX = 16 * 1024 };

struct export_file {
	size_t len;
	uint8_t data[EXPORT_MAX];
};

static inline void export_load(const char *name, struct export_file *ret)
{
	char path[512];
	FILE *f;

	text_print(path, sizeof(path), "%s/tests/fuzz/corpus/export/%s", getenv("GW_SOURCE_ROOT"), name);
	f = fopen(path, "re");
	assert_non_null(f);
	ret->len = fread(ret->data, 1, sizeof(ret->data), f);
	fclose(f);
	check_true(ret->len > 8 && ret->len < EXPORT_MAX);
}

/* The next item of a type from *at on (8 at first); *at is then behind it. */
static inline bool export_item(const struct export_file *file, uint8_t type, size_t *at, struct view *ret)
{
	while (*at + 5 <= file->len) {
		struct reader r = reader_over(file->data + *at, file->len - *at);
		uint8_t found = get_u8(&r);
		uint32_t len = get_u32(&r);

		*ret = get_view(&r, len);
		check_true(!r.bad);
		*at += 5 + len;
		if (found == type)
			return true;
	}
	return false;
}

static inline struct view export_checkpoint(const struct export_file *file, unsigned n)
{
	struct view item = { 0 };
	size_t at = 8;

	for (unsigned i = 0; i <= n; i++)
		check_true(export_item(file, 2, &at, &item));
	return item;
}

/* The public keys that stand in it: of a made export they are the right ones. */
static inline size_t export_keys(const struct export_file *file, struct sign_public ret[4])
{
	struct view item;
	size_t at = 8, n = 0;

	while (export_item(file, 3, &at, &item)) {
		ret[n].kind = item.data[4];
		ret[n].len = (uint8_t)(item.len - 5);
		memcpy(ret[n].data, item.data + 5, item.len - 5);
		n++;
	}
	return n;
}

/* As an anchor's text. */
static inline void export_anchor(struct view checkpoint, char *ret, size_t cap)
{
	struct reader r = reader_over(checkpoint.data, checkpoint.len);
	struct view body = get_view16(&r, POINT_BODY_MAX);

	base64url_print(body.data, body.len, ret, cap);
	for (size_t i = 0; i < 2; i++) {
		struct view signature = get_view(&r, get_u8(&r));
		size_t n = strlen(ret);

		ret[n++] = '.';
		ret[n] = '\0';
		base64url_print(signature.data, signature.len, ret + n, cap - n);
	}
	check_true(reader_is_done(&r));
}
