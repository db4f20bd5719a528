/* A leaf that is added closes as many perfect subtrees as the size has ones at its end, like a carry in addition. A proof is a list
 * of ranges, each beginning at a multiple of its own width, so that one tree at a time, fed with the leaves of its range, is
 * all that is needed however long the log is.
 */
#include "audit/tree.h"

#include <assert.h>
#include <string.h>

static void node(struct crypto_hash *hash, const uint8_t left[CRYPTO_HASH_LEN], const uint8_t right[CRYPTO_HASH_LEN],
		 uint8_t ret[CRYPTO_HASH_LEN])
{
	static const uint8_t prefix = 0x01;

	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, left, CRYPTO_HASH_LEN);
	crypto_hash_add(hash, right, CRYPTO_HASH_LEN);
	crypto_hash_end(hash, ret);
}

size_t tree_n_peaks(uint64_t size)
{
	return (size_t)__builtin_popcountll(size);
}

void tree_clear(struct tree *tree)
{
	tree->size = 0;
}

void tree_set(struct tree *tree, uint64_t size, const uint8_t (*peaks)[CRYPTO_HASH_LEN])
{
	tree->size = size;
	if (size)
		memcpy(tree->peaks, peaks, tree_n_peaks(size) * CRYPTO_HASH_LEN);
}

void tree_add(struct tree *tree, struct crypto_hash *hash, const uint8_t leaf[CRYPTO_HASH_LEN])
{
	size_t n = tree_n_peaks(tree->size);
	uint8_t top[CRYPTO_HASH_LEN];

	assert(tree->size < UINT64_MAX);
	memcpy(top, leaf, sizeof(top));
	for (uint64_t carry = tree->size; carry & 1; carry >>= 1)
		node(hash, tree->peaks[--n], top, top);
	memcpy(tree->peaks[n], top, sizeof(top));
	tree->size++;
}

static void fold(const uint8_t (*peaks)[CRYPTO_HASH_LEN], size_t n, struct crypto_hash *hash, uint8_t ret[CRYPTO_HASH_LEN])
{
	uint8_t root[CRYPTO_HASH_LEN];

	if (!n) { /* the empty tree */
		crypto_hash_reset(hash);
		crypto_hash_end(hash, ret);
		return;
	}
	memcpy(root, peaks[n - 1], sizeof(root));
	for (size_t i = n - 1; i-- > 0;)
		node(hash, peaks[i], root, root);
	memcpy(ret, root, sizeof(root));
}

void tree_root(const struct tree *tree, struct crypto_hash *hash, uint8_t ret[CRYPTO_HASH_LEN])
{
	fold(tree->peaks, tree_n_peaks(tree->size), hash, ret);
}

/* --- proofs ---------------------------------------------------------------------------------------------------------- */

/* The largest power of two below n, which is 2 or more. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void proof_begin(struct tree_proof *proof, uint64_t size)
{
	memset(proof, 0, sizeof(*proof));
	proof->size = size;
}

static void take(struct tree_proof *proof, uint64_t from, uint64_t to)
{
	assert(proof->n < TREE_PATH_MAX);
	proof->ranges[proof->n++] = (struct tree_range){ from, to, 0 };
}

/* They were found from the root downwards; a proof lists them from the leaf upwards. */
static void proof_order(struct tree_proof *proof)
{
	for (size_t i = 0; i < proof->n; i++)
		proof->ranges[i].place = proof->n - 1 - i;
	for (size_t i = 1; i < proof->n; i++) {
		struct tree_range range = proof->ranges[i];
		size_t j = i;

		for (; j > 0 && proof->ranges[j - 1].from > range.from; j--)
			proof->ranges[j] = proof->ranges[j - 1];
		proof->ranges[j] = range;
	}
}

void tree_prove_leaf(struct tree_proof *proof, uint64_t index, uint64_t size)
{
	uint64_t from = 0, to = size;

	assert(index < size);
	proof_begin(proof, size);
	while (to - from > 1) {
		uint64_t middle = from + split(to - from);

		if (index < middle) {
			take(proof, middle, to);
			to = middle;
		} else {
			take(proof, from, middle);
			from = middle;
		}
	}
	proof_order(proof);
}

void tree_prove_growth(struct tree_proof *proof, uint64_t old, uint64_t size)
{
	uint64_t from = 0, to = size;
	bool is_known = true; /* the old root is what is left: who checks has it */

	assert(old > 0 && old <= size);
	proof_begin(proof, size);
	while (to != old) {
		uint64_t middle = from + split(to - from);

		if (old <= middle) {
			take(proof, middle, to);
			to = middle;
		} else {
			take(proof, from, middle);
			from = middle;
			is_known = false;
		}
	}
	if (!is_known)
		take(proof, from, to);
	proof_order(proof);
}

/* Ranges that the next leaf is behind are whole. */
static void close_ranges(struct tree_proof *proof, struct crypto_hash *hash)
{
	while (proof->at < proof->n && proof->ranges[proof->at].to <= proof->next) {
		tree_root(&proof->tree, hash, proof->path[proof->ranges[proof->at].place]);
		tree_clear(&proof->tree);
		proof->at++;
	}
}

/* The peaks of the gone tree that lie in a range; they must fill the part of it that is gone. */
static int range_skip(struct tree_range range, const struct tree *gone, struct tree *ret)
{
	uint64_t from = 0, end = range.to < gone->size ? range.to : gone->size;
	size_t first = 0, n = 0;

	for (size_t i = 0; i < tree_n_peaks(gone->size) && from < end; i++) {
		uint64_t left = gone->size - from, width = UINT64_C(1) << (63 - __builtin_clzll(left));

		if (from >= range.from) {
			first = n ? first : i;
			n++;
		} else if (from + width > range.from) {
			return -ENOENT;
		}
		from += width;
	}
	if (from != end || !n)
		return -ENOENT;
	memcpy(ret->peaks, gone->peaks[first], n * CRYPTO_HASH_LEN);
	ret->size = end - range.from;
	return 0;
}

int tree_proof_skip(struct tree_proof *proof, struct crypto_hash *hash, const struct tree *tree)
{
	assert(proof->next == 0 && tree->size <= proof->size);
	for (size_t i = 0; i < proof->n && proof->ranges[i].from < tree->size; i++) {
		int r = range_skip(proof->ranges[i], tree, &proof->tree);

		if (r)
			return r;
		proof->next = proof->ranges[i].to < tree->size ? proof->ranges[i].to : tree->size;
		close_ranges(proof, hash);
	}
	proof->next = tree->size;
	return 0;
}

void tree_proof_add(struct tree_proof *proof, struct crypto_hash *hash, const uint8_t leaf[CRYPTO_HASH_LEN])
{
	assert(proof->next < proof->size);
	if (proof->at < proof->n && proof->next >= proof->ranges[proof->at].from)
		tree_add(&proof->tree, hash, leaf);
	proof->next++;
	close_ranges(proof, hash);
}

bool tree_proof_is_whole(const struct tree_proof *proof)
{
	return proof->next == proof->size && proof->at == proof->n;
}
