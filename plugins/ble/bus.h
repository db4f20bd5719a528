#pragma once
/* bus - one connection to the system's D-Bus on the host's watches and timer: messages in, calls out, nothing blocks.
 *
 *   above   ble/bluez  ble/gatt  ble/agent  ble/scan  ble/plugin
 *   below   base/base  base/text  sdk/gw_adapter
 *   owns    struct bus: the connection, its watches, time-outs and open calls
 *   limits  BUS_WATCHES_MAX BUS_TIMEOUTS_MAX BUS_CALLS_MAX BUS_TURN_MAX BUS_MESSAGE_MAX BUS_BACKLOG_MAX
 *   errors  BUS_E_FULL
 *
 * A call is answered exactly once, by on_reply: with the reply, with an error that the bus or the time-out made, or, when
 * the connection ends, with NULL. A message is borrowed for the callback.
 */
#include <dbus/dbus.h>
#include "base/base.h"
#include "sdk/gw_adapter.h"

enum {
	BUS_WATCHES_MAX = 4,
	BUS_TIMEOUTS_MAX = 96,
	BUS_CALLS_MAX = 64,
	BUS_TURN_MAX = 64,		    /* messages; then the host's loop turns */
	BUS_MESSAGE_MAX = 2 * 1024 * 1024,  /* what GetManagedObjects may say of all that is in the air */
	BUS_BACKLOG_MAX = 4 * 1024 * 1024,  /* read and not yet dispatched */
	BUS_PATH_MAX = 108,
};
enum { BUS_E_FULL = 1 };

typedef void (*bus_reply_fn)(void *ctx, DBusMessage *reply);

struct bus_calls {
	void (*on_up)(void *ctx); /* we have a name there: rules and calls may begin */
	void (*on_signal)(void *ctx, DBusMessage *message);
	/* A call to us. Answers by bus_answer() now, or keeps a reference and answers later. */
	void (*on_call)(void *ctx, DBusMessage *message);
	void (*on_lost)(void *ctx, const char *why);
};

struct bus_timeout {
	DBusTimeout *timeout; /* NULL: free */
	uint64_t due_ms;
};
struct bus_call {
	struct bus *bus;
	DBusPendingCall *pending; /* NULL: free */
	bus_reply_fn on_reply;
	void *ctx;
};
struct bus {
	gwa_host *host;
	uint32_t timer;
	const struct bus_calls *calls;
	void *ctx;
	DBusConnection *connection;
	bool up, lost;
	DBusWatch *watches[BUS_WATCHES_MAX];
	struct bus_timeout timeouts[BUS_TIMEOUTS_MAX];
	struct bus_call pending[BUS_CALLS_MAX];
};

/* path: of the bus's socket. Negative errno: it cannot be reached. */
must_check int bus_open(struct bus *bus, gwa_host *host, uint32_t timer, const char *path, const struct bus_calls *calls,
			void *ctx);
void bus_close(struct bus *bus);
void bus_on_fd(struct bus *bus, int fd, uint32_t events);
void bus_on_timer(struct bus *bus);

/* Takes message. on_reply may be NULL. BUS_E_FULL: too many are open; -ENOTCONN; on_reply is not called then. */
must_check int bus_call(struct bus *bus, DBusMessage *message, int timeout_ms, bus_reply_fn on_reply, void *ctx);
/* Takes reply: a method return or an error. */
void bus_answer(struct bus *bus, DBusMessage *reply);
/* Whoever waited with this ctx waits no longer; its on_reply is not called any more. */
void bus_forget(struct bus *bus, const void *ctx);
void bus_match(struct bus *bus, const char *rule, bool on);
