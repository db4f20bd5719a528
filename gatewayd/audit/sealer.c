/* Three things grow with each record: the MAC key moves on, the tree gets a leaf, and the link is remembered until the next
 * settled point. A job whose transaction was taken back leaves them ahead of the log; the next one finds the log's end among
 * the links and goes back there. Nothing here can be wrong and stay unnoticed: the next checkpoint says what it believes.
 */
#include "audit/sealer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "audit/evolve.h"
#include "audit/keyfile.h"
#include "base/text.h"

enum { LINKS_FIRST = 1024 };

struct link {
	uint8_t leaf[CRYPTO_HASH_LEN], head[CRYPTO_HASH_LEN];
};

struct sealer {
	struct audit_seal seal;
	struct audit_public *publics;
	struct keyfile *keyfile;
	struct evolve *evolve;
	struct crypto_hash *tree_hash;
	struct sealer_point settled;
	struct tree tree; /* with the links */
	struct link *links;
	size_t n_links, cap_links;
	int key_error;
};

static int seal_copy(const struct audit_seal *seal, struct audit_seal *ret, struct audit_public **ret_publics)
{
	size_t n = seal->n_publics;
	struct audit_public *publics = calloc(n + 2, sizeof(*publics));

	if (!publics)
		return -ENOMEM;
	if (n)
		memcpy(publics, seal->publics, n * sizeof(*publics));
	if (!n && seal->sign)
		publics[n++] = (struct audit_public){ seal->sign_id, sign_key_public(seal->sign) };
	if (!seal->n_publics && seal->sign_sm2)
		publics[n++] = (struct audit_public){ seal->sign_sm2_id, sign_key_public(seal->sign_sm2) };
	*ret = *seal;
	ret->publics = *ret_publics = publics;
	ret->n_publics = n;
	return 0;
}

int sealer_new(const char *folder, const struct audit_seal *seal, struct sealer **ret)
{
	struct sealer *sealer = calloc(1, sizeof(*sealer));
	int r;

	assert(seal->file && (seal->sign || seal->sign_sm2));
	if (!sealer)
		return -ENOMEM;
	sealer->cap_links = LINKS_FIRST;
	sealer->links = malloc(LINKS_FIRST * sizeof(*sealer->links));
	r = sealer->links ? seal_copy(seal, &sealer->seal, &sealer->publics) : -ENOMEM;
	if (r == 0)
		r = keyfile_new(folder, &sealer->keyfile);
	if (r == 0)
		r = evolve_new(&sealer->evolve);
	if (r) {
		sealer_free(sealer);
		return r;
	}
	*ret = sealer;
	return 0;
}

struct sealer *sealer_free(struct sealer *sealer)
{
	if (!sealer)
		return NULL;
	evolve_free(sealer->evolve);
	keyfile_free(sealer->keyfile);
	crypto_hash_free(sealer->tree_hash);
	free(sealer->publics);
	free(sealer->links);
	free(sealer);
	return NULL;
}

const struct audit_seal *sealer_seal(const struct sealer *sealer)
{
	return &sealer->seal;
}

int sealer_start(struct sealer *sealer, const struct sealer_point *point)
{
	assert(point->tree.size == point->tail.seq);
	sealer->settled = *point;
	sealer->tree = point->tree;
	sealer->n_links = 0;
	crypto_hash_free(sealer->tree_hash);
	sealer->tree_hash = NULL;
	return crypto_hash_new((enum crypto_hash_kind)point->suite, &sealer->tree_hash);
}

/* --- its key --------------------------------------------------------------------------------------------------------- */

int sealer_read_key(struct sealer *sealer, const struct keyfile_slot **ret)
{
	*ret = keyfile_slot(sealer->keyfile);
	return keyfile_read(sealer->keyfile, &sealer->seal);
}

void sealer_use_key(struct sealer *sealer, uint64_t next, const uint8_t *key)
{
	struct keyfile_slot *slot = keyfile_slot(sealer->keyfile);

	if (!key)
		crypto_random(slot->key, sizeof(slot->key));
	evolve_begin(sealer->evolve, next, key ? key : slot->key);
}

/* Where no seed is announced, one that was is wiped. */
static int write_key(struct sealer *sealer)
{
	struct keyfile_slot *slot = keyfile_slot(sealer->keyfile);

	memcpy(slot->key, evolve_key(sealer->evolve), sizeof(slot->key));
	slot->size = sealer->settled.tail.seq;
	slot->checkpoints = sealer->settled.checkpoints;
	memcpy(slot->last, sealer->settled.last, sizeof(slot->last));
	if (!slot->seed_seq)
		crypto_wipe(slot->seed, sizeof(slot->seed));
	sealer->key_error = keyfile_write(sealer->keyfile, &sealer->seal);
	return sealer->key_error;
}

int sealer_write_key(struct sealer *sealer)
{
	keyfile_slot(sealer->keyfile)->seed_seq = 0;
	return write_key(sealer);
}

bool sealer_follow(struct sealer *sealer, struct crypto_hash *hash, const uint8_t head[CRYPTO_HASH_LEN], struct view mac, bool announced)
{
	uint8_t want[CRYPTO_HASH_LEN];

	evolve_mac(sealer->evolve, hash, head, want);
	if (mac.len != sizeof(want) || !crypto_equal(mac.data, want, sizeof(want)))
		return false;
	if (announced)
		evolve_seed(sealer->evolve, keyfile_slot(sealer->keyfile)->seed);
	else
		evolve_step(sealer->evolve, hash);
	return true;
}

int sealer_key_error(const struct sealer *sealer)
{
	return sealer->key_error;
}

/* --- records --------------------------------------------------------------------------------------------------------- */

static const uint8_t *head_at(const struct sealer *sealer, size_t n_links)
{
	return n_links ? sealer->links[n_links - 1].head : sealer->settled.tail.head;
}

int sealer_back(struct sealer *sealer, struct crypto_hash *hash, const struct segment_tail *tail)
{
	uint64_t first = sealer->settled.tail.seq;
	size_t n;

	if (tail->seq < first || tail->seq - first > sealer->n_links)
		return -ESTALE;
	n = (size_t)(tail->seq - first);
	if (memcmp(head_at(sealer, n), tail->head, CRYPTO_HASH_LEN) != 0)
		return -ESTALE;
	if (n == sealer->n_links)
		return 0;
	sealer->tree = sealer->settled.tree;
	sealer->n_links = n;
	for (size_t i = 0; i < n; i++)
		tree_add(&sealer->tree, sealer->tree_hash, sealer->links[i].leaf);
	evolve_back(sealer->evolve, hash, tail->seq + 1);
	return 0;
}

static int links_room(struct sealer *sealer)
{
	struct link *more;

	if (sealer->n_links < sealer->cap_links)
		return 0;
	more = realloc(sealer->links, 2 * sealer->cap_links * sizeof(*more));
	if (!more)
		return -ENOMEM;
	sealer->links = more;
	sealer->cap_links *= 2;
	return 0;
}

static int put(struct sealer *sealer, struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec, size_t len,
	       const uint8_t *seed)
{
	struct segment_tail next = { .seq = tail->seq + 1 };
	struct link link;
	uint8_t mac[CRYPTO_HASH_LEN];
	int r = links_room(sealer);

	assert(evolve_next(sealer->evolve) == next.seq && sealer->tree.size == tail->seq);
	record_set_seq(rec, next.seq);
	segment_leaf(hash, rec, len, link.leaf);
	segment_head(hash, tail->head, link.leaf, next.head);
	memcpy(link.head, next.head, sizeof(link.head));
	evolve_mac(sealer->evolve, hash, next.head, mac);
	if (r == 0)
		r = segment_insert(db, &next, rec, len, mac);
	if (r)
		return r;
	if (seed)
		evolve_seed(sealer->evolve, seed);
	else
		evolve_step(sealer->evolve, hash);
	tree_add(&sealer->tree, sealer->tree_hash, link.leaf);
	sealer->links[sealer->n_links++] = link;
	*tail = next;
	return 0;
}

int sealer_put(struct sealer *sealer, struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec, size_t len)
{
	return put(sealer, db, hash, tail, rec, len, NULL);
}

void sealer_settle(struct sealer *sealer)
{
	sealer->settled.tail.seq += sealer->n_links;
	memcpy(sealer->settled.tail.head, head_at(sealer, sealer->n_links), CRYPTO_HASH_LEN);
	sealer->settled.tree = sealer->tree;
	sealer->n_links = 0;
	evolve_settle(sealer->evolve);
}

uint64_t sealer_checkpoints(const struct sealer *sealer)
{
	return sealer->settled.checkpoints;
}

uint64_t sealer_uncovered(const struct sealer *sealer)
{
	return sealer->tree.size - sealer->settled.covered;
}

/* --- checkpoints ----------------------------------------------------------------------------------------------------- */

static void checkpoint_fill(const struct sealer *sealer, enum checkpoint_reason reason, const struct record_stamp *stamp,
			    struct checkpoint *c)
{
	const struct sealer_point *at = &sealer->settled;

	memset(c, 0, sizeof(*c));
	c->suite = at->suite;
	c->reason = (uint8_t)reason;
	memcpy(c->log_id, at->log_id, sizeof(c->log_id));
	c->number = at->checkpoints + 1;
	c->tree = at->tree;
	tree_root(&c->tree, sealer->tree_hash, c->root);
	memcpy(c->head, at->tail.head, CRYPTO_HASH_LEN);
	memcpy(c->previous, at->last, CRYPTO_HASH_LEN);
	c->wall_us = stamp->wall_us;
	c->boot_ms = stamp->boot_ms;
	memcpy(c->boot_id, stamp->boot_id, sizeof(c->boot_id));
	c->generation = sealer->seal.generation;
	c->starts = sealer->seal.starts;
	c->sign_id = sealer->seal.sign ? sealer->seal.sign_id : 0;
	c->sign_sm2_id = sealer->seal.sign_sm2 ? sealer->seal.sign_sm2_id : 0;
}

static int checkpoint_make(const struct sealer *sealer, enum checkpoint_reason reason, const struct record_stamp *stamp,
			   struct audit_checkpoint *ret)
{
	struct checkpoint c;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	checkpoint_fill(sealer, reason, stamp, &c);
	ret->number = c.number;
	ret->size = c.tree.size;
	memcpy(ret->root, c.root, CRYPTO_HASH_LEN);
	memcpy(ret->head, c.head, CRYPTO_HASH_LEN);
	ret->len = checkpoint_encode(&c, ret->body);
	ret->has_a = c.sign_id;
	ret->has_b = c.sign_sm2_id;
	if (ret->has_a)
		r = sign_make(sealer->seal.sign, ret->body, ret->len, ret->signature_a);
	if (r == 0 && ret->has_b)
		r = sign_make(sealer->seal.sign_sm2, ret->body, ret->len, ret->signature_b);
	return r;
}

/* audit.key comes after: one that cannot be written is told, and the next checkpoint tries again. */
int sealer_checkpoint(struct sealer *sealer, struct db *db, enum checkpoint_reason reason, const struct record_stamp *stamp,
		      struct audit_checkpoint *ret)
{
	int r;

	assert(!sealer->n_links && sealer->tree.size);
	r = checkpoint_make(sealer, reason, stamp, ret);
	if (r)
		return r < 0 ? r : -EIO;
	r = db_begin(db);
	if (r == 0)
		r = segment_checkpoint_put(db, ret);
	if (r == 0)
		r = db_commit(db);
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	sealer->settled.checkpoints = ret->number;
	sealer->settled.covered = ret->size;
	checkpoint_hash(sealer->tree_hash, ret->body, ret->len, sealer->settled.last);
	(void)!sealer_write_key(sealer);
	return 0;
}

/* --- a new chain of keys --------------------------------------------------------------------------------------------- */

/* The seed is on the disk before its record is, so that no cut in between leaves a log whose next key nobody has. */
int sealer_announce(struct sealer *sealer, struct crypto_hash *hash, char ret_object[2 * CRYPTO_HASH_LEN + 1])
{
	static const uint8_t prefix = 0x05;
	struct keyfile_slot *slot = keyfile_slot(sealer->keyfile);
	uint8_t name[CRYPTO_HASH_LEN];

	assert(!sealer->n_links);
	crypto_random(slot->seed, sizeof(slot->seed));
	slot->seed_seq = sealer->settled.tail.seq + 1;
	crypto_hash_reset(hash);
	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, slot->seed, sizeof(slot->seed));
	crypto_hash_end(hash, name);
	hex_print(name, sizeof(name), ret_object);
	return write_key(sealer);
}

int sealer_put_seed(struct sealer *sealer, struct db *db, struct crypto_hash *hash, struct segment_tail *tail, uint8_t *rec, size_t len,
		    struct secret **ret_seed)
{
	struct keyfile_slot *slot = keyfile_slot(sealer->keyfile);
	struct secret *seed = NULL;
	int r = secret_new(slot->seed, sizeof(slot->seed), &seed);

	assert(slot->seed_seq == tail->seq + 1);
	if (r == 0)
		r = db_begin(db);
	if (r == 0)
		r = put(sealer, db, hash, tail, rec, len, slot->seed);
	if (r == 0)
		r = db_commit(db);
	if (r) {
		db_rollback(db);
		secret_free(seed);
		return r;
	}
	sealer_settle(sealer);
	(void)!sealer_write_key(sealer);
	*ret_seed = seed;
	return 0;
}

/* audit.key is sealed with the new key before the old one is let go. */
int sealer_swap(struct sealer *sealer, const struct audit_seal *seal)
{
	struct audit_seal old = sealer->seal;
	struct audit_public *old_publics = sealer->publics;
	int r = seal_copy(seal, &sealer->seal, &sealer->publics);

	assert(!sealer->n_links && seal->pages == old.pages);
	if (r)
		return r;
	r = sealer_write_key(sealer);
	if (r) {
		free(sealer->publics);
		sealer->seal = old;
		sealer->publics = old_publics;
		return r;
	}
	free(old_publics);
	return 0;
}
