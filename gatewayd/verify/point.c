/* A body has one form too: what it says of peaks and signatures must be just what is there. */
#include <string.h>

#include "base/text.h"
#include "verify/point.h"

enum { SUITE_LAST = 1, REASON_LAST = 5 };

static void take(struct reader *r, void *ret, size_t len)
{
	struct view v = get_view(r, len);

	if (!r->bad)
		memcpy(ret, v.data, len);
}

/* bodys: the rest of struct point is zero. ret_ids: of the keys, 0: not signed so. */
must_check static int body_parse(struct view body, struct point *ret, uint32_t ret_ids[2])
{
	struct reader r = reader_over(body.data, body.len);
	struct view magic = get_view(&r, 10);
	uint8_t reason;

	if (r.bad || memcmp(magic.data, "GWAUDITCP1", 10) != 0 || body.len > POINT_BODY_MAX)
		return POINT_E_SYNTAX;
	ret->tree.suite = get_u8(&r);
	reason = get_u8(&r);
	take(&r, ret->log_id, sizeof(ret->log_id));
	ret->number = get_u64(&r);
	ret->tree.size = get_u64(&r);
	take(&r, ret->root, sizeof(ret->root));
	take(&r, ret->head, sizeof(ret->head));
	take(&r, ret->previous, sizeof(ret->previous));
	get_view(&r, 8 + 8 + 16 + 8 + 8); /* clocks, boot id, generation, starts */
	ret_ids[0] = get_u32(&r);
	ret_ids[1] = get_u32(&r);
	ret->tree.n = get_u8(&r);
	if (r.bad || ret->tree.suite > SUITE_LAST || reason > REASON_LAST || ret->number == 0 || ret->tree.size == 0 ||
	    ret->tree.n != tree_peaks_of(ret->tree.size))
		return POINT_E_SYNTAX;
	take(&r, ret->tree.peaks, ret->tree.n * (size_t)CRYPTO_HASH_LEN);
	if (!reader_is_done(&r))
		return POINT_E_SYNTAX;
	ret->len = body.len;
	memcpy(ret->body, body.data, body.len);
	return 0;
}

static bool signatures_fit(const struct view signatures[2], const uint32_t ids[2], struct point *ret)
{
	for (size_t i = 0; i < 2; i++) {
		ret->has[i] = signatures[i].len > 0;
		if ((ret->has[i] && signatures[i].len != SIGN_LEN) || ret->has[i] != (ids[i] != 0))
			return false;
		if (ret->has[i])
			memcpy(ret->signatures[i], signatures[i].data, SIGN_LEN);
	}
	return ret->has[0] || ret->has[1];
}

int point_parse(struct view item, struct point *ret)
{
	struct reader r = reader_over(item.data, item.len);
	struct view body = get_view16(&r, POINT_BODY_MAX), signatures[2];
	uint32_t ids[2];
	int e;

	for (size_t i = 0; i < 2; i++)
		signatures[i] = get_view(&r, get_u8(&r));
	if (!reader_is_done(&r))
		return POINT_E_SYNTAX;
	*ret = (struct point){ 0 };
	e = body_parse(body, ret, ids);
	return e ? e : signatures_fit(signatures, ids, ret) ? 0 : POINT_E_SYNTAX;
}

int point_parse_text(const char *text, struct point *ret)
{
	uint8_t parts[3][POINT_BODY_MAX];
	struct view views[3];
	uint32_t ids[2];
	int e;

	for (size_t i = 0; i < 3; i++) {
		size_t len = strcspn(text, ".");

		if ((text[len] == '.') != (i < 2) ||
		    base64url_parse(text, len, parts[i], sizeof(parts[i]), &views[i].len) != 0)
			return POINT_E_SYNTAX;
		views[i].data = parts[i];
		text += len + (i < 2);
	}
	*ret = (struct point){ 0 };
	e = body_parse(views[0], ret, ids);
	return e ? e : signatures_fit(views + 1, ids, ret) ? 0 : POINT_E_SYNTAX;
}

bool point_root_holds(const struct point *point, const struct hashes *hashes)
{
	uint8_t root[CRYPTO_HASH_LEN];

	tree_root(&point->tree, hashes, root);
	return memcmp(root, point->root, sizeof(root)) == 0;
}

/* 0 one holds, POINT_E_SIGNATURE none does though there are keys, 1 + that: there is no key of its kind. */
must_check static int signature_check(const struct point *point, size_t which, const struct sign_public *keys, size_t n)
{
	enum sign_kind kind = which ? SIGN_SM2 : SIGN_ED25519;
	int r = POINT_E_SIGNATURE + 1;

	for (size_t i = 0; i < n; i++) {
		if (keys[i].kind != kind)
			continue;
		r = sign_check(&keys[i], point->body, point->len, point->signatures[which]);
		if (r <= 0)
			return r;
		r = POINT_E_SIGNATURE;
	}
	return r;
}

int point_check(const struct point *point, const struct sign_public *keys, size_t n, unsigned *ret_checked)
{
	unsigned checked = 0;

	for (size_t which = 0; which < 2; which++) {
		int r = point->has[which] ? signature_check(point, which, keys, n) : POINT_E_SIGNATURE + 1;

		if (r <= POINT_E_SIGNATURE && r != 0)
			return r;
		checked += r == 0;
	}
	*ret_checked = checked;
	return checked ? 0 : POINT_E_SIGNATURE;
}
