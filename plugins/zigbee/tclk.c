/*
 * A key is the seed, turned left by some bytes, mixed with the device's address written twice. So a key and an address
 * give the seed back, but for the turn, and keys of one seed can be told from others. A backup needs no seed: it is in
 * the keys.
 */
#include "zigbee/tclk.h"

#include <string.h>

#include "sys/crypto.h"

static void mix(uint8_t bytes[TCLK_LEN], uint64_t eui)
{
	for (unsigned int i = 0; i < TCLK_LEN; i++)
		bytes[i] ^= (uint8_t)(eui >> 8 * (i % 8));
}

void tclk_key(const uint8_t seed[TCLK_LEN], uint64_t eui, unsigned int shift, uint8_t ret[TCLK_LEN])
{
	for (unsigned int i = 0; i < TCLK_LEN; i++)
		ret[i] = seed[(i + shift) % TCLK_LEN];
	mix(ret, eui);
}

int tclk_shift(const uint8_t seed[TCLK_LEN], uint64_t eui, const uint8_t key[TCLK_LEN])
{
	uint8_t made[TCLK_LEN];
	int found = -1;

	for (unsigned int shift = 0; shift < TCLK_LEN && found < 0; shift++) {
		tclk_key(seed, eui, shift, made);
		if (crypto_equal(made, key, TCLK_LEN))
			found = (int)shift;
	}
	crypto_wipe(made, sizeof(made));
	return found;
}

static size_t members(const uint8_t seed[TCLK_LEN], const struct radio_key *keys, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += keys[i].has_key && tclk_shift(seed, keys[i].eui, keys[i].key) >= 0;
	return found;
}

bool tclk_seed_find(const struct radio_key *keys, size_t n, uint8_t ret[TCLK_LEN])
{
	uint8_t seed[TCLK_LEN];
	size_t most = 1;

	/* Who is of the best seed so far needs no try of its own; so this is n steps for a network of one seed. */
	for (size_t i = 0; i < n; i++) {
		size_t found;

		if (!keys[i].has_key || (most > 1 && tclk_shift(ret, keys[i].eui, keys[i].key) >= 0))
			continue;
		memcpy(seed, keys[i].key, TCLK_LEN);
		mix(seed, keys[i].eui);
		found = members(seed, keys, n);
		if (found > most) {
			most = found;
			memcpy(ret, seed, TCLK_LEN);
		}
	}
	crypto_wipe(seed, sizeof(seed));
	return most > 1;
}
