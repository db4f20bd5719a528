/* The plugin in good days: what is reported, in what order, and when it may be acknowledged. */
#include "wifi_host.h"

static void test_report(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	check_uint(count(host, 'u'), 1);
	say(host, "zigbee2mqtt/plug", "{\"state\":\"ON\",\"power\":40}", true);
	check_uint(count(host, 'r'), 2);
	check_int(host->log[host->n - 1].number, 40);
	/* Nobody's acknowledgement goes out before both are stored. */
	check_true(host->self->intake.held && host->self->intake.paused);
	wifi_ops.on_stored(host->self, 1);
	check_true(host->self->intake.held);
	wifi_ops.on_stored(host->self, 2);
	check_true(!host->self->intake.held && !host->self->intake.paused);
	/* QoS 0 is reported, and nobody waits for it. */
	say(host, "zigbee2mqtt/plug", "{\"power\":41}", false);
	check_uint(count(host, 'r'), 3);
	check_true(!host->self->intake.held);
	/* What brings no report is acknowledged at once. */
	say(host, "zigbee2mqtt/plug", "{\"last_seen\":1}", true);
	say(host, "zigbee2mqtt/bridge/info", "{}", true);
	check_true(!host->self->intake.held);
	close_plugin(host);
}

/* What the broker may have delivered before is marked, and what came meanwhile is not. */
static void test_again(void **state)
{
	struct mqtt_message m = { "zigbee2mqtt/plug", "{\"power\":7}", 11, true, false, true };
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	intake_message(host->self, &m);
	check_true(host->log[host->n - 1].again);
	m.again = false;
	intake_message(host->self, &m);
	check_true(!host->log[host->n - 1].again);
	close_plugin(host);
}

/* Before its device is described a message waits, in order, and holds its acknowledgement. */
static void test_before_the_description(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, "zigbee2mqtt/plug", "{\"power\":1}", true);
	say(host, "zigbee2mqtt/plug", "{\"power\":2}", true);
	say(host, "zigbee2mqtt/nobody", "{\"power\":9}", true);
	check_uint(count(host, 'r'), 0);
	check_true(host->self->intake.held && !host->self->intake.paused);
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	say(host, "zigbee2mqtt/plug", "{\"power\":3}", true);
	check_uint(count(host, 'r'), 3);
	for (unsigned i = 0; i < 3; i++)
		check_int(host->log[host->n - 3 + i].number, (int)i + 1);
	wifi_ops.on_stored(host->self, 3);
	check_true(host->self->intake.held); /* for nobody */
	settle(host);
	check_uint(count(host, 's'), 1);
	check_true(!host->self->intake.held);
	check_text(note_of(host, GWA_NOTE_UNKNOWN_DEVICE)->object, "zigbee2mqtt/nobody");
	close_plugin(host);
}

static void test_no_credit(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	settle(host);
	host->credit = 1;
	say(host, "zigbee2mqtt/plug", "{\"state\":\"ON\",\"power\":40}", true);
	check_uint(count(host, 'r'), 1);
	check_true(host->self->intake.held && host->self->intake.paused);
	say(host, "zigbee2mqtt/plug", "{\"power\":41}", true); /* it was already on its way */
	host->credit = 2;
	wifi_ops.on_stored(host->self, 1);
	check_uint(count(host, 'r'), 2); /* goes on where it stopped */
	check_true(host->self->intake.paused);
	host->credit = 10;
	wifi_ops.on_stored(host->self, 2);
	check_uint(count(host, 'r'), 3);
	check_int(host->log[host->n - 1].number, 41);
	wifi_ops.on_stored(host->self, 3);
	check_true(!host->self->intake.held && !host->self->intake.paused);
	close_plugin(host);
}

static void test_come_and_go(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, "zigbee2mqtt/bridge/state", "{\"state\":\"online\"}", false);
	say(host, DEVICES, "[" DEVICE("plug", "1") "," DEVICE("lamp", "2") "]", false);
	say(host, DEVICES, "[" DEVICE("plug", "1") "," DEVICE("lamp", "2") "]", false);
	check_uint(count(host, 'u'), 2); /* nothing new the second time */
	say(host, "zigbee2mqtt/plug/availability", "{\"state\":\"offline\"}", true);
	check_uint(count(host, 'd'), 1);
	say(host, "zigbee2mqtt/plug/availability", "online", true);
	check_uint(count(host, 'u'), 3);
	say(host, "zigbee2mqtt/bridge/state", "offline", true);
	check_uint(count(host, 'd'), 3);
	say(host, "zigbee2mqtt/bridge/state", "online", true);
	check_uint(count(host, 'u'), 5);
	/* Renamed: the same device, described anew. */
	say(host, DEVICES, "[" DEVICE("kettle", "1") "," DEVICE("lamp", "2") "]", false);
	check_uint(count(host, 'u'), 6);
	check_text(host->log[host->n - 1].text, "kettle");
	say(host, DEVICES, "[" DEVICE("lamp", "2") "]", false);
	check_uint(count(host, 'l'), 1);
	say(host, "zigbee2mqtt/bridge/event", "{\"type\":\"device_leave\",\"data\":{\"ieee_address\":\"0x0000000000000002\"}}",
	    false);
	check_uint(count(host, 'l'), 2);
	/* The broker is gone for long. */
	say(host, DEVICES, "[" DEVICE("lamp", "2") "]", false);
	wifi_ops.on_timer(host->self, TIMER_GRACE);
	check_uint(count(host, 'd'), 4);
	close_plugin(host);
}

/* Not interviewed yet: known, and not described; nothing of it is reported nor noted. */
static void test_not_ready(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	say(host, DEVICES, "[{\"ieee_address\":\"0x0000000000000001\",\"friendly_name\":\"new\",\"definition\":null}]", false);
	say(host, "zigbee2mqtt/new", "{\"linkquality\":3}", false);
	check_uint(count(host, 'u') + count(host, 'r') + count(host, 'n'), 0);
	close_plugin(host);
}

/* A device with a base of its own cannot speak as one of the first base's. */
static void test_another_bases_address(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, "attic/bridge/devices", "[" DEVICE("fake", "1") "]", true);
	check_uint(count(host, 'u'), 1);
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", true);
	check_uint(count(host, 'l'), 1);
	check_uint(count(host, 'u'), 2);
	say(host, "attic/bridge/devices", "[" DEVICE("fake", "1") "]", true);
	check_uint(count(host, 'u'), 2);
	check_text(note_of(host, GWA_NOTE_BAD_VALUE)->object, "attic/fake");
	check_uint(host->self->house.n_entries, 1);
	close_plugin(host);
}

/* A flood of one kind is one note now and one later. */
/* Each request is answered once, whatever there is not. */
static void test_orders_without_a_broker(void **state)
{
	struct fake_host *host = open_plugin();
	struct gwa_value on = { .type = GWA_T_BOOL, .v.i = 1 };
	struct gwa_addr addr = { .len = 3 };
	struct gwa_join join = { .size = sizeof(join), .seconds = 60 };

	(void)state;
	/* A home of Tasmota devices alone has no bridge to open: they join by themselves. */
	wifi_ops.permit_join(host->self, 5, &join);
	check_int(host->log[host->n - 1].number, GWA_OK);
	say(host, "zigbee2mqtt/bridge/state", "offline", true);
	host->n = 0;
	wifi_ops.command(host->self, 1, &addr, 1, CAP_ON_OFF, &on, 1000);
	wifi_ops.permit_join(host->self, 2, &join);
	join.ncode = 18;
	wifi_ops.permit_join(host->self, 3, &join);
	wifi_ops.remove(host->self, 4, &addr);
	check_uint(count(host, 'f'), 4);
	check_int(host->log[host->n - 4].number, GWA_UNREACHABLE);
	check_int(host->log[host->n - 3].number, GWA_UNREACHABLE);
	check_int(host->log[host->n - 2].number, GWA_UNSUPPORTED);
	check_int(host->log[host->n - 1].number, GWA_UNREACHABLE);
	close_plugin(host);
}

/* All that a real Zigbee2MQTT said in its life is understood. */
static void test_a_life(void **state)
{
	struct fake_host *host = open_plugin();
	char path[512], *line = NULL;
	size_t cap = 0;
	ssize_t n;
	FILE *in;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/sim/captures/pairing.jsonl", getenv("GW_SOURCE_ROOT"));
	for (unsigned i = 0; i < 2; i++) {
		in = fopen(path, "r");
		assert_non_null(in);
		while ((n = getline(&line, &cap, in)) > 0) {
			struct json *json = NULL;

			check_ok(json_parse(line, (size_t)n, 1 << 22, 64, NULL, 0, &json));
			say(host, json_get_text(json, "topic"), json_get_text(json, "payload"), false);
			json_free(json);
		}
		fclose(in);
		if (i == 0)
			settle(host);
		snprintf(path, sizeof(path), "%s/tests/sim/captures/life.jsonl", getenv("GW_SOURCE_ROOT"));
	}
	free(line);
	for (size_t i = 0; i < host->n; i++) {
		if (host->log[i].kind == 'n')
			check_int(host->log[i].number, GWA_NOTE_STATUS);
	}
	check_true(count(host, 'r') > 300);
	/* The lock was removed, the contact sensor has left. */
	check_uint(count(host, 'l'), 2);
	check_uint(host->self->house.n_entries, 4);
	close_plugin(host);
}

/* What was described is known after a restart, before anybody says it again. */
static void test_kept(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, DEVICES, "[" DEVICE("plug", "1") "," DEVICE("lamp", "2") "]", false);
	say(host, "attic/bridge/devices", "[" DEVICE("fan", "3") "]", false);
	wifi_ops.close(host->self);
	host->n = 0;
	open_again(host);
	check_uint(count(host, 'u'), 3);
	say(host, "zigbee2mqtt/plug", "{\"power\":7}", true);
	check_uint(count(host, 'r'), 1);
	say(host, DEVICES, "[" DEVICE("plug", "1") "," DEVICE("lamp", "2") "]", false);
	check_uint(count(host, 'u'), 3); /* nothing is new */
	say(host, DEVICES, "[" DEVICE("lamp", "2") "]", false);
	check_uint(count(host, 'l'), 1);
	say(host, DEVICES, "[]", false);
	wifi_ops.close(host->self);
	/* Of the first base nothing is left; a blob that is broken is none. */
	text_copy(host->shelf[1].data, 32, "attic\n{\"no list\":1}");
	host->shelf[1].len = 20;
	host->n = 0;
	open_again(host);
	check_uint(count(host, 'u'), 0);
	close_plugin(host);
}

/* More than the shelf holds: what fits is kept, and all is known. */
static void test_kept_full(void **state)
{
	struct fake_host *host = open_plugin();
	const size_t size = 1000 * 512;
	char *many = malloc(size);
	size_t len = 1;

	(void)state;
	assert_non_null(many);
	many[0] = '[';
	for (unsigned i = 0; i < HOUSE_DEVICES_MAX; i++)
		len += (size_t)snprintf(many + len, size - len,
					"%s{\"ieee_address\":\"0x%016x\",\"friendly_name\":\"d%u\",\"interview_completed\":true," SWITCH
					"}",
					i ? "," : "", i + 1, i);
	snprintf(many + len, size - len, "]");
	say(host, DEVICES, many, false);
	check_uint(host->self->house.n_entries, HOUSE_DEVICES_MAX);
	check_uint(host->n_shelf, WIFI_PARTS_MAX);
	wifi_ops.close(host->self);
	host->n = 0;
	open_again(host);
	check_true(count(host, 'u') > HOUSE_DEVICES_MAX / 2 && count(host, 'u') < HOUSE_DEVICES_MAX);
	/* Fewer devices, fewer blobs. */
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	for (unsigned i = 1; i < WIFI_PARTS_MAX; i++)
		check_uint(host->shelf[i].len, 0);
	free(many);
	close_plugin(host);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_before_the_description),
		cmocka_unit_test(test_no_credit),
		cmocka_unit_test(test_come_and_go),
		cmocka_unit_test(test_not_ready),
		cmocka_unit_test(test_another_bases_address),
		cmocka_unit_test(test_orders_without_a_broker),
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_full),
	};

	return CHECK_RUN(rows);
}
