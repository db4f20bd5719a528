/* Devices that are connected to: joining, pairing with and without digits, values, orders, coming back; and the limits. */
#include "ble_host.h"

static const uint8_t mac[6] = { 0xc1, 1, 2, 3, 4, 5 }, stranger[6] = { 0xc1, 9, 9, 9, 9, 9 };

/* A sensor with names, battery and two thermometers, and a switch. */
static struct fb_device *sensor(struct fake_host *host)
{
	struct fb_device *d = fb_device(host->fb, mac);
	static const struct fb_char chars[] = {
		{ 1, 0x10, 0x2a29, { "read" }, "Acme", 4, false },
		{ 1, 0x12, 0x2a24, { "read" }, "T1", 2, false },
		{ 2, 0x22, 0x2a6e, { "read", "notify" }, { 0x60, 0x09 }, 2, false },
		{ 2, 0x20, 0x2a6e, { "read" }, { 0x00, 0x80 }, 2, false }, /* not known now */
		{ 2, 0x24, 0x2a6e, { "read", "notify" }, { 0x10, 0x00 }, 2, false },
		{ 3, 0x30, 0x2a19, { "read" }, { 77 }, 1, false },
		{ 4, 0x40, 0x2a56, { "read", "write" }, { 0 }, 1, false },
		{ 5, 0x50, 0xfff1, { "read", "write" }, { 0 }, 1, false },
	};

	d->service = 0x181a;
	d->name = "garden";
	d->n_chars = N_ELEMENTS(chars);
	memcpy(d->chars, chars, sizeof(chars));
	return d;
}

static void hear_of(struct fake_host *host, struct fb_device *d)
{
	fb_heard(host->fb, d);
	pass(host, GATT_SETTLE_MS + 1);
}

static void order(struct fake_host *host, uint32_t req, uint8_t endpoint, uint16_t cap, bool on)
{
	struct gwa_value value = { .type = GWA_T_BOOL, .v.i = on };
	struct gwa_addr addr = addr_of(mac);

	ble_ops.command(host->self, req, &addr, endpoint, cap, &value, 10000);
	settle(host);
}

static int answer(const struct fake_host *host, uint32_t req)
{
	for (size_t i = 0; i < host->n; i++) {
		if (host->log[i].kind == 'f' && host->log[i].req == req)
			return host->log[i].number;
	}
	return 99;
}

static void test_joins(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);
	const struct said *up;

	(void)state;
	/* Nobody is connected to without a window. */
	hear_of(host, d);
	check_true(!fb_was_called(host->fb, "Connect"));
	permit(host, 60, NULL, NULL, 0);
	check_true(fb_was_called(host->fb, "Connect"));
	check_true(fb_was_called(host->fb, "Pair"));
	up = last(host, 'u');
	assert_non_null(up);
	check_text(up->text, "garden");
	check_int(up->number, 4); /* two thermometers, battery, switch; the third one is not known */
	check_int(up->evidence, 1);
	check_true(joined_to(host, GWA_JOIN_SEEN) && joined_to(host, GWA_JOIN_INTERVIEW) && joined_to(host, GWA_JOIN_READY));
	check_near(report_of(host, CAP_BATTERY)->value, 77, 0);
	check_near(report_of(host, CAP_TEMPERATURE)->value, 0.16, 1e-9);
	check_int(report_of(host, CAP_TEMPERATURE)->endpoint, 3);
	check_true(d->chars[2].notifying && d->chars[4].notifying && !d->chars[5].notifying);
	/* It says a new value by itself; the battery is asked for. */
	pass(host, BEACON_CALM_MS);
	memcpy(d->chars[2].value, "\x64\x09", 2);
	fb_notify(host->fb, d, &d->chars[2]);
	settle(host);
	check_near(report_of(host, CAP_TEMPERATURE)->value, 24.04, 1e-9);
	d->chars[5].value[0] = 76;
	pass(host, GATT_POLL_MS);
	check_near(report_of(host, CAP_BATTERY)->value, 76, 0);
	close_plugin(host);
}

static void test_orders(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);
	struct gwa_value text = { .type = GWA_T_TEXT, .len = 1, .v.data = "x" };
	struct gwa_addr addr = addr_of(mac);

	(void)state;
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	host->n = 0;
	order(host, 100, 1, CAP_ON_OFF, true);
	check_int(answer(host, 100), GWA_OK);
	check_uint(d->chars[6].value[0], 1);
	check_near(report_of(host, CAP_ON_OFF)->value, 1, 0);
	order(host, 101, 1, CAP_BATTERY, true);
	check_int(answer(host, 101), GWA_UNSUPPORTED);
	order(host, 102, 7, CAP_ON_OFF, true);
	check_int(answer(host, 102), GWA_UNSUPPORTED);
	ble_ops.command(host->self, 103, &addr, 1, CAP_ON_OFF, &text, 10000);
	check_int(answer(host, 103), GWA_BAD_VALUE);
	host->fb->fail = "WriteValue";
	host->fb->error = "org.bluez.Error.NotPermitted";
	order(host, 104, 1, CAP_ON_OFF, false);
	check_int(answer(host, 104), GWA_FAILED);
	/* It does not answer: each order ends, and only so many wait. */
	host->fb->error = NULL;
	for (uint32_t i = 0; i < GATT_ORDERS_MAX + 1; i++)
		order(host, 200 + i, 1, CAP_ON_OFF, true);
	check_int(answer(host, 200), 99);
	check_int(answer(host, 200 + GATT_ORDERS_MAX), GWA_BUSY);
	pass(host, 9000);
	check_int(answer(host, 200), GWA_TIMEOUT);
	/* Some are open when it is closed. */
	order(host, 300, 1, CAP_ON_OFF, true);
	fb_disconnect(host->fb, d);
	settle(host);
	host->fb->fail = "Connect";
	host->fb->error = "org.bluez.Error.Failed";
	order(host, 301, 1, CAP_ON_OFF, true);
	check_int(answer(host, 301), GWA_UNREACHABLE);
	close_plugin(host);
}

static size_t calls(const struct fake_host *host, const char *word)
{
	size_t n = 0;

	for (const char *at = host->fb->log; (at = strstr(at, word)); at++)
		n++;
	return n;
}

static void test_comes_back(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	hear_of(host, d);
	permit(host, 60, NULL, NULL, 0);
	pass(host, 61000);
	host->n = 0;
	host->fb->fail = "Connect";
	host->fb->error = "org.bluez.Error.Failed";
	fb_disconnect(host->fb, d);
	settle(host);
	check_uint(count(host, 'd'), 1);
	fb_forget_calls(host->fb);
	pass(host, 30 * 60000);
	check_true(calls(host, "Connect ") > 5 && calls(host, "Connect ") < 20);
	/* Heard again: it is not waited for any longer. */
	host->fb->fail = NULL;
	hear_of(host, d);
	pass(host, GATT_AGAIN_MS + GATT_SETTLE_MS + 1);
	check_uint(count(host, 'u'), 1);
	/* What it has was said once, and is still known: it can be written. */
	order(host, 900, 1, CAP_ON_OFF, true);
	check_int(answer(host, 900), GWA_OK);
	/* It pairs once, and is known by now. */
	check_true(!fb_was_called(host->fb, "Pair"));
	/* Its object goes, and comes when it is heard again. */
	fb_gone(host->fb, d);
	settle(host);
	check_uint(count(host, 'd'), 2);
	fb_forget_calls(host->fb);
	pass(host, 60000);
	check_uint(calls(host, "Connect "), 0);
	hear_of(host, d);
	check_uint(count(host, 'u'), 2);
	/* bluetoothd itself. */
	fb_daemon(host->fb, false);
	settle(host);
	check_uint(count(host, 'd'), 3);
	fb_daemon(host->fb, true);
	settle(host);
	hear_of(host, d);
	check_uint(count(host, 'u'), 3);
	/* We ourselves. */
	restart_plugin(host);
	pass(host, GATT_SETTLE_MS + 1);
	check_uint(count(host, 'u'), 2); /* described, and connected */
	check_int(last(host, 'u')->evidence, 1);
	check_text(last(host, 'u')->text, "garden");
	close_plugin(host);
}

static void test_passkey_shown(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	host->fb->pairing = "DisplayPasskey";
	host->fb->passkey = 1234;
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	check_text(joined_to(host, GWA_JOIN_PASSKEY)->text, "001234");
	check_int(last(host, 'u')->evidence, 2);
	close_plugin(host);
}

static void test_digits_of_the_device(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	/* Given before. */
	host->fb->pairing = "RequestPasskey";
	hear_of(host, d);
	permit(host, 60, mac, "654321", 6);
	check_true(dbus_message_has_signature(host->fb->agent_reply, "u"));
	check_int(last(host, 'u')->evidence, 2);
	close_plugin(host);
	/* Given when it shows them. */
	host = open_plugin();
	d = sensor(host);
	host->fb->pairing = "RequestPasskey";
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	check_uint(count(host, 'u'), 0);
	check_true(strstr(joined_to(host, GWA_JOIN_CONFIGURE)->text, "six digits"));
	check_int(permit(host, 60, mac, "12345x", 6), GWA_BAD_VALUE);
	permit(host, 60, mac, "123456", 6);
	check_int(last(host, 'u')->evidence, 2);
	close_plugin(host);
	/* Never given. */
	host = open_plugin();
	d = sensor(host);
	host->fb->pairing = "RequestPasskey";
	hear_of(host, d);
	permit(host, 200, mac, NULL, 0);
	pass(host, GATT_PAIR_MS + 1000);
	check_uint(count(host, 'u'), 0);
	check_true(joined_to(host, GWA_JOIN_FAILED));
	check_true(!host->self->agent.waiting);
	close_plugin(host);
}

static void test_digits_to_compare(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	host->fb->pairing = "RequestConfirmation";
	host->fb->passkey = 7;
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	check_text(joined_to(host, GWA_JOIN_PASSKEY)->text, "000007");
	check_int(last(host, 'u')->evidence, 1);
	/* The person says that the device has shown the same. */
	permit(host, 60, mac, "000007", 6);
	check_int(last(host, 'u')->evidence, 2);
	close_plugin(host);
	/* It has shown others. */
	host = open_plugin();
	d = sensor(host);
	host->fb->pairing = "RequestConfirmation";
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	permit(host, 60, mac, "111111", 6);
	check_uint(count(host, 'l'), 1);
	check_true(fb_was_called(host->fb, "RemoveDevice"));
	close_plugin(host);
}

/* Questions about others, outside of a pairing, from others, of no kind. */
static void test_agent_refuses(void **state)
{
	static const char *const methods[] = { "RequestConfirmation", "RequestPasskey", "DisplayPasskey", "RequestAuthorization",
					       "AuthorizeService",    "RequestPinCode", "Whatever" };
	struct fake_host *host = open_plugin();
	char path[96];

	(void)state;
	fb_device(host->fb, stranger);
	fb_device_path(fb_device(host->fb, stranger), path);
	permit(host, 60, NULL, NULL, 0);
	for (size_t i = 0; i < N_ELEMENTS(methods); i++) {
		fb_ask_agent(host->fb, path, methods[i]);
		settle(host);
		assert_non_null(host->fb->agent_reply);
		check_int(dbus_message_get_type(host->fb->agent_reply), DBUS_MESSAGE_TYPE_ERROR);
	}
	fb_ask_agent(host->fb, "/", "RequestConfirmation");
	settle(host);
	check_int(dbus_message_get_type(host->fb->agent_reply), DBUS_MESSAGE_TYPE_ERROR);
	check_uint(count(host, 'j'), 0);
	/* Who only pretends to be bluetoothd. */
	host->fb->owner = ":1.66";
	fb_ask_agent(host->fb, path, "Cancel");
	settle(host);
	check_int(dbus_message_get_type(host->fb->agent_reply), DBUS_MESSAGE_TYPE_ERROR);
	close_plugin(host);
}

/* Cannot pair: taken as it is. Asked a person, and failed: not. Nothing to read: not. */
static void test_how_it_fails(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	host->fb->fail = "Pair";
	host->fb->error = "org.bluez.Error.AuthenticationFailed";
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	check_int(last(host, 'u')->evidence, 0);
	close_plugin(host);

	host = open_plugin();
	d = sensor(host);
	d->n_chars = 1;
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	check_text(joined_to(host, GWA_JOIN_FAILED)->text, "it has nothing that we can read");
	check_true(fb_was_called(host->fb, "RemoveDevice"));
	check_uint(host->self->beacons.n, 0);
	close_plugin(host);

	host = open_plugin();
	d = sensor(host);
	host->fb->fail = "Connect";
	hear_of(host, d);
	permit(host, 600, mac, NULL, 0);
	pass(host, 10 * GATT_CONNECT_MS);
	check_true(joined_to(host, GWA_JOIN_FAILED));
	check_uint(host->self->beacons.n, 0);
	close_plugin(host);

	/* Its services never come. */
	host = open_plugin();
	d = sensor(host);
	host->fb->fail = "ReadValue";
	hear_of(host, d);
	permit(host, 600, mac, NULL, 0);
	pass(host, 20 * GATT_READ_MS);
	check_uint(count(host, 'r'), 0);
	check_int(last(host, 'u')->number, 1); /* the switch */
	close_plugin(host);
}

/* It does not pair, and hangs up on who tries: it is taken as it is. */
static void test_shy(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	host->fb->fail = "Pair";
	host->fb->error = "org.bluez.Error.AuthenticationFailed";
	permit(host, 60, NULL, NULL, 0);
	fb_heard(host->fb, d);
	settle(host);
	check_true(fb_was_called(host->fb, "Pair"));
	fb_disconnect(host->fb, d);
	settle(host);
	check_uint(count(host, 'u'), 0);
	fb_forget_calls(host->fb);
	pass(host, GATT_AGAIN_MS + GATT_SETTLE_MS + 1);
	check_uint(calls(host, "Connect "), 1);
	check_true(!fb_was_called(host->fb, "Pair"));
	check_uint(count(host, 'u'), 1);
	check_int(last(host, 'u')->evidence, 0);
	close_plugin(host);
}

static void test_limits(void **state)
{
	struct fake_host *host = open_plugin();
	uint8_t one[6] = { 0xc1, 7, 7, 7, 7, 0 };

	(void)state;
	for (unsigned i = 0; i < GATT_PEERS_MAX + 1; i++) {
		struct fb_device *d = sensor(host);

		one[5] = (uint8_t)i;
		memcpy(d->mac, one, 6);
		d->n_chars = FB_CHARS;
		hear_of(host, d);
		permit(host, 60, one, NULL, 0);
	}
	check_uint(host->self->beacons.n, GATT_PEERS_MAX);
	check_text(joined_to(host, GWA_JOIN_FAILED)->text, "there is no room for another device that is connected to");
	close_plugin(host);
}

/* More characteristics than GATT_CHARS_MAX: the first ones are read. */
static void test_many_characteristics(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d = sensor(host);

	(void)state;
	host->fb->fail = "ReadValue";
	hear_of(host, d);
	permit(host, 60, mac, NULL, 0);
	for (uint16_t i = 0; i < 2 * GATT_CHARS_MAX; i++) {
		struct fb_char c = { 2, (uint16_t)(0x100 + i), 0x2a6e, { "read" }, { 1 }, 2, false };

		gatt_peer(host->self, mac)->step = GATT_RESOLVING;
		fb_say_char(host->fb, d, &c);
		settle(host);
	}
	check_uint(gatt_peer(host->self, mac)->n_chars, GATT_CHARS_MAX);
	close_plugin(host);
}

static void test_characteristics(void **state)
{
	static const struct {
		uint16_t uuid;
		const char *bytes;
		size_t len;
		uint16_t cap;
		double want;
	} rows[] = {
		{ 0x2a6e, "\x29\x09", 2, CAP_TEMPERATURE, 23.45 },	  { 0x2a6e, "\xff\xff", 2, CAP_TEMPERATURE, -0.01 },
		{ 0x2a6f, "\x8a\x11", 2, CAP_HUMIDITY, 44.9 },		  { 0x2a6d, "\xce\x76\x0f\x00", 4, CAP_PRESSURE, 1013.454 },
		{ 0x2a19, "\x64", 1, CAP_BATTERY, 100 },		  { 0x2afb, "\x10\x27\x00", 3, CAP_ILLUMINANCE, 100 },
		{ 0x2b8c, "\x90\x01", 2, CAP_CO2, 400 },		  { 0x2a7b, "\xfe", 1, BLE_CAP_DEW_POINT, -2 },
	};
	const struct characteristic *sw = characteristic_find(0x2a56);
	struct value value, on = value_bool(true), number = value_int(1);
	uint8_t bytes[CHARACTERISTIC_WRITE_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct characteristic *row = characteristic_find(rows[i].uuid);

		check_uint(characteristic_cap(row), rows[i].cap);
		check_ok(characteristic_read(row, (struct view){ (const uint8_t *)rows[i].bytes, rows[i].len }, &value));
		check_near(value.f, rows[i].want, 1e-9);
		for (size_t n = 0; n < rows[i].len; n++)
			check_int(characteristic_read(row, (struct view){ (const uint8_t *)rows[i].bytes, n }, &value),
				  CHARACTERISTIC_E_VALUE);
	}
	/* Not known; more than there is. */
	check_int(characteristic_read(characteristic_find(0x2a6e), (struct view){ (const uint8_t *)"\x00\x80", 2 }, &value),
		  CHARACTERISTIC_E_VALUE);
	check_int(characteristic_read(characteristic_find(0x2a19), (struct view){ (const uint8_t *)"\x65", 1 }, &value),
		  CHARACTERISTIC_E_VALUE);
	check_int(characteristic_read(sw, (struct view){ (const uint8_t *)"\x03", 1 }, &value), CHARACTERISTIC_E_VALUE);
	check_ok(characteristic_read(sw, (struct view){ (const uint8_t *)"\x01", 1 }, &value));
	check_true(value.b);
	check_ok(characteristic_write(sw, &on, bytes, &len));
	check_bytes(bytes, len, "\x01", 1);
	check_int(characteristic_write(sw, &number, bytes, &len), CHARACTERISTIC_E_VALUE);
	check_true(!characteristic_find(0x1234));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joins),		 cmocka_unit_test(test_orders),
		cmocka_unit_test(test_comes_back),	 cmocka_unit_test(test_passkey_shown),
		cmocka_unit_test(test_digits_of_the_device), cmocka_unit_test(test_digits_to_compare),
		cmocka_unit_test(test_agent_refuses),	 cmocka_unit_test(test_how_it_fails),
		cmocka_unit_test(test_shy),		 cmocka_unit_test(test_limits),
		cmocka_unit_test(test_characteristics),	 cmocka_unit_test(test_many_characteristics),
	};
	int r = CHECK_RUN(tests);

	dbus_shutdown();
	return r;
}
