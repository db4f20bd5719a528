#pragma once
/* z2m - Zigbee2MQTT's grammar: descriptions, states, availability, orders and the bridge's answers, as bytes.
 *
 *   above   wifi/wifi_inside  wifi/z2m_keep
 *   below   base/base  base/text  model/capability  sdk/gw_adapter  sys/json  wifi/lan_device  wifi/trait
 *   owns    what z2m_devices made, until z2m_devices_deinit
 *   limits  Z2M_DEVICES_MAX Z2M_LIST_BYTES_MAX Z2M_BYTES_MAX Z2M_NESTING_MAX
 *   errors  Z2M_E_MALFORMED Z2M_E_SIZE Z2M_E_TYPE
 */
#include "base/base.h"
#include "sys/json.h"
#include "wifi/lan_device.h"

enum {
	Z2M_DEVICES_MAX = 1000,
	Z2M_LIST_BYTES_MAX = 4 * 1024 * 1024, /* bridge/devices, bridge/groups */
	Z2M_BYTES_MAX = 256 * 1024,	      /* all else */
	Z2M_NESTING_MAX = 4,		      /* features in features */
};
enum { Z2M_E_MALFORMED = 1, Z2M_E_SIZE = 2, Z2M_E_TYPE = 3 };

struct z2m_devices {
	struct lan_device *devices[Z2M_DEVICES_MAX];
	size_t n;
	uint32_t refused; /* entries without address or with a name that is no topic */
};

/* The retained list. ret is zero-initialised; on error nothing is in it. */
must_check int z2m_devices(const char *base, const void *data, size_t len, struct z2m_devices *ret);
void z2m_devices_deinit(struct z2m_devices *list);
bool z2m_knows(const char *name); /* is there a row for a property of this name */
/* Names of groups, each handed to on_name. */
must_check int z2m_groups(const void *data, size_t len, void (*on_name)(void *ctx, const char *name), void *ctx);

/* A state: an object, the caller's to free. */
must_check int z2m_state(const void *data, size_t len, struct json **ret);
/* {"state":"online"} or the bare word, of a device and of the bridge. */
must_check int z2m_online(const void *data, size_t len, bool *ret);

/* Bodies of orders; malloc'ed, NUL-terminated. TRAIT_E_VALUE: the device cannot be told this. */
must_check int z2m_set(const struct trait *trait, const struct gwa_value *value, char **ret);
char *z2m_permit_join(uint32_t seconds, const char *transaction);
char *z2m_remove(const char *ieee, const char *transaction);
/* An answer of the bridge: its transaction ("" when it has none) and whether it says ok. */
must_check int z2m_response(const void *data, size_t len, char *ret_transaction, size_t cap, bool *ret_ok);
/* An event that says that a device left: its IEEE address. Z2M_E_TYPE: another event. */
must_check int z2m_leave(const void *data, size_t len, uint8_t ret_ieee[8]);
must_check int z2m_ieee(const char *text, uint8_t ret[8]); /* 0x and 16 digits; Z2M_E_TYPE */
/* The address that we give a device: its IEEE address, then four bytes that tell this base from another. */
struct gwa_addr z2m_address(const char *base, const uint8_t ieee[8]);
