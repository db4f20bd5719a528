#pragma once
/* tree - the Merkle tree of RFC 6962 over the records, of which only the peaks are kept; and the proofs about it.
 *
 *   above   verify/point
 *   below   base/base  sys/crypto  verify/hashes
 *   owns    nothing: struct tree is plain
 *   limits  TREE_PEAKS_MAX
 *   errors  -
 */
#include "base/base.h"
#include "sys/crypto.h"
#include "verify/hashes.h"

enum { TREE_PEAKS_MAX = 64 };

/* Peaks: roots of the perfect subtrees, largest first: one for each bit of size that is 1. */
struct tree {
	uint8_t suite;
	uint64_t size;
	unsigned n;
	uint8_t peaks[TREE_PEAKS_MAX][CRYPTO_HASH_LEN];
};
unsigned tree_peaks_of(uint64_t size); /* how many */
void tree_add(struct tree *tree, const struct hashes *hashes, const uint8_t leaf[CRYPTO_HASH_LEN]);
void tree_root(const struct tree *tree, const struct hashes *hashes, uint8_t ret[CRYPTO_HASH_LEN]); /* size > 0 */

/* RFC 6962 section 2.1.1: leaf at index is in the tree of size with that root. path: n hashes, lowest first. */
bool tree_holds(const struct hashes *hashes, uint8_t suite, const uint8_t leaf[CRYPTO_HASH_LEN], uint64_t index, uint64_t size,
		const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n, const uint8_t root[CRYPTO_HASH_LEN]);
/* Section 2.1.2: the tree of size first with root first_root is the beginning of the other. */
bool tree_continues(const struct hashes *hashes, uint8_t suite, uint64_t first, const uint8_t first_root[CRYPTO_HASH_LEN],
		    uint64_t second, const uint8_t second_root[CRYPTO_HASH_LEN], const uint8_t (*path)[CRYPTO_HASH_LEN], size_t n);
