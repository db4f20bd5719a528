/* What the router and the links hold at most: commands on their way, listeners, causes, what a platform has not acknowledged.
 * One more is refused or waits; those that are there go on. */
#include "house.h"
#include "knock.h"

#include <string.h>
#include "base/text.h"
#include "router/internal.h"

struct home {
	struct house house;
	struct device_id lamp, sensor;
};

static int setup(void **state)
{
	struct home *home = calloc(1, sizeof(*home));
	house_open(&home->house, NULL);
	house_people(&home->house);
	house_adapter_up(&home->house);
	house_link_up(&home->house);
	home->lamp = house_lamp(&home->house, 1, "lamp");
	home->sensor = house_sensor(&home->house, 2, "sensor");
	house_bind(&home->house, home->lamp, home->house.owner);
	house_bind(&home->house, home->sensor, home->house.owner);
	*state = home;
	return 0;
}

static int teardown(void **state)
{
	struct home *home = *state;
	house_close(&home->house);
	free(home);
	return 0;
}

static void on_end(void *ctx, enum result result, int32_t rule, const char *reason)
{
	unsigned *n = ctx;
	(void)rule;
	(void)reason;
	n[result]++;
}

/* Orders with counters wait for the disk, all of them in one turn. */
static void so_many_commands_are_on_their_way(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker cloud = house_link_asker(house, "cloud"), anna = house_user(house, house->owner);
	struct command c = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	unsigned n[RESULTS] = { 0 };

	c.subject = cloud.subject;
	c.source = cloud.source;
	c.loop = cloud.loop;
	c.has_counter = true;
	text_copy(c.sender, sizeof(c.sender), "app");
	for (uint64_t i = 1; i <= ROUTER_PENDING_MAX; i++) {
		c.counter = i;
		router_command(house->app->router, &cloud, &c, on_end, n);
	}
	check_uint(router_stats_of(house->app->router).pending, ROUTER_PENDING_MAX);
	for (int i = 0; i < RESULTS; i++)
		check_uint(n[i], 0);
	c.counter++;
	router_command(house->app->router, &cloud, &c, on_end, n);
	check_uint(n[RESULT_BUSY], 1);
	house_settle(house);
	check_uint(router_stats_of(house->app->router).pending, 0);
	unsigned n_all = 0;
	for (int i = 0; i < RESULTS; i++)
		n_all += n[i];
	check_uint(n_all, ROUTER_PENDING_MAX + 1);
	struct command on = house_set(home->lamp, CAP_ON_OFF, value_bool(true));
	check_int(house_command(house, &anna, &on).result, RESULT_OK);
}

static void on_event(void *ctx, const struct event *event, const struct device *device)
{
	(void)event;
	(void)device;
	++*(unsigned *)ctx;
}

static void so_many_listen(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct asker anna = house_user(house, house->owner);
	struct router_listener *listeners[ROUTER_LISTENERS_MAX], *more;
	unsigned n = 0;

	for (int i = 0; i < ROUTER_LISTENERS_MAX; i++)
		check_ok(router_listen(house->app->router, &anna, on_event, &n, &listeners[i]));
	check_int(router_listen(house->app->router, &anna, on_event, &n, &more), -ENOSPC);
	house_report(house, 2, CAP_TEMPERATURE, value_real(20));
	check_uint(n, ROUTER_LISTENERS_MAX);
	router_unlisten(listeners[0]);
	check_ok(router_listen(house->app->router, &anna, on_event, &n, &listeners[0]));
	for (int i = 0; i < ROUTER_LISTENERS_MAX; i++)
		router_unlisten(listeners[i]);
	house_report(house, 2, CAP_TEMPERATURE, value_real(21));
	check_uint(n, ROUTER_LISTENERS_MAX);
}

/* Which order a report may be the echo of is remembered for so many orders, and for so long. */
static void so_many_causes_are_remembered(void **state)
{
	struct home *home = *state;
	struct router *router = home->house.app->router;

	router_add_cause(router, home->lamp, CAP_ON_OFF, 3);
	for (int i = 1; i < ROUTER_CAUSES_MAX; i++)
		router_add_cause(router, home->sensor, CAP_CONTACT, 1);
	check_uint(router_cause_depth(router, home->lamp, CAP_ON_OFF), 3);
	check_uint(router_cause_depth(router, home->lamp, CAP_LEVEL), 0);
	router_add_cause(router, home->sensor, CAP_CONTACT, 2);
	check_uint(router_cause_depth(router, home->lamp, CAP_ON_OFF), 0);
	check_uint(router_cause_depth(router, home->sensor, CAP_CONTACT), 2); /* the deepest counts */
	house_sleep(&home->house, ROUTER_CAUSE_MS);
	check_uint(router_cause_depth(router, home->sensor, CAP_CONTACT), 0);
}

static size_t events_of(const struct house *house)
{
	size_t n = 0;
	for (size_t i = 0; i < house->link.n; i++)
		n += house->link.heard[i].type == WIRE_LINK_EVENT;
	return n;
}

static void so_much_is_sent_without_an_answer(void **state)
{
	struct home *home = *state;
	struct house *house = &home->house;
	struct wire_msg acked = { .type = WIRE_LINK_ACKED };
	uint64_t numbers[1] = { 0 };

	for (int i = 0; i < LINK_INFLIGHT_MAX + 20; i += 20) {
		for (int k = 0; k < 20; k++) {
			struct wire_msg msg = { .type = WIRE_REPORT };
			msg.report.seq = ++house->adapter.seq;
			msg.report.addr = (struct address){ .len = 2, .bytes = { 0xad, 2 } };
			msg.report.endpoint = 1;
			msg.report.cap = CAP_TEMPERATURE;
			msg.report.value = value_real((i + k) % 100);
			actor_say(&house->adapter, &msg);
		}
		house_settle(house);
	}
	check_uint(events_of(house), LINK_INFLIGHT_MAX);
	house_sleep(house, 1000);
	check_uint(events_of(house), LINK_INFLIGHT_MAX);
	/* One is acknowledged, one more goes. */
	numbers[0] = actor_last(&house->link, WIRE_LINK_EVENT)->number;
	acked.link_acked.numbers = numbers;
	acked.link_acked.n = 1;
	actor_say(&house->link, &acked);
	house_settle(house);
	check_uint(events_of(house), LINK_INFLIGHT_MAX + 1);
}

static void a_rules_name_is_so_long(void **state)
{
	struct home *home = *state;
	struct knock anna;
	char params[400], name[AUTOMATION_NAME_MAX + 2];

	knock_open(&anna, &home->house);
	knock_login(&anna, "anna");
	memset(name, 'n', sizeof(name) - 1);
	name[AUTOMATION_NAME_MAX + 1] = 0;
	for (int over = 1; over >= 0; over--) {
		name[AUTOMATION_NAME_MAX + over] = 0;
		snprintf(params, sizeof(params),
			 "{'name':'%s','trigger':'change','when':{'device':'sensor','capability':'contact'},'then':{'device':'lamp','capability':'on-off'},'set':true}",
			 name);
		knock(&anna, "rule.add", params);
		if (over)
			check_true(strcmp(knock_code(&anna), "ok") != 0);
		else
			check_text(knock_code(&anna), "ok");
	}
	check_text(automation_at(router_automation(home->house.app->router), 0)->name, name);
	check_true(automation_at(router_automation(home->house.app->router), 1) == NULL);
	knock_close(&anna);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest rows[] = {
		ROW(so_many_commands_are_on_their_way),
		ROW(so_many_listen),
		ROW(so_many_causes_are_remembered),
		ROW(so_much_is_sent_without_an_answer),
		ROW(a_rules_name_is_so_long),
	};
	return CHECK_RUN(rows);
}
