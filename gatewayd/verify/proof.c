/* The form is that of section 7 of docs/spec/audit.md, "Proofs". A path that holds proves only as much as the checkpoint is worth
 * that it leads to: so that must be signed with a key that was given, or be one that somebody kept.
 */
#include <string.h>

#include "base/text.h"
#include "sys/json.h"
#include "verify/entry.h"
#include "verify/proof.h"

struct proof {
	bool inclusion;
	uint64_t number; /* seq, or the earlier size */
	uint8_t hash[CRYPTO_HASH_LEN]; /* leaf, or the earlier root */
	const char *record;            /* NULL, or hex */
	struct point point;
	size_t n;
	uint8_t path[PROOF_PATH_MAX][CRYPTO_HASH_LEN];
};

static bool hash_parse(const char *text, uint8_t ret[CRYPTO_HASH_LEN])
{
	return text && hex_parse(text, strlen(text), ret, CRYPTO_HASH_LEN) == 0;
}

must_check static int path_parse(const struct json *list, struct proof *ret)
{
	ret->n = json_len(list);
	for (size_t i = 0; i < ret->n; i++) {
		if (!hash_parse(json_text(json_at(list, i), NULL), ret->path[i]))
			return PROOF_E_SYNTAX;
	}
	return 0;
}

must_check static int object_parse(struct json *object, char *why, size_t why_cap, struct proof *ret)
{
	static const struct json_field fields[] = {
		{ "proof", JSON_TEXT, true, 1, 16 },      { "seq", JSON_INT, false, 1, INT64_MAX },
		{ "leaf", JSON_TEXT, false, 64, 64 },     { "record", JSON_TEXT, false, 0, 2 * ENTRY_LEN_MAX },
		{ "size", JSON_INT, false, 1, INT64_MAX }, { "root", JSON_TEXT, false, 64, 64 },
		{ "path", JSON_ARRAY, true, 0, PROOF_PATH_MAX }, { "checkpoint", JSON_TEXT, true, 1, 8192 },
	};
	const char *kind;
	int64_t number;

	if (json_check(object, fields, N_ELEMENTS(fields), why, why_cap) != 0)
		return PROOF_E_SYNTAX;
	text_print(why, why_cap, "not in the form of a proof");
	kind = json_get_text(object, "proof");
	ret->inclusion = text_equal(kind, "inclusion");
	ret->record = ret->inclusion ? json_get_text(object, "record") : NULL;
	if ((!ret->inclusion && !text_equal(kind, "consistency")) ||
	    !json_to_i64(json_get(object, ret->inclusion ? "seq" : "size"), &number) ||
	    !hash_parse(json_get_text(object, ret->inclusion ? "leaf" : "root"), ret->hash) ||
	    point_parse_text(json_get_text(object, "checkpoint"), &ret->point) != 0)
		return PROOF_E_SYNTAX;
	ret->number = (uint64_t)number;
	return path_parse(json_get(object, "path"), ret);
}

/* The record that is shown is the one that the leaf is of, whichever suite its segment had. */
static bool record_holds(const struct hashes *hashes, const struct proof *proof)
{
	uint8_t data[ENTRY_LEN_MAX], leaf[CRYPTO_HASH_LEN];
	size_t len = strlen(proof->record) / 2;
	struct entry e;

	if (hex_parse(proof->record, strlen(proof->record), data, len) != 0 || entry_parse(data, len, &e) != 0 ||
	    e.seq != proof->number)
		return false;
	for (uint8_t suite = 0; suite < HASHES_SUITES; suite++) {
		hashes_of(hashes, suite, 0x00, (struct view){ data, len }, (struct view){ 0 }, leaf);
		if (memcmp(leaf, proof->hash, sizeof(leaf)) == 0)
			return true;
	}
	return false;
}

static const char *path_fault(const struct hashes *hashes, const struct proof *proof)
{
	const struct point *p = &proof->point;

	if (!point_root_holds(p, hashes))
		return "the checkpoint's root is not that of its peaks";
	if (proof->record && !record_holds(hashes, proof))
		return "the record is not the one that the leaf is of";
	if (proof->inclusion)
		return tree_holds(hashes, p->tree.suite, proof->hash, proof->number - 1, p->tree.size, proof->path, proof->n,
				  p->root) ? NULL : "the record is not in the tree";
	return tree_continues(hashes, p->tree.suite, proof->number, proof->hash, p->tree.size, p->root, proof->path, proof->n) ?
		       NULL : "the later checkpoint does not continue the earlier one";
}

/* What somebody kept of that size: 1 the same, 0 nothing, -1 another. */
static int kept(const struct walk_given *given, uint64_t size, const uint8_t root[CRYPTO_HASH_LEN])
{
	int found = 0;

	for (size_t i = 0; i < given->n_anchors; i++) {
		const struct point *whole = given->anchors[i].whole;

		if (!whole || whole->tree.size != size)
			continue;
		if (memcmp(whole->root, root, CRYPTO_HASH_LEN) != 0)
			return -1;
		found = 1;
	}
	return found;
}

must_check static int vouch(const struct proof *proof, const struct walk_given *given, struct proof_verdict *ret)
{
	const struct point *p = &proof->point;
	int later = kept(given, p->tree.size, p->root), earlier = proof->inclusion ? 1 : kept(given, proof->number, proof->hash);
	unsigned checked = 0;
	int r = given->n_keys ? point_check(p, given->keys, given->n_keys, &checked) : 0;

	if (r < 0)
		return r;
	ret->holds = r == 0 && later >= 0 && earlier >= 0;
	ret->vouched = ret->holds && earlier > 0 && (checked || later > 0 || !proof->inclusion);
	ret->what = r ? "the checkpoint is not signed with a key that was given" :
		    !ret->holds ? "an anchor from outside says otherwise" :
		    ret->vouched ? "it holds" :
		    proof->inclusion ? "it holds, but neither a key nor an anchor vouches for the checkpoint" :
				       "it holds, but no anchor vouches for the earlier checkpoint";
	return 0;
}

must_check static int proof_judge(const struct proof *proof, const struct walk_given *given, struct proof_verdict *ret)
{
	struct proof_verdict v = { .inclusion = proof->inclusion, .seq = proof->number, .size = proof->point.tree.size };
	struct hashes hashes;
	int r = hashes_init(&hashes);

	if (r)
		return r;
	v.what = path_fault(&hashes, proof);
	hashes_deinit(&hashes);
	if (!v.what)
		r = vouch(proof, given, &v);
	if (r == 0)
		*ret = v;
	return r;
}

int proof_check(const char *text, size_t len, const struct walk_given *given, char *why, size_t why_cap, struct proof_verdict *ret)
{
	struct json *object cleanup(json_freep) = NULL;
	struct proof proof = { 0 };
	int r = json_parse(text, len, PROOF_FILE_MAX, JSON_DEPTH_MAX, why, why_cap, &object);

	if (r == 0)
		r = object_parse(object, why, why_cap, &proof);
	if (r)
		return r < 0 ? r : PROOF_E_SYNTAX;
	return proof_judge(&proof, given, ret);
}
