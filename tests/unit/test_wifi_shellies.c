/* Gen2+ Shellys over MQTT: who is there is asked who he is; what he answers is his description; notices are reports. */
#include "wifi_host.h"

#define ID "shellyplus1pm-a8032abe54dc"
#define INFO(mac) "{\"id\":1,\"src\":\"" ID "\",\"dst\":\"gateway-rpc/" ID "\",\"result\":{\"name\":\"kettle\",\"id\":\"" ID "\",\"mac\":\"" mac \
	"\",\"model\":\"SNSW-001P16EU\",\"gen\":2,\"fw_id\":\"x\",\"ver\":\"1.0.3\",\"app\":\"Plus1PM\",\"auth_en\":false}}"
#define STATUS(on, power) "{\"switch:0\":{\"id\":0,\"output\":" on ",\"apower\":" power ",\"voltage\":230.1,\"current\":0.5,\"aenergy\":{\"total\":1500.0}," \
	"\"temperature\":{\"tC\":40.1}}}"
#define ANSWER(on, power) "{\"id\":2,\"src\":\"" ID "\",\"dst\":\"gateway-rpc/" ID "\",\"result\":" STATUS(on, power) "}"
#define NOTICE(on) "{\"src\":\"" ID "\",\"dst\":\"" ID "/events\",\"method\":\"NotifyStatus\",\"params\":{\"ts\":1.0,\"switch:0\":{\"id\":0,\"output\":" on "}}}"
#define REPLY "gateway-rpc/" ID "/rpc"

static struct shelly *only(struct fake_host *host)
{
	check_uint(HASH_COUNT(host->self->shellies.all), 1);
	return host->self->shellies.all;
}

static struct fake_host *open_known(void)
{
	struct fake_host *host = open_plugin();

	settle(host);
	say(host, ID "/online", "true", true);
	say(host, REPLY, INFO("A8032ABE54DC"), true);
	say(host, REPLY, ANSWER("true", "40.0"), true);
	return host;
}

static void test_who_is_there_is_asked(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	say(host, ID "/online", "true", true);
	check_uint(host->timers[TIMER_SHELLIES], 1);
	wifi_ops.on_timer(host->self, TIMER_SHELLIES);
	check_uint(host->timers[TIMER_SHELLIES], SHELLIES_ASK_MS);
	check_uint(count(host, 'u'), 0);
	say(host, REPLY, ANSWER("true", "40.0"), true); /* how he is, before who: not yet */
	check_uint(count(host, 'u'), 0);
	say(host, REPLY, INFO("A8032ABE54DC"), true);
	say(host, REPLY, ANSWER("true", "40.0"), true);
	check_uint(count(host, 'u'), 1);
	check_text(host->log[host->n - 1].kind == 'r' ? "kettle" : "", "kettle");
	check_true(count(host, 'r') >= 4);
	check_uint(host->timers[TIMER_SHELLIES], 0);
	say(host, ID "/events/rpc", NOTICE("false"), true);
	check_uint(host->log[host->n - 1].cap, CAP_ON_OFF);
	check_int(host->log[host->n - 1].number, 0);
	/* Its acknowledgement waits for the store. */
	check_true(host->self->intake.held);
	wifi_ops.on_stored(host->self, host->reports);
	check_true(!host->self->intake.held);
	close_plugin(host);
}

/* He does not answer: asked again, not for ever; his next word begins anew. */
static void test_one_that_does_not_answer(void **state)
{
	struct fake_host *host = open_plugin();

	(void)state;
	settle(host);
	say(host, ID "/online", "true", true);
	for (unsigned i = 0; i < SHELLIES_ASKS_MAX; i++) {
		check_true(host->timers[TIMER_SHELLIES] != 0);
		host->now += SHELLIES_ASK_MS;
		wifi_ops.on_timer(host->self, TIMER_SHELLIES);
	}
	check_uint(host->timers[TIMER_SHELLIES], 0);
	say(host, ID "/events/rpc", NOTICE("true"), true);
	check_true(host->timers[TIMER_SHELLIES] != 0);
	say(host, REPLY, "{\"id\":1,\"src\":\"" ID "\",\"error\":{\"code\":401,\"message\":\"{}\"}}", true);
	check_text(note_of(host, GWA_NOTE_STATUS)->text, "wants a password");
	check_uint(host->timers[TIMER_SHELLIES], 0);
	check_uint(count(host, 'u') + count(host, 'r'), 0);
	close_plugin(host);
}

static void test_come_and_go(void **state)
{
	struct fake_host *host = open_known();

	(void)state;
	check_uint(count(host, 'u'), 1);
	say(host, ID "/online", "false", true);
	check_uint(count(host, 'd'), 1);
	say(host, ID "/online", "true", true);
	check_uint(count(host, 'u'), 2);
	/* The same again is nothing new; another profile is. */
	say(host, REPLY, ANSWER("true", "41.0"), true);
	check_uint(count(host, 'u'), 2);
	say(host, REPLY, "{\"id\":2,\"src\":\"" ID "\",\"result\":{\"cover:0\":{\"id\":0,\"state\":\"open\",\"current_pos\":40}}}", true);
	check_uint(count(host, 'u'), 3);
	check_uint(host->log[host->n - 2].cap, CAP_COVER_POSITION);
	wifi_ops.on_timer(host->self, TIMER_GRACE); /* the broker is gone for long */
	check_uint(count(host, 'd'), 2);
	say(host, ID "/online", "", true); /* taken back: it has left */
	check_uint(count(host, 'l'), 1);
	check_uint(HASH_COUNT(host->self->shellies.all), 0);
	close_plugin(host);
}

static void test_no_credit(void **state)
{
	struct fake_host *host = open_known();
	uint64_t before = host->reports;

	(void)state;
	host->credit = before + 1;
	say(host, ID "/events/rpc", "{\"src\":\"" ID "\",\"method\":\"NotifyFullStatus\",\"params\":" STATUS("false", "1.0") "}", true);
	check_uint(host->reports, before + 1);
	check_true(host->self->intake.paused);
	host->credit = 1000;
	wifi_ops.on_stored(host->self, before + 1);
	check_true(host->reports >= before + 4);
	close_plugin(host);
}

static int ordered(struct fake_host *host, const char *mac, uint16_t cap, struct gwa_value value)
{
	struct gwa_addr addr = { .len = 7 };

	memcpy(addr.bytes, mac, 7);
	wifi_ops.command(host->self, 7, &addr, 1, cap, &value, 1000);
	check_int(host->log[host->n - 1].kind, 'f');
	return host->log[host->n - 1].number;
}

static void test_orders(void **state)
{
	static const struct gwa_value on = { .type = GWA_T_BOOL, .v.i = 1 };
	struct fake_host *host = open_known();
	struct order order = { .req = 9, .to_bridge = true, .deadline_ms = UINT64_MAX }, *row;

	(void)state;
	check_int(ordered(host, "\xa8\x03\x2a\xbe\x54\xdcS", CAP_ON_OFF, on), GWA_UNREACHABLE);
	host->self->command.up = true; /* said so; there is no broker all the same */
	check_int(ordered(host, "\xa8\x03\x2a\xbe\x54\xdcS", CAP_ON_OFF, on), GWA_FAILED);
	check_int(ordered(host, "\xa8\x03\x2a\xbe\x54\xdcT", CAP_ON_OFF, on), GWA_UNREACHABLE);
	check_int(ordered(host, "\xa8\x03\x2a\xbe\x54\xdcS", CAP_LEVEL, on), GWA_UNSUPPORTED);
	/* The answer is the order's. */
	check_ok(orders_add(&host->self->orders, &order, &row));
	say(host, REPLY, "{\"id\":25,\"src\":\"" ID "\",\"result\":{\"was_on\":false}}", true);
	check_uint(host->log[host->n - 1].count, 9);
	check_int(host->log[host->n - 1].number, GWA_OK);
	check_ok(orders_add(&host->self->orders, &order, &row));
	say(host, REPLY, "{\"id\":25,\"src\":\"" ID "\",\"error\":{\"code\":-103,\"message\":\"no\"}}", true);
	check_true(host->log[host->n - 1].kind == 'f' && host->log[host->n - 1].number != GWA_OK);
	say(host, REPLY, "{\"id\":25,\"src\":\"" ID "\",\"result\":{}}", true); /* again: nobody waits */
	check_uint(host->self->orders.n, 0);
	close_plugin(host);
}

static void test_what_is_refused(void **state)
{
	struct fake_host *host = open_plugin();
	char topic[96];

	(void)state;
	settle(host);
	say(host, ID "/online", "perhaps", true);
	check_text(note_of(host, GWA_NOTE_MALFORMED)->text, "neither true nor false");
	say(host, ID "/online", "true", true);
	say(host, REPLY, INFO("112233445566"), true);
	check_text(note_of(host, GWA_NOTE_BAD_VALUE)->text, "it is not what its id says");
	check_true(!only(host)->has_info);
	say(host, ID "/events/rpc", "{\"method\":", true);
	check_text(note_of(host, GWA_NOTE_MALFORMED)->object, ID "/events/rpc");
	/* An answer on the topic of notices is none. */
	say(host, ID "/events/rpc", INFO("A8032ABE54DC"), true);
	check_true(!only(host)->has_info);
	/* Without a MAC in its id it is somebody else's topic. */
	say(host, "lamp/online", "true", true);
	check_uint(HASH_COUNT(host->self->shellies.all), 1);
	for (unsigned i = 1; i < SHELLIES_MAX; i++) {
		text_print(topic, sizeof(topic), "shelly-%012x/online", i);
		say(host, topic, "true", true);
	}
	check_true(!note_of(host, GWA_NOTE_FLOOD));
	say(host, "shelly-aaaaaaaaaaaa/online", "true", true);
	check_text(note_of(host, GWA_NOTE_FLOOD)->text, "too many devices");
	check_uint(HASH_COUNT(host->self->shellies.all), SHELLIES_MAX);
	close_plugin(host);
}

int main(void)
{
	static const struct CMUnitTest rows[] = {
		cmocka_unit_test(test_who_is_there_is_asked),
		cmocka_unit_test(test_one_that_does_not_answer),
		cmocka_unit_test(test_come_and_go),
		cmocka_unit_test(test_no_credit),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_what_is_refused),
	};

	return CHECK_RUN(rows);
}
