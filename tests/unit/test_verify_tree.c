#include "base/text.h"
#include "check.h"
#include "verify/tree.h"

static struct hashes hashes;

static int setup(void **state)
{
	(void)state;
	return crypto_init() ? -1 : hashes_init(&hashes);
}

static int teardown(void **state)
{
	(void)state;
	hashes_deinit(&hashes);
	return 0;
}

/* The leaves and roots that Certificate Transparency's implementations test with: sizes 1 to 8. */
static const char *const inputs[] = { "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
				      "606162636465666768696a6b6c6d6e6f" };
static const char *const roots[] = {
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void roots_of_the_rfc(void **state)
{
	struct tree tree = { .suite = 0 };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(inputs); i++) {
		uint8_t data[16], leaf[CRYPTO_HASH_LEN], root[CRYPTO_HASH_LEN], want[CRYPTO_HASH_LEN];
		size_t len = strlen(inputs[i]) / 2;

		check_ok(hex_parse(inputs[i], 2 * len, data, len));
		hashes_of(&hashes, 0, 0x00, (struct view){ data, len }, (struct view){ 0 }, leaf);
		tree_add(&tree, &hashes, leaf);
		tree_root(&tree, &hashes, root);
		check_ok(hex_parse(roots[i], 64, want, sizeof(want)));
		check_bytes(root, sizeof(root), want, sizeof(want));
		check_uint(tree.size, i + 1);
		check_uint(tree.n, tree_peaks_of(i + 1));
	}
	check_uint(tree_peaks_of(UINT64_MAX), TREE_PEAKS_MAX);
}

/* RFC 6962 word for word, to hold the walks against. */
enum { LEAVES = 33 };
static uint8_t leaves[LEAVES][CRYPTO_HASH_LEN];

struct path {
	size_t n;
	uint8_t hashes[64][CRYPTO_HASH_LEN];
};

static void mth(size_t from, size_t n, uint8_t *ret)
{
	uint8_t left[CRYPTO_HASH_LEN], right[CRYPTO_HASH_LEN];
	size_t half = 1;

	if (n == 1) {
		memcpy(ret, leaves[from], CRYPTO_HASH_LEN);
		return;
	}
	while (half * 2 < n)
		half *= 2;
	mth(from, half, left);
	mth(from + half, n - half, right);
	hashes_of(&hashes, 1, 0x01, (struct view){ left, sizeof(left) }, (struct view){ right, sizeof(right) }, ret);
}

static void inclusion(size_t m, size_t from, size_t n, struct path *ret)
{
	size_t half = 1;

	if (n == 1)
		return;
	while (half * 2 < n)
		half *= 2;
	if (m < half) {
		inclusion(m, from, half, ret);
		mth(from + half, n - half, ret->hashes[ret->n++]);
	} else {
		inclusion(m - half, from + half, n - half, ret);
		mth(from, half, ret->hashes[ret->n++]);
	}
}

static void consistency(size_t m, size_t from, size_t n, bool whole, struct path *ret)
{
	size_t half = 1;

	if (m == n) {
		if (!whole)
			mth(from, n, ret->hashes[ret->n++]);
		return;
	}
	while (half * 2 < n)
		half *= 2;
	if (m <= half) {
		consistency(m, from, half, whole, ret);
		mth(from + half, n - half, ret->hashes[ret->n++]);
	} else {
		consistency(m - half, from + half, n - half, false, ret);
		mth(from, half, ret->hashes[ret->n++]);
	}
}

static void fill_leaves(void)
{
	for (size_t i = 0; i < LEAVES; i++)
		memset(leaves[i], (int)i + 1, CRYPTO_HASH_LEN);
}

static void every_leaf_is_in_every_tree(void **state)
{
	uint8_t root[CRYPTO_HASH_LEN];

	(void)state;
	fill_leaves();
	for (size_t size = 1; size <= LEAVES; size++) {
		mth(0, size, root);
		for (size_t m = 0; m < size; m++) {
			struct path p = { 0 };

			inclusion(m, 0, size, &p);
			check_true(tree_holds(&hashes, 1, leaves[m], m, size, p.hashes, p.n, root));
			/* Another leaf, place, size, root; a hash more, less or changed. */
			check_true(!tree_holds(&hashes, 1, leaves[(m + 1) % LEAVES], m, size, p.hashes, p.n, root));
			check_true(!tree_holds(&hashes, 1, leaves[m], size, size, p.hashes, p.n, root));
			check_true(!tree_holds(&hashes, 1, leaves[m], m, size, p.hashes, p.n, leaves[0]) || size == 1);
			check_true(!tree_holds(&hashes, 0, leaves[m], m, size, p.hashes, p.n, root) || size == 1);
			check_true(!tree_holds(&hashes, 1, leaves[m], m, size, p.hashes, p.n + 1, root));
			for (size_t other = 0; other < size; other++)
				check_true(other == m || !tree_holds(&hashes, 1, leaves[m], other, size, p.hashes, p.n, root));
			for (size_t i = 0; i < p.n; i++) {
				check_true(!tree_holds(&hashes, 1, leaves[m], m, size, p.hashes, i, root));
				p.hashes[i][5] ^= 1;
				check_true(!tree_holds(&hashes, 1, leaves[m], m, size, p.hashes, p.n, root));
				p.hashes[i][5] ^= 1;
			}
		}
	}
}

static void every_tree_continues_every_beginning(void **state)
{
	uint8_t first[CRYPTO_HASH_LEN], second[CRYPTO_HASH_LEN];

	(void)state;
	fill_leaves();
	for (size_t size = 1; size <= LEAVES; size++) {
		mth(0, size, second);
		for (size_t m = 1; m <= size; m++) {
			struct path p = { 0 };

			mth(0, m, first);
			consistency(m, 0, size, true, &p);
			check_true(tree_continues(&hashes, 1, m, first, size, second, p.hashes, p.n));
			check_true(!tree_continues(&hashes, 1, m, first, size, second, p.hashes, p.n + 1));
			check_true(!tree_continues(&hashes, 1, 0, first, size, second, p.hashes, p.n));
			check_true(!tree_continues(&hashes, 1, size + 1, first, size, second, p.hashes, p.n));
			check_true(!tree_continues(&hashes, 1, m, leaves[LEAVES - 1], size, second, p.hashes, p.n));
			check_true(!tree_continues(&hashes, 1, m, first, size, leaves[LEAVES - 1], p.hashes, p.n));
			for (size_t i = 0; i < p.n; i++) {
				check_true(!tree_continues(&hashes, 1, m, first, size, second, p.hashes, i));
				p.hashes[i][5] ^= 1;
				check_true(!tree_continues(&hashes, 1, m, first, size, second, p.hashes, p.n));
				p.hashes[i][5] ^= 1;
			}
		}
	}
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test_setup_teardown(roots_of_the_rfc, setup, teardown),
		cmocka_unit_test_setup_teardown(every_leaf_is_in_every_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(every_tree_continues_every_beginning, setup, teardown),
	};

	return CHECK_RUN(rows);
}
