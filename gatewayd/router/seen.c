/* A sender that heard no answer asks again with the same id. The last few thousand ids are remembered as keyed hashes in
 * a ring, so what is remembered is bounded and a stranger cannot choose ids that collide. Across a restart the
 * counters (router/replay) take over. */
#include <stdlib.h>
#include <string.h>
#include "router/seen.h"
#include "sys/crypto.h"

struct seen {
	uint8_t key[32];
	uint64_t ring[SEEN_MAX];
	size_t next;
};

int seen_new(struct seen **ret)
{
	struct seen *seen = calloc(1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	crypto_random(seen->key, sizeof(seen->key));
	*ret = seen;
	return 0;
}

struct seen *seen_free(struct seen *seen)
{
	free(seen);
	return NULL;
}

bool seen_before(struct seen *seen, const void *scope, size_t scope_len, const char *id)
{
	uint8_t text[256], hash[CRYPTO_HASH_LEN];
	uint64_t mark;
	size_t len = strlen(id);

	if (scope_len > sizeof(text) / 2)
		scope_len = sizeof(text) / 2;
	if (len > sizeof(text) - scope_len)
		len = sizeof(text) - scope_len;
	memcpy(text, scope, scope_len);
	memcpy(text + scope_len, id, len);
	crypto_hmac_sha256(seen->key, sizeof(seen->key), text, scope_len + len, hash);
	memcpy(&mark, hash, sizeof(mark));
	for (size_t i = 0; i < SEEN_MAX; i++)
		if (seen->ring[i] == mark)
			return true;
	seen->ring[seen->next] = mark;
	seen->next = (seen->next + 1) % SEEN_MAX;
	return false;
}
