#pragma once
/* hass_device - from the entities that name the same device to that device.
 *
 *   above   wifi/hass_house
 *   below   base/base  base/text  sys/crypto  wifi/hass  wifi/lan_device  wifi/ways
 *   owns    nothing
 */
#include "wifi/hass.h"
#include "wifi/lan_device.h"

/* Never NULL; entities are in an order that stays the same, so that endpoints do. */
struct lan_device *hass_device(const struct hass_entity *const *entities, size_t n);
struct gwa_addr hass_address(const char *device); /* by its identifier */
