/* A key that is used for one record and then hashed away cannot be found again, not by us either: who takes the machine over
 * has the keys of what is to come. Every buffer that a key passes through is in the guarded memory or wiped by the hash.
 */
#include "audit/evolve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 /* of SHA-256 and of SM3 */ };

struct keys {
	uint8_t now[CRYPTO_HASH_LEN], settled[CRYPTO_HASH_LEN];
	uint8_t pad[BLOCK];
};

struct evolve {
	uint64_t next, settled;
	struct keys *keys;
};

int evolve_new(struct evolve **ret)
{
	struct evolve *evolve = calloc(1, sizeof(*evolve));
	void *keys;

	if (!evolve)
		return -ENOMEM;
	if (crypto_guarded_new(sizeof(struct keys), &keys)) {
		free(evolve);
		return -ENOMEM;
	}
	evolve->keys = keys;
	*ret = evolve;
	return 0;
}

struct evolve *evolve_free(struct evolve *evolve)
{
	if (!evolve)
		return NULL;
	crypto_guarded_free(evolve->keys);
	free(evolve);
	return NULL;
}

void evolve_begin(struct evolve *evolve, uint64_t next, const uint8_t key[CRYPTO_HASH_LEN])
{
	memmove(evolve->keys->now, key, CRYPTO_HASH_LEN);
	evolve->next = next;
	evolve_settle(evolve);
}

uint64_t evolve_next(const struct evolve *evolve)
{
	return evolve->next;
}

const uint8_t *evolve_key(const struct evolve *evolve)
{
	return evolve->keys->now;
}

/* RFC 2104, with the key's 32 bytes filled up with zeros to a block. */
static void pad(struct evolve *evolve, struct crypto_hash *hash, uint8_t with)
{
	struct keys *keys = evolve->keys;

	memset(keys->pad, with, sizeof(keys->pad));
	for (size_t i = 0; i < CRYPTO_HASH_LEN; i++)
		keys->pad[i] ^= keys->now[i];
	crypto_hash_add(hash, keys->pad, sizeof(keys->pad));
}

void evolve_mac(struct evolve *evolve, struct crypto_hash *hash, const uint8_t head[CRYPTO_HASH_LEN], uint8_t ret[CRYPTO_HASH_LEN])
{
	static const uint8_t prefix = 0x04;
	uint8_t inner[CRYPTO_HASH_LEN];

	pad(evolve, hash, 0x36);
	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, head, CRYPTO_HASH_LEN);
	crypto_hash_end(hash, inner);
	pad(evolve, hash, 0x5c);
	crypto_hash_add(hash, inner, sizeof(inner));
	crypto_hash_end(hash, ret);
	crypto_wipe(evolve->keys->pad, sizeof(evolve->keys->pad));
}

void evolve_step(struct evolve *evolve, struct crypto_hash *hash)
{
	static const uint8_t prefix = 0x03;

	crypto_hash_add(hash, &prefix, 1);
	crypto_hash_add(hash, evolve->keys->now, CRYPTO_HASH_LEN);
	crypto_hash_add(hash, "evolve", 6);
	crypto_hash_end(hash, evolve->keys->now);
	evolve->next++;
}

void evolve_seed(struct evolve *evolve, const uint8_t seed[CRYPTO_HASH_LEN])
{
	memcpy(evolve->keys->now, seed, CRYPTO_HASH_LEN);
	evolve->next++;
}

void evolve_settle(struct evolve *evolve)
{
	memcpy(evolve->keys->settled, evolve->keys->now, CRYPTO_HASH_LEN);
	evolve->settled = evolve->next;
}

void evolve_back(struct evolve *evolve, struct crypto_hash *hash, uint64_t next)
{
	assert(next >= evolve->settled);
	memcpy(evolve->keys->now, evolve->keys->settled, CRYPTO_HASH_LEN);
	evolve->next = evolve->settled;
	while (evolve->next < next)
		evolve_step(evolve, hash);
}
