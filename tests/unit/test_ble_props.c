/* What a bus may carry: BlueZ's messages, and messages that only look like them. And the limits of bus, bluez and beacons. */
#include "ble_host.h"

static void test_paths(void **state)
{
	static const char *const good[] = { "/org/bluez/hci0", "/org/bluez/hci255/dev_C1_22_33_44_55_66",
					    "/org/bluez/hci3/dev_C1_22_33_44_55_66/service0010",
					    "/org/bluez/hci3/dev_C1_22_33_44_55_66/service0010/char0a1b" };
	static const char *const bad[] = { "",
					   "/",
					   "/org/bluez",
					   "/org/bluez/hci",
					   "/org/bluez/hci256",
					   "/org/bluez/hci99999999999",
					   "/org/bluez/hci0/",
					   "/org/bluez/hci0x",
					   "/org/bluez/hci0/dev_C1_22_33_44_55",
					   "/org/bluez/hci0/dev_C1_22_33_44_55_6",
					   "/org/bluez/hci0/dev_C1_22_33_44_55_GG",
					   "/org/bluez/hci0/dev_C1_22_33_44_55_66/service001",
					   "/org/bluez/hci0/dev_C1_22_33_44_55_66/char0011",
					   "/org/bluez/hci0/dev_C1_22_33_44_55_66/service0010/char0a1b/desc0012" };
	char text[PROPS_PATH_MAX];
	struct props_path path;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		check_ok(props_path_read(good[i], &path));
		check_true(props_path_print(&path, text, sizeof(text)));
		check_text(text, good[i]);
		check_true(!props_path_print(&path, text, strlen(good[i])));
	}
	check_uint(path.characteristic, 0x0a1b);
	check_uint(path.mac[0], 0xc1);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_int(props_path_read(bad[i], &path), PROPS_E_MALFORMED);
}

static void test_uuids(void **state)
{
	uint8_t whole[16];
	uint16_t uuid;

	(void)state;
	check_ok(props_uuid("0000fcd2-0000-1000-8000-00805f9b34fb", &uuid, whole));
	check_uint(uuid, 0xfcd2);
	check_ok(props_uuid("CBA20D00-224D-11E6-9FB8-0002A5D5C51B", &uuid, whole));
	check_uint(uuid, 0);
	check_uint(whole[0], 0xcb);
	check_int(props_uuid("fcd2", &uuid, whole), PROPS_E_MALFORMED);
	check_int(props_uuid("0000fcd2-0000-1000-8000-00805f9b34f", &uuid, whole), PROPS_E_MALFORMED);
	check_int(props_uuid("0000fcd2+0000-1000-8000-00805f9b34fb", &uuid, whole), PROPS_E_MALFORMED);
	check_int(props_uuid("0000fcdx-0000-1000-8000-00805f9b34fb", &uuid, whole), PROPS_E_MALFORMED);
}

static void count_objects(void *ctx, const char *path, enum props_interface interface, const struct props *props)
{
	(void)path, (void)interface, (void)props;
	++*(size_t *)ctx;
}

static DBusMessage *device_message(struct fake_host *host)
{
	DBusMessage *message = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);

	dbus_message_set_reply_serial(message, 7);
	dbus_message_set_serial(message, 9);
	fb_put_objects(host->fb, message);
	return message;
}

/* The whole of a house, its every byte changed: what is no message any more is refused by libdbus, what is one by us. */
static void test_spoiled_messages(void **state)
{
	static const uint8_t mac[6] = { 0xc1, 1, 2, 3, 4, 5 };
	struct fake_host *host = open_plugin();
	struct fb_device *d = fb_device(host->fb, mac);
	size_t objects = 0, read = 0;
	DBusMessage *message;
	char *bytes;
	int len;

	(void)state;
	d->name = "x";
	d->service = 0x181a;
	d->present = d->resolved = true;
	d->uuid = 0xfcd2;
	d->len = 3;
	d->n_chars = 1;
	d->chars[0] = (struct fb_char){ 1, 2, 0x2a19, { "read" }, { 1 }, 1, false };
	message = device_message(host);
	check_ok(props_managed(message, count_objects, &objects));
	check_uint(objects, 3);
	check_true(dbus_message_marshal(message, &bytes, &len));
	dbus_message_unref(message);
	for (int i = 0; i < len; i++) {
		for (unsigned k = 0; k < 3; k++) {
			char was = bytes[i];

			bytes[i] = (char)(k == 0 ? was ^ 1 : k == 1 ? 'v' : was + 1);
			message = dbus_message_demarshal(bytes, len, NULL);
			bytes[i] = was;
			if (!message)
				continue;
			read += props_managed(message, count_objects, &objects) == 0;
			(void)!props_added(message, count_objects, &objects);
			(void)!props_changed(message, count_objects, &objects);
			(void)!props_removed(message, count_objects, &objects);
			dbus_message_unref(message);
		}
	}
	check_true(read > 100);
	dbus_free(bytes);
	close_plugin(host);
}

/* Every property as every other type: none of them is taken, none of them does harm. */
static void test_other_types(void **state)
{
	static const char *const keys[] = { "Address", "AddressType",	    "Connected", "Discovering",	     "Flags",
					    "Name",    "ManufacturerData",  "Notifying", "Paired",	     "Powered",
					    "RSSI",    "ServiceData",	    "UUID",	 "ServicesResolved", "UUIDs",
					    "Value",   "SupportedMonitorTypes" };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
		DBusMessageIter at, dict;
		DBusMessage *signal = fb_changed("/org/bluez/hci0", "org.bluez.Device1", &at, &dict);
		uint64_t number = 1;
		struct props props;

		fb_put(&dict, keys[i], DBUS_TYPE_UINT64, &number);
		dbus_message_iter_close_container(&at, &dict);
		dbus_message_iter_init(signal, &at);
		dbus_message_iter_next(&at);
		props_read(&at, &props);
		check_uint(props.has, 0);
		check_uint(props.odd, 1);
		dbus_message_iter_init(signal, &at);
		props_read(&at, &props); /* no dictionary at all */
		check_uint(props.odd, 1);
		dbus_message_unref(signal);
	}
}

/* More parts, more uuids than we keep. */
static void test_many_parts(void **state)
{
	char texts[PROPS_UUIDS_MAX + 8][40];
	const char *all[PROPS_UUIDS_MAX + 8];
	DBusMessageIter at, dict, entry, variant, parts, part;
	DBusMessage *signal = fb_changed("/org/bluez/hci0", "org.bluez.Device1", &at, &dict);
	const char *key = "ManufacturerData";
	struct props props;

	(void)state;
	for (uint16_t i = 0; i < N_ELEMENTS(all); i++)
		all[i] = fb_uuid((uint16_t)(0x1800 + i), texts[i]);
	fb_put_texts(&dict, "UUIDs", all, N_ELEMENTS(all));
	dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "a{qv}", &variant);
	dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "{qv}", &parts);
	for (uint16_t i = 0; i < PROPS_PARTS_MAX + 4; i++) {
		dbus_message_iter_open_container(&parts, DBUS_TYPE_DICT_ENTRY, NULL, &part);
		dbus_message_iter_append_basic(&part, DBUS_TYPE_UINT16, &i);
		fb_put_bytes_variant(&part, (const uint8_t *)"x", 1);
		dbus_message_iter_close_container(&parts, &part);
	}
	dbus_message_iter_close_container(&variant, &parts);
	dbus_message_iter_close_container(&entry, &variant);
	dbus_message_iter_close_container(&dict, &entry);
	dbus_message_iter_close_container(&at, &dict);
	dbus_message_iter_init(signal, &at);
	dbus_message_iter_next(&at);
	props_read(&at, &props);
	check_uint(props.n_uuids, PROPS_UUIDS_MAX);
	check_uint(props.n_makers, PROPS_PARTS_MAX);
	check_uint(props.odd, 0);
	dbus_message_unref(signal);
}

static void on_reply(void *ctx, DBusMessage *reply)
{
	*(int *)ctx += reply ? 1 : 100;
}

/* BUS_CALLS_MAX calls wait (BUS_TIMEOUTS_MAX holds the time-outs of all of them); each is answered once. */
static void test_bus_limits(void **state)
{
	struct fake_host *host = open_plugin();
	int answered = 0, taken = 0, r = 0;

	(void)state;
	check_true(BUS_TIMEOUTS_MAX - BUS_CALLS_MAX > 0);
	host->fb->fail = "Ping";
	for (int i = 0; i < BUS_CALLS_MAX + 8; i++) {
		r = bus_call(&host->self->bus, bluez_message(&host->self->bluez, "/", "x.y", "Ping"), 5000, on_reply, &answered);
		taken += r == 0;
	}
	check_int(r, BUS_E_FULL);
	check_int(taken, BUS_CALLS_MAX);
	settle(host);
	check_int(answered, 0);
	pass(host, 6000);
	check_int(answered, taken);
	/* Who is forgotten is not answered, the others are told when it ends. */
	check_ok(bus_call(&host->self->bus, bluez_message(&host->self->bluez, "/", "x.y", "Ping"), 5000, on_reply, &taken));
	check_ok(bus_call(&host->self->bus, bluez_message(&host->self->bluez, "/", "x.y", "Ping"), 5000, on_reply, &answered));
	bus_forget(&host->self->bus, &taken);
	ble_ops.close(host->self);
	check_int(taken, BUS_CALLS_MAX);
	check_int(answered, BUS_CALLS_MAX + 100);
	check_ok(start_plugin(host, NULL));
	settle(host);
	check_true(host->self->bluez.listening);
	/* A path that no socket has, the longest one. */
	{
		char path[BUS_PATH_MAX + 8];
		struct gwa_opt opt = { "bus", path };
		gwa_self *self;

		memset(path, 'a', sizeof(path));
		path[0] = '/';
		path[sizeof(path) - 1] = '\0';
		check_int(ble_ops.open((gwa_host *)(void *)host, &opt, 1, &self), -EINVAL);
	}
	close_plugin(host);
}

/* A flood is taken in turns of BUS_TURN_MAX; what is longer than BUS_MESSAGE_MAX ends the connection, and BUS_BACKLOG_MAX is
 * what may wait; two of BUS_WATCHES_MAX are used. */
static void test_flood(void **state)
{
	static const uint8_t mac[6] = { 0xa4, 0xc1, 0x38, 1, 2, 3 };
	struct fake_host *host = open_plugin();
	uint8_t bytes[] = { 0x40, 0x02, 0xca, 0x09 };

	(void)state;
	check_true(BUS_BACKLOG_MAX >= BUS_MESSAGE_MAX && BUS_WATCHES_MAX >= 2);
	permit(host, 60, NULL, NULL, 0);
	for (int i = 0; i < 20 * BUS_TURN_MAX; i++) {
		bytes[2] = (uint8_t)i;
		fb_beacon(host->fb, mac, 0xfcd2, bytes, sizeof(bytes));
	}
	settle(host);
	check_uint(count(host, 'u'), 1);
	check_uint(count(host, 'r'), 1); /* a measurement is said each ten seconds */
	close_plugin(host);
}

/* An owner's name of any length; more adapters than BLUEZ_ADAPTERS_MAX; more rules than BLUEZ_RULES_MAX. */
static void test_bluez_limits(void **state)
{
	struct fake_host *host = open_plugin();
	struct bluez *bluez = &host->self->bluez;
	uint8_t mac[6] = { 0xa4, 0xc1, 0x38, 0, 0, 0 };

	(void)state;
	check_true(BLUEZ_OWNER_MAX >= DBUS_MAXIMUM_NAME_LENGTH);
	check_uint(bluez->n_rules, 0);
	for (unsigned i = 0; i < BLUEZ_RULES_MAX + 5; i++) {
		mac[4] = (uint8_t)(i >> 8);
		mac[5] = (uint8_t)i;
		bluez_watch(bluez, mac, true);
	}
	settle(host);
	check_uint(bluez->n_rules, BLUEZ_RULES_MAX);
	check_true(bluez->broad);
	check_uint(host->fb->n_rules, BLUEZ_RULES_MAX + 4);
	for (unsigned n = 1; n < BLUEZ_ADAPTERS_MAX + 2; n++) {
		DBusMessage *signal = dbus_message_new_signal("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded");
		DBusMessageIter at, interfaces;
		char path[32];
		const char *text = path;

		snprintf(path, sizeof(path), "/org/bluez/hci%u", n);
		dbus_message_iter_init_append(signal, &at);
		dbus_message_iter_append_basic(&at, DBUS_TYPE_OBJECT_PATH, &text);
		dbus_message_iter_open_container(&at, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
		fb_put_adapter(&interfaces, host->fb);
		dbus_message_iter_close_container(&at, &interfaces);
		fb_signal(host->fb, signal, NULL);
	}
	settle(host);
	for (size_t i = 0; i < BLUEZ_ADAPTERS_MAX; i++)
		check_true(bluez->adapters[i].present);
	check_text(last(host, 'n')->text, "more adapters than we use");
	close_plugin(host);
}

static void test_beacon_limits(void **state)
{
	struct beacon beacon, back;
	struct beacons beacons = { 0 }, again = { 0 };
	struct beacon_description said;
	struct readings readings = { 0 };
	char name[2 * BEACON_TEXT_MAX];
	uint8_t mac[6] = { 1 }, blob[BEACONS_ROW_BYTES + 3];
	struct writer w = writer_over(blob, sizeof(blob));
	struct beacon *added;
	struct reader r;
	size_t at = 0;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	beacon_init(&beacon, mac, false, name);
	beacon.format = HEAR_BTHOME;
	check_uint(strlen(beacon.name), BEACON_TEXT_MAX);
	for (int i = 0; i < BEACON_CAPS_MAX + 10; i++)
		check_ok(readings_add(&readings, CAP_TEMPERATURE, value_real(i)));
	check_true(beacon_learn(&beacon, &readings));
	check_true(!beacon_learn(&beacon, &readings));
	check_uint(beacon.n_caps, BEACON_CAPS_MAX);
	beacon_describe(&beacon, &said);
	check_uint(said.device.nendpoints, BEACON_CAPS_MAX);
	/* The longest row there is fits where a row is reckoned with. */
	text_copy(beacon.vendor, sizeof(beacon.vendor), name);
	text_copy(beacon.model, sizeof(beacon.model), name);
	text_copy(beacon.firmware, sizeof(beacon.firmware), name);
	beacon.key.len = 16;
	check_ok(beacons_add(&beacons, &beacon, &added));
	beacons_put(&beacons, &at, &w);
	check_true(!w.bad && at == 1);
	check_true(writer_len(&w) <= BEACONS_ROW_BYTES + 3 && writer_len(&w) > BEACONS_ROW_BYTES - 16);
	r = reader_over(blob, writer_len(&w));
	check_ok(beacons_get(&again, &r));
	back = *again.all[0];
	check_uint(back.n_caps, BEACON_CAPS_MAX);
	check_text(back.firmware, beacon.firmware);
	beacons_deinit(&beacons);
	beacons_deinit(&again);
}

/* Guests: WINDOW_GUESTS_MAX; words: WINDOW_TOLD_MAX addresses. */
static void test_window_limits(void **state)
{
	struct window window = { 0 };
	uint8_t mac[6] = { 0 };
	struct guest guest;

	(void)state;
	for (unsigned i = 0; i < WINDOW_GUESTS_MAX + 1; i++) {
		guest = (struct guest){ .until_ms = 1000 + i, .mac = { (uint8_t)i } };
		check_int(window_invite(&window, &guest), i == WINDOW_GUESTS_MAX ? WINDOW_E_FULL : 0);
	}
	check_uint(window_turn(&window, 1003), 1004);
	check_true(!window_guest(&window, (uint8_t[6]){ 3 }));
	check_true(window_guest(&window, (uint8_t[6]){ 4 }));
	check_true(!window_is_open(&window, 0) && window_is_any(&window));
	for (unsigned i = 0; i < WINDOW_TOLD_MAX + 1; i++) {
		mac[0] = (uint8_t)i;
		check_true(window_tell(&window, mac) == (i < WINDOW_TOLD_MAX));
	}
	check_true(!window_tell(&window, (uint8_t[6]){ 3 }));
	window_open(&window, 5000);
	check_true(window_tell(&window, (uint8_t[6]){ 3 }));
	check_true(window_is_open(&window, 4999) && !window_is_open(&window, 5000));
	check_uint(window_turn(&window, 5000), UINT64_MAX);
	check_true(!window_is_any(&window));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),	      cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_spoiled_messages), cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_many_parts),    cmocka_unit_test(test_bus_limits),
		cmocka_unit_test(test_flood),	      cmocka_unit_test(test_bluez_limits),
		cmocka_unit_test(test_beacon_limits), cmocka_unit_test(test_window_limits),
	};
	int r = CHECK_RUN(tests);

	dbus_shutdown();
	return r;
}
