/* What adapters save for themselves: their own keys only, up to the limits, and back after a restart. */
#include "gateway_home.h"

#include <string.h>
#include "adapter/blobs.h"
#include "base/base.h"

struct world {
	struct gateway g;
	struct blobs *blobs;
};

static void world_start(struct world *w)
{
	check_ok(blobs_new(w->g.store, w->g.db, &w->blobs));
	check_ok(blobs_load(w->blobs));
	gateway_start(&w->g);
}

static void world_open(struct world *w)
{
	gateway_open(&w->g, blobs_schema_1);
	world_start(w);
}

static void world_restart(struct world *w)
{
	gateway_settle(&w->g);
	w->blobs = blobs_free(w->blobs);
	gateway_stop(&w->g);
	gateway_open_again(&w->g);
	world_start(w);
}

static void world_close(struct world *w)
{
	gateway_settle(&w->g);
	blobs_free(w->blobs);
	gateway_stop(&w->g);
	gateway_close(&w->g);
}

static int save(struct world *w, const char *adapter, const char *key, const void *data, size_t len)
{
	return blobs_save(w->blobs, adapter, (struct view){ (const uint8_t *)key, strlen(key) }, (struct view){ data, len });
}

static size_t count(const struct world *w, const char *adapter)
{
	struct blob blob;
	size_t cursor = 0, n = 0;
	while (blobs_next(w->blobs, adapter, &cursor, &blob))
		n++;
	return n;
}

static void what_was_saved_comes_back_to_its_adapter(void **state)
{
	struct world w;
	struct blob blob;
	size_t cursor = 0;
	(void)state;
	world_open(&w);
	check_ok(save(&w, "zigbee", "key", "old", 3));
	check_ok(save(&w, "zigbee", "key", "newer", 5));
	check_ok(save(&w, "zigbee", "empty", "", 0));
	check_ok(save(&w, "ble", "key", "other", 5));
	for (int i = 0; i < 2; i++, world_restart(&w)) {
		check_uint(count(&w, "zigbee"), 2);
		check_uint(count(&w, "ble"), 1);
		check_uint(count(&w, "zig"), 0);
	}
	check_true(blobs_next(w.blobs, "ble", &cursor, &blob));
	check_text(blob.key, "key");
	check_bytes(blob.data.data, blob.data.len, "other", 5);
	cursor = 0;
	while (blobs_next(w.blobs, "zigbee", &cursor, &blob))
		check_uint(blob.data.len, strcmp(blob.key, "key") == 0 ? 5 : 0);
	world_close(&w);
}

static void an_adapter_saves_so_much_and_no_more(void **state)
{
	static uint8_t big[BLOB_LEN_MAX + 1];
	char key[BLOB_KEY_MAX + 2];
	struct world w;
	(void)state;
	world_open(&w);
	memset(big, 0x5a, sizeof(big));
	memset(key, 'k', sizeof(key) - 1);
	key[BLOB_KEY_MAX + 1] = 0;
	check_int(save(&w, "zigbee", key, "x", 1), BLOBS_E_FULL);
	key[BLOB_KEY_MAX] = 0;
	check_ok(save(&w, "zigbee", key, big, BLOB_LEN_MAX));
	check_int(save(&w, "zigbee", key, big, BLOB_LEN_MAX + 1), BLOBS_E_FULL);
	check_int(save(&w, "zigbee", "", "x", 1), BLOBS_E_FULL);
	for (int i = 1; i < BLOBS_PER_ADAPTER_MAX; i++) {
		snprintf(key, sizeof(key), "%d", i);
		check_ok(save(&w, "zigbee", key, "x", 1));
	}
	check_int(save(&w, "zigbee", "more", "x", 1), BLOBS_E_FULL);
	check_ok(save(&w, "zigbee", "1", "y", 1)); /* what is there may change */
	check_ok(save(&w, "ble", "more", "x", 1)); /* and the neighbour has its own room */
	world_restart(&w);
	check_uint(count(&w, "zigbee"), BLOBS_PER_ADAPTER_MAX);
	check_int(save(&w, "zigbee", "more", "x", 1), BLOBS_E_FULL);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(what_was_saved_comes_back_to_its_adapter),
		cmocka_unit_test(an_adapter_saves_so_much_and_no_more),
	};
	return CHECK_RUN(rows);
}
