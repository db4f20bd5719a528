#pragma once
/* shelly_inside - what the parts of the plugin share: its settings, the devices, the window, what found no credit.
 *
 *   above   shelly/plugin  shelly/unit  shelly/home
 *   below   base/base  sdk/gw_adapter  shelly/finder  shelly/keep  shelly/line  shelly/rpc  shelly/session  shelly/status
 *   owns    struct gwa_self, struct unit
 *   limits  SHELLY_UNITS_MAX SHELLY_SEEN_MAX SHELLY_HOSTS_MAX SHELLY_WINDOW_MAX SHELLY_PENDING_MAX SHELLY_BURST_MAX
 */
#include "base/base.h"
#include "sdk/gw_adapter.h"
#include "shelly/finder.h"
#include "shelly/keep.h"
#include "shelly/line.h"
#include "shelly/rpc.h"
#include "shelly/session.h"
#include "shelly/status.h"

enum {
	SHELLY_UNITS_MAX = KEEP_PAGE_MAX * KEEP_PAGES_MAX, /* ours and those that are joining */
	SHELLY_SEEN_MAX = 64,	  /* announced and not ours: the one heard of longest ago makes room */
	SHELLY_HOSTS_MAX = 32,
	SHELLY_WINDOW_MAX = 8,	  /* let in by one window */
	SHELLY_PENDING_MAX = 512, /* readings that found no credit */
	SHELLY_BURST_MAX = 100,	  /* frames of one device in a second */
};
enum {
	SHELLY_OPEN_MS = 5000,	   /* from dialling to a WebSocket */
	SHELLY_GREET_MS = 2000,	   /* to say who and how it is, when it is said to be elsewhere */
	SHELLY_PING_S = 60,
	SHELLY_PONG_MS = 10000,
	SHELLY_REFUSED_MS = 300000, /* a wrong password is not tried more often */
	SHELLY_TTL_MS = 10000,	   /* of an order that brings none */
	SHELLY_ASK_MS = 60000,	   /* while somebody is missing */
	SHELLY_REST_MS = 100,	   /* after many pings: the answers come together, and wake us up once */
	SHELLY_GAP_MS = 1000,	   /* between two calls of one device: an announcement asks for one */
	SHELLY_GAP_LONG_MS = 10000, /* the same, of one that comes and goes */
	SHELLY_TRIES_FEW = 5,
	SHELLY_STEADY_MS = 60000,  /* connected for so long, it is no coming and going */
	SHELLY_SLACK_S = 120,	   /* that a sleeper may be late, after two periods */
};
enum { TIMER_DUE };

struct unit {
	struct kept kept;   /* info.mac, map, ...; its place is where it was known to be */
	struct place place; /* where it is looked for */
	bool has_mac;	  /* else a host of the settings that nobody has heard of yet */
	bool ours, up;	  /* let in; the core was told that it is there */
	unsigned slot;
	uint32_t serial;  /* of its connection: what epoll says of an older one is void */
	struct line line;
	bool watches_out;
	struct session session;
	uint8_t evidence;
	bool refused;	  /* it answered, and it is not to be; why is on record */
	bool suspected;	  /* somebody else answered in its name; that is on record */
	unsigned tries;
	uint64_t dialled_at, dial_at, open_by, ping_at, heard_at; /* UINT64_MAX: never */
	uint64_t live_at; /* 0: it is not */
	bool pinged;
	bool has_rumour; /* an announcement says that it is elsewhere: tried when it does not answer here */
	struct place rumour;
	uint64_t second;
	uint32_t n_second; /* frames in it */
};
/* Announced, not ours. */
struct seen {
	uint64_t at, called_at; /* at 0: a free row */
	uint8_t mac[6];
	struct place place;
	bool tried; /* in this window, to its end */
};
struct pending {
	struct gwa_addr addr;
	struct status_reading reading;
};
struct settings {
	char password[SESSION_PASSWORD_MAX + 1];
	char interface[16];
	bool discovery;
	uint32_t ping_ms;
	struct place hosts[SHELLY_HOSTS_MAX];
	size_t n_hosts;
};
struct window {
	uint64_t until; /* 0: closed */
	unsigned left;	/* devices */
	bool only_one;
	uint8_t mac[6];
	char password[SESSION_PASSWORD_MAX + 1];
};

struct gwa_self {
	gwa_host *host;
	struct settings settings;
	int poll; /* epoll over all sockets: one watch of the host's */
	struct finder finder;
	struct unit *units[SHELLY_UNITS_MAX];
	struct seen seen[SHELLY_SEEN_MAX];
	struct window window;
	uint64_t ask_at; /* UINT64_MAX: never */
	unsigned asked;
	uint32_t serial;
	struct pending *pending; /* in order */
	size_t n_pending;
	uint32_t dropped;
	bool call_more;	    /* one that joined came to its end: the next may be called */
	unsigned n_pings;   /* of this turn */
	uint64_t rest_until; /* UINT64_MAX: not resting */
};

uint64_t shelly_now(const gwa_self *self);
void shelly_note(gwa_self *self, int kind, uint32_t count, const struct unit *unit, const char *text);
void shelly_log(gwa_self *self, int level, const struct unit *unit, const char *text);
void shelly_arm(gwa_self *self); /* sets the timer to what is due first */

/* unit: a device's connection and talk */
void unit_dial(gwa_self *self, struct unit *unit);
void unit_events(gwa_self *self, struct unit *unit, uint32_t events); /* the unit may be gone afterwards */
void unit_pump(gwa_self *self, struct unit *unit);		      /* the same */
void unit_tick(gwa_self *self, struct unit *unit);		      /* the same */
uint64_t unit_due(const gwa_self *self, const struct unit *unit);
void unit_hang_up(gwa_self *self, struct unit *unit); /* open orders are answered "unreachable" */
void unit_order(gwa_self *self, struct unit *unit, uint64_t req, uint8_t endpoint, uint16_t cap, const struct gwa_value *value,
		uint32_t ttl_ms);

/* home: who lives here, who may come in */
struct unit *home_find(const gwa_self *self, const uint8_t mac[6]); /* NULL: unknown */
struct gwa_addr home_addr(const struct unit *unit);
struct unit *home_new(gwa_self *self, const uint8_t *mac, const struct place *place); /* mac may be NULL; NULL: no room */
void home_tell(gwa_self *self, struct unit *unit);				   /* the core: it is there, and what it is */
void home_load(gwa_self *self);
void home_save(gwa_self *self, const struct unit *unit);
void home_free(gwa_self *self, struct unit *unit);
void home_remove(gwa_self *self, struct unit *unit); /* for good */
void home_found(gwa_self *self, const struct mdns_found *found);
int home_open_window(gwa_self *self, const struct gwa_join *join); /* GWA_* */
void home_tick(gwa_self *self);
void home_call_more(gwa_self *self); /* while a window is open: who was announced, as many at once as may still come in */
/* It has said who it is. False: it is known already, or unwanted; the unit is gone. */
bool home_who(gwa_self *self, struct unit *unit);
/* Its whole status: described anew where that changed, let in while a window is open. False: the unit is gone. */
bool home_whole(gwa_self *self, struct unit *unit, const struct json *status);
/* fault: SESSION_E_*; 0: the network's, why says it. The unit may be gone afterwards. */
void home_lost(gwa_self *self, struct unit *unit, int fault, const char *why);
void home_report(gwa_self *self, const struct unit *unit, const struct status_reading *readings, size_t n);
void home_flush(gwa_self *self); /* credit has come */
