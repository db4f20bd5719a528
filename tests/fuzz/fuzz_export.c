/* Whatever the bytes: the walk over an export ends with a verdict that is consistent in itself, the same one twice, and no two
 * ways into a record or a checkpoint differ. A checkpoint that parses is the one form of what it says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "verify/entry.h"
#include "verify/point.h"
#include "verify/walk.h"

#define must(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct walk_verdict walk(const uint8_t *data, size_t len, const struct walk_given *given)
{
	struct walk_verdict v;
	struct source *source = NULL;
	int r;

	must(source_over(data, len, &source) == 0);
	r = walk_export(source, given, &v);
	must(r == 0 || r == WALK_E_TAMPERED);
	must((r == 0) == (v.failed == CHECK_NONE) && v.failed < CHECKS);
	must(r == 0 ? v.first_bad == 0 : v.records == 0 || v.first_bad >= v.first - 1);
	must(v.signed_to <= v.last && v.newest_anchor <= v.last + 1);
	must(v.records == 0 || v.records == v.last - v.first + 1);
	source_free(source);
	return v;
}

static void walk_it(const uint8_t *data, size_t len)
{
	struct walk_given given = { 0 };
	struct walk_verdict v = walk(data, len, &given), again;
	struct anchor anchor = { .seq = v.last };
	struct seed seed = { .seq = v.last + 1 };

	/* An anchor that says what was found changes nothing but that it was compared; a wrong one is found. */
	if (v.failed || v.records == 0)
		return;
	memcpy(anchor.head, v.head, sizeof(anchor.head));
	given.anchors = &anchor;
	given.n_anchors = 1;
	again = walk(data, len, &given);
	must(again.failed == CHECK_NONE && again.anchors == 1 && again.newest_anchor == v.last);
	anchor.head[0] ^= 1;
	again = walk(data, len, &given);
	must(again.failed == CHECK_ANCHOR && again.first_bad == v.last);
	anchor.head[0] ^= 1;
	given.seeds = &seed;
	given.n_seeds = 1;
	again = walk(data, len, &given);
	must(again.failed == CHECK_SEED && again.first_bad == v.last + 1);
}

static void entry_is_strict(const uint8_t *data, size_t len)
{
	struct entry e;

	if (entry_parse(data, len, &e) != 0)
		return;
	must(len <= ENTRY_LEN_MAX && e.suite <= 1);
	must(!e.begins || (e.previous_head.len == 32 && e.log_id.len == 16));
	must(e.object.len <= 64 && (!e.object.len || text_is_utf8(e.object.data, e.object.len)));
	must(!e.dropped.len || e.kind == ENTRY_KIND_DROP);
	must(entry_segment_number(e.object) == 0 || e.object.len >= 17);
}

static void point_is_strict(const uint8_t *data, size_t len)
{
	struct point p, again;
	char text[3 * BASE64URL_CAP(POINT_BODY_MAX)];
	size_t n;

	if (point_parse((struct view){ data, len }, &p) != 0)
		return;
	must(p.len <= POINT_BODY_MAX && p.tree.n == tree_peaks_of(p.tree.size) && (p.has[0] || p.has[1]));
	base64url_print(p.body, p.len, text, sizeof(text));
	for (size_t i = 0; i < 2; i++) {
		n = strlen(text);
		text[n++] = '.';
		text[n] = '\0';
		if (p.has[i])
			base64url_print(p.signatures[i], SIGN_LEN, text + n, sizeof(text) - n);
	}
	must(point_parse_text(text, &again) == 0 && memcmp(&p, &again, sizeof(p)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t heads[] = { 0, 8, 13 }; /* a seed's magic and the head of its first item */
	char *text;

	if (crypto_init() != 0)
		abort();
	walk_it(data, len);
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		if (len < heads[i])
			break;
		entry_is_strict(data + heads[i], len - heads[i]);
		point_is_strict(data + heads[i], len - heads[i]);
	}
	text = strndup((const char *)data, len);
	must(text);
	struct point p;
	(void)!point_parse_text(text, &p);
	free(text);
	return 0;
}
