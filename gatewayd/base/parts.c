/* It grows by doubling, and by hand: realloc would leave an old copy lying about, unwiped. */
#include "base/parts.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_FIRST = 256 };

static int grow(struct parts *parts, size_t want)
{
	size_t cap = parts->cap ? parts->cap : PARTS_FIRST;
	uint8_t *data;

	while (cap < want)
		cap *= 2;
	if (cap > parts->max)
		cap = parts->max;
	data = malloc(cap);
	if (!data)
		return -ENOMEM;
	if (parts->len) {
		memcpy(data, parts->data, parts->len);
		explicit_bzero(parts->data, parts->len);
	}
	free(parts->data);
	parts->data = data;
	parts->cap = cap;
	return 0;
}

int parts_add(struct parts *parts, const void *data, size_t len)
{
	int r;

	if (len > parts->max - parts->len)
		return PARTS_E_FULL;
	if (!len)
		return 0;
	r = parts->len + len > parts->cap ? grow(parts, parts->len + len) : 0;
	if (r)
		return r;
	memcpy(parts->data + parts->len, data, len);
	parts->len += len;
	return 0;
}

void parts_wipe(struct parts *parts)
{
	if (parts->data)
		explicit_bzero(parts->data, parts->len);
	free(parts->data);
	parts->data = NULL;
	parts->len = parts->cap = 0;
}
