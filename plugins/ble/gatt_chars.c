/* What a device has: BlueZ says it in no order, once, and takes it back when the device has changed.
 */
#include <string.h>
#include "ble/gatt.h"

void gatt_chars_add(struct gatt_peer *peer, const struct props_path *path, const struct props *props)
{
	const struct characteristic *row = characteristic_find(props->uuid);

	if (!row || peer->n_chars == GATT_CHARS_MAX)
		return;
	for (size_t i = 0; i < peer->n_chars; i++) {
		if (peer->chars[i].handle == path->characteristic)
			return;
	}
	peer->chars[peer->n_chars++] = (struct gatt_char){ .service = path->service, .handle = path->characteristic, .row = row,
							   .flags = props->flags };
}

bool gatt_chars_drop(struct gatt_peer *peer, const struct props_path *path)
{
	size_t i = 0;

	while (i < peer->n_chars && peer->chars[i].handle != path->characteristic)
		i++;
	if (!path->characteristic || i == peer->n_chars)
		return false;
	peer->n_chars--;
	memmove(&peer->chars[i], &peer->chars[i + 1], (peer->n_chars - i) * sizeof(peer->chars[0]));
	return true;
}

static int by_handle(const struct gatt_char *a, const struct gatt_char *b)
{
	return (a->handle > b->handle) - (a->handle < b->handle);
}

/* The second thermometer of a device is its second endpoint. BlueZ says objects in no order. */
void gatt_chars_number(struct gatt_peer *peer)
{
	for (size_t i = 1; i < peer->n_chars; i++) {
		struct gatt_char c = peer->chars[i];
		size_t k = i;

		for (; k > 0 && by_handle(&peer->chars[k - 1], &c) > 0; k--)
			peer->chars[k] = peer->chars[k - 1];
		peer->chars[k] = c;
	}
	for (size_t i = 0; i < peer->n_chars; i++) {
		struct gatt_char *c = &peer->chars[i];

		c->endpoint = 1;
		for (size_t k = 0; k < i; k++)
			c->endpoint = (uint8_t)(c->endpoint + (peer->chars[k].row == c->row));
	}
}
