/* An array in the order in which devices were described: that order is said again, and people
 * recognise it. */
#include "host/known.h"

#include <stdlib.h>
#include <string.h>

struct known_device *known_find(struct known *known, const struct address *addr)
{
	for (size_t i = 0; i < known->n; i++) {
		if (address_equal(&known->devices[i].desc->addr, addr))
			return &known->devices[i];
	}
	return NULL;
}

static int make_room(struct known *known)
{
	size_t cap = known->cap ? 2 * known->cap : 16;
	struct known_device *devices;

	if (known->n < known->cap)
		return 0;
	if (known->n >= KNOWN_MAX)
		return KNOWN_E_FULL;
	devices = realloc(known->devices, cap * sizeof(*devices));
	if (!devices)
		return -ENOMEM;
	known->devices = devices;
	known->cap = cap;
	return 0;
}

int known_put(struct known *known, const struct device_desc *desc)
{
	struct known_device *old = known_find(known, &desc->addr);
	struct device_desc *copy;
	int r = old ? 0 : make_room(known);

	if (!r)
		r = device_desc_copy(desc, &copy);
	if (r)
		return r;
	if (old) {
		device_desc_free(old->desc);
		*old = (struct known_device){ .desc = copy };
	} else {
		known->devices[known->n++] = (struct known_device){ .desc = copy };
	}
	return 0;
}

void known_remove(struct known *known, const struct address *addr)
{
	struct known_device *device = known_find(known, addr);
	size_t i;

	if (!device)
		return;
	i = (size_t)(device - known->devices);
	device_desc_free(device->desc);
	memmove(device, device + 1, (known->n - i - 1) * sizeof(*device));
	known->n--;
}

void known_deinit(struct known *known)
{
	for (size_t i = 0; i < known->n; i++)
		device_desc_free(known->devices[i].desc);
	free(known->devices);
	*known = (struct known){ 0 };
}
