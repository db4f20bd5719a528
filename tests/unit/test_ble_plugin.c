/* The plugin with beacons in the air: who joins, who does not, what is reported, what a recorder cannot do. */
#include "ble_host.h"

static const uint8_t thermo[6] = { 0x54, 0x48, 0xe6, 0x8f, 0x80, 0xa5 }, other[6] = { 0xa4, 0xc1, 0x38, 0x01, 0x02, 0x03 };
static const char key_hex[] = "231d39c1d7cc1ab1aee224cd096db932";

static size_t unhex(const char *hex, uint8_t *ret)
{
	size_t n = strlen(hex) / 2;

	check_ok(hex_parse(hex, 2 * n, ret, n));
	return n;
}

static void say(struct fake_host *host, const uint8_t mac[6], uint16_t uuid, const char *hex)
{
	uint8_t bytes[64];
	size_t n = unhex(hex, bytes);

	fb_beacon(host->fb, mac, uuid, bytes, n);
	settle(host);
}

/* BTHome, sealed by the format's own rule with the key of its page; temperature and humidity. */
static void say_sealed(struct fake_host *host, uint32_t counter, const char *objects);

static void test_listens(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	check_uint(count(host, 's'), 1);
	check_true(fb_was_called(host->fb, "Set"));
	check_true(fb_was_called(host->fb, "SetDiscoveryFilter"));
	check_true(fb_was_called(host->fb, "StartDiscovery"));
	check_true(fb_was_called(host->fb, "RegisterAgent"));
	check_true(host->self->bluez.listening);
	close_plugin(host);
}

static void test_joins_in_a_window(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	/* Nobody has asked for it. */
	say(host, thermo, 0xfcd2, "4002ca0903bf13");
	check_uint(count(host, 'u') + count(host, 'r') + count(host, 'j'), 0);
	check_int(permit(host, 60, NULL, NULL, 0), GWA_OK);
	/* It is there already: it need not speak again. */
	check_uint(count(host, 'u'), 1);
	check_int(last(host, 'u')->number, 2);
	check_int(last(host, 'u')->evidence, 0);
	check_text(last(host, 'u')->text, "BTHome 80A5");
	check_near(report_of(host, CAP_TEMPERATURE)->value, 25.06, 1e-9);
	check_near(report_of(host, CAP_HUMIDITY)->value, 50.55, 1e-9);
	check_true(joined_to(host, GWA_JOIN_READY));
	/* The window ends, and only it is heard from now on. */
	pass(host, 61000);
	say(host, other, 0xfcd2, "4002ca09");
	check_uint(count(host, 'u'), 1);
	say(host, thermo, 0xfcd2, "4002cb0903bf13");
	check_near(report_of(host, CAP_TEMPERATURE)->value, 25.07, 1e-9);
	check_int(permit(host, 0, NULL, NULL, 0), GWA_OK);
	close_plugin(host);
}

/* Strangers' signals do not even reach us. */
static void test_strangers_do_not_wake_us(void **state)
{
	struct fake_host *host = open_plugin();
	unsigned wakes;

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	say(host, thermo, 0xfcd2, "4002ca09");
	pass(host, 61000);
	say(host, other, 0xfcd2, "4002ca09");
	wakes = host->wakes;
	for (int i = 0; i < 50; i++)
		say(host, other, 0xfcd2, "4002ca09");
	check_uint(host->wakes, wakes);
	check_uint(host->fb->dropped, 50);
	say(host, thermo, 0xfcd2, "40020b0a");
	check_true(host->wakes > wakes);
	close_plugin(host);
}

static void test_news_only(void **state)
{
	struct fake_host *host = open_plugin();
	size_t n;

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	say(host, thermo, 0xfcd2, "40000002ca0903bf13");
	n = count(host, 'r');
	/* The same packet again, within four seconds and later. */
	say(host, thermo, 0xfcd2, "40000002ca0903bf13");
	pass(host, 5000);
	say(host, thermo, 0xfcd2, "40000002ca0903bf13");
	check_uint(count(host, 'r'), n);
	/* It moves: not more often than each ten seconds. */
	say(host, thermo, 0xfcd2, "40000102cb0903bf13");
	check_uint(count(host, 'r'), n);
	pass(host, 6000);
	say(host, thermo, 0xfcd2, "40000202cc0903bf13");
	check_uint(count(host, 'r'), n + 1);
	/* The same for long: said again. */
	pass(host, BEACON_AGAIN_MS);
	say(host, thermo, 0xfcd2, "40000302cc0903bf13");
	check_uint(count(host, 'r'), n + 3);
	/* A button: each press, but once a packet id within four seconds; after that the same number is another press. */
	n = count(host, 'r');
	say(host, thermo, 0xfcd2, "4000103a01");
	say(host, thermo, 0xfcd2, "4000103a01");
	say(host, thermo, 0xfcd2, "4000113a01");
	check_uint(count(host, 'r'), n + 2);
	check_text(report_of(host, CAP_BUTTON)->text, "single");
	pass(host, 3900);
	say(host, thermo, 0xfcd2, "4000113a01");
	check_uint(count(host, 'r'), n + 2);
	pass(host, 3900);
	say(host, thermo, 0xfcd2, "4000113a01"); /* on and on: still that press */
	check_uint(count(host, 'r'), n + 2);
	pass(host, 4000);
	say(host, thermo, 0xfcd2, "4000113a01");
	check_uint(count(host, 'r'), n + 3);
	close_plugin(host);
}

/* The seal, made here: CCM is what the decoder's own vectors are about. */
#include <openssl/evp.h>
static void say_sealed(struct fake_host *host, uint32_t counter, const char *objects)
{
	uint8_t plain[32], out[64] = { 0x41 }, nonce[13], key[16];
	size_t n = unhex(objects, plain);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	unhex(key_hex, key);
	memcpy(nonce, thermo, 6);
	memcpy(nonce + 6, "\xd2\xfc\x41", 3);
	for (int i = 0; i < 4; i++)
		nonce[9 + i] = (uint8_t)(counter >> 8 * i);
	check_int(EVP_EncryptInit_ex(ctx, EVP_aes_128_ccm(), NULL, NULL, NULL), 1);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, 13, NULL);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 4, NULL);
	check_int(EVP_EncryptInit_ex(ctx, NULL, NULL, key, nonce), 1);
	EVP_EncryptUpdate(ctx, out + 1, &len, plain, (int)n);
	memcpy(out + 1 + n, nonce + 9, 4);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 4, out + 1 + n + 4);
	EVP_CIPHER_CTX_free(ctx);
	fb_beacon(host->fb, thermo, 0xfcd2, out, n + 9);
	settle(host);
}

static void test_bind_key(void **state)
{
	struct fake_host *host = open_plugin();
	uint8_t key[16];

	(void)state;
	unhex(key_hex, key);
	permit(host, 60, NULL, NULL, 0);
	say_sealed(host, 5, "02ca09");
	check_uint(count(host, 'u'), 0);
	check_text(joined_to(host, GWA_JOIN_FAILED)->text, "it is encrypted: give its bind key");
	say_sealed(host, 6, "02ca09");
	check_uint(count(host, 'j'), 1); /* once a window */
	/* Not a key, not an address, a wrong key. */
	check_int(permit(host, 60, thermo, "short", 5), GWA_BAD_VALUE);
	check_int(permit(host, 60, thermo, "231d39c1d7cc1ab1aee224cd096db93x", 32), GWA_BAD_VALUE);
	check_int(permit(host, 60, NULL, key, 16), GWA_BAD_VALUE);
	check_int(permit(host, 60, thermo, "aaaaaaaaaaaaaaaa", 16), GWA_OK);
	say_sealed(host, 7, "02ca09");
	check_text(joined_to(host, GWA_JOIN_FAILED)->text, "the bind key does not fit");
	check_uint(count(host, 'u'), 0);
	check_int(permit(host, 60, thermo, key_hex, 32), GWA_OK);
	say_sealed(host, 8, "02ca09");
	check_int(last(host, 'u')->evidence, 2);
	check_near(report_of(host, CAP_TEMPERATURE)->value, 25.06, 1e-9);
	check_true(!window_guest(&host->self->window, thermo));
	/* An open beacon of its address is nobody. */
	host->n = 0;
	pass(host, 20000);
	say(host, thermo, 0xfcd2, "40020100");
	check_uint(host->n, 0);
	close_plugin(host);
}

static void test_replay(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	permit(host, 60, thermo, key_hex, 32);
	say_sealed(host, 100, "02ca09");
	pass(host, 20000);
	host->n = 0;
	say_sealed(host, 100, "02cb09");
	say_sealed(host, 99, "02cc09");
	check_uint(count(host, 'r'), 0);
	say_sealed(host, 101, "02cc09");
	check_uint(count(host, 'r'), 1);
	/* After a restart, too: closing keeps the counters. */
	restart_plugin(host);
	check_uint(count(host, 'u'), 1);
	check_int(last(host, 'u')->evidence, 2);
	say_sealed(host, 101, "02cd09");
	say_sealed(host, 5, "02ce09");
	check_uint(count(host, 'r'), 0);
	say_sealed(host, 102, "02cf09");
	check_uint(count(host, 'r'), 1);
	close_plugin(host);
}

/* Measurements are kept in steps, what acts at once and before it is said. */
static void test_marks_are_kept(void **state)
{
	struct fake_host *host = open_plugin();
	uint32_t writes;

	(void)state;
	permit(host, 60, thermo, key_hex, 32);
	say_sealed(host, 1, "02ca09");
	writes = blob_of((gwa_host *)(void *)host, "marks")->writes;
	for (uint32_t i = 2; i < 100; i++) {
		say_sealed(host, i, "02ca09");
		pass(host, 1000);
	}
	check_uint(blob_of((gwa_host *)(void *)host, "marks")->writes, writes);
	pass(host, BLE_MARKS_MS);
	check_uint(blob_of((gwa_host *)(void *)host, "marks")->writes, writes + 1);
	say_sealed(host, 100, "3a01");
	check_uint(blob_of((gwa_host *)(void *)host, "marks")->writes, writes + 2);
	close_plugin(host);
}

/* A battery was changed, its counter begins anew: the person gives the key again. */
static void test_key_again(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	permit(host, 60, thermo, key_hex, 32);
	say_sealed(host, 1000, "02ca09");
	pass(host, 70000);
	host->n = 0;
	say_sealed(host, 1, "02cb09");
	check_uint(count(host, 'r'), 0);
	permit(host, 60, thermo, key_hex, 32);
	say_sealed(host, 2, "02cc09");
	check_uint(count(host, 'r'), 1);
	check_true(joined_to(host, GWA_JOIN_READY));
	check_uint(host->self->beacons.n, 1);
	close_plugin(host);
}

static void test_presence(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	say(host, thermo, 0xfcd2, "4002ca09");
	host->n = 0;
	pass(host, BEACON_AWAY_LEAST_MS - 1000);
	check_uint(count(host, 'd'), 0);
	pass(host, 2000);
	check_uint(count(host, 'd'), 1);
	say(host, thermo, 0xfcd2, "4002cb09");
	check_uint(count(host, 'u'), 1);
	/* Now it is known to be silent for five minutes: six times that. */
	pass(host, 25 * 60000);
	check_uint(count(host, 'd'), 1);
	pass(host, 6 * 60000);
	check_uint(count(host, 'd'), 2);
	close_plugin(host);
}

static void test_bluetoothd_goes_and_comes(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	say(host, thermo, 0xfcd2, "4002ca09");
	host->n = 0;
	fb_forget_calls(host->fb);
	fb_daemon(host->fb, false);
	pass(host, BLE_GRACE_MS + 1);
	check_uint(count(host, 'd'), 1);
	check_int(permit(host, 60, NULL, NULL, 0), GWA_UNREACHABLE);
	fb_daemon(host->fb, true);
	settle(host);
	check_true(fb_was_called(host->fb, "StartDiscovery"));
	check_true(fb_was_called(host->fb, "RegisterAgent"));
	pass(host, BEACON_CALM_MS);
	say(host, thermo, 0xfcd2, "4002cb09");
	check_uint(count(host, 'u'), 1);
	check_uint(count(host, 'r'), 1);
	/* One that says nothing but the same packet all the time is there again, too. */
	say(host, thermo, 0xfcd2, "40000102cc09");
	fb_daemon(host->fb, false);
	pass(host, BLE_GRACE_MS + 1);
	check_uint(count(host, 'd'), 2);
	fb_daemon(host->fb, true);
	settle(host);
	for (int i = 0; i < 3; i++) {
		say(host, thermo, 0xfcd2, "40000102cc09");
		pass(host, 1000);
	}
	check_uint(count(host, 'u'), 2);
	/* Who only pretends to be bluetoothd is not heard. */
	host->n = 0;
	host->fb->owner = ":1.66";
	say(host, thermo, 0xfcd2, "40020000");
	check_uint(host->n, 0);
	close_plugin(host);
}

static void test_adapter_resets(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	say(host, thermo, 0xfcd2, "4002ca09");
	host->n = 0;
	fb_forget_calls(host->fb);
	fb_power(host->fb, false);
	settle(host);
	check_true(!host->self->bluez.listening);
	pass(host, BLUEZ_AGAIN_MS + 1);
	check_true(fb_was_called(host->fb, "Set"));
	check_true(fb_was_called(host->fb, "StartDiscovery"));
	check_true(host->self->bluez.listening);
	check_uint(count(host, 'd'), 0); /* it was quick enough */
	close_plugin(host);
}

/* An adapter that refuses is asked less and less often, and not given up. */
static void test_backoff(void **state)
{
	struct fake_host *host = open_world();
	size_t n, before = 0;

	(void)state;
	host->fb->fail = "StartDiscovery";
	host->fb->error = "org.bluez.Error.Failed";
	check_ok(start_plugin(host, NULL));
	pass(host, 10 * 60000);
	for (const char *at = host->fb->log; (at = strstr(at, "StartDiscovery ")); at++)
		before++;
	check_true(before > 10 && before < 22);
	host->fb->fail = NULL;
	pass(host, BLUEZ_AGAIN_MOST_MS + 1000);
	check_true(host->self->bluez.listening);
	n = count(host, 'n');
	check_true(n > 5 && n < 25);
	close_plugin(host);
}

/* A bluetoothd that does not answer: calls end by their time, all is tried again. */
static void test_silence(void **state)
{
	struct fake_host *host = open_world();

	(void)state;
	host->fb->fail = "GetManagedObjects";
	check_ok(start_plugin(host, NULL));
	pass(host, 3 * BLUEZ_CALL_MS);
	check_true(!host->self->bluez.listening);
	host->fb->fail = NULL;
	pass(host, 3 * BLUEZ_CALL_MS);
	check_true(host->self->bluez.listening);
	close_plugin(host);
}

static void test_passive(void **state)
{
	struct fake_host *host = open_world();

	(void)state;
	host->fb->monitors = true;
	check_ok(start_plugin(host, "passive"));
	settle(host);
	check_true(fb_was_called(host->fb, "RegisterMonitor"));
	check_true(!fb_was_called(host->fb, "StartDiscovery"));
	check_true(host->self->bluez.listening);
	close_plugin(host);
	/* Not offered: active. */
	host = open_world();
	check_ok(start_plugin(host, "passive"));
	settle(host);
	check_true(fb_was_called(host->fb, "StartDiscovery"));
	close_plugin(host);
}

static void test_the_bus_goes(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	fb_hang_up(host->fb);
	settle(host);
	check_uint(count(host, 'x'), 1);
	check_int(permit(host, 60, NULL, NULL, 0), GWA_UNREACHABLE);
	close_plugin(host);
}

static void test_settings(void **state)
{
	static const struct gwa_opt rows[][1] = { { { "scan", "often" } }, { { "bus", "relative" } }, { { "colour", "blue" } } };
	struct fake_host *host = open_world();

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		check_int(ble_ops.open((gwa_host *)(void *)host, rows[i], 1, &host->self), -EINVAL);
	fb_free(host->fb);
	check_true(start_plugin(host, NULL) < 0);
	tmpdir_deinit(&host->dir);
	free(host);
}

static void test_limits(void **state)
{
	struct fake_host *host = open_plugin();
	uint8_t mac[6] = { 0xa4, 0xc1, 0x38, 0, 0, 0 };

	(void)state;
	/* A window takes WINDOW_JOINED_MAX; of those who come later nothing is said. */
	permit(host, 600, NULL, NULL, 0);
	for (uint8_t i = 0; i < 20; i++) {
		mac[5] = i;
		say(host, mac, 0xfcd2, "4002ca09");
	}
	check_uint(host->self->beacons.n, WINDOW_JOINED_MAX);
	for (unsigned w = 0; w < BEACONS_MAX / WINDOW_JOINED_MAX; w++) {
		permit(host, 600, NULL, NULL, 0);
		for (uint8_t i = 0; i < 20; i++) {
			mac[5]++;
			mac[4] = (uint8_t)w;
			say(host, mac, 0xfcd2, "4002ca09");
		}
	}
	check_uint(host->self->beacons.n, BEACONS_MAX);
	check_text(joined_to(host, GWA_JOIN_FAILED)->text, "there is no room for another device");
	check_true(host->self->n_seen <= BLE_SEEN_MAX);
	/* All are there after a restart. */
	restart_plugin(host);
	check_uint(count(host, 'u'), BEACONS_MAX);
	close_plugin(host);
}

/* Addresses that do not stay, and iBeacons, join only when they are named. */
static void test_named_only(void **state)
{
	static const uint8_t passing[6] = { 0x54, 1, 2, 3, 4, 5 };
	struct fake_host *host = open_plugin();
	struct fb_device *d = fb_device(host->fb, passing);
	uint8_t ibeacon[23] = { 0x02, 0x15, 1, 2, 3, [22] = 0xc5 };

	(void)state;
	d->random = true;
	permit(host, 60, NULL, NULL, 0);
	say(host, passing, 0xfcd2, "4002ca09");
	d = fb_device(host->fb, other);
	d->company = 0x004c;
	d->len = sizeof(ibeacon);
	memcpy(d->data, ibeacon, d->len);
	fb_heard(host->fb, d);
	settle(host);
	check_uint(count(host, 'u'), 0);
	permit(host, 60, other, NULL, 0);
	check_uint(count(host, 'u'), 1);
	check_near(report_of(host, CAP_RSSI)->value, -60, 0);
	close_plugin(host);
}

/* Let in once more it says so; its name is taken while a window is open, and not later. */
static void test_again_and_names(void **state)
{
	struct fake_host *host = open_plugin();
	struct fb_device *d;
	size_t n;

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	say(host, thermo, 0xfcd2, "4002ca09");
	check_text(last(host, 'u')->text, "BTHome 80A5");
	d = fb_device(host->fb, thermo);
	d->name = "cellar";
	permit(host, 60, NULL, NULL, 0);
	check_text(last(host, 'u')->text, "cellar");
	n = count(host, 'j');
	pass(host, 5000);
	permit(host, 60, thermo, NULL, 0);
	say(host, thermo, 0xfcd2, "4002cb09");
	check_uint(count(host, 'j'), n + 1);
	check_int(last(host, 'j')->number, GWA_JOIN_READY);
	pass(host, 61000);
	n = count(host, 'u');
	d->name = "attic";
	d->present = false; /* BlueZ forgot it, and finds it again */
	say(host, thermo, 0xfcd2, "4002cc09");
	check_uint(count(host, 'u'), n);
	restart_plugin(host);
	check_text(last(host, 'u')->text, "cellar");
	close_plugin(host);
}

static void test_remove(void **state)
{
	struct fake_host *host = open_plugin();
	struct gwa_addr addr = addr_of(thermo);

	(void)state;
	permit(host, 60, thermo, key_hex, 32);
	say_sealed(host, 1, "02ca09");
	permit(host, 0, NULL, NULL, 0);
	host->n = 0;
	ble_ops.remove(host->self, 77, &addr);
	settle(host);
	check_int(last(host, 'f')->number, GWA_OK);
	check_uint(count(host, 'l'), 1);
	check_true(fb_was_called(host->fb, "RemoveDevice"));
	say_sealed(host, 2, "02cb09");
	check_uint(count(host, 'r') + count(host, 'u'), 0);
	ble_ops.remove(host->self, 78, &addr);
	check_int(last(host, 'f')->number, GWA_UNREACHABLE);
	restart_plugin(host);
	check_uint(count(host, 'u'), 0);
	/* Its key is nowhere. */
	for (size_t i = 0; i < BLOBS; i++) {
		uint8_t key[16];

		unhex(key_hex, key);
		check_true(!memmem(host->blobs[i].data, host->blobs[i].len, key, 16));
	}
	close_plugin(host);
}

static void test_spoiled_blobs(void **state)
{
	struct fake_host *host = open_plugin();
	struct blob *blob;

	(void)state;
	permit(host, 60, thermo, key_hex, 32);
	say_sealed(host, 1, "02ca09");
	ble_ops.close(host->self);
	blob = blob_of((gwa_host *)(void *)host, "beacons");
	for (uint32_t n = 0; n < blob->len; n++) {
		struct beacons beacons = { 0 };
		struct reader r = reader_over(blob->data, n);

		check_int(beacons_get(&beacons, &r), BEACONS_E_MALFORMED);
		check_uint(beacons.n, 0);
	}
	blob->data[10] = HEAR_FORMATS;
	blob_of((gwa_host *)(void *)host, "marks")->len = 4;
	host->n = 0;
	check_ok(start_plugin(host, NULL));
	settle(host);
	check_uint(count(host, 'u'), 0);
	close_plugin(host);
}

static void test_no_credit(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	permit(host, 60, NULL, NULL, 0);
	host->credit = 1;
	say(host, thermo, 0xfcd2, "4002ca0903bf13");
	check_uint(count(host, 'r'), 1);
	host->credit = 100;
	pass(host, 5000);
	say(host, thermo, 0xfcd2, "4002ca0903bf13");
	check_uint(count(host, 'r'), 2); /* what was not taken is said with the next one */
	/* A press does not come again: it waits, with the BLE_HELD_MAX last ones. */
	host->credit = host->reports;
	for (unsigned i = 0; i < BLE_HELD_MAX + 2; i++) {
		char press[] = "4000003a01";

		press[4] = (char)('a' + i / 10);
		press[5] = (char)('0' + i % 10);
		say(host, thermo, 0xfcd2, press);
	}
	check_uint(count(host, 'r'), 2);
	host->credit += 5;
	ble_ops.on_stored(host->self, host->reports);
	check_uint(count(host, 'r'), 7);
	check_text(report_of(host, CAP_BUTTON)->text, "single");
	host->credit += 100;
	ble_ops.on_stored(host->self, host->reports);
	check_uint(count(host, 'r'), 2 + BLE_HELD_MAX);
	check_text(last(host, 'n')->text, "an event that found no credit");
	close_plugin(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listens),		 cmocka_unit_test(test_joins_in_a_window),
		cmocka_unit_test(test_strangers_do_not_wake_us), cmocka_unit_test(test_news_only),
		cmocka_unit_test(test_bind_key),	 cmocka_unit_test(test_replay),
		cmocka_unit_test(test_marks_are_kept),	 cmocka_unit_test(test_key_again),
		cmocka_unit_test(test_presence),	 cmocka_unit_test(test_bluetoothd_goes_and_comes),
		cmocka_unit_test(test_adapter_resets),	 cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_silence),		 cmocka_unit_test(test_passive),
		cmocka_unit_test(test_the_bus_goes),	 cmocka_unit_test(test_settings),
		cmocka_unit_test(test_limits),		 cmocka_unit_test(test_named_only),
		cmocka_unit_test(test_remove),		 cmocka_unit_test(test_spoiled_blobs),
		cmocka_unit_test(test_no_credit),	 cmocka_unit_test(test_again_and_names),
	};
	int r = CHECK_RUN(tests);

	dbus_shutdown();
	return r;
}
