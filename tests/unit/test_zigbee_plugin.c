/* The plugin as the host sees it: settings, orders, questions, credit, and the line to the stick. */
#include "zigbee_house.h"

#include <arpa/inet.h>
#include "sdk/gw_caps.h"

static void test_settings(void **state)
{
	static const struct {
		struct gwa_opt opt;
		bool good;
	} rows[] = {
		{ { "channel", "11" }, true },	  { { "channel", "26" }, true },	 { { "channel", "27" }, false },
		{ { "channel", "" }, false },	  { { "channels", "11, 15,20" }, true }, { { "channels", "" }, false },
		{ { "channels", "11;15" }, false }, { { "tcp", "name:1" }, false },	 { { "tcp", "10.0.0.1" }, false },
		{ { "colour", "red" }, false },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct house *h = house_new();
		gwa_self *self = NULL;
		int r = zigbee_open_with((gwa_host *)(void *)h, &rows[i].opt, 1, fake_new, &self);

		check_true((r == 0) == rows[i].good);
		if (self)
			zigbee_ops.close(self);
		house_free(h);
	}
}

/* Orders */

static void test_order(void **state)
{
	struct house *h = home();
	struct gwa_addr nobody = device_addr(99);
	struct gwa_value on = { .type = GWA_T_BOOL, .v.i = 1 };

	(void)state;
	h->n = 0;
	order(h, 1, LAMP, GWA_CAP_ON_OFF, true, 5000);
	check_uint(count(h, 'f'), 0); /* not before it was answered */
	run(h);
	check_true(last(h, 'f')->req == 1 && last(h, 'f')->number == GWA_OK);
	order(h, 2, LAMP, GWA_CAP_LOCK_STATE, true, 5000);
	check_true(last(h, 'f')->req == 2 && last(h, 'f')->number == GWA_UNSUPPORTED);
	zigbee_ops.command(h->self, 3, &nobody, 1, GWA_CAP_ON_OFF, &on, 5000);
	check_true(last(h, 'f')->req == 3 && last(h, 'f')->number == GWA_UNREACHABLE);
	h->silent = true;
	order(h, 4, LAMP, GWA_CAP_ON_OFF, true, 60000);
	later(h, 20000);
	check_true(last(h, 'f')->req == 4 && last(h, 'f')->number == GWA_UNREACHABLE);
	/* That makes us look whether it is there at all. */
	later(h, 30000);
	check_uint(last(h, 'd')->eui, LAMP);
	h->silent = false;
	h->mute = true;
	order(h, 5, LAMP, GWA_CAP_ON_OFF, true, 9000);
	later(h, 9000);
	check_true(last(h, 'f')->req == 5 && last(h, 'f')->number == GWA_TIMEOUT);
	house_free(h);
}

/* What is late is not sent, and is answered before the host has to. */
static void test_ttl(void **state)
{
	struct house *h = home();
	unsigned commands;

	(void)state;
	h->busy = true;
	commands = h->commands;
	order(h, 1, LAMP, GWA_CAP_ON_OFF, true, 2000);
	later(h, 1999);
	check_true(last(h, 'f')->req == 1 && last(h, 'f')->number == GWA_UNREACHABLE);
	h->busy = false;
	later(h, 5000);
	check_uint(h->commands, commands);
	house_free(h);
}

static void test_order_limits(void **state)
{
	struct house *h = home();
	size_t busy = 0;

	(void)state;
	h->busy = true;
	h->n = 0;
	for (uint64_t i = 1; i <= ORDERS_MAX + 5; i++)
		order(h, i, LAMP, GWA_CAP_ON_OFF, true, 5000);
	for (size_t i = 0; i < h->n; i++)
		busy += h->log[i].kind == 'f' && h->log[i].number == GWA_BUSY;
	/* A device's queue is shorter than the table of orders. */
	check_uint(busy, ORDERS_MAX + 5 - TALK_QUEUE_MAX);
	/* Each exactly once, also when it is closed in between. */
	house_close(h);
	check_uint(count(h, 'f'), ORDERS_MAX + 5);
	house_free(h);
}

/* Requests that the radio has not answered, and interviews at once, are bounded, too. */
static void test_pending_limits(void **state)
{
	struct gwa_join window = { .size = sizeof(window), .seconds = 60 };
	struct house *h = home();
	struct device *device;
	size_t interviews = 0;

	(void)state;
	h->n = 0;
	for (uint64_t i = 0; i < JOINS_PENDING_MAX + 3; i++)
		zigbee_ops.permit_join(h->self, 100 + i, &window);
	check_uint(count(h, 'f'), 3);
	check_int(last(h, 'f')->number, GWA_BUSY);
	run(h);
	check_uint(count(h, 'f'), JOINS_PENDING_MAX + 3);
	for (uint64_t i = 0; i < INQUIRIES_MAX + 4; i++) {
		check_ok(device_add(h->self, 5000 + i, (uint16_t)(5000 + i), 0x8e, &device));
		inquiry_start(h->self, device, INTERVIEW_NODE);
		interviews += device->interview != NULL;
	}
	check_uint(interviews, INQUIRIES_MAX);
	/* The others have their turn when those have had theirs, or pause. */
	h->silent = true;
	later(h, 30000);
	interviews = 0;
	for (size_t i = 0; i < h->self->nodes.n; i++)
		interviews += device_of(h->self->nodes.rows[i])->interview != NULL;
	check_uint(interviews, INQUIRIES_MAX + 4);
	house_free(h);
}

/* Credit */

static void test_credit(void **state)
{
	uint8_t report[] = { 0x18, 0, 0x0a, 0, 0, 0x10, 0 };
	struct house *h = home();

	(void)state;
	h->credit = h->reports + 1;
	h->n = 0;
	for (unsigned i = 0; i < REPORTS_WAITING_MAX + 10; i++) {
		report[1] = (uint8_t)i;
		report[6] = i & 1;
		later(h, 100);
		message_from(h, LAMP_NWK, 6, report, sizeof(report));
	}
	check_uint(count(h, 'r'), 1);
	check_int(last(h, 'n')->number, GWA_NOTE_DROPPED);
	check_uint(h->self->n_waiting, REPORTS_WAITING_MAX);
	h->credit += 10;
	zigbee_ops.on_stored(h->self, h->reports);
	check_uint(count(h, 'r'), 11);
	/* In order, the oldest first. */
	check_true(h->log[h->n - 1].number != h->log[h->n - 2].number);
	h->credit = UINT64_MAX;
	zigbee_ops.on_stored(h->self, h->reports);
	check_uint(count(h, 'r'), 1 + REPORTS_WAITING_MAX);
	check_uint(h->self->n_waiting, 0);
	house_free(h);
}

/* Questions */

static const struct said *ask(struct house *h, const char *verb, const char *data)
{
	h->n = 0;
	zigbee_ops.ask(h->self, 77, verb, data, data ? (uint32_t)strlen(data) : 0);
	run(h);
	check_uint(count(h, 'f'), 1);
	check_uint(last(h, 'f')->req, 77);
	return last(h, 'f');
}

static void test_asks(void **state)
{
	struct house *h = home();
	char text[512];

	(void)state;
	check_int(ask(h, "info", NULL)->number, GWA_OK);
	check_true(strstr(last(h, 't')->text, "\"state\":\"ready\",\"channel\":15,\"pan\":\"0x1a62\""));
	check_int(ask(h, "map", NULL)->number, GWA_OK);
	text_copy(text, sizeof(text), last(h, 't')->text);
	check_true(strstr(text, "{\"nodes\":[{\"eui\":\"00124b0018ed1234\",\"nwk\":\"0x0000\",\"kind\":\"coordinator\""));
	h->keys[0] = (struct radio_key){ .eui = LAMP, .nwk = LAMP_NWK };
	h->n_keys = 1;
	check_int(ask(h, "backup", NULL)->number, GWA_OK);
	check_true(strstr(last(h, 't')->text, "open-coordinator-backup"));
	check_int(ask(h, "channel", "20")->number, GWA_OK);
	check_uint(h->channel, 20);
	check_int(ask(h, "channel", "27")->number, GWA_BAD_VALUE);
	check_int(ask(h, "channel", NULL)->number, GWA_BAD_VALUE);
	check_int(ask(h, "reboot", NULL)->number, GWA_UNSUPPORTED);
	check_int(ask(h, "restore", "{}")->number, GWA_BAD_VALUE);
	check_true(count(h, 't') == 1);
	check_int(h->self->state, NET_READY); /* nothing was touched */
	check_int(ask(h, "form", "{\"channel\":30}")->number, GWA_BAD_VALUE);
	check_int(ask(h, "form", "{\"channel\":11}")->number, GWA_OK);
	check_uint(h->begun.channel, 11);
	house_free(h);
}

/* What is restored: the devices that are in both keep what is known of them, the others are new or not there. */
static void test_restore(void **state)
{
	static const char backup[] = "{\"metadata\":{\"format\":\"zigpy/open-coordinator-backup\",\"version\":1,\"source\":\"x\",\"internal\":{}},"
				     "\"coordinator_ieee\":\"00124b0018ed1234\",\"pan_id\":\"1234\",\"extended_pan_id\":\"dddddddddddddd01\","
				     "\"nwk_update_id\":0,\"security_level\":5,\"channel\":25,\"channel_mask\":[25],"
				     "\"network_key\":{\"key\":\"000102030405060708090a0b0c0d0eff\",\"sequence_number\":0,\"frame_counter\":5},"
				     "\"devices\":[{\"nwk_address\":\"4321\",\"ieee_address\":\"000b57fffe00a101\",\"is_child\":false},"
				     "{\"nwk_address\":\"4322\",\"ieee_address\":\"000b57fffe00b202\",\"is_child\":false}]}";
	struct house *h = home();

	(void)state;
	check_int(ask(h, "restore", backup)->number, GWA_OK);
	check_uint(h->begins[RADIO_RESTORE], 1);
	check_uint(h->begun_keys, 2);
	check_uint(h->self->nodes.n, 2);
	check_true(!nodes_by_eui(&h->self->nodes, SENSOR));
	check_uint(nodes_by_eui(&h->self->nodes, LAMP)->node.nwk, 0x4321);
	check_uint(nodes_by_eui(&h->self->nodes, LAMP)->stage, NODES_READY);
	/* Whom we know from the backup only is asked who it is. */
	check_uint(nodes_by_eui(&h->self->nodes, 0x000b57fffe00b202)->stage, NODES_READY);
	/* One question at a time. */
	h->n = 0;
	zigbee_ops.ask(h->self, 1, "backup", NULL, 0);
	zigbee_ops.ask(h->self, 2, "map", NULL, 0);
	check_true(last(h, 'f')->req == 2 && last(h, 'f')->number == GWA_BUSY);
	house_close(h);
	check_true(last(h, 'f')->req == 1 && last(h, 'f')->number == GWA_FAILED);
	house_free(h);
}

/* The line */

static void test_pulled(void **state)
{
	struct house *h = home();

	(void)state;
	order(h, 1, LAMP, GWA_CAP_ON_OFF, true, 5000);
	close(h->line[1]);
	h->line[1] = -1;
	zigbee_ops.on_fd(h->self, h->line[0], POLLIN);
	check_true(strstr(last(h, 'x')->text, "stick"));
	check_uint(count(h, 'd'), 2);
	check_true(last(h, 'f')->req == 1 && last(h, 'f')->number == GWA_UNREACHABLE);
	house_free(h);
}

/* Nobody reads: what does not fit waits, up to a bound, and then the line counts as gone. */
static void test_line_full(void **state)
{
	static const uint8_t zeros[1024];
	struct house *h = house_new();
	struct port port;
	unsigned kib = 0;
	uint8_t in[4096];

	(void)state;
	check_ok(port_open(&port, (gwa_host *)(void *)h, "", 0));
	while (!port.lost && kib++ < 4096)
		port_write(&port, zeros, sizeof(zeros));
	check_true(port.lost);
	check_true(port.n_out > PORT_OUT_MAX - sizeof(zeros) && port.n_out <= PORT_OUT_MAX);
	port_close(&port);
	/* What waited goes out when there is room. */
	check_ok(port_open(&port, (gwa_host *)(void *)h, "", 0));
	while (!port.n_out)
		port_write(&port, zeros, sizeof(zeros));
	for (unsigned i = 0; port.n_out && i < 100000; i++) {
		check_true(read(h->line[1], in, sizeof(in)) > 0);
		check_true(!port_on_writable(&port));
	}
	check_uint(port.n_out, 0);
	port_close(&port);
	house_free(h);
}

/* A coordinator in the LAN: nobody there, then somebody, then gone again. */
static void test_tcp(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	struct house *h = house_new();
	socklen_t len = sizeof(addr);
	char where[64];
	struct gwa_opt opt = { "tcp", where };

	(void)state;
	check_ok(bind(server, (struct sockaddr *)&addr, sizeof(addr)));
	check_ok(getsockname(server, (struct sockaddr *)&addr, &len));
	text_print(where, sizeof(where), "127.0.0.1:%u", ntohs(addr.sin_port));
	check_ok(zigbee_open_with((gwa_host *)(void *)h, &opt, 1, fake_new, &h->self));
	for (unsigned i = 0; i < 3; i++) { /* refused: again, later and later */
		if (h->self->port.fd >= 0)
			zigbee_ops.on_fd(h->self, h->self->port.fd, POLLOUT);
		check_int(h->self->port.fd, -1);
		check_true(h->timer_ms > h->now && h->timer_ms <= h->now + PORT_AGAIN_LONGEST_MS);
		if (i == 2)
			check_ok(listen(server, 1));
		h->now = h->timer_ms;
		zigbee_ops.on_timer(h->self, 0);
	}
	peer = accept(server, NULL, NULL);
	check_true(peer >= 0);
	zigbee_ops.on_fd(h->self, h->self->port.fd, POLLOUT);
	run(h);
	check_int(h->self->state, NET_READY);
	close(peer);
	zigbee_ops.on_fd(h->self, h->self->port.fd, POLLIN);
	check_int(h->self->state, NET_STARTING);
	check_uint(count(h, 'x'), 0);
	check_true(!h->radio);
	close(server);
	house_free(h);
}

int main(void)
{
	const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_settings),     cmocka_unit_test(test_order),	    cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_order_limits), cmocka_unit_test(test_pending_limits), cmocka_unit_test(test_credit),
		cmocka_unit_test(test_asks),	     cmocka_unit_test(test_restore),	    cmocka_unit_test(test_pulled),
		cmocka_unit_test(test_line_full),    cmocka_unit_test(test_tcp),
	};

	return CHECK_RUN(rows);
}
