/* The plugin under a host of the test's making: windows, who is remembered, what found no credit, and each of its limits. No
 * device is called: what one says is put in by hand. */
#include "check.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/text.h"
#include "shelly/plugin.h"
#include "shelly/shelly_inside.h"
#include "sys/crypto.h"

enum { LOG_MAX = 2048, BLOBS = 16 };

struct said {
	char kind; /* u device up, d down, l left, r report, n note, f done, j joining */
	int number;
	uint8_t last; /* of the address */
	char text[96];
};
struct blob {
	char key[16];
	uint32_t len;
	char data[GWA_STATE_MAX];
};
struct fake_host {
	const struct gwa_host_ops *ops; /* first: gwa() reads it */
	gwa_self *self;
	struct said log[LOG_MAX];
	size_t n;
	uint64_t reports, credit, now;
	uint32_t timer;
	struct blob blobs[BLOBS];
};

static struct fake_host *fake(gwa_host *host)
{
	return (struct fake_host *)(void *)host;
}

static void add(gwa_host *host, char kind, int number, const struct gwa_addr *addr, const char *text)
{
	struct said *s = &fake(host)->log[fake(host)->n++];

	assert_true(fake(host)->n < LOG_MAX);
	*s = (struct said){ .kind = kind, .number = number, .last = addr ? addr->bytes[5] : 0 };
	text_copy(s->text, sizeof(s->text), text ? text : "");
}

static void op_log(gwa_host *host, int level, const char *text)
{
	(void)host, (void)level, (void)text;
}
static int op_watch(gwa_host *host, int fd, uint32_t events)
{
	(void)host, (void)fd, (void)events;
	return 0;
}
static void op_timer(gwa_host *host, uint32_t timer, uint32_t ms)
{
	check_uint(timer, TIMER_DUE);
	fake(host)->timer = ms;
}
static uint64_t op_now(gwa_host *host)
{
	return fake(host)->now;
}
static void op_up(gwa_host *host, const struct gwa_device *device)
{
	add(host, 'u', device->evidence, &device->addr, device->name);
}
static void op_synced(gwa_host *host)
{
	(void)host;
}
static void op_down(gwa_host *host, const struct gwa_addr *addr, int left)
{
	add(host, left ? 'l' : 'd', 0, addr, NULL);
}
static uint64_t op_report(gwa_host *host, const struct gwa_addr *addr, uint8_t endpoint, uint16_t cap, const struct gwa_value *value,
			  int64_t wall_us)
{
	(void)endpoint, (void)wall_us, (void)value;
	if (fake(host)->reports == fake(host)->credit)
		return 0;
	add(host, 'r', cap, addr, NULL);
	return ++fake(host)->reports;
}
static void op_done(gwa_host *host, uint64_t req, int status)
{
	(void)req;
	add(host, 'f', status, NULL, NULL);
}
static void op_note(gwa_host *host, int kind, uint32_t count, const char *object, const char *text)
{
	(void)count, (void)object;
	add(host, 'n', kind, NULL, text);
}
static void op_joining(gwa_host *host, const struct gwa_addr *addr, int stage, const char *why)
{
	add(host, 'j', stage, addr, why);
}

static struct blob *blob_of(gwa_host *host, const char *key)
{
	struct blob *free_one = NULL;

	for (size_t i = 0; i < BLOBS; i++) {
		struct blob *blob = &fake(host)->blobs[i];

		if (text_equal(blob->key, key))
			return blob;
		if (!free_one && !blob->key[0])
			free_one = blob;
	}
	return free_one;
}
static int op_load(gwa_host *host, const char *key, void *buf, uint32_t *len)
{
	struct blob *blob = blob_of(host, key);

	if (!blob || !blob->key[0])
		return -1;
	memcpy(buf, blob->data, blob->len);
	*len = blob->len;
	return 0;
}
static int op_save(gwa_host *host, const char *key, const void *buf, uint32_t len)
{
	struct blob *blob = blob_of(host, key);

	assert_non_null(blob);
	assert_true(len <= GWA_STATE_MAX);
	text_copy(blob->key, sizeof(blob->key), key);
	memcpy(blob->data, buf, len);
	blob->len = len;
	return 0;
}

static const struct gwa_host_ops ops = {
	.size = sizeof(ops), .log = op_log, .watch = op_watch, .timer = op_timer, .now_ms = op_now, .device_up = op_up,
	.devices_synced = op_synced, .device_down = op_down, .report = op_report, .done = op_done, .note = op_note, .load = op_load,
	.save = op_save, .joining = op_joining,
};

static int open_with(struct fake_host *host, const char *key, const char *value)
{
	const struct gwa_opt options[] = { { "discovery", "off" }, { key, value } };

	return shelly_ops.open((gwa_host *)(void *)host, options, key ? 2 : 1, &host->self);
}

static struct fake_host *open_plugin(void)
{
	struct fake_host *host = calloc(1, sizeof(*host));

	assert_non_null(host);
	host->ops = &ops;
	host->credit = 1000000;
	host->now = 1000;
	check_ok(open_with(host, NULL, NULL));
	return host;
}

static void close_plugin(struct fake_host *host)
{
	shelly_ops.close(host->self);
	free(host);
}

static size_t count(const struct fake_host *host, char kind, int number)
{
	size_t n = 0;

	for (size_t i = 0; i < host->n; i++)
		n += host->log[i].kind == kind && host->log[i].number == number;
	return n;
}

static void window(struct fake_host *host, uint32_t seconds, const char *code)
{
	struct gwa_join join = { .size = sizeof(join), .seconds = seconds, .ncode = (uint8_t)strlen(code) };

	memcpy(join.code, code, strlen(code));
	shelly_ops.permit_join(host->self, 1, &join);
	check_int(host->log[host->n - 1].kind, 'f');
	check_int(host->log[host->n - 1].number, GWA_OK);
}

static struct json *parsed(const char *text)
{
	struct json *json = NULL;

	check_ok(json_parse(text, strlen(text), 65536, 16, NULL, 0, &json));
	return json;
}

/* As after a connection, a greeting and an answer. False: it was not taken in. */
static bool comes(struct fake_host *host, uint8_t last, bool proven)
{
	const struct place place = { { 192, 168, 1, last }, 80 };
	const uint8_t mac[6] = { 0xa8, 0x03, 0x2a, 0, 0, last };
	struct unit *unit = home_find(host->self, mac);
	struct json *status = parsed("{\"switch:0\":{\"output\":true,\"apower\":3}}");
	bool there;

	if (!unit)
		unit = home_new(host->self, mac, &place);
	assert_non_null(unit);
	memcpy(unit->session.info.mac, mac, 6);
	text_copy(unit->session.info.id, sizeof(unit->session.info.id), "shelly-x");
	unit->session.info.generation = 2;
	unit->session.proven = proven;
	there = home_who(host->self, unit) && home_whole(host->self, unit, status);
	json_free(status);
	return there;
}

static void a_window_lets_eight_in(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	check_true(!comes(host, 1, false));
	window(host, 60, "");
	for (uint8_t i = 1; i <= SHELLY_WINDOW_MAX; i++)
		check_true(comes(host, i, i == 2));
	check_true(!comes(host, 100, false));
	check_uint(count(host, 'j', GWA_JOIN_READY), SHELLY_WINDOW_MAX);
	check_text(host->log[host->n - 1].text, "eight came in by this window: open another");
	check_uint(count(host, 'u', 1), 1);
	check_uint(count(host, 'u', 0), SHELLY_WINDOW_MAX - 1);
	check_uint(count(host, 'r', 1), SHELLY_WINDOW_MAX);
	window(host, 0, "");
	check_true(!comes(host, 101, false));
	close_plugin(host);
}

/* Another start knows them; what is removed is forgotten. */
static void who_was_let_in_is_remembered(void **state)
{
	struct fake_host *host = open_plugin();
	struct gwa_addr addr = { 6, { 0xa8, 0x03, 0x2a, 0, 0, 2 } };

	(void)state;
	window(host, 60, "secret");
	for (uint8_t i = 1; i <= 3; i++)
		check_true(comes(host, i, true));
	shelly_ops.close(host->self);
	check_ok(open_with(host, NULL, NULL));
	assert_non_null(home_find(host->self, addr.bytes));
	check_true(home_find(host->self, addr.bytes)->kept.must_prove);
	shelly_ops.remove(host->self, 2, &addr);
	check_uint(count(host, 'l', 0), 1);
	shelly_ops.remove(host->self, 3, &addr);
	check_int(host->log[host->n - 1].number, GWA_UNREACHABLE);
	shelly_ops.close(host->self);
	check_ok(open_with(host, NULL, NULL));
	assert_null(home_find(host->self, addr.bytes));
	addr.bytes[5] = 3;
	assert_non_null(home_find(host->self, addr.bytes));
	close_plugin(host);
}

static void passwords_as_they_come(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	window(host, 60, "correct horse");
	check_text(host->self->window.password, "correct horse");
	/* digits only come as the bytes that they would be in hex */
	window(host, 60, "\x12\x34\x56\x78");
	check_text(host->self->window.password, "12345678");
	window(host, 60, "");
	check_text(host->self->window.password, "");
	close_plugin(host);
}

static void nobody_is_called_without_a_window(void **state)
{
	struct fake_host *host = open_plugin();
	struct mdns_found found = { .address = { 192, 168, 1, 1 }, .port = 80 };
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i <= SHELLY_SEEN_MAX; i++) {
		text_print(found.name, sizeof(found.name), "shellyplus1-a8032a00%04x", i);
		host->now++;
		home_found(host->self, &found);
	}
	for (size_t i = 0; i < SHELLY_SEEN_MAX; i++)
		n += host->self->seen[i].at != 0;
	check_uint(n, SHELLY_SEEN_MAX);
	/* the first made room for the last */
	check_uint(host->self->seen[0].mac[5], SHELLY_SEEN_MAX);
	for (size_t i = 0; i < SHELLY_UNITS_MAX; i++)
		assert_null(host->self->units[i]);
	text_copy(found.name, sizeof(found.name), "printer");
	home_found(host->self, &found);
	check_uint(host->n, 0);
	close_plugin(host);
}

static void there_is_room_for_so_many(void **state)
{
	struct fake_host *host = open_plugin();
	const struct place place = { { 192, 168, 1, 1 }, 80 };

	(void)state;
	for (unsigned i = 0; i < SHELLY_UNITS_MAX; i++)
		assert_non_null(home_new(host->self, NULL, &place));
	assert_null(home_new(host->self, NULL, &place));
	close_plugin(host);
}

static void settings_are_checked(void **state)
{
	static const struct gwa_opt bad[] = { { "hosts", "8.8.8.8" }, { "hosts", "kitchen.local" }, { "ping", "0" }, { "discovery", "maybe" },
					      { "interface", "" }, { "password_file", "/nonexistent" }, { "colour", "red" } };
	struct fake_host host = { .ops = &ops };
	char text[SHELLY_HOSTS_MAX * 16 + 32] = "";

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++)
		check_true(open_with(&host, bad[i].key, bad[i].value) < 0);
	for (unsigned i = 0; i < SHELLY_HOSTS_MAX; i++)
		text_append(text, sizeof(text), "192.168.1.%u, ", i);
	check_ok(open_with(&host, "hosts", text));
	check_uint(host.self->settings.n_hosts, SHELLY_HOSTS_MAX);
	shelly_ops.close(host.self);
	text_append(text, sizeof(text), "10.0.0.1");
	check_true(open_with(&host, "hosts", text) < 0);
}

static void without_credit_readings_wait(void **state)
{
	struct fake_host *host = open_plugin();
	const struct status_reading reading = { 1, 1, { .type = GWA_T_BOOL, .v.i = 1 } };
	struct unit *unit;

	(void)state;
	window(host, 60, "");
	check_true(comes(host, 1, false));
	unit = home_find(host->self, (const uint8_t[]){ 0xa8, 0x03, 0x2a, 0, 0, 1 });
	host->credit = host->reports;
	for (unsigned i = 0; i <= SHELLY_PENDING_MAX; i++)
		home_report(host->self, unit, &reading, 1);
	check_uint(host->self->n_pending, SHELLY_PENDING_MAX);
	check_uint(host->self->dropped, 1);
	host->credit += 12;
	shelly_ops.on_stored(host->self, host->reports);
	check_uint(host->self->n_pending, SHELLY_PENDING_MAX - 12);
	check_uint(count(host, 'n', GWA_NOTE_DROPPED), 0);
	host->credit = UINT64_MAX;
	shelly_ops.on_stored(host->self, host->reports);
	check_uint(host->self->n_pending, 0);
	check_uint(count(host, 'n', GWA_NOTE_DROPPED), 1);
	close_plugin(host);
}

/* A frame of a server's. */
static void put_frame(struct line *line, const char *text)
{
	size_t len = strlen(text);

	assert_true(len < 126);
	line->in = realloc(line->in, line->n_in + len + 2);
	assert_non_null(line->in);
	line->in[line->n_in] = 0x81;
	line->in[line->n_in + 1] = (uint8_t)len;
	memcpy(line->in + line->n_in + 2, text, len);
	line->n_in += len + 2;
	line->cap_in = line->n_in;
}

static void a_flood_is_hung_up_on(void **state)
{
	struct fake_host *host = open_plugin();
	struct unit *unit;
	int pair[2];

	(void)state;
	window(host, 60, "");
	check_true(comes(host, 1, false));
	unit = home_find(host->self, (const uint8_t[]){ 0xa8, 0x03, 0x2a, 0, 0, 1 });
	check_ok(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	unit->line = (struct line){ .state = LINE_OPEN, .fd = pair[0] };
	for (unsigned i = 0; i < SHELLY_BURST_MAX; i++)
		put_frame(&unit->line, "{\"method\":\"NotifyNews\"}");
	unit_pump(host->self, unit);
	check_uint(count(host, 'n', GWA_NOTE_FLOOD), 0);
	check_true(unit->line.state == LINE_OPEN);
	put_frame(&unit->line, "{\"method\":\"NotifyNews\"}");
	unit_pump(host->self, unit);
	check_uint(count(host, 'n', GWA_NOTE_FLOOD), 1);
	check_uint(count(host, 'd', 0), 1);
	check_true(unit->line.state == LINE_OFF && unit->dial_at > host->now + 50000);
	close(pair[1]);
	close_plugin(host);
}

static void what_cannot_be_ordered(void **state)
{
	struct fake_host *host = open_plugin();
	const struct gwa_value value = { .type = GWA_T_BOOL, .v.i = 1 };
	struct gwa_addr addr = { 6, { 0xa8, 0x03, 0x2a, 0, 0, 1 } };

	(void)state;
	shelly_ops.command(host->self, 1, &addr, 1, 1, &value, 1000);
	window(host, 60, "");
	check_true(comes(host, 1, false));
	/* let in, and not connected */
	shelly_ops.command(host->self, 2, &addr, 1, 1, &value, 1000);
	addr.len = 5;
	shelly_ops.command(host->self, 3, &addr, 1, 1, &value, 1000);
	check_uint(count(host, 'f', GWA_UNREACHABLE), 3);
	close_plugin(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_lets_eight_in),
		cmocka_unit_test(who_was_let_in_is_remembered),
		cmocka_unit_test(passwords_as_they_come),
		cmocka_unit_test(nobody_is_called_without_a_window),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(without_credit_readings_wait),
		cmocka_unit_test(a_flood_is_hung_up_on),
		cmocka_unit_test(what_cannot_be_ordered),
	};

	return crypto_init() || CHECK_RUN(tests);
}
