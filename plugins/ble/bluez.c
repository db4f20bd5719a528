/* bluetoothd comes and goes with its adapters; each time all that we asked of it is gone with it. So nothing here is
 * remembered about it that it does not say: its name's owner begins everything anew, and each adapter goes the same steps,
 * power, filter, start, whenever it is found somewhere else.
 *
 * "Discovering" falls and rises by itself in between (BlueZ rests for some seconds in each round); only when it stays low
 * for BLUEZ_SILENT_MS is the scan begun again.
 */
#include "ble/bluez.h"

#include <string.h>
#include "base/text.h"
#include "ble/scan.h"

#define PROPERTIES DBUS_INTERFACE_PROPERTIES
#define MANAGER "org.freedesktop.DBus.ObjectManager"

bool bluez_is_there(const struct bluez *bluez)
{
	return bluez->owner[0] != '\0';
}

bool bluez_is_owner(const struct bluez *bluez, DBusMessage *message)
{
	const char *sender = dbus_message_get_sender(message);

	return sender && bluez_is_there(bluez) && strcmp(sender, bluez->owner) == 0;
}

DBusMessage *bluez_message(const struct bluez *bluez, const char *path, const char *interface, const char *method)
{
	DBusMessage *message = dbus_message_new_method_call(bluez->owner, path, interface, method);

	if (message)
		dbus_message_set_auto_start(message, FALSE);
	return message;
}

static uint64_t now_of(const struct bluez *bluez)
{
	return gwa(bluez->host)->now_ms(bluez->host);
}

static void arm(struct bluez *bluez)
{
	uint64_t now = now_of(bluez), first = bluez->ask_ms;

	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		if (bluez->adapters[i].present && bluez->adapters[i].due_ms < first)
			first = bluez->adapters[i].due_ms;
	}
	gwa(bluez->host)->timer(bluez->host, bluez->timer,
				first == UINT64_MAX ? 0 : first > now ? (uint32_t)(first - now) : 1);
}

/* Subscriptions */

static bool device_rule(const struct props_path *path, char *ret, size_t cap)
{
	char text[PROPS_PATH_MAX];

	return props_path_print(path, text, sizeof(text)) &&
	       text_print(ret, cap, "type='signal',sender='" BLUEZ_NAME "',interface='" PROPERTIES "',path_namespace='%s'", text);
}

static void rule_for(struct bluez *bluez, uint8_t adapter, const uint8_t mac[6], bool on)
{
	struct props_path path = { .adapter = adapter, .has_device = true };
	char rule[256];

	memcpy(path.mac, mac, 6);
	if (on && bluez->n_rules >= BLUEZ_RULES_MAX) {
		if (!bluez->broad)
			bus_match(bluez->bus, "type='signal',sender='" BLUEZ_NAME "',interface='" PROPERTIES "'", true);
		bluez->broad = true;
		return;
	}
	if (!device_rule(&path, rule, sizeof(rule)))
		return;
	bus_match(bluez->bus, rule, on);
	bluez->n_rules = on ? bluez->n_rules + 1 : bluez->n_rules ? bluez->n_rules - 1 : 0;
}

void bluez_watch(struct bluez *bluez, const uint8_t mac[6], bool on)
{
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		if (bluez->adapters[i].present)
			rule_for(bluez, bluez->adapters[i].number, mac, on);
	}
}

static void watch_all(struct bluez *bluez, uint8_t adapter, bool on)
{
	uint8_t mac[6];

	for (size_t i = 0; bluez->calls->known(bluez->ctx, i, mac); i++)
		rule_for(bluez, adapter, mac, on);
}

/* Adapters */

static void tell_listening(struct bluez *bluez)
{
	bool listening = false;

	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++)
		listening |= bluez->adapters[i].present && bluez->adapters[i].step == BLUEZ_SCANNING;
	if (bluez->listening == listening)
		return;
	bluez->listening = listening;
	bluez->calls->on_listening(bluez->ctx, listening);
}

static void step_to(struct bluez_adapter *adapter, enum bluez_step step)
{
	adapter->step = step;
	adapter->due_ms = UINT64_MAX;
	if (step == BLUEZ_SCANNING)
		adapter->wait_ms = 0;
	tell_listening(adapter->bluez);
}

static void again(struct bluez_adapter *adapter)
{
	struct bluez *bluez = adapter->bluez;

	adapter->wait_ms = adapter->wait_ms ? adapter->wait_ms * 2 : BLUEZ_AGAIN_MS;
	if (adapter->wait_ms > BLUEZ_AGAIN_MOST_MS)
		adapter->wait_ms = BLUEZ_AGAIN_MOST_MS;
	step_to(adapter, BLUEZ_IDLE);
	adapter->due_ms = now_of(bluez) + adapter->wait_ms;
	arm(bluez);
}

static void go_on(struct bluez_adapter *adapter);

/* Whoever scans already is as good as started. */
static void on_step(void *ctx, DBusMessage *reply)
{
	struct bluez_adapter *adapter = ctx;
	const char *error = props_error(reply);
	char text[128];

	adapter->asked = false;
	if (!adapter->present || !reply)
		return;
	if (error[0] && strcmp(error, "InProgress") != 0 && strcmp(error, "AlreadyExists") != 0) {
		text_print(text, sizeof(text), "hci%u: %s", adapter->number, error);
		adapter->bluez->calls->on_odd(adapter->bluez->ctx, false, text);
		again(adapter);
		return;
	}
	/* Whether it is powered is said by its property, before or after this. */
	if (adapter->step == BLUEZ_IDLE && adapter->powered) {
		go_on(adapter);
	} else if (adapter->step == BLUEZ_FILTERING) {
		step_to(adapter, BLUEZ_STARTING);
		go_on(adapter);
	} else if (adapter->step == BLUEZ_STARTING) {
		step_to(adapter, BLUEZ_SCANNING);
		if (!adapter->discovering && !adapter->bluez->passive) {
			adapter->due_ms = now_of(adapter->bluez) + BLUEZ_SILENT_MS;
			arm(adapter->bluez);
		}
	}
}

static void ask(struct bluez_adapter *adapter, DBusMessage *message)
{
	if (bus_call(adapter->bluez->bus, message, BLUEZ_CALL_MS, on_step, adapter))
		again(adapter);
	else
		adapter->asked = true;
}

static void go_on(struct bluez_adapter *adapter)
{
	struct bluez *bluez = adapter->bluez;
	struct props_path path = { .adapter = adapter->number };
	char text[PROPS_PATH_MAX];

	if (adapter->asked || !bluez_is_there(bluez) || !props_path_print(&path, text, sizeof(text)))
		return;
	if (!adapter->powered) {
		step_to(adapter, BLUEZ_POWERING);
		ask(adapter, scan_power_on(bluez, text));
	} else if (adapter->step != BLUEZ_STARTING && adapter->step != BLUEZ_SCANNING) {
		step_to(adapter, BLUEZ_FILTERING);
		if (bluez->passive && adapter->monitors)
			ask(adapter, scan_register(bluez, text));
		else
			ask(adapter, scan_filter(bluez, text));
	} else if (adapter->step == BLUEZ_STARTING) {
		if (bluez->passive && adapter->monitors)
			step_to(adapter, BLUEZ_SCANNING);
		else
			ask(adapter, bluez_message(bluez, text, "org.bluez.Adapter1", "StartDiscovery"));
	}
}

static struct bluez_adapter *find_adapter(struct bluez *bluez, uint8_t number)
{
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		if (bluez->adapters[i].present && bluez->adapters[i].number == number)
			return &bluez->adapters[i];
	}
	return NULL;
}

static bool pick_one(const char *text, size_t len, struct bluez_picks *picks)
{
	uint8_t *address = picks->all[picks->n].address;
	char copy[18], *digits = copy + 3;
	uint32_t number;

	picks->all[picks->n].by_address = len == 17;
	if (!text_copy_n(copy, sizeof(copy), text, len))
		return false;
	for (size_t i = 0; len == 17 && i < 6; i++) {
		if (hex_parse(copy + 3 * i, 2, address + i, 1) || (i < 5 && copy[3 * i + 2] != ':'))
			return false;
	}
	if (len != 17 && (strncmp(copy, "hci", 3) != 0 || text_to_u32(digits, 0, UINT8_MAX, &number)))
		return false;
	if (len != 17)
		picks->all[picks->n].number = (uint8_t)number;
	picks->n++;
	return true;
}

int bluez_picks_read(const char *text, struct bluez_picks *ret)
{
	struct bluez_picks picks = { 0 };

	for (;;) {
		size_t len = strcspn(text, ",");

		if (picks.n == BLUEZ_ADAPTERS_MAX || len < 4 || !pick_one(text, len, &picks))
			return BLUEZ_E_SYNTAX;
		if (!text[len])
			break;
		text += len + 1;
	}
	*ret = picks;
	return 0;
}

bool bluez_picks_have(const struct bluez_picks *picks, uint8_t number, const uint8_t address[6])
{
	for (size_t i = 0; i < picks->n; i++) {
		if (picks->all[i].by_address ? memcmp(picks->all[i].address, address, 6) == 0 : picks->all[i].number == number)
			return true;
	}
	return picks->n == 0;
}

static struct bluez_adapter *add_adapter(struct bluez *bluez, uint8_t number, const struct props *props)
{
	if (!bluez_picks_have(&bluez->picks, number, props->address))
		return NULL;
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		struct bluez_adapter *adapter = &bluez->adapters[i];

		if (adapter->present)
			continue;
		bus_forget(bluez->bus, adapter);
		*adapter = (struct bluez_adapter){ .bluez = bluez, .present = true, .number = number, .due_ms = UINT64_MAX };
		watch_all(bluez, number, true);
		return adapter;
	}
	bluez->calls->on_odd(bluez->ctx, false, "more adapters than we use");
	return NULL;
}

static void drop_adapter(struct bluez_adapter *adapter)
{
	adapter->present = false;
	bus_forget(adapter->bluez->bus, adapter);
	adapter->asked = false;
	watch_all(adapter->bluez, adapter->number, false);
	tell_listening(adapter->bluez);
}

static void change_adapter(struct bluez_adapter *adapter, const struct props *props)
{
	if (props->has & HAS_POWERED && adapter->powered != props->powered) {
		adapter->powered = props->powered;
		if (!props->powered)
			again(adapter);
		else if (adapter->step == BLUEZ_POWERING || adapter->step == BLUEZ_SCANNING)
			step_to(adapter, BLUEZ_IDLE);
	}
	if (props->has & HAS_DISCOVERING) {
		adapter->discovering = props->discovering;
		if (adapter->step == BLUEZ_SCANNING && !adapter->bluez->passive)
			adapter->due_ms = props->discovering ? UINT64_MAX : now_of(adapter->bluez) + BLUEZ_SILENT_MS;
	}
	if (adapter->step == BLUEZ_IDLE && adapter->due_ms == UINT64_MAX)
		go_on(adapter);
	else if (adapter->step == BLUEZ_IDLE && adapter->powered)
		go_on(adapter);
	arm(adapter->bluez);
}

static void on_adapter(struct bluez *bluez, uint8_t number, enum props_interface interface, const struct props *props)
{
	struct bluez_adapter *adapter = find_adapter(bluez, number);

	if (!props) {
		if (adapter && interface == PROPS_ADAPTER)
			drop_adapter(adapter);
		return;
	}
	if (!adapter && interface == PROPS_ADAPTER && bluez->whole)
		adapter = add_adapter(bluez, number, props);
	if (!adapter)
		return;
	if (interface == PROPS_MONITORS)
		adapter->monitors |= props->has & HAS_MONITOR_TYPES && props->or_patterns;
	else
		change_adapter(adapter, props);
}

/* Objects */

static void on_object(void *ctx, const char *text, enum props_interface interface, const struct props *props)
{
	struct bluez *bluez = ctx;
	struct props_path path;

	if (props && props->odd)
		bluez->calls->on_odd(bluez->ctx, true, "a property of another type than BlueZ's");
	if (props_path_read(text, &path))
		return;
	if (!path.has_device)
		on_adapter(bluez, path.adapter, interface, props);
	else
		bluez->calls->on_object(bluez->ctx, &path, interface, props, bluez->whole);
}

/* Monitors are said after the adapter that has them, and decide how it scans: so they are read first. */
static void on_monitors(void *ctx, const char *text, enum props_interface interface, const struct props *props)
{
	struct bluez *bluez = ctx;
	struct props_path path;
	struct bluez_adapter *adapter;

	if (props_path_read(text, &path) || path.has_device || (interface != PROPS_MONITORS && interface != PROPS_ADAPTER))
		return;
	adapter = find_adapter(bluez, path.adapter);
	if (!adapter && interface == PROPS_ADAPTER)
		adapter = add_adapter(bluez, path.adapter, props);
	if (adapter && interface == PROPS_MONITORS)
		adapter->monitors |= props->has & HAS_MONITOR_TYPES && props->or_patterns;
}

static void ask_later(struct bluez *bluez)
{
	bluez->ask_wait_ms = bluez->ask_wait_ms ? bluez->ask_wait_ms * 2 : BLUEZ_AGAIN_MS;
	if (bluez->ask_wait_ms > BLUEZ_AGAIN_MOST_MS)
		bluez->ask_wait_ms = BLUEZ_AGAIN_MOST_MS;
	bluez->ask_ms = now_of(bluez) + bluez->ask_wait_ms;
	arm(bluez);
}

static void on_objects(void *ctx, DBusMessage *reply)
{
	struct bluez *bluez = ctx;
	int r = -EIO;

	if (!reply || !bluez_is_there(bluez))
		return;
	bluez->whole = bluez->kept = true;
	if (dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN)
		r = props_managed(reply, on_monitors, bluez);
	if (!r)
		r = props_managed(reply, on_object, bluez);
	bluez->whole = bluez->kept = false;
	if (r) {
		bluez->calls->on_odd(bluez->ctx, false, "BlueZ does not say its objects");
		ask_later(bluez);
		return;
	}
	bluez->ask_wait_ms = 0;
}

static void ask_objects(struct bluez *bluez)
{
	bluez->ask_ms = UINT64_MAX;
	if (bluez_is_there(bluez) &&
	    bus_call(bluez->bus, bluez_message(bluez, "/", MANAGER, "GetManagedObjects"), BLUEZ_CALL_MS, on_objects, bluez))
		ask_later(bluez);
}

/* There and gone */

static void set_owner(struct bluez *bluez, const char *owner)
{
	if (text_equal(bluez->owner, owner))
		return;
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		if (bluez->adapters[i].present)
			drop_adapter(&bluez->adapters[i]);
	}
	if (!text_copy(bluez->owner, sizeof(bluez->owner), owner))
		bluez->owner[0] = '\0';
	bluez->ask_wait_ms = 0;
	gwa(bluez->host)->log(bluez->host, 6, bluez_is_there(bluez) ? "bluetoothd is there" : "bluetoothd is gone");
	bluez->calls->on_there(bluez->ctx, bluez_is_there(bluez));
	if (bluez_is_there(bluez))
		ask_objects(bluez);
	arm(bluez);
}

static void on_name_owner(void *ctx, DBusMessage *reply)
{
	const char *owner;

	if (reply && dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_METHOD_RETURN &&
	    dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &owner, DBUS_TYPE_INVALID))
		set_owner(ctx, owner);
}

void bluez_signal(struct bluez *bluez, DBusMessage *signal)
{
	const char *owner;
	int r = 0;

	if (dbus_message_has_sender(signal, DBUS_SERVICE_DBUS)) {
		if (dbus_message_is_signal(signal, DBUS_INTERFACE_DBUS, "NameOwnerChanged") &&
		    !props_owner(signal, BLUEZ_NAME, &owner))
			set_owner(bluez, owner);
		return;
	}
	if (!bluez_is_owner(bluez, signal))
		return;
	bluez->whole = dbus_message_is_signal(signal, MANAGER, "InterfacesAdded");
	if (bluez->whole)
		r = props_added(signal, on_monitors, bluez);
	if (bluez->whole && !r)
		r = props_added(signal, on_object, bluez);
	else if (dbus_message_is_signal(signal, MANAGER, "InterfacesRemoved"))
		r = props_removed(signal, on_object, bluez);
	else if (dbus_message_is_signal(signal, PROPERTIES, "PropertiesChanged"))
		r = props_changed(signal, on_object, bluez);
	bluez->whole = false;
	if (r)
		bluez->calls->on_odd(bluez->ctx, true, "a malformed signal");
}

void bluez_on_timer(struct bluez *bluez)
{
	uint64_t now = now_of(bluez);

	if (bluez->ask_ms <= now)
		ask_objects(bluez);
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		struct bluez_adapter *adapter = &bluez->adapters[i];

		if (!adapter->present || adapter->due_ms > now)
			continue;
		if (adapter->step == BLUEZ_SCANNING) {
			again(adapter);
			continue;
		}
		adapter->due_ms = UINT64_MAX;
		go_on(adapter);
	}
	arm(bluez);
}

void bluez_open_ears(struct bluez *bluez, bool open)
{
	if (open)
		ask_objects(bluez);
	if (bluez->open == open)
		return;
	bluez->open = open;
	bus_match(bluez->bus, "type='signal',sender='" BLUEZ_NAME "',interface='" PROPERTIES "',arg0='org.bluez.Device1'", open);
}

void bluez_forget(struct bluez *bluez, const uint8_t mac[6])
{
	struct props_path path = { .has_device = true };
	char adapter[PROPS_PATH_MAX], device[PROPS_PATH_MAX];
	const char *object = device;

	memcpy(path.mac, mac, 6);
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++) {
		DBusMessage *message;

		path.adapter = bluez->adapters[i].number;
		if (!bluez->adapters[i].present || !props_path_print(&path, device, sizeof(device)) ||
		    !props_path_print(&(struct props_path){ .adapter = path.adapter }, adapter, sizeof(adapter)))
			continue;
		message = bluez_message(bluez, adapter, "org.bluez.Adapter1", "RemoveDevice");
		if (message && dbus_message_append_args(message, DBUS_TYPE_OBJECT_PATH, &object, DBUS_TYPE_INVALID))
			(void)!bus_call(bluez->bus, message, BLUEZ_CALL_MS, NULL, NULL);
		else if (message)
			dbus_message_unref(message);
	}
}

void bluez_init(struct bluez *bluez, gwa_host *host, struct bus *bus, uint32_t timer, bool passive, const struct bluez_calls *calls,
		void *ctx)
{
	*bluez = (struct bluez){ .host = host, .bus = bus, .timer = timer, .passive = passive, .calls = calls, .ctx = ctx,
				 .ask_ms = UINT64_MAX };
}

void bluez_up(struct bluez *bluez)
{
	static const char *const rules[] = {
		"type='signal',sender='" DBUS_SERVICE_DBUS "',interface='" DBUS_INTERFACE_DBUS
		"',member='NameOwnerChanged',arg0='" BLUEZ_NAME "'",
		"type='signal',sender='" BLUEZ_NAME "',interface='" MANAGER "'",
		"type='signal',sender='" BLUEZ_NAME "',interface='" PROPERTIES "',arg0='org.bluez.Adapter1'",
	};
	const char *name = BLUEZ_NAME;
	DBusMessage *message =
		dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "GetNameOwner");

	for (size_t i = 0; i < N_ELEMENTS(rules); i++)
		bus_match(bluez->bus, rules[i], true);
	if (message && dbus_message_append_args(message, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID))
		(void)!bus_call(bluez->bus, message, BLUEZ_CALL_MS, on_name_owner, bluez);
	else if (message)
		dbus_message_unref(message);
}
