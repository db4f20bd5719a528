#pragma once
/* lan_device - a device on the LAN broker, of whatever grammar: who it is, its traits, and what a state says of them.
 *
 *   above   wifi/z2m  wifi/tasmota  wifi/house
 *   below   base/base  base/text  sdk/gw_adapter  sys/json  wifi/trait
 *   owns    struct lan_device: its traits
 *   limits  LAN_TRAITS_MAX LAN_ENDPOINTS_MAX LAN_TOPIC_MAX
 *   errors  LAN_E_FULL
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "sys/json.h"
#include "wifi/trait.h"
#include "wifi/ways.h"

enum { LAN_TRAITS_MAX = 96, LAN_ENDPOINTS_MAX = 16, LAN_TOPIC_MAX = 256 };
enum { LAN_E_FULL = 1 };
enum lan_grammar { LAN_Z2M, LAN_TASMOTA, LAN_HASS };

struct lan_device {
	enum lan_grammar grammar;
	struct gwa_addr addr, hw;
	char topic[LAN_TOPIC_MAX]; /* Zigbee2MQTT: base/name; Tasmota: its %topic% */
	char vendor[GWA_TEXT_MAX + 1], model[GWA_TEXT_MAX + 1], firmware[GWA_TEXT_MAX + 1], name[GWA_TEXT_MAX + 1];
	bool sleepy, ready; /* not ready: known by name, not described yet */
	uint32_t left_out;  /* properties that we have no capability for */
	char online[TRAIT_WORD_MAX], offline[TRAIT_WORD_MAX];
	size_t n_traits;
	struct trait *traits;
	struct ways *ways; /* LAN_HASS: a topic and a template for each trait, whose key is its number */
};
struct lan_reading {
	const struct trait *trait;
	struct gwa_value value;
};

struct lan_device *lan_device_new(enum lan_grammar grammar);
struct lan_device *lan_device_free(struct lan_device *device);
DEFINE_CLEANUP(lan_device_free, struct lan_device *)
/* LAN_E_FULL: there is one for this capability and endpoint, or no room: it is left out. */
must_check int lan_device_add(struct lan_device *device, const struct trait *trait);
bool lan_device_equal(const struct lan_device *a, const struct lan_device *b);
const struct trait *lan_device_trait(const struct lan_device *device, uint8_t endpoint, uint16_t cap); /* NULL: none */

/* What a name may look like in our own world: no control characters, none of MQTT's. Never empty. */
void lan_name(const char *foreign, char ret[GWA_TEXT_MAX + 1]);
/* A topic that a message can be sent to: UTF-8, no wildcards, no control characters, not the broker's own. */
bool lan_topic_is_fit(const char *topic);

/* All readings that the state (an object) has, in the traits' order. ret: LAN_TRAITS_MAX. ret_bad: values refused. */
size_t lan_device_read(const struct lan_device *device, const struct json *state, struct lan_reading *ret,
		       uint32_t *ret_bad);
struct lan_description {
	struct gwa_device device;
	struct gwa_endpoint endpoints[LAN_ENDPOINTS_MAX];
	struct gwa_cap caps[LAN_TRAITS_MAX];
};
/* Borrows device's texts. */
void lan_device_describe(const struct lan_device *device, struct lan_description *ret);
