/* The plugin with a host of the test's making and no broker: messages go in by hand, what the host is told comes out. */
#include "check.h"

#include "base/text.h"
#include "model/capability.h"
#include "wifi/plugin.h"
#include "wifi/wifi_inside.h"

enum { LOG_MAX = 4096 };

struct said {
	char kind; /* u device up, d down, l left, r report, n note, s synced, f done */
	uint16_t cap;
	bool again;
	int number; /* report: the value; note: its kind; done: its status */
	uint32_t count;
	char text[GWA_TEXT_MAX + 1], object[160];
};
struct shelf_blob {
	char key[32];
	uint32_t len;
	char data[GWA_STATE_MAX];
};
struct fake_host {
	const struct gwa_host_ops *ops; /* first: gwa() reads it */
	gwa_self *self;
	struct said log[LOG_MAX];
	size_t n;
	uint64_t reports, credit; /* credit: the last report that is taken */
	uint64_t now;
	bool repeats;
	struct shelf_blob shelf[16];
	size_t n_shelf;
};

static struct fake_host *fake(gwa_host *host)
{
	return (struct fake_host *)(void *)host;
}

static struct said *add(gwa_host *host, char kind)
{
	struct said *s = &fake(host)->log[fake(host)->n];

	assert_true(fake(host)->n < LOG_MAX - 1);
	fake(host)->n++;
	*s = (struct said){ .kind = kind };
	return s;
}

static void op_log(gwa_host *host, int level, const char *text)
{
	(void)host, (void)level, (void)text;
}
static int op_port(gwa_host *host, const char *name)
{
	(void)host, (void)name;
	return -1;
}
static int op_watch(gwa_host *host, int fd, uint32_t events)
{
	(void)host, (void)fd, (void)events;
	return 0;
}
static void op_timer(gwa_host *host, uint32_t timer, uint32_t ms)
{
	(void)host, (void)timer, (void)ms;
}
static uint64_t op_now(gwa_host *host)
{
	return fake(host)->now;
}
static void op_up(gwa_host *host, const struct gwa_device *device)
{
	struct said *s = add(host, 'u');

	s->count = device->nendpoints;
	text_copy(s->text, sizeof(s->text), device->name);
}
static void op_synced(gwa_host *host)
{
	add(host, 's');
}
static void op_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	struct said *s = add(host, left ? 'l' : 'd');

	s->number = addr->bytes[7];
}
static uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap,
			  const struct gwa_value *value, int64_t wall_us)
{
	struct said *s;

	(void)addr, (void)endpoint, (void)wall_us;
	if (fake(host)->reports == fake(host)->credit)
		return 0;
	s = add(host, 'r');
	s->cap = cap;
	s->again = fake(host)->repeats;
	s->number = value->type == GWA_T_REAL ? (int)value->v.f : value->type == GWA_T_TEXT ? 0 : (int)value->v.i;
	return ++fake(host)->reports;
}
static void op_done(gwa_host *host, uint64_t req, int status)
{
	struct said *s = add(host, 'f');

	s->count = (uint32_t)req;
	s->number = status;
}
static void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	struct said *s = add(host, 'n');

	s->number = kind;
	s->count = count;
	text_copy(s->object, sizeof(s->object), object);
	text_copy(s->text, sizeof(s->text), text);
}

static struct shelf_blob *shelf_of(gwa_host *host, const char *key)
{
	for (size_t i = 0; i < fake(host)->n_shelf; i++) {
		if (text_equal(fake(host)->shelf[i].key, key))
			return &fake(host)->shelf[i];
	}
	return NULL;
}
static int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	struct shelf_blob *blob = shelf_of(host, key);

	if (!blob || blob->len > *len)
		return -1;
	memcpy(buf, blob->data, blob->len);
	*len = blob->len;
	return 0;
}
static int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	struct shelf_blob *blob = shelf_of(host, key);

	if (!blob)
		blob = &fake(host)->shelf[fake(host)->n_shelf++];
	assert_true(fake(host)->n_shelf <= N_ELEMENTS(fake(host)->shelf) && len <= GWA_STATE_MAX);
	text_copy(blob->key, sizeof(blob->key), key);
	blob->len = len;
	if (len)
		memcpy(blob->data, buf, len);
	return 0;
}

static void op_repeats(gwa_host *host, int on)
{
	fake(host)->repeats = on != 0;
}

static const struct gwa_host_ops ops = {
	.size = sizeof(ops), .log = op_log, .port = op_port, .watch = op_watch, .timer = op_timer, .now_ms = op_now,
	.device_up = op_up, .devices_synced = op_synced, .device_down = op_down, .report = op_report, .done = op_done,
	.note = op_note, .load = op_load, .save = op_save, .repeats = op_repeats,
};

static const struct gwa_opt options[] = {
	{ "broker", "/nonexistent/lan.sock" }, { "base", "zigbee2mqtt, attic" }, { "tasmota", "on" },
	{ "intake-user", "gateway-intake" },   { "command_user", "gateway-command" },
};

static void open_again(struct fake_host *host)
{
	check_ok(wifi_ops.open((gwa_host *)(void *)host, options, N_ELEMENTS(options), &host->self));
	/* As after a connection. */
	host->self->intake.up = true;
	entries_tell(host->self);
}

static struct fake_host *open_plugin(void)
{
	struct fake_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->ops = &ops;
	host->credit = 1000000;
	host->now = 1000;
	open_again(host);
	return host;
}

static void close_plugin(struct fake_host *host)
{
	wifi_ops.close(host->self);
	free(host);
}

static void say(struct fake_host *host, const char *topic, const char *payload, bool acked)
{
	intake_message(host->self, &(struct mqtt_message){ .topic = topic, .payload = payload, .len = strlen(payload), .acked = acked });
	intake_hold(host->self);
}

static size_t count(const struct fake_host *host, char kind)
{
	size_t n = 0;

	for (size_t i = 0; i < host->n; i++)
		n += host->log[i].kind == kind;
	return n;
}

static const struct said *note_of(const struct fake_host *host, int kind)
{
	const struct said *found = NULL;

	for (size_t i = 0; i < host->n; i++) {
		if (host->log[i].kind == 'n' && host->log[i].number == kind)
			found = &host->log[i];
	}
	return found;
}

static void settle(struct fake_host *host)
{
	for (unsigned i = 0; i < WIFI_SETTLE_TURNS; i++)
		wifi_ops.on_timer(host->self, TIMER_SETTLE);
}

#define SWITCH                                                                                                       \
	"\"definition\":{\"exposes\":[{\"type\":\"switch\",\"features\":[{\"type\":\"binary\",\"name\":\"state\","       \
	"\"property\":\"state\",\"access\":7,\"value_on\":\"ON\",\"value_off\":\"OFF\"}]},{\"type\":\"numeric\","        \
	"\"name\":\"power\",\"property\":\"power\",\"unit\":\"W\",\"access\":1}]}"
#define DEVICE(name, digit)                                                                             \
	"{\"ieee_address\":\"0x000000000000000" digit "\",\"friendly_name\":\"" name "\"," \
	"\"interview_completed\":true," SWITCH "}"
#define DEVICES "zigbee2mqtt/bridge/devices"

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

struct bad_row {
	const char *topic, *payload;
	int kind;
};
static const struct bad_row bad_rows[] = {
	{ "zigbee2mqtt/plug", "{", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug", "\xff\xfe", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug", "[1]", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug", "{\"power\":\"much\"}", GWA_NOTE_BAD_VALUE },
	{ "zigbee2mqtt/plug", "{\"power\":1e99}", GWA_NOTE_BAD_VALUE },
	{ "zigbee2mqtt/plug", "{\"power\":1,\"power\":2}", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/plug/availability", "perhaps", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/bridge/devices", "{}", GWA_NOTE_MALFORMED },
	{ "zigbee2mqtt/bridge/devices", "[{}]", GWA_NOTE_BAD_TOPIC },
	{ "zigbee2mqtt/bridge/devices", "[" DEVICE("a+b", "7") "]", GWA_NOTE_BAD_TOPIC },
	{ "zigbee2mqtt/nobody", "{}", GWA_NOTE_UNKNOWN_DEVICE },
	{ "zigbee2mqtt", "{}", GWA_NOTE_UNKNOWN_DEVICE },
	{ "tele/nobody/STATE", "{}", GWA_NOTE_UNKNOWN_DEVICE },
	{ "tasmota/discovery/AABBCCDDEEFF/config", "{}", GWA_NOTE_BAD_TOPIC },
	{ "tasmota/discovery/AABBCCDDEEFF/config", "{", GWA_NOTE_MALFORMED },
	{ "tasmota/discovery/aabb/config", "{}", GWA_NOTE_BAD_TOPIC },
	{ "tasmota/discovery/AABBCCDDEEFF/other", "{}", GWA_NOTE_BAD_TOPIC },
	{ "$SYS/gatewayd/denied", "no", GWA_NOTE_MALFORMED },
	{ "homeassistant/x/config", "{}", GWA_NOTE_UNKNOWN_DEVICE },
};

static void test_bad_input(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad_rows); i++) {
		struct fake_host *host = open_plugin();

		print_message("%s\n", bad_rows[i].topic);
		say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
		settle(host);
		say(host, bad_rows[i].topic, bad_rows[i].payload, true);
		check_uint(count(host, 'n'), 1);
		assert_non_null(note_of(host, bad_rows[i].kind));
		check_uint(count(host, 'r'), 0);
		check_true(!host->self->intake.held);
		/* And it still works. */
		say(host, "zigbee2mqtt/plug", "{\"power\":1}", true);
		check_uint(count(host, 'r'), i == 8 || i == 9 ? 0 : 1);
		close_plugin(host);
	}
}

static void test_of_no_interest(void **state)
{
	static const char *const topics[] = {
		"zigbee2mqtt/plug/set", "zigbee2mqtt/plug/set/state", "zigbee2mqtt/plug/get", "zigbee2mqtt/bridge/logging",
		"zigbee2mqtt/bridge/request/permit_join", "zigbee2mqtt/lights", "zigbee2mqtt/lights/availability",
	};
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	say(host, "zigbee2mqtt/bridge/groups", "[{\"friendly_name\":\"lights\"}]", false);
	for (size_t i = 0; i < N_ELEMENTS(topics); i++)
		say(host, topics[i], "{\"state\":\"ON\"}", true);
	say(host, "zigbee2mqtt/nobody", "", true); /* a retained message that is taken back */
	check_uint(count(host, 'n') + count(host, 'r'), 0);
	close_plugin(host);
}

static void test_oversize(void **state)
{
	struct fake_host *host = open_plugin();
	char *big = malloc(Z2M_LIST_BYTES_MAX + 2);

	(void)state;
	assert_non_null(big);
	memset(big, ' ', Z2M_LIST_BYTES_MAX + 1);
	big[Z2M_LIST_BYTES_MAX + 1] = '\0';
	say(host, DEVICES, "[" DEVICE("plug", "1") "]", false);
	say(host, DEVICES, big, false);
	check_int(note_of(host, GWA_NOTE_OVERSIZE)->number, GWA_NOTE_OVERSIZE);
	big[Z2M_BYTES_MAX + 1] = '\0';
	say(host, "zigbee2mqtt/plug", big, true);
	check_uint(count(host, 'n'), 2);
	free(big);
	close_plugin(host);
}

/* A flood of one kind is one note now and one later. */
static void test_notes_are_few(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	for (unsigned i = 0; i < 1000; i++)
		say(host, "zigbee2mqtt/nobody", "{}", true);
	check_uint(count(host, 'n'), 1);
	wifi_ops.on_timer(host->self, TIMER_NOTES);
	check_uint(count(host, 'n'), 2);
	check_uint(host->log[host->n - 1].count, 999);
	close_plugin(host);
}

static void test_too_many_wait(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	for (unsigned i = 0; i <= WAITING_MAX; i++)
		say(host, "zigbee2mqtt/nobody", "{}", true);
	assert_non_null(note_of(host, GWA_NOTE_DROPPED));
	close_plugin(host);
}

static void test_denied(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	say(host, "$SYS/gatewayd/denied",
	    "{\"user\":\"porch\",\"client\":\"porch\",\"address\":\"192.168.1.20\",\"action\":\"publish\",\"topic\":\"zigbee2mqtt/plug/set\"}",
	    true);
	check_text(note_of(host, GWA_NOTE_REFUSED_COMMAND)->object, "zigbee2mqtt/plug/set");
	check_true(strstr(note_of(host, GWA_NOTE_REFUSED_COMMAND)->text, "porch") != NULL);
	say(host, "$SYS/gatewayd/denied", "{\"user\":\"porch\",\"more\":17}", true);
	check_uint(note_of(host, GWA_NOTE_REFUSED_COMMAND)->count, 17);
	/* Our own question is no attack. */
	say(host, "$SYS/gatewayd/denied",
	    "{\"user\":\"gateway-intake\",\"action\":\"publish\",\"topic\":\"zigbee2mqtt/gatewayd-probe/set\"}", true);
	check_uint(count(host, 'n'), 2);
	close_plugin(host);
}

#define TASMOTA                                                                                                       \
	"{\"dn\":\"Kettle\",\"mac\":\"AABBCCDDEEFF\",\"md\":\"x\",\"ofln\":\"Offline\",\"onln\":\"Online\","              \
	"\"state\":[\"OFF\",\"ON\"],\"sw\":\"1\",\"t\":\"kettle\",\"ft\":\"%prefix%/%topic%/\","                          \
	"\"tp\":[\"cmnd\",\"stat\",\"tele\"],\"rl\":[1]}"

static void test_tasmota(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	/* The halves in the wrong order. */
	say(host, "tasmota/discovery/AABBCCDDEEFF/sensors", "{\"sn\":{\"ENERGY\":{\"Power\":1}}}", true);
	check_uint(count(host, 'u'), 0);
	say(host, "tele/kettle/LWT", "Online", true);
	say(host, "tasmota/discovery/AABBCCDDEEFF/config", TASMOTA, true);
	check_uint(count(host, 'u'), 1);
	check_text(host->log[host->n - 1].text, "Kettle");
	say(host, "tele/kettle/SENSOR", "{\"ENERGY\":{\"Power\":40}}", true);
	say(host, "stat/kettle/RESULT", "{\"POWER\":\"ON\"}", true);
	say(host, "stat/kettle/POWER", "OFF", true);
	check_uint(count(host, 'r'), 3);
	check_int(host->log[host->n - 1].number, 0);
	say(host, "tele/kettle/LWT", "Offline", true);
	check_uint(count(host, 'd'), 1);
	say(host, "tele/kettle/INFO1", "{}", true);
	/* Another one says that it has this one's topic. */
	settle(host);
	say(host, "tasmota/discovery/112233445566/config", TASMOTA, true);
	check_uint(count(host, 'n'), 1);
	say(host, "tasmota/discovery/AABBCCDDEEFF/config", "", true);
	check_uint(count(host, 'l'), 1);
	close_plugin(host);
}

static void test_tasmota_full(void **state)
{
	struct fake_host *host = open_plugin();
	char topic[64];

	(void)state;
	for (unsigned i = 0; i <= WIFI_ANNOUNCED_MAX; i++) {
		snprintf(topic, sizeof(topic), "tasmota/discovery/0000000%05X/sensors", i);
		say(host, topic, "{\"sn\":{}}", true);
	}
	check_uint(count(host, 'n'), 1);
	assert_non_null(note_of(host, GWA_NOTE_FLOOD));
	close_plugin(host);
}

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

struct option_row {
	const char *key, *value;
	bool good;
};
static const struct option_row option_rows[] = {
	{ "broker", "/run/lan.sock", true },	{ "broker", "unix:/run/lan.sock", true },
	{ "broker", "lan.sock", false },	{ "broker", ":1883", false },
	{ "broker", "127.0.0.1:0", false },	{ "base", "", true },
	{ "base", "a/b,c", true },		{ "base", "gatewayd", false },
	{ "base", "homeassistant", false },	{ "base", "gatewayd/x", false },
	{ "base", "a+b", false },		{ "base", "#", false },
	{ "base", "/a", false },		{ "tasmota", "perhaps", false },
	{ "tasmota", "off", true },		{ "intake-user", "", false },
	{ "intake_password_file", "/nonexistent", false }, { "colour", "blue", false },
	{ "base", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", false }, /* WIFI_BASES_MAX */
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(option_rows); i++) {
		struct gwa_opt opts[] = { { "broker", "/nonexistent" }, { option_rows[i].key, option_rows[i].value } };
		struct fake_host *host = calloc(1, sizeof(*host));

		print_message("%s %s\n", opts[1].key, opts[1].value);
		assert_non_null(host);
		host->ops = &ops;
		check_int(wifi_ops.open((gwa_host *)(void *)host, opts, 2, &host->self), option_rows[i].good ? 0 : -EINVAL);
		if (option_rows[i].good)
			wifi_ops.close(host->self);
		free(host);
	}
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
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_of_no_interest),
		cmocka_unit_test(test_oversize),
		cmocka_unit_test(test_notes_are_few),
		cmocka_unit_test(test_too_many_wait),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_tasmota),
		cmocka_unit_test(test_tasmota_full),
		cmocka_unit_test(test_orders_without_a_broker),
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_kept_full),
		cmocka_unit_test(test_options),
	};

	return CHECK_RUN(rows);
}
