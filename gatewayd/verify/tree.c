/* A tree of any size is a row of perfect trees, and a leaf more is a carry in the binary number that says which ones. The two
 * proofs are walked from the bottom: at each level the node is a right child, or a left one with a sibling, or the lonely
 * last one that goes up as it is.
 */
#include <string.h>

#include "verify/tree.h"

static struct view hash_view(const uint8_t *hash)
{
	return (struct view){ hash, CRYPTO_HASH_LEN };
}

static void node(const struct hashes *hashes, uint8_t suite, const uint8_t *left, const uint8_t *right, uint8_t *ret)
{
	hashes_of(hashes, suite, 0x01, hash_view(left), hash_view(right), ret);
}

unsigned tree_peaks_of(uint64_t size)
{
	return (unsigned)__builtin_popcountll(size);
}

void tree_add(struct tree *tree, const struct hashes *hashes, const uint8_t leaf[CRYPTO_HASH_LEN])
{
	uint8_t up[CRYPTO_HASH_LEN];

	memcpy(up, leaf, sizeof(up));
	for (uint64_t carry = tree->size; carry & 1; carry >>= 1)
		node(hashes, tree->suite, tree->peaks[--tree->n], up, up);
	memcpy(tree->peaks[tree->n++], up, sizeof(up));
	tree->size++;
}

void tree_root(const struct tree *tree, const struct hashes *hashes, uint8_t ret[CRYPTO_HASH_LEN])
{
	memcpy(ret, tree->peaks[tree->n - 1], CRYPTO_HASH_LEN);
	for (unsigned i = tree->n - 1; i-- > 0;)
		node(hashes, tree->suite, tree->peaks[i], ret, ret);
}

bool tree_holds(const struct hashes *hashes, uint8_t suite, const uint8_t leaf[CRYPTO_HASH_LEN], uint64_t index, uint64_t size,
		const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n, const uint8_t root[CRYPTO_HASH_LEN])
{
	uint64_t at = index, last = size - 1;
	uint8_t up[CRYPTO_HASH_LEN];

	if (index >= size)
		return false;
	memcpy(up, leaf, sizeof(up));
	for (size_t i = 0; i < n; i++) {
		while (!(at & 1) && at == last && last) { /* lonely: goes up as it is */
			at >>= 1;
			last >>= 1;
		}
		if (!last)
			return false;
		if (at & 1)
			node(hashes, suite, path[i], up, up);
		else
			node(hashes, suite, up, path[i], up);
		at >>= 1;
		last >>= 1;
	}
	/* What is left of the way must be lonely all along: at == last means no sibling is missing. */
	while (last && !(at & 1) && at == last) {
		at >>= 1;
		last >>= 1;
	}
	return !last && memcmp(up, root, sizeof(up)) == 0;
}

bool tree_continues(const struct hashes *hashes, uint8_t suite, uint64_t first, const uint8_t first_root[CRYPTO_HASH_LEN],
		    uint64_t second, const uint8_t second_root[CRYPTO_HASH_LEN], const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n)
{
	uint8_t old[CRYPTO_HASH_LEN], new[CRYPTO_HASH_LEN];
	uint64_t at = first - 1, last = second - 1;
	size_t i = 0;

	if (first == 0 || first > second)
		return false;
	if (first == second)
		return n == 0 && memcmp(first_root, second_root, CRYPTO_HASH_LEN) == 0;
	while (at & 1) { /* up to the largest perfect tree at the beginning's end */
		at >>= 1;
		last >>= 1;
	}
	if (at && n == 0)
		return false;
	/* A beginning that is one perfect tree is its own lowest hash, which is not in the path. */
	memcpy(old, at ? path[i++] : first_root, sizeof(old));
	memcpy(new, old, sizeof(new));
	for (; i < n; i++) {
		if (!last)
			return false;
		if ((at & 1) || at == last) {
			node(hashes, suite, path[i], old, old);
			node(hashes, suite, path[i], new, new);
			while (!(at & 1) && at) {
				at >>= 1;
				last >>= 1;
			}
		} else {
			node(hashes, suite, new, path[i], new);
		}
		at >>= 1;
		last >>= 1;
	}
	return !last && memcmp(old, first_root, sizeof(old)) == 0 && memcmp(new, second_root, sizeof(new)) == 0;
}
