/* A plugin has no files. What it must not forget (a network's key, a frame counter) it hands to us,
 * and we to the core; when the core is away just then, it gets it when it is back.
 */
#include "host/shelf.h"

#include <stdlib.h>
#include <string.h>
#include "sys/crypto.h"

static struct shelf_item *find(struct shelf *shelf, struct view key)
{
	for (size_t i = 0; i < shelf->n; i++) {
		struct shelf_item *item = &shelf->items[i];

		if (strlen(item->key) == key.len && memcmp(item->key, key.data, key.len) == 0)
			return item;
	}
	return NULL;
}

/* Blobs are keys more often than not: what is let go is wiped. */
static void drop(struct shelf_item *item)
{
	if (item->data)
		crypto_wipe(item->data, item->len);
	free(item->data);
	item->data = NULL;
}

static int put(struct shelf *shelf, struct view key, struct view data, struct shelf_item **ret)
{
	struct shelf_item *item;
	uint8_t *copy;

	if (key.len == 0 || key.len > SHELF_KEY_MAX || data.len > SHELF_BLOB_MAX)
		return SHELF_E_LONG;
	item = find(shelf, key);
	if (!item && shelf->n == SHELF_MAX)
		return SHELF_E_FULL;
	copy = malloc(data.len + 1);
	if (!copy)
		return -ENOMEM;
	if (data.len)
		memcpy(copy, data.data, data.len);
	if (!item) {
		item = &shelf->items[shelf->n++];
		*item = (struct shelf_item){ .key = "" };
		memcpy(item->key, key.data, key.len);
	}
	drop(item);
	item->data = copy;
	item->len = data.len;
	*ret = item;
	return 0;
}

int shelf_save(struct shelf *shelf, struct view key, struct view data)
{
	struct shelf_item *item;
	int r = put(shelf, key, data, &item);

	if (r)
		return r;
	item->ours = item->dirty = true;
	return 0;
}

int shelf_fill(struct shelf *shelf, struct view key, struct view data)
{
	struct shelf_item *item = find(shelf, key);

	if (item && item->ours)
		return 0;
	return put(shelf, key, data, &item);
}

const struct shelf_item *shelf_find(const struct shelf *shelf, struct view key)
{
	for (size_t i = 0; i < shelf->n; i++) {
		const struct shelf_item *item = &shelf->items[i];

		if (strlen(item->key) == key.len && memcmp(item->key, key.data, key.len) == 0)
			return item;
	}
	return NULL;
}

struct shelf_item *shelf_dirty(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->n; i++) {
		if (shelf->items[i].dirty)
			return &shelf->items[i];
	}
	return NULL;
}

void shelf_again(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->n; i++)
		shelf->items[i].dirty = shelf->items[i].ours;
}

void shelf_deinit(struct shelf *shelf)
{
	for (size_t i = 0; i < shelf->n; i++)
		drop(&shelf->items[i]);
	shelf->n = 0;
}
