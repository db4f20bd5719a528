#pragma once
/* zigbee_inside - what the parts of the plugin ask of each other; each file tells the story that its name says.
 *
 *   above   zigbee/zigbee  zigbee/plugin  zigbee/network  zigbee/device  zigbee/inquiry  zigbee/joins  zigbee/orders  zigbee/asks
 *           zigbee/kept  zigbee/groupings
 *   below   base/base  sdk/gw_adapter  sys/json  zigbee/zigbee_state
 *   owns    nothing
 *   limits  -
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "sys/json.h"
#include "zigbee/zigbee_state.h"

/* plugin */
uint64_t zigbee_now(const gwa_self *self);
uint32_t zigbee_id(gwa_self *self, enum owner owner); /* a new cookie */
void zigbee_log(gwa_self *self, int level, const char *fmt, ...) printf_like(3, 4);
/* network: the radio, and what it says */
void network_start(gwa_self *self, enum radio_begin how, const struct radio_network *network, const struct radio_key *keys, size_t n);
void network_begin(gwa_self *self); /* with what is known of it */
void network_stop(gwa_self *self, enum net_state state, const char *why);
bool network_form(gwa_self *self, uint8_t channel);
void network_tick(gwa_self *self);
uint64_t network_due_ms(gwa_self *self);
extern const struct talk_calls network_talk_calls;
/* device: one of them, as the core sees it */
must_check int device_add(gwa_self *self, uint64_t eui, uint16_t nwk, uint8_t capabilities, struct device **ret);
void device_forget(gwa_self *self, struct device *device, bool left);
struct device *device_find(gwa_self *self, const struct gwa_addr *addr);
struct gwa_addr device_addr(uint64_t eui);
void device_tell(gwa_self *self, struct device *device); /* described anew, or up again */
void device_away(gwa_self *self, struct device *device);
void device_heard(gwa_self *self, struct device *device);
void device_moved(gwa_self *self, struct device *device, uint16_t nwk);
void device_joining(gwa_self *self, struct device *device, int stage, const char *why);
void device_report(gwa_self *self, struct device *device, const struct trait_reading *reading);
void device_report_of(gwa_self *self, const struct gwa_addr *addr, const struct trait_reading *reading);
void device_take(gwa_self *self, struct device *device, const struct radio_message *message, const struct zcl_frame *frame);
void device_drain(gwa_self *self); /* what waits for credit */
void device_pinged(gwa_self *self, struct device *device, const struct talk_result *result);
void device_alive_tick(gwa_self *self);
void device_doubt(gwa_self *self, struct device *device); /* it did not get something: is it there? */
/* inquiry: interviews */
void inquiry_start(gwa_self *self, struct device *device, enum interview_phase from);
void inquiry_stop(struct device *device);
void inquiry_heard(gwa_self *self, struct device *device);
void inquiry_answered(gwa_self *self, uint32_t cookie, const struct radio_answer *answer);
void inquiry_talked(gwa_self *self, const struct talk_result *result);
void inquiry_lost(gwa_self *self); /* the radio is another one: it answers nothing of what was asked */
void inquiry_tick(gwa_self *self);
uint64_t inquiry_due_ms(const gwa_self *self);
/* joins */
void joins_permit(gwa_self *self, uint64_t req, const struct gwa_join *join);
void joins_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr);
bool joins_admit(gwa_self *self, uint64_t eui, uint16_t nwk, bool announced); /* one who is new: may it come in? else it is told to leave */
uint8_t joins_evidence(const gwa_self *self, uint64_t eui);
void joins_done(gwa_self *self, uint32_t cookie, enum radio_status status);
void joins_ready(gwa_self *self); /* the radio is back: open what is to be open */
void joins_fail(gwa_self *self);
void joins_tick(gwa_self *self);
uint64_t joins_due_ms(const gwa_self *self);
/* orders */
void orders_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
		    const struct gwa_value *value, uint32_t ttl_ms);
void orders_talked(gwa_self *self, const struct talk_result *result);
void orders_sent(gwa_self *self, uint32_t cookie, enum radio_status status); /* to a group */
void orders_forget(gwa_self *self, uint64_t eui);
void orders_forget_group(gwa_self *self, uint16_t id); /* 0: of all groups */
void orders_fail_all(gwa_self *self);
/* asks */
void asks_ask(gwa_self *self, uint64_t req, const char *verb, const void *data, uint32_t len);
void asks_end(gwa_self *self, int status); /* of the question that is open, if there is one */
void asks_began(gwa_self *self, bool good); /* form, restore, adopt */
void asks_kept(gwa_self *self, enum radio_status status, const struct radio_network *network, const struct radio_key *keys, size_t n);
void asks_neighbours(gwa_self *self, uint32_t cookie, const struct radio_answer *answer);
void asks_devices(gwa_self *self, const struct radio_key *keys, size_t n); /* who lives here now */
void asks_channel(gwa_self *self, enum radio_status status);
bool asks_tell(gwa_self *self, const struct json *json); /* to the question that is open */
void asks_tick(gwa_self *self);
uint64_t asks_due_ms(const gwa_self *self);
/* groupings: groups as the core sees them, and making them */
struct group *groupings_find(gwa_self *self, const struct gwa_addr *addr);
struct gwa_addr groupings_addr(uint16_t id);
must_check int groupings_order(gwa_self *self, const struct group *group, uint16_t cap, const struct gwa_value *value, struct trait_order *ret);
must_check int groupings_ask(gwa_self *self, const void *data, uint32_t len);
struct json *groupings_words(const gwa_self *self);
void groupings_talked(gwa_self *self, const struct talk_result *result);
void groupings_say(gwa_self *self);  /* all of them, up */
void groupings_away(gwa_self *self);
void groupings_ready(gwa_self *self); /* in which network: those of another one are over */
void groupings_member_told(gwa_self *self, uint64_t eui);
void groupings_member_gone(gwa_self *self, uint64_t eui);
/* kept: blobs */
must_check int kept_load(gwa_self *self);
void kept_changed(gwa_self *self);
void kept_network(gwa_self *self);
void kept_groups(gwa_self *self);
void kept_backup(gwa_self *self, const struct radio_network *network, const struct radio_key *keys, size_t n);
bool kept_restore(gwa_self *self); /* begins with the newest backup */
void kept_tick(gwa_self *self, bool now);
