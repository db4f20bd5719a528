/* One item at a time. A record is checked in the order of the specification: its form, its number, that what it ends is
 * closed and what it begins is announced, its place in the chain, its mac. What is known of the log before the first record is
 * nothing, or, where its oldest segments were dropped, what the record of the drop says: that stands somewhere further on, so it
 * is looked for with a second source before the walk begins.
 */
#include <string.h>

#include "base/text.h"
#include "verify/entry.h"
#include "verify/hashes.h"
#include "verify/walk.h"

enum { ITEM_END = 0, ITEM_RECORD = 1, ITEM_CHECKPOINT = 2, ITEM_KEY = 3 };
enum { PROOF_LEN = 2 * CRYPTO_HASH_LEN, END_LEN = 8 + 8 + CRYPTO_HASH_LEN, KEY_HEAD_LEN = 5 };
enum { ITEM_MAX = POINT_ITEM_MAX, NAME_MAX_LEN = 64 };

struct item {
	uint8_t type;
	uint32_t len;
	uint8_t data[ITEM_MAX];
};

struct walk {
	struct source *source;
	const struct walk_given *given;
	struct walk_verdict *v;
	struct hashes hashes;
	struct tree tree;
	uint64_t at;        /* the last record */
	uint64_t before;    /* the last record of a dropped beginning */
	bool begun;
	uint8_t head[CRYPTO_HASH_LEN];
	/* the segment */
	uint64_t segment;   /* its n */
	uint8_t suite, log_id[16], name_len, name[NAME_MAX_LEN];
	/* the last checkpoint */
	uint64_t number, covered;
	struct point last;
	/* the chain of mac keys */
	bool has_key;
	uint8_t key[CRYPTO_HASH_LEN];
	uint64_t mac_from;  /* every record from here to at has a mac that held */
	struct item item;
};

static const struct {
	const char *name, *words;
} checks[CHECKS] = {
	[CHECK_NONE] = { "none", "all holds" },
	[CHECK_FORM] = { "form", "a record is not in the form of a record" },
	[CHECK_ORDER] = { "order", "a record is missing, or one does not belong here" },
	[CHECK_CLOSE] = { "close", "a segment does not end with a checkpoint" },
	[CHECK_SEGMENT] = { "segment", "a segment does not continue the one before it" },
	[CHECK_DROPPED] = { "dropped", "the beginning is missing, and no signed record says why" },
	[CHECK_CHAIN] = { "chain", "the chain breaks" },
	[CHECK_MAC] = { "mac", "a record is not the one that the gateway wrote: its mac does not hold" },
	[CHECK_SEED] = { "seed", "no chain of keys begins here with the seed that was given" },
	[CHECK_ANCHOR] = { "anchor", "an anchor from outside says otherwise" },
	[CHECK_CHECKPOINT] = { "checkpoint", "a checkpoint does not say what is there" },
	[CHECK_SIGNATURE] = { "signature", "a checkpoint is not signed with a key that was given" },
	[CHECK_END] = { "end", "the export does not end as it should, or is none" },
};

const char *check_name(enum check check)
{
	return checks[check].name;
}

const char *check_words(enum check check)
{
	return checks[check].words;
}

static struct view hash_view(const uint8_t *hash)
{
	return (struct view){ hash, CRYPTO_HASH_LEN };
}

static bool hash_equal(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, CRYPTO_HASH_LEN) == 0;
}

static bool view_equal(struct view a, const void *data, size_t len)
{
	return a.len == len && (len == 0 || memcmp(a.data, data, len) == 0);
}

must_check static int fault(struct walk *w, enum check check, uint64_t seq)
{
	w->v->failed = check;
	w->v->first_bad = seq;
	return WALK_E_TAMPERED;
}

/* The longest that an item of its type can be; 0: no such type. */
static uint32_t item_max(uint8_t type)
{
	static const uint32_t max[] = {
		[ITEM_END] = END_LEN,
		[ITEM_RECORD] = ENTRY_LEN_MAX + PROOF_LEN,
		[ITEM_CHECKPOINT] = POINT_ITEM_MAX,
		[ITEM_KEY] = KEY_HEAD_LEN + SIGN_PUBLIC_MAX,
	};

	return type < N_ELEMENTS(max) ? max[type] : 0;
}

/* 0, a check that failed, or negative errno. */
must_check static int item_read(struct source *source, struct item *ret)
{
	uint8_t head[5] = { 0 };
	struct reader r = reader_over(head, sizeof(head));
	int e = source_read(source, head, sizeof(head));

	if (e)
		return e < 0 ? e : CHECK_END;
	ret->type = get_u8(&r);
	ret->len = get_u32(&r);
	if (item_max(ret->type) == 0)
		return CHECK_END;
	if (ret->len > item_max(ret->type))
		return ret->type == ITEM_RECORD ? CHECK_FORM : ret->type == ITEM_CHECKPOINT ? CHECK_CHECKPOINT : CHECK_END;
	e = source_read(source, ret->data, ret->len);
	return e > 0 ? CHECK_END : e;
}

/* --- a dropped beginning ---------------------------------------------------------------------------------------------- */

/* The first record that says that the segment of this name was dropped. 0, SOURCE_E_END: there is none, or negative errno. */
must_check static int drop_find(struct source *source, const uint8_t *name, size_t len, struct point *ret)
{
	struct item item;
	struct entry e;
	uint8_t magic[8];
	int r = source_read(source, magic, sizeof(magic));

	while (r == 0) {
		r = item_read(source, &item);
		if (r || item.type == ITEM_END)
			break;
		if (item.type != ITEM_RECORD || item.len < PROOF_LEN || entry_parse(item.data, item.len - PROOF_LEN, &e) != 0 ||
		    e.kind != ENTRY_KIND_DROP || !view_equal(e.object, name, len))
			continue;
		return point_parse(e.dropped, ret) == 0 ? 0 : SOURCE_E_END;
	}
	return r < 0 ? r : SOURCE_E_END;
}

must_check static int anchors_compare(struct walk *w);

/* e begins segment n > 1 and is the first record of all: what was before it? */
must_check static int beginning_dropped(struct walk *w, const struct entry *e)
{
	struct source *again = NULL;
	struct point *p = &w->last;
	unsigned checked = 0;
	int r = source_again(w->source, &again);

	if (r)
		return r < 0 ? r : fault(w, CHECK_DROPPED, w->at + 1);
	r = drop_find(again, e->previous_name.data, e->previous_name.len, p);
	source_free(again);
	if (r < 0)
		return r;
	if (r || memcmp(p->log_id, w->log_id, sizeof(p->log_id)) != 0 || p->tree.size != w->at ||
	    !view_equal(e->previous_head, p->head, CRYPTO_HASH_LEN) || !point_root_holds(p, &w->hashes))
		return fault(w, CHECK_DROPPED, w->at + 1);
	r = w->given->n_keys ? point_check(p, w->given->keys, w->given->n_keys, &checked) : 0;
	if (r)
		return r < 0 ? r : fault(w, CHECK_DROPPED, w->at + 1);
	w->before = w->at;
	w->tree = p->tree;
	w->number = p->number;
	w->covered = p->tree.size;
	memcpy(w->head, p->head, CRYPTO_HASH_LEN);
	return anchors_compare(w);
}

/* --- records ---------------------------------------------------------------------------------------------------------- */

must_check static int segment_begins(struct walk *w, const struct entry *e)
{
	uint64_t n = entry_segment_number(e->object);
	bool first = !w->begun;
	int r = 0;

	if (e->kind != ENTRY_KIND_SEGMENT || n == 0 || (!first && (n != w->segment + 1 || !view_equal(e->log_id, w->log_id, 16))))
		return fault(w, CHECK_SEGMENT, w->at + 1);
	if (n == 1 ? e->previous_name.len || w->at != 0 :
	    first  ? entry_segment_number(e->previous_name) + 1 != n :
		     !view_equal(e->previous_name, w->name, w->name_len))
		return fault(w, CHECK_SEGMENT, w->at + 1);
	memcpy(w->log_id, e->log_id.data, sizeof(w->log_id));
	if (first) {
		w->begun = true;
		w->tree.suite = e->suite;
		if (n > 1)
			r = beginning_dropped(w, e);
		if (r)
			return r;
	}
	if (!view_equal(e->previous_head, w->head, CRYPTO_HASH_LEN))
		return fault(w, CHECK_SEGMENT, w->at + 1);
	w->segment = n;
	w->suite = e->suite;
	w->name_len = (uint8_t)e->object.len;
	memcpy(w->name, e->object.data, e->object.len);
	return 0;
}

/* Where a dropped beginning ends, if this first record may follow one. */
static uint64_t where_it_begins(const struct entry *e)
{
	return e->begins && e->seq > 1 && entry_segment_number(e->object) > 1 ? e->seq - 1 : 0;
}

must_check static int record_in_place(struct walk *w, const struct entry *e)
{
	if (!w->begun)
		w->at = where_it_begins(e);
	if (e->seq != w->at + 1)
		return fault(w, CHECK_ORDER, w->at + 1);
	if (w->begun && e->begins && w->covered != w->at)
		return fault(w, CHECK_CLOSE, w->at);
	if (e->begins)
		return segment_begins(w, e);
	return w->begun ? 0 : fault(w, CHECK_SEGMENT, w->at + 1);
}

must_check static int record_chain(struct walk *w, struct view rec, const uint8_t *head, uint8_t ret_leaf[CRYPTO_HASH_LEN])
{
	uint8_t computed[CRYPTO_HASH_LEN];

	hashes_of(&w->hashes, w->suite, 0x00, rec, (struct view){ 0 }, ret_leaf);
	hashes_of(&w->hashes, w->suite, 0x02, hash_view(w->head), hash_view(ret_leaf), computed);
	if (!hash_equal(head, computed))
		return fault(w, CHECK_CHAIN, w->at + 1);
	memcpy(w->head, computed, sizeof(computed));
	return 0;
}

static const struct seed *seed_of(const struct walk *w, uint64_t seq)
{
	for (size_t i = 0; i < w->given->n_seeds; i++) {
		if (w->given->seeds[i].seq == seq)
			return &w->given->seeds[i];
	}
	return NULL;
}

static bool seed_is_named(struct walk *w, const struct seed *seed, const struct entry *e)
{
	uint8_t hash[CRYPTO_HASH_LEN];
	char hex[2 * CRYPTO_HASH_LEN + 1];

	hashes_of(&w->hashes, w->suite, 0x05, hash_view(seed->key), (struct view){ 0 }, hash);
	hex_print(hash, sizeof(hash), hex);
	return e->kind == ENTRY_KIND_SEED && view_equal(e->object, hex, 2 * CRYPTO_HASH_LEN);
}

/* w->head is this record's already. */
must_check static int record_mac(struct walk *w, const struct entry *e, const uint8_t *mac)
{
	const struct seed *seed = seed_of(w, e->seq);
	uint8_t computed[CRYPTO_HASH_LEN];

	if (w->has_key) {
		hashes_mac(&w->hashes, w->suite, w->key, 0x04, hash_view(w->head), computed);
		if (!crypto_equal(mac, computed, sizeof(computed)))
			return fault(w, CHECK_MAC, e->seq);
		hashes_of(&w->hashes, w->suite, 0x03, hash_view(w->key), view_text("evolve"), w->key);
		w->v->macs++;
	}
	if (seed && !seed_is_named(w, seed, e))
		return fault(w, CHECK_SEED, e->seq);
	if (e->kind == ENTRY_KIND_SEED) {
		if (!w->has_key)
			w->mac_from = e->seq + 1;
		w->has_key = seed != NULL;
		if (seed)
			memcpy(w->key, seed->key, sizeof(w->key));
	}
	return 0;
}

static bool anchor_holds(struct walk *w, const struct anchor *anchor)
{
	const struct point *p = anchor->whole;

	if (!hash_equal(anchor->head, w->head))
		return false;
	return !p || (memcmp(p->log_id, w->log_id, sizeof(p->log_id)) == 0 && p->tree.suite == w->tree.suite &&
		      p->tree.n == w->tree.n && memcmp(p->tree.peaks, w->tree.peaks, p->tree.n * (size_t)CRYPTO_HASH_LEN) == 0 &&
		      point_root_holds(p, &w->hashes));
}

must_check static int anchors_compare(struct walk *w)
{
	for (size_t i = 0; i < w->given->n_anchors; i++) {
		const struct anchor *anchor = &w->given->anchors[i];

		if (anchor->seq != w->at || w->at == 0)
			continue;
		if (!anchor_holds(w, anchor))
			return fault(w, CHECK_ANCHOR, w->at);
		w->v->anchors++;
		w->v->newest_anchor = w->at;
	}
	return 0;
}

must_check static int walk_record(struct walk *w)
{
	const struct item *item = &w->item;
	const uint8_t *head = item->data + item->len - PROOF_LEN, *mac = head + CRYPTO_HASH_LEN;
	uint8_t leaf[CRYPTO_HASH_LEN];
	struct entry e;
	int r;

	if (item->len < PROOF_LEN || entry_parse(item->data, item->len - PROOF_LEN, &e) != 0)
		return fault(w, CHECK_FORM, w->at + 1);
	r = record_in_place(w, &e);
	if (r == 0)
		r = record_chain(w, (struct view){ item->data, item->len - PROOF_LEN }, head, leaf);
	if (r == 0)
		r = record_mac(w, &e, mac);
	if (r)
		return r;
	tree_add(&w->tree, &w->hashes, leaf);
	if (w->v->records++ == 0)
		w->v->first = e.seq;
	w->at = w->v->last = e.seq;
	return anchors_compare(w);
}

/* --- checkpoints ------------------------------------------------------------------------------------------------------ */

static bool follows(struct walk *w, const struct point *p)
{
	uint8_t previous[CRYPTO_HASH_LEN] = { 0 };

	if (w->number)
		hashes_of(&w->hashes, w->tree.suite, 0x06, (struct view){ w->last.body, w->last.len }, (struct view){ 0 }, previous);
	return p->number == w->number + 1 && hash_equal(p->previous, previous);
}

static bool covers(struct walk *w, const struct point *p)
{
	return w->begun && memcmp(p->log_id, w->log_id, sizeof(p->log_id)) == 0 && p->tree.suite == w->tree.suite &&
	       p->tree.size == w->at && hash_equal(p->head, w->head) && p->tree.n == w->tree.n &&
	       memcmp(p->tree.peaks, w->tree.peaks, p->tree.n * (size_t)CRYPTO_HASH_LEN) == 0 && point_root_holds(p, &w->hashes);
}

static bool is_as_published(const struct walk *w, const struct point *p)
{
	for (size_t i = 0; i < w->given->n_anchors; i++) {
		const struct point *whole = w->given->anchors[i].whole;

		if (whole && whole->number == p->number && (whole->len != p->len || memcmp(whole->body, p->body, p->len) != 0))
			return false;
	}
	return true;
}

must_check static int walk_checkpoint(struct walk *w)
{
	struct point p;
	unsigned checked = 0;
	int r;

	if (point_parse((struct view){ w->item.data, w->item.len }, &p) != 0 || !follows(w, &p) || !covers(w, &p) ||
	    !is_as_published(w, &p))
		return fault(w, CHECK_CHECKPOINT, w->at);
	if (w->given->n_keys) {
		r = point_check(&p, w->given->keys, w->given->n_keys, &checked);
		if (r)
			return r < 0 ? r : fault(w, CHECK_SIGNATURE, w->at);
		w->v->signatures += checked;
		w->v->signed_to = w->at;
	}
	w->last = p;
	w->number = p.number;
	w->covered = w->at;
	w->v->checkpoints++;
	return 0;
}

/* --- the whole -------------------------------------------------------------------------------------------------------- */

must_check static int walk_key(struct walk *w)
{
	uint8_t kind = w->item.len >= KEY_HEAD_LEN ? w->item.data[4] : 0;
	uint32_t want = kind == SIGN_ED25519 ? 32 : kind == SIGN_SM2 ? 65 : 0;

	return want && w->item.len == KEY_HEAD_LEN + want ? 0 : fault(w, CHECK_END, w->at + 1);
}

must_check static int walk_end(struct walk *w)
{
	struct reader r = reader_over(w->item.data, w->item.len);
	uint64_t records = get_u64(&r), checkpoints = get_u64(&r);
	struct view head = get_view(&r, CRYPTO_HASH_LEN);
	int e;

	if (!reader_is_done(&r) || records != w->v->records || checkpoints != w->v->checkpoints || !hash_equal(head.data, w->head))
		return fault(w, CHECK_END, w->at + 1);
	e = source_end(w->source);
	return e > 0 ? fault(w, CHECK_END, w->at + 1) : e;
}

/* What was given speaks of nothing that is not there. */
must_check static int walk_given_is_there(struct walk *w)
{
	for (size_t i = 0; i < w->given->n_anchors; i++) {
		if (w->given->anchors[i].seq > w->at)
			return fault(w, CHECK_ANCHOR, w->at + 1);
	}
	for (size_t i = 0; i < w->given->n_anchors; i++) {
		const struct point *whole = w->given->anchors[i].whole;

		if (whole && whole->number > w->number)
			return fault(w, CHECK_ANCHOR, w->at);
	}
	for (size_t i = 0; i < w->given->n_seeds; i++) {
		if (w->given->seeds[i].seq > w->at)
			return fault(w, CHECK_SEED, w->at + 1);
	}
	return 0;
}

must_check static int walk_items(struct walk *w)
{
	int r;

	do {
		r = item_read(w->source, &w->item);
		if (r > 0)
			return fault(w, (enum check)r, r == CHECK_CHECKPOINT ? w->at : w->at + 1);
		if (r == 0 && w->item.type == ITEM_RECORD)
			r = walk_record(w);
		else if (r == 0 && w->item.type == ITEM_CHECKPOINT)
			r = walk_checkpoint(w);
		else if (r == 0 && w->item.type == ITEM_KEY)
			r = walk_key(w);
	} while (r == 0 && w->item.type != ITEM_END);
	if (r == 0)
		r = walk_end(w);
	return r ? r : walk_given_is_there(w);
}

int walk_export(struct source *source, const struct walk_given *given, struct walk_verdict *ret)
{
	struct walk w = { .source = source, .given = given, .v = ret };
	uint8_t magic[8];
	int r;

	*ret = (struct walk_verdict){ 0 };
	r = hashes_init(&w.hashes);
	if (r)
		return r;
	r = source_read(source, magic, sizeof(magic));
	if (r == 0 && memcmp(magic, "GWAUDIT2", sizeof(magic)) == 0)
		r = walk_items(&w);
	else if (r >= 0)
		r = fault(&w, CHECK_END, 0);
	ret->mac_to_end = w.has_key && w.mac_from <= ret->signed_to + 1;
	memcpy(ret->head, w.head, sizeof(ret->head));
	crypto_wipe(w.key, sizeof(w.key));
	hashes_deinit(&w.hashes);
	return r;
}
