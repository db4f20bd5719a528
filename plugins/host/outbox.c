/* What a plugin reports is safe only when the core says so. Until then it lies here in the form in
 * which it travels, so that after a broken connection the same bytes with the same numbers go out
 * again.
 */
#include "host/outbox.h"

#include <stdlib.h>
#include <string.h>

static struct outbox_item *item_at(struct outbox *box, uint64_t number)
{
	return &box->items[number % OUTBOX_MAX];
}

uint64_t outbox_next(const struct outbox *box)
{
	uint64_t held = box->last - box->stored;

	if (held >= OUTBOX_MAX || held >= box->credit || box->bytes >= OUTBOX_BYTES_MAX)
		return 0;
	return box->last + 1;
}

int outbox_add(struct outbox *box, const void *bytes, size_t len)
{
	struct outbox_item *item = item_at(box, box->last + 1);

	if (outbox_next(box) == 0)
		return OUTBOX_E_FULL;
	item->bytes = malloc(len);
	if (!item->bytes)
		return -ENOMEM;
	memcpy(item->bytes, bytes, len);
	item->len = len;
	box->bytes += len;
	box->last++;
	return 0;
}

const struct outbox_item *outbox_peek(const struct outbox *box)
{
	if (box->sent == box->last || box->sent - box->stored >= box->credit)
		return NULL;
	return &box->items[(box->sent + 1) % OUTBOX_MAX];
}

void outbox_sent(struct outbox *box)
{
	box->sent++;
}

bool outbox_stored(struct outbox *box, uint64_t up_to, uint32_t credit)
{
	if (up_to < box->stored || up_to > box->sent)
		return false;
	while (box->stored < up_to) {
		struct outbox_item *item = item_at(box, ++box->stored);

		box->bytes -= item->len;
		free(item->bytes);
		item->bytes = NULL;
	}
	box->credit = credit;
	return true;
}

void outbox_again(struct outbox *box, uint32_t credit)
{
	for (uint64_t n = box->stored + 1; n <= box->sent; n++)
		item_at(box, n)->bytes[OUTBOX_AGAIN_AT] = 1;
	box->sent = box->stored;
	box->credit = credit;
}

void outbox_deinit(struct outbox *box)
{
	while (box->stored < box->last)
		free(item_at(box, ++box->stored)->bytes);
}
