/* What leaves the home is a list that somebody wrote: device, room or all; up to a data class; all capabilities of it or
 * some. Nothing in the list is nothing leaves (clause 6.3.2-b). */
#include <string.h>
#include "link/shares.h"

static bool names_device(const struct conf_share *share, const struct registry *registry, const struct device *device)
{
	char id[DEVICE_ID_TEXT_MAX];
	if (strcmp(share->device, "*") == 0 || strcmp(share->device, device->name) == 0)
		return true;
	if (strncmp(share->device, "room:", 5) == 0) {
		const struct room *room = registry_room(registry, device->room);
		return room && strcmp(share->device + 5, room->name) == 0;
	}
	device_id_print(device->id, id);
	return strcasecmp(share->device, id) == 0;
}

static bool names_cap(const struct conf_share *share, uint16_t cap, enum data_class data_class)
{
	if (data_class > share->class_max)
		return false;
	for (size_t i = 0; i < share->n_caps; i++)
		if (share->caps[i] == cap)
			return true;
	return share->n_caps == 0;
}

static bool shares_any(const struct conf_share *share, const struct device *device)
{
	for (uint8_t e = 0; device->desc && e < device->desc->n_endpoints; e++)
		for (uint8_t c = 0; c < device->desc->endpoints[e].n_caps; c++) {
			uint16_t cap = device->desc->endpoints[e].caps[c].id;
			if (names_cap(share, cap, capability_class(cap)))
				return true;
		}
	return false;
}

bool shares_allow(const struct conf_link *link, const struct registry *registry, const struct device *device, uint16_t cap,
		  enum data_class data_class)
{
	for (size_t i = 0; i < link->n_shares; i++) {
		const struct conf_share *share = &link->shares[i];
		if (names_device(share, registry, device) && (cap ? names_cap(share, cap, data_class) : shares_any(share, device)))
			return true;
	}
	return false;
}
