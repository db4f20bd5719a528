/* libdbus brings a transport and no loop: it says which descriptor it wants watched and when it wants to be called, and
 * the host does that. All time-outs share one of the host's timers, set to the earliest.
 *
 * libdbus calls watch and timeout functions from within its own calls, so they only note what is wanted.
 */
#include "ble/bus.h"

#include <poll.h>
#include <string.h>
#include "base/text.h"

enum { HELLO_MS = 25000, AGAIN_MS = 1 };

static void set_events(struct bus *bus, int fd)
{
	uint32_t events = 0;

	for (size_t i = 0; i < BUS_WATCHES_MAX; i++) {
		DBusWatch *watch = bus->watches[i];
		unsigned flags;

		if (!watch || dbus_watch_get_unix_fd(watch) != fd || !dbus_watch_get_enabled(watch))
			continue;
		flags = dbus_watch_get_flags(watch);
		events |= (flags & DBUS_WATCH_READABLE ? (uint32_t)POLLIN : 0) | (flags & DBUS_WATCH_WRITABLE ? (uint32_t)POLLOUT : 0);
	}
	(void)gwa(bus->host)->watch(bus->host, fd, events);
}

static dbus_bool_t on_watch_add(DBusWatch *watch, void *data)
{
	struct bus *bus = data;

	for (size_t i = 0; i < BUS_WATCHES_MAX; i++) {
		if (bus->watches[i])
			continue;
		bus->watches[i] = watch;
		set_events(bus, dbus_watch_get_unix_fd(watch));
		return TRUE;
	}
	return FALSE;
}

static void on_watch_toggle(DBusWatch *watch, void *data)
{
	set_events(data, dbus_watch_get_unix_fd(watch));
}

static void on_watch_remove(DBusWatch *watch, void *data)
{
	int fd = dbus_watch_get_unix_fd(watch);
	struct bus *bus = data;

	for (size_t i = 0; i < BUS_WATCHES_MAX; i++) {
		if (bus->watches[i] == watch)
			bus->watches[i] = NULL;
	}
	if (fd >= 0)
		set_events(bus, fd);
}

static void arm(struct bus *bus)
{
	uint64_t now = gwa(bus->host)->now_ms(bus->host), first = UINT64_MAX;

	if (bus->connection && dbus_connection_get_dispatch_status(bus->connection) == DBUS_DISPATCH_DATA_REMAINS)
		first = now + AGAIN_MS;
	for (size_t i = 0; i < BUS_TIMEOUTS_MAX; i++) {
		const struct bus_timeout *t = &bus->timeouts[i];

		if (t->timeout && dbus_timeout_get_enabled(t->timeout) && t->due_ms < first)
			first = t->due_ms;
	}
	gwa(bus->host)->timer(bus->host, bus->timer,
			      first == UINT64_MAX ? 0 : first > now ? (uint32_t)(first - now) : AGAIN_MS);
}

static void start_timeout(struct bus *bus, struct bus_timeout *t)
{
	t->due_ms = gwa(bus->host)->now_ms(bus->host) + (uint64_t)dbus_timeout_get_interval(t->timeout);
	arm(bus);
}

static dbus_bool_t on_timeout_add(DBusTimeout *timeout, void *data)
{
	struct bus *bus = data;

	for (size_t i = 0; i < BUS_TIMEOUTS_MAX; i++) {
		if (bus->timeouts[i].timeout)
			continue;
		bus->timeouts[i].timeout = timeout;
		start_timeout(bus, &bus->timeouts[i]);
		return TRUE;
	}
	return FALSE;
}

static struct bus_timeout *find_timeout(struct bus *bus, const DBusTimeout *timeout)
{
	for (size_t i = 0; i < BUS_TIMEOUTS_MAX; i++) {
		if (bus->timeouts[i].timeout == timeout)
			return &bus->timeouts[i];
	}
	return NULL;
}

static void on_timeout_toggle(DBusTimeout *timeout, void *data)
{
	struct bus *bus = data;
	struct bus_timeout *t = find_timeout(bus, timeout);

	if (t)
		start_timeout(bus, t);
}

static void on_timeout_remove(DBusTimeout *timeout, void *data)
{
	struct bus *bus = data;
	struct bus_timeout *t = find_timeout(bus, timeout);

	if (t)
		t->timeout = NULL;
}

/* Messages */

static void lose(struct bus *bus, const char *why)
{
	if (bus->lost)
		return;
	bus->lost = true;
	bus->up = false;
	bus->calls->on_lost(bus->ctx, why);
}

static DBusHandlerResult on_message(DBusConnection *connection, DBusMessage *message, void *data)
{
	struct bus *bus = data;

	(void)connection;
	if (dbus_message_is_signal(message, DBUS_INTERFACE_LOCAL, "Disconnected"))
		lose(bus, "the system bus is gone");
	else if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_SIGNAL)
		bus->calls->on_signal(bus->ctx, message);
	else if (dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_METHOD_CALL)
		bus->calls->on_call(bus->ctx, message);
	return DBUS_HANDLER_RESULT_HANDLED;
}

static void pump(struct bus *bus)
{
	for (size_t i = 0; i < BUS_TURN_MAX && bus->connection; i++) {
		if (dbus_connection_dispatch(bus->connection) != DBUS_DISPATCH_DATA_REMAINS)
			break;
	}
	if (bus->connection)
		arm(bus);
}

/* Both watches of the descriptor get what concerns them. The list may change while we call. */
void bus_on_fd(struct bus *bus, int fd, uint32_t events)
{
	for (size_t i = 0; i < BUS_WATCHES_MAX && bus->connection; i++) {
		DBusWatch *watch = bus->watches[i];
		unsigned flags = 0, wants;

		if (!watch || dbus_watch_get_unix_fd(watch) != fd || !dbus_watch_get_enabled(watch))
			continue;
		wants = dbus_watch_get_flags(watch);
		if (events & POLLIN)
			flags |= wants & DBUS_WATCH_READABLE;
		if (events & POLLOUT)
			flags |= wants & DBUS_WATCH_WRITABLE;
		if (flags)
			(void)dbus_watch_handle(watch, flags);
	}
	pump(bus);
}

void bus_on_timer(struct bus *bus)
{
	uint64_t now = gwa(bus->host)->now_ms(bus->host);

	for (size_t i = 0; i < BUS_TIMEOUTS_MAX && bus->connection; i++) {
		struct bus_timeout *t = &bus->timeouts[i];

		if (!t->timeout || !dbus_timeout_get_enabled(t->timeout) || t->due_ms > now)
			continue;
		t->due_ms = now + (uint64_t)dbus_timeout_get_interval(t->timeout);
		(void)dbus_timeout_handle(t->timeout);
	}
	pump(bus);
}

static void on_pending(DBusPendingCall *pending, void *data)
{
	struct bus_call *call = data;
	struct bus_call was = *call;
	DBusMessage *reply = dbus_pending_call_steal_reply(pending);

	call->pending = NULL;
	if (was.on_reply)
		was.on_reply(was.ctx, reply);
	if (reply)
		dbus_message_unref(reply);
	dbus_pending_call_unref(pending);
}

static struct bus_call *free_call(struct bus *bus)
{
	for (size_t i = 0; i < BUS_CALLS_MAX; i++) {
		if (!bus->pending[i].pending)
			return &bus->pending[i];
	}
	return NULL;
}

static int send_call(struct bus *bus, DBusMessage *message, int timeout_ms, bus_reply_fn on_reply, void *ctx)
{
	struct bus_call *call = free_call(bus);
	DBusPendingCall *pending = NULL;

	if (!call)
		return BUS_E_FULL;
	if (!dbus_connection_send_with_reply(bus->connection, message, &pending, timeout_ms))
		return -ENOMEM;
	if (!pending)
		return -ENOTCONN;
	*call = (struct bus_call){ .bus = bus, .pending = pending, .on_reply = on_reply, .ctx = ctx };
	if (!dbus_pending_call_set_notify(pending, on_pending, call, NULL)) {
		dbus_pending_call_cancel(pending);
		dbus_pending_call_unref(pending);
		call->pending = NULL;
		return -ENOMEM;
	}
	return 0;
}

int bus_call(struct bus *bus, DBusMessage *message, int timeout_ms, bus_reply_fn on_reply, void *ctx)
{
	int r = -ENOTCONN;

	if (!message)
		return -ENOMEM;
	if (bus->connection && !bus->lost)
		r = send_call(bus, message, timeout_ms, on_reply, ctx);
	dbus_message_unref(message);
	return r;
}

void bus_answer(struct bus *bus, DBusMessage *reply)
{
	if (!reply)
		return;
	if (bus->connection && !bus->lost)
		(void)dbus_connection_send(bus->connection, reply, NULL);
	dbus_message_unref(reply);
}

void bus_forget(struct bus *bus, const void *ctx)
{
	for (size_t i = 0; i < BUS_CALLS_MAX; i++) {
		if (bus->pending[i].pending && bus->pending[i].ctx == ctx)
			bus->pending[i].on_reply = NULL;
	}
}

/* Without a place for an error libdbus only sends and does not wait. */
void bus_match(struct bus *bus, const char *rule, bool on)
{
	if (!bus->connection || !bus->up)
		return;
	if (on)
		dbus_bus_add_match(bus->connection, rule, NULL);
	else
		dbus_bus_remove_match(bus->connection, rule, NULL);
}

static void on_hello(void *ctx, DBusMessage *reply)
{
	struct bus *bus = ctx;
	const char *name;

	if (!reply || dbus_message_get_type(reply) != DBUS_MESSAGE_TYPE_METHOD_RETURN ||
	    !dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID) ||
	    !dbus_bus_set_unique_name(bus->connection, name)) {
		lose(bus, "the system bus does not let us in");
		return;
	}
	bus->up = true;
	bus->calls->on_up(bus->ctx);
}

/* Open and close */

static int connect_to(struct bus *bus, const char *path)
{
	char *escaped = dbus_address_escape_value(path);
	char address[3 * BUS_PATH_MAX + 16];
	DBusError error = DBUS_ERROR_INIT;
	int r = 0;

	if (!escaped)
		return -ENOMEM;
	if (!text_print(address, sizeof(address), "unix:path=%s", escaped))
		r = -ENAMETOOLONG;
	dbus_free(escaped);
	if (r)
		return r;
	bus->connection = dbus_connection_open_private(address, &error);
	if (!bus->connection)
		r = dbus_error_has_name(&error, DBUS_ERROR_NO_MEMORY) ? -ENOMEM : -ECONNREFUSED;
	dbus_error_free(&error);
	return r;
}

static int set_up(struct bus *bus)
{
	DBusConnection *c = bus->connection;

	dbus_connection_set_exit_on_disconnect(c, FALSE);
	dbus_connection_set_max_message_size(c, BUS_MESSAGE_MAX);
	dbus_connection_set_max_received_size(c, BUS_BACKLOG_MAX);
	/* Nobody has a reason to hand us descriptors. The second limit is where libdbus stops to read: at 0 it never begins. */
	dbus_connection_set_max_message_unix_fds(c, 0);
	dbus_connection_set_max_received_unix_fds(c, 1);
	if (!dbus_connection_set_watch_functions(c, on_watch_add, on_watch_remove, on_watch_toggle, bus, NULL) ||
	    !dbus_connection_set_timeout_functions(c, on_timeout_add, on_timeout_remove, on_timeout_toggle, bus, NULL) ||
	    !dbus_connection_add_filter(c, on_message, bus, NULL))
		return -ENOMEM;
	return bus_call(bus, dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "Hello"),
			HELLO_MS, on_hello, bus);
}

int bus_open(struct bus *bus, gwa_host *host, uint32_t timer, const char *path, const struct bus_calls *calls, void *ctx)
{
	int r;

	*bus = (struct bus){ .host = host, .timer = timer, .calls = calls, .ctx = ctx };
	dbus_connection_set_change_sigpipe(FALSE);
	r = connect_to(bus, path);
	if (!r)
		r = set_up(bus);
	if (r)
		bus_close(bus);
	return r;
}

static void end_calls(struct bus *bus)
{
	for (size_t i = 0; i < BUS_CALLS_MAX; i++) {
		struct bus_call was = bus->pending[i];

		if (!was.pending)
			continue;
		bus->pending[i].pending = NULL;
		dbus_pending_call_cancel(was.pending);
		dbus_pending_call_unref(was.pending);
		if (was.on_reply)
			was.on_reply(was.ctx, NULL);
	}
}

void bus_close(struct bus *bus)
{
	DBusConnection *c = bus->connection;

	if (!c)
		return;
	bus->lost = true;
	bus->up = false;
	end_calls(bus);
	dbus_connection_remove_filter(c, on_message, bus);
	dbus_connection_close(c);
	dbus_connection_set_watch_functions(c, NULL, NULL, NULL, NULL, NULL);
	dbus_connection_set_timeout_functions(c, NULL, NULL, NULL, NULL, NULL);
	bus->connection = NULL;
	dbus_connection_unref(c);
	gwa(bus->host)->timer(bus->host, bus->timer, 0);
}
