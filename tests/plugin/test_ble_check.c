/* gatewayd-adapter --check of the BLE plugin: behind its fence, with a bus and a bluetoothd of the test's own and a beacon in the
 * air. The window that the check opens it closes at once, so nobody joins.
 */
#include "child.h"

#include <sys/wait.h>

#include "fake_bluez.h"

enum { TURNS = 1500 };

/* While the check runs, a beacon speaks ten times a second. */
static int serve(struct fb *fb, struct child *c)
{
	static const uint8_t mac[6] = { 0xa4, 0xc1, 0x38, 1, 2, 3 };
	uint8_t bytes[] = { 0x40, 0x00, 0x00, 0x02, 0xca, 0x09, 0x3a, 0x01 };

	int status = -1;

	for (int i = 0; i < TURNS && status < 0; i++) {
		bytes[2] = (uint8_t)(i / 5);
		if (i % 5 == 0 && fb->connection)
			fb_beacon(fb, mac, 0xfcd2, bytes, sizeof(bytes));
		fb_turn(fb);
		status = child_wait(c, 20);
	}
	return status;
}

static void passes(void **state)
{
	struct child c;
	char path[128], plugin[512];
	const char *args[] = { "--check", plugin, "--option", path, NULL };
	struct fb *fb;
	int status;

	(void)state;
	child_init(&c);
	snprintf(plugin, sizeof(plugin), "%s/ble.so", getenv("GW_BUILD_ROOT"));
	fb = fb_new(tmpdir_path(&c.dir, "bus"));
	snprintf(path, sizeof(path), "bus=%s", fb->path);
	child_start_args(&c, args);
	status = serve(fb, &c);
	check_true(status >= 0 && WIFEXITED(status));
	check_int(WEXITSTATUS(status), 0);
	check_true(child_said(&c, "PASS"));
	check_true(!child_said(&c, "FAIL"));
	check_true(fb_was_called(fb, "StartDiscovery"));
	fb_free(fb);
	child_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(passes) };
	int r = CHECK_RUN(tests);

	dbus_shutdown();
	return r;
}
