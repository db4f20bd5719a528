/* Entities know nothing of each other but their device's identifier. A capability that several of them have (a strip with
 * four switches) is told apart by endpoint: the first gets 1, the next 2, in the order of their unique ids.
 */
#include "wifi/hass_device.h"

#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "sys/crypto.h"

struct gwa_addr hass_address(const char *device)
{
	cleanup(crypto_hash_freep) struct crypto_hash *hash = NULL;
	struct gwa_addr addr = { .len = GWA_ADDR_MAX };
	uint8_t digest[CRYPTO_HASH_LEN];

	if (crypto_hash_new(CRYPTO_SHA256, &hash))
		abort();
	crypto_hash_add(hash, "discovery:", 10);
	crypto_hash_add(hash, device, strlen(device));
	crypto_hash_end(hash, digest);
	memcpy(addr.bytes, digest, sizeof(addr.bytes));
	return addr;
}

/* Its first endpoint that has no such capability yet. */
static bool add_way(struct lan_device *device, const struct way *way)
{
	struct ways *ways = device->ways;
	struct trait trait = way->trait;

	text_print(trait.key, sizeof(trait.key), "%zu", ways->n);
	for (trait.endpoint = 1; lan_device_trait(device, trait.endpoint, trait.row->cap); trait.endpoint++) {
		if (trait.endpoint == LAN_ENDPOINTS_MAX)
			return false;
	}
	if (lan_device_add(device, &trait))
		return false;
	way_copy(way, &ways->all[ways->n]);
	ways->all[ways->n].trait = trait;
	ways->n++;
	return true;
}

static bool has_presence(const struct ways *ways, const struct presence *presence)
{
	for (size_t i = 0; i < ways->n_presences; i++) {
		if (text_equal(ways->presences[i].topic, presence->topic))
			return true;
	}
	return false;
}

static void add_presences(struct ways *ways, const struct hass_entity *entity)
{
	for (size_t i = 0; i < entity->n_presences && ways->n_presences < HASS_AVAILABILITY_MAX; i++) {
		if (!has_presence(ways, &entity->presences[i]))
			presence_copy(&entity->presences[i], &ways->presences[ways->n_presences++]);
	}
	ways->any_presence = ways->any_presence || entity->any_presence;
}

static void keep_longer(char *at, const char *text)
{
	if (!at[0])
		text_copy(at, GWA_TEXT_MAX + 1, text);
}

static void describe(struct lan_device *device, const struct hass_entity *entity)
{
	keep_longer(device->vendor, entity->vendor);
	keep_longer(device->model, entity->model);
	keep_longer(device->firmware, entity->firmware);
	keep_longer(device->name, entity->name);
	if (!device->hw.len)
		device->hw = entity->hw;
}

struct lan_device *hass_device(const struct hass_entity *const *entities, size_t n)
{
	struct lan_device *device = lan_device_new(LAN_HASS);

	device->ways = calloc(1, sizeof(*device->ways));
	if (!device->ways)
		abort();
	device->ways->all = calloc(LAN_TRAITS_MAX, sizeof(*device->ways->all));
	device->ways->presences = calloc(HASS_AVAILABILITY_MAX, sizeof(*device->ways->presences));
	if (!device->ways->all || !device->ways->presences)
		abort();
	for (size_t i = 0; i < n; i++) {
		describe(device, entities[i]);
		add_presences(device->ways, entities[i]);
		for (size_t k = 0; k < entities[i]->n_ways; k++)
			device->left_out += device->n_traits == LAN_TRAITS_MAX || !add_way(device, &entities[i]->ways[k]);
	}
	device->ways->all = reallocarray(device->ways->all, device->ways->n ? device->ways->n : 1, sizeof(*device->ways->all));
	if (!device->ways->all)
		abort();
	if (n) {
		text_copy(device->topic, sizeof(device->topic), entities[0]->device);
		device->addr = hass_address(entities[0]->device);
	}
	if (!device->name[0])
		text_copy(device->name, sizeof(device->name), device->topic);
	device->ready = device->n_traits > 0;
	return device;
}
