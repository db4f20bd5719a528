/* Both suites stand ready, because a segment says by which it is chained. Both hashes take blocks of 64 bytes, which is what
 * HMAC has to know of them; keys have 32 here and are never hashed first.
 */
#include <string.h>

#include "verify/hashes.h"

enum { BLOCK_LEN = 64 };

int hashes_init(struct hashes *hashes)
{
	int r;

	*hashes = (struct hashes){ 0 };
	r = crypto_hash_new(CRYPTO_SHA256, &hashes->of[0]);
	if (r == 0)
		r = crypto_hash_new(CRYPTO_SM3, &hashes->of[1]);
	if (r)
		hashes_deinit(hashes);
	return r;
}

void hashes_deinit(struct hashes *hashes)
{
	for (size_t i = 0; i < HASHES_SUITES; i++)
		hashes->of[i] = crypto_hash_free(hashes->of[i]);
}

void hashes_of(const struct hashes *hashes, uint8_t suite, uint8_t tag, struct view first, struct view second,
	       uint8_t ret[CRYPTO_HASH_LEN])
{
	struct crypto_hash *hash = hashes->of[suite];
	uint8_t made[CRYPTO_HASH_LEN]; /* ret may be one of the pieces */

	crypto_hash_add(hash, &tag, 1);
	crypto_hash_add(hash, first.data, first.len);
	crypto_hash_add(hash, second.data, second.len);
	crypto_hash_end(hash, made);
	memcpy(ret, made, sizeof(made));
}

void hashes_mac(const struct hashes *hashes, uint8_t suite, const uint8_t key[CRYPTO_HASH_LEN], uint8_t tag, struct view data,
		uint8_t ret[CRYPTO_HASH_LEN])
{
	struct crypto_hash *hash = hashes->of[suite];
	uint8_t pad[BLOCK_LEN] = { 0 }, inner[CRYPTO_HASH_LEN];

	memcpy(pad, key, CRYPTO_HASH_LEN);
	for (size_t i = 0; i < BLOCK_LEN; i++)
		pad[i] ^= 0x36;
	crypto_hash_add(hash, pad, sizeof(pad));
	crypto_hash_add(hash, &tag, 1);
	crypto_hash_add(hash, data.data, data.len);
	crypto_hash_end(hash, inner);
	for (size_t i = 0; i < BLOCK_LEN; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	crypto_hash_add(hash, pad, sizeof(pad));
	crypto_hash_add(hash, inner, sizeof(inner));
	crypto_hash_end(hash, ret);
	crypto_wipe(pad, sizeof(pad));
}
