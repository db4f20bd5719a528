#pragma once
/* bluez - bluetoothd over the bus: is it there, its adapters powered and scanning, and whose signals we want to hear.
 *
 *   above   ble/ble_inside  ble/plugin  ble/gatt  ble/agent
 *   below   base/base  base/text  ble/bus  ble/props  sdk/gw_adapter
 *   owns    struct bluez: adapters, what is subscribed
 *   limits  BLUEZ_ADAPTERS_MAX BLUEZ_RULES_MAX BLUEZ_OWNER_MAX
 *   errors  BLUEZ_E_SYNTAX
 *
 * Only what BlueZ's own connection sends is heard. Signals about devices are subscribed one remembered device at a
 * time, so that a house full of strangers' telephones does not wake us; while a join window is open, all of them.
 *
 * An adapter that does not do what it is told is asked again, each time later: BLUEZ_AGAIN_MS to BLUEZ_AGAIN_MOST_MS.
 */
#include "base/base.h"
#include "ble/bus.h"
#include "ble/props.h"

#define BLUEZ_NAME "org.bluez"

enum {
	BLUEZ_ADAPTERS_MAX = 4,
	BLUEZ_RULES_MAX = 384, /* remembered devices times adapters; the bus allows 512. With more, all devices are heard */
	BLUEZ_OWNER_MAX = 255,
	BLUEZ_CALL_MS = 25000,
	BLUEZ_AGAIN_MS = 1000,
	BLUEZ_AGAIN_MOST_MS = 60000,
	BLUEZ_SILENT_MS = 30000, /* scanning is on, and BlueZ says that nobody scans */
};
enum { BLUEZ_E_SYNTAX = 1 };

struct bluez_calls {
	/* At least one adapter listens, or none any more. */
	void (*on_listening)(void *ctx, bool listening);
	/* Of a device (and of its services and characteristics). props is NULL when it is gone. whole: all its properties. */
	void (*on_object)(void *ctx, const struct props_path *path, enum props_interface interface, const struct props *props,
			  bool whole);
	/* A note: what is malformed, what BlueZ refuses. */
	void (*on_odd)(void *ctx, bool malformed, const char *what);
	/* Each remembered device, one after the other; false past the last. */
	bool (*known)(void *ctx, size_t i, uint8_t ret_mac[6]);
	/* bluetoothd is there, and knows nothing of us; or it is gone. */
	void (*on_there)(void *ctx, bool there);
};

/* Which adapters are used, by number or by address; nothing else is touched. None: all. */
struct bluez_picks {
	size_t n;
	struct {
		bool by_address;
		uint8_t number, address[6];
	} all[BLUEZ_ADAPTERS_MAX];
};
/* "hci0", "00:1A:7D:DA:71:13", or several with a comma between. BLUEZ_E_SYNTAX: or too many. */
must_check int bluez_picks_read(const char *text, struct bluez_picks *ret);
bool bluez_picks_have(const struct bluez_picks *picks, uint8_t number, const uint8_t address[6]);

enum bluez_step { BLUEZ_IDLE, BLUEZ_POWERING, BLUEZ_FILTERING, BLUEZ_STARTING, BLUEZ_SCANNING };
struct bluez;
struct bluez_adapter {
	struct bluez *bluez;
	bool present, powered, discovering, monitors, asked;
	uint8_t number;
	enum bluez_step step;
	uint64_t due_ms; /* UINT64_MAX: nothing is due */
	uint32_t wait_ms;
};
struct bluez {
	gwa_host *host;
	struct bus *bus;
	uint32_t timer;
	const struct bluez_calls *calls;
	void *ctx;
	bool passive; /* by monitors, where they are offered */
	struct bluez_picks picks;
	bool listening, open, broad, whole;
	bool kept; /* BlueZ is saying all that it knows, from before, too; else it says what just happened */
	char owner[BLUEZ_OWNER_MAX + 1]; /* "": bluetoothd is not there */
	uint64_t ask_ms; /* when the objects are asked for again; UINT64_MAX: not */
	uint32_t ask_wait_ms;
	size_t n_rules;
	struct bluez_adapter adapters[BLUEZ_ADAPTERS_MAX];
};

/* picks: set by the owner afterwards, unless all adapters are used. */
void bluez_init(struct bluez *bluez, gwa_host *host, struct bus *bus, uint32_t timer, bool passive, const struct bluez_calls *calls,
		void *ctx);
void bluez_up(struct bluez *bluez); /* the bus is there */
void bluez_signal(struct bluez *bluez, DBusMessage *signal);
void bluez_on_timer(struct bluez *bluez);
/* All devices are heard: a window is open. All objects are said anew. */
void bluez_open_ears(struct bluez *bluez, bool open);
/* A device is remembered from now on, or no more. */
void bluez_watch(struct bluez *bluez, const uint8_t mac[6], bool on);
/* BlueZ forgets it, its keys, too. */
void bluez_forget(struct bluez *bluez, const uint8_t mac[6]);

bool bluez_is_there(const struct bluez *bluez);
bool bluez_is_owner(const struct bluez *bluez, DBusMessage *message);
/* A call to BlueZ; NULL without memory. */
DBusMessage *bluez_message(const struct bluez *bluez, const char *path, const char *interface, const char *method);
