#pragma once
/* tasmota - Tasmota's grammar: retained discovery, telemetry, last will and orders, as bytes.
 *
 *   above   wifi/house  wifi/intake  wifi/orders
 *   below   base/base  base/text  model/capability  sdk/gw_adapter  sys/json  wifi/lan_device  wifi/trait
 *   owns    nothing
 *   limits  TASMOTA_BYTES_MAX TASMOTA_RELAYS_MAX
 *   errors  TASMOTA_E_MALFORMED TASMOTA_E_SIZE TASMOTA_E_TYPE TASMOTA_E_TOPIC
 */
#include "base/base.h"
#include "wifi/lan_device.h"

enum { TASMOTA_BYTES_MAX = 16384, TASMOTA_RELAYS_MAX = 8 };
enum {
	TASMOTA_E_MALFORMED = 1,
	TASMOTA_E_SIZE = 2,
	TASMOTA_E_TYPE = 3,
	TASMOTA_E_TOPIC = 4, /* names a topic that is not of the form %prefix%/%topic%/, or another device's MAC */
};

/* tasmota/discovery/MAC/config and /sensors: 12 upper-case digits. */
must_check int tasmota_mac(const char *digits, size_t len, uint8_t ret[6]);
/* ret is the caller's. */
must_check int tasmota_config(const uint8_t mac[6], const void *data, size_t len, struct lan_device **ret);
/* Adds what the sensors' announcement names. */
must_check int tasmota_sensors(struct lan_device *device, const void *data, size_t len);
/* tele/STATE, tele/SENSOR, stat/RESULT: an object, the caller's to free. */
must_check int tasmota_state(const void *data, size_t len, struct json **ret);
/* stat/POWERn: key is POWERn. The state that it means. */
must_check int tasmota_power(const char *key, const void *data, size_t len, struct json **ret);
must_check int tasmota_online(const struct lan_device *device, const void *data, size_t len, bool *ret);
/* cmnd/TOPIC/KEY and its payload, malloc'ed. TRAIT_E_VALUE. */
must_check int tasmota_order(const struct lan_device *device, const struct trait *trait, const struct gwa_value *value,
			     char ret_topic[LAN_TOPIC_MAX], char **ret_payload);
