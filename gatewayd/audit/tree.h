#pragma once
/* tree - the Merkle tree of RFC 6962 over a log that only grows, held as its peaks; and proofs from a stream of leaves.
 *
 *   above   audit/checkpoint
 *   below   base/base  sys/crypto
 *   owns    nothing
 *   limits  TREE_PEAKS_MAX TREE_PATH_MAX
 *
 * Pure. A leaf comes in hashed (H(0x00 || record)); a node is H(0x01 || left || right). The peaks are the roots of the perfect
 * subtrees that the size's binary digits name, so a tree of any size goes on from a few hashes.
 */
#include "base/base.h"
#include "sys/crypto.h"

enum { TREE_PEAKS_MAX = 64, TREE_PATH_MAX = 65 };

struct tree {
	uint64_t size;
	uint8_t peaks[TREE_PEAKS_MAX][CRYPTO_HASH_LEN]; /* tree_n_peaks of them, the largest first */
};
size_t tree_n_peaks(uint64_t size);
void tree_clear(struct tree *tree);
void tree_set(struct tree *tree, uint64_t size, const uint8_t (*peaks)[CRYPTO_HASH_LEN]);
void tree_add(struct tree *tree, struct crypto_hash *hash, const uint8_t leaf[CRYPTO_HASH_LEN]);
void tree_root(const struct tree *tree, struct crypto_hash *hash, uint8_t ret[CRYPTO_HASH_LEN]);

/* Proofs are roots of ranges of leaves that do not meet; they are gathered while the leaves pass by in order. */
struct tree_range {
	uint64_t from, to;
	size_t place; /* in the proof */
};
struct tree_proof {
	uint64_t size, next;      /* leaves in all; which comes next */
	size_t n, at;             /* hashes in the proof; range at hand */
	struct tree_range ranges[TREE_PATH_MAX]; /* by from */
	struct tree tree;         /* of the range at hand */
	uint8_t path[TREE_PATH_MAX][CRYPTO_HASH_LEN];
};
/* Section 2.1.1; index counts from 0 and is less than size. */
void tree_prove_leaf(struct tree_proof *proof, uint64_t index, uint64_t size);
/* Section 2.1.2; 0 < old <= size. */
void tree_prove_growth(struct tree_proof *proof, uint64_t old, uint64_t size);
/* Before the first leaf: leaves 0 to tree->size - 1 are gone, these are their peaks. -ENOENT: the proof needs one of them. */
must_check int tree_proof_skip(struct tree_proof *proof, struct crypto_hash *hash, const struct tree *tree);
void tree_proof_add(struct tree_proof *proof, struct crypto_hash *hash, const uint8_t leaf[CRYPTO_HASH_LEN]);
must_check bool tree_proof_is_whole(const struct tree_proof *proof);
