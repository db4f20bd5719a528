/* The tree against the vectors of certificate transparency, against a naive tree by the definition, and its proofs against
 * a checker written from RFC 9162, section 2.1.3.2 and 2.1.4.2.
 */
#include "check.h"

#include "audit/tree.h"
#include "base/text.h"

enum { LEAVES = 70 };

static struct crypto_hash *hash;
static uint8_t leaves[LEAVES][CRYPTO_HASH_LEN];

static void leaf_of(const void *data, size_t len, uint8_t ret[CRYPTO_HASH_LEN])
{
	crypto_hash_reset(hash);
	crypto_hash_add(hash, "", 1);
	crypto_hash_add(hash, data, len);
	crypto_hash_end(hash, ret);
}

static void node_of(const uint8_t *left, const uint8_t *right, uint8_t ret[CRYPTO_HASH_LEN])
{
	crypto_hash_reset(hash);
	crypto_hash_add(hash, "\x01", 1);
	crypto_hash_add(hash, left, CRYPTO_HASH_LEN);
	crypto_hash_add(hash, right, CRYPTO_HASH_LEN);
	crypto_hash_end(hash, ret);
}

/* MTH of the definition. */
static void naive(size_t from, size_t to, uint8_t ret[CRYPTO_HASH_LEN])
{
	uint8_t left[CRYPTO_HASH_LEN], right[CRYPTO_HASH_LEN];
	size_t k = 1;

	if (to - from == 1) {
		memcpy(ret, leaves[from], CRYPTO_HASH_LEN);
		return;
	}
	while (2 * k < to - from)
		k *= 2;
	naive(from, from + k, left);
	naive(from + k, to, right);
	node_of(left, right, ret);
}

static void check_hex(const uint8_t got[CRYPTO_HASH_LEN], const char *want)
{
	char hex[2 * CRYPTO_HASH_LEN + 1];

	hex_print(got, CRYPTO_HASH_LEN, hex);
	check_text(hex, want);
}

static void roots_are_those_of_certificate_transparency(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *root;
	} rows[] = {
		{ "", 0, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
		{ "\x00", 1, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
		{ "\x10", 1, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
		{ "\x20\x21", 2, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
		{ "\x30\x31", 2, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
		{ "\x40\x41\x42\x43", 4, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
		{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
		{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16,
		  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
	};
	struct tree tree;
	uint8_t root[CRYPTO_HASH_LEN], leaf[CRYPTO_HASH_LEN];

	(void)state;
	tree_clear(&tree);
	tree_root(&tree, hash, root);
	check_hex(root, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		leaf_of(rows[i].data, rows[i].len, leaf);
		tree_add(&tree, hash, leaf);
		tree_root(&tree, hash, root);
		check_hex(root, rows[i].root);
	}
}

static void every_size_agrees_with_the_definition_and_goes_on_from_its_peaks(void **state)
{
	struct tree tree, again;
	uint8_t root[CRYPTO_HASH_LEN], want[CRYPTO_HASH_LEN];

	(void)state;
	tree_clear(&tree);
	for (size_t n = 1; n <= LEAVES; n++) {
		tree_set(&again, tree.size, (const uint8_t (*)[CRYPTO_HASH_LEN])tree.peaks);
		tree = again;
		tree_add(&tree, hash, leaves[n - 1]);
		tree_root(&tree, hash, root);
		naive(0, n, want);
		check_bytes(root, sizeof(root), want, sizeof(want));
		check_uint(tree.size, n);
	}
	check_uint(tree_n_peaks(UINT64_MAX), TREE_PEAKS_MAX);
}

/* --- proofs ---------------------------------------------------------------------------------------------------------- */

static bool leaf_is_in(uint64_t index, uint64_t size, const struct tree_proof *proof)
{
	uint64_t fn = index, sn = size - 1;
	uint8_t r[CRYPTO_HASH_LEN], root[CRYPTO_HASH_LEN];

	memcpy(r, leaves[index], sizeof(r));
	for (size_t i = 0; i < proof->n; i++) {
		if (sn == 0)
			return false;
		if (fn & 1 || fn == sn) {
			node_of(proof->path[i], r, r);
			while (!(fn & 1) && fn)
				fn >>= 1, sn >>= 1;
		} else {
			node_of(r, proof->path[i], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	naive(0, (size_t)size, root);
	return sn == 0 && memcmp(r, root, sizeof(r)) == 0;
}

static bool tree_grew(uint64_t old, uint64_t size, const struct tree_proof *proof)
{
	uint64_t fn = old - 1, sn = size - 1;
	uint8_t fr[CRYPTO_HASH_LEN], sr[CRYPTO_HASH_LEN], first[CRYPTO_HASH_LEN], second[CRYPTO_HASH_LEN];
	size_t i = 0;

	naive(0, (size_t)old, first);
	naive(0, (size_t)size, second);
	if (old == size)
		return proof->n == 0;
	while (fn & 1)
		fn >>= 1, sn >>= 1;
	memcpy(fr, fn ? proof->path[i++] : first, sizeof(fr));
	memcpy(sr, fr, sizeof(sr));
	for (; i < proof->n; i++) {
		if (sn == 0)
			return false;
		if (fn & 1 || fn == sn) {
			node_of(proof->path[i], fr, fr);
			node_of(proof->path[i], sr, sr);
			while (!(fn & 1) && fn)
				fn >>= 1, sn >>= 1;
		} else {
			node_of(sr, proof->path[i], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(fr, first, sizeof(fr)) == 0 && memcmp(sr, second, sizeof(sr)) == 0;
}

static void feed(struct tree_proof *proof)
{
	while (proof->next < proof->size) {
		check_true(!tree_proof_is_whole(proof));
		tree_proof_add(proof, hash, leaves[proof->next]);
	}
	check_true(tree_proof_is_whole(proof));
}

static void every_leaf_of_every_tree_is_proven(void **state)
{
	struct tree_proof proof;

	(void)state;
	for (uint64_t size = 1; size <= LEAVES; size++) {
		for (uint64_t index = 0; index < size; index++) {
			tree_prove_leaf(&proof, index, size);
			feed(&proof);
			check_true(proof.n < TREE_PATH_MAX && leaf_is_in(index, size, &proof));
			if (!proof.n)
				continue;
			proof.path[index % proof.n][size % CRYPTO_HASH_LEN] ^= 1;
			check_true(!leaf_is_in(index, size, &proof));
		}
	}
	tree_prove_leaf(&proof, UINT64_MAX / 2, UINT64_MAX); /* the longest there can be */
	check_true(proof.n <= TREE_PATH_MAX);
}

static void every_tree_is_the_beginning_of_every_later_one(void **state)
{
	struct tree_proof proof;

	(void)state;
	for (uint64_t size = 1; size <= LEAVES; size++) {
		for (uint64_t old = 1; old <= size; old++) {
			tree_prove_growth(&proof, old, size);
			feed(&proof);
			check_true(tree_grew(old, size, &proof));
		}
	}
	tree_prove_growth(&proof, UINT64_MAX / 2, UINT64_MAX);
	check_true(proof.n <= TREE_PATH_MAX);
}

/* What was dropped is known by its peaks: what comes after it can still be proven, and nothing false is made of the rest. */
static void proofs_go_on_where_leaves_are_gone(void **state)
{
	struct tree_proof proof;
	struct tree gone;
	unsigned refused = 0;

	(void)state;
	tree_clear(&gone);
	for (uint64_t d = 1; d <= 40; d++) {
		tree_add(&gone, hash, leaves[d - 1]);
		for (uint64_t size = d; size <= LEAVES; size += 3) {
			for (uint64_t i = 1; i <= size; i++) {
				int r;

				tree_prove_growth(&proof, i, size);
				r = tree_proof_skip(&proof, hash, &gone);
				check_true(r == 0 || (r == -ENOENT && i < d));
				refused += r != 0;
				if (r == 0) {
					feed(&proof);
					check_true(tree_grew(i, size, &proof));
				}
				tree_prove_leaf(&proof, i - 1, size);
				r = tree_proof_skip(&proof, hash, &gone);
				check_true(r == 0 || (r == -ENOENT && i <= d));
				if (r == 0) {
					feed(&proof);
					check_true(leaf_is_in(i - 1, size, &proof));
				}
			}
		}
	}
	check_true(refused > 100);
}

static int setup(void **state)
{
	(void)state;
	check_ok(crypto_init());
	check_ok(crypto_hash_new(CRYPTO_SHA256, &hash));
	for (size_t i = 0; i < LEAVES; i++)
		leaf_of(&i, sizeof(i), leaves[i]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hash = crypto_hash_free(hash);
	return 0;
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(roots_are_those_of_certificate_transparency),
		cmocka_unit_test(every_size_agrees_with_the_definition_and_goes_on_from_its_peaks),
		cmocka_unit_test(every_leaf_of_every_tree_is_proven),
		cmocka_unit_test(every_tree_is_the_beginning_of_every_later_one),
		cmocka_unit_test(proofs_go_on_where_leaves_are_gone),
	};

	return cmocka_run_group_tests(rows, setup, teardown) != 0;
}
