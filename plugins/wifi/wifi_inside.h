#pragma once
/* wifi_inside - what the parts of the plugin share: its settings, its two connections, the house, what waits.
 *
 *   above   wifi/wifi  wifi/plugin  wifi/intake  wifi/bridge  wifi/discovery  wifi/commands
 *   below   base/base  sdk/gw_adapter  wifi/house  wifi/mqtt  wifi/notes  wifi/orders  wifi/waiting
 *           wifi/z2m
 *   owns    struct gwa_self
 *   limits  WIFI_BASES_MAX WIFI_BASE_MAX WIFI_SECRET_MAX WIFI_ANNOUNCED_MAX WIFI_PARTS_MAX
 */
#include <uthash.h>
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "wifi/hass_house.h"
#include "wifi/house.h"
#include "wifi/mqtt.h"
#include "wifi/notes.h"
#include "wifi/orders.h"
#include "wifi/shellies.h"
#include "wifi/waiting.h"
#include "wifi/z2m.h"

enum {
	WIFI_BASES_MAX = 16,
	WIFI_BASE_MAX = 64,
	WIFI_TEXT_MAX = 256,
	WIFI_SECRET_MAX = 256,
	WIFI_ANNOUNCED_MAX = 256,
	WIFI_SETTLE_MS = 300,
	WIFI_SETTLE_TURNS = 7, /* then whoever has not described itself is unknown */
	WIFI_GATHER_TURNS = 3,
	WIFI_GRACE_MS = 2000,  /* a broker that is away that long makes its devices unreachable */
	WIFI_TTL_MS = 10000,   /* of an order that brings none */
	WIFI_PARTS_MAX = 8,    /* blobs of the first base's descriptions; the others have one each, while there is room */
};
enum { TIMER_INTAKE, TIMER_COMMAND, TIMER_SETTLE, TIMER_ORDERS, TIMER_NOTES, TIMER_GRACE, TIMER_HASS, TIMER_SHELLIES };

struct account {
	char user[WIFI_TEXT_MAX], password[WIFI_SECRET_MAX];
	bool named;
};
struct settings {
	char broker[WIFI_TEXT_MAX];
	int port;
	struct account intake, command;
	bool tasmota, shelly;
};
enum bridge_state { BRIDGE_UNKNOWN, BRIDGE_ONLINE, BRIDGE_OFFLINE };
struct base {
	char name[WIFI_BASE_MAX];
	size_t len;
	enum bridge_state state;
	bool listed; /* its devices have been said since we are connected */
	unsigned n_parts; /* blobs that its descriptions are kept in */
};
/* What a Tasmota device said of itself, kept because its two halves come apart. */
struct announced {
	UT_hash_handle hh;
	uint8_t mac[6];
	char *config, *sensors;
	size_t config_len, sensors_len;
};

struct gwa_self {
	gwa_host *host;
	struct settings settings;
	struct mqtt intake, command;
	struct base bases[WIFI_BASES_MAX];
	size_t n_bases;
	struct house house;
	struct announced *announced;
	struct hass_house hass;
	struct shellies shellies;
	struct waiting waiting;
	struct z2m_devices list; /* the one that is being read */
	struct orders orders;
	struct lan_notes notes;
	uint64_t stored;     /* all reports up to here are safe */
	uint64_t hold_until; /* the last report made of a message that the broker wants acknowledged */
	bool blocked;	     /* no credit: nothing more is read */
	bool settling, synced, replaying, lan_lost;
	unsigned settle_turns;
	int probe_mid;
	char probe[WIFI_BASE_MAX + 32];
	bool enforced_known, enforced;
};

enum taken {
	TAKEN,	     /* read, reported as far as there was anything to report */
	TAKE_LATER,  /* its device is not described yet */
	TAKE_AGAIN,  /* no credit: again from *skip */
};

/* intake */
enum taken intake_take(gwa_self *self, const struct mqtt_message *message, size_t *skip);
void intake_message(gwa_self *self, const struct mqtt_message *message);
void intake_replay(gwa_self *self); /* what waits, as far as it can be taken now */
void intake_hold(gwa_self *self);   /* acknowledge, or wait */
void intake_settle(gwa_self *self); /* the settle timer */
/* Readings of a state: reported from the *skip-th on. */
enum taken intake_report(gwa_self *self, struct house_entry *entry, const struct json *state, bool acked, size_t *skip);
void intake_refuse(gwa_self *self, int r, const char *topic); /* a note for what a codec refused */

/* Devices as the core sees them */
void entry_tell(gwa_self *self, struct house_entry *entry, bool described_anew);
void entry_leave(gwa_self *self, struct house_entry *entry);
void entries_tell(gwa_self *self); /* all of them: the broker came or went */

/* bridge: a topic below a base that is no device's */
void bridge_take(gwa_self *self, int number, const char *rest, const struct mqtt_message *message);
void bridge_load(gwa_self *self); /* what was kept of the lists, before the broker says them again */
/* discovery: tasmota/discovery/REST */
void discovery_take(gwa_self *self, const char *rest, const struct mqtt_message *message);
void discovery_forget(gwa_self *self);
/* hass_house: PREFIX/REST; what was gathered; a new connection */
void hass_take(gwa_self *self, const char *rest, const struct mqtt_message *message);
void hass_timer(gwa_self *self);
void hass_up(gwa_self *self);
/* shellies: topics of Gen2+ Shellys (false: none of theirs), their timer, availability, orders (false: none of theirs) */
bool shellies_take(gwa_self *self, const struct mqtt_message *message, size_t *skip, enum taken *ret);
void shellies_timer(gwa_self *self);
void shellies_tell(gwa_self *self);
bool shellies_command(gwa_self *self, const struct order *order, uint32_t ttl_ms);
/* What the broker refused to others */
void denied_take(gwa_self *self, const struct mqtt_message *message);

/* commands */
void commands_done(gwa_self *self, struct order *order, int status);
void commands_fail_all(gwa_self *self, int status);
void commands_published(gwa_self *self, int mid, int reason);
void commands_echo(gwa_self *self, const struct house_entry *entry, const struct trait *trait,
		   const struct gwa_value *said);
void commands_answer(gwa_self *self, uint64_t req, bool good);
void commands_timer(gwa_self *self);
void commands_command(gwa_self *self, uint64_t req, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
		      const struct gwa_value *value, uint32_t ttl_ms);
void commands_permit_join(gwa_self *self, uint64_t req, const struct gwa_join *join);
void commands_remove(gwa_self *self, uint64_t req, const struct gwa_addr *addr);

void wifi_note(gwa_self *self, int kind, uint32_t count, const char *object, const char *text);
