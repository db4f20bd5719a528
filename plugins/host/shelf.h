#pragma once
/* shelf - the blobs that a plugin saves: the core keeps them, we hold a copy and what the core has not got yet.
 *
 *   above   host/host
 *   below   base/base  base/bytes  sys/crypto
 *   owns    copies of keys and blobs
 *   limits  SHELF_MAX SHELF_KEY_MAX SHELF_BLOB_MAX
 *   errors  SHELF_E_FULL SHELF_E_LONG
 */
#include "base/base.h"
#include "base/bytes.h"

enum { SHELF_MAX = 16, SHELF_KEY_MAX = 64, SHELF_BLOB_MAX = 32768 };
enum { SHELF_E_FULL = 1, SHELF_E_LONG = 2 };

struct shelf_item {
	char key[SHELF_KEY_MAX + 1];
	uint8_t *data;
	size_t len;
	bool ours;  /* saved by the plugin in this life: newer than what a core says */
	bool dirty; /* the core may not have it */
};
/* Zero-initialised is empty. */
struct shelf {
	struct shelf_item items[SHELF_MAX];
	size_t n;
};

must_check int shelf_save(struct shelf *shelf, struct view key, struct view data);
/* What the core sends at the start: does not replace what the plugin has saved since. */
must_check int shelf_fill(struct shelf *shelf, struct view key, struct view data);
const struct shelf_item *shelf_find(const struct shelf *shelf, struct view key);
struct shelf_item *shelf_dirty(struct shelf *shelf); /* one that must be sent, NULL: none */
void shelf_again(struct shelf *shelf); /* a new connection: all of ours may be missing there */
void shelf_deinit(struct shelf *shelf);
