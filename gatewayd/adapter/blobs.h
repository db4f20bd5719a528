#pragma once
/* blobs - what adapters save for themselves (network keys, counters): kept by instance and key, sent back at each start.
 *
 *   above   adapter/hub  app
 *   below   base/base  base/bytes  base/text  sys/store
 *   owns    table adapter_state of gateway.db and its copy in memory
 *   limits  BLOBS_PER_ADAPTER_MAX BLOB_LEN_MAX BLOB_KEY_MAX
 *   errors  BLOBS_E_FULL
 */
#include "base/base.h"
#include "base/bytes.h"
#include "sys/store.h"

enum { BLOBS_PER_ADAPTER_MAX = 16, BLOB_LEN_MAX = 32768, BLOB_KEY_MAX = 64 };
enum { BLOBS_E_FULL = 1 };

struct blobs;
struct blob {
	const char *adapter, *key;
	struct view data;
};
extern const char blobs_schema_1[];
must_check int blobs_new(struct store *store, unsigned db, struct blobs **ret);
must_check int blobs_load(struct blobs *blobs); /* before the store starts */
struct blobs *blobs_free(struct blobs *blobs);
/* In memory at once, in the database with the next group. BLOBS_E_FULL: too many keys or too long. */
must_check int blobs_save(struct blobs *blobs, const char *adapter, struct view key, struct view data);
/* Walks those of adapter: start with *cursor 0; false at the end. */
bool blobs_next(const struct blobs *blobs, const char *adapter, size_t *cursor, struct blob *ret);
